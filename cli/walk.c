/* The loop that the verbs which pass messages on have in common. */
#include "walk.h"

#include "command_line.h"
#include "complain.h"

static int is_refused(const cli_walker *walker, const fls_message *message, fls_error *err)
{
    uint32_t type;
    return walker->schemas != NULL && walker->schemas->set.count > 0 &&
           cli_schemas_check(walker->schemas, message, &type, err) != FLS_OK;
}

int cli_walk(cli_input *input, fls_reader *reader, const cli_walker *walker)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message messages[CLI_BATCH];
    size_t count;
    uint64_t first;
    uint64_t end;
    fls_status status;
    cli_selection(&input->job->common, &first, &end);
    if (first >= end) {
        return CLI_DONE;
    }
    while ((status = fls_reader_next_batch(reader, messages, CLI_BATCH, &count, &err)) == FLS_OK) {
        if (messages[0].ordinal == 0) {
            cli_tell_checksum(input, reader);
        }
        for (size_t i = 0; i < count; i++) {
            if (messages[i].ordinal < first) {
                continue;
            }
            if (is_refused(walker, &messages[i], &err)) {
                return cli_complain_read(input, &err);
            }
            if (walker->take(walker->self, &messages[i]) || messages[i].ordinal + 1 >= end) {
                return CLI_DONE;
            }
        }
        if (walker->pause != NULL && !input->seekable) {
            walker->pause(walker->self);
        }
    }
    return status == FLS_END ? CLI_DONE : cli_complain_read(input, &err);
}
