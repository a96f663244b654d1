/* Which of the messages of two sequences are each other's counterparts, going by their digests:
 * what stands in both in the same order, as much of it as can be had at the cost of sorting.
 *
 * Messages that stand once on each side lead; between them, and where there are none, the longest
 * common subsequence is found where that is cheap, and otherwise messages that are equal are paired
 * in their order.
 */
#ifndef FLS_CLI_ALIGNMENT_H
#define FLS_CLI_ALIGNMENT_H

#include <stddef.h>
#include <stdint.h>

typedef struct cli_match {
    uint32_t a;
    uint32_t b;
} cli_match;

/* All zero at first. */
typedef struct cli_alignment {
    cli_match *matches; /* ascending on both sides */
    size_t count;
    size_t capacity;
    uint16_t *lengths; /* for longest common subsequences */
} cli_alignment;

/* Fills the matches. whole: the sequences end where they end; else something may follow on either,
 * so that being last on both sides means nothing. Returns 0 when there is no memory. */
int cli_alignment_find(cli_alignment *alignment, const uint64_t *a, uint32_t a_count,
                       const uint64_t *b, uint32_t b_count, int whole);

void cli_alignment_free(cli_alignment *alignment);

#endif
