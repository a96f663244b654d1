/* The judge of salvage; see salvage_oracle.h. */
#include "support/salvage_oracle.h"

#include <stdlib.h>
#include <string.h>

#include "flatstream/salvage.h"
#include "support/testing.h"

#define NOWHERE SIZE_MAX

/* Of a byte of the world. */
enum { STARTS_NOTHING, STARTS_TRUE, STARTS_OTHER };

/* Of a byte of the damaged stream. */
enum { FATE_NONE, FATE_OUT, FATE_LOST, FATE_PAYLOAD, FATE_UNANCHORED };

/* A stream, and behind it another one. */
typedef struct world {
    ref_format format;
    byte_buffer bytes;
    size_t size; /* of the true stream */
    ref_stream truth;
    byte_buffer starts; /* of each byte: whether a frame begins there */
    int rooted;         /* all messages have roots */
    int mixed;          /* some have */
} world;

/* One try. */
typedef struct trial {
    const world *of;
    damaged bad;
    size_t *run;   /* of each byte of bad: so many from there on were in a row */
    uint8_t *fate; /* of each byte of bad */
    size_t *place; /* of each true message: where it stands intact, or NOWHERE */
    uint8_t *back; /* of each true message */
    salvage_tally *tally;
    FILE *tell;
    const char *name;
} trial;

static uint64_t digest_of_three(void *self, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    (void)self;
    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
        sum ^= sum >> 29;
    }
    return sum >> 20;
}

static const fls_custom_checksum three = {sizeof three, 3, "three", digest_of_three, NULL};

static ref_format format_of(unsigned checksum)
{
    static const fls_checksum kinds[SALVAGE_CHECKSUMS] = {FLS_CHECKSUM_NONE, FLS_CHECKSUM_CRC16,
                                                          FLS_CHECKSUM_CUSTOM, FLS_CHECKSUM_CRC32,
                                                          FLS_CHECKSUM_XXH3};
    ref_format format = {kinds[checksum], NULL, 0};
    if (kinds[checksum] == FLS_CHECKSUM_CUSTOM) {
        format.custom = &three;
    }
    return format;
}

const char *salvage_checksum_name(unsigned checksum)
{
    fls_checksum kind = format_of(checksum).checksum;
    return kind == FLS_CHECKSUM_CUSTOM ? "custom, 3 bytes" : fls_checksum_name(kind);
}

const char *salvage_damage_name(unsigned kind)
{
    switch (kind) {
    case SALVAGE_PLANTED: return "frames of another stream";
    case SALVAGE_MIXTURE: return "mixture";
    default: return damage_name((damage_kind)kind);
    }
}

/* ---- streams ---- */

static void add_small(world *self, prng *random)
{
    uint32_t words[13];
    size_t count = 5 + (size_t)prng_below(random, 9);
    for (size_t i = 0; i < count; i++) {
        words[i] = (uint32_t)prng_below(random, UINT64_C(1) << prng_below(random, 21));
    }
    words[0] |= 1;
    frames_append(&self->bytes, &self->format, words, 4 * count);
}

static void mark(world *self, size_t from, const ref_stream *frames, uint8_t what)
{
    bytes_append_zeros(&self->starts, self->bytes.size - self->starts.size);
    for (size_t i = 0; i < frames->count; i++) {
        self->starts.data[from + frames->messages[i].offset] = what;
    }
}

/* A message whose payload is a stream, which may have something before and behind it. */
static void add_nested(world *self, prng *random)
{
    byte_buffer inner = BYTES_INIT;
    byte_buffer payload = BYTES_INIT;
    uint8_t noise[64];
    prng_fill(random, noise, sizeof noise);
    frames_append_flatbuffers(&inner, &self->format, random, 2 + prng_below(random, 12), 100);
    bytes_append(&payload, noise, prng_below(random, 2) * prng_below(random, sizeof noise));
    size_t at = self->bytes.size + 4 + ref_width(&self->format) + payload.size;
    bytes_append(&payload, inner.data, inner.size);
    bytes_append(&payload, noise, prng_below(random, 2) * prng_below(random, sizeof noise));
    frames_append(&self->bytes, &self->format, payload.data, payload.size);
    ref_stream frames = ref_decode(&self->format, inner.data, inner.size);
    mark(self, at, &frames, STARTS_OTHER);
    ref_free(&frames);
    bytes_free(&payload);
    bytes_free(&inner);
}

static void add_message(world *self, unsigned kind, prng *random)
{
    const ref_format *format = &self->format;
    uint64_t dice = prng_below(random, 8);
    switch (kind) {
    case SALVAGE_OPAQUE:
        frames_append_random(&self->bytes, format, random, 8 + (size_t)prng_below(random, 400));
        break;
    case SALVAGE_SMALL: add_small(self, random); break;
    case SALVAGE_LARGE:
        frames_append_flatbuffers(&self->bytes, format, random, 1, dice == 0 ? 60000 : 2000);
        break;
    case SALVAGE_EMPTY:
        if (dice == 0) {
            frames_append(&self->bytes, format, "", 0);
            break;
        }
        frames_append_random(&self->bytes, format, random, 8 + (size_t)prng_below(random, 200));
        break;
    case SALVAGE_NESTED:
        if (dice == 0) {
            add_nested(self, random);
            break;
        }
        frames_append_flatbuffers(&self->bytes, format, random, 1, 300);
        break;
    default: frames_append_flatbuffers(&self->bytes, format, random, 1, 300); break;
    }
}

static world make_world(unsigned checksum, unsigned kind, prng *random)
{
    world self = {.format = format_of(checksum)};
    size_t target = 16000 + (size_t)prng_below(random, kind == SALVAGE_LARGE ? 300000 : 40000);
    while (self.bytes.size < target) {
        add_message(&self, kind, random);
    }
    self.size = self.bytes.size;
    self.rooted = kind == SALVAGE_ROOTED || kind == SALVAGE_LARGE;
    self.mixed = kind == SALVAGE_NESTED;
    self.truth = ref_decode(&self.format, self.bytes.data, self.size);
    mark(&self, 0, &self.truth, STARTS_TRUE);
    frames_append_flatbuffers(&self.bytes, &self.format, random, 12, 300);
    ref_stream other =
        ref_decode(&self.format, self.bytes.data + self.size, self.bytes.size - self.size);
    mark(&self, self.size, &other, STARTS_OTHER);
    ref_free(&other);
    return self;
}

static void free_world(world *self)
{
    ref_free(&self->truth);
    bytes_free(&self->bytes);
    bytes_free(&self->starts);
}

/* ---- damage ---- */

/* Some frames of the other stream, anywhere, or between two of the true one. */
static void plant(const world *of, damaged *bad, prng *random)
{
    size_t from = of->size;
    size_t to = of->bytes.size;
    size_t at = (size_t)prng_below(random, bad->size + 1);
    if (prng_below(random, 2) == 0) {
        at = of->truth.messages[prng_below(random, of->truth.count)].offset;
        at = at < bad->size ? at : bad->size;
    }
    for (uint64_t skip = prng_below(random, 8); skip > 0; skip--) {
        do {
            from++;
        } while (of->starts.data[from] == STARTS_NOTHING);
    }
    for (uint64_t n = prng_below(random, 4); n > 0; n--) {
        to -= (size_t)prng_below(random, 100);
    }
    if (from < to) {
        damage_plant(bad, at, of->bytes.data + from, to - from, from);
    }
}

static void hit(const world *of, damaged *bad, unsigned kind, prng *random)
{
    if (kind == SALVAGE_PLANTED) {
        plant(of, bad, random);
    } else {
        damage_apply(bad, (damage_kind)kind, 512, random);
    }
}

static damaged make_damaged(const world *of, unsigned kind, prng *random)
{
    damaged bad = damage_start(of->bytes.data, of->size);
    uint64_t times = kind == DAMAGE_FLIP || kind == DAMAGE_TRUNCATE ? 1 : 1 + prng_below(random, 3);
    if (kind == SALVAGE_MIXTURE) {
        for (uint64_t n = 2 + prng_below(random, 5); n > 0; n--) {
            hit(of, &bad, (unsigned)prng_below(random, SALVAGE_MIXTURE), random);
        }
    }
    for (; kind != SALVAGE_MIXTURE && times > 0; times--) {
        hit(of, &bad, kind, random);
    }
    return bad;
}

/* ---- what is still there ---- */

static size_t frame_bytes(const world *of, size_t index)
{
    const ref_message *message = &of->truth.messages[index];
    return message->payload + message->size - message->offset;
}

static size_t index_of(const world *of, size_t offset)
{
    size_t low = 0;
    size_t high = of->truth.count;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (of->truth.messages[middle].offset <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

/* The true message that stands intact at an offset; NOWHERE: none. */
static size_t intact_at(const trial *self, size_t at)
{
    const world *of = self->of;
    size_t origin = at < self->bad.size ? self->bad.origin[at] : DAMAGE_FOREIGN;
    if (origin >= of->size || of->starts.data[origin] != STARTS_TRUE) {
        return NOWHERE;
    }
    size_t index = index_of(of, origin);
    return self->run[at] >= frame_bytes(of, index) ? index : NOWHERE;
}

static void look(trial *self)
{
    const damaged *bad = &self->bad;
    const world *of = self->of;
    uint64_t intact_bytes = 0;
    self->run = zeroed(bad->size, sizeof *self->run);
    self->fate = zeroed(bad->size, 1);
    self->place = zeroed(of->truth.count, sizeof *self->place);
    self->back = zeroed(of->truth.count, 1);
    for (size_t i = bad->size; i-- > 0;) {
        int joined = bad->origin[i] != DAMAGE_FOREIGN && i + 1 < bad->size &&
                     bad->origin[i + 1] == bad->origin[i] + 1;
        self->run[i] = joined ? self->run[i + 1] + 1 : 1;
    }
    for (size_t i = 0; i < of->truth.count; i++) {
        self->place[i] = NOWHERE;
    }
    for (size_t i = 0; i < bad->size; i++) {
        size_t index = intact_at(self, i);
        if (index != NOWHERE) {
            self->place[index] = i;
            self->tally->intact++;
            intact_bytes += frame_bytes(of, index);
        }
    }
    self->tally->messages += of->truth.count;
    self->tally->hit_bytes += bad->size - intact_bytes;
}

/* ---- what comes out ---- */

/* Which message of the world it is that was handed out: found by any of its bytes that remembers
 * where it was. */
static void judge_message(trial *self, const fls_message *message, int repaired)
{
    const world *of = self->of;
    const damaged *bad = &self->bad;
    size_t at = (size_t)message->offset;
    size_t header = 4 + (size_t)ref_width(&of->format);
    size_t tried = NOWHERE;
    int altered = 0;
    for (size_t i = 0; i < header + message->size; i++) {
        size_t origin = bad->origin[at + i];
        int copied = origin >= DAMAGE_COPY;
        if (origin == DAMAGE_FOREIGN) {
            continue;
        }
        size_t start = (copied ? origin - DAMAGE_COPY : origin) - i;
        if (start == tried || start >= of->bytes.size || of->starts.data[start] == STARTS_NOTHING) {
            continue;
        }
        const uint8_t *frame = of->bytes.data + start;
        size_t size = (size_t)frame[0] | (size_t)frame[1] << 8 | (size_t)frame[2] << 16;
        tried = start;
        if (size != message->size) {
            continue;
        }
        if (memcmp(frame + header, message->payload, size) != 0) {
            altered = 1;
        } else if (copied || of->starts.data[start] == STARTS_OTHER) {
            self->tally->foreign++;
            return;
        } else {
            size_t index = index_of(of, start);
            self->tally->recovered += !self->back[index];
            self->tally->repaired += (uint64_t)(repaired && !self->back[index]);
            self->back[index] = 1;
            return;
        }
    }
    self->tally->altered += (uint64_t)altered;
    self->tally->invented += (uint64_t)!altered;
    if (!altered && self->tell != NULL) {
        (void)fprintf(self->tell, "%s: invented: %zu bytes at %zu%s\n", self->name, message->size,
                      at, repaired ? ", repaired" : "");
    }
}

static void take(trial *self, const fls_salvage_event *event)
{
    int fate = event->kind == FLS_SALVAGE_UNANCHORED ? FATE_UNANCHORED
               : event->kind != FLS_SALVAGE_LOST     ? FATE_OUT
               : event->loss == FLS_LOSS_PAYLOAD     ? FATE_PAYLOAD
                                                     : FATE_LOST;
    memset(self->fate + event->from, fate, (size_t)(event->to - event->from));
    for (size_t i = 0; i < event->count; i++) {
        judge_message(self, &event->messages[i], event->repair != 0);
    }
    self->tally->lost_bytes += fate == FATE_OUT ? 0 : event->to - event->from;
    self->tally->gave_up += event->gave_up;
}

static void salvage(trial *self)
{
    const ref_format *format = &self->of->format;
    fls_salvage_options options = FLS_SALVAGE_OPTIONS_INIT;
    fls_salvager *salvager;
    fls_salvage_event event;
    fls_error err = FLS_ERROR_INIT;
    fls_status status;
    uint64_t at = 0;
    options.checksum = format->checksum;
    options.custom_checksum = format->custom;
    assert_status(
        fls_salvage_open_memory(&salvager, self->bad.data, self->bad.size, &options, &err), FLS_OK,
        &err);
    while ((status = fls_salvage_next(salvager, &event, &err)) == FLS_OK) {
        if (event.from != at || event.to <= at || event.to > self->bad.size) {
            fail_msg("%s: an event from %llu to %llu behind %llu", self->name,
                     (unsigned long long)event.from, (unsigned long long)event.to,
                     (unsigned long long)at);
        }
        at = event.to;
        take(self, &event);
    }
    assert_status(status, FLS_END, &err);
    assert_int_equal(at, self->bad.size);
    fls_salvage_close(salvager);
}

/* ---- what did not ---- */

/* Whether rule P3 calls the frame at an offset proven, by the intact ones that follow it. Where
 * some messages have roots and others none, narrow checksums may expect roots of all. */
static int is_proven(const trial *self, size_t at)
{
    const world *of = self->of;
    uint32_t width = ref_width(&of->format);
    size_t chain = 0;
    size_t next;
    while (chain < 16 && (next = intact_at(self, at)) != NOWHERE) {
        chain += of->truth.messages[next].size > 0;
        at += frame_bytes(of, next);
    }
    int ends = at == self->bad.size;
    if (width >= 4) {
        return width == 8 || chain > 1 || ends;
    }
    size_t bits = 8 * width * chain + 12 * (chain - 1) + (of->rooted ? 12 * chain : 0);
    return width > 0 && !of->mixed && bits + (ends ? 32 : 0) >= 64;
}

static void judge_absent(trial *self, size_t index)
{
    const world *of = self->of;
    size_t at = self->place[index];
    size_t size = of->truth.messages[index].size;
    if (self->fate[at] == FATE_OUT) {
        /* Its first bytes are also the last ones of a message that came back: which of the two was
         * hit cannot be told. */
        self->tally->intact--;
    } else if (self->fate[at] == FATE_UNANCHORED) {
        self->tally->unanchored++;
    } else if (self->fate[at] == FATE_PAYLOAD) {
        self->tally->within++;
    } else if (size == 0 || !is_proven(self, at)) {
        self->tally->unproven++;
    } else {
        self->tally->unexplained++;
        if (self->tell != NULL) {
            (void)fprintf(self->tell, "%s: message %zu of %zu at %zu (%zu bytes) is lost\n",
                          self->name, index, of->truth.count, at, frame_bytes(of, index));
        }
    }
}

/* The stream of a seed; *random is where its damage goes on. */
static world start(unsigned kind, unsigned checksum, uint64_t seed, prng *random)
{
    *random = prng_seeded(seed * 1000 + kind * 10 + checksum);
    return make_world(checksum, (unsigned)(seed % SALVAGE_STREAMS), random);
}

damaged salvage_damaged(unsigned kind, unsigned checksum, uint64_t seed, fls_checksum *known,
                        const fls_custom_checksum **custom)
{
    prng random;
    world of = start(kind, checksum, seed, &random);
    damaged bad = make_damaged(&of, kind, &random);
    *known = of.format.checksum;
    *custom = of.format.custom;
    free_world(&of);
    return bad;
}

void salvage_try(unsigned kind, unsigned checksum, uint64_t seed, salvage_tally *tally, FILE *tell)
{
    char name[120];
    prng random;
    world of = start(kind, checksum, seed, &random);
    (void)snprintf(name, sizeof name, "%s, %s, seed %llu", salvage_damage_name(kind),
                   salvage_checksum_name(checksum), (unsigned long long)seed);
    trial self = {.of = &of, .tally = tally, .tell = tell, .name = name};
    self.bad = make_damaged(&of, kind, &random);
    tally->seeds++;
    look(&self);
    salvage(&self);
    for (size_t i = 0; i < of.truth.count; i++) {
        if (self.place[i] != NOWHERE && !self.back[i]) {
            judge_absent(&self, i);
        }
    }
    free(self.run);
    free(self.fate);
    free(self.place);
    free(self.back);
    damage_free(&self.bad);
    free_world(&of);
}
