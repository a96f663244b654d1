/* The recipe for flatcc, examples/flatcc_stream.h: pages of its emitter go out as one message, and
 * its verifiers are validators. flatcc itself is not packaged; its emitter's pages are laid here as
 * its documentation says they lie. */
#include "flatcc_stream.h"

#include "flatstream/flatstream.h"
#include "support/testing.h"

enum { PAGE = FLATCC_EMITTER_PAGE_SIZE };

size_t flatcc_builder_get_buffer_size(flatcc_builder_t *B)
{
    return B->emitter.used;
}

void *flatcc_builder_get_emit_context(flatcc_builder_t *B)
{
    return &B->emitter;
}

static flatcc_emitter_page_t *new_page(flatcc_emitter_page_t *before)
{
    flatcc_emitter_page_t *page = calloc(1, sizeof *page);
    assert_non_null(page);
    memset(page->page, 0xee, sizeof page->page); /* not part of the message */
    page->next = before != NULL ? before->next : page;
    page->prev = before != NULL ? before : page;
    page->next->prev = page;
    page->prev->next = page;
    return page;
}

/* The bytes before the middle of the first page grow towards the front, vtables behind it towards
 * the back; either may need more pages, and a page that is not in use stays in the ring. */
static void emit(flatcc_emitter_t *emitter, const uint8_t *bytes, size_t front, size_t back)
{
    memset(emitter, 0, sizeof *emitter);
    flatcc_emitter_page_t *middle = new_page(NULL);
    emitter->front = emitter->back = middle;
    emitter->front_cursor = emitter->back_cursor = middle->page + PAGE / 2;
    emitter->front_left = emitter->back_left = PAGE / 2;
    for (size_t i = front; i-- > 0;) {
        if (emitter->front_left == 0) {
            emitter->front = new_page(emitter->front->prev);
            emitter->front_cursor = emitter->front->page + PAGE;
            emitter->front_left = PAGE;
        }
        *--emitter->front_cursor = bytes[i];
        emitter->front_left--;
    }
    for (size_t i = front; i < front + back; i++) {
        if (emitter->back_left == 0) {
            emitter->back = new_page(emitter->back);
            emitter->back_cursor = emitter->back->page;
            emitter->back_left = PAGE;
        }
        *emitter->back_cursor++ = bytes[i];
        emitter->back_left--;
    }
    emitter->used = front + back;
    new_page(emitter->back);
}

static void free_pages(flatcc_emitter_t *emitter)
{
    flatcc_emitter_page_t *page = emitter->front;
    page->prev->next = NULL;
    while (page != NULL) {
        flatcc_emitter_page_t *next = page->next;
        free(page);
        page = next;
    }
}

static void test_pages(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {
        {40, 8},       {PAGE / 2, PAGE / 2}, {PAGE / 2 + 1, 0}, {0, PAGE / 2 + 1},
        {5 * PAGE, 8}, {8, 5 * PAGE + 3},    {30 * PAGE, 100},  {20 * PAGE, 20 * PAGE + 7}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = sizes[i][0] + sizes[i][1];
        uint8_t *bytes = malloc(size);
        assert_non_null(bytes);
        for (size_t k = 0; k < size; k++) {
            bytes[k] = (uint8_t)(k * 7 + k / 256);
        }
        flatcc_builder_t builder;
        emit(&builder.emitter, bytes, sizes[i][0], sizes[i][1]);
        fls_sink sink;
        fls_writer *writer;
        assert_int_equal(fls_sink_open_memory(&sink, NULL, NULL), FLS_OK);
        assert_int_equal(fls_writer_open(&writer, sink, NULL, NULL), FLS_OK);
        assert_int_equal(flatcc_stream_write(writer, &builder, NULL), FLS_OK);
        assert_int_equal(fls_writer_flush(writer, NULL), FLS_OK);

        const void *stream;
        size_t stream_bytes;
        fls_cursor cursor;
        fls_message message;
        assert_int_equal(fls_sink_memory(&sink, &stream, &stream_bytes), FLS_OK);
        assert_int_equal(fls_cursor_init(&cursor, stream, stream_bytes, NULL, NULL), FLS_OK);
        assert_int_equal(fls_cursor_next(&cursor, &message, NULL), FLS_OK);
        assert_int_equal(message.size, size);
        assert_memory_equal(message.payload, bytes, size);
        assert_int_equal(fls_cursor_next(&cursor, &message, NULL), FLS_END);
        assert_int_equal(fls_writer_close(writer, NULL), FLS_OK);
        free_pages(&builder.emitter);
        free(bytes);
    }
}

static void test_nothing_built(void **state)
{
    (void)state;
    flatcc_builder_t builder = {{0}};
    fls_error err = FLS_ERROR_INIT;
    uint8_t memory[64];
    fls_sink sink;
    fls_writer *writer;
    assert_int_equal(fls_sink_open_fixed(&sink, memory, sizeof memory, NULL), FLS_OK);
    assert_int_equal(fls_writer_open(&writer, sink, NULL, NULL), FLS_OK);
    assert_int_equal(flatcc_stream_write(writer, &builder, &err), FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_writer_messages(writer), 0);
    assert_int_equal(fls_writer_close(writer, NULL), FLS_OK);
}

/* Of the shape that flatcc generates: 0, or the number of what is wrong. */
static int weather_Reading_verify_as_root(const void *buf, size_t bufsiz)
{
    return (uintptr_t)buf % 8 != 0 ? 5 : bufsiz < 8 ? 1 : 0;
}

static void test_verifier(void **state)
{
    (void)state;
    fls_verify_function reading = {weather_Reading_verify_as_root};
    fls_validator validator = fls_validator_verify_function("Reading", &reading, 8);
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.validators = &validator;
    options.validator_count = 1;
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    fls_writer *writer;
    assert_int_equal(fls_sink_open_memory(&sink, NULL, NULL), FLS_OK);
    assert_int_equal(fls_writer_open(&writer, sink, &options, NULL), FLS_OK);
    assert_int_equal(fls_writer_write(writer, "1234", 4, &err), FLS_VALIDATION_FAILED);
    assert_string_equal(err.name, "Reading");
    assert_int_equal(fls_writer_write(writer, "12345678", 8, &err), FLS_OK);
    assert_int_equal(fls_writer_close(writer, NULL), FLS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pages),
                                       cmocka_unit_test(test_nothing_built),
                                       cmocka_unit_test(test_verifier)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
