/* Making manifest and marks again where they are lost, from what is left of them and from the
 * segments. What is replaced goes to cut/. docs/JOURNAL.md, "Rebuilding".
 */
#include "core/error.h"
#include "flatstream/recover.h"
#include "journal/journal_cursor.h"
#include "journal/journal_keep.h"
#include "journal/journal_lock.h"
#include "journal/journal_recovery.h"
#include "journal/journal_redo.h"
#include "journal/journal_tail.h"
#include "os/os_thread.h"

#define DETECT_BYTES ((size_t)256 * 1024)
/* Writers that went on in a segment left their numbers in the manifest only: more than there were
 * of them since the newest number that is found. */
#define EPOCH_JUMP (UINT64_C(1) << 20)

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

/* The header and types of a segment's marks, whatever journal they are of. FLS_END: there are none.
 * What could not be read, or is of a later version, is not lost. */
static fls_status read_header(const remaking *self, size_t index, flsi_marks_pass *pass,
                              fls_error *err)
{
    char name[FLSI_NAME_BYTES];
    flsi_file file;
    flsi_file_info info;
    int missing = 0;
    uint64_t first_ordinal = self->listing.segments[index].first_ordinal;
    flsi_name_format(name, FLSI_NAME_MARKS, first_ordinal);
    *pass = (flsi_marks_pass){0};
    fls_status status =
        flsi_directory_file(self->directory, &file, name, FLSI_OPEN_READ, &missing, err);
    if (status != FLS_OK) {
        return missing ? FLS_END : status;
    }
    status = flsi_file_info_get(&file, &info, err);
    if (status == FLS_OK && info.size_bytes == 0) {
        status = FLS_END;
    }
    if (status == FLS_OK) {
        status = flsi_marks_pass_begin(pass, &file, info.size_bytes, self->allocator, err);
    }
    if (status == FLS_UNSUPPORTED) {
        flsi_error_name(err, name);
    }
    (void)flsi_file_close(&file, NULL);
    pass->marks.file = NULL; /* what is asked of it is in the first frame, which is in memory */
    if (fls_status_class_of(status) == FLS_CLASS_DAMAGE ||
        (status == FLS_OK && pass->walk.header.ordinal != first_ordinal)) {
        return FLS_END;
    }
    return status;
}

/* Types stand in the first frame. */
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
static void make_id(flsi_manifest *manifest)
{
    uint64_t now = flsi_wall_now_ns();
    flsi_store_le64(manifest->id, fls_checksum_digest(FLS_CHECKSUM_XXH3, &now, sizeof now));
}

/* Without any marks. */
static fls_status guess_manifest(const remaking *self, fls_error *err)
{
    flsi_manifest *manifest = self->manifest;
    make_id(manifest);
    manifest->has_times = 1;
    manifest->created_ns = flsi_wall_now_ns();
    return find_checksum(self, &manifest->checksum, err);
}

static void take_header(flsi_manifest *manifest, flsi_marks_pass *pass, int is_newest)
{
    const flsi_record *header = &pass->walk.header;
    manifest->epoch = header->small > manifest->epoch ? header->small : manifest->epoch;
    manifest->created_ns = header->time_ns;
    if (is_newest) { /* it says most */
        flsi_store_le64(manifest->id, header->id);
        manifest->checksum = (fls_checksum)header->checksum;
        manifest->has_times = (header->header_flags & FLSI_HEADER_TIMES) != 0;
        take_types(manifest, pass);
    }
}

/* ---- the epoch ---- */

static void see_epoch(flsi_manifest *manifest, uint64_t epoch)
{
    if (epoch < UINT32_MAX && epoch > manifest->epoch) {
        manifest->epoch = epoch;
    }
}

static int see_cut(void *self, const char *name)
{
    see_epoch(self, flsi_name_cut_epoch(name));
    return 0;
}

static fls_status see_cursor(void *self, const fls_journal_cursor *cursor, const fls_error *damage)
{
    see_epoch(self, damage == NULL ? cursor->epoch : 0);
    return FLS_OK;
}

/* Another number than any writer had, so that readers see that there was another one. */
static fls_status choose_epoch(const remaking *self, fls_error *err)
{
    flsi_manifest *manifest = self->manifest;
    flsi_directory cut;
    int missing = 0;
    fls_status status =
        flsi_cursor_each(self->directory, self->allocator, see_cursor, manifest, err);
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_directory_open_in(&cut, self->directory, FLSI_CUT_NAME, 0, &missing, err);
    if (status == FLS_OK) {
        status = flsi_directory_list(&cut, see_cut, manifest, err);
        flsi_directory_close(&cut);
    }
    uint64_t left = (UINT32_MAX - manifest->epoch) / 2;
    manifest->epoch += left < EPOCH_JUMP ? left : EPOCH_JUMP;
    return missing ? FLS_OK : status;
}

static fls_status remake_manifest(remaking *self, fls_error *err)
{
    flsi_manifest *manifest = self->manifest;
    fls_status status = FLS_OK;
    int known = 0;
    memset(manifest, 0, sizeof *manifest);
    manifest->max_frame_bytes = FLS_DEFAULT_MAX_FRAME_BYTES;
    for (size_t i = self->listing.count; status == FLS_OK && i-- > 0;) {
        flsi_marks_pass pass;
        status = read_header(self, i, &pass, err);
        if (status == FLS_OK) {
            take_header(manifest, &pass, !known);
            known = 1;
        }
        flsi_marks_pass_fini(&pass);
        status = status == FLS_END ? FLS_OK : status;
        if (self->listing.segments[i].has_compressed) {
            manifest->incompatible |= FLSI_FEATURE_COMPRESSED;
        }
    }
    if (status == FLS_OK && !known) {
        status = guess_manifest(self, err);
    }
    if (status == FLS_OK) {
        self->changed = 1;
        flsi_manifest_complete_id(manifest);
        status = copy_aside(self, FLSI_MANIFEST_NAME, 0, "json", err);
    }
    if (status == FLS_OK) {
        status = choose_epoch(self, err);
    }
    return status == FLS_OK ? flsi_manifest_store(manifest, self->directory, self->allocator, err)
                            : status;
}

/* ---- marks ---- */

/* When the next segment was begun; 0: not known. */
static fls_status next_begun(const remaking *self, size_t index, uint64_t *time_ns, fls_error *err)
{
    flsi_marks_pass pass;
    *time_ns = 0;
    if (index + 1 == self->listing.count) {
        return FLS_OK;
    }
    fls_status status = read_header(self, index + 1, &pass, err);
    *time_ns = status == FLS_OK ? pass.walk.header.time_ns : 0;
    flsi_marks_pass_fini(&pass);
    return status == FLS_END ? FLS_OK : status;
}

static fls_status see_frame(void *self, const fls_message *message, fls_error *err)
{
    const uint64_t *end_ordinal = self;
    (void)err;
    return message->ordinal < *end_ordinal ? FLS_OK : FLS_STOPPED; /* superseded */
}

/* New marks of all that is sound from the segment's beginning on. */
static fls_status remake_marks(remaking *self, size_t index, flsi_journal_tail *tail,
                               uint64_t known_time_ns, fls_error *err)
{
    int last = index + 1 == self->listing.count;
    uint64_t next_ordinal = last ? UINT64_MAX : self->listing.segments[index + 1].first_ordinal;
    flsi_scan scan = {.file = &tail->frames,
                      .allocator = self->allocator,
                      .checksum = self->manifest->checksum,
                      .max_frame_bytes = self->manifest->max_frame_bytes,
                      .end = tail->frames_bytes,
                      .ordinal = tail->first_ordinal};
    flsi_keep keep = {.manifest = self->manifest,
                      .directory = self->directory,
                      .allocator = self->allocator,
                      .tail = tail,
                      .known_time_ns = known_time_ns};
    fls_status status = flsi_scan_frames(&scan, see_frame, &next_ordinal, err);
    status = status == FLS_STOPPED ? FLS_OK : status;
    if (status == FLS_OK) {
        status = next_begun(self, index, &keep.limit_time_ns, err);
    }
    if (status == FLS_OK) {
        status = copy_aside(self, tail->marks_name, tail->first_ordinal, "flm", err);
    }
    tail->base_ordinal = tail->first_ordinal;
    tail->base_offset = 0;
    keep.end_ordinal = scan.ordinal;
    keep.end_offset = scan.offset;
    self->changed = 1;
    return status == FLS_OK ? flsi_keep_marks(&keep, next_ordinal, err) : status;
}

/* Marks that are lost or damaged; of the last segment only those that recovery would refuse. */
static fls_status look_at_marks(remaking *self, size_t index, uint64_t *known_time_ns,
                                fls_error *err)
{
    flsi_journal_tail tail;
    int last = index + 1 == self->listing.count;
    fls_status status = flsi_journal_tail_open(
        &tail, self->manifest, self->directory, &self->listing.segments[index], 1,
        FLSI_OPEN_READ | FLSI_OPEN_WRITE, self->allocator, err);
    if (status == FLS_OK && tail.frames.fd >= 0) {
        int lost = !tail.sound || !tail.whole;
        if (last) {
            fls_status proven = flsi_journal_tail_prove(&tail, err);
            if (proven == FLS_OK) {
                proven = flsi_journal_tail_prove_logged(&tail, self->manifest, err);
            }
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

/* The redo log, before an epoch is chosen that it does not know and marks are made that its own do
 * not belong to: what can be is written where it belongs, and the log is set aside. */
static fls_status use_log(remaking *self, int has_manifest, fls_error *err)
{
    uint64_t last = self->listing.segments[self->listing.count - 1].first_ordinal;
    fls_status status = flsi_redo_apply(self->directory, has_manifest ? self->manifest : NULL, last,
                                        self->allocator, err);
    if (status != FLS_OK && status != FLS_CHECKSUM_MISMATCH) {
        return status;
    }
    if (!has_manifest) {
        self->manifest->epoch = 0;
    }
    status = copy_aside(self, FLSI_REDO_NAME, last, "redo", err);
    status = status == FLS_OK ? flsi_redo_remove(self->directory, err) : status;
    return status == FLS_OK ? flsi_directory_sync_names(self->directory, err) : status;
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
    int lost = status == FLS_END || fls_status_class_of(status) == FLS_CLASS_DAMAGE;
    if (self.listing.count > 0 && (status == FLS_OK || lost)) {
        fls_status used = use_log(&self, !lost, err);
        if (used != FLS_OK) {
            flsi_listing_fini(&self.listing);
            return used;
        }
    }
    if (status == FLS_END && self.listing.count == 0) {
        status = fls_error_set(err, FLS_IO, 0, "there is nothing that a journal could be made of");
    } else if (lost) {
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
    fls_status status = flsi_writer_lock(directory, &lock, err);
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
