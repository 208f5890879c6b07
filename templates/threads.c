// threads.c - the threads of an inference file: NK_THREADS - 1 helpers beside the caller's.
//
// An op that is worth it is cut into NK_THREADS parts.  The parts are taken, not given: caller and
// helpers each take the next one that nobody has, so that a helper which the system does not let
// run holds nobody up.  Where caches are far apart, what the parts have to fetch from each other
// can cost more than they gain: the first calls, and a few of every thousand, are timed with and
// without helpers, and the others go the faster way.  Helpers look for parts for a while before
// they sleep.  What a part computes does not depend on who takes it: the results are those of one
// thread, bit for bit. (NK_SHARES_IMAGES: images of a batch are taken instead of parts of ops.)
#include <time.h>

#if defined(__TINYC__) || defined(__STDC_NO_ATOMICS__)

static void *nk_claim_helpers(void)
{
    return NULL;
}

static void nk_dismiss_helpers(void)
{
}

static void nk_run_shared(nk_task *task, const nk_call *call)
{
    for (int part = 0; part < NK_THREADS; part++)
        task(call, part);
}

void nk_stop_threads(void)
{
}

#else

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { NK_SPINS = 4000, NK_TICKET = 1024 }; // parts of an op are fewer than NK_TICKET

static struct {
    pthread_mutex_t busy; // held by the call that has the helpers
    pthread_mutex_t lock; // of what sleeping and stopping needs
    pthread_cond_t wake;
    pthread_t helpers[NK_THREADS];
    int count; // helpers that run
    int stop;
    nk_task *task; // of the op that `next` announces
    const nk_call *call;
    _Alignas(64) atomic_ulong next;  // op number * NK_TICKET + the part to be taken next
    _Alignas(64) atomic_int missing; // parts that are not done
    atomic_int sleepers;
} nk_pool = {.busy = PTHREAD_MUTEX_INITIALIZER,
             .lock = PTHREAD_MUTEX_INITIALIZER,
             .wake = PTHREAD_COND_INITIALIZER,
             .next = NK_THREADS};

static void nk_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Takes a part of the present op and does it; 0: there is none.
static int nk_take_part(void)
{
    unsigned long next = atomic_load_explicit(&nk_pool.next, memory_order_acquire);
    while (next % NK_TICKET < NK_THREADS)
        if (atomic_compare_exchange_weak_explicit(&nk_pool.next, &next, next + 1,
                                                  memory_order_acq_rel, memory_order_acquire)) {
            nk_pool.task(nk_pool.call, (int)(next % NK_TICKET));
            atomic_fetch_sub_explicit(&nk_pool.missing, 1, memory_order_release);
            return 1;
        }
    return 0;
}

// Until there is a part to take; 0: no more will come.
static int nk_sleep(void)
{
    pthread_mutex_lock(&nk_pool.lock);
    atomic_fetch_add(&nk_pool.sleepers, 1);
    while (!nk_pool.stop && atomic_load(&nk_pool.next) % NK_TICKET >= NK_THREADS)
        pthread_cond_wait(&nk_pool.wake, &nk_pool.lock);
    atomic_fetch_sub(&nk_pool.sleepers, 1);
    const int goes_on = !nk_pool.stop;
    pthread_mutex_unlock(&nk_pool.lock);
    return goes_on;
}

static void *nk_help(void *unused)
{
    do
        for (int spins = 0; spins < NK_SPINS; spins++)
            if (nk_take_part())
                spins = 0;
            else
                nk_relax();
    while (nk_sleep());
    return unused;
}

// Starts the helpers that are not there; NULL: another call has them.
static void *nk_claim_helpers(void)
{
    if (pthread_mutex_trylock(&nk_pool.busy) != 0)
        return NULL;
    while (nk_pool.count < NK_THREADS - 1 &&
           pthread_create(&nk_pool.helpers[nk_pool.count], NULL, nk_help, NULL) == 0)
        nk_pool.count++;
    return &nk_pool;
}

static void nk_dismiss_helpers(void)
{
    pthread_mutex_unlock(&nk_pool.busy);
}

// All parts of an op; with helpers where the call has them.
static void nk_run_shared(nk_task *task, const nk_call *call)
{
    if (!call->team) {
        for (int part = 0; part < NK_THREADS; part++)
            task(call, part);
        return;
    }
    const unsigned long op = atomic_load_explicit(&nk_pool.next, memory_order_relaxed) / NK_TICKET;
    nk_pool.task = task;
    nk_pool.call = call;
    atomic_store_explicit(&nk_pool.missing, NK_THREADS, memory_order_relaxed);
    atomic_store(&nk_pool.next, (op + 1) * NK_TICKET);
    if (atomic_load(&nk_pool.sleepers) > 0) {
        pthread_mutex_lock(&nk_pool.lock);
        pthread_cond_broadcast(&nk_pool.wake);
        pthread_mutex_unlock(&nk_pool.lock);
    }
    while (nk_take_part())
        continue;
    for (int spins = 0; atomic_load_explicit(&nk_pool.missing, memory_order_acquire) > 0; spins++)
        if (spins < NK_SPINS)
            nk_relax();
        else
            sched_yield();
}

// Ends the helpers; the next call starts them again.  Not while a call runs.
void nk_stop_threads(void)
{
    pthread_mutex_lock(&nk_pool.busy);
    pthread_mutex_lock(&nk_pool.lock);
    nk_pool.stop = 1;
    pthread_cond_broadcast(&nk_pool.wake);
    pthread_mutex_unlock(&nk_pool.lock);
    while (nk_pool.count > 0)
        pthread_join(nk_pool.helpers[--nk_pool.count], NULL);
    nk_pool.stop = 0;
    pthread_mutex_unlock(&nk_pool.busy);
}

#endif

#ifndef NK_SHARES_IMAGES

enum { NK_TRIALS = 16, NK_TRIAL_PERIOD = 1000 };

// A call with or without helpers.
typedef struct {
    void *claim, *team; // team: the call's, NULL where it goes without
    int is_timed;
    double begin;
} nk_trial;

// Belongs to the call that has the helpers.
static struct {
    unsigned calls;
    double least[2]; // seconds without and with helpers, in the trials of this period
} nk_trials;

static double nk_trial_now(void)
{
#ifdef TIME_UTC
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
#else // before C11
    return (double)clock() / CLOCKS_PER_SEC;
#endif
}

static nk_trial nk_trial_begin(void)
{
    nk_trial trial = {.claim = nk_claim_helpers()};
    if (!trial.claim)
        return trial;
    const unsigned number = nk_trials.calls++ % NK_TRIAL_PERIOD;
    if (number == 0)
        nk_trials.least[0] = nk_trials.least[1] = 1e30;
    trial.is_timed = number < NK_TRIALS;
    // one way first, then the other: the first helped call wakes the helpers
    if (trial.is_timed ? number >= NK_TRIALS / 2 : nk_trials.least[1] < nk_trials.least[0])
        trial.team = trial.claim;
    trial.begin = trial.is_timed ? nk_trial_now() : 0.0;
    return trial;
}

static void nk_trial_end(const nk_trial *trial)
{
    if (!trial->claim)
        return;
    if (trial->is_timed) {
        const double seconds = nk_trial_now() - trial->begin;
        double *least = &nk_trials.least[trial->team != NULL];
        *least = seconds < *least ? seconds : *least;
    }
    nk_dismiss_helpers();
}

#endif
