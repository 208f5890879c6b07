// init.c - initial weights from a seed, as PyTorch and the reference implementation draw them: He
// normal with fan out for convolutions, uniform +-1/sqrt(fan in) for biases and the linear layer,
// ones and zeros.  Each tensor has its own stream of draws, named by its name: adding a tensor
// moves no other.

// A named block of the parameter or state vector.
typedef struct {
    const char *name;
    int rank, shape[4];
    long offset, count; // in floats
    int init;           // 0: He normal, 1: uniform, 2: ones, 3: zeros
    int fan;            // fan out (He) or fan in (uniform)
} nk_tensor;

static void nk_init_tensor(float *values, const nk_tensor *tensor, unsigned long long seed)
{
    uint64_t key = 0xcbf29ce484222325u; // FNV-1a of the name
    for (const char *c = tensor->name; *c; c++)
        key = (key ^ (unsigned char)*c) * 0x100000001b3u;
    key = nk_mix(key ^ nk_mix((uint64_t)seed + 0x9e3779b97f4a7c15u));
    const double scale = tensor->init == 0   ? sqrt(2.0 / tensor->fan)
                         : tensor->init == 1 ? 1.0 / sqrt((double)tensor->fan)
                                             : 0.0;
    for (long i = 0; i < tensor->count; i++) {
        const uint64_t at = key + 2 * (uint64_t)i * 0x9e3779b97f4a7c15u;
        const double u = ((double)(nk_mix(at) >> 11) + 0.5) * 0x1p-53;
        const double v = ((double)(nk_mix(at + 0x9e3779b97f4a7c15u) >> 11) + 0.5) * 0x1p-53;
        if (tensor->init == 0) // Box and Muller
            values[i] = (float)(scale * sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v));
        else if (tensor->init == 1)
            values[i] = (float)(scale * (2.0 * u - 1.0));
        else
            values[i] = tensor->init == 2 ? 1.0f : 0.0f;
    }
}
