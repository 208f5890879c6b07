// data_png.c - PNG files to RGB through libpng, from memory, errors as messages.
//
// Every kind of PNG (grey, palette, 1 to 16 bits, alpha, transparent colour, interlaced) is asked
// for as 8-bit RGBA, then laid on black.  libpng leaves on an error by longjmp to the one function
// that called setjmp.
#include "data_source.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

enum { MAX_CHUNK = 8 << 20, MAX_SIDE_PNG = 65535 }; // of metadata, unpacked

typedef struct {
    png_structp png;
    png_infop info;
    const char *path, *bytes;
    size_t size, position;
    int64_t max_pixels;
    Picture *picture;
    png_bytepp rows;
    Err *err;
} Decoder;

NAGO_NORETURN static void error_leave(png_structp png, png_const_charp reason)
{
    Decoder *decoder = png_get_error_ptr(png);
    err_input(decoder->err, "%s: error: byte %zu: damaged PNG file: %s", decoder->path,
              decoder->position, reason);
    png_longjmp(png, 1);
}

static void warning_ignore(png_structp png, png_const_charp reason)
{
    (void)png;
    (void)reason;
}

static void bytes_read(png_structp png, png_bytep out, size_t count)
{
    Decoder *decoder = png_get_io_ptr(png);
    if (count > decoder->size - decoder->position) {
        decoder->position = decoder->size;
        png_error(png, "the file ends early");
    }
    memcpy(out, decoder->bytes + decoder->position, count);
    decoder->position += count;
}

static void transforms_ask(Decoder *decoder)
{
    png_structp png = decoder->png;
    png_set_expand(png);      // palette to RGB, few bits to 8, transparent colour to alpha
    png_set_scale_16(png);    // 16 bits to 8, rounded
    png_set_gray_to_rgb(png); // leaves RGB alone
    png_set_add_alpha(png, 255, PNG_FILLER_AFTER);
    png_set_interlace_handling(png);
    png_read_update_info(png, decoder->info);
}

static void pixels_read(Decoder *decoder)
{
    png_structp png = decoder->png;
    png_set_read_fn(png, decoder, bytes_read);
    png_set_user_limits(png, MAX_SIDE_PNG, MAX_SIDE_PNG);
    png_set_chunk_malloc_max(png, MAX_CHUNK);
    png_read_info(png, decoder->info);
    uint32_t width = png_get_image_width(png, decoder->info);
    uint32_t height = png_get_image_height(png, decoder->info);
    if ((int64_t)width * height > decoder->max_pixels)
        png_error(png, "more pixels than are allowed");
    transforms_ask(decoder);
    size_t row_bytes = png_get_rowbytes(png, decoder->info);
    if (row_bytes != (size_t)width * 4)
        png_error(png, "its kind of pixels is not known");
    decoder->picture->width = (int)width;
    decoder->picture->height = (int)height;
    decoder->picture->rgb = xmalloc(row_bytes * height);
    decoder->rows = xmalloc(height * sizeof *decoder->rows);
    for (uint32_t y = 0; y < height; y++)
        decoder->rows[y] = decoder->picture->rgb + y * row_bytes;
    png_read_image(png, decoder->rows);
    png_read_end(png, NULL);
}

// The function that libpng's errors come back to.
static bool decoder_run(Decoder *decoder)
{
    if (setjmp(png_jmpbuf(decoder->png)))
        return false;
    pixels_read(decoder);
    return true;
}

// RGBA on black to RGB, in place: the fourth byte of a pixel is its opacity.
static void alpha_apply(Picture *picture)
{
    const uint8_t *from = picture->rgb;
    uint8_t *to = picture->rgb;
    size_t count = (size_t)picture->width * (size_t)picture->height;
    for (size_t i = 0; i < count; i++, from += 4, to += 3) {
        int alpha = from[3];
        for (int c = 0; c < 3; c++)
            to[c] = (uint8_t)((from[c] * alpha + 127) / 255);
    }
}

bool png_decode(const char *path, const char *bytes, size_t size, int64_t max_pixels,
                Picture *picture, Err *err)
{
    *picture = (Picture){0};
    Decoder decoder = {.path = path,
                       .bytes = bytes,
                       .size = size,
                       .max_pixels = max_pixels,
                       .picture = picture,
                       .err = err};
    decoder.png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, error_leave, warning_ignore);
    if (decoder.png)
        decoder.info = png_create_info_struct(decoder.png);
    if (!decoder.info) {
        png_destroy_read_struct(&decoder.png, NULL, NULL);
        return err_run(err, "%s: error: libpng does not start", path);
    }
    bool is_done = decoder_run(&decoder);
    png_destroy_read_struct(&decoder.png, &decoder.info, NULL);
    free(decoder.rows);
    if (is_done) {
        alpha_apply(picture);
        return true;
    }
    free(picture->rgb);
    *picture = (Picture){0};
    return false;
}
