/* journal.json. The text is made and read by one description of its lines, side by side:
 *
 *   {
 *     "format": "flatstream journal",
 *     "version": 1,
 *     "id": "32 hexadecimal digits",
 *     ... one member a line, as in the functions below; numbers are decimal ...
 *     "types": [
 *       {"schema": "16 hexadecimal digits", "identifier": "TEXT", "root": "TEXT"},
 *       ...
 *     ],
 *     "xxh3": "16 hexadecimal digits"
 *   }
 *
 * A manifest is valid if and only if
 *   1  it begins with the first two lines, and ends with the last two and a line end;
 *   2  the last member is the XXH3-64 of everything before its line;
 *   3  the version is 1, and no incompatible feature is named that is not known;
 *   4  the lines that are known are there, in this order, with values in their ranges. Other lines
 *      between them are passed over.
 * In TEXT a byte that is not printable ASCII, a quote and a backslash are \u00XX.
 */
#include "journal/journal_manifest.h"

#include "core/bytes.h"
#include "core/error.h"
#include "journal/journal_names.h"
#include "journal/journal_text.h"

#define MANIFEST_MAX_BYTES ((size_t)256 * 1024)

static const char manifest_begin[] = "{\n  \"format\": \"flatstream journal\",\n";

/* ---- out ---- */

static void out_types(flsi_text_out *out, const flsi_manifest *manifest)
{
    static const char none[4] = {0};
    flsi_out_text(out, "  \"types\": [\n");
    for (uint32_t i = 0; i < manifest->type_count; i++) {
        const flsi_manifest_type *type = &manifest->types[i];
        flsi_out_text(out, "    {\"schema\": \"");
        flsi_out_hex(out, type->schema_hash, 16);
        flsi_out_text(out, "\", \"identifier\": ");
        flsi_out_string(out, type->identifier,
                        memcmp(type->identifier, none, sizeof none) == 0 ? 0 : sizeof none);
        flsi_out_text(out, ", \"root\": ");
        flsi_out_string(out, type->root, strlen(type->root));
        flsi_out_text(out, i + 1 < manifest->type_count ? "},\n" : "}\n");
    }
    flsi_out_text(out, "  ],\n");
}

void flsi_manifest_complete_id(flsi_manifest *manifest)
{
    flsi_store_le64(manifest->id + 8, fls_checksum_digest(FLS_CHECKSUM_XXH3, manifest->id, 8));
}

/* NOLINTNEXTLINE(readability-non-const-parameter): it is written through out */
size_t flsi_manifest_encode(const flsi_manifest *manifest, char *text, size_t capacity)
{
    flsi_text_out out = {text, 0, capacity};
    flsi_out_text(&out, manifest_begin);
    flsi_out_number(&out, "version", FLSI_MANIFEST_VERSION);
    flsi_out_key(&out, "id");
    flsi_out_text(&out, "\"");
    for (size_t i = 0; i < sizeof manifest->id; i++) {
        flsi_out_hex(&out, manifest->id[i], 2);
    }
    flsi_out_text(&out, "\",\n");
    flsi_out_number(&out, "epoch", manifest->epoch);
    flsi_out_key(&out, "checksum");
    flsi_out_text(&out, "\"");
    flsi_out_text(&out, fls_checksum_name(manifest->checksum));
    flsi_out_text(&out, "\",\n");
    flsi_out_number(&out, "max_frame_bytes", manifest->max_frame_bytes);
    flsi_out_number(&out, "has_times", manifest->has_times);
    flsi_out_number(&out, "created_ns", manifest->created_ns);
    flsi_out_number(&out, "segment_bytes", manifest->segment_bytes);
    flsi_out_number(&out, "segment_messages", manifest->segment_messages);
    flsi_out_number(&out, "segment_age_ns", manifest->segment_age_ns);
    flsi_out_number(&out, "retain_bytes", manifest->retain_bytes);
    flsi_out_number(&out, "retain_segments", manifest->retain_segments);
    flsi_out_number(&out, "retain_age_ns", manifest->retain_age_ns);
    flsi_out_number(&out, "compatible_features", manifest->compatible);
    flsi_out_number(&out, "incompatible_features", manifest->incompatible);
    out_types(&out, manifest);
    return flsi_out_end(&out);
}

/* ---- in ---- */

static int take_id(flsi_text_in *in, uint8_t id[16])
{
    if (!flsi_take_key(in, "id") || !flsi_take_text(in, "\"")) {
        return 0;
    }
    for (size_t i = 0; i < 16; i++) {
        uint64_t byte;
        if (!flsi_take_hex(in, 2, &byte)) {
            return 0;
        }
        id[i] = (uint8_t)byte;
    }
    return flsi_take_text(in, "\",\n");
}

static int take_checksum(flsi_text_in *in, fls_checksum *checksum)
{
    char name[16];
    size_t size;
    return flsi_take_key(in, "checksum") && flsi_take_string(in, name, sizeof name, &size) &&
           strlen(name) == size && fls_checksum_from_name(name, checksum) == FLS_OK &&
           *checksum >= FLS_CHECKSUM_NONE && *checksum <= FLS_CHECKSUM_XXH3 &&
           flsi_take_text(in, ",\n");
}

static int take_type(flsi_text_in *in, flsi_manifest_type *type)
{
    char identifier[5];
    size_t size;
    if (!flsi_take_text(in, "{\"schema\": \"") || !flsi_take_hex(in, 16, &type->schema_hash) ||
        !flsi_take_text(in, "\", \"identifier\": ") ||
        !flsi_take_string(in, identifier, sizeof identifier, &size) || (size != 0 && size != 4)) {
        return 0;
    }
    memcpy(type->identifier, identifier, size);
    return flsi_take_text(in, ", \"root\": ") &&
           flsi_take_string(in, type->root, sizeof type->root, &size) &&
           strlen(type->root) == size && flsi_take_text(in, "}");
}

static int take_types(flsi_text_in *in, flsi_manifest *manifest)
{
    if (!flsi_take_key(in, "types") || !flsi_take_text(in, "[\n")) {
        return 0;
    }
    for (int more = 1; more && flsi_take_text(in, "    ");) {
        if (manifest->type_count == FLSI_MANIFEST_TYPES ||
            !take_type(in, &manifest->types[manifest->type_count])) {
            return 0;
        }
        manifest->type_count++;
        more = flsi_take_text(in, ",");
        if (!flsi_take_text(in, "\n")) {
            return 0;
        }
    }
    return flsi_take_text(in, "  ],\n");
}

/* Rule 4, from behind the version on. */
static int take_members(flsi_text_in *in, flsi_manifest *manifest)
{
    uint64_t limit = 0;
    uint64_t has_times = 0;
    int all = take_id(in, manifest->id) &&
              flsi_take_number(in, "epoch", UINT32_MAX, &manifest->epoch) &&
              take_checksum(in, &manifest->checksum) &&
              flsi_take_number(in, "max_frame_bytes", FLS_DEFAULT_MAX_FRAME_BYTES, &limit) &&
              flsi_take_number(in, "has_times", 1, &has_times) &&
              flsi_take_number(in, "created_ns", UINT64_MAX, &manifest->created_ns) &&
              flsi_take_number(in, "segment_bytes", UINT64_MAX, &manifest->segment_bytes) &&
              flsi_take_number(in, "segment_messages", UINT64_MAX, &manifest->segment_messages) &&
              flsi_take_number(in, "segment_age_ns", UINT64_MAX, &manifest->segment_age_ns) &&
              flsi_take_number(in, "retain_bytes", UINT64_MAX, &manifest->retain_bytes) &&
              flsi_take_number(in, "retain_segments", UINT64_MAX, &manifest->retain_segments) &&
              flsi_take_number(in, "retain_age_ns", UINT64_MAX, &manifest->retain_age_ns) &&
              flsi_take_number(in, "compatible_features", UINT64_MAX, &manifest->compatible) &&
              flsi_take_number(in, "incompatible_features", UINT64_MAX, &manifest->incompatible);
    manifest->max_frame_bytes = (uint32_t)limit;
    manifest->has_times = (uint32_t)has_times;
    return all;
}

static fls_status decode_lines(flsi_manifest *manifest, const char *text, size_t size,
                               fls_error *err)
{
    uint64_t version = 0;
    flsi_text_in in;
    fls_status status = /* rules 1 and 2 */
        flsi_take_frame(&in, text, size, manifest_begin, "the manifest of a journal", err);
    if (status != FLS_OK) {
        return status;
    }
    if (!flsi_take_number(&in, "version", UINT64_MAX, &version)) {
        return flsi_take_refused(&in, err);
    }
    if (version != FLSI_MANIFEST_VERSION) { /* rule 3 */
        return fls_error_set(err, FLS_UNSUPPORTED, 0, "a journal of another version of the format");
    }
    if (!take_members(&in, manifest)) {
        return flsi_take_refused(&in, err);
    }
    if ((manifest->incompatible & ~(uint64_t)FLSI_FEATURE_COMPRESSED) != 0) { /* rule 3 */
        return fls_error_set(err, FLS_UNSUPPORTED, 0,
                             "the journal has a feature that this version does not know");
    }
    return take_types(&in, manifest) ? FLS_OK : flsi_take_refused(&in, err);
}

fls_status flsi_manifest_decode(flsi_manifest *manifest, const char *text, size_t size,
                                fls_error *err)
{
    memset(manifest, 0, sizeof *manifest);
    fls_status status = decode_lines(manifest, text, size, err);
    if (status != FLS_OK) {
        flsi_error_name(err, FLSI_MANIFEST_NAME);
    }
    return status;
}

/* ---- in its directory ---- */

fls_status flsi_manifest_load(flsi_manifest *manifest, const flsi_directory *directory,
                              const fls_allocator *allocator, fls_error *err)
{
    void *text = NULL;
    size_t size = 0;
    int missing = 0;
    fls_status status = flsi_directory_read_file(directory, FLSI_MANIFEST_NAME, MANIFEST_MAX_BYTES,
                                                 allocator, &text, &size, &missing, err);
    if (status == FLS_NO_SPACE) {
        (void)fls_error_set(err, FLS_INVALID_FRAME, 0, "too large to be the manifest of a journal");
        flsi_error_name(err, FLSI_MANIFEST_NAME);
        return FLS_INVALID_FRAME;
    }
    if (status != FLS_OK) {
        return missing ? FLS_END : status;
    }
    status = flsi_manifest_decode(manifest, text, size, err);
    if (text != NULL) {
        allocator->free(allocator->self, text, size);
    }
    return status;
}

fls_status flsi_manifest_store(const flsi_manifest *manifest, const flsi_directory *directory,
                               const fls_allocator *allocator, fls_error *err)
{
    char *text = allocator->resize(allocator->self, NULL, 0, MANIFEST_MAX_BYTES);
    if (text == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for the manifest");
    }
    size_t size = flsi_manifest_encode(manifest, text, MANIFEST_MAX_BYTES);
    fls_status status =
        size == SIZE_MAX
            ? fls_error_set(err, FLS_NO_SPACE, 0, "the journal's types do not fit its manifest")
            : flsi_directory_write_file(directory, FLSI_MANIFEST_NAME, text, size, err);
    allocator->free(allocator->self, text, MANIFEST_MAX_BYTES);
    if (status == FLS_NO_SPACE && size != SIZE_MAX && err != NULL) {
        (void)fls_error_set(err, FLS_NO_SPACE, err->system_errno,
                            "there is no room for a new manifest, and nothing was changed; "
                            "pruning needs none");
        flsi_error_name(err, FLSI_MANIFEST_NAME);
    }
    return status;
}
