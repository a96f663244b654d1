/* An event loop that takes streams from many peers at once, on one thread and without blocking:
 * poll says whose bytes are there, an fls_decoder for each peer turns them into messages.
 * Usage: decode_socket ENDPOINT [PEERS]     ends after PEERS peers; default: never
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <flatstream/flatstream.h>

enum { MAX_PEERS = 64, READ_BYTES = 65536 };

struct peer {
    int fd;
    fls_decoder decoder;
    uint64_t messages;
    uint64_t payload_bytes;
};

struct loop {
    int listener;
    size_t peer_count;
    size_t ended;
    size_t failed;
    struct peer peers[MAX_PEERS];
    char buffer[READ_BYTES]; /* one for all: a decoder keeps only the message that is incomplete */
};

static void set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static void add_peer(struct loop *loop, fls_error *err)
{
    struct peer *peer = &loop->peers[loop->peer_count];
    fls_decoder_options opt = FLS_DECODER_OPTIONS_INIT;
    opt.allocator = fls_allocator_libc();
    opt.max_frame_bytes = 16u << 20; /* what a stranger may make us hold */

    fls_status st = fls_socket_accept(loop->listener, &peer->fd, NULL, 0, err);
    if (st == FLS_WOULD_BLOCK)
        return; /* gone again before we came to it */
    if (st != FLS_OK) {
        fls_error_print(stderr, err);
        return;
    }
    if (fls_decoder_init(&peer->decoder, &opt, err) != FLS_OK) {
        fls_error_print(stderr, err);
        fls_socket_close(peer->fd);
        return;
    }
    set_nonblocking(peer->fd);
    peer->messages = 0;
    peer->payload_bytes = 0;
    loop->peer_count++;
}

static void end_peer(struct loop *loop, struct peer *peer, fls_status st, const fls_error *err)
{
    printf("%" PRIu64 " messages, %" PRIu64 " bytes of payload, %s\n", peer->messages,
           peer->payload_bytes, st == FLS_END ? "clean end" : fls_status_text(st));
    if (st != FLS_END) {
        fls_error_print(stderr, err);
        loop->failed++;
    }
    fls_decoder_fini(&peer->decoder);
    fls_socket_close(peer->fd);
    loop->ended++;
    *peer = loop->peers[--loop->peer_count];
}

/* FLS_NEED_MORE when all that is there was taken; anything else ends the peer. */
static fls_status take_messages(struct peer *peer, fls_error *err)
{
    fls_message m;
    fls_status st;
    while ((st = fls_decoder_next(&peer->decoder, &m, err)) == FLS_OK) {
        peer->messages++;
        peer->payload_bytes += m.size;
    }
    return st;
}

static void read_peer(struct loop *loop, struct peer *peer, fls_error *err)
{
    ssize_t got = read(peer->fd, loop->buffer, sizeof loop->buffer);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0) {
        end_peer(loop, peer, fls_error_set(err, FLS_IO, errno, "read from a peer failed"), err);
        return;
    }
    if (got == 0)
        fls_decoder_end(&peer->decoder);

    fls_status st = FLS_OK;
    if (got > 0)
        st = fls_decoder_feed(&peer->decoder, loop->buffer, (size_t)got, err);
    if (st == FLS_OK)
        st = take_messages(peer, err);
    if (st != FLS_NEED_MORE)
        end_peer(loop, peer, st, err);
}

static int run(struct loop *loop, size_t wanted, fls_error *err)
{
    while (wanted == 0 || loop->ended < wanted) {
        struct pollfd polls[MAX_PEERS + 1];
        size_t count = loop->peer_count;
        for (size_t i = 0; i < count; i++)
            polls[i] = (struct pollfd){.fd = loop->peers[i].fd, .events = POLLIN};
        polls[count] = (struct pollfd){.fd = loop->listener, .events = POLLIN};
        if (poll(polls, (nfds_t)(count < MAX_PEERS ? count + 1 : count), -1) < 0) {
            if (errno == EINTR)
                continue;
            perror("poll");
            return 1;
        }
        /* From the back: a peer that ends is replaced by the last one, already seen to. */
        if (count < MAX_PEERS && polls[count].revents != 0)
            add_peer(loop, err);
        for (size_t i = count; i-- > 0;)
            if (polls[i].revents != 0)
                read_peer(loop, &loop->peers[i], err);
    }
    return loop->failed == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    fls_error err = FLS_ERROR_INIT;
    if (argc < 2)
        return fputs("usage: decode_socket ENDPOINT [PEERS]\n", stderr), 2;
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return fputs("decode_socket: out of memory\n", stderr), 1;
    if (fls_socket_listen(argv[1], &loop->listener, &err) != FLS_OK) {
        fls_error_print(stderr, &err);
        free(loop);
        return 1;
    }
    set_nonblocking(loop->listener);

    char endpoint[256];
    if (fls_socket_endpoint(loop->listener, endpoint, sizeof endpoint, &err) == FLS_OK) {
        printf("listening on %s\n", endpoint);
        fflush(stdout);
    }
    int status = run(loop, argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 0, &err);
    while (loop->peer_count > 0) {
        struct peer *peer = &loop->peers[--loop->peer_count];
        fls_decoder_fini(&peer->decoder);
        fls_socket_close(peer->fd);
    }
    fls_socket_close(loop->listener);
    free(loop);
    return status;
}
