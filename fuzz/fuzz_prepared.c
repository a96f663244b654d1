/* Any message that the verifier takes as a prepared one, and any path in it: whatever is found can
 * be set, and nothing outside of the message is written. What is not changed stays sound.
 * The input is the path, a zero, and the message; without a zero it is the path in a list of
 * fields. */
#include <string.h>

#include "flatstream/prepared.h"
#include "flatstream/verify.h"
#include "stream_case.h"
#include "support/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static fls_schema *schema;

static void set_up(void)
{
    byte_buffer bytes = BYTES_INIT;
    STREAM_CASE_CHECK(files_read(FLS_FUZZ_SCHEMA_DIR "/everything.bfbs", &bytes) == 0);
    STREAM_CASE_CHECK(fls_schema_new(&schema, bytes.data, bytes.size, NULL, NULL) == FLS_OK);
    bytes_free(&bytes);
}

/* Everything that the path could lead to. */
static void set_all(fls_prepared *p, const char *path)
{
    static const uint8_t ones[64] = {1, 1, 1, 1, 1, 1, 1, 1};
    size_t size;
    fls_prepared_message m = fls_prepared_image(p, &size);
    fls_place_u8 u8;
    fls_place_i32 i32;
    fls_place_f64 f64;
    fls_place_string string;
    fls_place_vector vector;
    fls_place_struct place;
    fls_place_presence presence;
    if (fls_prepared_u8(p, path, &u8, NULL) == FLS_OK) {
        fls_prepared_set_u8(m, u8, 200);
    }
    if (fls_prepared_i32(p, path, &i32, NULL) == FLS_OK) {
        fls_prepared_set_i32(m, i32, -2);
    }
    if (fls_prepared_f64(p, path, &f64, NULL) == FLS_OK) {
        fls_prepared_set_f64(m, f64, -1.5);
    }
    if (fls_prepared_string(p, path, &string, NULL) == FLS_OK) {
        STREAM_CASE_CHECK(fls_prepared_set_string(m, string, "", 0) == FLS_OK);
    }
    for (fls_type type = FLS_TYPE_BOOL; type <= FLS_TYPE_STRUCT; type++) {
        if (fls_prepared_vector(p, path, type, &vector, NULL) == FLS_OK) {
            STREAM_CASE_CHECK(fls_prepared_set_vector(m, vector, NULL, 0) == FLS_OK);
            STREAM_CASE_CHECK(fls_prepared_set_count(m, vector, vector.capacity) == FLS_OK);
        }
    }
    for (size_t bytes = 1; bytes <= sizeof ones; bytes++) {
        if (fls_prepared_struct(p, path, bytes, &place, NULL) == FLS_OK) {
            fls_prepared_set_struct(m, place, ones);
        }
    }
    if (fls_prepared_presence(p, path, &presence, NULL) == FLS_OK) {
        fls_prepared_set_present(m, presence, 0);
        fls_prepared_set_present(m, presence, 1);
    }
}

static void from_list(const char *path)
{
    const fls_prepared_field fields[] = {{path, 7}, {path, 0}, {"structs.vec3_required", 0}};
    for (size_t count = 1; count <= 3; count++) {
        fls_prepared *p;
        fls_status status =
            fls_prepared_new(&p, schema, fls_schema_root(schema), fields, count, NULL, NULL);
        STREAM_CASE_CHECK((status == FLS_OK) == (p != NULL));
        if (p != NULL) {
            size_t size;
            set_all(p, path);
            fls_prepared_message m = fls_prepared_image(p, &size);
            STREAM_CASE_CHECK(
                fls_verify(schema, fls_schema_root(schema), m.bytes, size, NULL, NULL) == FLS_OK);
        }
        fls_prepared_free(p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[300];
    const uint8_t *end = memchr(data, 0, size);
    size_t length = end != NULL ? (size_t)(end - data) : size;
    fls_prepared *p;
    if (schema == NULL) {
        set_up();
    }
    if (length >= sizeof path) {
        return 0;
    }
    memcpy(path, data, length);
    path[length] = '\0';
    if (end == NULL) {
        from_list(path);
        return 0;
    }
    const uint8_t *message = end + 1;
    size_t message_size = size - length - 1;
    if (fls_prepared_from(&p, schema, fls_schema_root(schema), message, message_size, NULL, NULL) ==
        FLS_OK) {
        size_t image_size;
        STREAM_CASE_CHECK(memcmp(fls_prepared_image(p, &image_size).bytes, message, message_size) ==
                          0);
        STREAM_CASE_CHECK(image_size == message_size);
        set_all(p, path);
        fls_prepared_free(p);
    }
    return 0;
}
