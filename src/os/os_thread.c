/* Threads, locks and conditions by POSIX threads; see os_thread.h. Locks that are right never fail
 * to be taken or given back, so those calls return nothing. */
#include "os/os_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/random.h>
#endif

/* A wait on a word of memory; the time that it takes is a long on 64 bits only. */
#if defined(__linux__) && defined(__LP64__)
#include <linux/futex.h>
#include <sys/syscall.h>
#define HAS_FUTEX 1
#else
#define HAS_FUTEX 0
#endif

#include "os/os_error.h"

#define NS_PER_SECOND UINT64_C(1000000000)

/* A wait longer than this (three years) is one of this length: time_t cannot overflow then. */
#define LONGEST_WAIT_NS (UINT64_C(100000000) * NS_PER_SECOND)

typedef struct thread_state {
    pthread_t handle;
    void (*run)(void *self);
    void *self;
} thread_state;

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(flsi_mutex), "a mutex has to fit");
_Static_assert(sizeof(pthread_cond_t) <= sizeof(flsi_condition), "a condition has to fit");
_Static_assert(sizeof(thread_state) <= sizeof(flsi_thread), "a thread has to fit");
_Static_assert(_Alignof(pthread_mutex_t) <= _Alignof(flsi_mutex), "aligned for a mutex");
_Static_assert(_Alignof(pthread_cond_t) <= _Alignof(flsi_condition), "aligned for a condition");
_Static_assert(_Alignof(thread_state) <= _Alignof(flsi_thread), "aligned for a thread");

static pthread_mutex_t *mutex_of(flsi_mutex *mutex)
{
    return (pthread_mutex_t *)(void *)mutex;
}

static pthread_cond_t *condition_of(flsi_condition *condition)
{
    return (pthread_cond_t *)(void *)condition;
}

static thread_state *state_of(flsi_thread *thread)
{
    return (thread_state *)(void *)thread;
}

fls_status flsi_mutex_init(flsi_mutex *mutex, fls_error *err)
{
    int failed = pthread_mutex_init(mutex_of(mutex), NULL);
    return failed == 0 ? FLS_OK : flsi_os_error(err, failed, NULL, "making a lock failed");
}

void flsi_mutex_fini(flsi_mutex *mutex)
{
    (void)pthread_mutex_destroy(mutex_of(mutex));
}

void flsi_mutex_lock(flsi_mutex *mutex)
{
    (void)pthread_mutex_lock(mutex_of(mutex));
}

void flsi_mutex_unlock(flsi_mutex *mutex)
{
    (void)pthread_mutex_unlock(mutex_of(mutex));
}

/* macOS has no conditions by another clock than the wall's, but waits of a length. */
#if defined(__APPLE__)

static int init_monotonic(pthread_cond_t *condition)
{
    return pthread_cond_init(condition, NULL);
}

static int wait_for(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t ns)
{
    struct timespec length;
    length.tv_sec = (time_t)(ns / NS_PER_SECOND);
    length.tv_nsec = (long)(ns % NS_PER_SECOND);
    return pthread_cond_timedwait_relative_np(condition, mutex, &length);
}

#else

static int init_monotonic(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);
    if (failed != 0) {
        return failed;
    }
    failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (failed == 0) {
        failed = pthread_cond_init(condition, &attributes);
    }
    (void)pthread_condattr_destroy(&attributes);
    return failed;
}

static int wait_for(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t ns)
{
    struct timespec until = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t part = (uint64_t)until.tv_nsec + ns % NS_PER_SECOND;
    until.tv_sec += (time_t)(ns / NS_PER_SECOND + part / NS_PER_SECOND);
    until.tv_nsec = (long)(part % NS_PER_SECOND);
    return pthread_cond_timedwait(condition, mutex, &until);
}

#endif

fls_status flsi_condition_init(flsi_condition *condition, fls_error *err)
{
    int failed = init_monotonic(condition_of(condition));
    return failed == 0 ? FLS_OK : flsi_os_error(err, failed, NULL, "making a condition failed");
}

void flsi_condition_fini(flsi_condition *condition)
{
    (void)pthread_cond_destroy(condition_of(condition));
}

void flsi_condition_wait(flsi_condition *condition, flsi_mutex *mutex)
{
    (void)pthread_cond_wait(condition_of(condition), mutex_of(mutex));
}

int flsi_condition_wait_for(flsi_condition *condition, flsi_mutex *mutex, uint64_t timeout_ns)
{
    uint64_t ns = timeout_ns < LONGEST_WAIT_NS ? timeout_ns : LONGEST_WAIT_NS;
    return wait_for(condition_of(condition), mutex_of(mutex), ns) != ETIMEDOUT;
}

void flsi_condition_signal(flsi_condition *condition)
{
    (void)pthread_cond_signal(condition_of(condition));
}

void flsi_condition_broadcast(flsi_condition *condition)
{
    (void)pthread_cond_broadcast(condition_of(condition));
}

/* ---- gates ---- */

uint32_t flsi_gate_turn(const flsi_gate *gate)
{
    return atomic_load_explicit(&gate->turn, memory_order_acquire);
}

#if HAS_FUTEX

_Static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "what the system looks at");

fls_status flsi_gate_init(flsi_gate *gate, fls_error *err)
{
    (void)err;
    atomic_init(&gate->turn, 0);
    atomic_init(&gate->waiting, 0);
    return FLS_OK;
}

void flsi_gate_fini(flsi_gate *gate)
{
    (void)gate;
}

int flsi_gate_wait(flsi_gate *gate, uint32_t turn, uint64_t timeout_ns)
{
    struct timespec length;
    uint64_t ns = timeout_ns < LONGEST_WAIT_NS ? timeout_ns : LONGEST_WAIT_NS;
    length.tv_sec = (time_t)(ns / NS_PER_SECOND);
    length.tv_nsec = (long)(ns % NS_PER_SECOND);
    /* Counted before the system looks at the turn, and let_go looks at the count after it changed
     * the turn: so one of the two sees the other. */
    (void)atomic_fetch_add_explicit(&gate->waiting, 1, memory_order_seq_cst);
    long result = syscall(SYS_futex, &gate->turn, FUTEX_WAIT_PRIVATE, turn,
                          timeout_ns == FLSI_GATE_FOREVER ? NULL : &length, NULL, 0);
    int late = result != 0 && errno == ETIMEDOUT;
    (void)atomic_fetch_sub_explicit(&gate->waiting, 1, memory_order_relaxed);
    return !late || flsi_gate_turn(gate) != turn;
}

static void let_go(flsi_gate *gate, int count)
{
    (void)atomic_fetch_add_explicit(&gate->turn, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&gate->waiting, memory_order_seq_cst) != 0) {
        (void)syscall(SYS_futex, &gate->turn, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
    }
}

void flsi_gate_open(flsi_gate *gate)
{
    let_go(gate, INT_MAX);
}

void flsi_gate_nudge(flsi_gate *gate)
{
    let_go(gate, 1);
}

#else

fls_status flsi_gate_init(flsi_gate *gate, fls_error *err)
{
    atomic_init(&gate->turn, 0);
    atomic_init(&gate->waiting, 0);
    fls_status status = flsi_mutex_init(&gate->mutex, err);
    if (status == FLS_OK && (status = flsi_condition_init(&gate->condition, err)) != FLS_OK) {
        flsi_mutex_fini(&gate->mutex);
    }
    return status;
}

void flsi_gate_fini(flsi_gate *gate)
{
    flsi_condition_fini(&gate->condition);
    flsi_mutex_fini(&gate->mutex);
}

int flsi_gate_wait(flsi_gate *gate, uint32_t turn, uint64_t timeout_ns)
{
    int in_time = 1;
    flsi_mutex_lock(&gate->mutex);
    if (flsi_gate_turn(gate) == turn && timeout_ns == FLSI_GATE_FOREVER) {
        flsi_condition_wait(&gate->condition, &gate->mutex);
    } else if (flsi_gate_turn(gate) == turn) {
        in_time = flsi_condition_wait_for(&gate->condition, &gate->mutex, timeout_ns);
    }
    in_time |= flsi_gate_turn(gate) != turn;
    flsi_mutex_unlock(&gate->mutex);
    return in_time;
}

void flsi_gate_open(flsi_gate *gate)
{
    flsi_mutex_lock(&gate->mutex);
    (void)atomic_fetch_add_explicit(&gate->turn, 1, memory_order_release);
    flsi_mutex_unlock(&gate->mutex);
    flsi_condition_broadcast(&gate->condition);
}

void flsi_gate_nudge(flsi_gate *gate)
{
    flsi_mutex_lock(&gate->mutex);
    (void)atomic_fetch_add_explicit(&gate->turn, 1, memory_order_release);
    flsi_mutex_unlock(&gate->mutex);
    flsi_condition_signal(&gate->condition);
}

#endif

static void *run_thread(void *argument)
{
    thread_state *state = state_of(argument);
    state->run(state->self);
    return NULL;
}

fls_status flsi_thread_start(flsi_thread *thread, void (*run)(void *self), void *self,
                             fls_error *err)
{
    thread_state *state = state_of(thread);
    sigset_t all;
    sigset_t before;
    state->run = run;
    state->self = self;
    (void)sigfillset(&all);
    /* A new thread has its maker's signal mask. */
    int failed = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (failed == 0) {
        failed = pthread_create(&state->handle, NULL, run_thread, state);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return failed == 0 ? FLS_OK : flsi_os_error(err, failed, NULL, "starting a thread failed");
}

void flsi_thread_join(flsi_thread *thread)
{
    (void)pthread_join(state_of(thread)->handle, NULL);
}

void flsi_sleep_ns(uint64_t ns)
{
    uint64_t length = ns < LONGEST_WAIT_NS ? ns : LONGEST_WAIT_NS;
    struct timespec left;
    left.tv_sec = (time_t)(length / NS_PER_SECOND);
    left.tv_nsec = (long)(length % NS_PER_SECOND);
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

void flsi_thread_yield(void)
{
    (void)sched_yield();
}

uint64_t flsi_wall_now_ns(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* How many bytes came; fewer than size only on a failure, with errno. */
static size_t random_device_read(unsigned char *to, size_t size)
{
    size_t have = 0;
    int fd;
    do {
        fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    while (fd >= 0 && have < size) {
        ssize_t got = read(fd, to + have, size - have);
        if (got > 0) {
            have += (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            break;
        }
    }
    if (fd >= 0) {
        int saved_errno = errno;
        (void)close(fd);
        errno = saved_errno;
    }
    return have;
}

fls_status flsi_random_bytes(void *to, size_t size, fls_error *err)
{
    unsigned char *bytes = to;
    size_t have = 0;
#if defined(__linux__)
    while (have < size) {
        ssize_t got = getrandom(bytes + have, size - have, 0);
        if (got < 0 && errno != EINTR) {
            break; /* a kernel without it, or one that may not be asked */
        }
        have += got > 0 ? (size_t)got : 0;
    }
#endif
    errno = 0;
    if (have < size) {
        have += random_device_read(bytes + have, size - have);
    }
    return have == size ? FLS_OK
                        : flsi_os_error(err, errno, "/dev/urandom", "reading random bytes failed");
}

uint64_t flsi_process_id(void)
{
    return (uint64_t)getpid();
}

uint32_t flsi_processors(void)
{
    long count = -1;
#if defined(__linux__)
    cpu_set_t set; /* of at most 1024; a larger machine is counted by the call below */
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        count = CPU_COUNT(&set);
    }
#endif
    if (count < 1) {
        count = sysconf(_SC_NPROCESSORS_ONLN);
    }
    return count < 1 ? 1 : (uint32_t)count;
}
