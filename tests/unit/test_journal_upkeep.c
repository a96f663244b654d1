/* Keeping journals: retention with cursors in its way, cursors themselves, and rebuilding what was
 * lost of manifest and marks. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "journal/journal_cursor.h"
#include "journal/journal_prune.h"
#include "journal_making.h"
#include "os/os_calls.h"

static uint64_t oldest(void)
{
    flsi_listing listing;
    assert_status(flsi_listing_read(&listing, &journal, fls_allocator_libc(), &err), FLS_OK, &err);
    uint64_t first = listing.segments[0].first_ordinal;
    flsi_listing_fini(&listing);
    return first;
}

static void make_five(void)
{
    make_journal(FLS_CHECKSUM_XXH3);
    for (uint64_t i = 0; i < 5; i++) {
        make_segment(i * 10, i * 10 + 10, i * 10 + 10, i < 4 ? FLSI_SEAL_ROTATED : 0);
    }
}

static fls_prune_report prune(fls_prune_options options)
{
    fls_prune_report report = {.struct_bytes = sizeof report};
    options.struct_bytes = sizeof options;
    assert_status(fls_journal_prune(path, &options, &report, &err), FLS_OK, &err);
    return report;
}

static void test_prune_by_each_limit(void **state)
{
    (void)state;
    make_five();
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < 5; i++) {
        bytes += files_size(name_of(FLSI_NAME_SEGMENT, i * 10)) +
                 files_size(name_of(FLSI_NAME_MARKS, i * 10));
    }
    uint64_t first_bytes =
        files_size(name_of(FLSI_NAME_SEGMENT, 0)) + files_size(name_of(FLSI_NAME_MARKS, 0));
    assert_int_equal(prune((fls_prune_options){0}).segments, 0);
    fls_prune_report report = prune((fls_prune_options){.retain_segments = 2, .dry_run = 1});
    assert_int_equal(report.segments, 3);
    assert_int_equal(report.first_ordinal, 30);
    assert_int_equal(oldest(), 0);
    assert_int_equal(prune((fls_prune_options){.retain_bytes = bytes}).segments, 0);
    report = prune((fls_prune_options){.retain_bytes = bytes - 1});
    assert_int_equal(report.segments, 1);
    assert_int_equal(report.bytes, first_bytes);
    assert_int_equal(oldest(), 10);
    assert_false(files_exist(name_of(FLSI_NAME_MARKS, 0)));
    assert_int_equal(prune((fls_prune_options){.before_ordinal = 19}).segments, 0);
    assert_int_equal(prune((fls_prune_options){.before_ordinal = 20}).segments, 1);
    assert_int_equal(prune((fls_prune_options){.retain_segments = 2}).segments, 1);
    assert_int_equal(prune((fls_prune_options){.retain_bytes = 1}).segments, 1);
    assert_int_equal(oldest(), 40); /* never the last */
    end_journal();
}

static void test_prune_by_age(void **state)
{
    (void)state;
    fls_prune_options options = {.struct_bytes = sizeof options, .retain_age_ns = 1000};
    fls_prune_report report;
    make_five();
    /* The third segment's end, and with it the fourth's beginning, lie 1 ns too far back. */
    assert_status(flsi_prune_segments(&journal, &options, 50, time_of(30) + 1001,
                                      fls_allocator_libc(), &report, &err),
                  FLS_OK, &err);
    assert_int_equal(report.segments, 3);
    assert_int_equal(oldest(), 30);
    end_journal();
}

static void test_cursors_hold_segments(void **state)
{
    (void)state;
    fls_journal_cursor cursor;
    make_five();
    assert_status(fls_journal_cursor_set(path, "slow", 15, &err), FLS_OK, &err);
    assert_status(fls_journal_cursor_set(path, "fast", 45, &err), FLS_OK, &err);
    assert_status(fls_journal_cursor_set(path, "ahead", 51, &err), FLS_INVALID_ARGUMENT, &err);
    assert_status(fls_journal_cursor_set(path, "../x", 1, &err), FLS_INVALID_ARGUMENT, &err);
    fls_prune_report report = prune((fls_prune_options){.retain_segments = 1});
    assert_int_equal(report.segments, 1);
    assert_int_equal(report.held, 1);
    assert_string_equal(report.holder, "slow");
    assert_int_equal(oldest(), 10);
    report = prune((fls_prune_options){.retain_segments = 3, .cursor_lag_messages = 35});
    assert_int_equal(report.segments, 0); /* it lags by 35 */
    report = prune((fls_prune_options){.retain_segments = 3, .cursor_lag_messages = 34});
    assert_int_equal(report.segments, 1);
    assert_status(fls_journal_cursor_remove(path, "slow", &err), FLS_OK, &err);
    assert_status(fls_journal_cursor_remove(path, "slow", &err), FLS_END, &err);
    assert_status(fls_journal_cursor_get(path, "slow", &cursor, &err), FLS_END, &err);
    files_write(files_join(files_join(path, "cursors"), "bad"), "x", 1);
    assert_status(fls_journal_cursor_get(path, "bad", &cursor, &err), FLS_INVALID_FRAME, &err);
    report = prune((fls_prune_options){.retain_segments = 1});
    assert_int_equal(report.segments, 0);
    assert_string_equal(report.holder, "bad"); /* where it points is not known */
    report = prune((fls_prune_options){.retain_segments = 1, .force = 1});
    assert_int_equal(report.segments, 2);
    assert_int_equal(oldest(), 40);
    end_journal();
}

typedef struct seen_cursors {
    unsigned count;
    unsigned damaged;
    uint64_t ordinals;
} seen_cursors;

static fls_status see(void *self, const fls_journal_cursor *cursor, const fls_error *damage)
{
    seen_cursors *seen = self;
    seen->count++;
    seen->damaged += damage != NULL;
    seen->ordinals += damage == NULL ? cursor->ordinal : 0;
    return seen->count == 100 ? FLS_STOPPED : FLS_OK;
}

/* Where the cursor's message begins in its segment, and the frame before it. */
static void expect_place(const fls_journal_cursor *cursor, uint64_t end)
{
    uint64_t before = cursor->ordinal - 1;
    uint64_t first = before / 10 * 10;
    byte_buffer file = BYTES_INIT;
    if (cursor->ordinal == 0) {
        assert_int_equal(cursor->offset | cursor->checksum, 0);
        return;
    }
    assert_int_equal(files_read(name_of(FLSI_NAME_SEGMENT, first), &file), 0);
    size_t from = (size_t)offset_of(first, before);
    size_t to = (size_t)offset_of(first, before + 1);
    assert_int_equal(cursor->offset, cursor->ordinal % 10 == 0 && cursor->ordinal != end ? 0 : to);
    assert_int_equal(cursor->checksum,
                     fls_checksum_digest(FLS_CHECKSUM_XXH3, file.data + from, to - from));
    bytes_free(&file);
}

static void test_cursors_note_their_place(void **state)
{
    (void)state;
    fls_journal_cursor cursor;
    make_five();
    for (uint64_t i = 0; i <= 50; i++) {
        assert_status(fls_journal_cursor_set(path, "one", i, &err), FLS_OK, &err);
        assert_status(fls_journal_cursor_get(path, "one", &cursor, &err), FLS_OK, &err);
        assert_int_equal(cursor.ordinal, i);
        expect_place(&cursor, 50);
    }
    /* A frame that is damaged: not noted, and no failure. */
    byte_buffer file = BYTES_INIT;
    assert_int_equal(files_read(name_of(FLSI_NAME_SEGMENT, 20), &file), 0);
    file.data[offset_of(20, 25) + 20] ^= 1;
    files_write(name_of(FLSI_NAME_SEGMENT, 20), file.data, file.size);
    bytes_free(&file);
    for (uint64_t i = 25; i <= 27; i++) {
        assert_status(fls_journal_cursor_set(path, "one", i, &err), FLS_OK, &err);
        assert_status(fls_journal_cursor_get(path, "one", &cursor, &err), FLS_OK, &err);
        assert_int_equal(cursor.ordinal, i);
        assert_int_equal(cursor.checksum == 0, i == 26);
        assert_int_equal(cursor.offset == 0, i == 26);
    }
    end_journal();
}

/* A consumer need not be allowed to write to anything but cursors, and who only asks what would be
 * removed, to nothing at all. */
static int writing_opens;

static int watching_openat(int at, const char *name, int flags, mode_t mode)
{
    const char *extension = strrchr(name, '.');
    if (extension != NULL && strncmp(extension, ".fl", 3) == 0) {
        writing_opens += (flags & (O_WRONLY | O_RDWR)) != 0;
    }
    return flsi_os_calls_system()->openat(at, name, flags, mode);
}

static int read_only_openat(int at, const char *name, int flags, mode_t mode)
{
    if ((flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0) {
        errno = EROFS;
        return -1;
    }
    return flsi_os_calls_system()->openat(at, name, flags, mode);
}

static void test_cursors_only_read_segments(void **state)
{
    (void)state;
    flsi_os_calls calls = *flsi_os_calls_system();
    calls.openat = watching_openat;
    make_five();
    assert_status(flsi_journal_cursor_set(path, "one", 33, &calls, &err), FLS_OK, &err);
    assert_int_equal(writing_opens, 0);
    const fls_prune_options prune = {
        .struct_bytes = sizeof prune, .retain_segments = 1, .dry_run = 1};
    fls_prune_report report = {.struct_bytes = sizeof report};
    calls.openat = read_only_openat;
    assert_status(flsi_journal_prune(path, &prune, &calls, &report, &err), FLS_OK, &err);
    assert_int_equal(report.segments, 3);
    assert_int_equal(report.held, 1);
    end_journal();
}

static void test_cursors_come_back(void **state)
{
    (void)state;
    seen_cursors seen = {0};
    fls_journal_cursor cursor;
    char text[FLSI_CURSOR_BYTES];
    make_five();
    assert_status(fls_journal_cursor_each(path, see, &seen, &err), FLS_OK, &err);
    assert_int_equal(seen.count, 0);
    for (uint64_t i = 0; i < 40; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "c%u", (unsigned)i);
        assert_status(fls_journal_cursor_set(path, name, i, &err), FLS_OK, &err);
        assert_status(fls_journal_cursor_get(path, name, &cursor, &err), FLS_OK, &err);
        assert_string_equal(cursor.name, name);
        assert_int_equal(cursor.ordinal, i);
        assert_int_equal(cursor.epoch, MADE_EPOCH);
        assert_true(cursor.time_ns > 0);
    }
    files_write(files_join(files_join(path, "cursors"), "bad"), "", 0);
    assert_status(fls_journal_cursor_each(path, see, &seen, &err), FLS_OK, &err);
    assert_int_equal(seen.count, 41);
    assert_int_equal(seen.damaged, 1);
    assert_int_equal(seen.ordinals, 40 * 39 / 2);
    /* Every bit counts. */
    size_t size = flsi_cursor_encode(&cursor, text);
    for (size_t bit = 0; bit < size * 8; bit++) {
        fls_journal_cursor other;
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        assert_int_not_equal(flsi_cursor_decode(&other, text, size, &err), FLS_OK);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
    }
    cursor.ordinal = cursor.epoch = cursor.offset = cursor.checksum = cursor.time_ns = UINT64_MAX;
    assert_true(flsi_cursor_encode(&cursor, text) < FLSI_CURSOR_BYTES);
    end_journal();
}

static fls_journal_report rebuild(void)
{
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    assert_status(fls_journal_rebuild(path, &report, &err), FLS_OK, &err);
    assert_status(flsi_manifest_load(&manifest, &journal, fls_allocator_libc(), &err), FLS_OK,
                  &err);
    return report;
}

#define EPOCH_JUMP (1u << 20)

/* No writer's number comes again, wherever the newest one is left. */
static void test_epochs_of_a_lost_manifest(void **state)
{
    (void)state;
    fls_journal_cursor cursor = {.name = "one", .ordinal = 33, .epoch = MADE_EPOCH + 70};
    const struct {
        const char *cut; /* a file in cut/ */
        uint64_t cursor; /* its epoch */
        uint64_t found;
    } cases[] = {
        {"0000000004-00000000000000000000.fls", MADE_EPOCH + 70, MADE_EPOCH + 70},
        {"0000000099-00000000000000000000.2.flm", MADE_EPOCH + 70, 99},
        {"12345678901234", 0, MADE_EPOCH},
        {"4294967295-00000000000000000000.fls", UINT64_MAX, MADE_EPOCH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char cut[300];
        make_five();
        (void)snprintf(cut, sizeof cut, "%s/cut", path);
        assert_int_equal(mkdir(cut, 0777), 0);
        files_write(files_join(cut, cases[i].cut), "", 0);
        cursor.epoch = cases[i].cursor;
        assert_status(flsi_cursor_store(&journal, &cursor, &err), FLS_OK, &err);
        assert_int_equal(remove(files_join(path, "journal.json")), 0);
        (void)rebuild();
        assert_int_equal(manifest.epoch, cases[i].found + EPOCH_JUMP + 1);
        end_journal();
    }
    make_five(); /* little room is left */
    cursor.epoch = UINT32_MAX - 101;
    assert_status(flsi_cursor_store(&journal, &cursor, &err), FLS_OK, &err);
    assert_int_equal(remove(files_join(path, "journal.json")), 0);
    (void)rebuild();
    assert_int_equal(manifest.epoch, UINT32_MAX - 50);
    end_journal();
}

static void test_manifest_is_lost(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        flsi_manifest before;
        make_five();
        before = manifest;
        if (how == 0) {
            assert_int_equal(remove(files_join(path, "journal.json")), 0);
        } else {
            files_write(files_join(path, "journal.json"), "{", how == 1 ? 0 : 1);
        }
        fls_journal_report report = rebuild();
        assert_int_equal(report.rebuilt, 1);
        assert_int_equal(report.was_clean, 1);
        assert_int_equal(report.messages, 50);
        assert_int_equal(manifest.epoch, MADE_EPOCH + EPOCH_JUMP + 1);
        assert_int_equal(manifest.checksum, FLS_CHECKSUM_XXH3);
        assert_int_equal(manifest.type_count, 1);
        assert_memory_equal(manifest.types, before.types, sizeof before.types[0]);
        assert_memory_equal(manifest.id, before.id, 16);
        assert_int_equal(files_exist(files_join(path, "cut/0000000005-00000000000000000000.json")),
                         how == 2);
        assert_int_equal(expect_journal(0).messages, 50);
        end_journal();
    }
}

/* Marks that could not be read, or that a later version wrote, are not lost ones. */
static struct {
    unsigned reads; /* that were made */
    unsigned fail_at;
} failing;

static ssize_t failing_pread(int fd, void *buffer, size_t capacity, off_t offset)
{
    if (++failing.reads == failing.fail_at) {
        errno = EIO;
        return -1;
    }
    return flsi_os_calls_system()->pread(fd, buffer, capacity, offset);
}

static void test_what_cannot_be_read_is_not_lost(void **state)
{
    (void)state;
    flsi_os_calls calls = *flsi_os_calls_system();
    calls.pread = failing_pread;
    unsigned refused = 0;
    fls_status status = FLS_IO;
    for (failing.fail_at = 1; status != FLS_OK; failing.fail_at++) {
        make_five();
        const flsi_manifest before = manifest;
        assert_int_equal(remove(files_join(path, "journal.json")), 0);
        failing.reads = 0;
        status = flsi_journal_rebuild(path, &calls, NULL, &err);
        refused += status != FLS_OK;
        assert_true(status == FLS_OK || status == FLS_IO);
        (void)rebuild();
        assert_memory_equal(manifest.id, before.id, 16);
        found all = expect_journal(0);
        assert_int_equal(all.messages, 50);
        assert_int_equal(all.timed, 50);
        assert_int_equal(all.gaps, 5);
        assert_false(files_exist(files_join(path, "cut/0000000005-00000000000000000000.flm")));
        end_journal();
    }
    assert_true(refused >= 5);
}

static void test_marks_of_a_later_version(void **state)
{
    (void)state;
    make_five();
    byte_buffer file = BYTES_INIT;
    const char *name = name_of(FLSI_NAME_MARKS, 40);
    assert_int_equal(files_read(name, &file), 0);
    file.data[12 + 1] = 2; /* version, in the first record of the first frame */
    uint64_t proof =
        fls_checksum_digest(FLS_CHECKSUM_XXH3, file.data + 12, flsi_load_le32(file.data));
    flsi_store_le64(file.data + 4, proof);
    files_write(name, file.data, file.size);
    assert_int_equal(remove(files_join(path, "journal.json")), 0);
    assert_status(fls_journal_rebuild(path, NULL, &err), FLS_UNSUPPORTED, &err);
    assert_false(files_exist(files_join(path, "journal.json")));
    bytes_free(&file);
    end_journal();
}

/* What a segment holds behind the next one's beginning is not spoken of by marks made again. */
static void test_marks_end_with_their_segment(void **state)
{
    (void)state;
    byte_buffer file = BYTES_INIT;
    flsi_marks_walk walk;
    flsi_record record;
    fls_status status;
    make_journal(FLS_CHECKSUM_XXH3);
    make_segment(0, 33, 20, 0);
    make_segment(20, 31, 31, 0);
    assert_int_equal(remove(name_of(FLSI_NAME_MARKS, 0)), 0);
    assert_int_equal(rebuild().messages, 31);
    assert_int_equal(files_read(name_of(FLSI_NAME_MARKS, 0), &file), 0);
    assert_status(flsi_marks_walk_begin(&walk, file.data, file.size, &err), FLS_OK, &err);
    while ((status = flsi_marks_walk_next(&walk, &record, &err)) == FLS_OK) {
        if (record.type == FLSI_RECORD_TIMES) {
            assert_true(record.ordinal + record.value <= 20);
        }
    }
    assert_status(status, FLS_END, &err);
    assert_int_equal(record.type, FLSI_RECORD_SEAL);
    assert_int_equal(record.ordinal, 20);
    assert_int_equal(record.offset, offset_of(0, 20));
    bytes_free(&file);
    end_journal();
}

static void test_marks_are_lost(void **state)
{
    (void)state;
    for (int with_manifest = 0; with_manifest < 2; with_manifest++) {
        make_five();
        files_write(name_of(FLSI_NAME_MARKS, 10), "garbage", 7);
        for (uint64_t i = with_manifest ? 3 : 0; i < 5; i++) {
            assert_int_equal(remove(name_of(FLSI_NAME_MARKS, i * 10)), 0);
        }
        if (!with_manifest) {
            assert_int_equal(remove(files_join(path, "journal.json")), 0);
        }
        fls_journal_report report = rebuild();
        assert_int_equal(report.rebuilt, 1);
        assert_int_equal(report.messages, 50);
        found all = expect_journal(0);
        assert_int_equal(all.messages, 50);
        assert_int_equal(all.timed, 50); /* estimated, and flagged so */
        assert_int_equal(rebuild().rebuilt, 0);
        end_journal();
    }
}

/* Durable marks that are not so: opening refuses, rebuilding goes on with what is there, and keeps
 * the marks that said otherwise. */
static void test_what_was_refused(void **state)
{
    (void)state;
    flsi_journal_place place;
    fls_journal_report report;
    byte_buffer file = BYTES_INIT;
    make_five();
    assert_int_equal(files_read(name_of(FLSI_NAME_SEGMENT, 40), &file), 0);
    files_write(name_of(FLSI_NAME_SEGMENT, 40), file.data, file.size - 1);
    assert_status(recover_with(&place, &report), FLS_CHECKSUM_MISMATCH, &err);
    report = rebuild();
    assert_int_equal(report.rebuilt, 1);
    assert_int_equal(report.messages, 49);
    assert_true(report.cut_bytes > 0);
    assert_true(files_exist(files_join(path, "cut/0000000005-00000000000000000040.flm")));
    found all = expect_journal(0);
    assert_int_equal(all.messages, 49);
    assert_int_equal(all.timed, 49); /* their own, which expect_journal looked at */
    bytes_free(&file);
    end_journal();
}

static void test_nothing_to_rebuild(void **state)
{
    (void)state;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    make_journal(FLS_CHECKSUM_XXH3);
    assert_int_equal(remove(files_join(path, "journal.json")), 0);
    assert_status(fls_journal_rebuild(path, &report, &err), FLS_IO, &err);
    assert_status(fls_journal_rebuild("/nowhere/at/all", &report, &err), FLS_IO, &err);
    end_journal();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prune_by_each_limit),
        cmocka_unit_test(test_prune_by_age),
        cmocka_unit_test(test_cursors_hold_segments),
        cmocka_unit_test(test_cursors_note_their_place),
        cmocka_unit_test(test_cursors_only_read_segments),
        cmocka_unit_test(test_cursors_come_back),
        cmocka_unit_test(test_epochs_of_a_lost_manifest),
        cmocka_unit_test(test_manifest_is_lost),
        cmocka_unit_test(test_marks_are_lost),
        cmocka_unit_test(test_what_cannot_be_read_is_not_lost),
        cmocka_unit_test(test_marks_of_a_later_version),
        cmocka_unit_test(test_marks_end_with_their_segment),
        cmocka_unit_test(test_what_was_refused),
        cmocka_unit_test(test_nothing_to_rebuild),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
