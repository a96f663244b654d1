/* Going over the files of one segment; see journal_scan.h. */
#include "journal/journal_scan.h"

#include "core/cpu.h"
#include "core/digest.h"
#include "core/error.h"
#include "flatstream/reader.h"
#include "stream/evidence.h"

/* The bytes from a frame on to the end of what is looked at. */
typedef struct file_part {
    const flsi_file *file;
    uint64_t offset;
    uint64_t begin;
    uint64_t end;
} file_part;

static fls_status part_read_at(void *self, uint64_t offset, void *buffer, size_t capacity,
                               size_t *got, fls_error *err)
{
    const file_part *part = self;
    uint64_t left = part->end - part->begin;
    *got = 0;
    if (offset >= left) {
        return FLS_END;
    }
    size_t most = left - offset < capacity ? (size_t)(left - offset) : capacity;
    return flsi_file_read_at(part->file, part->begin + offset, buffer, most, got, err);
}

static fls_status part_read(void *self, void *buffer, size_t capacity, size_t *got, fls_error *err)
{
    file_part *part = self;
    fls_status status = part_read_at(self, part->offset - part->begin, buffer, capacity, got, err);
    part->offset += *got;
    return status;
}

/* Without read_at: the reader has no need to look behind what it reads. */
static const fls_source_ops part_forward = {.struct_bytes = sizeof(fls_source_ops),
                                            .read = part_read};
static const fls_source_ops part_anywhere = {
    .struct_bytes = sizeof(fls_source_ops), .read = part_read, .read_at = part_read_at};

static fls_status next_sound(fls_reader *reader, fls_message *message, fls_error *err)
{
    fls_status status = fls_reader_next(reader, message, err);
    if (status == FLS_OK && message->size == 0) {
        return flsi_error_frame(err, FLS_INVALID_FRAME, message->offset, message->ordinal,
                                "an empty message, which no journal takes");
    }
    return status;
}

fls_status flsi_scan_frames(flsi_scan *scan,
                            fls_status (*seen)(void *self, const fls_message *message,
                                               fls_error *err),
                            void *self, fls_error *err)
{
    fls_reader *reader;
    fls_message message;
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    file_part part = {scan->file, scan->offset, scan->offset, scan->end};
    options.checksum = scan->checksum;
    options.max_frame_bytes = scan->max_frame_bytes;
    options.allocator = scan->allocator;
    options.first_ordinal = scan->ordinal;
    options.first_offset = scan->offset;
    memset(&scan->fault, 0, sizeof scan->fault);
    fls_status status = fls_reader_open(&reader, (fls_source){&part_forward, &part}, &options, err);
    if (status != FLS_OK) {
        return status;
    }
    while ((status = next_sound(reader, &message, &scan->fault)) == FLS_OK) {
        if (seen != NULL && (status = seen(self, &message, err)) != FLS_OK) {
            fls_reader_close(reader);
            return status;
        }
        scan->ordinal = message.ordinal + 1;
        scan->offset =
            message.offset + FLS_LENGTH_BYTES + fls_checksum_width(scan->checksum) + message.size;
    }
    fls_reader_close(reader);
    if (status == FLS_END) {
        memset(&scan->fault, 0, sizeof scan->fault);
        return FLS_OK;
    }
    if (fls_status_class_of(status) == FLS_CLASS_DAMAGE) {
        return FLS_OK;
    }
    if (err != NULL) {
        *err = scan->fault;
    }
    return status;
}

fls_status flsi_scan_behind(const flsi_scan *scan, uint64_t *messages, fls_error *err)
{
    file_part part = {scan->file, scan->offset, scan->offset, scan->end};
    fls_source source = {&part_anywhere, &part};
    flsi_view view = {.source = &source,
                      .first_offset = scan->offset,
                      .end = scan->end,
                      .allocator = scan->allocator};
    fls_digest_state digest;
    flsi_scan behind = *scan;
    fls_status status = flsi_digest_init(&digest, scan->checksum, NULL, flsi_cpu_features(), err);
    *messages = 0;
    /* The frame at fault itself is not looked for (as one with a bit changed in its length), and
     * none is so short that the next one begins with its second byte. */
    while (status == FLS_OK && behind.offset + 2 < scan->end) {
        flsi_search search = {.digest = &digest,
                              .max_frame_bytes = scan->max_frame_bytes,
                              .frame = behind.offset + 1,
                              .from = behind.offset + 2,
                              .to = scan->end};
        status = flsi_search_sound_frame(&search, &view, err);
        if (status != FLS_OK || !search.found) {
            break;
        }
        behind.offset = search.found_offset;
        uint64_t before = behind.ordinal;
        status = flsi_scan_frames(&behind, NULL, NULL, err);
        *messages += behind.ordinal - before;
        if (behind.ordinal == before || behind.fault.status == FLS_OK) {
            break;
        }
    }
    flsi_view_close(&view);
    return status;
}

fls_status flsi_read_exactly(const flsi_file *file, uint64_t offset, void *to, size_t size,
                             fls_error *err)
{
    size_t got;
    fls_status status = flsi_file_read_all_at(file, offset, to, size, &got, err);
    if (status == FLS_OK && got < size) {
        return fls_error_set(err, FLS_UNEXPECTED_EOF, 0, "the file is shorter than it was");
    }
    return status;
}

fls_status flsi_write_exactly(const flsi_file *file, uint64_t offset, const void *from, size_t size,
                              fls_error *err)
{
    const fls_span span = {from, size};
    size_t written;
    return flsi_file_write_all_at(file, offset, &span, 1, &written, err);
}

fls_status flsi_proof_at(const flsi_file *file, uint64_t offset, uint32_t bytes, uint64_t *proof,
                         fls_error *err)
{
    uint8_t read[FLSI_PROOF_BYTES];
    fls_status status = flsi_read_exactly(file, offset - bytes, read, bytes, err);
    *proof = status == FLS_OK ? fls_checksum_digest(FLS_CHECKSUM_XXH3, read, bytes) : 0;
    return status;
}
