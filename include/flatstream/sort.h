/* Many messages into the order of their keys, within a limit on memory.
 *
 * A sorter is given messages with keys, one by one, and then hands them out in order. The sort is
 * stable: of equal keys, what was given first comes first. What does not fit in memory goes to
 * files without a name in a directory of the caller's choice, as streams with xxh3, and comes back
 * by merging as many of them at once as the limit allows, in several passes if need be. The files
 * are gone when the sorter is closed or the process ends, however it ends. Messages that are given
 * in order already cost no sorting, and one merge less. One thread at a time; where the options
 * allow it a thread of the sorter's own sorts, writes and merges beside it. What comes out is the
 * same.
 */
#ifndef FLATSTREAM_SORT_H
#define FLATSTREAM_SORT_H

#include "flatstream/allocator.h"
#include "flatstream/frame.h"
#include "flatstream/query.h"

FLS_BEGIN_DECLS

/* What is compared: group, then number, then fine, then text by its bytes, of which a text comes
 * before any longer one that begins with it. */
typedef struct fls_sort_key {
    uint32_t group; /* 0..255; in a descending sort too, lower ones come first */
    uint32_t fine;  /* 0..65535 */
    uint64_t number;
    const void *text; /* borrowed for the call */
    size_t text_size;
} fls_sort_key;

#define FLS_SORT_KEY_INIT \
    {                     \
        0, 0, 0, NULL, 0  \
    }

/* The groups that fls_sort_key_of_value makes. */
enum { FLS_SORT_VALUE = 0, FLS_SORT_NAN = 1, FLS_SORT_ABSENT = 2 };

/* The key by which values are in their natural order: numbers by size, with -0 and 0 equal; false
 * before true; enumerators as their numbers; strings by their bytes; then NaN, all NaN being equal;
 * then what is absent, tables and the like among it. Keys of one sort have to come from values of
 * one kind (fls_path_kind), or with mixed not 0 from numbers and booleans of any, compared exactly.
 * The key borrows from the value. */
FLS_API void fls_sort_key_of_value(fls_sort_key *key, const fls_value *value, int mixed);

/* Less than, equal to or greater than 0. descending not 0: as in a descending sort. */
FLS_API int fls_sort_key_compare(const fls_sort_key *a, const fls_sort_key *b, int descending);

#define FLS_SORT_LEAST_MEMORY   ((size_t)256 * 1024)
#define FLS_SORT_DEFAULT_MEMORY ((size_t)256 * 1024 * 1024)

typedef struct fls_sorter_options {
    uint32_t struct_bytes; /* sizeof(fls_sorter_options) */
    uint32_t descending;
    /* The limit on memory: 0 is FLS_SORT_DEFAULT_MEMORY, less than FLS_SORT_LEAST_MEMORY is that.
     * Most of it is asked for at once, and of that only what is used is ever touched. A message
     * larger than a sixteenth of it is set aside in a file; what is beyond the limit is the one
     * such message that is being handed out. */
    size_t memory_bytes;
    /* Where files are made, if need be. NULL: /var/tmp. Copied. */
    const char *directory;
    const fls_allocator *allocator; /* NULL: libc */
    /* Asked now and then in calls that may take long; not 0 ends them with FLS_STOPPED. May be
     * NULL. */
    int (*stop)(void *self);
    void *stop_self;
    /* That work: 0 and 1 are the caller's alone; with more there is one beside it from the first
     * message on that does not fit in half of the memory, if the system has one to give. The
     * allocator is then called by both at once; stop only by the caller's. */
    uint32_t threads;
    uint32_t reserved;
} fls_sorter_options;

#define FLS_SORTER_OPTIONS_INIT                                        \
    {                                                                  \
        sizeof(fls_sorter_options), 0, 0, NULL, NULL, NULL, NULL, 0, 0 \
    }

/* What a sorter did so far. */
typedef struct fls_sorter_report {
    uint32_t struct_bytes; /* sizeof(fls_sorter_report), set by the caller */
    uint32_t fan_in;       /* the most runs that were merged at once */
    uint64_t messages;     /* that were given */
    uint64_t runs;         /* sorted ones that were written */
    uint64_t merges;       /* of runs into a run, before the last one */
    uint64_t spilled_bytes;
    uint64_t set_aside; /* large messages */
    uint64_t reserved[4];
} fls_sorter_report;

#define FLS_SORTER_REPORT_INIT                    \
    {                                             \
        .struct_bytes = sizeof(fls_sorter_report) \
    }

typedef struct fls_sorter fls_sorter;

/* options may be NULL. Touches no file. */
FLS_API FLS_MUST_USE fls_status fls_sorter_open(fls_sorter **sorter,
                                                const fls_sorter_options *options, fls_error *err);

/* Takes a copy of a message. FLS_INVALID_ARGUMENT for a payload of 4 GiB or more, a key out of its
 * bounds, or after fls_sorter_finish, and FLS_NO_SPACE for a text that takes more than a
 * thirty-second of the memory; these leave the sorter as it was. Any other failure, of memory or of
 * a file, is final: each later call gives it again. */
FLS_API FLS_MUST_USE fls_status fls_sorter_push(fls_sorter *sorter, const fls_sort_key *key,
                                                const void *payload, size_t size, fls_error *err);

/* No more is given: makes ready to hand out. */
FLS_API FLS_MUST_USE fls_status fls_sorter_finish(fls_sorter *sorter, fls_error *err);

/* The next message in order, after fls_sorter_finish; FLS_END behind the last. The payload is
 * borrowed until the next call and may lie at any address; ordinal counts what was handed out, the
 * other members are 0. FLS_IO when a file does not have what was written to it. */
FLS_API FLS_MUST_USE fls_status fls_sorter_next(fls_sorter *sorter, fls_message *message,
                                                fls_error *err);

FLS_API void fls_sorter_get_report(const fls_sorter *sorter, fls_sorter_report *report);

FLS_API void fls_sorter_close(fls_sorter *sorter); /* NULL is harmless */

FLS_END_DECLS

#endif
