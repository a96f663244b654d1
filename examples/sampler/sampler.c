/* Samples the machine that it runs on, as fast as its interfaces have something new to say, into
 * a stream of FlatBuffers, or through a recorder into a journal: the clock and the process's own
 * usage at every turn of the loop, what must be read from files at the pace at which it changes.
 * See --help.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sampler.h"

enum { MAX_SOURCES = 16 };

#define HOUSEKEEPING_NS (10 * SAMPLER_NS_PER_MS)
#define FLUSH_NS        (100 * SAMPLER_NS_PER_MS)

struct options {
    double seconds; /* 0: until interrupted */
    double rate;    /* turns a second; 0: without a pause */
    const char *output;
    fls_checksum checksum;
    int append;
    int quiet;
    double kill_after; /* seconds; negative: do not */
    int records;       /* into a journal */
    const char *journal;
    const char *schema;
};

/* When each source is to be read next. */
struct schedule {
    uint64_t source_ns[MAX_SOURCES];
    uint64_t flush_ns;
    uint64_t housekeeping_ns;
    uint64_t earliest_ns; /* nothing is due before */
    int interrupted;
};

static const char usage[] =
    "usage: sampler [options]\n"
    "  Samples this machine's telemetry (examples/telemetry.fbs) into a stream of FlatBuffers.\n"
    "  -s, --seconds S           how long; 0 until interrupted (default 3)\n"
    "  -r, --rate N              turns of the loop a second; 0 without a pause (default)\n"
    "  -o, --output FILE         the stream; - for standard output (default machine.fls)\n"
    "  -c, --checksum NAME       none, crc16, crc32 or xxh3 (default)\n"
    "  -a, --append              recover FILE and go on behind its last message\n"
    "  -k, --kill-after S        be killed with SIGKILL in the middle of the first write to FILE\n"
    "                            after S seconds\n"
    "  -j, --journal DIR         through a recorder into a journal instead; with --kill-after open "
    "it\n"
    "                            again, and prove that nothing durable was lost\n"
    "      --schema FILE.bfbs    the compiled schema, for the journal to keep\n"
    "  -q, --quiet               no summary\n";

/* Interrupts are held back and looked for now and then: nothing is done in a handler. */
static int interrupt_pending(void)
{
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1;
}

static void hold_signals(void)
{
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigprocmask(SIG_BLOCK, &held, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Everything that is not done in every turn. */
static fls_status take_due(struct sampler *s, struct schedule *schedule, uint64_t now_ns)
{
    fls_status st = FLS_OK;
    if (now_ns >= schedule->housekeeping_ns) {
        schedule->interrupted = interrupt_pending();
        schedule->housekeeping_ns = now_ns + HOUSEKEEPING_NS;
    }
    if (now_ns >= schedule->flush_ns) {
        st = s->writer != NULL ? fls_writer_flush(s->writer, s->err) : FLS_OK;
        schedule->flush_ns = now_ns + FLUSH_NS;
    }
    if (s->witness != NULL)
        sampler_note_durable(s);
    schedule->earliest_ns = schedule->housekeeping_ns;
    for (size_t i = 0; st == FLS_OK && sampler_system_sources[i].take != NULL; i++) {
        uint64_t *due_ns = &schedule->source_ns[i];
        if (now_ns >= *due_ns) {
            st = sampler_system_sources[i].take(s);
            *due_ns = now_ns + sampler_system_sources[i].period_ns;
        }
        if (*due_ns < schedule->earliest_ns)
            schedule->earliest_ns = *due_ns;
    }
    return st;
}

/* Sleeps for most of the time and spins for the rest, which a sleep cannot hit. */
static uint64_t wait_until(uint64_t deadline_ns)
{
    uint64_t now_ns = sampler_now_ns();
    uint64_t margin_ns = 100 * SAMPLER_NS_PER_US;
    if (deadline_ns > now_ns + 2 * margin_ns) {
        uint64_t pause_ns = deadline_ns - now_ns - margin_ns;
        struct timespec pause = {(time_t)(pause_ns / SAMPLER_NS_PER_S),
                                 (long)(pause_ns % SAMPLER_NS_PER_S)};
        nanosleep(&pause, NULL);
    }
    while (now_ns < deadline_ns)
        now_ns = sampler_now_ns();
    return now_ns;
}

static fls_status sample(struct sampler *s, const struct options *o)
{
    struct schedule schedule = {.earliest_ns = 0};
    uint64_t turn_ns = o->rate > 0 ? (uint64_t)((double)SAMPLER_NS_PER_S / o->rate) : 0;
    uint64_t start_ns = sampler_now_ns();
    uint64_t end_ns = UINT64_MAX;
    uint64_t now_ns = start_ns;
    fls_status st = FLS_OK;

    if (o->seconds > 0)
        end_ns = start_ns + (uint64_t)(o->seconds * (double)SAMPLER_NS_PER_S);
    s->last_tick_ns = start_ns;
    while (st == FLS_OK && now_ns < end_ns && !schedule.interrupted) {
        uint64_t next_ns = now_ns + turn_ns;
        st = sampler_write_clock(s, now_ns);
        if (st == FLS_OK)
            st = sampler_write_process(s);
        if (st == FLS_OK && now_ns >= schedule.earliest_ns)
            st = take_due(s, &schedule, now_ns);
        now_ns = wait_until(next_ns < end_ns ? next_ns : end_ns);
    }
    return st;
}

const char *sampler_grouped(char text[32], uint64_t number)
{
    char *p = text + 31;
    int digits = 0;
    *p = '\0';
    do {
        if (digits > 0 && digits % 3 == 0)
            *--p = ',';
        *--p = (char)('0' + number % 10);
        number /= 10;
        digits++;
    } while (number > 0);
    return p;
}

void sampler_print_summary(const struct sampler *s, uint64_t bytes, double seconds)
{
    static const char *const names[SAMPLER_KINDS] = {
        "", "clock", "process", "scheduler", "cpu", "system", "memory", "load", "disk", "network",
    };
    char number[32];
    uint64_t messages = 0;
    for (int kind = 0; kind < SAMPLER_KINDS; kind++)
        messages += s->counts[kind];

    fprintf(stderr, "sampler: %s messages", sampler_grouped(number, messages));
    fprintf(stderr, " in %.2f s, %s a second", seconds,
            sampler_grouped(number, (uint64_t)((double)messages / seconds)));
    fprintf(stderr, ", %.1f MB/s\n", (double)bytes / seconds / 1e6);
    for (int kind = 1; kind < SAMPLER_KINDS; kind++)
        if (s->counts[kind] > 0)
            fprintf(stderr, "  %-10s %12s  %10.0f a second\n", names[kind],
                    sampler_grouped(number, s->counts[kind]), (double)s->counts[kind] / seconds);
}

static fls_status open_writer(struct sampler *s, const struct options *o, const fls_sink *sink)
{
    fls_writer_options opt = FLS_WRITER_OPTIONS_INIT;
    fls_sink out;
    opt.checksum = o->checksum;
    if (sink != NULL)
        return fls_writer_open(&s->writer, *sink, &opt, s->err);
    if (o->append)
        return fls_writer_open_append(&s->writer, o->output, &opt, NULL, s->err);
    if (strcmp(o->output, "-") != 0)
        return fls_writer_open_file(&s->writer, o->output, &opt, s->err);
    fls_status st = fls_sink_from_fd(&out, 1, 0, s->err);
    return st == FLS_OK ? fls_writer_open(&s->writer, out, &opt, s->err) : st;
}

static int run(const struct options *o, struct sampler *s, const fls_sink *sink)
{
    fls_status st = open_writer(s, o, sink);
    if (st != FLS_OK)
        return fls_error_print(stderr, s->err), 1;
    s->builder = fls_writer_builder(s->writer);
    s->system = sampler_system_open();
    if (s->builder == NULL || s->system == NULL)
        return fputs("sampler: out of memory\n", stderr), 1;

    uint64_t first_byte = fls_writer_offset(s->writer);
    uint64_t start_ns = sampler_now_ns();
    st = sample(s, o);
    uint64_t bytes = fls_writer_offset(s->writer) - first_byte;
    fls_error late = FLS_ERROR_INIT;
    fls_status closed = fls_writer_close(s->writer, &late);
    double seconds = (double)(sampler_now_ns() - start_ns) / (double)SAMPLER_NS_PER_S;
    sampler_system_close(s->system);

    if (st == FLS_CLOSED || closed == FLS_CLOSED)
        return 0; /* the reader at the other end of the pipe has had enough */
    if (st != FLS_OK || closed != FLS_OK)
        return fls_error_print(stderr, st != FLS_OK ? s->err : &late), 1;
    if (!o->quiet)
        sampler_print_summary(s, bytes, seconds);
    return 0;
}

static fls_status sample_into_journal(const void *self, struct sampler *sampler)
{
    return sample(sampler, self);
}

static int run_with_sink(const void *self, struct sampler *sampler, fls_sink sink)
{
    return run(self, sampler, &sink);
}

/* A number from 0 on, all of the text. */
static int parse_number(const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return end != text && *end == '\0' && *number >= 0 && *number < 1e15;
}

static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"seconds", required_argument, NULL, 's'},
        {"rate", required_argument, NULL, 'r'},
        {"output", required_argument, NULL, 'o'},
        {"checksum", required_argument, NULL, 'c'},
        {"append", no_argument, NULL, 'a'},
        {"kill-after", required_argument, NULL, 'k'},
        {"journal", required_argument, NULL, 'j'},
        {"schema", required_argument, NULL, 'S'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int good = 1;
    int letter;
    while (good && (letter = getopt_long(argc, argv, "s:r:o:c:ak:j:qh", longs, NULL)) != -1) {
        switch (letter) {
        case 's': good = parse_number(optarg, &o->seconds); break;
        case 'r': good = parse_number(optarg, &o->rate); break;
        case 'o': o->output = optarg; break;
        case 'c': good = fls_checksum_from_name(optarg, &o->checksum) == FLS_OK; break;
        case 'a': o->append = 1; break;
        case 'k': good = parse_number(optarg, &o->kill_after); break;
        case 'j':
            o->journal = optarg;
            o->records = 1;
            break;
        case 'S': o->schema = optarg; break;
        case 'q': o->quiet = 1; break;
        case 'h': fputs(usage, stdout); exit(0);
        default: good = 0; break;
        }
    }
    if (!o->records && o->kill_after >= 0 && (o->append || strcmp(o->output, "-") == 0))
        good = 0; /* what is killed is the writer of a new file */
    return good && optind == argc;
}

int main(int argc, char **argv)
{
    struct options o = {.seconds = 3, .output = "machine.fls", .kill_after = -1};
    if (!parse_options(argc, argv, &o)) {
        fputs(usage, stderr);
        return 2;
    }
    hold_signals();
    if (o.records) {
        if (o.kill_after >= 0)
            o.seconds = 0;
        struct sampler_recording recording = {o.journal,           o.schema, o.kill_after, o.quiet,
                                              sample_into_journal, &o};
        return sampler_record(&recording);
    }
    if (o.kill_after >= 0)
        return sampler_run_and_kill(o.output, o.kill_after, run_with_sink, &o);

    fls_error err = FLS_ERROR_INIT;
    struct sampler sampler = {.err = &err};
    return run(&o, &sampler, NULL);
}
