// study_trials.c - trials in the study store: added, claimed by lease, ended, put back.
//
//            add               claim               end
//     (none) ----> queued ----------> running ----------> finished | failed | infeasible
//                    ^  release, recover  |
//                    +--------------------+
//
// Every arrow is one conditional UPDATE: it takes effect only if the trial is still where the arrow
// starts and belongs to whom it is said to, so that a process that was stopped for an hour and goes
// on cannot overwrite what another one has done since.
#define _GNU_SOURCE
#include "study_sqlite.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *const study_state_name[5] = {"queued", "running", "finished", "failed", "infeasible"};
const char study_asked[] = "asked";

static double clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// ---- numbers as text ---------------------------------------------------------------------------

void numbers_print(const double *numbers, int count, Text *out)
{
    text_puts(out, "[");
    for (int i = 0; i < count; i++)
        text_printf(out, "%s%.17g", i ? ", " : "", numbers[i]);
    text_puts(out, "]");
}

const double *numbers_read(const char *text, int *count, Pool *pool)
{
    double *numbers = NULL;
    size_t capacity = 0;
    *count = 0;
    if (!text || *text != '[')
        return NULL;
    for (const char *at = text + 1; *at && *at != ']';) {
        char *end;
        double number = strtod(at, &end);
        if (end == at)
            break;
        numbers = pool_grow(pool, numbers, (size_t)*count, (size_t)*count + 1, &capacity,
                            sizeof *numbers);
        numbers[(*count)++] = number;
        at = end + strspn(end, ", ");
    }
    return numbers;
}

// ---- owners ------------------------------------------------------------------------------------

// When a process began, in ticks since the machine did: tells it from a later one of the same
// number.  0: there is no such process.
static unsigned long long process_start(long pid)
{
    char path[64], line[1024] = "";
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    size_t got = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[got] = '\0';
    char *at = strrchr(line, ')'); // the name may hold anything
    char state = at && at[1] ? at[2] : 'X';
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return !at || state == 'Z' || state == 'X' ? 0 : strtoull(at, NULL, 10);
}

static void host_name(char name[128])
{
    if (gethostname(name, 128) != 0 || !name[0])
        strcpy(name, "localhost");
    name[127] = '\0';
}

const char *study_owner(Pool *pool)
{
    char host[128];
    host_name(host);
    return pool_printf(pool, "%s:%ld:%llu", host, (long)getpid(), process_start((long)getpid()));
}

bool study_owner_is_dead(const char *owner)
{
    char host[128];
    host_name(host);
    size_t length = strlen(host);
    if (!owner || strncmp(owner, host, length) != 0 || owner[length] != ':')
        return false; // of another machine: its lease will tell
    char *end;
    long pid = strtol(owner + length + 1, &end, 10);
    unsigned long long start = *end == ':' ? strtoull(end + 1, NULL, 10) : 0;
    return process_start(pid) != start;
}

// ---- reading -----------------------------------------------------------------------------------

#define TRIAL_COLUMNS                                                                            \
    "id, state, bracket, rung, budget, ifnull(parent, -1), point, params, reason, theta, draws," \
    " objectives, violation, measures, error, attempts, owner, lease, created, started, ended"

static StudyState state_parse(const char *name)
{
    for (int i = 0; name && i < 5; i++)
        if (strcmp(name, study_state_name[i]) == 0)
            return (StudyState)i;
    return STUDY_FAILED; // the schema's CHECK knows no other
}

static void trial_read(sqlite3_stmt *row, StudyTrial *trial, Pool *pool)
{
    *trial = (StudyTrial){
        .id = sqlite3_column_int64(row, 0),
        .state = state_parse((const char *)sqlite3_column_text(row, 1)),
        .bracket = sqlite3_column_int(row, 2),
        .rung = sqlite3_column_int(row, 3),
        .budget = sqlite3_column_double(row, 4),
        .parent = sqlite3_column_int64(row, 5),
        .params = study_column(row, 7, pool),
        .reason = study_column(row, 8, pool),
        .theta = study_column(row, 9, pool),
        .draws = sqlite3_column_int(row, 10),
        .violation = sqlite3_column_double(row, 12),
        .measures = study_column(row, 13, pool),
        .error = study_column(row, 14, pool),
        .attempts = sqlite3_column_int(row, 15),
        .owner = study_column(row, 16, pool),
        .lease = sqlite3_column_double(row, 17),
        .created = sqlite3_column_double(row, 18),
        .started = sqlite3_column_double(row, 19),
        .ended = sqlite3_column_double(row, 20),
        .queued = -1,
    };
    trial->x = numbers_read((const char *)sqlite3_column_text(row, 6), &trial->n_x, pool);
    const double *values =
        numbers_read((const char *)sqlite3_column_text(row, 11), &trial->n_values, pool);
    if (trial->n_values > STUDY_MAX_VALUES)
        trial->n_values = STUDY_MAX_VALUES;
    if (values)
        memcpy(trial->values, values, (size_t)trial->n_values * sizeof *values);
}

bool study_trials(Study *study, StudyTrial **trials, int *count, Pool *pool, Err *err)
{
    size_t capacity = 0;
    bool is_row = true;
    *trials = NULL;
    *count = 0;
    sqlite3_stmt *statement =
        study_prepare(study, "SELECT " TRIAL_COLUMNS " FROM trial ORDER BY id", err);
    bool ok = statement != NULL;
    while (ok && (ok = study_step(study, statement, &is_row, "read the study", err)) && is_row) {
        if ((size_t)*count == capacity)
            *trials = pool_grow(pool, *trials, (size_t)*count, 2 * (size_t)*count + 16, &capacity,
                                sizeof **trials);
        trial_read(statement, &(*trials)[(*count)++], pool);
    }
    sqlite3_finalize(statement);
    return ok;
}

bool study_trial(Study *study, int64_t id, StudyTrial **trial, Pool *pool, Err *err)
{
    bool is_row = false;
    *trial = NULL;
    sqlite3_stmt *statement =
        study_prepare(study, "SELECT " TRIAL_COLUMNS " FROM trial WHERE id = ?", err);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, id);
    bool ok = study_step(study, statement, &is_row, "read the study", err);
    if (ok && is_row) {
        *trial = pool_alloc(pool, sizeof **trial);
        trial_read(statement, *trial, pool);
    }
    sqlite3_finalize(statement);
    return ok;
}

// ---- adding ------------------------------------------------------------------------------------

static void values_bind(sqlite3_stmt *statement, int place, const StudyTrial *trial)
{
    Text values = {0};
    if (trial->n_values > 0)
        numbers_print(trial->values, trial->n_values, &values);
    study_bind(statement, place, values.data);
    text_free(&values);
}

static bool trial_insert(Study *study, const StudyTrial *trial, Err *err)
{
    sqlite3_stmt *statement =
        study_prepare(study,
                      "INSERT INTO trial (id, state, bracket, rung, budget, parent, point, params,"
                      " reason, theta, draws, objectives, violation, measures, error, owner,"
                      " created, started, ended, attempts)"
                      " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                      err);
    if (!statement)
        return false;
    Text point = {0};
    numbers_print(trial->x, trial->n_x, &point);
    sqlite3_bind_int64(statement, 1, trial->id);
    study_bind(statement, 2, study_state_name[trial->state]);
    sqlite3_bind_int(statement, 3, trial->bracket);
    sqlite3_bind_int(statement, 4, trial->rung);
    sqlite3_bind_double(statement, 5, trial->budget);
    if (trial->parent >= 0)
        sqlite3_bind_int64(statement, 6, trial->parent);
    study_bind(statement, 7, point.data);
    study_bind(statement, 8, trial->params);
    study_bind(statement, 9, trial->reason);
    study_bind(statement, 10, trial->theta);
    sqlite3_bind_int(statement, 11, trial->draws);
    values_bind(statement, 12, trial);
    sqlite3_bind_double(statement, 13, trial->violation);
    study_bind(statement, 14, trial->measures);
    study_bind(statement, 15, trial->error);
    study_bind(statement, 16, trial->owner);
    sqlite3_bind_double(statement, 17, trial->created > 0 ? trial->created : clock_now());
    sqlite3_bind_double(statement, 18, trial->started);
    sqlite3_bind_double(statement, 19, trial->ended);
    sqlite3_bind_int(statement, 20, trial->attempts);
    text_free(&point);
    return study_finish(study, statement, "write to the study", err);
}

static bool queue_take(Study *study, const StudyTrial *trial, Err *err)
{
    if (trial->queued < 0)
        return true;
    sqlite3_stmt *statement =
        study_prepare(study, "UPDATE queue SET trial = ? WHERE id = ? AND trial IS NULL", err);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, trial->id);
    sqlite3_bind_int64(statement, 2, trial->queued);
    return study_finish(study, statement, "write to the study", err);
}

static bool next_id(Study *study, int64_t *id, Err *err)
{
    bool is_row = false;
    sqlite3_stmt *statement = study_prepare(study, "SELECT ifnull(max(id) + 1, 0) FROM trial", err);
    bool ok = statement && study_step(study, statement, &is_row, "read the study", err);
    *id = ok && is_row ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return ok;
}

bool study_add(Study *study, const StudyTrial *trials, int count, bool *is_late, Err *err)
{
    int64_t next = 0;
    *is_late = false;
    if (!study_transact(study, err))
        return false;
    bool ok = next_id(study, &next, err);
    *is_late = ok && count > 0 && trials[0].id != next;
    for (int i = 0; ok && !*is_late && i < count; i++)
        ok = trial_insert(study, &trials[i], err) && queue_take(study, &trials[i], err);
    return study_commit(study, ok, err);
}

// ---- arrows ------------------------------------------------------------------------------------

// Runs an UPDATE of one trial; *is_ours: it has taken effect.
static bool arrow(Study *study, sqlite3_stmt *statement, bool *is_ours, Err *err)
{
    bool ok = study_finish(study, statement, "write to the study", err);
    *is_ours = ok && sqlite3_changes(study->db) == 1;
    return ok;
}

bool study_claim(Study *study, int64_t id, const char *owner, bool *is_ours, Err *err)
{
    sqlite3_stmt *statement =
        study_prepare(study,
                      "UPDATE trial SET state = 'running', owner = ?, lease = ?, started = ?,"
                      " attempts = attempts + 1 WHERE id = ? AND state = 'queued'",
                      err);
    double now = clock_now();
    *is_ours = false;
    if (!statement)
        return false;
    study_bind(statement, 1, owner);
    sqlite3_bind_double(statement, 2, now + STUDY_LEASE);
    sqlite3_bind_double(statement, 3, now);
    sqlite3_bind_int64(statement, 4, id);
    return arrow(study, statement, is_ours, err);
}

bool study_beat(Study *study, int64_t id, const char *owner, bool *is_ours, Err *err)
{
    sqlite3_stmt *statement = study_prepare(
        study, "UPDATE trial SET lease = ? WHERE id = ? AND state = 'running' AND owner = ?", err);
    *is_ours = false;
    if (!statement)
        return false;
    sqlite3_bind_double(statement, 1, clock_now() + STUDY_LEASE);
    sqlite3_bind_int64(statement, 2, id);
    study_bind(statement, 3, owner);
    return arrow(study, statement, is_ours, err);
}

bool study_end(Study *study, const StudyTrial *result, const char *owner, bool *is_ours, Err *err)
{
    sqlite3_stmt *statement = study_prepare(
        study,
        "UPDATE trial SET state = ?, theta = ?, draws = ?, objectives = ?, violation = ?,"
        " measures = ?, error = ?, ended = ?, lease = 0"
        " WHERE id = ? AND state = 'running' AND owner = ?",
        err);
    *is_ours = false;
    if (!statement)
        return false;
    study_bind(statement, 1, study_state_name[result->state]);
    study_bind(statement, 2, result->theta);
    sqlite3_bind_int(statement, 3, result->draws);
    values_bind(statement, 4, result);
    sqlite3_bind_double(statement, 5, result->violation);
    study_bind(statement, 6, result->measures);
    study_bind(statement, 7, result->error);
    sqlite3_bind_double(statement, 8, clock_now());
    sqlite3_bind_int64(statement, 9, result->id);
    study_bind(statement, 10, owner);
    return arrow(study, statement, is_ours, err);
}

bool study_release(Study *study, int64_t id, const char *owner, bool counts, bool *is_ours,
                   Err *err)
{
    sqlite3_stmt *statement =
        study_prepare(study,
                      "UPDATE trial SET state = 'queued', lease = 0, attempts = attempts - ?"
                      " WHERE id = ? AND state = 'running' AND owner = ?",
                      err);
    *is_ours = false;
    if (!statement)
        return false;
    sqlite3_bind_int(statement, 1, counts ? 0 : 1);
    sqlite3_bind_int64(statement, 2, id);
    study_bind(statement, 3, owner);
    return arrow(study, statement, is_ours, err);
}

// ---- lost trials -------------------------------------------------------------------------------

static bool lost_put_back(Study *study, const StudyTrial *trial, int *count, Err *err)
{
    bool is_ours;
    if (trial->attempts < STUDY_ATTEMPTS) {
        bool ok = study_release(study, trial->id, trial->owner, true, &is_ours, err);
        *count += ok && is_ours;
        return ok;
    }
    StudyTrial result = *trial;
    char words[96];
    snprintf(words, sizeof words, "its worker was lost %d times (killed, or the machine ended)",
             trial->attempts);
    result.state = STUDY_FAILED;
    result.error = words;
    return study_end(study, &result, trial->owner, &is_ours, err);
}

bool study_recover(Study *study, int *count, Err *err)
{
    Pool *pool = pool_new();
    StudyTrial *trials;
    int n;
    *count = 0;
    bool ok = study_trials(study, &trials, &n, pool, err);
    for (int i = 0; ok && i < n; i++) {
        const StudyTrial *trial = &trials[i];
        if (trial->state != STUDY_RUNNING || !trial->owner ||
            strcmp(trial->owner, study_asked) == 0)
            continue;
        if (trial->lease < clock_now() || study_owner_is_dead(trial->owner))
            ok = lost_put_back(study, trial, count, err);
    }
    pool_free(pool);
    return ok;
}

// ---- asked trials ------------------------------------------------------------------------------

bool study_tell(Study *study, const StudyTrial *results, int count, int64_t *bad, Err *err)
{
    *bad = -1;
    if (!study_transact(study, err))
        return false;
    bool ok = true;
    for (int i = 0; ok && *bad < 0 && i < count; i++) {
        bool is_ours;
        ok = study_end(study, &results[i], study_asked, &is_ours, err);
        if (ok && !is_ours)
            *bad = results[i].id;
    }
    if (*bad >= 0) {
        sqlite3_exec(study->db, "ROLLBACK", NULL, NULL, NULL);
        return true;
    }
    return study_commit(study, ok, err);
}
