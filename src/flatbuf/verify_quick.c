/* The quick walk: whether a message is sound, and nothing else.
 *
 * It follows the rules of verify_full.c with two liberties. Where something is odd, though perhaps
 * sound, it refuses, since the full walk has the last word: a table that says it is larger than
 * 32 KiB, or smaller than what its fields take. And it does not say why.
 *
 * Eight entries of a vtable are checked together with the vectors of the compiler, which are plain
 * C to every target; without them every message goes the full walk.
 */
#include "flatbuf/verify_plan.h"
#include "flatbuf/verify_private.h"

#if defined(__GNUC__) || defined(__clang__)

typedef int16_t lanes16 __attribute__((vector_size(16)));
typedef uint16_t lanes_u16 __attribute__((vector_size(16))); /* where sums may wrap */
typedef uint64_t lanes64 __attribute__((vector_size(16)));

typedef struct walk {
    const uint8_t *bytes;
    uint64_t last_word; /* size - 4: where a u32 may stand at most */
    /* Both fall below 0 when there was too much. This one is looked at when a table begins and at
     * the end: until then no more is taken away than one table's fields refer to, far less than
     * 2^62. */
    int64_t apparent_left;
    uint64_t size;
    int64_t tables_left;
    const fls_schema *schema;
    const flsi_verify_limits *limits;
    uint64_t stack_left; /* when the buffer's root was entered */
} walk;

typedef flsi_verify_table plan;

static int quick_table(walk *w, const plan *type, uint64_t at, uint64_t depth_left);

/* ---- the fields of a table ---- */

FLSI_ALWAYS_INLINE lanes16 load_lanes(const void *from)
{
    lanes16 lanes;
    FLSI_COPY(&lanes, from, sizeof lanes);
    return lanes;
}

FLSI_ALWAYS_INLINE lanes16 load_vtable(const uint8_t *from)
{
    lanes_u16 lanes = (lanes_u16)load_lanes(from);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    lanes = (lanes << 8) | (lanes >> 8);
#endif
    return (lanes16)lanes;
}

FLSI_ALWAYS_INLINE lanes16 splat(uint64_t value)
{
    int16_t lane = (int16_t)value;
    return (lanes16){lane, lane, lane, lane, lane, lane, lane, lane};
}

/* What all lanes of a table are compared with. */
typedef struct table_lanes {
    lanes16 count; /* of numbers in the vtable */
    lanes16 bytes; /* of the table */
    lanes_u16 low; /* the low bits of its position */
} table_lanes;

FLSI_ALWAYS_INLINE table_lanes lanes_of(uint64_t vtable_bytes, uint64_t bytes, uint64_t at)
{
    return (table_lanes){splat(vtable_bytes / 2), splat(bytes), (lanes_u16)splat(at & 0xff)};
}

/* Not all zeros when one of eight numbers of a vtable breaks a rule. */
FLSI_ALWAYS_INLINE lanes16 wrong_lanes(const flsi_verify_lanes *lanes, lanes16 numbers,
                                       const table_lanes *table)
{
    lanes16 offset = numbers & (lanes16)(load_lanes(lanes->index) < table->count);
    lanes16 absent = (lanes16)(offset == 0);
    lanes16 outside =
        (lanes16)(offset > table->bytes - load_lanes(lanes->bytes)) | (lanes16)(offset < 0);
    lanes16 crooked = (lanes16)((lanes_u16)offset + table->low) & load_lanes(lanes->mask);
    return (~absent & (outside | crooked)) | (absent & load_lanes(lanes->required));
}

FLSI_ALWAYS_INLINE int is_zero(lanes16 lanes)
{
    lanes64 halves = (lanes64)lanes;
    return (halves[0] | halves[1]) == 0;
}

/* For a vtable behind which the buffer ends before the lanes do. */
static int last_fields_are_sound(const plan *type, const uint8_t *vtable, uint64_t at)
{
    uint64_t vtable_bytes = flsi_load_le16(vtable);
    const table_lanes table = lanes_of(vtable_bytes, flsi_load_le16(vtable + 2), at);
    lanes16 wrong = {0};
    for (uint64_t done = 0; done < type->lanes_bytes; done += sizeof wrong) {
        uint8_t padded[sizeof wrong] = {0};
        uint64_t left = vtable_bytes > done ? vtable_bytes - done : 0;
        if (left > 0) {
            memcpy(padded, vtable + done, left < sizeof padded ? (size_t)left : sizeof padded);
        }
        wrong |= wrong_lanes(&type->lanes[done / sizeof wrong], load_vtable(padded), &table);
    }
    return is_zero(wrong);
}

/* Whether the fields of a table, which reaches from at to at + bytes, lie in it and are aligned,
 * and those that are required are there. All lanes can be loaded. */
FLSI_ALWAYS_INLINE int fields_are_sound(const plan *type, const uint8_t *vtable,
                                        uint64_t vtable_bytes, uint64_t at, uint64_t bytes)
{
    const table_lanes table = lanes_of(vtable_bytes, bytes, at);
    const flsi_verify_lanes *lanes = type->lanes;
    const uint8_t *end = vtable + type->lanes_bytes;
    lanes16 wrong = {0};
    do {
        wrong |= wrong_lanes(lanes++, load_vtable(vtable), &table);
        vtable += sizeof wrong;
    } while (vtable < end);
    return is_zero(wrong);
}

/* ---- strings and vectors ---- */

/* A message is less than 2^31 bytes, so that sums of positions and lengths (u32) do not overflow.
 */
FLSI_ALWAYS_INLINE int quick_vector(walk *w, uint64_t at, uint64_t element_bytes, uint64_t *count)
{
    if (FLSI_UNLIKELY(at % 4 != 0 || at > w->last_word)) {
        return 0;
    }
    uint64_t length = flsi_load_le32(w->bytes + at);
    uint64_t bytes = 4 + length * element_bytes;
    if (FLSI_UNLIKELY(bytes > w->size - at)) {
        return 0;
    }
    *count = length;
    w->apparent_left -= (int64_t)bytes;
    return 1;
}

FLSI_ALWAYS_INLINE int quick_string(walk *w, uint64_t at)
{
    if (FLSI_UNLIKELY(at % 4 != 0 || at > w->last_word)) {
        return 0;
    }
    uint64_t length = flsi_load_le32(w->bytes + at);
    w->apparent_left -= (int64_t)(length + 5);
    return length + 5 <= w->size - at && w->bytes[at + 4 + length] == 0;
}

FLSI_ALWAYS_INLINE uint64_t element_target(const walk *w, uint64_t element)
{
    return element + flsi_load_le32(w->bytes + element);
}

static int quick_strings(walk *w, uint64_t target)
{
    uint64_t count = 0;
    if (!quick_vector(w, target, 4, &count)) {
        return 0;
    }
    for (uint64_t element = target + 4; count > 0; count--, element += 4) {
        if (!quick_string(w, element_target(w, element))) {
            return 0;
        }
    }
    return w->apparent_left >= 0;
}

static int quick_tables(walk *w, const plan *type, uint64_t target, uint64_t depth_left)
{
    uint64_t count = 0;
    if (!quick_vector(w, target, 4, &count)) {
        return 0;
    }
    for (uint64_t element = target + 4; count > 0; count--, element += 4) {
        if (!quick_table(w, type, element_target(w, element), depth_left)) {
            return 0;
        }
    }
    return 1;
}

/* ---- unions ---- */

static const flsi_value *find_member(const fls_schema *schema, uint64_t enumeration, uint64_t tag)
{
    const flsi_enumeration *type = &schema->enumerations[enumeration];
    const flsi_value *values = &schema->values[type->first_value];
    if (FLS_LIKELY(type->is_dense)) {
        uint64_t index = tag - (uint64_t)values->value;
        return index < type->value_count ? &values[index] : NULL;
    }
    return flsi_schema_value(schema, (uint32_t)enumeration, (int64_t)tag);
}

/* A union's value that is there. */
static int quick_member(walk *w, uint64_t enumeration, uint64_t tag, uint64_t at,
                        uint64_t depth_left)
{
    const flsi_value *member = find_member(w->schema, enumeration, tag);
    if (member == NULL) {
        return 1;
    }
    if (FLS_LIKELY(member->kind == FLSI_TABLE)) {
        return quick_table(w, &w->schema->verify_plan[member->object], at, depth_left);
    }
    if (member->kind == FLSI_STRING) {
        return quick_string(w, at);
    }
    if (member->kind == FLSI_STRUCT) {
        const flsi_object *object = &w->schema->objects[member->object];
        w->apparent_left -= object->bytes;
        return at % object->alignment == 0 && at < w->size && object->bytes <= w->size - at;
    }
    return 1;
}

FLSI_ALWAYS_INLINE uint64_t load_tag(const uint8_t *from, uint32_t bytes)
{
    return FLS_LIKELY(bytes == 1) ? from[0] : flsi_load_le_width(from, bytes);
}

/* Where the tag of a union, or the reference to its tags, stands; 0 when it is absent. */
FLSI_ALWAYS_INLINE uint64_t tag_place(const walk *w, const flsi_verify_reference *reference,
                                      uint64_t at, uint64_t vtable)
{
    uint64_t offset = flsi_load_le16(w->bytes + vtable + reference->place - 2);
    return offset != 0 ? at + offset : 0;
}

/* The rest of rules 7 and 8: a value is absent whose tag's entry is in the vtable. */
static FLSI_NOINLINE int quick_absent(const walk *w, const flsi_verify_reference *reference,
                                      uint64_t at, uint64_t vtable)
{
    uint64_t tag = tag_place(w, reference, at, vtable);
    return tag == 0 ||
           (reference->kind == FLSI_UNION && load_tag(w->bytes + tag, reference->tag_bytes) == 0);
}

static int quick_union_vector(walk *w, const flsi_verify_reference *reference, uint64_t tags_place,
                              uint64_t target, uint64_t depth_left)
{
    uint64_t count = 0;
    uint64_t tag_bytes = reference->tag_bytes;
    if (tags_place == 0 || !quick_vector(w, target, 4, &count)) {
        return 0;
    }
    /* The vector of tags is a field of its own, and was found sound as such. */
    uint64_t tags = element_target(w, tags_place);
    if (flsi_load_le32(w->bytes + tags) != count) {
        return 0;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t tag = load_tag(w->bytes + tags + 4 + i * tag_bytes, reference->tag_bytes);
        if (!quick_member(w, reference->of.enumeration, tag, element_target(w, target + 4 + 4 * i),
                          depth_left)) {
            return 0;
        }
    }
    return w->apparent_left >= 0;
}

/* ---- nested buffers and the root ---- */

static int quick_root(walk *w, const plan *type, uint64_t depth_left)
{
    if (FLSI_UNLIKELY(w->size < FLSI_VERIFY_LEAST)) {
        return 0;
    }
    uint64_t root = flsi_load_le32(w->bytes);
    w->apparent_left -= 4;
    return FLS_LIKELY(root != 0) && quick_table(w, type, root, depth_left) && w->apparent_left >= 0;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static FLSI_NOINLINE int quick_nested(walk *w, const plan *type, uint64_t target,
                                      uint64_t depth_left)
{
    uint64_t size = 0;
    if (!quick_vector(w, target, 1, &size) || w->apparent_left < 0) {
        return 0;
    }
    walk inner = *w;
    inner.bytes = w->bytes + target + 4;
    inner.size = size;
    inner.last_word = size - 4;
    if (type == NULL) {
        fls_rule rule;
        uint64_t left = (uint64_t)w->apparent_left;
        int is_sound = flsi_verify_flex(inner.bytes, size, &left, &rule);
        w->apparent_left = (int64_t)left;
        return is_sound;
    }
    inner.tables_left = w->limits->max_tables;
    /* What the buffer around it has used of the stack is what it has used of its depth. */
    inner.stack_left = w->stack_left - (lesser(w->limits->max_depth, w->stack_left) - depth_left);
    int is_sound = quick_root(&inner, type, lesser(w->limits->max_depth, inner.stack_left));
    w->apparent_left = inner.apparent_left;
    return is_sound;
}

/* ---- tables ---- */

static FLSI_NOINLINE int quick_union(walk *w, const flsi_verify_reference *reference, uint64_t at,
                                     uint64_t vtable, uint64_t target, uint64_t depth_left)
{
    uint64_t tag = tag_place(w, reference, at, vtable);
    if (FLSI_UNLIKELY(target >= w->size)) {
        return 0;
    }
    if (reference->kind == FLSI_UNION_VECTOR) {
        return quick_union_vector(w, reference, tag, target, depth_left);
    }
    return tag == 0 ||
           quick_member(w, reference->of.enumeration,
                        load_tag(w->bytes + tag, reference->tag_bytes), target, depth_left);
}

/* A reference that was found to lie in its table, at place. */
FLSI_ALWAYS_INLINE int quick_reference(walk *w, const flsi_verify_reference *reference, uint64_t at,
                                       uint64_t vtable, uint64_t place, uint64_t depth_left)
{
    uint64_t count;
    uint64_t distance = flsi_load_le32(w->bytes + place);
    uint64_t target = place + distance;
    uint32_t kind = reference->kind;
    if (FLSI_UNLIKELY(distance == 0)) {
        return 0;
    }
    if (kind == FLSI_SCALAR_VECTOR || kind == FLSI_STRUCT_VECTOR) {
        return quick_vector(w, target, reference->element_bytes, &count);
    }
    if (kind == FLSI_STRING) {
        return quick_string(w, target);
    }
    if (kind == FLSI_TABLE) {
        return quick_table(w, reference->of.table, target, depth_left);
    }
    if (kind == FLSI_STRING_VECTOR) {
        return quick_strings(w, target);
    }
    if (kind == FLSI_TABLE_VECTOR) {
        return quick_tables(w, reference->of.table, target, depth_left);
    }
    if (kind == FLSI_NESTED) {
        return quick_nested(w, reference->of.table, target, depth_left);
    }
    return quick_union(w, reference, at, vtable, target, depth_left);
}

static FLSI_NOINLINE int quick_references(walk *w, const plan *type, uint64_t at, uint64_t vtable,
                                          uint64_t vtable_bytes, uint64_t depth_left)
{
    const flsi_verify_reference *reference = type->references;
    const flsi_verify_reference *end = type->references_end;
    const uint8_t *entries = w->bytes + vtable;
    do {
        if (reference->place >= vtable_bytes) {
            /* Of one union the tag may still be in the vtable. */
            return reference->tag_bytes == 0 || reference->place - 2u >= vtable_bytes ||
                   quick_absent(w, reference, at, vtable);
        }
        uint64_t offset = flsi_load_le16(entries + reference->place);
        if (offset == 0) {
            if (FLSI_UNLIKELY(reference->tag_bytes != 0) &&
                !quick_absent(w, reference, at, vtable)) {
                return 0;
            }
        } else if (!quick_reference(w, reference, at, vtable, at + offset, depth_left)) {
            return 0;
        }
    } while (++reference < end);
    return 1;
}

/* The rest of quick_table where the lanes reach beyond the end of the buffer. */
static FLSI_NOINLINE int quick_last_table(walk *w, const plan *type, uint64_t at, uint64_t vtable,
                                          uint64_t vtable_bytes, uint64_t depth_left)
{
    return last_fields_are_sound(type, w->bytes + vtable, at) &&
           (type->references == type->references_end ||
            quick_references(w, type, at, vtable, vtable_bytes, depth_left));
}

/* Without a call but in its last step, so that nothing needs to be saved. */
static int quick_table(walk *w, const plan *type, uint64_t at, uint64_t depth_left)
{
    if (FLSI_UNLIKELY(at % 4 != 0 || at > w->last_word)) {
        return 0;
    }
    uint64_t vtable = at - (uint64_t)(int64_t)(int32_t)flsi_load_le32(w->bytes + at);
    /* A position before the start wraps to one beyond any end. */
    if (FLSI_UNLIKELY(vtable > w->last_word)) {
        return 0;
    }
    uint64_t sizes = flsi_load_le32(w->bytes + vtable);
    uint64_t vtable_bytes = sizes & 0xffff;
    uint64_t bytes = sizes >> 16;
    uint64_t room = w->size - vtable;
    if (FLSI_UNLIKELY(((vtable | sizes) & 1) != 0 || bytes - 4 > INT16_MAX - 4 ||
                      vtable_bytes > room || bytes > w->size - at)) {
        return 0;
    }
    w->apparent_left -= (int64_t)(vtable_bytes + bytes);
    if (FLSI_UNLIKELY(w->apparent_left < 0)) {
        return 0;
    }
    w->tables_left--;
    if (FLSI_UNLIKELY(w->tables_left < 0 || depth_left == 0)) {
        return 0;
    }
    if (FLSI_UNLIKELY(room < type->lanes_bytes)) {
        return quick_last_table(w, type, at, vtable, vtable_bytes, depth_left - 1);
    }
    if (FLSI_UNLIKELY(!fields_are_sound(type, w->bytes + vtable, vtable_bytes, at, bytes))) {
        return 0;
    }
    if (type->references == type->references_end) {
        return 1;
    }
    return quick_references(w, type, at, vtable, vtable_bytes, depth_left - 1);
}

int flsi_verify_quick(const fls_schema *schema, uint32_t root, const uint8_t *bytes, uint64_t size,
                      const flsi_verify_limits *limits)
{
    walk w;
    uint64_t most = limits->max_apparent_bytes;
    if (FLSI_UNLIKELY(schema->verify_plan == NULL)) {
        return 0;
    }
    w.bytes = bytes;
    w.last_word = size - 4;
    w.apparent_left = (int64_t)lesser(most, INT64_MAX / 2);
    w.size = size;
    w.tables_left = limits->max_tables;
    w.schema = schema;
    w.limits = limits;
    w.stack_left = FLSI_VERIFY_STACK_MOST;
    return quick_root(&w, &schema->verify_plan[root],
                      lesser(limits->max_depth, FLSI_VERIFY_STACK_MOST));
}

#else

int flsi_verify_quick(const fls_schema *schema, uint32_t root, const uint8_t *bytes, uint64_t size,
                      const flsi_verify_limits *limits)
{
    (void)schema, (void)root, (void)bytes, (void)size, (void)limits;
    return 0;
}

#endif
