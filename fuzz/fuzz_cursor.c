/* The cursor, and all other readers, over any bytes: message by message what the reference decoder
 * says, whatever the splits. */
#include "stream_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stream_case input;
    if (stream_case_init(&input, data, size)) {
        readers_verdict verdict = readers_agree(&input.what, &input.random);
        if (!verdict.agree) {
            STREAM_CASE_FAIL("%s", verdict.why);
        }
        stream_case_fini(&input);
    }
    return 0;
}
