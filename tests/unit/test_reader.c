/* The reader's promises, beyond what tests/property holds against the reference: alignment, what is
 * borrowed until when, validators and observers, memory and its policies, hostile lengths,
 * detection, and errors of the source. */
#include "flatstream/reader.h"

#include "support/counting_allocator.h"
#include "support/faulty_io.h"
#include "support/testing.h"

static fls_reader_options with(fls_checksum checksum)
{
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    options.checksum = checksum;
    return options;
}

static fls_reader *open_on(fls_source source, const fls_reader_options *options)
{
    fls_reader *reader = NULL;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_reader_open(&reader, source, options, &err), FLS_OK, &err);
    return reader;
}

static fls_source pieces_of(faulty_source *storage, const byte_buffer *stream, size_t max_piece)
{
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.max_piece = max_piece;
    return faulty_source_init(storage, &plan, stream->data, stream->size, 11);
}

/* Payloads of sizes 0, 1, 2 ... each filled with its size. */
static void numbered_frames(byte_buffer *stream, fls_checksum checksum, size_t count)
{
    ref_format format = {checksum, NULL, 0};
    uint8_t payload[1000];
    for (size_t size = 0; size < count; size++) {
        memset(payload, (int)(size & 255), sizeof payload);
        frames_append(stream, &format, payload, size);
    }
}

static void expect_numbered(const fls_message *message, uint64_t ordinal, uint32_t alignment)
{
    const uint8_t *payload = message->payload;
    assert_int_equal(message->ordinal, ordinal);
    assert_int_equal(message->size, ordinal);
    assert_non_null(payload);
    assert_int_equal((uintptr_t)payload & (alignment - 1), 0);
    for (size_t i = 0; i < message->size; i++) {
        assert_int_equal(payload[i], ordinal & 255);
    }
}

/* Every alignment, from memory and from a source in pieces, one by one and in batches: all messages
 * of a batch are valid together. */
static void check_alignment(const byte_buffer *stream, const fls_reader_options *options,
                            int in_memory, size_t capacity)
{
    fls_message messages[50];
    faulty_source storage;
    fls_source source = pieces_of(&storage, stream, 100);
    fls_error err = FLS_ERROR_INIT;
    if (in_memory) {
        assert_status(fls_source_from_memory(&source, stream->data, stream->size, &err), FLS_OK,
                      &err);
    }
    fls_reader *reader = open_on(source, options);
    uint64_t ordinal = 0;
    size_t count;
    fls_status status;
    while ((status = fls_reader_next_batch(reader, messages, capacity, &count, &err)) == FLS_OK) {
        for (size_t i = 0; i < count; i++) {
            expect_numbered(&messages[i], ordinal++, options->alignment);
        }
    }
    assert_status(status, FLS_END, &err);
    assert_int_equal(ordinal, 300);
    fls_reader_close(reader);
}

static void payloads_are_aligned_on_request(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        byte_buffer stream = BYTES_INIT;
        numbered_frames(&stream, frames_checksums[c], 300);
        for (uint32_t alignment = 1; alignment <= 64; alignment *= 2) {
            fls_reader_options options = with(frames_checksums[c]);
            options.alignment = alignment;
            options.buffer_bytes = 128;
            check_alignment(&stream, &options, 0, 1);
            check_alignment(&stream, &options, 0, 50);
            check_alignment(&stream, &options, 1, 1);
            check_alignment(&stream, &options, 1, 50);
        }
        bytes_free(&stream);
    }
}

/* A large payload does not share a batch with what its copy would overwrite. */
static void large_payloads_are_aligned_too(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_CRC16, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    prng random = prng_seeded(2);
    for (size_t i = 0; i < 40; i++) {
        frames_append_random(&stream, &format, &random, (size_t)prng_below(&random, 90000) | 1);
    }
    ref_stream expected = ref_decode(&format, stream.data, stream.size);
    fls_reader_options options = with(FLS_CHECKSUM_CRC16);
    options.alignment = 64;
    fls_error err = FLS_ERROR_INIT;
    fls_source source;
    assert_status(fls_source_from_memory(&source, stream.data, stream.size, &err), FLS_OK, &err);
    fls_reader *reader = open_on(source, &options);
    fls_message messages[16];
    size_t seen = 0;
    size_t count;
    while (fls_reader_next_batch(reader, messages, 16, &count, &err) == FLS_OK) {
        for (size_t i = 0; i < count; i++, seen++) {
            assert_int_equal((uintptr_t)messages[i].payload % 64, 0);
            assert_int_equal(messages[i].size, expected.messages[seen].size);
            assert_memory_equal(messages[i].payload, stream.data + expected.messages[seen].payload,
                                messages[i].size);
        }
    }
    assert_int_equal(seen, expected.count);
    fls_reader_close(reader);
    ref_free(&expected);
    bytes_free(&stream);
}

static void bad_options_are_refused_and_close_the_source(void **state)
{
    (void)state;
    fls_reader_options cases[5] = {with(FLS_CHECKSUM_CUSTOM), with((fls_checksum)99),
                                   with(FLS_CHECKSUM_XXH3), with(FLS_CHECKSUM_XXH3),
                                   with(FLS_CHECKSUM_XXH3)};
    fls_memory_policy policy = {.kind = FLS_MEMORY_CUSTOM};
    cases[2].alignment = 3;
    cases[3].alignment = 128;
    cases[4].memory_policy = &policy;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        byte_buffer empty = BYTES_INIT;
        faulty_source storage;
        fls_reader *reader = (fls_reader *)&storage;
        fls_error err = FLS_ERROR_INIT;
        fls_source source = pieces_of(&storage, &empty, 1);
        assert_status(fls_reader_open(&reader, source, &cases[i], &err), FLS_INVALID_ARGUMENT,
                      &err);
        assert_null(reader);
        assert_int_equal(storage.closed, 1);
    }
    fls_reader_close(NULL);
}

typedef struct watcher {
    const char *name;
    size_t refuse_size;
    uint32_t alignment;
    int misaligned;
    size_t seen;
    uint64_t last_ordinal;
} watcher;

static fls_status watch_check(void *self_pointer, const void *payload, size_t size, fls_error *err)
{
    watcher *self = self_pointer;
    self->misaligned |= ((uintptr_t)payload & (self->alignment - 1)) != 0;
    if (size == self->refuse_size) {
        return fls_error_set(err, FLS_VALIDATION_FAILED, 0, "not this size");
    }
    return FLS_OK;
}

static void watch_seen(void *self_pointer, const void *payload, size_t size, uint64_t ordinal)
{
    watcher *self = self_pointer;
    fls_message message = {.payload = payload, .size = size, .ordinal = ordinal};
    assert_true(self->seen == 0 || ordinal > self->last_ordinal);
    assert_int_not_equal(ordinal, self->refuse_size);
    expect_numbered(&message, ordinal, 1);
    self->last_ordinal = ordinal;
    self->seen++;
}

static void expect_refusal(fls_reader *reader, uint64_t ordinal)
{
    fls_message message;
    for (int i = 0; i < 2; i++) {
        fls_error err = FLS_ERROR_INIT;
        assert_status(fls_reader_next(reader, &message, &err), FLS_VALIDATION_FAILED, &err);
        assert_string_equal(err.name, "second");
        assert_string_equal(err.text, "not this size");
        assert_int_equal(err.ordinal, ordinal);
        assert_int_equal(err.offset, fls_reader_offset(reader));
    }
}

static void validators_and_observers(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        for (size_t batch = 1; batch <= 50; batch += 49) {
            byte_buffer stream = BYTES_INIT;
            numbered_frames(&stream, frames_checksums[c], 200);
            watcher watchers[2] = {{.name = "first", .refuse_size = SIZE_MAX, .alignment = 8},
                                   {.name = "second", .refuse_size = 70, .alignment = 32}};
            fls_validator validators[2] = {{"first", watch_check, &watchers[0], 8, 0},
                                           {"second", watch_check, &watchers[1], 32, 0}};
            watcher observed = {.refuse_size = 70};
            fls_observer observer = {watch_seen, &observed};
            fls_reader_options options = with(frames_checksums[c]);
            options.validators = validators;
            options.validator_count = 2;
            options.observers = &observer;
            options.observer_count = 1;
            options.buffer_bytes = 1000;
            faulty_source storage;
            fls_error err = FLS_ERROR_INIT;
            fls_reader *reader = open_on(pieces_of(&storage, &stream, 300), &options);
            fls_message messages[50];
            uint64_t ordinal = 0;
            size_t count;
            for (;;) {
                fls_status status = fls_reader_next_batch(reader, messages, batch, &count, &err);
                if (status == FLS_VALIDATION_FAILED) {
                    assert_int_equal(ordinal, 70);
                    expect_refusal(reader, 70);
                    assert_status(fls_reader_skip(reader, &err), FLS_OK, &err);
                    ordinal++;
                    continue;
                }
                if (status != FLS_OK) {
                    assert_status(status, FLS_END, &err);
                    break;
                }
                for (size_t i = 0; i < count; i++) {
                    expect_numbered(&messages[i], ordinal++, 32);
                }
            }
            assert_int_equal(ordinal, 200);
            assert_int_equal(observed.seen, 199);
            assert_false(watchers[0].misaligned || watchers[1].misaligned);
            fls_reader_close(reader);
            bytes_free(&stream);
        }
    }
}

static fls_status count_and_stop(void *self, const fls_message *message)
{
    uint64_t *stop_at = self;
    return message->ordinal == *stop_at ? FLS_STOPPED : FLS_OK;
}

/* Observers see a message when the caller does, not before. */
static void each_stops_and_goes_on(void **state)
{
    (void)state;
    byte_buffer stream = BYTES_INIT;
    numbered_frames(&stream, FLS_CHECKSUM_XXH3, 200);
    watcher observed = {.refuse_size = SIZE_MAX};
    fls_observer observer = {watch_seen, &observed};
    fls_reader_options options = with(FLS_CHECKSUM_XXH3);
    options.observers = &observer;
    options.observer_count = 1;
    options.alignment = 16;
    faulty_source storage;
    fls_error err = FLS_ERROR_INIT;
    fls_reader *reader = open_on(pieces_of(&storage, &stream, 0), &options);
    for (uint64_t stop_at = 0; stop_at < 200; stop_at += 7) {
        assert_status(fls_reader_each(reader, count_and_stop, &stop_at, &err), FLS_STOPPED, &err);
        assert_int_equal(fls_reader_ordinal(reader), stop_at + 1);
        assert_int_equal(observed.seen, stop_at + 1);
    }
    uint64_t never = UINT64_MAX;
    assert_status(fls_reader_each(reader, count_and_stop, &never, &err), FLS_OK, &err);
    assert_int_equal(observed.seen, 200);
    fls_reader_close(reader);
    bytes_free(&stream);
}

static void mismatches_can_be_stepped_over(void **state)
{
    (void)state;
    for (size_t c = 1; c < FRAMES_CHECKSUMS; c++) {
        byte_buffer stream = BYTES_INIT;
        numbered_frames(&stream, frames_checksums[c], 100);
        ref_format format = {frames_checksums[c], NULL, 0};
        ref_stream sound = ref_decode(&format, stream.data, stream.size);
        stream.data[sound.messages[60].payload] ^= 4;
        fls_reader_options options = with(frames_checksums[c]);
        faulty_source storage;
        fls_error err = FLS_ERROR_INIT;
        fls_reader *reader = open_on(pieces_of(&storage, &stream, 37), &options);
        fls_message message;
        assert_status(fls_reader_skip(reader, &err), FLS_INVALID_ARGUMENT, &err);
        for (uint64_t i = 0; i < 100; i++) {
            fls_status status = fls_reader_next(reader, &message, &err);
            if (i == 60) {
                assert_status(status, FLS_CHECKSUM_MISMATCH, &err);
                assert_status(fls_reader_skip(reader, &err), FLS_OK, &err);
                assert_status(fls_reader_skip(reader, &err), FLS_INVALID_ARGUMENT, &err);
                continue;
            }
            assert_status(status, FLS_OK, &err);
            expect_numbered(&message, i, 1);
            assert_int_equal(message.offset, sound.messages[i].offset);
        }
        assert_status(fls_reader_next(reader, &message, &err), FLS_END, &err);
        fls_reader_close(reader);
        ref_free(&sound);
        bytes_free(&stream);
    }
}

/* A claim of 2 GiB, or of some ten times what comes: memory follows what arrived. */
static void claims_are_not_believed(void **state)
{
    (void)state;
    static const size_t arrive[] = {0, 10, 1000, 100000, 3000000, 40000, 400000};
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        for (size_t i = 0; i < sizeof arrive / sizeof arrive[0]; i++) {
            uint32_t claim = i < 5 ? 0x80000000u - (uint32_t)i : 12 * (uint32_t)arrive[i];
            ref_format format = {frames_checksums[c], NULL, 0};
            byte_buffer stream = BYTES_INIT;
            prng random = prng_seeded(i);
            frames_append_random(&stream, &format, &random, 50);
            size_t boundary = stream.size;
            bytes_append_le(&stream, claim, 4);
            for (size_t n = 0; n < arrive[i]; n++) {
                bytes_append_le(&stream, n | 1, 1);
            }
            counting_allocator allocator;
            counting_allocator_init(&allocator);
            fls_reader_options options = with(frames_checksums[c]);
            options.allocator = &allocator.table;
            options.buffer_bytes = 16384;
            faulty_source storage;
            fls_error err = FLS_ERROR_INIT;
            fls_reader *reader = open_on(pieces_of(&storage, &stream, 30000), &options);
            size_t at_start = allocator.live_bytes;
            fls_message message;
            assert_status(fls_reader_next(reader, &message, &err), FLS_OK, &err);
            assert_status(fls_reader_next(reader, &message, &err), FLS_UNEXPECTED_EOF, &err);
            assert_int_equal(err.offset, boundary);
            assert_true(fls_reader_buffer_bytes(reader) <= 2 * stream.size + at_start);
            assert_true(allocator.live_bytes <= 2 * stream.size + at_start);
            fls_reader_close(reader);
            assert_int_equal(allocator.live_blocks, 0);
            bytes_free(&stream);
        }
    }
}

typedef struct told {
    size_t times, from, to;
    uint64_t now;
    size_t asked;
} told;

static void tell(void *self_pointer, size_t from_bytes, size_t to_bytes)
{
    told *self = self_pointer;
    self->times++;
    self->from = from_bytes;
    self->to = to_bytes;
}

static uint64_t fake_now(void *self)
{
    return ((told *)self)->now;
}

static int ask(void *self_pointer, size_t last_bytes, size_t capacity, size_t baseline)
{
    told *self = self_pointer;
    self->asked++;
    return capacity > baseline && last_bytes < 100;
}

/* A stream of two runs, each one large message and many small ones. */
static void large_then_small(byte_buffer *stream, size_t large)
{
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    prng random = prng_seeded(1);
    for (int run = 0; run < 2; run++) {
        frames_append_random(stream, &format, &random, large);
        for (int i = 0; i < 20; i++) {
            frames_append_random(stream, &format, &random, 50);
        }
    }
}

/* Reads all of it one by one and returns how many messages after the first large one the buffer was
 * still above what it had at the start. */
static size_t small_ones_before_reclaim(const fls_memory_policy *policy, const byte_buffer *stream,
                                        told *notes, uint64_t step_ns)
{
    fls_reader_options options = with(FLS_CHECKSUM_XXH3);
    options.memory_policy = policy;
    options.buffer_bytes = 16384;
    faulty_source storage;
    fls_error err = FLS_ERROR_INIT;
    fls_reader *reader = open_on(pieces_of(&storage, stream, 5000), &options);
    size_t at_start = fls_reader_buffer_bytes(reader);
    fls_message message;
    fls_status status;
    size_t above = 0;
    while ((status = fls_reader_next(reader, &message, &err)) == FLS_OK) {
        notes->now += step_ns;
        if (message.ordinal > 0 && message.ordinal < 21 &&
            fls_reader_buffer_bytes(reader) > at_start) {
            above++;
        }
    }
    assert_status(status, FLS_END, &err);
    fls_reader_close(reader);
    return above;
}

static void memory_goes_back_by_policy(void **state)
{
    (void)state;
    byte_buffer stream = BYTES_INIT;
    large_then_small(&stream, 3000000);
    told notes = {0};
    fls_clock clock = {fake_now, &notes};
    fls_memory_policy policy = {.clock = &clock, .reclaimed = tell, .self = &notes};
    assert_int_equal(small_ones_before_reclaim(NULL, &stream, &notes, 1), 20);
    assert_int_equal(notes.times, 0);

    policy.kind = FLS_MEMORY_ADAPTIVE_WATERMARK; /* the fifth small message, at the next call */
    assert_in_range(small_ones_before_reclaim(&policy, &stream, &notes, 1), 4, 6);
    assert_int_equal(notes.times, 2);
    assert_true(notes.from >= 3000000 && notes.to < 100000);

    notes = (told){0};
    policy.messages = 12;
    assert_in_range(small_ones_before_reclaim(&policy, &stream, &notes, 1), 11, 13);
    assert_int_equal(notes.times, 2);

    notes = (told){.now = 1};
    policy.messages = 0;
    policy.cooldown_ns = 1000000; /* the second time comes too soon */
    small_ones_before_reclaim(&policy, &stream, &notes, 1);
    assert_int_equal(notes.times, 1);
    notes = (told){.now = 1};
    small_ones_before_reclaim(&policy, &stream, &notes, 1000000);
    assert_int_equal(notes.times, 2);

    notes = (told){0};
    policy.kind = FLS_MEMORY_SIZE_THRESHOLD;
    assert_in_range(small_ones_before_reclaim(&policy, &stream, &notes, 1), 0, 2);
    assert_int_equal(notes.times, 2);
    notes = (told){0};
    policy.threshold_bytes = 100000000; /* never reached */
    assert_int_equal(small_ones_before_reclaim(&policy, &stream, &notes, 1), 20);
    assert_int_equal(notes.times, 0);

    notes = (told){0};
    policy.kind = FLS_MEMORY_CUSTOM;
    policy.reclaim = ask;
    assert_in_range(small_ones_before_reclaim(&policy, &stream, &notes, 1), 0, 2);
    assert_int_equal(notes.times, 2);
    assert_in_range(notes.asked, 2, 8); /* only while it is large */
    bytes_free(&stream);
}

/* The same messages whatever the policy does in between, also in batches and aligned. */
static void reclaiming_loses_nothing(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_CRC32, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    prng random = prng_seeded(5);
    for (int i = 0; i < 300; i++) {
        size_t limit = i % 17 == 0 ? 200000 : 300;
        frames_append_random(&stream, &format, &random, 1 + (size_t)prng_below(&random, limit));
    }
    ref_stream expected = ref_decode(&format, stream.data, stream.size);
    told notes = {0};
    fls_memory_policy policy = {.kind = FLS_MEMORY_CUSTOM, .reclaim = ask, .self = &notes};
    for (size_t batch = 1; batch <= 16; batch++) {
        fls_reader_options options = with(FLS_CHECKSUM_CRC32);
        options.memory_policy = &policy;
        options.buffer_bytes = 1000;
        options.alignment = batch % 2 == 0 ? 8 : 0;
        faulty_source storage;
        fls_error err = FLS_ERROR_INIT;
        fls_reader *reader = open_on(pieces_of(&storage, &stream, 4000), &options);
        fls_message messages[16];
        size_t seen = 0;
        size_t count;
        fls_status status;
        while ((status = fls_reader_next_batch(reader, messages, batch, &count, &err)) == FLS_OK) {
            for (size_t i = 0; i < count; i++, seen++) {
                assert_int_equal(messages[i].size, expected.messages[seen].size);
                assert_memory_equal(messages[i].payload,
                                    stream.data + expected.messages[seen].payload,
                                    messages[i].size);
            }
        }
        assert_status(status, FLS_END, &err);
        assert_int_equal(seen, expected.count);
        fls_reader_close(reader);
    }
    ref_free(&expected);
    bytes_free(&stream);
}

static void places_start_where_told(void **state)
{
    (void)state;
    byte_buffer stream = BYTES_INIT;
    numbered_frames(&stream, FLS_CHECKSUM_CRC16, 10);
    stream.size--;
    fls_reader_options options = with(FLS_CHECKSUM_CRC16);
    options.first_offset = UINT64_C(1) << 40;
    options.first_ordinal = 77;
    faulty_source storage;
    fls_error err = FLS_ERROR_INIT;
    fls_reader *reader = open_on(pieces_of(&storage, &stream, 3), &options);
    fls_message message;
    uint64_t offset = options.first_offset;
    for (uint64_t i = 0; i < 9; i++) {
        assert_status(fls_reader_next(reader, &message, &err), FLS_OK, &err);
        assert_int_equal(message.ordinal, 77 + i);
        assert_int_equal(message.offset, offset);
        offset += 6 + i;
    }
    assert_status(fls_reader_next(reader, &message, &err), FLS_UNEXPECTED_EOF, &err);
    assert_int_equal(err.ordinal, 86);
    assert_int_equal(err.offset, offset);
    assert_int_equal(fls_reader_ordinal(reader), 86);
    assert_int_equal(fls_reader_offset(reader), offset);
    fls_reader_close(reader);
    bytes_free(&stream);
}

static void the_checksum_can_be_detected(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        prng random = prng_seeded(c);
        frames_append_flatbuffers(&stream, &format, &random, 40, 100);
        for (size_t piece = 1; piece < 5000; piece = 5 * piece + 1) {
            fls_reader_options options = with(FLS_CHECKSUM_DETECT);
            faulty_source storage;
            fls_error err = FLS_ERROR_INIT;
            fls_reader *reader = open_on(pieces_of(&storage, &stream, piece), &options);
            assert_int_equal(fls_reader_checksum(reader), FLS_CHECKSUM_DETECT);
            fls_message message;
            uint64_t count = 0;
            fls_status status;
            while ((status = fls_reader_next(reader, &message, &err)) == FLS_OK) {
                assert_int_equal(fls_reader_checksum(reader), frames_checksums[c]);
                assert_int_equal(message.ordinal, count++);
            }
            assert_status(status, FLS_END, &err);
            assert_int_equal(count, 40);
            fls_reader_close(reader);
        }
        bytes_free(&stream);
    }
}

/* An error of the source comes after all messages that arrived before it, and stays. */
static void errors_of_the_source_stay(void **state)
{
    (void)state;
    byte_buffer stream = BYTES_INIT;
    numbered_frames(&stream, FLS_CHECKSUM_XXH3, 30);
    for (uint64_t call = 0; call < 12; call++) {
        faulty_plan plan = FAULTY_PLAN_INIT;
        plan.fail_call = call;
        plan.fail_status = FLS_IO;
        plan.fail_errno = 5;
        plan.max_piece = 100;
        faulty_source storage;
        fls_source source = faulty_source_init(&storage, &plan, stream.data, stream.size, call);
        fls_reader *reader = open_on(source, NULL);
        fls_message message;
        fls_error err = FLS_ERROR_INIT;
        uint64_t count = 0;
        fls_status status;
        while ((status = fls_reader_next(reader, &message, &err)) == FLS_OK) {
            expect_numbered(&message, count++, 1);
        }
        if (status != FLS_END) {
            assert_status(status, FLS_IO, &err);
            assert_int_equal(err.system_errno, 5);
            uint64_t calls = storage.calls;
            assert_status(fls_reader_next(reader, &message, &err), FLS_IO, &err);
            assert_int_equal(err.system_errno, 5);
            assert_int_equal(storage.calls, calls);
        }
        fls_reader_close(reader);
        assert_int_equal(storage.closed, 1);
    }
    bytes_free(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads_are_aligned_on_request),
        cmocka_unit_test(large_payloads_are_aligned_too),
        cmocka_unit_test(bad_options_are_refused_and_close_the_source),
        cmocka_unit_test(validators_and_observers),
        cmocka_unit_test(each_stops_and_goes_on),
        cmocka_unit_test(mismatches_can_be_stepped_over),
        cmocka_unit_test(claims_are_not_believed),
        cmocka_unit_test(memory_goes_back_by_policy),
        cmocka_unit_test(reclaiming_loses_nothing),
        cmocka_unit_test(places_start_where_told),
        cmocka_unit_test(the_checksum_can_be_detected),
        cmocka_unit_test(errors_of_the_source_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
