/* What a call came to, and where and why it failed.
 *
 * Every function that can fail returns an fls_status. The context of a failure goes into an
 * fls_error that the caller owns; passing NULL is always allowed. There is no global and no
 * thread-local state.
 */
#ifndef FLATSTREAM_STATUS_H
#define FLATSTREAM_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "flatstream/export.h"

FLS_BEGIN_DECLS

/* X(name, number, class, text). Numbers are pinned and never reused. */
#define FLS_STATUS_MAP(X)                                                \
    X(FLS_OK, 0, FLOW, "ok")                                             \
    X(FLS_END, 1, FLOW, "end of stream")                                 \
    X(FLS_NEED_MORE, 2, FLOW, "more bytes needed")                       \
    X(FLS_WOULD_BLOCK, 3, FLOW, "operation would block")                 \
    X(FLS_STOPPED, 4, FLOW, "stopped by the callback")                   \
    X(FLS_UNEXPECTED_EOF, 16, DAMAGE, "unexpected end of stream")        \
    X(FLS_CHECKSUM_MISMATCH, 17, DAMAGE, "checksum mismatch")            \
    X(FLS_INVALID_FRAME, 18, DAMAGE, "invalid frame")                    \
    X(FLS_VALIDATION_FAILED, 19, DAMAGE, "validation failed")            \
    X(FLS_SCHEMA_INVALID, 20, DAMAGE, "schema invalid")                  \
    X(FLS_ZERO_TAIL, 21, DAMAGE, "zero bytes to the end of the stream")  \
    X(FLS_CHECKSUM_UNPROVEN, 22, DAMAGE, "checksum could not be proven") \
    X(FLS_IO, 32, SYSTEM, "input/output error")                          \
    X(FLS_NO_MEMORY, 33, SYSTEM, "out of memory")                        \
    X(FLS_NO_SPACE, 34, SYSTEM, "no space left")                         \
    X(FLS_LOCKED, 35, SYSTEM, "locked by another writer")                \
    X(FLS_CLOSED, 36, SYSTEM, "closed by the peer")                      \
    X(FLS_INVALID_ARGUMENT, 48, CALLER, "invalid argument")              \
    X(FLS_UNSUPPORTED, 49, CALLER, "not supported")

typedef enum fls_status {
#define FLS_STATUS_ENUMERATOR(name, number, class, text) name = number,
    FLS_STATUS_MAP(FLS_STATUS_ENUMERATOR)
#undef FLS_STATUS_ENUMERATOR
} fls_status;

typedef enum fls_status_class {
    FLS_CLASS_FLOW = 1,   /* not a failure: what to do next */
    FLS_CLASS_DAMAGE = 2, /* the data is not what it should be */
    FLS_CLASS_SYSTEM = 3, /* the operating system refused */
    FLS_CLASS_CALLER = 4  /* the call was wrong */
} fls_status_class;

/* Static strings, such as "FLS_IO" and "input/output error"; never NULL, also for unknown numbers.
 */
FLS_API const char *fls_status_name(fls_status status);
FLS_API const char *fls_status_text(fls_status status);

/* The class of a status; an unknown number is FLS_CLASS_CALLER. */
FLS_API fls_status_class fls_status_class_of(fls_status status);

/* Which of an error's fields say something; a bit mask in fls_error.known. */
#define FLS_ERROR_OFFSET    1u
#define FLS_ERROR_ORDINAL   2u
#define FLS_ERROR_CHECKSUMS 4u
#define FLS_ERROR_DECLARED  8u
#define FLS_ERROR_LIMIT     16u

/* The context of a failure. 256 bytes on every platform; owned by the caller. */
typedef struct fls_error {
    fls_status status;
    int32_t system_errno;    /* errno of the call that failed, or 0 */
    uint32_t known;          /* FLS_ERROR_... bits: which of the fields below are meaningful */
    uint32_t checksum_width; /* bytes of expected and computed */
    uint64_t offset;         /* byte offset of the frame in its stream */
    uint64_t ordinal;        /* 0-based number of the message in its stream */
    uint64_t expected;       /* checksum found in the stream */
    uint64_t computed;       /* checksum of the bytes that are there */
    uint64_t declared_bytes; /* payload length that the frame declares */
    uint64_t limit_bytes;    /* the limit that was exceeded, or the bytes that are there */
    char name[32];           /* of a validator, file or peer; may be empty */
    char text[152]; /* what happened, one short sentence without a full stop; may be empty */
    uint64_t reserved;
} fls_error;

#define FLS_ERROR_INIT                               \
    {                                                \
        FLS_OK, 0, 0, 0, 0, 0, 0, 0, 0, 0, "", "", 0 \
    }

/* Forgets all context and sets status, errno value (0 if none) and a text (copied, cut to fit; NULL
 * for none). Returns status, so that an implementer of a sink or validator can write `return
 * fls_error_set(err, FLS_IO, errno, "write failed");`. err may be NULL. */
FLS_API fls_status fls_error_set(fls_error *err, fls_status status, int system_errno,
                                 const char *text);

/* Writes one line of text about the error, without a line end, into buffer, at most capacity bytes
 * including the terminating zero. Returns the length that the whole text has. */
FLS_API size_t fls_error_format(const fls_error *err, char *buffer, size_t capacity);

FLS_END_DECLS

#endif
