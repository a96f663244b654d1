/* A stream of 1 GiB with 1,000 flipped bits, through the tool: what `salvage` says was lost and
 * what it brought back are together the file, byte by byte; every message that came back is the
 * true one; none is gone that was not hit; and `diff` names just those that are gone.
 *
 *     build/release/tests/long_salvage_gigabyte
 */
#include <stdlib.h>

#include "flatstream/flatstream.h"
#include "support/files.h"
#include "support/testing.h"

#define STREAM_BYTES ((uint64_t)1 << 30)
#define FLIPS        1000u
#define COPY_BYTES   ((size_t)1 << 20)

static char directory[256];
static char whole[300];
static char damaged[300];
static char saved[300];
static char report[300];

typedef struct range {
    uint64_t from;
    uint64_t to;
} range;

typedef struct ranges {
    range *all;
    size_t count;
} ranges;

/* ---- making it ---- */

static void make_whole(void)
{
    fls_writer *writer;
    fls_error err = FLS_ERROR_INIT;
    prng random = prng_seeded(1);
    byte_buffer payload = BYTES_INIT;
    assert_status(fls_writer_open_file(&writer, whole, NULL, &err), FLS_OK, &err);
    while (fls_writer_offset(writer) < STREAM_BYTES) {
        frames_flatbuffer(&payload, &random, (size_t)prng_below(&random, 400));
        assert_status(fls_writer_write(writer, payload.data, payload.size, &err), FLS_OK, &err);
    }
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
    bytes_free(&payload);
}

static int by_offset(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* Where the flipped bits are, in bits and in order. */
static void make_damaged(uint64_t flips[FLIPS])
{
    static uint8_t bytes[COPY_BYTES];
    prng random = prng_seeded(2);
    FILE *from = fopen(whole, "rb");
    FILE *to = fopen(damaged, "w+b");
    size_t got;
    assert_non_null(from);
    assert_non_null(to);
    while ((got = fread(bytes, 1, sizeof bytes, from)) > 0) {
        assert_int_equal(fwrite(bytes, 1, got, to), got);
    }
    for (size_t i = 0; i < FLIPS; i++) {
        flips[i] = prng_below(&random, 8 * files_size(whole));
    }
    qsort(flips, FLIPS, sizeof flips[0], by_offset);
    for (size_t i = 0; i < FLIPS; i++) {
        assert_int_equal(fseeko(to, (off_t)(flips[i] / 8), SEEK_SET), 0);
        int byte = fgetc(to);
        assert_int_equal(fseeko(to, (off_t)(flips[i] / 8), SEEK_SET), 0);
        assert_true(fputc(byte ^ (1 << flips[i] % 8), to) != EOF);
    }
    assert_int_equal(fclose(from), 0);
    assert_int_equal(fclose(to), 0);
}

/* ---- what the tool says ---- */

static int run(const char *verb, const char *arguments)
{
    char command[1500];
    (void)snprintf(command, sizeof command, "'%s' %s %s > '%s'", FLS_TOOL_PATH, verb, arguments,
                   report);
    int status = system(command); /* NOLINT(cert-env33-c): the tool under test */
    return status >= 0 ? status >> 8 : status;
}

static uint64_t number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

/* The ranges of one of the report's lists. */
static ranges list_of(const char *text, const char *key)
{
    ranges list = {NULL, 0};
    const char *at = strstr(text, key);
    assert_non_null(at);
    const char *end = strchr(at, ']');
    assert_non_null(end);
    list.all = calloc(FLIPS + 1, sizeof *list.all);
    assert_non_null(list.all);
    while ((at = strstr(at, "{\"from\": ")) != NULL && at < end) {
        assert_true(list.count < FLIPS);
        list.all[list.count].from = number_after(at, "{\"from\": ");
        list.all[list.count].to = number_after(at, "\"to\": ");
        list.count++;
        at++;
    }
    return list;
}

static uint64_t bytes_of(const ranges *list)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < list->count; i++) {
        assert_true(list->all[i].to > list->all[i].from);
        assert_true(i == 0 || list->all[i].from >= list->all[i - 1].to);
        sum += list->all[i].to - list->all[i].from;
    }
    return sum;
}

static int has_flip(const uint64_t flips[FLIPS], uint64_t from, uint64_t to)
{
    size_t low = 0;
    size_t high = FLIPS;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (flips[middle] / 8 < from) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < FLIPS && flips[low] / 8 < to;
}

/* ---- what came back ---- */

/* Both streams side by side: a message of the whole one is in a range that was lost, and hit, or it
 * is the next one that was saved. What was saved fills all between the lost ranges. Returns how
 * many are gone. */
static uint64_t compare(const ranges *lost, const uint64_t flips[FLIPS], uint64_t ordinals[FLIPS])
{
    fls_reader *before;
    fls_reader *after;
    fls_message message;
    fls_message kept;
    fls_error err = FLS_ERROR_INIT;
    fls_status status;
    size_t next = 0;
    uint64_t gone = 0;
    uint64_t back_bytes = 0;
    assert_status(fls_reader_open_file(&before, whole, NULL, &err), FLS_OK, &err);
    assert_status(fls_reader_open_file(&after, saved, NULL, &err), FLS_OK, &err);
    while ((status = fls_reader_next(before, &message, &err)) == FLS_OK) {
        uint64_t end = message.offset + 12 + message.size;
        while (next < lost->count && lost->all[next].to <= message.offset) {
            next++;
        }
        if (next < lost->count && lost->all[next].from < end) {
            assert_true(lost->all[next].from <= message.offset && end <= lost->all[next].to);
            assert_true(has_flip(flips, message.offset, end));
            assert_true(gone < FLIPS);
            ordinals[gone++] = message.ordinal;
            continue;
        }
        assert_status(fls_reader_next(after, &kept, &err), FLS_OK, &err);
        assert_int_equal(kept.size, message.size);
        assert_memory_equal(kept.payload, message.payload, kept.size);
        back_bytes += 12 + kept.size;
    }
    assert_status(status, FLS_END, &err);
    assert_status(fls_reader_next(after, &kept, &err), FLS_END, &err);
    fls_reader_close(before);
    fls_reader_close(after);
    assert_int_equal(back_bytes + bytes_of(lost), files_size(whole));
    assert_int_equal(back_bytes, files_size(saved));
    return gone;
}

/* The differences that `diff` lists are the messages that are gone, each of them and no other. */
static void expect_differences(const char *said, const uint64_t *ordinals, uint64_t count)
{
    uint64_t next = 0;
    const char *at = strstr(said, "\"differences\": [");
    const char *end = strstr(said, "\"faults\": [");
    assert_true(at != NULL && end != NULL);
    while ((at = strstr(at, "{\"kind\": ")) != NULL && at < end) {
        assert_int_equal(strncmp(at, "{\"kind\": \"missing\"", 18), 0);
        uint64_t first = number_after(at, "\"a_ordinal\": ");
        uint64_t messages = number_after(at, "\"messages\": ");
        for (uint64_t i = 0; i < messages; i++) {
            assert_true(next < count);
            assert_int_equal(ordinals[next++], first + i);
        }
        at++;
    }
    assert_int_equal(next, count);
}

static void a_thousand_flips(void **state)
{
    (void)state;
    static uint64_t flips[FLIPS];
    static uint64_t ordinals[FLIPS];
    char arguments[1000];
    byte_buffer text = BYTES_INIT;
    make_whole();
    make_damaged(flips);
    (void)snprintf(arguments, sizeof arguments, "--json -o '%s' '%s'", saved, damaged);
    assert_int_equal(run("salvage", arguments), 1);
    assert_int_equal(files_read(report, &text), 0);
    bytes_append(&text, "", 1);
    const char *said = (const char *)text.data;
    ranges lost = list_of(said, "\"lost\": [");
    ranges repaired = list_of(said, "\"repaired\": [");
    assert_int_equal(number_after(said, "\"lost_bytes\": "), bytes_of(&lost));
    assert_int_equal(number_after(said, "\"stream_bytes\": "), files_size(damaged));
    assert_int_equal(number_after(said, "\"recovered_bytes\": ") + bytes_of(&lost),
                     files_size(damaged));
    assert_int_equal(number_after(said, "\"repaired_messages\": "), repaired.count);
    for (size_t i = 0; i < repaired.count; i++) {
        assert_true(has_flip(flips, repaired.all[i].from, repaired.all[i].from + 12));
    }
    uint64_t back = number_after(said, "\"messages\": ");
    uint64_t gone = compare(&lost, flips, ordinals);
    print_message(
        "%llu bytes, %u flips: %llu messages back, %zu of them repaired; %llu lost in %zu "
        "ranges of %llu bytes\n",
        (unsigned long long)files_size(damaged), FLIPS, (unsigned long long)back, repaired.count,
        (unsigned long long)gone, lost.count, (unsigned long long)bytes_of(&lost));
    assert_true(gone <= FLIPS && gone >= lost.count);

    (void)snprintf(arguments, sizeof arguments, "--json '%s' '%s'", whole, saved);
    assert_int_equal(run("diff", arguments), 1);
    assert_int_equal(files_read(report, &text), 0);
    bytes_append(&text, "", 1);
    said = (const char *)text.data;
    assert_int_equal(number_after(said, "\"missing\": "), gone);
    assert_int_equal(number_after(said, "\"added\": "), 0);
    assert_int_equal(number_after(said, "\"different\": "), 0);
    assert_int_equal(number_after(said, "\"equal\": "), back);
    expect_differences(said, ordinals, gone);
    free(lost.all);
    free(repaired.all);
    bytes_free(&text);
}

static int set_up(void **state)
{
    (void)state;
    files_make_directory(directory, sizeof directory);
    (void)snprintf(whole, sizeof whole, "%s/whole.fls", directory);
    (void)snprintf(damaged, sizeof damaged, "%s/damaged.fls", directory);
    (void)snprintf(saved, sizeof saved, "%s/saved.fls", directory);
    (void)snprintf(report, sizeof report, "%s/report.json", directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    files_remove_directory(directory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_thousand_flips)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
