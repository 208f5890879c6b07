// team.h - a team of threads that runs one function in parts, with a barrier between its steps.
#ifndef NAGO_TEAM_H
#define NAGO_TEAM_H

#include "../compiler/base.h"

typedef struct Team Team;

// What a team runs: the same function in every thread, part 0 <= part < parts.
typedef void TeamJob(void *argument, int part, int parts);

// Starts threads - 1 threads; the caller of team_run is part 0.  threads >= 1.  Error: a run
// failure when the system refuses a thread (none is left behind).
Team *team_open(int threads, Err *err);
void team_close(Team *team); // NULL is allowed
int team_size(const Team *team);

// Runs `job` in all threads and returns when every part has returned.  While it runs, denormal
// numbers are flushed to zero in every thread, the caller's included (restored afterwards), so that
// the results are the same for any number of threads.  One run at a time; not to be nested.
void team_run(Team *team, TeamJob *job, void *argument);

// Waits, inside a job, until all parts have come here; what they wrote before is visible after.
// Every part must pass the same barriers.  Has the type of `barrier` in nk_call; `team` is a Team.
void team_barrier(void *team);

// Processors that this process may run on (affinity mask), at least 1.
int team_processors(void);

#endif
