/* Whether a table of operations has one of them: a table from an older program may end before it.
 */
#ifndef FLSI_IO_OPS_H
#define FLSI_IO_OPS_H

#include <stddef.h>

/* ops may be NULL; type is fls_sink_ops or fls_source_ops. */
#define FLSI_HAS_OP(ops, type, operation)                                           \
    ((ops) != NULL &&                                                               \
     (ops)->struct_bytes >= offsetof(type, operation) + sizeof((ops)->operation) && \
     (ops)->operation != NULL)

#define FLSI_SINK_HAS(sink, operation)     FLSI_HAS_OP((sink)->ops, fls_sink_ops, operation)
#define FLSI_SOURCE_HAS(source, operation) FLSI_HAS_OP((source)->ops, fls_source_ops, operation)

#endif
