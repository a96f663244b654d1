/* Sorters against a plain stable sort in memory: every kind of key, sizes from nothing to more than
 * the memory, so little memory that runs are merged in several passes; and whatever can fail. */
#include "stream/sort_private.h"

#include <dirent.h>
#include <math.h>

#include "fake_calls.h"
#include "os/os_thread.h"
#include "support/counting_allocator.h"
#include "support/files.h"

#define LEAST FLS_SORT_LEAST_MEMORY

static char directory[256];

/* ---- values, and what their order is ---- */

enum { KIND_U64, KIND_I64, KIND_BOOL, KIND_F64, KIND_TEXT, KIND_MIXED, KIND_ORDERED, KINDS };

typedef struct item {
    fls_value value;
    char text[40];
    uint8_t *payload;
    size_t size;
} item;

static double any_double(prng *random)
{
    static const double some[] = {0.0, -0.0, 1.0, -1.0, 1e300, -1e300, 5e-324, 0.5};
    uint64_t bits = prng_next(random);
    double value;
    switch (prng_below(random, 6)) {
    case 0: return some[prng_below(random, sizeof some / sizeof some[0])];
    case 1: return prng_below(random, 2) ? (double)INFINITY : -(double)INFINITY;
    case 2: return prng_below(random, 2) ? (double)NAN : -(double)NAN;
    case 3: return (double)(int64_t)bits;
    case 4: return (double)prng_below(random, 20) - 10;
    default: memcpy(&value, &bits, sizeof value); return value;
    }
}

static void any_text(item *one, prng *random)
{
    static const char *const beginnings[] = {"", "a", "same beginning ", "same beginning of all "};
    const char *beginning = beginnings[prng_below(random, 4)];
    size_t length = strlen(beginning);
    memcpy(one->text, beginning, length);
    for (size_t more = (size_t)prng_below(random, 12); more > 0; more--) {
        one->text[length++] =
            (char)(prng_below(random, 4) == 0 ? prng_below(random, 256) : prng_below(random, 2));
    }
    one->value.kind = FLS_VALUE_STRING;
    one->value.as.string.text = one->text;
    one->value.as.string.size = length;
}

static uint64_t any_number(prng *random)
{
    uint64_t number = prng_next(random);
    switch (prng_below(random, 4)) {
    case 0: return number;
    case 1: return number % 7;
    case 2: return UINT64_MAX - number % 5;
    default: return (UINT64_C(1) << 53) + number % 9 - 4;
    }
}

static void any_value(item *one, unsigned kind, size_t place, prng *random)
{
    one->value = (fls_value){.kind = FLS_VALUE_ABSENT};
    if (kind != KIND_ORDERED && prng_below(random, 20) == 0) {
        one->value.kind = prng_below(random, 2) ? FLS_VALUE_ABSENT : FLS_VALUE_OBJECT;
        return;
    }
    unsigned number = kind == KIND_MIXED ? (unsigned)prng_below(random, 4) : kind;
    switch (number) {
    case KIND_ORDERED:
        one->value.kind = FLS_VALUE_U64;
        one->value.as.u = place / 3;
        break;
    case KIND_U64:
        one->value.kind = FLS_VALUE_U64;
        one->value.as.u = any_number(random);
        break;
    case KIND_I64:
        one->value.kind = FLS_VALUE_I64;
        one->value.as.u = any_number(random) - (prng_below(random, 2) ? 0 : 3);
        break;
    case KIND_BOOL:
        one->value.kind = FLS_VALUE_BOOL;
        one->value.as.u = prng_below(random, 2);
        break;
    case KIND_F64:
        one->value.kind = FLS_VALUE_F64;
        one->value.as.f = any_double(random);
        break;
    default: any_text(one, random); break;
    }
}

/* A number as sign, whole part and the rest, all exact. */
typedef struct parts {
    int sign;
    int huge; /* beyond 64 bits; the rest orders it then */
    uint64_t whole;
    double rest;
} parts;

static parts parts_of(const fls_value *value)
{
    if (value->kind != FLS_VALUE_F64) {
        int negative = value->kind == FLS_VALUE_I64 && value->as.i < 0;
        uint64_t whole = negative ? 0 - value->as.u : value->as.u;
        return (parts){negative ? -1 : whole != 0, 0, whole, 0};
    }
    double size = fabs(value->as.f);
    int sign = value->as.f < 0 ? -1 : value->as.f > 0;
    if (size >= 18446744073709551616.0) {
        return (parts){sign, 1, 0, size};
    }
    return (parts){sign, 0, (uint64_t)size, size - (double)(uint64_t)size};
}

static int compare_numbers(const fls_value *a, const fls_value *b)
{
    parts x = parts_of(a);
    parts y = parts_of(b);
    if (x.sign != y.sign) {
        return x.sign < y.sign ? -1 : 1;
    }
    int order = x.huge != y.huge     ? x.huge - y.huge
                : x.whole != y.whole ? (x.whole < y.whole ? -1 : 1)
                                     : (x.rest > y.rest) - (x.rest < y.rest);
    return x.sign < 0 ? -order : order;
}

static int group_of(const fls_value *value)
{
    if (value->kind == FLS_VALUE_ABSENT || value->kind == FLS_VALUE_OBJECT) {
        return 2;
    }
    return value->kind == FLS_VALUE_F64 && isnan(value->as.f);
}

static int compare_items(const item *a, const item *b, int descending)
{
    int group = group_of(&a->value) - group_of(&b->value);
    int order = 0;
    if (group != 0 || group_of(&a->value) != 0) {
        return group;
    }
    if (a->value.kind == FLS_VALUE_STRING) {
        size_t x = a->value.as.string.size;
        size_t y = b->value.as.string.size;
        order = memcmp(a->text, b->text, x < y ? x : y);
        order = order != 0 ? order : (x > y) - (x < y);
    } else {
        order = compare_numbers(&a->value, &b->value);
    }
    return descending ? -order : order;
}

/* Merging, the plainest way. */
static void model_sort(const item **items, const item **room, size_t count, int descending)
{
    size_t half = count / 2;
    if (count < 2) {
        return;
    }
    model_sort(items, room, half, descending);
    model_sort(items + half, room, count - half, descending);
    memcpy(room, items, count * sizeof(void *));
    size_t left = 0;
    size_t right = half;
    for (size_t i = 0; i < count; i++) {
        int takes_right = left == half ||
                          (right < count && compare_items(room[left], room[right], descending) > 0);
        items[i] = room[takes_right ? right++ : left++];
    }
}

/* ---- a set of messages ---- */

typedef struct items {
    item *all;
    const item **sorted;
    size_t count;
    int mixed;
    size_t largest;
} items;

static void make_items(items *set, size_t count, unsigned kind, size_t most_bytes, int descending,
                       prng *random)
{
    *set = (items){.count = count, .mixed = kind == KIND_MIXED};
    set->all = calloc(count + 1, sizeof *set->all);
    set->sorted = calloc(2 * count + 1, sizeof(void *));
    assert_non_null(set->all);
    assert_non_null(set->sorted);
    for (size_t i = 0; i < count; i++) {
        item *one = &set->all[i];
        any_value(one, kind, descending ? count - i : i, random);
        one->size = (size_t)prng_below(random, most_bytes);
        if (most_bytes > LEAST / 16 && prng_below(random, 4) != 0) {
            one->size %= 100;
        }
        one->payload = malloc(one->size + 1);
        assert_non_null(one->payload);
        prng_fill(random, one->payload, one->size);
        set->largest = one->size > set->largest ? one->size : set->largest;
        set->sorted[i] = one;
    }
    model_sort(set->sorted, set->sorted + count, count, descending);
}

static void free_items(items *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->all[i].payload);
    }
    free(set->all);
    free(set->sorted);
}

/* Pushes and pulls everything. */
static fls_status sort_items(fls_sorter *sorter, const items *set, fls_error *err)
{
    fls_status status = FLS_OK;
    fls_message message;
    for (size_t i = 0; i < set->count && status == FLS_OK; i++) {
        fls_sort_key key;
        fls_sort_key_of_value(&key, &set->all[i].value, set->mixed);
        status = fls_sorter_push(sorter, &key, set->all[i].payload, set->all[i].size, err);
    }
    if (status == FLS_OK) {
        status = fls_sorter_finish(sorter, err);
    }
    for (size_t i = 0; status == FLS_OK; i++) {
        status = fls_sorter_next(sorter, &message, err);
        if (status != FLS_OK) {
            assert_true(status != FLS_END || i == set->count);
            break;
        }
        assert_true(i < set->count);
        assert_int_equal(message.ordinal, i);
        assert_int_equal(message.size, set->sorted[i]->size);
        assert_memory_equal(message.payload, set->sorted[i]->payload, message.size);
    }
    return status;
}

static size_t names_in_directory(void)
{
    size_t names = 0;
    DIR *listing = opendir(directory);
    assert_non_null(listing);
    for (const struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        names += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    }
    (void)closedir(listing);
    return names;
}

static fls_sorter_options small_options(int descending)
{
    fls_sorter_options options = FLS_SORTER_OPTIONS_INIT;
    options.memory_bytes = LEAST;
    options.directory = directory;
    options.descending = (uint32_t)descending;
    return options;
}

/* ---- tests ---- */

static void like_the_model(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 100, 1500, 6000, 6000};
    static const size_t sizes[] = {40, 300, 2000, 2 * LEAST};
    uint64_t spilled = 0;
    uint64_t passes = 0;
    uint64_t aside = 0;
    for (uint64_t seed = 0; seed < 196; seed++) {
        prng random = prng_seeded(seed);
        items set;
        fls_error err = FLS_ERROR_INIT;
        fls_sorter *sorter;
        fls_sorter_report report = FLS_SORTER_REPORT_INIT;
        counting_allocator memory;
        size_t most = sizes[prng_below(&random, 4)];
        size_t count = most > 2000 ? 40 : counts[prng_below(&random, 7)];
        int descending = (int)(seed / KINDS) % 2;
        make_items(&set, count, (unsigned)(seed % KINDS), most, descending, &random);
        fls_sorter_options options = small_options(descending);
        counting_allocator_init(&memory);
        options.allocator = &memory.table;
        assert_status(fls_sorter_open(&sorter, &options, &err), FLS_OK, &err);
        assert_status(sort_items(sorter, &set, &err), FLS_END, &err);
        fls_sorter_get_report(sorter, &report);
        assert_int_equal(report.messages, count);
        fls_sorter_close(sorter);
        assert_int_equal(memory.live_bytes, 0);
        assert_true(memory.peak_bytes <= LEAST + set.largest + 64 * sizeof(flsi_sort_run) + 4096);
        assert_int_equal(names_in_directory(), 0);
        spilled += report.runs > 0;
        passes += report.merges > 1;
        aside += report.set_aside > 0;
        free_items(&set);
    }
    assert_true(spilled > 40 && passes > 4 && aside > 20);
}

/* What comes in order is one run, whatever its size. */
static void order_is_noticed(void **state)
{
    (void)state;
    for (int descending = 0; descending < 2; descending++) {
        prng random = prng_seeded(3);
        items set;
        fls_error err = FLS_ERROR_INIT;
        fls_sorter *sorter;
        fls_sorter_report report = FLS_SORTER_REPORT_INIT;
        make_items(&set, 5000, KIND_ORDERED, 500, descending, &random);
        fls_sorter_options options = small_options(descending);
        assert_status(fls_sorter_open(&sorter, &options, &err), FLS_OK, &err);
        assert_status(sort_items(sorter, &set, &err), FLS_END, &err);
        fls_sorter_get_report(sorter, &report);
        assert_int_equal(report.runs, 1);
        assert_int_equal(report.merges, 0);
        assert_true(report.spilled_bytes > 4 * LEAST);
        fls_sorter_close(sorter);
        free_items(&set);
    }
}

static void wrong_use(void **state)
{
    (void)state;
    fls_error err = FLS_ERROR_INIT;
    fls_sorter *sorter;
    fls_message message;
    fls_sort_key key = FLS_SORT_KEY_INIT;
    fls_sorter_options options = small_options(0);
    char text[LEAST / 32 + 1];
    memset(text, 'x', sizeof text);
    assert_status(fls_sorter_open(&sorter, &options, &err), FLS_OK, &err);
    assert_status(fls_sorter_next(sorter, &message, &err), FLS_INVALID_ARGUMENT, &err);
    key.group = 256;
    assert_status(fls_sorter_push(sorter, &key, "", 0, &err), FLS_INVALID_ARGUMENT, &err);
    key.group = 255;
    key.fine = 65536;
    assert_status(fls_sorter_push(sorter, &key, "", 0, &err), FLS_INVALID_ARGUMENT, &err);
    key.fine = 65535;
    key.text = text;
    key.text_size = sizeof text;
    assert_status(fls_sorter_push(sorter, &key, "", 0, &err), FLS_NO_SPACE, &err);
    key.text_size = sizeof text - 1;
    assert_status(fls_sorter_push(sorter, &key, "b", 1, &err), FLS_OK, &err);
    key.text_size--;
    assert_status(fls_sorter_push(sorter, &key, "a", 1, &err), FLS_OK, &err);
    assert_status(fls_sorter_finish(sorter, &err), FLS_OK, &err);
    assert_status(fls_sorter_finish(sorter, &err), FLS_OK, &err);
    assert_status(fls_sorter_push(sorter, &key, "", 0, &err), FLS_INVALID_ARGUMENT, &err);
    assert_status(fls_sorter_next(sorter, &message, &err), FLS_OK, &err);
    assert_memory_equal(message.payload, "a", 1);
    assert_status(fls_sorter_next(sorter, &message, &err), FLS_OK, &err);
    assert_memory_equal(message.payload, "b", 1);
    assert_status(fls_sorter_next(sorter, &message, &err), FLS_END, &err);
    assert_status(fls_sorter_next(sorter, &message, &err), FLS_END, &err);
    fls_sorter_close(sorter);
    fls_sorter_close(NULL);
    options.struct_bytes = 0;
    assert_status(fls_sorter_open(&sorter, &options, &err), FLS_INVALID_ARGUMENT, &err);
}

/* Spills, passes, large messages: everything that a sorter does is in this set. */
static void make_much(items *set)
{
    prng random = prng_seeded(11);
    make_items(set, 1100, KIND_TEXT, 5000, 0, &random);
    for (size_t i = 100; i < set->count; i += 500) {
        item *one = &set->all[i];
        one->size = 20000;
        one->payload = realloc(one->payload, one->size);
        assert_non_null(one->payload);
        prng_fill(&random, one->payload, one->size);
    }
}

static void memory_runs_out(void **state)
{
    (void)state;
    items set;
    make_much(&set);
    fls_status status = FLS_NO_MEMORY;
    uint64_t call = 0;
    for (; status != FLS_END; call++) {
        fls_error err = FLS_ERROR_INIT;
        fls_sorter *sorter;
        counting_allocator memory;
        counting_allocator_init(&memory);
        memory.fail_from = call;
        memory.fail_calls = 1;
        fls_sorter_options options = small_options(0);
        options.allocator = &memory.table;
        status = fls_sorter_open(&sorter, &options, &err);
        if (status == FLS_OK) {
            status = sort_items(sorter, &set, &err);
            if (status != FLS_END) {
                fls_sort_key key = FLS_SORT_KEY_INIT;
                assert_int_equal(fls_sorter_push(sorter, &key, "", 0, &err), FLS_NO_MEMORY);
                assert_int_equal(fls_sorter_finish(sorter, &err), FLS_NO_MEMORY);
            }
            fls_sorter_close(sorter);
        }
        assert_true(status == FLS_NO_MEMORY || status == FLS_END);
        assert_int_equal(memory.live_bytes, 0);
    }
    assert_true(call > 40);
    free_items(&set);
}

static fls_status sort_with_calls(const items *set, const flsi_os_calls *calls, fls_error *err)
{
    fls_sorter *sorter;
    fls_sorter_options options = small_options(0);
    assert_int_equal(flsi_sorter_open(&sorter, &options, calls, err), FLS_OK);
    fls_status status = sort_items(sorter, set, err);
    if (status != FLS_END) {
        fls_error repeated = FLS_ERROR_INIT;
        assert_int_equal(fls_sorter_finish(sorter, &repeated), status);
        assert_string_equal(repeated.text, err->text);
    }
    fls_sorter_close(sorter);
    assert_int_equal(fake.open, 0);
    assert_int_equal(names_in_directory(), 0);
    return status;
}

/* Each system call fails once: the sort fails with its error, or did not need it. */
static void the_disk_fails(void **state)
{
    (void)state;
    items set;
    make_much(&set);
    fake_reset();
    fls_error err = FLS_ERROR_INIT;
    assert_status(sort_with_calls(&set, fake_calls(), &err), FLS_END, &err);
    long calls = fake.calls;
    assert_true(calls > 300);
    long failures = 0;
    for (long at = 0; at < calls; at += at < 40 || at > calls - 20 ? 1 : 13) {
        fake_reset();
        fake.fail_at = at;
        fake.fail_errno = ENOSPC;
        fls_status status = sort_with_calls(&set, fake_calls(), &err);
        failures += status == FLS_NO_SPACE;
        assert_true(status == FLS_NO_SPACE || status == FLS_END);
    }
    assert_true(failures > 30);
    for (long at = 0; at < calls; at += 29) { /* an interrupted call is no failure */
        fake_reset();
        fake.fail_at = at;
        fake.fail_errno = EINTR;
        fake.only_waiting = 1;
        assert_status(sort_with_calls(&set, fake_calls(), &err), FLS_END, &err);
    }
    fake_reset();
    fake.at_most = 3001; /* short transfers are none either */
    assert_status(sort_with_calls(&set, fake_calls(), &err), FLS_END, &err);
    fake_reset();
    fake.stuck = "openat"; /* neither a directory nor a file in it */
    fake.stuck_errno = EACCES;
    assert_status(sort_with_calls(&set, fake_calls(), &err), FLS_IO, &err);
    assert_non_null(strstr(err.text, "temporary file"));
    free_items(&set);
}

/* Where files without a name cannot be made they lose it at once. */
static int openat_named_only(int at, const char *path, int flags, mode_t mode)
{
    if (strcmp(path, ".") == 0) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return fake_openat(at, path, flags, mode);
}

static void named_files(void **state)
{
    (void)state;
    items set;
    fls_error err = FLS_ERROR_INIT;
    make_much(&set);
    flsi_os_calls calls = *fake_calls();
    calls.openat = openat_named_only;
    fake_reset();
    assert_status(sort_with_calls(&set, &calls, &err), FLS_END, &err);
    fake_reset();
    fake.stuck = "unlinkat";
    fake.stuck_errno = EPERM;
    fls_sorter *sorter;
    fls_sorter_options options = small_options(0);
    assert_int_equal(flsi_sorter_open(&sorter, &options, &calls, &err), FLS_OK);
    assert_status(sort_items(sorter, &set, &err), FLS_IO, &err);
    fls_sorter_close(sorter);
    assert_int_equal(fake.open, 0);
    files_remove_directory(directory);
    files_make_directory(directory, sizeof directory);
    free_items(&set);
}

/* What is read is not what was written. */
static struct {
    long call;
    long hit;
    int cuts; /* nothing comes, rather than something else */
} spoil;

static ssize_t spoiling_pread(int fd, void *buffer, size_t capacity, off_t offset)
{
    ssize_t got = fake_pread(fd, buffer, capacity, offset);
    if (spoil.call++ == spoil.hit && got > 0) {
        if (spoil.cuts) {
            return 0;
        }
        ((uint8_t *)buffer)[(size_t)got * 2 / 3] ^= 0x10;
    }
    return got;
}

static void files_are_damaged(void **state)
{
    (void)state;
    items set;
    make_much(&set);
    flsi_os_calls calls = *fake_calls();
    calls.pread = spoiling_pread;
    for (int cuts = 0; cuts < 2; cuts++) {
        fls_status status = FLS_OK;
        for (long hit = 0; status != FLS_END; hit += 17) {
            fls_error err = FLS_ERROR_INIT;
            fake_reset();
            spoil.call = 0;
            spoil.hit = hit;
            spoil.cuts = cuts;
            status = sort_with_calls(&set, &calls, &err);
            assert_true(status == FLS_IO || (status == FLS_END && spoil.call <= hit));
            if (status == FLS_IO) {
                assert_string_equal(err.text,
                                    "a temporary file does not have what was written to it");
            }
        }
    }
    free_items(&set);
}

static int stop_now(void *self)
{
    int *left = self;
    return (*left)-- == 0;
}

static void it_can_be_stopped(void **state)
{
    (void)state;
    items set;
    make_much(&set);
    fls_status status = FLS_STOPPED;
    int asked = 0;
    for (; status == FLS_STOPPED; asked++) {
        int left = asked;
        fls_error err = FLS_ERROR_INIT;
        fls_sorter *sorter;
        fls_sorter_options options = small_options(0);
        options.stop = stop_now;
        options.stop_self = &left;
        assert_status(fls_sorter_open(&sorter, &options, &err), FLS_OK, &err);
        status = sort_items(sorter, &set, &err);
        fls_sorter_close(sorter);
    }
    assert_int_equal(status, FLS_END);
    assert_true(asked > 10);
    free_items(&set);
}

/* ---- with a thread beside ---- */

/* Two threads ask it for memory. */
typedef struct locked_allocator {
    fls_allocator table;
    counting_allocator memory;
    flsi_mutex mutex;
} locked_allocator;

static void *locked_resize(void *self, void *block, size_t old_bytes, size_t new_bytes)
{
    locked_allocator *locked = self;
    flsi_mutex_lock(&locked->mutex);
    void *moved =
        locked->memory.table.resize(locked->memory.table.self, block, old_bytes, new_bytes);
    flsi_mutex_unlock(&locked->mutex);
    return moved;
}

static void locked_free(void *self, void *block, size_t bytes)
{
    locked_allocator *locked = self;
    flsi_mutex_lock(&locked->mutex);
    locked->memory.table.free(locked->memory.table.self, block, bytes);
    flsi_mutex_unlock(&locked->mutex);
}

static void lock_allocator(locked_allocator *locked)
{
    counting_allocator_init(&locked->memory);
    locked->table = locked->memory.table;
    locked->table.self = locked;
    locked->table.resize = locked_resize;
    locked->table.free = locked_free;
    assert_int_equal(flsi_mutex_init(&locked->mutex, NULL), FLS_OK);
}

static fls_sorter_options threaded_options(locked_allocator *locked, int descending)
{
    fls_sorter_options options = small_options(descending);
    options.threads = 2;
    options.allocator = &locked->table;
    return options;
}

static void two_threads_like_the_model(void **state)
{
    (void)state;
    static const size_t sizes[] = {40, 300, 2000, 2 * LEAST};
    uint64_t spilled = 0;
    uint64_t passes = 0;
    uint64_t aside = 0;
    for (uint64_t seed = 0; seed < 84; seed++) {
        prng random = prng_seeded(1000 + seed);
        items set;
        fls_error err = FLS_ERROR_INIT;
        fls_sorter *sorter;
        fls_sorter_report report = FLS_SORTER_REPORT_INIT;
        locked_allocator locked;
        size_t most = sizes[prng_below(&random, 4)];
        size_t count = most > 2000 ? 40 : (size_t)prng_below(&random, 6000);
        int descending = (int)(seed / KINDS) % 2;
        make_items(&set, count, (unsigned)(seed % KINDS), most, descending, &random);
        lock_allocator(&locked);
        fls_sorter_options options = threaded_options(&locked, descending);
        assert_status(fls_sorter_open(&sorter, &options, &err), FLS_OK, &err);
        assert_status(sort_items(sorter, &set, &err), FLS_END, &err);
        fls_sorter_get_report(sorter, &report);
        assert_int_equal(report.messages, count);
        fls_sorter_close(sorter);
        assert_int_equal(locked.memory.live_bytes, 0);
        assert_true(locked.memory.peak_bytes <=
                    LEAST + set.largest + 128 * sizeof(flsi_sort_run) + 4096);
        assert_int_equal(names_in_directory(), 0);
        flsi_mutex_fini(&locked.mutex);
        spilled += report.runs > 0;
        passes += report.merges > 1;
        aside += report.set_aside > 0;
        free_items(&set);
    }
    assert_true(spilled > 20 && passes > 4 && aside > 8);
}

/* Without large messages all calls for files come from one thread at a time. */
static void make_many(items *set)
{
    prng random = prng_seeded(12);
    make_items(set, 1500, KIND_TEXT, 2000, 0, &random);
}

/* With memory for everything the first blocks are small all the same. */
static void blocks_are_small_at_first(void **state)
{
    (void)state;
    enum { MESSAGES = 30000 };
    static uint8_t payload[1024];
    for (uint32_t threads = 1; threads <= 2; threads++) {
        fls_error err = FLS_ERROR_INIT;
        fls_sorter *sorter;
        fls_message message;
        fls_sorter_report report = FLS_SORTER_REPORT_INIT;
        fls_sorter_options options = small_options(0);
        options.memory_bytes = (size_t)1 << 30;
        options.threads = threads;
        assert_status(fls_sorter_open(&sorter, &options, &err), FLS_OK, &err);
        for (uint64_t i = 0; i < MESSAGES; i++) {
            fls_sort_key key = FLS_SORT_KEY_INIT;
            key.number = (i * 7919 % MESSAGES) << 40; /* all of them once; high bits matter */
            memcpy(payload, &key.number, 8);
            assert_status(fls_sorter_push(sorter, &key, payload, sizeof payload, &err), FLS_OK,
                          &err);
        }
        assert_status(fls_sorter_finish(sorter, &err), FLS_OK, &err);
        for (uint64_t i = 0; i < MESSAGES; i++) {
            uint64_t number = i << 40;
            assert_status(fls_sorter_next(sorter, &message, &err), FLS_OK, &err);
            assert_int_equal(message.size, sizeof payload);
            assert_memory_equal(message.payload, &number, 8);
        }
        assert_status(fls_sorter_next(sorter, &message, &err), FLS_END, &err);
        fls_sorter_get_report(sorter, &report);
        assert_int_equal(report.runs, 2);
        fls_sorter_close(sorter);
    }
}

/* Closed at any time: what the thread does then is given up. */
static void closed_in_the_middle(void **state)
{
    (void)state;
    items set;
    make_many(&set);
    for (size_t pushed = 100; pushed <= set.count; pushed += 100) {
        fls_error err = FLS_ERROR_INIT;
        fls_sorter *sorter;
        fls_message message;
        fls_sort_key key;
        locked_allocator locked;
        lock_allocator(&locked);
        fls_sorter_options options = threaded_options(&locked, 0);
        assert_status(fls_sorter_open(&sorter, &options, &err), FLS_OK, &err);
        for (size_t i = 0; i < pushed; i++) {
            fls_sort_key_of_value(&key, &set.all[i].value, 0);
            assert_status(fls_sorter_push(sorter, &key, set.all[i].payload, set.all[i].size, &err),
                          FLS_OK, &err);
        }
        if (pushed % 200 == 0) {
            assert_status(fls_sorter_finish(sorter, &err), FLS_OK, &err);
        }
        if (pushed % 400 == 0) {
            assert_status(fls_sorter_next(sorter, &message, &err), FLS_OK, &err);
        }
        fls_sorter_close(sorter);
        assert_int_equal(locked.memory.live_bytes, 0);
        assert_int_equal(names_in_directory(), 0);
        flsi_mutex_fini(&locked.mutex);
    }
    free_items(&set);
}

/* Memory, files and whoever says stop: on whichever thread it is met, it ends the sort, and stays.
 */
static void two_threads_fail(void **state)
{
    (void)state;
    items set;
    make_many(&set);
    fls_status status = FLS_NO_MEMORY;
    for (uint64_t call = 0; status != FLS_END; call++) {
        fls_error err = FLS_ERROR_INIT;
        fls_sorter *sorter;
        locked_allocator locked;
        lock_allocator(&locked);
        locked.memory.fail_from = call;
        locked.memory.fail_calls = 1;
        fls_sorter_options options = threaded_options(&locked, 0);
        status = fls_sorter_open(&sorter, &options, &err);
        if (status == FLS_OK) {
            status = sort_items(sorter, &set, &err);
            fls_sorter_close(sorter);
        }
        assert_true(status == FLS_NO_MEMORY || status == FLS_END);
        assert_int_equal(locked.memory.live_bytes, 0);
        flsi_mutex_fini(&locked.mutex);
    }
    long failures = 0;
    long calls = 0;
    for (long at = -1; at < calls; at += at < 20 ? 1 : 17) {
        fls_error err = FLS_ERROR_INIT;
        fls_error repeated = FLS_ERROR_INIT;
        fls_sorter *sorter;
        fls_sorter_options options = small_options(0);
        options.threads = 2;
        fake_reset();
        fake.fail_at = at;
        fake.fail_errno = ENOSPC;
        assert_int_equal(flsi_sorter_open(&sorter, &options, fake_calls(), &err), FLS_OK);
        status = sort_items(sorter, &set, &err);
        assert_true(at < 0 ? status == FLS_END : status == FLS_NO_SPACE || status == FLS_END);
        if (status == FLS_NO_SPACE) {
            assert_int_equal(fls_sorter_finish(sorter, &repeated), status);
            assert_string_equal(repeated.text, err.text);
            failures++;
        }
        fls_sorter_close(sorter);
        assert_int_equal(fake.open, 0);
        calls = at < 0 ? fake.calls : calls;
    }
    assert_true(failures > 20);
    int left = 0;
    fls_error err = FLS_ERROR_INIT;
    fls_sorter *sorter;
    fls_sorter_options options = small_options(0);
    options.threads = 2;
    options.stop = stop_now;
    options.stop_self = &left;
    assert_status(fls_sorter_open(&sorter, &options, &err), FLS_OK, &err);
    assert_status(sort_items(sorter, &set, &err), FLS_STOPPED, &err);
    fls_sorter_close(sorter);
    free_items(&set);
}

static int make_directory(void **state)
{
    (void)state;
    files_make_directory(directory, sizeof directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    files_remove_directory(directory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_the_model),
        cmocka_unit_test(order_is_noticed),
        cmocka_unit_test(wrong_use),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(the_disk_fails),
        cmocka_unit_test(named_files),
        cmocka_unit_test(files_are_damaged),
        cmocka_unit_test(it_can_be_stopped),
        cmocka_unit_test(two_threads_like_the_model),
        cmocka_unit_test(blocks_are_small_at_first),
        cmocka_unit_test(closed_in_the_middle),
        cmocka_unit_test(two_threads_fail),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
