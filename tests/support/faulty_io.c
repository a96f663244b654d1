/* See faulty_io.h. */
#include "support/faulty_io.h"

#include <string.h>

static int blocks_now(const faulty_plan *plan, prng *random)
{
    return plan->block_one_in != 0 && prng_below(random, plan->block_one_in) == 0;
}

static int fails_now(const faulty_plan *plan, uint64_t call)
{
    return call == plan->fail_call || (plan->fails_on != 0 && call > plan->fail_call);
}

static size_t piece_of(const faulty_plan *plan, prng *random, size_t size)
{
    if (plan->max_piece == 0 || size == 0) {
        return size;
    }
    size_t piece = 1 + (size_t)prng_below(random, plan->max_piece);
    return piece < size ? piece : size;
}

static fls_status fail_as_planned(faulty_sink *self, fls_error *err)
{
    self->failed = 1;
    return fls_error_set(err, self->plan.fail_status, self->plan.fail_errno, "planned to fail");
}

/* Takes from spans up to limit bytes. */
static size_t take(faulty_sink *self, const fls_span *spans, size_t count, size_t limit)
{
    size_t taken = 0;
    for (size_t i = 0; i < count && taken < limit; i++) {
        size_t piece = spans[i].size < limit - taken ? spans[i].size : limit - taken;
        bytes_append(&self->taken, spans[i].data, piece);
        taken += piece;
    }
    return taken;
}

static fls_status sink_writev(void *self_pointer, const fls_span *spans, size_t count,
                              size_t *written, fls_error *err)
{
    faulty_sink *self = self_pointer;
    size_t offered = 0;
    for (size_t i = 0; i < count; i++) {
        offered += spans[i].size;
    }
    *written = 0;
    if (self->failed) {
        self->writes_after_fault += offered;
    }
    uint64_t call = self->calls++;
    self->writes++;
    if (fails_now(&self->plan, call)) {
        size_t takes = self->plan.fail_takes < offered ? self->plan.fail_takes : offered;
        *written = take(self, spans, count, takes);
        return fail_as_planned(self, err);
    }
    if (blocks_now(&self->plan, &self->random)) {
        return fls_error_set(err, FLS_WOULD_BLOCK, 0, NULL);
    }
    size_t piece = piece_of(&self->plan, &self->random, offered);
    if (self->plan.space != 0) {
        size_t room = self->plan.space - self->taken.size;
        if (room == 0 && offered > 0) {
            self->failed = 1;
            return fls_error_set(err, FLS_NO_SPACE, 0, "full");
        }
        piece = piece < room ? piece : room;
    }
    *written = take(self, spans, count, piece);
    return FLS_OK;
}

static fls_status sink_write(void *self, const void *data, size_t size, size_t *written,
                             fls_error *err)
{
    fls_span span = {data, size};
    return sink_writev(self, &span, 1, written, err);
}

static fls_status sink_flush(void *self_pointer, fls_error *err)
{
    faulty_sink *self = self_pointer;
    return fails_now(&self->plan, self->calls++) ? fail_as_planned(self, err) : FLS_OK;
}

static fls_status sink_sync(void *self_pointer, fls_error *err)
{
    faulty_sink *self = self_pointer;
    if (fails_now(&self->plan, self->calls++)) {
        return fail_as_planned(self, err);
    }
    self->syncs++;
    self->synced_bytes = self->taken.size;
    return FLS_OK;
}

static fls_status sink_close(void *self_pointer, fls_error *err)
{
    faulty_sink *self = self_pointer;
    self->closed++;
    return fails_now(&self->plan, self->calls++) ? fail_as_planned(self, err) : FLS_OK;
}

static void sink_abort(void *self_pointer)
{
    faulty_sink *self = self_pointer;
    self->aborted++;
}

fls_sink faulty_sink_init(faulty_sink *self, const faulty_plan *plan, uint64_t seed)
{
    static const faulty_plan ordinary = FAULTY_PLAN_INIT;
    memset(self, 0, sizeof *self);
    self->plan = plan != NULL ? *plan : ordinary;
    self->random = prng_seeded(seed);
    self->ops.struct_bytes = sizeof self->ops;
    self->ops.write = sink_write;
    self->ops.writev = self->plan.without_writev ? NULL : sink_writev;
    self->ops.flush = sink_flush;
    self->ops.sync = sink_sync;
    self->ops.close = sink_close;
    self->ops.abort = sink_abort;
    fls_sink sink = {&self->ops, self};
    return sink;
}

void faulty_sink_fini(faulty_sink *self)
{
    bytes_free(&self->taken);
}

static fls_status source_give(faulty_source *self, size_t from, void *buffer, size_t capacity,
                              size_t *got, fls_error *err)
{
    *got = 0;
    if (fails_now(&self->plan, self->calls++)) {
        return fls_error_set(err, self->plan.fail_status, self->plan.fail_errno, "planned to fail");
    }
    if (blocks_now(&self->plan, &self->random)) {
        return fls_error_set(err, FLS_WOULD_BLOCK, 0, NULL);
    }
    if (from >= self->size) {
        return FLS_END;
    }
    size_t left = self->size - from;
    size_t piece = piece_of(&self->plan, &self->random, left < capacity ? left : capacity);
    memcpy(buffer, self->data + from, piece);
    *got = piece;
    return FLS_OK;
}

static fls_status source_read(void *self_pointer, void *buffer, size_t capacity, size_t *got,
                              fls_error *err)
{
    faulty_source *self = self_pointer;
    fls_status status = source_give(self, self->place, buffer, capacity, got, err);
    self->place += *got;
    return status;
}

static fls_status source_read_at(void *self_pointer, uint64_t offset, void *buffer, size_t capacity,
                                 size_t *got, fls_error *err)
{
    faulty_source *self = self_pointer;
    size_t from = offset < self->size ? (size_t)offset : self->size;
    return source_give(self, from, buffer, capacity, got, err);
}

static fls_status source_size(void *self_pointer, uint64_t *size, fls_error *err)
{
    faulty_source *self = self_pointer;
    (void)err;
    *size = self->size;
    return FLS_OK;
}

static void source_close(void *self_pointer)
{
    faulty_source *self = self_pointer;
    self->closed++;
}

fls_source faulty_source_init(faulty_source *self, const faulty_plan *plan, const void *data,
                              size_t size, uint64_t seed)
{
    static const faulty_plan ordinary = FAULTY_PLAN_INIT;
    memset(self, 0, sizeof *self);
    self->plan = plan != NULL ? *plan : ordinary;
    self->random = prng_seeded(seed);
    self->data = data;
    self->size = size;
    self->ops.struct_bytes = sizeof self->ops;
    self->ops.read = source_read;
    if (!self->plan.without_random) {
        self->ops.read_at = source_read_at;
        self->ops.size = source_size;
    }
    self->ops.close = source_close;
    fls_source source = {&self->ops, self};
    return source;
}
