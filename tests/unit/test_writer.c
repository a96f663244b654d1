/* The writer's promises: what is refused leaves no trace, what the sink failed sticks, validators
 * and observers see what they should, and every way of writing makes the same bytes. */
#include "flatstream/writer.h"

#include "support/counting_allocator.h"
#include "support/faulty_io.h"
#include "support/testing.h"

static fls_writer_options with(fls_checksum checksum)
{
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = checksum;
    return options;
}

static fls_writer *open_on(fls_sink sink, const fls_writer_options *options)
{
    fls_writer *writer = NULL;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_writer_open(&writer, sink, options, &err), FLS_OK, &err);
    return writer;
}

static void expect_bytes(const byte_buffer *wanted, const byte_buffer *got)
{
    assert_int_equal(got->size, wanted->size);
    assert_memory_equal(got->data, wanted->data, wanted->size);
}

static void nothing_written_is_an_empty_stream(void **state)
{
    (void)state;
    faulty_sink storage;
    fls_error err = FLS_ERROR_INIT;
    fls_writer *writer = open_on(faulty_sink_init(&storage, NULL, 1), NULL);
    assert_int_equal(fls_writer_messages(writer), 0);
    assert_int_equal(fls_writer_offset(writer), 0);
    assert_status(fls_writer_flush(writer, &err), FLS_OK, &err);
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
    assert_int_equal(storage.taken.size, 0);
    assert_int_equal(storage.closed, 1);
    faulty_sink_fini(&storage);
    assert_status(fls_writer_close(NULL, &err), FLS_OK, &err);
}

static void frames_of_every_checksum(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_writer_options options = with(frames_checksums[c]);
        faulty_sink storage;
        byte_buffer wanted = BYTES_INIT;
        fls_error err = FLS_ERROR_INIT;
        fls_writer *writer = open_on(faulty_sink_init(&storage, NULL, 1), &options);
        for (uint64_t i = 0; i < 100; i++) {
            uint8_t payload[100];
            memset(payload, (int)i, sizeof payload);
            frames_append(&wanted, &format, payload, i + 1);
            assert_status(fls_writer_write(writer, payload, (size_t)i + 1, &err), FLS_OK, &err);
            assert_int_equal(fls_writer_messages(writer), i + 1);
            assert_int_equal(fls_writer_offset(writer), wanted.size);
        }
        assert_int_equal(storage.writes, 0); /* gathered */
        assert_status(fls_writer_flush(writer, &err), FLS_OK, &err);
        expect_bytes(&wanted, &storage.taken);
        assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
        expect_bytes(&wanted, &storage.taken);
        bytes_free(&wanted);
        faulty_sink_fini(&storage);
    }
}

/* A refused message in the middle of others leaves no trace in the stream. */
static void refusals_leave_no_trace(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_writer_options options = with(frames_checksums[c]);
        options.max_frame_bytes = 8;
        faulty_sink storage;
        byte_buffer wanted = BYTES_INIT;
        fls_error err = FLS_ERROR_INIT;
        fls_writer *writer = open_on(faulty_sink_init(&storage, NULL, 1), &options);
        fls_span halves[2] = {{"12345", 5}, {"6789", 4}};
        for (int i = 0; i < 3; i++) {
            frames_append(&wanted, &format, "12345678", 8);
            assert_status(fls_writer_write(writer, "12345678", 8, &err), FLS_OK, &err);
            assert_status(fls_writer_write(writer, "123456789", 9, &err), FLS_INVALID_FRAME, &err);
            assert_int_equal(err.declared_bytes, 9);
            assert_int_equal(err.limit_bytes, 8);
            assert_status(fls_writer_write(writer, "", 0, &err), FLS_INVALID_FRAME, &err);
            assert_status(fls_writer_writev(writer, halves, 2, &err), FLS_INVALID_FRAME, &err);
            assert_status(fls_writer_writev(writer, halves, 0, &err), FLS_INVALID_FRAME, &err);
            assert_int_equal(fls_writer_messages(writer), (uint64_t)i + 1);
            assert_int_equal(fls_writer_offset(writer), wanted.size);
        }
        assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
        expect_bytes(&wanted, &storage.taken);
        bytes_free(&wanted);
        faulty_sink_fini(&storage);
    }
}

/* A size that cannot be: refused from the number alone, the bytes are not looked at. */
static void impossible_sizes_are_refused(void **state)
{
    (void)state;
    fls_writer_options options = with(FLS_CHECKSUM_XXH3);
    options.max_frame_bytes = UINT32_MAX;
    faulty_sink storage;
    fls_error err = FLS_ERROR_INIT;
    fls_writer *writer = open_on(faulty_sink_init(&storage, NULL, 1), &options);
    static const uint64_t sizes[] = {UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t i = 0; i < 3 && sizes[i] <= SIZE_MAX; i++) {
        fls_span spans[2] = {{"x", (size_t)sizes[i]}, {"x", (size_t)sizes[i]}};
        assert_status(fls_writer_write(writer, "x", (size_t)sizes[i], &err), FLS_INVALID_FRAME,
                      &err);
        assert_status(fls_writer_writev(writer, spans, 2, &err), FLS_INVALID_FRAME, &err);
    }
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
    assert_int_equal(storage.taken.size, 0);
    faulty_sink_fini(&storage);
}

static void empty_payloads_on_request(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_writer_options options = with(frames_checksums[c]);
        options.allow_empty = 1;
        faulty_sink storage;
        byte_buffer wanted = BYTES_INIT;
        fls_error err = FLS_ERROR_INIT;
        fls_writer *writer = open_on(faulty_sink_init(&storage, NULL, 1), &options);
        frames_append(&wanted, &format, "", 0);
        frames_append(&wanted, &format, "", 0);
        frames_append(&wanted, &format, "x", 1);
        assert_status(fls_writer_write(writer, NULL, 0, &err), FLS_OK, &err);
        assert_status(fls_writer_writev(writer, NULL, 0, &err), FLS_OK, &err);
        assert_status(fls_writer_write(writer, "x", 1, &err), FLS_OK, &err);
        assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
        expect_bytes(&wanted, &storage.taken);
        bytes_free(&wanted);
        faulty_sink_fini(&storage);
    }
}

static void bad_options_are_refused_and_close_the_sink(void **state)
{
    (void)state;
    fls_custom_checksum custom = {sizeof custom, 9, "wide", NULL, NULL};
    fls_writer_options cases[4] = {with(FLS_CHECKSUM_DETECT), with(FLS_CHECKSUM_CUSTOM),
                                   with(FLS_CHECKSUM_CUSTOM), with((fls_checksum)99)};
    cases[2].custom_checksum = &custom;
    for (size_t i = 0; i < 4; i++) {
        faulty_sink storage;
        fls_writer *writer = (fls_writer *)&storage;
        fls_error err = FLS_ERROR_INIT;
        fls_sink sink = faulty_sink_init(&storage, NULL, 1);
        assert_status(fls_writer_open(&writer, sink, &cases[i], &err), FLS_INVALID_ARGUMENT, &err);
        assert_null(writer);
        assert_int_equal(storage.closed + storage.aborted, 1);
        faulty_sink_fini(&storage);
    }
}

typedef struct watcher {
    const char *name;
    size_t refuse_size; /* SIZE_MAX: none */
    uint32_t alignment;
    size_t checks;
    size_t seen;
    uint64_t next_ordinal;
    int misaligned;
    uint64_t sum;
} watcher;

static fls_status watch_check(void *self_pointer, const void *payload, size_t size, fls_error *err)
{
    watcher *self = self_pointer;
    self->checks++;
    if (((uintptr_t)payload & (self->alignment - 1)) != 0) {
        self->misaligned = 1;
    }
    for (size_t i = 0; i < size; i++) {
        self->sum += ((const uint8_t *)payload)[i];
    }
    if (size == self->refuse_size) {
        return fls_error_set(err, FLS_VALIDATION_FAILED, 0, "not this size");
    }
    return FLS_OK;
}

static void watch_seen(void *self_pointer, const void *payload, size_t size, uint64_t ordinal)
{
    watcher *self = self_pointer;
    assert_int_equal(ordinal, self->next_ordinal++);
    assert_true(size == 0 || ((const uint8_t *)payload)[size - 1] == (uint8_t)size);
    self->seen++;
}

static fls_validator validator_of(watcher *self)
{
    fls_validator validator = {self->name, watch_check, self, self->alignment, 0};
    return validator;
}

/* Writes payloads of 1..count bytes, each filled with its size, in one piece or in three. */
static void write_numbered(fls_writer *writer, byte_buffer *wanted, const ref_format *format,
                           size_t count, size_t refused)
{
    uint8_t memory[320];
    fls_error err = FLS_ERROR_INIT;
    for (size_t size = 1; size <= count; size++) {
        uint8_t *payload = memory + size % 9;
        memset(payload, (int)(size & 255), size);
        fls_span spans[3] = {
            {payload, size / 3}, {payload, size / 2 - size / 3}, {payload, size - size / 2}};
        fls_status status = size % 2 == 0 ? fls_writer_writev(writer, spans, 3, &err)
                                          : fls_writer_write(writer, payload, size, &err);
        if (size == refused) {
            assert_status(status, FLS_VALIDATION_FAILED, &err);
            assert_string_equal(err.name, "second");
            assert_string_equal(err.text, "not this size");
            assert_int_equal(err.ordinal, size - 1);
            assert_int_equal(err.offset, wanted->size);
        } else {
            assert_status(status, FLS_OK, &err);
            frames_append(wanted, format, payload, size);
        }
    }
}

static void validators_and_observers(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        for (size_t refused = 100; refused <= 101; refused++) {
            watcher watchers[3] = {{.name = "first", .refuse_size = SIZE_MAX, .alignment = 1},
                                   {.name = "second", .refuse_size = refused, .alignment = 16},
                                   {.name = "third", .refuse_size = SIZE_MAX, .alignment = 64}};
            fls_validator validators[3] = {validator_of(&watchers[0]), validator_of(&watchers[1]),
                                           validator_of(&watchers[2])};
            fls_observer observers[2] = {{watch_seen, &watchers[0]}, {watch_seen, &watchers[1]}};
            fls_writer_options options = with(frames_checksums[c]);
            options.validators = validators;
            options.validator_count = 3;
            options.observers = observers;
            options.observer_count = 2;
            options.buffer_bytes = 200; /* some frames pass the buffer by */
            faulty_sink storage;
            byte_buffer wanted = BYTES_INIT;
            fls_error err = FLS_ERROR_INIT;
            fls_writer *writer = open_on(faulty_sink_init(&storage, NULL, 1), &options);
            write_numbered(writer, &wanted, &format, 300, refused);
            assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
            expect_bytes(&wanted, &storage.taken);
            assert_int_equal(watchers[0].checks, 300);
            assert_int_equal(watchers[1].checks, 300);
            assert_int_equal(watchers[2].checks, 299);
            assert_int_equal(watchers[0].seen, 299);
            assert_int_equal(watchers[1].seen, 299);
            assert_false(watchers[1].misaligned || watchers[2].misaligned);
            bytes_free(&wanted);
            faulty_sink_fini(&storage);
        }
    }
}

static void places_start_where_told(void **state)
{
    (void)state;
    watcher observed = {.name = "o", .next_ordinal = 1000};
    fls_observer observer = {watch_seen, &observed};
    fls_writer_options options = with(FLS_CHECKSUM_CRC16);
    options.first_offset = 5000;
    options.first_ordinal = 1000;
    options.observers = &observer;
    options.observer_count = 1;
    faulty_sink storage;
    fls_error err = FLS_ERROR_INIT;
    fls_writer *writer = open_on(faulty_sink_init(&storage, NULL, 1), &options);
    assert_status(fls_writer_write(writer, "\x00\x02", 2, &err), FLS_OK, &err);
    assert_int_equal(fls_writer_offset(writer), 5008);
    assert_int_equal(fls_writer_messages(writer), 1);
    assert_int_equal(observed.next_ordinal, 1001);
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
    faulty_sink_fini(&storage);
}

static void abort_makes_nothing_appear(void **state)
{
    (void)state;
    faulty_sink storage;
    fls_error err = FLS_ERROR_INIT;
    fls_writer *writer = open_on(faulty_sink_init(&storage, NULL, 1), NULL);
    assert_status(fls_writer_write(writer, "abc", 3, &err), FLS_OK, &err);
    fls_writer_abort(writer);
    assert_int_equal(storage.taken.size, 0);
    assert_int_equal(storage.aborted, 1);
    assert_int_equal(storage.closed, 0);
    faulty_sink_fini(&storage);
}

/* A sink whose close fails late: everything else went well, and close says so. */
static void late_errors_are_reported(void **state)
{
    (void)state;
    for (uint64_t call = 0; call < 3; call++) {
        faulty_plan plan = FAULTY_PLAN_INIT;
        plan.fail_call = call; /* the write, the flush, the close */
        plan.fail_status = FLS_IO;
        plan.fail_errno = 5;
        faulty_sink storage;
        fls_error err = FLS_ERROR_INIT;
        fls_writer *writer = open_on(faulty_sink_init(&storage, &plan, 1), NULL);
        assert_status(fls_writer_write(writer, "abc", 3, &err), FLS_OK, &err);
        fls_status status = fls_writer_close(writer, &err);
        if (storage.calls > call) {
            assert_status(status, FLS_IO, &err);
            assert_int_equal(err.system_errno, 5);
        }
        assert_int_equal(storage.closed + storage.aborted, 1);
        faulty_sink_fini(&storage);
    }
}

static void a_failed_sync_is_final(void **state)
{
    (void)state;
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.fail_status = FLS_IO;
    plan.fail_errno = 5;
    faulty_sink storage;
    fls_error err = FLS_ERROR_INIT;
    fls_writer *writer = open_on(faulty_sink_init(&storage, &plan, 1), NULL);
    assert_status(fls_writer_write(writer, "abc", 3, &err), FLS_OK, &err);
    assert_status(fls_writer_sync(writer, &err), FLS_OK, &err);
    assert_int_equal(storage.syncs, 1);
    assert_int_equal(storage.synced_bytes, 15);
    assert_status(fls_writer_flush(writer, &err), FLS_OK, &err);
    /* The next operations are a flush of the sink (perhaps) and the sync: the sync is to fail. */
    uint64_t per_sync = storage.calls;
    assert_status(fls_writer_sync(writer, &err), FLS_OK, &err);
    per_sync = storage.calls - per_sync;
    storage.plan.fail_call = storage.calls + per_sync - 1;
    assert_status(fls_writer_sync(writer, &err), FLS_IO, &err);
    uint64_t calls = storage.calls;
    uint64_t writes = storage.writes;
    for (int i = 0; i < 3; i++) {
        assert_status(fls_writer_sync(writer, &err), FLS_IO, &err);
        assert_status(fls_writer_write(writer, "abc", 3, &err), FLS_IO, &err);
        assert_status(fls_writer_flush(writer, &err), FLS_IO, &err);
    }
    assert_int_equal(storage.calls, calls);
    assert_status(fls_writer_close(writer, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, 5);
    assert_int_equal(storage.writes, writes);
    assert_int_equal(storage.closed + storage.aborted, 1);
    faulty_sink_fini(&storage);
}

static void simple_mode(void **state)
{
    (void)state;
    faulty_sink storage;
    fls_error err = FLS_ERROR_INIT;
    fls_writer *writer = open_on(faulty_sink_init(&storage, NULL, 1), NULL);
    fls_builder *builder = fls_writer_builder(writer);
    assert_non_null(builder);
    assert_ptr_equal(fls_writer_builder(writer), builder);
    byte_buffer wanted = BYTES_INIT;
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    fls_builder *alone;
    assert_status(fls_builder_new(&alone, NULL, &err), FLS_OK, &err);
    for (uint64_t i = 0; i < 50; i++) {
        fls_builder *builders[2] = {builder, alone};
        fls_ref roots[2];
        for (int k = 0; k < 2; k++) {
            fls_ref text = fls_builder_string(builders[k], "some text", (size_t)(i % 10));
            fls_table table = fls_builder_table(builders[k], 3);
            fls_builder_u64(builders[k], table, 0, i);
            fls_builder_f64(builders[k], table, 1, 21.5);
            fls_builder_ref(builders[k], table, 2, text);
            roots[k] = fls_builder_end(builders[k], table);
        }
        const void *payload;
        size_t size;
        assert_status(fls_builder_finish(alone, roots[1], NULL, &payload, &size, &err), FLS_OK,
                      &err);
        frames_append(&wanted, &format, payload, size);
        assert_status(fls_writer_write_root(writer, roots[0], &err), FLS_OK, &err);
        /* A failure in between: the builder is empty again, the stream as it was. */
        fls_table table = fls_builder_table(builder, 1);
        fls_builder_u8(builder, table, 0, 1);
        fls_builder_u8(builder, table, 0, 2);
        fls_status status = fls_writer_write_root(writer, fls_builder_end(builder, table), &err);
        assert_true(fls_status_class_of(status) == FLS_CLASS_CALLER);
        assert_int_equal(fls_writer_messages(writer), i + 1);
    }
    fls_builder_free(alone);
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
    expect_bytes(&wanted, &storage.taken);
    bytes_free(&wanted);
    faulty_sink_fini(&storage);
}

/* Sinks in memory lend their own; the writer builds frames there. */
static void sinks_that_lend(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_CRC32, NULL, 0};
    fls_writer_options options = with(FLS_CHECKSUM_CRC32);
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    assert_status(fls_sink_open_memory(&sink, NULL, &err), FLS_OK, &err);
    fls_writer *writer = open_on(sink, &options);
    byte_buffer wanted = BYTES_INIT;
    prng random = prng_seeded(4);
    uint8_t payload[9000];
    prng_fill(&random, payload, sizeof payload);
    for (size_t size = 1; size < sizeof payload; size += 1 + size / 3) {
        frames_append(&wanted, &format, payload, size);
        fls_span halves[2] = {{payload, size / 2}, {payload + size / 2, size - size / 2}};
        if (size % 2 == 0) {
            assert_status(fls_writer_write(writer, payload, size, &err), FLS_OK, &err);
        } else {
            assert_status(fls_writer_writev(writer, halves, 2, &err), FLS_OK, &err);
        }
        assert_status(fls_writer_flush(writer, &err), FLS_OK, &err);
        const void *data;
        size_t held;
        assert_status(fls_sink_memory(&sink, &data, &held), FLS_OK, &err);
        assert_int_equal(held, wanted.size);
        assert_memory_equal(data, wanted.data, held);
    }
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
    bytes_free(&wanted);
}

/* A fixed memory that is full refuses a frame whole; what fits later is still taken, or the writer
 * stays at its refusal, but never is there half a frame. */
static void fixed_memory_fills_up_in_whole_frames(void **state)
{
    (void)state;
    for (size_t room = 0; room < 80; room++) {
        uint8_t *memory = calloc(1, room + 1);
        assert_non_null(memory);
        fls_writer_options options = with(FLS_CHECKSUM_CRC16);
        fls_error err = FLS_ERROR_INIT;
        fls_sink sink;
        assert_status(fls_sink_open_fixed(&sink, memory, room, &err), FLS_OK, &err);
        fls_writer *writer = NULL;
        fls_status status = fls_writer_open(&writer, sink, &options, &err);
        assert_status(status, FLS_OK, &err);
        size_t taken = 0;
        while ((status = fls_writer_write(writer, "0123456789", 10, &err)) == FLS_OK) {
            taken++;
        }
        assert_status(status, FLS_NO_SPACE, &err);
        assert_int_equal(taken, room / 16);
        assert_int_equal(fls_writer_offset(writer), 16 * taken);
        status = fls_writer_flush(writer, &err);
        assert_true(status == FLS_OK || status == FLS_NO_SPACE);
        const void *data;
        size_t held;
        assert_status(fls_sink_memory(&sink, &data, &held), FLS_OK, &err);
        assert_int_equal(held, 16 * taken);
        status = fls_writer_close(writer, &err);
        assert_true(status == FLS_OK || status == FLS_NO_SPACE);
        free(memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_written_is_an_empty_stream),
        cmocka_unit_test(frames_of_every_checksum),
        cmocka_unit_test(refusals_leave_no_trace),
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(empty_payloads_on_request),
        cmocka_unit_test(bad_options_are_refused_and_close_the_sink),
        cmocka_unit_test(validators_and_observers),
        cmocka_unit_test(places_start_where_told),
        cmocka_unit_test(abort_makes_nothing_appear),
        cmocka_unit_test(late_errors_are_reported),
        cmocka_unit_test(a_failed_sync_is_final),
        cmocka_unit_test(simple_mode),
        cmocka_unit_test(sinks_that_lend),
        cmocka_unit_test(fixed_memory_fills_up_in_whole_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
