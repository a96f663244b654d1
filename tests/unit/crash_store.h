/* What a crash disk holds: files, names, and of both what is durable. Calls are in crash_disk.c. */
#ifndef TESTS_UNIT_CRASH_STORE_H
#define TESTS_UNIT_CRASH_STORE_H

#include "crash_disk.h"

#define CRASH_FILES_MOST 512
#define CRASH_OPEN_MOST  96
#define ROOT             0

/* Bytes of a file, shared until somebody changes them. */
typedef struct content {
    size_t owners;
    size_t size;
    size_t capacity;
    uint8_t *bytes;
} content;

enum { CLEAN = 0, DIRTY = 1, LOST = 2 }; /* of a sector: LOST is clean and not on the disk */

typedef struct crash_node {
    mode_t mode;   /* 0: free */
    int locked_by; /* descriptor, or 0 */
    uint64_t changes;
    content *now;
    content *durable;
    uint8_t *sectors; /* states */
    size_t sector_count;
    int size_pending; /* the size was changed since it was durable */
} crash_node;

typedef struct entry {
    size_t directory;
    size_t node;
    char name[CRASH_NAME_BYTES];
} entry;

typedef struct entries {
    entry *list;
    size_t count;
    size_t capacity;
} entries;

/* A change of names that is not durable yet: from (empty: made here) to (empty: removed). */
typedef struct operation {
    entry from;
    entry to;
    size_t replaced; /* the node that had the name before, CRASH_FILES_MOST: none */
} operation;

typedef struct crash_open {
    size_t node;
    off_t position;
    int flags;
    int used;
} crash_open;

struct crash_disk {
    prng random;
    crash_faults faults;
    int descriptors; /* the first one: different from disk to disk */
    uint64_t changes;
    crash_node nodes[CRASH_FILES_MOST];
    size_t node_count;
    entries now;
    entries durable;
    operation *pending;
    size_t pending_count;
    size_t pending_capacity;
    crash_open open[CRASH_OPEN_MOST];
    int in_point;
};

void content_drop(content *old);
/* Makes *of its owner's alone, and of a size; what is new is zeros. */
void content_change(content **of, size_t size);

size_t node_new(crash_disk *disk, mode_t mode);
void node_mark(crash_node *file, size_t from, size_t end, uint8_t state);
/* A sync that works, one that does not, and the disk's own writing. */
void node_sync(crash_node *file);
void node_lose(crash_disk *disk, crash_node *file);
void node_flush(crash_disk *disk, crash_node *file, int with_size, int lose);
/* Frees what nothing can come back to. */
void store_collect(crash_disk *disk);

entry *names_find(const entries *all, size_t directory, const char *name);
void names_change(crash_disk *disk, const operation *change);
void names_sync(crash_disk *disk, size_t directory);
/* Makes the first so many pending operations durable. */
void names_commit_first(crash_disk *disk, size_t count);
/* The names in a directory as they are now, sorted; the caller frees them. */
size_t names_copy(const crash_disk *disk, size_t directory, char (**names)[CRASH_NAME_BYTES]);

/* The directory that a path's last part is in, and that part. -1 with errno. */
int names_resolve(const crash_disk *disk, size_t directory, const char *path, size_t *in,
                  char name[CRASH_NAME_BYTES]);
/* The node of a path, or CRASH_FILES_MOST with errno. */
size_t names_look_up(const crash_disk *disk, size_t directory, const char *path);

#endif
