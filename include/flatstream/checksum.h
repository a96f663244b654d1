/* The checksums that a stream can carry: which there are, how wide, and how to bring one's own. */
#ifndef FLATSTREAM_CHECKSUM_H
#define FLATSTREAM_CHECKSUM_H

#include "flatstream/status.h"

FLS_BEGIN_DECLS

typedef enum fls_checksum {
    FLS_CHECKSUM_DEFAULT = 0, /* FLS_CHECKSUM_XXH3 */
    FLS_CHECKSUM_NONE = 1,
    FLS_CHECKSUM_CRC16 = 2,  /* CRC-16/XMODEM: polynomial 0x1021, initial 0, not reflected */
    FLS_CHECKSUM_CRC32 = 3,  /* CRC-32/ISO-HDLC, as in zlib, PNG and Ethernet */
    FLS_CHECKSUM_XXH3 = 4,   /* XXH3-64, seed 0 */
    FLS_CHECKSUM_CUSTOM = 5, /* the caller's: set the custom_checksum of the same options */
    FLS_CHECKSUM_DETECT = 6  /* reading only: found by proof over the first frames */
} fls_checksum;

/* A checksum of the caller's. digest must be a pure function of self and the bytes; the lowest
 * width bytes of what it returns go on the wire, little-endian. The struct and what it points to
 * must outlive the object it was given to; digest is called on that object's thread. */
typedef struct fls_custom_checksum {
    uint32_t struct_bytes; /* sizeof(fls_custom_checksum) */
    uint32_t width;        /* bytes on the wire, 0 to 8 */
    const char *name;
    uint64_t (*digest)(void *self, const void *data, size_t size);
    void *self;
} fls_custom_checksum;

/* Bytes that a built-in checksum takes on the wire: 0, 2, 4 or 8; 0 for CUSTOM and DETECT. */
FLS_API uint32_t fls_checksum_width(fls_checksum checksum);

/* "none", "crc16", "crc32", "xxh3", "custom", "auto"; DEFAULT has the name of what it stands for.
 */
FLS_API const char *fls_checksum_name(fls_checksum checksum);

/* Finds a checksum by its name; FLS_INVALID_ARGUMENT when there is none. */
FLS_API FLS_MUST_USE fls_status fls_checksum_from_name(const char *name, fls_checksum *checksum);

/* The digest of size bytes by a built-in checksum (0 for none, custom and detect). Any thread. */
FLS_API uint64_t fls_checksum_digest(fls_checksum checksum, const void *data, size_t size);

/* Which kernels the built-in checksums use on this CPU, such as "crc=clmul512 xxh3=avx512". */
FLS_API const char *fls_checksum_kernels(void);

FLS_END_DECLS

#endif
