/* The names of a journal's files.
 *
 *   journal.json  LOCK  REDO  schemas/HASH.bfbs  cursors/NAME  cut/EPOCH-ORDINAL.fls (.flm)
 *   ORDINAL.fls  ORDINAL.flm  ORDINAL.fls.zst
 *
 * ORDINAL and EPOCH are decimal, 20 and 10 digits; HASH is 16 hexadecimal digits. What begins with
 * a dot is somebody's unfinished work.
 */
#ifndef FLSI_JOURNAL_NAMES_H
#define FLSI_JOURNAL_NAMES_H

#include "stream/marks.h"

#define FLSI_NAME_BYTES 64

#define FLSI_MANIFEST_NAME "journal.json"
#define FLSI_LOCK_NAME     "LOCK"
#define FLSI_SCHEMAS_NAME  "schemas"
#define FLSI_CURSORS_NAME  "cursors"
#define FLSI_CUT_NAME      "cut"
#define FLSI_REDO_NAME     "REDO"

typedef enum flsi_name_kind {
    FLSI_NAME_OTHER = 0,
    FLSI_NAME_SEGMENT = 1,    /* .fls */
    FLSI_NAME_MARKS = 2,      /* .flm */
    FLSI_NAME_COMPRESSED = 3, /* .fls.zst */
    FLSI_NAME_UNFINISHED = 4  /* a dot first */
} flsi_name_kind;

void flsi_name_format(char name[FLSI_NAME_BYTES], flsi_name_kind kind, uint64_t ordinal);
/* What a file of the journal's directory is; *ordinal for the first three kinds. */
flsi_name_kind flsi_name_parse(const char *name, uint64_t *ordinal);

void flsi_name_schema(char name[FLSI_NAME_BYTES], uint64_t hash);
int flsi_name_is_schema(const char *name);
/* cut/EPOCH-ORDINAL.EXTENSION, without "cut/". */
void flsi_name_cut(char name[FLSI_NAME_BYTES], uint64_t epoch, uint64_t ordinal,
                   const char *extension);
/* The epoch in a name in cut/; 0: none. */
uint64_t flsi_name_cut_epoch(const char *name);
/* Whether a cursor may be called so: 1 to 63 letters, digits, '-', '_', '.', not '.' first. */
int flsi_name_is_cursor(const char *name);

#endif
