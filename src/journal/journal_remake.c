/* Making manifest and marks again where they are lost, from what is left of them and from the
 * segments. What is replaced goes to cut/. docs/JOURNAL.md, "Rebuilding".
 */
#include "core/error.h"
#include "flatstream/recover.h"
#include "journal/journal_keep.h"
#include "journal/journal_recovery.h"
#include "journal/journal_tail.h"
#include "os/os_thread.h"

#define DETECT_BYTES ((size_t)256 * 1024)

typedef struct remaking {
    flsi_manifest *manifest;
    const flsi_directory *directory;
    const fls_allocator *allocator;
    flsi_listing listing;
    int changed;
} remaking;

/* Copies a file of the journal's directory into cut/; one that is not there is no failure. */
static fls_status copy_aside(const remaking *self, const char *name, uint64_t ordinal,
                             const char *extension, fls_error *err)
{
    char cut_name[FLSI_NAME_BYTES];
    flsi_file file;
    flsi_file_info info;
    int missing = 0;
    fls_status status =
        flsi_directory_file(self->directory, &file, name, FLSI_OPEN_READ, &missing, err);
    if (status != FLS_OK) {
        return missing ? FLS_OK : status;
    }
    status = flsi_file_info_get(&file, &info, err);
    if (status == FLS_OK) {
        status = flsi_keep_cut(self->directory, &file, 0, info.size_bytes, self->manifest->epoch,
                               ordinal, extension, self->allocator, cut_name, err);
    }
    (void)flsi_file_close(&file, NULL);
    return status;
}

/* ---- the manifest ---- */

/* The header and types of a segment's marks, whatever journal they are of. 1: they are there. */
static int read_header(const remaking *self, size_t index, flsi_marks_pass *pass)
{
    char name[FLSI_NAME_BYTES];
    flsi_file file;
    flsi_file_info info;
    flsi_name_format(name, FLSI_NAME_MARKS, self->listing.segments[index].first_ordinal);
    *pass = (flsi_marks_pass){0};
    if (flsi_directory_file(self->directory, &file, name, FLSI_OPEN_READ, NULL, NULL) != FLS_OK) {
        return 0;
    }
    int there =
        flsi_file_info_get(&file, &info, NULL) == FLS_OK &&
        flsi_marks_pass_begin(pass, &file, info.size_bytes, self->allocator, NULL) == FLS_OK;
    (void)flsi_file_close(&file, NULL);
    return there;
}

/* Types stand in the first frame, which is in memory already. */
static void take_types(flsi_manifest *manifest, flsi_marks_pass *pass)
{
    flsi_record record;
    while (flsi_marks_walk_next(&pass->walk, &record, NULL) == FLS_OK && pass->walk.frame == 0) {
        if (record.type != FLSI_RECORD_TYPE || manifest->type_count == FLSI_MANIFEST_TYPES) {
            continue;
        }
        flsi_manifest_type *type = &manifest->types[manifest->type_count++];
        type->schema_hash = record.id;
        flsi_store_le32(type->identifier, (uint32_t)record.value);
        memcpy(type->root, record.data, record.small);
    }
}

/* Without any marks: the checksum that proves itself in the first segment that shows one. */
static fls_status find_checksum(const remaking *self, fls_checksum *checksum, fls_error *err)
{
    uint8_t *bytes = self->allocator->resize(self->allocator->self, NULL, 0, DETECT_BYTES);
    fls_status status = FLS_CHECKSUM_UNPROVEN;
    if (bytes == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to find the journal's checksum");
    }
    for (size_t i = 0; i < self->listing.count && status != FLS_OK; i++) {
        char name[FLSI_NAME_BYTES];
        flsi_file file;
        size_t got = 0;
        flsi_name_format(name, FLSI_NAME_SEGMENT, self->listing.segments[i].first_ordinal);
        if (flsi_directory_file(self->directory, &file, name, FLSI_OPEN_READ, NULL, NULL) !=
            FLS_OK) {
            continue;
        }
        if (flsi_file_read_all_at(&file, 0, bytes, DETECT_BYTES, &got, NULL) == FLS_OK && got > 0) {
            status = fls_detect_checksum(bytes, got, got < DETECT_BYTES, 0, checksum, NULL);
        }
        (void)flsi_file_close(&file, NULL);
    }
    self->allocator->free(self->allocator->self, bytes, DETECT_BYTES);
    return status == FLS_OK ? FLS_OK
                            : fls_error_set(err, FLS_CHECKSUM_UNPROVEN, 0,
                                            "manifest and marks are lost, and the segments do not "
                                            "show which checksum they have");
}

/* Another id than any journal that is alive is likely to have. */
static void make_id(uint8_t id[16])
{
    uint64_t now = flsi_wall_now_ns();
    flsi_store_le64(id, fls_checksum_digest(FLS_CHECKSUM_XXH3, &now, sizeof now));
    flsi_store_le64(id + 8, fls_checksum_digest(FLS_CHECKSUM_XXH3, id, 8));
}

static fls_status remake_manifest(remaking *self, fls_error *err)
{
    flsi_manifest *manifest = self->manifest;
    int known = 0;
    memset(manifest, 0, sizeof *manifest);
    manifest->max_frame_bytes = FLS_DEFAULT_MAX_FRAME_BYTES;
    for (size_t i = self->listing.count; i-- > 0;) { /* the newest says most */
        flsi_marks_pass pass;
        if (read_header(self, i, &pass)) {
            const flsi_record *header = &pass.walk.header;
            if (!known) {
                flsi_store_le64(manifest->id, header->id);
                manifest->checksum = (fls_checksum)header->checksum;
                manifest->has_times = (header->header_flags & FLSI_HEADER_TIMES) != 0;
                take_types(manifest, &pass);
            }
            manifest->epoch = header->small > manifest->epoch ? header->small : manifest->epoch;
            manifest->created_ns = header->time_ns;
            known = 1;
        }
        flsi_marks_pass_fini(&pass);
        if (self->listing.segments[i].has_compressed) {
            manifest->incompatible |= FLSI_FEATURE_COMPRESSED;
        }
    }
    if (!known) {
        fls_status status = find_checksum(self, &manifest->checksum, err);
        if (status != FLS_OK) {
            return status;
        }
        make_id(manifest->id);
        manifest->has_times = 1;
        manifest->created_ns = flsi_wall_now_ns();
    }
    self->changed = 1;
    fls_status status = copy_aside(self, FLSI_MANIFEST_NAME, 0, "json", err);
    return status == FLS_OK ? flsi_manifest_store(manifest, self->directory, self->allocator, err)
                            : status;
}

/* ---- marks ---- */

static uint64_t next_begun(const remaking *self, size_t index)
{
    flsi_marks_pass pass;
    uint64_t time_ns = 0;
    if (index + 1 < self->listing.count && read_header(self, index + 1, &pass)) {
        time_ns = pass.walk.header.time_ns;
    }
    if (index + 1 < self->listing.count) {
        flsi_marks_pass_fini(&pass);
    }
    return time_ns;
}

/* New marks of all that is sound from the segment's beginning on. */
static fls_status remake_marks(remaking *self, size_t index, flsi_journal_tail *tail,
                               uint64_t known_time_ns, fls_error *err)
{
    int last = index + 1 == self->listing.count;
    flsi_scan scan = {.file = &tail->frames,
                      .allocator = self->allocator,
                      .checksum = self->manifest->checksum,
                      .max_frame_bytes = self->manifest->max_frame_bytes,
                      .end = tail->frames_bytes,
                      .ordinal = tail->first_ordinal};
    fls_status status = flsi_scan_frames(&scan, NULL, NULL, err);
    if (status == FLS_OK) {
        status = copy_aside(self, tail->marks_name, tail->first_ordinal, "flm", err);
    }
    tail->base_ordinal = tail->first_ordinal;
    tail->base_offset = 0;
    flsi_keep keep = {.manifest = self->manifest,
                      .directory = self->directory,
                      .allocator = self->allocator,
                      .tail = tail,
                      .end_ordinal = scan.ordinal,
                      .end_offset = scan.offset,
                      .known_time_ns = known_time_ns,
                      .limit_time_ns = next_begun(self, index)};
    self->changed = 1;
    return status != FLS_OK
               ? status
               : flsi_keep_marks(
                     &keep, last ? UINT64_MAX : self->listing.segments[index + 1].first_ordinal,
                     err);
}

/* Marks that are lost or damaged; of the last segment only those that recovery would refuse. */
static fls_status look_at_marks(remaking *self, size_t index, uint64_t *known_time_ns,
                                fls_error *err)
{
    flsi_journal_tail tail;
    int last = index + 1 == self->listing.count;
    fls_status status =
        flsi_journal_tail_open(&tail, self->manifest, self->directory,
                               &self->listing.segments[index], self->allocator, err);
    if (status == FLS_OK && tail.frames.fd >= 0) {
        int lost = !tail.sound || !tail.whole;
        if (last) {
            fls_status proven = flsi_journal_tail_prove(&tail, err);
            lost = proven == FLS_CHECKSUM_MISMATCH;
            status = lost ? FLS_OK : proven;
        }
        if (status == FLS_OK && lost) {
            status = remake_marks(self, index, &tail, *known_time_ns, err);
        }
    }
    if (tail.last_time_ns > *known_time_ns) {
        *known_time_ns = tail.last_time_ns;
    }
    flsi_journal_tail_close(&tail);
    return status;
}

fls_status flsi_journal_remake(flsi_manifest *manifest, const flsi_directory *directory,
                               const fls_allocator *allocator, fls_journal_report *report,
                               fls_error *err)
{
    remaking self = {.manifest = manifest, .directory = directory, .allocator = allocator};
    uint64_t known_time_ns = 0;
    fls_status status = flsi_listing_read(&self.listing, directory, allocator, err);
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_manifest_load(manifest, directory, allocator, err);
    if (status == FLS_END && self.listing.count == 0) {
        status = fls_error_set(err, FLS_IO, 0, "there is nothing that a journal could be made of");
    } else if (status == FLS_END || fls_status_class_of(status) == FLS_CLASS_DAMAGE) {
        status = remake_manifest(&self, err);
    }
    for (size_t i = 0; status == FLS_OK && i < self.listing.count; i++) {
        status = look_at_marks(&self, i, &known_time_ns, err);
    }
    flsi_listing_fini(&self.listing);
    if (status == FLS_OK && report != NULL) {
        report->rebuilt |= (uint32_t)self.changed;
    }
    return status;
}

/* ---- the public one ---- */

static fls_status rebuild_in(const flsi_directory *directory, fls_journal_report *report,
                             fls_error *err)
{
    const fls_allocator *allocator = fls_allocator_libc();
    flsi_manifest manifest;
    flsi_journal_place place;
    flsi_file lock;
    fls_status status = flsi_directory_file(
        directory, &lock, FLSI_LOCK_NAME,
        FLSI_OPEN_READ | FLSI_OPEN_WRITE | FLSI_OPEN_CREATE | FLSI_OPEN_LOCK, NULL, err);
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_journal_remake(&manifest, directory, allocator, report, err);
    if (status == FLS_OK) {
        status = flsi_journal_recover(&place, &manifest, directory, allocator, report, err);
    }
    (void)flsi_file_close(&lock, NULL);
    return status;
}

fls_status flsi_journal_rebuild(const char *path, const flsi_os_calls *calls,
                                fls_journal_report *report, fls_error *err)
{
    flsi_directory directory;
    fls_journal_report made = FLS_JOURNAL_REPORT_INIT;
    if (report != NULL && report->struct_bytes < sizeof report->struct_bytes) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a report without struct_bytes");
    }
    fls_status status = flsi_directory_open(&directory, path, 0, calls, err);
    if (status != FLS_OK) {
        return status;
    }
    status = rebuild_in(&directory, &made, err);
    flsi_directory_close(&directory);
    if (report != NULL) {
        uint32_t bytes = report->struct_bytes;
        memcpy(report, &made, bytes < sizeof made ? bytes : sizeof made);
        report->struct_bytes = bytes;
    }
    return status;
}

fls_status fls_journal_rebuild(const char *path, fls_journal_report *report, fls_error *err)
{
    return flsi_journal_rebuild(path, NULL, report, err);
}
