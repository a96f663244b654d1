/* What recovery keeps and what it sets aside; see journal_keep.h. */
#include "journal/journal_keep.h"

#include <stdio.h>

#include "core/error.h"

#define COPY_BYTES  ((size_t)256 * 1024)
#define PIECE_BYTES 65536u /* of frames, to an OFFSET record */
#define CUT_TRIES   1000u

#define UNFINISHED_BYTES (FLSI_NAME_BYTES + 8) /* a name with a dot before and .new behind */

/* ---- bytes ---- */

static fls_status copy_bytes(const flsi_file *from_file, uint64_t from, uint64_t to,
                             const flsi_file *to_file, uint64_t to_offset,
                             const fls_allocator *allocator, fls_error *err)
{
    fls_status status = FLS_OK;
    uint8_t *bytes = allocator->resize(allocator->self, NULL, 0, COPY_BYTES);
    if (bytes == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to copy the end of a segment");
    }
    for (uint64_t at = from; status == FLS_OK && at < to;) {
        size_t size = to - at < COPY_BYTES ? (size_t)(to - at) : COPY_BYTES;
        status = flsi_read_exactly(from_file, at, bytes, size, err);
        if (status == FLS_OK) {
            status = flsi_write_exactly(to_file, to_offset + (at - from), bytes, size, err);
        }
        at += size;
    }
    allocator->free(allocator->self, bytes, COPY_BYTES);
    return status;
}

/* A file for what is cut, under an unfinished name. */
static fls_status copy_to_cut(const flsi_directory *cut, const char *unfinished,
                              const flsi_file *file, uint64_t from, uint64_t to,
                              const fls_allocator *allocator, fls_error *err)
{
    flsi_file kept;
    fls_status status = flsi_directory_remove(cut, unfinished, err);
    if (status == FLS_OK) {
        status = flsi_directory_file(cut, &kept, unfinished,
                                     FLSI_OPEN_WRITE | FLSI_OPEN_CREATE | FLSI_OPEN_NEW, NULL, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    status = copy_bytes(file, from, to, &kept, 0, allocator, err);
    status = status == FLS_OK ? flsi_file_sync(&kept, err) : status;
    fls_status closed = flsi_file_close(&kept, status == FLS_OK ? err : NULL);
    return status == FLS_OK ? closed : status;
}

/* The first name that is free: EPOCH-ORDINAL.EXTENSION, then .2.EXTENSION and so on. */
static fls_status name_cut(const flsi_directory *cut, const char *unfinished, uint64_t epoch,
                           uint64_t ordinal, const char *extension, char name[FLSI_NAME_BYTES],
                           fls_error *err)
{
    fls_status status = FLS_OK;
    for (unsigned times = 1; times < CUT_TRIES; times++) {
        char numbered[16];
        int missing = 0;
        flsi_file_info info;
        (void)snprintf(numbered, sizeof numbered, "%u.%s", times, extension);
        flsi_name_cut(name, epoch, ordinal, times == 1 ? extension : numbered);
        status = flsi_directory_info(cut, name, &info, &missing, err);
        if (status == FLS_OK) {
            continue;
        }
        if (!missing) {
            return status;
        }
        return flsi_directory_rename(cut, unfinished, cut, name, 0, err);
    }
    return fls_error_set(err, FLS_IO, 0, "no name is free in cut/");
}

fls_status flsi_keep_cut(const flsi_directory *directory, const flsi_file *file, uint64_t from,
                         uint64_t to, uint64_t epoch, uint64_t ordinal, const char *extension,
                         const fls_allocator *allocator, char name[FLSI_NAME_BYTES], fls_error *err)
{
    static const char unfinished[] = ".cut.new";
    static const char prefix[] = FLSI_CUT_NAME "/";
    char own[FLSI_NAME_BYTES];
    flsi_directory cut;
    if (from >= to) {
        return FLS_OK;
    }
    fls_status status = flsi_directory_open_in(&cut, directory, FLSI_CUT_NAME, 1, NULL, err);
    if (status != FLS_OK) {
        return status;
    }
    status = copy_to_cut(&cut, unfinished, file, from, to, allocator, err);
    if (status == FLS_OK) {
        status = name_cut(&cut, unfinished, epoch, ordinal, extension, own, err);
    } else { /* half of it helps nobody, and may be what fills the disk */
        (void)flsi_directory_remove(&cut, unfinished, NULL);
    }
    status = status == FLS_OK ? flsi_directory_sync_names(&cut, err) : status;
    flsi_directory_close(&cut);
    if (status == FLS_OK) {
        size_t room = FLSI_NAME_BYTES - sizeof prefix;
        size_t size = strlen(own) < room ? strlen(own) : room;
        memcpy(name, prefix, sizeof prefix - 1);
        memcpy(name + sizeof prefix - 1, own, size);
        name[sizeof prefix - 1 + size] = '\0';
    }
    return status;
}

/* ---- the end of the old segment ---- */

/* What the marks know of times around the base: the newest one of what is below it, and that of the
 * message there. 0: not noted. */
static fls_status times_at_base(const flsi_journal_tail *tail, uint64_t *before_ns, uint64_t *at_ns,
                                fls_error *err)
{
    const uint64_t base = tail->base_ordinal;
    flsi_marks_pass pass;
    flsi_record record;
    fls_status status = flsi_journal_tail_pass(tail, &pass, err);
    *before_ns = 0;
    *at_ns = 0;
    while (status == FLS_OK && (status = flsi_marks_pass_next(&pass, &record, err)) == FLS_OK) {
        flsi_times_walk times = {.ordinal = record.ordinal, .time_ns = record.time_ns};
        if (record.type == FLSI_RECORD_TIMES) {
            flsi_times_begin(&times, &record);
        } else if (record.type != FLSI_RECORD_OFFSET || record.time_ns == 0) {
            continue;
        }
        do {
            if (times.ordinal < base) {
                *before_ns = times.time_ns > *before_ns ? times.time_ns : *before_ns;
            } else {
                *at_ns = times.ordinal == base ? times.time_ns : *at_ns;
            }
        } while (times.ordinal < base && flsi_times_next(&times));
    }
    flsi_marks_pass_fini(&pass);
    /* Where the marks stop being valid is their end. */
    return fls_status_class_of(status) == FLS_CLASS_SYSTEM ? status : FLS_OK;
}

fls_status flsi_keep_end_at_base(flsi_journal_tail *tail, int with_gap, fls_error *err)
{
    flsi_marks_builder marks;
    flsi_record seal = {.type = FLSI_RECORD_SEAL,
                        .flags = FLSI_SEAL_RECOVERED,
                        .ordinal = tail->base_ordinal,
                        .offset = tail->base_offset};
    flsi_record gap = {.type = FLSI_RECORD_GAP,
                       .flags = FLS_GAP_CUT,
                       .ordinal = tail->base_ordinal,
                       .offset = UINT64_MAX};
    uint64_t at_ns;
    flsi_marks_builder_init(&marks, tail->allocator);
    fls_status status = flsi_marks_reserve(&marks, 2, 0, err);
    status = status == FLS_OK ? times_at_base(tail, &seal.time_ns, &at_ns, err) : status;
    if (status == FLS_OK && (tail->sealed & (FLSI_SEAL_ROTATED | FLSI_SEAL_RECOVERED)) == 0) {
        if (with_gap) {
            flsi_marks_add(&marks, &gap, NULL);
        }
        flsi_marks_add(&marks, &seal, NULL);
        flsi_marks_close_frame(&marks);
    }
    if (status == FLS_OK && tail->marks_bytes > tail->valid_bytes) {
        status = flsi_file_truncate(&tail->marks, tail->valid_bytes, err);
    }
    if (status == FLS_OK && marks.size > 0) {
        status = flsi_write_exactly(&tail->marks, tail->valid_bytes, marks.frames, marks.size, err);
    }
    flsi_marks_builder_fini(&marks);
    status = status == FLS_OK ? flsi_file_sync(&tail->marks, err) : status;
    if (status == FLS_OK && tail->frames_bytes > tail->base_offset) {
        status = flsi_file_truncate(&tail->frames, tail->base_offset, err);
    }
    return status;
}

/* ---- the new segment ---- */

typedef struct new_segment {
    const flsi_keep *keep;
    flsi_file frames;
    flsi_file marks_file;
    flsi_marks_builder marks;
    uint64_t marks_offset;
    uint32_t epoch;
    uint64_t piece_offset; /* of the last OFFSET record; UINT64_MAX: none yet */
    uint64_t last_offset;  /* of the last frame */
    uint64_t last_time_ns;
    /* What the old marks have, gone over beside the frames. */
    flsi_marks_pass old;
    int old_left; /* more records may come */
    flsi_times_walk times;
    uint64_t offset_ordinal; /* of an OFFSET record that told a time */
    uint64_t offset_time_ns;
    /* Without old marks: times between these two. */
    uint64_t from_ns;
    uint64_t to_ns;
} new_segment;

static fls_status add_mark(new_segment *segment, const flsi_record *record, const void *data,
                           fls_error *err)
{
    size_t records = 1 + (data == NULL ? 0 : ((size_t)record->small + 31) / 32);
    fls_status status = flsi_marks_reserve(&segment->marks, records, 0, err);
    if (status == FLS_OK) {
        flsi_marks_add(&segment->marks, record, data);
    }
    return status;
}

static fls_status write_marks(new_segment *segment, fls_error *err)
{
    flsi_marks_close_frame(&segment->marks);
    fls_status status = flsi_write_exactly(&segment->marks_file, segment->marks_offset,
                                           segment->marks.frames, segment->marks.size, err);
    if (status == FLS_OK) {
        segment->marks_offset += segment->marks.size;
        flsi_marks_written(&segment->marks, segment->marks.size);
    }
    return status;
}

static fls_status put_header(new_segment *segment, uint64_t begun_ns, fls_error *err)
{
    const flsi_keep *keep = segment->keep;
    const flsi_manifest *manifest = keep->manifest;
    const flsi_journal_tail *tail = keep->tail;
    int estimated = !tail->sound && keep->end_ordinal > tail->base_ordinal;
    uint32_t count = tail->sound ? tail->type_count : manifest->type_count;
    const flsi_manifest_type *types = tail->sound ? tail->types : manifest->types;
    flsi_record header = {.type = FLSI_RECORD_HEADER,
                          .flags = FLSI_MARKS_VERSION,
                          .checksum = (uint8_t)manifest->checksum,
                          .small = segment->epoch,
                          .ordinal = tail->base_ordinal,
                          .id = flsi_load_le64(manifest->id),
                          .time_ns = begun_ns};
    header.header_flags = (uint8_t)((manifest->has_times ? FLSI_HEADER_TIMES : 0) |
                                    (estimated ? FLSI_HEADER_ESTIMATED : 0));
    if (tail->sound) {
        header.header_flags |= tail->header.header_flags;
    }
    fls_status status = add_mark(segment, &header, NULL, err);
    for (uint32_t i = 0; status == FLS_OK && i < count; i++) {
        flsi_record type = {.type = FLSI_RECORD_TYPE,
                            .small = (uint32_t)strlen(types[i].root),
                            .id = types[i].schema_hash,
                            .value = flsi_load_le32(types[i].identifier)};
        status = add_mark(segment, &type, types[i].root, err);
    }
    if (status == FLS_OK) {
        flsi_marks_close_frame(&segment->marks);
    }
    return status;
}

/* A gap or clock record of the old marks goes over when it belongs to what is kept. With the end it
 * is drawn to the end: what it speaks of comes before what will be next. Those right at the base
 * stay where they are, if the old marks stay. */
static fls_status carry_event(new_segment *segment, flsi_record record, fls_error *err)
{
    const flsi_keep *keep = segment->keep;
    uint64_t base = keep->tail->base_ordinal;
    if (record.ordinal < base || (record.ordinal == base && keep->tail->base_offset > 0)) {
        return FLS_OK;
    }
    if (record.ordinal > keep->end_ordinal) {
        record.ordinal = keep->end_ordinal;
    }
    return add_mark(segment, &record, NULL, err);
}

/* The next record of the old marks; events are carried over as they come. */
static fls_status next_old(new_segment *segment, fls_error *err)
{
    flsi_record record;
    fls_error fault = FLS_ERROR_INIT;
    fls_status status = flsi_marks_pass_next(&segment->old, &record, &fault);
    if (status != FLS_OK) {
        segment->old_left = 0;
        segment->times.count = 0;
        if (fls_status_class_of(status) != FLS_CLASS_SYSTEM) {
            return FLS_OK; /* here the marks end */
        }
        if (err != NULL) {
            *err = fault;
        }
        return status;
    }
    if (record.type == FLSI_RECORD_GAP || record.type == FLSI_RECORD_CLOCK) {
        return carry_event(segment, record, err);
    }
    if (record.type == FLSI_RECORD_OFFSET && record.time_ns != 0) {
        segment->offset_ordinal = record.ordinal;
        segment->offset_time_ns = record.time_ns;
    }
    if (record.type == FLSI_RECORD_TIMES) {
        flsi_times_begin(&segment->times, &record);
    }
    return FLS_OK;
}

/* The time that the old marks have of a message, or 0. */
static fls_status old_time(new_segment *segment, uint64_t ordinal, uint64_t *time_ns,
                           fls_error *err)
{
    fls_status status = FLS_OK;
    *time_ns = segment->offset_ordinal == ordinal ? segment->offset_time_ns : 0;
    while (status == FLS_OK && segment->old_left) {
        while (segment->times.count > 0 && segment->times.ordinal < ordinal &&
               flsi_times_next(&segment->times)) {
        }
        if (segment->times.count > 0 && segment->times.ordinal >= ordinal) {
            *time_ns = segment->times.ordinal == ordinal ? segment->times.time_ns : *time_ns;
            return FLS_OK;
        }
        if (segment->times.count == 0 && segment->offset_ordinal > ordinal) {
            return FLS_OK; /* not noted: the marks are ahead */
        }
        status = next_old(segment, err);
        if (segment->times.count == 0 && segment->offset_ordinal == ordinal) {
            *time_ns = segment->offset_time_ns;
        }
    }
    return status;
}

static uint64_t estimate(const new_segment *segment, uint64_t offset)
{
    uint64_t bytes = segment->keep->end_offset - segment->keep->tail->base_offset;
    double part = bytes == 0 ? 0 : (double)offset / (double)bytes;
    return segment->from_ns + (uint64_t)((double)(segment->to_ns - segment->from_ns) * part);
}

/* Marks for one message of the copy, as it is read back. */
static fls_status see_message(void *self, const fls_message *message, fls_error *err)
{
    new_segment *segment = self;
    uint64_t time_ns = 0;
    fls_status status = FLS_OK;
    if (segment->keep->tail->sound) {
        status = old_time(segment, message->ordinal, &time_ns, err);
    } else if (segment->to_ns > 0) {
        time_ns = estimate(segment, message->offset);
    }
    if (status == FLS_OK) {
        status = flsi_marks_reserve(&segment->marks, 1, 1, err);
    }
    if (status == FLS_OK && (segment->piece_offset == UINT64_MAX ||
                             message->offset - segment->piece_offset >= PIECE_BYTES)) {
        flsi_record offset = {.type = FLSI_RECORD_OFFSET,
                              .ordinal = message->ordinal,
                              .offset = message->offset,
                              .time_ns = time_ns};
        status = write_marks(segment, err);
        status = status == FLS_OK ? add_mark(segment, &offset, NULL, err) : status;
        status = status == FLS_OK ? flsi_marks_reserve(&segment->marks, 0, 1, err) : status;
        segment->piece_offset = message->offset;
    }
    if (status == FLS_OK && time_ns != 0) {
        flsi_marks_add_time(&segment->marks, message->ordinal, time_ns);
        segment->last_time_ns = time_ns > segment->last_time_ns ? time_ns : segment->last_time_ns;
    }
    segment->last_offset = message->offset;
    return status;
}

/* Reads the copy back, as far as it has to be sound, and makes the marks of it. */
static fls_status mark_copy(new_segment *segment, fls_error *err)
{
    const flsi_keep *keep = segment->keep;
    flsi_scan scan = {.file = &segment->frames,
                      .allocator = keep->allocator,
                      .checksum = keep->manifest->checksum,
                      .max_frame_bytes = keep->manifest->max_frame_bytes,
                      .end = keep->end_offset - keep->tail->base_offset,
                      .ordinal = keep->tail->base_ordinal};
    fls_status status = FLS_OK;
    segment->piece_offset = UINT64_MAX;
    if (keep->tail->sound) {
        status = flsi_journal_tail_pass(keep->tail, &segment->old, err);
        segment->old_left = 1;
    }
    status = status == FLS_OK ? flsi_scan_frames(&scan, see_message, segment, err) : status;
    if (status == FLS_OK && (scan.fault.status != FLS_OK || scan.ordinal != keep->end_ordinal)) {
        return fls_error_set(err, FLS_IO, 0, "the copy of the journal's end is not what was read");
    }
    while (status == FLS_OK && segment->old_left) {
        status = next_old(segment, err);
    }
    flsi_record gap = {.type = FLSI_RECORD_GAP,
                       .flags = FLS_GAP_CUT,
                       .ordinal = keep->end_ordinal,
                       .offset = UINT64_MAX};
    if (status == FLS_OK && keep->cut) {
        status = add_mark(segment, &gap, NULL, err);
    }
    return status == FLS_OK ? write_marks(segment, err) : status;
}

/* After the copy was synced. */
static fls_status mark_durable(new_segment *segment, fls_error *err)
{
    const flsi_keep *keep = segment->keep;
    uint64_t end = keep->end_offset - keep->tail->base_offset;
    flsi_record durable = {
        .type = FLSI_RECORD_DURABLE, .ordinal = keep->end_ordinal, .offset = end};
    if (end > 0) {
        uint64_t frame_bytes = end - segment->last_offset;
        durable.small = frame_bytes < FLSI_PROOF_BYTES ? (uint32_t)frame_bytes : FLSI_PROOF_BYTES;
        fls_status status =
            flsi_proof_at(&segment->frames, end, durable.small, &durable.value, err);
        if (status != FLS_OK) {
            return status;
        }
    }
    fls_status status = add_mark(segment, &durable, NULL, err);
    return status == FLS_OK ? write_marks(segment, err) : status;
}

static fls_status open_new(const flsi_directory *directory, const char *name, flsi_file *file,
                           fls_error *err)
{
    fls_status status = flsi_directory_remove(directory, name, err);
    return status != FLS_OK ? status
                            : flsi_directory_file(directory, file, name,
                                                  FLSI_OPEN_READ | FLSI_OPEN_WRITE |
                                                      FLSI_OPEN_CREATE | FLSI_OPEN_NEW,
                                                  NULL, err);
}

/* Both files under unfinished names, whole and synced. */
static fls_status make_files(new_segment *segment, const char *frames_name, const char *marks_name,
                             uint64_t begun_ns, fls_error *err)
{
    const flsi_keep *keep = segment->keep;
    fls_status status = open_new(keep->directory, frames_name, &segment->frames, err);
    status = status == FLS_OK ? open_new(keep->directory, marks_name, &segment->marks_file, err)
                              : status;
    status = status == FLS_OK ? put_header(segment, begun_ns, err) : status;
    if (status == FLS_OK) {
        status = copy_bytes(&keep->tail->frames, keep->tail->base_offset, keep->end_offset,
                            &segment->frames, 0, keep->allocator, err);
    }
    status = status == FLS_OK ? mark_copy(segment, err) : status;
    status = status == FLS_OK ? flsi_file_sync(&segment->frames, err) : status;
    return status == FLS_OK ? flsi_file_sync(&segment->marks_file, err) : status;
}

/* Into place. Until the last rename the old segment is as it was, or so much of it as is sound; the
 * marks come second where they replace others, since they say that the frames are durable; and
 * first where there are none, since frames without marks have lost their times. */
static fls_status give_names(const flsi_keep *keep, const char *frames_name, const char *marks_name,
                             fls_error *err)
{
    char frames[FLSI_NAME_BYTES];
    char marks[FLSI_NAME_BYTES];
    const flsi_directory *directory = keep->directory;
    fls_status status = FLS_OK;
    flsi_name_format(frames, FLSI_NAME_SEGMENT, keep->tail->base_ordinal);
    flsi_name_format(marks, FLSI_NAME_MARKS, keep->tail->base_ordinal);
    for (int step = 0; status == FLS_OK && step < 2; step++) {
        int frames_now = (step == 0) == (keep->tail->base_offset == 0);
        status = flsi_directory_rename(directory, frames_now ? frames_name : marks_name, directory,
                                       frames_now ? frames : marks, 1, err);
        status = status == FLS_OK ? flsi_directory_sync_names(directory, err) : status;
    }
    return status;
}

/* When the frames' file was written last is the best guess at the newest time. */
static void guess_times(new_segment *segment)
{
    flsi_file_info info;
    segment->from_ns = segment->keep->known_time_ns;
    segment->to_ns = segment->from_ns;
    if (flsi_file_info_get(&segment->keep->tail->frames, &info, NULL) == FLS_OK &&
        info.modified_ns > 0 && (uint64_t)info.modified_ns > segment->from_ns) {
        segment->to_ns = (uint64_t)info.modified_ns;
    }
    uint64_t limit_ns = segment->keep->limit_time_ns;
    if (limit_ns >= segment->from_ns && limit_ns > 0 && limit_ns < segment->to_ns) {
        segment->to_ns = limit_ns;
    }
    if (segment->from_ns == 0) {
        segment->from_ns = segment->to_ns;
    }
}

/* When what is kept was begun: the time of its first message, or, where that is not known, the
 * newest time there is. Searching by time relies on that no message before it is later. */
static fls_status find_begun(new_segment *segment, fls_error *err)
{
    const flsi_journal_tail *tail = segment->keep->tail;
    uint64_t before_ns;
    uint64_t at_ns;
    fls_status status = times_at_base(tail, &before_ns, &at_ns, err);
    segment->last_time_ns = at_ns != 0 ? at_ns : tail->last_time_ns;
    return status;
}

static fls_status begin_making(new_segment *segment, const flsi_keep *keep,
                               char frames_name[UNFINISHED_BYTES],
                               char marks_name[UNFINISHED_BYTES], fls_error *err)
{
    static const flsi_file closed = {.fd = -1, .directory_fd = -1};
    char name[FLSI_NAME_BYTES];
    *segment = (new_segment){.keep = keep,
                             .frames = closed,
                             .marks_file = closed,
                             .epoch = (uint32_t)keep->manifest->epoch};
    flsi_name_format(name, FLSI_NAME_SEGMENT, keep->tail->base_ordinal);
    (void)snprintf(frames_name, UNFINISHED_BYTES, ".%s.new", name);
    flsi_name_format(name, FLSI_NAME_MARKS, keep->tail->base_ordinal);
    (void)snprintf(marks_name, UNFINISHED_BYTES, ".%s.new", name);
    flsi_marks_builder_init(&segment->marks, keep->allocator);
    guess_times(segment);
    segment->last_time_ns = keep->tail->sound ? keep->tail->header.time_ns : segment->from_ns;
    return keep->tail->sound && keep->tail->base_offset > 0 ? find_begun(segment, err) : FLS_OK;
}

static void end_making(new_segment *segment)
{
    flsi_marks_pass_fini(&segment->old);
    flsi_marks_builder_fini(&segment->marks);
    if (segment->frames.fd >= 0) {
        (void)flsi_file_close(&segment->frames, NULL);
    }
    if (segment->marks_file.fd >= 0) {
        (void)flsi_file_close(&segment->marks_file, NULL);
    }
}

/* Gaps right at the base stay in the old marks. A sync of these may have failed before, after which
 * the system may call pages clean that are not on the disk: they are written over themselves. */
static fls_status sync_old_marks(const flsi_journal_tail *tail, fls_error *err)
{
    flsi_file marks = flsi_file_borrow(&tail->marks);
    if (tail->base_offset == 0 || marks.fd < 0) {
        return FLS_OK;
    }
    fls_status status = copy_bytes(&marks, tail->near_base, tail->valid_bytes, &marks,
                                   tail->near_base, tail->allocator, err);
    return status == FLS_OK ? flsi_file_sync(&marks, err) : status;
}

fls_status flsi_keep_sound(const flsi_keep *keep, flsi_journal_place *place, fls_error *err)
{
    char frames_name[UNFINISHED_BYTES];
    char marks_name[UNFINISHED_BYTES];
    new_segment segment;
    fls_status status = begin_making(&segment, keep, frames_name, marks_name, err);
    uint64_t begun_ns = segment.last_time_ns;
    status =
        status == FLS_OK ? make_files(&segment, frames_name, marks_name, begun_ns, err) : status;
    if (status != FLS_OK) { /* half of it helps nobody, and may be what fills the disk */
        (void)flsi_directory_remove(keep->directory, frames_name, NULL);
        (void)flsi_directory_remove(keep->directory, marks_name, NULL);
    } else {
        status = give_names(keep, frames_name, marks_name, err);
        /* Not before the names and gaps before it are durable: readers see it at once, and it is
         * never taken back. */
        status = status == FLS_OK ? sync_old_marks(keep->tail, err) : status;
        status = status == FLS_OK ? mark_durable(&segment, err) : status;
        status = status == FLS_OK ? flsi_file_sync(&segment.marks_file, err) : status;
    }
    *place = (flsi_journal_place){.next_ordinal = keep->end_ordinal,
                                  .last_time_ns = segment.last_time_ns,
                                  .has_segment = 1,
                                  .segment_first_ordinal = keep->tail->base_ordinal,
                                  .segment_offset = keep->end_offset - keep->tail->base_offset,
                                  .marks_offset = segment.marks_offset,
                                  .segment_begun_ns = begun_ns,
                                  .segment_epoch = (uint32_t)keep->manifest->epoch};
    end_making(&segment);
    return status;
}

/* The messages end where the frames do that are kept, unless damage is before the next segment. */
static fls_status seal_marks(new_segment *segment, uint64_t next_ordinal, fls_error *err)
{
    const flsi_keep *keep = segment->keep;
    flsi_record seal = {.type = FLSI_RECORD_SEAL,
                        .flags = FLSI_SEAL_RECOVERED,
                        .ordinal = next_ordinal,
                        .offset = keep->end_ordinal == next_ordinal ? keep->end_offset
                                                                    : keep->tail->frames_bytes,
                        .time_ns = segment->last_time_ns};
    fls_status status = add_mark(segment, &seal, NULL, err);
    return status == FLS_OK ? write_marks(segment, err) : status;
}

fls_status flsi_keep_marks(const flsi_keep *keep, uint64_t next_ordinal, fls_error *err)
{
    char frames_name[UNFINISHED_BYTES];
    char marks_name[UNFINISHED_BYTES];
    new_segment segment;
    fls_status status = begin_making(&segment, keep, frames_name, marks_name, err);
    segment.frames = flsi_file_borrow(&keep->tail->frames);
    segment.epoch = keep->tail->sound ? keep->tail->header.small : segment.epoch;
    status =
        status == FLS_OK ? open_new(keep->directory, marks_name, &segment.marks_file, err) : status;
    status = status == FLS_OK ? put_header(&segment, segment.last_time_ns, err) : status;
    status = status == FLS_OK ? mark_copy(&segment, err) : status;
    if (status == FLS_OK && next_ordinal != UINT64_MAX) {
        status = seal_marks(&segment, next_ordinal, err);
    }
    status = status == FLS_OK ? flsi_file_sync(&segment.marks_file, err) : status;
    if (status == FLS_OK) {
        status = flsi_directory_rename(keep->directory, marks_name, keep->directory,
                                       keep->tail->marks_name, 1, err);
        status = status == FLS_OK ? flsi_directory_sync_names(keep->directory, err) : status;
    } else {
        (void)flsi_directory_remove(keep->directory, marks_name, NULL);
    }
    end_making(&segment);
    return status;
}
