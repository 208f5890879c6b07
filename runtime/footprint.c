// footprint.c - a generated file under the target's own compiler.
//
// The file is compiled as the firmware of examples/firmware compiles it, every function and
// variable in a section of its own, and linked with nothing but the function that is called: what
// the linker keeps is what a program pays for.  Sizes come from the sections and symbols of the
// result, the stack from gcc's call graph.
#define _GNU_SOURCE
#include "footprint.h"

#include "call_graph.h"
#include "firmware.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

int64_t footprint_flash(const Footprint *f)
{
    return f->weights + f->code + f->library + f->constants + f->data;
}

int64_t footprint_ram(const Footprint *f)
{
    return f->arena + f->input + f->output + f->stack + f->variables + f->data;
}

// ---- what the file says of itself ---------------------------------------------------------------

static bool is_word(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// The prefix of the file's names; NULL: nagoc did not write it.
static const char *find_prefix(const char *text, Pool *pool)
{
    const char *end = strstr(text, "_infer_u8(const uint8_t");
    const char *begin = end;
    while (begin && begin > text && is_word(begin[-1]))
        begin--;
    return end && end > begin ? pool_printf(pool, "%.*s", (int)(end - begin), begin) : NULL;
}

// The constant PREFIX_NAME of the file; 0 if there is none.
static int64_t find_constant(const char *text, const char *prefix, const char *name, Pool *pool)
{
    char *key = pool_printf(pool, "%s_%s = ", prefix, name);
    for (char *c = key; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    const char *at = strstr(text, key);
    return at ? strtoll(at + strlen(key), NULL, 10) : 0;
}

// ---- compiling ----------------------------------------------------------------------------------

enum { MOST_ARGUMENTS = 64, SECONDS = 300 };

typedef struct {
    const char *words[MOST_ARGUMENTS + 1];
    int n;
    Pool *pool;
} Arguments;

static void add(Arguments *a, const char *word)
{
    if (a->n < MOST_ARGUMENTS)
        a->words[a->n++] = word;
}

static void add_words(Arguments *a, const char *text)
{
    for (const char *word = text; word && *word; word += strspn(word, " ")) {
        const size_t length = strcspn(word, " ");
        if (length)
            add(a, pool_printf(a->pool, "%.*s", (int)length, word));
        word += length;
    }
}

static bool compile(const Workshop *workshop, const FootprintRequest *request, const char *folder,
                    const char *prefix, Pool *pool, Err *err)
{
    const TargetInfo *target = &target_info[request->target];
    Arguments a = {.pool = pool};
    add(&a, target->compiler);
    add_words(&a, target->flags);
    add_words(&a, "-std=gnu11 -w -ffunction-sections -fdata-sections -fno-common "
                  "-fcallgraph-info=su -nostdlib -nostartfiles -Wl,--gc-sections");
    if (request->target == TARGET_RV32IMC) // Debian's compiler has no libc
        add_words(&a, "-isystem firmware/include");
    add(&a, pool_printf(pool, "-Wa,-I%s", folder));
    add(&a, pool_printf(pool, "-Wl,-e,%s_%s", prefix, request->call));
    add_words(&a, request->flags);
    add_words(&a, "net.c firmware/memory.c -o net.elf");
    add_words(&a, request->target == TARGET_RV32IMC ? "-lgcc" : "-lm -lc -lgcc");
    return workshop_run(workshop, a.words, SECONDS, NULL, err);
}

// ---- the program that came out ------------------------------------------------------------------

typedef struct {
    const char *bytes;
    size_t size;
    const Elf32_Ehdr *head;
    const Elf32_Shdr *sections;
} Elf;

static const void *elf_at(const Elf *elf, size_t offset, size_t size)
{
    return offset <= elf->size && size <= elf->size - offset ? elf->bytes + offset : NULL;
}

static bool elf_open(Elf *elf, const char *bytes, size_t size)
{
    *elf = (Elf){.bytes = bytes, .size = size};
    elf->head = elf_at(elf, 0, sizeof *elf->head);
    if (!elf->head || memcmp(elf->head->e_ident, ELFMAG, SELFMAG) != 0 ||
        elf->head->e_ident[EI_CLASS] != ELFCLASS32 || elf->head->e_ident[EI_DATA] != ELFDATA2LSB)
        return false;
    elf->sections = elf_at(elf, elf->head->e_shoff, elf->head->e_shnum * sizeof *elf->sections);
    return elf->sections != NULL;
}

// Sums up sections: executable, other constants, initialised and zeroed variables.
static void read_sections(const Elf *elf, Footprint *f)
{
    for (int i = 0; i < elf->head->e_shnum; i++) {
        const Elf32_Shdr *s = &elf->sections[i];
        if (!(s->sh_flags & SHF_ALLOC))
            continue;
        if (s->sh_flags & SHF_EXECINSTR)
            f->code += s->sh_size;
        else if (s->sh_type == SHT_NOBITS)
            f->variables += s->sh_size;
        else if (s->sh_flags & SHF_WRITE)
            f->data += s->sh_size;
        else
            f->constants += s->sh_size;
    }
}

// Tells the weights from other constants, the arena from other variables, the file's functions
// from those that the compiler brought.
static void read_symbol(const Elf32_Sym *symbol, const char *name, const char *prefix, Footprint *f)
{
    const int64_t size = symbol->st_size;
    const size_t length = strlen(prefix);
    const bool is_ours = !strncmp(name, prefix, length) && name[length] == '_';
    const char *rest = name + length + 1;
    if (ELF32_ST_TYPE(symbol->st_info) == STT_FUNC && is_ours) {
        f->functions[f->n_functions++] = (FootprintPart){name, size};
    } else if (ELF32_ST_TYPE(symbol->st_info) == STT_FUNC) {
        f->library += size;
        f->code -= size;
    } else if (is_ours && !strcmp(rest, "weights")) {
        f->weights = size;
        f->constants -= size;
    } else if (is_ours && !strcmp(rest, "arena")) {
        f->arena = size;
        f->variables -= size;
    }
}

static bool read_symbols(const Elf *elf, const char *prefix, Footprint *f, Pool *pool)
{
    for (int i = 0; i < elf->head->e_shnum; i++) {
        const Elf32_Shdr *s = &elf->sections[i];
        if (s->sh_type != SHT_SYMTAB || s->sh_link >= elf->head->e_shnum)
            continue;
        const Elf32_Shdr *names = &elf->sections[s->sh_link];
        const Elf32_Sym *symbols = elf_at(elf, s->sh_offset, s->sh_size);
        const char *text = elf_at(elf, names->sh_offset, names->sh_size);
        const size_t count = s->sh_size / sizeof *symbols;
        if (!symbols || !text || !names->sh_size || text[names->sh_size - 1])
            return false;
        f->functions = pool_alloc(pool, (count + 1) * sizeof *f->functions);
        for (size_t k = 0; k < count; k++)
            if (symbols[k].st_name < names->sh_size && symbols[k].st_shndx != SHN_UNDEF)
                read_symbol(&symbols[k], pool_strdup(pool, text + symbols[k].st_name), prefix, f);
        return true;
    }
    return false;
}

static int by_size(const void *a, const void *b)
{
    const FootprintPart *x = a, *y = b;
    return x->bytes != y->bytes ? (x->bytes < y->bytes) - (x->bytes > y->bytes)
                                : strcmp(x->name, y->name);
}

static bool read_program(const Workshop *workshop, const char *prefix, Footprint *f, Pool *pool,
                         Err *err)
{
    char *bytes = NULL;
    size_t size = 0;
    Elf elf;
    if (!workshop_read(workshop, "net.elf", &bytes, &size, err))
        return false;
    const bool done = elf_open(&elf, bytes, size);
    if (done)
        read_sections(&elf, f);
    const bool named = done && read_symbols(&elf, prefix, f, pool);
    free(bytes);
    if (f->n_functions)
        qsort(f->functions, (size_t)f->n_functions, sizeof *f->functions, by_size);
    return named || err_run(err, "the linker's output is not a 32-bit program with symbols");
}

static bool read_stack(const Workshop *workshop, const char *function, Footprint *f, Pool *pool,
                       Err *err)
{
    static const char *const graphs[] = {"net.elf-net.ci", "net.elf-memory.ci"};
    Text text = {0};
    DeepestStack deepest;
    bool done = true;
    for (size_t i = 0; done && i < COUNT_OF(graphs); i++) {
        char *bytes = NULL;
        size_t size = 0;
        done = workshop_read(workshop, graphs[i], &bytes, &size, err);
        if (done)
            text_add(&text, bytes, size);
        free(bytes);
    }
    done = done && call_graph_deepest(text.data, function, &deepest, pool, err);
    text_free(&text);
    if (!done)
        return false;
    f->stack = deepest.bytes;
    f->chain = pool_alloc(pool, (size_t)deepest.n * sizeof *f->chain);
    for (; f->n_chain < deepest.n; f->n_chain++) {
        const CalledFunction *called = &deepest.chain[f->n_chain];
        f->assumed_stack = f->assumed_stack || called->frame < 0;
        f->chain[f->n_chain] =
            (FootprintPart){called->name, called->frame < 0 ? UNKNOWN_FRAME : called->frame};
    }
    return true;
}

// ---- the whole ----------------------------------------------------------------------------------

static bool measure_in(const Workshop *workshop, const char *text, const char *folder,
                       const char *prefix, const FootprintRequest *request, Footprint *f,
                       Pool *pool, Err *err)
{
    if (!workshop_write(workshop, "net.c", text, strlen(text), err) ||
        !compile(workshop, request, folder, prefix, pool, err) ||
        !read_program(workshop, prefix, f, pool, err) ||
        !read_stack(workshop, pool_printf(pool, "%s_%s", prefix, request->call), f, pool, err))
        return false;
    const int64_t batch = find_constant(text, prefix, "BATCH", pool),
                  pixels = batch * find_constant(text, prefix, "CHANNELS", pool) *
                           find_constant(text, prefix, "HEIGHT", pool) *
                           find_constant(text, prefix, "WIDTH", pool);
    f->input = strcmp(request->call, "infer") == 0 ? pixels * (int64_t)sizeof(float) : pixels;
    f->output = batch * find_constant(text, prefix, "CLASSES", pool) * (int64_t)sizeof(float);
    return true;
}

// The folder that a file lies in, as an absolute path: binary weights lie there, too.
static const char *folder_of(const char *path, Pool *pool)
{
    char *whole = realpath(path, NULL);
    const char *slash = whole ? strrchr(whole, '/') : NULL;
    const char *folder = slash ? pool_printf(pool, "%.*s", (int)(slash - whole) + 1, whole) : "/";
    free(whole);
    return folder;
}

bool footprint_measure(const char *path, const FootprintRequest *request, Footprint *footprint,
                       Pool *pool, Err *err)
{
    char *text = NULL;
    size_t size;
    Workshop workshop = {""};
    *footprint = (Footprint){.compiler = target_info[request->target].compiler,
                             .flags = target_info[request->target].flags};
    if (!file_read(path, (size_t)1 << 30, &text, &size, err))
        return false;
    const char *prefix = find_prefix(text, pool);
    bool done = prefix || err_input(err, "%s: error: this is no C file that nagoc wrote", path);
    done =
        done && workshop_open(&workshop, err) &&
        measure_in(&workshop, text, folder_of(path, pool), prefix, request, footprint, pool, err);
    workshop_close(&workshop);
    free(text);
    return done;
}
