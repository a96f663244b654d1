/* The commands, each defined in cmd_<name>.c. */
#ifndef FLS_CLI_COMMANDS_H
#define FLS_CLI_COMMANDS_H

#include "command.h"

extern const cli_command cli_cmd_info;
extern const cli_command cli_cmd_verify;
extern const cli_command cli_cmd_ls;
extern const cli_command cli_cmd_cat;
extern const cli_command cli_cmd_write;
extern const cli_command cli_cmd_recover;
extern const cli_command cli_cmd_salvage;
extern const cli_command cli_cmd_diff;
extern const cli_command cli_cmd_convert;
extern const cli_command cli_cmd_slice;
extern const cli_command cli_cmd_split;
extern const cli_command cli_cmd_merge;
extern const cli_command cli_cmd_sort;
extern const cli_command cli_cmd_grep;
extern const cli_command cli_cmd_stats;
extern const cli_command cli_cmd_schema;
extern const cli_command cli_cmd_record;
extern const cli_command cli_cmd_tail;
extern const cli_command cli_cmd_replay;
extern const cli_command cli_cmd_journal;
extern const cli_command cli_cmd_index;
extern const cli_command cli_cmd_send;
extern const cli_command cli_cmd_recv;
extern const cli_command cli_cmd_bench;
extern const cli_command cli_cmd_version;
extern const cli_command cli_cmd_help;

/* The parts of cli_cmd_journal; a NULL ends them. */
extern const cli_command *const cli_journal_parts[];

#endif
