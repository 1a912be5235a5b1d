#include "net/collect_host.h"
#include "core/counter.h"
#include "core/mem.h"
#include "sys/procstat.h"

#include <math.h>
#include <stdlib.h>

enum { RESOURCES = 3 };

static const char *const resources[RESOURCES] = {"cpu", "memory", "io"};
static const char *const pressure_files[RESOURCES] = {"/proc/pressure/cpu", "/proc/pressure/memory",
                                                      "/proc/pressure/io"};

struct load {
    int64_t seen_ns;
    struct sdw_counter total, idle, softirq, steal;
    struct sdw_counter some[RESOURCES], full[RESOURCES];
    struct sdw_counter packets, dropped, squeezed;
    char room[SDW_PROC_ROOM];
};

/* 0 and the text; 1 when this kernel has no such file. */
static int read_file(struct load *load, const char *path, struct sdw_str *text, struct sdw_err *err)
{
    int code = sdw_proc_read(path, load->room, text, err);
    return code == SDW_ENO ? 1 : code;
}

static int not_known(struct sdw_err *err, const char *path)
{
    return sdw_err_set(err, SDW_ESYS, "%s is not what it is on other kernels", path);
}

/* Shares of the time of all processors. */
static int read_cpu(struct load *load, struct sdw_metrics *metrics, struct sdw_err *err)
{
    struct sdw_cpu_count cpu;
    struct sdw_str text;
    int code = read_file(load, "/proc/stat", &text, err);
    if (code != 0)
        return code < 0 ? code : 0;
    if (!sdw_cpu_parse(text, &cpu))
        return not_known(err, "/proc/stat");
    uint64_t total, part;
    struct {
        struct sdw_counter *counter;
        uint64_t now;
        const char *name;
    } parts[] = {{&load->idle, cpu.idle, "idle"},
                 {&load->softirq, cpu.softirq, "softirq"},
                 {&load->steal, cpu.steal, "steal"}};
    bool known = sdw_counter_read(&load->total, cpu.total, 64, 0, &total) == SDW_COUNTER_GREW;
    for (size_t i = 0; i < SDW_LEN(parts); i++) {
        /* idle time may step back by a tick when a processor is switched off: nothing then */
        bool grew =
            sdw_counter_read(parts[i].counter, parts[i].now, 64, 0, &part) == SDW_COUNTER_GREW;
        if (!known || !grew || total == 0 || part > total)
            continue;
        double share = (double)part / (double)total;
        if (i == 0)
            sdw_metrics_put(metrics, 1 - share, "host/cpu/busy_share");
        else
            sdw_metrics_put(metrics, share, "host/cpu/%s_share", parts[i].name);
    }
    return 0;
}

static int read_memory(struct load *load, struct sdw_metrics *metrics, struct sdw_err *err)
{
    struct sdw_memory memory;
    struct sdw_str text;
    int code = read_file(load, "/proc/meminfo", &text, err);
    if (code != 0)
        return code < 0 ? code : 0;
    if (!sdw_memory_parse(text, &memory))
        return not_known(err, "/proc/meminfo");
    sdw_metrics_put(metrics, (double)memory.available_bytes, "host/memory/available_bytes");
    sdw_metrics_put(metrics, (double)memory.available_bytes / (double)memory.total_bytes,
                    "host/memory/available_share");
    if (memory.swap_total_bytes > 0 && memory.swap_free_bytes <= memory.swap_total_bytes)
        sdw_metrics_put(metrics,
                        1 - (double)memory.swap_free_bytes / (double)memory.swap_total_bytes,
                        "host/memory/swap_used_share");
    return 0;
}

static int read_pressure(struct load *load, struct sdw_metrics *metrics, int64_t elapsed_ns,
                         struct sdw_err *err)
{
    for (size_t i = 0; i < RESOURCES; i++) {
        struct sdw_pressure pressure;
        struct sdw_str text;
        int code = read_file(load, pressure_files[i], &text, err);
        if (code < 0)
            return code;
        if (code > 0)
            continue;
        if (!sdw_pressure_parse(text, &pressure))
            return not_known(err, pressure_files[i]);
        double some = sdw_counter_rate(&load->some[i], pressure.some_us, 64, 0, elapsed_ns) / 1e6;
        double full = sdw_counter_rate(&load->full[i], pressure.full_us, 64, 0, elapsed_ns) / 1e6;
        /* The kernel adds up at moments of its own, so that a short interval may hold more. */
        sdw_metrics_put(metrics, isnan(some) ? some : fmin(some, 1), "host/pressure/%s_some_share",
                        resources[i]);
        sdw_metrics_put(metrics, isnan(full) ? full : fmin(full, 1), "host/pressure/%s_full_share",
                        resources[i]);
    }
    return 0;
}

static int read_softnet(struct load *load, struct sdw_metrics *metrics, int64_t elapsed_ns,
                        struct sdw_err *err)
{
    struct sdw_softnet softnet;
    struct sdw_str text;
    int code = read_file(load, "/proc/net/softnet_stat", &text, err);
    if (code != 0)
        return code < 0 ? code : 0;
    if (!sdw_softnet_parse(text, &softnet))
        return not_known(err, "/proc/net/softnet_stat");
    struct {
        struct sdw_counter *counter;
        uint64_t now;
        const char *name;
    } parts[] = {{&load->packets, softnet.packets, "pps"},
                 {&load->dropped, softnet.dropped, "dropped_per_s"},
                 {&load->squeezed, softnet.squeezed, "squeezed_per_s"}};
    for (size_t i = 0; i < SDW_LEN(parts); i++)
        sdw_metrics_put(metrics,
                        sdw_counter_rate(parts[i].counter, parts[i].now, 64, 0, elapsed_ns),
                        "host/softnet/%s", parts[i].name);
    return 0;
}

static int tick(struct sdw_ctx *ctx, void *state, struct sdw_moment now)
{
    struct load *load = state;
    struct sdw_metrics metrics = {.ctx = ctx, .ts = now.wall_us};
    int64_t elapsed_ns = load->seen_ns ? now.mono_ns - load->seen_ns : 0;
    load->seen_ns = now.mono_ns;
    int code = read_cpu(load, &metrics, &ctx->err);
    if (code == 0)
        code = read_memory(load, &metrics, &ctx->err);
    if (code == 0)
        code = read_pressure(load, &metrics, elapsed_ns, &ctx->err);
    if (code == 0)
        code = read_softnet(load, &metrics, elapsed_ns, &ctx->err);
    return code < 0 ? code : metrics.code;
}

static const struct sdw_source_kind kind = {.tick = tick, .free = free};

int sdw_collect_load(struct sdw_collect *collect, struct sdw_err *err)
{
    return sdw_collect_add(collect, &kind, sdw_xalloc(sizeof(struct load)), err);
}
