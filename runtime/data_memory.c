// data_memory.c - memory for images, and which of them a stratified part keeps.
//
// A stratified part of `want` out of `count` labels: class c with n_c images gets
// floor(n_c * want / count), the rest goes to the largest remainders; within a class the images are
// drawn.  So every class keeps its share to within one image.
#include "data_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_CLASS_NAME = 200 };

size_t image_bytes(const Dataset *data)
{
    return (size_t)data->channels * (size_t)data->height * (size_t)data->width;
}

// Refuses before the kernel starts to kill: nine tenths of the machine's memory are the limit.
static bool memory_check(double bytes, int64_t count, const Dataset *data, Err *err)
{
    double pages = (double)sysconf(_SC_PHYS_PAGES), page = (double)sysconf(_SC_PAGESIZE);
    double machine = pages > 0 && page > 0 ? pages * page : 1e18;
    if (count <= INT32_MAX && bytes < 0.9 * machine && bytes < (double)(SIZE_MAX / 2))
        return true;
    return err_input(err,
                     "%s: %lld images of %dx%dx%d need %.1f GB, this machine has %.1f GB\n"
                     "  hint: take a part of them with :limit=N, or smaller images",
                     data->kind, (long long)count, data->channels, data->height, data->width,
                     bytes / 1e9, machine / 1e9);
}

bool images_reserve(Images *images, int64_t count, const Dataset *data, Err *err)
{
    double bytes = (double)count * (double)(image_bytes(data) + sizeof(int32_t));
    if (!memory_check(bytes, count, data, err))
        return false;
    size_t n = count > 0 ? (size_t)count : 1;
    uint8_t *pixels = realloc(images->pixels, n * image_bytes(data));
    if (pixels)
        images->pixels = pixels;
    int32_t *labels = realloc(images->labels, n * sizeof *labels);
    if (labels)
        images->labels = labels;
    if (!pixels || !labels)
        return err_run(err, "%s: out of memory: %.1f GB for %lld images", data->kind, bytes / 1e9,
                       (long long)count);
    return true;
}

void images_free(Images *images)
{
    free(images->pixels);
    free(images->labels);
    *images = (Images){0};
}

void images_keep(Images *images, const Dataset *data, const uint32_t *indices, int count)
{
    size_t bytes = image_bytes(data);
    for (int i = 0; i < count; i++) {
        memmove(images->pixels + (size_t)i * bytes, images->pixels + indices[i] * bytes, bytes);
        images->labels[i] = images->labels[indices[i]];
    }
    images->count = count;
    Err ignored = {0}; // giving memory back cannot fail in a way that matters
    images_reserve(images, count, data, &ignored);
}

typedef struct {
    int label;
    int64_t remainder;
} Share;

static int share_compare(const void *a, const void *b)
{
    const Share *left = a, *right = b;
    if (left->remainder != right->remainder)
        return left->remainder > right->remainder ? -1 : 1;
    return (left->label > right->label) - (left->label < right->label);
}

// quota[c] out of class_count[c], summing to `want`.
static void quotas_fill(const int *class_count, int classes, int count, int want, int *quota)
{
    Share *shares = xcalloc((size_t)classes, sizeof *shares);
    int given = 0;
    for (int c = 0; c < classes; c++) {
        int64_t product = (int64_t)class_count[c] * want;
        quota[c] = (int)(product / count);
        shares[c] = (Share){c, product % count};
        given += quota[c];
    }
    qsort(shares, (size_t)classes, sizeof *shares, share_compare);
    for (int i = 0; given < want; i++, given++)
        quota[shares[i].label]++;
    free(shares);
}

uint32_t *stratified_pick(const int32_t *labels, int count, int classes, int want, Random *random)
{
    uint32_t *picked = xcalloc((size_t)want + 1, sizeof *picked);
    if (want <= 0)
        return picked;
    int *class_count = xcalloc((size_t)classes, sizeof *class_count);
    int *quota = xcalloc((size_t)classes, sizeof *quota);
    uint32_t *order = xcalloc((size_t)count, sizeof *order);
    for (int i = 0; i < count; i++) {
        class_count[labels[i]]++;
        order[i] = (uint32_t)i;
    }
    quotas_fill(class_count, classes, count, want, quota);
    // In a shuffled order the first of each class are its drawn ones.
    random_shuffle(random, order, (size_t)count);
    bool *is_picked = xcalloc((size_t)count, sizeof *is_picked);
    for (int i = 0; i < count; i++)
        if (quota[labels[order[i]]]-- > 0)
            is_picked[order[i]] = true;
    for (int i = 0, n = 0; i < count; i++)
        if (is_picked[i])
            picked[n++] = (uint32_t)i;
    free(is_picked);
    free(order);
    free(quota);
    free(class_count);
    return picked;
}

void limit_counts(int limit, int n_train, int n_test, int *keep_train, int *keep_test)
{
    *keep_train = n_train;
    *keep_test = n_test;
    if (limit == 0 || limit >= n_train)
        return;
    *keep_train = limit;
    if (n_test > limit) {
        int64_t share = (int64_t)n_test * limit / n_train;
        *keep_test = share > 0 ? (int)share : 1;
    }
}

// Length of the UTF-8 sequence at `text`, 0 if it is none (overlong, surrogate, beyond U+10FFFF).
static size_t utf8_length(const unsigned char *text, size_t left)
{
    size_t length = text[0] < 0x80 ? 1 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
    if (length == 1)
        return 1;
    if (text[0] < 0xC2 || text[0] > 0xF4 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    if ((text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) ||
        (text[0] == 0xF0 && text[1] < 0x90) || (text[0] == 0xF4 && text[1] > 0x8F))
        return 0;
    return length;
}

bool class_name_check(const char *name, size_t length, const char *where, Err *err)
{
    if (length == 0 || length > MAX_CLASS_NAME)
        return err_input(err, "%s: error: a class name must have 1 to %d bytes, this one has %zu",
                         where, MAX_CLASS_NAME, length);
    const unsigned char *bytes = (const unsigned char *)name;
    for (size_t i = 0; i < length;) {
        size_t step = utf8_length(bytes + i, length - i);
        if (step == 0 || bytes[i] < 0x20 || bytes[i] == 0x7F)
            return err_input(
                err,
                "%s: error: byte %zu of a class name is 0x%02x: names must be UTF-8 without "
                "control characters",
                where, i + 1, bytes[i]);
        i += step;
    }
    return true;
}

const char **class_numbers(int classes, Pool *pool)
{
    const char **names = pool_alloc(pool, (size_t)classes * sizeof *names);
    for (int i = 0; i < classes; i++)
        names[i] = pool_printf(pool, "%d", i);
    return names;
}

bool file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

bool folder_check(const char *folder, const char *expected, Err *err)
{
    struct stat status;
    if (stat(folder, &status) != 0)
        return err_input(err, "%s: error: %s\n  hint: expected there: %s", folder, strerror(errno),
                         expected);
    if (!S_ISDIR(status.st_mode))
        return err_input(err,
                         "%s: error: this is a file, not a folder\n  hint: give the folder with %s",
                         folder, expected);
    return true;
}
