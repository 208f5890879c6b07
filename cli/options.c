// options.c - reads a command line by its table of options.  Comes in: argv and the table.  Goes
// out: values in the caller's variables and the operands; or a message that names the option, the
// value and the rule, and exit code 2. Help texts and manual pages are in help.c.
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEED_BITS = 53 }; // seeds are exact in JSON numbers

// ---- messages
// ------------------------------------------------------------------------------------

void command_usage(const Command *command, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fflush(stdout);
    fprintf(stderr, "%s: ", command->name);
    vfprintf(stderr, fmt, args);
    fprintf(stderr, " (see %s --help)\n", command->name);
    va_end(args);
    exit(EXIT_BAD_INPUT);
}

// A message that begins with its file, "theta.json:7:10: error: ...", stands alone, as a C
// compiler's does.
static bool message_names_file(const char *message)
{
    const char *error = strstr(message, ": error: ");
    const char *line_end = strchr(message, '\n');
    return error && (!line_end || error < line_end);
}

int command_fail(const Command *command, const Err *err)
{
    fflush(stdout);
    if (message_names_file(err->message))
        fprintf(stderr, "%s\n", err->message);
    else
        fprintf(stderr, "%s: %s\n", command->name, err->message);
    return err->exit_code ? err->exit_code : EXIT_RUN_FAILED;
}

int output_finish(const char *program, int code)
{
    bool had_error = ferror(stdout);
    if (fclose(stdout) == 0 && !had_error)
        return code;
    fprintf(stderr, "%s: cannot write the output: %s\n", program,
            errno ? strerror(errno) : "output error");
    return EXIT_RUN_FAILED;
}

// ---- values
// --------------------------------------------------------------------------------------

static bool read_whole(const char *text, long long *value)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0 && *text != ' ';
}

static bool read_real(const char *text, double *value, char **end)
{
    errno = 0;
    *value = strtod(text, end);
    return *end != text && *text != ' ' && isfinite(*value);
}

static void set_int(const Command *command, const Option *option, const char *text)
{
    long long value;
    if (!read_whole(text, &value) || (double)value < option->min || (double)value > option->max)
        command_usage(command, "--%s: \"%s\" is not a whole number in %.0f..%.0f", option->name,
                      text, option->min, option->max);
    *option->to.integer = (int)value;
}

static void set_seed(const Command *command, const Option *option, const char *text)
{
    long long value;
    if (!read_whole(text, &value) || value < 0 || value >> SEED_BITS)
        command_usage(command, "--%s: \"%s\" is not a whole number in 0..%lld (2^%d - 1)",
                      option->name, text, (1LL << SEED_BITS) - 1, SEED_BITS);
    *option->to.seed = (uint64_t)value;
}

static void set_real(const Command *command, const Option *option, const char *text)
{
    double value;
    char *end;
    if (!read_real(text, &value, &end) || *end || value < option->min || value > option->max)
        command_usage(command, "--%s: \"%s\" is not a number in %g..%g", option->name, text,
                      option->min, option->max);
    *option->to.real = value;
}

static void set_choice(const Command *command, const Option *option, const char *text)
{
    Text list = {0};
    int count = 0;
    for (; option->choices[count]; count++) {
        if (strcmp(option->choices[count], text) == 0) {
            *option->to.integer = count;
            text_free(&list);
            return;
        }
        text_printf(&list, "%s%s", count ? ", " : "", option->choices[count]);
    }
    const char *near = nearest_word(text, option->choices, (size_t)count);
    command_usage(command, "--%s: \"%s\" is not one of %s%s%s%s", option->name, text, list.data,
                  near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static void set_size(const Command *command, const Option *option, const char *text)
{
    static const char suffix[] = "KMGT";
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    bool ok = end != text && errno == 0 && value > 0 && *text != ' ';
    const char *unit = *end ? strchr(suffix, *end) : NULL;
    if (unit) {
        int shift = 10 * (int)(unit - suffix + 1);
        ok = ok && end[1] == '\0' && value <= INT64_MAX >> shift;
        value = ok ? value << shift : 0;
    } else {
        ok = ok && *end == '\0';
    }
    if (!ok)
        command_usage(command, "--%s: \"%s\" is not a size such as 4096, 256K, 1M or 2G",
                      option->name, text);
    *option->to.size = value;
}

static void set_duration(const Command *command, const Option *option, const char *text)
{
    static const char unit_name[] = "smhd";
    static const double unit_seconds[] = {1, 60, 3600, 86400};
    double value;
    char *end;
    bool ok = read_real(text, &value, &end) && value > 0;
    const char *unit = ok && *end ? strchr(unit_name, *end) : NULL;
    if (unit) {
        value *= unit_seconds[unit - unit_name];
        ok = end[1] == '\0' && isfinite(value);
    } else {
        ok = ok && *end == '\0';
    }
    if (!ok)
        command_usage(command, "--%s: \"%s\" is not a duration such as 90, 90s, 5m, 2h or 1d",
                      option->name, text);
    *option->to.real = value;
}

static void set_string(const Command *command, const Option *option, const char *text)
{
    if (!*text)
        command_usage(command, "--%s: \"\" is empty, it needs a value %s", option->name,
                      option->metavar);
    *option->to.string = text;
}

static void add_string(const Command *command, const Option *option, const char *text)
{
    OptionList *list = option->to.list;
    if (!*text)
        command_usage(command, "--%s: \"\" is empty, it needs a value %s", option->name,
                      option->metavar);
    if (list->count == OPTION_LIST_MAX)
        command_usage(command, "--%s: more than %d of them", option->name, (int)OPTION_LIST_MAX);
    list->items[list->count++] = text;
}

static void option_set(const Command *command, const Option *option, const char *text)
{
    switch (option->kind) {
    case OPTION_IS_FLAG:
        *option->to.flag = true;
        break;
    case OPTION_IS_INT:
        set_int(command, option, text);
        break;
    case OPTION_IS_SEED:
        set_seed(command, option, text);
        break;
    case OPTION_IS_REAL:
        set_real(command, option, text);
        break;
    case OPTION_IS_CHOICE:
        set_choice(command, option, text);
        break;
    case OPTION_IS_SIZE:
        set_size(command, option, text);
        break;
    case OPTION_IS_DURATION:
        set_duration(command, option, text);
        break;
    case OPTION_IS_STRING:
        set_string(command, option, text);
        break;
    case OPTION_IS_LIST:
        add_string(command, option, text);
        break;
    case OPTION_IS_GROUP:
    case OPTION_IS_END:
        bug("option without a value: %s", option->name);
    }
    if (option->given)
        *option->given = true;
}

// ---- values as text
// ------------------------------------------------------------------------------------

void option_value_print(const Option *option, Text *out)
{
    switch (option->kind) {
    case OPTION_IS_FLAG:
        text_puts(out, *option->to.flag ? "yes" : "no");
        break;
    case OPTION_IS_INT:
        text_printf(out, "%d", *option->to.integer);
        break;
    case OPTION_IS_SEED:
        text_printf(out, "%llu", (unsigned long long)*option->to.seed);
        break;
    case OPTION_IS_REAL:
    case OPTION_IS_DURATION:
        text_printf(out, "%.17g", *option->to.real);
        break;
    case OPTION_IS_CHOICE:
        text_puts(out, option->choices[*option->to.integer]);
        break;
    case OPTION_IS_SIZE:
        text_printf(out, "%lld", (long long)*option->to.size);
        break;
    case OPTION_IS_STRING:
        text_puts(out, *option->to.string ? *option->to.string : "");
        break;
    case OPTION_IS_LIST:
        for (int i = 0; i < option->to.list->count; i++)
            text_printf(out, "%s%s", i ? "\n" : "", option->to.list->items[i]);
        break;
    case OPTION_IS_GROUP:
    case OPTION_IS_END:
        break;
    }
}

static void list_read(const Command *command, const Option *option, char *text)
{
    option->to.list->count = 0;
    for (char *item = text; item && *item;) {
        char *end = strchr(item, '\n');
        if (end)
            *end = '\0';
        add_string(command, option, item);
        item = end ? end + 1 : NULL;
    }
}

void option_value_read(const Command *command, const Option *option, const char *text, Pool *pool)
{
    bool *given = option->given, was_given = given && *given;
    if (option->kind == OPTION_IS_FLAG)
        *option->to.flag = strcmp(text, "yes") == 0;
    else if (option->kind == OPTION_IS_LIST)
        list_read(command, option, pool_strdup(pool, text));
    else if (option->kind == OPTION_IS_REAL || option->kind == OPTION_IS_DURATION)
        *option->to.real = strtod(text, NULL);
    else if (option->kind == OPTION_IS_SIZE)
        *option->to.size = strtoll(text, NULL, 10);
    else if (option->kind == OPTION_IS_STRING)
        *option->to.string = *text ? pool_strdup(pool, text) : NULL;
    else if (option->kind != OPTION_IS_GROUP)
        option_set(command, option, text);
    if (given)
        *given = was_given;
}

// ---- names
// ---------------------------------------------------------------------------------------

NAGO_NORETURN static void unknown_option(const Command *command, const char *name, size_t length)
{
    const char *names[128] = {"help", "version"};
    char word[64] = "";
    size_t count = 2;
    for (const Option *o = command->options; o->kind != OPTION_IS_END; o++)
        if (o->kind != OPTION_IS_GROUP && count < COUNT_OF(names))
            names[count++] = o->name;
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    const char *near = nearest_word(word, names, count);
    command_usage(command, "unknown option --%.*s%s%s%s", (int)length, name,
                  near ? "; did you mean --" : "", near ? near : "", near ? "?" : "");
}

// The option called name[0..length), or the only one that begins so.
static const Option *option_by_name(const Command *command, const char *name, size_t length)
{
    const Option *found = NULL, *second = NULL;
    if (length == 0)
        unknown_option(command, name, length);
    for (const Option *o = command->options; o->kind != OPTION_IS_END; o++) {
        if (o->kind == OPTION_IS_GROUP || strncmp(o->name, name, length) != 0)
            continue;
        if (strlen(o->name) == length)
            return o;
        second = found;
        found = o;
    }
    if (second)
        command_usage(command, "--%.*s may mean --%s or --%s", (int)length, name, second->name,
                      found->name);
    if (!found)
        unknown_option(command, name, length);
    return found;
}

static const Option *option_by_letter(const Command *command, char letter)
{
    for (const Option *o = command->options; o->kind != OPTION_IS_END; o++)
        if (o->kind != OPTION_IS_GROUP && o->letter == letter)
            return o;
    command_usage(command, "unknown option -%c", letter);
}

// ---- the command line
// ----------------------------------------------------------------------------

typedef struct {
    const Command *command;
    char **argv;
    int argc, next;
} Line;

static const char *next_value(Line *line, const Option *option)
{
    if (line->next >= line->argc)
        command_usage(line->command, "--%s: needs a value %s", option->name, option->metavar);
    return line->argv[line->next++];
}

static void read_long(Line *line, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const Option *option = option_by_name(line->command, word, length);
    const char *value = NULL;
    if (option->kind == OPTION_IS_FLAG) {
        if (equals)
            command_usage(line->command, "--%s: takes no value, got \"%s\"", option->name,
                          equals + 1);
    } else {
        value = equals ? equals + 1 : next_value(line, option);
    }
    option_set(line->command, option, value);
}

// "-abc" is -a -b -c; the rest of the word behind a letter that takes a value is the value.
static void read_letters(Line *line, const char *letters)
{
    while (*letters) {
        const Option *option = option_by_letter(line->command, *letters++);
        if (option->kind == OPTION_IS_FLAG) {
            option_set(line->command, option, NULL);
            continue;
        }
        option_set(line->command, option, *letters ? letters : next_value(line, option));
        return;
    }
}

// --help and its kin win over everything else on the line, so that they show the defaults.
static void answer_questions(const Command *command, int argc, char **argv)
{
    Text text = {0};
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            command_help(command, &text);
        else if (strcmp(argv[i], "--man") == 0)
            command_man(command, &text);
        else if (strcmp(argv[i], "--version") == 0)
            text_printf(&text, "%s %s\n", command->name, NAGO_VERSION);
        else
            continue;
        fputs(text.data, stdout);
        text_free(&text);
        exit(output_finish(command->name, EXIT_DONE));
    }
}

static void check_operands(const Command *command, char **operands, int count)
{
    if (count < command->min_operands)
        command_usage(command, "an operand is missing: %s %.*s", command->name,
                      (int)strcspn(command->synopsis, "\n"), command->synopsis);
    if (command->max_operands >= 0 && count > command->max_operands)
        command_usage(command, "\"%s\" is one operand too many", operands[command->max_operands]);
}

char **command_parse(const Command *command, int argc, char **argv, int *count)
{
    answer_questions(command, argc, argv);
    Line line = {.command = command, .argv = argv, .argc = argc, .next = 1};
    int operands = 0; // gathered at the front of argv, behind the ones already read
    bool options_ended = false;
    while (line.next < argc) {
        char *word = argv[line.next++];
        if (options_ended || word[0] != '-' || word[1] == '\0')
            argv[1 + operands++] = word;
        else if (strcmp(word, "--") == 0)
            options_ended = true;
        else if (word[1] == '-')
            read_long(&line, word + 2);
        else
            read_letters(&line, word + 1);
    }
    if (1 + operands < argc)
        argv[1 + operands] = NULL;
    *count = operands;
    check_operands(command, argv + 1, operands);
    return argv + 1;
}
