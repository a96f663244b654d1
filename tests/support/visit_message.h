/* Reads every byte that a schema finds in a message, without checking anything: under a sanitizer,
 * proof that what a verifier let pass can be read. */
#ifndef TESTS_SUPPORT_VISIT_MESSAGE_H
#define TESTS_SUPPORT_VISIT_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "flatstream/schema.h"

/* Returns some sum of the bytes. */
uint64_t visit_message(const fls_schema *schema, uint32_t root, const void *payload);

#endif
