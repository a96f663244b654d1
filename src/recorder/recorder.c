/* Opening and closing a recorder, its thread, and what callers ask of it. */
#include "core/options.h"
#include "recorder/recorder_private.h"

#define DEFAULT_PRODUCERS 64u
#define MOST_PRODUCERS    4096u
#define DEFAULT_IDLE_NS   UINT64_C(200000)
/* How long the drain waits before it tries again: a full disk, or memory that was short. */
#define STALLED_NS UINT64_C(5000000)
/* The rate of the stamps is first measured over this time. */
#define FIRST_PAIR_NS UINT64_C(1000000)

static int is_stuck(const fls_recorder *recorder)
{
    return atomic_load_explicit(&recorder->stuck, memory_order_acquire) != FLS_OK;
}

/* ---- requests ---- */

static void answer(fls_recorder *recorder, const fls_error *err)
{
    flsi_mutex_lock(&recorder->lock);
    recorder->served = recorder->serving;
    recorder->answer = *err;
    flsi_condition_broadcast(&recorder->done);
    flsi_mutex_unlock(&recorder->lock);
    recorder->serving = 0;
    recorder->serving_snapshot = 0;
}

/* Takes up what was asked since the last one: everything that is published by now is to be taken.
 */
static void take_request(fls_recorder *recorder)
{
    if (recorder->serving != 0) {
        return;
    }
    flsi_mutex_lock(&recorder->lock);
    if (recorder->asked != recorder->served) {
        recorder->serving = recorder->asked;
        recorder->serving_snapshot = recorder->wants_snapshot;
        recorder->wants_snapshot = 0;
        for (uint32_t i = 0; i < recorder->count; i++) {
            fls_producer *producer = recorder->producers[i];
            producer->target = atomic_load_explicit(&producer->ring.tail, memory_order_acquire);
        }
    }
    flsi_mutex_unlock(&recorder->lock);
}

static int targets_are_reached(fls_recorder *recorder)
{
    int reached = 1;
    flsi_mutex_lock(&recorder->lock);
    for (uint32_t i = 0; i < recorder->count; i++) {
        const fls_producer *producer = recorder->producers[i];
        uint64_t head = atomic_load_explicit(&producer->ring.head, memory_order_relaxed);
        reached &= (head & ~FLSI_RING_RESERVED) >= producer->target;
    }
    flsi_mutex_unlock(&recorder->lock);
    return reached;
}

static void serve_request(fls_recorder *recorder)
{
    fls_error err = FLS_ERROR_INIT;
    uint64_t messages = 0;
    if (recorder->serving == 0 || is_stuck(recorder)) {
        return;
    }
    if (recorder->is_stalled) {
        answer(recorder, &recorder->fault);
        return;
    }
    if (!targets_are_reached(recorder)) {
        return;
    }
    flsi_drain_tidy(recorder); /* gaps behind which nothing follows belong to it */
    if (recorder->is_stalled) {
        answer(recorder, &recorder->fault);
    }
    if (recorder->serving == 0 || is_stuck(recorder)) {
        return;
    }
    if (recorder->serving_snapshot) {
        fls_status status = flsi_snapshot_write(recorder, &messages, &err);
        err.status = status;
        if (status != FLS_OK) {
            (void)flsi_drain_failed(recorder, status, &err);
        }
        if (is_stuck(recorder)) {
            return;
        }
        flsi_mutex_lock(&recorder->lock);
        recorder->snapshot_messages = messages;
        flsi_mutex_unlock(&recorder->lock);
    }
    answer(recorder, &err);
}

/* ---- the drain ---- */

static void wake_blocked(fls_recorder *recorder)
{
    if (atomic_load(&recorder->waiters) != 0) {
        flsi_mutex_lock(&recorder->lock);
        flsi_condition_broadcast(&recorder->room);
        flsi_mutex_unlock(&recorder->lock);
    }
}

int flsi_recorder_step(fls_recorder *recorder)
{
    if (is_stuck(recorder)) {
        return 0;
    }
    take_request(recorder);
    int moved = flsi_drain_pass(recorder);
    wake_blocked(recorder);
    if (!moved && !recorder->is_stalled && !is_stuck(recorder)) {
        flsi_drain_tidy(recorder);
    }
    serve_request(recorder);
    return moved;
}

static void run_drain(void *self)
{
    fls_recorder *recorder = self;
    int stopping = 0;
    while (!stopping && !is_stuck(recorder)) {
        int moved = flsi_recorder_step(recorder);
        flsi_mutex_lock(&recorder->lock);
        int is_wanted = recorder->asked != recorder->served || recorder->stopping ||
                        (atomic_load(&recorder->waiters) != 0 && !recorder->is_stalled);
        if (!moved && !is_wanted) {
            (void)flsi_condition_wait_for(&recorder->work, &recorder->lock,
                                          recorder->is_stalled ? STALLED_NS : recorder->idle_ns);
        }
        stopping = recorder->stopping;
        flsi_mutex_unlock(&recorder->lock);
    }
}

/* Asks the drain to take everything, and waits until it has; then makes it durable. */
static fls_status ask(fls_recorder *recorder, int snapshot, uint64_t *messages, fls_error *err)
{
    flsi_mutex_lock(&recorder->lock);
    uint64_t mine = ++recorder->asked;
    recorder->wants_snapshot |= snapshot;
    flsi_condition_signal(&recorder->work);
    while (recorder->served < mine && !is_stuck(recorder)) {
        if (recorder->threaded) {
            flsi_condition_wait(&recorder->done, &recorder->lock);
        } else {
            flsi_mutex_unlock(&recorder->lock);
            (void)flsi_recorder_step(recorder);
            flsi_mutex_lock(&recorder->lock);
        }
    }
    fls_error said = recorder->answer;
    *messages = recorder->served >= mine ? recorder->snapshot_messages : 0;
    flsi_mutex_unlock(&recorder->lock);
    if (said.status != FLS_OK) {
        if (err != NULL) {
            *err = said;
        }
        return said.status;
    }
    return recorder->journal.sync(recorder->journal.self, err);
}

fls_status fls_recorder_drain(fls_recorder *recorder, fls_error *err)
{
    uint64_t messages;
    return ask(recorder, 0, &messages, err);
}

fls_status fls_recorder_trigger(fls_recorder *recorder, uint64_t *messages, fls_error *err)
{
    uint64_t written = 0;
    if (messages != NULL) {
        *messages = 0;
    }
    if (recorder->snapshot.limit_bytes == 0) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the recorder keeps no snapshot");
    }
    fls_status status = ask(recorder, 1, &written, err);
    if (messages != NULL) {
        *messages = written;
    }
    return status;
}

/* ---- opening and closing ---- */

static void look_at_rate(fls_recorder *recorder)
{
    const fls_clock *clock = recorder->stamps;
    recorder->first.ticks = clock == NULL ? flsi_ticks_in_order() : clock->now_ns(clock->self);
    recorder->first.time_ns = recorder->journal.now(recorder->journal.self);
    if (clock == NULL) {
        flsi_sleep_ns(FIRST_PAIR_NS);
    }
}

static fls_status check_reserved(const uint64_t reserved[4], fls_error *err)
{
    return (reserved[0] | reserved[1] | reserved[2] | reserved[3]) == 0
               ? FLS_OK
               : fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "reserved options are 0");
}

static fls_status check_options(const fls_recorder_options *options, fls_error *err)
{
    fls_status status = check_reserved(options->reserved, err);
    if (status != FLS_OK) {
        return status;
    }
    if (options->max_producers > MOST_PRODUCERS) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "there are at most 4096 producers");
    }
    return FLS_OK;
}

static fls_recorder *allocate(const fls_recorder_options *options, fls_error *err)
{
    const fls_allocator *allocator =
        options->allocator != NULL ? options->allocator : fls_allocator_libc();
    uint32_t most = options->max_producers != 0 ? options->max_producers : DEFAULT_PRODUCERS;
    size_t block_bytes = sizeof(fls_recorder) + 2 * most * sizeof(fls_producer *);
    fls_recorder *recorder = allocator->resize(allocator->self, NULL, 0, block_bytes);
    if (recorder == NULL) {
        (void)fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for a recorder");
        return NULL;
    }
    memset(recorder, 0, block_bytes);
    recorder->allocator = *allocator;
    recorder->block_bytes = block_bytes;
    recorder->max_producers = most;
    recorder->idle_ns = options->idle_ns != 0 ? options->idle_ns : DEFAULT_IDLE_NS;
    recorder->producers = (fls_producer **)(void *)(recorder + 1);
    recorder->active = recorder->producers + most;
    recorder->next_id = 1;
    return recorder;
}

static void release(fls_recorder *recorder)
{
    fls_allocator allocator = recorder->allocator;
    flsi_snapshot_close(recorder);
    for (uint32_t i = 0; i < recorder->count; i++) {
        flsi_producer_free(recorder->producers[i]);
    }
    allocator.free(allocator.self, recorder, recorder->block_bytes);
}

static fls_status make_locks(fls_recorder *recorder, fls_error *err)
{
    fls_status status = flsi_mutex_init(&recorder->lock, err);
    if (status != FLS_OK) {
        return status;
    }
    if ((status = flsi_mutex_init(&recorder->ledger_lock, err)) != FLS_OK) {
        flsi_mutex_fini(&recorder->lock);
        return status;
    }
    flsi_condition *conditions[] = {&recorder->work, &recorder->room, &recorder->done};
    for (size_t i = 0; i < 3; i++) {
        if ((status = flsi_condition_init(conditions[i], err)) != FLS_OK) {
            while (i-- > 0) {
                flsi_condition_fini(conditions[i]);
            }
            flsi_mutex_fini(&recorder->ledger_lock);
            flsi_mutex_fini(&recorder->lock);
            return status;
        }
    }
    return FLS_OK;
}

static void remove_locks(fls_recorder *recorder)
{
    flsi_condition_fini(&recorder->work);
    flsi_condition_fini(&recorder->room);
    flsi_condition_fini(&recorder->done);
    flsi_mutex_fini(&recorder->ledger_lock);
    flsi_mutex_fini(&recorder->lock);
}

fls_status flsi_recorder_open(fls_recorder **recorder, const flsi_recorder_journal *journal,
                              const fls_recorder_options *options, const fls_clock *stamps,
                              int threaded, fls_error *err)
{
    fls_recorder_options own;
    *recorder = NULL;
    fls_status status = flsi_options_read(&own, sizeof own, options, err);
    status = status == FLS_OK ? check_options(&own, err) : status;
    if (status != FLS_OK) {
        return status;
    }
    fls_recorder *made = allocate(&own, err);
    if (made == NULL) {
        return FLS_NO_MEMORY;
    }
    made->journal = *journal;
    made->threaded = threaded;
    made->stamps = stamps;
    if (stamps == NULL && !flsi_ticks_are_steady()) {
        made->stamps = fls_clock_monotonic();
    }
    if (own.snapshot_bytes != 0 || own.snapshot_ns != 0) {
        status = flsi_snapshot_open(made, own.snapshot_bytes, own.snapshot_ns, err);
    }
    status = status == FLS_OK ? make_locks(made, err) : status;
    if (status != FLS_OK) {
        release(made);
        return status;
    }
    look_at_rate(made);
    if (threaded && (status = flsi_thread_start(&made->thread, run_drain, made, err)) != FLS_OK) {
        remove_locks(made);
        release(made);
        return status;
    }
    *recorder = made;
    return FLS_OK;
}

fls_status fls_recorder_close(fls_recorder *recorder, fls_error *err)
{
    if (recorder == NULL) {
        return FLS_OK;
    }
    fls_status status = fls_recorder_drain(recorder, err);
    if (recorder->threaded) {
        flsi_mutex_lock(&recorder->lock);
        recorder->stopping = 1;
        flsi_condition_signal(&recorder->work);
        flsi_mutex_unlock(&recorder->lock);
        flsi_thread_join(&recorder->thread);
    }
    remove_locks(recorder);
    release(recorder);
    return status;
}

fls_status fls_recorder_attach(fls_recorder *recorder, const fls_producer_options *options,
                               fls_producer **producer, fls_error *err)
{
    fls_producer_options own;
    *producer = NULL;
    fls_status status = flsi_options_read(&own, sizeof own, options, err);
    status = status == FLS_OK ? check_reserved(own.reserved, err) : status;
    if (status != FLS_OK) {
        return status;
    }
    fls_error said = FLS_ERROR_INIT;
    fls_producer *made = flsi_producer_new(recorder, &own, &said);
    if (made == NULL) {
        if (err != NULL) {
            *err = said;
        }
        return said.status;
    }
    flsi_mutex_lock(&recorder->lock);
    int has_room = recorder->count < recorder->max_producers;
    if (has_room) {
        made->id = recorder->next_id++;
        recorder->producers[recorder->count++] = made;
    }
    flsi_mutex_unlock(&recorder->lock);
    if (!has_room) {
        flsi_producer_free(made);
        return fls_error_set(err, FLS_NO_SPACE, 0, "there are as many producers as there may be");
    }
    *producer = made;
    return FLS_OK;
}

void fls_recorder_get_figures(fls_recorder *recorder, fls_producer_figures *sum)
{
    uint32_t struct_bytes = sum->struct_bytes;
    flsi_mutex_lock(&recorder->lock);
    fls_producer_figures all = recorder->gone;
    for (uint32_t i = 0; i < recorder->count; i++) {
        flsi_producer_add_figures(recorder->producers[i], &all);
    }
    flsi_mutex_unlock(&recorder->lock);
    /* Of producers that are gone, some may have become durable since. */
    all.durable = flsi_ledger_durable(recorder, &recorder->ledger);
    all.struct_bytes = struct_bytes;
    memcpy(sum, &all, struct_bytes < sizeof all ? struct_bytes : sizeof all);
}
