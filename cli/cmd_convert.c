/* flatstream convert: the same messages with another checksum, or padded so that they lie aligned.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "commands.h"
#include "cores.h"
#include "framing.h"
#include "journal_convert.h"
#include "journal_options.h"
#include "output.h"
#include "selector.h"
#include "walk.h"

enum { ID_TO = CLI_ID_FIRST, ID_ALIGN, ID_JOURNAL, ID_WHERE, MOST_ALIGNMENT = 64 };

/* Of IN, for a thread at once: what comes of it stays in the processor's caches. */
#define PIECE_BYTES ((size_t)1024 * 1024)

static const char *const synopsis[] = {
    "[-c FROM] --to ALGO [-j N] -o OUT IN", "[-c FROM] [--to ALGO] --align N [-j N] -o OUT IN",
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
    CLI_JOBS_OPTION,
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

/* A stretch of OUT: all of it, or one made on a thread, in memory. */
typedef struct stretch {
    fls_writer *writer; /* into out */
    cli_out out;
    uint64_t messages;
    uint64_t padded_messages;
    uint64_t padding_bytes;
    uint64_t aligned_payloads;
    uint64_t empty_messages; /* the run of them at the end */
} stretch;

typedef struct conversion {
    cli_job *job;
    cli_input input;
    fls_reader *reader;
    stretch all;
    cli_selector selector;
    fls_checksum to; /* DEFAULT: that of the input */
    uint32_t align;  /* 0: leave the messages as they are */
    uint32_t header_bytes;
    uint32_t jobs;
    int to_journal;
    int has_segments; /* options of segments were given */
    fls_journal_options journal_options;
    int failed;    /* exit code of a message that could not be taken */
    fls_error err; /* of such a one: making one for each message would cost more */
} conversion;

static fls_status write_out(void *self, const void *data, size_t size, size_t *written,
                            fls_error *err)
{
    cli_out *out = self;
    cli_out_bytes(out, data, size);
    *written = out->status == FLS_OK ? size : 0;
    if (out->status != FLS_OK && err != NULL) {
        *err = out->err;
    }
    return out->status;
}

/* What was written before the stretch has a length of first_offset, as far as that matters. */
static fls_status open_writer(const conversion *c, stretch *to, uint64_t first_offset,
                              fls_error *err)
{
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    fls_sink sink;
    options.checksum = c->to;
    options.max_frame_bytes = c->job->common.max_frame_bytes;
    options.allow_empty = 1;
    options.first_offset = first_offset;
    fls_status status = fls_sink_from_function(&sink, write_out, &to->out, err);
    return status == FLS_OK ? fls_writer_open(&to->writer, sink, &options, err) : status;
}

/* With the first message, when the input's checksum is known. */
static int begin(conversion *c)
{
    fls_error err = FLS_ERROR_INIT;
    if (c->to == FLS_CHECKSUM_DEFAULT) {
        c->to = cli_input_checksum(&c->input, c->reader);
    }
    if (c->to == FLS_CHECKSUM_DETECT) {
        c->to = FLS_CHECKSUM_XXH3; /* an empty stream has no checksum to keep */
    }
    c->header_bytes = FLS_LENGTH_BYTES + fls_checksum_width(c->to);
    return open_writer(c, &c->all, 0, &err) == FLS_OK
               ? CLI_DONE
               : cli_complain_error(c->job, c->job->common.output, &err);
}

static fls_status write_padded(const conversion *c, stretch *to, const fls_message *message,
                               fls_error *err)
{
    static const char zeros[MOST_ALIGNMENT];
    uint64_t payload_at = fls_writer_offset(to->writer) + c->header_bytes;
    uint64_t next_payload = payload_at + message->size + c->header_bytes;
    size_t padding = (size_t)(-next_payload & (c->align - 1));
    fls_status status = fls_table_root_check(message->payload, message->size, err);
    if (status != FLS_OK) {
        return status;
    }
    fls_span spans[] = {{message->payload, message->size}, {zeros, padding}};
    status = fls_writer_writev(to->writer, spans, padding > 0 ? 2 : 1, err);
    if (status == FLS_OK) {
        to->padded_messages += padding > 0;
        to->padding_bytes += padding;
        to->aligned_payloads += payload_at % c->align == 0;
    }
    return status;
}

static fls_status convert_message(const conversion *c, stretch *to, const fls_message *message,
                                  fls_error *err)
{
    fls_status status = c->align != 0
                            ? write_padded(c, to, message, err)
                            : fls_writer_write(to->writer, message->payload, message->size, err);
    if (status == FLS_OK) {
        to->messages++;
        to->empty_messages = message->size == 0 ? to->empty_messages + 1 : 0;
    }
    return status;
}

/* Whether a message is to be written: with --where it is checked here, when the condition holds. */
static int is_wanted(conversion *c, const fls_message *message)
{
    uint32_t type;
    if (c->selector.condition == NULL) {
        return 1;
    }
    if (cli_selector_judge(&c->selector, message) != CLI_SELECT_TAKE) {
        return 0;
    }
    if (c->job->common.type_count > 0 &&
        cli_schemas_check(&c->selector.schemas, message, &type, &c->err) != FLS_OK) {
        c->failed = cli_input_refused(&c->input, &c->err);
        return 0;
    }
    return 1;
}

static int take(void *self, const fls_message *message)
{
    conversion *c = self;
    if (!is_wanted(c, message)) {
        return c->failed != CLI_DONE || cli_selector_is_full(&c->selector);
    }
    if (c->all.writer == NULL) {
        c->failed = begin(c);
        if (c->failed != CLI_DONE) {
            return 1;
        }
    }
    if (convert_message(c, &c->all, message, &c->err) == FLS_OK) {
        return cli_selector_is_full(&c->selector);
    }
    if (c->all.out.status == FLS_OK) { /* else the end of the output says it */
        c->err.known |= FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
        c->err.offset = message->offset;
        c->err.ordinal = message->ordinal;
        c->failed = cli_complain_error(c->job, c->input.name, &c->err);
        c->failed = c->failed == CLI_SYSTEM ? CLI_SYSTEM : CLI_DAMAGED;
    }
    return 1;
}

/* ---- on several threads ---- */

/* Whether a thread can make a stretch without knowing what was taken before: but for a limit of
 * what is taken, and for padding when it may be the stretch that has the first message. */
static int can_share(const conversion *c)
{
    return c->selector.condition == NULL || (c->selector.limit == UINT64_MAX && c->align == 0);
}

static int is_left_out(conversion *c, const fls_message *message)
{
    uint32_t type;
    return c->selector.condition != NULL && !cli_where_holds(&c->selector.where, message, &type);
}

/* A wanted message that is refused. */
static int is_refused(const conversion *c, const fls_message *message)
{
    fls_error err = FLS_ERROR_INIT;
    uint32_t type;
    return c->selector.condition != NULL && c->job->common.type_count > 0 &&
           cli_schemas_check(&c->selector.schemas, message, &type, &err) != FLS_OK;
}

static void *make_stretch(void *self)
{
    conversion *c = self;
    if (c->all.writer == NULL && begin(c) != CLI_DONE) {
        return NULL;
    }
    stretch *made = calloc(1, sizeof *made);
    if (made != NULL) {
        cli_out_in_memory(&made->out, c->job);
    }
    return made;
}

static void dispose_stretch(void *self, void *result)
{
    stretch *s = result;
    (void)self;
    fls_writer_abort(s->writer);
    cli_out_forget(&s->out);
    free(s);
}

/* Where payloads are aligned, the message before has padded the first one to its place: as if the
 * stretch began a header before a multiple of that. It ends so too, for the next. */
static void begin_stretch(void *self, void *result)
{
    const conversion *c = self;
    stretch *s = result;
    stretch empty = {.writer = s->writer, .out = s->out};
    if (s->writer != NULL && fls_writer_flush(s->writer, NULL) != FLS_OK) {
        fls_writer_abort(s->writer);
        empty.writer = NULL;
    }
    empty.out = s->out;
    cli_out_empty(&empty.out);
    *s = empty;
    if (s->writer == NULL) {
        uint64_t before = c->align != 0 ? -(uint64_t)c->header_bytes & (c->align - 1) : 0;
        (void)!open_writer(c, s, before, NULL); /* take sees that it is not there */
    }
}

static size_t take_stretch(void *self, void *result, const fls_message *messages, size_t count)
{
    conversion *c = self;
    stretch *s = result;
    for (size_t i = 0; i < count; i++) {
        if (is_left_out(c, &messages[i])) {
            continue;
        }
        if (s->writer == NULL || is_refused(c, &messages[i]) ||
            convert_message(c, s, &messages[i], NULL) != FLS_OK) {
            return i;
        }
    }
    return count;
}

static int collect_stretch(void *self, void *result, const fls_parallel_piece *piece)
{
    conversion *c = self;
    stretch *all = &c->all;
    stretch *s = result;
    (void)piece;
    if (fls_writer_flush(all->writer, NULL) != FLS_OK) {
        return 1; /* the end of the output says it */
    }
    if (s->writer != NULL && fls_writer_flush(s->writer, NULL) != FLS_OK) {
        return CLI_SHARE_LEFT; /* there was no memory for all of it */
    }
    cli_out_join(&all->out, &s->out);
    all->messages += s->messages;
    all->padded_messages += s->padded_messages;
    all->padding_bytes += s->padding_bytes;
    all->aligned_payloads += s->aligned_payloads;
    all->empty_messages =
        s->empty_messages + (s->empty_messages == s->messages ? all->empty_messages : 0);
    return all->out.status != FLS_OK;
}

/* ---- */

static void tell(const conversion *c)
{
    const stretch *all = &c->all;
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    char d[CLI_NUMBER];
    if (c->align != 0) {
        cli_note(c->job,
                 "%s of %s messages padded, %s zero bytes added; payloads begin at multiples of "
                 "%u%s",
                 cli_count(a, all->padded_messages), cli_count(b, all->messages),
                 cli_count(d, all->padding_bytes), c->align,
                 all->aligned_payloads < all->messages ? ", but for the first" : "");
    } else {
        cli_detail(c->job, "%s messages converted to %s", cli_count(a, all->messages),
                   fls_checksum_name(c->to));
    }
    if (all->empty_messages * c->header_bytes >= FLS_ZERO_TAIL_BYTES &&
        c->to != FLS_CHECKSUM_XXH3) {
        cli_note(c->job,
                 "the last messages are empty, and with %s readers will take them for a zero tail",
                 fls_checksum_name(c->to));
    }
}

static int convert(void *self)
{
    conversion *c = self;
    int sifts = c->selector.condition != NULL;
    const cli_walker walker = {take, NULL, c, sifts ? NULL : &c->selector.schemas, NULL};
    const cli_shares shares = {can_share(c) ? c->jobs : 1,
                               PIECE_BYTES,
                               &c->reader,
                               make_stretch,
                               dispose_stretch,
                               begin_stretch,
                               take_stretch,
                               collect_stretch};
    int code = cli_out_open(&c->all.out, c->job, c->job->common.output, &c->input);
    if (code != CLI_DONE) {
        return code;
    }
    if (!cli_selector_is_full(&c->selector)) {
        code = cli_walk_shared(&c->input, &walker, &shares);
    }
    if (code == CLI_DONE && c->failed == CLI_DONE && c->all.writer == NULL) {
        code = begin(c);
    }
    code = c->failed != CLI_DONE ? c->failed : code;
    if (fls_writer_close(c->all.writer, NULL) != FLS_OK && c->all.out.status == FLS_OK) {
        code = code != CLI_DONE ? code : cli_complain_errno(c->job, NULL, NULL, ENOMEM);
    }
    code = cli_out_end(&c->all.out, code);
    if (code == CLI_DONE && c->all.out.status == FLS_OK) {
        tell(c);
    }
    return code;
}

static int run_on(conversion *c, const char *path)
{
    int code = cli_selector_open(&c->selector, c->job);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_input_use(&c->input, &c->reader, c->job, path, convert, c);
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
    if (id == 'j') {
        return cli_parallel_take(c->job, argument, &c->jobs);
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
    int code = cli_stream_output(job);
    if (code == CLI_DONE) {
        code = cli_one_operand(job, &path);
    }
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
