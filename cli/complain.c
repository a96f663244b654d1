/* Messages on standard error. */
#include "complain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "interrupt.h"

static void say(cli_job *job, const char *file, const char *format, va_list arguments)
{
    cli_progress_clear(&job->progress);
    fputs("flatstream: ", stderr);
    if (file != NULL) {
        fprintf(stderr, "%s: ", file);
    }
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void cli_complain(cli_job *job, const char *file, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(job, file, format, arguments);
    va_end(arguments);
}

int cli_usage(cli_job *job, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(job, job->command != NULL ? job->command->name : NULL, format, arguments);
    va_end(arguments);
    if (job->command != NULL) {
        fprintf(stderr, "Try 'flatstream %s --help'.\n", job->command->name);
    } else {
        fputs("Try 'flatstream --help'.\n", stderr);
    }
    return CLI_USAGE;
}

void cli_note(cli_job *job, const char *format, ...)
{
    if (!job->common.quiet) {
        va_list arguments;
        va_start(arguments, format);
        say(job, NULL, format, arguments);
        va_end(arguments);
    }
}

void cli_detail(cli_job *job, const char *format, ...)
{
    if (job->common.verbose) {
        va_list arguments;
        va_start(arguments, format);
        say(job, NULL, format, arguments);
        va_end(arguments);
    }
}

/* Appends to a sentence; what does not fit is cut. */
static void add(char *buffer, size_t capacity, const char *format, ...) CLI_PRINTF(3, 4);
static void add(char *buffer, size_t capacity, const char *format, ...)
{
    size_t used = strlen(buffer);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer + used, capacity - used, format, arguments);
    va_end(arguments);
}

void cli_error_sentence(const fls_error *err, char *buffer, size_t capacity)
{
    buffer[0] = '\0';
    if (err->status == FLS_VALIDATION_FAILED && err->name[0] != '\0') {
        add(buffer, capacity, "refused by %s", err->name);
    } else if (err->text[0] == '\0' ||
               (err->status != FLS_IO && err->status != FLS_INVALID_ARGUMENT)) {
        /* The text of those says all. */
        add(buffer, capacity, "%s", fls_status_text(err->status));
    }
    if (err->text[0] != '\0') {
        add(buffer, capacity, "%s%s", buffer[0] != '\0' ? ": " : "", err->text);
    }
    if (err->known & FLS_ERROR_CHECKSUMS) {
        int digits = (int)err->checksum_width * 2;
        add(buffer, capacity, ": the frame says %0*llx, its bytes give %0*llx", digits,
            (unsigned long long)err->expected, digits, (unsigned long long)err->computed);
    }
    if (err->known & FLS_ERROR_DECLARED) {
        const char *word = err->status == FLS_INVALID_FRAME ? "allowed" : "there";
        if (err->status == FLS_ZERO_TAIL) {
            add(buffer, capacity, ": %llu bytes", (unsigned long long)err->limit_bytes);
        } else {
            add(buffer, capacity, ": %llu bytes declared, %llu %s",
                (unsigned long long)err->declared_bytes, (unsigned long long)err->limit_bytes,
                word);
        }
    }
    /* What the library took from the system has that in its text. */
    if (err->system_errno != 0 && strstr(err->text, strerror(err->system_errno)) == NULL) {
        add(buffer, capacity, ": %s", strerror(err->system_errno));
    }
}

int cli_exit_of(fls_status status)
{
    switch (fls_status_class_of(status)) {
    case FLS_CLASS_FLOW: return CLI_DONE;
    case FLS_CLASS_DAMAGE: return CLI_DAMAGED;
    case FLS_CLASS_SYSTEM: return CLI_SYSTEM;
    default: return CLI_USAGE;
    }
}

int cli_complain_error(cli_job *job, const char *file, const fls_error *err)
{
    char sentence[400];
    if (cli_interrupt_pending()) {
        return CLI_SYSTEM;
    }
    cli_error_sentence(err, sentence, sizeof sentence);
    if (err->known & FLS_ERROR_OFFSET && err->known & FLS_ERROR_ORDINAL) {
        cli_complain(job, file, "offset %llu, message %llu: %s", (unsigned long long)err->offset,
                     (unsigned long long)err->ordinal, sentence);
    } else if (err->known & FLS_ERROR_OFFSET) {
        cli_complain(job, file, "offset %llu: %s", (unsigned long long)err->offset, sentence);
    } else {
        cli_complain(job, file, "%s", sentence);
    }
    return cli_exit_of(err->status);
}

int cli_complain_errno(cli_job *job, const char *file, const char *what, int error)
{
    if (what != NULL) {
        cli_complain(job, file, "%s: %s", what, strerror(error));
    } else {
        cli_complain(job, file, "%s", strerror(error));
    }
    return CLI_SYSTEM;
}

const char *cli_fault_kind(fls_status status)
{
    switch (status) {
    case FLS_UNEXPECTED_EOF: return "unexpected_eof";
    case FLS_CHECKSUM_MISMATCH: return "checksum_mismatch";
    case FLS_INVALID_FRAME: return "invalid_frame";
    case FLS_VALIDATION_FAILED: return "validation_failed";
    case FLS_ZERO_TAIL: return "zero_tail";
    case FLS_CHECKSUM_UNPROVEN: return "checksum_unproven";
    default: return "error";
    }
}

const char *cli_fault_kind_at_end(const fls_recover_report *ending)
{
    switch (ending->end) {
    case FLS_STREAM_TORN_TAIL: return "torn_tail";
    case FLS_STREAM_ZERO_TAIL: return "zero_tail";
    default: return cli_fault_kind(ending->fault.status);
    }
}

void cli_proof_sentence(uint64_t fault_offset, uint64_t proof_offset, char *buffer, size_t capacity)
{
    if (fault_offset == proof_offset) {
        snprintf(buffer, capacity, "with one bit of its length changed it is sound");
    } else {
        snprintf(buffer, capacity, "sound messages follow from offset %llu on",
                 (unsigned long long)proof_offset);
    }
}
