/* flatstream tail: the last messages, and those that come. */
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "commands.h"
#include "interrupt.h"
#include "journal_input.h"
#include "message_out.h"
#include "moment.h"
#include "walk.h"

enum { MOST_LAST = 1000000, DEFAULT_LAST = 10, ID_CURSOR = CLI_ID_FIRST };

#define SAVE_NS UINT64_C(500000000)

static const char *const synopsis[] = {"[-n N] [-f] [--as FORM] [--select PATHS] [-s SCHEMA] FILE",
                                       "--since T [-f] [--as FORM] JOURNAL",
                                       "--cursor NAME [-f] [--as FORM] JOURNAL", NULL};
static const char *const description[] = {
    "Prints the last messages of a stream or journal, in the forms of cat; a journal knows its own "
    "schemas. With -f it goes on with what is written later, until it is interrupted: in a journal "
    "across segments, retention and restarts of its writer.",
    "A journal is read from its end, whatever its size; a stream from its beginning, or where it "
    "has an index ('flatstream index') from near its end, so that damage before is not met.",
    "With --cursor it begins where the cursor of that name stands, and moves it behind what was "
    "written out, so that the next tail with it goes on there: every message comes out at least "
    "once, over restarts of either side. Only durable messages come, and the journal keeps those "
    "that are still to come. 'flatstream journal cursors' lists, sets and removes cursors.",
    NULL};
static const cli_option option_table[] = {
    {'n', "lines", "N",
     "So many of the last messages; 10 unless given, with --since all. 0: none, "
     "but those that come."},
    {'f', "follow", NULL, "Go on with the messages that are written from now on."},
    {ID_CURSOR, "cursor", "NAME",
     "Of a journal: all messages from this cursor on (the oldest, where there is none yet), which "
     "is moved behind them."},
    CLI_MESSAGE_OUT_OPTIONS,
    {0, NULL, NULL, NULL}};
static const cli_pair exits[] = {{"0", "What was printed is sound."},
                                 {"1", "There is damage; of a stream what was sound before it is "
                                       "printed, of a journal all else."},
                                 {"2", "Wrong usage."},
                                 {"3", "It cannot be read."},
                                 {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream tail -f flight42", "Watch what is recorded:"},
    {"flatstream tail -f -n 0 --select timestamp_ns,mode flight42", "Only new ones, two values:"},
    {"flatstream tail -n 1 --as raw flight42 >newest.bin", "The newest message, as it is:"},
    {"flatstream tail -f --cursor uploader flight42 | upload",
     "Hand every message on, also after a restart:"},
    {NULL, NULL}};

/* A copy of a message of a stream. */
typedef struct copy {
    fls_message message;
    void *bytes;
    size_t capacity;
} copy;

typedef struct tailing {
    cli_message_out print;
    cli_input input;
    int follow;
    int given; /* -n */
    const char *cursor;
    uint64_t saved_ns; /* when the cursor was set last */
    int failed_to_save;
    uint64_t last;
    uint64_t skip; /* of a stream that is followed: messages not to be printed */
    /* Of a stream: a ring of the last messages. */
    copy *ring;
    uint64_t seen;
    int failed;
} tailing;

static int print_one(void *self, const fls_message *message)
{
    tailing *t = self;
    if (message->ordinal < t->skip) {
        return 0;
    }
    return cli_message_out_put(&t->print, message);
}

/* What was taken is written out; then the cursor may stand behind it. */
static void save_cursor(tailing *t)
{
    fls_error err = FLS_ERROR_INIT;
    cli_message_out_pause(&t->print);
    if (t->cursor == NULL || t->print.out.status != FLS_OK || t->failed_to_save) {
        return;
    }
    t->saved_ns = cli_monotonic_ns();
    if (fls_journal_reader_save(t->input.journal, t->cursor, &err) != FLS_OK) {
        t->failed_to_save = cli_journal_complain(t->input.job, t->input.name, &err);
    }
}

static void pause_printing(void *self)
{
    save_cursor(self);
}

/* Where there is no pause the cursor moves now and then. */
static void settled(void *self)
{
    tailing *t = self;
    if (cli_monotonic_ns() - t->saved_ns >= SAVE_NS) {
        save_cursor(t);
    }
}

/* ---- streams that end ---- */

static int remember(void *self, const fls_message *message)
{
    tailing *t = self;
    copy *to = &t->ring[t->seen++ % t->last];
    if (message->size > to->capacity) {
        void *bytes = realloc(to->bytes, message->size);
        if (bytes == NULL) {
            fls_error err = FLS_ERROR_INIT;
            fls_error_set(&err, FLS_NO_MEMORY, 0, NULL);
            t->failed = cli_complain_error(t->input.job, t->input.name, &err);
            return 1;
        }
        to->bytes = bytes;
        to->capacity = message->size;
    }
    if (message->size > 0) {
        memcpy(to->bytes, message->payload, message->size);
    }
    to->message = *message;
    to->message.payload = to->bytes != NULL ? to->bytes : "";
    return 0;
}

static int tail_stream(tailing *t)
{
    cli_walker walker = {remember, NULL, t, &t->print.schemas, NULL};
    if (t->last == 0) {
        return CLI_DONE;
    }
    t->ring = calloc((size_t)t->last, sizeof *t->ring);
    if (t->ring == NULL) {
        return cli_usage(t->input.job, "no memory for so many messages");
    }
    int code = cli_walk(&t->input, t->print.reader, &walker);
    code = t->failed != CLI_DONE ? t->failed : code;
    uint64_t from = t->seen > t->last ? t->seen - t->last : 0;
    for (uint64_t i = from; i < t->seen; i++) {
        if (cli_message_out_put(&t->print, &t->ring[i % t->last].message)) {
            break;
        }
    }
    for (uint64_t i = 0; i < t->last; i++) {
        free(t->ring[i].bytes);
    }
    free(t->ring);
    return code;
}

/* ---- what goes on ---- */

/* How many messages a stream has that is to be followed: the last ones are known by their number.
 * An end that is not whole yet is none. */
static int count_stream(tailing *t, cli_job *job, const char *path)
{
    cli_input input;
    fls_reader *reader = NULL;
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    int code = cli_input_open(&input, job, path);
    if (code == CLI_DONE && !input.seekable) {
        code = cli_usage(job, "-f is for files and journals; what comes through a pipe is followed "
                              "by cat");
    }
    if (code == CLI_DONE) {
        code = cli_reader_open(&input, &reader, NULL, 0);
    }
    while (code == CLI_DONE && fls_reader_next(reader, &message, &err) == FLS_OK) {
        t->seen++;
    }
    fls_reader_close(reader);
    cli_input_close(&input);
    t->skip = t->seen > t->last ? t->seen - t->last : 0;
    return code;
}

static int follow_all(tailing *t)
{
    cli_walker walker = {print_one, pause_printing, t, &t->print.schemas, NULL};
    if (t->cursor != NULL) {
        t->input.settled = settled;
        t->input.settled_self = t;
        t->saved_ns = cli_monotonic_ns();
    }
    int code = cli_walk(&t->input, t->print.reader, &walker);
    if (t->cursor != NULL && (code == CLI_DONE || cli_interrupt_pending())) {
        save_cursor(t);
    }
    return code == CLI_DONE ? t->failed_to_save : code;
}

static int run_on(cli_job *job, tailing *t, const char *path)
{
    int code = cli_message_out_schemas(&t->print, job);
    if (code != CLI_DONE) {
        return code;
    }
    if (job->journal == NULL && t->follow) {
        code = count_stream(t, job, path);
    }
    if (code == CLI_DONE) {
        code = cli_input_open(&t->input, job, path);
    }
    if (code == CLI_DONE) {
        t->input.follow = t->follow;
        int all = (job->common.since_ns != 0 && !t->given) || t->cursor != NULL;
        t->input.cursor = t->cursor;
        t->input.last = all ? 0 : t->last;
        t->input.from_end = !all && t->last == 0;
        code = cli_message_out_open(&t->print, &t->input);
        if (code == CLI_DONE) {
            code = t->input.is_journal || t->follow ? follow_all(t) : tail_stream(t);
        }
        code = cli_message_out_finish(&t->print, &t->input, code);
    }
    cli_schemas_close(&t->print.schemas);
    return code;
}

static int check_cursor(cli_job *job, const tailing *t, const char *path)
{
    if (job->journal == NULL) {
        return cli_usage(job, "%s is no journal, which alone has cursors", path);
    }
    if (t->given || job->common.since_ns != 0 || job->common.until_ns != UINT64_MAX) {
        return cli_usage(job, "--cursor says which messages: no -n, --since or --until");
    }
    return CLI_DONE;
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    tailing t = {.last = DEFAULT_LAST};
    int code = CLI_DONE;
    int id;
    while (code == CLI_DONE && (id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (id == 'f') {
            t.follow = 1;
        } else if (id == ID_CURSOR) {
            t.cursor = argument;
            job->common.durable = 1;
        } else if (id != 'n') {
            code = cli_message_out_option(&t.print, job, id, argument);
        } else if (!cli_parse_count(argument, &t.last) || t.last > MOST_LAST) {
            code = cli_usage(job, "'%s' is not a number of messages up to %d", argument, MOST_LAST);
        } else {
            t.given = 1;
        }
    }
    if (code != CLI_DONE) {
        return code;
    }
    if (id < 0) {
        return job->option_exit;
    }
    code = cli_one_operand(job, &path);
    if (code == CLI_DONE && t.cursor != NULL) {
        code = check_cursor(job, &t, path);
    }
    if (code == CLI_DONE) {
        code = cli_message_out_check(&t.print, job);
    }
    return code == CLI_DONE ? run_on(job, &t, path) : code;
}

const cli_command cli_cmd_tail = {"tail",
                                  "the last messages, and with -f those that come",
                                  synopsis,
                                  description,
                                  CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ | CLI_TAKES_MAX_FRAME |
                                      CLI_TAKES_TIMES | CLI_TAKES_JOURNAL,
                                  option_table,
                                  NULL,
                                  exits,
                                  examples,
                                  run};
