#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/buf.h"
#include "io/emit.h"

/* Three types: one plain, one with a range, one with horizons. */
static const char *column_of(struct sdw_str type, size_t i, enum sdw_column_shape *shape)
{
    static const char *const hop[] = {"hop", "addr", NULL};
    static const char *const verdict[] = {"state", "available_bps", NULL};
    *shape = SDW_COLUMN_PLAIN;
    if (sdw_str_is(type, "hop") && i < 2)
        return hop[i];
    if (sdw_str_is(type, "verdict") && i < 2) {
        *shape = i == 1 ? SDW_COLUMN_RANGE : SDW_COLUMN_PLAIN;
        return verdict[i];
    }
    if (sdw_str_is(type, "forecast") && i == 0) {
        *shape = SDW_COLUMN_HORIZONS;
        return "horizons";
    }
    return NULL;
}

static char path[] = "/tmp/sdw-emit-XXXXXX";
static char written[16384];

/* What comes out for these records (NULL-ended). */
static const char *emit(enum sdw_format format, const char *main_type, const char *const *types,
                        bool color, const char *const *lines)
{
    int fd = open(path, O_RDWR | O_TRUNC | O_CLOEXEC);
    struct sdw_err err = {0};
    struct sdw_out *out = sdw_out_new(fd, -1);
    struct sdw_emitter *emitter = sdw_emitter_new(out, format, main_type, types, column_of, color);
    int rc = 0;
    for (; *lines && rc == 0; lines++)
        rc = (*lines)[0] ? sdw_emit(emitter, sdw_str_of(*lines), &err)
                         : sdw_emit_flush(emitter, &err);
    if (rc == 0)
        rc = sdw_emit_flush(emitter, &err);
    sdw_emitter_free(emitter);
    sdw_out_free(out);
    ssize_t n = pread(fd, written, sizeof written - 1, 0);
    written[n > 0 ? n : 0] = '\0';
    close(fd);
    return rc < 0 ? "(an error)" : written;
}

#define LINES (const char *const[])
#define HOP1  "{\"type\":\"hop\",\"v\":1,\"ts\":0,\"hop\":1,\"addr\":\"10.0.0.1\"}"
#define HOP2  "{\"type\":\"hop\",\"v\":1,\"ts\":1500000,\"hop\":12,\"addr\":\"fd00::1\"}"
#define CLEAR                                                                                      \
    "{\"type\":\"verdict\",\"v\":1,\"ts\":0,\"state\":\"clear\",\"available_bps\":"                \
    "{\"lo\":1,\"mid\":2.5,\"hi\":null}}"
#define FORECAST                                                                                   \
    "{\"type\":\"forecast\",\"v\":1,\"ts\":0,\"horizons\":[{\"horizon_us\":900000000,\"mean\":1,"  \
    "\"q\":{\"0.025\":-1200,\"0.1\":0,\"0.5\":6626480000,\"0.9\":7,\"0.975\":7.1e9}},"             \
    "{\"horizon_us\":3600000000,\"q\":{\"0.025\":0,\"0.5\":0,\"0.975\":0}}]}"
#define ODDS                                                                                       \
    "{\"type\":\"forecast\",\"v\":1,\"ts\":0,\"horizons\":[{\"horizon_us\":3600000000,"            \
    "\"p\":0.00129},{\"horizon_us\":172800000000}]}"
#define BARE  "{\"type\":\"forecast\",\"v\":1,\"ts\":0,\"horizons\":[1,{}]}"
#define OTHER "{\"type\":\"x\",\"v\":1,\"ts\":0,\"a\":\"p,q\",\"b\":[1],\"c\":null}"

static void ndjson(void)
{
    is_text(emit(SDW_FORMAT_NDJSON, "hop", NULL, false, LINES{HOP1, OTHER, CLEAR, NULL}),
            HOP1 "\n" OTHER "\n" CLEAR "\n", "NDJSON is every record, byte for byte");
    is_text(emit(SDW_FORMAT_NDJSON, "hop", LINES{"x", "verdict", NULL}, false,
                 LINES{HOP1, OTHER, CLEAR, NULL}),
            OTHER "\n" CLEAR "\n", "types asked for are let through, in order");
    is_text(emit(SDW_FORMAT_AUTO, "hop", NULL, false, LINES{HOP1, NULL}), HOP1 "\n",
            "AUTO is NDJSON when standard output is no terminal");
}

static void table(void)
{
    is_text(emit(SDW_FORMAT_TABLE, "hop", NULL, false, LINES{HOP1, CLEAR, HOP2, NULL}),
            "time          hop  addr\n"
            "00:00:00.000    1  10.0.0.1\n"
            "00:00:01.500   12  fd00::1\n",
            "a table shows the main type, aligned, under one header");
    is_text(emit(SDW_FORMAT_TABLE, "hop", LINES{"verdict", "hop", NULL}, false,
                 LINES{HOP1, CLEAR, NULL}),
            "time          hop  addr\n"
            "00:00:00.000    1  10.0.0.1\n"
            "\n"
            "                     available_\n"
            "time          state  bps\n"
            "00:00:00.000  clear  2.5 [1, -]\n",
            "each type has its own header, long keys broken behind _");
    is_text(emit(SDW_FORMAT_TABLE, NULL, NULL, false, LINES{OTHER, NULL}),
            "time          a    c\n"
            "00:00:00.000  p,q  -\n",
            "an unknown type shows its scalar members");
    is_text(emit(SDW_FORMAT_TABLE, "hop", NULL, false, LINES{HOP1, "", HOP2, NULL}),
            "time          hop  addr\n"
            "00:00:00.000    1  10.0.0.1\n"
            "00:00:01.500   12  fd00::1\n",
            "a slow stream stays aligned, without a second header");
    is_text(emit(SDW_FORMAT_TABLE, "verdict", NULL, true, LINES{CLEAR, NULL}),
            "                     \33[1mavailable_\33[0m\n"
            "\33[1mtime\33[0m          \33[1mstate\33[0m  \33[1mbps\33[0m\n"
            "00:00:00.000  \33[32mclear\33[0m  2.5 [1, -]\n",
            "states have colours where asked for");
    is_text(emit(SDW_FORMAT_TABLE, "forecast", NULL, false, LINES{FORECAST, ODDS, BARE, NULL}),
            "time          horizons\n"
            "00:00:00.000  15 min 6.63G [-1.2k, 7.1G]; 1 h 0 [0, 0]\n"
            "00:00:00.000  1 h 0.00129; 2 d -\n"
            "00:00:00.000  -\n",
            "what is foreseen is said short, whatever of it there is");
    is_text(emit(SDW_FORMAT_CSV, "forecast", NULL, false, LINES{ODDS, NULL}),
            "ts,horizons\r\n0,\"[{\"\"horizon_us\"\":3600000000,\"\"p\"\":0.00129},"
            "{\"\"horizon_us\"\":172800000000}]\"\r\n",
            "and stands whole in a csv");
    is_text(emit(SDW_FORMAT_TABLE, "hop", NULL, false, LINES{CLEAR, NULL}), "",
            "without rows there is no header");
}

static void csv(void)
{
    is_text(emit(SDW_FORMAT_CSV, "verdict", NULL, false, LINES{CLEAR, HOP1, NULL}),
            "ts,state,available_bps.lo,available_bps.mid,available_bps.hi\r\n"
            "0,clear,1,2.5,\r\n",
            "csv splits a range and leaves null empty");
    is_text(
        emit(SDW_FORMAT_CSV, "hop", LINES{"hop", "verdict", NULL}, false, LINES{HOP2, CLEAR, NULL}),
        "type,ts,hop,addr,state,available_bps.lo,available_bps.mid,available_bps.hi\r\n"
        "hop,1500000,12,fd00::1,,,,\r\n"
        "verdict,0,,,clear,1,2.5,\r\n",
        "several types share one header");
    is_text(emit(SDW_FORMAT_CSV, NULL, NULL, false,
                 LINES{"{\"type\":\"x\",\"a\":\"say \\\"hi\\\"\\n\",\"b\":\"p,q\"}", HOP1, NULL}),
            "ts,a,b\r\n,\"say \"\"hi\"\"\n\",\"p,q\"\r\n", "quotes are as in RFC 4180");
}

static void limits(void)
{
    struct sdw_buf row = {0};
    struct sdw_err err = {0};
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct sdw_out *out = sdw_out_new(fd, -1);
    struct sdw_emitter *emitter =
        sdw_emitter_new(out, SDW_FORMAT_TABLE, "hop", NULL, column_of, false);
    ok(sdw_emit(emitter, sdw_str_of(HOP1), &err) == 0 && sdw_emit_flush(emitter, &err) == SDW_ESYS,
       "a full disk is an error of the flush");
    sdw_emitter_free(emitter);
    sdw_out_free(out);
    close(fd);

    sdw_buf_text(&row, "{\"type\":\"hop\",\"v\":1,\"ts\":0,\"hop\":1,\"addr\":\"");
    for (int i = 0; i < 12000; i++)
        sdw_buf_char(&row, 'a');
    sdw_buf_text(&row, "\"}");
    const char *text = emit(SDW_FORMAT_TABLE, "hop", NULL, false, LINES{row.p, NULL});
    ok(strlen(text) > 12000, "a value is not shortened outside a terminal");
    sdw_buf_release(&row);
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    setenv("TZ", "UTC", 1);
    ndjson();
    table();
    csv();
    limits();
    unlink(path);
    return tap_done();
}
