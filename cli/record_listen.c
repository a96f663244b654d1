/* One loop over listeners and peers. A peer that sends what is not sound is let go, with a message;
 * what it sent before is recorded, and the others go on.
 */
#include "record_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "interrupt.h"

enum { MOST_PEERS = 1000, WAIT_MS = 100, MOST_DATAGRAMS = 256 };
#define PIECE_BYTES    ((size_t)256 * 1024)
#define EVIDENCE_BYTES ((size_t)2 * 1024 * 1024)

typedef struct peer {
    int fd;
    char name[128];
    uint64_t messages;
    fls_decoder decoder;
    int decoding;           /* the checksum is known */
    unsigned char *pending; /* what is not a whole message yet, or before the checksum is known */
    size_t pending_bytes;
    size_t capacity;
} peer;

typedef struct listener {
    int fd;
    int is_datagram;
    uint32_t dropped; /* as the system last said */
    const char *endpoint;
} listener;

typedef struct listen_loop {
    cli_recording *rec;
    const cli_listening *options;
    listener listeners[CLI_MOST_LISTENERS];
    size_t listener_count;
    peer *peers[MOST_PEERS];
    size_t peer_count;
    uint64_t gone;
    unsigned char *piece;
    int damaged; /* a peer was let go */
} listen_loop;

/* ---- what a peer sends ---- */

static int keep(listen_loop *loop, peer *from, const void *data, size_t size)
{
    if (size > from->capacity - from->pending_bytes) {
        size_t capacity = 2 * from->capacity > from->pending_bytes + size
                              ? 2 * from->capacity
                              : from->pending_bytes + size;
        unsigned char *grown = realloc(from->pending, capacity);
        if (grown == NULL) {
            return cli_complain_errno(loop->rec->job, from->name, NULL, ENOMEM);
        }
        from->pending = grown;
        from->capacity = capacity;
    }
    if (size > 0) {
        memcpy(from->pending + from->pending_bytes, data, size);
        from->pending_bytes += size;
    }
    return CLI_DONE;
}

static uint32_t most_bytes(const listen_loop *loop)
{
    uint32_t most = loop->rec->job->common.max_frame_bytes;
    return most != 0 ? most : FLS_DEFAULT_MAX_FRAME_BYTES;
}

/* Whole messages out of the bytes at data; what is left over is kept. *wrong: the peer is to go. */
static int take_delimited(listen_loop *loop, peer *from, int *wrong)
{
    size_t next = 0;
    int code = CLI_DONE;
    uint32_t size;
    uint64_t none;
    while (code == CLI_DONE &&
           fls_frame_decode_header(from->pending + next, from->pending_bytes - next, 0, &size,
                                   &none) == FLS_OK) {
        if (size > most_bytes(loop)) {
            cli_complain(loop->rec->job, from->name,
                         "a message of %lu bytes, over the limit (--max-frame)",
                         (unsigned long)size);
            *wrong = 1;
            return code;
        }
        if (from->pending_bytes - next - FLS_LENGTH_BYTES < size) {
            break;
        }
        code = cli_recording_take(loop->rec, from->pending + next + FLS_LENGTH_BYTES, size,
                                  from->name);
        next += FLS_LENGTH_BYTES + (size_t)size;
        from->messages++;
    }
    memmove(from->pending, from->pending + next, from->pending_bytes - next);
    from->pending_bytes -= next;
    return code;
}

static int complain_peer(listen_loop *loop, peer *from, const fls_error *err, int *wrong)
{
    (void)cli_complain_error(loop->rec->job, from->name, err);
    *wrong = 1;
    return CLI_DONE;
}

static int take_frames(listen_loop *loop, peer *from, const void *data, size_t size, int *wrong)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    int code = CLI_DONE;
    fls_status status = fls_decoder_feed(&from->decoder, data, size, &err);
    while (status == FLS_OK && code == CLI_DONE) {
        status = fls_decoder_next(&from->decoder, &message, &err);
        if (status == FLS_OK) {
            code = cli_recording_take(loop->rec, message.payload, message.size, from->name);
            from->messages++;
        }
    }
    if (code == CLI_DONE && status != FLS_NEED_MORE && status != FLS_END) {
        return complain_peer(loop, from, &err, wrong);
    }
    return code;
}

static int start_decoding(listen_loop *loop, peer *from, fls_checksum checksum, int *wrong)
{
    fls_error err = FLS_ERROR_INIT;
    fls_decoder_options options = FLS_DECODER_OPTIONS_INIT;
    options.checksum = checksum;
    options.max_frame_bytes = loop->rec->job->common.max_frame_bytes;
    options.allocator = fls_allocator_libc();
    if (fls_decoder_init(&from->decoder, &options, &err) != FLS_OK) {
        return complain_peer(loop, from, &err, wrong);
    }
    from->decoding = 1;
    return CLI_DONE;
}

/* The checksum, once what came proves one. */
static int find_checksum(listen_loop *loop, peer *from, int at_end, int *wrong)
{
    fls_error err = FLS_ERROR_INIT;
    fls_checksum found = loop->options->checksum;
    if (found == FLS_CHECKSUM_DETECT) {
        fls_status status =
            fls_detect_checksum(from->pending, from->pending_bytes, at_end,
                                loop->rec->job->common.max_frame_bytes, &found, &err);
        if (status == FLS_END) { /* nothing that would be a message */
            return CLI_DONE;
        }
        if (status == FLS_NEED_MORE && !at_end && from->pending_bytes < EVIDENCE_BYTES) {
            return CLI_DONE;
        }
        if (status != FLS_OK) {
            return complain_peer(loop, from, &err, wrong);
        }
        cli_detail(loop->rec->job, "%s: the checksum is %s, found by proof", from->name,
                   fls_checksum_name(found));
    }
    int code = start_decoding(loop, from, found, wrong);
    if (code == CLI_DONE && !*wrong) {
        code = take_frames(loop, from, from->pending, from->pending_bytes, wrong);
        from->pending_bytes = 0;
    }
    return code;
}

static int take_bytes(listen_loop *loop, peer *from, size_t size, int *wrong)
{
    if (from->decoding) {
        return take_frames(loop, from, loop->piece, size, wrong);
    }
    int code = keep(loop, from, loop->piece, size);
    if (code != CLI_DONE) {
        return code;
    }
    return loop->options->delimited ? take_delimited(loop, from, wrong)
                                    : find_checksum(loop, from, 0, wrong);
}

/* A peer's end has to be between two messages. */
static int take_end(listen_loop *loop, peer *from, int *wrong)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    int code = CLI_DONE;
    if (!from->decoding && !loop->options->delimited && from->pending_bytes > 0) {
        code = find_checksum(loop, from, 1, wrong);
    }
    if (code != CLI_DONE || *wrong) {
        return code;
    }
    if (from->decoding) {
        fls_decoder_end(&from->decoder);
        if (fls_decoder_next(&from->decoder, &message, &err) != FLS_END) {
            return complain_peer(loop, from, &err, wrong);
        }
    } else if (from->pending_bytes > 0) {
        cli_complain(loop->rec->job, from->name, "ended within a message");
        *wrong = 1;
    }
    return code;
}

static void let_go(listen_loop *loop, size_t index, int wrong)
{
    char count[CLI_NUMBER];
    peer *gone = loop->peers[index];
    cli_detail(loop->rec->job, "%s: gone, after %s messages", gone->name,
               cli_count(count, gone->messages));
    loop->damaged |= wrong;
    (void)close(gone->fd);
    if (gone->decoding) {
        fls_decoder_fini(&gone->decoder);
    }
    free(gone->pending);
    free(gone);
    loop->peers[index] = loop->peers[--loop->peer_count];
    loop->gone++;
}

static int read_peer(listen_loop *loop, size_t index)
{
    peer *from = loop->peers[index];
    int wrong = 0;
    int code = CLI_DONE;
    ssize_t got = read(from->fd, loop->piece, PIECE_BYTES);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return CLI_DONE;
    }
    if (got < 0) {
        (void)cli_complain_errno(loop->rec->job, from->name, NULL, errno);
        wrong = 1;
    } else if (got > 0) {
        code = take_bytes(loop, from, (size_t)got, &wrong);
    } else {
        code = take_end(loop, from, &wrong);
    }
    if (got <= 0 || wrong) {
        let_go(loop, index, wrong);
    }
    return code;
}

/* ---- who comes ---- */

static int take_peer(listen_loop *loop, const listener *at)
{
    fls_error err = FLS_ERROR_INIT;
    char name[96] = "";
    int fd;
    if (fls_socket_accept(at->fd, &fd, name, sizeof name, &err) != FLS_OK) {
        /* Out of descriptors: the others go on, and this one is tried again. */
        (void)cli_complain_error(loop->rec->job, at->endpoint, &err);
        (void)cli_interrupt_pause(WAIT_MS);
        return CLI_DONE;
    }
    peer *new_peer = calloc(1, sizeof *new_peer);
    if (new_peer == NULL) {
        (void)close(fd);
        return cli_complain_errno(loop->rec->job, NULL, NULL, ENOMEM);
    }
    new_peer->fd = fd;
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    loop->rec->peers++;
    if (strncmp(name, "tcp://", 6) == 0) {
        snprintf(new_peer->name, sizeof new_peer->name, "%s", name);
    } else {
        snprintf(new_peer->name, sizeof new_peer->name, "%.90s, peer %llu", at->endpoint,
                 (unsigned long long)loop->rec->peers);
    }
    cli_detail(loop->rec->job, "%s: connected", new_peer->name);
    loop->peers[loop->peer_count++] = new_peer;
    return CLI_DONE;
}

/* The gap stands before the datagram that told of it. */
static int note_dropped(listen_loop *loop, listener *at, uint32_t dropped)
{
    uint32_t more = dropped - at->dropped;
    at->dropped = dropped;
    if (more == 0) {
        return CLI_DONE;
    }
    loop->rec->dropped += more;
    int code = cli_recording_flush(loop->rec);
    return code == CLI_DONE ? cli_recording_missing(loop->rec, more, FLS_GAP_DROPPED_NEWEST) : code;
}

static int take_datagrams(listen_loop *loop, listener *at)
{
    int code = CLI_DONE;
    for (int i = 0; i < MOST_DATAGRAMS && code == CLI_DONE; i++) {
        fls_error err = FLS_ERROR_INIT;
        uint32_t dropped = at->dropped;
        size_t size;
        fls_status status =
            fls_datagram_receive(at->fd, loop->piece, PIECE_BYTES, &size, &dropped, &err);
        if (status == FLS_WOULD_BLOCK) {
            break;
        }
        if (status != FLS_OK) {
            return cli_complain_error(loop->rec->job, at->endpoint, &err);
        }
        code = note_dropped(loop, at, dropped);
        if (code == CLI_DONE) {
            code = cli_recording_take(loop->rec, loop->piece, size, at->endpoint);
        }
    }
    return code;
}

/* ---- the loop ---- */

static int is_over(const listen_loop *loop)
{
    return loop->options->peers > 0 && loop->gone >= loop->options->peers;
}

static size_t prepare_poll(const listen_loop *loop, struct pollfd *waits)
{
    size_t count = 0;
    waits[count++] = (struct pollfd){.fd = cli_interrupt_fd(), .events = POLLIN};
    for (size_t i = 0; i < loop->listener_count; i++) {
        /* No more peers than there is room for: they wait in the system's queue. */
        int takes = loop->listeners[i].is_datagram || loop->peer_count < MOST_PEERS;
        waits[count++] =
            (struct pollfd){.fd = takes ? loop->listeners[i].fd : -1, .events = POLLIN};
    }
    for (size_t i = 0; i < loop->peer_count; i++) {
        waits[count++] = (struct pollfd){.fd = loop->peers[i]->fd, .events = POLLIN};
    }
    return count;
}

static int serve_ready(listen_loop *loop, const struct pollfd *waits, size_t peers)
{
    int code = CLI_DONE;
    for (size_t i = peers; i-- > 0 && code == CLI_DONE;) { /* those that go leave no hole */
        if (waits[1 + loop->listener_count + i].revents != 0) {
            code = read_peer(loop, i);
        }
    }
    for (size_t i = 0; i < loop->listener_count && code == CLI_DONE; i++) {
        if (waits[1 + i].revents != 0) {
            code = loop->listeners[i].is_datagram ? take_datagrams(loop, &loop->listeners[i])
                                                  : take_peer(loop, &loop->listeners[i]);
        }
    }
    return code;
}

static int run_loop(listen_loop *loop)
{
    struct pollfd waits[1 + CLI_MOST_LISTENERS + MOST_PEERS];
    int code = CLI_DONE;
    while (code == CLI_DONE && !cli_interrupt_pending() && !is_over(loop)) {
        size_t peers = loop->peer_count;
        size_t count = prepare_poll(loop, waits);
        /* What was taken is appended before there is nothing to do. */
        int ready = poll(waits, (nfds_t)count, loop->rec->count > 0 ? 0 : WAIT_MS);
        if (ready < 0 && errno != EINTR) {
            return cli_complain_errno(loop->rec->job, NULL, "poll", errno);
        }
        if (ready > 0) {
            code = serve_ready(loop, waits, peers);
        } else {
            code = cli_recording_flush(loop->rec);
        }
        cli_recording_idle(loop->rec);
    }
    return code;
}

/* What had arrived when the signal came is not lost. */
static int drain(listen_loop *loop)
{
    int code = CLI_DONE;
    for (size_t i = 0; i < loop->listener_count && code == CLI_DONE; i++) {
        if (loop->listeners[i].is_datagram) {
            code = take_datagrams(loop, &loop->listeners[i]);
        }
    }
    for (size_t i = loop->peer_count; i-- > 0 && code == CLI_DONE;) {
        code = read_peer(loop, i);
    }
    return code;
}

static int open_listener(listen_loop *loop, const char *endpoint)
{
    listener *at = &loop->listeners[loop->listener_count];
    fls_error err = FLS_ERROR_INIT;
    at->endpoint = endpoint;
    at->is_datagram = strncmp(endpoint, "udp://", 6) == 0;
    fls_status status = at->is_datagram ? fls_datagram_listen(endpoint, &at->fd, &err)
                                        : fls_socket_listen(endpoint, &at->fd, &err);
    if (status == FLS_INVALID_ARGUMENT) {
        return cli_usage(loop->rec->job,
                         "'%s' is no endpoint: tcp://host:port, unix:path or udp://host:port",
                         endpoint);
    }
    if (status != FLS_OK) {
        return cli_complain_error(loop->rec->job, endpoint, &err);
    }
    loop->listener_count++;
    return CLI_DONE;
}

static void tell_listeners(const listen_loop *loop)
{
    for (size_t i = 0; i < loop->listener_count; i++) {
        fls_error err = FLS_ERROR_INIT;
        char bound[256];
        if (fls_socket_endpoint(loop->listeners[i].fd, bound, sizeof bound, &err) == FLS_OK) {
            cli_note(loop->rec->job, "listening on %s", bound);
        }
    }
}

int cli_record_listen(cli_recording *rec, const cli_listening *listening)
{
    listen_loop *loop = calloc(1, sizeof *loop);
    int code = CLI_DONE;
    if (loop == NULL || (loop->piece = malloc(PIECE_BYTES)) == NULL) {
        free(loop);
        return cli_complain_errno(rec->job, NULL, NULL, ENOMEM);
    }
    loop->rec = rec;
    loop->options = listening;
    for (size_t i = 0; i < listening->count && code == CLI_DONE; i++) {
        code = open_listener(loop, listening->endpoints[i]);
    }
    if (code == CLI_DONE) {
        code = cli_recording_open(rec); /* not before it is known that there can be messages */
    }
    if (code == CLI_DONE) {
        tell_listeners(loop);
        code = run_loop(loop);
    }
    if (code == CLI_DONE && cli_interrupt_pending()) {
        code = drain(loop);
    }
    if (code == CLI_DONE) {
        code = cli_recording_flush(rec);
    }
    code = code == CLI_RECORD_ENOUGH ? CLI_DONE : code;
    while (loop->peer_count > 0) {
        let_go(loop, loop->peer_count - 1, 0);
    }
    for (size_t i = 0; i < loop->listener_count; i++) {
        fls_socket_close(loop->listeners[i].fd);
    }
    code = code == CLI_DONE && loop->damaged ? CLI_DAMAGED : code;
    free(loop->piece);
    free(loop);
    return code;
}
