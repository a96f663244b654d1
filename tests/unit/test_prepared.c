/* Prepared messages without the official library: what is refused at set-up, what is absent and
 * present, sizes at the edges, memory. tests/interop reads values by generated accessors. */
#include "flatstream/flatstream.h"
#include "support/bfbs.h"
#include "support/counting_allocator.h"
#include "support/files.h"
#include "unit/builder_testing.h"

static fls_schema *load(const char *name)
{
    fls_schema *schema = NULL;
    fls_error err = FLS_ERROR_INIT;
    byte_buffer bytes = {0};
    assert_int_equal(files_read(files_join(FLS_TEST_SCHEMA_DIR, name), &bytes), 0);
    assert_status(fls_schema_new(&schema, bytes.data, bytes.size, NULL, &err), FLS_OK, &err);
    bytes_free(&bytes);
    return schema;
}

static fls_schema *telemetry_schema;
static fls_schema *everything_schema;

static void expect_refusal(const fls_schema *schema, const fls_prepared_field *fields, size_t count,
                           fls_status status, const char *text)
{
    fls_prepared *p;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_prepared_new(&p, schema, fls_schema_root(schema), fields, count, NULL, &err),
                  status, &err);
    assert_null(p);
    assert_string_equal(err.text, text);
}

static void lists_that_are_refused(void **unused)
{
    (void)unused;
    static const struct {
        fls_prepared_field field;
        const char *text;
    } cases[] = {
        {{"scalars.nothing", 0}, "scalars.nothing: there is no such field"},
        {{"", 0}, ": there is no such field"},
        {{"scalars.", 0}, "scalars.: there is no such field"},
        {{"scalars.a_long.x", 0}, "scalars.a_long.x: has no fields where the path goes on"},
        {{"scalars.a_long", 1}, "scalars.a_long: has no capacity"},
        {{"text", 0}, "text: needs a capacity"},
        {{"vectors.ints", 0}, "vectors.ints: needs a capacity"},
        {{"vectors.strings", 3},
         "vectors.strings: can only be prepared from a message that has it"},
        {{"unions.any", 0}, "unions.any: can only be prepared from a message that has it"},
        {{"unions.any_type", 0},
         "unions.any_type: can only be prepared from a message that has it"},
        {{"nests.tree", 9}, "nests.tree: can only be prepared from a message that has it"},
        {{"nests.flex", 9}, "nests.flex: can only be prepared from a message that has it"},
        {{"old.gone", 0}, "old.gone: is deprecated"},
        {{"text", SIZE_MAX}, "text: has a capacity of 2^31 bytes or more"},
        {{"scalars.a_long[0]", 0},
         "scalars.a_long[0]: is no vector or array where the path has an index"},
        {{"structs.vec3_required.x y", 0}, "structs.vec3_required.x y: there is no such field"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const fls_prepared_field fields[2] = {cases[i].field, {"structs.vec3_required", 0}};
        expect_refusal(everything_schema, fields, 2, FLS_INVALID_ARGUMENT, cases[i].text);
    }
    static const fls_prepared_field without[] = {{"structs.vec3", 0}};
    expect_refusal(everything_schema, without, 1, FLS_VALIDATION_FAILED,
                   "everything.Structs: vec3_required is required and was not set");
    fls_prepared *p;
    uint32_t vec3 = fls_schema_find_object(everything_schema, "everything.Vec3");
    assert_int_equal(fls_prepared_new(&p, everything_schema, vec3, NULL, 0, NULL, NULL),
                     FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_prepared_new(&p, everything_schema, 9999, NULL, 0, NULL, NULL),
                     FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_prepared_from(&p, everything_schema, fls_schema_root(everything_schema),
                                       "abc", 3, NULL, NULL),
                     FLS_VALIDATION_FAILED);
    fls_prepared_free(NULL);
}

static void a_path_may_be_long(void **unused)
{
    (void)unused;
    char path[600] = "tree.";
    for (int i = 1; i < 50; i++) {
        strcat(path, "left.");
    }
    strcat(path, "depth");
    const fls_prepared_field fields[] = {{path, 0}};
    fls_prepared *p;
    fls_error err = FLS_ERROR_INIT;
    assert_int_equal(fls_prepared_new(&p, everything_schema, fls_schema_root(everything_schema),
                                      fields, 1, NULL, &err),
                     FLS_INVALID_ARGUMENT);
    assert_non_null(strstr(err.text, "is too long a path"));
    path[5 + 5 * 40] = '\0';
    strcat(path, "depth");
    assert_status(fls_prepared_new(&p, everything_schema, fls_schema_root(everything_schema),
                                   fields, 1, NULL, &err),
                  FLS_OK, &err);
    fls_place_u8 depth;
    assert_status(fls_prepared_u8(p, path, &depth, &err), FLS_OK, &err);
    fls_prepared_free(p);
}

static fls_prepared *sample(const fls_allocator *allocator, fls_status *status, fls_error *err)
{
    static const fls_prepared_field fields[] = {
        {"device_id", 0}, {"timestamp_ns", 0}, {"mode", 0},        {"pose.position.y", 0},
        {"battery", 0},   {"channels", 4},     {"battery.soc", 0}, {"raw", 10},
    };
    fls_prepared *p = NULL;
    fls_prepared_options options = FLS_PREPARED_OPTIONS_INIT;
    options.allocator = allocator;
    options.identifier = "TELE";
    *status = fls_prepared_new(&p, telemetry_schema, fls_schema_root(telemetry_schema), fields,
                               sizeof fields / sizeof fields[0], &options, err);
    return p;
}

static void places_that_are_refused(void **unused)
{
    (void)unused;
    fls_status status;
    fls_error err = FLS_ERROR_INIT;
    fls_prepared *p = sample(NULL, &status, &err);
    assert_status(status, FLS_OK, &err);
    fls_place_u64 u64;
    fls_place_i64 i64;
    fls_place_f64 f64;
    fls_place_u8 u8;
    fls_place_bool boolean;
    fls_place_string string;
    fls_place_vector vector;
    fls_place_struct place;
    fls_place_presence presence;
    assert_int_equal(fls_prepared_u64(p, "device_id", &u64, NULL), FLS_OK);
    assert_int_equal(fls_prepared_i64(p, "device_id", &i64, &err), FLS_INVALID_ARGUMENT);
    assert_string_equal(err.text, "device_id: is of another type");
    assert_int_equal(fls_prepared_u8(p, "mode", &u8, NULL), FLS_OK);
    assert_int_equal(fls_prepared_bool(p, "mode", &boolean, NULL), FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_prepared_f64(p, "pose.position.y", &f64, NULL), FLS_OK);
    assert_int_equal(fls_prepared_f64(p, "pose.position", &f64, NULL), FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_prepared_f64(p, "pose", &f64, NULL), FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_prepared_u64(p, "sequence", &u64, &err), FLS_INVALID_ARGUMENT);
    assert_string_equal(err.text, "sequence: is not in the message");
    assert_int_equal(fls_prepared_f64(p, "channels[3]", &f64, NULL), FLS_OK);
    assert_int_equal(fls_prepared_f64(p, "channels[4]", &f64, &err), FLS_INVALID_ARGUMENT);
    assert_string_equal(err.text, "channels[4]: has an index beyond the last element");
    static const char *const wrong[] = {
        "channels[]",  "channels[1",   "channels[-1]",          "channels[1]x",
        "channels[*]", "channels[1]]", "channels[99999999999]", "channels[1].x",
        "channels."};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(fls_prepared_f64(p, wrong[i], &f64, NULL), FLS_INVALID_ARGUMENT);
    }
    assert_int_equal(fls_prepared_string(p, "raw", &string, NULL), FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_prepared_vector(p, "raw", FLS_TYPE_I8, &vector, NULL),
                     FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_prepared_vector(p, "raw", FLS_TYPE_U8, &vector, NULL), FLS_OK);
    assert_int_equal(fls_prepared_vector(p, "mode", FLS_TYPE_U8, &vector, NULL),
                     FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_prepared_struct(p, "pose.position", 24, &place, NULL), FLS_OK);
    assert_int_equal(fls_prepared_struct(p, "pose.position", 16, &place, NULL),
                     FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_prepared_presence(p, "mode", &presence, NULL), FLS_OK);
    assert_int_equal(fls_prepared_presence(p, "pose.position.y", &presence, NULL),
                     FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_prepared_presence(p, "channels[0]", &presence, NULL),
                     FLS_INVALID_ARGUMENT);
    fls_prepared_free(p);
}

static void check(const void *data, size_t size)
{
    fls_violation violation = {0};
    if (fls_verify(telemetry_schema, fls_schema_root(telemetry_schema), data, size, NULL,
                   &violation) != FLS_OK) {
        fail_msg("%s: %s", violation.path, fls_rule_text(violation.rule));
    }
}

static void fields_come_and_go(void **unused)
{
    (void)unused;
    fls_status status;
    fls_error err = FLS_ERROR_INIT;
    fls_prepared *p = sample(NULL, &status, &err);
    static const char *const paths[] = {"mode", "pose", "battery.soc", "channels", "pose.position"};
    enum { COUNT = sizeof paths / sizeof paths[0] };
    fls_place_presence places[COUNT];
    fls_place_f32 soc;
    for (size_t i = 0; i < COUNT; i++) {
        assert_status(fls_prepared_presence(p, paths[i], &places[i], &err), FLS_OK, &err);
    }
    assert_status(fls_prepared_f32(p, "battery.soc", &soc, &err), FLS_OK, &err);
    size_t size;
    fls_prepared_message image = fls_prepared_image(p, &size);
    assert_ptr_equal(fls_prepared_image(p, NULL).bytes, image.bytes);
    uint8_t *before = malloc(size);
    memcpy(before, image.bytes, size);
    for (unsigned present = 0; present < 1u << COUNT; present++) {
        for (unsigned i = 0; i < COUNT; i++) {
            fls_prepared_set_present(image, places[i], (int)(present >> i & 1));
        }
        fls_prepared_set_f32(image, soc, 0.5f); /* also while it is absent */
        check(image.bytes, size);
        view message = {image.bytes, size};
        size_t root = number_at(message, 0, 4);
        assert_int_equal(field_at(message, root, 3, 1) != 0, present & 1);
        assert_int_equal(field_at(message, root, 4, 4) != 0, present >> 1 & 1);
        size_t battery = target_of(message, field_at(message, root, 5, 4));
        assert_int_equal(field_at(message, battery, 2, 4) != 0, present >> 2 & 1);
        assert_int_equal(field_at(message, root, 6, 4) != 0, present >> 3 & 1);
    }
    fls_prepared_set_f32(image, soc, 1.0f);
    assert_memory_equal(image.bytes, before, size);
    assert_memory_equal(image.bytes + 4, "TELE", 4);
    free(before);
    fls_prepared_free(p);
}

/* A message as everything.fbs has it: old with what nobody writes any more, and nests. */
static fls_prepared *with_old(uint16_t entry)
{
    enum { GONE = 1, GONE_TEXT = 2, FLEX = 3, NESTS = 10, OLD = 11 };
    fls_builder *b = new_builder();
    fls_ref flex = fls_builder_vector(b, "\4\1\2\3\4\4\54\1", 8, 1); /* [1, 2, 3, 4] of one byte */
    fls_table t = fls_builder_table(b, 4);
    fls_builder_ref(b, t, FLEX, flex);
    fls_ref nests = fls_builder_end(b, t);
    t = fls_builder_table(b, 8);
    fls_builder_i32(b, t, 0, 1);
    fls_builder_i32(b, t, GONE, 2);
    fls_builder_i32(b, t, GONE_TEXT, 0x7ffffff0);
    fls_ref old = fls_builder_end(b, t);
    t = fls_builder_table(b, 20);
    fls_builder_ref(b, t, NESTS, nests);
    fls_builder_ref(b, t, OLD, old);
    view message = finish(b, fls_builder_end(b, t));
    uint8_t *bytes = malloc(message.size);
    memcpy(bytes, message.data, message.size);
    size_t table = target_of(message, field_at(message, number_at(message, 0, 4), OLD, 4));
    size_t vtable = table - number_at(message, table, 4);
    bytes[vtable + 4 + 2 * GONE] = (uint8_t)entry;
    bytes[vtable + 5 + 2 * GONE] = (uint8_t)(entry >> 8);
    fls_prepared *p;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_prepared_from(&p, everything_schema, fls_schema_root(everything_schema),
                                    bytes, message.size, NULL, &err),
                  FLS_OK, &err);
    free(bytes);
    fls_builder_free(b);
    return p;
}

/* Deprecated fields were not verified, and what is in a FlexBuffer is not for us to change. */
static void what_is_not_ours_to_set(void **unused)
{
    (void)unused;
    static const uint16_t entries[] = {0, 8, 60000};
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        fls_prepared *p = with_old(entries[i]);
        fls_error err = FLS_ERROR_INIT;
        fls_place_i32 number;
        fls_place_u8 byte;
        fls_place_string string;
        fls_place_vector vector;
        fls_place_presence presence;
        assert_status(fls_prepared_i32(p, "old.kept", &number, &err), FLS_OK, &err);
        assert_int_equal(fls_prepared_i32(p, "old.gone", &number, &err), FLS_INVALID_ARGUMENT);
        assert_string_equal(err.text, "old.gone: is deprecated");
        assert_int_equal(fls_prepared_presence(p, "old.gone", &presence, &err),
                         FLS_INVALID_ARGUMENT);
        assert_string_equal(err.text, "old.gone: is deprecated");
        assert_int_equal(fls_prepared_string(p, "old.gone_text", &string, &err),
                         FLS_INVALID_ARGUMENT);
        assert_string_equal(err.text, "old.gone_text: is deprecated");
        assert_int_equal(fls_prepared_u8(p, "old.gone_tables[0].a_ubyte", &byte, &err),
                         FLS_INVALID_ARGUMENT);
        assert_string_equal(err.text, "old.gone_tables[0].a_ubyte: is deprecated");
        assert_int_equal(fls_prepared_vector(p, "nests.flex", FLS_TYPE_U8, &vector, NULL),
                         FLS_INVALID_ARGUMENT);
        assert_int_equal(fls_prepared_u8(p, "nests.flex[3]", &byte, &err), FLS_INVALID_ARGUMENT);
        assert_string_equal(err.text,
                            "nests.flex[3]: is no vector or array where the path has an index");
        fls_prepared_free(p);
    }
}

/* What one field needs says nothing of what another does. */
static void capacities_next_to_large_structs(void **unused)
{
    (void)unused;
    enum { UBYTE = 4, ULONG = 10, STRING = 13, VECTOR = 14, OBJ = 15, ARRAY = 17, BYTES = 60000 };
    static const bfbs_schema description = {
        .objects = {{.name = "Large",
                     .is_struct = 1,
                     .minalign = 1,
                     .bytesize = BYTES,
                     .fields = {{.name = "bytes", .type = {ARRAY, UBYTE, 0, BYTES}}}},
                    {.name = "Larger",
                     .is_struct = 1,
                     .minalign = 1,
                     .bytesize = 2 * BYTES,
                     .fields = {{.name = "two", .type = {ARRAY, OBJ, 1, 2}}}},
                    {.name = "Root",
                     .fields = {{.name = "text", .type = {STRING, 0, 0, 0}},
                                {.name = "larges", .type = {VECTOR, OBJ, 1, 0}, .id = 1},
                                {.name = "longs", .type = {VECTOR, ULONG, 0, 0}, .id = 2},
                                {.name = "large", .type = {OBJ, 0, 1, 0}, .id = 3},
                                {.name = "larger", .type = {OBJ, 0, 2, 0}, .id = 4}}}},
        .root = 3};
    byte_buffer data = BYTES_INIT;
    fls_schema *schema = NULL;
    fls_error err = FLS_ERROR_INIT;
    bfbs_build(&description, &data);
    assert_status(fls_schema_new(&schema, data.data, data.size, NULL, &err), FLS_OK, &err);
    bytes_free(&data);
    counting_allocator counting;
    counting_allocator_init(&counting);
    fls_prepared_options options = FLS_PREPARED_OPTIONS_INIT;
    options.allocator = &counting.table;
    static const fls_prepared_field fields[] = {
        {"text", 40000}, {"larges", 2}, {"longs", 3}, {"large", 0}};
    fls_prepared *p;
    assert_status(fls_prepared_new(&p, schema, fls_schema_root(schema), fields, 4, &options, &err),
                  FLS_OK, &err);
    assert_true(counting.peak_bytes < 4 * 1000 * 1000);
    fls_place_vector larges;
    fls_place_struct large;
    assert_status(fls_prepared_vector(p, "larges", FLS_TYPE_STRUCT, &larges, &err), FLS_OK, &err);
    assert_true(larges.capacity == 2 && larges.element_bytes == BYTES);
    assert_status(fls_prepared_struct(p, "large", BYTES, &large, &err), FLS_OK, &err);
    size_t size;
    const uint8_t *image = fls_prepared_image(p, &size).bytes;
    for (size_t i = 0; i < BYTES; i++) {
        assert_int_equal(image[large.at + i], 0);
    }
    fls_prepared_free(p);
    assert_int_equal(counting.live_blocks, 0);
    static const fls_prepared_field too_many[] = {{"larges", 35792}};
    expect_refusal(schema, too_many, 1, FLS_INVALID_ARGUMENT,
                   "larges: has a capacity of 2^31 bytes or more");
    static const fls_prepared_field too_large[] = {{"larger", 0}};
    expect_refusal(schema, too_large, 1, FLS_INVALID_ARGUMENT, "larger: does not fit in a table");
    fls_schema_free(schema);
}

/* Two tables of the same layout share their vtable; required fields and unions stay. */
static void presence_that_is_refused(void **unused)
{
    (void)unused;
    static const fls_prepared_field fields[] = {{"tree.left.left.depth", 0},
                                                {"tree.left.right.depth", 0},
                                                {"tree.right.left.depth", 0},
                                                {"tree.right.right.depth", 0},
                                                {"structs.vec3_required", 0}};
    fls_prepared *p;
    fls_error err = FLS_ERROR_INIT;
    fls_place_presence place;
    assert_status(fls_prepared_new(&p, everything_schema, fls_schema_root(everything_schema),
                                   fields, 5, NULL, &err),
                  FLS_OK, &err);
    int refused = 0;
    for (int i = 0; i < 4; i++) {
        refused += fls_prepared_presence(p, fields[i].path, &place, &err) != FLS_OK;
    }
    assert_true(refused >= 2);
    assert_non_null(strstr(err.text, "depth: is in a table that shares its layout with another"));
    assert_int_equal(fls_prepared_presence(p, "tree", &place, &err), FLS_OK);
    assert_int_equal(fls_prepared_presence(p, "structs.vec3_required", &place, &err),
                     FLS_INVALID_ARGUMENT);
    assert_string_equal(err.text, "structs.vec3_required: is required");
    fls_prepared_free(p);

    fls_builder *b = new_builder();
    fls_ref text = fls_builder_string(b, "x", 1);
    fls_table t = fls_builder_table(b, 4);
    fls_builder_union(b, t, 1, 3, text);
    fls_ref unions = fls_builder_end(b, t);
    t = fls_builder_table(b, 20);
    fls_builder_ref(b, t, 8, unions);
    view message = finish(b, fls_builder_end(b, t));
    assert_status(fls_prepared_from(&p, everything_schema, fls_schema_root(everything_schema),
                                    message.data, message.size, NULL, &err),
                  FLS_OK, &err);
    fls_place_string string;
    assert_status(fls_prepared_string(p, "unions.any", &string, &err), FLS_OK, &err);
    assert_int_equal(fls_prepared_presence(p, "unions.any", &place, NULL), FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_prepared_presence(p, "unions.any_type", &place, NULL),
                     FLS_INVALID_ARGUMENT);
    fls_prepared_free(p);
    fls_builder_free(b);
}

/* Messages of every size around that which is copied inline, and a buffer that is nearly full, by
 * every checksum. */
static void every_size(void **unused)
{
    (void)unused;
    fls_error err = FLS_ERROR_INIT;
    for (size_t capacity = 1; capacity < 90; capacity++) {
        const fls_prepared_field fields[] = {{"raw", capacity}, {"sequence", 0}};
        fls_prepared *p;
        fls_place_u32 sequence;
        fls_place_vector raw;
        assert_status(fls_prepared_new(&p, telemetry_schema, fls_schema_root(telemetry_schema),
                                       fields, 2, NULL, &err),
                      FLS_OK, &err);
        assert_status(fls_prepared_u32(p, "sequence", &sequence, &err), FLS_OK, &err);
        assert_status(fls_prepared_vector(p, "raw", FLS_TYPE_U8, &raw, &err), FLS_OK, &err);
        for (fls_checksum sum = FLS_CHECKSUM_NONE; sum <= FLS_CHECKSUM_XXH3; sum++) {
            enum { MESSAGES = 40 };
            fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
            fls_cursor_options reading = FLS_CURSOR_OPTIONS_INIT;
            options.checksum = reading.checksum = sum;
            options.buffer_bytes = 1024;
            fls_sink sink;
            fls_writer *writer;
            assert_status(fls_sink_open_memory(&sink, NULL, &err), FLS_OK, &err);
            assert_status(fls_writer_open(&writer, sink, &options, &err), FLS_OK, &err);
            for (uint32_t i = 0; i < MESSAGES; i++) {
                fls_prepared_message m = fls_prepared_start(p, writer);
                fls_prepared_set_u32(m, sequence, i);
                assert_int_equal(fls_prepared_set_vector(m, raw, "0123456789", i % 11),
                                 i % 11 <= capacity ? FLS_OK : FLS_INVALID_ARGUMENT);
                assert_status(fls_writer_write_prepared(writer, p, m, &err), FLS_OK, &err);
            }
            assert_int_equal(fls_writer_messages(writer), MESSAGES);
            assert_status(fls_writer_flush(writer, &err), FLS_OK, &err);
            const void *data;
            size_t size;
            fls_cursor cursor;
            fls_message read;
            assert_status(fls_sink_memory(&sink, &data, &size), FLS_OK, NULL);
            assert_status(fls_cursor_init(&cursor, data, size, &reading, &err), FLS_OK, &err);
            for (uint32_t i = 0; i < MESSAGES; i++) {
                assert_status(fls_cursor_next(&cursor, &read, &err), FLS_OK, &err);
                check(read.payload, read.size);
                view message = {read.payload, read.size};
                size_t root = number_at(message, 0, 4);
                assert_int_equal(number_at(message, field_at(message, root, 2, 4), 4), i);
                size_t vector = target_of(message, field_at(message, root, 10, 4));
                size_t count = i % 11 <= capacity ? i % 11 : capacity;
                assert_int_equal(number_at(message, vector, 4), count);
                assert_memory_equal(message.data + vector + 4,
                                    i % 11 <= capacity ? "0123456789" : "\0\0\0\0\0\0\0\0\0\0",
                                    count);
            }
            assert_int_equal(fls_cursor_next(&cursor, &read, &err), FLS_END);
            assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
        }
        fls_prepared_free(p);
    }
}

static fls_status refuse_odd(void *self, const void *payload, size_t size, fls_error *err)
{
    fls_place_u64 *place = self;
    assert_int_equal((uintptr_t)payload % 64, 0);
    (void)size;
    return ((const uint8_t *)payload)[place->at] % 2 == 0
               ? FLS_OK
               : fls_error_set(err, FLS_VALIDATION_FAILED, 0, "odd");
}

/* A message that a validator refuses is not in the stream, and can be mended and written. */
static void validators_see_whole_messages(void **unused)
{
    (void)unused;
    fls_status status;
    fls_error err = FLS_ERROR_INIT;
    fls_prepared *p = sample(NULL, &status, &err);
    fls_place_u64 time;
    assert_status(fls_prepared_u64(p, "timestamp_ns", &time, &err), FLS_OK, &err);
    fls_validator validator = {"odd", refuse_odd, &time, 64, 0};
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = FLS_CHECKSUM_NONE;
    options.validators = &validator;
    options.validator_count = 1;
    fls_sink sink;
    fls_writer *writer;
    assert_status(fls_sink_open_memory(&sink, NULL, &err), FLS_OK, &err);
    assert_status(fls_writer_open(&writer, sink, &options, &err), FLS_OK, &err);
    for (uint64_t i = 0; i < 20; i++) {
        fls_prepared_message m = fls_prepared_start(p, writer);
        fls_prepared_set_u64(m, time, i);
        if (i % 2 != 0) {
            assert_int_equal(fls_writer_write_prepared(writer, p, m, &err), FLS_VALIDATION_FAILED);
            assert_int_equal(fls_writer_messages(writer), i);
            fls_prepared_set_u64(m, time, 2 * i);
        }
        assert_status(fls_writer_write_prepared(writer, p, m, &err), FLS_OK, &err);
        assert_int_equal(fls_writer_messages(writer), i + 1);
    }
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
    fls_prepared_free(p);
}

static void every_allocation_may_fail(void **unused)
{
    (void)unused;
    uint64_t failures = 1;
    for (uint64_t call = 0; failures != 0; call++) {
        counting_allocator counting;
        counting_allocator_init(&counting);
        counting.fail_from = call;
        counting.fail_calls = 1;
        fls_error err = FLS_ERROR_INIT;
        fls_status status;
        fls_prepared *p = sample(&counting.table, &status, &err);
        failures = counting.failures;
        assert_int_equal(status, failures == 0 ? FLS_OK : FLS_NO_MEMORY);
        assert_int_equal(p == NULL, failures != 0);
        if (p != NULL) { /* from here on nothing is allocated */
            uint64_t calls = counting.calls;
            fls_place_vector channels;
            static const double values[4] = {1, 2, 3, 4};
            size_t size;
            assert_int_equal(counting.live_blocks, 1);
            assert_status(fls_prepared_vector(p, "channels", FLS_TYPE_F64, &channels, &err), FLS_OK,
                          &err);
            fls_prepared_message image = fls_prepared_image(p, &size);
            assert_int_equal((uintptr_t)image.bytes % 64, 0);
            assert_int_equal(fls_prepared_set_vector(image, channels, values, 4), FLS_OK);
            check(image.bytes, size);
            assert_int_equal(counting.calls, calls);
            fls_prepared_free(p);
        }
        assert_int_equal(counting.live_blocks, 0);
        assert_true(failures != 0 || call >= 6);
    }
}

static int set_up(void **unused)
{
    (void)unused;
    telemetry_schema = load("telemetry.bfbs");
    everything_schema = load("everything.bfbs");
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    fls_schema_free(telemetry_schema);
    fls_schema_free(everything_schema);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_that_are_refused),
        cmocka_unit_test(a_path_may_be_long),
        cmocka_unit_test(places_that_are_refused),
        cmocka_unit_test(fields_come_and_go),
        cmocka_unit_test(presence_that_is_refused),
        cmocka_unit_test(what_is_not_ours_to_set),
        cmocka_unit_test(capacities_next_to_large_structs),
        cmocka_unit_test(every_size),
        cmocka_unit_test(validators_see_whole_messages),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
