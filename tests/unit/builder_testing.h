/* Helpers of the builder's tests. */
#ifndef TESTS_UNIT_BUILDER_TESTING_H
#define TESTS_UNIT_BUILDER_TESTING_H

#include "flatstream/builder.h"
#include "support/prng.h"
#include "support/testing.h"

#define NO_REF ((fls_ref){0})

static inline fls_builder *new_builder(void)
{
    fls_builder *b = NULL;
    assert_int_equal(fls_builder_new(&b, NULL, NULL), FLS_OK);
    return b;
}

static inline fls_ref telemetry(fls_builder *b, uint64_t device, uint64_t time, double value)
{
    fls_table t = fls_builder_table(b, 3);
    fls_builder_u64(b, t, 0, device);
    fls_builder_u64(b, t, 1, time);
    fls_builder_f64(b, t, 2, value);
    return fls_builder_end(b, t);
}

/* A reader as plain as can be; every step is checked against the message's bounds. */
typedef struct view {
    const uint8_t *data;
    size_t size;
} view;

static inline uint64_t number_at(view message, size_t at, size_t width)
{
    uint64_t value = 0;
    assert_true(at <= message.size && width <= message.size - at);
    for (size_t i = width; i-- > 0;) {
        value = value << 8 | message.data[at + i];
    }
    return value;
}

/* Where a slot's value lies; 0 when it is absent. */
static inline size_t field_at(view message, size_t table, uint32_t slot, size_t width)
{
    int32_t soffset = (int32_t)number_at(message, table, 4);
    size_t vtable = (size_t)((int64_t)table - soffset);
    if (4 + 2 * (size_t)slot >= number_at(message, vtable, 2)) {
        return 0;
    }
    size_t offset = number_at(message, vtable + 4 + 2 * (size_t)slot, 2);
    if (offset == 0) {
        return 0;
    }
    assert_true(offset + width <= number_at(message, vtable + 2, 2));
    assert_int_equal((table + offset) % width, 0);
    return table + offset;
}

static inline size_t target_of(view message, size_t at)
{
    assert_true(at != 0);
    return at + number_at(message, at, 4);
}

static inline view finish(fls_builder *b, fls_ref root)
{
    const void *data = NULL;
    size_t size = 0;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_builder_finish(b, root, NULL, &data, &size, &err), FLS_OK, &err);
    assert_int_equal((uintptr_t)data % 4, 0);
    return (view){data, size};
}

/* Sets a slot to the low bytes of a value by the function of kind 0 to 10; its width is
 * returned. */
static inline size_t set_scalar(fls_builder *b, fls_table t, uint32_t slot, uint64_t *value,
                                uint64_t kind)
{
    float f32;
    double f64;
    uint32_t low = (uint32_t)*value;
    memcpy(&f32, &low, sizeof f32);
    memcpy(&f64, value, sizeof f64);
    switch (kind) {
    case 0: fls_builder_u8(b, t, slot, (uint8_t)*value); return 1;
    case 1: fls_builder_i8(b, t, slot, (int8_t)*value); return 1;
    case 2: fls_builder_u16(b, t, slot, (uint16_t)*value); return 2;
    case 3: fls_builder_i16(b, t, slot, (int16_t)*value); return 2;
    case 4: fls_builder_u32(b, t, slot, low); return 4;
    case 5: fls_builder_i32(b, t, slot, (int32_t)*value); return 4;
    case 6: fls_builder_u64(b, t, slot, *value); return 8;
    case 7: fls_builder_i64(b, t, slot, (int64_t)*value); return 8;
    case 8: fls_builder_f32(b, t, slot, f32); return 4;
    case 9: fls_builder_f64(b, t, slot, f64); return 8;
    default:
        fls_builder_bool(b, t, slot, (int)(*value & 0x300));
        *value = (*value & 0x300) != 0;
        return 1;
    }
}

#endif
