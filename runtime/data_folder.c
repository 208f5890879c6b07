// data_folder.c - folders of JPEG and PNG files, a folder per class.
//
//     DIR/train/cat/1.jpg     classes: the folders of train/, sorted by name
//     DIR/val/cat/7.png       held out: val/, where it is missing test/; its classes are train's
//
// The files are listed, a limit is applied, and only then they are decoded.  What a file holds is
// told by its first bytes, not by its name; hidden files and other names are passed over.
#define _GNU_SOURCE
#include "data_source.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_FOLDER_CLASSES = 65536, DEFAULT_SIDE = 224, MAX_OWN_SIDE = 256 };
#define MAX_IMAGE_FILE ((size_t)256 << 20)

// Names that live in the data set's pool.
typedef struct {
    const char **names;
    size_t count, capacity;
} Names;

typedef struct {
    Names paths;
    int32_t *labels; // malloc'ed
    int count;
} FileList;

static void names_add(Names *list, const char *name, Pool *pool)
{
    if (list->count == list->capacity)
        list->names = pool_grow(pool, list->names, list->count, list->count + 1, &list->capacity,
                                sizeof *list->names);
    list->names[list->count++] = name;
}

static int name_compare(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_picture_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 ||
                   strcasecmp(dot, ".png") == 0);
}

// Is the entry a folder, or else a file?  A link to nothing passes for a file, so that reading it
// says what is wrong; a pipe does not, so that nothing waits for it.
static bool is_kind(DIR *dir, const char *name, bool folder)
{
    struct stat status;
    if (fstatat(dirfd(dir), name, &status, 0) != 0)
        return !folder;
    return folder ? S_ISDIR(status.st_mode) : S_ISREG(status.st_mode);
}

// Visible entries of a folder, sorted: folders, or files with a picture's name.
static bool folder_list(const char *folder, bool folders, Names *list, Pool *pool, Err *err)
{
    *list = (Names){0};
    DIR *dir = opendir(folder);
    if (!dir)
        return err_input(err, "%s: error: cannot open: %s", folder, strerror(errno));
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (name[0] != '.' && (folders || is_picture_name(name)) && is_kind(dir, name, folders))
            names_add(list, pool_strdup(pool, name), pool);
    }
    closedir(dir);
    if (list->count)
        qsort(list->names, list->count, sizeof *list->names, name_compare);
    return true;
}

static bool classes_find(const char *folder, Dataset *data, Err *err)
{
    Names classes;
    if (!folder_list(folder, true, &classes, data->pool, err))
        return false;
    if (classes.count < 2 || classes.count > MAX_FOLDER_CLASSES)
        return err_input(err,
                         "%s: error: %zu folders here, expected one per class (2 to %d)\n"
                         "  hint: DIR/train/CLASS/*.jpg or *.png",
                         folder, classes.count, MAX_FOLDER_CLASSES);
    for (size_t i = 0; i < classes.count; i++)
        if (!class_name_check(classes.names[i], strlen(classes.names[i]), folder, err))
            return false;
    data->classes = (int)classes.count;
    data->class_names = classes.names;
    return true;
}

static bool class_append(const char *folder, int label, FileList *files, Pool *pool, Err *err)
{
    Names names;
    if (!folder_list(folder, false, &names, pool, err))
        return false;
    if (names.count == 0)
        return err_input(err, "%s: error: no .jpg, .jpeg or .png file in this class", folder);
    if (names.count > (size_t)(INT32_MAX - files->count))
        return err_input(err, "%s: error: too many files", folder);
    int32_t *labels = xmalloc(((size_t)files->count + names.count) * sizeof *labels);
    if (files->count)
        memcpy(labels, files->labels, (size_t)files->count * sizeof *labels);
    free(files->labels);
    files->labels = labels;
    for (size_t i = 0; i < names.count; i++) {
        names_add(&files->paths, pool_printf(pool, "%s/%s", folder, names.names[i]), pool);
        files->labels[files->count++] = label;
    }
    return true;
}

static int class_label(const Dataset *data, const char *name)
{
    const char **found = bsearch(&name, data->class_names, (size_t)data->classes,
                                 sizeof *data->class_names, name_compare);
    return found ? (int)(found - data->class_names) : -1;
}

// Lists the files of one split, class by class.
static bool split_list(const char *folder, const Dataset *data, FileList *files, Err *err)
{
    Names classes;
    if (!folder_list(folder, true, &classes, data->pool, err))
        return false;
    if (classes.count == 0)
        return err_input(err, "%s: error: no folder per class here", folder);
    for (size_t i = 0; i < classes.count; i++) {
        const char *name = classes.names[i];
        const char *path = pool_printf(data->pool, "%s/%s", folder, name);
        int label = class_label(data, name);
        if (label < 0) {
            const char *near = nearest_word(name, data->class_names, (size_t)data->classes);
            return err_input(err, "%s: error: train/ has no class of this name%s%s%s", path,
                             near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        }
        if (!class_append(path, label, files, data->pool, err))
            return false;
    }
    return true;
}

static void list_limit(FileList *files, const Dataset *data, int keep, Split split)
{
    if (keep >= files->count)
        return;
    Random random = random_stream(0, "limit", split, 0);
    uint32_t *indices = stratified_pick(files->labels, files->count, data->classes, keep, &random);
    for (int i = 0; i < keep; i++) {
        files->paths.names[i] = files->paths.names[indices[i]];
        files->labels[i] = files->labels[indices[i]];
    }
    files->count = keep;
    free(indices);
}

// The shape of the first file, where it is small; photographs become 224x224.
static bool own_shape(const char *path, DataShape *shape, Err *err)
{
    char *bytes;
    size_t size;
    int width, height;
    if (!file_read(path, MAX_IMAGE_FILE, &bytes, &size, err))
        return false;
    bool is_done = picture_size(path, bytes, size, &width, &height, err);
    free(bytes);
    if (!is_done)
        return false;
    bool is_small = width <= MAX_OWN_SIDE && height <= MAX_OWN_SIDE;
    if (!shape->height)
        shape->height = is_small ? height : DEFAULT_SIDE;
    if (!shape->width)
        shape->width = is_small ? width : DEFAULT_SIDE;
    if (!shape->channels)
        shape->channels = 3;
    return true;
}

static bool file_decode(const char *path, const Dataset *data, uint8_t *out, Err *err)
{
    char *bytes;
    size_t size;
    Picture picture;
    if (!file_read(path, MAX_IMAGE_FILE, &bytes, &size, err))
        return false;
    bool is_done = picture_decode(path, bytes, size, data->height, data->width, MAX_DECODED_PIXELS,
                                  &picture, err);
    free(bytes);
    if (!is_done)
        return false;
    picture_fit(&picture, data->channels, data->height, data->width, out);
    free(picture.rgb);
    return true;
}

static bool files_decode(const FileList *files, const Dataset *data, Images *images, Err *err)
{
    if (!images_reserve(images, files->count, data, err))
        return false;
    for (int i = 0; i < files->count; i++) {
        if (!file_decode(files->paths.names[i], data,
                         images->pixels + (size_t)i * image_bytes(data), err))
            return false;
        images->labels[i] = files->labels[i];
        images->count++;
    }
    return true;
}

static const char *held_out_folder(const DataSpec *spec, Pool *pool, Err *err)
{
    const char *val = pool_printf(pool, "%s/val", spec->folder);
    const char *test = pool_printf(pool, "%s/test", spec->folder);
    if (is_folder(val))
        return val;
    if (is_folder(test))
        return test;
    err_input(err,
              "%s: error: neither val/ nor test/ here\n  hint: the held-out images lie in "
              "DIR/val/CLASS/ or DIR/test/CLASS/",
              spec->folder);
    return NULL;
}

static bool splits_read(const DataSpec *spec, DataShape shape, FileList *train, FileList *test,
                        Dataset *data, Err *err)
{
    const char *train_folder = pool_printf(data->pool, "%s/train", spec->folder);
    const char *test_folder = held_out_folder(spec, data->pool, err);
    if (!test_folder || !folder_check(train_folder, "a folder of images per class", err) ||
        !classes_find(train_folder, data, err) || !split_list(train_folder, data, train, err) ||
        !split_list(test_folder, data, test, err))
        return false;
    int keep_train, keep_test;
    limit_counts(spec->limit, train->count, test->count, &keep_train, &keep_test);
    list_limit(train, data, keep_train, SPLIT_TRAIN);
    list_limit(test, data, keep_test, SPLIT_TEST);
    bool is_given = shape.channels && shape.height && shape.width;
    if (!is_given && !own_shape(train->paths.names[0], &shape, err))
        return false;
    data->channels = shape.channels;
    data->height = shape.height;
    data->width = shape.width;
    return files_decode(train, data, &data->train, err) &&
           files_decode(test, data, &data->test, err);
}

bool folder_open(const DataSpec *spec, DataShape shape, Dataset *data, Err *err)
{
    if (!spec_shape(spec, 1, MAX_IMAGE_SIDE, &shape, err) ||
        !folder_check(spec->folder, "train/CLASS/*.jpg or *.png, and val/ or test/ likewise", err))
        return false;
    FileList train = {0}, test = {0};
    bool is_done = splits_read(spec, shape, &train, &test, data, err);
    free(train.labels);
    free(test.labels);
    return is_done;
}
