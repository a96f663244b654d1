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

#define MANIFEST_MAX_BYTES ((size_t)256 * 1024)

static const char manifest_begin[] = "{\n  \"format\": \"flatstream journal\",\n";

/* ---- out ---- */

typedef struct text_out {
    char *text;
    size_t size; /* may pass the capacity: then nothing is kept */
    size_t capacity;
} text_out;

static void out_bytes(text_out *out, const char *bytes, size_t size)
{
    if (out->size <= out->capacity && size <= out->capacity - out->size) {
        memcpy(out->text + out->size, bytes, size);
    }
    out->size += size;
}

static void out_text(text_out *out, const char *text)
{
    out_bytes(out, text, strlen(text));
}

static void out_hex(text_out *out, uint64_t value, unsigned digits)
{
    while (digits-- > 0) {
        out_bytes(out, &"0123456789abcdef"[value >> (4 * digits) & 15], 1);
    }
}

static void out_decimal(text_out *out, uint64_t value)
{
    char digits[20];
    size_t count = sizeof digits;
    do {
        digits[--count] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    out_bytes(out, digits + count, sizeof digits - count);
}

/* 1 for a byte that stands for itself in a string. */
static int is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

static void out_string(text_out *out, const char *bytes, size_t size)
{
    out_text(out, "\"");
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (is_plain(c)) {
            out_bytes(out, bytes + i, 1);
        } else {
            out_text(out, "\\u00");
            out_hex(out, c, 2);
        }
    }
    out_text(out, "\"");
}

static void out_key(text_out *out, const char *key)
{
    out_text(out, "  \"");
    out_text(out, key);
    out_text(out, "\": ");
}

static void out_number(text_out *out, const char *key, uint64_t value)
{
    out_key(out, key);
    out_decimal(out, value);
    out_text(out, ",\n");
}

static void out_types(text_out *out, const flsi_manifest *manifest)
{
    static const char none[4] = {0};
    out_text(out, "  \"types\": [\n");
    for (uint32_t i = 0; i < manifest->type_count; i++) {
        const flsi_manifest_type *type = &manifest->types[i];
        out_text(out, "    {\"schema\": \"");
        out_hex(out, type->schema_hash, 16);
        out_text(out, "\", \"identifier\": ");
        out_string(out, type->identifier,
                   memcmp(type->identifier, none, sizeof none) == 0 ? 0 : sizeof none);
        out_text(out, ", \"root\": ");
        out_string(out, type->root, strlen(type->root));
        out_text(out, i + 1 < manifest->type_count ? "},\n" : "}\n");
    }
    out_text(out, "  ],\n");
}

size_t flsi_manifest_encode(const flsi_manifest *manifest, char *text, size_t capacity)
{
    text_out out = {text, 0, capacity};
    out_text(&out, manifest_begin);
    out_number(&out, "version", FLSI_MANIFEST_VERSION);
    out_key(&out, "id");
    out_text(&out, "\"");
    for (size_t i = 0; i < sizeof manifest->id; i++) {
        out_hex(&out, manifest->id[i], 2);
    }
    out_text(&out, "\",\n");
    out_number(&out, "epoch", manifest->epoch);
    out_key(&out, "checksum");
    out_text(&out, "\"");
    out_text(&out, fls_checksum_name(manifest->checksum));
    out_text(&out, "\",\n");
    out_number(&out, "max_frame_bytes", manifest->max_frame_bytes);
    out_number(&out, "has_times", manifest->has_times);
    out_number(&out, "created_ns", manifest->created_ns);
    out_number(&out, "segment_bytes", manifest->segment_bytes);
    out_number(&out, "segment_messages", manifest->segment_messages);
    out_number(&out, "segment_age_ns", manifest->segment_age_ns);
    out_number(&out, "retain_bytes", manifest->retain_bytes);
    out_number(&out, "retain_segments", manifest->retain_segments);
    out_number(&out, "retain_age_ns", manifest->retain_age_ns);
    out_number(&out, "compatible_features", manifest->compatible);
    out_number(&out, "incompatible_features", manifest->incompatible);
    out_types(&out, manifest);
    if (out.size > capacity) {
        return SIZE_MAX;
    }
    uint64_t digest = fls_checksum_digest(FLS_CHECKSUM_XXH3, text, out.size);
    out_key(&out, "xxh3");
    out_text(&out, "\"");
    out_hex(&out, digest, 16);
    out_text(&out, "\"\n}\n");
    return out.size > capacity ? SIZE_MAX : out.size;
}

/* ---- in ---- */

typedef struct text_in {
    const char *next;
    const char *end;
    const char *missing; /* what was looked for last and is not there, or is not right */
} text_in;

static int take_text(text_in *in, const char *text)
{
    size_t size = strlen(text);
    if ((size_t)(in->end - in->next) < size || memcmp(in->next, text, size) != 0) {
        return 0;
    }
    in->next += size;
    return 1;
}

static int take_hex(text_in *in, unsigned digits, uint64_t *value)
{
    *value = 0;
    for (; digits > 0; digits--, in->next++) {
        char c = in->next < in->end ? *in->next : ' ';
        if (c >= '0' && c <= '9') {
            *value = *value << 4 | (uint64_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            *value = *value << 4 | (uint64_t)(c - 'a' + 10);
        } else {
            return 0;
        }
    }
    return 1;
}

/* Decimal, as it is written here: no sign, no leading zero. */
static int take_decimal(text_in *in, uint64_t *value)
{
    const char *begin = in->next;
    *value = 0;
    for (; in->next < in->end && *in->next >= '0' && *in->next <= '9'; in->next++) {
        uint64_t digit = (uint64_t)(*in->next - '0');
        if (*value > (UINT64_MAX - digit) / 10) {
            return 0;
        }
        *value = *value * 10 + digit;
    }
    return in->next > begin && (*begin != '0' || in->next == begin + 1);
}

/* A string of less than capacity bytes, of which *size are used; a zero stands behind them. */
static int take_string(text_in *in, char *bytes, size_t capacity, size_t *size)
{
    *size = 0;
    if (!take_text(in, "\"")) {
        return 0;
    }
    while (in->next < in->end && *in->next != '"') {
        uint64_t c = (unsigned char)*in->next;
        if (is_plain((unsigned char)c)) {
            in->next++;
        } else if (!take_text(in, "\\u00") || !take_hex(in, 2, &c) || is_plain((unsigned char)c)) {
            return 0;
        }
        if (*size + 1 >= capacity) {
            return 0;
        }
        bytes[(*size)++] = (char)c;
    }
    bytes[*size] = '\0';
    return take_text(in, "\"");
}

/* Passes over lines to the one with the key; stands behind its colon. */
static int take_key(text_in *in, const char *key)
{
    in->missing = key;
    while (in->next < in->end) {
        const char *line = in->next;
        if (take_text(in, "  \"") && take_text(in, key) && take_text(in, "\": ")) {
            return 1;
        }
        const char *line_end = memchr(line, '\n', (size_t)(in->end - line));
        in->next = line_end == NULL ? in->end : line_end + 1;
    }
    return 0;
}

static int take_number(text_in *in, const char *key, uint64_t most, uint64_t *value)
{
    return take_key(in, key) && take_decimal(in, value) && *value <= most && take_text(in, ",\n");
}

static int take_id(text_in *in, uint8_t id[16])
{
    if (!take_key(in, "id") || !take_text(in, "\"")) {
        return 0;
    }
    for (size_t i = 0; i < 16; i++) {
        uint64_t byte;
        if (!take_hex(in, 2, &byte)) {
            return 0;
        }
        id[i] = (uint8_t)byte;
    }
    return take_text(in, "\",\n");
}

static int take_checksum(text_in *in, fls_checksum *checksum)
{
    char name[16];
    size_t size;
    return take_key(in, "checksum") && take_string(in, name, sizeof name, &size) &&
           strlen(name) == size && fls_checksum_from_name(name, checksum) == FLS_OK &&
           *checksum >= FLS_CHECKSUM_NONE && *checksum <= FLS_CHECKSUM_XXH3 && take_text(in, ",\n");
}

static int take_type(text_in *in, flsi_manifest_type *type)
{
    char identifier[5];
    size_t size;
    if (!take_text(in, "{\"schema\": \"") || !take_hex(in, 16, &type->schema_hash) ||
        !take_text(in, "\", \"identifier\": ") ||
        !take_string(in, identifier, sizeof identifier, &size) || (size != 0 && size != 4)) {
        return 0;
    }
    memcpy(type->identifier, identifier, size);
    return take_text(in, ", \"root\": ") && take_string(in, type->root, sizeof type->root, &size) &&
           strlen(type->root) == size && take_text(in, "}");
}

static int take_types(text_in *in, flsi_manifest *manifest)
{
    if (!take_key(in, "types") || !take_text(in, "[\n")) {
        return 0;
    }
    for (int more = 1; more && take_text(in, "    ");) {
        if (manifest->type_count == FLSI_MANIFEST_TYPES ||
            !take_type(in, &manifest->types[manifest->type_count])) {
            return 0;
        }
        manifest->type_count++;
        more = take_text(in, ",");
        if (!take_text(in, "\n")) {
            return 0;
        }
    }
    return take_text(in, "  ],\n");
}

/* Rule 4, from behind the version on. */
static int take_members(text_in *in, flsi_manifest *manifest)
{
    uint64_t limit = 0;
    uint64_t has_times = 0;
    int all = take_id(in, manifest->id) && take_number(in, "epoch", UINT32_MAX, &manifest->epoch) &&
              take_checksum(in, &manifest->checksum) &&
              take_number(in, "max_frame_bytes", FLS_DEFAULT_MAX_FRAME_BYTES, &limit) &&
              take_number(in, "has_times", 1, &has_times) &&
              take_number(in, "created_ns", UINT64_MAX, &manifest->created_ns) &&
              take_number(in, "segment_bytes", UINT64_MAX, &manifest->segment_bytes) &&
              take_number(in, "segment_messages", UINT64_MAX, &manifest->segment_messages) &&
              take_number(in, "segment_age_ns", UINT64_MAX, &manifest->segment_age_ns) &&
              take_number(in, "retain_bytes", UINT64_MAX, &manifest->retain_bytes) &&
              take_number(in, "retain_segments", UINT64_MAX, &manifest->retain_segments) &&
              take_number(in, "retain_age_ns", UINT64_MAX, &manifest->retain_age_ns) &&
              take_number(in, "compatible_features", UINT64_MAX, &manifest->compatible) &&
              take_number(in, "incompatible_features", UINT64_MAX, &manifest->incompatible);
    manifest->max_frame_bytes = (uint32_t)limit;
    manifest->has_times = (uint32_t)has_times;
    return all;
}

static fls_status refuse(fls_error *err, fls_status status, const char *text)
{
    (void)fls_error_set(err, status, 0, text);
    flsi_error_name(err, FLSI_MANIFEST_NAME);
    return status;
}

/* Which line is not right, by the member that was looked for. */
static fls_status refuse_line(const text_in *in, fls_error *err)
{
    char text[96] = "the line of a member is missing or wrong: ";
    size_t size = strlen(text);
    size_t more = strlen(in->missing);
    memcpy(text + size, in->missing, more + 1);
    return refuse(err, FLS_INVALID_FRAME, text);
}

/* Rules 1 and 2; *body_end: where the last member's line begins. */
static fls_status check_digest(const char *text, size_t size, size_t *body_end, fls_error *err)
{
    static const char last[] = "  \"xxh3\": \"0123456789abcdef\"\n}\n";
    size_t last_bytes = sizeof last - 1;
    size_t begin_bytes = sizeof manifest_begin - 1;
    if (size < begin_bytes + last_bytes || memcmp(text, manifest_begin, begin_bytes) != 0) {
        return refuse(err, FLS_INVALID_FRAME, "not the manifest of a journal");
    }
    uint64_t expected = 0;
    *body_end = size - last_bytes;
    text_in in = {text + *body_end, text + size, ""};
    if (!take_text(&in, "  \"xxh3\": \"") || !take_hex(&in, 16, &expected) ||
        !take_text(&in, "\"\n}\n")) {
        return refuse(err, FLS_INVALID_FRAME, "the manifest does not end with its checksum");
    }
    uint64_t computed = fls_checksum_digest(FLS_CHECKSUM_XXH3, text, *body_end);
    if (computed != expected) {
        (void)refuse(err, FLS_CHECKSUM_MISMATCH, "the manifest is not what was written");
        flsi_error_checksums(err, expected, computed, 8);
        return FLS_CHECKSUM_MISMATCH;
    }
    return FLS_OK;
}

fls_status flsi_manifest_decode(flsi_manifest *manifest, const char *text, size_t size,
                                fls_error *err)
{
    size_t body_end = 0;
    uint64_t version = 0;
    memset(manifest, 0, sizeof *manifest);
    fls_status status = check_digest(text, size, &body_end, err);
    if (status != FLS_OK) {
        return status;
    }
    text_in in = {text + sizeof manifest_begin - 1, text + body_end, ""};
    if (!take_number(&in, "version", UINT64_MAX, &version)) {
        return refuse_line(&in, err);
    }
    if (version != FLSI_MANIFEST_VERSION) { /* rule 3 */
        return refuse(err, FLS_UNSUPPORTED, "a journal of another version of the format");
    }
    if (!take_members(&in, manifest)) {
        return refuse_line(&in, err);
    }
    if ((manifest->incompatible & ~(uint64_t)FLSI_FEATURE_COMPRESSED) != 0) { /* rule 3 */
        return refuse(err, FLS_UNSUPPORTED,
                      "the journal has a feature that this version does not know");
    }
    if (!take_types(&in, manifest)) {
        return refuse_line(&in, err);
    }
    return FLS_OK;
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
        return refuse(err, FLS_INVALID_FRAME, "too large to be the manifest of a journal");
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
    return status;
}
