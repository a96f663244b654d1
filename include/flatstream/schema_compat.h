/* Whether a schema can take the place of another: what readers of the old one get from messages of
 * the new one, and readers of the new one from messages of the old one. */
#ifndef FLATSTREAM_SCHEMA_COMPAT_H
#define FLATSTREAM_SCHEMA_COMPAT_H

#include "flatstream/schema.h"

FLS_BEGIN_DECLS

/* What a change means to one side's readers; the larger, the worse. */
typedef enum fls_compat_effect {
    FLS_COMPAT_FINE = 0,    /* everything reads as it was written */
    FLS_COMPAT_UNSEEN = 1,  /* something is not seen, or is a number without a name */
    FLS_COMPAT_CHANGED = 2, /* something may read as another value than was written */
    FLS_COMPAT_BROKEN = 3   /* messages may be refused, or bytes taken for what they are not */
} fls_compat_effect;

/* X(name, number, text). Numbers are pinned and never reused. */
#define FLS_COMPAT_MAP(X)                                                 \
    X(FLS_COMPAT_FIELD_ADDED, 1, "field added")                           \
    X(FLS_COMPAT_FIELD_REMOVED, 2, "field removed")                       \
    X(FLS_COMPAT_FIELD_RENAMED, 3, "field renamed")                       \
    X(FLS_COMPAT_FIELD_MOVED, 4, "field moved to another id")             \
    X(FLS_COMPAT_FIELD_REUSED, 5, "id given to another field")            \
    X(FLS_COMPAT_FIELD_TYPE, 6, "type of a field changed")                \
    X(FLS_COMPAT_FIELD_DEFAULT, 7, "default changed")                     \
    X(FLS_COMPAT_FIELD_OPTIONAL, 8, "null made possible or impossible")   \
    X(FLS_COMPAT_FIELD_REQUIRED, 9, "field made required")                \
    X(FLS_COMPAT_FIELD_NOT_REQUIRED, 10, "field no longer required")      \
    X(FLS_COMPAT_FIELD_DEPRECATED, 11, "field deprecated")                \
    X(FLS_COMPAT_FIELD_REVIVED, 12, "field no longer deprecated")         \
    X(FLS_COMPAT_FIELD_CONTENT, 13, "what is inside of bytes changed")    \
    X(FLS_COMPAT_FIELD_ALIGNMENT, 14, "alignment of a vector changed")    \
    X(FLS_COMPAT_KEY, 15, "vectors sorted by another key")                \
    X(FLS_COMPAT_VALUE_ADDED, 16, "enum value added")                     \
    X(FLS_COMPAT_VALUE_REMOVED, 17, "enum value removed")                 \
    X(FLS_COMPAT_VALUE_RENAMED, 18, "enum value renamed")                 \
    X(FLS_COMPAT_VALUE_RENUMBERED, 19, "enum value renumbered")           \
    X(FLS_COMPAT_ENUM_NAMES, 20, "numbers got names or lost them")        \
    X(FLS_COMPAT_MEMBER_ADDED, 21, "union member added")                  \
    X(FLS_COMPAT_MEMBER_REMOVED, 22, "union member removed")              \
    X(FLS_COMPAT_MEMBER_RENAMED, 23, "union member renamed")              \
    X(FLS_COMPAT_MEMBER_MOVED, 24, "union member moved to another value") \
    X(FLS_COMPAT_MEMBER_TYPE, 25, "type of a union member changed")       \
    X(FLS_COMPAT_STRUCT_LAYOUT, 26, "layout of a struct changed")         \
    X(FLS_COMPAT_TYPE_RENAMED, 27, "type renamed")                        \
    X(FLS_COMPAT_ROOT, 28, "another type is the root")                    \
    X(FLS_COMPAT_IDENTIFIER, 29, "file identifier changed")

typedef enum fls_compat_change {
#define FLS_COMPAT_ENUMERATOR(name, number, text) name = number,
    FLS_COMPAT_MAP(FLS_COMPAT_ENUMERATOR)
#undef FLS_COMPAT_ENUMERATOR
} fls_compat_change;

/* Static strings; never NULL. An effect is "fine", "unseen", "changed" or "broken". */
FLS_API const char *fls_compat_change_name(fls_compat_change change);
FLS_API const char *fls_compat_change_text(fls_compat_change change);
FLS_API const char *fls_compat_effect_name(fls_compat_effect effect);

/* One difference. What it points to lives until the call that it is given to returns. */
typedef struct fls_compat_finding {
    fls_compat_change change;
    fls_compat_effect old_readers; /* of new messages */
    fls_compat_effect new_readers; /* of old messages */
    uint32_t reserved;
    const char *where;  /* "telemetry.Pose.position", by the old names where there are any; "" for
                           the schemas themselves */
    const char *detail; /* what there was and what there is: "u32, now string"; may be "" */
    const char *why;    /* what readers make of it, a sentence without a full stop */
} fls_compat_finding;

/* Anything but 0 ends the comparison with FLS_STOPPED. */
typedef int fls_compat_report(void *self, const fls_compat_finding *finding);

/* The worst of all findings, and how many there are. */
typedef struct fls_compat_result {
    fls_compat_effect old_readers;
    fls_compat_effect new_readers;
    uint64_t findings;
} fls_compat_result;

/* Compares the two roots (tables; FLS_SCHEMA_NONE: the schema's own) and everything that they
 * lead to, each pair of types once. report (may be NULL) gets each finding, result (may be NULL)
 * what they come to. FLS_OK also when nothing fits; FLS_INVALID_ARGUMENT without a root;
 * FLS_NO_MEMORY; FLS_UNSUPPORTED for schemas so entangled that each type would be compared with
 * many others. allocator may be NULL; nothing of it is kept. */
FLS_API FLS_MUST_USE fls_status fls_schema_compare(const fls_schema *old_schema, uint32_t old_root,
                                                   const fls_schema *new_schema, uint32_t new_root,
                                                   fls_compat_report *report, void *self,
                                                   fls_compat_result *result,
                                                   const fls_allocator *allocator, fls_error *err);

FLS_END_DECLS

#endif
