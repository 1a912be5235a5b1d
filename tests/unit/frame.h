/* Making packets for tests: headers are appended in the order in which they go over the wire, and
 * the lengths inside are filled in at the end. */
#ifndef SDW_TESTS_FRAME_H
#define SDW_TESTS_FRAME_H

#include <stdint.h>
#include <string.h>

enum { FRAME_MAX = 2048, FRAME_LEVELS = 8 };

struct frame {
    uint8_t p[FRAME_MAX];
    size_t n;
    size_t ip[FRAME_LEVELS]; /* where IP and UDP headers are whose length is to be filled in */
    size_t n_ip;
};

__attribute__((unused)) static void put(struct frame *f, const void *bytes, size_t n)
{
    memcpy(f->p + f->n, bytes, n);
    f->n += n;
}

__attribute__((unused)) static void put_n(struct frame *f, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        f->p[f->n++] = (uint8_t)(value >> 8 * (n - 1 - i));
}

__attribute__((unused)) static void ether(struct frame *f, unsigned type)
{
    put(f, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
    put_n(f, type, 2);
}

__attribute__((unused)) static void tag(struct frame *f, unsigned vlan, unsigned type)
{
    put_n(f, vlan, 2);
    put_n(f, type, 2);
}

/* 192.0.2.FROM to 192.0.2.TO. fragment: offset in units of 8, and 0x2000 for more to come. */
__attribute__((unused)) static void ip4(struct frame *f, unsigned protocol, unsigned from,
                                        unsigned to, unsigned id, unsigned fragment)
{
    f->ip[f->n_ip++] = f->n;
    put_n(f, 0x4500, 2);
    put_n(f, 0, 2);
    put_n(f, id, 2);
    put_n(f, fragment, 2);
    put_n(f, 64, 1);
    put_n(f, protocol, 1);
    put_n(f, 0, 2);
    put_n(f, 0xc0000200 | from, 4);
    put_n(f, 0xc0000200 | to, 4);
}

/* 2001:db8::FROM to 2001:db8::TO. */
__attribute__((unused)) static void ip6(struct frame *f, unsigned next, unsigned from, unsigned to)
{
    f->ip[f->n_ip++] = f->n;
    put_n(f, 0x60000000, 4);
    put_n(f, 0, 2);
    put_n(f, next, 1);
    put_n(f, 64, 1);
    put_n(f, 0x20010db800000000, 8);
    put_n(f, from, 8);
    put_n(f, 0x20010db800000000, 8);
    put_n(f, to, 8);
}

__attribute__((unused)) static void udp(struct frame *f, unsigned sport, unsigned dport)
{
    f->ip[f->n_ip++] = f->n;
    put_n(f, sport, 2);
    put_n(f, dport, 2);
    put_n(f, 0, 4);
}

__attribute__((unused)) static void tcp(struct frame *f, unsigned sport, unsigned dport,
                                        uint32_t seq, uint32_t ack, unsigned flags,
                                        const void *options, size_t n)
{
    put_n(f, sport, 2);
    put_n(f, dport, 2);
    put_n(f, seq, 4);
    put_n(f, ack, 4);
    put_n(f, (20 + n) / 4 << 4, 1);
    put_n(f, flags, 1);
    put_n(f, 1000, 2);
    put_n(f, 0, 4);
    put(f, options, n);
}

__attribute__((unused)) static void payload(struct frame *f, size_t n)
{
    memset(f->p + f->n, 'x', n);
    f->n += n;
}

/* Fill in the lengths of IP and UDP headers: each reaches to the end. */
__attribute__((unused)) static void finish(struct frame *f)
{
    for (size_t i = 0; i < f->n_ip; i++) {
        size_t at = f->ip[i], length = f->n - at;
        unsigned version = f->p[at] >> 4;
        size_t field = version == 4 && f->p[at] == 0x45 ? 2 : 4;
        if (version == 6 && f->p[at] == 0x60)
            length -= 40;
        f->p[at + field] = (uint8_t)(length >> 8);
        f->p[at + field + 1] = (uint8_t)length;
    }
}

#endif
