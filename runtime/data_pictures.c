// data_pictures.c - a data set as a folder of PNG files, as `images:DIR` reads them:
// DIR/train/CLASS/000001.png and DIR/test/CLASS/...
#include "data.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>

// A class as the name of a folder: no slash, no dot in front.
static char *folder_name(const char *class_name, Pool *pool)
{
    char *name = pool_strdup(pool, *class_name ? class_name : "_");
    for (char *c = name; *c; c++)
        if (*c == '/' || (c == name && *c == '.'))
            *c = '_';
    return name;
}

static bool picture_write(const Dataset *data, const uint8_t *planes, const char *path, Err *err)
{
    const size_t size = (size_t)data->height * (size_t)data->width, n = (size_t)data->channels;
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)data->width,
                       .height = (png_uint_32)data->height,
                       .format = n == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
    uint8_t *pixels = xmalloc(size * n);
    for (size_t i = 0; i < size * n; i++)
        pixels[i] = planes[i % n * size + i / n];
    png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
    uint8_t *file = xmalloc(bytes);
    bool done = png_image_write_to_memory(&image, file, &bytes, 0, pixels, 0, NULL) != 0 ||
                err_run(err, "%s: libpng: %s", path, image.message);
    done = done && file_write(path, file, bytes, err);
    free(file);
    free(pixels);
    return done;
}

static bool split_write(const Dataset *data, const Images *images, const char *folder, Err *err)
{
    const size_t bytes = (size_t)data->channels * (size_t)data->height * (size_t)data->width;
    Pool *pool = pool_new();
    bool done = true;
    for (int k = 0; done && k < data->classes; k++)
        done = folder_make(
            pool_printf(pool, "%s/%s", folder, folder_name(data->class_names[k], pool)), err);
    for (int i = 0; done && i < images->count; i++)
        done = picture_write(data, images->pixels + (size_t)i * bytes,
                             pool_printf(pool, "%s/%s/%06d.png", folder,
                                         folder_name(data->class_names[images->labels[i]], pool),
                                         i + 1),
                             err);
    pool_free(pool);
    return done;
}

bool dataset_write_pictures(const Dataset *data, const char *folder, Err *err)
{
    if (data->channels != 1 && data->channels != 3)
        return err_input(err, "%s: images of %d channels are no pictures", data->kind,
                         data->channels);
    Pool *pool = pool_new();
    const bool done = split_write(data, &data->train, pool_printf(pool, "%s/train", folder), err) &&
                      split_write(data, &data->test, pool_printf(pool, "%s/test", folder), err);
    pool_free(pool);
    return done;
}
