/* flatstream stats: statistics of values over a stream, and by windows of time. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "commands.h"
#include "cores.h"
#include "plot.h"
#include "series.h"
#include "time_field.h"
#include "walk.h"

enum { ID_SELECT = CLI_ID_FIRST, ID_EVERY, ID_TIME, ID_TIME_UNIT, ID_WHERE, ID_PLOT };

/* Of IN, for a thread at once: the values of what is in it take some times the room. */
#define PIECE_BYTES ((size_t)512 * 1024)

static const char *const synopsis[] = {
    "--select PATHS -s SCHEMA [--where EXPR] [--plot] [--json] [--range A..B] IN",
    "--select PATHS --every TIME [--time PATH] -s SCHEMA [--json] IN", NULL};
static const char *const description[] = {
    "Statistics of values over all messages: count, smallest, largest, mean, standard deviation "
    "(the sample's), and quantiles: the smallest value that so many of the values do not exceed. "
    "Sums of whole numbers are exact. Quantiles are exact up to 65,536 different values, else "
    "within 1 %. NaN is counted and left out.",
    "With --every there is a report for each window of time that has messages; windows begin at "
    "multiples of their length. A message older than the window that is open comes too late for "
    "one: it counts in the report of the whole, and a note says how many there were.",
    "On a terminal there is a plot too: of the means of the windows, or of how often values "
    "come.",
    "Messages are not checked against their schema, only read within bounds: 'flatstream verify "
    "-s' does that.",
    NULL};
static const cli_option option_table[] = {
    {ID_SELECT, "select", "PATHS",
     "The numbers to look at, such as battery.soc,battery.cell_mv[*],tags.length "
     "(docs/QUERIES.md). Of a path with [*] every value counts; enumerators count as numbers."},
    {ID_EVERY, "every", "TIME", "A report for each window of that length: 250ms, 1s, 5m, 1h."},
    {ID_TIME, "time", "PATH",
     "The field that is a message's time. Unless given, the first number of the root whose name "
     "has 'time' in it or begins with ts_, and ends in _ns, _us, _ms or _s."},
    {ID_TIME_UNIT, "time-unit", "UNIT",
     "What it counts: ns, us, ms or s, where its name does not end so."},
    {ID_WHERE, "where", "EXPR", "Only messages for which the condition holds, as in grep."},
    {ID_PLOT, "plot", NULL, "The plot also when the output is no terminal."},
    CLI_JOBS_OPTION,
    {0, NULL, NULL, NULL}};
static const cli_pair keys[] = {
    {"file", "The FILE as given."},
    {"windows", "With --every, a list of start_ns, messages and columns, as they are below."},
    {"columns", "A list, for each path: path, count, absent, nan, min, max, sum, mean, deviation, "
                "p01, median, p90, p99, exact_quantiles. What there is none of is null."},
    {"messages", "Messages looked at."},
    {"matches", "Of these, those for which the condition of --where holds."},
    {"without_time", "Of these, those without a time, or with one that no 64 bits hold in ns."},
    {"late", "Those older than the window that was open; they are in no window."},
    {"ok", "Whether the stream is sound, as far as it was read."},
    {NULL, NULL}};
static const cli_pair exits[] = {{"0", "The stream is sound as far as it was read."},
                                 {"1", "The stream is damaged; what was before is reported."},
                                 {"2", "Wrong usage."},
                                 {"3", "The stream cannot be read, or the output not written."},
                                 {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream stats -s telemetry.fbs --select 'battery.soc,battery.cell_mv[*]' capture.fls",
     "How full were the batteries?"},
    {"flatstream stats -s telemetry.fbs --select battery.current_a --every 1s capture.fls",
     "And second by second?"},
    {"flatstream stats -s t.fbs --select pose.position.z --where 'mode == Drive' --json "
     "capture.fls",
     "For a script:"},
    {NULL, NULL}};

typedef struct counting {
    cli_job *job;
    cli_input input;
    const char *select;
    const char *condition;
    const char *time_path;
    const char *time_unit;
    int64_t every_ns; /* 0: no windows */
    uint32_t jobs;
    int plot;
    cli_schemas schemas;
    cli_where where;
    cli_columns columns;
    cli_time_field time;
    cli_series_set all;
    cli_series_set window;
    cli_plot_line *lines; /* of the columns; NULL without a plot */
    cli_out out;
    cli_json json;
    uint64_t messages;
    uint64_t matches;
    uint64_t without_time;
    uint64_t late;
    int64_t window_at; /* number of the open window, or of the last */
    int64_t first_at;
    int has_window; /* there was one */
    int failed;
} counting;

static const char *start_text(const counting *c, char buffer[CLI_TIME_TEXT], int64_t window)
{
    return cli_time_text(buffer, window * c->every_ns, c->every_ns);
}

static void add_points(counting *c)
{
    for (uint32_t i = 0; c->lines != NULL && i < c->columns.count; i++) {
        fls_summary summary;
        fls_statistics_summary(c->window.series[i].statistics, &summary);
        cli_plot_line_add(&c->lines[i], summary.mean, summary.count > 0);
    }
}

/* Windows without a message are seen in the plot alone. */
static void add_gap(counting *c, int64_t next)
{
    enum { MOST_GAP = 4 * CLI_PLOT_POINTS };
    uint64_t gap = (uint64_t)next - (uint64_t)c->window_at - 1;
    for (uint64_t n = 0; c->lines != NULL && n < gap && n < MOST_GAP; n++) {
        for (uint32_t i = 0; i < c->columns.count; i++) {
            cli_plot_line_add(&c->lines[i], 0, 0);
        }
    }
}

static void close_window(counting *c)
{
    char buffer[CLI_TIME_TEXT];
    if (c->window.messages == 0) {
        return;
    }
    if (c->job->common.json) {
        char number[32];
        snprintf(number, sizeof number, "%" PRId64, c->window_at * c->every_ns);
        cli_json_open_object(&c->json, NULL);
        cli_json_literal(&c->json, "start_ns", number);
        cli_json_count(&c->json, "messages", c->window.messages);
        cli_series_json(&c->window, &c->json);
        cli_json_close_object(&c->json);
    } else {
        cli_progress_clear(&c->job->progress);
        cli_series_table(&c->window, &c->out, start_text(c, buffer, c->window_at));
    }
    add_points(c);
    cli_series_reset(&c->window);
}

/* Opens the window of a message, which may be that of the one before. 0: it has none. */
static int find_window(counting *c, int has_time, int64_t time_ns)
{
    char buffer[CLI_TIME_TEXT];
    if (!has_time) {
        c->without_time++;
        return 0;
    }
    int64_t at = time_ns / c->every_ns - (time_ns % c->every_ns < 0);
    if (c->has_window && at < c->window_at) {
        c->late++;
        return 0;
    }
    if (!c->has_window) {
        c->first_at = at;
        if (!c->job->common.json) {
            cli_series_table_head(&c->window, &c->out, start_text(c, buffer, at));
        }
    } else if (at != c->window_at) {
        close_window(c);
        add_gap(c, at);
    }
    c->has_window = 1;
    c->window_at = at;
    return 1;
}

static int time_of(counting *c, const fls_message *message, uint32_t type, int64_t *time_ns)
{
    return c->every_ns > 0 && cli_time_of(&c->time, message, type, time_ns);
}

/* Not 0: there is no point in going on. */
static int added(counting *c, int whole)
{
    if (!whole) {
        c->failed = cli_complain_errno(c->job, NULL, NULL, ENOMEM);
    }
    return !whole || c->out.status != FLS_OK;
}

static int take(void *self, const fls_message *message)
{
    counting *c = self;
    uint32_t type;
    int64_t time_ns = 0;
    c->messages++;
    if (!cli_where_holds(&c->where, message, &type)) {
        return 0;
    }
    c->matches++;
    int whole = cli_series_add(&c->all, message, type);
    int has_time = time_of(c, message, type, &time_ns);
    if (whole && c->every_ns > 0 && find_window(c, has_time, time_ns)) {
        whole = cli_series_add(&c->window, message, type);
    }
    return added(c, whole);
}

/* ---- on several threads ---- */

/* A message that the condition holds for. */
typedef struct match {
    int64_t time_ns;
    int has_time;
    size_t values_end; /* its values end there, and begin where the ones before end */
} match;

typedef struct gathered {
    cli_series_values values;
    match *matches;
    size_t count;
    size_t capacity;
} gathered;

static void *make_gathered(void *self)
{
    (void)self;
    return calloc(1, sizeof(gathered));
}

static void dispose_gathered(void *self, void *result)
{
    gathered *g = result;
    (void)self;
    free(g->values.all);
    free(g->matches);
    free(g);
}

static void begin_gathered(void *self, void *result)
{
    gathered *g = result;
    (void)self;
    g->values.count = 0;
    g->count = 0;
}

static int gather(counting *c, gathered *g, const fls_message *message)
{
    uint32_t type;
    if (!cli_where_holds(&c->where, message, &type)) {
        return 1;
    }
    if (g->count == g->capacity) {
        size_t capacity = g->capacity > 0 ? g->capacity * 2 : 1024;
        match *larger = realloc(g->matches, capacity * sizeof *larger);
        if (larger == NULL) {
            return 0;
        }
        g->matches = larger;
        g->capacity = capacity;
    }
    if (!cli_series_gather(&c->all, &g->values, message, type)) {
        return 0;
    }
    match *made = &g->matches[g->count++];
    *made = (match){.values_end = g->values.count};
    made->has_time = time_of(c, message, type, &made->time_ns);
    return 1;
}

static size_t take_gathered(void *self, void *result, const fls_message *messages, size_t count)
{
    size_t taken = 0;
    while (taken < count && gather(self, result, &messages[taken])) {
        taken++;
    }
    return taken;
}

static int collect_gathered(void *self, void *result, const fls_parallel_piece *piece)
{
    counting *c = self;
    const gathered *g = result;
    const cli_series_value *values = g->values.all;
    size_t from = 0;
    int ended = 0;
    c->messages += piece->messages;
    for (size_t i = 0; i < g->count && !ended; i++) {
        const match *made = &g->matches[i];
        size_t count = made->values_end - from;
        c->matches++;
        int whole = cli_series_add_gathered(&c->all, values + from, count);
        if (whole && c->every_ns > 0 && find_window(c, made->has_time, made->time_ns)) {
            whole = cli_series_add_gathered(&c->window, values + from, count);
        }
        ended = added(c, whole);
        from = made->values_end;
    }
    return ended;
}

/* ---- */

static void pause_counting(void *self)
{
    counting *c = self;
    cli_out_flush(&c->out);
}

/* ---- the report of the whole ---- */

static void draw(counting *c)
{
    enum { BINS = 16 };
    char from[CLI_TIME_TEXT];
    char to[CLI_TIME_TEXT];
    char title[200];
    for (uint32_t i = 0; i < c->columns.count; i++) {
        const char *name = c->columns.columns[i].name;
        if (c->every_ns > 0) {
            snprintf(title, sizeof title, "%.150s, mean of each window", name);
            cli_plot_line_draw(&c->lines[i], &c->out, title, start_text(c, from, c->first_at),
                               start_text(c, to, c->window_at));
            continue;
        }
        fls_statistics *statistics = c->all.series[i].statistics;
        fls_value low;
        fls_value high;
        uint64_t bins[BINS];
        fls_statistics_histogram(statistics, bins, BINS);
        fls_statistics_quantile(statistics, 0, &low);
        fls_statistics_quantile(statistics, 1, &high);
        if (low.kind != FLS_VALUE_ABSENT) {
            int is_float = low.kind == FLS_VALUE_F64;
            int is_signed = low.kind == FLS_VALUE_I64;
            double least = is_float ? low.as.f : is_signed ? (double)low.as.i : (double)low.as.u;
            double most = is_float ? high.as.f : is_signed ? (double)high.as.i : (double)high.as.u;
            snprintf(title, sizeof title, "%.150s, how often", name);
            cli_plot_bins_draw(&c->out, title, bins, BINS, least, most);
        }
    }
}

static void report_json(counting *c, int code)
{
    if (c->every_ns > 0) {
        cli_json_close_list(&c->json);
    }
    cli_series_json(&c->all, &c->json);
    cli_json_count(&c->json, "messages", c->messages);
    cli_json_count(&c->json, "matches", c->matches);
    if (c->every_ns > 0) {
        cli_json_count(&c->json, "without_time", c->without_time);
        cli_json_count(&c->json, "late", c->late);
    }
    cli_json_bool(&c->json, "ok", cli_input_verdict(&c->input, code) == CLI_DONE);
    cli_json_end(&c->json);
}

static void report_table(counting *c)
{
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    cli_progress_clear(&c->job->progress);
    if (c->every_ns > 0) {
        cli_out_text(&c->out, c->has_window ? "\n" : "");
    }
    cli_series_table_head(&c->all, &c->out, NULL);
    cli_series_table(&c->all, &c->out, NULL);
    if (c->plot) {
        draw(c);
    }
    if (c->condition != NULL) {
        cli_note(c->job, "%s of %s messages", cli_count(a, c->matches), cli_count(b, c->messages));
    }
    if (c->without_time > 0) {
        cli_note(c->job, "%s messages have no time, and are in no window",
                 cli_count(a, c->without_time));
    }
    if (c->late > 0) {
        cli_note(c->job, "%s messages came when a later window was open, and are in none",
                 cli_count(a, c->late));
    }
}

static int count_in(counting *c, fls_reader **reader)
{
    const cli_walker walker = {take, pause_counting, c, NULL, NULL};
    const cli_shares shares = {c->jobs,          PIECE_BYTES,    reader,        make_gathered,
                               dispose_gathered, begin_gathered, take_gathered, collect_gathered};
    if (c->job->common.json) {
        cli_json_begin(&c->json, &c->out);
        cli_json_text(&c->json, "file", c->input.path);
        if (c->every_ns > 0) {
            cli_json_open_list(&c->json, "windows");
        }
    }
    int code = cli_walk_shared(&c->input, &walker, &shares);
    if (c->failed != CLI_DONE) {
        return c->failed;
    }
    if (c->every_ns > 0) {
        close_window(c);
    }
    if (c->job->common.json) {
        report_json(c, code);
    } else {
        report_table(c);
    }
    return code;
}

/* ---- what it needs ---- */

static int count_file(counting *c, const char *path)
{
    fls_reader *reader = NULL;
    int code = cli_input_open(&c->input, c->job, path);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_reader_open(&c->input, &reader, NULL, 0);
    if (code == CLI_DONE) {
        code = cli_out_open(&c->out, c->job, c->job->common.output, &c->input);
    }
    if (code == CLI_DONE) {
        code = cli_input_verdict(&c->input, cli_out_end(&c->out, count_in(c, &reader)));
    }
    fls_reader_close(reader);
    cli_input_close(&c->input);
    return code;
}

static int open_series(counting *c)
{
    int code = cli_series_open(&c->all, c->job, &c->columns);
    if (code == CLI_DONE && c->every_ns > 0) {
        code = cli_series_open(&c->window, c->job, &c->columns);
    }
    if (code == CLI_DONE && c->plot && c->every_ns > 0) {
        c->lines = calloc(c->columns.count, sizeof *c->lines);
        if (c->lines == NULL) {
            code = cli_complain_errno(c->job, NULL, NULL, ENOMEM);
        }
    }
    return code;
}

static int open_queries(counting *c)
{
    int code = cli_where_open(&c->where, c->job, &c->schemas, c->condition);
    if (code == CLI_DONE) {
        code = cli_columns_open(&c->columns, c->job, &c->schemas, c->select);
    }
    if (code == CLI_DONE && c->every_ns > 0) {
        code = cli_time_field_open(&c->time, c->job, &c->schemas, c->time_path, c->time_unit);
    }
    return code;
}

static int run_on(counting *c, const char *path)
{
    int code = cli_schemas_require(&c->schemas, c->job, "--select");
    if (code != CLI_DONE) {
        return code;
    }
    code = open_queries(c);
    if (code == CLI_DONE) {
        code = open_series(c);
    }
    if (code == CLI_DONE) {
        code = count_file(c, path);
    }
    free(c->lines);
    cli_series_close(&c->window);
    cli_series_close(&c->all);
    cli_time_field_close(&c->time);
    cli_columns_close(&c->columns);
    cli_where_close(&c->where);
    cli_schemas_close(&c->schemas);
    return code;
}

static int check_usage(counting *c)
{
    cli_job *job = c->job;
    if (c->select == NULL) {
        return cli_usage(job, "of what? --select PATHS");
    }
    if (c->every_ns == 0 && (c->time_path != NULL || c->time_unit != NULL)) {
        return cli_usage(job, "--time and --time-unit go with --every");
    }
    if (c->plot && job->common.json) {
        return cli_usage(job, "--plot does not go with --json");
    }
    if (!job->common.json && cli_is_stdout(job->common.output) && isatty(STDOUT_FILENO)) {
        c->plot = 1;
    }
    return CLI_DONE;
}

static int take_option(counting *c, int id, const char *argument)
{
    switch (id) {
    case ID_SELECT: c->select = argument; return CLI_DONE;
    case ID_TIME: c->time_path = argument; return CLI_DONE;
    case ID_TIME_UNIT: c->time_unit = argument; return CLI_DONE;
    case ID_WHERE: c->condition = argument; return CLI_DONE;
    case ID_PLOT: c->plot = 1; return CLI_DONE;
    case 'j': return cli_parallel_take(c->job, argument, &c->jobs);
    default:
        return cli_parse_duration(argument, &c->every_ns)
                   ? CLI_DONE
                   : cli_usage(c->job, "'%s' is not a time like 250ms, 1s or 5m", argument);
    }
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    counting c = {.job = job};
    int code = CLI_DONE;
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        code = take_option(&c, id, argument);
        if (code != CLI_DONE) {
            return code;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    code = check_usage(&c);
    if (code == CLI_DONE) {
        code = cli_one_operand(job, &path);
    }
    return code == CLI_DONE ? run_on(&c, path) : code;
}

const cli_command cli_cmd_stats = {"stats",
                                   "statistics of values, also by windows of time",
                                   synopsis,
                                   description,
                                   CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ |
                                       CLI_TAKES_MAX_FRAME | CLI_TAKES_RANGE | CLI_TAKES_TIMES |
                                       CLI_TAKES_JOURNAL | CLI_TAKES_JSON | CLI_TAKES_OUTPUT,
                                   option_table,
                                   keys,
                                   exits,
                                   examples,
                                   run};
