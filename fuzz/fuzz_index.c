/* Any bytes as the index of any stream: what it says is bounded by what it covers, each place that
 * proves itself has a message of the stream where its number says or is told apart, and going on
 * from it gives an index that opens.
 *
 *   bytes 0..1  how long the index is; then the index, and behind it the stream as in stream_case.h
 *
 * Checksums of frames of the index are put right when bit 15 of the length is set.
 */
#include <stdlib.h>
#include <string.h>

#include "flatstream/index.h"
#include "stream_case.h"
#include "support/faulty_io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t load(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

static void put_right(uint8_t *index, size_t size)
{
    while (size > 12 && load(index) <= size - 12) {
        size_t length = load(index);
        uint64_t digest = fls_checksum_digest(FLS_CHECKSUM_XXH3, index + 12, length);
        (void)fls_frame_encode_header(index, (uint32_t)length, digest, 8);
        index += 12 + length;
        size -= 12 + length;
    }
}

/* Places rise; each that proves itself can be read from, up to the next. */
static void check_places(const fls_index *index, const fls_source *stream,
                         const fls_index_info *info)
{
    fls_reader_position place;
    fls_reader_position before = {0, 0, 0};
    uint64_t time_ns;
    uint64_t last_time_ns = 0;
    fls_salvage_anchors anchors;
    fls_index_anchors(index, &anchors);
    STREAM_CASE_CHECK(anchors.count == info->entries);
    for (uint64_t i = 0; i < info->entries; i++) {
        STREAM_CASE_CHECK(fls_index_entry(index, i, &place, &time_ns) == FLS_OK);
        STREAM_CASE_CHECK(place.offset < info->covered_bytes && place.ordinal < info->messages);
        STREAM_CASE_CHECK(anchors.offsets[i] == place.offset && time_ns >= last_time_ns);
        STREAM_CASE_CHECK(i > 0 ? place.offset > before.offset && place.ordinal > before.ordinal
                                : place.offset == 0 && place.ordinal == 0);
        fls_reader_position found;
        fls_index_find_ordinal(index, place.ordinal, &found);
        STREAM_CASE_CHECK(found.offset == place.offset && found.ordinal == place.ordinal);
        fls_index_find_time(index, time_ns, &found);
        STREAM_CASE_CHECK(found.ordinal <= place.ordinal);
        if (stream != NULL) {
            fls_status status = fls_index_prove(index, stream, &place, 0, NULL);
            STREAM_CASE_CHECK(status == FLS_OK || fls_status_class_of(status) == FLS_CLASS_DAMAGE);
        }
        before = place;
        last_time_ns = time_ns;
    }
    fls_index_find_ordinal(index, UINT64_MAX, &place);
    STREAM_CASE_CHECK(place.offset == info->covered_bytes && place.ordinal == info->messages);
}

/* What was extended has all that was believed, and opens. */
static void extend(const fls_index *index, const fls_source *stream, const fls_index_info *before)
{
    fls_index_options options = FLS_INDEX_OPTIONS_INIT;
    fls_index_info info = FLS_INDEX_INFO_INIT;
    fls_sink sink;
    fls_source made;
    fls_index *again;
    const void *bytes;
    size_t size;
    options.threads = 1;
    STREAM_CASE_CHECK(fls_sink_open_memory(&sink, NULL, NULL) == FLS_OK);
    fls_status status = fls_index_extend(index, stream, &sink, &options, &info, NULL);
    if (status == FLS_OK) {
        STREAM_CASE_CHECK(info.messages >= before->messages && info.entries >= before->entries);
        STREAM_CASE_CHECK(fls_sink_memory(&sink, &bytes, &size) == FLS_OK);
        STREAM_CASE_CHECK(fls_source_from_memory(&made, bytes, size, NULL) == FLS_OK);
        STREAM_CASE_CHECK(fls_index_open(&again, &made, stream, NULL, NULL) == FLS_OK);
        fls_index_info reread = FLS_INDEX_INFO_INIT;
        fls_index_get_info(again, &reread);
        STREAM_CASE_CHECK(reread.messages == info.messages && reread.entries == info.entries);
        STREAM_CASE_CHECK(reread.covered_bytes == info.covered_bytes);
        STREAM_CASE_CHECK(reread.fault.status == FLS_OK && reread.index_bytes == size);
        fls_index_close(again);
        fls_source_close(&made);
    }
    fls_sink_abort(&sink);
}

static void use(const uint8_t *index_bytes, size_t index_size, const uint8_t *stream_bytes,
                size_t stream_size)
{
    faulty_plan plan = FAULTY_PLAN_INIT;
    faulty_source pieces;
    plan.max_piece = 70;
    fls_source source = faulty_source_init(&pieces, &plan, index_bytes, index_size, 1);
    fls_source stream;
    fls_index *index;
    fls_index_info info = FLS_INDEX_INFO_INIT;
    if (fls_index_open(&index, &source, NULL, NULL, NULL) == FLS_OK) {
        fls_index_get_info(index, &info);
        check_places(index, NULL, &info);
        fls_index_close(index);
    }
    STREAM_CASE_CHECK(fls_source_from_memory(&stream, stream_bytes, stream_size, NULL) == FLS_OK);
    if (fls_index_open(&index, &source, &stream, NULL, NULL) == FLS_OK) {
        fls_index_get_info(index, &info);
        STREAM_CASE_CHECK(info.covered_bytes <= stream_size && info.index_bytes <= index_size);
        check_places(index, &stream, &info);
        if (!info.has_times) {
            extend(index, &stream, &info);
        }
        fls_index_close(index);
    }
    fls_source_close(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stream_case input;
    if (size < 2 || size > 16384) {
        return 0;
    }
    size_t length = ((size_t)data[0] | (size_t)(data[1] & 0x7F) << 8) % (size - 1);
    uint8_t *index = malloc(length + 1);
    STREAM_CASE_CHECK(index != NULL);
    memcpy(index, data + 2, length);
    if ((data[1] & 0x80) != 0) {
        put_right(index, length);
    }
    if (stream_case_init(&input, data + 2 + length, size - 2 - length)) {
        use(index, length, input.what.data, input.what.size);
        stream_case_fini(&input);
    }
    free(index);
    return 0;
}
