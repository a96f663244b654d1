/* What the verifier says: each rule at a message that breaks just that one, with path and offset;
 * the checks by option; the limits; and that neither a message's address nor its size matters. That
 * its verdicts are the right ones is for tests/interop/test_verify_differential.cpp to show. */
#include "flatstream/verify.h"

#include <sys/mman.h>

#include "flatstream/builder.h"
#include "flatstream/reader.h"
#include "flatstream/writer.h"
#include "support/bfbs.h"
#include "support/files.h"
#include "support/frames.h"
#include "support/testing.h"
#include "support/visit_message.h"

static fls_schema *schema;

#define NO_REF ((fls_ref){0})

/* A message being damaged: bytes of its own. */
typedef struct message {
    uint8_t bytes[4096];
    size_t size;
} message;

static uint32_t object_named(const char *name)
{
    uint32_t object = fls_schema_find_object(schema, name);
    assert_int_not_equal(object, FLS_SCHEMA_NONE);
    return object;
}

static fls_builder *new_builder(void)
{
    fls_builder *b = NULL;
    assert_int_equal(fls_builder_new(&b, NULL, NULL), FLS_OK);
    return b;
}

static message finish(fls_builder *b, fls_ref root)
{
    message result;
    const void *data;
    assert_status(fls_builder_finish(b, root, NULL, &data, &result.size, NULL), FLS_OK, NULL);
    assert_true(result.size <= sizeof result.bytes);
    memcpy(result.bytes, data, result.size);
    fls_builder_free(b);
    return result;
}

static fls_violation verify_as(const char *type, const message *m,
                               const fls_verify_options *options)
{
    fls_violation violation;
    uint8_t *exact = bytes_exact_copy(m->bytes, m->size);
    fls_status status = fls_verify(schema, object_named(type), exact, m->size, options, &violation);
    assert_int_equal(status, violation.rule == FLS_RULE_NONE ? FLS_OK : FLS_VALIDATION_FAILED);
    assert_int_equal(fls_verify(schema, object_named(type), exact, m->size, options, NULL), status);
    free(exact);
    return violation;
}

static void assert_sound(const char *type, const message *m, const fls_verify_options *options)
{
    fls_violation violation = verify_as(type, m, options);
    if (violation.rule != FLS_RULE_NONE) {
        fail_msg("%s: %s at %u", violation.path, fls_rule_text(violation.rule),
                 (unsigned)violation.offset);
    }
}

#define assert_violation(type, m, options, rule, path, offset) \
    assert_violation_at(type, m, options, rule, path, offset, __LINE__)

static void assert_violation_at(const char *type, const message *m,
                                const fls_verify_options *options, fls_rule rule, const char *path,
                                uint64_t offset, int line)
{
    fls_violation violation = verify_as(type, m, options);
    if (violation.rule != rule || strcmp(violation.path, path) != 0 || violation.offset != offset) {
        fail_msg("line %d: \"%s\": %s at %u, not \"%s\": %s at %u", line, violation.path,
                 fls_rule_name(violation.rule), (unsigned)violation.offset, path,
                 fls_rule_name(rule), (unsigned)offset);
    }
}

static void put32(message *m, size_t at, uint32_t value)
{
    assert_true(at + 4 <= m->size);
    for (int i = 0; i < 4; i++) {
        m->bytes[at + (size_t)i] = (uint8_t)(value >> (8 * i));
    }
}

static size_t number(const message *m, size_t at, size_t width)
{
    size_t value = 0;
    assert_true(at + width <= m->size);
    for (size_t i = width; i-- > 0;) {
        value = value << 8 | m->bytes[at + i];
    }
    return value;
}

static size_t get32(const message *m, size_t at)
{
    return number(m, at, 4);
}

/* Where a table's vtable is, a field's entry in it, and its bytes in the table. */
static size_t vtable_at(const message *m, size_t table)
{
    return (size_t)((int64_t)table - (int32_t)(uint32_t)get32(m, table));
}

static size_t field_at(const message *m, size_t table, size_t slot)
{
    return table + number(m, vtable_at(m, table) + 4 + 2 * slot, 2);
}

static size_t target_of(const message *m, size_t reference)
{
    return reference + get32(m, reference);
}

/* ---- each rule ---- */

enum { TREE_NAME, TREE_LEFT, TREE_RIGHT, TREE_CHILDREN, TREE_ANY_TYPE, TREE_ANY, TREE_DEPTH };

static fls_ref leaf(fls_builder *b, const char *name)
{
    fls_ref text = fls_builder_string(b, name, strlen(name));
    fls_table t = fls_builder_table(b, 7);
    fls_builder_ref(b, t, TREE_NAME, text);
    fls_builder_u8(b, t, TREE_DEPTH, 1);
    return fls_builder_end(b, t);
}

/* A tree with two children and a union that is a text. */
static message small_tree(void)
{
    fls_builder *b = new_builder();
    fls_ref leaves[2] = {leaf(b, "one"), leaf(b, "two")};
    fls_ref children = fls_builder_ref_vector(b, leaves, 2);
    fls_ref text = fls_builder_string(b, "any text", 8);
    fls_table t = fls_builder_table(b, 7);
    fls_builder_ref(b, t, TREE_CHILDREN, children);
    fls_builder_union(b, t, TREE_ANY, 3, text);
    return finish(b, fls_builder_end(b, t));
}

static const char tree_type[] = "everything.Tree";

static void rules_of_tables(void **unused)
{
    (void)unused;
    const message sound = small_tree();
    const size_t root = get32(&sound, 0);
    const size_t children = target_of(&sound, field_at(&sound, root, TREE_CHILDREN));
    const size_t second = target_of(&sound, children + 8);
    assert_sound(tree_type, &sound, NULL);

    message m = sound;
    m.size = 11;
    assert_violation(tree_type, &m, NULL, FLS_RULE_TOO_SHORT, "", 0);
    m = sound;
    put32(&m, 0, 0);
    assert_violation(tree_type, &m, NULL, FLS_RULE_OFFSET, "", 0);
    put32(&m, 0, (uint32_t)m.size);
    assert_violation(tree_type, &m, NULL, FLS_RULE_OFFSET, "", 0);
    put32(&m, 0, (uint32_t)root + 2);
    assert_violation(tree_type, &m, NULL, FLS_RULE_ALIGNMENT, "", root + 2);
    m = sound;
    put32(&m, root, 0x7ffffff0);
    assert_violation(tree_type, &m, NULL, FLS_RULE_VTABLE, "", root);
    m = sound;
    m.bytes[vtable_at(&m, root)]++;
    assert_violation(tree_type, &m, NULL, FLS_RULE_VTABLE, "", vtable_at(&m, root));
    m = sound;
    put32(&m, second, 1);
    assert_violation(tree_type, &m, NULL, FLS_RULE_VTABLE, "children[1]", second);
    m = sound;
    put32(&m, children + 8, (uint32_t)m.size);
    assert_violation(tree_type, &m, NULL, FLS_RULE_OFFSET, "children[1]", m.size);
    m = sound;
    m.bytes[vtable_at(&m, root) + 4 + 2 * TREE_CHILDREN + 1] = 0x70;
    assert_violation(tree_type, &m, NULL, FLS_RULE_FIELD, "children", m.size);
    m = sound;
    m.bytes[vtable_at(&m, root) + 4 + 2 * TREE_CHILDREN]++;
    assert_violation(tree_type, &m, NULL, FLS_RULE_ALIGNMENT, "children",
                     field_at(&sound, root, TREE_CHILDREN) + 1);
}

static void rules_of_vectors(void **unused)
{
    (void)unused;
    const message sound = small_tree();
    const size_t root = get32(&sound, 0);
    const size_t children = target_of(&sound, field_at(&sound, root, TREE_CHILDREN));
    const size_t second = target_of(&sound, children + 8);
    const size_t name = target_of(&sound, field_at(&sound, second, TREE_NAME));
    const size_t any = target_of(&sound, field_at(&sound, root, TREE_ANY));

    message m = sound;
    put32(&m, children, 0x40000000);
    assert_violation(tree_type, &m, NULL, FLS_RULE_VECTOR, "children", children);
    m = sound;
    m.bytes[name + 4 + 3] = 'x';
    assert_violation(tree_type, &m, NULL, FLS_RULE_STRING, "children[1].name", name);
    m = sound;
    put32(&m, name, 0xfffffffe);
    assert_violation(tree_type, &m, NULL, FLS_RULE_STRING, "children[1].name", name);
    m = sound;
    put32(&m, any, 7);
    assert_violation(tree_type, &m, NULL, FLS_RULE_STRING, "any", any);
    /* The text as a struct of 12 bytes is sound, as a tag that nobody knows, too; as a table not.
     */
    m = sound;
    m.bytes[field_at(&m, root, TREE_ANY_TYPE)] = 2;
    assert_sound(tree_type, &m, NULL);
    m.bytes[field_at(&m, root, TREE_ANY_TYPE)] = 99;
    assert_sound(tree_type, &m, NULL);
    m.bytes[field_at(&m, root, TREE_ANY_TYPE)] = 1;
    put32(&m, any, 3);
    assert_violation(tree_type, &m, NULL, FLS_RULE_VTABLE, "any", any);
}

static void rule_of_required(void **unused)
{
    (void)unused;
    static const char type[] = "everything.ByName";
    fls_builder *b = new_builder();
    fls_table t = fls_builder_table(b, 2);
    fls_builder_u64(b, t, 1, 7);
    message m = finish(b, fls_builder_end(b, t));
    assert_violation(type, &m, NULL, FLS_RULE_REQUIRED, "name", get32(&m, 0));
}

/* Vectors of unions: values 1 and tags 1, of which one is left out. */
static message unions(int has_tags, int has_values, size_t tag_count)
{
    static const uint8_t tags[2] = {3, 3};
    fls_builder *b = new_builder();
    fls_ref text = fls_builder_string(b, "text", 4);
    fls_ref tag_vector = fls_builder_vector(b, tags, tag_count, 1);
    fls_ref values = fls_builder_ref_vector(b, &text, 1);
    fls_table t = fls_builder_table(b, 8);
    if (has_tags) {
        fls_builder_ref(b, t, 4, tag_vector);
    }
    if (has_values) {
        fls_builder_ref(b, t, 5, values);
    }
    return finish(b, fls_builder_end(b, t));
}

static void rule_of_unions(void **unused)
{
    (void)unused;
    static const char type[] = "everything.Unions";
    message m = unions(1, 1, 1);
    assert_sound(type, &m, NULL);
    m = unions(1, 0, 1);
    assert_violation(type, &m, NULL, FLS_RULE_UNION, "any_many", get32(&m, 0));
    m = unions(0, 1, 1);
    assert_violation(type, &m, NULL, FLS_RULE_UNION, "any_many", get32(&m, 0));
    m = unions(1, 1, 2);
    assert_violation(type, &m, NULL, FLS_RULE_UNION, "any_many",
                     target_of(&m, field_at(&m, get32(&m, 0), 5)));
    m = unions(1, 1, 1);
    size_t text = target_of(&m, target_of(&m, field_at(&m, get32(&m, 0), 5)) + 4);
    m.bytes[text + 4 + 4] = 1;
    assert_violation(type, &m, NULL, FLS_RULE_STRING, "any_many[0]", text);
    /* A struct that is absent, and a table or text that is. */
    for (uint8_t tag = 1; tag < 4; tag++) {
        fls_builder *b = new_builder();
        fls_table t = fls_builder_table(b, 8);
        fls_builder_u8(b, t, 0, tag);
        m = finish(b, fls_builder_end(b, t));
        if (tag == 2) {
            assert_violation(type, &m, NULL, FLS_RULE_UNION, "any", 0);
        } else {
            assert_sound(type, &m, NULL);
        }
    }
}

static void rules_of_nested_buffers(void **unused)
{
    (void)unused;
    static const char type[] = "everything.Nests";
    const message inner = small_tree();
    fls_builder *b = new_builder();
    fls_ref nested = fls_builder_nested(b, inner.bytes, inner.size, 8);
    fls_table t = fls_builder_table(b, 4);
    fls_builder_ref(b, t, 1, nested);
    const message sound = finish(b, fls_builder_end(b, t));
    const size_t start = target_of(&sound, field_at(&sound, get32(&sound, 0), 1)) + 4;
    assert_sound(type, &sound, NULL);
    message m = sound;
    m.bytes[start]++;
    assert_violation(type, &m, NULL, FLS_RULE_ALIGNMENT, "tree", start + get32(&inner, 0) + 1);
    m = sound;
    put32(&m, start + get32(&inner, 0), 3);
    assert_violation(type, &m, NULL, FLS_RULE_VTABLE, "tree", start + get32(&inner, 0));
    m = sound;
    const size_t any = target_of(&inner, field_at(&inner, get32(&inner, 0), TREE_ANY));
    put32(&m, start + any, 100000);
    assert_violation(type, &m, NULL, FLS_RULE_STRING, "tree.any", start + any);

    static const uint8_t flex[3] = {5, 4, 1}; /* a whole number */
    b = new_builder();
    nested = fls_builder_vector(b, flex, 3, 1);
    t = fls_builder_table(b, 4);
    fls_builder_ref(b, t, 3, nested);
    m = finish(b, fls_builder_end(b, t));
    assert_sound(type, &m, NULL);
    const size_t at = target_of(&m, field_at(&m, get32(&m, 0), 3)) + 4;
    m.bytes[at + 2] = 3; /* no such width */
    assert_violation(type, &m, NULL, FLS_RULE_NESTED, "flex", at);
}

/* ---- options ---- */

static fls_verify_options checks(uint32_t wanted)
{
    fls_verify_options options = FLS_VERIFY_OPTIONS_INIT;
    options.checks = wanted;
    return options;
}

static void option_identifier(void **unused)
{
    (void)unused;
    static const char type[] = "everything.Everything";
    const fls_verify_options options = checks(FLS_VERIFY_IDENTIFIER);
    fls_builder *b = new_builder();
    fls_table t = fls_builder_table(b, 1);
    fls_ref root = fls_builder_end(b, t);
    const void *data;
    message m;
    assert_status(fls_builder_finish(b, root, "EVRY", &data, &m.size, NULL), FLS_OK, NULL);
    memcpy(m.bytes, data, m.size);
    fls_builder_free(b);
    assert_sound(type, &m, &options);
    m.bytes[7] = 'Z';
    assert_sound(type, &m, NULL);
    assert_violation(type, &m, &options, FLS_RULE_IDENTIFIER, "", 4);
    /* It is that of the schema's root type only. */
    m = small_tree();
    assert_sound(tree_type, &m, &options);
}

static message tree_named(const char *name, size_t size)
{
    fls_builder *b = new_builder();
    fls_ref text = fls_builder_string(b, name, size);
    fls_table t = fls_builder_table(b, 7);
    fls_builder_ref(b, t, TREE_NAME, text);
    return finish(b, fls_builder_end(b, t));
}

static void option_utf8(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        int wrong_at; /* -1: nowhere */
    } cases[] = {
        {"", -1},
        {"plain text, longer than eight bytes", -1},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xef\xbf\xbf\xed\x9f\xbf", -1},
        {"0123456789\xff", 10},
        {"\x80", 0},
        {"ab\xc3", 2},
        {"\xc0\x80", 0},         /* longer than needed */
        {"\xe0\x9f\xbf", 0},     /* longer than needed */
        {"\xf0\x8f\xbf\xbf", 0}, /* longer than needed */
        {"\xed\xa0\x80", 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 0}, /* beyond the last character */
        {"\xf5\x80\x80\x80", 0},
        {"x\xe2\x82", 1},
        {"x\xf0\x9f\x98", 1},
    };
    const fls_verify_options options = checks(FLS_VERIFY_UTF8);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        message m = tree_named(cases[i].text, strlen(cases[i].text));
        size_t name = target_of(&m, field_at(&m, get32(&m, 0), TREE_NAME));
        assert_sound(tree_type, &m, NULL);
        if (cases[i].wrong_at < 0) {
            assert_sound(tree_type, &m, &options);
        } else {
            assert_violation(tree_type, &m, &options, FLS_RULE_UTF8, "name",
                             name + 4 + (size_t)cases[i].wrong_at);
        }
    }
}

static message sorted_by_number(const uint16_t *ids, size_t count)
{
    fls_builder *b = new_builder();
    fls_ref elements[8];
    for (size_t i = 0; i < count; i++) {
        fls_table t = fls_builder_table(b, 2);
        fls_builder_u16(b, t, 0, ids[i]);
        elements[i] = fls_builder_end(b, t);
    }
    fls_ref vector = fls_builder_ref_vector(b, elements, count);
    fls_table t = fls_builder_table(b, 4);
    fls_builder_ref(b, t, 0, vector);
    return finish(b, fls_builder_end(b, t));
}

static message sorted_by_name(const char *const *names, size_t count)
{
    fls_builder *b = new_builder();
    fls_ref elements[8];
    for (size_t i = 0; i < count; i++) {
        fls_ref name = fls_builder_string(b, names[i], strlen(names[i]));
        fls_table t = fls_builder_table(b, 2);
        fls_builder_ref(b, t, 0, name);
        elements[i] = fls_builder_end(b, t);
    }
    fls_ref vector = fls_builder_ref_vector(b, elements, count);
    fls_table t = fls_builder_table(b, 4);
    fls_builder_ref(b, t, 1, vector);
    return finish(b, fls_builder_end(b, t));
}

static void option_sorted(void **unused)
{
    (void)unused;
    static const char type[] = "everything.Sorted";
    const fls_verify_options options = checks(FLS_VERIFY_SORTED);
    static const uint16_t up[4] = {0, 1, 1, 40000};
    message m = sorted_by_number(up, 4);
    assert_sound(type, &m, &options);
    static const uint16_t down[3] = {1, 40000, 2};
    m = sorted_by_number(down, 3);
    assert_sound(type, &m, NULL);
    assert_violation(type, &m, &options, FLS_RULE_SORTED, "by_number[2]",
                     target_of(&m, target_of(&m, field_at(&m, get32(&m, 0), 0)) + 12));
    static const char *const names[4] = {"", "a", "ab", "b"};
    m = sorted_by_name(names, 4);
    assert_sound(type, &m, &options);
    static const char *const wrong[3] = {"a", "b", "ab"};
    m = sorted_by_name(wrong, 3);
    assert_sound(type, &m, NULL);
    assert_violation(type, &m, &options, FLS_RULE_SORTED, "by_name[2]",
                     target_of(&m, target_of(&m, field_at(&m, get32(&m, 0), 1)) + 12));
    /* Structs of u32 and f32. */
    uint8_t keyed[16] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    for (int is_wrong = 0; is_wrong < 2; is_wrong++) {
        keyed[9] = is_wrong ? 0 : 1;
        fls_builder *b = new_builder();
        fls_ref vector = fls_builder_struct_vector(b, keyed, 2, 8, 4);
        fls_table t = fls_builder_table(b, 4);
        fls_builder_ref(b, t, 3, vector);
        m = finish(b, fls_builder_end(b, t));
        fls_violation violation = verify_as(type, &m, &options);
        assert_int_equal(violation.rule, is_wrong ? FLS_RULE_SORTED : FLS_RULE_NONE);
        assert_string_equal(violation.path, is_wrong ? "keyed[1]" : "");
    }
}

/* What stands in a deprecated field is not checked, so nothing may be sorted by it. */
static void option_sorted_by_what_is_deprecated(void **unused)
{
    (void)unused;
    enum { USHORT = 5, STRING = 13, VECTOR = 14, OBJ = 15 };
    static const bfbs_schema description = {
        .objects =
            {{.name = "Element",
              .fields = {{.name = "key", .type = {STRING, 0, 0, 0}, .key = 1, .deprecated = 1},
                         {.name = "value", .type = {USHORT, 0, 0, 0}, .id = 1}}},
             {.name = "Root", .fields = {{.name = "elements", .type = {VECTOR, OBJ, 1, 0}}}}},
        .root = 2};
    const fls_verify_options options = checks(FLS_VERIFY_SORTED);
    byte_buffer data = BYTES_INIT;
    fls_schema *loaded = NULL;
    fls_error err = FLS_ERROR_INIT;
    bfbs_build(&description, &data);
    assert_status(fls_schema_new(&loaded, data.data, data.size, NULL, &err), FLS_OK, &err);
    fls_builder *b = new_builder();
    fls_ref elements[2];
    for (uint32_t i = 0; i < 2; i++) {
        fls_table t = fls_builder_table(b, 2);
        fls_builder_u32(b, t, 0, 0x7ffffff0 - 0x10000000 * i); /* far beyond the end */
        elements[i] = fls_builder_end(b, t);
    }
    fls_ref vector = fls_builder_ref_vector(b, elements, 2);
    fls_table t = fls_builder_table(b, 1);
    fls_builder_ref(b, t, 0, vector);
    message m = finish(b, fls_builder_end(b, t));
    fls_violation violation;
    uint8_t *exact = bytes_exact_copy(m.bytes, m.size);
    assert_int_equal(
        fls_verify(loaded, fls_schema_root(loaded), exact, m.size, &options, &violation), FLS_OK);
    assert_int_equal(fls_verify(loaded, fls_schema_root(loaded), exact, m.size, &options, NULL),
                     FLS_OK);
    free(exact);
    fls_schema_free(loaded);
    bytes_free(&data);
}

static void option_exact_end(void **unused)
{
    (void)unused;
    const fls_verify_options options = checks(FLS_VERIFY_EXACT_END);
    for (size_t length = 0; length < 20; length++) {
        message m = tree_named("abcdefghijklmnopqrstuvwxyz", length);
        assert_sound(tree_type, &m, &options);
        const size_t end = m.size;
        memset(m.bytes + end, 0, 64);
        m.size += 4;
        assert_violation(tree_type, &m, &options, FLS_RULE_EXACT_END, "",
                         target_of(&m, field_at(&m, get32(&m, 0), TREE_NAME)) + 5 + length);
        m.bytes[end] = 1;
        m.size = end + 1;
        assert_sound(tree_type, &m, NULL);
        assert_int_equal(verify_as(tree_type, &m, &options).rule, FLS_RULE_EXACT_END);
    }
}

/* ---- limits ---- */

/* So many trees within each other, each both left and right of the one around it when shared. */
static message deep_tree(size_t depth, int is_shared)
{
    fls_builder *b = new_builder();
    fls_ref inner = NO_REF;
    for (size_t i = 0; i < depth; i++) {
        fls_table t = fls_builder_table(b, 7);
        if (i > 0) {
            fls_builder_ref(b, t, TREE_LEFT, inner);
        }
        if (i > 0 && is_shared) {
            fls_builder_ref(b, t, TREE_RIGHT, inner);
        }
        inner = fls_builder_end(b, t);
    }
    return finish(b, inner);
}

static void limit_of_depth(void **unused)
{
    (void)unused;
    message m = deep_tree(64, 0);
    assert_sound(tree_type, &m, NULL);
    m = deep_tree(65, 0);
    fls_violation violation = verify_as(tree_type, &m, NULL);
    assert_int_equal(violation.rule, FLS_RULE_DEPTH);
    /* 64 times "left" and 63 dots are too long: both ends are kept. */
    assert_int_equal(strlen(violation.path), sizeof violation.path - 1);
    assert_int_equal(strncmp(violation.path, "left.left.left.", 15), 0);
    assert_non_null(strstr(violation.path, "..."));
    assert_string_equal(violation.path + strlen(violation.path) - 10, ".left.left");
    fls_verify_options options = FLS_VERIFY_OPTIONS_INIT;
    for (options.max_depth = 1; options.max_depth < 40; options.max_depth++) {
        m = deep_tree(options.max_depth, 0);
        assert_sound(tree_type, &m, &options);
        m = deep_tree(options.max_depth + 1, 0);
        assert_int_equal(verify_as(tree_type, &m, &options).rule, FLS_RULE_DEPTH);
    }
    /* However many one asks for, it is 512. */
    options.max_depth = UINT32_MAX;
    fls_builder *b = new_builder();
    fls_ref inner = NO_REF;
    for (int i = 0; i < 513; i++) {
        fls_table t = fls_builder_table(b, 7);
        if (i > 0) {
            fls_builder_ref(b, t, TREE_LEFT, inner);
        }
        inner = fls_builder_end(b, t);
    }
    const void *data;
    size_t size;
    assert_status(fls_builder_finish(b, inner, NULL, &data, &size, NULL), FLS_OK, NULL);
    assert_int_equal(fls_verify(schema, object_named(tree_type), data, size, &options, &violation),
                     FLS_VALIDATION_FAILED);
    assert_int_equal(violation.rule, FLS_RULE_DEPTH);
    fls_builder_free(b);
}

/* 60 trees that a reader meets as 2^60. */
static void limit_of_tables(void **unused)
{
    (void)unused;
    fls_verify_options options = FLS_VERIFY_OPTIONS_INIT;
    message m = deep_tree(60, 1);
    assert_int_equal(verify_as(tree_type, &m, NULL).rule, FLS_RULE_TABLES);
    m = deep_tree(10, 1); /* 1,023 trees */
    options.max_tables = 1023;
    assert_sound(tree_type, &m, &options);
    options.max_tables = 1022;
    assert_int_equal(verify_as(tree_type, &m, &options).rule, FLS_RULE_TABLES);
}

static void limit_of_apparent_bytes(void **unused)
{
    (void)unused;
    /* A hundred references to one name: 4 + 100 * 4 for the vector, 1000 + 5 each time. */
    static char name[1000];
    memset(name, 'n', sizeof name);
    fls_builder *b = new_builder();
    fls_ref text = fls_builder_string(b, name, sizeof name);
    fls_ref refs[100];
    for (int i = 0; i < 100; i++) {
        refs[i] = text;
    }
    fls_ref vector = fls_builder_ref_vector(b, refs, 100);
    fls_table t = fls_builder_table(b, 25);
    fls_builder_ref(b, t, 15, vector);
    message m = finish(b, fls_builder_end(b, t));
    const size_t root = get32(&m, 0);
    const uint64_t bytes = 4 + number(&m, vtable_at(&m, root), 2) +
                           number(&m, vtable_at(&m, root) + 2, 2) + 4 + 400 + UINT64_C(100) * 1005;
    fls_verify_options options = FLS_VERIFY_OPTIONS_INIT;
    options.max_apparent_bytes = bytes;
    assert_sound("everything.Vectors", &m, &options);
    options.max_apparent_bytes = bytes - 1;
    assert_violation("everything.Vectors", &m, &options, FLS_RULE_APPARENT_SIZE, "strings[99]",
                     target_of(&m, target_of(&m, field_at(&m, root, 15)) + 4));
}

/* Messages in messages: each level is a buffer whose root holds the next. */
static void limit_of_nesting(void **unused)
{
    (void)unused;
    fls_violation violation;
    size_t capacity = 1 << 20;
    uint8_t *inner = malloc(capacity);
    size_t inner_size = 0;
    fls_builder *b = new_builder();
    for (int level = 0; level < 300; level++) {
        const void *data;
        size_t size;
        fls_ref nested = NO_REF;
        if (level > 0) {
            nested = fls_builder_nested(b, inner, inner_size, 8);
        }
        fls_table nests = fls_builder_table(b, 4);
        if (level > 0) {
            fls_builder_ref(b, nests, 2, nested);
        }
        fls_ref ref = fls_builder_end(b, nests);
        fls_table t = fls_builder_table(b, 19);
        fls_builder_ref(b, t, 10, ref);
        assert_status(fls_builder_finish(b, fls_builder_end(b, t), NULL, &data, &size, NULL),
                      FLS_OK, NULL);
        assert_true(size <= capacity);
        memcpy(inner, data, size);
        inner_size = size;
        fls_status status =
            fls_verify(schema, fls_schema_root(schema), inner, inner_size, NULL, &violation);
        /* Two tables a level; 512 fit. */
        assert_int_equal(violation.rule, level < 256 ? FLS_RULE_NONE : FLS_RULE_DEPTH);
        assert_int_equal(status, level < 256 ? FLS_OK : FLS_VALIDATION_FAILED);
    }
    fls_builder_free(b);
    free(inner);
}

/* ---- addresses and sizes ---- */

static void any_address(void **unused)
{
    (void)unused;
    const message m = small_tree();
    const uint32_t root = object_named(tree_type);
    uint8_t *memory = aligned_alloc(64, sizeof m.bytes + 64);
    for (size_t shift = 0; shift < 16; shift++) {
        for (size_t damaged = 0; damaged < m.size; damaged++) {
            message copy = m;
            copy.bytes[damaged] ^= 0x11;
            memcpy(memory + shift, copy.bytes, copy.size);
            fls_violation violation;
            (void)!fls_verify(schema, root, memory + shift, copy.size, NULL, &violation);
            fls_violation expected = verify_as(tree_type, &copy, NULL);
            assert_int_equal(violation.rule, expected.rule);
            assert_int_equal(violation.offset, expected.offset);
            assert_string_equal(violation.path, expected.path);
        }
    }
    free(memory);
}

static void sizes_around_the_limit(void **unused)
{
    (void)unused;
    const size_t limit = (size_t)1 << 31;
    const message m = small_tree();
    const uint32_t root = object_named(tree_type);
    fls_violation violation;
    uint8_t *memory = mmap(NULL, limit + 4096, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        skip(); /* not so much address space */
    }
    memcpy(memory, m.bytes, m.size);
    assert_int_equal(fls_verify(schema, root, memory, limit - 1, NULL, &violation), FLS_OK);
    assert_int_equal(fls_verify(schema, root, memory, limit, NULL, &violation),
                     FLS_VALIDATION_FAILED);
    assert_int_equal(violation.rule, FLS_RULE_TOO_LARGE);
    assert_int_equal(fls_verify(schema, root, memory, SIZE_MAX, NULL, NULL), FLS_VALIDATION_FAILED);
    /* A name that reaches to the last byte, and one byte beyond. */
    message named = tree_named("x", 1);
    size_t name = target_of(&named, field_at(&named, get32(&named, 0), TREE_NAME));
    for (uint32_t more = 0; more < 2; more++) {
        put32(&named, name, (uint32_t)(limit - 1 - name - 5) + more);
        memcpy(memory, named.bytes, named.size);
        (void)!fls_verify(schema, root, memory, limit - 1, NULL, &violation);
        assert_int_equal(violation.rule, more == 0 ? FLS_RULE_NONE : FLS_RULE_STRING);
    }
    (void)munmap(memory, limit + 4096);
}

/* Every byte of a message with every value of some: never a crash, always a reason. */
static void every_byte_broken(void **unused)
{
    (void)unused;
    static const uint8_t values[] = {0, 1, 2, 3, 4, 8, 0x7f, 0x80, 0xfe, 0xff};
    const message sounds[] = {small_tree(), deep_tree(5, 1), unions(1, 1, 1)};
    static const char *const types[] = {tree_type, tree_type, "everything.Unions"};
    size_t refused = 0;
    for (size_t which = 0; which < 3; which++) {
        for (size_t at = 0; at < sounds[which].size; at++) {
            for (size_t i = 0; i < sizeof values; i++) {
                message m = sounds[which];
                m.bytes[at] = values[i];
                fls_violation violation = verify_as(types[which], &m, NULL);
                if (violation.rule == FLS_RULE_NONE) {
                    (void)visit_message(schema, object_named(types[which]), m.bytes);
                    continue;
                }
                refused++;
                assert_true(violation.offset <= m.size);
                assert_true(strlen(violation.path) < sizeof violation.path);
            }
        }
    }
    assert_true(refused > 300);
}

/* ---- the validator ---- */

static void rule_names(void **unused)
{
    (void)unused;
    assert_string_equal(fls_rule_name(FLS_RULE_SORTED), "FLS_RULE_SORTED");
    assert_string_equal(fls_rule_text(FLS_RULE_NONE), "no rule broken");
    assert_string_equal(fls_rule_text(FLS_RULE_NO_TYPE), "of none of the types given");
    assert_non_null(fls_rule_name((fls_rule)999));
    assert_non_null(fls_rule_text((fls_rule)999));
}

static void validator(void **unused)
{
    (void)unused;
    fls_schema_set set = {0};
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_schema_set_add(&set, schema, NULL, NULL, &err), FLS_OK, &err);
    assert_status(fls_schema_set_add(&set, schema, tree_type, "TREE", &err), FLS_OK, &err);
    const fls_schema_check check = {&set, FLS_VERIFY_OPTIONS_INIT};
    const fls_validator v = fls_validator_schema(&check);
    assert_true(v.alignment <= 1);
    message m = small_tree();
    assert_int_equal(fls_validator_check(&v, m.bytes, m.size, &err), FLS_VALIDATION_FAILED);
    assert_string_equal(err.name, "schema");
    assert_string_equal(err.text, "the root: of none of the types given, at byte 4");

    /* The same tree with its identifier, and a name that is broken. */
    fls_builder *b = new_builder();
    const void *data;
    fls_ref root = leaf(b, "one");
    assert_status(fls_builder_finish(b, root, "TREE", &data, &m.size, NULL), FLS_OK, NULL);
    memcpy(m.bytes, data, m.size);
    fls_builder_free(b);
    assert_status(fls_validator_check(&v, m.bytes, m.size, &err), FLS_OK, &err);
    size_t name = target_of(&m, field_at(&m, get32(&m, 0), TREE_NAME));
    message broken = m;
    put32(&broken, name, 4000);
    assert_int_equal(fls_validator_check(&v, broken.bytes, broken.size, &err),
                     FLS_VALIDATION_FAILED);
    char expected[120];
    (void)snprintf(expected, sizeof expected,
                   "name: a string without a terminating zero, or outside the message, at byte %u",
                   (unsigned)name);
    assert_string_equal(err.text, expected);
    assert_int_equal(err.limit_bytes, name);
    assert_int_equal(fls_validator_check(&v, broken.bytes, broken.size, NULL),
                     FLS_VALIDATION_FAILED);

    /* At a writer, which goes on behind what it refused. */
    fls_sink sink;
    fls_writer_options writer_options = FLS_WRITER_OPTIONS_INIT;
    fls_writer *writer = NULL;
    writer_options.validators = &v;
    writer_options.validator_count = 1;
    assert_status(fls_sink_open_memory(&sink, NULL, &err), FLS_OK, &err);
    assert_status(fls_writer_open(&writer, sink, &writer_options, &err), FLS_OK, &err);
    assert_status(fls_writer_write(writer, m.bytes, m.size, &err), FLS_OK, &err);
    assert_int_equal(fls_writer_write(writer, broken.bytes, broken.size, &err),
                     FLS_VALIDATION_FAILED);
    assert_string_equal(err.text, expected);
    assert_status(fls_writer_write(writer, m.bytes, m.size, &err), FLS_OK, &err);
    assert_int_equal(fls_writer_messages(writer), 2);
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
}

/* A stream whose second message is broken, read with the validator. */
static void validator_of_reader(void **unused)
{
    (void)unused;
    const message m = small_tree();
    message broken = m;
    fls_schema_set set = {0};
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_schema_set_add(&set, schema, tree_type, NULL, &err), FLS_OK, &err);
    const fls_schema_check check = {&set, FLS_VERIFY_OPTIONS_INIT};
    const fls_validator v = fls_validator_schema(&check);
    fls_sink sink;
    fls_writer *writer = NULL;
    const void *data;
    size_t size;
    put32(&broken, get32(&m, 0), 3);
    assert_status(fls_sink_open_memory(&sink, NULL, &err), FLS_OK, &err);
    assert_status(fls_writer_open(&writer, sink, NULL, &err), FLS_OK, &err);
    assert_status(fls_writer_write(writer, m.bytes, m.size, &err), FLS_OK, &err);
    assert_status(fls_writer_write(writer, broken.bytes, broken.size, &err), FLS_OK, &err);
    assert_status(fls_writer_flush(writer, &err), FLS_OK, &err);
    assert_status(fls_sink_memory(&sink, &data, &size), FLS_OK, NULL);
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    fls_reader *reader = NULL;
    fls_message got;
    options.validators = &v;
    options.validator_count = 1;
    assert_status(fls_reader_open_memory(&reader, data, size, &options, &err), FLS_OK, &err);
    assert_status(fls_reader_next(reader, &got, &err), FLS_OK, &err);
    assert_int_equal(fls_reader_next(reader, &got, &err), FLS_VALIDATION_FAILED);
    assert_string_equal(err.name, "schema");
    assert_non_null(strstr(err.text, "the root: a vtable outside the message"));
    fls_reader_close(reader);
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
}

static int load_schema(void **unused)
{
    (void)unused;
    byte_buffer bytes = {0};
    fls_error err = FLS_ERROR_INIT;
    if (files_read(FLS_TEST_SCHEMA_DIR "/everything.bfbs", &bytes) != 0) {
        return -1;
    }
    fls_status status = fls_schema_new(&schema, bytes.data, bytes.size, NULL, &err);
    bytes_free(&bytes);
    return status == FLS_OK ? 0 : -1;
}

static int free_schema(void **unused)
{
    (void)unused;
    fls_schema_free(schema);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_of_tables),
        cmocka_unit_test(rules_of_vectors),
        cmocka_unit_test(rule_of_required),
        cmocka_unit_test(rule_of_unions),
        cmocka_unit_test(rules_of_nested_buffers),
        cmocka_unit_test(option_identifier),
        cmocka_unit_test(option_utf8),
        cmocka_unit_test(option_sorted),
        cmocka_unit_test(option_sorted_by_what_is_deprecated),
        cmocka_unit_test(option_exact_end),
        cmocka_unit_test(limit_of_depth),
        cmocka_unit_test(limit_of_tables),
        cmocka_unit_test(limit_of_apparent_bytes),
        cmocka_unit_test(limit_of_nesting),
        cmocka_unit_test(any_address),
        cmocka_unit_test(sizes_around_the_limit),
        cmocka_unit_test(every_byte_broken),
        cmocka_unit_test(rule_names),
        cmocka_unit_test(validator),
        cmocka_unit_test(validator_of_reader),
    };
    return cmocka_run_group_tests(tests, load_schema, free_schema);
}
