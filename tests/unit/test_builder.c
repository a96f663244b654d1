/* The builder without the official library: known bytes, values read back, failures at every
 * allocation, memory. tests/interop holds it against the C++ builder. */
#include "support/counting_allocator.h"
#include "unit/builder_testing.h"

static void expect_bytes(fls_builder *b, fls_ref root, const char *identifier, const void *wanted,
                         size_t wanted_size)
{
    const void *data = NULL;
    size_t size = 0;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_builder_finish(b, root, identifier, &data, &size, &err), FLS_OK, &err);
    assert_int_equal(size, wanted_size);
    assert_int_equal((uintptr_t)data % (size % 8 == 0 ? 8 : 4), 0);
    assert_memory_equal(data, wanted, size);
}

static void empty_table(void **unused)
{
    (void)unused;
    static const uint8_t plain[] = {8, 0, 0, 0, 4, 0, 4, 0, 4, 0, 0, 0};
    static const uint8_t named[] = {12, 0, 0, 0, 'N', 'A', 'M', 'E', 4, 0, 4, 0, 4, 0, 0, 0};
    fls_builder *b = new_builder();
    expect_bytes(b, fls_builder_end(b, fls_builder_table(b, 0)), NULL, plain, sizeof plain);
    expect_bytes(b, fls_builder_end(b, fls_builder_table(b, 0)), "NAME", named, sizeof named);
    expect_bytes(b, fls_builder_end(b, fls_builder_table(b, 32765)), NULL, plain, sizeof plain);
    fls_builder_free(b);
    fls_builder_free(NULL);
}

static void three_fields(void **unused)
{
    (void)unused;
    static const uint8_t wanted[] = {
        20, 0, 0,  0,                             /* root */
        0,  0, 0,  0, 0,  0,                      /* padding */
        10, 0, 28, 0, 20, 0,    12,   0,    4, 0, /* vtable */
        10, 0, 0,  0,                             /* the table: soffset */
        0,  0, 0,  0, 0,  0x80, 0x35, 0x40,       /* 21.5 */
        8,  7, 6,  5, 4,  3,    2,    1,          /* time */
        7,  0, 0,  0, 0,  0,    0,    0,          /* device */
    };
    fls_builder *b = new_builder();
    for (int i = 0; i < 3; i++) {
        fls_ref root = telemetry(b, 7, UINT64_C(0x0102030405060708), 21.5);
        expect_bytes(b, root, NULL, wanted, sizeof wanted);
    }
    fls_builder_free(b);
}

static void scalars_read_back(void **unused)
{
    (void)unused;
    const uint64_t seed = 77;
    print_message("seed %llu\n", (unsigned long long)seed);
    prng random = prng_seeded(seed);
    fls_builder *b = new_builder();
    for (int round = 0; round < 5000; round++) {
        enum { SLOTS = 40 };
        uint64_t values[SLOTS];
        size_t widths[SLOTS] = {0};
        uint32_t count = (uint32_t)prng_below(&random, SLOTS + 1);
        fls_table t = fls_builder_table(b, count);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t slot = (uint32_t)prng_below(&random, count);
            if (widths[slot] == 0) {
                /* Without the highest bits no pattern is a NaN, which floats may change. */
                values[slot] = prng_next(&random) & UINT64_C(0xBFFFFFFFBFFFFFFF);
                widths[slot] = set_scalar(b, t, slot, &values[slot], prng_below(&random, 11));
            }
        }
        view message = finish(b, fls_builder_end(b, t));
        size_t table = number_at(message, 0, 4);
        for (uint32_t slot = 0; slot < SLOTS; slot++) {
            size_t width = slot < count ? widths[slot] : 0;
            size_t at = field_at(message, table, slot, width == 0 ? 1 : width);
            assert_int_equal(at != 0, width != 0);
            if (width != 0) {
                uint64_t mask = width == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * width)) - 1;
                assert_int_equal(number_at(message, at, width), values[slot] & mask);
            }
        }
    }
    fls_builder_free(b);
}

static void strings_and_vectors(void **unused)
{
    (void)unused;
    static const uint16_t numbers[] = {1, 2, 0xABCD};
    static const uint64_t wide[] = {UINT64_C(0x0102030405060708), 9};
    fls_builder *b = new_builder();
    for (int round = 0; round < 3; round++) {
        fls_ref refs[5];
        refs[0] = fls_builder_string(b, "price", 5);
        refs[1] = fls_builder_vector(b, numbers, 3, 2);
        refs[2] = fls_builder_vector(b, wide, 2, 8);
        refs[3] = fls_builder_string(b, NULL, 0);
        refs[4] = telemetry(b, 1, 2, 3);
        fls_ref all = fls_builder_ref_vector(b, refs, 5);
        fls_ref none = fls_builder_vector(b, NULL, 0, 8);
        fls_table t = fls_builder_table(b, 3);
        fls_builder_ref(b, t, 0, all);
        fls_builder_ref(b, t, 1, none);
        fls_builder_ref(b, t, 2, NO_REF);
        view message = finish(b, fls_builder_end(b, t));
        size_t table = number_at(message, 0, 4);
        size_t vector = target_of(message, field_at(message, table, 0, 4));
        size_t empty = target_of(message, field_at(message, table, 1, 4));
        assert_int_equal(field_at(message, table, 2, 4), 0);
        assert_int_equal(number_at(message, empty, 4), 0);
        assert_int_equal(number_at(message, vector, 4), 5);
        size_t string = target_of(message, vector + 4);
        assert_int_equal(number_at(message, string, 4), 5);
        assert_memory_equal(message.data + string + 4, "price", 6);
        size_t u16 = target_of(message, vector + 8);
        assert_int_equal(number_at(message, u16, 4), 3);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(number_at(message, u16 + 4 + 2 * i, 2), numbers[i]);
        }
        size_t u64 = target_of(message, vector + 12);
        assert_int_equal(u64 % 8, 4);
        assert_int_equal(number_at(message, u64 + 4, 8), wide[0]);
        assert_int_equal(number_at(message, u64 + 12, 8), wide[1]);
        assert_int_equal(number_at(message, target_of(message, vector + 16), 5), 0);
        size_t inner = target_of(message, vector + 20);
        assert_int_equal(number_at(message, field_at(message, inner, 1, 8), 8), 2);
    }
    fls_builder_free(b);
}

/* The vtables of the first thirty leave padding in the tables after them, so that only from the
 * second thirty on the tables, and with them the vtables, are the same. */
static void equal_vtables_are_shared(void **unused)
{
    (void)unused;
    enum { SHAPES = 30, TABLES = 4 * SHAPES };
    fls_builder *b = new_builder();
    fls_ref refs[TABLES];
    for (uint32_t i = 0; i < TABLES; i++) {
        fls_table t = fls_builder_table(b, SHAPES);
        fls_builder_u32(b, t, i % SHAPES, i);
        refs[i] = fls_builder_end(b, t);
    }
    fls_ref all = fls_builder_ref_vector(b, refs, TABLES);
    fls_table t = fls_builder_table(b, 1);
    fls_builder_ref(b, t, 0, all);
    view message = finish(b, fls_builder_end(b, t));
    size_t vector = target_of(message, field_at(message, number_at(message, 0, 4), 0, 4));
    size_t vtables[TABLES];
    for (uint32_t i = 0; i < TABLES; i++) {
        size_t table = target_of(message, vector + 4 + 4 * (size_t)i);
        vtables[i] = table - (size_t)(int64_t)(int32_t)number_at(message, table, 4);
        assert_int_equal(number_at(message, field_at(message, table, i % SHAPES, 4), 4), i);
        if (i >= 2 * SHAPES) {
            assert_int_equal(vtables[i], vtables[i - SHAPES]);
        }
    }
    fls_builder_free(b);
}

static void largest_table(void **unused)
{
    (void)unused;
    fls_builder *b = new_builder();
    fls_table t = fls_builder_table(b, 32765);
    for (uint32_t i = 0; i < 32765; i++) {
        fls_builder_u8(b, t, i, (uint8_t)(i * 7));
    }
    view message = finish(b, fls_builder_end(b, t));
    for (uint32_t i = 0; i < 32765; i++) {
        size_t at = field_at(message, number_at(message, 0, 4), i, 1);
        assert_int_equal(message.data[at], (uint8_t)(i * 7));
    }
    /* A table of 65,532 bytes, and one of 65,540. */
    for (uint32_t count = 8191; count <= 8192; count++) {
        t = fls_builder_table(b, count);
        for (uint32_t i = 0; i < count; i++) {
            fls_builder_u64(b, t, i, i);
        }
        fls_ref root = fls_builder_end(b, t);
        const void *data = NULL;
        size_t size = 0;
        assert_int_equal(fls_builder_finish(b, root, NULL, &data, &size, NULL),
                         count == 8191 ? FLS_OK : FLS_INVALID_ARGUMENT);
    }
    fls_builder_free(b);
}

/* Needs more of everything than a new builder has. */
static fls_ref large_message(fls_builder *b)
{
    static const char text[3000] = "a long string";
    fls_ref refs[41];
    for (uint32_t i = 0; i < 40; i++) {
        fls_table t = fls_builder_table(b, i + 1);
        fls_builder_u32(b, t, i, i);
        refs[i] = fls_builder_end(b, t);
    }
    refs[40] = fls_builder_string(b, text, sizeof text);
    fls_ref all = fls_builder_ref_vector(b, refs, 41);
    fls_table t = fls_builder_table(b, 1500);
    for (uint32_t i = 0; i < 1499; i++) {
        fls_builder_u64(b, t, i, i);
    }
    fls_builder_ref(b, t, 1499, all);
    return fls_builder_end(b, t);
}

static void every_allocation_may_fail(void **unused)
{
    (void)unused;
    fls_builder *sound = new_builder();
    view wanted = finish(sound, large_message(sound));
    uint64_t failures = 1;
    for (uint64_t call = 0; failures != 0; call++) {
        counting_allocator counting;
        counting_allocator_init(&counting);
        counting.fail_from = call;
        counting.fail_calls = 1;
        fls_builder *b = NULL;
        fls_error err = FLS_ERROR_INIT;
        fls_status status = fls_builder_new(&b, &counting.table, &err);
        if (status == FLS_OK) {
            const void *data = NULL;
            size_t size = 0;
            status = fls_builder_finish(b, large_message(b), NULL, &data, &size, &err);
            if (status != FLS_OK) {
                view again = finish(b, large_message(b));
                data = again.data;
                size = again.size;
            }
            assert_int_equal(size, wanted.size);
            assert_memory_equal(data, wanted.data, size);
            fls_builder_free(b);
        } else {
            assert_null(b);
        }
        failures = counting.failures;
        assert_int_equal(status, failures == 0 ? FLS_OK : FLS_NO_MEMORY);
        assert_int_equal(err.status, status);
        assert_int_equal(counting.live_blocks, 0);
        assert_true(failures != 0 || call >= 6);
    }
    fls_builder_free(sound);
}

static void warm_builder_does_not_allocate(void **unused)
{
    (void)unused;
    counting_allocator counting;
    counting_allocator_init(&counting);
    fls_builder *b = NULL;
    assert_int_equal(fls_builder_new(&b, &counting.table, NULL), FLS_OK);
    (void)finish(b, large_message(b));
    uint64_t calls = counting.calls;
    for (int i = 0; i < 100; i++) {
        (void)finish(b, large_message(b));
        (void)finish(b, telemetry(b, 1, 2, 3));
    }
    assert_int_equal(counting.calls, calls);
    assert_true(fls_builder_capacity(b) <= counting.live_bytes);
    fls_builder_free(b);
    assert_int_equal(counting.live_blocks, 0);
}

static void memory_is_given_back(void **unused)
{
    (void)unused;
    counting_allocator counting;
    counting_allocator_init(&counting);
    fls_builder *b = NULL;
    assert_int_equal(fls_builder_new(&b, &counting.table, NULL), FLS_OK);
    size_t least = fls_builder_capacity(b);
    size_t least_live = counting.live_bytes;
    (void)finish(b, large_message(b));
    size_t most = fls_builder_capacity(b);
    assert_int_equal(most - least, counting.live_bytes - least_live);
    fls_builder_shrink(b, most);
    assert_int_equal(fls_builder_capacity(b), most);
    fls_table t = fls_builder_table(b, 1);
    fls_builder_shrink(b, 0);
    assert_int_equal(fls_builder_capacity(b), most);
    fls_ref root = fls_builder_end(b, t);
    fls_builder_shrink(b, 0);
    assert_int_equal(fls_builder_capacity(b), most);
    (void)finish(b, root);
    fls_builder_shrink(b, least + 16);
    assert_true(fls_builder_capacity(b) <= least + 16);
    fls_builder_shrink(b, 0);
    assert_int_equal(fls_builder_capacity(b), least);
    assert_int_equal(counting.live_bytes, least_live);
    (void)finish(b, large_message(b));
    counting.fail_from = counting.calls;
    counting.fail_calls = COUNTING_NEVER;
    fls_builder_shrink(b, 0);
    counting.fail_from = COUNTING_NEVER;
    (void)finish(b, large_message(b));
    fls_builder_reset(b);
    fls_builder_shrink(b, 0);
    assert_int_equal(fls_builder_capacity(b), least);
    fls_builder_free(b);
    assert_int_equal(counting.live_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_table),
        cmocka_unit_test(three_fields),
        cmocka_unit_test(scalars_read_back),
        cmocka_unit_test(strings_and_vectors),
        cmocka_unit_test(equal_vtables_are_shared),
        cmocka_unit_test(largest_table),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(warm_builder_does_not_allocate),
        cmocka_unit_test(memory_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
