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
    return missing ? FLS_END : status;
}

/* Rule 2: entries of one pass follow each other, in the log and in the files. */
static int follows(const flsi_redo_entry *entry, const flsi_redo_entry *before)
{
    return entry->pass == before->pass && entry->owner.epoch == before->owner.epoch &&
           entry->owner.journal_id == before->owner.journal_id &&
           entry->owner.segment == before->owner.segment &&
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

/* Rule 3: the frames before the first entry are those that were there when it was written. */
static fls_status proves(const redoing *self, const flsi_file *frames, int *proven, fls_error *err)
{
    uint8_t bytes[FLSI_PROOF_BYTES];
    const flsi_redo_entry *first = &self->first;
    flsi_file_info info;
    *proven = 0;
    fls_status status = flsi_file_info_get(frames, &info, err);
    if (status == FLS_OK && info.size_bytes >= first->frames_offset) {
        status = flsi_read_exactly(frames, first->frames_offset - first->proof_bytes, bytes,
                                   first->proof_bytes, err);
        *proven =
            status == FLS_OK && (first->proof_bytes > 0 || first->frames_offset == 0) &&
            (first->proof_bytes == 0 ||
             fls_checksum_digest(FLS_CHECKSUM_XXH3, bytes, first->proof_bytes) == first->proof);
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

static fls_status open_one(const redoing *self, flsi_name_kind kind, flsi_file *file,
                           fls_error *err)
{
    char name[FLSI_NAME_BYTES];
    int missing = 0;
    flsi_name_format(name, kind, self->first.owner.segment);
    fls_status status = flsi_directory_file(self->directory, file, name,
                                            FLSI_OPEN_READ | FLSI_OPEN_WRITE, &missing, err);
    return missing ? FLS_END : status;
}

/* Marks that are lost are made again by others, without these. */
static fls_status redo_marks(const redoing *self, fls_error *err)
{
    flsi_file marks;
    int fit = 0;
    fls_status status = open_one(self, FLSI_NAME_MARKS, &marks, err);
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

static fls_status redo_files(const redoing *self, fls_error *err)
{
    flsi_file frames;
    int proven = 0;
    fls_status status = open_one(self, FLSI_NAME_SEGMENT, &frames, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    status = proves(self, &frames, &proven, err);
    if (status == FLS_OK && proven) { /* the frames first: marks may say that they are durable */
        status = write_file(self, &frames, 0, err);
        status = status == FLS_OK ? redo_marks(self, err) : status;
    }
    (void)flsi_file_close(&frames, NULL);
    return status;
}

fls_status flsi_redo_apply(const flsi_directory *directory, const flsi_manifest *manifest,
                           uint64_t segment, const fls_allocator *allocator, fls_error *err)
{
    redoing self = {.directory = directory, .allocator = allocator};
    size_t allocated = 0;
    fls_status status = read_log(&self, &allocated, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    if (find_entries(&self) && self.first.owner.segment == segment &&
        (manifest == NULL || (self.first.owner.epoch == manifest->epoch &&
                              self.first.owner.journal_id == flsi_load_le64(manifest->id)))) {
        status = redo_files(&self, err);
    }
    if (self.bytes != NULL) {
        allocator->free(allocator->self, self.bytes, allocated);
    }
    return status;
}
