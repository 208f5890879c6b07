// nago.c - the program around the compiler: trains, evaluates, verifies, measures.  A table of
// sub-commands, one file each: to add `nago NAME`, write int cmd_NAME(int argc, char **argv) in
// cli/cmd_NAME.c, declare it in options.h (which shows the frame) and add its row here.  The
// Makefile finds the file and its manual page by itself.
#include "options.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name;
    Subcommand *run;
    const char *summary;
} Row;

static const Row table[] = {
    {"train", cmd_train, "train a network on images"},
    {"calibrate", cmd_calibrate, "record the ranges of activations that int8 needs"},
    {"eval", cmd_eval, "measure the accuracy of a trained network"},
    {"verify", cmd_verify, "compare every engine with an oracle folder"},
    {"size", cmd_size, "measure the flash and RAM that a generated file takes"},
    {"data", cmd_data, "show or export a data set"},
    {"search", cmd_search, "search for generators of good networks"},
    {"best", cmd_best, "show the best trials of a study"},
    {"front", cmd_front, "show the Pareto front of a study"},
    {"trials", cmd_trials, "list the trials of a study"},
    {"importance", cmd_importance, "show which numbers of theta matter"},
    {"reproduce", cmd_reproduce, "evaluate a trial again and compare"},
    {"retrain", cmd_retrain, "train networks of chosen trials fully"},
    {"space", cmd_space, "show a search space, or count its networks"},
    {"gc", cmd_gc, "remove checkpoints that no trial needs any more"},
    {"export", cmd_export, "write a study as CSV or JSON"},
    {"ask", cmd_ask, "suggest points to evaluate"},
    {"tell", cmd_tell, "store the values of points that were asked for"},
    {"worker", cmd_worker, "evaluate one trial of a study"},
    {"bench", cmd_bench, "measure compile time and speed on this machine"},
};

static void describe_commands(Text *out)
{
    text_puts(out, "Trains networks that nagoc compiles, and measures them.\n\n");
    for (size_t i = 0; i < COUNT_OF(table); i++)
        text_printf(out, "  %-10s  %s\n", table[i].name, table[i].summary);
    text_puts(out, "\n\"nago COMMAND --help\" explains one.");
}

// Options before the sub-command: --help, --version, or a mistake.
static int run_without_command(int argc, char **argv)
{
    static const Option options[] = {OPTION_END};
    Text description = {0};
    describe_commands(&description);
    const Command command = {
        .name = "nago",
        .summary = "train and measure the networks that nagoc compiles",
        .synopsis = "COMMAND [OPTION]... [OPERAND]...",
        .description = description.data,
        .examples = "nago train theta.json --data shapes --epochs 5 --out run\n"
                    "    Trains on the built-in data set; run/net.c is the trained network.\n"
                    "nago eval run --data shapes --split test\n"
                    "    Its accuracy on held-out images.\n"
                    "nago search --data shapes\n"
                    "    Looks for generators of better ones; go on with nago best, nago retrain.",
        .see_also = "nagoc(1), nago-train(1), nago-eval(1), nago-data(1), nago-search(1)",
        .options = options,
        .min_operands = 1,
        .max_operands = 0,
    };
    int count;
    command_parse(&command, argc, argv, &count);
    return EXIT_BAD_INPUT; // not reached: an option, or no operand, is an error
}

static int unknown_command(const char *name)
{
    const char *names[COUNT_OF(table)];
    for (size_t i = 0; i < COUNT_OF(table); i++)
        names[i] = table[i].name;
    const char *near = nearest_word(name, names, COUNT_OF(table));
    fprintf(stderr, "nago: \"%s\" is not a command%s%s%s (see nago --help)\n", name,
            near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return EXIT_BAD_INPUT;
}

int main(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-')
        return run_without_command(argc, argv);
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (strcmp(argv[1], table[i].name) == 0)
            return output_finish("nago", table[i].run(argc - 1, argv + 1));
    return unknown_command(argv[1]);
}
