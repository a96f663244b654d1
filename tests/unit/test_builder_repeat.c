/* Runs of messages made by the same calls, which the builder recognises: a builder that has seen
 * such messages before gives the bytes that a new one gives. */
#include "unit/builder_testing.h"

/* A message of a table of scalars: what is set, in this order. */
typedef struct script {
    uint32_t slots;
    uint32_t count;
    uint32_t slot[40];
    uint64_t kind[40];
    const char *name;
} script;

static view play(fls_builder *b, const script *what, uint64_t seed)
{
    prng random = prng_seeded(seed);
    const void *data = NULL;
    size_t size = 0;
    fls_table t = fls_builder_table(b, what->slots);
    for (uint32_t i = 0; i < what->count; i++) {
        uint64_t value = prng_next(&random) & UINT64_C(0xBFFFFFFFBFFFFFFF);
        (void)set_scalar(b, t, what->slot[i], &value, what->kind[i]);
    }
    fls_ref root = fls_builder_end(b, t);
    assert_int_equal(fls_builder_finish(b, root, what->name, &data, &size, NULL), FLS_OK);
    return (view){data, size};
}

static script random_script(prng *random)
{
    script what = {.name = prng_below(random, 4) == 0 ? "name" : NULL};
    what.slots = (uint32_t)prng_below(random, prng_below(random, 10) == 0 ? 41 : 6);
    for (uint32_t slot = 0; slot < what.slots; slot++) {
        if (prng_below(random, 6) != 0) {
            uint64_t place = prng_below(random, what.count + 1);
            what.slot[what.count] = what.slot[place];
            what.slot[place] = slot;
            what.kind[what.count++] = prng_below(random, 11);
        }
    }
    return what;
}

/* A builder that has seen such messages before gives the bytes that a new one gives. */
static void repeated_messages_are_like_first_ones(void **unused)
{
    (void)unused;
    const uint64_t seed = 78;
    print_message("seed %llu\n", (unsigned long long)seed);
    prng random = prng_seeded(seed);
    for (int round = 0; round < 3000; round++) {
        fls_builder *used = new_builder();
        script what = random_script(&random);
        for (uint64_t left = 1 + prng_below(&random, 5); left > 0; left--) {
            script this = what;
            uint32_t any = (uint32_t)prng_below(&random, this.count);
            switch (prng_below(&random, 12)) {
            case 0: this.kind[any] = prng_below(&random, 11); break;
            case 1: this.count -= this.count != 0; break;
            case 2: this.slots += 1; break;
            case 3: this.name = this.name == NULL ? "else" : NULL; break;
            case 4: this = random_script(&random); break;
            default: break;
            }
            fls_builder *fresh = new_builder();
            uint64_t values = prng_next(&random);
            view expected = play(fresh, &this, values);
            view got = play(used, &this, values);
            assert_int_equal(got.size, expected.size);
            assert_memory_equal(got.data, expected.data, got.size);
            fls_builder_free(fresh);
        }
        fls_builder_free(used);
    }
}

/* A message that failed leaves nothing to be taken for one that is as long. */
static void failed_message_is_not_repeated(void **unused)
{
    (void)unused;
    fls_builder *used = new_builder();
    const void *data;
    size_t size;
    (void)telemetry(used, 1, 2, 3);
    assert_int_equal(fls_builder_finish(used, NO_REF, NULL, &data, &size, NULL),
                     FLS_INVALID_ARGUMENT);
    (void)fls_builder_string(used, "sixteen letters!", 16);
    fls_table t = fls_builder_table(used, 1);
    fls_builder_u16(used, t, 0, 1);
    (void)finish(used, fls_builder_end(used, t));
    fls_builder *fresh = new_builder();
    view expected = finish(fresh, telemetry(fresh, 4, 5, 6));
    view got = finish(used, telemetry(used, 4, 5, 6));
    assert_int_equal(got.size, expected.size);
    assert_memory_equal(got.data, expected.data, got.size);
    fls_builder_free(fresh);
    fls_builder_free(used);
}

/* What a script leaves unset must not be known from one that was learned before it. */
static void learning_again_forgets(void **unused)
{
    (void)unused;
    enum { UNTIL_LEARNED = 100 };
    const uint64_t seed = 79;
    print_message("seed %llu\n", (unsigned long long)seed);
    prng random = prng_seeded(seed);
    for (int round = 0; round < 300; round++) {
        fls_builder *used = new_builder();
        script longer = random_script(&random);
        script shorter = longer;
        shorter.count = (uint32_t)prng_below(&random, longer.count + 1);
        (void)play(used, &longer, 1);
        for (uint64_t i = 0; i < UNTIL_LEARNED; i++) {
            (void)play(used, &shorter, i);
        }
        for (int i = 0; i < 2; i++) {
            fls_builder *fresh = new_builder();
            const script *what = i == 0 ? &longer : &shorter;
            view expected = play(fresh, what, 5);
            view got = play(used, what, 5);
            assert_int_equal(got.size, expected.size);
            assert_memory_equal(got.data, expected.data, got.size);
            fls_builder_free(fresh);
        }
        fls_builder_free(used);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeated_messages_are_like_first_ones),
        cmocka_unit_test(failed_message_is_not_repeated),
        cmocka_unit_test(learning_again_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
