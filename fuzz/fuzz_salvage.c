/* Salvage of any bytes: events tile the stream; each message that is handed out as it stands really
 * stands there and its checksum holds; a repaired one holds with a bit of its length or checksum
 * changed, or with another length that its checksum proves; a sound stream comes back whole; memory
 * and a source at offsets give the same; and the work is bounded. */
#include <stdlib.h>
#include <string.h>

#include "flatstream/salvage.h"
#include "stream/salvage_private.h"
#include "stream_case.h"
#include "support/faulty_io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was handed out, mixed into a number. */
typedef struct trace {
    uint64_t sum;
    uint64_t messages;
    uint64_t lost;
} trace;

static void mix(trace *self, uint64_t value)
{
    self->sum = (self->sum ^ value) * UINT64_C(0x100000001b3);
}

static void check_message(const readers_case *what, const fls_salvage_event *event,
                          const fls_message *message, int at_end)
{
    const uint8_t *bytes = what->data;
    uint32_t width = ref_width(&what->format);
    size_t header = 4 + (size_t)width;
    STREAM_CASE_CHECK(message->offset >= event->from && message->offset + header <= event->to);
    STREAM_CASE_CHECK(message->size <= event->to - message->offset - header);
    const uint8_t *frame = bytes + message->offset;
    size_t length =
        (size_t)frame[0] | (size_t)frame[1] << 8 | (size_t)frame[2] << 16 | (size_t)frame[3] << 24;
    STREAM_CASE_CHECK(message->size == 0 ||
                      memcmp(message->payload, frame + header, message->size) == 0);
    uint64_t stored = 0;
    for (uint32_t i = 0; i < width; i++) {
        stored |= (uint64_t)frame[4 + i] << (8 * i);
    }
    int holds = stored == ref_digest(&what->format, message->payload, message->size);
    if (event->repair == FLS_REPAIR_CHECKSUM) {
        STREAM_CASE_CHECK(length == message->size && !holds);
    } else {
        STREAM_CASE_CHECK(holds);
        STREAM_CASE_CHECK((length == message->size) == (event->repair == 0));
    }
    if (at_end) {
        STREAM_CASE_CHECK(message->offset + header + message->size == event->to);
    }
}

static trace drain(const readers_case *what, fls_salvager *salvager)
{
    trace self = {0, 0, 0};
    uint64_t at = 0;
    fls_salvage_event event;
    fls_status status;
    while ((status = fls_salvage_next(salvager, &event, NULL)) == FLS_OK) {
        STREAM_CASE_CHECK(event.from == at && event.to > at && event.to <= what->size);
        at = event.to;
        mix(&self, event.to);
        mix(&self, event.kind * 16u + event.loss * 4u + event.repair);
        for (size_t i = 0; i < event.count; i++) {
            check_message(what, &event, &event.messages[i], i + 1 == event.count);
            STREAM_CASE_CHECK(event.messages[i].ordinal == self.messages + i);
            mix(&self, event.messages[i].offset);
        }
        self.messages += event.count;
        self.lost += event.kind == FLS_SALVAGE_LOST ||
                     (event.kind == FLS_SALVAGE_UNANCHORED && event.count == 0);
    }
    STREAM_CASE_CHECK(status == FLS_END && at == what->size);
    fls_salvage_report report = FLS_SALVAGE_REPORT_INIT;
    fls_salvage_get_report(salvager, &report);
    STREAM_CASE_CHECK(report.messages == self.messages && report.stream_bytes == what->size);
    uint64_t hashed;
    uint64_t probes;
    flsi_salvage_work(salvager, &hashed, &probes);
    STREAM_CASE_CHECK(hashed <= ((uint64_t)16 << 20) + 17 * (uint64_t)what->size);
    return self;
}

static void salvage_both_ways(stream_case *input, int keep, int believe)
{
    const readers_case *what = &input->what;
    fls_salvage_options options = FLS_SALVAGE_OPTIONS_INIT;
    options.checksum = what->format.checksum;
    options.custom_checksum =
        what->format.checksum == FLS_CHECKSUM_CUSTOM ? what->format.custom : NULL;
    options.max_frame_bytes = what->format.max_frame_bytes;
    options.keep_unanchored = (uint32_t)keep;
    options.believe_zeros = (uint32_t)believe;
    fls_salvager *salvager;
    STREAM_CASE_CHECK(fls_salvage_open_memory(&salvager, what->data, what->size, &options, NULL) ==
                      FLS_OK);
    trace memory = drain(what, salvager);
    fls_salvage_close(salvager);
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.max_piece = 1 + (size_t)prng_below(&input->random, 300);
    faulty_source storage;
    fls_source source =
        faulty_source_init(&storage, &plan, what->data, what->size, prng_next(&input->random));
    STREAM_CASE_CHECK(fls_salvage_open(&salvager, &source, &options, NULL) == FLS_OK);
    trace offsets = drain(what, salvager);
    fls_salvage_close(salvager);
    STREAM_CASE_CHECK(memory.sum == offsets.sum && memory.messages == offsets.messages);
    if (believe) {
        ref_stream wanted = ref_decode(&what->format, what->data, what->size);
        if (wanted.end == FLS_END) {
            STREAM_CASE_CHECK(memory.messages == wanted.count && memory.lost == 0);
        }
        ref_free(&wanted);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stream_case input;
    if (size < 8192 && stream_case_init(&input, data, size)) {
        salvage_both_ways(&input, 0, 1);
        salvage_both_ways(&input, 1, 0);
        stream_case_fini(&input);
    }
    return 0;
}
