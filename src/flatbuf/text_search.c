/* Finding a text in a text: first byte by first byte, as most are found soonest; and when too many
 * of these tries were for nothing, by the two-way algorithm (Maxime Crochemore and Dominique
 * Perrin, "Two-way string-matching", 1991), which needs no memory.
 */
#include "flatbuf/text_search.h"

#include <string.h>

/* Where the largest suffix of the part begins, in the order of bytes or in that turned around, and
 * its period. */
static size_t largest_suffix(const uint8_t *part, size_t bytes, int is_turned, size_t *period)
{
    size_t best = 0;
    size_t other = 1;
    size_t same = 0; /* bytes that both suffixes begin with, of their last period */
    *period = 1;
    while (other + same < bytes) {
        uint8_t a = part[best + same];
        uint8_t b = part[other + same];
        if (a == b) {
            same++;
            if (same == *period) {
                other += same;
                same = 0;
            }
        } else if ((b < a) != is_turned) {
            other += same + 1;
            same = 0;
            *period = other - best;
        } else {
            best = other;
            other = best + 1;
            same = 0;
            *period = 1;
        }
    }
    return best;
}

int flsi_text_contains_two_way(const uint8_t *text, size_t bytes, const uint8_t *part,
                               size_t part_bytes)
{
    size_t shift;
    size_t other_shift;
    size_t cut = largest_suffix(part, part_bytes, 0, &shift);
    size_t other_cut = largest_suffix(part, part_bytes, 1, &other_shift);
    size_t at = 0;
    size_t known = 0; /* bytes of the part that are known to stand at `at` */
    if (other_cut > cut) {
        cut = other_cut;
        shift = other_shift;
    }
    /* The part repeats itself all through, or it moves by more than what stands before the cut. */
    int is_periodic = memcmp(part, part + shift, cut) == 0;
    if (!is_periodic) {
        shift = (cut > part_bytes - cut ? cut : part_bytes - cut) + 1;
    }
    while (bytes >= part_bytes && at <= bytes - part_bytes) {
        size_t i = cut > known ? cut : known;
        while (i < part_bytes && part[i] == text[at + i]) {
            i++;
        }
        if (i < part_bytes) {
            at += i - cut + 1;
            known = 0;
            continue;
        }
        i = cut;
        while (i > known && part[i - 1] == text[at + i - 1]) {
            i--;
        }
        if (i <= known) {
            return 1;
        }
        at += shift;
        known = is_periodic ? part_bytes - shift : 0;
    }
    return 0;
}

int flsi_text_contains(const uint8_t *text, size_t bytes, const uint8_t *part, size_t part_bytes)
{
    if (part_bytes == 0) {
        return 1;
    }
    /* A try looks at 16 bytes of the part at once, or thereabouts. */
    size_t tries = 64 + bytes / (part_bytes / 16 + 1);
    while (bytes >= part_bytes) {
        const uint8_t *first = memchr(text, part[0], bytes - part_bytes + 1);
        if (first == NULL) {
            return 0;
        }
        if (memcmp(first, part, part_bytes) == 0) {
            return 1;
        }
        bytes -= (size_t)(first - text) + 1;
        text = first + 1;
        if (--tries == 0) {
            return flsi_text_contains_two_way(text, bytes, part, part_bytes);
        }
    }
    return 0;
}
