/* A disk in memory behind the table of system calls, that knows what of it would survive a loss of
 * power and can be asked for what might be left at any moment.
 *
 * What holds, and nothing more: the bytes of a file, and its size, are durable once sync_data of it
 * returned 0; names (made, moved, removed) once sync_directory of their directory did. A rename is
 * atomic and stands with a sync of either directory. Operations on the same name or the same file
 * keep their order, and so do removals from one directory, as on every file system with a log. Of
 * all else, at a crash, each sector of 512 bytes is as it was, as it was to be, or, in the bytes
 * that were to change and in no others, anything; a file's size lies between the two; a name
 * operation happened or did not. Now and then the disk writes things by itself.
 *
 * One disk is in use at a time; the calls go to it. One thread.
 */
#ifndef TESTS_UNIT_CRASH_DISK_H
#define TESTS_UNIT_CRASH_DISK_H

#include "os/os_calls.h"
#include "support/frames.h"
#include "support/prng.h"

#define CRASH_SECTOR_BYTES 512u
#define CRASH_NAME_BYTES   80u

typedef struct crash_disk crash_disk;

/* What may happen on a disk. All zeros: nothing does. Changed at any time. */
typedef struct crash_faults {
    /* Called before every call that changes or syncs something. */
    void (*point)(void *self, crash_disk *disk);
    void *point_self;
    uint64_t calls;      /* that were made so far, all kinds */
    uint64_t fail_at;    /* the call with this number, from 1, fails; 0: none */
    uint64_t fail_calls; /* and so many more behind it */
    int fail_errno;      /* EIO when 0 */
    const char *failed;  /* name of the call that was made to fail last */
    uint64_t syncs;      /* of files */
    uint64_t fail_sync;  /* the sync of a file with this number, from 1, fails; 0: none */
    uint64_t fail_syncs; /* and so many more behind it */
    uint32_t evict;      /* 1: what a failed sync lost is read as it is on the disk at once */
    uint32_t writeback;  /* one call in so many makes the disk write something by itself; 0: none */
    uint64_t room_bytes; /* of all files; 0: no limit */
    size_t transfer_most; /* bytes; 0: no limit */
    uint32_t interrupt;   /* one in so many of the calls that wait is interrupted; 0: none */
} crash_faults;

typedef enum crash_kind {
    CRASH_RANDOM = 0, /* every sector and name by itself */
    CRASH_LOSE = 1,   /* nothing but what is durable */
    CRASH_KEEP = 2,   /* everything */
    CRASH_NAMES = 3,  /* names and sizes, but no content */
    CRASH_DATA = 4,   /* content, but no names */
    CRASH_PREFIX = 5, /* both up to some point, in their order */
    CRASH_KILLED =
        6 /* only the process died: everything is there, and as little durable as before */
} crash_kind;
#define CRASH_KINDS 7u

crash_disk *crash_disk_new(uint64_t seed);
void crash_disk_free(crash_disk *disk); /* NULL is harmless */

/* The disk that calls go to from now on; returns the one before. */
crash_disk *crash_disk_use(crash_disk *disk);
const flsi_os_calls *crash_disk_calls(void);
crash_faults *crash_disk_faults(crash_disk *disk);

/* What the next start finds. The disk itself is not changed. Nothing is open on the new one. */
crash_disk *crash_disk_crash(const crash_disk *disk, crash_kind kind, uint64_t seed);

/* Looking at it from outside. A path has no "." in it. Returns 0 when there is no such file. */
int crash_disk_read(const crash_disk *disk, const char *path, byte_buffer *into);
/* Calls back with the names in a directory, sorted. */
void crash_disk_names(const crash_disk *disk, const char *path,
                      void (*seen)(void *self, const char *name), void *self);
/* Bytes changed from outside, as by a bad sector; they are durable. */
void crash_disk_write(crash_disk *disk, const char *path, const void *data, size_t size);
size_t crash_disk_open_files(const crash_disk *disk);

#endif
