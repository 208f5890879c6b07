// main_infer.c - the program that -D NK_MAIN adds to an inference file: records on stdin, logits on
// stdout.
int main(void)
{
    nk_evaluate(stdin);
    return 0;
}
