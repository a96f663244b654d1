/* Writes a thousand messages with the library's own builder: the whole of what a program needs.
 * Usage: write [FILE]
 */
#include <flatstream/flatstream.h>

int main(int argc, char **argv)
{
    fls_error err = FLS_ERROR_INIT;
    fls_writer *w;
    fls_writer_options opt = FLS_WRITER_OPTIONS_INIT; /* xxh3, 256 KiB buffer */
    const char *path = argc > 1 ? argv[1] : "telemetry.fls";
    if (fls_writer_open_file(&w, path, &opt, &err) != FLS_OK)
        return fls_error_print(stderr, &err), 1;

    fls_builder *b = fls_writer_builder(w); /* simple mode: the writer's own builder */
    for (uint64_t i = 0; i < 1000; i++) {
        fls_table t = fls_builder_table(b, 3);
        fls_builder_u64(b, t, 0, 7);
        fls_builder_u64(b, t, 1, i * 1000);
        fls_builder_f64(b, t, 2, 21.5);
        if (fls_writer_write_root(w, fls_builder_end(b, t), &err) != FLS_OK)
            return fls_error_print(stderr, &err), 1;
    }
    if (fls_writer_close(w, &err) != FLS_OK) /* flushes; a late write error is reported here */
        return fls_error_print(stderr, &err), 1;
    return 0;
}
