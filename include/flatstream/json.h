/* Messages as JSON, one line each, and back. Driven by the schema; no document tree is built.
 *
 * Whole numbers of 64 bits are exact, floats the shortest text that reads back the same.
 * docs/JSON.md says how every type is written.
 */
#ifndef FLATSTREAM_JSON_H
#define FLATSTREAM_JSON_H

#include "flatstream/schema.h"
#include "flatstream/verify.h"

FLS_BEGIN_DECLS

/* Out. One thread at a time for each printer; it keeps its buffer, so that a warm one does not
 * allocate. */
typedef struct fls_json_printer fls_json_printer;

typedef struct fls_json_print_options {
    uint32_t struct_bytes;
    uint32_t with_defaults;     /* 1: absent fields too: with their default, or null */
    uint32_t is_verified;       /* 1: the caller verified the message; else print does it first */
    uint32_t numbers_for_enums; /* 1: enumerators as numbers */
    const fls_allocator *allocator; /* NULL: libc */
} fls_json_print_options;

#define FLS_JSON_PRINT_OPTIONS_INIT                   \
    {                                                 \
        sizeof(fls_json_print_options), 0, 0, 0, NULL \
    }

FLS_API FLS_MUST_USE fls_status fls_json_printer_new(fls_json_printer **printer,
                                                     const fls_schema *schema, uint32_t root,
                                                     const fls_json_print_options *options,
                                                     fls_error *err);
FLS_API void fls_json_printer_free(fls_json_printer *printer); /* NULL is harmless */

/* *text is one JSON object without a line end, not terminated; borrowed until the next call. */
FLS_API FLS_MUST_USE fls_status fls_json_print(fls_json_printer *printer, const void *payload,
                                               size_t size, const char **text, size_t *text_size,
                                               fls_error *err);

/* In. One thread at a time for each parser. */
typedef struct fls_json_parser fls_json_parser;

typedef struct fls_json_parse_options {
    uint32_t struct_bytes;
    uint32_t lenient;       /* 1: unknown fields are skipped, numbers may be strings, comments and
                               trailing commas pass */
    uint32_t with_defaults; /* 1: values equal to the default are stored too */
    uint32_t max_depth;     /* of tables in tables; 0: 64; 512 at most */
    const char *identifier; /* 4 bytes; NULL: the schema's, where root is its root type */
    const fls_allocator *allocator; /* NULL: libc */
} fls_json_parse_options;

#define FLS_JSON_PARSE_OPTIONS_INIT                         \
    {                                                       \
        sizeof(fls_json_parse_options), 0, 0, 0, NULL, NULL \
    }

/* Where and why parsing failed. */
typedef struct fls_json_error {
    uint64_t line;      /* 1-based, within the text given */
    uint64_t column;    /* 1-based, in bytes */
    uint64_t offset;    /* 0-based, of the text given */
    const char *reason; /* a static string: "not a whole number" */
    char path[240];     /* as in fls_violation */
} fls_json_error;

FLS_API FLS_MUST_USE fls_status fls_json_parser_new(fls_json_parser **parser,
                                                    const fls_schema *schema, uint32_t root,
                                                    const fls_json_parse_options *options,
                                                    fls_error *err);
FLS_API void fls_json_parser_free(fls_json_parser *parser); /* NULL is harmless */

/* Reads one JSON object with nothing but white space around it and makes a message of it, borrowed
 * until the next call. FLS_VALIDATION_FAILED with all of *where (may be NULL) in err->text too:
 * "orders[3].price: not a whole number, at line 1, column 42"; the lines of a stream are for the
 * caller to count. A warm parser does not allocate. */
FLS_API FLS_MUST_USE fls_status fls_json_parse(fls_json_parser *parser, const char *text,
                                               size_t text_size, const void **payload, size_t *size,
                                               fls_json_error *where, fls_error *err);

FLS_END_DECLS

#endif
