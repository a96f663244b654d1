/* Mapping a file; see os_map.h. */
#include "os/os_map.h"

#include <errno.h>
#include <sys/mman.h>

#include "os/os_calls.h"
#include "os/os_error.h"

fls_status flsi_map_open(flsi_map *map, const flsi_file *file, fls_error *err)
{
    flsi_file_info info;
    *map = (flsi_map)FLSI_MAP_INIT;
    fls_status status = flsi_file_info_get(file, &info, err);
    if (status != FLS_OK)
        return status;
    if (info.kind != FLSI_FILE_REGULAR)
        return flsi_os_error_as(err, FLS_UNSUPPORTED, 0, file->name,
                                "only a regular file can be mapped");
    if (info.size_bytes > SIZE_MAX)
        return flsi_os_error_as(err, FLS_UNSUPPORTED, EFBIG, file->name,
                                "the file does not fit into the address space");
    if (info.size_bytes == 0)
        return FLS_OK;
    size_t size = (size_t)info.size_bytes;
    void *data = file->calls->mmap(NULL, size, PROT_READ, MAP_SHARED, file->fd, 0);
    if (data == MAP_FAILED)
        return flsi_os_error(err, errno, file->name, "mapping failed");
    /* In the page cache no hint makes a difference, populating ahead loses a third; from a disk
     * this one reads further ahead. */
    (void)posix_madvise(data, size, POSIX_MADV_SEQUENTIAL);
    *map = (flsi_map){file->calls, data, size};
    return FLS_OK;
}

void flsi_map_close(flsi_map *map)
{
    if (map->data != NULL)
        (void)map->calls->munmap((void *)(uintptr_t)map->data, map->size);
    *map = (flsi_map)FLSI_MAP_INIT;
}
