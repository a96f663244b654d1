/* Sets of message types, and which of them a message is of: by the four bytes behind its root
 * offset.
 */
#include "flatstream/schema_set.h"

#include <stdio.h>
#include <string.h>

#include "core/bytes.h"

static uint32_t find_identifier(const fls_schema_set *set, const void *identifier)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (memcmp(set->types[i].identifier, identifier, 4) == 0) {
            return i;
        }
    }
    return FLS_SCHEMA_NONE;
}

static fls_status find_root(const fls_schema *schema, const char *root, uint32_t *found,
                            fls_error *err)
{
    char text[sizeof err->text];
    fls_schema_object object;
    *found = root == NULL ? fls_schema_root(schema) : fls_schema_find_object(schema, root);
    if (*found == FLS_SCHEMA_NONE && root == NULL) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "the schema has no root_type: a root has to be named");
    }
    if (*found == FLS_SCHEMA_NONE) {
        (void)snprintf(text, sizeof text, "the schema has no table, or several, named %.80s", root);
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, text);
    }
    fls_schema_get_object(schema, *found, &object);
    if (object.is_struct) {
        (void)snprintf(text, sizeof text, "%.80s is a struct, and no root", object.name);
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, text);
    }
    return FLS_OK;
}

fls_status fls_schema_set_add(fls_schema_set *set, const fls_schema *schema, const char *root,
                              const char *identifier, fls_error *err)
{
    static const char none[4] = {0};
    fls_message_type type = {.schema = schema};
    if (set->count >= FLS_SCHEMA_SET_MOST) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "more types than a set holds");
    }
    fls_status status = find_root(schema, root, &type.root, err);
    if (status != FLS_OK) {
        return status;
    }
    if (identifier == NULL) {
        identifier = type.root == fls_schema_root(schema) ? fls_schema_identifier(schema) : "";
    }
    if (strlen(identifier) != 4 && identifier[0] != '\0') {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a file identifier has 4 bytes");
    }
    memcpy(type.identifier, identifier[0] == '\0' ? none : identifier, 4);
    uint32_t taken = find_identifier(set, type.identifier);
    if (taken != FLS_SCHEMA_NONE) {
        char text[sizeof err->text];
        fls_schema_object object;
        fls_schema_get_object(set->types[taken].schema, set->types[taken].root, &object);
        (void)snprintf(text, sizeof text, "two types %s: %.80s is one of them",
                       identifier[0] == '\0' ? "without a file identifier"
                                             : "with the same file identifier",
                       object.name);
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, text);
    }
    set->types[set->count++] = type;
    return FLS_OK;
}

/* Whether a message seems to have an identifier: its root lies behind one, and the bytes are
 * printable. What stands there in a message without one is a vtable or padding, which has zeros or
 * small numbers in it. */
static int has_identifier(const char *bytes, size_t size)
{
    if (size < 8) {
        return 0;
    }
    uint32_t root = flsi_load_le32((const uint8_t *)bytes);
    for (int i = 4; i < 8; i++) {
        if (bytes[i] < 0x20 || bytes[i] > 0x7e) {
            return 0;
        }
    }
    return root >= 8 && root < size;
}

uint32_t fls_schema_set_select(const fls_schema_set *set, const void *payload, size_t size)
{
    static const char none[4] = {0};
    uint32_t found = FLS_SCHEMA_NONE;
    const char *bytes = payload;
    if (size >= 8 && memcmp(bytes + 4, none, 4) != 0) {
        found = find_identifier(set, bytes + 4);
    }
    if (found == FLS_SCHEMA_NONE) {
        found = find_identifier(set, none);
    }
    if (found == FLS_SCHEMA_NONE && set->count == 1 && !has_identifier(bytes, size)) {
        found = 0;
    }
    return found;
}
