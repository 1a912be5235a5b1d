#include "net/budget.h"

#include <stdio.h>

#include "core/buf.h"
#include "core/num.h"

/* Columns of /proc/net/dev after the interface's name; octets a packet that are not IP's. */
enum { SENT_COLUMN = 8, ETHERNET = 14 };

/* Live traffic is known only when it is over: aim a little below the share. */
static const double share_margin = 0.85;

static const char table_path[] = "/proc/self/net/dev";

struct sdw_budget sdw_budget_rate(double bps, int64_t total_bytes, int64_t now_ns)
{
    const double burst_s = 2;
    double rate = bps / 8;
    return (struct sdw_budget){.bytes_per_s = rate,
                               .burst_bytes = rate * burst_s,
                               .tokens = rate * burst_s,
                               .total_bytes = total_bytes,
                               .last_ns = now_ns};
}

struct sdw_budget sdw_budget_share(double share, int64_t total_bytes, int64_t now_ns)
{
    return (struct sdw_budget){.share = share, .total_bytes = total_bytes, .last_ns = now_ns};
}

static void refill(struct sdw_budget *budget, int64_t now_ns)
{
    if (now_ns > budget->last_ns) {
        budget->tokens += budget->bytes_per_s * (double)(now_ns - budget->last_ns) / 1e9;
        budget->last_ns = now_ns;
    }
    if (budget->tokens > budget->burst_bytes)
        budget->tokens = budget->burst_bytes;
}

/* Live traffic that rises raises what first looks may have. */
static void lend(struct sdw_budget *budget)
{
    double most =
        budget->burst_bytes < SDW_FIRST_LOOK_BYTES ? budget->burst_bytes : SDW_FIRST_LOOK_BYTES;
    most *= budget->paths;
    if (most > budget->lent) {
        budget->credit += most - budget->lent;
        budget->lent = most;
    }
}

void sdw_budget_live(struct sdw_budget *budget, uint64_t bytes, int64_t now_ns)
{
    refill(budget, now_ns);
    bool first = budget->counted_ns == 0 || bytes < budget->counted_bytes;
    double seconds = (double)(now_ns - budget->counted_ns) / 1e9;
    if (!first && seconds > 0) {
        double own = (double)(budget->spent_bytes - budget->counted_spent);
        double live = ((double)(bytes - budget->counted_bytes) - own) / seconds;
        bool fresh = budget->live_bytes_per_s == 0;
        double weight = fresh ? 1 : 0.3;
        live = live < 0 ? 0 : live;
        budget->live_bytes_per_s += weight * (live - budget->live_bytes_per_s);
        budget->bytes_per_s = share_margin * budget->share * budget->live_bytes_per_s;
        budget->burst_bytes = budget->bytes_per_s * SDW_BUDGET_SAVE_S;
        lend(budget);
    }
    budget->counted_ns = now_ns;
    budget->counted_bytes = bytes;
    budget->counted_spent = budget->spent_bytes;
}

void sdw_budget_spend(struct sdw_budget *budget, int64_t bytes, int64_t now_ns)
{
    refill(budget, now_ns);
    double lent = (double)bytes < budget->credit ? (double)bytes : budget->credit;
    budget->credit -= lent;
    budget->tokens -= (double)bytes - lent;
    budget->spent_bytes += bytes;
}

void sdw_budget_promise(struct sdw_budget *budget, int64_t bytes)
{
    budget->promised_bytes += bytes;
}

int64_t sdw_budget_wait_ns(struct sdw_budget *budget, int64_t bytes, int64_t now_ns)
{
    const int64_t ask_again_ns = 200000000;
    int64_t spoken_for = budget->spent_bytes + budget->promised_bytes;
    if (budget->total_bytes && spoken_for + bytes > budget->total_bytes)
        return INT64_MAX;
    if (budget->credit >= (double)(budget->promised_bytes + bytes))
        return 0;
    refill(budget, now_ns);
    double free_bytes = budget->tokens - (double)budget->promised_bytes;
    /* More than can be saved up is sent when all is saved up, on credit. */
    double need = (double)bytes < budget->burst_bytes ? (double)bytes : budget->burst_bytes;
    if (budget->bytes_per_s <= 0)
        return free_bytes >= (double)bytes ? 0 : ask_again_ns;
    if (free_bytes >= need)
        return 0;
    return (int64_t)((need - free_bytes) / budget->bytes_per_s * 1e9) + 1;
}

/* Take the word at *p, blanks around it left out. */
static struct sdw_str word(const char **p, const char *end)
{
    while (*p < end && (**p == ' ' || **p == '\t'))
        (*p)++;
    const char *start = *p;
    while (*p < end && **p != ' ' && **p != '\t' && **p != ':' && **p != '\n')
        (*p)++;
    return (struct sdw_str){start, (size_t)(*p - start)};
}

bool sdw_live_bytes_of(struct sdw_str table, struct sdw_str interface, uint64_t *bytes)
{
    const char *p = table.p, *end = table.p + table.n;
    while (p < end) {
        struct sdw_str name = word(&p, end);
        if (p < end && *p == ':' && sdw_str_same(name, interface)) {
            p++;
            struct sdw_str column = {0};
            int64_t sent, packets;
            for (int i = 0; i <= SENT_COLUMN; i++)
                column = word(&p, end);
            if (!sdw_num_int(column, &sent) || sent < 0 || !sdw_num_int(word(&p, end), &packets) ||
                packets < 0)
                return false;
            int64_t headers = packets < sent / ETHERNET ? packets * ETHERNET : sent;
            *bytes = (uint64_t)(sent - headers);
            return true;
        }
        while (p < end && *p++ != '\n')
            ;
    }
    return false;
}

int sdw_live_bytes(const char *interfaces, uint64_t *bytes, struct sdw_err *err)
{
    FILE *file = fopen(table_path, "re");
    if (!file)
        return sdw_err_sys(err, "%s", table_path);
    struct sdw_buf text = {0};
    char part[4096];
    size_t n;
    while ((n = fread(part, 1, sizeof part, file)) > 0)
        sdw_buf_add(&text, part, n);
    (void)fclose(file);
    *bytes = 0;
    struct sdw_str name = {0};
    bool found = text.n > 0;
    for (const char *p = interfaces; found && *p; p += name.n + (p[name.n] == ',')) {
        uint64_t one = 0;
        name = (struct sdw_str){p, strcspn(p, ",")};
        found = sdw_live_bytes_of(sdw_buf_view(&text), name, &one);
        *bytes += one;
    }
    sdw_buf_release(&text);
    if (!found)
        return sdw_err_set(err, SDW_EUSAGE, "--live: no interface %.*s here", (int)name.n,
                           name.p ? name.p : interfaces);
    return 0;
}
