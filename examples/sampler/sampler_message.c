/* Turns readings into messages: one Sample each, built with the writer's own builder, whose slots
 * are the fields of examples/telemetry.fbs in their order.
 */
#include <sys/resource.h>
#include <time.h>

#include "sampler.h"

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t = {0, 0};
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * SAMPLER_NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t sampler_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

/* The Sample around a finished reading. */
static fls_status write_sample(struct sampler *s, uint64_t time_ns, enum sampler_kind kind,
                               fls_ref reading)
{
    fls_table sample = fls_builder_table(s->builder, 3);
    fls_builder_u64(s->builder, sample, 0, time_ns);
    fls_builder_u8(s->builder, sample, 1, (uint8_t)kind);
    fls_builder_ref(s->builder, sample, 2, reading);

    fls_ref root = fls_builder_end(s->builder, sample);
    fls_status st;
    if (s->producer != NULL) {
        st = sampler_offer(s, root);
    } else {
        s->previous_frame_offset = s->frame_offset;
        s->frame_offset = fls_writer_offset(s->writer);
        st = fls_writer_write_root(s->writer, root, s->err);
    }
    if (st == FLS_OK)
        s->counts[kind]++;
    return st;
}

static void set_numbers(struct sampler *s, fls_table table, uint32_t first_slot,
                        const uint64_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        fls_builder_u64(s->builder, table, first_slot + i, values[i]);
}

fls_status sampler_write_numbers(struct sampler *s, uint64_t time_ns, enum sampler_kind kind,
                                 const uint64_t *values, uint32_t count)
{
    fls_table table = fls_builder_table(s->builder, count);
    set_numbers(s, table, 0, values, count);
    return write_sample(s, time_ns, kind, fls_builder_end(s->builder, table));
}

fls_status sampler_write_named(struct sampler *s, uint64_t time_ns, enum sampler_kind kind,
                               const char *name, size_t name_bytes, const uint64_t *values,
                               uint32_t count)
{
    fls_ref string = fls_builder_string(s->builder, name, name_bytes);
    fls_table table = fls_builder_table(s->builder, count + 1);
    fls_builder_ref(s->builder, table, 0, string);
    set_numbers(s, table, 1, values, count);
    return write_sample(s, time_ns, kind, fls_builder_end(s->builder, table));
}

fls_status sampler_write_clock(struct sampler *s, uint64_t now_ns)
{
    uint64_t values[] = {s->ticks, clock_ns(CLOCK_REALTIME), now_ns - s->last_tick_ns};
    s->ticks++;
    s->last_tick_ns = now_ns;
    return sampler_write_numbers(s, now_ns, SAMPLER_CLOCK, values, 3);
}

static uint64_t timeval_ns(struct timeval t)
{
    return (uint64_t)t.tv_sec * SAMPLER_NS_PER_S + (uint64_t)t.tv_usec * SAMPLER_NS_PER_US;
}

fls_status sampler_write_process(struct sampler *s)
{
    struct rusage usage;
    uint64_t now_ns = sampler_now_ns();
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return FLS_OK;
#if defined(__APPLE__)
    uint64_t resident_unit = 1; /* bytes there, KiB everywhere else */
#else
    uint64_t resident_unit = 1024;
#endif
    uint64_t values[] = {
        timeval_ns(usage.ru_utime),
        timeval_ns(usage.ru_stime),
        (uint64_t)usage.ru_maxrss * resident_unit,
        (uint64_t)usage.ru_minflt,
        (uint64_t)usage.ru_majflt,
        (uint64_t)usage.ru_nvcsw,
        (uint64_t)usage.ru_nivcsw,
    };
    return sampler_write_numbers(s, now_ns, SAMPLER_PROCESS, values, 7);
}

fls_status sampler_write_load(struct sampler *s, uint64_t time_ns, const double averages[3],
                              uint64_t runnable, uint64_t tasks)
{
    fls_table table = fls_builder_table(s->builder, 5);
    for (uint32_t i = 0; i < 3; i++)
        fls_builder_f64(s->builder, table, i, averages[i]);
    fls_builder_u64(s->builder, table, 3, runnable);
    fls_builder_u64(s->builder, table, 4, tasks);
    return write_sample(s, time_ns, SAMPLER_LOAD, fls_builder_end(s->builder, table));
}

fls_status sampler_write_cpu(struct sampler *s, uint64_t time_ns, int cpu,
                             const uint64_t times_ns[8])
{
    fls_table table = fls_builder_table(s->builder, 9);
    fls_builder_i16(s->builder, table, 0, (int16_t)cpu);
    set_numbers(s, table, 1, times_ns, 8);
    return write_sample(s, time_ns, SAMPLER_CPU, fls_builder_end(s->builder, table));
}

fls_status sampler_write_system(struct sampler *s, uint64_t time_ns, const uint64_t counters[5],
                                const uint64_t *softirqs, size_t softirq_count)
{
    fls_ref vector =
        fls_builder_vector(s->builder, softirqs, softirq_count, (uint32_t)sizeof *softirqs);
    fls_table table = fls_builder_table(s->builder, 6);
    set_numbers(s, table, 0, counters, 5);
    fls_builder_ref(s->builder, table, 5, vector);
    return write_sample(s, time_ns, SAMPLER_SYSTEM, fls_builder_end(s->builder, table));
}
