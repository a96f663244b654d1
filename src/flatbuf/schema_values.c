/* Enumerations and unions, from the .bfbs to their arrays: sorted by value, none twice, all within
 * the type; a union with its NONE and members that it can have.
 */
#include "flatbuf/schema_load.h"

/* Newer compilers have unions over wider numbers. */
static const char wide_tag[] =
    "a union whose tag is wider than a byte, which this version does not know";

static int value_before(const void *self, uint32_t a, uint32_t b)
{
    const flsi_value *values = self;
    return values[a].value < values[b].value;
}

/* Brings values[first..] into their order. order is room for as many indices. */
static void sort_values(flsi_value *values, uint32_t first, uint32_t count, uint32_t *order)
{
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
    }
    flsi_schema_sort(order, count, value_before, values + first);
    /* Each cycle of the permutation once, in place; an entry that is done points to itself. */
    for (uint32_t i = 0; i < count; i++) {
        flsi_value moved = values[first + i];
        uint32_t to = i;
        while (order[to] != i) {
            uint32_t from = order[to];
            values[first + to] = values[first + from];
            order[to] = to;
            to = from;
        }
        values[first + to] = moved;
        order[to] = to;
    }
}

static fls_status load_member(flsi_schema_load *load, const flsi_bfbs_table *table,
                              flsi_value *value)
{
    flsi_schema_type type;
    fls_status status = flsi_schema_read_type(load, table, VALUE_UNION_TYPE, &type);
    if (status != FLS_OK) {
        return status;
    }
    if (type.base == FLS_TYPE_NONE) {
        return value->value == 0 ? FLS_OK : flsi_schema_refuse(load, "a union member of no type");
    }
    if (value->value == 0) {
        return flsi_schema_refuse(load, "a union member with the value 0, which is NONE");
    }
    if (type.base == FLS_TYPE_STRING) {
        value->kind = FLSI_STRING;
        return FLS_OK;
    }
    if (type.base != FLS_TYPE_TABLE) {
        return flsi_schema_refuse(load, "a union member that is no table, struct or string");
    }
    if (type.index < 0 || (uint32_t)type.index >= load->schema->object_count) {
        return flsi_schema_refuse(load, "a union member whose type is not there");
    }
    value->object = (uint32_t)type.index;
    value->kind = load->objects[value->object].is_struct ? FLSI_STRUCT : FLSI_TABLE;
    return FLS_OK;
}

static fls_status load_value(flsi_schema_load *load, const flsi_bfbs_table *table,
                             const flsi_enumeration *enumeration, flsi_value *value)
{
    flsi_bfbs_text name;
    fls_status status =
        flsi_schema_read_name(load, table, VALUE_NAME, enumeration->is_union, &name);
    if (status != FLS_OK) {
        return status;
    }
    value->name = name.text;
    value->name_bytes = name.bytes;
    value->value = (int64_t)flsi_bfbs_bits(&load->file, table, VALUE_VALUE, 8, 0);
    value->object = FLS_SCHEMA_NONE;
    load->member = name.text;
    status = flsi_schema_intact(load);
    if (status == FLS_OK && !flsi_schema_value_fits(value->value, (fls_type)enumeration->type)) {
        status = enumeration->is_union ? flsi_schema_refuse_as(load, FLS_UNSUPPORTED, wide_tag)
                                       : flsi_schema_refuse(load, "a value outside its type");
    }
    if (status == FLS_OK && enumeration->is_union) {
        status = load_member(load, table, value);
    }
    return status;
}

/* After the values are sorted. */
static fls_status check_values(flsi_schema_load *load, flsi_enumeration *enumeration)
{
    const flsi_value *values = load->values + enumeration->first_value;
    int has_none = 0;
    enumeration->is_dense = enumeration->value_count > 0;
    for (uint32_t i = 0; i < enumeration->value_count; i++) {
        has_none |= values[i].value == 0;
        if (i == 0) {
            continue;
        }
        if (values[i].value == values[i - 1].value) {
            flsi_schema_at_member(load, i, values[i].name);
            return flsi_schema_refuse(load, "two values that are equal");
        }
        if (values[i - 1].value == INT64_MAX || values[i].value != values[i - 1].value + 1) {
            enumeration->is_dense = 0;
        }
    }
    if (enumeration->is_union && !has_none) {
        return flsi_schema_refuse(load, "a union without NONE");
    }
    return FLS_OK;
}

static fls_status load_kind(flsi_schema_load *load, const flsi_bfbs_table *table,
                            flsi_enumeration *enumeration)
{
    flsi_schema_type type;
    flsi_bfbs_text bit_flags;
    fls_status status = flsi_schema_read_type(load, table, ENUM_UNDERLYING_TYPE, &type);
    if (status != FLS_OK) {
        return status;
    }
    enumeration->is_union = flsi_bfbs_bits(&load->file, table, ENUM_IS_UNION, 1, 0) != 0;
    enumeration->type = type.base;
    status = flsi_schema_read_attribute(load, table, ENUM_ATTRIBUTES, "bit_flags", &bit_flags);
    if (status != FLS_OK) {
        return status;
    }
    enumeration->is_bit_flags = bit_flags.text != NULL && !enumeration->is_union;
    int is_whole = type.base >= FLS_TYPE_BOOL && type.base <= FLS_TYPE_U64;
    if (!enumeration->is_union) {
        return is_whole ? FLS_OK : flsi_schema_refuse(load, "an enum that is no whole number");
    }
    if (is_whole && type.base != FLS_TYPE_U8) {
        return flsi_schema_refuse_as(load, FLS_UNSUPPORTED, wide_tag);
    }
    if (type.base != FLS_TYPE_UNION_TAG && type.base != FLS_TYPE_U8) {
        return flsi_schema_refuse(load, "a union whose tag is no byte");
    }
    enumeration->type = FLS_TYPE_UNION_TAG;
    return FLS_OK;
}

static fls_status load_enumeration(flsi_schema_load *load, uint32_t index, uint32_t *next)
{
    flsi_enumeration *enumeration = &load->enumerations[index];
    flsi_bfbs_table table = flsi_bfbs_element(&load->file, &load->enumeration_tables, index);
    flsi_bfbs_vector values = flsi_bfbs_references(&load->file, &table, ENUM_VALUES);
    flsi_bfbs_text name;
    flsi_schema_at_enumeration(load, index);
    fls_status status = flsi_schema_read_name(load, &table, ENUM_NAME, 1, &name);
    if (status != FLS_OK) {
        return status;
    }
    enumeration->name = load->owner = name.text;
    enumeration->first_value = *next;
    enumeration->value_count = values.count;
    status = flsi_schema_intact(load);
    if (status == FLS_OK && values.count > load->schema->value_count - *next) {
        status = flsi_schema_refuse(load, "the .bfbs changed while it was read");
    }
    if (status != FLS_OK) {
        return status;
    }
    *next += values.count;
    status = load_kind(load, &table, enumeration);
    for (uint32_t i = 0; i < values.count && status == FLS_OK; i++) {
        flsi_bfbs_table value = flsi_bfbs_element(&load->file, &values, i);
        flsi_schema_at_member(load, i, NULL);
        status = load_value(load, &value, enumeration, &load->values[enumeration->first_value + i]);
    }
    if (status != FLS_OK) {
        return status;
    }
    load->member_index = FLS_SCHEMA_NONE;
    sort_values(load->values, enumeration->first_value, enumeration->value_count,
                load->values_by_name + enumeration->first_value);
    status = check_values(load, enumeration);
    return status == FLS_OK ? flsi_schema_index_values(load, index) : status;
}

fls_status flsi_schema_load_values(flsi_schema_load *load)
{
    uint32_t next = 0;
    fls_status status = FLS_OK;
    for (uint32_t i = 0; i < load->schema->enumeration_count && status == FLS_OK; i++) {
        status = load_enumeration(load, i, &next);
    }
    return status == FLS_OK ? flsi_schema_index_enumerations(load) : status;
}
