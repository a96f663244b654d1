/* The cursor's own promises, beyond what tests/property holds against the reference: options,
 * places, limits decided early, skipping, and bytes that go on at another address. */
#include "flatstream/cursor.h"

#include "support/frames.h"
#include "support/testing.h"

static fls_cursor_options with(fls_checksum checksum)
{
    fls_cursor_options options = FLS_CURSOR_OPTIONS_INIT;
    options.checksum = checksum;
    return options;
}

static void three_frames(byte_buffer *stream, fls_checksum checksum)
{
    ref_format format = {checksum, NULL, 0};
    frames_append(stream, &format, "first", 5);
    frames_append(stream, &format, "second", 6);
    frames_append(stream, &format, "third", 5);
}

static void defaults_are_xxh3(void **state)
{
    (void)state;
    byte_buffer stream = BYTES_INIT;
    three_frames(&stream, FLS_CHECKSUM_XXH3);
    fls_cursor cursor;
    fls_message message;
    assert_status(fls_cursor_init(&cursor, stream.data, stream.size, NULL, NULL), FLS_OK, NULL);
    assert_status(fls_cursor_next(&cursor, &message, NULL), FLS_OK, NULL);
    assert_memory_equal(message.payload, "first", 5);
    assert_ptr_equal(message.payload, stream.data + 12);
    assert_int_equal(message.checksum, fls_checksum_digest(FLS_CHECKSUM_XXH3, "first", 5));
    assert_int_equal(fls_cursor_offset(&cursor), 17);
    assert_int_equal(fls_cursor_left(&cursor), stream.size - 17);
    bytes_free(&stream);
}

static uint64_t constant(void *self, const void *data, size_t size)
{
    (void)data;
    (void)size;
    return *(uint64_t *)self;
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    fls_cursor cursor;
    fls_error err = FLS_ERROR_INIT;
    uint64_t value = 1;
    fls_custom_checksum custom = {sizeof custom, 9, "wide", constant, &value};
    fls_cursor_options options = with(FLS_CHECKSUM_DETECT);
    assert_status(fls_cursor_init(&cursor, "", 0, &options, &err), FLS_INVALID_ARGUMENT, &err);
    options = with(FLS_CHECKSUM_CUSTOM);
    assert_status(fls_cursor_init(&cursor, "", 0, &options, &err), FLS_INVALID_ARGUMENT, &err);
    options.custom_checksum = &custom;
    assert_status(fls_cursor_init(&cursor, "", 0, &options, &err), FLS_INVALID_ARGUMENT, &err);
    custom.width = 8;
    custom.digest = NULL;
    assert_status(fls_cursor_init(&cursor, "", 0, &options, &err), FLS_INVALID_ARGUMENT, &err);
    custom.digest = constant;
    assert_status(fls_cursor_init(&cursor, "", 0, &options, &err), FLS_OK, &err);
    options = with((fls_checksum)77);
    assert_status(fls_cursor_init(&cursor, "", 0, &options, &err), FLS_INVALID_ARGUMENT, &err);
    assert_int_equal(err.status, FLS_INVALID_ARGUMENT);
}

/* A smaller struct of an older program is taken; a larger one only when what it adds is zero. */
static void options_of_other_sizes(void **state)
{
    (void)state;
    fls_cursor cursor;
    fls_message message;
    byte_buffer stream = BYTES_INIT;
    three_frames(&stream, FLS_CHECKSUM_NONE);
    struct {
        fls_cursor_options known;
        uint64_t added[2];
    } larger = {with(FLS_CHECKSUM_NONE), {0, 0}};
    larger.known.struct_bytes = sizeof larger;
    assert_status(fls_cursor_init(&cursor, stream.data, stream.size, &larger.known, NULL), FLS_OK,
                  NULL);
    assert_status(fls_cursor_next(&cursor, &message, NULL), FLS_OK, NULL);
    larger.added[1] = 1;
    fls_status status = fls_cursor_init(&cursor, stream.data, stream.size, &larger.known, NULL);
    assert_true(fls_status_class_of(status) == FLS_CLASS_CALLER);
    fls_cursor_options smaller = with(FLS_CHECKSUM_NONE);
    smaller.struct_bytes =
        (uint32_t)(offsetof(fls_cursor_options, checksum) + sizeof(fls_checksum));
    smaller.max_frame_bytes = 1; /* beyond what the program knew of: not looked at */
    assert_status(fls_cursor_init(&cursor, stream.data, stream.size, &smaller, NULL), FLS_OK, NULL);
    assert_status(fls_cursor_next(&cursor, &message, NULL), FLS_OK, NULL);
    assert_int_equal(message.size, 5);
    smaller.struct_bytes = 0;
    status = fls_cursor_init(&cursor, stream.data, stream.size, &smaller, NULL);
    assert_true(fls_status_class_of(status) == FLS_CLASS_CALLER);
    bytes_free(&stream);
}

static void places_start_where_told(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        byte_buffer stream = BYTES_INIT;
        three_frames(&stream, frames_checksums[c]);
        fls_cursor_options options = with(frames_checksums[c]);
        options.first_offset = UINT64_C(5) << 32;
        options.first_ordinal = UINT64_C(3) << 32;
        fls_cursor cursor;
        fls_message message;
        uint64_t offset = options.first_offset;
        assert_status(fls_cursor_init(&cursor, stream.data, stream.size, &options, NULL), FLS_OK,
                      NULL);
        for (uint64_t i = 0; i < 3; i++) {
            assert_int_equal(fls_cursor_offset(&cursor), offset);
            assert_status(fls_cursor_next(&cursor, &message, NULL), FLS_OK, NULL);
            assert_int_equal(message.ordinal, options.first_ordinal + i);
            assert_int_equal(message.offset, offset);
            offset += 4 + fls_checksum_width(frames_checksums[c]) + message.size;
        }
        assert_status(fls_cursor_next(&cursor, &message, NULL), FLS_END, NULL);
        bytes_free(&stream);
    }
}

/* The first four bytes decide; no allocation, no waiting for more. */
static void long_lengths_are_refused_at_once(void **state)
{
    (void)state;
    static const struct {
        uint32_t limit, length;
        fls_status wanted;
    } cases[] = {
        {0, 0x80000000u, FLS_NEED_MORE},
        {0, 0x80000001u, FLS_INVALID_FRAME},
        {0, 0xFFFFFFFFu, FLS_INVALID_FRAME},
        {UINT32_MAX, 0xFFFFFFFFu, FLS_NEED_MORE},
        {10, 10, FLS_NEED_MORE},
        {10, 11, FLS_INVALID_FRAME},
    };
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            byte_buffer stream = BYTES_INIT;
            bytes_append_le(&stream, cases[i].length, 4);
            fls_cursor_options options = with(frames_checksums[c]);
            options.max_frame_bytes = cases[i].limit;
            options.more_may_follow = 1;
            fls_cursor cursor;
            fls_message message;
            fls_error err = FLS_ERROR_INIT;
            assert_status(fls_cursor_init(&cursor, stream.data, 4, &options, &err), FLS_OK, &err);
            assert_status(fls_cursor_next(&cursor, &message, &err), cases[i].wanted, &err);
            if (cases[i].wanted == FLS_INVALID_FRAME) {
                assert_int_equal(err.declared_bytes, cases[i].length);
                assert_int_equal(err.limit_bytes,
                                 cases[i].limit != 0 ? cases[i].limit : 0x80000000u);
            } else {
                assert_int_equal(fls_cursor_needed(&cursor),
                                 UINT64_C(4) + fls_checksum_width(frames_checksums[c]) +
                                     cases[i].length);
                fls_cursor_continue(&cursor, stream.data, 4, 0);
                assert_status(fls_cursor_next(&cursor, &message, &err), FLS_UNEXPECTED_EOF, &err);
                assert_int_equal(err.declared_bytes, cases[i].length);
            }
            bytes_free(&stream);
        }
    }
}

static void a_frame_of_the_limit_is_read(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        byte_buffer stream = BYTES_INIT;
        three_frames(&stream, frames_checksums[c]);
        fls_cursor_options options = with(frames_checksums[c]);
        options.max_frame_bytes = 5;
        fls_cursor cursor;
        fls_message message;
        assert_status(fls_cursor_init(&cursor, stream.data, stream.size, &options, NULL), FLS_OK,
                      NULL);
        assert_status(fls_cursor_next(&cursor, &message, NULL), FLS_OK, NULL);
        assert_status(fls_cursor_next(&cursor, &message, NULL), FLS_INVALID_FRAME, NULL);
        bytes_free(&stream);
    }
}

static void mismatches_can_be_stepped_over(void **state)
{
    (void)state;
    for (size_t c = 1; c < FRAMES_CHECKSUMS; c++) {
        byte_buffer stream = BYTES_INIT;
        three_frames(&stream, frames_checksums[c]);
        size_t header = 4 + fls_checksum_width(frames_checksums[c]);
        stream.data[header + 5 + header] ^= 0x10;
        fls_cursor_options options = with(frames_checksums[c]);
        fls_cursor cursor;
        fls_message message;
        fls_error err = FLS_ERROR_INIT;
        assert_status(fls_cursor_init(&cursor, stream.data, stream.size, &options, &err), FLS_OK,
                      &err);
        assert_status(fls_cursor_next(&cursor, &message, &err), FLS_OK, &err);
        assert_status(fls_cursor_next(&cursor, &message, &err), FLS_CHECKSUM_MISMATCH, &err);
        assert_int_equal(err.ordinal, 1);
        assert_int_equal(err.offset, header + 5);
        assert_int_equal(err.checksum_width, header - 4);
        assert_int_equal(err.expected, fls_checksum_digest(frames_checksums[c], "second", 6));
        assert_status(fls_cursor_skip(&cursor, &err), FLS_OK, &err);
        assert_status(fls_cursor_next(&cursor, &message, &err), FLS_OK, &err);
        assert_memory_equal(message.payload, "third", 5);
        assert_int_equal(message.ordinal, 2);
        assert_status(fls_cursor_skip(&cursor, &err), FLS_INVALID_ARGUMENT, &err);
        assert_status(fls_cursor_next(&cursor, &message, &err), FLS_END, &err);
        assert_status(fls_cursor_skip(&cursor, &err), FLS_INVALID_ARGUMENT, &err);
        bytes_free(&stream);
    }
}

/* Only a frame with a mismatch can be stepped over: not a sound one, not an incomplete one. */
static void nothing_else_can_be_stepped_over(void **state)
{
    (void)state;
    byte_buffer stream = BYTES_INIT;
    three_frames(&stream, FLS_CHECKSUM_CRC32);
    fls_cursor_options options = with(FLS_CHECKSUM_CRC32);
    fls_cursor cursor;
    fls_message message;
    assert_status(fls_cursor_init(&cursor, stream.data, stream.size - 1, &options, NULL), FLS_OK,
                  NULL);
    assert_status(fls_cursor_skip(&cursor, NULL), FLS_INVALID_ARGUMENT, NULL);
    assert_status(fls_cursor_next(&cursor, &message, NULL), FLS_OK, NULL);
    assert_memory_equal(message.payload, "first", 5);
    assert_status(fls_cursor_next(&cursor, &message, NULL), FLS_OK, NULL);
    assert_status(fls_cursor_next(&cursor, &message, NULL), FLS_UNEXPECTED_EOF, NULL);
    assert_status(fls_cursor_skip(&cursor, NULL), FLS_INVALID_ARGUMENT, NULL);
    bytes_free(&stream);
}

/* Zeros that are no frame under xxh3 are stepped over one empty frame at a time. */
static void zeros_can_be_stepped_over(void **state)
{
    (void)state;
    byte_buffer stream = BYTES_INIT;
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    bytes_append_zeros(&stream, 24);
    frames_append(&stream, &format, "abc", 3);
    fls_cursor_options options = with(FLS_CHECKSUM_XXH3);
    fls_cursor cursor;
    fls_message message;
    assert_status(fls_cursor_init(&cursor, stream.data, stream.size, &options, NULL), FLS_OK, NULL);
    for (uint64_t i = 0; i < 2; i++) {
        assert_int_equal(fls_cursor_offset(&cursor), 12 * i);
        assert_status(fls_cursor_next(&cursor, &message, NULL), FLS_CHECKSUM_MISMATCH, NULL);
        assert_status(fls_cursor_skip(&cursor, NULL), FLS_OK, NULL);
    }
    assert_status(fls_cursor_next(&cursor, &message, NULL), FLS_OK, NULL);
    assert_int_equal(message.ordinal, 2);
    assert_int_equal(message.offset, 24);
    bytes_free(&stream);
}

static void batches_report_a_fault_later(void **state)
{
    (void)state;
    for (size_t c = 1; c < FRAMES_CHECKSUMS; c++) {
        byte_buffer stream = BYTES_INIT;
        three_frames(&stream, frames_checksums[c]);
        stream.data[stream.size - 1] ^= 1;
        fls_cursor_options options = with(frames_checksums[c]);
        fls_cursor cursor;
        fls_message messages[8];
        fls_error err = FLS_ERROR_INIT;
        size_t count = 0;
        assert_status(fls_cursor_init(&cursor, stream.data, stream.size, &options, &err), FLS_OK,
                      &err);
        assert_status(fls_cursor_next_batch(&cursor, messages, 8, &count, &err), FLS_OK, &err);
        assert_int_equal(count, 2);
        assert_status(fls_cursor_next_batch(&cursor, messages, 8, &count, &err),
                      FLS_CHECKSUM_MISMATCH, &err);
        assert_int_equal(count, 0);
        assert_status(fls_cursor_next_batch(&cursor, messages, 0, &count, &err),
                      FLS_INVALID_ARGUMENT, &err);
        bytes_free(&stream);
    }
}

static void custom_widths_use_the_lowest_bytes(void **state)
{
    (void)state;
    for (uint32_t width = 0; width <= 8; width++) {
        uint64_t value = UINT64_C(0x8877665544332211);
        fls_custom_checksum custom = {sizeof custom, width, "constant", constant, &value};
        fls_cursor_options options = with(FLS_CHECKSUM_CUSTOM);
        options.custom_checksum = &custom;
        byte_buffer stream = BYTES_INIT;
        bytes_append_le(&stream, 2, 4);
        bytes_append(&stream, "\x11\x22\x33\x44\x55\x66\x77\x88", width);
        bytes_append(&stream, "ab", 2);
        fls_cursor cursor;
        fls_message message;
        assert_status(fls_cursor_init(&cursor, stream.data, stream.size, &options, NULL), FLS_OK,
                      NULL);
        assert_status(fls_cursor_next(&cursor, &message, NULL), FLS_OK, NULL);
        assert_memory_equal(message.payload, "ab", 2);
        assert_int_equal(message.checksum, width == 0 ? 0 : value & UINT64_MAX >> (64 - 8 * width));
        assert_status(fls_cursor_next(&cursor, &message, NULL), FLS_END, NULL);
        bytes_free(&stream);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_xxh3),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(options_of_other_sizes),
        cmocka_unit_test(places_start_where_told),
        cmocka_unit_test(long_lengths_are_refused_at_once),
        cmocka_unit_test(a_frame_of_the_limit_is_read),
        cmocka_unit_test(mismatches_can_be_stepped_over),
        cmocka_unit_test(nothing_else_can_be_stepped_over),
        cmocka_unit_test(zeros_can_be_stepped_over),
        cmocka_unit_test(batches_report_a_fault_later),
        cmocka_unit_test(custom_widths_use_the_lowest_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
