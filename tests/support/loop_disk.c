/* A small file system of one's own; see loop_disk.h. */
#include "support/loop_disk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/files.h"
#include "support/testing.h"

#if defined(__linux__)

#include <sys/mount.h>

static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *format, ...)
{
    char command[1200];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    return system(command); /* NOLINT(cert-env33-c): names that a test made */
}

static int take_line(const char *command, char *line, size_t capacity)
{
    FILE *output = popen(command, "r"); /* NOLINT(cert-env33-c) */
    line[0] = '\0';
    if (output != NULL) {
        (void)!fgets(line, (int)capacity, output);
        (void)pclose(output);
    }
    line[strcspn(line, "\n")] = '\0';
    return line[0] != '\0' ? 0 : -1;
}

static const char *make_device(loop_disk *disk, uint64_t bytes)
{
    char image[300];
    char command[600];
    (void)snprintf(image, sizeof image, "%s/image", disk->directory);
    FILE *file = fopen(image, "w");
    if (file == NULL || ftruncate(fileno(file), (off_t)bytes) != 0 || fclose(file) != 0) {
        return "there is no room for the image";
    }
    const char *options = strcmp(disk->kind, "ext4") == 0 ? "-m 0" : "";
    if (run("mkfs.%s -q %s %s >/dev/null 2>&1", disk->kind, options, image) != 0) {
        return "there is no mkfs for it";
    }
    (void)snprintf(command, sizeof command, "losetup -f --show %s 2>/dev/null", image);
    return take_line(command, disk->device, sizeof disk->device) == 0 ? NULL
                                                                      : "there are no loop devices";
}

const char *loop_disk_make(loop_disk *disk, const char *kind, uint64_t bytes)
{
    char size[40];
    const char *source = kind;
    memset(disk, 0, sizeof *disk);
    (void)snprintf(disk->kind, sizeof disk->kind, "%s", kind);
    (void)snprintf(size, sizeof size, "size=%llu", (unsigned long long)bytes);
    files_make_directory(disk->directory, sizeof disk->directory);
    (void)snprintf(disk->mounted, sizeof disk->mounted, "%s/mounted", disk->directory);
    assert_int_equal(mkdir(disk->mounted, 0700), 0);
    if (geteuid() != 0) {
        return "it needs root";
    }
    int in_memory = strcmp(kind, "tmpfs") == 0;
    if (!in_memory) {
        const char *why = make_device(disk, bytes);
        if (why != NULL) {
            return why;
        }
        source = disk->device;
    }
    return mount(source, disk->mounted, kind, 0, in_memory ? size : NULL) == 0
               ? NULL
               : "mounting is not allowed";
}

void loop_disk_mount(const loop_disk *disk)
{
    assert_int_equal(mount(disk->device, disk->mounted, disk->kind, 0, NULL), 0);
}

void loop_disk_unmount(const loop_disk *disk)
{
    for (int i = 0; i < 100 && umount2(disk->mounted, 0) != 0; i++) {
        assert_int_equal(errno, EBUSY);
        (void)usleep(20000);
    }
}

void loop_disk_remove(loop_disk *disk)
{
    if (disk->directory[0] == '\0') {
        return;
    }
    (void)umount2(disk->mounted, MNT_DETACH);
    if (disk->device[0] != '\0') {
        (void)run("losetup -d %s", disk->device);
    }
    (void)rmdir(disk->mounted);
    files_remove_directory(disk->directory);
    memset(disk, 0, sizeof *disk);
}

#else

const char *loop_disk_make(loop_disk *disk, const char *kind, uint64_t bytes)
{
    (void)kind;
    (void)bytes;
    memset(disk, 0, sizeof *disk);
    return "file systems are made so on Linux only";
}

void loop_disk_mount(const loop_disk *disk)
{
    (void)disk;
}

void loop_disk_unmount(const loop_disk *disk)
{
    (void)disk;
}

void loop_disk_remove(loop_disk *disk)
{
    (void)disk;
}

#endif
