// cmd_tell.c - `nago tell`: values of points that `nago ask` has handed out.
//
//     [{"id": 7, "values": [0.1, 2.0]}, {"id": 8, "failed": "why"}] -> trials, all of them or none
#include "../compiler/json.h" // lint: allow
#include "study_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const StudyView *view;
    JsonFile file;
    StudyTrial *results;
    int count;
} Tell;

static bool values_read(Tell *tell, const JsonValue *list, StudyTrial *result, Err *err)
{
    int wanted = tell->view->plan->search.n_objectives;
    if (!json_is(&tell->file, list, JSON_ARRAY, "\"values\"", "one number an objective", err))
        return false;
    if (list->count != wanted)
        return json_error(&tell->file, list->offset, "", err,
                          "\"values\" has %d numbers, the study has %d objective%s", list->count,
                          wanted, wanted == 1 ? "" : "s");
    for (const JsonValue *item = list->child; item; item = item->next)
        if (!json_number(&tell->file, item, "a value", -1e300, 1e300, "to be minimised",
                         &result->values[result->n_values++], err))
            return false;
    result->state = STUDY_FINISHED;
    return true;
}

static bool id_check(Tell *tell, const JsonValue *value, int64_t id, Err *err)
{
    const StudyTrial *trial = id < tell->view->count ? &tell->view->trials[id] : NULL;
    if (!trial)
        return json_error(&tell->file, value->offset, "", err, "no trial %lld was asked for",
                          (long long)id);
    for (int i = 0; i < tell->count; i++)
        if (tell->results[i].id == id)
            return json_error(&tell->file, value->offset, "", err, "trial %lld is told twice",
                              (long long)id);
    return trial->state == STUDY_RUNNING ||
           json_error(&tell->file, value->offset, "", err, "trial %lld has been told already: %s",
                      (long long)id, study_state_name[trial->state]);
}

static bool result_read(Tell *tell, const JsonValue *object, Err *err)
{
    static const char *const keys[] = {"id", "values", "failed"};
    StudyTrial *result = &tell->results[tell->count];
    int64_t id;
    if (!json_is(&tell->file, object, JSON_OBJECT, "a result",
                 "{\"id\": 7, \"values\": [0.1]} or {\"id\": 7, \"failed\": \"why\"}", err) ||
        !json_keys(&tell->file, object, "a result", keys, COUNT_OF(keys), err))
        return false;
    const JsonValue *number = json_find(object, "id"), *values = json_find(object, "values"),
                    *failed = json_find(object, "failed");
    if (!number)
        return json_error(&tell->file, object->offset, "", err, "\"id\" is missing in a result");
    if (!json_integer(&tell->file, number, "\"id\"", 0, INT64_C(1) << 53, "as nago ask printed it",
                      &id, err) ||
        !id_check(tell, number, id, err))
        return false;
    if (!values == !failed)
        return json_error(&tell->file, object->offset, "", err,
                          "a result needs either \"values\" or \"failed\"");
    *result = (StudyTrial){.id = id, .state = STUDY_FAILED};
    if (values ? !values_read(tell, values, result, err)
               : !json_is(&tell->file, failed, JSON_STRING, "\"failed\"", "why", err))
        return false;
    result->error = failed ? failed->string : NULL;
    tell->count++;
    return true;
}

static bool input_read(Tell *tell, const char *path, Err *err)
{
    char *text;
    size_t size;
    Pool *pool = tell->view->pool;
    if (!file_read(path, 64 << 20, &text, &size, err))
        return false;
    char *copy = pool_alloc(pool, size + 1);
    memcpy(copy, text, size);
    free(text);
    tell->file =
        (JsonFile){.path = strcmp(path, "-") == 0 ? "stdin" : path, .text = copy, .size = size};
    if (!json_parse(&tell->file, 1000000, pool, err) ||
        !json_is(&tell->file, tell->file.root, JSON_ARRAY, "the input",
                 "[{\"id\": 7, \"values\": [0.1]}, ...]", err))
        return false;
    tell->results = pool_alloc(pool, ((size_t)tell->file.root->count + 1) * sizeof *tell->results);
    for (const JsonValue *item = tell->file.root->child; item; item = item->next)
        if (!result_read(tell, item, err))
            return false;
    return true;
}

static bool tell_run(StudyView *view, const char *input, Err *err)
{
    Tell tell = {.view = view};
    int64_t bad;
    if (!view->plan->is_asked)
        return err_input(err, "%s: error: a study of nago search, which tells itself",
                         study_path(view->study));
    if (!input_read(&tell, input, err) ||
        !study_tell(view->study, tell.results, tell.count, &bad, err))
        return false;
    if (bad >= 0)
        return err_run(err,
                       "trial %lld has been told by another process meanwhile; nothing of "
                       "this was stored",
                       (long long)bad);
    fprintf(stderr, "nago tell: %d result%s stored\n", tell.count, tell.count == 1 ? "" : "s");
    return true;
}

int cmd_tell(int argc, char **argv)
{
    const char *path = NULL;
    const Option options[] = {
        OPTION_STRING("study", 0, "FILE", &path, "the study that nago ask has begun"),
        OPTION_END,
    };
    const Command command = {
        .name = "nago tell",
        .summary = "store the values of points that were asked for",
        .synopsis = "--study FILE [RESULTS.json]",
        .description = "Reads a JSON array of {\"id\": 7, \"values\": [0.1, 2.0]} or {\"id\": 7, "
                       "\"failed\": \"why\"} from the file, or from standard input, and stores all "
                       "of them or, after a message, none. Values are minimised.",
        .see_also = "nago-ask(1)",
        .options = options,
        .max_operands = 1,
    };
    int count;
    char **operands = command_parse(&command, argc, argv, &count);
    if (!path)
        command_usage(&command, "--study is missing: the study that nago ask has begun");
    StudyView view;
    Err err = {0};
    bool ok = view_open(&view, &command, path, STUDY_WRITE, &err) &&
              tell_run(&view, count ? operands[0] : "-", &err);
    view_close(&view);
    return ok ? EXIT_DONE : command_fail(&command, &err);
}
