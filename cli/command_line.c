/* The command line, by getopt_long driven from the commands' tables. */
#include "command_line.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "complain.h"
#include "help.h"
#include "moment.h"
#include "schemas.h"

enum {
    ID_MAX_FRAME = 1000,
    ID_RANGE,
    ID_SINCE,
    ID_UNTIL,
    ID_DURABLE,
    ID_JSON,
    ID_NO_SYNC,
    MAX_OPTIONS = 40
};

typedef struct common_entry {
    unsigned takes; /* commands with one of these bits have it; 0: all */
    cli_option option;
} common_entry;

static const common_entry common_entries[] = {
    {CLI_TAKES_CHECKSUM_READ,
     {'c', "checksum", "ALGO",
      "The stream's checksum: auto, none, crc16, crc32 or xxh3. The default, auto, finds it by "
      "proof over the first frames, and refuses a stream for which there is no proof."}},
    {CLI_TAKES_CHECKSUM_WRITE,
     {'c', "checksum", "ALGO", "The checksum to write: none, crc16, crc32 or xxh3 (the default)."}},
    {CLI_TAKES_MAX_FRAME,
     {ID_MAX_FRAME, "max-frame", "SIZE",
      "The largest payload that is accepted, such as 64Ki; 2Gi unless given, 4Gi-1 at most."}},
    {CLI_TAKES_MAX_RECORD,
     {ID_MAX_FRAME, "max-frame", "SIZE",
      "The largest payload that is accepted, such as 64Ki; unless given what the journal has taken "
      "so far, 2Gi for a new one, which is the most."}},
    {CLI_TAKES_RANGE,
     {ID_RANGE, "range", "A..B",
      "Only messages with ordinals from A to B, B not included. Either may be left out: 10.. is "
      "all but the first ten, ..10 the first ten. A file with an index beside it ('flatstream "
      "index') is read from near A on, so that damage before that is not met."}},
    {CLI_TAKES_TIMES,
     {ID_SINCE, "since", "T",
      "Of a journal, only messages received at T or later: 2026-09-21T14:13:20Z (with any fraction "
      "of a second, and Z or an offset), or -5m for five minutes ago."}},
    {CLI_TAKES_TIMES,
     {ID_UNTIL, "until", "T", "Of a journal, only messages received before T, written likewise."}},
    {CLI_TAKES_JOURNAL,
     {ID_DURABLE, "durable", NULL,
      "Of a journal, only what is known to be durable. Unless given, everything is read that its "
      "files hold by now, which a crash may still take back."}},
    {CLI_TAKES_RANGE, {'n', "limit", "N", "At most N messages; nothing behind them is looked at."}},
    {CLI_TAKES_SCHEMA,
     {'s', "schema", "FILE",
      "The schema of the messages, FILE.bfbs or FILE.fbs (which flatc has to compile). For several "
      "types of messages in one stream it is given several times: the file identifier in a message "
      "tells which type it is."}},
    {CLI_TAKES_SCHEMA,
     {'r', "root", "TYPE",
      "The table that a message is, where that is not the schema's root_type. It belongs to the -s "
      "before it (where there is none, to the first), and more of them are more types. "
      "TYPE:IDENTIFIER gives the type's file identifier too."}},
    {CLI_TAKES_SCHEMA,
     {'I', "include", "DIR", "Where flatc looks for what a FILE.fbs includes. May be repeated."}},
    {CLI_TAKES_JSON, {ID_JSON, "json", NULL, "The report as one JSON object."}},
    {CLI_TAKES_OUTPUT,
     {'o', "output", "FILE",
      "Where the result goes, - for standard output. A file appears whole, by rename and after a "
      "sync, when everything went well, and not at all otherwise. It may not be an input."}},
    {CLI_TAKES_OUTPUT,
     {ID_NO_SYNC, "no-sync", NULL,
      "Do not wait until FILE is safe from a power cut before it appears."}},
    {0, {'q', "quiet", NULL, "Say nothing but what is wrong: no progress, no notes."}},
    {0, {'v', "verbose", NULL, "Say more on standard error, such as which checksum was found."}},
    {0, {'h', "help", NULL, "Show this help."}},
};

const cli_option *cli_common_option(const cli_command *command, size_t index)
{
    for (size_t i = 0; i < sizeof common_entries / sizeof common_entries[0]; i++) {
        const common_entry *entry = &common_entries[i];
        if ((entry->takes == 0 || (command->takes & entry->takes) != 0) && index-- == 0) {
            return &entry->option;
        }
    }
    return NULL;
}

/* The nth option of a command, its own first. */
static const cli_option *option_at(const cli_command *command, size_t index)
{
    size_t own = 0;
    while (command->options != NULL && command->options[own].name != NULL) {
        own++;
    }
    return index < own ? &command->options[index] : cli_common_option(command, index - own);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to insert, remove or change to make one word of the other. */
static size_t edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 32 };
    size_t row[LONGEST + 1];
    size_t length = strlen(b);
    if (strlen(a) > LONGEST || length > LONGEST) {
        return LONGEST;
    }
    for (size_t j = 0; j <= length; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = smaller(change, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[length];
}

const char *cli_nearest(const char *word, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t best_distance = 3;
    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(word, names[i]);
        if (strlen(word) >= 3 && strncmp(word, names[i], strlen(word)) == 0) {
            distance = 1;
        }
        if (distance < best_distance && distance < strlen(names[i])) {
            best = names[i];
            best_distance = distance;
        }
    }
    return best;
}

static int unknown_option(cli_job *job, const char *given)
{
    const char *names[MAX_OPTIONS];
    char name[64];
    size_t count = 0;
    if (optopt != 0 && optopt < CLI_ID_FIRST && strncmp(given, "--", 2) != 0) {
        return cli_usage(job, "there is no option -%c", optopt);
    }
    snprintf(name, sizeof name, "%s", given + 2);
    name[strcspn(name, "=")] = '\0';
    const cli_option *option;
    while (count < MAX_OPTIONS && (option = option_at(job->command, count)) != NULL) {
        names[count++] = option->name;
    }
    const char *nearest = cli_nearest(name, names, count);
    if (optopt != 0 && nearest != NULL && strcmp(nearest, name) == 0) {
        return cli_usage(job, "--%s takes no value", name);
    }
    if (nearest != NULL) {
        return cli_usage(job, "there is no option --%s; did you mean --%s?", name, nearest);
    }
    return cli_usage(job, "there is no option --%s", name);
}

/* The tables as getopt_long wants them. */
static void prepare(const cli_command *command, struct option longs[MAX_OPTIONS + 1],
                    char shorts[2 * MAX_OPTIONS + 2])
{
    const cli_option *option;
    size_t count = 0;
    char *next = shorts;
    *next++ = ':';
    for (; count < MAX_OPTIONS && (option = option_at(command, count)) != NULL; count++) {
        longs[count] = (struct option){option->name,
                                       option->argument != NULL ? required_argument : no_argument,
                                       NULL, option->id};
        if (option->id < CLI_ID_FIRST) {
            *next++ = (char)option->id;
            if (option->argument != NULL) {
                *next++ = ':';
            }
        }
    }
    longs[count] = (struct option){NULL, 0, NULL, 0};
    *next = '\0';
}

static int parse_digits(const char **text, uint64_t *value)
{
    const char *start = *text;
    *value = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        uint64_t digit = (uint64_t)(**text - '0');
        if (*value > (UINT64_MAX - digit) / 10) {
            return 0;
        }
        *value = *value * 10 + digit;
    }
    return *text != start;
}

int cli_parse_count(const char *text, uint64_t *count)
{
    return parse_digits(&text, count) && *text == '\0';
}

int cli_parse_size(const char *text, uint64_t *bytes)
{
    static const struct {
        const char *suffix;
        uint64_t unit;
    } units[] = {{"", 1},           {"k", 1000},      {"K", 1000},      {"M", 1000000},
                 {"G", 1000000000}, {"Ki", 1u << 10}, {"Mi", 1u << 20}, {"Gi", 1u << 30}};
    if (!parse_digits(&text, bytes)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text, units[i].suffix) == 0 && *bytes <= UINT64_MAX / units[i].unit) {
            *bytes *= units[i].unit;
            return 1;
        }
    }
    return 0;
}

static int parse_range(const char *text, cli_common *common)
{
    common->range_first = 0;
    common->range_end = UINT64_MAX;
    if (*text != '.' && !parse_digits(&text, &common->range_first)) {
        return 0;
    }
    if (strncmp(text, "..", 2) != 0) {
        return 0;
    }
    text += 2;
    if (*text != '\0' && !parse_digits(&text, &common->range_end)) {
        return 0;
    }
    return *text == '\0' && common->range_first <= common->range_end;
}

static int take_max_frame(cli_job *job, const char *argument)
{
    uint64_t bytes;
    int recorded = (job->command->takes & CLI_TAKES_MAX_RECORD) != 0;
    uint64_t most = recorded ? FLS_DEFAULT_MAX_FRAME_BYTES : UINT32_MAX;
    if (!cli_parse_size(argument, &bytes) || bytes == 0 || bytes > most) {
        return cli_usage(job, "--max-frame '%s' is not a size from 1 to %llu (%s)", argument,
                         (unsigned long long)most, recorded ? "2Gi" : "4Gi-1");
    }
    job->common.max_frame_bytes = (uint32_t)bytes;
    return CLI_DONE;
}

static int take_common(cli_job *job, int id, const char *argument)
{
    cli_common *common = &job->common;
    switch (id) {
    case 'c':
        if (fls_checksum_from_name(argument, &common->checksum) != FLS_OK ||
            common->checksum == FLS_CHECKSUM_CUSTOM) {
            return cli_usage(job, "'%s' is not a checksum: auto, none, crc16, crc32 or xxh3",
                             argument);
        }
        return CLI_DONE;
    case ID_MAX_FRAME: return take_max_frame(job, argument);
    case ID_RANGE:
        if (!parse_range(argument, common)) {
            return cli_usage(job, "'%s' is not a range of ordinals like 10..20", argument);
        }
        return CLI_DONE;
    case 'n':
        if (!cli_parse_count(argument, &common->limit)) {
            return cli_usage(job, "'%s' is not a number of messages", argument);
        }
        return CLI_DONE;
    case ID_SINCE:
    case ID_UNTIL:
        if (!cli_parse_moment(argument, id == ID_SINCE ? &common->since_ns : &common->until_ns)) {
            return cli_usage(job, "'%s' is not a time like 2026-09-21T14:13:20Z or -5m", argument);
        }
        return CLI_DONE;
    case ID_DURABLE: common->durable = 1; return CLI_DONE;
    case ID_JSON: common->json = 1; return CLI_DONE;
    case 'o': common->output = argument; return CLI_DONE;
    case 's':
    case 'r': return cli_schemas_take(job, id, argument);
    case 'I':
        if (common->include_count == CLI_MOST_INCLUDES) {
            return cli_usage(job, "more than %d directories", CLI_MOST_INCLUDES);
        }
        common->include_directories[common->include_count++] = argument;
        return CLI_DONE;
    case ID_NO_SYNC: common->no_sync = 1; return CLI_DONE;
    case 'q': common->quiet = 1; return CLI_DONE;
    default: common->verbose = 1; return CLI_DONE;
    }
}

static int is_common(const cli_command *command, int id)
{
    const cli_option *option;
    for (size_t i = 0; (option = cli_common_option(command, i)) != NULL; i++) {
        if (option->id == id) {
            return 1;
        }
    }
    return 0;
}

static int stop(cli_job *job, int code)
{
    job->option_exit = code;
    return -1;
}

int cli_next_option(cli_job *job, int argc, char **argv, const char **argument)
{
    struct option longs[MAX_OPTIONS + 1];
    char shorts[2 * MAX_OPTIONS + 2];
    prepare(job->command, longs, shorts);
    opterr = 0;
    for (;;) {
        const char *given = argv[optind < argc ? optind : argc - 1];
        int id = getopt_long(argc, argv, shorts, longs, NULL);
        if (id == -1) {
            job->operands = argv + optind;
            job->operand_count = argc - optind;
            return 0;
        }
        if (id == '?') {
            return stop(job,
                        unknown_option(job, argv[optind - 1][0] == '-' && argv[optind - 1][1] == '-'
                                                ? argv[optind - 1]
                                                : given));
        }
        if (id == ':') {
            return stop(job, cli_usage(job, "%s needs a value", argv[optind - 1]));
        }
        if (id == 'h') {
            return stop(job, cli_help_command(job, job->command));
        }
        if (!is_common(job->command, id)) {
            *argument = optarg;
            return id;
        }
        int code = take_common(job, id, optarg);
        if (code != CLI_DONE) {
            return stop(job, code);
        }
    }
}

int cli_one_operand(cli_job *job, const char **path)
{
    if (job->operand_count > 1) {
        return cli_usage(job, "one FILE at a time, not %d", job->operand_count);
    }
    if (job->operand_count == 0 && isatty(STDIN_FILENO)) {
        return cli_usage(job, "which FILE? (- is standard input)");
    }
    *path = job->operand_count == 1 ? job->operands[0] : "-";
    cli_note_operand(job, *path);
    return CLI_DONE;
}

void cli_note_operand(cli_job *job, const char *path)
{
    struct stat info;
    job->journal = strcmp(path, "-") != 0 && (job->command->takes & CLI_TAKES_JOURNAL) != 0 &&
                           stat(path, &info) == 0 && S_ISDIR(info.st_mode)
                       ? path
                       : NULL;
}

void cli_selection(const cli_common *common, uint64_t *first, uint64_t *end)
{
    *first = common->range_first;
    *end = common->range_end;
    if (*end - *first > common->limit) {
        *end = *first + common->limit;
    }
}
