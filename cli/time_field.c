/* Times of messages. */
#include "time_field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "complain.h"

#define SECOND_NS INT64_C(1000000000)

typedef struct unit_of_time {
    const char *name;
    uint64_t ns;
} unit_of_time;

static const unit_of_time units[] = {{"ns", 1},
                                     {"us", 1000},
                                     {"ms", 1000000},
                                     {"s", 1000000000},
                                     {"m", UINT64_C(60000000000)},
                                     {"h", UINT64_C(3600000000000)},
                                     {"d", UINT64_C(86400000000000)}};

/* Of ns, us, ms and s, which names of fields end in; 0 for others. */
static uint64_t unit_named(const char *name)
{
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(name, units[i].name) == 0) {
            return units[i].ns;
        }
    }
    return 0;
}

static uint64_t unit_of_field(const char *path)
{
    const char *line = strrchr(path, '_');
    return line != NULL ? unit_named(line + 1) : 0;
}

/* A field of the root that is a number and called time_ns, timestamp_us, ts_ms or the like. */
static int guess(cli_time_field *field, const cli_schemas *schemas)
{
    const fls_message_type *type = &schemas->set.types[0];
    fls_schema_object root;
    fls_schema_get_object(type->schema, type->root, &root);
    for (uint32_t i = 0; i < root.field_count; i++) {
        fls_schema_field info;
        fls_schema_get_field(type->schema, type->root, i, &info);
        int is_number = info.type >= FLS_TYPE_I8 && info.type <= FLS_TYPE_F64;
        int is_time = strstr(info.name, "time") != NULL || strncmp(info.name, "ts_", 3) == 0;
        if (is_number && is_time && unit_of_field(info.name) != 0 &&
            !(info.flags & FLS_FIELD_DEPRECATED) && strlen(info.name) < sizeof field->name) {
            snprintf(field->name, sizeof field->name, "%s", info.name);
            return 1;
        }
    }
    return 0;
}

int cli_time_field_open(cli_time_field *field, cli_job *job, const cli_schemas *schemas,
                        const char *path, const char *unit)
{
    memset(field, 0, sizeof *field);
    if (unit != NULL && unit_named(unit) == 0) {
        return cli_usage(job, "'%s' is not a unit of --time-unit: ns, us, ms or s", unit);
    }
    if (path == NULL) {
        if (!guess(field, schemas)) {
            return cli_usage(job, "which field is the time? --time PATH");
        }
        path = field->name;
        cli_detail(job, "the time of a message is %s", path);
    }
    field->unit_ns = unit != NULL ? unit_named(unit) : unit_of_field(path);
    if (field->unit_ns == 0) {
        return cli_usage(job, "what does '%s' count? --time-unit ns|us|ms|s", path);
    }
    int code = cli_column_open(&field->column, job, schemas, "--time", path);
    if (code == CLI_DONE) {
        fls_value_kind kind = fls_path_kind(field->column.any);
        if (kind == FLS_VALUE_STRING || kind == FLS_VALUE_BOOL ||
            fls_path_is_many(field->column.any)) {
            cli_time_field_close(field);
            return cli_usage(job, "--time: '%s' is not one number", path);
        }
    }
    return code;
}

int cli_time_field_guess(cli_time_field *field, const cli_schemas *schemas)
{
    memset(field, 0, sizeof *field);
    return schemas->set.count > 0 && guess(field, schemas);
}

void cli_time_field_close(cli_time_field *field)
{
    cli_column_close(&field->column);
}

int cli_time_of(cli_time_field *field, const fls_message *message, uint32_t type, int64_t *time_ns)
{
    const int64_t most = INT64_MAX / (int64_t)field->unit_ns;
    fls_value value;
    const fls_path *path = cli_column_path(&field->column, type);
    if (path == NULL) {
        return 0;
    }
    fls_path_get(path, message->payload, message->size, &value);
    switch (value.kind) {
    case FLS_VALUE_U64:
        if (value.as.u > (uint64_t)most) {
            return 0;
        }
        break;
    case FLS_VALUE_I64:
        if (value.as.i > most || value.as.i < -most) {
            return 0;
        }
        break;
    case FLS_VALUE_F64: {
        double ns = value.as.f * (double)field->unit_ns;
        if (!(ns > -9.2e18 && ns < 9.2e18)) {
            return 0;
        }
        *time_ns = (int64_t)ns - (ns < (double)(int64_t)ns);
        return 1;
    }
    default: return 0;
    }
    *time_ns = value.as.i * (int64_t)field->unit_ns;
    return 1;
}

int cli_parse_duration(const char *text, int64_t *duration_ns)
{
    size_t digits = strspn(text, "0123456789.");
    char *end;
    if (digits == 0 || digits > 20) {
        return 0;
    }
    double number = strtod(text, &end);
    for (size_t i = 0; end == text + digits && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].name) == 0) {
            double ns = number * (double)units[i].ns + 0.5;
            if (!(ns >= 1 && ns < 9.2e18)) {
                return 0;
            }
            *duration_ns = (int64_t)ns;
            return 1;
        }
    }
    return 0;
}

const char *cli_time_text(char buffer[CLI_TIME_TEXT], int64_t time_ns, int64_t step_ns)
{
    const int64_t year_2001 = INT64_C(978307200) * SECOND_NS;
    const int64_t year_2100 = INT64_C(4102444800) * SECOND_NS;
    int64_t second = time_ns / SECOND_NS;
    int64_t rest = time_ns % SECOND_NS;
    int decimals = step_ns % SECOND_NS == 0 ? 0 : step_ns % 1000000 == 0 ? 3 : 9;
    char fraction[16] = "";
    if (rest < 0) {
        rest += SECOND_NS;
        second--;
    }
    if (decimals > 0) {
        snprintf(fraction, sizeof fraction, ".%0*lld", decimals,
                 (long long)(decimals == 3 ? rest / 1000000 : rest));
    }
    if (time_ns >= year_2001 && time_ns < year_2100) {
        time_t whole = (time_t)second;
        struct tm date;
        char day[32];
        if (gmtime_r(&whole, &date) != NULL &&
            strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &date) > 0) {
            snprintf(buffer, CLI_TIME_TEXT, "%s%sZ", day, fraction);
            return buffer;
        }
    }
    if (second < 0 && rest > 0 && decimals > 0) {
        snprintf(buffer, CLI_TIME_TEXT, "%.*f", decimals, (double)time_ns / (double)SECOND_NS);
    } else {
        snprintf(buffer, CLI_TIME_TEXT, "%lld%s", (long long)second, fraction);
    }
    return buffer;
}
