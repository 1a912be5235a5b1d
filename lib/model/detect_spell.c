#include "model/detect_spell.h"

#include <math.h>

static const double slack = 1, greatest_residual = 3, least_sum = 3.5;

double sdw_spell_change(const struct sdw_spell *spell)
{
    return spell->length > 0 ? spell->error / (double)spell->length : 0;
}

double sdw_spell_learn(struct sdw_spell *spell, double residual, double error, double change)
{
    spell->sum += fmax(-greatest_residual, fmin(greatest_residual, residual)) - slack;
    if (spell->sum > 0) {
        spell->error += error;
        spell->length++;
    } else {
        spell->sum = spell->error = 0;
        spell->length = 0;
    }
    bool found = spell->length > 1 && spell->sum > least_sum && sdw_spell_change(spell) > change;
    double decades = found ? sdw_tail_decades(&spell->tail, spell->sum) : 0;
    sdw_tail_learn(&spell->tail, spell->sum);
    return decades;
}
