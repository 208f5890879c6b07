// board.c - an int8 network on an emulated microcontroller.
//
// In: a network and images.  The file that nagoc writes for the target goes into the firmware of
// examples/firmware, which reads the images and writes the logits by semihosting; the same text,
// compiled for this machine, gets the same pixels.  Out: predictions, and how many images have
// other logits there than here, compared bit for bit.
#include "board.h"

#include "expect.h"
#include "firmware.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const BoardRequest *request;
    Pool *pool;
    Workshop workshop;
    Text source, header;
    size_t pixels;            // bytes of an image
    uint8_t *records;         // a label byte, then the pixels, for each image
    float *logits, *expected; // [count][classes]: the board's, this machine's
} Board;

// ---- the file -----------------------------------------------------------------------------------

static const char *numbers_text(const float *values, int count, Pool *pool)
{
    const char *text = "";
    for (int i = 0; i < count; i++)
        text = pool_printf(pool, "%s%s%.9g", text, i ? "," : "", (double)values[i]);
    return text;
}

// The weights with the data set's mean and deviation in their metadata, whatever was there.
static TensorFile with_normalisation(const BoardRequest *request, Pool *pool)
{
    TensorFile file = *request->weights;
    const Dataset *data = request->list->data;
    const size_t room = (size_t)file.n_metadata + 2;
    const char **keys = pool_alloc(pool, room * sizeof *keys),
               **values = pool_alloc(pool, room * sizeof *values);
    int n = 0;
    for (int i = 0; i < file.n_metadata; i++) {
        if (!strcmp(file.keys[i], "nago.mean") || !strcmp(file.keys[i], "nago.std"))
            continue;
        keys[n] = file.keys[i];
        values[n++] = file.values[i];
    }
    keys[n] = "nago.mean";
    values[n++] = numbers_text(data->mean, data->channels, pool);
    keys[n] = "nago.std";
    values[n++] = numbers_text(data->deviation, data->channels, pool);
    file.keys = keys;
    file.values = values;
    file.n_metadata = n;
    return file;
}

static bool write_source(Board *board, Err *err)
{
    const BoardRequest *request = board->request;
    const TensorFile weights = with_normalisation(request, board->pool);
    EmitOptions options = emit_defaults;
    options.target = request->target;
    options.weights = &weights;
    options.ranges = request->ranges;
    options.self_test = expect_logits;
    return emit_c(request->arch, &options, &board->source, NULL, err) &&
           emit_header(request->arch, &options, &board->header, err) &&
           workshop_write(&board->workshop, "net.c", board->source.data, board->source.length,
                          err) &&
           workshop_write(&board->workshop, "net.h", board->header.data, board->header.length, err);
}

// ---- images in, logits out ----------------------------------------------------------------------

static int label_of(const ImageList *list, int i)
{
    return list->images->labels[list->indices ? list->indices[i] : (uint32_t)i];
}

static bool write_images(Board *board, Err *err)
{
    const ImageList *list = board->request->list;
    const size_t record = 1 + board->pixels;
    board->records = xmalloc((size_t)list->count * record);
    for (int i = 0; i < list->count; i++) {
        const uint32_t at = list->indices ? list->indices[i] : (uint32_t)i;
        uint8_t *to = board->records + (size_t)i * record;
        *to = (uint8_t)label_of(list, i);
        memcpy(to + 1, list->images->pixels + (size_t)at * board->pixels, board->pixels);
    }
    return workshop_write(&board->workshop, "images.bin", board->records,
                          (size_t)list->count * record, err);
}

// A number that the firmware printed behind `label`; -1: it did not.
static int64_t printed(const char *text, const char *label)
{
    const char *at = strstr(text, label);
    return at ? strtoll(at + strlen(label), NULL, 10) : -1;
}

static bool run_board(Board *board, BoardResult *result, Err *err)
{
    const int count = board->request->list->count;
    const size_t bytes = (size_t)count * (size_t)board->request->arch->classes * sizeof(float);
    const char *argv[] = {
        "make",
        "-s",
        "-f",
        "firmware/Makefile",
        pool_printf(board->pool, "TARGET=%s", target_names[board->request->target]),
        pool_printf(board->pool, "NET=%s", board->workshop.path),
        pool_printf(board->pool, "OUT=%s", board->workshop.path),
        "run",
        NULL};
    char *text = NULL, *logits = NULL;
    size_t text_size, size = 0;
    bool done = workshop_run(&board->workshop, argv, 120.0 + 10.0 * count, NULL, err) &&
                workshop_read(&board->workshop, "log", &text, &text_size, err) &&
                workshop_read(&board->workshop, "logits.bin", &logits, &size, err);
    if (done && (size != bytes || printed(text, "self test: ") != 0))
        done = err_run(err, "the board stopped early: it said\n%.1000s", text);
    if (done) {
        board->logits = xmalloc(bytes);
        memcpy(board->logits, logits, bytes);
        result->instructions = printed(text, "board: instructions of an image, at most: ");
        result->stack_bytes = printed(text, "board: deepest stack: ");
    }
    free(text);
    free(logits);
    return done;
}

static bool run_here(Board *board, Err *err)
{
    const ImageList *list = board->request->list;
    const size_t classes = (size_t)board->request->arch->classes;
    void (*infer)(const uint8_t *pixels, float *logits);
    Jit *file = jit_open(board->source.data, JIT_GCC, false, err);
    void *address = file ? jit_symbol(file, "net_infer_u8") : NULL;
    if (!file)
        return false;
    if (!address)
        bug("the file has no net_infer_u8");
    memcpy(&infer, &address, sizeof infer);
    board->expected = xmalloc((size_t)list->count * classes * sizeof *board->expected);
    for (size_t i = 0; i < (size_t)list->count; i++)
        infer(board->records + i * (1 + board->pixels) + 1, board->expected + i * classes);
    jit_close(file);
    return true;
}

// ---- the verdict --------------------------------------------------------------------------------

static void judge(const Board *board, int *predictions, Evaluation *out, BoardResult *result)
{
    const ImageList *list = board->request->list;
    const int classes = board->request->arch->classes;
    *out = (Evaluation){.count = list->count};
    for (int i = 0; i < list->count; i++) {
        const float *logits = board->logits + (size_t)i * (size_t)classes;
        const int label = label_of(list, i);
        double sum = 0.0;
        int best = 0;
        for (int k = 1; k < classes; k++)
            best = logits[k] > logits[best] ? k : best;
        for (int k = 0; k < classes; k++)
            sum += exp((double)(logits[k] - logits[best]));
        predictions[i] = best;
        out->correct += best == label;
        out->loss += (log(sum) - (double)(logits[label] - logits[best])) / list->count;
        result->different += memcmp(logits, board->expected + (size_t)i * (size_t)classes,
                                    (size_t)classes * sizeof *logits) != 0;
    }
}

bool board_evaluate(const BoardRequest *request, int *predictions, Evaluation *out,
                    BoardResult *result, Err *err)
{
    const Arch *arch = request->arch;
    Board board = {.request = request,
                   .pool = pool_new(),
                   .pixels = (size_t)arch->channels * (size_t)arch->height * (size_t)arch->width};
    *result = (BoardResult){0};
    const bool done = workshop_open(&board.workshop, err) && write_source(&board, err) &&
                      write_images(&board, err) && run_board(&board, result, err) &&
                      run_here(&board, err);
    if (done)
        judge(&board, predictions, out, result);
    workshop_close(&board.workshop);
    text_free(&board.source);
    text_free(&board.header);
    free(board.records);
    free(board.logits);
    free(board.expected);
    pool_free(board.pool);
    return done;
}
