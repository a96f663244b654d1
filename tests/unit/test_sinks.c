/* Sinks that need no operating system: memory, fixed memory, functions; and the loop that repeats
 * partial writes, with sinks that lie. */
#include "flatstream/sink.h"

#include "support/counting_allocator.h"
#include "support/prng.h"
#include "support/testing.h"

static void fill(uint8_t *data, size_t size, uint8_t first)
{
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)(first + i * 7);
    }
}

static void assert_holds(const fls_sink *sink, const void *wanted, size_t size)
{
    const void *data = NULL;
    size_t got = 0;
    assert_int_equal(fls_sink_memory(sink, &data, &got), FLS_OK);
    assert_int_equal(got, size);
    assert_non_null(data);
    assert_memory_equal(data, wanted, size);
}

static void memory_grows(void **state)
{
    (void)state;
    enum { SIZE = 300000 };
    uint8_t *data = malloc(SIZE);
    fill(data, SIZE, 1);
    fls_sink sink;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_sink_open_memory(&sink, NULL, &err), FLS_OK, &err);
    assert_holds(&sink, "", 0);
    size_t at = 0;
    for (size_t piece = 0; at < SIZE; piece = (piece * 3 + 1) % 20011) {
        size_t size = piece < SIZE - at ? piece : SIZE - at;
        size_t written = 77;
        assert_status(fls_sink_write_all(&sink, data + at, size, &written, &err), FLS_OK, &err);
        assert_int_equal(written, size);
        at += size;
    }
    assert_holds(&sink, data, SIZE);
    assert_int_equal(fls_sink_memory_reset(&sink), FLS_OK);
    assert_holds(&sink, "", 0);
    assert_status(fls_sink_write_all(&sink, data, 10, NULL, &err), FLS_OK, &err);
    assert_holds(&sink, data, 10);
    assert_status(fls_sink_flush(&sink, &err), FLS_OK, &err);
    assert_status(fls_sink_sync(&sink, &err), FLS_UNSUPPORTED, &err);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    assert_null(sink.ops);
    free(data);
}

static void memory_fails_clean(void **state)
{
    (void)state;
    uint8_t data[50000];
    fill(data, sizeof data, 3);
    for (uint64_t fail = 0;; fail++) {
        counting_allocator counting;
        fls_sink sink;
        fls_error err = FLS_ERROR_INIT;
        counting_allocator_init(&counting);
        counting.fail_from = fail;
        counting.fail_calls = 1;
        fls_status status = fls_sink_open_memory(&sink, &counting.table, &err);
        size_t whole = 0;
        while (status == FLS_OK && whole < sizeof data) {
            size_t written = 0;
            status = fls_sink_write_all(&sink, data + whole, 5000, &written, &err);
            whole += written;
        }
        if (sink.ops != NULL) {
            assert_holds(&sink, data, whole);
        }
        if (status != FLS_OK) {
            assert_int_equal(status, FLS_NO_MEMORY);
            assert_int_equal(err.status, FLS_NO_MEMORY);
            assert_int_equal(counting.failures, 1);
        }
        assert_int_equal(fls_sink_close(&sink, NULL), FLS_OK);
        assert_int_equal(counting.live_blocks, 0);
        if (status == FLS_OK) {
            assert_true(fail > 3);
            return;
        }
    }
}

static void memory_goes_on_after_failure(void **state)
{
    (void)state;
    counting_allocator counting;
    counting_allocator_init(&counting);
    fls_sink sink;
    fls_error err = FLS_ERROR_INIT;
    static const uint8_t zeros[100000];
    assert_status(fls_sink_open_memory(&sink, &counting.table, &err), FLS_OK, &err);
    assert_status(fls_sink_write_all(&sink, "abc", 3, NULL, &err), FLS_OK, &err);
    counting.fail_from = counting.calls;
    counting.fail_calls = 1;
    size_t written = 9;
    assert_status(fls_sink_write_all(&sink, zeros, sizeof zeros, &written, &err), FLS_NO_MEMORY,
                  &err);
    assert_int_equal(written, 0);
    assert_holds(&sink, "abc", 3);
    assert_status(fls_sink_write_all(&sink, "def", 3, NULL, &err), FLS_OK, &err);
    assert_holds(&sink, "abcdef", 6);
    fls_sink_abort(&sink);
    assert_int_equal(counting.live_blocks, 0);
}

static void memory_refuses_more_than_there_is(void **state)
{
    (void)state;
    fls_sink sink;
    void *lent = NULL;
    size_t capacity = 0;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_sink_open_memory(&sink, NULL, &err), FLS_OK, &err);
    assert_status(fls_sink_write_all(&sink, "x", 1, NULL, &err), FLS_OK, &err);
    assert_status(sink.ops->lend(sink.self, SIZE_MAX, &lent, &capacity, &err), FLS_NO_MEMORY, &err);
    assert_holds(&sink, "x", 1);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
}

static void fixed_is_full(void **state)
{
    (void)state;
    char memory[8];
    fls_sink sink;
    fls_error err = FLS_ERROR_INIT;
    size_t written = 0;
    assert_status(fls_sink_open_fixed(&sink, memory, sizeof memory, &err), FLS_OK, &err);
    assert_status(fls_sink_write_all(&sink, "12345", 5, &written, &err), FLS_OK, &err);
    assert_status(fls_sink_write_all(&sink, "6789", 4, &written, &err), FLS_NO_SPACE, &err);
    assert_int_equal(written, 3);
    assert_holds(&sink, "12345678", 8);
    assert_memory_equal(memory, "12345678", 8);
    assert_status(fls_sink_write_all(&sink, "", 0, &written, &err), FLS_OK, &err);
    assert_int_equal(fls_sink_memory_reset(&sink), FLS_OK);
    assert_status(fls_sink_write_all(&sink, "abc", 3, &written, &err), FLS_OK, &err);
    assert_memory_equal(memory, "abc45678", 8);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);

    assert_status(fls_sink_open_fixed(&sink, NULL, 1, &err), FLS_INVALID_ARGUMENT, &err);
    assert_null(sink.ops);
    assert_status(fls_sink_open_fixed(&sink, NULL, 0, &err), FLS_OK, &err);
    assert_status(fls_sink_write_all(&sink, "a", 1, &written, &err), FLS_NO_SPACE, &err);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
}

static void lent_memory_becomes_content(void **state)
{
    (void)state;
    char fixed[10];
    for (int is_fixed = 0; is_fixed < 2; is_fixed++) {
        fls_sink sink;
        void *lent = NULL;
        size_t capacity = 0;
        fls_error err = FLS_ERROR_INIT;
        fls_status opened = is_fixed ? fls_sink_open_fixed(&sink, fixed, sizeof fixed, &err)
                                     : fls_sink_open_memory(&sink, NULL, &err);
        assert_status(opened, FLS_OK, &err);
        assert_status(sink.ops->lend(sink.self, 6, &lent, &capacity, &err), FLS_OK, &err);
        assert_true(capacity >= 6);
        memcpy(lent, "abcdef", 6);
        sink.ops->commit(sink.self, 4);
        assert_holds(&sink, "abcd", 4);
        assert_status(sink.ops->lend(sink.self, 6, &lent, &capacity, &err), FLS_OK, &err);
        memcpy(lent, "ghijkl", 6);
        sink.ops->commit(sink.self, 6);
        assert_holds(&sink, "abcdghijkl", 10);
        fls_status more = sink.ops->lend(sink.self, 100000, &lent, &capacity, &err);
        assert_status(more, is_fixed ? FLS_NO_SPACE : FLS_OK, &err);
        assert_holds(&sink, "abcdghijkl", 10);
        assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    }
}

/* A sink that does what the script says. */
typedef struct script {
    char taken[4096];
    size_t size;
    size_t at_most;
    size_t claim;       /* what to add to the truth */
    size_t block_after; /* calls until it would block; 0: never */
    fls_status then;    /* what comes instead */
    unsigned calls;
    int closed;
} script;

static fls_status script_write(void *self, const void *data, size_t size, size_t *written,
                               fls_error *err)
{
    script *to = self;
    to->calls++;
    if (to->block_after != 0 && to->calls > to->block_after) {
        return fls_error_set(err, to->then, 0, NULL);
    }
    size_t take = size < to->at_most ? size : to->at_most;
    assert_true(take <= sizeof to->taken - to->size);
    memcpy(to->taken + to->size, data, take);
    to->size += take;
    *written = take + to->claim;
    return FLS_OK;
}

static fls_status script_writev(void *self, const fls_span *spans, size_t count, size_t *written,
                                fls_error *err)
{
    script *to = self;
    size_t left = to->at_most;
    size_t sum = 0;
    assert_true(count > 0);
    for (size_t i = 0; i < count && left != 0; i++) {
        size_t part = 0;
        size_t size = spans[i].size < left ? spans[i].size : left;
        assert_true(spans[i].size != 0);
        size_t kept = to->at_most;
        to->at_most = size;
        fls_status status = script_write(self, spans[i].data, size, &part, err);
        to->at_most = kept;
        if (status != FLS_OK) {
            *written = sum;
            return status;
        }
        left -= size;
        sum += size;
    }
    *written = sum;
    return FLS_OK;
}

static fls_status script_close(void *self, fls_error *err)
{
    (void)err;
    ((script *)self)->closed++;
    return FLS_OK;
}

static const fls_sink_ops write_only = {
    .struct_bytes = sizeof(fls_sink_ops),
    .write = script_write,
};

static const fls_sink_ops gathering = {
    .struct_bytes = sizeof(fls_sink_ops),
    .write = script_write,
    .writev = script_writev,
    .close = script_close,
};

static void function_takes_pieces(void **state)
{
    (void)state;
    script to = {.at_most = 3};
    fls_sink sink;
    fls_error err = FLS_ERROR_INIT;
    size_t written = 0;
    const void *data = NULL;
    size_t size = 0;
    assert_status(fls_sink_from_function(&sink, script_write, &to, &err), FLS_OK, &err);
    assert_status(fls_sink_write_all(&sink, "hello world", 11, &written, &err), FLS_OK, &err);
    assert_int_equal(written, 11);
    assert_int_equal(to.calls, 4);
    assert_memory_equal(to.taken, "hello world", 11);
    assert_int_equal(fls_sink_memory(&sink, &data, &size), FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_sink_memory_reset(&sink), FLS_INVALID_ARGUMENT);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    assert_status(fls_sink_from_function(&sink, NULL, &to, &err), FLS_INVALID_ARGUMENT, &err);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
}

static void partial_write_is_told(void **state)
{
    (void)state;
    static const fls_status reasons[] = {FLS_WOULD_BLOCK, FLS_NO_SPACE, FLS_CLOSED, FLS_IO};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        script to = {.at_most = 2, .block_after = 3, .then = reasons[i]};
        fls_sink sink = {&write_only, &to};
        fls_error err = FLS_ERROR_INIT;
        size_t written = 0;
        assert_status(fls_sink_write_all(&sink, "0123456789", 10, &written, &err), reasons[i],
                      &err);
        assert_int_equal(written, 6);
        assert_int_equal(err.status, reasons[i]);
        assert_int_equal(to.calls, 4);
    }
}

static void lying_sinks_are_errors(void **state)
{
    (void)state;
    fls_error err = FLS_ERROR_INIT;
    size_t written = 0;
    script idle = {.at_most = 0};
    fls_sink sink = {&write_only, &idle};
    assert_status(fls_sink_write_all(&sink, "abc", 3, &written, &err), FLS_IO, &err);
    assert_int_equal(written, 0);
    assert_int_equal(idle.calls, 1);
    script boasting = {.at_most = 2, .claim = 2};
    sink = (fls_sink){&write_only, &boasting};
    assert_status(fls_sink_write_all(&sink, "abc", 3, &written, &err), FLS_IO, &err);
    assert_int_equal(written, 0);
    assert_int_equal(boasting.calls, 1);
}

static void empty_sinks_are_harmless(void **state)
{
    (void)state;
    fls_sink sink = {NULL, NULL};
    fls_error err = FLS_ERROR_INIT;
    const fls_span span = {"a", 1};
    const void *data = NULL;
    size_t size = 0;
    assert_status(fls_sink_write_all(&sink, "a", 1, NULL, &err), FLS_INVALID_ARGUMENT, &err);
    assert_status(fls_sink_writev_all(&sink, &span, 1, NULL, &err), FLS_INVALID_ARGUMENT, &err);
    assert_status(fls_sink_flush(&sink, &err), FLS_OK, &err);
    assert_status(fls_sink_sync(&sink, &err), FLS_UNSUPPORTED, &err);
    assert_int_equal(fls_sink_memory(&sink, &data, &size), FLS_INVALID_ARGUMENT);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    fls_sink_abort(&sink);
}

/* A program built against a header that ended with flush has a shorter table; what lies behind it
 * in memory is not ours to read. */
static void short_tables_are_respected(void **state)
{
    (void)state;
    fls_sink_ops old = gathering;
    script to = {.at_most = 100};
    fls_sink sink = {&old, &to};
    fls_error err = FLS_ERROR_INIT;
    old.struct_bytes = offsetof(fls_sink_ops, sync);
    assert_status(fls_sink_write_all(&sink, "abc", 3, NULL, &err), FLS_OK, &err);
    fls_sink_abort(&sink);
    assert_int_equal(to.closed, 0);
    sink = (fls_sink){&gathering, &to};
    fls_sink_abort(&sink);
    assert_int_equal(to.closed, 1);
}

static void gathered_writes_arrive_in_order(void **state)
{
    (void)state;
    prng random = prng_seeded(5);
    uint8_t data[3000];
    fls_span spans[70];
    fill(data, sizeof data, 9);
    for (int round = 0; round < 400; round++) {
        size_t count = prng_next(&random) % 70;
        size_t total = 0;
        for (size_t i = 0; i < count; i++) {
            size_t size = prng_next(&random) % 3 == 0 ? 0 : prng_next(&random) % 43;
            spans[i] = (fls_span){data + total, size};
            total += size;
        }
        script to = {.at_most = 1 + prng_next(&random) % 60};
        fls_sink sink = {round % 2 == 0 ? &gathering : &write_only, &to};
        fls_error err = FLS_ERROR_INIT;
        size_t written = 1;
        assert_status(fls_sink_writev_all(&sink, spans, count, &written, &err), FLS_OK, &err);
        assert_int_equal(written, total);
        assert_int_equal(to.size, total);
        assert_memory_equal(to.taken, data, total);
    }
}

static void gathered_write_stops_exactly(void **state)
{
    (void)state;
    for (size_t calls = 1; calls < 12; calls++) {
        script to = {.at_most = 2, .block_after = calls, .then = FLS_WOULD_BLOCK};
        fls_sink sink = {&write_only, &to};
        const fls_span spans[] = {{"abcde", 5}, {"", 0}, {"fgh", 3}, {"ijklmnopqrstuvwxyz", 18}};
        fls_error err = FLS_ERROR_INIT;
        size_t written = 0;
        assert_status(fls_sink_writev_all(&sink, spans, 4, &written, &err), FLS_WOULD_BLOCK, &err);
        assert_int_equal(written, to.size);
        assert_memory_equal(to.taken, "abcdefghijklmnopqrstuvwxyz", to.size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_grows),
        cmocka_unit_test(memory_fails_clean),
        cmocka_unit_test(memory_goes_on_after_failure),
        cmocka_unit_test(memory_refuses_more_than_there_is),
        cmocka_unit_test(fixed_is_full),
        cmocka_unit_test(lent_memory_becomes_content),
        cmocka_unit_test(function_takes_pieces),
        cmocka_unit_test(partial_write_is_told),
        cmocka_unit_test(lying_sinks_are_errors),
        cmocka_unit_test(empty_sinks_are_harmless),
        cmocka_unit_test(short_tables_are_respected),
        cmocka_unit_test(gathered_writes_arrive_in_order),
        cmocka_unit_test(gathered_write_stops_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
