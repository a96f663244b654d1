/* cmocka with the headers that it wants before it. */
#ifndef TESTS_SUPPORT_TESTING_H
#define TESTS_SUPPORT_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flatstream/status.h"

/* The status, with the error's text when it is another one. */
#define assert_status(expression, wanted, err) \
    assert_status_at((expression), (wanted), (err), #expression, __FILE__, __LINE__)

static inline void assert_status_at(fls_status got, fls_status wanted, const fls_error *err,
                                    const char *expression, const char *file, int line)
{
    if (got != wanted) {
        char text[400] = "";
        if (err != NULL) {
            (void)fls_error_format(err, text, sizeof text);
        }
        print_error("%s is %s, not %s: %s\n", expression, fls_status_name(got),
                    fls_status_name(wanted), text);
        _fail(file, line);
    }
}

#endif
