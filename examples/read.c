/* Reads a stream and says what lies where; ends with 1 when the stream is not sound to its end.
 * Usage: read [FILE]
 */
#include <inttypes.h>

#include <flatstream/flatstream.h>

static void use(const void *payload, size_t size, uint64_t ordinal, uint64_t offset)
{
    (void)payload; /* a FlatBuffer, to be read in place */
    printf("message %" PRIu64 " at %" PRIu64 ": %zu bytes\n", ordinal, offset, size);
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "telemetry.fls";
    fls_error err = FLS_ERROR_INIT;
    fls_reader *r;
    fls_reader_options opt = FLS_READER_OPTIONS_INIT; /* checksum: xxh3 unless told */
    if (fls_reader_open_file(&r, path, &opt, &err) != FLS_OK)
        return fls_error_print(stderr, &err), 1;

    fls_message m;
    fls_status st;
    while ((st = fls_reader_next(r, &m, &err)) == FLS_OK)
        use(m.payload, m.size, m.ordinal, m.offset); /* borrowed until the next call */
    if (st != FLS_END)
        fls_error_print(stderr, &err);
    fls_reader_close(r);
    return st == FLS_END ? 0 : 1;
}
