/* Prints the readings of a weather station, by the schema and without generated code: from a file,
 * or from one peer that connects to an endpoint. Ends with 1, and says where, when the stream is
 * not sound or a message is none of the schema.
 * Usage: station_read SCHEMA FILE|ENDPOINT      SCHEMA is station.bfbs, or station.fbs with flatc
 */
#include <inttypes.h>
#include <string.h>

#include <flatstream/flatstream.h>

/* A reader of a file, or of the first peer at an endpoint. */
static fls_status open_reader(fls_reader **r, const char *where, const fls_reader_options *opt,
                              fls_error *err)
{
    fls_source source;
    fls_status st;
    int listener, peer;
    if (strncmp(where, "unix:", 5) != 0 && strncmp(where, "tcp:", 4) != 0)
        return fls_reader_open_file(r, where, opt, err);
    if ((st = fls_socket_listen(where, &listener, err)) != FLS_OK)
        return st;
    st = fls_socket_accept(listener, &peer, NULL, 0, err);
    fls_socket_close(listener);
    if (st == FLS_OK && (st = fls_source_from_fd(&source, peer, 1, err)) == FLS_OK)
        st = fls_reader_open(r, source, opt, err);
    return st;
}

static fls_status print_readings(fls_reader *r, const fls_schema *schema, fls_error *err)
{
    fls_path *temperature = NULL, *speed = NULL;
    uint32_t root = fls_schema_root(schema);
    fls_message m;
    fls_status st = fls_path_new(&temperature, schema, root, "temperature", NULL, err);
    if (st == FLS_OK)
        st = fls_path_new(&speed, schema, root, "wind.speed", NULL, err);
    while (st == FLS_OK && (st = fls_reader_next(r, &m, err)) == FLS_OK) {
        fls_value degrees, metres;
        fls_path_get(temperature, m.payload, m.size, &degrees);
        fls_path_get(speed, m.payload, m.size, &metres);
        if (metres.kind == FLS_VALUE_F64) /* absent where a message has no wind */
            printf("%" PRIu64 ": %g degrees, %g m/s\n", m.ordinal, degrees.as.f, metres.as.f);
    }
    fls_path_free(temperature);
    fls_path_free(speed);
    return st;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return fputs("usage: station_read SCHEMA FILE|ENDPOINT\n", stderr), 2;

    fls_error err = FLS_ERROR_INIT;
    fls_schema *schema = NULL;
    fls_schema_set types = {0};
    fls_reader *r = NULL;
    fls_status st = fls_schema_new_file(&schema, argv[1], NULL, NULL, &err);
    if (st == FLS_OK)
        st = fls_schema_set_add(&types, schema, NULL, NULL, &err);

    /* Every message is verified by the schema before it is handed out. */
    fls_schema_check check = {.types = &types};
    fls_validator validator = fls_validator_schema(&check);
    fls_reader_options opt = FLS_READER_OPTIONS_INIT;
    opt.validators = &validator;
    opt.validator_count = 1;
    if (st == FLS_OK)
        st = open_reader(&r, argv[2], &opt, &err);
    if (st == FLS_OK)
        st = print_readings(r, schema, &err);
    if (st != FLS_END)
        fls_error_print(stderr, &err);
    fls_reader_close(r);
    fls_schema_free(schema);
    return st == FLS_END ? 0 : 1;
}
