/* Selecting messages. */
#include "selector.h"

#include <string.h>

#include "complain.h"

void cli_selector_begin(cli_selector *selector)
{
    memset(selector, 0, sizeof *selector);
    selector->end_byte = UINT64_MAX;
    selector->range_end = UINT64_MAX;
    selector->until_ns = UINT64_MAX;
    selector->limit = UINT64_MAX;
}

static int is_timed(const cli_common *common)
{
    return common->since_ns != 0 || common->until_ns != UINT64_MAX;
}

static void take_over_times(cli_selector *s, cli_common *common)
{
    s->since_ns = common->since_ns;
    s->until_ns = common->until_ns;
    common->since_ns = 0;
    common->until_ns = UINT64_MAX;
}

/* What the walk would leave out or stop at is what is wanted with --invert; and of what is sifted,
 * --limit counts what is taken, not what is looked at. */
static void take_over(cli_selector *s, cli_common *common)
{
    if (s->has_time || s->invert) {
        take_over_times(s, common);
    }
    if (s->invert) {
        s->range_first = common->range_first;
        s->range_end = common->range_end;
        common->range_first = 0;
        common->range_end = UINT64_MAX;
    }
    if (s->has_time || s->invert || s->condition != NULL || s->from_byte != 0) {
        s->limit = common->limit;
        common->limit = UINT64_MAX;
    }
}

int cli_selector_open(cli_selector *s, cli_job *job)
{
    int by_field = s->by_field && is_timed(&job->common) &&
                   (job->journal == NULL || s->time_path != NULL || s->time_unit != NULL);
    int code = s->condition != NULL ? cli_schemas_require(&s->schemas, job, "--where")
               : by_field           ? cli_schemas_require(&s->schemas, job, "the time of a message")
                                    : cli_schemas_open_given(&s->schemas, job);
    if (code != CLI_DONE) {
        return code;
    }
    s->has_schemas = 1;
    if (s->condition != NULL) {
        code = cli_where_open(&s->where, job, &s->schemas, s->condition);
        s->has_where = code == CLI_DONE;
    }
    if (code == CLI_DONE && by_field) {
        code = cli_time_field_open(&s->time, job, &s->schemas, s->time_path, s->time_unit);
        s->has_time = code == CLI_DONE;
    }
    if (code != CLI_DONE) {
        cli_selector_close(s);
        return code;
    }
    take_over(s, &job->common);
    return CLI_DONE;
}

void cli_selector_close(cli_selector *s)
{
    if (s->has_time) {
        cli_time_field_close(&s->time);
    }
    if (s->has_where) {
        cli_where_close(&s->where);
    }
    if (s->has_schemas) {
        cli_schemas_close(&s->schemas);
    }
    s->has_time = s->has_where = s->has_schemas = 0;
}

uint32_t cli_type_of(const cli_schemas *schemas, const fls_message *message)
{
    return schemas->set.count == 1 ? 0
                                   : cli_schemas_select(schemas, message->payload, message->size);
}

/* A message without a time is at none. */
static int is_in_time(cli_selector *s, const fls_message *message)
{
    uint64_t at = message->time_ns;
    if (s->since_ns == 0 && s->until_ns == UINT64_MAX) {
        return 1;
    }
    if (s->has_time) {
        int64_t time_ns;
        uint32_t type = cli_type_of(&s->schemas, message);
        if (type == FLS_SCHEMA_NONE || !cli_time_of(&s->time, message, type, &time_ns)) {
            return 0;
        }
        at = time_ns < 0 ? 0 : (uint64_t)time_ns; /* all of --since and --until is behind 1970 */
    }
    return at >= s->since_ns && at < s->until_ns;
}

static int holds(cli_selector *s, const fls_message *message)
{
    uint32_t type;
    return message->ordinal >= s->range_first && message->ordinal < s->range_end &&
           message->offset >= s->from_byte && message->offset < s->end_byte &&
           is_in_time(s, message) &&
           (s->condition == NULL || cli_where_holds(&s->where, message, &type));
}

int cli_selector_judge(cli_selector *s, const fls_message *message)
{
    if (message->offset >= s->end_byte && !s->invert) {
        return CLI_SELECT_END;
    }
    s->looked_at++;
    if (holds(s, message) == s->invert) {
        return CLI_SELECT_NOT;
    }
    s->taken++;
    return CLI_SELECT_TAKE;
}

int cli_selector_is_full(const cli_selector *s)
{
    return s->taken >= s->limit;
}
