/* What the tool's parsers need of the rest of the tool, when they are fuzzed without it: an input
 * that is memory read in pieces, and complaints that nobody hears.
 */
#ifndef FLS_FUZZ_TOOL_SEAM_H
#define FLS_FUZZ_TOOL_SEAM_H

#include "input.h"
#include "support/faulty_io.h"

/* What every cli_input gives from here on; data must outlive its use. */
void tool_seam_read(const faulty_plan *plan, const void *data, size_t size, uint64_t seed);

#endif
