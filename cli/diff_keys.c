/* Keys of messages, and their order. */
#include "diff_keys.h"

#include <stdlib.h>
#include <string.h>

#include "complain.h"

static int check_kinds(const cli_diff_keys *keys, const char *path)
{
    fls_value_kind kind = fls_path_kind(keys->column.any);
    for (uint32_t i = 0; i < keys->schemas->set.count; i++) {
        const fls_path *one = keys->column.paths[i];
        if (one != NULL && fls_path_is_many(one)) {
            return cli_usage(keys->job, "--by: '%s' is many values: name one of them, such as [0]",
                             path);
        }
        if (one != NULL && fls_path_kind(one) != kind) {
            return cli_usage(keys->job,
                             "--by: '%s' is of one kind in one type and of another in "
                             "another",
                             path);
        }
    }
    return CLI_DONE;
}

int cli_diff_keys_open(cli_diff_keys *keys, cli_job *job, const cli_schemas *schemas,
                       const char *path)
{
    memset(keys, 0, sizeof *keys);
    keys->job = job;
    keys->schemas = schemas;
    int code = cli_column_open(&keys->column, job, schemas, "--by", path);
    return code == CLI_DONE ? check_kinds(keys, path) : code;
}

void cli_diff_keys_close(cli_diff_keys *keys)
{
    if (keys->schemas != NULL) {
        cli_column_close(&keys->column);
    }
    free(keys->last[0].text);
    free(keys->last[1].text);
    free(keys->next.text);
    memset(keys, 0, sizeof *keys);
}

/* ---- a key ---- */

static int keep_text(cli_diff_key *key)
{
    size_t size = key->value.as.string.size;
    if (size > key->room) {
        char *grown = realloc(key->text, 2 * size);
        if (grown == NULL) {
            return -1;
        }
        key->text = grown;
        key->room = 2 * size;
    }
    if (size > 0) {
        memcpy(key->text, key->value.as.string.text, size);
    }
    key->value.as.string.text = key->text;
    return 0;
}

/* For lines and reports: what does not fit is left out, and so is what a terminal would take as a
 * command. */
static void show(cli_diff_key *key, const fls_schema *schema)
{
    char number[FLS_VALUE_TEXT_BYTES];
    size_t size = 4;
    const char *text = key->key.group == FLS_SORT_ABSENT
                           ? "none"
                           : fls_value_text(&key->value, schema, number, &size);
    size_t most = size < sizeof key->shown - 4 ? size : sizeof key->shown - 4;
    for (size_t i = 0; i < most; i++) {
        unsigned char c = (unsigned char)text[i];
        key->shown[i] = (char)(c < ' ' || c == 127 ? '?' : c);
    }
    memcpy(key->shown + most, most < size ? "..." : "", most < size ? 4 : 1);
}

static int load(cli_diff_keys *keys, const fls_message *message, cli_diff_key *key)
{
    uint32_t type = keys->schemas->set.count == 1
                        ? 0
                        : cli_schemas_select(keys->schemas, message->payload, message->size);
    const fls_path *path = type != FLS_SCHEMA_NONE ? cli_column_path(&keys->column, type) : NULL;
    memset(&key->value, 0, sizeof key->value);
    if (path != NULL) {
        fls_path_get(path, message->payload, message->size, &key->value);
    }
    key->is_there = 1;
    if (key->value.kind == FLS_VALUE_STRING && keep_text(key) != 0) {
        return -1;
    }
    fls_sort_key_of_value(&key->key, &key->value, 0);
    show(key, type != FLS_SCHEMA_NONE ? keys->schemas->set.types[type].schema : NULL);
    return 0;
}

/* ---- order ---- */

int cli_diff_keys_read(void *self, int side, const fls_message *message)
{
    cli_diff_keys *keys = self;
    if (load(keys, message, &keys->next) != 0) {
        return -1;
    }
    cli_diff_key before = keys->last[side];
    if (before.is_there && fls_sort_key_compare(&keys->next.key, &before.key, 0) < 0) {
        cli_complain(keys->job, keys->names[side],
                     "offset %llu, message %llu: not in the order of %s: %s comes behind %s "
                     "(flatstream sort --by %s puts it in order)",
                     (unsigned long long)message->offset, (unsigned long long)message->ordinal,
                     keys->column.name, keys->next.shown, before.shown, keys->column.name);
        return CLI_DAMAGED;
    }
    keys->last[side] = keys->next;
    keys->next = before;
    return 0;
}

int cli_diff_keys_compare(void *self)
{
    const cli_diff_keys *keys = self;
    return fls_sort_key_compare(&keys->last[0].key, &keys->last[1].key, 0);
}
