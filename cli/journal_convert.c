/* Into a journal. */
#include "journal_convert.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "interrupt.h"
#include "journal_input.h"
#include "queries.h"
#include "recording.h"
#include "walk.h"

typedef struct conversion {
    cli_recording rec;
    cli_input input;
    cli_schemas own; /* of the journal that is read */
    cli_where where;
    int sifts;          /* there is a condition */
    uint64_t limit;     /* messages that may be taken then */
    uint64_t signature; /* of the types that the new journal has by now */
    fls_reader *reader;
    int code;
} conversion;

static int begin(conversion *c)
{
    if (c->rec.options.checksum == FLS_CHECKSUM_DEFAULT) {
        fls_checksum is = cli_input_checksum(&c->input, c->reader);
        c->rec.options.checksum = is == FLS_CHECKSUM_DETECT ? FLS_CHECKSUM_XXH3 : is;
    }
    c->rec.source = c->input.job->own_types;
    c->signature = c->own.signature;
    return cli_recording_open(&c->rec);
}

/* Before the next messages: the journal is there, and has their types. */
static int prepare(conversion *c)
{
    if (c->code == CLI_DONE && c->rec.journal == NULL) {
        c->code = begin(c);
    } else if (c->code == CLI_DONE && c->signature != c->own.signature) {
        c->signature = c->own.signature;
        c->code = cli_recording_types(&c->rec);
    }
    return c->code;
}

/* What the journal that is read says is missing, is missing in the new one. */
static void note_missing(void *self, const fls_journal_event *event)
{
    conversion *c = self;
    int damaged = event->kind == FLS_JOURNAL_EVENT_LOST;
    uint64_t messages = event->messages != UINT64_MAX ? event->messages : 1;
    if (messages > 0 && prepare(c) == CLI_DONE) {
        c->code = cli_recording_missing(&c->rec, messages,
                                        damaged ? FLS_GAP_DAMAGED : (fls_gap_reason)event->reason);
    }
}

static int take(void *self, const fls_message *message)
{
    conversion *c = self;
    uint32_t type;
    if (c->sifts && !cli_where_holds(&c->where, message, &type)) {
        return 0;
    }
    if (prepare(c) == CLI_DONE) {
        c->code = cli_recording_messages(&c->rec, message, 1);
    }
    return c->code != CLI_DONE || --c->limit == 0;
}

static void take_all(void *self, const fls_message *messages, size_t count)
{
    conversion *c = self;
    if (prepare(c) == CLI_DONE) {
        c->code = cli_recording_messages(&c->rec, messages, count);
    }
}

static int convert(conversion *c)
{
    cli_walker walker = {take, NULL, c, NULL, c->sifts ? NULL : take_all};
    int code = c->limit > 0 ? cli_walk(&c->input, c->reader, &walker) : CLI_DONE;
    code = c->code != CLI_DONE ? c->code : code;
    if (code == CLI_DONE && c->rec.journal == NULL) {
        code = begin(c);
    }
    return code;
}

/* The types of what is read; and the condition, by which --limit counts what is taken. */
static int open_types(conversion *c, cli_job *job, const char *condition)
{
    c->limit = UINT64_MAX;
    if (condition == NULL) {
        return cli_schemas_open(&c->own, job);
    }
    c->limit = job->common.limit;
    job->common.limit = UINT64_MAX;
    int code = cli_schemas_require(&c->own, job, "--where");
    if (code == CLI_DONE) {
        code = cli_where_open(&c->where, job, &c->own, condition);
        c->sifts = code == CLI_DONE;
    }
    return code;
}

int cli_convert_to_journal(cli_job *job, const char *path, const fls_journal_options *options,
                           const char *condition)
{
    static conversion c; /* too large for some stacks */
    struct stat info;
    c.rec.job = job;
    c.rec.path = job->common.output;
    c.rec.options = *options;
    c.rec.options.must_be_new = 1;
    c.rec.options.sync = FLS_JOURNAL_SYNC_NONE; /* and everything at the end */
    c.rec.quiet = 1;
    c.rec.check = job->common.type_count > 0;
    if (stat(c.rec.path, &info) == 0 && !S_ISDIR(info.st_mode)) {
        return cli_usage(job, "%s is there, and no directory", c.rec.path);
    }
    int welcome = cli_journal_welcome(job, c.rec.path); /* before IN is read */
    if (welcome != CLI_DONE) {
        return welcome;
    }
    cli_interrupt_catch();
    int code = open_types(&c, job, condition);
    if (code == CLI_DONE) {
        code = cli_input_open(&c.input, job, path);
    }
    if (code == CLI_DONE) {
        c.input.missing = note_missing;
        c.input.missing_self = &c;
        code = cli_reader_open(&c.input, &c.reader, NULL, 0);
    }
    if (code == CLI_DONE) {
        code = convert(&c);
    }
    code = cli_input_verdict(&c.input, cli_recording_close(&c.rec, code, 0));
    fls_reader_close(c.reader);
    cli_input_close(&c.input);
    if (c.sifts) {
        cli_where_close(&c.where);
    }
    cli_schemas_close(&c.own);
    return code;
}
