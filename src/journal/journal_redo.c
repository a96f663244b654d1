/* Writing the redo log; see journal_redo.h. */
#include "journal/journal_redo.h"

#include "core/bytes.h"
#include "core/error.h"
#include "flatstream/frame.h"
#include "journal/journal_scan.h"

#define VERSION      1u
#define FRAME_HEADER FLSI_MARKS_HEADER_BYTES
#define ENTRY_BEGIN  (FRAME_HEADER + FLSI_REDO_HEADER_BYTES)
#define ENTRY_BYTES  (ENTRY_BEGIN + FLSI_REDO_FRAMES_BYTES + FLSI_REDO_MARKS_BYTES)
#define MEMORY_BYTES (2 * ENTRY_BYTES + FLSI_REDO_MARKS_BYTES)

/* ---- the file ---- */

static fls_status fill(const flsi_file *file, uint64_t bytes, const uint8_t *zeros, size_t size,
                       fls_error *err)
{
    fls_status status = FLS_OK;
    for (uint64_t at = 0; status == FLS_OK && at < bytes;) {
        size_t some = bytes - at < size ? (size_t)(bytes - at) : size;
        status = flsi_write_exactly(file, at, zeros, some, err);
        at += some;
    }
    return status;
}

static fls_status make_file(flsi_redo *redo, const flsi_directory *directory, fls_error *err)
{
    fls_status status = flsi_redo_remove(directory, err);
    if (status == FLS_OK) {
        status = flsi_directory_file(directory, &redo->file, FLSI_REDO_NAME,
                                     FLSI_OPEN_WRITE | FLSI_OPEN_CREATE | FLSI_OPEN_NEW, NULL, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    status = fill(&redo->file, redo->file_bytes, redo->gathered, MEMORY_BYTES, err);
    status = status == FLS_OK ? flsi_file_sync(&redo->file, err) : status;
    if (status != FLS_OK) {
        (void)flsi_file_close(&redo->file, NULL);
        (void)flsi_redo_remove(directory, NULL);
    }
    return status;
}

fls_status flsi_redo_open(flsi_redo *redo, const flsi_directory *directory, uint64_t file_bytes,
                          const fls_allocator *allocator, fls_error *err)
{
    uint8_t *memory = allocator->resize(allocator->self, NULL, 0, MEMORY_BYTES);
    if (memory == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for the redo log");
    }
    memset(memory, 0, MEMORY_BYTES);
    *redo = (flsi_redo){.allocator = allocator,
                        .gathered = memory,
                        .sealed = memory + ENTRY_BYTES,
                        .marks = memory + 2 * ENTRY_BYTES,
                        .file_bytes = file_bytes,
                        .is_broken = 1};
    fls_status status = make_file(redo, directory, err);
    if (status != FLS_OK) {
        allocator->free(allocator->self, memory, MEMORY_BYTES);
        *redo = (flsi_redo){0};
        return status;
    }
    redo->is_on = 1;
    return FLS_OK;
}

void flsi_redo_close(flsi_redo *redo)
{
    if (redo->is_on) {
        uint8_t *memory = redo->gathered < redo->sealed ? redo->gathered : redo->sealed;
        (void)flsi_file_close(&redo->file, NULL);
        redo->allocator->free(redo->allocator->self, memory, MEMORY_BYTES);
    }
    *redo = (flsi_redo){0};
}

fls_status flsi_redo_remove(const flsi_directory *directory, fls_error *err)
{
    return flsi_directory_remove(directory, FLSI_REDO_NAME, err);
}

/* ---- what is gathered ---- */

void flsi_redo_begin(flsi_redo *redo, uint64_t frames_offset, uint64_t marks_offset, uint64_t proof,
                     uint32_t proof_bytes)
{
    redo->is_broken = 0;
    redo->frames_bytes = 0;
    redo->marks_bytes = 0;
    redo->frames_from = frames_offset;
    redo->marks_from = marks_offset;
    redo->proof = proof;
    redo->proof_bytes = proof_bytes;
}

void flsi_redo_break(flsi_redo *redo)
{
    if (redo != NULL) {
        redo->is_broken = 1;
    }
}

void flsi_redo_note_frames(flsi_redo *redo, uint64_t offset, const uint8_t *bytes, size_t size)
{
    if (redo == NULL || !redo->is_on || redo->is_broken) {
        return;
    }
    if (offset != redo->frames_from + redo->frames_bytes ||
        size > FLSI_REDO_FRAMES_BYTES - redo->frames_bytes) {
        redo->is_broken = 1;
        return;
    }
    memcpy(redo->gathered + ENTRY_BEGIN + redo->frames_bytes, bytes, size);
    redo->frames_bytes += size;
}

void flsi_redo_note_marks(flsi_redo *redo, uint64_t offset, const uint8_t *bytes, size_t size)
{
    if (redo == NULL || !redo->is_on || redo->is_broken) {
        return;
    }
    if (offset != redo->marks_from + redo->marks_bytes ||
        size > FLSI_REDO_MARKS_BYTES - redo->marks_bytes) {
        redo->is_broken = 1;
        return;
    }
    memcpy(redo->marks + redo->marks_bytes, bytes, size);
    redo->marks_bytes += size;
}

int flsi_redo_has(const flsi_redo *redo, uint64_t frames_end, uint64_t marks_end)
{
    uint64_t bytes = ENTRY_BEGIN + redo->frames_bytes + redo->marks_bytes;
    return redo->is_on && !redo->is_broken &&
           redo->frames_from + redo->frames_bytes == frames_end &&
           redo->marks_from + redo->marks_bytes == marks_end &&
           bytes <= redo->file_bytes - redo->end;
}

/* ---- entries ---- */

void flsi_redo_seal(flsi_redo *redo, const flsi_redo_owner *owner)
{
    uint8_t *entry = redo->gathered;
    uint8_t *header = entry + FRAME_HEADER;
    size_t payload = FLSI_REDO_HEADER_BYTES + redo->frames_bytes + redo->marks_bytes;
    memcpy(entry + ENTRY_BEGIN + redo->frames_bytes, redo->marks, redo->marks_bytes);
    flsi_store_le32(header, VERSION);
    flsi_store_le32(header + 4, owner->epoch);
    flsi_store_le64(header + 8, owner->journal_id);
    flsi_store_le64(header + 16, redo->pass);
    flsi_store_le64(header + 24, owner->segment);
    flsi_store_le64(header + 32, redo->frames_from);
    flsi_store_le64(header + 40, redo->marks_from);
    flsi_store_le32(header + 48, (uint32_t)redo->frames_bytes);
    flsi_store_le32(header + 52, (uint32_t)redo->marks_bytes);
    flsi_store_le64(header + 56, redo->proof);
    flsi_store_le32(header + 64, redo->proof_bytes);
    flsi_store_le32(header + 68, 0);
    (void)fls_frame_encode_header(entry, (uint32_t)payload,
                                  fls_checksum_digest(FLS_CHECKSUM_XXH3, header, payload), 8);
    redo->gathered = redo->sealed;
    redo->sealed = entry;
    redo->sealed_bytes = FRAME_HEADER + payload;
    redo->is_broken = 1;
}

fls_status flsi_redo_write(flsi_redo *redo, fls_error *err)
{
    fls_status status =
        flsi_write_exactly(&redo->file, redo->end, redo->sealed, redo->sealed_bytes, err);
    status = status == FLS_OK ? flsi_file_sync(&redo->file, err) : status;
    if (status == FLS_OK) {
        redo->end += redo->sealed_bytes;
    }
    return status;
}

void flsi_redo_begin_pass(flsi_redo *redo)
{
    redo->pass++;
    redo->end = 0;
}

int flsi_redo_may_be(const uint8_t *from, size_t left, const flsi_redo_owner *owner)
{
    return left >= ENTRY_BEGIN && flsi_load_le32(from + FRAME_HEADER) == VERSION &&
           flsi_load_le32(from + FRAME_HEADER + 4) == owner->epoch &&
           flsi_load_le64(from + FRAME_HEADER + 8) == owner->journal_id &&
           flsi_load_le64(from + FRAME_HEADER + 24) == owner->segment;
}

fls_status flsi_redo_decode(flsi_redo_entry *entry, const uint8_t *from, size_t left, size_t *size)
{
    if (left < ENTRY_BEGIN) {
        return FLS_END;
    }
    const uint8_t *header = from + FRAME_HEADER;
    size_t payload = flsi_load_le32(from);
    if (payload < FLSI_REDO_HEADER_BYTES || payload > left - FRAME_HEADER ||
        flsi_load_le64(from + FLS_LENGTH_BYTES) !=
            fls_checksum_digest(FLS_CHECKSUM_XXH3, header, payload)) {
        return FLS_END;
    }
    *entry = (flsi_redo_entry){.owner = {.epoch = flsi_load_le32(header + 4),
                                         .journal_id = flsi_load_le64(header + 8),
                                         .segment = flsi_load_le64(header + 24)},
                               .pass = flsi_load_le64(header + 16),
                               .frames_offset = flsi_load_le64(header + 32),
                               .marks_offset = flsi_load_le64(header + 40),
                               .frames_bytes = flsi_load_le32(header + 48),
                               .marks_bytes = flsi_load_le32(header + 52),
                               .proof = flsi_load_le64(header + 56),
                               .proof_bytes = flsi_load_le32(header + 64)};
    size_t bytes = payload - FLSI_REDO_HEADER_BYTES;
    if (entry->frames_bytes > bytes || entry->marks_bytes != bytes - entry->frames_bytes) {
        return FLS_END;
    }
    entry->frames = header + FLSI_REDO_HEADER_BYTES;
    entry->marks = entry->frames + entry->frames_bytes;
    *size = FRAME_HEADER + payload;
    int sound = flsi_load_le32(header) == VERSION && flsi_load_le32(header + 68) == 0 &&
                entry->frames_offset < FLSI_ORDINALS && entry->marks_offset < FLSI_ORDINALS &&
                entry->proof_bytes <= FLSI_PROOF_BYTES &&
                entry->proof_bytes <= entry->frames_offset;
    return sound ? FLS_OK : FLS_END;
}
