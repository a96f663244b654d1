/* Plots in a terminal. */
#include "plot.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { HEIGHT = 8, LABEL = 11, LEAST_WIDTH = 20, MOST_WIDTH = 400 };

/* Columns for the picture itself. */
static size_t width_of_terminal(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    long width = columns != NULL ? strtol(columns, NULL, 10) : 0;
    if (width <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        width = size.ws_col;
    }
    width = (width > 0 ? width : 80) - LABEL - 2;
    return (size_t)(width < LEAST_WIDTH ? LEAST_WIDTH : width > MOST_WIDTH ? MOST_WIDTH : width);
}

static int has_blocks(void)
{
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0') {
            return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL ||
                   strstr(value, "UTF8") != NULL || strstr(value, "utf-8") != NULL;
        }
    }
    return 0;
}

/* Columns that a line takes: few points are drawn wide. */
static size_t columns_of(const cli_plot_line *line)
{
    enum { WIDEST = 4 };
    size_t width = width_of_terminal();
    size_t wide = width / line->used;
    return wide == 0 ? width : line->used * (wide < WIDEST ? wide : WIDEST);
}

void cli_plot_line_add(cli_plot_line *line, double value, int is_there)
{
    if (line->used == 0) {
        line->merged = 1;
    }
    if (line->windows % line->merged == 0) {
        if (line->used == CLI_PLOT_POINTS) {
            for (size_t i = 0; i < CLI_PLOT_POINTS / 2; i++) {
                line->sums[i] = line->sums[2 * i] + line->sums[2 * i + 1];
                line->counts[i] = line->counts[2 * i] + line->counts[2 * i + 1];
            }
            line->used = CLI_PLOT_POINTS / 2;
            line->merged *= 2;
        }
        line->sums[line->used] = 0;
        line->counts[line->used++] = 0;
    }
    line->windows++;
    if (is_there && value - value == 0) {
        line->sums[line->used - 1] += value;
        line->counts[line->used - 1]++;
    }
}

/* The points of a line that fall into a column. 0: none has a value. */
static int value_of_column(const cli_plot_line *line, size_t column, size_t columns, double *value)
{
    size_t from = column * line->used / columns;
    size_t to = (column + 1) * line->used / columns;
    double sum = 0;
    double count = 0;
    for (size_t i = from; i < (to > from ? to : from + 1); i++) {
        sum += line->sums[i];
        count += line->counts[i];
    }
    *value = sum / count;
    return count > 0;
}

/* Eighths of a cell, from none to all. */
static const char *vertical(int eighths, int blocks)
{
    static const char *const cells[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    if (!blocks) {
        return eighths >= 4 ? "#" : " ";
    }
    return cells[eighths < 0 ? 0 : eighths > 8 ? 8 : eighths];
}

static void draw_row(const cli_plot_line *line, cli_out *out, int row, double low, double high)
{
    size_t columns = columns_of(line);
    int blocks = has_blocks();
    if (row == HEIGHT - 1 || row == 0) {
        cli_out_format(out, "%*.5g ", LABEL, row == 0 ? low : high);
    } else {
        cli_out_format(out, "%*s ", LABEL, "");
    }
    for (size_t i = 0; i < columns; i++) {
        double value;
        int eighths = 0;
        if (value_of_column(line, i, columns, &value)) {
            /* The lowest is seen too: one eighth. */
            double share = high > low ? (value - low) / (high - low) : 0.5;
            eighths = (int)(share * (HEIGHT * 8 - 1)) + 1 - row * 8;
            eighths += !blocks && row == 0 ? 4 : 0;
        }
        cli_out_text(out, vertical(eighths, blocks));
    }
    cli_out_text(out, "\n");
}

void cli_plot_line_draw(const cli_plot_line *line, cli_out *out, const char *title,
                        const char *from, const char *to)
{
    double low = 0;
    double high = 0;
    int any = 0;
    size_t columns = line->used > 0 ? columns_of(line) : 0;
    for (size_t i = 0; i < columns; i++) {
        double value;
        if (value_of_column(line, i, columns, &value)) {
            low = !any || value < low ? value : low;
            high = !any || value > high ? value : high;
            any = 1;
        }
    }
    if (!any) {
        return;
    }
    cli_out_format(out, "\n%s\n", title);
    for (int row = HEIGHT - 1; row >= 0; row--) {
        draw_row(line, out, row, low, high);
    }
    cli_out_format(out, "%*s %s .. %s\n", LABEL, "", from, to);
}

void cli_plot_bins_draw(cli_out *out, const char *title, const uint64_t *bins, size_t bin_count,
                        double low, double high)
{
    static const char *const cells[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    size_t columns = width_of_terminal() - 2;
    int blocks = has_blocks();
    uint64_t most = 0;
    for (size_t i = 0; i < bin_count; i++) {
        most = bins[i] > most ? bins[i] : most;
    }
    if (most == 0) {
        return;
    }
    cli_out_format(out, "\n%s\n", title);
    for (size_t i = 0; i < bin_count; i++) {
        double from = low + (high - low) * (double)i / (double)bin_count;
        size_t eighths = (size_t)((double)bins[i] / (double)most * (double)(columns * 8));
        cli_out_format(out, "%*.5g ", LABEL, from);
        for (size_t cell = 0; cell < eighths / 8; cell++) {
            cli_out_text(out, blocks ? "█" : "#");
        }
        if (blocks) {
            cli_out_text(out, eighths == 0 && bins[i] > 0 ? cells[1] : cells[eighths % 8]);
        } else if (eighths < 8 && bins[i] > 0) {
            cli_out_text(out, "#");
        }
        cli_out_text(out, "\n");
    }
    cli_out_format(out, "%*.5g\n", LABEL, high);
}
