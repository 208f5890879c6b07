// data_source.h - what the data sources share, inside the runtime: a parsed --data SPEC with typed
// options, memory for images, choosing a stratified part, and the parsers on bytes (which the
// fuzzers feed directly).
#ifndef NAGO_DATA_SOURCE_H
#define NAGO_DATA_SOURCE_H

#include "data.h"

enum { MAX_SPEC_OPTIONS = 16, MAX_IMAGE_SIDE = 1024 };
#define MAX_DATA_FILE ((size_t)1 << 30) // bytes of one file of records
#define MAX_DECODED_PIXELS (64LL << 20) // of one JPEG or PNG, before scaling

typedef struct {
    const char *key, *value;
} SpecOption;

// A --data SPEC taken apart: "cifar10" ":" "DIR" ":" "limit=1000".
typedef struct {
    const char *text; // the whole, for messages
    const char *kind;
    const char *folder; // NULL for shapes
    int n_options;
    SpecOption options[MAX_SPEC_OPTIONS];
    int limit; // 0: all
} DataSpec;

// Takes `text` apart and checks kind and option names; strings live in `pool`.
bool spec_parse(const char *text, DataSpec *spec, Pool *pool, Err *err);
// Reads option `key` where it is given, and leaves the value alone where it is not.
bool spec_int(const DataSpec *spec, const char *key, int64_t min, int64_t max, int64_t *value,
              Err *err);
bool spec_real(const DataSpec *spec, const char *key, double min, double max, double *value,
               Err *err);
// Options size= (N or HxW) and channels= (1 or 3) go into `shape`; one that contradicts a size the
// caller asks for is an error.
bool spec_shape(const DataSpec *spec, int min_side, int max_side, DataShape *shape, Err *err);

// ---- data_memory.c ------------------------------------------------------------------------------

size_t image_bytes(const Dataset *data);
// Makes room for `count` images in all and keeps what is there; `count` in the struct is left
// alone. The error says how much would be needed where the machine has not enough.
bool images_reserve(Images *images, int64_t count, const Dataset *data, Err *err);
void images_free(Images *images);
// Moves the images named by ascending indices to the front and gives the rest of the memory back.
void images_keep(Images *images, const Dataset *data, const uint32_t *indices, int count);
// Draws `want` of `count` labels so that every class keeps its share (largest remainders); the
// indices come back ascending and malloc'ed.
uint32_t *stratified_pick(const int32_t *labels, int count, int classes, int want, Random *random);
// How many of each split a limit keeps (`limit` 0: all).
void limit_counts(int limit, int n_train, int n_test, int *keep_train, int *keep_test);
// A name that can travel in JSON, C and terminals: valid UTF-8, no control characters, not too
// long.
bool class_name_check(const char *name, size_t length, const char *where, Err *err);
// Is `folder` there and a folder?  The hint says what is expected in it.
bool folder_check(const char *folder, const char *expected, Err *err);
bool file_exists(const char *path);
// Names "0", "1", ... where a source has none.
const char **class_numbers(int classes, Pool *pool);

// ---- the sources: fill kind-specific fields, train and test
// --------------------------------------

bool shapes_open(const DataSpec *spec, DataShape shape, Dataset *data, Err *err);
bool cifar_open(const DataSpec *spec, DataShape shape, Dataset *data, Err *err);
bool idx_open(const DataSpec *spec, DataShape shape, Dataset *data, Err *err);
bool folder_open(const DataSpec *spec, DataShape shape, Dataset *data, Err *err);

// ---- parsers on bytes
// ----------------------------------------------------------------------------

// Records of `label_bytes` (the last one counts; cifar100 has the coarse label first) and
// 3x32x32 pixel bytes.  Appends to `images`, which has room.
typedef struct {
    int label_bytes, classes;
} CifarFormat;
bool cifar_check(const char *path, const char *bytes, size_t size, CifarFormat format, int *count,
                 Err *err);
void cifar_append(const char *bytes, int count, CifarFormat format, Images *images);

// An idx file of unsigned bytes: `rank` 3 (images) or 1 (labels).  `data` points into bytes.
typedef struct {
    int count, height, width;
    const uint8_t *data;
} IdxFile;
bool idx_parse(const char *path, const char *bytes, size_t size, int rank, IdxFile *file, Err *err);
// Unpacks gzip (one or more members); at most `max_bytes` come out, more is an error.  *out is
// malloc'ed.
bool gzip_unpack(const char *path, const char *bytes, size_t size, size_t max_bytes, char **out,
                 size_t *out_size, Err *err);

// Pixels of a decoded file, RGB interleaved; malloc'ed.
typedef struct {
    int width, height;
    uint8_t *rgb;
} Picture;
// Size of a JPEG or PNG file from its header alone.
bool picture_size(const char *path, const char *bytes, size_t size, int *width, int *height,
                  Err *err);
// Decodes JPEG or PNG, told apart by content.  A JPEG may come back reduced by 2, 4 or 8 as long as
// both sides stay at least `enough` times the wanted ones (0: never).
bool picture_decode(const char *path, const char *bytes, size_t size, int want_height,
                    int want_width, int64_t max_pixels, Picture *picture, Err *err);
// Scales until the picture covers height x width, cuts out the middle, writes planes
// [channels][height][width]; channels 1 is luma (Rec. 601).
void picture_fit(const Picture *picture, int channels, int height, int width, uint8_t *out);
// The two decoders behind picture_decode.
bool jpeg_decode(const char *path, const char *bytes, size_t size, int want_height, int want_width,
                 int64_t max_pixels, Picture *picture, Err *err);
bool jpeg_size(const char *path, const char *bytes, size_t size, int *width, int *height, Err *err);
bool png_decode(const char *path, const char *bytes, size_t size, int64_t max_pixels,
                Picture *picture, Err *err);

#endif
