/* flatstream convert: the same messages with another checksum, or padded so that they lie aligned.
 */
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "commands.h"
#include "framing.h"
#include "journal_convert.h"
#include "journal_options.h"
#include "output.h"
#include "selector.h"
#include "walk.h"

enum { ID_TO = CLI_ID_FIRST, ID_ALIGN, ID_JOURNAL, ID_WHERE, MOST_ALIGNMENT = 64 };

static const char *const synopsis[] = {
    "[-c FROM] --to ALGO -o OUT IN", "[-c FROM] [--to ALGO] --align N -o OUT IN",
    "--journal [--to ALGO] [-s SCHEMA] -o DIRECTORY IN",
    "... [--range A..B] [--where EXPR -s SCHEMA] -o OUT IN", NULL};
static const char *const description[] = {
    "Writes the messages of IN as a stream with another checksum. Every message is checked on the "
    "way, with -s against its schema too; when IN is not sound to its end, OUT does not appear.",
    "--align changes the messages: zero bytes are added at the end of each, which a FlatBuffer "
    "may have, so that the payload of the next one begins at a multiple of N bytes in OUT. A "
    "payload that does not begin like a FlatBuffer is refused then. The first payload lies where "
    "it must, behind the first header. What was done is told on standard error.",
    "IN may be a journal: OUT is then one plain stream of all its segments. With --journal what is "
    "written is a journal, which must not be there yet: of a journal with the same times of "
    "receipt, schemas and notes of what is missing, and another checksum or other segments; of a "
    "stream with the schemas given, and the time of the conversion.",
    "--range, --since, --until and --where select messages; those for which the condition of "
    "--where does not hold are left out before anything else, unchecked but for their frames, and "
    "--limit counts those that are left. 'flatstream slice' does more of that.",
    "A damaged journal gives everything that is sound, before and behind the damage, of which each "
    "place is told; the exit code is 1, and OUT appears all the same. Of a damaged stream a new "
    "journal has what was sound before.",
    NULL};
static const cli_option option_table[] = {
    {ID_TO, "to", "ALGO",
     "Checksum of OUT: none, crc16, crc32 or xxh3. With --align and --journal it may be left out, "
     "and is that of IN then."},
    {ID_JOURNAL, "journal", NULL, "Write a journal: -o names its directory."},
    CLI_SEGMENT_OPTIONS,
    {ID_WHERE, "where", "EXPR", "Only messages for which the condition holds, as in grep."},
    {ID_ALIGN, "align", "N", "Pad messages: N is 2, 4, 8, 16, 32 or 64."},
    {0, NULL, NULL, NULL}};
static const cli_pair exits[] = {
    {"0", "Converted, and OUT is there."},
    {"1", "IN is damaged, or a message was refused, by -s or --align."},
    {"2", "Wrong usage."},
    {"3", "IN cannot be read, or OUT not written."},
    {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream convert --to crc32 -o out.fls in.fls", "Another checksum:"},
    {"flatstream convert --align 8 -o aligned.fls in.fls",
     "Payloads that can be used in place wherever 8 byte alignment matters:"},
    {"flatstream convert --to xxh3 -s telemetry.fbs --where 'mode == Fault' -o faults.fls in.fls",
     "Some of the messages:"},
    {"flatstream convert --to xxh3 -o all.fls flight42", "One stream out of a journal:"},
    {"flatstream convert --journal -s telemetry.fbs -o flight43 capture.fls", "And into one:"},
    {"zcat in.fls.gz | flatstream convert --to xxh3 -o out.fls -", "From a pipe:"},
    {NULL, NULL}};

typedef struct conversion {
    cli_job *job;
    cli_input input;
    fls_reader *reader;
    fls_writer *writer;
    fls_sink sink;
    cli_selector selector;
    fls_checksum to; /* DEFAULT: that of the input */
    uint32_t align;  /* 0: leave the messages as they are */
    uint32_t header_bytes;
    int to_journal;
    int has_segments; /* options of segments were given */
    fls_journal_options journal_options;
    int failed; /* exit code of a message that could not be taken */
    uint64_t padded_messages;
    uint64_t padding_bytes;
    uint64_t aligned_payloads;
    uint64_t empty_bytes; /* of the run of empty messages at the end */
} conversion;

/* With the first message, when the input's checksum is known. */
static int open_writer(conversion *c)
{
    fls_error err = FLS_ERROR_INIT;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    if (c->to == FLS_CHECKSUM_DEFAULT) {
        c->to = cli_input_checksum(&c->input, c->reader);
    }
    if (c->to == FLS_CHECKSUM_DETECT) {
        c->to = FLS_CHECKSUM_XXH3; /* an empty stream has no checksum to keep */
    }
    options.checksum = c->to;
    options.max_frame_bytes = c->job->common.max_frame_bytes;
    options.allow_empty = 1;
    c->header_bytes = FLS_LENGTH_BYTES + fls_checksum_width(c->to);
    fls_sink sink = c->sink;
    c->sink = (fls_sink){NULL, NULL};
    if (fls_writer_open(&c->writer, sink, &options, &err) != FLS_OK) {
        return cli_complain_error(c->job, c->job->common.output, &err);
    }
    return CLI_DONE;
}

static int refused(conversion *c, const fls_message *message, fls_error *err)
{
    if (fls_status_class_of(err->status) == FLS_CLASS_SYSTEM) {
        c->failed = cli_write_failed(c->job, c->job->common.output, err);
    } else {
        err->known |= FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
        err->offset = message->offset;
        err->ordinal = message->ordinal;
        (void)cli_complain_error(c->job, c->input.name, err);
        c->failed = CLI_DAMAGED;
    }
    return 1;
}

static fls_status write_padded(conversion *c, const fls_message *message, fls_error *err)
{
    static const char zeros[MOST_ALIGNMENT];
    uint64_t payload_at = fls_writer_offset(c->writer) + c->header_bytes;
    uint64_t next_payload = payload_at + message->size + c->header_bytes;
    size_t padding = (size_t)(-next_payload & (c->align - 1));
    fls_status status = fls_table_root_check(message->payload, message->size, err);
    if (status != FLS_OK) {
        return status;
    }
    fls_span spans[] = {{message->payload, message->size}, {zeros, padding}};
    status = fls_writer_writev(c->writer, spans, padding > 0 ? 2 : 1, err);
    if (status == FLS_OK) {
        c->padded_messages += padding > 0;
        c->padding_bytes += padding;
        c->aligned_payloads += payload_at % c->align == 0;
    }
    return status;
}

/* Whether a message is to be written: with --where it is checked here, when the condition holds. */
static int is_wanted(conversion *c, const fls_message *message)
{
    fls_error err = FLS_ERROR_INIT;
    uint32_t type;
    if (c->selector.condition == NULL) {
        return 1;
    }
    if (cli_selector_judge(&c->selector, message) != CLI_SELECT_TAKE) {
        return 0;
    }
    if (c->job->common.type_count > 0 &&
        cli_schemas_check(&c->selector.schemas, message, &type, &err) != FLS_OK) {
        c->failed = cli_input_refused(&c->input, &err);
        return 0;
    }
    return 1;
}

static int take(void *self, const fls_message *message)
{
    conversion *c = self;
    fls_error err = FLS_ERROR_INIT;
    if (!is_wanted(c, message)) {
        return c->failed != CLI_DONE || cli_selector_is_full(&c->selector);
    }
    if (c->writer == NULL) {
        c->failed = open_writer(c);
        if (c->failed != CLI_DONE) {
            return 1;
        }
    }
    fls_status status = c->align != 0
                            ? write_padded(c, message, &err)
                            : fls_writer_write(c->writer, message->payload, message->size, &err);
    c->empty_bytes = message->size == 0 ? c->empty_bytes + c->header_bytes : 0;
    return status == FLS_OK ? cli_selector_is_full(&c->selector) : refused(c, message, &err);
}

static void tell(const conversion *c, uint64_t messages)
{
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    char d[CLI_NUMBER];
    if (c->align != 0) {
        cli_note(c->job,
                 "%s of %s messages padded, %s zero bytes added; payloads begin at multiples of "
                 "%u%s",
                 cli_count(a, c->padded_messages), cli_count(b, messages),
                 cli_count(d, c->padding_bytes), c->align,
                 c->aligned_payloads < messages ? ", but for the first" : "");
    } else {
        cli_detail(c->job, "%s messages converted to %s", cli_count(a, messages),
                   fls_checksum_name(c->to));
    }
    if (c->empty_bytes >= FLS_ZERO_TAIL_BYTES && c->to != FLS_CHECKSUM_XXH3) {
        cli_note(c->job,
                 "the last messages are empty, and with %s readers will take them for a zero tail",
                 fls_checksum_name(c->to));
    }
}

static int convert(conversion *c)
{
    fls_error err = FLS_ERROR_INIT;
    int sifts = c->selector.condition != NULL;
    cli_walker walker = {take, NULL, c, sifts ? NULL : &c->selector.schemas, NULL};
    int code = CLI_DONE;
    if (!cli_selector_is_full(&c->selector)) {
        code = cli_walk(&c->input, c->reader, &walker);
    }
    if (code == CLI_DONE && c->failed == CLI_DONE && c->writer == NULL) {
        code = open_writer(c);
    }
    code = c->failed != CLI_DONE ? c->failed : code;
    if (code != CLI_DONE && !cli_is_stdout(c->job->common.output)) {
        fls_writer_abort(c->writer);
        return code;
    }
    cli_progress_say(&c->job->progress, "waiting for the disk");
    uint64_t messages = c->writer != NULL ? fls_writer_messages(c->writer) : 0;
    if (fls_writer_close(c->writer, &err) != FLS_OK) {
        return code != CLI_DONE ? code : cli_write_failed(c->job, c->job->common.output, &err);
    }
    if (code == CLI_DONE) {
        tell(c, messages);
    }
    return cli_input_verdict(&c->input, code);
}

static int run_on(conversion *c, const char *path)
{
    int code = cli_selector_open(&c->selector, c->job);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_input_open(&c->input, c->job, path);
    if (code != CLI_DONE) {
        cli_selector_close(&c->selector);
        return code;
    }
    code = cli_reader_open(&c->input, &c->reader, NULL, 0);
    if (code == CLI_DONE) {
        code = cli_sink_open(c->job, &c->sink, c->job->common.output, &c->input);
    }
    if (code == CLI_DONE) {
        code = convert(c);
        if (c->sink.ops != NULL) {
            fls_sink_abort(&c->sink);
        }
    }
    fls_reader_close(c->reader);
    cli_input_close(&c->input);
    cli_selector_close(&c->selector);
    return code;
}

static int take_option(conversion *c, int id, const char *argument)
{
    uint64_t number;
    if (id == ID_TO) {
        return cli_take_to(c->job, argument, &c->to);
    }
    if (id == ID_WHERE) {
        c->selector.condition = argument;
        return CLI_DONE;
    }
    if (id == ID_JOURNAL) {
        c->to_journal = 1;
        return CLI_DONE;
    }
    if (id != ID_ALIGN) {
        c->has_segments = 1;
        return cli_journal_option(c->job, &c->journal_options, id, argument);
    }
    if (!cli_parse_count(argument, &number) || number < 2 || number > MOST_ALIGNMENT ||
        (number & (number - 1)) != 0) {
        return cli_usage(c->job, "'%s' is not an alignment: 2, 4, 8, 16, 32 or 64", argument);
    }
    c->align = (uint32_t)number;
    return CLI_DONE;
}

static int run_to_journal(const conversion *c)
{
    cli_job *job = c->job;
    const char *path;
    if (c->align != 0) {
        return cli_usage(job, "--align does not go with --journal");
    }
    if (cli_is_stdout(job->common.output)) {
        return cli_usage(job, "a journal is a directory: -o DIRECTORY");
    }
    int code = cli_one_operand(job, &path);
    return code == CLI_DONE
               ? cli_convert_to_journal(job, path, &c->journal_options, c->selector.condition)
               : code;
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    static conversion c; /* too large for some stacks */
    int id;
    c.job = job;
    cli_selector_begin(&c.selector);
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (take_option(&c, id, argument) != CLI_DONE) {
            return CLI_USAGE;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    if (c.has_segments && !c.to_journal) {
        return cli_usage(job, "segments and compression are of journals: --journal");
    }
    if (c.to_journal) {
        c.journal_options.checksum = c.to;
        return run_to_journal(&c);
    }
    if (c.to == FLS_CHECKSUM_DEFAULT && c.align == 0) {
        return cli_usage(job, "to what? Give --to ALGO, --align N or --journal");
    }
    if (job->common.output == NULL && isatty(STDOUT_FILENO)) {
        return cli_usage(job, "a stream is not for terminals; where to? -o OUT");
    }
    int code = cli_one_operand(job, &path);
    return code == CLI_DONE ? run_on(&c, path) : code;
}

const cli_command cli_cmd_convert = {"convert",
                                     "same messages, other checksum, aligned, or as a journal",
                                     synopsis,
                                     description,
                                     CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ |
                                         CLI_TAKES_MAX_FRAME | CLI_TAKES_RANGE | CLI_TAKES_TIMES |
                                         CLI_TAKES_JOURNAL | CLI_TAKES_OUTPUT,
                                     option_table,
                                     NULL,
                                     exits,
                                     examples,
                                     run};
