/* Structs, unions, shared strings, alignment and what a schema asks for, without the official
 * library: where the values lie, failures at every allocation, memory. tests/interop compares the
 * bytes. */
#include "flatbuf/schema_private.h"
#include "support/counting_allocator.h"
#include "unit/builder_testing.h"

static void structs_and_unions(void **unused)
{
    (void)unused;
    static const char point[12] = "point bytes";
    fls_builder *b = new_builder();
    for (int round = 0; round < 3; round++) {
        fls_ref object = fls_builder_struct_object(b, "odd", 3, 1);
        fls_ref text = fls_builder_string(b, "text", 4);
        const fls_ref values[3] = {text, NO_REF, object};
        fls_ref tags = fls_builder_vector(b, "\1\0\2", 3, 1);
        fls_ref unions = fls_builder_union_vector(b, values, 3);
        fls_table t = fls_builder_table(b, 7);
        fls_builder_struct(b, t, 0, point, sizeof point, 4);
        fls_builder_union(b, t, 2, 3, object);
        fls_builder_union(b, t, 4, 0, text);
        fls_builder_ref(b, t, 5, tags);
        fls_builder_ref(b, t, 6, unions);
        view message = finish(b, fls_builder_end(b, t));
        size_t table = number_at(message, 0, 4);
        assert_memory_equal(message.data + field_at(message, table, 0, 4), point, sizeof point);
        assert_int_equal(message.data[field_at(message, table, 1, 1)], 3);
        size_t odd = target_of(message, field_at(message, table, 2, 4));
        assert_memory_equal(message.data + odd, "odd", 3);
        assert_int_equal(field_at(message, table, 3, 1), 0);
        assert_int_equal(field_at(message, table, 4, 4), 0);
        size_t vector = target_of(message, field_at(message, table, 6, 4));
        assert_int_equal(number_at(message, vector, 4), 3);
        assert_memory_equal(message.data + target_of(message, vector + 4) + 4, "text", 5);
        assert_int_equal(number_at(message, vector + 8, 4), 0);
        assert_int_equal(target_of(message, vector + 12), odd);
    }
    fls_builder_free(b);
}

static void every_alignment(void **unused)
{
    (void)unused;
    uint8_t bytes[128];
    memset(bytes, 0xAB, sizeof bytes);
    fls_builder *b = new_builder();
    for (uint32_t alignment = 1; alignment <= 64; alignment *= 2) {
        for (size_t before = 0; before < 70; before++) {
            fls_ref text = fls_builder_string(b, (const char *)bytes, before);
            fls_ref vector = fls_builder_aligned_vector(b, bytes, before % 5, 2, alignment);
            fls_ref nested = fls_builder_nested(b, bytes, 100 + before % 9, alignment);
            fls_ref structs = fls_builder_struct_vector(b, bytes, before % 3, alignment, alignment);
            fls_table t = fls_builder_table(b, 5);
            fls_builder_u8(b, t, 0, 1);
            fls_builder_struct(b, t, 1, bytes, alignment, alignment);
            fls_builder_ref(b, t, 2, vector);
            fls_builder_ref(b, t, 3, nested);
            fls_builder_ref(b, t, 4, structs);
            (void)text;
            view message = finish(b, fls_builder_end(b, t));
            size_t table = number_at(message, 0, 4);
            assert_int_equal((uintptr_t)message.data % alignment, 0);
            assert_int_equal(field_at(message, table, 1, 1) % alignment, 0);
            assert_int_equal(target_of(message, field_at(message, table, 3, 4)) % alignment,
                             alignment <= 4 ? 0 : alignment - 4);
            if (before % 5 != 0 && alignment > 4) {
                assert_int_equal(
                    (target_of(message, field_at(message, table, 2, 4)) + 4) % alignment, 0);
            }
            if (before % 3 != 0) {
                size_t at = target_of(message, field_at(message, table, 4, 4));
                assert_int_equal((at + 4) % alignment, 0);
                assert_int_equal(number_at(message, at, 4), before % 3);
            }
        }
    }
    fls_builder_free(b);
}

/* Many strings, each twice; the second time nothing is written. */
static fls_ref share(fls_builder *b, uint32_t count)
{
    fls_ref refs[400];
    char text[16];
    for (uint32_t i = 0; i < 2 * count; i++) {
        int size = snprintf(text, sizeof text, "%u", i % count * 7919);
        refs[i] = fls_builder_shared_string(b, text, (size_t)size);
        assert_true(i < count || refs[i].position == refs[i - count].position);
    }
    fls_ref empty = fls_builder_shared_string(b, NULL, 0);
    assert_int_equal(fls_builder_shared_string(b, "", 0).position, empty.position);
    fls_ref plain = fls_builder_string(b, "0", 1);
    assert_true(plain.position == 0 || plain.position != refs[0].position);
    fls_ref all = fls_builder_ref_vector(b, refs, 2 * count);
    fls_table t = fls_builder_table(b, 1);
    fls_builder_ref(b, t, 0, all);
    return fls_builder_end(b, t);
}

static void strings_are_shared(void **unused)
{
    (void)unused;
    fls_builder *b = new_builder();
    for (uint32_t round = 0; round < 20; round++) {
        uint32_t count = 1 + round * 10;
        view message = finish(b, share(b, count));
        size_t vector = target_of(message, field_at(message, number_at(message, 0, 4), 0, 4));
        for (uint32_t i = 0; i < 2 * count; i++) {
            char text[16];
            int size = snprintf(text, sizeof text, "%u", i % count * 7919);
            size_t string = target_of(message, vector + 4 + 4 * (size_t)i);
            assert_int_equal(number_at(message, string, 4), size);
            assert_string_equal((const char *)message.data + string + 4, text);
        }
    }
    fls_builder_free(b);
}

/* Sharing, as every other allocation, may fail, and the builder works again afterwards. */
static fls_status share_with(fls_builder *b, view *message, fls_error *err)
{
    const void *data = NULL;
    size_t size = 0;
    fls_ref refs[100];
    for (uint32_t i = 0; i < 100; i++) {
        char text[8];
        int length = snprintf(text, sizeof text, "%u", i);
        refs[i] = fls_builder_shared_string(b, text, (size_t)length);
    }
    fls_ref all = fls_builder_ref_vector(b, refs, 100);
    fls_table t = fls_builder_table(b, 1);
    fls_builder_ref(b, t, 0, all);
    fls_status status = fls_builder_finish(b, fls_builder_end(b, t), NULL, &data, &size, err);
    *message = (view){data, size};
    return status;
}

static void sharing_may_fail(void **unused)
{
    (void)unused;
    fls_builder *sound = new_builder();
    view wanted;
    assert_int_equal(share_with(sound, &wanted, NULL), FLS_OK);
    uint64_t failures = 1;
    for (uint64_t call = 0; failures != 0; call++) {
        counting_allocator counting;
        counting_allocator_init(&counting);
        counting.fail_from = call;
        counting.fail_calls = 1;
        fls_builder *b = NULL;
        fls_error err = FLS_ERROR_INIT;
        fls_status status = fls_builder_new(&b, &counting.table, &err);
        if (b != NULL) {
            view got;
            status = share_with(b, &got, &err);
            assert_int_equal(status, counting.failures == 0 ? FLS_OK : FLS_NO_MEMORY);
            assert_int_equal(share_with(b, &got, NULL), FLS_OK);
            assert_int_equal(got.size, wanted.size);
            assert_memory_equal(got.data, wanted.data, wanted.size);
            uint64_t calls = counting.calls;
            assert_int_equal(share_with(b, &got, NULL), FLS_OK);
            assert_int_equal(counting.calls, calls); /* warm */
            assert_true(fls_builder_capacity(b) <= counting.live_bytes);
            counting.fail_from = COUNTING_NEVER;
            fls_builder_shrink(b, 0);
            assert_int_equal(fls_builder_capacity(b), 1024);
            assert_int_equal(share_with(b, &got, NULL), FLS_OK);
            assert_memory_equal(got.data, wanted.data, wanted.size);
            fls_builder_free(b);
        }
        failures = counting.failures;
        assert_int_equal(counting.live_blocks, 0);
        assert_true(failures != 0 || call >= 4);
    }
    fls_builder_free(sound);
}

/* table Sample { id: ulong; name: string (required); place: Point; old: string (required,
 * deprecated); } */
static const flsi_field fields[] = {
    {.place = 4, .kind = FLSI_SCALAR, .type = FLS_TYPE_U64, .bytes = 8, .name = "id"},
    {.place = 6, .kind = FLSI_STRING, .flags = FLS_FIELD_REQUIRED, .bytes = 4, .name = "name"},
    {.place = 8, .kind = FLSI_STRUCT, .bytes = 12, .name = "place"},
    {.place = 10,
     .kind = FLSI_STRING,
     .flags = FLS_FIELD_REQUIRED | FLS_FIELD_DEPRECATED,
     .bytes = 4,
     .name = "old"},
    {.place = 4, .kind = FLSI_SCALAR, .type = FLS_TYPE_U32, .bytes = 4, .name = "value"},
};
static const flsi_object objects[] = {
    {.first_field = 0, .field_count = 4, .has_required = 1, .name = "test.Sample"},
    {.first_field = 0, .field_count = 0, .is_struct = 1, .name = "test.Point"},
    {.first_field = 4, .field_count = 1, .name = "test.Plain"},
};
static const fls_schema schema = {
    .objects = objects, .fields = fields, .object_count = 3, .field_count = 5, .hash = 77};

static void expect_reason(fls_builder *b, fls_ref root, fls_status wanted, const char *text)
{
    const void *data;
    size_t size;
    fls_error err = FLS_ERROR_INIT;
    assert_int_equal(root.position == 0, wanted != FLS_OK);
    assert_status(fls_builder_finish(b, root, NULL, &data, &size, &err), wanted, &err);
    assert_string_equal(err.text, text);
}

static void a_schema_is_kept(void **unused)
{
    (void)unused;
    static const char point[12];
    fls_builder *b = new_builder();
    for (int is_wrong = 0; is_wrong < 7; is_wrong++) {
        fls_ref name = fls_builder_string(b, "n", 1);
        fls_table t = fls_builder_table(b, 9);
        const char *reason = "";
        if (is_wrong == 1) {
            fls_builder_u32(b, t, 0, 5);
            reason = "test.Sample: id was set to a value of another kind or width";
        } else {
            fls_builder_u64(b, t, 0, 5);
        }
        if (is_wrong == 2) {
            fls_builder_u32(b, t, 1, 5);
            reason = "test.Sample: name was set to a value of another kind or width";
        } else if (is_wrong == 3) {
            reason = "test.Sample: name is required and was not set";
        } else {
            fls_builder_ref(b, t, 1, name);
        }
        if (is_wrong == 4) {
            fls_builder_ref(b, t, 2, name);
            reason = "test.Sample: place was set to a value of another kind or width";
        } else {
            fls_builder_struct(b, t, 2, point, sizeof point, 4);
        }
        if (is_wrong == 5) {
            fls_builder_u8(b, t, 8, 0);
            reason = "test.Sample: a slot was set that no field has";
        }
        if (is_wrong == 6) {
            reason = "a table was ended that is none of the schema's";
        }
        fls_ref root = fls_builder_end_checked(b, t, &schema, is_wrong == 6 ? 1 : 0);
        expect_reason(b, root,
                      is_wrong == 0   ? FLS_OK
                      : is_wrong == 6 ? FLS_INVALID_ARGUMENT
                                      : FLS_VALIDATION_FAILED,
                      reason);
    }
    fls_builder_free(b);
}

/* What is repeated was checked, by this schema and against this object. */
static void repeated_tables_are_checked(void **unused)
{
    (void)unused;
    fls_builder *b = new_builder();
    fls_schema other = schema;
    other.hash++;
    for (uint32_t i = 0; i < 100; i++) {
        for (int road = 0; road < 4; road++) {
            fls_table t = fls_builder_table(b, 1);
            fls_builder_u32(b, t, 0, i);
            fls_ref root = road == 0   ? fls_builder_end(b, t)
                           : road == 1 ? fls_builder_end_checked(b, t, &schema, 2)
                           : road == 2 ? fls_builder_end_checked(b, t, &other, 2)
                                       : fls_builder_end_checked(b, t, &schema, 0);
            expect_reason(b, root, road == 3 ? FLS_VALIDATION_FAILED : FLS_OK,
                          road == 3 ? "test.Sample: id was set to a value of another kind or width"
                                    : "");
            if (i % 2 == 0 && road == 1) {
                t = fls_builder_table(b, 1);
                fls_builder_u32(b, t, 0, i);
                view message = finish(b, fls_builder_end_checked(b, t, &schema, 2));
                size_t at = field_at(message, number_at(message, 0, 4), 0, 4);
                assert_int_equal(number_at(message, at, 4), i);
            }
        }
        if (i % 5 == 0) {
            fls_builder_free(b);
            b = new_builder();
        }
    }
    fls_builder_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structs_and_unions), cmocka_unit_test(every_alignment),
        cmocka_unit_test(strings_are_shared), cmocka_unit_test(sharing_may_fail),
        cmocka_unit_test(a_schema_is_kept),   cmocka_unit_test(repeated_tables_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
