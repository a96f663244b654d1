/* Salvage, rule by rule of docs/SALVAGE.md: what is sound comes back as a reader has it, what is
 * damaged costs no more than it must, and nothing is invented. */
#include "stream/salvage_private.h"

#include "flatstream/reader.h"
#include "support/counting_allocator.h"
#include "support/damage.h"
#include "support/faulty_io.h"
#include "support/testing.h"

typedef struct kept {
    uint64_t offset;
    size_t size;
    uint8_t *payload;
    fls_salvage_repair repair;
    int unanchored;
} kept;

/* All that a salvager handed out. */
typedef struct outcome {
    kept *messages;
    size_t count;
    size_t capacity;
    fls_salvage_event lost[64]; /* the first of them */
    size_t lost_count;
    fls_salvage_event unanchored[16];
    size_t unanchored_count;
    fls_salvage_report report;
    uint64_t hashed;
    uint64_t probes;
} outcome;

static void outcome_free(outcome *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->messages[i].payload);
    }
    free(self->messages);
    memset(self, 0, sizeof *self);
}

static void keep(outcome *self, const fls_message *message, const fls_salvage_event *event)
{
    if (self->count == self->capacity) {
        self->capacity = 2 * self->capacity + 64;
        self->messages = realloc(self->messages, self->capacity * sizeof *self->messages);
        assert_non_null(self->messages);
    }
    kept *one = &self->messages[self->count];
    assert_int_equal(message->ordinal, self->count);
    self->count++;
    one->offset = message->offset;
    one->size = message->size;
    one->repair = event->repair;
    one->unanchored = event->kind == FLS_SALVAGE_UNANCHORED;
    one->payload = bytes_exact_copy(message->payload, message->size);
}

/* Events tile the stream; messages of an event tile the event. */
static fls_status drain(fls_salvager *salvager, size_t size, outcome *self, fls_error *err)
{
    uint64_t at = 0;
    fls_salvage_event event;
    fls_status status;
    while ((status = fls_salvage_next(salvager, &event, err)) == FLS_OK) {
        assert_int_equal(event.from, at);
        assert_true(event.to > event.from && event.to <= size);
        at = event.to;
        for (size_t i = 0; i < event.count; i++) {
            assert_true(event.messages[i].offset >= event.from);
            keep(self, &event.messages[i], &event);
        }
        if (event.kind == FLS_SALVAGE_LOST) {
            assert_int_not_equal(event.fault.status, FLS_OK);
            assert_int_not_equal(event.loss, 0);
            if (self->lost_count < 64) {
                self->lost[self->lost_count] = event;
            }
            self->lost_count++;
        } else if (event.kind == FLS_SALVAGE_UNANCHORED) {
            assert_true(event.frames > 0);
            if (self->unanchored_count < 16) {
                self->unanchored[self->unanchored_count] = event;
            }
            self->unanchored_count++;
        } else if (event.kind == FLS_SALVAGE_REPAIRED) {
            assert_int_equal(event.count, 1);
            assert_int_not_equal(event.repair, 0);
        } else {
            assert_int_equal(event.kind, FLS_SALVAGE_MESSAGES);
            assert_true(event.count > 0);
        }
    }
    self->report = (fls_salvage_report)FLS_SALVAGE_REPORT_INIT;
    fls_salvage_get_report(salvager, &self->report);
    flsi_salvage_work(salvager, &self->hashed, &self->probes);
    if (status == FLS_END) {
        assert_int_equal(at, size);
        assert_int_equal(self->report.messages, self->count);
        assert_int_equal(self->report.lost_ranges, self->lost_count);
        assert_int_equal(self->report.stream_bytes, size);
    }
    return status;
}

static fls_salvage_options with(fls_checksum checksum)
{
    fls_salvage_options options = FLS_SALVAGE_OPTIONS_INIT;
    options.checksum = checksum;
    return options;
}

static outcome salvage(const void *data, size_t size, const fls_salvage_options *options)
{
    fls_error err = FLS_ERROR_INIT;
    fls_salvager *salvager;
    outcome self = {0};
    uint8_t *exact = bytes_exact_copy(data, size);
    assert_status(fls_salvage_open_memory(&salvager, exact, size, options, &err), FLS_OK, &err);
    assert_status(drain(salvager, size, &self, &err), FLS_END, &err);
    fls_salvage_close(salvager);
    free(exact);
    return self;
}

/* The same through a source that is read at offsets, in pieces. */
static outcome salvage_source(const void *data, size_t size, const fls_salvage_options *options)
{
    fls_error err = FLS_ERROR_INIT;
    fls_salvager *salvager;
    outcome self = {0};
    faulty_plan plan = FAULTY_PLAN_INIT;
    faulty_source storage;
    plan.max_piece = 3000;
    fls_source source = faulty_source_init(&storage, &plan, data, size, size);
    assert_status(fls_salvage_open(&salvager, &source, options, &err), FLS_OK, &err);
    assert_status(drain(salvager, size, &self, &err), FLS_END, &err);
    fls_salvage_close(salvager);
    return self;
}

static void expect_same(const outcome *a, const outcome *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->messages[i].offset, b->messages[i].offset);
        assert_int_equal(a->messages[i].size, b->messages[i].size);
        assert_memory_equal(a->messages[i].payload, b->messages[i].payload, a->messages[i].size);
    }
    assert_int_equal(a->lost_count, b->lost_count);
    for (size_t i = 0; i < a->lost_count && i < 64; i++) {
        assert_int_equal(a->lost[i].from, b->lost[i].from);
        assert_int_equal(a->lost[i].to, b->lost[i].to);
        assert_int_equal(a->lost[i].loss, b->lost[i].loss);
    }
}

/* What the true stream has to say of an outcome. */
typedef struct judgement {
    size_t invented; /* payloads that no true message has */
    size_t back;     /* true messages that came back, each counted once and in order */
} judgement;

static judgement judge(const outcome *got, const uint8_t *truth, const ref_stream *frames)
{
    judgement found = {0, 0};
    size_t next = 0;
    for (size_t i = 0; i < got->count; i++) {
        const kept *one = &got->messages[i];
        size_t j = next;
        int known = 0;
        for (size_t tried = 0; tried < frames->count && !known; tried++) {
            j = (next + tried) % frames->count;
            known = frames->messages[j].size == one->size &&
                    memcmp(truth + frames->messages[j].payload, one->payload, one->size) == 0;
        }
        if (known) {
            found.back++;
            next = j + 1;
        } else {
            found.invented++;
        }
    }
    return found;
}

/* ---- sound streams ---- */

static void sound_streams_come_back_as_readers_have_them(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_salvage_options options = with(format.checksum);
        prng random = prng_seeded(c + 1);
        byte_buffer stream = BYTES_INIT;
        for (unsigned i = 0; i < 300; i++) {
            frames_append_flatbuffers(&stream, &format, &random, 3, 400);
            if (i % 50 == 7) {
                frames_append(&stream, &format, "", 0);
                frames_append(&stream, &format, "", 0);
                frames_append_flatbuffers(&stream, &format, &random, 1, 3000 * (i % 3));
            }
        }
        frames_append_random(&stream, &format, &random, 3000000);
        frames_append_flatbuffers(&stream, &format, &random, 3, 400);
        ref_stream wanted = ref_decode(&format, stream.data, stream.size);
        assert_int_equal(wanted.end, FLS_END);
        for (int how = 0; how < 2; how++) {
            outcome got = how == 0 ? salvage(stream.data, stream.size, &options)
                                   : salvage_source(stream.data, stream.size, &options);
            assert_int_equal(got.count, wanted.count);
            for (size_t i = 0; i < got.count; i++) {
                assert_int_equal(got.messages[i].offset, wanted.messages[i].offset);
                assert_int_equal(got.messages[i].size, wanted.messages[i].size);
                assert_memory_equal(got.messages[i].payload,
                                    stream.data + wanted.messages[i].payload, got.messages[i].size);
            }
            assert_int_equal(got.lost_count, 0);
            assert_int_equal(got.report.end, FLS_STREAM_CLEAN);
            assert_int_equal(got.report.checksum, format.checksum);
            outcome_free(&got);
        }
        ref_free(&wanted);
        bytes_free(&stream);
    }
}

static void nothing_is_a_sound_stream(void **state)
{
    (void)state;
    fls_salvage_options options = with(FLS_CHECKSUM_DETECT);
    outcome got = salvage("", 0, &options);
    assert_int_equal(got.report.end, FLS_STREAM_CLEAN);
    outcome_free(&got);
    got = salvage_source("", 0, &options);
    outcome_free(&got);
    uint8_t zeros[4096] = {0};
    got = salvage(zeros, sizeof zeros, &options);
    assert_int_equal(got.report.end, FLS_STREAM_ZERO_TAIL);
    assert_int_equal(got.lost[0].loss, FLS_LOSS_ZERO_TAIL);
    outcome_free(&got);
}

/* ---- one flipped bit ---- */

static void a_flip_costs_at_most_the_frame_that_it_hit(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_salvage_options options = with(format.checksum);
        prng random = prng_seeded(c + 7);
        byte_buffer stream = BYTES_INIT;
        if (format.checksum ==
            FLS_CHECKSUM_NONE) { /* numbers in payloads can be taken for frames */
            for (size_t i = 0; i < 12; i++) {
                frames_append_random(&stream, &format, &random, 30 + 7 * i);
            }
        } else {
            frames_append_flatbuffers(&stream, &format, &random, 6, 60);
        }
        ref_stream truth = ref_decode(&format, stream.data, stream.size);
        size_t worst = 0;
        size_t invented = 0;
        size_t costly = 0;
        for (size_t bit = 0; bit < 8 * stream.size; bit++) {
            stream.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            outcome got = salvage(stream.data, stream.size, &options);
            stream.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            judgement found = judge(&got, stream.data, &truth);
            size_t hit = 0;
            while (hit + 1 < truth.count && truth.messages[hit + 1].offset <= bit / 8) {
                hit++;
            }
            size_t into = bit / 8 - truth.messages[hit].offset;
            size_t lost = truth.count - found.back;
            if (format.checksum == FLS_CHECKSUM_NONE && into >= 4) {
                found.invented = 0; /* nothing says that it is another message */
                lost = 0;
                assert_int_equal(got.count, truth.count);
            }
            costly += lost > 1 || found.invented > 0;
            worst = lost > worst ? lost : worst;
            invented += found.invented;
            if (format.checksum == FLS_CHECKSUM_XXH3 && into < 12) {
                assert_int_equal(lost, 0);
                assert_int_equal(got.lost_count, 0);
                assert_int_equal(got.messages[hit].repair,
                                 into < 4 ? FLS_REPAIR_LENGTH : FLS_REPAIR_CHECKSUM);
            }
            outcome_free(&got);
        }
        if (format.checksum == FLS_CHECKSUM_NONE) { /* where a length leads is all the proof */
            assert_true(costly <= 32 * truth.count / 8);
        } else {
            assert_true(worst <= 1);
            assert_int_equal(invented, 0);
        }
        ref_free(&truth);
        bytes_free(&stream);
    }
}

static void truncation_costs_the_frame_that_it_cut(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_salvage_options options = with(format.checksum);
        fls_recover_options recovering = FLS_RECOVER_OPTIONS_INIT;
        recovering.checksum = format.checksum;
        prng random = prng_seeded(c + 70);
        byte_buffer stream = BYTES_INIT;
        frames_append_flatbuffers(&stream, &format, &random, 10, 60);
        for (size_t size = 0; size <= stream.size; size++) {
            fls_recover_report report = FLS_RECOVER_REPORT_INIT;
            assert_int_equal(fls_recover_memory(stream.data, size, &recovering, &report, NULL),
                             FLS_OK);
            outcome got = salvage(stream.data, size, &options);
            if (got.count != report.frames || got.report.end != report.end) {
                print_message("%s, %zu bytes: %zu messages, %s; recovery: %llu, %s\n",
                              fls_checksum_name(format.checksum), size, got.count,
                              fls_stream_end_name(got.report.end),
                              (unsigned long long)report.frames, fls_stream_end_name(report.end));
            }
            assert_int_equal(got.count, report.frames);
            assert_int_equal(got.report.end, report.end);
            assert_int_equal(got.lost_count, report.end != FLS_STREAM_CLEAN);
            outcome_free(&got);
        }
        bytes_free(&stream);
    }
}

/* ---- every kind of damage ---- */

static void damage_invents_nothing(void **state)
{
    (void)state;
    for (size_t c = 1; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_salvage_options options = with(format.checksum);
        for (unsigned kind = 0; kind <= DAMAGE_TRUNCATE; kind++) {
            size_t invented = 0;
            size_t lost = 0;
            for (uint64_t seed = 0; seed < 30; seed++) {
                prng random = prng_seeded(1000 * kind + seed);
                byte_buffer stream = BYTES_INIT;
                frames_append_flatbuffers(&stream, &format, &random, 400, 200);
                ref_stream truth = ref_decode(&format, stream.data, stream.size);
                damaged bad = damage_start(stream.data, stream.size);
                unsigned times = 1 + (unsigned)prng_below(&random, 3);
                for (unsigned i = 0; i < times; i++) {
                    damage_apply(&bad, kind, 512, &random);
                }
                outcome got = salvage(bad.data, bad.size, &options);
                outcome other = salvage_source(bad.data, bad.size, &options);
                expect_same(&got, &other);
                judgement found = judge(&got, stream.data, &truth);
                size_t intact = 0;
                for (size_t i = 0; i < truth.count; i++) {
                    size_t at;
                    intact +=
                        (size_t)damage_survives(&bad, truth.messages[i].offset,
                                                truth.messages[i].payload + truth.messages[i].size -
                                                    truth.messages[i].offset,
                                                &at);
                }
                invented += found.invented;
                lost += intact > found.back ? intact - found.back : 0;
                outcome_free(&got);
                outcome_free(&other);
                damage_free(&bad);
                ref_free(&truth);
                bytes_free(&stream);
            }
            if (kind == DAMAGE_FLIP || kind == DAMAGE_TRUNCATE) {
                assert_int_equal(lost, 0);
            }
            /* The CRC of zeros is zero: a page of them makes messages of them under crc16. */
            assert_true(invented == 0 || (c == 1 && kind == DAMAGE_ZERO_PAGE));
        }
    }
}

/* ---- a stream within a message ---- */

/* Sound messages; one whose payload is a stream between other bytes; sound messages. */
static void embed(byte_buffer *stream, const ref_format *format, size_t *outer, size_t *next)
{
    prng random = prng_seeded(5);
    byte_buffer inner = BYTES_INIT;
    uint8_t noise[64];
    prng_fill(&random, noise, sizeof noise);
    bytes_append(&inner, noise, sizeof noise);
    frames_append_flatbuffers(&inner, format, &random, 20, 100);
    bytes_append(&inner, noise, sizeof noise);
    frames_append_flatbuffers(stream, format, &random, 20, 100);
    *outer = stream->size;
    frames_append(stream, format, inner.data, inner.size);
    *next = stream->size;
    frames_append_flatbuffers(stream, format, &random, 20, 100);
    bytes_free(&inner);
}

static void a_stream_within_a_message_stays_there(void **state)
{
    (void)state;
    for (size_t c = 1; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_salvage_options options = with(format.checksum);
        byte_buffer stream = BYTES_INIT;
        size_t outer;
        size_t next;
        embed(&stream, &format, &outer, &next);
        ref_stream truth = ref_decode(&format, stream.data, stream.size);
        assert_int_equal(truth.count, 41);
        /* All of its length is wrong, and its checksum. */
        memset(stream.data + outer, 0x5A, 4 + ref_width(&format));
        outcome got = salvage(stream.data, stream.size, &options);
        /* The message in which it was is lost, and those behind it are back. */
        assert_int_equal(got.count, 40);
        assert_int_equal(judge(&got, stream.data, &truth).invented, 0);
        assert_int_equal(got.unanchored_count, 1);
        assert_int_equal(got.unanchored[0].frames, 20);
        assert_int_equal(got.report.unanchored_frames, 20);
        assert_int_equal(got.report.unanchored_bytes,
                         got.unanchored[0].to - got.unanchored[0].from);
        assert_int_equal(got.report.lost_bytes, next - outer);
        outcome_free(&got);
        options.keep_unanchored = 1;
        got = salvage(stream.data, stream.size, &options);
        assert_int_equal(got.count, 60);
        assert_int_equal(got.messages[20].unanchored, 1);
        assert_int_equal(got.messages[40].unanchored, 0);
        outcome_free(&got);
        ref_free(&truth);
        bytes_free(&stream);
    }
}

/* Only the length is lost: the checksum tells where the message ends that holds a stream, also if
 * that stream goes to its last byte. */
static void a_checksum_holds_a_stream_together(void **state)
{
    (void)state;
    for (size_t c = 2; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_salvage_options options = with(format.checksum);
        for (size_t noise = 0; noise <= 40; noise += 20) {
            prng random = prng_seeded(noise);
            byte_buffer inner = BYTES_INIT;
            byte_buffer stream = BYTES_INIT;
            uint8_t bytes[40];
            prng_fill(&random, bytes, sizeof bytes);
            bytes_append(&inner, bytes, noise / 2);
            frames_append_flatbuffers(&inner, &format, &random, 20, 100);
            bytes_append(&inner, bytes, noise);
            frames_append_flatbuffers(&stream, &format, &random, 5, 100);
            size_t outer = stream.size;
            frames_append(&stream, &format, inner.data, inner.size);
            frames_append_flatbuffers(&stream, &format, &random, 20, 100);
            ref_stream truth = ref_decode(&format, stream.data, stream.size);
            memset(stream.data + outer, 0x5A, 4);
            outcome got = salvage(stream.data, stream.size, &options);
            if (noise > 0 || format.checksum == FLS_CHECKSUM_XXH3) {
                assert_int_equal(got.count, 26);
                assert_int_equal(got.messages[5].repair, FLS_REPAIR_LENGTH);
                assert_int_equal(got.lost_count + got.unanchored_count, 0);
                assert_int_equal(judge(&got, stream.data, &truth).invented, 0);
            }
            outcome_free(&got);
            ref_free(&truth);
            bytes_free(&inner);
            bytes_free(&stream);
        }
    }
}

/* Two faults with the length of many messages between them: what is between is not a payload. */
static void damage_in_two_places_costs_two_messages(void **state)
{
    (void)state;
    for (size_t c = 1; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_salvage_options options = with(format.checksum);
        prng random = prng_seeded(c);
        byte_buffer stream = BYTES_INIT;
        frames_append_flatbuffers(&stream, &format, &random, 200, 100);
        ref_stream truth = ref_decode(&format, stream.data, stream.size);
        for (size_t hit = 30; hit <= 130; hit += 100) {
            memset(stream.data + truth.messages[hit].offset, 0x5A, 4 + ref_width(&format));
        }
        outcome got = salvage(stream.data, stream.size, &options);
        assert_int_equal(got.count, 198);
        assert_int_equal(got.lost_count, 2);
        outcome_free(&got);
        ref_free(&truth);
        bytes_free(&stream);
    }
}

static void an_anchor_ends_the_doubt(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    fls_salvage_options options = with(format.checksum);
    byte_buffer stream = BYTES_INIT;
    size_t outer;
    size_t next;
    embed(&stream, &format, &outer, &next);
    memset(stream.data + outer, 0x5A, 12);
    ref_stream inner = ref_decode(&format, stream.data + outer + 12 + 64, next - outer - 12 - 64);
    uint64_t anchors[2] = {3, outer + 12 + 64 + inner.messages[7].offset};
    options.anchors.offsets = anchors;
    options.anchors.count = 2;
    outcome got = salvage(stream.data, stream.size, &options);
    assert_int_equal(got.count, 60); /* the index knows that these are messages */
    assert_int_equal(got.unanchored_count, 0);
    outcome_free(&got);
    anchors[0] = 5;
    anchors[1] = 4;
    fls_salvager *salvager;
    assert_int_equal(fls_salvage_open_memory(&salvager, stream.data, stream.size, &options, NULL),
                     FLS_INVALID_ARGUMENT);
    ref_free(&inner);
    bytes_free(&stream);
}

/* A length of which nothing is left: the checksum says where the frame that was found belongs. */
static void a_lost_length_is_found_by_the_checksum(void **state)
{
    (void)state;
    for (size_t c = 2; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_salvage_options options = with(format.checksum);
        prng random = prng_seeded(3);
        byte_buffer stream = BYTES_INIT;
        frames_append_flatbuffers(&stream, &format, &random, 30, 100);
        ref_stream truth = ref_decode(&format, stream.data, stream.size);
        memcpy(stream.data + truth.messages[7].offset, "\xFF\x13\x37\x42", 4);
        outcome got = salvage(stream.data, stream.size, &options);
        assert_int_equal(got.count, 30);
        assert_int_equal(got.lost_count, 0);
        assert_int_equal(got.messages[7].repair, FLS_REPAIR_LENGTH);
        assert_int_equal(judge(&got, stream.data, &truth).back, 30);
        outcome_free(&got);
        ref_free(&truth);
        bytes_free(&stream);
    }
}

/* ---- zeros ---- */

static void a_lost_page_is_not_empty_messages(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS - 1; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_salvage_options options = with(format.checksum);
        prng random = prng_seeded(c);
        byte_buffer stream = BYTES_INIT;
        uint32_t unit = 4 + ref_width(&format);
        /* Frames of 64 bytes: a page holds them exactly, and zeros of a page are empty frames. */
        for (unsigned i = 0; i < 40; i++) {
            frames_append_random(&stream, &format, &random, 64 - unit);
        }
        bytes_append_zeros(&stream, 48 * unit * 4 * 64);
        size_t behind = stream.size;
        for (unsigned i = 0; i < 40; i++) {
            frames_append_random(&stream, &format, &random, 64 - unit);
        }
        outcome got = salvage(stream.data, stream.size, &options);
        /* Without a checksum the last frame before them is not proven by what follows. */
        size_t before = c == 0 ? 39 : 40;
        assert_int_equal(got.count, before + 40);
        assert_int_equal(got.lost_count, 1);
        assert_int_equal(got.lost[0].from, before * 64);
        assert_int_equal(got.lost[0].to, behind);
        outcome_free(&got);
        options.believe_zeros = 1; /* what a reader says of them */
        got = salvage(stream.data, stream.size, &options);
        assert_int_equal(got.count, 80 + 48 * 4 * 64);
        assert_int_equal(got.lost_count, 0);
        outcome_free(&got);
        bytes_free(&stream);
    }
}

/* Empty messages with which a stream begins are messages where a reader finds no fault in all of
 * it; and not where it finds one. */
static void a_whole_stream_begins_with_empty_messages(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        for (size_t empties = 1; empties < 40; empties += 1 + empties / 4) {
            ref_format format = {frames_checksums[c], NULL, 0};
            fls_salvage_options options = with(format.checksum);
            prng random = prng_seeded(c);
            byte_buffer stream = BYTES_INIT;
            for (size_t i = 0; i < empties; i++) {
                frames_append(&stream, &format, "", 0);
            }
            frames_append_flatbuffers(&stream, &format, &random, 20, 100);
            frames_append(&stream, &format, "", 0);
            for (size_t i = 0; i < 20; i++) {
                frames_append_random(&stream, &format, &random, 8 + 9 * i);
            }
            outcome got = salvage(stream.data, stream.size, &options);
            outcome other = salvage_source(stream.data, stream.size, &options);
            assert_int_equal(got.lost_count, 0);
            assert_int_equal(got.count, empties + 41);
            expect_same(&got, &other);
            outcome_free(&other);
            outcome_free(&got);
            if (c > 0) {
                stream.data[stream.size - 5] ^= 1;
                got = salvage(stream.data, stream.size, &options);
                assert_int_equal(got.lost_count, c == 3 ? 1 : 3);
                outcome_free(&got);
            }
            bytes_free(&stream);
        }
    }
}

/* ---- which checksum ---- */

static void the_checksum_is_found_behind_a_damaged_beginning(void **state)
{
    (void)state;
    for (size_t c = 1; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_salvage_options options = with(FLS_CHECKSUM_DETECT);
        prng random = prng_seeded(c);
        byte_buffer stream = BYTES_INIT;
        uint8_t noise[3000];
        prng_fill(&random, noise, sizeof noise);
        bytes_append(&stream, noise, sizeof noise);
        frames_append_flatbuffers(&stream, &format, &random, 100, 100);
        outcome got = salvage(stream.data, stream.size, &options);
        assert_int_equal(got.report.checksum, format.checksum);
        assert_int_equal(got.count, 100);
        assert_int_equal(got.report.lost_bytes, sizeof noise);
        outcome_free(&got);
        bytes_free(&stream);
    }
    uint8_t noise[3000];
    prng random = prng_seeded(1);
    prng_fill(&random, noise, sizeof noise);
    fls_salvage_options options = with(FLS_CHECKSUM_DETECT);
    fls_salvager *salvager;
    fls_salvage_event event;
    assert_int_equal(fls_salvage_open_memory(&salvager, noise, sizeof noise, &options, NULL),
                     FLS_OK);
    assert_int_equal(fls_salvage_next(salvager, &event, NULL), FLS_CHECKSUM_UNPROVEN);
    fls_salvage_close(salvager);
}

/* ---- places to begin at ---- */

static void the_next_proven_frame_is_found(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_salvage_options options = with(format.checksum);
        prng random = prng_seeded(c);
        byte_buffer stream = BYTES_INIT;
        for (unsigned i = 0; i < 60; i++) {
            frames_append_random(&stream, &format, &random, 1 + prng_below(&random, 900));
        }
        ref_stream truth = ref_decode(&format, stream.data, stream.size);
        fls_source source;
        assert_int_equal(fls_source_from_memory(&source, stream.data, stream.size, NULL), FLS_OK);
        for (size_t i = 0; i + 25 < truth.count; i++) {
            uint64_t offset = 0;
            fls_error err = FLS_ERROR_INIT;
            uint64_t from = truth.messages[i].offset + 1;
            assert_status(fls_salvage_find(&source, from, stream.size, &options, &offset, &err),
                          FLS_OK, &err);
            assert_int_equal(offset, truth.messages[i + 1].offset);
            assert_status(fls_salvage_find(&source, from, truth.messages[i + 1].offset, &options,
                                           &offset, &err),
                          FLS_END, &err);
        }
        fls_source_close(&source);
        ref_free(&truth);
        bytes_free(&stream);
    }
}

/* ---- bytes made to be bad ---- */

static void expect_bounded(const char *what, const byte_buffer *stream,
                           const fls_salvage_options *options)
{
    outcome got = salvage(stream->data, stream->size, options);
    /* Eight bytes for each that is passed, twice where a chain is scouted, and what the purse holds
     * at the start; and once a hash that was begun with little in it. */
    uint64_t most = 17 * (uint64_t)stream->size + ((uint64_t)16 << 20);
    if (got.hashed > most || got.probes > 6 * (uint64_t)stream->size) {
        fail_msg("%s, %s: %zu bytes, %llu hashed, %llu looked at", what,
                 fls_checksum_name(options->checksum), stream->size, (unsigned long long)got.hashed,
                 (unsigned long long)got.probes);
    }
    outcome_free(&got);
}

static void hostile_bytes_take_bounded_work(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_salvage_options options = with(format.checksum);
        prng random = prng_seeded(c);
        byte_buffer stream = BYTES_INIT;
        /* Every fourth offset has a length that leads to another. */
        for (unsigned i = 0; i < 1000000; i++) {
            bytes_append_le(&stream, 1 + 4 * prng_below(&random, 200000), 4);
        }
        expect_bounded("lengths everywhere", &stream, &options);
        bytes_clear(&stream);
        /* Small frames that hold, each behind a claim of half of the stream. */
        for (unsigned i = 0; i < 60000; i++) {
            bytes_append_le(&stream, 2000000 + prng_below(&random, 1000), 4);
            bytes_append_le(&stream, prng_next(&random), ref_width(&format));
            frames_append_random(&stream, &format, &random, 20);
        }
        expect_bounded("huge claims", &stream, &options);
        bytes_clear(&stream);
        /* Frames of which each has a bit of its length flipped. */
        for (unsigned i = 0; i < 60000; i++) {
            size_t at = stream.size;
            frames_append_random(&stream, &format, &random, 30);
            stream.data[at + 2] ^= (uint8_t)(1u << (i % 5));
        }
        expect_bounded("flipped lengths", &stream, &options);
        bytes_clear(&stream);
        /* All offsets have a length that could be one, under a limit that allows it. */
        for (unsigned i = 0; i < 2000000; i++) {
            bytes_append_le(&stream, prng_below(&random, 2), 1);
        }
        options.search_frame_bytes = 0x7FFFFFFF;
        expect_bounded("large limits", &stream, &options);
        bytes_free(&stream);
    }
}

/* ---- what fails ---- */

static void fill_damaged(byte_buffer *stream, const ref_format *format)
{
    prng random = prng_seeded(11);
    frames_append_flatbuffers(stream, format, &random, 300, 300);
    frames_append_random(stream, format, &random, 700000);
    frames_append_flatbuffers(stream, format, &random, 300, 300);
    damaged bad = damage_start(stream->data, stream->size);
    for (unsigned i = 0; i < 6; i++) {
        damage_apply(&bad, i % DAMAGE_SWAP_PAGES, 512, &random);
    }
    bytes_clear(stream);
    bytes_append(stream, bad.data, bad.size);
    damage_free(&bad);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_CRC32, NULL, 0};
    fls_salvage_options options = with(FLS_CHECKSUM_DETECT);
    byte_buffer stream = BYTES_INIT;
    fill_damaged(&stream, &format);
    for (uint64_t call = 0;; call++) {
        counting_allocator allocator;
        counting_allocator_init(&allocator);
        allocator.fail_from = call;
        allocator.fail_calls = 1;
        options.allocator = &allocator.table;
        faulty_plan plan = FAULTY_PLAN_INIT;
        faulty_source storage;
        fls_source source = faulty_source_init(&storage, &plan, stream.data, stream.size, 1);
        fls_salvager *salvager;
        outcome self = {0};
        fls_error err = FLS_ERROR_INIT;
        fls_status status = fls_salvage_open(&salvager, &source, &options, &err);
        if (status == FLS_OK) {
            status = drain(salvager, stream.size, &self, &err);
            fls_salvage_close(salvager);
        }
        outcome_free(&self);
        assert_int_equal(allocator.live_blocks, 0);
        if (allocator.failures == 0) {
            assert_int_equal(status, FLS_END);
            assert_true(call > 4);
            break;
        }
        assert_status(status, FLS_NO_MEMORY, &err);
    }
    bytes_free(&stream);
}

static void a_source_may_fail_at_any_read(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    fls_salvage_options options = with(FLS_CHECKSUM_DETECT);
    byte_buffer stream = BYTES_INIT;
    fill_damaged(&stream, &format);
    for (uint64_t call = 0;; call += 1 + call / 20) {
        faulty_plan plan = FAULTY_PLAN_INIT;
        plan.fail_call = call;
        plan.fail_status = FLS_IO;
        faulty_source storage;
        fls_source source = faulty_source_init(&storage, &plan, stream.data, stream.size, 1);
        fls_salvager *salvager;
        outcome self = {0};
        fls_error err = FLS_ERROR_INIT;
        assert_status(fls_salvage_open(&salvager, &source, &options, &err), FLS_OK, &err);
        fls_status status = drain(salvager, stream.size, &self, &err);
        fls_salvage_close(salvager);
        outcome_free(&self);
        if (storage.calls <= call) {
            assert_int_equal(status, FLS_END);
            break;
        }
        assert_status(status, FLS_IO, &err);
    }
    bytes_free(&stream);
}

static void a_pipe_cannot_be_salvaged(void **state)
{
    (void)state;
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.without_random = 1;
    faulty_source storage;
    fls_source source = faulty_source_init(&storage, &plan, "", 0, 1);
    fls_salvager *salvager;
    assert_int_equal(fls_salvage_open(&salvager, &source, NULL, NULL), FLS_UNSUPPORTED);
    assert_null(salvager);
    fls_salvage_close(NULL);
    assert_string_equal(fls_salvage_loss_name(FLS_LOSS_PAYLOAD), "payload");
    assert_string_equal(fls_salvage_loss_name(FLS_LOSS_FRAMING), "framing");
    assert_string_equal(fls_salvage_loss_name(FLS_LOSS_TORN_TAIL), "torn_tail");
    assert_string_equal(fls_salvage_loss_name(FLS_LOSS_ZERO_TAIL), "zero_tail");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_streams_come_back_as_readers_have_them),
        cmocka_unit_test(nothing_is_a_sound_stream),
        cmocka_unit_test(a_flip_costs_at_most_the_frame_that_it_hit),
        cmocka_unit_test(truncation_costs_the_frame_that_it_cut),
        cmocka_unit_test(damage_invents_nothing),
        cmocka_unit_test(a_stream_within_a_message_stays_there),
        cmocka_unit_test(a_checksum_holds_a_stream_together),
        cmocka_unit_test(damage_in_two_places_costs_two_messages),
        cmocka_unit_test(an_anchor_ends_the_doubt),
        cmocka_unit_test(a_lost_length_is_found_by_the_checksum),
        cmocka_unit_test(a_lost_page_is_not_empty_messages),
        cmocka_unit_test(a_whole_stream_begins_with_empty_messages),
        cmocka_unit_test(the_checksum_is_found_behind_a_damaged_beginning),
        cmocka_unit_test(the_next_proven_frame_is_found),
        cmocka_unit_test(hostile_bytes_take_bounded_work),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(a_source_may_fail_at_any_read),
        cmocka_unit_test(a_pipe_cannot_be_salvaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
