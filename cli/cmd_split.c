/* flatstream split: a stream in pieces, by number, size, time or the value of a field. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command_line.h"
#include "commands.h"
#include "piece_names.h"
#include "pieces.h"
#include "report.h"
#include "selector.h"
#include "spool.h"
#include "walk.h"

enum {
    ID_MESSAGES = CLI_ID_FIRST,
    ID_BYTES,
    ID_EVERY,
    ID_TIME,
    ID_TIME_UNIT,
    ID_KEY,
    ID_TO,
    ID_FORCE,
    ID_MOST,
    ID_NO_SYNC,
    DEFAULT_MOST = 100000,
    MOST_PIECES = 1000000000
};

static const char *const synopsis[] = {
    "--messages N | --bytes SIZE | -n PIECES [--to ALGO] [--json] -o PREFIX IN",
    "--every TIME [--time PATH] [-s SCHEMA] [--to ALGO] [--json] -o PREFIX IN",
    "--key PATH -s SCHEMA [--to ALGO] [--json] -o PREFIX IN", NULL};
static const char *const description[] = {
    "Writes the messages of IN into several streams: so many messages each, so many bytes at most "
    "(one message that is larger has a piece of its own), as many pieces as -n says of about the "
    "same size, a piece for each window of time, or one for each value of a field.",
    "The pieces are called PREFIX, a number from 000000 on, and .fls: out/ gives out/000000.fls, "
    "part- gives part-000000.fls. Numbers have six digits, or as many as the last one needs, so "
    "that names sort in the order of the pieces. Such pieces, one behind the other, are IN byte "
    "for byte, unless --to asks for another checksum.",
    "With --key the value stands in place of the number, as in CSV: letters, digits, '_', '-' and "
    "'.' as they are, every other byte as %XX; so is a '.' at the beginning, and the first letter "
    "of "
    "what some systems keep for devices, such as con; and capital letters, where another value "
    "differs only by their case. So names are good on every file system, and no two values have "
    "the same. A value that would take more than 120 bytes is cut after 64, and has '~', its "
    "length, '-', and its XXH3-64 and CRC-32 behind it. Messages without the field are in "
    "PREFIX~absent.fls, "
    "those whose text is empty in PREFIX~empty.fls.",
    "Windows of --every begin at multiples of their length. The time of a message in a journal is "
    "that of its receipt, else a field: that of --time, or the first number of the root whose name "
    "has 'time' in it or begins with ts_, and ends in _ns, _us, _ms or _s. Messages stay in their "
    "order: one that is older than the window of the piece before, or has no time, goes into that "
    "piece.",
    "The pieces appear when all of them are there, or not at all: until then they are in a hidden "
    "directory beside them, .flatstream-split-XXXXXX, which is left only when the tool is killed. "
    "Files that are there already are not replaced unless --force is given. A damaged stream "
    "gives no pieces; a damaged journal everything that is sound, with exit code 1. Messages are "
    "not checked against their schema, only read within bounds.",
    NULL};
static const cli_option option_table[] = {
    {ID_MESSAGES, "messages", "N", "So many messages to a piece; the last may have less."},
    {ID_BYTES, "bytes", "SIZE", "Pieces of at most that size, such as 100Mi."},
    {'n', "pieces", "N",
     "So many pieces, which begin at the first message behind each Nth of IN's bytes (of a "
     "journal: messages); some are empty where messages are large. What is no file is first "
     "copied to a temporary one."},
    {ID_EVERY, "every", "TIME", "A piece for each window of that length: 250ms, 1s, 5m, 1h, 1d."},
    {ID_TIME, "time", "PATH", "The field that is a message's time, for --every."},
    {ID_TIME_UNIT, "time-unit", "UNIT",
     "What it counts: ns, us, ms or s, where its name does not end so."},
    {ID_KEY, "key", "PATH", "A piece for each value of that field (docs/QUERIES.md)."},
    {ID_MOST, "max-pieces", "N",
     "Refuse to make more pieces than that; 100000 unless given. A key with as many values as "
     "there are messages is likely to be a mistake."},
    {ID_TO, "to", "ALGO",
     "Checksum of the pieces: none, crc16, crc32 or xxh3; that of IN unless given."},
    {'o', "output", "PREFIX",
     "What the names of the pieces begin with. The directory it names has to be there."},
    {ID_FORCE, "force", NULL, "Replace files that have the names of pieces."},
    {ID_NO_SYNC, "no-sync", NULL,
     "Do not wait until the pieces are safe from a power cut before they appear."},
    {0, NULL, NULL, NULL}};
static const cli_pair keys[] = {
    {"file", "The FILE as given."},
    {"pieces", "A list of name, messages, bytes, first, last (ordinals in FILE; null in an empty "
               "piece), in the order in which the pieces began."},
    {"piece_count", "How many there are."},
    {"messages", "Messages of all pieces."},
    {"bytes", "Their bytes."},
    {"without_time", "With --every, messages that have no time."},
    {"late", "Those older than the window of the piece that they are in."},
    {"ok", "Whether the pieces are there and FILE is sound."},
    {NULL, NULL}};
static const cli_pair exits[] = {
    {"0", "The pieces are there."},
    {"1", "IN is damaged."},
    {"2", "Wrong usage, or a file is there that --force would replace."},
    {"3", "IN cannot be read, or a piece not written."},
    {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream split --bytes 1Gi -o part- capture.fls", "Files that fit somewhere:"},
    {"flatstream split --every 1h -s telemetry.fbs -o hour- capture.fls", "A file an hour:"},
    {"flatstream split --key symbol -s trades.fbs -o by-symbol/ capture.fls",
     "A file for each symbol, in a directory:"},
    {"flatstream split -n 16 --json -o work- capture.fls | jq -r '.pieces[].name'",
     "Work for sixteen:"},
    {"cat part-*.fls | cmp - capture.fls", "They are the stream again:"},
    {NULL, NULL}};

typedef enum cut_by { BY_NOTHING, BY_MESSAGES, BY_BYTES, BY_PIECES, BY_TIME, BY_KEY } cut_by;

typedef struct splitting {
    cli_job *job;
    cut_by by;
    uint64_t amount; /* messages, bytes or pieces */
    int64_t every_ns;
    const char *time_path;
    const char *time_unit;
    const char *key_path;
    cli_input input;
    cli_spool spool;
    int has_spool;
    fls_reader *reader;
    cli_schemas schemas;
    int has_schemas;
    cli_time_field time;
    int has_time; /* it is that of a field */
    cli_column key;
    int has_key;
    cli_framing framing;
    cli_pieces pieces;
    uint64_t from; /* for -n: where IN begins, and how much it is */
    uint64_t span;
    int64_t window;
    uint64_t messages;
    uint64_t bytes;
    uint64_t without_time;
    uint64_t late;
    int failed;
} splitting;

/* ---- which piece ---- */

/* Where the nth of so many parts of the input begins. */
static uint64_t part_begin(const splitting *s, uint64_t n)
{
    return s->span / s->amount * n + s->span % s->amount * n / s->amount;
}

/* A message's window in *window; 0 when it has no time. */
static int window_of(splitting *s, const fls_message *message, int64_t *window)
{
    int64_t time_ns = (int64_t)(message->time_ns & INT64_MAX);
    if (s->has_time) {
        uint32_t type = cli_type_of(&s->schemas, message);
        if (type == FLS_SCHEMA_NONE || !cli_time_of(&s->time, message, type, &time_ns)) {
            return 0;
        }
    } else if (message->time_ns == 0) {
        return 0;
    }
    *window = time_ns / s->every_ns - (time_ns % s->every_ns < 0);
    return 1;
}

/* Whether a piece begins with the message; of the one before it, if any, only the last counts. */
static int begins_window(splitting *s, const fls_message *message)
{
    int64_t window;
    int is_first = s->pieces.count == 0;
    if (!window_of(s, message, &window)) {
        s->without_time++;
        s->window = is_first ? INT64_MIN : s->window;
        return is_first;
    }
    if (!is_first && window <= s->window) {
        s->late += window < s->window;
        return 0;
    }
    /* Messages without a time at the beginning have the piece of the first that has one. */
    int begins = is_first || s->window != INT64_MIN;
    s->window = window;
    return begins;
}

static int piece_of_key(splitting *s, const fls_message *message, size_t *piece)
{
    char name[CLI_PIECE_NAME] = CLI_PIECE_ABSENT;
    char buffer[FLS_VALUE_TEXT_BYTES];
    fls_value value = {.kind = FLS_VALUE_ABSENT};
    uint32_t type = cli_type_of(&s->schemas, message);
    const fls_path *path = type != FLS_SCHEMA_NONE ? cli_column_path(&s->key, type) : NULL;
    if (path != NULL) {
        fls_path_get(path, message->payload, message->size, &value);
    }
    if (value.kind != FLS_VALUE_ABSENT) {
        size_t size;
        const char *text = fls_value_text(&value, s->schemas.set.types[type].schema, buffer, &size);
        cli_piece_name(name, text, size);
    }
    return cli_pieces_find(&s->pieces, name, piece);
}

/* Whether a new piece begins with the message, where they follow one another. */
static int begins_piece(splitting *s, const fls_message *message)
{
    const cli_piece *last = s->pieces.count > 0 ? &s->pieces.pieces[s->pieces.count - 1] : NULL;
    switch (s->by) {
    case BY_MESSAGES: return last == NULL || last->messages == s->amount;
    case BY_BYTES:
        return last == NULL || cli_frame_bytes(&s->framing, message) > s->amount ||
               last->bytes > s->amount - cli_frame_bytes(&s->framing, message);
    case BY_TIME: return begins_window(s, message);
    default: {
        uint64_t at = s->input.is_journal ? message->ordinal : message->offset;
        return s->pieces.count < s->amount && at - s->from >= part_begin(s, s->pieces.count);
    }
    }
}

static int take(void *self, const fls_message *message)
{
    splitting *s = self;
    size_t piece = 0;
    cli_framing_begin(&s->framing, &s->input, s->reader);
    if (s->by == BY_KEY) {
        s->failed = piece_of_key(s, message, &piece);
    } else {
        /* Of -n several may begin here, of which all but the last are empty. */
        int again = 1;
        while (again && s->failed == CLI_DONE && begins_piece(s, message)) {
            s->failed = cli_pieces_add(&s->pieces, NULL);
            again = s->by == BY_PIECES;
        }
        piece = s->pieces.count - 1;
    }
    if (s->failed == CLI_DONE) {
        s->failed = cli_pieces_put(&s->pieces, piece, message);
    }
    s->messages++;
    s->bytes += cli_frame_bytes(&s->framing, message);
    return s->failed != CLI_DONE;
}

/* ---- reports ---- */

static void report_json(splitting *s, cli_out *out, int code)
{
    char path[4096];
    cli_json json;
    cli_json_begin(&json, out);
    cli_json_text(&json, "file", s->input.path);
    cli_json_open_list(&json, "pieces");
    for (size_t i = 0; i < s->pieces.count; i++) {
        const cli_piece *piece = &s->pieces.pieces[i];
        (void)cli_pieces_path(&s->pieces, i, path, sizeof path);
        cli_json_open_object(&json, NULL);
        cli_json_text(&json, "name", path);
        cli_json_count(&json, "messages", piece->messages);
        cli_json_count(&json, "bytes", piece->bytes);
        if (piece->messages > 0) {
            cli_json_count(&json, "first", piece->first);
            cli_json_count(&json, "last", piece->last);
        } else {
            cli_json_null(&json, "first");
            cli_json_null(&json, "last");
        }
        cli_json_close_object(&json);
    }
    cli_json_close_list(&json);
    cli_json_count(&json, "piece_count", s->pieces.count);
    cli_json_count(&json, "messages", s->messages);
    cli_json_count(&json, "bytes", s->bytes);
    if (s->by == BY_TIME) {
        cli_json_count(&json, "without_time", s->without_time);
        cli_json_count(&json, "late", s->late);
    }
    cli_json_bool(&json, "ok", cli_input_verdict(&s->input, code) == CLI_DONE);
    cli_json_end(&json);
}

/* A piece that would be next, from another time: who reads PREFIX*.fls reads it too. */
static void tell_left_over(splitting *s)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s%0*zu.fls", s->pieces.prefix, s->pieces.digits,
                          s->pieces.count);
    if (s->by != BY_KEY && length > 0 && (size_t)length < sizeof path && access(path, F_OK) == 0) {
        cli_note(s->job, "%s was there before, and is none of these pieces", path);
    }
}

static void tell(splitting *s)
{
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    char c[CLI_NUMBER];
    uint64_t empty_ends = 0;
    for (size_t i = 0; i < s->pieces.count; i++) {
        empty_ends += (uint64_t)cli_is_like_zero_tail(&s->framing, s->pieces.pieces[i].empty_bytes);
    }
    if (!s->job->common.json) {
        cli_note(s->job, "%s: %s piece%s, %s messages, %s bytes", s->input.name,
                 cli_count(a, s->pieces.count), s->pieces.count == 1 ? "" : "s",
                 cli_count(b, s->messages), cli_count(c, s->bytes));
    }
    if (s->without_time > 0) {
        cli_note(s->job, "%s messages have no time, and are where they came",
                 cli_count(a, s->without_time));
    }
    if (s->late > 0) {
        cli_note(s->job, "%s messages are older than the window of the piece that they are in",
                 cli_count(a, s->late));
    }
    if (empty_ends > 0) {
        cli_note(s->job,
                 "%s pieces end in empty messages, and with %s readers will take them for a zero "
                 "tail",
                 cli_count(a, empty_ends), fls_checksum_name(s->framing.to));
    }
    tell_left_over(s);
}

/* ---- the run ---- */

/* Where the pieces of -n begin: by offsets in a file or in the copy of what is none, and by
 * ordinals in a journal. */
static int measure(splitting *s)
{
    fls_error err = FLS_ERROR_INIT;
    fls_status status;
    if (!s->input.is_journal) {
        status = s->spool.source.ops->size(s->spool.source.self, &s->span, &err);
        return status == FLS_OK ? CLI_DONE : cli_complain_error(s->job, s->input.name, &err);
    }
    s->from = fls_journal_reader_ordinal(s->input.journal);
    status = fls_journal_reader_seek_end(s->input.journal, 0, &err);
    if (status == FLS_OK) {
        s->span = fls_journal_reader_ordinal(s->input.journal) - s->from;
        status = fls_journal_reader_seek_ordinal(s->input.journal, s->from, &err);
    }
    return status == FLS_OK ? CLI_DONE : cli_complain_error(s->job, s->input.name, &err);
}

static int open_reader(splitting *s)
{
    fls_error err = FLS_ERROR_INIT;
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    const cli_common *common = &s->job->common;
    int code = CLI_DONE;
    if (s->by == BY_PIECES && !s->input.is_journal) {
        code = cli_spool_open(&s->spool, &s->input);
        s->has_spool = code == CLI_DONE;
    }
    if (code != CLI_DONE || !s->has_spool || !s->spool.is_copy) {
        return code == CLI_DONE ? cli_reader_open(&s->input, &s->reader, NULL, 0) : code;
    }
    options.checksum =
        common->checksum == FLS_CHECKSUM_DEFAULT ? FLS_CHECKSUM_DETECT : common->checksum;
    options.max_frame_bytes = common->max_frame_bytes;
    s->spool.is_copy = 0; /* the reader takes the copy over, also when it fails */
    if (fls_reader_open(&s->reader, s->spool.source, &options, &err) != FLS_OK) {
        return cli_complain_error(s->job, s->input.name, &err);
    }
    return CLI_DONE;
}

static int split(splitting *s)
{
    cli_walker walker = {take, NULL, s, NULL, NULL};
    int code = open_reader(s);
    if (code == CLI_DONE && s->by == BY_PIECES) {
        code = measure(s);
    }
    if (code == CLI_DONE) {
        code = cli_pieces_open(&s->pieces);
    }
    if (code == CLI_DONE) {
        code = cli_walk(&s->input, s->reader, &walker);
        code = s->failed != CLI_DONE ? s->failed : code;
    }
    while (code == CLI_DONE && s->by == BY_PIECES && s->pieces.count < s->amount) {
        code = cli_pieces_add(&s->pieces, NULL);
    }
    code = cli_pieces_end(&s->pieces, code);
    cli_progress_clear(&s->job->progress);
    if (code == CLI_DONE) {
        tell(s);
    } else {
        s->messages = s->bytes = 0; /* of what there is */
        cli_pieces_free(&s->pieces);
    }
    return code;
}

static int split_and_report(splitting *s)
{
    cli_out told;
    if (!s->job->common.json) {
        return split(s);
    }
    int code = cli_out_open(&told, s->job, NULL, &s->input);
    if (code == CLI_DONE) {
        code = split(s);
        report_json(s, &told, code);
        code = cli_out_end(&told, code);
    }
    return code;
}

/* Refuses before everything is read what would be refused at the end. */
static int check_first(const splitting *s)
{
    char path[4096];
    struct stat info;
    int length = snprintf(path, sizeof path, "%s000000.fls", s->pieces.prefix);
    if (s->by != BY_KEY && !s->pieces.force && length > 0 && (size_t)length < sizeof path &&
        lstat(path, &info) == 0) {
        return cli_usage(s->job, "%s is there already; --force replaces it", path);
    }
    return CLI_DONE;
}

static int open_fields(splitting *s)
{
    cli_job *job = s->job;
    int by_field =
        s->by == BY_TIME && (job->journal == NULL || s->time_path != NULL || s->time_unit != NULL);
    int code = by_field          ? cli_schemas_require(&s->schemas, job, "--every")
               : s->by == BY_KEY ? cli_schemas_require(&s->schemas, job, "--key")
                                 : cli_schemas_open_given(&s->schemas, job);
    s->has_schemas = code == CLI_DONE;
    if (code == CLI_DONE && by_field) {
        code = cli_time_field_open(&s->time, job, &s->schemas, s->time_path, s->time_unit);
        s->has_time = code == CLI_DONE;
    }
    if (code == CLI_DONE && s->by == BY_KEY) {
        code = cli_column_open(&s->key, job, &s->schemas, "--key", s->key_path);
        s->has_key = code == CLI_DONE;
        if (s->has_key && fls_path_is_many(s->key.any)) {
            code = cli_usage(job, "--key: '%s' has many values, and a message goes into one piece",
                             s->key_path);
        }
    }
    return code;
}

static void close_all(splitting *s)
{
    cli_pieces_free(&s->pieces);
    fls_reader_close(s->reader);
    if (s->has_spool) {
        cli_spool_close(&s->spool);
    }
    if (s->has_key) {
        cli_column_close(&s->key);
    }
    if (s->has_time) {
        cli_time_field_close(&s->time);
    }
    if (s->has_schemas) {
        cli_schemas_close(&s->schemas);
    }
}

static int run_on(splitting *s, const char *path)
{
    int code = check_first(s);
    if (code == CLI_DONE) {
        code = open_fields(s);
    }
    if (code == CLI_DONE) {
        code = cli_input_open(&s->input, s->job, path);
        if (code == CLI_DONE) {
            code = cli_input_verdict(&s->input, split_and_report(s));
            close_all(s);
            cli_input_close(&s->input);
            return code;
        }
    }
    close_all(s);
    return code;
}

/* ---- options ---- */

static int cut(splitting *s, cut_by by)
{
    if (s->by != BY_NOTHING && s->by != by) {
        return cli_usage(s->job, "one of --messages, --bytes, -n, --every and --key");
    }
    s->by = by;
    return CLI_DONE;
}

static int take_amount(splitting *s, int id, const char *argument)
{
    int by_bytes = id == ID_BYTES;
    uint64_t *amount = id == ID_MOST ? &s->pieces.most : &s->amount;
    if (!(by_bytes ? cli_parse_size(argument, amount) : cli_parse_count(argument, amount)) ||
        *amount == 0 || (id == ID_MOST && *amount > MOST_PIECES)) {
        return cli_usage(s->job, "'%s' is not a %s", argument,
                         by_bytes            ? "size like 100Mi"
                         : id == ID_MESSAGES ? "number of messages"
                                             : "number of pieces");
    }
    return id == ID_MOST ? CLI_DONE
                         : cut(s, by_bytes            ? BY_BYTES
                                  : id == ID_MESSAGES ? BY_MESSAGES
                                                      : BY_PIECES);
}

static int take_option(splitting *s, int id, const char *argument)
{
    switch (id) {
    case ID_MESSAGES:
    case ID_BYTES:
    case ID_MOST:
    case 'n': return take_amount(s, id, argument);
    case ID_EVERY:
        if (!cli_parse_duration(argument, &s->every_ns)) {
            return cli_usage(s->job, "'%s' is not a length of time like 250ms, 1s or 5m", argument);
        }
        return cut(s, BY_TIME);
    case ID_KEY: s->key_path = argument; return cut(s, BY_KEY);
    case ID_TIME: s->time_path = argument; return CLI_DONE;
    case ID_TIME_UNIT: s->time_unit = argument; return CLI_DONE;
    case ID_FORCE: s->pieces.force = 1; return CLI_DONE;
    case ID_NO_SYNC: s->job->common.no_sync = 1; return CLI_DONE;
    case 'o': s->pieces.prefix = argument; return CLI_DONE;
    default: return cli_take_to(s->job, argument, &s->framing.to);
    }
}

static int check_usage(const splitting *s)
{
    if (s->by == BY_NOTHING) {
        return cli_usage(s->job, "by what? --messages, --bytes, -n, --every or --key");
    }
    if (s->by != BY_TIME && (s->time_path != NULL || s->time_unit != NULL)) {
        return cli_usage(s->job, "--time is for --every");
    }
    if (s->by == BY_PIECES && s->amount > s->pieces.most) {
        return cli_usage(s->job, "more than %llu pieces; --max-pieces allows more",
                         (unsigned long long)s->pieces.most);
    }
    if (s->pieces.prefix == NULL || s->pieces.prefix[0] == '\0' ||
        strcmp(s->pieces.prefix, "-") == 0) {
        return cli_usage(s->job, "what do the names of the pieces begin with? -o PREFIX");
    }
    return CLI_DONE;
}

static int run(cli_job *job, int argc, char **argv)
{
    static splitting s; /* too large for some stacks */
    const char *argument;
    const char *path;
    int id;
    s.job = job;
    s.pieces.job = job;
    s.pieces.input = &s.input;
    s.pieces.framing = &s.framing;
    s.pieces.most = DEFAULT_MOST;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (take_option(&s, id, argument) != CLI_DONE) {
            return CLI_USAGE;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    int code = check_usage(&s);
    if (code == CLI_DONE) {
        code = cli_one_operand(job, &path);
    }
    return code == CLI_DONE ? run_on(&s, path) : code;
}

const cli_command cli_cmd_split = {"split",
                                   "a stream in pieces, by number, size, time or key",
                                   synopsis,
                                   description,
                                   CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ |
                                       CLI_TAKES_MAX_FRAME | CLI_TAKES_JOURNAL | CLI_TAKES_JSON,
                                   option_table,
                                   keys,
                                   exits,
                                   examples,
                                   run};
