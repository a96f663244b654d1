/* Types of the messages that a reader hands out: those of the segment that each lies in, wherever
 * the reader came from. */
#include "flatstream/journal_reader.h"

#include <stdio.h>
#include <unistd.h>

#include "journal/journal_names.h"
#include "support/files.h"
#include "support/testing.h"

#define PER_SEGMENT 10u
#define SEGMENTS    5u
#define MESSAGES    (PER_SEGMENT * SEGMENTS)

static char path[256];
static byte_buffer schemas[2];
static uint64_t hashes[2];
static fls_error err;

/* What a segment's messages are written with: the same identifier, another schema. */
static unsigned schema_of(uint64_t ordinal)
{
    return ordinal / PER_SEGMENT % 2;
}

static void load_schemas(void)
{
    static const char *const names[2] = {FLS_TEST_SCHEMA_DIR "/telemetry.bfbs",
                                         FLS_TEST_SCHEMA_DIR "/everything.bfbs"};
    for (int i = 0; i < 2; i++) {
        fls_schema *schema;
        schemas[i] = (byte_buffer)BYTES_INIT;
        assert_int_equal(files_read(names[i], &schemas[i]), 0);
        assert_status(fls_schema_new(&schema, schemas[i].data, schemas[i].size, NULL, &err), FLS_OK,
                      &err);
        hashes[i] = fls_schema_hash(schema);
        fls_schema_free(schema);
    }
}

static int make(void **state)
{
    static const uint8_t payload[16] = {8, 0, 0, 0, 'S', 'A', 'M', 'E'};
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal *journal;
    (void)state;
    files_make_directory(path, sizeof path);
    load_schemas();
    options.polled = 1;
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_OK, &err);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        const byte_buffer *schema = &schemas[schema_of(i)];
        const fls_journal_type types[2] = {{schema->data, schema->size, NULL, "SAME"},
                                           {schemas[0].data, schemas[0].size, NULL, "ELSE"}};
        assert_status(fls_journal_set_types(journal, types, 2, &err), FLS_OK, &err);
        assert_status(fls_journal_append(journal, payload, sizeof payload, NULL, &err), FLS_OK,
                      &err);
    }
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    bytes_free(&schemas[0]);
    bytes_free(&schemas[1]);
    files_remove_directory(path);
    return 0;
}

static void count_types(void *self, const fls_journal_event *event)
{
    *(int *)self += event->kind == FLS_JOURNAL_EVENT_TYPES;
}

static fls_journal_reader *open_reader(int *changes)
{
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    fls_journal_reader *reader;
    *changes = 0;
    options.event = count_types;
    options.event_self = changes;
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    return reader;
}

static void assert_type(const fls_journal_reader *reader, const fls_message *message)
{
    fls_journal_message_type type = FLS_JOURNAL_MESSAGE_TYPE_INIT;
    uint64_t hash = hashes[schema_of(message->ordinal)];
    assert_status(fls_journal_reader_type_of(reader, message, &type, &err), FLS_OK, &err);
    assert_int_equal(type.schema_hash, hash);
    assert_memory_equal(type.identifier, "SAME", 4);
    assert_non_null(type.root);
    assert_non_null(type.schema);
    assert_int_equal(fls_schema_hash(type.schema), hash);
    const fls_schema_set *set = fls_journal_reader_types(reader);
    assert_int_equal(set->count, 2);
    assert_ptr_equal(set->types[0].schema, type.schema);
}

static void assert_next(fls_journal_reader *reader, uint64_t ordinal)
{
    fls_message message;
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
    assert_int_equal(message.ordinal, ordinal);
    assert_type(reader, &message);
}

static void test_forwards_and_back(void **state)
{
    int changes;
    fls_message message;
    fls_journal_reader *reader = open_reader(&changes);
    (void)state;
    for (uint64_t i = 0; i < MESSAGES; i++) {
        assert_next(reader, i);
        assert_int_equal(changes, i / PER_SEGMENT);
    }
    changes = 0;
    for (uint64_t i = MESSAGES; i-- > 0;) {
        assert_status(fls_journal_reader_previous(reader, &message, &err), FLS_OK, &err);
        assert_int_equal(message.ordinal, i);
        assert_type(reader, &message);
        assert_int_equal(changes, (MESSAGES - 1) / PER_SEGMENT - i / PER_SEGMENT);
    }
    fls_journal_reader_close(reader);
}

/* A seek may look into other segments on its way. */
static void test_seeks(void **state)
{
    int changes;
    uint64_t first;
    uint64_t end;
    fls_message message;
    fls_journal_reader *reader = open_reader(&changes);
    (void)state;
    for (uint64_t i = 0; i < 2 * MESSAGES; i++) {
        uint64_t ordinal = i * 17 % MESSAGES;
        assert_status(fls_journal_reader_seek_ordinal(reader, ordinal, &err), FLS_OK, &err);
        assert_next(reader, ordinal);
        assert_status(fls_journal_reader_seek_end(reader, i % MESSAGES + 1, &err), FLS_OK, &err);
        assert_next(reader, MESSAGES - 1 - i % MESSAGES);
        assert_status(fls_journal_reader_seek_ordinal(reader, ordinal, &err), FLS_OK, &err);
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
        assert_status(fls_journal_reader_bounds(reader, &first, &end, &err), FLS_OK, &err);
        assert_status(fls_journal_reader_seek_time(reader, message.time_ns, &err), FLS_OK, &err);
        assert_next(reader, fls_journal_reader_ordinal(reader));
        assert_int_equal(changes, 0);
    }
    fls_journal_reader_close(reader);
}

/* The hash is known also where the schema's file is not; what no type claims has none. */
static void test_lost_schema(void **state)
{
    int changes;
    fls_message message;
    char name[FLSI_NAME_BYTES];
    char file[96];
    fls_journal_message_type type = FLS_JOURNAL_MESSAGE_TYPE_INIT;
    (void)state;
    flsi_name_schema(name, hashes[1]);
    (void)snprintf(file, sizeof file, "schemas/%s", name);
    assert_int_equal(unlink(files_join(path, file)), 0);
    fls_journal_reader *reader = open_reader(&changes);
    assert_status(fls_journal_reader_seek_ordinal(reader, PER_SEGMENT, &err), FLS_OK, &err);
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
    assert_int_equal(fls_journal_reader_types(reader)->count, 1);
    assert_status(fls_journal_reader_type_of(reader, &message, &type, &err), FLS_OK, &err);
    assert_int_equal(type.schema_hash, hashes[1]);
    assert_null(type.schema);
    message.payload = (const uint8_t *)"\10\0\0\0NONE....";
    message.size = 12;
    assert_status(fls_journal_reader_type_of(reader, &message, &type, &err), FLS_END, &err);
    type.struct_bytes = 0;
    assert_status(fls_journal_reader_type_of(reader, &message, &type, &err), FLS_INVALID_ARGUMENT,
                  &err);
    fls_journal_reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_forwards_and_back, make, unmake),
        cmocka_unit_test_setup_teardown(test_seeks, make, unmake),
        cmocka_unit_test_setup_teardown(test_lost_schema, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
