/* Moments. */
#include "moment.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "time_field.h"

#define SECOND_NS UINT64_C(1000000000)

static uint64_t now_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

uint64_t cli_wall_ns(void)
{
    return now_of(CLOCK_REALTIME);
}

uint64_t cli_monotonic_ns(void)
{
    return now_of(CLOCK_MONOTONIC);
}

/* So many digits, from least to most. 0 when there are not. */
static int number(const char **text, int digits, unsigned least, unsigned most, unsigned *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (**text < '0' || **text > '9') {
            return 0;
        }
        *value = *value * 10 + (unsigned)(**text - '0');
    }
    return *value >= least && *value <= most;
}

static int letter(const char **text, char small, char large)
{
    int is = **text == small || **text == large;
    *text += is;
    return is;
}

/* Days from 1970-01-01 to a day of the Gregorian calendar, year 1970 or later. */
static uint64_t days_since_1970(unsigned year, unsigned month, unsigned day)
{
    static const unsigned before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    unsigned last = year - 1; /* whole years before this one */
    unsigned leaps = (last / 4 - last / 100 + last / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
    int is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return (uint64_t)(year - 1970) * 365 + leaps + before[month - 1] + (is_leap && month > 2) +
           day - 1;
}

static int days_of(unsigned year, unsigned month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

static int parse_fraction(const char **text, uint64_t *ns)
{
    uint64_t unit = SECOND_NS;
    *ns = 0;
    if (**text != '.') {
        return 1;
    }
    const char *first = ++*text;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        unit /= 10;
        *ns += unit * (uint64_t)(**text - '0'); /* beyond the ninth digit: 0 */
    }
    return *text != first;
}

/* Seconds that local time is ahead, from "Z" or "+02:00". */
static int parse_offset(const char **text, int64_t *ahead)
{
    unsigned hours;
    unsigned minutes;
    int sign = **text == '-' ? -1 : 1;
    *ahead = 0;
    if (letter(text, 'z', 'Z')) {
        return 1;
    }
    if (!letter(text, '+', '-') || !number(text, 2, 0, 23, &hours) || !letter(text, ':', ':') ||
        !number(text, 2, 0, 59, &minutes)) {
        return 0;
    }
    *ahead = sign * (int64_t)(hours * 3600 + minutes * 60);
    return 1;
}

static int parse_date(const char *text, uint64_t *time_ns)
{
    unsigned year;
    unsigned month;
    unsigned day;
    unsigned hour;
    unsigned minute;
    unsigned second;
    uint64_t fraction;
    int64_t ahead;
    if (!number(&text, 4, 1970, 2553, &year) || !letter(&text, '-', '-') ||
        !number(&text, 2, 1, 12, &month) || !letter(&text, '-', '-') ||
        !number(&text, 2, 1, (unsigned)days_of(year, month), &day) ||
        !(letter(&text, 't', 'T') || letter(&text, ' ', ' ')) || !number(&text, 2, 0, 23, &hour) ||
        !letter(&text, ':', ':') || !number(&text, 2, 0, 59, &minute) || !letter(&text, ':', ':') ||
        !number(&text, 2, 0, 60, &second) || !parse_fraction(&text, &fraction) ||
        !parse_offset(&text, &ahead) || *text != '\0') {
        return 0;
    }
    int64_t seconds = (int64_t)(days_since_1970(year, month, day) * 86400 + hour * 3600u +
                                minute * 60u + second) -
                      ahead;
    if (seconds < 0) {
        return 0;
    }
    *time_ns = (uint64_t)seconds * SECOND_NS + fraction;
    return 1;
}

int cli_parse_moment(const char *text, uint64_t *time_ns)
{
    int64_t ago;
    if (*text != '-') {
        return parse_date(text, time_ns);
    }
    if (!cli_parse_duration(text + 1, &ago)) {
        return 0;
    }
    uint64_t now = cli_wall_ns();
    *time_ns = now > (uint64_t)ago ? now - (uint64_t)ago : 0;
    return 1;
}

const char *cli_moment(char buffer[CLI_MOMENT], uint64_t time_ns)
{
    time_t second = (time_t)(time_ns / SECOND_NS);
    struct tm date;
    char day[32];
    if (time_ns == 0 || gmtime_r(&second, &date) == NULL ||
        strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &date) == 0) {
        return "-";
    }
    snprintf(buffer, CLI_MOMENT, "%s.%09uZ", day, (unsigned)(time_ns % SECOND_NS));
    return buffer;
}
