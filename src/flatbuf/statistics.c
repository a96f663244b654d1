/* Statistics of values: sums that do not lose digits, and what follows from the counts.
 *
 * Whole numbers: an exact sum of 128 bits. The deviation is Welford's, of the differences to the
 * first value, which are exact before they become doubles; so that times in nanoseconds do not
 * drown in their own size. Floats: Neumaier's compensated sum, and Welford.
 */
#include "flatstream/statistics.h"

#include "core/bytes.h"
#include "core/options.h"
#include "flatbuf/statistics_private.h"

#define DIFFERENT_DEFAULT 65536u
#define DIFFERENT_MOST    (1u << 24)

struct fls_statistics {
    flsi_tallies tallies;
    uint64_t count;
    uint64_t absent;
    uint64_t not_numbers;
    uint64_t infinite[2]; /* negative, positive */
    fls_value min;
    fls_value max;
    uint64_t first;    /* of whole numbers */
    uint64_t sum_low;  /* the sum of whole numbers, ... */
    uint64_t sum_high; /* ... two's complement */
    double sum;        /* of finite floats, ... */
    double sum_rest;   /* ... and what that lost */
    double finite;     /* values that the next two are about */
    double mean;       /* of finite floats, or of the differences to the first */
    double squares;    /* sum of squared distances from the mean */
};

static void clear(fls_statistics *s)
{
    flsi_tallies tallies = s->tallies;
    memset(s, 0, sizeof *s);
    s->tallies = tallies;
    s->min.enumeration = FLS_SCHEMA_NONE;
    s->max.enumeration = FLS_SCHEMA_NONE;
}

fls_status fls_statistics_new(fls_statistics **statistics, const fls_statistics_options *given,
                              fls_error *err)
{
    fls_statistics_options options;
    *statistics = NULL;
    fls_status status = flsi_options_read(&options, sizeof options, given, err);
    if (status != FLS_OK) {
        return status;
    }
    if (options.most_different > DIFFERENT_MOST) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "more than 2^24 different values");
    }
    const fls_allocator *allocator =
        options.allocator != NULL ? options.allocator : fls_allocator_libc();
    fls_statistics *s = allocator->resize(allocator->self, NULL, 0, sizeof *s);
    if (s == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for statistics");
    }
    memset(s, 0, sizeof *s);
    s->tallies.allocator = allocator;
    s->tallies.most_different =
        options.most_different != 0 ? options.most_different : DIFFERENT_DEFAULT;
    clear(s);
    *statistics = s;
    return FLS_OK;
}

void fls_statistics_free(fls_statistics *s)
{
    if (s != NULL) {
        const fls_allocator *allocator = s->tallies.allocator;
        if (s->tallies.slots != NULL) {
            allocator->free(allocator->self, s->tallies.slots,
                            s->tallies.slot_count * sizeof *s->tallies.slots);
        }
        allocator->free(allocator->self, s, sizeof *s);
    }
}

void fls_statistics_reset(fls_statistics *s)
{
    flsi_tallies *tallies = &s->tallies;
    if (tallies->slots != NULL) {
        memset(tallies->slots, 0, tallies->slot_count * sizeof *tallies->slots);
    }
    tallies->used = 0;
    tallies->in_buckets = 0;
    tallies->is_sorted = 0;
    tallies->last = NULL;
    tallies->kind = FLS_VALUE_ABSENT;
    clear(s);
}

/* ---- adding ---- */

static int is_less(const fls_value *a, const fls_value *b)
{
    switch (a->kind) {
    case FLS_VALUE_F64: return a->as.f < b->as.f;
    case FLS_VALUE_I64: return a->as.i < b->as.i;
    default: return a->as.u < b->as.u;
    }
}

/* Welford's step. */
static void spread(fls_statistics *s, double value)
{
    double distance = value - s->mean;
    s->finite += 1;
    s->mean += distance / s->finite;
    s->squares += distance * (value - s->mean);
}

static void add_float(fls_statistics *s, double value)
{
    if (value - value != 0) {
        s->infinite[value > 0]++;
        return;
    }
    double sum = s->sum + value;
    double larger = s->sum < 0 ? -s->sum : s->sum;
    double size = value < 0 ? -value : value;
    s->sum_rest += larger >= size ? (s->sum - sum) + value : (value - sum) + s->sum;
    s->sum = sum;
    spread(s, value);
}

static void add_whole(fls_statistics *s, const fls_value *value)
{
    uint64_t bits = value->as.u;
    int is_negative = value->kind == FLS_VALUE_I64 && value->as.i < 0;
    if (s->count == 0) {
        s->first = bits;
    }
    s->sum_low += bits;
    s->sum_high += (s->sum_low < bits) + (is_negative ? UINT64_MAX : 0);
    fls_value first = *value;
    first.as.u = s->first;
    spread(s, is_less(value, &first) ? -(double)(s->first - bits) : (double)(bits - s->first));
}

fls_status fls_statistics_add(fls_statistics *s, const fls_value *given, fls_error *err)
{
    fls_value value = *given;
    if (value.kind == FLS_VALUE_ABSENT) {
        s->absent++;
        return FLS_OK;
    }
    if (value.kind == FLS_VALUE_BOOL) {
        value.kind = FLS_VALUE_U64;
    }
    if (value.kind > FLS_VALUE_F64 ||
        (s->tallies.kind != FLS_VALUE_ABSENT && s->tallies.kind != value.kind)) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "statistics are of numbers, all of one kind");
    }
    s->tallies.kind = value.kind;
    if (value.kind == FLS_VALUE_F64 && value.as.f != value.as.f) {
        s->not_numbers++;
        return FLS_OK;
    }
    if (!flsi_tally_add(&s->tallies, flsi_tally_key(&value))) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for statistics");
    }
    if (value.kind == FLS_VALUE_F64) {
        add_float(s, value.as.f);
    } else {
        add_whole(s, &value);
    }
    value.is_default = 0;
    if (s->count == 0 || is_less(&value, &s->min)) {
        s->min = value;
    }
    if (s->count == 0 || is_less(&s->max, &value)) {
        s->max = value;
    }
    s->count++;
    return FLS_OK;
}

/* ---- results ---- */

static double not_a_number(void)
{
    const uint64_t bits = UINT64_C(0x7FF8000000000000);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* By Newton, so that no mathematics library has to be linked. */
static double root_of(double value)
{
    double root = value < 1 ? 1 : value;
    if (!(value > 0) || value - value != 0) {
        return value;
    }
    for (int i = 0; i < 2200; i++) {
        double next = root / 2 + value / root / 2;
        if (next >= root) {
            break;
        }
        root = next;
    }
    return root;
}

/* The exact sum of whole numbers as a value of 64 bits, or the nearest double. */
static fls_value whole_sum(const fls_statistics *s)
{
    fls_value sum = s->min;
    int is_negative = s->sum_high >> 63 != 0;
    sum.enumeration = FLS_SCHEMA_NONE;
    sum.as.u = s->sum_low;
    if (!is_negative && s->sum_high == 0) {
        sum.kind = FLS_VALUE_U64;
    } else if (is_negative && s->sum_high == UINT64_MAX && s->sum_low >> 63 != 0) {
        sum.kind = FLS_VALUE_I64;
    } else {
        uint64_t low = is_negative ? 0 - s->sum_low : s->sum_low;
        uint64_t high = is_negative ? 0 - s->sum_high - (s->sum_low != 0) : s->sum_high;
        double size = (double)high * 18446744073709551616.0 + (double)low;
        sum.kind = FLS_VALUE_F64;
        sum.as.f = is_negative ? -size : size;
    }
    return sum;
}

static fls_value float_sum(const fls_statistics *s)
{
    const double largest = 1.7976931348623157e308;
    fls_value sum = s->min;
    sum.is_f32 = 0;
    if (s->infinite[0] > 0 && s->infinite[1] > 0) {
        sum.as.f = not_a_number();
    } else if (s->infinite[0] + s->infinite[1] > 0) {
        sum.as.f = s->infinite[1] > 0 ? largest * 10 : -largest * 10;
    } else {
        sum.as.f = s->sum - s->sum == 0 ? s->sum + s->sum_rest : s->sum;
    }
    return sum;
}

void fls_statistics_summary(const fls_statistics *s, fls_summary *summary)
{
    memset(summary, 0, sizeof *summary);
    summary->count = s->count;
    summary->absent = s->absent;
    summary->not_numbers = s->not_numbers;
    summary->min = s->min;
    summary->max = s->max;
    summary->sum = s->min;
    summary->is_exact = !s->tallies.in_buckets;
    summary->mean = not_a_number();
    summary->deviation = not_a_number();
    if (s->count == 0) {
        return;
    }
    summary->sum = s->tallies.kind == FLS_VALUE_F64 ? float_sum(s) : whole_sum(s);
    summary->mean = flsi_number_of(&summary->sum) / (double)s->count;
    if (s->infinite[0] + s->infinite[1] > 0) {
        return;
    }
    if (summary->mean - summary->mean != 0) {
        summary->mean = s->mean; /* the sum is too large for a double, the mean is not */
    }
    summary->deviation = s->count == 1 ? 0 : root_of(s->squares / ((double)s->count - 1));
}

void fls_statistics_quantile(fls_statistics *s, double share, fls_value *value)
{
    *value = s->min;
    if (s->count == 0) {
        return;
    }
    flsi_tally_sort(&s->tallies);
    /* 0.81 is a little more than 81 hundredths, which must not count as one value more. */
    double position = share * (double)s->count * (1 - 4e-16);
    uint64_t rank = position > 0 ? (uint64_t)position : 0;
    rank += (double)rank < position || rank == 0;
    uint64_t seen = 0;
    for (size_t i = 0; i < s->tallies.used; i++) {
        seen += s->tallies.slots[i].count;
        if (seen >= rank) {
            fls_value found = flsi_tally_value(&s->tallies, &s->tallies.slots[i]);
            value->as = found.as;
            break;
        }
        *value = s->max;
    }
    /* The middle of a bucket may lie beyond the ends. */
    if (is_less(value, &s->min)) {
        *value = s->min;
    }
    if (is_less(&s->max, value)) {
        *value = s->max;
    }
}

void fls_statistics_histogram(const fls_statistics *s, uint64_t *bins, size_t bin_count)
{
    memset(bins, 0, bin_count * sizeof *bins);
    if (s->count == 0 || bin_count == 0) {
        return;
    }
    double low = flsi_number_of(&s->min);
    double width = (flsi_number_of(&s->max) / 2 - low / 2) / (double)bin_count * 2;
    if (width - width != 0 || low - low != 0) {
        return;
    }
    size_t entries = s->tallies.is_sorted ? s->tallies.used : s->tallies.slot_count;
    for (size_t i = 0; i < entries; i++) {
        const flsi_tally *tally = &s->tallies.slots[i];
        if (tally->count != 0) {
            fls_value value = flsi_tally_value(&s->tallies, tally);
            double place = width > 0 ? (flsi_number_of(&value) - low) / width : 0;
            size_t bin = place > 0 ? place >= (double)bin_count ? bin_count - 1 : (size_t)place : 0;
            bins[bin] += tally->count;
        }
    }
}
