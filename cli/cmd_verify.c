// cmd_verify.c - `nago verify`: runs oracle folders through every engine and prints how far each is
// off.
#include "options.h"

#include "../runtime/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char description[] =
    "Each DIR holds arch.json, weights.safetensors and expected.safetensors, made by an "
    "implementation that is "
    "trusted: logits, losses, every gradient and the state after two steps of SGD. Every engine "
    "computes them and the "
    "largest error of each quantity is printed, with its share of the tolerance and the tensor "
    "where it occurs.\n\n"
    "It is also how a port is checked: write the three files from PyTorch under the same names.";

static const char examples[] = "nago verify oracle/sum oracle/attention\n"
                               "    Every engine on two folders.\n"
                               "nago verify --engine-list\n"
                               "    What engines there are.";

typedef struct {
    const char *engine;
    bool list, quiet;
} VerifyRequest;

// The largest share of a tolerance among the quantities.
static double worst_ratio(const VerifyReport *report)
{
    double worst = 0.0;
    for (int q = 0; q < VERIFY_QUANTITIES; q++)
        if (report->lines[q].is_present && !(report->lines[q].ratio <= worst))
            worst = report->lines[q].ratio;
    return worst;
}

// Prints one engine's lines; returns whether it passed.
static bool print_report(const VerifyRequest *request, const OracleCase *oracle,
                         const Engine *engine, const VerifyReport *report)
{
    printf("%s  %s: %s, at %.2g of the tolerance\n", oracle->name, engine->name,
           report->passed ? "ok" : "FAILED", worst_ratio(report));
    if (!request->quiet || !report->passed) {
        Text text = {0};
        verify_print(report, &text);
        fputs(text.data, stdout);
        text_free(&text);
    }
    fflush(stdout);
    return report->passed;
}

// All engines on one folder; counts what failed.  false: the folder or an engine could not be run.
static bool verify_folder(const VerifyRequest *request, const char *folder, int *failed,
                          int *passed, Err *err)
{
    OracleCase *oracle = oracle_open(folder, err);
    bool done = oracle != NULL;
    for (int i = 0; done && i < n_engines; i++) {
        if (request->engine && strcmp(request->engine, engines[i].name) != 0)
            continue;
        VerifyResult *result = verify_result_open(oracle);
        done = engines[i].run(oracle, result, err);
        if (done) {
            const VerifyReport report = verify_compare(result, engines[i].rule);
            *(print_report(request, oracle, &engines[i], &report) ? passed : failed) += 1;
        }
        verify_result_close(result);
    }
    oracle_close(oracle);
    return done;
}

static bool engine_known(const char *name)
{
    for (int i = 0; i < n_engines; i++)
        if (!strcmp(name, engines[i].name))
            return true;
    return false;
}

int cmd_verify(int argc, char **argv)
{
    VerifyRequest request = {NULL, false, false};
    const Option options[] = {
        OPTION_STRING("engine", 'e', "NAME", &request.engine, "run this engine alone"),
        OPTION_FLAG("engine-list", 'l', &request.list, "list the engines and end"),
        OPTION_FLAG("quiet", 'q', &request.quiet, "one line an engine, unless it fails"),
        OPTION_END,
    };
    const Command command = {
        .name = "nago verify",
        .summary = "compare every engine with an oracle folder",
        .synopsis = "[OPTION]... DIR...",
        .description = description,
        .examples = examples,
        .see_also = "nago(1), nagoc(1)",
        .options = options,
        .min_operands = 0,
        .max_operands = -1,
    };
    int count, failed = 0, passed = 0;
    char **folders = command_parse(&command, argc, argv, &count);
    Err err = {0};
    for (int i = 0; request.list && i < n_engines; i++)
        printf("%-20s %s\n", engines[i].name, engines[i].about);
    if (request.list)
        return EXIT_DONE;
    if (count == 0)
        command_usage(&command, "no folder given");
    if (request.engine && !engine_known(request.engine))
        command_usage(&command, "--engine: no engine \"%s\"; --engine-list lists them",
                      request.engine);
    for (int i = 0; i < count; i++)
        if (!verify_folder(&request, folders[i], &failed, &passed, &err))
            return command_fail(&command, &err);
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? EXIT_RUN_FAILED : EXIT_DONE;
}
