// main_profile.c - what the program of -D NK_MAIN -D NK_PROFILE prints at its end.
#ifdef NK_PROFILE
#include <stdio.h>

static void nk_report_profile(void)
{
    double all = 0.0;
    for (int i = 0; i < NK_PROFILE_ROWS; i++)
        all += (double)nk_profile[i].ticks;
    fprintf(stderr, "%12s %10s %6s  %s\n", "ticks a call", "calls", "%", "op");
    for (int i = 0; i < NK_PROFILE_ROWS; i++)
        if (nk_profile[i].calls)
            fprintf(stderr, "%12.0f %10lu %6.2f  %s %s\n",
                    (double)nk_profile[i].ticks / nk_profile[i].calls,
                    (unsigned long)nk_profile[i].calls,
                    all > 0.0 ? 100.0 * (double)nk_profile[i].ticks / all : 0.0, nk_profile[i].op,
                    nk_profile[i].result);
}
#endif
