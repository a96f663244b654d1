/* The walk over a segment's marks: any bytes, and the same bytes with the checksums of their frames
 * put right, so that a fuzzer need not guess them; whole and in pieces. What is valid is encoded
 * again to the same bytes.
 *
 *   byte 0   bit 0: checksums are put right; the rest is the file
 */
#include <stdlib.h>

#include "flatstream/frame.h"
#include "journal/journal_marks.h"
#include "stream_case.h"
#include "support/frames.h"

#define HEADER_BYTES 12u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void repair(uint8_t *file, size_t size)
{
    for (size_t at = 0; size - at >= HEADER_BYTES;) {
        uint32_t length = flsi_load_le32(file + at);
        if (length > size - at - HEADER_BYTES) {
            return;
        }
        uint64_t digest = fls_checksum_digest(FLS_CHECKSUM_XXH3, file + at + HEADER_BYTES, length);
        (void)fls_frame_encode_header(file + at, length, digest, 8);
        at += HEADER_BYTES + length;
    }
}

/* Looks at all that a record has; returns a digest of it. */
static uint64_t look_at(const flsi_record *record)
{
    uint64_t seen = record->ordinal ^ record->offset ^ record->time_ns;
    if (record->type == FLSI_RECORD_TIMES) {
        flsi_times_walk times;
        uint64_t count = 1;
        flsi_times_begin(&times, record);
        uint64_t last = times.time_ns;
        for (; flsi_times_next(&times); count++) {
            STREAM_CASE_CHECK(times.time_ns >= last);
            last = times.time_ns;
        }
        STREAM_CASE_CHECK(count == record->value && times.next == times.end);
    } else if (record->data != NULL) {
        seen ^= fls_checksum_digest(FLS_CHECKSUM_XXH3, record->data, record->small);
    }
    return seen;
}

static void encodes_again(const flsi_marks_walk *walk, const flsi_record *record, size_t used)
{
    uint8_t again[FLSI_RECORD_BYTES];
    if (record->type < FLSI_RECORD_COMPATIBLE) {
        flsi_record_encode(again, record);
        STREAM_CASE_CHECK(memcmp(again, walk->data + walk->next - used, sizeof again) == 0);
    }
}

/* What the walk says of the file when it is there piece by piece is what it says of the whole. */
static void walk_in_pieces(const uint8_t *file, size_t size, size_t valid_bytes, uint64_t seen)
{
    flsi_marks_walk walk;
    flsi_record record;
    size_t first = size / 2;
    uint64_t in_pieces = 0;
    fls_status status = flsi_marks_walk_begin(&walk, file, first, NULL);
    if (status != FLS_OK) {
        return;
    }
    for (int whole = 0;;) {
        status = flsi_marks_walk_next(&walk, &record, NULL);
        if (status == FLS_OK) {
            in_pieces ^= look_at(&record);
        } else if (!whole && (status == FLS_END || status == FLS_UNEXPECTED_EOF)) {
            whole = 1;
            flsi_marks_walk_continue(&walk, file + walk.valid_bytes, size - walk.valid_bytes);
        } else {
            break;
        }
    }
    STREAM_CASE_CHECK(walk.valid_bytes == valid_bytes && in_pieces == seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flsi_marks_walk walk;
    flsi_record record;
    uint64_t seen = 0;
    if (size < 1) {
        return 0;
    }
    size_t file_bytes = size - 1;
    uint8_t *file = bytes_exact_copy(data + 1, file_bytes);
    if ((data[0] & 1) != 0) {
        repair(file, file_bytes);
    }
    if (flsi_marks_walk_begin(&walk, file, file_bytes, NULL) == FLS_OK) {
        size_t before = walk.next;
        while (flsi_marks_walk_next(&walk, &record, NULL) == FLS_OK) {
            seen ^= look_at(&record);
            encodes_again(&walk, &record,
                          record.data == NULL
                              ? FLSI_RECORD_BYTES
                              : walk.next - (size_t)((record.data - FLSI_RECORD_BYTES) - file));
            STREAM_CASE_CHECK(walk.next > before && walk.valid_bytes <= file_bytes);
            before = walk.next;
        }
        walk_in_pieces(file, file_bytes, walk.valid_bytes, seen);
    }
    free(file);
    return 0;
}
