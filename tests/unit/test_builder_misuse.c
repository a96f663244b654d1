/* Wrong calls of the builder: the first sticks, is told when the message is finished, and leaves
 * nothing behind. */
#include "flatbuf/schema_private.h"
#include "support/counting_allocator.h"
#include "unit/builder_testing.h"

/* Each is one wrong call after which a root is finished that would be right. */
static fls_ref slot_twice(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 2);
    fls_builder_u8(b, t, 1, 0);
    fls_builder_u16(b, t, 1, 1);
    return fls_builder_end(b, t);
}

static fls_ref reference_twice(fls_builder *b)
{
    fls_ref text = fls_builder_string(b, "x", 1);
    fls_table t = fls_builder_table(b, 2);
    fls_builder_ref(b, t, 0, text);
    fls_builder_ref(b, t, 0, text);
    return fls_builder_end(b, t);
}

static fls_ref slot_out_of_range(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 2);
    fls_builder_f64(b, t, 2, 1);
    return fls_builder_end(b, t);
}

static fls_ref no_slots(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 0);
    fls_builder_bool(b, t, 0, 1);
    return fls_builder_end(b, t);
}

static fls_ref too_many_slots(fls_builder *b)
{
    return fls_builder_end(b, fls_builder_table(b, 32766));
}

static fls_ref table_in_table(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 2);
    (void)telemetry(b, 1, 2, 3);
    return fls_builder_end(b, t);
}

static fls_ref string_in_table(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 2);
    fls_builder_ref(b, t, 0, fls_builder_string(b, "x", 1));
    return fls_builder_end(b, t);
}

static fls_ref vector_in_table(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 2);
    (void)fls_builder_vector(b, "x", 1, 1);
    return fls_builder_end(b, t);
}

static fls_ref ref_vector_in_table(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 2);
    (void)fls_builder_ref_vector(b, NULL, 0);
    return fls_builder_end(b, t);
}

static fls_ref table_ended_twice(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 2);
    fls_ref root = fls_builder_end(b, t);
    (void)fls_builder_end(b, t);
    return root;
}

static fls_ref table_never_started(fls_builder *b)
{
    return fls_builder_end(b, (fls_table){0});
}

static fls_ref set_outside_of_tables(fls_builder *b)
{
    fls_ref root = telemetry(b, 1, 2, 3);
    fls_builder_u8(b, (fls_table){0}, 0, 1);
    return root;
}

static fls_ref set_in_ended_table(fls_builder *b)
{
    fls_table old = fls_builder_table(b, 2);
    (void)fls_builder_end(b, old);
    fls_table t = fls_builder_table(b, 2);
    fls_builder_i32(b, old, 0, 1);
    return fls_builder_end(b, t);
}

static fls_ref end_of_other_table(fls_builder *b)
{
    fls_table old = fls_builder_table(b, 2);
    (void)fls_builder_end(b, old);
    (void)fls_builder_table(b, 2);
    return fls_builder_end(b, old);
}

static fls_ref never_ended(fls_builder *b)
{
    fls_ref root = telemetry(b, 1, 2, 3);
    fls_table t = fls_builder_table(b, 40);
    fls_builder_u8(b, t, 39, 1);
    return root;
}

static fls_ref no_root(fls_builder *b)
{
    (void)b;
    return NO_REF;
}

static fls_ref root_forgotten(fls_builder *b)
{
    (void)telemetry(b, 1, 2, 3);
    return NO_REF;
}

static fls_ref string_as_root(fls_builder *b)
{
    return fls_builder_string(b, "not a table", 11);
}

static fls_ref root_of_other_message(fls_builder *b)
{
    for (int i = 0; i < 20; i++) {
        (void)telemetry(b, 1, 2, 3);
    }
    fls_ref root = telemetry(b, 1, 2, 3);
    (void)finish(b, root);
    return root;
}

static fls_ref reference_beyond_buffer(fls_builder *b)
{
    fls_ref text = fls_builder_string(b, "x", 1);
    text.position += 1000;
    fls_table t = fls_builder_table(b, 2);
    fls_builder_ref(b, t, 0, text);
    return fls_builder_end(b, t);
}

static fls_ref no_ref_in_vector(fls_builder *b)
{
    fls_ref refs[2] = {fls_builder_string(b, "x", 1), NO_REF};
    (void)fls_builder_ref_vector(b, refs, 2);
    return telemetry(b, 1, 2, 3);
}

static fls_ref elements_of_three_bytes(fls_builder *b)
{
    (void)fls_builder_vector(b, "abc", 1, 3);
    return telemetry(b, 1, 2, 3);
}

static fls_ref elements_of_no_bytes(fls_builder *b)
{
    (void)fls_builder_vector(b, "abc", 1, 0);
    return telemetry(b, 1, 2, 3);
}

static fls_ref elements_of_sixteen_bytes(fls_builder *b)
{
    (void)fls_builder_vector(b, "abcdefghijklmnop", 1, 16);
    return telemetry(b, 1, 2, 3);
}

/* Too large ones must be refused before a byte of them is read or a block asked for. */
static fls_ref string_of_2_gib(fls_builder *b)
{
    (void)fls_builder_string(b, "", (size_t)1 << 31);
    return telemetry(b, 1, 2, 3);
}

static fls_ref string_of_any_size(fls_builder *b)
{
    (void)fls_builder_string(b, "", SIZE_MAX);
    return telemetry(b, 1, 2, 3);
}

static fls_ref vector_over_2_gib(fls_builder *b)
{
    (void)fls_builder_vector(b, "", (size_t)1 << 28, 8);
    return telemetry(b, 1, 2, 3);
}

static fls_ref vector_that_wraps(fls_builder *b)
{
    (void)fls_builder_vector(b, "", SIZE_MAX / 8 + 2, 8);
    return telemetry(b, 1, 2, 3);
}

static fls_ref shared_string_of_any_size(fls_builder *b)
{
    (void)fls_builder_shared_string(b, "", SIZE_MAX);
    return telemetry(b, 1, 2, 3);
}

static fls_ref struct_vector_that_wraps(fls_builder *b)
{
    (void)fls_builder_struct_vector(b, "", SIZE_MAX / 24 + 2, 24, 8);
    return telemetry(b, 1, 2, 3);
}

static fls_ref struct_of_any_size(fls_builder *b)
{
    (void)fls_builder_struct_object(b, "", SIZE_MAX, 1);
    return telemetry(b, 1, 2, 3);
}

static fls_ref struct_of_no_bytes(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 2);
    fls_builder_struct(b, t, 0, "", 0, 4);
    return fls_builder_end(b, t);
}

static fls_ref struct_of_odd_size(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 2);
    fls_builder_struct(b, t, 0, "abcdef", 6, 4);
    return fls_builder_end(b, t);
}

static fls_ref alignment_of_three(fls_builder *b)
{
    (void)fls_builder_struct_object(b, "abc", 3, 3);
    return telemetry(b, 1, 2, 3);
}

static fls_ref alignment_of_none(fls_builder *b)
{
    (void)fls_builder_aligned_vector(b, "abc", 3, 1, 0);
    return telemetry(b, 1, 2, 3);
}

static fls_ref alignment_of_128(fls_builder *b)
{
    static const char message[256];
    (void)fls_builder_nested(b, message, sizeof message, 128);
    return telemetry(b, 1, 2, 3);
}

static fls_ref struct_in_table(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 2);
    (void)fls_builder_struct_object(b, "abcd", 4, 4);
    return fls_builder_end(b, t);
}

static fls_ref shared_string_in_table(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 2);
    (void)fls_builder_shared_string(b, "x", 1);
    return fls_builder_end(b, t);
}

static fls_ref struct_slot_twice(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 2);
    fls_builder_struct(b, t, 1, "abcd", 4, 4);
    fls_builder_struct(b, t, 1, "abcd", 4, 4);
    return fls_builder_end(b, t);
}

static fls_ref struct_over_64_kib(fls_builder *b)
{
    static const char large[65536];
    fls_table t = fls_builder_table(b, 2);
    fls_builder_struct(b, t, 1, large, sizeof large, 4);
    return fls_builder_end(b, t);
}

static fls_ref struct_as_root(fls_builder *b)
{
    return fls_builder_struct_object(b, "a", 1, 1);
}

static fls_ref union_in_first_slot(fls_builder *b)
{
    fls_ref text = fls_builder_string(b, "x", 1);
    fls_table t = fls_builder_table(b, 2);
    fls_builder_union(b, t, 0, 1, text);
    return fls_builder_end(b, t);
}

static fls_ref union_without_value(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 2);
    fls_builder_union(b, t, 1, 1, NO_REF);
    return fls_builder_end(b, t);
}

static fls_ref union_whose_tag_is_set(fls_builder *b)
{
    fls_ref text = fls_builder_string(b, "x", 1);
    fls_table t = fls_builder_table(b, 2);
    fls_builder_u8(b, t, 0, 1);
    fls_builder_union(b, t, 1, 1, text);
    return fls_builder_end(b, t);
}

static fls_ref union_of_other_message(fls_builder *b)
{
    fls_ref values[2] = {NO_REF, {4001}};
    (void)fls_builder_union_vector(b, values, 2);
    return telemetry(b, 1, 2, 3);
}

typedef fls_ref (*misuse)(fls_builder *b);

static const misuse misuses[] = {
    slot_twice,
    reference_twice,
    slot_out_of_range,
    no_slots,
    too_many_slots,
    table_in_table,
    string_in_table,
    vector_in_table,
    ref_vector_in_table,
    table_ended_twice,
    table_never_started,
    set_outside_of_tables,
    set_in_ended_table,
    end_of_other_table,
    never_ended,
    no_root,
    string_as_root,
    root_of_other_message,
    no_ref_in_vector,
    reference_beyond_buffer,
    elements_of_three_bytes,
    elements_of_no_bytes,
    string_of_2_gib,
    elements_of_sixteen_bytes,
    string_of_any_size,
    vector_over_2_gib,
    vector_that_wraps,
    shared_string_of_any_size,
    struct_vector_that_wraps,
    struct_of_any_size,
    struct_of_no_bytes,
    struct_of_odd_size,
    alignment_of_three,
    alignment_of_none,
    alignment_of_128,
    struct_in_table,
    shared_string_in_table,
    struct_slot_twice,
    struct_over_64_kib,
    struct_as_root,
    union_in_first_slot,
    union_without_value,
    union_whose_tag_is_set,
    union_of_other_message,
    root_forgotten,
};

static void expect_misuse(fls_builder *b, size_t number)
{
    const void *data = "";
    size_t size = 1;
    fls_error err = FLS_ERROR_INIT;
    fls_ref root = misuses[number](b);
    fls_status status = fls_builder_finish(b, root, NULL, &data, &size, &err);
    if (status != FLS_INVALID_ARGUMENT) {
        print_error("misuse %zu gives %s\n", number, fls_status_name(status));
    }
    assert_int_equal(status, FLS_INVALID_ARGUMENT);
    assert_int_equal(err.status, FLS_INVALID_ARGUMENT);
    assert_true(err.text[0] != '\0');
    assert_null(data);
    assert_int_equal(size, 0);
}

/* After a failure was told or forgotten the builder is as new. */
static void expect_as_new(fls_builder *b)
{
    fls_table t = fls_builder_table(b, 40);
    for (uint32_t slot = 0; slot < 40; slot++) {
        fls_builder_u8(b, t, slot, 1);
    }
    (void)finish(b, fls_builder_end(b, t));
    (void)finish(b, telemetry(b, 1, 2, 3));
}

static void misuse_sticks_until_told(void **unused)
{
    (void)unused;
    counting_allocator counting;
    counting_allocator_init(&counting);
    fls_builder *b = NULL;
    assert_int_equal(fls_builder_new(&b, &counting.table, NULL), FLS_OK);
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++) {
        expect_misuse(b, i);
        expect_as_new(b);
        (void)misuses[i](b);
        fls_builder_reset(b);
        expect_as_new(b);
        assert_true(counting.peak_bytes < 100000);
    }
    /* The first failure is the one that is told. */
    fls_error err = FLS_ERROR_INIT;
    const void *data;
    size_t size;
    (void)too_many_slots(b);
    (void)slot_twice(b);
    (void)string_as_root(b);
    assert_int_equal(fls_builder_finish(b, NO_REF, NULL, &data, &size, &err), FLS_INVALID_ARGUMENT);
    assert_string_equal(err.text, "a table with more than 32765 slots");
    fls_builder_free(b);
    assert_int_equal(counting.live_blocks, 0);
}

/* Messages that the misuses begin like. */
static fls_ref like_others(fls_builder *b, int shape)
{
    switch (shape) {
    case 0: return telemetry(b, 1, 2, 3);
    case 1: return fls_builder_end(b, fls_builder_table(b, 2));
    case 2: return fls_builder_end(b, fls_builder_table(b, 0));
    default: {
        fls_table t = fls_builder_table(b, 2);
        fls_builder_u8(b, t, 1, 0);
        return fls_builder_end(b, t);
    }
    }
}

static void misuse_shows_in_a_repeated_message(void **unused)
{
    (void)unused;
    for (int shape = 0; shape < 4; shape++) {
        for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++) {
            fls_builder *b = new_builder();
            (void)finish(b, like_others(b, shape));
            (void)finish(b, like_others(b, shape));
            expect_misuse(b, i);
            expect_as_new(b);
            fls_builder_free(b);
        }
    }
}

/* Wrong at any time; most in more than one way when no table is open. */
static void misuse_at_any_time(fls_builder *b, fls_table t, uint32_t number)
{
    static const char bytes[256];
    static const fls_schema empty;
    const fls_ref stale[2] = {NO_REF, {4001}};
    const void *data;
    size_t size;
    switch (number) {
    case 0: fls_builder_union(b, t, 0, 1, (fls_ref){5}); break;
    case 1: fls_builder_union(b, t, 1, 1, NO_REF); break;
    case 2: fls_builder_union(b, t, 4, 1, stale[1]); break;
    case 3: fls_builder_u8(b, t, 90, 1); break;
    case 4: fls_builder_u16(b, t, 90, 1); break;
    case 5: fls_builder_u32(b, t, 5, 1); break;
    case 6: fls_builder_u64(b, t, 5, 1); break;
    case 7: fls_builder_ref(b, t, 4, stale[1]); break;
    case 8: fls_builder_ref(b, t, 5, (fls_ref){5}); break;
    case 9: fls_builder_struct(b, t, 5, bytes, 4, 4); break;
    case 10: fls_builder_struct(b, t, 4, bytes, 3, 3); break;
    case 11: (void)fls_builder_struct_object(b, bytes, 3, 3); break;
    case 12: (void)fls_builder_struct_vector(b, bytes, 3, 6, 4); break;
    case 13: (void)fls_builder_vector(b, bytes, 1, 3); break;
    case 14: (void)fls_builder_aligned_vector(b, bytes, 3, 1, 0); break;
    case 15: (void)fls_builder_nested(b, bytes, sizeof bytes, 128); break;
    case 16: (void)fls_builder_ref_vector(b, stale, 1); break;
    case 17: (void)fls_builder_union_vector(b, stale, 2); break;
    case 18: (void)fls_builder_string(b, bytes, SIZE_MAX); break;
    case 19: (void)fls_builder_shared_string(b, bytes, SIZE_MAX); break;
    case 20: (void)fls_builder_table(b, 32766); break;
    case 21: (void)fls_builder_end(b, (fls_table){t.serial + 1000}); break;
    case 22: (void)fls_builder_end_checked(b, t, &empty, UINT32_MAX); break;
    default: /* with its own failure told, the rest of the message lacks its beginning */
        assert_int_equal(fls_builder_finish(b, NO_REF, NULL, &data, &size, NULL),
                         FLS_INVALID_ARGUMENT);
        (void)fls_builder_end(b, (fls_table){t.serial + 1000});
        break;
    }
}

enum { MISUSES_AT_ANY_TIME = 24, STEPS = 7 };

/* A message that is repeated, with a misuse before one of its steps, or none. */
static fls_ref disturbed(fls_builder *b, uint32_t step, uint32_t number)
{
    fls_table t = {0};
    fls_ref root = NO_REF;
    for (uint32_t at = 0; at < STEPS; at++) {
        if (at == step) {
            misuse_at_any_time(b, t, number);
        }
        switch (at) {
        case 0: t = fls_builder_table(b, 5); break;
        case 1: fls_builder_u64(b, t, 0, 1); break;
        case 2: fls_builder_u8(b, t, 2, 2); break;
        case 3: fls_builder_u32(b, t, 1, 3); break;
        case 4: fls_builder_u16(b, t, 3, 4); break;
        case 5: root = fls_builder_end(b, t); break;
        default: break; /* it is to be finished */
        }
    }
    return root;
}

static void expect_failure(fls_builder *b, fls_ref root, fls_error *err)
{
    const void *data = "";
    size_t size = 1;
    *err = (fls_error)FLS_ERROR_INIT;
    assert_int_equal(fls_builder_finish(b, root, NULL, &data, &size, err), FLS_INVALID_ARGUMENT);
    assert_null(data);
    assert_int_equal(size, 0);
}

/* Of a message that would have been repeated, as of a first one; and it is the only one that is
 * refused. */
static void misuse_belongs_to_its_message(void **unused)
{
    (void)unused;
    for (uint32_t number = 0; number < MISUSES_AT_ANY_TIME; number++) {
        for (uint32_t step = 0; step < STEPS; step++) {
            fls_error expected;
            fls_error got;
            fls_builder *fresh = new_builder();
            expect_failure(fresh, disturbed(fresh, step, number), &expected);
            for (int is_reset = 0; is_reset < 2; is_reset++) {
                fls_builder *b = new_builder();
                (void)finish(b, disturbed(b, STEPS, number));
                (void)finish(b, disturbed(b, STEPS, number));
                fls_ref root = disturbed(b, step, number);
                if (is_reset) {
                    fls_builder_reset(b);
                } else {
                    expect_failure(b, root, &got);
                    assert_string_equal(got.text, expected.text);
                }
                (void)finish(b, disturbed(b, STEPS, number));
                expect_as_new(b);
                fls_builder_free(b);
            }
            fls_builder_free(fresh);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse_sticks_until_told),
        cmocka_unit_test(misuse_shows_in_a_repeated_message),
        cmocka_unit_test(misuse_belongs_to_its_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
