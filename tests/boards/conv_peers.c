// conv_peers.c - a program for a board: convolutions by our int8 kernel and by CMSIS-NN's, which
// must give the same bits.  A line of each: channels height width filters kernel, then the
// instructions of ours and of CMSIS-NN's; "differ" behind them where a result does.
#include "board.h"
#include "semihost.h"

#include <arm_nnfunctions.h>

#include <stddef.h>
#include <stdint.h>

#include "../../templates/int8.h"
#include "../../templates/int8_tiles.h"

#include "../../templates/int8_conv.c"

enum { MAP = 16384, WEIGHTS = 40000, BUFFER = 32768, FILTERS = 1280, ZERO = -5, ZERO_Y = 2 };

// Those of S and of the ResNet-8-like network that read 8 bits, and what shapes suit either side.
static const int32_t cases[][5] = {
    {14, 32, 32, 14, 3}, {28, 16, 16, 28, 3}, {28, 8, 8, 56, 3}, {56, 8, 8, 56, 3},
    {16, 32, 32, 16, 3}, {32, 16, 16, 32, 3}, {32, 8, 8, 64, 1}, {12, 8, 8, 12, 5},
};

static _Alignas(8) int8_t x[MAP], y[2][MAP], weights[WEIGHTS], row_weights[WEIGHTS];
static _Alignas(8) int8_t buffer[BUFFER];
static int32_t bias[FILTERS], folded[FILTERS], multiplier[FILTERS], shift_left[FILTERS];
static int8_t shift[FILTERS];

static void fill(int8_t *to, int bytes, uint32_t random)
{
    for (int i = 0; i < bytes; i++) {
        random = random * 1664525u + 1013904223u;
        to[i] = (int8_t)((int32_t)random >> 24);
    }
}

static void prepare(int taps, int filters)
{
    const int pitch = nk_int8_pitch(taps);
    fill(x, MAP, 1);
    fill(weights, filters * taps, 2);
    for (int i = 0; i < WEIGHTS; i++)
        row_weights[i] = 0;
    for (int k = 0; k < filters; k++) {
        int32_t sum = 0;
        for (int t = 0; t < taps; t++) {
            row_weights[k * pitch + t] = weights[k * taps + t];
            sum += weights[k * taps + t];
        }
        bias[k] = 100 * k;
        folded[k] = bias[k] - ZERO * sum;
        multiplier[k] = (1 << 30) + 12345678 * (k % 64);
        shift[k] = (int8_t)(8 + k % 3);
        shift_left[k] = -shift[k];
    }
}

static uint32_t run_ours(const int32_t *c)
{
    static const int32_t rule[] = {ZERO, -128, ZERO_Y, -128, 127};
    board_timer_start();
    nk_int8_conv(y[0], buffer, x, row_weights, folded, multiplier, shift, rule, c[0], c[1], c[2],
                 c[3], c[4], c[4]);
    return board_timer_instructions();
}

static uint32_t run_cmsis(const int32_t *c)
{
    const cmsis_nn_conv_params conv = {-ZERO,  ZERO_Y,     {1, 1}, {c[4] / 2, c[4] / 2},
                                       {1, 1}, {-128, 127}};
    const cmsis_nn_per_channel_quant_params quant = {multiplier, shift_left};
    const cmsis_nn_dims in = {1, c[1], c[2], c[0]}, filter = {c[3], c[4], c[4], c[0]},
                        biases = {1, 1, 1, c[3]}, out = {1, c[1], c[2], c[3]};
    const int32_t bytes = arm_convolve_wrapper_s8_get_buffer_size(&conv, &in, &filter, &out);
    const cmsis_nn_context context = {buffer, bytes};
    if (bytes > BUFFER)
        host_exit(1);
    board_timer_start();
    const arm_cmsis_nn_status status = arm_convolve_wrapper_s8(
        &context, &conv, &quant, &in, x, &filter, weights, &biases, bias, &out, y[1]);
    const uint32_t instructions = board_timer_instructions();
    if (status != ARM_CMSIS_NN_SUCCESS)
        host_exit(1);
    return instructions;
}

static void print_number(uint32_t value)
{
    char digits[12];
    int at = sizeof digits;
    digits[--at] = 0;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    host_print(digits + at);
    host_print(" ");
}

int main(void)
{
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int32_t *c = cases[i];
        int differ = 0;
        prepare(c[0] * c[4] * c[4], c[3]);
        const uint32_t ours = run_ours(c), cmsis = run_cmsis(c);
        for (int n = 0; n < c[1] * c[2] * c[3]; n++)
            differ |= y[0][n] != y[1][n];
        for (int n = 0; n < 5; n++)
            print_number((uint32_t)c[n]);
        print_number(ours);
        print_number(cmsis);
        host_print(differ ? "differ\n" : "\n");
    }
    return 0;
}
