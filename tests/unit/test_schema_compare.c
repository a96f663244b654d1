/* Pairs of schemas and what there is to say of them, written as flatc reads them: each finding on a
 * line, "change where old readers/new readers". The same pair the other way round tells the
 * opposite, where there is one.
 */
#include "flatstream/schema_compat.h"

#include "support/counting_allocator.h"
#include "support/files.h"
#include "support/testing.h"

static char directory[256];

static fls_schema *compile(const char *name, const char *text)
{
    fls_schema *schema = NULL;
    fls_error err = FLS_ERROR_INIT;
    const char *path = files_join(directory, name);
    files_write(path, text, strlen(text));
    assert_status(fls_schema_new_file(&schema, path, NULL, NULL, &err), FLS_OK, &err);
    return schema;
}

static const char *letter(fls_compat_effect effect)
{
    static const char *const letters[] = {"f", "u", "c", "B"};
    return letters[effect];
}

static int note(void *self, const fls_compat_finding *finding)
{
    char *text = self;
    size_t length = strlen(text);
    assert_true(finding->why != NULL && finding->why[0] != '\0');
    assert_non_null(finding->detail);
    assert_memory_equal(fls_compat_change_name(finding->change), "FLS_COMPAT_", 11);
    (void)snprintf(text + length, 2000 - length, "%s %s %s%s;",
                   fls_compat_change_name(finding->change) + 11, finding->where,
                   letter(finding->old_readers), letter(finding->new_readers));
    return 0;
}

static void compare(const fls_schema *before, const fls_schema *after, const char *wanted, int line)
{
    char found[2000] = "";
    fls_compat_result result;
    fls_compat_result again;
    fls_error err = FLS_ERROR_INIT;
    fls_status status = fls_schema_compare(before, FLS_SCHEMA_NONE, after, FLS_SCHEMA_NONE, note,
                                           found, &result, NULL, &err);
    assert_status(status, FLS_OK, &err);
    if (strcmp(found, wanted) != 0) {
        print_error("%s:%d:\n found  %s\n wanted %s\n", __FILE__, line, found, wanted);
        fail();
    }
    fls_compat_effect worst = FLS_COMPAT_FINE;
    uint64_t count = 0;
    for (const char *at = strchr(found, ';'); at != NULL; at = strchr(at + 1, ';')) {
        for (fls_compat_effect e = FLS_COMPAT_FINE; e <= FLS_COMPAT_BROKEN; e++) {
            worst = at[-2] == letter(e)[0] && e > worst ? e : worst;
        }
        count++;
    }
    assert_int_equal(result.old_readers, worst);
    assert_int_equal(result.findings, count);
    assert_status(fls_schema_compare(before, FLS_SCHEMA_NONE, after, FLS_SCHEMA_NONE, NULL, NULL,
                                     &again, NULL, NULL),
                  FLS_OK, NULL);
    assert_memory_equal(&result, &again, sizeof result);
}

static void pair_at(const char *old_text, const char *new_text, const char *wanted,
                    const char *reversed, int line)
{
    fls_schema *before = compile("before.fbs", old_text);
    fls_schema *after = compile("after.fbs", new_text);
    compare(before, after, wanted, line);
    if (reversed != NULL) {
        compare(after, before, reversed, line);
    }
    compare(before, before, "", line);
    fls_schema_free(before);
    fls_schema_free(after);
}

#define PAIR(before, after, wanted, reversed) pair_at(before, after, wanted, reversed, __LINE__)
#define ROOT                                  "root_type T;"

static void fields_come_and_go(void **state)
{
    (void)state;
    PAIR("table T { a:int; }" ROOT, "table T { a:int; b:string; }" ROOT, "FIELD_ADDED T.b uf;",
         "FIELD_REMOVED T.b fu;");
    PAIR("table T { a:int; }" ROOT, "table T { a:int; b:string (required); }" ROOT,
         "FIELD_ADDED T.b uB;", "FIELD_REMOVED T.b Bu;");
    PAIR("table A {} union U { A } table T { a:int; }" ROOT,
         "table A {} union U { A } table T { a:int; u:U; v:[U]; }" ROOT,
         "FIELD_ADDED T.u uf;FIELD_ADDED T.v uf;", "FIELD_REMOVED T.u fu;FIELD_REMOVED T.v fu;");
    PAIR("table T { a:int; b:int; }" ROOT, "table T { a:int (deprecated); b:int; }" ROOT,
         "FIELD_DEPRECATED T.a fu;", "FIELD_REVIVED T.a uf;");
    PAIR("table T { a:string (required); }" ROOT, "table T { a:string (deprecated); }" ROOT,
         "FIELD_DEPRECATED T.a Bu;", "FIELD_REVIVED T.a uB;");
    PAIR("table T { a:int (deprecated); }" ROOT, "table T { z:string (deprecated); }" ROOT, "", "");
    PAIR("table T { a:int; }" ROOT, "table T { a:int; b:int (deprecated); }" ROOT, "", "");
    PAIR("table T { a:string; }" ROOT, "table T { a:string (required); }" ROOT,
         "FIELD_REQUIRED T.a fB;", "FIELD_NOT_REQUIRED T.a Bf;");
}

static void names_and_ids(void **state)
{
    (void)state;
    PAIR("table T { a:int; b:int; }" ROOT, "table T { x:int; b:int; }" ROOT,
         "FIELD_RENAMED T.a ff;", "FIELD_RENAMED T.x ff;");
    PAIR("table T { a:int; b:int; }" ROOT, "table T { x:string; b:int; }" ROOT,
         "FIELD_REUSED T.a BB;", "FIELD_REUSED T.x BB;");
    /* The classic: one put in the middle. What moved behind the end is told of once. */
    PAIR("table T { a:int; b:int; }" ROOT, "table T { a:int; x:int; b:int; }" ROOT,
         "FIELD_MOVED T.b BB;FIELD_ADDED T.x BB;", NULL);
    PAIR("table T { a:int; b:int; }" ROOT, "table T { b:int; a:int; }" ROOT,
         "FIELD_MOVED T.a BB;FIELD_MOVED T.b BB;", "FIELD_MOVED T.b BB;FIELD_MOVED T.a BB;");
    PAIR("table T { a:int; b:int; }" ROOT, "table T { b:int; }" ROOT,
         "FIELD_REUSED T.a BB;FIELD_MOVED T.b BB;", NULL);
    PAIR("table T { a:int; b:int; }" ROOT, "table T { b:int (id:1); a:int (id:0); }" ROOT, "", "");
}

static void types_of_fields(void **state)
{
    (void)state;
    PAIR("table T { a:int; }" ROOT, "table T { a:uint; }" ROOT, "FIELD_TYPE T.a cc;",
         "FIELD_TYPE T.a cc;");
    PAIR("table T { a:int; }" ROOT, "table T { a:long; }" ROOT, "FIELD_TYPE T.a BB;",
         "FIELD_TYPE T.a BB;");
    PAIR("table T { a:int; }" ROOT, "table T { a:float; }" ROOT, "FIELD_TYPE T.a BB;", NULL);
    PAIR("table T { a:[int]; }" ROOT, "table T { a:[uint]; }" ROOT, "FIELD_TYPE T.a cc;", NULL);
    PAIR("table T { a:[int]; }" ROOT, "table T { a:int; }" ROOT, "FIELD_TYPE T.a BB;", NULL);
    PAIR("table T { a:string; }" ROOT, "table T { a:[ubyte]; }" ROOT, "FIELD_TYPE T.a Bc;",
         "FIELD_TYPE T.a cB;");
    PAIR("table T { a:string; }" ROOT, "table T { a:[string]; }" ROOT, "FIELD_TYPE T.a BB;", NULL);
    PAIR("table T { a:[ubyte]; }" ROOT, "table T { a:[ubyte] (nested_flatbuffer: \"T\"); }" ROOT,
         "FIELD_CONTENT T.a fc;", "FIELD_CONTENT T.a cf;");
    PAIR("table T { a:[ubyte]; }" ROOT, "table T { a:[ubyte] (flexbuffer); }" ROOT,
         "FIELD_CONTENT T.a fc;", "FIELD_CONTENT T.a cf;");
    PAIR("table T { a:[ubyte]; }" ROOT, "table T { a:[ubyte] (force_align: 16); }" ROOT,
         "FIELD_ALIGNMENT T.a fc;", "FIELD_ALIGNMENT T.a cf;");
    PAIR("table A { x:int; } table B { x:int; } table T { a:A; b:B; }" ROOT,
         "table A { x:int; } table B { x:int; } table T { a:B; b:B; }" ROOT,
         "FIELD_TYPE T.a cc;TYPE_RENAMED A ff;", NULL);
    PAIR("table A { x:int; } table T { a:A; }" ROOT,
         "table B { x:int; y:int; } table T { a:B; }" ROOT, "TYPE_RENAMED A ff;FIELD_ADDED A.y uf;",
         "TYPE_RENAMED B ff;FIELD_REMOVED B.y fu;");
    PAIR("struct S { x:int; } table T { a:S; }" ROOT, "table S { x:int; } table T { a:S; }" ROOT,
         "FIELD_TYPE T.a BB;", NULL);
    PAIR("table N { x:int; } table T { a:[ubyte] (nested_flatbuffer: \"N\"); }" ROOT,
         "table N { x:int; y:int; } table T { a:[ubyte] (nested_flatbuffer: \"N\"); }" ROOT,
         "FIELD_ADDED N.y uf;", NULL);
}

static void defaults(void **state)
{
    (void)state;
    PAIR("table T { a:int = 1; }" ROOT, "table T { a:int = 2; }" ROOT, "FIELD_DEFAULT T.a cc;",
         "FIELD_DEFAULT T.a cc;");
    PAIR("table T { a:float = 1; }" ROOT, "table T { a:float = 1.5; }" ROOT,
         "FIELD_DEFAULT T.a cc;", NULL);
    PAIR("table T { a:byte = -1; }" ROOT, "table T { a:ubyte = 255; }" ROOT, "FIELD_TYPE T.a cc;",
         NULL);
    PAIR("table T { a:int; }" ROOT, "table T { a:int = null; }" ROOT, "FIELD_OPTIONAL T.a cc;",
         "FIELD_OPTIONAL T.a cc;");
    PAIR("table T { k:string (key); l:string; } table R { t:[T]; } root_type R;",
         "table T { k:string (required); l:string (key); } table R { t:[T]; } root_type R;",
         "FIELD_REQUIRED T.l fB;KEY T cc;", NULL);
    PAIR("table T { k:int (key); }" ROOT, "table T { k:int; }" ROOT, "KEY T cf;", "KEY T fc;");
}

static void enums(void **state)
{
    (void)state;
    PAIR("enum E:byte { A, B } table T { e:E; }" ROOT,
         "enum E:byte { A, B, C } table T { e:E; }" ROOT, "VALUE_ADDED E.C uf;",
         "VALUE_REMOVED E.C fu;");
    PAIR("enum E:byte { A, B } table T { e:E; }" ROOT, "enum E:byte { A, X } table T { e:E; }" ROOT,
         "VALUE_RENAMED E.B ff;", "VALUE_RENAMED E.X ff;");
    PAIR("enum E:byte { A, B } table T { e:[E]; }" ROOT,
         "enum E:byte { A, X, B } table T { e:[E]; }" ROOT,
         "VALUE_RENUMBERED E.B cc;VALUE_ADDED E.X cf;",
         "VALUE_REMOVED E.X fc;VALUE_RENUMBERED E.B cc;");
    PAIR("enum E:byte { A, B } table T { e:E; }" ROOT, "table T { e:byte; }" ROOT,
         "ENUM_NAMES T.e uf;", "ENUM_NAMES T.e fu;");
    PAIR("enum E:byte { A, B } table T { e:E; }" ROOT, "enum F:byte { A, B } table T { e:F; }" ROOT,
         "TYPE_RENAMED E ff;", NULL);
    PAIR("enum E:byte { A, B } table T { e:E; }" ROOT,
         "enum E:short { A, B } table T { e:E; }" ROOT, "FIELD_TYPE T.e BB;", NULL);
    PAIR("enum E:byte { A } struct S { e:E; x:[E:2]; } table T { s:S; }" ROOT,
         "enum E:byte { A, B } struct S { e:E; x:[E:2]; } table T { s:S; }" ROOT,
         "VALUE_ADDED E.B uf;", NULL);
}

static void unions(void **state)
{
    (void)state;
#define TABLES "table A { x:int; } table B { y:int; } table C { z:string; } struct S { q:int; } "
#define USE    " table T { u:U; }" ROOT
    PAIR(TABLES "union U { A }" USE, TABLES "union U { A, B }" USE, "MEMBER_ADDED U.B uf;",
         "MEMBER_REMOVED U.B fu;");
    PAIR(TABLES "union U { A, B }" USE, TABLES "union U { B, A }" USE,
         "MEMBER_MOVED U.A BB;MEMBER_MOVED U.B BB;", NULL);
    PAIR(TABLES "union U { A, B }" USE, TABLES "union U { A, C, B }" USE,
         "MEMBER_MOVED U.B BB;MEMBER_ADDED U.C Bf;", "MEMBER_REMOVED U.C fB;MEMBER_MOVED U.B BB;");
    PAIR(TABLES "union U { A, m:B }" USE, TABLES "union U { A, n:B }" USE, "MEMBER_RENAMED U.m ff;",
         NULL);
    PAIR(TABLES "union U { A, m:B }" USE, TABLES "union U { A, m:C }" USE,
         "MEMBER_TYPE U.m cc;TYPE_RENAMED B ff;FIELD_REUSED B.y BB;", NULL);
    PAIR(TABLES "union U { A, m:B }" USE, TABLES "union U { A, m:S }" USE, "MEMBER_TYPE U.m BB;",
         NULL);
    PAIR(TABLES "union U { A, m:B }" USE, TABLES "union U { A, m:string }" USE,
         "MEMBER_TYPE U.m BB;", NULL);
    PAIR("table A { x:int; } union U { A }" USE, "table A { x:int; y:int; } union U { A }" USE,
         "FIELD_ADDED A.y uf;", NULL);
}

static void structs(void **state)
{
    (void)state;
#define HOLDS " table T { s:S; }" ROOT
    PAIR("struct S { x:int; y:int; }" HOLDS, "struct S { x:int; y:int; z:int; }" HOLDS,
         "STRUCT_LAYOUT S BB;", "STRUCT_LAYOUT S BB;");
    PAIR("struct S { x:int; y:int; }" HOLDS, "struct S { x:int; y:float; }" HOLDS,
         "STRUCT_LAYOUT S BB;", NULL);
    PAIR("struct S { x:int; y:int; }" HOLDS, "struct S { x:int; y:uint; }" HOLDS,
         "FIELD_TYPE S.y cc;", NULL);
    PAIR("struct S { x:int; y:int; }" HOLDS, "struct S { y:int; x:int; }" HOLDS,
         "FIELD_MOVED S.x BB;FIELD_MOVED S.y BB;", NULL);
    PAIR("struct S { x:int; y:int; }" HOLDS, "struct S { x:int; z:int; }" HOLDS,
         "FIELD_RENAMED S.y ff;", NULL);
    PAIR("struct S (force_align: 8) { x:int; y:int; }" HOLDS, "struct S { x:int; y:int; }" HOLDS,
         "STRUCT_LAYOUT S Bf;", "STRUCT_LAYOUT S fB;");
    PAIR("struct S { x:[int:3]; }" HOLDS, "struct S { x:[int:4]; }" HOLDS, "STRUCT_LAYOUT S BB;",
         NULL);
    PAIR("struct I { x:int; } struct S { i:[I:2]; j:I; }" HOLDS,
         "struct I { x:uint; } struct S { i:[I:2]; j:I; }" HOLDS, "FIELD_TYPE I.x cc;", NULL);
    PAIR("struct S { x:int; } table T { s:[S]; }" ROOT,
         "struct S { x:long; } table T { s:[S]; }" ROOT, "STRUCT_LAYOUT S BB;", NULL);
}

static void roots(void **state)
{
    (void)state;
    PAIR("table T { a:int; }" ROOT, "table T2 { a:int; } root_type T2;", "TYPE_RENAMED T ff;",
         NULL);
    PAIR("table T { a:int; } table X { a:int; }" ROOT,
         "table T { a:int; } table X { a:int; } root_type X;", "ROOT  cc;TYPE_RENAMED T ff;", NULL);
    PAIR("table T { a:int; }" ROOT, "table T { a:int; }" ROOT "file_identifier \"ABCD\";",
         "IDENTIFIER  fB;", "IDENTIFIER  Bf;");
    PAIR("table T { a:int; }" ROOT "file_identifier \"ABCD\";",
         "table T { a:int; }" ROOT "file_identifier \"ABCE\";", "IDENTIFIER  BB;", NULL);
    PAIR("namespace a; table T { t:T; a:int; }" ROOT,
         "namespace b; table T { t:T; a:int; b:[T]; }" ROOT,
         "TYPE_RENAMED a.T ff;FIELD_ADDED a.T.b uf;", NULL);
    PAIR("table T { a:int; } table Lost { x:int; }" ROOT, "table T { a:int; }" ROOT, "", "");
}

static void details(void **state)
{
    (void)state;
    assert_string_equal(fls_compat_effect_name(FLS_COMPAT_UNSEEN), "unseen");
    assert_string_equal(fls_compat_effect_name((fls_compat_effect)9), "unknown");
    assert_string_equal(fls_compat_change_text(FLS_COMPAT_KEY), "vectors sorted by another key");
    assert_string_equal(fls_compat_change_text((fls_compat_change)0), "unknown change");
}

static int take_detail(void *self, const fls_compat_finding *finding)
{
    (void)snprintf(self, 200, "%s", finding->detail);
    return 7;
}

static void a_callback_can_stop(void **state)
{
    char detail[200] = "";
    fls_error err = FLS_ERROR_INIT;
    fls_compat_result result;
    (void)state;
    fls_schema *before =
        compile("b.fbs", "namespace n; enum E:ubyte { A } table T { a:[E]; b:int; }" ROOT);
    fls_schema *after = compile("a.fbs", "namespace n; table T { a:[long]; b:long; }" ROOT);
    assert_status(fls_schema_compare(before, FLS_SCHEMA_NONE, after, FLS_SCHEMA_NONE, take_detail,
                                     detail, &result, NULL, &err),
                  FLS_STOPPED, NULL);
    assert_string_equal(detail, "[n.E], now [long]");
    assert_int_equal(result.findings, 1);
    assert_int_equal(err.status, FLS_STOPPED);
    fls_schema_free(before);
    fls_schema_free(after);
}

static void what_cannot_be_compared(void **state)
{
    fls_error err = FLS_ERROR_INIT;
    counting_allocator allocator;
    (void)state;
    fls_schema *rootless = compile("r.fbs", "struct S { x:int; } table A { s:S; }");
    uint32_t table = fls_schema_find_object(rootless, "A");
    uint32_t in_it = fls_schema_find_object(rootless, "S");
    assert_status(fls_schema_compare(rootless, FLS_SCHEMA_NONE, rootless, table, NULL, NULL, NULL,
                                     NULL, &err),
                  FLS_INVALID_ARGUMENT, NULL);
    assert_status(
        fls_schema_compare(rootless, table, rootless, in_it, NULL, NULL, NULL, NULL, &err),
        FLS_INVALID_ARGUMENT, NULL);
    assert_status(fls_schema_compare(rootless, table, rootless, 17, NULL, NULL, NULL, NULL, NULL),
                  FLS_INVALID_ARGUMENT, NULL);
    counting_allocator_init(&allocator);
    assert_status(fls_schema_compare(rootless, table, rootless, table, NULL, NULL, NULL,
                                     &allocator.table, &err),
                  FLS_OK, NULL);
    assert_int_equal(allocator.live_blocks, 0);
    assert_true(allocator.calls > 0);
    allocator.fail_from = allocator.calls;
    allocator.fail_calls = 1;
    assert_status(fls_schema_compare(rootless, table, rootless, table, NULL, NULL, NULL,
                                     &allocator.table, &err),
                  FLS_NO_MEMORY, NULL);
    fls_schema_free(rootless);
}

/* Each old type against many new ones. */
static void entangled_schemas_end(void **state)
{
    enum { TYPES = 40 };
    static char before[20000];
    static char after[20000];
    size_t old_length = 0;
    size_t new_length = 0;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    /* Old: A0 -> A1 -> ... in a ring; new: a ring of another length, so that pairs go round. */
    for (int i = 0; i < TYPES; i++) {
        old_length += (size_t)snprintf(before + old_length, sizeof before - old_length,
                                       "table A%d { n:A%d; }", i, (i + 1) % TYPES);
    }
    for (int i = 0; i < TYPES + 1; i++) {
        new_length += (size_t)snprintf(after + new_length, sizeof after - new_length,
                                       "table B%d { n:B%d; }", i, (i + 1) % (TYPES + 1));
    }
    strcat(before, "root_type A0;");
    strcat(after, "root_type B0;");
    fls_schema *old_schema = compile("b.fbs", before);
    fls_schema *new_schema = compile("a.fbs", after);
    assert_status(fls_schema_compare(old_schema, FLS_SCHEMA_NONE, new_schema, FLS_SCHEMA_NONE, NULL,
                                     NULL, NULL, NULL, &err),
                  FLS_UNSUPPORTED, NULL);
    fls_schema_free(old_schema);
    fls_schema_free(new_schema);
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
        cmocka_unit_test(fields_come_and_go),
        cmocka_unit_test(names_and_ids),
        cmocka_unit_test(types_of_fields),
        cmocka_unit_test(defaults),
        cmocka_unit_test(enums),
        cmocka_unit_test(unions),
        cmocka_unit_test(structs),
        cmocka_unit_test(roots),
        cmocka_unit_test(details),
        cmocka_unit_test(a_callback_can_stop),
        cmocka_unit_test(what_cannot_be_compared),
        cmocka_unit_test(entangled_schemas_end),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
