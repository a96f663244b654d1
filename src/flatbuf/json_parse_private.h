/* What the files of the JSON parser share.
 *
 *   json_parse.c         the calls: new, free, parse
 *   json_parse_state.c   memory and errors
 *   json_parse_names.c   fields and enumerators by their names
 *   json_parse_text.c    white space, strings, values that are passed over
 *   json_parse_scalar.c  numbers, booleans, enumerators
 *   json_parse_struct.c  structs, and arrays in them
 *   json_parse_table.c   tables and unions
 *   json_parse_vector.c  vectors and nested messages
 *   json_parse_sort.c    order by key
 *
 * A FlatBuffer is built from the leaves up while its text comes from the root down. So strings,
 * vectors and tables go to the builder as soon as they are read, and what stays inline in an open
 * table waits on a stack of bytes until the table's brace closes. On that stack lie, for each open
 * object from the outermost to the innermost:
 *
 *   table    [fields seen, if more than 64][state of each union u64][entry, its bytes] ...
 *   vector   the elements so far, as the builder wants them
 *   struct   its bytes, in the entry or vector that it belongs to
 *
 * The stack moves when it grows, so places on it are offsets.
 *
 * The text is copied first, with FLSI_PARSE_PADDING zeros behind it. No function here goes past a
 * zero, and none needs to ask where the end is.
 *
 * Functions that read take the place where what they read begins and return the one behind it, or
 * NULL after a failure, which is then described in the parser.
 */
#ifndef FLSI_FLATBUF_JSON_PARSE_PRIVATE_H
#define FLSI_FLATBUF_JSON_PARSE_PRIVATE_H

#include "core/bytes.h"
#include "flatbuf/schema_private.h"
#include "flatstream/builder.h"
#include "flatstream/json.h"

#define FLSI_PARSE_PADDING 32u

/* Structs in structs; there is no such limit in FlatBuffers. */
#define FLSI_PARSE_MOST_STRUCTS 1000u

/* Where a value is: a chain through the open objects, from the innermost. */
typedef struct flsi_parse_frame {
    const struct flsi_parse_frame *up;
    const char *name; /* of the member; NULL: an element */
    size_t number;    /* the name's bytes, or the element's index */
} flsi_parse_frame;

/* What a key looks like in the text, and which one came after it the last time. */
typedef struct flsi_parse_key {
    const uint8_t *quoted; /* the name, a quote, a colon, and zeros to a multiple of 8 */
    uint32_t bytes;        /* without the zeros; 0: does not stand in a text like this */
    uint32_t next;         /* index in the schema's fields */
    uint64_t first;        /* the first 8 bytes */
    uint64_t mask;         /* what of them counts */
    uint32_t union_place;  /* of a union and its tag: which of the table's unions it is */
    uint32_t reserved;
} flsi_parse_key;

typedef struct flsi_parse_object {
    uint32_t first; /* the field that came first the last time */
    uint32_t union_count;
} flsi_parse_object;

/* A field of an open table, with `bytes` more behind it, a multiple of 16: a struct, or the tags of
 * a vector of unions. */
typedef struct flsi_parse_entry {
    uint32_t field; /* index in the schema's fields */
    uint32_t bytes;
    uint64_t bits; /* a scalar's, or a reference's position */
} flsi_parse_entry;

struct fls_json_parser {
    const fls_schema *schema;
    fls_builder *builder; /* of the innermost message that is open */
    const flsi_parse_frame *frame;
    uint8_t *stack;
    size_t used;
    size_t stack_bytes;
    flsi_parse_key *keys;       /* of each field */
    flsi_parse_object *objects; /* of each object */
    uint32_t *names; /* open addressing: 1 + index of a field, or of a value after them */
    uint32_t name_mask;
    uint32_t lenient;
    uint32_t with_defaults;
    uint32_t depth; /* tables open */
    uint32_t max_depth;
    uint32_t struct_depth;
    uint32_t message_alignment; /* that nested messages may ask for */
    uint32_t level;             /* nested messages open */
    uint8_t *text;
    size_t text_bytes;
    const uint8_t *end;
    fls_status status;
    const char *reason;
    const uint8_t *at; /* where it failed */
    char path[240];
    uint32_t root;
    uint32_t level_count;   /* builders that there are */
    fls_builder **builders; /* one a level, kept */
    const char *identifier; /* of the message, or NULL */
    char identifier_bytes[4];
    const fls_allocator *allocator;
    void *block; /* keys, objects, names */
    size_t block_bytes;
};

/* ---- json_parse_state.c ---- */

/* What is wrong at a place in the text, with the path of the frames. Returns NULL. */
const uint8_t *flsi_parse_fail(fls_json_parser *p, const uint8_t *at, const char *reason);

/* The same when it is not the text's fault. */
const uint8_t *flsi_parse_fail_status(fls_json_parser *p, const uint8_t *at, fls_status status,
                                      const char *reason);

/* The builder has failed. */
const uint8_t *flsi_parse_fail_builder(fls_json_parser *p, const uint8_t *at);

/* Something else stands where `wanted` should; says so if it is the end of the text. */
const uint8_t *flsi_parse_unexpected(fls_json_parser *p, const uint8_t *at, const char *wanted);

/* Makes room for bytes on top of the stack; 0 after a failure at `at`. */
int flsi_parse_grow(fls_json_parser *p, size_t bytes, const uint8_t *at);

FLSI_ALWAYS_INLINE int flsi_parse_ensure(fls_json_parser *p, size_t bytes, const uint8_t *at)
{
    return FLS_LIKELY(p->stack_bytes - p->used >= bytes) || flsi_parse_grow(p, bytes, at);
}

/* ---- json_parse_names.c ---- */

/* Bytes of the block with keys, objects and names; and filling it. */
size_t flsi_parse_names_bytes(const fls_schema *schema);
void flsi_parse_names_build(fls_json_parser *p);

/* The field of an object, or the value of an enumeration, NULL when there is none. */
const flsi_field *flsi_parse_find_field(const fls_json_parser *p, uint32_t object, const void *name,
                                        size_t bytes);
const flsi_value *flsi_parse_find_value(const fls_json_parser *p, uint32_t enumeration,
                                        const void *name, size_t bytes);

/* Reads a key that is not the expected one, from its quote to behind its colon. *field is NULL for
 * a name that the object does not have. The frame is given the name. */
const uint8_t *flsi_parse_key_slow(fls_json_parser *p, const uint8_t *at, uint32_t object,
                                   uint32_t guess, flsi_parse_frame *frame,
                                   const flsi_field **field);

/* ---- json_parse_text.c ---- */

const uint8_t *flsi_parse_space_slow(const uint8_t *at);

/* Replaces comments by spaces. */
void flsi_parse_blank_comments(uint8_t *text);

/* Reads a string from behind its quote. The text lies in the parser's text or on top of the stack,
 * until something is pushed there. */
const uint8_t *flsi_parse_string(fls_json_parser *p, const uint8_t *at, const uint8_t **text,
                                 size_t *bytes);

/* The end of a name without quotes, which lenient text may have. */
const uint8_t *flsi_parse_bare_name(const uint8_t *at);

/* Passes over any value. */
const uint8_t *flsi_parse_skip(fls_json_parser *p, const uint8_t *at);

/* ---- json_parse_scalar.c ---- */

/* Bits as a schema's defaults have them. */
const uint8_t *flsi_parse_scalar(fls_json_parser *p, const uint8_t *at, fls_type type,
                                 uint32_t enumeration, uint64_t *bits);

/* Elements from behind the bracket to behind the closing one, pushed on the stack in the host's
 * byte order. */
const uint8_t *flsi_parse_scalars(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                                  size_t *count);

/* ---- json_parse_struct.c ---- */

/* Fills the bytes of a struct, which are on the stack and zero. */
const uint8_t *flsi_parse_struct(fls_json_parser *p, const uint8_t *at, uint32_t index,
                                 size_t place);

/* ---- json_parse_table.c ---- */

const uint8_t *flsi_parse_table(fls_json_parser *p, const uint8_t *at, uint32_t index,
                                fls_ref *ref);

/* A union's value, also as an element. */
const uint8_t *flsi_parse_union(fls_json_parser *p, const uint8_t *at, uint32_t enumeration,
                                uint8_t tag, fls_ref *ref);

const uint8_t *flsi_parse_text(fls_json_parser *p, const uint8_t *at, fls_ref *ref);

/* ---- json_parse_vector.c ---- */

/* Any vector but one of unions or their tags. */
const uint8_t *flsi_parse_vector(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                                 fls_ref *ref);

/* A vector of unions, whose tags lie on the stack. */
const uint8_t *flsi_parse_unions(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                                 size_t tags, size_t count, fls_ref *ref);

const uint8_t *flsi_parse_nested(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                                 fls_ref *ref);

/* ---- json_parse_sort.c ---- */

/* Sorts the count references, or structs, at a place on the stack by the key of their table or
 * struct, keeping the order of equal ones. 0 after a failure. */
int flsi_parse_sort(fls_json_parser *p, const flsi_field *vector, size_t place, size_t count,
                    const uint8_t *at);

/* ---- small steps ---- */

/* The place of the lowest bit that is set, of which there is one. */
FLSI_ALWAYS_INLINE unsigned flsi_parse_lowest(uint64_t bits)
{
#if defined(__GNUC__) || defined(__clang__)
    return (unsigned)__builtin_ctzll(bits);
#else
    unsigned place = 0;
    while ((bits >> place & 1) == 0) {
        place++;
    }
    return place;
#endif
}

/* Passes over white space. */
FLSI_ALWAYS_INLINE const uint8_t *flsi_parse_space(const uint8_t *at)
{
    if (FLS_LIKELY(at[0] > ' ')) {
        return at;
    }
    if (FLS_LIKELY(at[0] == ' ' && at[1] > ' ')) {
        return at + 1;
    }
    return flsi_parse_space_slow(at);
}

FLSI_ALWAYS_INLINE int flsi_parse_is_null(const uint8_t *at)
{
    return *at == 'n' && flsi_load_le32(at) == UINT32_C(0x6C6C756E);
}

FLSI_ALWAYS_INLINE void flsi_parse_enter(fls_json_parser *p, flsi_parse_frame *frame)
{
    frame->up = p->frame;
    frame->name = "";
    frame->number = 0;
    p->frame = frame;
}

FLSI_ALWAYS_INLINE void flsi_parse_leave(fls_json_parser *p, const flsi_parse_frame *frame)
{
    p->frame = frame->up;
}

FLSI_ALWAYS_INLINE void flsi_parse_name(flsi_parse_frame *frame, const flsi_field *field)
{
    frame->name = field->name;
    frame->number = field->name_bytes;
}

/* Whether the text goes on like the key, and if so, behind its quote. */
FLSI_ALWAYS_INLINE int flsi_parse_is_key(const uint8_t *at, const flsi_parse_key *key)
{
    if ((flsi_load_le64(at) & key->mask) != key->first) {
        return 0;
    }
    for (uint32_t i = 8; i < key->bytes; i += 8) {
        uint32_t left = key->bytes - i;
        uint64_t differ = flsi_load_le64(at + i) ^ flsi_load_le64(key->quoted + i);
        if (left < 8) {
            differ <<= 8 * (8 - left);
        }
        if (differ != 0) {
            return 0;
        }
    }
    return 1;
}

/* Reads a key and its colon, to the value. *guess is where the expected field stands, and is moved
 * to where the next one will. */
FLSI_ALWAYS_INLINE const uint8_t *flsi_parse_member(fls_json_parser *p, const uint8_t *at,
                                                    uint32_t object, uint32_t **guess,
                                                    flsi_parse_frame *frame,
                                                    const flsi_field **field)
{
    if (FLS_LIKELY(*at == '"' && **guess != FLS_SCHEMA_NONE)) {
        const flsi_parse_key *key = &p->keys[**guess];
        if (FLS_LIKELY(flsi_parse_is_key(at + 1, key))) {
            *field = &p->schema->fields[**guess];
            *guess = &p->keys[**guess].next;
            flsi_parse_name(frame, *field);
            return flsi_parse_space(at + 1 + key->bytes);
        }
    }
    at = flsi_parse_key_slow(p, at, object, **guess, frame, field);
    if (at != NULL && *field != NULL) {
        **guess = (uint32_t)(*field - p->schema->fields);
        *guess = &p->keys[**guess].next;
    }
    return at;
}

/* Behind a member or element: 1 to go on with the next one, 0 behind the closing bracket, -1 after
 * a failure. */
FLSI_ALWAYS_INLINE int flsi_parse_more(fls_json_parser *p, const uint8_t **at, uint8_t closing)
{
    const uint8_t *next = flsi_parse_space(*at);
    if (FLS_LIKELY(*next == ',')) {
        *at = flsi_parse_space(next + 1);
        if (FLSI_UNLIKELY(**at == closing && p->lenient)) {
            *at += 1;
            return 0;
        }
        return 1;
    }
    if (FLS_LIKELY(*next == closing)) {
        *at = next + 1;
        return 0;
    }
    (void)flsi_parse_unexpected(p, next,
                                closing == '}' ? "neither a comma nor a closing brace"
                                               : "neither a comma nor a closing bracket");
    return -1;
}

#endif
