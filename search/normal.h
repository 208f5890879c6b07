// normal.h - the normal distribution.
#ifndef NAGO_NORMAL_H
#define NAGO_NORMAL_H

double normal_density(double z);
double normal_below(double z);    // P(Z <= z)
double normal_quantile(double p); // the reverse, 0 < p < 1; -+INFINITY at and beyond the ends

#endif
