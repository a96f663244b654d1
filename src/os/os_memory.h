/* Advice to the system about memory. */
#ifndef FLSI_OS_MEMORY_H
#define FLSI_OS_MEMORY_H

#include <stddef.h>

/* The block will be gone through in no order: it should have large pages, where the system has them
 * for who asks. Never fails, and changes nothing but speed. */
void flsi_memory_prefer_large_pages(void *memory, size_t bytes);

#endif
