/* A sealed segment becomes NAME.fls.zst:
 *
 *   1  the plain file is locked, so that nobody else is at it until it is gone; .NAME.fls.zst is
 *      made, or one that was left is emptied;
 *   2  every frame is read and proven, and put into pieces;
 *   3  it is synced, read back and compared with the plain file, byte by byte;
 *   4  it is renamed to NAME.fls.zst, and the names are synced;
 *   5  the plain file is removed; where retention was faster, the compressed one is too.
 *
 * After a crash before 4 is done there is an unfinished file, which the next one goes on with, and
 * between 4 and 5 both are there, of which the plain one counts, until it is done again.
 */
#include "journal/journal_compress.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "flatstream/reader.h"
#include "io/io_file.h"
#include "journal/journal_listing.h"
#include "journal/journal_lock.h"
#include "journal/journal_recovery.h"
#include "journal/journal_scan.h"
#include "journal/journal_zstd.h"

/* Of frames that are gathered for a piece; what is compared at once. */
#define GATHER_BYTES  (2u * FLSI_ZSTD_PIECE_BYTES)
#define COMPARE_BYTES (256u << 10)

/* A segment in the works. */
typedef struct compressing {
    flsi_compress_job *job;
    uint64_t first_ordinal;
    uint64_t end_ordinal; /* as its seal has them */
    uint64_t end_offset;
    char plain_name[FLSI_NAME_BYTES];
    char stored_name[FLSI_NAME_BYTES];
    char work_name[FLSI_NAME_BYTES + 1];
    flsi_file plain;
    flsi_file stored;
    flsi_zstd_writer *writer;
    uint8_t *gathered; /* GATHER_BYTES */
    size_t gathered_bytes;
    uint64_t stored_bytes;
} compressing;

static fls_status say(fls_error *err, fls_status status, const char *name, const char *text)
{
    fls_error_set(err, status, 0, text);
    flsi_error_name(err, name);
    return status;
}

/* ---- which segments ---- */

/* The last record of marks, and whether they end with it. What is not sealed, or not valid, is
 * others' business. */
static void read_to_seal(compressing *work, const flsi_file *marks, uint64_t bytes,
                         uint64_t next_ordinal, int *sealed)
{
    flsi_marks_pass pass;
    flsi_record record = {0};
    fls_status st = flsi_marks_pass_begin(&pass, marks, bytes, work->job->allocator, NULL);
    while (st == FLS_OK) {
        st = flsi_marks_pass_next(&pass, &record, NULL);
    }
    if (st == FLS_END && (pass.walk.sealed & (FLSI_SEAL_ROTATED | FLSI_SEAL_RECOVERED)) != 0 &&
        record.type == FLSI_RECORD_SEAL && record.ordinal == next_ordinal) {
        work->end_ordinal = record.ordinal;
        work->end_offset = record.offset;
        *sealed = 1;
    }
    flsi_marks_pass_fini(&pass);
}

/* Whether a segment is whole: its marks end with a seal that says so, and the next segment begins
 * where that one ends. */
static fls_status find_seal(compressing *work, uint64_t next_ordinal, int *sealed, fls_error *err)
{
    char name[FLSI_NAME_BYTES];
    flsi_file marks;
    flsi_file_info info;
    int missing = 0;
    *sealed = 0;
    flsi_name_format(name, FLSI_NAME_MARKS, work->first_ordinal);
    fls_status st =
        flsi_directory_file(work->job->directory, &marks, name, FLSI_OPEN_READ, &missing, err);
    if (st != FLS_OK) {
        return missing ? FLS_OK : st; /* it went meanwhile */
    }
    st = flsi_file_info_get(&marks, &info, err);
    if (st == FLS_OK && info.size_bytes > 0) {
        read_to_seal(work, &marks, info.size_bytes, next_ordinal, sealed);
    }
    (void)flsi_file_close(&marks, NULL);
    return st;
}

/* ---- steps 1 to 3 ---- */

static fls_status put_gathered(compressing *work, fls_error *err)
{
    if (work->gathered_bytes == 0) {
        return FLS_OK;
    }
    fls_status st = flsi_zstd_put(work->writer, work->gathered, work->gathered_bytes, err);
    work->gathered_bytes = 0;
    if (st == FLS_OK && work->job->between != NULL) {
        st = work->job->between(work->job->between_self);
    }
    return st;
}

static fls_status gather(compressing *work, const void *data, size_t size, fls_error *err)
{
    const uint8_t *next = data;
    while (size > 0) {
        size_t room = GATHER_BYTES - work->gathered_bytes;
        size_t now = size < room ? size : room;
        memcpy(work->gathered + work->gathered_bytes, next, now);
        work->gathered_bytes += now;
        next += now;
        size -= now;
        if (work->gathered_bytes == GATHER_BYTES) { /* within a long frame */
            fls_status st = put_gathered(work, err);
            if (st != FLS_OK) {
                return st;
            }
        }
    }
    return FLS_OK;
}

static fls_status put_message(compressing *work, const fls_message *message, uint32_t width,
                              fls_error *err)
{
    uint8_t header[FLS_MAX_HEADER_BYTES];
    size_t header_bytes =
        fls_frame_encode_header(header, (uint32_t)message->size, message->checksum, width);
    fls_status st = gather(work, header, header_bytes, err);
    if (st == FLS_OK) {
        st = gather(work, message->payload, message->size, err);
    }
    if (st == FLS_OK && work->gathered_bytes >= FLSI_ZSTD_PIECE_BYTES) {
        st = put_gathered(work, err);
    }
    return st;
}

static fls_status open_frames(compressing *work, fls_reader **reader, fls_error *err)
{
    fls_source source;
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    flsi_file file = flsi_file_borrow(&work->plain);
    options.checksum = work->job->checksum;
    options.max_frame_bytes = work->job->max_frame_bytes;
    options.allocator = work->job->allocator;
    options.first_ordinal = work->first_ordinal;
    fls_status st = flsi_source_from_file(&source, &file, err);
    return st == FLS_OK ? fls_reader_open(reader, source, &options, err) : st;
}

/* Every frame of the plain file, proven, into pieces. */
static fls_status put_frames(compressing *work, fls_error *err)
{
    fls_reader *reader;
    fls_message message;
    uint32_t width = fls_checksum_width(work->job->checksum);
    fls_status st = open_frames(work, &reader, err);
    if (st != FLS_OK) {
        return st;
    }
    while (fls_reader_ordinal(reader) < work->end_ordinal &&
           (st = fls_reader_next(reader, &message, err)) == FLS_OK) {
        if ((st = put_message(work, &message, width, err)) != FLS_OK) {
            break;
        }
    }
    if (st == FLS_END || (st == FLS_OK && fls_reader_offset(reader) != work->end_offset)) {
        st = say(err, FLS_INVALID_FRAME, work->plain_name,
                 "the segment holds other messages than its seal says");
    }
    fls_reader_close(reader);
    return st == FLS_OK ? put_gathered(work, err) : st;
}

static fls_status read_plain(compressing *work, uint64_t offset, uint8_t *to, size_t size,
                             fls_error *err)
{
    size_t got;
    fls_status st = flsi_file_read_all_at(&work->plain, offset, to, size, &got, err);
    return st == FLS_OK && got < size
               ? say(err, FLS_UNEXPECTED_EOF, work->plain_name, "the segment became shorter")
               : st;
}

static fls_status compare_bytes(compressing *work, flsi_zstd_reader *reader, fls_error *err)
{
    uint8_t *first = work->gathered;
    uint8_t *second = first + COMPARE_BYTES;
    if (flsi_zstd_bytes(reader) != work->end_offset) {
        return say(err, FLS_IO, work->work_name, "what was written is not what is there");
    }
    for (uint64_t at = 0; at < work->end_offset;) {
        size_t got = 0;
        fls_status st = flsi_zstd_read_at(reader, at, first, COMPARE_BYTES, &got, err);
        if (st == FLS_OK) {
            st = read_plain(work, at, second, got, err);
        }
        if (st == FLS_OK && memcmp(first, second, got) != 0) {
            st = say(err, FLS_IO, work->work_name, "what was written is not what is there");
        }
        if (st == FLS_OK && work->job->between != NULL && at % FLSI_ZSTD_PIECE_BYTES < got) {
            st = work->job->between(work->job->between_self);
        }
        if (st != FLS_OK) {
            return st;
        }
        at += got;
    }
    return FLS_OK;
}

static fls_status read_back(compressing *work, fls_error *err)
{
    flsi_zstd_reader *reader;
    fls_status st = flsi_zstd_open(&reader, &work->stored, work->job->allocator, err);
    if (st == FLS_OK) {
        st = compare_bytes(work, reader, err);
        flsi_zstd_close(reader);
    }
    return st;
}

static fls_status make_stored(compressing *work, fls_error *err)
{
    fls_status st =
        flsi_zstd_begin(&work->writer, &work->stored, work->job->level, work->job->allocator, err);
    if (st == FLS_OK) {
        st = put_frames(work, err);
    }
    if (st == FLS_OK) {
        st = flsi_zstd_end(work->writer, &work->stored_bytes, err);
    }
    flsi_zstd_free(work->writer);
    if (st == FLS_OK) {
        st = flsi_file_sync(&work->stored, err);
    }
    return st == FLS_OK ? read_back(work, err) : st;
}

/* ---- steps 4 and 5 ---- */

static fls_status put_in_place(compressing *work, fls_error *err)
{
    const flsi_directory *directory = work->job->directory;
    flsi_file_info info;
    int missing = 0;
    fls_status st =
        flsi_directory_rename(directory, work->work_name, directory, work->stored_name, 1, err);
    if (st == FLS_OK) {
        st = flsi_directory_sync_names(directory, err);
    }
    if (st != FLS_OK) {
        return st;
    }
    st = flsi_directory_info(directory, work->plain_name, &info, &missing, err);
    if (missing) { /* retention was faster, and did not see the compressed one */
        st = flsi_directory_remove(directory, work->stored_name, err);
        return st == FLS_OK ? flsi_directory_sync_names(directory, err) : st;
    }
    if (st == FLS_OK) {
        st = flsi_directory_remove(directory, work->plain_name, err);
    }
    if (st == FLS_OK) {
        work->job->segments++;
        if (work->stored_bytes < work->end_offset) {
            work->job->saved_bytes += work->end_offset - work->stored_bytes;
        }
    }
    return st;
}

static fls_status work_on_files(compressing *work, fls_error *err)
{
    fls_status st = flsi_file_truncate(&work->stored, 0, err);
    if (st == FLS_OK) {
        st = make_stored(work, err);
    }
    if (st != FLS_OK) {
        (void)flsi_directory_remove(work->job->directory, work->work_name, NULL);
        return st;
    }
    return put_in_place(work, err);
}

static fls_status compress_one(compressing *work, fls_error *err)
{
    const flsi_directory *directory = work->job->directory;
    int missing = 0;
    flsi_name_format(work->plain_name, FLSI_NAME_SEGMENT, work->first_ordinal);
    flsi_name_format(work->stored_name, FLSI_NAME_COMPRESSED, work->first_ordinal);
    (void)snprintf(work->work_name, sizeof work->work_name, ".%s", work->stored_name);
    fls_status st = flsi_directory_file(directory, &work->plain, work->plain_name,
                                        FLSI_OPEN_READ | FLSI_OPEN_LOCK, &missing, err);
    if (st != FLS_OK) { /* it went, or another is at it */
        return missing || st == FLS_LOCKED ? FLS_OK : st;
    }
    st = flsi_directory_file(directory, &work->stored, work->work_name,
                             FLSI_OPEN_READ | FLSI_OPEN_WRITE | FLSI_OPEN_CREATE, NULL, err);
    if (st == FLS_OK) {
        st = work_on_files(work, err);
        fls_status closed = flsi_file_close(&work->stored, st == FLS_OK ? err : NULL);
        st = st == FLS_OK ? closed : st;
    }
    (void)flsi_file_close(&work->plain, NULL);
    return st;
}

/* ---- all of them ---- */

static int ends_the_job(fls_status status)
{
    return status != FLS_OK && fls_status_class_of(status) != FLS_CLASS_DAMAGE;
}

static fls_status compress_listed(flsi_compress_job *job, const flsi_listing *listing,
                                  uint8_t *memory, fls_error *err)
{
    fls_error fault = FLS_ERROR_INIT;
    fls_status first = FLS_OK;
    for (size_t i = 0; i + 1 < listing->count; i++) {
        const flsi_listed_segment *segment = listing->segments + i;
        compressing work;
        int sealed = 0;
        memset(&work, 0, sizeof work);
        work.job = job;
        work.first_ordinal = segment->first_ordinal;
        work.gathered = memory;
        if (!segment->has_plain || !segment->has_marks) {
            continue;
        }
        fls_status st = find_seal(&work, segment[1].first_ordinal, &sealed, &fault);
        if (st == FLS_OK && sealed) {
            st = compress_one(&work, &fault);
        }
        if (st != FLS_OK && first == FLS_OK) {
            first = st;
            if (err != NULL) {
                *err = fault;
            }
        }
        if (ends_the_job(st)) {
            break;
        }
    }
    return first;
}

fls_status flsi_compress_sealed(flsi_compress_job *job, fls_error *err)
{
    flsi_listing listing;
    const fls_allocator *allocator = job->allocator;
    job->segments = 0;
    job->saved_bytes = 0;
    if (!flsi_zstd_is_there()) {
        return fls_error_set(err, FLS_UNSUPPORTED, 0, "this library was built without zstd");
    }
    fls_status st = job->kept != NULL ? flsi_kept_plain(job->kept, &listing, err)
                                      : flsi_listing_read(&listing, job->directory, allocator, err);
    if (st != FLS_OK) {
        return st;
    }
    uint8_t *memory = allocator->resize(allocator->self, NULL, 0, GATHER_BYTES);
    if (memory == NULL) {
        st = fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to compress segments in");
    } else {
        st = compress_listed(job, &listing, memory, err);
        allocator->free(allocator->self, memory, GATHER_BYTES);
    }
    flsi_listing_fini(&listing);
    return st;
}

/* The manifest says that segments may be compressed, durably, before the first one is. It is its
 * writer's: without the bit there must be none. */
static fls_status allow_compressed(const flsi_directory *directory, flsi_manifest *manifest,
                                   fls_error *err)
{
    const fls_allocator *allocator = fls_allocator_libc();
    flsi_file lock;
    fls_status st = flsi_manifest_load(manifest, directory, allocator, err);
    if (st == FLS_END) {
        return fls_error_set(err, FLS_IO, 0,
                             "no manifest: there is no journal, or it has to be rebuilt");
    }
    if (st != FLS_OK || (manifest->incompatible & FLSI_FEATURE_COMPRESSED) != 0) {
        return st;
    }
    st = flsi_writer_lock(directory, &lock, err);
    if (st == FLS_LOCKED) {
        return fls_error_set(err, FLS_LOCKED, 0,
                             "its writer has to have opened it with compression, or to be gone");
    }
    if (st != FLS_OK) {
        return st;
    }
    st = flsi_manifest_load(manifest, directory, allocator, err);
    if (st == FLS_OK) {
        manifest->incompatible |= FLSI_FEATURE_COMPRESSED;
        st = flsi_manifest_store(manifest, directory, allocator, err);
    }
    (void)flsi_file_close(&lock, NULL);
    return st;
}

fls_status flsi_journal_compress(const char *path, int level, const flsi_os_calls *calls,
                                 uint64_t *segments, uint64_t *saved_bytes, fls_error *err)
{
    flsi_directory directory;
    flsi_manifest manifest;
    flsi_compress_job job;
    if (segments != NULL) {
        *segments = 0;
    }
    if (saved_bytes != NULL) {
        *saved_bytes = 0;
    }
    if (!flsi_zstd_is_there()) {
        return fls_error_set(err, FLS_UNSUPPORTED, 0, "this library was built without zstd");
    }
    fls_status st = flsi_directory_open(&directory, path, 0, calls, err);
    if (st != FLS_OK) {
        return st;
    }
    if ((st = allow_compressed(&directory, &manifest, err)) == FLS_OK) {
        memset(&job, 0, sizeof job);
        job.directory = &directory;
        job.checksum = manifest.checksum;
        job.max_frame_bytes = manifest.max_frame_bytes;
        job.level = level;
        job.allocator = fls_allocator_libc();
        st = flsi_compress_sealed(&job, err);
        if (segments != NULL) {
            *segments = job.segments;
        }
        if (saved_bytes != NULL) {
            *saved_bytes = job.saved_bytes;
        }
    }
    flsi_directory_close(&directory);
    return st;
}

fls_status fls_journal_compress(const char *path, int level, uint64_t *segments,
                                uint64_t *saved_bytes, fls_error *err)
{
    return flsi_journal_compress(path, level, NULL, segments, saved_bytes, err);
}
