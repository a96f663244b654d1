/* Systems without /proc: what POSIX and the BSDs' sysctl give. */
#include "sampler.h"

#if !defined(__linux__) || defined(SAMPLER_PORTABLE)

#include <stdlib.h>
#include <unistd.h>

#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || \
    defined(__DragonFly__)
#include <sys/types.h>

#include <sys/sysctl.h>
#define SAMPLER_SYSCTL 1
#endif

struct sampler_system {
    uint64_t memory_bytes; /* 0: could not be told */
};

static uint64_t memory_bytes(void)
{
#if defined(SAMPLER_SYSCTL) && defined(HW_MEMSIZE)
    uint64_t bytes = 0;
    size_t size = sizeof bytes;
    int name[] = {CTL_HW, HW_MEMSIZE};
    if (sysctl(name, 2, &bytes, &size, NULL, 0) == 0 && size == sizeof bytes)
        return bytes;
#elif defined(SAMPLER_SYSCTL) && defined(HW_PHYSMEM)
    unsigned long bytes = 0;
    size_t size = sizeof bytes;
    int name[] = {CTL_HW, HW_PHYSMEM};
    if (sysctl(name, 2, &bytes, &size, NULL, 0) == 0 && size == sizeof bytes)
        return bytes;
#elif defined(_SC_PHYS_PAGES)
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page_bytes > 0)
        return (uint64_t)pages * (uint64_t)page_bytes;
#endif
    return 0;
}

struct sampler_system *sampler_system_open(void)
{
    struct sampler_system *system = malloc(sizeof *system);
    if (system != NULL)
        system->memory_bytes = memory_bytes();
    return system;
}

void sampler_system_close(struct sampler_system *system)
{
    free(system);
}

static fls_status take_load(struct sampler *s)
{
    double averages[3];
    uint64_t now_ns = sampler_now_ns();
    if (getloadavg(averages, 3) != 3)
        return FLS_OK;
    return sampler_write_load(s, now_ns, averages, 0, 0);
}

static fls_status take_memory(struct sampler *s)
{
    if (s->system->memory_bytes == 0)
        return FLS_OK;
    return sampler_write_numbers(s, sampler_now_ns(), SAMPLER_MEMORY, &s->system->memory_bytes, 1);
}

#if defined(__FreeBSD__)
/* kern.cp_times: user, nice, system, interrupt and idle ticks of each processor. */
static fls_status take_cpus(struct sampler *s)
{
    enum { MAX_CPUS = 256, STATES = 5 };
    long ticks[MAX_CPUS * STATES];
    size_t size = sizeof ticks;
    uint64_t now_ns = sampler_now_ns();
    uint64_t ns_per_tick = SAMPLER_NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
    fls_status st = FLS_OK;
    if (sysctlbyname("kern.cp_times", ticks, &size, NULL, 0) != 0)
        return FLS_OK;
    for (size_t i = 0; st == FLS_OK && i < size / (STATES * sizeof ticks[0]); i++) {
        const long *t = ticks + i * STATES;
        uint64_t times[8] = {(uint64_t)t[0],
                             (uint64_t)t[1],
                             (uint64_t)t[2],
                             (uint64_t)t[4],
                             0,
                             (uint64_t)t[3],
                             0,
                             0};
        for (size_t k = 0; k < 8; k++)
            times[k] *= ns_per_tick;
        st = sampler_write_cpu(s, now_ns, (int)i, times);
    }
    return st;
}
#endif

const struct sampler_source sampler_system_sources[] = {
#if defined(__FreeBSD__)
    {10 * SAMPLER_NS_PER_MS, take_cpus},
#endif
    {100 * SAMPLER_NS_PER_MS, take_load},
    {100 * SAMPLER_NS_PER_MS, take_memory},
    {0, NULL},
};

#endif
