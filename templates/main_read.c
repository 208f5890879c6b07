// main_read.c - records from a file: one label byte, then NK_CHANNELS * NK_HEIGHT * NK_WIDTH pixel
// bytes, channel by channel (CIFAR-10's own format).
#include <stdio.h>
#include <stdlib.h>

// Reads up to NK_BATCH records, normalised; returns how many.  A piece of a record at the end is an
// error.
static int nk_read_batch(FILE *file, float *images, int32_t *labels)
{
    static uint8_t record[1 + NK_CHANNELS * NK_HEIGHT * NK_WIDTH];
    for (int n = 0; n < NK_BATCH; n++) {
        const size_t got = fread(record, 1, sizeof record, file);
        if (got == 0)
            return n;
        if (got != sizeof record || record[0] >= NK_CLASSES) {
            fprintf(stderr, "error: bad record: %lu bytes of %lu, label %d of %d classes\n",
                    (unsigned long)got, (unsigned long)sizeof record, record[0], NK_CLASSES);
            exit(2);
        }
        labels[n] = record[0];
        nk_normalise(record + 1, images + (size_t)n * (sizeof record - 1), 0);
    }
    return NK_BATCH;
}

// Prints the logits of every record and, at the end, how many were classified right.
static void nk_evaluate(FILE *file)
{
    static float images[NK_BATCH * NK_CHANNELS * NK_HEIGHT * NK_WIDTH],
        logits[NK_BATCH * NK_CLASSES];
    static int32_t labels[NK_BATCH];
    long right = 0, all = 0;
    for (int count; (count = nk_read_batch(file, images, labels)) > 0; all += count) {
        nk_infer(images, logits);
        for (int n = 0; n < count; n++) {
            const float *row = logits + n * NK_CLASSES;
            int best = 0;
            for (int k = 0; k < NK_CLASSES; k++) {
                printf("%s%.6g", k ? " " : "", (double)row[k]);
                best = row[k] > row[best] ? k : best;
            }
            printf("\n");
            right += best == labels[n];
        }
    }
    printf("accuracy %.2f %% (%ld of %ld)\n", all ? 100.0 * (double)right / (double)all : 0.0,
           right, all);
}
