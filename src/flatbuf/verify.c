/* Verifying by schema: the public functions, what a violation says, and the validator. */
#include "flatstream/verify.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/options.h"
#include "flatbuf/verify_private.h"

const char *fls_rule_name(fls_rule rule)
{
    switch (rule) {
#define RULE_CASE(name, number, text) \
    case name: return #name;
        FLS_RULE_MAP(RULE_CASE)
#undef RULE_CASE
    }
    return "FLS_RULE_UNKNOWN";
}

const char *fls_rule_text(fls_rule rule)
{
    switch (rule) {
#define RULE_CASE(name, number, text) \
    case name: return text;
        FLS_RULE_MAP(RULE_CASE)
#undef RULE_CASE
    }
    return "an unknown rule";
}

/* ---- what a violation says ---- */

/* A text of which only both ends are kept when it does not fit. */
typedef struct clipped {
    char *out;
    size_t capacity; /* without the terminating zero */
    size_t length;   /* of the whole text */
} clipped;

#define GAP "..."

static void put_char(const clipped *to, size_t at, char character)
{
    size_t head = (to->capacity - (sizeof GAP - 1)) / 2;
    size_t tail = to->capacity - head - (sizeof GAP - 1);
    if (to->length <= to->capacity || at < head) {
        to->out[at] = character;
    } else if (at >= to->length - tail) {
        to->out[at - (to->length - to->capacity)] = character;
    }
}

/* "[12]" or nothing into text, which has room for 24. */
static size_t element_text(const flsi_verify_step *step, char *text)
{
    if (step->element == UINT64_MAX) {
        return 0;
    }
    return (size_t)snprintf(text, 24, "[%" PRIu64 "]", step->element);
}

/* Whether a dot stands in front of a step's name. */
static size_t dot_bytes(const flsi_verify_step *step)
{
    return step->outer != NULL && step->outer->field != NULL;
}

/* Steps lead from the innermost outwards, so that the text is laid from its end to its start. */
static void write_path(clipped *to, const flsi_verify_step *innermost)
{
    char text[24];
    for (const flsi_verify_step *s = innermost; s != NULL && s->field != NULL; s = s->outer) {
        to->length += dot_bytes(s) + s->field->name_bytes + element_text(s, text);
    }
    size_t at = to->length;
    for (const flsi_verify_step *s = innermost; s != NULL && s->field != NULL; s = s->outer) {
        for (size_t i = element_text(s, text); i > 0; i--) {
            put_char(to, --at, text[i - 1]);
        }
        for (size_t i = s->field->name_bytes; i > 0; i--) {
            put_char(to, --at, s->field->name[i - 1]);
        }
        if (dot_bytes(s)) {
            put_char(to, --at, '.');
        }
    }
    if (to->length > to->capacity) {
        memcpy(to->out + (to->capacity - (sizeof GAP - 1)) / 2, GAP, sizeof GAP - 1);
    }
    to->out[to->length < to->capacity ? to->length : to->capacity] = '\0';
}

void flsi_verify_tell(fls_violation *violation, fls_rule rule, uint64_t position,
                      const flsi_verify_step *step)
{
    if (violation != NULL) {
        clipped path = {violation->path, sizeof violation->path - 1, 0};
        violation->rule = rule;
        violation->reserved = 0;
        violation->offset = position;
        write_path(&path, step);
    }
}

fls_status fls_violation_to_error(const fls_violation *violation, fls_error *err)
{
    if (err != NULL) {
        char text[sizeof err->text];
        const char *path = violation->path[0] != '\0' ? violation->path : "the root";
        /* The rule has to be read in any case: what does not fit goes from the path. */
        int most = (int)sizeof text - 1 - (int)strlen(fls_rule_text(violation->rule)) -
                   (int)sizeof ": , at byte 18446744073709551615";
        (void)snprintf(text, sizeof text, "%.*s: %s, at byte %" PRIu64, most > 0 ? most : 0, path,
                       fls_rule_text(violation->rule), violation->offset);
        fls_error_set(err, FLS_VALIDATION_FAILED, 0, text);
        err->known = FLS_ERROR_LIMIT;
        err->limit_bytes = violation->offset;
    }
    return FLS_VALIDATION_FAILED;
}

/* ---- verifying ---- */

#define USUAL_TABLES         1000000u
#define USUAL_APPARENT_BYTES (UINT64_C(1) << 31)
#define MOST_APPARENT_BYTES  (UINT64_C(1) << 62)

static const flsi_verify_limits usual_limits = {
    64, USUAL_TABLES, USUAL_APPARENT_BYTES,
    FLSI_VERIFY_TABLE_BYTES(USUAL_APPARENT_BYTES, USUAL_TABLES)};

static FLSI_NOINLINE void choose_limits(flsi_verify_limits *limits,
                                        const fls_verify_options *options)
{
    *limits = usual_limits;
    if (options->max_depth != 0) {
        limits->max_depth = options->max_depth;
    }
    if (options->max_tables != 0) {
        limits->max_tables = options->max_tables;
    }
    if (options->max_apparent_bytes != 0) {
        limits->max_apparent_bytes = options->max_apparent_bytes < MOST_APPARENT_BYTES
                                         ? options->max_apparent_bytes
                                         : MOST_APPARENT_BYTES;
    }
    limits->table_bytes = FLSI_VERIFY_TABLE_BYTES(limits->max_apparent_bytes, limits->max_tables);
}

static void clear(fls_violation *violation)
{
    if (violation != NULL) {
        violation->rule = FLS_RULE_NONE;
        violation->reserved = 0;
        violation->offset = 0;
        violation->path[0] = '\0';
    }
}

#define ALL_CHECKS \
    (FLS_VERIFY_IDENTIFIER | FLS_VERIFY_UTF8 | FLS_VERIFY_SORTED | FLS_VERIFY_EXACT_END)

/* All that is not the usual road: options, and what the quick walk did not accept. */
static FLSI_NOINLINE fls_status verify_fully(const fls_schema *schema, uint32_t root,
                                             const void *payload, size_t size,
                                             const fls_verify_options *options,
                                             fls_violation *violation)
{
    flsi_verify_limits limits = usual_limits;
    fls_verify_options given;
    fls_status status = flsi_options_read(&given, sizeof given, options, NULL);
    if (FLSI_UNLIKELY(status != FLS_OK || (given.checks & ~ALL_CHECKS) != 0)) {
        clear(violation);
        return FLS_INVALID_ARGUMENT;
    }
    if (options != NULL) {
        choose_limits(&limits, &given);
    }
    if (size >= UINT64_C(1) << 31) {
        flsi_verify_tell(violation, FLS_RULE_TOO_LARGE, 0, NULL);
        return FLS_VALIDATION_FAILED;
    }
    if ((options != NULL && given.checks == 0 &&
         flsi_verify_quick(schema, root, payload, size, &limits)) ||
        flsi_verify_full(schema, root, payload, size, &limits, given.checks, violation)) {
        clear(violation);
        return FLS_OK;
    }
    return FLS_VALIDATION_FAILED;
}

fls_status fls_verify(const fls_schema *schema, uint32_t root, const void *payload, size_t size,
                      const fls_verify_options *options, fls_violation *violation)
{
    if (FLS_LIKELY(options == NULL && size < UINT64_C(1) << 31) &&
        FLS_LIKELY(flsi_verify_quick(schema, root, payload, size, &usual_limits))) {
        clear(violation);
        return FLS_OK;
    }
    return verify_fully(schema, root, payload, size, options, violation);
}

/* ---- the validator ---- */

/* Options that ask for nothing, which may be without struct_bytes here. */
static int are_usual(const fls_verify_options *options)
{
    return (options->struct_bytes == 0 || options->struct_bytes == sizeof *options) &&
           (options->checks | options->max_depth | options->max_tables |
            options->max_apparent_bytes) == 0;
}

static fls_status check_schema(void *self, const void *payload, size_t size, fls_error *err)
{
    const fls_schema_check *check = self;
    fls_violation violation;
    uint32_t index = fls_schema_set_select(check->types, payload, size);
    if (FLSI_UNLIKELY(index == FLS_SCHEMA_NONE)) {
        fls_rule rule = check->types->count == 1 ? FLS_RULE_IDENTIFIER : FLS_RULE_NO_TYPE;
        flsi_verify_tell(&violation, rule, size < 8 ? 0 : 4, NULL);
        return fls_violation_to_error(&violation, err);
    }
    const fls_message_type *type = &check->types->types[index];
    const fls_verify_options *options = are_usual(&check->options) ? NULL : &check->options;
    fls_status status = fls_verify(type->schema, type->root, payload, size, options,
                                   err != NULL ? &violation : NULL);
    if (FLS_LIKELY(status == FLS_OK)) {
        return FLS_OK;
    }
    if (status != FLS_VALIDATION_FAILED) { /* which is all that a validator may say */
        return fls_error_set(err, FLS_VALIDATION_FAILED, 0,
                             "options without struct_bytes, or for unknown checks");
    }
    return err != NULL ? fls_violation_to_error(&violation, err) : FLS_VALIDATION_FAILED;
}

fls_validator fls_validator_schema(const fls_schema_check *check)
{
    return (fls_validator){"schema", check_schema, (void *)check, 1, 0};
}
