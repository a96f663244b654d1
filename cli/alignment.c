/* Aligning two sequences of digests. */
#include "alignment.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_DEPTH = 24,   /* of messages that lead between messages that lead */
    MOST_CELLS = 65536 /* of a table for the longest common subsequence */
};

typedef struct range {
    uint32_t a_from;
    uint32_t a_to;
    uint32_t b_from;
    uint32_t b_to;
} range;

typedef struct aligner {
    cli_alignment *out;
    const uint64_t *a;
    const uint64_t *b;
    int failed;
} aligner;

typedef struct entry {
    uint64_t digest;
    uint32_t at;
} entry;

static void align(aligner *x, range r, int depth, int whole);

static void put(aligner *x, uint32_t a, uint32_t b)
{
    cli_alignment *out = x->out;
    if (out->count == out->capacity) {
        size_t capacity = out->capacity == 0 ? 256 : 2 * out->capacity;
        cli_match *grown = realloc(out->matches, capacity * sizeof *grown);
        if (grown == NULL) {
            x->failed = 1;
            return;
        }
        out->matches = grown;
        out->capacity = capacity;
    }
    out->matches[out->count++] = (cli_match){a, b};
}

/* ---- the longest common subsequence of short ranges ---- */

static void align_exactly(aligner *x, range r)
{
    uint32_t columns = r.b_to - r.b_from + 1;
    uint32_t rows = r.a_to - r.a_from + 1;
    uint16_t *lengths = x->out->lengths; /* [i][j]: of what is behind i and j */
    if (lengths == NULL) {
        /* rows * columns is at most that many, with the edges. */
        lengths = x->out->lengths = calloc((size_t)4 * MOST_CELLS, sizeof *lengths);
        if (lengths == NULL) {
            x->failed = 1;
            return;
        }
    }
    for (uint32_t i = rows; i-- > 0;) {
        uint16_t *row = lengths + (size_t)i * columns;
        const uint16_t *below = row + columns;
        for (uint32_t j = columns; j-- > 0;) {
            if (i == rows - 1 || j == columns - 1) {
                row[j] = 0;
            } else if (x->a[r.a_from + i] == x->b[r.b_from + j]) {
                row[j] = (uint16_t)(below[j + 1] + 1);
            } else {
                row[j] = below[j] > row[j + 1] ? below[j] : row[j + 1];
            }
        }
    }
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < rows - 1 && j < columns - 1) {
        const uint16_t *row = lengths + (size_t)i * columns;
        if (x->a[r.a_from + i] == x->b[r.b_from + j]) {
            put(x, r.a_from + i++, r.b_from + j++);
        } else if (row[columns + j] >= row[j + 1]) {
            i++;
        } else {
            j++;
        }
    }
}

/* ---- messages that lead ---- */

static int by_digest(const void *left, const void *right)
{
    const entry *a = left;
    const entry *b = right;
    if (a->digest != b->digest) {
        return a->digest < b->digest ? -1 : 1;
    }
    return a->at < b->at ? -1 : 1;
}

static int by_place(const void *left, const void *right)
{
    const cli_match *a = left;
    const cli_match *b = right;
    return a->a < b->a ? -1 : 1;
}

static entry *sorted(const uint64_t *digests, uint32_t from, uint32_t to)
{
    entry *entries = malloc((size_t)(to - from) * sizeof *entries);
    for (uint32_t i = from; entries != NULL && i < to; i++) {
        entries[i - from] = (entry){digests[i], i};
    }
    if (entries != NULL) {
        qsort(entries, to - from, sizeof *entries, by_digest);
    }
    return entries;
}

static uint32_t run_of(const entry *entries, uint32_t at, uint32_t count)
{
    uint32_t run = 1;
    while (at + run < count && entries[at + run].digest == entries[at].digest) {
        run++;
    }
    return run;
}

/* Pairs what stands on both sides: once on each, or else the first with the first and so on. */
static uint32_t pair(const entry *a, uint32_t a_count, const entry *b, uint32_t b_count,
                     cli_match *pairs, int once)
{
    uint32_t count = 0;
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < a_count && j < b_count) {
        if (a[i].digest != b[j].digest) {
            if (a[i].digest < b[j].digest) {
                i++;
            } else {
                j++;
            }
            continue;
        }
        uint32_t a_run = run_of(a, i, a_count);
        uint32_t b_run = run_of(b, j, b_count);
        uint32_t run = a_run < b_run ? a_run : b_run;
        run = once && (a_run > 1 || b_run > 1) ? 0 : run;
        for (uint32_t k = 0; k < run; k++) {
            pairs[count++] = (cli_match){a[i + k].at, b[j + k].at};
        }
        i += a_run;
        j += b_run;
    }
    return count;
}

/* Keeps of the pairs, ascending in a, the most that ascend in b too. `ends` and `before` have room
 * for as many. Returns how many. */
static uint32_t keep_ascending(cli_match *pairs, uint32_t count, uint32_t *ends, uint32_t *before)
{
    uint32_t longest = 0; /* ends[n]: the pair with the least b that ends n + 1 ascending ones */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t low = 0;
        uint32_t high = longest;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (pairs[ends[middle]].b < pairs[i].b) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        before[i] = low > 0 ? ends[low - 1] : UINT32_MAX;
        ends[low] = i;
        longest += low == longest;
    }
    uint32_t at = longest > 0 ? ends[longest - 1] : UINT32_MAX;
    for (uint32_t n = longest; n-- > 0; at = before[at]) {
        ends[n] = at;
    }
    for (uint32_t n = 0; n < longest; n++) {
        pairs[n] = pairs[ends[n]]; /* ends[n] >= n */
    }
    return longest;
}

/* The pairs that lead through the range, in order; NULL: no memory. */
static cli_match *find_leading(const aligner *x, range r, uint32_t *count)
{
    uint32_t a_count = r.a_to - r.a_from;
    uint32_t b_count = r.b_to - r.b_from;
    uint32_t most = a_count < b_count ? a_count : b_count;
    entry *a = sorted(x->a, r.a_from, r.a_to);
    entry *b = sorted(x->b, r.b_from, r.b_to);
    cli_match *pairs = malloc((size_t)most * sizeof *pairs);
    uint32_t *work = malloc((size_t)2 * most * sizeof *work);
    *count = 0;
    if (a != NULL && b != NULL && pairs != NULL && work != NULL) {
        *count = pair(a, a_count, b, b_count, pairs, 1);
        if (*count == 0) {
            *count = pair(a, a_count, b, b_count, pairs, 0);
        }
        qsort(pairs, *count, sizeof *pairs, by_place);
        *count = keep_ascending(pairs, *count, work, work + most);
    } else {
        free(pairs);
        pairs = NULL;
    }
    free(a);
    free(b);
    free(work);
    return pairs;
}

static void align_by_leading(aligner *x, range r, int depth, int whole)
{
    uint32_t count;
    cli_match *pairs = find_leading(x, r, &count);
    if (pairs == NULL) {
        x->failed = 1;
        return;
    }
    range between = r;
    for (uint32_t i = 0; i < count && !x->failed; i++) {
        between.a_to = pairs[i].a;
        between.b_to = pairs[i].b;
        align(x, between, depth + 1, 1);
        put(x, pairs[i].a, pairs[i].b);
        between.a_from = pairs[i].a + 1;
        between.b_from = pairs[i].b + 1;
    }
    between.a_to = r.a_to;
    between.b_to = r.b_to;
    if (count > 0 && !x->failed) {
        align(x, between, depth + 1, whole);
    }
    free(pairs);
}

static void align(aligner *x, range r, int depth, int whole)
{
    while (r.a_from < r.a_to && r.b_from < r.b_to && x->a[r.a_from] == x->b[r.b_from]) {
        put(x, r.a_from++, r.b_from++);
    }
    uint32_t last = 0; /* equal ones at the end */
    while (whole && r.a_from < r.a_to && r.b_from < r.b_to &&
           x->a[r.a_to - 1] == x->b[r.b_to - 1]) {
        r.a_to--;
        r.b_to--;
        last++;
    }
    uint64_t cells = (uint64_t)(r.a_to - r.a_from) * (r.b_to - r.b_from);
    if (cells > 0 && cells <= MOST_CELLS) {
        align_exactly(x, r);
    } else if (cells > 0 && depth < MOST_DEPTH) {
        align_by_leading(x, r, depth, whole);
    }
    for (uint32_t i = 0; i < last; i++) {
        put(x, r.a_to + i, r.b_to + i);
    }
}

int cli_alignment_find(cli_alignment *alignment, const uint64_t *a, uint32_t a_count,
                       const uint64_t *b, uint32_t b_count, int whole)
{
    aligner x = {alignment, a, b, 0};
    range all = {0, a_count, 0, b_count};
    alignment->count = 0;
    align(&x, all, 0, whole);
    return !x.failed;
}

void cli_alignment_free(cli_alignment *alignment)
{
    free(alignment->matches);
    free(alignment->lengths);
    memset(alignment, 0, sizeof *alignment);
}
