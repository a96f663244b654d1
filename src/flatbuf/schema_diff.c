/* Comparing two schemas from their roots: a queue of pairs of types, each pair once, so that types
 * that contain themselves end. */
#include "flatbuf/schema_diff.h"

#include <stdio.h>

#include "core/bytes.h"

/* ---- names and texts ---- */

const char *fls_compat_change_name(fls_compat_change change)
{
    switch (change) {
#define CHANGE_NAME(name, number, text) \
    case name: return #name;
        FLS_COMPAT_MAP(CHANGE_NAME)
#undef CHANGE_NAME
    }
    return "FLS_COMPAT_UNKNOWN";
}

const char *fls_compat_change_text(fls_compat_change change)
{
    switch (change) {
#define CHANGE_TEXT(name, number, text) \
    case name: return text;
        FLS_COMPAT_MAP(CHANGE_TEXT)
#undef CHANGE_TEXT
    }
    return "unknown change";
}

const char *fls_compat_effect_name(fls_compat_effect effect)
{
    switch (effect) {
    case FLS_COMPAT_FINE: return "fine";
    case FLS_COMPAT_UNSEEN: return "unseen";
    case FLS_COMPAT_CHANGED: return "changed";
    case FLS_COMPAT_BROKEN: return "broken";
    }
    return "unknown";
}

/* ---- findings ---- */

void flsi_diff_at(flsi_schema_diff *diff, const char *owner, const char *member)
{
    (void)snprintf(diff->where, sizeof diff->where, "%s%s%s", owner, member == NULL ? "" : ".",
                   member == NULL ? "" : member);
}

void flsi_diff_detail(flsi_schema_diff *diff, const char *before, const char *after)
{
    (void)snprintf(diff->detail, sizeof diff->detail, "%s, now %s", before, after);
}

void flsi_diff_found(flsi_schema_diff *diff, fls_compat_change change,
                     fls_compat_effect old_readers, fls_compat_effect new_readers, const char *why)
{
    if (diff->status != FLS_OK) {
        return;
    }
    fls_compat_result *result = &diff->result;
    result->findings++;
    result->old_readers = old_readers > result->old_readers ? old_readers : result->old_readers;
    result->new_readers = new_readers > result->new_readers ? new_readers : result->new_readers;
    if (diff->report != NULL) {
        fls_compat_finding finding = {.change = change,
                                      .old_readers = old_readers,
                                      .new_readers = new_readers,
                                      .where = diff->where,
                                      .detail = diff->detail,
                                      .why = why};
        if (diff->report(diff->self, &finding) != 0) {
            diff->status = FLS_STOPPED;
        }
    }
    diff->detail[0] = '\0';
}

void flsi_diff_type_names(flsi_schema_diff *diff, const char *old_name, const char *new_name)
{
    if (strcmp(old_name, new_name) != 0) {
        flsi_diff_at(diff, old_name, NULL);
        flsi_diff_detail(diff, old_name, new_name);
        flsi_diff_found(diff, FLS_COMPAT_TYPE_RENAMED, FLS_COMPAT_FINE, FLS_COMPAT_FINE,
                        "messages hold no names of types, but programs and JSON may");
    }
}

int flsi_diff_is_other(const flsi_schema_diff *diff, uint32_t old_object, uint32_t new_object)
{
    const char *old_name = diff->old_schema->objects[old_object].name;
    return strcmp(old_name, diff->new_schema->objects[new_object].name) != 0 &&
           flsi_schema_object_named(diff->new_schema, old_name) != FLS_SCHEMA_NONE;
}

/* ---- the queue ---- */

static uint32_t slot_of(const flsi_schema_diff *diff, const flsi_diff_pair *pair)
{
    uint64_t key =
        ((uint64_t)pair->old_index << 33) ^ ((uint64_t)pair->new_index << 1) ^ pair->is_enumeration;
    key *= UINT64_C(0x9E3779B97F4A7C15); /* Fibonacci hashing: Knuth, TAOCP 6.4 */
    return (uint32_t)(key >> 32) & diff->slot_mask;
}

void flsi_diff_later(flsi_schema_diff *diff, uint32_t is_enumeration, uint32_t old_index,
                     uint32_t new_index)
{
    flsi_diff_pair pair = {old_index, new_index, is_enumeration};
    uint32_t slot = slot_of(diff, &pair);
    while (diff->slots[slot] != 0) {
        const flsi_diff_pair *other = &diff->pairs[diff->slots[slot] - 1];
        if (other->old_index == old_index && other->new_index == new_index &&
            other->is_enumeration == is_enumeration) {
            return;
        }
        slot = (slot + 1) & diff->slot_mask;
    }
    if (diff->pair_count == diff->pair_most) {
        diff->status = diff->status == FLS_OK ? FLS_UNSUPPORTED : diff->status;
        return;
    }
    diff->pairs[diff->pair_count++] = pair;
    diff->slots[slot] = diff->pair_count;
}

static void compare_all(flsi_schema_diff *diff)
{
    for (uint32_t i = 0; i < diff->pair_count && diff->status == FLS_OK; i++) {
        const flsi_diff_pair *pair = &diff->pairs[i];
        if (pair->is_enumeration) {
            flsi_diff_enumerations(diff, pair->old_index, pair->new_index);
        } else {
            flsi_diff_objects(diff, pair->old_index, pair->new_index);
        }
    }
}

/* ---- roots ---- */

static void compare_roots(flsi_schema_diff *diff, uint32_t old_root, uint32_t new_root)
{
    if (flsi_diff_is_other(diff, old_root, new_root)) {
        diff->where[0] = '\0';
        flsi_diff_detail(diff, diff->old_schema->objects[old_root].name,
                         diff->new_schema->objects[new_root].name);
        flsi_diff_found(diff, FLS_COMPAT_ROOT, FLS_COMPAT_CHANGED, FLS_COMPAT_CHANGED,
                        "each takes the other's root for its own; what follows compares the two");
    }
    flsi_diff_later(diff, 0, old_root, new_root);
}

/* Only where the roots are those that the identifiers belong to. */
static void compare_identifiers(flsi_schema_diff *diff, uint32_t old_root, uint32_t new_root)
{
    const char *before = diff->old_schema->identifier;
    const char *after = diff->new_schema->identifier;
    if (old_root != diff->old_schema->root || new_root != diff->new_schema->root ||
        strcmp(before, after) == 0) {
        return;
    }
    diff->where[0] = '\0';
    flsi_diff_detail(diff, before[0] == '\0' ? "none" : before, after[0] == '\0' ? "none" : after);
    flsi_diff_found(diff, FLS_COMPAT_IDENTIFIER,
                    before[0] == '\0' ? FLS_COMPAT_FINE : FLS_COMPAT_BROKEN,
                    after[0] == '\0' ? FLS_COMPAT_FINE : FLS_COMPAT_BROKEN,
                    "readers that look for their identifier refuse messages without it");
}

static fls_status choose_root(const fls_schema *schema, uint32_t *root, fls_error *err)
{
    if (*root == FLS_SCHEMA_NONE) {
        *root = schema->root;
    }
    if (*root == FLS_SCHEMA_NONE) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "a schema without a root_type: a root has to be named");
    }
    if (*root >= schema->object_count || schema->objects[*root].is_struct) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a root that is no table");
    }
    return FLS_OK;
}

/* ---- all of it ---- */

/* Schemas that have anything to do with each other pair each type with one, seldom with a few. */
static uint32_t most_pairs(const fls_schema *old_schema, const fls_schema *new_schema)
{
    return 4 * (old_schema->object_count + old_schema->enumeration_count +
                new_schema->object_count + new_schema->enumeration_count) +
           64; /* counts are below 2^26 */
}

fls_status fls_schema_compare(const fls_schema *old_schema, uint32_t old_root,
                              const fls_schema *new_schema, uint32_t new_root,
                              fls_compat_report *report, void *self, fls_compat_result *result,
                              const fls_allocator *allocator, fls_error *err)
{
    flsi_schema_diff diff = {.old_schema = old_schema,
                             .new_schema = new_schema,
                             .report = report,
                             .self = self,
                             .pair_most = most_pairs(old_schema, new_schema)};
    fls_status status = choose_root(old_schema, &old_root, err);
    if (status == FLS_OK) {
        status = choose_root(new_schema, &new_root, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    allocator = allocator == NULL ? fls_allocator_libc() : allocator;
    uint32_t slot_count = 128;
    while (slot_count < 2 * diff.pair_most) {
        slot_count *= 2;
    }
    uint64_t bytes = (uint64_t)diff.pair_most * sizeof *diff.pairs + (uint64_t)slot_count * 4;
    void *block =
        bytes > SIZE_MAX / 2 ? NULL : allocator->resize(allocator->self, NULL, 0, (size_t)bytes);
    if (block == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to compare schemas");
    }
    memset(block, 0, (size_t)bytes);
    diff.pairs = block;
    diff.slots = (uint32_t *)(diff.pairs + diff.pair_most);
    diff.slot_mask = slot_count - 1;
    compare_identifiers(&diff, old_root, new_root);
    compare_roots(&diff, old_root, new_root);
    compare_all(&diff);
    allocator->free(allocator->self, block, (size_t)bytes);
    if (result != NULL) {
        *result = diff.result;
    }
    if (diff.status != FLS_OK) {
        return fls_error_set(err, diff.status, 0,
                             diff.status == FLS_STOPPED ? "stopped by the callback"
                                                        : "schemas too entangled to be compared");
    }
    return FLS_OK;
}
