/* Writes a capture of about BYTES made of all Ethernet captures of a directory, packet by packet in
 * turn, over and over: profile_mix DIR BYTES. Each round has other addresses, so that its flows are
 * new ones; checksums stay right. Packets come every 10 us. The same directory gives the same. */
#include <dirent.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/num.h"

enum { GAP_NS = 10000, START_S = 1700000000, SNAP = 65535 };

struct packet {
    uint8_t *bytes;
    struct pcap_pkthdr header;
};

struct capture {
    struct packet *packet;
    size_t n, cap;
};

struct mix {
    struct capture *capture;
    size_t n, cap, longest;
};

static void load(struct mix *mix, const char *path)
{
    char why[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *bytes;
    pcap_t *pcap = pcap_open_offline(path, why);
    if (!pcap)
        return;
    struct capture capture = {0};
    while (pcap_datalink(pcap) == DLT_EN10MB && pcap_next_ex(pcap, &header, &bytes) == 1) {
        struct packet packet = {.bytes = sdw_xalloc(header->caplen + 1), .header = *header};
        memcpy(packet.bytes, bytes, header->caplen);
        SDW_GROW(capture.packet, capture.cap, capture.n + 1);
        capture.packet[capture.n++] = packet;
    }
    pcap_close(pcap);
    if (capture.n == 0)
        return;
    SDW_GROW(mix->capture, mix->cap, mix->n + 1);
    mix->capture[mix->n++] = capture;
    if (capture.n > mix->longest)
        mix->longest = capture.n;
}

static int is_capture(const struct dirent *entry)
{
    return strstr(entry->d_name, ".pcap") != NULL;
}

static bool load_all(struct mix *mix, const char *dir)
{
    struct dirent **entries;
    int n = scandir(dir, &entries, is_capture, alphasort);
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        load(mix, path);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return mix->n > 0;
}

/* Add to one 16-bit word of an address and take the same off the next, in one's complement: sums
 * over the address stay the same. */
static void move_address(uint8_t *p, unsigned by)
{
    uint32_t high = (uint32_t)(p[0] << 8 | p[1]) + by;
    uint32_t low = (uint32_t)(p[2] << 8 | p[3]) + 0xffff - by;
    high = (high & 0xffff) + (high >> 16);
    low = (low & 0xffff) + (low >> 16);
    p[0] = (uint8_t)(high >> 8);
    p[1] = (uint8_t)high;
    p[2] = (uint8_t)(low >> 8);
    p[3] = (uint8_t)low;
}

static void move_packet(struct packet *packet, unsigned by)
{
    uint8_t *p = packet->bytes;
    size_t n = packet->header.caplen, at = 12;
    while (n >= at + 4 && p[at] == 0x81 && p[at + 1] == 0)
        at += 4;
    if (n >= at + 22 && p[at] == 0x08 && p[at + 1] == 0) {
        move_address(p + at + 14, by);
        move_address(p + at + 18, by);
    } else if (n >= at + 42 && p[at] == 0x86 && p[at + 1] == 0xdd) {
        move_address(p + at + 10 + 8, by);
        move_address(p + at + 26 + 8, by);
    }
}

/* One round over all captures. Returns the bytes written. */
static uint64_t play(struct mix *mix, pcap_dumper_t *to, uint64_t *packets, bool first)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < mix->longest; i++)
        for (size_t c = 0; c < mix->n; c++) {
            if (i >= mix->capture[c].n)
                continue;
            struct packet *packet = &mix->capture[c].packet[i];
            if (!first)
                move_packet(packet, 1);
            uint64_t ns = (*packets)++ * GAP_NS;
            packet->header.ts.tv_sec = (time_t)(START_S + ns / 1000000000);
            packet->header.ts.tv_usec = (suseconds_t)(ns % 1000000000);
            pcap_dump((u_char *)to, &packet->header, packet->bytes);
            bytes += packet->header.caplen + 16;
        }
    return bytes;
}

static void release(struct mix *mix)
{
    for (size_t c = 0; c < mix->n; c++) {
        for (size_t i = 0; i < mix->capture[c].n; i++)
            free(mix->capture[c].packet[i].bytes);
        free(mix->capture[c].packet);
    }
    free(mix->capture);
}

int main(int argc, char **argv)
{
    struct mix mix = {0};
    int64_t wanted = 0;
    if (argc != 3 || !sdw_parse_bytes(argv[2], &wanted)) {
        fputs("usage: profile_mix DIR BYTES\n", stderr);
        return 2;
    }
    if (!load_all(&mix, argv[1])) {
        fprintf(stderr, "profile_mix: no Ethernet captures in %s\n", argv[1]);
        return 3;
    }
    pcap_t *pcap =
        pcap_open_dead_with_tstamp_precision(DLT_EN10MB, SNAP, PCAP_TSTAMP_PRECISION_NANO);
    pcap_dumper_t *to = pcap_dump_fopen(pcap, stdout);
    uint64_t written = 0, packets = 0;
    for (bool first = true; to && written < (uint64_t)wanted; first = false)
        written += play(&mix, to, &packets, first);
    bool good = to && pcap_dump_flush(to) == 0;
    if (to)
        pcap_dump_close(to);
    pcap_close(pcap);
    release(&mix);
    return good ? 0 : 4;
}
