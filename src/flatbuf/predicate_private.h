/* What predicate_parse.c does for predicate.c. */
#ifndef FLSI_FLATBUF_PREDICATE_PRIVATE_H
#define FLSI_FLATBUF_PREDICATE_PRIVATE_H

#include "flatbuf/query_private.h"

/* Makes the operations of all of the compiler's text; the flag after the last is the answer. 0
 * after a failure. */
int flsi_predicate_parse(flsi_compiler *compiler);

#endif
