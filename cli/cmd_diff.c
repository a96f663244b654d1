/* flatstream diff: what differs between the messages of two streams or journals.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command_line.h"
#include "commands.h"
#include "diff_keys.h"
#include "input.h"
#include "interrupt.h"
#include "journal_input.h"
#include "schemas.h"

enum { ID_MEMORY = CLI_ID_FIRST, ID_BY };

#define USUAL_MEMORY (UINT64_C(256) << 20)
#define LEAST_MEMORY (UINT64_C(1) << 20)

/* The walk's code for "there is a difference, and that was the question". */
enum { FOUND_ONE = 100 };

static const char *const synopsis[] = {
    "[-s SCHEMA] [--by PATH] [--memory SIZE] [-c ALGO] [--json] [-n LIMIT] A B", NULL};
static const char *const description[] = {
    "Compares the messages of A with those of B, in their order. Messages that A has and B has not "
    "are missing, those that only B has are added, and where as many messages stand between two "
    "equal ones on both sides they are different, one by one. A message that was lost shifts those "
    "behind it, and they are equal nevertheless.",
    "A line begins with - for missing, + for added, ! for different. Ordinals A..B are as --range "
    "of "
    "other commands takes them, B not included; those of - count in A, those of + in B. A line "
    "with ! "
    "has both ordinals, and the first byte of the payload that differs; or with a schema the path "
    "of the first field that does, with both values. The totals come last.",
    "With a schema messages are different when their values are: other bytes with the same values, "
    "such as another layout, do not count, and are only told in the totals. A message that is not "
    "sound by the schema is compared by its bytes. Where no schema is given a journal brings its "
    "own, A's before B's: the newest ones, by which all of its messages are read, also those that "
    "were written with older ones. A field that only an older schema has is not seen then, and "
    "messages that are not sound by the newest one are compared by their bytes.",
    "With --by, messages are matched by a value in them instead, such as a number or a name; equal "
    "values are matched in their order. Both streams have to be in the order of that value, as "
    "sort "
    "puts them; where one is not, that is told, and the command ends. " CLI_ORDER_OF_KEYS,
    "Where A and B part, both are looked ahead until they join again. How far is limited by "
    "--memory: "
    "messages of half of it on each side, each with 192 bytes beside its own. Nothing in common "
    "within that, and messages are told to be different one by one until something is.",
    "The checksums of A and B may differ, and do not matter: messages are compared, not frames. "
    "Where one side is damaged, what is before is compared, and the rest of the other side is not. "
    "Journals are read on behind their damage. A or B may be - for standard input. With -q nothing "
    "is told, and the first difference ends the command.",
    NULL};
static const cli_option option_table[] = {
    {'n', "limit", "LIMIT", "Tell LIMIT differences at most; the totals count all of them."},
    {ID_BY, "by", "PATH",
     "Match messages by this value, such as timestamp_ns (docs/QUERIES.md); needs a schema."},
    {ID_MEMORY, "memory", "SIZE",
     "What looking ahead may take: 1Mi or more; 256Mi unless given. A range that is missing or "
     "added is found as such when it fits into half of it."},
    {0, NULL, NULL, NULL}};
static const cli_pair keys[] = {
    {"a", "The A as given."},
    {"b", "The B as given."},
    {"differences",
     "A list, written as they are found. Each has kind: missing (a_ordinal and a_offset of the "
     "first, messages, payload_bytes), added (the same with b_), or different (a_ordinal, "
     "a_offset, b_ordinal, b_offset, a_bytes and b_bytes of the payloads, byte: the first that "
     "differs, path: of the first field that does or null, a and b: its values as text or null, "
     "and detail where a message is not sound by the schema). With --by also key, and last_key of "
     "several."},
    {"by", "The PATH as given, or null."},
    {"faults", "A list: side (a or b), offset, ordinal, kind, detail of where a side is damaged."},
    {"difference_count", "How many differences there are, also beyond --limit."},
    {"a_messages", "Messages of A that were compared."},
    {"b_messages", "Messages of B that were."},
    {"equal", "Messages that are equal byte by byte."},
    {"same_values", "Messages of other bytes, but with the same values by the schema."},
    {"different", "Messages that are different."},
    {"missing", "Messages that are in A only."},
    {"added", "Messages that are in B only."},
    {"a_checksum", "none, crc16, crc32 or xxh3; null for an empty stream, which fits each."},
    {"b_checksum", "The same of B."},
    {"ok", "Whether both are sound and have no difference."},
    {NULL, NULL}};
static const cli_pair exits[] = {{"0", "Both are sound, and there is no difference."},
                                 {"1", "There is a difference, or one of them is damaged."},
                                 {"2", "Wrong usage."},
                                 {"3", "A or B cannot be read."},
                                 {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream diff damaged.fls saved.fls", "What did salvage not bring back?"},
    {"flatstream diff -s telemetry.fbs -n 10 before.fls after.fls",
     "The first ten differences, with the fields that differ:"},
    {NULL, NULL}};

typedef struct diff_side {
    cli_input input;
    fls_reader *reader;
    int is_open;
    int code; /* exit code of how reading ended */
    int has_fault;
    fls_error fault;
    char fault_kind[32];
} diff_side;

typedef struct comparison {
    cli_job *job;
    diff_side sides[2];
    cli_schemas schemas;
    uint64_t memory;
    const char *by; /* NULL: by ordinal */
    cli_diff_keys keys;
    cli_diff_report report;
    cli_diff_counts counts;
} comparison;

/* ---- reading ---- */

static void note_fault(diff_side *side, const fls_error *fault, const char *kind)
{
    side->has_fault = 1;
    side->fault = *fault;
    (void)snprintf(side->fault_kind, sizeof side->fault_kind, "%s", kind);
}

/* Damage ends the side; what the system refused ends everything. */
static int end_in(diff_side *side, fls_status status, const fls_error *fault, int *torn)
{
    fls_recover_report ending = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    side->code = cli_complain_read(&side->input, fault);
    if (side->code != CLI_DAMAGED) {
        return side->code;
    }
    *torn = 1;
    note_fault(side, fault, cli_fault_kind(status));
    if (side->reader != NULL && fault->status != FLS_CHECKSUM_UNPROVEN &&
        fls_reader_ending(side->reader, status, fault, &ending, &err) == FLS_OK) {
        note_fault(side, &ending.fault, cli_fault_kind_at_end(&ending));
    }
    return 0;
}

static int next_of_stream(void *self, fls_message *messages, size_t capacity, size_t *count,
                          int *torn)
{
    diff_side *side = self;
    fls_error err = FLS_ERROR_INIT;
    fls_status status;
    do {
        status = fls_reader_next_batch(side->reader, messages, capacity, count, &err);
    } while (status == FLS_WOULD_BLOCK);
    if (status == FLS_OK || status == FLS_END) {
        return 0;
    }
    *count = 0;
    return end_in(side, status, &err, torn);
}

static int next_of_journal(void *self, fls_message *messages, size_t capacity, size_t *count,
                           int *torn)
{
    diff_side *side = self;
    fls_error err = FLS_ERROR_INIT;
    fls_status status;
    *count = 0;
    if (capacity < CLI_BATCH) {
        return CLI_SYSTEM;
    }
    do {
        status = cli_journal_input_next(&side->input, messages, count, &err);
        if (status == FLS_WOULD_BLOCK) {
            status = cli_journal_input_wait(&side->input, &err);
            *count = 0;
        }
    } while (status == FLS_OK && *count == 0);
    if (status == FLS_OK || status == FLS_END) {
        return 0;
    }
    *count = 0;
    return status == FLS_STOPPED ? CLI_SYSTEM : end_in(side, status, &err, torn);
}

static int open_side(comparison *c, int which, const char *path)
{
    diff_side *side = &c->sides[which];
    uint64_t first;
    uint64_t end;
    cli_note_operand(c->job, path);
    int code = cli_input_open(&side->input, c->job, path);
    if (code != CLI_DONE) {
        return code;
    }
    side->is_open = 1;
    code = cli_reader_open(&side->input, &side->reader, NULL, 0);
    if (code == CLI_DONE && side->input.is_journal) {
        code = cli_journal_input_place(&side->input, &first, &end);
    }
    return code;
}

/* Progress is that of the first side, if its end is known. */
static void start_progress(comparison *c)
{
    const cli_input *a = &c->sides[0].input;
    int enabled = c->job->progress.enabled;
    uint64_t total = a->seekable && !a->is_journal ? (uint64_t)a->info.st_size : 0;
    cli_progress_start(&c->job->progress, c->job->command->name, total, enabled);
}

/* ---- comparing ---- */

static int have_same_values(void *self, const fls_message *a, const fls_message *b)
{
    const comparison *c = self;
    fls_message_difference difference;
    uint32_t type = cli_schemas_select(&c->schemas, a->payload, a->size);
    if (type == FLS_SCHEMA_NONE || type != cli_schemas_select(&c->schemas, b->payload, b->size)) {
        return 0;
    }
    const fls_message_type *known = &c->schemas.set.types[type];
    return fls_message_diff(known->schema, known->root, a->payload, a->size, b->payload, b->size,
                            &difference, NULL) == FLS_OK &&
           !difference.is_different;
}

static uint64_t digest_of(void *self, const fls_message *message)
{
    const comparison *c = self;
    uint64_t digest;
    if (c->schemas.set.count > 0) {
        uint32_t type = cli_schemas_select(&c->schemas, message->payload, message->size);
        if (type != FLS_SCHEMA_NONE) {
            const fls_message_type *known = &c->schemas.set.types[type];
            if (fls_message_digest(known->schema, known->root, message->payload, message->size,
                                   &digest, NULL) == FLS_OK) {
                return digest ^ type;
            }
        }
    }
    return fls_checksum_digest(FLS_CHECKSUM_XXH3, message->payload, message->size);
}

static int after_difference(const comparison *c)
{
    return c->job->common.quiet && !c->job->common.json ? FOUND_ONE
           : c->report.out.status != FLS_OK             ? CLI_SYSTEM
                                                        : 0;
}

/* The key of the message that a side has next, as text. */
static const char *key_of(const comparison *c, int side)
{
    return c->by != NULL ? c->keys.last[side].shown : NULL;
}

static int tell_missing(void *self, const fls_message *a)
{
    comparison *c = self;
    cli_diff_tell_single(&c->report, 0, a, key_of(c, 0));
    return after_difference(c);
}

static int tell_added(void *self, const fls_message *b)
{
    comparison *c = self;
    cli_diff_tell_single(&c->report, 1, b, key_of(c, 1));
    return after_difference(c);
}

/* How two messages differ by their schema; only bytes are known where they have none. */
static void look_closer(const comparison *c, const fls_message *a, const fls_message *b,
                        fls_message_difference *difference, char *why, size_t capacity,
                        cli_diff_detail *detail)
{
    fls_error err = FLS_ERROR_INIT;
    uint32_t type = cli_schemas_select(&c->schemas, a->payload, a->size);
    uint32_t other = cli_schemas_select(&c->schemas, b->payload, b->size);
    if (type == FLS_SCHEMA_NONE || type != other) {
        const char *left = cli_schemas_type_name(&c->schemas, type);
        const char *right = cli_schemas_type_name(&c->schemas, other);
        (void)snprintf(why, capacity,
                       type == other ? "of no type given" : "of another type: %s -> %s", left,
                       right);
        detail->why = why;
        return;
    }
    const fls_message_type *known = &c->schemas.set.types[type];
    if (fls_message_diff(known->schema, known->root, a->payload, a->size, b->payload, b->size,
                         difference, &err) != FLS_OK) {
        (void)snprintf(why, capacity, "%s is not sound: %s", err.name[0] == 'a' ? "A's" : "B's",
                       err.text);
        detail->why = why;
    } else if (difference->is_different) {
        detail->path = difference->path;
        detail->a = difference->a;
        detail->b = difference->b;
    }
}

static int tell_different(void *self, const fls_message *a, const fls_message *b)
{
    comparison *c = self;
    fls_message_difference difference;
    char why[400];
    cli_diff_detail detail = {NULL, NULL, NULL, NULL, key_of(c, 0)};
    if (c->schemas.set.count > 0 && c->report.found < c->report.limit) {
        look_closer(c, a, b, &difference, why, sizeof why, &detail);
    }
    cli_diff_tell_different(&c->report, a, b, &detail);
    return after_difference(c);
}

static int walk(comparison *c)
{
    cli_diff_source sources[2];
    const cli_diff_taker taker = {c->schemas.set.count > 0 ? have_same_values : NULL,
                                  digest_of,
                                  tell_missing,
                                  tell_added,
                                  tell_different,
                                  c};
    for (int i = 0; i < 2; i++) {
        sources[i].next = c->sides[i].input.is_journal ? next_of_journal : next_of_stream;
        sources[i].self = &c->sides[i];
    }
    const cli_diff_order order = {cli_diff_keys_read, cli_diff_keys_compare, &c->keys};
    c->keys.names[0] = c->sides[0].input.name;
    c->keys.names[1] = c->sides[1].input.name;
    int code = c->by != NULL
                   ? cli_diff_walk_ordered(&sources[0], &sources[1], &taker, &order, &c->counts)
                   : cli_diff_walk(&sources[0], &sources[1], &taker, c->memory, &c->counts);
    cli_diff_flush(&c->report);
    if (code == -1) {
        return cli_complain_errno(c->job, NULL, NULL, ENOMEM);
    }
    return code == FOUND_ONE ? CLI_DONE : code;
}

/* ---- the report ---- */

static int is_damaged(const diff_side *side)
{
    return side->code == CLI_DAMAGED || cli_input_verdict(&side->input, CLI_DONE) == CLI_DAMAGED;
}

static int has_difference(const comparison *c)
{
    return c->counts.missing + c->counts.added + c->counts.different > 0;
}

static void begin_json(comparison *c)
{
    cli_json *json = &c->report.json;
    cli_json_begin(json, &c->report.out);
    cli_json_text(json, "a", c->sides[0].input.path);
    cli_json_text(json, "b", c->sides[1].input.path);
    cli_json_text(json, "by", c->by);
    cli_json_open_list(json, "differences");
}

static void add_faults(comparison *c)
{
    static const char *const names[] = {"a", "b"};
    cli_json *json = &c->report.json;
    cli_json_open_list(json, "faults");
    for (int i = 0; i < 2; i++) {
        const diff_side *side = &c->sides[i];
        const fls_error *fault = side->has_fault ? &side->fault : &side->input.first_fault;
        char sentence[400];
        if (!side->has_fault && side->input.damages == 0) {
            continue;
        }
        cli_error_sentence(fault, sentence, sizeof sentence);
        cli_json_open_object(json, NULL);
        cli_json_text(json, "side", names[i]);
        cli_json_count(json, "offset", fault->offset);
        cli_json_count(json, "ordinal", fault->ordinal);
        cli_json_text(json, "kind",
                      side->has_fault ? side->fault_kind : cli_fault_kind(fault->status));
        cli_json_text(json, "detail", sentence);
        cli_json_close_object(json);
    }
    cli_json_close_list(json);
}

static void add_checksum(cli_json *json, const char *key, const diff_side *side)
{
    fls_checksum checksum = cli_input_checksum(&side->input, side->reader);
    cli_json_text(json, key, checksum == FLS_CHECKSUM_DETECT ? NULL : fls_checksum_name(checksum));
}

static void end_json(comparison *c, int ok)
{
    cli_json *json = &c->report.json;
    const cli_diff_counts *counts = &c->counts;
    cli_json_close_list(json);
    add_faults(c);
    cli_json_count(json, "difference_count", c->report.found);
    cli_json_count(json, "a_messages", counts->messages[0]);
    cli_json_count(json, "b_messages", counts->messages[1]);
    cli_json_count(json, "equal", counts->equal);
    cli_json_count(json, "same_values", counts->same_values);
    cli_json_count(json, "different", counts->different);
    cli_json_count(json, "missing", counts->missing);
    cli_json_count(json, "added", counts->added);
    add_checksum(json, "a_checksum", &c->sides[0]);
    add_checksum(json, "b_checksum", &c->sides[1]);
    cli_json_bool(json, "ok", ok);
    cli_json_end(json);
}

/* What may surprise: checksums that differ, and messages that nobody looked at. */
static void tell_rest(comparison *c)
{
    const fls_checksum a = cli_input_checksum(&c->sides[0].input, c->sides[0].reader);
    const fls_checksum b = cli_input_checksum(&c->sides[1].input, c->sides[1].reader);
    if (a != b && a != FLS_CHECKSUM_DETECT && b != FLS_CHECKSUM_DETECT) {
        cli_detail(c->job, "the checksums are %s and %s: messages are compared, not frames",
                   fls_checksum_name(a), fls_checksum_name(b));
    }
    for (int i = 0; i < 2; i++) {
        if (c->counts.torn[1 - i] && !c->counts.ended[i]) {
            cli_note(c->job, "%s: what follows its first %llu messages was not compared",
                     c->sides[i].input.name, (unsigned long long)c->counts.messages[i]);
        }
    }
    cli_detail(c->job, "looked ahead at up to %llu messages on a side",
               (unsigned long long)c->counts.farthest);
}

static int compare(comparison *c)
{
    const cli_common *common = &c->job->common;
    int code = cli_out_open(&c->report.out, c->job, NULL, NULL);
    if (code != CLI_DONE) {
        return code;
    }
    if (common->json) {
        begin_json(c);
    }
    code = walk(c);
    int damaged = is_damaged(&c->sides[0]) || is_damaged(&c->sides[1]);
    int ok = code == CLI_DONE && !damaged && !has_difference(c);
    if (common->json) {
        end_json(c, ok);
    } else if (code == CLI_DONE && !common->quiet) {
        cli_diff_tell_totals(&c->report, &c->counts);
    }
    if (code == CLI_DONE) {
        tell_rest(c);
        code = ok ? CLI_DONE : CLI_DAMAGED;
    }
    return cli_out_end(&c->report.out, code);
}

/* ---- the command ---- */

static int open_schemas(comparison *c, char *const *paths)
{
    int code = CLI_DONE;
    for (int i = 0; i < 2 && code == CLI_DONE && c->schemas.set.count == 0; i++) {
        cli_note_operand(c->job, paths[i]);
        code = cli_schemas_open(&c->schemas, c->job);
    }
    if (code == CLI_DONE && c->by != NULL && c->schemas.set.count == 0) {
        return cli_usage(c->job, "--by needs a schema: -s FILE.bfbs or FILE.fbs");
    }
    if (code == CLI_DONE && c->by != NULL) {
        code = cli_diff_keys_open(&c->keys, c->job, &c->schemas, c->by);
    }
    c->job->own_types = NULL; /* they do not change while two journals are read at once */
    return code;
}

static int run_on(comparison *c, char *const *paths)
{
    int code = open_schemas(c, paths);
    for (int i = 0; i < 2 && code == CLI_DONE; i++) {
        code = open_side(c, i, paths[i]);
    }
    if (code == CLI_DONE) {
        start_progress(c);
        code = compare(c);
    }
    for (int i = 0; i < 2; i++) {
        fls_reader_close(c->sides[i].reader);
        if (c->sides[i].is_open) {
            cli_input_close(&c->sides[i].input);
        }
    }
    cli_diff_keys_close(&c->keys);
    cli_schemas_close(&c->schemas);
    return code;
}

static int take_option(comparison *c, int id, const char *argument)
{
    if (id == 'n') {
        return cli_parse_count(argument, &c->report.limit)
                   ? CLI_DONE
                   : cli_usage(c->job, "'%s' is not a number of differences", argument);
    }
    if (id == ID_BY) {
        c->by = argument;
        return CLI_DONE;
    }
    if (!cli_parse_size(argument, &c->memory) || c->memory < LEAST_MEMORY) {
        return cli_usage(c->job, "--memory '%s' is not a size of 1Mi or more", argument);
    }
    return CLI_DONE;
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    comparison c = {.job = job, .memory = USUAL_MEMORY};
    int code = CLI_DONE;
    int id;
    c.report.job = job;
    c.report.limit = UINT64_MAX;
    while (code == CLI_DONE && (id = cli_next_option(job, argc, argv, &argument)) > 0) {
        code = take_option(&c, id, argument);
    }
    if (code != CLI_DONE) {
        return code;
    }
    if (id < 0) {
        return job->option_exit;
    }
    if (job->operand_count != 2) {
        return cli_usage(job, "which two streams? A B (one may be -, standard input)");
    }
    if (strcmp(job->operands[0], "-") == 0 && strcmp(job->operands[1], "-") == 0) {
        return cli_usage(job, "only one of A and B can be standard input");
    }
    c.report.json_too = job->common.json;
    return run_on(&c, job->operands);
}

const cli_command cli_cmd_diff = {"diff",
                                  "what differs between two streams",
                                  synopsis,
                                  description,
                                  CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ | CLI_TAKES_MAX_FRAME |
                                      CLI_TAKES_JOURNAL | CLI_TAKES_JSON,
                                  option_table,
                                  keys,
                                  exits,
                                  examples,
                                  run};
