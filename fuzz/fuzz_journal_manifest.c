/* journal.json: any bytes, and the same with the checksum put right. What is read is written again
 * and read again, and is the same.
 *
 *   byte 0   bit 0: the last member is made anew; the rest is the file
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/journal_manifest.h"
#include "stream_case.h"
#include "support/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void end_with_checksum(byte_buffer *file)
{
    static const char key[] = "  \"xxh3\": \"";
    char line[64];
    size_t body = file->size;
    for (size_t at = 0; at + sizeof key <= file->size; at++) {
        if (memcmp(file->data + at, key, sizeof key - 1) == 0) {
            body = at;
        }
    }
    file->size = body;
    uint64_t digest = fls_checksum_digest(FLS_CHECKSUM_XXH3, file->data, body);
    int length = snprintf(line, sizeof line, "%s%016llx\"\n}\n", key, (unsigned long long)digest);
    bytes_append(file, line, (size_t)length);
}

static void must_come_back(const flsi_manifest *manifest)
{
    static char text[256 * 1024];
    static flsi_manifest again;
    size_t size = flsi_manifest_encode(manifest, text, sizeof text);
    STREAM_CASE_CHECK(size <= sizeof text);
    STREAM_CASE_CHECK(flsi_manifest_encode(manifest, text, size - 1) == SIZE_MAX);
    uint8_t *exact = bytes_exact_copy(text, flsi_manifest_encode(manifest, text, sizeof text));
    STREAM_CASE_CHECK(flsi_manifest_decode(&again, (const char *)exact, size, NULL) == FLS_OK);
    STREAM_CASE_CHECK(flsi_manifest_encode(&again, text, sizeof text) == size &&
                      memcmp(text, exact, size) == 0);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static flsi_manifest manifest;
    byte_buffer file = BYTES_INIT;
    if (size < 1 || size > 64 * 1024) {
        return 0;
    }
    bytes_append(&file, data + 1, size - 1);
    if ((data[0] & 1) != 0) {
        end_with_checksum(&file);
    }
    uint8_t *exact = bytes_exact_copy(file.data, file.size);
    if (flsi_manifest_decode(&manifest, (const char *)exact, file.size, NULL) == FLS_OK) {
        must_come_back(&manifest);
    }
    free(exact);
    bytes_free(&file);
    return 0;
}
