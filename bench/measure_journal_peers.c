/* The journal against what else one would log messages with: RocksDB's write-ahead log (messages
 * that go into the log and nowhere else) and SQLite in WAL mode, each at the same durability.
 *
 *   os     each call has handed its messages to the operating system: they survive the process
 *   sync   each call has made its messages durable
 *
 * A call is of one message or of 64: a write batch, a transaction, fls_journal_append_batch.
 */
#include <string.h>
#include <sys/stat.h>

#include "journal_bench.h"

#ifdef FLS_BENCH_ROCKSDB
#include <rocksdb/c.h>
#endif
#ifdef FLS_BENCH_SQLITE
#include <sqlite3.h>
#endif

typedef struct peer_road {
    const bench_pool *pool;
    size_t messages;
    size_t batch;
    bool sync;
    const char *path;
    fls_journal *journal;
#ifdef FLS_BENCH_ROCKSDB
    rocksdb_options_t *options;
    rocksdb_writeoptions_t *writing;
    rocksdb_writebatch_t *batched;
    rocksdb_t *rocks;
#endif
#ifdef FLS_BENCH_SQLITE
    sqlite3 *lite;
    sqlite3_stmt *insert;
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
#endif
} peer_road;

static inline const uint8_t *payload_of(const peer_road *road, size_t i)
{
    return road->pool->bytes + i % road->pool->count * road->pool->payload_bytes;
}

/* ---- ours ---- */

static void open_ours(void *self)
{
    peer_road *road = self;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    if (road->sync) {
        options.sync = FLS_JOURNAL_SYNC_ALWAYS;
    } else {
        options.write_through = 1;
    }
    road->journal = journal_open(road->path, &options);
}

static uint64_t run_ours(void *self)
{
    peer_road *road = self;
    if (road->batch == 1) {
        journal_append(road->journal, road->pool, road->messages);
    } else {
        journal_append_batches(road->journal, road->pool, road->messages);
    }
    return road->sync ? fls_journal_durable(road->journal) : fls_journal_written(road->journal);
}

static void close_ours(void *self)
{
    peer_road *road = self;
    fls_journal_abandon(road->journal);
    journal_remove(road->path);
}

/* ---- RocksDB ---- */

#ifdef FLS_BENCH_ROCKSDB
static void rocks_must(char *failure)
{
    if (failure != NULL) {
        bench_fail("RocksDB: %s", failure);
    }
}

static void open_rocks(void *self)
{
    peer_road *road = self;
    char *failure = NULL;
    road->options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(road->options, 1);
    road->rocks = rocksdb_open(road->options, road->path, &failure);
    rocks_must(failure);
    road->writing = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(road->writing, road->sync);
    road->batched = rocksdb_writebatch_create();
}

static uint64_t run_rocks(void *self)
{
    peer_road *road = self;
    char *failure = NULL;
    for (size_t done = 0; done < road->messages;) {
        size_t count = road->messages - done < road->batch ? road->messages - done : road->batch;
        rocksdb_writebatch_clear(road->batched);
        for (size_t i = 0; i < count; i++) {
            rocksdb_writebatch_put_log_data(road->batched, (const char *)payload_of(road, done + i),
                                            bench_opaque(road->pool->payload_bytes));
        }
        rocksdb_write(road->rocks, road->writing, road->batched, &failure);
        rocks_must(failure);
        done += count;
    }
    return road->messages;
}

static void close_rocks(void *self)
{
    peer_road *road = self;
    rocksdb_writebatch_destroy(road->batched);
    rocksdb_writeoptions_destroy(road->writing);
    rocksdb_close(road->rocks);
    rocksdb_options_destroy(road->options);
    journal_remove(road->path);
}
#endif

/* ---- SQLite ---- */

#ifdef FLS_BENCH_SQLITE
static void lite_must(peer_road *road, int result)
{
    if (result != SQLITE_OK && result != SQLITE_DONE && result != SQLITE_ROW) {
        bench_fail("SQLite: %s", sqlite3_errmsg(road->lite));
    }
}

static sqlite3_stmt *prepare(peer_road *road, const char *text)
{
    sqlite3_stmt *statement = NULL;
    lite_must(road, sqlite3_prepare_v2(road->lite, text, -1, &statement, NULL));
    return statement;
}

static void open_lite(void *self)
{
    peer_road *road = self;
    char path[600];
    (void)mkdir(road->path, 0700);
    (void)snprintf(path, sizeof path, "%s/log.db", road->path);
    lite_must(road, sqlite3_open(path, &road->lite));
    lite_must(road, sqlite3_exec(road->lite, "PRAGMA journal_mode=WAL", NULL, NULL, NULL));
    lite_must(road, sqlite3_exec(road->lite,
                                 road->sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF",
                                 NULL, NULL, NULL));
    lite_must(road,
              sqlite3_exec(road->lite, "CREATE TABLE log(id INTEGER PRIMARY KEY, payload BLOB)",
                           NULL, NULL, NULL));
    road->insert = prepare(road, "INSERT INTO log(payload) VALUES(?)");
    road->begin = prepare(road, "BEGIN");
    road->commit = prepare(road, "COMMIT");
}

static void step(peer_road *road, sqlite3_stmt *statement)
{
    lite_must(road, sqlite3_step(statement));
    lite_must(road, sqlite3_reset(statement));
}

static uint64_t run_lite(void *self)
{
    peer_road *road = self;
    for (size_t i = 0; i < road->messages; i++) {
        if (road->batch > 1 && i % road->batch == 0) {
            step(road, road->begin);
        }
        lite_must(road,
                  sqlite3_bind_blob(road->insert, 1, payload_of(road, i),
                                    (int)bench_opaque(road->pool->payload_bytes), SQLITE_STATIC));
        step(road, road->insert);
        if (road->batch > 1 && (i % road->batch == road->batch - 1 || i + 1 == road->messages)) {
            step(road, road->commit);
        }
    }
    return (uint64_t)sqlite3_last_insert_rowid(road->lite);
}

static void close_lite(void *self)
{
    peer_road *road = self;
    (void)sqlite3_finalize(road->insert);
    (void)sqlite3_finalize(road->begin);
    (void)sqlite3_finalize(road->commit);
    (void)sqlite3_close(road->lite);
    journal_remove(road->path);
}
#endif

/* ---- rows ---- */

static size_t messages_of(bool sync, size_t batch)
{
    if (bench_given()->smoke) {
        return 2 * BATCH;
    }
    return sync ? (batch == 1 ? 300 : 200 * BATCH) : (batch == 1 ? 20000 : 1000 * BATCH);
}

static void measure(const bench_table *table, const bench_pool *pool, bool sync, size_t batch)
{
    bench_competitor competitors[3];
    peer_road ours;
    char variant[24];
    size_t count = 0;
    (void)snprintf(variant, sizeof variant, "%s, %zu", sync ? "sync" : "os", batch);
    if (!bench_wanted(table, pool->payload_bytes, variant)) {
        return;
    }
    memset(&ours, 0, sizeof ours);
    ours.pool = pool;
    ours.batch = batch;
    ours.sync = sync;
    ours.messages = messages_of(sync, batch);
    ours.path = journal_path("journal");
#ifdef FLS_BENCH_ROCKSDB
    peer_road rocks = ours;
    rocks.path = journal_path("rocksdb");
    competitors[count++] = (bench_competitor){
        "RocksDB", BENCH_LIMIT | BENCH_SHOWN, open_rocks, run_rocks, close_rocks, &rocks};
#endif
#ifdef FLS_BENCH_SQLITE
    peer_road lite = ours;
    lite.path = journal_path("sqlite");
    competitors[count++] = (bench_competitor){
        "SQLite", BENCH_LIMIT | BENCH_SHOWN, open_lite, run_lite, close_lite, &lite};
#endif
    if (count == 0) {
        return;
    }
    competitors[count++] = (bench_competitor){
        "journal", BENCH_SHOWN | BENCH_JUDGED, open_ours, run_ours, close_ours, &ours};
    bench_row row = {pool->payload_bytes,   variant,
                     (double)ours.messages, (double)(ours.messages * pool->payload_bytes),
                     ours.messages,         1.0,
                     competitors,           count};
    bench_row_run(&row);
}

void bench_journal_peers(void)
{
    static const size_t sizes[] = {100, 1024};
    static const size_t batches[] = {1, BATCH};
    static const bench_table table = {
        "journal-peers",
        "Against RocksDB's write-ahead log and SQLite in WAL mode",
        "os: handed to the system at each call; sync: durable at each call; messages a call; goal: "
        "faster than each",
        "durability",
        "fastest",
        7,
        true,
        true,
        false,
        {"RocksDB", "SQLite", "journal"}};
    bench_table_begin(&table);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        bench_pool pool;
        bench_pool_init(&pool, sizes[i], POOL_BYTES);
        for (size_t k = 0; k < sizeof batches / sizeof batches[0]; k++) {
            measure(&table, &pool, false, batches[k]);
            measure(&table, &pool, true, batches[k]);
        }
        bench_pool_fini(&pool);
    }
}
