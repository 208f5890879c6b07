// profile.c - times each op where the file is compiled with -D NK_PROFILE; else nothing of it is
// there.
#ifdef NK_PROFILE

#ifdef NK_PROFILE_CLOCK
uint64_t NK_PROFILE_CLOCK(void);
#else
#include <time.h>
#define NK_PROFILE_CLOCK nk_nanoseconds

static uint64_t nk_nanoseconds(void)
{
#ifdef TIME_UTC
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#else // before C11
    return (uint64_t)clock() * (1000000000u / CLOCKS_PER_SEC);
#endif
}
#endif

static uint64_t nk_profile_last; // when the op that is running began

static void nk_profile_begin(void)
{
    nk_profile_last = NK_PROFILE_CLOCK();
}

// Op number `op` has ended.
static void nk_mark(int op)
{
    const uint64_t now = NK_PROFILE_CLOCK();
    nk_profile[op].ticks += now - nk_profile_last;
    nk_profile[op].calls++;
    nk_profile_last = NK_PROFILE_CLOCK();
}

#else
#define nk_profile_begin() ((void)0)
#define nk_mark(op) ((void)0)
#endif
