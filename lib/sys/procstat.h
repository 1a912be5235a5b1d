/*
 * How busy this machine is, from /proc. Each parser takes the text of one file and returns false
 * when it is not that kind of text; counts are since boot.
 */
#ifndef SDW_SYS_PROCSTAT_H
#define SDW_SYS_PROCSTAT_H

#include "core/base.h"
#include "core/err.h"

enum { SDW_PROC_ROOM = 65536 };

/* The text of a small file, NUL-terminated; SDW_ENO when this kernel has no such file. */
int sdw_proc_read(const char *path, char room[SDW_PROC_ROOM], struct sdw_str *text,
                  struct sdw_err *err);

/* /proc/stat: ticks of all processors together. */
struct sdw_cpu_count {
    uint64_t total, idle, softirq, steal; /* idle: waiting for I/O too */
};
bool sdw_cpu_parse(struct sdw_str text, struct sdw_cpu_count *out);

/* /proc/meminfo */
struct sdw_memory {
    uint64_t total_bytes, available_bytes, swap_total_bytes, swap_free_bytes;
};
bool sdw_memory_parse(struct sdw_str text, struct sdw_memory *out);

/* /proc/pressure/...: time that some, or all, waited for the resource. */
struct sdw_pressure {
    uint64_t some_us, full_us;
};
bool sdw_pressure_parse(struct sdw_str text, struct sdw_pressure *out);

/* /proc/net/softnet_stat: packets of all processors, backlog full, and rounds cut short. */
struct sdw_softnet {
    uint64_t packets, dropped, squeezed;
};
bool sdw_softnet_parse(struct sdw_str text, struct sdw_softnet *out);

/* A file that holds one number, as those of /proc/sys do. */
bool sdw_proc_number(struct sdw_str text, int64_t *out);

#endif
