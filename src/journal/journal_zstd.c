/* The seekable format of zstd, as its contrib/seekable_format describes it:
 *
 *   pieces, each one zstd frame or more
 *   u32 0x184D2A5E, u32 size of what follows   a frame that every zstd passes over
 *   for each piece: u32 compressed bytes, u32 plain bytes, u32 checksum if the descriptor says so
 *   u32 pieces, u8 descriptor, u32 0x8F92EAB1
 *
 * All integers are little-endian. A file is valid if and only if
 *   1  it ends with such a footer, and of the descriptor bits 2 to 6 are 0;
 *   2  the frame of the table begins where the footer's count says, with magic and size;
 *   3  every piece has 1 to FLSI_ZSTD_PIECE_LIMIT plain bytes, and is no larger compressed than
 *      zstd can make so many;
 *   4  the pieces fill the file up to the table.
 * What we write has no checksums in the table: each zstd frame carries one, which zstd itself
 * checks.
 *
 * Memory for the state of zstd comes from libc: the stable part of its interface lets nothing else
 * in. Everything else is of the allocator.
 */
#include "journal/journal_zstd.h"

#include "core/bytes.h"
#include "core/error.h"

#ifdef FLS_WITH_ZSTD

#include <zstd.h>

enum {
    TABLE_HEADER_BYTES = 8,
    FOOTER_BYTES = 9,
    ENTRY_BYTES = 8,
    ENTRY_CHECKSUM_BYTES = 4,
    TABLE_CHUNK_ENTRIES = 256
};

#define TABLE_MAGIC        0x184D2A5Eu
#define FOOTER_MAGIC       0x8F92EAB1u
#define HAS_CHECKSUMS      0x80u
#define RESERVED_BITS      0x7Cu
#define WORST_PIECE_BYTES  ZSTD_COMPRESSBOUND((size_t)FLSI_ZSTD_PIECE_LIMIT)
#define FIRST_TABLE_PIECES 64u

/* Where a piece begins; the one behind the last is where the table begins, and the plain size. */
typedef struct piece_place {
    uint64_t stored;
    uint64_t plain;
} piece_place;

/* A buffer that grows. */
typedef struct grown {
    uint8_t *data;
    size_t capacity;
} grown;

struct flsi_zstd_reader {
    const fls_allocator *allocator;
    flsi_file file;
    ZSTD_DCtx *state;
    piece_place *places; /* count + 1 */
    size_t count;
    size_t loaded; /* the piece that lies in plain; SIZE_MAX: none */
    grown stored;
    grown plain;
};

struct flsi_zstd_writer {
    const fls_allocator *allocator;
    flsi_file file;
    ZSTD_CCtx *state;
    uint64_t offset;
    uint32_t count;
    grown stored;
    grown table;
};

static fls_status damage(fls_error *err, fls_status status, uint64_t offset, const char *text)
{
    fls_error_set(err, status, 0, text);
    if (err != NULL) {
        err->known |= FLS_ERROR_OFFSET;
        err->offset = offset;
    }
    return status;
}

static fls_status grow(grown *buffer, size_t capacity, const fls_allocator *allocator,
                       fls_error *err)
{
    if (capacity <= buffer->capacity) {
        return FLS_OK;
    }
    void *data = allocator->resize(allocator->self, buffer->data, buffer->capacity, capacity);
    if (data == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0,
                             "no memory for a piece of a compressed segment");
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return FLS_OK;
}

static void drop(grown *buffer, const fls_allocator *allocator)
{
    if (buffer->data != NULL) {
        allocator->free(allocator->self, buffer->data, buffer->capacity);
    }
}

static fls_status read_exactly(const flsi_file *file, uint64_t offset, void *to, size_t size,
                               fls_error *err)
{
    size_t got;
    fls_status st = flsi_file_read_all_at(file, offset, to, size, &got, err);
    if (st == FLS_OK && got < size) {
        return damage(err, FLS_UNEXPECTED_EOF, offset + got,
                      "the compressed segment ends too soon");
    }
    return st;
}

static fls_status write_all(const flsi_file *file, uint64_t offset, const void *data, size_t size,
                            fls_error *err)
{
    const fls_span span = {data, size};
    size_t written;
    return flsi_file_write_all_at(file, offset, &span, 1, &written, err);
}

int flsi_zstd_is_there(void)
{
    return 1;
}

/* ---- reading ---- */

/* Where the table's entries are. */
typedef struct table_shape {
    uint64_t offset; /* of its frame */
    size_t entry_bytes;
    size_t count;
} table_shape;

/* Rules 1 and 2. */
static fls_status find_table(const flsi_file *file, table_shape *table, fls_error *err)
{
    flsi_file_info info;
    uint8_t footer[FOOTER_BYTES];
    uint8_t header[TABLE_HEADER_BYTES];
    fls_status st = flsi_file_info_get(file, &info, err);
    if (st != FLS_OK) {
        return st;
    }
    if (info.size_bytes < TABLE_HEADER_BYTES + FOOTER_BYTES) {
        return damage(err, FLS_UNEXPECTED_EOF, info.size_bytes,
                      "too short for a compressed segment");
    }
    uint64_t end = info.size_bytes - FOOTER_BYTES;
    if ((st = read_exactly(file, end, footer, sizeof footer, err)) != FLS_OK) {
        return st;
    }
    if (flsi_load_le32(footer + 5) != FOOTER_MAGIC || (footer[4] & RESERVED_BITS) != 0) {
        return damage(err, FLS_INVALID_FRAME, end, "no table of a seekable zstd file at the end");
    }
    table->count = flsi_load_le32(footer);
    table->entry_bytes = ENTRY_BYTES + ((footer[4] & HAS_CHECKSUMS) ? ENTRY_CHECKSUM_BYTES : 0);
    if (table->count > FLSI_ZSTD_PIECES) {
        return damage(err, FLS_UNSUPPORTED, end, "more pieces than this version reads");
    }
    uint64_t entries = (uint64_t)table->count * table->entry_bytes;
    if (entries > end - TABLE_HEADER_BYTES) {
        return damage(err, FLS_INVALID_FRAME, end, "the table is larger than the file");
    }
    table->offset = end - entries - TABLE_HEADER_BYTES;
    if ((st = read_exactly(file, table->offset, header, sizeof header, err)) != FLS_OK) {
        return st;
    }
    if (flsi_load_le32(header) != TABLE_MAGIC ||
        flsi_load_le32(header + 4) != entries + FOOTER_BYTES) {
        return damage(err, FLS_INVALID_FRAME, table->offset,
                      "the table does not begin where it has to");
    }
    return FLS_OK;
}

/* Rules 3 and 4. */
static fls_status read_table(flsi_zstd_reader *reader, const table_shape *table, fls_error *err)
{
    uint8_t chunk[TABLE_CHUNK_ENTRIES * (ENTRY_BYTES + ENTRY_CHECKSUM_BYTES)];
    uint64_t from = table->offset + TABLE_HEADER_BYTES;
    piece_place place = {0, 0};
    for (size_t i = 0; i < table->count; i++) {
        size_t in_chunk = i % TABLE_CHUNK_ENTRIES;
        if (in_chunk == 0) {
            size_t left = table->count - i;
            size_t entries = left < TABLE_CHUNK_ENTRIES ? left : TABLE_CHUNK_ENTRIES;
            fls_status st = read_exactly(&reader->file, from + (uint64_t)i * table->entry_bytes,
                                         chunk, entries * table->entry_bytes, err);
            if (st != FLS_OK) {
                return st;
            }
        }
        const uint8_t *entry = chunk + in_chunk * table->entry_bytes;
        uint32_t stored = flsi_load_le32(entry);
        uint32_t plain = flsi_load_le32(entry + 4);
        uint64_t offset = from + (uint64_t)i * table->entry_bytes;
        if (plain > FLSI_ZSTD_PIECE_LIMIT) {
            return damage(err, FLS_UNSUPPORTED, offset, "a larger piece than this version reads");
        }
        if (plain == 0 || stored == 0 || stored > ZSTD_COMPRESSBOUND((size_t)plain)) {
            return damage(err, FLS_INVALID_FRAME, offset, "a piece has an impossible size");
        }
        reader->places[i] = place;
        place.stored += stored;
        place.plain += plain;
    }
    reader->places[table->count] = place;
    if (place.stored != table->offset) {
        return damage(err, FLS_INVALID_FRAME, table->offset,
                      "the pieces do not end where the table begins");
    }
    return FLS_OK;
}

static fls_status open_table(flsi_zstd_reader *reader, fls_error *err)
{
    const fls_allocator *allocator = reader->allocator;
    table_shape table;
    fls_status st = find_table(&reader->file, &table, err);
    if (st != FLS_OK) {
        return st;
    }
    reader->places =
        allocator->resize(allocator->self, NULL, 0, (table.count + 1) * sizeof *reader->places);
    if (reader->places == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for the table of a segment");
    }
    reader->count = table.count;
    return read_table(reader, &table, err);
}

static fls_status open_with(flsi_zstd_reader **reader, const flsi_file *file,
                            fls_status (*take_places)(flsi_zstd_reader *reader, fls_error *err),
                            const fls_allocator *allocator, fls_error *err)
{
    flsi_zstd_reader *made = allocator->resize(allocator->self, NULL, 0, sizeof *made);
    *reader = NULL;
    if (made == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for a compressed segment");
    }
    memset(made, 0, sizeof *made);
    made->allocator = allocator;
    made->file = flsi_file_borrow(file);
    made->loaded = SIZE_MAX;
    fls_status st = take_places(made, err);
    if (st == FLS_OK) {
        made->state = ZSTD_createDCtx();
        st = made->state != NULL ? FLS_OK
                                 : fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for zstd");
    }
    if (st != FLS_OK) {
        flsi_error_name(err, file->name);
        flsi_zstd_close(made);
        return st;
    }
    *reader = made;
    return FLS_OK;
}

fls_status flsi_zstd_open(flsi_zstd_reader **reader, const flsi_file *file,
                          const fls_allocator *allocator, fls_error *err)
{
    return open_with(reader, file, open_table, allocator, err);
}

/* A place more, behind the last one. */
static fls_status add_place(flsi_zstd_reader *reader, size_t stored, uint64_t plain, fls_error *err)
{
    const fls_allocator *allocator = reader->allocator;
    piece_place next = {stored, plain};
    if (reader->count > 0) {
        next.stored += reader->places[reader->count].stored;
        next.plain += reader->places[reader->count].plain;
    }
    size_t old = reader->places != NULL ? reader->count + 1 : 0;
    piece_place *more = allocator->resize(allocator->self, reader->places, old * sizeof *more,
                                          (reader->count + 2) * sizeof *more);
    if (more == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for the table of a segment");
    }
    if (reader->count == 0) {
        more[0] = (piece_place){0, 0};
    }
    reader->places = more;
    reader->places[++reader->count] = next;
    return FLS_OK;
}

/* The frames of a file without its table, up to what is none: each a piece. */
static fls_status find_frames(flsi_zstd_reader *reader, fls_error *err)
{
    flsi_file_info info;
    fls_status st = flsi_file_info_get(&reader->file, &info, err);
    uint64_t at = 0;
    while (st == FLS_OK && at < info.size_bytes && reader->count < FLSI_ZSTD_PIECES) {
        uint64_t left = info.size_bytes - at;
        size_t size = left < WORST_PIECE_BYTES ? (size_t)left : WORST_PIECE_BYTES;
        st = grow(&reader->stored, size, reader->allocator, err);
        st = st == FLS_OK ? read_exactly(&reader->file, at, reader->stored.data, size, err) : st;
        if (st != FLS_OK) {
            break;
        }
        size_t stored = ZSTD_findFrameCompressedSize(reader->stored.data, size);
        unsigned long long plain = ZSTD_getFrameContentSize(reader->stored.data, size);
        if (ZSTD_isError(stored) || plain == 0 || plain > FLSI_ZSTD_PIECE_LIMIT) {
            break; /* the table, or damage; what is not known is more than the limit, too */
        }
        st = add_place(reader, stored, plain, err);
        at += stored;
    }
    return st == FLS_OK && reader->count == 0
               ? damage(err, FLS_INVALID_FRAME, 0, "nothing of the compressed segment can be read")
               : st;
}

fls_status flsi_zstd_open_damaged(flsi_zstd_reader **reader, const flsi_file *file,
                                  const fls_allocator *allocator, fls_error *err)
{
    return open_with(reader, file, find_frames, allocator, err);
}

void flsi_zstd_close(flsi_zstd_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    const fls_allocator *allocator = reader->allocator;
    ZSTD_freeDCtx(reader->state);
    drop(&reader->stored, allocator);
    drop(&reader->plain, allocator);
    if (reader->places != NULL) {
        allocator->free(allocator->self, reader->places,
                        (reader->count + 1) * sizeof *reader->places);
    }
    allocator->free(allocator->self, reader, sizeof *reader);
}

uint64_t flsi_zstd_bytes(const flsi_zstd_reader *reader)
{
    return reader->places[reader->count].plain;
}

static fls_status load_piece(flsi_zstd_reader *reader, size_t index, fls_error *err)
{
    const piece_place *place = reader->places + index;
    size_t stored = (size_t)(place[1].stored - place[0].stored);
    size_t plain = (size_t)(place[1].plain - place[0].plain);
    fls_status st;
    reader->loaded = SIZE_MAX;
    if ((st = grow(&reader->stored, stored, reader->allocator, err)) != FLS_OK ||
        (st = grow(&reader->plain, plain, reader->allocator, err)) != FLS_OK ||
        (st = read_exactly(&reader->file, place->stored, reader->stored.data, stored, err)) !=
            FLS_OK) {
        return st;
    }
    size_t made =
        ZSTD_decompressDCtx(reader->state, reader->plain.data, plain, reader->stored.data, stored);
    if (ZSTD_isError(made)) {
        damage(err, FLS_INVALID_FRAME, place->stored, ZSTD_getErrorName(made));
        flsi_error_name(err, reader->file.name);
        return FLS_INVALID_FRAME;
    }
    if (made != plain) {
        damage(err, FLS_INVALID_FRAME, place->stored,
               "a piece has another size than its table says");
        flsi_error_name(err, reader->file.name);
        return FLS_INVALID_FRAME;
    }
    reader->loaded = index;
    return FLS_OK;
}

/* The piece that holds an offset below the end. */
static size_t find_piece(const flsi_zstd_reader *reader, uint64_t offset)
{
    size_t low = 0;
    size_t high = reader->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (reader->places[middle].plain <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

uint64_t flsi_zstd_piece_end(const flsi_zstd_reader *reader, uint64_t offset)
{
    return reader->places[find_piece(reader, offset) + 1].plain;
}

fls_status flsi_zstd_read_at(flsi_zstd_reader *reader, uint64_t offset, void *buffer,
                             size_t capacity, size_t *got, fls_error *err)
{
    *got = 0;
    if (offset >= flsi_zstd_bytes(reader)) {
        return FLS_END;
    }
    size_t index = reader->loaded;
    if (index == SIZE_MAX || offset < reader->places[index].plain ||
        offset >= reader->places[index + 1].plain) {
        index = find_piece(reader, offset);
        fls_status st = load_piece(reader, index, err);
        if (st != FLS_OK) {
            return st;
        }
    }
    size_t skip = (size_t)(offset - reader->places[index].plain);
    uint64_t left = reader->places[index + 1].plain - offset;
    size_t size = left < capacity ? (size_t)left : capacity;
    memcpy(buffer, reader->plain.data + skip, size);
    *got = size;
    return FLS_OK;
}

/* ---- writing ---- */

static fls_status start_state(flsi_zstd_writer *writer, int level, fls_error *err)
{
    writer->state = ZSTD_createCCtx();
    if (writer->state == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for zstd");
    }
    size_t first = ZSTD_CCtx_setParameter(writer->state, ZSTD_c_compressionLevel, level);
    size_t second = ZSTD_CCtx_setParameter(writer->state, ZSTD_c_checksumFlag, 1);
    if (ZSTD_isError(first) || ZSTD_isError(second)) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "zstd does not know this level");
    }
    return FLS_OK;
}

fls_status flsi_zstd_begin(flsi_zstd_writer **writer, const flsi_file *file, int level,
                           const fls_allocator *allocator, fls_error *err)
{
    *writer = NULL;
    if (level < ZSTD_minCLevel() || level > ZSTD_maxCLevel()) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "zstd does not know this level");
    }
    flsi_zstd_writer *made = allocator->resize(allocator->self, NULL, 0, sizeof *made);
    if (made == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for a compressed segment");
    }
    memset(made, 0, sizeof *made);
    made->allocator = allocator;
    made->file = flsi_file_borrow(file);
    fls_status st = start_state(made, level, err);
    if (st != FLS_OK) {
        flsi_zstd_free(made);
        return st;
    }
    *writer = made;
    return FLS_OK;
}

/* Room in the table for one piece more and for the footer; doubled when it is full. */
static fls_status grow_table(flsi_zstd_writer *writer, fls_error *err)
{
    size_t needed = TABLE_HEADER_BYTES + ((size_t)writer->count + 1) * ENTRY_BYTES + FOOTER_BYTES;
    if (needed <= writer->table.capacity) {
        return FLS_OK;
    }
    size_t twice = 2 * writer->table.capacity;
    size_t first = TABLE_HEADER_BYTES + FIRST_TABLE_PIECES * ENTRY_BYTES + FOOTER_BYTES;
    return grow(&writer->table, twice > first ? twice : first, writer->allocator, err);
}

fls_status flsi_zstd_put(flsi_zstd_writer *writer, const void *data, size_t size, fls_error *err)
{
    fls_status st;
    if (size == 0 || size > FLSI_ZSTD_PIECE_LIMIT || writer->count == FLSI_ZSTD_PIECES) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "a piece has no bytes or too many, or there are too many pieces");
    }
    if ((st = grow_table(writer, err)) != FLS_OK ||
        (st = grow(&writer->stored, ZSTD_compressBound(size), writer->allocator, err)) != FLS_OK) {
        return st;
    }
    size_t made =
        ZSTD_compress2(writer->state, writer->stored.data, writer->stored.capacity, data, size);
    if (ZSTD_isError(made)) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, ZSTD_getErrorName(made));
    }
    st = write_all(&writer->file, writer->offset, writer->stored.data, made, err);
    if (st != FLS_OK) {
        return st;
    }
    uint8_t *entry = writer->table.data + TABLE_HEADER_BYTES + (size_t)writer->count * ENTRY_BYTES;
    flsi_store_le32(entry, (uint32_t)made);
    flsi_store_le32(entry + 4, (uint32_t)size);
    writer->count++;
    writer->offset += made;
    return FLS_OK;
}

fls_status flsi_zstd_end(flsi_zstd_writer *writer, uint64_t *file_bytes, fls_error *err)
{
    fls_status st = grow_table(writer, err);
    if (st != FLS_OK) {
        return st;
    }
    size_t entries = (size_t)writer->count * ENTRY_BYTES;
    size_t size = TABLE_HEADER_BYTES + entries + FOOTER_BYTES;
    uint8_t *footer = writer->table.data + TABLE_HEADER_BYTES + entries;
    flsi_store_le32(writer->table.data, TABLE_MAGIC);
    flsi_store_le32(writer->table.data + 4, (uint32_t)(entries + FOOTER_BYTES));
    flsi_store_le32(footer, writer->count);
    footer[4] = 0;
    flsi_store_le32(footer + 5, FOOTER_MAGIC);
    st = write_all(&writer->file, writer->offset, writer->table.data, size, err);
    if (st == FLS_OK) {
        *file_bytes = writer->offset + size;
    }
    return st;
}

void flsi_zstd_free(flsi_zstd_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    const fls_allocator *allocator = writer->allocator;
    ZSTD_freeCCtx(writer->state);
    drop(&writer->stored, allocator);
    drop(&writer->table, allocator);
    allocator->free(allocator->self, writer, sizeof *writer);
}

#else

int flsi_zstd_is_there(void)
{
    return 0;
}

static fls_status without_zstd(fls_error *err)
{
    return fls_error_set(err, FLS_UNSUPPORTED, 0, "this library was built without zstd");
}

fls_status flsi_zstd_open(flsi_zstd_reader **reader, const flsi_file *file,
                          const fls_allocator *allocator, fls_error *err)
{
    (void)allocator;
    *reader = NULL;
    fls_status st = without_zstd(err);
    flsi_error_name(err, file->name);
    return st;
}

fls_status flsi_zstd_open_damaged(flsi_zstd_reader **reader, const flsi_file *file,
                                  const fls_allocator *allocator, fls_error *err)
{
    return flsi_zstd_open(reader, file, allocator, err);
}

uint64_t flsi_zstd_piece_end(const flsi_zstd_reader *reader, uint64_t offset)
{
    (void)reader;
    return offset;
}

void flsi_zstd_close(flsi_zstd_reader *reader)
{
    (void)reader;
}

uint64_t flsi_zstd_bytes(const flsi_zstd_reader *reader)
{
    (void)reader;
    return 0;
}

fls_status flsi_zstd_read_at(flsi_zstd_reader *reader, uint64_t offset, void *buffer,
                             size_t capacity, size_t *got, fls_error *err)
{
    (void)reader;
    (void)offset;
    (void)buffer;
    (void)capacity;
    *got = 0;
    return without_zstd(err);
}

fls_status flsi_zstd_begin(flsi_zstd_writer **writer, const flsi_file *file, int level,
                           const fls_allocator *allocator, fls_error *err)
{
    (void)file;
    (void)level;
    (void)allocator;
    *writer = NULL;
    return without_zstd(err);
}

fls_status flsi_zstd_put(flsi_zstd_writer *writer, const void *data, size_t size, fls_error *err)
{
    (void)writer;
    (void)data;
    (void)size;
    return without_zstd(err);
}

fls_status flsi_zstd_end(flsi_zstd_writer *writer, uint64_t *file_bytes, fls_error *err)
{
    (void)writer;
    (void)file_bytes;
    return without_zstd(err);
}

void flsi_zstd_free(flsi_zstd_writer *writer)
{
    (void)writer;
}

#endif
