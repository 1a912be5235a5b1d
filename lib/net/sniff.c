#include "net/sniff.h"
#include "core/mem.h"

#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <stdlib.h>

enum { BUFFER_BYTES = 2 << 20, LINK_ROOM = 24, ETHERNET_HEADER = 14 };

struct sdw_sniff {
    pcap_t *pcap;
    size_t link; /* octets in front of the IP packet */
};

static const struct {
    int type;
    size_t octets;
} links[] = {
    {DLT_EN10MB, ETHERNET_HEADER},
    {DLT_LINUX_SLL, SLL_HDR_LEN},
    {DLT_LINUX_SLL2, SLL2_HDR_LEN},
    {DLT_RAW, 0},
};

static int set_up(struct sdw_sniff *s, const struct sdw_sniff_options *options, struct sdw_err *err)
{
    char why[PCAP_ERRBUF_SIZE];
    struct bpf_program program;
    pcap_set_snaplen(s->pcap, options->octets + LINK_ROOM);
    pcap_set_immediate_mode(s->pcap, 1);
    pcap_set_buffer_size(s->pcap, options->buffer_bytes ? options->buffer_bytes : BUFFER_BYTES);
    pcap_set_tstamp_precision(s->pcap, PCAP_TSTAMP_PRECISION_NANO);
    int status = pcap_activate(s->pcap);
    if (status < 0)
        return sdw_err_set(err, status == PCAP_ERROR_PERM_DENIED ? SDW_EPERM : SDW_ESYS,
                           "cannot capture: %s%s", pcap_geterr(s->pcap),
                           status == PCAP_ERROR_PERM_DENIED ? "; run as root or with CAP_NET_RAW"
                                                            : "");
    if (pcap_compile(s->pcap, &program, options->filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
        return sdw_err_set(err, SDW_ESYS, "capture filter: %s", pcap_geterr(s->pcap));
    status = pcap_setfilter(s->pcap, &program);
    pcap_freecode(&program);
    if (status < 0)
        return sdw_err_set(err, SDW_ESYS, "capture filter: %s", pcap_geterr(s->pcap));
    (void)pcap_setdirection(s->pcap, options->outgoing ? PCAP_D_INOUT : PCAP_D_IN);
    if (pcap_setnonblock(s->pcap, 1, why) < 0)
        return sdw_err_set(err, SDW_ESYS, "capture: %s", why);
    for (size_t i = 0; i < SDW_LEN(links); i++) {
        if (links[i].type != pcap_datalink(s->pcap))
            continue;
        s->link = links[i].octets;
        return 0;
    }
    return sdw_err_set(err, SDW_ESYS, "cannot read packets of this kind of interface (%s)",
                       pcap_datalink_val_to_name(pcap_datalink(s->pcap)));
}

struct sdw_sniff *sdw_sniff_new(const struct sdw_sniff_options *options, struct sdw_err *err)
{
    char why[PCAP_ERRBUF_SIZE];
    struct sdw_sniff *s = sdw_xalloc(sizeof *s);
    s->pcap = pcap_create("any", why);
    if (!s->pcap)
        sdw_err_set(err, SDW_ESYS, "cannot capture: %s", why);
    if (!s->pcap || set_up(s, options, err) < 0) {
        sdw_sniff_free(s);
        return NULL;
    }
    return s;
}

void sdw_sniff_free(struct sdw_sniff *s)
{
    if (s && s->pcap)
        pcap_close(s->pcap);
    free(s);
}

int sdw_sniff_fd(const struct sdw_sniff *s)
{
    return pcap_get_selectable_fd(s->pcap);
}

int sdw_sniff_next(struct sdw_sniff *s, struct sdw_str *packet, int64_t *received_ns,
                   struct sdw_err *err)
{
    struct pcap_pkthdr *header;
    const uint8_t *bytes;
    for (;;) {
        int status = pcap_next_ex(s->pcap, &header, &bytes);
        if (status == 0)
            return 0;
        if (status < 0)
            return sdw_err_set(err, SDW_ESYS, "capture: %s", pcap_geterr(s->pcap));
        if (header->caplen > s->link)
            break;
    }
    *packet = (struct sdw_str){(const char *)bytes + s->link, header->caplen - s->link};
    *received_ns = (int64_t)header->ts.tv_sec * 1000000000 + header->ts.tv_usec;
    return 1;
}

uint64_t sdw_sniff_drops(const struct sdw_sniff *s)
{
    struct pcap_stat stat = {0};
    return pcap_stats(s->pcap, &stat) == 0 ? stat.ps_drop : 0;
}
