// Tests of runtime/augment.c: normalisation, and crops, flips and cutout against the plain recipe
// (a padded copy), which is written out here.
#define SCRATCH "build/tmp/augment"
#include "data_files.h"

#include <math.h>

static bool is_near(float a, float b)
{
    return fabsf(a - b) <= 2e-6f * fmaxf(1, fabsf(b));
}

static float normalised(const Dataset *data, const uint8_t *image, int c, int y, int x)
{
    uint8_t pixel =
        image[((size_t)c * (size_t)data->height + (size_t)y) * (size_t)data->width + (size_t)x];
    return (pixel / 255.0f - data->mean[c]) / data->deviation[c];
}

static void plain_images_are_normalised(void **state)
{
    (void)state;
    Dataset *data = open_data("shapes:size=24x40,train=20,test=10");
    size_t bytes = image_bytes(data);
    float *out = xmalloc(bytes * sizeof *out), *other = xmalloc(bytes * sizeof *other);
    const Augment none = {0};
    for (uint32_t i = 0; i < 10; i++) {
        dataset_image(data, &data->test, i, NULL, 0, 0, 0, out);
        dataset_image(data, &data->test, i, &none, 5, 6, 7, other);
        assert_memory_equal(out, other, bytes * sizeof *out);
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < 24; y++)
                for (int x = 0; x < 40; x++)
                    assert_true(is_near(out[(c * 24 + y) * 40 + x],
                                        normalised(data, data->test.pixels + i * bytes, c, y, x)));
    }
    free(out);
    free(other);
    dataset_close(data);
}

// The image at `index`, shifted by (dy, dx) in its black border, mirrored, must be `out`; a pixel
// that is zero may also be cut out.  Returns the number of such pixels, -1 if something differs.
static int match(const Dataset *data, uint32_t index, int dy, int dx, bool is_mirrored,
                 const float *out)
{
    const uint8_t *image = data->train.pixels + index * image_bytes(data);
    int height = data->height, width = data->width, cut = 0;
    for (int c = 0; c < data->channels; c++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++, out++) {
                int from_y = y + dy, from_x = (is_mirrored ? width - 1 - x : x) + dx;
                bool is_inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
                float want = is_inside ? normalised(data, image, c, from_y, from_x)
                                       : -data->mean[c] / data->deviation[c];
                if (is_near(*out, want))
                    continue;
                if (*out != 0)
                    return -1;
                cut++;
            }
    return cut;
}

// Finds the shift and the flip that explain `out`; counts how often each comes.
static bool explain(const Dataset *data, uint32_t index, const float *out, int *shifts, int *flips)
{
    int border_y = data->height / 8, border_x = data->width / 8;
    for (int flip = 0; flip < 2; flip++)
        for (int dy = -border_y; dy <= border_y; dy++)
            for (int dx = -border_x; dx <= border_x; dx++)
                if (match(data, index, dy, dx, flip, out) == 0) {
                    shifts[(dy + border_y) * (2 * border_x + 1) + dx + border_x]++;
                    flips[flip]++;
                    return true;
                }
    return false;
}

static void standard_is_crop_and_flip(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        int n_shifts, draws, least;
    } cases[] = {{"shapes:train=10,test=10", 81, 1500, 5},
                 {"shapes:size=16x24,channels=1,train=10,test=10", 35, 700, 5},
                 {"shapes:size=8,train=10,test=10", 9, 300, 10}};
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        Dataset *data = open_data(cases[k].spec);
        float *out = xmalloc(image_bytes(data) * sizeof *out);
        int shifts[81] = {0}, flips[2] = {0};
        const Augment standard = {.standard = true};
        for (int i = 0; i < cases[k].draws; i++) {
            uint32_t index = (uint32_t)i % 10;
            dataset_image(data, &data->train, index, &standard, 1, 2, (uint64_t)i, out);
            assert_true(explain(data, index, out, shifts, flips));
        }
        for (int i = 0; i < cases[k].n_shifts; i++)
            assert_true(shifts[i] >= cases[k].least);
        assert_true(abs(flips[0] - flips[1]) < cases[k].draws / 5);
        free(out);
        dataset_close(data);
    }
}

static void cutout_is_a_square_of_zeros(void **state)
{
    (void)state;
    Dataset *data = open_data("shapes:train=10,test=10");
    // A mean that no pixel has, so that zeros are those of the cutout.
    for (int c = 0; c < 3; c++)
        data->mean[c] = 0.5f;
    float *out = xmalloc(image_bytes(data) * sizeof *out);
    const Augment cutout = {.cutout = 8};
    int n_whole = 0, n_corners = 0, widest = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        dataset_image(data, &data->train, 3, &cutout, 1, 2, i, out);
        int top = 32, bottom = -1, left = 32, right = -1, count = 0;
        for (int y = 0; y < 32; y++)
            for (int x = 0; x < 32; x++)
                if (out[y * 32 + x] == 0) {
                    assert_true(out[1024 + y * 32 + x] == 0 && out[2048 + y * 32 + x] == 0);
                    top = y < top ? y : top;
                    bottom = y > bottom ? y : bottom;
                    left = x < left ? x : left;
                    right = x > right ? x : right;
                    count++;
                }
        int height = bottom - top + 1, width = right - left + 1;
        assert_int_equal(count, height * width);
        assert_in_range(height, 4, 8);
        assert_in_range(width, 4, 8);
        assert_true(height == 8 || top == 0 || bottom == 31);
        assert_true(match(data, 3, 0, 0, false, out) >= 0);
        n_whole += count == 64;
        n_corners += top == 0 && left == 0;
        widest = width > widest ? width : widest;
    }
    assert_int_equal(widest, 8);
    assert_true(n_whole > 1000 && n_whole < 1500); // (25/32)^2 of them
    assert_true(n_corners > 10);
    const Augment all = {.cutout = 1000000};
    dataset_image(data, &data->train, 3, &all, 1, 2, 3, out);
    for (size_t k = 0; k < image_bytes(data); k++)
        assert_true(out[k] == 0);
    free(out);
    dataset_close(data);
}

static void draws_are_named_by_seed_epoch_and_position(void **state)
{
    (void)state;
    Dataset *data = open_data("shapes:train=10,test=10");
    size_t bytes = image_bytes(data) * sizeof(float);
    const Augment both = {.standard = true, .cutout = 6};
    float *out = xmalloc(bytes), *other = xmalloc(bytes);
    int n_same[3] = {0};
    for (uint64_t i = 0; i < 50; i++) {
        dataset_image(data, &data->train, 4, &both, 1, 2, i, out);
        dataset_image(data, &data->train, 5, &both, 1, 2, i + 1, other);
        dataset_image(data, &data->train, 4, &both, 1, 2, i, other);
        assert_memory_equal(out, other, bytes);
        for (uint64_t k = 0; k < 3; k++) {
            dataset_image(data, &data->train, 4, &both, 1 + (k == 0), 2 + (k == 1), i + (k == 2),
                          other);
            n_same[k] += memcmp(out, other, bytes) == 0;
        }
    }
    for (int k = 0; k < 3; k++)
        assert_in_range(n_same[k], 0, 2);
    free(out);
    free(other);
    dataset_close(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_images_are_normalised),
        cmocka_unit_test(standard_is_crop_and_flip),
        cmocka_unit_test(cutout_is_a_square_of_zeros),
        cmocka_unit_test(draws_are_named_by_seed_epoch_and_position),
    };
    return cmocka_run_group_tests(tests, scratch_clear, NULL);
}
