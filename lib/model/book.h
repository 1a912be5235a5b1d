/* Inside the book of a forecaster: what its files share. Not for others. */
#ifndef SDW_MODEL_BOOK_H
#define SDW_MODEL_BOOK_H

#include "core/buf.h"
#include "core/map.h"
#include "model/forecast.h"
#include "model/kin.h"
#include "model/leap.h"
#include "model/outlook.h"
#include "model/region.h"
#include "model/tunnel.h"

enum {
    SDW_COHORTS_MAX = 64,
    SDW_SORT_MAX = 32,
    SDW_CORRELATIONS_MAX = 64,
    SDW_REGION_ENDS = 2, /* source and destination */
};

/* What may come with a value: bit i of a cohort's `with` says that i does, in this order. */
enum sdw_with {
    SDW_WITH_LITTLE, /* connections that Little's law comes to */
    SDW_WITH_PARENT, /* the value of the series it adds up to */
    SDW_WITH_EVENT,  /* whether an event is known to come */
    SDW_WITH_DELAY,  /* of the shadow tunnel along its path */
    SDW_WITH_LOSS,
    SDW_WITH_AVAILABLE,
    SDW_WITH_SOURCE,      /* the sum over the series of its source's region, */
    SDW_WITH_DESTINATION, /* and of its destination's */
    SDW_WITH
};

/* A series in a region of its source, or destination. */
struct sdw_membership {
    char *name;                /* of the region; NULL: not known */
    struct sdw_region *region; /* NULL until the step is known */
    struct sdw_region_share share;
};

/* What several series share. */
struct sdw_shared {
    double capacity;           /* NAN: not known */
    int64_t ts;                /* of the book, when it was last heard of */
    struct sdw_tunnel *tunnel; /* of path/ID; NULL: no news of it */
    char *path;                /* of flow/ID: the path it takes; NULL: not known */
};

/* What a series has beside it; few have. */
struct sdw_company {
    char *path; /* it goes along; NULL: not known */
    struct sdw_tunnel_view view;
    struct sdw_membership of[SDW_REGION_ENDS];
};

/* Series of one step whose names end alike learn together. */
struct sdw_book_cohort {
    struct sdw_cohort *cohort;
    char sort[SDW_SORT_MAX]; /* the last part of the names; "": those of any sort */
};

/* A series. */
struct sdw_followed {
    struct sdw_outlook outlook;
    struct sdw_buf name, parent; /* the series it adds up to; empty: none */
    struct sdw_kin *kin;         /* NULL: it has no family */
    struct sdw_company *company; /* NULL: none */
    bool has_metric;             /* metrics came, so verdicts give no values */
    bool parent_ruled;           /* the parent is, or was, by the settings' rules */
    bool followed;               /* the glob matches */
    bool rejoins;                /* while a state is loaded: it had joined its parent */
    bool refused;                /* no plan can be made for its step: its trend is all there is */
    uint16_t alarmed;            /* bit i: limit i was said to be crossed */
    bool waits;      /* for members of its family to come to the step, to forecast with them */
    bool due;        /* a forecast is to be said, when the family is complete */
    int64_t unsaid;  /* values since the last forecast */
    double capacity; /* of a record's own field; NAN: none */
    double ruled;    /* its capacity by the settings' rules; NAN: none */
    double rate, duration_us; /* of new connections, from its companions; NAN: not known */
};

struct sdw_book {
    struct sdw_forecast_settings settings;
    struct sdw_map series;  /* struct sdw_followed by name */
    struct sdw_map shared;  /* struct sdw_shared by what names begin with: path/ID, link/a-b */
    struct sdw_map regions; /* struct sdw_region, by end, region, sort and step */
    size_t on_paths;        /* series that have named their path */
    struct sdw_book_cohort cohort[SDW_COHORTS_MAX];
    size_t cohorts;
    int64_t newest, swept, resume; /* record times; INT64_MIN: none */
    struct sdw_leap leap;
    struct sdw_buf name, joined, json[SDW_BREACHES_MAX];
    struct sdw_forecast *said; /* of the value being learned, and their texts */
    struct sdw_buf *said_json;
    size_t n_said, said_cap, json_cap;
    struct sdw_score score[SDW_HORIZONS_MAX];
    struct sdw_correlation correlation[SDW_CORRELATIONS_MAX];
    struct sdw_book_counts counts;
    uint64_t born; /* members of families so far */
};

/* The part of a name before its last '/', and the part after. */
struct sdw_str sdw_name_head(struct sdw_str name);
struct sdw_str sdw_name_tail(struct sdw_str name);

/* forecast_intake.c */
/* A text among the members of a record or its labels, as it stands between its quotes; empty when
 * there is none. */
struct sdw_str sdw_line_text(struct sdw_str line, const char *key);

/* forecast_shared.c */
/* The entry for names that begin with head, heard of now; NULL when the map is full. */
struct sdw_shared *sdw_book_shared_at(struct sdw_book *book, struct sdw_str head);
void sdw_book_shared_free(struct sdw_shared *shared);
struct sdw_tunnel *sdw_shared_tunnel(struct sdw_shared *shared);
/* That of a path; NULL: nothing was heard of it. */
const struct sdw_shared *sdw_book_shared_path(struct sdw_book *book, struct sdw_str path_id);
/* A value of a series that is the capacity of others: path/ID/capacity_bps. */
void sdw_book_learn_capacity(struct sdw_book *book, struct sdw_str series, double value);
/* The capacity of the series whose names begin with head. */
void sdw_book_path_capacity(struct sdw_book *book, struct sdw_str head, double value);
/* What another series gave as the capacity of this one; NAN: none. */
double sdw_book_shared_capacity(const struct sdw_book *book, struct sdw_str series);
/* What a sample says of a path, or of which path a flow takes. */
void sdw_book_learn_path(struct sdw_book *book, const struct sdw_sample *sample);
/* Forget what was not heard of for as long as a series is kept, and is needed by none. */
void sdw_book_sweep_shared(struct sdw_book *book);

/* forecast_limits.c */
/* The limits that hold for a series now; their order is fixed, so that bit i of alarmed is one
 * limit's for ever. One that is not known is NAN. */
size_t sdw_book_limits(const struct sdw_book *book, const struct sdw_followed *series,
                       struct sdw_limit limit[SDW_BREACHES_MAX]);
struct sdw_str sdw_book_path(const struct sdw_followed *series);

/* forecast_say.c */
/* The forecast of a series, now or with its family; due: as a record. What is not said is judged
 * too. predictions[SDW_STEPS_MAX]: its own, of a mature series. */
void sdw_book_forecast(struct sdw_book *book, struct sdw_followed *series, bool due,
                       struct sdw_prediction *predictions);
/* A step is about to be learned: what waits for members of the family waits no longer. */
void sdw_book_forecast_before(struct sdw_book *book, struct sdw_followed *series, int64_t index);
void sdw_book_say_breaches(struct sdw_book *book, struct sdw_followed *series,
                           const struct sdw_prediction *predictions, struct sdw_foresight *out);
void sdw_book_say_scores(struct sdw_book *book, struct sdw_followed *series, int64_t ts,
                         struct sdw_foresight *out);

/* forecast.c */
/* The entry for a series; NULL when the book is full. */
struct sdw_followed *sdw_book_series_at(struct sdw_book *book, struct sdw_str name);
/* The cohort of a series with this step; NULL when no plan can be made for it. */
struct sdw_cohort *sdw_book_cohort_at(struct sdw_book *book, struct sdw_str name, int64_t step_us,
                                      unsigned with);

/* forecast_family.c */
void sdw_book_name_parent(struct sdw_followed *series, struct sdw_str parent);
/* The parent of a series that is loaded is the one that was saved, unless the settings have another
 * rule for it now: false when they do. */
bool sdw_book_load_parent(struct sdw_followed *series, struct sdw_str saved);
/* Join the series to its parent as soon as both can be. */
void sdw_book_join(struct sdw_book *book, struct sdw_followed *series);
void sdw_book_say_correlations(struct sdw_book *book, struct sdw_followed *parent, int64_t ts,
                               struct sdw_foresight *out);

/* forecast_regions.c */
/* What a record says of the regions of its series; then, with the step known, join them. */
void sdw_book_name_regions(struct sdw_book *book, struct sdw_followed *series, struct sdw_str line);
void sdw_book_join_regions(struct sdw_book *book, struct sdw_followed *series);
/* Leave them, before the series is forgotten. */
void sdw_book_leave_regions(struct sdw_book *book, struct sdw_followed *series);
void sdw_book_learn_regions(struct sdw_followed *series, const struct sdw_grid_step *step);
void sdw_membership_name(struct sdw_membership *membership, struct sdw_str region);

/* forecast_companions.c */
struct sdw_company *sdw_book_company(struct sdw_followed *series);
/* What a record says of its series' company: path and regions. For a series whose step is not
 * known. */
void sdw_book_meet(struct sdw_book *book, struct sdw_followed *series, struct sdw_str line);
void sdw_book_part(struct sdw_book *book, struct sdw_followed *series);
void sdw_company_name_path(struct sdw_book *book, struct sdw_followed *series, struct sdw_str path);
/* What comes with the series' values: bits of enum sdw_with. */
unsigned sdw_book_companions(const struct sdw_book *book, const struct sdw_followed *series);
/* Those of its newest value, as its cohort has them. */
void sdw_book_with(struct sdw_book *book, struct sdw_followed *series,
                   const struct sdw_grid_step *step, double with[SDW_WITH]);
/* A value of a series that says something of another: connections made, and how long they last. */
void sdw_book_learn_connections(struct sdw_book *book, struct sdw_str series, double value);

#endif
