/* No allocation in the warm loops of readers and writers: counted at the allocator that the object
 * was given, and, where the C library allows it, at malloc itself. */
#include <fcntl.h>
#include <unistd.h>

#include "flatstream/flatstream.h"
#include "support/counting_allocator.h"
#include "support/faulty_io.h"
#include "support/files.h"
#include "support/testing.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

static uint64_t malloc_calls;

#if defined(__GLIBC__) && !defined(SANITIZED)
#define COUNTS_MALLOC 1
/* glibc's own entry points, so that ours can stand before them. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
    malloc_calls++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    malloc_calls++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    malloc_calls++;
    return __libc_realloc(memory, size);
}
#else
#define COUNTS_MALLOC 0
#endif

static counting_allocator allocator;
static uint64_t calls_before;
static uint64_t mallocs_before;

static void warm_from_here(void)
{
    calls_before = allocator.calls;
    mallocs_before = malloc_calls;
}

static void expect_no_allocation(const char *what)
{
    if (allocator.calls != calls_before || malloc_calls != mallocs_before) {
        fail_msg("%s: %llu allocations, %llu by malloc", what,
                 (unsigned long long)(allocator.calls - calls_before),
                 (unsigned long long)(malloc_calls - mallocs_before));
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

static void look(void *self, const void *payload, size_t size, uint64_t ordinal)
{
    uint64_t *sum = self;
    (void)payload;
    *sum += size + ordinal;
}

static fls_status go_on(void *self, const fls_message *message)
{
    uint64_t *sum = self;
    *sum += message->size;
    return FLS_OK;
}

static void counting_is_on(void **state)
{
    (void)state;
    if (!COUNTS_MALLOC) {
        print_message("malloc is not counted in this build, only the given allocator\n");
        return;
    }
    warm_from_here();
    char *volatile memory = malloc(10);
    assert_int_equal(malloc_calls, mallocs_before + 1);
    free(memory);
}

/* ---- reading ---- */

#define MESSAGES 4000

/* The second half of what one reader reads, message by message, in batches or by callback. */
static void read_warm(fls_reader *reader, int way, const char *what)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message messages[32];
    uint64_t sum = 0;
    for (int i = 0; i < MESSAGES / 2; i++) {
        assert_status(fls_reader_next(reader, messages, &err), FLS_OK, &err);
    }
    warm_from_here();
    fls_status status = FLS_OK;
    size_t count;
    while (status == FLS_OK && way < 2) {
        status = way == 0 ? fls_reader_next(reader, messages, &err)
                          : fls_reader_next_batch(reader, messages, 32, &count, &err);
    }
    if (way == 2) {
        status = fls_reader_each(reader, go_on, &sum, &err) == FLS_OK ? FLS_END : FLS_IO;
    }
    expect_no_allocation(what);
    assert_status(status, FLS_END, &err);
    assert_int_equal(fls_reader_ordinal(reader), MESSAGES);
}

static fls_source open_source(int kind, const byte_buffer *stream, const char *path,
                              faulty_source *storage)
{
    fls_source source = {NULL, NULL};
    fls_error err = FLS_ERROR_INIT;
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.max_piece = 3000;
    plan.block_one_in = 0;
    fls_status status = FLS_OK;
    switch (kind) {
    case 0: status = fls_source_from_memory(&source, stream->data, stream->size, &err); break;
    case 1: status = fls_source_open_file(&source, path, &err); break;
    case 2: status = fls_source_map_file(&source, path, &err); break;
    default: source = faulty_source_init(storage, &plan, stream->data, stream->size, 1); break;
    }
    assert_status(status, FLS_OK, &err);
    return source;
}

static void reading(void **state)
{
    (void)state;
    static const char *const names[] = {"memory", "file", "mapped", "pieces"};
    char directory[256];
    files_make_directory(directory, sizeof directory);
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        prng random = prng_seeded(c);
        frames_append_flatbuffers(&stream, &format, &random, MESSAGES, 300);
        const char *path = files_join(directory, "warm.fls");
        files_write(path, stream.data, stream.size);
        for (int variant = 0; variant < 4 * 3 * 2; variant++) {
            uint64_t sum = 0;
            fls_validator validator = {"any", accept, NULL, 16, 0};
            fls_observer observer = {look, &sum};
            fls_reader_options options = FLS_READER_OPTIONS_INIT;
            options.checksum = format.checksum;
            options.allocator = &allocator.table;
            options.buffer_bytes = 10000;
            if (variant % 2 == 1) {
                options.validators = &validator;
                options.validator_count = 1;
                options.observers = &observer;
                options.observer_count = 1;
                options.alignment = 8;
            }
            faulty_source storage;
            fls_source source = open_source(variant / 6, &stream, path, &storage);
            fls_reader *reader;
            fls_error err = FLS_ERROR_INIT;
            assert_status(fls_reader_open(&reader, source, &options, &err), FLS_OK, &err);
            read_warm(reader, variant / 2 % 3, names[variant / 6]);
            fls_reader_close(reader);
            assert_int_equal(allocator.live_blocks, 0);
        }
        bytes_free(&stream);
    }
    files_remove_directory(directory);
}

static void decoding(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        prng random = prng_seeded(c);
        frames_append_flatbuffers(&stream, &format, &random, MESSAGES, 300);
        fls_decoder decoder;
        fls_decoder_options options = FLS_DECODER_OPTIONS_INIT;
        options.checksum = format.checksum;
        options.allocator = &allocator.table;
        fls_error err = FLS_ERROR_INIT;
        assert_status(fls_decoder_init(&decoder, &options, &err), FLS_OK, &err);
        uint64_t count = 0;
        for (size_t at = 0; at < stream.size;) {
            size_t piece = 1 + (size_t)prng_below(&random, 1000);
            piece = piece < stream.size - at ? piece : stream.size - at;
            assert_status(fls_decoder_feed(&decoder, stream.data + at, piece, &err), FLS_OK, &err);
            at += piece;
            fls_message message;
            fls_status status;
            while ((status = fls_decoder_next(&decoder, &message, &err)) == FLS_OK) {
                if (++count == MESSAGES / 2) {
                    warm_from_here();
                }
            }
            assert_status(status, FLS_NEED_MORE, &err);
        }
        expect_no_allocation("decoder");
        assert_int_equal(count, MESSAGES);
        fls_decoder_fini(&decoder);
        bytes_free(&stream);
    }
}

/* ---- writing ---- */

static void write_one(fls_writer *writer, uint64_t i)
{
    uint8_t payload[2000] = {1};
    fls_error err = FLS_ERROR_INIT;
    size_t size = 1 + (size_t)(i * 7919 % (i % 50 == 0 ? 2000 : 300));
    fls_span spans[3] = {{payload, size / 4}, {payload, 0}, {payload, size - size / 4}};
    if (i % 3 == 0) {
        assert_status(fls_writer_write(writer, payload, size, &err), FLS_OK, &err);
    } else if (i % 3 == 1) {
        assert_status(fls_writer_writev(writer, spans, 3, &err), FLS_OK, &err);
    } else {
        fls_builder *builder = fls_writer_builder(writer);
        fls_ref text = fls_builder_string(builder, (const char *)payload, size);
        fls_table table = fls_builder_table(builder, 3);
        fls_builder_u64(builder, table, 0, i);
        fls_builder_f64(builder, table, 1, 21.5);
        fls_builder_ref(builder, table, 2, text);
        assert_status(fls_writer_write_root(writer, fls_builder_end(builder, table), &err), FLS_OK,
                      &err);
    }
    if (i % 100 == 99) {
        assert_status(fls_writer_flush(writer, &err), FLS_OK, &err);
    }
}

/* Takes everything, in pieces, and keeps nothing. */
static fls_status swallow(void *self, const void *data, size_t size, size_t *written,
                          fls_error *err)
{
    uint64_t *calls = self;
    (void)data;
    (void)err;
    *written = size > 700 && ++*calls % 3 == 0 ? 700 : size;
    return FLS_OK;
}

static fls_sink open_sink(int kind, const char *path, uint64_t *calls, void *fixed, size_t capacity)
{
    fls_sink sink = {NULL, NULL};
    fls_error err = FLS_ERROR_INIT;
    fls_status status = FLS_OK;
    switch (kind) {
    case 0: status = fls_sink_from_function(&sink, swallow, calls, &err); break;
    case 1: status = fls_sink_open_file(&sink, path, &err); break;
    case 2: status = fls_sink_from_fd(&sink, open("/dev/null", O_WRONLY), 1, &err); break;
    default: status = fls_sink_open_fixed(&sink, fixed, capacity, &err); break;
    }
    assert_status(status, FLS_OK, &err);
    return sink;
}

static void writing(void **state)
{
    (void)state;
    static const char *const names[] = {"function", "file", "descriptor", "fixed memory"};
    static uint8_t fixed[4 << 20];
    char directory[256];
    files_make_directory(directory, sizeof directory);
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        for (int variant = 0; variant < 4 * 2; variant++) {
            uint64_t calls = 0;
            uint64_t sum = 0;
            fls_validator validator = {"any", accept, NULL, 16, 0};
            fls_observer observer = {look, &sum};
            fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
            options.checksum = frames_checksums[c];
            options.allocator = &allocator.table;
            options.buffer_bytes = 10000;
            if (variant % 2 == 1) {
                options.validators = &validator;
                options.validator_count = 1;
                options.observers = &observer;
                options.observer_count = 1;
            }
            const char *path = files_join(directory, "warm.fls");
            fls_sink sink = open_sink(variant / 2, path, &calls, fixed, sizeof fixed);
            fls_writer *writer;
            fls_error err = FLS_ERROR_INIT;
            assert_status(fls_writer_open(&writer, sink, &options, &err), FLS_OK, &err);
            for (uint64_t i = 0; i < MESSAGES; i++) {
                if (i == MESSAGES / 2) {
                    warm_from_here();
                }
                write_one(writer, i);
            }
            expect_no_allocation(names[variant / 2]);
            assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
            assert_int_equal(allocator.live_blocks, 0);
        }
    }
    files_remove_directory(directory);
}

int main(void)
{
    counting_allocator_init(&allocator);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counting_is_on),
        cmocka_unit_test(reading),
        cmocka_unit_test(decoding),
        cmocka_unit_test(writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
