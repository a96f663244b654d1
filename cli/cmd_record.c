/* flatstream record: messages into a journal, from a file, standard input, sockets or a program. */
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "commands.h"
#include "interrupt.h"
#include "journal_options.h"
#include "payloads.h"
#include "record_listen.h"
#include "record_program.h"
#include "time_field.h"

enum {
    ID_FROM = CLI_ID_FIRST,
    ID_LISTEN,
    ID_PEERS,
    ID_CHECK,
    ID_REPORT,
    ID_WAIT,
    ID_PEER_SUM,
    ID_IDLE,
    ID_FOR
};

static const char *const synopsis[] = {
    "[--from FORM] [--sync WHEN] [-s SCHEMA] -o DIRECTORY [IN]",
    "[--from frames|delimited] [--sync WHEN] --listen ENDPOINT -o DIRECTORY",
    "[--from FORM] [--sync WHEN] -o DIRECTORY -- COMMAND [ARGUMENT...]", NULL};
static const char *const description[] = {
    "Records messages into a journal: a directory of streams with the time that each message was "
    "received, durable as --sync says. It is made when it is not there. An existing one is gone on "
    "with; where its last writer did not end well (a crash, a power cut), what was durable is "
    "there, what is sound behind it is kept, the rest is set aside in DIRECTORY/cut, and all that "
    "is told. There is one writer at a time.",
    "Messages come from IN (standard input unless given), from the standard output of COMMAND, or "
    "from whoever connects: with --listen from any number of peers at once over TCP and Unix "
    "sockets, and over UDP, a message each datagram. --listen may be repeated.",
    "It ends when the input or COMMAND does. What listens has no end of its own: it goes on until "
    "so many peers have come and gone (--peers), nothing came for a while (--idle), a time is over "
    "(--for) or there are enough messages (--limit), which all inputs know; or until SIGINT "
    "(Ctrl-C), SIGTERM or SIGHUP. Each of these is a good end: everything that was received is "
    "durable then, and the exit code is 0. A COMMAND that still runs is sent SIGTERM.",
    "A message that cannot be recorded (empty, too large, or with --check not as its schema has "
    "it) is told and noted in the journal as missing; the others are recorded, and the exit code "
    "is 1. On a terminal standard error shows live figures.",
    NULL};
static const cli_option option_table[] = {
    {'o', "output", "DIRECTORY", "The journal."},
    {ID_FROM, "from", "FORM",
     "delimited: each message after its length as four bytes, little-endian (the default, but "
     "for --listen); frames: a stream, its checksum found by proof or by --frames (the default "
     "for --listen); hex: a line of hexadecimal digits a message; json: an object a message, "
     "which needs a schema."},
    {ID_PEER_SUM, "frames", "ALGO",
     "With --from frames: the checksum of the stream that comes in: auto (the default), none, "
     "crc16, crc32 or xxh3."},
    {ID_LISTEN, "listen", "ENDPOINT",
     "Take messages from tcp://host:port, unix:path or udp://host:port. Port 0 takes a free one; "
     "an empty host is every address. Where it listens is told on standard error."},
    {ID_PEERS, "peers", "N", "With --listen: end when N peers have come and gone."},
    {'n', "limit", "N", "End when N messages are recorded; refused ones do not count."},
    {ID_IDLE, "idle", "TIME",
     "End when no message came for so long, such as 30s; also when none ever came."},
    {ID_FOR, "for", "TIME", "End after so long, such as 1h."},
    {CLI_ID_SYNC, "sync", "WHEN",
     "When messages are made durable: interval=TIME, so long after they came at the latest "
     "(interval=10ms unless given); bytes=SIZE or every=N, each time so many bytes or messages are "
     "not durable; always, before the next ones are taken; none: at the end, and when a segment "
     "ends."},
    CLI_SEGMENT_OPTIONS,
    {CLI_ID_SEGMENT_AGE, "segment-age", "TIME", "A segment ends too when it is so old, as 1h."},
    CLI_RETAIN_OPTIONS,
    {ID_CHECK, "check", NULL, "Check each message against its schema, and refuse unsound ones."},
    {ID_WAIT, "wait-for-space", NULL,
     "When the disk is full, wait until there is room instead of ending with code 3."},
    {ID_REPORT, "report", "TIME",
     "So often a line 'durable N' on standard error: all messages below N are durable."},
    {0, NULL, NULL, NULL}};
static const cli_pair keys[] = {
    {"journal", "The DIRECTORY as given."},
    {"epoch", "Of this writer: how many there have been."},
    {"is_new", "Whether the journal was made."},
    {"recovered",
     "What opening found, null for a new one: was_clean (the last writer ended well), rebuilt, "
     "base_ordinal (all below was durable), kept_messages (sound ones behind that), cut_messages, "
     "cut_bytes, cut_name (what was set aside, and where), moved_cursors."},
    {"messages, bytes", "Recorded now, and the bytes of their payloads."},
    {"first_ordinal, next_ordinal", "The ordinals of these messages: from, to (not included)."},
    {"durable_ordinal", "All messages below it are durable."},
    {"lost_messages", "That had come and are not in the journal: it was full, or failed, before."},
    {"refused", "Messages that could not be recorded."},
    {"dropped", "Datagrams that the system had no room for, where it tells."},
    {"peers", "How many connected."},
    {"segments, rotations, retired_segments, oldest_ordinal",
     "Segments that there are; begun and removed since it was opened; the oldest message left."},
    {"syncs, failed_syncs, sync_ns_total, sync_ns_max", "How often and how long disks were waited "
                                                        "for."},
    {"ended_by", "end (of the input), signal, limit, idle, time (of --for) or error."},
    {"ok", "Whether everything that came is in the journal and durable."},
    {NULL, NULL}};
static const cli_pair exits[] = {
    {"0", "Everything was recorded and is durable; also after SIGINT, SIGTERM or SIGHUP."},
    {"1", "The input is wrong, a message refused, COMMAND failed, or the journal damaged."},
    {"2", "Wrong usage."},
    {"3", "The input cannot be read, the journal not written, or another writer has it."},
    {NULL, NULL}};
static const cli_pair examples[] = {
    {"producer | flatstream record -s telemetry.fbs -o flight42",
     "What a program writes, each message after its length:"},
    {"flatstream record --listen tcp://:7000 --listen udp://:7001 -o flight42",
     "From whoever connects, and from datagrams:"},
    {"flatstream record --listen tcp://:7000 --idle 1m -o flight42",
     "Until nobody has said anything for a minute:"},
    {"flatstream record --segment-age 1h --retain-age 7d --compress -o log -- telemetryd -",
     "A week of a program's telemetry, an hour a segment:"},
    {NULL, NULL}};

typedef enum form { FROM_DEFAULT, FROM_DELIMITED, FROM_FRAMES, FROM_HEX, FROM_JSON } form;

typedef struct record_run {
    cli_recording rec;
    cli_listening listening;
    form from;
    fls_checksum frames;
    char **program; /* NULL: none */
} record_run;

/* ---- frames ---- */

static int take_stream(record_run *r, cli_input *input)
{
    fls_error err = FLS_ERROR_INIT;
    fls_reader *reader;
    fls_message messages[CLI_BATCH];
    size_t count;
    fls_status status;
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    options.checksum = r->frames;
    options.max_frame_bytes = r->rec.job->common.max_frame_bytes;
    if (fls_reader_open(&reader, cli_input_source(input), &options, &err) != FLS_OK) {
        return cli_complain_error(r->rec.job, input->name, &err);
    }
    int code = CLI_DONE;
    while (code == CLI_DONE &&
           (status = fls_reader_next_batch(reader, messages, CLI_BATCH, &count, &err)) != FLS_END) {
        code = status == FLS_OK ? cli_recording_messages(&r->rec, messages, count)
                                : cli_complain_read(input, &err);
    }
    fls_reader_close(reader);
    return code;
}

static int take_input(record_run *r, cli_input *input)
{
    cli_payload_taker taker = {cli_recording_take, &r->rec, cli_recording_flush};
    cli_json_options json = {.lenient = 0};
    input->idle = cli_recording_idle;
    input->idle_self = &r->rec;
    r->rec.job->progress.enabled = 0; /* the figures of the journal say more */
    switch (r->from) {
    case FROM_FRAMES: return take_stream(r, input);
    case FROM_HEX: return cli_payloads_hex(input, &taker);
    case FROM_JSON: return cli_payloads_json(input, &r->rec.schemas, &json, &taker);
    default: return cli_payloads_delimited(input, &taker);
    }
}

/* ---- where messages come from ---- */

static int record_file(record_run *r, const char *path)
{
    cli_input input;
    int code = cli_input_open(&input, r->rec.job, path);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_recording_open(&r->rec);
    if (code == CLI_DONE) {
        code = take_input(r, &input);
    }
    cli_input_close(&input);
    return code;
}

static int record_program(record_run *r)
{
    cli_program program;
    cli_input input;
    int code = cli_program_find(r->rec.job, r->program[0]);
    if (code == CLI_DONE) {
        code = cli_recording_open(&r->rec);
    }
    if (code == CLI_DONE) {
        code = cli_program_start(&program, r->rec.job, r->program);
    }
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_input_from_fd(&input, r->rec.job, program.output, r->program[0]);
    if (code == CLI_DONE) {
        code = take_input(r, &input);
        cli_input_close(&input);
    }
    int ended = cli_program_end(&program, r->rec.job, r->program[0],
                                code != CLI_DONE || cli_interrupt_pending());
    return code == CLI_DONE ? ended : code;
}

static int record_peers(record_run *r)
{
    r->listening.delimited = r->from == FROM_DELIMITED;
    r->listening.checksum = r->frames;
    return cli_record_listen(&r->rec, &r->listening);
}

static int record(record_run *r)
{
    cli_job *job = r->rec.job;
    int code;
    cli_interrupt_catch();
    if (r->listening.count > 0) {
        code = record_peers(r);
    } else if (r->program != NULL) {
        code = record_program(r);
    } else {
        code = record_file(r, job->operand_count > 0 ? job->operands[0] : "-");
    }
    /* A signal is a good end, unless something else was wrong: then it was told. */
    int by_signal = cli_interrupt_pending() > 0;
    if (cli_interrupt_pending() && r->rec.journal != NULL) {
        cli_interrupt_forget();
        code = code == CLI_SYSTEM && !r->rec.failed ? CLI_DONE : code;
    }
    code = code == CLI_RECORD_ENOUGH ? CLI_DONE : code;
    return cli_recording_close(&r->rec, code, by_signal);
}

/* ---- the command line ---- */

static int parse_form(cli_job *job, const char *name, form *from)
{
    static const char *const names[] = {"delimited", "frames", "hex", "json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *from = (form)(FROM_DELIMITED + i);
            return CLI_DONE;
        }
    }
    return cli_usage(job, "'%s' is not a form: delimited, frames, hex or json", name);
}

static int parse_time(cli_job *job, const char *option, const char *argument, uint64_t *time_ns)
{
    int64_t ns;
    if (!cli_parse_duration(argument, &ns)) {
        return cli_usage(job, "%s '%s' is not a time such as 100ms", option, argument);
    }
    *time_ns = (uint64_t)ns;
    return CLI_DONE;
}

static int take_option(record_run *r, int id, const char *argument)
{
    cli_job *job = r->rec.job;
    switch (id) {
    case 'o': r->rec.path = argument; return CLI_DONE;
    case ID_FROM: return parse_form(job, argument, &r->from);
    case ID_PEER_SUM:
        return fls_checksum_from_name(argument, &r->frames) == FLS_OK &&
                       r->frames != FLS_CHECKSUM_CUSTOM
                   ? CLI_DONE
                   : cli_usage(job, "'%s' is not a checksum: auto, none, crc16, crc32 or xxh3",
                               argument);
    case ID_LISTEN:
        if (r->listening.count == CLI_MOST_LISTENERS) {
            return cli_usage(job, "more than %d endpoints", CLI_MOST_LISTENERS);
        }
        r->listening.endpoints[r->listening.count++] = argument;
        return CLI_DONE;
    case ID_PEERS:
        return cli_parse_count(argument, &r->listening.peers) && r->listening.peers > 0
                   ? CLI_DONE
                   : cli_usage(job, "--peers '%s' is not a number of peers from 1 on", argument);
    case ID_CHECK:
        r->rec.check = 1;
        r->rec.needs_schema = "--check";
        return CLI_DONE;
    case ID_WAIT: r->rec.wait_for_space = 1; return CLI_DONE;
    case ID_REPORT: return parse_time(job, "--report", argument, &r->rec.tell_ns);
    case ID_IDLE: return parse_time(job, "--idle", argument, &r->rec.idle_ns);
    case ID_FOR: return parse_time(job, "--for", argument, &r->rec.for_ns);
    case 'n':
        return cli_parse_count(argument, &r->rec.limit) && r->rec.limit > 0
                   ? CLI_DONE
                   : cli_usage(job, "--limit '%s' is not a number of messages from 1 on", argument);
    default: return cli_journal_option(job, &r->rec.options, id, argument);
    }
}

static int check_usage(record_run *r)
{
    cli_job *job = r->rec.job;
    int listens = r->listening.count > 0;
    if (r->rec.path == NULL) {
        return cli_usage(job, "into which journal? -o DIRECTORY");
    }
    if (strcmp(r->rec.path, "-") == 0) {
        return cli_usage(job, "a journal is a directory, not standard output");
    }
    if (job->common.checksum == FLS_CHECKSUM_DETECT) {
        return cli_usage(job,
                         "a journal has one checksum: none, crc16, crc32 or xxh3 (that of what "
                         "comes in is --frames)");
    }
    if (cli_journal_options_check(job, &r->rec.options) != CLI_DONE) {
        return CLI_USAGE;
    }
    if (r->from == FROM_DEFAULT) {
        r->from = listens ? FROM_FRAMES : FROM_DELIMITED;
    }
    if (r->from == FROM_JSON) {
        r->rec.needs_schema = "--from json";
    }
    if (listens && job->operand_count > 0) {
        return cli_usage(job, "--listen, or IN, or a COMMAND: one of them");
    }
    if (listens && r->from != FROM_FRAMES && r->from != FROM_DELIMITED) {
        return cli_usage(job, "peers send frames or delimited messages");
    }
    if (!listens && r->listening.peers > 0) {
        return cli_usage(job, "--peers goes with --listen");
    }
    if (r->frames != FLS_CHECKSUM_DETECT && r->from != FROM_FRAMES) {
        return cli_usage(job, "--frames goes with --from frames");
    }
    if (!listens && r->program == NULL && job->operand_count > 1) {
        return cli_usage(job, "one IN at a time, not %d", job->operand_count);
    }
    if (!listens && job->operand_count == 0 && isatty(STDIN_FILENO) &&
        (r->from == FROM_DELIMITED || r->from == FROM_FRAMES)) {
        return cli_usage(job, "that form does not come from terminals; which IN?");
    }
    return CLI_DONE;
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    record_run r = {.rec = {.job = job}, .frames = FLS_CHECKSUM_DETECT};
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (take_option(&r, id, argument) != CLI_DONE) {
            return CLI_USAGE;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    /* Behind -- stands a program. */
    if (job->operand_count > 0 && job->operands[-1] != NULL &&
        strcmp(job->operands[-1], "--") == 0) {
        r.program = job->operands;
    }
    int code = check_usage(&r);
    return code == CLI_DONE ? record(&r) : code;
}

const cli_command cli_cmd_record = {"record",
                                    "messages into a journal, durably",
                                    synopsis,
                                    description,
                                    CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_WRITE |
                                        CLI_TAKES_MAX_RECORD | CLI_TAKES_JSON,
                                    option_table,
                                    keys,
                                    exits,
                                    examples,
                                    run};
