// main_train.c - the program that -D NK_MAIN adds to a trainable file:
//   ./net [TRAIN.bin [EPOCHS [LEARNING_RATE]]] < TEST.bin
// trains on the records of TRAIN.bin in their order, then prints the logits of TEST.bin's and the
// accuracy.
int main(int argc, char **argv)
{
    static float images[NK_BATCH * NK_CHANNELS * NK_HEIGHT * NK_WIDTH];
    static int32_t labels[NK_BATCH];
    const int epochs = argc > 2 ? atoi(argv[2]) : 1;
    const float learning_rate = argc > 3 ? (float)atof(argv[3]) : 0.05f;
    nk_init(NK_SEED);
    for (int epoch = 0; argc > 1 && epoch < epochs; epoch++) {
        FILE *file = fopen(argv[1], "rb");
        double loss = 0.0;
        long steps = 0;
        if (!file) {
            fprintf(stderr, "error: cannot open %s\n", argv[1]);
            return 2;
        }
        for (int count; (count = nk_read_batch(file, images, labels)) > 0; steps++)
            loss += (double)nk_train_step(images, labels, count, learning_rate);
        fclose(file);
        fprintf(stderr, "epoch %d: mean loss %.4f\n", epoch + 1,
                steps ? loss / (double)steps : 0.0);
    }
    nk_evaluate(stdin);
    return 0;
}
