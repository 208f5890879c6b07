// study_request.c - one table of options decides a study.
//
// In: argv, or the options stored in a study.  Out: a StudyPlan.  What is stored is each option's
// value as text under its own name, so that a new option is one row here, and a study says in words
// how it was begun.
#include "study_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Names of the optimizer's choices, each list with a NULL behind it.
static const char *methods[METHOD_COUNT + 1], *surrogates[SURROGATE_COUNT + 1],
    *selections[SELECTION_COUNT + 1], *acquisitions[ACQUISITION_COUNT + 1],
    *bracket_tables[BRACKETS_COUNT + 1], *duplicate_policies[DUPLICATES_COUNT + 1];
static const char *const augments[] = {"none", "standard", NULL};

// ---- rows --------------------------------------------------------------------------------------

void request_add(StudyRequest *request, const Option *rows)
{
    for (; rows->kind != OPTION_IS_END; rows++) {
        if (request->count + 1 >= REQUEST_MAX_OPTIONS)
            bug("more options than places");
        request->options[request->count] = *rows;
        if (rows->kind != OPTION_IS_GROUP && !rows->given)
            request->options[request->count].given = &request->given[request->count];
        request->count++;
    }
    request->options[request->count] = (Option)OPTION_END;
}

static void rows_network(StudyRequest *request)
{
    const Option rows[] = {
        OPTION_GROUP("What is searched"),
        OPTION_STRING("data", 'd', "SPEC", &request->data,
                      "images: shapes, cifar10:DIR, cifar100:DIR, idx:DIR or images:DIR, each with "
                      "options behind a colon (see nago-data(1))"),
        OPTION_STRING("space", 0, "NAME|FILE", &request->space,
                      "hnag, hnag-full, rnag, darts-like, or a space.json"),
        OPTION_LIST("objective", 'o', "NAME", &request->objective,
                    "minimise it: error, log_loss, weights, macs, ram, flash, cycles, "
                    "train_memory, latency "
                    "or train_time; may be given several times (default error)"),
        OPTION_LIST("constraint", 'c', "BOUND", &request->constraint,
                    "a network must keep it, as \"ram<=256K\"; may be given several times"),
        OPTION_SIZE("weights", 'w', "N", &request->weights,
                    "trainable numbers of a network, at most"),
        OPTION_SIZE("params", 0, "N", &request->params,
                    "theta's budget of op weights, in place of --weights"),
        OPTION_CHOICE("target", 0, NULL, &request->target, target_names,
                      "ram, flash and cycles are those of a file made for it, see nagoc(1)"),
        OPTION_CHOICE("quantize", 0, NULL, &request->quantize, quantize_name,
                      "int8: ram, flash, error and log_loss are those of the file in 8-bit "
                      "integers, with the ranges of up to 512 training images"),
        OPTION_INT("images", 0, "N", &request->images, 0, 1 << 30,
                   "training images used, validation included: a stratified part; 0: all"),
        OPTION_STRING("objective-command", 0, "CMD", &request->command,
                      "instead of networks: run CMD for each trial, {\"id\", \"params\", "
                      "\"budget\"} on its stdin, {\"values\": [...]} from its stdout"),
        OPTION_END,
    };
    request_add(request, rows);
}

static void rows_asked(StudyRequest *request)
{
    const Option rows[] = {
        OPTION_GROUP("What is searched"),
        OPTION_STRING("space", 0, "NAME|FILE", &request->space,
                      "space.json (or hnag, hnag-full, rnag, darts-like)"),
        OPTION_END,
    };
    request_add(request, rows);
}

static void rows_method(StudyRequest *request)
{
    SearchOptions *search = &request->search;
    const Option rows[] = {
        OPTION_INT("objectives", 0, "N", &request->n_values, 1, MAX_GOALS,
                   "how many values a trial has, where they have no names"),
        OPTION_GROUP("Method"),
        OPTION_CHOICE("method", 'm', NULL, &request->method, methods, "how points are suggested"),
        OPTION_SEED("seed", 's', "N", &request->seed, NULL,
                    "of suggestions, networks, first weights and the validation split"),
        OPTION_REAL("min-budget", 0, "X", &search->min_budget, 1e-9, 1e9,
                    "smallest budget of a trial, in epochs"),
        OPTION_REAL("max-budget", 0, "X", &search->max_budget, 1e-9, 1e9, "largest budget"),
        OPTION_INT("eta", 0, "N", &search->eta, 2, 100,
                   "of the trials of a rung one in N goes on to a budget N times as large"),
        OPTION_CHOICE("brackets", 0, NULL, &request->brackets, bracket_tables,
                      "sizes of the brackets: as the program HpBandSter or the paper has them"),
        OPTION_CHOICE("surrogate", 0, NULL, &request->surrogate, surrogates,
                      "model of mobo and mobohb: a Bayesian neural network, one that knows one "
                      "noise level, a Gaussian process, a random forest; auto: the network or the "
                      "process, whichever predicts left-out trials better"),
        OPTION_CHOICE("selection", 0, NULL, &request->selection, selections,
                      "which point of the front of the acquisitions: the one that promises most "
                      "hypervolume, or the most uncertain one, as in the paper"),
        OPTION_REAL("beta", 0, "X", &search->beta, 0, 100,
                    "deviations below the mean that lcb looks; 0: more with each trial, as USeMO"),
        OPTION_CHOICE("acquisition", 0, NULL, &request->acquisition, acquisitions,
                      "lower confidence bound, expected improvement, Thompson sampling"),
        OPTION_INT("initial", 0, "N", &search->n_initial, 0, 10000,
                   "points of the initial design; 0: chosen from the space"),
        OPTION_REAL("random-fraction", 0, "X", &search->random_fraction, 0, 1,
                    "share of bohb's suggestions that ask no model"),
        OPTION_INT("min-points", 0, "N", &search->min_points, 0, 10000,
                   "good results that bohb's model needs; 0: one more than coordinates"),
        OPTION_CHOICE("duplicates", 0, NULL, &request->duplicates, duplicate_policies,
                      "what becomes of a suggestion that was tried already"),
        OPTION_STRING("reference", 0, "LIST", &request->reference,
                      "reference point of the hypervolume, as 0.9,300K; else inferred"),
        OPTION_END,
    };
    request_add(request, rows);
}

static void rows_training(StudyRequest *request)
{
    TrainRecipe *recipe = &request->recipe;
    const Option rows[] = {
        OPTION_GROUP("Training"),
        OPTION_INT("batch", 'b', "N", &recipe->batch, 1, 4096, "images of one step"),
        OPTION_REAL("lr", 'l', "X", &recipe->learning_rate, 1e-12, 1e6, "initial learning rate"),
        OPTION_CHOICE("schedule", 0, "cosine|step|constant", &request->schedule, schedule_name,
                      "how the learning rate falls, up to the largest budget"),
        OPTION_FLAG("restart", 0, &request->restart,
                    "a promoted trial begins anew, with a schedule over its own budget, instead of "
                    "going on from its checkpoint"),
        OPTION_REAL("momentum", 0, "X", &recipe->momentum, 0, 0.9999, "momentum"),
        OPTION_REAL("weight-decay", 0, "X", &recipe->weight_decay, 0, 10, "weight decay"),
        OPTION_REAL("label-smoothing", 0, "X", &recipe->label_smoothing, 0, 0.999,
                    "share of each label spread over all classes"),
        OPTION_REAL("dropout", 0, "X", &recipe->dropout, 0, 0.999, "dropout before the last layer"),
        OPTION_CHOICE("augment", 'a', "none|standard", &request->augment, augments,
                      "standard: random crops with a border of an eighth, and flips"),
        OPTION_INT("cutout", 0, "N", &recipe->augment.cutout, 0, 1024,
                   "blank out a random square of N x N pixels; 0: none"),
        OPTION_REAL("val-fraction", 0, "X", &recipe->val_fraction, 0.01, 0.9,
                    "share of the training images that objectives are measured on"),
        OPTION_END,
    };
    request_add(request, rows);
}

static void choices_fill(void)
{
    memcpy(methods, method_name, sizeof method_name);
    memcpy(surrogates, surrogate_name, sizeof surrogate_name);
    memcpy(selections, selection_name, sizeof selection_name);
    memcpy(acquisitions, acquisition_name, sizeof acquisition_name);
    memcpy(bracket_tables, bracket_table_name, sizeof bracket_table_name);
    memcpy(duplicate_policies, duplicate_policy_name, sizeof duplicate_policy_name);
}

void request_open(StudyRequest *request, RequestUse use, Pool *pool)
{
    choices_fill();
    *request = (StudyRequest){
        .use = use,
        .pool = pool,
        .space = use == REQUEST_SEARCH ? "hnag" : NULL,
        .method = use == REQUEST_SEARCH ? METHOD_BOHB : METHOD_MOBO,
        .n_values = 1,
        .images = PLAN_IMAGES,
        .weights = PLAN_WEIGHTS,
        .search = search_options_default(),
        .recipe = recipe_default(),
    };
    request->surrogate = (int)request->search.surrogate;
    request->selection = (int)request->search.selection;
    request->acquisition = (int)request->search.acquisition;
    request->brackets = (int)request->search.brackets;
    request->duplicates = (int)request->search.duplicates;
    request->recipe.val_fraction = 0.2;
    request->recipe.learning_rate = 0.02; // budgets are short
    if (use == REQUEST_SEARCH)
        request->search.max_budget = 9;
    if (use == REQUEST_SEARCH)
        rows_network(request);
    else
        rows_asked(request);
    rows_method(request);
    if (use == REQUEST_SEARCH)
        rows_training(request);
    request->n_rows = request->count;
}

void request_close(StudyRequest *request)
{
    space_close(request->owned);
    request->owned = NULL;
}

// ---- the plan ----------------------------------------------------------------------------------

static bool plan_objectives(StudyRequest *request, const Command *command, Err *err)
{
    StudyPlan *plan = &request->plan;
    const OptionList *names = &request->objective, *bounds = &request->constraint;
    if (request->command || request->use == REQUEST_ASK) {
        if (names->count || bounds->count)
            command_usage(command, "--objective and --constraint are of networks; the values of a "
                                   "command have no names, --objectives=N says how many");
        plan->search.n_objectives = request->n_values;
        return true;
    }
    if (names->count > MAX_GOALS)
        command_usage(command, "--objective: at most %d of them", (int)MAX_GOALS);
    plan->search.n_objectives = names->count ? names->count : 1;
    for (int i = 0; i < names->count; i++) {
        if (!objective_parse("--objective", names->items[i], &plan->objectives[i], err))
            return false;
        for (int k = 0; k < i; k++)
            if (plan->objectives[k] == plan->objectives[i])
                command_usage(command, "--objective: \"%s\" is given twice", names->items[i]);
    }
    for (int i = 0; i < bounds->count; i++)
        if (!constraint_parse(bounds->items[i], &plan->constraints[plan->n_constraints++], err))
            return false;
    bool is_modelled = plan->deployment.int8 && plan->deployment.target > TARGET_NATIVE;
    if (plan_uses(plan, OBJECTIVE_CYCLES) && !is_modelled)
        command_usage(command, "cycles: go with --quantize int8 and a microcontroller as --target");
    return true;
}

// "0.9,300K": one number an objective, in the objective's own unit.
static bool plan_reference(StudyRequest *request, Err *err)
{
    StudyPlan *plan = &request->plan;
    const char *list = request->reference;
    if (!list)
        return true;
    int count = 0;
    for (const char *at = list; at && count < MAX_GOALS; count++) {
        char item[64], bound[96];
        Constraint parsed;
        bool has_names = !plan->command && !plan->is_asked;
        snprintf(item, sizeof item, "%.*s", (int)strcspn(at, ","), at);
        ObjectiveKind kind = has_names && count < plan->search.n_objectives
                                 ? plan->objectives[count]
                                 : OBJECTIVE_LOG_LOSS;
        snprintf(bound, sizeof bound, "%s<=%s", objective_info[kind].name, item);
        if (!constraint_parse(bound, &parsed, err))
            return err_input(err, "--reference: \"%s\" is no number", item);
        plan->search.reference[count] = parsed.bound;
        at = strchr(at, ',');
        at = at ? at + 1 : NULL;
    }
    if (count != plan->search.n_objectives)
        return err_input(err, "--reference: \"%s\" has %d number%s, the study has %d objective%s",
                         list, count, count == 1 ? "" : "s", plan->search.n_objectives,
                         plan->search.n_objectives == 1 ? "" : "s");
    plan->search.has_reference = true;
    return true;
}

static void plan_check(const StudyRequest *request, const Command *command)
{
    const SearchOptions *search = &request->search;
    if (request->use == REQUEST_SEARCH && !request->command && !request->data)
        command_usage(command, "--data is missing: shapes, cifar10:DIR, cifar100:DIR, idx:DIR or "
                               "images:DIR");
    if (request->use == REQUEST_SEARCH && request->command && request->data)
        command_usage(command, "--objective-command and --data do not go together");
    if (!request->space)
        command_usage(command, "--space is missing: a space.json");
    if (search->min_budget > search->max_budget)
        command_usage(command, "--min-budget %g is more than --max-budget %g", search->min_budget,
                      search->max_budget);
    if (request->quantize && request->target == TARGET_NATIVE)
        command_usage(command, "--target=native: is for float files");
}

static bool plan_space(StudyRequest *request, Err *err)
{
    if (request->owned)
        return true;
    if (request->space[0] == '{')
        return space_parse("space.json", request->space, strlen(request->space), &request->owned,
                           err);
    return space_load(request->space, &request->owned, err);
}

bool request_plan(StudyRequest *request, const Command *command, Err *err)
{
    StudyPlan *plan = &request->plan;
    plan_check(request, command);
    *plan = (StudyPlan){
        .search = request->search,
        .command = request->command,
        .is_asked = request->use == REQUEST_ASK,
        .data = request->data,
        .images = request->images,
        .weights = request->params > 0 ? 0 : request->weights,
        .params = request->params,
        .deployment = {(TargetKind)request->target, request->quantize == 1},
        .recipe = request->recipe,
        .restarts = request->restart,
    };
    plan->search.method = (SearchMethod)request->method;
    plan->search.surrogate = (SurrogateKind)request->surrogate;
    plan->search.selection = (SelectionKind)request->selection;
    plan->search.acquisition = (AcquisitionKind)request->acquisition;
    plan->search.brackets = (BracketTable)request->brackets;
    plan->search.duplicates = (DuplicatePolicy)request->duplicates;
    plan->search.seed = request->seed;
    plan->recipe.schedule = (Schedule)request->schedule;
    plan->recipe.augment.standard = request->augment == 1;
    if (!plan_space(request, err) || !plan_objectives(request, command, err) ||
        !plan_reference(request, err))
        return false;
    plan->space = request->owned;
    return true;
}

// ---- the store ---------------------------------------------------------------------------------

// The space is stored as its text: a file may change later.
static bool value_print(StudyRequest *request, const Option *option, Text *out, Err *err)
{
    if (strcmp(option->name, "space") != 0) {
        option_value_print(option, out);
        return true;
    }
    if (!plan_space(request, err))
        return false;
    space_print(request->owned, out);
    return true;
}

static bool is_stored(const Option *option)
{
    return option->kind != OPTION_IS_GROUP && option->kind != OPTION_IS_END;
}

static bool request_store(StudyRequest *request, Study *study, bool *is_first, Err *err)
{
    StudyOption stored[REQUEST_MAX_OPTIONS];
    int count = 0;
    stored[count++] = (StudyOption){"evaluate", request->use == REQUEST_ASK ? "asked"
                                                : request->command          ? "command"
                                                                            : "networks"};
    for (int i = 0; i < request->n_rows; i++) {
        Text value = {0};
        if (!is_stored(&request->options[i]))
            continue;
        if (!value_print(request, &request->options[i], &value, err))
            return false;
        stored[count++] = (StudyOption){request->options[i].name,
                                        pool_strdup(request->pool, value.data ? value.data : "")};
        text_free(&value);
    }
    return study_begin(study, stored, count, is_first, err);
}

static const char *stored_value(const StudyOption *stored, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(stored[i].name, name) == 0)
            return stored[i].value;
    return NULL;
}

static bool differs(const Option *option, const char *given, const char *stored, Err *err)
{
    bool is_long = strlen(stored) > 60 || strchr(stored, '\n') || strlen(given) > 60;
    if (is_long)
        return err_input(err,
                         "--%s: is not what the study was begun with\n"
                         "  hint: leave the option out, or begin another study",
                         option->name);
    return err_input(err,
                     "--%s %s: the study was begun with %s\n"
                     "  hint: leave the option out, or begin another study",
                     option->name, given, *stored ? stored : "none");
}

// One row: keeps a given value that agrees, takes the stored one where none was given.
static bool row_join(StudyRequest *request, const Command *command, const Option *option,
                     const char *stored, Err *err)
{
    if (!*option->given) {
        if (strcmp(option->name, "space") == 0)
            request->space = pool_strdup(request->pool, stored);
        else
            option_value_read(command, option, stored, request->pool);
        return true;
    }
    Text given = {0};
    bool ok = value_print(request, option, &given, err);
    if (ok && strcmp(given.data ? given.data : "", stored) != 0)
        ok = differs(option, given.data, stored, err);
    text_free(&given);
    return ok;
}

static bool rows_join(StudyRequest *request, const Command *command, Study *study,
                      const StudyOption *stored, int count, Err *err)
{
    const char *evaluate = stored_value(stored, count, "evaluate");
    bool is_asked = evaluate && strcmp(evaluate, "asked") == 0;
    if (count == 0)
        return err_input(err, "%s: error: the study has not been begun", study_path(study));
    if (is_asked != (request->use == REQUEST_ASK))
        return err_input(err, "%s: error: a study of %s", study_path(study),
                         is_asked ? "nago ask and nago tell" : "nago search");
    for (int i = 0; i < request->n_rows; i++) {
        const Option *option = &request->options[i];
        const char *value = is_stored(option) ? stored_value(stored, count, option->name) : NULL;
        if (value && !row_join(request, command, option, value, err))
            return false;
    }
    return true;
}

bool request_join(StudyRequest *request, const Command *command, Study *study, bool *is_first,
                  Err *err)
{
    StudyOption *stored;
    int count;
    *is_first = false;
    if (!study_options(study, &stored, &count, request->pool, err))
        return false;
    if (count == 0) {
        if (!request_plan(request, command, err) || !request_store(request, study, is_first, err))
            return false;
        if (*is_first)
            return true;
        if (!study_options(study, &stored, &count, request->pool, err))
            return false; // another process was faster
    }
    return rows_join(request, command, study, stored, count, err) &&
           request_plan(request, command, err);
}

bool request_recall(StudyRequest *request, const Command *command, Study *study, Err *err)
{
    StudyOption *stored;
    int count;
    if (!study_options(study, &stored, &count, request->pool, err))
        return false;
    const char *evaluate = stored_value(stored, count, "evaluate");
    request_open(request, evaluate && strcmp(evaluate, "asked") == 0 ? REQUEST_ASK : REQUEST_SEARCH,
                 request->pool);
    return rows_join(request, command, study, stored, count, err) &&
           request_plan(request, command, err);
}
