/* Walking schemas that flatc made: every kind of field, defaults, values, names, sets of types. */
#include "flatbuf/schema_hash.h"
#include "flatstream/schema_set.h"
#include "schema_invariants.h"
#include "support/files.h"

static fls_schema *everything;
static fls_schema *plain; /* the same without builtins */
static fls_schema *telemetry;

static fls_schema *load(const char *name)
{
    byte_buffer data = BYTES_INIT;
    fls_schema *schema = NULL;
    fls_error err = FLS_ERROR_INIT;
    assert_int_equal(files_read(files_join(FLS_TEST_SCHEMA_DIR, name), &data), 0);
    assert_status(fls_schema_new(&schema, data.data, data.size, NULL, &err), FLS_OK, &err);
    memset(data.data, 0xEE, data.size); /* not needed any more */
    bytes_free(&data);
    check_invariants(schema);
    return schema;
}

static fls_schema_field field_of(const fls_schema *schema, const char *object, const char *field)
{
    fls_schema_field info;
    uint32_t o = fls_schema_find_object(schema, object);
    assert_true(o != FLS_SCHEMA_NONE);
    uint32_t f = fls_schema_find_field(schema, o, field);
    assert_true(f != FLS_SCHEMA_NONE);
    fls_schema_get_field(schema, o, f, &info);
    assert_string_equal(info.name, field);
    assert_int_equal(info.id, f);
    return info;
}

static const char *object_name(const fls_schema *schema, uint32_t index)
{
    fls_schema_object info;
    assert_true(index < fls_schema_object_count(schema));
    fls_schema_get_object(schema, index, &info);
    assert_int_equal(info.index, index);
    return info.name;
}

static const char *enumeration_name(const fls_schema *schema, uint32_t index)
{
    fls_schema_enumeration info;
    assert_true(index < fls_schema_enumeration_count(schema));
    fls_schema_get_enumeration(schema, index, &info);
    assert_int_equal(info.index, index);
    return info.name;
}

static void scalars(void **state)
{
    static const struct {
        const char *name;
        fls_type type;
        uint32_t bytes;
        int64_t whole;
    } wanted[] = {{"a_bool", FLS_TYPE_BOOL, 1, 1},         {"a_byte", FLS_TYPE_I8, 1, -128},
                  {"a_ubyte", FLS_TYPE_U8, 1, 255},        {"a_short", FLS_TYPE_I16, 2, -32768},
                  {"a_ushort", FLS_TYPE_U16, 2, 65535},    {"an_int", FLS_TYPE_I32, 4, INT32_MIN},
                  {"a_uint", FLS_TYPE_U32, 4, UINT32_MAX}, {"a_long", FLS_TYPE_I64, 8, INT64_MIN},
                  {"a_ulong", FLS_TYPE_U64, 8, INT64_MAX}, {"a_float", FLS_TYPE_F32, 4, 0},
                  {"a_double", FLS_TYPE_F64, 8, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        fls_schema_field plain_one = field_of(everything, "Scalars", wanted[i].name);
        fls_schema_field with_default = field_of(everything, "Defaults", wanted[i].name);
        fls_schema_field optional = field_of(everything, "Optionals", wanted[i].name);
        assert_int_equal(plain_one.type, wanted[i].type);
        assert_int_equal(plain_one.element, FLS_TYPE_NONE);
        assert_int_equal(plain_one.bytes, wanted[i].bytes);
        assert_int_equal(plain_one.alignment, wanted[i].bytes);
        assert_int_equal(plain_one.content_alignment, 0);
        assert_int_equal(plain_one.offset, 4 + 2 * plain_one.id);
        assert_int_equal(plain_one.object, FLS_SCHEMA_NONE);
        assert_int_equal(plain_one.enumeration, FLS_SCHEMA_NONE);
        assert_int_equal(plain_one.nested, FLS_SCHEMA_NONE);
        assert_int_equal(plain_one.flags, 0);
        assert_int_equal(plain_one.default_value.i, 0);
        assert_int_equal(optional.flags, FLS_FIELD_OPTIONAL);
        assert_int_equal(optional.default_value.i, 0);
        if (wanted[i].whole != 0) {
            assert_int_equal(with_default.default_value.i, wanted[i].whole);
        }
    }
    /* Variables: where floats are evaluated as doubles, constants keep the digits of a double. */
    const float a_float = 3.14159f;
    const float small = 1.0e-45f;
    assert_true(field_of(everything, "Defaults", "a_float").default_value.f == (double)a_float);
    assert_true(field_of(everything, "Defaults", "a_double").default_value.f == -1.0e-300);
    double nan = field_of(everything, "Defaults", "not_a_float").default_value.f;
    assert_true(nan != nan);
    nan = field_of(everything, "Defaults", "not_a_double").default_value.f;
    assert_true(nan != nan);
    assert_true(field_of(everything, "Defaults", "infinite").default_value.f > 1e300);
    assert_true(field_of(everything, "Defaults", "negative_infinite").default_value.f < -1e300);
    assert_true(field_of(everything, "Defaults", "small").default_value.f == (double)small);
}

static void named_numbers(void **state)
{
    (void)state;
    fls_schema_field tiny = field_of(everything, "Enums", "tiny");
    assert_int_equal(tiny.type, FLS_TYPE_I8);
    assert_int_equal(tiny.default_value.i, 1);
    assert_string_equal(enumeration_name(everything, tiny.enumeration), "everything.Tiny");
    /* flatc loses what is above INT64_MAX. */
    assert_int_equal(field_of(everything, "Enums", "wide_flags").default_value.i, 0);
    assert_int_equal(field_of(everything, "Defaults", "a_huge").default_value.i, 0);
    assert_int_equal(field_of(everything, "Enums", "flags_both").default_value.i, 3);
    assert_string_equal(
        enumeration_name(everything, field_of(everything, "Enums", "level").enumeration),
        "everything.deep.Level");
    assert_int_equal(field_of(everything, "Vectors", "words").element, FLS_TYPE_U16);
    assert_string_equal(
        enumeration_name(everything, field_of(everything, "Vectors", "words").enumeration),
        "everything.Word");

    uint32_t huge = fls_schema_find_enumeration(everything, "everything.Huge");
    fls_schema_enumeration info;
    fls_schema_value value;
    fls_schema_get_enumeration(everything, huge, &info);
    assert_int_equal(info.type, FLS_TYPE_U64);
    assert_int_equal(info.value_count, 3);
    fls_schema_get_value(everything, huge, 0, &value); /* ascending as signed numbers */
    assert_string_equal(value.name, "Most");
    assert_int_equal(value.value, -1);
    assert_ptr_equal(flsi_schema_value(everything, huge, 5), NULL);
    assert_string_equal(flsi_schema_value(everything, huge, INT64_MAX)->name, "Half");

    uint32_t mode = fls_schema_find_enumeration(telemetry, "Mode");
    fls_schema_get_enumeration(telemetry, mode, &info);
    assert_false(info.is_union || info.is_bit_flags);
    assert_string_equal(flsi_schema_value(telemetry, mode, 9)->name, "Fault");
    assert_ptr_equal(flsi_schema_value(telemetry, mode, 3), NULL);
    assert_ptr_equal(flsi_schema_value(telemetry, mode, -1), NULL);

    fls_schema_get_enumeration(everything, fls_schema_find_enumeration(everything, "Flags"), &info);
    assert_true(info.is_bit_flags);
    fls_schema_get_enumeration(plain, fls_schema_find_enumeration(plain, "Flags"), &info);
    assert_false(info.is_bit_flags);
}

static void structs(void **state)
{
    fls_schema_object object;
    (void)state;
    fls_schema_get_object(everything, fls_schema_find_object(everything, "Mixed"), &object);
    assert_true(object.is_struct);
    assert_int_equal(object.bytes, 48);
    assert_int_equal(object.alignment, 8);
    assert_int_equal(field_of(everything, "Mixed", "b").offset, 8);
    assert_int_equal(field_of(everything, "Mixed", "e").offset, 24);
    fls_schema_get_object(everything, fls_schema_find_object(everything, "Aligned"), &object);
    assert_int_equal(object.bytes, 16);
    assert_int_equal(object.alignment, 16);
    fls_schema_get_object(everything, fls_schema_find_object(everything, "Wide"), &object);
    assert_int_equal(object.alignment, 32);
    fls_schema_field array = field_of(everything, "Arrays", "mixed");
    assert_int_equal(array.type, FLS_TYPE_ARRAY);
    assert_int_equal(array.element, FLS_TYPE_STRUCT);
    assert_int_equal(array.length, 2);
    assert_int_equal(array.bytes, 96);
    assert_string_equal(object_name(everything, array.object), "everything.Mixed");
    array = field_of(everything, "Arrays", "kinds");
    assert_int_equal(array.element, FLS_TYPE_U16);
    assert_int_equal(array.bytes, 8);
    assert_int_equal(array.content_alignment, 0);
    assert_string_equal(enumeration_name(everything, array.enumeration), "everything.Word");
    fls_schema_field inner = field_of(everything, "Nested", "place");
    assert_int_equal(inner.type, FLS_TYPE_STRUCT);
    assert_int_equal(inner.object, field_of(everything, "Structs", "other_point").object);
}

static void references(void **state)
{
    (void)state;
    fls_schema_field field = field_of(everything, "Required", "text");
    assert_int_equal(field.type, FLS_TYPE_STRING);
    assert_int_equal(field.flags, FLS_FIELD_REQUIRED);
    field = field_of(everything, "Tree", "left");
    assert_int_equal(field.type, FLS_TYPE_TABLE);
    assert_string_equal(object_name(everything, field.object), "everything.Tree");
    field = field_of(everything, "Vectors", "strings");
    assert_int_equal(field.type, FLS_TYPE_VECTOR);
    assert_int_equal(field.element, FLS_TYPE_STRING);
    field = field_of(everything, "Vectors", "wide");
    assert_int_equal(field.element, FLS_TYPE_STRUCT);
    assert_int_equal(field.content_alignment, 32);
    assert_int_equal(field_of(everything, "Vectors", "doubles").content_alignment, 8);
    assert_int_equal(field_of(everything, "Vectors", "forced").content_alignment, 32);
    assert_int_equal(field_of(plain, "Vectors", "forced").content_alignment, 1);
    assert_int_equal(field_of(everything, "Vectors", "forced_doubles").content_alignment, 16);

    field = field_of(everything, "Nests", "tree");
    assert_int_equal(field.type, FLS_TYPE_VECTOR);
    assert_int_equal(field.element, FLS_TYPE_U8);
    assert_string_equal(object_name(everything, field.nested), "everything.Tree");
    assert_int_equal(field.object, FLS_SCHEMA_NONE);
    assert_int_equal(field_of(plain, "Nests", "tree").nested, FLS_SCHEMA_NONE);
    assert_int_equal(field_of(everything, "Nests", "flex").flags, FLS_FIELD_FLEXBUFFER);
    assert_int_equal(field_of(everything, "Old", "gone_text").flags, FLS_FIELD_DEPRECATED);
    assert_int_equal(field_of(everything, "ByNumber", "id").flags, FLS_FIELD_KEY);
    assert_int_equal(field_of(everything, "ByName", "name").flags,
                     FLS_FIELD_KEY | FLS_FIELD_REQUIRED);
    assert_int_equal(field_of(everything, "Keyed", "id").flags, FLS_FIELD_KEY);
    assert_int_equal(everything->objects[fls_schema_find_object(everything, "BySigned")].key, 1);
}

static void unions(void **state)
{
    fls_schema_enumeration info;
    fls_schema_value value;
    (void)state;
    fls_schema_field field = field_of(everything, "Unions", "any");
    fls_schema_field tag = field_of(everything, "Unions", "any_type");
    assert_int_equal(field.type, FLS_TYPE_UNION);
    assert_int_equal(tag.type, FLS_TYPE_UNION_TAG);
    assert_int_equal(tag.id + 1, field.id);
    assert_int_equal(tag.enumeration, field.enumeration);
    assert_int_equal(field_of(everything, "Unions", "any_many").element, FLS_TYPE_UNION);
    assert_int_equal(field_of(everything, "Unions", "any_many_type").element, FLS_TYPE_UNION_TAG);
    fls_schema_get_enumeration(everything, field.enumeration, &info);
    assert_true(info.is_union);
    assert_int_equal(info.type, FLS_TYPE_UNION_TAG);
    assert_int_equal(info.value_count, 8);
    static const fls_type types[] = {FLS_TYPE_NONE,   FLS_TYPE_TABLE, FLS_TYPE_STRUCT,
                                     FLS_TYPE_STRING, FLS_TYPE_TABLE, FLS_TYPE_TABLE,
                                     FLS_TYPE_TABLE,  FLS_TYPE_TABLE};
    for (uint32_t i = 0; i < info.value_count; i++) {
        fls_schema_get_value(everything, field.enumeration, i, &value);
        assert_int_equal(value.value, i);
        assert_int_equal(value.type, types[i]);
    }
    assert_string_equal(value.name, "Tree");
    assert_string_equal(object_name(everything, value.object), "everything.Tree");
    uint32_t sparse = fls_schema_find_enumeration(everything, "Sparse");
    assert_int_equal(flsi_schema_value(everything, sparse, 200)->kind, FLSI_STRUCT);
    assert_int_equal(flsi_schema_value(everything, sparse, 3)->kind, FLSI_STRING);
    assert_ptr_equal(flsi_schema_value(everything, sparse, 4), NULL);
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(object_name(everything, fls_schema_root(everything)),
                        "everything.Everything");
    assert_string_equal(fls_schema_identifier(everything), "EVRY");
    assert_string_equal(fls_schema_identifier(telemetry), "");
    assert_int_equal(fls_schema_find_object(everything, "everything.Tree"),
                     fls_schema_find_object(everything, "Tree"));
    /* In two namespaces. */
    assert_int_equal(fls_schema_find_object(everything, "Note"), FLS_SCHEMA_NONE);
    assert_true(fls_schema_find_object(everything, "deep.Note") != FLS_SCHEMA_NONE);
    assert_int_equal(fls_schema_find_object(everything, "Tre"), FLS_SCHEMA_NONE);
    assert_int_equal(fls_schema_find_object(everything, "ree"), FLS_SCHEMA_NONE);
    assert_int_equal(fls_schema_find_object(everything, ""), FLS_SCHEMA_NONE);
    assert_int_equal(fls_schema_find_object(everything, "Tiny"), FLS_SCHEMA_NONE);
    assert_int_equal(fls_schema_find_enumeration(everything, "Tree"), FLS_SCHEMA_NONE);
    assert_int_equal(fls_schema_find_enumeration(everything, "Level"), FLS_SCHEMA_NONE);
    uint32_t tree = fls_schema_find_object(everything, "Tree");
    assert_int_equal(fls_schema_find_field(everything, tree, "lef"), FLS_SCHEMA_NONE);
    assert_int_equal(fls_schema_find_field(everything, tree, "leftx"), FLS_SCHEMA_NONE);
    assert_int_equal(flsi_schema_field_named(everything, tree, "leftover", 4),
                     everything->objects[tree].first_field + 1);
    assert_int_equal(flsi_schema_field_named(everything, tree, "leftover", 8), FLS_SCHEMA_NONE);
}

/* ---- sets ---- */

static void set_identifier(uint8_t *message, const char *bytes)
{
    for (int i = 0; i < 4; i++) {
        message[4 + i] = (uint8_t)bytes[i];
    }
}

static void sets(void **state)
{
    fls_schema_set set = {0};
    fls_error err = FLS_ERROR_INIT;
    uint8_t message[12] = {8, 0, 0, 0, 'E', 'V', 'R', 'Y'};
    (void)state;
    assert_int_equal(fls_schema_set_select(&set, message, 12), FLS_SCHEMA_NONE);
    assert_status(fls_schema_set_add(&set, everything, NULL, NULL, &err), FLS_OK, &err);
    assert_memory_equal(set.types[0].identifier, "EVRY", 4);
    set_identifier(message, "ABCD");
    assert_int_equal(fls_schema_set_select(&set, message, 12), FLS_SCHEMA_NONE); /* another type */
    set_identifier(message, "\x06\0\x08\0");
    assert_int_equal(fls_schema_set_select(&set, message, 12), 0); /* none: of the only type */
    set_identifier(message, "ABC\x7f");
    assert_int_equal(fls_schema_set_select(&set, message, 12), 0);
    assert_int_equal(fls_schema_set_select(&set, message, 3), 0);
    assert_status(fls_schema_set_add(&set, everything, "Tree", "TREE", &err), FLS_OK, &err);
    assert_int_equal(fls_schema_set_select(&set, message, 12), FLS_SCHEMA_NONE);
    assert_int_equal(fls_schema_set_select(&set, NULL, 0), FLS_SCHEMA_NONE);
    set_identifier(message, "TREE");
    assert_int_equal(fls_schema_set_select(&set, message, 12), 1);
    assert_int_equal(fls_schema_set_select(&set, message, 8), 1);
    assert_int_equal(fls_schema_set_select(&set, message, 7), FLS_SCHEMA_NONE);
    set_identifier(message, "EVRY");
    assert_int_equal(fls_schema_set_select(&set, message, 12), 0);
    assert_status(fls_schema_set_add(&set, telemetry, NULL, NULL, &err), FLS_OK, &err);
    assert_int_equal(fls_schema_set_select(&set, message, 7), 2);
    set_identifier(message, "\0\0\0\0");
    assert_int_equal(fls_schema_set_select(&set, message, 12), 2);
    set_identifier(message, "XXXX");
    assert_int_equal(fls_schema_set_select(&set, message, 12), 2);
    assert_int_equal(set.count, 3);
}

static void sets_refuse(void **state)
{
    fls_schema_set set = {0};
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    assert_status(fls_schema_set_add(&set, everything, NULL, NULL, &err), FLS_OK, &err);
    assert_status(fls_schema_set_add(&set, everything, "Tree", "EVRY", &err), FLS_INVALID_ARGUMENT,
                  NULL);
    assert_non_null(strstr(err.text, "everything.Everything"));
    assert_status(fls_schema_set_add(&set, everything, "Tree", NULL, &err), FLS_OK, &err);
    assert_status(fls_schema_set_add(&set, telemetry, NULL, NULL, &err), FLS_INVALID_ARGUMENT,
                  NULL);
    assert_status(fls_schema_set_add(&set, telemetry, NULL, "TOOLONG", &err), FLS_INVALID_ARGUMENT,
                  NULL);
    assert_status(fls_schema_set_add(&set, telemetry, "Nothing", "NONE", &err),
                  FLS_INVALID_ARGUMENT, NULL);
    assert_status(fls_schema_set_add(&set, telemetry, "Vec3", "VEC3", &err), FLS_INVALID_ARGUMENT,
                  NULL);
    assert_int_equal(set.count, 2);
    for (uint32_t i = set.count; i < FLS_SCHEMA_SET_MOST; i++) {
        char identifier[5];
        (void)snprintf(identifier, sizeof identifier, "T%03u", (unsigned)i);
        assert_status(fls_schema_set_add(&set, telemetry, NULL, identifier, &err), FLS_OK, &err);
    }
    assert_status(fls_schema_set_add(&set, telemetry, NULL, "MORE", NULL), FLS_INVALID_ARGUMENT,
                  NULL);
}

/* ---- the built-in schema of schemas ---- */

static void reflection_is_what_flatc_makes_of_it(void **state)
{
    const fls_schema *mine = &flsi_reflection_schema;
    fls_schema *made = load("bfbs.bfbs");
    (void)state;
    assert_int_equal(mine->object_count, made->object_count);
    assert_int_equal(mine->field_count, made->field_count);
    assert_int_equal(mine->enumeration_count, made->enumeration_count);
    assert_int_equal(mine->value_count, made->value_count);
    assert_int_equal(mine->root, made->root);
    assert_string_equal(mine->identifier, made->identifier);
    for (uint32_t i = 0; i < made->object_count; i++) {
        flsi_object a = mine->objects[i];
        flsi_object b = made->objects[i];
        assert_string_equal(a.name, b.name);
        a.name = b.name;
        assert_int_equal(a.alignment, b.alignment);
        assert_int_equal(a.has_required, b.has_required);
        assert_true(a.first_field == b.first_field && a.field_count == b.field_count &&
                    a.key == b.key && a.bytes == b.bytes && a.is_struct == b.is_struct);
    }
    for (uint32_t i = 0; i < made->field_count; i++) {
        flsi_field a = mine->fields[i];
        flsi_field b = made->fields[i];
        assert_string_equal(a.name, b.name);
        a.name = b.name;
        assert_memory_equal(&a, &b, sizeof a);
    }
    for (uint32_t i = 0; i < made->enumeration_count; i++) {
        const flsi_enumeration *a = &mine->enumerations[i];
        const flsi_enumeration *b = &made->enumerations[i];
        assert_string_equal(a->name, b->name);
        assert_true(a->first_value == b->first_value && a->value_count == b->value_count &&
                    a->type == b->type && a->is_union == b->is_union &&
                    a->is_bit_flags == b->is_bit_flags && a->is_dense == b->is_dense);
    }
    for (uint32_t i = 0; i < made->value_count; i++) {
        assert_string_equal(mine->values[i].name, made->values[i].name);
        assert_int_equal(mine->values[i].name_bytes, made->values[i].name_bytes);
        assert_int_equal(mine->values[i].value, made->values[i].value);
    }
    /* Also without indices. */
    assert_int_equal(flsi_schema_hash_compute(mine), fls_schema_hash(made));
    assert_int_equal(fls_schema_find_object(mine, "reflection.Type"), mine->object_count - 1);
    assert_int_equal(fls_schema_find_object(mine, "Type"), mine->object_count - 1);
    assert_int_equal(fls_schema_find_object(mine, "Typ"), FLS_SCHEMA_NONE);
    fls_schema_free(made);
}

/* ---- the hash ---- */

static void hash_leaves_builtins_out(void **state)
{
    (void)state;
    assert_int_equal(fls_schema_hash(everything), fls_schema_hash(plain));
    assert_true(fls_schema_hash(everything) != fls_schema_hash(telemetry));
}

static void gather(void *self, const char *text, size_t bytes)
{
    bytes_append(self, text, bytes);
}

/* Pinned: stored hashes must keep their meaning. */
static void hash_of_telemetry_stays(void **state)
{
    static const char *const wanted = "flatstream schema 1\n"
                                      "root telemetry.Sample\n"
                                      "table telemetry.Alert\n"
                                      " 0 code u32\n"
                                      " 1 text string\n"
                                      " 2 severity i8\n"
                                      "table telemetry.Battery\n"
                                      " 0 cell_mv [u16]\n"
                                      " 1 current_a f32\n"
                                      " 2 soc f32 =000000003f800000\n"
                                      "table telemetry.Pose\n"
                                      " 0 position struct telemetry.Vec3\n"
                                      " 1 attitude struct telemetry.Quat\n"
                                      " 2 covariance [f32]\n"
                                      "struct telemetry.Quat 16 4\n"
                                      " 0 w f32\n"
                                      " 4 x f32\n"
                                      " 8 y f32\n"
                                      " 12 z f32\n"
                                      "table telemetry.Radio\n"
                                      " 0 rssi_dbm i16\n"
                                      " 1 peer string\n"
                                      "table telemetry.Sample\n"
                                      " 0 device_id u64\n"
                                      " 1 timestamp_ns u64\n"
                                      " 2 sequence u32\n"
                                      " 3 mode enum telemetry.Mode\n"
                                      " 4 pose table telemetry.Pose\n"
                                      " 5 battery table telemetry.Battery\n"
                                      " 6 channels [f64]\n"
                                      " 7 tags [string]\n"
                                      " 8 extra_type tag telemetry.Extra\n"
                                      " 9 extra union telemetry.Extra\n"
                                      " 10 raw [u8]\n"
                                      "struct telemetry.Vec3 24 8\n"
                                      " 0 x f64\n"
                                      " 8 y f64\n"
                                      " 16 z f64\n"
                                      "union telemetry.Extra\n"
                                      " 0 NONE\n"
                                      " 1 Alert table telemetry.Alert\n"
                                      " 2 Radio table telemetry.Radio\n"
                                      "enum telemetry.Mode u8\n"
                                      " 0 Idle\n"
                                      " 1 Drive\n"
                                      " 2 Charge\n"
                                      " 9 Fault\n";
    byte_buffer text = BYTES_INIT;
    (void)state;
    flsi_schema_canonical(telemetry, gather, &text);
    bytes_append(&text, "", 1);
    assert_string_equal((const char *)text.data, wanted);
    assert_int_equal(fls_schema_hash(telemetry),
                     fls_checksum_digest(FLS_CHECKSUM_XXH3, wanted, strlen(wanted)));
    assert_int_equal(fls_schema_hash(telemetry), UINT64_C(0x30d6cb4695dbb4b2));
    bytes_free(&text);
}

static int load_all(void **state)
{
    (void)state;
    everything = load("everything.bfbs");
    plain = load("everything.plain.bfbs");
    telemetry = load("telemetry.bfbs");
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    fls_schema_free(everything);
    fls_schema_free(plain);
    fls_schema_free(telemetry);
    fls_schema_free(NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars),
        cmocka_unit_test(named_numbers),
        cmocka_unit_test(structs),
        cmocka_unit_test(references),
        cmocka_unit_test(unions),
        cmocka_unit_test(names),
        cmocka_unit_test(sets),
        cmocka_unit_test(sets_refuse),
        cmocka_unit_test(reflection_is_what_flatc_makes_of_it),
        cmocka_unit_test(hash_leaves_builtins_out),
        cmocka_unit_test(hash_of_telemetry_stays),
    };
    return cmocka_run_group_tests(tests, load_all, free_all);
}
