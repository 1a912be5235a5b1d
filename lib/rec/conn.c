#include "rec/conn.h"
#include "rec/table.h"

#define OF sdw_conn
static const struct sdw_field conn_fields[] = {
    F(SDW_STR, series, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "name of the series of the count"),
    FN(SDW_REAL, count, SDW_F_NULL | SDW_F_COLUMN, 0, 1e15, NULL,
       "concurrent connections; null: not known"),
    FN(SDW_REAL, limit, SDW_F_COLUMN, 0, 1e15, NULL, "connections that there is room for"),
    FN(SDW_REAL, new_per_s, SDW_F_COLUMN, 0, 1e15, "1/s", "rate at which connections are made"),
    FN(SDW_REAL, ended_per_s, 0, 0, 1e15, "1/s", "rate at which connections end"),
    FN(SDW_REAL, duration_mean_us, SDW_F_COLUMN, 0, 1e15, "us",
       "how long those that ended were kept, on average"),
    {0},
};
#undef OF

const struct sdw_schema sdw_conn_schema = {
    "conn", "connections that a device keeps track of: how many, of how many, and how they change",
    sizeof(struct sdw_conn), conn_fields};
