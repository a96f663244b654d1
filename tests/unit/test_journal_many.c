/* What rotation, retention, figures and everything that reads a journal cost with some thousand
 * segments: the calls to the system for each must not depend on how many there are. The long test
 * of the same takes a million.
 */
#include "many_segments.h"

#include <errno.h>
#include <unistd.h>

#include "support/prng.h"

static void test_retained(void **state)
{
    (void)state;
    fls_journal_options limits = FLS_JOURNAL_OPTIONS_INIT;
    limits.retain_segments = 50;
    rotate_many(2000, &limits, 70);
    remove_journal();
}

static void test_retained_by_bytes(void **state)
{
    (void)state;
    fls_journal_options limits = FLS_JOURNAL_OPTIONS_INIT;
    limits.retain_bytes = 20000;
    rotate_many(2000, &limits, 120);
    remove_journal();
}

static void test_compressed(void **state)
{
    (void)state;
    fls_journal_options limits = FLS_JOURNAL_OPTIONS_INIT;
    limits.compress = 1;
    limits.retain_bytes = UINT64_MAX;
    rotate_many(800, &limits, 800);
    remove_journal();
}

static void test_all_left(void **state)
{
    (void)state;
    const fls_journal_options limits = FLS_JOURNAL_OPTIONS_INIT;
    rotate_many(2000, &limits, 2000);
    read_all(2000);
    seek_many(2000);
    save_many(2000);
    follow_many(2000);
    prune_many(2000);
    remove_journal();
}

static int add_size(void *self, const char *name)
{
    *(uint64_t *)self += strstr(name, ".fl") != NULL ? files_size(files_join(path, name)) : 0;
    return 0;
}

static void expect_figures(fls_journal *journal, uint64_t segments)
{
    fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
    flsi_directory directory;
    uint64_t bytes = 0;
    fls_journal_get_figures(journal, &figures);
    assert_int_equal(figures.segments, segments);
    assert_int_equal(figures.next_ordinal - figures.first_ordinal, segments);
    assert_status(flsi_directory_open(&directory, path, 0, NULL, &err), FLS_OK, &err);
    assert_status(flsi_directory_list(&directory, add_size, &bytes, &err), FLS_OK, &err);
    assert_int_equal(figures.bytes, bytes);
    flsi_directory_close(&directory);
}

/* Others prune and compress beside a writer: its figures say so, and it does not remove what others
 * have made small enough. */
static void test_others_change_it(void **state)
{
    (void)state;
    fls_journal_options limits = FLS_JOURNAL_OPTIONS_INIT;
    fls_prune_options prune = {.struct_bytes = sizeof prune, .retain_segments = 20};
    static const uint8_t payload[5000] = {1};
    uint64_t compressed = 0;
    limits.compress = 1; /* only said: nothing is polled */
    limits.retain_bytes = 80000;
    files_make_directory(path, sizeof path);
    fls_journal *journal = open_many(&limits);
    append_segments(journal, 30);
    expect_figures(journal, 30);
    assert_status(fls_journal_prune(path, &prune, NULL, &err), FLS_OK, &err);
    expect_figures(journal, 20);
    for (int i = 0; i < 40; i++) {
        assert_status(fls_journal_append(journal, payload, sizeof payload, NULL, &err), FLS_OK,
                      &err);
        fls_status status = fls_journal_compress(path, 0, &compressed, NULL, &err);
        if (status == FLS_UNSUPPORTED) {
            assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
            remove_journal();
            skip();
        }
        assert_status(status, FLS_OK, &err);
        assert_int_equal(compressed, i == 0 ? 20 : 1);
    }
    expect_figures(journal, 60); /* 200,000 bytes if they were plain */
    for (int i = 0; i < 40; i++) {
        assert_status(fls_journal_append(journal, payload, sizeof payload, NULL, &err), FLS_OK,
                      &err);
    }
    fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
    fls_journal_get_figures(journal, &figures);
    assert_in_range(figures.bytes, 70000, 86000);
    expect_figures(journal, figures.segments);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    remove_journal();
}

/* ---- a long listing that readers keep up with ---- */

typedef struct follower {
    fls_journal_reader *reader;
    uint64_t next;
    uint64_t taken_back;
    uint64_t retired;
    uint64_t read;
} follower;

static void see_event(void *self, const fls_journal_event *event)
{
    follower *it = self;
    if (event->kind == FLS_JOURNAL_EVENT_TAKEN_BACK) {
        it->next = event->ordinal;
        it->taken_back += event->messages;
    } else if (event->kind == FLS_JOURNAL_EVENT_RETIRED) {
        it->next = event->ordinal;
        it->retired += event->messages;
    } else {
        assert_int_not_equal(event->kind, FLS_JOURNAL_EVENT_LOST);
    }
}

static void open_follower(follower *it, fls_journal_visibility visibility,
                          const flsi_os_calls *calls)
{
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    *it = (follower){.next = 0};
    options.visibility = visibility;
    options.follow = 1;
    options.event = see_event;
    options.event_self = it;
    assert_status(flsi_journal_reader_open(&it->reader, path, &options, calls, &err), FLS_OK, &err);
}

/* Everything that there is by now, each after the one before it. */
static void follow(follower *it)
{
    fls_message message;
    fls_status status;
    while ((status = fls_journal_reader_next(it->reader, &message, &err)) == FLS_OK) {
        check_message(&message, it->next);
        it->next++;
        it->read++;
    }
    assert_status(status, FLS_WOULD_BLOCK, &err);
}

/* The writer is gone, and with it the end of what it had not synced. */
static uint64_t crash(fls_journal *journal, prng *random)
{
    char name[FLSI_NAME_BYTES];
    uint64_t first = journal->segment.first_ordinal;
    uint64_t next = fls_journal_next_ordinal(journal);
    assert_status(fls_journal_flush(journal, &err), FLS_OK, &err);
    int may_lose = fls_journal_durable(journal) < next;
    fls_journal_abandon(journal);
    flsi_name_format(name, FLSI_NAME_SEGMENT, first);
    uint64_t size = files_size(files_join(path, name));
    if (may_lose && prng_below(random, 2) == 0) {
        assert_int_equal(truncate(files_join(path, name), (off_t)(size - 1)), 0);
        next--;
    }
    return next;
}

/* Rotation, writers that crash and come again, pruning and compression: what readers know of it
 * without reading the directory is what is there. */
static void test_long_listing(void **state)
{
    (void)state;
    fls_journal_options limits = FLS_JOURNAL_OPTIONS_INIT;
    fls_prune_options prune = {.struct_bytes = sizeof prune, .retain_segments = 150};
    follower followers[3];
    prng random = prng_seeded(4711);
    limits.compress = 1;
    limits.segment_messages = 3;
    files_make_directory(path, sizeof path);
    fls_journal *journal = open_many(&limits);
    append_segments(journal, 300);
    open_follower(&followers[0], FLS_JOURNAL_WRITTEN, counted_calls());
    open_follower(&followers[1], FLS_JOURNAL_DURABLE, counted_calls());
    open_follower(&followers[2], FLS_JOURNAL_WRITTEN, NULL);
    for (int round = 0; round < 600; round++) {
        append_segments(journal, prng_below(&random, 5));
        assert_status(fls_journal_flush(journal, &err), FLS_OK, &err);
        for (size_t i = 0; i < 3; i++) {
            if (prng_below(&random, 4) != 0) {
                follow(&followers[i]);
            }
        }
        uint64_t what = prng_below(&random, 12);
        if (what < 2) {
            uint64_t next = crash(journal, &random);
            journal = open_many(&limits);
            assert_int_equal(fls_journal_next_ordinal(journal), next);
        } else if (what == 2) {
            assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
            journal = open_many(&limits);
        } else if (what == 3) {
            assert_status(fls_journal_prune(path, &prune, NULL, &err), FLS_OK, &err);
        } else if (what == 4) {
            assert_status(fls_journal_sync_now(journal, &err), FLS_OK, &err);
        } else if (what == 5) {
            fls_status status = fls_journal_compress(path, 0, NULL, NULL, &err);
            assert_true(status == FLS_OK || status == FLS_UNSUPPORTED);
        }
    }
    assert_status(fls_journal_sync_now(journal, &err), FLS_OK, &err);
    for (size_t i = 0; i < 3; i++) {
        follow(&followers[i]);
        assert_int_equal(followers[i].next, fls_journal_next_ordinal(journal));
        assert_int_equal(followers[i].retired, 0);
        assert_int_equal(followers[i].read, followers[i].next + followers[i].taken_back);
        fls_journal_reader_close(followers[i].reader);
    }
    assert_int_equal(followers[1].taken_back, 0);
    assert_true(followers[0].taken_back > 0);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    remove_journal();
}

/* ---- a reader that is woken in the middle of a recovery ---- */

static follower watching;
static int fails_fd = -1; /* a sync of it fails, once */

static int rename_and_follow(int from_at, const char *from, int to_at, const char *to)
{
    int result = flsi_os_calls_system()->renameat(from_at, from, to_at, to);
    follow(&watching);
    return result;
}

static int fail_once(int fd)
{
    int fails = fd == fails_fd;
    fails_fd = fails ? -1 : fails_fd;
    errno = EIO;
    return fails ? -1 : 0;
}

/* After a sync that failed: the segment that is made has its name before the old one is sealed.
 * Whoever is told of the name looks just then, and nothing else is told for as long as no other
 * segment follows. */
static void test_looks_within_recovery(void **state)
{
    (void)state;
    fls_journal *journal;
    flsi_os_calls calls = *flsi_os_calls_system();
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    calls.renameat = rename_and_follow;
    calls.sync_data = fail_once;
    options.segment_messages = 3;
    options.polled = 1;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    files_make_directory(path, sizeof path);
    journal = open_many(&options);
    append_segments(journal, 300);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    open_follower(&watching, FLS_JOURNAL_WRITTEN, NULL);
    assert_status(flsi_journal_open(&journal, path, &options, &calls, NULL, &err), FLS_OK, &err);
    append_segments(journal, 1);
    assert_status(fls_journal_sync_now(journal, &err), FLS_OK, &err);
    append_segments(journal, 1);
    fails_fd = journal->segment.frames.fd;
    assert_status(fls_journal_sync_now(journal, &err), FLS_OK, &err);
    assert_int_equal(journal->segment.first_ordinal, 301);
    append_segments(journal, 1); /* into the segment that was made */
    assert_status(fls_journal_flush(journal, &err), FLS_OK, &err);
    follow(&watching);
    assert_int_equal(watching.next, 303);
    assert_int_equal(watching.taken_back, 0);
    fls_journal_reader_close(watching.reader);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    remove_journal();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retained),
        cmocka_unit_test(test_retained_by_bytes),
        cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_all_left),
        cmocka_unit_test(test_others_change_it),
        cmocka_unit_test(test_long_listing),
        cmocka_unit_test(test_looks_within_recovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
