/* flatstream grep: the messages for which a condition holds. */
#include <stdlib.h>

#include "command_line.h"
#include "commands.h"
#include "cores.h"
#include "message_out.h"
#include "report.h"

enum { ID_WHERE = CLI_ID_FIRST, ID_COUNT, ID_INVERT };

static const char *const synopsis[] = {
    "--where EXPR -s SCHEMA [--as FORM] [--select PATHS] [-n N] [-o FILE] IN",
    "--count [--json] --where EXPR -s SCHEMA [--invert] [--range A..B] IN", NULL};
static const char *const description[] = {
    "Prints the messages for which a condition on their fields holds, as cat does. A journal knows "
    "its own schemas, so that it needs no -s.",
    "Paths are those of --select: pose.position.x, levels[0].price, levels[-1], tags.length, "
    "extra.Radio.peer (absent unless that member is there). Comparisons: == != < <= > >=, in A..B "
    "and in {A, B}; of text also contains (or ~), starts_with, ends_with. They are joined by && "
    "|| ! and parentheses. Enumerators stand bare or in quotes, text in quotes. "
    "levels[*].price > 5 holds when one element does; any(levels, @.price > 5 && @.size < 3) and "
    "all(...) ask more of one. has(path) asks whether a field is there. What is absent meets no "
    "comparison, not even !=. docs/QUERIES.md has all rules.",
    "Of each message only the fields named are looked at, within bounds, so that also messages "
    "that no schema has approved are safe to search. Those that are printed as JSON or CSV are "
    "checked against their schema first; one that is refused ends the run with exit code 1.",
    "With several -s a type that lacks a field which the condition names never meets it.", NULL};
static const cli_option option_table[] = {
    {ID_WHERE, "where", "EXPR",
     "The condition, such as 'price > 100 && (symbol == \"AAPL\" || size in 1..500)'."},
    {ID_COUNT, "count", NULL, "Print only how many there are."},
    {ID_INVERT, "invert", NULL,
     "The messages for which it does not hold, those of unknown type among them."},
    CLI_MESSAGE_OUT_OPTIONS,
    CLI_JOBS_OPTION,
    {0, NULL, NULL, NULL}};
static const cli_pair keys[] = {
    {"file", "The FILE as given."},
    {"messages", "Messages looked at."},
    {"matches", "Of these, those for which the condition holds (with --invert: does not)."},
    {"ok", "Whether the stream is sound, as far as it was read."},
    {NULL, NULL}};
static const cli_pair exits[] = {
    {"0", "Something matched, and the stream is sound as far as it was read."},
    {"1", "The stream is damaged, or a match is refused by its schema."},
    {"2", "Wrong usage, such as a condition that cannot be."},
    {"3", "The stream cannot be read, or the output not written."},
    {"4", "Nothing matched."},
    {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream grep -s telemetry.fbs --where 'mode == Fault' capture.fls",
     "The messages of one mode, as JSON:"},
    {"flatstream grep -s telemetry.fbs --count --where 'battery.cell_mv[*] < 3000' capture.fls",
     "How often was a cell low?"},
    {"flatstream grep -s t.fbs --where 'extra_type == Alert' --as frames -o alerts.fls capture.fls",
     "A stream of those messages alone:"},
    {NULL, NULL}};

typedef struct search {
    cli_message_out print;
    cli_where where;
    const char *condition;
    cli_input input;
    int count_only;
    int invert;
    uint32_t jobs;
    uint64_t limit;
    uint64_t messages;
    uint64_t matches;
} search;

/* What is printed by its fields has to be sound. */
static fls_status check_match(const search *s, const fls_message *message, fls_error *err)
{
    uint32_t type;
    int by_fields = s->print.as == CLI_AS_JSON || s->print.as == CLI_AS_CSV;
    return by_fields ? cli_schemas_check(&s->print.schemas, message, &type, err) : FLS_OK;
}

static int print_match(search *s, const fls_message *message)
{
    fls_error err = FLS_ERROR_INIT;
    if (check_match(s, message, &err) != FLS_OK) {
        s->print.failed = cli_input_refused(&s->input, &err);
        return s->print.failed != CLI_DONE;
    }
    return cli_message_out_put(&s->print, message);
}

static int take(void *self, const fls_message *message)
{
    search *s = self;
    uint32_t type;
    s->messages++;
    if (cli_where_holds(&s->where, message, &type) == s->invert) {
        return 0;
    }
    s->matches++;
    if (!s->count_only && print_match(s, message)) {
        return 1;
    }
    return s->matches == s->limit;
}

/* What take does when nothing is printed and the number of matches has no limit. */
static void count_all(void *self, const fls_message *messages, size_t count)
{
    search *s = self;
    uint64_t held = cli_where_count(&s->where, messages, count);
    s->messages += count;
    s->matches += s->invert ? count - held : held;
}

/* ---- the same on several threads ---- */

typedef struct found {
    cli_message_part part;
    uint64_t matches;
} found;

static void *make_found(void *self)
{
    const search *s = self;
    found *f = malloc(sizeof *f);
    if (f != NULL) {
        cli_message_part_open(&f->part, s->input.job);
    }
    return f;
}

static void dispose_found(void *self, void *result)
{
    found *f = result;
    (void)self;
    cli_message_part_close(&f->part);
    free(f);
}

static void begin_found(void *self, void *result)
{
    found *f = result;
    (void)self;
    cli_out_empty(&f->part.text);
    f->matches = 0;
}

static size_t take_found(void *self, void *result, const fls_message *messages, size_t count)
{
    search *s = self;
    found *f = result;
    if (s->count_only) {
        uint64_t held = cli_where_count(&s->where, messages, count);
        f->matches += s->invert ? count - held : held;
        return count;
    }
    for (size_t i = 0; i < count; i++) {
        fls_error err = FLS_ERROR_INIT;
        uint32_t type;
        if (cli_where_holds(&s->where, &messages[i], &type) == s->invert) {
            continue;
        }
        if (check_match(s, &messages[i], &err) != FLS_OK ||
            !cli_message_part_put(&s->print, &f->part, &messages[i])) {
            return i;
        }
        f->matches++;
    }
    return count;
}

static int collect_found(void *self, void *result, const fls_parallel_piece *piece)
{
    search *s = self;
    const found *f = result;
    s->messages += piece->messages;
    s->matches += f->matches;
    cli_out_join(&s->print.out, &f->part.text);
    return s->print.out.status != FLS_OK;
}

/* ---- */

static void pause_printing(void *self)
{
    search *s = self;
    cli_out_flush(&s->print.out);
}

static void report_count(search *s, int code)
{
    cli_out *out = &s->print.out;
    if (s->input.job->common.json) {
        cli_json json;
        cli_json_begin(&json, out);
        cli_json_text(&json, "file", s->input.path);
        cli_json_count(&json, "messages", s->messages);
        cli_json_count(&json, "matches", s->matches);
        cli_json_bool(&json, "ok", cli_input_verdict(&s->input, code) == CLI_DONE);
        cli_json_end(&json);
    } else {
        cli_out_format(out, "%llu\n", (unsigned long long)s->matches);
    }
}

static int search_in(search *s)
{
    int only_counts = s->count_only && s->limit == UINT64_MAX;
    const cli_walker walker = {take, pause_printing, s, NULL, only_counts ? count_all : NULL};
    const cli_shares shares = {s->limit == UINT64_MAX ? s->jobs : 1,
                               only_counts ? 0 : CLI_MESSAGE_PIECE_BYTES,
                               &s->print.reader,
                               make_found,
                               dispose_found,
                               begin_found,
                               take_found,
                               collect_found};
    int code = cli_message_out_open(&s->print, &s->input);
    if (code != CLI_DONE) {
        return cli_message_out_end(&s->print, code);
    }
    code = s->limit == 0 ? CLI_DONE : cli_walk_shared(&s->input, &walker, &shares);
    if (s->print.failed != CLI_DONE) {
        code = s->print.failed;
    }
    if (s->count_only) {
        cli_progress_clear(&s->input.job->progress);
        report_count(s, code);
    }
    code = cli_message_out_end(&s->print, code);
    return code == CLI_DONE && s->matches == 0 ? CLI_NOTHING : code;
}

static int run_on(cli_job *job, search *s, const char *path)
{
    int code = cli_schemas_require(&s->print.schemas, job, "--where");
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_where_open(&s->where, job, &s->print.schemas, s->condition);
    if (code == CLI_DONE) {
        code = cli_input_open(&s->input, job, path);
        if (code == CLI_DONE) {
            code = search_in(s);
            cli_message_out_close(&s->print);
            cli_input_close(&s->input);
        }
        cli_where_close(&s->where);
    }
    cli_schemas_close(&s->print.schemas);
    return code;
}

static int check_usage(cli_job *job, search *s)
{
    if (s->condition == NULL) {
        return cli_usage(job, "which messages? --where EXPR");
    }
    if (s->count_only && (s->print.as != CLI_AS_DEFAULT || s->print.select != NULL)) {
        return cli_usage(job, "--count prints no messages, so that --as and --select mean nothing");
    }
    if (job->common.json && !s->count_only) {
        return cli_usage(job, "--json is the report of --count; messages are JSON anyway");
    }
    /* At most so many matches, not messages looked at. */
    s->limit = job->common.limit;
    job->common.limit = UINT64_MAX;
    return cli_message_out_check(&s->print, job);
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    search s = {.count_only = 0};
    int code = CLI_DONE;
    int id;
    while (code == CLI_DONE && (id = cli_next_option(job, argc, argv, &argument)) > 0) {
        switch (id) {
        case ID_WHERE: s.condition = argument; break;
        case ID_COUNT: s.count_only = 1; break;
        case ID_INVERT: s.invert = 1; break;
        case 'j': code = cli_parallel_take(job, argument, &s.jobs); break;
        default: code = cli_message_out_option(&s.print, job, id, argument); break;
        }
    }
    if (code != CLI_DONE) {
        return code;
    }
    if (id < 0) {
        return job->option_exit;
    }
    code = cli_one_operand(job, &path);
    if (code == CLI_DONE) {
        code = check_usage(job, &s);
    }
    return code == CLI_DONE ? run_on(job, &s, path) : code;
}

const cli_command cli_cmd_grep = {"grep",
                                  "messages for which a condition holds",
                                  synopsis,
                                  description,
                                  CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ | CLI_TAKES_MAX_FRAME |
                                      CLI_TAKES_RANGE | CLI_TAKES_TIMES | CLI_TAKES_JOURNAL |
                                      CLI_TAKES_JSON | CLI_TAKES_OUTPUT,
                                  option_table,
                                  keys,
                                  exits,
                                  examples,
                                  run};
