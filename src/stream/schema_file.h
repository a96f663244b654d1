/* Loading schemas from files, with the system calls to use. */
#ifndef FLSI_STREAM_SCHEMA_FILE_H
#define FLSI_STREAM_SCHEMA_FILE_H

#include "flatstream/schema.h"
#include "os/os_file.h"

/* fls_schema_new_file. calls may be NULL for the real ones. */
fls_status flsi_schema_new_file(fls_schema **schema, const char *path,
                                const char *const *include_directories,
                                const fls_allocator *allocator, const flsi_os_calls *calls,
                                fls_error *err);

/* fls_schema_compile_file, likewise. */
fls_status flsi_schema_compile_file(void **bfbs, size_t *size, const char *path,
                                    const char *const *include_directories,
                                    const fls_allocator *allocator, const flsi_os_calls *calls,
                                    fls_error *err);

#endif
