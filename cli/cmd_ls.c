/* flatstream ls: a line a frame. */
#include <stdio.h>
#include <unistd.h>

#include "command_line.h"
#include "commands.h"
#include "moment.h"
#include "report.h"
#include "walk.h"

static const char *const synopsis[] = {"[-c ALGO] [-s SCHEMA] [--range A..B] [-n N] [--json] FILE",
                                       NULL};
static const char *const description[] = {
    "Lists the frames of a stream: ordinal, offset of the frame, size of the payload, and the "
    "checksum in hexadecimal (- where there is none). With -s there is a column for the type of "
    "the message too, - where it is of none. Every frame is checked, but no message is against "
    "its schema. A line with the names of the columns is added on a terminal only.",
    NULL};
static const cli_pair keys[] = {
    {"file", "The FILE as given."},
    {"frames",
     "A list of ordinal, offset, size and checksum (hexadecimal, or null); with -s also type (or "
     "null)."},
    {"time_ns",
     "Within frames, of a journal: when it was received, in ns since 1970; 0: not known."},
    {"messages", "How many frames are in the list."},
    {"checksum", "none, crc16, crc32 or xxh3; null when nothing was read."},
    {"ok", "Whether everything that was looked at is sound."},
    {NULL, NULL}};
static const cli_pair exits[] = {{"0", "Everything that was asked for is sound."},
                                 {"1", "The stream is not; what was sound before is listed."},
                                 {"2", "Wrong usage."},
                                 {"3", "The stream cannot be read."},
                                 {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream ls -n 10 capture.fls", "The first ten frames:"},
    {"flatstream ls capture.fls | sort -k3 -n | tail -5", "The five largest messages:"},
    {NULL, NULL}};

typedef struct listing {
    cli_out out;
    cli_json json;
    const cli_input *input;
    fls_reader *reader;
    int as_json;
    int digits; /* of the checksum; -1: not known yet */
    uint64_t messages;
    cli_schemas schemas;
} listing;

static int take(void *self, const fls_message *message)
{
    listing *list = self;
    char sum[2 * FLS_MAX_CHECKSUM_BYTES + 1] = "-";
    if (list->digits < 0) {
        list->digits = 2 * (int)fls_checksum_width(cli_input_checksum(list->input, list->reader));
    }
    if (list->digits > 0) {
        snprintf(sum, sizeof sum, "%0*llx", list->digits, (unsigned long long)message->checksum);
    }
    list->messages++;
    int typed = list->schemas.set.count > 0;
    uint32_t type = FLS_SCHEMA_NONE;
    if (typed) {
        type = cli_schemas_select(&list->schemas, message->payload, message->size);
    }
    const char *name = cli_schemas_type_name(&list->schemas, type);
    if (list->as_json) {
        cli_json_open_object(&list->json, NULL);
        cli_json_count(&list->json, "ordinal", message->ordinal);
        cli_json_count(&list->json, "offset", message->offset);
        cli_json_count(&list->json, "size", message->size);
        cli_json_text(&list->json, "checksum", list->digits > 0 ? sum : NULL);
        if (typed) {
            cli_json_text(&list->json, "type", type != FLS_SCHEMA_NONE ? name : NULL);
        }
        if (list->input->is_journal) {
            cli_json_count(&list->json, "time_ns", message->time_ns);
        }
        cli_json_close_object(&list->json);
    } else {
        char moment[CLI_MOMENT];
        int timed = list->input->is_journal;
        cli_out_format(&list->out, "%10llu %14llu %10zu  %s%s%s%s%s\n",
                       (unsigned long long)message->ordinal, (unsigned long long)message->offset,
                       message->size, sum, timed ? "  " : "",
                       timed ? cli_moment(moment, message->time_ns) : "", typed ? "  " : "",
                       typed ? name : "");
    }
    return list->out.status != FLS_OK;
}

static void pause_listing(void *self)
{
    listing *list = self;
    cli_out_flush(&list->out);
}

static int list_frames(listing *list, cli_input *input)
{
    cli_walker walker = {take, pause_listing, list, NULL, NULL};
    if (list->as_json) {
        cli_json_begin(&list->json, &list->out);
        cli_json_text(&list->json, "file", input->path);
        cli_json_open_list(&list->json, "frames");
    } else if (isatty(STDOUT_FILENO)) {
        cli_out_format(&list->out, "%10s %14s %10s  %s%s%s\n", "ordinal", "offset", "size",
                       "checksum", input->is_journal ? "  received" : "",
                       list->schemas.set.count > 0 ? "  type" : "");
    }
    int code = cli_walk(input, list->reader, &walker);
    if (list->as_json) {
        cli_json_close_list(&list->json);
        cli_json_count(&list->json, "messages", list->messages);
        cli_json_checksum(&list->json, cli_input_checksum(input, list->reader));
        cli_json_bool(&list->json, "ok", cli_input_verdict(input, code) == CLI_DONE);
        cli_json_end(&list->json);
    }
    return cli_input_verdict(input, code);
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    cli_input input;
    listing list = {.as_json = 0, .digits = -1};
    if (cli_next_option(job, argc, argv, &argument) < 0) {
        return job->option_exit;
    }
    list.as_json = job->common.json;
    int code = cli_one_operand(job, &path);
    if (code == CLI_DONE) {
        code = cli_schemas_open(&list.schemas, job);
    }
    if (code == CLI_DONE) {
        code = cli_input_open(&input, job, path);
    }
    if (code != CLI_DONE) {
        cli_schemas_close(&list.schemas);
        return code;
    }
    job->progress.enabled &= !isatty(STDOUT_FILENO);
    list.input = &input;
    code = cli_reader_open(&input, &list.reader, NULL, 0);
    if (code == CLI_DONE) {
        code = cli_out_open(&list.out, job, NULL, &input);
        if (code == CLI_DONE) {
            code = cli_out_end(&list.out, list_frames(&list, &input));
        }
    }
    fls_reader_close(list.reader);
    cli_input_close(&input);
    cli_schemas_close(&list.schemas);
    return code;
}

const cli_command cli_cmd_ls = {"ls",
                                "a line a frame: ordinal, offset, size, checksum",
                                synopsis,
                                description,
                                CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ | CLI_TAKES_MAX_FRAME |
                                    CLI_TAKES_RANGE | CLI_TAKES_TIMES | CLI_TAKES_JOURNAL |
                                    CLI_TAKES_JSON,
                                NULL,
                                keys,
                                exits,
                                examples,
                                run};
