/* See files.h. */
#include "support/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void give_up(const char *what, const char *path)
{
    fprintf(stderr, "%s %s: %s\n", what, path, strerror(errno));
    abort();
}

int files_read(const char *path, byte_buffer *into)
{
    bytes_clear(into);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return errno;
    }
    char block[16384];
    size_t got;
    while ((got = fread(block, 1, sizeof block, file)) > 0) {
        bytes_append(into, block, got);
    }
    int failed = ferror(file) ? EIO : 0;
    fclose(file);
    return failed;
}

void files_write(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        give_up("cannot make", path);
        return;
    }
    if ((size > 0 && fwrite(data, 1, size, file) != size) || fclose(file) != 0) {
        give_up("cannot write", path);
    }
}

int files_exist(const char *path)
{
    return access(path, F_OK) == 0;
}

uint64_t files_size(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        give_up("cannot look at", path);
    }
    return (uint64_t)status.st_size;
}

void files_make_directory(char *path, size_t capacity)
{
    const char *base = getenv("TMPDIR");
    if (base == NULL || *base == '\0') {
        base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    }
    snprintf(path, capacity, "%s/flatstream-test-XXXXXX", base);
    if (mkdtemp(path) == NULL) {
        give_up("cannot make", path);
    }
}

void files_remove_directory(const char *path)
{
    char entry_path[1024];
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        (void)snprintf(entry_path, sizeof entry_path, "%s/%s", path, entry->d_name);
        if (unlink(entry_path) != 0) {
            files_remove_directory(entry_path);
        }
    }
    closedir(directory);
    (void)rmdir(path);
}

const char *files_join(const char *directory, const char *name)
{
    static char buffers[8][1024];
    static unsigned next;
    char *buffer = buffers[next++ % 8];
    snprintf(buffer, sizeof buffers[0], "%s/%s", directory, name);
    return buffer;
}

const char *files_golden_directory(void)
{
    return FLS_SOURCE_DIR "/tests/golden/data";
}

const char *files_interop_directory(void)
{
    const char *given = getenv("FLS_INTEROP_DIR");
    const char *place = given != NULL ? given : FLS_SOURCE_DIR "/../shared/interop";
    if (files_exist(files_join(place, "README.md"))) {
        return place;
    }
    printf("skipped: no interoperation streams at %s (FLS_INTEROP_DIR)\n", place);
    return NULL;
}
