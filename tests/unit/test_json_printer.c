/* The JSON printer: its text to the byte, strings of every kind, options, limits, memory that runs
 * out, and messages that are broken. Values are compared with the official library elsewhere. */
#include "flatstream/builder.h"
#include "flatstream/json.h"
#include "support/comma_locale.h"
#include "support/counting_allocator.h"
#include "support/files.h"
#include "support/prng.h"
#include "support/testing.h"

static fls_schema *load_schema(const char *path)
{
    byte_buffer file = BYTES_INIT;
    fls_schema *schema = NULL;
    fls_error err = FLS_ERROR_INIT;
    assert_int_equal(files_read(path, &file), 0);
    assert_status(fls_schema_new(&schema, file.data, file.size, NULL, &err), FLS_OK, &err);
    bytes_free(&file);
    return schema;
}

static fls_schema *telemetry;
static fls_schema *everything;

static int setup(void **state)
{
    (void)state;
    telemetry = load_schema(FLS_TEST_SCHEMA_DIR "/telemetry.bfbs");
    everything = load_schema(FLS_TEST_SCHEMA_DIR "/everything.bfbs");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fls_schema_free(telemetry);
    fls_schema_free(everything);
    return 0;
}

static fls_json_printer *new_printer(const fls_schema *schema, const char *root,
                                     const fls_json_print_options *options)
{
    fls_json_printer *printer = NULL;
    fls_error err = FLS_ERROR_INIT;
    uint32_t object = root == NULL ? fls_schema_root(schema) : fls_schema_find_object(schema, root);
    assert_status(fls_json_printer_new(&printer, schema, object, options, &err), FLS_OK, &err);
    return printer;
}

static fls_builder *new_builder(void)
{
    fls_builder *builder = NULL;
    assert_status(fls_builder_new(&builder, NULL, NULL), FLS_OK, NULL);
    return builder;
}

/* A copy of just the message's size. */
static uint8_t *finish(fls_builder *builder, fls_ref root, size_t *size)
{
    const void *data;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_builder_finish(builder, root, NULL, &data, size, &err), FLS_OK, &err);
    return bytes_exact_copy(data, *size);
}

static void assert_printed(fls_json_printer *printer, const uint8_t *message, size_t size,
                           const char *wanted, size_t wanted_size)
{
    const char *text;
    size_t text_size;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_json_print(printer, message, size, &text, &text_size, &err), FLS_OK, &err);
    if (text_size != wanted_size || memcmp(text, wanted, wanted_size) != 0) {
        print_error("%.*s\nnot\n%.*s\n", (int)text_size, text, (int)wanted_size, wanted);
        fail();
    }
}

static void assert_prints(const fls_schema *schema, const fls_json_print_options *options,
                          const uint8_t *message, size_t size, const char *wanted)
{
    fls_json_printer *printer = new_printer(schema, NULL, options);
    assert_printed(printer, message, size, wanted, strlen(wanted));
    fls_json_printer_free(printer);
}

static void put_f64(uint8_t *to, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 8; i++) {
        to[i] = (uint8_t)(bits >> (8 * i));
    }
}

/* A sample with something of every kind that telemetry has. */
static uint8_t *make_sample(size_t *size)
{
    static const char umlaut[] = {'\xc3', '\xbc', 'b', 'u', 'n', 'g', '\0'};
    static const char *const tags[] = {"a\"b", umlaut, "", "tab\there\x01\x7f/\\"};
    const double channels[] = {-97826.65762842288, -3.540796977070731e-05, 1e300, 0.0, -0.0, 3.0};
    const uint16_t millivolts[] = {3464, 0, 65535};
    const uint8_t raw[] = {0, 7, 42, 255};
    fls_builder *b = new_builder();
    fls_ref tag_refs[4];
    for (int i = 0; i < 4; i++) {
        tag_refs[i] = fls_builder_string(b, tags[i], strlen(tags[i]));
    }
    fls_ref tag_vector = fls_builder_ref_vector(b, tag_refs, 4);
    fls_ref channel_vector = fls_builder_vector(b, channels, 6, 8);
    fls_ref raw_vector = fls_builder_vector(b, raw, 4, 1);
    fls_ref cells = fls_builder_vector(b, millivolts, 3, 2);
    fls_ref why = fls_builder_string(b, "over temperature", 16);
    fls_table alert = fls_builder_table(b, 3);
    fls_builder_u32(b, alert, 0, 2606283405u);
    fls_builder_ref(b, alert, 1, why);
    fls_builder_i8(b, alert, 2, -128);
    fls_ref alert_ref = fls_builder_end(b, alert);
    uint8_t position[24];
    put_f64(position, -524.088000857076);
    put_f64(position + 8, 0.1);
    put_f64(position + 16, 30.0);
    fls_table pose = fls_builder_table(b, 3);
    fls_builder_struct(b, pose, 0, position, sizeof position, 8);
    fls_ref pose_ref = fls_builder_end(b, pose);
    fls_table battery = fls_builder_table(b, 3);
    fls_builder_ref(b, battery, 0, cells);
    fls_builder_f32(b, battery, 1, 93.6f);
    fls_ref battery_ref = fls_builder_end(b, battery);
    fls_table sample = fls_builder_table(b, 11);
    fls_builder_u64(b, sample, 0, UINT64_MAX);
    fls_builder_u64(b, sample, 1, 1790000000000018668u);
    fls_builder_u8(b, sample, 3, 2);
    fls_builder_ref(b, sample, 4, pose_ref);
    fls_builder_ref(b, sample, 5, battery_ref);
    fls_builder_ref(b, sample, 6, channel_vector);
    fls_builder_ref(b, sample, 7, tag_vector);
    fls_builder_union(b, sample, 9, 1, alert_ref);
    fls_builder_ref(b, sample, 10, raw_vector);
    uint8_t *message = finish(b, fls_builder_end(b, sample), size);
    fls_builder_free(b);
    return message;
}

static const char sample_text[] =
    "{\"device_id\":18446744073709551615,\"timestamp_ns\":1790000000000018668,\"mode\":\"Charge\","
    "\"pose\":{\"position\":{\"x\":-524.088000857076,\"y\":0.1,\"z\":30.0}},"
    "\"battery\":{\"cell_mv\":[3464,0,65535],\"current_a\":93.6},"
    "\"channels\":[-97826.65762842288,-0.00003540796977070731,1e300,0.0,-0.0,3.0],"
    "\"tags\":[\"a\\\"b\",\"\xc3\xbc"
    "bung\",\"\",\"tab\\there\\u0001\x7f/\\\\\"],"
    "\"extra_type\":\"Alert\",\"extra\":{\"code\":2606283405,\"text\":\"over temperature\","
    "\"severity\":-128},\"raw\":[0,7,42,255]}";

static void test_sample(void **state)
{
    (void)state;
    size_t size;
    uint8_t *message = make_sample(&size);
    assert_prints(telemetry, NULL, message, size, sample_text);
    if (comma_locale_enter()) {
        assert_prints(telemetry, NULL, message, size, sample_text);
        comma_locale_leave();
    }
    free(message);
}

/* ---- options ---- */

static uint8_t *make_empty(size_t *size)
{
    fls_builder *b = new_builder();
    uint8_t *message = finish(b, fls_builder_end(b, fls_builder_table(b, 0)), size);
    fls_builder_free(b);
    return message;
}

static void test_absent(void **state)
{
    (void)state;
    size_t size;
    uint8_t *message = make_empty(&size);
    fls_json_print_options options = FLS_JSON_PRINT_OPTIONS_INIT;
    assert_prints(telemetry, &options, message, size, "{}");
    options.with_defaults = 1;
    assert_prints(telemetry, &options, message, size,
                  "{\"device_id\":0,\"timestamp_ns\":0,\"sequence\":0,\"mode\":\"Idle\","
                  "\"pose\":null,\"battery\":null,\"channels\":null,\"tags\":null,"
                  "\"extra_type\":\"NONE\",\"extra\":null,\"raw\":null}");
    options.numbers_for_enums = 1;
    fls_json_printer *printer = new_printer(everything, "everything.Optionals", &options);
    static const char optionals[] =
        "{\"a_bool\":null,\"a_byte\":null,\"a_ubyte\":null,\"a_short\":null,\"a_ushort\":null,"
        "\"an_int\":null,\"a_uint\":null,\"a_long\":null,\"a_ulong\":null,\"a_float\":null,"
        "\"a_double\":null,\"a_tiny\":null,\"some_flags\":null}";
    assert_printed(printer, message, size, optionals, strlen(optionals));
    fls_json_printer_free(printer);
    options.numbers_for_enums = 0;
    printer = new_printer(everything, "everything.Enums", &options);
    /* The default of wide_flags, Bit63, is too large for a .bfbs. */
    static const char enums[] =
        "{\"tiny\":\"One\",\"word\":\"Second\",\"signed\":\"Minus\",\"plain\":\"B\","
        "\"long\":\"Nought\",\"huge\":\"Half\",\"flags\":\"Run\",\"flags_both\":\"Read Write\","
        "\"wide_flags\":0,\"level\":\"Sea\",\"other_level\":\"High\"}";
    assert_printed(printer, message, size, enums, strlen(enums));
    fls_json_printer_free(printer);
    free(message);
}

/* A table of one field of the given slot. */
static uint8_t *make_u8(uint32_t slot, uint8_t value, size_t *size)
{
    fls_builder *b = new_builder();
    fls_table table = fls_builder_table(b, slot + 1);
    fls_builder_u8(b, table, slot, value);
    uint8_t *message = finish(b, fls_builder_end(b, table), size);
    fls_builder_free(b);
    return message;
}

static void test_enums(void **state)
{
    (void)state;
    static const struct {
        uint8_t value;
        const char *names;
        const char *numbers;
    } flags[] = {{0, "{\"flags\":0}", "{\"flags\":0}"},
                 {1, "{\"flags\":\"Read\"}", "{\"flags\":1}"},
                 {0x85, "{\"flags\":\"Read Run Hidden\"}", "{\"flags\":133}"},
                 {0x87, "{\"flags\":\"Read Write Run Hidden\"}", "{\"flags\":135}"},
                 {8, "{\"flags\":8}", "{\"flags\":8}"},
                 {9, "{\"flags\":9}", "{\"flags\":9}"}};
    fls_json_print_options options = FLS_JSON_PRINT_OPTIONS_INIT;
    fls_json_printer *names = new_printer(everything, "everything.Enums", &options);
    options.numbers_for_enums = 1;
    fls_json_printer *numbers = new_printer(everything, "everything.Enums", &options);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        size_t size;
        uint8_t *message = make_u8(6, flags[i].value, &size);
        assert_printed(names, message, size, flags[i].names, strlen(flags[i].names));
        assert_printed(numbers, message, size, flags[i].numbers, strlen(flags[i].numbers));
        free(message);
    }
    fls_json_printer_free(names);
    fls_json_printer_free(numbers);
}

static void test_arguments(void **state)
{
    (void)state;
    fls_json_printer *printer = (fls_json_printer *)&printer;
    fls_error err = FLS_ERROR_INIT;
    uint32_t vec3 = fls_schema_find_object(telemetry, "telemetry.Vec3");
    assert_status(fls_json_printer_new(&printer, telemetry, vec3, NULL, &err), FLS_INVALID_ARGUMENT,
                  &err);
    assert_null(printer);
    assert_status(fls_json_printer_new(&printer, telemetry, FLS_SCHEMA_NONE, NULL, &err),
                  FLS_INVALID_ARGUMENT, &err);
    fls_json_print_options options = {0};
    assert_status(
        fls_json_printer_new(&printer, telemetry, fls_schema_root(telemetry), &options, &err),
        FLS_INVALID_ARGUMENT, &err);
    fls_json_printer_free(NULL);
}

/* ---- strings ---- */

/* A table with one string in slot 0, which lies at the very end of the message. */
static uint8_t *make_note(const void *string, size_t bytes, size_t *size)
{
    fls_builder *b = new_builder();
    fls_ref text = fls_builder_string(b, string, bytes);
    fls_table table = fls_builder_table(b, 1);
    fls_builder_ref(b, table, 0, text);
    uint8_t *message = finish(b, fls_builder_end(b, table), size);
    fls_builder_free(b);
    return message;
}

/* Bytes of the well-formed sequence at `from`, by the code that it would have; 0 when it is none.
 */
static size_t reference_sequence(const uint8_t *from, size_t left)
{
    size_t bytes = from[0] < 0x80 ? 1 : from[0] < 0xE0 ? 2 : from[0] < 0xF0 ? 3 : 4;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (from[0] < 0x80) {
        return 1;
    }
    if (from[0] < 0xC0 || from[0] >= 0xF8 || bytes > left) {
        return 0;
    }
    uint32_t code = from[0] & (0x7Fu >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if ((from[i] & 0xC0) != 0x80) {
            return 0;
        }
        code = code << 6 | (from[i] & 0x3Fu);
    }
    int is_sound = code >= least[bytes] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    return is_sound ? bytes : 0;
}

static void reference_string(byte_buffer *to, const uint8_t *from, size_t bytes)
{
    bytes_append(to, "\"", 1);
    for (size_t at = 0; at < bytes;) {
        static const char letters[] = "\"\\\b\f\n\r\t";
        static const char escapes[] = "\"\\bfnrt";
        char text[8];
        size_t sequence = reference_sequence(from + at, bytes - at);
        const char *letter = from[at] == 0 ? NULL : strchr(letters, from[at]);
        if (sequence == 0) {
            snprintf(text, sizeof text, "\\udc%02x", from[at]);
            sequence = 1;
            bytes_append(to, text, strlen(text));
        } else if (letter != NULL) {
            bytes_append(to, "\\", 1);
            bytes_append(to, &escapes[letter - letters], 1);
        } else if (from[at] < 0x20) {
            snprintf(text, sizeof text, "\\u%04x", from[at]);
            bytes_append(to, text, strlen(text));
        } else {
            bytes_append(to, from + at, sequence);
        }
        at += sequence;
    }
    bytes_append(to, "\"", 1);
}

static void check_string(fls_json_printer *printer, const uint8_t *string, size_t bytes)
{
    size_t size;
    byte_buffer wanted = BYTES_INIT;
    uint8_t *message = make_note(string, bytes, &size);
    bytes_append(&wanted, "{\"text\":", 8);
    reference_string(&wanted, string, bytes);
    bytes_append(&wanted, "}", 1);
    assert_printed(printer, message, size, (const char *)wanted.data, wanted.size);
    bytes_free(&wanted);
    free(message);
}

static void test_strings(void **state)
{
    (void)state;
    fls_json_printer *printer = new_printer(everything, "other.Note", NULL);
    uint8_t text[64];
    /* Every byte at every place of strings of every length that words have to do with. */
    for (size_t bytes = 0; bytes < 20; bytes++) {
        for (size_t at = 0; at < bytes; at++) {
            for (unsigned value = 0; value < 256; value += at == 0 ? 1 : 7) {
                memset(text, 'x', sizeof text);
                text[at] = (uint8_t)value;
                check_string(printer, text, bytes);
            }
        }
        memset(text, '~', sizeof text);
        check_string(printer, text, bytes);
    }
    /* Sequences at the edges of what is well-formed, whole, cut off, and one after another. */
    static const uint8_t leads[] = {0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
                                    0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
    static const uint8_t nexts[] = {0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xE2};
    const size_t nexts_count = sizeof nexts;
    for (size_t i = 0; i < sizeof leads; i++) {
        for (size_t k = 0; k < nexts_count * nexts_count * nexts_count; k++) {
            text[0] = leads[i];
            text[1] = nexts[k % nexts_count];
            text[2] = nexts[k / nexts_count % nexts_count];
            text[3] = nexts[k / nexts_count / nexts_count];
            memcpy(text + 4, text, 4);
            for (size_t bytes = 1; bytes <= 4; bytes++) {
                check_string(printer, text, bytes);
            }
            check_string(printer, text, 8);
        }
    }
    fls_json_printer_free(printer);
}

/* Longer than what room is asked for at once, with what takes most room. */
static void test_long_strings(void **state)
{
    (void)state;
    prng random = prng_seeded(3);
    static uint8_t text[20000];
    fls_json_printer *printer = new_printer(everything, "other.Note", NULL);
    for (int round = 0; round < 40; round++) {
        prng_fill(&random, text, sizeof text);
        size_t bytes = prng_below(&random, sizeof text);
        for (size_t i = 0; i < bytes && round % 4 != 0; i++) {
            text[i] = round % 4 == 1 ? (uint8_t)(text[i] % 96 + 32) : (uint8_t)(text[i] % 4);
        }
        check_string(printer, text, bytes);
    }
    memset(text, 1, sizeof text);
    check_string(printer, text, sizeof text);
    fls_json_printer_free(printer);
}

/* ---- limits ---- */

/* A chain of `depth` trees. */
static uint8_t *make_chain(uint32_t depth, size_t *size)
{
    fls_builder *b = new_builder();
    fls_ref inner = fls_builder_end(b, fls_builder_table(b, 0));
    for (uint32_t i = 1; i < depth; i++) {
        fls_table table = fls_builder_table(b, 2);
        fls_builder_ref(b, table, 1, inner);
        inner = fls_builder_end(b, table);
    }
    uint8_t *message = finish(b, inner, size);
    fls_builder_free(b);
    return message;
}

static void test_depth(void **state)
{
    (void)state;
    const char *text;
    size_t text_size;
    fls_error err = FLS_ERROR_INIT;
    fls_json_print_options options = FLS_JSON_PRINT_OPTIONS_INIT;
    fls_json_printer *verifying = new_printer(everything, "everything.Tree", &options);
    options.is_verified = 1;
    fls_json_printer *verified = new_printer(everything, "everything.Tree", &options);
    size_t size;
    uint8_t *message = make_chain(1000, &size);
    assert_status(fls_json_print(verifying, message, size, &text, &text_size, &err),
                  FLS_VALIDATION_FAILED, &err);
    assert_null(text);
    assert_status(fls_json_print(verified, message, size, &text, &text_size, &err), FLS_OK, &err);
    assert_int_equal(text_size, 999 * strlen("{\"left\":}") + 2);
    free(message);
    message = make_chain(1001, &size);
    assert_status(fls_json_print(verified, message, size, &text, &text_size, &err), FLS_UNSUPPORTED,
                  &err);
    assert_null(text);
    free(message);
    message = make_chain(64, &size); /* and then it works again */
    assert_status(fls_json_print(verified, message, size, &text, &text_size, &err), FLS_OK, &err);
    assert_status(fls_json_print(verifying, message, size, &text, &text_size, &err), FLS_OK, &err);
    free(message);
    fls_json_printer_free(verifying);
    fls_json_printer_free(verified);
}

/* ---- memory ---- */

static uint8_t *make_large(size_t *size)
{
    static double channels[5000];
    for (int i = 0; i < 5000; i++) {
        channels[i] = i * 0.37;
    }
    fls_builder *b = new_builder();
    fls_ref vector = fls_builder_vector(b, channels, 5000, 8);
    fls_table table = fls_builder_table(b, 7);
    fls_builder_ref(b, table, 6, vector);
    uint8_t *message = finish(b, fls_builder_end(b, table), size);
    fls_builder_free(b);
    return message;
}

static fls_status print_with(const fls_allocator *allocator, const uint8_t *message, size_t size)
{
    fls_json_print_options options = FLS_JSON_PRINT_OPTIONS_INIT;
    fls_json_printer *printer;
    fls_error err = FLS_ERROR_INIT;
    options.allocator = allocator;
    fls_status status =
        fls_json_printer_new(&printer, telemetry, fls_schema_root(telemetry), &options, &err);
    if (status != FLS_OK) {
        assert_int_equal(err.status, status);
        assert_null(printer);
        return status;
    }
    const char *text;
    size_t text_size;
    status = fls_json_print(printer, message, size, &text, &text_size, &err);
    if (status != FLS_OK) {
        assert_int_equal(err.status, status);
        assert_status(fls_json_print(printer, message, size, &text, &text_size, &err), FLS_OK,
                      &err); /* there is memory again */
    }
    assert_true(text_size > 5000);
    fls_json_printer_free(printer);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    size_t size;
    uint8_t *message = make_large(&size);
    for (uint64_t call = 0;; call++) {
        counting_allocator allocator;
        counting_allocator_init(&allocator);
        allocator.fail_from = call;
        allocator.fail_calls = 1;
        fls_status status = print_with(&allocator.table, message, size);
        assert_int_equal(allocator.live_blocks, 0);
        if (allocator.failures == 0) {
            assert_status(status, FLS_OK, NULL);
            assert_true(call > 5);
            break;
        }
        assert_status(status, FLS_NO_MEMORY, NULL);
    }
    free(message);
}

static void test_warm(void **state)
{
    (void)state;
    counting_allocator allocator;
    counting_allocator_init(&allocator);
    fls_json_print_options options = FLS_JSON_PRINT_OPTIONS_INIT;
    options.allocator = &allocator.table;
    fls_json_printer *printer = new_printer(telemetry, NULL, &options);
    const char *text;
    size_t text_size;
    size_t sizes[2];
    uint8_t *messages[2] = {make_large(&sizes[0]), make_sample(&sizes[1])};
    uint64_t calls = 0;
    for (int round = 0; round < 10; round++) {
        assert_status(
            fls_json_print(printer, messages[round % 2], sizes[round % 2], &text, &text_size, NULL),
            FLS_OK, NULL);
        calls = round == 0 ? allocator.calls : calls;
    }
    assert_int_equal(allocator.calls, calls);
    fls_json_printer_free(printer);
    assert_int_equal(allocator.live_blocks, 0);
    free(messages[0]);
    free(messages[1]);
}

/* ---- broken messages ---- */

/* Refused with a text, or printed; a sanitizer sees the rest. */
static int prints(fls_json_printer *printer, const uint8_t *message, size_t size)
{
    const char *text;
    size_t text_size;
    fls_error err = FLS_ERROR_INIT;
    fls_status status = fls_json_print(printer, message, size, &text, &text_size, &err);
    if (status != FLS_OK) {
        assert_status(status, FLS_VALIDATION_FAILED, &err);
        assert_true(err.text[0] != '\0');
        assert_null(text);
        return 0;
    }
    assert_true(text[0] == '{' && text[text_size - 1] == '}');
    return 1;
}

static void test_broken(void **state)
{
    (void)state;
    size_t size;
    uint8_t *message = make_sample(&size);
    fls_json_printer *printer = new_printer(telemetry, NULL, NULL);
    size_t printed = 0;
    for (size_t bytes = 0; bytes < size; bytes++) {
        uint8_t *copy = bytes_exact_copy(message, bytes);
        printed += (size_t)prints(printer, copy, bytes);
        free(copy);
    }
    assert_true(printed < 4); /* without the padding at the end */
    printed = 0;
    for (size_t at = 0; at < size; at++) {
        static const uint8_t values[] = {0, 1, 4, 0x7F, 0x80, 0xFF};
        for (size_t i = 0; i < sizeof values; i++) {
            uint8_t *copy = bytes_exact_copy(message, size);
            copy[at] = values[i];
            printed += (size_t)prints(printer, copy, size);
            free(copy);
        }
    }
    assert_true(printed > size && printed < 6 * size);
    fls_json_printer_free(printer);
    free(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample),  cmocka_unit_test(test_absent),
        cmocka_unit_test(test_enums),   cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_strings), cmocka_unit_test(test_long_strings),
        cmocka_unit_test(test_depth),   cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_warm),    cmocka_unit_test(test_broken),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
