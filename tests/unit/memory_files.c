/* See memory_files.h. */
#include "memory_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#define OPEN_MOST        64
#define FIRST_DESCRIPTOR 4096
#define NOTHING          MEMORY_FILES_MOST

typedef struct memory_node {
    int used;
    int is_directory;
    int is_named; /* 0: it lives as long as it is open */
    int locked_by;
    size_t in; /* the directory */
    char name[MEMORY_NAME_BYTES];
    uint8_t *data;
    size_t size;
    size_t capacity;
    int64_t changes;
} memory_node;

typedef struct memory_open {
    int used;
    int flags;
    size_t node;
    off_t position;
} memory_open;

static struct {
    memory_node nodes[MEMORY_FILES_MOST]; /* the first is the root */
    memory_open open[OPEN_MOST];
    int mappings;
    int64_t changes;
} files;

static int failed_with(int why)
{
    errno = why;
    return -1;
}

static void out_of_memory(void)
{
    abort();
}

/* ---- names ---- */

static size_t find_in(size_t directory, const char *name, size_t length)
{
    for (size_t i = 1; i < MEMORY_FILES_MOST; i++) {
        const memory_node *node = &files.nodes[i];
        if (node->used && node->is_named && node->in == directory && strlen(node->name) == length &&
            memcmp(node->name, name, length) == 0) {
            return i;
        }
    }
    return NOTHING;
}

static void free_if_unused(size_t number)
{
    memory_node *node = &files.nodes[number];
    for (size_t i = 0; i < OPEN_MOST; i++) {
        if (files.open[i].used && files.open[i].node == number) {
            return;
        }
    }
    if (number != 0 && node->used && !node->is_named) {
        free(node->data);
        memset(node, 0, sizeof *node);
    }
}

/* The directory of a path's last part, and that part: "." when there is none. -1 with errno. */
static int resolve(size_t directory, const char *path, size_t *in, char name[MEMORY_NAME_BYTES])
{
    *in = path[0] == '/' ? 0 : directory;
    for (;;) {
        path += strspn(path, "/");
        size_t bytes = strcspn(path, "/");
        if (bytes >= MEMORY_NAME_BYTES) {
            return failed_with(ENAMETOOLONG);
        }
        memcpy(name, path, bytes);
        name[bytes] = '\0';
        path += bytes;
        if (path[strspn(path, "/")] == '\0') {
            return 0;
        }
        if (strcmp(name, ".") == 0) {
            continue;
        }
        size_t there = find_in(*in, name, bytes);
        if (there == NOTHING || !files.nodes[there].is_directory) {
            return failed_with(there == NOTHING ? ENOENT : ENOTDIR);
        }
        *in = there;
    }
}

static size_t look_up(size_t directory, const char *path)
{
    char name[MEMORY_NAME_BYTES];
    size_t in;
    if (resolve(directory, path, &in, name) != 0) {
        return NOTHING;
    }
    if (name[0] == '\0' || strcmp(name, ".") == 0) {
        return in;
    }
    size_t there = find_in(in, name, strlen(name));
    if (there == NOTHING) {
        errno = ENOENT;
    }
    return there;
}

static size_t make_node(size_t in, const char *name, int is_directory)
{
    for (size_t i = 1; i < MEMORY_FILES_MOST; i++) {
        memory_node *node = &files.nodes[i];
        if (!node->used) {
            node->used = 1;
            node->is_named = 1;
            node->is_directory = is_directory;
            node->in = in;
            node->changes = ++files.changes;
            files.nodes[in].changes = files.changes;
            memcpy(node->name, name, strlen(name) + 1);
            return i;
        }
    }
    errno = ENOSPC;
    return NOTHING;
}

static void take_name(size_t number)
{
    files.nodes[number].is_named = 0;
    files.nodes[files.nodes[number].in].changes = ++files.changes;
    free_if_unused(number);
}

/* ---- descriptors ---- */

static memory_open *opened(int fd)
{
    int index = fd - FIRST_DESCRIPTOR;
    if (index < 0 || index >= OPEN_MOST || !files.open[index].used) {
        abort(); /* nobody may use what it has not opened */
    }
    return &files.open[index];
}

static memory_node *node_of(int fd)
{
    return &files.nodes[opened(fd)->node];
}

static size_t directory_of(int fd)
{
    return fd == AT_FDCWD ? 0 : opened(fd)->node;
}

static int descriptor_for(size_t number, int flags)
{
    for (int i = 0; i < OPEN_MOST; i++) {
        if (!files.open[i].used) {
            files.open[i] = (memory_open){1, flags, number, 0};
            return FIRST_DESCRIPTOR + i;
        }
    }
    return failed_with(EMFILE);
}

static int call_openat(int at, const char *path, int flags, mode_t mode)
{
    char name[MEMORY_NAME_BYTES];
    size_t in;
    (void)mode;
    size_t number = look_up(directory_of(at), path);
    if (number == NOTHING) {
        if (errno != ENOENT || (flags & O_CREAT) == 0 ||
            resolve(directory_of(at), path, &in, name) != 0) {
            return -1;
        }
        number = make_node(in, name, 0);
        return number == NOTHING ? -1 : descriptor_for(number, flags);
    }
    if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) {
        return failed_with(EEXIST);
    }
    if ((flags & O_DIRECTORY) != 0 && !files.nodes[number].is_directory) {
        return failed_with(ENOTDIR);
    }
    if (files.nodes[number].is_directory && (flags & O_ACCMODE) != O_RDONLY) {
        return failed_with(EISDIR);
    }
    return descriptor_for(number, flags);
}

static int call_dup(int fd)
{
    return descriptor_for(opened(fd)->node, opened(fd)->flags);
}

static int call_close(int fd)
{
    memory_open *file = opened(fd);
    size_t number = file->node;
    if (files.nodes[number].locked_by == fd) {
        files.nodes[number].locked_by = 0;
    }
    memset(file, 0, sizeof *file);
    free_if_unused(number);
    return 0;
}

static int fill_status(size_t number, struct stat *status)
{
    const memory_node *node = &files.nodes[number];
    memset(status, 0, sizeof *status);
    status->st_dev = 78;
    status->st_ino = (ino_t)(number + 1);
    status->st_mode = node->is_directory || number == 0 ? S_IFDIR | 0755 : S_IFREG | 0644;
    status->st_nlink = 1;
    status->st_size = (off_t)node->size;
    status->st_mtime = (time_t)(1000000000 + node->changes);
    return 0;
}

static int call_fstat(int fd, struct stat *status)
{
    return fill_status(opened(fd)->node, status);
}

static int call_fstatat(int at, const char *path, struct stat *status, int flags)
{
    (void)flags;
    size_t number = look_up(directory_of(at), path);
    return number == NOTHING ? -1 : fill_status(number, status);
}

static int call_stat(const char *path, struct stat *status)
{
    return call_fstatat(AT_FDCWD, path, status, 0);
}

static ssize_t call_readlink(const char *path, char *buffer, size_t capacity)
{
    (void)path;
    memset(buffer, 0, capacity);
    return failed_with(EINVAL); /* there are no links */
}

/* ---- content ---- */

static off_t call_lseek(int fd, off_t offset, int whence)
{
    memory_open *file = opened(fd);
    if (whence == SEEK_CUR) {
        offset += file->position;
    } else if (whence == SEEK_END) {
        offset += (off_t)node_of(fd)->size;
    }
    return file->position = offset;
}

static ssize_t call_pread(int fd, void *buffer, size_t capacity, off_t offset)
{
    const memory_node *node = node_of(fd);
    if (node->is_directory || opened(fd)->node == 0) {
        return failed_with(EISDIR);
    }
    if (offset < 0) {
        return failed_with(EINVAL);
    }
    if ((uint64_t)offset >= node->size) {
        return 0;
    }
    size_t left = node->size - (size_t)offset;
    size_t size = capacity < left ? capacity : left;
    memcpy(buffer, node->data + offset, size);
    return (ssize_t)size;
}

static ssize_t call_read(int fd, void *buffer, size_t capacity)
{
    memory_open *file = opened(fd);
    ssize_t got = call_pread(fd, buffer, capacity, file->position);
    file->position += got > 0 ? got : 0;
    return got;
}

static int resize(memory_node *node, size_t size)
{
    if (size > MEMORY_ROOM_BYTES) {
        return failed_with(ENOSPC);
    }
    if (size > node->capacity) {
        size_t capacity = 2 * size;
        uint8_t *grown = realloc(node->data, capacity);
        if (grown == NULL) {
            out_of_memory();
            return -1;
        }
        node->data = grown;
        node->capacity = capacity;
    }
    if (size > node->size) {
        memset(node->data + node->size, 0, size - node->size);
    }
    node->size = size;
    node->changes = ++files.changes;
    return 0;
}

static ssize_t call_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    memory_node *node = node_of(fd);
    if ((opened(fd)->flags & O_ACCMODE) == O_RDONLY) {
        return failed_with(EBADF);
    }
    if (offset < 0 || (uint64_t)offset > MEMORY_ROOM_BYTES || size > MEMORY_ROOM_BYTES) {
        return failed_with(offset < 0 ? EINVAL : ENOSPC);
    }
    size_t end = (size_t)offset + size;
    if (resize(node, end > node->size ? end : node->size) != 0) {
        return -1;
    }
    if (size > 0) {
        memcpy(node->data + offset, data, size);
    }
    return (ssize_t)size;
}

static ssize_t call_pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    ssize_t all = 0;
    for (int i = 0; i < count; i++) {
        ssize_t done = call_pwrite(fd, pieces[i].iov_base, pieces[i].iov_len, offset + all);
        if (done < 0) {
            return all > 0 ? all : -1;
        }
        all += done;
    }
    return all;
}

static ssize_t call_write(int fd, const void *data, size_t size)
{
    memory_open *file = opened(fd);
    ssize_t done = call_pwrite(fd, data, size, file->position);
    file->position += done > 0 ? done : 0;
    return done;
}

static ssize_t call_writev(int fd, const struct iovec *pieces, int count)
{
    memory_open *file = opened(fd);
    ssize_t done = call_pwritev(fd, pieces, count, file->position);
    file->position += done > 0 ? done : 0;
    return done;
}

static int call_ftruncate(int fd, off_t size)
{
    return size < 0 ? failed_with(EINVAL) : resize(node_of(fd), (size_t)size);
}

static int call_sync(int fd)
{
    (void)opened(fd);
    return 0;
}

static int call_flock(int fd, int how)
{
    memory_node *node = node_of(fd);
    if ((how & LOCK_UN) != 0) {
        node->locked_by = node->locked_by == fd ? 0 : node->locked_by;
        return 0;
    }
    if (node->locked_by != 0 && node->locked_by != fd) {
        return failed_with(EWOULDBLOCK);
    }
    node->locked_by = fd;
    return 0;
}

static int call_fchmod(int fd, mode_t mode)
{
    (void)mode;
    return call_sync(fd);
}

static int call_fchown(int fd, uid_t owner, gid_t group)
{
    (void)owner;
    (void)group;
    return call_sync(fd);
}

static void call_advise(int fd)
{
    (void)call_sync(fd);
}

/* What is mapped stays as it was then. */
static void *call_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    const memory_node *node = node_of(fd);
    uint8_t *copy = aligned_alloc(4096, (size + 4095) / 4096 * 4096);
    (void)address;
    (void)protection;
    (void)flags;
    if (copy == NULL) {
        out_of_memory();
        return MAP_FAILED;
    }
    memset(copy, 0, size);
    if (offset >= 0 && (uint64_t)offset < node->size) {
        size_t left = node->size - (size_t)offset;
        memcpy(copy, node->data + offset, left < size ? left : size);
    }
    files.mappings++;
    return copy;
}

static int call_munmap(void *address, size_t size)
{
    (void)size;
    free(address);
    files.mappings--;
    return 0;
}

/* ---- changing names ---- */

static int move(int from_at, const char *from, int to_at, const char *to, int only_new)
{
    char name[MEMORY_NAME_BYTES];
    size_t in;
    size_t moved = look_up(directory_of(from_at), from);
    if (moved == NOTHING || resolve(directory_of(to_at), to, &in, name) != 0) {
        return -1;
    }
    size_t there = find_in(in, name, strlen(name));
    if (there != NOTHING && only_new) {
        return failed_with(EEXIST);
    }
    if (there != NOTHING && files.nodes[there].is_directory) {
        return failed_with(EISDIR);
    }
    if (there != NOTHING && there != moved) {
        take_name(there);
    }
    memory_node *node = &files.nodes[moved];
    files.nodes[node->in].changes = ++files.changes;
    files.nodes[in].changes = files.changes;
    node->in = in;
    memcpy(node->name, name, sizeof name);
    return 0;
}

static int call_renameat(int from_at, const char *from, int to_at, const char *to)
{
    return move(from_at, from, to_at, to, 0);
}

static int call_rename_new(int from_at, const char *from, int to_at, const char *to)
{
    return move(from_at, from, to_at, to, 1);
}

static int call_unlinkat(int at, const char *path, int flags)
{
    (void)flags;
    size_t number = look_up(directory_of(at), path);
    if (number == NOTHING) {
        return -1;
    }
    if (files.nodes[number].is_directory || number == 0) {
        return failed_with(EISDIR);
    }
    take_name(number);
    return 0;
}

static int call_mkdirat(int at, const char *path, mode_t mode)
{
    char name[MEMORY_NAME_BYTES];
    size_t in;
    (void)mode;
    if (resolve(directory_of(at), path, &in, name) != 0) {
        return -1;
    }
    if (name[0] == '\0' || strcmp(name, ".") == 0 || find_in(in, name, strlen(name)) != NOTHING) {
        return failed_with(EEXIST);
    }
    return make_node(in, name, 1) == NOTHING ? -1 : 0;
}

/* Names that come or go meanwhile are seen or not. */
static int call_list(int fd, int (*seen)(void *self, const char *name), void *self)
{
    size_t directory = opened(fd)->node;
    for (size_t i = 1; i < MEMORY_FILES_MOST; i++) {
        const memory_node *node = &files.nodes[i];
        if (node->used && node->is_named && node->in == directory && seen(self, node->name) != 0) {
            break;
        }
    }
    return 0;
}

const flsi_os_calls *memory_files_calls(void)
{
    /* What is not here is called by nobody who works on files. */
    static const flsi_os_calls table = {
        .openat = call_openat,
        .dup_cloexec = call_dup,
        .close = call_close,
        .fstat = call_fstat,
        .lstat = call_stat,
        .stat = call_stat,
        .readlink = call_readlink,
        .lseek = call_lseek,
        .read = call_read,
        .pread = call_pread,
        .write = call_write,
        .writev = call_writev,
        .pwrite = call_pwrite,
        .pwritev = call_pwritev,
        .ftruncate = call_ftruncate,
        .sync_data = call_sync,
        .sync_directory = call_sync,
        .flock = call_flock,
        .fchmod = call_fchmod,
        .fchown = call_fchown,
        .renameat = call_renameat,
        .rename_new = call_rename_new,
        .unlinkat = call_unlinkat,
        .mkdirat = call_mkdirat,
        .fstatat = call_fstatat,
        .list = call_list,
        .advise_sequential = call_advise,
        .mmap = call_mmap,
        .munmap = call_munmap,
    };
    return &table;
}

/* ---- from outside ---- */

void memory_files_reset(void)
{
    for (size_t i = 0; i < MEMORY_FILES_MOST; i++) {
        free(files.nodes[i].data);
    }
    memset(&files, 0, sizeof files);
    files.nodes[0].used = 1;
    files.nodes[0].is_named = 1;
    files.nodes[0].is_directory = 1;
}

int memory_files_open(void)
{
    int count = files.mappings;
    for (size_t i = 0; i < OPEN_MOST; i++) {
        count += files.open[i].used;
    }
    return count;
}

/* A directory below the root, made with those that it is in; NOTHING when there are too many. */
static size_t make_directory(const char *path)
{
    char name[MEMORY_NAME_BYTES];
    size_t in = 0;
    for (; *path != '\0'; path += strspn(path, "/")) {
        size_t length = strcspn(path, "/");
        memcpy(name, path, length);
        name[length] = '\0';
        size_t there = find_in(in, name, length);
        in = there != NOTHING ? there : make_node(in, name, 1);
        if (in == NOTHING || !files.nodes[in].is_directory) {
            return NOTHING;
        }
        path += length;
    }
    return in;
}

int memory_files_put(const char *directory, const char *name, const void *data, size_t size)
{
    size_t in = make_directory(directory);
    if (in == NOTHING || name[0] == '\0') {
        return in != NOTHING;
    }
    size_t number = find_in(in, name, strlen(name));
    number = number != NOTHING ? number : make_node(in, name, 0);
    if (number == NOTHING || files.nodes[number].is_directory) {
        return 0;
    }
    files.nodes[number].size = 0;
    if (resize(&files.nodes[number], size) != 0) {
        return 0;
    }
    if (size > 0) {
        memcpy(files.nodes[number].data, data, size);
    }
    return 1;
}

void memory_files_each(const char *directory,
                       void (*seen)(void *self, const char *name, const uint8_t *data, size_t size),
                       void *self)
{
    size_t in = look_up(0, directory);
    for (size_t i = 1; i < MEMORY_FILES_MOST && in != NOTHING; i++) {
        const memory_node *node = &files.nodes[i];
        if (node->used && node->is_named && !node->is_directory && node->in == in) {
            seen(self, node->name, node->data, node->size);
        }
    }
}
