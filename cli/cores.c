/* Several threads on one file. */
#include "cores.h"

#include "command_line.h"
#include "complain.h"
#include "stream_index.h"

#define WORTH_BYTES \
    ((uint64_t)16 * 1024 * 1024)           /* below it threads cost more than they bring, ... */
#define ASKED_BYTES ((uint64_t)256 * 1024) /* ... but whoever asks for them gets them */
#define PIECE_BYTES ((size_t)4 * 1024 * 1024)
#define LEAST_BYTES ((size_t)64 * 1024)

/* Each thread gets so many pieces at least, so that none waits long for the others at the end. */
#define PIECES_A_THREAD 4u

/* A thread holds no frame of more than so many pieces. One reader goes through larger ones, so that
 * memory does not grow with threads times frames. */
#define MOST_PIECES_A_FRAME 16u

int cli_parallel_take(cli_job *job, const char *argument, uint32_t *jobs)
{
    uint64_t number;
    if (!cli_parse_count(argument, &number) || number == 0 || number > 1024) {
        return cli_usage(job, "'%s' is not a number of cores", argument);
    }
    *jobs = (uint32_t)number;
    return CLI_DONE;
}

static uint32_t jobs_of(const cli_parallel *parallel)
{
    return parallel->jobs != 0 ? parallel->jobs : fls_parallel_processors();
}

static uint64_t worth_bytes(const cli_parallel *parallel)
{
    return parallel->jobs != 0 ? ASKED_BYTES : WORTH_BYTES;
}

uint32_t cli_parallel_threads(const cli_input *input, uint32_t jobs)
{
    const cli_parallel parallel = {.jobs = jobs};
    int pays = input->seekable && !input->follow && cli_input_size(input) >= worth_bytes(&parallel);
    return pays ? jobs_of(&parallel) : 1;
}

int cli_parallel_pays(const cli_parallel *parallel, const fls_reader *reader)
{
    const cli_input *input = parallel->input;
    uint64_t at = fls_reader_offset(reader);
    uint64_t size = cli_input_size(input);
    return jobs_of(parallel) > 1 && input->seekable && !input->follow && at >= parallel->from &&
           size > at && size - at >= worth_bytes(parallel);
}

static size_t piece_bytes(const cli_parallel *parallel, uint64_t left)
{
    size_t most = parallel->piece_bytes != 0 ? parallel->piece_bytes : PIECE_BYTES;
    uint64_t share = left / ((uint64_t)jobs_of(parallel) * PIECES_A_THREAD);
    return share > most ? most : share < LEAST_BYTES ? LEAST_BYTES : (size_t)share;
}

/* What a thread holds of one message at most: what the reader does, or less. */
static uint32_t most_frame_bytes(uint32_t given, size_t piece)
{
    uint32_t most = (uint32_t)(piece * MOST_PIECES_A_FRAME);
    return given != 0 && given < most ? given : most;
}

/* Puts a reader that begins at the position in place of another. */
static fls_status go_on(fls_reader **reader, fls_source source, fls_reader_options *reading,
                        const fls_parallel_report *report, fls_error *err)
{
    fls_reader *next = NULL;
    reading->checksum = report->checksum;
    reading->position = &report->position;
    fls_status status = fls_reader_open(&next, source, reading, err);
    if (status == FLS_OK) {
        fls_reader_close(*reader);
        *reader = next;
    }
    return status;
}

fls_status cli_parallel_read(cli_parallel *parallel, fls_reader **reader,
                             const fls_parallel_work *work, uint64_t *messages, fls_error *err)
{
    fls_reader_position start;
    fls_reader_options reading = FLS_READER_OPTIONS_INIT;
    fls_parallel_options options = FLS_PARALLEL_OPTIONS_INIT;
    fls_parallel_report report = FLS_PARALLEL_REPORT_INIT;
    fls_source source = cli_input_source(parallel->input);
    fls_salvage_anchors anchors;
    const fls_index *splits = cli_index_of_splits(parallel->input);
    uint32_t max_frame_bytes = parallel->input->job->common.max_frame_bytes;
    uint64_t size = cli_input_size(parallel->input);
    fls_reader_get_position(*reader, &start);
    options.piece_bytes = piece_bytes(parallel, size > start.offset ? size - start.offset : 0);
    reading.checksum = fls_reader_checksum(*reader);
    reading.max_frame_bytes = most_frame_bytes(max_frame_bytes, options.piece_bytes);
    reading.validators = parallel->validators;
    reading.validator_count = parallel->validator_count;
    reading.position = start.offset != 0 ? &start : NULL;
    options.threads = parallel->jobs;
    options.reading = &reading;
    if (splits != NULL) {
        fls_index_anchors(splits, &anchors);
        options.anchors = &anchors;
    }
    fls_status status = fls_parallel_read(&source, &options, work, &report, err);
    *messages = report.messages;
    if (report.position.offset < start.offset) {
        return status; /* it came to nothing */
    }
    parallel->from = report.position.offset;
    if (parallel->from - start.offset < worth_bytes(parallel)) {
        parallel->from += worth_bytes(parallel);
    }
    if (report.checksum == FLS_CHECKSUM_DETECT) {
        return FLS_OK; /* the reader, which has read nothing, says why */
    }
    reading.max_frame_bytes = max_frame_bytes;
    fls_status opened = go_on(reader, source, &reading, &report, err);
    return opened != FLS_OK ? opened : status == FLS_END ? FLS_END : FLS_OK;
}
