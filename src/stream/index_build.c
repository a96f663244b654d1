/* Making an index: several threads read the stream, each notes places in its piece, and what they
 * noted is put together in order. Rules and records: index_private.h.
 */
#include "core/options.h"
#include "flatstream/parallel.h"
#include "io/io_ops.h"
#include "stream/index_private.h"

#define WRITE_BYTES       ((size_t)64 * 1024)
#define MOST_LABEL_BYTES  255u
#define RECORDS_OF_A_STEP 8u /* more than are added between two times that room is made */

/* The last bytes of a frame; their digest is made only where a part ends. */
typedef struct frame_end {
    uint8_t bytes[FLSI_PROOF_BYTES];
    uint32_t size;
} frame_end;

/* A message that is the first in its stretch of the stream. What it says of those before it is of
 * its piece. */
typedef struct note {
    uint64_t offset;
    uint64_t time_ns; /* the greatest up to it; 0: none */
    /* Where it is the first of a part, and not of its piece: */
    flsi_index_sum before;
    uint64_t proof;
    uint32_t proof_bytes;
    uint64_t ordinal;
} note;

typedef struct making making;

/* What came of a piece. */
typedef struct piece {
    note *notes;
    size_t count;
    size_t room;
    flsi_index_sum sum; /* its messages and offset too */
    frame_end last;
} piece;

struct making {
    const fls_index_options *options;
    const fls_allocator *allocator;
    uint64_t interval;
    uint32_t width; /* of the checksum, once it is known */
    fls_checksum checksum;
    /* Put together so far: */
    flsi_marks_builder builder;
    const fls_sink *sink;
    int begun; /* the header was written */
    flsi_index_sum sum;
    uint64_t in_parts; /* messages in parts that were ended */
    uint64_t entries;
    uint64_t last_entry;
    uint64_t written;
    uint64_t proof; /* of the last frame */
    uint32_t proof_bytes;
    const char *label;
};

static fls_status no_memory(fls_error *err)
{
    return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to make an index");
}

/* ---- sums ---- */

static void add_message(flsi_index_sum *sum, uint64_t size, uint64_t end, uint64_t time_ns)
{
    sum->smallest = sum->messages == 0 || size < sum->smallest ? size : sum->smallest;
    sum->largest = size > sum->largest ? size : sum->largest;
    sum->messages++;
    sum->offset = end;
    if (time_ns != 0) {
        sum->time_min_ns =
            sum->timed == 0 || time_ns < sum->time_min_ns ? time_ns : sum->time_min_ns;
        sum->time_max_ns = time_ns > sum->time_max_ns ? time_ns : sum->time_max_ns;
        sum->timed++;
    }
}

static flsi_index_sum joined(const flsi_index_sum *a, const flsi_index_sum *b)
{
    flsi_index_sum sum = *a;
    if (b->messages == 0) {
        return sum;
    }
    sum.smallest = a->messages == 0 || b->smallest < a->smallest ? b->smallest : a->smallest;
    sum.largest = b->largest > a->largest ? b->largest : a->largest;
    sum.messages += b->messages;
    sum.offset = b->offset;
    if (b->timed > 0) {
        sum.time_min_ns =
            a->timed == 0 || b->time_min_ns < a->time_min_ns ? b->time_min_ns : a->time_min_ns;
        sum.time_max_ns = b->time_max_ns > a->time_max_ns ? b->time_max_ns : a->time_max_ns;
        sum.timed += b->timed;
    }
    return sum;
}

/* ---- a piece, on a thread of its own ---- */

static void *make_piece(void *self)
{
    const making *m = self;
    piece *made = m->allocator->resize(m->allocator->self, NULL, 0, sizeof *made);
    if (made != NULL) {
        memset(made, 0, sizeof *made);
    }
    return made;
}

static void dispose_piece(void *self, void *result)
{
    const making *m = self;
    piece *from = result;
    if (from->notes != NULL) {
        m->allocator->free(m->allocator->self, from->notes, from->room * sizeof *from->notes);
    }
    m->allocator->free(m->allocator->self, from, sizeof *from);
}

static void begin_piece(void *self, void *result)
{
    piece *from = result;
    (void)self;
    from->count = 0;
    from->sum = (flsi_index_sum){0};
    from->last.size = 0;
}

static fls_status make_room(const making *m, piece *to, fls_error *err)
{
    if (to->count < to->room) {
        return FLS_OK;
    }
    size_t room = to->room == 0 ? 128 : to->room * 2;
    note *notes = m->allocator->resize(m->allocator->self, to->notes, to->room * sizeof *notes,
                                       room * sizeof *notes);
    if (notes == NULL) {
        return no_memory(err);
    }
    to->notes = notes;
    to->room = room;
    return FLS_OK;
}

/* The last bytes of a message's frame. */
static void keep_end(const making *m, frame_end *end, const fls_message *message)
{
    uint8_t header[FLS_MAX_HEADER_BYTES];
    size_t bytes =
        fls_frame_encode_header(header, (uint32_t)message->size, message->checksum, m->width);
    size_t tail = message->size < FLSI_PROOF_BYTES ? message->size : FLSI_PROOF_BYTES;
    size_t of_header = FLSI_PROOF_BYTES - tail < bytes ? FLSI_PROOF_BYTES - tail : bytes;
    memcpy(end->bytes, header + (bytes - of_header), of_header);
    if (tail > 0) {
        memcpy(end->bytes + of_header, (const uint8_t *)message->payload + (message->size - tail),
               tail);
    }
    end->size = (uint32_t)(of_header + tail);
}

static fls_status add_note(const making *m, piece *to, const fls_message *message,
                           const fls_message *previous, uint64_t time_ns, fls_error *err)
{
    uint64_t part_bytes = m->interval * FLSI_INDEX_PART;
    fls_status status = make_room(m, to, err);
    if (status != FLS_OK) {
        return status;
    }
    note *made = &to->notes[to->count];
    *made = (note){.offset = message->offset, .ordinal = to->sum.messages};
    if (to->count > 0 &&
        to->notes[to->count - 1].offset / part_bytes != message->offset / part_bytes) {
        if (previous != NULL) {
            keep_end(m, &to->last, previous);
        }
        made->before = to->sum;
        made->proof = fls_checksum_digest(FLS_CHECKSUM_XXH3, to->last.bytes, to->last.size);
        made->proof_bytes = to->last.size;
    }
    made->time_ns = to->sum.time_max_ns > time_ns ? to->sum.time_max_ns : time_ns;
    to->count++;
    return FLS_OK;
}

static fls_status take(void *self, void *result, const fls_message *messages, size_t count,
                       size_t *taken, fls_error *err)
{
    const making *m = self;
    piece *to = result;
    uint32_t unit = FLS_LENGTH_BYTES + m->width;
    for (*taken = 0; *taken < count; ++*taken) {
        const fls_message *message = &messages[*taken];
        uint64_t time_ns = 0;
        if (m->options->time_of != NULL &&
            !m->options->time_of(m->options->time_self, message, &time_ns)) {
            time_ns = 0;
        }
        if (to->count == 0 ||
            to->notes[to->count - 1].offset / m->interval != message->offset / m->interval) {
            fls_status status =
                add_note(m, to, message, *taken > 0 ? message - 1 : NULL, time_ns, err);
            if (status != FLS_OK) {
                return status;
            }
        }
        add_message(&to->sum, message->size, message->offset + unit + message->size, time_ns);
    }
    if (count > 0) {
        keep_end(m, &to->last, &messages[count - 1]);
    }
    return FLS_OK;
}

/* ---- put together ---- */

/* What is gathered is written, all of it or what is whole frames. */
static fls_status hand_on(making *m, fls_error *err)
{
    fls_status status = fls_sink_write_all(m->sink, m->builder.frames, m->builder.size, NULL, err);
    m->written += m->builder.size;
    flsi_marks_written(&m->builder, m->builder.size);
    return status;
}

static fls_status begin_index(making *m, fls_error *err)
{
    flsi_record header = {.type = FLSI_RECORD_INDEX,
                          .flags = FLSI_INDEX_VERSION,
                          .header_flags = m->options->time_of != NULL ? FLSI_HEADER_TIMES : 0,
                          .value = m->interval};
    flsi_record label = {.type = FLSI_RECORD_LABEL};
    m->begun = 1;
    header.checksum = m->checksum == FLS_CHECKSUM_DETECT ? 0 : (uint8_t)m->checksum;
    fls_status status = flsi_marks_reserve(&m->builder, 2 * RECORDS_OF_A_STEP, 0, err);
    if (status != FLS_OK) {
        return status;
    }
    flsi_marks_add(&m->builder, &header, NULL);
    if (m->options->time_of != NULL && m->label != NULL && m->label[0] != '\0') {
        label.small = (uint32_t)strlen(m->label);
        flsi_marks_add(&m->builder, &label, m->label);
    }
    flsi_marks_close_frame(&m->builder);
    return FLS_OK;
}

/* Ends the part of which the last message is the last of a sum. */
static fls_status end_part(making *m, const flsi_index_sum *sum, uint64_t proof,
                           uint32_t proof_bytes, fls_error *err)
{
    uint64_t unit = FLS_LENGTH_BYTES + m->width;
    flsi_record sizes = {.type = FLSI_RECORD_SIZES,
                         .smallest = sum->smallest,
                         .largest = sum->largest,
                         .value = sum->offset - sum->messages * unit};
    flsi_record span = {.type = FLSI_RECORD_SPAN,
                        .ordinal = sum->timed,
                        .time_ns = sum->time_min_ns,
                        .last_ns = sum->time_max_ns};
    flsi_record durable = {.type = FLSI_RECORD_DURABLE,
                           .small = proof_bytes,
                           .ordinal = sum->messages,
                           .offset = sum->offset,
                           .value = proof};
    fls_status status = flsi_marks_reserve(&m->builder, RECORDS_OF_A_STEP, 0, err);
    if (status != FLS_OK) {
        return status;
    }
    flsi_marks_add(&m->builder, &sizes, NULL);
    if (m->options->time_of != NULL) {
        flsi_marks_add(&m->builder, &span, NULL);
    }
    flsi_marks_add(&m->builder, &durable, NULL);
    flsi_marks_close_frame(&m->builder);
    m->in_parts = sum->messages;
    return m->builder.size >= WRITE_BYTES ? hand_on(m, err) : FLS_OK;
}

static fls_status add_entry(making *m, uint64_t ordinal, uint64_t offset, uint64_t time_ns,
                            fls_error *err)
{
    flsi_record record = {
        .type = FLSI_RECORD_OFFSET, .ordinal = ordinal, .offset = offset, .time_ns = time_ns};
    fls_status status = flsi_marks_reserve(&m->builder, RECORDS_OF_A_STEP, 0, err);
    if (status == FLS_OK) {
        flsi_marks_add(&m->builder, &record, NULL);
        m->last_entry = offset;
        m->entries++;
    }
    return status;
}

/* A place that a piece noted; the part before it ends where it is in another one. */
static fls_status take_note(making *m, const note *made, fls_error *err)
{
    uint64_t part_bytes = m->interval * FLSI_INDEX_PART;
    fls_status status = FLS_OK;
    if (m->entries > 0 && m->last_entry / m->interval == made->offset / m->interval) {
        return FLS_OK; /* pieces that share a stretch */
    }
    if (m->entries > 0 && m->last_entry / part_bytes != made->offset / part_bytes) {
        int own = made->before.messages > 0;
        const flsi_index_sum sum = joined(&m->sum, &made->before);
        status = end_part(m, &sum, own ? made->proof : m->proof,
                          own ? made->proof_bytes : m->proof_bytes, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    uint64_t time_ns = made->time_ns > m->sum.time_max_ns ? made->time_ns : m->sum.time_max_ns;
    return add_entry(m, m->sum.messages + made->ordinal, made->offset, time_ns, err);
}

static fls_status collect(void *self, void *result, const fls_parallel_piece *about, fls_error *err)
{
    making *m = self;
    piece *from = result;
    fls_status status = FLS_OK;
    if (from->sum.messages == 0) {
        return FLS_OK;
    }
    for (size_t i = 0; status == FLS_OK && i < from->count; i++) {
        status = take_note(m, &from->notes[i], err);
    }
    m->sum = joined(&m->sum, &from->sum);
    m->proof = fls_checksum_digest(FLS_CHECKSUM_XXH3, from->last.bytes, from->last.size);
    m->proof_bytes = from->last.size;
    if (m->options->progress != NULL) {
        m->options->progress(m->options->progress_self, about->to);
    }
    return status;
}

/* ---- all of it ---- */

/* The checksum by its proof at the beginning, since frames are hashed with their headers. FLS_END,
 * FLS_OK; or what is wrong with the stream from its first byte on: *fault. */
static fls_status find_checksum(making *m, const fls_source *stream, fls_error *fault,
                                fls_error *err)
{
    fls_reader_options reading = FLS_READER_OPTIONS_INIT;
    fls_source_ops ops;
    fls_source lent = {NULL, NULL};
    fls_reader *reader;
    fls_message message;
    const fls_reader_position start = {0, 0, 0};
    if (m->checksum != FLS_CHECKSUM_DETECT) {
        return FLS_OK;
    }
    reading.checksum = FLS_CHECKSUM_DETECT;
    reading.max_frame_bytes = m->options->max_frame_bytes;
    reading.allocator = m->allocator;
    reading.position = &start;
    fls_status status = flsi_index_lend(stream, &ops, &lent, err);
    if (status == FLS_OK) {
        status = fls_reader_open(&reader, lent, &reading, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    status = fls_reader_next(reader, &message, fault);
    m->checksum = fls_reader_checksum(reader);
    fls_reader_close(reader);
    if (fls_status_class_of(status) == FLS_CLASS_DAMAGE && status != FLS_CHECKSUM_UNPROVEN) {
        return FLS_OK; /* met again */
    }
    if (status != FLS_OK && status != FLS_END && err != NULL) {
        *err = *fault;
    }
    return status;
}

/* What a reader says where the others stopped; FLS_OK in *fault: nothing is wrong. */
static fls_status meet_fault(const making *m, const fls_source *stream,
                             const fls_reader_position *position, fls_error *fault, fls_error *err)
{
    fls_reader_options reading = FLS_READER_OPTIONS_INIT;
    fls_source_ops ops;
    fls_source lent = {NULL, NULL};
    fls_reader *reader;
    fls_message message;
    reading.checksum = m->checksum;
    reading.max_frame_bytes = m->options->max_frame_bytes;
    reading.allocator = m->allocator;
    reading.position = position;
    fls_status status = flsi_index_lend(stream, &ops, &lent, err);
    if (status == FLS_OK) {
        status = fls_reader_open(&reader, lent, &reading, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    status = fls_reader_next(reader, &message, fault);
    fls_reader_close(reader);
    if (status == FLS_OK || status == FLS_END) { /* it grows */
        *fault = (fls_error)FLS_ERROR_INIT;
    } else if (fls_status_class_of(status) != FLS_CLASS_DAMAGE) {
        if (err != NULL) {
            *err = *fault;
        }
        return status;
    }
    return FLS_OK;
}

/* Reads from where m->sum ends. */
static fls_status read_on(making *m, const fls_source *stream, fls_error *fault, fls_error *err)
{
    const fls_parallel_work work = {sizeof work,   0,           m,    make_piece,
                                    dispose_piece, begin_piece, take, collect};
    const fls_reader_position from = {m->sum.offset, m->sum.messages, 0};
    fls_reader_options reading = FLS_READER_OPTIONS_INIT;
    fls_parallel_options options = FLS_PARALLEL_OPTIONS_INIT;
    fls_parallel_report report = FLS_PARALLEL_REPORT_INIT;
    reading.checksum = m->checksum;
    reading.max_frame_bytes = m->options->max_frame_bytes;
    reading.allocator = m->allocator;
    reading.position = &from;
    options.threads = m->options->threads;
    options.reading = &reading;
    m->width = fls_checksum_width(m->checksum);
    fls_status status = fls_parallel_read(stream, &options, &work, &report, err);
    if (status == FLS_STOPPED) {
        status = meet_fault(m, stream, &report.position, fault, err);
    }
    return status == FLS_END ? FLS_OK : status;
}

static fls_status finish(making *m, fls_error *err)
{
    fls_status status = FLS_OK;
    if (m->sum.messages > m->in_parts) {
        status = end_part(m, &m->sum, m->proof, m->proof_bytes, err);
    }
    return status == FLS_OK ? hand_on(m, err) : status;
}

static void tell(const making *m, const fls_error *fault, fls_index_info *info)
{
    fls_index_info made = FLS_INDEX_INFO_INIT;
    made.checksum = m->sum.messages > 0 ? m->checksum : FLS_CHECKSUM_DETECT;
    made.covered_bytes = m->sum.offset;
    made.messages = m->sum.messages;
    made.payload_bytes = m->sum.offset - m->sum.messages * (FLS_LENGTH_BYTES + m->width);
    made.size_min = m->sum.smallest;
    made.size_max = m->sum.largest;
    made.entries = m->entries;
    made.interval_bytes = m->interval;
    made.has_times = m->options->time_of != NULL;
    made.timed = m->sum.timed;
    made.time_min_ns = m->sum.time_min_ns;
    made.time_max_ns = m->sum.time_max_ns;
    made.index_bytes = m->written;
    made.fault = *fault;
    flsi_index_info_out(info, &made);
}

/* The checksum of no messages fits each, and is not said. */
static fls_status make_rest(making *m, const fls_source *stream, fls_index_info *info,
                            fls_error *err)
{
    fls_error fault = FLS_ERROR_INIT;
    fls_status status = find_checksum(m, stream, &fault, err);
    int ended = status == FLS_END;
    fault = (fls_error)FLS_ERROR_INIT;
    if (status == FLS_OK && !m->begun) {
        status = begin_index(m, err);
    } else if (ended && !m->begun) {
        m->checksum = FLS_CHECKSUM_DETECT;
        status = begin_index(m, err);
    }
    if (status == FLS_OK && !ended) {
        status = read_on(m, stream, &fault, err);
    }
    if (status == FLS_OK) {
        status = finish(m, err);
    }
    if (status == FLS_OK) {
        tell(m, &fault, info);
    }
    return status;
}

static fls_status prepare(making *m, fls_index_options *given, const fls_index_options *options,
                          const fls_sink *sink, fls_error *err)
{
    *m = (making){.options = given, .sink = sink};
    fls_status status = flsi_options_read(given, sizeof *given, options, err);
    if (status != FLS_OK) {
        return status;
    }
    if (options == NULL) {
        given->checksum = FLS_CHECKSUM_DETECT;
    }
    m->allocator = given->allocator != NULL ? given->allocator : fls_allocator_libc();
    m->interval = given->interval_bytes != 0 ? given->interval_bytes : FLS_INDEX_INTERVAL_BYTES;
    m->checksum = given->checksum == FLS_CHECKSUM_DEFAULT ? FLS_CHECKSUM_XXH3 : given->checksum;
    m->label = given->label;
    flsi_marks_builder_init(&m->builder, m->allocator);
    if (m->checksum == FLS_CHECKSUM_CUSTOM) {
        return fls_error_set(err, FLS_UNSUPPORTED, 0, "no index of a custom checksum");
    }
    if (m->interval < FLSI_INDEX_LEAST_INTERVAL || m->interval > FLSI_INDEX_MOST_INTERVAL) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "an interval of 64 bytes to 2^48");
    }
    if (m->label != NULL && strlen(m->label) > MOST_LABEL_BYTES) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a label of at most 255 bytes");
    }
    return FLS_OK;
}

fls_status fls_index_build(const fls_source *stream, const fls_sink *sink,
                           const fls_index_options *options, fls_index_info *info, fls_error *err)
{
    fls_index_options given;
    making m;
    fls_status status = prepare(&m, &given, options, sink, err);
    if (status == FLS_OK) {
        status = make_rest(&m, stream, info, err);
    }
    flsi_marks_builder_fini(&m.builder);
    return status;
}

/* Whether the last part has no more entries than one made here, so that it can go on. */
static int can_go_on(const fls_index *old)
{
    size_t count = old->part_count;
    uint64_t before = count > 1 ? old->parts[count - 2].entries : 0;
    return count > 0 && old->parts[count - 1].entries - before <= FLSI_INDEX_PART;
}

/* The old parts again. The last one is left open: it goes on where the next message is in the same
 * stretch, so that the outcome is what making it anew would give. */
static fls_status repeat_old(making *m, const fls_index *old, fls_error *err)
{
    uint64_t entry = 0;
    m->width = fls_checksum_width(m->checksum);
    fls_status status = begin_index(m, err);
    for (size_t i = 0; status == FLS_OK && i < old->part_count; i++) {
        const flsi_index_part *part = &old->parts[i];
        for (; status == FLS_OK && entry < part->entries; entry++) {
            status =
                add_entry(m, old->ordinals[entry], old->offsets[entry], old->times[entry], err);
        }
        m->sum = part->sum;
        m->proof = part->proof;
        m->proof_bytes = part->proof_bytes;
        if (status == FLS_OK && i + 1 < old->part_count) {
            status = end_part(m, &part->sum, part->proof, part->proof_bytes, err);
        }
    }
    return status;
}

fls_status fls_index_extend(const fls_index *old, const fls_source *stream, const fls_sink *sink,
                            const fls_index_options *options, fls_index_info *info, fls_error *err)
{
    fls_index_options given;
    making m;
    fls_status status = prepare(&m, &given, options, sink, err);
    if (status == FLS_OK && (given.time_of != NULL) != (old->has_times != 0)) {
        status = fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                               old->has_times ? "the index has times: how to tell those of "
                                                "further messages?"
                                              : "the index has no times");
    }
    if (status == FLS_OK) {
        m.interval = old->interval_bytes;
        m.label = old->label;
        if (can_go_on(old)) {
            m.checksum = old->checksum;
            status = repeat_old(&m, old, err);
        }
    }
    if (status == FLS_OK) {
        status = make_rest(&m, stream, info, err);
    }
    flsi_marks_builder_fini(&m.builder);
    return status;
}

fls_status fls_index_build_file(const char *path, const char *index_path,
                                const fls_index_options *options, fls_index_info *info,
                                fls_error *err)
{
    static const char extension[] = ".fli";
    const fls_allocator *allocator = fls_allocator_libc();
    size_t room = strlen(path) + sizeof extension;
    char *beside = allocator->resize(allocator->self, NULL, 0, room);
    fls_source stream;
    fls_sink sink = {NULL, NULL};
    if (beside == NULL) {
        return no_memory(err);
    }
    memcpy(beside, path, room - sizeof extension);
    memcpy(beside + (room - sizeof extension), extension, sizeof extension);
    fls_status status = fls_source_open_file(&stream, path, err);
    if (status == FLS_OK) {
        status = fls_sink_open_file_atomic(&sink, index_path != NULL ? index_path : beside, 0, err);
        if (status == FLS_OK) {
            status = fls_index_build(&stream, &sink, options, info, err);
            if (status == FLS_OK) {
                status = fls_sink_close(&sink, err);
            } else {
                fls_sink_abort(&sink);
            }
        }
        fls_source_close(&stream);
    }
    allocator->free(allocator->self, beside, room);
    return status;
}
