/* Walking a schema, for people and as JSON. */
#include "schema_listing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is shown ---- */

static void show_field_types(cli_schema_view *view, uint32_t object, uint32_t *stack,
                             size_t *depth);

/* An object that has not been seen is gone through later. */
static void show_object(cli_schema_view *view, uint32_t object, uint32_t *stack, size_t *depth)
{
    if (object != FLS_SCHEMA_NONE && !view->objects[object]) {
        view->objects[object] = 1;
        stack[(*depth)++] = object;
    }
}

static void show_enumeration(cli_schema_view *view, uint32_t enumeration, uint32_t *stack,
                             size_t *depth)
{
    fls_schema_enumeration info;
    if (enumeration == FLS_SCHEMA_NONE || view->enumerations[enumeration]) {
        return;
    }
    view->enumerations[enumeration] = 1;
    fls_schema_get_enumeration(view->schema, enumeration, &info);
    for (uint32_t i = 0; i < info.value_count; i++) {
        fls_schema_value value;
        fls_schema_get_value(view->schema, enumeration, i, &value);
        show_object(view, info.is_union ? value.object : FLS_SCHEMA_NONE, stack, depth);
    }
}

static void show_field_types(cli_schema_view *view, uint32_t object, uint32_t *stack, size_t *depth)
{
    fls_schema_object info;
    fls_schema_get_object(view->schema, object, &info);
    for (uint32_t i = 0; i < info.field_count; i++) {
        fls_schema_field field;
        fls_schema_get_field(view->schema, object, i, &field);
        show_object(view, field.object, stack, depth);
        show_object(view, field.nested, stack, depth);
        show_enumeration(view, field.enumeration, stack, depth);
    }
}

int cli_schema_view_init(cli_schema_view *view, const fls_schema *schema, const char *path,
                         uint32_t root)
{
    size_t objects = fls_schema_object_count(schema);
    size_t enumerations = fls_schema_enumeration_count(schema);
    uint32_t *stack = malloc((objects + 1) * sizeof *stack);
    size_t depth = 0;
    *view =
        (cli_schema_view){schema, path, root, calloc(objects + 1, 1), calloc(enumerations + 1, 1)};
    if (stack == NULL || view->objects == NULL || view->enumerations == NULL) {
        free(stack);
        cli_schema_view_free(view);
        return 0;
    }
    if (root == FLS_SCHEMA_NONE) {
        view->root = fls_schema_root(schema);
        memset(view->objects, 1, objects);
        memset(view->enumerations, 1, enumerations);
    } else {
        show_object(view, root, stack, &depth);
        while (depth > 0) {
            show_field_types(view, stack[--depth], stack, &depth);
        }
    }
    free(stack);
    return 1;
}

void cli_schema_view_free(cli_schema_view *view)
{
    free(view->objects);
    free(view->enumerations);
    view->objects = NULL;
    view->enumerations = NULL;
}

/* ---- words for what is in it ---- */

static const char *object_name(const fls_schema *schema, uint32_t object)
{
    fls_schema_object info;
    fls_schema_get_object(schema, object, &info);
    return info.name;
}

static const char *enumeration_name(const fls_schema *schema, uint32_t enumeration)
{
    fls_schema_enumeration info;
    fls_schema_get_enumeration(schema, enumeration, &info);
    return info.name;
}

/* What a .fbs calls a scalar. */
static const char *scalar_name(fls_type type)
{
    static const char *const names[] = {"none",  "ubyte",  "bool",  "byte", "ubyte",
                                        "short", "ushort", "int",   "uint", "long",
                                        "ulong", "float",  "double"};
    return (size_t)type < sizeof names / sizeof names[0] ? names[type] : "?";
}

/* A type that is no vector or array. */
static const char *single_name(const fls_schema *schema, const fls_schema_field *field,
                               fls_type type)
{
    switch (type) {
    case FLS_TYPE_STRING: return "string";
    case FLS_TYPE_TABLE:
    case FLS_TYPE_STRUCT: return object_name(schema, field->object);
    default:
        return field->enumeration != FLS_SCHEMA_NONE ? enumeration_name(schema, field->enumeration)
                                                     : scalar_name(type);
    }
}

const char *cli_field_type_text(const fls_schema *schema, const fls_schema_field *field,
                                char text[CLI_TYPE_TEXT])
{
    int many = field->type == FLS_TYPE_VECTOR || field->type == FLS_TYPE_ARRAY;
    fls_type type = many ? field->element : field->type;
    char length[16] = "";
    if (field->type == FLS_TYPE_ARRAY) {
        snprintf(length, sizeof length, ":%u", field->length);
    }
    snprintf(text, CLI_TYPE_TEXT, "%s%s%s%s%s", many ? "[" : "", single_name(schema, field, type),
             type == FLS_TYPE_UNION_TAG ? " tag" : "", length, many ? "]" : "");
    return text;
}

static int is_scalar(fls_type type)
{
    return type >= FLS_TYPE_UNION_TAG && type <= FLS_TYPE_F64;
}

static int is_float(fls_type type)
{
    return type == FLS_TYPE_F32 || type == FLS_TYPE_F64;
}

/* The fewest digits that read back the same. */
static void float_text(fls_type type, double value, char *text, size_t capacity)
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, capacity, "%.*g", digits, value);
        double back = strtod(text, NULL);
        if (type == FLS_TYPE_F32 ? (float)back == (float)value : back == value) {
            break;
        }
    }
}

static void whole_text(fls_type type, int64_t value, char *text, size_t capacity)
{
    if (type == FLS_TYPE_U64) {
        snprintf(text, capacity, "%llu", (unsigned long long)value);
    } else {
        snprintf(text, capacity, "%lld", (long long)value);
    }
}

/* The enumerator of a value, or NULL. */
static const char *value_name(const fls_schema *schema, uint32_t enumeration, int64_t value)
{
    fls_schema_enumeration info;
    if (enumeration == FLS_SCHEMA_NONE) {
        return NULL;
    }
    fls_schema_get_enumeration(schema, enumeration, &info);
    for (uint32_t i = 0; i < info.value_count; i++) {
        fls_schema_value one;
        fls_schema_get_value(schema, enumeration, i, &one);
        if (one.value == value) {
            return one.name;
        }
    }
    return NULL;
}

/* The default of a scalar in a table. */
static void default_text(const fls_schema *schema, const fls_schema_field *field, char *text,
                         size_t capacity)
{
    const char *name = NULL;
    text[0] = '\0';
    if (!is_scalar(field->type) || field->type == FLS_TYPE_UNION_TAG) {
        return;
    }
    if (field->flags & FLS_FIELD_OPTIONAL) {
        snprintf(text, capacity, "null");
    } else if (is_float(field->type)) {
        float_text(field->type, field->default_value.f, text, capacity);
    } else if (field->type == FLS_TYPE_BOOL) {
        snprintf(text, capacity, field->default_value.i != 0 ? "true" : "false");
    } else if ((name = value_name(schema, field->enumeration, field->default_value.i)) != NULL) {
        snprintf(text, capacity, "%s", name);
    } else {
        whole_text(field->type, field->default_value.i, text, capacity);
    }
}

static const struct {
    uint32_t flag;
    const char *name;
} flag_names[] = {{FLS_FIELD_REQUIRED, "required"},
                  {FLS_FIELD_OPTIONAL, "optional"},
                  {FLS_FIELD_KEY, "key"},
                  {FLS_FIELD_DEPRECATED, "deprecated"},
                  {FLS_FIELD_FLEXBUFFER, "flexbuffer"}};

#define FLAG_COUNT (sizeof flag_names / sizeof flag_names[0])

/* ---- for people ---- */

static void print_flags(cli_out *out, const cli_schema_view *view, const fls_schema_field *field)
{
    const char *space = "  ";
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (field->flags & flag_names[i].flag) {
            cli_out_format(out, "%s%s", space, flag_names[i].name);
            space = " ";
        }
    }
    if (field->nested != FLS_SCHEMA_NONE) {
        cli_out_format(out, "%sholds %s", space, object_name(view->schema, field->nested));
        space = " ";
    }
    if (field->type == FLS_TYPE_VECTOR && field->content_alignment > 8) {
        cli_out_format(out, "%saligned to %u", space, field->content_alignment);
    }
}

/* Columns are as wide as the widest, within reason. */
static void measure(const cli_schema_view *view, const fls_schema_object *object, int *name_width,
                    int *type_width)
{
    char text[CLI_TYPE_TEXT];
    *name_width = 4;
    *type_width = 4;
    for (uint32_t i = 0; i < object->field_count; i++) {
        fls_schema_field field;
        fls_schema_get_field(view->schema, object->index, i, &field);
        int name = (int)strlen(field.name);
        int type = (int)strlen(cli_field_type_text(view->schema, &field, text));
        *name_width = name > *name_width ? name : *name_width;
        *type_width = type > *type_width ? type : *type_width;
    }
    *name_width = *name_width > 40 ? 40 : *name_width;
    *type_width = *type_width > 50 ? 50 : *type_width;
}

/* A line without the spaces at its end. */
static void print_line(cli_out *out, char *line)
{
    size_t length = strlen(line);
    while (length > 0 && line[length - 1] == ' ') {
        length--;
    }
    cli_out_bytes(out, line, length);
}

static void print_fields(cli_out *out, const cli_schema_view *view, const fls_schema_object *object)
{
    char type[CLI_TYPE_TEXT];
    char value[128];
    char line[1024];
    int name_width;
    int type_width;
    measure(view, object, &name_width, &type_width);
    for (uint32_t i = 0; i < object->field_count; i++) {
        fls_schema_field field;
        fls_schema_get_field(view->schema, object->index, i, &field);
        value[0] = '\0';
        if (!object->is_struct) {
            default_text(view->schema, &field, value + 2, sizeof value - 2);
            memcpy(value, value[2] != '\0' ? "= " : "\0", 2);
        }
        snprintf(line, sizeof line, "%5u  %-*s  %-*s  %s",
                 object->is_struct ? field.offset : field.id, name_width, field.name, type_width,
                 cli_field_type_text(view->schema, &field, type), value);
        print_line(out, line);
        print_flags(out, view, &field);
        cli_out_text(out, "\n");
    }
}

static void print_objects(cli_out *out, const cli_schema_view *view, int structs)
{
    for (uint32_t i = 0; i < fls_schema_object_count(view->schema); i++) {
        fls_schema_object object;
        fls_schema_get_object(view->schema, i, &object);
        if (!view->objects[i] || object.is_struct != structs) {
            continue;
        }
        if (structs) {
            cli_out_format(out, "\nstruct %s (%u byte%s, alignment %u; offset, name, type)\n",
                           object.name, object.bytes, object.bytes == 1 ? "" : "s",
                           object.alignment);
        } else {
            cli_out_format(out, "\ntable %s (%sid, name, type, default)\n", object.name,
                           i == view->root ? "the root; " : "");
        }
        print_fields(out, view, &object);
    }
}

static void print_value(cli_out *out, const cli_schema_view *view, const fls_schema_enumeration *of,
                        const fls_schema_value *value)
{
    char number[32];
    whole_text(of->type, value->value, number, sizeof number);
    cli_out_format(out, "%5s  %s", number, value->name);
    if (of->is_union && value->object != FLS_SCHEMA_NONE) {
        cli_out_format(out, "  %s", object_name(view->schema, value->object));
    } else if (of->is_union && value->type == FLS_TYPE_STRING) {
        cli_out_text(out, "  string");
    }
    cli_out_text(out, "\n");
}

static void print_enumerations(cli_out *out, const cli_schema_view *view, int unions)
{
    for (uint32_t i = 0; i < fls_schema_enumeration_count(view->schema); i++) {
        fls_schema_enumeration info;
        fls_schema_get_enumeration(view->schema, i, &info);
        if (!view->enumerations[i] || info.is_union != unions) {
            continue;
        }
        cli_out_format(out, "\n%s %s : %s%s\n", unions ? "union" : "enum", info.name,
                       scalar_name(info.type), info.is_bit_flags ? " (bit flags)" : "");
        for (uint32_t j = 0; j < info.value_count; j++) {
            fls_schema_value value;
            fls_schema_get_value(view->schema, i, j, &value);
            print_value(out, view, &info, &value);
        }
    }
}

void cli_schema_print(cli_out *out, const cli_schema_view *view)
{
    const char *identifier = fls_schema_identifier(view->schema);
    cli_out_format(out, "%s\n", view->path);
    cli_out_format(out, "root         %s\n",
                   view->root != FLS_SCHEMA_NONE ? object_name(view->schema, view->root) : "none");
    cli_out_format(out, "identifier   %s\n", identifier[0] != '\0' ? identifier : "none");
    cli_out_format(out, "hash         %016llx\n",
                   (unsigned long long)fls_schema_hash(view->schema));
    print_objects(out, view, 0);
    print_objects(out, view, 1);
    print_enumerations(out, view, 1);
    print_enumerations(out, view, 0);
}

/* ---- as JSON ---- */

/* A number, true, false or null; text for enumerators and what JSON has no number for. */
static void put_default(cli_json *json, const cli_schema_view *view, const fls_schema_field *field)
{
    char text[128];
    default_text(view->schema, field, text, sizeof text);
    if (text[0] == '\0') {
        return;
    }
    int is_optional = (field->flags & FLS_FIELD_OPTIONAL) != 0;
    int is_text = is_float(field->type) ? !isfinite(field->default_value.f)
                                        : value_name(view->schema, field->enumeration,
                                                     field->default_value.i) != NULL;
    if (is_text && !is_optional) {
        cli_json_text(json, "default", text);
    } else {
        cli_json_literal(json, "default", text);
    }
}

static void put_field(cli_json *json, const cli_schema_view *view, const fls_schema_object *object,
                      const fls_schema_field *field)
{
    char type[CLI_TYPE_TEXT];
    cli_json_open_object(json, NULL);
    cli_json_text(json, "name", field->name);
    cli_json_text(json, "type", cli_field_type_text(view->schema, field, type));
    cli_json_count(json, object->is_struct ? "offset" : "id",
                   object->is_struct ? field->offset : field->id);
    if (!object->is_struct) {
        put_default(json, view, field);
        for (size_t i = 0; i < FLAG_COUNT; i++) {
            if (field->flags & flag_names[i].flag) {
                cli_json_bool(json, flag_names[i].name, 1);
            }
        }
        if (field->nested != FLS_SCHEMA_NONE) {
            cli_json_text(json, "nested", object_name(view->schema, field->nested));
        }
    }
    cli_json_close_object(json);
}

static void put_objects(cli_json *json, const cli_schema_view *view, int structs)
{
    cli_json_open_list(json, structs ? "structs" : "tables");
    for (uint32_t i = 0; i < fls_schema_object_count(view->schema); i++) {
        fls_schema_object object;
        fls_schema_get_object(view->schema, i, &object);
        if (!view->objects[i] || object.is_struct != structs) {
            continue;
        }
        cli_json_open_object(json, NULL);
        cli_json_text(json, "name", object.name);
        if (structs) {
            cli_json_count(json, "bytes", object.bytes);
            cli_json_count(json, "alignment", object.alignment);
        }
        cli_json_open_list(json, "fields");
        for (uint32_t j = 0; j < object.field_count; j++) {
            fls_schema_field field;
            fls_schema_get_field(view->schema, i, j, &field);
            put_field(json, view, &object, &field);
        }
        cli_json_close_list(json);
        cli_json_close_object(json);
    }
    cli_json_close_list(json);
}

static void put_value(cli_json *json, const cli_schema_view *view, const fls_schema_enumeration *of,
                      const fls_schema_value *value)
{
    char number[32];
    whole_text(of->type, value->value, number, sizeof number);
    cli_json_open_object(json, NULL);
    cli_json_text(json, "name", value->name);
    cli_json_literal(json, "value", number);
    if (of->is_union) {
        cli_json_text(json, "type",
                      value->object != FLS_SCHEMA_NONE ? object_name(view->schema, value->object)
                      : value->type == FLS_TYPE_STRING ? "string"
                                                       : NULL);
    }
    cli_json_close_object(json);
}

static void put_enumerations(cli_json *json, const cli_schema_view *view, int unions)
{
    cli_json_open_list(json, unions ? "unions" : "enums");
    for (uint32_t i = 0; i < fls_schema_enumeration_count(view->schema); i++) {
        fls_schema_enumeration info;
        fls_schema_get_enumeration(view->schema, i, &info);
        if (!view->enumerations[i] || info.is_union != unions) {
            continue;
        }
        cli_json_open_object(json, NULL);
        cli_json_text(json, "name", info.name);
        cli_json_text(json, "type", scalar_name(info.type));
        if (!unions) {
            cli_json_bool(json, "bit_flags", info.is_bit_flags);
        }
        cli_json_open_list(json, "values");
        for (uint32_t j = 0; j < info.value_count; j++) {
            fls_schema_value value;
            fls_schema_get_value(view->schema, i, j, &value);
            put_value(json, view, &info, &value);
        }
        cli_json_close_list(json);
        cli_json_close_object(json);
    }
    cli_json_close_list(json);
}

void cli_schema_put_keys(cli_json *json, const cli_schema_view *view)
{
    const char *identifier = fls_schema_identifier(view->schema);
    char hash[32];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)fls_schema_hash(view->schema));
    cli_json_text(json, "file", view->path);
    cli_json_text(json, "root",
                  view->root != FLS_SCHEMA_NONE ? object_name(view->schema, view->root) : NULL);
    cli_json_text(json, "identifier", identifier[0] != '\0' ? identifier : NULL);
    cli_json_text(json, "hash", hash);
    put_objects(json, view, 0);
    put_objects(json, view, 1);
    put_enumerations(json, view, 1);
    put_enumerations(json, view, 0);
}

void cli_schema_put_json(cli_out *out, const cli_schema_view *view)
{
    cli_json json;
    cli_json_begin(&json, out);
    cli_schema_put_keys(&json, view);
    cli_json_bool(&json, "ok", 1);
    cli_json_end(&json);
}
