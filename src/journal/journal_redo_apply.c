/* What the redo log holds, into the files that it belongs to: the first thing that opening does. By
 * the rules of docs/JOURNAL.md, "The redo log".
 */
#include "core/error.h"
#include "journal/journal_redo.h"
#include "journal/journal_scan.h"

typedef struct redoing {
    const flsi_directory *directory;
    const fls_allocator *allocator;
    uint8_t *bytes; /* of the log */
    size_t size;
    flsi_redo_entry first;
    size_t end; /* of the entries that belong together */
} redoing;

static fls_status read_log(redoing *self, size_t *allocated, fls_error *err)
{
    int missing = 0;
    void *data = NULL;
    fls_status status =
        flsi_directory_read_file(self->directory, FLSI_REDO_NAME, (size_t)FLSI_REDO_MOST_BYTES,
                                 self->allocator, &data, &self->size, &missing, err);
    self->bytes = data;
    *allocated = self->size;
    return missing || status == FLS_NO_SPACE ? FLS_END
                                             : status; /* longer than any log: it is none */
}

/* Rule 2: entries of one pass follow each other, in the log and in the files. */
static int follows(const flsi_redo_entry *entry, const flsi_redo_entry *before)
{
    return entry->pass == before->pass && flsi_redo_owners_equal(&entry->owner, &before->owner) &&
           entry->frames_offset == before->frames_offset + before->frames_bytes &&
           entry->marks_offset == before->marks_offset + before->marks_bytes;
}

/* Rules 1 and 2. 0: the log holds nothing. */
static int find_entries(redoing *self)
{
    flsi_redo_entry entry;
    flsi_redo_entry before = {0};
    size_t size;
    self->end = 0;
    while (flsi_redo_decode(&entry, self->bytes + self->end, self->size - self->end, &size) ==
           FLS_OK) {
        if (self->end == 0) {
            self->first = entry;
        } else if (!follows(&entry, &before)) {
            break;
        }
        before = entry;
        self->end += size;
    }
    return self->end > 0;
}

/* ---- entries that are cut off ---- */

/* Whether the segment has what an entry has, byte for byte. */
static fls_status is_in_place(const flsi_file *frames, const flsi_redo_entry *entry, int *same,
                              fls_error *err)
{
    uint8_t bytes[FLSI_PROOF_BYTES];
    fls_status status = FLS_OK;
    *same = 1;
    for (size_t at = 0; status == FLS_OK && *same && at < entry->frames_bytes;) {
        size_t some =
            entry->frames_bytes - at < sizeof bytes ? entry->frames_bytes - at : sizeof bytes;
        size_t got = 0;
        status = flsi_file_read_all_at(frames, entry->frames_offset + at, bytes, some, &got, err);
        *same = status == FLS_OK && got == some && memcmp(bytes, entry->frames + at, some) == 0;
        at += some;
    }
    return status;
}

/* Rule 5: behind what breaks the row of entries no other of that writer and segment has anything
 * that the segment lacks. Those of an earlier pass have not: it was synced before. So one that has
 * stands behind damage, and messages that were durable are in it. */
static fls_status look_behind(const redoing *self, const flsi_file *frames,
                              const flsi_redo_owner *owner, fls_error *err)
{
    flsi_redo_entry entry;
    size_t size;
    fls_status status = FLS_OK;
    for (size_t at = self->end; status == FLS_OK && at < self->size; at++) {
        int same = 1;
        if (!flsi_redo_may_be(self->bytes + at, self->size - at, owner) ||
            flsi_redo_decode(&entry, self->bytes + at, self->size - at, &size) != FLS_OK) {
            continue;
        }
        status = is_in_place(frames, &entry, &same, err);
        if (status == FLS_OK && !same) {
            status =
                fls_error_set(err, FLS_CHECKSUM_MISMATCH, 0,
                              "the redo log is damaged, and durable messages stand behind the "
                              "damage: the journal can be read; put the file back from a copy, "
                              "or rebuild the journal without them");
            if (err != NULL) {
                err->offset = entry.frames_offset; /* of the segment */
                err->known |= FLS_ERROR_OFFSET;
            }
            flsi_error_name(err, FLSI_REDO_NAME);
        }
        at += size - 1;
    }
    return status;
}

/* ---- into the files ---- */

/* Rule 3: the frames before the first entry are those that were there when it was written. */
static fls_status proves(const redoing *self, const flsi_file *frames, int *proven, fls_error *err)
{
    const flsi_redo_entry *first = &self->first;
    flsi_file_info info;
    uint64_t proof;
    *proven = 0;
    fls_status status = flsi_file_info_get(frames, &info, err);
    if (status == FLS_OK && first->proof_bytes > 0 && info.size_bytes >= first->frames_offset) {
        status = flsi_proof_at(frames, first->frames_offset, first->proof_bytes, &proof, err);
        *proven = status == FLS_OK && proof == first->proof;
    }
    return status;
}

/* Rule 4: marks that reach to the first entry, of that segment and journal. */
static fls_status marks_fit(const redoing *self, const flsi_file *marks, int *fit, fls_error *err)
{
    uint8_t bytes[FLSI_MARKS_HEADER_BYTES + FLSI_RECORD_BYTES];
    flsi_file_info info;
    flsi_record record;
    size_t used;
    *fit = 0;
    fls_status status = flsi_file_info_get(marks, &info, err);
    if (status != FLS_OK || info.size_bytes < self->first.marks_offset ||
        info.size_bytes < sizeof bytes) {
        return status;
    }
    status = flsi_read_exactly(marks, 0, bytes, sizeof bytes, err);
    *fit = status == FLS_OK &&
           flsi_record_decode(&record, bytes + FLSI_MARKS_HEADER_BYTES, FLSI_RECORD_BYTES, &used,
                              NULL) == FLS_OK &&
           record.type == FLSI_RECORD_HEADER && record.ordinal == self->first.owner.segment &&
           record.id == self->first.owner.journal_id;
    return status;
}

/* One of the two files. */
static fls_status write_file(const redoing *self, flsi_file *file, int is_marks, fls_error *err)
{
    flsi_redo_entry entry;
    size_t size;
    fls_status status = FLS_OK;
    for (size_t at = 0; status == FLS_OK && at < self->end; at += size) {
        (void)flsi_redo_decode(&entry, self->bytes + at, self->size - at, &size);
        status = flsi_write_exactly(file, is_marks ? entry.marks_offset : entry.frames_offset,
                                    is_marks ? entry.marks : entry.frames,
                                    is_marks ? entry.marks_bytes : entry.frames_bytes, err);
    }
    return status == FLS_OK ? flsi_file_sync(file, err) : status;
}

static fls_status open_segment(const redoing *self, uint64_t segment, flsi_name_kind kind,
                               flsi_file *file, fls_error *err)
{
    char name[FLSI_NAME_BYTES];
    int missing = 0;
    flsi_name_format(name, kind, segment);
    fls_status status = flsi_directory_file(self->directory, file, name,
                                            FLSI_OPEN_READ | FLSI_OPEN_WRITE, &missing, err);
    return missing ? FLS_END : status;
}

/* Marks that are lost are made again by others, without these. */
static fls_status redo_marks(const redoing *self, fls_error *err)
{
    flsi_file marks;
    int fit = 0;
    fls_status status = open_segment(self, self->first.owner.segment, FLSI_NAME_MARKS, &marks, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    status = marks_fit(self, &marks, &fit, err);
    if (status == FLS_OK && fit) {
        status = write_file(self, &marks, 1, err);
    }
    (void)flsi_file_close(&marks, NULL);
    return status;
}

static fls_status redo_files(const redoing *self, const flsi_redo_owner *owner, int has_entries,
                             fls_error *err)
{
    flsi_file frames;
    int proven = 0;
    fls_status status = open_segment(self, owner->segment, FLSI_NAME_SEGMENT, &frames, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    if (has_entries) {
        status = proves(self, &frames, &proven, err);
    }
    if (status == FLS_OK && proven) { /* the frames first: marks may say that they are durable */
        status = write_file(self, &frames, 0, err);
        status = status == FLS_OK ? redo_marks(self, err) : status;
    }
    status = status == FLS_OK ? look_behind(self, &frames, owner, err) : status;
    (void)flsi_file_close(&frames, NULL);
    return status;
}

fls_status flsi_redo_apply(const flsi_directory *directory, const flsi_manifest *manifest,
                           uint64_t segment, const fls_allocator *allocator, fls_error *err)
{
    redoing self = {.directory = directory, .allocator = allocator};
    flsi_redo_owner owner = {.segment = segment};
    size_t allocated = 0;
    fls_status status = read_log(&self, &allocated, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    int has_entries = find_entries(&self);
    if (manifest != NULL) {
        owner.epoch = (uint32_t)manifest->epoch;
        owner.journal_id = flsi_load_le64(manifest->id);
    } else if (has_entries) { /* the manifest is lost: whosever they are */
        owner = self.first.owner;
        owner.segment = segment;
    }
    if (!flsi_redo_owners_equal(&self.first.owner, &owner)) {
        has_entries = 0;
        self.end = 0;
    }
    status = redo_files(&self, &owner, has_entries, err);
    if (self.bytes != NULL) {
        allocator->free(allocator->self, self.bytes, allocated);
    }
    return status;
}
