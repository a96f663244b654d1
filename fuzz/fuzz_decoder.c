/* The decoder, and all other readers, fed in small pieces of 1 to 16 bytes: splits fall into every
 * field of a frame, and into runs of zeros. */
#include "stream_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stream_case input;
    if (size < 4096 && stream_case_init(&input, data, size)) {
        size_t most = 1 + (size_t)prng_below(&input.random, 16);
        readers_verdict verdict = readers_agree_in_pieces(&input.what, &input.random, most);
        if (!verdict.agree) {
            STREAM_CASE_FAIL("%s", verdict.why);
        }
        stream_case_fini(&input);
    }
    return 0;
}
