/* Schemas that no compiler makes: each breaks one rule, and is refused with that rule and the path
 * to where it is broken. Every case is a change to one sound schema.
 */
#include "flatstream/builder.h"
#include "schema_invariants.h"
#include "support/bfbs.h"

/* Types of reflection.fbs; indices count from 1. */
enum { UTYPE = 1, BOOL, BYTE, UBYTE, SHORT, USHORT, INT, UINT, LONG, ULONG, FLOAT, DOUBLE };
enum { STRING = 13, VECTOR, OBJ, UNION, ARRAY, VECTOR64 };

/*  1 a.Table:  name string (key), color a.Color, any_type, any a.Any, numbers [ubyte], pair a.Pair
 *  2 a.Pair:   first ubyte, second int
 *  3 a.Other:  inner a.Twice in a struct: see below
 *  enums: 1 a.Color : ubyte, 2 a.Any */
static const bfbs_schema sound =
    {
        .objects =
            {
                {.name = "a.Table",
                 .fields =
                     {{.name = "name", .type = {STRING, 0, 0, 0}, .id = 0, .key = 1},
                      {.name = "color", .type = {UBYTE, 0, 1, 0}, .id = 1, .default_integer = 1},
                      {.name = "any_type", .type = {UTYPE, 0, 2, 0}, .id = 2},
                      {.name = "any", .type = {UNION, 0, 2, 0}, .id = 3},
                      {.name = "numbers", .type = {VECTOR, UBYTE, 0, 0}, .id = 4},
                      {.name = "pair", .type = {OBJ, 0, 2, 0}, .id = 5}}},
                {.name = "a.Pair",
                 .is_struct = 1,
                 .minalign = 4,
                 .bytesize = 8,
                 .fields = {{.name = "first", .type = {UBYTE, 0, 0, 0}, .id = 0, .offset = 0},
                            {.name = "second", .type = {INT, 0, 0, 0}, .id = 1, .offset = 4}}},
                {.name = "a.Pairs",
                 .is_struct = 1,
                 .minalign = 4,
                 .bytesize = 28,
                 .fields = {{.name = "head", .type = {OBJ, 0, 2, 0}, .id = 0, .offset = 0},
                            {.name = "tail", .type = {ARRAY, OBJ, 2, 2}, .id = 1, .offset = 8},
                            {.name = "end", .type = {ARRAY, UBYTE, 0, 3}, .id = 2, .offset = 24}}},
                {.name = "a.Other",
                 .fields = {{.name = "real", .type = {FLOAT, 0, 0, 0}, .default_real = 0.5}}},
            },
        .enums = {{.name = "a.Color",
                   .base = UBYTE,
                   .values = {{.name = "Red", .value = 0},
                              {.name = "Green", .value = 1},
                              {.name = "Blue", .value = 255}}},
                  {.name = "a.Any",
                   .is_union = 1,
                   .base = UTYPE,
                   .values = {{.name = "NONE", .value = 0},
                              {.name = "Table", .value = 1, .type = {OBJ, 0, 1, 0}},
                              {.name = "Pair", .value = 2, .type = {OBJ, 0, 2, 0}},
                              {.name = "text", .value = 3, .type = {STRING, 0, 0, 0}}}}},
        .identifier = "ABCD",
        .root = 1,
};

static bfbs_schema schema; /* of the case at hand */

#define OBJECT(n)   schema.objects[n]
#define FIELD(n, f) schema.objects[n].fields[f]
#define VALUE(n, v) schema.enums[n].values[v]

static void check(fls_status wanted, const char *text, int line)
{
    byte_buffer data = BYTES_INIT;
    fls_schema *loaded = NULL;
    fls_error err = FLS_ERROR_INIT;
    bfbs_build(&schema, &data);
    fls_status status = fls_schema_new(&loaded, data.data, data.size, NULL, &err);
    if (status != wanted || (text != NULL && strcmp(err.text, text) != 0)) {
        print_error("%s:%d: %s \"%s\"\n   wanted %s \"%s\"\n", __FILE__, line,
                    fls_status_name(status), err.text, fls_status_name(wanted),
                    text == NULL ? "" : text);
        fail();
    }
    if (status == FLS_OK) {
        check_invariants(loaded);
    } else {
        assert_null(loaded);
        assert_int_equal(fls_schema_new(&loaded, data.data, data.size, NULL, NULL), wanted);
    }
    fls_schema_free(loaded);
    bytes_free(&data);
    schema = sound;
}

#define REFUSED(text) check(FLS_SCHEMA_INVALID, text, __LINE__)
#define UNKNOWN(text) check(FLS_UNSUPPORTED, text, __LINE__)
#define ACCEPTED()    check(FLS_OK, NULL, __LINE__)

static int reset(void **state)
{
    (void)state;
    schema = sound;
    return 0;
}

static void bytes(void **state)
{
    static const uint8_t short_one[7] = {4, 0, 0, 0, 'B', 'F', 'B'};
    static const uint8_t empty[12] = {8, 0, 0, 0, 'X', 'F', 'B', 'S'};
    fls_schema *loaded = NULL;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    ACCEPTED();
    assert_status(fls_schema_new(&loaded, NULL, 0, NULL, &err), FLS_SCHEMA_INVALID, NULL);
    assert_string_equal(err.text, "not a .bfbs: there is no BFBS in its bytes 4 to 7");
    assert_status(fls_schema_new(&loaded, short_one, 7, NULL, &err), FLS_SCHEMA_INVALID, NULL);
    assert_status(fls_schema_new(&loaded, empty, 12, NULL, &err), FLS_SCHEMA_INVALID, NULL);
    assert_string_equal(err.text, "not a .bfbs: there is no BFBS in its bytes 4 to 7");
}

/* What breaks reflection.fbs itself is told by the verifier's path and rule. */
static void not_of_reflection(void **state)
{
    byte_buffer data = BYTES_INIT;
    fls_schema *loaded = NULL;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    bfbs_build(&sound, &data);
    for (size_t at = 8; at + 4 <= data.size; at++) { /* the first string: its length */
        if (memcmp(data.data + at, "a.Pairs", 7) == 0) {
            data.data[at - 1] = 0x7F;
            break;
        }
    }
    assert_status(fls_schema_new(&loaded, data.data, data.size, NULL, &err), FLS_SCHEMA_INVALID,
                  NULL);
    assert_memory_equal(err.text, "objects[2].name: ", 17);
    bytes_free(&data);
}

static void names(void **state)
{
    (void)state;
    OBJECT(1).name = "a.Table";
    REFUSED("a.Table: two tables or structs of one name");
    OBJECT(1).name = "";
    REFUSED("objects[1]: has a name that is not one");
    OBJECT(1).name = "a..Pair";
    REFUSED("objects[1]: has a name that is not one");
    OBJECT(1).name = "a.Pair.";
    REFUSED("objects[1]: has a name that is not one");
    OBJECT(1).name = ".Pair";
    REFUSED("objects[1]: has a name that is not one");
    OBJECT(1).name = "a.P\x1b[2Jair";
    REFUSED("objects[1]: has a name that is not one");
    OBJECT(1).name = "a.2";
    REFUSED("objects[1]: has a name that is not one");
    OBJECT(1).name = "_._2";
    ACCEPTED();
    FIELD(0, 1).name = "na.me";
    REFUSED("a.Table[1]: has a name that is not one");
    FIELD(0, 1).name = "name";
    REFUSED("a.Table.name: two fields of one name");
    VALUE(0, 1).name = "Re d";
    REFUSED("a.Color[1]: has a name that is not one");
    VALUE(0, 1).name = "Red";
    REFUSED("a.Color.Red: two values of one name");
    schema.enums[0].name = "a.Any";
    REFUSED("a.Any: two enums or unions of one name");
    char name[FLSI_SCHEMA_NAME_MOST + 2];
    memset(name, 'x', sizeof name);
    name[FLSI_SCHEMA_NAME_MOST + 1] = '\0';
    OBJECT(3).name = name;
    UNKNOWN("objects[3]: a name of more than 1024 bytes");
    name[FLSI_SCHEMA_NAME_MOST] = '\0';
    OBJECT(3).name = name;
    ACCEPTED();
    /* A path that does not fit loses its start. */
    OBJECT(3).name = name;
    FIELD(3, 0).offset = 8;
    char wanted[152];
    memset(wanted, 'x', sizeof wanted);
    static const char end[] = ".real: at another offset than that of its id";
    memcpy(wanted + sizeof wanted - sizeof end, end, sizeof end);
    REFUSED(wanted);
}

static void types(void **state)
{
    (void)state;
    FIELD(0, 5).type.index = 5;
    REFUSED("a.Table.pair: of a table or struct that is not there");
    FIELD(0, 5).type.index = 0;
    REFUSED("a.Table.pair: of a table or struct that is not there");
    FIELD(0, 5).type.index = -1;
    REFUSED("a.Table.pair: of a table or struct that is not there");
    FIELD(0, 1).type.index = 3;
    REFUSED("a.Table.color: of an enum that is not there");
    FIELD(0, 1).type.index = -7;
    REFUSED("a.Table.color: of an enum that is not there");
    FIELD(0, 1).type.index = 2;
    REFUSED("a.Table.color: of an enum that is not there");
    FIELD(0, 1).type.base = SHORT;
    REFUSED("a.Table.color: of another type than its enum");
    FIELD(0, 1).type = (bfbs_type){FLOAT, 0, 1, 0};
    REFUSED("a.Table.color: of another type than its enum");
    FIELD(0, 1).type.base = 0;
    REFUSED("a.Table.color: of no type");
    FIELD(0, 4).type.element = 0;
    REFUSED("a.Table.numbers: a vector of what cannot be in one");
    FIELD(0, 4).type.element = VECTOR;
    REFUSED("a.Table.numbers: a vector of what cannot be in one");
    FIELD(0, 4).type.element = OBJ;
    REFUSED("a.Table.numbers: of a table or struct that is not there");
    FIELD(0, 4).type = (bfbs_type){ARRAY, UBYTE, 0, 4};
    REFUSED("a.Table.numbers: an array outside a struct");
    static const char *const newer = "of a type that this version does not know, such as a 64-bit "
                                     "vector";
    char wanted[152];
    (void)snprintf(wanted, sizeof wanted, "a.Table.numbers: %s", newer);
    FIELD(0, 4).type.base = VECTOR64;
    UNKNOWN(wanted);
    FIELD(0, 4).type.element = VECTOR64;
    UNKNOWN(wanted);
    FIELD(0, 4).type.base = -1;
    UNKNOWN(wanted);
    FIELD(0, 4).offset64 = 1;
    UNKNOWN("a.Table.numbers: of a 64-bit offset, which this version does not know");
}

static void ids_and_flags(void **state)
{
    (void)state;
    FIELD(0, 4).id = 6;
    REFUSED("a.Table.numbers: an id beyond the number of fields");
    FIELD(0, 4).id = 65535;
    FIELD(0, 4).offset = 4;
    REFUSED("a.Table.numbers: an id beyond the number of fields");
    FIELD(0, 4).id = 5;
    REFUSED("a.Table.pair: two fields of one id");
    FIELD(0, 4).offset = 14;
    REFUSED("a.Table.numbers: at another offset than that of its id");
    FIELD(0, 1).required = 1;
    REFUSED("a.Table.color: a scalar that is required");
    FIELD(0, 2).required = 1;
    REFUSED("a.Table.any_type: a scalar that is required");
    FIELD(0, 3).required = 1;
    ACCEPTED();
    FIELD(0, 4).required = 1;
    FIELD(0, 4).deprecated = 1;
    ACCEPTED();
    FIELD(0, 4).optional = 1; /* says flatc of all of them */
    ACCEPTED();
    FIELD(0, 1).key = 1;
    REFUSED("a.Table.color: a second key");
    FIELD(0, 0).key = 0;
    FIELD(0, 4).key = 1;
    REFUSED("a.Table.numbers: a key of what cannot be one");
    FIELD(0, 0).key = 0;
    FIELD(0, 2).key = 1;
    REFUSED("a.Table.any_type: a key of what cannot be one");
    FIELD(0, 0).key = 0;
    FIELD(0, 5).key = 1; /* of newer compilers: known as a flag, not used */
    ACCEPTED();
}

static void defaults(void **state)
{
    (void)state;
    FIELD(0, 1).default_integer = 255;
    ACCEPTED();
    FIELD(0, 1).default_integer = 256;
    REFUSED("a.Table.color: a default outside its type");
    FIELD(0, 1).default_integer = -1;
    REFUSED("a.Table.color: a default outside its type");
    static const struct {
        int base;
        int64_t least;
        int64_t most;
    } ranges[] = {{BOOL, 0, 1},           {BYTE, -128, 127},  {UBYTE, 0, 255},
                  {SHORT, -32768, 32767}, {USHORT, 0, 65535}, {INT, INT32_MIN, INT32_MAX},
                  {UINT, 0, UINT32_MAX}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        const int64_t in[] = {ranges[i].least, ranges[i].most};
        const int64_t out[] = {ranges[i].least - 1, ranges[i].most + 1, INT64_MIN, INT64_MAX};
        for (size_t k = 0; k < 2; k++) {
            FIELD(0, 1).type = (bfbs_type){ranges[i].base, 0, 0, 0};
            FIELD(0, 1).default_integer = in[k];
            ACCEPTED();
        }
        for (size_t k = 0; k < 4; k++) {
            FIELD(0, 1).type = (bfbs_type){ranges[i].base, 0, 0, 0};
            FIELD(0, 1).default_integer = out[k];
            REFUSED("a.Table.color: a default outside its type");
        }
    }
    FIELD(3, 0).default_real = 3.4028234663852886e38;
    ACCEPTED();
    FIELD(3, 0).default_real = 3.4028235677973364e38; /* still rounds down */
    ACCEPTED();
    FIELD(3, 0).default_real = 3.4028235677973366e38;
    REFUSED("a.Other.real: a default outside its type");
    FIELD(3, 0).default_real = -1e300;
    REFUSED("a.Other.real: a default outside its type");
    FIELD(3, 0).default_real = 1e300;
    FIELD(3, 0).type.base = DOUBLE;
    ACCEPTED();
}

static void unions(void **state)
{
    (void)state;
    FIELD(0, 2).type = (bfbs_type){UBYTE, 0, 0, 0};
    REFUSED("a.Table.any: a union without its tag in front of it");
    FIELD(0, 3).type = (bfbs_type){UBYTE, 0, 0, 0};
    REFUSED("a.Table.any_type: a tag without its union behind it");
    FIELD(0, 2).type = (bfbs_type){VECTOR, UTYPE, 2, 0};
    REFUSED("a.Table.any_type: a tag without its union behind it");
    FIELD(0, 3).type = (bfbs_type){VECTOR, UNION, 2, 0};
    REFUSED("a.Table.any_type: a tag without its union behind it");
    FIELD(0, 2).type = (bfbs_type){VECTOR, UTYPE, 2, 0};
    FIELD(0, 3).type = (bfbs_type){VECTOR, UNION, 2, 0};
    ACCEPTED();
    FIELD(0, 2).type.index = 1;
    REFUSED("a.Table.any_type: of a union that is not there");
    FIELD(0, 3).type.index = 0;
    REFUSED("a.Table.any: of a union that is not there");
    FIELD(0, 3).type.index = 3;
    REFUSED("a.Table.any: of a union that is not there");
    /* A tag at the very end, and a union at the very start. */
    FIELD(3, 0).type = (bfbs_type){UTYPE, 0, 2, 0};
    REFUSED("a.Other.real: a tag without its union behind it");
    FIELD(3, 0).type = (bfbs_type){UNION, 0, 2, 0};
    REFUSED("a.Other.real: a union without its tag in front of it");
    VALUE(1, 1).type = (bfbs_type){INT, 0, 0, 0};
    REFUSED("a.Any.Table: a union member that is no table, struct or string");
    VALUE(1, 1).type = (bfbs_type){0, 0, 0, 0};
    REFUSED("a.Any.Table: a union member of no type");
    VALUE(1, 1).type.index = 9;
    REFUSED("a.Any.Table: a union member whose type is not there");
    VALUE(1, 0).value = 4;
    REFUSED("a.Any.NONE: a union member of no type");
    VALUE(1, 0).type = (bfbs_type){STRING, 0, 0, 0};
    REFUSED("a.Any.NONE: a union member with the value 0, which is NONE");
    VALUE(1, 0).value = 4;
    VALUE(1, 0).type = (bfbs_type){STRING, 0, 0, 0};
    REFUSED("a.Any: a union without NONE");
    VALUE(1, 1).value = 256;
    UNKNOWN(
        "a.Any.Table: a union whose tag is wider than a byte, which this version does not know");
    schema.enums[1].base = USHORT;
    UNKNOWN("a.Any: a union whose tag is wider than a byte, which this version does not know");
    schema.enums[1].base = STRING;
    REFUSED("a.Any: a union whose tag is no byte");
    schema.enums[1].base = UBYTE;
    ACCEPTED();
}

static void values(void **state)
{
    (void)state;
    VALUE(0, 1).value = 255;
    REFUSED("a.Color.Blue: two values that are equal");
    VALUE(0, 1).value = 256;
    REFUSED("a.Color.Green: a value outside its type");
    VALUE(0, 0).value = -1;
    REFUSED("a.Color.Red: a value outside its type");
    VALUE(0, 0).value = 200; /* out of order: sorted by the loader */
    ACCEPTED();
    schema.enums[0].base = FLOAT;
    REFUSED("a.Color: an enum that is no whole number");
    schema.enums[0].base = VECTOR64;
    UNKNOWN("a.Color: of a type that this version does not know, such as a 64-bit vector");
}

static void structs(void **state)
{
    (void)state;
    OBJECT(1).bytesize = 12;
    REFUSED("a.Pair: a struct whose size is not that of its fields");
    OBJECT(1).bytesize = 0;
    REFUSED("a.Pair: a struct whose size is not that of its fields");
    OBJECT(1).bytesize = -8;
    REFUSED("a.Pair: a struct whose size is not that of its fields");
    OBJECT(1).minalign = 2;
    REFUSED("a.Pair: a struct whose alignment is not its fields'");
    OBJECT(1).minalign = 0;
    REFUSED("a.Pair: a struct whose alignment is not its fields'");
    OBJECT(1).minalign = 24;
    OBJECT(1).bytesize = 24;
    REFUSED("a.Pair: a struct whose alignment is not its fields'");
    OBJECT(1).minalign = 512;
    OBJECT(1).bytesize = 512;
    UNKNOWN("a.Pair: an alignment of more than 64");
    OBJECT(2).minalign = 128; /* force_align */
    OBJECT(2).bytesize = 128;
    UNKNOWN("a.Pairs: an alignment of more than 64");
    OBJECT(2).minalign = 64;
    OBJECT(2).bytesize = 64;
    ACCEPTED();
    FIELD(1, 1).offset = 5;
    REFUSED("a.Pair.second: at another offset than it has to be");
    FIELD(1, 1).offset = 8;
    REFUSED("a.Pair.second: at another offset than it has to be");
    FIELD(1, 1).type = (bfbs_type){STRING, 0, 0, 0};
    REFUSED("a.Pair.second: cannot be in a struct");
    FIELD(1, 1).type = (bfbs_type){OBJ, 0, 1, 0};
    REFUSED("a.Pair.second: cannot be in a struct");
    FIELD(1, 1).type = (bfbs_type){UTYPE, 0, 2, 0};
    REFUSED("a.Pair.second: cannot be in a struct");
    FIELD(1, 1).type = (bfbs_type){VECTOR, UBYTE, 0, 0};
    REFUSED("a.Pair.second: cannot be in a struct");
    FIELD(1, 1).default_integer = 1;
    REFUSED("a.Pair.second: a field of a struct has no default");
    FIELD(1, 1).deprecated = 1;
    REFUSED("a.Pair.second: a field of a struct is always there");
    FIELD(1, 1).required = 1;
    REFUSED("a.Pair.second: a field of a struct is always there");
    FIELD(1, 1).optional = 1;
    REFUSED("a.Pair.second: a field of a struct is always there");
    FIELD(1, 0).name = NULL;
    OBJECT(1).bytesize = 0;
    REFUSED("a.Pair: a struct of no bytes");
    FIELD(2, 1).type.length = 0;
    REFUSED("a.Pairs.tail: an array of no elements");
    FIELD(2, 1).type.length = 3;
    REFUSED("a.Pairs.end: at another offset than it has to be");
    FIELD(2, 1).type.element = STRING;
    REFUSED("a.Pairs.tail: an array of what cannot be in one");
    FIELD(2, 1).type.element = UTYPE;
    REFUSED("a.Pairs.tail: an array of what cannot be in one");
    FIELD(2, 1).type.index = 1;
    REFUSED("a.Pairs.tail: cannot be in a struct");
    FIELD(2, 0).type.index = 3;
    REFUSED("a.Pairs.head: a struct that contains itself");
    FIELD(1, 1).type = (bfbs_type){OBJ, 0, 3, 0};
    REFUSED("a.Pairs.head: a struct that contains itself");
    FIELD(2, 1).type.index = 3;
    REFUSED("a.Pairs.tail: a struct that contains itself");
}

/* 65535 of 65535 of ... bytes: beyond 2^31 in four steps. */
static void large_structs(void **state)
{
    (void)state;
    memset(schema.objects, 0, sizeof schema.objects);
    memset(schema.enums, 0, sizeof schema.enums);
    OBJECT(0) = (bfbs_object){.name = "a.R", .fields = {{.name = "x", .type = {INT, 0, 0, 0}}}};
    OBJECT(1) = (bfbs_object){.name = "a.A",
                              .is_struct = 1,
                              .minalign = 1,
                              .bytesize = 65535,
                              .fields = {{.name = "x", .type = {ARRAY, UBYTE, 0, 65535}}}};
    OBJECT(2) = (bfbs_object){.name = "a.B",
                              .is_struct = 1,
                              .minalign = 1,
                              .bytesize = 65535 * 32768,
                              .fields = {{.name = "x", .type = {ARRAY, OBJ, 2, 32768}}}};
    bfbs_schema large = schema;
    ACCEPTED();
    schema = large;
    OBJECT(2).fields[0].type.length = 32769;
    OBJECT(2).bytesize = (int)(65535u * 32769u);
    REFUSED("a.B.x: ends beyond 2^31 bytes");
    schema = large;
    OBJECT(2).fields[1] =
        (bfbs_field){.name = "y", .type = {ARRAY, UBYTE, 0, 32767}, .id = 1, .offset = 0x8000};
    OBJECT(2).bytesize = INT32_MAX; /* 2^31 - 32768 + 32767 */
    ACCEPTED();
    schema = large;
    OBJECT(2).fields[1] =
        (bfbs_field){.name = "y", .type = {ARRAY, UBYTE, 0, 32768}, .id = 1, .offset = 0x8000};
    REFUSED("a.B.y: ends beyond 2^31 bytes");
    /* Padding behind the last field, too. */
    schema = large;
    OBJECT(2).fields[1] =
        (bfbs_field){.name = "y", .type = {ARRAY, UBYTE, 0, 32767}, .id = 1, .offset = 0x8000};
    OBJECT(2).minalign = 8;
    OBJECT(2).bytesize = INT32_MIN;
    REFUSED("a.B: a struct whose size is not that of its fields");
}

static void attributes(void **state)
{
    (void)state;
    FIELD(0, 4).attribute = "nested_flatbuffer";
    FIELD(0, 4).attribute_value = "Other";
    ACCEPTED();
    FIELD(0, 4).attribute = "nested_flatbuffer";
    FIELD(0, 4).attribute_value = "a.Other";
    ACCEPTED();
    FIELD(0, 4).attribute = "nested_flatbuffer";
    FIELD(0, 4).attribute_value = "b.Other";
    REFUSED("a.Table.numbers: a nested buffer of a table that is not there");
    FIELD(0, 4).attribute = "nested_flatbuffer";
    FIELD(0, 4).attribute_value = "";
    REFUSED("a.Table.numbers: a nested buffer of a table that is not there");
    FIELD(0, 4).attribute = "nested_flatbuffer";
    FIELD(0, 4).attribute_value = "Pair";
    REFUSED("a.Table.numbers: a nested buffer of a struct");
    FIELD(0, 5).attribute = "nested_flatbuffer"; /* not of bytes: says nothing */
    FIELD(0, 5).attribute_value = "Nobody";
    ACCEPTED();
    static const char *const bad[] = {"", "0", "3", "96", "x", "-8", "8 ", "65536", "4294967304"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        FIELD(0, 4).attribute = "force_align";
        FIELD(0, 4).attribute_value = bad[i];
        REFUSED("a.Table.numbers: a force_align that is none");
    }
    static const char *const large[] = {"128", "256", "32768"};
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
        FIELD(0, 4).attribute = "force_align";
        FIELD(0, 4).attribute_value = large[i];
        UNKNOWN("a.Table.numbers: an alignment of more than 64");
    }
    FIELD(0, 4).attribute = "force_align";
    FIELD(0, 4).attribute_value = "64";
    ACCEPTED();
    FIELD(0, 4).type.element = LONG;
    FIELD(0, 4).attribute = "force_align";
    FIELD(0, 4).attribute_value = "4";
    REFUSED("a.Table.numbers: a force_align below the natural alignment");
}

static void roots(void **state)
{
    (void)state;
    schema.root = 2;
    REFUSED("a.Pair: the root is a struct");
    schema.root = 0;
    ACCEPTED();
    schema.identifier = "ABC";
    REFUSED("a file identifier that is not of 4 bytes");
    schema.identifier = "ABCDE";
    REFUSED("a file identifier that is not of 4 bytes");
    schema.identifier = "";
    ACCEPTED();
    schema.identifier = NULL;
    ACCEPTED();
}

/* As many things as the file can hold are in it once; a file that holds the same things many times
 * is refused before it costs anything. */
static void shared_things(void **state)
{
    byte_buffer data = BYTES_INIT;
    fls_schema *loaded = NULL;
    fls_error err = FLS_ERROR_INIT;
    fls_builder *builder = NULL;
    const void *made = NULL;
    size_t size = 0;
    static fls_ref refs[20000];
    (void)state;
    assert_status(fls_builder_new(&builder, NULL, NULL), FLS_OK, NULL);
    fls_ref name = fls_builder_string(builder, "T", 1);
    fls_ref none = fls_builder_ref_vector(builder, refs, 0);
    fls_table table = fls_builder_table(builder, 2);
    fls_builder_ref(builder, table, 0, name);
    fls_builder_ref(builder, table, 1, none);
    fls_ref object = fls_builder_end(builder, table);
    for (size_t i = 0; i < 20000; i++) {
        refs[i] = object;
    }
    fls_ref objects = fls_builder_ref_vector(builder, refs, 20000);
    table = fls_builder_table(builder, 2);
    fls_builder_ref(builder, table, 0, objects);
    fls_builder_ref(builder, table, 1, none);
    fls_ref root = fls_builder_end(builder, table);
    assert_status(fls_builder_finish(builder, root, "BFBS", &made, &size, &err), FLS_OK, &err);
    bytes_append(&data, made, size);
    assert_status(fls_schema_new(&loaded, data.data, data.size, NULL, &err), FLS_SCHEMA_INVALID,
                  NULL);
    assert_string_equal(err.text, "the .bfbs refers to the same things too many times");
    fls_builder_free(builder);
    bytes_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bytes, reset),
        cmocka_unit_test_setup(not_of_reflection, reset),
        cmocka_unit_test_setup(names, reset),
        cmocka_unit_test_setup(types, reset),
        cmocka_unit_test_setup(ids_and_flags, reset),
        cmocka_unit_test_setup(defaults, reset),
        cmocka_unit_test_setup(unions, reset),
        cmocka_unit_test_setup(values, reset),
        cmocka_unit_test_setup(structs, reset),
        cmocka_unit_test_setup(large_structs, reset),
        cmocka_unit_test_setup(attributes, reset),
        cmocka_unit_test_setup(roots, reset),
        cmocka_unit_test_setup(shared_things, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
