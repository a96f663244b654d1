/* What a journal is made of. */
#include "journal/journal_reader_private.h"

/* ---- one segment ---- */

static void take_times(fls_journal_segment *segment, const flsi_record *record)
{
    flsi_times_walk walk;
    flsi_times_begin(&walk, record);
    while (flsi_times_next(&walk)) {
    }
    segment->last_time_ns =
        walk.time_ns > segment->last_time_ns ? walk.time_ns : segment->last_time_ns;
}

static void take_record(fls_journal_segment *segment, const flsi_record *record)
{
    segment->sealed = record->type == FLSI_RECORD_SEAL;
    if (record->type == FLSI_RECORD_TIMES) {
        take_times(segment, record);
    }
    if (record->type != FLSI_RECORD_OFFSET && record->type != FLSI_RECORD_TIMES) {
        return;
    }
    if (segment->first_time_ns == 0) {
        segment->first_time_ns = record->time_ns;
    }
    if (record->time_ns > segment->last_time_ns) {
        segment->last_time_ns = record->time_ns;
    }
}

/* All marks of the open segment. */
static fls_status read_marks(const flsi_segment_view *view, const fls_allocator *allocator,
                             fls_journal_segment *segment, fls_error *err)
{
    flsi_marks_file marks;
    uint64_t at = 0;
    fls_status status = FLS_OK;
    flsi_marks_file_init(&marks, &view->marks, allocator);
    while (status == FLS_OK) {
        const uint8_t *records;
        size_t size;
        status = flsi_marks_file_frame(&marks, at, &records, &size, &at, err);
        while (status == FLS_OK && size > 0) {
            flsi_record record;
            size_t used;
            status = flsi_record_decode(&record, records, size, &used, err);
            if (status == FLS_OK) {
                take_record(segment, &record);
                records += used;
                size -= used;
            }
        }
    }
    flsi_marks_file_fini(&marks);
    return status == FLS_END || status == FLS_UNSUPPORTED ||
                   fls_status_class_of(status) == FLS_CLASS_DAMAGE
               ? FLS_OK
               : status;
}

static fls_status describe(fls_journal_reader *reader, fls_journal_segment *segment, fls_error *err)
{
    const flsi_segment_view *view = &reader->view;
    char name[FLSI_NAME_BYTES];
    flsi_file_info info = {0};
    int is_compressed = view->is_compressed;
    memset(segment, 0, sizeof *segment);
    flsi_name_format(name, is_compressed ? FLSI_NAME_COMPRESSED : FLSI_NAME_SEGMENT,
                     view->first_ordinal);
    _Static_assert(FLSI_NAME_BYTES >= sizeof segment->name, "a segment's name fits");
    memcpy(segment->name, name, sizeof segment->name);
    segment->name[sizeof segment->name - 1] = '\0';
    segment->first_ordinal = view->first_ordinal;
    segment->end_ordinal = reader->end_ordinal;
    segment->bytes = reader->source.visible;
    segment->compressed = (uint32_t)is_compressed;
    segment->epoch = view->has_header ? view->header.small : 0;
    segment->estimated_times =
        view->has_header && (view->header.header_flags & FLSI_HEADER_ESTIMATED) != 0;
    fls_status status = flsi_file_info_get(&view->file, &info, err);
    segment->stored_bytes = info.size_bytes;
    if (status != FLS_OK || view->marks.fd < 0) {
        return status;
    }
    status = flsi_file_info_get(&view->marks, &info, err);
    segment->marks_bytes = info.size_bytes;
    return status == FLS_OK ? read_marks(view, reader->allocator, segment, err) : status;
}

/* ---- the directory ---- */

static int count_name(void *self, const char *name)
{
    *(uint64_t *)self += name[0] != '.';
    return 0;
}

/* Files of a directory in the journal's; none where there is no such directory. */
static fls_status count_files(const flsi_directory *parent, const char *name, uint64_t *count,
                              fls_error *err)
{
    flsi_directory directory;
    int missing = 0;
    *count = 0;
    fls_status status = flsi_directory_open_in(&directory, parent, name, 0, &missing, err);
    if (status != FLS_OK) {
        return missing ? FLS_OK : status;
    }
    status = flsi_directory_list(&directory, count_name, count, err);
    flsi_directory_close(&directory);
    return status;
}

/* Whether a writer has the lock: tried, and given back at once. */
static fls_status see_lock(const flsi_directory *directory, uint32_t *locked, fls_error *err)
{
    flsi_file file;
    int missing = 0;
    *locked = 0;
    fls_status status =
        flsi_directory_file(directory, &file, FLSI_LOCK_NAME, FLSI_OPEN_READ, &missing, err);
    if (status != FLS_OK) {
        return missing ? FLS_OK : status;
    }
    *locked = flsi_file_lock(&file, NULL) == FLS_LOCKED;
    (void)flsi_file_close(&file, NULL);
    return FLS_OK;
}

static void format_id(char text[33], const uint8_t id[16])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 16; i++) {
        text[2 * i] = digits[id[i] >> 4];
        text[2 * i + 1] = digits[id[i] & 15];
    }
    text[32] = '\0';
}

static fls_status see_manifest(fls_journal_reader *reader, fls_journal_info *info, fls_error *err)
{
    const fls_allocator *allocator = reader->allocator;
    flsi_manifest *manifest = allocator->resize(allocator->self, NULL, 0, sizeof *manifest);
    if (manifest == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "the manifest could not be read");
    }
    fls_status status = flsi_manifest_load(manifest, &reader->directory, allocator, err);
    if (status == FLS_OK) {
        format_id(info->id, manifest->id);
        info->epoch = manifest->epoch;
    }
    allocator->free(allocator->self, manifest, sizeof *manifest);
    return status == FLS_END || fls_status_class_of(status) == FLS_CLASS_DAMAGE ? FLS_OK : status;
}

/* ---- all of it ---- */

static fls_status see_segments(fls_journal_reader *reader, fls_journal_info *info,
                               fls_status (*seen)(void *self, const fls_journal_segment *segment),
                               void *self, fls_error *err)
{
    uint64_t next = 0;
    for (;;) {
        fls_journal_segment segment;
        size_t index = flsi_listing_find(&reader->listing, next);
        if (index != SIZE_MAX && reader->listing.segments[index].first_ordinal < next) {
            index++;
        }
        if (index >= reader->listing.count) {
            return FLS_OK;
        }
        fls_status status = flsi_reader_open_at(reader, index, err);
        if (status == FLS_END) { /* it went meanwhile */
            status = flsi_reader_list(reader, 1, NULL, err);
            if (status != FLS_OK) {
                return status;
            }
            continue;
        }
        if (status == FLS_OK) {
            status = describe(reader, &segment, err);
        }
        if (status == FLS_OK && segment.end_ordinal == UINT64_MAX) {
            segment.end_ordinal = info->end_ordinal;
        }
        if (status != FLS_OK) {
            return status;
        }
        next = segment.first_ordinal + 1;
        info->segments++;
        info->bytes += segment.bytes;
        info->stored_bytes += segment.stored_bytes;
        info->epoch = segment.epoch > info->epoch ? segment.epoch : info->epoch;
        info->first_time_ns =
            info->first_time_ns == 0 ? segment.first_time_ns : info->first_time_ns;
        info->last_time_ns = segment.last_time_ns != 0 ? segment.last_time_ns : info->last_time_ns;
        status = seen != NULL ? seen(self, &segment) : FLS_OK;
        if (status != FLS_OK) {
            return status;
        }
    }
}

/* How far messages are durable, and how far there are any. */
static fls_status see_ends(fls_journal_reader *reader, fls_journal_info *info, fls_error *err)
{
    fls_status status = flsi_reader_bounds(reader, &info->first_ordinal, &info->end_ordinal, err);
    if (status != FLS_OK) {
        return status;
    }
    reader->durable = 1;
    status = flsi_reader_bounds(reader, &info->first_ordinal, &info->durable_ordinal, err);
    reader->durable = 0;
    if (status == FLS_OK && reader->is_open) {
        status = flsi_reader_look(reader, err);
    }
    return status;
}

fls_status flsi_journal_inspect(const char *path, fls_journal_info *info,
                                fls_status (*segment)(void *self,
                                                      const fls_journal_segment *segment),
                                void *self, const flsi_os_calls *calls, fls_error *err)
{
    const fls_journal_reader_options options = {
        .struct_bytes = sizeof options, .visibility = FLS_JOURNAL_WRITTEN, .without_times = 1};
    fls_journal_reader *reader;
    fls_journal_info made = {.struct_bytes = sizeof made};
    if (info->struct_bytes < sizeof made) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "info without struct_bytes: use FLS_JOURNAL_INFO_INIT");
    }
    fls_status status = flsi_journal_reader_open(&reader, path, &options, calls, err);
    if (status != FLS_OK) {
        return status;
    }
    made.checksum = fls_journal_reader_checksum(reader);
    status = see_manifest(reader, &made, err);
    if (status == FLS_OK) {
        status = see_lock(&reader->directory, &made.locked, err);
    }
    if (status == FLS_OK) {
        status = see_ends(reader, &made, err);
    }
    if (status == FLS_OK) {
        status = count_files(&reader->directory, FLSI_CURSORS_NAME, &made.cursors, err);
    }
    if (status == FLS_OK) {
        status = count_files(&reader->directory, FLSI_CUT_NAME, &made.cut_files, err);
    }
    if (status == FLS_OK) {
        status = see_segments(reader, &made, segment, self, err);
    }
    fls_journal_reader_close(reader);
    *info = made;
    return status;
}

fls_status fls_journal_inspect(const char *path, fls_journal_info *info,
                               fls_status (*segment)(void *self,
                                                     const fls_journal_segment *segment),
                               void *self, fls_error *err)
{
    return flsi_journal_inspect(path, info, segment, self, NULL, err);
}
