/* Merging runs: as many at once as there is memory for, by a tree of losers, in which each record
 * costs one comparison a level. Equal keys come in the order of their runs, which is that in which
 * the records were given.
 */
#include "core/bytes.h"
#include "stream/sort_private.h"

/* Runs at once, however much memory there is. */
#define MOST_LANES 512u

#define RECORDS_BETWEEN 8192u

/* What a reader has beside its buffer, and the system's allocator beside that. */
#define READER_BYTES ((size_t)8 * 1024)

/* ---- what a run takes ---- */

/* So much that no record makes the reader's buffer grow. */
static size_t buffer_of(const fls_sorter *sorter, const flsi_sort_run *run)
{
    size_t frame = (size_t)run->largest + FLS_MAX_HEADER_BYTES;
    return frame > sorter->buffer_bytes ? frame : sorter->buffer_bytes;
}

static size_t lane_bytes(const fls_sorter *sorter, const flsi_sort_run *run)
{
    const size_t head_room = (size_t)16 * 1024;
    size_t buffer = buffer_of(sorter, run);
    return buffer + buffer / 2 + (buffer / 4 < head_room ? buffer / 4 : head_room) + READER_BYTES +
           sizeof(flsi_sort_lane) + FLSI_SORT_BATCH * sizeof(fls_message);
}

/* How many of the runs can be merged at once: two at least, if there are so many. */
static size_t at_once(const fls_sorter *sorter, const flsi_sort_run *runs, size_t count)
{
    size_t left = sorter->memory - sorter->memory / 8;
    if (sorter->crew.is_there) { /* two slabs of the largest record, or more of less */
        left -= sorter->memory / 8;
    }
    size_t fits = 0;
    while (fits < count && fits < MOST_LANES) {
        size_t bytes = lane_bytes(sorter, &runs[fits]);
        if (bytes > left && fits >= 2) {
            break;
        }
        left -= bytes < left ? bytes : left;
        fits++;
    }
    return fits;
}

/* ---- lanes ---- */

static fls_status read_run(void *self, void *buffer, size_t capacity, size_t *got, fls_error *err)
{
    flsi_sort_lane *lane = self;
    *got = 0;
    if (lane->place == lane->end) {
        return FLS_END;
    }
    if (capacity > lane->end - lane->place) {
        capacity = (size_t)(lane->end - lane->place);
    }
    fls_status status = flsi_file_read_at(lane->file, lane->place, buffer, capacity, got, err);
    lane->place += *got;
    return status;
}

static const fls_source_ops run_ops = {
    .struct_bytes = sizeof(fls_source_ops),
    .read = read_run,
};

/* On to the next record of a lane that has one. */
static fls_status load(flsi_sort_lane *lane, fls_error *err)
{
    if (lane->next == lane->count) {
        lane->next = 0;
        fls_status status =
            fls_reader_next_batch(lane->reader, lane->messages, FLSI_SORT_BATCH, &lane->count, err);
        if (status != FLS_OK) {
            return fls_status_class_of(status) == FLS_CLASS_SYSTEM
                       ? status
                       : flsi_sort_damaged(lane->file, err);
        }
    }
    const fls_message *message = &lane->messages[lane->next];
    if (lane->next + 1 < lane->count) {
        flsi_sort_expect(message[1].payload);
    }
    return flsi_sort_record_read(&lane->record, message->payload, message->size)
               ? FLS_OK
               : flsi_sort_damaged(lane->file, err);
}

static fls_status open_lane(fls_sorter *sorter, flsi_sort_lane *lane, const flsi_sort_run *run,
                            fls_error *err)
{
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    fls_source source = {&run_ops, lane};
    lane->file = &sorter->files[run->file];
    lane->place = run->offset;
    lane->end = run->offset + run->bytes;
    lane->left = run->records;
    options.checksum = FLS_CHECKSUM_XXH3;
    options.max_frame_bytes = run->largest;
    options.buffer_bytes = buffer_of(sorter, run);
    options.allocator = sorter->allocator;
    fls_status status = fls_reader_open(&lane->reader, source, &options, err);
    return status == FLS_OK ? load(lane, err) : status;
}

/* ---- the tree ---- */

static size_t lane_of(const flsi_sort_node *node)
{
    return node->lane & ~FLSI_SORT_ENDED;
}

static flsi_sort_node node_of(const flsi_sort_merge *merge, size_t number)
{
    const flsi_sort_lane *lane = &merge->lanes[number];
    if (lane->left == 0) {
        return (flsi_sort_node){UINT64_MAX, (uint32_t)number | FLSI_SORT_ENDED, UINT8_MAX};
    }
    return (flsi_sort_node){lane->record.key.number, (uint32_t)number, lane->record.key.group};
}

static int comes_before(const fls_sorter *sorter, const flsi_sort_node *a, const flsi_sort_node *b)
{
    const flsi_sort_lane *lanes = sorter->merge.lanes;
    int order;
    if (sorter->merge.is_plain || ((a->lane | b->lane) & FLSI_SORT_ENDED) != 0) {
        order = (a->number > b->number) - (a->number < b->number);
        order = a->group != b->group ? (a->group < b->group ? -1 : 1) : order;
    } else {
        order = flsi_sort_key_compare(&lanes[a->lane].record.key, &lanes[b->lane].record.key,
                                      sorter->descending);
    }
    return order != 0 ? order < 0 : a->lane < b->lane;
}

/* Plays the matches below a node: leaves are nodes lane_count and up. Returns the winner. */
static flsi_sort_node play(fls_sorter *sorter, size_t node)
{
    size_t leaves = sorter->merge.lane_count;
    if (node >= leaves) {
        return node_of(&sorter->merge, node - leaves);
    }
    flsi_sort_node a = play(sorter, 2 * node);
    flsi_sort_node b = play(sorter, 2 * node + 1);
    int first = comes_before(sorter, &a, &b);
    sorter->merge.tree[node] = first ? b : a;
    return first ? a : b;
}

/* Numbers alone, without branches: which of two it is cannot be foretold. */
static void play_plain(flsi_sort_merge *merge, size_t lane)
{
    flsi_sort_node *tree = merge->tree;
    flsi_sort_node winner = node_of(merge, lane);
    for (size_t at = (lane + merge->lane_count) / 2; at > 0; at /= 2) {
        uint64_t number = tree[at].number;
        uint32_t from = tree[at].lane;
        int swaps = (number < winner.number) | ((number == winner.number) & (from < winner.lane));
        uint64_t numbers = (winner.number ^ number) & (0 - (uint64_t)swaps);
        uint32_t lanes = (winner.lane ^ from) & (0 - (uint32_t)swaps);
        tree[at].number = number ^ numbers;
        tree[at].lane = from ^ lanes;
        winner.number ^= numbers;
        winner.lane ^= lanes;
    }
    tree[0] = winner;
}

static void play_again(fls_sorter *sorter)
{
    flsi_sort_merge *merge = &sorter->merge;
    size_t lane = lane_of(&merge->tree[0]);
    if (merge->is_plain) {
        play_plain(merge, lane);
        return;
    }
    flsi_sort_node winner = node_of(merge, lane);
    for (size_t at = (lane + merge->lane_count) / 2; at > 0; at /= 2) {
        if (comes_before(sorter, &merge->tree[at], &winner)) {
            flsi_sort_node loser = winner;
            winner = merge->tree[at];
            merge->tree[at] = loser;
        }
    }
    merge->tree[0] = winner;
}

/* ---- merging ---- */

static size_t merge_bytes(size_t lanes)
{
    return lanes * (sizeof(flsi_sort_lane) + FLSI_SORT_BATCH * sizeof(fls_message) +
                    sizeof(flsi_sort_node));
}

void flsi_sort_merge_end(fls_sorter *sorter)
{
    flsi_sort_merge *merge = &sorter->merge;
    for (size_t i = 0; i < merge->lane_count; i++) {
        fls_reader_close(merge->lanes[i].reader);
    }
    if (merge->lanes != NULL) {
        sorter->allocator->free(sorter->allocator->self, merge->lanes,
                                merge_bytes(merge->lane_count));
    }
    memset(merge, 0, sizeof *merge);
}

fls_status flsi_sort_merge_begin(fls_sorter *sorter, const flsi_sort_run *runs, size_t count,
                                 fls_error *err)
{
    flsi_sort_merge *merge = &sorter->merge;
    void *memory = sorter->allocator->resize(sorter->allocator->self, NULL, 0, merge_bytes(count));
    if (memory == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, NULL);
    }
    memset(memory, 0, merge_bytes(count));
    merge->lanes = memory;
    merge->lane_count = count;
    merge->taken = 0;
    merge->is_plain = 1;
    fls_message *messages = (fls_message *)(void *)(merge->lanes + count);
    merge->tree = (flsi_sort_node *)(void *)(messages + count * FLSI_SORT_BATCH);
    for (size_t i = 0; i < count; i++) {
        merge->lanes[i].messages = messages + i * FLSI_SORT_BATCH;
        merge->is_plain &= runs[i].is_plain;
        fls_status status = open_lane(sorter, &merge->lanes[i], &runs[i], err);
        if (status != FLS_OK) {
            flsi_sort_merge_end(sorter);
            return status;
        }
    }
    merge->tree[0] = play(sorter, 1);
    if (count > sorter->tally.fan_in) {
        sorter->tally.fan_in = (uint32_t)count;
    }
    return FLS_OK;
}

fls_status flsi_sort_merge_next(fls_sorter *sorter, const flsi_sort_record **record,
                                fls_span *bytes, fls_error *err)
{
    flsi_sort_merge *merge = &sorter->merge;
    flsi_sort_lane *lane = &merge->lanes[lane_of(&merge->tree[0])];
    *record = NULL;
    if (merge->taken) {
        lane->next++;
        lane->left--;
        fls_status status = lane->left > 0 ? load(lane, err) : FLS_OK;
        if (status != FLS_OK) {
            return status;
        }
        play_again(sorter);
        lane = &merge->lanes[lane_of(&merge->tree[0])];
    }
    merge->taken = lane->left > 0;
    if (lane->left > 0) {
        *record = &lane->record;
        bytes->data = lane->messages[lane->next].payload;
        bytes->size = lane->messages[lane->next].size;
    }
    return FLS_OK;
}

static fls_status copy_merged(fls_sorter *sorter, fls_writer *writer, flsi_sort_run *run,
                              fls_error *err)
{
    const flsi_sort_record *record = NULL;
    fls_span bytes = {NULL, 0};
    uint64_t copied = 0;
    fls_status status;
    do {
        status = copied++ % RECORDS_BETWEEN == 0 ? flsi_sort_go_on(sorter, err) : FLS_OK;
        if (status == FLS_OK) {
            status = flsi_sort_merge_next(sorter, &record, &bytes, err);
        }
        if (status == FLS_OK && record != NULL) {
            run->largest = bytes.size > run->largest ? (uint32_t)bytes.size : run->largest;
            status = fls_writer_write(writer, bytes.data, bytes.size, err);
        }
    } while (status == FLS_OK && record != NULL);
    return status;
}

/* Some runs into one, in the other file. */
static fls_status merge_some(fls_sorter *sorter, size_t from, size_t count, flsi_sort_run *made,
                             fls_error *err)
{
    fls_writer *writer;
    uint16_t file = sorter->runs[from].file == 0;
    fls_status status = flsi_sort_run_begin(sorter, file, 0, &writer, made, err);
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_sort_merge_begin(sorter, &sorter->runs[from], count, err);
    if (status == FLS_OK) {
        made->is_plain = sorter->merge.is_plain != 0;
        status = copy_merged(sorter, writer, made, err);
        flsi_sort_merge_end(sorter);
    }
    if (status != FLS_OK) {
        fls_writer_abort(writer);
        return status;
    }
    sorter->tally.merges++;
    return flsi_sort_run_end(sorter, writer, made, err);
}

/* A file that no run is in any more gives its room back. */
static fls_status drop_files(fls_sorter *sorter, fls_error *err)
{
    fls_status status = FLS_OK;
    for (uint32_t file = 0; file < 2 && status == FLS_OK; file++) {
        int in_use = 0;
        for (size_t i = 0; i < sorter->run_count; i++) {
            in_use |= sorter->runs[i].file == file;
        }
        if (!in_use) {
            status = flsi_file_close(&sorter->files[file], err);
        }
    }
    return status;
}

/* Once through the runs, from the first, until those that are left can be merged at once. */
static fls_status pass(fls_sorter *sorter, fls_error *err)
{
    flsi_sort_run *runs = sorter->runs;
    size_t target = at_once(sorter, runs, sorter->run_count);
    size_t from = 0;
    size_t made = 0;
    while (sorter->run_count - from > 1 && made + (sorter->run_count - from) > target) {
        size_t excess = made + (sorter->run_count - from) - target;
        size_t count = at_once(sorter, runs + from, sorter->run_count - from);
        flsi_sort_run run;
        fls_status status =
            merge_some(sorter, from, count > excess + 1 ? excess + 1 : count, &run, err);
        if (status != FLS_OK) {
            return status;
        }
        from += count > excess + 1 ? excess + 1 : count;
        runs[made++] = run;
    }
    memmove(runs + made, runs + from, (sorter->run_count - from) * sizeof *runs);
    sorter->run_count -= from - made;
    return drop_files(sorter, err);
}

fls_status flsi_sort_reduce(fls_sorter *sorter, fls_error *err)
{
    fls_status status = FLS_OK;
    while (status == FLS_OK &&
           at_once(sorter, sorter->runs, sorter->run_count) < sorter->run_count) {
        status = pass(sorter, err);
    }
    return status;
}
