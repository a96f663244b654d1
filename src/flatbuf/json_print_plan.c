/* What a printer knows before the first message: one block with the fields of all objects, flat,
 * and the texts of keys and names as they are printed.
 */
#include "flatbuf/json_print_private.h"

/* Where the parts of the block are, and how far they are filled. */
typedef struct plan {
    flsi_json_object *objects;
    flsi_json_field *fields;
    flsi_json_text *names;
    uint32_t *rooms; /* of a scalar with an enumeration, by its index */
    char *texts;
} plan;

/* ,"name": and "Name" */
static size_t texts_bytes(const fls_schema *schema)
{
    size_t bytes = FLSI_JSON_SLACK;
    for (uint32_t i = 0; i < schema->field_count; i++) {
        bytes += schema->fields[i].name_bytes + 4;
    }
    for (uint32_t i = 0; i < schema->value_count; i++) {
        bytes += schema->values[i].name_bytes + 2;
    }
    return bytes;
}

static const char *keep_text(plan *made, const char *before, const flsi_json_text *name,
                             const char *after)
{
    char *text = made->texts;
    size_t before_bytes = strlen(before);
    size_t after_bytes = strlen(after);
    FLSI_COPY(text, before, before_bytes);
    FLSI_COPY(text + before_bytes, name->text, name->bytes);
    FLSI_COPY(text + before_bytes + name->bytes, after, after_bytes);
    made->texts += before_bytes + name->bytes + after_bytes;
    return text;
}

static void plan_names(plan *made, const fls_schema *schema)
{
    for (uint32_t i = 0; i < schema->enumeration_count; i++) {
        const flsi_enumeration *from = &schema->enumerations[i];
        uint32_t longest = FLSI_JSON_NUMBER_BYTES;
        uint32_t all = 2;
        for (uint32_t k = from->first_value; k < from->first_value + from->value_count; k++) {
            flsi_json_text name = {schema->values[k].name, schema->values[k].name_bytes};
            made->names[k].text = keep_text(made, "\"", &name, "\"");
            made->names[k].bytes = name.bytes + 2;
            longest = name.bytes + 3 > longest ? name.bytes + 3 : longest;
            all += name.bytes + 1;
        }
        made->rooms[i] = from->is_bit_flags && all > longest ? all : longest;
    }
}

static void plan_field(plan *made, const fls_json_printer *p, const flsi_field *from,
                       flsi_json_field *field)
{
    flsi_json_text name = {from->name, from->name_bytes};
    field->place = from->place;
    field->kind = from->kind;
    field->type = from->type;
    field->optional = (from->flags & FLS_FIELD_OPTIONAL) != 0;
    field->element_bytes = from->element_bytes;
    field->object = from->object;
    field->enumeration = from->enumeration;
    field->length = from->length;
    field->default_bits = from->default_bits;
    field->key = keep_text(made, ",\"", &name, "\":");
    field->key_bytes = from->name_bytes + 4;
    field->element_room = FLSI_JSON_NUMBER_BYTES;
    if (from->enumeration != FLS_SCHEMA_NONE && !p->numbers_for_enums) {
        int is_flags = p->schema->enumerations[from->enumeration].is_bit_flags;
        field->names = is_flags ? FLSI_JSON_FLAGS : FLSI_JSON_NAMES;
        field->element_room = made->rooms[from->enumeration];
    }
    field->room = field->key_bytes + field->element_room;
    if (from->kind == FLSI_UNION || from->kind == FLSI_UNION_VECTOR) {
        field->tag_place = from[-1].place;
    }
}

static void plan_objects(plan *made, const fls_json_printer *p)
{
    const fls_schema *schema = p->schema;
    uint32_t next = 0;
    for (uint32_t i = 0; i < schema->object_count; i++) {
        const flsi_field *fields = schema->fields + schema->objects[i].first_field;
        made->objects[i].first = next;
        for (uint32_t k = 0; k < schema->objects[i].field_count; k++) {
            if ((fields[k].flags & FLS_FIELD_DEPRECATED) == 0) {
                plan_field(made, p, &fields[k], &made->fields[next++]);
            }
        }
        made->objects[i].count = next - made->objects[i].first;
    }
}

static void plan_bytes(fls_json_printer *p)
{
    for (uint32_t i = 0; i < 256; i++) {
        char text[FLSI_DECIMAL_ROOM];
        char *end = flsi_print_u64(text, i);
        *end++ = ',';
        p->byte_text_bytes[i] = (uint8_t)(end - text);
        FLSI_COPY(&p->byte_texts[i], text, sizeof p->byte_texts[i]);
    }
}

fls_status flsi_json_plan(fls_json_printer *p)
{
    const fls_schema *schema = p->schema;
    /* In the order of alignment, so that each part begins aligned. */
    size_t fields_bytes = schema->field_count * sizeof(flsi_json_field);
    size_t names_bytes = schema->value_count * sizeof(flsi_json_text);
    size_t objects_bytes = schema->object_count * sizeof(flsi_json_object);
    size_t rooms_bytes = schema->enumeration_count * sizeof(uint32_t);
    p->plan_bytes = fields_bytes + names_bytes + objects_bytes + rooms_bytes + texts_bytes(schema);
    p->plan = p->allocator->resize(p->allocator->self, NULL, 0, p->plan_bytes);
    if (p->plan == NULL) {
        return FLS_NO_MEMORY;
    }
    memset(p->plan, 0, p->plan_bytes);
    char *block = p->plan;
    plan made;
    made.fields = (flsi_json_field *)p->plan;
    made.names = (flsi_json_text *)(void *)(block + fields_bytes);
    made.objects = (flsi_json_object *)(void *)(block + fields_bytes + names_bytes);
    made.rooms = (uint32_t *)(void *)(block + fields_bytes + names_bytes + objects_bytes);
    made.texts = block + fields_bytes + names_bytes + objects_bytes + rooms_bytes;
    plan_names(&made, schema);
    plan_objects(&made, p);
    plan_bytes(p);
    p->objects = made.objects;
    p->fields = made.fields;
    p->names = made.names;
    return FLS_OK;
}
