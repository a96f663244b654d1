/* Where bytes go: memory, files, descriptors, sockets, functions. A sink knows nothing of frames.
 *
 * A sink is a table of operations and its object. It is used by one thread at a time.
 */
#ifndef FLATSTREAM_SINK_H
#define FLATSTREAM_SINK_H

#include "flatstream/allocator.h"
#include "flatstream/status.h"

FLS_BEGIN_DECLS

/* A piece of memory to be written. */
typedef struct fls_span {
    const void *data;
    size_t size;
} fls_span;

/* Operations other than write may be NULL. A write may take fewer bytes than offered (but at least
 * one); *written says how many, also when the call fails. FLS_WOULD_BLOCK: nothing could be taken
 * now. Interrupted system calls are repeated inside. FLS_NO_SPACE for a full disk, quota or fixed
 * memory; FLS_CLOSED for a peer that went away (never a signal); FLS_IO with errno for the rest. */
typedef struct fls_sink_ops {
    uint32_t struct_bytes; /* sizeof(fls_sink_ops) */
    uint32_t reserved;
    fls_status (*write)(void *self, const void *data, size_t size, size_t *written, fls_error *err);
    /* Several pieces at once; without it the pieces are written one by one. */
    fls_status (*writev)(void *self, const fls_span *spans, size_t count, size_t *written,
                         fls_error *err);
    /* Hands bytes that the sink itself holds to the operating system. */
    fls_status (*flush)(void *self, fls_error *err);
    /* Makes what was written durable. A failed sync is final: it must not be repeated and believed.
     */
    fls_status (*sync)(void *self, fls_error *err);
    /* Ends the sink and frees it, in every case; reports a late error. A sink that appears whole or
     * not at all appears here. */
    fls_status (*close)(void *self, fls_error *err);
    /* Ends the sink and frees it without making anything appear. Without it, close is called. */
    void (*abort)(void *self);
    /* Lends the sink's own memory, at least min_bytes of it, so that frames are built in place;
     * *capacity says how much. commit says how many bytes of it are now written. Both or none. */
    fls_status (*lend)(void *self, size_t min_bytes, void **memory, size_t *capacity,
                       fls_error *err);
    void (*commit)(void *self, size_t bytes);
} fls_sink_ops;

typedef struct fls_sink {
    const fls_sink_ops *ops;
    void *self;
} fls_sink;

/* A new file, or an existing one emptied; mode 0666 less the umask. Takes the writer's lock
 * (FLS_LOCKED when another open file has it) before it empties anything. "/dev/stdout" and
 * "/dev/fd/N" are the open descriptors themselves, written where they stand, here and below. */
FLS_API FLS_MUST_USE fls_status fls_sink_open_file(fls_sink *sink, const char *path,
                                                   fls_error *err);

/* A file that appears at path, whole, when the sink is closed, and not at all when it is aborted or
 * the process ends: written beside it under another name and renamed. An existing file's mode is
 * kept, and FLS_LOCKED says that a writer has it open; close says so of one that was made since
 * then. With durable not 0 file and directory are
 * synced before close returns. When path names something that is not a regular file (a pipe,
 * /dev/null) it is opened and written directly. After a failed write close fails too. */
FLS_API FLS_MUST_USE fls_status fls_sink_open_file_atomic(fls_sink *sink, const char *path,
                                                          int durable, fls_error *err);

/* An open descriptor: file, pipe, terminal or socket. With owned not 0, close closes it. */
FLS_API FLS_MUST_USE fls_status fls_sink_from_fd(fls_sink *sink, int fd, int owned, fls_error *err);

/* Memory that grows as needed; allocator may be NULL. */
FLS_API FLS_MUST_USE fls_status fls_sink_open_memory(fls_sink *sink, const fls_allocator *allocator,
                                                     fls_error *err);

/* The caller's memory of a fixed size; FLS_NO_SPACE when it is full. It must outlive the sink. */
FLS_API FLS_MUST_USE fls_status fls_sink_open_fixed(fls_sink *sink, void *memory, size_t capacity,
                                                    fls_error *err);

/* What a memory or fixed sink holds: borrowed until the next write to it or its close.
 * FLS_INVALID_ARGUMENT for other sinks. */
FLS_API FLS_MUST_USE fls_status fls_sink_memory(const fls_sink *sink, const void **data,
                                                size_t *size);

/* Forgets what a memory or fixed sink holds and keeps its memory. */
FLS_API FLS_MUST_USE fls_status fls_sink_memory_reset(const fls_sink *sink);

/* A function that takes bytes as fls_sink_ops.write does. self is handed to it and stays the
 * caller's. */
FLS_API FLS_MUST_USE fls_status fls_sink_from_function(
    fls_sink *sink,
    fls_status (*write)(void *self, const void *data, size_t size, size_t *written, fls_error *err),
    void *self, fls_error *err);

/* Writes all of it, repeating partial writes. *written (may be NULL) says how much was taken, also
 * when the call fails or would block. */
FLS_API FLS_MUST_USE fls_status fls_sink_write_all(const fls_sink *sink, const void *data,
                                                   size_t size, size_t *written, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_sink_writev_all(const fls_sink *sink, const fls_span *spans,
                                                    size_t count, size_t *written, fls_error *err);

FLS_API FLS_MUST_USE fls_status fls_sink_flush(const fls_sink *sink, fls_error *err);
/* FLS_UNSUPPORTED where nothing can be durable: memory, functions, pipes, sockets, terminals. */
FLS_API FLS_MUST_USE fls_status fls_sink_sync(const fls_sink *sink, fls_error *err);
/* Both leave an empty sink behind; calling them on one is harmless. */
FLS_API FLS_MUST_USE fls_status fls_sink_close(fls_sink *sink, fls_error *err);
FLS_API void fls_sink_abort(fls_sink *sink);

FLS_END_DECLS

#endif
