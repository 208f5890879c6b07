// team.c - a team of threads.
//
// In: a function and its argument.  Out: the function has run in every thread, with its part's
// number. A training step is thousands of short ops with a barrier between each two, so the barrier
// decides how well threads pay: it spins for some microseconds on a counter that only the last to
// arrive moves, and sleeps on a futex beyond that.  With more threads than processors spinning
// would only keep the others from arriving: then it sleeps at once.
//
//     arrived:    how many are here         generation: how often all were here
//     last one:   arrived = 0, generation++, wake the sleepers if there are any
//
// Between two runs the workers wait in the very same barrier; a run is: barrier, job, barrier.
// A sleeper counts itself before it looks at `generation` a last time, and the last one moves
// `generation` before it looks for sleepers: one of the two sees the other (both are sequentially
// consistent), so no wake-up is lost.
#define _GNU_SOURCE
#include "team.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

enum { SPINS = 3000, CACHE_LINE = 64 };

typedef struct {
    Team *team;
    int part;
    pthread_t thread;
} Worker;

struct Team {
    _Alignas(CACHE_LINE) atomic_uint arrived;
    _Alignas(CACHE_LINE) atomic_uint generation;
    _Alignas(CACHE_LINE) atomic_uint sleepers;
    _Alignas(CACHE_LINE) atomic_int size; // changes only when the start of a thread failed
    int spins;
    bool is_closing;
    TeamJob *job;
    void *argument;
    Worker *workers; // [size], the first is the caller
};

int team_size(const Team *team)
{
    return atomic_load_explicit(&team->size, memory_order_relaxed);
}

int team_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (int)count;
}

// ---- denormals ---------------------------------------------------------------------------------

// Switches flushing of denormal results and operands on; returns the control word as it was.
static unsigned long denormals_flush(void)
{
#if defined(__SSE2__)
    unsigned int before = _mm_getcsr();
    _mm_setcsr(before | 0x8040u); // FTZ (bit 15), DAZ (bit 6)
    return before;
#elif defined(__aarch64__)
    unsigned long before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (1ul << 24)));
    return before;
#else
    return 0;
#endif
}

static void denormals_restore(unsigned long before)
{
#if defined(__SSE2__)
    _mm_setcsr((unsigned int)before);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
#else
    (void)before;
#endif
}

// ---- the barrier -------------------------------------------------------------------------------

static void spin_pause(void)
{
#if defined(__SSE2__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void futex_wait(atomic_uint *word, unsigned expected)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

static void futex_wake_all(atomic_uint *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 0x7fffffff, NULL, NULL, 0);
}

static void barrier_wait(Team *team, unsigned generation)
{
    for (int i = 0; i < team->spins; i++) {
        if (atomic_load_explicit(&team->generation, memory_order_acquire) != generation)
            return;
        spin_pause();
    }
    atomic_fetch_add(&team->sleepers, 1);
    while (atomic_load(&team->generation) == generation)
        futex_wait(&team->generation, generation); // returns at once if it moved meanwhile
    atomic_fetch_sub(&team->sleepers, 1);
}

void team_barrier(void *opaque)
{
    Team *team = opaque;
    if (team_size(team) == 1)
        return;
    unsigned generation = atomic_load_explicit(&team->generation, memory_order_acquire);
    unsigned here = atomic_fetch_add(&team->arrived, 1) + 1;
    if (here < (unsigned)team_size(team)) {
        barrier_wait(team, generation);
        return;
    }
    atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
    atomic_fetch_add(&team->generation, 1);
    if (atomic_load(&team->sleepers) > 0)
        futex_wake_all(&team->generation);
}

// ---- the team ----------------------------------------------------------------------------------

static void *worker_main(void *opaque)
{
    const Worker *worker = opaque;
    Team *team = worker->team;
    denormals_flush();
    for (;;) {
        team_barrier(team);
        if (team->is_closing)
            return NULL;
        team->job(team->argument, worker->part, team_size(team));
        team_barrier(team);
    }
}

// Signals are for the thread that owns the team: a worker inherits a mask that blocks them all.
static int worker_start(Worker *worker)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&worker->thread, NULL, worker_main, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static void team_free(Team *team)
{
    free(team->workers);
    free(team);
}

// Lets the `started` threads, who wait in their first barrier, pass it and end.
static void workers_end(Team *team, int started)
{
    team->is_closing = true;
    atomic_store(&team->size, started + 1); // the barrier waits for those that exist
    team_barrier(team);
    for (int i = 1; i <= started; i++)
        pthread_join(team->workers[i].thread, NULL);
}

Team *team_open(int threads, Err *err)
{
    if (threads < 1)
        bug("a team of %d threads", threads);
    Team *team = aligned_alloc(CACHE_LINE, sizeof *team);
    if (!team) {
        err_run(err, "no memory for a team of threads");
        return NULL;
    }
    memset(team, 0, sizeof *team);
    atomic_init(&team->size, threads);
    team->spins = threads <= team_processors() ? SPINS : 0;
    team->workers = xcalloc((size_t)threads, sizeof *team->workers);
    for (int i = 1; i < threads; i++) {
        team->workers[i] = (Worker){.team = team, .part = i};
        int code = worker_start(&team->workers[i]);
        if (code != 0) {
            err_run(err, "cannot start thread %d of %d: %s (hint: fewer --threads)", i + 1, threads,
                    strerror(code));
            workers_end(team, i - 1);
            team_free(team);
            return NULL;
        }
    }
    return team;
}

void team_close(Team *team)
{
    if (!team)
        return;
    workers_end(team, team_size(team) - 1);
    team_free(team);
}

void team_run(Team *team, TeamJob *job, void *argument)
{
    unsigned long before = denormals_flush();
    team->job = job;
    team->argument = argument;
    team_barrier(team);
    job(argument, 0, team_size(team));
    team_barrier(team);
    denormals_restore(before);
}
