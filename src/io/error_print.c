/* Printing an error as one line. */
#include "flatstream/stdio_io.h"

void fls_error_print(FILE *stream, const fls_error *err)
{
    char line[512];
    if (err->status == FLS_OK)
        return;
    (void)fls_error_format(err, line, sizeof line);
    /* A name can hold anything; a line end or an escape in it must not reach a terminal. */
    for (char *at = line; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    }
    (void)fprintf(stream, "flatstream: %s\n", line);
}
