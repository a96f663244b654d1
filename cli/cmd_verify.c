/* flatstream verify: every check there is, one line a fault. */
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "commands.h"
#include "cores.h"
#include "input.h"
#include "journal_faults.h"
#include "report.h"
#include "schemas.h"

enum { ID_TABLE_ROOT = CLI_ID_FIRST, ID_CHECK };

static const char *const synopsis[] = {
    "[-c ALGO] [--table-root] [-j N] [--json] FILE",
    "-s SCHEMA [-r TYPE] [--check LIST] [-c ALGO] [-j N] [--json] FILE", NULL};
static const char *const description[] = {
    "Checks every message of a stream and reports each fault in a line of its own: offset of the "
    "frame, ordinal of the message, kind of fault, and detail.",
    "With -s each message is checked against its schema as well: every offset, vtable, string, "
    "vector, union and nested buffer in it, and that required fields are there, as the verifiers "
    "do that flatc generates. The detail of what is refused names the field, as in "
    "orders[3].price, what is wrong with it, and the byte of the message.",
    "A message whose checksum does not match, or that a check refuses, is stepped over, trusting "
    "its length, and checking goes on behind it. Where the framing itself is lost (a length over "
    "the limit, an incomplete frame) checking ends, and the report says how many bytes were left "
    "unchecked.",
    "Kinds of faults: checksum_mismatch; invalid_frame, a length over the limit; torn_tail, an "
    "incomplete last frame; unexpected_eof, an incomplete frame although sound ones follow, so "
    "that its length must be wrong; zero_tail, zero bytes that were never messages; "
    "validation_failed; checksum_unproven.",
    NULL};
static const cli_option option_table[] = {
    {ID_TABLE_ROOT, "table-root", NULL,
     "Check too that each payload begins like a FlatBuffer: its root offset points to a table "
     "whose vtable lies within the payload."},
    {ID_CHECK, "check", "LIST",
     "With -s: check more, of identifier (the message has the schema's file identifier), utf8 (all "
     "strings are UTF-8), sorted (vectors of tables with a key are sorted by it), exact-end (there "
     "is nothing behind the last object), or all; separated by commas."},
    CLI_JOBS_OPTION,
    {0, NULL, NULL, NULL}};
static const cli_pair keys[] = {
    {"file", "The FILE as given."},
    {"faults", "A list of offset, ordinal, kind, detail; written as they are found."},
    {"fault_count", "How many."},
    {"messages", "Sound messages, those behind faults included."},
    {"checksum", "none, crc16, crc32 or xxh3; null for an empty stream, which fits each."},
    {"stream_bytes", "Bytes of the whole stream."},
    {"last_good_offset", "Where the sound messages before the first fault end."},
    {"unchecked_bytes", "Bytes behind the place where the framing was lost."},
    {"end", "clean, torn_tail, zero_tail or damaged."},
    {"ok", "Whether there are no faults."},
    {NULL, NULL}};
static const cli_pair exits[] = {{"0", "Everything is sound."},
                                 {"1", "There are faults, or the checksum cannot be proven."},
                                 {"2", "Wrong usage."},
                                 {"3", "The stream cannot be read."},
                                 {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream verify capture.fls", "Is every message sound?"},
    {"flatstream verify -s telemetry.fbs --check utf8,identifier capture.fls",
     "Is every message sound by its schema, and its text too?"},
    {"flatstream verify --table-root --json capture.fls | jq '.faults[].offset'",
     "Where are the payloads that are no FlatBuffers?"},
    {NULL, NULL}};

#define SECTOR_BYTES 512u

typedef struct verification {
    cli_input *input;
    fls_reader *reader;
    cli_parallel parallel;
    cli_out out;
    cli_json json;
    int interactive; /* a person waits for each line */
    uint64_t messages;
    uint64_t fault_count;
    /* A fault that was stepped over is told when it is known that the stream does not end there. */
    fls_error pending;
    fls_stream_end end;
    uint64_t stream_bytes;
    uint64_t last_good_offset; /* before the first fault */
    int proof_found; /* something sound was proven at proof_offset, for the fault at last_offset */
    uint64_t proof_offset;
    uint64_t last_offset;
    uint64_t unchecked_bytes;
} verification;

static void tell(verification *v, const fls_error *fault, const char *kind)
{
    char sentence[400];
    v->fault_count++;
    if (v->input->job->common.json) {
        cli_json_fault(&v->json, NULL, fault, kind);
    } else if (!v->input->job->common.quiet) {
        cli_error_sentence(fault, sentence, sizeof sentence);
        cli_progress_clear(&v->input->job->progress);
        cli_out_format(&v->out, "%12llu %10llu  %-18s %s\n", (unsigned long long)fault->offset,
                       (unsigned long long)fault->ordinal, kind, sentence);
        if (v->interactive) {
            cli_out_flush(&v->out);
        }
    }
}

static void tell_pending(verification *v)
{
    if (v->pending.status != FLS_OK) {
        tell(v, &v->pending, cli_fault_kind(v->pending.status));
        v->pending.status = FLS_OK;
    }
}

/* Whether a wrong frame of a file is the last, and belongs to a tail of zeros. */
static int is_last_of_file(verification *v, const fls_error *fault, fls_status *failed,
                           fls_error *err)
{
    fls_recover_report ending = FLS_RECOVER_REPORT_INIT;
    if (!v->input->seekable || fault->status != FLS_CHECKSUM_MISMATCH) {
        return 0;
    }
    *failed = fls_reader_ending(v->reader, fault->status, fault, &ending, err);
    return *failed == FLS_OK && ending.end != FLS_STREAM_DAMAGED;
}

/* ---- several threads on what is sound: each piece only counts its messages ---- */

static fls_status collect_count(void *self, void *result, const fls_parallel_piece *piece,
                                fls_error *err)
{
    verification *v = self;
    (void)result;
    (void)err;
    if (piece->messages > 0) {
        tell_pending(v);
    }
    v->messages += piece->messages;
    cli_progress_update(&v->input->job->progress, piece->to);
    return FLS_OK;
}

static fls_status count_in_parallel(verification *v, fls_error *err)
{
    const fls_parallel_work work = {
        .struct_bytes = sizeof work, .self = v, .collect = collect_count};
    uint64_t messages;
    return cli_parallel_read(&v->parallel, &v->reader, &work, &messages, err);
}

/* Reads to the end, over what can be stepped over. The status and error in which it ended. */
static fls_status walk(verification *v, fls_error *err)
{
    fls_message messages[CLI_BATCH];
    size_t count;
    while (v->out.status == FLS_OK) {
        fls_status failed = FLS_OK;
        if (cli_parallel_pays(&v->parallel, v->reader)) {
            failed = count_in_parallel(v, err);
            if (failed != FLS_OK) {
                return failed;
            }
        }
        fls_status status = fls_reader_next_batch(v->reader, messages, CLI_BATCH, &count, err);
        if (status == FLS_OK) {
            tell_pending(v);
            v->messages += count;
            continue;
        }
        fls_error fault = *err;
        if ((status != FLS_CHECKSUM_MISMATCH && status != FLS_VALIDATION_FAILED) ||
            is_last_of_file(v, &fault, &failed, err)) {
            return status;
        }
        uint64_t good = fls_reader_offset(v->reader);
        if (failed != FLS_OK) {
            return failed;
        }
        if (fls_reader_skip(v->reader, err) != FLS_OK) {
            *err = fault;
            return status;
        }
        if (v->end == 0) {
            v->end = FLS_STREAM_DAMAGED;
            v->last_good_offset = good;
        }
        tell_pending(v);
        v->pending = fault;
    }
    return FLS_STOPPED;
}

/* A wrong frame that was stepped over, and nothing behind it: in a pipe that may have been a tail
 * of zeros too, from some 512-byte boundary behind its start. */
static int was_zero_tail(const verification *v)
{
    uint64_t zeros_from = v->input->bytes - v->input->zeros;
    uint64_t frame = v->pending.offset;
    uint64_t first = zeros_from > frame ? zeros_from : frame + 1;
    uint64_t boundary = (first + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES;
    return v->pending.status == FLS_CHECKSUM_MISMATCH && v->fault_count == 0 &&
           !v->input->seekable && boundary < v->input->bytes;
}

/* The fault in which the walk ended. */
static void tell_last(verification *v, const fls_recover_report *ending)
{
    if (v->end == 0) {
        v->end = ending->end;
        v->last_good_offset = ending->last_good_offset;
    }
    tell_pending(v);
    tell(v, &ending->fault, cli_fault_kind_at_end(ending));
    v->proof_found = ending->proof_found != 0;
    v->proof_offset = ending->proof_offset;
    v->last_offset = ending->fault.offset;
    if (ending->end == FLS_STREAM_DAMAGED) {
        v->unchecked_bytes = v->stream_bytes - fls_reader_offset(v->reader);
    }
}

/* How the stream ends, and the faults that were not told yet. The walk ended with status. */
static int conclude(verification *v, fls_status status, const fls_error *fault)
{
    fls_recover_report ending = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    if (fls_reader_ending(v->reader, status, fault, &ending, &err) != FLS_OK) {
        return cli_complain_error(v->input->job, v->input->name, &err);
    }
    int code = cli_input_drain(v->input);
    v->stream_bytes = cli_input_size(v->input);
    if (code != CLI_DONE) {
        return code;
    }
    if ((status == FLS_END || status == FLS_ZERO_TAIL) && was_zero_tail(v)) {
        v->end = FLS_STREAM_ZERO_TAIL;
        tell(v, &v->pending, "zero_tail");
        return CLI_DONE;
    }
    if (status != FLS_END) {
        tell_last(v, &ending);
    }
    tell_pending(v);
    if (v->end == 0) {
        v->end = FLS_STREAM_CLEAN;
        v->last_good_offset = v->stream_bytes;
    }
    return CLI_DONE;
}

static void end_json(verification *v, fls_checksum checksum)
{
    cli_json_close_list(&v->json);
    cli_json_count(&v->json, "fault_count", v->fault_count);
    cli_json_count(&v->json, "messages", v->messages);
    cli_json_checksum(&v->json, checksum);
    cli_json_count(&v->json, "stream_bytes", v->stream_bytes);
    cli_json_count(&v->json, "last_good_offset", v->last_good_offset);
    cli_json_count(&v->json, "unchecked_bytes", v->unchecked_bytes);
    cli_json_text(&v->json, "end", v->end == 0 ? NULL : fls_stream_end_name(v->end));
    cli_json_bool(&v->json, "ok", v->fault_count == 0);
    cli_json_end(&v->json);
}

static void print_summary(verification *v, fls_checksum checksum)
{
    char proof[128];
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    const char *name = checksum == FLS_CHECKSUM_DETECT ? "empty" : fls_checksum_name(checksum);
    cli_progress_clear(&v->input->job->progress);
    if (v->fault_count == 0) {
        cli_out_format(&v->out, "%s: sound: %s messages, %s bytes, %s\n", v->input->name,
                       cli_count(a, v->messages), cli_count(b, v->stream_bytes), name);
        return;
    }
    cli_out_format(&v->out, "%s: %s: %s fault%s, %s sound messages, %s\n", v->input->name,
                   fls_stream_end_name(v->end), cli_count(a, v->fault_count),
                   v->fault_count == 1 ? "" : "s", cli_count(b, v->messages), name);
    if (v->unchecked_bytes > 0) {
        cli_out_format(&v->out, "%s: the framing is lost; %s bytes were not checked\n",
                       v->input->name, cli_count(a, v->unchecked_bytes));
    }
    if (v->proof_found) {
        cli_proof_sentence(v->last_offset, v->proof_offset, proof, sizeof proof);
        cli_out_format(&v->out, "%s: %s\n", v->input->name, proof);
    }
}

static int verify(verification *v)
{
    const cli_common *common = &v->input->job->common;
    fls_error err = FLS_ERROR_INIT;
    if (common->json) {
        cli_json_begin(&v->json, &v->out);
        cli_json_text(&v->json, "file", v->input->path);
        cli_json_open_list(&v->json, "faults");
    }
    fls_status status = walk(v, &err);
    fls_checksum checksum = fls_reader_checksum(v->reader);
    int code = CLI_DONE;
    if (status == FLS_STOPPED) {
        return code;
    }
    if (status == FLS_CHECKSUM_UNPROVEN) {
        code = cli_complain_read(v->input, &err);
        v->fault_count++;
        if (common->json) {
            cli_json_fault(&v->json, NULL, &err, cli_fault_kind(status));
            end_json(v, FLS_CHECKSUM_DETECT);
        }
        return code;
    }
    if (status != FLS_END && fls_status_class_of(status) != FLS_CLASS_DAMAGE) {
        return cli_complain_error(v->input->job, v->input->name, &err);
    }
    cli_tell_checksum(v->input, v->reader);
    code = conclude(v, status, &err);
    if (code != CLI_DONE) {
        return code;
    }
    if (common->json) {
        end_json(v, checksum);
    } else if (!common->quiet) {
        print_summary(v, checksum);
    }
    return v->fault_count == 0 ? CLI_DONE : CLI_DAMAGED;
}

static int parse_checks(cli_job *job, const char *list, uint32_t *checks)
{
    static const struct {
        const char *name;
        uint32_t checks;
    } known[] = {{"identifier", FLS_VERIFY_IDENTIFIER},
                 {"utf8", FLS_VERIFY_UTF8},
                 {"sorted", FLS_VERIFY_SORTED},
                 {"exact-end", FLS_VERIFY_EXACT_END},
                 {"all", FLS_VERIFY_IDENTIFIER | FLS_VERIFY_UTF8 | FLS_VERIFY_SORTED |
                             FLS_VERIFY_EXACT_END}};
    while (*list != '\0') {
        size_t length = strcspn(list, ",");
        size_t i = 0;
        while (i < sizeof known / sizeof known[0] &&
               (strlen(known[i].name) != length || strncmp(list, known[i].name, length) != 0)) {
            i++;
        }
        if (i == sizeof known / sizeof known[0]) {
            return cli_usage(job,
                             "'%.*s' is not a check: identifier, utf8, sorted, exact-end or all",
                             (int)length, list);
        }
        *checks |= known[i].checks;
        list += length;
        list += *list == ',';
    }
    return CLI_DONE;
}

typedef struct check_list {
    int table_root;
    uint32_t by_schema; /* FLS_VERIFY_... */
    cli_schemas schemas;
} check_list;

static int check_journal(cli_job *job, const char *path, check_list *checks)
{
    int by_schema = checks->schemas.set.count > 0;
    const cli_more_checks more = {by_schema ? &checks->schemas : NULL, checks->table_root};
    return cli_journal_check(job, path, job->common.type_count == 0,
                             by_schema || checks->table_root ? &more : NULL);
}

static int run_on(cli_job *job, const char *path, const check_list *checks, uint32_t jobs)
{
    cli_input input;
    verification v = {.input = &input, .interactive = isatty(STDOUT_FILENO)};
    fls_validator validators[2];
    size_t count = 0;
    if (checks->table_root) {
        validators[count++] = fls_validator_table_root(NULL);
    }
    if (checks->schemas.set.count > 0) {
        validators[count++] = cli_schemas_validator(&checks->schemas);
    }
    int code = cli_input_open(&input, job, path);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_reader_open(&input, &v.reader, validators, count);
    v.parallel = (cli_parallel){
        .input = &input, .jobs = jobs, .validators = validators, .validator_count = count};
    if (code == CLI_DONE) {
        code = cli_out_open(&v.out, job, NULL, NULL);
        if (code == CLI_DONE) {
            code = cli_out_end(&v.out, verify(&v));
        }
    }
    fls_reader_close(v.reader);
    cli_input_close(&input);
    return code;
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    uint32_t jobs = 0;
    check_list checks = {.table_root = 0};
    int code = CLI_DONE;
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (id == ID_TABLE_ROOT) {
            checks.table_root = 1;
        } else if (id == ID_CHECK) {
            code = parse_checks(job, argument, &checks.by_schema);
        } else {
            code = cli_parallel_take(job, argument, &jobs);
        }
        if (code != CLI_DONE) {
            return code;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    code = cli_one_operand(job, &path);
    if (code == CLI_DONE) {
        code = checks.by_schema != 0 ? cli_schemas_require(&checks.schemas, job, "--check")
                                     : cli_schemas_open_given(&checks.schemas, job);
    }
    if (code == CLI_DONE) {
        checks.schemas.check.options.checks = checks.by_schema;
        code = job->journal != NULL ? check_journal(job, path, &checks)
                                    : run_on(job, path, &checks, jobs);
        cli_schemas_close(&checks.schemas);
    }
    return code;
}

const cli_command cli_cmd_verify = {"verify",
                                    "check every message; one line a fault",
                                    synopsis,
                                    description,
                                    CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ |
                                        CLI_TAKES_MAX_FRAME | CLI_TAKES_JOURNAL | CLI_TAKES_JSON,
                                    option_table,
                                    keys,
                                    exits,
                                    examples,
                                    run};
