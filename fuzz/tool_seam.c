/* See tool_seam.h. */
#include "tool_seam.h"

#include "complain.h"

static faulty_source seam_storage;
static fls_source seam_source;

void tool_seam_read(const faulty_plan *plan, const void *data, size_t size, uint64_t seed)
{
    seam_source = faulty_source_init(&seam_storage, plan, data, size, seed);
}

fls_source cli_input_source(cli_input *input)
{
    (void)input;
    return seam_source;
}

void cli_complain(cli_job *job, const char *file, const char *format, ...)
{
    (void)job;
    (void)file;
    (void)format;
}

int cli_complain_error(cli_job *job, const char *file, const fls_error *err)
{
    (void)job;
    (void)file;
    (void)err;
    return CLI_SYSTEM;
}

int cli_complain_errno(cli_job *job, const char *file, const char *what, int error)
{
    (void)job;
    (void)file;
    (void)what;
    (void)error;
    return CLI_SYSTEM;
}
