// main_infer.c - the program that -D NK_MAIN adds to an inference file: records on stdin, logits on
// stdout.
int main(int argc, char **argv)
{
    const int status = nk_options(argc, argv);
    if (status < 0)
        nk_evaluate(stdin);
    return status < 0 ? 0 : status;
}
