// options.h - one table of options per command; parsing, --help, --version, the man page and every
// usage error come from it.  Only the programs in cli/ include this.
//
// How a command uses it:
//
//     int cmd_train(int argc, char **argv)            // argv[0] is the sub-command's own name
//     {
//         int epochs = 20;                            // the value before parsing is the default,
//         and --help const char *out = NULL;                     // shows it; one outside the range
//         (or NULL) means unset const Option options[] = {
//             OPTION_GROUP("Training"),
//             OPTION_INT("epochs", 'e', "N", &epochs, 1, 100000, "passes over the training
//             images"), OPTION_STRING("out", 'o', "DIR", &out, "where the results go"), OPTION_END,
//         };
//         const Command command = {
//             .name = "nago train",
//             .summary = "train a network on real images",
//             .synopsis = "[OPTION]... theta.json|arch.json --data SPEC",
//             .description = "First paragraph.\n\nSecond paragraph.",
//             .examples = "nago train theta.json --data shapes\n    Trains on the built-in set.",
//             .options = options,
//             .min_operands = 1,
//             .max_operands = 1,
//         };
//         int count;
//         char **operands = command_parse(&command, argc, argv, &count);   // ends the process on
//         --help, errors Err err = {0}; if (!work(operands[0], epochs, &err))
//             return command_fail(&command, &err);    // prints the message, returns the exit code
//         return EXIT_DONE;
//     }
#ifndef NAGO_OPTIONS_H
#define NAGO_OPTIONS_H

#include "../compiler/base.h"

typedef enum {
    OPTION_IS_END,
    OPTION_IS_GROUP,    // a heading in --help
    OPTION_IS_FLAG,     // bool: sets true
    OPTION_IS_INT,      // int in [min, max]
    OPTION_IS_SEED,     // uint64_t in [0, 2^53)
    OPTION_IS_REAL,     // double in [min, max]
    OPTION_IS_CHOICE,   // int: index into `choices`
    OPTION_IS_SIZE,     // int64_t bytes or counts >= 1: 4096, 256K, 1M, 2G (powers of 1024)
    OPTION_IS_DURATION, // double seconds > 0: 90, 90s, 5m, 2h, 1d
    OPTION_IS_STRING,   // const char *: not empty; points into argv
    OPTION_IS_LIST      // OptionList: as a string, and may be given several times
} OptionKind;

enum { OPTION_LIST_MAX = 16 };
typedef struct {
    int count;
    const char *items[OPTION_LIST_MAX];
} OptionList;

typedef struct {
    OptionKind kind;
    const char *name;    // long name without dashes; the heading of a group
    char letter;         // 0: no short form
    const char *metavar; // N, FILE, DIR ...
    union {
        bool *flag;
        int *integer;
        uint64_t *seed;
        double *real;
        int64_t *size;
        const char **string;
        OptionList *list;
    } to;
    double min, max;
    const char *const *choices; // ends with NULL
    bool *given;                // optional: set when the option was on the command line
    const char *help;           // no full stop, no default (that is added)
} Option;

#define OPTION_GROUP(heading)                      \
    {                                              \
        .kind = OPTION_IS_GROUP, .name = (heading) \
    }
#define OPTION_END            \
    {                         \
        .kind = OPTION_IS_END \
    }
#define OPTION_ROW(k, n, l, m, ...)                                          \
    {                                                                        \
        .kind = (k), .name = (n), .letter = (l), .metavar = (m), __VA_ARGS__ \
    }
#define OPTION_FLAG(name_, letter_, to_, help_) \
    OPTION_ROW(OPTION_IS_FLAG, name_, letter_, NULL, .to.flag = (to_), .help = (help_))
#define OPTION_INT(name_, letter_, metavar_, to_, min_, max_, help_)                        \
    OPTION_ROW(OPTION_IS_INT, name_, letter_, metavar_, .to.integer = (to_), .min = (min_), \
               .max = (max_), .help = (help_))
#define OPTION_REAL(name_, letter_, metavar_, to_, min_, max_, help_)                     \
    OPTION_ROW(OPTION_IS_REAL, name_, letter_, metavar_, .to.real = (to_), .min = (min_), \
               .max = (max_), .help = (help_))
#define OPTION_CHOICE(name_, letter_, metavar_, to_, choices_, help_)           \
    OPTION_ROW(OPTION_IS_CHOICE, name_, letter_, metavar_, .to.integer = (to_), \
               .choices = (choices_), .help = (help_))
#define OPTION_SIZE(name_, letter_, metavar_, to_, help_) \
    OPTION_ROW(OPTION_IS_SIZE, name_, letter_, metavar_, .to.size = (to_), .help = (help_))
#define OPTION_DURATION(name_, letter_, metavar_, to_, help_) \
    OPTION_ROW(OPTION_IS_DURATION, name_, letter_, metavar_, .to.real = (to_), .help = (help_))
#define OPTION_STRING(name_, letter_, metavar_, to_, help_) \
    OPTION_ROW(OPTION_IS_STRING, name_, letter_, metavar_, .to.string = (to_), .help = (help_))
#define OPTION_LIST(name_, letter_, metavar_, to_, help_) \
    OPTION_ROW(OPTION_IS_LIST, name_, letter_, metavar_, .to.list = (to_), .help = (help_))
#define OPTION_SEED(name_, letter_, metavar_, to_, given_, help_)                             \
    OPTION_ROW(OPTION_IS_SEED, name_, letter_, metavar_, .to.seed = (to_), .given = (given_), \
               .help = (help_))

typedef struct {
    const char *name;        // "nagoc", "nago train": begins every message
    const char *summary;     // one line, lower case, no full stop
    const char *synopsis;    // what follows the name; several lines: one form each
    const char *description; // paragraphs separated by an empty line; NULL: none
    const char *examples;    // command lines; indented lines below one explain it; NULL: none
    const char *see_also;    // "nagoc(1), nago-eval(1)"; NULL: none
    const Option *options;   // ends with OPTION_END; --help and --version come by themselves
    int min_operands, max_operands; // max -1: no limit
} Command;

// Reads the command line into the options' targets.  Long options may be abbreviated, take "=VALUE"
// or the next word;
// "--" ends the options, "-" is an operand; operands may stand between options.  Returns the
// operands, NULL behind the last (they live in argv), and *count.  --help, --version and errors end
// the process (exit 0 or 2).
char **command_parse(const Command *command, int argc, char **argv, int *count);

// The sub-commands of nago, one in each cli/cmd_*.c; argv[0] is the sub-command's name.
typedef int Subcommand(int argc, char **argv);
Subcommand cmd_train, cmd_calibrate, cmd_eval, cmd_verify, cmd_data, cmd_bench, cmd_size;
Subcommand cmd_search, cmd_worker, cmd_best, cmd_front, cmd_trials, cmd_export, cmd_ask, cmd_tell;
Subcommand cmd_reproduce, cmd_retrain, cmd_gc, cmd_space, cmd_importance;

// An option's value as text that reads back as the same value (a list: one line an item); nothing
// for one that is not set.  And the reverse, for texts that were printed so.
void option_value_print(const Option *option, Text *out);
void option_value_read(const Command *command, const Option *option, const char *text, Pool *pool);

// Prints the error for the user on stderr and returns its exit code.
int command_fail(const Command *command, const Err *err);

// Ends the process (exit 2) with "NAME: message (see NAME --help)": options that do not go
// together.
NAGO_NORETURN void command_usage(const Command *command, const char *fmt, ...) NAGO_PRINTF(2, 3);

// What --help and the hidden --man print: plain text, and man page source (roff).
void command_help(const Command *command, Text *out);
void command_man(const Command *command, Text *out);

// Closes stdout and reports what could not be written (a full disk, a closed pipe): the last thing
// main does. Returns `code`, or 1 when the output is incomplete.
int output_finish(const char *program, int code);

#endif
