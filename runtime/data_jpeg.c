// data_jpeg.c - JPEG files to RGB through libjpeg-turbo, from memory, errors as messages.
//
// libjpeg leaves by a callback that must not return: it jumps back to the one function that called
// setjmp, whose caller frees everything.  Grey, YCbCr, RGB, CMYK and YCCK files come out as RGB.
// Damage that libjpeg would paint over in grey (a file that ends early, impossible codes) is an
// error here; harmless oddities (bytes between markers, unknown JFIF versions) are not.
#include "data_source.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

// A file of many scans costs time out of proportion to its bytes: real progressive files have ten.
enum { MAX_SCANS = 64 };

typedef struct {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    const char *path;
    size_t size;
    int64_t max_pixels;
    int want_height, want_width;
    Picture *picture;
    uint8_t *row; // of a CMYK file
    Err *err;
} Decoder;

// The byte that libjpeg was about to read; at the end it reads made-up bytes of its own.
static size_t byte_position(const Decoder *decoder)
{
    const struct jpeg_source_mgr *source = decoder->jpeg.src;
    if (!source || source->bytes_in_buffer > decoder->size)
        return 0;
    if (decoder->errors.msg_code == JWRN_JPEG_EOF)
        return decoder->size;
    return decoder->size - source->bytes_in_buffer;
}

NAGO_NORETURN static void error_leave(j_common_ptr jpeg)
{
    Decoder *decoder = jpeg->client_data;
    char reason[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, reason);
    err_input(decoder->err, "%s: error: byte %zu: damaged JPEG file: %s", decoder->path,
              byte_position(decoder), reason);
    longjmp(decoder->back, 1);
}

static void message_judge(j_common_ptr jpeg, int level)
{
    if (level >= 0)
        return; // a trace
    switch (jpeg->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
        error_leave(jpeg);
    default:
        break;
    }
}

NAGO_NORETURN static void refuse(Decoder *decoder, const char *what, long long value,
                                 long long limit)
{
    err_input(decoder->err, "%s: error: this JPEG has %lld %s, more than the %lld allowed",
              decoder->path, value, what, limit);
    longjmp(decoder->back, 1);
}

static void scans_watch(j_common_ptr jpeg)
{
    Decoder *decoder = jpeg->client_data;
    int scans = decoder->jpeg.input_scan_number;
    if (scans > MAX_SCANS)
        refuse(decoder, "scans", scans, MAX_SCANS);
}

static void header_read(Decoder *decoder, const char *bytes)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    jpeg_create_decompress(jpeg);
    decoder->progress.progress_monitor = scans_watch;
    jpeg->progress = &decoder->progress;
    jpeg_mem_src(jpeg, (const unsigned char *)bytes, decoder->size);
    jpeg_read_header(jpeg, TRUE);
    int64_t pixels = (int64_t)jpeg->image_width * jpeg->image_height;
    if (pixels > decoder->max_pixels)
        refuse(decoder, "pixels", pixels, decoder->max_pixels);
}

// The largest reduction that leaves at least twice the wanted size, for the filter to work on.
static unsigned reduction_choose(const Decoder *decoder)
{
    for (unsigned by = 8; by > 1 && decoder->want_height > 0; by /= 2)
        if (decoder->jpeg.image_height / by >= 2 * (unsigned)decoder->want_height &&
            decoder->jpeg.image_width / by >= 2 * (unsigned)decoder->want_width)
            return by;
    return 1;
}

// Adobe's files hold the inverse of C, M, Y, K; without Adobe's marker they are taken as they are.
static void cmyk_convert(const uint8_t *cmyk, int width, bool is_inverse, uint8_t *rgb)
{
    for (int x = 0; x < width; x++)
        for (int c = 0; c < 3; c++) {
            int ink = cmyk[4 * x + c], black = cmyk[4 * x + 3];
            int light = is_inverse ? ink * black : (255 - ink) * (255 - black);
            rgb[3 * x + c] = (uint8_t)((light + 127) / 255);
        }
}

static void rows_read(Decoder *decoder)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    bool is_cmyk = jpeg->num_components == 4;
    jpeg->out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
    jpeg->scale_num = 1;
    jpeg->scale_denom = reduction_choose(decoder);
    jpeg_start_decompress(jpeg);
    Picture *picture = decoder->picture;
    int width = (int)jpeg->output_width;
    picture->width = width;
    picture->height = (int)jpeg->output_height;
    picture->rgb = xmalloc((size_t)width * jpeg->output_height * 3);
    decoder->row = xmalloc((size_t)width * 4);
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *out = picture->rgb + (size_t)jpeg->output_scanline * (size_t)width * 3;
        JSAMPROW row = is_cmyk ? decoder->row : out;
        jpeg_read_scanlines(jpeg, &row, 1);
        if (is_cmyk)
            cmyk_convert(row, width, jpeg->saw_Adobe_marker, out);
    }
    jpeg_finish_decompress(jpeg);
}

// The function that libjpeg's errors come back to; what was allocated hangs on the decoder.
static bool decoder_run(Decoder *decoder, const char *bytes, bool has_pixels)
{
    if (setjmp(decoder->back))
        return false;
    header_read(decoder, bytes);
    if (has_pixels)
        rows_read(decoder);
    return true;
}

static void decoder_start(Decoder *decoder)
{
    decoder->jpeg.err = jpeg_std_error(&decoder->errors);
    decoder->errors.error_exit = error_leave;
    decoder->errors.emit_message = message_judge;
    decoder->jpeg.client_data = decoder;
}

bool jpeg_decode(const char *path, const char *bytes, size_t size, int want_height, int want_width,
                 int64_t max_pixels, Picture *picture, Err *err)
{
    *picture = (Picture){0};
    Decoder decoder = {.path = path,
                       .size = size,
                       .max_pixels = max_pixels,
                       .want_height = want_height,
                       .want_width = want_width,
                       .picture = picture,
                       .err = err};
    decoder_start(&decoder);
    bool is_done = decoder_run(&decoder, bytes, true);
    jpeg_destroy_decompress(&decoder.jpeg);
    free(decoder.row);
    if (!is_done) {
        free(picture->rgb);
        *picture = (Picture){0};
    }
    return is_done;
}

bool jpeg_size(const char *path, const char *bytes, size_t size, int *width, int *height, Err *err)
{
    Decoder decoder = {.path = path, .size = size, .max_pixels = INT64_MAX, .err = err};
    decoder_start(&decoder);
    bool is_done = decoder_run(&decoder, bytes, false);
    *width = (int)decoder.jpeg.image_width;
    *height = (int)decoder.jpeg.image_height;
    jpeg_destroy_decompress(&decoder.jpeg);
    return is_done;
}
