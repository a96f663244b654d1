/* One checked read of a source, for those who keep a buffer of their own. */
#ifndef FLSI_IO_SOURCE_H
#define FLSI_IO_SOURCE_H

#include "flatstream/source.h"

/* One try. What the source says is checked: never more bytes than asked for; FLS_OK comes with at
 * least one (FLS_IO otherwise). Bytes may also come with another status: take them first. */
fls_status flsi_source_read_some(const fls_source *source, void *buffer, size_t capacity,
                                 size_t *got, fls_error *err);
/* The same from an offset; a source without read_at is FLS_UNSUPPORTED. */
fls_status flsi_source_read_some_at(const fls_source *source, uint64_t offset, void *buffer,
                                    size_t capacity, size_t *got, fls_error *err);

#endif
