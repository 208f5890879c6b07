// Fuzz target: bytes -> JPEG or PNG -> pixels -> scaled.
#include <stdlib.h>

#include "../../runtime/data_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_PIXELS = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    Picture picture;
    Err err = {0};
    int width, height;
    bool has_size = picture_size("fuzz", bytes, size, &width, &height, &err);
    for (int side = 0; side <= 8; side += 8) {
        if (!picture_decode("fuzz", bytes, size, side, side, MAX_PIXELS, &picture, &err)) {
            if (err.exit_code != EXIT_BAD_INPUT || !err.message[0] || picture.rgb)
                bug("refused without a message");
            continue;
        }
        if (!has_size || (side == 0 && (picture.width != width || picture.height != height)))
            bug("the size of the header is not that of the pixels");
        uint8_t out[3 * 8 * 12];
        picture_fit(&picture, 3, 8, 12, out);
        picture_fit(&picture, 1, 12, 8, out);
        free(picture.rgb);
    }
    return 0;
}
