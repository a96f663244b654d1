/* The types of messages that a journal is written with: their schemas, proven and stored. */
#include "core/error.h"
#include "journal/journal_private.h"

/* One type: into the set, which checks names and identifiers, and into the manifest. */
static fls_status add_type(fls_schema_set *set, const fls_journal_type *type,
                           const fls_schema *schema, flsi_manifest *manifest, fls_error *err)
{
    fls_schema_object object;
    fls_status status = fls_schema_set_add(set, schema, type->root, type->identifier, err);
    if (status != FLS_OK) {
        return status;
    }
    const fls_message_type *added = &set->types[set->count - 1];
    flsi_manifest_type *known = &manifest->types[manifest->type_count];
    fls_schema_get_object(schema, added->root, &object);
    size_t bytes = strlen(object.name);
    if (bytes >= sizeof known->root) {
        return fls_error_set(err, FLS_UNSUPPORTED, 0, "a root type's name is over 255 bytes long");
    }
    memset(known, 0, sizeof *known);
    known->schema_hash = fls_schema_hash(schema);
    memcpy(known->identifier, added->identifier, sizeof known->identifier);
    memcpy(known->root, object.name, bytes);
    manifest->type_count++;
    return FLS_OK;
}

/* schemas/HASH.bfbs, unless it is there. */
static fls_status store_schema(const flsi_directory *schemas, uint64_t hash,
                               const fls_journal_type *type, fls_error *err)
{
    char name[FLSI_NAME_BYTES];
    flsi_file_info info;
    int missing = 0;
    flsi_name_schema(name, hash);
    fls_status status = flsi_directory_info(schemas, name, &info, &missing, err);
    return missing ? flsi_directory_write_file(schemas, name, type->bfbs, type->bfbs_bytes, err)
                   : status;
}

static int types_are_same(const flsi_manifest *a, const flsi_manifest *b)
{
    if (a->type_count != b->type_count) {
        return 0;
    }
    for (uint32_t i = 0; i < a->type_count; i++) {
        const flsi_manifest_type *one = &a->types[i];
        const flsi_manifest_type *other = &b->types[i];
        if (one->schema_hash != other->schema_hash || strcmp(one->root, other->root) != 0 ||
            memcmp(one->identifier, other->identifier, sizeof one->identifier) != 0) {
            return 0;
        }
    }
    return 1;
}

/* Loads all schemas; schemas[] are to be freed in every case. */
static fls_status load_types(fls_journal *journal, const fls_journal_type *types, size_t count,
                             fls_schema **schemas, flsi_manifest *manifest, fls_error *err)
{
    fls_schema_set set = {0};
    fls_status status = FLS_OK;
    manifest->type_count = 0;
    for (size_t i = 0; status == FLS_OK && i < count; i++) {
        status = fls_schema_new(&schemas[i], types[i].bfbs, types[i].bfbs_bytes, journal->allocator,
                                err);
        if (status == FLS_OK) {
            status = add_type(&set, &types[i], schemas[i], manifest, err);
        }
    }
    return status;
}

fls_status flsi_journal_use_types(fls_journal *journal, const fls_journal_type *types, size_t count,
                                  int *same, fls_error *err)
{
    fls_schema *schemas[FLSI_MANIFEST_TYPES] = {NULL};
    const fls_allocator *allocator = journal->allocator;
    flsi_directory directory;
    *same = 1;
    if (count > FLSI_MANIFEST_TYPES) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "more types than a journal has");
    }
    flsi_manifest *manifest = allocator->resize(allocator->self, NULL, 0, sizeof *manifest);
    if (manifest == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for a journal's types");
    }
    *manifest = journal->manifest;
    fls_status status = load_types(journal, types, count, schemas, manifest, err);
    if (status == FLS_OK) {
        status = flsi_directory_open_in(&directory, &journal->directory, FLSI_SCHEMAS_NAME, 1, NULL,
                                        err);
        for (size_t i = 0; status == FLS_OK && i < count; i++) {
            status = store_schema(&directory, manifest->types[i].schema_hash, &types[i], err);
        }
        flsi_directory_close(&directory);
    }
    if (status == FLS_OK && !types_are_same(manifest, &journal->manifest)) {
        *same = 0;
        journal->manifest = *manifest;
    }
    for (size_t i = 0; i < count; i++) {
        fls_schema_free(schemas[i]);
    }
    allocator->free(allocator->self, manifest, sizeof *manifest);
    return status;
}
