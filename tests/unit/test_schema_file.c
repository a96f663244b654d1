/* Schemas from files, and what stands under that: running another program. Every system call fails
 * once; flatc is there, is not, refuses, is killed; nothing is ever left behind.
 */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_calls.h"
#include "os/os_process.h"
#include "stream/schema_file.h"
#include "support/counting_allocator.h"
#include "support/files.h"

static char sources[256];   /* the .fbs and programs of the tests */
static char temporary[256]; /* $TMPDIR while they run */

static const char *write_source(const char *name, const char *text)
{
    const char *path = files_join(sources, name);
    files_write(path, text, strlen(text));
    return path;
}

static const char *any_source(void)
{
    static char path[300];
    (void)snprintf(path, sizeof path, "%s", write_source("any.fbs", "table T { a:int; }"));
    return path;
}

/* With what a load could not remove. */
static void empty_temporary(void)
{
    DIR *directory = opendir(temporary);
    assert_non_null(directory);
    for (const struct dirent *entry = readdir(directory); entry != NULL;
         entry = readdir(directory)) {
        if (entry->d_name[0] != '.') {
            files_remove_directory(files_join(temporary, entry->d_name));
        }
    }
    closedir(directory);
}

/* An empty directory can be removed. */
static void check_nothing_left(void)
{
    if (fake.failed != NULL && strcmp(fake.failed, "unlinkat") == 0) {
        empty_temporary();
    }
    if (rmdir(temporary) != 0) {
        print_error("something is left in %s after %s\n", temporary,
                    fake.failed != NULL ? fake.failed : "nothing failed");
        fail();
    }
    assert_int_equal(mkdir(temporary, 0700), 0);
    assert_int_equal(fake.open, 0);
}

static fls_status load(const char *path, const char *const *folders, fls_error *err)
{
    fls_schema *schema = NULL;
    counting_allocator allocator;
    counting_allocator_init(&allocator);
    fls_status status =
        flsi_schema_new_file(&schema, path, folders, &allocator.table, fake_calls(), err);
    assert_true((status == FLS_OK) == (schema != NULL));
    if (status == FLS_OK) {
        assert_true(fls_schema_object_count(schema) > 0);
    }
    fls_schema_free(schema);
    assert_int_equal(allocator.live_blocks, 0);
    return status;
}

static void check_same_compiled(const char *path)
{
    fls_error err = FLS_ERROR_INIT;
    fls_schema *from_file = NULL;
    fls_schema *from_bytes = NULL;
    counting_allocator allocator;
    void *bfbs = NULL;
    size_t size = 0;
    counting_allocator_init(&allocator);
    assert_int_equal(fls_schema_compile_file(&bfbs, &size, path, NULL, &allocator.table, &err),
                     FLS_OK);
    assert_int_equal(fls_schema_new_file(&from_file, path, NULL, NULL, &err), FLS_OK);
    assert_int_equal(fls_schema_new(&from_bytes, bfbs, size, NULL, &err), FLS_OK);
    assert_true(fls_schema_hash(from_file) == fls_schema_hash(from_bytes));
    fls_schema_free(from_file);
    fls_schema_free(from_bytes);
    assert_int_equal(allocator.live_bytes, size);
    allocator.table.free(allocator.table.self, bfbs, size);
    assert_int_equal(allocator.live_blocks, 0);
}

static void schemas_as_bytes(void **state)
{
    fls_error err = FLS_ERROR_INIT;
    void *bfbs = &err;
    size_t size = 1;
    (void)state;
    check_same_compiled(any_source());
    check_same_compiled(FLS_TEST_SCHEMA_DIR "/telemetry.bfbs");
    assert_int_equal(
        fls_schema_compile_file(&bfbs, &size, write_source("none.bfbs", ""), NULL, NULL, &err),
        FLS_SCHEMA_INVALID);
    assert_null(bfbs);
    assert_int_equal(size, 0);
    assert_int_equal(fls_schema_compile_file(&bfbs, &size, write_source("wrong.fbs", "table {"),
                                             NULL, NULL, &err),
                     FLS_SCHEMA_INVALID);
    assert_int_equal(
        fls_schema_compile_file(&bfbs, &size, files_join(sources, "no.bfbs"), NULL, NULL, &err),
        FLS_IO);
    check_nothing_left();
}

static fls_status load_sound(const char *path, const char *const *folders, fls_error *err)
{
    fake_reset();
    fls_status status = load(path, folders, err);
    check_nothing_left();
    return status;
}

/* ---- running programs ---- */

static flsi_process_end run_shell(const char *script, char *said, size_t said_bytes)
{
    const char *const arguments[] = {"sh", "-c", script, NULL};
    fls_error err = FLS_ERROR_INIT;
    flsi_process_end end;
    fake_reset();
    assert_status(flsi_process_run(arguments, said, said_bytes, &end, fake_calls(), &err), FLS_OK,
                  &err);
    assert_int_equal(fake.open, 0);
    return end;
}

static void programs_are_heard_and_waited_for(void **state)
{
    char said[32];
    (void)state;
    flsi_process_end end = run_shell("echo out; echo err >&2; exit 3", said, sizeof said);
    assert_string_equal(said, "out\nerr\n");
    assert_int_equal(end.code, 3);
    assert_int_equal(end.signal + end.is_missing + end.is_unknown, 0);
    end = run_shell("kill -9 $$", said, sizeof said);
    assert_int_equal(end.signal, SIGKILL);
    assert_int_equal(end.code, 0);
    assert_string_equal(said, "");
    end = run_shell("cat; echo empty", said, sizeof said); /* nothing to read */
    assert_string_equal(said, "empty\n");
    /* Only the last of much is kept, in however many pieces it comes. */
    end = run_shell("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done", said,
                    sizeof said);
    assert_string_equal(said, "\nline 2997\nline 2998\nline 2999\n");
    end = run_shell("printf %0100d 7; printf b", said, sizeof said);
    assert_string_equal(said, "000000000000000000000000000007b");
    assert_int_equal(strlen(said), sizeof said - 1);
}

/* SIGPIPE and a mask of this process are none of the child's, nor are its descriptors. */
static void programs_inherit_nothing(void **state)
{
    char said[64];
    sigset_t held;
    sigset_t before;
    (void)state;
    sigemptyset(&held);
    sigaddset(&held, SIGTERM);
    void (*ignored)(int) = signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &held, &before);
    flsi_process_end end = run_shell("kill -PIPE $$; echo survived", said, sizeof said);
    assert_int_equal(end.signal, SIGPIPE);
    end = run_shell("kill -TERM $$; echo survived", said, sizeof said);
    assert_int_equal(end.signal, SIGTERM);
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGPIPE, ignored);
    if (files_exist("/proc/self/fd")) {
        char again[64];
        (void)run_shell("ls /proc/$$/fd", said, sizeof said);
        int kept = real()->dup_cloexec(1);
        (void)run_shell("ls /proc/$$/fd", again, sizeof again);
        assert_string_equal(said, again);
        (void)close(kept);
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
        kept = dup(1); /* as a program may that knows nothing of children */
        (void)run_shell("ls /proc/$$/fd", again, sizeof again);
        assert_string_equal(said, again);
        (void)close(kept);
#endif
#endif
    }
}

static void programs_that_are_not_there(void **state)
{
    static const char *const names[] = {"flatstream-no-such-program", "/nowhere/at/all",
                                        "/etc/passwd"};
    char said[32];
    flsi_process_end end;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *const arguments[] = {names[i], NULL};
        fake_reset();
        assert_status(flsi_process_run(arguments, said, sizeof said, &end, fake_calls(), &err),
                      FLS_OK, &err);
        assert_true(end.is_missing);
        assert_int_equal(fake.open, 0);
    }
}

static void children_that_nobody_may_wait_for(void **state)
{
    char said[32];
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    void (*before)(int) = signal(SIGCHLD, SIG_IGN);
    flsi_process_end end = run_shell("echo x; exit 3", said, sizeof said);
    assert_true(end.is_unknown);
    assert_string_equal(said, "x\n");
    const char *sound = write_source("sound.fbs", "table T { a:int; }");
    assert_status(load_sound(sound, NULL, &err), FLS_OK, &err);
    const char *broken = write_source("broken.fbs", "table T { a:Nothing; }");
    assert_status(load_sound(broken, NULL, &err), FLS_SCHEMA_INVALID, NULL);
    assert_non_null(strstr(err.text, "type referenced but not defined"));
    signal(SIGCHLD, before);
}

/* ---- files ---- */

static void kinds_of_files(void **state)
{
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    assert_status(load_sound(FLS_TEST_SCHEMA_DIR "/everything.bfbs", NULL, &err), FLS_OK, &err);
    assert_status(load_sound(FLS_SOURCE_DIR "/tests/schemas/everything.fbs", NULL, &err), FLS_OK,
                  &err);
    assert_status(load_sound(files_join(sources, "none.fbs"), NULL, &err), FLS_IO, NULL);
    assert_int_equal(err.system_errno, ENOENT);
    assert_non_null(strstr(err.name, "none.fbs"));
    assert_status(load_sound(files_join(sources, "none.bfbs"), NULL, &err), FLS_IO, NULL);
    assert_status(load_sound(sources, NULL, &err), FLS_IO, NULL);
    assert_status(load_sound(write_source("text", "table T {}"), NULL, &err), FLS_SCHEMA_INVALID,
                  NULL);
    assert_non_null(strstr(err.text, "not a .bfbs"));
    assert_non_null(strstr(err.name, "text"));
    assert_status(load_sound(write_source("empty", ""), NULL, &err), FLS_SCHEMA_INVALID, NULL);
    assert_status(load_sound(write_source("a b; $(c) 'd'.e.fbs", "table T {}"), NULL, &err), FLS_OK,
                  &err);
    fls_schema *schema = NULL;
    assert_status(
        fls_schema_new_file(&schema, FLS_TEST_SCHEMA_DIR "/telemetry.bfbs", NULL, NULL, NULL),
        FLS_OK, NULL);
    fls_schema_free(schema);
}

/* Nested in the order of their names and against it, since that is how they are looked at. */
static void deep_structs(void **state)
{
    (void)state;
    for (int depth = 64; depth <= 65; depth++) {
        for (int downward = 0; downward < 2; downward++) {
            static char text[8000];
            fls_error err = FLS_ERROR_INIT;
            size_t length = 0;
            for (int i = 0; i < depth; i++) {
                int own = downward ? 99 - i : i;
                int inner = downward ? own + 1 : own - 1;
                length += (size_t)snprintf(
                    text + length, sizeof text - length,
                    i == 0 ? "struct S%02d { x:int; }" : "struct S%02d { s:S%02d; }", own, inner);
            }
            fls_status status = load_sound(write_source("deep.fbs", text), NULL, &err);
            assert_status(status, depth == 64 ? FLS_OK : FLS_UNSUPPORTED, &err);
            assert_true(depth == 64 || strstr(err.text, "more than 64 deep") != NULL);
        }
    }
}

/* A name that begins like an option, which only a relative path can. */
static void names_like_options(void **state)
{
    char before[1024];
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    assert_non_null(getcwd(before, sizeof before));
    (void)write_source("-t.fbs", "table T {}");
    assert_int_equal(chdir(sources), 0);
    fls_status status = load_sound("-t.fbs", NULL, &err);
    assert_int_equal(chdir(before), 0);
    assert_status(status, FLS_OK, &err);
}

static void included_files(void **state)
{
    fls_error err = FLS_ERROR_INIT;
    const char *folders[70] = {"/nowhere", sources, NULL};
    (void)state;
    (void)write_source("shared.fbs", "table Shared { x:int; }");
    const char *beside =
        write_source("beside.fbs", "include \"shared.fbs\"; table T { s:Shared; }");
    assert_status(load_sound(beside, NULL, &err), FLS_OK, &err);
    char apart[300];
    (void)snprintf(apart, sizeof apart, "%s/apart", sources);
    assert_int_equal(mkdir(apart, 0700), 0);
    const char *path = files_join(apart, "apart.fbs");
    static const char text[] = "include \"shared.fbs\"; table T { s:Shared; }";
    files_write(path, text, sizeof text - 1);
    assert_status(load_sound(path, NULL, &err), FLS_SCHEMA_INVALID, NULL);
    assert_string_equal(err.text, "flatc: apart.fbs:1: 21: error: unable to load include file: "
                                  "shared.fbs");
    assert_non_null(strstr(err.name, "apart.fbs"));
    assert_status(load_sound(path, folders, &err), FLS_OK, &err);
    for (size_t i = 1; i < 64; i++) {
        folders[i] = sources;
    }
    assert_status(load_sound(path, folders, &err), FLS_OK, &err);
    folders[64] = sources;
    assert_status(load_sound(path, folders, &err), FLS_INVALID_ARGUMENT, NULL);
    files_remove_directory(apart);
}

static void a_binary_schema_that_is_named_as_text(void **state)
{
    fls_error err = FLS_ERROR_INIT;
    const char *path = files_join(sources, "binary.fbs");
    (void)state;
    files_write(path, "\0\1\2\377", 4);
    assert_status(load_sound(path, NULL, &err), FLS_SCHEMA_INVALID, NULL);
    assert_string_equal(err.text, "flatc: input file appears to be binary");
    assert_non_null(strstr(err.name, "binary.fbs"));
}

/* ---- flatc that is not as it should be ---- */

/* Puts a script in flatc's place for one load. */
static fls_status load_with(const char *script, fls_error *err)
{
    char path[1200];
    const char *source = any_source();
    const char *old = getenv("PATH");
    char *saved = strdup(old == NULL ? "" : old);
    assert_non_null(saved);
    if (script != NULL) {
        const char *program = write_source("flatc", script);
        assert_int_equal(chmod(program, 0700), 0);
    }
    (void)snprintf(path, sizeof path, "%s%s%s", sources, script == NULL ? "" : ":",
                   script == NULL ? "" : saved);
    setenv("PATH", path, 1);
    fls_status status = load_sound(source, NULL, err);
    setenv("PATH", saved, 1);
    free(saved);
    (void)unlink(files_join(sources, "flatc"));
    return status;
}

static void other_programs_named_flatc(void **state)
{
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    assert_status(load_with(NULL, &err), FLS_UNSUPPORTED, NULL);
    assert_non_null(strstr(err.text, "flatbuffers-compiler"));
    assert_status(load_with("#!/bin/sh\nexit 0\n", &err), FLS_IO, NULL);
    assert_int_equal(err.system_errno, ENOENT);
    assert_status(load_with("#!/bin/sh\nexit 4\n", &err), FLS_SCHEMA_INVALID, NULL);
    assert_string_equal(err.text, "flatc ended with code 4");
    /* Not there, but for what it says: it is there and lacks something. */
    assert_status(load_with("#!/bin/sh\nexit 127\n", &err), FLS_UNSUPPORTED, NULL);
    assert_status(load_with("#!/bin/sh\necho 'there is no libx.so' >&2; exit 127\n", &err),
                  FLS_SCHEMA_INVALID, NULL);
    assert_string_equal(err.text, "flatc: there is no libx.so");
    assert_status(load_with("#!/bin/sh\nkill -9 $$\n", &err), FLS_SCHEMA_INVALID, NULL);
    assert_string_equal(err.text, "flatc was killed by signal 9");
    assert_status(load_with("#!/bin/sh\necho; echo '  warning: x'; echo '  error: it is bad  '\n"
                            "echo; echo Usage: none; exit 1\n",
                            &err),
                  FLS_SCHEMA_INVALID, NULL);
    assert_string_equal(err.text, "flatc: error: it is bad  ");
    assert_status(load_with("#!/bin/sh\necho 'it is bad'; exit 1\n", &err), FLS_SCHEMA_INVALID,
                  NULL);
    assert_string_equal(err.text, "flatc: it is bad");
    assert_status(load_with("#!/bin/sh\necho 'flatc: it is worse'; exit 1\n", &err),
                  FLS_SCHEMA_INVALID, NULL);
    assert_string_equal(err.text, "flatc: it is worse");
    assert_status(load_with("#!/bin/sh\nprintf '%0300d' 1; exit 1\n", &err), FLS_SCHEMA_INVALID,
                  NULL);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    /* Makes something else. */
    assert_status(load_with("#!/bin/sh\necho nonsense > \"$5\"/any.bfbs\n", &err),
                  FLS_SCHEMA_INVALID, NULL);
    assert_non_null(strstr(err.text, "not a .bfbs"));
    assert_non_null(strstr(err.name, "any.fbs"));
}

static void a_temporary_directory_that_is_not_there(void **state)
{
    fls_error err = FLS_ERROR_INIT;
    char long_path[FLSI_PATH_BYTES + 10];
    const char *source = any_source();
    (void)state;
    setenv("TMPDIR", "/nowhere", 1);
    fake_reset();
    assert_status(load(source, NULL, &err), FLS_IO, NULL);
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    setenv("TMPDIR", long_path, 1);
    assert_status(load(source, NULL, &err), FLS_IO, NULL);
    assert_int_equal(err.system_errno, ENAMETOOLONG);
    setenv("TMPDIR", temporary, 1);
}

/* ---- failing calls ---- */

static void every_call_fails(void **state)
{
    static const int errors[] = {EIO, ENOSPC, ENOMEM};
    const char *source = any_source();
    (void)state;
    for (size_t e = 0; e < sizeof errors / sizeof errors[0]; e++) {
        for (long number = 0;; number++) {
            fls_error err = FLS_ERROR_INIT;
            fake_reset();
            fake.fail_at = number;
            fake.fail_errno = errors[e];
            fls_status status = load(source, NULL, &err);
            check_nothing_left();
            if (fake.failed == NULL) {
                assert_status(status, FLS_OK, &err);
                assert_true(number >= 10);
                break;
            }
            if (strcmp(fake.failed, "close") == 0 || strcmp(fake.failed, "unlinkat") == 0) {
                assert_status(status, FLS_OK, &err); /* what was made is whole */
                continue;
            }
            assert_true(status == FLS_IO || status == FLS_NO_SPACE || status == FLS_NO_MEMORY);
            assert_int_equal(err.system_errno, errors[e]);
            assert_true(err.text[0] != '\0');
        }
    }
}

static void interruptions_are_nothing(void **state)
{
    const char *source = any_source();
    (void)state;
    for (long number = 0;; number++) {
        fls_error err = FLS_ERROR_INIT;
        fake_reset();
        fake.fail_at = number;
        fake.fail_errno = EINTR;
        fake.only_waiting = 1;
        fls_status status = load(source, NULL, &err);
        assert_status(status, FLS_OK, &err);
        check_nothing_left();
        if (fake.failed == NULL) {
            assert_true(number >= 5);
            break;
        }
    }
    fake_reset();
    fake.at_most = 1;
    fls_error err = FLS_ERROR_INIT;
    assert_status(load(source, NULL, &err), FLS_OK, &err);
    check_nothing_left();
}

static void every_allocation_fails(void **state)
{
    const char *source = any_source();
    (void)state;
    for (uint64_t call = 0;; call++) {
        counting_allocator allocator;
        fls_schema *schema = NULL;
        fls_error err = FLS_ERROR_INIT;
        counting_allocator_init(&allocator);
        allocator.fail_from = call;
        allocator.fail_calls = 1;
        fake_reset();
        fls_status status =
            flsi_schema_new_file(&schema, source, NULL, &allocator.table, fake_calls(), &err);
        check_nothing_left();
        fls_schema_free(schema);
        assert_int_equal(allocator.live_blocks, 0);
        if (allocator.failures == 0) {
            assert_status(status, FLS_OK, &err);
            assert_int_equal(call, 2); /* the file, and the schema */
            break;
        }
        assert_status(status, FLS_NO_MEMORY, NULL);
        assert_null(schema);
    }
}

static int set_up(void **state)
{
    (void)state;
    files_make_directory(sources, sizeof sources);
    files_make_directory(temporary, sizeof temporary);
    return setenv("TMPDIR", temporary, 1);
}

static int tear_down(void **state)
{
    (void)state;
    files_remove_directory(temporary);
    files_remove_directory(sources);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_are_heard_and_waited_for),
        cmocka_unit_test(programs_inherit_nothing),
        cmocka_unit_test(programs_that_are_not_there),
        cmocka_unit_test(children_that_nobody_may_wait_for),
        cmocka_unit_test(kinds_of_files),
        cmocka_unit_test(schemas_as_bytes),
        cmocka_unit_test(deep_structs),
        cmocka_unit_test(names_like_options),
        cmocka_unit_test(included_files),
        cmocka_unit_test(a_binary_schema_that_is_named_as_text),
        cmocka_unit_test(other_programs_named_flatc),
        cmocka_unit_test(a_temporary_directory_that_is_not_there),
        cmocka_unit_test(every_call_fails),
        cmocka_unit_test(interruptions_are_nothing),
        cmocka_unit_test(every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
