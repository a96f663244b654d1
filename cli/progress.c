/* The progress line. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
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

static void show(cli_progress *progress, uint64_t done_bytes, double seconds)
{
    char done[CLI_NUMBER];
    char total[CLI_NUMBER];
    char rate[CLI_NUMBER];
    char left[CLI_NUMBER];
    double per_second = (double)done_bytes / seconds;
    cli_bytes(done, (double)done_bytes);
    cli_bytes(rate, per_second);
    if (progress->total_bytes == 0) {
        fprintf(stderr, "\r\033[K%s: %s, %s/s", progress->label, done, rate);
    } else {
        double share = (double)done_bytes / (double)progress->total_bytes;
        share = share > 1 ? 1 : share;
        char bar[BAR_CELLS + 1];
        memset(bar, '.', BAR_CELLS);
        memset(bar, '#', (size_t)(share * BAR_CELLS));
        bar[BAR_CELLS] = '\0';
        double bytes_left = (double)progress->total_bytes * (1 - share);
        fprintf(stderr, "\r\033[K%s [%s] %3.0f%%  %s of %s, %s/s, %s left", progress->label, bar,
                share * 100, done, cli_bytes(total, (double)progress->total_bytes), rate,
                cli_duration(left, per_second > 0 ? bytes_left / per_second : 0));
    }
    fflush(stderr);
    progress->shown = 1;
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
        fprintf(stderr, "\r\033[K%s: %s", progress->label, text);
        fflush(stderr);
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
