/* Opening: where the next writer goes on, and what the last one left. The numbers are those of the
 * rules in docs/JOURNAL.md, "Opening".
 */
#include "journal/journal_recovery.h"

#include "core/error.h"
#include "journal/journal_cursor.h"
#include "journal/journal_keep.h"
#include "journal/journal_redo.h"
#include "journal/journal_tail.h"

typedef struct recovery {
    flsi_manifest *manifest;
    const flsi_directory *directory;
    const fls_allocator *allocator;
    fls_journal_report *report;
    flsi_journal_place *place;
    uint64_t known_time_ns; /* of the segments before the last */
} recovery;

/* Rule 2: a writer's number stands in the manifest before anything else of its is there. */
static fls_status begin_epoch(const recovery *self, fls_error *err)
{
    if (self->manifest->epoch >= UINT32_MAX) {
        return fls_error_set(err, FLS_UNSUPPORTED, 0, "the journal was opened too often");
    }
    self->manifest->epoch++;
    fls_status status = flsi_manifest_store(self->manifest, self->directory, self->allocator, err);
    if (status != FLS_OK) {
        self->manifest->epoch--;
    }
    return status;
}

static void go_on_behind(const recovery *self, const flsi_journal_tail *tail)
{
    *self->place = (flsi_journal_place){.next_ordinal = tail->base_ordinal,
                                        .last_time_ns = tail->last_time_ns > self->known_time_ns
                                                            ? tail->last_time_ns
                                                            : self->known_time_ns};
}

/* Rule 4: nothing is behind the base. */
static void go_on_within(const recovery *self, const flsi_journal_tail *tail)
{
    go_on_behind(self, tail);
    self->report->was_clean = 1;
    if (tail->frames.fd < 0) {
        self->place->next_ordinal = tail->seal.ordinal;
        return;
    }
    if ((tail->sealed & (FLSI_SEAL_ROTATED | FLSI_SEAL_RECOVERED)) != 0) {
        return;
    }
    self->place->has_segment = 1;
    self->place->segment_first_ordinal = tail->first_ordinal;
    self->place->segment_offset = tail->frames_bytes;
    self->place->marks_offset = tail->marks_bytes;
    self->place->segment_begun_ns = tail->header.time_ns;
    self->place->segment_epoch = tail->header.small;
}

/* Rule 7: what is behind the last sound frame, and what of the marks is not valid, goes to cut/. */
static fls_status set_aside(const recovery *self, const flsi_journal_tail *tail,
                            const flsi_scan *scan, fls_error *err)
{
    fls_journal_report *report = self->report;
    char marks_name[FLSI_NAME_BYTES];
    fls_status status = FLS_OK;
    if (scan->fault.status != FLS_OK) {
        status = flsi_scan_behind(scan, &report->cut_messages, err);
    }
    report->fault = scan->fault;
    report->cut_bytes = tail->frames_bytes - scan->offset;
    if (status == FLS_OK) {
        status = flsi_keep_cut(self->directory, &tail->frames, scan->offset, tail->frames_bytes,
                               self->manifest->epoch, scan->ordinal, "fls", self->allocator,
                               report->cut_name, err);
    }
    if (status == FLS_OK) {
        status = flsi_keep_cut(self->directory, &tail->marks, tail->valid_bytes, tail->marks_bytes,
                               self->manifest->epoch, scan->ordinal, "flm", self->allocator,
                               marks_name, err);
    }
    return status;
}

/* Rules 5 to 9. Each step leaves a journal that opens to the same. */
static fls_status repair(const recovery *self, flsi_journal_tail *tail, fls_error *err)
{
    fls_journal_report *report = self->report;
    flsi_scan scan = {.file = &tail->frames,
                      .allocator = self->allocator,
                      .checksum = self->manifest->checksum,
                      .max_frame_bytes = self->manifest->max_frame_bytes,
                      .end = tail->frames_bytes,
                      .ordinal = tail->base_ordinal,
                      .offset = tail->base_offset};
    fls_status status = flsi_scan_frames(&scan, NULL, NULL, err);
    status = status == FLS_OK ? set_aside(self, tail, &scan, err) : status;
    if (status != FLS_OK) {
        return status;
    }
    flsi_keep keep = {.manifest = self->manifest,
                      .directory = self->directory,
                      .allocator = self->allocator,
                      .tail = tail,
                      .end_ordinal = scan.ordinal,
                      .end_offset = scan.offset,
                      .known_time_ns = self->known_time_ns,
                      .cut = report->cut_bytes > 0};
    int copied = scan.ordinal > tail->base_ordinal || tail->base_offset == 0;
    report->kept_messages = scan.ordinal - tail->base_ordinal;
    report->rebuilt |= !tail->sound && tail->frames_bytes > 0;
    go_on_behind(self, tail);
    if (copied) {
        uint64_t last_time_ns = self->place->last_time_ns;
        status = flsi_keep_sound(&keep, self->place, err);
        if (self->place->last_time_ns < last_time_ns) {
            self->place->last_time_ns = last_time_ns;
        }
    }
    if (status != FLS_OK || tail->base_offset == 0) { /* the new one took its place */
        return status;
    }
    status = flsi_keep_end_at_base(tail, keep.cut && !copied, err);
    /* What the new segment has is superseded here, whether it goes or not. */
    return copied && status == FLS_IO ? FLS_OK : status;
}

/* Rule 6, for a recovery that was cut short: what the segment before the last holds behind the
 * last's beginning was copied there, and goes. One look tells that there is nothing of the kind. */
static fls_status finish_before_last(recovery *self, const flsi_listing *listing, fls_error *err)
{
    const flsi_listed_segment *before = &listing->segments[listing->count - 2];
    uint64_t next = listing->segments[listing->count - 1].first_ordinal;
    flsi_journal_tail tail;
    char name[FLSI_NAME_BYTES];
    fls_status status =
        flsi_journal_tail_open(&tail, self->manifest, self->directory, before, 0,
                               FLSI_OPEN_READ | FLSI_OPEN_WRITE, self->allocator, err);
    self->known_time_ns = tail.last_time_ns;
    int superseded = tail.sound && tail.frames.fd >= 0 && tail.base_ordinal == next &&
                     tail.base_offset > 0 &&
                     (tail.frames_bytes > tail.base_offset ||
                      (tail.sealed & (FLSI_SEAL_ROTATED | FLSI_SEAL_RECOVERED)) == 0);
    fls_status proven = FLS_CHECKSUM_MISMATCH;
    if (status == FLS_OK && superseded) {
        proven = flsi_journal_tail_prove(&tail, err);
        status = proven == FLS_CHECKSUM_MISMATCH ? FLS_OK : proven; /* damage stays as it is */
    }
    if (status == FLS_OK && proven == FLS_OK) {
        status = flsi_keep_cut(self->directory, &tail.frames, tail.base_offset, tail.frames_bytes,
                               self->manifest->epoch, next, "fls", self->allocator, name, err);
        if (status == FLS_OK) {
            status = flsi_keep_cut(self->directory, &tail.marks, tail.valid_bytes, tail.marks_bytes,
                                   self->manifest->epoch, next, "flm", self->allocator, name, err);
        }
        status = status == FLS_OK ? flsi_keep_end_at_base(&tail, 0, err) : status;
    }
    flsi_journal_tail_close(&tail);
    return status;
}

/* Whether the segment before the last ends with a seal at the last's beginning: then there is
 * nothing to finish in it, and its marks need not be read. Nothing proves the seal, so that its
 * time is not used: the last segment was begun later. */
static int ends_sealed(const recovery *self, const flsi_listing *listing)
{
    const flsi_listed_segment *before = &listing->segments[listing->count - 2];
    uint64_t next = listing->segments[listing->count - 1].first_ordinal;
    char name[FLSI_NAME_BYTES];
    flsi_file marks;
    flsi_file_info info;
    uint8_t bytes[FLSI_RECORD_BYTES];
    flsi_record record;
    size_t used;
    flsi_name_format(name, FLSI_NAME_MARKS, before->first_ordinal);
    if (flsi_directory_file(self->directory, &marks, name, FLSI_OPEN_READ, NULL, NULL) != FLS_OK) {
        return 0;
    }
    int sealed =
        flsi_file_info_get(&marks, &info, NULL) == FLS_OK && info.size_bytes >= sizeof bytes &&
        flsi_read_exactly(&marks, info.size_bytes - sizeof bytes, bytes, sizeof bytes, NULL) ==
            FLS_OK &&
        flsi_record_decode(&record, bytes, sizeof bytes, &used, NULL) == FLS_OK &&
        record.type == FLSI_RECORD_SEAL && record.ordinal == next;
    (void)flsi_file_close(&marks, NULL);
    flsi_name_format(name, FLSI_NAME_SEGMENT, before->first_ordinal);
    if (sealed && before->has_plain) {
        sealed = flsi_directory_info(self->directory, name, &info, NULL, NULL) == FLS_OK &&
                 info.size_bytes == record.offset;
    }
    return sealed;
}

/* The types of the manifest were changed, and no message came since that began a segment of them.
 */
static int has_other_types(const recovery *self, const flsi_journal_tail *tail)
{
    const flsi_manifest *manifest = self->manifest;
    int same = !tail->sound || tail->type_count == manifest->type_count;
    for (uint32_t i = 0; same && tail->sound && i < tail->type_count; i++) {
        const flsi_manifest_type *one = &tail->types[i];
        const flsi_manifest_type *other = &manifest->types[i];
        same = one->schema_hash == other->schema_hash && strcmp(one->root, other->root) == 0 &&
               memcmp(one->identifier, other->identifier, sizeof one->identifier) == 0;
    }
    return !same;
}

/* Marks under the name that the next segment will get, with no segment beside them: left by one
 * that was being begun. */
static fls_status free_the_name(const recovery *self, fls_error *err)
{
    char name[FLSI_NAME_BYTES];
    char cut_name[FLSI_NAME_BYTES];
    flsi_file stray;
    flsi_file_info info;
    int missing = 0;
    if (self->place->has_segment) {
        return FLS_OK;
    }
    flsi_name_format(name, FLSI_NAME_MARKS, self->place->next_ordinal);
    fls_status status =
        flsi_directory_file(self->directory, &stray, name, FLSI_OPEN_READ, &missing, err);
    if (status != FLS_OK) {
        return missing ? FLS_OK : status;
    }
    status = flsi_file_info_get(&stray, &info, err);
    if (status == FLS_OK) {
        status = flsi_keep_cut(self->directory, &stray, 0, info.size_bytes, self->manifest->epoch,
                               self->place->next_ordinal, "flm", self->allocator, cut_name, err);
    }
    (void)flsi_file_close(&stray, NULL);
    if (status == FLS_OK) {
        status = flsi_directory_remove(self->directory, name, err);
    }
    return status == FLS_OK ? flsi_directory_sync_names(self->directory, err) : status;
}

static fls_status recover_segments(recovery *self, const flsi_listing *listing, fls_error *err)
{
    flsi_journal_tail tail;
    const flsi_listed_segment *last = &listing->segments[listing->count - 1];
    fls_status status = flsi_redo_apply(self->directory, self->manifest, last->first_ordinal,
                                        self->allocator, err); /* rule 0 */
    if (status != FLS_OK) {
        return status;
    }
    status = /* rule 1 */
        flsi_journal_tail_open(&tail, self->manifest, self->directory, last, 0,
                               FLSI_OPEN_READ | FLSI_OPEN_WRITE, self->allocator, err);
    status = status == FLS_OK ? flsi_journal_tail_prove(&tail, err) : status; /* rule 3 */
    if (status == FLS_OK) {
        status = flsi_journal_tail_prove_logged(&tail, self->manifest, err);
    }
    status = status == FLS_OK ? begin_epoch(self, err) : status;
    if (status == FLS_OK && listing->count > 1 && (!tail.sound || !ends_sealed(self, listing))) {
        status = finish_before_last(self, listing, err);
    }
    if (status == FLS_OK) {
        self->report->base_ordinal = tail.base_ordinal;
        if (flsi_journal_tail_is_clean(&tail)) {
            go_on_within(self, &tail);
        } else {
            status = repair(self, &tail, err);
        }
        self->place->has_other_types = has_other_types(self, &tail);
    }
    flsi_journal_tail_close(&tail);
    return status == FLS_OK ? free_the_name(self, err) : status;
}

fls_status flsi_journal_recover(flsi_journal_place *place, flsi_manifest *manifest,
                                const flsi_directory *directory, const fls_allocator *allocator,
                                fls_journal_report *report, fls_error *err)
{
    fls_journal_report unasked = FLS_JOURNAL_REPORT_INIT;
    flsi_listing listing;
    recovery self = {.manifest = manifest,
                     .directory = directory,
                     .allocator = allocator,
                     .report = report != NULL ? report : &unasked,
                     .place = place};
    *place = (flsi_journal_place){0};
    self.report->was_clean = 0;
    fls_status status = flsi_listing_read(&listing, directory, allocator, err);
    if (status != FLS_OK) {
        return status;
    }
    if (listing.count > 0) {
        status = recover_segments(&self, &listing, err);
    } else {
        self.report->was_clean = 1;
        status = begin_epoch(&self, err);
        status = status == FLS_OK ? free_the_name(&self, err) : status;
    }
    flsi_listing_fini(&listing);
    if (status == FLS_OK) { /* rule 10 */
        status = flsi_cursors_limit(directory, place->next_ordinal, manifest->epoch, allocator,
                                    &self.report->moved_cursors, err);
    }
    self.report->epoch = manifest->epoch;
    self.report->messages = place->next_ordinal;
    return status;
}
