/* flatstream recv: one peer's messages into a file that appears when the peer has ended well.
 *
 * While they arrive they are written for the name OUT.partial, and a good end gives them the name
 * OUT. When the connection breaks or a message is not sound, what was sound before it is kept as
 * OUT.partial: it may be the only copy there is.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command_line.h"
#include "commands.h"
#include "interrupt.h"
#include "output.h"
#include "walk.h"

static const char *const synopsis[] = {"[-c ALGO] -o OUT ENDPOINT", NULL};
static const char *const description[] = {
    "Listens on ENDPOINT, tcp://host:port or unix:path, takes the messages of one peer until it "
    "ends, checks every one, with -s against its schema too, and writes them to OUT as the stream "
    "that they came as. With port 0 "
    "a free port is taken. The endpoint that is listened on is told on standard error with "
    "--verbose, and always for port 0.",
    "OUT appears whole when the peer has ended between two messages. When the connection breaks, "
    "a message is not sound, or recv is interrupted, OUT does not appear, and the sound messages "
    "before that are kept as OUT.partial (or OUT.partial.1 and so on, when that exists).",
    NULL};
static const cli_pair exits[] = {
    {"0", "The peer ended well, and OUT is there."},
    {"1", "The stream broke off within a message, or a message was not sound."},
    {"2", "Wrong usage."},
    {"3", "ENDPOINT cannot be listened on, OUT not written, or the connection broke."},
    {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream recv -o capture.fls tcp://:7000", "Receive on all addresses:"},
    {"flatstream recv -c xxh3 -o - unix:/run/telemetry.sock | flatstream cat -",
     "Look at what somebody sends:"},
    {NULL, NULL}};

typedef struct receiving {
    cli_job *job;
    const char *endpoint;
    cli_out out;
    fls_reader *reader;
    uint64_t messages;
    cli_schemas schemas;
    /* For a file that appears whole: its name without symbolic links, and the name before it has
     * been received whole. */
    char final[PATH_MAX];
    char partial[PATH_MAX + 32]; /* empty: OUT is written directly */
    int locked_fd;               /* an existing OUT, under its writer's lock */
} receiving;

static int take(void *self, const fls_message *message)
{
    receiving *receive = self;
    cli_out_frame(&receive->out, message, fls_checksum_width(fls_reader_checksum(receive->reader)));
    receive->messages++;
    return receive->out.status != FLS_OK;
}

static void pause_receiving(void *self)
{
    receiving *receive = self;
    if (receive->out.to_stdout) {
        cli_out_flush(&receive->out);
    }
}

/* The names; and an existing OUT must not be in use by another writer. */
static int prepare_names(receiving *receive, const char *path)
{
    struct stat info;
    int exists = stat(path, &info) == 0;
    if (exists && cli_is_schema(receive->job, &info)) {
        return cli_usage(receive->job, "%s is the schema, and would be lost", path);
    }
    if (exists && !S_ISREG(info.st_mode)) {
        return CLI_DONE; /* a pipe or device is written directly; a directory refused later */
    }
    if (exists ? realpath(path, receive->final) == NULL : strlen(path) >= PATH_MAX) {
        return cli_complain_errno(receive->job, path, NULL, exists ? errno : ENAMETOOLONG);
    }
    if (!exists) {
        memcpy(receive->final, path, strlen(path) + 1);
    }
    size_t room = sizeof receive->partial;
    snprintf(receive->partial, room, "%s.partial", receive->final);
    for (unsigned i = 1; access(receive->partial, F_OK) == 0; i++) {
        snprintf(receive->partial, room, "%s.partial.%u", receive->final, i);
    }
    if (exists) {
        receive->locked_fd = open(receive->final, O_RDONLY | O_CLOEXEC);
        if (receive->locked_fd >= 0 && flock(receive->locked_fd, LOCK_EX | LOCK_NB) != 0) {
            cli_complain(receive->job, path, "is in use by another writer");
            return CLI_SYSTEM;
        }
    }
    return CLI_DONE;
}

static int open_out(receiving *receive)
{
    const char *path = receive->job->common.output;
    if (cli_is_stdout(path)) {
        return cli_out_open(&receive->out, receive->job, path, NULL);
    }
    int code = prepare_names(receive, path);
    if (code == CLI_DONE) {
        const char *first = receive->partial[0] != '\0' ? receive->partial : path;
        code = cli_out_open(&receive->out, receive->job, first, NULL);
    }
    return code;
}

static int sync_folder(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path + 1),
             slash == NULL ? "." : path);
    int fd = open(folder, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) != 0;
    int error = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    /* Some file systems cannot sync a directory. */
    return failed && error != EINVAL ? error : 0;
}

/* From the partial name to the final one. */
static int appear(const receiving *receive)
{
    struct stat info;
    int error = 0;
    if (receive->locked_fd >= 0 && fstat(receive->locked_fd, &info) == 0) {
        (void)chmod(receive->partial, info.st_mode & 07777);
    }
    if (rename(receive->partial, receive->final) != 0) {
        error = errno;
    } else if (!receive->job->common.no_sync) {
        error = sync_folder(receive->final);
    }
    return error != 0 ? cli_complain_errno(receive->job, receive->final, NULL, error) : CLI_DONE;
}

static int end_out(receiving *receive, int code)
{
    char count[CLI_NUMBER];
    if (receive->partial[0] == '\0') {
        return cli_out_end(&receive->out, code);
    }
    if (code == CLI_DONE) {
        code = cli_out_end(&receive->out, CLI_DONE);
        return code == CLI_DONE ? appear(receive) : code;
    }
    if (receive->messages == 0) {
        return cli_out_end(&receive->out, code);
    }
    if (cli_out_end(&receive->out, CLI_DONE) == CLI_DONE) {
        cli_complain(receive->job, receive->job->common.output,
                     "not received whole; the %s sound messages are kept as %s",
                     cli_count(count, receive->messages), receive->partial);
    }
    return code;
}

/* Makes the close of a connection a reset, so that the peer learns that not all is well. */
static void reset_on_close(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static int receive_from(receiving *receive, int fd, const char *peer)
{
    cli_input input;
    cli_walker walker = {take, pause_receiving, receive, &receive->schemas, NULL};
    int code = cli_input_from_fd(&input, receive->job, fd, peer);
    if (code != CLI_DONE) {
        return end_out(receive, code);
    }
    code = cli_reader_open(&input, &receive->reader, NULL, 0);
    if (code == CLI_DONE) {
        code = cli_walk(&input, receive->reader, &walker);
    }
    code = end_out(receive, code);
    fls_reader_close(receive->reader);
    if (code != CLI_DONE) {
        reset_on_close(fd);
    }
    cli_input_close(&input);
    return code;
}

/* Whether the endpoint leaves the choice of a port to the system. */
static int is_any_port(const char *endpoint)
{
    const char *colon = strrchr(endpoint, ':');
    return strncmp(endpoint, "tcp://", 6) == 0 && colon != NULL && strcmp(colon, ":0") == 0;
}

static void tell_endpoint(receiving *receive, int listener)
{
    char bound[256];
    fls_error err = FLS_ERROR_INIT;
    cli_common *common = &receive->job->common;
    if ((common->verbose || is_any_port(receive->endpoint)) &&
        fls_socket_endpoint(listener, bound, sizeof bound, &err) == FLS_OK) {
        cli_complain(receive->job, NULL, "listening on %s", bound);
    }
}

static int accept_one(receiving *receive)
{
    char peer[128] = "";
    fls_error err = FLS_ERROR_INIT;
    int listener;
    int fd = -1;
    fls_status status = fls_socket_listen(receive->endpoint, &listener, &err);
    if (status != FLS_OK) {
        return end_out(receive, cli_complain_error(receive->job, receive->endpoint, &err));
    }
    tell_endpoint(receive, listener);
    if (cli_interrupt_wait(listener, -1) == CLI_INTERRUPT_READY) {
        status = fls_socket_accept(listener, &fd, peer, sizeof peer, &err);
    }
    fls_socket_close(listener);
    if (fd < 0) {
        return end_out(receive, status == FLS_OK
                                    ? CLI_SYSTEM
                                    : cli_complain_error(receive->job, receive->endpoint, &err));
    }
    /* A Unix socket's peer has no name of its own. */
    const char *name = strncmp(peer, "tcp://", 6) == 0 ? peer : receive->endpoint;
    cli_detail(receive->job, "%s: connected", name);
    return receive_from(receive, fd, name);
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    receiving receive = {.job = job, .locked_fd = -1};
    if (cli_next_option(job, argc, argv, &argument) < 0) {
        return job->option_exit;
    }
    if (job->operand_count != 1) {
        return cli_usage(job, "listen where? One ENDPOINT");
    }
    if (job->common.output == NULL) {
        return cli_usage(job, "where to? -o OUT (- is standard output)");
    }
    receive.endpoint = job->operands[0];
    int code = cli_schemas_open(&receive.schemas, job);
    if (code == CLI_DONE) {
        code = open_out(&receive);
    }
    if (code == CLI_DONE) {
        code = accept_one(&receive);
    }
    cli_schemas_close(&receive.schemas);
    if (receive.locked_fd >= 0) {
        (void)close(receive.locked_fd);
    }
    return code;
}

const cli_command cli_cmd_recv = {"recv",
                                  "one peer's messages into a file, over TCP or a Unix socket",
                                  synopsis,
                                  description,
                                  CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ | CLI_TAKES_MAX_FRAME |
                                      CLI_TAKES_OUTPUT,
                                  NULL,
                                  NULL,
                                  exits,
                                  examples,
                                  run};
