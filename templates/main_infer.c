// main_infer.c - the program that -D NK_MAIN adds to an inference file: records on stdin, logits on
// stdout.
int main(int argc, char **argv)
{
    const int status = nk_options(argc, argv);
    if (status >= 0)
        return status;
    nk_evaluate(stdin);
#ifdef NK_PROFILE
    nk_report_profile();
#endif
    return 0;
}
