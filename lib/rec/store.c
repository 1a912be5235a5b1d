#include "rec/store.h"
#include "rec/table.h"

static const char *const kinds[] = {"catalogue", "log", "segment", "quarantine", NULL};
static const char *const states[] = {"good", "torn", "damaged", NULL};

#define OF sdw_stored
static const struct sdw_field stored_fields[] = {
    F(SDW_STR, store, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "the store"),
    FN(SDW_INT, points, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 1e15, NULL,
       "points that are durable, since the tool started"),
    FN(SDW_INT, replaced, SDW_F_COLUMN, 0, 1e15, NULL, "of them in place of one of the same time"),
    FN(SDW_INT, refused, SDW_F_COLUMN, 0, 1e15, NULL, "points refused: too late or in the future"),
    FN(SDW_INT, series, SDW_F_COLUMN, 0, 1e15, NULL, "series in the store"),
    {0},
};
#undef OF

#define OF sdw_part
static const struct sdw_field part_fields[] = {
    F(SDW_STR, store, SDW_F_REQUIRED, NULL, "the store"),
    F(SDW_STR, part, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "name of the file"),
    FV(kind, SDW_F_REQUIRED | SDW_F_COLUMN, kinds, "what it is"),
    FN(SDW_INT, level, SDW_F_COLUMN, 0, 3, NULL,
       "0 points as they came; rollups: 1 a minute, 2 an hour, 3 a day"),
    FN(SDW_INT, series, SDW_F_COLUMN, 0, 1e15, NULL, "series in it"),
    FN(SDW_INT, points, SDW_F_COLUMN, 0, 1e15, NULL, "points in it"),
    FN(SDW_INT, bytes, SDW_F_COLUMN, 0, 1e15, "bytes", "its size"),
    FN(SDW_INT, from_us, 0, 0, 0, "us", "oldest time in it"),
    FN(SDW_INT, to_us, 0, 0, 0, "us", "newest time in it"),
    FV(state, SDW_F_REQUIRED | SDW_F_COLUMN, states,
       "torn: its end was not acknowledged and does not count"),
    F(SDW_STR, reason, SDW_F_COLUMN, NULL, "what is wrong with it"),
    {0},
};
#undef OF

#define OF sdw_hole
static const struct sdw_field hole_fields[] = {
    F(SDW_STR, store, SDW_F_REQUIRED, NULL, "the store"),
    F(SDW_STR, series, SDW_F_COLUMN, NULL, "which series; null: any, the part's index is damaged"),
    F(SDW_RAW, labels, 0, NULL, "its labels, if it has any"),
    FN(SDW_INT, level, SDW_F_COLUMN, 0, 3, NULL,
       "0 points as they came; rollups: 1 a minute, 2 an hour, 3 a day"),
    FN(SDW_INT, points, SDW_F_COLUMN, 0, 1e15, NULL, "points that are lost"),
    FN(SDW_INT, from_us, SDW_F_COLUMN, 0, 0, "us", "oldest time of them"),
    FN(SDW_INT, to_us, SDW_F_COLUMN, 0, 0, "us", "newest time of them"),
    F(SDW_STR, kept, SDW_F_COLUMN, NULL, "file of the store that keeps their bytes"),
    {0},
};
#undef OF

const struct sdw_schema sdw_stored_schema = {"stored", "points that are durable from now on",
                                             sizeof(struct sdw_stored), stored_fields};
const struct sdw_schema sdw_part_schema = {"part", "one file of a store", sizeof(struct sdw_part),
                                           part_fields};
const struct sdw_schema sdw_hole_schema = {"hole", "points of a series that damage cost",
                                           sizeof(struct sdw_hole), hole_fields};
