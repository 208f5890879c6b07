// math.h - for compilers that come without a libc: what generated files name, though an inference
// file calls none of it.
#ifndef MATH_H
#define MATH_H

float expf(float x);
float sqrtf(float x);

#endif
