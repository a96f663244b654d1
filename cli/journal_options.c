/* Options of journals. */
#include "journal_options.h"

#include <string.h>

#include "command_line.h"
#include "complain.h"
#include "output.h"
#include "time_field.h"

#define DEFAULT_SEGMENT_BYTES (UINT64_C(256) << 20) /* of journals */

/* "0", "0ms", "0.0s", "0Mi" */
static int is_zero(const char *argument)
{
    size_t digits = strspn(argument, "0.");
    return digits > 0 && strpbrk(argument + digits, "0123456789.") == NULL;
}

static int take_size(cli_job *job, const char *option, const char *argument, uint64_t *to)
{
    if (is_zero(argument)) {
        return cli_usage(job, "%s '%s' is nothing: a size has to be more than 0", option, argument);
    }
    if (!cli_parse_size(argument, to) || *to == 0) {
        return cli_usage(job, "%s '%s' is not a size such as 64Mi", option, argument);
    }
    return CLI_DONE;
}

static int take_segment_bytes(cli_job *job, const char *argument, uint64_t *to)
{
    int code = take_size(job, "--segment-bytes", argument, to);
    if (code == CLI_DONE && *to < CLI_LEAST_SEGMENT_BYTES) {
        code = cli_usage(job,
                         "--segment-bytes %s makes a file or two of nearly each message: %d is the "
                         "least (--segment-messages counts messages)",
                         argument, CLI_LEAST_SEGMENT_BYTES);
    }
    return code;
}

static int take_count(cli_job *job, const char *option, const char *argument, uint64_t *to)
{
    if (!cli_parse_count(argument, to) || *to == 0) {
        return cli_usage(job, "%s '%s' is not a number from 1 on", option, argument);
    }
    return CLI_DONE;
}

static int take_duration(cli_job *job, const char *option, const char *argument, uint64_t *to)
{
    int64_t ns;
    if (is_zero(argument)) {
        return cli_usage(job, "%s '%s' is nothing: a time has to be more than 0", option, argument);
    }
    if (!cli_parse_duration(argument, &ns)) {
        return cli_usage(job, "%s '%s' is not a time such as 250ms, 5m or 7d", option, argument);
    }
    *to = (uint64_t)ns;
    return CLI_DONE;
}

/* none, always, interval=TIME, bytes=SIZE, every=N. */
static int take_sync(cli_job *job, fls_journal_options *options, const char *argument)
{
    const char *value = strchr(argument, '=');
    size_t length = value != NULL ? (size_t)(value - argument) : strlen(argument);
    value = value != NULL ? value + 1 : NULL;
    if (value == NULL && strcmp(argument, "none") == 0) {
        options->sync = FLS_JOURNAL_SYNC_NONE;
        return CLI_DONE;
    }
    if (value == NULL && strcmp(argument, "always") == 0) {
        options->sync = FLS_JOURNAL_SYNC_ALWAYS;
        return CLI_DONE;
    }
    if (value != NULL && length == 8 && strncmp(argument, "interval", length) == 0) {
        options->sync = FLS_JOURNAL_SYNC_INTERVAL;
        return take_duration(job, "--sync interval", value, &options->sync_interval_ns);
    }
    if (value != NULL && length == 5 && strncmp(argument, "bytes", length) == 0) {
        options->sync = FLS_JOURNAL_SYNC_BYTES;
        return take_size(job, "--sync bytes", value, &options->sync_bytes);
    }
    if (value != NULL && length == 5 && strncmp(argument, "every", length) == 0) {
        options->sync = FLS_JOURNAL_SYNC_EVERY;
        return take_count(job, "--sync every", value, &options->sync_messages);
    }
    return cli_usage(job, "--sync is none, interval=5ms, bytes=1Mi, every=100 or always, not '%s'",
                     argument);
}

int cli_journal_option(cli_job *job, fls_journal_options *options, int id, const char *argument)
{
    switch (id) {
    case CLI_ID_SYNC: return take_sync(job, options, argument);
    case CLI_ID_SEGMENT_BYTES: return take_segment_bytes(job, argument, &options->segment_bytes);
    case CLI_ID_SEGMENT_MESSAGES:
        return take_count(job, "--segment-messages", argument, &options->segment_messages);
    case CLI_ID_SEGMENT_AGE:
        return take_duration(job, "--segment-age", argument, &options->segment_age_ns);
    case CLI_ID_RETAIN_BYTES:
        return take_size(job, "--retain-bytes", argument, &options->retain_bytes);
    case CLI_ID_RETAIN_SEGMENTS:
        return take_count(job, "--retain-segments", argument, &options->retain_segments);
    case CLI_ID_RETAIN_AGE:
        return take_duration(job, "--retain-age", argument, &options->retain_age_ns);
    default: options->compress = 1; return CLI_DONE;
    }
}

int cli_journal_options_check(cli_job *job, const fls_journal_options *options)
{
    uint64_t segment = options->segment_bytes != 0 ? options->segment_bytes : DEFAULT_SEGMENT_BYTES;
    int by_bytes = options->segment_messages == 0 && options->segment_age_ns == 0;
    if (by_bytes && options->retain_bytes != 0 && options->retain_bytes < segment) {
        char a[CLI_NUMBER];
        char b[CLI_NUMBER];
        return cli_usage(job,
                         "--retain-bytes %s is less than one segment of %s, and only whole "
                         "segments that have ended can go: smaller ones with --segment-bytes",
                         cli_count(a, options->retain_bytes), cli_count(b, segment));
    }
    return CLI_DONE;
}

int cli_prune_option(cli_job *job, fls_prune_options *options, int id, const char *argument)
{
    switch (id) {
    case CLI_ID_RETAIN_BYTES:
        return take_size(job, "--retain-bytes", argument, &options->retain_bytes);
    case CLI_ID_RETAIN_SEGMENTS:
        return take_count(job, "--retain-segments", argument, &options->retain_segments);
    default: return take_duration(job, "--retain-age", argument, &options->retain_age_ns);
    }
}
