/* Journals made by hand, so that a test says what is in each file. */
#ifndef TESTS_UNIT_JOURNAL_TESTING_H
#define TESTS_UNIT_JOURNAL_TESTING_H

#include <stdio.h>
#include <unistd.h>

#include "flatstream/checksum.h"
#include "journal/journal_manifest.h"
#include "journal/journal_marks.h"
#include "journal/journal_names.h"
#include "support/files.h"
#include "support/testing.h"

/* A journal that grows in memory and is written when told. */
typedef struct hand_journal {
    char path[256];
    ref_format format;
    uint64_t next_ordinal;
    uint64_t time_ns;
    uint32_t epoch;
    uint32_t header_flags;
    /* The segment. */
    uint64_t first_ordinal;
    byte_buffer frames;
    flsi_marks_builder marks;
    size_t marks_size;  /* of what is in the file */
    size_t frames_size; /* likewise */
    uint64_t piece_ordinal;
} hand_journal;

static inline const char *hand_name(const hand_journal *journal, flsi_name_kind kind)
{
    char name[FLSI_NAME_BYTES];
    flsi_name_format(name, kind, journal->first_ordinal);
    return files_join(journal->path, name);
}

static inline void hand_append_file(const char *path, const void *data, size_t size, size_t at)
{
    FILE *file = fopen(path, at == 0 ? "wb" : "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    assert_true(size == 0 || fwrite(data, 1, size, file) == size);
    assert_int_equal(fclose(file), 0);
}

static inline void hand_mark(hand_journal *journal, const flsi_record *record, const void *data)
{
    assert_int_equal(flsi_marks_reserve(&journal->marks, 1 + record->small / 32 + 1, 0, NULL),
                     FLS_OK);
    flsi_marks_add(&journal->marks, record, data);
}

/* Frames to their file, then marks to theirs. */
static inline void hand_flush_frames(hand_journal *journal)
{
    hand_append_file(hand_name(journal, FLSI_NAME_SEGMENT),
                     journal->frames.data + journal->frames_size,
                     journal->frames.size - journal->frames_size, journal->frames_size);
    journal->frames_size = journal->frames.size;
}

static inline void hand_flush_marks(hand_journal *journal)
{
    flsi_marks_close_frame(&journal->marks);
    hand_append_file(hand_name(journal, FLSI_NAME_MARKS), journal->marks.frames,
                     journal->marks.size, journal->marks_size);
    journal->marks_size += journal->marks.size;
    flsi_marks_written(&journal->marks, journal->marks.size);
    journal->piece_ordinal = UINT64_MAX;
}

static inline void hand_flush(hand_journal *journal)
{
    hand_flush_frames(journal);
    hand_flush_marks(journal);
}

static inline void hand_begin_segment(hand_journal *journal)
{
    const flsi_record header = {.type = FLSI_RECORD_HEADER,
                                .flags = FLSI_MARKS_VERSION,
                                .checksum = FLS_CHECKSUM_XXH3,
                                .header_flags = (uint8_t)journal->header_flags,
                                .small = journal->epoch,
                                .ordinal = journal->next_ordinal,
                                .id = 7,
                                .time_ns = journal->time_ns};
    journal->first_ordinal = journal->next_ordinal;
    bytes_clear(&journal->frames);
    journal->frames_size = 0;
    journal->marks_size = 0;
    hand_mark(journal, &header, NULL);
    hand_flush(journal);
}

static inline void hand_open(hand_journal *journal)
{
    memset(journal, 0, sizeof *journal);
    files_make_directory(journal->path, sizeof journal->path);
    journal->format = (ref_format){.checksum = FLS_CHECKSUM_XXH3};
    journal->epoch = 1;
    journal->time_ns = 1000;
    journal->header_flags = FLSI_HEADER_TIMES;
    flsi_marks_builder_init(&journal->marks, fls_allocator_libc());
    hand_begin_segment(journal);
}

/* The manifest, which journals made by hand are without unless told. */
static inline void hand_manifest(const hand_journal *journal)
{
    flsi_directory directory;
    flsi_manifest manifest = {.id = {7},
                              .epoch = journal->epoch,
                              .checksum = FLS_CHECKSUM_XXH3,
                              .max_frame_bytes = 1u << 20,
                              .has_times = 1};
    assert_int_equal(flsi_directory_open(&directory, journal->path, 0, NULL, NULL), FLS_OK);
    assert_int_equal(flsi_manifest_store(&manifest, &directory, fls_allocator_libc(), NULL),
                     FLS_OK);
    flsi_directory_close(&directory);
}

static inline void hand_close(hand_journal *journal)
{
    bytes_free(&journal->frames);
    flsi_marks_builder_fini(&journal->marks);
    files_remove_directory(journal->path);
}

/* The payload of a message: its ordinal, and what is said about it by that. */
static inline size_t hand_payload(uint64_t ordinal, uint8_t payload[64])
{
    size_t size = 9 + (size_t)(ordinal * 7 % 40);
    for (size_t i = 0; i < size; i++) {
        payload[i] = (uint8_t)(i < 8 ? ordinal >> (8 * i) : ordinal + i);
    }
    return size;
}

static inline uint64_t hand_time(uint64_t ordinal)
{
    return 1000 + ordinal / 3 * 10; /* three at a time */
}

/* A message; a new piece begins with the first one behind a flush. */
static inline void hand_append(hand_journal *journal)
{
    uint8_t payload[64];
    uint64_t ordinal = journal->next_ordinal++;
    size_t size = hand_payload(ordinal, payload);
    journal->time_ns = hand_time(ordinal);
    if (journal->piece_ordinal == UINT64_MAX) {
        const flsi_record offset = {.type = FLSI_RECORD_OFFSET,
                                    .ordinal = ordinal,
                                    .offset = journal->frames.size,
                                    .time_ns = journal->time_ns};
        journal->piece_ordinal = ordinal;
        hand_mark(journal, &offset, NULL);
    }
    frames_append(&journal->frames, &journal->format, payload, size);
    if (journal->header_flags & FLSI_HEADER_TIMES) {
        assert_int_equal(flsi_marks_reserve(&journal->marks, 1, 1, NULL), FLS_OK);
        flsi_marks_add_time(&journal->marks, ordinal, journal->time_ns);
    }
}

static inline void hand_gap(hand_journal *journal, uint64_t messages)
{
    const flsi_record gap = {.type = FLSI_RECORD_GAP,
                             .flags = FLS_GAP_DROPPED_NEWEST,
                             .small = 3,
                             .ordinal = journal->next_ordinal,
                             .offset = messages};
    hand_mark(journal, &gap, NULL);
}

/* What was flushed is durable. */
static inline void hand_durable(hand_journal *journal)
{
    const flsi_record durable = {.type = FLSI_RECORD_DURABLE,
                                 .ordinal = journal->next_ordinal,
                                 .offset = journal->frames.size};
    hand_mark(journal, &durable, NULL);
    hand_flush_marks(journal);
}

static inline void hand_seal(hand_journal *journal, uint8_t flags)
{
    const flsi_record seal = {.type = FLSI_RECORD_SEAL,
                              .flags = flags,
                              .ordinal = journal->next_ordinal,
                              .offset = journal->frames.size,
                              .time_ns = journal->time_ns};
    hand_mark(journal, &seal, NULL);
    hand_flush_marks(journal);
}

static inline void hand_rotate(hand_journal *journal)
{
    hand_flush(journal);
    hand_durable(journal);
    hand_seal(journal, FLSI_SEAL_ROTATED);
    hand_begin_segment(journal);
}

#endif
