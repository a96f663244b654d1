/* Many files that appear together or not at all: the pieces of a split.
 *
 * They are made in a hidden directory beside where they will be, and moved to their names at the
 * end. One file is open at a time, however many there are; what they have not written yet is held
 * within a limit of memory.
 */
#ifndef FLS_CLI_PIECES_H
#define FLS_CLI_PIECES_H

#include "framing.h"

typedef struct cli_piece {
    char *name; /* between prefix and ".fls"; NULL: its number */
    uint64_t messages;
    uint64_t bytes;
    uint64_t first; /* ordinals in the input, where there are messages */
    uint64_t last;
    uint64_t empty_bytes; /* of the run of empty messages at its end */
    char *buffer;         /* not written yet */
    size_t used;
    size_t room;
    int replaces; /* a file of its name, which was moved away */
} cli_piece;

typedef struct cli_pieces {
    /* Set before it is opened, all else zero: */
    cli_job *job;
    const char *prefix;
    const cli_input *input; /* which no piece may replace */
    const cli_framing *framing;
    uint64_t most; /* pieces */
    int force;     /* replace files that are there */
    /* Its own: */
    char *directory; /* where the pieces are made; NULL: not open */
    size_t parent;   /* bytes of prefix that name the directory where they will be */
    cli_piece *pieces;
    size_t count;
    size_t room;
    size_t buffered; /* bytes of all buffers */
    size_t open;     /* the piece that fd is of */
    int fd;
    int digits;    /* of numbers in names, once all pieces are there */
    size_t *slots; /* by name: numbers of pieces + 1; open addressing */
    size_t slot_count;
} cli_pieces;

/* Exit codes all, after a message. */
int cli_pieces_open(cli_pieces *pieces);

/* One more, which is pieces->count - 1 then. name NULL: it is called by its number. */
int cli_pieces_add(cli_pieces *pieces, const char *name);

/* The piece of that name, which is made when there is none. */
int cli_pieces_find(cli_pieces *pieces, const char *name, size_t *piece);

int cli_pieces_put(cli_pieces *pieces, size_t piece, const fls_message *message);

/* With CLI_DONE as the exit code so far all pieces appear; else, and when that fails, none of them,
 * and what they would have replaced is there again. */
int cli_pieces_end(cli_pieces *pieces, int code);
void cli_pieces_free(cli_pieces *pieces);

/* Where a piece is to appear, in path; 0 when that is too long. */
int cli_pieces_path(const cli_pieces *pieces, size_t piece, char *path, size_t capacity);

#endif
