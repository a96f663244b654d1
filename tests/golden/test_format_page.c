/* The tables of docs/FORMAT.md, read from the page itself: its check values, golden frames and
 * examples hold for the library and for the reference decoder. */
#include "flatstream/flatstream.h"
#include "support/files.h"
#include "support/readers.h"
#include "support/testing.h"

/* Splits "| a | b |" into cells, without back quotes and blanks at their ends. Returns how many. */
#define MAX_CELLS 8
static size_t split(char *line, char *cells[MAX_CELLS])
{
    size_t count = 0;
    char *at = *line == '|' ? line + 1 : line;
    for (char *bar; count < MAX_CELLS && (bar = strchr(at, '|')) != NULL; at = bar + 1) {
        *bar = '\0';
        while (*at == ' ' || *at == '`') {
            at++;
        }
        char *end = bar;
        while (end > at && (end[-1] == ' ' || end[-1] == '`')) {
            *--end = '\0';
        }
        cells[count++] = at;
    }
    return count;
}

static void from_hex(const char *hex, byte_buffer *into)
{
    bytes_clear(into);
    for (; hex[0] != '\0'; hex += 2) {
        unsigned value;
        assert_int_equal(sscanf(hex, "%2x", &value), 1);
        bytes_append_le(into, value, 1);
    }
}

static void check_frame(fls_checksum checksum, const char *hex)
{
    ref_format format = {checksum, NULL, 0};
    byte_buffer page = BYTES_INIT;
    byte_buffer frame = BYTES_INIT;
    from_hex(hex, &page);
    frames_append(&frame, &format, "abc", 3);
    assert_int_equal(page.size, frame.size);
    assert_memory_equal(page.data, frame.data, frame.size);
    bytes_free(&page);
    bytes_free(&frame);
}

static void check_values(fls_checksum checksum, const char *width, const char *of_digits,
                         const char *of_empty)
{
    assert_int_equal(fls_checksum_width(checksum), strtoul(width, NULL, 10));
    assert_int_equal(fls_checksum_digest(checksum, "123456789", 9), strtoull(of_digits, NULL, 16));
    assert_int_equal(fls_checksum_digest(checksum, "", 0), strtoull(of_empty, NULL, 16));
}

static fls_status end_named(const char *text)
{
    static const struct {
        const char *text;
        fls_status status;
    } names[] = {{"end", FLS_END},
                 {"zero tail", FLS_ZERO_TAIL},
                 {"unexpected end", FLS_UNEXPECTED_EOF},
                 {"invalid frame", FLS_INVALID_FRAME},
                 {"checksum mismatch", FLS_CHECKSUM_MISMATCH}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i].text, text) == 0) {
            return names[i].status;
        }
    }
    fail_msg("the page says \"%s\"", text);
    return FLS_OK;
}

static void check_example(fls_checksum checksum, char *cells[MAX_CELLS])
{
    byte_buffer stream = BYTES_INIT;
    from_hex(cells[1], &stream);
    readers_case what = {
        {checksum, NULL, 0}, bytes_exact_copy(stream.data, stream.size), stream.size};
    ref_stream expected = ref_decode(&what.format, stream.data, stream.size);
    if (expected.count != strtoul(cells[2], NULL, 10) || expected.end != end_named(cells[3])) {
        fail_msg("%s %s: %zu messages, %s", cells[0], cells[1], expected.count,
                 fls_status_name(expected.end));
    }
    prng random = prng_seeded(stream.size);
    readers_verdict verdict = readers_agree(&what, &random);
    if (!verdict.agree) {
        fail_msg("%s %s: %s", cells[0], cells[1], verdict.why);
    }
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    options.checksum = checksum;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_recover_memory(what.data, stream.size, &options, &report, &err), FLS_OK,
                  &err);
    if (strcmp(fls_stream_end_name(report.end), cells[4]) != 0) {
        fail_msg("%s %s: %s, the page says %s", cells[0], cells[1], fls_stream_end_name(report.end),
                 cells[4]);
    }
    assert_int_equal(report.frames, expected.count);
    assert_int_equal(report.last_good_offset, expected.offset);
    ref_free(&expected);
    free((void *)(uintptr_t)what.data);
    bytes_free(&stream);
}

static void every_table(void **state)
{
    (void)state;
    byte_buffer page = BYTES_INIT;
    assert_int_equal(files_read(FLS_SOURCE_DIR "/docs/FORMAT.md", &page), 0);
    bytes_append(&page, "", 1);
    size_t values = 0;
    size_t frames = 0;
    size_t examples = 0;
    char *next = NULL;
    for (char *line = strtok_r((char *)page.data, "\n", &next); line != NULL;
         line = strtok_r(NULL, "\n", &next)) {
        char *cells[MAX_CELLS];
        fls_checksum checksum;
        size_t count = *line == '|' ? split(line, cells) : 0;
        if (count < 2 || fls_checksum_from_name(cells[0], &checksum) != FLS_OK) {
            continue;
        }
        if (count == 5 && (strncmp(cells[3], "0x", 2) == 0 || cells[2][0] == '\0')) {
            check_values(checksum, cells[1], cells[3], cells[4]);
            values++;
        } else if (count == 5) {
            check_example(checksum, cells);
            examples++;
        } else if (count == 2 && strncmp(cells[1], "03000000", 8) == 0) {
            check_frame(checksum, cells[1]);
            frames++;
        }
    }
    assert_int_equal(values, 4);
    assert_int_equal(frames, 4);
    assert_int_equal(examples, 20);
    bytes_free(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
