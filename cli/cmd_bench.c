/* flatstream bench: what this machine does, in a few seconds. */
#include <stdio.h>
#include <string.h>

#include "bench_rows.h"
#include "command_line.h"
#include "commands.h"
#include "report.h"

enum { ID_FOLDER = CLI_ID_FIRST };

static const char *const synopsis[] = {"[--folder DIR] [--json]", NULL};
static const char *const description[] = {
    "Measures copying, each checksum, writing and reading messages in memory, writing and reading "
    "a file in the page cache, and making an append durable, on one core. Figures are medians of "
    "several rounds. What happens in memory is compared with a memcpy of the same payloads, a file "
    "with the bare system calls for the same bytes, measured in the same run.",
    "Absolute figures belong to this machine and this moment; compare ratios.", NULL};
static const cli_option option_table[] = {
    {ID_FOLDER, "folder", "DIR", "Where the file of 64 MiB is made for a moment; . unless given."},
    {0, NULL, NULL, NULL}};
static const cli_pair keys[] = {
    {"version, kernels", "What was measured."},
    {"rows",
     "A list of what, checksum, message_bytes, ns (a message, or the whole work where there are no "
     "messages), spread (half of the middle half of the rounds, as a share), gb_s, limit, ratio."},
    {"ok", "Whether everything could be measured."},
    {NULL, NULL}};
static const cli_pair exits[] = {
    {"0", "Measured."}, {"2", "Wrong usage."}, {"3", "DIR cannot be written."}, {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream bench --folder /mnt/capture", "How fast is this machine, and that disk?"},
    {NULL, NULL}};

static void put_json(cli_out *out, const bench_table *table)
{
    cli_json json;
    cli_json_begin(&json, out);
    cli_json_text(&json, "version", fls_version());
    cli_json_text(&json, "kernels", fls_checksum_kernels());
    cli_json_open_list(&json, "rows");
    for (size_t i = 0; i < table->count; i++) {
        const bench_row *row = &table->rows[i];
        cli_json_open_object(&json, NULL);
        cli_json_text(&json, "what", row->what);
        cli_json_text(&json, "checksum", row->checksum);
        cli_json_count(&json, "message_bytes", row->message_bytes);
        cli_json_number(&json, "ns", row->ns);
        cli_json_number(&json, "spread", row->spread);
        if (row->gb_s > 0) {
            cli_json_number(&json, "gb_s", row->gb_s);
        } else {
            cli_json_null(&json, "gb_s");
        }
        cli_json_text(&json, "limit", row->limit);
        if (row->limit_ns > 0) {
            cli_json_number(&json, "ratio", row->ns / row->limit_ns);
        } else {
            cli_json_null(&json, "ratio");
        }
        cli_json_close_object(&json);
    }
    cli_json_close_list(&json);
    cli_json_bool(&json, "ok", 1);
    cli_json_end(&json);
}

static void print(cli_out *out, const bench_table *table)
{
    char size[CLI_NUMBER];
    char time[CLI_NUMBER];
    const char *before = NULL;
    cli_out_format(out, "flatstream %s, %s\n\n", fls_version(), fls_checksum_kernels());
    cli_out_format(out, "%-21s %-8s %12s %10s %7s %9s  %s\n", "what", "checksum", "bytes", "time",
                   "spread", "GB/s", "ratio");
    for (size_t i = 0; i < table->count; i++) {
        const bench_row *row = &table->rows[i];
        if (before != NULL && strcmp(row->what, "memcpy") == 0) {
            cli_out_text(out, "\n");
        }
        cli_out_format(out, "%-21s %-8s %12s %10s %5.1f %%", row->what,
                       row->checksum != NULL ? row->checksum : "",
                       cli_count(size, row->message_bytes), cli_duration(time, row->ns / 1e9),
                       row->spread * 100);
        if (row->gb_s > 0) {
            cli_out_format(out, " %9.2f", row->gb_s);
        }
        if (row->limit_ns > 0) {
            cli_out_format(out, "  %.2f x %s", row->ns / row->limit_ns, row->limit);
        }
        cli_out_text(out, "\n");
        before = row->what;
    }
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    bench_table table = {.job = job, .folder = "."};
    cli_out out;
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        table.folder = argument;
    }
    if (id < 0) {
        return job->option_exit;
    }
    if (job->operand_count > 0) {
        return cli_usage(job, "bench takes no operands");
    }
    int code = bench_memory(&table);
    if (code == CLI_DONE) {
        code = bench_files(&table);
    }
    if (code == CLI_DONE) {
        code = cli_out_open(&out, job, NULL, NULL);
    }
    if (code != CLI_DONE) {
        return code;
    }
    if (job->common.json) {
        put_json(&out, &table);
    } else {
        print(&out, &table);
    }
    return cli_out_end(&out, CLI_DONE);
}

const cli_command cli_cmd_bench = {
    "bench",        "what this machine does: copy, checksum, frame, disk, sync",
    synopsis,       description,
    CLI_TAKES_JSON, option_table,
    keys,           exits,
    examples,       run};
