/* What the marks of one segment say of its end; see journal_tail.h. */
#include "journal/journal_tail.h"

#include "core/error.h"
#include "journal/journal_marks_file.h"

/* A file that is not there stays closed. */
static fls_status open_one(const flsi_directory *directory, const char *name, unsigned how,
                           flsi_file *file, uint64_t *bytes, fls_error *err)
{
    int missing = 0;
    flsi_file_info info;
    fls_status status = flsi_directory_file(directory, file, name, how, &missing, err);
    if (status != FLS_OK) {
        *file = (flsi_file){.fd = -1, .directory_fd = -1};
        return missing ? FLS_OK : status;
    }
    status = flsi_file_info_get(file, &info, err);
    *bytes = status == FLS_OK ? info.size_bytes : 0;
    return status;
}

static void note_type(flsi_journal_tail *tail, const flsi_record *record)
{
    if (tail->type_count == FLSI_MANIFEST_TYPES) {
        return;
    }
    flsi_manifest_type *type = &tail->types[tail->type_count++];
    memset(type, 0, sizeof *type);
    type->schema_hash = record->id;
    flsi_store_le32(type->identifier, (uint32_t)record->value);
    memcpy(type->root, record->data, record->small);
}

static void note_time(flsi_journal_tail *tail, uint64_t time_ns)
{
    tail->last_time_ns = time_ns > tail->last_time_ns ? time_ns : tail->last_time_ns;
}

/* The frames that begin with an OFFSET, as many as a DURABLE may be behind; older ones only mean a
 * longer way. */
#define NEAR_FRAMES 64u
typedef struct near_frames {
    struct {
        uint64_t ordinal;
        uint64_t frame;
    } ring[NEAR_FRAMES];
    size_t count;
    uint64_t frame;
} near_frames;

static void note_near(flsi_journal_tail *tail, near_frames *near, const flsi_record *record,
                      uint64_t frame)
{
    if (record->type == FLSI_RECORD_OFFSET && frame != near->frame) {
        near->ring[near->count % NEAR_FRAMES].ordinal = record->ordinal;
        near->ring[near->count++ % NEAR_FRAMES].frame = frame;
    }
    near->frame = frame;
    size_t back = near->count < NEAR_FRAMES ? near->count : NEAR_FRAMES;
    for (size_t i = 1; record->type == FLSI_RECORD_DURABLE && i <= back; i++) {
        size_t at = (near->count - i) % NEAR_FRAMES;
        if (near->ring[at].ordinal < record->ordinal) {
            tail->near_base = near->ring[at].frame;
            return;
        }
    }
}

static void note(flsi_journal_tail *tail, const flsi_record *record)
{
    switch (record->type) {
    case FLSI_RECORD_HEADER:
    case FLSI_RECORD_OFFSET:
    case FLSI_RECORD_CLOCK: note_time(tail, record->time_ns); break;
    case FLSI_RECORD_TIMES: note_time(tail, record->last_ns); break;
    case FLSI_RECORD_DURABLE:
        tail->base_ordinal = record->ordinal;
        tail->base_offset = record->offset;
        tail->proof_bytes = record->small;
        tail->proof = record->value;
        break;
    case FLSI_RECORD_LOGGED: tail->logged = *record; break;
    case FLSI_RECORD_SEAL:
        tail->seal = *record;
        note_time(tail, record->time_ns);
        break;
    case FLSI_RECORD_TYPE: note_type(tail, record); break;
    default: break;
    }
}

/* The first half of the journal's id stands in its marks. */
static int header_fits(const flsi_journal_tail *tail, const flsi_record *header,
                       const flsi_manifest *manifest)
{
    return header->ordinal == tail->first_ordinal && header->id == flsi_load_le64(manifest->id) &&
           header->checksum == (uint8_t)manifest->checksum;
}

/* Notes all records: those of the first frame, and from a frame `from` on. */
static fls_status note_all(flsi_journal_tail *tail, flsi_marks_pass *pass, uint64_t from,
                           fls_error *fault)
{
    flsi_record record;
    fls_status status;
    near_frames near = {.frame = UINT64_MAX};
    while ((status = flsi_marks_pass_next(pass, &record, fault)) == FLS_OK) {
        note(tail, &record);
        note_near(tail, &near, &record, pass->walk.frame);
        if (pass->walk.next == pass->walk.frame_end && from > pass->walk.valid_bytes) {
            flsi_marks_pass_fini(pass);
            status = flsi_marks_pass_resume(pass, &tail->marks, tail->marks_bytes, from,
                                            tail->allocator, fault);
            from = 0;
            if (status != FLS_OK) {
                break;
            }
        }
    }
    return status;
}

static fls_status find_near_end(const flsi_journal_tail *tail, uint64_t *from, fls_error *err)
{
    flsi_marks_file marks;
    flsi_marks_file_init(&marks, &tail->marks, tail->allocator);
    fls_status status = flsi_marks_file_near_end(&marks, tail->marks_bytes, from, err);
    flsi_marks_file_fini(&marks);
    return status;
}

static fls_status read_marks(flsi_journal_tail *tail, const flsi_manifest *manifest, int all,
                             fls_error *err)
{
    flsi_marks_pass pass;
    uint64_t from = 0;
    fls_error fault = FLS_ERROR_INIT;
    fls_status status =
        flsi_marks_pass_begin(&pass, &tail->marks, tail->marks_bytes, tail->allocator, &fault);
    if (status == FLS_OK && header_fits(tail, &pass.walk.header, manifest)) {
        tail->sound = 1;
        tail->header = pass.walk.header;
        status = all ? FLS_OK : find_near_end(tail, &from, &fault);
        status = status == FLS_OK ? note_all(tail, &pass, from, &fault) : status;
        tail->read_from = from;
        tail->valid_bytes = pass.walk.valid_bytes;
        tail->whole = tail->valid_bytes == tail->marks_bytes;
        tail->sealed = pass.walk.sealed;
        tail->superseding =
            pass.walk.ordinal > tail->base_ordinal || pass.walk.offset > tail->base_offset;
    }
    flsi_marks_pass_fini(&pass);
    /* Marks of a later version must not be taken for the trace of a crash. */
    fls_status_class class = fls_status_class_of(status);
    if (status == FLS_UNSUPPORTED || class == FLS_CLASS_SYSTEM) {
        if (err != NULL) {
            *err = fault;
        }
        flsi_error_name(err, tail->marks_name);
        return status;
    }
    return FLS_OK;
}

/* Data in marks, which are times as they were given to the journal, can read as frames. So where
 * the end of the marks is not what a closed journal has, they are all read; and that counts if they
 * lead past the frame at which they were read on: it is one, or else was none. If they do not lead
 * there they are damaged before it. */
static fls_status doubt_marks(flsi_journal_tail *tail, const flsi_manifest *manifest,
                              fls_error *err)
{
    const flsi_journal_tail near_end = *tail;
    if (tail->read_from == 0 ||
        (tail->whole &&
         (tail->frames.fd < 0 || flsi_journal_tail_prove(tail, NULL) != FLS_CHECKSUM_MISMATCH))) {
        return FLS_OK;
    }
    *tail = (flsi_journal_tail){.allocator = near_end.allocator,
                                .first_ordinal = near_end.first_ordinal,
                                .base_ordinal = near_end.first_ordinal,
                                .frames = near_end.frames,
                                .marks = near_end.marks,
                                .frames_bytes = near_end.frames_bytes,
                                .marks_bytes = near_end.marks_bytes,
                                .types = near_end.types};
    memcpy(tail->frames_name, near_end.frames_name, sizeof near_end.frames_name);
    memcpy(tail->marks_name, near_end.marks_name, sizeof near_end.marks_name);
    fls_status status = read_marks(tail, manifest, 1, err);
    if (status == FLS_OK && tail->valid_bytes <= near_end.read_from) {
        *tail = near_end;
    }
    return status;
}

fls_status flsi_journal_tail_open(flsi_journal_tail *tail, const flsi_manifest *manifest,
                                  const flsi_directory *directory,
                                  const flsi_listed_segment *segment, int all, unsigned how,
                                  const fls_allocator *allocator, fls_error *err)
{
    static const flsi_file closed = {.fd = -1, .directory_fd = -1};
    *tail = (flsi_journal_tail){.allocator = allocator,
                                .first_ordinal = segment->first_ordinal,
                                .base_ordinal = segment->first_ordinal,
                                .frames = closed,
                                .marks = closed};
    flsi_name_format(tail->frames_name, FLSI_NAME_SEGMENT, segment->first_ordinal);
    flsi_name_format(tail->marks_name, FLSI_NAME_MARKS, segment->first_ordinal);
    tail->types =
        allocator->resize(allocator->self, NULL, 0, sizeof *tail->types * FLSI_MANIFEST_TYPES);
    if (tail->types == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to look at the end of the journal");
    }
    fls_status status = FLS_OK;
    if (segment->has_plain) {
        status =
            open_one(directory, tail->frames_name, how, &tail->frames, &tail->frames_bytes, err);
    }
    if (status == FLS_OK) {
        status = open_one(directory, tail->marks_name, how, &tail->marks, &tail->marks_bytes, err);
    }
    if (status == FLS_OK && tail->marks_bytes > 0) {
        status = read_marks(tail, manifest, all, err);
        status = status == FLS_OK ? doubt_marks(tail, manifest, err) : status;
    }
    return status;
}

void flsi_journal_tail_close(flsi_journal_tail *tail)
{
    if (tail->types != NULL) {
        tail->allocator->free(tail->allocator->self, tail->types,
                              sizeof *tail->types * FLSI_MANIFEST_TYPES);
        tail->types = NULL;
    }
    if (tail->frames.fd >= 0) {
        (void)flsi_file_close(&tail->frames, NULL);
    }
    if (tail->marks.fd >= 0) {
        (void)flsi_file_close(&tail->marks, NULL);
    }
}

fls_status flsi_journal_tail_pass(const flsi_journal_tail *tail, flsi_marks_pass *pass,
                                  fls_error *err)
{
    return tail->near_base > 0 && tail->base_offset > 0
               ? flsi_marks_pass_resume(pass, &tail->marks, tail->valid_bytes, tail->near_base,
                                        tail->allocator, err)
               : flsi_marks_pass_begin(pass, &tail->marks, tail->valid_bytes, tail->allocator, err);
}

static fls_status refuse(const flsi_journal_tail *tail, const char *text, fls_error *err)
{
    (void)flsi_error_frame(err, FLS_CHECKSUM_MISMATCH, tail->base_offset, tail->base_ordinal, text);
    flsi_error_name(err, tail->frames_name);
    return FLS_CHECKSUM_MISMATCH;
}

fls_status flsi_journal_tail_prove(const flsi_journal_tail *tail, fls_error *err)
{
    uint64_t computed;
    if (tail->frames.fd < 0) { /* compressed: what a seal says is all that can be known */
        return (tail->sealed & (FLSI_SEAL_ROTATED | FLSI_SEAL_RECOVERED)) != 0
                   ? FLS_OK
                   : refuse(
                         tail,
                         "the marks of a compressed segment are lost: decompress it with zstd -d "
                         "and open again; until then it can be read",
                         err);
    }
    if (tail->base_offset > tail->frames_bytes ||
        (tail->sealed != 0 && tail->seal.offset > tail->frames_bytes)) {
        return refuse(
            tail,
            "durable messages are missing at the end: the journal can be read; put the file "
            "back from a copy, or rebuild the journal without them",
            err);
    }
    if (tail->base_offset == 0) {
        return FLS_OK;
    }
    fls_status status =
        flsi_proof_at(&tail->frames, tail->base_offset, tail->proof_bytes, &computed, err);
    if (status != FLS_OK) {
        return status;
    }
    if (tail->proof_bytes == 0 || computed != tail->proof) {
        (void)refuse(tail,
                     "a durable message is not what was written: the journal can be read; put the "
                     "file back from a copy, or rebuild the journal without it",
                     err);
        flsi_error_checksums(err, tail->proof, computed, 8);
        return FLS_CHECKSUM_MISMATCH;
    }
    return FLS_OK;
}

static fls_status see_logged(void *self, const fls_message *message, fls_error *err)
{
    const flsi_record *logged = self;
    (void)err;
    return message->ordinal + 1 < logged->ordinal ? FLS_OK : FLS_STOPPED;
}

fls_status flsi_journal_tail_prove_logged(const flsi_journal_tail *tail,
                                          const flsi_manifest *manifest, fls_error *err)
{
    flsi_record logged = tail->logged;
    flsi_scan scan = {.file = &tail->frames,
                      .allocator = tail->allocator,
                      .checksum = manifest->checksum,
                      .max_frame_bytes = manifest->max_frame_bytes,
                      .end = logged.offset,
                      .ordinal = tail->base_ordinal,
                      .offset = tail->base_offset};
    if (tail->frames.fd < 0 || logged.ordinal <= tail->base_ordinal) {
        return FLS_OK;
    }
    fls_status status = FLS_END;
    if (logged.offset <= tail->frames_bytes) {
        status = flsi_scan_frames(&scan, see_logged, &logged, err);
    }
    if (status == FLS_STOPPED) { /* all are there, by their checksums */
        uint64_t proof;
        status = flsi_proof_at(&tail->frames, logged.offset, logged.small, &proof, err);
        status = status == FLS_OK ? (proof == logged.value ? FLS_STOPPED : FLS_END) : status;
    }
    if (status == FLS_OK || status == FLS_END) { /* they end before, or are others */
        (void)refuse(tail,
                     "durable messages are missing or damaged behind the last sync of the segment: "
                     "the journal can be read; put REDO or the file back from a copy, or rebuild "
                     "the journal without them",
                     err);
        return FLS_CHECKSUM_MISMATCH;
    }
    return status == FLS_STOPPED ? FLS_OK : status;
}

int flsi_journal_tail_is_clean(const flsi_journal_tail *tail)
{
    if (tail->frames.fd < 0) {
        return 1;
    }
    return tail->sound && tail->frames_bytes == tail->base_offset &&
           tail->valid_bytes == tail->marks_bytes &&
           (!tail->superseding || (tail->sealed & FLSI_SEAL_RECOVERED) != 0);
}

fls_status flsi_journal_durable_end(const flsi_directory *journal, const fls_allocator *allocator,
                                    uint64_t *ordinal, uint64_t *epoch, fls_error *err)
{
    flsi_manifest manifest;
    flsi_listing listing;
    flsi_journal_tail tail;
    fls_status status = flsi_manifest_load(&manifest, journal, allocator, err);
    if (status == FLS_END) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "there is no journal, or no manifest");
    }
    status = status == FLS_OK ? flsi_listing_read(&listing, journal, allocator, err) : status;
    if (status != FLS_OK) {
        return status;
    }
    *ordinal = 0;
    *epoch = manifest.epoch;
    if (listing.count > 0) {
        status =
            flsi_journal_tail_open(&tail, &manifest, journal, &listing.segments[listing.count - 1],
                                   0, FLSI_OPEN_READ, allocator, err);
        *ordinal = tail.frames.fd < 0 && tail.sealed != 0 ? tail.seal.ordinal : tail.base_ordinal;
        *ordinal = tail.logged.ordinal > *ordinal ? tail.logged.ordinal : *ordinal;
        flsi_journal_tail_close(&tail);
    }
    flsi_listing_fini(&listing);
    return status;
}
