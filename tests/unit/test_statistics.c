/* Statistics against plain arithmetic over all values: exact while values are few, within a bound
 * when they are not; sums that no double holds; what is no number; failing allocations. */
#include <math.h>

#include "flatstream/statistics.h"
#include "support/counting_allocator.h"
#include "support/prng.h"
#include "support/testing.h"

static fls_value u64_value(uint64_t u)
{
    fls_value value = {.kind = FLS_VALUE_U64, .enumeration = FLS_SCHEMA_NONE};
    value.as.u = u;
    return value;
}

static fls_value i64_value(int64_t i)
{
    fls_value value = {.kind = FLS_VALUE_I64, .enumeration = FLS_SCHEMA_NONE};
    value.as.i = i;
    return value;
}

static fls_value f64_value(double f)
{
    fls_value value = {.kind = FLS_VALUE_F64, .enumeration = FLS_SCHEMA_NONE};
    value.as.f = f;
    return value;
}

static fls_statistics *fresh(uint32_t most_different)
{
    fls_statistics_options options = FLS_STATISTICS_OPTIONS_INIT;
    fls_statistics *s;
    fls_error err = FLS_ERROR_INIT;
    options.most_different = most_different;
    assert_status(fls_statistics_new(&s, &options, &err), FLS_OK, &err);
    return s;
}

static void add(fls_statistics *s, fls_value value)
{
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_statistics_add(s, &value, &err), FLS_OK, &err);
}

static int is_near(double a, double b, double share)
{
    return a == b || fabs(a - b) <= share * fabs(b);
}

static void whole_numbers(void **unused)
{
    (void)unused;
    fls_statistics *s = fresh(0);
    fls_summary summary;
    fls_value value;
    /* Squares of the deviations are 9 + 1 + 1 + 9, whatever is added to all. */
    static const uint64_t offsets[] = {0, UINT64_C(1790000000000018668), UINT64_MAX - 6};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        fls_statistics_reset(s);
        for (uint64_t n = 0; n <= 6; n += 2) {
            add(s, u64_value(offsets[i] + n));
        }
        fls_statistics_summary(s, &summary);
        assert_int_equal(summary.count, 4);
        assert_true(summary.min.as.u == offsets[i] && summary.max.as.u == offsets[i] + 6);
        assert_true(is_near(summary.deviation, 2.581988897471611, 1e-15));
        assert_true(is_near(summary.mean, (double)offsets[i] + 3, 1e-15));
        fls_statistics_quantile(s, 0.5, &value);
        assert_true(value.kind == FLS_VALUE_U64 && value.as.u == offsets[i] + 2);
        fls_statistics_quantile(s, 0, &value);
        assert_true(value.as.u == offsets[i]);
        fls_statistics_quantile(s, 1, &value);
        assert_true(value.as.u == offsets[i] + 6);
    }
    assert_true(summary.sum.kind == FLS_VALUE_F64);
    assert_true(is_near(summary.sum.as.f, 4 * 18446744073709551612.0, 1e-15));
    fls_statistics_free(s);
}

static void signed_numbers(void **unused)
{
    (void)unused;
    fls_statistics *s = fresh(0);
    fls_summary summary;
    fls_value value;
    add(s, i64_value(INT64_MIN));
    add(s, i64_value(INT64_MAX));
    add(s, i64_value(-5));
    fls_statistics_summary(s, &summary);
    assert_true(summary.min.as.i == INT64_MIN && summary.max.as.i == INT64_MAX);
    assert_true(summary.sum.kind == FLS_VALUE_I64 && summary.sum.as.i == -6);
    assert_true(summary.mean == -2);
    fls_statistics_quantile(s, 0.5, &value);
    assert_true(value.as.i == -5);
    /* Adding goes on after a quantile. */
    add(s, i64_value(7));
    add(s, i64_value(8));
    fls_statistics_quantile(s, 0.6, &value);
    assert_true(value.as.i == 7);
    fls_statistics_summary(s, &summary);
    assert_true(summary.sum.kind == FLS_VALUE_U64 && summary.sum.as.u == 9);
    fls_statistics_reset(s);
    add(s, i64_value(INT64_MIN));
    add(s, i64_value(-1));
    fls_statistics_summary(s, &summary);
    assert_true(summary.sum.kind == FLS_VALUE_F64 && summary.sum.as.f == -9223372036854775809.0);
    fls_statistics_free(s);
}

static void floats(void **unused)
{
    (void)unused;
    fls_statistics *s = fresh(0);
    fls_summary summary;
    fls_value value;
    /* The small ones would be lost without compensation. */
    add(s, f64_value(1e16));
    for (int i = 0; i < 10; i++) {
        add(s, f64_value(1));
    }
    add(s, f64_value(-1e16));
    add(s, f64_value(NAN));
    value = f64_value(0);
    value.kind = FLS_VALUE_ABSENT;
    add(s, value);
    fls_statistics_summary(s, &summary);
    assert_true(summary.sum.as.f == 10);
    assert_true(summary.count == 12 && summary.absent == 1 && summary.not_numbers == 1);
    add(s, f64_value(INFINITY));
    fls_statistics_summary(s, &summary);
    assert_true(isinf(summary.mean) && summary.mean > 0 && isnan(summary.deviation));
    assert_true(isinf(summary.max.as.f));
    add(s, f64_value(-INFINITY));
    fls_statistics_summary(s, &summary);
    assert_true(isnan(summary.mean));
    fls_statistics_reset(s);
    add(s, f64_value(-0.0));
    add(s, f64_value(0.0));
    fls_statistics_quantile(s, 0.5, &value);
    assert_true(value.as.f == 0);
    fls_statistics_summary(s, &summary);
    assert_true(summary.deviation == 0 && summary.mean == 0);
    fls_statistics_reset(s);
    add(s, f64_value(1.7e308));
    add(s, f64_value(1.7e308));
    fls_statistics_summary(s, &summary);
    assert_true(is_near(summary.mean, 1.7e308, 1e-15));
    fls_statistics_free(s);
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right;
}

/* Random values of many magnitudes, with few and with many different ones allowed. */
static void against_sorting(void **unused)
{
    (void)unused;
    enum { COUNT = 20000 };
    prng random = prng_seeded(11);
    double *values = malloc(COUNT * sizeof *values);
    assert_non_null(values);
    for (uint32_t most = 64; most <= 65536; most *= 32) {
        fls_statistics *s = fresh(most);
        fls_summary summary;
        double sum = 0;
        for (size_t i = 0; i < COUNT; i++) {
            double size = (double)(prng_next(&random) >> 11) /
                          (double)(UINT64_C(1) << prng_below(&random, 60));
            values[i] = prng_below(&random, 3) == 0 ? -size : size;
            sum += values[i];
            add(s, f64_value(values[i]));
        }
        double squares = 0;
        for (size_t i = 0; i < COUNT; i++) {
            squares += (values[i] - sum / COUNT) * (values[i] - sum / COUNT);
        }
        qsort(values, COUNT, sizeof *values, by_size);
        fls_statistics_summary(s, &summary);
        assert_int_equal(summary.is_exact, most >= COUNT);
        assert_true(summary.min.as.f == values[0] && summary.max.as.f == values[COUNT - 1]);
        assert_true(is_near(summary.mean, sum / COUNT, 1e-9));
        assert_true(is_near(summary.deviation * summary.deviation, squares / (COUNT - 1), 1e-9));
        for (int percent = 0; percent <= 100; percent++) {
            fls_value value;
            size_t rank = (size_t)percent * COUNT / 100;
            double wanted = values[rank == 0 ? 0 : rank - 1];
            fls_statistics_quantile(s, percent / 100.0, &value);
            if (!is_near(value.as.f, wanted, most >= COUNT ? 0 : 0.01)) {
                print_error("%d %%: %g, not %g\n", percent, value.as.f, wanted);
                fail();
            }
        }
        uint64_t bins[7];
        uint64_t total = 0;
        fls_statistics_histogram(s, bins, 7);
        for (size_t i = 0; i < 7; i++) {
            total += bins[i];
        }
        assert_int_equal(total, COUNT);
        fls_statistics_free(s);
    }
    free(values);
}

/* In buckets, whole numbers stay whole and within the ends. */
static void whole_buckets(void **unused)
{
    (void)unused;
    fls_statistics *s = fresh(16);
    fls_value value;
    for (uint64_t i = 1; i <= 100000; i++) {
        add(s, u64_value(i));
    }
    for (int percent = 1; percent <= 100; percent++) {
        fls_statistics_quantile(s, percent / 100.0, &value);
        assert_true(is_near((double)value.as.u, percent * 1000.0, 0.01));
    }
    fls_statistics_quantile(s, 1, &value);
    assert_true(value.as.u <= 100000);
    fls_statistics_reset(s);
    for (int64_t i = 0; i < 1000; i++) {
        add(s, i64_value(INT64_MAX - i * 1000003));
        add(s, i64_value(INT64_MIN + i * 1000003));
    }
    fls_statistics_quantile(s, 0.01, &value);
    assert_true(value.as.i < INT64_MIN / 2);
    fls_statistics_quantile(s, 0.99, &value);
    assert_true(value.as.i > INT64_MAX / 2);
    fls_statistics_free(s);
}

/* The lowest bucket's middle is below every whole number. */
static void lowest_bucket(void **unused)
{
    (void)unused;
    fls_statistics *s = fresh(1);
    fls_value value;
    add(s, i64_value(INT64_MIN));
    add(s, i64_value(5));
    add(s, i64_value(INT64_MAX));
    fls_statistics_quantile(s, 0.01, &value);
    assert_true(value.as.i == INT64_MIN);
    fls_statistics_quantile(s, 1, &value);
    assert_true(value.as.i == INT64_MAX);
    fls_statistics_free(s);
}

static void refused(void **unused)
{
    (void)unused;
    fls_error err = FLS_ERROR_INIT;
    fls_statistics *s = fresh(0);
    fls_value text = {.kind = FLS_VALUE_STRING};
    fls_value yes = {.kind = FLS_VALUE_BOOL};
    fls_value number = i64_value(1);
    fls_summary summary;
    yes.as.u = 1;
    assert_status(fls_statistics_add(s, &text, &err), FLS_INVALID_ARGUMENT, &err);
    add(s, yes);
    add(s, u64_value(3));
    assert_status(fls_statistics_add(s, &number, &err), FLS_INVALID_ARGUMENT, &err);
    fls_statistics_summary(s, &summary);
    assert_int_equal(summary.count, 2);
    assert_true(summary.mean == 2);
    fls_statistics_free(s);
    fls_statistics_free(NULL);
    fls_statistics_options options = FLS_STATISTICS_OPTIONS_INIT;
    options.most_different = UINT32_MAX;
    assert_status(fls_statistics_new(&s, &options, &err), FLS_INVALID_ARGUMENT, &err);
    assert_null(s);
}

/* Each allocation fails once; the values that were taken still count. */
static void no_memory(void **unused)
{
    (void)unused;
    for (uint64_t failing = 0;; failing++) {
        counting_allocator counting;
        fls_statistics_options options = FLS_STATISTICS_OPTIONS_INIT;
        fls_statistics *s;
        fls_error err = FLS_ERROR_INIT;
        uint64_t taken = 0;
        counting_allocator_init(&counting);
        counting.fail_from = failing;
        counting.fail_calls = 1;
        options.allocator = &counting.table;
        options.most_different = 300;
        if (fls_statistics_new(&s, &options, &err) != FLS_OK) {
            assert_int_equal(err.status, FLS_NO_MEMORY);
            assert_int_equal(counting.live_blocks, 0);
            continue;
        }
        for (uint64_t i = 0; i < 1000; i++) {
            fls_value value = u64_value(i * i);
            fls_status status = fls_statistics_add(s, &value, &err);
            assert_true(status == FLS_OK || status == FLS_NO_MEMORY);
            taken += status == FLS_OK;
        }
        fls_summary summary;
        fls_statistics_summary(s, &summary);
        assert_true(summary.count == taken && taken >= 999);
        uint64_t failures = counting.failures;
        fls_statistics_free(s);
        assert_int_equal(counting.live_blocks, 0);
        if (failures == 0) {
            assert_true(failing > 4);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers), cmocka_unit_test(signed_numbers),
        cmocka_unit_test(floats),        cmocka_unit_test(against_sorting),
        cmocka_unit_test(whole_buckets), cmocka_unit_test(lowest_bucket),
        cmocka_unit_test(refused),       cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
