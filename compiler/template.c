// template.c - the texts of templates/, carried as bytes (blob.S), and their pasting under another
// prefix.
#include "emit_ops.h"

#include <ctype.h>
#include <string.h>

#define TEMPLATE(symbol, file) extern const char template_##symbol[];
#include "template_list.h"
#undef TEMPLATE

static const struct {
    const char *symbol, *text;
} templates[] = {
#define TEMPLATE(symbol, file) {#symbol, template_##symbol},
#include "template_list.h"
#undef TEMPLATE
};

const char *template_text(const char *symbol)
{
    for (size_t i = 0; i < COUNT_OF(templates); i++)
        if (!strcmp(templates[i].symbol, symbol))
            return templates[i].text;
    bug("no template %s", symbol);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

// A prefix in capitals, for macros.
static void add_upper(const char *prefix, Text *out)
{
    for (const char *c = prefix; *c; c++) {
        const char upper = (char)toupper((unsigned char)*c);
        text_add(out, &upper, 1);
    }
}

void template_rename(const char *text, const char *prefix, Text *out)
{
    const char *plain = text;
    for (const char *c = text; *c; c++) {
        const bool begins = (c == text || !is_word(c[-1])) && (c[0] | 32) == 'n' &&
                            (c[1] | 32) == 'k' && c[2] == '_' && c[0] + ('k' - 'n') == c[1];
        if (!begins)
            continue;
        text_add(out, plain, (size_t)(c - plain));
        if (c[0] == 'n')
            text_puts(out, prefix);
        else
            add_upper(prefix, out);
        plain = c + 2; // the underscore stays
        c += 2;
    }
    text_puts(out, plain);
}

void template_paste(const char *symbol, const char *prefix, Text *out)
{
    template_rename(template_text(symbol), prefix, out);
}
