/* Frames of a marks file; see journal_marks_file.h. */
#include "journal/journal_marks_file.h"

#include "flatstream/frame.h"

/* What is read at once: little at a place that was jumped to, more and more going on from there. */
#define LEAST_BYTES ((size_t)4 * 1024)
#define MOST_BYTES  ((size_t)64 * 1024)
/* Frames begin where the length of those before it says, all of which are 12 and a multiple of 32
 * bytes long. */
#define FRAME_STEP 4u
/* How much of the end is looked at first, and how much more each time. */
#define END_BYTES ((uint64_t)1024)
#define END_MORE  8u
/* With so many frames that have a durable mark, what is before the first of them was synced. */
#define SYNCED_FRAMES 3u
/* What may be hashed in vain in one search, so that bytes that only look like frames cost no more.
 */
#define HASHED_AT_MOST ((uint64_t)1 << 20)

void flsi_marks_file_init(flsi_marks_file *marks, const flsi_file *file,
                          const fls_allocator *allocator)
{
    *marks = (flsi_marks_file){.file = file, .allocator = allocator};
}

void flsi_marks_file_fini(flsi_marks_file *marks)
{
    if (marks->window != NULL) {
        marks->allocator->free(marks->allocator->self, marks->window, marks->capacity);
    }
    *marks = (flsi_marks_file){0};
}

static fls_status grow(flsi_marks_file *marks, size_t bytes, fls_error *err)
{
    if (bytes <= marks->capacity) {
        return FLS_OK;
    }
    size_t capacity = bytes > MOST_BYTES ? bytes : MOST_BYTES;
    uint8_t *grown =
        marks->allocator->resize(marks->allocator->self, marks->window, marks->capacity, capacity);
    if (grown == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "a window on marks could not be allocated");
    }
    marks->window = grown;
    marks->capacity = capacity;
    return FLS_OK;
}

/* How much to read at an offset of which `need` bytes are needed: twice what was read last, where
 * it goes on from there. */
static size_t how_much(const flsi_marks_file *marks, uint64_t at, size_t need)
{
    uint64_t end = marks->window_offset + marks->window_bytes;
    size_t want = LEAST_BYTES;
    if (marks->window_bytes > 0 && at >= marks->window_offset && at <= end) {
        want = 2 * marks->window_bytes;
        want = want < LEAST_BYTES ? LEAST_BYTES : want;
        want = want < MOST_BYTES ? want : MOST_BYTES;
    }
    return want > need ? want : need;
}

/* `need` bytes at an offset; FLS_END where there are fewer. What was read once is not read again
 * unless it ended the file, which may have grown. */
static fls_status get(flsi_marks_file *marks, uint64_t at, size_t need, const uint8_t **bytes,
                      fls_error *err)
{
    if (marks->file == NULL || marks->file->fd < 0) {
        return FLS_END;
    }
    if (at >= marks->window_offset && at - marks->window_offset <= marks->window_bytes &&
        need <= marks->window_bytes - (at - marks->window_offset)) {
        *bytes = marks->window + (at - marks->window_offset);
        return FLS_OK;
    }
    size_t want = how_much(marks, at, need);
    fls_status status = grow(marks, want, err);
    if (status != FLS_OK) {
        return status;
    }
    marks->window_offset = at;
    marks->window_bytes = 0;
    while (marks->window_bytes < need) {
        size_t got = 0;
        status = flsi_file_read_at(marks->file, at + marks->window_bytes,
                                   marks->window + marks->window_bytes, want - marks->window_bytes,
                                   &got, err);
        if (status != FLS_OK) {
            marks->window_bytes = 0; /* what ends the file may be written over */
            return status;
        }
        marks->window_bytes += got;
    }
    *bytes = marks->window;
    return FLS_OK;
}

static fls_status refuse(fls_error *err, fls_status status, uint64_t at, const char *text)
{
    fls_error_set(err, status, 0, text);
    if (err != NULL) {
        err->known |= FLS_ERROR_OFFSET;
        err->offset = at;
    }
    return status;
}

static int is_length(uint32_t length)
{
    return length != 0 && length % FLSI_RECORD_BYTES == 0 && length <= FLSI_MARKS_FRAME_BYTES;
}

fls_status flsi_marks_file_frame(flsi_marks_file *marks, uint64_t at, const uint8_t **records,
                                 size_t *size, uint64_t *next, fls_error *err)
{
    const uint8_t *bytes;
    fls_status status = get(marks, at, FLSI_MARKS_HEADER_BYTES, &bytes, err);
    if (status != FLS_OK) {
        return status;
    }
    uint32_t length = flsi_load_le32(bytes);
    if (!is_length(length)) {
        return refuse(err, FLS_INVALID_FRAME, at, "a frame of marks has a length that none has");
    }
    status = get(marks, at, FLSI_MARKS_HEADER_BYTES + length, &bytes, err);
    if (status != FLS_OK) {
        return status;
    }
    if (flsi_load_le64(bytes + FLS_LENGTH_BYTES) !=
        fls_checksum_digest(FLS_CHECKSUM_XXH3, bytes + FLSI_MARKS_HEADER_BYTES, length)) {
        return refuse(err, FLS_CHECKSUM_MISMATCH, at, "a frame of marks was changed");
    }
    *records = bytes + FLSI_MARKS_HEADER_BYTES;
    *size = length;
    *next = at + FLSI_MARKS_HEADER_BYTES + length;
    return FLS_OK;
}

/* ---- by the rules ---- */

/* Hands the walk what is there from a frame on: all of that frame, if the file has it. */
static fls_status give(flsi_marks_pass *pass, uint64_t at, const uint8_t **bytes, size_t *size,
                       fls_error *err)
{
    flsi_marks_file *marks = &pass->marks;
    uint64_t left = pass->file_bytes - at;
    size_t need = left < FLSI_MARKS_HEADER_BYTES ? (size_t)left : FLSI_MARKS_HEADER_BYTES;
    *size = 0;
    *bytes = NULL;
    if (left == 0) {
        return FLS_OK;
    }
    fls_status status = get(marks, at, need, bytes, err);
    if (status == FLS_OK && need == FLSI_MARKS_HEADER_BYTES) {
        uint32_t length = flsi_load_le32(*bytes);
        if (is_length(length) && length <= left - FLSI_MARKS_HEADER_BYTES) {
            status = get(marks, at, FLSI_MARKS_HEADER_BYTES + length, bytes, err);
        }
    }
    if (status != FLS_OK) {
        return status == FLS_END
                   ? fls_error_set(err, FLS_UNEXPECTED_EOF, 0, "the file is shorter than it was")
                   : status;
    }
    uint64_t there = marks->window_bytes - (size_t)(*bytes - marks->window);
    *size = (size_t)(there < left ? there : left);
    return FLS_OK;
}

fls_status flsi_marks_pass_begin(flsi_marks_pass *pass, const flsi_file *file, uint64_t file_bytes,
                                 const fls_allocator *allocator, fls_error *err)
{
    const uint8_t *bytes;
    size_t size;
    *pass = (flsi_marks_pass){.file_bytes = file_bytes};
    flsi_marks_file_init(&pass->marks, file, allocator);
    fls_status status = give(pass, 0, &bytes, &size, err);
    return status == FLS_OK ? flsi_marks_walk_begin(&pass->walk, bytes, size, err) : status;
}

fls_status flsi_marks_pass_resume(flsi_marks_pass *pass, const flsi_file *file, uint64_t file_bytes,
                                  uint64_t frame, const fls_allocator *allocator, fls_error *err)
{
    const uint8_t *bytes;
    size_t size;
    *pass = (flsi_marks_pass){.file_bytes = file_bytes};
    flsi_marks_file_init(&pass->marks, file, allocator);
    fls_status status = give(pass, frame, &bytes, &size, err);
    if (status == FLS_OK) {
        pass->walk.valid_bytes = frame;
        flsi_marks_walk_continue(&pass->walk, bytes, size);
    }
    return status;
}

fls_status flsi_marks_pass_next(flsi_marks_pass *pass, flsi_record *record, fls_error *err)
{
    fls_status status = flsi_marks_walk_next(&pass->walk, record, err);
    if ((status == FLS_END || status == FLS_UNEXPECTED_EOF) && pass->walk.size < pass->file_bytes) {
        const uint8_t *bytes;
        size_t size;
        status = give(pass, pass->walk.valid_bytes, &bytes, &size, err);
        if (status == FLS_OK) {
            flsi_marks_walk_continue(&pass->walk, bytes, size);
            status = flsi_marks_walk_next(&pass->walk, record, err);
        }
    }
    return status;
}

void flsi_marks_pass_fini(flsi_marks_pass *pass)
{
    flsi_marks_file_fini(&pass->marks);
}

/* ---- anywhere ---- */

/* Whether a frame of marks may begin with these bytes, behind which `left` are left of the file. */
static int may_begin(const uint8_t *bytes, uint64_t left)
{
    uint32_t length = flsi_load_le32(bytes);
    return is_length(length) && length <= left - FLSI_MARKS_HEADER_BYTES &&
           flsi_record_is_known(bytes[FLSI_MARKS_HEADER_BYTES]);
}

fls_status flsi_marks_file_find(flsi_marks_file *marks, uint64_t from, uint64_t to, uint64_t end,
                                uint64_t *at, fls_error *err)
{
    const size_t least = FLSI_MARKS_HEADER_BYTES + FLSI_RECORD_BYTES;
    uint64_t hashed = 0;
    uint64_t place = (from + FRAME_STEP - 1) / FRAME_STEP * FRAME_STEP;
    for (; place < to && place < end && end - place >= least; place += FRAME_STEP) {
        const uint8_t *bytes;
        const uint8_t *records;
        size_t size;
        uint64_t next;
        fls_status status = get(marks, place, least, &bytes, err);
        if (status != FLS_OK) {
            return status;
        }
        if (!may_begin(bytes, end - place)) {
            continue;
        }
        hashed += flsi_load_le32(bytes);
        if (hashed > HASHED_AT_MOST + FLSI_MARKS_FRAME_BYTES) {
            return FLS_NEED_MORE;
        }
        status = flsi_marks_file_frame(marks, place, &records, &size, &next, err);
        if (status == FLS_OK) {
            *at = place;
        }
        if (status != FLS_END && fls_status_class_of(status) != FLS_CLASS_DAMAGE) {
            return status;
        }
    }
    return FLS_END;
}

/* ---- the end ---- */

/* A place to begin at, and what is known by the frames from there on. */
typedef struct near_end {
    uint64_t from; /* UINT64_MAX: none yet */
    uint64_t ordinal;
    unsigned durables; /* frames with a durable mark above ordinal */
    int closed;        /* behind one of them a writer said that it had synced all of it */
} near_end;

static void take_frame(near_end *near, uint64_t at, const uint8_t *records, size_t size)
{
    int durable = 0;
    for (size_t used; size > 0; records += used, size -= used) {
        flsi_record record = {0};
        used = flsi_record_bytes(records, size);
        if (records[0] != FLSI_RECORD_OFFSET && records[0] != FLSI_RECORD_DURABLE &&
            records[0] != FLSI_RECORD_SEAL) {
            continue;
        }
        if (flsi_record_decode(&record, records, size, &used, NULL) != FLS_OK) {
            return;
        }
        if (record.type == FLSI_RECORD_OFFSET && near->from == UINT64_MAX && record.time_ns != 0) {
            near->from = at;
            near->ordinal = record.ordinal;
        }
        durable |= record.type == FLSI_RECORD_DURABLE && near->from != UINT64_MAX &&
                   record.ordinal > near->ordinal;
        near->closed |= record.type == FLSI_RECORD_SEAL && record.flags == FLSI_SEAL_CLOSED &&
                        near->durables > 0;
    }
    near->durables += durable ? 1 : 0;
}

/* As flsi_marks_file_near_end, by what is from a frame on. *from 0: too little. */
static fls_status look_from(flsi_marks_file *marks, uint64_t at, uint64_t *from, fls_error *err)
{
    near_end near = {.from = UINT64_MAX};
    *from = 0;
    for (;;) {
        const uint8_t *records;
        size_t size;
        uint64_t next;
        fls_status status = flsi_marks_file_frame(marks, at, &records, &size, &next, err);
        if (status == FLS_END || fls_status_class_of(status) == FLS_CLASS_DAMAGE) {
            return FLS_OK;
        }
        if (status != FLS_OK) {
            return status;
        }
        if (near.from != UINT64_MAX || records[0] == FLSI_RECORD_OFFSET) {
            take_frame(&near, at, records, size);
        }
        if (near.durables >= SYNCED_FRAMES || near.closed) {
            *from = near.from;
            return FLS_OK;
        }
        at = next;
    }
}

fls_status flsi_marks_file_near_end(flsi_marks_file *marks, uint64_t end, uint64_t *from,
                                    fls_error *err)
{
    *from = 0;
    for (uint64_t bytes = END_BYTES; bytes < end && *from == 0; bytes *= END_MORE) {
        uint64_t at;
        fls_status status = flsi_marks_file_find(marks, end - bytes, end, end, &at, err);
        if (status == FLS_OK) {
            status = look_from(marks, at, from, err);
        }
        if (status != FLS_OK && status != FLS_END && status != FLS_NEED_MORE) {
            return status;
        }
    }
    return FLS_OK;
}
