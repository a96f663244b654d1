/* Writes the readings of station_write by a prepared message: its shape is made once, and a reading
 * is a copy of it with the values stored in their places.
 * Usage: prepare SCHEMA [FILE [COUNT]], where SCHEMA is station.bfbs or station.fbs
 */
#include <stdio.h>
#include <stdlib.h>

#include <flatstream/flatstream.h>

typedef struct places {
    fls_place_u64 time;
    fls_place_f64 temperature;
    fls_place_u8 sky;
    fls_place_f32 speed;
    fls_place_u16 direction;
} places;

/* The image has room for a name of 7 bytes, which is the same in every reading. */
static fls_status prepare(fls_prepared **p, places *at, const fls_schema *schema, fls_error *err)
{
    static const fls_prepared_field fields[] = {
        {"time_ns", 0}, {"station", 7}, {"temperature", 0}, {"sky", 0}, {"wind", 0}};
    fls_place_string station;
    fls_status st;
    size_t size;
    if ((st = fls_prepared_new(p, schema, fls_schema_root(schema), fields, 5, NULL, err)) ==
            FLS_OK &&
        (st = fls_prepared_u64(*p, "time_ns", &at->time, err)) == FLS_OK &&
        (st = fls_prepared_f64(*p, "temperature", &at->temperature, err)) == FLS_OK &&
        (st = fls_prepared_u8(*p, "sky", &at->sky, err)) == FLS_OK &&
        (st = fls_prepared_f32(*p, "wind.speed", &at->speed, err)) == FLS_OK &&
        (st = fls_prepared_u16(*p, "wind.direction", &at->direction, err)) == FLS_OK &&
        (st = fls_prepared_string(*p, "station", &station, err)) == FLS_OK)
        st = fls_prepared_set_string(fls_prepared_image(*p, &size), station, "harbour", 7);
    return st;
}

static fls_status write_reading(fls_writer *w, fls_prepared *p, const places *at, unsigned i,
                                fls_error *err)
{
    fls_prepared_message m = fls_prepared_start(p, w);
    fls_prepared_set_u64(m, at->time, 1767225600000000000u + i * 250000000ull);
    fls_prepared_set_f64(m, at->temperature, 12.5 + (i % 80) * 0.25);
    fls_prepared_set_u8(m, at->sky, (uint8_t)(i / 50 % 4));
    fls_prepared_set_f32(m, at->speed, 2.5f + (float)(i % 20));
    fls_prepared_set_u16(m, at->direction, (uint16_t)(i * 15 % 360));
    return fls_writer_write_prepared(w, p, m, err);
}

int main(int argc, char **argv)
{
    const char *path = argc > 2 ? argv[2] : "weather.fls";
    unsigned count = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1000;
    fls_error err = FLS_ERROR_INIT;
    fls_schema *schema;
    fls_prepared *p = NULL;
    fls_writer *w;
    places at;
    if (argc < 2)
        return fputs("usage: prepare SCHEMA [FILE [COUNT]]\n", stderr), 2;
    if (fls_schema_new_file(&schema, argv[1], NULL, NULL, &err) != FLS_OK ||
        prepare(&p, &at, schema, &err) != FLS_OK ||
        fls_writer_open_file(&w, path, NULL, &err) != FLS_OK)
        return fls_error_print(stderr, &err), 1;
    fls_status st = FLS_OK;
    for (unsigned i = 0; i < count && st == FLS_OK; i++)
        st = write_reading(w, p, &at, i, &err);
    fls_prepared_free(p);
    fls_schema_free(schema);
    if (st != FLS_OK)
        return fls_writer_abort(w), fls_error_print(stderr, &err), 1;
    if (fls_writer_close(w, &err) != FLS_OK)
        return fls_error_print(stderr, &err), 1;
    return 0;
}
