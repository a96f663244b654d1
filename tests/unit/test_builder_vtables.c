/* Messages of many different vtables: each stands in the message once, however many there are; the
 * time for one more does not grow with their number; and a warm builder does not allocate. */
#include "support/counting_allocator.h"
#include "unit/builder_testing.h"

/* Searching all of them for each would take minutes. */
#define MANY 200000u

/* One slot of every pair is set: the vtables are alike but for their content, which tells the
 * number. With the last slot set each of them is a multiple of 4 long. */
static fls_ref numbered_table(fls_builder *b, uint32_t number)
{
    fls_table t = fls_builder_table(b, 42);
    fls_builder_u8(b, t, 41, 1);
    for (uint32_t bit = 0; bit < 20; bit++) {
        fls_builder_u8(b, t, 2 * bit + (number >> bit & 1), (uint8_t)bit);
    }
    return fls_builder_end(b, t);
}

/* Tables of each number, and then of each again. */
static fls_status build(fls_builder *b, uint32_t numbers, view *message, fls_error *err)
{
    const void *data = NULL;
    fls_ref *tables = calloc(2 * (size_t)numbers, sizeof *tables);
    assert_non_null(tables);
    for (uint32_t i = 0; i < 2 * numbers; i++) {
        tables[i] = numbered_table(b, i % numbers);
    }
    fls_ref all = fls_builder_ref_vector(b, tables, 2 * (size_t)numbers);
    free(tables);
    fls_table root = fls_builder_table(b, 1);
    fls_builder_ref(b, root, 0, all);
    fls_status status =
        fls_builder_finish(b, fls_builder_end(b, root), NULL, &data, &message->size, err);
    message->data = data;
    return status;
}

static size_t vtable_of(view message, size_t table)
{
    return (size_t)((int64_t)table - (int32_t)number_at(message, table, 4));
}

static void expect_numbered(view message, uint32_t numbers)
{
    size_t all = target_of(message, field_at(message, number_at(message, 0, 4), 0, 4));
    assert_int_equal(number_at(message, all, 4), 2 * numbers);
    for (uint32_t i = 0; i < numbers; i++) {
        size_t table = target_of(message, all + 4 + 4 * (size_t)i);
        size_t again = target_of(message, all + 4 + 4 * (size_t)(numbers + i));
        assert_int_equal(vtable_of(message, table), vtable_of(message, again));
        for (uint32_t bit = 0; bit < 20; bit++) {
            uint32_t set = i >> bit & 1;
            size_t at = field_at(message, table, 2 * bit + set, 1);
            assert_int_equal(message.data[at], bit);
            assert_int_equal(field_at(message, table, 2 * bit + 1 - set, 1), 0);
        }
    }
}

static void a_few_more_each_time(void **unused)
{
    (void)unused;
    fls_builder *used = new_builder();
    for (uint32_t numbers = 1; numbers <= 150; numbers++) {
        view expected;
        view got;
        fls_builder *fresh = new_builder();
        assert_int_equal(build(fresh, numbers, &expected, NULL), FLS_OK);
        assert_int_equal(build(used, numbers, &got, NULL), FLS_OK);
        expect_numbered(got, numbers);
        assert_int_equal(got.size, expected.size);
        assert_memory_equal(got.data, expected.data, got.size);
        fls_builder_free(fresh);
    }
    fls_builder_free(used);
}

static void many_vtables(void **unused)
{
    (void)unused;
    counting_allocator counting;
    counting_allocator_init(&counting);
    fls_builder *b = NULL;
    view message;
    assert_int_equal(fls_builder_new(&b, &counting.table, NULL), FLS_OK);
    assert_int_equal(build(b, MANY, &message, NULL), FLS_OK);
    expect_numbered(message, MANY);
    uint64_t calls = counting.calls;
    assert_int_equal(build(b, MANY - 1, &message, NULL), FLS_OK);
    assert_int_equal(counting.calls, calls);
    expect_numbered(message, MANY - 1);
    assert_true(fls_builder_capacity(b) <= counting.live_bytes);
    fls_builder_shrink(b, 0);
    assert_int_equal(fls_builder_capacity(b), 1024);
    assert_int_equal(build(b, 20, &message, NULL), FLS_OK);
    expect_numbered(message, 20);
    fls_builder_free(b);
    assert_int_equal(counting.live_blocks, 0);
}

static void every_allocation_may_fail(void **unused)
{
    (void)unused;
    const uint32_t numbers = 100;
    fls_builder *sound = new_builder();
    view wanted;
    assert_int_equal(build(sound, numbers, &wanted, NULL), FLS_OK);
    uint64_t failures = 1;
    for (uint64_t call = 2; failures != 0; call++) {
        counting_allocator counting;
        counting_allocator_init(&counting);
        counting.fail_from = call;
        counting.fail_calls = 1;
        fls_builder *b = NULL;
        view got;
        assert_int_equal(fls_builder_new(&b, &counting.table, NULL), FLS_OK);
        fls_status status = build(b, numbers, &got, NULL);
        failures = counting.failures;
        assert_int_equal(status, failures == 0 ? FLS_OK : FLS_NO_MEMORY);
        assert_int_equal(build(b, numbers, &got, NULL), FLS_OK);
        assert_int_equal(got.size, wanted.size);
        assert_memory_equal(got.data, wanted.data, wanted.size);
        fls_builder_free(b);
        assert_int_equal(counting.live_blocks, 0);
        assert_true(failures != 0 || call > 7);
    }
    fls_builder_free(sound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_more_each_time),
        cmocka_unit_test(many_vtables),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
