#!/usr/bin/env python3
"""Write a small capture for the tests to standard output: capture.py [OPTION=VALUE...] SCENARIO

Options: format=pcap|pcapng, order=little|big, fraction=micro|nano, link=ethernet|cooked|raw|...
Scenarios are the functions below that take no argument.
"""
import struct
import sys

START = 1700000000_000000000  # ns since the epoch

LINKS = {  # number in a file, what is in front of an IP packet of each version
    "ethernet": (1, lambda v: b"\2\0\0\0\0\1\2\0\0\0\0\2" + (b"\x08\0" if v == 4 else b"\x86\xdd")),
    "raw": (101, lambda v: b""),
    "cooked": (113, lambda v: b"\0\0\0\1\0\6\2\0\0\0\0\1\0\0" + (b"\x08\0" if v == 4 else b"\x86\xdd")),
    "cooked2": (276, lambda v: (b"\x08\0" if v == 4 else b"\x86\xdd") + b"\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0"),
    "loop": (108, lambda v: b"\0\0\0\2" if v == 4 else b"\0\0\0\x18"),
    "usb": (189, lambda v: b""),
}


def ip4(protocol, src, dst, payload, ident=0, fragment=0):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, fragment, 64, protocol, 0,
                       bytes(map(int, src.split("."))), bytes(map(int, dst.split(".")))) + payload


def ip6(protocol, src, dst, payload):
    pack = lambda last: bytes.fromhex("20010db8") + bytes(11) + bytes([last])
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + pack(src) + pack(dst) + payload


def udp(sport, dport, n):
    return struct.pack(">HHHH", sport, dport, 8 + n, 0) + b"u" * n


SYN, FIN, RST, ACK = 2, 1, 4, 16


def tcp(sport, dport, seq, ack, flags, n=0, ts=None, window=1000, syn_options=b""):
    options = syn_options
    if ts is not None:
        options += b"\1\1\x08\x0a" + struct.pack(">II", *ts)
    return struct.pack(">HHIIBBHHH", sport, dport, seq % 2**32, ack % 2**32, (20 + len(options)) // 4 << 4,
                       flags, window, 0, 0) + options + b"t" * n


class Connection:
    """A TCP connection from 192.0.2.1:40000 to 198.51.100.2:443, 10 ms away from here on each side."""

    def __init__(self, sport=40000, src="192.0.2.1", dst="198.51.100.2"):
        self.sport, self.src, self.dst, self.ident, self.packets = sport, src, dst, 1, []

    def fwd(self, ms, seq, ack, flags=ACK, n=0, **more):
        self.ident += 1
        self.packets.append((ms, ip4(6, self.src, self.dst, tcp(self.sport, 443, 1000 + seq, 5000 + ack, flags, n,
                                                                ts=(100 + int(ms), 100 + int(ms)), **more), self.ident)))

    def rev(self, ms, seq, ack, flags=ACK, n=0, **more):
        self.packets.append((ms, ip4(6, self.dst, self.src, tcp(443, self.sport, 5000 + seq, 1000 + ack, flags, n,
                                                                ts=(100 + int(ms), 100 + int(ms)), **more), 0)))

    def open(self):
        options = b"\2\4\5\xb4\1\3\3\7"
        self.fwd(0, 0, -5000, SYN, syn_options=options)
        self.rev(10, 0, 1, SYN | ACK, syn_options=options)
        self.fwd(20, 1, 1)

    def close(self, ms, sent, got=1):
        self.fwd(ms, sent, got, FIN | ACK)
        self.rev(ms + 10, got, sent + 1, FIN | ACK)
        self.fwd(ms + 20, sent + 1, got + 1)


def connection():
    """Ten segments, the third sent again, the seventh late: then closed."""
    c = Connection()
    c.open()
    order = [0, 1, 3, 4, 5, 7, 6, 8, 9]
    for at, i in enumerate(order):
        ms = 30 + at
        c.ident = 10 + i
        c.packets.append((ms, ip4(6, c.src, c.dst, tcp(c.sport, 443, 1001 + 1000 * i, 5001, ACK, 1000,
                                                       ts=(130 + i, 110)), c.ident)))
    c.ident = 30
    c.fwd(60, 1 + 2000, 1, n=1000)
    c.rev(70, 1, 10001)
    c.close(100, 10001)
    return c.packets


def conversation():
    """Two seconds and a half of UDP both ways, IPv4 and IPv6."""
    out = []
    for i in range(25):
        out.append((i * 100, ip4(17, "192.0.2.1", "192.0.2.53", udp(5000, 53, 40))))
        out.append((i * 100 + 1, ip4(17, "192.0.2.53", "192.0.2.1", udp(53, 5000, 140))))
        out.append((i * 100 + 2, ip6(17, 1, 2, udp(6000, 7000, 60))))
    return out


def names():
    """A name is asked for, and a TLS connection made to the server of that name."""
    labels = b"\4host\4wiki\7example\0"
    question = labels + struct.pack(">HH", 1, 1)
    answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([198, 51, 100, 2])
    head = lambda flags, answers: struct.pack(">HHHHHH", 7, flags, 1, answers, 0, 0)
    dns = lambda sport, dport, data: struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data
    c = Connection(sport=40000)
    c.packets = [(0, ip4(17, c.src, "192.0.2.53", dns(5000, 53, head(0x100, 0) + question))),
                 (5, ip4(17, "192.0.2.53", c.src, dns(53, 5000, head(0x8180, 1) + question + answer)))]
    name = b"host.wiki.example"
    sni = struct.pack(">HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
    hello = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + struct.pack(">H", len(sni)) + sni
    hello = b"\x16\3\1" + struct.pack(">H", len(hello) + 4) + b"\1" + struct.pack(">I", len(hello))[1:] + hello
    reply = b"\2" + struct.pack(">I", 40)[1:] + b"\3\3" + bytes(32) + b"\0\x13\1\0\0\0"
    reply = b"\x16\3\3" + struct.pack(">H", len(reply)) + reply
    seq = {}

    def segment(ms, src, sport, dst, dport, flags, data=b""):
        at = seq.setdefault(src, 1000)
        ack = seq.get(dst, 0)
        c.packets.append((ms, ip4(6, src, dst, tcp(sport, dport, at, ack, flags) + data)))
        seq[src] = at + len(data) + (1 if flags & (SYN | FIN) else 0)

    client, server = (c.src, 40000, "198.51.100.2", 8443), ("198.51.100.2", 8443, c.src, 40000)
    segment(10, *client, SYN)
    segment(20, *server, SYN | ACK)
    segment(21, *client, ACK)
    segment(22, *client, ACK, hello)
    segment(32, *server, ACK, reply)
    for i in range(30):
        segment(40 + i, *server, ACK, b"\x17\3\3\1\0" + bytes(256))
        segment(40.5 + i, *client, ACK)
    segment(90, *client, FIN | ACK)
    segment(100, *server, FIN | ACK)
    segment(110, *client, ACK)
    return c.packets


def midflow():
    c = Connection()
    c.rev(0, 5000, 77, n=100)
    c.fwd(10, 77, 5100)
    return c.packets


def fragments():
    whole = udp(5000, 6000, 3000)
    return [(0, ip4(17, "192.0.2.1", "192.0.2.2", whole[:1480], 9, 0x2000)),
            (1, ip4(17, "192.0.2.1", "192.0.2.2", whole[1480:], 9, 1480 // 8))]


def flood(n=3000):
    """SYNs of as many sources, then data of one old connection."""
    c = Connection()
    c.open()
    out = c.packets
    for i in range(n):
        src = "10.%d.%d.%d" % (i >> 16, i >> 8 & 255, i & 255)
        out.append((30 + i * 0.01, ip4(6, src, "198.51.100.2", tcp(1024 + i % 60000, 80, i, 0, SYN))))
    return out


def wrapped():
    """The same flow in several wrappings; each frame is whole, for an Ethernet link."""
    inner = lambda i: ip4(17, "192.0.2.1", "192.0.2.2", udp(5000 + i, 6000, 10))
    ether = lambda kind: b"\2\0\0\0\0\1\2\0\0\0\0\2" + struct.pack(">H", kind)
    gre = lambda i: ip4(47, "203.0.113.1", "203.0.113.2", struct.pack(">HHI", 0x2000, 0x0800, 7) + inner(i))
    vxlan = lambda i: ip4(17, "203.0.113.1", "203.0.113.2", struct.pack(">HHHHII", 5555, 4789, 0, 0, 0x08000000, 42 << 8)
                          + ether(0x0800) + inner(i))
    return [(0, ether(0x8100) + struct.pack(">HH", 5, 0x0800) + inner(1)),
            (1, ether(0x88a8) + struct.pack(">HHHH", 9, 0x8100, 6, 0x0800) + inner(2)),
            (2, ether(0x8847) + struct.pack(">II", 0x00010040, 0x00020140) + inner(3)),
            (3, ether(0x0800) + gre(4)),
            (4, ether(0x0800) + vxlan(5)),
            (5, ether(0x0806) + bytes(28)),
            (6, b""),
            (7, ether(0x0800) + b"\x45"),
            (8, ether(0x0800) + b"\x41" + bytes(40))]


def tunnels():
    """Flows in tunnels over either family, seen from both sides; each frame is whole, for raw links."""
    ether = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0"
    shim = lambda sport, inner: struct.pack(">HHHHII", sport, 4789, 0, 0, 0x08000000, 42 << 8) + ether + inner
    gre = lambda inner: struct.pack(">HH", 0, 0x0800) + inner
    there = lambda port: ip4(17, "192.0.2.1", "192.0.2.2", udp(port, 6000, 10))
    back = lambda port: ip4(17, "192.0.2.2", "192.0.2.1", udp(6000, port, 10))
    near, far = "203.0.113.1", "203.0.113.2"
    syn, synack = (ip4(6, *ends, tcp(*ports, 1, 1, flags)) for ends, ports, flags in (
        (("192.0.2.1", "192.0.2.2"), (5004, 443), SYN), (("192.0.2.2", "192.0.2.1"), (443, 5004), SYN | ACK)))
    return [(0, ip4(17, near, far, shim(5555, there(5001)))),
            (1, ip4(17, far, near, shim(7777, back(5001)))),
            (2, ip6(17, 1, 2, shim(5556, there(5002)))),
            (3, ip4(47, near, far, gre(there(5003)))),
            (4, ip4(17, far, near, shim(7778, synack))),  # its SYN passed unseen
            (5, ip6(4, 1, 2, ip4(41, near, far, ip6(17, 3, 4, udp(5005, 6000, 10))))),
            (6, ip4(17, "192.0.2.1", "192.0.2.2", udp(5006, 6000, 10))),
            (2000, ip4(17, near, far, shim(5557, syn[:32] + b"\x50\x10" + syn[34:])))]


def jumps():
    """A flow whose capture's clock is set back by an hour, then on by a day."""
    packet = ip4(17, "192.0.2.1", "192.0.2.2", udp(5000, 6000, 10))
    hour = 3600 * 1000
    return [(at + i * 100, packet) for at in (0, -hour, 23 * hour) for i in range(3)]


def sizes():
    """Packets of no bytes, of one, and of more than an IP packet can have."""
    return [(0, b""), (1, b"\x45"), (2, ip4(17, "192.0.2.1", "192.0.2.2", udp(5000, 6000, 10))),
            (3, ip4(17, "192.0.2.1", "192.0.2.2", udp(5000, 6000, 10)) + bytes(80000))]


def write(packets, options):
    number, front = LINKS[options.get("link", "ethernet")]
    if options["scenario"] in ("wrapped", "tunnels"):
        front = lambda v: b""
    e = ">" if options.get("order") == "big" else "<"
    nano = options.get("fraction") == "nano"
    out = sys.stdout.buffer
    ng = options.get("format") == "pcapng"
    if ng:
        out.write(struct.pack(e + "IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28))
        out.write(struct.pack(e + "IIHHIHHBxxxHHI", 1, 32, number, 0, 65535, 9, 1, 9, 0, 0, 32))
    else:
        out.write(struct.pack(e + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, 262144, number))
    for ms, ip in packets:
        frame = front(ip[0] >> 4 if ip else 4) + ip
        ns = START + int(ms * 1000000)
        if ng:
            pad = -len(frame) % 4
            total = 32 + len(frame) + pad
            out.write(struct.pack(e + "IIIIIII", 6, total, 0, ns >> 32, ns & 0xFFFFFFFF, len(frame), len(frame)))
            out.write(frame + bytes(pad) + struct.pack(e + "I", total))
        else:
            part = ns % 1000000000 // (1 if nano else 1000)
            out.write(struct.pack(e + "IIII", ns // 1000000000, part, len(frame), len(frame)) + frame)


if __name__ == "__main__":
    settings = dict(word.split("=", 1) for word in sys.argv[1:-1])
    settings["scenario"] = sys.argv[-1]
    write(globals()[sys.argv[-1]](), settings)
