/* Sampling through a recorder into a journal, and the proof of what a journal promises: a child
 * process records and is killed with SIGKILL at whatever it is doing. What it offered and what it
 * was told to be durable stands in memory that both processes share, and is held against the
 * journal.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sampler.h"

enum { MESSAGES_MAX = 1 << 26, SCHEMA_MAX = 1 << 20 };

#define RING_BYTES    ((size_t)4 << 20)
#define SEGMENT_BYTES ((uint64_t)64 << 20)

/* What is known beside the journal. Memory that is not used is none. */
struct sampler_witness {
    int watches;              /* digests are kept */
    _Atomic uint64_t first;   /* ordinal of message 0 */
    _Atomic uint64_t offered; /* messages: at least so many of digests are good */
    _Atomic uint64_t durable; /* of them, as the recorder reported */
    uint64_t digests[MESSAGES_MAX];
};

fls_status sampler_offer(struct sampler *s, fls_ref root)
{
    const void *data;
    size_t size;
    uint64_t number = atomic_load_explicit(&s->witness->offered, memory_order_relaxed);
    fls_status st = fls_builder_finish(s->builder, root, NULL, &data, &size, s->err);
    if (st != FLS_OK)
        return st;
    if (s->witness->watches) {
        if (number == MESSAGES_MAX)
            return fls_error_set(s->err, FLS_NO_SPACE, 0, "more messages than can be watched");
        s->witness->digests[number] = fls_checksum_digest(FLS_CHECKSUM_XXH3, data, size);
    }
    atomic_store_explicit(&s->witness->offered, number + 1, memory_order_release);
    st = fls_producer_offer(s->producer, data, size);
    return st == FLS_OK ? st : fls_error_set(s->err, st, 0, "the recorder takes no more messages");
}

void sampler_note_durable(struct sampler *s)
{
    s->witness->durable = fls_producer_durable(s->producer);
}

/* ---- recording ---- */

static fls_status open_journal(fls_journal **journal, const struct sampler_recording *r,
                               fls_journal_report *report, fls_error *err)
{
    static unsigned char bfbs[SCHEMA_MAX];
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal_type type = {.bfbs = bfbs};
    options.checksum = FLS_CHECKSUM_XXH3; /* its digests are what the witness has */
    options.segment_bytes = SEGMENT_BYTES;
    if (r->schema != NULL) {
        FILE *file = fopen(r->schema, "rb");
        if (file == NULL)
            return fls_error_set(err, FLS_IO, 0, "the schema cannot be opened");
        type.bfbs_bytes = fread(bfbs, 1, sizeof bfbs, file);
        fclose(file);
        options.types = &type;
        options.type_count = 1;
    }
    return fls_journal_open(journal, r->path, &options, report, err);
}

/* All that is offered is kept: the loop waits when the ring is full. */
static fls_status run_loop(const struct sampler_recording *r, struct sampler *s,
                           fls_recorder *recorder)
{
    fls_producer_options options = FLS_PRODUCER_OPTIONS_INIT;
    options.policy = FLS_RECORDER_BLOCK;
    options.ring_bytes = RING_BYTES;
    options.name = "sampler";
    fls_status st = fls_recorder_attach(recorder, &options, &s->producer, s->err);
    if (st != FLS_OK)
        return st;
    st = r->loop(r->self, s);
    if (st == FLS_OK)
        st = fls_recorder_drain(recorder, s->err);
    sampler_note_durable(s);
    fls_producer_detach(s->producer);
    return st;
}

static fls_status record_into(const struct sampler_recording *r, struct sampler *s,
                              fls_journal *journal)
{
    fls_recorder *recorder = NULL;
    fls_status st = fls_recorder_open(&recorder, journal, NULL, s->err);
    if (st != FLS_OK)
        return st;
    s->witness->first = fls_journal_next_ordinal(journal);
    st = run_loop(r, s, recorder);
    fls_status closed = fls_recorder_close(recorder, st == FLS_OK ? s->err : NULL);
    return st != FLS_OK ? st : closed;
}

static void print_durable(struct sampler *s)
{
    char number[32];
    fprintf(stderr, "sampler: %s messages are durable\n",
            sampler_grouped(number, s->witness->durable));
}

static int record(const struct sampler_recording *r, struct sampler_witness *witness)
{
    fls_error err = FLS_ERROR_INIT;
    struct sampler s = {.err = &err, .witness = witness};
    fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
    fls_journal *journal = NULL;
    fls_status st = open_journal(&journal, r, NULL, &err);
    if (st != FLS_OK)
        return fls_error_print(stderr, &err), 1;
    st = fls_builder_new(&s.builder, NULL, &err);
    s.system = sampler_system_open();
    uint64_t start_ns = sampler_now_ns();
    if (st == FLS_OK && s.system != NULL)
        st = record_into(r, &s, journal);
    double seconds = (double)(sampler_now_ns() - start_ns) / (double)SAMPLER_NS_PER_S;
    fls_journal_get_figures(journal, &figures);
    fls_status closed = fls_journal_close(journal, st == FLS_OK ? &err : NULL);
    fls_builder_free(s.builder);
    sampler_system_close(s.system);
    if (st != FLS_OK || closed != FLS_OK)
        return fls_error_print(stderr, &err), 1;
    if (!r->quiet) {
        sampler_print_summary(&s, figures.appended_bytes, seconds);
        print_durable(&s);
    }
    return 0;
}

/* ---- the proof ---- */

/* How many of the messages the journal holds from the first one on, each as it was offered. */
static fls_status count_sound(const char *path, const struct sampler_witness *witness,
                              uint64_t *sound, fls_error *err)
{
    fls_journal_reader *reader = NULL;
    fls_message message;
    *sound = 0;
    fls_status st = fls_journal_reader_open(&reader, path, NULL, err);
    if (st != FLS_OK)
        return st;
    st = fls_journal_reader_seek_ordinal(reader, witness->first, err);
    while (st == FLS_OK && (st = fls_journal_reader_next(reader, &message, err)) == FLS_OK) {
        if (message.ordinal != witness->first + *sound || *sound >= witness->offered ||
            message.checksum != witness->digests[*sound])
            st = fls_error_set(err, FLS_INVALID_FRAME, 0, "a message that was never offered");
        else
            ++*sound;
    }
    fls_journal_reader_close(reader);
    return st == FLS_END ? FLS_OK : st;
}

static int prove(const struct sampler_recording *r, const struct sampler_witness *witness)
{
    char number[3][32];
    fls_error err = FLS_ERROR_INIT;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    fls_journal *journal = NULL;
    uint64_t sound = 0;
    uint64_t from_ns = sampler_now_ns();
    fls_status st = open_journal(&journal, r, &report, &err);
    double ms = (double)(sampler_now_ns() - from_ns) / (double)SAMPLER_NS_PER_MS;
    if (st == FLS_OK)
        st = fls_journal_close(journal, &err);
    if (st == FLS_OK)
        st = count_sound(r->path, witness, &sound, &err);
    if (st != FLS_OK)
        return fls_error_print(stderr, &err), 1;

    uint64_t durable = witness->durable;
    uint64_t offered = witness->offered;
    fprintf(stderr,
            "sampler: opened again in %.1f ms: durable up to %s, kept %s behind that, set %s bytes "
            "aside\n",
            ms, sampler_grouped(number[0], report.base_ordinal),
            sampler_grouped(number[1], report.kept_messages),
            sampler_grouped(number[2], report.cut_bytes));
    fprintf(stderr, "sampler: %s messages are there, each as it was offered\n",
            sampler_grouped(number[0], sound));
    fprintf(stderr, "sampler: lost: %s that had been reported durable, %s that had not\n",
            sampler_grouped(number[0], sound < durable ? durable - sound : 0),
            sampler_grouped(number[1], offered - (sound < durable ? durable : sound)));
    return sound < durable;
}

static int record_and_kill(const struct sampler_recording *r, struct sampler_witness *witness)
{
    char number[2][32];
    uint64_t wait_ns = (uint64_t)(r->kill_after * (double)SAMPLER_NS_PER_S);
    struct timespec pause = {(time_t)(wait_ns / SAMPLER_NS_PER_S),
                             (long)(wait_ns % SAMPLER_NS_PER_S)};
    int status = 0;
    uint64_t from_ns = sampler_now_ns();
    pid_t child = fork();
    if (child == 0)
        exit(record(r, witness));
    if (child < 0)
        return perror("sampler"), 1;
    nanosleep(&pause, NULL);
    while (witness->durable == 0 && waitpid(child, &status, WNOHANG) == 0) /* a slow machine */
        nanosleep(&(struct timespec){0, (long)SAMPLER_NS_PER_MS}, NULL);
    kill(child, SIGKILL);
    double seconds = (double)(sampler_now_ns() - from_ns) / (double)SAMPLER_NS_PER_S;
    (void)waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        return fputs("sampler: ended before it was to be killed\n", stderr), 1;
    fprintf(stderr, "sampler: process %ld killed with SIGKILL after %.2f s and %s messages",
            (long)child, seconds, sampler_grouped(number[0], witness->offered));
    fprintf(stderr, ", %s a second; %s had been reported durable\n",
            sampler_grouped(number[0], (uint64_t)((double)witness->offered / seconds)),
            sampler_grouped(number[1], witness->durable));
    return prove(r, witness);
}

int sampler_record(const struct sampler_recording *r)
{
    struct sampler_witness *witness = mmap(NULL, sizeof *witness, PROT_READ | PROT_WRITE,
                                           MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (witness == MAP_FAILED)
        return perror("sampler"), 1;
    witness->watches = r->kill_after >= 0;
    int code = r->kill_after >= 0 ? record_and_kill(r, witness) : record(r, witness);
    munmap(witness, sizeof *witness);
    return code;
}
