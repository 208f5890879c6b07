// objectives.c - names, bounds and exact values of the objectives.
//
// In: an architecture.  Out: its numbers.  They are those that `nagoc --emit=summary` prints, so
// that there is one opinion only about what a network weighs.
#include "objectives.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const ObjectiveInfo objective_info[OBJECTIVE_COUNT] = {
    {"error", "%", "share of the validation images that are classified wrongly", NEED_TRAINING},
    {"log_loss", "", "mean cross entropy of the validation images", NEED_TRAINING},
    {"weights", "", "trainable numbers in the file", NEED_ARCH},
    {"macs", "", "multiply-adds of one image", NEED_ARCH},
    {"ram", "B", "memory of the inference file", NEED_ARCH},
    {"flash", "B", "constants of the inference file, code on a microcontroller", NEED_ARCH},
    {"cycles", "", "of one image on a microcontroller, in int8", NEED_ARCH},
    {"train_memory", "B", "memory of a training step", NEED_ARCH},
    {"latency", "ms", "time of one image in a batch of 32, one thread of this machine", NEED_CLOCK},
    {"train_time", "s", "seconds of training up to the budget", NEED_TRAINING},
};

// ---- names and bounds --------------------------------------------------------------------------

static int kind_find(const char *name, size_t length)
{
    for (int i = 0; i < OBJECTIVE_COUNT; i++)
        if (strlen(objective_info[i].name) == length &&
            strncmp(objective_info[i].name, name, length) == 0)
            return i;
    return -1;
}

static bool unknown_kind(const char *option, const char *name, Err *err)
{
    const char *names[OBJECTIVE_COUNT];
    Text list = {0};
    for (int i = 0; i < OBJECTIVE_COUNT; i++) {
        names[i] = objective_info[i].name;
        text_printf(&list, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = nearest_word(name, names, OBJECTIVE_COUNT);
    err_input(err, "%s: \"%s\" is no objective%s%s%s\n  hint: one of %s", option, name,
              near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "", list.data);
    text_free(&list);
    return false;
}

bool objective_parse(const char *option, const char *name, ObjectiveKind *kind, Err *err)
{
    int found = kind_find(name, strlen(name));
    if (found < 0)
        return unknown_kind(option, name, err);
    *kind = (ObjectiveKind)found;
    return true;
}

static bool is_bytes(ObjectiveKind kind)
{
    return strcmp(objective_info[kind].unit, "B") == 0;
}

static bool bound_parse(const char *text, ObjectiveKind kind, double *bound)
{
    static const char suffix[] = "KMG";
    char *end;
    *bound = strtod(text, &end);
    if (end == text || !isfinite(*bound) || *bound < 0)
        return false;
    const char *unit = *end ? strchr(suffix, *end) : NULL;
    if (unit)
        *bound *= pow(is_bytes(kind) ? 1024 : 1000, (double)(unit - suffix + 1));
    else if (*end == '%' && kind == OBJECTIVE_ERROR)
        *bound /= 100;
    else
        return *end == '\0';
    return end[1] == '\0';
}

bool constraint_parse(const char *text, Constraint *constraint, Err *err)
{
    size_t length = strcspn(text, "<>= ");
    const char *relation = text + length + strspn(text + length, " ");
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(length < 60 ? length : 60), text);
    int kind = kind_find(text, length);
    if (strncmp(relation, "<=", 2) != 0 && strncmp(relation, ">=", 2) != 0)
        return err_input(err, "--constraint: \"%s\" is no bound such as \"ram<=256K\"", text);
    if (kind < 0)
        return unknown_kind("--constraint", name, err);
    constraint->kind = (ObjectiveKind)kind;
    constraint->is_least = *relation == '>';
    const char *number = relation + 2 + strspn(relation + 2, " ");
    if (!bound_parse(number, constraint->kind, &constraint->bound))
        return err_input(err, "--constraint: \"%s\": \"%s\" is no number such as 256K or 0.2", text,
                         number);
    return true;
}

void constraint_print(const Constraint *constraint, Text *out)
{
    text_printf(out, "%s%s%.10g", objective_info[constraint->kind].name,
                constraint->is_least ? ">=" : "<=", constraint->bound);
}

// ---- values ------------------------------------------------------------------------------------

Measures measures_none(void)
{
    Measures measures;
    for (int i = 0; i < OBJECTIVE_COUNT; i++)
        measures.of[i] = NAN;
    return measures;
}

double measures_violation(const Measures *measures, const Constraint *constraints, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++) {
        double value = measures->of[constraints[i].kind], bound = constraints[i].bound;
        double excess = constraints[i].is_least ? bound - value : value - bound;
        if (excess > 0) // false for one that is not known
            sum += excess / fmax(bound, 1e-9);
    }
    return sum;
}

static double member(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

// The first key is there for microcontrollers only.
static double member_or(const cJSON *object, const char *key, const char *other)
{
    double value = member(object, key);
    return isnan(value) ? member(object, other) : value;
}

bool objective_measure(const Arch *arch, const Deployment *deployment, Measures *measures, Err *err)
{
    const EmitOptions options = deployed_options(deployment);
    Text text = {0};
    if (!emit_summary(arch, &options, true, &text, err)) {
        text_free(&text);
        return false;
    }
    cJSON *summary = cJSON_Parse(text.data);
    measures->of[OBJECTIVE_WEIGHTS] = member(summary, "weights");
    measures->of[OBJECTIVE_MACS] = member(summary, "macs");
    measures->of[OBJECTIVE_RAM] = member_or(summary, "ram_bytes", "arena_bytes");
    measures->of[OBJECTIVE_FLASH] = member_or(summary, "flash_bytes", "weight_bytes");
    measures->of[OBJECTIVE_CYCLES] = member(summary, "cycles");
    measures->of[OBJECTIVE_TRAIN_MEMORY] = member(summary, "train_memory_bytes");
    cJSON_Delete(summary);
    text_free(&text);
    return true;
}

// ---- text --------------------------------------------------------------------------------------

void measures_print(const Measures *measures, int images, Text *out)
{
    const char *comma = "";
    text_puts(out, "{");
    for (int i = 0; i < OBJECTIVE_COUNT; i++)
        if (isfinite(measures->of[i])) {
            text_printf(out, "%s\"%s\": %.17g", comma, objective_info[i].name, measures->of[i]);
            comma = ", ";
        }
    if (images > 0)
        text_printf(out, "%s\"split\": \"validation\", \"images\": %d", comma, images);
    text_puts(out, "}");
}

void measures_parse(const char *text, Measures *measures)
{
    *measures = measures_none();
    cJSON *object = cJSON_Parse(text ? text : "{}");
    for (int i = 0; i < OBJECTIVE_COUNT; i++)
        measures->of[i] = member(object, objective_info[i].name);
    cJSON_Delete(object);
}

void objective_show(ObjectiveKind kind, double value, Text *out)
{
    if (!isfinite(value))
        text_puts(out, "-");
    else if (kind == OBJECTIVE_ERROR)
        text_printf(out, "%.2f %%", 100 * value);
    else if (is_bytes(kind))
        value < 1024 * 1024 ? text_printf(out, "%.1f KB", value / 1024)
                            : text_printf(out, "%.2f MB", value / 1024 / 1024);
    else if (kind == OBJECTIVE_WEIGHTS || kind == OBJECTIVE_MACS || kind == OBJECTIVE_CYCLES)
        value < 1e6 ? text_printf(out, "%.1f k", value / 1e3)
                    : text_printf(out, "%.2f M", value / 1e6);
    else if (kind == OBJECTIVE_LATENCY)
        text_printf(out, "%.3f ms", value);
    else if (kind == OBJECTIVE_TRAIN_TIME)
        text_printf(out, "%.1f s", value);
    else
        text_printf(out, "%.4f", value);
}
