/* The files of a sorter: sorted runs, one behind another, and large messages; see sort_private.h.
 */
#include "core/bytes.h"
#include "flatstream/checksum.h"
#include "io/io_file.h"
#include "os/os_temporary.h"
#include "stream/sort_private.h"

/* Between two questions whether to go on. */
#define RECORDS_BETWEEN 8192u

#define PAGE_BYTES 4096u

static fls_status need_file(const fls_sorter *sorter, flsi_file *file, fls_error *err)
{
    return file->fd >= 0 ? FLS_OK
                         : flsi_file_open_temporary(file, sorter->directory, sorter->calls, err);
}

fls_status flsi_sort_damaged(const flsi_file *file, fls_error *err)
{
    (void)fls_error_set(err, FLS_IO, 0, "a temporary file does not have what was written to it");
    if (err != NULL) {
        memcpy(err->name, file->name, sizeof err->name);
    }
    return FLS_IO;
}

/* ---- runs ---- */

/* Where a run begins: at a page, unless it goes on where another ended. Readers and writers see to
 * it that memory and file agree in their places within a page, since copies are slow otherwise. */
static fls_status find_place(const flsi_file *file, int joined, uint64_t *offset, fls_error *err)
{
    fls_status status = flsi_file_seek_end(file, offset, err);
    uint64_t over = *offset % PAGE_BYTES;
    if (status == FLS_OK && !joined && over > 0) {
        *offset += PAGE_BYTES - over;
        status = flsi_file_truncate(file, *offset, err);
    }
    return status;
}

fls_status flsi_sort_run_begin(fls_sorter *sorter, uint16_t file, int joined, fls_writer **writer,
                               flsi_sort_run *run, fls_error *err)
{
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    fls_sink sink;
    *run = (flsi_sort_run){.file = file};
    *writer = NULL;
    fls_status status = need_file(sorter, &sorter->files[file], err);
    if (status == FLS_OK) {
        status = find_place(&sorter->files[file], joined, &run->offset, err);
    }
    if (status == FLS_OK) {
        flsi_file borrowed = flsi_file_borrow(&sorter->files[file]);
        status = flsi_sink_from_file(&sink, &borrowed, err);
    }
    if (status == FLS_OK) {
        options.max_frame_bytes = UINT32_MAX;
        options.buffer_bytes = sorter->buffer_bytes;
        options.first_offset = run->offset;
        options.allocator = sorter->allocator;
        status = fls_writer_open(writer, sink, &options, err);
    }
    return status;
}

fls_status flsi_sort_run_end(fls_sorter *sorter, fls_writer *writer, flsi_sort_run *run,
                             fls_error *err)
{
    run->bytes = fls_writer_offset(writer) - run->offset;
    run->records = fls_writer_messages(writer);
    sorter->tally.spilled_bytes += run->bytes;
    return fls_writer_close(writer, err);
}

static fls_status write_block(fls_sorter *sorter, const flsi_sort_block *block,
                              const flsi_sort_entry *entries, fls_writer *writer,
                              flsi_sort_run *run, fls_error *err)
{
    fls_status status = FLS_OK;
    size_t size;
    for (size_t i = 0; i < block->count && status == FLS_OK; i++) {
        if (i + FLSI_SORT_AHEAD < block->count) {
            flsi_sort_block_expect(block, &entries[i + FLSI_SORT_AHEAD]);
        }
        if (i % RECORDS_BETWEEN == 0) {
            status = flsi_sort_go_on(sorter, err);
        }
        if (status == FLS_OK) {
            const uint8_t *record = flsi_sort_block_record(block, &entries[i], &size);
            run->largest = size > run->largest ? (uint32_t)size : run->largest;
            status = fls_writer_write(writer, record, size, err);
        }
    }
    return status;
}

/* Whether what is in the block goes on where the last run ended. */
static int goes_on(const fls_sorter *sorter, const flsi_sort_block *block,
                   const flsi_sort_entry *entries)
{
    flsi_sort_record first;
    size_t size;
    const uint8_t *bytes = flsi_sort_block_record(block, &entries[0], &size);
    (void)flsi_sort_record_read(&first, bytes, size);
    return sorter->run_count > 0 &&
           flsi_sort_key_compare(&sorter->last_key, &first.key, sorter->descending) <= 0;
}

static fls_status keep_last_key(fls_sorter *sorter, const flsi_sort_block *block,
                                const flsi_sort_entry *entries, fls_error *err)
{
    flsi_sort_record last;
    size_t size;
    void *text = sorter->last_text;
    const uint8_t *bytes = flsi_sort_block_record(block, &entries[block->count - 1], &size);
    (void)flsi_sort_record_read(&last, bytes, size);
    fls_status status =
        flsi_sort_grow(sorter, &text, &sorter->last_room, last.key.text_size, 1, err);
    sorter->last_text = text;
    if (status == FLS_OK) {
        sorter->last_key = last.key;
        sorter->last_key.text = sorter->last_text;
        if (last.key.text_size > 0) {
            memcpy(sorter->last_text, last.key.text, last.key.text_size);
        }
    }
    return status;
}

static fls_status note_run(fls_sorter *sorter, const flsi_sort_run *run, int joined, fls_error *err)
{
    if (joined) {
        flsi_sort_run *before = &sorter->runs[sorter->run_count - 1];
        before->bytes += run->bytes;
        before->records += run->records;
        before->is_plain &= run->is_plain;
        before->largest = run->largest > before->largest ? run->largest : before->largest;
        return FLS_OK;
    }
    void *runs = sorter->runs;
    fls_status status = flsi_sort_grow(sorter, &runs, &sorter->run_room, sorter->run_count + 1,
                                       sizeof *sorter->runs, err);
    sorter->runs = runs;
    if (status == FLS_OK) {
        sorter->runs[sorter->run_count++] = *run;
        sorter->tally.runs++;
    }
    return status;
}

fls_status flsi_sort_spill(fls_sorter *sorter, flsi_sort_block *block, fls_error *err)
{
    flsi_sort_run run;
    fls_writer *writer;
    const flsi_sort_entry *entries = flsi_sort_block_sort(block, sorter->descending);
    int joined = goes_on(sorter, block, entries);
    fls_status status = flsi_sort_run_begin(sorter, 0, joined, &writer, &run, err);
    if (status != FLS_OK) {
        return status;
    }
    run.is_plain = !block->has_more && !block->has_group;
    status = write_block(sorter, block, entries, writer, &run, err);
    if (status != FLS_OK) {
        fls_writer_abort(writer);
        return status;
    }
    status = flsi_sort_run_end(sorter, writer, &run, err);
    if (status == FLS_OK) {
        status = note_run(sorter, &run, joined, err);
    }
    if (status == FLS_OK) {
        status = keep_last_key(sorter, block, entries, err);
    }
    flsi_sort_block_clear(block);
    return status;
}

/* ---- large messages ---- */

fls_status flsi_sort_set_aside(fls_sorter *sorter, const void *payload, size_t size,
                               uint64_t *offset, fls_error *err)
{
    uint8_t header[FLS_MAX_HEADER_BYTES];
    size_t written;
    uint64_t digest = fls_checksum_digest(FLS_CHECKSUM_XXH3, payload, size);
    size_t header_bytes = fls_frame_encode_header(header, (uint32_t)size, digest, 8);
    const fls_span spans[] = {{header, header_bytes}, {payload, size}};
    *offset = sorter->aside_end;
    fls_status status = need_file(sorter, &sorter->aside, err);
    if (status == FLS_OK) {
        status = flsi_file_write_all_at(&sorter->aside, *offset, spans, 2, &written, err);
    }
    if (status == FLS_OK) {
        sorter->aside_end += (uint64_t)header_bytes + size;
        sorter->set_aside++;
    }
    return status;
}

fls_status flsi_sort_fetch(fls_sorter *sorter, const uint8_t *reference, fls_message *message,
                           fls_error *err)
{
    uint64_t offset = flsi_load_le64(reference);
    size_t size = (size_t)flsi_load_le64(reference + 8);
    size_t whole = size + FLS_LENGTH_BYTES + 8;
    size_t got;
    uint32_t payload_bytes;
    uint64_t digest;
    if (sorter->large_room < whole) { /* what is in it is not needed */
        sorter->allocator->free(sorter->allocator->self, sorter->large, sorter->large_room);
        sorter->large_room = 0;
        sorter->large = sorter->allocator->resize(sorter->allocator->self, NULL, 0, whole);
        if (sorter->large == NULL) {
            return fls_error_set(err, FLS_NO_MEMORY, 0, NULL);
        }
        sorter->large_room = whole;
    }
    fls_status status =
        flsi_file_read_all_at(&sorter->aside, offset, sorter->large, whole, &got, err);
    if (status != FLS_OK) {
        return status;
    }
    if (got != whole ||
        fls_frame_decode_header(sorter->large, whole, 8, &payload_bytes, &digest) != FLS_OK ||
        payload_bytes != size ||
        fls_checksum_digest(FLS_CHECKSUM_XXH3, sorter->large + FLS_LENGTH_BYTES + 8, size) !=
            digest) {
        return flsi_sort_damaged(&sorter->aside, err);
    }
    message->payload = sorter->large + FLS_LENGTH_BYTES + 8;
    message->size = size;
    return FLS_OK;
}
