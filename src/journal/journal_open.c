/* Opening and closing a journal for writing. */
#include "flatstream/frame.h"

#include <stdio.h>

#include "core/cpu.h"
#include "core/error.h"
#include "core/options.h"
#include "journal/journal_lock.h"
#include "journal/journal_private.h"

#define MILLISECOND           UINT64_C(1000000)
#define DEFAULT_SEGMENT_BYTES (UINT64_C(256) << 20)
#define MOST_FRAME_BYTES      FLS_DEFAULT_MAX_FRAME_BYTES /* that a manifest can say */

/* ---- options ---- */

static void fill_in(fls_journal_options *options)
{
    options->sync = options->sync != 0 ? options->sync : FLS_JOURNAL_SYNC_INTERVAL;
    options->times = options->times != 0 ? options->times : FLS_JOURNAL_TIMES_EACH;
    if (options->sync_interval_ns == 0) {
        options->sync_interval_ns = 10 * MILLISECOND;
    }
    options->sync_bytes = options->sync_bytes != 0 ? options->sync_bytes : UINT64_C(1) << 20;
    options->sync_messages = options->sync_messages != 0 ? options->sync_messages : 100;
    options->linger_ns = options->linger_ns != 0 ? options->linger_ns : 10 * MILLISECOND;
    if (options->segment_bytes == 0) {
        options->segment_bytes = DEFAULT_SEGMENT_BYTES;
    }
}

static fls_status check(const fls_journal_options *options, fls_error *err)
{
    const char *text = NULL;
    if (options->sync < 0 || options->sync > FLS_JOURNAL_SYNC_ALWAYS || options->times < 0 ||
        options->times > FLS_JOURNAL_TIMES_EACH) {
        text = "no such way of syncing, or of noting times";
    } else if (options->checksum < 0 || options->checksum > FLS_CHECKSUM_XXH3) {
        text = "a journal has a checksum of the library's own";
    } else if (options->must_exist && options->must_be_new) {
        text = "a journal cannot both exist and be new";
    } else if (options->max_frame_bytes > MOST_FRAME_BYTES) {
        text = "max_frame_bytes is more than 2^31, the most that a journal takes";
    } else if (options->types == NULL && options->type_count != 0) {
        text = "types are counted and not given";
    } else if (options->type_count > FLSI_MANIFEST_TYPES) {
        text = "more types than a journal has";
    }
    return text == NULL ? FLS_OK : fls_error_set(err, FLS_INVALID_ARGUMENT, 0, text);
}

/* ---- making and freeing the object ---- */

static void free_all(fls_journal *journal)
{
    const fls_allocator *allocator = journal->allocator;
    flsi_segment_end(&journal->segment);
    flsi_redo_close(&journal->redo);
    (void)flsi_file_close(&journal->lock_file, NULL);
    flsi_directory_close(&journal->directory);
    flsi_kept_fini(&journal->kept);
    flsi_gate_fini(&journal->gates[1]);
    flsi_gate_fini(&journal->gates[0]);
    flsi_condition_fini(&journal->wake);
    flsi_condition_fini(&journal->changed);
    flsi_mutex_fini(&journal->mutex);
    if (journal->path != NULL) {
        allocator->free(allocator->self, journal->path, journal->path_bytes);
    }
    allocator->free(allocator->self, journal, sizeof *journal);
}

static fls_status make_gates(fls_journal *journal, fls_error *err)
{
    fls_status status = flsi_gate_init(&journal->gates[0], err);
    if (status == FLS_OK && (status = flsi_gate_init(&journal->gates[1], err)) != FLS_OK) {
        flsi_gate_fini(&journal->gates[0]);
    }
    return status;
}

static fls_status make_locks(fls_journal *journal, fls_error *err)
{
    fls_status status = flsi_mutex_init(&journal->mutex, err);
    if (status != FLS_OK) {
        return status;
    }
    if ((status = flsi_condition_init(&journal->changed, err)) != FLS_OK) {
        flsi_mutex_fini(&journal->mutex);
        return status;
    }
    if ((status = flsi_condition_init(&journal->wake, err)) != FLS_OK) {
        flsi_condition_fini(&journal->changed);
        flsi_mutex_fini(&journal->mutex);
        return status;
    }
    if ((status = make_gates(journal, err)) != FLS_OK) {
        flsi_condition_fini(&journal->wake);
        flsi_condition_fini(&journal->changed);
        flsi_mutex_fini(&journal->mutex);
    }
    return status;
}

static fls_status make_object(fls_journal **made, const char *path,
                              const fls_journal_options *options, const flsi_os_calls *calls,
                              fls_error *err)
{
    const fls_allocator *allocator =
        options->allocator != NULL ? options->allocator : fls_allocator_libc();
    fls_journal *journal = allocator->resize(allocator->self, NULL, 0, sizeof *journal);
    if (journal == NULL) {
        (void)fls_error_set(err, FLS_NO_MEMORY, 0, "the journal could not be allocated");
        return FLS_NO_MEMORY;
    }
    memset(journal, 0, sizeof *journal);
    journal->allocator = allocator;
    journal->clock = options->clock != NULL ? options->clock : fls_clock_monotonic();
    flsi_tick_clock_init(&journal->tick_clock, journal->clock, NULL);
    journal->ticks = options->clock == NULL ? &journal->tick_clock : NULL;
    journal->calls = calls;
    journal->options = *options;
    journal->directory.fd = -1;
    journal->lock_file.fd = -1;
    journal->lock_file.directory_fd = -1;
    fls_status status = flsi_kept_init(&journal->kept, &journal->directory, allocator, err);
    if (status == FLS_OK && (status = make_locks(journal, err)) != FLS_OK) {
        flsi_kept_fini(&journal->kept);
    }
    if (status != FLS_OK) {
        allocator->free(allocator->self, journal, sizeof *journal);
        return status;
    }
    journal->path_bytes = strlen(path) + 1;
    journal->path = allocator->resize(allocator->self, NULL, 0, journal->path_bytes);
    if (journal->path == NULL) {
        free_all(journal);
        (void)fls_error_set(err, FLS_NO_MEMORY, 0, "the journal could not be allocated");
        return FLS_NO_MEMORY;
    }
    memcpy(journal->path, path, journal->path_bytes);
    *made = journal;
    return FLS_OK;
}

/* ---- lock and manifest ---- */

/* The writer's lock; who holds it stands in the file, for people. */
static fls_status take_lock(fls_journal *journal, fls_error *err)
{
    char text[32];
    size_t written;
    fls_status status = flsi_writer_lock(&journal->directory, &journal->lock_file, err);
    if (status != FLS_OK) {
        return status;
    }
    int length = snprintf(text, sizeof text, "%llu\n", (unsigned long long)flsi_process_id());
    if (flsi_file_truncate(&journal->lock_file, 0, NULL) == FLS_OK) {
        (void)flsi_file_write_at(&journal->lock_file, 0, text, (size_t)length, &written, NULL);
    }
    return FLS_OK;
}

static fls_status make_subdirectory(fls_journal *journal, const char *name, fls_error *err)
{
    flsi_directory made;
    fls_status status = flsi_directory_open_in(&made, &journal->directory, name, 1, NULL, err);
    flsi_directory_close(&made);
    return status;
}

/* A journal that is not there yet: a manifest of epoch 0, which recovery then makes 1. Segments
 * without a manifest are a journal that lost it. */
static fls_status make_new(fls_journal *journal, fls_error *err)
{
    flsi_manifest *manifest = &journal->manifest;
    flsi_listing listing;
    fls_status status = flsi_listing_read(&listing, &journal->directory, journal->allocator, err);
    if (status != FLS_OK) {
        return status;
    }
    size_t segments = listing.count;
    flsi_listing_fini(&listing);
    if (segments != 0) {
        return fls_error_set(err, FLS_INVALID_FRAME, 0,
                             "the journal's manifest is lost: it has to be rebuilt");
    }
    memset(manifest, 0, sizeof *manifest);
    manifest->checksum = journal->options.checksum != FLS_CHECKSUM_DEFAULT
                             ? journal->options.checksum
                             : FLS_CHECKSUM_XXH3;
    manifest->max_frame_bytes = journal->options.max_frame_bytes != 0
                                    ? journal->options.max_frame_bytes
                                    : FLS_DEFAULT_MAX_FRAME_BYTES;
    manifest->has_times = journal->options.times == FLS_JOURNAL_TIMES_EACH;
    manifest->created_ns = flsi_wall_now_ns();
    status = flsi_random_bytes(manifest->id, sizeof manifest->id / 2, err);
    flsi_manifest_complete_id(manifest);
    static const char *const names[] = {FLSI_SCHEMAS_NAME, FLSI_CURSORS_NAME, FLSI_CUT_NAME};
    for (size_t i = 0; status == FLS_OK && i < sizeof names / sizeof *names; i++) {
        status = make_subdirectory(journal, names[i], err);
    }
    return status == FLS_OK
               ? flsi_manifest_store(manifest, &journal->directory, journal->allocator, err)
               : status;
}

/* The manifest, made when there is none; and what the options say against it. */
static fls_status load_manifest(fls_journal *journal, fls_journal_report *report, fls_error *err)
{
    fls_journal_options *options = &journal->options;
    flsi_manifest *manifest = &journal->manifest;
    fls_error why = FLS_ERROR_INIT;
    fls_status status = flsi_manifest_load(manifest, &journal->directory, journal->allocator, &why);
    if (status == FLS_END && options->must_exist) {
        return fls_error_set(err, FLS_IO, 0, "there is no journal");
    }
    if (status == FLS_END) {
        report->is_new = 1;
        return make_new(journal, err);
    }
    if (status != FLS_OK) {
        if (err != NULL) {
            *err = why;
        }
        return status;
    }
    if (options->must_be_new) {
        return fls_error_set(err, FLS_IO, 0, "there is a journal already");
    }
    if (options->checksum != FLS_CHECKSUM_DEFAULT && options->checksum != manifest->checksum) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the journal has another checksum");
    }
    return FLS_OK;
}

/* What the options say, in the manifest. *same: 1 when messages are as before. */
static fls_status take_options(fls_journal *journal, int *same, fls_error *err)
{
    fls_journal_options *options = &journal->options;
    flsi_manifest *manifest = &journal->manifest;
    fls_status status = FLS_OK;
    *same = 1;
    if (options->types != NULL) {
        status = flsi_journal_use_types(journal, options->types, options->type_count, same, err);
    }
    uint32_t has_times = options->times == FLS_JOURNAL_TIMES_EACH;
    *same = *same && manifest->has_times == has_times;
    manifest->has_times = has_times;
    manifest->segment_bytes = options->segment_bytes;
    manifest->segment_messages = options->segment_messages;
    manifest->segment_age_ns = options->segment_age_ns;
    manifest->retain_bytes = options->retain_bytes;
    manifest->retain_segments = options->retain_segments;
    manifest->retain_age_ns = options->retain_age_ns;
    manifest->incompatible |= options->compress ? FLSI_FEATURE_COMPRESSED : 0;
    if (options->max_frame_bytes == 0) {
        options->max_frame_bytes = manifest->max_frame_bytes;
    }
    if (options->max_frame_bytes > manifest->max_frame_bytes) {
        manifest->max_frame_bytes = options->max_frame_bytes;
    }
    options->checksum = manifest->checksum;
    if (status == FLS_OK) {
        status =
            flsi_digest_init(&journal->digest, manifest->checksum, NULL, flsi_cpu_features(), err);
    }
    return status;
}

/* Journal time goes on as the wall clock has it, and never back. */
static void start_time(fls_journal *journal, uint64_t last_time_ns)
{
    uint64_t wall = flsi_wall_now_ns();
    journal->clock_base = flsi_journal_clock(journal);
    journal->time_base = wall > last_time_ns ? wall : last_time_ns + 1;
    atomic_store_explicit(&journal->last_time_ns, last_time_ns, memory_order_relaxed);
}

/* On a disk that is full: whether retention, which needs no room, has made some. It would have been
 * due in any case. */
static int made_room(fls_journal *journal, fls_status status)
{
    return status == FLS_NO_SPACE && flsi_journal_retain(journal, FLSI_RETIRED_AT_ONCE) > 0;
}

/* With the lock: from what is there to a segment that takes messages. */
static fls_status start(fls_journal *journal, fls_journal_report *report, fls_error *err)
{
    flsi_journal_place place;
    int same = 1;
    fls_status status = load_manifest(journal, report, err);
    uint32_t is_new = report->is_new;
    if (status == FLS_OK) {
        do {
            status = flsi_journal_recover(&place, &journal->manifest, &journal->directory,
                                          journal->allocator, report, err);
        } while (made_room(journal, status));
    }
    report->is_new = is_new;
    report->was_clean |= is_new;
    if (status == FLS_OK && place.next_ordinal >= FLSI_ORDINALS / 2) {
        status = fls_error_set(err, FLS_UNSUPPORTED, 0, "the journal's ordinals are used up");
    }
    if (status != FLS_OK) {
        return status;
    }
    (void)flsi_redo_remove(&journal->directory, NULL); /* of an epoch that is over */
    report->epoch = journal->manifest.epoch;
    report->messages = place.next_ordinal;
    journal->journal_id = flsi_load_le64(journal->manifest.id);
    status = take_options(journal, &same, err);
    if (status == FLS_OK) {
        status =
            flsi_manifest_store(&journal->manifest, &journal->directory, journal->allocator, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    start_time(journal, place.last_time_ns);
    do {
        status = flsi_journal_go_on(journal, &place, same, err);
    } while (made_room(journal, status));
    return status;
}

static fls_status open_directory(fls_journal *journal, fls_error *err)
{
    flsi_file_info info;
    int missing = 0;
    int must_exist = journal->options.must_exist != 0;
    fls_status status =
        flsi_directory_open(&journal->directory, journal->path, !must_exist, journal->calls, err);
    if (status == FLS_OK && must_exist) {
        status = flsi_directory_info(&journal->directory, FLSI_MANIFEST_NAME, &info, &missing, err);
        if (missing) {
            status = fls_error_set(err, FLS_IO, 0, "there is no journal");
        }
    }
    return status;
}

fls_status flsi_journal_open(fls_journal **journal, const char *path,
                             const fls_journal_options *options, const flsi_os_calls *calls,
                             fls_journal_report *report, fls_error *err)
{
    fls_journal_options given;
    fls_journal_report found = FLS_JOURNAL_REPORT_INIT;
    fls_journal *made = NULL;
    *journal = NULL;
    fls_status status = flsi_options_read(&given, sizeof given, options, err);
    if (status == FLS_OK) {
        status = check(&given, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    fill_in(&given);
    status = make_object(&made, path, &given, calls, err);
    if (status != FLS_OK) {
        return status;
    }
    made->reads_time = given.times == FLS_JOURNAL_TIMES_EACH;
    made->through = given.write_through || given.sync == FLS_JOURNAL_SYNC_ALWAYS;
    made->simple = !made->through &&
                   (given.sync == FLS_JOURNAL_SYNC_NONE || given.sync == FLS_JOURNAL_SYNC_INTERVAL);
    status = open_directory(made, err);
    status = status == FLS_OK ? take_lock(made, err) : status;
    status = status == FLS_OK ? start(made, &found, err) : status;
    if (status == FLS_OK && !given.polled) {
        made->has_thread = 1;
        made->upkeep_due = 1;
        status = flsi_thread_start(&made->thread, flsi_journal_run, made, err);
    }
    if (report != NULL) {
        uint32_t bytes = report->struct_bytes;
        found.struct_bytes = bytes;
        memcpy(report, &found, bytes < sizeof found ? bytes : sizeof found);
    }
    if (status != FLS_OK) {
        free_all(made);
        return status;
    }
    *journal = made;
    return FLS_OK;
}

fls_status fls_journal_open(fls_journal **journal, const char *path,
                            const fls_journal_options *options, fls_journal_report *report,
                            fls_error *err)
{
    return flsi_journal_open(journal, path, options, NULL, report, err);
}

/* ---- the end ---- */

static void end_thread(fls_journal *journal)
{
    if (!journal->has_thread) {
        return;
    }
    flsi_mutex_lock(&journal->mutex);
    journal->stop = 1;
    flsi_condition_signal(&journal->wake);
    flsi_mutex_unlock(&journal->mutex);
    flsi_thread_join(&journal->thread);
    journal->has_thread = 0;
}

/* Everything durable, and a SEAL that says that nothing is missing. */
static fls_status finish(fls_journal *journal, fls_error *err)
{
    fls_error why = FLS_ERROR_INIT;
    fls_status status = FLS_OK;
    if (journal->failure.status != FLS_OK) {
        return flsi_journal_again(journal, err);
    }
    if (journal->sealing == FLSI_NOT_SEALED) {
        status = flsi_journal_commit(journal, FLSI_COMMIT_ALONE, err);
        if (status == FLS_OK) { /* so that the SEAL says that all before it was synced */
            status = flsi_journal_sync_marks(journal, err);
        }
        if (status == FLS_OK) {
            status = flsi_segment_seal(&journal->segment, FLSI_SEAL_CLOSED, &why);
            status = flsi_journal_stick(journal, status, &why, err);
        }
    } else {
        status = flsi_journal_flush_held(journal, err);
    }
    status = status == FLS_OK ? flsi_journal_sync_marks(journal, err) : status;
    if (status == FLS_OK) { /* the files have all of what it has */
        (void)flsi_redo_remove(&journal->directory, NULL);
    }
    return status;
}

fls_status fls_journal_close(fls_journal *journal, fls_error *err)
{
    if (journal == NULL) {
        return FLS_OK;
    }
    end_thread(journal);
    flsi_mutex_lock(&journal->mutex);
    fls_status status = finish(journal, err);
    flsi_mutex_unlock(&journal->mutex);
    free_all(journal);
    return status;
}

void fls_journal_abandon(fls_journal *journal)
{
    if (journal != NULL) {
        end_thread(journal);
        free_all(journal);
    }
}
