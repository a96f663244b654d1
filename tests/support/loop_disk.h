/* A small file system of one's own: on a loop device, or in memory. As root, on Linux. */
#ifndef TESTS_SUPPORT_LOOP_DISK_H
#define TESTS_SUPPORT_LOOP_DISK_H

#include <stdint.h>

typedef struct loop_disk {
    char directory[256];
    char mounted[300]; /* where it is */
    char kind[16];
    char device[64]; /* empty: none */
} loop_disk;

/* kind: "ext4", "xfs" or "tmpfs". NULL, or why it cannot be; loop_disk_remove in either case. */
const char *loop_disk_make(loop_disk *disk, const char *kind, uint64_t bytes);
/* Aborts the test when it cannot. */
void loop_disk_mount(const loop_disk *disk);
void loop_disk_unmount(const loop_disk *disk);
/* Sound or not, mounted or not; harmless when there is none. */
void loop_disk_remove(loop_disk *disk);

#endif
