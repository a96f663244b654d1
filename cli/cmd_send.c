/* flatstream send: the messages of a stream to a listening peer. */

#include "command_line.h"
#include "commands.h"
#include "output.h"
#include "walk.h"

enum { ID_TIMEOUT = CLI_ID_FIRST, DEFAULT_TIMEOUT_SECONDS = 10, MOST_TIMEOUT_SECONDS = 86400 };

static const char *const synopsis[] = {"[-c ALGO] [--timeout SECONDS] IN ENDPOINT", NULL};
static const char *const description[] = {
    "Connects to ENDPOINT, tcp://host:port or unix:path, and sends the messages of IN as the "
    "frames that they are. Where nobody listens yet it tries again for a while. Every message is "
    "checked on the way, with -s against its schema too, and only sound ones are sent, up to the "
    "first that is not; what comes through a pipe is sent as it comes.",
    "It ends when the peer has taken everything and closed the connection.", NULL};
static const cli_option option_table[] = {
    {ID_TIMEOUT, "timeout", "SECONDS", "How long to try to connect; 10 unless given, 0: once."},
    {0, NULL, NULL, NULL}};
static const cli_pair exits[] = {
    {"0", "Everything was sent, and taken by the peer."},
    {"1", "IN is not sound to its end; what was sound before was sent, of a journal all else."},
    {"2", "Wrong usage."},
    {"3", "IN cannot be read, nobody listens, or the connection broke."},
    {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream send capture.fls tcp://collector:7000", "Send a capture to another machine:"},
    {"producer | flatstream send -c xxh3 - unix:/run/telemetry.sock", "Send what is produced now:"},
    {NULL, NULL}};

typedef struct sending {
    cli_out out;
    const cli_input *input;
    fls_reader *reader;
    uint64_t messages;
    cli_schemas schemas;
} sending;

static int take(void *self, const fls_message *message)
{
    sending *send = self;
    cli_out_frame(&send->out, message,
                  fls_checksum_width(cli_input_checksum(send->input, send->reader)));
    send->messages++;
    return send->out.status != FLS_OK;
}

static void pause_sending(void *self)
{
    sending *send = self;
    cli_out_flush(&send->out);
}

static int send_to(sending *send, cli_input *input, int fd, const char *endpoint)
{
    cli_job *job = input->job;
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    char count[CLI_NUMBER];
    cli_walker walker = {take, pause_sending, send, &send->schemas, NULL};
    if (fls_sink_from_fd(&sink, fd, 0, &err) != FLS_OK) {
        return cli_complain_error(job, endpoint, &err);
    }
    int code = cli_out_from_sink(&send->out, job, sink, endpoint);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_out_end(&send->out, cli_walk(input, send->reader, &walker));
    code = cli_input_verdict(input, code);
    if (send->out.status == FLS_OK && fls_socket_finish(fd, &err) != FLS_OK) {
        return cli_complain_error(job, endpoint, &err);
    }
    cli_detail(job, "%s: %s messages sent", endpoint, cli_count(count, send->messages));
    return code;
}

static int run_on(cli_job *job, const char *path, const char *endpoint, uint32_t timeout_ms)
{
    fls_error err = FLS_ERROR_INIT;
    cli_input input;
    sending send = {.input = &input};
    int fd;
    int code = cli_schemas_open_given(&send.schemas, job);
    if (code == CLI_DONE) {
        code = cli_input_open(&input, job, path);
    }
    if (code != CLI_DONE) {
        cli_schemas_close(&send.schemas);
        return code;
    }
    code = cli_reader_open(&input, &send.reader, NULL, 0);
    if (code == CLI_DONE) {
        if (fls_socket_connect(endpoint, timeout_ms, &fd, &err) != FLS_OK) {
            code = cli_complain_error(job, endpoint, &err);
        } else {
            cli_detail(job, "%s: connected", endpoint);
            code = send_to(&send, &input, fd, endpoint);
            fls_socket_close(fd);
        }
    }
    fls_reader_close(send.reader);
    cli_input_close(&input);
    cli_schemas_close(&send.schemas);
    return code;
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    uint64_t seconds = DEFAULT_TIMEOUT_SECONDS;
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (!cli_parse_count(argument, &seconds) || seconds > MOST_TIMEOUT_SECONDS) {
            return cli_usage(job, "'%s' is not a number of seconds up to a day", argument);
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    if (job->operand_count != 2) {
        return cli_usage(job, "what, and where to? IN and ENDPOINT");
    }
    cli_note_operand(job, job->operands[0]);
    return run_on(job, job->operands[0], job->operands[1], (uint32_t)(seconds * 1000));
}

const cli_command cli_cmd_send = {"send",
                                  "messages to a listening peer, over TCP or a Unix socket",
                                  synopsis,
                                  description,
                                  CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ | CLI_TAKES_MAX_FRAME |
                                      CLI_TAKES_RANGE | CLI_TAKES_TIMES | CLI_TAKES_JOURNAL,
                                  option_table,
                                  NULL,
                                  exits,
                                  examples,
                                  run};
