/* What paths and conditions are compiled to: flat arrays in one block, walked without recursion.
 *
 *   path_compile.c     names and indices to steps
 *   path_walk.h        steps over a message, each checked against its bounds
 *   path.c             paths, and values as text
 *   predicate_parse.c  conditions to operations
 *   predicate_literal.c  constants to ranges of what they are compared with
 *   predicate.c        operations over a message
 */
#ifndef FLSI_FLATBUF_QUERY_PRIVATE_H
#define FLSI_FLATBUF_QUERY_PRIVATE_H

#include "flatbuf/decimal.h"
#include "flatbuf/schema_private.h"
#include "flatstream/query.h"

/* How deep [*], any() and all() may stand in each other, and parentheses and ! in each other. */
#define FLSI_LOOP_MOST  4u
#define FLSI_DEPTH_MOST 64u

/* How many elements an evaluation may visit, where 16 bytes of text that are looked at count as one
 * element: the larger of a number and so many for each byte of the message. */
#define FLSI_VISITS_LEAST    (UINT64_C(1) << 20)
#define FLSI_VISITS_PER_BYTE 16u

typedef enum flsi_step_code {
    FLSI_STEP_FIELD = 1,     /* a table: to a field's bytes in it */
    FLSI_STEP_FOLLOW,        /* a reference: to where it leads */
    FLSI_STEP_MEMBER,        /* a struct or array: by so many bytes */
    FLSI_STEP_ELEMENT,       /* a vector: to an element */
    FLSI_STEP_UNION,         /* a table: to a union's reference, minding its tag */
    FLSI_STEP_UNION_ELEMENT, /* a table: to the reference of a union in a vector, minding its tag */
    FLSI_STEP_IS,            /* stay when the tag minded is that one */
    FLSI_STEP_NESTED         /* a vector of bytes: to the root table of the message in it */
} flsi_step_code;

typedef struct flsi_step {
    uint8_t code;
    uint8_t tag_bytes;  /* UNION, UNION_ELEMENT, IS: of a tag */
    uint16_t tag_place; /* UNION, UNION_ELEMENT: vtable entry of the tag, or of the tags */
    uint32_t place;     /* FIELD, UNION, UNION_ELEMENT: vtable entry; MEMBER: bytes */
    uint32_t bytes;     /* that have to be there, at the place arrived at */
    uint32_t reserved;
    int64_t index; /* of an ELEMENT, from the end when negative; IS: the tag */
} flsi_step;

typedef enum flsi_path_end {
    FLSI_END_SCALAR = 1,
    FLSI_END_STRING, /* at its length */
    FLSI_END_LENGTH, /* at a vector or string, to read its length */
    FLSI_END_FIXED,  /* the length of an array: default_bits */
    FLSI_END_OBJECT
} flsi_path_end;

typedef struct flsi_path {
    uint32_t first_step;
    uint32_t step_count;
    uint8_t origin; /* 0: the root table; n: the element of loop n - 1 */
    uint8_t end;    /* flsi_path_end */
    uint8_t type;   /* fls_type of a scalar */
    uint8_t has_default;
    uint32_t enumeration;
    uint64_t default_bits;
} flsi_path;

/* A walk over the elements of a vector or array. */
typedef struct flsi_loop {
    uint32_t path; /* to the vector, the array, or the table that has a vector of unions */
    uint32_t slot; /* which element it is, for the paths that start there */
    uint32_t is_array;
    uint32_t count;    /* of an array */
    flsi_step element; /* with the index as it goes; of an array only bytes */
} flsi_loop;

typedef enum flsi_op_code {
    FLSI_OP_CONSTANT = 1, /* a: 0 or 1 */
    FLSI_OP_TEST,         /* path a in one of the c ranges from b */
    FLSI_OP_TEXT,         /* path a, relation, the c texts from b */
    FLSI_OP_MASK,         /* path a has all bits of range b's low */
    FLSI_OP_COMPARE,      /* path a, relation, path b */
    FLSI_OP_HAS,          /* path a stands in the message */
    FLSI_OP_NOT,
    FLSI_OP_JUMP_FALSE, /* to c */
    FLSI_OP_JUMP_TRUE,
    FLSI_OP_LOOP, /* loop a; behind it (at c) when there is nothing to do */
    FLSI_OP_NEXT  /* loop a; back to c */
} flsi_op_code;

typedef enum flsi_relation {
    FLSI_EQUAL = 1,
    FLSI_NOT_EQUAL,
    FLSI_LESS,
    FLSI_LESS_EQUAL,
    FLSI_GREATER,
    FLSI_GREATER_EQUAL,
    FLSI_IN,
    FLSI_CONTAINS,
    FLSI_STARTS,
    FLSI_ENDS
} flsi_relation;

typedef struct flsi_op {
    uint8_t code;
    uint8_t relation;
    uint8_t is_negated; /* TEST: none of the ranges; but what is absent is never in or out */
    uint8_t is_all;     /* LOOP and NEXT: all(), else any() */
    uint32_t a;
    uint32_t b;
    uint32_t c;
} flsi_op;

/* Both ends belong to it. Of whole numbers: low, and how far from it the high end is; of floats the
 * bits of two doubles. */
typedef struct flsi_range {
    uint64_t low;
    uint64_t span;
} flsi_range;

/* Bytes low to high in order; where only one is asked for, low. */
typedef struct flsi_text_range {
    uint32_t low;
    uint32_t low_bytes;
    uint32_t high;
    uint32_t high_bytes;
} flsi_text_range;

/* Arrays with how much of each is used; capacities are known while it is compiled. */
typedef struct flsi_program {
    flsi_step *steps;
    flsi_path *paths;
    flsi_loop *loops;
    flsi_op *ops;
    flsi_range *ranges;
    flsi_text_range *texts;
    char *pool; /* what texts point into */
    uint32_t step_count;
    uint32_t path_count;
    uint32_t loop_count;
    uint32_t op_count;
    uint32_t range_count;
    uint32_t text_count;
    uint32_t pool_bytes;
    uint32_t reserved;
    const fls_allocator *allocator;
    size_t block_bytes; /* of everything, from the object that begins with the program */
} flsi_program;

struct fls_path {
    flsi_program program;
    uint32_t path;       /* the last one */
    uint32_t loop_count; /* the loops around it, outermost first */
    fls_value_kind kind;
};

struct fls_predicate {
    flsi_program program;
    uint32_t is_one_test; /* nothing but a FLSI_OP_TEST of a scalar */
    /* As most are: that of a field of the root table, with one range. place 0: it is another. */
    uint32_t place;
    uint32_t bytes;
    uint32_t type;
    uint32_t is_negated;
    uint32_t holds_by_default; /* when the field is not there */
    flsi_range range;
};

/* Where a compiler stands in the schema: what the steps so far lead to. To a vector of unions that
 * is its table, since its tags are needed as well. */
typedef struct flsi_stand {
    uint8_t kind; /* flsi_kind */
    uint8_t type; /* of a scalar, or of what is in a vector or array */
    uint8_t has_default;
    uint8_t reserved;
    uint32_t object;
    uint32_t enumeration;
    const flsi_field *field; /* of vectors, arrays and unions */
    uint64_t default_bits;
} flsi_stand;

/* Compiling. */
typedef struct flsi_compiler {
    const fls_schema *schema;
    uint32_t root;
    const char *text; /* all of it */
    const char *end;
    const char *next;
    flsi_program *program;
    uint32_t room; /* entries that each array has room for */
    uint32_t depth;
    uint32_t slots;                      /* loops that are open here */
    uint32_t at_slot;                    /* what @ is, plus 1; 0: no @ here */
    flsi_stand elements[FLSI_LOOP_MOST]; /* of the loops by slot */
    fls_status status;
    fls_error *err;
} flsi_compiler;

/* Takes one block for head_bytes (an object that begins with a program) and the arrays that text
 * can need at most. */
fls_status flsi_query_begin(flsi_compiler *compiler, void **object, size_t head_bytes,
                            const fls_schema *schema, uint32_t root, const char *text,
                            const fls_allocator *allocator, fls_error *err);
void flsi_query_free(flsi_program *program);

#if defined(__GNUC__) || defined(__clang__)
#define FLSI_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define FLSI_PRINTF(text, first)
#endif

/* Notes what is wrong at a place of the text, once. Returns 0. */
int flsi_query_fail(flsi_compiler *compiler, fls_status status, const char *at, const char *format,
                    ...) FLSI_PRINTF(4, 5);

/* A word at `at`: how many bytes, 0 when there is none. */
size_t flsi_query_word(const flsi_compiler *compiler, const char *at);
void flsi_query_blanks(flsi_compiler *compiler);

/* Reads a path from compiler->next on. Loops that [*] opens are added to the program's, their slots
 * counted up in compiler->slots; the path's last part becomes the program's last path. 0 after a
 * failure. */
int flsi_path_compile(flsi_compiler *compiler, flsi_stand *stand);

/* From a vector of unions, at which the program's last path ends, back to its table, where a loop
 * over it begins. */
void flsi_path_leave_union_vector(flsi_compiler *compiler);

/* The loop over the elements of what a path led to, which was the program's last path; NULL after a
 * failure. */
flsi_loop *flsi_path_loop(flsi_compiler *compiler, const flsi_stand *stand, const char *at);

/* Whether the root's object has a field of that name, so that a word is a path. */
int flsi_path_is_field(const flsi_compiler *compiler, const char *name, size_t bytes);

/* A field, value or fixed word near to what was written, or NULL. */
const char *flsi_query_near_field(const flsi_compiler *compiler, uint32_t object, const char *name,
                                  size_t bytes);
const char *flsi_query_near_value(const flsi_compiler *compiler, uint32_t enumeration,
                                  const char *name, size_t bytes);

/* What a condition compares with. */
typedef enum flsi_literal_kind {
    FLSI_LITERAL_NUMBER = 1,
    FLSI_LITERAL_TEXT,
    FLSI_LITERAL_BOOL,
    FLSI_LITERAL_NAME
} flsi_literal_kind;

typedef struct flsi_literal {
    flsi_literal_kind kind;
    const char *at; /* where it stands */
    flsi_number number;
    uint64_t whole;  /* of a hexadecimal number, a bool */
    uint8_t is_hex;  /* whole is the number, but for the sign */
    uint8_t special; /* 'i': infinite */
    uint8_t is_negative;
    uint32_t text; /* TEXT: in the pool; NAME: at */
    uint32_t text_bytes;
} flsi_literal;

/* Reads a number, text, bool or name. 0 after a failure. */
int flsi_literal_read(flsi_compiler *compiler, flsi_literal *literal);

/* Adds the range of a scalar's values that are in relation to a constant, or (high not NULL) from
 * one to another. *is_negated is set where it is the range of those that are not. Adds none when
 * there are no such values. 0 after a failure. */
int flsi_literal_range(flsi_compiler *compiler, const flsi_path *path, flsi_relation relation,
                       const flsi_literal *low, const flsi_literal *high, uint8_t *is_negated);

/* The bits of a flag or flags. 0 after a failure. */
int flsi_literal_mask(flsi_compiler *compiler, const flsi_path *path, const flsi_literal *literal);

#endif
