/* What the JSON parser refuses, and where and why it says so; what damage to a text can do; depth,
 * sizes and memory. Values are compared with the official library's elsewhere. */
#include "json_testing.h"

#include "support/counting_allocator.h"
#include "support/prng.h"

static fls_schema *everything;

static int set_up(void **state)
{
    (void)state;
    everything = json_schema("everything.bfbs");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fls_schema_free(everything);
    return 0;
}

/* Parses, and holds what is made against the verifier. */
static fls_status parse_and_verify(fls_json_parser *parser, uint32_t root, const char *text,
                                   size_t size, fls_json_error *where, fls_error *err)
{
    const void *payload;
    size_t payload_size;
    /* A copy of just that size, so that a sanitizer sees what is read behind it. */
    char *exact = malloc(size + (size == 0));
    assert_non_null(exact);
    memcpy(exact, text, size);
    fls_status status = fls_json_parse(parser, exact, size, &payload, &payload_size, where, err);
    free(exact);
    if (status == FLS_OK) {
        fls_violation violation;
        if (fls_verify(everything, root, payload, payload_size, NULL, &violation) != FLS_OK) {
            print_error("%s: %s\nin what was made of\n", violation.path,
                        fls_rule_text(violation.rule));
            print_error("%.*s\n", (int)size, text);
            fail();
        }
    } else {
        assert_null(payload);
        assert_int_equal(payload_size, 0);
    }
    return status;
}

/* ---- refusals ---- */

typedef struct refusal {
    const char *root; /* table */
    const char *text;
    unsigned line;
    unsigned column;
    const char *path;
    const char *reason; /* NULL: accepted */
} refusal;

static void check_refusals(const refusal *cases, size_t count, uint32_t lenient)
{
    for (size_t i = 0; i < count; i++) {
        const refusal *one = &cases[i];
        fls_json_parse_options options = FLS_JSON_PARSE_OPTIONS_INIT;
        fls_json_error where;
        fls_error err = FLS_ERROR_INIT;
        char wanted[400];
        options.lenient = lenient;
        fls_json_parser *parser = json_parser(everything, one->root, &options);
        uint32_t root = fls_schema_find_object(everything, one->root);
        fls_status status =
            parse_and_verify(parser, root, one->text, strlen(one->text), &where, &err);
        fls_json_parser_free(parser);
        if (one->reason == NULL) {
            assert_status(status, FLS_OK, &err);
            continue;
        }
        if (status != FLS_VALIDATION_FAILED || where.line != one->line ||
            where.column != one->column || strcmp(where.path, one->path) != 0 ||
            strcmp(where.reason, one->reason) != 0) {
            print_error("%s\n{\"%s\", \"%s\"}: %s, line %u, column %u, path \"%s\": %s\n",
                        one->text, one->path, one->reason, fls_status_name(status),
                        (unsigned)where.line, (unsigned)where.column, where.path,
                        where.reason != NULL ? where.reason : "");
            fail();
        }
        (void)snprintf(wanted, sizeof wanted, "%s%s%s, at line %u, column %u", one->path,
                       one->path[0] != '\0' ? ": " : "", one->reason, one->line, one->column);
        assert_string_equal(err.text, wanted);
    }
}

#define SCALARS   "everything.Scalars"
#define ENUMS     "everything.Enums"
#define STRUCTS   "everything.Structs"
#define VECTORS   "everything.Vectors"
#define UNIONS    "everything.Unions"
#define REQUIRED  "everything.ByName"
#define TREE      "everything.Tree"
#define NESTS     "everything.Nests"
#define OPTIONALS "everything.Optionals"
#define OLD       "everything.Old"

static const char early[] = "the text ends too early";
static const char after_member[] = "neither a comma nor a closing brace";
static const char after_element[] = "neither a comma nor a closing bracket";
static const char not_whole[] = "not a whole number";
static const char not_number[] = "not a number";

static void syntax(void **state)
{
    (void)state;
    const refusal cases[] = {
        {SCALARS, "", 1, 1, "", early},
        {SCALARS, "  \n\t ", 2, 3, "", early},
        {SCALARS, "{", 1, 2, "", early},
        {SCALARS, "[]", 1, 1, "", "not an object in braces"},
        {SCALARS, "null", 1, 1, "", "not an object in braces"},
        {SCALARS, "{} {}", 1, 4, "", "more text behind the object"},
        {SCALARS, "{}\n,", 2, 1, "", "more text behind the object"},
        {SCALARS, " { } \n", 0, 0, "", NULL},
        {SCALARS, "{\"a_byte\": 1,}", 1, 14, "", "not a key in quotes"},
        {SCALARS, "{,}", 1, 2, "", "not a key in quotes"},
        {SCALARS, "{a_byte: 1}", 1, 2, "", "not a key in quotes"},
        {SCALARS, "{\"a_byte\" 1}", 1, 11, "a_byte", "a key without a colon"},
        {SCALARS, "{\"a_byte\"", 1, 10, "a_byte", early},
        {SCALARS, "{\"a_byte\":", 1, 11, "a_byte", early},
        {SCALARS, "{\"a_byte\" : 1 }", 0, 0, "", NULL},
        {SCALARS, "{\"\\u0061_byte\":1}", 0, 0, "", NULL},
        {SCALARS, "{\"a_byte\": 1 \"a_short\": 2}", 1, 14, "a_byte", after_member},
        {SCALARS, "{\"a_byte\": 1 /* c */}", 1, 14, "a_byte", after_member},
        {SCALARS, "{\"a_byte\": 12x}", 1, 14, "a_byte", after_member},
        {SCALARS, "{\"a_byt\": 1}", 1, 2, "a_byt", "a field that the schema does not have"},
        {SCALARS, "{\"a_bytes\": 1}", 1, 2, "a_bytes", "a field that the schema does not have"},
        {SCALARS, "{\"\": 1}", 1, 2, "", "a field that the schema does not have"},
        {SCALARS, "{\"a_byte\": 1,\n \"a_byte\": 1}", 2, 2, "a_byte",
         "a key that was there before"},
        {SCALARS, "{\"a_byte\": null, \"a_byte\": 1}", 1, 18, "a_byte",
         "a key that was there before"},
        {OLD, "{\"gone\": 1}", 1, 2, "gone", "a deprecated field"},
        {OLD, "{\"kept\": 1, \"kept_text\": \"a\", \"kept_last\": 2}", 0, 0, "", NULL},
    };
    check_refusals(cases, sizeof cases / sizeof cases[0], 0);
}

static void numbers(void **state)
{
    (void)state;
    const refusal cases[] = {
        {SCALARS, "{\"a_byte\": 128}", 1, 12, "a_byte", "out of the range of byte"},
        {SCALARS, "{\"a_byte\": -129}", 1, 12, "a_byte", "out of the range of byte"},
        {SCALARS, "{\"a_byte\": -128}", 0, 0, "", NULL},
        {SCALARS, "{\"a_ubyte\": 256}", 1, 13, "a_ubyte", "out of the range of ubyte"},
        {SCALARS, "{\"a_ubyte\": 300e-2}", 1, 13, "a_ubyte", not_whole},
        {SCALARS, "{\"a_ubyte\": 300.0}", 1, 13, "a_ubyte", not_whole},
        {SCALARS, "{\"a_ubyte\": 123456789012345678901234567890E-29}", 1, 13, "a_ubyte", not_whole},
        {SCALARS, "{\"a_ubyte\": -1}", 1, 13, "a_ubyte", "out of the range of ubyte"},
        {SCALARS, "{\"a_ubyte\": -0}", 0, 0, "", NULL},
        {SCALARS, "{\"a_short\": 32768}", 1, 13, "a_short", "out of the range of short"},
        {SCALARS, "{\"a_ushort\": 65536}", 1, 14, "a_ushort", "out of the range of ushort"},
        {SCALARS, "{\"an_int\": 2147483648}", 1, 12, "an_int", "out of the range of int"},
        {SCALARS, "{\"an_int\": -2147483648}", 0, 0, "", NULL},
        {SCALARS, "{\"a_uint\": 4294967296}", 1, 12, "a_uint", "out of the range of uint"},
        {SCALARS, "{\"a_long\": 9223372036854775808}", 1, 12, "a_long", "out of the range of long"},
        {SCALARS, "{\"a_long\": -9223372036854775808}", 0, 0, "", NULL},
        {SCALARS, "{\"a_long\": -9223372036854775809}", 1, 12, "a_long",
         "out of the range of long"},
        {SCALARS, "{\"a_ulong\": 18446744073709551615}", 0, 0, "", NULL},
        {SCALARS, "{\"a_ulong\": 18446744073709551616}", 1, 13, "a_ulong",
         "out of the range of ulong"},
        {SCALARS, "{\"a_ulong\": 28446744073709551615}", 1, 13, "a_ulong",
         "out of the range of ulong"},
        {SCALARS, "{\"a_ulong\": 111111111111111111111111111111}", 1, 13, "a_ulong",
         "out of the range of ulong"},
        {SCALARS, "{\"an_int\": 1.5}", 1, 12, "an_int", not_whole},
        {SCALARS, "{\"an_int\": 1.0}", 1, 12, "an_int", not_whole},
        {SCALARS, "{\"an_int\": 1e3}", 1, 12, "an_int", not_whole},
        {SCALARS, "{\"an_int\": 01}", 1, 12, "an_int", "a number that begins with a zero"},
        {SCALARS, "{\"an_int\": -}", 1, 13, "an_int", not_whole},
        {SCALARS, "{\"an_int\": +1}", 1, 12, "an_int", not_whole},
        {SCALARS, "{\"an_int\": \"1\"}", 1, 12, "an_int", not_whole},
        {SCALARS, "{\"an_int\": true}", 1, 12, "an_int", not_whole},
        {SCALARS, "{\"an_int\": []}", 1, 12, "an_int", not_whole},
        {SCALARS, "{\"an_int\": nul}", 1, 12, "an_int", not_whole},
        {SCALARS, "{\"an_int\": null}", 0, 0, "", NULL},
        {SCALARS, "{\"a_bool\": 1}", 1, 12, "a_bool", "neither true nor false"},
        {SCALARS, "{\"a_bool\": \"true\"}", 1, 12, "a_bool", "neither true nor false"},
        {SCALARS, "{\"a_bool\": truE}", 1, 12, "a_bool", "neither true nor false"},
        {SCALARS, "{\"a_bool\": fals", 1, 12, "a_bool", "neither true nor false"},
        {SCALARS, "{\"a_double\": 1e309}", 1, 14, "a_double", "out of the range of double"},
        {SCALARS, "{\"a_double\": 1e-999}", 0, 0, "", NULL},
        {SCALARS, "{\"a_float\": 3.4028236e38}", 1, 13, "a_float", "out of the range of float"},
        {SCALARS, "{\"a_float\": 3.4028235e38}", 0, 0, "", NULL},
        {SCALARS, "{\"a_float\": nan}", 1, 13, "a_float", not_number},
        {SCALARS, "{\"a_float\": \"nan\", \"a_double\": \"-inf\"}", 0, 0, "", NULL},
        {SCALARS, "{\"a_float\": \"NaN\"}", 1, 13, "a_float", not_number},
        {SCALARS, "{\"a_float\": \"-nan\"}", 1, 13, "a_float", not_number},
        {SCALARS, "{\"a_float\": \"nan \"}", 1, 13, "a_float", not_number},
        {SCALARS, "{\"a_float\": \"1.5\"}", 1, 13, "a_float", not_number},
        {SCALARS, "{\"a_float\": true}", 1, 13, "a_float", not_number},
        {SCALARS, "{\"a_float\": {}}", 1, 13, "a_float", not_number},
        {SCALARS, "{\"a_float\": 1.}", 1, 15, "a_float", not_number},
        {SCALARS, "{\"a_float\": .5}", 1, 13, "a_float", not_number},
        {SCALARS, "{\"a_float\": 1e}", 1, 15, "a_float", not_number},
        {SCALARS, "{\"a_float\": 1e+", 1, 16, "a_float", early},
        {OPTIONALS, "{\"an_int\": 0, \"a_bool\": null, \"a_tiny\": \"Plus\"}", 0, 0, "", NULL},
    };
    check_refusals(cases, sizeof cases / sizeof cases[0], 0);
}

static void names_and_strings(void **state)
{
    (void)state;
    const refusal cases[] = {
        {ENUMS, "{\"tiny\": \"Three\"}", 1, 10, "tiny", "not a name of its enum"},
        {ENUMS, "{\"tiny\": \"\"}", 1, 10, "tiny", "not a name of its enum"},
        {ENUMS, "{\"tiny\": \"One Two\"}", 1, 10, "tiny", "not a name of its enum"},
        {ENUMS, "{\"tiny\": \"Tiny.One\"}", 1, 10, "tiny", "not a name of its enum"},
        {ENUMS, "{\"tiny\": 128}", 1, 10, "tiny", "out of the range of byte"},
        {ENUMS, "{\"tiny\": 55}", 0, 0, "", NULL},
        {ENUMS, "{\"tiny\": {}}", 1, 10, "tiny", "neither a name of its enum nor a whole number"},
        {ENUMS, "{\"flags\": \"Read Hidden\", \"flags_both\": 129}", 0, 0, "", NULL},
        {ENUMS, "{\"flags\": \"Read  Hidden\"}", 1, 11, "flags", "not a name of its enum"},
        {ENUMS, "{\"flags\": \"Read \"}", 1, 11, "flags", "not a name of its enum"},
        {ENUMS, "{\"flags\": \" Read\"}", 1, 11, "flags", "not a name of its enum"},
        {ENUMS, "{\"flags\": \"Read Nothing\"}", 1, 11, "flags", "not a name of its enum"},
        {ENUMS, "{\"level\": \"High\"}", 1, 11, "level", "not a name of its enum"},
        {TREE, "{\"name\": 1}", 1, 10, "name", "not a string"},
        {TREE, "{\"name\": \"abc", 1, 14, "name", early},
        {TREE, "{\"name\": \"a\nb\"}", 1, 12, "name", "a control character in a string"},
        {TREE, "{\"name\": \"\\", 1, 11, "name", "an escape that JSON does not have"},
        {TREE, "{\"name\": \"\\x\"}", 1, 11, "name", "an escape that JSON does not have"},
        {TREE, "{\"name\": \"\\u12g4\"}", 1, 11, "name",
         "an escape without four hexadecimal digits"},
        {TREE, "{\"name\": \"\\ud800\"}", 1, 11, "name", "half of a surrogate pair"},
        {TREE, "{\"name\": \"\\ud800\\u0041\"}", 1, 11, "name", "half of a surrogate pair"},
        {TREE, "{\"name\": \"\\udc00\"}", 1, 11, "name", "half of a surrogate pair"},
        {TREE, "{\"name\": \"\\udd00\"}", 1, 11, "name", "half of a surrogate pair"},
        {TREE, "{\"name\": \"\\udc80\\udcff\"}", 0, 0, "", NULL},
        {TREE, "{\"name\": \"\\ud83d\\ude00\\u0000\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", 0, 0, "", NULL},
        {TREE, "{\"name\": \"a\x80\"}", 1, 12, "name", "not UTF-8"},
        {TREE, "{\"name\": \"\xC0\xAF\"}", 1, 11, "name", "not UTF-8"},
        {TREE, "{\"name\": \"\xC3\"}", 1, 11, "name", "not UTF-8"},
        {TREE, "{\"name\": \"\xE0\x9F\xBF\"}", 1, 11, "name", "not UTF-8"},
        {TREE, "{\"name\": \"\xED\xA0\x80\"}", 1, 11, "name", "not UTF-8"},
        {TREE, "{\"name\": \"\xF0\x8F\xBF\xBF\"}", 1, 11, "name", "not UTF-8"},
        {TREE, "{\"name\": \"\xF4\x90\x80\x80\"}", 1, 11, "name", "not UTF-8"},
        {TREE, "{\"name\": \"\xF5\x80\x80\x80\"}", 1, 11, "name", "not UTF-8"},
        {TREE, "{\"name\": \"\xED\x9F\xBF\xF4\x8F\xBF\xBF\xC2\x80\xE0\xA0\x80\"}", 0, 0, "", NULL},
    };
    check_refusals(cases, sizeof cases / sizeof cases[0], 0);
}

static void structures(void **state)
{
    (void)state;
    const char *v3 = "{\"vec3_required\": {\"x\": 1, \"y\": 2}}";
    const refusal cases[] = {
        {STRUCTS, "{}", 1, 2, "vec3_required", "a required field is missing"},
        {STRUCTS, "{\"vec3_required\": null}", 1, 19, "vec3_required", "a required field is null"},
        {STRUCTS, v3, 1, 34, "vec3_required.z", "a struct's member is missing"},
        {STRUCTS, "{\"vec3_required\": {\"x\": 1, \"x\": 2}}", 1, 28, "vec3_required.x",
         "a key that was there before"},
        {STRUCTS, "{\"vec3_required\": {\"w\": 1}}", 1, 20, "vec3_required.w",
         "a field that the schema does not have"},
        {STRUCTS, "{\"vec3_required\": {\"x\": null}}", 1, 25, "vec3_required.x", not_number},
        {STRUCTS, "{\"vec3_required\": [1, 2, 3]}", 1, 19, "vec3_required",
         "not an object in braces"},
        {STRUCTS, "{\"arrays\": {\"bytes\": [1, 2]}}", 1, 27, "arrays.bytes[2]",
         "fewer elements than the array has"},
        {STRUCTS, "{\"arrays\": {\"bytes\": [1, 2, 3, 4]}}", 1, 32, "arrays.bytes[3]",
         "more elements than the array has"},
        {STRUCTS, "{\"arrays\": {\"points\": [{\"x\": 1, \"y\": 2, \"z\": \"a\"}]}}", 1, 46,
         "arrays.points[0].z", not_number},
        {VECTORS, "{\"ubytes\": [1, 2,\n 300]}", 2, 2, "ubytes[2]", "out of the range of ubyte"},
        {VECTORS, "{\"ubytes\": [256, 1]}", 1, 13, "ubytes[0]", "out of the range of ubyte"},
        {VECTORS, "{\"ubytes\": [1, -1, 1]}", 1, 16, "ubytes[1]", "out of the range of ubyte"},
        {VECTORS, "{\"bytes\": [-129, 1]}", 1, 12, "bytes[0]", "out of the range of byte"},
        {VECTORS, "{\"bytes\": [128, 1]}", 1, 12, "bytes[0]", "out of the range of byte"},
        {VECTORS, "{\"bytes\": [-128,127 , 1,\n-0]}", 0, 0, "", NULL},
        {VECTORS, "{\"ushorts\": [65535, 65536, 1]}", 1, 21, "ushorts[1]",
         "out of the range of ushort"},
        {VECTORS, "{\"ints\": [2147483647, -2147483648, 12345678, 1234567, 2147483648, 1]}", 1, 55,
         "ints[4]", "out of the range of int"},
        {VECTORS, "{\"ubytes\": [1, 02, 3]}", 1, 16, "ubytes[1]",
         "a number that begins with a zero"},
        {VECTORS, "{\"ubytes\": [1, 2.0, 3]}", 1, 16, "ubytes[1]", not_whole},
        {VECTORS, "{\"ubytes\": [1,, 3]}", 1, 15, "ubytes[1]", not_whole},
        {VECTORS, "{\"doubles\": [00.5, 1]}", 1, 14, "doubles[0]",
         "a number that begins with a zero"},
        {VECTORS, "{\"ubytes\": [1, 2,]}", 1, 18, "ubytes[2]", not_whole},
        {VECTORS, "{\"ubytes\": [1 2]}", 1, 15, "ubytes[1]", after_element},
        {VECTORS, "{\"ubytes\": [null]}", 1, 13, "ubytes[0]", not_whole},
        {VECTORS, "{\"ubytes\": 1}", 1, 12, "ubytes", "not an array in brackets"},
        {VECTORS, "{\"ubytes\": \"AAAA\"}", 1, 12, "ubytes", "not an array in brackets"},
        {VECTORS, "{\"strings\": [\"a\", null]}", 1, 19, "strings[1]", "not a string"},
        {VECTORS, "{\"tables\": [{}, {\"a_byte\": 1000}]}", 1, 28, "tables[1].a_byte",
         "out of the range of byte"},
        {VECTORS, "{\"tables\": [null]}", 1, 13, "tables[0]", "not an object in braces"},
        {VECTORS, "{\"tables\": [{}", 1, 15, "tables[1]", early},
        {REQUIRED, "{\"value\": 1}", 1, 12, "name", "a required field is missing"},
        {NESTS, "{\"tree\": {\"left\": {\"nam\": 1}}}", 1, 20, "tree.left.nam",
         "a field that the schema does not have"},
        {NESTS, "{\"tree\": [1, 2, 3]}", 1, 10, "tree",
         "bytes that are not a sound message of the nested type"},
        {NESTS, "{\"flex\": [1, 2]}", 1, 10, "flex", "bytes that are not a sound FlexBuffer"},
        {NESTS, "{\"flex\": [5, 4, 1]}", 0, 0, "", NULL},
        {NESTS, "{\"tree\": 3}", 1, 10, "tree", "not an object in braces"},
    };
    check_refusals(cases, sizeof cases / sizeof cases[0], 0);
}

static void unions(void **state)
{
    (void)state;
    const refusal cases[] = {
        {UNIONS, "{\"any\": {}}", 1, 9, "any", "a union without its type"},
        {UNIONS, "{\"any\": null}", 0, 0, "", NULL},
        {UNIONS, "{\"any_type\": \"NONE\", \"any\": null}", 0, 0, "", NULL},
        {UNIONS, "{\"any_type\": 200, \"any\": null}", 0, 0, "", NULL},
        {UNIONS, "{\"any\": {\"a_byte\": 1}, \"any_type\": \"Scalars\"}", 0, 0, "", NULL},
        {UNIONS, "{\"any\": {\"a_byte\": 300}, \"any_type\": \"Scalars\"}", 1, 20, "any.a_byte",
         "out of the range of byte"},
        {UNIONS, "{\"any_type\": \"NONE\", \"any\": {}}", 1, 29, "any",
         "a value of a union whose type is NONE"},
        {UNIONS, "{\"any_type\": 200, \"any\": {}}", 1, 26, "any",
         "a value of a union member that is not known"},
        {UNIONS, "{\"any_type\": \"Vec4\"}", 1, 14, "any_type", "not a member of the union"},
        {UNIONS, "{\"any_type\": 256}", 1, 14, "any_type", "out of the range of ubyte"},
        {UNIONS, "{\"any_type\": \"text\", \"any\": {}}", 1, 29, "any", "not a string"},
        {UNIONS, "{\"any_type\": \"Vec3\", \"any\": {\"x\": 1}}", 1, 36, "any.y",
         "a struct's member is missing"},
        {UNIONS, "{\"any_many_type\": [\"text\"], \"any_many\": [\"a\", \"b\"]}", 1, 47,
         "any_many[1]", "more elements than the union has types"},
        {UNIONS, "{\"any_many_type\": [\"text\", \"text\"], \"any_many\": [\"a\"]}", 1, 53,
         "any_many[1]", "fewer elements than the union has types"},
        {UNIONS, "{\"any_many\": [\"a\"]}", 1, 14, "any_many", "a union without its type"},
        {UNIONS, "{\"any_many\": [\"a\", 5], \"any_many_type\": [\"text\", 3]}", 1, 20,
         "any_many[1]", "not a string"},
        {UNIONS, "{\"any_many_type\": [\"text\"], \"any_many\": [null]}", 1, 42, "any_many[0]",
         "null for a member of a union"},
        {UNIONS, "{\"any_many_type\": [0, 99, 1, 0], \"any_many\": [null, null, {}, null]}", 1, 60,
         "any_many[2]", NULL},
        {UNIONS, "{\"any_type\": \"Scalars\"}", 0, 0, "", NULL},
        {UNIONS, "{\"any_type\": \"Vec3\"}", 1, 20, "any", "a union's type without its value"},
        {UNIONS, "{\"any_many_type\": []}", 1, 21, "any_many", "a union's type without its value"},
        {UNIONS, "{\"any_many_type\": [], \"any_many\": null}", 1, 39, "any_many",
         "a union's type without its value"},
        {UNIONS, "{\"any_many\": [], \"any_many_type\": []}", 0, 0, "", NULL},
        {UNIONS, "{\"any\": {\"a\": [1, 2}}", 1, 20, "any", after_element},
    };
    check_refusals(cases, sizeof cases / sizeof cases[0], 0);
}

static void lenience(void **state)
{
    (void)state;
    const refusal cases[] = {
        {SCALARS, "{\"a_byte\": 1,}", 0, 0, "", NULL},
        {SCALARS, "{a_byte: 1, \"more\": [1, {\"a\": null, b: [true, \"\\n\", -1.5e3,],}],}", 0, 0,
         "", NULL},
        {SCALARS, "{\"more\": [1, 2}}", 1, 15, "", after_element},
        {SCALARS, "{\"more\": bad}", 1, 10, "", "not a JSON value"},
        {SCALARS, "{\"more\": [", 1, 11, "", early},
        {SCALARS, "/* a */ {\"a_byte\": // b }\n \"12\" /* } */ } // end", 0, 0, "", NULL},
        {SCALARS, "{\"a_byte\": 1 /* }", 1, 18, "a_byte", early},
        {SCALARS, "{\"a_byte\": \"1 \"}", 1, 14, "a_byte", "not only a number in quotes"},
        {SCALARS, "{\"a_byte\": \"one\"}", 1, 13, "a_byte", not_whole},
        {SCALARS, "{\"a_byte\": \"300\"}", 1, 13, "a_byte", "out of the range of byte"},
        {SCALARS, "{\"a_ubyte\": 300e-2, \"a_byte\": -12800000000000000000000e-20}", 0, 0, "",
         NULL},
        {SCALARS, "{\"a_ubyte\": 300.0}", 1, 13, "a_ubyte", "out of the range of ubyte"},
        {SCALARS, "{\"a_ubyte\": 300.5}", 1, 13, "a_ubyte", "not a whole number in range"},
        {SCALARS, "{\"a_byte\": 3.0, \"a_short\": -1e3, \"a_double\": \"2.5\"}", 0, 0, "", NULL},
        {SCALARS, "{\"a_byte\": 3.5}", 1, 12, "a_byte", "not a whole number in range"},
        {SCALARS, "{\"a_byte\": 3e2}", 1, 12, "a_byte", "out of the range of byte"},
        {SCALARS, "{\"a_float\": nan, \"a_double\": -inf, \"a_bool\": \"true\"}", 0, 0, "", NULL},
        {SCALARS, "{\"a_bool\": 1}", 0, 0, "", NULL},
        {SCALARS, "{\"a_bool\": 2}", 1, 12, "a_bool", "out of the range of bool"},
        {SCALARS, "{\"a_byte\": 1, \"a_byte\": 1}", 1, 15, "a_byte", "a key that was there before"},
        {ENUMS, "{\"tiny\": \"Tiny.One\", \"flags\": \"Flags.Read everything.Flags.Write\"}", 0, 0,
         "", NULL},
        {ENUMS, "{\"tiny\": \"5\"}", 0, 0, "", NULL},
        {STRUCTS, "{\"vec3_required\": {\"y\": 2, \"n\": {}}}", 0, 0, "", NULL},
        {STRUCTS, "{\"vec3_required\": {}, \"arrays\": {\"bytes\": [1,]}}", 0, 0, "", NULL},
        {STRUCTS, "{}", 1, 2, "vec3_required", "a required field is missing"},
        {OLD, "{\"gone\": \"whatever\"}", 0, 0, "", NULL},
    };
    check_refusals(cases, sizeof cases / sizeof cases[0], 1);
}

static void long_paths(void **state)
{
    (void)state;
    char text[4000] = "{";
    fls_json_error where;
    fls_error err = FLS_ERROR_INIT;
    fls_json_parse_options options = FLS_JSON_PARSE_OPTIONS_INIT;
    fls_json_parser *parser = json_parser(everything, TREE, &options);
    for (unsigned i = 0; i < 60; i++) {
        strcat(text, i % 2 == 0 ? "\"children\":[{},{" : "\"left\":{");
    }
    strcat(text, "\"nam\":1}");
    const void *payload;
    size_t size;
    assert_status(fls_json_parse(parser, text, strlen(text), &payload, &size, &where, &err),
                  FLS_VALIDATION_FAILED, &err);
    assert_int_equal(strlen(where.path), 239);
    const char head[] = "children[1].left.children[1].left.";
    const char tail[] = ".left.children[1].left.nam";
    assert_memory_equal(where.path, head, strlen(head));
    assert_string_equal(where.path + 239 - strlen(tail), tail);
    assert_memory_equal(where.path + 118, "...", 3);
    assert_non_null(strstr(err.text, "...."));
    assert_non_null(strstr(err.text, ".nam: a field that the schema does not have, at line 1, "));
    /* The same path up to an element in the middle of it fits whole. */
    fls_json_parser_free(parser);
}

/* ---- damage ---- */

static void truncation(void **state)
{
    (void)state;
    size_t size = strlen(json_everything);
    fls_json_parser *parser = json_parser(everything, NULL, NULL);
    fls_error err = FLS_ERROR_INIT;
    fls_json_error where;
    uint32_t root = fls_schema_root(everything);
    assert_status(parse_and_verify(parser, root, json_everything, size, &where, &err), FLS_OK,
                  &err);
    for (size_t cut = 0; cut < size; cut++) {
        assert_status(parse_and_verify(parser, root, json_everything, cut, &where, &err),
                      FLS_VALIDATION_FAILED, &err);
        assert_true(where.offset <= cut);
    }
    assert_status(parse_and_verify(parser, root, json_everything, size, &where, &err), FLS_OK,
                  &err);
    fls_json_parser_free(parser);
}

static void replaced_bytes(void **state)
{
    (void)state;
    static const char other[] = "\"\\{}[],:-0159.eE+ntfu /\n\x01\x7F\x80\xC3\xFF";
    char text[sizeof json_everything];
    size_t size = strlen(json_everything);
    size_t accepted = 0;
    uint32_t root = fls_schema_root(everything);
    for (uint32_t lenient = 0; lenient < 2; lenient++) {
        fls_json_parse_options options = FLS_JSON_PARSE_OPTIONS_INIT;
        options.lenient = lenient;
        fls_json_parser *parser = json_parser(everything, NULL, &options);
        for (size_t i = 0; i < size; i++) {
            for (size_t k = 0; k < sizeof other; k++) { /* the zero too */
                memcpy(text, json_everything, sizeof text);
                text[i] = other[k];
                accepted += parse_and_verify(parser, root, text, size, NULL, NULL) == FLS_OK;
            }
        }
        fls_json_parser_free(parser);
    }
    assert_true(accepted > size); /* digits and letters of strings can be others */
}

static void random_damage(void **state)
{
    (void)state;
    char text[2 * sizeof json_everything];
    prng random = prng_seeded(11);
    uint32_t root = fls_schema_root(everything);
    fls_json_parser *parser = json_parser(everything, NULL, NULL);
    for (unsigned i = 0; i < 20000; i++) {
        size_t size = strlen(json_everything);
        memcpy(text, json_everything, size + 1);
        for (uint64_t k = prng_below(&random, 3) + 1; k > 0; k--) {
            size_t from = (size_t)prng_below(&random, size);
            size_t to = (size_t)prng_below(&random, size);
            size_t most = size - (from > to ? from : to);
            size_t bytes = (size_t)prng_below(&random, most < 30 ? most : 30);
            memmove(text + to, text + from, bytes);
        }
        (void)parse_and_verify(parser, root, text, size, NULL, NULL);
    }
    fls_json_parser_free(parser);
}

/* ---- depth and size ---- */

static char *nested_text(const char *opening, const char *closing, unsigned depth)
{
    size_t bytes = depth * (strlen(opening) + strlen(closing)) + 3;
    char *text = malloc(bytes);
    assert_non_null(text);
    char *at = text;
    *at++ = '{';
    for (unsigned i = 0; i < depth; i++, at += strlen(opening)) {
        memcpy(at, opening, strlen(opening));
    }
    for (unsigned i = 0; i < depth; i++, at += strlen(closing)) {
        memcpy(at, closing, strlen(closing));
    }
    *at++ = '}';
    *at = '\0';
    return text;
}

static void depth(void **state)
{
    (void)state;
    static const struct {
        const char *opening;
        const char *closing;
    } kinds[] = {
        {"\"tree\":{\"left\":", "}"}, /* not used: two fields a level */
        {"\"left\":{", "}"},
        {"\"children\":[{", "}]"},
        {"\"any_type\":\"Tree\",\"any\":{", "}"},
        {"\"any\":{", "},\"any_type\":\"Tree\""},
    };
    uint32_t root = fls_schema_find_object(everything, TREE);
    fls_error err = FLS_ERROR_INIT;
    fls_json_error where;
    fls_json_parse_options options = FLS_JSON_PARSE_OPTIONS_INIT;
    for (size_t i = 1; i < sizeof kinds / sizeof kinds[0]; i++) {
        fls_json_parser *parser = json_parser(everything, TREE, NULL);
        char *text = nested_text(kinds[i].opening, kinds[i].closing, 63);
        assert_status(parse_and_verify(parser, root, text, strlen(text), &where, &err), FLS_OK,
                      &err);
        free(text);
        text = nested_text(kinds[i].opening, kinds[i].closing, 64);
        assert_status(parse_and_verify(parser, root, text, strlen(text), &where, &err),
                      FLS_VALIDATION_FAILED, &err);
        assert_string_equal(where.reason, "tables nested too deeply");
        free(text);
        fls_json_parser_free(parser);
    }
    options.max_depth = 512;
    fls_json_parser *parser = json_parser(everything, TREE, &options);
    char *text = nested_text("\"left\":{", "}", 511);
    const void *payload;
    size_t size;
    assert_status(fls_json_parse(parser, text, strlen(text), &payload, &size, NULL, &err), FLS_OK,
                  &err);
    free(text);
    text = nested_text("\"left\":{", "}", 1000000);
    assert_status(fls_json_parse(parser, text, strlen(text), &payload, &size, NULL, &err),
                  FLS_VALIDATION_FAILED, &err);
    free(text);
    fls_json_parser_free(parser);
    options.max_depth = 513;
    assert_status(fls_json_parser_new(&parser, everything, root, &options, &err),
                  FLS_INVALID_ARGUMENT, &err);
    assert_null(parser);
}

/* What is passed over may be nested as deep as it likes. */
static void deep_skipping(void **state)
{
    (void)state;
    const void *payload;
    size_t size;
    fls_error err = FLS_ERROR_INIT;
    fls_json_parse_options options = FLS_JSON_PARSE_OPTIONS_INIT;
    options.lenient = 1;
    fls_json_parser *parser = json_parser(everything, TREE, &options);
    char *text = nested_text("\"more\":[{", "}]", 300000);
    assert_status(fls_json_parse(parser, text, strlen(text), &payload, &size, NULL, &err), FLS_OK,
                  &err);
    text[strlen(text) - 2] = '}';
    assert_status(fls_json_parse(parser, text, strlen(text), &payload, &size, NULL, &err),
                  FLS_VALIDATION_FAILED, &err);
    free(text);
    fls_json_parser_free(parser);
}

static void many_elements(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        const char *element;
    } kinds[] = {
        {"ubytes", "7,"},
        {"doubles", "0.5,"},
        {"strings", "\"\","},
        {"tables", "{},"},
        {"tinies", "\"Two\","},
        {"bools", "true,"},
        {"keyed", NULL},
        {"byte_structs", "{\"value\":1},"},
        {"longs", "-9223372036854775808,"},
    };
    enum { COUNT = 300000 };
    uint32_t root = fls_schema_find_object(everything, VECTORS);
    fls_error err = FLS_ERROR_INIT;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].element == NULL) {
            continue;
        }
        size_t each = strlen(kinds[i].element);
        char *text = malloc(100 + COUNT * each);
        assert_non_null(text);
        char *at = text + sprintf(text, "{\"%s\": [", kinds[i].field);
        for (unsigned k = 0; k < COUNT; k++, at += each) {
            memcpy(at, kinds[i].element, each);
        }
        at += sprintf(at - 1, "]}") - 1;
        fls_json_parser *parser = json_parser(everything, VECTORS, NULL);
        assert_status(parse_and_verify(parser, root, text, (size_t)(at - text), NULL, &err), FLS_OK,
                      &err);
        fls_json_parser_free(parser);
        free(text);
    }
}

static void sorting(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static char text[COUNT * 80];
    prng random = prng_seeded(4);
    char *at = text + sprintf(text, "{\"by_name\": [");
    for (unsigned i = 0; i < COUNT; i++) {
        at += sprintf(at, "%s{\"name\": \"%x\", \"value\": %u}", i == 0 ? "" : ",",
                      (unsigned)prng_below(&random, 2000), i);
    }
    at += sprintf(at, "], \"by_signed\": [");
    for (unsigned i = 0; i < COUNT; i++) {
        at +=
            sprintf(at, "%s{\"id\": %d}", i == 0 ? "" : ",", (int)prng_below(&random, 2000) - 1000);
    }
    (void)sprintf(at, "]}");
    fls_error err = FLS_ERROR_INIT;
    fls_violation violation;
    fls_verify_options options = FLS_VERIFY_OPTIONS_INIT;
    const void *payload;
    size_t size;
    options.checks = FLS_VERIFY_SORTED;
    fls_json_parser *parser = json_parser(everything, "everything.Sorted", NULL);
    uint32_t root = fls_schema_find_object(everything, "everything.Sorted");
    assert_status(fls_json_parse(parser, text, strlen(text), &payload, &size, NULL, &err), FLS_OK,
                  &err);
    assert_status(fls_verify(everything, root, payload, size, &options, &violation), FLS_OK, NULL);
    fls_json_parser_free(parser);
}

/* ---- memory ---- */

static void failing_allocations(void **state)
{
    (void)state;
    uint32_t root = fls_schema_root(everything);
    for (uint64_t call = 0;; call++) {
        counting_allocator allocator;
        fls_json_parse_options options = FLS_JSON_PARSE_OPTIONS_INIT;
        fls_json_parser *parser;
        fls_error err = FLS_ERROR_INIT;
        const void *payload;
        size_t size;
        counting_allocator_init(&allocator);
        allocator.fail_from = call;
        allocator.fail_calls = 1;
        options.allocator = &allocator.table;
        fls_status status = fls_json_parser_new(&parser, everything, root, &options, &err);
        if (status == FLS_OK) {
            status = fls_json_parse(parser, json_everything, strlen(json_everything), &payload,
                                    &size, NULL, &err);
            if (status != FLS_OK) {
                assert_status(status, FLS_NO_MEMORY, &err);
                status = fls_json_parse(parser, json_everything, strlen(json_everything), &payload,
                                        &size, NULL, &err);
            }
            assert_status(status, FLS_OK, &err);
            fls_json_parser_free(parser);
        } else {
            assert_status(status, FLS_NO_MEMORY, &err);
            assert_null(parser);
        }
        assert_int_equal(allocator.live_blocks, 0);
        if (allocator.failures == 0) {
            assert_true(call > 5);
            break;
        }
    }
}

static void warm_parsers_do_not_allocate(void **state)
{
    (void)state;
    counting_allocator allocator;
    fls_json_parse_options options = FLS_JSON_PARSE_OPTIONS_INIT;
    fls_error err = FLS_ERROR_INIT;
    const void *payload;
    size_t size;
    counting_allocator_init(&allocator);
    options.allocator = &allocator.table;
    fls_json_parser *parser = json_parser(everything, NULL, &options);
    uint64_t calls = 0;
    for (unsigned i = 0; i < 10; i++) {
        assert_status(fls_json_parse(parser, json_everything, strlen(json_everything), &payload,
                                     &size, NULL, &err),
                      FLS_OK, &err);
        assert_status(fls_json_parse(parser, json_everything, 500, &payload, &size, NULL, &err),
                      FLS_VALIDATION_FAILED, &err);
        if (i == 0) {
            calls = allocator.calls;
        }
    }
    assert_int_equal(allocator.calls, calls);
    fls_json_parser_free(parser);
    assert_int_equal(allocator.live_blocks, 0);
}

/* The same text gives the same bytes, whatever the parser learned about the order of keys. */
static void learning_does_not_show(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"a_byte\": 1, \"a_short\": 2, \"a_double\": 3}",
        "{\"a_double\": 3, \"a_short\": 2, \"a_byte\": 1}",
        "{\"a_short\": 2, \"a_byte\": 1, \"a_double\": 3, \"a_bool\": true}",
    };
    uint8_t first[3][200];
    size_t sizes[3];
    fls_json_parser *parser = json_parser(everything, SCALARS, NULL);
    for (unsigned i = 0; i < 300; i++) {
        const void *payload;
        size_t size;
        fls_error err = FLS_ERROR_INIT;
        const char *text = texts[i % 3];
        assert_status(fls_json_parse(parser, text, strlen(text), &payload, &size, NULL, &err),
                      FLS_OK, &err);
        if (i < 3) {
            assert_true(size <= sizeof first[0]);
            memcpy(first[i], payload, size);
            sizes[i] = size;
        }
        assert_int_equal(size, sizes[i % 3]);
        assert_memory_equal(payload, first[i % 3], size);
    }
    fls_json_parser_free(parser);
}

static void identifiers_and_defaults(void **state)
{
    (void)state;
    fls_json_parse_options options = FLS_JSON_PARSE_OPTIONS_INIT;
    const uint8_t *bytes;
    const void *payload;
    size_t size;
    size_t with_defaults;
    fls_error err = FLS_ERROR_INIT;
    fls_json_parser *parser = json_parser(everything, NULL, NULL);
    assert_status(fls_json_parse(parser, "{}", 2, &payload, &size, NULL, &err), FLS_OK, &err);
    bytes = payload;
    assert_memory_equal(bytes + 4, "EVRY", 4);
    fls_json_parser_free(parser);
    options.identifier = "abcd";
    options.with_defaults = 1;
    parser = json_parser(everything, SCALARS, &options);
    const char text[] = "{\"a_long\": 0, \"a_double\": 0.0}";
    assert_status(fls_json_parse(parser, text, strlen(text), &payload, &with_defaults, NULL, &err),
                  FLS_OK, &err);
    bytes = payload;
    assert_memory_equal(bytes + 4, "abcd", 4);
    fls_json_parser_free(parser);
    parser = json_parser(everything, SCALARS, NULL);
    assert_status(fls_json_parse(parser, text, strlen(text), &payload, &size, NULL, &err), FLS_OK,
                  &err);
    assert_true(size + 16 < with_defaults);
    fls_json_parser_free(parser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax),
        cmocka_unit_test(numbers),
        cmocka_unit_test(names_and_strings),
        cmocka_unit_test(structures),
        cmocka_unit_test(unions),
        cmocka_unit_test(lenience),
        cmocka_unit_test(long_paths),
        cmocka_unit_test(truncation),
        cmocka_unit_test(replaced_bytes),
        cmocka_unit_test(random_damage),
        cmocka_unit_test(depth),
        cmocka_unit_test(deep_skipping),
        cmocka_unit_test(many_elements),
        cmocka_unit_test(sorting),
        cmocka_unit_test(failing_allocations),
        cmocka_unit_test(warm_parsers_do_not_allocate),
        cmocka_unit_test(learning_does_not_show),
        cmocka_unit_test(identifiers_and_defaults),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
