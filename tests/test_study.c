// The study store: what is written is read back, claims exclude each other, what is lost comes
// back, a full disk and a damaged file are messages.
#define _GNU_SOURCE
#include "../search/study.h"
#include "../search/study_sqlite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[256];

static int setup(void **state)
{
    const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
    (void)state;
    snprintf(folder, sizeof folder, "%s/tmp/study-XXXXXX", build);
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    char command[320];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char path[320];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static Study *opened(const char *name)
{
    Study *study;
    Err err = {0};
    if (!study_open(path_of(name), STUDY_CREATE, &study, &err))
        fail_msg("%s", err.message);
    return study;
}

static const double point[] = {0.25, 1.0 / 3};

static StudyTrial queued(int64_t id)
{
    return (StudyTrial){.id = id,
                        .bracket = 2,
                        .rung = 1,
                        .budget = 3,
                        .parent = -1,
                        .n_x = 2,
                        .x = point,
                        .params = "{\"a\": 1}",
                        .reason = "{\"reason\": \"random\"}",
                        .queued = -1};
}

static void add(Study *study, int64_t id)
{
    StudyTrial trial = queued(id);
    bool is_late;
    Err err = {0};
    assert_true(study_add(study, &trial, 1, &is_late, &err));
    assert_false(is_late);
}

static StudyState state_of(Study *study, int64_t id)
{
    Pool *pool = pool_new();
    StudyTrial *trial;
    Err err = {0};
    assert_true(study_trial(study, id, &trial, pool, &err));
    assert_non_null(trial);
    StudyState state = trial->state;
    pool_free(pool);
    return state;
}

static bool claim(Study *study, int64_t id, const char *owner)
{
    bool is_ours;
    Err err = {0};
    assert_true(study_claim(study, id, owner, &is_ours, &err));
    return is_ours;
}

static bool end(Study *study, int64_t id, const char *owner, double value)
{
    StudyTrial result = {.id = id,
                         .state = STUDY_FINISHED,
                         .n_values = 1,
                         .values = {value},
                         .draws = 3,
                         .theta = "{}",
                         .measures = "{\"error\": 0.5}"};
    bool is_ours;
    Err err = {0};
    assert_true(study_end(study, &result, owner, &is_ours, &err));
    return is_ours;
}

static void trials_read_back(void **state)
{
    (void)state;
    Study *study = opened("a.db");
    Pool *pool = pool_new();
    StudyTrial *trials;
    int count;
    Err err = {0};
    add(study, 0);
    assert_true(claim(study, 0, "me"));
    assert_true(end(study, 0, "me", 1.0 / 3));
    study_close(study);
    study = opened("a.db");
    assert_true(study_trials(study, &trials, &count, pool, &err));
    assert_int_equal(count, 1);
    assert_int_equal(trials[0].state, STUDY_FINISHED);
    assert_true(trials[0].values[0] == 1.0 / 3); // every bit
    assert_true(trials[0].x[1] == 1.0 / 3);
    assert_int_equal(trials[0].n_x, 2);
    assert_int_equal(trials[0].bracket, 2);
    assert_int_equal(trials[0].rung, 1);
    assert_int_equal(trials[0].draws, 3);
    assert_int_equal(trials[0].parent, -1);
    assert_string_equal(trials[0].params, "{\"a\": 1}");
    assert_string_equal(trials[0].measures, "{\"error\": 0.5}");
    pool_free(pool);
    study_close(study);
}

static void late_suggestions_are_refused(void **state)
{
    (void)state;
    Study *study = opened("b.db"), *other = opened("b.db");
    StudyTrial trial = queued(0);
    bool is_late;
    Err err = {0};
    add(study, 0);
    assert_true(study_add(other, &trial, 1, &is_late, &err));
    assert_true(is_late);
    trial.id = 1;
    assert_true(study_add(other, &trial, 1, &is_late, &err));
    assert_false(is_late);
    study_close(study);
    study_close(other);
}

static void one_claim_holds(void **state)
{
    (void)state;
    Study *study = opened("c.db"), *other = opened("c.db");
    bool is_ours;
    Err err = {0};
    add(study, 0);
    assert_true(claim(study, 0, "me"));
    assert_false(claim(other, 0, "you"));
    assert_false(end(other, 0, "you", 1)); // not counted
    assert_true(study_beat(study, 0, "me", &is_ours, &err));
    assert_true(is_ours);
    assert_true(study_release(study, 0, "me", true, &is_ours, &err));
    assert_true(is_ours);
    assert_true(claim(other, 0, "you"));
    assert_false(end(study, 0, "me", 1)); // it has lost the trial meanwhile
    assert_true(end(other, 0, "you", 2));
    assert_false(end(other, 0, "you", 3)); // only once
    study_close(study);
    study_close(other);
}

// A child claims and is gone: its trial comes back at once, and fails after the third time.
static void lost_trials_come_back(void **state)
{
    (void)state;
    Study *study = opened("d.db");
    int count;
    Err err = {0};
    add(study, 0);
    for (int attempt = 1; attempt <= STUDY_ATTEMPTS; attempt++) {
        pid_t child = fork();
        if (child == 0) {
            Pool *pool = pool_new();
            Study *own;
            bool ok = study_open(path_of("d.db"), STUDY_WRITE, &own, &err) &&
                      claim(own, 0, study_owner(pool));
            _exit(ok ? 0 : 1);
        }
        int status;
        waitpid(child, &status, 0);
        assert_int_equal(status, 0);
        assert_int_equal(state_of(study, 0), STUDY_RUNNING);
        assert_true(study_recover(study, &count, &err));
        assert_int_equal(count, attempt < STUDY_ATTEMPTS ? 1 : 0);
    }
    assert_int_equal(state_of(study, 0), STUDY_FAILED);
    study_close(study);
}

static void live_and_asked_trials_stay(void **state)
{
    (void)state;
    Study *study = opened("e.db");
    Pool *pool = pool_new();
    int count;
    Err err = {0};
    add(study, 0);
    add(study, 1);
    assert_true(claim(study, 0, study_owner(pool)));
    assert_true(claim(study, 1, study_asked));
    assert_true(study_recover(study, &count, &err));
    assert_int_equal(count, 0);
    assert_false(study_owner_is_dead(study_owner(pool)));
    assert_true(study_owner_is_dead(pool_printf(
        pool, "%.*s:999999:1", (int)strcspn(study_owner(pool), ":"), study_owner(pool))));
    pool_free(pool);
    study_close(study);
}

static void options_are_written_once(void **state)
{
    (void)state;
    Study *study = opened("f.db");
    Pool *pool = pool_new();
    const StudyOption first[] = {{"eta", "3"}, {"seed", "1"}}, second[] = {{"eta", "2"}};
    StudyOption *stored;
    int count;
    bool is_first;
    Err err = {0};
    assert_true(study_begin(study, first, 2, &is_first, &err));
    assert_true(is_first);
    assert_true(study_begin(study, second, 1, &is_first, &err));
    assert_false(is_first);
    assert_true(study_options(study, &stored, &count, pool, &err));
    assert_int_equal(count, 2);
    assert_string_equal(stored[0].value, "3");
    pool_free(pool);
    study_close(study);
}

static void tells_are_all_or_none(void **state)
{
    (void)state;
    Study *study = opened("g.db");
    StudyTrial results[] = {{.id = 0, .state = STUDY_FINISHED, .n_values = 1, .values = {1}},
                            {.id = 7, .state = STUDY_FINISHED, .n_values = 1, .values = {2}}};
    int64_t bad;
    Err err = {0};
    add(study, 0);
    assert_true(claim(study, 0, study_asked));
    assert_true(study_tell(study, results, 2, &bad, &err));
    assert_int_equal(bad, 7);
    assert_int_equal(state_of(study, 0), STUDY_RUNNING);
    assert_true(study_tell(study, results, 1, &bad, &err));
    assert_int_equal(bad, -1);
    assert_int_equal(state_of(study, 0), STUDY_FINISHED);
    study_close(study);
}

static void points_in_the_queue_are_taken_once(void **state)
{
    (void)state;
    Study *study = opened("h.db");
    Pool *pool = pool_new();
    StudyQueued waiting = {.n_x = 2, .x = point, .params = "{}", .source = "theta.json"}, *found;
    StudyTrial trial = queued(0);
    int count;
    bool is_late;
    Err err = {0};
    assert_true(study_enqueue(study, &waiting, 1, &err));
    assert_true(study_queue(study, &found, &count, pool, &err));
    assert_int_equal(count, 1);
    assert_true(found[0].x[1] == 1.0 / 3);
    trial.queued = found[0].id;
    assert_true(study_add(study, &trial, 1, &is_late, &err));
    assert_true(study_queue(study, &found, &count, pool, &err));
    assert_int_equal(count, 0);
    pool_free(pool);
    study_close(study);
}

// A file that may not grow: the write fails with a message, what was stored stays, and with room
// the study goes on.
static void full_disk_loses_nothing(void **state)
{
    (void)state;
    Study *study = opened("i.db");
    int64_t id = 0;
    bool is_late, ok = true;
    Err err = {0};
    study_limit_pages(study, 12);
    for (; ok && id < 1000; id++) {
        StudyTrial trial = queued(id);
        ok = study_add(study, &trial, 1, &is_late, &err);
    }
    assert_false(ok);
    assert_int_equal(err.exit_code, EXIT_RUN_FAILED);
    assert_non_null(strstr(err.message, "full"));
    assert_non_null(strstr(err.message, "what was stored before is safe"));
    assert_true(id > 10);
    study_close(study);
    study = opened("i.db");
    assert_int_equal(state_of(study, id - 2), STUDY_QUEUED); // the last that was stored
    add(study, id - 1);
    study_close(study);
}

static void bytes_write(const char *name, long offset, const char *bytes, size_t count)
{
    FILE *file = fopen(path_of(name), offset ? "r+b" : "wb");
    assert_non_null(file);
    fseek(file, offset, SEEK_SET);
    fwrite(bytes, 1, count, file);
    fclose(file);
}

static void refused(const char *name, int code, const char *words)
{
    Study *study;
    Err err = {0};
    assert_false(study_open(path_of(name), STUDY_WRITE, &study, &err));
    assert_int_equal(err.exit_code, code);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

static void damaged_and_foreign_files_are_messages(void **state)
{
    (void)state;
    static char garbage[4096];
    Study *study = opened("j.db");
    memset(garbage, 0x5a, sizeof garbage);
    for (int64_t id = 0; id < 200; id++)
        add(study, id);
    study_execute(study, "PRAGMA wal_checkpoint(TRUNCATE)", "", &(Err){0});
    study_close(study);
    bytes_write("j.db", 3 * 4096, garbage, sizeof garbage);
    refused("j.db", EXIT_RUN_FAILED, "damaged");
    bytes_write("k.db", 0, "this is a text, not a database, and long enough\n", 48);
    refused("k.db", EXIT_BAD_INPUT, "not an SQLite database");
    bytes_write("l.db", 0, "", 0);
    refused("l.db", EXIT_BAD_INPUT, "no study");
    refused("missing.db", EXIT_BAD_INPUT, "nago search");
    refused(".", EXIT_BAD_INPUT, "not a regular file");
}

static void other_schemas_are_messages(void **state)
{
    (void)state;
    Study *study = opened("m.db");
    study_execute(study, "PRAGMA user_version = 99", "", &(Err){0});
    study_close(study);
    refused("m.db", EXIT_BAD_INPUT, "later version");
    sqlite3 *foreign;
    sqlite3_open(path_of("n.db"), &foreign);
    sqlite3_exec(foreign, "CREATE TABLE song (title TEXT)", NULL, NULL, NULL);
    sqlite3_close(foreign);
    refused("n.db", EXIT_BAD_INPUT, "no study of nago search");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trials_read_back),
        cmocka_unit_test(late_suggestions_are_refused),
        cmocka_unit_test(one_claim_holds),
        cmocka_unit_test(lost_trials_come_back),
        cmocka_unit_test(live_and_asked_trials_stay),
        cmocka_unit_test(options_are_written_once),
        cmocka_unit_test(tells_are_all_or_none),
        cmocka_unit_test(points_in_the_queue_are_taken_once),
        cmocka_unit_test(full_disk_loses_nothing),
        cmocka_unit_test(damaged_and_foreign_files_are_messages),
        cmocka_unit_test(other_schemas_are_messages),
    };
    return cmocka_run_group_tests_name("study", tests, setup, teardown);
}
