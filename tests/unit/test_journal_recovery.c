/* Opening after an end that was not clean, on damage made by hand: what is kept, what is set aside,
 * what is refused, and that a second opening finds nothing to do. */
#include "journal/journal_recovery.h"

#include "journal/journal_cursor.h"
#include "journal_making.h"

/* Recovers twice: the second time there is nothing to do, and the place is the same. */
static fls_journal_report recover(void)
{
    flsi_journal_place place;
    flsi_journal_place again;
    fls_journal_report report;
    fls_journal_report second;
    assert_status(recover_with(&place, &report), FLS_OK, &err);
    assert_int_equal(report.messages, place.next_ordinal);
    if (place.has_segment) {
        assert_int_equal(files_size(name_of(FLSI_NAME_SEGMENT, place.segment_first_ordinal)),
                         place.segment_offset);
        assert_int_equal(files_size(name_of(FLSI_NAME_MARKS, place.segment_first_ordinal)),
                         place.marks_offset);
    }
    assert_status(recover_with(&again, &second), FLS_OK, &err);
    assert_int_equal(second.was_clean, 1);
    assert_int_equal(second.kept_messages, 0);
    assert_int_equal(second.cut_bytes, 0);
    assert_int_equal(second.epoch, report.epoch + 1);
    assert_true(again.last_time_ns <= place.last_time_ns); /* the first saw what was lost, too */
    again.last_time_ns = place.last_time_ns;
    assert_memory_equal(&again, &place, sizeof place);
    return report;
}

static const char *cut_path(const fls_journal_report *report)
{
    return files_join(path, report->cut_name);
}

static void shorten(const char *name, uint64_t size)
{
    byte_buffer file = BYTES_INIT;
    assert_int_equal(files_read(name, &file), 0);
    assert_true(size <= file.size);
    files_write(name, file.data, (size_t)size);
    bytes_free(&file);
}

static void add_bytes(const char *name, const void *bytes, size_t size)
{
    byte_buffer file = BYTES_INIT;
    assert_int_equal(files_read(name, &file), 0);
    bytes_append(&file, bytes, size);
    files_write(name, file.data, file.size);
    bytes_free(&file);
}

static void flip(const char *name, uint64_t byte)
{
    byte_buffer file = BYTES_INIT;
    assert_int_equal(files_read(name, &file), 0);
    file.data[byte] ^= 0x10;
    files_write(name, file.data, file.size);
    bytes_free(&file);
}

static void test_new_and_clean(void **state)
{
    (void)state;
    flsi_journal_place place;
    fls_journal_report report;
    make_journal(FLS_CHECKSUM_XXH3);
    assert_status(recover_with(&place, &report), FLS_OK, &err);
    assert_int_equal(place.next_ordinal, 0);
    assert_false(place.has_segment);
    make_segment(0, 20, 20, FLSI_SEAL_ROTATED);
    make_segment(20, 33, 33, 0);
    report = recover();
    assert_int_equal(report.was_clean, 1);
    assert_int_equal(report.messages, 33);
    assert_int_equal(report.base_ordinal, 33);
    assert_status(recover_with(&place, &report), FLS_OK, &err);
    assert_true(place.has_segment);
    assert_int_equal(place.segment_first_ordinal, 20);
    assert_int_equal(place.last_time_ns, time_of(32));
    assert_int_equal(place.segment_begun_ns, time_of(20));
    assert_int_equal(place.segment_epoch, MADE_EPOCH);
    assert_false(files_exist(files_join(path, "cut")));
    end_journal();
    make_journal(FLS_CHECKSUM_XXH3);
    make_segment(0, 20, 20, FLSI_SEAL_ROTATED); /* the next one was never begun */
    assert_status(recover_with(&place, &report), FLS_OK, &err);
    assert_false(place.has_segment);
    assert_int_equal(place.next_ordinal, 20);
    end_journal();
}

/* Nothing was lost: all behind the mark is kept, in a segment of its own, with times and gaps. */
static void test_all_is_kept(void **state)
{
    (void)state;
    const uint64_t durables[] = {20, 21, 27, 32};
    for (size_t i = 0; i < sizeof durables / sizeof durables[0]; i++) {
        make_journal(FLS_CHECKSUM_XXH3);
        make_segment(0, 20, 20, FLSI_SEAL_ROTATED);
        make_segment(20, 33, durables[i], 0);
        fls_journal_report report;
        flsi_journal_place place;
        assert_status(recover_with(&place, &report), FLS_OK, &err);
        /* Behind all that is before it, and not behind what is in it. */
        assert_int_equal(place.segment_begun_ns, time_of(durables[i]));
        assert_int_equal(report.was_clean, 0);
        assert_int_equal(report.base_ordinal, durables[i]);
        assert_int_equal(report.kept_messages, 33 - durables[i]);
        assert_int_equal(report.cut_bytes, 0);
        assert_int_equal(report.rebuilt, 0);
        assert_int_equal(report.epoch, MADE_EPOCH + 1);
        found all = expect_journal(0);
        assert_int_equal(all.messages, 33);
        assert_int_equal(all.cut_gaps, 0);
        assert_int_equal(all.gaps, 4);
        assert_true(all.timed >= 33);
        assert_false(files_exist(files_join(path, "cut")));
        end_journal();
    }
}

/* The file ends anywhere behind the mark. */
static void test_torn_anywhere(void **state)
{
    (void)state;
    const fls_checksum checksums[] = {FLS_CHECKSUM_XXH3, FLS_CHECKSUM_CRC16};
    for (size_t c = 0; c < 2; c++) {
        for (uint64_t durable = 20; durable <= 24; durable += 4) {
            make_journal(checksums[c]);
            uint64_t base = offset_of(20, durable);
            uint64_t full = offset_of(20, 27);
            end_journal();
            for (uint64_t size = base; size <= full; size += size % 3 + 1) {
                make_journal(checksums[c]);
                make_segment(0, 20, 20, FLSI_SEAL_ROTATED);
                make_segment(20, 27, durable, 0);
                shorten(name_of(FLSI_NAME_SEGMENT, 20), size);
                uint64_t whole = durable;
                while (whole < 27 && offset_of(20, whole + 1) <= size) {
                    whole++;
                }
                uint64_t cut = size - offset_of(20, whole);
                fls_journal_report report = recover();
                assert_int_equal(report.messages, whole);
                assert_int_equal(report.kept_messages, whole - durable);
                assert_int_equal(report.cut_bytes, cut);
                assert_int_equal(report.cut_messages, 0);
                found all = expect_journal(0);
                assert_int_equal(all.messages, whole);
                assert_int_equal(all.cut_gaps, cut > 0);
                assert_true(all.timed >= whole);
                if (cut > 0) {
                    assert_int_equal(files_size(cut_path(&report)), cut);
                    assert_int_equal(report.fault.status, FLS_UNEXPECTED_EOF);
                }
                end_journal();
            }
        }
    }
}

/* Any byte behind the mark is another one. */
static void test_garbled_anywhere(void **state)
{
    (void)state;
    make_journal(FLS_CHECKSUM_XXH3);
    uint64_t base = offset_of(20, 23);
    uint64_t full = offset_of(20, 27);
    end_journal();
    for (uint64_t byte = base; byte < full; byte += 1 + byte % 2) {
        make_journal(FLS_CHECKSUM_XXH3);
        make_segment(0, 20, 20, FLSI_SEAL_ROTATED);
        make_segment(20, 27, 23, 0);
        flip(name_of(FLSI_NAME_SEGMENT, 20), byte);
        uint64_t hit = 23;
        while (offset_of(20, hit + 1) <= byte) {
            hit++;
        }
        fls_journal_report report = recover();
        assert_int_equal(report.messages, hit);
        assert_int_equal(report.cut_bytes, full - offset_of(20, hit));
        assert_int_equal(report.cut_messages, 26 - hit); /* those behind prove sound */
        assert_int_equal(report.fault.offset, offset_of(20, hit));
        assert_int_equal(files_size(cut_path(&report)), report.cut_bytes);
        found all = expect_journal(0);
        assert_int_equal(all.messages, hit);
        assert_int_equal(all.cut_gaps, 1);
        end_journal();
    }
}

static void test_zeros_behind(void **state)
{
    (void)state;
    static const uint8_t zeros[5000];
    const fls_checksum checksums[] = {FLS_CHECKSUM_XXH3, FLS_CHECKSUM_NONE};
    const size_t sizes[] = {3, 4, 15, 16, 5000};
    for (size_t c = 0; c < 2; c++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            make_journal(checksums[c]);
            make_segment(0, 12, 7, 0);
            add_bytes(name_of(FLSI_NAME_SEGMENT, 0), zeros, sizes[i]);
            fls_journal_report report = recover();
            assert_int_equal(report.messages, 12);
            assert_int_equal(report.cut_bytes, sizes[i]);
            assert_int_equal(files_size(cut_path(&report)), sizes[i]);
            assert_int_equal(expect_journal(0).messages, 12);
            end_journal();
        }
    }
}

/* A durable mark that speaks of more, or of other bytes: refused, and nothing is changed. */
static void test_marks_that_are_not_so(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        flsi_journal_place place;
        fls_journal_report report;
        byte_buffer before = BYTES_INIT;
        byte_buffer after = BYTES_INIT;
        make_journal(FLS_CHECKSUM_XXH3);
        make_segment(0, 20, 20, FLSI_SEAL_ROTATED);
        make_segment(20, 27, 24, how == 2 ? FLSI_SEAL_CLOSED : 0);
        if (how == 0) {
            shorten(name_of(FLSI_NAME_SEGMENT, 20), offset_of(20, 24) - 1);
        } else if (how == 1) {
            flip(name_of(FLSI_NAME_SEGMENT, 20), offset_of(20, 24) - 1);
        } else {
            shorten(name_of(FLSI_NAME_SEGMENT, 20), offset_of(20, 27) - 1);
        }
        assert_int_equal(files_read(name_of(FLSI_NAME_SEGMENT, 20), &before), 0);
        assert_status(recover_with(&place, &report), FLS_CHECKSUM_MISMATCH, &err);
        assert_non_null(strstr(err.text, "rebuild"));
        assert_int_equal(files_read(name_of(FLSI_NAME_SEGMENT, 20), &after), 0);
        assert_int_equal(before.size, after.size);
        assert_memory_equal(before.data, after.data, after.size);
        assert_status(flsi_manifest_load(&manifest, &journal, fls_allocator_libc(), &err), FLS_OK,
                      &err);
        assert_int_equal(manifest.epoch, MADE_EPOCH);
        assert_false(files_exist(files_join(path, "cut")));
        bytes_free(&before);
        bytes_free(&after);
        end_journal();
    }
}

/* The marks end anywhere, or are gone: no message that is in the file is lost. */
static void test_marks_cut_anywhere(void **state)
{
    (void)state;
    make_journal(FLS_CHECKSUM_XXH3);
    make_segment(20, 33, 29, 0);
    uint64_t full = files_size(name_of(FLSI_NAME_MARKS, 20));
    end_journal();
    for (uint64_t size = 0; size <= full; size += 1 + size % 2) {
        make_journal(FLS_CHECKSUM_XXH3);
        make_segment(0, 20, 20, FLSI_SEAL_ROTATED);
        make_segment(20, 33, 29, 0);
        shorten(name_of(FLSI_NAME_MARKS, 20), size);
        if (size == 0) {
            assert_int_equal(remove(name_of(FLSI_NAME_MARKS, 20)), 0);
        }
        fls_journal_report report = recover();
        assert_int_equal(report.messages, 33);
        assert_int_equal(report.cut_bytes, 0);
        found all = expect_journal(0);
        assert_int_equal(all.messages, 33);
        if (report.rebuilt) {
            assert_true(all.timed == 33);
        }
        end_journal();
    }
}

/* Files as a crash right after rotation leaves them. */
static void test_a_segment_that_was_just_begun(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        flsi_journal_place place;
        fls_journal_report report;
        make_journal(FLS_CHECKSUM_XXH3);
        make_segment(0, 20, 20, FLSI_SEAL_ROTATED);
        if (how == 0 || how == 2) {
            files_write(name_of(FLSI_NAME_SEGMENT, 20), "", 0);
        }
        if (how >= 1) {
            files_write(name_of(FLSI_NAME_MARKS, 20), "\0\0\0\0garbage", how == 3 ? 11 : 0);
        }
        assert_status(recover_with(&place, &report), FLS_OK, &err);
        assert_int_equal(place.next_ordinal, 20);
        assert_int_equal(place.last_time_ns, time_of(19));
        assert_int_equal(report.rebuilt, 0);
        if (!place.has_segment) {
            assert_false(files_exist(name_of(FLSI_NAME_MARKS, 20)));
        }
        (void)recover();
        assert_int_equal(expect_journal(0).messages, 20);
        end_journal();
    }
}

/* What an interrupted recovery leaves: the new segment is there, the old one still holds its end.
 */
static void test_superseded_ends(void **state)
{
    (void)state;
    flsi_journal_place place;
    fls_journal_report report;
    make_journal(FLS_CHECKSUM_XXH3);
    make_segment(0, 33, 20, 0);
    make_segment(20, 31, 31, 0);
    assert_status(recover_with(&place, &report), FLS_OK, &err);
    assert_int_equal(report.was_clean, 1);
    assert_int_equal(place.next_ordinal, 31);
    assert_int_equal(expect_journal(0).messages, 31);
    assert_true(files_exist(files_join(path, "cut/0000000006-00000000000000000020.fls")));
    (void)recover();
    end_journal();
}

/* A seal that nothing proves moves no time, whether the marks that come next are there or not. */
static void test_a_seal_that_was_changed(void **state)
{
    (void)state;
    for (int with_marks = 0; with_marks < 2; with_marks++) {
        flsi_journal_place place;
        fls_journal_report report;
        make_journal(FLS_CHECKSUM_XXH3);
        make_segment(0, 20, 20, FLSI_SEAL_ROTATED);
        make_segment(20, 33, 33, 0);
        byte_buffer marks = BYTES_INIT;
        assert_int_equal(files_read(name_of(FLSI_NAME_MARKS, 0), &marks), 0);
        marks.data[marks.size - 1] = 0x7F; /* of the seal's time */
        files_write(name_of(FLSI_NAME_MARKS, 0), marks.data, marks.size);
        bytes_free(&marks);
        if (!with_marks) {
            assert_int_equal(remove(name_of(FLSI_NAME_MARKS, 20)), 0);
        }
        assert_status(recover_with(&place, &report), FLS_OK, &err);
        assert_int_equal(place.next_ordinal, 33);
        assert_true(place.last_time_ns < UINT64_C(1)
                                             << 62); /* guessed: when the file was written */
        end_journal();
    }
}

static void put_cursor(const char *name, uint64_t ordinal)
{
    fls_journal_cursor cursor = {.ordinal = ordinal, .epoch = 1, .offset = 9, .checksum = 7};
    strcpy(cursor.name, name);
    assert_status(flsi_cursor_store(&journal, &cursor, &err), FLS_OK, &err);
}

static void test_cursors_past_the_end(void **state)
{
    (void)state;
    fls_journal_cursor cursor;
    make_journal(FLS_CHECKSUM_XXH3);
    make_segment(0, 33, 20, 0);
    shorten(name_of(FLSI_NAME_SEGMENT, 0), offset_of(0, 25) + 1);
    put_cursor("before", 24);
    put_cursor("at", 25);
    put_cursor("behind", 26);
    files_write(files_join(files_join(path, "cursors"), "damaged"), "{", 1);
    fls_journal_report report = recover();
    assert_int_equal(report.moved_cursors, 1);
    const struct {
        const char *name;
        uint64_t ordinal;
        uint64_t offset;
    } wanted[] = {{"before", 24, 9}, {"at", 25, 9}, {"behind", 25, 0}};
    for (size_t i = 0; i < 3; i++) {
        assert_status(
            flsi_cursor_load(&journal, wanted[i].name, &cursor, fls_allocator_libc(), &err), FLS_OK,
            &err);
        assert_int_equal(cursor.ordinal, wanted[i].ordinal);
        assert_int_equal(cursor.offset, wanted[i].offset);
    }
    end_journal();
}

/* Every bit of a small journal's last segment and manifest: never a crash, never a message that was
 * not appended; what was durable before the damage is there, or the refusal says what is wrong. */
static void test_flips_of_every_byte(void **state)
{
    (void)state;
    const flsi_name_kind kinds[] = {FLSI_NAME_SEGMENT, FLSI_NAME_MARKS};
    make_journal(FLS_CHECKSUM_XXH3);
    make_segment(20, 27, 23, 0);
    uint64_t sizes[] = {files_size(name_of(FLSI_NAME_SEGMENT, 20)),
                        files_size(name_of(FLSI_NAME_MARKS, 20))};
    uint64_t durable_offset = offset_of(20, 23);
    end_journal();
    for (size_t k = 0; k < 2; k++) {
        for (uint64_t byte = 0; byte < sizes[k]; byte++) {
            flsi_journal_place place;
            fls_journal_report report;
            make_journal(FLS_CHECKSUM_XXH3);
            make_segment(0, 20, 20, FLSI_SEAL_ROTATED);
            make_segment(20, 27, 23, 0);
            flip(name_of(kinds[k], 20), byte);
            fls_status status = recover_with(&place, &report);
            if (status == FLS_CHECKSUM_MISMATCH) {
                assert_int_equal(k, 0);
                assert_true(byte < durable_offset);
            } else {
                assert_true(status == FLS_OK);
                assert_true(report.messages >= 23);
                assert_true(k == 0 || report.messages == 27);
            }
            end_journal();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_and_clean),
        cmocka_unit_test(test_all_is_kept),
        cmocka_unit_test(test_torn_anywhere),
        cmocka_unit_test(test_garbled_anywhere),
        cmocka_unit_test(test_zeros_behind),
        cmocka_unit_test(test_marks_that_are_not_so),
        cmocka_unit_test(test_marks_cut_anywhere),
        cmocka_unit_test(test_a_segment_that_was_just_begun),
        cmocka_unit_test(test_superseded_ends),
        cmocka_unit_test(test_a_seal_that_was_changed),
        cmocka_unit_test(test_cursors_past_the_end),
        cmocka_unit_test(test_flips_of_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
