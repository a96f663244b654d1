/* Whether all files of a journal are sound: every byte of them is looked at.
 *
 *   manifest   is there and says what it said when it was written
 *   marks      fit segment and manifest; are valid to their end, but for half a frame at the end of
 *              the last ones; what is durable is there, and proves itself
 *   segments   every frame; the ordinals that the marks give are those that they have; nothing is
 *              missing before the next segment
 *   schemas    those that a segment names are there, and are what their names say
 *   cursors    each
 */
#include "core/options.h"
#include "flatstream/verify.h"
#include "journal/journal_cursor.h"
#include "journal/journal_reader_private.h"
#include "journal/journal_scan.h"

#define SCHEMA_LIMIT ((size_t)64 << 20)
/* A frame with a HEADER in it. */
#define SHORTEST_MARKS (FLS_LENGTH_BYTES + 8u + FLSI_RECORD_BYTES)

typedef struct journal_check {
    fls_journal_reader *reader;
    fls_journal_check_options options;
    fls_journal_check_report report;
    fls_schema_check schema_check;
    fls_validator schema_validator;
    int in_use; /* a writer had the journal open when it was looked for last */
    int has_manifest;
    uint64_t id; /* its first half; of the manifest, as the next one */
    fls_checksum checksum;
    fls_status ended; /* what the caller's function said, when that was not FLS_OK */
    fls_error proof;  /* a durable mark does not prove itself: told if no frame is damaged */
} journal_check;

/* ---- telling ---- */

static fls_status tell(journal_check *check, const char *file, const fls_error *fault)
{
    check->report.faults++;
    check->ended = check->options.fault(check->options.self, file, fault);
    return check->ended;
}

static fls_status tell_text(journal_check *check, const char *file, fls_status status,
                            const char *text)
{
    fls_error fault = FLS_ERROR_INIT;
    fls_error_set(&fault, status, 0, text);
    return tell(check, file, &fault);
}

static void count_file(journal_check *check, uint64_t bytes)
{
    check->report.files++;
    check->report.bytes += bytes;
}

static void tell_progress(const journal_check *check, uint64_t bytes)
{
    if (check->options.progress != NULL) {
        check->options.progress(check->options.progress_self, bytes);
    }
}

static int is_damage(fls_status status)
{
    return fls_status_class_of(status) == FLS_CLASS_DAMAGE || status == FLS_UNSUPPORTED;
}

/* Half a frame at the end is a fault only if nobody is writing it; a writer may have come since the
 * check was begun. */
static int is_being_written(journal_check *check)
{
    check->in_use = check->in_use || flsi_reader_journal_in_use(check->reader);
    return check->in_use;
}

/* ---- marks ---- */

/* What a DURABLE record says is there. */
static fls_status check_proof(journal_check *check, const flsi_record *record, fls_error *err)
{
    const flsi_segment_view *view = &check->reader->view;
    uint8_t bytes[FLSI_PROOF_BYTES];
    size_t all = 0;
    fls_status status = FLS_OK;
    while (status == FLS_OK && all < record->small) {
        size_t got = 0;
        status = flsi_view_read_at(view, record->offset - record->small + all, bytes + all,
                                   record->small - all, &got, err);
        all += got;
    }
    if (status == FLS_END) {
        fls_error_set(&check->proof, FLS_UNEXPECTED_EOF, 0,
                      "a durable mark speaks of more than there is");
        return FLS_OK;
    }
    if (status != FLS_OK) {
        return is_damage(status) ? FLS_OK : status; /* told with the segment */
    }
    if (record->small > 0 &&
        fls_checksum_digest(FLS_CHECKSUM_XXH3, bytes, record->small) != record->value) {
        fls_error_set(&check->proof, FLS_CHECKSUM_MISMATCH, 0,
                      "a durable mark speaks of other bytes than there are");
    }
    return FLS_OK;
}

/* What a LOGGED record speaks of may stand in the redo log alone, until the journal is opened by a
 * writer; or behind the end that a recovery gave the segment. */
static int is_left(const journal_check *check, const flsi_record *record)
{
    flsi_file_info info;
    return record->ordinal <= check->reader->end_ordinal &&
           flsi_directory_info(&check->reader->directory, FLSI_REDO_NAME, &info, NULL, NULL) !=
               FLS_OK;
}

/* Those that do not fit are as if there were none. */
static fls_status check_header(journal_check *check, const flsi_record *header, const char *name)
{
    const char *text = NULL;
    if (header->ordinal != check->reader->view.first_ordinal) {
        text = "these marks are of another segment";
    } else if (check->has_manifest && header->id != check->id) {
        text = "these marks are of another journal";
    } else if (check->has_manifest && header->checksum != (uint8_t)check->checksum) {
        text = "these marks and the manifest name different checksums";
    }
    return text == NULL ? FLS_OK : tell_text(check, name, FLS_INVALID_FRAME, text);
}

static fls_status check_marks(journal_check *check, fls_error *err)
{
    fls_journal_reader *reader = check->reader;
    char name[FLSI_NAME_BYTES];
    flsi_marks_pass pass;
    flsi_file_info info;
    flsi_record record;
    fls_error fault = FLS_ERROR_INIT;
    int is_last = reader->end_ordinal == UINT64_MAX;
    flsi_name_format(name, FLSI_NAME_MARKS, reader->view.first_ordinal);
    if (reader->view.marks.fd < 0) {
        return tell_text(check, name, FLS_IO, "the segment has no marks");
    }
    fls_status status = flsi_file_info_get(&reader->view.marks, &info, err);
    if (status != FLS_OK) {
        return status;
    }
    count_file(check, info.size_bytes);
    if (is_last && reader->source.visible == 0 && info.size_bytes < SHORTEST_MARKS) {
        return FLS_OK; /* begun and no more, for want of room or of power: opening goes on there */
    }
    status = flsi_marks_pass_begin(&pass, &reader->view.marks, info.size_bytes, reader->allocator,
                                   &fault);
    if (status == FLS_OK) {
        status = check_header(check, &pass.walk.header, name);
    }
    while (status == FLS_OK) {
        status = flsi_marks_pass_next(&pass, &record, &fault);
        if (status == FLS_OK && (record.type == FLSI_RECORD_DURABLE ||
                                 (record.type == FLSI_RECORD_LOGGED && is_left(check, &record)))) {
            status = check_proof(check, &record, &fault);
        }
    }
    flsi_marks_pass_fini(&pass);
    if (check->ended != FLS_OK) {
        return check->ended;
    }
    if (status == FLS_END || (status == FLS_UNEXPECTED_EOF && is_last && is_being_written(check))) {
        return info.size_bytes > 0
                   ? FLS_OK
                   : tell_text(check, name, FLS_UNEXPECTED_EOF, "the segment's marks are empty");
    }
    if (is_damage(status)) {
        return tell(check, name, &fault);
    }
    if (err != NULL) {
        *err = fault;
    }
    return status;
}

/* ---- segments ---- */

static fls_status check_schemas_of(journal_check *check, const char *name, fls_error *err)
{
    fls_journal_reader *reader = check->reader;
    fls_status status = flsi_reader_take_types(reader, err);
    if (status == FLS_OK && reader->types.set.count < reader->types.count) {
        return tell_text(check, name, FLS_SCHEMA_INVALID,
                         "a schema that the segment names is missing or damaged");
    }
    return status;
}

static fls_status check_messages(journal_check *check, const char *name)
{
    fls_journal_reader *reader = check->reader;
    const flsi_piece *piece = &reader->piece;
    for (size_t i = 0; i < piece->count && piece->messages[i].ordinal < reader->end_ordinal; i++) {
        const fls_message *message = &piece->messages[i];
        fls_error fault = FLS_ERROR_INIT;
        check->report.messages++;
        if (!check->options.schemas || reader->types.set.count == 0) {
            continue;
        }
        if (fls_validator_check(&check->schema_validator, message->payload, message->size,
                                &fault) != FLS_OK) {
            fault.known |= FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
            fault.offset = message->offset;
            fault.ordinal = message->ordinal;
            fls_status status = tell(check, name, &fault);
            if (status != FLS_OK) {
                return status;
            }
        }
    }
    return FLS_OK;
}

static fls_status check_piece(journal_check *check, const char *name)
{
    const flsi_piece *piece = &check->reader->piece;
    for (size_t i = 0; i < piece->fault_count; i++) {
        const flsi_piece_fault *fault = &piece->faults[i];
        check->report.lost += fault->lost;
        fls_status status = tell(check, name, &fault->error);
        if (status != FLS_OK) {
            return status;
        }
    }
    return check_messages(check, name);
}

/* What comes behind the last piece. */
static fls_status check_end(journal_check *check, const char *name)
{
    const fls_journal_reader *reader = check->reader;
    const flsi_piece *piece = &reader->piece;
    int is_last = reader->end_ordinal == UINT64_MAX;
    fls_error fault = FLS_ERROR_INIT;
    if (!is_last && piece->end_ordinal < reader->end_ordinal) {
        check->report.lost += reader->end_ordinal - piece->end_ordinal;
        if (reader->view.damage.status != FLS_OK) {
            return FLS_OK; /* told, with the file */
        }
        fls_error_set(&fault, FLS_UNEXPECTED_EOF, 0,
                      "messages before the next segment are missing");
    } else if (is_last && piece->end_offset < reader->source.visible && !is_being_written(check)) {
        fls_error_set(&fault, FLS_UNEXPECTED_EOF, 0, "the segment ends within a frame");
    } else {
        return FLS_OK;
    }
    fault.known = FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
    fault.offset = piece->end_offset;
    fault.ordinal = piece->end_ordinal;
    return tell(check, name, &fault);
}

static fls_status check_segment(journal_check *check, fls_error *err)
{
    fls_journal_reader *reader = check->reader;
    char name[FLSI_NAME_BYTES];
    flsi_file_info info;
    uint64_t offset = 0;
    flsi_name_format(name, reader->view.is_compressed ? FLSI_NAME_COMPRESSED : FLSI_NAME_SEGMENT,
                     reader->view.first_ordinal);
    fls_status status = flsi_file_info_get(&reader->view.file, &info, err);
    if (status != FLS_OK) {
        return status;
    }
    count_file(check, info.size_bytes);
    status = check_schemas_of(check, name, err);
    if (status == FLS_OK && reader->view.damage.status != FLS_OK) {
        status = tell(check, name, &reader->view.damage);
    }
    do {
        if (status == FLS_OK) {
            status = flsi_reader_piece(reader, FLSI_BY_OFFSET, offset, err);
        }
        if (status == FLS_OK) {
            status = check_piece(check, name);
        }
        if (status != FLS_OK) {
            /* A compressed piece that cannot be read at all. */
            return is_damage(status) && check->ended == FLS_OK && err != NULL
                       ? tell(check, name, err)
                       : status;
        }
        if (reader->piece_end.offset <= offset && offset < reader->source.visible) {
            break;
        }
        tell_progress(check, reader->piece_end.offset - offset);
        offset = reader->piece_end.offset;
    } while (offset < reader->source.visible);
    return check_end(check, name);
}

/* Where a frame is damaged that is why a mark of it does not prove itself; the mark is sound. */
static fls_status check_with_proof(journal_check *check, fls_error *err)
{
    char name[FLSI_NAME_BYTES];
    uint64_t faults = check->report.faults;
    fls_error proof = check->proof;
    check->proof = (fls_error)FLS_ERROR_INIT;
    fls_status status = check_segment(check, err);
    if (status != FLS_OK || proof.status == FLS_OK || check->report.faults != faults) {
        return status;
    }
    flsi_name_format(name, FLSI_NAME_MARKS, check->reader->view.first_ordinal);
    return tell(check, name, &proof);
}

static fls_status check_segments(journal_check *check, fls_error *err)
{
    fls_journal_reader *reader = check->reader;
    uint64_t next = 0;
    for (;;) {
        size_t index = flsi_listing_find(&reader->listing, next);
        if (index != SIZE_MAX && reader->listing.segments[index].first_ordinal < next) {
            index++;
        }
        if (index >= reader->listing.count) {
            return FLS_OK;
        }
        uint64_t first_ordinal = reader->listing.segments[index].first_ordinal;
        next = first_ordinal + 1;
        fls_status status = flsi_reader_open_at(reader, index, err);
        if (status == FLS_END) { /* it went meanwhile */
            status = flsi_reader_list(reader, 1, NULL, err);
        } else if (is_damage(status)) {
            char name[FLSI_NAME_BYTES];
            flsi_name_format(name, FLSI_NAME_COMPRESSED, first_ordinal);
            status = err != NULL ? tell(check, name, err) : FLS_OK;
        } else if (status == FLS_OK) {
            status = check_marks(check, err);
            status = status == FLS_OK ? check_with_proof(check, err) : status;
        }
        if (status != FLS_OK) {
            return status;
        }
    }
}

/* ---- the small files ---- */

static fls_status check_manifest(journal_check *check, fls_error *err)
{
    fls_journal_reader *reader = check->reader;
    const fls_allocator *allocator = reader->allocator;
    fls_error fault = FLS_ERROR_INIT;
    flsi_file_info info;
    flsi_manifest *manifest = allocator->resize(allocator->self, NULL, 0, sizeof *manifest);
    if (manifest == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "the manifest could not be read");
    }
    fls_status status = flsi_manifest_load(manifest, &reader->directory, allocator, &fault);
    if (status == FLS_OK) {
        check->has_manifest = 1;
        check->id = flsi_load_le64(manifest->id);
        check->checksum = manifest->checksum;
    }
    allocator->free(allocator->self, manifest, sizeof *manifest);
    if (flsi_directory_info(&reader->directory, FLSI_MANIFEST_NAME, &info, NULL, NULL) == FLS_OK) {
        count_file(check, info.size_bytes);
    }
    if (status == FLS_END) {
        return tell_text(check, FLSI_MANIFEST_NAME, FLS_IO, "the journal has no manifest");
    }
    if (is_damage(status)) {
        return tell(check, FLSI_MANIFEST_NAME, &fault);
    }
    if (status != FLS_OK && err != NULL) {
        *err = fault;
    }
    return status;
}

typedef struct schemas_walk {
    journal_check *check;
    flsi_directory directory;
    fls_status status;
    fls_error *err;
} schemas_walk;

static int see_schema(void *self, const char *name)
{
    schemas_walk *walk = self;
    const fls_allocator *allocator = walk->check->reader->allocator;
    char file[2 * FLSI_NAME_BYTES] = FLSI_SCHEMAS_NAME "/";
    char wanted[FLSI_NAME_BYTES];
    fls_error fault = FLS_ERROR_INIT;
    fls_schema *schema = NULL;
    void *data;
    size_t size;
    if (!flsi_name_is_schema(name)) {
        return 0;
    }
    memcpy(file + strlen(file), name, strlen(name) + 1);
    walk->status = flsi_directory_read_file(&walk->directory, name, SCHEMA_LIMIT, allocator, &data,
                                            &size, NULL, walk->err);
    if (walk->status == FLS_NO_SPACE) {
        walk->status =
            tell_text(walk->check, file, FLS_SCHEMA_INVALID, "the file is too large for a schema");
        return walk->status != FLS_OK;
    }
    if (walk->status != FLS_OK) {
        return 1;
    }
    count_file(walk->check, size);
    fls_status status = fls_schema_new(&schema, data, size, allocator, &fault);
    allocator->free(allocator->self, data, size);
    if (status == FLS_OK) {
        flsi_name_schema(wanted, fls_schema_hash(schema));
        fls_schema_free(schema);
        if (strcmp(wanted, name) != 0) {
            walk->status = tell_text(walk->check, file, FLS_SCHEMA_INVALID,
                                     "the schema is not the one that its name says");
        }
    } else {
        walk->status = is_damage(status) ? tell(walk->check, file, &fault) : status;
    }
    return walk->status != FLS_OK;
}

static fls_status check_schemas(journal_check *check, fls_error *err)
{
    schemas_walk walk = {.check = check, .status = FLS_OK, .err = err};
    int missing = 0;
    fls_status status = flsi_directory_open_in(&walk.directory, &check->reader->directory,
                                               FLSI_SCHEMAS_NAME, 0, &missing, err);
    if (status != FLS_OK) {
        return missing ? FLS_OK : status;
    }
    status = flsi_directory_list(&walk.directory, see_schema, &walk, err);
    flsi_directory_close(&walk.directory);
    return status == FLS_OK ? walk.status : status;
}

static fls_status see_cursor(void *self, const fls_journal_cursor *cursor, const fls_error *damage)
{
    journal_check *check = self;
    char file[2 * FLSI_NAME_BYTES] = FLSI_CURSORS_NAME "/";
    count_file(check, 0);
    if (damage == NULL) {
        return FLS_OK;
    }
    memcpy(file + strlen(file), cursor->name, strlen(cursor->name) + 1);
    return tell(check, file, damage);
}

/* ---- all of it ---- */

static fls_status check_all(journal_check *check, fls_error *err)
{
    fls_journal_reader *reader = check->reader;
    check->schema_check.types = &reader->types.set;
    check->schema_validator = fls_validator_schema(&check->schema_check);
    check->in_use = flsi_reader_journal_in_use(reader);
    fls_status status = check_manifest(check, err);
    if (status == FLS_OK) {
        status = check_schemas(check, err);
    }
    if (status == FLS_OK) {
        status = flsi_cursor_each(&reader->directory, reader->allocator, see_cursor, check, err);
    }
    return status == FLS_OK ? check_segments(check, err) : status;
}

fls_status flsi_journal_check(const char *path, const fls_journal_check_options *options,
                              const flsi_os_calls *calls, fls_journal_check_report *report,
                              fls_error *err)
{
    const fls_journal_reader_options reading = {
        .struct_bytes = sizeof reading, .visibility = FLS_JOURNAL_WRITTEN, .without_times = 1};
    journal_check check = {.report = {.struct_bytes = sizeof check.report},
                           .proof = FLS_ERROR_INIT};
    fls_error own = FLS_ERROR_INIT;
    err = err != NULL ? err : &own;
    fls_status status = flsi_options_read(&check.options, sizeof check.options, options, err);
    if (status != FLS_OK) {
        return status;
    }
    if (check.options.fault == NULL || report->struct_bytes < sizeof check.report) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "checking needs a function that takes faults, and a report");
    }
    status = flsi_journal_reader_open(&check.reader, path, &reading, calls, err);
    if (status == FLS_OK) {
        status = check_all(&check, err);
        fls_journal_reader_close(check.reader);
    }
    *report = check.report;
    return status;
}

fls_status fls_journal_check(const char *path, const fls_journal_check_options *options,
                             fls_journal_check_report *report, fls_error *err)
{
    return flsi_journal_check(path, options, NULL, report, err);
}
