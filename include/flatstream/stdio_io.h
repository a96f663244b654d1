/* What needs <stdio.h>: sources and sinks on FILE streams, and printing an error. */
#ifndef FLATSTREAM_STDIO_IO_H
#define FLATSTREAM_STDIO_IO_H

#include <stdio.h>

#include "flatstream/sink.h"
#include "flatstream/source.h"

FLS_BEGIN_DECLS

/* Prints the error as one line: "flatstream: ...". Nothing for FLS_OK. */
FLS_API void fls_error_print(FILE *stream, const fls_error *err);

/* A FILE stream. With owned not 0, close closes it. The source reads with fread, which waits until
 * it has all it was asked for. The sink first flushes what the stream holds and then writes past
 * the stream's buffer to its descriptor, if it has one, since a C library may lose its buffer when
 * a write is interrupted or would block; the caller's own writes to the stream keep their order. */
FLS_API FLS_MUST_USE fls_status fls_sink_from_stdio(fls_sink *sink, FILE *stream, int owned,
                                                    fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_source_from_stdio(fls_source *source, FILE *stream, int owned,
                                                      fls_error *err);

FLS_END_DECLS

#endif
