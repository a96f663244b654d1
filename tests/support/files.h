/* Files for tests: whole ones in and out, a directory of one's own, and where the streams of the
 * other implementation lie. */
#ifndef TESTS_SUPPORT_FILES_H
#define TESTS_SUPPORT_FILES_H

#include "support/frames.h"

/* Reads a file whole, replacing what into holds. Returns 0, or an errno. */
int files_read(const char *path, byte_buffer *into);

/* Writes a file whole; aborts the test on any error. */
void files_write(const char *path, const void *data, size_t size);

int files_exist(const char *path);
uint64_t files_size(const char *path); /* aborts when there is none */

/* A new empty directory below $TMPDIR, else in memory where there is /dev/shm; its path is kept in
 * a static buffer of the caller's size. files_remove_directory removes it with everything in it. */
void files_make_directory(char *path, size_t capacity);
void files_remove_directory(const char *path);

/* Joins into a static array of buffers, good for the next few calls. */
const char *files_join(const char *directory, const char *name);

/* The committed golden corpus, and the directory of interoperation streams: $FLS_INTEROP_DIR, else
 * ../shared/interop beside the source tree; NULL (with a line that says so) when it is not there.
 */
const char *files_golden_directory(void);
const char *files_interop_directory(void);

#endif
