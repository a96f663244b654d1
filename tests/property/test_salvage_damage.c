/* Salvage against damage of every kind, under every checksum, judged by an oracle that knows the
 * true messages: what the rules of docs/SALVAGE.md say comes back does, and nothing is invented.
 * long_salvage_damage does the same with thousands of seeds. */
#include "support/salvage_oracle.h"
#include "support/testing.h"

#define SEEDS 18u /* of each kind and checksum: three of each kind of stream */

static void expect(unsigned kind, unsigned checksum, const salvage_tally *tally)
{
    const char *what = NULL;
    if (checksum >= SALVAGE_CRC32 && (tally->invented > 0 || tally->altered > 0)) {
        what = "a message was invented";
    } else if (tally->unexplained > 0) {
        what = "a message was lost that was not hit";
    } else if (kind == DAMAGE_FLIP && checksum > 0 &&
               tally->recovered + (checksum < SALVAGE_CRC32 ? tally->unproven : 0) <
                   tally->intact) {
        what = "a flipped bit costs more than a message";
    } else if (tally->gave_up > 0 && checksum > 0) {
        what = "not everything was tried";
    } else if (tally->recovered == 0 || tally->intact == 0) {
        what = "nothing came back";
    }
    if (what != NULL) {
        fail_msg("%s, %s: %s", salvage_damage_name(kind), salvage_checksum_name(checksum), what);
    }
}

static void every_kind_of_damage(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < SALVAGE_DAMAGES; kind++) {
        for (unsigned checksum = 0; checksum < SALVAGE_CHECKSUMS; checksum++) {
            salvage_tally tally = {0};
            for (uint64_t seed = 0; seed < SEEDS; seed++) {
                salvage_try(kind, checksum, seed, &tally,
                            checksum >= SALVAGE_CRC32 ? stderr : NULL);
            }
            expect(kind, checksum, &tally);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kind_of_damage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
