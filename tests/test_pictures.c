// Tests of JPEG and PNG decoding, scaling, and folders of pictures.  The files are written here,
// through the same libraries.
#define _GNU_SOURCE
#define SCRATCH "build/tmp/pictures"
#include "data_files.h"

#include <math.h>

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

// ---- writing PNG
// ----------------------------------------------------------------------------------

typedef struct {
    int width, height, bits, kind; // PNG_COLOR_TYPE_...
    bool is_interlaced;
    const uint8_t *rows; // packed as the kind and bits say
    size_t row_bytes;
    int n_palette;
    const png_color *palette;
    int n_transparent;
    const uint8_t *transparent; // of palette entries
    const png_color_16 *transparent_color;
} PngSource;

static void text_write(png_structp png, png_bytep bytes, size_t count)
{
    text_add(png_get_io_ptr(png), (const char *)bytes, count);
}

static void png_make(const PngSource *source, Text *out)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    if (setjmp(png_jmpbuf(png)))
        fail_msg("libpng cannot write");
    png_set_write_fn(png, out, text_write, NULL);
    png_set_IHDR(png, info, (unsigned)source->width, (unsigned)source->height, source->bits,
                 source->kind, source->is_interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (source->palette)
        png_set_PLTE(png, info, source->palette, source->n_palette);
    if (source->transparent || source->transparent_color)
        png_set_tRNS(png, info, source->transparent, source->n_transparent,
                     source->transparent_color);
    png_write_info(png, info);
    int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < source->height; y++)
            png_write_row(png, source->rows + (size_t)y * source->row_bytes);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
}

static void decode(const Text *file, Picture *picture)
{
    Err err = {0};
    if (!picture_decode("x", file->data, file->length, 0, 0, MAX_DECODED_PIXELS, picture, &err))
        fail_msg("%s", err.message);
}

// Decodes a one-row picture and compares all of it with `rgb`.
static void png_gives(const PngSource *source, const uint8_t *rgb)
{
    Text file = {0};
    png_make(source, &file);
    Picture picture;
    decode(&file, &picture);
    assert_int_equal(picture.width, source->width);
    assert_int_equal(picture.height, source->height);
    assert_memory_equal(picture.rgb, rgb, 3 * (size_t)source->width * (size_t)source->height);
    free(picture.rgb);
    text_free(&file);
}

static void png_kinds_become_rgb(void **state)
{
    (void)state;
    const uint8_t grey8[] = {0, 100, 255}, grey8_rgb[] = {0, 0, 0, 100, 100, 100, 255, 255, 255};
    png_gives(&(PngSource){3, 1, 8, PNG_COLOR_TYPE_GRAY, .rows = grey8, .row_bytes = 3}, grey8_rgb);
    const uint8_t grey1[] = {0xA0}, grey1_rgb[] = {255, 255, 255, 0, 0, 0, 255, 255, 255};
    png_gives(&(PngSource){3, 1, 1, PNG_COLOR_TYPE_GRAY, .rows = grey1, .row_bytes = 1}, grey1_rgb);
    const uint8_t grey4[] = {0x0F, 0x80}, grey4_rgb[] = {0, 0, 0, 255, 255, 255, 136, 136, 136};
    png_gives(&(PngSource){3, 1, 4, PNG_COLOR_TYPE_GRAY, .rows = grey4, .row_bytes = 2}, grey4_rgb);
    const uint8_t grey16[] = {0x80, 0x80, 0xFF, 0xFF},
                  grey16_rgb[] = {128, 128, 128, 255, 255, 255};
    png_gives(&(PngSource){2, 1, 16, PNG_COLOR_TYPE_GRAY, .rows = grey16, .row_bytes = 4},
              grey16_rgb);
    const uint8_t alpha[] = {200, 255, 200, 0, 200, 51}; // grey and opacity
    const uint8_t alpha_rgb[] = {200, 200, 200, 0, 0, 0, 40, 40, 40};
    png_gives(&(PngSource){3, 1, 8, PNG_COLOR_TYPE_GRAY_ALPHA, .rows = alpha, .row_bytes = 6},
              alpha_rgb);
    const uint8_t rgba[] = {10, 20, 30, 255, 100, 200, 50, 102},
                  rgba_rgb[] = {10, 20, 30, 40, 80, 20};
    png_gives(&(PngSource){2, 1, 8, PNG_COLOR_TYPE_RGB_ALPHA, .rows = rgba, .row_bytes = 8},
              rgba_rgb);
    const uint8_t rgb16[] = {1, 1, 2, 2, 254, 254}, rgb16_rgb[] = {1, 2, 254};
    png_gives(&(PngSource){1, 1, 16, PNG_COLOR_TYPE_RGB, .rows = rgb16, .row_bytes = 6}, rgb16_rgb);
    // One grey level that means "transparent".
    const png_color_16 clear = {.gray = 100};
    const uint8_t cleared[] = {0, 0, 0, 0, 0, 0, 255, 255, 255};
    png_gives(&(PngSource){3, 1, 8, PNG_COLOR_TYPE_GRAY, .rows = grey8, .row_bytes = 3,
                           .transparent_color = &clear},
              cleared);
    const png_color palette[] = {{1, 2, 3}, {40, 50, 60}, {255, 0, 255}};
    const uint8_t opacity[] = {255, 51}, indices[] = {0x18}; // 0, 1, 2 in two bits each
    const uint8_t palette_rgb[] = {1, 2, 3, 8, 10, 12, 255, 0, 255};
    png_gives(&(PngSource){3, 1, 2, PNG_COLOR_TYPE_PALETTE, .rows = indices, .row_bytes = 1,
                           .n_palette = 3, .palette = palette, .n_transparent = 2,
                           .transparent = opacity},
              palette_rgb);
}

static uint8_t *noise_make(size_t count)
{
    uint8_t *bytes = xmalloc(count);
    Random random = random_stream(1, "noise", count, 0);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)random_below(&random, 256);
    return bytes;
}

static void interlaced_png_is_the_same(void **state)
{
    (void)state;
    uint8_t *pixels = noise_make(37 * 23 * 3);
    png_gives(&(PngSource){37, 23, 8, PNG_COLOR_TYPE_RGB, .rows = pixels, .row_bytes = 37 * 3,
                           .is_interlaced = true},
              pixels);
    free(pixels);
}

// ---- writing JPEG
// ---------------------------------------------------------------------------------

typedef struct {
    int width, height, channels; // 1 grey, 3 RGB, 4 CMYK
    const uint8_t *pixels;
    bool is_progressive;
    const jpeg_scan_info *scans;
    int n_scans;
} JpegSource;

static void jpeg_make(const JpegSource *source, Text *out)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = (unsigned)source->width;
    jpeg.image_height = (unsigned)source->height;
    jpeg.input_components = source->channels;
    jpeg.in_color_space = source->channels == 1   ? JCS_GRAYSCALE
                          : source->channels == 3 ? JCS_RGB
                                                  : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 98, TRUE);
    if (source->is_progressive)
        jpeg_simple_progression(&jpeg);
    if (source->scans) {
        jpeg.scan_info = source->scans;
        jpeg.num_scans = source->n_scans;
    }
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = (uint8_t *)(uintptr_t)source->pixels +
                       (size_t)jpeg.next_scanline * (size_t)(source->width * source->channels);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    text_add(out, (const char *)bytes, size);
    free(bytes);
}

// A picture of one colour, `channels` values a pixel.
static uint8_t *flat_make(int width, int height, int channels, const uint8_t *color)
{
    uint8_t *pixels = xmalloc((size_t)(width * height * channels));
    for (int i = 0; i < width * height * channels; i++)
        pixels[i] = color[i % channels];
    return pixels;
}

static void jpeg_kinds_become_rgb(void **state)
{
    (void)state;
    static const struct {
        int channels;
        bool is_progressive;
        uint8_t color[4], rgb[3];
    } cases[] = {
        {1, false, {77}, {77, 77, 77}},
        {3, false, {200, 30, 90}, {200, 30, 90}},
        {3, true, {10, 250, 128}, {10, 250, 128}},
        // libjpeg writes Adobe's marker, by which the four values are inverted: light, not ink.
        {4, false, {200, 100, 0, 255}, {200, 100, 0}},
        {4, false, {200, 100, 255, 51}, {40, 20, 51}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t *pixels = flat_make(50, 30, cases[i].channels, cases[i].color);
        Text file = {0};
        jpeg_make(
            &(JpegSource){50, 30, cases[i].channels, pixels, cases[i].is_progressive, NULL, 0},
            &file);
        Picture picture;
        decode(&file, &picture);
        assert_int_equal(picture.width, 50);
        assert_int_equal(picture.height, 30);
        for (int k = 0; k < 50 * 30 * 3; k++)
            assert_true(abs(picture.rgb[k] - cases[i].rgb[k % 3]) <= 2);
        free(picture.rgb);
        text_free(&file);
        free(pixels);
    }
}

static void large_jpeg_comes_reduced(void **state)
{
    (void)state;
    const uint8_t color[] = {90, 120, 200};
    uint8_t *pixels = flat_make(500, 300, 3, color);
    Text file = {0};
    jpeg_make(&(JpegSource){500, 300, 3, pixels, false, NULL, 0}, &file);
    static const struct {
        int want_height, want_width, width, height;
    } cases[] = {{32, 32, 125, 75}, {75, 125, 250, 150}, {151, 10, 500, 300}, {1, 1, 63, 38}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Picture picture;
        Err err = {0};
        assert_true(picture_decode("x", file.data, file.length, cases[i].want_height,
                                   cases[i].want_width, MAX_DECODED_PIXELS, &picture, &err));
        assert_int_equal(picture.width, cases[i].width);
        assert_int_equal(picture.height, cases[i].height);
        free(picture.rgb);
    }
    text_free(&file);
    free(pixels);
}

// ---- damage
// ---------------------------------------------------------------------------------------

static void decode_fails(const Text *file, int64_t max_pixels, const char *words)
{
    Picture picture;
    Err err = {0};
    if (picture_decode("a/b.jpg", file->data, file->length, 8, 8, max_pixels, &picture, &err))
        fail_msg("decodes, though it should say \"%s\"", words);
    assert_null(picture.rgb);
    expect_words(&err, words);
    expect_words(&err, "a/b.jpg: error: ");
}

static void cut_files_are_refused(void **state)
{
    (void)state;
    uint8_t *pixels = noise_make(40 * 40 * 3);
    Text files[3] = {{0}};
    png_make(&(PngSource){40, 40, 8, PNG_COLOR_TYPE_RGB, .rows = pixels, .row_bytes = 120},
             &files[0]);
    jpeg_make(&(JpegSource){40, 40, 3, pixels, false, NULL, 0}, &files[1]);
    jpeg_make(&(JpegSource){40, 40, 3, pixels, true, NULL, 0}, &files[2]);
    for (int i = 0; i < 3; i++) {
        size_t length = files[i].length;
        for (size_t cut = 0; cut < length - 1; cut += cut < 40 ? 1 : 37) {
            // The bytes behind the cut are gone, so that a sanitizer sees a read there.
            Text part = {0};
            text_add(&part, files[i].data, cut);
            decode_fails(&part, MAX_DECODED_PIXELS,
                         cut == 0              ? "empty file"
                         : cut < (i ? 3u : 8u) ? "neither a JPEG nor a PNG"
                                               : "byte ");
            text_free(&part);
        }
        text_free(&files[i]);
    }
    free(pixels);
}

// Any change of bytes gives pixels or a message, never a crash (run under the sanitizers).
static void changed_files_do_no_harm(void **state)
{
    (void)state;
    uint8_t *pixels = noise_make(24 * 24 * 4);
    Text files[4] = {{0}};
    png_make(&(PngSource){24, 24, 8, PNG_COLOR_TYPE_RGB_ALPHA, .rows = pixels, .row_bytes = 96,
                          .is_interlaced = true},
             &files[0]);
    jpeg_make(&(JpegSource){24, 24, 3, pixels, false, NULL, 0}, &files[1]);
    jpeg_make(&(JpegSource){24, 24, 3, pixels, true, NULL, 0}, &files[2]);
    jpeg_make(&(JpegSource){24, 24, 4, pixels, false, NULL, 0}, &files[3]);
    int n_refused = 0;
    for (int i = 0; i < 4; i++) {
        Random random = random_stream(2, "damage", (uint64_t)i, 0);
        for (int trial = 0; trial < 400; trial++) {
            Text changed = {0};
            text_add(&changed, files[i].data, files[i].length);
            for (int k = 0; k < 1 + trial % 4; k++)
                changed.data[random_below(&random, changed.length)] ^=
                    (char)(1 << random_below(&random, 8));
            Picture picture;
            Err err = {0};
            if (picture_decode("x", changed.data, changed.length, 8, 8, 1 << 20, &picture, &err))
                free(picture.rgb);
            else
                n_refused += err.message[0] != '\0' && err.exit_code == EXIT_BAD_INPUT;
            text_free(&changed);
        }
        text_free(&files[i]);
    }
    assert_true(n_refused > 400);
    free(pixels);
}

static void bombs_are_refused(void **state)
{
    (void)state;
    uint8_t *pixels = flat_make(16, 16, 3, (const uint8_t[]){1, 2, 3});
    Text file = {0};
    png_make(&(PngSource){16, 16, 8, PNG_COLOR_TYPE_RGB, .rows = pixels, .row_bytes = 48}, &file);
    decode_fails(&file, 255, "more pixels than are allowed");
    // 60000 x 60000 in the header, with its check sum made right.
    memcpy(file.data + 16, "\0\0\xEA\x60\0\0\xEA\x60", 8);
    uint32_t sum = (uint32_t)crc32(0, (const unsigned char *)file.data + 12, 17);
    for (int i = 0; i < 4; i++)
        file.data[29 + i] = (char)(sum >> (24 - 8 * i));
    decode_fails(&file, MAX_DECODED_PIXELS, "more pixels than are allowed");
    file.length = 0;
    jpeg_make(&(JpegSource){16, 16, 3, pixels, false, NULL, 0}, &file);
    decode_fails(&file, 255, "this JPEG has 256 pixels, more than the 255 allowed");
    char *frame = memmem(file.data, file.length, "\xFF\xC0", 2);
    assert_non_null(frame);
    memcpy(frame + 5, "\xFF\x00\xFF\x00", 4);
    decode_fails(&file, MAX_DECODED_PIXELS, "this JPEG has 4261478400 pixels");
    file.length = 0;
    // One scan for each coefficient of each channel: 190.
    jpeg_scan_info scans[190] = {{3, {0, 1, 2}, 0, 0, 0, 0}};
    for (int i = 0; i < 189; i++)
        scans[1 + i] = (jpeg_scan_info){1, {i / 63}, 1 + i % 63, 1 + i % 63, 0, 0};
    jpeg_make(&(JpegSource){16, 16, 3, pixels, false, scans, 190}, &file);
    decode_fails(&file, MAX_DECODED_PIXELS, "scans, more than the 64 allowed");
    text_free(&file);
    free(pixels);
}

// ---- scaling
// --------------------------------------------------------------------------------------

static void same_size_is_exact(void **state)
{
    (void)state;
    uint8_t *rgb = noise_make(20 * 15 * 3), out[20 * 15 * 3];
    const Picture picture = {20, 15, rgb};
    picture_fit(&picture, 3, 15, 20, out);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 300; i++)
            assert_int_equal(out[c * 300 + i], rgb[3 * i + c]);
    // One pixel less on each side, as cropped: the middle, exactly.
    picture_fit(&picture, 3, 15, 14, out);
    for (int y = 0; y < 15; y++)
        for (int x = 0; x < 14; x++)
            assert_int_equal(out[y * 14 + x], rgb[3 * (y * 20 + x + 3)]);
    picture_fit(&picture, 1, 15, 20, out);
    for (int i = 0; i < 300; i++)
        assert_int_equal(out[i], (int)(0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] +
                                       0.114 * rgb[3 * i + 2] + 0.5));
    free(rgb);
}

// A horizontal ramp keeps its values when it is scaled, wherever it is cut.
static void ramps_stay_ramps(void **state)
{
    (void)state;
    static const struct {
        int in_height, in_width, out_height, out_width;
    } cases[] = {{200, 250, 32, 32}, {40, 250, 20, 20},  {250, 250, 33, 47},
                 {64, 128, 64, 64},  {20, 25, 100, 125}, {300, 7, 30, 30}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int in_h = cases[i].in_height, in_w = cases[i].in_width;
        int out_h = cases[i].out_height, out_w = cases[i].out_width;
        uint8_t *rgb = xmalloc((size_t)(in_h * in_w * 3));
        for (int k = 0; k < in_h * in_w * 3; k++)
            rgb[k] = (uint8_t)(k / 3 % in_w);
        uint8_t *out = xmalloc((size_t)(out_h * out_w));
        const Picture picture = {in_w, in_h, rgb};
        picture_fit(&picture, 1, out_h, out_w, out);
        double step = fmin((double)in_h / out_h, (double)in_w / out_w);
        for (int y = 0; y < out_h; y++)
            for (int x = 0; x < out_w; x++) {
                double at = in_w / 2.0 + (x + 0.5 - out_w / 2.0) * step - 0.5;
                bool is_inner = at > step + 1 && at < in_w - step - 2;
                if (is_inner)
                    assert_true(fabs(out[y * out_w + x] - at) <= 0.5 + step / 2 + 0.01);
            }
        free(out);
        free(rgb);
    }
}

// Stripes finer than an output pixel become their mean: no aliasing.
static void fine_stripes_become_grey(void **state)
{
    (void)state;
    uint8_t *rgb = xmalloc(256 * 256 * 3);
    for (int i = 0; i < 256 * 256 * 3; i++)
        rgb[i] = (i / 3 + i / 768) % 2 ? 255 : 0;
    const Picture picture = {256, 256, rgb};
    uint8_t out[32 * 32];
    picture_fit(&picture, 1, 32, 32, out);
    for (int i = 0; i < 32 * 32; i++)
        assert_in_range(out[i], 124, 131);
    free(rgb);
}

static void odd_sizes_fit(void **state)
{
    (void)state;
    static const int sides[] = {1, 2, 3, 31, 32, 33, 1000};
    uint8_t *rgb = flat_make(1000, 1000, 3, (const uint8_t[]){10, 20, 30});
    uint8_t *out = xmalloc(64 * 64 * 3);
    for (size_t h = 0; h < COUNT_OF(sides); h++)
        for (size_t w = 0; w < COUNT_OF(sides); w++)
            for (int height = 1; height <= 64; height *= 4)
                for (int width = 1; width <= 64; width *= 8) {
                    const Picture picture = {sides[w], sides[h], rgb};
                    picture_fit(&picture, 3, height, width, out);
                    for (int i = 0; i < 3 * height * width; i++)
                        assert_int_equal(out[i], 10 * (1 + i / (height * width)));
                }
    free(out);
    free(rgb);
}

// ---- folders
// --------------------------------------------------------------------------------------

#define TREE SCRATCH "/tree"

static void shell(const char *command)
{
    assert_int_equal(system(command), 0);
}

static void picture_write(const char *path, int width, int height, uint8_t value)
{
    uint8_t *pixels = flat_make(width, height, 3, &(const uint8_t[]){value, value, value}[0]);
    Text file = {0};
    png_make(&(PngSource){width, height, 8, PNG_COLOR_TYPE_RGB, .rows = pixels,
                          .row_bytes = (size_t)width * 3},
             &file);
    write_file(path, file.data, file.length);
    text_free(&file);
    free(pixels);
}

static void tree_write(void)
{
    shell("rm -rf " TREE);
    static const char *const classes[] = {"cat", "Dog", "ant"};
    char path[256];
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 4; i++) {
            snprintf(path, sizeof path, "%s/train/%s/%d.%s", TREE, classes[c], i,
                     i % 2 ? "png" : "JPG");
            picture_write(path, 40 + i, 30 + c, (uint8_t)(100 * c + 10 * i));
        }
    picture_write(TREE "/test/Dog/x.jpeg", 100, 40, 5);
    picture_write(TREE "/test/cat/y.png", 30, 30, 6);
    write_file(TREE "/train/cat/notes.txt", "no picture", 10);
    write_file(TREE "/train/cat/.hidden.png", "no picture", 10);
    write_file(TREE "/train/README", "no folder", 9);
}

static void folders_are_read(void **state)
{
    (void)state;
    tree_write();
    Dataset *data = open_data("images:" TREE);
    assert_int_equal(data->classes, 3);
    assert_string_equal(data->class_names[0], "Dog");
    assert_string_equal(data->class_names[1], "ant");
    assert_string_equal(data->class_names[2], "cat");
    assert_int_equal(data->channels, 3);
    assert_int_equal(data->height, 31); // of Dog/0.JPG
    assert_int_equal(data->width, 40);
    assert_int_equal(data->train.count, 12);
    assert_int_equal(data->test.count, 2);
    assert_int_equal(data->train.labels[11], 2);
    assert_int_equal(data->train.pixels[5 * image_bytes(data) + 7], 210); // ant/1.png
    assert_int_equal(data->test.labels[0], 0);
    assert_int_equal(data->test.pixels[7], 5);
    dataset_close(data);
    picture_write(TREE "/val/cat/z.png", 10, 10, 1); // val/ goes before test/
    data = open_shape("images:" TREE, (DataShape){1, 16, 24});
    assert_int_equal(data->channels, 1);
    assert_int_equal(data->height, 16);
    assert_int_equal(data->width, 24);
    assert_int_equal(data->test.count, 1);
    dataset_close(data);
    data = open_data("images:" TREE ":limit=6,size=8");
    assert_int_equal(data->train.count, 6);
    int count[3] = {0};
    for (int i = 0; i < 6; i++)
        count[data->train.labels[i]]++;
    for (int c = 0; c < 3; c++)
        assert_int_equal(count[c], 2);
    dataset_close(data);
    picture_write(TREE "/train/Dog/0.JPG", 300, 20, 1);
    data = open_data("images:" TREE);
    assert_int_equal(data->height, 224);
    assert_int_equal(data->width, 224);
    dataset_close(data);
}

static void folder_mistakes_are_explained(void **state)
{
    (void)state;
    tree_write();
    write_file(TREE "/train/cat/9.jpg", "", 0);
    open_fails("images:" TREE, TREE "/train/cat/9.jpg: error: empty file");
    write_file(TREE "/train/cat/9.jpg", "GIF89a", 6);
    open_fails("images:" TREE, "train/cat/9.jpg: error: byte 0: neither a JPEG nor a PNG");
    remove(TREE "/train/cat/9.jpg");
    shell("ln -s nothing " TREE "/train/cat/9.jpg");
    open_fails("images:" TREE, "train/cat/9.jpg: error: cannot open: No such file");
    remove(TREE "/train/cat/9.jpg");
    shell("mkfifo " TREE "/train/cat/9.jpg"); // passed over: nothing may wait for a writer
    dataset_close(open_data("images:" TREE));
    remove(TREE "/train/cat/9.jpg");
    picture_write(TREE "/test/catt/1.png", 5, 5, 5);
    open_fails("images:" TREE, "test/catt: error: train/ has no class of this name; did you mean "
                               "\"cat\"?");
    Err err = {0};
    folder_make(TREE "/train/empty", &err);
    open_fails("images:" TREE, "train/empty: error: no .jpg, .jpeg or .png file in this class");
    folder_make(TREE "/train/e\x01", &err);
    open_fails("images:" TREE, "names must be UTF-8 without control characters");
    shell("rm -rf " TREE "/test");
    open_fails("images:" TREE, "neither val/ nor test/ here");
    folder_make(TREE "/val", &err);
    shell("rm -rf " TREE "/train/e*");
    open_fails("images:" TREE, "val: error: no folder per class here");
    shell("rm -rf " TREE "/train/[cD]*");
    open_fails("images:" TREE, "train: error: 1 folders here, expected one per class");
    shell("rm -rf " TREE "/train");
    open_fails("images:" TREE, "train: error: No such file or directory");
    open_fails("images:" SCRATCH "/nowhere", "train/CLASS/*.jpg or *.png");
    open_fails("images:" TREE ":size=1025", "[1, 1024]");
    open_fails("images:" TREE ":channels=2", "1 or 3 channels");
}

static void real_pictures_read(void **state)
{
    (void)state;
    char path[512], spec[600];
    if (!shared_path("data/images", path))
        skip();
    snprintf(spec, sizeof spec, "images:%s", path);
    Dataset *data = open_data(spec);
    assert_int_equal(data->train.count, 400);
    assert_int_equal(data->test.count, 100);
    assert_int_equal(data->height, 32);
    assert_string_equal(data->class_names[9], "truck");
    for (int c = 0; c < 3; c++) // the published statistics of CIFAR-10; 400 of its images are here
        assert_true(fabs((double)data->mean[c] - (c < 2 ? 0.487 : 0.4465)) < 0.04);
    dataset_close(data);
    data = open_shape(spec, (DataShape){3, 224, 224});
    assert_int_equal(data->width, 224);
    dataset_close(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_kinds_become_rgb),
        cmocka_unit_test(interlaced_png_is_the_same),
        cmocka_unit_test(jpeg_kinds_become_rgb),
        cmocka_unit_test(large_jpeg_comes_reduced),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(changed_files_do_no_harm),
        cmocka_unit_test(bombs_are_refused),
        cmocka_unit_test(same_size_is_exact),
        cmocka_unit_test(ramps_stay_ramps),
        cmocka_unit_test(fine_stripes_become_grey),
        cmocka_unit_test(odd_sizes_fit),
        cmocka_unit_test(folders_are_read),
        cmocka_unit_test(folder_mistakes_are_explained),
        cmocka_unit_test(real_pictures_read),
    };
    return cmocka_run_group_tests(tests, scratch_clear, NULL);
}
