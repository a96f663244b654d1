/* What a writer's memory policy brings about: the buffer that a large message needed goes back to
 * its size after as many messages as the policy says, however they are written. */
#include "flatstream/writer.h"

#include "support/counting_allocator.h"
#include "support/faulty_io.h"
#include "support/testing.h"

#define LARGE      ((size_t)1 << 20)
#define WRITER_MAX ((size_t)8 * 1024) /* what a writer holds besides its buffer of 4 KiB */

typedef struct told {
    int times;
    size_t from[4];
    size_t to[4];
} told;

static void tell(void *self_pointer, size_t from_bytes, size_t to_bytes)
{
    told *self = self_pointer;
    if (self->times < 4) {
        self->from[self->times] = from_bytes;
        self->to[self->times] = to_bytes;
    }
    self->times++;
}

static fls_status accept(void *self, const void *payload, size_t size, fls_error *err)
{
    (void)self;
    (void)size;
    assert_int_equal((uintptr_t)payload % 8, 0);
    return fls_error_set(err, FLS_OK, 0, NULL);
}

typedef struct fixture {
    counting_allocator memory;
    faulty_sink storage;
    told told;
    fls_memory_policy policy;
    fls_validator validator;
    ref_format format;
    byte_buffer wanted;
    uint8_t *payload;
    fls_writer *writer;
} fixture;

static void set_up(fixture *at, fls_checksum checksum, fls_memory_policy_kind kind, int validates,
                   const faulty_plan *plan)
{
    memset(at, 0, sizeof *at);
    counting_allocator_init(&at->memory);
    at->policy = (fls_memory_policy){
        .kind = kind, .threshold_bytes = 100000, .reclaimed = tell, .self = &at->told};
    at->validator = (fls_validator){"aligned", accept, NULL, 8, 0};
    at->format = (ref_format){checksum, NULL, 0};
    at->payload = calloc(1, LARGE + 16);
    assert_non_null(at->payload);
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = checksum;
    options.buffer_bytes = 4096;
    options.allocator = &at->memory.table;
    options.memory_policy = &at->policy;
    options.validators = &at->validator;
    options.validator_count = validates ? 1 : 0;
    fls_error err = FLS_ERROR_INIT;
    assert_status(
        fls_writer_open(&at->writer, faulty_sink_init(&at->storage, plan, 1), &options, &err),
        FLS_OK, &err);
}

/* The stream is what it should be, and nothing was lost. */
static void tear_down(fixture *at)
{
    fls_error err = FLS_ERROR_INIT;
    fls_status status;
    while ((status = fls_writer_close(at->writer, &err)) == FLS_WOULD_BLOCK) {
    }
    assert_status(status, FLS_OK, &err);
    assert_int_equal(at->memory.live_blocks, 0);
    assert_int_equal(at->storage.taken.size, at->wanted.size);
    assert_memory_equal(at->storage.taken.data, at->wanted.data, at->wanted.size);
    faulty_sink_fini(&at->storage);
    bytes_free(&at->wanted);
    free(at->payload);
}

static void write_gathered(fixture *at, size_t size)
{
    fls_error err = FLS_ERROR_INIT;
    const fls_span halves[2] = {{at->payload, size / 2}, {at->payload + size / 2, size - size / 2}};
    frames_append(&at->wanted, &at->format, at->payload, size);
    assert_status(fls_writer_writev(at->writer, halves, 2, &err), FLS_OK, &err);
    assert_true(at->memory.live_bytes > LARGE);
}

/* From an address that is not aligned. */
static void write_small(fixture *at, size_t size)
{
    fls_error err = FLS_ERROR_INIT;
    fls_status status;
    frames_append(&at->wanted, &at->format, at->payload + 1, size);
    while ((status = fls_writer_write(at->writer, at->payload + 1, size, &err)) ==
           FLS_WOULD_BLOCK) { /* not taken: tried again */
    }
    assert_status(status, FLS_OK, &err);
}

static void small_messages_are_counted_one_by_one(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        for (size_t size = 1; size < 1000; size = size * 3 + 1) {
            fixture at;
            set_up(&at, frames_checksums[c], FLS_MEMORY_ADAPTIVE_WATERMARK, 0, NULL);
            for (int round = 1; round <= 3; round++) {
                write_gathered(&at, LARGE);
                for (int i = 0; i < 4; i++) {
                    write_small(&at, size);
                    assert_int_equal(at.told.times, round - 1);
                }
                write_small(&at, size);
                assert_int_equal(at.told.times, round);
                assert_true(at.told.from[round - 1] > LARGE);
                assert_int_equal(at.told.to[round - 1], 4096 + 1024);
                assert_true(at.memory.live_bytes < WRITER_MAX);
                /* And from here on nobody is asked any more. */
                for (int i = 0; i < 20; i++) {
                    write_small(&at, size);
                }
                assert_int_equal(at.told.times, round);
            }
            tear_down(&at);
        }
    }
}

/* The copies that validators get are a buffer of their own, and so is what is counted for it. */
static void copies_for_validators_are_given_back_too(void **state)
{
    (void)state;
    for (int gathered = 0; gathered < 2; gathered++) {
        fixture at;
        set_up(&at, FLS_CHECKSUM_CRC16, FLS_MEMORY_ADAPTIVE_WATERMARK, 1, NULL);
        for (int round = 1; round <= 3; round++) {
            int before = (round - 1) * (1 + gathered);
            if (gathered) {
                write_gathered(&at, LARGE); /* behind a header of 6 bytes */
            } else {
                write_small(&at, LARGE);
            }
            for (int i = 0; i < 4; i++) {
                write_small(&at, 100);
                assert_int_equal(at.told.times, before);
                assert_true(at.memory.live_bytes > LARGE);
            }
            write_small(&at, 100);
            assert_int_equal(at.told.times, before + 1 + gathered);
            assert_true(at.told.from[0] > LARGE);
            assert_true(at.told.to[0] <= FLS_MEMORY_BASELINE_BYTES);
            assert_true(at.memory.live_bytes < WRITER_MAX);
            for (int i = 0; i < 20; i++) {
                write_small(&at, 100);
            }
            assert_int_equal(at.told.times, before + 1 + gathered);
        }
        tear_down(&at);
    }
}

static void a_threshold_gives_back_at_once(void **state)
{
    (void)state;
    fixture at;
    set_up(&at, FLS_CHECKSUM_XXH3, FLS_MEMORY_SIZE_THRESHOLD, 0, NULL);
    write_gathered(&at, LARGE);
    assert_int_equal(at.told.times, 0);
    write_small(&at, 100);
    assert_int_equal(at.told.times, 1);
    assert_true(at.memory.live_bytes < WRITER_MAX);
    tear_down(&at);
}

static void nothing_is_given_back_unasked(void **state)
{
    (void)state;
    fixture at;
    set_up(&at, FLS_CHECKSUM_NONE, FLS_MEMORY_KEEP, 0, NULL);
    write_gathered(&at, LARGE);
    for (int i = 0; i < 100; i++) {
        write_small(&at, 10);
    }
    assert_int_equal(at.told.times, 0);
    assert_true(at.memory.live_bytes > LARGE);
    tear_down(&at);
}

/* A sink that would block keeps the large message in the buffer: it is given back later, and not a
 * byte is lost. */
static void a_sink_that_would_block_only_delays_it(void **state)
{
    (void)state;
    fixture at;
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.max_piece = 100000;
    plan.block_one_in = 3;
    set_up(&at, FLS_CHECKSUM_CRC32, FLS_MEMORY_SIZE_THRESHOLD, 0, &plan);
    write_gathered(&at, LARGE);
    for (int i = 0; i < 200 && at.told.times == 0; i++) {
        write_small(&at, 10);
    }
    assert_int_equal(at.told.times, 1);
    assert_true(at.memory.live_bytes < WRITER_MAX);
    tear_down(&at);
}

/* What the buffer holds goes to the sink before it is given back. A failure then is told by the
 * next call: the message that asked for it is in the buffer. */
static void a_failure_while_giving_back_sticks(void **state)
{
    (void)state;
    fixture at;
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.fail_call = 1;
    plan.fail_status = FLS_NO_SPACE;
    set_up(&at, FLS_CHECKSUM_NONE, FLS_MEMORY_SIZE_THRESHOLD, 0, &plan);
    fls_error err = FLS_ERROR_INIT;
    write_gathered(&at, LARGE);
    write_gathered(&at, LARGE / 2);
    assert_int_equal(at.storage.calls, 1);
    write_small(&at, 10);
    assert_int_equal(at.storage.calls, 2);
    assert_int_equal(at.told.times, 0);
    assert_status(fls_writer_write(at.writer, at.payload, 10, &err), FLS_NO_SPACE, &err);
    assert_status(fls_writer_close(at.writer, &err), FLS_NO_SPACE, &err);
    assert_int_equal(at.memory.live_blocks, 0);
    faulty_sink_fini(&at.storage);
    bytes_free(&at.wanted);
    free(at.payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_messages_are_counted_one_by_one),
        cmocka_unit_test(copies_for_validators_are_given_back_too),
        cmocka_unit_test(a_threshold_gives_back_at_once),
        cmocka_unit_test(nothing_is_given_back_unasked),
        cmocka_unit_test(a_sink_that_would_block_only_delays_it),
        cmocka_unit_test(a_failure_while_giving_back_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
