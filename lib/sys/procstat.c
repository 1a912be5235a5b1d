#include "sys/procstat.h"
#include "core/num.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int sdw_proc_read(const char *path, char room[SDW_PROC_ROOM], struct sdw_str *text,
                  struct sdw_err *err)
{
    size_t n = 0;
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == EOPNOTSUPP))
        return sdw_err_set(err, SDW_ENO, "%s: not on this kernel", path);
    if (fd < 0)
        return sdw_err_sys(err, "%s", path);
    while (got > 0 && n < SDW_PROC_ROOM - 1) {
        got = read(fd, room + n, SDW_PROC_ROOM - 1 - n);
        n += got > 0 ? (size_t)got : 0;
    }
    int code = 0;
    if (got < 0) /* a kernel may have pressure files and refuse to fill them */
        code = errno == EOPNOTSUPP ? sdw_err_set(err, SDW_ENO, "%s: switched off", path)
                                   : sdw_err_sys(err, "%s", path);
    close(fd);
    room[n] = '\0';
    *text = (struct sdw_str){room, n};
    return code;
}

/* Cut the next line, or the next word of a line, off the front of *text. False at the end. */
static bool cut(struct sdw_str *text, bool words, struct sdw_str *out)
{
    while (words && text->n > 0 && (*text->p == ' ' || *text->p == '\t' || *text->p == '\n')) {
        text->p++;
        text->n--;
    }
    if (text->n == 0)
        return false;
    size_t n = 0;
    while (n < text->n && text->p[n] != '\n' &&
           !(words && (text->p[n] == ' ' || text->p[n] == '\t')))
        n++;
    *out = (struct sdw_str){text->p, n};
    n += n < text->n;
    text->p += n;
    text->n -= n;
    return true;
}

/* Digits alone, in base 10 or 16, that fit. */
static bool to_number(struct sdw_str word, unsigned base, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 99;
        if (digit >= base || value > (UINT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = value;
    return word.n > 0;
}

bool sdw_cpu_parse(struct sdw_str text, struct sdw_cpu_count *out)
{
    struct sdw_str word;
    uint64_t ticks[8] = {
        0}; /* user nice system idle iowait irq softirq steal; guests are in user */
    size_t n = 0;
    if (!cut(&text, true, &word) || !sdw_str_is(word, "cpu"))
        return false;
    while (n < SDW_LEN(ticks) && cut(&text, true, &word) && to_number(word, 10, &ticks[n]))
        n++;
    if (n < 4)
        return false;
    *out =
        (struct sdw_cpu_count){.idle = ticks[3] + ticks[4], .softirq = ticks[6], .steal = ticks[7]};
    for (size_t i = 0; i < n; i++)
        out->total += ticks[i];
    return true;
}

bool sdw_memory_parse(struct sdw_str text, struct sdw_memory *out)
{
    static const struct {
        const char *key;
        size_t offset;
    } keys[] = {
        {"MemTotal:", offsetof(struct sdw_memory, total_bytes)},
        {"MemAvailable:", offsetof(struct sdw_memory, available_bytes)},
        {"SwapTotal:", offsetof(struct sdw_memory, swap_total_bytes)},
        {"SwapFree:", offsetof(struct sdw_memory, swap_free_bytes)},
    };
    struct sdw_str line, key, value;
    bool available = false;
    *out = (struct sdw_memory){0};
    while (cut(&text, false, &line)) {
        if (!cut(&line, true, &key) || !cut(&line, true, &value))
            continue;
        for (size_t i = 0; i < SDW_LEN(keys); i++) {
            uint64_t kib;
            if (!sdw_str_is(key, keys[i].key) || !to_number(value, 10, &kib) ||
                kib > UINT32_MAX * UINT64_C(1024))
                continue;
            *(uint64_t *)(void *)((char *)out + keys[i].offset) = kib * 1024;
            available |= i == 1;
        }
    }
    return out->total_bytes > 0 && available && out->available_bytes <= out->total_bytes;
}

bool sdw_pressure_parse(struct sdw_str text, struct sdw_pressure *out)
{
    struct sdw_str line, kind, word;
    bool some = false;
    *out = (struct sdw_pressure){0};
    while (cut(&text, false, &line)) {
        uint64_t us;
        if (!cut(&line, true, &kind))
            continue;
        while (cut(&line, true, &word)) {
            if (word.n <= 6 || memcmp(word.p, "total=", 6) != 0 ||
                !to_number((struct sdw_str){word.p + 6, word.n - 6}, 10, &us))
                continue;
            if (sdw_str_is(kind, "some")) {
                out->some_us = us;
                some = true;
            } else if (sdw_str_is(kind, "full")) {
                out->full_us = us;
            }
        }
    }
    return some;
}

bool sdw_softnet_parse(struct sdw_str text, struct sdw_softnet *out)
{
    struct sdw_str line, word;
    size_t lines = 0;
    *out = (struct sdw_softnet){0};
    for (; cut(&text, false, &line); lines++) {
        uint64_t n[3];
        for (size_t i = 0; i < 3; i++)
            if (!cut(&line, true, &word) || !to_number(word, 16, &n[i]) || n[i] > UINT32_MAX)
                return false;
        out->packets += n[0];
        out->dropped += n[1];
        out->squeezed += n[2];
    }
    return lines > 0;
}

bool sdw_proc_number(struct sdw_str text, int64_t *out)
{
    struct sdw_str word, more;
    return cut(&text, true, &word) && !cut(&text, true, &more) && sdw_num_int(word, out);
}
