/* Statistics of columns. */
#include "series.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_START = 10 }; /* the width of a window's start */

/* That are gathered; a small message can have many. */
#define MOST_VALUES ((size_t)1 << 20)

static fls_value_kind number_kind(const fls_path *path)
{
    fls_value_kind kind = fls_path_kind(path);
    return kind == FLS_VALUE_BOOL ? FLS_VALUE_U64 : kind;
}

/* Whether a column is of numbers in every type, and of which kind. */
static int check_kinds(cli_series_set *set, cli_job *job, uint32_t index)
{
    const cli_column *column = &set->columns->columns[index];
    for (uint32_t i = 0; i < set->columns->schemas->set.count; i++) {
        if (column->paths[i] == NULL) {
            continue;
        }
        if (fls_path_kind(column->paths[i]) == FLS_VALUE_STRING) {
            return cli_usage(job,
                             "--select: '%s' is text; statistics are of numbers, such as its "
                             ".length",
                             column->name);
        }
        set->as_float[index] |= number_kind(column->paths[i]) != number_kind(column->any);
    }
    return CLI_DONE;
}

int cli_series_open(cli_series_set *set, cli_job *job, cli_columns *columns)
{
    memset(set, 0, sizeof *set);
    set->columns = columns;
    set->checked = columns->schemas->set.count;
    for (uint32_t i = 0; i < columns->count; i++) {
        int code = check_kinds(set, job, i);
        if (code == CLI_DONE &&
            fls_statistics_new(&set->series[i].statistics, NULL, NULL) != FLS_OK) {
            code = cli_complain_errno(job, NULL, NULL, ENOMEM);
        }
        if (code != CLI_DONE) {
            cli_series_close(set);
            return code;
        }
    }
    return CLI_DONE;
}

void cli_series_close(cli_series_set *set)
{
    for (uint32_t i = 0; set->columns != NULL && i < set->columns->count; i++) {
        fls_statistics_free(set->series[i].statistics);
        set->series[i].statistics = NULL;
    }
}

void cli_series_reset(cli_series_set *set)
{
    set->messages = 0;
    for (uint32_t i = 0; i < set->columns->count; i++) {
        fls_statistics_reset(set->series[i].statistics);
    }
}

static fls_value number_of(const fls_value *given, int as_float)
{
    fls_value value = *given;
    if (as_float && value.kind != FLS_VALUE_ABSENT && value.kind != FLS_VALUE_F64) {
        value.as.f = value.kind == FLS_VALUE_I64 ? (double)value.as.i : (double)value.as.u;
        value.kind = FLS_VALUE_F64;
    }
    value.enumeration = FLS_SCHEMA_NONE; /* the number, not the name */
    return value;
}

typedef struct adding {
    fls_statistics *statistics;
    cli_series_values *values; /* where they are gathered instead; or NULL */
    uint32_t column;
    int as_float;
    uint64_t added;
} adding;

static int gather_value(cli_series_values *values, uint32_t column, const fls_value *value)
{
    if (values->count == values->capacity) {
        size_t capacity = values->capacity > 0 ? values->capacity * 2 : 1024;
        cli_series_value *larger =
            capacity <= MOST_VALUES ? realloc(values->all, capacity * sizeof *larger) : NULL;
        if (larger == NULL) {
            return 1;
        }
        values->all = larger;
        values->capacity = capacity;
    }
    values->all[values->count++] = (cli_series_value){column, *value};
    return 0;
}

static int add_value(void *self, const fls_value *given)
{
    adding *add = self;
    fls_value value = number_of(given, add->as_float);
    add->added++;
    return add->values != NULL ? gather_value(add->values, add->column, &value)
                               : fls_statistics_add(add->statistics, &value, NULL) != FLS_OK;
}

/* A type that came up late may have text there. */
static const fls_path *path_of_numbers(cli_series_set *set, uint32_t index, uint32_t type)
{
    cli_column *column = &set->columns->columns[index];
    const fls_path *path = cli_column_path(column, type);
    if (path == NULL || type < set->checked) {
        return path;
    }
    int fits = fls_path_kind(path) != FLS_VALUE_STRING &&
               (set->as_float[index] || number_kind(path) == number_kind(column->any));
    return fits ? path : NULL;
}

/* The values of one column. 0 when there is no room for them. */
static int add_column(cli_series_set *set, adding *add, const fls_message *message, uint32_t type)
{
    const fls_path *path = path_of_numbers(set, add->column, type);
    fls_value value = {.kind = FLS_VALUE_ABSENT, .enumeration = FLS_SCHEMA_NONE};
    if (path != NULL && fls_path_is_many(path)) {
        if (fls_path_each(path, message->payload, message->size, add_value, add) != 0) {
            return 0;
        }
    } else if (path != NULL) {
        fls_path_get(path, message->payload, message->size, &value);
    }
    return add->added > 0 || add_value(add, &value) == 0;
}

int cli_series_add(cli_series_set *set, const fls_message *message, uint32_t type)
{
    set->messages++;
    for (uint32_t i = 0; i < set->columns->count; i++) {
        adding add = {set->series[i].statistics, NULL, i, set->as_float[i], 0};
        if (!add_column(set, &add, message, type)) {
            return 0;
        }
    }
    return 1;
}

int cli_series_gather(cli_series_set *set, cli_series_values *values, const fls_message *message,
                      uint32_t type)
{
    size_t before = values->count;
    for (uint32_t i = 0; i < set->columns->count; i++) {
        adding add = {NULL, values, i, set->as_float[i], 0};
        if (!add_column(set, &add, message, type)) {
            values->count = before;
            return 0;
        }
    }
    return 1;
}

int cli_series_add_gathered(cli_series_set *set, const cli_series_value *values, size_t count)
{
    set->messages++;
    for (size_t i = 0; i < count; i++) {
        fls_statistics *statistics = set->series[values[i].column].statistics;
        if (fls_statistics_add(statistics, &values[i].value, NULL) != FLS_OK) {
            return 0;
        }
    }
    return 1;
}

/* ---- reports ---- */

static void put_number(cli_json *json, const char *key, const fls_value *value)
{
    char buffer[FLS_VALUE_TEXT_BYTES];
    size_t size;
    if (value->kind == FLS_VALUE_ABSENT ||
        (value->kind == FLS_VALUE_F64 && value->as.f - value->as.f != 0)) {
        cli_json_null(json, key);
    } else {
        cli_json_literal(json, key, fls_value_text(value, NULL, buffer, &size));
    }
}

static void put_double(cli_json *json, const char *key, double number)
{
    fls_value value = {.kind = FLS_VALUE_F64};
    value.as.f = number;
    put_number(json, key, &value);
}

static void put_quantile(cli_json *json, const char *key, fls_statistics *statistics, double share)
{
    fls_value value;
    fls_statistics_quantile(statistics, share, &value);
    put_number(json, key, &value);
}

void cli_series_json(cli_series_set *set, cli_json *json)
{
    cli_json_open_list(json, "columns");
    for (uint32_t i = 0; i < set->columns->count; i++) {
        fls_statistics *statistics = set->series[i].statistics;
        fls_summary summary;
        fls_statistics_summary(statistics, &summary);
        cli_json_open_object(json, NULL);
        cli_json_text(json, "path", set->columns->columns[i].name);
        cli_json_count(json, "count", summary.count);
        cli_json_count(json, "absent", summary.absent);
        cli_json_count(json, "nan", summary.not_numbers);
        put_number(json, "min", &summary.min);
        put_number(json, "max", &summary.max);
        put_number(json, "sum", &summary.sum);
        put_double(json, "mean", summary.mean);
        put_double(json, "deviation", summary.deviation);
        put_quantile(json, "p01", statistics, 0.01);
        put_quantile(json, "median", statistics, 0.5);
        put_quantile(json, "p90", statistics, 0.9);
        put_quantile(json, "p99", statistics, 0.99);
        cli_json_bool(json, "exact_quantiles", (int)summary.is_exact);
        cli_json_close_object(json);
    }
    cli_json_close_list(json);
}

static int name_width(const cli_series_set *set)
{
    size_t width = 4;
    for (uint32_t i = 0; i < set->columns->count; i++) {
        size_t length = strlen(set->columns->columns[i].name);
        width = length > width ? length : width;
    }
    return (int)(width < 40 ? width : 40);
}

void cli_series_table_head(const cli_series_set *set, cli_out *out, const char *start)
{
    if (start != NULL) {
        int width = (int)strlen(start);
        cli_out_format(out, "%-*s  ", width < LEAST_START ? LEAST_START : width, "start");
    }
    cli_out_format(out, "%-*s %10s %8s %12s %12s %12s %12s %12s %12s\n", name_width(set), "path",
                   "count", "absent", "min", "median", "mean", "p99", "max", "deviation");
}

/* Whole numbers whole while they fit; others with six digits. */
static void put_cell(cli_out *out, const fls_value *value)
{
    char buffer[FLS_VALUE_TEXT_BYTES];
    size_t size;
    if (value->kind == FLS_VALUE_ABSENT) {
        cli_out_format(out, " %12s", "-");
    } else if (value->kind == FLS_VALUE_F64) {
        cli_out_format(out, " %12.6g", value->as.f);
    } else {
        cli_out_format(out, " %12s", fls_value_text(value, NULL, buffer, &size));
    }
}

static void put_cell_number(cli_out *out, double number)
{
    fls_value value = {.kind = number != number ? FLS_VALUE_ABSENT : FLS_VALUE_F64};
    value.as.f = number;
    put_cell(out, &value);
}

void cli_series_table(cli_series_set *set, cli_out *out, const char *start)
{
    for (uint32_t i = 0; i < set->columns->count; i++) {
        fls_statistics *statistics = set->series[i].statistics;
        fls_summary summary;
        fls_value median;
        fls_value p99;
        fls_statistics_summary(statistics, &summary);
        fls_statistics_quantile(statistics, 0.5, &median);
        fls_statistics_quantile(statistics, 0.99, &p99);
        if (start != NULL) {
            cli_out_format(out, "%-*s  ", LEAST_START, start);
        }
        cli_out_format(out, "%-*s %10llu %8llu", name_width(set), set->columns->columns[i].name,
                       (unsigned long long)summary.count, (unsigned long long)summary.absent);
        put_cell(out, &summary.min);
        put_cell(out, &median);
        put_cell_number(out, summary.mean);
        put_cell(out, &p99);
        put_cell(out, &summary.max);
        put_cell_number(out, summary.deviation);
        cli_out_text(out, "\n");
    }
}
