/* Paths and conditions over one telemetry message that is known: every kind of step, operator and
 * constant, what is absent, and what compiling says is wrong. */
#include <inttypes.h>

#include "flatstream/builder.h"
#include "flatstream/query.h"
#include "support/counting_allocator.h"
#include "support/files.h"
#include "support/testing.h"

static fls_schema *schema;
static uint32_t root;
static byte_buffer full = BYTES_INIT;  /* a message with everything but an Alert */
static byte_buffer bare = BYTES_INIT;  /* a table without a field */
static byte_buffer alert = BYTES_INIT; /* an Alert, an empty vector, NaN */

static void keep(byte_buffer *to, fls_builder *b, fls_ref table)
{
    const void *data;
    size_t size;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_builder_finish(b, table, NULL, &data, &size, &err), FLS_OK, &err);
    bytes_clear(to);
    bytes_append(to, data, size);
    fls_builder_free(b);
}

static void put_f64(byte_buffer *to, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bytes_append_le(to, bits, 8);
}

static void build_full(void)
{
    static const double channels[] = {-1.5, 0.0, 9007199254740992.0, 42.25};
    static const uint16_t cells[] = {3500, 3600, 3700};
    byte_buffer position = BYTES_INIT;
    fls_builder *b;
    fls_ref tags[3];
    assert_int_equal(fls_builder_new(&b, NULL, NULL), FLS_OK);
    tags[0] = fls_builder_string(b, "front", 5);
    tags[1] = fls_builder_string(b, "", 0);
    tags[2] = fls_builder_string(b, "a\"b\xC3\xBC", 5);
    fls_ref tag_vector = fls_builder_ref_vector(b, tags, 3);
    fls_ref channel_vector = fls_builder_vector(b, channels, 4, 8);
    fls_ref cell_vector = fls_builder_vector(b, cells, 3, 2);
    fls_ref raw = fls_builder_vector(b, "\x01\x02\xFF", 3, 1);
    fls_ref peer = fls_builder_string(b, "10.0.0.7", 8);
    fls_table t = fls_builder_table(b, 2);
    fls_builder_i16(b, t, 0, -71);
    fls_builder_ref(b, t, 1, peer);
    fls_ref radio = fls_builder_end(b, t);
    t = fls_builder_table(b, 3);
    fls_builder_ref(b, t, 0, cell_vector);
    fls_builder_f32(b, t, 1, 0.1f);
    fls_ref battery = fls_builder_end(b, t);
    put_f64(&position, 1.25);
    put_f64(&position, -0.0);
    put_f64(&position, 3e300);
    t = fls_builder_table(b, 3);
    fls_builder_struct(b, t, 0, position.data, 24, 8);
    fls_ref pose = fls_builder_end(b, t);
    t = fls_builder_table(b, 11);
    fls_builder_u64(b, t, 0, UINT64_MAX);
    fls_builder_u64(b, t, 1, UINT64_C(1790000000000018668));
    fls_builder_u32(b, t, 2, 7);
    fls_builder_u8(b, t, 3, 9);
    fls_builder_ref(b, t, 4, pose);
    fls_builder_ref(b, t, 5, battery);
    fls_builder_ref(b, t, 6, channel_vector);
    fls_builder_ref(b, t, 7, tag_vector);
    fls_builder_u8(b, t, 8, 2);
    fls_builder_ref(b, t, 9, radio);
    fls_builder_ref(b, t, 10, raw);
    keep(&full, b, fls_builder_end(b, t));
    bytes_free(&position);
}

static void build_others(void)
{
    fls_builder *b;
    uint64_t nan_bits = UINT64_C(0x7FF8000000000000);
    double channels[2] = {0, 1};
    memcpy(&channels[0], &nan_bits, sizeof nan_bits);
    assert_int_equal(fls_builder_new(&b, NULL, NULL), FLS_OK);
    keep(&bare, b, fls_builder_end(b, fls_builder_table(b, 0)));
    assert_int_equal(fls_builder_new(&b, NULL, NULL), FLS_OK);
    fls_ref channel_vector = fls_builder_vector(b, channels, 2, 8);
    fls_ref tags = fls_builder_ref_vector(b, NULL, 0);
    fls_ref text = fls_builder_string(b, "over temperature", 16);
    fls_table t = fls_builder_table(b, 3);
    fls_builder_u32(b, t, 0, 2606283405u);
    fls_builder_ref(b, t, 1, text);
    fls_builder_i8(b, t, 2, -6);
    fls_ref told = fls_builder_end(b, t);
    t = fls_builder_table(b, 11);
    fls_builder_u32(b, t, 2, 8);
    fls_builder_ref(b, t, 6, channel_vector);
    fls_builder_ref(b, t, 7, tags);
    fls_builder_u8(b, t, 8, 1);
    fls_builder_ref(b, t, 9, told);
    keep(&alert, b, fls_builder_end(b, t));
}

static int setup(void **unused)
{
    (void)unused;
    byte_buffer file = BYTES_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_int_equal(files_read(FLS_TEST_SCHEMA_DIR "/telemetry.bfbs", &file), 0);
    assert_status(fls_schema_new(&schema, file.data, file.size, NULL, &err), FLS_OK, &err);
    root = fls_schema_root(schema);
    bytes_free(&file);
    build_full();
    build_others();
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    bytes_free(&full);
    bytes_free(&bare);
    bytes_free(&alert);
    fls_schema_free(schema);
    return 0;
}

/* ---- paths ---- */

static const char *text_of(const char *path_text, const byte_buffer *message)
{
    static char kept[128];
    char buffer[FLS_VALUE_TEXT_BYTES];
    fls_error err = FLS_ERROR_INIT;
    fls_value value;
    fls_path *path;
    size_t size;
    assert_status(fls_path_new(&path, schema, root, path_text, NULL, &err), FLS_OK, &err);
    fls_path_get(path, message->data, message->size, &value);
    assert_true(value.kind == FLS_VALUE_ABSENT || value.kind == fls_path_kind(path));
    const char *text = fls_value_text(&value, schema, buffer, &size);
    snprintf(kept, sizeof kept, "%s%.*s%s", value.kind == FLS_VALUE_ABSENT ? "absent" : "",
             (int)size, text, value.is_default ? " by default" : "");
    fls_path_free(path);
    return kept;
}

static void paths(void **unused)
{
    (void)unused;
    static const struct {
        const char *path;
        const char *in_full;
        const char *in_bare;
        const char *in_alert;
    } cases[] = {
        {"device_id", "18446744073709551615", "0 by default", "0 by default"},
        {"timestamp_ns", "1790000000000018668", "0 by default", "0 by default"},
        {"mode", "Fault", "Idle by default", "Idle by default"},
        {"pose.position.x", "1.25", "absent", "absent"},
        {"pose.position.y", "-0.0", "absent", "absent"},
        {"pose.position.z", "3e300", "absent", "absent"},
        {"pose.attitude.w", "absent", "absent", "absent"},
        {"pose.covariance.length", "absent", "absent", "absent"},
        {"pose.position", "", "absent", "absent"},
        {"battery.current_a", "0.1", "absent", "absent"},
        {"battery.soc", "1.0 by default", "absent", "absent"},
        {"battery.cell_mv[0]", "3500", "absent", "absent"},
        {"battery.cell_mv[2]", "3700", "absent", "absent"},
        {"battery.cell_mv[3]", "absent", "absent", "absent"},
        {"battery.cell_mv[-1]", "3700", "absent", "absent"},
        {"battery.cell_mv[-3]", "3500", "absent", "absent"},
        {"battery.cell_mv[-4]", "absent", "absent", "absent"},
        {"battery.cell_mv.length", "3", "absent", "absent"},
        {"channels[-1]", "42.25", "absent", "1.0"},
        {"channels[*]", "-1.5", "absent", "nan"},
        {"channels.length", "4", "absent", "2"},
        {"tags[0]", "front", "absent", "absent"},
        {"tags[1].length", "0", "absent", "absent"},
        {"tags[2]", "a\"b\xC3\xBC", "absent", "absent"},
        {"tags.length", "3", "absent", "0"},
        {"extra_type", "Radio", "NONE by default", "Alert"},
        {"extra", "", "absent", ""},
        {"extra.Radio", "", "absent", "absent"},
        {"extra.Radio.peer", "10.0.0.7", "absent", "absent"},
        {"extra.Radio.peer.length", "8", "absent", "absent"},
        {"extra.Radio.rssi_dbm", "-71", "absent", "absent"},
        {"extra.Alert.code", "absent", "absent", "2606283405"},
        {"extra.Alert.severity", "absent", "absent", "-6"},
        {"raw[2]", "255", "absent", "absent"},
        {"raw.length", "3", "absent", "absent"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(text_of(cases[i].path, &full), cases[i].in_full);
        assert_string_equal(text_of(cases[i].path, &bare), cases[i].in_bare);
        assert_string_equal(text_of(cases[i].path, &alert), cases[i].in_alert);
    }
}

static int add_up(void *self, const fls_value *value)
{
    *(uint64_t *)self = *(uint64_t *)self * 10000 + value->as.u;
    return 0;
}

static int stop_at_second(void *self, const fls_value *value)
{
    (void)value;
    return ++*(int *)self == 2 ? 77 : 0;
}

static void many_values(void **unused)
{
    (void)unused;
    fls_path *path;
    uint64_t sum = 0;
    int calls = 0;
    assert_int_equal(fls_path_new(&path, schema, root, "battery.cell_mv[*]", NULL, NULL), FLS_OK);
    assert_true(fls_path_is_many(path));
    assert_int_equal(fls_path_each(path, full.data, full.size, add_up, &sum), 0);
    assert_true(sum == UINT64_C(350036003700));
    assert_int_equal(fls_path_each(path, full.data, full.size, stop_at_second, &calls), 77);
    assert_int_equal(fls_path_each(path, bare.data, bare.size, stop_at_second, &calls), 0);
    fls_path_free(path);
    assert_int_equal(fls_path_new(&path, schema, root, "sequence", NULL, NULL), FLS_OK);
    assert_false(fls_path_is_many(path));
    sum = 0;
    assert_int_equal(fls_path_each(path, full.data, full.size, add_up, &sum), 0);
    assert_true(sum == 7);
    fls_path_free(path);
    fls_path_free(NULL);
}

/* ---- conditions ---- */

static int holds(const char *text, const byte_buffer *message)
{
    fls_error err = FLS_ERROR_INIT;
    fls_predicate *predicate;
    if (fls_predicate_new(&predicate, schema, root, text, NULL, &err) != FLS_OK) {
        print_error("%s: %s, at %" PRIu64 "\n", text, err.text, err.offset);
        fail();
    }
    int answer = fls_predicate_holds(predicate, message->data, message->size);
    fls_predicate_free(predicate);
    return answer;
}

static void check(const char *const *conditions, const byte_buffer *message, int wanted)
{
    for (; *conditions != NULL; conditions++) {
        if (holds(*conditions, message) != wanted) {
            print_error("%s should %shold\n", *conditions, wanted ? "" : "not ");
            fail();
        }
    }
}

static const char *const true_of_full[] = {
    "sequence == 7",
    "sequence==7",
    " sequence\t== 7 ",
    "7 == sequence",
    "8 > sequence",
    "6 < sequence",
    "sequence != 8",
    "sequence < 8",
    "sequence <= 7",
    "sequence > 6",
    "sequence >= 7",
    "sequence > 6.5",
    "sequence >= 6.5",
    "sequence < 7.5",
    "sequence <= 7.5",
    "sequence != 7.5",
    "sequence > -1",
    "sequence > -1e300",
    "sequence < 1e300",
    "sequence < inf",
    "sequence > -inf",
    "sequence == 7.0",
    "sequence == 70e-1",
    "sequence == 0x7",
    "sequence == +7",
    "sequence in 1..7",
    "sequence in 7..7",
    "sequence in 6.5..7.5",
    "sequence in {1, 7}",
    "sequence in (1, 5..9)",
    "sequence in{7}",
    "sequence contains 3",
    "sequence contains 0",
    "!(sequence == 8)",
    "!sequence == 8",
    "device_id == 18446744073709551615",
    "device_id > 18446744073709551614",
    "device_id >= 18446744073709551614.5",
    "device_id < 18446744073709551616",
    "device_id < 18446744073709551615.5",
    "device_id <= 18446744073709551615.5",
    "device_id != 18446744073709551615.5",
    "device_id > -18446744073709551615.5",
    "device_id != 18446744073709551616",
    "device_id != -1",
    "device_id == 0xFFFFffffFFFFffff",
    "timestamp_ns == 1790000000000018668",
    "timestamp_ns > 1790000000000018667",
    "timestamp_ns < 1790000000000018669",
    "timestamp_ns in 1790000000000018668..1790000000000018668",
    "mode == Fault",
    "mode == \"Fault\"",
    "mode == 'Fault'",
    "mode == Mode.Fault",
    "mode == telemetry.Mode.Fault",
    "mode == 9",
    "Fault == mode",
    "mode > Charge",
    "mode in {Drive, Fault}",
    "mode in {Drive, \"Fault\"}",
    "mode in Charge..Fault",
    "mode != Idle",
    "extra_type == Radio",
    "extra_type != NONE",
    "pose.position.x == 1.25",
    "pose.position.y == 0",
    "pose.position.y <= -0.0",
    "pose.position.z == 3e300",
    "pose.position.z > 2.999999999999999e300",
    "pose.position.z < inf",
    "battery.current_a == 0.1",
    "battery.current_a <= 0.1",
    "battery.current_a >= 0.1",
    "battery.current_a in 0.1..0.1",
    "battery.current_a < 0.10000001",
    "battery.current_a < 1e300",
    "battery.current_a > -1e300",
    "battery.current_a != 1e300",
    "battery.soc == 1",
    "battery.soc > 0.99",
    "battery.cell_mv[1] == 3600",
    "battery.cell_mv[*] == 3600",
    "3600 == battery.cell_mv[*]",
    "battery.cell_mv[*] != 3600",
    "!(battery.cell_mv[*] > 3700)",
    "battery.cell_mv.length == 3",
    "channels[2] == 9007199254740992",
    "channels[*] < 0 && channels[*] > 42",
    "any(channels, @ < 0)",
    "all(channels, @ < 1e17)",
    "!all(channels, @ > 0)",
    "any(channels, @ > 0 && @ < 50)",
    "any(battery.cell_mv, @ == 3600 || false)",
    "any(battery.cell_mv, any(channels, @ == 42.25) && @ == 3700)",
    "any(channels, @ > battery.cell_mv[0])",
    "all(tags, @.length <= 5)",
    "any(tags, @ == '')",
    "tags[0] == \"front\"",
    "tags[0] != \"fron\"",
    "tags[0] > \"fron\"",
    "tags[0] < \"g\"",
    "tags[0] <= 'front'",
    "tags[0] >= 'front'",
    "tags[0] ~ \"ron\"",
    "tags[0] contains 'ront'",
    "tags[0] contains ''",
    "tags[0] starts_with 'fr'",
    "tags[0] ends_with 'ont'",
    "tags[0] starts_with 'front'",
    "tags[1] == ''",
    "tags[0] in {'a', 'front'}",
    "tags[0] in 'a'..'g'",
    "tags[2] == \"a\\\"b\\u00fc\"",
    "tags[2] == 'a\"b\\xC3\\xBC'",
    "tags[*] == 'front'",
    "tags[0].length == 5",
    "extra.Radio.peer == \"10.0.0.7\"",
    "extra.Radio.peer starts_with tags[1]",
    "extra.Radio.rssi_dbm < -70",
    "extra.Radio.rssi_dbm == -71",
    "extra.Radio.rssi_dbm in -100..-50",
    "has(extra)",
    "has(extra.Radio)",
    "has(pose)",
    "has(pose.position)",
    "has(tags[1])",
    "has(tags)",
    "has(battery.cell_mv[*])",
    "!has(extra.Alert)",
    "!has(battery.soc)",
    "has(mode)",
    "true",
    "!false",
    "false || true",
    "true || sequence == 9 && false",
    "(true || sequence == 9) && !false",
    "sequence == 7 && mode == Fault && tags[0] == 'front'",
    "sequence == 9 || mode == Drive || tags[0] == 'front'",
    "!!(sequence == 7)",
    "device_id > timestamp_ns",
    "device_id > channels[2]",
    "channels[0] < device_id",
    "extra.Radio.rssi_dbm < device_id",
    "extra.Radio.rssi_dbm < channels[0]",
    "channels[1] == pose.position.y",
    "battery.cell_mv[*] in {3700}",
    "raw[*] == 255",
    "sequence == mode || mode == raw[0] || raw[*] > mode",
    NULL};

static const char *const false_of_full[] = {
    "sequence == 7.5",
    "sequence == 8",
    "sequence < 7",
    "sequence > 7",
    "sequence > 7.5",
    "sequence >= 7.5",
    "sequence < 6.5",
    "sequence < -1e300",
    "sequence > 1e300",
    "sequence < -1",
    "sequence == -7",
    "sequence == 4294967303",
    "sequence in 8..100",
    "sequence in 7.2..7.8",
    "sequence in {1, 2, 8..9}",
    "sequence contains 8",
    "device_id == 18446744073709551616",
    "device_id == 18446744073709551615.5",
    "device_id >= 18446744073709551615.5",
    "device_id == 18446744073709551614",
    "device_id > 18446744073709551615",
    "device_id < 18446744073709551615",
    "device_id == -1",
    "timestamp_ns == 1790000000000018669",
    "timestamp_ns > 1790000000000018668",
    "timestamp_ns == 1790000000000018668.5",
    "mode == Idle",
    "mode in {Idle, Drive}",
    "pose.position.y > 0",
    "pose.position.y < 0",
    "pose.position.z > 3e300",
    "battery.current_a > 0.1",
    "battery.current_a < 0.1",
    "battery.current_a == 0.10000001",
    "battery.current_a == 1e300",
    "channels[*] > 9007199254740992",
    "battery.cell_mv[3] == 0",
    "battery.cell_mv[*] > 3700",
    "all(channels, @ > 0)",
    "any(channels, @ > 50 && @ < 100)",
    "any(battery.cell_mv, any(channels, @ == 42.25) && @ == 3701)",
    "tags[0] == 'fron'",
    "tags[0] == 'front '",
    "tags[0] contains 'rot'",
    "tags[1] contains 'a'",
    "tags[0] starts_with 'ront'",
    "tags[0] ends_with 'fron'",
    "tags[0] in {'a', 'fronta'}",
    "tags[1] starts_with 'a'",
    "extra.Alert.code == 0",
    "extra.Alert.code != 0",
    "extra.Alert.code < 10",
    "extra.Alert.code in 0..10",
    "extra.Alert.text != 'a'",
    "pose.attitude.w == 0",
    "pose.attitude.w != 0",
    "has(extra.Alert)",
    "has(pose.attitude)",
    "has(battery.soc)",
    "has(channels[4])",
    "any(pose.covariance, true)",
    "all(pose.covariance, true)",
    "false",
    "!true",
    "true && false || false",
    "sequence == 7 && sequence == 8",
    "device_id < timestamp_ns",
    "device_id == channels[0]",
    "pose.attitude.w == sequence",
    "sequence != pose.attitude.w",
    NULL};

static const char *const true_of_bare[] = {"sequence == 0",
                                           "mode == Idle",
                                           "!(pose.position.x == 0)",
                                           "!(pose.position.x != 0)",
                                           "!has(sequence)",
                                           "!has(tags)",
                                           "extra_type == NONE",
                                           "device_id == sequence",
                                           "!has(extra)",
                                           NULL};
static const char *const false_of_bare[] = {
    "tags.length == 0", "pose.position.x == 0", "pose.position.x != 0", "battery.soc == 1",
    "channels[*] == 0", "all(tags, false)",     "any(tags, true)",      NULL};

/* NaN is first in channels, then 1. */
static const char *const true_of_alert[] = {"channels[0] != 5",
                                            "channels[0] != channels[0]",
                                            "!(channels[0] == channels[0])",
                                            "tags.length == 0",
                                            "all(tags, false)",
                                            "extra.Alert.severity == -6",
                                            "extra.Alert.code == 2606283405",
                                            "extra.Alert.text ends_with 'temperature'",
                                            "channels[1] == 1",
                                            "sequence != channels[0]",
                                            "has(channels[0])",
                                            NULL};
static const char *const false_of_alert[] = {
    "channels[0] == 5",           "channels[0] < 5",          "channels[0] >= 5",
    "channels[0] <= inf",         "channels[0] in -inf..inf", "any(tags, true)",
    "channels[0] < sequence",     "sequence < channels[0]",   "sequence == channels[0]",
    "channels[0] == channels[0]", "extra.Radio.rssi_dbm < 0", NULL};

static void conditions(void **unused)
{
    (void)unused;
    check(true_of_full, &full, 1);
    check(false_of_full, &full, 0);
    check(true_of_bare, &bare, 1);
    check(false_of_bare, &bare, 0);
    check(true_of_alert, &alert, 1);
    check(false_of_alert, &alert, 0);
}

/* ---- what is wrong ---- */

static const struct {
    const char *text;
    fls_status status;
    uint64_t offset;
    const char *says;
} refused[] = {
    {"", FLS_INVALID_ARGUMENT, 0, "belongs here"},
    {"sequnce == 7", FLS_UNSUPPORTED, 0, "did you mean 'sequence'?"},
    {"sequnce in 1..2", FLS_UNSUPPORTED, 0, "did you mean 'sequence'?"},
    {"sequence == sequenc", FLS_UNSUPPORTED, 12, "did you mean 'sequence'?"},
    {"pose.positon.x == 7", FLS_UNSUPPORTED, 5, "did you mean 'position'?"},
    {"mode == Fualt", FLS_UNSUPPORTED, 8, "did you mean 'Fault'?"},
    {"mode == 'Xyz'", FLS_UNSUPPORTED, 8, "there is no 'Xyz' in telemetry.Mode"},
    {"extra.Radoi.peer == ''", FLS_UNSUPPORTED, 6, "did you mean 'Radio'?"},
    {"extra.peer == ''", FLS_UNSUPPORTED, 6, "name one, such as Radio"},
    {"extra.NONE == ''", FLS_UNSUPPORTED, 6, "did you mean 'NONE'?"},
    {"sequence", FLS_INVALID_ARGUMENT, 8, "a comparison belongs here"},
    {"sequence = 7", FLS_INVALID_ARGUMENT, 9, "equal is =="},
    {"sequence == ", FLS_INVALID_ARGUMENT, 12, "belongs here"},
    {"sequence == 7 & true", FLS_INVALID_ARGUMENT, 14, "and is &&"},
    {"sequence == 7 | true", FLS_INVALID_ARGUMENT, 14, "or is ||"},
    {"sequence == 7 7", FLS_INVALID_ARGUMENT, 14, "&& or ||"},
    {"sequence == 7 &&", FLS_INVALID_ARGUMENT, 16, "belongs here"},
    {"1 < sequence < 5", FLS_INVALID_ARGUMENT, 13, "do not chain"},
    {"1 == 1", FLS_INVALID_ARGUMENT, 0, "field has to stand"},
    {"5", FLS_INVALID_ARGUMENT, 1, "a comparison belongs here"},
    {"(sequence == 7", FLS_INVALID_ARGUMENT, 14, "a ) belongs here"},
    {"sequence == 7)", FLS_INVALID_ARGUMENT, 13, "&& or ||"},
    {"sequence == 'a'", FLS_INVALID_ARGUMENT, 12, "cannot be compared"},
    {"sequence == true", FLS_INVALID_ARGUMENT, 12, "this is a number"},
    {"sequence ~ 'a'", FLS_INVALID_ARGUMENT, 11, "cannot be compared"},
    {"sequence starts_with 'a'", FLS_INVALID_ARGUMENT, 0, "only text"},
    {"channels[0] contains 1", FLS_INVALID_ARGUMENT, 0, "only text"},
    {"tags[0] == 5", FLS_INVALID_ARGUMENT, 11, "in quotes"},
    {"tags[0] == front", FLS_UNSUPPORTED, 11, "text stands in quotes"},
    {"tags[0] == \"front", FLS_INVALID_ARGUMENT, 11, "no closing quote"},
    {"tags[0] == '\\q'", FLS_INVALID_ARGUMENT, 12, "no escape"},
    {"tags[0] == '\\u12'", FLS_INVALID_ARGUMENT, 12, "no escape"},
    {"tags[0] == '\\ud800'", FLS_INVALID_ARGUMENT, 12, "no escape"},
    {"tags[0] == sequence", FLS_INVALID_ARGUMENT, 11, "cannot be compared"},
    {"tags == 'a'", FLS_INVALID_ARGUMENT, 0, "this is a vector"},
    {"pose == 1", FLS_INVALID_ARGUMENT, 0, "table or struct"},
    {"extra == 1", FLS_INVALID_ARGUMENT, 0, "this is a union"},
    {"pose.position == 1", FLS_INVALID_ARGUMENT, 0, "table or struct"},
    {"channels.x == 1", FLS_INVALID_ARGUMENT, 9, "[0] or [*]"},
    {"sequence.x == 1", FLS_INVALID_ARGUMENT, 9, "a number has no fields"},
    {"tags[0].x == 1", FLS_INVALID_ARGUMENT, 8, "a string has no fields"},
    {"pose.length == 1", FLS_UNSUPPORTED, 5, "no field 'length'"},
    {"sequence[0] == 1", FLS_INVALID_ARGUMENT, 8, "only vectors"},
    {"channels[x] == 1", FLS_INVALID_ARGUMENT, 9, "an index is"},
    {"channels[ 0] == 1", FLS_INVALID_ARGUMENT, 9, "an index is"},
    {"channels[-0] == 1", FLS_INVALID_ARGUMENT, 9, "an index is"},
    {"channels[0 == 1", FLS_INVALID_ARGUMENT, 10, "an index is"},
    {"channels[99999999999] == 1", FLS_INVALID_ARGUMENT, 9, "too large"},
    {"channels[0]. == 1", FLS_INVALID_ARGUMENT, 12, "a field's name"},
    {"sequence in 5", FLS_INVALID_ARGUMENT, 13, "in takes a range"},
    {"sequence in {5", FLS_INVALID_ARGUMENT, 14, ", or }"},
    {"sequence in {5;", FLS_INVALID_ARGUMENT, 14, ", or }"},
    {"sequence == 5ms", FLS_INVALID_ARGUMENT, 13, "no units"},
    {"sequence == 05", FLS_INVALID_ARGUMENT, 13, "not a number"},
    {"sequence == 0x", FLS_INVALID_ARGUMENT, 14, "digits belong here"},
    {"sequence == 0x1FFFFffffFFFFffff", FLS_INVALID_ARGUMENT, 12, "more than 64 bits"},
    {"sequence == 12345678901234567890.5e0", FLS_INVALID_ARGUMENT, 12, "too many digits"},
    {"channels[0] == 1e999", FLS_INVALID_ARGUMENT, 15, "too large"},
    {"channels[0] == Fault", FLS_UNSUPPORTED, 15, "no field 'Fault'"},
    {"@ == 1", FLS_INVALID_ARGUMENT, 0, "@ is the element"},
    {"any(sequence, true)", FLS_INVALID_ARGUMENT, 4, "no vector"},
    {"any(channels)", FLS_INVALID_ARGUMENT, 12, "a , and a condition"},
    {"any(channels, @ > 1", FLS_INVALID_ARGUMENT, 19, "a ) belongs here"},
    {"any(channels, @ > 1) && @ > 1", FLS_INVALID_ARGUMENT, 24, "@ is the element"},
    {"has(sequence", FLS_INVALID_ARGUMENT, 12, "a ) belongs here"},
    {"has(5)", FLS_INVALID_ARGUMENT, 4, "a field's name"},
    {"true == true", FLS_INVALID_ARGUMENT, 0, "field has to stand"},
    {"#", FLS_INVALID_ARGUMENT, 0, "not '#'"},
};

static void errors(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        fls_error err = FLS_ERROR_INIT;
        fls_predicate *predicate;
        fls_status status =
            fls_predicate_new(&predicate, schema, root, refused[i].text, NULL, &err);
        if (status != refused[i].status || err.offset != refused[i].offset ||
            strstr(err.text, refused[i].says) == NULL) {
            print_error("%s: %s at %" PRIu64 ": %s\n", refused[i].text, fls_status_name(status),
                        err.offset, err.text);
            fail();
        }
        assert_null(predicate);
        assert_int_equal(err.known, FLS_ERROR_OFFSET);
        assert_int_equal(fls_predicate_new(&predicate, schema, root, refused[i].text, NULL, NULL),
                         status);
    }
}

static void path_errors(void **unused)
{
    (void)unused;
    static const char *const cases[] = {
        "",       ".", "a b",     "sequence x", "sequence == 1",  "tags[",
        "tags[*", "@", "pose..x", "extra.5",    "pose.position.", NULL};
    for (size_t i = 0; cases[i] != NULL; i++) {
        fls_error err = FLS_ERROR_INIT;
        fls_path *path;
        assert_int_not_equal(fls_path_new(&path, schema, root, cases[i], NULL, &err), FLS_OK);
        assert_null(path);
        assert_true(err.text[0] != '\0');
    }
}

/* Depth is bounded, so that no text can overflow the stack; so is length. */
static void bounds(void **unused)
{
    (void)unused;
    enum { LONG = FLS_QUERY_MOST_BYTES + 1 };
    static const char *const openers[] = {"(", "!", "any(tags,", "tags[*]",
                                          "all(channels, any(tags,"};
    fls_error err = FLS_ERROR_INIT;
    fls_predicate *predicate;
    char *text = malloc(LONG + 1);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof openers / sizeof openers[0]; i++) {
        size_t size = 0;
        while (size + strlen(openers[i]) < LONG) {
            memcpy(text + size, openers[i], strlen(openers[i]));
            size += strlen(openers[i]);
        }
        text[size] = '\0';
        assert_status(fls_predicate_new(&predicate, schema, root, text, NULL, &err),
                      FLS_INVALID_ARGUMENT, &err);
    }
    memset(text, ' ', LONG);
    memcpy(text, "true", 4);
    text[LONG] = '\0';
    assert_status(fls_predicate_new(&predicate, schema, root, text, NULL, &err),
                  FLS_INVALID_ARGUMENT, &err);
    text[LONG - 1] = '\0';
    assert_status(fls_predicate_new(&predicate, schema, root, text, NULL, &err), FLS_OK, &err);
    fls_predicate_free(predicate);
    /* As many conditions as fit. */
    for (size_t i = 0; i + 10 <= LONG - 1; i += 10) {
        memcpy(text + i, i == 0 ? "raw[0]==1 " : "||mode==10", 10);
        text[i + 10] = '\0';
    }
    assert_status(fls_predicate_new(&predicate, schema, root, text, NULL, &err), FLS_OK, &err);
    assert_true(fls_predicate_holds(predicate, full.data, full.size));
    fls_predicate_free(predicate);
    free(text);
}

static void no_memory(void **unused)
{
    (void)unused;
    counting_allocator counting;
    fls_error err = FLS_ERROR_INIT;
    fls_predicate *predicate;
    fls_path *path;
    counting_allocator_init(&counting);
    counting.fail_from = 0;
    counting.fail_calls = 1;
    assert_int_equal(
        fls_predicate_new(&predicate, schema, root, "sequence == 1", &counting.table, &err),
        FLS_NO_MEMORY);
    assert_null(predicate);
    counting.fail_from = counting.calls;
    assert_int_equal(fls_path_new(&path, schema, root, "sequence", &counting.table, &err),
                     FLS_NO_MEMORY);
    assert_null(path);
    assert_int_equal(
        fls_predicate_new(&predicate, schema, root, "sequence == 7", &counting.table, &err),
        FLS_OK);
    assert_int_equal(fls_path_new(&path, schema, root, "sequence", &counting.table, &err), FLS_OK);
    uint64_t calls = counting.calls;
    assert_true(fls_predicate_holds(predicate, full.data, full.size));
    assert_int_equal(counting.calls, calls);
    fls_predicate_free(predicate);
    fls_path_free(path);
    assert_int_equal(
        fls_predicate_new(&predicate, schema, root, "sequence == x", &counting.table, &err),
        FLS_UNSUPPORTED);
    assert_int_equal(counting.live_blocks, 0);
    fls_predicate_free(NULL);
    assert_int_equal(fls_predicate_new(&predicate, schema, root, NULL, NULL, &err),
                     FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_predicate_new(&predicate, schema, FLS_SCHEMA_NONE, "true", NULL, &err),
                     FLS_INVALID_ARGUMENT);
}

/* ---- any bytes ---- */

static void try_all(fls_predicate *const *predicates, size_t count, const uint8_t *bytes,
                    size_t size)
{
    for (size_t i = 0; i < count; i++) {
        int answer = fls_predicate_holds(predicates[i], bytes, size);
        assert_true(answer == 0 || answer == 1);
    }
}

/* Every truncation and every byte changed to others: nothing is read beyond the message, which a
 * sanitizer sees. */
static void damaged(void **unused)
{
    (void)unused;
    static const uint8_t others[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
    fls_predicate *predicates[sizeof true_of_full / sizeof true_of_full[0]];
    size_t count = 0;
    for (; true_of_full[count] != NULL; count++) {
        assert_int_equal(
            fls_predicate_new(&predicates[count], schema, root, true_of_full[count], NULL, NULL),
            FLS_OK);
    }
    for (size_t size = 0; size <= full.size; size++) {
        uint8_t *exact = bytes_exact_copy(full.data, size);
        try_all(predicates, count, exact, size);
        free(exact);
    }
    uint8_t *exact = bytes_exact_copy(full.data, full.size);
    for (size_t at = 0; at < full.size; at++) {
        for (size_t i = 0; i < sizeof others; i++) {
            exact[at] = others[i];
            try_all(predicates, count, exact, full.size);
        }
        exact[at] = full.data[at];
    }
    free(exact);
    while (count > 0) {
        fls_predicate_free(predicates[--count]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),     cmocka_unit_test(many_values), cmocka_unit_test(conditions),
        cmocka_unit_test(errors),    cmocka_unit_test(path_errors), cmocka_unit_test(bounds),
        cmocka_unit_test(no_memory), cmocka_unit_test(damaged),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
