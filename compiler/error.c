// error.c - messages for the user, aborts for ourselves, and "did you mean".

#include "base.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A message too long for its place ends in "..." rather than in the middle of a word.
static void message_set(Err *err, int exit_code, const char *fmt, va_list args)
{
    err->exit_code = exit_code;
    int length = vsnprintf(err->message, sizeof err->message, fmt, args);
    if (length >= (int)sizeof err->message)
        memcpy(err->message + sizeof err->message - 4, "...", 4);
}

bool err_input(Err *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    message_set(err, EXIT_BAD_INPUT, fmt, args);
    va_end(args);
    return false;
}

bool err_run(Err *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    message_set(err, EXIT_RUN_FAILED, fmt, args);
    va_end(args);
    return false;
}

void bug_at(const char *file, int line, const char *fmt, ...)
{
    va_list args;
    fprintf(stderr, "%s:%d: internal error: ", file, line);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputs("\nThis is a bug of the program, not of its input.\n", stderr);
    abort();
}

enum { LONGEST_WORD = 63 };

static int min3(int a, int b, int c)
{
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

// Edit distance (insert, delete, replace), letters compared without case.  Two rows of the usual
// table.  Source: Wagner & Fischer 1974.
static int edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int row[LONGEST_WORD + 1];
    for (size_t j = 0; j <= b_length; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= a_length; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= b_length; j++) {
            int same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            int best = min3(row[j] + 1, row[j - 1] + 1, diagonal + !same);
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_length];
}

// One is the start of the other: "depthwise" for "depthwise_separable", "concatenate" for "concat".
static bool is_start(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t shorter = a_length < b_length ? a_length : b_length;
    return shorter >= 4 && strncmp(a, b, shorter) == 0;
}

const char *nearest_word(const char *word, const char *const *candidates, size_t count)
{
    size_t length = strlen(word);
    if (length == 0 || length > LONGEST_WORD)
        return NULL;
    const char *nearest = NULL;
    int nearest_distance = 0;
    for (size_t i = 0; i < count; i++) {
        size_t candidate_length = strlen(candidates[i]);
        if (candidate_length > LONGEST_WORD)
            continue;
        int distance = edit_distance(word, length, candidates[i], candidate_length);
        // More than a third changed is another word, not a slip.
        size_t longer = length > candidate_length ? length : candidate_length;
        int allowed = longer < 3 ? 0 : 1 + (int)longer / 4;
        if (is_start(word, length, candidates[i], candidate_length))
            allowed = distance;
        if (distance <= allowed && (!nearest || distance < nearest_distance)) {
            nearest = candidates[i];
            nearest_distance = distance;
        }
    }
    return nearest;
}
