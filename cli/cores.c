/* Several threads on one file. */
#include "cores.h"

#include "command_line.h"
#include "complain.h"

#define WORTH_BYTES ((uint64_t)16 * 1024 * 1024) /* below it threads cost more than they bring */

int cli_parallel_take(cli_job *job, const char *argument, uint32_t *jobs)
{
    uint64_t number;
    if (!cli_parse_count(argument, &number) || number == 0 || number > 1024) {
        return cli_usage(job, "'%s' is not a number of cores", argument);
    }
    *jobs = (uint32_t)number;
    return CLI_DONE;
}

int cli_parallel_pays(const cli_parallel *parallel, const fls_reader *reader)
{
    const cli_input *input = parallel->input;
    uint32_t jobs = parallel->jobs != 0 ? parallel->jobs : fls_parallel_processors();
    uint64_t at = fls_reader_offset(reader);
    uint64_t size = cli_input_size(input);
    return jobs > 1 && input->seekable && !input->follow && at >= parallel->from && size > at &&
           size - at >= WORTH_BYTES;
}

fls_status cli_parallel_read(cli_parallel *parallel, fls_reader **reader,
                             const fls_parallel_work *work, uint64_t *messages, fls_error *err)
{
    fls_reader_position start;
    fls_reader *next = NULL;
    fls_reader_options reading = FLS_READER_OPTIONS_INIT;
    fls_parallel_options options = FLS_PARALLEL_OPTIONS_INIT;
    fls_parallel_report report = FLS_PARALLEL_REPORT_INIT;
    fls_source source = cli_input_source(parallel->input);
    fls_reader_get_position(*reader, &start);
    reading.checksum = fls_reader_checksum(*reader);
    reading.max_frame_bytes = parallel->input->job->common.max_frame_bytes;
    reading.validators = parallel->validators;
    reading.validator_count = parallel->validator_count;
    reading.position = start.offset != 0 ? &start : NULL;
    options.threads = parallel->jobs;
    options.reading = &reading;
    fls_status status = fls_parallel_read(&source, &options, work, &report, err);
    *messages = report.messages;
    if (status != FLS_END && status != FLS_STOPPED) {
        return status;
    }
    parallel->from = report.position.offset;
    if (parallel->from - start.offset < WORTH_BYTES) {
        parallel->from += WORTH_BYTES;
    }
    if (report.checksum == FLS_CHECKSUM_DETECT) {
        return FLS_OK; /* the reader, which has read nothing, says why */
    }
    reading.checksum = report.checksum;
    reading.position = &report.position;
    fls_status opened = fls_reader_open(&next, source, &reading, err);
    if (opened != FLS_OK) {
        return opened;
    }
    fls_reader_close(*reader);
    *reader = next;
    return status == FLS_END ? FLS_END : FLS_OK;
}
