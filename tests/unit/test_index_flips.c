/* An index that was damaged, cut or made to deceive: what it still says is true, or does not prove
 * itself; and offsets beyond what any file here has.
 */
#include "index_testing.h"
#include "stream/index_private.h"

static index_truth truth;
static byte_buffer bytes; /* the index, sound */
static fls_error err;

/* Three parts and a bit, with times and a label. */
static int set_up(void **state)
{
    prng random = prng_seeded(21);
    fls_index_options options = FLS_INDEX_OPTIONS_INIT;
    (void)state;
    truth = (index_truth){.checksum = FLS_CHECKSUM_XXH3};
    bytes = (byte_buffer)BYTES_INIT;
    truth_add_many(&truth, &random, 110, 230);
    options.interval_bytes = 64;
    options.threads = 1;
    options.time_of = index_time_of;
    options.label = "header.time_ns";
    assert_status(index_make(&bytes, &truth.stream, NULL, &options, NULL, &err), FLS_OK, &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    truth_free(&truth);
    bytes_free(&bytes);
    return 0;
}

/* ---- every byte ---- */

static int is_true(const fls_reader_position *place, uint64_t time_ns)
{
    uint64_t greatest = 0;
    for (size_t i = 0; i <= place->ordinal && i < truth.count; i++) {
        greatest = truth.times[i] > greatest ? truth.times[i] : greatest;
    }
    return place->ordinal < truth.count && place->offset == truth.offsets[place->ordinal] &&
           time_ns == greatest;
}

/* Opens what may be damaged; all that it says is true. How many messages it covers. */
static uint64_t expect_true(const byte_buffer *damaged)
{
    fls_index *index;
    fls_index_info info = FLS_INDEX_INFO_INIT;
    fls_reader_position place;
    uint64_t time_ns;
    fls_status status = index_open(&index, damaged, &truth.stream, &err);
    if (status != FLS_OK) {
        assert_null(index);
        return 0;
    }
    fls_index_get_info(index, &info);
    assert_true(info.messages <= truth.count);
    assert_int_equal(info.covered_bytes, info.messages < truth.count ? truth.offsets[info.messages]
                                                                     : truth.stream.size);
    for (uint64_t i = 0; i < info.entries; i++) {
        assert_int_equal(fls_index_entry(index, i, &place, &time_ns), FLS_OK);
        assert_true(place.ordinal < info.messages && is_true(&place, time_ns));
    }
    fls_index_find_ordinal(index, UINT64_MAX, &place);
    assert_int_equal(place.offset, info.covered_bytes);
    assert_true((info.fault.status != FLS_OK) == (info.index_bytes < damaged->size));
    fls_index_close(index);
    return info.messages;
}

static void test_every_byte(void **state)
{
    static const uint8_t flips[] = {0x01, 0x80, 0xFF};
    uint64_t partly = 0;
    (void)state;
    assert_int_equal(expect_true(&bytes), truth.count);
    for (size_t at = 0; at < bytes.size; at++) {
        for (size_t i = 0; i < sizeof flips; i++) {
            bytes.data[at] ^= flips[i];
            uint64_t messages = expect_true(&bytes);
            assert_true(messages < truth.count);
            partly += messages > 0;
            bytes.data[at] ^= flips[i];
        }
    }
    assert_true(partly > bytes.size);
}

static void test_every_cut(void **state)
{
    size_t all = bytes.size;
    uint64_t least = 0;
    (void)state;
    for (bytes.size = 0; bytes.size < all; bytes.size++) {
        uint64_t messages = expect_true(&bytes);
        assert_true(messages >= least && messages < truth.count);
        least = messages;
    }
    assert_true(least > 0);
    bytes_append(&bytes, "\0\0\0\0something", 13);
    assert_int_equal(expect_true(&bytes), truth.count);
}

/* ---- made to deceive: the frame's checksum is right ---- */

static void seal(uint8_t *frame)
{
    uint32_t length = flsi_load_le32(frame);
    uint8_t *records = frame + FLSI_MARKS_HEADER_BYTES;
    uint64_t digest = fls_checksum_digest(FLS_CHECKSUM_XXH3, records, length);
    (void)fls_frame_encode_header(frame, length, digest, 8);
}

/* An entry that proves itself is where its message is, whatever the index says else. */
static void expect_proven_is_true(void)
{
    const fls_source source = truth_source(&truth.stream);
    fls_index *index;
    fls_reader_position place;
    if (index_open(&index, &bytes, &truth.stream, &err) != FLS_OK) {
        return;
    }
    for (uint64_t i = 0; fls_index_entry(index, i, &place, NULL) == FLS_OK; i++) {
        if (fls_index_prove(index, &source, &place, 0, &err) == FLS_OK) {
            assert_true(place.ordinal < truth.count);
            assert_int_equal(place.offset, truth.offsets[place.ordinal]);
        }
    }
    fls_index_close(index);
}

static void test_deceives(void **state)
{
    (void)state;
    for (size_t frame = 0; frame < bytes.size;) {
        size_t end = frame + FLSI_MARKS_HEADER_BYTES + flsi_load_le32(bytes.data + frame);
        for (size_t at = frame + FLSI_MARKS_HEADER_BYTES; at < end; at++) {
            for (unsigned bit = (unsigned)at % 2; bit < 8; bit += 2) {
                bytes.data[at] ^= (uint8_t)(1u << bit);
                seal(bytes.data + frame);
                expect_proven_is_true();
                bytes.data[at] ^= (uint8_t)(1u << bit);
            }
        }
        seal(bytes.data + frame);
        frame = end;
    }
    assert_int_equal(expect_true(&bytes), truth.count);
}

/* ---- rules ---- */

typedef struct maker {
    flsi_marks_builder builder;
    byte_buffer out;
} maker;

static void add(maker *m, flsi_record record, const void *data)
{
    assert_status(flsi_marks_reserve(&m->builder, 16, 0, &err), FLS_OK, &err);
    flsi_marks_add(&m->builder, &record, data);
}

static void begin(maker *m, int timed)
{
    flsi_marks_builder_init(&m->builder, fls_allocator_libc());
    m->out = (byte_buffer)BYTES_INIT;
    add(m,
        (flsi_record){.type = FLSI_RECORD_INDEX,
                      .flags = FLSI_INDEX_VERSION,
                      .checksum = FLS_CHECKSUM_XXH3,
                      .header_flags = timed ? FLSI_HEADER_TIMES : 0,
                      .value = 65536},
        NULL);
    flsi_marks_close_frame(&m->builder);
}

static void add_offset(maker *m, uint64_t ordinal, uint64_t offset, uint64_t time_ns)
{
    add(m,
        (flsi_record){
            .type = FLSI_RECORD_OFFSET, .ordinal = ordinal, .offset = offset, .time_ns = time_ns},
        NULL);
}

static void add_end(maker *m, flsi_index_sum sum, int timed, uint32_t proof_bytes, uint64_t proof)
{
    add(m,
        (flsi_record){.type = FLSI_RECORD_SIZES,
                      .smallest = sum.smallest,
                      .largest = sum.largest,
                      .value = sum.offset - 12 * sum.messages},
        NULL);
    if (timed) {
        add(m,
            (flsi_record){.type = FLSI_RECORD_SPAN,
                          .ordinal = sum.timed,
                          .time_ns = sum.time_min_ns,
                          .last_ns = sum.time_max_ns},
            NULL);
    }
    add(m,
        (flsi_record){.type = FLSI_RECORD_DURABLE,
                      .small = proof_bytes,
                      .ordinal = sum.messages,
                      .offset = sum.offset,
                      .value = proof},
        NULL);
    flsi_marks_close_frame(&m->builder);
}

/* How many messages the index covers; UINT64_MAX: it is not one. */
static uint64_t covered(maker *m)
{
    fls_index *index;
    fls_index_info info = FLS_INDEX_INFO_INIT;
    bytes_append(&m->out, m->builder.frames, m->builder.size);
    flsi_marks_builder_fini(&m->builder);
    fls_status status = index_open(&index, &m->out, NULL, &err);
    bytes_free(&m->out);
    if (status != FLS_OK) {
        return UINT64_MAX;
    }
    fls_index_get_info(index, &info);
    fls_index_close(index);
    return info.messages;
}

/* One part of 10 messages of 88 bytes, which one thing may be wrong with. */
typedef enum wrong {
    RIGHT,
    FIRST_ORDINAL,
    FIRST_OFFSET,
    GOES_BACK,
    TOO_DENSE,
    TIME_GOES_BACK,
    TIME_WITHOUT_FLAG,
    NO_PROOF,
    LONG_PROOF,
    END_TOO_EARLY,
    SMALLEST_TOO_LARGE,
    LARGEST_TOO_SMALL,
    TOO_MANY_TIMED,
    TIMED_WITHOUT_TIME,
    SPAN_BELOW_OFFSET,
    WRONGS
} wrong;

static uint64_t covered_with(wrong what)
{
    maker m;
    int timed = what != TIME_WITHOUT_FLAG;
    flsi_index_sum sum = {10, 1000, 88, 88, 10, 5, 50};
    begin(&m, timed);
    add_offset(&m, what == FIRST_ORDINAL, what == FIRST_OFFSET, 5);
    add_offset(&m, 5,
               what == GOES_BACK   ? 0
               : what == TOO_DENSE ? 59
                                   : 500,
               what == TIME_GOES_BACK ? 4 : 6);
    sum.messages = what == END_TOO_EARLY ? 5 : 10;
    sum.smallest = what == SMALLEST_TOO_LARGE ? 89 : 88;
    sum.largest = what == SMALLEST_TOO_LARGE ? 89 : what == LARGEST_TOO_SMALL ? 87 : 88;
    sum.smallest = what == LARGEST_TOO_SMALL ? 87 : sum.smallest;
    sum.timed = what == TOO_MANY_TIMED ? 11 : 10;
    sum.time_min_ns = what == TIMED_WITHOUT_TIME ? 0 : 5;
    sum.time_max_ns = what == SPAN_BELOW_OFFSET ? 5 : 50;
    add_end(&m, sum, timed, what == NO_PROOF ? 0 : what == LONG_PROOF ? 501 : 100, 0);
    return covered(&m);
}

static void test_rules(void **state)
{
    maker m;
    (void)state;
    assert_int_equal(covered_with(RIGHT), 10);
    for (wrong what = RIGHT + 1; what < WRONGS; what++) {
        if (covered_with(what) != 0) {
            print_error("wrong %d\n", (int)what);
            fail();
        }
    }
    /* A record of a later version is passed over; one of a journal is not. */
    for (uint8_t type = 1; type < 200; type++) {
        begin(&m, 0);
        add_offset(&m, 0, 0, 0);
        flsi_record record = {.type = type, .value = 1, .flags = type == 6 || type == 7};
        add(&m, record, "");
        add_end(&m, (flsi_index_sum){10, 1000, 88, 88, 0, 0, 0}, 0, 100, 0);
        assert_int_equal(covered(&m), type >= FLSI_RECORD_COMPATIBLE ? 10 : 0);
    }
    /* Nothing, and what begins otherwise. */
    assert_status(flsi_marks_reserve(&m.builder, 4, 0, &err), FLS_OK, &err);
    m.out = (byte_buffer)BYTES_INIT;
    add_offset(&m, 0, 0, 0);
    flsi_marks_close_frame(&m.builder);
    assert_int_equal(covered(&m), UINT64_MAX);
}

/* ---- large ---- */

#define FAR ((uint64_t)1 << 45)

/* Zeros, but for frames from FAR on. */
static fls_status far_read_at(void *self, uint64_t offset, void *buffer, size_t capacity,
                              size_t *got, fls_error *error)
{
    const byte_buffer *frames = self;
    (void)error;
    if (offset >= FAR + frames->size) {
        return FLS_END;
    }
    uint64_t left = FAR + frames->size - offset;
    *got = left < capacity ? (size_t)left : capacity;
    for (size_t i = 0; i < *got; i++) {
        ((uint8_t *)buffer)[i] = offset + i >= FAR ? frames->data[offset + i - FAR] : 0;
    }
    return FLS_OK;
}

static fls_status far_size(void *self, uint64_t *size, fls_error *error)
{
    (void)error;
    *size = FAR + ((const byte_buffer *)self)->size;
    return FLS_OK;
}

static void test_far(void **state)
{
    static const fls_source_ops ops = {sizeof ops,  0,        truth_read, NULL,
                                       far_read_at, far_size, NULL};
    const fls_source stream = {&ops, &truth.stream};
    const uint64_t ordinal = (uint64_t)1 << 33;
    const uint64_t last = ordinal + truth.count;
    const uint64_t end = FAR + truth.stream.size;
    uint32_t tail = (uint32_t)(truth.stream.size - truth.offsets[truth.count - 1]);
    fls_index *index;
    fls_reader_position place;
    maker m;
    (void)state;
    begin(&m, 1);
    add_offset(&m, 0, 0, 0);
    add_offset(&m, ordinal, FAR, 77);
    add_offset(&m, last - 1, end - tail, 99);
    add_end(
        &m, (flsi_index_sum){last, end, 0, UINT32_MAX, last, 1, 100}, 1, tail,
        fls_checksum_digest(FLS_CHECKSUM_XXH3, truth.stream.data + truth.stream.size - tail, tail));
    bytes_append(&m.out, m.builder.frames, m.builder.size);
    flsi_marks_builder_fini(&m.builder);
    const fls_source source = truth_source(&m.out);
    assert_status(fls_index_open(&index, &source, &stream, NULL, &err), FLS_OK, &err);
    fls_index_find_ordinal(index, ordinal + 3, &place);
    assert_int_equal(place.ordinal, ordinal);
    assert_int_equal(place.offset, FAR);
    assert_status(fls_index_prove(index, &stream, &place, 0, &err), FLS_OK, &err);
    fls_index_find_time(index, 99, &place);
    assert_int_equal(place.offset, FAR);
    fls_index_find_time(index, 100, &place);
    assert_int_equal(place.offset, end - tail);
    assert_status(fls_index_prove(index, &stream, &place, 0, &err), FLS_OK, &err);
    fls_index_find_time(index, 101, &place);
    assert_int_equal(place.offset, end);
    assert_int_equal(place.ordinal, last);
    fls_index_close(index);
    bytes_free(&m.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deceives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_far, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
