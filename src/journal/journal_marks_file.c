/* Frames of a marks file; see journal_marks_file.h. */
#include "journal/journal_marks_file.h"

#include "flatstream/frame.h"

#define WINDOW_BYTES ((size_t)64 * 1024)
/* What is read at once where frames are so long that most of a window would be passed over. */
#define SHORT_BYTES ((size_t)4096)

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
    size_t capacity = bytes > WINDOW_BYTES ? bytes : WINDOW_BYTES;
    uint8_t *grown =
        marks->allocator->resize(marks->allocator->self, marks->window, marks->capacity, capacity);
    if (grown == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "a window on marks could not be allocated");
    }
    marks->window = grown;
    marks->capacity = capacity;
    return FLS_OK;
}

/* `need` bytes at an offset; FLS_END where there are fewer. What was read once is not read again
 * unless it ended the file, which may have grown. */
static fls_status get(flsi_marks_file *marks, uint64_t at, size_t need, size_t want,
                      const uint8_t **bytes, fls_error *err)
{
    if (marks->file == NULL || marks->file->fd < 0) {
        return FLS_END;
    }
    if (at >= marks->window_offset && at - marks->window_offset <= marks->window_bytes &&
        need <= marks->window_bytes - (at - marks->window_offset)) {
        *bytes = marks->window + (at - marks->window_offset);
        return FLS_OK;
    }
    want = want > need ? want : need;
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

static fls_status read_length(flsi_marks_file *marks, uint64_t at, size_t need, size_t want,
                              const uint8_t **bytes, uint32_t *length, fls_error *err)
{
    fls_status status = get(marks, at, need, want, bytes, err);
    if (status != FLS_OK) {
        return status;
    }
    *length = flsi_load_le32(*bytes);
    if (*length == 0 || *length % FLSI_RECORD_BYTES != 0 || *length > FLSI_MARKS_FRAME_BYTES) {
        return refuse(err, FLS_INVALID_FRAME, at, "a frame of marks has a length that none has");
    }
    return FLS_OK;
}

fls_status flsi_marks_file_frame(flsi_marks_file *marks, uint64_t at, const uint8_t **records,
                                 size_t *size, uint64_t *next, fls_error *err)
{
    const uint8_t *bytes;
    uint32_t length;
    fls_status status =
        read_length(marks, at, FLSI_MARKS_HEADER_BYTES, WINDOW_BYTES, &bytes, &length, err);
    if (status == FLS_OK) {
        status = get(marks, at, FLSI_MARKS_HEADER_BYTES + length, WINDOW_BYTES, &bytes, err);
    }
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

fls_status flsi_marks_file_peek(flsi_marks_file *marks, uint64_t at, flsi_record *record,
                                uint64_t *next, fls_error *err)
{
    const uint8_t *bytes;
    uint32_t length;
    const size_t need = FLSI_MARKS_HEADER_BYTES + FLSI_RECORD_BYTES;
    uint64_t window_end = marks->window_offset + marks->window_bytes;
    int are_long = marks->window_bytes > 0 && at > window_end && at - window_end > SHORT_BYTES;
    size_t want = are_long ? SHORT_BYTES : WINDOW_BYTES;
    fls_status status = read_length(marks, at, need, want, &bytes, &length, err);
    if (status != FLS_OK) {
        return status;
    }
    bytes += FLSI_MARKS_HEADER_BYTES;
    *next = at + FLSI_MARKS_HEADER_BYTES + length;
    *record = (flsi_record){.type = bytes[0]};
    if (bytes[0] == FLSI_RECORD_OFFSET || bytes[0] == FLSI_RECORD_DURABLE ||
        bytes[0] == FLSI_RECORD_SEAL) {
        size_t used;
        return flsi_record_decode(record, bytes, FLSI_RECORD_BYTES, &used, err);
    }
    return FLS_OK;
}
