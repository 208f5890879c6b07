// Declarations of the network made by
//     nagoc --batch=4 --prefix=tiny theta.json
#ifndef TINY_DECLARED
#define TINY_DECLARED

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TINY_CHANNELS 1
#define TINY_HEIGHT 8
#define TINY_WIDTH 8
#define TINY_CLASSES 3
#define TINY_BATCH 4
#define TINY_ARENA_BYTES 1010368
#define TINY_PARAM_COUNT 20042
#define TINY_STATE_COUNT 22694

// Images are [TINY_BATCH][TINY_CHANNELS][TINY_HEIGHT][TINY_WIDTH], normalised; logits are [TINY_BATCH][TINY_CLASSES].
void tiny_infer(const float *images, float *logits);
// Raw pixels (channel by channel); the data set's mean and deviation are applied.
void tiny_infer_u8(const uint8_t *images, float *logits);
// The same as tiny_infer with the caller's arena of TINY_ARENA_BYTES, aligned to 64 bytes: reentrant.
void tiny_infer_in(void *arena, const float *images, float *logits);
void tiny_init(uint64_t seed);
float tiny_train_step(const float *images, const int32_t *labels, int count, float learning_rate);
extern float tiny_params[TINY_PARAM_COUNT], tiny_grads[TINY_PARAM_COUNT], tiny_state[TINY_STATE_COUNT];
extern const char *const tiny_class_names[TINY_CLASSES];

#ifdef __cplusplus
}
#endif

#endif
