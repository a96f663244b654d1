/* Sources: memory, files, mappings, descriptors, functions; and the loop that repeats partial
 * reads, with sources that lie. */
#include "flatstream/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/files.h"
#include "support/prng.h"
#include "support/testing.h"

static char directory[256];
static uint8_t content[70000];

static int make_directory(void **state)
{
    prng random = prng_seeded(11);
    (void)state;
    prng_fill(&random, content, sizeof content);
    files_make_directory(directory, sizeof directory);
    files_write(files_join(directory, "a"), content, sizeof content);
    files_write(files_join(directory, "empty"), "", 0);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    files_remove_directory(directory);
    return 0;
}

/* What every source that can tell its size and be read anywhere has to do. */
static void check_random_access(const fls_source *source, uint64_t start)
{
    uint8_t buffer[300];
    uint64_t size = 0;
    size_t got = 0;
    fls_error err = FLS_ERROR_INIT;
    prng random = prng_seeded(3);
    size_t left = sizeof content - (size_t)start;
    assert_status(fls_source_size(source, &size, &err), FLS_OK, &err);
    assert_int_equal(size, left);
    for (int i = 0; i < 200; i++) {
        size_t at = (size_t)prng_below(&random, left + 10);
        size_t capacity = (size_t)prng_below(&random, sizeof buffer) + 1;
        fls_status status = fls_source_read_all_at(source, at, buffer, capacity, &got, &err);
        if (at >= left) {
            assert_status(status, FLS_END, &err);
            assert_int_equal(got, 0);
            continue;
        }
        assert_status(status, FLS_OK, &err);
        assert_int_equal(got, capacity < left - at ? capacity : left - at);
        assert_memory_equal(buffer, content + start + at, got);
    }
    assert_status(fls_source_read_all_at(source, UINT64_MAX, buffer, 4, &got, &err), FLS_END, &err);
    assert_status(fls_source_read_all_at(source, 0, buffer, 0, &got, &err), FLS_OK, &err);
}

static void check_reads_to_the_end(const fls_source *source, size_t at)
{
    uint8_t buffer[1000];
    size_t got = 0;
    fls_error err = FLS_ERROR_INIT;
    fls_status status = FLS_OK;
    while ((status = fls_source_read_all(source, buffer, sizeof buffer, &got, &err)) == FLS_OK) {
        assert_true(got != 0 && got <= sizeof content - at);
        assert_memory_equal(buffer, content + at, got);
        at += got;
    }
    assert_status(status, FLS_END, &err);
    assert_int_equal(got, 0);
    assert_int_equal(at, sizeof content);
    assert_status(fls_source_read_all(source, buffer, 1, &got, &err), FLS_END, &err);
    assert_status(fls_source_read_all(source, buffer, 0, &got, &err), FLS_OK, &err);
}

static void check_borrow(const fls_source *source, const void *wanted, size_t size)
{
    const void *data = NULL;
    size_t left = 0;
    fls_error err = FLS_ERROR_INIT;
    assert_status(source->ops->borrow(source->self, &data, &left, &err), FLS_OK, &err);
    assert_int_equal(left, size);
    assert_non_null(data);
    assert_memory_equal(data, wanted, size);
}

static void memory_is_read(void **state)
{
    (void)state;
    fls_source source;
    fls_error err = FLS_ERROR_INIT;
    uint8_t first[10];
    size_t got = 0;
    assert_status(fls_source_from_memory(&source, content, sizeof content, &err), FLS_OK, &err);
    check_borrow(&source, content, sizeof content);
    check_random_access(&source, 0);
    assert_status(fls_source_read_all(&source, first, 10, &got, &err), FLS_OK, &err);
    check_borrow(&source, content + 10, sizeof content - 10);
    check_random_access(&source, 0);
    check_reads_to_the_end(&source, 10);
    check_borrow(&source, "", 0);
    fls_source_close(&source);
    assert_null(source.ops);
    assert_status(fls_source_from_memory(&source, NULL, 0, &err), FLS_OK, &err);
    check_borrow(&source, "", 0);
    assert_status(fls_source_read_all(&source, first, 1, &got, &err), FLS_END, &err);
    fls_source_close(&source);
    assert_status(fls_source_from_memory(&source, NULL, 1, &err), FLS_INVALID_ARGUMENT, &err);
}

static void file_is_read(void **state)
{
    (void)state;
    fls_source source;
    fls_error err = FLS_ERROR_INIT;
    const char *path = files_join(directory, "a");
    assert_status(fls_source_open_file(&source, path, &err), FLS_OK, &err);
    check_random_access(&source, 0);
    check_reads_to_the_end(&source, 0);
    check_random_access(&source, 0);
    fls_source_close(&source);
    fls_source_close(&source);
    assert_status(fls_source_open_file(&source, files_join(directory, "none"), &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, ENOENT);
    assert_null(source.ops);
    assert_status(fls_source_open_file(&source, directory, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, EISDIR);
}

/* The end of a file is where it is now: a file that grows is read on. */
static void growing_file_is_read_on(void **state)
{
    (void)state;
    fls_source source;
    fls_error err = FLS_ERROR_INIT;
    const char *path = files_join(directory, "growing");
    char text[8] = "";
    size_t got = 0;
    uint64_t size = 0;
    files_write(path, "abc", 3);
    assert_status(fls_source_open_file(&source, path, &err), FLS_OK, &err);
    assert_status(fls_source_read_all(&source, text, 8, &got, &err), FLS_OK, &err);
    assert_int_equal(got, 3);
    assert_status(fls_source_read_all(&source, text, 8, &got, &err), FLS_END, &err);
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "def", 3), 3);
    close(fd);
    assert_status(fls_source_size(&source, &size, &err), FLS_OK, &err);
    assert_int_equal(size, 6);
    assert_status(fls_source_read_all(&source, text, 8, &got, &err), FLS_OK, &err);
    assert_memory_equal(text, "def", 3);
    fls_source_close(&source);
}

static void mapping_is_borrowed(void **state)
{
    (void)state;
    fls_source source;
    fls_error err = FLS_ERROR_INIT;
    const char *path = files_join(directory, "a");
    assert_status(fls_source_map_file(&source, path, &err), FLS_OK, &err);
    check_borrow(&source, content, sizeof content);
    check_random_access(&source, 0);
    check_reads_to_the_end(&source, 0);
    fls_source_close(&source);
    assert_status(fls_source_map_file(&source, files_join(directory, "empty"), &err), FLS_OK, &err);
    check_borrow(&source, "", 0);
    fls_source_close(&source);
    assert_status(fls_source_map_file(&source, files_join(directory, "none"), &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, ENOENT);
    assert_status(fls_source_map_file(&source, "/dev/null", &err), FLS_UNSUPPORTED, &err);
    assert_null(source.ops);
}

/* A descriptor's source begins where the descriptor stands, in every way of reading it. */
static void descriptor_begins_where_it_stands(void **state)
{
    (void)state;
    enum { START = 1234 };
    fls_source source;
    fls_error err = FLS_ERROR_INIT;
    const char *path = files_join(directory, "a");
    int fd = open(path, O_RDONLY);
    assert_int_equal(lseek(fd, START, SEEK_SET), START);
    assert_status(fls_source_from_fd(&source, fd, 0, &err), FLS_OK, &err);
    check_random_access(&source, START);
    check_reads_to_the_end(&source, START);
    fls_source_close(&source);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    char name[64];
    snprintf(name, sizeof name, "/dev/fd/%d", fd);
    assert_status(fls_source_open_file(&source, name, &err), FLS_OK, &err);
    check_reads_to_the_end(&source, 0);
    fls_source_close(&source);
    assert_status(fls_source_from_fd(&source, fd, 1, &err), FLS_OK, &err);
    fls_source_close(&source);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_status(fls_source_from_fd(&source, fd, 1, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, EBADF);
}

static void pipe_blocks_and_ends(void **state)
{
    (void)state;
    int ends[2];
    fls_source source;
    fls_error err = FLS_ERROR_INIT;
    char text[8] = "";
    size_t got = 0;
    uint64_t size = 0;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_status(fls_source_from_fd(&source, ends[0], 1, &err), FLS_OK, &err);
    assert_status(fls_source_size(&source, &size, &err), FLS_UNSUPPORTED, &err);
    assert_status(fls_source_read_all_at(&source, 0, text, 1, &got, &err), FLS_UNSUPPORTED, &err);
    assert_status(fls_source_read_all(&source, text, 8, &got, &err), FLS_WOULD_BLOCK, &err);
    assert_int_equal(got, 0);
    assert_string_equal(err.text, "");
    assert_int_equal(write(ends[1], "abc", 3), 3);
    assert_status(fls_source_read_all(&source, text, 8, &got, &err), FLS_WOULD_BLOCK, &err);
    assert_int_equal(got, 3);
    assert_memory_equal(text, "abc", 3);
    assert_int_equal(write(ends[1], "de", 2), 2);
    close(ends[1]);
    assert_status(fls_source_read_all(&source, text, 8, &got, &err), FLS_OK, &err);
    assert_int_equal(got, 2);
    assert_status(fls_source_read_all(&source, text, 8, &got, &err), FLS_END, &err);
    fls_source_close(&source);
    assert_int_equal(fcntl(ends[0], F_GETFD), -1);
}

/* A source that does what the script says. */
typedef struct script {
    size_t left;
    size_t at_most;
    size_t claim;    /* what to add to the truth */
    fls_status then; /* behind the last byte */
    unsigned calls;
    int closed;
} script;

static fls_status script_read(void *self, void *buffer, size_t capacity, size_t *got,
                              fls_error *err)
{
    script *from = self;
    from->calls++;
    if (from->left == 0) {
        return from->then == FLS_END ? FLS_END : fls_error_set(err, from->then, EIO, "no more");
    }
    size_t give = capacity < from->at_most ? capacity : from->at_most;
    give = give < from->left ? give : from->left;
    memset(buffer, 'x', give);
    from->left -= give;
    *got = give + from->claim;
    return FLS_OK;
}

static fls_status script_read_at(void *self, uint64_t offset, void *buffer, size_t capacity,
                                 size_t *got, fls_error *err)
{
    (void)offset;
    return script_read(self, buffer, capacity, got, err);
}

static void script_close(void *self)
{
    ((script *)self)->closed++;
}

static void function_gives_pieces(void **state)
{
    (void)state;
    static const fls_status ends[] = {FLS_END, FLS_WOULD_BLOCK, FLS_CLOSED, FLS_IO};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        script from = {.left = 10, .at_most = 3, .then = ends[i]};
        fls_source source;
        fls_error err = FLS_ERROR_INIT;
        char text[16];
        size_t got = 0;
        uint64_t size = 0;
        assert_status(fls_source_from_function(&source, script_read, &from, &err), FLS_OK, &err);
        assert_status(fls_source_read_all(&source, text, 7, &got, &err), FLS_OK, &err);
        assert_int_equal(from.calls, 3);
        fls_status wanted = ends[i] == FLS_END ? FLS_OK : ends[i];
        assert_status(fls_source_read_all(&source, text, 7, &got, &err), wanted, &err);
        assert_int_equal(got, 3);
        assert_status(fls_source_read_all(&source, text, 7, &got, &err), ends[i], &err);
        assert_int_equal(got, 0);
        assert_status(fls_source_size(&source, &size, &err), FLS_UNSUPPORTED, &err);
        fls_source_close(&source);
    }
    fls_source source;
    assert_int_equal(fls_source_from_function(&source, NULL, NULL, NULL), FLS_INVALID_ARGUMENT);
    fls_source_close(&source);
}

static void lying_sources_are_errors(void **state)
{
    (void)state;
    static const fls_source_ops ops = {
        .struct_bytes = sizeof(fls_source_ops),
        .read = script_read,
        .read_at = script_read_at,
        .close = script_close,
    };
    static const script lies[] = {{.left = 9, .at_most = 0}, {.left = 9, .at_most = 4, .claim = 1}};
    for (size_t i = 0; i < 2; i++) {
        for (int random = 0; random < 2; random++) {
            script from = lies[i];
            fls_source source = {&ops, &from};
            fls_error err = FLS_ERROR_INIT;
            char text[4];
            size_t got = 9;
            fls_status status =
                random ? fls_source_read_all_at(&source, 0, text, sizeof text, &got, &err)
                       : fls_source_read_all(&source, text, sizeof text, &got, &err);
            assert_status(status, FLS_IO, &err);
            assert_int_equal(got, 0);
            assert_int_equal(from.calls, 1);
            fls_source_close(&source);
            assert_int_equal(from.closed, 1);
        }
    }
}

static void empty_sources_are_harmless(void **state)
{
    (void)state;
    fls_source source = {NULL, NULL};
    char byte = 0;
    size_t got = 1;
    uint64_t size = 1;
    assert_int_equal(fls_source_read_all(&source, &byte, 1, &got, NULL), FLS_INVALID_ARGUMENT);
    assert_int_equal(got, 0);
    assert_int_equal(fls_source_read_all_at(&source, 0, &byte, 1, &got, NULL), FLS_UNSUPPORTED);
    assert_int_equal(fls_source_size(&source, &size, NULL), FLS_UNSUPPORTED);
    assert_int_equal(size, 0);
    fls_source_close(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_read),
        cmocka_unit_test(file_is_read),
        cmocka_unit_test(growing_file_is_read_on),
        cmocka_unit_test(mapping_is_borrowed),
        cmocka_unit_test(descriptor_begins_where_it_stands),
        cmocka_unit_test(pipe_blocks_and_ends),
        cmocka_unit_test(function_gives_pieces),
        cmocka_unit_test(lying_sources_are_errors),
        cmocka_unit_test(empty_sources_are_harmless),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
