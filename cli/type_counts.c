/* Counting messages by type. */
#include "type_counts.h"

#include <stdio.h>
#include <string.h>

#include "complain.h"

int cli_type_counts_open(cli_type_counts *counts, cli_job *job, const char *time_path,
                         const char *time_unit)
{
    memset(counts, 0, sizeof *counts);
    int code = time_path != NULL ? cli_schemas_require(&counts->schemas, job, "--time")
                                 : cli_schemas_open(&counts->schemas, job);
    if (code != CLI_DONE) {
        return code;
    }
    counts->timed = time_path != NULL || cli_time_field_guess(&counts->time, &counts->schemas);
    if (counts->timed) {
        code = cli_time_field_open(&counts->time, job, &counts->schemas, time_path, time_unit);
        if (code != CLI_DONE) {
            cli_schemas_close(&counts->schemas);
        }
    }
    return code;
}

void cli_type_counts_close(cli_type_counts *counts)
{
    if (counts->timed) {
        cli_time_field_close(&counts->time);
    }
    cli_schemas_close(&counts->schemas);
}

/* Takes the least and the largest of count times. */
static void add_times(cli_type_tally *tally, int64_t first, int64_t last, uint64_t count)
{
    if (count > 0 && (tally->with_time == 0 || first < tally->time_first)) {
        tally->time_first = first;
    }
    if (count > 0 && (tally->with_time == 0 || last > tally->time_last)) {
        tally->time_last = last;
    }
    tally->with_time += count;
}

void cli_type_counts_add(cli_type_counts *counts, cli_type_tally *tally, const fls_message *message)
{
    fls_error err = FLS_ERROR_INIT;
    uint32_t type;
    int64_t time;
    if (counts->schemas.set.count == 0) {
        return;
    }
    if (cli_schemas_check(&counts->schemas, message, &type, &err) == FLS_OK) {
        tally->of[type].messages++;
        tally->of[type].bytes += message->size;
        if (counts->timed && cli_time_of(&counts->time, message, type, &time)) {
            add_times(tally, time, time, 1);
        }
    } else if (tally->refused++ == 0) {
        tally->first = err;
    }
}

void cli_type_tally_merge(cli_type_tally *tally, const cli_type_tally *other,
                          uint64_t first_ordinal)
{
    for (uint32_t i = 0; i < FLS_SCHEMA_SET_MOST; i++) {
        tally->of[i].messages += other->of[i].messages;
        tally->of[i].bytes += other->of[i].bytes;
    }
    if (tally->refused == 0 && other->refused > 0) {
        tally->first = other->first;
        tally->first.ordinal += first_ordinal;
    }
    tally->refused += other->refused;
    add_times(tally, other->time_first, other->time_last, other->with_time);
}

/* The identifier of a type, or "". */
static const char *identifier_of(const fls_message_type *type, char text[5])
{
    memcpy(text, type->identifier, 4);
    text[4] = '\0';
    return text;
}

static void put_time(cli_json *json, const cli_type_counts *counts)
{
    char text[32];
    if (counts->all.with_time == 0) {
        cli_json_null(json, "time");
        return;
    }
    cli_json_open_object(json, "time");
    cli_json_text(json, "path", counts->time.column.name);
    snprintf(text, sizeof text, "%lld", (long long)counts->all.time_first);
    cli_json_literal(json, "first_ns", text);
    snprintf(text, sizeof text, "%lld", (long long)counts->all.time_last);
    cli_json_literal(json, "last_ns", text);
    cli_json_count(json, "messages", counts->all.with_time);
    cli_json_close_object(json);
}

void cli_type_counts_put_json(cli_json *json, const cli_type_counts *counts)
{
    const cli_schemas *schemas = &counts->schemas;
    char text[32];
    if (schemas->set.count == 0) {
        return;
    }
    cli_json_open_list(json, "types");
    for (uint32_t i = 0; i < schemas->set.count; i++) {
        const fls_message_type *type = &schemas->set.types[i];
        cli_json_open_object(json, NULL);
        cli_json_text(json, "type", cli_schemas_type_name(schemas, i));
        cli_json_text(json, "schema", schemas->paths[i]);
        snprintf(text, sizeof text, "%016llx", (unsigned long long)fls_schema_hash(type->schema));
        cli_json_text(json, "schema_hash", text);
        cli_json_text(json, "identifier",
                      type->identifier[0] != '\0' ? identifier_of(type, text) : NULL);
        cli_json_count(json, "messages", counts->all.of[i].messages);
        cli_json_count(json, "payload_bytes", counts->all.of[i].bytes);
        cli_json_close_object(json);
    }
    cli_json_close_list(json);
    cli_json_count(json, "refused", counts->all.refused);
    if (counts->all.refused > 0) {
        cli_json_fault(json, "refusal", &counts->all.first,
                       cli_fault_kind(counts->all.first.status));
    } else {
        cli_json_null(json, "refusal");
    }
    put_time(json, counts);
}

void cli_type_counts_print(cli_out *out, const cli_type_counts *counts)
{
    const cli_schemas *schemas = &counts->schemas;
    char sentence[400];
    char text[CLI_NUMBER];
    char bytes[CLI_NUMBER];
    for (uint32_t i = 0; i < schemas->set.count; i++) {
        const fls_message_type *type = &schemas->set.types[i];
        cli_out_format(out, "%-13s%s: %s messages, %s bytes\n", i == 0 ? "types" : "",
                       cli_schemas_type_name(schemas, i),
                       cli_count(text, counts->all.of[i].messages),
                       cli_count(bytes, counts->all.of[i].bytes));
        cli_out_format(out, "             schema %s, hash %016llx", schemas->paths[i],
                       (unsigned long long)fls_schema_hash(type->schema));
        if (type->identifier[0] != '\0') {
            cli_out_format(out, ", identifier %s", identifier_of(type, text));
        }
        cli_out_text(out, "\n");
    }
    if (counts->all.with_time > 0) {
        char from[CLI_TIME_TEXT];
        char to[CLI_TIME_TEXT];
        uint64_t span = (uint64_t)counts->all.time_last - (uint64_t)counts->all.time_first;
        cli_out_format(out, "time         %s to %s (%s, by %s)\n",
                       cli_time_text(from, counts->all.time_first, 1000),
                       cli_time_text(to, counts->all.time_last, 1000),
                       cli_duration(text, (double)span / 1e9), counts->time.column.name);
    }
    if (counts->all.refused > 0) {
        cli_error_sentence(&counts->all.first, sentence, sizeof sentence);
        cli_out_format(out,
                       "refused      %s messages; the first at offset %llu, message %llu\n"
                       "             %s\n",
                       cli_count(text, counts->all.refused),
                       (unsigned long long)counts->all.first.offset,
                       (unsigned long long)counts->all.first.ordinal, sentence);
    }
}
