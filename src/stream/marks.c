/* Records of marks, encoded and decoded, and the frames that they are in. What they are: marks.h.
 */
#include "stream/marks.h"

#include "core/error.h"

static int has_data(uint8_t type)
{
    return type == FLSI_RECORD_TIMES || type == FLSI_RECORD_TYPE || type == FLSI_RECORD_LABEL ||
           type >= FLSI_RECORD_COMPATIBLE;
}

int flsi_record_is_known(uint8_t type)
{
    return type != 0 && (type <= FLSI_RECORD_LOGGED || type >= FLSI_RECORD_COMPATIBLE);
}

static int is_of_index(uint8_t type)
{
    return type >= FLSI_RECORD_INDEX && type <= FLSI_RECORD_LABEL;
}

size_t flsi_record_bytes(const uint8_t *from, size_t size)
{
    size_t data = has_data(from[0]) ? flsi_load_le32(from + 4) : 0;
    size_t records = data / FLSI_RECORD_BYTES + (data % FLSI_RECORD_BYTES != 0);
    return records < size / FLSI_RECORD_BYTES ? (1 + records) * FLSI_RECORD_BYTES : size;
}

void flsi_record_encode(uint8_t to[FLSI_RECORD_BYTES], const flsi_record *record)
{
    memset(to, 0, FLSI_RECORD_BYTES);
    to[0] = record->type;
    to[1] = record->flags;
    flsi_store_le32(to + 4, record->small);
    flsi_store_le64(to + 8, record->ordinal);
    switch (record->type) {
    case FLSI_RECORD_HEADER:
        to[2] = record->checksum;
        to[3] = record->header_flags;
        flsi_store_le64(to + 8, record->id);
        flsi_store_le64(to + 16, record->ordinal);
        flsi_store_le64(to + 24, record->time_ns);
        break;
    case FLSI_RECORD_OFFSET:
    case FLSI_RECORD_SEAL:
        flsi_store_le64(to + 16, record->offset);
        flsi_store_le64(to + 24, record->time_ns);
        break;
    case FLSI_RECORD_TIMES:
        flsi_store_le64(to + 16, record->time_ns);
        flsi_store_le32(to + 24, (uint32_t)record->value);
        break;
    case FLSI_RECORD_DURABLE:
    case FLSI_RECORD_LOGGED:
        flsi_store_le64(to + 16, record->offset);
        flsi_store_le64(to + 24, record->value);
        break;
    case FLSI_RECORD_CLOCK:
        flsi_store_le64(to + 16, record->time_ns);
        flsi_store_le64(to + 24, record->value);
        break;
    case FLSI_RECORD_GAP: flsi_store_le64(to + 16, record->offset); break;
    case FLSI_RECORD_TYPE:
        flsi_store_le64(to + 8, record->id);
        flsi_store_le32(to + 16, (uint32_t)record->value);
        break;
    case FLSI_RECORD_INDEX:
        to[2] = record->checksum;
        to[3] = record->header_flags;
        flsi_store_le64(to + 8, record->value);
        break;
    case FLSI_RECORD_SIZES:
        flsi_store_le64(to + 8, record->smallest);
        flsi_store_le64(to + 16, record->largest);
        flsi_store_le64(to + 24, record->value);
        break;
    case FLSI_RECORD_SPAN:
        flsi_store_le64(to + 16, record->time_ns);
        flsi_store_le64(to + 24, record->last_ns);
        break;
    default: break;
    }
}

static fls_status bad(fls_error *err, const char *text)
{
    return fls_error_set(err, FLS_INVALID_FRAME, 0, text);
}

/* The sum of eight bytes below 128. */
static uint64_t sum_of_eight(uint64_t bytes)
{
    uint64_t pairs =
        (bytes & UINT64_C(0x00FF00FF00FF00FF)) + (bytes >> 8 & UINT64_C(0x00FF00FF00FF00FF));
    return pairs * UINT64_C(0x0001000100010001) >> 48;
}

/* Each time lies in 64 bits, and there are as many as were said; the last one is noted. Messages
 * come close behind each other, so that most steps are a byte. */
static int times_are_sound(flsi_record *record)
{
    const uint8_t *next = record->data;
    const uint8_t *end = next + record->small;
    uint64_t time = record->time_ns;
    for (uint64_t left = record->value; left > 1;) {
        uint64_t delta = 0;
        unsigned shift = 0;
        if (left > 8 && end - next >= 8) {
            uint64_t bytes = flsi_load_le64(next);
            uint64_t sum = sum_of_eight(bytes);
            if ((bytes & UINT64_C(0x8080808080808080)) == 0 && sum <= UINT64_MAX - time) {
                time += sum;
                next += 8;
                left -= 8;
                continue;
            }
        }
        for (;; shift += 7) {
            if (next == end || shift > 63 || (shift == 63 && (*next & 0x7E) != 0)) {
                return 0;
            }
            delta |= (uint64_t)(*next & 0x7F) << shift;
            if ((*next++ & 0x80) == 0) {
                break;
            }
        }
        if (delta > UINT64_MAX - time) {
            return 0;
        }
        time += delta;
        left--;
    }
    record->last_ns = time;
    return next == end;
}

static int is_checksum(uint8_t checksum)
{
    return checksum >= FLS_CHECKSUM_NONE && checksum <= FLS_CHECKSUM_XXH3;
}

static fls_status decode_header(flsi_record *record, const uint8_t *from, fls_error *err)
{
    record->checksum = from[2];
    record->header_flags = from[3];
    record->id = flsi_load_le64(from + 8);
    record->ordinal = flsi_load_le64(from + 16);
    record->time_ns = flsi_load_le64(from + 24);
    if (record->flags != FLSI_MARKS_VERSION) {
        return fls_error_set(err, FLS_UNSUPPORTED, 0, "marks of another version of the format");
    }
    if (record->ordinal >= FLSI_ORDINALS) {
        return bad(err, "marks of a segment whose ordinal cannot be");
    }
    if (!is_checksum(record->checksum)) {
        return bad(err, "marks of a segment with a checksum that is not known");
    }
    if ((record->header_flags & ~(unsigned)(FLSI_HEADER_TIMES | FLSI_HEADER_ESTIMATED)) != 0) {
        return bad(err, "flags in the header of marks that are not known");
    }
    return FLS_OK;
}

static fls_status decode_index(flsi_record *record, const uint8_t *from, fls_error *err)
{
    record->checksum = from[2];
    record->header_flags = from[3];
    record->value = record->ordinal;
    record->ordinal = 0;
    if (record->flags != FLSI_INDEX_VERSION) {
        return fls_error_set(err, FLS_UNSUPPORTED, 0, "an index of another version of the format");
    }
    if ((record->checksum != 0 && !is_checksum(record->checksum)) ||
        record->header_flags > FLSI_HEADER_TIMES || record->small != 0 || record->value == 0 ||
        flsi_zero_run(from + 16, 16) != 16) {
        return bad(err, "the header of an index with values that cannot be");
    }
    return FLS_OK;
}

/* What each type has beside its first 16 bytes, and what has to be zero. */
static fls_status decode_fields(flsi_record *record, const uint8_t *from, fls_error *err)
{
    uint64_t third = flsi_load_le64(from + 16);
    uint64_t fourth = flsi_load_le64(from + 24);
    int sound = 1;
    switch (record->type) {
    case FLSI_RECORD_OFFSET:
        record->offset = third;
        record->time_ns = fourth;
        sound = record->flags == 0 && record->small == 0;
        break;
    case FLSI_RECORD_TIMES:
        record->time_ns = third;
        record->value = fourth;
        sound = record->flags == 0 && fourth >= 1 && fourth <= UINT32_MAX;
        break;
    case FLSI_RECORD_DURABLE:
    case FLSI_RECORD_LOGGED:
        record->offset = third;
        record->value = fourth;
        sound = record->flags == 0 && record->small <= FLSI_PROOF_BYTES && record->small <= third &&
                (record->small > 0 || fourth == 0);
        break;
    case FLSI_RECORD_CLOCK:
        record->time_ns = third;
        record->value = fourth;
        sound = record->flags <= FLSI_CLOCK_STEP && record->small == 0;
        break;
    case FLSI_RECORD_GAP:
        record->offset = third;
        sound = record->flags != 0 && fourth == 0;
        break;
    case FLSI_RECORD_SEAL:
        record->offset = third;
        record->time_ns = fourth;
        sound = record->flags >= FLSI_SEAL_ROTATED && record->flags < 8 && record->small == 0;
        break;
    case FLSI_RECORD_TYPE:
        record->id = record->ordinal;
        record->ordinal = 0;
        record->value = third;
        sound = record->flags == 0 && third <= UINT32_MAX && fourth == 0 && record->small < 256;
        break;
    case FLSI_RECORD_SIZES:
        record->smallest = record->ordinal;
        record->ordinal = 0;
        record->largest = third;
        record->value = fourth;
        sound = record->flags == 0 && record->small == 0 && record->smallest <= third &&
                third <= UINT32_MAX;
        break;
    case FLSI_RECORD_SPAN:
        record->time_ns = third;
        record->last_ns = fourth;
        sound = record->flags == 0 && record->small == 0 && third <= fourth;
        break;
    case FLSI_RECORD_LABEL:
        sound = record->flags == 0 && record->ordinal == 0 && third == 0 && fourth == 0 &&
                record->small < 256;
        break;
    default: return FLS_OK; /* compatible: nothing is known of it */
    }
    return sound && record->ordinal < FLSI_ORDINALS
               ? FLS_OK
               : bad(err, "a record of marks with values that cannot be");
}

fls_status flsi_record_decode(flsi_record *record, const uint8_t *from, size_t size, size_t *used,
                              fls_error *err)
{
    *record = (flsi_record){.type = from[0], .flags = size > 1 ? from[1] : 0};
    *used = FLSI_RECORD_BYTES;
    if (size < FLSI_RECORD_BYTES) {
        return bad(err, "less than a record in a frame of marks");
    }
    if (!flsi_record_is_known(record->type) && !is_of_index(record->type)) {
        return record->type == 0
                   ? bad(err, "a record of marks without a type")
                   : fls_error_set(err, FLS_UNSUPPORTED, 0,
                                   "a record of marks that this version does not know");
    }
    record->small = flsi_load_le32(from + 4);
    record->ordinal = flsi_load_le64(from + 8);
    if (record->type == FLSI_RECORD_HEADER) {
        return decode_header(record, from, err);
    }
    if (record->type == FLSI_RECORD_INDEX) {
        return decode_index(record, from, err);
    }
    if (record->type < FLSI_RECORD_COMPATIBLE && (from[2] | from[3]) != 0) {
        return bad(err, "a record of marks with values that cannot be");
    }
    fls_status status = decode_fields(record, from, err);
    if (status != FLS_OK || !has_data(record->type)) {
        return status;
    }
    size_t padded = ((size_t)record->small + FLSI_RECORD_BYTES - 1) & ~(size_t)31;
    if (padded < record->small || padded > size - FLSI_RECORD_BYTES) {
        return bad(err, "a record of marks with more data than its frame has");
    }
    record->data = from + FLSI_RECORD_BYTES;
    *used += padded;
    if (flsi_zero_run(record->data + record->small, padded - record->small) !=
        padded - record->small) {
        return bad(err, "a record of marks with something behind its data");
    }
    if (record->type == FLSI_RECORD_TIMES && !times_are_sound(record)) {
        return bad(err, "times in marks that do not add up");
    }
    return FLS_OK;
}

fls_status flsi_marks_frame(const uint8_t *frame, size_t left, uint64_t at, uint32_t *length,
                            fls_error *err)
{
    if (left < FLSI_MARKS_HEADER_BYTES) {
        return flsi_error_frame(err, FLS_UNEXPECTED_EOF, at, 0, "the marks end within a frame");
    }
    *length = flsi_load_le32(frame);
    if (*length == 0 || *length % FLSI_RECORD_BYTES != 0 || *length > FLSI_MARKS_FRAME_BYTES) {
        return flsi_error_frame(err, FLS_INVALID_FRAME, at, 0,
                                "a frame of marks has a length that cannot be");
    }
    if (*length > left - FLSI_MARKS_HEADER_BYTES) {
        return flsi_error_frame(err, FLS_UNEXPECTED_EOF, at, 0, "the marks end within a frame");
    }
    uint64_t expected = flsi_load_le64(frame + FLS_LENGTH_BYTES);
    uint64_t computed =
        fls_checksum_digest(FLS_CHECKSUM_XXH3, frame + FLSI_MARKS_HEADER_BYTES, *length);
    if (expected != computed) {
        (void)flsi_error_frame(err, FLS_CHECKSUM_MISMATCH, at, 0,
                               "a frame of marks is not what was written");
        flsi_error_checksums(err, expected, computed, 8);
        return FLS_CHECKSUM_MISMATCH;
    }
    return FLS_OK;
}
