/* The forms that messages are printed in. */
#include "message_out.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put_hex(cli_out *out, const void *payload, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *next = payload;
    char text[8192];
    while (size > 0) {
        size_t count = size < sizeof text / 2 ? size : sizeof text / 2;
        for (size_t i = 0; i < count; i++) {
            text[2 * i] = digits[next[i] >> 4];
            text[2 * i + 1] = digits[next[i] & 15];
        }
        cli_out_bytes(out, text, 2 * count);
        next += count;
        size -= count;
    }
    cli_out_bytes(out, "\n", 1);
}

static fls_status open_printer(const cli_message_out *print, fls_json_printer **printer,
                               uint32_t type, fls_error *err)
{
    const fls_message_type *of = &print->schemas.set.types[type];
    fls_json_print_options options = FLS_JSON_PRINT_OPTIONS_INIT;
    options.is_verified = 1;
    options.with_defaults = (uint32_t)print->with_defaults;
    options.numbers_for_enums = (uint32_t)print->enum_numbers;
    return fls_json_printer_new(printer, of->schema, of->root, &options, err);
}

/* The object's text begins with a brace, behind which the name goes. */
static void put_typed(const cli_message_out *print, cli_out *out, uint32_t type, const char *text,
                      size_t size)
{
    cli_out_format(out, "{\"$type\": \"%s\"%s", cli_schemas_type_name(&print->schemas, type),
                   size > 2 ? ", " : "");
    cli_out_bytes(out, text + 1, size - 1);
}

static fls_status put_json(const cli_message_out *print, cli_out *out, cli_message_scratch *scratch,
                           const fls_message *message, uint32_t type, fls_error *err)
{
    fls_json_printer **printer = &scratch->printers[type];
    fls_status status = FLS_OK;
    const char *text;
    size_t size;
    if (*printer == NULL) {
        status = open_printer(print, printer, type, err);
    }
    if (status == FLS_OK) {
        status = fls_json_print(*printer, message->payload, message->size, &text, &size, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    if (print->typed) {
        put_typed(print, out, type, text, size);
    } else {
        cli_out_bytes(out, text, size);
    }
    cli_out_bytes(out, "\n", 1);
    return FLS_OK;
}

/* The forms that need to know what a message is. */
static fls_status put_by_type(cli_message_out *print, cli_out *out, cli_message_scratch *scratch,
                              const fls_message *message, fls_error *err)
{
    uint32_t type = cli_schemas_select(&print->schemas, message->payload, message->size);
    if (print->as == CLI_AS_CSV) {
        cli_columns_csv(&print->columns, out, message, type);
    } else if (print->select != NULL) {
        cli_columns_json(&print->columns, out, message, type);
    } else {
        return put_json(print, out, scratch, message, type, err);
    }
    return FLS_OK;
}

/* On any thread: of print only what changes with a journal's segments is written to. */
static fls_status put(cli_message_out *print, cli_out *out, cli_message_scratch *scratch,
                      const fls_message *message, fls_error *err)
{
    switch (print->as) {
    case CLI_AS_JSON:
    case CLI_AS_CSV: return put_by_type(print, out, scratch, message, err);
    case CLI_AS_HEX: put_hex(out, message->payload, message->size); break;
    case CLI_AS_RAW: cli_out_bytes(out, message->payload, message->size); break;
    case CLI_AS_FRAMES:
        cli_out_frame(out, message,
                      fls_checksum_width(cli_input_checksum(print->input, print->reader)));
        break;
    default: cli_out_frame(out, message, 0); break;
    }
    return FLS_OK;
}

int cli_message_out_put(cli_message_out *print, const fls_message *message)
{
    fls_error err = FLS_ERROR_INIT;
    if (put(print, &print->out, &print->scratch, message, &err) != FLS_OK) {
        err.known |= FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
        err.offset = message->offset;
        err.ordinal = message->ordinal;
        print->failed = cli_complain_error(print->out.job, print->name, &err);
    }
    return print->out.status != FLS_OK || print->failed != CLI_DONE;
}

static void close_scratch(cli_message_scratch *scratch)
{
    for (size_t i = 0; i < FLS_SCHEMA_SET_MOST; i++) {
        fls_json_printer_free(scratch->printers[i]);
        scratch->printers[i] = NULL;
    }
}

/* ---- parts ---- */

void cli_message_part_open(cli_message_part *part, cli_job *job)
{
    memset(part, 0, sizeof *part);
    cli_out_in_memory(&part->text, job);
}

void cli_message_part_close(cli_message_part *part)
{
    close_scratch(&part->scratch);
    cli_out_forget(&part->text);
}

int cli_message_part_put(cli_message_out *print, cli_message_part *part, const fls_message *message)
{
    size_t before = part->text.used;
    if (put(print, &part->text, &part->scratch, message, NULL) == FLS_OK &&
        part->text.status == FLS_OK) {
        return 1;
    }
    part->text.used = before; /* there may be half of it */
    return 0;
}

static void *make_part(void *self)
{
    const cli_message_out *print = self;
    cli_message_part *part = malloc(sizeof *part);
    if (part != NULL) {
        cli_message_part_open(part, print->out.job);
    }
    return part;
}

static void dispose_part(void *self, void *result)
{
    (void)self;
    cli_message_part_close(result);
    free(result);
}

static void begin_part(void *self, void *result)
{
    cli_message_part *part = result;
    (void)self;
    cli_out_empty(&part->text);
}

static size_t take_part(void *self, void *result, const fls_message *messages, size_t count)
{
    size_t taken = 0;
    while (taken < count && cli_message_part_put(self, result, &messages[taken])) {
        taken++;
    }
    return taken;
}

static int collect_part(void *self, void *result, const fls_parallel_piece *piece)
{
    cli_message_out *print = self;
    const cli_message_part *part = result;
    (void)piece;
    cli_out_join(&print->out, &part->text);
    return print->out.status != FLS_OK;
}

cli_shares cli_message_out_shares(cli_message_out *print, uint32_t jobs)
{
    return (cli_shares){jobs,           CLI_MESSAGE_PIECE_BYTES,
                        &print->reader, make_part,
                        dispose_part,   begin_part,
                        take_part,      collect_part};
}

/* ---- options ---- */

static int parse_form(cli_job *job, const char *name, cli_form *as)
{
    static const char *const names[] = {"hex", "raw", "frames", "delimited", "json", "csv"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *as = (cli_form)(CLI_AS_HEX + i);
            return CLI_DONE;
        }
    }
    return cli_usage(job, "'%s' is not a form: json, csv, hex, raw, frames or delimited", name);
}

int cli_message_out_option(cli_message_out *print, cli_job *job, int id, const char *argument)
{
    switch (id) {
    case CLI_ID_AS: return parse_form(job, argument, &print->as);
    case CLI_ID_DEFAULTS: print->with_defaults = 1; return CLI_DONE;
    case CLI_ID_ENUM_NUMBERS: print->enum_numbers = 1; return CLI_DONE;
    case CLI_ID_TYPED: print->typed = 1; return CLI_DONE;
    default: print->select = argument; return CLI_DONE;
    }
}

int cli_message_out_check(cli_message_out *print, cli_job *job)
{
    const char *wrong = print->with_defaults  ? "defaults"
                        : print->enum_numbers ? "enum-numbers"
                        : print->typed        ? "typed"
                                              : NULL;
    if (print->as == CLI_AS_DEFAULT) {
        int typed = job->common.type_count > 0 || job->journal != NULL;
        print->as = typed ? CLI_AS_JSON : CLI_AS_HEX;
        print->by_default = job->common.type_count == 0 && wrong == NULL && print->select == NULL;
    }
    if (wrong != NULL && print->as != CLI_AS_JSON) {
        return cli_usage(job, "--%s goes with --as json", wrong);
    }
    if (wrong != NULL && print->select != NULL) {
        return cli_usage(job, "--%s does not go with --select", wrong);
    }
    if (print->as == CLI_AS_CSV && print->select == NULL) {
        return cli_usage(job, "--as csv needs --select: which values are the columns?");
    }
    if (print->select != NULL && print->as != CLI_AS_JSON && print->as != CLI_AS_CSV) {
        return cli_usage(job, "--select goes with --as json and --as csv");
    }
    int is_text = print->as == CLI_AS_HEX || print->as == CLI_AS_JSON || print->as == CLI_AS_CSV;
    if (!is_text && job->common.output == NULL && isatty(STDOUT_FILENO)) {
        return cli_usage(job, "that form is not for terminals; with -o - it goes there anyway");
    }
    return CLI_DONE;
}

int cli_message_out_schemas(cli_message_out *print, cli_job *job)
{
    int needs = (print->as == CLI_AS_JSON || print->as == CLI_AS_CSV) && !print->by_default;
    const char *what = print->as == CLI_AS_CSV ? "--as csv" : "--as json";
    int code = needs && print->select == NULL ? cli_schemas_require_any(&print->schemas, job, what)
               : needs                        ? cli_schemas_require(&print->schemas, job, what)
               : print->as == CLI_AS_JSON     ? cli_schemas_open(&print->schemas, job)
                                              : cli_schemas_open_given(&print->schemas, job);
    if (print->by_default && print->as == CLI_AS_JSON && print->schemas.set.count == 0) {
        print->as = CLI_AS_HEX;
    }
    return code;
}

int cli_message_out_open(cli_message_out *print, cli_input *input)
{
    cli_job *job = input->job;
    int code = CLI_DONE;
    print->name = input->name;
    print->input = input;
    job->progress.enabled &= !(cli_is_stdout(job->common.output) && isatty(STDOUT_FILENO));
    if (print->select != NULL) {
        code = cli_columns_open(&print->columns, job, &print->schemas, print->select);
        if (code == CLI_DONE && print->as == CLI_AS_CSV) {
            code = cli_columns_check_csv(&print->columns, job);
        }
    }
    if (code == CLI_DONE) {
        code = cli_reader_open(input, &print->reader, NULL, 0);
    }
    if (code == CLI_DONE) {
        code = cli_out_open(&print->out, job, job->common.output, input);
        print->is_open = code == CLI_DONE;
    }
    if (code == CLI_DONE && print->as == CLI_AS_CSV) {
        cli_columns_csv_header(&print->columns, &print->out);
    }
    return code;
}

int cli_message_out_take(void *print, const fls_message *message)
{
    return cli_message_out_put(print, message);
}

void cli_message_out_pause(void *print)
{
    cli_message_out *p = print;
    cli_out_flush(&p->out);
}

int cli_message_out_finish(cli_message_out *print, cli_input *input, int code)
{
    code = cli_message_out_end(print, code);
    cli_message_out_close(print);
    cli_input_close(input);
    return code;
}

int cli_message_out_end(cli_message_out *print, int code)
{
    code = print->failed != CLI_DONE ? print->failed : code;
    code = print->is_open ? cli_out_end(&print->out, code) : code;
    return print->input != NULL ? cli_input_verdict(print->input, code) : code;
}

void cli_message_out_close(cli_message_out *print)
{
    fls_reader_close(print->reader);
    close_scratch(&print->scratch);
    cli_columns_close(&print->columns);
}
