/* Places in a segment; see journal_places.h. */
#include "journal/journal_places.h"

/* What is read from frame to frame rather than jumped into. */
#define NEAR_BYTES ((uint64_t)4 * 1024)
/* More places than so many are not kept between two searches. */
#define MOST_PLACES ((size_t)4096)

void flsi_places_init(flsi_places *places, const flsi_file *marks, const fls_allocator *allocator)
{
    *places = (flsi_places){0};
    flsi_marks_file_init(&places->marks, marks, allocator);
}

void flsi_places_fini(flsi_places *places)
{
    const fls_allocator *allocator = places->marks.allocator;
    if (places->all != NULL) {
        allocator->free(allocator->self, places->all, places->capacity * sizeof *places->all);
    }
    flsi_marks_file_fini(&places->marks);
    *places = (flsi_places){0};
}

/* ---- what is kept ---- */

static fls_status insert(flsi_places *places, size_t index, const flsi_place *place, fls_error *err)
{
    if (places->count == places->capacity) {
        const fls_allocator *allocator = places->marks.allocator;
        size_t capacity = places->capacity == 0 ? 64 : 2 * places->capacity;
        flsi_place *grown =
            allocator->resize(allocator->self, places->all, places->capacity * sizeof *grown,
                              capacity * sizeof *grown);
        if (grown == NULL) {
            return fls_error_set(err, FLS_NO_MEMORY, 0, "a segment's places could not be held");
        }
        places->all = grown;
        places->capacity = capacity;
    }
    flsi_place *at = places->all + index;
    memmove(at + 1, at, (places->count - index) * sizeof *at);
    *at = *place;
    places->count++;
    return FLS_OK;
}

fls_status flsi_places_restart(flsi_places *places, uint64_t first_ordinal, uint64_t time_ns,
                               fls_error *err)
{
    const flsi_place first = {.ordinal = first_ordinal, .time_ns = time_ns, .found_at = UINT64_MAX};
    places->count = 0;
    return insert(places, 0, &first, err);
}

fls_status flsi_places_add(flsi_places *places, const flsi_place *place, fls_error *err)
{
    flsi_place added = *place;
    added.seen_to = places->all[places->count - 1].seen_to;
    return insert(places, places->count, &added, err);
}

/* Forgets what the marks can tell again. */
static void thin_out(flsi_places *places)
{
    size_t kept = 1;
    places->all[0].found_at = UINT64_MAX;
    places->all[0].seen_to = 0;
    for (size_t i = 1; i < places->count; i++) {
        if (places->all[i].found_at == UINT64_MAX) {
            places->all[kept] = places->all[i];
            places->all[kept++].seen_to = 0;
        }
    }
    places->count = kept;
}

/* ---- one place ---- */

int flsi_place_is_behind(const flsi_place *place, flsi_place_key by, uint64_t key)
{
    switch (by) {
    case FLSI_BY_ORDINAL: return place->ordinal > key;
    case FLSI_BY_OFFSET: return place->offset > key;
    default: return place->time_ns >= key;
    }
}

/* The last place that is not behind the key, or the first one. */
static size_t search(const flsi_places *places, flsi_place_key by, uint64_t key)
{
    size_t low = 0;
    size_t high = places->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (flsi_place_is_behind(&places->all[middle], by, key)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return low;
}

static int is_same(const flsi_place *a, const flsi_place *b)
{
    return a->ordinal == b->ordinal && a->offset == b->offset;
}

/* What a record says between the place at an index and the next one: 1 when it is a place there, or
 * the one at the index. A DURABLE may speak of what was before others. */
static int make_place(const flsi_places *places, size_t index, const flsi_record *record,
                      uint64_t at, flsi_place *made)
{
    const flsi_place *low = &places->all[index];
    const flsi_place *high = index + 1 < places->count ? low + 1 : NULL;
    int has_time = record->type == FLSI_RECORD_OFFSET && record->time_ns != 0 &&
                   record->time_ns >= low->time_ns &&
                   (high == NULL || record->time_ns <= high->time_ns);
    *made = (flsi_place){.ordinal = record->ordinal,
                         .offset = record->offset,
                         .time_ns = has_time ? record->time_ns : low->time_ns,
                         .is_its_time = has_time,
                         .marks_at = record->type == FLSI_RECORD_OFFSET ? at : low->marks_at,
                         .found_at = at,
                         .seen_to = at};
    if (is_same(low, made)) {
        return record->type == FLSI_RECORD_OFFSET;
    }
    return made->ordinal > low->ordinal && made->offset > low->offset &&
           (high == NULL || (made->ordinal < high->ordinal && made->offset < high->offset));
}

/* Takes a place over behind the one at *index, which is then the new one. */
static fls_status take_place(flsi_places *places, size_t *index, const flsi_place *made,
                             fls_error *err)
{
    flsi_place *low = &places->all[*index];
    if (!is_same(low, made)) {
        fls_status status = insert(places, *index + 1, made, err);
        *index += status == FLS_OK;
        return status;
    }
    uint64_t seen_to = low->seen_to;
    int has_its_time = low->is_its_time;
    *low = *made;
    low->is_its_time |= has_its_time;
    low->seen_to = seen_to;
    return FLS_OK;
}

/* ---- from frame to frame ---- */

static int tells_place(uint8_t type)
{
    return type == FLSI_RECORD_OFFSET || type == FLSI_RECORD_DURABLE || type == FLSI_RECORD_SEAL;
}

/* All places that a frame tells of, behind the one at *index. */
static fls_status take_frame(flsi_places *places, size_t *index, uint64_t at,
                             const uint8_t *records, size_t size, fls_error *err)
{
    fls_status status = FLS_OK;
    while (status == FLS_OK && size > 0 && flsi_record_is_known(records[0])) {
        flsi_record record;
        flsi_place made;
        size_t used = flsi_record_bytes(records, size);
        if (tells_place(records[0]) &&
            flsi_record_decode(&record, records, size, &used, NULL) == FLS_OK &&
            make_place(places, *index, &record, at, &made)) {
            status = take_place(places, index, &made, err);
        }
        records += used;
        size -= used;
    }
    return status;
}

/* Reads on from where the marks behind the place at an index were looked at, to `end`. */
static fls_status walk(flsi_places *places, size_t index, uint64_t end, fls_error *err)
{
    flsi_marks_file *marks = &places->marks;
    uint64_t at = places->all[index].seen_to;
    fls_status status = FLS_OK;
    while (status == FLS_OK && at < end) {
        const uint8_t *records;
        size_t size;
        uint64_t next;
        status = flsi_marks_file_frame(marks, at, &records, &size, &next, err);
        int is_half = status == FLS_END && end == places->marks_end;
        if (status == FLS_OK) {
            status = take_frame(places, &index, at, records, size, err);
        } else if (status == FLS_END || fls_status_class_of(status) == FLS_CLASS_DAMAGE) {
            next = end;
            status = flsi_marks_file_find(marks, at + 1, end, places->marks_end, &next, err);
            if (status == FLS_END || status == FLS_NEED_MORE) {
                status = FLS_OK;
                if (is_half) { /* looked at again when there is more */
                    places->marks_end = end = next = at;
                }
            }
        }
        if (status == FLS_OK) {
            at = next;
            places->all[index].seen_to = at;
        }
    }
    return status;
}

/* ---- jumping ---- */

/* The first frame from `from` on and before `to` that begins with a place between the one at an
 * index and the next. FLS_END: none does; FLS_NEED_MORE: it cannot be told. */
static fls_status jump(flsi_places *places, size_t index, flsi_place_key by, uint64_t from,
                       uint64_t to, flsi_place *found, fls_error *err)
{
    flsi_marks_file *marks = &places->marks;
    fls_status status;
    uint64_t at = from;
    while ((status = flsi_marks_file_find(marks, at, to, places->marks_end, &at, err)) == FLS_OK) {
        const uint8_t *records;
        size_t size;
        size_t used;
        flsi_record record;
        uint64_t next;
        status = flsi_marks_file_frame(marks, at, &records, &size, &next, err);
        if (status != FLS_OK) {
            return status;
        }
        if (records[0] == FLSI_RECORD_OFFSET &&
            flsi_record_decode(&record, records, size, &used, NULL) == FLS_OK &&
            make_place(places, index, &record, at, found) && !is_same(&places->all[index], found) &&
            (by != FLSI_BY_TIME || found->is_its_time)) {
            return FLS_OK;
        }
        at = next;
    }
    return status;
}

/* Looks at some of the marks up to `end` behind the place at an index. *limit: nothing to jump to
 * is from there on. */
static fls_status narrow(flsi_places *places, size_t index, flsi_place_key by, uint64_t end,
                         uint64_t *limit, fls_error *err)
{
    flsi_place found;
    uint64_t from = places->all[index].seen_to;
    uint64_t to = end < *limit ? end : *limit;
    if (to <= from || to - from <= NEAR_BYTES) {
        return walk(places, index, end, err);
    }
    uint64_t middle = from + (to - from) / 2;
    fls_status status = jump(places, index, by, middle, to, &found, err);
    switch (status) {
    case FLS_OK: return insert(places, index + 1, &found, err);
    case FLS_END: *limit = middle; return FLS_OK;
    case FLS_NEED_MORE: return walk(places, index, end, err);
    default: return status;
    }
}

fls_status flsi_places_find(flsi_places *places, flsi_place_key by, uint64_t key, size_t *index,
                            fls_error *err)
{
    uint64_t limit = UINT64_MAX;
    if (places->count > MOST_PLACES) {
        thin_out(places);
    }
    for (;;) {
        size_t at = search(places, by, key);
        const flsi_place *low = &places->all[at];
        const flsi_place *high = at + 1 < places->count ? low + 1 : NULL;
        uint64_t end =
            high != NULL && high->found_at != UINT64_MAX ? high->found_at : places->marks_end;
        if (low->seen_to >= end) {
            while (by == FLSI_BY_TIME && at > 0 && !places->all[at].is_its_time) {
                at--;
            }
            *index = at;
            return FLS_OK;
        }
        fls_status status = narrow(places, at, by, end, &limit, err);
        if (status != FLS_OK) {
            return status;
        }
    }
}
