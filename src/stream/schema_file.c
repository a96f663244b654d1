/* Schemas from files: a .bfbs as it is, a .fbs by way of flatc, into a directory that is there for
 * as long as that takes.
 */
#include "stream/schema_file.h"

#include <stdio.h>
#include <string.h>

#include "os/os_error.h"
#include "os/os_process.h"

/* No schema is anywhere near; positions in a .bfbs end at 2^31. */
#define MOST_BYTES   ((size_t)INT32_MAX)
#define FIRST_BYTES  ((size_t)64 * 1024)
#define SAID_BYTES   4096
#define MOST_FOLDERS 64u
#define OWN_WORDS    8u /* of flatc's arguments, beside the directories */

/* What a load holds, for all its steps. */
typedef struct loading {
    const fls_allocator *allocator;
    const flsi_os_calls *calls;
    fls_error *err;
} loading;

/* ---- .bfbs ---- */

typedef struct contents {
    uint8_t *data;
    size_t size;
    size_t capacity;
} contents;

static fls_status grow(const loading *load, contents *read)
{
    const fls_allocator *allocator = load->allocator;
    size_t capacity = read->capacity == 0 ? FIRST_BYTES : 2 * read->capacity;
    if (read->capacity > MOST_BYTES)
        return fls_error_set(load->err, FLS_SCHEMA_INVALID, 0, "a schema of 2^31 bytes or more");
    void *grown = allocator->resize(allocator->self, read->data, read->capacity, capacity);
    if (grown == NULL)
        return fls_error_set(load->err, FLS_NO_MEMORY, 0, "no memory to read a schema");
    read->data = grown;
    read->capacity = capacity;
    return FLS_OK;
}

static fls_status read_all(const loading *load, const flsi_file *file, contents *read)
{
    fls_status status = FLS_OK;
    while (status == FLS_OK) {
        size_t got = 0;
        if (read->size == read->capacity) {
            status = grow(load, read);
            continue;
        }
        status = flsi_file_read(file, read->data + read->size, read->capacity - read->size, &got,
                                load->err);
        read->size += got;
    }
    return status == FLS_END ? FLS_OK : status;
}

static void forget(const loading *load, contents *read)
{
    if (read->data != NULL)
        load->allocator->free(load->allocator->self, read->data, read->capacity);
    *read = (contents){NULL, 0, 0};
}

/* The bytes of a file; on failure there are none. */
static fls_status read_binary(const loading *load, const char *path, contents *read)
{
    flsi_file file;
    fls_status status = flsi_file_open(&file, path, FLSI_OPEN_READ, load->calls, load->err);
    if (status != FLS_OK)
        return status;
    status = read_all(load, &file, read);
    (void)flsi_file_close(&file, NULL); /* only read: nothing can be lost */
    if (status != FLS_OK)
        forget(load, read);
    return status;
}

/* ---- flatc ---- */

/* The line of what flatc said that has the reason: the last one with "error: " in it or after a
 * line that is just "error:", else the last one at all. Ends it with a zero. */
static const char *reason_line(char *said)
{
    char *reason = said;
    int has_error = 0;
    int is_next = 0;
    for (char *line = said; line != NULL;) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end = '\0';
        line += strspn(line, " \t\r");
        const char *mark = strstr(line, "error: ");
        int is_error = is_next || (mark != NULL && mark[7] != '\0');
        if (line[0] != '\0') {
            if (is_error || !has_error) {
                reason = line;
                has_error = is_error;
            }
            is_next = strcmp(line, "error:") == 0;
        }
        line = end == NULL ? NULL : end + 1;
    }
    return reason;
}

/* The part of the reason that is not said elsewhere: "flatc: " is put before it, and err has the
 * path in its name. So it has neither "flatc: " nor the path's directories at its start, nor the
 * path at its end. */
static const char *bare_reason(const char *reason, const char *path, size_t *bytes)
{
    size_t skip = (size_t)(flsi_path_base(path) - path);
    size_t path_bytes = strlen(path);
    if (strncmp(reason, "flatc: ", 7) == 0)
        reason += 7;
    if (strncmp(reason, path, skip) == 0)
        reason += skip;
    *bytes = strlen(reason);
    if (*bytes > path_bytes + 2 && strcmp(reason + *bytes - path_bytes, path) == 0 &&
        strncmp(reason + *bytes - path_bytes - 2, ": ", 2) == 0)
        *bytes -= path_bytes + 2;
    return reason;
}

static fls_status refused(const loading *load, const char *path, const flsi_process_end *end,
                          char *said)
{
    char text[sizeof load->err->text];
    size_t bytes;
    const char *reason = bare_reason(reason_line(said), path, &bytes);
    if (end->signal != 0)
        (void)snprintf(text, sizeof text, "flatc was killed by signal %d", end->signal);
    else if (reason[0] == '\0')
        (void)snprintf(text, sizeof text, "flatc ended with code %d", end->code);
    else
        (void)snprintf(text, sizeof text, "flatc: %.*s", (int)bytes, reason);
    (void)fls_error_set(load->err, FLS_SCHEMA_INVALID, 0, text);
    if (load->err != NULL)
        flsi_os_copy_name(load->err->name, sizeof load->err->name, path);
    return FLS_SCHEMA_INVALID;
}

static fls_status run_flatc(const loading *load, const char *path,
                            const char *const *include_directories, const char *directory)
{
    const char *arguments[OWN_WORDS + 2 * MOST_FOLDERS + 1] = {"flatc",           "-b", "--schema",
                                                               "--bfbs-builtins", "-o", directory};
    size_t count = 6;
    flsi_process_end end;
    char said[SAID_BYTES];
    char guarded[FLSI_PATH_BYTES];
    for (size_t i = 0; include_directories != NULL && include_directories[i] != NULL; i++) {
        if (i == MOST_FOLDERS)
            return fls_error_set(load->err, FLS_INVALID_ARGUMENT, 0,
                                 "more than 64 directories to include from");
        arguments[count++] = "-I";
        arguments[count++] = include_directories[i];
    }
    if (path[0] == '-') { /* not an option */
        int length = snprintf(guarded, sizeof guarded, "./%s", path);
        if (length < 0 || (size_t)length >= sizeof guarded)
            return fls_error_set(load->err, FLS_INVALID_ARGUMENT, 0, "a path that is too long");
        path = guarded;
    }
    arguments[count] = path;
    fls_status status =
        flsi_process_run(arguments, said, sizeof said, &end, load->calls, load->err);
    if (status != FLS_OK)
        return status;
    if (end.is_missing)
        return fls_error_set(load->err, FLS_UNSUPPORTED, 0,
                             "a .fbs needs flatc to be read: install flatbuffers-compiler, or make "
                             "a .bfbs of it with flatc -b --schema");
    int failed =
        end.signal != 0 || end.code != 0 || (end.is_unknown && strstr(said, "error:") != NULL);
    return failed ? refused(load, path, &end, said) : FLS_OK;
}

/* "name.bfbs" of ".../name.fbs". 0, or -1 when it is too long. */
static int binary_name(const char *path, char *name, size_t capacity)
{
    const char *base = flsi_path_base(path);
    int stem = (int)(strrchr(base, '.') - base);
    int length = snprintf(name, capacity, "%.*s.bfbs", stem, base);
    return length < 0 || (size_t)length >= capacity ? -1 : 0;
}

/* The bytes that flatc makes of a file. */
static fls_status compile_text(const loading *load, const char *path,
                               const char *const *include_directories, contents *read)
{
    char directory[FLSI_PATH_BYTES];
    char name[256];
    char made[FLSI_PATH_BYTES + sizeof name];
    flsi_file file;
    /* What is wrong with the file itself the system says better than flatc. */
    fls_status status = flsi_file_open(&file, path, FLSI_OPEN_READ, load->calls, load->err);
    if (status != FLS_OK)
        return status;
    (void)flsi_file_close(&file, NULL);
    if (binary_name(path, name, sizeof name) != 0)
        return fls_error_set(load->err, FLS_INVALID_ARGUMENT, 0, "a name that is too long");
    status = flsi_private_directory_make(directory, load->calls, load->err);
    if (status != FLS_OK)
        return status;
    status = run_flatc(load, path, include_directories, directory);
    if (status == FLS_OK) {
        (void)snprintf(made, sizeof made, "%s/%s", directory, name);
        status = read_binary(load, made, read);
        if (status != FLS_OK && load->err != NULL)
            flsi_os_copy_name(load->err->name, sizeof load->err->name, path);
    }
    flsi_private_directory_remove(directory, name, load->calls);
    return status;
}

/* ---- both ---- */

static int is_text(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".fbs") == 0;
}

static fls_status read_compiled(const loading *load, const char *path,
                                const char *const *include_directories, contents *read)
{
    return is_text(path) ? compile_text(load, path, include_directories, read)
                         : read_binary(load, path, read);
}

fls_status flsi_schema_new_file(fls_schema **schema, const char *path,
                                const char *const *include_directories,
                                const fls_allocator *allocator, const flsi_os_calls *calls,
                                fls_error *err)
{
    loading load = {allocator != NULL ? allocator : fls_allocator_libc(), calls, err};
    contents read = {NULL, 0, 0};
    *schema = NULL;
    fls_status status = read_compiled(&load, path, include_directories, &read);
    if (status != FLS_OK)
        return status;
    status = fls_schema_new(schema, read.data, read.size, allocator, err);
    if (status != FLS_OK && err != NULL)
        flsi_os_copy_name(err->name, sizeof err->name, path);
    forget(&load, &read);
    return status;
}

fls_status fls_schema_new_file(fls_schema **schema, const char *path,
                               const char *const *include_directories,
                               const fls_allocator *allocator, fls_error *err)
{
    return flsi_schema_new_file(schema, path, include_directories, allocator, NULL, err);
}

fls_status flsi_schema_compile_file(void **bfbs, size_t *size, const char *path,
                                    const char *const *include_directories,
                                    const fls_allocator *allocator, const flsi_os_calls *calls,
                                    fls_error *err)
{
    loading load = {allocator != NULL ? allocator : fls_allocator_libc(), calls, err};
    contents read = {NULL, 0, 0};
    *bfbs = NULL;
    *size = 0;
    fls_status status = read_compiled(&load, path, include_directories, &read);
    if (status != FLS_OK)
        return status;
    if (read.size == 0) {
        forget(&load, &read);
        (void)fls_error_set(err, FLS_SCHEMA_INVALID, 0, "an empty file");
        if (err != NULL)
            flsi_os_copy_name(err->name, sizeof err->name, path);
        return FLS_SCHEMA_INVALID;
    }
    void *fitting =
        load.allocator->resize(load.allocator->self, read.data, read.capacity, read.size);
    if (fitting == NULL) {
        forget(&load, &read);
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to read a schema");
    }
    *bfbs = fitting;
    *size = read.size;
    return FLS_OK;
}

fls_status fls_schema_compile_file(void **bfbs, size_t *size, const char *path,
                                   const char *const *include_directories,
                                   const fls_allocator *allocator, fls_error *err)
{
    return flsi_schema_compile_file(bfbs, size, path, include_directories, allocator, NULL, err);
}
