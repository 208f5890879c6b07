// loss.c - mean cross entropy of softmax with label smoothing e (PyTorch's CrossEntropyLoss):
//
//   q_k = (1 - e) [k = label] + e / classes,  loss = mean over images of -sum_k q_k log
//   softmax(logits)_k, dlogits = (softmax - q) / count; zero in the lanes beyond count.

NK_INLINE void nk_loss(float *dlogits, float *loss, const float *logits, const int *labels,
                       int classes, int count, float label_smoothing, int part, int parts)
{
    if (part != parts - 1)
        return;
    double total = 0.0;
    const int groups = (count + NK_LANES - 1) / NK_LANES;
    for (int n = 0; n < groups * NK_LANES; n++) {
        const size_t at = (size_t)(n / NK_LANES) * classes * NK_LANES + n % NK_LANES;
        float top = logits[at];
        double sum = 0.0;
        if (n >= count) {
            for (int k = 0; k < classes; k++)
                dlogits[at + (size_t)k * NK_LANES] = 0.0f;
            continue;
        }
        for (int k = 1; k < classes; k++)
            top = logits[at + (size_t)k * NK_LANES] > top ? logits[at + (size_t)k * NK_LANES] : top;
        for (int k = 0; k < classes; k++)
            sum += exp((double)logits[at + (size_t)k * NK_LANES] - top);
        for (int k = 0; k < classes; k++) {
            const double z = (double)logits[at + (size_t)k * NK_LANES] - top;
            const double q =
                (k == labels[n] ? 1.0 - label_smoothing : 0.0) + (double)label_smoothing / classes;
            total += q * (log(sum) - z);
            dlogits[at + (size_t)k * NK_LANES] = (float)((exp(z) / sum - q) / count);
        }
    }
    *loss = (float)(total / count);
}
