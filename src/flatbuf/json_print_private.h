/* Printing messages as JSON: what its files share.
 *
 *   json_print.c        the calls, and the walk over a message
 *   json_print_plan.c   what is known before the first message: texts of keys and names, rooms
 *   json_print_text.c   strings, scalars and rows of them
 *
 * Text is written at a cursor that is handed from function to function and returned, NULL after a
 * failure, which is then noted in the printer. Every function asks for the room that it needs
 * (flsi_json_room), once for a whole field where that is bounded; nothing counts bytes. What is
 * written may reach FLSI_JSON_SLACK bytes past the end of the text.
 *
 * A key comes with the comma in front of it, an element with the comma behind: the first or last
 * is overwritten by the bracket.
 */
#ifndef FLSI_FLATBUF_JSON_PRINT_PRIVATE_H
#define FLSI_FLATBUF_JSON_PRINT_PRIVATE_H

#include "core/bytes.h"
#include "flatbuf/decimal_digits.h"
#include "flatbuf/schema_private.h"
#include "flatstream/json.h"

#define FLSI_JSON_SLACK                                                       \
    64u /* at least FLSI_DECIMAL_ROOM, and the words that texts are copied in \
         */

#define FLSI_JSON_MOST_DEPTH 1000u

/* Of a number, with what follows it: -2.2250738585072014e-308 */
#define FLSI_JSON_NUMBER_BYTES 26u

/* What is printed for a scalar that has an enumeration. */
typedef enum flsi_json_names {
    FLSI_JSON_NUMBERS = 0,
    FLSI_JSON_NAMES = 1,
    FLSI_JSON_FLAGS = 2
} flsi_json_names;

/* A text in the printer's own block, where FLSI_JSON_SLACK bytes may be read behind it. */
typedef struct flsi_json_text {
    const char *text;
    uint32_t bytes;
} flsi_json_text;

/* A field that is printed. */
typedef struct flsi_json_field {
    uint32_t place;   /* as in flsi_field */
    uint8_t kind;     /* flsi_kind */
    uint8_t type;     /* fls_type of the scalar or of elements */
    uint8_t names;    /* flsi_json_names */
    uint8_t optional; /* no default */
    const char *key;  /* ,"name": */
    uint32_t key_bytes;
    uint32_t room;          /* of the key, and of a scalar */
    uint32_t element_bytes; /* of vectors and arrays */
    uint32_t element_room;  /* of a scalar in them */
    uint32_t object;
    uint32_t enumeration;
    uint32_t length;    /* of arrays */
    uint32_t tag_place; /* of unions */
    uint64_t default_bits;
} flsi_json_field;

/* The fields of an object that are printed. */
typedef struct flsi_json_object {
    uint32_t first;
    uint32_t count;
} flsi_json_object;

struct fls_json_printer {
    char *text;
    char *limit; /* of what is asked for; FLSI_JSON_SLACK bytes follow */
    size_t text_bytes;
    const uint8_t *payload_end; /* of the message being printed */
    fls_status failure;
    const char *why;
    uint32_t depth;
    uint32_t with_defaults;
    const flsi_json_object *objects; /* by the index in the schema */
    const flsi_json_field *fields;
    const flsi_json_text *names; /* "Name" of the schema's values, by their index */
    const fls_schema *schema;
    uint32_t root;
    uint32_t is_verified;
    uint32_t numbers_for_enums;
    const fls_allocator *allocator;
    void *plan;
    size_t plan_bytes;
    uint32_t byte_texts[256]; /* 255, as it lies in memory */
    uint8_t byte_text_bytes[256];
};

/* Makes the plan. FLS_NO_MEMORY when there is none. */
fls_status flsi_json_plan(fls_json_printer *p);

/* Moves the text to where there are `bytes` behind the cursor. */
char *flsi_json_grow(fls_json_printer *p, const char *at, size_t bytes);

char *flsi_json_fail(fls_json_printer *p, fls_status status, const char *why);

FLSI_ALWAYS_INLINE char *flsi_json_room(fls_json_printer *p, char *at, size_t bytes)
{
    if (FLSI_UNLIKELY((size_t)(p->limit - at) < bytes)) {
        return flsi_json_grow(p, at, bytes);
    }
    return at;
}

/* Copies a text of the plan; most are short. */
FLSI_ALWAYS_INLINE char *flsi_json_put(char *to, const char *text, uint32_t bytes)
{
    FLSI_COPY(to, text, 32);
    if (FLSI_UNLIKELY(bytes > 32)) {
        memcpy(to, text, bytes);
    }
    return to + bytes;
}

/* A string with its quotes. Asks for room itself, also for what follows a field. */
char *flsi_json_string(fls_json_printer *p, char *at, const uint8_t *string, size_t bytes);

/* A scalar where there is room for it: `field` says type and names. */
char *flsi_json_scalar(const fls_json_printer *p, char *at, const flsi_json_field *field,
                       const uint8_t *from);

/* Elements with their brackets. Asks for room itself. */
char *flsi_json_scalars(fls_json_printer *p, char *at, const flsi_json_field *field,
                        const uint8_t *from, uint32_t count);

/* A whole number of any type, sign- or zero-extended. */
FLSI_ALWAYS_INLINE int64_t flsi_json_whole(uint8_t type, const uint8_t *from)
{
    switch (type) {
    case FLS_TYPE_I8: return (int8_t)*from;
    case FLS_TYPE_I16: return (int16_t)flsi_load_le16(from);
    case FLS_TYPE_U16: return flsi_load_le16(from);
    case FLS_TYPE_I32: return (int32_t)flsi_load_le32(from);
    case FLS_TYPE_U32: return flsi_load_le32(from);
    case FLS_TYPE_I64:
    case FLS_TYPE_U64: return (int64_t)flsi_load_le64(from);
    default: return *from;
    }
}

#endif
