/* The table of docs/SALVAGE.md: every kind of damage under every checksum, FLS_DAMAGE_SEEDS seeds
 * each (1,000), what came back and what did not; and nothing is invented under checksums of 4 bytes
 * and more.
 *
 *     build/release/tests/long_salvage_damage
 */
#include <stdlib.h>

#include "support/salvage_oracle.h"
#include "support/testing.h"

#define DEFAULT_SEEDS 1000u

static unsigned long long llu(uint64_t number)
{
    return (unsigned long long)number;
}

static void print_row(const char *kind, const char *checksum, const salvage_tally *t)
{
    (void)printf("| %s | %s | %llu | %llu | %llu | %llu | %llu | %llu | %llu | %llu | %llu | %llu "
                 "| %llu | %llu | %llu | %.2f |\n",
                 kind, checksum, llu(t->seeds), llu(t->messages), llu(t->recovered),
                 llu(t->repaired), llu(t->messages - t->recovered), llu(t->unanchored),
                 llu(t->within), llu(t->unproven), llu(t->unexplained), llu(t->altered),
                 llu(t->foreign), llu(t->invented), llu(t->gave_up),
                 t->hit_bytes > 0 ? (double)t->lost_bytes / (double)t->hit_bytes : 0.0);
    (void)fflush(stdout);
}

static void add(salvage_tally *sum, const salvage_tally *one)
{
    sum->seeds += one->seeds;
    sum->messages += one->messages;
    sum->intact += one->intact;
    sum->recovered += one->recovered;
    sum->repaired += one->repaired;
    sum->unanchored += one->unanchored;
    sum->within += one->within;
    sum->unproven += one->unproven;
    sum->unexplained += one->unexplained;
    sum->altered += one->altered;
    sum->foreign += one->foreign;
    sum->invented += one->invented;
    sum->lost_bytes += one->lost_bytes;
    sum->hit_bytes += one->hit_bytes;
    sum->gave_up += one->gave_up;
}

static void the_table(void **state)
{
    (void)state;
    const char *given = getenv("FLS_DAMAGE_SEEDS");
    const char *first = getenv("FLS_DAMAGE_FIRST_SEED");
    uint64_t seeds = given != NULL ? strtoull(given, NULL, 10) : DEFAULT_SEEDS;
    uint64_t from = first != NULL ? strtoull(first, NULL, 10) : 0;
    salvage_tally sums[SALVAGE_CHECKSUMS] = {{0}};
    (void)printf(
        "| damage | checksum | seeds | messages | recovered | repaired | lost | unanchored "
        "| within | unproven | unexplained | altered | foreign | invented | gave up | lost bytes "
        "/ hit bytes |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (unsigned kind = 0; kind < SALVAGE_DAMAGES; kind++) {
        for (unsigned checksum = 0; checksum < SALVAGE_CHECKSUMS; checksum++) {
            salvage_tally tally = {0};
            for (uint64_t seed = from; seed < from + seeds; seed++) {
                salvage_try(kind, checksum, seed, &tally,
                            checksum >= SALVAGE_CRC32 ? stderr : NULL);
            }
            print_row(salvage_damage_name(kind), salvage_checksum_name(checksum), &tally);
            add(&sums[checksum], &tally);
        }
    }
    for (unsigned checksum = 0; checksum < SALVAGE_CHECKSUMS; checksum++) {
        print_row("all", salvage_checksum_name(checksum), &sums[checksum]);
    }
    for (unsigned checksum = SALVAGE_CRC32; checksum < SALVAGE_CHECKSUMS; checksum++) {
        assert_int_equal(sums[checksum].invented, 0);
        assert_int_equal(sums[checksum].altered, 0);
        assert_int_equal(sums[checksum].unexplained, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
