// Tests of the data sets: the spec language, the drawn set, CIFAR and idx files and all ways in
// which they can be wrong, parts, splits, export.  Pictures and folders: test_pictures.c.
// Augmentation: test_augment.c.
#define SCRATCH "build/tmp/data"
#include "data_files.h"

#include <math.h>
#include <zlib.h>

// ---- specs
// ----------------------------------------------------------------------------------------

static void spec_is_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *kind, *folder;
        int n_options, limit;
    } cases[] = {
        {"shapes", "shapes", NULL, 0, 0},
        {"shapes:size=16,limit=7", "shapes", NULL, 2, 7},
        {"shapes:size=16:limit=7", "shapes", NULL, 2, 7},
        {"cifar10:a", "cifar10", "a", 0, 0},
        {"cifar10:a:limit=5", "cifar10", "a", 1, 5},
        {"cifar100:/a:b/c:limit=5", "cifar100", "/a:b/c", 1, 5},
        {"cifar10:C:D", "cifar10", "C:D", 0, 0},
        {"cifar10:x:limit=3/", "cifar10", "x:limit=3/", 0, 0},
        {"cifar10:x:Limit=3", "cifar10", "x:Limit=3", 0, 0},
        {"images:a=b/c:size=3x4:limit=9", "images", "a=b/c", 2, 9},
        {"idx:./limit=3:classes=47", "idx", "./limit=3", 1, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Pool *pool = pool_new();
        DataSpec spec;
        Err err = {0};
        if (!spec_parse(cases[i].text, &spec, pool, &err))
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_string_equal(spec.kind, cases[i].kind);
        if (cases[i].folder)
            assert_string_equal(spec.folder, cases[i].folder);
        else
            assert_null(spec.folder);
        assert_int_equal(spec.n_options, cases[i].n_options);
        assert_int_equal(spec.limit, cases[i].limit);
        pool_free(pool);
    }
}

static void spec_mistakes_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "\"\" is no kind of data"},
        {"shape", "did you mean \"shapes\"?"},
        {"imagenet:x", "\"imagenet\" is no kind of data"},
        {"tests", "a folder needs the kind of its files before it"},
        {"cifar10", "no folder"},
        {"cifar10:", "no folder"},
        {"cifar10::limit=3", "no folder"},
        {"cifar10:limit=3", "no folder"},
        {"cifar10:x:limt=3", "did you mean \"limit\"?"},
        {"cifar10:x:size=3", "cifar10 has no option \"size\""},
        {"cifar10:x:limit=0", "\"limit\" must be a whole number in [1, 2147483647], got \"0\""},
        {"cifar10:x:limit=-1", "got \"-1\""},
        {"cifar10:x:limit=", "is no option"},
        {"cifar10:x:limit=3,limit=4", "\"limit\" is given twice"},
        {"cifar10:x:limit=99999999999999999999999", "must be a whole number"},
        {"shapes:", "\"\" is no option"},
        {"shapes:size", "\"size\" is no option"},
        {"shapes:=3", "is no option"},
        {"shapes:size=7", "\"size\" must be N or HxW with sides in [8, 256], got \"7\""},
        {"shapes:size=32x257", "got \"32x257\""},
        {"shapes:size=32x", "got \"32x\""},
        {"shapes:size=x32", "got \"x32\""},
        {"shapes:size=3e1", "got \"3e1\""},
        {"shapes:channels=2", "1 or 3 channels, not 2"},
        {"shapes:channels=4", "\"channels\" must be a whole number in [1, 3]"},
        {"shapes:classes=1", "[2, 20]"},
        {"shapes:classes=21", "[2, 20]"},
        {"shapes:train=0", "\"train\""},
        {"shapes:noise=nan", "\"noise\" must be a number in [0, 1], got \"nan\""},
        {"shapes:noise=1e999", "\"noise\""},
        {"shapes:noise=-0.1", "\"noise\""},
        {"shapes:noise=0.1x", "\"noise\""},
        {"shapes:seed=9007199254740992", "\"seed\""},
        {"shapes:train=10000000,size=256", "GB"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        open_fails(cases[i].text, cases[i].words);
    open_fails_shape("shapes:size=16", (DataShape){3, 32, 32}, "height 16 is said here, but 32");
    open_fails_shape("shapes:channels=1", (DataShape){3, 32, 32}, "channels 1 is said here");
    open_fails_shape("shapes", (DataShape){2, 32, 32}, "1 or 3 channels, not 2");
    open_fails_shape("shapes", (DataShape){3, 4, 32}, "not 4x32");
}

// ---- shapes
// ---------------------------------------------------------------------------------------

static uint64_t pixels_hash(const Images *images, const Dataset *data)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325); // FNV-1a
    size_t bytes = image_bytes(data) * (size_t)images->count;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ images->pixels[i]) * UINT64_C(0x100000001B3);
    return hash;
}

static void shapes_have_the_wanted_shape(void **state)
{
    (void)state;
    Dataset *data = open_data("shapes:train=105,test=20");
    assert_string_equal(data->kind, "shapes");
    assert_int_equal(data->channels, 3);
    assert_int_equal(data->height, 32);
    assert_int_equal(data->width, 32);
    assert_int_equal(data->classes, 10);
    assert_int_equal(data->train.count, 105);
    assert_int_equal(data->test.count, 20);
    assert_string_equal(data->class_names[0], "circle");
    int count[10] = {0};
    for (int i = 0; i < 105; i++)
        count[data->train.labels[i]]++;
    for (int c = 0; c < 10; c++)
        assert_in_range(count[c], 10, 11);
    dataset_close(data);
    static const DataShape wanted[] = {{1, 8, 8}, {3, 256, 256}, {1, 9, 200}, {3, 64, 8}};
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        data = open_shape("shapes:classes=20,train=40,test=20", wanted[i]);
        assert_int_equal(data->channels, wanted[i].channels);
        assert_int_equal(data->height, wanted[i].height);
        assert_int_equal(data->width, wanted[i].width);
        assert_int_equal(data->train.labels[39], 19);
        dataset_close(data);
    }
    data = open_shape("shapes:size=24x40,train=10,test=10", (DataShape){0, 24, 0});
    assert_int_equal(data->height, 24);
    assert_int_equal(data->width, 40);
    dataset_close(data);
}

// Only exact operations make the pixels.  A change here changes every accuracy that was measured.
static const uint64_t pinned_train = UINT64_C(0x17eea1cf1b4e1e80);
static const uint64_t pinned_test = UINT64_C(0x067a368315e4b9fe);

static void shapes_are_the_same_everywhere(void **state)
{
    (void)state;
    Dataset *data = open_data("shapes:classes=20,train=200,test=20");
    // Pinned: only exact operations make the pixels.  A change here changes every measured
    // accuracy.
    assert_int_equal(pixels_hash(&data->train, data), pinned_train);
    assert_int_equal(pixels_hash(&data->test, data), pinned_test);
    Dataset *other = open_data("shapes:classes=20,train=200,test=20,seed=1");
    assert_int_not_equal(pixels_hash(&other->train, other), pinned_train);
    dataset_close(other);
    // More images do not change those before.
    other = open_data("shapes:classes=20,train=300,test=20");
    assert_memory_equal(other->train.pixels, data->train.pixels, 200 * image_bytes(data));
    dataset_close(other);
    dataset_close(data);
}

// The share of test images that lie nearest to their own class's mean image: a linear classifier.
static double nearest_mean_accuracy(const Dataset *data)
{
    size_t bytes = image_bytes(data);
    double *mean = xcalloc((size_t)data->classes * bytes, sizeof *mean);
    for (int i = 0; i < data->train.count; i++)
        for (size_t k = 0; k < bytes; k++)
            mean[(size_t)data->train.labels[i] * bytes + k] +=
                data->train.pixels[(size_t)i * bytes + k] * (double)data->classes /
                data->train.count;
    int right = 0;
    for (int i = 0; i < data->test.count; i++) {
        int nearest = -1;
        double least = INFINITY;
        for (int c = 0; c < data->classes; c++) {
            double sum = 0;
            for (size_t k = 0; k < bytes; k++) {
                double gap = mean[(size_t)c * bytes + k] - data->test.pixels[(size_t)i * bytes + k];
                sum += gap * gap;
            }
            if (sum < least) {
                least = sum;
                nearest = c;
            }
        }
        right += nearest == data->test.labels[i];
    }
    free(mean);
    return (double)right / data->test.count;
}

static void shapes_are_not_told_by_pixels_alone(void **state)
{
    (void)state;
    Dataset *data = open_data("shapes:train=2000,test=500");
    double accuracy = nearest_mean_accuracy(data);
    assert_true(accuracy < 0.2); // chance is 0.1
    assert_true(accuracy > 0.04);
    dataset_close(data);
}

// Without noise and distractors the drawn shape is seen: the areas of the classes are alike, so
// that brightness does not tell them either.
static void shapes_have_like_areas(void **state)
{
    (void)state;
    Dataset *data = open_data("shapes:classes=20,train=2000,test=20,noise=0,distractors=0,"
                              "channels=1");
    double brightness[20] = {0};
    for (int i = 0; i < data->train.count; i++)
        for (size_t k = 0; k < image_bytes(data); k++)
            brightness[data->train.labels[i]] +=
                data->train.pixels[(size_t)i * image_bytes(data) + k] / 1024.0 / 100;
    for (int c = 0; c < 20; c++)
        assert_true(fabs(brightness[c] - 255 * (double)data->mean[0]) < 12);
    dataset_close(data);
}

// ---- CIFAR
// ----------------------------------------------------------------------------------------

enum { PIXELS = 3072 };

// `count` records; label i % classes, pixels from i.
static uint8_t *records_make(int count, int label_bytes, int classes, int first)
{
    size_t record = (size_t)label_bytes + PIXELS;
    uint8_t *bytes = xcalloc((size_t)count, record);
    for (int i = 0; i < count; i++) {
        uint8_t *at = bytes + (size_t)i * record;
        if (label_bytes == 2)
            *at++ = (uint8_t)(i % 20);
        *at++ = (uint8_t)((first + i) % classes);
        for (int k = 0; k < PIXELS; k++)
            at[k] = (uint8_t)((first + i) * 7 + k);
    }
    return bytes;
}

static void records_write(const char *path, int count, int label_bytes, int classes, int first)
{
    uint8_t *bytes = records_make(count, label_bytes, classes, first);
    write_file(path, bytes, (size_t)count * ((size_t)label_bytes + PIXELS));
    free(bytes);
}

#define TEN SCRATCH "/ten:a"

static void cifar10_reads_all_batches_in_order(void **state)
{
    (void)state;
    records_write(TEN "/data_batch_10.bin", 5, 1, 10, 200);
    records_write(TEN "/data_batch_2.bin", 20, 1, 10, 100);
    records_write(TEN "/data_batch_1.bin", 30, 1, 10, 0);
    records_write(TEN "/data_batch_03.bin", 1, 1, 10, 0); // not one of the official names
    records_write(TEN "/test_batch.bin", 10, 1, 10, 50);
    Dataset *data = open_data("cifar10:" TEN);
    assert_int_equal(data->train.count, 55);
    assert_int_equal(data->test.count, 10);
    assert_int_equal(data->train.labels[31], 1);
    assert_int_equal(data->train.pixels[30 * PIXELS], (uint8_t)(100 * 7));
    assert_int_equal(data->train.pixels[50 * PIXELS + 5], (uint8_t)(200 * 7 + 5));
    assert_string_equal(data->class_names[3], "3");
    dataset_close(data);
    static const char names[] = "a\r\nb\nc\nd\ne\nf\ng\nh\n\xc3\xa4\nj\n\n";
    write_file(TEN "/batches.meta.txt", names, sizeof names - 1);
    data = open_data("cifar10:" TEN);
    assert_string_equal(data->class_names[0], "a");
    assert_string_equal(data->class_names[8], "\xc3\xa4");
    dataset_close(data);
}

static void cifar10_damage_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *names, *words;
    } names[] = {{"a\nb\n", "batches.meta.txt: error: 2 class names, expected 10"},
                 {"a\nb\nc\x01\nd\ne\nf\ng\nh\ni\nj\n", "batches.meta.txt:3: error: byte 2"},
                 {"a\nb\n\xff\n", "batches.meta.txt:3: error: byte 1"}};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        write_file(TEN "/batches.meta.txt", names[i].names, strlen(names[i].names));
        open_fails("cifar10:" TEN, names[i].words);
    }
    write_file(TEN "/batches.meta.txt", "a\0b", 3);
    open_fails("cifar10:" TEN, "byte 1 is zero");
    remove(TEN "/batches.meta.txt");
    uint8_t *bytes = records_make(3, 1, 10, 0);
    write_file(TEN "/data_batch_2.bin", bytes, 2 * (PIXELS + 1) + 100);
    open_fails("cifar10:" TEN, "data_batch_2.bin: error: truncated: record 3 (byte 6146) has 100 "
                               "of 3073 bytes");
    bytes[PIXELS + 1] = 10;
    write_file(TEN "/data_batch_2.bin", bytes, 3 * (PIXELS + 1));
    open_fails("cifar10:" TEN, "data_batch_2.bin: error: record 2 (byte 3073): label 10 is not one "
                               "of 0..9");
    write_file(TEN "/data_batch_2.bin", bytes, 0);
    open_fails("cifar10:" TEN, "data_batch_2.bin: error: empty file");
    free(bytes);
    remove(TEN "/data_batch_2.bin");
    remove(TEN "/test_batch.bin");
    open_fails("cifar10:" TEN, "no test_batch.bin here");
    folder_make(TEN "/test_batch.bin", &(Err){0});
    open_fails("cifar10:" TEN, "is a folder");
    open_fails("cifar10:" SCRATCH "/nowhere", "data_batch_1.bin ... and test_batch.bin");
    open_fails("cifar10:" TEN "/data_batch_1.bin", "this is a file, not a folder");
    write_file(SCRATCH "/python/data_batch_1", "x", 1);
    open_fails("cifar10:" SCRATCH "/python", "the Python version");
    write_file(SCRATCH "/above/cifar-10-batches-bin/x", "x", 1);
    open_fails("cifar10:" SCRATCH "/above", "did you mean cifar10:" SCRATCH "/above/cifar-10-");
}

#define HUNDRED SCRATCH "/hundred"

static void cifar100_takes_the_fine_label(void **state)
{
    (void)state;
    records_write(HUNDRED "/train.bin", 250, 2, 100, 30);
    records_write(HUNDRED "/test.bin", 100, 2, 100, 0);
    Text names = {0};
    for (int i = 0; i < 100; i++)
        text_printf(&names, "name_%d\n", i);
    write_file(HUNDRED "/fine_label_names.txt", names.data, names.length);
    text_free(&names);
    Dataset *data = open_data("cifar100:" HUNDRED);
    assert_int_equal(data->classes, 100);
    assert_int_equal(data->train.count, 250);
    assert_int_equal(data->train.labels[0], 30);
    assert_int_equal(data->train.labels[71], 1);
    assert_int_equal(data->train.pixels[PIXELS], (uint8_t)(31 * 7));
    assert_string_equal(data->class_names[99], "name_99");
    dataset_close(data);
    uint8_t *bytes = records_make(3, 2, 100, 0);
    bytes[2 * (PIXELS + 2)] = 20;
    write_file(HUNDRED "/test.bin", bytes, 3 * (PIXELS + 2));
    open_fails("cifar100:" HUNDRED, "record 3 (byte 6148): coarse label 20 is not one of 0..19");
    bytes[2 * (PIXELS + 2)] = 19;
    bytes[2 * (PIXELS + 2) + 1] = 100;
    write_file(HUNDRED "/test.bin", bytes, 3 * (PIXELS + 2));
    open_fails("cifar100:" HUNDRED, "record 3 (byte 6149): label 100 is not one of 0..99");
    free(bytes);
    remove(HUNDRED "/train.bin");
    open_fails("cifar100:" HUNDRED, "no train.bin here");
}

// ---- idx
// ------------------------------------------------------------------------------------------

enum { IDX_HEADER = 16, SIDE = 28 };

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static size_t idx_images(int count, uint8_t **bytes)
{
    size_t size = IDX_HEADER + (size_t)count * SIDE * SIDE;
    *bytes = xcalloc(size, 1);
    put_u32(*bytes, 0x803);
    put_u32(*bytes + 4, (uint32_t)count);
    put_u32(*bytes + 8, SIDE);
    put_u32(*bytes + 12, SIDE);
    for (size_t i = IDX_HEADER; i < size; i++)
        (*bytes)[i] = (uint8_t)(i * i / 97);
    return size;
}

static size_t idx_labels(int count, uint8_t **bytes)
{
    size_t size = 8 + (size_t)count;
    *bytes = xcalloc(size, 1);
    put_u32(*bytes, 0x801);
    put_u32(*bytes + 4, (uint32_t)count);
    for (int i = 0; i < count; i++)
        (*bytes)[8 + i] = (uint8_t)(i % 10);
    return size;
}

static size_t pack(const uint8_t *bytes, size_t size, uint8_t **packed)
{
    size_t room = size + size / 10 + 200;
    *packed = xmalloc(room);
    z_stream stream = {.next_in = (uint8_t *)(uintptr_t)bytes,
                       .avail_in = (unsigned)size,
                       .next_out = *packed,
                       .avail_out = (unsigned)room};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t packed_size = stream.total_out;
    deflateEnd(&stream);
    return packed_size;
}

#define IDX SCRATCH "/idx"

static void idx_write(const char *name, uint8_t *bytes, size_t size, bool is_packed)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", IDX, name);
    if (is_packed) {
        uint8_t *packed;
        size_t packed_size = pack(bytes, size, &packed);
        write_file(path, packed, packed_size);
        free(packed);
    } else {
        write_file(path, bytes, size);
    }
}

static void idx_write_all(void)
{
    uint8_t *bytes;
    size_t size = idx_images(60, &bytes);
    idx_write("train-images-idx3-ubyte", bytes, size, false);
    free(bytes);
    size = idx_labels(60, &bytes);
    idx_write("train-labels.idx1-ubyte", bytes, size, false);
    free(bytes);
    size = idx_images(20, &bytes);
    idx_write("t10k-images-idx3-ubyte.gz", bytes, size, true);
    free(bytes);
    size = idx_labels(20, &bytes);
    idx_write("t10k-labels-idx1-ubyte.gz", bytes, size, true);
    free(bytes);
}

static void idx_reads_plain_and_packed(void **state)
{
    (void)state;
    idx_write_all();
    Dataset *data = open_data("idx:" IDX);
    assert_string_equal(data->kind, "idx");
    assert_int_equal(data->channels, 1);
    assert_int_equal(data->height, SIDE);
    assert_int_equal(data->classes, 10);
    assert_int_equal(data->train.count, 60);
    assert_int_equal(data->test.count, 20);
    assert_int_equal(data->train.labels[13], 3);
    assert_int_equal(data->train.pixels[100], (uint8_t)(116 * 116 / 97));
    assert_memory_equal(data->train.pixels, data->test.pixels, 20 * SIDE * SIDE);
    dataset_close(data);
}

static void idx_damage_is_named(void **state)
{
    (void)state;
    uint8_t *bytes;
    size_t size = idx_labels(60, &bytes);
    const char *name = "train-labels.idx1-ubyte";
    idx_write(name, bytes, size - 1, false);
    open_fails("idx:" IDX, "train-labels.idx1-ubyte: error: truncated: the header says 60 items");
    idx_write(name, bytes, 5, false);
    open_fails("idx:" IDX, "truncated: 5 bytes");
    idx_write(name, bytes, 0, false);
    open_fails("idx:" IDX, "empty file");
    bytes[8 + 41] = 10;
    idx_write(name, bytes, size, false);
    open_fails("idx:" IDX, "record 42 (byte 49 of the plain file): label 10 is not one of 0..9");
    Dataset *data = open_data("idx:" IDX ":classes=11");
    assert_int_equal(data->classes, 11);
    dataset_close(data);
    put_u32(bytes + 4, 59);
    idx_write(name, bytes, size, false);
    open_fails("idx:" IDX, "byte 67: 1 bytes too many behind the 59 items");
    idx_write(name, bytes, size - 1, false);
    open_fails("idx:" IDX, "59 labels for the 60 images");
    put_u32(bytes, 0x803);
    idx_write(name, bytes, size, false);
    open_fails("idx:" IDX, "magic number 0x00000803, expected 0x00000801");
    free(bytes);
    remove(IDX "/train-labels.idx1-ubyte");
    open_fails("idx:" IDX, "no train-labels-idx1-ubyte here");
    open_fails("idx:" SCRATCH "/nowhere", "train-images-idx3-ubyte and the other three");
}

static void packed_damage_is_named(void **state)
{
    (void)state;
    idx_write_all();
    uint8_t *bytes, *packed;
    size_t size = idx_images(20, &bytes), packed_size = pack(bytes, size, &packed);
    const char *name = "t10k-images-idx3-ubyte.gz";
    for (size_t cut = 2; cut < packed_size; cut += packed_size / 13) {
        idx_write(name, packed, cut, false);
        open_fails("idx:" IDX, "t10k-images-idx3-ubyte.gz: error: truncated: the gzip data end");
    }
    packed[packed_size - 6] ^= 1; // the check sum
    idx_write(name, packed, packed_size, false);
    open_fails("idx:" IDX, "damaged gzip data (zlib: incorrect data check)");
    packed[packed_size - 6] ^= 1;
    packed[packed_size / 2] ^= 0x55;
    idx_write(name, packed, packed_size, false);
    open_fails("idx:" IDX, "t10k-images-idx3-ubyte.gz: error: ");
    free(packed);
    // A header that promises two thousand million images.
    put_u32(bytes + 4, 0x7fffffff);
    idx_write(name, bytes, size, false);
    open_fails("idx:" IDX, "truncated: the header says 2147483647 items");
    put_u32(bytes + 4, 20);
    put_u32(bytes + 8, 0x10000);
    idx_write(name, bytes, size, false);
    open_fails("idx:" IDX, "byte 8: images of 65536x28");
    put_u32(bytes + 4, 0);
    put_u32(bytes + 8, SIDE);
    idx_write(name, bytes, size, false);
    open_fails("idx:" IDX, "byte 4: the file holds no items");
    free(bytes);
}

static void packed_bombs_end(void **state)
{
    (void)state;
    size_t size = 4 << 20;
    uint8_t *zeros = xcalloc(size, 1), *packed;
    size_t packed_size = pack(zeros, size, &packed);
    char *out;
    size_t out_size;
    Err err = {0};
    assert_true(gzip_unpack("x", (char *)packed, packed_size, size, &out, &out_size, &err));
    assert_int_equal(out_size, size);
    free(out);
    assert_false(gzip_unpack("x", (char *)packed, packed_size, size - 1, &out, &out_size, &err));
    expect_words(&err, "unpacks to more than 4194303 bytes");
    // Two members, one behind the other, are one file.
    uint8_t *twice = xmalloc(2 * packed_size);
    memcpy(twice, packed, packed_size);
    memcpy(twice + packed_size, packed, packed_size);
    assert_true(gzip_unpack("x", (char *)twice, 2 * packed_size, 2 * size, &out, &out_size, &err));
    assert_int_equal(out_size, 2 * size);
    free(out);
    free(twice);
    free(packed);
    free(zeros);
}

// ---- parts, statistics, export
// --------------------------------------------------------------------

static void limit_keeps_the_shares(void **state)
{
    (void)state;
    Dataset *data = open_data("shapes:classes=3,train=300,test=90,limit=100");
    assert_int_equal(data->train.count, 100);
    assert_int_equal(data->test.count, 90); // not more than the limit: all stay
    int count[3] = {0};
    for (int i = 0; i < 100; i++)
        count[data->train.labels[i]]++;
    for (int c = 0; c < 3; c++)
        assert_in_range(count[c], 33, 34);
    dataset_close(data);
    data = open_data("shapes:classes=3,train=300,test=90:limit=30");
    assert_int_equal(data->train.count, 30);
    assert_int_equal(data->test.count, 9); // in proportion
    Dataset *whole = open_data("shapes:classes=3,train=300,test=90");
    // What stays are images of the whole set, in its order.
    int found = 0;
    for (int i = 0; i < 300 && found < 30; i++)
        if (memcmp(whole->train.pixels + (size_t)i * PIXELS,
                   data->train.pixels + (size_t)found * PIXELS, PIXELS) == 0) {
            assert_int_equal(whole->train.labels[i], data->train.labels[found]);
            found++;
        }
    assert_int_equal(found, 30);
    dataset_close(whole);
    dataset_close(data);
    data = open_data("shapes:train=30,test=9,limit=1000");
    assert_int_equal(data->train.count, 30);
    dataset_close(data);
}

static void shares_are_exact(void **state)
{
    (void)state;
    Random random = random_stream(1, "shares", 0, 0);
    for (int trial = 0; trial < 200; trial++) {
        int classes = 1 + (int)random_below(&random, 12);
        int count = 1 + (int)random_below(&random, 300);
        int want = (int)random_below(&random, (uint64_t)count + 1);
        int32_t labels[300];
        int have[12] = {0}, got[12] = {0};
        for (int i = 0; i < count; i++) {
            labels[i] = (int32_t)random_below(&random, (uint64_t)classes);
            have[labels[i]]++;
        }
        uint32_t *picked = stratified_pick(labels, count, classes, want, &random);
        for (int i = 0; i < want; i++) {
            assert_true(i == 0 || picked[i] > picked[i - 1]);
            assert_true(picked[i] < (uint32_t)count);
            got[labels[picked[i]]]++;
        }
        for (int c = 0; c < classes; c++) {
            int floor_share = (int)((int64_t)have[c] * want / count);
            assert_in_range(got[c], floor_share, floor_share + 1);
        }
        free(picked);
    }
}

static void split_is_a_partition(void **state)
{
    (void)state;
    Dataset *data = open_data("shapes:train=205,test=10,size=8");
    static const double fractions[] = {0, 0.1, 0.5, 0.999};
    for (size_t f = 0; f < COUNT_OF(fractions); f++) {
        uint32_t *train, *val;
        int n_train, n_val, seen[205] = {0}, share[10] = {0};
        dataset_split(data, fractions[f], 3, &train, &n_train, &val, &n_val);
        assert_int_equal(n_train + n_val, 205);
        assert_true(n_train > 0);
        assert_true(abs(n_val - (int)(205 * fractions[f])) <= 1);
        for (int i = 0; i < n_train; i++)
            seen[train[i]]++;
        for (int i = 0; i < n_val; i++) {
            seen[val[i]]++;
            share[data->train.labels[val[i]]]++;
        }
        for (int i = 0; i < 205; i++)
            assert_int_equal(seen[i], 1);
        for (int c = 0; c < 10; c++)
            assert_true(fabs(share[c] - n_val / 10.0) < 2);
        free(train);
        free(val);
    }
    uint32_t *train[2], *val[2];
    int n_train, n_val;
    for (int i = 0; i < 2; i++)
        dataset_split(data, 0.2, (uint64_t)i, &train[i], &n_train, &val[i], &n_val);
    assert_memory_not_equal(val[0], val[1], sizeof(uint32_t) * (size_t)n_val);
    for (int i = 0; i < 2; i++) {
        free(train[i]);
        free(val[i]);
    }
    dataset_close(data);
}

static void statistics_are_those_of_the_training_part(void **state)
{
    (void)state;
    uint8_t *bytes = records_make(20, 1, 10, 0);
    for (int i = 0; i < 20; i++)
        memset(bytes + i * (PIXELS + 1) + 1 + 1024, 51, 1024); // green: constant
    write_file(SCRATCH "/constant/data_batch_1.bin", bytes, 20 * (PIXELS + 1));
    write_file(SCRATCH "/constant/test_batch.bin", bytes, 20 * (PIXELS + 1));
    Dataset *data = open_data("cifar10:" SCRATCH "/constant");
    double sum = 0, squares = 0;
    for (int i = 0; i < 20; i++)
        for (int k = 0; k < 1024; k++) {
            double value = bytes[i * (PIXELS + 1) + 1 + k] / 255.0;
            sum += value / 20480;
            squares += value * value / 20480;
        }
    assert_true(fabs((double)data->mean[0] - sum) < 1e-6);
    assert_true(fabs((double)data->deviation[0] - sqrt(squares - sum * sum)) < 1e-6);
    assert_true(fabs((double)data->mean[1] - 0.2) < 1e-6);
    assert_true(fabs((double)data->deviation[1] - 1 / 255.0) < 1e-6);
    free(bytes);
    dataset_close(data);
}

static void exported_records_read_back(void **state)
{
    (void)state;
    Err err = {0};
    Dataset *data = open_data("shapes:train=50,test=30");
    folder_make(SCRATCH "/exported", &err);
    assert_true(dataset_export(data, SPLIT_TRAIN, SCRATCH "/exported/data_batch_1.bin", &err));
    assert_true(dataset_export(data, SPLIT_TEST, SCRATCH "/exported/test_batch.bin", &err));
    Dataset *again = open_data("cifar10:" SCRATCH "/exported");
    assert_int_equal(again->train.count, 50);
    assert_int_equal(again->test.count, 30);
    assert_memory_equal(again->train.pixels, data->train.pixels, 50 * PIXELS);
    assert_memory_equal(again->train.labels, data->train.labels, 50 * sizeof(int32_t));
    assert_memory_equal(again->test.pixels, data->test.pixels, 30 * PIXELS);
    dataset_close(again);
    assert_false(dataset_export(data, SPLIT_VAL, SCRATCH "/exported/x", &err));
    expect_words(&err, "validation part");
    data->train.labels[7] = 256;
    assert_false(dataset_export(data, SPLIT_TRAIN, SCRATCH "/exported/x", &err));
    expect_words(&err, "image 8 has label 256");
    assert_false(dataset_export(data, SPLIT_TEST, SCRATCH "/nowhere/x", &err));
    assert_int_equal(err.exit_code, EXIT_RUN_FAILED);
    dataset_close(data);
}

static void real_cifar10_reads(void **state)
{
    (void)state;
    char path[512], spec[600];
    if (!shared_path("data/cifar10", path))
        skip();
    snprintf(spec, sizeof spec, "cifar10:%s", path);
    Dataset *data = open_data(spec);
    assert_int_equal(data->train.count, 20000);
    assert_int_equal(data->test.count, 10000);
    assert_string_equal(data->class_names[9], "truck");
    // The published statistics of the whole training split, and half of it is here.
    static const double mean[] = {0.4914, 0.4822, 0.4465}, deviation[] = {0.2470, 0.2435, 0.2616};
    for (int c = 0; c < 3; c++) {
        assert_true(fabs((double)data->mean[c] - mean[c]) < 0.005);
        assert_true(fabs((double)data->deviation[c] - deviation[c]) < 0.005);
    }
    dataset_close(data);
    snprintf(spec, sizeof spec, "cifar10:%s:limit=1000", path);
    data = open_data(spec);
    assert_int_equal(data->train.count, 1000);
    assert_int_equal(data->test.count, 500);
    dataset_close(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spec_is_taken_apart),
        cmocka_unit_test(spec_mistakes_are_explained),
        cmocka_unit_test(shapes_have_the_wanted_shape),
        cmocka_unit_test(shapes_are_the_same_everywhere),
        cmocka_unit_test(shapes_are_not_told_by_pixels_alone),
        cmocka_unit_test(shapes_have_like_areas),
        cmocka_unit_test(cifar10_reads_all_batches_in_order),
        cmocka_unit_test(cifar10_damage_is_named),
        cmocka_unit_test(cifar100_takes_the_fine_label),
        cmocka_unit_test(idx_reads_plain_and_packed),
        cmocka_unit_test(idx_damage_is_named),
        cmocka_unit_test(packed_damage_is_named),
        cmocka_unit_test(packed_bombs_end),
        cmocka_unit_test(limit_keeps_the_shares),
        cmocka_unit_test(shares_are_exact),
        cmocka_unit_test(split_is_a_partition),
        cmocka_unit_test(statistics_are_those_of_the_training_part),
        cmocka_unit_test(exported_records_read_back),
        cmocka_unit_test(real_cifar10_reads),
    };
    return cmocka_run_group_tests(tests, scratch_clear, NULL);
}
