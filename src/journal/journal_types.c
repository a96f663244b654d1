/* What goes with the messages of a segment: their types, and what the wall clock said. */
#include "journal/journal_reader_private.h"

#define SCHEMA_LIMIT ((size_t)64 << 20)

/* ---- types ---- */

static int types_are_same(const flsi_reader_types *types, const flsi_segment_view *view)
{
    if (types->count != view->type_count) {
        return 0;
    }
    for (uint32_t i = 0; i < types->count; i++) {
        const flsi_manifest_type *a = &types->now[i];
        const flsi_manifest_type *b = &view->types[i];
        if (a->schema_hash != b->schema_hash || strcmp(a->root, b->root) != 0 ||
            memcmp(a->identifier, b->identifier, sizeof a->identifier) != 0) {
            return 0;
        }
    }
    return 1;
}

/* A schema by its hash: *schema NULL when its file is not there or damaged, which is no reason not
 * to read messages. */
static fls_status find_schema(fls_journal_reader *reader, uint64_t hash, const fls_schema **schema,
                              fls_error *err)
{
    flsi_reader_types *types = &reader->types;
    *schema = NULL;
    for (uint32_t i = 0; i < types->schema_count; i++) {
        if (types->hashes[i] == hash) {
            *schema = types->schemas[i];
            return FLS_OK;
        }
    }
    if (types->schema_count == FLSI_MANIFEST_TYPES) {
        return FLS_OK;
    }
    flsi_directory directory;
    int missing = 0;
    char name[FLSI_NAME_BYTES];
    void *data = NULL;
    size_t size = 0;
    fls_schema *made = NULL;
    fls_status status =
        flsi_directory_open_in(&directory, &reader->directory, FLSI_SCHEMAS_NAME, 0, &missing, err);
    if (status != FLS_OK) {
        return missing ? FLS_OK : status;
    }
    flsi_name_schema(name, hash);
    status = flsi_directory_read_file(&directory, name, SCHEMA_LIMIT, reader->allocator, &data,
                                      &size, &missing, err);
    flsi_directory_close(&directory);
    if (status != FLS_OK) {
        return missing || status == FLS_NO_SPACE ? FLS_OK : status;
    }
    status = fls_schema_new(&made, data, size, reader->allocator, err);
    reader->allocator->free(reader->allocator->self, data, size);
    if (status != FLS_OK) { /* damage can make what this version does not know, too */
        return fls_status_class_of(status) == FLS_CLASS_DAMAGE || status == FLS_UNSUPPORTED
                   ? FLS_OK
                   : status;
    }
    if (fls_schema_hash(made) != hash) { /* not the one that its name says */
        fls_schema_free(made);
        return FLS_OK;
    }
    types->schemas[types->schema_count] = made;
    types->hashes[types->schema_count++] = hash;
    *schema = made;
    return FLS_OK;
}

/* A set of 64 schemas is full: those that are not of the segment's types go. */
static void make_room(flsi_reader_types *types, const flsi_segment_view *view)
{
    uint32_t kept = 0;
    if (types->schema_count + view->type_count <= FLSI_MANIFEST_TYPES) {
        return;
    }
    for (uint32_t i = 0; i < types->schema_count; i++) {
        int wanted = 0;
        for (uint32_t k = 0; k < view->type_count; k++) {
            wanted |= view->types[k].schema_hash == types->hashes[i];
        }
        if (wanted) {
            types->schemas[kept] = types->schemas[i];
            types->hashes[kept++] = types->hashes[i];
        } else {
            fls_schema_free(types->schemas[i]);
        }
    }
    types->schema_count = kept;
}

static fls_status make_set(fls_journal_reader *reader, fls_error *err)
{
    flsi_reader_types *types = &reader->types;
    const flsi_segment_view *view = &reader->view;
    memset(&types->set, 0, sizeof types->set);
    memset(&types->named, 0, sizeof types->named);
    make_room(types, view);
    for (uint32_t i = 0; i < view->type_count; i++) {
        const flsi_manifest_type *type = &view->types[i];
        const fls_schema *schema;
        char identifier[5] = "";
        fls_status status = find_schema(reader, type->schema_hash, &schema, err);
        if (status != FLS_OK) {
            return status;
        }
        memcpy(identifier, type->identifier, 4);
        fls_message_type *named = &types->named.types[types->named.count++];
        *named = (fls_message_type){.schema = schema, .root = i};
        memcpy(named->identifier, type->identifier, 4);
        if (schema != NULL) {
            status =
                fls_schema_set_add(&types->set, schema, type->root[0] != '\0' ? type->root : NULL,
                                   identifier[0] != '\0' ? identifier : NULL, NULL);
            (void)status; /* one that contradicts another is left out */
        }
    }
    return FLS_OK;
}

fls_status flsi_reader_take_types(fls_journal_reader *reader, fls_error *err)
{
    flsi_reader_types *types = &reader->types;
    const flsi_segment_view *view = &reader->view;
    int had = types->has_any;
    types->has_any |= view->has_header;
    if (!view->has_header || types_are_same(types, view)) {
        return FLS_OK;
    }
    if (types->now == NULL && view->type_count > 0) {
        types->now = reader->allocator->resize(reader->allocator->self, NULL, 0,
                                               FLSI_MANIFEST_TYPES * sizeof *types->now);
        if (types->now == NULL) {
            return fls_error_set(err, FLS_NO_MEMORY, 0, "a segment's types could not be held");
        }
    }
    types->count = view->type_count;
    if (types->count > 0) {
        memcpy(types->now, view->types, types->count * sizeof *types->now);
    }
    fls_status status = make_set(reader, err);
    if (status != FLS_OK) { /* none are known: the next try takes them over */
        types->count = types->set.count = types->named.count = 0;
        return status;
    }
    if (had) {
        const fls_journal_event event = {
            .kind = FLS_JOURNAL_EVENT_TYPES, .ordinal = reader->ordinal, .epoch = reader->epoch};
        flsi_reader_tell(reader, &event);
    }
    return FLS_OK;
}

const fls_schema_set *fls_journal_reader_types(const fls_journal_reader *reader)
{
    return &reader->types.set;
}

fls_status fls_journal_reader_type_of(const fls_journal_reader *reader, const fls_message *message,
                                      fls_journal_message_type *type, fls_error *err)
{
    const flsi_reader_types *types = &reader->types;
    fls_journal_message_type found = {.struct_bytes = type->struct_bytes};
    if (type->struct_bytes < sizeof found) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "type without struct_bytes: use FLS_JOURNAL_MESSAGE_TYPE_INIT");
    }
    uint32_t index = fls_schema_set_select(&types->named, message->payload, message->size);
    if (index == FLS_SCHEMA_NONE) {
        return fls_error_set(err, FLS_END, 0, NULL);
    }
    const flsi_manifest_type *named = &types->now[types->named.types[index].root];
    memcpy(found.identifier, named->identifier, sizeof found.identifier);
    found.schema_hash = named->schema_hash;
    found.schema = types->named.types[index].schema;
    found.root = named->root;
    *type = found;
    return FLS_OK;
}

/* ---- wall time ---- */

static fls_status add_pair(flsi_clock_table *clocks, const flsi_record *record)
{
    if (clocks->count == clocks->capacity) {
        size_t capacity = clocks->capacity == 0 ? 16 : 2 * clocks->capacity;
        flsi_clock_pair *grown =
            clocks->allocator->resize(clocks->allocator->self, clocks->pairs,
                                      clocks->capacity * sizeof *grown, capacity * sizeof *grown);
        if (grown == NULL) {
            return FLS_NO_MEMORY;
        }
        clocks->pairs = grown;
        clocks->capacity = capacity;
    }
    clocks->pairs[clocks->count++] = (flsi_clock_pair){record->time_ns, record->value};
    return FLS_OK;
}

/* Reads on in the marks of the open segment. */
static void read_pairs(flsi_clock_table *clocks, const flsi_segment_view *view)
{
    if (!clocks->has_segment || clocks->first_ordinal != view->first_ordinal ||
        clocks->inode != view->inode) {
        clocks->count = 0;
        clocks->at = 0;
    }
    clocks->has_segment = 1;
    clocks->first_ordinal = view->first_ordinal;
    clocks->inode = view->inode;
    clocks->marks.file = &view->marks;
    clocks->marks.window_bytes = 0;
    const uint8_t *records;
    size_t size;
    uint64_t next;
    while (flsi_marks_file_frame(&clocks->marks, clocks->at, &records, &size, &next, NULL) ==
           FLS_OK) {
        while (size > 0) {
            flsi_record record;
            size_t used;
            if (flsi_record_decode(&record, records, size, &used, NULL) != FLS_OK ||
                (record.type == FLSI_RECORD_CLOCK && add_pair(clocks, &record) != FLS_OK)) {
                return;
            }
            records += used;
            size -= used;
        }
        clocks->at = next;
    }
}

/* The pair at or before the time, else the first one. */
static const flsi_clock_pair *find_pair(const flsi_clock_table *clocks, uint64_t time_ns)
{
    size_t low = 0;
    size_t high = clocks->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (clocks->pairs[middle].time_ns > time_ns) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return clocks->count > 0 ? &clocks->pairs[low] : NULL;
}

uint64_t fls_journal_reader_wall_ns(const fls_journal_reader *reader, uint64_t time_ns)
{
    flsi_clock_table *clocks = reader->clocks;
    if (!reader->is_open) {
        return time_ns;
    }
    const flsi_clock_pair *pair = find_pair(clocks, time_ns);
    int is_whole = clocks->has_segment && clocks->first_ordinal == reader->view.first_ordinal &&
                   clocks->inode == reader->view.inode && pair != NULL &&
                   pair->time_ns <= time_ns && pair + 1 < clocks->pairs + clocks->count;
    if (!is_whole) {
        read_pairs(clocks, &reader->view);
        pair = find_pair(clocks, time_ns);
    }
    return pair != NULL ? pair->wall_ns + (time_ns - pair->time_ns) : time_ns;
}

fls_status flsi_reader_types_init(fls_journal_reader *reader, fls_error *err)
{
    const fls_allocator *allocator = reader->allocator;
    reader->clocks = allocator->resize(allocator->self, NULL, 0, sizeof *reader->clocks);
    if (reader->clocks == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "the reader could not be allocated");
    }
    *reader->clocks = (flsi_clock_table){.allocator = allocator};
    flsi_marks_file_init(&reader->clocks->marks, NULL, allocator);
    return FLS_OK;
}

void flsi_reader_types_fini(fls_journal_reader *reader)
{
    const fls_allocator *allocator = reader->allocator;
    flsi_reader_types *types = &reader->types;
    flsi_clock_table *clocks = reader->clocks;
    for (uint32_t i = 0; i < types->schema_count; i++) {
        fls_schema_free(types->schemas[i]);
    }
    if (types->now != NULL) {
        allocator->free(allocator->self, types->now, FLSI_MANIFEST_TYPES * sizeof *types->now);
    }
    if (clocks != NULL) {
        flsi_marks_file_fini(&clocks->marks);
        if (clocks->pairs != NULL) {
            allocator->free(allocator->self, clocks->pairs,
                            clocks->capacity * sizeof *clocks->pairs);
        }
        allocator->free(allocator->self, clocks, sizeof *clocks);
    }
}
