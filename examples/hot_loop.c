/* A loop that may not wait hands its messages to a recorder, which takes them to a journal. When
 * the journal falls behind, the newest messages are dropped, counted, and noted as gaps. Usage:
 * hot_loop JOURNAL [MESSAGES]
 */
#include <inttypes.h>
#include <stdlib.h>

#include <flatstream/flatstream.h>

static fls_status run(fls_recorder *recorder, uint64_t messages, fls_error *err)
{
    fls_producer *producer;
    fls_producer_options opt = FLS_PRODUCER_OPTIONS_INIT;
    fls_status st;
    opt.policy = FLS_RECORDER_DROP_NEWEST;
    opt.name = "hot loop";
    if ((st = fls_recorder_attach(recorder, &opt, &producer, err)) != FLS_OK)
        return st;
    for (uint64_t i = 0; i < messages && st == FLS_OK; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, "message %" PRIu64, i);
        st = fls_producer_offer(producer, text, (size_t)length); /* no lock, no system call */
    }
    if (fls_recorder_drain(recorder, err) !=
        FLS_OK) /* all of it is durable now, or this says why */
        return err->status;
    fls_producer_figures seen = FLS_PRODUCER_FIGURES_INIT;
    fls_producer_get_figures(producer, &seen);
    printf("%" PRIu64 " offered, %" PRIu64 " dropped, %" PRIu64 " durable\n", seen.offered,
           seen.dropped, seen.durable);
    fls_producer_detach(producer);
    return FLS_OK;
}

int main(int argc, char **argv)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal *journal;
    fls_recorder *recorder;
    if (argc < 2)
        return fputs("usage: hot_loop JOURNAL [MESSAGES]\n", stderr), 2;
    if (fls_journal_open(&journal, argv[1], NULL, NULL, &err) != FLS_OK)
        return fls_error_print(stderr, &err), 1;
    fls_status st = fls_recorder_open(&recorder, journal, NULL, &err);
    if (st == FLS_OK) {
        fls_error late = FLS_ERROR_INIT;
        st = run(recorder, argc > 2 ? strtoull(argv[2], NULL, 10) : 1000, &err);
        if (fls_recorder_close(recorder, &late) != FLS_OK && st == FLS_OK)
            st = late.status, err = late;
    }
    if (st != FLS_OK)
        fls_error_print(stderr, &err);
    if (fls_journal_close(journal, &err) != FLS_OK)
        return fls_error_print(stderr, &err), 1;
    return st != FLS_OK;
}
