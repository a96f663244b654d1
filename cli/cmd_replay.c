/* flatstream replay: the messages of a journal again, at the pace at which they came. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command_line.h"
#include "commands.h"
#include "interrupt.h"
#include "message_out.h"
#include "moment.h"
#include "walk.h"

enum { ID_SPEED = CLI_ID_FIRST, ID_MAX, ID_TIMEOUT, CONNECT_SECONDS = 10, DAY_SECONDS = 86400 };

static const char *const synopsis[] = {
    "[--speed 10x | --max] [--as FORM] [--since T] [-o FILE] JOURNAL",
    "[--speed 10x | --max] -o ENDPOINT JOURNAL", NULL};
static const char *const description[] = {
    "Gives the messages of a journal out again, with the pauses between them that there were when "
    "they were received, or with --speed so many times as fast, or with --max without any. They go "
    "to standard output, as frames unless --as says another form of cat; or to an endpoint, "
    "tcp://host:port or unix:path as frames, udp://host:port as a datagram each.",
    "A message whose time the journal does not know goes out with the one before. Where the pace "
    "cannot be kept, the next messages go out without pauses until it is caught up.",
    NULL};
static const cli_option option_table[] = {
    {ID_SPEED, "speed", "FACTOR", "So many times as fast: 10x, 0.5x; 1x unless given."},
    {ID_MAX, "max", NULL, "As fast as they can be taken."},
    {'o', "output", "FILE",
     "An endpoint, or a file, which appears whole at the end; - is standard output."},
    {ID_TIMEOUT, "timeout", "SECONDS",
     "How long to try to connect where nobody listens yet; 10 unless given, 0: once."},
    CLI_MESSAGE_OUT_OPTIONS,
    {0, NULL, NULL, NULL}};
static const cli_pair exits[] = {
    {"0", "Everything was given out, and taken by the peer (but for datagrams)."},
    {"1", "There is damage; everything else was given out."},
    {"2", "Wrong usage."},
    {"3", "The journal cannot be read, the output not written, nobody listens."},
    {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream replay flight42 | consumer", "As it was:"},
    {"flatstream replay --speed 10x --since 2026-09-21T14:13:20Z -o tcp://lab:7000 flight42",
     "Ten times as fast, from some time on, to another machine:"},
    {"flatstream replay --max -o udp://127.0.0.1:7001 flight42", "As datagrams, at once:"},
    {NULL, NULL}};

typedef struct replaying {
    cli_job *job;
    cli_message_out print; /* schemas, and to a file or standard output the form */
    cli_input input;
    cli_out out; /* to a connection */
    const char *endpoint;
    int fd;
    int is_datagram;
    double speed; /* 0: no pauses */
    uint32_t timeout_ms;
    uint64_t first_time_ns; /* 0: none yet */
    uint64_t started_ns;
    uint64_t messages;
    int failed;
} replaying;

static void flush(replaying *r)
{
    cli_out_flush(r->endpoint != NULL ? &r->out : &r->print.out);
}

/* Waits until it is the message's turn. Not 0: a signal came. */
static int wait_for(replaying *r, uint64_t time_ns)
{
    if (r->speed <= 0 || time_ns == 0) {
        return 0;
    }
    if (r->first_time_ns == 0) {
        r->first_time_ns = time_ns;
        r->started_ns = cli_monotonic_ns();
        return 0;
    }
    double due = (double)(time_ns - r->first_time_ns) / r->speed;
    for (;;) {
        double left = due - (double)(cli_monotonic_ns() - r->started_ns);
        if (left <= 0) {
            return 0;
        }
        flush(r);
        if (left < 1e6) {
            struct timespec pause = {0, (long)left};
            (void)nanosleep(&pause, NULL);
        } else if (cli_interrupt_pause(left > 1e9 ? 1000 : (int)(left / 1e6)) ==
                   CLI_INTERRUPT_SIGNAL) {
            return 1;
        }
    }
}

static int send_datagram(replaying *r, const fls_message *message)
{
    fls_error err = FLS_ERROR_INIT;
    fls_status status = fls_datagram_send(r->fd, message->payload, message->size, &err);
    /* That nobody listened to an earlier one comes back with a later one. */
    if (status != FLS_OK &&
        fls_datagram_send(r->fd, message->payload, message->size, &err) != FLS_OK) {
        r->failed = cli_complain_error(r->job, r->endpoint, &err);
        return 1;
    }
    return 0;
}

static int take(void *self, const fls_message *message)
{
    replaying *r = self;
    if (wait_for(r, message->time_ns) || cli_interrupt_pending()) {
        return 1;
    }
    r->messages++;
    if (r->is_datagram) {
        return send_datagram(r, message);
    }
    if (r->endpoint != NULL) {
        cli_out_frame(&r->out, message,
                      fls_checksum_width(cli_input_checksum(&r->input, r->print.reader)));
        return r->out.status != FLS_OK;
    }
    return cli_message_out_put(&r->print, message);
}

static int walk(replaying *r)
{
    cli_walker walker = {take, NULL, r, &r->print.schemas, NULL};
    int code = cli_walk(&r->input, r->print.reader, &walker);
    return r->failed != CLI_DONE ? r->failed : code;
}

static int to_connection(replaying *r)
{
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    if (r->is_datagram) {
        return walk(r);
    }
    if (fls_sink_from_fd(&sink, r->fd, 0, &err) != FLS_OK) {
        return cli_complain_error(r->job, r->endpoint, &err);
    }
    int code = cli_out_from_sink(&r->out, r->job, sink, r->endpoint);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_out_end(&r->out, walk(r));
    if (r->out.status == FLS_OK && fls_socket_finish(r->fd, &err) != FLS_OK) {
        return cli_complain_error(r->job, r->endpoint, &err);
    }
    return code;
}

static int to_endpoint(replaying *r)
{
    fls_error err = FLS_ERROR_INIT;
    int code = cli_reader_open(&r->input, &r->print.reader, NULL, 0);
    if (code != CLI_DONE) {
        return code;
    }
    r->is_datagram = strncmp(r->endpoint, "udp://", 6) == 0;
    fls_status status = r->is_datagram
                            ? fls_datagram_connect(r->endpoint, &r->fd, &err)
                            : fls_socket_connect(r->endpoint, r->timeout_ms, &r->fd, &err);
    if (status != FLS_OK) {
        return cli_complain_error(r->job, r->endpoint, &err);
    }
    code = cli_input_verdict(&r->input, to_connection(r));
    fls_socket_close(r->fd);
    return code;
}

static int to_file(replaying *r)
{
    int code = cli_message_out_open(&r->print, &r->input);
    if (code == CLI_DONE) {
        code = walk(r);
    }
    return cli_message_out_end(&r->print, code);
}

static int run_on(replaying *r, const char *path)
{
    char count[CLI_NUMBER];
    int code = r->endpoint != NULL ? cli_schemas_open_given(&r->print.schemas, r->job)
                                   : cli_message_out_schemas(&r->print, r->job);
    if (code != CLI_DONE) {
        return code;
    }
    cli_interrupt_catch();
    code = cli_input_open(&r->input, r->job, path);
    if (code == CLI_DONE) {
        code = r->endpoint != NULL ? to_endpoint(r) : to_file(r);
        cli_message_out_close(&r->print);
        cli_input_close(&r->input);
    }
    cli_schemas_close(&r->print.schemas);
    cli_detail(r->job, "%s messages given out", cli_count(count, r->messages));
    return code;
}

static int parse_speed(replaying *r, const char *text)
{
    char *end;
    r->speed = strtod(text, &end);
    if (end == text || (*end != '\0' && strcmp(end, "x") != 0) ||
        !(r->speed >= 1e-6 && r->speed <= 1e9)) {
        return cli_usage(r->job, "'%s' is not a speed such as 10x", text);
    }
    return CLI_DONE;
}

static int is_endpoint(const char *text)
{
    return strncmp(text, "tcp:", 4) == 0 || strncmp(text, "udp:", 4) == 0 ||
           strncmp(text, "unix:", 5) == 0;
}

static int take_option(replaying *r, int id, const char *argument)
{
    uint64_t seconds;
    switch (id) {
    case ID_SPEED: return parse_speed(r, argument);
    case ID_MAX: r->speed = 0; return CLI_DONE;
    case ID_TIMEOUT:
        if (!cli_parse_count(argument, &seconds) || seconds > DAY_SECONDS) {
            return cli_usage(r->job, "'%s' is not a number of seconds up to a day", argument);
        }
        r->timeout_ms = (uint32_t)seconds * 1000;
        return CLI_DONE;
    case 'o':
        r->endpoint = is_endpoint(argument) ? argument : NULL;
        r->job->common.output = r->endpoint == NULL ? argument : NULL;
        return CLI_DONE;
    default: return cli_message_out_option(&r->print, r->job, id, argument);
    }
}

static int check_usage(replaying *r)
{
    if (r->job->journal == NULL && r->speed > 0) {
        return cli_usage(r->job, "only a journal knows when its messages came; a stream can be "
                                 "given out with --max");
    }
    if (r->endpoint != NULL && r->print.as != CLI_AS_DEFAULT) {
        return cli_usage(r->job, "an endpoint gets frames or datagrams: no --as");
    }
    if (r->endpoint != NULL) {
        return CLI_DONE;
    }
    if (r->print.as == CLI_AS_DEFAULT && r->print.select == NULL) {
        r->print.as = CLI_AS_FRAMES;
    }
    return cli_message_out_check(&r->print, r->job);
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    replaying r = {.job = job, .speed = 1, .timeout_ms = CONNECT_SECONDS * 1000, .fd = -1};
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (take_option(&r, id, argument) != CLI_DONE) {
            return CLI_USAGE;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    int code = cli_one_operand(job, &path);
    if (code == CLI_DONE) {
        code = check_usage(&r);
    }
    return code == CLI_DONE ? run_on(&r, path) : code;
}

const cli_command cli_cmd_replay = {"replay",
                                    "messages out again, at the recorded pace or faster",
                                    synopsis,
                                    description,
                                    CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ |
                                        CLI_TAKES_MAX_FRAME | CLI_TAKES_RANGE | CLI_TAKES_TIMES |
                                        CLI_TAKES_JOURNAL,
                                    option_table,
                                    NULL,
                                    exits,
                                    examples,
                                    run};
