/* The file of a named cursor: any bytes, and the same with the checksum put right. What is read is
 * written again and read again, and is the same.
 *
 *   byte 0   bit 0: the last member is made anew; the rest is the file
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/journal_cursor.h"
#include "stream_case.h"
#include "support/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void end_with_checksum(byte_buffer *file)
{
    static const char key[] = "  \"xxh3\": \"";
    char line[64];
    for (size_t at = 0; at + sizeof key <= file->size; at++) {
        if (memcmp(file->data + at, key, sizeof key - 1) == 0) {
            file->size = at;
        }
    }
    uint64_t digest = fls_checksum_digest(FLS_CHECKSUM_XXH3, file->data, file->size);
    int length = snprintf(line, sizeof line, "%s%016llx\"\n}\n", key, (unsigned long long)digest);
    bytes_append(file, line, (size_t)length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fls_journal_cursor cursor;
    fls_journal_cursor again;
    char text[FLSI_CURSOR_BYTES];
    byte_buffer file = BYTES_INIT;
    if (size < 1 || size > 4096) {
        return 0;
    }
    bytes_append(&file, data + 1, size - 1);
    if ((data[0] & 1) != 0) {
        end_with_checksum(&file);
    }
    uint8_t *exact = bytes_exact_copy(file.data, file.size);
    if (flsi_cursor_decode(&cursor, (const char *)exact, file.size, NULL) == FLS_OK) {
        size_t length = flsi_cursor_encode(&cursor, text);
        STREAM_CASE_CHECK(length <= sizeof text);
        STREAM_CASE_CHECK(flsi_cursor_decode(&again, text, length, NULL) == FLS_OK);
        STREAM_CASE_CHECK(memcmp(&again, &cursor, sizeof cursor) == 0);
    }
    free(exact);
    bytes_free(&file);
    return 0;
}
