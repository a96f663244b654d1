/* What the hash of a schema leaves out, and what it does not: variations of one .fbs. */
#include "flatstream/schema.h"
#include "support/files.h"
#include "support/testing.h"

static char directory[256];

static const char *const base =
    "namespace n;"
    "enum E : byte { A, B = 3 }"
    "enum F : ubyte { X }"
    "struct S { x:int; y:[short:2]; }"
    "table O { k:string (key); v:double = 1.5; w:uint = null; }"
    "union U { O, S }"
    "table T { e:E = B; s:S; o:O; os:[O]; u:U; b:[ubyte]; r:string (required); f:[float]; g:F; }"
    "root_type T; file_identifier \"HASH\";";

static uint64_t hash_of(const char *name, const char *text)
{
    fls_schema *schema = NULL;
    fls_error err = FLS_ERROR_INIT;
    const char *path = files_join(directory, name);
    files_write(path, text, strlen(text));
    assert_status(fls_schema_new_file(&schema, path, NULL, NULL, &err), FLS_OK, &err);
    uint64_t hash = fls_schema_hash(schema);
    fls_schema_free(schema);
    return hash;
}

/* base with the first `what` replaced. */
static uint64_t changed(const char *what, const char *by)
{
    char text[2000];
    const char *at = strstr(base, what);
    assert_non_null(at);
    (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - base), base, by, at + strlen(what));
    return hash_of("changed.fbs", text);
}

static void what_does_not_count(void **state)
{
    static const struct {
        const char *what;
        const char *by;
    } same[] = {
        {"struct S", "\n/// A comment.\nstruct S"},
        {"table T {", "table T {\n/// Another.\n"},
        {"root_type", "file_extension \"x\"; root_type"},
        {"root_type", "rpc_service R { Do(T):O; } root_type"},
        {"namespace n;", "namespace n; attribute \"own\";"},
        {"[ubyte];", "[ubyte] (nested_flatbuffer: \"O\");"},
        {"[ubyte];", "[ubyte] (flexbuffer);"},
        {"[float];", "[float] (force_align: 32);"},
        {"v:double", "v:float64"},
        {"= 1.5", "= 15.0e-1"},
        {"enum E : byte { A, B = 3 }enum F : ubyte { X }",
         "enum F : ubyte { X } enum E : byte { A, B = 3 }"},
        {"k:string (key); v:double = 1.5; w:uint = null;",
         "v:double = 1.5 (id: 1); w:uint = null (id: 2); k:string (key, id: 0);"},
    };
    (void)state;
    uint64_t hash = hash_of("base.fbs", base);
    assert_int_equal(hash, hash_of("another-name.fbs", base));
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        uint64_t other = changed(same[i].what, same[i].by);
        if (other != hash) {
            print_error("%s -> %s\n", same[i].what, same[i].by);
        }
        assert_int_equal(other, hash);
    }
    /* In a file of its own. */
    static const char *const cut = "enum E : byte { A, B = 3 }";
    char included[200];
    (void)snprintf(included, sizeof included, "namespace n; %s", cut);
    files_write(files_join(directory, "inc.fbs"), included, strlen(included));
    assert_int_equal(
        changed("namespace n;enum E : byte { A, B = 3 }", "include \"inc.fbs\"; namespace n;"),
        hash);
}

static void what_counts(void **state)
{
    static const struct {
        const char *what;
        const char *by;
    } other[] = {
        {"namespace n;", "namespace m;"},
        {"A, B = 3", "A, B = 2"},
        {"A, B = 3", "A, C = 2, B = 3"},
        {"A, B = 3", "Z, B = 3"},
        {"E : byte", "E : ubyte"},
        {"x:int; y", "y:int; x"},
        {"x:int;", "x:uint;"},
        {"[short:2]", "[short:4]"},
        {"struct S", "struct S (force_align: 8)"},
        {"(key)", "(required)"},
        {"1.5", "1.25"},
        {" = 1.5", ""},
        {"= null", ""},
        {"w:uint", "w2:uint"},
        {"union U { O, S }", "union U { S, O }"},
        {"union U { O, S }", "union U { O, S, t:string }"},
        {"union U { O, S }", "union U { p:O, S }"},
        {"e:E = B", "e:E"},
        {"os:[O]", "os:[T]"},
        {"b:[ubyte]", "b:[byte]"},
        {"b:[ubyte]", "b:string"},
        {"(required)", ""},
        {"g:F;", "g:F (deprecated);"},
        {"g:F;", "g:F; h:int;"},
        {"g:F;", ""},
        {"g:F;", "g:ubyte;"},
        {"s:S; o:O;", "o:O; s:S;"},
        {"root_type T", "root_type O"},
        {"root_type T;", ""},
        {"HASH", "HASI"},
        {"file_identifier \"HASH\";", ""},
        {"root_type", "table Unused {} root_type"},
    };
    uint64_t seen[sizeof other / sizeof other[0] + 1];
    (void)state;
    size_t count = 0;
    seen[count++] = hash_of("base.fbs", base);
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        uint64_t hash = changed(other[i].what, other[i].by);
        for (size_t k = 0; k < count; k++) {
            if (seen[k] == hash) {
                print_error("%s -> %s\n", other[i].what, other[i].by);
            }
            assert_true(seen[k] != hash);
        }
        seen[count++] = hash;
    }
}

/* As docs/SCHEMA_HASH.md has it. */
static void the_example_of_the_page(void **state)
{
    (void)state;
    byte_buffer page = BYTES_INIT;
    assert_int_equal(files_read(FLS_SOURCE_DIR "/docs/SCHEMA_HASH.md", &page), 0);
    bytes_append(&page, "", 1);
    uint64_t hash = hash_of("example.fbs", "enum E : ubyte { Off, On }\n"
                                           "table A { x: short = -1; m: E; }\nroot_type A;\n");
    char text[40];
    (void)snprintf(text, sizeof text, "and the hash `%016llx`.", (unsigned long long)hash);
    assert_non_null(strstr((const char *)page.data, text));
    bytes_free(&page);
}

static int make_directory(void **state)
{
    (void)state;
    files_make_directory(directory, sizeof directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    files_remove_directory(directory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_count),
        cmocka_unit_test(what_counts),
        cmocka_unit_test(the_example_of_the_page),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
