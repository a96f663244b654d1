/* Everything that is said on standard error: one line a message, with the place and the reason. */
#ifndef FLS_CLI_COMPLAIN_H
#define FLS_CLI_COMPLAIN_H

#include <stddef.h>

#include "command.h"

#define CLI_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* "flatstream: FILE: ..."; file may be NULL. */
void cli_complain(cli_job *job, const char *file, const char *format, ...) CLI_PRINTF(3, 4);

/* Wrong usage, with where help is to be had. Returns CLI_USAGE. */
int cli_usage(cli_job *job, const char *format, ...) CLI_PRINTF(2, 3);

/* Told unless --quiet; told only with --verbose. */
void cli_note(cli_job *job, const char *format, ...) CLI_PRINTF(2, 3);
void cli_detail(cli_job *job, const char *format, ...) CLI_PRINTF(2, 3);

/* What an error says, without its place: a sentence without a full stop. */
void cli_error_sentence(const fls_error *err, char *buffer, size_t capacity);

/* "flatstream: FILE: offset N, message M: what". Returns the exit code of the error's class. */
int cli_complain_error(cli_job *job, const char *file, const fls_error *err);

/* A failed system call, with errno. Returns CLI_SYSTEM. */
int cli_complain_errno(cli_job *job, const char *file, const char *what, int error);

int cli_exit_of(fls_status status);

/* "checksum_mismatch" and so on: the kind of a fault in reports. */
const char *cli_fault_kind(fls_status status);

/* The same for the fault at a stream's end, such as "torn_tail". */
const char *cli_fault_kind_at_end(const fls_recover_report *ending);

/* What proves that a fault is no tail: there is something sound behind it, or where it is. */
void cli_proof_sentence(uint64_t fault_offset, uint64_t proof_offset, char *buffer,
                        size_t capacity);

#endif
