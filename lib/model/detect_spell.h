/*
 * A spell: values in a row that are off to the same side, none of them enough by itself. The CUSUM
 * (Page, 1954) of the residuals to one side, with a slack of one usual error; 3.5 of them are
 * reached by normal noise once in some thousands of values.
 */
#ifndef SDW_MODEL_DETECT_SPELL_H
#define SDW_MODEL_DETECT_SPELL_H

#include "model/detect_tail.h"

/* Zeroed: nothing seen. One for each side. */
struct sdw_spell {
    double sum, error; /* of the residuals above the slack, and of the errors, in this spell */
    int64_t length;
    struct sdw_tail tail;
};

/* Learn a residual (usual errors) and its error, positive to the spell's own side. Returns how
 * improbable the spell is, as -log10 of its probability by the tail of all spells before; 0 when
 * there is none of two or more values that are `change` off on average. */
double sdw_spell_learn(struct sdw_spell *spell, double residual, double error, double change);

/* How far off its values were on average; 0 without a spell. */
double sdw_spell_change(const struct sdw_spell *spell);

#endif
