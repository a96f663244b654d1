/* The version of the library that runs. */
#include "flatstream/version.h"

#define TEXT_OF(number)       #number
#define VERSION_TEXT(a, b, c) TEXT_OF(a) "." TEXT_OF(b) "." TEXT_OF(c)

const char *fls_version(void)
{
    return VERSION_TEXT(FLS_VERSION_MAJOR, FLS_VERSION_MINOR, FLS_VERSION_PATCH);
}
