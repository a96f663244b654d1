/* Using the index beside a stream. Whatever does not fit is said, and done without. */
#include "stream_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "complain.h"

/* Of an index that is read to split the work; its entries take three quarters of that in memory. */
#define MOST_SPLITS_BYTES ((off_t)64 * 1024 * 1024)
#define LEAST_SHARE       32

char *cli_index_path(const char *path)
{
    size_t room = strlen(path) + sizeof ".fli";
    char *beside = malloc(room);
    if (beside != NULL) {
        (void)snprintf(beside, room, "%s.fli", path);
    }
    return beside;
}

fls_status cli_index_read(cli_input *input, const char *path, fls_index **index, fls_error *err)
{
    struct stat info;
    fls_source source;
    *index = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT ? FLS_END : fls_error_set(err, FLS_IO, errno, "open failed");
    }
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        (void)close(fd);
        return fls_error_set(err, FLS_INVALID_FRAME, 0, "it is no regular file");
    }
    fls_status status = fls_source_from_fd(&source, fd, 1, err);
    if (status != FLS_OK) {
        (void)close(fd);
        return status;
    }
    const fls_source stream = cli_input_source(input);
    status = fls_index_open(index, &source, &stream, NULL, err);
    fls_source_close(&source);
    return status;
}

static void pass_over(cli_input *input, const char *path, const fls_error *err)
{
    char sentence[400];
    cli_error_sentence(err, sentence, sizeof sentence);
    cli_note(input->job, "%s is not used: %s ('flatstream index' makes it anew)", path, sentence);
}

/* Whether the checksum of an index is one that was asked for. */
static int is_asked_for(const cli_input *input, const fls_index_info *info)
{
    fls_checksum asked = input->job->common.checksum;
    return asked == FLS_CHECKSUM_DEFAULT || asked == FLS_CHECKSUM_DETECT || asked == info->checksum;
}

static fls_index *open_beside(cli_input *input, const char *path, int tells)
{
    fls_error err = FLS_ERROR_INIT;
    fls_index_info info = FLS_INDEX_INFO_INIT;
    fls_index *index = NULL;
    fls_status status = cli_index_read(input, path, &index, &err);
    if (status == FLS_OK) {
        fls_index_get_info(index, &info);
        if (info.messages == 0 || !is_asked_for(input, &info)) {
            fls_index_close(index);
            index = NULL;
        } else if (tells && (info.stale != 0 || info.fault.status != FLS_OK)) {
            cli_detail(input->job, "%s is good for the first %llu bytes only", path,
                       (unsigned long long)info.covered_bytes);
        }
    } else if (tells && status != FLS_END) {
        pass_over(input, path, &err);
    }
    return index;
}

/* Where the index of an input would be, allocated; NULL where none can be used. */
static char *path_beside(const cli_input *input)
{
    int can = input->seekable && !input->follow && !input->is_journal && input->owned;
    return can ? cli_index_path(input->path) : NULL;
}

fls_index *cli_index_beside(cli_input *input)
{
    char *path = path_beside(input);
    fls_index *index = path != NULL ? open_beside(input, path, 1) : NULL;
    free(path);
    return index;
}

/* Reading it is little work beside reading the stream, and needs little memory. */
static int pays_for_splits(const cli_input *input, const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && info.st_size <= MOST_SPLITS_BYTES &&
           info.st_size <= input->info.st_size / LEAST_SHARE;
}

const fls_index *cli_index_of_splits(cli_input *input)
{
    if (!input->looked_for_splits) {
        char *path = path_beside(input);
        input->looked_for_splits = 1;
        if (path != NULL && pays_for_splits(input, path)) {
            input->splits = open_beside(input, path, 0);
        }
        if (input->splits != NULL) {
            cli_detail(input->job, "%s: is split for cores by its index", input->name);
        }
        free(path);
    }
    return input->splits;
}

/* The first message that is wanted; 0: the stream's. */
static uint64_t first_wanted(const cli_input *input)
{
    uint64_t first;
    uint64_t end;
    cli_selection(&input->job->common, &first, &end);
    return first < end ? first : 0;
}

int cli_index_jump(cli_input *input, fls_reader_position *position, fls_checksum *checksum)
{
    fls_error err = FLS_ERROR_INIT;
    fls_index_info info = FLS_INDEX_INFO_INIT;
    uint64_t first = first_wanted(input);
    if (first == 0 && input->last == 0) {
        return 0;
    }
    fls_index *index = cli_index_beside(input);
    if (index == NULL) {
        return 0;
    }
    fls_index_get_info(index, &info);
    if (first == 0 && info.messages > input->last) {
        first = info.messages - input->last;
    }
    const fls_source stream = cli_input_source(input);
    fls_index_find_ordinal(index, first, position);
    fls_status status =
        position->ordinal == 0
            ? FLS_END
            : fls_index_prove(index, &stream, position, input->job->common.max_frame_bytes, &err);
    fls_index_close(index);
    if (status == FLS_OK) {
        *checksum = info.checksum;
        cli_detail(input->job, "%s: begins at message %llu, offset %llu, by its index", input->name,
                   (unsigned long long)position->ordinal, (unsigned long long)position->offset);
    } else if (status != FLS_END) {
        cli_detail(input->job, "%s: its index does not fit at message %llu, and is not used",
                   input->name, (unsigned long long)position->ordinal);
    }
    return status == FLS_OK;
}
