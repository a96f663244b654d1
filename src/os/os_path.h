/* Taking paths apart, within buffers of a fixed size. */
#ifndef FLSI_OS_PATH_H
#define FLSI_OS_PATH_H

#include <stddef.h>

/* Longer paths fail with ENAMETOOLONG; Linux takes no longer ones either. */
#define FLSI_PATH_BYTES 4096

/* The last part of a path: behind its last slash. */
const char *flsi_path_base(const char *path);

/* Writes the directory that holds path, "." for a bare name. 0, or -1 with errno. */
int flsi_path_directory(const char *path, char directory[FLSI_PATH_BYTES]);

/* Writes the path that a link's text means: text itself when it is absolute, else text from the
 * link's directory. 0, or -1 with errno. */
int flsi_path_follow(const char *link, const char *text, char target[FLSI_PATH_BYTES]);

/* The number of the open descriptor that a path such as "/dev/stdout" or "/dev/fd/3" names, else
 * -1. */
int flsi_path_descriptor(const char *path);

#endif
