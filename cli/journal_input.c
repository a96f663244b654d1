/* Journals as inputs. */
#include "journal_input.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "interrupt.h"
#include "output.h"
#include "own_types.h"

#define WAIT_NS UINT64_C(200000000)

static int ends_in(const char *name, const char *ending)
{
    size_t length = strlen(name);
    size_t bytes = strlen(ending);
    return length > bytes && strcmp(name + length - bytes, ending) == 0;
}

/* A name that only a journal's directory has: its manifest, segments, marks. */
static int is_of_journal(const char *name)
{
    return strcmp(name, "journal.json") == 0 ||
           (strspn(name, "0123456789") == 20 &&
            (ends_in(name, ".fls") || ends_in(name, ".flm") || ends_in(name, ".fls.zst")));
}

int cli_journal_require(cli_job *job, const char *path)
{
    int found = 0;
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return cli_complain_errno(job, path, errno == ENOTDIR ? "is no journal" : NULL, errno);
    }
    for (const struct dirent *entry = readdir(directory); entry != NULL && !found;
         entry = readdir(directory)) {
        found = is_of_journal(entry->d_name);
    }
    (void)closedir(directory);
    if (!found) {
        cli_complain(job, path, "is a directory, but no journal: there is no journal.json in it");
        return CLI_SYSTEM;
    }
    return CLI_DONE;
}

/* What is in a journal's directory before there is a manifest, and in that of a file system. */
static int may_be_there(const char *name)
{
    static const char *const names[] = {".",       "..",  "LOCK",      "schemas",
                                        "cursors", "cut", "lost+found"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static int no_place(cli_job *job, const char *path, int error)
{
    char parent[PATH_MAX];
    size_t length = strlen(path);
    if (error == ENOTDIR && access(path, F_OK) == 0) {
        cli_complain(job, path, "is no directory; a journal is one");
        return CLI_SYSTEM;
    }
    if (error != ENOENT) {
        return cli_complain_errno(job, path, NULL, error);
    }
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    while (length > 0 && path[length - 1] != '/') {
        length--;
    }
    snprintf(parent, sizeof parent, "%.*s", (int)length, path);
    if (length > 0 && access(parent, F_OK) != 0) {
        cli_complain(job, path, "cannot be made: %s: %s", parent, strerror(errno));
        return CLI_SYSTEM;
    }
    return CLI_DONE;
}

int cli_journal_welcome(cli_job *job, const char *path)
{
    char other[256] = "";
    int found = 0;
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return no_place(job, path, errno);
    }
    for (const struct dirent *entry = readdir(directory); entry != NULL && !found;
         entry = readdir(directory)) {
        found = is_of_journal(entry->d_name);
        if (!may_be_there(entry->d_name)) {
            snprintf(other, sizeof other, "%s", entry->d_name);
        }
    }
    (void)closedir(directory);
    if (!found && other[0] != '\0') {
        cli_complain(job, path,
                     "is no journal, and has other things in it, such as %s: nothing is written "
                     "there; which other directory?",
                     other);
        return CLI_SYSTEM;
    }
    return CLI_DONE;
}

int cli_journal_input_open(cli_input *input, cli_job *job, const char *path)
{
    int code = cli_journal_require(job, path);
    input->job = job;
    input->path = path;
    input->name = path;
    input->fd = -1;
    input->is_journal = 1;
    input->seekable = 1;
    if (code == CLI_DONE && stat(path, &input->info) != 0) {
        code = cli_complain_errno(job, path, NULL, errno);
    }
    cli_progress_start(&job->progress, job->command->name, 0,
                       !job->common.quiet && (!job->common.json || isatty(STDOUT_FILENO)));
    return code;
}

int cli_journal_complain(cli_job *job, const char *path, const fls_error *err)
{
    char name[PATH_MAX];
    if (err->name[0] == '\0' || err->status == FLS_VALIDATION_FAILED ||
        strstr(path, err->name) != NULL) {
        return cli_complain_error(job, path, err);
    }
    snprintf(name, sizeof name, "%s/%s", path, err->name);
    return cli_complain_error(job, name, err);
}

static void tell_missing(cli_input *input, const char *why, const fls_journal_event *event)
{
    char count[CLI_NUMBER] = "some";
    char before[CLI_NUMBER];
    if (event->messages != UINT64_MAX) {
        cli_count(count, event->messages);
    }
    cli_note(input->job, "%s: before message %s: %s message%s %s", input->name,
             cli_count(before, event->ordinal), count, event->messages == 1 ? "" : "s", why);
}

static void note_damage(cli_input *input, const fls_error *fault)
{
    if (input->damages++ == 0) {
        input->first_fault = *fault;
    }
}

static void tell_lost(cli_input *input, const fls_journal_event *event)
{
    char file[PATH_MAX];
    char sentence[400];
    char which[96] = "messages are lost";
    char bytes[64] = "";
    note_damage(input, event->fault);
    if (event->messages != UINT64_MAX && event->estimated) {
        char count[CLI_NUMBER];
        input->lost += event->messages;
        snprintf(which, sizeof which, "about %s message%s lost", cli_count(count, event->messages),
                 event->messages == 1 ? " is" : "s are");
    } else if (event->messages != UINT64_MAX) {
        input->lost += event->messages;
        uint64_t last = event->ordinal - 1;
        snprintf(which, sizeof which,
                 event->messages == 1 ? "message %llu is lost" : "messages %llu to %llu are lost",
                 (unsigned long long)(event->ordinal - event->messages), (unsigned long long)last);
    }
    if (event->to_offset > event->from_offset) {
        snprintf(bytes, sizeof bytes,
                 "offset %llu to %llu: ", (unsigned long long)event->from_offset,
                 (unsigned long long)event->to_offset);
    }
    snprintf(file, sizeof file, "%s%s%s", input->name, event->segment != NULL ? "/" : "",
             event->segment != NULL ? event->segment : "");
    cli_error_sentence(event->fault, sentence, sizeof sentence);
    cli_complain(input->job, file, "%s%s: %s", bytes, which, sentence);
}

/* What was lost is told to everybody; what the recorder lost and noted, with --verbose. */
static void tell_event(void *self, const fls_journal_event *event)
{
    cli_input *input = self;
    char at[CLI_NUMBER];
    cli_count(at, event->ordinal);
    if (input->missing != NULL &&
        (event->kind == FLS_JOURNAL_EVENT_GAP || event->kind == FLS_JOURNAL_EVENT_LOST)) {
        input->missing(input->missing_self, event);
    }
    switch (event->kind) {
    case FLS_JOURNAL_EVENT_GAP:
        if (input->job->common.verbose) {
            tell_missing(input, "missing, as the journal says itself", event);
        }
        break;
    case FLS_JOURNAL_EVENT_RETIRED: tell_missing(input, "removed by retention", event); break;
    case FLS_JOURNAL_EVENT_LOST: tell_lost(input, event); break;
    case FLS_JOURNAL_EVENT_TAKEN_BACK:
        cli_note(
            input->job,
            "%s: the messages from %s on that were shown before were not durable; a crash took "
            "them back",
            input->name, at);
        break;
    case FLS_JOURNAL_EVENT_EPOCH:
        cli_detail(input->job, "%s: message %s and the next ones are of epoch %llu", input->name,
                   at, (unsigned long long)event->epoch);
        break;
    case FLS_JOURNAL_EVENT_CLOCK:
        cli_detail(input->job, "%s: before message %s the wall clock stepped by %+.3f s",
                   input->name, at, (double)event->step_ns / 1e9);
        break;
    default: break;
    }
}

int cli_journal_input_read(cli_input *input, const fls_validator *validators,
                           size_t validator_count)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    const cli_common *common = &input->job->common;
    options.visibility = common->durable ? FLS_JOURNAL_DURABLE : FLS_JOURNAL_WRITTEN;
    options.follow = (uint32_t)input->follow;
    options.validators = validators;
    options.validator_count = validator_count;
    options.event = tell_event;
    options.event_self = input;
    if (fls_journal_reader_open(&input->journal, input->path, &options, &err) != FLS_OK) {
        return cli_journal_complain(input->job, input->name, &err);
    }
    fls_checksum is = fls_journal_reader_checksum(input->journal);
    if (common->checksum != FLS_CHECKSUM_DEFAULT && common->checksum != FLS_CHECKSUM_DETECT &&
        common->checksum != is) {
        cli_complain(input->job, input->name, "the journal's checksum is %s, not %s",
                     fls_checksum_name(is), fls_checksum_name(common->checksum));
        return CLI_DAMAGED;
    }
    return CLI_DONE;
}

/* The later of *first and where the reader stands. */
static void raise_first(cli_input *input, uint64_t *first)
{
    uint64_t here = fls_journal_reader_ordinal(input->journal);
    *first = here > *first ? here : *first;
}

int cli_journal_input_place(cli_input *input, uint64_t *first, uint64_t *end)
{
    fls_error err = FLS_ERROR_INIT;
    const cli_common *common = &input->job->common;
    fls_status status = FLS_OK;
    *first = common->range_first;
    *end = common->range_end;
    raise_first(input, first);
    if (input->cursor != NULL) {
        status = fls_journal_reader_load(input->journal, input->cursor, &err);
        status = status == FLS_END ? FLS_OK : status;
        raise_first(input, first);
    }
    if (common->since_ns != 0) {
        status = fls_journal_reader_seek_time(input->journal, common->since_ns, &err);
        raise_first(input, first);
    }
    if (status == FLS_OK && (input->last != 0 || input->from_end)) {
        status = fls_journal_reader_seek_end(input->journal, input->last, &err);
        raise_first(input, first);
    }
    if (status == FLS_OK && *first != fls_journal_reader_ordinal(input->journal)) {
        status = fls_journal_reader_seek_ordinal(input->journal, *first, &err);
    }
    if (status != FLS_OK) {
        return cli_journal_complain(input->job, input->name, &err);
    }
    if (*end > *first && *end - *first > common->limit) {
        *end = *first + common->limit;
    }
    return CLI_DONE;
}

/* Goes on behind damage: FLS_OK. Where nothing sound is behind it, that is the end. */
static fls_status step_over(cli_input *input, fls_error *err)
{
    const fls_error fault = *err;
    fls_status status = fls_journal_reader_skip(input->journal, err);
    if (status == FLS_INVALID_ARGUMENT) { /* not of a kind that could be stepped over */
        *err = fault;
        return fault.status;
    }
    if (status != FLS_END) {
        return status;
    }
    uint64_t at = fls_journal_reader_ordinal(input->journal);
    if (input->damages == 0 || input->last_damage != at) {
        note_damage(input, &fault);
        input->last_damage = at;
        (void)cli_journal_complain(input->job, input->name, &fault);
        cli_complain(input->job, input->name, "nothing sound is behind that");
    }
    return input->follow ? FLS_WOULD_BLOCK : FLS_END;
}

fls_status cli_journal_input_next(cli_input *input, fls_message *messages, size_t *count,
                                  fls_error *err)
{
    cli_job *job = input->job;
    fls_status status;
    do {
        status = fls_journal_reader_next_batch(input->journal, messages, CLI_BATCH, count, err);
    } while (fls_status_class_of(status) == FLS_CLASS_DAMAGE &&
             (status = step_over(input, err)) == FLS_OK);
    if (status != FLS_OK) {
        return status;
    }
    if (job->own_types != NULL &&
        cli_own_types_enter(job->own_types, job, input->path, input->journal) != CLI_DONE) {
        return FLS_STOPPED;
    }
    if (job->progress.enabled) {
        for (size_t i = 0; i < *count; i++) {
            input->bytes += messages[i].size;
        }
        cli_progress_update(&job->progress, input->bytes);
    }
    return FLS_OK;
}

fls_status cli_journal_input_wait(cli_input *input, fls_error *err)
{
    fls_status status = FLS_WOULD_BLOCK;
    while (status == FLS_WOULD_BLOCK) {
        if (input->idle != NULL) {
            input->idle(input->idle_self);
        }
        if (cli_interrupt_pending() || cli_interrupt_unread()) {
            return FLS_STOPPED;
        }
        status = fls_journal_reader_wait(input->journal, WAIT_NS, err);
    }
    return status;
}
