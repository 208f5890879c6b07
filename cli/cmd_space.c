// cmd_space.c - `nago space`: shows a search space, and counts the networks that it can express.
#include "../search/space_count.h"
#include "options.h"

#include <math.h>
#include <stdio.h>

// 10^12.34 as "2.19e12", also beyond the largest double.
static void power_print(double exponent)
{
    double whole = floor(exponent);
    printf("%.2fe%.0f", pow(10, exponent - whole), whole);
}

static void count_print(const Space *space, const SpaceCount *count, bool json)
{
    if (json) {
        printf("{\"space\": \"%s\", \"log10\": %.10g, \"settings\": %d, \"largest_log10\": %.10g, "
               "\"bound\": \"upper\", \"formula\": \"%s\"}\n",
               space->name, count->log10_networks, count->settings, count->log10_largest,
               space_count_formula);
        return;
    }
    printf("%s: at most 10^%.4f networks (", space->name, count->log10_networks);
    power_print(count->log10_networks);
    printf("), over %d setting%s of integers and choices\n", count->settings,
           count->settings == 1 ? "" : "s");
    printf("the largest setting alone: 10^%.4f\n", count->log10_largest);
    printf("formula: %s\n", space_count_formula);
}

static bool show(const char *name, bool counts, bool json, Err *err)
{
    Space *space;
    SpaceCount count;
    Text text = {0};
    if (!space_load(name, &space, err))
        return false;
    bool ok = !counts || space_count(space, &count, err);
    if (ok && counts) {
        count_print(space, &count, json);
    } else if (ok) {
        space_print(space, &text);
        fputs(text.data, stdout);
        text_free(&text);
    }
    space_close(space);
    return ok;
}

int cmd_space(int argc, char **argv)
{
    bool counts = false, json = false;
    const Option options[] = {
        OPTION_FLAG("count", 'c', &counts,
                    "how many networks: log10 of an upper bound, and its formula"),
        OPTION_FLAG("json", 0, &json, "the count as one object"),
        OPTION_END,
    };
    const Command command = {
        .name = "nago space",
        .summary = "show a search space, or count its networks",
        .synopsis = "[--count] [NAME|FILE]",
        .description =
            "Prints a space as space.json: hnag (the default), hnag-full, rnag, darts-like, or a "
            "file of one's own, in canonical form.\n\n"
            "--count bounds the number of different networks from above: labelled graphs, ops and "
            "merges. Probabilities change how likely a network is, not whether it exists; channels "
            "and sizes are not counted. The paper's 4.58e56 comes without its formula and is not "
            "reproduced by this one.",
        .examples = "nago space hnag >space.json\n"
                    "    A space.json to start from.\n"
                    "nago space --count hnag-full\n"
                    "    The size of the paper's larger space.",
        .see_also = "nago-search(1)",
        .options = options,
        .max_operands = 1,
    };
    int count;
    Err err = {0};
    char **operands = command_parse(&command, argc, argv, &count);
    if (json && !counts)
        command_usage(&command, "--json goes with --count: a space is JSON already");
    return show(count ? operands[0] : "hnag", counts, json, &err) ? EXIT_DONE
                                                                  : command_fail(&command, &err);
}
