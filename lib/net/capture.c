#include "net/capture.h"
#include "core/mem.h"
#include "net/packet.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_MS = 5, BUFFER_BYTES = 64 << 20, FILE_BYTES = 256 << 10 };
static const int64_t last_second = INT64_C(1) << 33; /* what a broken file may claim ends here */

struct sdw_capture {
    pcap_t *pcap;
    const char *name;
    bool live;
    size_t snap;
    uint64_t lost;
    uint32_t lost_seen; /* by pcap's counter */
    sdw_capture_each *each;
    void *arg;
};

static int open_live(struct sdw_capture *capture, const struct sdw_capture_config *config,
                     struct sdw_err *err)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    capture->pcap = pcap_create(config->interface, why);
    if (!capture->pcap)
        return sdw_err_set(err, SDW_ESYS, "cannot capture on %s: %s", config->interface, why);
    pcap_set_snaplen(capture->pcap, config->snap);
    pcap_set_promisc(capture->pcap, 1);
    pcap_set_timeout(capture->pcap, BLOCK_MS);
    pcap_set_immediate_mode(capture->pcap, config->immediate);
    pcap_set_buffer_size(capture->pcap, BUFFER_BYTES);
    pcap_set_tstamp_precision(capture->pcap, PCAP_TSTAMP_PRECISION_NANO);
    int status = pcap_activate(capture->pcap);
    if (status < 0) {
        bool denied = status == PCAP_ERROR_PERM_DENIED;
        return sdw_err_set(
            err, denied ? SDW_EPERM : SDW_ESYS, "cannot capture on %s: %s%s", config->interface,
            denied ? "not allowed; run as root or with CAP_NET_RAW" : pcap_statustostr(status),
            status == PCAP_ERROR ? pcap_geterr(capture->pcap) : "");
    }
    if (pcap_setnonblock(capture->pcap, 1, why) < 0)
        return sdw_err_set(err, SDW_ESYS, "cannot capture on %s: %s", config->interface, why);
    return 0;
}

static int open_file(struct sdw_capture *capture, const struct sdw_capture_config *config,
                     struct sdw_err *err)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    bool input = strcmp(config->file, "-") == 0;
    FILE *file = input ? stdin : fopen(config->file, "rbe");
    if (!file)
        return sdw_err_sys(err, "cannot open %s", config->file);
    setvbuf(file, NULL, _IOFBF, FILE_BYTES);
    capture->pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why);
    if (capture->pcap)
        return 0;
    if (!input)
        fclose(file);
    return sdw_err_set(err, SDW_EINPUT, "%s: no capture: %s", capture->name, why);
}

static int set_filter(struct sdw_capture *capture, const char *filter, struct sdw_err *err)
{
    struct bpf_program program;
    if (pcap_compile(capture->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
        return sdw_err_set(err, SDW_EUSAGE, "filter '%s': %s", filter, pcap_geterr(capture->pcap));
    int status = pcap_setfilter(capture->pcap, &program);
    pcap_freecode(&program);
    return status < 0
               ? sdw_err_set(err, SDW_ESYS, "filter '%s': %s", filter, pcap_geterr(capture->pcap))
               : 0;
}

static int check_link(const struct sdw_capture *capture, struct sdw_err *err)
{
    int link = pcap_datalink(capture->pcap);
    const char *name = pcap_datalink_val_to_name(link);
    if (sdw_link_known(link))
        return 0;
    return sdw_err_set(err, SDW_EINPUT, "%s: packets of link type %s (%d) cannot be decoded",
                       capture->name, name ? name : "unknown", link);
}

struct sdw_capture *sdw_capture_new(const struct sdw_capture_config *config, struct sdw_err *err)
{
    struct sdw_capture *capture = sdw_xalloc(sizeof *capture);
    capture->live = config->interface != NULL;
    capture->name = capture->live ? config->interface : config->file;
    if (!capture->live && strcmp(config->file, "-") == 0)
        capture->name = "standard input";
    capture->snap = (size_t)config->snap;
    int code = capture->live ? open_live(capture, config, err) : open_file(capture, config, err);
    if (code == 0)
        code = check_link(capture, err);
    if (code == 0 && config->filter)
        code = set_filter(capture, config->filter, err);
    if (code == 0)
        return capture;
    sdw_capture_free(capture);
    return NULL;
}

void sdw_capture_free(struct sdw_capture *capture)
{
    if (capture && capture->pcap)
        pcap_close(capture->pcap);
    free(capture);
}

int sdw_capture_link(const struct sdw_capture *capture)
{
    return pcap_datalink(capture->pcap);
}

int sdw_capture_fd(const struct sdw_capture *capture)
{
    return capture->live ? pcap_get_selectable_fd(capture->pcap) : -1;
}

static void hand_over(u_char *arg, const struct pcap_pkthdr *header, const u_char *bytes)
{
    const struct sdw_capture *capture = (void *)arg;
    int64_t second = (int64_t)header->ts.tv_sec;
    if (second < 0 || second > last_second)
        second = second < 0 ? 0 : last_second;
    size_t n = header->caplen < capture->snap ? header->caplen : capture->snap;
    capture->each(capture->arg, second * 1000000000 + (int64_t)header->ts.tv_usec,
                  (struct sdw_str){(const char *)bytes, n}, header->len);
}

static int read_failure(const struct sdw_capture *capture, struct sdw_err *err)
{
    if (capture->live)
        return sdw_err_set(err, SDW_ESYS, "capture on %s: %s", capture->name,
                           pcap_geterr(capture->pcap));
    long at = ftell(pcap_file(capture->pcap));
    if (at < 0)
        return sdw_err_set(err, SDW_EINPUT, "%s: %s", capture->name, pcap_geterr(capture->pcap));
    return sdw_err_set(err, SDW_EINPUT, "%s: at octet %ld: %s", capture->name, at,
                       pcap_geterr(capture->pcap));
}

int sdw_capture_read(struct sdw_capture *capture, int max, sdw_capture_each *each, void *arg,
                     struct sdw_err *err)
{
    capture->each = each;
    capture->arg = arg;
    int n = pcap_dispatch(capture->pcap, max, hand_over, (u_char *)capture);
    return n < 0 ? read_failure(capture, err) : n;
}

uint64_t sdw_capture_lost(struct sdw_capture *capture)
{
    struct pcap_stat stat = {0};
    if (capture->live && pcap_stats(capture->pcap, &stat) == 0) {
        capture->lost += (uint32_t)(stat.ps_drop - capture->lost_seen);
        capture->lost_seen = stat.ps_drop;
    }
    return capture->lost;
}
