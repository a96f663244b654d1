/* flatstream version: what this build is, and what it uses of this machine. */
#include "command_line.h"
#include "commands.h"
#include "report.h"

static const char *const synopsis[] = {"[--json]", NULL};
static const char *const description[] = {
    "Tells the versions of the tool and of the library in it, how it was built, what it was built "
    "without, and which checksum kernels this machine's CPU lets it use.",
    NULL};
static const cli_pair keys[] = {{"version", "The library's version, which is the tool's too."},
                                {"compiler", "What built it."},
                                {"optimized, assertions", "How, as true or false."},
                                {"kernels", "Checksum kernels in use."},
                                {"without", "A list of what this version does not have."},
                                {NULL, NULL}};
static const cli_pair exits[] = {{"0", "Shown."}, {"2", "Wrong usage."}, {NULL, NULL}};
static const cli_pair examples[] = {{"flatstream version", "All of it:"}, {NULL, NULL}};

static const char *const without[] = {"bridges",
#ifndef FLS_WITH_ZSTD
                                      "zstd"
#endif
};

#if defined(__clang__)
static const char compiler[] = "clang " __clang_version__;
#elif defined(__GNUC__)
static const char compiler[] = "gcc " __VERSION__;
#else
static const char compiler[] = "another C11 compiler";
#endif

#ifdef __OPTIMIZE__
enum { OPTIMIZED = 1 };
#else
enum { OPTIMIZED = 0 };
#endif

#ifdef NDEBUG
enum { ASSERTIONS = 0 };
#else
enum { ASSERTIONS = 1 };
#endif

static void put_json(cli_out *out)
{
    cli_json json;
    cli_json_begin(&json, out);
    cli_json_text(&json, "version", fls_version());
    cli_json_text(&json, "compiler", compiler);
    cli_json_bool(&json, "optimized", OPTIMIZED);
    cli_json_bool(&json, "assertions", ASSERTIONS);
    cli_json_text(&json, "kernels", fls_checksum_kernels());
    cli_json_open_list(&json, "without");
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        cli_json_text(&json, NULL, without[i]);
    }
    cli_json_close_list(&json);
    cli_json_end(&json);
}

static void print(cli_out *out)
{
    cli_out_format(out, "flatstream %s\n", fls_version());
    cli_out_format(out, "built by   %s%s%s\n", compiler, OPTIMIZED ? ", optimized" : "",
                   ASSERTIONS ? ", with assertions" : "");
    cli_out_format(out, "kernels    %s\n", fls_checksum_kernels());
    cli_out_text(out, "without    ");
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        cli_out_format(out, "%s%s", i > 0 ? ", " : "", without[i]);
    }
    cli_out_text(out, "\n");
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    cli_out out;
    if (cli_next_option(job, argc, argv, &argument) < 0) {
        return job->option_exit;
    }
    if (job->operand_count > 0) {
        return cli_usage(job, "version takes no operands");
    }
    int code = cli_out_open(&out, job, NULL, NULL);
    if (code != CLI_DONE) {
        return code;
    }
    if (job->common.json) {
        put_json(&out);
    } else {
        print(&out);
    }
    return cli_out_end(&out, CLI_DONE);
}

const cli_command cli_cmd_version = {"version",      "versions, build options, CPU features in use",
                                     synopsis,       description,
                                     CLI_TAKES_JSON, NULL,
                                     keys,           exits,
                                     examples,       run};
