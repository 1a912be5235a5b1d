/* The records that a book says: forecast, breach, score. */
#include "core/mem.h"
#include "io/jsonw.h"
#include "model/book.h"
#include "model/little.h"

#include <math.h>

static void say_weights(const struct sdw_followed *series, int horizon, struct sdw_jsonw *w)
{
    double weight[SDW_EXPERTS];
    sdw_ensemble_weights(sdw_outlook_ensemble(&series->outlook), &series->outlook.cohort->plan,
                         horizon, weight);
    sdw_jsonw_object(w, "weights");
    for (int i = 0; i < SDW_EXPERTS; i++)
        sdw_jsonw_model(w, sdw_expert_name(i), weight[i]);
    sdw_jsonw_end(w);
}

static double quantile(const struct sdw_followed *series, const struct sdw_prediction *prediction,
                       int horizon, int64_t horizon_us, const struct sdw_said_quantile *q)
{
    const struct sdw_outlook *outlook = &series->outlook;
    if (!prediction)
        return sdw_trend_quantile(&outlook->young->trend, horizon_us, q->p);
    if (q->base >= 0)
        return prediction->q[q->base];
    const struct sdw_ensemble *e = sdw_outlook_ensemble(outlook);
    double moved = series->kin ? prediction->q[2] -
                                     sdw_ensemble_quantile(e, &outlook->cohort->plan, horizon, 0.5)
                               : 0;
    return sdw_ensemble_quantile(e, &outlook->cohort->plan, horizon, q->p) + moved;
}

static void say_horizon(const struct sdw_book *book, const struct sdw_followed *series,
                        int64_t horizon_us, const struct sdw_prediction *predictions,
                        struct sdw_jsonw *w)
{
    const struct sdw_outlook *outlook = &series->outlook;
    int h = predictions ? sdw_cohort_horizon(outlook->cohort, horizon_us) : 0;
    const struct sdw_prediction *prediction = predictions ? &predictions[h] : NULL;
    sdw_jsonw_object(w, NULL);
    sdw_jsonw_int(w, "horizon_us", horizon_us);
    sdw_jsonw_model(w, "mean",
                    prediction ? prediction->mean
                               : sdw_trend_mean(&outlook->young->trend, horizon_us));
    sdw_jsonw_object(w, "q");
    for (size_t i = 0; i < book->settings.quantiles; i++)
        sdw_jsonw_model(w, book->settings.said[i].name,
                        quantile(series, prediction, h, horizon_us, &book->settings.said[i]));
    sdw_jsonw_end(w);
    double little = sdw_little_forecast(outlook->value, series->rate, series->duration_us / 1e6,
                                        (double)horizon_us / 1e6);
    if (isfinite(little))
        sdw_jsonw_model(w, "little", little);
    if (prediction && book->settings.explain)
        say_weights(series, h, w);
    sdw_jsonw_end(w);
}

static struct sdw_buf *next_json(struct sdw_book *book)
{
    size_t before = book->json_cap;
    SDW_GROW(book->said, book->said_cap, book->n_said + 1);
    SDW_GROW(book->said_json, book->json_cap, book->n_said + 1);
    memset(book->said_json + before, 0, (book->json_cap - before) * sizeof *book->said_json);
    struct sdw_buf *json = &book->said_json[book->n_said];
    sdw_buf_clear(json);
    return json;
}

/* predictions: NULL for a young series. */
static void say(struct sdw_book *book, struct sdw_followed *series,
                const struct sdw_prediction *predictions)
{
    struct sdw_buf *json = next_json(book);
    struct sdw_jsonw w = sdw_jsonw(json);
    sdw_jsonw_array(&w, NULL);
    for (size_t i = 0; i < book->settings.horizons; i++)
        say_horizon(book, series, book->settings.horizon_us[i], predictions, &w);
    sdw_jsonw_end(&w);
    struct sdw_forecast *said = &book->said[book->n_said++];
    sdw_rec_init(&sdw_forecast_schema, said);
    said->ts = series->outlook.ts;
    said->series = sdw_buf_view(&series->name);
    said->value = series->outlook.value;
    said->n = series->outlook.n;
    said->cold = sdw_outlook_cold(&series->outlook);
    said->horizons = sdw_buf_view(json);
}

/* The forecast of a mature series: judged later, and said when it is due. */
static void conclude(struct sdw_book *book, struct sdw_followed *series,
                     struct sdw_prediction *predictions)
{
    struct sdw_outlook *outlook = &series->outlook;
    if (series->kin)
        sdw_kin_move(series->kin, predictions);
    sdw_feedback_said(&outlook->feedback, &outlook->cohort->plan, outlook->step_index, predictions);
    if (series->due)
        say(book, series, predictions);
    series->due = series->waits = false;
}

/* All below kin that wait, children first. */
static void conclude_family(struct sdw_book *book, struct sdw_kin *kin)
{
    struct sdw_prediction predictions[SDW_STEPS_MAX];
    struct sdw_followed *series = kin->owner;
    for (size_t i = 0; i < kin->children; i++)
        conclude_family(book, kin->child[i]);
    if (!series->waits)
        return;
    sdw_ensemble_forecast(sdw_outlook_ensemble(&series->outlook), &series->outlook.cohort->plan,
                          predictions);
    conclude(book, series, predictions);
}

void sdw_book_forecast_before(struct sdw_book *book, struct sdw_followed *series, int64_t index)
{
    if (!series->kin || !series->waits || series->outlook.step_index >= index)
        return;
    conclude_family(book, sdw_kin_root(series->kin));
}

/* Whether a limit of the series is known, so that its odds are wanted. */
static bool has_limit(const struct sdw_book *book, const struct sdw_followed *series)
{
    struct sdw_limit limit[SDW_BREACHES_MAX];
    size_t n = sdw_book_limits(book, series, limit);
    for (size_t i = 0; i < n; i++)
        if (isfinite(limit[i].value))
            return true;
    return false;
}

/* The horizons that somebody wants to know of: of a series that nothing is said of, those that
 * will be judged. */
static void foresee(const struct sdw_book *book, const struct sdw_followed *series,
                    struct sdw_prediction *predictions)
{
    const struct sdw_outlook *outlook = &series->outlook;
    const struct sdw_ensemble_plan *plan = &outlook->cohort->plan;
    bool all = series->due || series->kin || has_limit(book, series);
    for (int i = 0; i < plan->n; i++)
        if (all || sdw_feedback_keeps(plan, i, outlook->step_index))
            predictions[i] = sdw_ensemble_forecast_at(sdw_outlook_ensemble(outlook), plan, i);
}

void sdw_book_forecast(struct sdw_book *book, struct sdw_followed *series, bool due,
                       struct sdw_prediction *predictions)
{
    struct sdw_outlook *outlook = &series->outlook;
    struct sdw_kin *kin = series->kin, *root = kin ? sdw_kin_root(kin) : NULL;
    series->due = due;
    if (!sdw_outlook_mature(outlook)) {
        if (due)
            say(book, series, NULL);
        return;
    }
    foresee(book, series, predictions);
    if (kin)
        sdw_kin_say(kin, predictions);
    if (!root || !sdw_kin_adds_up(root)) {
        conclude(book, series, predictions);
        return;
    }
    series->waits = true;
    if (!sdw_kin_complete(root, outlook->step_index))
        return;
    sdw_kin_reconcile(root);
    conclude_family(book, root);
}

static struct sdw_str say_odds(const struct sdw_book *book, const struct sdw_breach_odds *odds,
                               struct sdw_buf *json)
{
    sdw_buf_clear(json);
    struct sdw_jsonw w = sdw_jsonw(json);
    sdw_jsonw_array(&w, NULL);
    for (size_t i = 0; i < book->settings.horizons; i++) {
        sdw_jsonw_object(&w, NULL);
        sdw_jsonw_int(&w, "horizon_us", book->settings.horizon_us[i]);
        sdw_jsonw_model(&w, "p", odds->p[i]);
        sdw_jsonw_end(&w);
    }
    sdw_jsonw_end(&w);
    return sdw_buf_view(json);
}

/* Whether limit i of the series is worth a record: always, unless odds were named; then while they
 * are high enough, and once more, with severity 0, when they have fallen to half of that. */
static bool worth_saying(const struct sdw_book *book, struct sdw_followed *series, size_t i,
                         struct sdw_breach_odds *odds)
{
    double p = odds->p[book->settings.horizons - 1], enough = book->settings.probability;
    uint16_t bit = (uint16_t)(1u << i);
    if (!(enough > 0))
        return true;
    if (p >= enough) {
        series->alarmed |= bit;
        return true;
    }
    if (!(series->alarmed & bit))
        return false;
    if (p < enough / 2) {
        series->alarmed &= (uint16_t)~bit;
        odds->severity = 0;
    }
    return true;
}

void sdw_book_say_breaches(struct sdw_book *book, struct sdw_followed *series,
                           const struct sdw_prediction *predictions, struct sdw_foresight *out)
{
    struct sdw_limit limit[SDW_BREACHES_MAX];
    size_t n = sdw_book_limits(book, series, limit);
    for (size_t i = 0; i < n; i++) {
        struct sdw_breach_odds odds;
        if (!isfinite(limit[i].value))
            continue;
        sdw_outlook_breach(&series->outlook, limit[i], predictions, book->settings.horizon_us,
                           book->settings.horizons, &odds);
        bool cold = sdw_outlook_cold(&series->outlook);
        if (cold)
            odds.severity = 0; /* nothing to act on yet */
        if (!worth_saying(book, series, i, &odds))
            continue;
        struct sdw_breach *breach = &out->breach[out->n_breaches++];
        sdw_rec_init(&sdw_breach_schema, breach);
        breach->ts = series->outlook.ts;
        breach->series = sdw_buf_view(&series->name);
        breach->value = series->outlook.value;
        breach->capacity = limit[i].value;
        breach->direction = sdw_str_of(limit[i].below ? "below" : "above");
        breach->severity = odds.severity;
        breach->horizons = say_odds(book, &odds, &book->json[out->n_breaches - 1]);
        breach->eta_us = (struct sdw_range){odds.eta_lo_us, odds.eta_mid_us, odds.eta_hi_us};
        breach->path_id = sdw_book_path(series);
        breach->cold = cold;
    }
}

void sdw_book_say_scores(struct sdw_book *book, struct sdw_followed *series, int64_t ts,
                         struct sdw_foresight *out)
{
    const struct sdw_ensemble_plan *plan = &series->outlook.cohort->plan;
    struct sdw_worth worth[SDW_STEPS_MAX];
    sdw_feedback_score(&series->outlook.feedback, plan, worth);
    for (int i = 0; i < plan->n && out->n_scores < SDW_LEN(book->score); i++) {
        struct sdw_score *score = &book->score[out->n_scores];
        if (worth[i].n == 0)
            continue;
        sdw_rec_init(&sdw_score_schema, score);
        score->ts = ts;
        score->series = sdw_buf_view(&series->name);
        score->horizon_us = plan->steps[i] * plan->step_us;
        score->mase = worth[i].mase;
        score->pinball = worth[i].pinball;
        score->cover95 = worth[i].cover95;
        score->bias = worth[i].bias;
        score->n = worth[i].n;
        out->n_scores++;
    }
    out->score = book->score;
}
