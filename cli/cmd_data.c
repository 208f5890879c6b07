// cmd_data.c - nago data SPEC: what a data set holds, as a table, JSON, records or small pictures.
#include "../runtime/data.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

typedef struct {
    int *train, *test; // images of each class
} ClassCounts;

static int *classes_count(const Images *images, int classes)
{
    int *count = xcalloc((size_t)classes, sizeof *count);
    for (int i = 0; i < images->count; i++)
        count[images->labels[i]]++;
    return count;
}

static double data_megabytes(const Dataset *data)
{
    double pixels = (double)data->channels * data->height * data->width;
    return ((double)data->train.count + data->test.count) * (pixels + sizeof(int32_t)) / 1e6;
}

static void print_table(const Dataset *data, const ClassCounts *count)
{
    printf("%s: %d classes, images %dx%dx%d (channels x height x width), %.1f MB in memory\n\n",
           data->kind, data->classes, data->channels, data->height, data->width,
           data_megabytes(data));
    printf("%8s %8s  %s\n", "train", "test", "class");
    for (int c = 0; c < data->classes; c++)
        printf("%8d %8d  %s\n", count->train[c], count->test[c], data->class_names[c]);
    printf("%8d %8d  in all\n\n", data->train.count, data->test.count);
    printf("%-10s", "mean");
    for (int c = 0; c < data->channels; c++)
        printf(" %.4f", (double)data->mean[c]);
    printf("\n%-10s", "deviation");
    for (int c = 0; c < data->channels; c++)
        printf(" %.4f", (double)data->deviation[c]);
    printf("  (training images, pixels in [0, 1])\n");
}

static cJSON *split_json(const Images *images, const int *count, int classes)
{
    cJSON *split = cJSON_CreateObject();
    cJSON_AddNumberToObject(split, "images", images->count);
    cJSON_AddItemToObject(split, "per_class", cJSON_CreateIntArray(count, classes));
    return split;
}

static cJSON *channels_json(const float *values, int channels)
{
    cJSON *array = cJSON_CreateArray();
    for (int c = 0; c < channels; c++) {
        char text[32];
        snprintf(text, sizeof text, "%.7g", (double)values[c]);
        cJSON_AddItemToArray(array, cJSON_CreateRaw(text));
    }
    return array;
}

static void print_json(const Dataset *data, const ClassCounts *count)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "kind", data->kind);
    cJSON_AddNumberToObject(root, "channels", data->channels);
    cJSON_AddNumberToObject(root, "height", data->height);
    cJSON_AddNumberToObject(root, "width", data->width);
    cJSON_AddNumberToObject(root, "classes", data->classes);
    cJSON_AddItemToObject(root, "class_names",
                          cJSON_CreateStringArray(data->class_names, data->classes));
    cJSON_AddItemToObject(root, "train", split_json(&data->train, count->train, data->classes));
    cJSON_AddItemToObject(root, "test", split_json(&data->test, count->test, data->classes));
    cJSON_AddItemToObject(root, "mean", channels_json(data->mean, data->channels));
    cJSON_AddItemToObject(root, "deviation", channels_json(data->deviation, data->channels));
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    if (!text)
        bug("out of memory for JSON");
    puts(text);
    cJSON_free(text);
}

// ---- small pictures in the terminal
// --------------------------------------------------------------

enum { CELLS = 24, PICTURES_PER_ROW = 3, MAX_PICTURES = 30 };

// The mean colour of a cell of a picture shown with `side` cells across.
static void cell_color(const Dataset *data, const uint8_t *pixels, int side, int x, int y,
                       int rgb[3])
{
    int top = y * data->height / side, bottom = (y + 1) * data->height / side;
    int left = x * data->width / side, right = (x + 1) * data->width / side;
    for (int c = 0; c < 3; c++) {
        const uint8_t *plane =
            pixels + (size_t)(c % data->channels) * (size_t)data->height * (size_t)data->width;
        int sum = 0, n = 0;
        for (int i = top; i < (bottom > top ? bottom : top + 1); i++)
            for (int j = left; j < (right > left ? right : left + 1); j++, n++)
                sum += plane[(size_t)i * (size_t)data->width + (size_t)j];
        rgb[c] = sum / n;
    }
}

// One line of cells is half a line of text: the upper half block has two colours.
static void print_cells(const Dataset *data, const uint8_t *pixels, int y)
{
    for (int x = 0; x < CELLS; x++) {
        int upper[3], lower[3];
        cell_color(data, pixels, CELLS, x, y, upper);
        cell_color(data, pixels, CELLS, x, y + 1, lower);
        printf("\033[38;2;%d;%d;%dm\033[48;2;%d;%d;%dm\u2580", upper[0], upper[1], upper[2],
               lower[0], lower[1], lower[2]);
    }
    printf("\033[0m ");
}

static const uint8_t *first_of_class(const Dataset *data, const Images *images, int label)
{
    size_t bytes = (size_t)data->channels * (size_t)data->height * (size_t)data->width;
    for (int i = 0; i < images->count; i++)
        if (images->labels[i] == label)
            return images->pixels + (size_t)i * bytes;
    return NULL;
}

// The first image of each class, three side by side.
static void print_preview(const Dataset *data, const Images *images)
{
    int classes = data->classes < MAX_PICTURES ? data->classes : MAX_PICTURES;
    const uint8_t *shown[MAX_PICTURES];
    int n = 0;
    for (int c = 0; c < classes; c++)
        if ((shown[n] = first_of_class(data, images, c)))
            n++;
    putchar('\n');
    for (int first = 0; first < n; first += PICTURES_PER_ROW) {
        int last = first + PICTURES_PER_ROW < n ? first + PICTURES_PER_ROW : n;
        for (int y = 0; y < CELLS; y += 2, putchar('\n'))
            for (int i = first; i < last; i++)
                print_cells(data, shown[i], y);
        putchar('\n');
    }
}

// ---- the command
// ---------------------------------------------------------------------------------

// "32" or "24x40" (height x width).
static void size_parse(const Command *command, const char *text, DataShape *shape)
{
    char rest;
    bool is_digits = text[strspn(text, "0123456789x")] == '\0';
    int count = sscanf(text, "%6dx%6d%c", &shape->height, &shape->width, &rest);
    if (count == 1 && !strchr(text, 'x'))
        shape->width = shape->height;
    else if (count != 2)
        is_digits = false;
    if (!is_digits || shape->height < 1 || shape->width < 1)
        command_usage(command, "--size must be N or HxW with sides from 1, got \"%s\"", text);
}

static bool size_check(const Dataset *data, DataShape shape, Err *err)
{
    if (!shape.height || (shape.height == data->height && shape.width == data->width))
        return true;
    return err_input(err, "the images of %s have %dx%d; --size is for shapes and images",
                     data->kind, data->height, data->width);
}

typedef struct {
    const char *export, *size, *pictures;
    int split;
    bool is_json, has_preview;
} DataOptions;

static bool show(const char *spec, DataShape shape, const DataOptions *options, Err *err)
{
    Dataset *data = dataset_open(spec, shape, err);
    if (!data)
        return false;
    Split split = options->split == 0 ? SPLIT_TRAIN : SPLIT_TEST;
    bool is_done = size_check(data, shape, err) &&
                   (!options->export || dataset_export(data, split, options->export, err)) &&
                   (!options->pictures || dataset_write_pictures(data, options->pictures, err));
    bool is_stdout_taken = options->export && strcmp(options->export, "-") == 0;
    if (is_done && !is_stdout_taken) {
        ClassCounts count = {classes_count(&data->train, data->classes),
                             classes_count(&data->test, data->classes)};
        (options->is_json ? print_json : print_table)(data, &count);
        if (options->has_preview)
            print_preview(data, split == SPLIT_TRAIN ? &data->train : &data->test);
        free(count.train);
        free(count.test);
    }
    dataset_close(data);
    return is_done;
}

static const char spec_help[] =
    "SPEC names a data set:\n\n"
    "shapes[:KEY=VALUE,...] - built in: coloured shapes, drawn the same everywhere; options "
    "size=32, classes=10 (at most 20), train=4000, test=1000, channels=3, seed=0, noise=0.06, "
    "distractors=6\n\n"
    "cifar10:DIR, cifar100:DIR - the binary version: data_batch_*.bin and test_batch.bin; "
    "train.bin and test.bin\n\n"
    "idx:DIR - the MNIST family: train-images-idx3-ubyte and the other three, plain or .gz; "
    "option classes=10\n\n"
    "images:DIR - train/CLASS/*.jpg or *.png, and val/ (or test/) likewise; every picture is "
    "scaled and its middle cut out; options size=N or HxW, channels=3\n\n"
    "Behind any: \":limit=N\", a part of N training images with the same share of each class.";

static const char examples[] =
    "nago data shapes --preview\n    Shows one picture of each class.\n"
    "nago data cifar10:cifar-10-batches-bin --split test --export test.bin\n"
    "    Writes the test images as records, which a generated program reads.";

int cmd_data(int argc, char **argv)
{
    static const char *const splits[] = {"train", "test", NULL};
    DataOptions chosen = {0};
    const Option options[] = {
        OPTION_STRING("export", 'o', "FILE", &chosen.export,
                      "write records: a label byte, then the pixel bytes"),
        OPTION_CHOICE("split", 0, "SPLIT", &chosen.split, splits,
                      "the part that --export and --preview take"),
        OPTION_STRING("pictures", 0, "DIR", &chosen.pictures,
                      "write both parts as PNG files, DIR/train/CLASS/*.png and DIR/test/..."),
        OPTION_STRING("size", 0, "N|HxW", &chosen.size,
                      "height and width, where they are free (shapes, images)"),
        OPTION_FLAG("json", 0, &chosen.is_json, "print JSON"),
        OPTION_FLAG("preview", 0, &chosen.has_preview,
                    "show a picture of each class in the terminal"),
        OPTION_END,
    };
    const Command command = {
        .name = "nago data",
        .summary = "show or export a data set",
        .synopsis = "[OPTION]... SPEC",
        .description = spec_help,
        .examples = examples,
        .see_also = "nago(1), nago-train(1)",
        .options = options,
        .min_operands = 1,
        .max_operands = 1,
    };
    int count;
    char **operands = command_parse(&command, argc, argv, &count);
    DataShape shape = {0, 0, 0};
    if (chosen.size)
        size_parse(&command, chosen.size, &shape);
    if (chosen.is_json && chosen.has_preview)
        command_usage(&command, "--json and --preview do not go together");
    Err err = {0};
    if (!show(operands[0], shape, &chosen, &err))
        return command_fail(&command, &err);
    return EXIT_DONE;
}
