/* flatstream write: messages in, as JSON, hexadecimal lines, delimited bytes or whole files. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command_line.h"
#include "commands.h"
#include "output.h"
#include "payloads.h"

enum { ID_FROM = CLI_ID_FIRST, ID_APPEND, ID_DISCARD, ID_LENIENT, ID_DEFAULTS };

static const char *const synopsis[] = {
    "--from json -s SCHEMA [-r TYPE] [--lenient] [-c ALGO] -o OUT [IN]",
    "--from delimited|hex [-s SCHEMA] [-c ALGO] -o OUT [IN]",
    "[-s SCHEMA] [-c ALGO] -o OUT FILE...", "--append [-c ALGO] [--discard] --from FORM OUT [IN]",
    NULL};
static const char *const description[] = {
    "Makes a stream of messages out of JSON, or of messages that somebody else built. With --from "
    "they are read from IN, or "
    "from standard input; without it each FILE is one message. OUT appears whole, or not at all "
    "when something is wrong with the input. Without -o the stream goes to standard output.",
    "--append goes on behind the last sound message of OUT, which may be given with -o or as the "
    "first operand. It takes the stream's lock, proves that the checksum asked for is the "
    "stream's (-c auto takes the stream's own), and cuts a torn or zero tail first, keeping what "
    "it cuts as OUT.cut-OFFSET. A damaged stream is refused. When the input turns out to be wrong "
    "in the middle, the messages before that stay appended.",
    "JSON is one object a message, as NDJSON has it in lines; objects over several lines and lists "
    "of objects are taken too. It has to fit the schema: an unknown field, a value of another type "
    "or out of range, and a required field that is missing are errors, which are told with line, "
    "column and path. With several types (-s more than once) an object is of the type that its "
    "first key \"$type\" names, as in {\"$type\": \"telemetry.Sample\", ...}, or without that of "
    "the "
    "only type that takes it.",
    "Messages in other forms are taken as bytes: nothing checks that they are FlatBuffers, unless "
    "there is a schema, which each is checked against then. An empty message, "
    "which can never be one, is written for --from, so that what cat printed comes back; an empty "
    "FILE is refused.",
    NULL};
static const cli_option option_table[] = {
    {ID_FROM, "from", "FORM",
     "json: an object a message, which needs -s; hex: a line of hexadecimal digits a message, an "
     "empty line is an empty message; delimited: "
     "each message after its length as four bytes, little-endian."},
    {ID_APPEND, "append", NULL, "Go on behind the last sound message of a stream."},
    {ID_DISCARD, "discard", NULL, "With --append: do not keep the tail that is cut."},
    {ID_LENIENT, "lenient", NULL,
     "From JSON: skip unknown fields, take numbers written as strings, and let comments and "
     "trailing commas pass."},
    {ID_DEFAULTS, "defaults", NULL,
     "From JSON: store values that equal the field's default too, which are left out else."},
    {0, NULL, NULL, NULL}};
static const cli_pair exits[] = {
    {"0", "Written, and OUT is there."},
    {"1", "The input is wrong, or the stream to append to damaged or of another checksum."},
    {"2", "Wrong usage."},
    {"3", "A file cannot be read or written, or another writer has the lock."},
    {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream write --from json -s telemetry.fbs -o out.fls samples.ndjson",
     "A stream of messages out of JSON lines:"},
    {"flatstream write -o out.fls a.bin b.bin c.bin", "A stream of three files:"},
    {"flatstream cat in.fls | grep -v ^00 | flatstream write --from hex -o out.fls",
     "A stream without some of its messages:"},
    {"producer | flatstream write --append --from delimited log.fls",
     "Go on with a stream, after whatever ended it:"},
    {NULL, NULL}};

typedef enum form { FROM_FILES, FROM_HEX, FROM_DELIMITED, FROM_JSON } form;

typedef struct writing {
    cli_job *job;
    fls_writer *writer;
    const char *out; /* path, or NULL for standard output */
    const char *in;  /* name of the input, for messages */
    form from;
    int append;
    int discard;
    cli_json_options json;
    cli_schemas schemas;
    fls_validator validator; /* of the schemas */
    fls_checksum checksum;
    uint64_t empty_bytes; /* of the run of empty messages at the end */
    int reader_gone;      /* of standard output */
} writing;

/* After an error of the sink. A reader of standard output that went away is none, but there is no
 * sense in going on. */
static int stop_writing(writing *w, const fls_error *err)
{
    w->reader_gone = cli_write_failed(w->job, w->out, err) == CLI_DONE;
    return CLI_SYSTEM;
}

static int take(void *self, const void *payload, size_t size, const char *place)
{
    writing *w = self;
    fls_error err = FLS_ERROR_INIT;
    if (size == 0) {
        w->empty_bytes += FLS_LENGTH_BYTES + fls_checksum_width(w->checksum);
    } else {
        w->empty_bytes = 0;
    }
    fls_status status = fls_writer_write(w->writer, payload, size, &err);
    if (status == FLS_OK) {
        return CLI_DONE;
    }
    if (fls_status_class_of(status) == FLS_CLASS_SYSTEM) {
        return stop_writing(w, &err);
    }
    char sentence[400];
    cli_error_sentence(&err, sentence, sizeof sentence);
    cli_complain(w->job, w->in, "%s%s%s", place != NULL ? place : "", place != NULL ? ": " : "",
                 sentence);
    return CLI_DAMAGED;
}

/* What came through a pipe is handed on before waiting for more, unless nobody can see it yet. */
static int pause_writing(void *self)
{
    writing *w = self;
    fls_error err = FLS_ERROR_INIT;
    if ((w->append || cli_is_stdout(w->out)) && fls_writer_flush(w->writer, &err) != FLS_OK) {
        return stop_writing(w, &err);
    }
    return CLI_DONE;
}

static int parse_form(cli_job *job, const char *name, form *from)
{
    if (strcmp(name, "hex") == 0) {
        *from = FROM_HEX;
    } else if (strcmp(name, "delimited") == 0) {
        *from = FROM_DELIMITED;
    } else if (strcmp(name, "json") == 0) {
        *from = FROM_JSON;
    } else {
        return cli_usage(job, "'%s' is not a form: json, hex or delimited", name);
    }
    return CLI_DONE;
}

static void tell_cut(const writing *w, const fls_recover_report *report)
{
    char count[CLI_NUMBER];
    if (report->truncated_bytes == 0) {
        return;
    }
    cli_count(count, report->truncated_bytes);
    if (report->cut_suffix[0] != '\0') {
        cli_note(w->job, "%s: a %s of %s bytes was cut off, and kept as %s%s", w->out,
                 fls_stream_end_name(report->end), count, w->out, report->cut_suffix);
    } else {
        cli_note(w->job, "%s: a %s of %s bytes was cut off", w->out,
                 fls_stream_end_name(report->end), count);
    }
}

/* The checksum of the stream to append to; xxh3 for one that is empty or not there. */
static int find_checksum(writing *w)
{
    fls_error err = FLS_ERROR_INIT;
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    options.checksum = FLS_CHECKSUM_DETECT;
    options.max_frame_bytes = w->job->common.max_frame_bytes;
    w->checksum = FLS_CHECKSUM_XXH3;
    if (access(w->out, F_OK) != 0 && errno == ENOENT) {
        return CLI_DONE;
    }
    if (fls_recover_file(w->out, &options, &report, &err) != FLS_OK) {
        return cli_complain_error(w->job, w->out, &err);
    }
    if (report.checksum != FLS_CHECKSUM_DETECT) {
        w->checksum = report.checksum;
    }
    cli_detail(w->job, "%s: the checksum is %s", w->out, fls_checksum_name(w->checksum));
    return CLI_DONE;
}

static int open_append(writing *w, fls_writer_options *options, const cli_input *input)
{
    fls_error err = FLS_ERROR_INIT;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    struct stat info;
    int code = CLI_DONE;
    if (stat(w->out, &info) == 0 &&
        (cli_is_schema(w->job, &info) || (input != NULL && info.st_dev == input->info.st_dev &&
                                          info.st_ino == input->info.st_ino))) {
        return cli_usage(w->job, "%s is the input too", w->out);
    }
    if (w->job->common.checksum == FLS_CHECKSUM_DETECT) {
        code = find_checksum(w);
    }
    if (code != CLI_DONE) {
        return code;
    }
    options->checksum = w->checksum;
    options->discard_cut = (uint32_t)w->discard;
    if (fls_writer_open_append(&w->writer, w->out, options, &report, &err) != FLS_OK) {
        return cli_complain_error(w->job, w->out, &err);
    }
    tell_cut(w, &report);
    return CLI_DONE;
}

static int open_writer(writing *w, const cli_input *input)
{
    fls_error err = FLS_ERROR_INIT;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    fls_sink sink;
    options.max_frame_bytes = w->job->common.max_frame_bytes;
    options.allow_empty = w->from != FROM_FILES;
    if (w->schemas.set.count > 0 && w->from != FROM_JSON) { /* the JSON parser's are sound */
        w->validator = cli_schemas_validator(&w->schemas);
        options.validators = &w->validator;
        options.validator_count = 1;
    }
    if (w->append) {
        return open_append(w, &options, input);
    }
    options.checksum = w->checksum;
    int code = cli_sink_open(w->job, &sink, w->out, input);
    if (code == CLI_DONE && fls_writer_open(&w->writer, sink, &options, &err) != FLS_OK) {
        code = cli_complain_error(w->job, w->out, &err);
    }
    return code;
}

/* Ends the writer: code says how the input went. */
static int close_writer(writing *w, int code)
{
    fls_error err = FLS_ERROR_INIT;
    char count[CLI_NUMBER];
    uint64_t messages = fls_writer_messages(w->writer);
    fls_status status = FLS_OK;
    if (code != CLI_DONE && !w->append && !cli_is_stdout(w->out)) {
        fls_writer_abort(w->writer);
        return code;
    }
    cli_progress_say(&w->job->progress, "waiting for the disk");
    if (w->append && !w->job->common.no_sync) {
        status = fls_writer_sync(w->writer, &err);
    }
    if (status == FLS_OK) {
        status = fls_writer_close(w->writer, &err);
    } else {
        fls_writer_abort(w->writer);
    }
    if (status != FLS_OK) {
        return code != CLI_DONE ? code : cli_write_failed(w->job, w->out, &err);
    }
    if (w->empty_bytes >= FLS_ZERO_TAIL_BYTES && w->checksum != FLS_CHECKSUM_XXH3) {
        cli_note(w->job,
                 "the last messages are empty, and with %s readers will take them for a zero tail",
                 fls_checksum_name(w->checksum));
    }
    if (w->append && code != CLI_DONE) {
        cli_note(w->job, "%s: %s messages were appended before that", w->out,
                 cli_count(count, messages));
    }
    cli_detail(w->job, "%s messages written", cli_count(count, messages));
    return code;
}

static int take_payloads(writing *w, cli_input *input)
{
    cli_payload_taker taker = {take, w, pause_writing};
    switch (w->from) {
    case FROM_JSON: return cli_payloads_json(input, &w->schemas, &w->json, &taker);
    case FROM_HEX: return cli_payloads_hex(input, &taker);
    default: return cli_payloads_delimited(input, &taker);
    }
}

static int write_from_input(writing *w, const char *path)
{
    cli_input input;
    int code = cli_input_open(&input, w->job, path);
    if (code != CLI_DONE) {
        return code;
    }
    w->in = input.name;
    code = open_writer(w, &input);
    if (code == CLI_DONE) {
        code = close_writer(w, take_payloads(w, &input));
    }
    cli_input_close(&input);
    return code;
}

/* Before OUT is touched: a missing file is found in time, and OUT is none of them. */
static int check_files(writing *w, char **paths, int count)
{
    struct stat out;
    struct stat in;
    int exists = !cli_is_stdout(w->out) && stat(w->out, &out) == 0 && S_ISREG(out.st_mode);
    for (int i = 0; i < count; i++) {
        if (strcmp(paths[i], "-") == 0) {
            continue;
        }
        if (access(paths[i], R_OK) != 0 || stat(paths[i], &in) != 0) {
            return cli_complain_errno(w->job, paths[i], NULL, errno);
        }
        if (exists && in.st_dev == out.st_dev && in.st_ino == out.st_ino) {
            return cli_usage(w->job, "%s is an input too", w->out);
        }
    }
    return CLI_DONE;
}

static int write_files(writing *w, char **paths, int count)
{
    cli_payload_taker taker = {take, w, pause_writing};
    int code = check_files(w, paths, count);
    if (code == CLI_DONE) {
        code = open_writer(w, NULL);
    }
    if (code != CLI_DONE) {
        return code;
    }
    for (int i = 0; code == CLI_DONE && i < count; i++) {
        cli_input input;
        code = cli_input_open(&input, w->job, paths[i]);
        if (code == CLI_DONE) {
            w->in = input.name;
            code = cli_payloads_whole(&input, &taker);
            cli_input_close(&input);
        }
    }
    return close_writer(w, code);
}

static int check_usage(writing *w)
{
    cli_job *job = w->job;
    w->out = job->common.output;
    if (w->append && w->out == NULL && job->operand_count > 0) {
        w->out = job->operands[0];
        job->operands++;
        job->operand_count--;
    }
    if (w->append && cli_is_stdout(w->out)) {
        return cli_usage(job, "--append needs the stream to go on with");
    }
    if (w->discard && !w->append) {
        return cli_usage(job, "--discard goes with --append");
    }
    if (job->common.checksum == FLS_CHECKSUM_DETECT && !w->append) {
        return cli_usage(job, "a new stream needs one checksum: none, crc16, crc32 or xxh3");
    }
    if (w->from == FROM_FILES && job->operand_count == 0) {
        return cli_usage(job, "what from? Give --from json, hex or delimited, or FILEs");
    }
    if (w->from != FROM_JSON && (w->json.lenient || w->json.with_defaults)) {
        return cli_usage(job, "--%s goes with --from json",
                         w->json.lenient ? "lenient" : "defaults");
    }
    if (w->from != FROM_FILES && job->operand_count > 1) {
        return cli_usage(job, "one IN at a time, not %d", job->operand_count);
    }
    if (w->out == NULL && isatty(STDOUT_FILENO)) {
        return cli_usage(job, "a stream is not for terminals; where to? -o OUT");
    }
    return CLI_DONE;
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    writing w = {.job = job};
    int code = CLI_DONE;
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        switch (id) {
        case ID_FROM: code = parse_form(job, argument, &w.from); break;
        case ID_APPEND: w.append = 1; break;
        case ID_LENIENT: w.json.lenient = 1; break;
        case ID_DEFAULTS: w.json.with_defaults = 1; break;
        default: w.discard = 1; break;
        }
        if (code != CLI_DONE) {
            return code;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    w.checksum =
        job->common.checksum == FLS_CHECKSUM_DEFAULT ? FLS_CHECKSUM_XXH3 : job->common.checksum;
    code = check_usage(&w);
    if (code == CLI_DONE) {
        code = w.from == FROM_JSON ? cli_schemas_require(&w.schemas, job, "--from json")
                                   : cli_schemas_open(&w.schemas, job);
    }
    if (code != CLI_DONE) {
        return code;
    }
    if (w.from == FROM_FILES) {
        code = write_files(&w, job->operands, job->operand_count);
    } else {
        code = write_from_input(&w, job->operand_count > 0 ? job->operands[0] : "-");
    }
    cli_schemas_close(&w.schemas);
    return w.reader_gone ? CLI_DONE : code;
}

const cli_command cli_cmd_write = {"write",
                                   "messages in: from JSON, hex, delimited, or files",
                                   synopsis,
                                   description,
                                   CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_WRITE |
                                       CLI_TAKES_MAX_FRAME | CLI_TAKES_OUTPUT,
                                   option_table,
                                   NULL,
                                   exits,
                                   examples,
                                   run};
