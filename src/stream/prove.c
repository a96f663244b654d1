/* Whether a file has the checksum that somebody says it has: asked before anything is cut from it or
 * written behind it, because under the wrong one a sound stream looks like a torn one.
 */
#include "core/bytes.h"
#include "stream/append.h"

/* Enough bytes for the detection of a checksum, unless messages are very large. */
#define FIRST_LOOK_BYTES ((size_t)64 * 1024)

/* Grows a look at the first bytes until the checksum is decided. */
static fls_status detect_file(const flsi_file *file, const fls_recover_options *options,
                              fls_checksum *found, int *one_frame, fls_error *err)
{
    const fls_allocator *allocator =
        options->allocator != NULL ? options->allocator : fls_allocator_libc();
    size_t capacity = FIRST_LOOK_BYTES;
    for (;;) {
        size_t have = 0;
        uint8_t *bytes = allocator->resize(allocator->self, NULL, 0, capacity);
        if (bytes == NULL) {
            return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to prove the checksum");
        }
        fls_status status = FLS_OK;
        while (status == FLS_OK && have < capacity) {
            size_t got = 0;
            status = flsi_file_read_at(file, have, bytes + have, capacity - have, &got, err);
            have += got;
        }
        if (status == FLS_OK || status == FLS_END) {
            status = fls_detect_checksum(bytes, have, status == FLS_END, options->max_frame_bytes,
                                         found, err);
        }
        *one_frame = have >= FLS_LENGTH_BYTES && have - FLS_LENGTH_BYTES == flsi_load_le32(bytes);
        allocator->free(allocator->self, bytes, capacity);
        if (status != FLS_NEED_MORE) {
            return status;
        }
        capacity *= 4;
    }
}

static fls_status is_another(fls_checksum found, fls_checksum wanted, fls_error *err)
{
    fls_error_set(err, FLS_CHECKSUM_MISMATCH, 0, NULL);
    if (err != NULL) {
        const char *parts[] = {"the stream has checksum ", fls_checksum_name(found), ", not ",
                               fls_checksum_name(wanted)};
        size_t at = 0;
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            size_t length = strlen(parts[i]);
            memcpy(err->text + at, parts[i], length + 1);
            at += length;
        }
    }
    return FLS_CHECKSUM_MISMATCH;
}

fls_status flsi_prove_checksum(const flsi_file *file, const fls_recover_options *options,
                               uint64_t frames, int must_be_proven, fls_error *err)
{
    fls_checksum wanted =
        options->checksum == FLS_CHECKSUM_DEFAULT ? FLS_CHECKSUM_XXH3 : options->checksum;
    fls_checksum found = wanted;
    int one_frame = 0;
    if (wanted == FLS_CHECKSUM_CUSTOM || wanted == FLS_CHECKSUM_DETECT) {
        return FLS_OK;
    }
    fls_status status = detect_file(file, options, &found, &one_frame, err);
    if (status == FLS_END || (status == FLS_OK && found == wanted)) {
        return FLS_OK;
    }
    if (status == FLS_OK && found == FLS_CHECKSUM_NONE && one_frame && !must_be_proven) {
        return FLS_OK; /* one frame without a checksum, or torn by just that many bytes */
    }
    if (status == FLS_OK) {
        return is_another(found, wanted, err);
    }
    int spoken_for = !must_be_proven || (frames > 0 && wanted != FLS_CHECKSUM_NONE);
    return status == FLS_CHECKSUM_UNPROVEN && spoken_for ? FLS_OK : status;
}
