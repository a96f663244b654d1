/* Keys of messages, and their order. */
#include "diff_keys.h"

#include <stdlib.h>
#include <string.h>

#include "complain.h"

int cli_diff_keys_open(cli_diff_keys *keys, cli_job *job, const cli_schemas *schemas,
                       const char *path)
{
    memset(keys, 0, sizeof *keys);
    keys->job = job;
    return cli_sort_keys_open(&keys->by, job, schemas, path);
}

void cli_diff_keys_close(cli_diff_keys *keys)
{
    cli_sort_keys_close(&keys->by);
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
    cli_sort_keys *by = &keys->by;
    memset(&key->value, 0, sizeof key->value);
    key->is_there = 1;
    cli_sort_key_of(by, message, &key->key, &key->value);
    if (key->value.kind == FLS_VALUE_STRING) { /* the key borrows from the text */
        if (keep_text(key) != 0) {
            return -1;
        }
        fls_sort_key_of_value(&key->key, &key->value, by->mixed);
    }
    show(key, by->type != FLS_SCHEMA_NONE ? by->schemas->set.types[by->type].schema : NULL);
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
                     keys->by.column.name, keys->next.shown, before.shown, keys->by.column.name);
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
