/* A regular file as read-only memory. */
#ifndef FLSI_OS_MAP_H
#define FLSI_OS_MAP_H

#include "os/os_file.h"

typedef struct flsi_map {
    const flsi_os_calls *calls;
    const void *data; /* NULL for an empty file, of which nothing is mapped */
    size_t size;
} flsi_map;

#define FLSI_MAP_INIT \
    {                 \
        NULL, NULL, 0 \
    }

/* Maps the file as long as it is now; it may be closed afterwards. FLS_UNSUPPORTED for what is no
 * regular file or does not fit into the address space. */
fls_status flsi_map_open(flsi_map *map, const flsi_file *file, fls_error *err);

/* Harmless when nothing is mapped. */
void flsi_map_close(flsi_map *map);

#endif
