/* Open segments; see journal_view.h. */
#include "journal/journal_view.h"

#include "core/error.h"
#include "journal/journal_scan.h"

static const flsi_file closed_file = {.fd = -1, .directory_fd = -1};

/* ---- opening ---- */

static fls_status keep_type(flsi_segment_view *view, const flsi_record *record, fls_error *err)
{
    const fls_allocator *allocator = view->allocator;
    if (view->types == NULL) {
        view->types =
            allocator->resize(allocator->self, NULL, 0, FLSI_MANIFEST_TYPES * sizeof *view->types);
        if (view->types == NULL) {
            return fls_error_set(err, FLS_NO_MEMORY, 0, "a segment's types could not be held");
        }
    }
    if (view->type_count == FLSI_MANIFEST_TYPES || record->small >= FLSI_MANIFEST_ROOT_BYTES) {
        return FLS_OK;
    }
    flsi_manifest_type *type = &view->types[view->type_count++];
    memset(type, 0, sizeof *type);
    type->schema_hash = record->id;
    memcpy(type->root, record->data, record->small);
    flsi_store_le32(type->identifier, (uint32_t)record->value);
    return FLS_OK;
}

/* HEADER and TYPE records; marks that do not begin with them are as none. */
static fls_status read_header(flsi_segment_view *view, fls_error *err)
{
    const uint8_t *records;
    size_t size;
    size_t used;
    uint64_t next;
    fls_status status = flsi_marks_file_frame(&view->places.marks, 0, &records, &size, &next, err);
    if (status != FLS_OK) {
        return status == FLS_END || fls_status_class_of(status) == FLS_CLASS_DAMAGE ? FLS_OK
                                                                                    : status;
    }
    if (flsi_record_decode(&view->header, records, size, &used, NULL) != FLS_OK ||
        view->header.type != FLSI_RECORD_HEADER || view->header.ordinal != view->first_ordinal) {
        return FLS_OK;
    }
    while (status == FLS_OK && size > used) {
        flsi_record record;
        records += used;
        size -= used;
        if (flsi_record_decode(&record, records, size, &used, NULL) != FLS_OK) {
            return FLS_OK;
        }
        if (record.type == FLSI_RECORD_TYPE) {
            status = keep_type(view, &record, err);
        }
    }
    view->has_header = 1;
    return status;
}

/* Looks for places from the start. */
static fls_status restart_places(flsi_segment_view *view, fls_error *err)
{
    return flsi_places_restart(&view->places, view->first_ordinal,
                               view->has_header ? view->header.time_ns : 0, err);
}

static fls_status open_marks(flsi_segment_view *view, const flsi_directory *directory,
                             fls_error *err)
{
    char name[FLSI_NAME_BYTES];
    flsi_file_info info;
    int missing = 0;
    flsi_name_format(name, FLSI_NAME_MARKS, view->first_ordinal);
    fls_status status =
        flsi_directory_file(directory, &view->marks, name, FLSI_OPEN_READ, &missing, err);
    if (status != FLS_OK) {
        view->marks = closed_file;
        return missing ? FLS_OK : status;
    }
    status = flsi_file_info_get(&view->marks, &info, err);
    view->marks_inode = info.inode;
    return status;
}

/* A compressed file that is damaged as a whole is read as far as its frames go, or not at all; the
 * journal is read on behind it. */
static fls_status open_compressed(flsi_segment_view *view, fls_error *err)
{
    view->is_compressed = 1;
    fls_status status = flsi_zstd_open(&view->zstd, &view->file, view->allocator, &view->damage);
    view->damage.status = status;
    if (status == FLS_OK) {
        return FLS_OK;
    }
    int is_damage = fls_status_class_of(status) == FLS_CLASS_DAMAGE ||
                    (status == FLS_UNSUPPORTED && flsi_zstd_is_there());
    if (!is_damage) {
        if (err != NULL) {
            *err = view->damage;
        }
        return status;
    }
    status = flsi_zstd_open_damaged(&view->zstd, &view->file, view->allocator, err);
    return fls_status_class_of(status) == FLS_CLASS_DAMAGE ? FLS_OK : status;
}

static fls_status open_files(flsi_segment_view *view, const flsi_directory *directory,
                             const flsi_listed_segment *listed, fls_error *err)
{
    char name[FLSI_NAME_BYTES];
    int missing = 0;
    fls_status status = FLS_END;
    if (listed->has_plain) {
        flsi_name_format(name, FLSI_NAME_SEGMENT, listed->first_ordinal);
        status = flsi_directory_file(directory, &view->file, name, FLSI_OPEN_READ, &missing, err);
    }
    if (!listed->has_plain || (status != FLS_OK && missing)) {
        flsi_name_format(name, FLSI_NAME_COMPRESSED, listed->first_ordinal);
        status = flsi_directory_file(directory, &view->file, name, FLSI_OPEN_READ, &missing, err);
        if (status == FLS_OK) {
            status = open_compressed(view, err);
        }
    }
    if (status != FLS_OK) {
        return missing ? FLS_END : status;
    }
    flsi_file_info info;
    status = flsi_file_info_get(&view->file, &info, err);
    if (status != FLS_OK) {
        return status;
    }
    view->device = info.device;
    view->inode = info.inode;
    return open_marks(view, directory, err);
}

/* Sizes in the table of a compressed file that do not add up to where the seal says that the frames
 * end: what its pieces say of themselves stands in for them, if that is something else. */
static fls_status prove_table(flsi_segment_view *view, fls_error *err)
{
    uint8_t bytes[FLSI_RECORD_BYTES];
    flsi_record record;
    flsi_file_info info;
    flsi_zstd_reader *found = NULL;
    size_t used;
    if (view->zstd == NULL || view->damage.status != FLS_OK || view->marks.fd < 0 ||
        flsi_file_info_get(&view->marks, &info, NULL) != FLS_OK || info.size_bytes < sizeof bytes ||
        flsi_read_exactly(&view->marks, info.size_bytes - sizeof bytes, bytes, sizeof bytes,
                          NULL) != FLS_OK ||
        flsi_record_decode(&record, bytes, sizeof bytes, &used, NULL) != FLS_OK ||
        record.type != FLSI_RECORD_SEAL || record.offset == flsi_zstd_bytes(view->zstd)) {
        return FLS_OK;
    }
    fls_status status = flsi_zstd_open_damaged(&found, &view->file, view->allocator, err);
    if (status != FLS_OK) {
        return fls_status_class_of(status) == FLS_CLASS_DAMAGE ? FLS_OK : status;
    }
    if (flsi_zstd_bytes(found) == flsi_zstd_bytes(view->zstd)) { /* then it is the seal */
        flsi_zstd_close(found);
        return FLS_OK;
    }
    flsi_zstd_close(view->zstd);
    view->zstd = found;
    fls_error_set(&view->damage, FLS_INVALID_FRAME, 0,
                  "the table of a compressed segment says other sizes than its pieces have");
    flsi_error_name(&view->damage, view->file.name);
    return FLS_OK;
}

fls_status flsi_view_open(flsi_segment_view *view, const flsi_directory *directory,
                          const flsi_listed_segment *listed, const fls_digest_state *digest,
                          uint32_t max_frame_bytes, const fls_allocator *allocator, fls_error *err)
{
    *view = (flsi_segment_view){.allocator = allocator,
                                .digest = digest,
                                .max_frame_bytes = max_frame_bytes,
                                .first_ordinal = listed->first_ordinal,
                                .file = closed_file,
                                .marks = closed_file};
    flsi_places_init(&view->places, &view->marks, allocator);
    fls_status status = open_files(view, directory, listed, err);
    if (status == FLS_OK) {
        status = prove_table(view, err);
    }
    if (status == FLS_OK) {
        status = read_header(view, err);
    }
    if (status == FLS_OK) {
        status = restart_places(view, err);
    }
    if (status != FLS_OK) {
        flsi_view_shut(view);
    }
    return status;
}

fls_status flsi_view_find_marks(flsi_segment_view *view, const flsi_directory *directory,
                                int *found, fls_error *err)
{
    fls_status status = FLS_OK;
    *found = 0;
    if (view->has_header) {
        return FLS_OK;
    }
    if (view->marks.fd < 0) {
        status = open_marks(view, directory, err);
    }
    if (status == FLS_OK) {
        status = read_header(view, err);
    }
    *found = status == FLS_OK && view->has_header;
    return *found ? restart_places(view, err) : status;
}

void flsi_view_shut(flsi_segment_view *view)
{
    const fls_allocator *allocator = view->allocator;
    if (allocator == NULL) {
        return;
    }
    flsi_zstd_close(view->zstd);
    (void)flsi_file_close(&view->file, NULL);
    (void)flsi_file_close(&view->marks, NULL);
    flsi_places_fini(&view->places);
    if (view->types != NULL) {
        allocator->free(allocator->self, view->types, FLSI_MANIFEST_TYPES * sizeof *view->types);
    }
    *view = (flsi_segment_view){.file = closed_file, .marks = closed_file};
}

/* ---- bytes ---- */

fls_status flsi_view_size(const flsi_segment_view *view, uint64_t *bytes, fls_error *err)
{
    flsi_file_info info;
    if (view->zstd != NULL) {
        *bytes = flsi_zstd_bytes(view->zstd);
        return FLS_OK;
    }
    if (view->is_compressed) {
        *bytes = 0;
        return FLS_OK;
    }
    fls_status status = flsi_file_info_get(&view->file, &info, err);
    *bytes = status == FLS_OK ? info.size_bytes : 0;
    return status;
}

fls_status flsi_view_read_at(const flsi_segment_view *view, uint64_t offset, void *buffer,
                             size_t capacity, size_t *got, fls_error *err)
{
    if (view->zstd != NULL) {
        return flsi_zstd_read_at(view->zstd, offset, buffer, capacity, got, err);
    }
    if (view->is_compressed) {
        *got = 0;
        if (err != NULL) {
            *err = view->damage;
        }
        return view->damage.status;
    }
    return flsi_file_read_at(&view->file, offset, buffer, capacity, got, err);
}

/* A length that no frame has. */
#define NO_FRAME 0xFF

fls_status flsi_view_read_past(const flsi_segment_view *view, uint64_t offset, void *buffer,
                               size_t capacity, size_t *got, fls_error *err)
{
    fls_status status = flsi_view_read_at(view, offset, buffer, capacity, got, err);
    if (view->zstd == NULL || fls_status_class_of(status) != FLS_CLASS_DAMAGE) {
        return status;
    }
    uint64_t left = flsi_zstd_piece_end(view->zstd, offset) - offset;
    *got = left < capacity ? (size_t)left : capacity;
    memset(buffer, NO_FRAME, *got);
    return FLS_OK;
}

fls_status flsi_view_find(flsi_segment_view *view, flsi_place_key by, uint64_t key, size_t *index,
                          fls_error *err)
{
    flsi_file_info info = {0};
    fls_status status = view->has_header ? flsi_file_info_get(&view->marks, &info, err) : FLS_OK;
    if (status != FLS_OK) {
        return status;
    }
    view->places.marks_end = info.size_bytes;
    return flsi_places_find(&view->places, by, key, index, err);
}
