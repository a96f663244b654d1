/* Whether the processor's count of time can be used; see os_ticks.h. */
#include "os/os_ticks.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <cpuid.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Bit 8 of EDX: the rate never changes and the count never stops. */
static int is_invariant(void)
{
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid(0x80000007u, &a, &b, &c, &d) && (d >> 8 & 1) != 0;
}

/* The kernel compares the counts of all processors, and goes by another clock when they differ. */
static int kernel_trusts_it(int otherwise)
{
#if defined(__linux__)
    char name[32] = "";
    int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                  O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return otherwise;
    }
    ssize_t got = read(fd, name, sizeof name - 1);
    (void)close(fd);
    if (got <= 0) {
        return otherwise;
    }
    return strncmp(name, "tsc", 3) == 0 || strncmp(name, "kvm-clock", 9) == 0 ||
           strncmp(name, "hyperv_clocksource_tsc", 22) == 0;
#else
    return otherwise;
#endif
}

int flsi_ticks_are_steady(void)
{
    int invariant = is_invariant();
    return invariant && kernel_trusts_it(invariant);
}

#elif defined(__aarch64__) && defined(__GNUC__)

int flsi_ticks_are_steady(void)
{
    return 1;
}

#else

int flsi_ticks_are_steady(void)
{
    return 0;
}

#endif
