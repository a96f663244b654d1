/* Linux: readers of /proc. Every file stays open and is read anew with pread into one buffer, and
 * parsed there, so that sampling neither opens nor allocates anything.
 */
#include "sampler.h"

#if defined(__linux__) && !defined(SAMPLER_PORTABLE)

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES = 256 * 1024, SECTOR_BYTES = 512, MAX_SOFTIRQS = 32 };

enum file { SCHEDSTAT, STAT, MEMINFO, LOADAVG, DISKSTATS, NET_DEV, FILES };

static const char *const paths[FILES] = {
    [SCHEDSTAT] = "/proc/self/schedstat", [STAT] = "/proc/stat",
    [MEMINFO] = "/proc/meminfo",          [LOADAVG] = "/proc/loadavg",
    [DISKSTATS] = "/proc/diskstats",      [NET_DEV] = "/proc/net/dev",
};

struct sampler_system {
    int fds[FILES];       /* -1: this machine does not have it */
    uint64_t ns_per_tick; /* of the processor times in /proc/stat */
    char text[TEXT_BYTES];
};

/* What is left to be parsed. */
struct text {
    const char *next;
    const char *end;
};

struct sampler_system *sampler_system_open(void)
{
    struct sampler_system *system = malloc(sizeof *system);
    if (system == NULL)
        return NULL;
    for (int i = 0; i < FILES; i++)
        system->fds[i] = open(paths[i], O_RDONLY | O_CLOEXEC);
    long ticks = sysconf(_SC_CLK_TCK);
    system->ns_per_tick = SAMPLER_NS_PER_S / (uint64_t)(ticks > 0 ? ticks : 100);
    return system;
}

void sampler_system_close(struct sampler_system *system)
{
    for (int i = 0; i < FILES; i++)
        if (system->fds[i] >= 0)
            close(system->fds[i]);
    free(system);
}

/* A file as it is now; a line cut off by the buffer's end is left out. Empty when it is not there.
 */
static struct text read_text(struct sampler_system *system, enum file file)
{
    size_t size = 0;
    ssize_t got = 1;
    while (system->fds[file] >= 0 && got > 0 && size < TEXT_BYTES) {
        got = pread(system->fds[file], system->text + size, TEXT_BYTES - size, (off_t)size);
        if (got > 0)
            size += (size_t)got;
    }
    while (size > 0 && system->text[size - 1] != '\n')
        size--;
    return (struct text){system->text, system->text + size};
}

/* Takes one line, without its end, off the text. */
static int next_line(struct text *text, struct text *line)
{
    if (text->next == text->end)
        return 0;
    line->next = text->next;
    line->end = memchr(text->next, '\n', (size_t)(text->end - text->next));
    text->next = line->end + 1;
    return 1;
}

static int skip_prefix(struct text *line, const char *prefix)
{
    size_t size = strlen(prefix);
    if ((size_t)(line->end - line->next) < size || memcmp(line->next, prefix, size) != 0)
        return 0;
    line->next += size;
    return 1;
}

static void skip_spaces(struct text *line)
{
    while (line->next < line->end && *line->next == ' ')
        line->next++;
}

/* A word up to a space or the stop character. */
static struct text take_word(struct text *line, char stop)
{
    skip_spaces(line);
    struct text word = {line->next, line->next};
    while (word.end < line->end && *word.end != ' ' && *word.end != stop)
        word.end++;
    line->next = word.end;
    return word;
}

static int take_number(struct text *line, uint64_t *number)
{
    skip_spaces(line);
    const char *start = line->next;
    uint64_t value = 0;
    for (; line->next < line->end && *line->next >= '0' && *line->next <= '9'; line->next++)
        value = value * 10 + (uint64_t)(*line->next - '0');
    *number = value;
    return line->next > start;
}

/* As many numbers as there are, at most capacity; returns how many. */
static size_t take_numbers(struct text *line, uint64_t *numbers, size_t capacity)
{
    size_t count = 0;
    while (count < capacity && take_number(line, &numbers[count]))
        count++;
    return count;
}

static fls_status take_schedstat(struct sampler *s)
{
    uint64_t values[3];
    uint64_t now_ns = sampler_now_ns();
    struct text text = read_text(s->system, SCHEDSTAT);
    if (take_numbers(&text, values, 3) != 3)
        return FLS_OK;
    return sampler_write_numbers(s, now_ns, SAMPLER_SCHEDULER, values, 3);
}

/* "cpu  1 2 ..." is all processors, "cpu0 1 2 ..." the first; older kernels give fewer numbers. */
static fls_status take_cpu(struct sampler *s, uint64_t now_ns, struct text line)
{
    uint64_t times[8] = {0};
    uint64_t number = 0;
    int cpu = -1;
    if (line.next < line.end && *line.next != ' ' && take_number(&line, &number))
        cpu = (int)number;
    take_numbers(&line, times, 8);
    for (size_t i = 0; i < 8; i++)
        times[i] *= s->system->ns_per_tick;
    return sampler_write_cpu(s, now_ns, cpu, times);
}

static fls_status take_stat(struct sampler *s)
{
    uint64_t counters[5] = {0};
    uint64_t softirqs[MAX_SOFTIRQS];
    uint64_t softirq_total;
    size_t softirq_count = 0;
    uint64_t now_ns = sampler_now_ns();
    struct text text = read_text(s->system, STAT);
    struct text line;
    int found = 0;
    fls_status st = FLS_OK;

    while (st == FLS_OK && next_line(&text, &line)) {
        if (skip_prefix(&line, "cpu"))
            st = take_cpu(s, now_ns, line);
        else if (skip_prefix(&line, "intr "))
            found = take_number(&line, &counters[0]);
        else if (skip_prefix(&line, "ctxt "))
            take_number(&line, &counters[1]);
        else if (skip_prefix(&line, "processes "))
            take_number(&line, &counters[2]);
        else if (skip_prefix(&line, "procs_running "))
            take_number(&line, &counters[3]);
        else if (skip_prefix(&line, "procs_blocked "))
            take_number(&line, &counters[4]);
        else if (skip_prefix(&line, "softirq ") && take_number(&line, &softirq_total))
            softirq_count = take_numbers(&line, softirqs, MAX_SOFTIRQS);
    }
    if (st != FLS_OK || !found)
        return st;
    return sampler_write_system(s, now_ns, counters, softirqs, softirq_count);
}

static fls_status take_meminfo(struct sampler *s)
{
    static const char *const names[] = {"MemTotal:", "MemFree:", "MemAvailable:", "Buffers:",
                                        "Cached:",   "Dirty:",   "Writeback:",    "SwapFree:"};
    enum { COUNT = sizeof names / sizeof names[0] };
    uint64_t values[COUNT] = {0};
    uint64_t now_ns = sampler_now_ns();
    struct text text = read_text(s->system, MEMINFO);
    struct text line;
    int found = 0;

    while (next_line(&text, &line)) {
        for (size_t i = 0; i < COUNT; i++) {
            if (skip_prefix(&line, names[i])) {
                found |= take_number(&line, &values[i]);
                values[i] *= 1024;
                break;
            }
        }
    }
    return found ? sampler_write_numbers(s, now_ns, SAMPLER_MEMORY, values, COUNT) : FLS_OK;
}

/* "0.05 0.04 0.00 1/93 8565": hundredths, then runnable and existing tasks. */
static fls_status take_loadavg(struct sampler *s)
{
    double averages[3];
    uint64_t whole;
    uint64_t hundredths;
    uint64_t tasks[2];
    uint64_t now_ns = sampler_now_ns();
    struct text text = read_text(s->system, LOADAVG);

    for (size_t i = 0; i < 3; i++) {
        if (!take_number(&text, &whole) || !skip_prefix(&text, ".") ||
            !take_number(&text, &hundredths))
            return FLS_OK;
        averages[i] = (double)whole + (double)hundredths / 100;
    }
    if (!take_number(&text, &tasks[0]) || !skip_prefix(&text, "/") ||
        !take_number(&text, &tasks[1]))
        return FLS_OK;
    return sampler_write_load(s, now_ns, averages, tasks[0], tasks[1]);
}

/* "major minor name", then reads, merged, sectors, ms, the same of writes, in flight, ms busy. */
static fls_status take_diskstats(struct sampler *s)
{
    uint64_t device[2];
    uint64_t n[10];
    uint64_t now_ns = sampler_now_ns();
    struct text text = read_text(s->system, DISKSTATS);
    struct text line;
    fls_status st = FLS_OK;

    while (st == FLS_OK && next_line(&text, &line)) {
        if (take_numbers(&line, device, 2) != 2)
            continue;
        struct text name = take_word(&line, '\n');
        if (take_numbers(&line, n, 10) != 10 || (n[0] == 0 && n[4] == 0))
            continue; /* a device without a disk in it */
        uint64_t values[] = {
            n[0], n[2] * SECTOR_BYTES,      n[3] * SAMPLER_NS_PER_MS,
            n[4], n[6] * SECTOR_BYTES,      n[7] * SAMPLER_NS_PER_MS,
            n[8], n[9] * SAMPLER_NS_PER_MS,
        };
        st = sampler_write_named(s, now_ns, SAMPLER_DISK, name.next, (size_t)(name.end - name.next),
                                 values, 8);
    }
    return st;
}

/* "name: " and eight numbers of what was received, eight of what was sent; two lines of heading. */
static fls_status take_net_dev(struct sampler *s)
{
    uint64_t n[12];
    uint64_t now_ns = sampler_now_ns();
    struct text text = read_text(s->system, NET_DEV);
    struct text line;
    fls_status st = FLS_OK;

    while (st == FLS_OK && next_line(&text, &line)) {
        struct text name = take_word(&line, ':');
        if (!skip_prefix(&line, ":") || take_numbers(&line, n, 12) != 12)
            continue;
        uint64_t values[] = {n[0], n[1], n[2], n[3], n[8], n[9], n[10], n[11]};
        st = sampler_write_named(s, now_ns, SAMPLER_NETWORK, name.next,
                                 (size_t)(name.end - name.next), values, 8);
    }
    return st;
}

/* A file of /proc costs microseconds to milliseconds to read, and most of them change with the
 * kernel's own tick only: reading them more often would measure the reading. */
const struct sampler_source sampler_system_sources[] = {
    {100 * SAMPLER_NS_PER_US, take_schedstat},
    {10 * SAMPLER_NS_PER_MS, take_stat},
    {10 * SAMPLER_NS_PER_MS, take_meminfo},
    {10 * SAMPLER_NS_PER_MS, take_diskstats},
    {10 * SAMPLER_NS_PER_MS, take_net_dev},
    {100 * SAMPLER_NS_PER_MS, take_loadavg},
    {0, NULL},
};

#endif
