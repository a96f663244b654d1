/* Several threads on one stream against one reader: the same messages in the same order, the same
 * place where something is wrong, and the same end from there on.
 */
#include <stdatomic.h>

#include "flatstream/flatstream.h"
#include "flatstream/parallel.h"
#include "support/damage.h"
#include "support/frames.h"
#include "support/testing.h"

#define PIECE_BYTES ((size_t)64 * 1024)

/* ---- what is read: a line of numbers a message ---- */

typedef struct listing {
    byte_buffer lines;
} listing;

static void note(listing *list, const fls_message *message, uint64_t ordinal)
{
    uint64_t digest = fls_checksum_digest(FLS_CHECKSUM_XXH3, message->payload, message->size);
    bytes_append_le(&list->lines, ordinal, 8);
    bytes_append_le(&list->lines, message->offset, 8);
    bytes_append_le(&list->lines, message->size, 8);
    bytes_append_le(&list->lines, digest, 8);
}

/* ---- a source that several threads may read from at once ---- */

typedef struct shared_bytes {
    const byte_buffer *bytes;
    size_t place;
    int closed;
    _Atomic uint64_t calls; /* of read_at */
    _Atomic uint64_t given; /* bytes by it */
    uint64_t fail_call;     /* and all later ones */
} shared_bytes;

static fls_status give(const shared_bytes *self, uint64_t from, void *buffer, size_t capacity,
                       size_t *got)
{
    if (from >= self->bytes->size) {
        return FLS_END;
    }
    size_t left = self->bytes->size - (size_t)from;
    *got = left < capacity ? left : capacity;
    *got = *got > 3000 ? 3000 : *got;
    memcpy(buffer, self->bytes->data + from, *got);
    return FLS_OK;
}

static fls_status give_next(void *self, void *buffer, size_t capacity, size_t *got, fls_error *err)
{
    shared_bytes *from = self;
    (void)err;
    fls_status status = give(from, from->place, buffer, capacity, got);
    from->place += *got;
    return status;
}

static fls_status give_at(void *self, uint64_t offset, void *buffer, size_t capacity, size_t *got,
                          fls_error *err)
{
    shared_bytes *from = self;
    if (atomic_fetch_add(&from->calls, 1) >= from->fail_call) {
        return fls_error_set(err, FLS_IO, 0, "the disk is gone");
    }
    fls_status status = give(from, offset, buffer, capacity, got);
    atomic_fetch_add(&from->given, *got);
    return status;
}

static fls_status tell_size(void *self, uint64_t *bytes, fls_error *err)
{
    (void)err;
    *bytes = ((const shared_bytes *)self)->bytes->size;
    return FLS_OK;
}

static void note_closing(void *self)
{
    ((shared_bytes *)self)->closed++;
}

static const fls_source_ops shared_ops = {sizeof shared_ops, 0,         give_next,   NULL,
                                          give_at,           tell_size, note_closing};

/* ---- work ---- */

typedef struct piece_result {
    byte_buffer offsets; /* of messages, in order, and their digests */
    uint64_t messages;
    int ordinals_are_wrong;
} piece_result;

typedef struct gathering {
    listing all;
    uint64_t refuse_from;
    uint64_t fail_collect; /* the collect that fails; UINT64_MAX: none */
    uint64_t fail_make;
    uint64_t made;
    uint64_t live;
    uint64_t collected;
    uint64_t expected_from;
} gathering;

static void *make(void *self)
{
    gathering *g = self;
    if (g->made++ == g->fail_make) {
        return NULL;
    }
    g->live++;
    return calloc(1, sizeof(piece_result));
}

static void dispose(void *self, void *result)
{
    gathering *g = self;
    piece_result *piece = result;
    g->live--;
    bytes_free(&piece->offsets);
    free(piece);
}

static void begin(void *self, void *result)
{
    piece_result *piece = result;
    (void)self;
    bytes_clear(&piece->offsets);
    piece->messages = 0;
}

static fls_status take(void *self, void *result, const fls_message *messages, size_t count,
                       size_t *taken, fls_error *err)
{
    const gathering *g = self;
    piece_result *piece = result;
    listing list = {piece->offsets};
    fls_status status = FLS_OK;
    for (*taken = 0; *taken < count; ++*taken) {
        const fls_message *message = &messages[*taken];
        if (message->offset >= g->refuse_from) {
            status = fls_error_set(err, FLS_VALIDATION_FAILED, 0, "not this one");
            break;
        }
        piece->ordinals_are_wrong |= message->ordinal != piece->messages;
        piece->messages++;
        note(&list, message, message->ordinal);
    }
    piece->offsets = list.lines;
    return status;
}

static fls_status collect(void *self, void *result, const fls_parallel_piece *piece, fls_error *err)
{
    gathering *g = self;
    piece_result *from = result;
    assert_int_equal(piece->messages, from->messages);
    assert_false(from->ordinals_are_wrong);
    assert_int_equal(piece->from, g->expected_from);
    g->expected_from = piece->to;
    if (g->collected++ == g->fail_collect) {
        return fls_error_set(err, FLS_NO_SPACE, 0, "no room");
    }
    for (size_t i = 0; i < from->offsets.size; i += 32) { /* ordinals become the stream's */
        uint64_t ordinal;
        memcpy(&ordinal, from->offsets.data + i, 8);
        bytes_append_le(&g->all.lines, piece->first_ordinal + ordinal, 8);
        bytes_append(&g->all.lines, from->offsets.data + i + 8, 24);
    }
    return FLS_OK;
}

static fls_parallel_work work_of(gathering *g)
{
    const fls_parallel_work work = {sizeof work, 0, g, make, dispose, begin, take, collect};
    return work;
}

/* ---- anchors ---- */

typedef enum anchor_kind {
    NO_ANCHORS,
    RIGHT,
    SPARSE,
    SHIFTED,
    ALL_WRONG,
    RUBBISH,
    ANCHOR_KINDS
} anchor_kind;

/* Out of the list of messages: the first in each 64 KiB, as an index has them, or some of them; the
 * same with wrong ones among them; or anything in any order. */
static void make_anchors(byte_buffer *offsets, anchor_kind kind, const listing *list,
                         uint64_t stream_bytes, prng *random)
{
    uint64_t stretch = UINT64_MAX;
    for (size_t i = 0; kind != RUBBISH && i < list->lines.size; i += 32) {
        uint64_t offset;
        memcpy(&offset, list->lines.data + i + 8, 8);
        uint64_t here = offset / (kind == SPARSE ? 50000 : PIECE_BYTES);
        if (here == stretch || (kind == SPARSE && prng_below(random, 4) == 0)) {
            continue;
        }
        stretch = here;
        offset += kind == SHIFTED && prng_below(random, 3) == 0 ? prng_below(random, 400) : 0;
        bytes_append_le(offsets, offset + (kind == ALL_WRONG), 8);
    }
    if (kind == SHIFTED) { /* of what is no longer there */
        bytes_append_le(offsets, stream_bytes + prng_below(random, 2), 8);
        bytes_append_le(offsets, stream_bytes + 100, 8);
    }
    for (int i = 0; kind == RUBBISH && i < 60; i++) {
        uint64_t offset = prng_below(random, 2 * stream_bytes + 1);
        bytes_append_le(offsets, prng_below(random, 20) == 0 ? ~offset : offset, 8);
    }
}

/* ---- the comparison ---- */

typedef struct outcome {
    listing list;
    fls_status status;
    fls_error error;
    fls_recover_report ending;
    fls_reader_position position; /* in the end, with what messages were like */
} outcome;

/* From where the options say to the end or fault, and how the stream ends. */
static void read_on(outcome *out, const byte_buffer *stream, int in_memory,
                    const fls_reader_options *options)
{
    shared_bytes shared = {.bytes = stream, .fail_call = UINT64_MAX};
    fls_source source = {&shared_ops, &shared};
    fls_reader *reader;
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    if (in_memory) {
        assert_int_equal(fls_source_from_memory(&source, stream->data, stream->size, NULL), FLS_OK);
    }
    assert_int_equal(fls_reader_open(&reader, source, options, &err), FLS_OK);
    while ((out->status = fls_reader_next(reader, &message, &out->error)) == FLS_OK) {
        note(&out->list, &message, message.ordinal);
    }
    out->ending = (fls_recover_report)FLS_RECOVER_REPORT_INIT;
    if (out->status != FLS_CHECKSUM_UNPROVEN) {
        assert_int_equal(fls_reader_ending(reader, out->status, &out->error, &out->ending, &err),
                         FLS_OK);
    }
    fls_reader_get_position(reader, &out->position);
    fls_reader_close(reader);
}

static int same_end(const outcome *a, const outcome *b)
{
    const fls_recover_report *x = &a->ending;
    const fls_recover_report *y = &b->ending;
    return a->position.state == b->position.state && a->status == b->status && x->end == y->end &&
           x->frames == y->frames && x->last_good_offset == y->last_good_offset &&
           x->proof_found == y->proof_found && x->proof_offset == y->proof_offset &&
           x->fault.status == y->fault.status && x->fault.offset == y->fault.offset &&
           x->fault.ordinal == y->fault.ordinal;
}

static fls_parallel_report expect_same(const byte_buffer *stream, fls_checksum checksum,
                                       uint32_t threads, int in_memory, anchor_kind kind,
                                       const char *what)
{
    byte_buffer offsets = BYTES_INIT;
    prng random = prng_seeded(stream->size + kind);
    outcome alone = {.list = {BYTES_INIT}};
    outcome rest = {.list = {BYTES_INIT}};
    gathering g = {.refuse_from = UINT64_MAX, .fail_collect = UINT64_MAX, .fail_make = UINT64_MAX};
    shared_bytes shared = {.bytes = stream, .fail_call = UINT64_MAX};
    fls_source source = {&shared_ops, &shared};
    fls_reader_options reading = FLS_READER_OPTIONS_INIT;
    reading.checksum = checksum;
    reading.buffer_bytes = 5000;
    read_on(&alone, stream, in_memory, &reading);

    fls_parallel_options options = FLS_PARALLEL_OPTIONS_INIT;
    options.threads = threads;
    options.piece_bytes = PIECE_BYTES;
    options.reading = &reading;
    make_anchors(&offsets, kind, &alone.list, stream->size, &random);
    const fls_salvage_anchors anchors = {(const uint64_t *)(const void *)offsets.data,
                                         offsets.size / 8};
    options.anchors = kind != NO_ANCHORS ? &anchors : NULL;
    fls_parallel_report report = FLS_PARALLEL_REPORT_INIT;
    fls_parallel_work work = work_of(&g);
    fls_error err = FLS_ERROR_INIT;
    if (in_memory) {
        assert_int_equal(fls_source_from_memory(&source, stream->data, stream->size, NULL), FLS_OK);
    }
    fls_status status = fls_parallel_read(&source, &options, &work, &report, &err);
    fls_source_close(&source);
    assert_int_equal(g.live, 0);
    if (status == FLS_END) {
        rest.status = FLS_END;
        rest.ending = alone.ending; /* a clean end says nothing else */
        rest.position = report.position;
        assert_int_equal(alone.status, FLS_END);
        assert_int_equal(report.position.offset, stream->size);
    } else {
        assert_int_equal(status, FLS_STOPPED);
        reading.checksum =
            report.checksum != FLS_CHECKSUM_DETECT ? report.checksum : reading.checksum;
        reading.position = &report.position;
        rest.list = g.all;
        read_on(&rest, stream, in_memory, &reading);
        g.all = rest.list;
    }
    size_t bytes = alone.list.lines.size; /* without messages there is nothing to compare */
    if (!same_end(&alone, &rest) || g.all.lines.size != bytes ||
        (bytes > 0 && memcmp(g.all.lines.data, alone.list.lines.data, bytes) != 0)) {
        fail_msg("%s, anchors %d: alone %zu messages, %s at %llu, end %d; together %zu, %s at "
                 "%llu, end %d",
                 what, (int)kind, alone.list.lines.size / 32, fls_status_name(alone.status),
                 (unsigned long long)alone.ending.last_good_offset, (int)alone.ending.end,
                 g.all.lines.size / 32, fls_status_name(rest.status),
                 (unsigned long long)rest.ending.last_good_offset, (int)rest.ending.end);
    }
    bytes_free(&alone.list.lines);
    bytes_free(&g.all.lines);
    bytes_free(&offsets);
    return report;
}

/* Streams of some pieces: rooted, opaque or mixed payloads, some frames longer than a piece. */
static void make_stream(byte_buffer *stream, const ref_format *format, prng *random)
{
    size_t target = (size_t)prng_below(random, 6 * PIECE_BYTES);
    unsigned kind = (unsigned)prng_below(random, 4);
    while (stream->size < target) {
        switch (kind) {
        case 0: frames_append_flatbuffers(stream, format, random, 20, 200); break;
        case 1:
            frames_append_random(stream, format, random, (size_t)prng_below(random, 3000));
            break;
        case 2:
            frames_append_flatbuffers(stream, format, random, 60, 100);
            frames_append_random(stream, format, random, 1 + (size_t)prng_below(random, 300));
            break;
        default:
            frames_append_random(
                stream, format, random,
                (size_t)prng_below(random, prng_below(random, 8) == 0 ? 200000 : 900));
            break;
        }
    }
}

static void spoil(byte_buffer *stream, prng *random)
{
    size_t at = (size_t)prng_below(random, stream->size + 1);
    switch (prng_below(random, 6)) {
    case 0: stream->size = at; break;
    case 1: bytes_append_zeros(stream, (size_t)prng_below(random, 100000)); break;
    case 2: /* a run of zeros that spans pieces */
        for (size_t n = (size_t)prng_below(random, 150000); n > 0 && at < stream->size; n--) {
            stream->data[at++] = 0;
        }
        break;
    case 3:
        if (at < stream->size) {
            stream->data[at] ^= (uint8_t)(1u << prng_below(random, 8));
        }
        break;
    case 4: {
        damaged bad = damage_start(stream->data, stream->size);
        for (uint64_t n = 1 + prng_below(random, 4); n > 0; n--) {
            damage_apply(&bad, (damage_kind)prng_below(random, DAMAGE_KINDS), 512, random);
        }
        bytes_clear(stream);
        bytes_append(stream, bad.data, bad.size);
        damage_free(&bad);
        break;
    }
    default: break;
    }
}

static void streams_of_every_kind(void **state)
{
    (void)state;
    char what[100];
    for (uint64_t seed = 0; seed < 160; seed++) {
        prng random = prng_seeded(seed);
        byte_buffer stream = BYTES_INIT;
        ref_format format = {frames_checksums[seed % FRAMES_CHECKSUMS], NULL, 0};
        make_stream(&stream, &format, &random);
        spoil(&stream, &random);
        (void)snprintf(what, sizeof what, "seed %llu, %s", (unsigned long long)seed,
                       fls_checksum_name(format.checksum));
        for (uint32_t threads = 1; threads <= 3; threads++) {
            (void)expect_same(&stream, format.checksum, threads, seed % 2 == 0, NO_ANCHORS, what);
        }
        for (int kind = RIGHT; kind < ANCHOR_KINDS; kind++) {
            (void)expect_same(&stream, format.checksum, 2, seed % 2 == 0, (anchor_kind)kind, what);
        }
        (void)expect_same(&stream, FLS_CHECKSUM_DETECT, 2, seed % 2 != 0,
                          seed % 4 < 2 ? NO_ANCHORS : RIGHT, what);
        bytes_free(&stream);
    }
}

/* A stream inside a payload: guesses find its frames, and are found out. */
static void a_stream_in_a_payload(void **state)
{
    (void)state;
    for (size_t i = 0; i < FRAMES_CHECKSUMS; i++) {
        prng random = prng_seeded(i);
        ref_format format = {frames_checksums[i], NULL, 0};
        byte_buffer inner = BYTES_INIT;
        byte_buffer stream = BYTES_INIT;
        while (inner.size < 5 * PIECE_BYTES / 2) {
            frames_append_flatbuffers(&inner, &format, &random, 30, 60);
        }
        for (int n = 0; n < 3; n++) {
            frames_append_flatbuffers(&stream, &format, &random, 10, 60);
            frames_append(&stream, &format, inner.data, inner.size);
        }
        (void)expect_same(&stream, format.checksum, 3, 1, NO_ANCHORS, "embedded");
        fls_parallel_report guessed =
            expect_same(&stream, format.checksum, 3, 0, NO_ANCHORS, "embedded");
        fls_parallel_report known =
            expect_same(&stream, format.checksum, 3, 0, RIGHT, "embedded, with anchors");
        /* The last piece, in which no frame begins, has to be guessed all the same. */
        assert_true(known.pieces > 3 && known.again <= 1 && guessed.again > known.again);
        bytes_free(&inner);
        bytes_free(&stream);
    }
}

/* Where all anchors are wrong only those pieces are read twice that were under way before the first
 * showed it. */
static void anchors_that_are_all_wrong(void **state)
{
    (void)state;
    prng random = prng_seeded(9);
    const ref_format format = {FLS_CHECKSUM_CRC32, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    while (stream.size < 30 * PIECE_BYTES) {
        frames_append_flatbuffers(&stream, &format, &random, 20, 100);
    }
    fls_parallel_report report =
        expect_same(&stream, FLS_CHECKSUM_CRC32, 2, 0, ALL_WRONG, "all anchors wrong");
    assert_true(report.pieces >= 30 && report.again >= 1 && report.again <= 8);
    report = expect_same(&stream, FLS_CHECKSUM_CRC32, 2, 1, RIGHT, "all anchors right");
    assert_true(report.pieces >= 30 && report.again == 0);
    bytes_free(&stream);
}

static fls_status collect_nothing(void *self, void *result, const fls_parallel_piece *piece,
                                  fls_error *err)
{
    (void)self;
    (void)result;
    (void)piece;
    (void)err;
    return FLS_OK;
}

/* What a reader's position says of the messages before, and a parallel reading's that had an
 * anchor. */
static void expect_same_state(const byte_buffer *stream, uint64_t anchor)
{
    const fls_parallel_work work = {.struct_bytes = sizeof work, .collect = collect_nothing};
    const fls_salvage_anchors anchors = {&anchor, 1};
    fls_source source;
    fls_parallel_options options = FLS_PARALLEL_OPTIONS_INIT;
    fls_parallel_report report = FLS_PARALLEL_REPORT_INIT;
    fls_reader_options reading = FLS_READER_OPTIONS_INIT;
    outcome alone = {.list = {BYTES_INIT}};
    reading.checksum = FLS_CHECKSUM_CRC16;
    read_on(&alone, stream, 1, &reading);
    options.threads = 2;
    options.piece_bytes = PIECE_BYTES;
    options.reading = &reading;
    options.anchors = &anchors;
    assert_int_equal(fls_source_from_memory(&source, stream->data, stream->size, NULL), FLS_OK);
    assert_int_equal(fls_parallel_read(&source, &options, &work, &report, NULL), FLS_END);
    fls_source_close(&source);
    assert_int_equal(report.again, 0);
    assert_int_equal(report.position.state, alone.position.state);
    bytes_free(&alone.list.lines);
}

/* One message that begins unlike a FlatBuffer, where a piece begins: a reader looks at the first
 * message in each 64 KiB, and at no other there. */
static void what_messages_are_like(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 120;
         seed++) { /* some of them end a batch where the piece ends */
        int is_first = seed % 8 != 0;
        prng random = prng_seeded(seed);
        const ref_format format = {FLS_CHECKSUM_CRC16, NULL, 0};
        byte_buffer stream = BYTES_INIT;
        while (stream.size < 3 * PIECE_BYTES) {
            frames_append_flatbuffers(&stream, &format, &random, 1, 100);
        }
        if (!is_first) {
            frames_append_flatbuffers(&stream, &format, &random, 3, 100);
        }
        uint64_t odd = stream.size;
        frames_append(&stream, &format, "no FlatBuffer", 13);
        while (stream.size < 9 * PIECE_BYTES / 2) {
            frames_append_flatbuffers(&stream, &format, &random, 1, 100);
        }
        expect_same_state(&stream, odd);
        bytes_free(&stream);
    }
}

/* Frames too long to be guessed from a glance: found by their headers, with little more read than
 * the stream is long. */
static void long_frames(void **state)
{
    (void)state;
    for (size_t i = 0; i < FRAMES_CHECKSUMS; i++) {
        prng random = prng_seeded(i);
        const ref_format format = {frames_checksums[i], NULL, 0};
        const fls_parallel_work work = {.struct_bytes = sizeof work, .collect = collect_nothing};
        byte_buffer stream = BYTES_INIT;
        while (stream.size < 40 * PIECE_BYTES) {
            frames_append_random(&stream, &format, &random,
                                 20000 + (size_t)prng_below(&random, 150000));
        }
        (void)expect_same(&stream, format.checksum, 2, 0, NO_ANCHORS, "long frames");
        shared_bytes shared = {.bytes = &stream, .fail_call = UINT64_MAX};
        const fls_source source = {&shared_ops, &shared};
        fls_parallel_options options = FLS_PARALLEL_OPTIONS_INIT;
        fls_parallel_report report = FLS_PARALLEL_REPORT_INIT;
        fls_reader_options reading = FLS_READER_OPTIONS_INIT;
        reading.checksum = format.checksum;
        options.threads = 2;
        options.piece_bytes = 4 * PIECE_BYTES;
        options.reading = &reading;
        assert_int_equal(fls_parallel_read(&source, &options, &work, &report, NULL), FLS_END);
        assert_true(report.again <= 1);
        assert_in_range(shared.given, stream.size, stream.size + stream.size / 2);
        bytes_free(&stream);
    }
}

/* ---- what goes wrong ---- */

/* An allocator for several threads, of which one call fails. */
typedef struct failing_memory {
    fls_allocator table;
    _Atomic uint64_t calls;
    uint64_t fail_call;
} failing_memory;

static void *resize(void *self, void *memory, size_t old_bytes, size_t new_bytes)
{
    failing_memory *from = self;
    (void)old_bytes;
    return atomic_fetch_add(&from->calls, 1) == from->fail_call ? NULL : realloc(memory, new_bytes);
}

static void release(void *self, void *memory, size_t bytes)
{
    (void)self;
    (void)bytes;
    free(memory);
}

static void make_plain(byte_buffer *stream)
{
    prng random = prng_seeded(5);
    const ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    while (stream->size < 6 * PIECE_BYTES) {
        frames_append_flatbuffers(stream, &format, &random, 20, 100);
    }
}

static fls_status run(const byte_buffer *stream, gathering *g, const fls_allocator *allocator,
                      uint64_t fail_call, fls_parallel_report *report, fls_error *err)
{
    shared_bytes shared = {.bytes = stream, .fail_call = fail_call};
    fls_source source = {&shared_ops, &shared};
    fls_reader_options reading = FLS_READER_OPTIONS_INIT;
    fls_parallel_options options = FLS_PARALLEL_OPTIONS_INIT;
    fls_parallel_work work = work_of(g);
    reading.allocator = allocator;
    reading.buffer_bytes = 4096;
    options.threads = 2;
    options.piece_bytes = PIECE_BYTES;
    options.reading = &reading;
    fls_status status = fls_parallel_read(&source, &options, &work, report, err);
    assert_int_equal(shared.closed, 0); /* it is the caller's */
    assert_int_equal(g->live, 0);
    bytes_free(&g->all.lines);
    return status;
}

static void refusals_and_failures(void **state)
{
    (void)state;
    byte_buffer stream = BYTES_INIT;
    make_plain(&stream);
    fls_error err = FLS_ERROR_INIT;
    fls_parallel_report report = FLS_PARALLEL_REPORT_INIT;
    const gathering fresh = {
        .refuse_from = UINT64_MAX, .fail_collect = UINT64_MAX, .fail_make = UINT64_MAX};

    gathering g = fresh;
    assert_int_equal(run(&stream, &g, NULL, UINT64_MAX, &report, &err), FLS_END);
    uint64_t all = report.messages;
    assert_true(report.pieces >= 6 && report.again == 0);

    g = fresh; /* a refused message: everything before it, nothing behind */
    g.refuse_from = 3 * PIECE_BYTES + 1000;
    assert_int_equal(run(&stream, &g, NULL, UINT64_MAX, &report, &err), FLS_STOPPED);
    assert_true(report.messages < all && report.position.offset >= g.refuse_from);
    assert_true(report.position.offset < g.refuse_from + 400);
    assert_int_equal(report.position.ordinal, report.messages);

    g = fresh; /* the collector ends it */
    g.fail_collect = 2;
    assert_int_equal(run(&stream, &g, NULL, UINT64_MAX, &report, &err), FLS_NO_SPACE);
    assert_string_equal(err.text, "no room");
    assert_int_equal(report.pieces, 2);

    for (uint64_t n = 0; n < 6; n++) { /* no memory for a result */
        g = fresh;
        g.fail_make = n;
        assert_int_equal(run(&stream, &g, NULL, UINT64_MAX, &report, &err), FLS_NO_MEMORY);
    }
    for (uint64_t n = 0; n < 300; n += 7) { /* the source fails */
        g = fresh;
        fls_status status = run(&stream, &g, NULL, n, &report, &err);
        assert_true(status == FLS_IO || (status == FLS_END && n > 200));
        assert_true(status == FLS_END || strcmp(err.text, "the disk is gone") == 0);
    }
    for (uint64_t n = 0; n < 40; n++) { /* memory runs out */
        failing_memory memory = {{resize, release, &memory}, 0, n};
        g = fresh;
        fls_status status = run(&stream, &g, &memory.table, UINT64_MAX, &report, &err);
        assert_true(status == FLS_NO_MEMORY || (status == FLS_END && n > 5));
    }
    bytes_free(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_of_every_kind),      cmocka_unit_test(a_stream_in_a_payload),
        cmocka_unit_test(anchors_that_are_all_wrong), cmocka_unit_test(long_frames),
        cmocka_unit_test(what_messages_are_like),     cmocka_unit_test(refusals_and_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
