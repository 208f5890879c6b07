// help.c - a command's help and its manual page, both made from the table of options, so that they
// cannot disagree.
#include "options.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 80, HELP_COLUMN = 28 };

static const char exit_text[] =
    "0 done; 1 the run failed (not finite, out of tolerance, a full disk); 2 bad input or usage";

// ---- pieces of both
// ------------------------------------------------------------------------------

static bool in_range(double value, const Option *option)
{
    return value >= option->min && value <= option->max; // false for NaN
}

static void duration_print(double seconds, Text *out)
{
    if (fmod(seconds, 3600) == 0)
        text_printf(out, "%gh", seconds / 3600);
    else if (fmod(seconds, 60) == 0)
        text_printf(out, "%gm", seconds / 60);
    else
        text_printf(out, "%gs", seconds);
}

static void size_print(int64_t size, Text *out)
{
    int unit = 0;
    for (; unit < 4 && size % 1024 == 0; unit++)
        size /= 1024;
    text_printf(out, "%lld%.*s", (long long)size, unit ? 1 : 0, &" KMGT"[unit]);
}

// The value that the option's target holds, which is the default; nothing where it means "unset".
static void default_print(const Option *option, Text *out)
{
    switch (option->kind) {
    case OPTION_IS_INT:
        if (in_range(*option->to.integer, option))
            text_printf(out, "%d", *option->to.integer);
        break;
    case OPTION_IS_REAL:
        if (in_range(*option->to.real, option))
            text_printf(out, "%g", *option->to.real);
        break;
    case OPTION_IS_CHOICE:
        if (*option->to.integer >= 0)
            text_puts(out, option->choices[*option->to.integer]);
        break;
    case OPTION_IS_SEED:
        if (!option->given)
            text_printf(out, "%llu", (unsigned long long)*option->to.seed);
        break;
    case OPTION_IS_SIZE:
        if (*option->to.size > 0)
            size_print(*option->to.size, out);
        break;
    case OPTION_IS_DURATION:
        if (*option->to.real > 0)
            duration_print(*option->to.real, out);
        break;
    case OPTION_IS_STRING:
        if (*option->to.string)
            text_puts(out, *option->to.string);
        break;
    default:
        break;
    }
}

// "what it does (default 32)"
static void explanation_print(const Option *option, Text *out)
{
    Text value = {0};
    default_print(option, &value);
    text_puts(out, option->help);
    if (value.length && !strstr(option->help, "default"))
        text_printf(out, " (default %s)", value.data);
    text_free(&value);
}

// "FILE", or the choices where the table names nothing better; empty for a flag.
static void metavar_print(const Option *option, Text *out)
{
    if (option->metavar)
        text_puts(out, option->metavar);
    else if (option->kind == OPTION_IS_CHOICE)
        for (int i = 0; option->choices[i]; i++)
            text_printf(out, "%s%s", i ? "|" : "", option->choices[i]);
}

static const Option common[] = {
    {.kind = OPTION_IS_FLAG, .name = "help", .letter = 'h', .help = "print this help"},
    {.kind = OPTION_IS_FLAG, .name = "version", .help = "print the version"},
    OPTION_END,
};

// ---- plain text
// ----------------------------------------------------------------------------------

// Adds the words of `words`, broken at WIDTH; lines after the first are indented.
static void text_wrap(Text *out, const char *words, size_t column, int indent)
{
    for (bool is_first = true; *words; is_first = false) {
        size_t length = strcspn(words, " \n");
        if (!is_first && column + 1 + length > WIDTH) {
            text_printf(out, "\n%*s", indent, "");
            column = (size_t)indent;
        } else if (!is_first) {
            text_puts(out, " ");
            column++;
        }
        text_add(out, words, length);
        column += length;
        words += length;
        words += strspn(words, " \n");
    }
    text_puts(out, "\n");
}

// Paragraphs, separated by empty lines; indented ones stay as they are.
static void paragraphs_print(const char *text, Text *out)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t length = end ? (size_t)(end - text) : strlen(text);
        Text paragraph = {0};
        text_add(&paragraph, text, length);
        if (*text == ' ')
            text_printf(out, "%s\n", paragraph.data);
        else
            text_wrap(out, paragraph.data, 0, 0);
        text_puts(out, "\n");
        text_free(&paragraph);
        text += length;
        text += strspn(text, "\n");
    }
}

static void option_help(const Option *option, Text *out)
{
    Text left = {0}, right = {0}, metavar = {0};
    metavar_print(option, &metavar);
    if (option->letter)
        text_printf(&left, "  -%c, --%s", option->letter, option->name);
    else
        text_printf(&left, "      --%s", option->name);
    if (metavar.length)
        text_printf(&left, "=%s", metavar.data);
    explanation_print(option, &right);
    if (left.length + 2 > HELP_COLUMN)
        text_printf(out, "%s\n%*s", left.data, HELP_COLUMN, "");
    else
        text_printf(out, "%-*s", HELP_COLUMN, left.data);
    text_wrap(out, right.data, HELP_COLUMN, HELP_COLUMN);
    text_free(&left);
    text_free(&right);
    text_free(&metavar);
}

static void options_help(const Option *options, Text *out)
{
    for (const Option *o = options; o->kind != OPTION_IS_END; o++)
        if (o->kind == OPTION_IS_GROUP)
            text_printf(out, "\n%s:\n", o->name);
        else
            option_help(o, out);
}

static void synopsis_help(const Command *command, Text *out)
{
    const char *lead = "usage:";
    for (const char *form = command->synopsis; *form; lead = "   or:") {
        size_t length = strcspn(form, "\n");
        text_printf(out, "%s %s %.*s\n", lead, command->name, (int)length, form);
        form += length;
        form += *form == '\n';
    }
}

void command_help(const Command *command, Text *out)
{
    text_printf(out, "%s - %s\n\n", command->name, command->summary);
    synopsis_help(command, out);
    if (command->description) {
        text_puts(out, "\n");
        paragraphs_print(command->description, out);
        out->length--; // the groups begin with an empty line of their own
        out->data[out->length] = '\0';
    }
    if (command->options->kind != OPTION_IS_END && command->options->kind != OPTION_IS_GROUP)
        text_puts(out, "\nOptions:\n");
    options_help(command->options, out);
    text_puts(out, "\nGeneral:\n");
    options_help(common, out);
    if (command->examples)
        text_puts(out, "\nExamples:\n");
    for (const char *line = command->examples; line && *line;) {
        size_t length = strcspn(line, "\n");
        text_printf(out, "  %.*s\n", (int)length, line);
        line += length;
        line += *line == '\n';
    }
    text_printf(out, "\nExit status: ");
    text_wrap(out, exit_text, strlen("Exit status: "), 2);
    if (command->see_also)
        text_printf(out, "See also: %s\n", command->see_also);
}

// ---- manual page
// ---------------------------------------------------------------------------------

// Adds text with what roff would read as a command escaped.
static void roff_add(Text *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool at_line_start = i == 0 || text[i - 1] == '\n';
        if (at_line_start && (text[i] == '.' || text[i] == '\''))
            text_puts(out, "\\&");
        if (text[i] == '\\')
            text_puts(out, "\\e");
        else if (text[i] == '-')
            text_puts(out, "\\-");
        else
            text_add(out, text + i, 1);
    }
}

static void roff_puts(Text *out, const char *text)
{
    roff_add(out, text, strlen(text));
}

static void option_man(const Option *option, Text *out)
{
    Text right = {0}, metavar = {0};
    metavar_print(option, &metavar);
    text_puts(out, ".TP\n\\fB");
    if (option->letter)
        text_printf(out, "\\-%c\\fR, \\fB", option->letter);
    roff_puts(out, "--");
    roff_puts(out, option->name);
    text_puts(out, "\\fR");
    if (metavar.length) {
        text_puts(out, "=\\fI");
        roff_puts(out, metavar.data);
        text_puts(out, "\\fR");
    }
    text_puts(out, "\n");
    explanation_print(option, &right);
    roff_puts(out, right.data);
    text_puts(out, "\n");
    text_free(&right);
    text_free(&metavar);
}

static void options_man(const Option *options, Text *out)
{
    for (const Option *o = options; o->kind != OPTION_IS_END; o++)
        if (o->kind == OPTION_IS_GROUP)
            text_printf(out, ".SS \"%s\"\n", o->name);
        else
            option_man(o, out);
}

// Lines of text: as they are, between .nf and .fi, with `lead` before those that are not indented.
static void lines_man(const char *text, const char *lead, Text *out)
{
    text_puts(out, ".nf\n");
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (*text != ' ')
            roff_puts(out, lead);
        roff_add(out, text, length);
        text_puts(out, "\n");
        text += length;
        text += *text == '\n';
    }
    text_puts(out, ".fi\n");
}

static void paragraphs_man(const char *text, Text *out)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t length = end ? (size_t)(end - text) : strlen(text);
        text_puts(out, *text == ' ' ? ".PP\n.nf\n" : ".PP\n");
        roff_add(out, text, length);
        text_puts(out, *text == ' ' ? "\n.fi\n" : "\n");
        text += length;
        text += strspn(text, "\n");
    }
}

// "nago train" is filed as nago-train.
static void page_name(const char *name, Text *out)
{
    for (; *name; name++)
        text_add(out, *name == ' ' ? "-" : name, 1);
}

void command_man(const Command *command, Text *out)
{
    Text page = {0}, lead = {0};
    page_name(command->name, &page);
    text_printf(out, ".TH %s 1 \"\" \"nago %s\" \"User Commands\"\n.SH NAME\n", page.data,
                NAGO_VERSION);
    roff_puts(out, page.data);
    text_printf(out, " \\- ");
    roff_puts(out, command->summary);
    text_puts(out, "\n.SH SYNOPSIS\n");
    text_printf(&lead, "%s ", command->name);
    lines_man(command->synopsis, lead.data, out);
    if (command->description) {
        text_puts(out, ".SH DESCRIPTION\n");
        paragraphs_man(command->description, out);
    }
    text_puts(out, ".SH OPTIONS\n");
    options_man(command->options, out);
    text_puts(out, ".SS \"General\"\n");
    options_man(common, out);
    text_printf(out, ".SH \"EXIT STATUS\"\n%s.\n", exit_text);
    if (command->examples) {
        text_puts(out, ".SH EXAMPLES\n");
        lines_man(command->examples, "", out);
    }
    if (command->see_also) {
        text_puts(out, ".SH \"SEE ALSO\"\n");
        roff_puts(out, command->see_also);
        text_puts(out, "\n");
    }
    text_free(&page);
    text_free(&lead);
}
