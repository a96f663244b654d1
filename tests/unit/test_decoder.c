/* The decoder's own promises: where messages lie, what is gathered, storage and allocation, and
 * that it says truly how many bytes it needs. */
#include "flatstream/decoder.h"

#include "support/counting_allocator.h"
#include "support/frames.h"
#include "support/testing.h"

static fls_decoder_options with(fls_checksum checksum)
{
    fls_decoder_options options = FLS_DECODER_OPTIONS_INIT;
    options.checksum = checksum;
    return options;
}

static void whole_messages_stay_where_they_lie(void **state)
{
    (void)state;
    byte_buffer stream = BYTES_INIT;
    ref_format format = {FLS_CHECKSUM_CRC32, NULL, 0};
    frames_append(&stream, &format, "one", 3);
    frames_append(&stream, &format, "three", 5);
    fls_decoder decoder;
    fls_decoder_options options = with(FLS_CHECKSUM_CRC32); /* nothing to gather in */
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_decoder_init(&decoder, &options, &err), FLS_OK, &err);
    assert_status(fls_decoder_next(&decoder, &message, &err), FLS_NEED_MORE, &err);
    assert_int_equal(fls_decoder_needed(&decoder), 4);
    assert_status(fls_decoder_feed(&decoder, stream.data, stream.size, &err), FLS_OK, &err);
    assert_status(fls_decoder_feed(&decoder, stream.data, 1, &err), FLS_INVALID_ARGUMENT, &err);
    assert_status(fls_decoder_next(&decoder, &message, &err), FLS_OK, &err);
    assert_ptr_equal(message.payload, stream.data + 8);
    assert_int_equal(fls_decoder_offset(&decoder), 11);
    assert_status(fls_decoder_next(&decoder, &message, &err), FLS_OK, &err);
    assert_ptr_equal(message.payload, stream.data + 19);
    assert_status(fls_decoder_next(&decoder, &message, &err), FLS_NEED_MORE, &err);
    fls_decoder_end(&decoder);
    assert_status(fls_decoder_next(&decoder, &message, &err), FLS_END, &err);
    assert_status(fls_decoder_feed(&decoder, "x", 1, &err), FLS_INVALID_ARGUMENT, &err);
    fls_decoder_fini(&decoder);
    bytes_free(&stream);
}

/* Only the message that spans two pieces is gathered; what follows it lies in the second piece. */
static void what_follows_a_gathered_message_stays_in_place(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    frames_append(&stream, &format, "spanning", 8);
    size_t second = stream.size;
    frames_append(&stream, &format, "in place", 8);
    for (size_t split = 1; split < second; split++) {
        uint8_t storage[64];
        fls_decoder decoder;
        fls_decoder_options options = with(FLS_CHECKSUM_XXH3);
        options.storage = storage;
        options.storage_bytes = sizeof storage;
        fls_message message;
        fls_error err = FLS_ERROR_INIT;
        assert_status(fls_decoder_init(&decoder, &options, &err), FLS_OK, &err);
        assert_status(fls_decoder_feed(&decoder, stream.data, split, &err), FLS_OK, &err);
        assert_status(fls_decoder_next(&decoder, &message, &err), FLS_NEED_MORE, &err);
        assert_status(fls_decoder_feed(&decoder, stream.data + split, stream.size - split, &err),
                      FLS_OK, &err);
        assert_status(fls_decoder_next(&decoder, &message, &err), FLS_OK, &err);
        assert_memory_equal(message.payload, "spanning", 8);
        assert_status(fls_decoder_next(&decoder, &message, &err), FLS_OK, &err);
        assert_ptr_equal(message.payload, stream.data + second + 12);
        fls_decoder_fini(&decoder);
    }
    bytes_free(&stream);
}

static void without_room_a_spanning_message_is_no_memory(void **state)
{
    (void)state;
    byte_buffer stream = BYTES_INIT;
    ref_format format = {FLS_CHECKSUM_NONE, NULL, 0};
    frames_append(&stream, &format, "0123456789", 10);
    uint8_t storage[8];
    for (size_t room = 0; room <= sizeof storage; room += sizeof storage) {
        fls_decoder decoder;
        fls_decoder_options options = with(FLS_CHECKSUM_NONE);
        options.storage = storage;
        options.storage_bytes = room;
        fls_message message;
        fls_error err = FLS_ERROR_INIT;
        assert_status(fls_decoder_init(&decoder, &options, &err), FLS_OK, &err);
        fls_status status = FLS_NEED_MORE;
        for (size_t i = 0; i < stream.size && status == FLS_NEED_MORE; i += 3) {
            size_t piece = stream.size - i < 3 ? stream.size - i : 3;
            assert_status(fls_decoder_feed(&decoder, stream.data + i, piece, &err), FLS_OK, &err);
            status = fls_decoder_next(&decoder, &message, &err);
        }
        assert_status(status, FLS_NO_MEMORY, &err);
        fls_decoder_fini(&decoder);
    }
    bytes_free(&stream);
}

/* Storage is used first; the allocator only when it does not do. */
static void storage_comes_before_allocation(void **state)
{
    (void)state;
    counting_allocator allocator;
    counting_allocator_init(&allocator);
    uint8_t storage[64];
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    prng random = prng_seeded(3);
    for (size_t size = 10; size <= 100; size += 90) {
        byte_buffer stream = BYTES_INIT;
        frames_append_random(&stream, &format, &random, size);
        fls_decoder decoder;
        fls_decoder_options options = with(FLS_CHECKSUM_XXH3);
        options.storage = storage;
        options.storage_bytes = sizeof storage;
        options.allocator = &allocator.table;
        fls_message message;
        fls_error err = FLS_ERROR_INIT;
        assert_status(fls_decoder_init(&decoder, &options, &err), FLS_OK, &err);
        fls_status status = FLS_NEED_MORE;
        for (size_t i = 0; i < stream.size && status == FLS_NEED_MORE; i++) {
            assert_status(fls_decoder_feed(&decoder, stream.data + i, 1, &err), FLS_OK, &err);
            status = fls_decoder_next(&decoder, &message, &err);
        }
        assert_status(status, FLS_OK, &err);
        assert_memory_equal(message.payload, stream.data + 12, size);
        assert_int_equal(allocator.calls > 0, size == 100);
        fls_decoder_fini(&decoder);
        assert_int_equal(allocator.live_blocks, 0);
        bytes_free(&stream);
    }
}

/* Feeding what is needed, each time, gives a message after at most three pieces: length, header and
 * payload. One byte less never does. */
static void needs_are_exact(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        prng random = prng_seeded(c);
        for (size_t size = 1; size < 200; size += 13) {
            frames_append_random(&stream, &format, &random, size);
        }
        fls_decoder decoder;
        fls_decoder_options options = with(frames_checksums[c]);
        options.allocator = fls_allocator_libc();
        fls_message message;
        fls_error err = FLS_ERROR_INIT;
        assert_status(fls_decoder_init(&decoder, &options, &err), FLS_OK, &err);
        size_t fed = 0;
        size_t pieces = 0;
        while (fed < stream.size) {
            size_t needed = (size_t)fls_decoder_needed(&decoder);
            assert_in_range(needed, 1, stream.size - fed);
            if (needed > 1) {
                assert_status(fls_decoder_feed(&decoder, stream.data + fed, needed - 1, &err),
                              FLS_OK, &err);
                assert_status(fls_decoder_next(&decoder, &message, &err), FLS_NEED_MORE, &err);
                assert_int_equal(fls_decoder_needed(&decoder), 1);
                fed += needed - 1;
            }
            assert_status(fls_decoder_feed(&decoder, stream.data + fed, 1, &err), FLS_OK, &err);
            fed++;
            pieces++;
            fls_status status = fls_decoder_next(&decoder, &message, &err);
            if (status == FLS_OK) {
                assert_in_range(pieces, 1, 3);
                pieces = 0;
                assert_status(fls_decoder_next(&decoder, &message, &err), FLS_NEED_MORE, &err);
            } else {
                assert_status(status, FLS_NEED_MORE, &err);
            }
        }
        assert_int_equal(pieces, 0);
        fls_decoder_fini(&decoder);
        bytes_free(&stream);
    }
}

/* A claim of 2 GiB with ten bytes behind it costs no more than what arrived. */
static void claims_are_not_believed(void **state)
{
    (void)state;
    counting_allocator allocator;
    counting_allocator_init(&allocator);
    fls_decoder decoder;
    fls_decoder_options options = with(FLS_CHECKSUM_CRC16);
    options.allocator = &allocator.table;
    options.max_frame_bytes = UINT32_MAX;
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_decoder_init(&decoder, &options, &err), FLS_OK, &err);
    assert_status(fls_decoder_feed(&decoder, "\xff\xff\xff\xff-ten bytes", 14, &err), FLS_OK, &err);
    assert_status(fls_decoder_next(&decoder, &message, &err), FLS_NEED_MORE, &err);
    assert_int_equal(fls_decoder_needed(&decoder), UINT64_C(0xFFFFFFFF) + 6 - 14);
    for (int i = 0; i < 1000; i++) {
        uint8_t more[100] = {0};
        assert_status(fls_decoder_feed(&decoder, more, sizeof more, &err), FLS_OK, &err);
        assert_status(fls_decoder_next(&decoder, &message, &err), FLS_NEED_MORE, &err);
        assert_true(allocator.live_bytes <= 2 * (14 + 100 * ((size_t)i + 1)) + 1024);
    }
    fls_decoder_end(&decoder);
    assert_status(fls_decoder_next(&decoder, &message, &err), FLS_UNEXPECTED_EOF, &err);
    assert_int_equal(err.declared_bytes, UINT32_MAX);
    fls_decoder_fini(&decoder);
    assert_int_equal(allocator.live_blocks, 0);
}

/* Out of memory is not the end: the same call goes on where it stood once there is memory. */
static void memory_may_come_back(void **state)
{
    (void)state;
    counting_allocator allocator;
    counting_allocator_init(&allocator);
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    prng random = prng_seeded(9);
    byte_buffer stream = BYTES_INIT;
    frames_append_random(&stream, &format, &random, 3000);
    frames_append_random(&stream, &format, &random, 5);
    fls_decoder decoder;
    fls_decoder_options options = with(FLS_CHECKSUM_XXH3);
    options.allocator = &allocator.table;
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_decoder_init(&decoder, &options, &err), FLS_OK, &err);
    size_t messages = 0;
    for (size_t fed = 0; fed < stream.size;) {
        size_t piece = stream.size - fed < 500 ? stream.size - fed : 500;
        assert_status(fls_decoder_feed(&decoder, stream.data + fed, piece, &err), FLS_OK, &err);
        fed += piece;
        fls_status status = FLS_OK;
        while (status != FLS_NEED_MORE) {
            allocator.fail_from = allocator.calls;
            allocator.fail_calls = 1;
            status = fls_decoder_next(&decoder, &message, &err);
            if (status == FLS_OK) {
                messages++;
            } else if (status != FLS_NEED_MORE) {
                assert_status(status, FLS_NO_MEMORY, &err);
                allocator.fail_from = COUNTING_NEVER;
                status = fls_decoder_next(&decoder, &message, &err);
                messages += status == FLS_OK;
            }
        }
    }
    assert_int_equal(messages, 2);
    assert_true(allocator.failures > 0);
    fls_decoder_fini(&decoder);
    assert_int_equal(allocator.live_blocks, 0);
    bytes_free(&stream);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    fls_decoder decoder;
    fls_error err = FLS_ERROR_INIT;
    fls_decoder_options options = with(FLS_CHECKSUM_DETECT);
    assert_status(fls_decoder_init(&decoder, &options, &err), FLS_INVALID_ARGUMENT, &err);
    options = with(FLS_CHECKSUM_CUSTOM);
    assert_status(fls_decoder_init(&decoder, &options, &err), FLS_INVALID_ARGUMENT, &err);
    assert_status(fls_decoder_init(&decoder, NULL, &err), FLS_OK, &err);
    fls_decoder_fini(&decoder);
}

static void feeding_nothing_is_harmless(void **state)
{
    (void)state;
    fls_decoder decoder;
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_decoder_init(&decoder, NULL, &err), FLS_OK, &err);
    for (int i = 0; i < 3; i++) {
        assert_status(fls_decoder_feed(&decoder, "", 0, &err), FLS_OK, &err);
        assert_status(fls_decoder_next(&decoder, &message, &err), FLS_NEED_MORE, &err);
    }
    fls_decoder_end(&decoder);
    assert_status(fls_decoder_next(&decoder, &message, &err), FLS_END, &err);
    fls_decoder_fini(&decoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_messages_stay_where_they_lie),
        cmocka_unit_test(what_follows_a_gathered_message_stays_in_place),
        cmocka_unit_test(without_room_a_spanning_message_is_no_memory),
        cmocka_unit_test(storage_comes_before_allocation),
        cmocka_unit_test(needs_are_exact),
        cmocka_unit_test(claims_are_not_believed),
        cmocka_unit_test(memory_may_come_back),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(feeding_nothing_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
