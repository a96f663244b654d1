/* The index of a stream: what it says against what is true, made by any number of threads, at once
 * or bit by bit; and that it is used only as far as it is of the stream.
 */
#include "index_testing.h"
#include "support/counting_allocator.h"
#include "support/files.h"

static index_truth truth;
static byte_buffer bytes;
static fls_error err;

static int set_up(void **state)
{
    (void)state;
    truth = (index_truth){.checksum = FLS_CHECKSUM_XXH3};
    bytes = (byte_buffer)BYTES_INIT;
    err = (fls_error)FLS_ERROR_INIT;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    truth_free(&truth);
    bytes_free(&bytes);
    return 0;
}

static fls_index_options options_of(uint64_t interval, uint32_t threads, int timed)
{
    fls_index_options options = FLS_INDEX_OPTIONS_INIT;
    options.checksum = truth.checksum;
    options.interval_bytes = interval;
    options.threads = threads;
    options.time_of = timed ? index_time_of : NULL;
    options.label = timed ? "the.time" : NULL;
    return options;
}

static fls_index *make_and_open(uint64_t interval, uint32_t threads, int timed)
{
    const fls_index_options options = options_of(interval, threads, timed);
    fls_index_info info = FLS_INDEX_INFO_INIT;
    fls_index *index;
    assert_status(index_make(&bytes, &truth.stream, NULL, &options, &info, &err), FLS_OK, &err);
    assert_int_equal(info.fault.status, FLS_OK);
    assert_int_equal(info.index_bytes, bytes.size);
    assert_status(index_open(&index, &bytes, &truth.stream, &err), FLS_OK, &err);
    return index;
}

/* ---- against the truth ---- */

static void expect_info(const fls_index *index, size_t count, int timed)
{
    fls_index_info info = FLS_INDEX_INFO_INIT;
    uint64_t payload = 0;
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;
    uint64_t timed_count = 0;
    uint64_t first = UINT64_MAX;
    uint64_t last = 0;
    for (size_t i = 0; i < count; i++) {
        payload += truth.sizes[i];
        least = truth.sizes[i] < least ? truth.sizes[i] : least;
        most = truth.sizes[i] > most ? truth.sizes[i] : most;
        if (truth.times[i] != 0) {
            timed_count++;
            first = truth.times[i] < first ? truth.times[i] : first;
            last = truth.times[i] > last ? truth.times[i] : last;
        }
    }
    fls_index_get_info(index, &info);
    assert_int_equal(info.messages, count);
    assert_int_equal(info.payload_bytes, payload);
    assert_int_equal(info.size_min, count > 0 ? least : 0);
    assert_int_equal(info.size_max, most);
    assert_int_equal(info.covered_bytes,
                     count < truth.count ? truth.offsets[count] : truth.stream.size);
    assert_int_equal(info.timed, timed ? timed_count : 0);
    assert_int_equal(info.time_min_ns, timed && timed_count > 0 ? first : 0);
    assert_int_equal(info.time_max_ns, timed ? last : 0);
    assert_int_equal(info.has_times, timed);
    assert_int_equal(info.fault.status, FLS_OK);
    assert_string_equal(fls_index_label(index), timed ? "the.time" : "");
}

/* Entries are the first messages of stretches, no more and no fewer; each proves itself. */
static void expect_entries(const fls_index *index, uint64_t interval, size_t count, int timed)
{
    const fls_source source = truth_source(&truth.stream);
    fls_reader_position at;
    fls_salvage_anchors anchors;
    uint64_t entry = 0;
    uint64_t before = 0;
    uint64_t greatest = 0;
    fls_index_anchors(index, &anchors);
    for (size_t i = 0; i < count; i++) {
        greatest = truth.times[i] > greatest ? truth.times[i] : greatest;
        if (i > 0 && truth.offsets[i] / interval == before / interval) {
            continue;
        }
        uint64_t time_ns;
        assert_int_equal(fls_index_entry(index, entry, &at, &time_ns), FLS_OK);
        assert_int_equal(at.ordinal, i);
        assert_int_equal(at.offset, truth.offsets[i]);
        assert_int_equal(at.state, 0);
        assert_int_equal(time_ns, timed ? greatest : 0);
        assert_int_equal(anchors.offsets[entry], at.offset);
        assert_status(fls_index_prove(index, &source, &at, 0, &err), FLS_OK, &err);
        before = truth.offsets[i];
        entry++;
    }
    assert_int_equal(fls_index_entry(index, entry, NULL, NULL), FLS_INVALID_ARGUMENT);
    assert_int_equal(anchors.count, entry);
}

static void expect_ordinals(const fls_index *index, uint64_t interval, size_t count)
{
    uint64_t entry = 0;
    fls_reader_position at;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && truth.offsets[i] / interval != truth.offsets[entry] / interval) {
            entry = i;
        }
        fls_index_find_ordinal(index, i, &at);
        assert_int_equal(at.ordinal, entry);
        assert_int_equal(at.offset, truth.offsets[entry]);
    }
    for (uint64_t far = count; far != 0; far = far * 2 + (far == 0)) {
        fls_index_find_ordinal(index, far, &at);
        assert_int_equal(at.ordinal, count);
    }
}

/* No message before the place is at or behind the time; the next place would be too far. */
static void expect_times(const fls_index *index, prng *random, size_t count)
{
    for (int i = 0; i < 200; i++) {
        uint64_t wanted = prng_below(random, 1200 + 12 * (uint64_t)count);
        fls_reader_position at;
        size_t first = 0;
        while (first < count && truth.times[first] < wanted) {
            first++;
        }
        fls_index_find_time(index, wanted, &at);
        assert_true(at.ordinal <= first);
        if (first == count) {
            assert_int_equal(at.ordinal, count);
            continue;
        }
        fls_reader_position of_first;
        fls_index_find_ordinal(index, first, &of_first);
        /* The one it lies behind, or the one that it is itself the message of. */
        assert_true(at.ordinal == of_first.ordinal || of_first.ordinal == first);
    }
}

static void test_says_the_truth(void **state)
{
    static const uint64_t intervals[] = {64, 300, 4096, 65536};
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        for (size_t i = 0; i < 4; i++) {
            prng random = prng_seeded(c * 10 + i);
            int timed = (c + i) % 3 != 0;
            truth_free(&truth);
            truth.checksum = frames_checksums[c];
            truth_add_many(&truth, &random, 1500, 300);
            fls_index *index = make_and_open(intervals[i], 1 + (uint32_t)i, timed);
            expect_info(index, truth.count, timed);
            expect_entries(index, intervals[i], truth.count, timed);
            expect_ordinals(index, intervals[i], truth.count);
            if (timed) {
                expect_times(index, &random, truth.count);
            }
            fls_index_close(index);
        }
    }
}

/* Several pieces, and intervals that do not divide them: one outcome for any number of threads. */
static void test_threads_do_not_matter(void **state)
{
    static const uint64_t intervals[] = {1000, 65536, 3000000};
    prng random = prng_seeded(4);
    (void)state;
    truth_add_many(&truth, &random, 3000, 2000);
    truth_add(&truth, &random, 5000000, 7);
    truth_add_many(&truth, &random, 3000, 2000);
    for (size_t i = 0; i < 3; i++) {
        byte_buffer other = BYTES_INIT;
        fls_index *index = make_and_open(intervals[i], 1, 1);
        expect_info(index, truth.count, 1);
        expect_entries(index, intervals[i], truth.count, 1);
        fls_index_close(index);
        bytes_append(&other, bytes.data, bytes.size);
        fls_index_close(make_and_open(intervals[i], 3, 1));
        assert_int_equal(bytes.size, other.size);
        assert_memory_equal(bytes.data, other.data, other.size);
        bytes_free(&other);
    }
}

/* ---- streams that change ---- */

/* Made of a beginning and gone on with: the same as made at once. */
static void test_grows(void **state)
{
    prng random = prng_seeded(5);
    byte_buffer whole = BYTES_INIT;
    (void)state;
    truth_add_many(&truth, &random, 150, 120);
    const fls_index_options options = options_of(128, 1, 1);
    assert_status(index_make(&whole, &truth.stream, NULL, &options, NULL, &err), FLS_OK, &err);
    size_t all = truth.stream.size;
    for (size_t cut = 0; cut < truth.count; cut++) {
        fls_index *index;
        fls_index_info info = FLS_INDEX_INFO_INIT;
        truth.stream.size = (size_t)truth.offsets[cut];
        assert_status(index_make(&bytes, &truth.stream, NULL, &options, NULL, &err), FLS_OK, &err);
        truth.stream.size = all;
        assert_status(index_open(&index, &bytes, &truth.stream, &err), FLS_OK, &err);
        expect_info(index, cut, 1);
        expect_ordinals(index, 128, cut);
        fls_index_get_info(index, &info);
        assert_int_equal(info.stream_bytes, all);
        assert_int_equal(info.stale, 0);
        assert_status(index_make(&bytes, &truth.stream, index, &options, &info, &err), FLS_OK,
                      &err);
        assert_int_equal(info.messages, truth.count);
        assert_int_equal(bytes.size, whole.size);
        assert_memory_equal(bytes.data, whole.data, whole.size);
        fls_index_options without = options;
        without.time_of = NULL;
        assert_status(index_make(&bytes, &truth.stream, index, &without, &info, &err),
                      FLS_INVALID_ARGUMENT, &err);
        fls_index_close(index);
    }
    bytes_free(&whole);
}

/* Cut off anywhere: what is still there is known up to the last part that ends in it. */
static void test_shorter(void **state)
{
    prng random = prng_seeded(6);
    (void)state;
    truth_add_many(&truth, &random, 400, 120);
    fls_index_close(make_and_open(64, 1, 1));
    size_t all = truth.stream.size;
    for (size_t size = all; size-- > 0; size -= size > 40 ? (size_t)prng_below(&random, 40) : 0) {
        fls_index *index;
        fls_index_info info = FLS_INDEX_INFO_INIT;
        truth.stream.size = size;
        fls_status status = index_open(&index, &bytes, &truth.stream, &err);
        truth.stream.size = all;
        if (size < 4096) {
            assert_status(status, FLS_CHECKSUM_MISMATCH, &err);
            assert_null(index);
            continue;
        }
        if (status == FLS_OK) { /* not only just short of the end of the first part */
            fls_index_get_info(index, &info);
            assert_int_equal(info.stale, 1);
            assert_true(info.covered_bytes <= size && info.covered_bytes + 4096 + 400 > size);
            expect_info(index, (size_t)info.messages, 1);
            expect_entries(index, 64, (size_t)info.messages, 1);
            fls_index_close(index);
        } else {
            assert_status(status, FLS_CHECKSUM_MISMATCH, &err);
            assert_true(size < 4096 + 400);
        }
    }
}

/* Another stream of the same length, or longer. */
static void test_replaced(void **state)
{
    prng random = prng_seeded(7);
    fls_index *index;
    (void)state;
    truth_add_many(&truth, &random, 3000, 120);
    fls_index_close(make_and_open(64, 1, 0));
    byte_buffer other = BYTES_INIT;
    for (size_t i = 0; i < 2; i++) {
        const ref_format format = {.checksum = FLS_CHECKSUM_XXH3};
        bytes_clear(&other);
        while (other.size < truth.stream.size + i * 1000) {
            frames_append_random(&other, &format, &random, 100);
        }
        assert_status(index_open(&index, &bytes, &other, &err), FLS_CHECKSUM_MISMATCH, &err);
        assert_null(index);
    }
    bytes_free(&other);
}

/* A byte changed: at the end of the last part this shows at once, elsewhere where it is used. */
static void test_changed_within(void **state)
{
    prng random = prng_seeded(8);
    const fls_source source = truth_source(&truth.stream);
    (void)state;
    truth_add_many(&truth, &random, 600, 120);
    fls_index_close(make_and_open(256, 1, 0));
    for (int i = 0; i < 400; i++) {
        size_t at = (size_t)prng_below(&random, truth.stream.size);
        fls_index *index;
        fls_index_info info = FLS_INDEX_INFO_INIT;
        fls_reader_position place;
        truth.stream.data[at] ^= 0x10;
        assert_status(index_open(&index, &bytes, &truth.stream, &err), FLS_OK, &err);
        fls_index_get_info(index, &info);
        uint64_t wrong = 0;
        for (uint64_t entry = 0; entry < info.entries; entry++) {
            fls_reader_position next = {info.covered_bytes, 0, 0};
            assert_int_equal(fls_index_entry(index, entry, &place, NULL), FLS_OK);
            fls_status status = fls_index_entry(index, entry + 1, &next, NULL);
            assert_int_equal(status == FLS_OK, entry + 1 < info.entries);
            status = fls_index_prove(index, &source, &place, 0, &err);
            int hit = at >= place.offset && at < next.offset;
            assert_int_equal(fls_status_class_of(status) == FLS_CLASS_DAMAGE, hit);
            wrong += (uint64_t)hit;
        }
        assert_int_equal(wrong, at < info.covered_bytes);
        fls_index_close(index);
        truth.stream.data[at] ^= 0x10;
    }
}

/* Without a checksum a message taken out and its bytes given to another is found by the number. */
static void test_changed_without_a_checksum(void **state)
{
    prng random = prng_seeded(9);
    const fls_source source = truth_source(&truth.stream);
    fls_reader_position place = {0, 0, 0};
    (void)state;
    truth.checksum = FLS_CHECKSUM_NONE;
    for (int i = 0; i < 100; i++) {
        truth_add(&truth, &random, 20, 1);
    }
    fls_index *index = make_and_open(256, 1, 0);
    assert_status(fls_index_prove(index, &source, &place, 0, &err), FLS_OK, &err);
    truth.stream.data[24] = 44; /* two messages in one */
    assert_status(fls_index_prove(index, &source, &place, 0, &err), FLS_CHECKSUM_MISMATCH, &err);
    truth.stream.data[24] = 20;
    place.ordinal = 1;
    assert_status(fls_index_prove(index, &source, &place, 0, &err), FLS_INVALID_ARGUMENT, &err);
    fls_index_close(index);
}

/* ---- ends, and nothing ---- */

static void test_ends_before_what_is_wrong(void **state)
{
    prng random = prng_seeded(10);
    const fls_index_options options = options_of(128, 1, 1);
    fls_index_info info = FLS_INDEX_INFO_INIT;
    fls_index *index;
    (void)state;
    truth_add_many(&truth, &random, 200, 60);
    size_t all = truth.stream.size;
    truth.stream.size = (size_t)truth.offsets[150] + 5; /* within a frame */
    assert_status(index_make(&bytes, &truth.stream, NULL, &options, &info, &err), FLS_OK, &err);
    assert_int_equal(info.fault.status, FLS_UNEXPECTED_EOF);
    assert_int_equal(info.fault.offset, truth.offsets[150]);
    assert_int_equal(info.messages, 150);
    truth.stream.size = all;
    truth.stream.data[truth.offsets[120] + 14] ^= 1;
    assert_status(index_make(&bytes, &truth.stream, NULL, &options, &info, &err), FLS_OK, &err);
    assert_int_equal(info.fault.status, FLS_CHECKSUM_MISMATCH);
    assert_int_equal(info.fault.ordinal, 120);
    assert_status(index_open(&index, &bytes, &truth.stream, &err), FLS_OK, &err);
    expect_info(index, 120, 1);
    fls_index_close(index);
}

static void test_empty(void **state)
{
    fls_index_info info = FLS_INDEX_INFO_INIT;
    fls_index_options options = options_of(0, 0, 0);
    fls_reader_position place = {9, 9, 9};
    const fls_source source = truth_source(&truth.stream);
    fls_index *index;
    prng random = prng_seeded(11);
    (void)state;
    options.checksum = FLS_CHECKSUM_DETECT;
    assert_status(index_make(&bytes, &truth.stream, NULL, &options, &info, &err), FLS_OK, &err);
    assert_int_equal(info.checksum, FLS_CHECKSUM_DETECT);
    assert_int_equal(info.interval_bytes, 65536);
    assert_status(index_open(&index, &bytes, &truth.stream, &err), FLS_OK, &err);
    expect_info(index, 0, 0);
    fls_index_find_ordinal(index, 5, &place);
    assert_true(place.offset == 0 && place.ordinal == 0 && place.state == 0);
    assert_status(fls_index_prove(index, &source, &place, 0, &err), FLS_OK, &err);
    truth_add_many(&truth, &random, 50, 100);
    assert_status(index_make(&bytes, &truth.stream, index, &options, &info, &err), FLS_OK, &err);
    fls_index_close(index);
    assert_int_equal(info.messages, 50);
    assert_int_equal(info.checksum, FLS_CHECKSUM_XXH3);
    assert_status(index_open(&index, &bytes, NULL, &err), FLS_OK, &err);
    fls_index_close(index);
}

static void test_refuses(void **state)
{
    fls_index_options options = options_of(63, 0, 0);
    byte_buffer text = BYTES_INIT;
    char label[257];
    (void)state;
    assert_status(index_make(&bytes, &truth.stream, NULL, &options, NULL, &err),
                  FLS_INVALID_ARGUMENT, &err);
    options.interval_bytes = UINT64_MAX;
    assert_status(index_make(&bytes, &truth.stream, NULL, &options, NULL, &err),
                  FLS_INVALID_ARGUMENT, &err);
    options = options_of(64, 0, 1);
    memset(label, 'x', 256);
    label[256] = '\0';
    options.label = label;
    assert_status(index_make(&bytes, &truth.stream, NULL, &options, NULL, &err),
                  FLS_INVALID_ARGUMENT, &err);
    options.label = label + 1;
    assert_status(index_make(&bytes, &truth.stream, NULL, &options, NULL, &err), FLS_OK, &err);
    options.checksum = FLS_CHECKSUM_CUSTOM;
    assert_status(index_make(&bytes, &truth.stream, NULL, &options, NULL, &err), FLS_UNSUPPORTED,
                  &err);
    options.checksum = FLS_CHECKSUM_DETECT;
    bytes_append(&text, "this is no stream, whatever the checksum may be", 47);
    assert_status(index_make(&bytes, &text, NULL, &options, NULL, &err), FLS_CHECKSUM_UNPROVEN,
                  &err);
    bytes_free(&text);
}

/* ---- files, memory, failures ---- */

static void test_files(void **state)
{
    prng random = prng_seeded(12);
    fls_index_info info = FLS_INDEX_INFO_INIT;
    fls_source source;
    fls_source stream;
    fls_index *index;
    (void)state;
    truth_add_many(&truth, &random, 500, 100);
    char folder[256];
    files_make_directory(folder, sizeof folder);
    const char *path = files_join(folder, "stream");
    const char *beside = files_join(folder, "stream.fli");
    files_write(path, truth.stream.data, truth.stream.size);
    assert_status(fls_index_build_file(path, NULL, NULL, &info, &err), FLS_OK, &err);
    assert_int_equal(info.messages, 500);
    assert_status(fls_source_map_file(&stream, path, &err), FLS_OK, &err);
    assert_status(fls_source_map_file(&source, beside, &err), FLS_OK, &err);
    assert_status(fls_index_open(&index, &source, &stream, NULL, &err), FLS_OK, &err);
    expect_info(index, 500, 0);
    expect_ordinals(index, 65536, 500);
    fls_index_close(index);
    fls_source_close(&source);
    fls_source_close(&stream);
    files_write(path, "what is this", 12);
    assert_status(fls_index_build_file(path, path, NULL, &info, &err), FLS_CHECKSUM_UNPROVEN, &err);
    assert_status(fls_index_build_file(beside, "/no/such/place", NULL, &info, &err), FLS_IO, &err);
    files_remove_directory(folder);
}

static void test_without_memory(void **state)
{
    prng random = prng_seeded(13);
    counting_allocator counting;
    fls_index *index = NULL;
    fls_status status = FLS_NO_MEMORY;
    (void)state;
    truth_add_many(&truth, &random, 3000, 100);
    fls_index_close(make_and_open(64, 1, 1));
    const fls_source source = truth_source(&bytes);
    const fls_source stream = truth_source(&truth.stream);
    counting_allocator_init(&counting);
    for (uint64_t failing = 0; status == FLS_NO_MEMORY; failing++) {
        counting.calls = 0;
        counting.fail_from = failing;
        counting.fail_calls = COUNTING_NEVER;
        status = fls_index_open(&index, &source, &stream, &counting.table, &err);
        assert_true(status == FLS_OK || status == FLS_NO_MEMORY);
        assert_true((index == NULL) == (status != FLS_OK));
        assert_true(status == FLS_OK || counting.live_blocks == 0);
        assert_true(failing < 50);
    }
    counting.fail_from = COUNTING_NEVER;
    expect_entries(index, 64, truth.count, 1);
    fls_index_close(index);
    assert_int_equal(counting.live_blocks, 0);
}

static fls_status full(void *self, const void *data, size_t size, size_t *written, fls_error *error)
{
    size_t *left = self;
    (void)data;
    *written = size < *left ? size : *left;
    *left -= *written;
    return *written > 0 ? FLS_OK : fls_error_set(error, FLS_NO_SPACE, 0, NULL);
}

static void test_full_sink(void **state)
{
    prng random = prng_seeded(14);
    const fls_source source = truth_source(&truth.stream);
    const fls_index_options options = options_of(64, 2, 0);
    (void)state;
    truth_add_many(&truth, &random, 6000, 30);
    for (size_t room = 0; room < 80000; room += 70000) {
        size_t left = room;
        fls_sink sink;
        assert_status(fls_sink_from_function(&sink, full, &left, &err), FLS_OK, &err);
        assert_status(fls_index_build(&source, &sink, &options, NULL, &err), FLS_NO_SPACE, &err);
        fls_sink_abort(&sink);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_says_the_truth, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads_do_not_matter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_grows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shorter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changed_within, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changed_without_a_checksum, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ends_before_what_is_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_sink, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
