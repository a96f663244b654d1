/* Compressed segments: whatever the file is, what opens can be read or is refused, a place at a
 * time as the whole in a row, and what is read twice is the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/journal_zstd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEP = 1000, STEPS_MAX = 64 };

static void require(int holds)
{
    if (!holds) {
        abort();
    }
}

static void read_it(flsi_zstd_reader *reader)
{
    uint64_t bytes = flsi_zstd_bytes(reader);
    uint64_t stride = bytes / STEPS_MAX + 1;
    uint8_t once[STEP];
    uint8_t again[STEP];
    size_t got;
    size_t got_again;
    for (uint64_t at = 0; at < bytes; at += stride) {
        fls_status st = flsi_zstd_read_at(reader, at, once, sizeof once, &got, NULL);
        if (st != FLS_OK) {
            require(got == 0 && st != FLS_END);
            continue;
        }
        require(got > 0 && got <= sizeof once && got <= bytes - at);
        (void)flsi_zstd_read_at(reader, bytes - 1 - at, again, sizeof again, &got_again, NULL);
        require(flsi_zstd_read_at(reader, at, again, got, &got_again, NULL) == FLS_OK);
        require(got_again == got && memcmp(once, again, got) == 0);
    }
    require(flsi_zstd_read_at(reader, bytes, once, sizeof once, &got, NULL) == FLS_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *stream = tmpfile();
    flsi_file file;
    flsi_zstd_reader *reader;
    if (stream == NULL) {
        return 0;
    }
    require(size == 0 || fwrite(data, size, 1, stream) == 1);
    require(fflush(stream) == 0);
    require(flsi_file_from_fd(&file, fileno(stream), 0, NULL, NULL) == FLS_OK);
    if (flsi_zstd_open(&reader, &file, fls_allocator_libc(), NULL) == FLS_OK) {
        read_it(reader);
        flsi_zstd_close(reader);
    }
    require(flsi_file_close(&file, NULL) == FLS_OK);
    (void)fclose(stream);
    return 0;
}
