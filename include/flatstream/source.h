/* Where bytes come from: memory, files, mapped files, descriptors, sockets, functions. A source
 * knows nothing of frames. It is used by one thread at a time.
 */
#ifndef FLATSTREAM_SOURCE_H
#define FLATSTREAM_SOURCE_H

#include "flatstream/allocator.h"
#include "flatstream/status.h"

FLS_BEGIN_DECLS

/* Operations other than read may be NULL. A read may give fewer bytes than asked for, but at least
 * one with FLS_OK; FLS_END at the end; FLS_WOULD_BLOCK when nothing is there now. Interrupted
 * system calls are repeated inside. */
typedef struct fls_source_ops {
    uint32_t struct_bytes; /* sizeof(fls_source_ops) */
    uint32_t reserved;
    fls_status (*read)(void *self, void *buffer, size_t capacity, size_t *got, fls_error *err);
    /* All bytes that are left, where they lie in memory for as long as the source is open. A source
     * with this operation is never asked to read. */
    fls_status (*borrow)(void *self, const void **data, size_t *size, fls_error *err);
    /* Bytes at an offset from the start, without moving the place of read; FLS_END beyond the end.
     */
    fls_status (*read_at)(void *self, uint64_t offset, void *buffer, size_t capacity, size_t *got,
                          fls_error *err);
    /* How many bytes there are from the start, now; FLS_UNSUPPORTED when that cannot be told. */
    fls_status (*size)(void *self, uint64_t *bytes, fls_error *err);
    void (*close)(void *self);
} fls_source_ops;

typedef struct fls_source {
    const fls_source_ops *ops;
    void *self;
} fls_source;

FLS_API FLS_MUST_USE fls_status fls_source_open_file(fls_source *source, const char *path,
                                                     fls_error *err);

/* A file mapped into memory, read without copies. For files that nobody shortens while they are
 * read, such as sealed captures: if the file shrinks, touching the lost part raises SIGBUS, as with
 * any mapping. Use fls_source_open_file where that cannot be ruled out. */
FLS_API FLS_MUST_USE fls_status fls_source_map_file(fls_source *source, const char *path,
                                                    fls_error *err);

/* An open descriptor: file (read from its current position, which is the source's offset 0), pipe,
 * terminal or socket. With owned not 0, close closes it. */
FLS_API FLS_MUST_USE fls_status fls_source_from_fd(fls_source *source, int fd, int owned,
                                                   fls_error *err);

/* The caller's memory, which must outlive the source. */
FLS_API FLS_MUST_USE fls_status fls_source_from_memory(fls_source *source, const void *data,
                                                       size_t size, fls_error *err);

/* A function that gives bytes as fls_source_ops.read does. self stays the caller's. */
FLS_API FLS_MUST_USE fls_status fls_source_from_function(
    fls_source *source,
    fls_status (*read)(void *self, void *buffer, size_t capacity, size_t *got, fls_error *err),
    void *self, fls_error *err);

/* Reads until capacity bytes are there or the end is; *got says how many. FLS_END only with *got 0.
 */
FLS_API FLS_MUST_USE fls_status fls_source_read_all(const fls_source *source, void *buffer,
                                                    size_t capacity, size_t *got, fls_error *err);

/* As fls_source_read_all, from an offset. FLS_UNSUPPORTED without read_at. */
FLS_API FLS_MUST_USE fls_status fls_source_read_all_at(const fls_source *source, uint64_t offset,
                                                       void *buffer, size_t capacity, size_t *got,
                                                       fls_error *err);

FLS_API FLS_MUST_USE fls_status fls_source_size(const fls_source *source, uint64_t *bytes,
                                                fls_error *err);

/* Leaves an empty source behind; calling it on one is harmless. */
FLS_API void fls_source_close(fls_source *source);

FLS_END_DECLS

#endif
