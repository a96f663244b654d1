/* Paths and conditions over messages that are small and stand for much: vectors that share what
 * they refer to, so that a walk over all of it would not end. And vectors of unions, whose path is
 * two vectors. */
#include "flatbuf/query_private.h"
#include "flatstream/builder.h"
#include "flatstream/query.h"
#include "support/files.h"
#include "support/testing.h"

/* Fields of the tables, by their ids. */
enum { UNIONS = 8, TEXT = 17, ALL = 18, ANY_MANY_TYPE = 4, ANY_MANY = 5 };

#define EACH "all[*].all[*].all[*].all[*]"

static fls_schema *schema;
static byte_buffer message = BYTES_INIT;

static int setup(void **unused)
{
    (void)unused;
    byte_buffer file = BYTES_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_int_equal(files_read(FLS_TEST_SCHEMA_DIR "/everything.bfbs", &file), 0);
    assert_status(fls_schema_new(&schema, file.data, file.size, NULL, &err), FLS_OK, &err);
    bytes_free(&file);
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    bytes_free(&message);
    fls_schema_free(schema);
    return 0;
}

static fls_builder *begin(void)
{
    fls_builder *b;
    assert_int_equal(fls_builder_new(&b, NULL, NULL), FLS_OK);
    return b;
}

static void keep(fls_builder *b, fls_ref table)
{
    const void *data;
    size_t size;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_builder_finish(b, table, NULL, &data, &size, &err), FLS_OK, &err);
    bytes_clear(&message);
    bytes_append(&message, data, size);
    fls_builder_free(b);
}

/* Four vectors in each other, of `count` times the same table each, the innermost with a text; the
 * root with a text of so many bytes. */
static void build_tree(uint32_t count, size_t text_bytes)
{
    fls_builder *b = begin();
    fls_ref same[64];
    char *text = calloc(text_bytes + 1, 1);
    assert_true(text != NULL && count <= 64);
    fls_ref short_text = fls_builder_string(b, "x", 1);
    fls_table t = fls_builder_table(b, 19);
    fls_builder_ref(b, t, TEXT, short_text);
    fls_ref inner = fls_builder_end(b, t);
    for (int level = 0; level < 4; level++) {
        for (uint32_t i = 0; i < count; i++) {
            same[i] = inner;
        }
        fls_ref vector = fls_builder_ref_vector(b, same, count);
        fls_ref long_text = fls_builder_string(b, text, level == 3 ? text_bytes : 0);
        t = fls_builder_table(b, 19);
        fls_builder_ref(b, t, TEXT, long_text);
        fls_builder_ref(b, t, ALL, vector);
        inner = fls_builder_end(b, t);
    }
    free(text);
    keep(b, inner);
}

static int holds(const char *text)
{
    fls_predicate *predicate;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_predicate_new(&predicate, schema, fls_schema_root(schema), text, NULL, &err),
                  FLS_OK, &err);
    int answer = fls_predicate_holds(predicate, message.data, message.size);
    fls_predicate_free(predicate);
    return answer;
}

static int count_up(void *self, const fls_value *value)
{
    assert_int_equal(value->kind, FLS_VALUE_STRING);
    *(uint64_t *)self += 1;
    return 0;
}

static uint64_t values_of(const char *text)
{
    fls_path *path;
    uint64_t count = 0;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_path_new(&path, schema, fls_schema_root(schema), text, NULL, &err), FLS_OK,
                  &err);
    assert_int_equal(fls_path_each(path, message.data, message.size, count_up, &count), 0);
    fls_path_free(path);
    return count;
}

static fls_value_kind kind_at(const char *text)
{
    fls_path *path;
    fls_value value;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_path_new(&path, schema, fls_schema_root(schema), text, NULL, &err), FLS_OK,
                  &err);
    fls_path_get(path, message.data, message.size, &value);
    fls_path_free(path);
    return value.kind;
}

static void elements_are_counted(void **unused)
{
    (void)unused;
    build_tree(20, 0);
    assert_true(message.size < 2000);
    assert_int_equal(values_of(EACH ".text"), 160000);
    assert_int_equal(holds(EACH ".text == \"y\""), 0);
    assert_int_equal(holds("!(" EACH ".text == \"y\")"), 1);
    assert_int_equal(holds("all(all[*].all[*].all[*].all, has(@.text))"), 1);
}

/* 2.6 million elements, of which those behind the first million are given up. */
static void too_many_elements_are_given_up(void **unused)
{
    (void)unused;
    build_tree(40, 0);
    assert_true(message.size < 2000);
    uint64_t count = values_of(EACH ".text");
    assert_true(count <= FLSI_VISITS_LEAST && count > FLSI_VISITS_LEAST * 9 / 10);
    assert_int_equal(kind_at(EACH ".text"), FLS_VALUE_STRING);
    assert_int_equal(kind_at(EACH ".scalars"), FLS_VALUE_ABSENT);
    assert_int_equal(holds(EACH ".text == \"x\""), 1); /* the first one will do */
    assert_int_equal(holds(EACH ".text == \"y\""), 0);
    assert_int_equal(holds("!(" EACH ".text == \"y\")"), 0);
    assert_int_equal(holds("all(all[*].all[*].all[*].all, has(@.text))"), 0);
    assert_int_equal(holds(EACH ".text == \"y\" || true"), 0);
    assert_int_equal(holds("true || " EACH ".text == \"y\""), 1);
    /* A message of a megabyte may cost more. */
    build_tree(40, 1000000);
    assert_int_equal(values_of(EACH ".text"), 2560000);
    assert_int_equal(holds("!(" EACH ".text == \"y\")"), 1);
}

/* A long text that many elements share, and another one in the last of them. */
static void build_shared_text(uint32_t count)
{
    enum { MOST = 3000, BYTES = 100000 };
    fls_builder *b = begin();
    static fls_ref elements[MOST];
    char *text = malloc(BYTES);
    assert_true(text != NULL && count <= MOST);
    memset(text, 'a', BYTES);
    fls_ref last_text = fls_builder_string(b, "bb", 2);
    fls_ref long_text = fls_builder_string(b, text, BYTES);
    free(text);
    fls_table t = fls_builder_table(b, 19);
    fls_builder_ref(b, t, TEXT, last_text);
    fls_ref last = fls_builder_end(b, t);
    t = fls_builder_table(b, 19);
    fls_builder_ref(b, t, TEXT, long_text);
    fls_ref other = fls_builder_end(b, t);
    for (uint32_t i = 0; i < count; i++) {
        elements[i] = i + 1 < count ? other : last;
    }
    fls_ref vector = fls_builder_ref_vector(b, elements, count);
    t = fls_builder_table(b, 19);
    fls_builder_ref(b, t, TEXT, long_text);
    fls_builder_ref(b, t, ALL, vector);
    keep(b, fls_builder_end(b, t));
}

static void text_counts_as_well(void **unused)
{
    (void)unused;
    build_shared_text(100);
    assert_int_equal(holds("all[*].text contains \"bb\""), 1);
    assert_int_equal(holds("all[*].text != text"), 1);
    build_shared_text(3000);
    assert_int_equal(holds("all[*].text == \"bb\""), 1);
    assert_int_equal(holds("all[*].text contains \"bb\""), 0);
    assert_int_equal(holds("all[*].text != text"), 0);
}

/* ---- vectors of unions ---- */

static void vectors_of_unions(void **unused)
{
    (void)unused;
    fls_builder *b = begin();
    fls_table t = fls_builder_table(b, 8);
    fls_ref unions = fls_builder_end(b, t);
    t = fls_builder_table(b, 19);
    fls_builder_ref(b, t, UNIONS, unions);
    keep(b, fls_builder_end(b, t));
    assert_int_equal(kind_at("unions"), FLS_VALUE_OBJECT);
    assert_int_equal(kind_at("unions.any_many"), FLS_VALUE_ABSENT);
    assert_int_equal(kind_at("ids.many"), FLS_VALUE_ABSENT);
    assert_int_equal(holds("has(unions.any_many)"), 0);
    assert_int_equal(holds("all(unions.any_many, has(@.Scalars))"), 0);
    b = begin();
    fls_ref one = fls_builder_end(b, fls_builder_table(b, 0));
    fls_ref tags = fls_builder_vector(b, "\x01", 1, 1);
    fls_ref values = fls_builder_ref_vector(b, &one, 1);
    t = fls_builder_table(b, 8);
    fls_builder_ref(b, t, ANY_MANY_TYPE, tags);
    fls_builder_ref(b, t, ANY_MANY, values);
    unions = fls_builder_end(b, t);
    t = fls_builder_table(b, 19);
    fls_builder_ref(b, t, UNIONS, unions);
    keep(b, fls_builder_end(b, t));
    assert_int_equal(kind_at("unions.any_many"), FLS_VALUE_OBJECT);
    assert_int_equal(holds("has(unions.any_many)"), 1);
    assert_int_equal(holds("unions.any_many.length == 1"), 1);
    assert_int_equal(holds("has(unions.any_many[*].Scalars)"), 1);
    assert_int_equal(holds("all(unions.any_many, has(@.Scalars))"), 1);
    assert_int_equal(holds("any(unions.any_many, has(@.Tree))"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_counted),
        cmocka_unit_test(too_many_elements_are_given_up),
        cmocka_unit_test(text_counts_as_well),
        cmocka_unit_test(vectors_of_unions),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
