/* Taking paths apart; see os_path.h. */
#include "os/os_path.h"

#include <errno.h>
#include <string.h>

const char *flsi_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static int path_join(const char *left, size_t left_bytes, const char *right,
                     char result[FLSI_PATH_BYTES])
{
    size_t right_bytes = strlen(right);
    if (left_bytes >= FLSI_PATH_BYTES || right_bytes >= FLSI_PATH_BYTES - left_bytes) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(result, left, left_bytes);
    memcpy(result + left_bytes, right, right_bytes + 1);
    return 0;
}

int flsi_path_directory(const char *path, char directory[FLSI_PATH_BYTES])
{
    size_t bytes = (size_t)(flsi_path_base(path) - path);
    if (bytes == 0)
        return path_join("", 0, ".", directory);
    while (bytes > 1 && path[bytes - 1] == '/')
        bytes--;
    return path_join(path, bytes, "", directory);
}

int flsi_path_follow(const char *link, const char *text, char target[FLSI_PATH_BYTES])
{
    size_t bytes = text[0] == '/' ? 0 : (size_t)(flsi_path_base(link) - link);
    return path_join(link, bytes, text, target);
}

static int parse_descriptor(const char *digits)
{
    int number = 0;
    if (*digits == '\0')
        return -1;
    for (; *digits != '\0'; digits++) {
        if (*digits < '0' || *digits > '9' || number > 99999)
            return -1;
        number = number * 10 + (*digits - '0');
    }
    return number;
}

int flsi_path_descriptor(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    static const char *const names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(path, names[i]) == 0)
            return i;
    }
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        size_t bytes = strlen(folders[i]);
        if (strncmp(path, folders[i], bytes) == 0)
            return parse_descriptor(path + bytes);
    }
    return -1;
}
