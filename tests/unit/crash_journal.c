/* A journal on a disk that loses power; see crash_journal.h. */
#include "crash_journal.h"

#include <inttypes.h>

#include "crash_upkeep.h"
#include "journal/journal_reader_private.h"
#include "journal/journal_recovery.h"
#include "journal/journal_zstd.h"
#include "support/counting_allocator.h"
#include "support/testing.h"

#define BATCH_MOST   8u
#define FAULTS_SHOWN 8u
#define GO_ON_STEPS  6u

/* A writer on a disk: that of the plan, or one after a crash. */
typedef struct run {
    const crash_plan *plan;
    crash_tally *tally;
    const struct run *parent;
    crash_disk *disk;
    crash_model model;
    fls_journal *journal; /* NULL: none is open */
    fls_journal_options options;
    fls_clock clock;
    counting_allocator memory;
    uint64_t now_ns;
    prng steps;   /* what the writer does */
    prng crashes; /* what becomes of it */
    unsigned depth;
    unsigned step;
    uint64_t point;
    crash_kind kind;
    int may_fail;
    int opening; /* 1: within flsi_journal_open, or one has failed */
    int unsure;  /* 1: an opening that did not come to its end may have moved cursors */
} run;

static const char *const kind_names[CRASH_KINDS] = {"random", "lose",   "keep",  "names",
                                                    "data",   "prefix", "killed"};

static uint64_t clock_now(void *self)
{
    return ((run *)self)->now_ns;
}

/* ---- what is wrong ---- */

uint64_t crash_tally_faults(const crash_tally *tally)
{
    return tally->lost + tally->invented + tally->refused + tally->other;
}

static void print_place(const run *at)
{
    if (at->parent == NULL) {
        const crash_plan *plan = at->plan;
        print_error("  seed %" PRIu64 ", step %u, sync %d", plan->seed, at->step,
                    (int)at->options.sync);
        if (at->may_fail) {
            print_error(" (call %" PRIu64 ", sync %" PRIu64 ", allocation %" PRIu64
                        ", room %" PRIu64 ", errno %d)",
                        plan->fail_at, plan->fail_sync, plan->fail_allocation, plan->room_bytes,
                        plan->fail_errno);
        }
        return;
    }
    print_place(at->parent);
    print_error(", point %" PRIu64 " (%s)", at->parent->point, kind_names[at->kind]);
}

static void tell(run *at, uint64_t *count, uint64_t faults, const char *text)
{
    if (crash_tally_faults(at->tally) < FAULTS_SHOWN) {
        print_error("%s\n", text);
        print_place(at);
        print_error("\n");
    }
    *count += faults;
}

static void tell_status(run *at, uint64_t *count, const char *what, const fls_error *err)
{
    char reason[400];
    char text[500];
    (void)fls_error_format(err, reason, sizeof reason);
    (void)snprintf(text, sizeof text, "%s: %s", what, reason);
    tell(at, count, 1, text);
}

static void judge(run *at, const crash_verdict *verdict)
{
    crash_tally *tally = at->tally;
    tally->checked += verdict->messages;
    if (verdict->text[0] != '\0') {
        tell(at, &tally->lost, verdict->lost, verdict->text);
        tally->invented += verdict->invented;
        tally->other += verdict->other;
    }
}

/* ---- opening and closing ---- */

static void choose_options(run *at)
{
    prng random = prng_seeded(at->plan->seed * 7 + 3);
    static const fls_checksum checksums[] = {FLS_CHECKSUM_DEFAULT, FLS_CHECKSUM_XXH3,
                                             FLS_CHECKSUM_CRC32, FLS_CHECKSUM_CRC32};
    fls_journal_options *options = &at->options;
    *options = (fls_journal_options)FLS_JOURNAL_OPTIONS_INIT;
    options->sync =
        (fls_journal_sync)(at->plan->sync != 0 ? at->plan->sync : 1 + prng_below(&random, 5));
    options->polled = 1;
    options->sync_interval_ns = 1000000;
    options->sync_bytes = 400 + prng_below(&random, 4000);
    options->sync_messages = 1 + prng_below(&random, 8);
    options->linger_ns = 1 + prng_below(&random, 2000000);
    options->write_through = (uint32_t)prng_below(&random, 2);
    options->times = (fls_journal_times)prng_below(&random, 3);
    options->segment_messages = prng_below(&random, 2) * (3 + prng_below(&random, 30));
    options->segment_bytes = prng_below(&random, 2) * (1500 + prng_below(&random, 9000));
    if (options->segment_bytes == 0) {
        options->segment_bytes = 65536; /* more than a run has; a redo log of 8 KiB */
    }
    options->retain_segments = prng_below(&random, 3) == 0 ? 2 + prng_below(&random, 3) : 0;
    options->sync_starts_segment = prng_below(&random, 8) == 0;
    options->checksum =
        prng_below(&random, 2) == 0 ? checksums[prng_below(&random, 4)] : FLS_CHECKSUM_DEFAULT;
    options->clock = &at->clock;
    at->model.checksum = options->checksum;
    at->model.retires = options->retain_segments != 0;
    at->model.retains = at->model.retires;
    options->compress =
        at->plan->upkeep && flsi_zstd_is_there() && prng_below(&random, 3) == 0 ? 1 : 0;
    options->compress_level = 1;
    at->model.compresses |= options->compress != 0;
}

static void start(run *at, const crash_plan *plan, crash_tally *tally, const run *parent)
{
    memset(at, 0, sizeof *at);
    at->plan = plan;
    at->tally = tally;
    at->parent = parent;
    at->clock = (fls_clock){clock_now, at};
    at->now_ns = 1000000000;
    counting_allocator_init(&at->memory);
    crash_model_init(&at->model);
    choose_options(at);
    if (parent != NULL) {
        crash_model_copy(&at->model, &parent->model);
        at->depth = parent->depth + 1;
        at->now_ns = parent->now_ns + 1;
        at->opening = parent->opening;
        return;
    }
    at->may_fail = plan->fail_at != 0 || plan->fail_sync != 0 || plan->room_bytes != 0 ||
                   plan->fail_allocation != 0;
    at->options.allocator = &at->memory.table;
    at->steps = prng_seeded(plan->seed);
    at->crashes = prng_seeded(plan->seed * 11 + 5);
    if (plan->fail_allocation != 0) {
        at->memory.fail_from = plan->fail_allocation - 1;
        at->memory.fail_calls = 1;
    }
}

/* The newest that is known to be durable; what retention took is not looked for. */
static void observe(run *at)
{
    if (at->journal == NULL) {
        return;
    }
    uint64_t durable = fls_journal_durable(at->journal);
    if (durable > at->model.durable) {
        at->model.durable = durable;
    }
    if (durable > at->model.count + at->model.attempt_count) {
        tell(at, &at->tally->other, 1, "more is durable than was appended");
    }
}

static fls_status open_journal(run *at, fls_journal_report *report, fls_error *err)
{
    *report = (fls_journal_report)FLS_JOURNAL_REPORT_INIT;
    at->unsure = at->opening;
    at->opening = 1;
    fls_status status =
        flsi_journal_open(&at->journal, CRASH_PATH, &at->options, crash_disk_calls(), report, err);
    at->opening = status != FLS_OK;
    if (status != FLS_OK) {
        at->journal = NULL;
    }
    return status;
}

/* Compares all that is there with the model, which then is what is there. */
static void check_opened(run *at, const fls_journal_report *report)
{
    crash_verdict verdict = {0};
    uint64_t next = fls_journal_next_ordinal(at->journal);
    crash_model_check(&at->model, at->disk, next, &verdict);
    if (next > at->model.durable) {
        at->tally->recovered += next - at->model.durable;
    }
    judge(at, &verdict);
    if (report->epoch <= at->model.epoch) {
        tell(at, &at->tally->other, 1, "the epoch did not go up");
    }
    if (report->messages != next) {
        tell(at, &at->tally->other, 1, "the report has another ordinal");
    }
    if (fls_journal_durable(at->journal) != next) {
        tell(at, &at->tally->other, 1, "what was kept is not durable");
    }
    at->model.epoch = report->epoch;
    crash_model_cut(&at->model, next);
    verdict = (crash_verdict){0};
    crash_model_check_gaps(&at->model, at->disk, &verdict);
    judge(at, &verdict);
    if (at->plan->upkeep) {
        verdict = (crash_verdict){0};
        crash_upkeep_check(&at->model, at->disk, next,
                           at->unsure ? UINT64_MAX : report->moved_cursors, &verdict);
        judge(at, &verdict);
    }
    observe(at);
}

/* ---- what a writer does ---- */

/* What is known of a call's messages once it returned: those that were taken are messages, the rest
 * may be there all the same unless the disk was full. */
static void settle(run *at, uint64_t serial, size_t count, size_t taken, fls_status status)
{
    crash_model *model = &at->model;
    size_t left = 0;
    for (size_t i = 0; i < model->attempt_count && taken == 0; i++) {
        if (model->attempts[i].serial < serial) {
            model->attempts[left++] = model->attempts[i];
        }
    }
    for (size_t i = taken; i < count && status != FLS_NO_SPACE; i++) {
        model->attempts[left++] = (crash_attempt){serial + i, i - taken, 0};
    }
    model->attempt_count = left;
    for (size_t i = 0; i < taken; i++) {
        crash_model_append(model, serial + i);
    }
    if (at->parent == NULL) {
        at->tally->acknowledged += taken;
    }
}

/* A call returned: the status is what it may be. */
static void expect(run *at, fls_status status, const char *what, const fls_error *err)
{
    observe(at);
    if (status != FLS_OK && !at->may_fail) {
        tell_status(at, &at->tally->other, what, err);
    }
    at->tally->stopped |= status != FLS_OK && status != FLS_NO_SPACE && at->parent == NULL;
}

static void append(run *at, size_t count)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_entry entries[BATCH_MOST] = {{0}};
    uint64_t first = UINT64_MAX;
    size_t taken = 0;
    uint64_t serial = at->model.next_serial;
    if (at->model.attempt_count + count > CRASH_ATTEMPT_MOST) {
        return;
    }
    uint8_t(*payloads)[CRASH_PAYLOAD_MOST] = malloc(count * sizeof *payloads);
    assert_non_null(payloads);
    for (size_t i = 0; i < count; i++) {
        entries[i].payload = payloads[i];
        entries[i].size = crash_payload(serial + i, payloads[i]);
        at->model.attempts[at->model.attempt_count++] = (crash_attempt){serial + i, i, 0};
    }
    at->model.next_serial += count;
    fls_status status;
    if (count == 1) {
        status = fls_journal_append(at->journal, entries[0].payload, entries[0].size, &first, &err);
        taken = status == FLS_OK;
    } else {
        status = fls_journal_append_batch(at->journal, entries, count, &first, &taken, &err);
    }
    free(payloads);
    if (status == FLS_OK && (taken != count || first != at->model.count)) {
        tell(at, &at->tally->other, 1, "another ordinal was given than the next one");
    }
    settle(at, serial, count, taken, status);
    expect(at, status, "append", &err);
    if (status == FLS_OK && at->options.sync == FLS_JOURNAL_SYNC_ALWAYS &&
        at->model.durable != at->model.count) {
        tell(at, &at->tally->other, 1, "an append returned that is not durable");
    }
}

static void note_gap(run *at)
{
    fls_error err = FLS_ERROR_INIT;
    crash_gap made = {at->model.count, 1000 + at->model.next_serial};
    fls_journal_gap gap = {.messages = made.messages, .producer = 3, .reason = FLS_GAP_REFUSED};
    fls_status status = fls_journal_record_gap(at->journal, &gap, &err);
    if (status == FLS_OK && at->model.gap_count < CRASH_GAP_MOST) {
        at->model.gaps[at->model.gap_count++] = made;
    }
    expect(at, status, "record_gap", &err);
}

static void sync_now(run *at)
{
    fls_error err = FLS_ERROR_INIT;
    uint64_t count = at->model.count;
    fls_status status = fls_journal_sync_now(at->journal, &err);
    expect(at, status, "sync_now", &err);
    if (status == FLS_OK && at->model.durable < count) {
        tell(at, &at->tally->other, 1, "sync_now returned and not all is durable");
    }
}

static void wait_durable(run *at)
{
    fls_error err = FLS_ERROR_INIT;
    if (at->model.count == 0) {
        return;
    }
    uint64_t ordinal = prng_below(&at->steps, at->model.count);
    fls_status status = fls_journal_wait_durable(at->journal, ordinal, &err);
    expect(at, status, "wait_durable", &err);
    if (status == FLS_OK && at->model.durable <= ordinal) {
        tell(at, &at->tally->other, 1, "wait_durable returned and it is not durable");
    }
}

/* Ends the writer one way or the other, and starts the next one on the same disk. */
static void reopen(run *at, int abandon)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_report report;
    fls_status status = FLS_OK;
    fls_journal *journal = at->journal;
    uint64_t count = at->model.count;
    crash_verdict verdict = {0};
    if (abandon) {
        at->journal = NULL;
        fls_journal_abandon(journal);
    } else {
        at->journal = NULL; /* what is durable in its last moments is seen afterwards */
        status = fls_journal_close(journal, &err);
        expect(at, status, "close", &err);
        at->model.durable = status == FLS_OK ? count : at->model.durable;
    }
    crash_model_check_gaps(&at->model, at->disk, &verdict);
    judge(at, &verdict);
    status = open_journal(at, &report, &err);
    expect(at, status, "open", &err);
    if (status == FLS_OK) {
        check_opened(at, &report);
    }
}

static void act(run *at)
{
    fls_error err = FLS_ERROR_INIT;
    uint64_t roll = prng_below(&at->steps, 100);
    at->now_ns += prng_below(&at->steps, 700000);
    if (at->plan->upkeep && prng_below(&at->steps, 4) == 0) {
        const crash_upkeep done = crash_upkeep_act(&at->model, at->journal, &at->steps, &err);
        expect(at, done.status, done.what, &err);
        return;
    }
    if (roll < 48) {
        append(at, 1);
    } else if (roll < 66) {
        append(at, 1 + (size_t)prng_below(&at->steps, BATCH_MOST));
    } else if (roll < 72) {
        note_gap(at);
    } else if (roll < 78) {
        sync_now(at);
    } else if (roll < 82) {
        wait_durable(at);
    } else if (roll < 86) {
        expect(at, fls_journal_flush(at->journal, &err), "flush", &err);
    } else if (roll < 92) {
        expect(at, fls_journal_poll(at->journal, NULL, &err), "poll", &err);
    } else if (roll < 95) {
        expect(at, fls_journal_rotate(at->journal, &err), "rotate", &err);
    } else {
        reopen(at, roll >= 98);
    }
}

/* ---- as a reader sees it ---- */

/* A reader beside the writer, of what is never taken back: all that it may see now has to be there
 * after a crash now. There may be nothing yet that it can open. */
static void look_beside(run *at)
{
    fls_journal_reader *reader;
    uint64_t first = 0;
    uint64_t end = 0;
    crash_faults *faults = crash_disk_faults(at->disk);
    crash_faults saved = *faults;
    *faults = (crash_faults){0};
    if (flsi_journal_reader_open(&reader, CRASH_PATH, NULL, crash_disk_calls(), NULL) == FLS_OK) {
        if (fls_journal_reader_bounds(reader, &first, &end, NULL) == FLS_OK &&
            end > at->model.durable) {
            at->model.durable = end;
        }
        fls_journal_reader_close(reader);
    }
    *faults = saved;
}

/* All messages by way of a reader, once nobody writes any more. */
static void read_all(run *at)
{
    fls_journal_reader *reader;
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    uint64_t next = 0;
    fls_status status;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    options.visibility = FLS_JOURNAL_WRITTEN;
    status = flsi_journal_reader_open(&reader, CRASH_PATH, &options, crash_disk_calls(), &err);
    if (status != FLS_OK) {
        tell_status(at, &at->tally->other, "a reader's opening", &err);
        return;
    }
    next = fls_journal_reader_ordinal(reader);
    while ((status = fls_journal_reader_next(reader, &message, &err)) == FLS_OK) {
        if (message.ordinal != next ||
            !crash_model_has(&at->model, next, message.payload, message.size)) {
            tell(at, &at->tally->invented, 1, "a reader finds another message");
        }
        next++;
    }
    if (status != FLS_END) {
        tell_status(at, &at->tally->other, "reading", &err);
    } else if (next != at->model.count) {
        tell(at, &at->tally->lost, 1, "a reader does not find all messages");
    }
    fls_journal_reader_close(reader);
}

/* ---- crashes ---- */

static void at_point(void *self, crash_disk *disk);

static void watch(run *at, int on)
{
    crash_faults *faults = crash_disk_faults(at->disk);
    faults->point = on && at->depth < at->plan->depth ? at_point : NULL;
    faults->point_self = at;
}

/* After recovery: closed and opened again all is as it was, and clean. */
static void check_second_opening(run *at)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_report report;
    uint64_t count = at->model.count;
    watch(at, 0);
    fls_status status = fls_journal_close(at->journal, &err);
    at->journal = NULL;
    if (status != FLS_OK) {
        tell_status(at, &at->tally->other, "close after a crash", &err);
    }
    at->model.durable = count;
    if (open_journal(at, &report, &err) != FLS_OK) {
        tell_status(at, &at->tally->refused, "the second opening", &err);
        return;
    }
    check_opened(at, &report);
    if (!report.was_clean || report.rebuilt || report.cut_bytes != 0 || report.kept_messages != 0) {
        tell(at, &at->tally->other, 1, "the second opening is not clean");
    }
    if (prng_below(&at->crashes, 8) == 0) {
        read_all(at);
    }
    fls_journal_abandon(at->journal);
    at->journal = NULL;
}

/* Opens the journal on a disk as a crash left it. */
static void try_after(run *parent, crash_disk *disk, crash_kind kind, uint64_t seed)
{
    run at;
    fls_error err = FLS_ERROR_INIT;
    fls_journal_report report;
    crash_verdict verdict = {0};
    crash_disk *before = crash_disk_crash(disk, CRASH_KILLED, 0);
    crash_disk *previous = crash_disk_use(disk);
    start(&at, parent->plan, parent->tally, parent);
    at.disk = disk;
    at.kind = kind;
    at.steps = prng_seeded(seed);
    at.crashes = prng_seeded(seed + 1);
    at.tally->crashes++;
    at.tally->nested += at.depth > 1;
    crash_model_check_gaps(&at.model, disk, &verdict);
    judge(&at, &verdict);
    verdict = (crash_verdict){0};
    watch(&at, 1);
    if (open_journal(&at, &report, &err) != FLS_OK) {
        tell_status(&at, &at.tally->refused, "opening after a crash", &err);
    } else {
        at.tally->cut += report.cut_bytes != 0;
        uint64_t next = fls_journal_next_ordinal(at.journal);
        if (at.options.retain_segments == 0) {
            crash_model_check_cut(&at.model, before, disk, next, &verdict);
            judge(&at, &verdict);
        }
        check_opened(&at, &report);
        at.now_ns += 1000;
        for (uint64_t i = prng_below(&at.steps, 4) == 0 ? GO_ON_STEPS : 0;
             i > 0 && at.journal != NULL; i--) {
            act(&at);
        }
        if (at.journal != NULL) {
            check_second_opening(&at);
        }
    }
    if (crash_disk_open_files(disk) != 0) {
        tell(&at, &at.tally->other, 1, "files were left open");
    }
    crash_model_free(&at.model);
    (void)crash_disk_use(previous);
    crash_disk_free(before);
}

static crash_kind choose_kind(prng *random)
{
    uint64_t roll = prng_below(random, 12);
    return roll < CRASH_KINDS ? (crash_kind)roll : roll < 10 ? CRASH_RANDOM : CRASH_PREFIX;
}

static void at_point(void *self, crash_disk *disk)
{
    run *at = self;
    uint64_t stride = at->plan->stride != 0 ? at->plan->stride : 1;
    at->point++;
    if (at->depth > 0) {
        stride = 30; /* each recovery has some thirty points: they would never end */
    }
    if (stride > 1 && prng_below(&at->crashes, stride) != 0) {
        return;
    }
    observe(at);
    look_beside(at);
    at->tally->points++;
    for (unsigned i = 0; i < (at->depth == 0 ? 2u : 1u); i++) {
        crash_kind kind = choose_kind(&at->crashes);
        uint64_t seed = prng_next(&at->crashes);
        crash_disk *after = crash_disk_crash(disk, kind, seed);
        try_after(at, after, kind, seed);
        crash_disk_free(after);
    }
}

/* ---- a run ---- */

static void set_faults(const crash_plan *plan, crash_faults *faults)
{
    faults->fail_at = plan->fail_at;
    faults->fail_calls = plan->fail_calls;
    faults->fail_sync = plan->fail_sync;
    faults->fail_syncs = plan->fail_syncs;
    faults->fail_errno = plan->fail_errno;
    faults->evict = plan->evict;
    faults->room_bytes = plan->room_bytes;
    faults->transfer_most = plan->transfer_most;
    faults->interrupt = plan->interrupt;
    faults->writeback = 24;
}

static void act_all(run *at)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_report report;
    fls_status status = open_journal(at, &report, &err);
    expect(at, status, "the first opening", &err);
    if (status == FLS_OK) {
        check_opened(at, &report);
    }
    for (; at->step < at->plan->steps && at->journal != NULL; at->step++) {
        if (at->plan->room_bytes != 0 && at->step == at->plan->steps / 2) {
            crash_disk_faults(at->disk)->room_bytes = 0;
        }
        act(at);
    }
}

/* After a full disk, room was made: appending has to have gone on. */
static void check_room(run *at)
{
    if (at->plan->room_bytes != 0 && at->journal != NULL && !at->tally->stopped) {
        at->may_fail = 0;
        append(at, 1);
        sync_now(at);
    }
}

void crash_journal_run(const crash_plan *plan, crash_tally *tally)
{
    run at;
    fls_error err = FLS_ERROR_INIT;
    start(&at, plan, tally, NULL);
    at.disk = crash_disk_new(plan->seed);
    (void)crash_disk_use(at.disk);
    crash_faults *faults = crash_disk_faults(at.disk);
    set_faults(plan, faults);
    tally->failed = 0;
    tally->stopped = 0;
    watch(&at, 1);
    act_all(&at);
    check_room(&at);
    watch(&at, 0);
    tally->calls = faults->calls;
    tally->syncs = faults->syncs;
    tally->allocations = at.memory.calls;
    tally->failed = faults->failed != NULL || at.memory.failures != 0;
    /* However it ended: what is left is opened without any fault. */
    for (unsigned i = 0; i < (plan->depth != 0 ? 3u : 0u); i++) {
        crash_kind kind = i == 0 ? CRASH_KILLED : i == 1 ? CRASH_LOSE : CRASH_RANDOM;
        uint64_t seed = prng_next(&at.crashes);
        observe(&at);
        crash_disk *after = crash_disk_crash(at.disk, kind, seed);
        try_after(&at, after, kind, seed);
        crash_disk_free(after);
    }
    if (at.journal != NULL) {
        fls_status status = fls_journal_close(at.journal, &err);
        at.journal = NULL;
        expect(&at, status, "the last closing", &err);
    }
    if (crash_disk_open_files(at.disk) != 0 || at.memory.live_blocks != 0) {
        tell(&at, &tally->other, 1, "files or memory were left");
    }
    crash_model_free(&at.model);
    (void)crash_disk_use(NULL);
    crash_disk_free(at.disk);
}

void crash_tally_print(const char *name, const crash_tally *tally)
{
    if (name == NULL) {
        printf("%-22s %9s %9s %9s %9s %11s %9s %9s %6s %9s %6s\n", "workload", "points", "crashes",
               "nested", "acked", "compared", "kept", "cut", "lost", "invented", "other");
        return;
    }
    printf("%-22s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %11" PRIu64 " %9" PRIu64
           " %9" PRIu64 " %6" PRIu64 " %9" PRIu64 " %6" PRIu64 "\n",
           name, tally->points, tally->crashes, tally->nested, tally->acknowledged, tally->checked,
           tally->recovered, tally->cut, tally->lost, tally->invented,
           tally->refused + tally->other);
    (void)fflush(stdout);
}
