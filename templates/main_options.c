// main_options.c - the arguments of the program that -D NK_MAIN adds to an inference file.
#include <stdio.h>

#ifdef NK_TEST_IMAGES
static int nk_report_self_test(void)
{
    const int failed = nk_self_test();
    if (failed < 0) {
        fprintf(stderr, "self-test: the weights are damaged\n");
        return 1;
    }
    if (failed) {
        fprintf(stderr, "self-test: image %d: logit %d is wrong\n", (failed - 1) / NK_CLASSES,
                (failed - 1) % NK_CLASSES);
        return 1;
    }
    printf("self-test: the logits of %d images are right\n", NK_TEST_IMAGES);
    return 0;
}
#endif

// --self-test runs the self-test.  Returns the program's exit status, or -1: records are to be
// read.
static int nk_options(int argc, char **argv)
{
    if (argc < 2)
        return -1;
#ifdef NK_TEST_IMAGES
    if (argc == 2 && strcmp(argv[1], "--self-test") == 0)
        return nk_report_self_test();
#endif
    fprintf(stderr, "error: \"%s\" is no argument of this program\n", argv[1]);
    return 2;
}
