/* The two forms of the results: aligned text, a line a row, and JSON with everything. */
#include "harness_report.h"

#include <string.h>
#include <sys/utsname.h>

#include "flatstream/version.h"
#include "latency.h"

#ifndef FLS_BENCH_COMPILER
#define FLS_BENCH_COMPILER "unknown"
#endif

#define CELL_WIDTH 14

/* ---- the machine ---- */

/* The first line of a file that begins with key, or its first line at all; without what is before
 * a colon. */
static void first_line(const char *path, const char *key, char *text, size_t capacity)
{
    char line[256];
    FILE *file = fopen(path, "r");
    (void)snprintf(text, capacity, "unknown");
    if (file == NULL) {
        return;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            const char *from = *key != '\0' ? strchr(line, ':') : NULL;
            from = from != NULL ? from + 1 + strspn(from + 1, " \t") : line;
            (void)snprintf(text, capacity, "%.*s", (int)strcspn(from, "\n"), from);
            break;
        }
    }
    (void)fclose(file);
}

static void kernel_name(char *text, size_t capacity)
{
    struct utsname name;
    if (uname(&name) == 0) {
        (void)snprintf(text, capacity, "%s %s %s", name.sysname, name.release, name.machine);
    } else {
        (void)snprintf(text, capacity, "unknown");
    }
}

void report_machine(FILE *out, const bench_options *options)
{
    char cpu[128];
    char system[256];
    char pages[128];
    first_line("/proc/cpuinfo", "model name", cpu, sizeof cpu);
    first_line("/sys/kernel/mm/transparent_hugepage/enabled", "", pages, sizeof pages);
    kernel_name(system, sizeof system);
    (void)fprintf(out, "%s, flatstream %s\n", options->program, fls_version());
    (void)fprintf(out, "  CPU %s, pinned to %d; %s; huge pages %s\n", cpu, options->cpu, system,
                  pages);
    (void)fprintf(out, "  %s; checksum kernels %s; files in %s\n", FLS_BENCH_COMPILER,
                  fls_checksum_kernels(), options->directory);
    (void)fprintf(
        out, "  nanoseconds a message, medians of interleaved rounds; +- is half of p10..p90;\n"
             "  N.NNx is the median of the ratios to the limit within each round\n");
    if (options->cpu_time) {
        (void)fprintf(out, "  long runs by the CPU time of their thread\n");
    }
    if (options->smoke) {
        (void)fprintf(out, "  SMOKE RUN: the figures mean nothing\n");
    }
}

/* ---- text ---- */

static int column_width(const char *name)
{
    int length = (int)strlen(name);
    return (length > CELL_WIDTH ? length : CELL_WIDTH) + 2;
}

void report_heading(FILE *out, const bench_table *table)
{
    (void)fprintf(out, "\n%s [%s]\n  %s\n\n", table->title, table->key, table->note);
    (void)fprintf(out, "%9s  %-10s %9s %5s  %-15s", "payload", table->variant_title,
                  table->limit_title, "+-", table->rates ? "GB/s" : "by");
    for (size_t i = 0; i < BENCH_MAX_COLUMNS && table->columns[i] != NULL; i++) {
        (void)fprintf(out, "%*s", column_width(table->columns[i]), table->columns[i]);
    }
    (void)fprintf(out, "%7s  %s\n", "goal", "met");
}

static void print_bytes(char *text, size_t capacity, size_t bytes)
{
    if (bytes >= 1048576 && bytes % 1048576 == 0) {
        (void)snprintf(text, capacity, "%zu MiB", bytes / 1048576);
    } else if (bytes >= 1024 && bytes % 1024 == 0) {
        (void)snprintf(text, capacity, "%zu KiB", bytes / 1024);
    } else {
        (void)snprintf(text, capacity, "%zu B", bytes);
    }
}

static void print_ns(char *text, size_t capacity, double ns)
{
    int digits = ns < 10 ? 2 : (ns < 100 ? 1 : 0);
    (void)snprintf(text, capacity, "%.*f", digits, ns);
}

static const bench_measured *find_shown(const bench_result *result, const char *name)
{
    for (size_t i = 0; i < result->count; i++) {
        const bench_measured *one = &result->measured[i];
        if ((one->kind & BENCH_SHOWN) != 0 && strcmp(one->name, name) == 0) {
            return one;
        }
    }
    return NULL;
}

static void print_cell(FILE *out, const bench_measured *one, const char *column)
{
    char ns[24];
    char cell[48] = "-";
    if (one != NULL) {
        print_ns(ns, sizeof ns, one->ns.median);
        (void)snprintf(cell, sizeof cell, "%s %5.2fx", ns, one->ratio.median);
    }
    (void)fprintf(out, "%*s", column_width(column), cell);
}

void report_row(FILE *out, const bench_result *result)
{
    char bytes[24];
    char ns[24];
    bool judged = false;
    bool met = true;
    const bench_measured *limit = &result->measured[result->limit];
    double spread = (limit->ns.p90 - limit->ns.p10) / 2 / limit->ns.median * 100;
    print_bytes(bytes, sizeof bytes, result->payload_bytes);
    print_ns(ns, sizeof ns, limit->ns.median);
    char by[32];
    (void)snprintf(by, sizeof by, "%s", limit->name);
    if (result->table->rates) {
        (void)snprintf(by, sizeof by, "%.1f", result->bytes / result->messages / limit->ns.median);
    }
    (void)fprintf(out, "%9s  %-10s %9s %4.0f%%  %-15s", bytes, result->variant, ns, spread, by);
    for (size_t i = 0; i < BENCH_MAX_COLUMNS && result->table->columns[i] != NULL; i++) {
        const char *column = result->table->columns[i];
        print_cell(out, find_shown(result, column), column);
    }
    for (size_t i = 0; i < result->count; i++) {
        if ((result->measured[i].kind & BENCH_JUDGED) != 0 && result->goal > 0) {
            judged = true;
            met = met && result->measured[i].met;
        }
    }
    if (judged) {
        (void)fprintf(out, "%7.2f  %s\n", result->goal, met ? "yes" : "NO");
    } else {
        (void)fprintf(out, "%7s  -\n", "-");
    }
}

void report_goals(FILE *out, const bench_result *results, size_t count)
{
    size_t judged = 0;
    size_t met = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count; i++) {
            const bench_result *result = &results[i];
            for (size_t k = 0; k < result->count; k++) {
                const bench_measured *one = &result->measured[k];
                if ((one->kind & BENCH_JUDGED) == 0 || result->goal <= 0) {
                    continue;
                }
                if (pass == 0) {
                    judged++;
                    met += one->met;
                } else if (!one->met) {
                    (void)fprintf(
                        out, "  %-12s %8zu B  %-8s %-16s %6.2f, goal %.2f (p10..p90 %.2f..%.2f)\n",
                        result->table->key, result->payload_bytes, result->variant, one->name,
                        one->ratio.median, result->goal, one->ratio.p10, one->ratio.p90);
                }
            }
        }
        if (pass == 0) {
            (void)fprintf(out, "\nGoals met: %zu of %zu%s\n", met, judged,
                          met < judged ? "; not met:" : "");
        }
    }
}

/* ---- JSON ---- */

static void json_string(FILE *out, const char *text)
{
    (void)fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            (void)fputc('\\', out);
        }
        if ((unsigned char)*text >= 0x20) {
            (void)fputc(*text, out);
        }
    }
    (void)fputc('"', out);
}

static void json_member(FILE *out, const char *name, const char *text)
{
    (void)fprintf(out, "  \"%s\": ", name);
    json_string(out, text);
    (void)fputs(",\n", out);
}

static void json_quantiles(FILE *out, const char *name, const bench_quantiles *values)
{
    (void)fprintf(out, "\"%s\": {\"p10\": %.4f, \"median\": %.4f, \"p90\": %.4f}", name,
                  values->p10, values->median, values->p90);
}

static void json_result(FILE *out, const bench_result *result)
{
    (void)fputs("    {\"table\": ", out);
    json_string(out, result->table->key);
    (void)fprintf(out, ", \"payload_bytes\": %zu, \"variant\": ", result->payload_bytes);
    json_string(out, result->variant);
    (void)fprintf(out, ", \"messages\": %.0f, \"bytes\": %.0f, \"rounds\": %d, \"goal\": ",
                  result->messages, result->bytes, result->rounds);
    if (result->goal > 0) {
        (void)fprintf(out, "%.2f", result->goal);
    } else {
        (void)fputs("null", out);
    }
    (void)fputs(", \"limit\": ", out);
    json_string(out, result->measured[result->limit].name);
    (void)fputs(", \"measured\": [", out);
    for (size_t i = 0; i < result->count; i++) {
        const bench_measured *one = &result->measured[i];
        bool judged = (one->kind & BENCH_JUDGED) != 0 && result->goal > 0;
        (void)fputs(i == 0 ? "\n      {\"name\": " : ",\n      {\"name\": ", out);
        json_string(out, one->name);
        (void)fprintf(out, ", \"is_limit\": %s, ",
                      (one->kind & BENCH_LIMIT) != 0 ? "true" : "false");
        json_quantiles(out, "ns", &one->ns);
        (void)fputs(", ", out);
        json_quantiles(out, "ratio", &one->ratio);
        (void)fprintf(out, ", \"met\": %s}", judged ? (one->met ? "true" : "false") : "null");
    }
    (void)fputs("]}", out);
}

bool report_json(const char *path, const bench_options *options, const bench_result *results,
                 size_t count)
{
    char text[256];
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        return false;
    }
    (void)fputs("{\n", out);
    json_member(out, "program", options->program);
    json_member(out, "version", fls_version());
    first_line("/proc/cpuinfo", "model name", text, sizeof text);
    json_member(out, "cpu", text);
    kernel_name(text, sizeof text);
    json_member(out, "system", text);
    json_member(out, "compiler", FLS_BENCH_COMPILER);
    json_member(out, "checksum_kernels", fls_checksum_kernels());
    (void)fprintf(out, "  \"cpu_time\": %s,\n  \"smoke\": %s,\n  \"rows\": [",
                  options->cpu_time ? "true" : "false", options->smoke ? "true" : "false");
    for (size_t i = 0; i < count; i++) {
        (void)fputs(i == 0 ? "\n" : ",\n", out);
        json_result(out, &results[i]);
    }
    (void)fputs("\n  ],\n  \"latencies\": ", out);
    latency_json(out);
    (void)fputs("\n}\n", out);
    bool good = ferror(out) == 0;
    return fclose(out) == 0 && good;
}
