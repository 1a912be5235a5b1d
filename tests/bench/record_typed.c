/* What a tool does with each record: decode seven of its fields into a struct, write a new record
 * from them. Reads the records of record_gen, for tests/bench/record.sh. */
#include "io/line.h"
#include "io/out.h"
#include "rec/rec.h"
#include "rec/table.h"

#include <stdio.h>

struct reply {
    int64_t ts;
    struct sdw_str src, dst, addr;
    int64_t hop, seq, rtt_us;
    double gap_us;
};

#define OF reply
static const struct sdw_field reply_fields[] = {
    F(SDW_STR, src, SDW_F_REQUIRED, NULL, "source address"),
    F(SDW_STR, dst, SDW_F_REQUIRED, NULL, "destination address"),
    FN(SDW_INT, hop, SDW_F_REQUIRED, 1, 255, NULL, "distance from the source"),
    F(SDW_STR, addr, 0, NULL, "address of the hop"),
    FN(SDW_INT, seq, SDW_F_REQUIRED, 0, 1e12, NULL, "number of the packet"),
    FN(SDW_INT, rtt_us, SDW_F_REQUIRED, 0, 1e12, "us", "round-trip time"),
    F(SDW_REAL, gap_us, 0, "us", "gap to the packet before"),
    {0},
};
#undef OF

static const struct sdw_schema reply_schema = {"reply", "an answer to a probe",
                                               sizeof(struct reply), reply_fields};

static int copy(struct sdw_reader *in, struct sdw_out *out, struct sdw_err *err)
{
    struct sdw_arena arena = {0};
    struct sdw_buf record = {0};
    struct sdw_str line;
    int r;
    while ((r = sdw_reader_next(in, &line, err)) > 0) {
        struct reply reply;
        sdw_arena_reset(&arena);
        sdw_buf_clear(&record);
        r = sdw_rec_decode(&reply_schema, line, &arena, &reply, err);
        if (r < 0)
            break;
        sdw_rec_encode(&reply_schema, &reply, &record);
        r = sdw_out_line(out, sdw_buf_view(&record), err);
        if (r < 0)
            break;
    }
    sdw_arena_release(&arena);
    sdw_buf_release(&record);
    return r < 0 ? r : sdw_out_flush(out, err);
}

int main(void)
{
    struct sdw_err err = {0};
    struct sdw_reader *in = sdw_reader_new(0, "standard input");
    struct sdw_out *out = sdw_out_new(1, -1);
    int r = copy(in, out, &err);
    if (r < 0)
        fprintf(stderr, "record_typed: %s\n", err.text);
    sdw_reader_free(in);
    sdw_out_free(out);
    return sdw_err_exit_status(r);
}
