// main_int8.c - the program that -D NK_MAIN adds to an int8 file: records on stdin (one label byte,
// then the pixels channel by channel), logits on stdout, every digit of them.
int main(int argc, char **argv)
{
    static uint8_t record[1 + NK_CHANNELS * NK_HEIGHT * NK_WIDTH];
    static float logits[NK_CLASSES];
    long right = 0, all = 0;
    const int status = nk_options(argc, argv);
    if (status >= 0)
        return status;
    for (size_t got; (got = fread(record, 1, sizeof record, stdin)) > 0; all++) {
        if (got != sizeof record || record[0] >= NK_CLASSES) {
            fprintf(stderr, "error: bad record: %lu bytes of %lu, label %d of %d classes\n",
                    (unsigned long)got, (unsigned long)sizeof record, record[0], NK_CLASSES);
            return 2;
        }
        nk_read_pixels(nk_arena, record + 1, 0);
        nk_program_infer(nk_arena, logits);
        int best = 0;
        for (int k = 0; k < NK_CLASSES; k++) {
            printf("%s%.9g", k ? " " : "", (double)logits[k]);
            best = logits[k] > logits[best] ? k : best;
        }
        printf("\n");
        right += best == record[0];
    }
    printf("accuracy %.2f %% (%ld of %ld)\n", all ? 100.0 * (double)right / (double)all : 0.0,
           right, all);
#ifdef NK_PROFILE
    nk_report_profile();
#endif
    return 0;
}
