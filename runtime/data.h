// data.h - data sets: real images from files, a drawn set that is built in, batches with
// augmentation.
#ifndef NAGO_DATA_H
#define NAGO_DATA_H

#include "../compiler/base.h"

typedef enum { SPLIT_TRAIN, SPLIT_VAL, SPLIT_TEST } Split;

// Images of one split: pixels [count][channels][height][width], 8 bits, with a label each.
typedef struct {
    int count;
    uint8_t *pixels;
    int32_t *labels;
} Images;

typedef struct {
    const char *kind; // "shapes" "cifar10" "cifar100" "idx" "images"
    int channels, height, width, classes;
    const char **class_names;    // [classes], valid UTF-8 without control characters
    Images train, test;          // "test": the held-out part the source comes with
    float mean[4], deviation[4]; // per channel over the training split, pixels scaled to [0, 1];
                                 // a deviation is at least 1/255 (a constant channel)
    Pool *pool;                  // owns the names; pixels and labels are malloc'ed
} Dataset;

// What a caller asks of a source whose size is free (shapes, images); 0: the source's own, which is
// 3x32x32 for shapes and the size of the first file for images (at most 256, else 224x224).  The
// other sources ignore it: a caller that needs a size compares it with the data set's.
typedef struct {
    int channels, height, width; // channels 1 or 3
} DataShape;

// Opens a --data SPEC:
//   shapes[:size=32,classes=10,train=4000,test=1000,seed=0,...]
//       drawn, deterministic; more options: channels=3 (or 1), noise=0.06, distractors=6,
//       size=24x40 (height x width)
//   cifar10:DIR  cifar100:DIR
//       official binary records (as many data_batch_*.bin as are there and test_batch.bin;
//       train.bin and test.bin)
//   idx:DIR[:classes=10]
//       MNIST family (train-images-idx3-ubyte, t10k-..., plain or .gz)
//   images:DIR[:size=N,channels=3]
//       train/CLASS/*.{jpg,jpeg,png}, held out: val/, else test/; every file is scaled until it
//       covers the shape, then the middle is cut out; transparent pixels lie on black
// and ":limit=N" behind any: a stratified part of the training split (and of test in the same
// proportion, if that is larger than N).
// A last component counts as options where it looks like key=value without a slash: write DIR/ for
// a folder that is named so.  Errors name the file and the byte or record.  The whole set is held
// in memory (8 bits a sample); dataset_close frees it.
Dataset *dataset_open(const char *spec, DataShape shape, Err *err);
void dataset_close(Dataset *data); // NULL is allowed

// Moves a stratified share (0 <= fraction < 1) of the training split out as validation; both are
// views (lists of indices, ascending) drawn by `seed`.  The lists are malloc'ed: the caller frees
// them.  At least one image stays for training.
void dataset_split(const Dataset *data, double fraction, uint64_t seed, uint32_t **train,
                   int *n_train, uint32_t **val, int *n_val);

typedef struct {
    bool standard; // random crop after a border of 1/8 of the side (4 at 32) of black pixels, then
                   // a horizontal flip with probability 1/2
    int cutout;    // side of the square that is set to zero after normalisation (the mean colour);
                   // its centre may lie anywhere in the image, what stands out is cut; 0: none
} Augment;

// Writes one normalised image [channels][height][width] = (pixel/255 - mean) / deviation, augmented
// by draws of the stream (seed, "augment", epoch, position): the same position of the same epoch is
// the same image whatever the batch size.  `augment` may be NULL: none.
void dataset_image(const Dataset *data, const Images *images, uint32_t index,
                   const Augment *augment, uint64_t seed, uint64_t epoch, uint64_t position,
                   float *out);

// Writes all images of a split as CIFAR-10 style records: label byte, then channels*height*width
// pixel bytes (labels above 255 are an error).  "-" is stdout.
bool dataset_export(const Dataset *data, Split split, const char *path, Err *err);
// Writes every image as a PNG file, FOLDER/train/CLASS/NUMBER.png and FOLDER/test/..., as
// images:FOLDER reads them; slashes in a class become "_".
bool dataset_write_pictures(const Dataset *data, const char *folder, Err *err);

#endif
