/* A sampler of the machine that it runs on: what the loop, the messages and the readers of the
 * operating system's interfaces know of one another. examples/telemetry.fbs is the schema.
 */
#ifndef SAMPLER_H
#define SAMPLER_H

#include <flatstream/flatstream.h>
#include <flatstream/journal_reader.h>
#include <flatstream/recorder.h>

/* Members of the union Reading, numbered as FlatBuffers numbers them. */
enum sampler_kind {
    SAMPLER_CLOCK = 1,
    SAMPLER_PROCESS,
    SAMPLER_SCHEDULER,
    SAMPLER_CPU,
    SAMPLER_SYSTEM,
    SAMPLER_MEMORY,
    SAMPLER_LOAD,
    SAMPLER_DISK,
    SAMPLER_NETWORK,
    SAMPLER_KINDS
};

#define SAMPLER_NS_PER_S  UINT64_C(1000000000)
#define SAMPLER_NS_PER_MS UINT64_C(1000000)
#define SAMPLER_NS_PER_US UINT64_C(1000)

struct sampler_system; /* what the operating system's part keeps open */

struct sampler_witness; /* sampler_journal.c */

struct sampler {
    fls_writer *writer; /* a stream; or a journal: */
    fls_producer *producer;
    struct sampler_witness *witness;
    fls_builder *builder; /* the writer's, or one's own */
    struct sampler_system *system;
    fls_error *err;
    uint64_t ticks;
    uint64_t last_tick_ns;
    uint64_t frame_offset;          /* of the message written last, or being written */
    uint64_t previous_frame_offset; /* of the one before */
    uint64_t counts[SAMPLER_KINDS]; /* messages written, by kind */
};

/* One interface of the operating system: read when period_ns have passed since the last time, 0 for
 * every turn of the loop. take writes what it finds; an interface that this machine does not have
 * writes nothing and is FLS_OK. */
struct sampler_source {
    uint64_t period_ns;
    fls_status (*take)(struct sampler *sampler);
};

/* sampler_linux.c or sampler_portable.c; the list ends with a take of NULL. open keeps descriptors
 * open in this process; it returns NULL when memory ran out. */
extern const struct sampler_source sampler_system_sources[];
struct sampler_system *sampler_system_open(void);
void sampler_system_close(struct sampler_system *system);

/* sampler_message.c: each writes one message. */
uint64_t sampler_now_ns(void); /* monotonic */
fls_status sampler_write_clock(struct sampler *sampler, uint64_t now_ns);
fls_status sampler_write_process(struct sampler *sampler);
fls_status sampler_write_load(struct sampler *sampler, uint64_t time_ns, const double averages[3],
                              uint64_t runnable, uint64_t tasks);
fls_status sampler_write_cpu(struct sampler *sampler, uint64_t time_ns, int cpu,
                             const uint64_t times_ns[8]);
fls_status sampler_write_system(struct sampler *sampler, uint64_t time_ns,
                                const uint64_t counters[5], const uint64_t *softirqs,
                                size_t softirq_count);
/* A reading whose fields are all ulong, in the schema's order. */
fls_status sampler_write_numbers(struct sampler *sampler, uint64_t time_ns, enum sampler_kind kind,
                                 const uint64_t *values, uint32_t count);
/* The same behind a name. */
fls_status sampler_write_named(struct sampler *sampler, uint64_t time_ns, enum sampler_kind kind,
                               const char *name, size_t name_bytes, const uint64_t *values,
                               uint32_t count);

/* sampler_journal.c: samples through a recorder into the journal at path. schema (may be NULL)
 * names a file of the compiled one. With kill_after of 0 or more the program that samples is a
 * child process, which is killed with SIGKILL after so many seconds; then the journal is opened
 * again, and every message that had been reported durable has to be there, as it was offered.
 * Returns the program's exit status. */
struct sampler_recording {
    const char *path;
    const char *schema;
    double kill_after;
    int quiet;
    fls_status (*loop)(const void *self, struct sampler *sampler);
    const void *self;
};
int sampler_record(const struct sampler_recording *recording);
fls_status sampler_offer(struct sampler *sampler, fls_ref root);
/* Notes how many messages are durable. */
void sampler_note_durable(struct sampler *sampler);

/* sampler.c: what was written. */
void sampler_print_summary(const struct sampler *sampler, uint64_t bytes, double seconds);

/* sampler.c: 1234567 as "1,234,567", somewhere in text. */
const char *sampler_grouped(char text[32], uint64_t number);

/* sampler_kill.c: runs body in a child process, with a sink on a new file at path that stops in the
 * middle of a frame in the first write after some seconds, and kills the child there with SIGKILL.
 * Returns the program's exit status: 0 when the child was killed so. */
typedef int sampler_body(const void *self, struct sampler *sampler, fls_sink sink);
int sampler_run_and_kill(const char *path, double seconds, sampler_body *body, const void *self);

#endif
