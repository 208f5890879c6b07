// base.h - what every room stands on: pool memory, strings, errors, files, seeded random numbers.
#ifndef NAGO_BASE_H
#define NAGO_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAGO_VERSION "0.1.0"

#if defined(__GNUC__)
#define NAGO_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define NAGO_NORETURN __attribute__((noreturn))
#else
#define NAGO_PRINTF(fmt, args)
#define NAGO_NORETURN
#endif

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

// Exit codes of both programs: part of the interface, listed in the man pages.
enum { EXIT_DONE = 0, EXIT_RUN_FAILED = 1, EXIT_BAD_INPUT = 2 };

// ---- pool.c: memory that ends together
// -----------------------------------------------------------

// A pool owns everything allocated from it until pool_free; nothing is freed singly.  Out of memory
// ends the process with a message (exit 1).
typedef struct Pool Pool;
Pool *pool_new(void);
void pool_free(Pool *pool);                 // NULL is allowed
void *pool_alloc(Pool *pool, size_t bytes); // zeroed, 16-byte aligned
char *pool_strdup(Pool *pool, const char *text);
char *pool_printf(Pool *pool, const char *fmt, ...) NAGO_PRINTF(2, 3);
// Grows an array from the pool: returns a copy of `old` (`count` elements of `size` bytes) with
// room for at least `want`; updates *capacity.  The old array stays in the pool, unused.
void *pool_grow(Pool *pool, void *old, size_t count, size_t want, size_t *capacity, size_t size);

// malloc that cannot fail (exit 1 with a message); released with free().
void *xmalloc(size_t bytes);
void *xcalloc(size_t count, size_t size);

// ---- text.c: strings that grow, files that appear whole
// ------------------------------------------

// A growing text; {0} is an empty one.  `data` is NUL-terminated once anything was added.
typedef struct {
    char *data;
    size_t length, capacity;
} Text;
void text_add(Text *text, const char *bytes, size_t count);
void text_puts(Text *text, const char *string);
void text_printf(Text *text, const char *fmt, ...) NAGO_PRINTF(2, 3);
// vsnprintf, several times as fast for formats of %s and %d alone: OpenBLAS brings a library that
// registers printf handlers, which sends every call through the C library's slow path.
int text_format(char *to, size_t room, const char *fmt, va_list args);
void text_free(Text *text);

// ---- error.c ------------------------------------------------------------------------------------

// One message for the user, complete: place, value, rule, hint.  The border checks and fills it,
// only the programs in cli/ print it and exit.
typedef struct {
    char message[2048]; // "" while there is none
    int exit_code;      // EXIT_BAD_INPUT for bad input, EXIT_RUN_FAILED for failures while running
} Err;
// Both fill `err` and return false, so that `return err_input(err, ...)` ends a function.
bool err_input(Err *err, const char *fmt, ...) NAGO_PRINTF(2, 3);
bool err_run(Err *err, const char *fmt, ...) NAGO_PRINTF(2, 3);
// A broken promise inside the program: prints file and line and aborts.
NAGO_NORETURN void bug_at(const char *file, int line, const char *fmt, ...) NAGO_PRINTF(3, 4);
#define bug(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
// The candidate nearest to `word` by edit distance, for "did you mean"; NULL if none is near.
const char *nearest_word(const char *word, const char *const *candidates, size_t count);

// ---- file.c -------------------------------------------------------------------------------------

// Reads a whole file (at most `max_bytes`; larger is an input error).  *data is malloc'ed, one NUL
// byte is added behind the end; the caller frees it.  Missing, unreadable, a folder: input error.
bool file_read(const char *path, size_t max_bytes, char **data, size_t *size, Err *err);
// Writes a file whole or not at all: temporary name in the same folder, fsync, rename.  "-" is
// stdout.
bool file_write(const char *path, const void *data, size_t size, Err *err);
// Creates a folder and its parents where missing.
bool folder_make(const char *path, Err *err);

// ---- random.c: counter-based random numbers
// ------------------------------------------------------

// A stream is named by a seed, a purpose and up to two indices; draws of one stream never move
// those of another.  The n-th number of a stream is a hash of (key, n).
typedef struct {
    uint64_t key, counter;
} Random;
Random random_stream(uint64_t seed, const char *purpose, uint64_t a, uint64_t b);
uint64_t random_u64(Random *random);
double random_unit(Random *random);                    // [0, 1), 53 bits
uint64_t random_below(Random *random, uint64_t bound); // [0, bound), unbiased; bound >= 1
double random_normal(Random *random);                  // mean 0, deviation 1
void random_shuffle(Random *random, uint32_t *items, size_t count);

#endif
