#!/usr/bin/env python3
"""What tests/lab/bars/tcp-reorder.sh runs in its namespaces.

relay FROM TO SEED REORDER LOSS: passes frames between two interfaces like `tc netem delay 5ms reorder
REORDER 50% loss LOSS` behind 8 ms of way: packets towards TO wait 5 ms, but some go at once and
overtake; the others' way is plain. On SIGTERM it prints, for each flow, what happened to its
segments, from their order alone.
plain INTERFACE...: turns the offloads off that would join segments, or leave sums to a card that is
not there.
serve, send HOST FLOWS BYTES: the ends; the sender prints what its kernel counted (TCP_INFO)."""
import ctypes
import fcntl
import heapq
import json
import random
import select
import signal
import socket
import struct
import sys
import threading
import time

ETH_P_ALL = 3
OUTGOING = 4
WAY_S, DELAY_S = 0.008, 0.005


class Flow:
    """Segments with payload of one direction: as the sender sent them, and as they went on."""

    def __init__(self):
        self.sent_end = self.passed_end = None
        self.sent_again = self.passed_again = self.reordered = self.lost = self.segments = 0

    def sent(self, start, end):
        again = self.sent_end is not None and ahead(self.sent_end, start) > 0
        if not again:
            self.sent_end = end
        self.sent_again += again
        self.segments += 1
        return again

    def passed(self, start, end, again):
        below = self.passed_end is not None and ahead(self.passed_end, start) > 0
        if not below:
            self.passed_end = end
        self.passed_again += again
        self.reordered += below and not again


def ahead(a, b):
    return (a - b + (1 << 31)) % (1 << 32) - (1 << 31)


def segment_of(frame):
    """(port of the sender, start, end) of a frame with TCP payload; None for others."""
    kind, = struct.unpack_from('!H', frame, 12)
    if kind == 0x0800 and frame[23] == 6:
        tcp, end = 14 + (frame[14] & 15) * 4, 14 + struct.unpack_from('!H', frame, 16)[0]
    elif kind == 0x86dd and frame[20] == 6:
        tcp, end = 54, 54 + struct.unpack_from('!H', frame, 18)[0]
    else:
        return None
    port, _, start = struct.unpack_from('!HHI', frame, tcp)
    n = end - tcp - (frame[tcp + 12] >> 4) * 4
    return (port, start, (start + n) % (1 << 32)) if n > 0 else None


def open_on(interface):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)
    link.bind((interface, 0))
    return link


def relay(near, far, seed, reorder, loss):
    rng = random.Random(seed)
    links = [open_on(near), open_on(far)]
    flows, waiting, number, last = {}, [], 0, False
    running = [True]
    signal.signal(signal.SIGTERM, lambda *_: running.clear())
    print('ready', file=sys.stderr, flush=True)
    while running:
        now = time.monotonic()
        wait = min(0.05, max(0, waiting[0][0] - now)) if waiting else 0.05
        for link in select.select(links, [], [], wait)[0]:
            frame, (_, _, kind, *_) = link.recvfrom(65535)
            if kind == OUTGOING:
                continue
            forward = link is links[0]
            due = time.monotonic() + WAY_S
            segment = segment_of(frame) if forward else None
            again = False
            if segment:
                flow = flows.setdefault(segment[0], Flow())
                again = flow.sent(*segment[1:])
                if rng.random() < loss:
                    flow.lost += 1
                    continue
                last = last if rng.random() < 0.5 else rng.random() < reorder
                due += 0 if last else DELAY_S
            number += 1
            heapq.heappush(waiting, (due, number, forward, frame, segment, again))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, forward, frame, segment, again = heapq.heappop(waiting)
            links[1 if forward else 0].send(frame)
            if segment:
                flows[segment[0]].passed(*segment[1:], again)
    for port, flow in sorted(flows.items()):
        print(json.dumps({'sport': port, 'segments': flow.segments, 'lost': flow.lost,
                          'sent_again': flow.sent_again, 'passed_again': flow.passed_again,
                          'reordered': flow.reordered}))


def plain(interfaces):
    siocethtool, off = 0x8946, (0x15, 0x17, 0x1f, 0x24, 0x2c)  # ETHTOOL_S{RX,TX}CSUM, STSO, SGSO, SGRO
    any_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for name in interfaces:
        for command in off:
            value = (ctypes.c_uint32 * 2)(command, 0)
            fcntl.ioctl(any_socket, siocethtool,
                        struct.pack('16sP16x', name.encode(), ctypes.addressof(value)))


def serve():
    server = socket.create_server(('::', 7001), family=socket.AF_INET6, backlog=64, dualstack_ipv6=True)
    print('ready', file=sys.stderr, flush=True)
    while True:
        threading.Thread(target=swallow, args=(server.accept()[0],), daemon=True).start()


def swallow(peer):
    while peer.recv(65536):
        pass
    peer.close()


def send_one(host, n, said):
    peer = socket.create_connection((host, 7001))
    port = peer.getsockname()[1]
    peer.sendall(bytes(n))
    peer.shutdown(socket.SHUT_WR)
    peer.recv(1)  # the other end closes when it has all
    info = peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 280)
    said.append({'sport': port, 'total_retrans': struct.unpack_from('I', info, 100)[0],
                 'dsack_dups': struct.unpack_from('I', info, 216)[0],
                 'reord_seen': struct.unpack_from('I', info, 220)[0]})
    peer.close()


def send(host, flows, n):
    said = []
    ends = [threading.Thread(target=send_one, args=(host, n, said)) for _ in range(flows)]
    for end in ends:
        end.start()
        time.sleep(0.02)
    for end in ends:
        end.join()
    for one in said:
        print(json.dumps(one))


if sys.argv[1] == 'relay':
    relay(sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]), float(sys.argv[6]))
elif sys.argv[1] == 'plain':
    plain(sys.argv[2:])
elif sys.argv[1] == 'serve':
    serve()
else:
    send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
