/* Help for a terminal and source for man pages. */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "command_line.h"
#include "output.h"

#define WIDTH 80

/* Text broken into lines of WIDTH columns at most, each after `indent` spaces. */
static void wrap(cli_out *out, const char *text, int indent)
{
    int column = 0;
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (column == 0) {
            cli_out_format(out, "%*s", indent, "");
            column = indent;
        } else if (column + 1 + length > WIDTH) {
            cli_out_format(out, "\n%*s", indent, "");
            column = indent;
        } else {
            cli_out_text(out, " ");
            column++;
        }
        cli_out_bytes(out, text, (size_t)length);
        column += length;
        text += length;
        text += strspn(text, " ");
    }
    cli_out_text(out, "\n");
}

static void show_option(cli_out *out, const cli_option *option)
{
    char letter[8] = "    ";
    if (option->id < CLI_ID_FIRST) {
        snprintf(letter, sizeof letter, "-%c, ", option->id);
    }
    cli_out_format(out, "  %s--%s%s%s\n", letter, option->name, option->argument != NULL ? " " : "",
                   option->argument != NULL ? option->argument : "");
    wrap(out, option->help, 10);
}

static void show_pairs(cli_out *out, const char *title, const cli_pair *pairs, int wide)
{
    if (pairs == NULL || pairs[0].term == NULL) {
        return;
    }
    cli_out_format(out, "\n%s:\n", title);
    for (; pairs->term != NULL; pairs++) {
        if (wide) {
            cli_out_format(out, "  %s\n", pairs->term);
            wrap(out, pairs->text, 10);
        } else {
            cli_out_format(out, "  %-8s%s\n", pairs->term, pairs->text);
        }
    }
}

static void show_usage(cli_out *out, const cli_command *command, int first)
{
    for (size_t i = 0; command->synopsis[i] != NULL; i++) {
        cli_out_format(out, "%s flatstream %s %s\n", first && i == 0 ? "Usage:" : "      ",
                       command->name, command->synopsis[i]);
    }
}

static void show_command(cli_out *out, const cli_command *command)
{
    const cli_option *option;
    const cli_command *const *parts = cli_command_parts(command);
    show_usage(out, command, 1);
    for (size_t i = 0; parts != NULL && parts[i] != NULL; i++) {
        cli_out_format(out, "\n%s: %s\n", parts[i]->name, parts[i]->summary);
        show_usage(out, parts[i], 0);
    }
    for (size_t i = 0; command->description[i] != NULL; i++) {
        cli_out_text(out, "\n");
        wrap(out, command->description[i], 0);
    }
    cli_out_text(out, "\nOptions:\n");
    for (option = command->options; option != NULL && option->name != NULL; option++) {
        show_option(out, option);
    }
    for (size_t i = 0; (option = cli_common_option(command, i)) != NULL; i++) {
        show_option(out, option);
    }
    show_pairs(out, "Keys of the --json report", command->keys, 1);
    show_pairs(out, "Exit codes", command->exits, 0);
    cli_out_text(out, "\nExamples:\n");
    for (const cli_pair *example = command->examples; example->term != NULL; example++) {
        wrap(out, example->text, 2);
        cli_out_format(out, "      %s\n", example->term);
    }
}

static void show_tool(cli_out *out)
{
    cli_out_text(out, "Usage: flatstream <command> [options] [FILE...]\n\n"
                      "Streams of FlatBuffers messages: write, read, check, recover and move "
                      "them.\n\nCommands:\n");
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        cli_out_format(out, "  %-10s%s\n", cli_commands[i]->name, cli_commands[i]->summary);
    }
    cli_out_text(out,
                 "\nA FILE is a stream, a journal's directory, or - for standard input or output.\n"
                 "'flatstream <command> --help' says all about a command, with examples.\n"
                 "\nExit codes:\n"
                 "  0       done and sound\n"
                 "  1       the data is damaged, refused or did not match\n"
                 "  2       wrong usage\n"
                 "  3       the operating system refused (missing file, full disk, network)\n"
                 "  4       nothing matched\n");
}

int cli_help_command(cli_job *job, const cli_command *command)
{
    cli_out out;
    int code = cli_out_open(&out, job, NULL, NULL);
    if (code != CLI_DONE) {
        return code;
    }
    if (command != NULL) {
        show_command(&out, command);
    } else {
        show_tool(&out);
    }
    return cli_out_end(&out, CLI_DONE);
}

/* Text with what scdoc would take for markup escaped. */
static void escaped(cli_out *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("*_\\<>#~`", *text) != NULL || (*text == '.' && text[1] == '.')) {
            cli_out_text(out, "\\");
        }
        cli_out_bytes(out, text, 1);
    }
}

static void paragraph(cli_out *out, const char *text)
{
    if (*text == '-') {
        cli_out_text(out, "\\"); /* no entry of a list */
    }
    escaped(out, text);
    cli_out_text(out, "\n\n");
}

static void page_option(cli_out *out, const cli_option *option)
{
    if (option->id < CLI_ID_FIRST) {
        cli_out_format(out, "*-%c*, ", option->id);
    }
    cli_out_format(out, "*--%s*", option->name);
    if (option->argument != NULL) {
        cli_out_text(out, " ");
        escaped(out, option->argument);
    }
    cli_out_text(out, "\n\t");
    paragraph(out, option->help);
}

static void page_pairs(cli_out *out, const char *title, const cli_pair *pairs)
{
    if (pairs == NULL || pairs[0].term == NULL) {
        return;
    }
    cli_out_format(out, "# %s\n\n", title);
    for (; pairs->term != NULL; pairs++) {
        cli_out_text(out, "*");
        escaped(out, pairs->term);
        cli_out_text(out, "*\n\t");
        paragraph(out, pairs->text);
    }
}

static void page_examples(cli_out *out, const cli_pair *pairs)
{
    cli_out_text(out, "# EXAMPLES\n\n");
    for (; pairs->term != NULL; pairs++) {
        escaped(out, pairs->text);
        cli_out_text(out, "\n\n```\n");
        cli_out_text(out, pairs->term);
        cli_out_text(out, "\n```\n\n");
    }
}

static void page_synopsis(cli_out *out, const cli_command *command)
{
    for (size_t i = 0; command->synopsis[i] != NULL; i++) {
        cli_out_format(out, "*flatstream %s* ", command->name);
        paragraph(out, command->synopsis[i]);
    }
}

/* What is a section of its command's page, with its own options. */
static void page_part(cli_out *out, const cli_command *part)
{
    cli_out_text(out, "# ");
    for (const char *next = part->name; *next != '\0'; next++) {
        const char letter = (char)(*next >= 'a' && *next <= 'z' ? *next - 'a' + 'A' : *next);
        cli_out_bytes(out, &letter, 1);
    }
    cli_out_text(out, "\n\n");
    for (size_t i = 0; part->description[i] != NULL; i++) {
        paragraph(out, part->description[i]);
    }
    for (const cli_option *option = part->options; option != NULL && option->name != NULL;
         option++) {
        page_option(out, option);
    }
    if (part->keys != NULL) {
        paragraph(out, "Keys of the --json report:");
    }
    for (const cli_pair *key = part->keys; key != NULL && key->term != NULL; key++) {
        cli_out_text(out, "*");
        escaped(out, key->term);
        cli_out_text(out, "*\n\t");
        paragraph(out, key->text);
    }
}

static void page_command(cli_out *out, const cli_command *command)
{
    const cli_option *option;
    const cli_command *const *parts = cli_command_parts(command);
    cli_out_format(out, "flatstream-%s(1) \"flatstream %s\" \"flatstream manual\"\n\n# NAME\n\n",
                   command->name, fls_version());
    cli_out_format(out, "flatstream-%s - ", command->name);
    paragraph(out, command->summary);
    cli_out_text(out, "# SYNOPSIS\n\n");
    page_synopsis(out, command);
    for (size_t i = 0; parts != NULL && parts[i] != NULL; i++) {
        page_synopsis(out, parts[i]);
    }
    cli_out_text(out, "# DESCRIPTION\n\n");
    for (size_t i = 0; command->description[i] != NULL; i++) {
        paragraph(out, command->description[i]);
    }
    cli_out_text(out, "# OPTIONS\n\n");
    for (option = command->options; option != NULL && option->name != NULL; option++) {
        page_option(out, option);
    }
    for (size_t i = 0; (option = cli_common_option(command, i)) != NULL; i++) {
        page_option(out, option);
    }
    for (size_t i = 0; parts != NULL && parts[i] != NULL; i++) {
        page_part(out, parts[i]);
    }
    page_pairs(out, "JSON REPORT", command->keys);
    page_pairs(out, "EXIT STATUS", command->exits);
    page_examples(out, command->examples);
    cli_out_text(out, "# SEE ALSO\n\n*flatstream*(1)\n");
}

static const cli_pair tool_exits[] = {
    {"0", "Done and sound. Also when the reader of standard output went away."},
    {"1", "The data is damaged, refused or did not match."},
    {"2", "Wrong usage."},
    {"3", "The operating system refused: missing file, permission, full disk, network."},
    {"4", "Nothing matched."},
    {NULL, NULL},
};

static const cli_pair tool_examples[] = {
    {"flatstream info capture.fls", "What is in a stream, and is it whole?"},
    {"flatstream cat --as hex -n 3 capture.fls", "Its first three messages as hexadecimal lines:"},
    {"flatstream recover --truncate capture.fls",
     "Cut the torn tail that a crash left, and keep what was cut:"},
    {NULL, NULL},
};

static void page_tool(cli_out *out)
{
    cli_out_format(out, "flatstream(1) \"flatstream %s\" \"flatstream manual\"\n\n", fls_version());
    cli_out_text(out, "# NAME\n\nflatstream - streams of FlatBuffers messages\n\n"
                      "# SYNOPSIS\n\n*flatstream* command [options] [FILE\\...]\n\n"
                      "# DESCRIPTION\n\n");
    paragraph(out,
              "Writes, reads, checks, recovers and moves streams of FlatBuffers messages, "
              "framed by their length and a checksum. A FILE is a stream, a journal's directory, "
              "or - for standard input or output.");
    paragraph(out, "Sizes take the suffixes k, M, G for powers of 1000 and Ki, Mi, Gi for powers "
                   "of 1024. On a terminal, long work shows its progress on standard error.");
    cli_out_text(out, "# COMMANDS\n\n");
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        cli_out_format(out, "*flatstream-%s*(1)\n\t", cli_commands[i]->name);
        paragraph(out, cli_commands[i]->summary);
    }
    page_pairs(out, "EXIT STATUS", tool_exits);
    page_examples(out, tool_examples);
}

int cli_help_scdoc(cli_job *job, const cli_command *command)
{
    cli_out out;
    int code = cli_out_open(&out, job, NULL, NULL);
    if (code != CLI_DONE) {
        return code;
    }
    if (command != NULL) {
        page_command(&out, command);
    } else {
        page_tool(&out);
    }
    return cli_out_end(&out, CLI_DONE);
}
