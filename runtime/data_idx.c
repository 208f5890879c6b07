// data_idx.c - the MNIST family: idx files of unsigned bytes, plain or packed with gzip.
//
//     bytes 0..3   0 0 8 rank       8: unsigned bytes
//     then         `rank` big-endian 32-bit sizes: images, rows, columns
//     then         the bytes, rows first
//
// Source: http://yann.lecun.com/exdb/mnist/ ("The IDX file format").
#include "data_source.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { DEFAULT_CLASSES = 10, MAX_CLASSES = 256 };

static uint32_t big_endian(const char *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static bool header_check(const char *path, const char *bytes, size_t size, int rank, Err *err)
{
    size_t header = 4 + 4 * (size_t)rank;
    if (size < header)
        return err_input(err, "%s: error: truncated: %zu bytes, and the idx header alone has %zu",
                         path, size, header);
    uint32_t magic = big_endian(bytes);
    if (magic != 0x800u + (uint32_t)rank)
        return err_input(
            err,
            "%s: error: byte 0: magic number 0x%08x, expected 0x%08x (idx, unsigned bytes, "
            "rank %d)\n  hint: images are rank 3, labels rank 1",
            path, magic, 0x800u + (uint32_t)rank, rank);
    return true;
}

bool idx_parse(const char *path, const char *bytes, size_t size, int rank, IdxFile *file, Err *err)
{
    size_t header = 4 + 4 * (size_t)rank;
    if (!header_check(path, bytes, size, rank, err))
        return false;
    uint32_t count = big_endian(bytes + 4);
    uint32_t height = rank == 3 ? big_endian(bytes + 8) : 1;
    uint32_t width = rank == 3 ? big_endian(bytes + 12) : 1;
    if (count == 0)
        return err_input(err, "%s: error: byte 4: the file holds no items", path);
    if (height == 0 || width == 0 || height > MAX_IMAGE_SIDE || width > MAX_IMAGE_SIDE)
        return err_input(err, "%s: error: byte 8: images of %ux%u; sides must lie in [1, %d]", path,
                         height, width, MAX_IMAGE_SIDE);
    uint64_t item = (uint64_t)height * width, expected = item * count;
    if (size - header < expected)
        return err_input(
            err,
            "%s: error: truncated: the header says %u items of %llu bytes, item %llu ends "
            "behind the last byte (%zu)",
            path, count, (unsigned long long)item, (unsigned long long)((size - header) / item + 1),
            size);
    if (size - header > expected)
        return err_input(err, "%s: error: byte %llu: %llu bytes too many behind the %u items", path,
                         (unsigned long long)(header + expected),
                         (unsigned long long)(size - header - expected), count);
    if (count > INT32_MAX)
        return err_input(err, "%s: error: byte 4: %u items are too many", path, count);
    *file = (IdxFile){(int)count, (int)height, (int)width, (const uint8_t *)bytes + header};
    return true;
}

// ---- gzip
// -----------------------------------------------------------------------------------------

static bool is_gzip(const char *bytes, size_t size)
{
    return size >= 2 && (unsigned char)bytes[0] == 0x1f && (unsigned char)bytes[1] == 0x8b;
}

static void output_grow(z_stream *stream, char **out, size_t *capacity, size_t max_bytes)
{
    size_t used = *capacity - stream->avail_out;
    size_t wanted = *capacity * 2 < max_bytes ? *capacity * 2 : max_bytes;
    char *larger = xmalloc(wanted + 1);
    memcpy(larger, *out, used);
    free(*out);
    *out = larger;
    *capacity = wanted;
    stream->next_out = (unsigned char *)larger + used;
    stream->avail_out = (unsigned)(wanted - used);
}

// Unpacks all members into *out, which grows; false with a message on any damage.
static bool members_inflate(const char *path, z_stream *stream, size_t size, size_t max_bytes,
                            char **out, size_t *capacity, Err *err)
{
    for (;;) {
        int status = inflate(stream, Z_NO_FLUSH);
        size_t at = size - stream->avail_in;
        if (status == Z_STREAM_END) {
            if (!is_gzip((const char *)stream->next_in, stream->avail_in))
                return true; // the end, or padding
            if (inflateReset(stream) != Z_OK)
                return err_run(err, "%s: error: zlib: cannot start the next member", path);
        } else if (status != Z_OK && status != Z_BUF_ERROR) {
            return err_input(err, "%s: error: byte %zu: damaged gzip data (zlib: %s)", path, at,
                             stream->msg ? stream->msg : zError(status));
        } else if (stream->avail_out == 0) {
            if (*capacity >= max_bytes)
                return err_input(err, "%s: error: byte %zu: unpacks to more than %zu bytes", path,
                                 at, max_bytes);
            output_grow(stream, out, capacity, max_bytes);
        } else if (stream->avail_in == 0) {
            return err_input(err, "%s: error: truncated: the gzip data end early, at byte %zu",
                             path, at);
        }
    }
}

bool gzip_unpack(const char *path, const char *bytes, size_t size, size_t max_bytes, char **out,
                 size_t *out_size, Err *err)
{
    if (size > UINT32_MAX / 2 || max_bytes > UINT32_MAX / 2)
        return err_input(err, "%s: error: too large to unpack", path);
    size_t capacity = max_bytes < 65536 ? max_bytes : 65536;
    *out = xmalloc(capacity + 1);
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)bytes,
                       .avail_in = (unsigned)size,
                       .next_out = (unsigned char *)*out,
                       .avail_out = (unsigned)capacity};
    if (inflateInit2(&stream, 15 + 16) != Z_OK) {
        free(*out);
        return err_run(err, "%s: error: zlib does not start: %s", path,
                       stream.msg ? stream.msg : "memory");
    }
    bool is_done = members_inflate(path, &stream, size, max_bytes, out, &capacity, err);
    *out_size = capacity - stream.avail_out;
    inflateEnd(&stream);
    if (!is_done)
        free(*out);
    return is_done;
}

// ---- the four files
// -------------------------------------------------------------------------------

// "DIR/train-images-idx3-ubyte", also with a dot before idx and with .gz behind; NULL if none is
// there.
static const char *idx_path(const char *folder, const char *name, int rank, Pool *pool)
{
    for (int i = 0; i < 4; i++) {
        bool is_packed = i >= 2, has_dot = i % 2 == 1;
        const char *path = pool_printf(pool, "%s/%s%cidx%d-ubyte%s", folder, name,
                                       has_dot ? '.' : '-', rank, is_packed ? ".gz" : "");
        if (file_exists(path))
            return path;
    }
    return NULL;
}

// Reads and unpacks one file; *bytes is malloc'ed and file->data points into it.
static bool idx_read(const DataSpec *spec, const char *name, int rank, char **bytes, IdxFile *file,
                     const char **path, Dataset *data, Err *err)
{
    *bytes = NULL;
    *path = idx_path(spec->folder, name, rank, data->pool);
    if (!*path)
        return err_input(
            err,
            "%s: error: no %s-idx%d-ubyte here, plain or .gz\n  hint: the MNIST family has "
            "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte "
            "and t10k-labels-idx1-ubyte",
            spec->folder, name, rank);
    size_t size;
    if (!file_read(*path, MAX_DATA_FILE, bytes, &size, err)) {
        *bytes = NULL;
        return false;
    }
    if (size == 0)
        return err_input(err, "%s: error: empty file", *path);
    if (is_gzip(*bytes, size)) {
        char *packed = *bytes;
        *bytes = NULL;
        char *plain;
        bool is_done = gzip_unpack(*path, packed, size, MAX_DATA_FILE, &plain, &size, err);
        free(packed);
        if (!is_done)
            return false;
        *bytes = plain;
    }
    return idx_parse(*path, *bytes, size, rank, file, err);
}

static bool labels_copy(const char *path, const IdxFile *file, int classes, Images *images,
                        Err *err)
{
    for (int i = 0; i < file->count; i++) {
        if (file->data[i] >= classes)
            return err_input(
                err,
                "%s: error: record %d (byte %d of the plain file): label %d is not one of "
                "0..%d\n  hint: more classes are said with :classes=N",
                path, i + 1, i + 8, file->data[i], classes - 1);
        images->labels[i] = file->data[i];
    }
    return true;
}

static bool pair_join(const char *images_path, const IdxFile *pixels, const char *labels_path,
                      const IdxFile *labels, Dataset *data, Images *images, Err *err)
{
    if (pixels->count != labels->count)
        return err_input(err, "%s: error: %d labels for the %d images of %s", labels_path,
                         labels->count, pixels->count, images_path);
    if (data->height == 0) {
        data->height = pixels->height;
        data->width = pixels->width;
    }
    if (pixels->height != data->height || pixels->width != data->width)
        return err_input(err, "%s: error: images of %dx%d, but the training images have %dx%d",
                         images_path, pixels->height, pixels->width, data->height, data->width);
    if (!images_reserve(images, pixels->count, data, err) ||
        !labels_copy(labels_path, labels, data->classes, images, err))
        return false;
    images->count = pixels->count;
    memcpy(images->pixels, pixels->data, (size_t)pixels->count * image_bytes(data));
    return true;
}

static bool split_read(const DataSpec *spec, const char *prefix, Dataset *data, Images *images,
                       Err *err)
{
    char *image_file = NULL, *label_file = NULL;
    IdxFile pixels, labels;
    const char *images_path, *labels_path;
    const char *images_name = pool_printf(data->pool, "%s-images", prefix);
    const char *labels_name = pool_printf(data->pool, "%s-labels", prefix);
    bool is_done = idx_read(spec, images_name, 3, &image_file, &pixels, &images_path, data, err) &&
                   idx_read(spec, labels_name, 1, &label_file, &labels, &labels_path, data, err) &&
                   pair_join(images_path, &pixels, labels_path, &labels, data, images, err);
    free(image_file);
    free(label_file);
    return is_done;
}

bool idx_open(const DataSpec *spec, DataShape shape, Dataset *data, Err *err)
{
    (void)shape; // the files say it
    int64_t classes = DEFAULT_CLASSES;
    if (!spec_int(spec, "classes", 2, MAX_CLASSES, &classes, err) ||
        !folder_check(spec->folder, "train-images-idx3-ubyte and the other three, plain or .gz",
                      err))
        return false;
    data->channels = 1;
    data->classes = (int)classes;
    data->class_names = class_numbers(data->classes, data->pool);
    return split_read(spec, "train", data, &data->train, err) &&
           split_read(spec, "t10k", data, &data->test, err);
}
