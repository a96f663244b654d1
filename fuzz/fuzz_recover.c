/* Recovery of any bytes: from memory, from a source that can be read anywhere and from a pipe, all
 * as the reference of sections 7 and 8 of docs/FORMAT.md judges it. */
#include <stdlib.h>

#include "flatstream/recover.h"
#include "stream_case.h"
#include "support/faulty_io.h"
#include "support/reference_recovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const fls_recover_report *report, const ref_recovery *wanted, const char *way)
{
    if (report->end != wanted->end || report->proof_found != (uint32_t)wanted->proven ||
        report->frames != wanted->frames || report->last_good_offset != wanted->last_good_offset) {
        STREAM_CASE_FAIL("%s: %s at %llu (proof %u), the reference says %s at %zu (%d)", way,
                         fls_stream_end_name(report->end),
                         (unsigned long long)report->last_good_offset, report->proof_found,
                         fls_stream_end_name(wanted->end), wanted->last_good_offset,
                         wanted->proven);
    }
}

static void recover_all_ways(stream_case *input)
{
    const readers_case *what = &input->what;
    ref_recovery wanted = ref_recover(&what->format, what->data, what->size);
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    options.checksum = what->format.checksum;
    options.custom_checksum =
        what->format.checksum == FLS_CHECKSUM_CUSTOM ? what->format.custom : NULL;
    options.max_frame_bytes = what->format.max_frame_bytes;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    STREAM_CASE_CHECK(fls_recover_memory(what->data, what->size, &options, &report, NULL) ==
                      FLS_OK);
    check(&report, &wanted, "memory");
    STREAM_CASE_CHECK(report.stream_bytes == what->size);
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.max_piece = 1 + (size_t)prng_below(&input->random, 300);
    for (plan.without_random = 0; plan.without_random < 2; plan.without_random++) {
        faulty_source storage;
        fls_source source =
            faulty_source_init(&storage, &plan, what->data, what->size, prng_next(&input->random));
        STREAM_CASE_CHECK(fls_recover(&source, &options, &report, NULL) == FLS_OK);
        check(&report, &wanted, plan.without_random ? "pipe" : "source");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stream_case input;
    if (size < 3000 && stream_case_init(&input, data, size)) {
        recover_all_ways(&input);
        stream_case_fini(&input);
    }
    return 0;
}
