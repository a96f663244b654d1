/* Files in memory behind the table of system calls, for targets that work on a whole directory:
 * fast, and nothing of one input is left for the next. Everything is durable at once. One thread.
 *
 * Names are looked up in the directory that is open, or below the root; a path has no "..".
 */
#ifndef TESTS_UNIT_MEMORY_FILES_H
#define TESTS_UNIT_MEMORY_FILES_H

#include "os/os_calls.h"

#define MEMORY_FILES_MOST 256
#define MEMORY_NAME_BYTES 80
#define MEMORY_ROOM_BYTES ((size_t)16 << 20) /* of one file; more is a full disk */

/* Nothing is there but the root. Files that are open still are a fault of who used them. */
void memory_files_reset(void);
const flsi_os_calls *memory_files_calls(void);
/* How many descriptors and mappings are open. */
int memory_files_open(void);

/* A file, and the directory that it is in, made if they are not there; replaces what it holds. 0
 * when there are too many. directory: "" for the root; name: "" for the directory alone. */
int memory_files_put(const char *directory, const char *name, const void *data, size_t size);
/* Calls back with each file in a directory; data is good until a file changes. */
void memory_files_each(const char *directory,
                       void (*seen)(void *self, const char *name, const uint8_t *data, size_t size),
                       void *self);

#endif
