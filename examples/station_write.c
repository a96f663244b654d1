/* Writes the readings of a weather station: to a file, or to whoever listens at an endpoint.
 * Usage: station_write FILE|ENDPOINT [COUNT]
 */
#include <stdlib.h>
#include <string.h>

#include <flatstream/flatstream.h>

/* The fields of weather.Reading, in the order of station.fbs: a field's place is its slot. */
enum { TIME_NS, STATION, TEMPERATURE, SKY, WIND, FIELDS };

/* weather.Wind as it lies in a message, on a little-endian machine. */
struct wind {
    float speed;
    uint16_t direction;
    uint16_t padding;
};

static fls_status write_reading(fls_writer *w, unsigned i, fls_error *err)
{
    fls_builder *b = fls_writer_builder(w);
    struct wind wind = {2.5f + (float)(i % 20), (uint16_t)(i * 15 % 360), 0};

    fls_ref station = fls_builder_string(b, "harbour", 7); /* before the table that refers to it */
    fls_table t = fls_builder_table(b, FIELDS);
    fls_builder_u64(b, t, TIME_NS, 1767225600000000000u + i * 250000000ull);
    fls_builder_ref(b, t, STATION, station);
    fls_builder_f64(b, t, TEMPERATURE, 12.5 + (i % 80) * 0.25);
    fls_builder_u8(b, t, SKY, (uint8_t)(i / 50 % 4));
    fls_builder_struct(b, t, WIND, &wind, sizeof wind, 4);

    const void *message;
    size_t size;
    fls_status st = fls_builder_finish(b, fls_builder_end(b, t), "WTHR", &message, &size, err);
    return st == FLS_OK ? fls_writer_write(w, message, size, err) : st;
}

/* A writer to a file, or to a socket, which is then in *peer. */
static fls_status open_writer(fls_writer **w, const char *where, int *peer, fls_error *err)
{
    fls_sink sink;
    fls_status st;
    *peer = -1;
    if (strncmp(where, "unix:", 5) != 0 && strncmp(where, "tcp:", 4) != 0)
        return fls_writer_open_file(w, where, NULL, err); /* with an xxh3 checksum a message */
    if ((st = fls_socket_connect(where, 5000, peer, err)) == FLS_OK &&
        (st = fls_sink_from_fd(&sink, *peer, 0, err)) == FLS_OK)
        st = fls_writer_open(w, sink, NULL, err);
    return st;
}

int main(int argc, char **argv)
{
    const char *where = argc > 1 ? argv[1] : "weather.fls";
    unsigned count = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1000;
    fls_error err = FLS_ERROR_INIT;
    fls_writer *w;
    int peer;
    if (open_writer(&w, where, &peer, &err) != FLS_OK)
        return fls_error_print(stderr, &err), 1;

    fls_status st = FLS_OK;
    for (unsigned i = 0; i < count && st == FLS_OK; i++)
        st = write_reading(w, i, &err);
    if (st == FLS_OK)
        st = fls_writer_close(w, &err); /* reports late errors */
    else
        fls_writer_abort(w);
    if (st == FLS_OK && peer >= 0)
        st = fls_socket_finish(peer, &err); /* the peer has it all */
    if (peer >= 0)
        fls_socket_close(peer);
    if (st != FLS_OK)
        return fls_error_print(stderr, &err), 1;
    return 0;
}
