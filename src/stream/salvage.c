/* Salvage: what is sound is walked over and handed out; where a frame does not hold, what is lost
 * is made as small as can be proven. docs/SALVAGE.md has the rules, which the parts follow by
 * number.
 *
 *     WALK    from a known boundary. A frame that does not hold is examined (F): it is repaired, or
 *             its end is known, and the walk goes on; or else
 *     SEARCH  finds the next proven frame (P). Its chain is scouted until it is anchored (A), and
 *             the walk goes on there; or it is reported, and the search goes on behind it.
 *
 * The purse of resync.h bounds all that is done in vain.
 */
#include "core/bytes.h"
#include "core/cpu.h"
#include "core/digest.h"
#include "core/options.h"
#include "io/io_ops.h"
#include "stream/salvage_private.h"

#define DEFAULT_HASH_PER_BYTE 8u
#define DEFAULT_SEARCH_BYTES  ((uint64_t)1024 * 1024)
#define DETECT_BYTES          ((size_t)1024 * 1024)
/* So many messages say how long others are: what is longer than four times the longest of them, and
 * than this, is not expected to hold frames that are found behind a lost one. */
#define FEW_MESSAGES 16u
#define NEAR_BYTES   ((uint64_t)4 * 1024)

const char *fls_salvage_loss_name(fls_salvage_loss loss)
{
    switch (loss) {
    case FLS_LOSS_PAYLOAD: return "payload";
    case FLS_LOSS_FRAMING: return "framing";
    case FLS_LOSS_TORN_TAIL: return "torn_tail";
    case FLS_LOSS_ZERO_TAIL: return "zero_tail";
    }
    return "unknown";
}

/* ---- opening and closing ---- */

static fls_status read_options(fls_salvage_options *given, const fls_salvage_options *options,
                               fls_error *err)
{
    fls_status status = flsi_options_read(given, sizeof *given, options, err);
    if (status != FLS_OK) {
        return status;
    }
    if (options == NULL) {
        given->checksum = FLS_CHECKSUM_DETECT;
    }
    for (size_t i = 1; i < given->anchors.count; i++) {
        if (given->anchors.offsets[i] < given->anchors.offsets[i - 1]) {
            return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the anchors are not in order");
        }
    }
    if (given->max_frame_bytes == 0) {
        given->max_frame_bytes = FLS_DEFAULT_MAX_FRAME_BYTES;
    }
    if (given->hash_per_byte == 0) {
        given->hash_per_byte = DEFAULT_HASH_PER_BYTE;
    }
    given->allocator = given->allocator != NULL ? given->allocator : fls_allocator_libc();
    return FLS_OK;
}

/* The source's bytes as a view: those in its memory, or those at its offsets. */
static fls_status view_source(flsi_view *view, const fls_source *source,
                              const fls_allocator *allocator, fls_error *err)
{
    memset(view, 0, sizeof *view);
    if (FLSI_SOURCE_HAS(source, borrow)) {
        const void *data;
        size_t size;
        fls_status status = source->ops->borrow(source->self, &data, &size, err);
        if (status == FLS_OK) {
            flsi_view_of_memory(view, data != NULL ? data : "", size, 0);
        }
        return status;
    }
    if (!FLSI_SOURCE_HAS(source, read_at) || !FLSI_SOURCE_HAS(source, size)) {
        return fls_error_set(err, FLS_UNSUPPORTED, 0,
                             "only what can be read at any offset can be salvaged");
    }
    view->source = source;
    view->allocator = allocator;
    return fls_source_size(source, &view->end, err);
}

static uint32_t search_bytes(const fls_salvage_options *options, uint64_t largest)
{
    uint64_t bytes = 4 * largest > DEFAULT_SEARCH_BYTES ? 4 * largest : DEFAULT_SEARCH_BYTES;
    if (options->search_frame_bytes != 0) {
        bytes = options->search_frame_bytes;
    }
    return bytes < options->max_frame_bytes ? (uint32_t)bytes : options->max_frame_bytes;
}

static void start_resync(flsi_resync *resync, const fls_digest_state *digest,
                         const flsi_view *whole, const fls_salvage_options *options)
{
    flsi_resync_init(resync, digest, whole, options->max_frame_bytes, options->hash_per_byte);
    resync->prober.max_frame_bytes = search_bytes(options, 0);
    resync->anchors = options->anchors.offsets;
    resync->anchor_count = options->anchors.count;
}

/* All that needs the checksum. */
static fls_status start_walk(fls_salvager *salvager, fls_error *err)
{
    fls_salvage_options *options = &salvager->options;
    fls_status status = flsi_digest_init(&salvager->digest, options->checksum,
                                         options->custom_checksum, flsi_cpu_features(), err);
    if (status == FLS_OK) {
        salvager->report.checksum = (fls_checksum)salvager->digest.checksum;
        start_resync(&salvager->resync, &salvager->digest, &salvager->whole, options);
        status = flsi_walker_init(&salvager->walk, &salvager->whole, options, err);
    }
    if (status == FLS_OK) {
        status = flsi_walker_init(&salvager->scout, &salvager->whole, options, err);
    }
    if (status == FLS_OK) {
        salvager->distance = salvager->resync.prober.max_frame_bytes;
        salvager->phase = FLSI_PHASE_WALK;
    }
    return status;
}

fls_status fls_salvage_open(fls_salvager **salvager, const fls_source *source,
                            const fls_salvage_options *options, fls_error *err)
{
    fls_salvage_options given;
    *salvager = NULL;
    fls_status status = read_options(&given, options, err);
    if (status != FLS_OK) {
        return status;
    }
    fls_salvager *made = given.allocator->resize(given.allocator->self, NULL, 0, sizeof *made);
    if (made == NULL) {
        (void)fls_error_set(err, FLS_NO_MEMORY, 0, "the salvager could not be allocated");
        return FLS_NO_MEMORY;
    }
    memset(made, 0, sizeof *made);
    made->allocator = given.allocator;
    made->options = given;
    made->source = *source;
    made->report.checksum = FLS_CHECKSUM_DETECT;
    made->share_due = given.threads > 1;
    status = view_source(&made->whole, &made->source, made->allocator, err);
    if (status == FLS_OK && given.checksum != FLS_CHECKSUM_DETECT) {
        status = start_walk(made, err);
    }
    if (status != FLS_OK) {
        fls_salvage_close(made);
        return status;
    }
    made->report.stream_bytes = made->whole.end;
    *salvager = made;
    return FLS_OK;
}

static fls_status lend_memory(void *self, const void **data, size_t *size, fls_error *err)
{
    const flsi_view *memory = self;
    (void)err;
    *data = memory->memory;
    *size = (size_t)memory->end;
    return FLS_OK;
}

fls_status fls_salvage_open_memory(fls_salvager **salvager, const void *data, size_t size,
                                   const fls_salvage_options *options, fls_error *err)
{
    static const fls_source_ops ops = {sizeof ops, 0, NULL, lend_memory, NULL, NULL, NULL};
    flsi_view memory;
    flsi_view_of_memory(&memory, data, size, 0);
    fls_source source = {&ops, &memory};
    fls_status status = fls_salvage_open(salvager, &source, options, err);
    if (status == FLS_OK) {
        (*salvager)->source = (fls_source){NULL, NULL}; /* the view has the bytes */
    }
    return status;
}

void fls_salvage_close(fls_salvager *salvager)
{
    if (salvager == NULL) {
        return;
    }
    flsi_ahead_stop(salvager->ahead);
    flsi_resync_close(&salvager->resync);
    flsi_walker_close(&salvager->walk);
    flsi_walker_close(&salvager->scout);
    flsi_view_close(&salvager->whole);
    salvager->allocator->free(salvager->allocator->self, salvager, sizeof *salvager);
}

/* ---- which checksum (rule D) ---- */

/* The first frame that a search proves, under a checksum. */
static fls_status prove_anywhere(fls_salvager *salvager, fls_checksum checksum, int *proven,
                                 fls_error *err)
{
    fls_digest_state digest;
    flsi_resync resync;
    flsi_candidate found;
    *proven = 0;
    fls_status status = flsi_digest_init(&digest, checksum, NULL, flsi_cpu_features(), err);
    if (status == FLS_OK) {
        start_resync(&resync, &digest, &salvager->whole, &salvager->options);
        status = flsi_proof_find_zeros(&resync.prober, 0, err);
        if (status == FLS_OK) {
            status = flsi_resync_find(&resync, 0, resync.prober.zeros_from, &found, proven, err);
        }
        flsi_resync_close(&resync);
    }
    return status;
}

static fls_status detect(fls_salvager *salvager, fls_error *err)
{
    static const fls_checksum kinds[] = {FLS_CHECKSUM_XXH3, FLS_CHECKSUM_CRC32, FLS_CHECKSUM_CRC16};
    uint64_t end = salvager->whole.end;
    size_t size = end < DETECT_BYTES ? (size_t)end : DETECT_BYTES;
    const uint8_t *bytes = (const uint8_t *)"";
    fls_error unproven = FLS_ERROR_INIT;
    fls_status status = FLS_OK;
    if (size > 0) {
        status = flsi_view_get(&salvager->whole, 0, size, size, &bytes, &size, err);
    }
    if (status != FLS_OK) {
        return status == FLS_END ? fls_error_set(err, FLS_IO, 0, "the stream became shorter")
                                 : status;
    }
    status = fls_detect_checksum(bytes, size, size == end, salvager->options.max_frame_bytes,
                                 &salvager->options.checksum, &unproven);
    if (status == FLS_OK) {
        return start_walk(salvager, err);
    }
    if (status == FLS_END) { /* no messages under any checksum */
        salvager->options.checksum = FLS_CHECKSUM_XXH3;
        status = start_walk(salvager, err);
        salvager->report.checksum = FLS_CHECKSUM_DETECT;
        return status;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        int proven;
        status = prove_anywhere(salvager, kinds[i], &proven, err);
        if (status != FLS_OK) {
            return status;
        }
        if (proven) {
            salvager->options.checksum = kinds[i];
            return start_walk(salvager, err);
        }
    }
    return fls_error_set(err, FLS_CHECKSUM_UNPROVEN, 0,
                         "no frame is proven under crc16, crc32 or xxh3: name the checksum");
}

/* ---- events ---- */

static void make_event(fls_salvage_event *event, fls_salvage_kind kind, uint64_t from, uint64_t to)
{
    memset(event, 0, sizeof *event);
    event->kind = kind;
    event->from = from;
    event->to = to;
}

static void hand_out(fls_salvager *salvager, fls_salvage_event *event, size_t count)
{
    event->messages = salvager->messages;
    event->count = count;
    salvager->report.messages += count;
}

static fls_status lose(fls_salvager *salvager, fls_salvage_event *event, fls_salvage_loss loss,
                       uint64_t to)
{
    make_event(event, FLS_SALVAGE_LOST, salvager->lost_from, to);
    event->loss = loss;
    event->fault = salvager->lost_fault;
    event->gave_up = (uint32_t)(salvager->resync.purse.empty != 0);
    salvager->resync.purse.empty = 0;
    salvager->report.lost_ranges++;
    salvager->report.lost_bytes += to - salvager->lost_from;
    salvager->report.gave_up += event->gave_up;
    return FLS_OK;
}

/* ---- the phases; FLS_NEED_MORE: no event yet ---- */

/* What the search may take for granted, from what was walked over. */
static void learn(fls_salvager *salvager, const fls_message *messages, size_t count)
{
    flsi_prober *prober = &salvager->resync.prober;
    uint64_t largest = salvager->walk.largest;
    prober->max_frame_bytes = search_bytes(&salvager->options, largest);
    salvager->distance = prober->max_frame_bytes;
    if (salvager->options.search_frame_bytes == 0 &&
        salvager->report.messages + count >= FEW_MESSAGES) {
        salvager->distance = 4 * largest > NEAR_BYTES ? 4 * largest : NEAR_BYTES;
    }
    flsi_salvage_learn_roots(salvager, messages, count);
}

static fls_status repair(fls_salvager *salvager, fls_salvage_event *event,
                         const flsi_candidate *frame, fls_salvage_repair how,
                         const fls_error *fault, fls_error *err)
{
    make_event(event, FLS_SALVAGE_REPAIRED, frame->offset, frame->end);
    event->repair = how;
    event->fault = *fault;
    fls_status status = flsi_walker_take(&salvager->walk, frame, salvager->messages, err);
    if (status == FLS_OK) {
        hand_out(salvager, event, 1);
        salvager->report.repaired++;
        salvager->resync.purse.empty = 0;
    }
    return status;
}

static fls_status examine_fault(fls_salvager *salvager, fls_salvage_event *event,
                                const fls_error *fault, fls_error *err)
{
    flsi_walker *walk = &salvager->walk;
    flsi_verdict verdict;
    salvager->met_damage = 1;
    salvager->lost_from = walk->at;
    salvager->lost_fault = *fault;
    salvager->resync.purse.empty = 0;
    if (fault->status == FLS_ZERO_TAIL) {
        walk->at = salvager->whole.end;
        salvager->phase = FLSI_PHASE_END;
        salvager->report.end = FLS_STREAM_ZERO_TAIL;
        return lose(salvager, event, FLS_LOSS_ZERO_TAIL, walk->at);
    }
    fls_status status = flsi_salvage_examine(salvager, walk->at, &verdict, err);
    if (status != FLS_OK) {
        return status;
    }
    switch (verdict.kind) {
    case FLSI_BAD_LENGTH:
        return repair(salvager, event, &verdict.frame, FLS_REPAIR_LENGTH, fault, err);
    case FLSI_BAD_CHECKSUM:
        return repair(salvager, event, &verdict.frame, FLS_REPAIR_CHECKSUM, fault, err);
    case FLSI_LOST_PAYLOAD:
        flsi_walker_go(walk, verdict.frame.end);
        return lose(salvager, event, FLS_LOSS_PAYLOAD, verdict.frame.end);
    default: break;
    }
    salvager->phase = FLSI_PHASE_SEARCH;
    salvager->at_boundary = 1;
    salvager->origin = walk->at;
    salvager->search_from = walk->at + 1;
    return FLS_NEED_MORE;
}

/* Other threads check what is ahead. Without a checksum there is nothing to be checked. */
static fls_status share_out(fls_salvager *salvager, fls_error *err)
{
    flsi_walker *walk = &salvager->walk;
    const flsi_ahead_options options = {.view = &salvager->whole,
                                        .digest = &salvager->digest,
                                        .max_frame_bytes = salvager->options.max_frame_bytes,
                                        .threads = salvager->options.threads,
                                        .from = walk->at,
                                        .largest = walk->largest,
                                        .piece_bytes = salvager->piece_bytes,
                                        .allocator = salvager->allocator};
    salvager->share_due = 0;
    if (salvager->digest.width == 0) {
        return FLS_OK;
    }
    flsi_ahead_stop(salvager->ahead);
    fls_status status = flsi_ahead_start(&salvager->ahead, &options, err);
    walk->ahead = salvager->ahead;
    walk->known_to = walk->at;
    return status;
}

static fls_status walk_on(fls_salvager *salvager, fls_salvage_event *event, fls_error *err)
{
    flsi_walker *walk = &salvager->walk;
    if (FLSI_UNLIKELY(salvager->share_due)) {
        fls_status shared = share_out(salvager, err);
        if (shared != FLS_OK) {
            return shared;
        }
    }
    fls_error fault; /* set where there is one: clearing it for each batch can be measured */
    uint64_t from = walk->at;
    size_t count;
    fls_status status = flsi_walker_next(salvager, walk, salvager->messages, &count, &fault, err);
    if (status == FLS_OK) {
        learn(salvager, salvager->messages, count);
        salvager->share_due =
            walk->ahead != NULL && flsi_ahead_is_short(walk->ahead, walk->largest);
        make_event(event, FLS_SALVAGE_MESSAGES, from, walk->at);
        hand_out(salvager, event, count);
        return FLS_OK;
    }
    if (status == FLS_END) {
        salvager->phase = FLSI_PHASE_END;
        salvager->report.end = FLS_STREAM_CLEAN;
        return FLS_NEED_MORE;
    }
    if (fls_status_class_of(status) != FLS_CLASS_DAMAGE) {
        return status;
    }
    return examine_fault(salvager, event, &fault, err);
}

/* Nothing is proven up to the end. */
static fls_status lose_rest(fls_salvager *salvager, fls_salvage_event *event, fls_error *err)
{
    fls_salvage_loss loss = FLS_LOSS_FRAMING;
    fls_status status = FLS_OK;
    if (salvager->at_boundary) {
        status =
            flsi_salvage_tail(salvager, salvager->lost_from, &salvager->lost_fault, &loss, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    salvager->phase = FLSI_PHASE_END;
    salvager->walk.at = salvager->whole.end;
    salvager->report.end = loss == FLS_LOSS_TORN_TAIL   ? FLS_STREAM_TORN_TAIL
                           : loss == FLS_LOSS_ZERO_TAIL ? FLS_STREAM_ZERO_TAIL
                                                        : FLS_STREAM_DAMAGED;
    return lose(salvager, event, loss, salvager->whole.end);
}

/* F4: whether the frame at the boundary reaches just to the frame that was found. */
static fls_status spans(fls_salvager *salvager, const flsi_candidate *found, flsi_candidate *frame,
                        int *proven, fls_error *err)
{
    uint64_t header = salvager->lost_from + flsi_unit_of(&salvager->digest);
    *proven = 0;
    if (!salvager->at_boundary || salvager->digest.width < 4 || found->offset <= header ||
        found->offset - header > salvager->resync.boundary_bytes) {
        return FLS_OK;
    }
    frame->offset = salvager->lost_from;
    frame->length = (uint32_t)(found->offset - header);
    frame->end = found->offset;
    return flsi_resync_proven(&salvager->resync, frame, proven, err);
}

/* F5: whether the frame at the boundary holds if it ends with the chain that was scouted, or where
 * the next one is that is proven behind it. */
static fls_status holds_chain(fls_salvager *salvager, flsi_candidate *frame, int *proven,
                              fls_error *err)
{
    const flsi_scouted *scouted = &salvager->scouted;
    flsi_candidate next = {scouted->outer_end, 0, 0};
    fls_status status = FLS_OK;
    *proven = scouted->outer_end != 0;
    if (!*proven && !scouted->anchored && salvager->at_boundary) {
        status = flsi_salvage_search(salvager, scouted->to + 1, &next, proven, err);
    }
    return status == FLS_OK && *proven ? spans(salvager, &next, frame, proven, err) : status;
}

static fls_status search_on(fls_salvager *salvager, fls_salvage_event *event, fls_error *err)
{
    flsi_candidate found;
    flsi_candidate spanned;
    int proven;
    fls_status status = flsi_salvage_search(salvager, salvager->search_from, &found, &proven, err);
    if (status == FLS_OK && !proven) {
        return lose_rest(salvager, event, err);
    }
    if (status == FLS_OK) {
        status = spans(salvager, &found, &spanned, &proven, err);
    }
    if (status == FLS_OK && proven) {
        salvager->phase = FLSI_PHASE_WALK;
        return repair(salvager, event, &spanned, FLS_REPAIR_LENGTH, &salvager->lost_fault, err);
    }
    if (status == FLS_OK) {
        status = flsi_salvage_scout(salvager, &found, err);
    }
    if (status == FLS_OK) {
        status = holds_chain(salvager, &spanned, &proven, err);
    }
    if (status == FLS_OK && proven) {
        salvager->phase = FLSI_PHASE_WALK;
        return repair(salvager, event, &spanned, FLS_REPAIR_LENGTH, &salvager->lost_fault, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    flsi_walker_go(&salvager->walk, found.offset);
    salvager->phase = salvager->scouted.anchored ? FLSI_PHASE_WALK : FLSI_PHASE_FOUND;
    if (found.offset == salvager->lost_from) {
        return FLS_NEED_MORE;
    }
    return lose(salvager, event, FLS_LOSS_FRAMING, found.offset);
}

/* The search goes on behind a chain that is not anchored. */
static void leave_chain(fls_salvager *salvager, uint64_t at)
{
    salvager->phase = FLSI_PHASE_SEARCH;
    salvager->at_boundary = 0;
    salvager->lost_from = at;
    salvager->search_from = at + 1;
    salvager->lost_fault = salvager->scouted.fault;
}

static fls_status report_chain(fls_salvager *salvager, fls_salvage_event *event)
{
    const flsi_scouted *scouted = &salvager->scouted;
    salvager->report.unanchored_frames += scouted->frames;
    salvager->report.unanchored_bytes += scouted->to - scouted->from;
    if (salvager->options.keep_unanchored) {
        salvager->phase = FLSI_PHASE_UNANCHORED;
        return FLS_NEED_MORE;
    }
    make_event(event, FLS_SALVAGE_UNANCHORED, scouted->from, scouted->to);
    event->frames = scouted->frames;
    salvager->report.lost_bytes += scouted->to - scouted->from;
    leave_chain(salvager, scouted->to);
    return FLS_OK;
}

/* A walk that kept some of the chain may believe more zeros behind it than when it was scouted. */
static void cut_to_chain(fls_salvager *salvager, fls_salvage_event *event)
{
    flsi_walker *walk = &salvager->walk;
    uint64_t end = salvager->scouted.to;
    size_t count = event->count;
    while (count > 0 && event->messages[count - 1].offset >= end) {
        count--;
    }
    if (count > 0 && count < event->count) {
        size_t given_back = event->count - count;
        walk->cursor.ordinal -= given_back;
        salvager->report.messages -= given_back;
        event->to = event->messages[count].offset;
        event->count = count;
        flsi_walker_go(walk, event->to);
    }
}

/* Messages of a chain that is not anchored, as a walk has them. */
static fls_status keep_chain(fls_salvager *salvager, fls_salvage_event *event, fls_error *err)
{
    if (salvager->walk.at >= salvager->scouted.to) {
        leave_chain(salvager, salvager->walk.at);
        return FLS_NEED_MORE;
    }
    uint64_t origin = salvager->origin;
    fls_status status = walk_on(salvager, event, err);
    if (salvager->phase == FLSI_PHASE_SEARCH) { /* the purse was fuller when it was scouted */
        salvager->at_boundary = 0;
        salvager->origin = origin;
    }
    if (status == FLS_OK && event->kind == FLS_SALVAGE_MESSAGES) {
        cut_to_chain(salvager, event);
        event->kind = FLS_SALVAGE_UNANCHORED;
        event->frames = event->count;
    }
    return status;
}

fls_status fls_salvage_next(fls_salvager *salvager, fls_salvage_event *event, fls_error *err)
{
    fls_status status = FLS_NEED_MORE;
    event->kind = 0;
    while (status == FLS_NEED_MORE) {
        switch (salvager->phase) {
        case FLSI_PHASE_START: status = detect(salvager, err); break;
        case FLSI_PHASE_WALK: status = walk_on(salvager, event, err); break;
        case FLSI_PHASE_SEARCH: status = search_on(salvager, event, err); break;
        case FLSI_PHASE_FOUND: status = report_chain(salvager, event); break;
        case FLSI_PHASE_UNANCHORED: status = keep_chain(salvager, event, err); break;
        default: memset(event, 0, sizeof *event); return FLS_END;
        }
        if (status == FLS_OK && event->kind == 0) {
            status = FLS_NEED_MORE; /* the checksum was found */
        }
    }
    return status;
}

void fls_salvage_get_report(const fls_salvager *salvager, fls_salvage_report *report)
{
    uint32_t bytes = report->struct_bytes;
    if (bytes > sizeof *report) {
        bytes = sizeof *report;
    }
    if (bytes > sizeof report->struct_bytes) {
        memcpy((char *)report + sizeof report->struct_bytes,
               (const char *)&salvager->report + sizeof report->struct_bytes,
               bytes - sizeof report->struct_bytes);
    }
}

void flsi_salvage_work(const fls_salvager *salvager, uint64_t *hashed, uint64_t *probes)
{
    *hashed = salvager->resync.prober.hashed + salvager->failed_bytes;
    *probes = salvager->resync.prober.probes;
}

fls_status fls_salvage_find(const fls_source *source, uint64_t from, uint64_t to,
                            const fls_salvage_options *options, uint64_t *offset, fls_error *err)
{
    fls_salvage_options given;
    fls_digest_state digest;
    flsi_resync resync;
    flsi_view whole;
    flsi_candidate found = {0, 0, 0};
    int proven = 0;
    fls_status status = read_options(&given, options, err);
    if (status == FLS_OK) {
        status = flsi_digest_init(&digest, given.checksum, given.custom_checksum,
                                  flsi_cpu_features(), err);
    }
    if (status == FLS_OK) {
        status = view_source(&whole, source, given.allocator, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    start_resync(&resync, &digest, &whole, &given);
    status = flsi_proof_find_zeros(&resync.prober, from < whole.end ? from : whole.end, err);
    if (status == FLS_OK) {
        to = to < resync.prober.zeros_from ? to : resync.prober.zeros_from;
        status = flsi_resync_find(&resync, from, to, &found, &proven, err);
    }
    flsi_resync_close(&resync);
    flsi_view_close(&whole);
    *offset = found.offset;
    return status == FLS_OK && !proven ? FLS_END : status;
}
