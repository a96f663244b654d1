/* A sealed segment, compressed: NAME.fls.zst, in the seekable format of zstd. Pieces of the plain
 * file, each a zstd frame of its own, and behind them a table of their sizes, in a frame that every
 * zstd passes over: `zstd -d` makes the plain file again, and any place in it can be read without
 * what is before it.
 *
 * In a build without zstd everything that opens one of these is FLS_UNSUPPORTED.
 */
#ifndef FLSI_JOURNAL_ZSTD_H
#define FLSI_JOURNAL_ZSTD_H

#include "flatstream/allocator.h"
#include "os/os_file.h"

/* Our pieces: so many bytes and what is needed to end with a whole frame, or so many of a frame
 * that is longer. */
#define FLSI_ZSTD_PIECE_BYTES (1u << 20)
/* The largest piece that is read or written; a reader holds one in memory. */
#define FLSI_ZSTD_PIECE_LIMIT (8u << 20)
/* Most pieces of a file. */
#define FLSI_ZSTD_PIECES (1u << 20)

/* Whether this build has zstd. */
int flsi_zstd_is_there(void);

/* Reading: one thread at a time. The descriptor of file is borrowed and has to stay open; its
 * position is not used. FLS_INVALID_FRAME, FLS_UNEXPECTED_EOF: not such a file; FLS_UNSUPPORTED:
 * one beyond the limits above, or a build without zstd. */
typedef struct flsi_zstd_reader flsi_zstd_reader;
fls_status flsi_zstd_open(flsi_zstd_reader **reader, const flsi_file *file,
                          const fls_allocator *allocator, fls_error *err);
/* One that was refused for damage, or as beyond the limits: what its frames, from the first on, say
 * of themselves stands in for the table. The same refusal where not even one can be found. */
fls_status flsi_zstd_open_damaged(flsi_zstd_reader **reader, const flsi_file *file,
                                  const fls_allocator *allocator, fls_error *err);
void flsi_zstd_close(flsi_zstd_reader *reader); /* NULL is harmless */

/* Size of the plain file. */
uint64_t flsi_zstd_bytes(const flsi_zstd_reader *reader);

/* As flsi_file_read_at, of the plain file: at least one byte, perhaps less than capacity; FLS_END
 * at or behind the end. FLS_CHECKSUM_MISMATCH, FLS_INVALID_FRAME: the piece that holds the offset
 * is damaged (err has the offset in the compressed file); others can still be read. The last piece
 * stays in memory, so that reading on in it costs a copy. */
fls_status flsi_zstd_read_at(flsi_zstd_reader *reader, uint64_t offset, void *buffer,
                             size_t capacity, size_t *got, fls_error *err);

/* Where the piece that holds an offset ends, in the plain file. */
uint64_t flsi_zstd_piece_end(const flsi_zstd_reader *reader, uint64_t offset);

/* Writing, from the first byte of an empty file, which is borrowed; not synced. level 0: the
 * default of zstd. */
typedef struct flsi_zstd_writer flsi_zstd_writer;
fls_status flsi_zstd_begin(flsi_zstd_writer **writer, const flsi_file *file, int level,
                           const fls_allocator *allocator, fls_error *err);
/* One piece, of 1 to FLSI_ZSTD_PIECE_LIMIT bytes. */
fls_status flsi_zstd_put(flsi_zstd_writer *writer, const void *data, size_t size, fls_error *err);
/* The table. *file_bytes: size of the file. */
fls_status flsi_zstd_end(flsi_zstd_writer *writer, uint64_t *file_bytes, fls_error *err);
void flsi_zstd_free(flsi_zstd_writer *writer); /* NULL is harmless; closes nothing */

#endif
