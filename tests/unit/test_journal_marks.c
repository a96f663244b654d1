/* Records of marks: gathered, walked, and refused rule by rule; names and listings beside them. */
#include "journal/journal_marks.h"

#include "flatstream/frame.h"
#include "journal/journal_listing.h"
#include "support/counting_allocator.h"
#include "support/files.h"
#include "support/testing.h"

static flsi_marks_builder builder;
static fls_error err;

static int set_up(void **state)
{
    (void)state;
    flsi_marks_builder_init(&builder, fls_allocator_libc());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    flsi_marks_builder_fini(&builder);
    return 0;
}

static void add(flsi_record record, const void *data)
{
    assert_status(flsi_marks_reserve(&builder, 1 + (record.small + 31) / 32, 0, &err), FLS_OK,
                  &err);
    flsi_marks_add(&builder, &record, data);
}

static void add_time(uint64_t ordinal, uint64_t time_ns)
{
    assert_status(flsi_marks_reserve(&builder, 0, 1, &err), FLS_OK, &err);
    flsi_marks_add_time(&builder, ordinal, time_ns);
}

static void add_header(uint64_t first_ordinal)
{
    add((flsi_record){.type = FLSI_RECORD_HEADER,
                      .flags = FLSI_MARKS_VERSION,
                      .checksum = FLS_CHECKSUM_XXH3,
                      .header_flags = FLSI_HEADER_TIMES,
                      .small = 7,
                      .ordinal = first_ordinal,
                      .id = 0x1122334455667788,
                      .time_ns = 1000},
        NULL);
}

static void add_offset(uint64_t ordinal, uint64_t offset)
{
    add((flsi_record){.type = FLSI_RECORD_OFFSET, .ordinal = ordinal, .offset = offset}, NULL);
}

static void add_durable(uint64_t ordinal, uint64_t offset)
{
    add((flsi_record){.type = FLSI_RECORD_DURABLE, .ordinal = ordinal, .offset = offset}, NULL);
}

/* Walks what was gathered; expects so many records and then this. */
static flsi_marks_walk expect_walk(unsigned records, fls_status wanted)
{
    flsi_marks_walk walk;
    flsi_record record;
    fls_status status;
    unsigned count = 0;
    flsi_marks_close_frame(&builder);
    assert_status(flsi_marks_walk_begin(&walk, builder.frames, builder.size, &err), FLS_OK, &err);
    while ((status = flsi_marks_walk_next(&walk, &record, &err)) == FLS_OK) {
        count++;
    }
    assert_status(status, wanted, &err);
    assert_int_equal(count, records);
    return walk;
}

static void test_every_record_comes_back(void **state)
{
    (void)state;
    const flsi_record all[] = {
        {.type = FLSI_RECORD_TYPE, .small = 5, .id = 0xABCDEF, .value = 0x31534E4D},
        {.type = FLSI_RECORD_OFFSET, .ordinal = 40, .offset = 0, .time_ns = 1001},
        {.type = FLSI_RECORD_CLOCK, .flags = 1, .ordinal = 41, .time_ns = 5, .value = 6},
        {.type = FLSI_RECORD_GAP, .flags = 3, .small = 9, .ordinal = 41, .offset = UINT64_MAX},
        {.type = FLSI_RECORD_DURABLE, .small = 100, .ordinal = 44, .offset = 500, .value = 77},
        {.type = 200, .flags = 4, .small = 40, .ordinal = 3},
        {.type = FLSI_RECORD_SEAL, .flags = 2, .ordinal = 50, .offset = 900, .time_ns = 1009},
    };
    const char data[40] = "Mon.x and so on, some more than a record";
    flsi_marks_walk walk;
    flsi_record got;
    add_header(40);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        add(all[i], all[i].small > 0 && (all[i].type > 7) ? data : NULL);
    }
    flsi_marks_close_frame(&builder);
    assert_status(flsi_marks_walk_begin(&walk, builder.frames, builder.size, &err), FLS_OK, &err);
    assert_int_equal(walk.header.small, 7);
    assert_int_equal(walk.header.id, 0x1122334455667788);
    assert_status(flsi_marks_walk_next(&walk, &got, &err), FLS_OK, &err);
    assert_int_equal(got.type, FLSI_RECORD_HEADER);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_status(flsi_marks_walk_next(&walk, &got, &err), FLS_OK, &err);
        if (got.data != NULL) {
            assert_memory_equal(got.data, data, got.small);
        }
        got.data = NULL;
        if (got.type >= FLSI_RECORD_COMPATIBLE) {
            assert_int_equal(got.small, 40);
            continue;
        }
        assert_memory_equal(&got, &all[i], sizeof got);
    }
    assert_status(flsi_marks_walk_next(&walk, &got, &err), FLS_END, &err);
    assert_int_equal(walk.sealed, FLSI_SEAL_CLOSED);
    assert_int_equal(walk.valid_bytes, builder.size);
}

static void test_times_come_back(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static uint64_t times[COUNT];
    prng random = prng_seeded(4);
    uint64_t now = 1;
    uint64_t ordinal = 0;
    flsi_marks_walk walk;
    flsi_record record;
    flsi_times_walk each;
    add_header(0);
    for (size_t i = 0; i < COUNT; i++) {
        now += prng_next(&random) >> (24 + prng_below(&random, 40));
        times[i] = now;
        if (i % 700 == 0) {
            flsi_marks_close_frame(&builder);
            add_offset(i, i * 20);
        }
        add_time(i, now);
    }
    flsi_marks_close_frame(&builder);
    assert_status(flsi_marks_walk_begin(&walk, builder.frames, builder.size, &err), FLS_OK, &err);
    while (flsi_marks_walk_next(&walk, &record, &err) == FLS_OK) {
        if (record.type != FLSI_RECORD_TIMES) {
            continue;
        }
        flsi_times_begin(&each, &record);
        do {
            assert_int_equal(each.ordinal, ordinal);
            assert_int_equal(each.time_ns, times[ordinal]);
            ordinal++;
        } while (flsi_times_next(&each));
    }
    assert_int_equal(ordinal, COUNT);
}

/* A time that goes back is that of the message before; a hole in the ordinals begins a record. */
static void test_times_are_put_in_order(void **state)
{
    (void)state;
    flsi_marks_walk walk;
    flsi_record record;
    add_header(0);
    add_offset(0, 0);
    add_time(0, 50);
    add_time(1, 40);
    add_time(5, 45);
    flsi_marks_close_frame(&builder);
    assert_status(flsi_marks_walk_begin(&walk, builder.frames, builder.size, &err), FLS_OK, &err);
    for (int i = 0; i < 3; i++) {
        assert_status(flsi_marks_walk_next(&walk, &record, &err), FLS_OK, &err);
    }
    assert_int_equal(record.value, 2);
    assert_int_equal(record.data[0], 0);
    assert_status(flsi_marks_walk_next(&walk, &record, &err), FLS_OK, &err);
    assert_int_equal(record.ordinal, 5);
    assert_int_equal(record.time_ns, 50);
}

static void test_more_times_than_a_frame_holds(void **state)
{
    (void)state;
    enum { COUNT = 700000 };
    flsi_marks_walk walk;
    flsi_record record;
    uint64_t count = 0;
    unsigned frames = 0;
    size_t frame = SIZE_MAX;
    add_header(0);
    add_offset(0, 0);
    assert_status(flsi_marks_reserve(&builder, 0, COUNT, &err), FLS_OK, &err);
    const uint8_t *memory = builder.frames;
    for (uint64_t i = 0; i < COUNT; i++) {
        flsi_marks_add_time(&builder, i, i << 42);
    }
    flsi_marks_close_frame(&builder);
    assert_ptr_equal(memory, builder.frames);
    assert_true(builder.size <= builder.capacity);
    assert_status(flsi_marks_walk_begin(&walk, builder.frames, builder.size, &err), FLS_OK, &err);
    while (flsi_marks_walk_next(&walk, &record, &err) == FLS_OK) {
        count += record.type == FLSI_RECORD_TIMES ? record.value : 0;
        frames += walk.frame != frame;
        frame = walk.frame;
    }
    assert_int_equal(count, COUNT);
    assert_true(frames >= 3);
    assert_int_equal(walk.valid_bytes, builder.size);
}

/* Rule 3: whatever comes before it, an OFFSET with times behind it begins its frame. */
static void test_offsets_begin_frames(void **state)
{
    (void)state;
    flsi_marks_walk walk;
    flsi_record record;
    add_header(0); /* closed: the next one is another frame */
    add((flsi_record){.type = FLSI_RECORD_GAP, .flags = 1, .ordinal = 0, .offset = 3}, NULL);
    flsi_marks_close_frame(&builder);
    add((flsi_record){.type = FLSI_RECORD_CLOCK, .ordinal = 0, .time_ns = 1, .value = 1}, NULL);
    add((flsi_record){.type = FLSI_RECORD_GAP, .flags = 2, .ordinal = 0, .offset = 4}, NULL);
    add_offset(0, 0);
    add_time(0, 9);
    add_durable(1, 20);
    add_offset(1, 20);
    add_time(1, 10);
    flsi_marks_close_frame(&builder);
    add_durable(2, 40);
    add_offset(2, 40);
    add_time(2, 11);
    walk = expect_walk(2 + 7 + 1 + 2, FLS_END);
    assert_status(flsi_marks_walk_begin(&walk, builder.frames, builder.size, &err), FLS_OK, &err);
    const uint8_t wanted[] = {1, 6, 2, 5, 6, 3, 4, 2, 3, 4, 2, 3};
    for (size_t i = 0; i < sizeof wanted; i++) {
        assert_status(flsi_marks_walk_next(&walk, &record, &err), FLS_OK, &err);
        assert_int_equal(record.type, wanted[i]);
    }
}

static void test_rules_are_held(void **state)
{
    (void)state;
    add_header(10);
    add_offset(10, 0);
    add_offset(12, 100);
    add_durable(11, 50); /* behind the OFFSET before it: that is how syncs end */
    add_offset(12, 100);
    (void)expect_walk(5, FLS_END);
    size_t sound = builder.size;
    struct {
        flsi_record record;
        unsigned more;
    } cases[] = {
        {{.type = FLSI_RECORD_OFFSET, .ordinal = 11, .offset = 100}, 0},
        {{.type = FLSI_RECORD_OFFSET, .ordinal = 13, .offset = 99}, 0},
        {{.type = FLSI_RECORD_DURABLE, .ordinal = 10, .offset = 50}, 0},
        {{.type = FLSI_RECORD_DURABLE, .ordinal = 11, .offset = 49}, 0},
        {{.type = FLSI_RECORD_DURABLE, .ordinal = 12, .offset = 49, .small = 50}, 0},
        {{.type = FLSI_RECORD_HEADER, .flags = 1, .checksum = 4, .ordinal = 10}, 0},
        {{.type = FLSI_RECORD_TYPE}, 0},
        {{.type = FLSI_RECORD_TIMES, .ordinal = 12, .value = 1}, 0},
        {{.type = FLSI_RECORD_TIMES, .ordinal = 12, .value = 2}, 0},
        {{.type = FLSI_RECORD_CLOCK, .flags = 2}, 0},
        {{.type = FLSI_RECORD_GAP}, 0},
        {{.type = FLSI_RECORD_SEAL}, 0},
        {{.type = FLSI_RECORD_SEAL, .flags = 8}, 0},
        {{.type = 0}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        builder.size = sound;
        add(cases[i].record, NULL);
        flsi_marks_walk walk = expect_walk(5, FLS_INVALID_FRAME);
        assert_int_equal(walk.valid_bytes, sound);
        assert_true(err.known & FLS_ERROR_OFFSET);
        assert_int_equal(err.offset, sound);
    }
    builder.size = sound;
    add((flsi_record){.type = 99}, NULL);
    (void)expect_walk(5, FLS_UNSUPPORTED);
}

/* Far into a file, where an offset does not fit into 32 bits. */
static void test_walks_far_behind_the_beginning(void **state)
{
    (void)state;
    const uint64_t far = (UINT64_C(5) << 30) + 8;
    flsi_marks_walk walk;
    flsi_record record;
    add_header(0);
    flsi_marks_close_frame(&builder);
    assert_status(flsi_marks_walk_begin(&walk, builder.frames, builder.size, &err), FLS_OK, &err);
    assert_status(flsi_marks_walk_next(&walk, &record, &err), FLS_OK, &err);
    size_t header = builder.size;
    add_offset(7, 70);
    flsi_marks_close_frame(&builder);
    const size_t size = builder.size - header;
    walk.valid_bytes = far;
    flsi_marks_walk_continue(&walk, builder.frames + header, size);
    assert_status(flsi_marks_walk_next(&walk, &record, &err), FLS_OK, &err);
    assert_int_equal(record.ordinal, 7);
    assert_true(walk.frame == far);
    assert_true(walk.valid_bytes == far + size);
    builder.frames[builder.size - 1] ^= 1;
    walk.valid_bytes = far;
    flsi_marks_walk_continue(&walk, builder.frames + header, size);
    assert_status(flsi_marks_walk_next(&walk, &record, &err), FLS_CHECKSUM_MISMATCH, &err);
    assert_true(err.offset == far);
}

static void test_nothing_behind_a_seal(void **state)
{
    (void)state;
    for (uint8_t flags = 1; flags < 8; flags++) {
        builder.size = 0;
        add_header(0);
        add((flsi_record){.type = FLSI_RECORD_SEAL, .flags = flags}, NULL);
        flsi_marks_close_frame(&builder);
        add_offset(0, 0);
        if (flags == FLSI_SEAL_CLOSED) {
            assert_int_equal(expect_walk(3, FLS_END).sealed, 0);
        } else {
            assert_int_equal(expect_walk(2, FLS_INVALID_FRAME).sealed, flags);
        }
    }
}

/* Any end and any bit: never more records than are sound, and no read outside. */
static void test_cut_and_flipped_everywhere(void **state)
{
    (void)state;
    flsi_marks_walk walk;
    flsi_record record;
    add_header(0);
    flsi_marks_close_frame(&builder);
    for (uint64_t i = 0; i < 4; i++) {
        add_offset(i * 3, i * 60);
        for (uint64_t k = 0; k < 3; k++) {
            add_time(i * 3 + k, 5000 * i + 130 * k);
        }
        add_durable(i * 3 + 3, i * 60 + 60);
        flsi_marks_close_frame(&builder);
    }
    for (size_t size = 0; size < builder.size; size++) {
        uint8_t *copy = bytes_exact_copy(builder.frames, size);
        fls_status status = flsi_marks_walk_begin(&walk, copy, size, &err);
        while (status == FLS_OK) {
            status = flsi_marks_walk_next(&walk, &record, &err);
        }
        if (status != FLS_UNEXPECTED_EOF) {
            assert_status(status, FLS_END, &err);
            assert_int_equal(walk.valid_bytes, size);
        }
        free(copy);
    }
    for (size_t bit = 0; bit < builder.size * 8; bit++) {
        uint8_t *copy = bytes_exact_copy(builder.frames, builder.size);
        copy[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        fls_status status = flsi_marks_walk_begin(&walk, copy, builder.size, &err);
        while (status == FLS_OK) {
            status = flsi_marks_walk_next(&walk, &record, &err);
        }
        assert_int_not_equal(status, FLS_END);
        assert_true(walk.valid_bytes <= bit / 8);
        free(copy);
    }
}

static void test_written_bytes_are_forgotten(void **state)
{
    (void)state;
    byte_buffer file = BYTES_INIT;
    flsi_marks_walk walk;
    flsi_record record;
    unsigned records = 0;
    add_header(0);
    flsi_marks_close_frame(&builder);
    for (uint64_t i = 0; i < 50; i++) {
        add_offset(i, i * 100);
        size_t part = i % 3 == 0 ? builder.open_frame : builder.open_frame / 2;
        bytes_append(&file, builder.frames, part);
        flsi_marks_written(&builder, part);
        add_time(i, i);
        flsi_marks_close_frame(&builder);
    }
    bytes_append(&file, builder.frames, builder.size);
    flsi_marks_written(&builder, builder.size);
    assert_int_equal(builder.size, 0);
    assert_status(flsi_marks_walk_begin(&walk, file.data, file.size, &err), FLS_OK, &err);
    while (flsi_marks_walk_next(&walk, &record, &err) == FLS_OK) {
        records++;
    }
    assert_int_equal(records, 1 + 100);
    assert_int_equal(walk.valid_bytes, file.size);
    bytes_free(&file);
}

static void test_no_memory_leaves_all_as_it_was(void **state)
{
    (void)state;
    counting_allocator counting;
    flsi_marks_builder small;
    counting_allocator_init(&counting);
    flsi_marks_builder_init(&small, &counting.table);
    for (uint64_t call = 0; call < 2; call++) { /* one block for frames, one for times */
        counting.fail_from = call;
        counting.fail_calls = call == 0 ? 1 : 2;
        assert_status(flsi_marks_reserve(&small, 1, 1, &err), FLS_NO_MEMORY, &err);
    }
    counting.fail_calls = 0;
    assert_status(flsi_marks_reserve(&small, 1, 1, &err), FLS_OK, &err);
    assert_status(flsi_marks_reserve(&small, SIZE_MAX, 1, &err), FLS_NO_MEMORY, &err);
    flsi_marks_builder_fini(&small);
    assert_int_equal(counting.live_blocks, 0);
}

static void test_names(void **state)
{
    (void)state;
    char name[FLSI_NAME_BYTES];
    uint64_t ordinal = 0;
    const flsi_name_kind kinds[] = {FLSI_NAME_SEGMENT, FLSI_NAME_MARKS, FLSI_NAME_COMPRESSED};
    for (size_t i = 0; i < 3; i++) {
        flsi_name_format(name, kinds[i], FLSI_ORDINALS - 1 - i);
        assert_int_equal(flsi_name_parse(name, &ordinal), kinds[i]);
        assert_true(ordinal == FLSI_ORDINALS - 1 - i);
        flsi_name_format(name, kinds[i], FLSI_ORDINALS + i);
        assert_int_equal(flsi_name_parse(name, &ordinal), FLSI_NAME_OTHER);
    }
    flsi_name_format(name, FLSI_NAME_SEGMENT, 12);
    assert_string_equal(name, "00000000000000000012.fls");
    flsi_name_format(name, FLSI_NAME_UNFINISHED, 12);
    assert_int_equal(flsi_name_parse(name, &ordinal), FLSI_NAME_UNFINISHED);
    const char *others[] = {"18446744073709551615.fls",
                            "18446744073709551616.fls",
                            "99999999999999999999.fls",
                            "journal.json",
                            "0000000000000000001.fls",
                            "00000000000000000012.flsx",
                            "",
                            "00000000000000000012",
                            "LOCK",
                            "0000000000000000001a.fls"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(flsi_name_parse(others[i], &ordinal), FLSI_NAME_OTHER);
    }
    flsi_name_schema(name, 0x0123456789abcdef);
    assert_string_equal(name, "0123456789abcdef.bfbs");
    flsi_name_cut(name, 7, 42, "fls");
    assert_string_equal(name, "0000000007-00000000000000000042.fls");
    assert_true(flsi_name_is_cursor("a-B_9.x"));
    assert_false(flsi_name_is_cursor(""));
    assert_false(flsi_name_is_cursor(".a"));
    assert_false(flsi_name_is_cursor("a/b"));
    memset(name, 'a', sizeof name);
    name[63] = '\0';
    assert_true(flsi_name_is_cursor(name));
    char longer[FLSI_NAME_BYTES + 1];
    memset(longer, 'a', sizeof longer);
    longer[64] = '\0';
    assert_false(flsi_name_is_cursor(longer));
}

static void test_listing(void **state)
{
    (void)state;
    char path[256];
    flsi_directory directory;
    flsi_listing listing;
    const char *names[] = {"00000000000000000300.fls", "00000000000000000000.fls.zst",
                           "00000000000000000000.flm", "00000000000000000100.flm",
                           "00000000000000000200.fls", "00000000000000000200.fls.zst",
                           "00000000000000000200.flm", "journal.json",
                           ".00000000000000000400.new"};
    files_make_directory(path, sizeof path);
    assert_status(flsi_directory_open(&directory, path, 0, NULL, &err), FLS_OK, &err);
    assert_status(flsi_listing_read(&listing, &directory, fls_allocator_libc(), &err), FLS_OK,
                  &err);
    assert_int_equal(listing.count, 0);
    assert_true(flsi_listing_find(&listing, 5) == SIZE_MAX);
    flsi_listing_fini(&listing);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        files_write(files_join(path, names[i]), "", 0);
    }
    assert_status(flsi_listing_read(&listing, &directory, fls_allocator_libc(), &err), FLS_OK,
                  &err);
    assert_int_equal(listing.count, 3);
    assert_int_equal(listing.segments[0].first_ordinal, 0);
    assert_true(!listing.segments[0].has_plain && listing.segments[0].has_compressed &&
                listing.segments[0].has_marks);
    assert_true(listing.segments[1].has_plain && listing.segments[1].has_compressed);
    assert_true(listing.segments[2].has_plain && !listing.segments[2].has_marks);
    assert_int_equal(flsi_listing_find(&listing, 0), 0);
    assert_int_equal(flsi_listing_find(&listing, 199), 0);
    assert_int_equal(flsi_listing_find(&listing, 200), 1);
    assert_int_equal(flsi_listing_find(&listing, UINT64_MAX), 2);
    flsi_listing_fini(&listing);
    flsi_directory_close(&directory);
    files_remove_directory(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_record_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_times_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_times_are_put_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_more_times_than_a_frame_holds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_offsets_begin_frames, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_are_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_walks_far_behind_the_beginning, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_behind_a_seal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cut_and_flipped_everywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_written_bytes_are_forgotten, set_up, tear_down),
        cmocka_unit_test(test_no_memory_leaves_all_as_it_was),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_listing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
