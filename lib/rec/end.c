#include "rec/end.h"
#include "rec/table.h"

#define OF sdw_end
static const struct sdw_field end_fields[] = {
    F(SDW_STR, tool, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "the tool that ends"),
    F(SDW_STR, reason, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "why it ends"),
    F(SDW_RAW, counts, SDW_F_COLUMN, NULL, "what it counted: an object of integers"),
    {0},
};
#undef OF

#define OF sdw_loss
static const struct sdw_field loss_fields[] = {
    F(SDW_STR, tool, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "the tool that lost something"),
    F(SDW_STR, where, SDW_F_COLUMN, NULL, "where: kernel, queue, table"),
    F(SDW_STR, reason, SDW_F_COLUMN, NULL, "why, in words"),
    FN(SDW_INT, packets, SDW_F_COLUMN, 0, 1e15, NULL, "packets lost"),
    FN(SDW_INT, records, SDW_F_COLUMN, 0, 1e15, NULL, "records lost"),
    {0},
};
#undef OF

const struct sdw_schema sdw_end_schema = {"end", "the last record of a tool",
                                          sizeof(struct sdw_end), end_fields};
const struct sdw_schema sdw_loss_schema = {"loss", "what the tool itself dropped",
                                           sizeof(struct sdw_loss), loss_fields};
