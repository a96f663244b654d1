/* Goes on with a stream that a crash may have left torn: opening for append recovers first, and
 * its report says what was found. Each TEXT becomes one message, a table with one string.
 * Usage: resume FILE TEXT...
 */
#include <inttypes.h>
#include <string.h>

#include <flatstream/flatstream.h>

static void print_report(const char *path, const fls_recover_report *report)
{
    printf("%s: %s, %" PRIu64 " messages in %" PRIu64 " bytes\n", path,
           fls_stream_end_name(report->end), report->frames, report->last_good_offset);
    if (report->truncated_bytes > 0)
        printf("%s: cut %" PRIu64 " bytes, kept in %s%s\n", path, report->truncated_bytes, path,
               report->cut_suffix);
}

static fls_status write_text(fls_writer *w, const char *text, fls_error *err)
{
    fls_builder *b = fls_writer_builder(w);
    fls_ref string = fls_builder_string(b, text, strlen(text));
    fls_table t = fls_builder_table(b, 1);
    fls_builder_ref(b, t, 0, string);
    return fls_writer_write_root(w, fls_builder_end(b, t), err);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return fputs("usage: resume FILE TEXT...\n", stderr), 2;

    fls_error err = FLS_ERROR_INIT;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_writer *w;
    if (fls_writer_open_append(&w, argv[1], NULL, &report, &err) != FLS_OK)
        return fls_error_print(stderr, &err), 1; /* a damaged stream is refused and untouched */
    print_report(argv[1], &report);

    fls_status st = FLS_OK;
    for (int i = 2; i < argc && st == FLS_OK; i++)
        st = write_text(w, argv[i], &err);
    if (st != FLS_OK) {
        fls_error_print(stderr, &err);
        fls_writer_abort(w);
        return 1;
    }
    if (fls_writer_close(w, &err) != FLS_OK)
        return fls_error_print(stderr, &err), 1;
    return 0;
}
