/* Whether a file has the checksum that somebody says it has: asked before anything is cut from it
 * or written behind it, because under the wrong one a sound stream looks like a torn one.
 */
#include "core/bytes.h"
#include "flatstream/reader.h"
#include "stream/append.h"
#include "stream/evidence.h"

#define LOOK_BYTES  ((size_t)64 * 1024)
#define SMALL_BYTES ((size_t)4096)

/* What can be seen of the first payload. */
typedef struct first_look {
    int one_frame; /* without a checksum the file would be just one frame */
    int rooted;    /* that frame's payload looks like a FlatBuffer */
    int small;     /* the file is no longer than what a torn first message may well leave */
} first_look;

static fls_status look(const flsi_file *file, const fls_allocator *allocator, uint32_t width,
                       first_look *seen, fls_error *err)
{
    size_t have = 0;
    uint8_t *bytes = allocator->resize(allocator->self, NULL, 0, LOOK_BYTES);
    if (bytes == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to prove the checksum");
    }
    fls_status status = flsi_file_read_all_at(file, 0, bytes, LOOK_BYTES, &have, err);
    size_t header = FLS_LENGTH_BYTES + width;
    seen->small = have <= SMALL_BYTES;
    seen->rooted = have > header && flsi_looks_rooted(bytes + header, have - header);
    seen->one_frame = have >= FLS_LENGTH_BYTES &&
                      have - FLS_LENGTH_BYTES == flsi_load_le32(bytes) &&
                      !flsi_looks_rooted(bytes + FLS_LENGTH_BYTES, have - FLS_LENGTH_BYTES);
    allocator->free(allocator->self, bytes, LOOK_BYTES);
    return status;
}

/* The file as a source from its start, wherever its position is. */
typedef struct from_start {
    const flsi_file *file;
    uint64_t offset;
} from_start;

static fls_status read_on(void *self, void *buffer, size_t capacity, size_t *got, fls_error *err)
{
    from_start *from = self;
    fls_status status = flsi_file_read_at(from->file, from->offset, buffer, capacity, got, err);
    from->offset += *got;
    return status;
}

/* The checksum that a reader finds out for itself. FLS_END for a file without messages. */
static fls_status detect(const flsi_file *file, const fls_recover_options *options,
                         fls_checksum *found, fls_error *err)
{
    fls_source source;
    fls_reader *reader;
    fls_message message;
    from_start from = {file, 0};
    fls_reader_options reading = FLS_READER_OPTIONS_INIT;
    reading.checksum = FLS_CHECKSUM_DETECT;
    reading.max_frame_bytes = options->max_frame_bytes;
    reading.allocator = options->allocator;
    fls_status status = fls_source_from_function(&source, read_on, &from, err);
    if (status == FLS_OK) {
        status = fls_reader_open(&reader, source, &reading, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    status = fls_reader_next(reader, &message, err);
    *found = fls_reader_checksum(reader);
    fls_reader_close(reader);
    return status != FLS_ZERO_TAIL && *found != FLS_CHECKSUM_DETECT ? FLS_OK : status;
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
    first_look seen = {0, 0, 0};
    if (wanted == FLS_CHECKSUM_CUSTOM || wanted == FLS_CHECKSUM_DETECT) {
        return FLS_OK;
    }
    fls_status status = detect(file, options, &found, err);
    if (status == FLS_END || status == FLS_ZERO_TAIL || (status == FLS_OK && found == wanted)) {
        return FLS_OK;
    }
    if (status != FLS_OK && status != FLS_CHECKSUM_UNPROVEN) {
        return status;
    }
    fls_status looked =
        look(file, options->allocator != NULL ? options->allocator : fls_allocator_libc(),
             fls_checksum_width(wanted), &seen, err);
    if (looked != FLS_OK) {
        return looked;
    }
    if (status == FLS_OK) { /* one frame without a checksum, or torn by just that many bytes? */
        int may_be_torn = found == FLS_CHECKSUM_NONE && seen.one_frame && !must_be_proven;
        return may_be_torn ? FLS_OK : is_another(found, wanted, err);
    }
    int spoken_for = frames > 0 ? !must_be_proven || wanted != FLS_CHECKSUM_NONE
                                : !must_be_proven && (seen.small || seen.rooted);
    return spoken_for ? FLS_OK
                      : fls_error_set(err, FLS_CHECKSUM_UNPROVEN, 0,
                                      "nothing proves that this is a stream with that checksum");
}
