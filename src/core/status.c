/* Names and texts of statuses, and the context of errors. */
#include "flatstream/status.h"

#include <stdbool.h>

#include "core/bytes.h"
#include "core/error.h"

_Static_assert(sizeof(fls_error) == 256, "fls_error is part of the ABI");

const char *fls_status_name(fls_status status)
{
    switch (status) {
#define FLSI_NAME(name, number, class, text) \
    case name: return #name;
        FLS_STATUS_MAP(FLSI_NAME)
#undef FLSI_NAME
    }
    return "FLS_UNKNOWN";
}

const char *fls_status_text(fls_status status)
{
    switch (status) {
#define FLSI_TEXT(name, number, class, text) \
    case name: return text;
        FLS_STATUS_MAP(FLSI_TEXT)
#undef FLSI_TEXT
    }
    return "unknown status";
}

fls_status_class fls_status_class_of(fls_status status)
{
    switch (status) {
#define FLSI_CLASS(name, number, class, text) \
    case name: return FLS_CLASS_##class;
        FLS_STATUS_MAP(FLSI_CLASS)
#undef FLSI_CLASS
    }
    return FLS_CLASS_CALLER;
}

static void copy_text(char *to, size_t capacity, const char *from)
{
    size_t length = strlen(from);
    if (length >= capacity) {
        length = capacity - 1;
    }
    memcpy(to, from, length);
    to[length] = '\0';
}

fls_status fls_error_set(fls_error *err, fls_status status, int system_errno, const char *text)
{
    if (err != NULL) {
        memset(err, 0, sizeof *err);
        err->status = status;
        err->system_errno = system_errno;
        if (text != NULL) {
            copy_text(err->text, sizeof err->text, text);
        }
    }
    return status;
}

fls_status flsi_error_frame(fls_error *err, fls_status status, uint64_t offset, uint64_t ordinal,
                            const char *text)
{
    fls_error_set(err, status, 0, text);
    if (err != NULL) {
        err->known = FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
        err->offset = offset;
        err->ordinal = ordinal;
    }
    return status;
}

void flsi_error_checksums(fls_error *err, uint64_t expected, uint64_t computed, uint32_t width)
{
    if (err != NULL) {
        err->known |= FLS_ERROR_CHECKSUMS;
        err->expected = expected;
        err->computed = computed;
        err->checksum_width = width;
    }
}

void flsi_error_declared(fls_error *err, uint64_t declared_bytes, uint64_t limit_bytes)
{
    if (err != NULL) {
        err->known |= FLS_ERROR_DECLARED | FLS_ERROR_LIMIT;
        err->declared_bytes = declared_bytes;
        err->limit_bytes = limit_bytes;
    }
}

void flsi_error_name(fls_error *err, const char *name)
{
    if (err != NULL && name != NULL) {
        size_t length = strlen(name);
        size_t most = sizeof err->name - 1;
        copy_text(err->name, sizeof err->name, length > most ? name + (length - most) : name);
    }
}

/* Appends to a buffer of limited size and counts what it would have taken, as snprintf does; core
 * does without libc's. */
typedef struct text_out {
    char *buffer;
    size_t capacity;
    size_t length;
} text_out;

static void put(text_out *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (out->length + 1 < out->capacity) {
            out->buffer[out->length] = *text;
        }
        out->length++;
    }
}

static void put_number(text_out *out, uint64_t value, unsigned base, unsigned digits)
{
    char text[24];
    size_t at = sizeof text - 1;
    text[at] = '\0';
    do {
        text[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0 || sizeof text - 1 - at < digits);
    put(out, text + at);
}

static void put_place(text_out *out, const fls_error *err)
{
    if (err->known & FLS_ERROR_OFFSET) {
        put(out, "offset ");
        put_number(out, err->offset, 10, 1);
        put(out, err->known & FLS_ERROR_ORDINAL ? ", " : ": ");
    }
    if (err->known & FLS_ERROR_ORDINAL) {
        put(out, "message ");
        put_number(out, err->ordinal, 10, 1);
        put(out, ": ");
    }
}

static void put_detail(text_out *out, const fls_error *err)
{
    if (err->known & FLS_ERROR_CHECKSUMS) {
        put(out, ": expected ");
        put_number(out, err->expected, 16, err->checksum_width * 2);
        put(out, ", computed ");
        put_number(out, err->computed, 16, err->checksum_width * 2);
    }
    if (err->status == FLS_ZERO_TAIL) {
        put(out, ": ");
        put_number(out, err->limit_bytes, 10, 1);
        put(out, " bytes");
    } else if (err->known & FLS_ERROR_DECLARED) {
        put(out, ": ");
        put_number(out, err->declared_bytes, 10, 1);
        put(out, " bytes declared, ");
        put_number(out, err->limit_bytes, 10, 1);
        put(out, err->status == FLS_INVALID_FRAME ? " allowed" : " there");
    }
    if (err->system_errno != 0) {
        put(out, " (errno ");
        put_number(out, (uint64_t)(uint32_t)err->system_errno, 10, 1);
        put(out, ")");
    }
}

size_t fls_error_format(const fls_error *err, char *buffer, size_t capacity)
{
    text_out out = {buffer, capacity, 0};
    if (err->name[0] != '\0') {
        put(&out, err->name);
        put(&out, ": ");
    }
    put_place(&out, err);
    put(&out, fls_status_text(err->status));
    if (err->text[0] != '\0') {
        put(&out, ": ");
        put(&out, err->text);
    }
    put_detail(&out, err);
    if (capacity > 0) {
        buffer[out.length < capacity ? out.length : capacity - 1] = '\0';
    }
    return out.length;
}
