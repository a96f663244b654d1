/* Damage of several kinds at once, at random: flipped lengths with a torn end, zeroed sectors, lost
 * and inserted bytes, noise. Whatever recovery then cuts holds no frame that docs/FORMAT.md says
 * can be proven; what it leaves is a sound stream; and it says the same of a file, of memory and of
 * a pipe. */
#include "flatstream/flatstream.h"
#include "support/faulty_io.h"
#include "support/files.h"
#include "support/reference_recovery.h"
#include "support/testing.h"

#define SEEDS 1500u

static char directory[256];

/* Of payloads. */
enum { OPAQUE = 0, FLATBUFFERS = 1, MIXED = 2 };

static void flip_bit(byte_buffer *stream, size_t at, prng *random)
{
    if (at < stream->size) {
        stream->data[at] ^= (uint8_t)(1u << prng_below(random, 8));
    }
}

static void lose_bytes(byte_buffer *stream, size_t at, size_t count)
{
    if (at < stream->size) {
        count = count < stream->size - at ? count : stream->size - at;
        memmove(stream->data + at, stream->data + at + count, stream->size - at - count);
        stream->size -= count;
    }
}

static void insert_noise(byte_buffer *stream, size_t at, prng *random)
{
    uint8_t noise[16];
    size_t count = 1 + (size_t)prng_below(random, sizeof noise);
    prng_fill(random, noise, sizeof noise);
    bytes_append(stream, noise, count);
    memmove(stream->data + at + count, stream->data + at, stream->size - count - at);
    memcpy(stream->data + at, noise, count);
}

static void zero_from(byte_buffer *stream, size_t at, size_t count)
{
    for (size_t i = at; i < stream->size && i - at < count; i++) {
        stream->data[i] = 0;
    }
}

/* One piece of damage. whole knows where the frames were before any of it. */
static void damage(byte_buffer *stream, const ref_stream *whole, prng *random)
{
    size_t at = (size_t)prng_below(random, stream->size + 1);
    size_t frame = whole->messages[prng_below(random, whole->count)].offset;
    switch (prng_below(random, 9)) {
    case 0: flip_bit(stream, at, random); break;
    case 1:
    case 2: flip_bit(stream, frame + (size_t)prng_below(random, 4), random); break;
    case 3: stream->size = at; break;
    case 4: bytes_append_zeros(stream, 1 + (size_t)prng_below(random, 600)); break;
    case 5: bytes_append_zeros(stream, 512 - stream->size % 512); break;
    case 6: zero_from(stream, at / 512 * 512, 512); break;
    case 7: lose_bytes(stream, at, 1 + (size_t)prng_below(random, 40)); break;
    default: insert_noise(stream, at, random); break;
    }
}

/* Where an original frame lies unharmed in the damaged stream; SIZE_MAX when it does not. */
static size_t find_frame(const byte_buffer *damaged, const uint8_t *frame, size_t size)
{
    const uint8_t *found = memmem(damaged->data, damaged->size, frame, size);
    return found == NULL ? SIZE_MAX : (size_t)(found - damaged->data);
}

typedef struct survivors {
    size_t *at; /* of each original frame; SIZE_MAX: gone */
    const ref_stream *whole;
} survivors;

static size_t frame_bytes(const ref_stream *whole, size_t i)
{
    return whole->messages[i].payload + whole->messages[i].size - whole->messages[i].offset;
}

/* How many frames follow each other unharmed, from frame i on. */
static size_t chain_from(const survivors *self, size_t i)
{
    size_t count = 1;
    while (i + count < self->whole->count &&
           self->at[i + count] ==
               self->at[i + count - 1] + frame_bytes(self->whole, i + count - 1)) {
        count++;
    }
    return count;
}

/* The least that docs/FORMAT.md promises to find. */
static int provable(const survivors *self, size_t i, fls_checksum checksum, int flatbuffers,
                    size_t stream_size)
{
    size_t chain = chain_from(self, i);
    size_t last = i + chain - 1;
    int reaches_end = self->at[last] + frame_bytes(self->whole, last) == stream_size;
    if (checksum == FLS_CHECKSUM_NONE) {
        return reaches_end ? chain >= (flatbuffers ? 2 : 3) : chain >= (flatbuffers ? 4 : 8);
    }
    return checksum != FLS_CHECKSUM_CRC16 || reaches_end || flatbuffers || chain >= 2;
}

static void expect_nothing_provable_behind(uint64_t offset, const survivors *self,
                                           fls_checksum checksum, int flatbuffers,
                                           size_t stream_size, uint64_t seed)
{
    for (size_t i = 0; i < self->whole->count; i++) {
        if (self->at[i] != SIZE_MAX && self->at[i] >= offset &&
            provable(self, i, checksum, flatbuffers, stream_size)) {
            fail_msg("seed %llu, %s%s: cut at %llu of %zu, but frame %zu lies sound at %zu",
                     (unsigned long long)seed, fls_checksum_name(checksum),
                     flatbuffers ? "" : " opaque", (unsigned long long)offset, stream_size, i,
                     self->at[i]);
        }
    }
}

static void expect_same_report(const fls_recover_report *a, const fls_recover_report *b,
                               uint64_t seed, const char *way)
{
    if (a->end != b->end || a->last_good_offset != b->last_good_offset) {
        fail_msg("seed %llu: %s at %llu, but %s %s at %llu", (unsigned long long)seed,
                 fls_stream_end_name(a->end), (unsigned long long)a->last_good_offset, way,
                 fls_stream_end_name(b->end), (unsigned long long)b->last_good_offset);
    }
    assert_int_equal(a->frames, b->frames);
    assert_int_equal(a->last_good_offset, b->last_good_offset);
    assert_int_equal(a->payload_bytes, b->payload_bytes);
    assert_int_equal(a->checksum, b->checksum);
    assert_int_equal(a->proof_found, b->proof_found);
    assert_int_equal(a->proof_offset, b->proof_offset);
    assert_int_equal(a->fault.status, b->fault.status);
}

/* From memory, from a file, and from a pipe-like source in pieces. */
static void recover_all_ways(const byte_buffer *damaged, const char *path, fls_checksum checksum,
                             fls_recover_report *report, uint64_t seed)
{
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    options.checksum = checksum;
    fls_error err = FLS_ERROR_INIT;
    uint8_t *exact = bytes_exact_copy(damaged->data, damaged->size);
    assert_status(fls_recover_memory(exact, damaged->size, &options, report, &err), FLS_OK, &err);
    fls_recover_report other = FLS_RECOVER_REPORT_INIT;
    assert_status(fls_recover_file(path, &options, &other, &err), FLS_OK, &err);
    expect_same_report(report, &other, seed, "from a file");
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.max_piece = 1 + (size_t)(seed % 700);
    for (plan.without_random = 0; plan.without_random < 2; plan.without_random++) {
        faulty_source storage;
        fls_source source = faulty_source_init(&storage, &plan, exact, damaged->size, seed);
        assert_status(fls_recover(&source, &options, &other, &err), FLS_OK, &err);
        assert_int_equal(storage.closed, 0);
        expect_same_report(report, &other, seed,
                           plan.without_random ? "from a pipe" : "from a source");
    }
    free(exact);
}

static void cut_and_check(const byte_buffer *damaged, const ref_format *format, int kind,
                          const survivors *left, uint64_t seed)
{
    const char *path = files_join(directory, "damaged.fls");
    files_write(path, damaged->data, damaged->size);
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    recover_all_ways(damaged, path, format->checksum, &report, seed);
    if (damaged->size < 4000) {
        ref_recovery wanted = ref_recover(format, damaged->data, damaged->size);
        if (wanted.end != report.end || (uint32_t)wanted.proven != report.proof_found) {
            fail_msg("seed %llu, %s: %s (proof %u), the reference says %s (%d)",
                     (unsigned long long)seed, fls_checksum_name(format->checksum),
                     fls_stream_end_name(report.end), report.proof_found,
                     fls_stream_end_name(wanted.end), wanted.proven);
        }
        assert_int_equal(report.frames, wanted.frames);
        assert_int_equal(report.last_good_offset, wanted.last_good_offset);
    }
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    options.checksum = format->checksum;
    options.discard_cut = 1;
    fls_recover_report again = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    fls_status status = fls_recover_truncate(path, &options, &again, &err);
    if (status == FLS_OK) {
        expect_same_report(&report, &again, seed, "when cutting");
        assert_int_not_equal(report.end, FLS_STREAM_DAMAGED);
        assert_int_equal(files_size(path), report.last_good_offset);
        if (kind != MIXED) {
            expect_nothing_provable_behind(report.last_good_offset, left, format->checksum,
                                           kind == FLATBUFFERS, damaged->size, seed);
        }
        ref_stream rest = ref_decode(format, damaged->data, (size_t)report.last_good_offset);
        /* Zeros that only the cut frame had proven to be messages may be a tail now. */
        assert_true(rest.end == FLS_END || rest.end == FLS_ZERO_TAIL);
        assert_true(rest.end == FLS_ZERO_TAIL || rest.count == report.frames);
        ref_free(&rest);
    } else {
        assert_int_equal(fls_status_class_of(status), FLS_CLASS_DAMAGE);
        assert_int_equal(files_size(path), damaged->size);
    }
}

static void run_seed(fls_checksum checksum, int kind, uint64_t seed)
{
    ref_format format = {checksum, NULL, 0};
    prng random = prng_seeded(seed);
    byte_buffer stream = BYTES_INIT;
    size_t count = 3 + (size_t)prng_below(&random, 30);
    size_t largest = seed % 10 == 0 ? 3000 : 100;
    for (size_t i = 0; i < count; i++) {
        if (kind == FLATBUFFERS || (kind == MIXED && prng_below(&random, 2) == 0)) {
            frames_append_flatbuffers(&stream, &format, &random, 1, largest);
        } else {
            frames_append_random(&stream, &format, &random,
                                 16 + (size_t)prng_below(&random, largest));
        }
    }
    ref_stream whole = ref_decode(&format, stream.data, stream.size);
    byte_buffer damaged = BYTES_INIT;
    bytes_append(&damaged, stream.data, stream.size);
    for (uint64_t n = 1 + prng_below(&random, 4); n > 0; n--) {
        damage(&damaged, &whole, &random);
    }
    survivors left = {calloc(count, sizeof(size_t)), &whole};
    assert_non_null(left.at);
    for (size_t i = 0; i < count; i++) {
        left.at[i] =
            find_frame(&damaged, stream.data + whole.messages[i].offset, frame_bytes(&whole, i));
    }
    cut_and_check(&damaged, &format, kind, &left, seed);
    free(left.at);
    ref_free(&whole);
    bytes_free(&stream);
    bytes_free(&damaged);
}

static void flatbuffers(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4 * SEEDS; seed++) {
        run_seed(frames_checksums[seed % FRAMES_CHECKSUMS], FLATBUFFERS, seed);
    }
}

static void opaque_payloads(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 2 * SEEDS; seed++) {
        run_seed(frames_checksums[seed % FRAMES_CHECKSUMS], OPAQUE, seed);
    }
}

static void both_kinds(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 2 * SEEDS; seed++) {
        run_seed(frames_checksums[seed % FRAMES_CHECKSUMS], MIXED, seed);
    }
}

static int make_directory(void **state)
{
    (void)state;
    files_make_directory(directory, sizeof directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    files_remove_directory(directory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flatbuffers),
        cmocka_unit_test(opaque_payloads),
        cmocka_unit_test(both_kinds),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
