/* Journals on real file systems whose power goes: ext4 and xfs on loop devices, stopped by the
 * shutdown call in the midst of writing, mounted again, with what their own logs brought back. What
 * the writer had been told is durable is there, in order, once. Needs root and loop devices; skips
 * with the reason where there are none.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/journal_process.h"
#include "support/loop_disk.h"
#include "support/prng.h"
#include "support/testing.h"

#if defined(__linux__)

#define ROUNDS_DEFAULT 40

/* EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are the same call; 2: nothing more is written, the log
 * neither. */
#define SHUTDOWN_CALL _IOR('X', 125, uint32_t)
#define NO_LOG_FLUSH  2u

static loop_disk disk;
static journal_told *told;

static void pull_the_plug(void)
{
    uint32_t how = NO_LOG_FLUSH;
    int fd = open(disk.mounted, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    assert_int_equal(ioctl(fd, SHUTDOWN_CALL, &how), 0);
    close(fd);
}

static void one_round(const char *path, uint64_t seed, uint64_t *messages, uint64_t *undurable,
                      uint64_t *cut)
{
    prng random = prng_seeded(seed * 3 + 1);
    pid_t child = journal_process_start(told, path, seed, *messages);
    while (atomic_load(&told->appended) == *messages && waitpid(child, NULL, WNOHANG) == 0) {
        (void)usleep(1000);
    }
    (void)usleep((useconds_t)prng_below(&random, 60000));
    /* What was told before: a sync that is under way when the file system is shut down may return 0
     * with nothing kept, to a bare loop of pwrite and fdatasync too. */
    uint64_t durable = atomic_load(&told->durable);
    pull_the_plug();
    (void)usleep(5000);
    journal_process_kill(child);
    loop_disk_unmount(&disk);
    loop_disk_mount(&disk);
    uint64_t appended = atomic_load(&told->appended);
    *messages = journal_process_recover(path, durable, cut);
    *undurable += appended - durable;
    assert_true(*messages <= appended + 1);
}

/* Takes away what the test before has left, sound or not. */
static int clean(void **state)
{
    (void)state;
    loop_disk_remove(&disk);
    return 0;
}

static void crash_on(const char *kind)
{
    char path[400];
    uint64_t messages = 0;
    uint64_t undurable = 0;
    uint64_t cut = 0;
    const char *text = getenv("FLS_POWER_ROUNDS");
    uint64_t rounds = text != NULL ? strtoull(text, NULL, 10) : ROUNDS_DEFAULT;
    const char *why = loop_disk_make(&disk, kind, (uint64_t)320 << 20);
    if (why != NULL) {
        printf("%s: skipped: %s\n", kind, why);
        skip();
    }
    (void)snprintf(path, sizeof path, "%s/flight", disk.mounted);
    for (uint64_t seed = 0; seed < rounds; seed++) {
        one_round(path, seed, &messages, &undurable, &cut);
    }
    printf("%s: power lost %" PRIu64 " times: %" PRIu64 " messages in the journal, 0 durable "
           "ones lost, %" PRIu64 " were not durable yet, cut %" PRIu64 " times\n",
           kind, rounds, messages, undurable, cut);
    loop_disk_unmount(&disk);
}

static void test_ext4(void **state)
{
    (void)state;
    crash_on("ext4");
}

static void test_xfs(void **state)
{
    (void)state;
    crash_on("xfs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_ext4, clean),
                                       cmocka_unit_test_teardown(test_xfs, clean)};
    told = journal_told_new();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    printf("skipped: file systems can be stopped so on Linux only\n");
    return 0;
}

#endif
