/* The version of the library, and the only place where it is written down. */
#ifndef FLATSTREAM_VERSION_H
#define FLATSTREAM_VERSION_H

#include "flatstream/export.h"

#define FLS_VERSION_MAJOR 0
#define FLS_VERSION_MINOR 1
#define FLS_VERSION_PATCH 0

FLS_BEGIN_DECLS

/* The version of the library that runs, such as "0.1.0"; a static string. */
FLS_API const char *fls_version(void);

FLS_END_DECLS

#endif
