/* flatstream cat: the messages of a stream, in the form that is asked for. */
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "commands.h"
#include "output.h"
#include "walk.h"

enum { ID_AS = CLI_ID_FIRST };

static const char *const synopsis[] = {
    "--as hex|raw|frames|delimited [-c ALGO] [--range A..B] [-n N] [-o FILE] IN", NULL};
static const char *const description[] = {
    "Prints the messages of a stream. Each is checked first. Where the stream is damaged, what was "
    "sound before is still printed to standard output, and the exit code is 1; with -o FILE "
    "nothing appears then.",
    NULL};
static const cli_option option_table[] = {
    {ID_AS, "as", "FORM",
     "hex: one line of hexadecimal digits a message (the default); raw: the payloads, one after "
     "another; frames: a stream again, with the same checksum; delimited: each payload after its "
     "length as four bytes, little-endian."},
    {0, NULL, NULL, NULL}};
static const cli_pair exits[] = {{"0", "Everything that was asked for is sound."},
                                 {"1", "The stream is damaged or does not end cleanly."},
                                 {"2", "Wrong usage."},
                                 {"3", "The stream cannot be read, or the output not written."},
                                 {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream cat capture.fls | head -3", "Look at the first messages:"},
    {"flatstream cat --as raw --range 17..18 -o message.bin capture.fls",
     "Take message 17 out into a file:"},
    {"flatstream cat --as frames --range 1000.. -o rest.fls capture.fls",
     "A stream of all but the first thousand messages:"},
    {NULL, NULL}};

typedef enum form { AS_HEX, AS_RAW, AS_FRAMES, AS_DELIMITED } form;

typedef struct printing {
    cli_out out;
    fls_reader *reader;
    form as;
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

static int take(void *self, const fls_message *message)
{
    printing *print = self;
    switch (print->as) {
    case AS_HEX: put_hex(&print->out, message->payload, message->size); break;
    case AS_RAW: cli_out_bytes(&print->out, message->payload, message->size); break;
    case AS_FRAMES:
        cli_out_frame(&print->out, message, fls_checksum_width(fls_reader_checksum(print->reader)));
        break;
    case AS_DELIMITED: cli_out_frame(&print->out, message, 0); break;
    }
    return print->out.status != FLS_OK;
}

static void pause_printing(void *self)
{
    printing *print = self;
    cli_out_flush(&print->out);
}

static int parse_form(cli_job *job, const char *name, form *as)
{
    static const char *const names[] = {"hex", "raw", "frames", "delimited"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *as = (form)i;
            return CLI_DONE;
        }
    }
    if (strcmp(name, "json") == 0 || strcmp(name, "csv") == 0) {
        return cli_usage(job, "--as %s is not in this version: it needs schemas", name);
    }
    return cli_usage(job, "'%s' is not a form: hex, raw, frames or delimited", name);
}

static int print_messages(cli_job *job, const char *path, form as)
{
    cli_input input;
    printing print = {.as = as};
    int to_terminal = cli_is_stdout(job->common.output) && isatty(STDOUT_FILENO);
    if (to_terminal && as != AS_HEX && job->common.output == NULL) {
        return cli_usage(job, "that form is not for terminals; with -o - it goes there anyway");
    }
    int code = cli_input_open(&input, job, path);
    if (code != CLI_DONE) {
        return code;
    }
    job->progress.enabled &= !to_terminal;
    code = cli_reader_open(&input, &print.reader, NULL, 0);
    if (code == CLI_DONE) {
        code = cli_out_open(&print.out, job, job->common.output, &input);
        if (code == CLI_DONE) {
            cli_walker walker = {take, pause_printing, &print, NULL};
            code = cli_out_end(&print.out, cli_walk(&input, print.reader, &walker));
        }
    }
    fls_reader_close(print.reader);
    cli_input_close(&input);
    return code;
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    form as = AS_HEX;
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (parse_form(job, argument, &as) != CLI_DONE) {
            return CLI_USAGE;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    int code = cli_one_operand(job, &path);
    return code == CLI_DONE ? print_messages(job, path, as) : code;
}

const cli_command cli_cmd_cat = {"cat",
                                 "messages out: as hex, raw, frames or delimited",
                                 synopsis,
                                 description,
                                 CLI_TAKES_CHECKSUM_READ | CLI_TAKES_MAX_FRAME | CLI_TAKES_RANGE |
                                     CLI_TAKES_OUTPUT,
                                 option_table,
                                 NULL,
                                 exits,
                                 examples,
                                 run};
