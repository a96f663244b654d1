/* Every block carries its size and a mark in front, so that wrong sizes and double frees show. */
#include "support/counting_allocator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK UINT64_C(0xA110CA7EDB10C000)

typedef union block_head {
    struct {
        uint64_t mark;
        size_t bytes;
    } is;
    max_align_t align;
} block_head;

static void check(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "allocator misused: %s\n", what);
        abort();
    }
}

static block_head *head_of(void *memory, size_t bytes)
{
    block_head *head = (block_head *)memory - 1;
    check(head->is.mark == MARK, "not a live block");
    check(head->is.bytes == bytes, "wrong size of a block");
    return head;
}

static void counting_free(void *self_pointer, void *memory, size_t bytes)
{
    counting_allocator *self = self_pointer;
    if (memory == NULL) {
        return;
    }
    block_head *head = head_of(memory, bytes);
    head->is.mark = 0;
    self->live_blocks--;
    self->live_bytes -= bytes;
    free(head);
}

static void *counting_resize(void *self_pointer, void *memory, size_t old_bytes, size_t new_bytes)
{
    counting_allocator *self = self_pointer;
    check(memory != NULL || old_bytes == 0, "no block, but a size");
    check(new_bytes > 0, "a block of no bytes");
    if (memory != NULL) {
        (void)head_of(memory, old_bytes);
    }
    uint64_t call = self->calls++;
    if (call >= self->fail_from && call - self->fail_from < self->fail_calls) {
        self->failures++;
        return NULL;
    }
    if (new_bytes > SIZE_MAX - sizeof(block_head)) {
        return NULL;
    }
    block_head *head = malloc(sizeof *head + new_bytes);
    if (head == NULL) {
        return NULL;
    }
    /* Always moves, so that a pointer kept across a resize shows too. */
    memset(head + 1, 0xA5, new_bytes);
    head->is.mark = MARK;
    head->is.bytes = new_bytes;
    self->live_blocks++;
    self->live_bytes += new_bytes;
    if (memory != NULL) {
        memcpy(head + 1, memory, old_bytes < new_bytes ? old_bytes : new_bytes);
        counting_free(self, memory, old_bytes);
    }
    if (self->live_bytes > self->peak_bytes) {
        self->peak_bytes = self->live_bytes;
    }
    return head + 1;
}

void counting_allocator_init(counting_allocator *self)
{
    memset(self, 0, sizeof *self);
    self->table.resize = counting_resize;
    self->table.free = counting_free;
    self->table.self = self;
    self->fail_from = COUNTING_NEVER;
    self->fail_calls = COUNTING_NEVER;
}
