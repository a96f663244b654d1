/* Copies of inputs that can be read once only. */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"

#define PIECE_BYTES ((size_t)256 * 1024)

/* An open file without a name, in $TMPDIR or else /var/tmp, where large files belong. */
static int make_file(cli_job *job, int *fd)
{
    char path[4096];
    const char *directory = getenv("TMPDIR");
    if (directory == NULL || *directory == '\0') {
        directory = "/var/tmp";
    }
    int length = snprintf(path, sizeof path, "%s/flatstream-XXXXXX", directory);
    if (length < 0 || (size_t)length >= sizeof path) {
        return cli_complain_errno(job, directory, NULL, ENAMETOOLONG);
    }
    *fd = mkstemp(path);
    if (*fd < 0) {
        return cli_complain_errno(job, directory, "cannot make a temporary file in it", errno);
    }
    (void)unlink(path);
    (void)fcntl(*fd, F_SETFD, FD_CLOEXEC);
    return CLI_DONE;
}

static int write_all(cli_job *job, int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return cli_complain_errno(job, "temporary file", NULL, errno);
        }
        data += written;
        size -= (size_t)written;
    }
    return CLI_DONE;
}

static int copy(cli_input *input, int fd)
{
    fls_error err = FLS_ERROR_INIT;
    fls_source source = cli_input_source(input);
    fls_status status = FLS_OK;
    int code = CLI_DONE;
    char *piece = malloc(PIECE_BYTES);
    if (piece == NULL) {
        return cli_complain_errno(input->job, NULL, "no memory for a copy of the input", ENOMEM);
    }
    while (code == CLI_DONE && status == FLS_OK) {
        size_t got = 0;
        status = fls_source_read_all(&source, piece, PIECE_BYTES, &got, &err);
        code = write_all(input->job, fd, piece, got);
    }
    free(piece);
    if (code == CLI_DONE && status != FLS_END) {
        code = cli_complain_error(input->job, input->name, &err);
    }
    return code;
}

int cli_spool_open(cli_spool *spool, cli_input *input)
{
    fls_error err = FLS_ERROR_INIT;
    int fd = -1;
    memset(spool, 0, sizeof *spool);
    if (input->seekable) {
        spool->source = cli_input_source(input);
        return CLI_DONE;
    }
    int code = make_file(input->job, &fd);
    if (code != CLI_DONE) {
        return code;
    }
    code = copy(input, fd);
    if (code == CLI_DONE && lseek(fd, 0, SEEK_SET) != 0) {
        code = cli_complain_errno(input->job, "temporary file", NULL, errno);
    }
    if (code == CLI_DONE && fls_source_from_fd(&spool->source, fd, 1, &err) != FLS_OK) {
        code = cli_complain_error(input->job, input->name, &err);
    }
    spool->is_copy = code == CLI_DONE;
    if (code != CLI_DONE) {
        (void)close(fd);
    }
    return code;
}

void cli_spool_close(cli_spool *spool)
{
    if (spool->is_copy) {
        fls_source_close(&spool->source);
    }
}
