/* Writers on sinks that are not as helpful as the library's own: that fail without saying why, lend
 * less than they were asked for, lend and flush, have a table of operations from before some of
 * them, or none at all. */
#include "flatstream/writer.h"

#include "support/frames.h"
#include "support/testing.h"

/* A sink whose every operation can be made to fail without a word, counted from 0. */
typedef struct mute_sink {
    fls_sink_ops ops;
    uint64_t calls;
    uint64_t fail_call;
    fls_status fail_status;
    uint64_t flushes;
    uint64_t closed;
    byte_buffer taken;
    uint8_t lent[4096];
    size_t lends_at_most;
} mute_sink;

static int mute_fails(mute_sink *self)
{
    return self->calls++ == self->fail_call;
}

static fls_status mute_write(void *self_pointer, const void *data, size_t size, size_t *written,
                             fls_error *err)
{
    mute_sink *self = self_pointer;
    (void)err;
    *written = 0;
    if (mute_fails(self)) {
        return self->fail_status;
    }
    bytes_append(&self->taken, data, size);
    *written = size;
    return FLS_OK;
}

static fls_status mute_flush(void *self_pointer, fls_error *err)
{
    mute_sink *self = self_pointer;
    (void)err;
    self->flushes++;
    return mute_fails(self) ? self->fail_status : FLS_OK;
}

static fls_status mute_sync(void *self_pointer, fls_error *err)
{
    mute_sink *self = self_pointer;
    (void)err;
    return mute_fails(self) ? self->fail_status : FLS_OK;
}

static fls_status mute_close(void *self_pointer, fls_error *err)
{
    mute_sink *self = self_pointer;
    (void)err;
    self->closed++;
    return mute_fails(self) ? self->fail_status : FLS_OK;
}

static fls_status mute_lend(void *self_pointer, size_t min_bytes, void **memory, size_t *capacity,
                            fls_error *err)
{
    mute_sink *self = self_pointer;
    (void)min_bytes;
    (void)err;
    if (mute_fails(self)) {
        return self->fail_status;
    }
    *memory = self->lent;
    *capacity = self->lends_at_most;
    return FLS_OK;
}

static void mute_commit(void *self_pointer, size_t bytes)
{
    mute_sink *self = self_pointer;
    bytes_append(&self->taken, self->lent, bytes);
}

static fls_sink mute_init(mute_sink *self, int lends)
{
    memset(self, 0, sizeof *self);
    self->ops = (fls_sink_ops){.struct_bytes = sizeof(fls_sink_ops),
                               .write = mute_write,
                               .flush = mute_flush,
                               .sync = mute_sync,
                               .close = mute_close,
                               .lend = lends ? mute_lend : NULL,
                               .commit = lends ? mute_commit : NULL};
    self->fail_call = UINT64_MAX;
    self->lends_at_most = sizeof self->lent;
    fls_sink sink = {&self->ops, self};
    return sink;
}

static fls_writer *open_on(fls_sink sink)
{
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.buffer_bytes = 500;
    fls_writer *writer = NULL;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_writer_open(&writer, sink, &options, &err), FLS_OK, &err);
    return writer;
}

/* Small messages, large ones, gathered ones, flushes and syncs; the first status that is not
 * FLS_OK. */
static fls_status write_script(fls_writer *writer, fls_error *err)
{
    static const uint8_t payload[1000] = {1};
    const fls_span halves[2] = {{payload, 300}, {payload, 700}};
    fls_status status = FLS_OK;
    for (int i = 0; i < 12 && status == FLS_OK; i++) {
        status = fls_writer_write(writer, payload, i % 3 == 2 ? 1000 : 200, err);
        if (status == FLS_OK && i % 4 == 1) {
            status = fls_writer_writev(writer, halves, 2, err);
        }
        if (status == FLS_OK && i % 4 == 3) {
            status = i == 7 ? fls_writer_sync(writer, err) : fls_writer_flush(writer, err);
        }
    }
    return status;
}

/* Whatever fails, at whatever call: the status comes back, in the error too, and stays. */
static void failures_without_a_word_stick(void **state)
{
    (void)state;
    uint64_t call = 0;
    for (int done = 0; !done; call++) {
        mute_sink storage;
        fls_writer *writer = open_on(mute_init(&storage, 0));
        storage.fail_call = call;
        storage.fail_status = FLS_IO;
        fls_error err = FLS_ERROR_INIT;
        fls_status status = write_script(writer, &err);
        size_t taken = storage.taken.size;
        if (status != FLS_OK) {
            assert_status(status, FLS_IO, &err);
            assert_int_equal(err.status, FLS_IO);
            for (int i = 0; i < 20; i++) {
                fls_error again = FLS_ERROR_INIT;
                assert_status(fls_writer_write(writer, "again", 5, &again), FLS_IO, &again);
                assert_int_equal(again.status, FLS_IO);
                assert_status(fls_writer_write(writer, "again", 5, NULL), FLS_IO, &again);
            }
            assert_status(fls_writer_flush(writer, &err), FLS_IO, &err);
            assert_status(fls_writer_sync(writer, &err), FLS_IO, &err);
        }
        fls_error closing = FLS_ERROR_INIT;
        status = fls_writer_close(writer, &closing);
        done = storage.calls <= call;
        assert_status(status, done ? FLS_OK : FLS_IO, &closing);
        assert_int_equal(closing.status, status);
        assert_true(done || err.status == FLS_OK || storage.taken.size == taken);
        assert_int_equal(storage.closed, 1);
        bytes_free(&storage.taken);
    }
    assert_true(call > 12);
}

static void an_unsupported_sync_is_told_in_the_error_too(void **state)
{
    (void)state;
    mute_sink storage;
    fls_writer *writer = open_on(mute_init(&storage, 0));
    storage.fail_call = 1; /* behind the flush */
    storage.fail_status = FLS_UNSUPPORTED;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_writer_sync(writer, &err), FLS_UNSUPPORTED, &err);
    assert_int_equal(err.status, FLS_UNSUPPORTED);
    assert_status(fls_writer_write(writer, "goes on", 7, &err), FLS_OK, &err);
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
    bytes_free(&storage.taken);
}

/* Frames never go where the sink did not say that there is room. */
static void less_memory_than_asked_for_is_refused(void **state)
{
    (void)state;
    mute_sink storage;
    fls_writer *writer = open_on(mute_init(&storage, 1));
    fls_error err = FLS_ERROR_INIT;
    storage.lends_at_most = 30;
    assert_status(fls_writer_write(writer, "0123456789", 10, &err), FLS_OK, &err);
    assert_status(fls_writer_write(writer, "0123456789012345678", 19, &err), FLS_IO, &err);
    assert_int_equal(fls_writer_offset(writer), 22);
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
    assert_int_equal(storage.taken.size, 22);
    bytes_free(&storage.taken);
}

static void a_sink_that_cannot_be_written_is_refused(void **state)
{
    (void)state;
    fls_writer *writer = (fls_writer *)&writer;
    fls_error err = FLS_ERROR_INIT;
    fls_sink closed = {NULL, NULL};
    assert_status(fls_writer_open(&writer, closed, NULL, &err), FLS_INVALID_ARGUMENT, &err);
    assert_null(writer);
    mute_sink storage;
    fls_sink sink = mute_init(&storage, 1);
    storage.ops.write = NULL;
    assert_status(fls_writer_open(&writer, sink, NULL, &err), FLS_INVALID_ARGUMENT, &err);
    assert_int_equal(storage.closed, 1);
}

/* Tables from an older program end before the newer operations; what is there is no operation. And
 * memory that cannot be committed is of no use. */
static void operations_that_are_not_there_are_not_called(void **state)
{
    (void)state;
    for (int missing = 0; missing < 2; missing++) {
        mute_sink storage;
        fls_sink sink = mute_init(&storage, 1);
        if (missing == 0) {
            storage.ops.struct_bytes = offsetof(fls_sink_ops, writev);
        } else {
            storage.ops.commit = NULL;
        }
        fls_writer *writer = open_on(sink);
        fls_error err = FLS_ERROR_INIT;
        assert_status(fls_writer_write(writer, "abc", 3, &err), FLS_OK, &err);
        assert_status(fls_writer_flush(writer, &err), FLS_OK, &err);
        assert_int_equal(storage.taken.size, 15);
        assert_int_equal(storage.flushes, missing);
        assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
        assert_int_equal(storage.closed, missing);
        bytes_free(&storage.taken);
    }
}

/* A sink that lends its memory may hold bytes back all the same. */
static void a_sink_that_lends_is_flushed_too(void **state)
{
    (void)state;
    mute_sink storage;
    fls_writer *writer = open_on(mute_init(&storage, 1));
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_writer_write(writer, "abc", 3, &err), FLS_OK, &err);
    assert_status(fls_writer_flush(writer, &err), FLS_OK, &err);
    assert_int_equal(storage.taken.size, 15);
    assert_int_equal(storage.flushes, 1);
    assert_status(fls_writer_sync(writer, &err), FLS_OK, &err);
    assert_int_equal(storage.flushes, 2);
    assert_status(fls_writer_write(writer, "abc", 3, &err), FLS_OK, &err);
    storage.fail_call = storage.calls; /* the flush */
    storage.fail_status = FLS_NO_SPACE;
    assert_status(fls_writer_flush(writer, &err), FLS_NO_SPACE, &err);
    assert_status(fls_writer_write(writer, "abc", 3, &err), FLS_NO_SPACE, &err);
    assert_status(fls_writer_close(writer, &err), FLS_NO_SPACE, &err);
    bytes_free(&storage.taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_without_a_word_stick),
        cmocka_unit_test(an_unsupported_sync_is_told_in_the_error_too),
        cmocka_unit_test(less_memory_than_asked_for_is_refused),
        cmocka_unit_test(a_sink_that_cannot_be_written_is_refused),
        cmocka_unit_test(operations_that_are_not_there_are_not_called),
        cmocka_unit_test(a_sink_that_lends_is_flushed_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
