/* Memory that runs out at every single allocation, of every operation that allocates: the call says
 * so (or did without), nothing leaks, nothing wrong is written or read, and once there is memory
 * again the same work succeeds. */
#include "flatstream/flatstream.h"
#include "support/counting_allocator.h"
#include "support/faulty_io.h"
#include "support/files.h"
#include "support/testing.h"

static char directory[256];

/* Runs work with allocation number 0, 1, 2 ... failing, once or from there on, until a run has none
 * to fail. work checks everything itself and returns its status. */
static void fail_at_every_allocation(fls_status (*work)(const fls_allocator *allocator))
{
    for (int from_then_on = 0; from_then_on < 2; from_then_on++) {
        for (uint64_t call = 0;; call++) {
            counting_allocator allocator;
            counting_allocator_init(&allocator);
            allocator.fail_from = call;
            allocator.fail_calls = from_then_on ? COUNTING_NEVER : 1;
            fls_status status = work(&allocator.table);
            assert_int_equal(allocator.live_blocks, 0);
            assert_int_equal(allocator.live_bytes, 0);
            if (allocator.failures == 0) {
                assert_status(status, FLS_OK, NULL);
                assert_true(call > 0); /* it does allocate */
                break;
            }
            if (status != FLS_OK) {
                assert_status(status, FLS_NO_MEMORY, NULL);
            }
            assert_true(call < 1000);
        }
    }
}

static void make_stream(byte_buffer *stream, fls_checksum checksum, size_t large)
{
    ref_format format = {checksum, NULL, 0};
    prng random = prng_seeded(3);
    frames_append_flatbuffers(stream, &format, &random, 5, 50);
    frames_append_random(stream, &format, &random, large);
    frames_append_flatbuffers(stream, &format, &random, 5, 50);
}

/* ---- reading ---- */

/* Reads in pieces with everything on that takes memory; a failed call may be repeated. */
static fls_status read_all(const fls_allocator *allocator)
{
    byte_buffer stream = BYTES_INIT;
    make_stream(&stream, FLS_CHECKSUM_CRC32, 100000);
    ref_format format = {FLS_CHECKSUM_CRC32, NULL, 0};
    ref_stream expected = ref_decode(&format, stream.data, stream.size);
    fls_memory_policy policy = {.kind = FLS_MEMORY_SIZE_THRESHOLD, .threshold_bytes = 4000};
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    options.checksum = FLS_CHECKSUM_DETECT;
    options.allocator = allocator;
    options.alignment = 32;
    options.buffer_bytes = 1000;
    options.memory_policy = &policy;
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.max_piece = 5000;
    faulty_source storage;
    fls_source source = faulty_source_init(&storage, &plan, stream.data, stream.size, 1);
    fls_reader *reader = NULL;
    fls_error err = FLS_ERROR_INIT;
    fls_status status = fls_reader_open(&reader, source, &options, &err);
    fls_status worst = status;
    size_t seen = 0;
    fls_message message;
    int failures_in_a_row = 0;
    while (reader != NULL && failures_in_a_row < 3) {
        status = fls_reader_next(reader, &message, &err);
        if (status == FLS_END) {
            break;
        }
        if (status == FLS_NO_MEMORY) {
            assert_int_equal(err.status, FLS_NO_MEMORY);
            worst = status;
            failures_in_a_row++;
            continue;
        }
        assert_status(status, FLS_OK, &err);
        failures_in_a_row = 0;
        assert_int_equal(message.ordinal, seen);
        assert_int_equal(message.size, expected.messages[seen].size);
        assert_memory_equal(message.payload, stream.data + expected.messages[seen].payload,
                            message.size);
        seen++;
    }
    if (status == FLS_END) {
        assert_int_equal(seen, expected.count);
    } else {
        assert_status(status, FLS_NO_MEMORY, &err);
    }
    fls_reader_close(reader);
    assert_int_equal(storage.closed, 1);
    ref_free(&expected);
    bytes_free(&stream);
    return worst;
}

static void reading(void **state)
{
    (void)state;
    fail_at_every_allocation(read_all);
}

/* ---- writing ---- */

static fls_status build_and_write(fls_writer *writer, fls_error *err)
{
    fls_builder *builder = fls_writer_builder(writer);
    if (builder == NULL) {
        return FLS_NO_MEMORY;
    }
    uint8_t large[3000];
    memset(large, 7, sizeof large);
    fls_ref vector = fls_builder_vector(builder, large, sizeof large, 1);
    fls_ref text = fls_builder_string(builder, "text", 4);
    fls_table table = fls_builder_table(builder, 2);
    fls_builder_ref(builder, table, 0, vector);
    fls_builder_ref(builder, table, 1, text);
    return fls_writer_write_root(writer, fls_builder_end(builder, table), err);
}

static fls_status offer(fls_writer *writer, int kind, const uint8_t *payload, size_t size,
                        fls_error *err)
{
    fls_span spans[2] = {{payload, size / 2}, {payload + size / 2, size - size / 2}};
    switch (kind) {
    case 0: return fls_writer_write(writer, payload, size, err);
    case 1: return fls_writer_writev(writer, spans, 2, err);
    default: return build_and_write(writer, err);
    }
}

static fls_status accept(void *self, const void *payload, size_t size, fls_error *err)
{
    (void)self;
    (void)payload;
    (void)size;
    (void)err;
    return FLS_OK;
}

/* Messages of all sizes and roads; what was refused for want of memory is not in the stream, what
 * was taken is. */
static fls_status write_all(const fls_allocator *allocator)
{
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    fls_validator validator = {"any", accept, NULL, 64, 0};
    fls_memory_policy policy = {.kind = FLS_MEMORY_SIZE_THRESHOLD, .threshold_bytes = 4000};
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.allocator = allocator;
    options.buffer_bytes = 1000;
    options.validators = &validator;
    options.validator_count = 1;
    options.memory_policy = &policy;
    static const size_t sizes[] = {10, 600, 5000, 20, 70000, 30, 40};
    static uint8_t payload[70001];
    prng random = prng_seeded(8);
    prng_fill(&random, payload, sizeof payload);
    faulty_sink storage;
    fls_sink sink = faulty_sink_init(&storage, NULL, 1);
    fls_writer *writer = NULL;
    fls_error err = FLS_ERROR_INIT;
    fls_status worst = fls_writer_open(&writer, sink, &options, &err);
    byte_buffer wanted = BYTES_INIT;
    size_t taken = 0;
    for (size_t i = 0; writer != NULL && i < 3 * sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = sizes[i / 3];
        uint64_t before = fls_writer_offset(writer);
        fls_status status = offer(writer, (int)(i % 3), payload + 1, size, &err);
        if (status == FLS_OK && i % 3 < 2) {
            frames_append(&wanted, &format, payload + 1, size);
        } else if (status != FLS_OK) {
            assert_status(status, FLS_NO_MEMORY, &err);
            assert_int_equal(fls_writer_offset(writer), before);
            worst = status;
        }
        if (status == FLS_OK && i % 3 == 2) { /* what the builder made is read back from the sink */
            assert_status(fls_writer_flush(writer, &err), FLS_OK, &err);
            bytes_append(&wanted, storage.taken.data + wanted.size,
                         storage.taken.size - wanted.size);
        }
        taken += status == FLS_OK;
        assert_int_equal(fls_writer_messages(writer), taken);
        assert_int_equal(fls_writer_offset(writer), wanted.size);
    }
    if (writer != NULL) {
        assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
    }
    assert_int_equal(storage.taken.size, wanted.size);
    if (wanted.size > 0) {
        assert_memory_equal(storage.taken.data, wanted.data, wanted.size);
    }
    ref_stream read_back = ref_decode(&format, storage.taken.data, storage.taken.size);
    assert_status(read_back.end, FLS_END, NULL);
    assert_int_equal(read_back.count, taken);
    ref_free(&read_back);
    assert_int_equal(storage.closed + storage.aborted, 1);
    bytes_free(&wanted);
    faulty_sink_fini(&storage);
    return worst;
}

static void writing(void **state)
{
    (void)state;
    fail_at_every_allocation(write_all);
}

/* A sink in memory that cannot grow refuses the frame; what it holds stays whole frames. */
static fls_status write_to_memory(const fls_allocator *allocator)
{
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    fls_status status = fls_sink_open_memory(&sink, allocator, &err);
    if (status != FLS_OK) {
        return status;
    }
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.allocator = allocator;
    fls_writer *writer = NULL;
    fls_status worst = fls_writer_open(&writer, sink, &options, &err);
    if (writer == NULL) {
        return worst;
    }
    uint8_t payload[5000] = {1};
    size_t taken = 0;
    for (int i = 0; i < 20; i++) {
        status = fls_writer_write(writer, payload, sizeof payload, &err);
        taken += status == FLS_OK;
        worst = status != FLS_OK ? status : worst;
    }
    status = fls_writer_flush(writer, &err);
    worst = status != FLS_OK ? status : worst;
    const void *data;
    size_t size;
    assert_status(fls_sink_memory(&sink, &data, &size), FLS_OK, NULL);
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    ref_stream read_back = ref_decode(&format, data, size);
    assert_status(read_back.end, FLS_END, NULL);
    assert_int_equal(read_back.count, taken);
    ref_free(&read_back);
    status = fls_writer_close(writer, &err);
    return worst != FLS_OK ? worst : status;
}

static void writing_to_memory(void **state)
{
    (void)state;
    fail_at_every_allocation(write_to_memory);
}

/* ---- recovering, cutting, appending ---- */

static byte_buffer torn; /* a stream with a torn end, made once */
static size_t torn_sound;

static fls_status recover_pipe(const fls_allocator *allocator)
{
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    options.checksum = FLS_CHECKSUM_DETECT;
    options.allocator = allocator;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.max_piece = 700;
    plan.without_random = 1;
    faulty_source storage;
    fls_source source = faulty_source_init(&storage, &plan, torn.data, torn.size, 1);
    fls_status status = fls_recover(&source, &options, &report, &err);
    if (status == FLS_OK) {
        assert_int_equal(report.end, FLS_STREAM_TORN_TAIL);
        assert_int_equal(report.last_good_offset, torn_sound);
    }
    return status;
}

static void recovering(void **state)
{
    (void)state;
    fail_at_every_allocation(recover_pipe);
}

static const char *torn_file(void)
{
    const char *path = files_join(directory, "torn.fls");
    files_write(path, torn.data, torn.size);
    return path;
}

static fls_status truncate_file(const fls_allocator *allocator)
{
    const char *path = torn_file();
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    options.allocator = allocator;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    fls_status status = fls_recover_truncate(path, &options, &report, &err);
    assert_int_equal(files_size(path), status == FLS_OK ? torn_sound : torn.size);
    if (status == FLS_OK) { /* what was cut is always kept */
        char kept[400];
        snprintf(kept, sizeof kept, "%s%s", path, report.cut_suffix);
        assert_int_equal(files_size(kept), torn.size - torn_sound);
    }
    return status;
}

static void cutting(void **state)
{
    (void)state;
    fail_at_every_allocation(truncate_file);
}

static fls_status append_to_file(const fls_allocator *allocator)
{
    const char *path = torn_file();
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.allocator = allocator;
    options.discard_cut = 1;
    fls_writer *writer = NULL;
    fls_error err = FLS_ERROR_INIT;
    fls_status status = fls_writer_open_append(&writer, path, &options, NULL, &err);
    assert_int_equal(writer != NULL, status == FLS_OK);
    uint64_t size = files_size(path);
    assert_true(size == torn.size || size == torn_sound);
    if (writer != NULL) {
        status = fls_writer_write(writer, "abc", 3, &err);
        fls_status closed = fls_writer_close(writer, &err);
        status = status == FLS_OK ? closed : status;
        assert_int_equal(files_size(path), torn_sound + (status == FLS_OK ? 15 : 0));
    }
    return status;
}

static void appending(void **state)
{
    (void)state;
    fail_at_every_allocation(append_to_file);
}

/* ---- the rest ---- */

static fls_status build(const fls_allocator *allocator)
{
    fls_builder *builder = NULL;
    fls_error err = FLS_ERROR_INIT;
    fls_status status = fls_builder_new(&builder, allocator, &err);
    fls_status worst = status;
    for (int i = 0; builder != NULL && i < 4; i++) {
        fls_ref names[20];
        for (size_t k = 0; k < 20; k++) {
            names[k] = fls_builder_string(builder, "a name of some length", 20);
        }
        fls_ref vector = fls_builder_ref_vector(builder, names, 20);
        fls_table table = fls_builder_table(builder, 300);
        for (uint32_t slot = 1; slot < 300; slot++) {
            fls_builder_u64(builder, table, slot, slot);
        }
        fls_builder_ref(builder, table, 0, vector);
        const void *data;
        size_t size;
        status =
            fls_builder_finish(builder, fls_builder_end(builder, table), NULL, &data, &size, &err);
        worst = status != FLS_OK ? status : worst;
        if (status == FLS_OK) {
            assert_status(fls_table_root_check(data, size, &err), FLS_OK, &err);
        }
    }
    fls_builder_free(builder);
    return worst;
}

static void building(void **state)
{
    (void)state;
    fail_at_every_allocation(build);
}

static int set_up(void **state)
{
    (void)state;
    files_make_directory(directory, sizeof directory);
    make_stream(&torn, FLS_CHECKSUM_XXH3, 400000);
    torn_sound = torn.size;
    bytes_append(&torn, "\x00\x10\0\0 a message that did not get far", 36);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bytes_free(&torn);
    files_remove_directory(directory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),           cmocka_unit_test(writing),
        cmocka_unit_test(writing_to_memory), cmocka_unit_test(recovering),
        cmocka_unit_test(cutting),           cmocka_unit_test(appending),
        cmocka_unit_test(building),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
