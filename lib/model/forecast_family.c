/* What a series has to do with others: its family, and what drives it. */
#include "core/mem.h"
#include "model/book.h"

#include <math.h>

static const double significant = 0.05;

void sdw_book_name_parent(struct sdw_followed *series, struct sdw_str parent)
{
    if (parent.n == 0 || sdw_str_same(sdw_buf_view(&series->parent), parent))
        return;
    sdw_kin_free(series->kin);
    series->kin = NULL;
    sdw_buf_clear(&series->parent);
    sdw_buf_str(&series->parent, parent);
    series->parent_ruled = false;
}

bool sdw_book_load_parent(struct sdw_followed *series, struct sdw_str saved)
{
    struct sdw_str rule = sdw_buf_view(&series->parent);
    bool is_ruled = series->parent_ruled ? saved.n > 0 : saved.n == 0 && rule.n > 0;
    if (is_ruled && !sdw_str_same(rule, saved)) {
        series->parent_ruled = rule.n > 0;
        return false;
    }
    sdw_buf_clear(&series->parent);
    sdw_buf_str(&series->parent, saved);
    return true;
}

static struct sdw_kin *kin_of(struct sdw_book *book, struct sdw_followed *series)
{
    if (!series->kin)
        series->kin = sdw_kin_new((size_t)series->outlook.cohort->plan.n, book->born++, series);
    return series->kin;
}

void sdw_book_join(struct sdw_book *book, struct sdw_followed *series)
{
    if (series->parent.n == 0 || (series->kin && series->kin->parent))
        return;
    struct sdw_followed *parent = sdw_map_get(&book->series, sdw_buf_view(&series->parent));
    if (!parent || parent == series || !parent->outlook.cohort ||
        parent->outlook.cohort->plan.step_us != series->outlook.cohort->plan.step_us)
        return;
    if (!sdw_kin_link(kin_of(book, series), kin_of(book, parent)))
        sdw_buf_clear(&series->parent);
}

void sdw_book_say_correlations(struct sdw_book *book, struct sdw_followed *parent, int64_t ts,
                               struct sdw_foresight *out)
{
    out->correlation = book->correlation;
    for (size_t i = 0; parent->kin && i < parent->kin->children; i++) {
        const struct sdw_followed *child = parent->kin->child[i]->owner;
        struct sdw_kin_correlation found = sdw_kin_correlate(child->kin);
        if (found.n == 0 || found.p_value > significant ||
            out->n_correlations == SDW_CORRELATIONS_MAX)
            continue;
        struct sdw_correlation *said = &book->correlation[out->n_correlations++];
        sdw_rec_init(&sdw_correlation_schema, said);
        said->ts = ts;
        said->series = sdw_buf_view(&parent->name);
        said->driver = sdw_buf_view(&child->name);
        said->lag_us = found.lag * parent->outlook.cohort->plan.step_us;
        said->correlation = found.r;
        said->p_value = found.p_value;
        said->n = found.n;
    }
}
