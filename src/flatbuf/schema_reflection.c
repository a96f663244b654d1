/* The schema of schemas, by which a .bfbs is verified before anything of it is believed. Written by
 * hand from what is public of reflection.fbs: older compilers write fewer of these fields, newer
 * ones none but these so far. A test holds it against what flatc makes of the same in a .fbs.
 */
#include "flatbuf/schema_private.h"

/* The objects in their order, which is that of their names. */
enum {
    THE_ENUM,
    THE_ENUMVAL,
    THE_FIELD,
    THE_KEYVALUE,
    THE_OBJECT,
    THE_RPCCALL,
    THE_SCHEMA,
    THE_SCHEMAFILE,
    THE_SERVICE,
    THE_TYPE
};

/* What all fields have, and what all references have. */
#define FIELD(id_, name_) \
    .place = 4 + 2 * (id_), .id = (id_), .name = (name_), .name_bytes = sizeof(name_) - 1
#define REFERENCE .bytes = 4, .alignment = 4, .enumeration = FLS_SCHEMA_NONE

#define SCALAR(id_, name_, type_, bytes_, enumeration_, flags_, default_)                       \
    {                                                                                           \
        FIELD(id_, name_), .kind = FLSI_SCALAR, .type = FLS_TYPE_##type_, .flags = (flags_),    \
                           .bytes = (bytes_), .alignment = (bytes_), .object = FLS_SCHEMA_NONE, \
                           .enumeration = (enumeration_), .default_bits = (default_)            \
    }
#define TEXT(id_, name_, flags_)                                                    \
    {                                                                               \
        FIELD(id_, name_), REFERENCE, .kind = FLSI_STRING, .type = FLS_TYPE_STRING, \
                                      .flags = (flags_), .object = FLS_SCHEMA_NONE  \
    }
#define TEXTS(id_, name_, flags_)                                                          \
    {                                                                                      \
        FIELD(id_, name_), REFERENCE, .kind = FLSI_STRING_VECTOR, .type = FLS_TYPE_STRING, \
                                      .flags = (flags_), .element_bytes = 4,               \
                                      .content_alignment = 4, .object = FLS_SCHEMA_NONE    \
    }
#define TABLE(id_, name_, object_, flags_)                                        \
    {                                                                             \
        FIELD(id_, name_), REFERENCE, .kind = FLSI_TABLE, .type = FLS_TYPE_TABLE, \
                                      .flags = (flags_), .object = (object_)      \
    }
#define TABLES(id_, name_, object_, flags_)                                              \
    {                                                                                    \
        FIELD(id_, name_), REFERENCE, .kind = FLSI_TABLE_VECTOR, .type = FLS_TYPE_TABLE, \
                                      .flags = (flags_), .element_bytes = 4,             \
                                      .content_alignment = 4, .object = (object_)        \
    }
#define OBJECT(name_, first_, count_, alignment_, has_required_, key_)            \
    {                                                                             \
        .name = (name_), .first_field = (first_), .field_count = (count_),        \
        .alignment = (alignment_), .has_required = (has_required_), .key = (key_) \
    }
#define VALUE(value_, name_)                                                 \
    {                                                                        \
        .value = (value_), .name = (name_), .name_bytes = sizeof(name_) - 1, \
        .object = FLS_SCHEMA_NONE                                            \
    }

static const flsi_field fields[] = {
    /* reflection.Enum */
    TEXT(0, "name", FLS_FIELD_REQUIRED | FLS_FIELD_KEY),
    TABLES(1, "values", THE_ENUMVAL, FLS_FIELD_REQUIRED),
    SCALAR(2, "is_union", BOOL, 1, FLS_SCHEMA_NONE, 0, 0),
    TABLE(3, "underlying_type", THE_TYPE, FLS_FIELD_REQUIRED),
    TABLES(4, "attributes", THE_KEYVALUE, 0),
    TEXTS(5, "documentation", 0),
    TEXT(6, "declaration_file", 0),
    /* reflection.EnumVal */
    TEXT(0, "name", FLS_FIELD_REQUIRED),
    SCALAR(1, "value", I64, 8, FLS_SCHEMA_NONE, FLS_FIELD_KEY, 0),
    TABLE(2, "object", THE_OBJECT, FLS_FIELD_DEPRECATED),
    TABLE(3, "union_type", THE_TYPE, 0),
    TEXTS(4, "documentation", 0),
    TABLES(5, "attributes", THE_KEYVALUE, 0),
    /* reflection.Field */
    TEXT(0, "name", FLS_FIELD_REQUIRED | FLS_FIELD_KEY),
    TABLE(1, "type", THE_TYPE, FLS_FIELD_REQUIRED),
    SCALAR(2, "id", U16, 2, FLS_SCHEMA_NONE, 0, 0),
    SCALAR(3, "offset", U16, 2, FLS_SCHEMA_NONE, 0, 0),
    SCALAR(4, "default_integer", I64, 8, FLS_SCHEMA_NONE, 0, 0),
    SCALAR(5, "default_real", F64, 8, FLS_SCHEMA_NONE, 0, 0),
    SCALAR(6, "deprecated", BOOL, 1, FLS_SCHEMA_NONE, 0, 0),
    SCALAR(7, "required", BOOL, 1, FLS_SCHEMA_NONE, 0, 0),
    SCALAR(8, "key", BOOL, 1, FLS_SCHEMA_NONE, 0, 0),
    TABLES(9, "attributes", THE_KEYVALUE, 0),
    TEXTS(10, "documentation", 0),
    SCALAR(11, "optional", BOOL, 1, FLS_SCHEMA_NONE, 0, 0),
    SCALAR(12, "padding", U16, 2, FLS_SCHEMA_NONE, 0, 0),
    SCALAR(13, "offset64", BOOL, 1, FLS_SCHEMA_NONE, 0, 0),
    /* reflection.KeyValue */
    TEXT(0, "key", FLS_FIELD_REQUIRED | FLS_FIELD_KEY),
    TEXT(1, "value", 0),
    /* reflection.Object */
    TEXT(0, "name", FLS_FIELD_REQUIRED | FLS_FIELD_KEY),
    TABLES(1, "fields", THE_FIELD, FLS_FIELD_REQUIRED),
    SCALAR(2, "is_struct", BOOL, 1, FLS_SCHEMA_NONE, 0, 0),
    SCALAR(3, "minalign", I32, 4, FLS_SCHEMA_NONE, 0, 0),
    SCALAR(4, "bytesize", I32, 4, FLS_SCHEMA_NONE, 0, 0),
    TABLES(5, "attributes", THE_KEYVALUE, 0),
    TEXTS(6, "documentation", 0),
    TEXT(7, "declaration_file", 0),
    /* reflection.RPCCall */
    TEXT(0, "name", FLS_FIELD_REQUIRED | FLS_FIELD_KEY),
    TABLE(1, "request", THE_OBJECT, FLS_FIELD_REQUIRED),
    TABLE(2, "response", THE_OBJECT, FLS_FIELD_REQUIRED),
    TABLES(3, "attributes", THE_KEYVALUE, 0),
    TEXTS(4, "documentation", 0),
    /* reflection.Schema */
    TABLES(0, "objects", THE_OBJECT, FLS_FIELD_REQUIRED),
    TABLES(1, "enums", THE_ENUM, FLS_FIELD_REQUIRED),
    TEXT(2, "file_ident", 0),
    TEXT(3, "file_ext", 0),
    TABLE(4, "root_table", THE_OBJECT, 0),
    TABLES(5, "services", THE_SERVICE, 0),
    SCALAR(6, "advanced_features", U64, 8, 0, 0, 0),
    TABLES(7, "fbs_files", THE_SCHEMAFILE, 0),
    /* reflection.SchemaFile */
    TEXT(0, "filename", FLS_FIELD_REQUIRED | FLS_FIELD_KEY),
    TEXTS(1, "included_filenames", 0),
    /* reflection.Service */
    TEXT(0, "name", FLS_FIELD_REQUIRED | FLS_FIELD_KEY),
    TABLES(1, "calls", THE_RPCCALL, 0),
    TABLES(2, "attributes", THE_KEYVALUE, 0),
    TEXTS(3, "documentation", 0),
    TEXT(4, "declaration_file", 0),
    /* reflection.Type */
    SCALAR(0, "base_type", I8, 1, 1, 0, 0),
    SCALAR(1, "element", I8, 1, 1, 0, 0),
    SCALAR(2, "index", I32, 4, FLS_SCHEMA_NONE, 0, UINT64_MAX),
    SCALAR(3, "fixed_length", U16, 2, FLS_SCHEMA_NONE, 0, 0),
    SCALAR(4, "base_size", U32, 4, FLS_SCHEMA_NONE, 0, 4),
    SCALAR(5, "element_size", U32, 4, FLS_SCHEMA_NONE, 0, 0),
};

static const flsi_object objects[] = {
    OBJECT("reflection.Enum", 0, 7, 4, 1, 0),
    OBJECT("reflection.EnumVal", 7, 6, 8, 1, 1),
    OBJECT("reflection.Field", 13, 14, 8, 1, 0),
    OBJECT("reflection.KeyValue", 27, 2, 4, 1, 0),
    OBJECT("reflection.Object", 29, 8, 4, 1, 0),
    OBJECT("reflection.RPCCall", 37, 5, 4, 1, 0),
    OBJECT("reflection.Schema", 42, 8, 8, 1, FLS_SCHEMA_NONE),
    OBJECT("reflection.SchemaFile", 50, 2, 4, 1, 0),
    OBJECT("reflection.Service", 52, 5, 4, 1, 0),
    OBJECT("reflection.Type", 57, 6, 4, 0, FLS_SCHEMA_NONE),
};

static const flsi_value values[] = {
    /* reflection.AdvancedFeatures */
    VALUE(1, "AdvancedArrayFeatures"),
    VALUE(2, "AdvancedUnionFeatures"),
    VALUE(4, "OptionalScalars"),
    VALUE(8, "DefaultVectorsAndStrings"),
    /* reflection.BaseType */
    VALUE(0, "None"),
    VALUE(1, "UType"),
    VALUE(2, "Bool"),
    VALUE(3, "Byte"),
    VALUE(4, "UByte"),
    VALUE(5, "Short"),
    VALUE(6, "UShort"),
    VALUE(7, "Int"),
    VALUE(8, "UInt"),
    VALUE(9, "Long"),
    VALUE(10, "ULong"),
    VALUE(11, "Float"),
    VALUE(12, "Double"),
    VALUE(13, "String"),
    VALUE(14, "Vector"),
    VALUE(15, "Obj"),
    VALUE(16, "Union"),
    VALUE(17, "Array"),
    VALUE(18, "Vector64"),
    VALUE(19, "MaxBaseType"),
};

static const flsi_enumeration enumerations[] = {
    {.name = "reflection.AdvancedFeatures",
     .first_value = 0,
     .value_count = 4,
     .type = FLS_TYPE_U64,
     .is_bit_flags = 1},
    {.name = "reflection.BaseType",
     .first_value = 4,
     .value_count = 20,
     .type = FLS_TYPE_I8,
     .is_dense = 1},
};

const fls_schema flsi_reflection_schema = {
    .objects = objects,
    .fields = fields,
    .enumerations = enumerations,
    .values = values,
    .object_count = sizeof objects / sizeof objects[0],
    .field_count = sizeof fields / sizeof fields[0],
    .enumeration_count = sizeof enumerations / sizeof enumerations[0],
    .value_count = sizeof values / sizeof values[0],
    .root = THE_SCHEMA,
    .identifier = "BFBS",
};
