// init.c - initial weights, by the same text that stands in a trainable file (templates/init.c), so
// that net_init(seed) there and a net trained here start from the same numbers.
#include "emit.h"

#include "../templates/prelude.h"

#include "../templates/init.c"

static const int init_code[] = {
    [INIT_HE_FAN_OUT] = 0, [INIT_UNIFORM_FAN_IN] = 1, [INIT_ONE] = 2, [INIT_ZERO] = 3};

void net_init(const NetTensor *tensors, int count, uint64_t seed, float *values)
{
    for (int i = 0; i < count; i++) {
        const NetTensor *t = &tensors[i];
        const nk_tensor same = {.name = t->name,
                                .count = (long)t->count,
                                .init = init_code[t->init],
                                .fan = t->fan > 0 ? t->fan : 1};
        nk_init_tensor(values + t->offset, &same, seed);
    }
}
