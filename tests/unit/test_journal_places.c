/* Finding places by the marks of a segment, against a list of all that the marks tell of: in sound
 * files, with any one frame damaged, and while they grow.
 */
#include "journal/journal_places.h"

#include <stdlib.h>
#include <unistd.h>

#include "os/os_directory.h"
#include "support/files.h"
#include "support/prng.h"
#include "support/testing.h"

#define FIRST_ORDINAL 1000u
#define FIRST_TIME    5000u
#define MOST          40000u

/* The marks, the frames that they are made of, and the places that these tell of. */
static byte_buffer marks;
static struct {
    uint64_t ordinal;
    uint64_t offset;
    uint64_t time_ns;
    size_t frame;
} told[MOST];
static size_t told_count;
static size_t frame_at[MOST];
static size_t frame_count;

static char path[300];
static flsi_file file;
static flsi_places places;
static fls_error err;

static uint32_t below(prng *random, size_t most)
{
    return (uint32_t)prng_below(random, most);
}

static void add(flsi_marks_builder *builder, flsi_record record, const void *data)
{
    assert_int_equal(flsi_marks_reserve(builder, 2 + record.small / 32, 0, &err), FLS_OK);
    flsi_marks_add(builder, &record, data);
}

static void tell(uint64_t ordinal, uint64_t offset, uint64_t time_ns)
{
    assert_true(told_count < MOST);
    told[told_count].ordinal = ordinal;
    told[told_count].offset = offset;
    told[told_count].time_ns = time_ns;
    told[told_count++].frame = frame_count - 1;
}

static void begin_frame(flsi_marks_builder *builder)
{
    flsi_marks_close_frame(builder);
    assert_true(frame_count < MOST);
    frame_at[frame_count++] = builder->size;
}

/* Frames of every kind: with one OFFSET and with many, short ones and such that are longer than
 * what is read at once; durable marks at the last place and behind it; gaps, and data that looks
 * like frames. */
/* NOLINTNEXTLINE(readability-function-size): a list of what marks can hold */
static void make_marks(uint32_t seed, size_t frames, int is_tricky)
{
    prng random = prng_seeded(seed);
    flsi_marks_builder builder;
    static uint8_t data[100000];
    uint64_t ordinal = FIRST_ORDINAL;
    uint64_t offset = 0;
    uint64_t time_ns = FIRST_TIME;
    told_count = frame_count = 0;
    bytes_clear(&marks);
    flsi_marks_builder_init(&builder, fls_allocator_libc());
    begin_frame(&builder);
    tell(ordinal, offset, time_ns);
    add(&builder,
        (flsi_record){.type = FLSI_RECORD_HEADER,
                      .flags = FLSI_MARKS_VERSION,
                      .checksum = FLS_CHECKSUM_XXH3,
                      .header_flags = FLSI_HEADER_TIMES,
                      .ordinal = FIRST_ORDINAL,
                      .time_ns = FIRST_TIME},
        NULL);
    for (size_t i = 0; i < frames; i++) {
        begin_frame(&builder);
        uint32_t offsets = below(&random, 8) == 0 ? below(&random, 40) : 1;
        for (uint32_t k = 0; k < offsets; k++) {
            if (ordinal > FIRST_ORDINAL) {
                tell(ordinal, offset, time_ns);
            }
            add(&builder,
                (flsi_record){.type = FLSI_RECORD_OFFSET,
                              .ordinal = ordinal,
                              .offset = offset,
                              .time_ns = time_ns},
                NULL);
            uint32_t count = 1 + below(&random, 90);
            memset(data, 0, sizeof data);
            for (uint32_t m = 0; m + 1 < count; m++) {
                data[m] = (uint8_t)(below(&random, 3) * 0x20);
                time_ns += data[m];
            }
            add(&builder,
                (flsi_record){.type = FLSI_RECORD_TIMES,
                              .small = count - 1,
                              .ordinal = ordinal,
                              .time_ns = time_ns,
                              .value = count},
                data);
            ordinal += count;
            offset += count * 13;
            time_ns += below(&random, 2) * 1000;
        }
        if (below(&random, 30) == 0) { /* of a later version */
            uint32_t size = below(&random, sizeof data);
            for (size_t at = 0; is_tricky && at + 16 < size; at += 32) {
                flsi_store_le32(data + at + 4, 32u << below(&random, 12));
                data[at + 16] = FLSI_RECORD_OFFSET;
            }
            add(&builder, (flsi_record){.type = 200, .small = size, .ordinal = below(&random, 100)},
                data);
        }
        if (below(&random, 3) == 0) {
            add(&builder,
                (flsi_record){.type = FLSI_RECORD_GAP, .flags = 1, .ordinal = ordinal, .offset = 1},
                NULL);
        }
        if (below(&random, 3) == 0) {
            begin_frame(&builder);
            add(&builder,
                (flsi_record){
                    .type = FLSI_RECORD_DURABLE, .small = 13, .ordinal = ordinal, .offset = offset},
                NULL);
            tell(ordinal, offset, time_ns);
            if (below(&random, 2) == 0) { /* further on than the next OFFSET's is not */
                ordinal += 1;
                offset += 13;
            }
        }
    }
    if (seed % 2 != 0) {
        begin_frame(&builder);
        tell(ordinal, offset, time_ns);
        add(&builder,
            (flsi_record){.type = FLSI_RECORD_SEAL,
                          .flags = FLSI_SEAL_ROTATED,
                          .ordinal = ordinal,
                          .offset = offset,
                          .time_ns = time_ns},
            NULL);
    }
    flsi_marks_close_frame(&builder);
    bytes_append(&marks, builder.frames, builder.size);
    flsi_marks_builder_fini(&builder);
}

static void write_marks(size_t size)
{
    files_write(path, marks.data, size);
    places.marks_end = size;
}

static void start(void)
{
    flsi_places_fini(&places);
    flsi_places_init(&places, &file, fls_allocator_libc());
    places.marks_end = marks.size;
    assert_status(flsi_places_restart(&places, FIRST_ORDINAL, FIRST_TIME, &err), FLS_OK, &err);
}

static int make(void **state)
{
    (void)state;
    static char directory[256];
    files_make_directory(directory, sizeof directory);
    (void)snprintf(path, sizeof path, "%s/marks", directory);
    *state = directory;
    files_write(path, "", 0);
    marks = (byte_buffer)BYTES_INIT;
    flsi_directory in;
    assert_status(flsi_directory_open(&in, directory, 0, NULL, &err), FLS_OK, &err);
    assert_status(flsi_directory_file(&in, &file, "marks", FLSI_OPEN_READ, NULL, &err), FLS_OK,
                  &err);
    flsi_directory_close(&in);
    return 0;
}

static int unmake(void **state)
{
    flsi_places_fini(&places);
    (void)flsi_file_close(&file, NULL);
    bytes_free(&marks);
    files_remove_directory(*state);
    return 0;
}

/* The place that is to be found, and the one behind it: of those that undamaged frames tell of. */
static void expect(flsi_place_key by, uint64_t key, size_t damaged, size_t limit)
{
    size_t index;
    size_t low = 0;
    size_t high = SIZE_MAX;
    assert_status(flsi_places_find(&places, by, key, &index, &err), FLS_OK, &err);
    for (size_t i = 1; i < limit && high == SIZE_MAX; i++) {
        uint64_t value = by == FLSI_BY_ORDINAL  ? told[i].ordinal
                         : by == FLSI_BY_OFFSET ? told[i].offset
                                                : told[i].time_ns;
        if (told[i].frame == damaged || told[i].ordinal == told[low].ordinal) {
            continue;
        }
        if (by == FLSI_BY_TIME ? value >= key : value > key) {
            high = i;
        } else {
            low = i;
        }
    }
    const flsi_place *found = &places.all[index];
    if (by != FLSI_BY_TIME) {
        assert_int_equal(found->ordinal, told[low].ordinal);
        assert_int_equal(found->offset, told[low].offset);
        assert_int_equal(index + 1 < places.count, high != SIZE_MAX);
        if (high != SIZE_MAX) {
            assert_int_equal(found[1].ordinal, told[high].ordinal);
            assert_int_equal(found[1].offset, told[high].offset);
        }
        return;
    }
    /* By time: not behind the last one that is older, and that as near as places with times are. */
    assert_true(found->ordinal <= told[low].ordinal);
    assert_true(index == 0 || (found->is_its_time && found->time_ns < key));
    for (size_t i = index + 1; i < places.count && places.all[i].ordinal <= told[low].ordinal;
         i++) {
        assert_false(places.all[i].is_its_time);
    }
}

static void expect_anywhere(prng *random, size_t damaged, size_t limit, int count)
{
    const uint64_t end = told[limit - 1].ordinal + 3;
    for (int i = 0; i < count; i++) {
        if (i % 4 == 0) {
            start();
        }
        uint64_t ordinal =
            FIRST_ORDINAL + below(random, (uint32_t)(end - FIRST_ORDINAL)) - (i % 7 == 0);
        expect(FLSI_BY_ORDINAL, ordinal, damaged, limit);
        expect(FLSI_BY_OFFSET, below(random, (uint32_t)told[limit - 1].offset + 20), damaged,
               limit);
        expect(FLSI_BY_TIME,
               FIRST_TIME + below(random, (uint32_t)(told[limit - 1].time_ns - FIRST_TIME) + 100),
               damaged, limit);
    }
}

static void test_sound(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 9; seed++) {
        prng random = prng_seeded(seed);
        make_marks(seed, seed * seed * 8, seed % 3 == 0);
        write_marks(marks.size);
        expect_anywhere(&random, SIZE_MAX, told_count, 80);
        start();
        for (size_t i = 0; i < told_count; i++) {
            expect(FLSI_BY_ORDINAL, told[i].ordinal, SIZE_MAX, told_count);
        }
    }
}

/* Nothing is far from what is asked for: little of the marks is read. */
static void test_reads_little(void **state)
{
    size_t index;
    (void)state;
    make_marks(7, 6000, 0);
    write_marks(marks.size);
    assert_true(marks.size > 2000000);
    start();
    assert_status(
        flsi_places_find(&places, FLSI_BY_ORDINAL, told[told_count / 3].ordinal, &index, &err),
        FLS_OK, &err);
    assert_int_equal(places.all[index].ordinal, told[told_count / 3].ordinal);
    assert_in_range(places.count, 2, 300);
    /* However often, no more is kept than there is room for. */
    prng random = prng_seeded(3);
    for (int i = 0; i < 1500; i++) {
        uint64_t ordinal = told[below(&random, (uint32_t)told_count)].ordinal;
        assert_status(flsi_places_find(&places, FLSI_BY_ORDINAL, ordinal, &index, &err), FLS_OK,
                      &err);
        assert_int_equal(places.all[index].ordinal, ordinal);
        assert_true(places.count < 5000);
    }
}

static void test_damaged(void **state)
{
    (void)state;
    prng random = prng_seeded(5);
    make_marks(3, 300, 1);
    for (size_t i = 1; i < frame_count; i += 3) {
        size_t end = i + 1 < frame_count ? frame_at[i + 1] : marks.size;
        size_t at = frame_at[i] + below(&random, (uint32_t)(end - frame_at[i]));
        at = i % 2 == 0 ? frame_at[i] + below(&random, 4) : at; /* lengths */
        uint8_t was = marks.data[at];
        marks.data[at] ^= (uint8_t)(1u << below(&random, 8));
        write_marks(marks.size);
        expect_anywhere(&random, i, told_count, 12);
        marks.data[at] = was;
    }
}

/* What is half there is found when it is whole. */
static void test_grows(void **state)
{
    (void)state;
    make_marks(12, 150, 0);
    start();
    size_t limit = 1;
    for (size_t size = 0; size <= marks.size; size += 7 + size % 190) {
        size_t whole = 0;
        while (whole < frame_count &&
               (whole + 1 < frame_count ? frame_at[whole + 1] : marks.size) <= size) {
            whole++;
        }
        for (limit = 1; limit < told_count && told[limit].frame < whole;) {
            limit++;
        }
        write_marks(size);
        expect(FLSI_BY_ORDINAL, told[limit - 1].ordinal, SIZE_MAX, limit);
        expect(FLSI_BY_OFFSET, UINT64_MAX, SIZE_MAX, limit);
        expect(FLSI_BY_ORDINAL, told[limit / 2].ordinal, SIZE_MAX, limit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sound, make, unmake),
        cmocka_unit_test_setup_teardown(test_reads_little, make, unmake),
        cmocka_unit_test_setup_teardown(test_damaged, make, unmake),
        cmocka_unit_test_setup_teardown(test_grows, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
