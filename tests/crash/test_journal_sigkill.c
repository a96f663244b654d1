/* Writers of a journal that are killed at any moment, and their successors: the lock of a dead one
 * is free, and what it had written is there, in order, once. */
#include <inttypes.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/files.h"
#include "support/journal_process.h"
#include "support/prng.h"
#include "support/testing.h"

#define ROUNDS 40

static void test_killed_writers(void **state)
{
    char directory[256];
    char path[300];
    uint64_t messages = 0;
    uint64_t cut = 0;
    uint64_t unwritten = 0;
    prng random = prng_seeded(42);
    journal_told *told = journal_told_new();
    (void)state;
    files_make_directory(directory, sizeof directory);
    (void)snprintf(path, sizeof path, "%s/flight", directory);
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        pid_t child = journal_process_start(told, path, seed, messages);
        uint64_t until = messages + 1 + prng_below(&random, 2000);
        while (atomic_load(&told->appended) < until && waitpid(child, NULL, WNOHANG) == 0) {
            (void)usleep(100);
        }
        journal_process_kill(child);
        uint64_t written = atomic_load(&told->written);
        uint64_t appended = atomic_load(&told->appended);
        assert_int_equal(atomic_load(&told->failed), 0);
        assert_true(written >= atomic_load(&told->durable) || appended == messages);
        messages = journal_process_recover(path, written, &cut);
        assert_true(messages <= appended + 1);
        unwritten += appended > messages ? appended - messages : 0;
    }
    printf("%d writers killed: %" PRIu64 " messages, %" PRIu64 " were in memory only, cut %" PRIu64
           " times\n",
           ROUNDS, messages, unwritten, cut);
    files_remove_directory(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_killed_writers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
