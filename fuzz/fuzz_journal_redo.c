/* Any bytes as a redo log: entries lie in it one behind another, and what an entry is said to have
 * lies in it. Checksums are put right when the first byte is odd.
 */
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "flatstream/frame.h"
#include "journal/journal_redo.h"
#include "stream_case.h"

#define HEADER 12u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_right(uint8_t *log, size_t size)
{
    while (size > HEADER && flsi_load_le32(log) <= size - HEADER) {
        size_t length = flsi_load_le32(log);
        uint64_t digest = fls_checksum_digest(FLS_CHECKSUM_XXH3, log + HEADER, length);
        (void)fls_frame_encode_header(log, (uint32_t)length, digest, 8);
        log += HEADER + length;
        size -= HEADER + length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flsi_redo_entry entry;
    size_t used;
    if (size < 1 || size > 65536) {
        return 0;
    }
    uint8_t *log = malloc(size); /* so that a byte read behind the end is noticed */
    STREAM_CASE_CHECK(log != NULL);
    memcpy(log, data + 1, size - 1);
    if ((data[0] & 1) != 0) {
        put_right(log, size - 1);
    }
    uint8_t *exact = realloc(log, size - 1 > 0 ? size - 1 : 1);
    STREAM_CASE_CHECK(exact != NULL);
    uint64_t seen = 0;
    for (size_t at = 0; flsi_redo_decode(&entry, exact + at, size - 1 - at, &used) == FLS_OK;
         at += used) {
        STREAM_CASE_CHECK(used <= size - 1 - at);
        STREAM_CASE_CHECK(entry.frames == exact + at + HEADER + FLSI_REDO_HEADER_BYTES);
        STREAM_CASE_CHECK(entry.marks + entry.marks_bytes == exact + at + used);
        STREAM_CASE_CHECK(entry.proof_bytes <= entry.frames_offset);
        for (size_t i = 0; i < entry.frames_bytes; i++) {
            seen += entry.frames[i];
        }
        for (size_t i = 0; i < entry.marks_bytes; i++) {
            seen += entry.marks[i];
        }
    }
    STREAM_CASE_CHECK(seen <= (uint64_t)255 * size);
    free(exact);
    return 0;
}
