/* Running a program for its output. */
#include "record_program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "complain.h"

/* How long a program that is told to end may take: looks, and the time between them. */
enum { PATIENCE = 500, PAUSE_NS = 10000000 };

#ifndef _GNU_SOURCE
extern char **environ; /* no header of the system has it everywhere */
#endif

/* The child's signals are as this tool found them: SIGPIPE is ignored here only. */
static int spawn(cli_program *program, int to, char **arguments)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return error;
    }
    error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    error = posix_spawnattr_setsigdefault(&attributes, &defaults);
    if (error == 0) {
        error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    }
    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
    }
    if (error == 0) {
        error =
            posix_spawnp(&program->child, arguments[0], &actions, &attributes, arguments, environ);
    }
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* errno of what keeps a file from being run, or 0. */
static int why_not(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return errno;
    }
    return S_ISREG(info.st_mode) && access(path, X_OK) == 0 ? 0 : EACCES;
}

int cli_program_find(cli_job *job, const char *name)
{
    const char *folder = getenv("PATH");
    int error = ENOENT;
    if (strchr(name, '/') != NULL) {
        error = why_not(name);
    } else if (folder == NULL) {
        return CLI_DONE; /* the system knows where it looks then */
    }
    while (strchr(name, '/') == NULL && folder != NULL && error != 0) {
        char path[PATH_MAX];
        size_t length = strcspn(folder, ":");
        int bytes = length > 0 ? snprintf(path, sizeof path, "%.*s/%s", (int)length, folder, name)
                               : snprintf(path, sizeof path, "./%s", name);
        int why = bytes > 0 && (size_t)bytes < sizeof path ? why_not(path) : ENOENT;
        error = why == 0 || why == EACCES ? why : error;
        folder = folder[length] == ':' ? folder + length + 1 : NULL;
    }
    return error == 0 ? CLI_DONE : cli_complain_errno(job, name, NULL, error);
}

int cli_program_start(cli_program *program, cli_job *job, char **arguments)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return cli_complain_errno(job, NULL, "pipe", errno);
    }
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    int error = spawn(program, ends[1], arguments);
    (void)close(ends[1]);
    if (error != 0) {
        (void)close(ends[0]);
        return cli_complain_errno(job, arguments[0], NULL, error);
    }
    program->output = ends[0];
    return CLI_DONE;
}

int cli_program_end(cli_program *program, cli_job *job, const char *name, int stop)
{
    int how = 0;
    pid_t ended = 0;
    if (stop) {
        (void)kill(program->child, SIGTERM);
        for (int i = 0; i < PATIENCE && (ended = waitpid(program->child, &how, WNOHANG)) == 0;
             i++) {
            const struct timespec pause = {0, PAUSE_NS};
            (void)nanosleep(&pause, NULL);
        }
        if (ended == 0) {
            cli_complain(job, name, "does not end on SIGTERM, and is killed");
            (void)kill(program->child, SIGKILL);
        }
    }
    while (ended == 0 || (ended < 0 && errno == EINTR)) {
        ended = waitpid(program->child, &how, 0);
    }
    if (ended < 0 || stop) {
        return CLI_DONE;
    }
    if (WIFSIGNALED(how)) {
        cli_complain(job, name, "was ended by signal %d (%s)", WTERMSIG(how),
                     strsignal(WTERMSIG(how)));
        return CLI_DAMAGED;
    }
    if (WEXITSTATUS(how) != 0) {
        cli_complain(job, name, "ended with code %d", WEXITSTATUS(how));
        return CLI_DAMAGED;
    }
    return CLI_DONE;
}
