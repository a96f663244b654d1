/* Threads, locks and conditions, and the clocks that they wait by. */
#ifndef FLSI_OS_THREAD_H
#define FLSI_OS_THREAD_H

#include "flatstream/status.h"

/* Storage that is large enough for the system's objects, so that no header of the system is needed
 * here; os_thread.c asserts it. None of them may move while it is in use. */
typedef union flsi_mutex {
    void *align;
    unsigned char space[64];
} flsi_mutex;

typedef union flsi_condition {
    void *align;
    unsigned char space[64];
} flsi_condition;

typedef union flsi_thread {
    void *align;
    unsigned char space[32];
} flsi_thread;

fls_status flsi_mutex_init(flsi_mutex *mutex, fls_error *err);
void flsi_mutex_fini(flsi_mutex *mutex);
void flsi_mutex_lock(flsi_mutex *mutex);
void flsi_mutex_unlock(flsi_mutex *mutex);

fls_status flsi_condition_init(flsi_condition *condition, fls_error *err);
void flsi_condition_fini(flsi_condition *condition);
void flsi_condition_wait(flsi_condition *condition, flsi_mutex *mutex);
/* 1: woken (or for no reason); 0: timeout_ns have passed, by the monotonic clock. */
int flsi_condition_wait_for(flsi_condition *condition, flsi_mutex *mutex, uint64_t timeout_ns);
void flsi_condition_signal(flsi_condition *condition);
void flsi_condition_broadcast(flsi_condition *condition);

/* Where threads wait, with no lock to queue for when they are let go. Who waits reads the turn
 * while it can tell (by a lock, or what it looks at again) that it has to wait; who lets go changes
 * what they wait for first. */
typedef struct flsi_gate {
    _Atomic uint32_t turn;
    _Atomic uint32_t waiting;
    flsi_mutex mutex; /* both only where the system has no such wait of its own */
    flsi_condition condition;
} flsi_gate;

#define FLSI_GATE_FOREVER UINT64_MAX

fls_status flsi_gate_init(flsi_gate *gate, fls_error *err);
void flsi_gate_fini(flsi_gate *gate);
uint32_t flsi_gate_turn(const flsi_gate *gate);
/* Until the turn is another one. 1: it is, or for no reason; 0: timeout_ns have passed, by the
 * monotonic clock. */
int flsi_gate_wait(flsi_gate *gate, uint32_t turn, uint64_t timeout_ns);
/* Lets all of them go; or at least one, if there is one. */
void flsi_gate_open(flsi_gate *gate);
void flsi_gate_nudge(flsi_gate *gate);

/* All signals are blocked on the new thread. */
fls_status flsi_thread_start(flsi_thread *thread, void (*run)(void *self), void *self,
                             fls_error *err);
void flsi_thread_join(flsi_thread *thread);

void flsi_sleep_ns(uint64_t ns);
void flsi_thread_yield(void);

/* Nanoseconds since 1970 by the wall clock. */
uint64_t flsi_wall_now_ns(void);
/* Bytes that nobody can foretell. */
fls_status flsi_random_bytes(void *to, size_t size, fls_error *err);
/* Processors that this process may run on; at least 1. */
uint32_t flsi_processors(void);
/* Process id, for telling who holds a lock. */
uint64_t flsi_process_id(void);

#endif
