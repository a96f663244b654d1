/* Making pieces, and moving them to their names. */
#include "pieces.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interrupt.h"
#include "piece_names.h"
#include "schemas.h"

#define BUFFER_BYTES   ((size_t)256 * 1024) /* of one piece, before it is written */
#define FIRST_BYTES    ((size_t)1024)
#define BUFFERED_BYTES ((size_t)64 * 1024 * 1024) /* of all pieces */

static const char made_in[] = ".flatstream-split-XXXXXX";

static int no_memory(const cli_pieces *p)
{
    return cli_complain_errno(p->job, NULL, NULL, ENOMEM);
}

int cli_pieces_path(const cli_pieces *p, size_t piece, char *path, size_t capacity)
{
    const char *name = p->pieces[piece].name;
    int length = name != NULL
                     ? snprintf(path, capacity, "%s%s.fls", p->prefix, name)
                     : snprintf(path, capacity, "%s%0*zu.fls", p->prefix, p->digits, piece);
    return length > 0 && (size_t)length < capacity;
}

/* Where a piece is made ("new"), or kept what it replaces ("old"). */
static void made_path(const cli_pieces *p, size_t piece, const char *what, char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/%s-%zu", p->directory, what, piece);
}

int cli_pieces_open(cli_pieces *p)
{
    const char *slash = strrchr(p->prefix, '/');
    size_t length = strlen(p->prefix);
    p->parent = slash != NULL ? (size_t)(slash - p->prefix) + 1 : 0;
    p->digits = cli_piece_digits(0);
    p->fd = -1;
    if (length + CLI_PIECE_NAME + sizeof made_in >= PATH_MAX) {
        return cli_complain_errno(p->job, p->prefix, NULL, ENAMETOOLONG);
    }
    char *directory = malloc(p->parent + sizeof made_in);
    if (directory == NULL) {
        return no_memory(p);
    }
    memcpy(directory, p->prefix, p->parent);
    memcpy(directory + p->parent, made_in, sizeof made_in);
    cli_interrupt_catch();
    if (mkdtemp(directory) == NULL) {
        int error = errno;
        char where[PATH_MAX];
        (void)snprintf(where, sizeof where, "%.*s", p->parent > 0 ? (int)p->parent : 1,
                       p->parent > 0 ? p->prefix : ".");
        free(directory);
        return cli_complain_errno(p->job, where, "no piece can be made there", error);
    }
    p->directory = directory;
    return CLI_DONE;
}

int cli_pieces_add(cli_pieces *p, const char *name)
{
    if (p->count >= p->most) {
        char number[CLI_NUMBER];
        return cli_usage(p->job, "there would be more than %s pieces; --max-pieces allows more",
                         cli_count(number, p->most));
    }
    if (p->count == p->room) {
        size_t room = p->room == 0 ? 16 : p->room * 2;
        cli_piece *grown = realloc(p->pieces, room * sizeof *grown);
        if (grown == NULL) {
            return no_memory(p);
        }
        p->pieces = grown;
        p->room = room;
    }
    cli_piece *piece = &p->pieces[p->count];
    memset(piece, 0, sizeof *piece);
    if (name != NULL) {
        size_t bytes = strlen(name) + 1;
        piece->name = malloc(bytes);
        if (piece->name == NULL) {
            return no_memory(p);
        }
        memcpy(piece->name, name, bytes);
    }
    p->count++;
    return CLI_DONE;
}

/* ---- by name ---- */

/* The slot of a name, or the free one where it belongs. */
static size_t *slot_of(const cli_pieces *p, const char *name)
{
    size_t mask = p->slot_count - 1;
    size_t at = (size_t)cli_piece_name_hash(name) & mask;
    while (p->slots[at] != 0 && strcmp(p->pieces[p->slots[at] - 1].name, name) != 0) {
        at = (at + 1) & mask;
    }
    return &p->slots[at];
}

static int grow_slots(cli_pieces *p)
{
    size_t *before = p->slots;
    size_t slot_count = p->slot_count == 0 ? 64 : p->slot_count * 2;
    p->slots = calloc(slot_count, sizeof *p->slots);
    if (p->slots == NULL) {
        p->slots = before;
        return no_memory(p);
    }
    p->slot_count = slot_count;
    for (size_t i = 0; i < p->count; i++) {
        *slot_of(p, p->pieces[i].name) = i + 1;
    }
    free(before);
    return CLI_DONE;
}

int cli_pieces_find(cli_pieces *p, const char *name, size_t *piece)
{
    if (p->count * 2 >= p->slot_count) {
        int code = grow_slots(p);
        if (code != CLI_DONE) {
            return code;
        }
    }
    size_t *slot = slot_of(p, name);
    if (*slot == 0) {
        int code = cli_pieces_add(p, name);
        if (code != CLI_DONE) {
            return code;
        }
        *slot = p->count;
    }
    *piece = *slot - 1;
    return CLI_DONE;
}

/* Not every file system tells names apart by the case of letters: where only that differs, capital
 * letters are escaped, whichever came first. All such names have one hash, and lie in one run of
 * slots. */
static int tell_cases_apart(cli_pieces *p)
{
    char name[CLI_PIECE_NAME];
    char *renamed = p->slot_count > 0 ? calloc(p->count, 1) : NULL;
    if (p->slot_count > 0 && renamed == NULL) {
        return no_memory(p);
    }
    for (size_t i = 0; i < p->count && p->slot_count > 0; i++) {
        size_t at = (size_t)cli_piece_name_hash(p->pieces[i].name) & (p->slot_count - 1);
        for (; p->slots[at] != 0; at = (at + 1) & (p->slot_count - 1)) {
            size_t other = p->slots[at] - 1;
            if (other != i && cli_piece_names_alike(p->pieces[i].name, p->pieces[other].name)) {
                renamed[i] = 1;
            }
        }
    }
    for (size_t i = 0; i < p->count && p->slot_count > 0; i++) {
        if (renamed[i]) {
            cli_piece_name_caseless(name, p->pieces[i].name);
            size_t bytes = strlen(name) + 1;
            char *grown = realloc(p->pieces[i].name, bytes);
            if (grown == NULL) {
                free(renamed);
                return no_memory(p);
            }
            memcpy(grown, name, bytes);
            p->pieces[i].name = grown;
        }
    }
    free(renamed);
    return CLI_DONE;
}

/* ---- writing ---- */

static int write_failed(const cli_pieces *p, int error)
{
    return cli_complain_errno(p->job, p->prefix, "a piece cannot be written", error);
}

static int close_open(cli_pieces *p)
{
    int fd = p->fd;
    p->fd = -1;
    if (fd >= 0 && close(fd) != 0 && errno != EINTR) { /* a network file system may tell only now */
        return write_failed(p, errno);
    }
    return CLI_DONE;
}

/* The file of a piece is the open one then. */
static int open_piece(cli_pieces *p, size_t piece)
{
    char path[PATH_MAX];
    if (p->fd >= 0 && p->open == piece) {
        return CLI_DONE;
    }
    int code = close_open(p);
    if (code != CLI_DONE) {
        return code;
    }
    made_path(p, piece, "new", path);
    p->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    p->open = piece;
    return p->fd >= 0 ? CLI_DONE : write_failed(p, errno);
}

static int write_piece(cli_pieces *p, size_t piece, const void *data, size_t size)
{
    const char *next = data;
    int code = open_piece(p, piece);
    while (code == CLI_DONE && size > 0) {
        ssize_t written = write(p->fd, next, size);
        if (written < 0 && errno != EINTR) {
            return write_failed(p, errno);
        }
        if (written > 0) {
            next += written;
            size -= (size_t)written;
        }
    }
    return code;
}

static int flush(cli_pieces *p, size_t piece)
{
    cli_piece *of = &p->pieces[piece];
    int code = of->used > 0 ? write_piece(p, piece, of->buffer, of->used) : CLI_DONE;
    of->used = 0;
    return code;
}

static void free_buffer(cli_pieces *p, size_t piece)
{
    cli_piece *of = &p->pieces[piece];
    p->buffered -= of->room;
    free(of->buffer);
    of->buffer = NULL;
    of->used = of->room = 0;
}

static int flush_all(cli_pieces *p)
{
    int code = CLI_DONE;
    for (size_t i = 0; code == CLI_DONE && i < p->count; i++) {
        code = flush(p, i);
        free_buffer(p, i);
    }
    return code;
}

/* Room for so many bytes more in a piece's buffer, which they fit into. */
static int make_room(cli_pieces *p, size_t piece, size_t size)
{
    cli_piece *of = &p->pieces[piece];
    size_t room = of->room == 0 ? FIRST_BYTES : of->room;
    while (room - of->used < size) {
        room *= 2;
    }
    if (room == of->room) {
        return CLI_DONE;
    }
    if (p->buffered - of->room + room > BUFFERED_BYTES) {
        int code = flush_all(p);
        return code == CLI_DONE ? make_room(p, piece, size) : code;
    }
    char *grown = realloc(of->buffer, room);
    if (grown == NULL) {
        return no_memory(p);
    }
    p->buffered += room - of->room;
    of->buffer = grown;
    of->room = room;
    return CLI_DONE;
}

static int append(cli_pieces *p, size_t piece, const void *data, size_t size)
{
    cli_piece *of = &p->pieces[piece];
    int code = of->used + size > BUFFER_BYTES ? flush(p, piece) : CLI_DONE;
    if (code != CLI_DONE || size == 0) {
        return code;
    }
    if (size > BUFFER_BYTES) {
        return write_piece(p, piece, data, size);
    }
    code = make_room(p, piece, size);
    if (code == CLI_DONE) {
        memcpy(of->buffer + of->used, data, size);
        of->used += size;
    }
    return code;
}

int cli_pieces_put(cli_pieces *p, size_t piece, const fls_message *message)
{
    uint8_t header[FLS_MAX_HEADER_BYTES];
    cli_piece *to = &p->pieces[piece];
    fls_message framed = cli_framed(p->framing, message);
    size_t size =
        fls_frame_encode_header(header, (uint32_t)framed.size, framed.checksum, p->framing->width);
    int code = append(p, piece, header, size);
    if (code == CLI_DONE) {
        code = append(p, piece, framed.payload, framed.size);
    }
    if (to->messages++ == 0) {
        to->first = message->ordinal;
    }
    to->last = message->ordinal;
    to->bytes += size + framed.size;
    to->empty_bytes = cli_empty_end(p->framing, message, to->empty_bytes);
    return code;
}

/* ---- the end ---- */

/* Every piece is a file, with all that it has. */
static int finish_files(cli_pieces *p)
{
    int code = CLI_DONE;
    for (size_t i = 0; code == CLI_DONE && i < p->count; i++) {
        code = cli_interrupt_pending() ? CLI_SYSTEM : open_piece(p, i);
        if (code == CLI_DONE) {
            code = flush(p, i);
        }
        free_buffer(p, i);
    }
    int closed = close_open(p);
    return code != CLI_DONE ? code : closed;
}

/* Many files are written to the disk faster together, where there is a call for that. Each is
 * synced by itself all the same, which then costs little, and says what failed. */
static void sync_together(const cli_pieces *p)
{
#ifdef __linux__
    enum { WORTH_PIECES = 16 };
    int fd = p->count >= WORTH_PIECES ? open(p->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)syncfs(fd);
        (void)close(fd);
    }
#else
    (void)p;
#endif
}

/* Safe from a power cut. */
static int sync_files(cli_pieces *p)
{
    int code = CLI_DONE;
    cli_progress_say(&p->job->progress, "waiting for the disk");
    sync_together(p);
    for (size_t i = 0; code == CLI_DONE && i < p->count; i++) {
        code = cli_interrupt_pending() ? CLI_SYSTEM : open_piece(p, i);
        if (code == CLI_DONE && fsync(p->fd) != 0) {
            code = write_failed(p, errno);
        }
    }
    int closed = close_open(p);
    return code != CLI_DONE ? code : closed;
}

/* Puts a file at a name that is free. Where there are no hard links, a look before has to do. */
static int move_to_free(const char *from, const char *to)
{
    struct stat info;
    if (link(from, to) == 0) {
        (void)unlink(from);
        return 0;
    }
    if (errno == EEXIST) {
        return -1;
    }
    if (lstat(to, &info) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(from, to);
}

/* What is at a piece's name is kept by another one for now, where it may be replaced. */
static int keep_old(cli_pieces *p, size_t piece, const char *path)
{
    char old[PATH_MAX];
    struct stat info;
    if (lstat(path, &info) != 0) {
        return errno == ENOENT ? CLI_DONE : cli_complain_errno(p->job, path, NULL, errno);
    }
    if (!p->force) {
        return cli_usage(p->job, "%s is there already; --force replaces it", path);
    }
    if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode)) {
        cli_complain(p->job, path, "is there already, and no file");
        return CLI_SYSTEM;
    }
    if ((info.st_dev == p->input->info.st_dev && info.st_ino == p->input->info.st_ino) ||
        cli_is_schema(p->job, &info)) {
        return cli_usage(p->job, "%s is an input too, and would be lost", path);
    }
    made_path(p, piece, "old", old);
    if (link(path, old) != 0 && rename(path, old) != 0) {
        return cli_complain_errno(p->job, path, NULL, errno);
    }
    p->pieces[piece].replaces = 1;
    return CLI_DONE;
}

static int place(cli_pieces *p, size_t piece)
{
    char path[PATH_MAX];
    char made[PATH_MAX];
    if (!cli_pieces_path(p, piece, path, sizeof path)) {
        return cli_complain_errno(p->job, p->prefix, NULL, ENAMETOOLONG);
    }
    int code = keep_old(p, piece, path);
    made_path(p, piece, "new", made);
    if (code == CLI_DONE &&
        (p->pieces[piece].replaces ? rename(made, path) : move_to_free(made, path)) != 0) {
        code = cli_complain_errno(p->job, path, NULL, errno);
    }
    return code;
}

/* Takes the first so many pieces away again, and puts back what they and the next one replaced. */
static void take_back(cli_pieces *p, size_t count)
{
    char path[PATH_MAX];
    char old[PATH_MAX];
    for (size_t i = 0; i < p->count && i <= count; i++) {
        if (!cli_pieces_path(p, i, path, sizeof path)) {
            continue;
        }
        if (!p->pieces[i].replaces) {
            (void)(i < count && unlink(path));
            continue;
        }
        made_path(p, i, "old", old);
        if (rename(old, path) != 0) {
            (void)cli_complain_errno(p->job, path, "cannot be put back", errno);
            cli_complain(p->job, path, "what it was is in %s", old);
            continue;
        }
        (void)unlink(old); /* two names of one file are not renamed */
        p->pieces[i].replaces = 0;
    }
}

/* The names are durable, where the system has that for directories. */
static void sync_parent(const cli_pieces *p)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%.*s", p->parent > 0 ? (int)p->parent : 1,
                   p->parent > 0 ? p->prefix : ".");
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

static int place_all(cli_pieces *p)
{
    size_t placed = 0;
    int code = tell_cases_apart(p);
    p->digits = cli_piece_digits(p->count);
    while (code == CLI_DONE && placed < p->count) {
        code = cli_interrupt_pending() ? CLI_SYSTEM : place(p, placed);
        placed += code == CLI_DONE;
    }
    if (code != CLI_DONE) {
        take_back(p, placed);
    }
    if (!p->job->common.no_sync) {
        sync_parent(p);
    }
    return code;
}

static void remove_made(cli_pieces *p, int code)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < p->count; i++) {
        made_path(p, i, "new", path);
        (void)unlink(path);
        if (p->pieces[i].replaces && code == CLI_DONE) {
            made_path(p, i, "old", path);
            (void)unlink(path);
        }
    }
    (void)rmdir(p->directory);
}

int cli_pieces_end(cli_pieces *p, int code)
{
    if (p->directory == NULL) {
        return code;
    }
    if (code == CLI_DONE) {
        code = finish_files(p);
    }
    if (code == CLI_DONE && !p->job->common.no_sync) {
        code = sync_files(p);
    }
    if (code == CLI_DONE) {
        code = place_all(p);
    }
    (void)close_open(p);
    remove_made(p, code);
    free(p->directory);
    p->directory = NULL;
    return code;
}

void cli_pieces_free(cli_pieces *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->pieces[i].name);
        free(p->pieces[i].buffer);
    }
    free(p->pieces);
    free(p->slots);
    p->pieces = NULL;
    p->slots = NULL;
    p->count = 0;
}
