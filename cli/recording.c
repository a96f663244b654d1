/* Messages into a journal. */
#include "recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "interrupt.h"
#include "journal_input.h"
#include "journal_show.h"
#include "moment.h"
#include "own_types.h"
#include "report.h"

#define ARENA_BYTES  ((size_t)512 * 1024)
#define SHOW_NS      UINT64_C(200000000)
#define RETRY_MS     100
#define MILLISECONDS 1e6

/* ---- opening ---- */

static void free_types(cli_recording *rec)
{
    const fls_allocator *allocator = fls_allocator_libc();
    for (size_t i = 0; i < FLS_SCHEMA_SET_MOST; i++) {
        if (rec->bfbs[i] != NULL) {
            allocator->free(allocator->self, rec->bfbs[i], rec->bfbs_bytes[i]);
            rec->bfbs[i] = NULL;
        }
    }
}

/* The types that the journal is to have: of the schemas given, or of the segment that is read. */
static int prepare_types(cli_recording *rec)
{
    cli_job *job = rec->job;
    fls_error err = FLS_ERROR_INIT;
    const cli_schemas *from = rec->source != NULL ? rec->source : &rec->schemas;
    const fls_schema_set *set = rec->source != NULL ? &from->here : &from->set;
    uint32_t count = set->count;
    free_types(rec);
    for (uint32_t i = 0; i < count; i++) {
        const fls_message_type *type = &set->types[i];
        const char *path = from->paths[rec->source != NULL ? from->places[i] : i];
        fls_schema_object root;
        if (fls_schema_compile_file(&rec->bfbs[i], &rec->bfbs_bytes[i], path,
                                    job->common.include_directories, NULL, &err) != FLS_OK) {
            return cli_complain_error(job, path, &err);
        }
        fls_schema_get_object(type->schema, type->root, &root);
        memcpy(rec->identifiers[i], type->identifier, 4);
        int is_own = type->root == fls_schema_root(type->schema);
        int has_own =
            is_own && strcmp(fls_schema_identifier(type->schema), rec->identifiers[i]) == 0;
        rec->types[i] =
            (fls_journal_type){rec->bfbs[i], rec->bfbs_bytes[i], is_own ? NULL : root.name,
                               has_own || type->identifier[0] == '\0' ? NULL : rec->identifiers[i]};
    }
    rec->options.types = count > 0 ? rec->types : NULL;
    rec->options.type_count = count;
    return CLI_DONE;
}

static int open_failed(cli_recording *rec, const fls_error *err)
{
    if (err->status == FLS_LOCKED) {
        cli_complain(rec->job, rec->path, "another writer has this journal open");
        return CLI_SYSTEM;
    }
    int code = cli_journal_complain(rec->job, rec->path, err);
    if (code == CLI_DAMAGED) {
        cli_complain(rec->job, rec->path,
                     "it can still be read; 'flatstream journal check' says what is wrong, "
                     "'flatstream journal rebuild' makes it a journal again");
    }
    return code;
}

static int require_schema(cli_recording *rec)
{
    if (rec->needs_schema == NULL || rec->schemas.set.count > 0) {
        return CLI_DONE;
    }
    return cli_usage(rec->job,
                     "%s needs a schema, and the journal has none: -s FILE.bfbs or "
                     "FILE.fbs",
                     rec->needs_schema);
}

/* The types that the journal goes on with. */
static int load_types(cli_recording *rec)
{
    return cli_own_types_load(&rec->schemas, rec->job, rec->path, 1);
}

/* The disk is full. CLI_DONE: there may be room by now. */
static int wait_for_room(cli_recording *rec, const fls_error *err)
{
    rec->full = 1;
    if (!rec->wait_for_space) {
        rec->failed = 1;
        return cli_journal_complain(rec->job, rec->path, err);
    }
    if (!rec->told_full) {
        cli_note(rec->job, "%s: no space left; waiting for some", rec->path);
        rec->told_full = 1;
    }
    cli_recording_idle(rec);
    if (cli_interrupt_pause(RETRY_MS) == CLI_INTERRUPT_SIGNAL) {
        rec->failed = 1;
        return CLI_SYSTEM;
    }
    return CLI_DONE;
}

int cli_recording_open(cli_recording *rec)
{
    fls_error err = FLS_ERROR_INIT;
    rec->report = (fls_journal_report)FLS_JOURNAL_REPORT_INIT;
    rec->figures = (fls_journal_figures)FLS_JOURNAL_FIGURES_INIT;
    rec->arena = malloc(ARENA_BYTES);
    if (rec->arena == NULL) {
        return cli_complain_errno(rec->job, NULL, NULL, ENOMEM);
    }
    int code = cli_journal_welcome(rec->job, rec->path);
    if (code == CLI_DONE) {
        code = cli_schemas_open_given(&rec->schemas, rec->job);
    }
    if (code == CLI_DONE) {
        code = prepare_types(rec);
    }
    if (code == CLI_DONE && rec->needs_schema != NULL) { /* before anything is made or changed */
        code = rec->schemas.set.count == 0 && access(rec->path, F_OK) == 0 ? load_types(rec)
                                                                           : CLI_DONE;
        code = code == CLI_DONE ? require_schema(rec) : code;
    }
    if (code != CLI_DONE) {
        return code;
    }
    rec->options.struct_bytes = sizeof rec->options;
    rec->options.checksum = rec->job->common.checksum;
    uint32_t most = rec->job->common.max_frame_bytes; /* of convert: it may be more */
    rec->options.max_frame_bytes =
        most < FLS_DEFAULT_MAX_FRAME_BYTES ? most : FLS_DEFAULT_MAX_FRAME_BYTES;
    fls_status status;
    while ((status = fls_journal_open(&rec->journal, rec->path, &rec->options, &rec->report,
                                      &err)) == FLS_NO_SPACE &&
           wait_for_room(rec, &err) == CLI_DONE) {
        rec->full = 0; /* nothing was lost by it */
    }
    if (status != FLS_OK) {
        return rec->failed ? CLI_SYSTEM : open_failed(rec, &err);
    }
    cli_recovery_tell(rec->job, rec->path, &rec->report);
    rec->interactive = !rec->job->common.quiet && isatty(STDERR_FILENO);
    rec->started_ns = rec->shown_ns = rec->told_ns = rec->heard_ns = cli_monotonic_ns();
    /* What a resumed journal knows, for --check and --from json. */
    if (rec->schemas.set.count == 0 && !rec->report.is_new) {
        code = load_types(rec);
    }
    return code;
}

/* ---- appending ---- */

int cli_recording_missing(cli_recording *rec, uint64_t messages, fls_gap_reason reason)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_gap gap = {.messages = messages, .reason = (uint32_t)reason};
    if (fls_journal_record_gap(rec->journal, &gap, &err) != FLS_OK) {
        rec->failed = 1;
        return cli_journal_complain(rec->job, rec->path, &err);
    }
    return CLI_DONE;
}

int cli_recording_types(cli_recording *rec)
{
    fls_error err = FLS_ERROR_INIT;
    int code = cli_recording_flush(rec);
    if (code == CLI_DONE) {
        code = prepare_types(rec);
    }
    if (code == CLI_DONE && fls_journal_set_types(rec->journal, rec->options.types,
                                                  rec->options.type_count, &err) != FLS_OK) {
        rec->failed = 1;
        code = cli_journal_complain(rec->job, rec->path, &err);
    }
    return code;
}

static int refuse(cli_recording *rec, const char *place, const fls_error *err)
{
    char sentence[400];
    cli_error_sentence(err, sentence, sizeof sentence);
    if (rec->refused++ < 10) {
        cli_complain(rec->job, place, "a message is not recorded: %s", sentence);
    } else if (rec->refused == 11) {
        cli_complain(rec->job, NULL, "more messages are not recorded");
    }
    return cli_recording_missing(rec, 1, FLS_GAP_REFUSED);
}

/* Makes room for the sizes of more messages; those of what the file has are not needed. */
static int reserve_sizes(cli_recording *rec, size_t more)
{
    uint64_t held = fls_journal_next_ordinal(rec->journal) - fls_journal_written(rec->journal);
    if (held < rec->size_count) {
        rec->size_first += rec->size_count - (size_t)held;
        rec->size_count = (size_t)held;
    }
    if (more <= rec->size_capacity - rec->size_first - rec->size_count) {
        return CLI_DONE;
    }
    if (rec->size_first > 0) {
        memmove(rec->sizes, rec->sizes + rec->size_first, rec->size_count * sizeof *rec->sizes);
        rec->size_first = 0;
    }
    if (more > rec->size_capacity - rec->size_count) {
        size_t capacity = 2 * (rec->size_count + more);
        uint32_t *sizes = realloc(rec->sizes, capacity * sizeof *sizes);
        if (sizes == NULL) {
            return cli_complain_errno(rec->job, NULL, NULL, ENOMEM);
        }
        rec->sizes = sizes;
        rec->size_capacity = capacity;
    }
    return CLI_DONE;
}

static void count_taken(cli_recording *rec, const fls_journal_entry *entries, size_t count)
{
    uint32_t *sizes = rec->sizes + rec->size_first + rec->size_count;
    for (size_t i = 0; i < count; i++) {
        sizes[i] = (uint32_t)entries[i].size;
        rec->bytes += entries[i].size;
    }
    rec->size_count += count;
    rec->messages += count;
    rec->told_full &= count == 0;
}

static int append(cli_recording *rec, const fls_journal_entry *entries, size_t count)
{
    fls_error err = FLS_ERROR_INIT;
    int code = reserve_sizes(rec, count);
    size_t next = 0;
    while (next < count && code == CLI_DONE) {
        size_t taken = 0;
        fls_status status = fls_journal_append_batch(rec->journal, entries + next, count - next,
                                                     NULL, &taken, &err);
        taken = status == FLS_OK ? count - next : taken;
        count_taken(rec, entries + next, taken);
        next += taken;
        if (status == FLS_INVALID_FRAME) {
            code = refuse(rec, NULL, &err);
            next++;
        } else if (status == FLS_NO_SPACE) {
            code = wait_for_room(rec, &err);
        } else if (status != FLS_OK) {
            rec->failed = 1;
            code = cli_journal_complain(rec->job, rec->path, &err);
        }
    }
    rec->lost += count - next;
    return code;
}

int cli_recording_flush(void *self)
{
    cli_recording *rec = self;
    int code = CLI_DONE;
    if (rec->count > 0) {
        rec->heard_ns = rec->idle_ns != 0 ? cli_monotonic_ns() : 0;
        code = append(rec, rec->entries, rec->count);
        rec->count = 0;
        rec->used = 0;
    }
    cli_recording_idle(rec);
    return code;
}

static int is_refused(cli_recording *rec, const fls_message *message, fls_error *err)
{
    uint32_t type;
    return rec->check && cli_schemas_check(&rec->schemas, message, &type, err) != FLS_OK;
}

/* CLI_RECORD_ENOUGH: every message wanted is recorded; those refused meanwhile do not count. */
static int is_enough(cli_recording *rec)
{
    if (rec->limit == 0 || rec->messages + rec->count < rec->limit) {
        return CLI_DONE;
    }
    int code = cli_recording_flush(rec);
    if (code != CLI_DONE || rec->messages < rec->limit) {
        return code;
    }
    rec->ended_by = "limit";
    return CLI_RECORD_ENOUGH;
}

int cli_recording_take(void *self, const void *payload, size_t size, const char *place)
{
    cli_recording *rec = self;
    fls_error err = FLS_ERROR_INIT;
    fls_message message = {.payload = payload, .size = size};
    int code = is_enough(rec);
    if (code != CLI_DONE) {
        return code;
    }
    if (is_refused(rec, &message, &err)) {
        code = cli_recording_flush(rec); /* the gap has its place */
        return code == CLI_DONE ? refuse(rec, place, &err) : code;
    }
    if (rec->count == CLI_RECORD_BATCH || size > ARENA_BYTES - rec->used) {
        code = cli_recording_flush(rec);
    }
    if (code != CLI_DONE) {
        rec->lost++;
        return code;
    }
    if (size > ARENA_BYTES) {
        fls_journal_entry entry = {payload, size, 0};
        code = append(rec, &entry, 1);
        return code == CLI_DONE ? is_enough(rec) : code;
    }
    if (size > 0) {
        memcpy(rec->arena + rec->used, payload, size);
    }
    rec->entries[rec->count++] = (fls_journal_entry){rec->arena + rec->used, size, 0};
    rec->used += size;
    return is_enough(rec);
}

int cli_recording_messages(cli_recording *rec, const fls_message *messages, size_t count)
{
    fls_error err = FLS_ERROR_INIT;
    int code = CLI_DONE;
    for (size_t i = 0; i < count && code == CLI_DONE && (code = is_enough(rec)) == CLI_DONE; i++) {
        int refused = is_refused(rec, &messages[i], &err);
        if (!refused) {
            rec->entries[rec->count++] =
                (fls_journal_entry){messages[i].payload, messages[i].size, messages[i].time_ns};
        }
        if (refused || rec->count == CLI_RECORD_BATCH) {
            code = cli_recording_flush(rec);
        }
        if (refused && code == CLI_DONE) {
            code = refuse(rec, NULL, &err);
        }
    }
    code = code == CLI_DONE ? cli_recording_flush(rec) : code;
    return code == CLI_DONE ? is_enough(rec) : code;
}

/* ---- telling ---- */

static void show(cli_recording *rec, uint64_t now)
{
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    char c[CLI_NUMBER];
    char d[CLI_NUMBER];
    fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
    double seconds = (double)(now - rec->started_ns) / 1e9;
    fls_journal_get_figures(rec->journal, &figures);
    char line[256];
    snprintf(line, sizeof line,
             "%s messages, %s, %s/s; %s not durable yet; %llu segments, slowest sync %.3g ms",
             cli_count(a, rec->messages), cli_bytes(b, (double)rec->bytes),
             cli_count(c, (uint64_t)((double)rec->messages / seconds)),
             cli_count(d, figures.next_ordinal - figures.durable_ordinal),
             (unsigned long long)figures.segments, (double)figures.sync_ns_max / MILLISECONDS);
    cli_progress_line(&rec->job->progress, rec->path, line);
}

/* Asks for the end when it is time. */
static void look_at_clock(cli_recording *rec, uint64_t now)
{
    const char *why = NULL;
    if (rec->for_ns != 0 && now - rec->started_ns >= rec->for_ns) {
        why = "time";
    } else if (rec->idle_ns != 0 && now - rec->heard_ns >= rec->idle_ns && rec->count == 0) {
        why = "idle";
    }
    if (why != NULL && rec->ended_by == NULL) {
        rec->ended_by = why;
        cli_interrupt_ask();
    }
}

void cli_recording_idle(void *self)
{
    cli_recording *rec = self;
    int times = rec->interactive || rec->tell_ns != 0 || rec->idle_ns != 0 || rec->for_ns != 0;
    if (!times || rec->journal == NULL) {
        return;
    }
    uint64_t now = cli_monotonic_ns();
    look_at_clock(rec, now);
    if (rec->tell_ns != 0 && now - rec->told_ns >= rec->tell_ns) {
        rec->told_ns = now;
        cli_progress_clear(&rec->job->progress);
        fprintf(stderr, "durable %llu\n", (unsigned long long)fls_journal_durable(rec->journal));
        fflush(stderr);
    }
    if (rec->interactive && now - rec->shown_ns >= SHOW_NS) {
        rec->shown_ns = now;
        show(rec, now);
    }
}

static void put_report(cli_recording *rec, cli_out *out, int code, int by_signal)
{
    const fls_journal_figures *figures = &rec->figures;
    cli_json json;
    cli_json_begin(&json, out);
    cli_json_text(&json, "journal", rec->path);
    cli_json_count(&json, "epoch", rec->report.epoch);
    cli_json_bool(&json, "is_new", rec->report.is_new != 0);
    cli_recovery_put_json(&json, &rec->report);
    cli_json_count(&json, "messages", rec->messages);
    cli_json_count(&json, "bytes", rec->bytes);
    cli_json_count(&json, "first_ordinal", rec->report.messages);
    cli_json_count(&json, "next_ordinal", figures->next_ordinal);
    cli_json_count(&json, "durable_ordinal", figures->durable_ordinal);
    cli_json_count(&json, "lost_messages", rec->lost);
    cli_json_count(&json, "refused", rec->refused);
    cli_json_count(&json, "dropped", rec->dropped);
    cli_json_count(&json, "peers", rec->peers);
    cli_json_count(&json, "segments", figures->segments);
    cli_json_count(&json, "rotations", figures->rotations);
    cli_json_count(&json, "retired_segments", figures->retired_segments);
    cli_json_count(&json, "oldest_ordinal", figures->first_ordinal);
    cli_json_count(&json, "syncs", figures->syncs);
    cli_json_count(&json, "failed_syncs", figures->failed_syncs);
    cli_json_count(&json, "sync_ns_total", figures->sync_ns_total);
    cli_json_count(&json, "sync_ns_max", figures->sync_ns_max);
    cli_json_text(&json, "ended_by",
                  by_signal               ? "signal"
                  : rec->ended_by != NULL ? rec->ended_by
                  : code == CLI_DONE      ? "end"
                                          : "error");
    cli_json_bool(&json, "ok", code == CLI_DONE);
    cli_json_end(&json);
}

static void print_report(const cli_recording *rec)
{
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    char c[CLI_NUMBER];
    char which[96] = "";
    if (rec->messages > 0) {
        snprintf(which, sizeof which, ", ordinals %llu to %llu",
                 (unsigned long long)rec->report.messages,
                 (unsigned long long)rec->figures.next_ordinal - 1);
    }
    void (*say)(cli_job *, const char *, ...) = rec->quiet ? cli_detail : cli_note;
    say(rec->job, "%s: %s messages recorded (%s)%s; durable below %s%s%s%s", rec->path,
        cli_count(a, rec->messages), cli_bytes(b, (double)rec->bytes), which,
        cli_count(c, rec->figures.durable_ordinal), rec->is_durable ? ", which is all" : "",
        rec->refused > 0 ? "; some were refused" : "",
        rec->dropped > 0 ? "; the system dropped datagrams" : "");
    if (rec->lost > 0) {
        cli_complain(rec->job, rec->path,
                     "%s more messages had come and are not in the journal: %s",
                     cli_count(a, rec->lost),
                     rec->full ? "there was no room for them" : "it could not take them");
    }
}

/* What was accepted and never came to be in the file is no part of the journal. */
static void take_off_lost(cli_recording *rec)
{
    fls_journal_figures *figures = &rec->figures;
    uint64_t held = figures->next_ordinal - figures->written_ordinal;
    held = held < rec->messages ? held : rec->messages;
    for (size_t i = 0; i < held && i < rec->size_count; i++) {
        rec->bytes -= rec->sizes[rec->size_first + rec->size_count - 1 - i];
    }
    rec->messages -= held;
    rec->lost += held;
    figures->next_ordinal -= held;
}

/* Everything durable, the journal closed, and what it came to. */
static int end_journal(cli_recording *rec, int code, int by_signal)
{
    fls_error err = FLS_ERROR_INIT;
    if (!rec->failed) {
        int flushed = cli_recording_flush(rec);
        code = code == CLI_DONE ? flushed : code;
    }
    cli_progress_say(&rec->job->progress, "waiting for the disk");
    fls_status synced = fls_journal_sync_now(rec->journal, &err);
    while (synced == FLS_NO_SPACE && rec->wait_for_space && !by_signal && !rec->failed &&
           wait_for_room(rec, &err) == CLI_DONE) {
        synced = fls_journal_sync_now(rec->journal, &err);
    }
    fls_journal_get_figures(rec->journal, &rec->figures);
    fls_status status = fls_journal_close(rec->journal, synced == FLS_OK ? &err : NULL);
    rec->journal = NULL;
    rec->full |= synced == FLS_NO_SPACE;
    rec->lost += rec->count; /* taken, and never handed over */
    if (status == FLS_OK) {  /* it may have found room that the sync had not */
        rec->figures.written_ordinal = rec->figures.next_ordinal;
        rec->figures.durable_ordinal = rec->figures.next_ordinal;
    }
    take_off_lost(rec);
    rec->is_durable = rec->lost == 0 && rec->figures.durable_ordinal == rec->figures.next_ordinal;
    if ((synced != FLS_OK || status != FLS_OK) && !rec->failed) {
        return cli_journal_complain(rec->job, rec->path, &err);
    }
    return code;
}

int cli_recording_close(cli_recording *rec, int code, int by_signal)
{
    if (rec->journal != NULL) {
        code = end_journal(rec, code, by_signal);
        code = code == CLI_DONE && rec->refused > 0 ? CLI_DAMAGED : code;
        cli_progress_clear(&rec->job->progress);
        print_report(rec);
        cli_out out;
        if (rec->job->common.json && cli_out_open(&out, rec->job, NULL, NULL) == CLI_DONE) {
            put_report(rec, &out, code, by_signal);
            code = cli_out_end(&out, code);
        }
    }
    free_types(rec);
    cli_schemas_close(&rec->schemas);
    free(rec->arena);
    free(rec->sizes);
    return code;
}
