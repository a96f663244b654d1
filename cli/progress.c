/* The progress line. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "output.h"

#define FIRST_AFTER_NS 400000000u
#define EVERY_NS       100000000u
#define BAR_CELLS      24

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void cli_progress_start(cli_progress *progress, const char *label, uint64_t total_bytes, int wanted)
{
    memset(progress, 0, sizeof *progress);
    progress->enabled = wanted && isatty(STDERR_FILENO);
    progress->label = label;
    progress->total_bytes = total_bytes;
    if (progress->enabled) {
        progress->started_ns = now_ns();
    }
}

/* Columns of the terminal; 80 where it does not say. */
static size_t terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* How many bytes of the text stand in so many columns; bytes that go on a character take none. */
static int cut(const char *text, size_t columns)
{
    size_t length = 0;
    while (text[length] != '\0') {
        int begins = ((unsigned char)text[length] & 0xC0) != 0x80;
        if (begins && columns-- == 0) {
            break;
        }
        length++;
    }
    return (int)length;
}

void cli_progress_line(cli_progress *progress, const char *label, const char *text)
{
    size_t width = terminal_width() - 1; /* in the last column some terminals break the line */
    size_t needed = strlen(text) + 2;
    fputs("\r\033[K", stderr);
    if (label != NULL && needed < width) {
        size_t room = width - needed;
        size_t length = strlen(label);
        const char *dots = length > room && room > 3 ? "..." : "";
        const char *from = length > room ? label + length - (room > 3 ? room - 3 : 0) : label;
        if (*from != '\0') {
            fprintf(stderr, "%s%s: ", dots, from);
        }
    }
    fprintf(stderr, "%.*s", cut(text, width), text);
    fflush(stderr);
    progress->shown = 1;
}

static void show(cli_progress *progress, uint64_t done_bytes, double seconds)
{
    char line[256];
    char done[CLI_NUMBER];
    char total[CLI_NUMBER];
    char rate[CLI_NUMBER];
    char left[CLI_NUMBER];
    double per_second = (double)done_bytes / seconds;
    cli_bytes(done, (double)done_bytes);
    cli_bytes(rate, per_second);
    if (progress->total_bytes == 0) {
        snprintf(line, sizeof line, "%s, %s/s", done, rate);
    } else {
        double share = (double)done_bytes / (double)progress->total_bytes;
        share = share > 1 ? 1 : share;
        char bar[BAR_CELLS + 1];
        memset(bar, '.', BAR_CELLS);
        memset(bar, '#', (size_t)(share * BAR_CELLS));
        bar[BAR_CELLS] = '\0';
        double bytes_left = (double)progress->total_bytes * (1 - share);
        snprintf(line, sizeof line, "[%s] %3.0f%%  %s of %s, %s/s, %s left", bar, share * 100, done,
                 cli_bytes(total, (double)progress->total_bytes), rate,
                 cli_duration(left, per_second > 0 ? bytes_left / per_second : 0));
    }
    cli_progress_line(progress, progress->label, line);
}

void cli_progress_update(cli_progress *progress, uint64_t done_bytes)
{
    if (!progress->enabled) {
        return;
    }
    uint64_t now = now_ns();
    if (now - progress->started_ns < FIRST_AFTER_NS || now - progress->shown_ns < EVERY_NS) {
        return;
    }
    progress->shown_ns = now;
    show(progress, done_bytes, (double)(now - progress->started_ns) / 1e9);
}

void cli_progress_say(cli_progress *progress, const char *text)
{
    if (progress->shown) {
        cli_progress_line(progress, progress->label, text);
    }
}

void cli_progress_clear(cli_progress *progress)
{
    if (progress->shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        progress->shown = 0;
    }
}
