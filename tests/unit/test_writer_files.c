/* Writers that open their file themselves: what is wrong with the options, or with memory, is found
 * before the file is touched, and only a file named itself is appended to. */
#include "flatstream/writer.h"

#include <fcntl.h>
#include <unistd.h>

#include "support/counting_allocator.h"
#include "support/files.h"
#include "support/testing.h"

static char directory[256];

static const char *path_of_stream(void)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/stream.fls", directory);
    return path;
}

static void expect_file(const byte_buffer *wanted)
{
    byte_buffer now = BYTES_INIT;
    assert_int_equal(files_read(path_of_stream(), &now), 0);
    assert_int_equal(now.size, wanted->size);
    assert_memory_equal(now.data, wanted->data, wanted->size);
    bytes_free(&now);
}

/* A stream of xxh3 whose last message is torn. */
static byte_buffer torn_stream(size_t *sound)
{
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    prng random = prng_seeded(1);
    frames_append_flatbuffers(&stream, &format, &random, 10, 60);
    *sound = stream.size;
    bytes_append(&stream, "\x77\0\0\0torn", 8);
    return stream;
}

/* Opens in both ways, and expects the same answer and the file as it was. */
static void expect_untouched(const fls_writer_options *options, fls_status wanted)
{
    size_t sound;
    byte_buffer stream = torn_stream(&sound);
    files_write(path_of_stream(), stream.data, stream.size);
    for (int appending = 0; appending < 2; appending++) {
        fls_error err = FLS_ERROR_INIT;
        fls_writer *writer = (fls_writer *)&stream;
        fls_status status =
            appending ? fls_writer_open_append(&writer, path_of_stream(), options, NULL, &err)
                      : fls_writer_open_file(&writer, path_of_stream(), options, &err);
        assert_status(status, wanted, &err);
        assert_int_equal(err.status, wanted);
        assert_null(writer);
        expect_file(&stream);
    }
    bytes_free(&stream);
}

static fls_status accept(void *self, const void *payload, size_t size, fls_error *err)
{
    (void)self;
    (void)payload;
    (void)size;
    (void)err;
    return FLS_OK;
}

static void bad_options_leave_the_file_alone(void **state)
{
    (void)state;
    fls_custom_checksum custom = {sizeof custom, 9, "wide", NULL, NULL};
    fls_memory_policy policy = {.kind = FLS_MEMORY_CUSTOM};
    fls_validator validator = {"odd", accept, NULL, 3, 0};
    static const fls_writer_options defaults = FLS_WRITER_OPTIONS_INIT;
    fls_writer_options cases[] = {defaults, defaults, defaults, defaults, defaults, defaults};
    cases[0].checksum = FLS_CHECKSUM_DETECT;
    cases[1].checksum = FLS_CHECKSUM_CUSTOM;
    cases[1].custom_checksum = &custom;
    cases[2].memory_policy = &policy;
    cases[3].validators = &validator;
    cases[3].validator_count = 1;
    cases[4].buffer_bytes = SIZE_MAX / 5 * 4 + 9; /* a quarter more wraps around */
    cases[5].buffer_bytes = SIZE_MAX;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_untouched(&cases[i], FLS_INVALID_ARGUMENT);
    }
    struct {
        fls_writer_options known;
        uint64_t unknown;
    } newer = {defaults, 1};
    newer.known.struct_bytes = sizeof newer;
    expect_untouched(&newer.known, FLS_UNSUPPORTED);
}

static void too_little_memory_leaves_the_file_alone(void **state)
{
    (void)state;
    for (uint64_t call = 0; call < 2; call++) { /* the writer, and its buffer */
        counting_allocator memory;
        counting_allocator_init(&memory);
        memory.fail_from = call;
        memory.fail_calls = UINT64_MAX - call;
        fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
        options.allocator = &memory.table;
        expect_untouched(&options, FLS_NO_MEMORY);
        assert_int_equal(memory.live_blocks, 0);
    }
}

static void without_a_file_nothing_is_left(void **state)
{
    (void)state;
    counting_allocator memory;
    counting_allocator_init(&memory);
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.allocator = &memory.table;
    fls_writer *writer;
    fls_error err = FLS_ERROR_INIT;
    const char *path = files_join(directory, "no/such/place.fls");
    assert_status(fls_writer_open_file(&writer, path, &options, &err), FLS_IO, &err);
    assert_null(writer);
    assert_status(fls_writer_open_append(&writer, path, &options, NULL, &err), FLS_IO, &err);
    assert_null(writer);
    assert_int_equal(memory.live_blocks, 0);
}

/* Its position is its owner's and it takes no lock: cut here and written there, it would get a
 * hole. */
static void an_open_descriptor_is_not_cut_or_appended_to(void **state)
{
    (void)state;
    static const char *const folders[] = {"/dev/fd", "/proc/self/fd"};
    size_t sound;
    byte_buffer stream = torn_stream(&sound);
    files_write(path_of_stream(), stream.data, stream.size);
    int fd = open(path_of_stream(), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    for (int i = 0; i < 2; i++) {
        char name[64];
        fls_writer *writer;
        fls_error err = FLS_ERROR_INIT;
        snprintf(name, sizeof name, "%s/%d", folders[i], fd);
        assert_status(fls_writer_open_append(&writer, name, NULL, NULL, &err), FLS_UNSUPPORTED,
                      &err);
        assert_null(writer);
        expect_file(&stream);
        fls_recover_report report = FLS_RECOVER_REPORT_INIT;
        assert_status(fls_recover_truncate(name, NULL, &report, &err), FLS_UNSUPPORTED, &err);
        expect_file(&stream);
    }
    close(fd);
    bytes_free(&stream);
}

static int make_directory(void **state)
{
    (void)state;
    files_make_directory(directory, sizeof directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    files_remove_directory(directory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_options_leave_the_file_alone),
        cmocka_unit_test(too_little_memory_leaves_the_file_alone),
        cmocka_unit_test(without_a_file_nothing_is_left),
        cmocka_unit_test(an_open_descriptor_is_not_cut_or_appended_to),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
