/* As station_builder.h beside it. */
#ifndef FLS_TEST_STATION_VERIFIER_H
#define FLS_TEST_STATION_VERIFIER_H

#include <stddef.h>

int weather_Reading_verify_as_root(const void *buf, size_t bufsiz);

#endif
