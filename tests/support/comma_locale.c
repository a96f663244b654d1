#include "support/comma_locale.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char made[64];

static int enter(const char *name)
{
    return setlocale(LC_ALL, name) != NULL && strcmp(localeconv()->decimal_point, ",") == 0;
}

int comma_locale_enter(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"};
    char command[256];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (enter(names[i])) {
            return 1;
        }
    }
    strcpy(made, "/tmp/fls-locale-XXXXXX");
    if (mkdtemp(made) == NULL) {
        made[0] = '\0';
        return 0;
    }
    (void)snprintf(command, sizeof command,
                   "localedef -i de_DE -f UTF-8 '%s/de_DE.UTF-8' >/dev/null 2>&1", made);
    if (system(command) == 0 && setenv("LOCPATH", made, 1) == 0 && enter("de_DE.UTF-8")) {
        return 1;
    }
    comma_locale_leave();
    return 0;
}

void comma_locale_leave(void)
{
    char command[128];
    (void)setlocale(LC_ALL, "C");
    if (made[0] != '\0') {
        (void)snprintf(command, sizeof command, "rm -rf '%s'", made);
        if (system(command) != 0) {
            (void)fprintf(stderr, "left behind: %s\n", made);
        }
        made[0] = '\0';
    }
}
