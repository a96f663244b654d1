/* flatstream cat: the messages of a stream, in the form that is asked for. */
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "commands.h"
#include "output.h"
#include "walk.h"

enum { ID_AS = CLI_ID_FIRST, ID_DEFAULTS, ID_ENUM_NUMBERS, ID_TYPED };

static const char *const synopsis[] = {
    "[--as json] -s SCHEMA [-r TYPE] [--defaults] [-c ALGO] [-n N] [-o FILE] IN",
    "--as hex|raw|frames|delimited [-c ALGO] [--range A..B] [-n N] [-o FILE] IN", NULL};
static const char *const description[] = {
    "Prints the messages of a stream. Each is checked first, with -s against its schema too. Where "
    "the stream is damaged or a message refused, what was sound before is still printed to "
    "standard output, and the exit code is 1; with -o FILE nothing appears then.",
    "As JSON, each message is a line: an object of its fields in the order of the schema, "
    "enumerators by name, whole numbers exact, floats in the shortest form that reads back the "
    "same. Fields that are absent, so that they have their default, are left out unless --defaults "
    "is given. 'flatstream write --from json' is the way back.",
    NULL};
static const cli_option option_table[] = {
    {ID_AS, "as", "FORM",
     "json: one line a message (the default with -s); hex: one line of hexadecimal digits a "
     "message (the default without); raw: the payloads, one after another; frames: a stream again, "
     "with the same checksum; delimited: each payload after its length as four bytes, "
     "little-endian."},
    {ID_DEFAULTS, "defaults", NULL,
     "As JSON: absent fields too, with their default, or null where there is none."},
    {ID_ENUM_NUMBERS, "enum-numbers", NULL, "As JSON: enumerators as numbers, not by name."},
    {ID_TYPED, "typed", NULL,
     "As JSON: each object begins with \"$type\", the name of the message's type, by which write "
     "can tell the types of several -s apart."},
    {0, NULL, NULL, NULL}};
static const cli_pair exits[] = {{"0", "Everything that was asked for is sound."},
                                 {"1", "The stream is damaged or does not end cleanly."},
                                 {"2", "Wrong usage."},
                                 {"3", "The stream cannot be read, or the output not written."},
                                 {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream cat -s telemetry.fbs capture.fls | head -3", "Look at the first messages:"},
    {"flatstream cat -s telemetry.fbs capture.fls | jq 'select(.mode == \"Fault\").timestamp_ns'",
     "Ask something of them:"},
    {"flatstream cat --as raw --range 17..18 -o message.bin capture.fls",
     "Take message 17 out into a file:"},
    {"flatstream cat --as frames --range 1000.. -o rest.fls capture.fls",
     "A stream of all but the first thousand messages:"},
    {NULL, NULL}};

typedef enum form { AS_DEFAULT, AS_HEX, AS_RAW, AS_FRAMES, AS_DELIMITED, AS_JSON } form;

typedef struct printing {
    cli_out out;
    fls_reader *reader;
    form as;
    int with_defaults;
    int enum_numbers;
    int typed;
    cli_schemas schemas;
    fls_json_printer *printers[FLS_SCHEMA_SET_MOST]; /* of the types that came up */
    const char *name;                                /* of the input */
    int failed;                                      /* exit code, after a message */
} printing;

static void put_hex(cli_out *out, const void *payload, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *next = payload;
    char text[8192];
    while (size > 0) {
        size_t count = size < sizeof text / 2 ? size : sizeof text / 2;
        for (size_t i = 0; i < count; i++) {
            text[2 * i] = digits[next[i] >> 4];
            text[2 * i + 1] = digits[next[i] & 15];
        }
        cli_out_bytes(out, text, 2 * count);
        next += count;
        size -= count;
    }
    cli_out_bytes(out, "\n", 1);
}

static fls_status open_printer(printing *print, uint32_t type, fls_error *err)
{
    const fls_message_type *of = &print->schemas.set.types[type];
    fls_json_print_options options = FLS_JSON_PRINT_OPTIONS_INIT;
    options.is_verified = 1; /* by cli_walk */
    options.with_defaults = (uint32_t)print->with_defaults;
    options.numbers_for_enums = (uint32_t)print->enum_numbers;
    return fls_json_printer_new(&print->printers[type], of->schema, of->root, &options, err);
}

/* The object's text begins with a brace, behind which the name goes. */
static void put_typed(printing *print, uint32_t type, const char *text, size_t size)
{
    cli_out_format(&print->out, "{\"$type\": \"%s\"%s",
                   cli_schemas_type_name(&print->schemas, type), size > 2 ? ", " : "");
    cli_out_bytes(&print->out, text + 1, size - 1);
}

static void put_json(printing *print, const fls_message *message)
{
    fls_error err = FLS_ERROR_INIT;
    fls_status status = FLS_OK;
    const char *text;
    size_t size;
    uint32_t type = fls_schema_set_select(&print->schemas.set, message->payload, message->size);
    if (print->printers[type] == NULL) {
        status = open_printer(print, type, &err);
    }
    if (status == FLS_OK) {
        status = fls_json_print(print->printers[type], message->payload, message->size, &text,
                                &size, &err);
    }
    if (status != FLS_OK) {
        err.known |= FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
        err.offset = message->offset;
        err.ordinal = message->ordinal;
        print->failed = cli_complain_error(print->out.job, print->name, &err);
        return;
    }
    if (print->typed) {
        put_typed(print, type, text, size);
    } else {
        cli_out_bytes(&print->out, text, size);
    }
    cli_out_bytes(&print->out, "\n", 1);
}

static int take(void *self, const fls_message *message)
{
    printing *print = self;
    switch (print->as) {
    case AS_JSON: put_json(print, message); break;
    case AS_HEX: put_hex(&print->out, message->payload, message->size); break;
    case AS_RAW: cli_out_bytes(&print->out, message->payload, message->size); break;
    case AS_FRAMES:
        cli_out_frame(&print->out, message, fls_checksum_width(fls_reader_checksum(print->reader)));
        break;
    default: cli_out_frame(&print->out, message, 0); break;
    }
    return print->out.status != FLS_OK || print->failed != CLI_DONE;
}

static void pause_printing(void *self)
{
    printing *print = self;
    cli_out_flush(&print->out);
}

static int parse_form(cli_job *job, const char *name, form *as)
{
    static const char *const names[] = {"hex", "raw", "frames", "delimited", "json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *as = (form)(AS_HEX + i);
            return CLI_DONE;
        }
    }
    return cli_usage(job, "'%s' is not a form: json, hex, raw, frames or delimited", name);
}

static int print_messages(printing *print, cli_input *input)
{
    cli_job *job = input->job;
    int code = cli_reader_open(input, &print->reader, NULL, 0);
    if (code == CLI_DONE) {
        code = cli_out_open(&print->out, job, job->common.output, input);
    }
    if (code == CLI_DONE) {
        cli_walker walker = {take, pause_printing, print, &print->schemas};
        print->name = input->name;
        code = cli_walk(input, print->reader, &walker);
        code = cli_out_end(&print->out, print->failed != CLI_DONE ? print->failed : code);
    }
    fls_reader_close(print->reader);
    for (uint32_t i = 0; i < print->schemas.set.count; i++) {
        fls_json_printer_free(print->printers[i]);
    }
    return code;
}

static int run_on(cli_job *job, printing *print, const char *path)
{
    cli_input input;
    int to_terminal = cli_is_stdout(job->common.output) && isatty(STDOUT_FILENO);
    int is_text = print->as == AS_HEX || print->as == AS_JSON;
    if (to_terminal && !is_text && job->common.output == NULL) {
        return cli_usage(job, "that form is not for terminals; with -o - it goes there anyway");
    }
    int code = print->as == AS_JSON ? cli_schemas_require(&print->schemas, job, "--as json")
                                    : cli_schemas_open(&print->schemas, job);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_input_open(&input, job, path);
    if (code == CLI_DONE) {
        job->progress.enabled &= !to_terminal;
        code = print_messages(print, &input);
        cli_input_close(&input);
    }
    cli_schemas_close(&print->schemas);
    return code;
}

static int check_usage(cli_job *job, printing *print)
{
    if (print->as == AS_DEFAULT) {
        print->as = job->common.type_count > 0 ? AS_JSON : AS_HEX;
    }
    if (print->as != AS_JSON && (print->with_defaults || print->enum_numbers || print->typed)) {
        return cli_usage(job, "--%s goes with --as json",
                         print->with_defaults  ? "defaults"
                         : print->enum_numbers ? "enum-numbers"
                                               : "typed");
    }
    return CLI_DONE;
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    printing print = {.as = AS_DEFAULT};
    int code = CLI_DONE;
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        switch (id) {
        case ID_AS: code = parse_form(job, argument, &print.as); break;
        case ID_DEFAULTS: print.with_defaults = 1; break;
        case ID_ENUM_NUMBERS: print.enum_numbers = 1; break;
        default: print.typed = 1; break;
        }
        if (code != CLI_DONE) {
            return code;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    code = check_usage(job, &print);
    if (code == CLI_DONE) {
        code = cli_one_operand(job, &path);
    }
    return code == CLI_DONE ? run_on(job, &print, path) : code;
}

const cli_command cli_cmd_cat = {"cat",
                                 "messages out: as JSON, hex, raw, frames or delimited",
                                 synopsis,
                                 description,
                                 CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ | CLI_TAKES_MAX_FRAME |
                                     CLI_TAKES_RANGE | CLI_TAKES_OUTPUT,
                                 option_table,
                                 NULL,
                                 exits,
                                 examples,
                                 run};
