/* journal.json: made and read again, refused for each line that is not right, stored and loaded. */
#include "journal/journal_manifest.h"

#include "support/files.h"
#include "support/testing.h"

static fls_error err;
static char text[256 * 1024];

static flsi_manifest some_manifest(void)
{
    flsi_manifest manifest = {.epoch = 3,
                              .checksum = FLS_CHECKSUM_CRC32,
                              .max_frame_bytes = 1 << 20,
                              .has_times = 1,
                              .created_ns = UINT64_C(1700000000123456789),
                              .segment_bytes = 1,
                              .segment_messages = 2,
                              .segment_age_ns = 3,
                              .retain_bytes = UINT64_MAX,
                              .retain_segments = 5,
                              .retain_age_ns = 6,
                              .compatible = 1,
                              .incompatible = FLSI_FEATURE_COMPRESSED,
                              .type_count = 2};
    for (size_t i = 0; i < sizeof manifest.id; i++) {
        manifest.id[i] = (uint8_t)(i * 17);
    }
    manifest.types[0].schema_hash = UINT64_C(0xfedcba9876543210);
    memcpy(manifest.types[0].identifier, "M\"\x01\xff", 4);
    strcpy(manifest.types[0].root, "a.b\\C");
    manifest.types[1].schema_hash = 1;
    memset(manifest.types[1].root, 'x', FLSI_MANIFEST_ROOT_BYTES - 1);
    return manifest;
}

static void test_comes_back(void **state)
{
    (void)state;
    flsi_manifest manifest = some_manifest();
    flsi_manifest got;
    size_t size = flsi_manifest_encode(&manifest, text, sizeof text);
    assert_true(size < sizeof text);
    assert_status(flsi_manifest_decode(&got, text, size, &err), FLS_OK, &err);
    assert_memory_equal(&got, &manifest, sizeof got);
    for (size_t capacity = 0; capacity < size; capacity++) {
        char *exact = malloc(capacity + 1);
        assert_non_null(exact);
        assert_true(flsi_manifest_encode(&manifest, exact, capacity) == SIZE_MAX);
        free(exact);
    }
    manifest.type_count = 0;
    memset(manifest.types, 0, sizeof manifest.types);
    size = flsi_manifest_encode(&manifest, text, sizeof text);
    assert_status(flsi_manifest_decode(&got, text, size, &err), FLS_OK, &err);
    assert_memory_equal(&got, &manifest, sizeof got);
}

static void test_the_largest_fits(void **state)
{
    (void)state;
    flsi_manifest manifest = some_manifest();
    flsi_manifest got;
    manifest.type_count = FLSI_MANIFEST_TYPES;
    for (size_t i = 0; i < FLSI_MANIFEST_TYPES; i++) {
        memset(manifest.types[i].root, 0x80, FLSI_MANIFEST_ROOT_BYTES - 1);
        memset(manifest.types[i].identifier, 0x80, 4);
    }
    size_t size = flsi_manifest_encode(&manifest, text, sizeof text);
    assert_true(size < sizeof text);
    assert_status(flsi_manifest_decode(&got, text, size, &err), FLS_OK, &err);
    assert_memory_equal(&got, &manifest, sizeof got);
}

static void test_every_flip_and_cut_is_seen(void **state)
{
    (void)state;
    flsi_manifest manifest = some_manifest();
    flsi_manifest got;
    size_t size = flsi_manifest_encode(&manifest, text, sizeof text);
    for (size_t bit = 0; bit < size * 8; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        fls_status status = flsi_manifest_decode(&got, text, size, &err);
        assert_true(status == FLS_CHECKSUM_MISMATCH || status == FLS_INVALID_FRAME);
        assert_string_equal(err.name, "journal.json");
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
    }
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *exact = bytes_exact_copy(text, cut);
        assert_int_not_equal(flsi_manifest_decode(&got, (const char *)exact, cut, &err), FLS_OK);
        free(exact);
    }
}

/* The text with `from` replaced, and the checksum put right. */
static fls_status decode_changed(const char *from, const char *to)
{
    static char changed[256 * 1024];
    flsi_manifest manifest = some_manifest();
    flsi_manifest got;
    size_t size = flsi_manifest_encode(&manifest, text, sizeof text - 1);
    text[size] = '\0';
    const char *at = strstr(text, from);
    assert_non_null(at);
    int length = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to,
                          at + strlen(from));
    char *last = strstr(changed, "  \"xxh3\"");
    assert_non_null(last);
    uint64_t digest = fls_checksum_digest(FLS_CHECKSUM_XXH3, changed, (size_t)(last - changed));
    snprintf(last, 64, "  \"xxh3\": \"%016llx\"\n}\n", (unsigned long long)digest);
    return flsi_manifest_decode(&got, changed, (size_t)length, &err);
}

static void test_each_line_is_held_to_its_range(void **state)
{
    (void)state;
    const struct {
        const char *from;
        const char *to;
        fls_status wanted;
    } cases[] = {
        {"\"epoch\": 3", "\"epoch\": 4", FLS_OK},
        {"\"epoch\": 3", "\"epoch\": 4294967296", FLS_INVALID_FRAME},
        {"\"epoch\": 3", "\"epoch\": 03", FLS_INVALID_FRAME},
        {"\"epoch\": 3", "\"epoch\": -3", FLS_INVALID_FRAME},
        {"\"epoch\": 3", "\"epoch\": ", FLS_INVALID_FRAME},
        {"  \"epoch\": 3,\n", "", FLS_INVALID_FRAME},
        {"  \"epoch\": 3,\n", "  \"new\": 1,\n  \"epoch\": 3,\n", FLS_OK},
        {"\"version\": 1", "\"version\": 2", FLS_UNSUPPORTED},
        {"\"crc32\"", "\"auto\"", FLS_INVALID_FRAME},
        {"\"crc32\"", "\"sha\"", FLS_INVALID_FRAME},
        {"\"max_frame_bytes\": 1048576", "\"max_frame_bytes\": 2147483649", FLS_INVALID_FRAME},
        {"\"has_times\": 1", "\"has_times\": 2", FLS_INVALID_FRAME},
        {"18446744073709551615", "18446744073709551616", FLS_INVALID_FRAME},
        {"\"incompatible_features\": 1", "\"incompatible_features\": 3", FLS_UNSUPPORTED},
        {"\"compatible_features\": 1", "\"compatible_features\": 77", FLS_OK},
        {"\"schema\": \"fedc", "\"schema\": \"FEDC", FLS_INVALID_FRAME},
        {"\\u0001", "\\u0041", FLS_INVALID_FRAME},
        {"\\u0001", "\\u00", FLS_INVALID_FRAME},
        {"\"root\": \"xx", "\"root\": \"xxx", FLS_INVALID_FRAME},
        {"\"root\": \"xx", "\"root\": \"\\u0000x", FLS_INVALID_FRAME},
        {"},\n    {", "}\n    {", FLS_INVALID_FRAME},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fls_status status = decode_changed(cases[i].from, cases[i].to);
        if (status != cases[i].wanted) {
            print_error("%s -> %s\n", cases[i].from, cases[i].to);
        }
        assert_status(status, cases[i].wanted, &err);
    }
}

static void test_stored_and_loaded(void **state)
{
    (void)state;
    char path[256];
    flsi_directory directory;
    flsi_manifest manifest = some_manifest();
    flsi_manifest got;
    const fls_allocator *libc = fls_allocator_libc();
    files_make_directory(path, sizeof path);
    assert_status(flsi_directory_open(&directory, path, 0, NULL, &err), FLS_OK, &err);
    assert_status(flsi_manifest_load(&got, &directory, libc, &err), FLS_END, &err);
    for (manifest.epoch = 0; manifest.epoch < 3; manifest.epoch++) {
        assert_status(flsi_manifest_store(&manifest, &directory, libc, &err), FLS_OK, &err);
        assert_status(flsi_manifest_load(&got, &directory, libc, &err), FLS_OK, &err);
        assert_memory_equal(&got, &manifest, sizeof got);
    }
    files_write(files_join(path, "journal.json"), text, sizeof text);
    assert_status(flsi_manifest_load(&got, &directory, libc, &err), FLS_INVALID_FRAME, &err);
    files_write(files_join(path, "journal.json"), "", 0);
    assert_status(flsi_manifest_load(&got, &directory, libc, &err), FLS_INVALID_FRAME, &err);
    flsi_directory_close(&directory);
    files_remove_directory(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_the_largest_fits),
        cmocka_unit_test(test_every_flip_and_cut_is_seen),
        cmocka_unit_test(test_each_line_is_held_to_its_range),
        cmocka_unit_test(test_stored_and_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
