// data_cifar.c - CIFAR-10 and CIFAR-100 in the official binary form.
//
//     cifar10   record: label byte,              3072 pixel bytes (3 planes of 32x32)
//     cifar100  record: coarse byte, fine byte,  3072 pixel bytes; the fine label is the class
//
// Source: Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html ("binary version").
#define _GNU_SOURCE
#include "data_source.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CIFAR_PIXELS = 3 * 32 * 32, COARSE_CLASSES = 20 };

bool cifar_check(const char *path, const char *bytes, size_t size, CifarFormat format, int *count,
                 Err *err)
{
    size_t record = (size_t)format.label_bytes + CIFAR_PIXELS, n = size / record;
    if (size == 0)
        return err_input(err, "%s: error: empty file: expected records of %zu bytes", path, record);
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < format.label_bytes; k++) {
            size_t at = i * record + (size_t)k;
            int label = (unsigned char)bytes[at];
            bool is_coarse = k < format.label_bytes - 1;
            int classes = is_coarse ? COARSE_CLASSES : format.classes;
            if (label >= classes)
                return err_input(
                    err,
                    "%s: error: record %zu (byte %zu): %slabel %d is not one of 0..%d\n"
                    "  hint: is this a cifar%d file? its records have %zu bytes",
                    path, i + 1, at, is_coarse ? "coarse " : "", label, classes - 1, format.classes,
                    record);
        }
    }
    if (size % record)
        return err_input(err,
                         "%s: error: truncated: record %zu (byte %zu) has %zu of %zu bytes\n"
                         "  hint: is this a cifar%d file, and did its download finish?",
                         path, n + 1, n * record, size % record, record, format.classes);
    *count = (int)n;
    return true;
}

void cifar_append(const char *bytes, int count, CifarFormat format, Images *images)
{
    size_t labels = (size_t)format.label_bytes;
    for (int i = 0; i < count; i++, bytes += labels + CIFAR_PIXELS) {
        images->labels[images->count] = (unsigned char)bytes[labels - 1];
        memcpy(images->pixels + (size_t)images->count * CIFAR_PIXELS, bytes + labels, CIFAR_PIXELS);
        images->count++;
    }
}

static bool file_append(const char *path, CifarFormat format, const Dataset *data, Images *images,
                        Err *err)
{
    char *bytes;
    size_t size;
    int count;
    if (!file_read(path, MAX_DATA_FILE, &bytes, &size, err))
        return false;
    bool is_done = cifar_check(path, bytes, size, format, &count, err) &&
                   images_reserve(images, (int64_t)images->count + count, data, err);
    if (is_done)
        cifar_append(bytes, count, format, images);
    free(bytes);
    return is_done;
}

// One name a line; empty lines at the end (the official file has one) do not count.
static bool names_parse(const char *path, char *text, Dataset *data, Err *err)
{
    int count = 0, line = 0;
    for (char *rest = text, *name; (name = strsep(&rest, "\n"));) {
        line++;
        size_t length = strcspn(name, "\r");
        name[length] = '\0';
        if (length == 0)
            continue;
        char where[PATH_MAX + 32];
        snprintf(where, sizeof where, "%s:%d", path, line);
        if (!class_name_check(name, length, where, err))
            return false;
        if (count < data->classes)
            data->class_names[count] = pool_strdup(data->pool, name);
        count++;
    }
    if (count != data->classes)
        return err_input(err, "%s: error: %d class names, expected %d", path, count, data->classes);
    return true;
}

static bool names_read(const char *path, Dataset *data, Err *err)
{
    data->class_names = class_numbers(data->classes, data->pool);
    if (!file_exists(path))
        return true;
    char *text;
    size_t size;
    if (!file_read(path, 1 << 20, &text, &size, err))
        return false;
    bool is_done =
        strlen(text) == size
            ? names_parse(path, text, data, err)
            : err_input(err, "%s: error: byte %zu is zero: this is no text", path, strlen(text));
    free(text);
    return is_done;
}

// The number in data_batch_NUMBER.bin, -1 for another name.
static int batch_number(const char *name)
{
    int number;
    char again[32];
    if (sscanf(name, "data_batch_%8d.bin", &number) != 1 || number < 0)
        return -1;
    snprintf(again, sizeof again, "data_batch_%d.bin", number);
    return strcmp(again, name) == 0 ? number : -1;
}

static int int_compare(const void *a, const void *b)
{
    const int *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

enum { MAX_BATCHES = 1000 };

// The numbers of all data_batch_*.bin in a folder, ascending.
static bool batches_find(const char *folder, int *numbers, int *count, Err *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return err_input(err, "%s: error: %s", folder, strerror(errno));
    *count = 0;
    for (struct dirent *entry; (entry = readdir(dir)) && *count < MAX_BATCHES;) {
        int number = batch_number(entry->d_name);
        if (number >= 0)
            numbers[(*count)++] = number;
    }
    closedir(dir);
    qsort(numbers, (size_t)*count, sizeof *numbers, int_compare);
    return true;
}

// Why nothing may be where the user points: the folder above, or the Python version of the set.
static bool missing_error(const DataSpec *spec, const char *expected, Pool *pool, Err *err)
{
    bool is_ten = strcmp(spec->kind, "cifar10") == 0;
    const char *inner = is_ten ? "cifar-10-batches-bin" : "cifar-100-binary";
    const char *below = pool_printf(pool, "%s/%s", spec->folder, inner);
    if (file_exists(below))
        return err_input(err, "%s: error: no %s here\n  hint: did you mean %s:%s?", spec->folder,
                         expected, spec->kind, below);
    const char *python =
        pool_printf(pool, "%s/%s", spec->folder, is_ten ? "data_batch_1" : "train");
    if (file_exists(python))
        return err_input(err,
                         "%s: error: no %s here, but the Python version of the data set\n"
                         "  hint: get the binary version, cifar-%s-binary.tar.gz",
                         spec->folder, expected, is_ten ? "10" : "100");
    return err_input(
        err, "%s: error: no %s here\n  hint: unpack cifar-%s-binary.tar.gz and give its folder",
        spec->folder, expected, is_ten ? "10" : "100");
}

static bool ten_read(const DataSpec *spec, CifarFormat format, Dataset *data, Err *err)
{
    int *numbers = pool_alloc(data->pool, MAX_BATCHES * sizeof *numbers), count = 0;
    if (!batches_find(spec->folder, numbers, &count, err))
        return false;
    if (count == 0)
        return missing_error(spec, "data_batch_*.bin", data->pool, err);
    for (int i = 0; i < count; i++) {
        const char *path =
            pool_printf(data->pool, "%s/data_batch_%d.bin", spec->folder, numbers[i]);
        if (!file_append(path, format, data, &data->train, err))
            return false;
    }
    return true;
}

static bool hundred_read(const DataSpec *spec, CifarFormat format, Dataset *data, Err *err)
{
    const char *path = pool_printf(data->pool, "%s/train.bin", spec->folder);
    if (!file_exists(path))
        return missing_error(spec, "train.bin", data->pool, err);
    return file_append(path, format, data, &data->train, err);
}

bool cifar_open(const DataSpec *spec, DataShape shape, Dataset *data, Err *err)
{
    (void)shape; // the files have one size
    bool is_ten = strcmp(spec->kind, "cifar10") == 0;
    CifarFormat format = is_ten ? (CifarFormat){1, 10} : (CifarFormat){2, 100};
    data->channels = 3;
    data->height = data->width = 32;
    data->classes = format.classes;
    if (!folder_check(spec->folder,
                      is_ten ? "data_batch_1.bin ... and test_batch.bin, the binary version"
                             : "train.bin and test.bin, the binary version",
                      err))
        return false;
    if (!(is_ten ? ten_read : hundred_read)(spec, format, data, err))
        return false;
    const char *test = is_ten ? "test_batch.bin" : "test.bin";
    const char *path = pool_printf(data->pool, "%s/%s", spec->folder, test);
    if (!file_exists(path))
        return missing_error(spec, test, data->pool, err);
    const char *names = is_ten ? "batches.meta.txt" : "fine_label_names.txt";
    return file_append(path, format, data, &data->test, err) &&
           names_read(pool_printf(data->pool, "%s/%s", spec->folder, names), data, err);
}
