/* The system calls of a crash disk; see crash_disk.h. */
#include "crash_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crash_store.h"
#include "support/testing.h"

static crash_disk *disk_in_use;

crash_disk *crash_disk_use(crash_disk *disk)
{
    crash_disk *before = disk_in_use;
    disk_in_use = disk;
    return before;
}

crash_faults *crash_disk_faults(crash_disk *disk)
{
    return &disk->faults;
}

static int failed_with(int why)
{
    errno = why;
    return -1;
}

/* Whether a call of that name can be interrupted by a signal. */
static int waits(const char *name)
{
    static const char *const names[] = {"openat",  "read",      "pread",     "pwrite",
                                        "pwritev", "ftruncate", "sync_data", "sync_directory"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Counts a call; whether it is to fail. */
static int fails(const char *name)
{
    crash_faults *faults = &disk_in_use->faults;
    faults->calls++;
    if (faults->interrupt != 0 && waits(name) &&
        prng_below(&disk_in_use->random, faults->interrupt) == 0) {
        errno = EINTR;
        return 1;
    }
    if (faults->fail_at == 0 || faults->calls < faults->fail_at ||
        faults->calls - faults->fail_at > faults->fail_calls) {
        return 0;
    }
    faults->failed = name;
    errno = faults->fail_errno != 0 ? faults->fail_errno : EIO;
    return 1;
}

static void write_something_back(crash_disk *disk)
{
    crash_node *file = &disk->nodes[prng_below(&disk->random, disk->node_count)];
    if (file->mode != 0 && S_ISREG(file->mode) && file->now != file->durable) {
        node_flush(disk, file, prng_below(&disk->random, 2) == 0, 0);
    }
    if (disk->pending_count != 0 && prng_below(&disk->random, 4) == 0) {
        names_commit_first(disk, (size_t)prng_below(&disk->random, disk->pending_count + 1));
    }
}

/* Before a call that changes or syncs something. */
static void point(void)
{
    crash_disk *disk = disk_in_use;
    if (disk->faults.point != NULL && !disk->in_point) {
        disk->in_point = 1;
        disk->faults.point(disk->faults.point_self, disk);
        disk->in_point = 0;
        disk_in_use = disk;
    }
    if (disk->faults.writeback != 0 && prng_below(&disk->random, disk->faults.writeback) == 0) {
        write_something_back(disk);
    }
}
/* ---- the calls ---- */

static crash_open *opened(int fd)
{
    crash_disk *disk = disk_in_use;
    int index = fd - disk->descriptors;
    if (index < 0 || index >= CRASH_OPEN_MOST || !disk->open[index].used) {
        print_error("descriptor %d is not open on this disk\n", fd);
        abort();
    }
    return &disk->open[index];
}

static size_t directory_of(int fd)
{
    return fd == AT_FDCWD ? ROOT : opened(fd)->node;
}

static int descriptor_for(size_t number, int flags)
{
    crash_disk *disk = disk_in_use;
    for (int i = 0; i < CRASH_OPEN_MOST; i++) {
        if (!disk->open[i].used) {
            disk->open[i] = (crash_open){.node = number, .flags = flags, .used = 1};
            return disk->descriptors + i;
        }
    }
    return failed_with(EMFILE);
}

/* Adds a name for a new node. -1 with errno. */
static int make_node(size_t in, const char *name, mode_t mode, size_t *made)
{
    operation change = {.replaced = CRASH_FILES_MOST};
    change.to.directory = in;
    *made = node_new(disk_in_use, mode);
    change.to.node = *made;
    memcpy(change.to.name, name, strlen(name) + 1);
    names_change(disk_in_use, &change);
    return 0;
}

static int disk_openat(int at, const char *path, int flags, mode_t mode)
{
    crash_disk *disk = disk_in_use;
    char name[CRASH_NAME_BYTES];
    size_t in = 0;
    size_t number = 0;
    if ((flags & O_CREAT) != 0) {
        point();
    }
    if (fails("openat")) {
        return -1;
    }
    number = names_look_up(disk, directory_of(at), path);
    if (number != CRASH_FILES_MOST) {
        if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) {
            return failed_with(EEXIST);
        }
        int is_directory = S_ISDIR(disk->nodes[number].mode);
        if ((flags & O_DIRECTORY) != 0 && !is_directory) {
            return failed_with(ENOTDIR);
        }
        if (is_directory && (flags & O_ACCMODE) != O_RDONLY) {
            return failed_with(EISDIR);
        }
        assert_int_equal(flags & O_TRUNC, 0); /* nobody does */
        return descriptor_for(number, flags);
    }
    if (errno != ENOENT || (flags & O_CREAT) == 0) {
        return -1;
    }
    if (names_resolve(disk, directory_of(at), path, &in, name) != 0 ||
        make_node(in, name, S_IFREG | (mode & 0777), &number) != 0) {
        return -1;
    }
    return descriptor_for(number, flags);
}

static int disk_dup(int fd)
{
    return fails("dup") ? -1 : descriptor_for(opened(fd)->node, opened(fd)->flags);
}

static int disk_close(int fd)
{
    crash_open *file = opened(fd);
    if (disk_in_use->nodes[file->node].locked_by == fd) {
        disk_in_use->nodes[file->node].locked_by = 0;
    }
    memset(file, 0, sizeof *file);
    return fails("close") ? -1 : 0;
}

static int fill_status(size_t number, struct stat *status)
{
    const crash_node *file = &disk_in_use->nodes[number];
    memset(status, 0, sizeof *status);
    status->st_dev = 77;
    status->st_ino = (ino_t)(number + 1);
    status->st_mode = file->mode;
    status->st_nlink = 1;
    status->st_size = (off_t)file->now->size;
    status->st_mtime = (time_t)(1000000000 + file->changes);
    return 0;
}

static int disk_fstat(int fd, struct stat *status)
{
    return fails("fstat") ? -1 : fill_status(opened(fd)->node, status);
}

static int disk_fstatat(int at, const char *path, struct stat *status, int flags)
{
    (void)flags;
    if (fails("fstatat")) {
        return -1;
    }
    size_t number = names_look_up(disk_in_use, directory_of(at), path);
    return number == CRASH_FILES_MOST ? -1 : fill_status(number, status);
}

static int disk_stat(const char *path, struct stat *status)
{
    return disk_fstatat(AT_FDCWD, path, status, 0);
}

static ssize_t disk_readlink(const char *path, char *buffer, size_t capacity)
{
    (void)path;
    memset(buffer, 0, capacity); /* there are no links */
    return failed_with(EINVAL);
}

static off_t disk_lseek(int fd, off_t offset, int whence)
{
    crash_open *file = opened(fd);
    if (fails("lseek")) {
        return -1;
    }
    if (whence == SEEK_CUR) {
        offset += file->position;
    } else if (whence == SEEK_END) {
        offset += (off_t)disk_in_use->nodes[file->node].now->size;
    }
    return file->position = offset;
}

static size_t transfer(size_t size)
{
    size_t most = disk_in_use->faults.transfer_most;
    return most != 0 && most < size ? most : size;
}

static ssize_t get(const crash_open *file, void *buffer, size_t capacity, off_t offset)
{
    const content *from = disk_in_use->nodes[file->node].now;
    if (S_ISDIR(disk_in_use->nodes[file->node].mode)) {
        return failed_with(EISDIR);
    }
    if ((size_t)offset >= from->size) {
        return 0;
    }
    size_t left = from->size - (size_t)offset;
    size_t size = transfer(capacity < left ? capacity : left);
    memcpy(buffer, from->bytes + offset, size);
    return (ssize_t)size;
}

static ssize_t disk_pread(int fd, void *buffer, size_t capacity, off_t offset)
{
    return fails("pread") ? -1 : get(opened(fd), buffer, capacity, offset);
}

static ssize_t disk_read(int fd, void *buffer, size_t capacity)
{
    crash_open *file = opened(fd);
    ssize_t got = fails("read") ? -1 : get(file, buffer, capacity, file->position);
    file->position += got > 0 ? got : 0;
    return got;
}

static uint64_t bytes_in_use(const crash_disk *disk)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < disk->node_count; i++) {
        bytes += disk->nodes[i].mode != 0 ? disk->nodes[i].now->size : 0;
    }
    return bytes;
}

/* How many of the bytes there is room for. */
static size_t fits(const crash_node *file, size_t size, size_t offset)
{
    uint64_t room = disk_in_use->faults.room_bytes;
    if (room == 0 || offset + size <= file->now->size) {
        return size;
    }
    uint64_t used = bytes_in_use(disk_in_use);
    uint64_t end = file->now->size + (used < room ? room - used : 0);
    if (end <= offset) {
        return 0;
    }
    return end - offset < size ? (size_t)(end - offset) : size;
}

static ssize_t put(const crash_open *open, const void *data, size_t size, off_t offset)
{
    crash_node *file = &disk_in_use->nodes[open->node];
    if ((open->flags & O_ACCMODE) == O_RDONLY) {
        return failed_with(EBADF);
    }
    size_t at = (size_t)offset;
    size = fits(file, transfer(size), at);
    if (size == 0) {
        return failed_with(ENOSPC);
    }
    size_t old = file->now->size;
    size_t end = at + size;
    content_change(&file->now, end > old ? end : old);
    memcpy(file->now->bytes + at, data, size);
    node_mark(file, at < old ? at : old, end, DIRTY);
    file->size_pending |= end > old;
    file->changes = ++disk_in_use->changes;
    return (ssize_t)size;
}

static ssize_t disk_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    point();
    return fails("pwrite") ? -1 : put(opened(fd), data, size, offset);
}

static ssize_t disk_pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    ssize_t all = 0;
    point();
    if (fails("pwritev")) {
        return -1;
    }
    for (int i = 0; i < count; i++) {
        ssize_t done = put(opened(fd), pieces[i].iov_base, pieces[i].iov_len, offset + all);
        if (done < 0) {
            return all > 0 ? all : -1;
        }
        all += done;
        if ((size_t)done < pieces[i].iov_len) {
            break;
        }
    }
    return all;
}

static ssize_t disk_write(int fd, const void *data, size_t size)
{
    crash_open *file = opened(fd);
    ssize_t done = disk_pwrite(fd, data, size, file->position);
    file->position += done > 0 ? done : 0;
    return done;
}

static ssize_t disk_writev(int fd, const struct iovec *pieces, int count)
{
    crash_open *file = opened(fd);
    ssize_t done = disk_pwritev(fd, pieces, count, file->position);
    file->position += done > 0 ? done : 0;
    return done;
}

static int disk_ftruncate(int fd, off_t size)
{
    point();
    if (fails("ftruncate")) {
        return -1;
    }
    crash_node *file = &disk_in_use->nodes[opened(fd)->node];
    size_t old = file->now->size;
    size_t low = (size_t)size < old ? (size_t)size : old;
    size_t high = (size_t)size < old ? old : (size_t)size;
    if (low == high) {
        return 0;
    }
    content_change(&file->now, (size_t)size);
    node_mark(file, low, high, DIRTY);
    file->size_pending = 1;
    file->changes = ++disk_in_use->changes;
    return 0;
}

static int disk_sync_data(int fd)
{
    crash_faults *faults = &disk_in_use->faults;
    point();
    if (fails("sync_data")) {
        int why = errno;
        if (why != EINTR) {
            node_lose(disk_in_use, &disk_in_use->nodes[opened(fd)->node]);
        }
        return failed_with(why);
    }
    faults->syncs++;
    if (faults->fail_sync != 0 && faults->syncs >= faults->fail_sync &&
        faults->syncs - faults->fail_sync <= faults->fail_syncs) {
        node_lose(disk_in_use, &disk_in_use->nodes[opened(fd)->node]);
        return failed_with(faults->fail_errno != 0 ? faults->fail_errno : EIO);
    }
    node_sync(&disk_in_use->nodes[opened(fd)->node]);
    return 0;
}

static int disk_sync_directory(int fd)
{
    point();
    if (fails("sync_directory")) {
        return -1;
    }
    assert_true(S_ISDIR(disk_in_use->nodes[opened(fd)->node].mode));
    names_sync(disk_in_use, opened(fd)->node);
    return 0;
}

static int disk_flock(int fd, int how)
{
    if (fails("flock")) {
        return -1;
    }
    crash_node *file = &disk_in_use->nodes[opened(fd)->node];
    if ((how & LOCK_UN) != 0) {
        file->locked_by = file->locked_by == fd ? 0 : file->locked_by;
        return 0;
    }
    if (file->locked_by != 0 && file->locked_by != fd) {
        return failed_with(EWOULDBLOCK);
    }
    file->locked_by = fd;
    return 0;
}

static int disk_fchmod(int fd, mode_t mode)
{
    (void)fd;
    (void)mode;
    return 0;
}

static int disk_fchown(int fd, uid_t owner, gid_t group)
{
    (void)fd;
    (void)owner;
    (void)group;
    return 0;
}

static int move(int from_at, const char *from, int to_at, const char *to, int only_new)
{
    operation change = {.replaced = CRASH_FILES_MOST};
    if (names_resolve(disk_in_use, directory_of(from_at), from, &change.from.directory,
                      change.from.name) != 0 ||
        names_resolve(disk_in_use, directory_of(to_at), to, &change.to.directory, change.to.name) !=
            0) {
        return -1;
    }
    const entry *moved = names_find(&disk_in_use->now, change.from.directory, change.from.name);
    const entry *there = names_find(&disk_in_use->now, change.to.directory, change.to.name);
    if (moved == NULL) {
        return failed_with(ENOENT);
    }
    if (there != NULL && only_new) {
        return failed_with(EEXIST);
    }
    change.from.node = moved->node;
    change.to.node = moved->node;
    change.replaced = there != NULL ? there->node : CRASH_FILES_MOST;
    if (change.replaced != moved->node) {
        names_change(disk_in_use, &change);
    }
    return 0;
}

static int disk_renameat(int from_at, const char *from, int to_at, const char *to)
{
    point();
    return fails("renameat") ? -1 : move(from_at, from, to_at, to, 0);
}

static int disk_rename_new(int from_at, const char *from, int to_at, const char *to)
{
    point();
    return fails("rename_new") ? -1 : move(from_at, from, to_at, to, 1);
}

static int disk_unlinkat(int at, const char *path, int flags)
{
    operation change = {.replaced = CRASH_FILES_MOST};
    (void)flags;
    point();
    if (fails("unlinkat") || names_resolve(disk_in_use, directory_of(at), path,
                                           &change.from.directory, change.from.name) != 0) {
        return -1;
    }
    const entry *gone = names_find(&disk_in_use->now, change.from.directory, change.from.name);
    if (gone == NULL) {
        return failed_with(ENOENT);
    }
    if (S_ISDIR(disk_in_use->nodes[gone->node].mode)) {
        return failed_with(EISDIR);
    }
    change.from.node = gone->node;
    names_change(disk_in_use, &change);
    return 0;
}

static int disk_mkdirat(int at, const char *path, mode_t mode)
{
    char name[CRASH_NAME_BYTES];
    size_t in = 0;
    size_t made = 0;
    point();
    if (fails("mkdirat") || names_resolve(disk_in_use, directory_of(at), path, &in, name) != 0) {
        return -1;
    }
    if (names_find(&disk_in_use->now, in, name) != NULL) {
        return failed_with(EEXIST);
    }
    return make_node(in, name, S_IFDIR | (mode & 0777), &made);
}

static int disk_list(int fd, int (*seen)(void *self, const char *name), void *self)
{
    char(*names)[CRASH_NAME_BYTES] = NULL;
    if (fails("list")) {
        return -1;
    }
    size_t count = names_copy(disk_in_use, opened(fd)->node, &names);
    for (size_t i = 0; i < count && seen(self, names[i]) == 0; i++) {
    }
    free(names);
    return 0;
}

static void disk_advise(int fd)
{
    (void)fd;
}

/* What is mapped stays as it was then. */
static void *disk_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    (void)address;
    (void)flags;
    if (fails("mmap")) {
        return MAP_FAILED;
    }
    const content *from = disk_in_use->nodes[opened(fd)->node].now;
    assert_int_equal(protection & PROT_WRITE, 0);
    size_t rounded = (size + 4095) / 4096 * 4096;
    uint8_t *copy = aligned_alloc(4096, rounded);
    assert_non_null(copy);
    memset(copy, 0, rounded);
    if ((size_t)offset < from->size) {
        size_t left = from->size - (size_t)offset;
        memcpy(copy, from->bytes + offset, left < size ? left : size);
    }
    return copy;
}

static int disk_munmap(void *address, size_t size)
{
    (void)size;
    free(address);
    return 0;
}

const flsi_os_calls *crash_disk_calls(void)
{
    /* What is not here is called by nobody who works on files. */
    static const flsi_os_calls table = {
        .openat = disk_openat,
        .dup_cloexec = disk_dup,
        .close = disk_close,
        .fstat = disk_fstat,
        .lstat = disk_stat,
        .stat = disk_stat,
        .readlink = disk_readlink,
        .lseek = disk_lseek,
        .read = disk_read,
        .pread = disk_pread,
        .write = disk_write,
        .writev = disk_writev,
        .pwrite = disk_pwrite,
        .pwritev = disk_pwritev,
        .ftruncate = disk_ftruncate,
        .sync_data = disk_sync_data,
        .sync_directory = disk_sync_directory,
        .flock = disk_flock,
        .fchmod = disk_fchmod,
        .fchown = disk_fchown,
        .renameat = disk_renameat,
        .rename_new = disk_rename_new,
        .unlinkat = disk_unlinkat,
        .mkdirat = disk_mkdirat,
        .fstatat = disk_fstatat,
        .list = disk_list,
        .advise_sequential = disk_advise,
        .mmap = disk_mmap,
        .munmap = disk_munmap,
    };
    return &table;
}
