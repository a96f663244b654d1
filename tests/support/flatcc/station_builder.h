/* What the guide uses of the code that flatcc would generate of examples/station.fbs, declared so
 * that the guide's own code is compiled. */
#ifndef FLS_TEST_STATION_BUILDER_H
#define FLS_TEST_STATION_BUILDER_H

#include <flatcc/flatcc_builder.h>

typedef const struct weather_Reading_table *weather_Reading_table_t;

int weather_Reading_start_as_root(flatcc_builder_t *B);
int32_t weather_Reading_end_as_root(flatcc_builder_t *B);
int weather_Reading_time_ns_add(flatcc_builder_t *B, uint64_t v);
int weather_Reading_station_create_str(flatcc_builder_t *B, const char *s);
int weather_Reading_temperature_add(flatcc_builder_t *B, double v);
int weather_Reading_wind_create(flatcc_builder_t *B, float v0, uint16_t v1);

weather_Reading_table_t weather_Reading_as_root(const void *buffer);
double weather_Reading_temperature(weather_Reading_table_t t);

#endif
