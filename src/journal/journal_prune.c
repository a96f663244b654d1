/* Retention; see journal_prune.h and docs/JOURNAL.md, "Retention". */
#include "journal/journal_prune.h"

#include "core/options.h"
#include "journal/journal_cursor.h"
#include "journal/journal_listing.h"
#include "journal/journal_recovery.h"
#include "journal/journal_tail.h"
#include "os/os_thread.h"

#define HEADER_BYTES (FLS_LENGTH_BYTES + 8u)

typedef struct pruning {
    const flsi_directory *journal;
    const fls_prune_options *options;
    const fls_allocator *allocator;
    fls_prune_report *report;
    const flsi_listed_segment *segments;
    size_t count;
    size_t most; /* to remove */
    uint64_t next_ordinal;
    uint64_t now_ns;
    uint64_t bytes_left;
    uint64_t needed; /* no cursor needs what is below; UINT64_MAX: there is none */
    char holder[FLSI_NAME_BYTES];
} pruning;

static const flsi_name_kind kinds[] = {FLSI_NAME_SEGMENT, FLSI_NAME_COMPRESSED, FLSI_NAME_MARKS};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* When a segment was begun, as its marks say; 0 when they do not. */
static uint64_t begun_of(const pruning *self, size_t index)
{
    char name[FLSI_NAME_BYTES];
    uint8_t bytes[HEADER_BYTES + FLSI_RECORD_BYTES];
    flsi_file file;
    flsi_record record = {0};
    size_t used;
    flsi_name_format(name, FLSI_NAME_MARKS, self->segments[index].first_ordinal);
    if (flsi_directory_file(self->journal, &file, name, FLSI_OPEN_READ, NULL, NULL) != FLS_OK) {
        return 0;
    }
    int known = flsi_read_exactly(&file, 0, bytes, sizeof bytes, NULL) == FLS_OK &&
                flsi_record_decode(&record, bytes + HEADER_BYTES, FLSI_RECORD_BYTES, &used, NULL) ==
                    FLS_OK &&
                record.type == FLSI_RECORD_HEADER;
    (void)flsi_file_close(&file, NULL);
    return known ? record.time_ns : 0;
}

/* Whether the oldest segment that is left, which is not the last, is more than may stay. */
static int is_too_much(const pruning *self, size_t index)
{
    const fls_prune_options *options = self->options;
    size_t left = self->count - index;
    if (options->retain_segments > 0 && left > options->retain_segments) {
        return 1;
    }
    if (options->retain_bytes > 0 && self->bytes_left > options->retain_bytes) {
        return 1;
    }
    if (self->segments[index + 1].first_ordinal <= options->before_ordinal) {
        return 1;
    }
    if (options->retain_age_ns > 0) { /* its last message is older than the next segment */
        uint64_t begun_ns = begun_of(self, index + 1);
        return begun_ns > 0 && begun_ns < self->now_ns &&
               self->now_ns - begun_ns > options->retain_age_ns;
    }
    return 0;
}

static fls_status see_cursor(void *self, const fls_journal_cursor *cursor, const fls_error *damage)
{
    pruning *pruned = self;
    uint64_t lag = pruned->options->cursor_lag_messages;
    uint64_t ordinal = damage != NULL ? 0 : cursor->ordinal;
    if (damage == NULL && lag > 0 && pruned->next_ordinal > ordinal &&
        pruned->next_ordinal - ordinal > lag) {
        return FLS_OK;
    }
    if (ordinal < pruned->needed) {
        pruned->needed = ordinal;
        memcpy(pruned->holder, cursor->name, sizeof pruned->holder);
    }
    return FLS_OK;
}

/* The plain file first and its compressed one whether it was seen or not, so that neither comes
 * back; the marks last, since without a segment they are nothing. */
static fls_status remove_segment(pruning *self, size_t index, fls_error *err)
{
    uint64_t bytes = 0;
    uint64_t ordinal = self->segments[index].first_ordinal;
    fls_status status = flsi_listing_bytes(self->journal, ordinal, &bytes, err);
    for (size_t i = 0; status == FLS_OK && !self->options->dry_run && i < KINDS; i++) {
        char name[FLSI_NAME_BYTES];
        flsi_name_format(name, kinds[i], ordinal);
        status = flsi_directory_remove(self->journal, name, err);
    }
    if (status == FLS_OK) {
        self->report->segments++;
        self->report->bytes += bytes;
        self->bytes_left -= bytes < self->bytes_left ? bytes : self->bytes_left;
    }
    return status;
}

/* The names of those that went are synced whatever came then. */
static fls_status remove_some(pruning *self, fls_error *err)
{
    fls_status status = FLS_OK;
    size_t index = 0;
    for (; status == FLS_OK && index + 1 < self->count && index < self->most &&
           is_too_much(self, index);
         index++) {
        if (!self->options->force && self->needed < self->segments[index + 1].first_ordinal) {
            self->report->held = 1;
            memcpy(self->report->holder, self->holder, sizeof self->holder);
            break;
        }
        status = remove_segment(self, index, err);
        if (status != FLS_OK) {
            break;
        }
    }
    if (self->count > 0) {
        self->report->first_ordinal = self->segments[index].first_ordinal;
    }
    if (index > 0 && !self->options->dry_run) {
        fls_status synced = flsi_directory_sync_names(self->journal, status == FLS_OK ? err : NULL);
        status = status == FLS_OK ? synced : status;
    }
    return status;
}

/* What cursors need; before the listing: they may only move on meanwhile. */
static fls_status see_cursors(pruning *self, fls_error *err)
{
    self->needed = UINT64_MAX;
    return self->options->force
               ? FLS_OK
               : flsi_cursor_each(self->journal, self->allocator, see_cursor, self, err);
}

fls_status flsi_prune_segments(const flsi_directory *journal, const fls_prune_options *options,
                               uint64_t next_ordinal, uint64_t now_ns,
                               const fls_allocator *allocator, fls_prune_report *report,
                               fls_error *err)
{
    fls_prune_report made = {.struct_bytes = sizeof made};
    flsi_listing listing = {.allocator = allocator};
    pruning self = {.journal = journal,
                    .options = options,
                    .allocator = allocator,
                    .report = &made,
                    .most = SIZE_MAX,
                    .next_ordinal = next_ordinal,
                    .now_ns = now_ns};
    fls_status status = see_cursors(&self, err);
    status = status == FLS_OK ? flsi_listing_read(&listing, journal, allocator, err) : status;
    for (size_t i = 0; status == FLS_OK && options->retain_bytes > 0 && i < listing.count; i++) {
        uint64_t bytes;
        status = flsi_listing_bytes(journal, listing.segments[i].first_ordinal, &bytes, err);
        self.bytes_left += bytes;
    }
    if (status == FLS_OK) {
        self.segments = listing.segments;
        self.count = listing.count;
        status = remove_some(&self, err);
    }
    flsi_listing_fini(&listing);
    if (report != NULL) {
        *report = made;
    }
    return status;
}

fls_status flsi_prune_kept(flsi_kept *kept, const fls_prune_options *options, size_t most,
                           int may_be_compressed, uint64_t next_ordinal, uint64_t now_ns,
                           fls_prune_report *report, fls_error *err)
{
    uint64_t last = 0;
    pruning self = {.journal = kept->directory,
                    .options = options,
                    .allocator = kept->allocator,
                    .report = report,
                    .most = most,
                    .next_ordinal = next_ordinal,
                    .now_ns = now_ns};
    const flsi_listing *listing = &kept->listing;
    *report = (fls_prune_report){.struct_bytes = sizeof *report};
    fls_status status = see_cursors(&self, err);
    flsi_mutex_lock(&kept->mutex);
    if (status == FLS_OK) {
        int sizes_change = options->retain_bytes > 0 && may_be_compressed;
        status = flsi_kept_refresh(kept, sizes_change, err);
    }
    if (status == FLS_OK && options->retain_bytes > 0 && listing->count > kept->gone) {
        status = flsi_listing_bytes(
            kept->directory, listing->segments[listing->count - 1].first_ordinal, &last, err);
    }
    if (status == FLS_OK && listing->count > kept->gone) {
        self.segments = listing->segments + kept->gone;
        self.count = listing->count - kept->gone;
        self.bytes_left = kept->bytes + last;
        status = remove_some(&self, err);
        for (uint64_t i = 0; i < report->segments; i++) {
            flsi_kept_pop(kept);
        }
    }
    flsi_mutex_unlock(&kept->mutex);
    return status;
}

fls_status flsi_journal_prune(const char *path, const fls_prune_options *options,
                              const flsi_os_calls *calls, fls_prune_report *report, fls_error *err)
{
    flsi_directory journal;
    fls_prune_options read;
    fls_prune_report made;
    uint64_t next_ordinal = 0;
    uint64_t epoch = 0;
    const fls_allocator *allocator = fls_allocator_libc();
    fls_status status = flsi_options_read(&read, sizeof read, options, err);
    if (status == FLS_OK && report != NULL && report->struct_bytes < sizeof report->struct_bytes) {
        status = fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a report without struct_bytes");
    }
    status = status == FLS_OK ? flsi_directory_open(&journal, path, 0, calls, err) : status;
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_journal_durable_end(&journal, allocator, &next_ordinal, &epoch, err);
    if (status == FLS_OK) {
        status = flsi_prune_segments(&journal, &read, next_ordinal, flsi_wall_now_ns(), allocator,
                                     &made, err);
    }
    flsi_directory_close(&journal);
    if (status == FLS_OK && report != NULL) {
        uint32_t bytes = report->struct_bytes;
        memcpy(report, &made, bytes < sizeof made ? bytes : sizeof made);
        report->struct_bytes = bytes;
    }
    return status;
}

fls_status fls_journal_prune(const char *path, const fls_prune_options *options,
                             fls_prune_report *report, fls_error *err)
{
    return flsi_journal_prune(path, options, NULL, report, err);
}
