// cmd_ask.c - `nago ask`: points to evaluate, for whoever evaluates them.
//
//     study + history -> suggestions -> stored as trials that wait for `nago tell` -> JSON
#include "../search/driver.h"
#include "study_request.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    StudyRequest request;
    const char *study;
    int count;
} Ask;

static bool asked_print(const Ask *ask, Study *study, int64_t first, Err *err)
{
    Pool *pool = ask->request.pool;
    Text out = {0};
    for (int i = 0; i < ask->count; i++) {
        StudyTrial *trial;
        if (!study_trial(study, first + i, &trial, pool, err))
            return false;
        text_printf(&out, "%s{\"id\": %lld, \"params\": %s, \"budget\": %.17g}", i ? ",\n " : "[",
                    (long long)trial->id, trial->params, trial->budget);
    }
    printf("%s]\n", out.data);
    text_free(&out);
    return true;
}

static bool ask_run(Ask *ask, const Command *command, Err *err)
{
    Study *study = NULL;
    Optimizer *optimizer = NULL;
    int64_t first = 0;
    bool is_first;
    // A mistake in the options leaves no file behind.
    FILE *file = fopen(ask->study, "r");
    if (file)
        fclose(file);
    else if (!request_plan(&ask->request, command, err))
        return false;
    const StudyPlan *plan = &ask->request.plan;
    bool ok = study_open(ask->study, STUDY_CREATE, &study, err) &&
              request_join(&ask->request, command, study, &is_first, err) &&
              optimizer_open(&plan->search, plan->space, &optimizer, err) &&
              suggestions_add(study, optimizer, plan, ask->count, STUDY_RUNNING, study_asked,
                              &first, err) &&
              asked_print(ask, study, first, err);
    optimizer_close(optimizer);
    study_close(study);
    return ok;
}

static const char description[] =
    "Suggests points of a space, for an evaluation that is nago's own business in nothing: prints "
    "a "
    "JSON array of {\"id\": 7, \"params\": {\"x\": 0.25, ...}, \"budget\": 1}. nago tell takes the "
    "values. All are minimised.\n\n"
    "The first ask begins the study. Later ones continue its random stream; they may leave the "
    "options out or repeat them, other values are an error. Points that were asked for and not "
    "told count as running: batches and late results are no trouble.\n\n"
    "space.json: {\"x\": {\"type\": \"float\", \"range\": [0, 1], \"log\": false}, \"k\": "
    "{\"type\": \"int\", \"range\": [2, 5]}, \"op\": {\"type\": \"categorical\", \"choices\": "
    "[\"a\", \"b\"]}}";

static const char examples[] =
    "nago ask --study s.db --space space.json --method mobo --objectives 2 -n 4 >points.json\n"
    "    Four points to try at once.\n"
    "echo '[{\"id\": 0, \"values\": [0.1, 2.0]}]' | nago tell --study s.db\n"
    "    What came out.";

int cmd_ask(int argc, char **argv)
{
    Pool *pool = pool_new();
    static Ask ask;
    ask = (Ask){.count = 1};
    request_open(&ask.request, REQUEST_ASK, pool);
    const Option rows[] = {
        OPTION_GROUP("The study"),
        OPTION_STRING("study", 0, "FILE", &ask.study, "where it is kept"),
        OPTION_INT("count", 'n', "N", &ask.count, 1, 10000, "points wanted"),
        OPTION_END,
    };
    request_add(&ask.request, rows);
    const Command command = {
        .name = "nago ask",
        .summary = "suggest points to evaluate",
        .synopsis = "--study FILE --space FILE [OPTION]...\n--study FILE [-n N]",
        .description = description,
        .examples = examples,
        .see_also = "nago-tell(1), nago-search(1)",
        .options = ask.request.options,
    };
    int count;
    Err err = {0};
    command_parse(&command, argc, argv, &count);
    if (!ask.study)
        command_usage(&command, "--study is missing: where it is kept");
    bool ok = ask_run(&ask, &command, &err);
    request_close(&ask.request);
    pool_free(pool);
    return ok ? EXIT_DONE : command_fail(&command, &err);
}
