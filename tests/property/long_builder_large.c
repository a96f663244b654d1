/* Messages of nearly 2^31 bytes: the largest is built whole, a larger one is refused with the
 * reason, and the builder works again afterwards. Needs some 8 GiB of memory. */
#include "flatstream/builder.h"
#include "flatstream/table_root.h"
#include "support/testing.h"

#define MOST ((size_t)1 << 31)

static fls_status build(fls_builder *b, const char *content, size_t piece, size_t count,
                        const void **data, size_t *size, fls_error *err)
{
    fls_ref refs[80];
    for (size_t i = 0; i < count; i++) {
        refs[i] = fls_builder_vector(b, content, piece, 1);
    }
    fls_ref all = fls_builder_ref_vector(b, refs, count);
    fls_table t = fls_builder_table(b, 1);
    fls_builder_ref(b, t, 0, all);
    return fls_builder_finish(b, fls_builder_end(b, t), "HUGE", data, size, err);
}

static void up_to_2_gib(void **unused)
{
    (void)unused;
    fls_builder *b;
    fls_error err = FLS_ERROR_INIT;
    char *content = calloc(1, MOST);
    assert_non_null(content);
    assert_status(fls_builder_new(&b, NULL, &err), FLS_OK, &err);
    const size_t pieces[][2] = {{MOST - 200, 1}, {MOST / 64 - 200, 64}, {60000000, 35}};
    for (size_t i = 0; i < 3; i++) {
        const void *data;
        size_t size;
        size_t piece = pieces[i][0];
        size_t count = pieces[i][1];
        content[piece - 1] = 'e';
        assert_status(build(b, content, piece, count, &data, &size, &err), FLS_OK, &err);
        assert_in_range(size, piece * count, MOST - 1);
        assert_status(fls_table_root_check(data, size, &err), FLS_OK, &err);
        /* The first vector ends at the message's end, but for padding. */
        size_t end = size;
        while (((const char *)data)[end - 1] == 0 && size - end < 4) {
            end--;
        }
        assert_int_equal(((const char *)data)[end - 1], 'e');
        content[piece - 1] = 0;
        assert_int_equal(build(b, content, piece, count + count / 8 + 2, &data, &size, &err),
                         FLS_INVALID_ARGUMENT);
        assert_string_equal(err.text, "message of 2^31 bytes or more");
    }
    fls_builder_shrink(b, 0);
    const void *data;
    size_t size;
    assert_status(build(b, content, 10, 3, &data, &size, &err), FLS_OK, &err);
    fls_builder_free(b);
    free(content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(up_to_2_gib)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
