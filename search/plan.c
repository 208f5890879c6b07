// plan.c - from the plan of a study to the images and networks of a trial.
#include "plan.h"

#include "../runtime/data_source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool plan_uses(const StudyPlan *plan, ObjectiveKind kind)
{
    bool uses = false;
    for (int i = 0; i < plan->search.n_objectives; i++)
        uses = uses || plan->objectives[i] == kind;
    for (int i = 0; i < plan->n_constraints; i++)
        uses = uses || plan->constraints[i].kind == kind;
    return uses;
}

bool plan_trains(const StudyPlan *plan)
{
    bool trains = false;
    for (int kind = 0; kind < OBJECTIVE_COUNT; kind++)
        trains = trains || (objective_info[kind].need == NEED_TRAINING &&
                            plan_uses(plan, (ObjectiveKind)kind));
    return trains;
}

int plan_epochs(const StudyPlan *plan, double budget)
{
    (void)plan;
    int epochs = (int)lround(budget);
    return epochs < 1 ? 1 : epochs;
}

int plan_schedule_epochs(const StudyPlan *plan, double budget)
{
    return plan_epochs(plan, plan->restarts ? budget : plan->search.max_budget);
}

// ---- images ------------------------------------------------------------------------------------

static void images_limit(const StudyPlan *plan, Dataset *data)
{
    if (plan->images == 0 || plan->images >= data->train.count)
        return;
    Random random = random_stream(plan->search.seed, "search images", 0, 0);
    uint32_t *kept = stratified_pick(data->train.labels, data->train.count, data->classes,
                                     plan->images, &random);
    images_keep(&data->train, data, kept, plan->images);
    free(kept);
}

bool plan_data(const StudyPlan *plan, Dataset **data, Err *err)
{
    *data = dataset_open(plan->data, (DataShape){0}, err);
    if (!*data)
        return false;
    images_free(&(*data)->test);
    images_limit(plan, *data);
    return true;
}

// ---- networks ----------------------------------------------------------------------------------

static bool theta_draw(const char *text, Arch *arch, Pool *pool, Err *err)
{
    Theta theta;
    return theta_parse("theta", text, strlen(text), &theta, pool, err) &&
           arch_sample(&theta, arch, pool, err);
}

// Does a network of so many weights, head and all, keep plan->weights?
static bool weights_fit(const StudyPlan *plan, int64_t weights)
{
    return plan->weights == 0 || space_find(plan->space, "params") >= 0 || weights <= plan->weights;
}

// One theta, one seed, and the largest budget of op weights with which the network fits: op weights
// fall from one channel multiplier to the next, until there is none below.
static bool network_fit(const StudyPlan *plan, const double *x, ThetaGiven given, Arch *arch,
                        const char **text, Pool *pool, Err *err)
{
    int64_t weights = 0;
    for (;;) {
        Text theta = {0};
        space_theta_print(plan->space, x, &given, &theta);
        *text = pool_strdup(pool, theta.data);
        text_free(&theta);
        bool is_drawn = theta_draw(*text, arch, pool, err);
        if (!is_drawn && weights == 0)
            return false;
        if (is_drawn)
            weights = emit_weight_count(arch);
        if (is_drawn && weights_fit(plan, weights))
            return true;
        if (!is_drawn || arch->op_weights < 2)
            return err_input(err,
                             "its smallest network has %lld weights, more than the %lld of "
                             "--weights",
                             (long long)weights, (long long)plan->weights);
        given.params = arch->op_weights - 1;
    }
}

bool plan_network(const StudyPlan *plan, const Dataset *data, const double *x, int64_t root,
                  int draw, Arch *arch, const char **theta, Pool *pool, Err *err)
{
    Random random = random_stream(plan->search.seed, "network", (uint64_t)root, (uint64_t)draw);
    ThetaGiven given = {
        .params = plan->weights > 0 ? plan->weights : plan->params,
        .channels = data->channels,
        .height = data->height,
        .width = data->width,
        .classes = data->classes,
        .seed = random_u64(&random) >> 11, // below 2^53, exact in JSON
    };
    return network_fit(plan, x, given, arch, theta, pool, err);
}
