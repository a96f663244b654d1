/* Compressed segments: what zstd itself makes of them, reading at any place, and files that are not
 * what they seem. In a build without zstd only that it says so. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/bytes.h"
#include "journal/journal_zstd.h"
#include "support/files.h"
#include "support/testing.h"

enum { READ_MAX = 5000 };

static char directory[256];
static char path[300];

static int make_directory(void **state)
{
    (void)state;
    files_make_directory(directory, sizeof directory);
    (void)snprintf(path, sizeof path, "%s/segment.fls.zst", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    files_remove_directory(directory);
    return 0;
}

/* Bytes that can be compressed, and in which every place is another. */
static void make_plain(byte_buffer *plain, size_t size, uint64_t seed)
{
    prng random = prng_seeded(seed);
    bytes_clear(plain);
    while (plain->size < size) {
        bytes_append_le(plain, prng_below(&random, 50), 8);
        bytes_append_le(plain, plain->size, 4);
    }
}

/* Compresses in pieces of these sizes, 0 at the end; skips the test in a build without zstd. */
static void compress(const byte_buffer *plain, const size_t *pieces, int level)
{
    fls_error err = FLS_ERROR_INIT;
    flsi_file file;
    flsi_zstd_writer *writer;
    uint64_t file_bytes = 0;
    size_t done = 0;
    (void)unlink(path);
    assert_status(flsi_file_create(&file, path, NULL, NULL, &err), FLS_OK, &err);
    fls_status st = flsi_zstd_begin(&writer, &file, level, fls_allocator_libc(), &err);
    if (st == FLS_UNSUPPORTED) {
        assert_int_equal(flsi_file_close(&file, &err), FLS_OK);
        skip();
    }
    assert_status(st, FLS_OK, &err);
    for (; *pieces != 0; pieces++) {
        assert_status(flsi_zstd_put(writer, plain->data + done, *pieces, &err), FLS_OK, &err);
        done += *pieces;
    }
    assert_int_equal(done, plain->size);
    assert_status(flsi_zstd_end(writer, &file_bytes, &err), FLS_OK, &err);
    flsi_zstd_free(writer);
    assert_status(flsi_file_close(&file, &err), FLS_OK, &err);
    assert_int_equal(file_bytes, files_size(path));
}

static fls_status open_reader(flsi_zstd_reader **reader, flsi_file *file, fls_error *err)
{
    assert_status(flsi_file_open(file, path, FLSI_OPEN_READ, NULL, err), FLS_OK, err);
    fls_status st = flsi_zstd_open(reader, file, fls_allocator_libc(), err);
    if (st != FLS_OK) {
        assert_null(*reader);
        assert_int_equal(flsi_file_close(file, NULL), FLS_OK);
    }
    return st;
}

static void close_reader(flsi_zstd_reader *reader, flsi_file *file)
{
    flsi_zstd_close(reader);
    assert_int_equal(flsi_file_close(file, NULL), FLS_OK);
}

static void any_place_can_be_read(void **state)
{
    static const size_t pieces[] = {1 << 20, 1, 300001, 4095, 1 << 20, 7, 0};
    byte_buffer plain = BYTES_INIT;
    uint8_t buffer[READ_MAX];
    fls_error err = FLS_ERROR_INIT;
    flsi_zstd_reader *reader;
    flsi_file file;
    prng random = prng_seeded(41);
    size_t size = 0;
    size_t got;
    (void)state;
    for (size_t i = 0; pieces[i] != 0; i++) {
        size += pieces[i];
    }
    make_plain(&plain, size, 1);
    plain.size = size;
    compress(&plain, pieces, 0);
    assert_true(files_size(path) < size / 2);

    assert_status(open_reader(&reader, &file, &err), FLS_OK, &err);
    assert_int_equal(flsi_zstd_bytes(reader), size);
    for (int i = 0; i < 2000; i++) {
        /* Mostly near by, as reading on is, and often at the seams of pieces. */
        uint64_t at =
            i % 3 != 0 ? (1 << 20) - 100 + prng_below(&random, 200) : prng_below(&random, size);
        size_t capacity = 1 + (size_t)prng_below(&random, READ_MAX);
        assert_status(flsi_zstd_read_at(reader, at, buffer, capacity, &got, &err), FLS_OK, &err);
        assert_in_range(got, 1, capacity);
        assert_memory_equal(buffer, plain.data + at, got);
    }
    for (uint64_t at = 0; at < size; at += got) {
        assert_status(flsi_zstd_read_at(reader, at, buffer, READ_MAX, &got, &err), FLS_OK, &err);
        assert_memory_equal(buffer, plain.data + at, got);
    }
    assert_int_equal(flsi_zstd_read_at(reader, size, buffer, 1, &got, &err), FLS_END);
    assert_int_equal(flsi_zstd_read_at(reader, UINT64_MAX, buffer, 1, &got, &err), FLS_END);
    close_reader(reader, &file);
    bytes_free(&plain);
}

static void empty_one_has_an_end(void **state)
{
    static const size_t pieces[] = {0};
    byte_buffer plain = BYTES_INIT;
    fls_error err = FLS_ERROR_INIT;
    flsi_zstd_reader *reader;
    flsi_file file;
    uint8_t byte;
    size_t got;
    (void)state;
    compress(&plain, pieces, 0);
    assert_status(open_reader(&reader, &file, &err), FLS_OK, &err);
    assert_int_equal(flsi_zstd_bytes(reader), 0);
    assert_int_equal(flsi_zstd_read_at(reader, 0, &byte, 1, &got, &err), FLS_END);
    close_reader(reader, &file);
}

static void many_pieces_have_a_table(void **state)
{
    enum { PIECES = 1000 };
    size_t pieces[PIECES + 1];
    byte_buffer plain = BYTES_INIT;
    fls_error err = FLS_ERROR_INIT;
    flsi_zstd_reader *reader;
    flsi_file file;
    uint8_t buffer[8];
    size_t got;
    (void)state;
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = 12;
    }
    pieces[PIECES] = 0;
    make_plain(&plain, (size_t)PIECES * 12, 3);
    compress(&plain, pieces, 1);
    assert_status(open_reader(&reader, &file, &err), FLS_OK, &err);
    for (size_t i = 0; i < PIECES; i++) {
        assert_status(flsi_zstd_read_at(reader, i * 12 + 8, buffer, 8, &got, &err), FLS_OK, &err);
        assert_int_equal(got, 4);
        assert_int_equal(flsi_load_le32(buffer), i * 12 + 8);
    }
    close_reader(reader, &file);
    bytes_free(&plain);
}

static int run_command(const char *command)
{
    return system(command); /* NOLINT(cert-env33-c): names that this test made */
}

/* The plain file, by the zstd command. */
static void zstd_itself_reads_it(void **state)
{
    static const size_t pieces[] = {1200000, 600000, 12, 0};
    byte_buffer plain = BYTES_INIT;
    byte_buffer made = BYTES_INIT;
    char command[900];
    (void)state;
    make_plain(&plain, 1800012, 5);
    compress(&plain, pieces, 3);
    if (run_command("command -v zstd >/dev/null 2>&1") != 0) {
        print_message("there is no zstd command here\n");
        bytes_free(&plain);
        skip();
    }
    const char *output = files_join(directory, "plain.fls");
    (void)snprintf(command, sizeof command, "zstd -q -d -f -o '%s' '%s'", output, path);
    assert_int_equal(run_command(command), 0);
    assert_int_equal(files_read(output, &made), 0);
    assert_int_equal(made.size, plain.size);
    assert_memory_equal(made.data, plain.data, plain.size);
    bytes_free(&plain);
    bytes_free(&made);
}

static void limits_are_kept(void **state)
{
    static const size_t pieces[] = {12, 0};
    byte_buffer plain = BYTES_INIT;
    fls_error err = FLS_ERROR_INIT;
    flsi_zstd_writer *writer;
    flsi_file file;
    (void)state;
    make_plain(&plain, 12, 6);
    compress(&plain, pieces, 0);
    assert_int_equal(flsi_file_open(&file, path, FLSI_OPEN_WRITE, NULL, &err), FLS_OK);
    assert_int_equal(flsi_zstd_begin(&writer, &file, 1000, fls_allocator_libc(), &err),
                     FLS_INVALID_ARGUMENT);
    assert_int_equal(flsi_zstd_begin(&writer, &file, 0, fls_allocator_libc(), &err), FLS_OK);
    assert_int_equal(flsi_zstd_put(writer, plain.data, 0, &err), FLS_INVALID_ARGUMENT);
    assert_int_equal(flsi_zstd_put(writer, plain.data, FLSI_ZSTD_PIECE_LIMIT + 1, &err),
                     FLS_INVALID_ARGUMENT);
    flsi_zstd_free(writer);
    assert_int_equal(flsi_file_close(&file, &err), FLS_OK);
    bytes_free(&plain);
}

/* Reads everything that opens; what can be read has to be within the bounds that the file tells,
 * and equal to plain (if not NULL) where all can be. */
static fls_status read_hostile(const byte_buffer *bytes, const byte_buffer *plain)
{
    fls_error err = FLS_ERROR_INIT;
    flsi_zstd_reader *reader;
    flsi_file file;
    fls_status worst = FLS_OK;
    uint8_t buffer[READ_MAX];
    files_write(path, bytes->data, bytes->size);
    fls_status st = open_reader(&reader, &file, &err);
    if (st != FLS_OK) {
        return st;
    }
    uint64_t size = flsi_zstd_bytes(reader);
    for (uint64_t at = 0; at < size;) {
        size_t got;
        st = flsi_zstd_read_at(reader, at, buffer, READ_MAX, &got, &err);
        if (st != FLS_OK) {
            worst = st;
            assert_true((err.known & FLS_ERROR_OFFSET) != 0 && err.offset < bytes->size);
            at += READ_MAX; /* other pieces */
            continue;
        }
        assert_in_range(got, 1, READ_MAX);
        if (plain != NULL) {
            assert_true(at + got <= plain->size);
            assert_memory_equal(buffer, plain->data + at, got);
        }
        at += got;
    }
    close_reader(reader, &file);
    return worst;
}

static void set_footer_count(byte_buffer *bytes, uint32_t count)
{
    flsi_store_le32(bytes->data + bytes->size - 9, count);
}

static void each_rule_has_its_refusal(void **state)
{
    static const size_t pieces[] = {1200, 2400, 0};
    byte_buffer plain = BYTES_INIT;
    byte_buffer good = BYTES_INIT;
    byte_buffer bad = BYTES_INIT;
    (void)state;
    make_plain(&plain, 3600, 7);
    compress(&plain, pieces, 0);
    assert_int_equal(files_read(path, &good), 0);
    assert_int_equal(read_hostile(&good, &plain), FLS_OK);
    size_t footer = good.size - 9;
    size_t table = footer - 16 - 8;

    struct {
        size_t at;
        uint32_t value;
        fls_status wanted;
    } cases[] = {
        {footer + 5, 0x8F92EAB0u, FLS_INVALID_FRAME}, /* 1: magic */
        {footer, 1, FLS_INVALID_FRAME},               /* 2: other places */
        {footer, 0x7fffffffu, FLS_UNSUPPORTED},       /* a table beyond all limits */
        {footer, 100000, FLS_INVALID_FRAME},          /* larger than the file */
        {table, 0x184D2A5Fu, FLS_INVALID_FRAME},      /* 2: magic */
        {table + 4, 26, FLS_INVALID_FRAME},           /* 2: size */
        {table + 12, 0, FLS_INVALID_FRAME},           /* 3: nothing in a piece */
        {table + 8, 0, FLS_INVALID_FRAME},            /* 3 */
        {table + 12, 0x7fffffffu, FLS_UNSUPPORTED},   /* 3: too much */
        {table + 8, 0xffffffffu, FLS_INVALID_FRAME},  /* 3 */
        {table + 8, 1, FLS_INVALID_FRAME},            /* 4 */
        {table + 12, 1201, FLS_INVALID_FRAME},        /* a piece that has other bytes */
        {table + 12, 1199, FLS_INVALID_FRAME},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bytes_clear(&bad);
        bytes_append(&bad, good.data, good.size);
        flsi_store_le32(bad.data + cases[i].at, cases[i].value);
        fls_status got = read_hostile(&bad, NULL);
        if (got != cases[i].wanted) {
            fail_msg("case %zu is %s", i, fls_status_name(got));
        }
    }
    bytes_clear(&bad);
    bytes_append(&bad, good.data, good.size);
    bad.data[footer + 4] = 4; /* 1: a reserved bit */
    assert_int_equal(read_hostile(&bad, NULL), FLS_INVALID_FRAME);

    /* With checksums in the table, as others write it. */
    bytes_clear(&bad);
    bytes_append(&bad, good.data, table + 16);
    bytes_append_zeros(&bad, 4);
    bytes_append(&bad, good.data + table + 16, 8);
    bytes_append_zeros(&bad, 4);
    bytes_append(&bad, good.data + footer, 9);
    flsi_store_le32(bad.data + table + 4, 24 + 9);
    set_footer_count(&bad, 2);
    bad.data[bad.size - 5] = 0x80;
    assert_int_equal(read_hostile(&bad, NULL), FLS_OK);

    for (size_t size = 0; size < good.size; size++) {
        bytes_clear(&bad);
        bytes_append(&bad, good.data, size);
        assert_int_not_equal(read_hostile(&bad, NULL), FLS_OK);
    }
    bytes_free(&plain);
    bytes_free(&good);
    bytes_free(&bad);
}

/* No flipped bit changes what is read, and none of the other pieces is lost by one. */
static void every_flipped_bit_is_seen(void **state)
{
    static const size_t pieces[] = {240, 360, 0};
    byte_buffer plain = BYTES_INIT;
    byte_buffer bytes = BYTES_INIT;
    uint8_t buffer[READ_MAX];
    int unseen = 0;
    (void)state;
    make_plain(&plain, 600, 9);
    compress(&plain, pieces, 0);
    assert_int_equal(files_read(path, &bytes), 0);
    uint32_t first = flsi_load_le32(bytes.data + bytes.size - 9 - 16);
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        fls_status st = read_hostile(&bytes, &plain);
        if (st == FLS_OK) {
            unseen++;
        }
        if (bit / 8 < first && st != FLS_OK) {
            fls_error err = FLS_ERROR_INIT;
            flsi_zstd_reader *reader;
            flsi_file file;
            size_t got;
            assert_status(open_reader(&reader, &file, &err), FLS_OK, &err);
            assert_int_equal(flsi_zstd_read_at(reader, 0, buffer, READ_MAX, &got, &err),
                             FLS_INVALID_FRAME);
            assert_int_equal(flsi_zstd_read_at(reader, 240, buffer, READ_MAX, &got, &err), FLS_OK);
            assert_int_equal(got, 360);
            assert_memory_equal(buffer, plain.data + 240, 360);
            close_reader(reader, &file);
        }
        bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    /* Two bits of the table's descriptor say nothing, nor do some in zstd's own frames. */
    assert_in_range(unseen, 2, bytes.size);
    bytes_free(&plain);
    bytes_free(&bytes);
}

/* Random damage of several bytes, mostly in the table; nothing is asked but to stay in bounds. */
static void random_damage_does_no_harm(void **state)
{
    enum { ROUNDS = 3000 };
    static const size_t pieces[] = {1200, 24, 2400, 0};
    byte_buffer plain = BYTES_INIT;
    byte_buffer good = BYTES_INIT;
    byte_buffer bad = BYTES_INIT;
    prng random = prng_seeded(77);
    (void)state;
    make_plain(&plain, 3624, 11);
    compress(&plain, pieces, 0);
    assert_int_equal(files_read(path, &good), 0);
    for (int round = 0; round < ROUNDS; round++) {
        bytes_clear(&bad);
        bytes_append(&bad, good.data, good.size);
        for (uint64_t hits = 1 + prng_below(&random, 4); hits > 0; hits--) {
            size_t reach = prng_below(&random, 3) == 0 ? bad.size : 41;
            bad.data[bad.size - 1 - prng_below(&random, reach)] = (uint8_t)prng_next(&random);
        }
        if (prng_below(&random, 8) == 0) {
            bad.size -= (size_t)prng_below(&random, 50);
        }
        (void)read_hostile(&bad, NULL);
    }
    bytes_free(&plain);
    bytes_free(&good);
    bytes_free(&bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_place_can_be_read),     cmocka_unit_test(empty_one_has_an_end),
        cmocka_unit_test(many_pieces_have_a_table),  cmocka_unit_test(zstd_itself_reads_it),
        cmocka_unit_test(limits_are_kept),           cmocka_unit_test(each_rule_has_its_refusal),
        cmocka_unit_test(every_flipped_bit_is_seen), cmocka_unit_test(random_damage_does_no_harm),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
