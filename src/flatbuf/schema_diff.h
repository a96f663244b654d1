/* What the files of fls_schema_compare share.
 *
 *   schema_diff.c         the queue of pairs, reporting, roots and identifiers
 *   schema_diff_fields.c  two tables, or two structs
 *   schema_diff_values.c  two enums, or two unions
 */
#ifndef FLSI_FLATBUF_SCHEMA_DIFF_H
#define FLSI_FLATBUF_SCHEMA_DIFF_H

#include "flatbuf/schema_private.h"
#include "flatstream/schema_compat.h"

/* Two names with a dot, and two of those with some words. */
#define FLSI_DIFF_WHERE_BYTES  (2 * FLSI_SCHEMA_NAME_MOST + 2)
#define FLSI_DIFF_DETAIL_BYTES (2 * FLSI_SCHEMA_NAME_MOST + 64)

/* Two objects, or two enumerations, that stand for each other. */
typedef struct flsi_diff_pair {
    uint32_t old_index;
    uint32_t new_index;
    uint32_t is_enumeration;
} flsi_diff_pair;

typedef struct flsi_schema_diff {
    const fls_schema *old_schema;
    const fls_schema *new_schema;
    fls_compat_report *report;
    void *self;
    fls_compat_result result;
    fls_status status; /* anything but FLS_OK: nothing happens any more */
    flsi_diff_pair *pairs;
    uint32_t pair_count;
    uint32_t pair_most;
    uint32_t *slots; /* a hash table of indices in pairs, + 1 */
    uint32_t slot_mask;
    char where[FLSI_DIFF_WHERE_BYTES];
    char detail[FLSI_DIFF_DETAIL_BYTES];
} flsi_schema_diff;

/* What a finding means to both sides. */
typedef struct flsi_diff_effects {
    fls_compat_effect old_readers;
    fls_compat_effect new_readers;
} flsi_diff_effects;

/* Says what the next findings are about: a type, or a member of one (NULL: none). */
void flsi_diff_at(flsi_schema_diff *diff, const char *owner, const char *member);

/* "before, now after". */
void flsi_diff_detail(flsi_schema_diff *diff, const char *before, const char *after);

/* Hands a finding on; forgets the detail. */
void flsi_diff_found(flsi_schema_diff *diff, fls_compat_change change,
                     fls_compat_effect old_readers, fls_compat_effect new_readers, const char *why);

/* Has two objects or enumerations compared later, once. */
void flsi_diff_later(flsi_schema_diff *diff, uint32_t is_enumeration, uint32_t old_index,
                     uint32_t new_index);

/* Reports that a type has another name. */
void flsi_diff_type_names(flsi_schema_diff *diff, const char *old_name, const char *new_name);

/* Whether the new schema has the old type still, but means another one here. */
int flsi_diff_is_other(const flsi_schema_diff *diff, uint32_t old_object, uint32_t new_object);

void flsi_diff_objects(flsi_schema_diff *diff, uint32_t old_index, uint32_t new_index);
void flsi_diff_enumerations(flsi_schema_diff *diff, uint32_t old_index, uint32_t new_index);

#endif
