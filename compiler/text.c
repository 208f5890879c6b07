// text.c - text that grows: an array of bytes that doubles, always ended by a NUL.

#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Makes room for `count` more bytes and the NUL.
static void text_reserve(Text *text, size_t count)
{
    if (count > SIZE_MAX / 4 - text->length)
        bug("a text of %zu bytes cannot take %zu more", text->length, count);
    size_t want = text->length + count + 1;
    if (want <= text->capacity)
        return;
    size_t capacity = text->capacity ? text->capacity : 256;
    while (capacity < want)
        capacity *= 2;
    char *data = realloc(text->data, capacity);
    if (!data) {
        fprintf(stderr, "error: out of memory (a text of %zu bytes)\n", capacity);
        exit(EXIT_RUN_FAILED);
    }
    text->data = data;
    text->capacity = capacity;
}

void text_add(Text *text, const char *bytes, size_t count)
{
    text_reserve(text, count);
    if (count)
        memcpy(text->data + text->length, bytes, count);
    text->length += count;
    text->data[text->length] = '\0';
}

void text_puts(Text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_printf(Text *text, const char *fmt, ...)
{
    if (!fmt) // keeps gcc quiet under UBSan
        bug("no format");
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    text_reserve(text, 0);
    size_t room = text->capacity - text->length;
    int length = vsnprintf(text->data + text->length, room, fmt, args);
    va_end(args);
    if (length < 0)
        bug("bad format '%s'", fmt);
    if ((size_t)length >= room) { // once more with room for all of it
        text_reserve(text, (size_t)length);
        vsnprintf(text->data + text->length, (size_t)length + 1, fmt, again);
    }
    va_end(again);
    text->length += (size_t)length;
}

void text_free(Text *text)
{
    free(text->data);
    *text = (Text){0};
}
