#include "support/comma_locale.h"

#include <fcntl.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char made[64];

static int enter(const char *name)
{
    return setlocale(LC_ALL, name) != NULL && strcmp(localeconv()->decimal_point, ",") == 0;
}

/* Runs a program, silently. Not 0 when all went well. */
static int run(const char *const *arguments)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        int nothing = open("/dev/null", O_WRONLY);
        if (nothing >= 0) {
            (void)dup2(nothing, 1);
            (void)dup2(nothing, 2);
        }
        execvp(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

int comma_locale_enter(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"};
    char path[96];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (enter(names[i])) {
            return 1;
        }
    }
    memcpy(made, "/tmp/fls-locale-XXXXXX", sizeof "/tmp/fls-locale-XXXXXX");
    if (mkdtemp(made) == NULL) {
        made[0] = '\0';
        return 0;
    }
    (void)atexit(comma_locale_leave); /* where a test fails before it leaves */
    (void)snprintf(path, sizeof path, "%s/de_DE.UTF-8", made);
    const char *const arguments[] = {"localedef", "-i", "de_DE", "-f", "UTF-8", path, NULL};
    if (run(arguments) && setenv("LOCPATH", made, 1) == 0 && enter("de_DE.UTF-8")) {
        return 1;
    }
    comma_locale_leave();
    return 0;
}

void comma_locale_leave(void)
{
    (void)setlocale(LC_ALL, "C");
    if (made[0] != '\0') {
        const char *const arguments[] = {"rm", "-rf", made, NULL};
        if (!run(arguments)) {
            (void)fprintf(stderr, "left behind: %s\n", made);
        }
        made[0] = '\0';
    }
}
