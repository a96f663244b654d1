/* What the tests of the JSON parser share: schemas from files, and one text parsed. */
#ifndef TESTS_UNIT_JSON_TESTING_H
#define TESTS_UNIT_JSON_TESTING_H

#include "flatstream/json.h"
#include "support/files.h"
#include "support/testing.h"

static inline fls_schema *json_schema(const char *file)
{
    byte_buffer bytes = BYTES_INIT;
    fls_schema *schema = NULL;
    fls_error err = FLS_ERROR_INIT;
    assert_int_equal(files_read(files_join(FLS_TEST_SCHEMA_DIR, file), &bytes), 0);
    assert_status(fls_schema_new(&schema, bytes.data, bytes.size, NULL, &err), FLS_OK, &err);
    bytes_free(&bytes);
    return schema;
}

/* A parser of the table with that name, or of the schema's root for NULL. */
static inline fls_json_parser *json_parser(const fls_schema *schema, const char *root,
                                           const fls_json_parse_options *options)
{
    fls_json_parser *parser = NULL;
    fls_error err = FLS_ERROR_INIT;
    uint32_t table = root != NULL ? fls_schema_find_object(schema, root) : fls_schema_root(schema);
    assert_status(fls_json_parser_new(&parser, schema, table, options, &err), FLS_OK, &err);
    return parser;
}

/* One of everything, with all kinds of fields. */
static const char json_everything[] =
    "{\"scalars\": {\"a_bool\": true, \"a_byte\": -5, \"a_float\": 1.5, \"a_double\": \"-inf\", "
    "\"a_ulong\": 18446744073709551615},\n"
    " \"structs\": {\"mixed\": {\"a\": 1, \"b\": 2.5, \"c\": 3, \"d\": \"Two\", \"e\": 4, \"f\": "
    "true, \"g\": \"Bit0 Bit63\"}, \"vec3_required\": {\"x\": 1, \"z\": 3, \"y\": 2},\n"
    "  \"arrays\": {\"bytes\": [1, 2, 3], \"halves\": [1, 2, 3, 4, -5], \"words\": [1, 2], "
    "\"reals\": [1, 2, 3.5], \"kinds\": [\"First\", \"Last\", 2, 7], \"points\": [{\"x\": 1, "
    "\"y\": 2, \"z\": 3}, {\"x\": 1, \"y\": 2, \"z\": 3}], \"mixed\": [{\"a\": 1, \"b\": 2, "
    "\"c\": 3, \"d\": \"Two\", \"e\": 4, \"f\": true, \"g\": 0}, {\"g\": \"Bit40\", \"a\": 1, "
    "\"b\": 2, \"c\": 3, \"d\": -7, \"e\": 4, \"f\": true}], \"bools\": [true, false]},\n"
    "  \"wide\": {\"a\": [{\"a\": 1, \"b\": 2}, {\"a\": 3, \"b\": 4}], \"b\": [1, 2, 3]}},\n"
    " \"unions\": {\"any\": {\"text\": \"x\", \"level\": \"Low\", \"at\": {\"x\": 1, \"y\": 2}}, "
    "\"any_type\": \"other_Note\", \"sparse_type\": \"text\", \"sparse\": \"hey\",\n"
    "  \"any_many_type\": [\"Scalars\", \"text\", \"NONE\", \"Vec3\"], \"any_many\": [{}, \"a\", "
    "null, {\"x\": 1, \"y\": 2, \"z\": 3}], \"sparse_many\": [\"late\"], \"sparse_many_type\": "
    "[3]},\n"
    " \"nests\": {\"tree\": {\"name\": \"n\", \"left\": {\"name\": \"l\"}}, \"itself\": "
    "{\"nests\": {\"scalars\": {\"a_byte\": 1}}}, \"flex\": [5, 4, 1]},\n"
    " \"vectors\": {\"forced\": [1, 2, 3], \"strings\": [\"a\", \"b\\u0041\\ud83d\\ude00\", "
    "\"\xC3\xBC\"], \"tables\": [{}, {\"a_byte\": 1}], \"aligned\": [{\"a\": 1, \"b\": 2}], "
    "\"forced_doubles\": [1.5], \"bools\": [true], \"flags\": [\"Read Run\", 129]},\n"
    " \"sorted\": {\"by_name\": [{\"name\": \"b\"}, {\"name\": \"a\"}, {\"name\": \"ab\"}], "
    "\"keyed\": [{\"id\": 3, \"weight\": 1}, {\"id\": 1, \"weight\": 2}]},\n"
    " \"optionals\": {\"an_int\": 0, \"a_tiny\": null}, \"empty\": {}}";

#endif
