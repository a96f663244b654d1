/* The plain writer, the journal and a bare file as roads; see journal_roads.h. */
#include "journal_roads.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void journal_must(int holds, const char *what)
{
    if (!holds) {
        bench_fail("%s failed", what);
    }
}

void journal_road_init(journal_road *road, const bench_pool *pool, size_t bytes, const char *path)
{
    size_t frame_bytes = bench_frame_bytes(pool->payload_bytes, FLS_CHECKSUM_XXH3);
    memset(road, 0, sizeof *road);
    road->pool = pool;
    road->messages = bytes / frame_bytes;
    road->bytes = road->messages * frame_bytes;
    road->path = path;
    road->options = (fls_journal_options)FLS_JOURNAL_OPTIONS_INIT;
    road->options.checksum = FLS_CHECKSUM_XXH3;
    road->append = journal_append;
}

journal_road journal_road_in_batches(const journal_road *road)
{
    journal_road other = *road;
    other.append = journal_append_batches;
    return other;
}

/* ---- the plain writer ---- */

void road_open_writer(void *self)
{
    journal_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = FLS_CHECKSUM_XXH3;
    bench_must(fls_writer_open_file(&road->writer, road->path, &options, &err), &err,
               "fls_writer_open_file");
}

uint64_t road_run_writer(void *self)
{
    journal_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    for (size_t i = 0; i < road->messages; i++) {
        size_t size = bench_opaque(road->pool->payload_bytes);
        const uint8_t *payload =
            road->pool->bytes + i % road->pool->count * road->pool->payload_bytes;
        fls_status status = fls_writer_write(road->writer, payload, size, &err);
        if (status != FLS_OK) {
            bench_must(status, &err, "fls_writer_write");
        }
    }
    bench_must(fls_writer_flush(road->writer, &err), &err, "fls_writer_flush");
    return fls_writer_offset(road->writer);
}

void road_close_writer(void *self)
{
    journal_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    bench_must(fls_writer_close(road->writer, &err), &err, "fls_writer_close");
    journal_remove(road->path);
}

/* ---- the journal ---- */

void road_open_journal(void *self)
{
    journal_road *road = self;
    road->journal = journal_open(road->path, &road->options);
}

uint64_t road_run_journal(void *self)
{
    journal_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
    road->append(road->journal, road->pool, road->messages);
    if (road->durable) {
        bench_must(fls_journal_sync_now(road->journal, &err), &err, "fls_journal_sync_now");
    } else {
        bench_must(fls_journal_flush(road->journal, &err), &err, "fls_journal_flush");
    }
    fls_journal_get_figures(road->journal, &figures);
    uint64_t reached = road->durable ? figures.durable_ordinal : figures.written_ordinal;
    return reached == road->messages ? figures.appended_bytes : 0;
}

void road_close_journal(void *self)
{
    journal_road *road = self;
    fls_journal_abandon(road->journal);
    journal_remove(road->path);
}

/* What is in the journal is what was appended. */
static void read_back(const journal_road *road, const char *name)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_reader *reader;
    fls_message message;
    fls_status status;
    uint64_t count = 0;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    options.visibility = FLS_JOURNAL_WRITTEN;
    bench_must(fls_journal_reader_open(&reader, road->path, &options, &err), &err, name);
    while ((status = fls_journal_reader_next(reader, &message, &err)) == FLS_OK) {
        const uint8_t *wanted =
            road->pool->bytes + count % road->pool->count * road->pool->payload_bytes;
        if (message.ordinal != count || message.size != road->pool->payload_bytes ||
            memcmp(message.payload, wanted, message.size) != 0) {
            bench_fail("%s: message %llu is another one", name, (unsigned long long)count);
        }
        count++;
    }
    if (status != FLS_END || count != road->messages) {
        bench_fail("%s: %llu of %zu messages, then %s", name, (unsigned long long)count,
                   road->messages, fls_status_name(status));
    }
    fls_journal_reader_close(reader);
}

void journal_road_check(journal_road *road, const char *name)
{
    road_open_journal(road);
    if (road_run_journal(road) != road->bytes) {
        bench_fail("%s: not all was taken", name);
    }
    read_back(road, name);
    road_close_journal(road);
}

/* ---- a bare file ---- */

void road_open_bare(void *self)
{
    journal_road *road = self;
    road->fd = open(road->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    journal_must(road->fd >= 0, "open(2)");
}

void road_close_bare(void *self)
{
    journal_road *road = self;
    (void)close(road->fd);
    journal_remove(road->path);
}
