/* Files without a name: whatever ends the process, nothing is left of them. */
#ifndef FLSI_OS_TEMPORARY_H
#define FLSI_OS_TEMPORARY_H

#include "os/os_file.h"

/* A new empty file in directory, for reading and writing, that nobody else sees. Where the system
 * cannot make one without a name it has one for a moment. Errors have the directory's name. */
fls_status flsi_file_open_temporary(flsi_file *file, const char *directory,
                                    const flsi_os_calls *calls, fls_error *err);

#endif
