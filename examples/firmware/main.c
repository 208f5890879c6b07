// main.c - the network on a board: the images of images.bin (CIFAR-10 records: a label byte, then
// the pixels channel by channel), or where there is none five drawn ones.  Writes every logit's
// bytes to logits.bin, prints labels, a hash of all logits, and what it took.  A file made with
// --self-test is asked for it first.
//
// Every line that does not begin with "board:" is the same on all machines, bit for bit.
#include "board.h"
#include "net.h"
#include "semihost.h"

#include <stdint.h>

enum { PIXELS = NET_CHANNELS * NET_HEIGHT * NET_WIDTH, DRAWN = 5 };

static uint8_t record[1 + PIXELS];
static float logits[NET_CLASSES];

static void print_number(const char *label, uint32_t value, const char *end)
{
    char digits[12];
    int at = sizeof digits;
    digits[--at] = 0;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    host_print(label);
    host_print(digits + at);
    host_print(end);
}

// Slow waves and noise, from integers alone.
static void draw_image(uint32_t number)
{
    uint32_t random = 2654435761u * (number + 1);
    record[0] = 0;
    for (int i = 0; i < PIXELS; i++) {
        random = random * 1664525u + 1013904223u;
        const uint32_t wave = (uint32_t)i * (number + 1) / 3 % 512;
        record[1 + i] = (uint8_t)((wave < 256 ? wave : 511 - wave) * 3 / 4 + (random >> 26));
    }
}

static int next_image(int images, uint32_t number)
{
    if (images >= 0)
        return host_read(images, record, sizeof record) == 0;
    draw_image(number);
    return number < DRAWN;
}

static uint32_t add_to_hash(uint32_t hash, const void *bytes, int count)
{
    for (const uint8_t *b = bytes; count-- > 0; b++)
        hash = (hash ^ *b) * 16777619u;
    return hash;
}

static int best_class(void)
{
    int best = 0;
    for (int k = 1; k < NET_CLASSES; k++)
        best = logits[k] > logits[best] ? k : best;
    return best;
}

static void check_net(void)
{
#ifdef NET_SELF_TEST
    const int fault = net_self_test();
    print_number(fault < 0 ? "self test: weights damaged: " : "self test: ",
                 (uint32_t)(fault < 0 ? -fault : fault), "\n");
    if (fault)
        host_exit(1);
#endif
}

int main(void)
{
    check_net();
    const int images = host_open("images.bin", 0), out = host_open("logits.bin", 1);
    uint32_t hash = 2166136261u, number = 0, right = 0, most = 0;
    for (; next_image(images, number); number++) {
        board_timer_start();
        net_infer_u8(record + 1, logits);
        const uint32_t instructions = board_timer_instructions();
        most = instructions > most ? instructions : most;
        hash = add_to_hash(hash, logits, sizeof logits);
        if (out >= 0 && host_write(out, logits, sizeof logits) != 0)
            host_exit(1);
        if (images < 0)
            print_number("drawn image: class ", (uint32_t)best_class(), "\n");
        right += best_class() == record[0];
    }
    if (out >= 0)
        host_close(out);
    print_number("images: ", number, "\n");
    if (images >= 0)
        print_number("right: ", right, "\n");
    print_number("hash of the logits: ", hash, "\n");
    print_number("board: instructions of an image, at most: ", most, "\n");
    print_number("board: deepest stack: ", board_stack_used(), " bytes\n");
    return 0;
}
