// emit_pytorch.c - an architecture as a PyTorch module: the network for those who come from PyTorch
// or go there, and the peer that the benchmark runs.
//
// templates/pytorch.py is the whole module but for the architecture; what comes out is that file
// with the architecture, in words and as a literal, in place of its line "ARCH = {}".  arch.json
// has numbers, strings, lists and objects only, so that its text is a Python literal as it stands.

#include "emit.h"
#include "emit_ops.h"

#include <string.h>

static const char hole[] = "ARCH = {}\n";

bool emit_pytorch(const Arch *arch, Text *out, Err *err)
{
    const char *text = template_text("pytorch");
    const char *at = strstr(text, hole);
    (void)err; // every architecture can be written
    if (!at)
        bug("templates/pytorch.py has no line %s", hole);
    text_add(out, text, (size_t)(at - text));
    text_puts(out, "# ");
    arch_describe(arch, out);
    text_puts(out, "\nARCH = ");
    arch_print(arch, out);
    text_puts(out, at + sizeof hole - 1);
    return true;
}
