/* Salvage with several threads: whatever their number and wherever a piece begins, a salvager hands
 * out what it does with one, for the same reasons, and comes to the same state, down to what is
 * left in its purse; of sound streams, of damage of every kind, and of bytes made to be bad. */
#include "stream/salvage_private.h"

#include "support/counting_allocator.h"
#include "support/salvage_oracle.h"
#include "support/testing.h"

#define PIECES 5

static const uint32_t threads_of[PIECES] = {2, 3, 7, 3, 2};
static const size_t piece_of[PIECES] = {3000, 700, 16384, 131, (size_t)3 * 1024 * 1024};

/* ---- a source that several threads may read ---- */

typedef struct shared_bytes {
    const uint8_t *data;
    size_t size;
    uint64_t broken; /* an offset that cannot be read; UINT64_MAX: none */
} shared_bytes;

static fls_status read_shared(void *self, uint64_t offset, void *buffer, size_t capacity,
                              size_t *got, fls_error *err)
{
    const shared_bytes *of = self;
    *got = 0;
    if (offset >= of->size) {
        return FLS_END;
    }
    if (offset <= of->broken && of->broken - offset < capacity) {
        return fls_error_set(err, FLS_IO, 5, "a bad sector");
    }
    *got = of->size - (size_t)offset < capacity ? of->size - (size_t)offset : capacity;
    memcpy(buffer, of->data + (size_t)offset, *got);
    return FLS_OK;
}

static fls_status size_of_shared(void *self, uint64_t *bytes, fls_error *err)
{
    const shared_bytes *of = self;
    (void)err;
    *bytes = of->size;
    return FLS_OK;
}

static const fls_source_ops shared_ops = {sizeof shared_ops, 0,   NULL, NULL, read_shared,
                                          size_of_shared,    NULL};

/* ---- all that a salvager says, as bytes ---- */

static void log_number(byte_buffer *log, uint64_t number)
{
    bytes_append_le(log, number, 8);
}

static void log_fault(byte_buffer *log, const fls_error *fault)
{
    log_number(log, fault->status);
    log_number(log, fault->known);
    log_number(log, fault->checksum_width);
    log_number(log, fault->offset);
    log_number(log, fault->ordinal);
    log_number(log, fault->expected);
    log_number(log, fault->computed);
    log_number(log, fault->declared_bytes);
    log_number(log, fault->limit_bytes);
    bytes_append(log, fault->text, strlen(fault->text) + 1);
}

/* How messages are grouped in events is all that may differ. */
static void log_event(byte_buffer *log, const fls_salvage_event *event)
{
    for (size_t i = 0; i < event->count; i++) {
        const fls_message *message = &event->messages[i];
        log_number(log, event->kind);
        log_number(log, event->repair);
        log_number(log, message->ordinal);
        log_number(log, message->offset);
        log_number(log, message->size);
        log_number(log, message->checksum);
        bytes_append(log, message->payload, message->size);
    }
    if (event->count > 0 && event->kind != FLS_SALVAGE_REPAIRED) {
        return;
    }
    log_number(log, event->kind);
    log_number(log, event->loss);
    log_number(log, event->gave_up);
    log_number(log, event->from);
    log_number(log, event->to);
    log_number(log, event->frames);
    if (event->kind != FLS_SALVAGE_UNANCHORED) {
        log_fault(log, &event->fault);
    }
}

static void log_state(byte_buffer *log, const fls_salvager *salvager)
{
    const fls_salvage_report *report = &salvager->report;
    bytes_append(log, report, sizeof *report);
    log_number(log, (uint64_t)salvager->resync.purse.left);
    log_number(log, salvager->resync.prober.hashed);
    log_number(log, salvager->resync.prober.probes);
    log_number(log, salvager->resync.prober.probe.loads);
    log_number(log, salvager->failed_bytes);
    log_number(log, salvager->walk.largest);
    log_number(log, (uint64_t)salvager->walk.met_empties);
    log_number(log, salvager->distance);
    log_number(log, (uint64_t)salvager->roots_seen);
    log_number(log, salvager->doubted_empties);
}

typedef struct input {
    const uint8_t *data;
    size_t size;
    uint64_t broken;
    fls_salvage_options options;
    int in_memory;
} input;

static byte_buffer salvage(const input *of, uint32_t threads, size_t piece_bytes)
{
    byte_buffer log = BYTES_INIT;
    fls_error err = FLS_ERROR_INIT;
    fls_salvager *salvager;
    fls_salvage_event event;
    fls_salvage_options options = of->options;
    fls_status status;
    shared_bytes shared = {of->data, of->size, of->broken};
    const fls_source source = {&shared_ops, &shared};
    uint64_t at = 0;
    options.threads = threads;
    status = of->in_memory ? fls_salvage_open_memory(&salvager, of->data, of->size, &options, &err)
                           : fls_salvage_open(&salvager, &source, &options, &err);
    assert_status(status, FLS_OK, &err);
    salvager->piece_bytes = piece_bytes;
    while ((status = fls_salvage_next(salvager, &event, &err)) == FLS_OK) {
        assert_int_equal(event.from, at);
        at = event.to;
        log_event(&log, &event);
    }
    assert_int_equal(salvager->ahead != NULL, threads > 1 && salvager->digest.width > 0);
    log_number(&log, status);
    if (status != FLS_END) {
        log_fault(&log, &err);
    }
    log_state(&log, salvager);
    fls_salvage_close(salvager);
    return log;
}

/* With every number of threads, or with each second one. */
static void expect_same(const input *of, const char *what, int first, int step)
{
    byte_buffer alone = salvage(of, 1, 0);
    for (int i = first; i < PIECES && of->size > piece_of[i]; i += step) {
        byte_buffer shared = salvage(of, threads_of[i], piece_of[i]);
        if (alone.size != shared.size || memcmp(alone.data, shared.data, alone.size) != 0) {
            fail_msg("%s: %u threads on pieces of %zu bytes find something else", what,
                     threads_of[i], piece_of[i]);
        }
        bytes_free(&shared);
    }
    bytes_free(&alone);
}

/* ---- damage ---- */

static void damage_of_every_kind(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < SALVAGE_DAMAGES; kind++) {
        for (unsigned checksum = 0; checksum < SALVAGE_CHECKSUMS; checksum++) {
            for (uint64_t seed = 0; seed < SALVAGE_STREAMS; seed++) {
                char what[120];
                input of = {.options = FLS_SALVAGE_OPTIONS_INIT, .broken = UINT64_MAX};
                damaged bad =
                    salvage_damaged(kind, checksum, 500 + seed + kind % 2 * SALVAGE_STREAMS,
                                    &of.options.checksum, &of.options.custom_checksum);
                of.data = bad.data;
                of.size = bad.size;
                of.in_memory = (seed + kind) % 2 == 0;
                of.options.keep_unanchored = kind % 3 == 0;
                of.options.believe_zeros = kind % 5 == 0;
                of.options.hash_per_byte = kind % 4 == 0 ? 1 : 0;
                (void)snprintf(what, sizeof what, "%s, %s, stream %u", salvage_damage_name(kind),
                               salvage_checksum_name(checksum), (unsigned)seed);
                expect_same(&of, what, (int)(seed + checksum) % 2, 2);
                damage_free(&bad);
            }
        }
    }
}

/* ---- streams of other sizes and shapes ---- */

static void with_every_checksum(void (*make)(byte_buffer *stream, const ref_format *format),
                                const char *what)
{
    for (size_t i = 0; i < FRAMES_CHECKSUMS; i++) {
        const ref_format format = {frames_checksums[i], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        make(&stream, &format);
        for (int in_memory = 0; in_memory < 2; in_memory++) {
            input of = {stream.data, stream.size, UINT64_MAX, FLS_SALVAGE_OPTIONS_INIT, in_memory};
            of.options.checksum = format.checksum;
            expect_same(&of, what, 0, 1);
        }
        bytes_free(&stream);
    }
}

static void make_sound(byte_buffer *stream, const ref_format *format)
{
    prng random = prng_seeded(1);
    frames_append_flatbuffers(stream, format, &random, 3000, 300);
}

/* Empty messages here and there, in short runs and in one that fills sectors. */
static void make_empties(byte_buffer *stream, const ref_format *format)
{
    prng random = prng_seeded(2);
    for (int i = 0; i < 1500; i++) {
        frames_append_flatbuffers(stream, format, &random, 1, 60);
        for (uint64_t n = prng_below(&random, 4) == 0 ? prng_below(&random, 5) : 0; n > 0; n--) {
            frames_append(stream, format, "", 0);
        }
        for (int n = 0; i == 700 && n < 900; n++) {
            frames_append(stream, format, "", 0);
        }
    }
}

/* Frames over a megabyte among short ones, hit and whole, and a length that says so. */
static void make_long(byte_buffer *stream, const ref_format *format)
{
    static uint8_t payload[5 * 1024 * 1024];
    prng random = prng_seeded(3);
    prng_fill(&random, payload, sizeof payload);
    frames_append_flatbuffers(stream, format, &random, 400, 300);
    frames_append(stream, format, payload, 1200 * 1024);
    frames_append_flatbuffers(stream, format, &random, 100, 300);
    frames_append(stream, format, payload, sizeof payload);
    stream->data[stream->size - 70000] ^= 1;
    frames_append_flatbuffers(stream, format, &random, 100, 300);
    size_t at = stream->size;
    frames_append_flatbuffers(stream, format, &random, 100, 300);
    stream->data[at + 2] ^= 0x20;
    frames_append(stream, format, payload, sizeof payload);
    frames_append_flatbuffers(stream, format, &random, 100, 300);
    frames_append(stream, format, payload, 70000);
    stream->size -= 7;
}

static void sound_streams(void **state)
{
    (void)state;
    with_every_checksum(make_sound, "sound");
    with_every_checksum(make_empties, "empty messages");
}

static void long_frames(void **state)
{
    (void)state;
    with_every_checksum(make_long, "long frames");
}

/* Bytes of which each could begin a frame, and frames of which the payloads hold streams. */
static void make_bad(byte_buffer *stream, const ref_format *format)
{
    prng random = prng_seeded(4);
    frames_append_flatbuffers(stream, format, &random, 100, 300);
    for (int i = 0; i < 20000; i++) {
        bytes_append_le(stream, prng_below(&random, 40), 4);
    }
    frames_append_flatbuffers(stream, format, &random, 100, 300);
    for (int i = 0; i < 20; i++) {
        byte_buffer inner = BYTES_INIT;
        frames_append_flatbuffers(&inner, format, &random, 30, 300);
        size_t at = stream->size;
        frames_append(stream, format, inner.data, inner.size);
        stream->data[at + 1] ^= (uint8_t)(i % 3 == 0);
        bytes_free(&inner);
    }
}

static void bytes_made_to_be_bad(void **state)
{
    (void)state;
    with_every_checksum(make_bad, "bad bytes");
}

/* ---- what it costs ---- */

typedef struct counted {
    _Atomic uint64_t bytes;
} counted;

static uint64_t count_bytes(void *self, const void *data, size_t size)
{
    counted *of = self;
    uint64_t sum = size;
    of->bytes += size;
    for (size_t i = 0; i < size; i += 61) {
        sum = (sum ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001b3);
    }
    return sum;
}

/* Threads hash what they read, and in vain no more in the long run than that, and a purse. */
static void threads_are_bounded(void **state)
{
    (void)state;
    counted counts = {0};
    const fls_custom_checksum custom = {sizeof custom, 8, "counted", count_bytes, &counts};
    uint64_t hashed[2];
    byte_buffer stream = BYTES_INIT;
    for (uint32_t i = 0; stream.size < (size_t)6 * 1024 * 1024; i++) { /* all are headers */
        bytes_append_le(&stream, 3000 + i % 5 * 512, 4);
    }
    for (uint32_t threads = 1; threads <= 2; threads++) {
        input of = {stream.data, stream.size, UINT64_MAX, FLS_SALVAGE_OPTIONS_INIT, 0};
        of.options.checksum = FLS_CHECKSUM_CUSTOM;
        of.options.custom_checksum = &custom;
        counts.bytes = 0;
        byte_buffer log = salvage(&of, threads, (size_t)256 * 1024);
        bytes_free(&log);
        hashed[threads - 1] = counts.bytes;
    }
    assert_true(hashed[1] > hashed[0]);
    assert_true(hashed[1] - hashed[0] < 3 * stream.size + 2 * ((uint64_t)17 << 20));
    bytes_free(&stream);
}

/* ---- failures ---- */

static void a_source_that_fails(void **state)
{
    (void)state;
    const ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    make_sound(&stream, &format);
    for (uint64_t broken = 0; broken < stream.size; broken += 40001) {
        byte_buffer log[2];
        for (uint32_t i = 0; i < 2; i++) {
            input of = {stream.data, stream.size, broken, FLS_SALVAGE_OPTIONS_INIT, 0};
            log[i] = salvage(&of, 1 + 2 * i, 5000);
        }
        /* One thread reads a whole window ahead, and hands less out before it cannot. */
        assert_true(log[1].size >= log[0].size);
        bytes_free(&log[0]);
        bytes_free(&log[1]);
    }
    bytes_free(&stream);
}

static void no_memory(void **state)
{
    (void)state;
    const ref_format format = {FLS_CHECKSUM_CRC32, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    fls_status status = FLS_NO_MEMORY;
    make_sound(&stream, &format);
    for (uint64_t call = 0; status == FLS_NO_MEMORY; call++) {
        shared_bytes shared = {stream.data, stream.size, UINT64_MAX};
        const fls_source source = {&shared_ops, &shared};
        fls_salvager *salvager = NULL;
        fls_salvage_event event;
        fls_salvage_options options = FLS_SALVAGE_OPTIONS_INIT;
        fls_error err = FLS_ERROR_INIT;
        counting_allocator allocator;
        counting_allocator_init(&allocator);
        allocator.fail_from = call;
        allocator.fail_calls = 1;
        options.threads = 3;
        options.checksum = FLS_CHECKSUM_CRC32;
        options.allocator = &allocator.table;
        status = fls_salvage_open(&salvager, &source, &options, &err);
        if (status == FLS_OK) {
            while ((status = fls_salvage_next(salvager, &event, &err)) == FLS_OK) {
            }
            fls_salvage_close(salvager);
        }
        assert_int_equal(allocator.live_blocks, 0);
        assert_true(call < 100);
    }
    assert_int_equal(status, FLS_END);
    bytes_free(&stream);
}

/* A salvager that is closed before its stream is through. */
static void closed_early(void **state)
{
    (void)state;
    const ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    make_sound(&stream, &format);
    for (int events = 0; events < 20; events += 3) {
        fls_salvager *salvager;
        fls_salvage_event event;
        fls_error err = FLS_ERROR_INIT;
        fls_salvage_options options = FLS_SALVAGE_OPTIONS_INIT;
        options.threads = 3;
        assert_status(fls_salvage_open_memory(&salvager, stream.data, stream.size, &options, &err),
                      FLS_OK, &err);
        salvager->piece_bytes = 4096;
        for (int i = 0; i < events; i++) {
            assert_status(fls_salvage_next(salvager, &event, &err), FLS_OK, &err);
        }
        fls_salvage_close(salvager);
    }
    bytes_free(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(damage_of_every_kind),
                                       cmocka_unit_test(sound_streams),
                                       cmocka_unit_test(long_frames),
                                       cmocka_unit_test(bytes_made_to_be_bad),
                                       cmocka_unit_test(threads_are_bounded),
                                       cmocka_unit_test(a_source_that_fails),
                                       cmocka_unit_test(no_memory),
                                       cmocka_unit_test(closed_early)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
