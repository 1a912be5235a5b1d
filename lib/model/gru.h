/*
 * A small gated recurrent unit (Cho et al., 2014) with a linear output that also sees the inputs,
 * learning by Adam (Kingma and Ba, 2015) from truncated backpropagation through a few steps.
 *
 * Weights are one array of floats, the caller's, SDW_GRU_FLOATS long: the weights, then Adam's
 * two moments of each, then its count of steps.
 */
#ifndef SDW_MODEL_GRU_H
#define SDW_MODEL_GRU_H

#include "core/base.h"

enum {
    SDW_GRU_UNITS = 16,
    SDW_GRU_INPUTS = 11,
    SDW_GRU_OUTPUTS = 8,
    SDW_GRU_WINDOW = 4, /* steps learned from at once */
    SDW_GRU_GATE = SDW_GRU_UNITS * (SDW_GRU_INPUTS + SDW_GRU_UNITS + 1),
    SDW_GRU_WEIGHTS = 3 * SDW_GRU_GATE + SDW_GRU_OUTPUTS * (SDW_GRU_UNITS + SDW_GRU_INPUTS + 1),
    SDW_GRU_FLOATS = 3 * SDW_GRU_WEIGHTS + 1,
};

/* Gates from a fixed seed, outputs 0. */
void sdw_gru_init(float *weights);

/* hidden[SDW_GRU_UNITS] after the inputs x[SDW_GRU_INPUTS] of one more step. */
void sdw_gru_step(const float *weights, const float *x, float *hidden);

/* out[n], n <= SDW_GRU_OUTPUTS. */
void sdw_gru_output(const float *weights, const float *x, const float *hidden, float *out, int n);

/* One step of learning: the state before the window, its inputs, and what should have been put out
 * at its end; NAN: not known. Errors count squared up to 1 and as they are beyond (Huber, 1964). */
void sdw_gru_learn(float *weights, const float *before, const float x[][SDW_GRU_INPUTS],
                   const float *target, int n);

#endif
