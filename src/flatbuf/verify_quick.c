/* The quick walk: whether a message is sound, and nothing else.
 *
 * It follows the rules of verify_full.c with two liberties. What is odd it refuses, though it may
 * be sound, since the full walk has the last word: a table or vtable of 32 KiB and more, a table
 * that says it is smaller than what its fields take, a message near its limits. And it does not say
 * why.
 *
 * Eight numbers of a vtable are checked together (core/lanes16.h); where a compiler has no vectors,
 * every message goes the full walk. Tables that lead to tables are kept on a stack of this file's
 * own: that is quicker than a call for each, and its size is known. The tables at the end of a
 * branch do not go there: they are checked where a reference to them is met.
 *
 * Checks are single comparisons where they can be, as those cost next to nothing when they pass.
 * The arithmetic around them is what costs, so that some of it is left out where refusing a little
 * more does.
 */
#include "core/lanes16.h"
#include "flatbuf/verify_plan.h"
#include "flatbuf/verify_private.h"

#ifdef FLSI_LANES16

typedef flsi_verify_table plan;

/* A table that led to another one: where to go on in it. */
typedef struct frame {
    const flsi_verify_reference *next;
    const uint8_t *vtable;
    uint64_t at;
    uint64_t left;    /* in a vector of tables: how many come behind the one that was entered, */
    uint64_t element; /* and where the reference to the next of them stands */
} frame;

typedef struct walk {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t last_word; /* size - 4: where a u32 may stand at most */
    /* The apparent bytes left; below 0 when too much was visited. Looked at when a table begins and
     * at the end: until then no more is taken away than one table's fields refer to, far less than
     * 2^63. */
    int64_t budget;
    int64_t table_cost;
    frame *limit; /* the frame of a table that may not lead to another one */
    frame *last_frame;
    const fls_schema *schema;
    uint64_t max_depth;
} walk;

/* A table on whose references the walk is. next is NULL when something is wrong. */
typedef struct cursor {
    const flsi_verify_reference *next;
    const uint8_t *vtable;
    uint64_t at;
    uint64_t vtable_bytes;
} cursor;

/* A table to be entered; of a vector, with what comes behind it. */
typedef struct descent {
    const plan *type;
    uint64_t at;
    uint64_t element;
    uint64_t left;
} descent;

static int walk_from(walk *w, const plan *type, uint64_t at, frame *bottom);

/* ---- the fields of a table ---- */

typedef flsi_lanes16 lanes16;

/* What all lanes of a table are compared with. */
typedef struct table_lanes {
    lanes16 end;   /* of the vtable */
    lanes16 bytes; /* of the table */
    lanes16 at;    /* the low bits of its position */
} table_lanes;

/* Not all zeros when one of eight numbers of a vtable breaks a rule. */
FLSI_ALWAYS_INLINE lanes16 wrong_lanes(const flsi_verify_lanes *lanes, lanes16 numbers,
                                       const table_lanes *table)
{
    lanes16 is_there = flsi_lanes16_less(flsi_lanes16_load(lanes->place), table->end);
    lanes16 offset = flsi_lanes16_and(numbers, is_there);
    /* A field that does not fit at all may be at most at 0, which is absent. */
    lanes16 most = flsi_lanes16_excess(table->bytes, flsi_lanes16_load(lanes->bytes));
    lanes16 outside = flsi_lanes16_excess(offset, most);
    lanes16 crooked =
        flsi_lanes16_and(flsi_lanes16_add(offset, table->at), flsi_lanes16_load(lanes->mask));
    lanes16 absent = flsi_lanes16_is_zero(offset);
    lanes16 missing = flsi_lanes16_and(absent, flsi_lanes16_load(lanes->required));
    return flsi_lanes16_or(flsi_lanes16_or(outside, missing),
                           flsi_lanes16_and_not(crooked, absent));
}

/* For a vtable behind which the buffer ends before the lanes do. */
static FLSI_NOINLINE int last_fields_are_sound(const plan *type, const uint8_t *vtable, uint64_t at)
{
    uint64_t vtable_bytes = flsi_load_le16(vtable);
    const table_lanes table = {flsi_lanes16_splat(vtable_bytes),
                               flsi_lanes16_splat(flsi_load_le16(vtable + 2)),
                               flsi_lanes16_splat(at)};
    lanes16 wrong = flsi_lanes16_zero();
    for (uint64_t done = 0; done < type->lanes_bytes; done += sizeof wrong) {
        uint8_t padded[sizeof wrong] = {0};
        uint64_t left = vtable_bytes > done ? vtable_bytes - done : 0;
        if (left > 0) {
            memcpy(padded, vtable + done, left < sizeof padded ? (size_t)left : sizeof padded);
        }
        wrong = flsi_lanes16_or(wrong, wrong_lanes(&type->lanes[done / sizeof wrong],
                                                   flsi_lanes16_load_le(padded), &table));
    }
    return flsi_lanes16_all_zero(wrong);
}

/* Whether the fields of a table at `at`, which has the size that its vtable says, lie in it and are
 * aligned, and those that are required are there. All lanes can be loaded. */
FLSI_ALWAYS_INLINE int fields_are_sound(const plan *type, const uint8_t *vtable, uint64_t at)
{
    table_lanes table;
    const flsi_verify_lanes *lanes = type->lanes;
    lanes16 numbers = flsi_lanes16_load_le(vtable);
    flsi_lanes16_splat_two(numbers, &table.end, &table.bytes);
    table.at = flsi_lanes16_splat(at);
    lanes16 wrong = wrong_lanes(lanes, numbers, &table);
    for (uint64_t done = sizeof wrong; done < type->lanes_bytes; done += sizeof wrong) {
        numbers = flsi_lanes16_load_le(vtable + done);
        wrong = flsi_lanes16_or(wrong, wrong_lanes(++lanes, numbers, &table));
    }
    return flsi_lanes16_all_zero(wrong);
}

/* Goes into a table; 0 when it is not sound. What its references lead to costs up to five bytes
 * beside the content, a length and a string's zero. Those are paid here, by the two bytes that each
 * reference has in the vtable: three times them is enough. */
FLSI_ALWAYS_INLINE int enter_table(const walk *w, int64_t *budget, const plan *type, uint64_t at,
                                   cursor *here)
{
    if (FLSI_UNLIKELY(at % 4 != 0 || at > w->last_word)) {
        return 0;
    }
    /* A position before the start wraps to one beyond any end. */
    uint64_t vtable = at - (uint64_t)(int64_t)(int32_t)flsi_load_le32(w->bytes + at);
    if (FLSI_UNLIKELY(vtable > w->last_word || vtable % 2 != 0)) {
        return 0;
    }
    const uint8_t *numbers = w->bytes + vtable;
    uint32_t sizes = flsi_load_le32(numbers);
    uint64_t vtable_bytes = sizes & 0xffff;
    uint64_t bytes = sizes >> 16;
    uint64_t room = w->size - vtable;
    if (FLSI_UNLIKELY((sizes & 0x80008001u) != 0 || vtable_bytes > room || bytes > w->size - at)) {
        return 0;
    }
    *budget -= w->table_cost + (int64_t)(vtable_bytes * 4 + bytes);
    if (FLSI_UNLIKELY(*budget < 0)) {
        return 0;
    }
    *here = (cursor){type->references, numbers, at, vtable_bytes};
    if (FLSI_UNLIKELY(room < type->lanes_bytes)) {
        return last_fields_are_sound(type, numbers, at);
    }
    return fields_are_sound(type, numbers, at);
}

/* ---- strings and vectors ---- */

#define STRING_COST 5u /* of a string in a vector, beside its content */

/* A message is less than 2^31 bytes, so that sums of positions and lengths (u32) do not overflow.
 * The budget pays for the content alone; enter_table did for the rest. */
FLSI_ALWAYS_INLINE int check_vector(const walk *w, int64_t *budget, uint64_t at,
                                    uint64_t element_bytes, uint64_t *count)
{
    if (FLSI_UNLIKELY(at % 4 != 0 || at > w->last_word)) {
        return 0;
    }
    uint64_t length = flsi_load_le32(w->bytes + at);
    uint64_t bytes = length * element_bytes;
    if (FLSI_UNLIKELY(bytes > w->last_word - at)) {
        return 0;
    }
    *count = length;
    *budget -= (int64_t)bytes;
    return 1;
}

FLSI_ALWAYS_INLINE int check_string(const walk *w, int64_t *budget, uint64_t at)
{
    if (FLSI_UNLIKELY(at % 4 != 0 || at > w->last_word)) {
        return 0;
    }
    uint64_t length = flsi_load_le32(w->bytes + at);
    *budget -= (int64_t)length;
    return length < w->last_word - at && w->bytes[at + 4 + length] == 0;
}

FLSI_ALWAYS_INLINE uint64_t element_target(const walk *w, uint64_t element)
{
    return element + flsi_load_le32(w->bytes + element);
}

FLSI_ALWAYS_INLINE int check_strings(const walk *w, int64_t *budget, uint64_t target)
{
    uint64_t count = 0;
    if (!check_vector(w, budget, target, 4, &count)) {
        return 0;
    }
    *budget -= (int64_t)(count * STRING_COST);
    for (uint64_t element = target + 4; count > 0; count--, element += 4) {
        if (!check_string(w, budget, element_target(w, element))) {
            return 0;
        }
    }
    return *budget >= 0;
}

/* ---- unions ---- */

FLSI_ALWAYS_INLINE uint64_t load_tag(const uint8_t *from, uint32_t bytes)
{
    return FLS_LIKELY(bytes == 1) ? from[0] : flsi_load_le_width(from, bytes);
}

/* Where the tag of a union, or the reference to its tags, stands; 0 when it is absent. */
FLSI_ALWAYS_INLINE uint64_t tag_place(const flsi_verify_reference *reference, const uint8_t *vtable,
                                      uint64_t at)
{
    uint64_t offset = flsi_load_le16(vtable + reference->place - 2);
    return offset != 0 ? at + offset : 0;
}

/* A union's tag; 0 when it is absent. */
FLSI_ALWAYS_INLINE uint64_t union_tag(const walk *w, const flsi_verify_reference *reference,
                                      const uint8_t *vtable, uint64_t at)
{
    uint64_t place = tag_place(reference, vtable, at);
    return place != 0 ? load_tag(w->bytes + place, reference->tag_bytes) : 0;
}

/* The rest of rules 7 and 8: a union's value is absent. */
static FLSI_NOINLINE int may_be_absent(const walk *w, const flsi_verify_reference *reference,
                                       const uint8_t *vtable, uint64_t at)
{
    if (reference->place - 2u >= flsi_load_le16(vtable)) {
        return 1; /* as is its tag */
    }
    return reference->kind == FLSI_UNION ? union_tag(w, reference, vtable, at) == 0
                                         : tag_place(reference, vtable, at) == 0;
}

/* A union's value, whatever it is. below is where a table's frame goes. */
static FLSI_NOINLINE int check_member(walk *w, uint32_t enumeration, uint64_t tag, uint64_t at,
                                      frame *below)
{
    const flsi_value *member = flsi_schema_value(w->schema, enumeration, (int64_t)tag);
    if (FLSI_UNLIKELY(at >= w->size && member != NULL && member->kind != 0)) {
        return 0;
    }
    switch (member != NULL ? member->kind : 0) {
    case FLSI_TABLE: return walk_from(w, &w->schema->verify_plan[member->object], at, below);
    case FLSI_STRING: w->budget -= STRING_COST; return check_string(w, &w->budget, at);
    case FLSI_STRUCT: {
        const flsi_object *object = &w->schema->objects[member->object];
        w->budget -= object->bytes;
        return at % object->alignment == 0 && object->bytes <= w->size - at;
    }
    default: return 1;
    }
}

static int check_union_vector(walk *w, const flsi_verify_reference *reference, uint64_t tags_place,
                              uint64_t target, frame *below)
{
    uint64_t count = 0;
    uint64_t tag_bytes = reference->tag_bytes;
    if (tags_place == 0 || !check_vector(w, &w->budget, target, 4, &count)) {
        return 0;
    }
    /* The vector of tags is a field of its own, and was found sound as such. */
    uint64_t tags = element_target(w, tags_place);
    if (flsi_load_le32(w->bytes + tags) != count) {
        return 0;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t tag = load_tag(w->bytes + tags + 4 + i * tag_bytes, reference->tag_bytes);
        if (!check_member(w, reference->enumeration, tag, element_target(w, target + 4 + 4 * i),
                          below)) {
            return 0;
        }
    }
    return w->budget >= 0;
}

/* ---- nested buffers ---- */

static int walk_root(walk *w, const plan *type, frame *bottom)
{
    if (FLSI_UNLIKELY(w->size < FLSI_VERIFY_LEAST)) {
        return 0;
    }
    uint64_t root = flsi_load_le32(w->bytes);
    w->budget -= 4;
    return root != 0 && walk_from(w, type, root, bottom);
}

/* The frame of the deepest table that a buffer may have whose root's is bottom. */
static frame *depth_limit(uint64_t max_depth, frame *bottom, const frame *last)
{
    uint64_t most = (uint64_t)(last - bottom);
    return bottom + (max_depth - 1 < most ? max_depth - 1 : most);
}

static int check_nested(walk *w, const plan *type, uint64_t target, frame *below)
{
    uint64_t size = 0;
    if (!check_vector(w, &w->budget, target, 1, &size) || w->budget < 0) {
        return 0;
    }
    walk inner = *w;
    inner.bytes = w->bytes + target + 4;
    inner.size = size;
    inner.last_word = size - 4;
    if (type == NULL) {
        fls_rule rule;
        uint64_t left = (uint64_t)w->budget;
        int is_sound = flsi_verify_flex(inner.bytes, size, &left, &rule);
        w->budget = (int64_t)left;
        return is_sound;
    }
    if (below > w->last_frame) {
        return 0;
    }
    inner.limit = depth_limit(w->max_depth, below, w->last_frame);
    int is_sound = walk_root(&inner, type, below);
    w->budget = inner.budget;
    return is_sound;
}

/* What is rare, by calls. */
static FLSI_NOINLINE int check_rare(walk *w, const flsi_verify_reference *reference,
                                    const uint8_t *vtable, uint64_t at, uint64_t target,
                                    frame *below)
{
    if (FLSI_UNLIKELY(target >= w->size)) {
        return 0;
    }
    switch (reference->kind) {
    case FLSI_UNION:
        return check_member(w, reference->enumeration, union_tag(w, reference, vtable, at), target,
                            below);
    case FLSI_UNION_VECTOR:
        return check_union_vector(w, reference, tag_place(reference, vtable, at), target, below);
    default: return check_nested(w, reference->of.table, target, below);
    }
}

/* ---- leaves ---- */

/* A reference of a leaf, which was found to lie in its table, at place. */
FLSI_ALWAYS_INLINE int check_plain(const walk *w, int64_t *budget,
                                   const flsi_verify_reference *reference, uint64_t place)
{
    uint64_t count;
    uint64_t distance = flsi_load_le32(w->bytes + place);
    uint64_t target = place + distance;
    uint32_t element_bytes = reference->element_bytes;
    if (FLSI_UNLIKELY(distance == 0)) {
        return 0;
    }
    if (element_bytes != 0) {
        return check_vector(w, budget, target, element_bytes, &count);
    }
    return reference->kind == FLSI_STRING ? check_string(w, budget, target)
                                          : check_strings(w, budget, target);
}

/* Whether a table that leads to no other one is sound. */
FLSI_ALWAYS_INLINE int check_leaf(const walk *w, int64_t *budget, const plan *type, uint64_t at)
{
    cursor leaf;
    if (FLSI_UNLIKELY(!enter_table(w, budget, type, at, &leaf))) {
        return 0;
    }
    for (; leaf.next->place < leaf.vtable_bytes; leaf.next++) {
        uint64_t offset = flsi_load_le16(leaf.vtable + leaf.next->place);
        if (offset != 0 && FLSI_UNLIKELY(!check_plain(w, budget, leaf.next, at + offset))) {
            return 0;
        }
    }
    return *budget >= 0;
}

/* One leaf, or what is left of a vector of them. */
FLSI_ALWAYS_INLINE int check_leaves(const walk *w, int64_t *budget, const descent *down)
{
    uint64_t element = down->element;
    uint64_t left = down->left;
    uint64_t at = left > 0 ? element_target(w, element) : down->at;
    while (FLS_LIKELY(check_leaf(w, budget, down->type, at))) {
        if (left <= 1) {
            return 1;
        }
        left--;
        element += 4;
        at = element_target(w, element);
    }
    return 0;
}

/* ---- the walk ---- */

typedef enum outcome { CHECKED, LEADS_DOWN, WRONG } outcome;

FLSI_ALWAYS_INLINE outcome sound_or_wrong(int is_sound)
{
    return FLS_LIKELY(is_sound) ? CHECKED : WRONG;
}

/* A union that leads to a table by a tag of one byte, as they mostly do; else it counts as rare. */
FLSI_ALWAYS_INLINE const plan *table_of_union(const walk *w, const flsi_verify_reference *reference,
                                              const cursor *here)
{
    uint64_t offset = flsi_load_le16(here->vtable + reference->place - 2);
    if (FLSI_UNLIKELY(offset == 0 || reference->tag_bytes != 1)) {
        return NULL;
    }
    uint64_t tag = w->bytes[here->at + offset];
    return tag < reference->member_count ? reference->of.members[tag] : NULL;
}

/* A reference that was found to lie in its table, at place. */
FLSI_ALWAYS_INLINE outcome check_reference(walk *w, int64_t *budget,
                                           const flsi_verify_reference *reference,
                                           const cursor *here, uint64_t place, frame *below,
                                           descent *down)
{
    uint64_t count;
    uint64_t distance = flsi_load_le32(w->bytes + place);
    uint64_t target = place + distance;
    uint32_t element_bytes = reference->element_bytes;
    if (FLSI_UNLIKELY(distance == 0)) {
        return WRONG;
    }
    if (FLS_LIKELY(element_bytes != 0)) {
        return sound_or_wrong(check_vector(w, budget, target, element_bytes, &count));
    }
    down->left = 0;
    if (reference->kind == FLSI_TABLE) {
        down->type = reference->of.table;
        down->at = target;
        return LEADS_DOWN;
    }
    if (reference->kind == FLSI_STRING) {
        return sound_or_wrong(check_string(w, budget, target));
    }
    if (reference->kind == FLSI_STRING_VECTOR) {
        return sound_or_wrong(check_strings(w, budget, target));
    }
    if (reference->kind == FLSI_TABLE_VECTOR) {
        down->type = reference->of.table;
        down->element = target + 4;
        return !check_vector(w, budget, target, 4, &down->left) ? WRONG
               : down->left > 0                                 ? LEADS_DOWN
                                                                : CHECKED;
    }
    if (reference->kind == FLSI_UNION) {
        down->type = table_of_union(w, reference, here);
        down->at = target;
        if (FLS_LIKELY(down->type != NULL)) {
            return LEADS_DOWN;
        }
    }
    w->budget = *budget;
    int is_sound = check_rare(w, reference, here->vtable, here->at, target, below);
    *budget = w->budget;
    return sound_or_wrong(is_sound);
}

/* Checks references until one leads to a table. */
FLSI_ALWAYS_INLINE outcome find_descent(walk *w, int64_t *budget, cursor *here, frame *below,
                                        descent *down)
{
    for (;;) {
        const flsi_verify_reference *reference = here->next;
        outcome found = CHECKED;
        if (reference->place >= here->vtable_bytes) {
            break;
        }
        uint64_t offset = flsi_load_le16(here->vtable + reference->place);
        here->next++;
        if (offset != 0) {
            found = check_reference(w, budget, reference, here, here->at + offset, below, down);
        } else if (FLSI_UNLIKELY(reference->tag_bytes != 0)) {
            found = sound_or_wrong(may_be_absent(w, reference, here->vtable, here->at));
        }
        if (found != CHECKED) {
            return found;
        }
    }
    /* Of one union the tag may still be in the vtable. */
    if (FLSI_UNLIKELY(here->next->tag_bytes != 0)) {
        return sound_or_wrong(may_be_absent(w, here->next, here->vtable, here->at));
    }
    return CHECKED;
}

/* Goes back to a table that led to another one; down is the rest of the vector, if that did. */
FLSI_ALWAYS_INLINE void restore(const frame *from, cursor *here, descent *down)
{
    here->next = from->next;
    here->vtable = from->vtable;
    here->at = from->at;
    here->vtable_bytes = flsi_load_le16(from->vtable);
    down->left = from->left;
}

/* Whether the table at `at`, whose frame is bottom, and all that it leads to is sound. */
static int walk_from(walk *w, const plan *type, uint64_t at, frame *bottom)
{
    frame *top = bottom;
    cursor here = {0};
    descent down = {type, at, 0, 0};
    int is_entered = 0;
    int64_t budget = w->budget; /* here it need not be stored each time */
    if (FLSI_UNLIKELY(bottom > w->limit)) {
        return 0;
    }
    for (;;) {
        if (!is_entered && FLSI_UNLIKELY(!enter_table(w, &budget, down.type, down.at, &here))) {
            return 0;
        }
        outcome found = find_descent(w, &budget, &here, top + 1, &down);
        if (FLSI_UNLIKELY(found == WRONG)) {
            return 0;
        }
        if (found == CHECKED) {
            if (top == bottom) {
                w->budget = budget;
                return 1;
            }
            restore(--top, &here, &down);
            is_entered = down.left == 0;
            if (is_entered) {
                continue;
            }
            down.type = here.next[-1].of.table;
            down.element = top->element;
        }
        if (FLSI_UNLIKELY(top == w->limit)) {
            return 0;
        }
        if (found == LEADS_DOWN && down.type->is_leaf) {
            if (FLSI_UNLIKELY(!check_leaves(w, &budget, &down))) {
                return 0;
            }
            is_entered = 1;
            continue;
        }
        if (down.left > 0) {
            down.at = element_target(w, down.element);
            down.left--;
            top->element = down.element + 4;
        }
        top->next = here.next;
        top->vtable = here.vtable;
        top->at = here.at;
        top->left = down.left;
        top++;
        is_entered = 0;
    }
}

int flsi_verify_quick(const fls_schema *schema, uint32_t root, const uint8_t *bytes, uint64_t size,
                      const flsi_verify_limits *limits)
{
    frame frames[FLSI_VERIFY_STACK_MOST];
    walk w;
    if (FLSI_UNLIKELY(schema->verify_plan == NULL)) {
        return 0;
    }
    w.bytes = bytes;
    w.size = size;
    w.last_word = size - 4;
    w.budget = (int64_t)limits->max_apparent_bytes;
    w.table_cost = (int64_t)limits->table_bytes;
    w.last_frame = frames + FLSI_VERIFY_STACK_MOST - 1;
    w.schema = schema;
    w.max_depth = limits->max_depth;
    w.limit = depth_limit(limits->max_depth, frames, w.last_frame);
    return walk_root(&w, &schema->verify_plan[root], frames) && w.budget >= 0;
}

#else

int flsi_verify_quick(const fls_schema *schema, uint32_t root, const uint8_t *bytes, uint64_t size,
                      const flsi_verify_limits *limits)
{
    (void)schema, (void)root, (void)bytes, (void)size, (void)limits;
    return 0;
}

#endif
