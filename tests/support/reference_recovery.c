/* See reference_recovery.h. */
#include "support/reference_recovery.h"

typedef struct stream {
    const ref_format *format;
    const uint8_t *bytes;
    size_t size;  /* E of the page */
    size_t zeros; /* from here to the end all is zero */
    size_t width; /* W */
    uint64_t limit;
    int known_roots;
} stream;

typedef struct candidate {
    size_t payload;
    size_t length;
    size_t end;
} candidate;

static uint64_t load_le(const uint8_t *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

static int fits(const stream *self, size_t offset, uint64_t length, candidate *found)
{
    size_t header = 4 + self->width;
    if (length > self->limit || self->size - offset < header ||
        self->size - offset - header < length) {
        return 0;
    }
    found->payload = offset + header;
    found->length = (size_t)length;
    found->end = found->payload + found->length;
    return 1;
}

static int header_fits(const stream *self, size_t offset, candidate *found)
{
    return self->size - offset >= 4 && fits(self, offset, load_le(self->bytes + offset, 4), found);
}

static int is_sound(const stream *self, const candidate *frame)
{
    if (frame->length == 0 && (self->width < 8 || ref_digest(self->format, "", 0) == 0)) {
        return 0;
    }
    uint64_t stored = load_le(self->bytes + frame->payload - self->width, self->width);
    return stored == ref_digest(self->format, self->bytes + frame->payload, frame->length);
}

static int has_root(const uint8_t *payload, size_t size)
{
    uint64_t table = size >= 8 ? load_le(payload, 4) : 0;
    if (table < 4 || table % 4 != 0 || table > size - 4) {
        return 0;
    }
    int64_t vtable = (int64_t)table - (int32_t)load_le(payload + table, 4);
    if (vtable < 0 || vtable % 2 != 0 || vtable > (int64_t)size - 2) {
        return 0;
    }
    uint64_t vtable_bytes = load_le(payload + vtable, 2);
    return vtable_bytes >= 4 && vtable_bytes % 2 == 0 && vtable_bytes <= size - (size_t)vtable;
}

typedef struct chain {
    unsigned frames;
    unsigned rooted; /* how many of the first ones have a root */
    int first_rooted;
    int ends_at_end;
} chain;

static chain follow(const stream *self, const candidate *first, int at_fault)
{
    candidate at = *first;
    chain found = {1, 0, 0, 0};
    found.first_rooted = has_root(self->bytes + at.payload, at.length);
    found.rooted = found.first_rooted || at_fault;
    size_t end = at.end;
    for (int steps = 1; steps < 64 && found.frames < 16 && header_fits(self, end, &at); steps++) {
        if (at.length > 0) {
            if (!is_sound(self, &at)) {
                break;
            }
            int rooted = has_root(self->bytes + at.payload, at.length);
            found.rooted += (unsigned)(rooted && found.rooted == found.frames);
            found.frames++;
        }
        end = at.end;
    }
    found.ends_at_end = end >= self->zeros;
    return found;
}

static int is_proven(const stream *self, const candidate *frame, int at_fault)
{
    if (!is_sound(self, frame)) {
        return 0;
    }
    if (self->width == 8 || (self->width >= 4 && (at_fault || frame->length >= 8))) {
        return 1;
    }
    chain found = follow(self, frame, at_fault);
    if (self->width >= 4) {
        return found.frames > 1 || found.ends_at_end;
    }
    if (self->width >= 2) {
        int end_counts = at_fault || found.first_rooted || !self->known_roots;
        return found.frames > 1 || (found.ends_at_end && end_counts) ||
               (found.first_rooted && !at_fault);
    }
    if (self->width == 1) {
        return found.frames > 2 || (found.first_rooted && !at_fault);
    }
    if (found.rooted >= 4 ||
        (found.rooted == found.frames && found.frames >= 2 && found.ends_at_end)) {
        return 1;
    }
    unsigned at_end = at_fault ? 2 : 3;
    return !self->known_roots &&
           ((found.ends_at_end && found.frames >= at_end) || found.frames >= 8);
}

static int something_is_proven(const stream *self, size_t fault)
{
    candidate frame;
    if (self->size - fault >= 4) {
        uint64_t length = load_le(self->bytes + fault, 4);
        for (unsigned bit = 0; bit < 32; bit++) {
            if (fits(self, fault, length ^ UINT64_C(1) << bit, &frame) &&
                is_proven(self, &frame, 1)) {
                return 1;
            }
        }
    }
    for (size_t offset = fault + 1; offset < self->size; offset++) {
        if (header_fits(self, offset, &frame) && is_proven(self, &frame, 0)) {
            return 1;
        }
    }
    return 0;
}

/* (b) of the zero tail: all zero from a 512-byte boundary within the frame. */
static int zero_from_a_sector(const stream *self, size_t fault)
{
    uint64_t end = self->size;
    if (self->size - fault >= 4) {
        end = fault + 4 + self->width + load_le(self->bytes + fault, 4);
        end = end < self->size ? end : self->size;
    }
    size_t boundary = ((size_t)end - 1) / 512 * 512;
    if (boundary < fault) {
        return 0;
    }
    while (boundary < self->size && self->bytes[boundary] == 0) {
        boundary++;
    }
    return boundary == self->size;
}

/* By those in the first 8 KiB, and the first at or behind each multiple of 64 KiB. */
static int roots_are_known(const stream *self, const ref_stream *read)
{
    int known = 0;
    size_t before = 0;
    for (size_t i = 0; i < read->count; i++) {
        const ref_message *message = &read->messages[i];
        size_t frame = message->offset;
        int looked_at = frame < 8192 || frame / 65536 != before / 65536;
        before = frame;
        if (!looked_at) {
            continue;
        }
        if (message->size > 0 && !has_root(self->bytes + message->payload, message->size)) {
            return 0;
        }
        known |= message->size > 0;
    }
    return known;
}

ref_recovery ref_recover(const ref_format *format, const void *data, size_t size)
{
    ref_stream read = ref_decode(format, data, size);
    stream self = {format, data, size, size, ref_width(format), 0, 0};
    self.limit = format->max_frame_bytes != 0 ? format->max_frame_bytes : UINT64_C(1) << 31;
    self.known_roots = roots_are_known(&self, &read);
    while (self.zeros > read.offset && self.bytes[self.zeros - 1] == 0) {
        self.zeros--;
    }
    ref_recovery found = {FLS_STREAM_DAMAGED, read.count, read.offset, 0};
    if (read.end == FLS_END) {
        found.end = FLS_STREAM_CLEAN;
    } else if (read.end == FLS_ZERO_TAIL) {
        found.end = FLS_STREAM_ZERO_TAIL;
    } else if (read.end != FLS_INVALID_FRAME) {
        int zeros = zero_from_a_sector(&self, read.offset);
        if (zeros || read.end == FLS_UNEXPECTED_EOF) {
            found.proven = something_is_proven(&self, read.offset);
            if (!found.proven) {
                found.end = zeros ? FLS_STREAM_ZERO_TAIL : FLS_STREAM_TORN_TAIL;
            }
        }
    }
    ref_free(&read);
    return found;
}
