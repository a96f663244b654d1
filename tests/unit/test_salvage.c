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
            if (lost > worst || found.invented > 0) {
                print_message("%s: bit %zu (frame %zu, byte %zu of it): %zu lost, %zu invented\n",
                              fls_checksum_name(format.checksum), bit, hit, into, lost,
                              found.invented);
            }
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
        assert_true(worst <= 1);
        assert_int_equal(invented, 0);
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
        for (unsigned kind = 0; kind < DAMAGE_KINDS; kind++) {
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
            print_message("%s, %s: %zu invented, %zu intact ones lost\n",
                          fls_checksum_name(format.checksum), damage_name(kind), invented, lost);
            /* The CRC of zeros is zero: a page of them makes messages of them under crc16. */
            assert_true(invented == 0 || (c == 1 && kind == DAMAGE_ZERO_PAGE));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_streams_come_back_as_readers_have_them),
        cmocka_unit_test(nothing_is_a_sound_stream),
        cmocka_unit_test(a_flip_costs_at_most_the_frame_that_it_hit),
        cmocka_unit_test(truncation_costs_the_frame_that_it_cut),
        cmocka_unit_test(damage_invents_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
