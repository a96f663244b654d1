/* The loop that the verbs which pass messages on have in common. */
#include "walk.h"

#include "command_line.h"
#include "complain.h"
#include "cores.h"
#include "interrupt.h"
#include "journal_input.h"

static int is_refused(const cli_walker *walker, const fls_message *message, fls_error *err)
{
    uint32_t type;
    return walker->schemas != NULL && walker->schemas->set.count > 0 &&
           cli_schemas_check(walker->schemas, message, &type, err) != FLS_OK;
}

/* 0: on to the next batch; 1: the walk ends, with *code. */
static int take_each(cli_input *input, const cli_walker *walker, const fls_message *messages,
                     size_t count, uint64_t first, uint64_t end, int *code)
{
    fls_error err = FLS_ERROR_INIT;
    if (walker->take_all != NULL && messages[0].ordinal >= first &&
        messages[count - 1].ordinal + 1 < end) {
        walker->take_all(walker->self, messages, count);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (messages[i].ordinal < first) {
            continue;
        }
        if (messages[i].ordinal >= end) { /* the last that were wanted are lost */
            *code = CLI_DONE;
            return 1;
        }
        if (is_refused(walker, &messages[i], &err)) {
            *code = cli_input_refused(input, &err);
            if (*code == CLI_DONE && messages[i].ordinal + 1 < end) {
                continue;
            }
            return 1;
        }
        if (walker->take(walker->self, &messages[i]) || messages[i].ordinal + 1 >= end) {
            *code = CLI_DONE;
            return 1;
        }
    }
    return 0;
}

/* How many of the messages were received before --until. */
static size_t before_until(const cli_input *input, const fls_message *messages, size_t count)
{
    uint64_t until = input->job->common.until_ns;
    size_t kept = 0;
    while (until != UINT64_MAX && kept < count && messages[kept].time_ns < until) {
        kept++;
    }
    return until == UINT64_MAX ? count : kept;
}

static int walk_journal(cli_input *input, const cli_walker *walker)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message messages[CLI_BATCH];
    size_t count;
    uint64_t first;
    uint64_t end;
    int code = cli_journal_input_place(input, &first, &end);
    if (code != CLI_DONE || first >= end) {
        return code;
    }
    while (!cli_interrupt_pending()) {
        fls_status status = cli_journal_input_next(input, messages, &count, &err);
        if (status == FLS_WOULD_BLOCK) {
            if (walker->pause != NULL) {
                walker->pause(walker->self);
            }
            status = cli_journal_input_wait(input, &err);
            if (status == FLS_OK) {
                continue;
            }
        }
        if (status != FLS_OK) {
            return status == FLS_END || status == FLS_STOPPED ? CLI_DONE
                                                              : cli_complain_read(input, &err);
        }
        size_t kept = before_until(input, messages, count);
        if ((kept > 0 && take_each(input, walker, messages, kept, first, end, &code)) ||
            kept < count) {
            return code;
        }
        if (input->settled != NULL) {
            input->settled(input->settled_self);
        }
    }
    return CLI_SYSTEM;
}

/* ---- on several threads ---- */

typedef struct sharing {
    cli_input *input;
    const cli_walker *walker;
    const cli_shares *shares;
    cli_parallel parallel;
    int ended; /* by collect, or a signal */
} sharing;

static void *make_result(void *self)
{
    const sharing *s = self;
    return s->shares->make(s->walker->self);
}

static void dispose_result(void *self, void *result)
{
    const sharing *s = self;
    s->shares->dispose(s->walker->self, result);
}

static void begin_result(void *self, void *result)
{
    const sharing *s = self;
    s->shares->begin(s->walker->self, result);
}

static fls_status share(void *self, void *result, const fls_message *messages, size_t count,
                        size_t *taken, fls_error *err)
{
    const sharing *s = self;
    size_t sound = 0;
    while (sound < count && !is_refused(s->walker, &messages[sound], err)) {
        sound++;
    }
    *taken = sound > 0 ? s->shares->take(s->walker->self, result, messages, sound) : 0;
    return *taken == count ? FLS_OK : FLS_STOPPED;
}

static fls_status collect(void *self, void *result, const fls_parallel_piece *piece, fls_error *err)
{
    sharing *s = self;
    (void)err;
    cli_progress_update(&s->input->job->progress, piece->to);
    int code =
        cli_interrupt_pending() != 0 ? 1 : s->shares->collect(s->walker->self, result, piece);
    s->ended = code != 0 && code != CLI_SHARE_LEFT;
    return code != 0 ? FLS_STOPPED : FLS_OK;
}

/* From the reader's position on, which is another one afterwards. */
static fls_status walk_shared(sharing *s, fls_error *err)
{
    const fls_parallel_work work = {sizeof work,  0,     s,      make_result, dispose_result,
                                    begin_result, share, collect};
    uint64_t messages;
    return cli_parallel_read(&s->parallel, s->shares->reader, &work, &messages, err);
}

static int walk_stream(cli_input *input, fls_reader **reader, const cli_walker *walker,
                       sharing *several)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message messages[CLI_BATCH];
    size_t count;
    uint64_t first;
    uint64_t end;
    fls_status status;
    int code;
    cli_selection(&input->job->common, &first, &end);
    if (first >= end) {
        return CLI_DONE;
    }
    int shared = several != NULL && first == 0 && end == UINT64_MAX;
    while ((status = fls_reader_next_batch(*reader, messages, CLI_BATCH, &count, &err)) == FLS_OK) {
        if (messages[0].ordinal == 0) {
            cli_tell_checksum(input, *reader);
        }
        if (take_each(input, walker, messages, count, first, end, &code)) {
            return code;
        }
        if (shared && cli_parallel_pays(&several->parallel, *reader)) {
            status = walk_shared(several, &err);
            if (status != FLS_OK || several->ended) {
                break;
            }
        }
        if (walker->pause != NULL && (!input->seekable || input->follow)) {
            walker->pause(walker->self);
        }
    }
    if (status == FLS_OK) { /* ended by what collects, or by a signal */
        return cli_interrupt_pending() > 0 ? CLI_SYSTEM : CLI_DONE;
    }
    if (status == FLS_END || cli_interrupt_pending() == CLI_INTERRUPT_ASKED) {
        return CLI_DONE;
    }
    return cli_complain_read(input, &err);
}

int cli_walk(cli_input *input, fls_reader *reader, const cli_walker *walker)
{
    return input->is_journal ? walk_journal(input, walker)
                             : walk_stream(input, &reader, walker, NULL);
}

int cli_walk_shared(cli_input *input, const cli_walker *walker, const cli_shares *shares)
{
    sharing several = {.input = input, .walker = walker, .shares = shares};
    several.parallel =
        (cli_parallel){.input = input, .jobs = shares->jobs, .piece_bytes = shares->piece_bytes};
    return input->is_journal ? walk_journal(input, walker)
                             : walk_stream(input, shares->reader, walker, &several);
}
