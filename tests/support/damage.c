/* Damage that is remembered; see damage.h. */
#include "support/damage.h"

#include <stdlib.h>
#include <string.h>

const char *damage_name(damage_kind kind)
{
    static const char *const names[DAMAGE_KINDS] = {
        "flip",      "cut-out", "insertion",   "sector of noise", "zero page", "swapped pages",
        "truncated", "flips",   "zero sector", "sector of ones",  "old sector"};
    return kind < DAMAGE_KINDS ? names[kind] : "unknown";
}

static void reserve(damaged *self, size_t size)
{
    if (size <= self->capacity && self->data != NULL) {
        return;
    }
    self->capacity = size + size / 2 + 64;
    self->data = realloc(self->data, self->capacity);
    self->origin = realloc(self->origin, self->capacity * sizeof *self->origin);
    if (self->data == NULL || self->origin == NULL) {
        abort();
    }
}

damaged damage_start(const void *data, size_t size)
{
    damaged self = {NULL, NULL, 0, 0};
    reserve(&self, size);
    if (size > 0) {
        memcpy(self.data, data, size);
    }
    for (size_t i = 0; i < size; i++) {
        self.origin[i] = i;
    }
    self.size = size;
    return self;
}

void damage_free(damaged *self)
{
    free(self->data);
    free(self->origin);
    memset(self, 0, sizeof *self);
}

static void forget(damaged *self, size_t from, size_t count)
{
    for (size_t i = from; i < from + count; i++) {
        self->origin[i] = DAMAGE_FOREIGN;
    }
}

/* A byte that is what it was before is not damaged. */
static void overwrite(damaged *self, size_t at, uint8_t byte, size_t origin)
{
    if (self->data[at] != byte) {
        self->data[at] = byte;
        self->origin[at] = origin;
    }
}

void damage_flip(damaged *self, size_t offset, unsigned bit)
{
    self->data[offset] ^= (uint8_t)(1u << bit);
    self->origin[offset] = DAMAGE_FOREIGN;
}

static void cut_out(damaged *self, size_t from, size_t count)
{
    size_t behind = self->size - from - count;
    memmove(self->data + from, self->data + from + count, behind);
    memmove(self->origin + from, self->origin + from + count, behind * sizeof *self->origin);
    self->size -= count;
}

static void make_room(damaged *self, size_t at, size_t count)
{
    reserve(self, self->size + count);
    size_t behind = self->size - at;
    memmove(self->data + at + count, self->data + at, behind);
    memmove(self->origin + at + count, self->origin + at, behind * sizeof *self->origin);
    self->size += count;
}

static void insert(damaged *self, size_t at, size_t count, prng *random)
{
    make_room(self, at, count);
    prng_fill(random, self->data + at, count);
    forget(self, at, count);
}

void damage_plant(damaged *self, size_t at, const void *data, size_t size, size_t origin)
{
    make_room(self, at, size);
    memcpy(self->data + at, data, size);
    for (size_t i = 0; i < size; i++) {
        self->origin[at + i] = DAMAGE_COPY + origin + i;
    }
}

static void copy_block(damaged *self, size_t to, size_t from, size_t count)
{
    for (size_t i = 0; i < count && from + i < self->size; i++) {
        size_t origin = self->origin[from + i];
        overwrite(self, to + i, self->data[from + i],
                  origin < DAMAGE_COPY ? DAMAGE_COPY + origin : origin);
    }
}

static void swap(damaged *self, size_t a, size_t b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t byte = self->data[a + i];
        size_t origin = self->origin[a + i];
        self->data[a + i] = self->data[b + i];
        self->origin[a + i] = self->origin[b + i];
        self->data[b + i] = byte;
        self->origin[b + i] = origin;
    }
}

/* A whole sector or page; the last one may be shorter. */
static size_t pick_block(const damaged *self, size_t block, size_t *count, prng *random)
{
    size_t at = prng_below(random, (self->size + block - 1) / block) * block;
    *count = self->size - at < block ? self->size - at : block;
    return at;
}

void damage_apply(damaged *self, damage_kind kind, size_t sector_bytes, prng *random)
{
    size_t count;
    size_t at;
    size_t other;
    size_t page = 8 * sector_bytes;
    if (self->size == 0) {
        return;
    }
    switch (kind) {
    case DAMAGE_FLIP:
        damage_flip(self, prng_below(random, self->size), (unsigned)prng_below(random, 8));
        break;
    case DAMAGE_CUT_OUT:
        at = prng_below(random, self->size);
        count = 1 + prng_below(random, 2 * sector_bytes);
        cut_out(self, at, self->size - at < count ? self->size - at : count);
        break;
    case DAMAGE_INSERT:
        insert(self, prng_below(random, self->size + 1), 1 + prng_below(random, 2 * sector_bytes),
               random);
        break;
    case DAMAGE_SECTOR:
        at = pick_block(self, sector_bytes, &count, random);
        while (count > 0) {
            overwrite(self, at + --count, (uint8_t)prng_below(random, 256), DAMAGE_FOREIGN);
        }
        break;
    case DAMAGE_ZEROS:
    case DAMAGE_ONES:
    case DAMAGE_ZERO_PAGE:
        at = pick_block(self, kind == DAMAGE_ZERO_PAGE ? page : sector_bytes, &count, random);
        while (count > 0) {
            overwrite(self, at + --count, kind == DAMAGE_ONES ? 0xFF : 0, DAMAGE_FOREIGN);
        }
        break;
    case DAMAGE_OLD:
        at = pick_block(self, sector_bytes, &count, random);
        copy_block(self, at, pick_block(self, sector_bytes, &other, random), count);
        break;
    case DAMAGE_FLIPS:
        for (uint64_t n = 2 + prng_below(random, 19); n > 0; n--) {
            damage_flip(self, prng_below(random, self->size), (unsigned)prng_below(random, 8));
        }
        break;
    case DAMAGE_SWAP_PAGES:
        if (self->size >= 2 * page) {
            size_t pages = self->size / page;
            swap(self, prng_below(random, pages) * page, prng_below(random, pages) * page, page);
        }
        break;
    default: self->size = prng_below(random, self->size); break;
    }
}

int damage_survives(const damaged *self, size_t from, size_t size, size_t *at)
{
    for (size_t i = 0; i + size <= self->size; i++) {
        if (self->origin[i] != from) {
            continue;
        }
        size_t same = 1;
        while (same < size && self->origin[i + same] == from + same) {
            same++;
        }
        if (same >= size) {
            *at = i;
            return 1;
        }
    }
    return 0;
}
