// text.c - text that grows: an array of bytes that doubles, always ended by a NUL.

#include "base.h"

#include <limits.h>
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

static bool only_words_and_integers(const char *fmt)
{
    for (; *fmt; fmt++)
        if (*fmt == '%' && *++fmt != 's' && *fmt != 'd')
            return false;
    return true;
}

// Writes the digits of `value` so that they end at `end`; where they begin.
static char *digits_before(char *end, int value)
{
    unsigned rest = value < 0 ? 0u - (unsigned)value : (unsigned)value;
    do
        *--end = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--end = '-';
    return end;
}

int text_format(char *to, size_t room, const char *fmt, va_list args)
{
    if (!only_words_and_integers(fmt))
        return vsnprintf(to, room, fmt, args);
    size_t length = 0;
    while (*fmt) {
        char digits[12];
        const char *piece = fmt;
        size_t count = strcspn(fmt, "%");
        fmt += count;
        if (!count) {
            const bool is_word = fmt[1] == 's';
            piece = is_word ? va_arg(args, const char *)
                            : digits_before(digits + sizeof digits, va_arg(args, int));
            count = is_word ? strlen(piece) : (size_t)(digits + sizeof digits - piece);
            fmt += 2;
        }
        if (length < room)
            memcpy(to + length, piece, count < room - length ? count : room - length);
        length += count;
    }
    if (room)
        to[length < room ? length : room - 1] = '\0';
    return length <= INT_MAX ? (int)length : -1;
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
    int length = text_format(text->data + text->length, room, fmt, args);
    va_end(args);
    if (length < 0)
        bug("bad format '%s'", fmt);
    if ((size_t)length >= room) { // once more with room for all of it
        text_reserve(text, (size_t)length);
        text_format(text->data + text->length, (size_t)length + 1, fmt, again);
    }
    va_end(again);
    text->length += (size_t)length;
}

void text_free(Text *text)
{
    free(text->data);
    *text = (Text){0};
}
