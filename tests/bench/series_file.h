/* A file of a series: lines of `seconds value`, on a regular grid. */
#ifndef SDW_BENCH_SERIES_FILE_H
#define SDW_BENCH_SERIES_FILE_H

#include "core/mem.h"

#include <stdio.h>

/* y[n] (the caller's to free), the first step's time and the steps' distance; -1 for what cannot be
 * read, has fewer than 100 values, or has steps of more than an hour. */
static inline int series_file_read(const char *path, double **y, int *n, long long *start_s,
                                   int *step_s)
{
    FILE *file = fopen(path, "r");
    double t, v, last = 0;
    int room = 0;
    *y = NULL;
    *n = *step_s = 0;
    if (!file)
        return -1;
    while (fscanf(file, "%lf %lf", &t, &v) == 2) {
        if (*n == room)
            *y = sdw_xrealloc(*y, (size_t)(room = room ? 2 * room : 1024), sizeof **y);
        (*y)[(*n)++] = v;
        if (*n == 1)
            *start_s = (long long)t;
        if (*n == 2)
            *step_s = (int)(t - last);
        last = t;
    }
    fclose(file);
    return *n < 100 || *step_s <= 0 || *step_s > 3600 ? -1 : 0;
}

#endif
