/* Keys of messages. */
#include "sort_keys.h"

#include <stdlib.h>
#include <string.h>

#include "complain.h"

static int check_kinds(cli_sort_keys *keys, cli_job *job, const char *path)
{
    fls_value_kind first = fls_path_kind(keys->column.any);
    keys->is_string = first == FLS_VALUE_STRING;
    for (uint32_t i = 0; i < keys->schemas->set.count; i++) {
        const fls_path *one = keys->column.paths[i];
        if (one == NULL) {
            continue;
        }
        fls_value_kind kind = fls_path_kind(one);
        if (fls_path_is_many(one)) {
            return cli_usage(job, "--by: '%s' is many values: name one of them, such as [0]", path);
        }
        if ((kind == FLS_VALUE_STRING) != keys->is_string) {
            return cli_usage(job, "--by: '%s' is a string in one type and a number in another",
                             path);
        }
        keys->mixed |= kind != first;
    }
    return CLI_DONE;
}

int cli_sort_keys_open(cli_sort_keys *keys, cli_job *job, const cli_schemas *schemas,
                       const char *path)
{
    memset(keys, 0, sizeof *keys);
    keys->schemas = schemas;
    int code = cli_column_open(&keys->column, job, schemas, "--by", path);
    if (code != CLI_DONE) {
        keys->schemas = NULL;
        return code;
    }
    code = check_kinds(keys, job, path);
    if (code != CLI_DONE) {
        cli_sort_keys_close(keys);
    }
    return code;
}

void cli_sort_keys_close(cli_sort_keys *keys)
{
    if (keys->schemas != NULL) {
        cli_column_close(&keys->column);
        keys->schemas = NULL;
    }
}

int cli_sort_keys_join(cli_sort_keys *a, cli_sort_keys *b)
{
    if (a->is_string != b->is_string) {
        return 0;
    }
    int mixed =
        a->mixed || b->mixed || fls_path_kind(a->column.any) != fls_path_kind(b->column.any);
    a->mixed = mixed;
    b->mixed = mixed;
    return 1;
}

/* A type that came up since may have another kind of value there, which has no place among these.
 */
static int fits(const cli_sort_keys *keys, const fls_value *value)
{
    return (value->kind == FLS_VALUE_STRING) == keys->is_string &&
           (keys->mixed || value->kind == fls_path_kind(keys->column.any));
}

void cli_sort_key_of(cli_sort_keys *keys, const fls_message *message, fls_sort_key *key,
                     fls_value *value)
{
    const cli_schemas *schemas = keys->schemas;
    uint32_t type =
        schemas->set.count == 1 ? 0 : cli_schemas_select(schemas, message->payload, message->size);
    const fls_path *path = type != FLS_SCHEMA_NONE ? cli_column_path(&keys->column, type) : NULL;
    keys->type = type;
    value->kind = FLS_VALUE_ABSENT;
    if (path != NULL) {
        fls_path_get(path, message->payload, message->size, value);
    }
    if (value->kind != FLS_VALUE_ABSENT && !fits(keys, value)) {
        value->kind = FLS_VALUE_ABSENT;
    }
    fls_sort_key_of_value(key, value, keys->mixed);
}

int cli_kept_key_set(cli_kept_key *kept, const fls_sort_key *key)
{
    if (key->text_size > kept->room) {
        size_t room = 2 * key->text_size;
        char *grown = realloc(kept->text, room);
        if (grown == NULL) {
            return 0;
        }
        kept->text = grown;
        kept->room = room;
    }
    kept->key = *key;
    if (key->text_size > 0) {
        memcpy(kept->text, key->text, key->text_size);
        kept->key.text = kept->text;
    }
    return 1;
}

void cli_kept_key_free(cli_kept_key *kept)
{
    free(kept->text);
    memset(kept, 0, sizeof *kept);
}
