/* Types, cursors, compression and pruning under crashes; see crash_upkeep.h. */
#include "crash_upkeep.h"

#include <inttypes.h>

#include "flatstream/schema.h"
#include "journal/journal_cursor.h"
#include "journal/journal_marks.h"
#include "journal/journal_names.h"
#include "journal/journal_recovery.h"
#include "journal/journal_zstd.h"
#include "support/files.h"
#include "support/testing.h"

static const char *const cursor_names[CRASH_CURSORS] = {"one", "two", "ahead"};
/* May be set before what is not durable, as by somebody who does not ask. */
#define AHEAD (CRASH_CURSORS - 1)

/* ---- types ---- */

/* The schema of each kind of types but the first, which has none. */
static const byte_buffer *schema_of(unsigned kind, uint64_t *hash)
{
    static const char *const files[CRASH_TYPES] = {"", FLS_TEST_SCHEMA_DIR "/telemetry.bfbs",
                                                   FLS_TEST_SCHEMA_DIR "/bfbs.bfbs"};
    static byte_buffer contents[CRASH_TYPES]; /* kept to the end */
    static uint64_t hashes[CRASH_TYPES];
    byte_buffer *content = &contents[kind];
    if (content->size == 0) {
        fls_schema *schema = NULL;
        assert_int_equal(files_read(files[kind], content), 0);
        assert_int_equal(fls_schema_new(&schema, content->data, content->size, NULL, NULL), FLS_OK);
        hashes[kind] = fls_schema_hash(schema);
        fls_schema_free(schema);
    }
    *hash = hashes[kind];
    return content;
}

/* The kinds that the message with a serial may have, a bit each. */
static unsigned kinds_of(const crash_model *model, uint64_t serial)
{
    unsigned kinds = 1;
    for (size_t i = 0; i < model->change_count && model->changes[i].serial <= serial; i++) {
        kinds = model->changes[i].kinds;
    }
    return kinds;
}

static crash_upkeep set_types(crash_model *model, fls_journal *journal, prng *random,
                              fls_error *err)
{
    crash_upkeep done = {FLS_OK, "set_types"};
    unsigned kind = (unsigned)prng_below(random, CRASH_TYPES);
    fls_journal_type type = {0};
    if (model->change_count == CRASH_CHANGE_MOST) {
        return done;
    }
    if (kind != 0) {
        uint64_t hash;
        const byte_buffer *schema = schema_of(kind, &hash);
        type = (fls_journal_type){schema->data, schema->size, NULL, NULL};
    }
    crash_change *change = &model->changes[model->change_count];
    *change = (crash_change){model->next_serial, kinds_of(model, UINT64_MAX) | 1u << kind};
    model->change_count++;
    done.status = fls_journal_set_types(journal, &type, kind != 0, err);
    if (done.status == FLS_OK) {
        change->kinds = 1u << kind;
    }
    return done;
}

/* ---- cursors ---- */

static void open_journal(flsi_directory *directory)
{
    assert_int_equal(flsi_directory_open(directory, CRASH_PATH, 0, crash_disk_calls(), NULL),
                     FLS_OK);
}

static int may_be(const crash_cursor *cursor, uint64_t ordinal)
{
    for (size_t i = 0; i < cursor->count; i++) {
        if (cursor->may[i] == ordinal) {
            return 1;
        }
    }
    return 0;
}

static fls_status store(const char *name, uint64_t ordinal, fls_error *err)
{
    flsi_directory directory;
    fls_journal_cursor cursor = {.ordinal = ordinal, .epoch = 1, .time_ns = 7};
    fls_status status = flsi_directory_open(&directory, CRASH_PATH, 0, crash_disk_calls(), err);
    if (status == FLS_OK) {
        memcpy(cursor.name, name, strlen(name) + 1);
        status = flsi_cursor_store(&directory, &cursor, err);
        flsi_directory_close(&directory);
    }
    return status;
}

static fls_status remove_cursor(const char *name, fls_error *err)
{
    flsi_directory directory;
    fls_status status = flsi_directory_open(&directory, CRASH_PATH, 0, crash_disk_calls(), err);
    if (status == FLS_OK) {
        status = flsi_cursor_remove(&directory, name, err);
        flsi_directory_close(&directory);
    }
    return status == FLS_END ? FLS_OK : status;
}

static crash_upkeep set_cursor(crash_model *model, fls_journal *journal, prng *random,
                               fls_error *err)
{
    crash_upkeep done = {FLS_OK, "a cursor's setting"};
    size_t which = (size_t)prng_below(random, CRASH_CURSORS);
    crash_cursor *cursor = &model->cursors[which];
    uint64_t firsts[CRASH_SEGMENT_MOST];
    crash_disk *disk = crash_disk_use(NULL);
    (void)crash_disk_use(disk);
    model->first = crash_model_segments(disk, firsts) != 0 ? firsts[0] : 0;
    uint64_t durable = fls_journal_durable(journal);
    uint64_t end = which == AHEAD ? model->count : durable;
    uint64_t first = model->first < end ? model->first : end;
    uint64_t ordinal =
        prng_below(random, 5) == 0 ? CRASH_NO_CURSOR : end - prng_below(random, end - first + 1);
    if (cursor->count == CRASH_CURSOR_MAY) {
        return done;
    }
    cursor->may[cursor->count++] = ordinal;
    if (ordinal == CRASH_NO_CURSOR) {
        done.what = "a cursor's removal";
        done.status = remove_cursor(cursor_names[which], err);
    } else if (which == AHEAD) {
        done.status = store(cursor_names[which], ordinal, err);
    } else {
        done.status = flsi_journal_cursor_set(CRASH_PATH, cursor_names[which], ordinal,
                                              crash_disk_calls(), err);
    }
    if (done.status == FLS_INVALID_ARGUMENT) { /* the marks in the file do not say so yet */
        cursor->count--;
        done.status = FLS_OK;
    } else if (done.status == FLS_OK) {
        *cursor = (crash_cursor){{ordinal}, 1};
    }
    return done;
}

static void wrong(crash_verdict *verdict, const char *what, const char *which, uint64_t ordinal)
{
    verdict->other++;
    if (verdict->text[0] == '\0') {
        (void)snprintf(verdict->text, sizeof verdict->text, "%s: %s, ordinal %" PRIu64, which, what,
                       ordinal);
    }
}

static void check_cursor(crash_cursor *cursor, const char *name, uint64_t next_ordinal,
                         uint64_t *moved, crash_verdict *verdict)
{
    flsi_directory directory;
    fls_journal_cursor found = {.ordinal = CRASH_NO_CURSOR};
    open_journal(&directory);
    fls_status status = flsi_cursor_load(&directory, name, &found, fls_allocator_libc(), NULL);
    flsi_directory_close(&directory);
    if (status != FLS_OK && status != FLS_END) {
        wrong(verdict, "the cursor is damaged", name, 0);
        return;
    }
    uint64_t ordinal = status == FLS_OK ? found.ordinal : CRASH_NO_CURSOR;
    if (ordinal != CRASH_NO_CURSOR && ordinal > next_ordinal) {
        wrong(verdict, "the cursor points behind the end", name, ordinal);
    }
    if (may_be(cursor, ordinal)) {
        return;
    }
    for (size_t i = 0; i < cursor->count; i++) {
        int is_moved =
            *moved == UINT64_MAX ? ordinal <= next_ordinal : ordinal == next_ordinal && *moved > 0;
        if (is_moved && cursor->may[i] != CRASH_NO_CURSOR && cursor->may[i] > next_ordinal) {
            *moved -= *moved != UINT64_MAX;
            *cursor = (crash_cursor){{ordinal}, 1};
            return;
        }
    }
    wrong(verdict, "the cursor is neither the old nor the new one", name, ordinal);
}

/* ---- compression and pruning ---- */

/* Where the manifest does not allow it and a writer is there, the answer takes a while, as the lock
 * is tried again: seldom, then. */
static crash_upkeep compress(const crash_model *model, prng *random, fls_error *err)
{
    crash_upkeep done = {FLS_OK, "compression"};
    if (flsi_zstd_is_there() && (model->compresses || prng_below(random, 64) == 0)) {
        done.status = flsi_journal_compress(CRASH_PATH, 1, crash_disk_calls(), NULL, NULL, err);
        /* Its writer did not open it so. */
        done.status = done.status == FLS_LOCKED ? FLS_OK : done.status;
    }
    return done;
}

static crash_upkeep prune(crash_model *model, fls_journal *journal, prng *random, fls_error *err)
{
    crash_upkeep done = {FLS_OK, "pruning"};
    fls_prune_options options = {.struct_bytes = sizeof options};
    options.before_ordinal = prng_below(random, fls_journal_durable(journal) + 1);
    model->retires = 1;
    if (options.before_ordinal > model->prunable) {
        model->prunable = options.before_ordinal;
    }
    done.status = flsi_journal_prune(CRASH_PATH, &options, crash_disk_calls(), NULL, err);
    return done;
}

crash_upkeep crash_upkeep_act(crash_model *model, fls_journal *journal, prng *random,
                              fls_error *err)
{
    uint64_t roll = prng_below(random, 10);
    if (roll < 3) {
        return set_types(model, journal, random, err);
    }
    if (roll < 7) {
        return set_cursor(model, journal, random, err);
    }
    return roll < 9 ? compress(model, random, err) : prune(model, journal, random, err);
}

/* ---- what is there ---- */

/* Which kind of types a segment's marks name; CRASH_TYPES: one that is not known. */
static unsigned kind_in(const byte_buffer *marks)
{
    flsi_marks_walk walk;
    flsi_record record;
    unsigned found = 0;
    if (flsi_marks_walk_begin(&walk, marks->data, marks->size, NULL) != FLS_OK) {
        return CRASH_TYPES;
    }
    while (flsi_marks_walk_next(&walk, &record, NULL) == FLS_OK) {
        if (record.type != FLSI_RECORD_TYPE) {
            continue;
        }
        unsigned kind = 1;
        for (; kind < CRASH_TYPES; kind++) {
            uint64_t hash;
            (void)schema_of(kind, &hash);
            if (hash == record.id) {
                break;
            }
        }
        found = found == 0 ? kind : CRASH_TYPES;
    }
    return found;
}

static int has_schema(const crash_disk *disk, unsigned kind)
{
    uint64_t hash;
    char name[FLSI_NAME_BYTES];
    char path[2 * FLSI_NAME_BYTES];
    byte_buffer content = BYTES_INIT;
    const byte_buffer *schema = schema_of(kind, &hash);
    flsi_name_schema(name, hash);
    (void)snprintf(path, sizeof path, CRASH_PATH "/" FLSI_SCHEMAS_NAME "/%s", name);
    int same = crash_disk_read(disk, path, &content) && content.size == schema->size &&
               memcmp(content.data, schema->data, schema->size) == 0;
    bytes_free(&content);
    return same;
}

static void check_types(const crash_model *model, const crash_disk *disk, uint64_t first,
                        uint64_t end, crash_verdict *verdict)
{
    char name[FLSI_NAME_BYTES];
    char path[2 * FLSI_NAME_BYTES];
    byte_buffer marks = BYTES_INIT;
    flsi_name_format(name, FLSI_NAME_MARKS, first);
    (void)snprintf(path, sizeof path, CRASH_PATH "/%s", name);
    (void)crash_disk_read(disk, path, &marks);
    unsigned kind = kind_in(&marks);
    bytes_free(&marks);
    if (kind == CRASH_TYPES || (kind != 0 && !has_schema(disk, kind))) {
        wrong(verdict, kind == CRASH_TYPES ? "types that nobody set" : "its schema is not there",
              name, first);
        return;
    }
    for (uint64_t ordinal = first; ordinal < end && ordinal < model->count; ordinal++) {
        if ((kinds_of(model, model->serials[ordinal]) >> kind & 1) == 0) {
            wrong(verdict, "the types are not those of the message", name, ordinal);
            return;
        }
    }
}

void crash_upkeep_check(crash_model *model, crash_disk *disk, uint64_t next_ordinal, uint64_t moved,
                        crash_verdict *verdict)
{
    uint64_t firsts[CRASH_SEGMENT_MOST];
    crash_faults *faults = crash_disk_faults(disk);
    crash_faults saved = *faults;
    size_t count = crash_model_segments(disk, firsts);
    *faults = (crash_faults){0};
    for (size_t i = 0; i < count; i++) {
        check_types(model, disk, firsts[i], i + 1 < count ? firsts[i + 1] : next_ordinal, verdict);
    }
    for (size_t i = 0; i < CRASH_CURSORS; i++) {
        crash_cursor *cursor = &model->cursors[i];
        check_cursor(cursor, cursor_names[i], next_ordinal, &moved, verdict);
        uint64_t needed = 0;
        for (size_t k = 0; k < cursor->count; k++) {
            needed = cursor->may[k] > needed ? cursor->may[k] : needed;
        }
        if (count != 0 && firsts[0] > needed) {
            wrong(verdict, "what the cursor needs is gone", cursor_names[i], needed);
        }
    }
    if (moved != 0 && moved != UINT64_MAX) {
        wrong(verdict, "a cursor was moved that need not be", "opening", moved);
    }
    model->first = count != 0 ? firsts[0] : 0;
    if (!model->retains && model->first > model->prunable) {
        wrong(verdict, "more is gone than was to go", "retention", model->first);
    }
    *faults = saved;
}
