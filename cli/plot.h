/* Plots in a terminal: by eighths of block characters, or in # where there is no UTF-8. */
#ifndef FLS_CLI_PLOT_H
#define FLS_CLI_PLOT_H

#include "output.h"

/* Points of a line over time, in bounded memory: when there are too many, neighbours become one. */
#define CLI_PLOT_POINTS 1024

typedef struct cli_plot_line {
    double sums[CLI_PLOT_POINTS]; /* of the values that became one point */
    uint32_t counts[CLI_PLOT_POINTS];
    uint32_t used;   /* points */
    uint32_t merged; /* windows that are one point */
    uint64_t windows;
} cli_plot_line;

/* The next window's value; is_there 0: it has none. */
void cli_plot_line_add(cli_plot_line *line, double value, int is_there);

/* Columns from the first window to the last, highest at the top. from and to are written below. */
void cli_plot_line_draw(const cli_plot_line *line, cli_out *out, const char *title,
                        const char *from, const char *to);

/* A row for each of bin_count ranges between low and high, as long as there are values in it. */
void cli_plot_bins_draw(cli_out *out, const char *title, const uint64_t *bins, size_t bin_count,
                        double low, double high);

#endif
