/* Telling the checksum of any bytes: no crash, no read beyond them, an answer that fits them, and
 * the reader that detects says the same. */
#include <stdlib.h>

#include "flatstream/reader.h"
#include "flatstream/recover.h"
#include "stream_case.h"
#include "support/faulty_io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* At least one frame that is not empty must hold under what was found. */
static void check_found(const readers_case *what, fls_checksum found)
{
    ref_format format = {found, NULL, what->format.max_frame_bytes};
    STREAM_CASE_CHECK(found >= FLS_CHECKSUM_NONE && found <= FLS_CHECKSUM_XXH3);
    ref_stream read = ref_decode(&format, what->data, what->size);
    STREAM_CASE_CHECK(read.count > 0 || read.end == FLS_CHECKSUM_MISMATCH);
    ref_free(&read);
}

/* A reader over memory has all in sight; one over pieces may decide sooner, and differently. */
static void check_readers(stream_case *input, fls_status status, fls_checksum found)
{
    const readers_case *what = &input->what;
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    options.checksum = FLS_CHECKSUM_DETECT;
    options.max_frame_bytes = what->format.max_frame_bytes;
    fls_reader *reader;
    fls_message message;
    STREAM_CASE_CHECK(fls_reader_open_memory(&reader, what->data, what->size, &options, NULL) ==
                      FLS_OK);
    fls_status first = fls_reader_next(reader, &message, NULL);
    STREAM_CASE_CHECK((first == FLS_CHECKSUM_UNPROVEN) == (status == FLS_CHECKSUM_UNPROVEN));
    STREAM_CASE_CHECK(status != FLS_OK || fls_reader_checksum(reader) == found);
    fls_reader_close(reader);
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.max_piece = 1 + (size_t)prng_below(&input->random, 300);
    faulty_source storage;
    fls_source source = faulty_source_init(&storage, &plan, what->data, what->size, 1);
    STREAM_CASE_CHECK(fls_reader_open(&reader, source, &options, NULL) == FLS_OK);
    while (fls_reader_next(reader, &message, NULL) == FLS_OK) {
    }
    fls_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stream_case input;
    if (stream_case_init(&input, data, size)) {
        const readers_case *what = &input.what;
        fls_checksum found = FLS_CHECKSUM_DEFAULT;
        fls_status status = fls_detect_checksum(what->data, what->size, 1,
                                                what->format.max_frame_bytes, &found, NULL);
        STREAM_CASE_CHECK(status == FLS_OK || status == FLS_END || status == FLS_CHECKSUM_UNPROVEN);
        if (status == FLS_OK) {
            check_found(what, found);
        }
        check_readers(&input, status, found);
        (void)!fls_detect_checksum(what->data, what->size, 0, what->format.max_frame_bytes, &found,
                                   NULL);
        stream_case_fini(&input);
    }
    return 0;
}
