/* What a crash disk holds, and what of it is left after a crash; see crash_store.h. */
#include "crash_store.h"

#include <errno.h>

#include "support/testing.h"

/* ---- content ---- */

static content *content_new(size_t size)
{
    content *made = calloc(1, sizeof *made);
    assert_non_null(made);
    made->owners = 1;
    made->size = size;
    made->capacity = size < 64 ? 64 : size;
    made->bytes = calloc(1, made->capacity);
    assert_non_null(made->bytes);
    return made;
}

void content_drop(content *old)
{
    if (old != NULL && --old->owners == 0) {
        free(old->bytes);
        free(old);
    }
}

static content *content_share(content *of)
{
    of->owners++;
    return of;
}

static content *content_copy(const content *of)
{
    content *made = content_new(of->size);
    memcpy(made->bytes, of->bytes, of->size);
    return made;
}

/* Makes *of its owner's alone, and of a size; what is new is zeros. */
void content_change(content **of, size_t size)
{
    if ((*of)->owners > 1) {
        content *copy = content_copy(*of);
        content_drop(*of);
        *of = copy;
    }
    content *own = *of;
    if (size > own->capacity) {
        size_t capacity = size * 2;
        own->bytes = realloc(own->bytes, capacity);
        assert_non_null(own->bytes);
        own->capacity = capacity;
    }
    if (size > own->size) {
        memset(own->bytes + own->size, 0, size - own->size);
    }
    own->size = size;
}

static int byte_of(const content *of, size_t at)
{
    return at < of->size ? of->bytes[at] : -1;
}

/* ---- nodes ---- */

static size_t sectors_of(size_t bytes)
{
    return (bytes + CRASH_SECTOR_BYTES - 1) / CRASH_SECTOR_BYTES;
}

void node_mark(crash_node *file, size_t from, size_t end, uint8_t state)
{
    size_t last = sectors_of(end);
    if (last > file->sector_count) {
        file->sectors = realloc(file->sectors, last);
        assert_non_null(file->sectors);
        memset(file->sectors + file->sector_count, CLEAN, last - file->sector_count);
        file->sector_count = last;
    }
    for (size_t i = from / CRASH_SECTOR_BYTES; i < last; i++) {
        file->sectors[i] = state;
    }
}

size_t node_new(crash_disk *disk, mode_t mode)
{
    size_t number = 0;
    for (int tries = 0; tries < 2; tries++) {
        for (number = 0; number < disk->node_count && disk->nodes[number].mode != 0; number++) {
        }
        if (number < CRASH_FILES_MOST) {
            break;
        }
        store_collect(disk);
    }
    assert_true(number < CRASH_FILES_MOST);
    disk->node_count += number == disk->node_count;
    crash_node *file = &disk->nodes[number];
    memset(file, 0, sizeof *file);
    file->mode = mode;
    file->now = content_new(0);
    file->durable = content_share(file->now);
    return number;
}

static void node_free(crash_node *file)
{
    content_drop(file->now);
    content_drop(file->durable);
    free(file->sectors);
    memset(file, 0, sizeof *file);
}

/* Takes some sectors from what is now to what is durable, as chance has it; the others are lost if
 * that is asked for. A sector beyond the durable size can only go together with the size. */
void node_flush(crash_disk *disk, crash_node *file, int with_size, int lose)
{
    content *durable = content_copy(file->durable);
    if (with_size) {
        content_change(&durable, file->now->size);
        file->size_pending = 0;
    }
    for (size_t i = 0; i < file->sector_count; i++) {
        size_t from = i * CRASH_SECTOR_BYTES;
        size_t end = from + CRASH_SECTOR_BYTES;
        if (file->sectors[i] != DIRTY) {
            continue;
        }
        if (prng_below(&disk->random, 2) == 0) {
            file->sectors[i] = lose ? LOST : DIRTY;
            continue;
        }
        if (!with_size && (end > durable->size || end > file->now->size)) {
            continue;
        }
        end = end < durable->size ? end : durable->size;
        if (from < end) {
            memcpy(durable->bytes + from, file->now->bytes + from, end - from);
        }
        file->sectors[i] = CLEAN;
    }
    content_drop(file->durable);
    file->durable = durable;
}

/* All is durable that is not lost. */
void node_sync(crash_node *file)
{
    int lost = 0;
    for (size_t i = 0; i < file->sector_count; i++) {
        lost |= file->sectors[i] == LOST;
    }
    file->size_pending = 0;
    if (!lost) {
        content_drop(file->durable);
        file->durable = content_share(file->now);
        free(file->sectors);
        file->sectors = NULL;
        file->sector_count = 0;
        return;
    }
    content *durable = content_copy(file->now);
    for (size_t i = 0; i < file->sector_count; i++) {
        size_t from = i * CRASH_SECTOR_BYTES;
        for (size_t at = from; at < from + CRASH_SECTOR_BYTES && at < durable->size; at++) {
            if (file->sectors[i] == LOST) {
                int old = byte_of(file->durable, at);
                durable->bytes[at] = old < 0 ? 0 : (uint8_t)old;
            }
        }
        file->sectors[i] = file->sectors[i] == LOST ? LOST : CLEAN;
    }
    content_drop(file->durable);
    file->durable = durable;
}

/* What a failed sync leaves: some of it written, the rest clean and nowhere. */
void node_lose(crash_disk *disk, crash_node *file)
{
    node_flush(disk, file, prng_below(&disk->random, 2) == 0, 1);
    for (size_t i = 0; i < file->sector_count; i++) {
        if (file->sectors[i] == DIRTY) {
            file->sectors[i] = LOST;
        }
        if (file->sectors[i] != LOST || !disk->faults.evict) {
            continue;
        }
        content_change(&file->now, file->now->size);
        size_t from = i * CRASH_SECTOR_BYTES;
        for (size_t at = from; at < from + CRASH_SECTOR_BYTES && at < file->now->size; at++) {
            int old = byte_of(file->durable, at);
            file->now->bytes[at] = old < 0 ? 0 : (uint8_t)old;
        }
    }
}

/* ---- names ---- */

entry *names_find(const entries *all, size_t directory, const char *name)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->list[i].directory == directory && strcmp(all->list[i].name, name) == 0) {
            return &all->list[i];
        }
    }
    return NULL;
}

static void remove_entry(entries *all, entry *gone)
{
    *gone = all->list[--all->count];
}

static void set_entry(entries *all, const entry *to)
{
    entry *there = names_find(all, to->directory, to->name);
    if (there == NULL) {
        if (all->count == all->capacity) {
            all->capacity = all->capacity == 0 ? 32 : all->capacity * 2;
            all->list = realloc(all->list, all->capacity * sizeof *all->list);
            assert_non_null(all->list);
        }
        there = &all->list[all->count++];
    }
    *there = *to;
}

static void copy_entries(entries *to, const entries *from)
{
    to->count = from->count;
    to->capacity = from->count + 8;
    to->list = malloc(to->capacity * sizeof *to->list);
    assert_non_null(to->list);
    if (from->count != 0) {
        memcpy(to->list, from->list, from->count * sizeof *to->list);
    }
}

static void apply(entries *all, const operation *change)
{
    if (change->from.name[0] != '\0') {
        entry *old = names_find(all, change->from.directory, change->from.name);
        if (old != NULL && old->node == change->from.node) {
            remove_entry(all, old);
        }
    }
    if (change->to.name[0] != '\0') {
        set_entry(all, &change->to);
    }
}

void names_change(crash_disk *disk, const operation *change)
{
    apply(&disk->now, change);
    if (disk->pending_count == disk->pending_capacity) {
        disk->pending_capacity = disk->pending_capacity == 0 ? 16 : disk->pending_capacity * 2;
        disk->pending = realloc(disk->pending, disk->pending_capacity * sizeof *disk->pending);
        assert_non_null(disk->pending);
    }
    disk->pending[disk->pending_count++] = *change;
}

static size_t node_of(const operation *change)
{
    return change->to.name[0] != '\0' ? change->to.node : change->from.node;
}

static int same_name(const entry *left, const entry *right)
{
    return left->name[0] != '\0' && left->directory == right->directory &&
           strcmp(left->name, right->name) == 0;
}

/* Whether the later one cannot have happened without the earlier one. */
static int follows(const operation *later, const operation *earlier)
{
    int both_remove = later->to.name[0] == '\0' && earlier->to.name[0] == '\0' &&
                      later->from.directory == earlier->from.directory;
    return both_remove || node_of(later) == node_of(earlier) ||
           later->replaced == node_of(earlier) || same_name(&later->from, &earlier->from) ||
           same_name(&later->from, &earlier->to) || same_name(&later->to, &earlier->from) ||
           same_name(&later->to, &earlier->to);
}

/* keep[i]: adds all that what is kept follows. */
static void keep_what_is_needed(const operation *list, size_t count, uint8_t *keep)
{
    for (size_t i = count; i-- > 0;) {
        for (size_t j = 0; keep[i] && j < i; j++) {
            keep[j] |= (uint8_t)follows(&list[i], &list[j]);
        }
    }
}

/* Makes the chosen operations durable. */
static void commit_names(crash_disk *disk, const uint8_t *keep)
{
    size_t left = 0;
    for (size_t i = 0; i < disk->pending_count; i++) {
        if (keep[i]) {
            apply(&disk->durable, &disk->pending[i]);
        } else {
            disk->pending[left++] = disk->pending[i];
        }
    }
    disk->pending_count = left;
}

void names_sync(crash_disk *disk, size_t directory)
{
    uint8_t *keep = calloc(1, disk->pending_count + 1);
    assert_non_null(keep);
    for (size_t i = 0; i < disk->pending_count; i++) {
        const operation *change = &disk->pending[i];
        keep[i] = (change->from.name[0] != '\0' && change->from.directory == directory) ||
                  (change->to.name[0] != '\0' && change->to.directory == directory);
    }
    keep_what_is_needed(disk->pending, disk->pending_count, keep);
    commit_names(disk, keep);
    free(keep);
}

static int is_named(const entries *all, size_t number)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->list[i].node == number) {
            return 1;
        }
    }
    return 0;
}

static int is_needed(const crash_disk *disk, size_t number)
{
    if (number == ROOT || is_named(&disk->now, number) || is_named(&disk->durable, number)) {
        return 1;
    }
    for (size_t i = 0; i < CRASH_OPEN_MOST; i++) {
        if (disk->open[i].used && disk->open[i].node == number) {
            return 1;
        }
    }
    for (size_t i = 0; i < disk->pending_count; i++) {
        const operation *change = &disk->pending[i];
        if (node_of(change) == number || change->replaced == number ||
            change->from.directory == number || change->to.directory == number) {
            return 1;
        }
    }
    return 0;
}

/* A directory that is gone takes the names in it along. */
static void forget_directory(entries *all, size_t directory)
{
    for (size_t i = all->count; i-- > 0;) {
        if (all->list[i].directory == directory) {
            remove_entry(all, &all->list[i]);
        }
    }
}

void store_collect(crash_disk *disk)
{
    for (int again = 1; again;) {
        again = 0;
        for (size_t i = 0; i < disk->node_count; i++) {
            if (disk->nodes[i].mode != 0 && !is_needed(disk, i)) {
                forget_directory(&disk->now, i);
                forget_directory(&disk->durable, i);
                node_free(&disk->nodes[i]);
                again = 1;
            }
        }
    }
}

void names_commit_first(crash_disk *disk, size_t count)
{
    uint8_t *keep = calloc(1, disk->pending_count + 1);
    assert_non_null(keep);
    memset(keep, 1, count);
    commit_names(disk, keep);
    free(keep);
}

static int failed_with(int why)
{
    errno = why;
    return -1;
}

/* Finds the directory that a path's last part is in, and that part. -1 with errno. */
int names_resolve(const crash_disk *disk, size_t directory, const char *path, size_t *in,
                  char name[CRASH_NAME_BYTES])
{
    *in = path[0] == '/' ? ROOT : directory;
    for (;;) {
        size_t bytes = 0;
        path += strspn(path, "/");
        bytes = strcspn(path, "/");
        if (bytes >= CRASH_NAME_BYTES) {
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
        const entry *there = names_find(&disk->now, *in, name);
        if (there == NULL) {
            return failed_with(ENOENT);
        }
        if (!S_ISDIR(disk->nodes[there->node].mode)) {
            return failed_with(ENOTDIR);
        }
        *in = there->node;
    }
}

/* The node of a path, or CRASH_FILES_MOST with errno. */
size_t names_look_up(const crash_disk *disk, size_t directory, const char *path)
{
    char name[CRASH_NAME_BYTES];
    size_t in = 0;
    if (names_resolve(disk, directory, path, &in, name) != 0) {
        return CRASH_FILES_MOST;
    }
    if (name[0] == '\0' || strcmp(name, ".") == 0) {
        return in;
    }
    const entry *there = names_find(&disk->now, in, name);
    if (there == NULL) {
        errno = ENOENT;
        return CRASH_FILES_MOST;
    }
    return there->node;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(left, right);
}

/* The names in a directory as they are now, sorted; the caller frees them. */
size_t names_copy(const crash_disk *disk, size_t directory, char (**names)[CRASH_NAME_BYTES])
{
    size_t count = 0;
    *names = malloc((disk->now.count + 1) * sizeof **names);
    assert_non_null(*names);
    for (size_t i = 0; i < disk->now.count; i++) {
        if (disk->now.list[i].directory == directory) {
            memcpy((*names)[count++], disk->now.list[i].name, CRASH_NAME_BYTES);
        }
    }
    qsort(*names, count, sizeof **names, compare_names);
    return count;
}

/* ---- the disk ---- */

crash_disk *crash_disk_new(uint64_t seed)
{
    static int made;
    crash_disk *disk = calloc(1, sizeof *disk);
    assert_non_null(disk);
    disk->random = prng_seeded(seed);
    disk->descriptors = 4096 + (made++ % 4096) * CRASH_OPEN_MOST;
    (void)node_new(disk, S_IFDIR | 0755);
    return disk;
}

void crash_disk_free(crash_disk *disk)
{
    if (disk == NULL) {
        return;
    }
    for (size_t i = 0; i < disk->node_count; i++) {
        node_free(&disk->nodes[i]);
    }
    free(disk->now.list);
    free(disk->durable.list);
    free(disk->pending);
    free(disk);
}

/* ---- what is left ---- */

static void choose_names(const crash_disk *disk, crash_kind kind, prng *random, uint8_t *keep)
{
    size_t count = disk->pending_count;
    switch (kind) {
    case CRASH_KEEP:
    case CRASH_NAMES:
    case CRASH_KILLED: memset(keep, 1, count); return;
    case CRASH_PREFIX: memset(keep, 1, (size_t)prng_below(random, count + 1)); return;
    case CRASH_RANDOM: break;
    case CRASH_LOSE:
    case CRASH_DATA: return;
    }
    for (size_t i = 0; i < count; i++) {
        keep[i] = prng_below(random, 2) == 0;
        for (size_t j = 0; keep[i] && j < i; j++) {
            keep[i] = (uint8_t)(keep[j] || !follows(&disk->pending[i], &disk->pending[j]));
        }
    }
}

/* 0 old, 1 new, 2 anything */
static unsigned choose_sector(crash_kind kind, prng *random, size_t sector, size_t until)
{
    switch (kind) {
    case CRASH_KEEP:
    case CRASH_DATA:
    case CRASH_KILLED: return 1;
    case CRASH_PREFIX:
        return sector < until ? 1 : sector == until ? (unsigned)prng_below(random, 3) : 0;
    case CRASH_RANDOM: {
        uint64_t chance = prng_below(random, 8);
        return chance == 0 ? 2 : chance < 5 ? 1 : 0;
    }
    case CRASH_LOSE:
    case CRASH_NAMES: break;
    }
    return 0;
}

static size_t choose_size(const crash_node *file, crash_kind kind, prng *random)
{
    size_t low = file->now->size < file->durable->size ? file->now->size : file->durable->size;
    size_t high = file->now->size + file->durable->size - low;
    if (kind == CRASH_LOSE) {
        return file->durable->size;
    }
    if (kind != CRASH_RANDOM && kind != CRASH_PREFIX) {
        return file->now->size;
    }
    switch (prng_below(random, 3)) {
    case 0: return low;
    case 1: return high;
    default: return low + (size_t)prng_below(random, high - low + 1);
    }
}

static content *choose_content(const crash_node *file, crash_kind kind, prng *random)
{
    size_t size = choose_size(file, kind, random);
    content *left = content_new(size);
    size_t until = (size_t)prng_below(random, sectors_of(size) + 1);
    if (kind == CRASH_PREFIX) { /* among what is not durable */
        size_t first = 0;
        while (first < file->sector_count && file->sectors[first] != DIRTY) {
            first++;
        }
        size_t end = sectors_of(size);
        until = first < end ? first + (size_t)prng_below(random, end - first + 1) : end;
    }
    for (size_t i = 0; i * CRASH_SECTOR_BYTES < size; i++) {
        size_t from = i * CRASH_SECTOR_BYTES;
        int dirty = i < file->sector_count && file->sectors[i] == DIRTY;
        unsigned choice = dirty ? choose_sector(kind, random, i, until) : 0;
        for (size_t at = from; at < from + CRASH_SECTOR_BYTES && at < size; at++) {
            int old = byte_of(file->durable, at);
            int new = byte_of(file->now, at);
            int byte = choice != 0 && new >= 0 ? new : old;
            if (choice == 2 && old != new) {
                byte = (int)prng_below(random, 256);
            }
            left->bytes[at] = byte < 0 ? 0 : (uint8_t)byte;
        }
    }
    return left;
}

static void leave_node(crash_node *to, const crash_node *from, crash_kind kind, prng *random)
{
    to->mode = from->mode;
    to->changes = from->changes;
    if (kind == CRASH_KILLED || from->now == from->durable) {
        to->now = content_share(from->now);
        to->durable = content_share(from->durable);
        if (from->sector_count != 0) {
            node_mark(to, 0, from->sector_count * CRASH_SECTOR_BYTES, CLEAN);
            memcpy(to->sectors, from->sectors, from->sector_count);
        }
        to->size_pending = from->size_pending;
        return;
    }
    to->now = choose_content(from, kind, random);
    to->durable = content_share(to->now);
}

crash_disk *crash_disk_crash(const crash_disk *disk, crash_kind kind, uint64_t seed)
{
    crash_disk *after = crash_disk_new(seed);
    prng random = prng_seeded(seed ^ UINT64_C(0x5DEECE66D));
    node_free(&after->nodes[ROOT]);
    after->node_count = disk->node_count;
    after->changes = disk->changes;
    after->faults.writeback = disk->faults.writeback;
    for (size_t i = 0; i < disk->node_count; i++) {
        if (disk->nodes[i].mode != 0) {
            leave_node(&after->nodes[i], &disk->nodes[i], kind, &random);
        }
    }
    copy_entries(&after->durable, &disk->durable);
    if (kind == CRASH_KILLED) {
        copy_entries(&after->now, &disk->now);
        after->pending_count = disk->pending_count;
        after->pending_capacity = disk->pending_count + 1;
        after->pending = malloc(after->pending_capacity * sizeof *after->pending);
        assert_non_null(after->pending);
        if (disk->pending_count != 0) {
            memcpy(after->pending, disk->pending, disk->pending_count * sizeof *after->pending);
        }
    } else {
        uint8_t *keep = calloc(1, disk->pending_count + 1);
        assert_non_null(keep);
        choose_names(disk, kind, &random, keep);
        for (size_t i = 0; i < disk->pending_count; i++) {
            if (keep[i]) {
                apply(&after->durable, &disk->pending[i]);
            }
        }
        free(keep);
        copy_entries(&after->now, &after->durable);
    }
    store_collect(after);
    return after;
}
/* ---- from outside ---- */

int crash_disk_read(const crash_disk *disk, const char *path, byte_buffer *into)
{
    size_t number = names_look_up(disk, ROOT, path);
    bytes_clear(into);
    if (number == CRASH_FILES_MOST || S_ISDIR(disk->nodes[number].mode)) {
        return 0;
    }
    bytes_append(into, disk->nodes[number].now->bytes, disk->nodes[number].now->size);
    return 1;
}

void crash_disk_names(const crash_disk *disk, const char *path,
                      void (*seen)(void *self, const char *name), void *self)
{
    char(*names)[CRASH_NAME_BYTES] = NULL;
    size_t number = names_look_up(disk, ROOT, path);
    if (number == CRASH_FILES_MOST) {
        return;
    }
    size_t count = names_copy(disk, number, &names);
    for (size_t i = 0; i < count; i++) {
        seen(self, names[i]);
    }
    free(names);
}

void crash_disk_write(crash_disk *disk, const char *path, const void *data, size_t size)
{
    size_t number = names_look_up(disk, ROOT, path);
    assert_true(number != CRASH_FILES_MOST);
    crash_node *file = &disk->nodes[number];
    content_drop(file->now);
    file->now = content_new(size);
    memcpy(file->now->bytes, data, size);
    free(file->sectors);
    file->sectors = NULL;
    file->sector_count = 0;
    content_drop(file->durable);
    file->durable = content_share(file->now);
}

size_t crash_disk_open_files(const crash_disk *disk)
{
    size_t count = 0;
    for (size_t i = 0; i < CRASH_OPEN_MOST; i++) {
        count += disk->open[i].used != 0;
    }
    return count;
}
