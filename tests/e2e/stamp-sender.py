"""A STAMP session-sender written from RFC 8762 and RFC 8972 alone, octet by octet, to try reflectors with.

usage: stamp-sender.py HOST PORT [stateless] [KEY]   (KEY: hexadecimal digits)

Sends requests with and without TLVs and checks every field of each reply. Prints what is wrong with
one, and how many were checked; exits with 1 when one was wrong or missing.
"""
import hashlib
import hmac
import socket
import struct
import sys
import time

NTP_EPOCH = 2208988800
TTL, DSCP, REPLY_DSCP, ECN = 77, 10, 46, 1
PADDING, LOCATION, TIMESTAMPS, CLASS, DIRECT, ACCESS, FOLLOW_UP, HMAC = range(1, 9)
FLAG_UNKNOWN, FLAG_FORGED = 0x80, 0x20
PTP = 0x4000


def ntp(seconds):
    """A time in the 64 bits of RFC 5905."""
    return struct.pack("!Q", int((seconds + NTP_EPOCH) * 2**32))


def seconds(field, error=0):
    """What a time field says; the error estimate's Z bit tells its format (RFC 8762, 4.2.1)."""
    if error & PTP:
        whole, nanoseconds = struct.unpack("!II", field)
        return whole + nanoseconds / 1e9
    return struct.unpack("!Q", field)[0] / 2**32 - NTP_EPOCH


class Sender:
    def __init__(self, host, port, stateless, key):
        self.host, self.port, self.stateless, self.key = host, port, stateless, key
        self.v6 = ":" in host
        self.socket = socket.socket(socket.AF_INET6 if self.v6 else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        level = socket.IPPROTO_IPV6 if self.v6 else socket.IPPROTO_IP
        self.socket.setsockopt(level, socket.IPV6_UNICAST_HOPS if self.v6 else socket.IP_TTL, TTL)
        self.socket.setsockopt(level, socket.IPV6_TCLASS if self.v6 else socket.IP_TOS, DSCP << 2 | ECN)
        self.socket.setsockopt(level, socket.IPV6_RECVTCLASS if self.v6 else 13, 1)  # IP_RECVTOS
        self.socket.bind(("::1" if self.v6 else "127.0.0.1", 0))
        self.seq, self.replies, self.wrong, self.last = 1000, 0, 0, None

    def expect(self, ok, what):
        if not ok:
            self.wrong += 1
            print(f"request {self.seq}: {what}")

    def mac(self, text):
        return hmac.new(self.key, text, hashlib.sha256).digest()[:16]

    def base(self, sent, error, ssid):
        if not self.key:  # RFC 8972, figure 1
            return struct.pack("!I8sHH28x", self.seq, ntp(sent), error, ssid)
        text = struct.pack("!I12x8sHH68x", self.seq, ntp(sent), error, ssid)
        return text + self.mac(text)  # figure 2

    def tlvs(self, wanted, forge):
        """The TLVs (type, value), as a sender flags them, and with a key the one that protects them."""
        out = b"".join(struct.pack("!BBH", FLAG_UNKNOWN, t, len(v)) + v for t, v in wanted)
        if self.key and wanted:
            mac = self.mac(struct.pack("!I", self.seq) + out)
            out += struct.pack("!BBH", FLAG_UNKNOWN, HMAC, 16) + (mac if not forge else bytes(16))
        return out

    def ask(self, wanted=(), error=0x8A01, ssid=0xBEEF, forge=False):
        """One request; the TLVs of its reply as (flags, type, value)."""
        self.seq += 7
        sent = time.time()
        request = self.base(sent, error, ssid) + self.tlvs(wanted, forge)
        self.socket.sendto(request, (self.host, self.port))
        try:
            reply, control, _, sender = self.socket.recvmsg(9000, 256)
        except TimeoutError:
            self.expect(False, "no reply")
            return []
        self.arrived, self.local = time.time(), self.socket.getsockname()
        self.tos = struct.unpack("@i", control[0][2].ljust(4, b"\0")[:4])[0] & 0xFF
        self.expect(sender[:2] == (self.host, self.port), f"the reply comes from {sender}")
        self.expect(len(reply) == len(request), f"{len(reply)} octets for {len(request)}")
        self.check_base(reply, request, sent, ssid)
        self.replies += 1
        return self.check_tlvs(reply, forge)

    def check_base(self, reply, request, sent, ssid):
        if self.key:  # RFC 8762, figure 7
            seq, t3, error, got_ssid, t2, sender_seq, sender, ttl = struct.unpack_from(
                "!I12x8sHH4x8s8x4s12x10s6xB", reply)
            zeros = reply[4:16] + reply[28:32] + reply[40:48] + reply[52:64] + reply[74:80] + reply[81:96]
            asked = request[16:26]
            self.expect(reply[96:112] == self.mac(reply[:96]), "HMAC")
            self.size = 112
        else:  # figure 5
            seq, t3, error, got_ssid, t2, sender_seq, sender, ttl = struct.unpack_from(
                "!I8sHH8s4s10s2xB", reply)
            zeros, asked = reply[38:40] + reply[41:44], request[4:14]
            self.size = 44
        wanted = self.seq if self.stateless else self.replies
        self.expect(seq == wanted, f"sequence number {seq}, not {wanted}")
        self.expect(sender_seq == request[:4], "the sender's sequence number")
        self.expect(sender == asked, "the sender's time and error estimate")
        self.expect(got_ssid == ssid, f"SSID {got_ssid:04x}")
        self.expect(error & 0xFF > 0, "the multiplier of the error estimate is 0 (RFC 4656, 4.1.2)")
        self.expect(ttl == TTL, f"TTL {ttl}")
        self.expect(not any(zeros), "what must be zero is not")
        slack = 0.000001  # of this clock's rounding
        t2, t3 = seconds(t2, error), seconds(t3, error)
        self.expect(sent - slack <= t2 < t3 <= self.arrived + slack,
                    f"T1 {sent:.6f} T2 {t2:.6f} T3 {t3:.6f} T4 {self.arrived:.6f}")
        self.before, self.last = self.last, (seq, t3)

    def check_tlvs(self, reply, forge):
        found, at = [], self.size
        while at < len(reply):
            flags, kind, n = struct.unpack_from("!BBH", reply, at)
            if kind == HMAC and not forge:
                text = reply[:4] + reply[self.size : at]
                self.expect(reply[at + 4 : at + 20] == self.mac(text), "HMAC of the TLVs")
                self.expect(at + 20 == len(reply), "the HMAC TLV is not the last")
            found.append((flags, kind, reply[at + 4 : at + 4 + n]))
            at += 4 + n
        return found

    def one(self, kind, value, flags=0):
        """A request with one TLV; the value that comes back."""
        found = self.ask([(kind, value)])
        ok = len(found) == (2 if self.key else 1) and found[0][1] == kind and len(found[0][2]) == len(value)
        self.expect(ok, f"TLV {kind} comes back as {found}")
        self.expect(not found or found[0][0] == flags, f"flags of TLV {kind}")
        return found[0][2] if ok else bytes(len(value))

    def plain(self):
        for _ in range(3):
            self.ask()
        self.ask(error=0x4A01)  # a sender whose times are PTP's
        self.expect(self.tos >> 2 == DSCP, f"TOS {self.tos:02x} of a plain reply")

    def with_tlvs(self):
        padding = bytes(range(100, 160))
        self.expect(self.one(PADDING, padding) == padding, "padding is changed")
        self.expect(self.one(99, b"what?", FLAG_UNKNOWN) == b"what?", "an unknown TLV is changed")
        self.expect(self.one(ACCESS, b"\x11\x01\0\0") == b"\x11\x01\0\0", "Access Report is changed")
        location = self.one(LOCATION, bytes(4) + (struct.pack("!BBH", 0x80, 4, 16) + bytes(16))
                            + struct.pack("!BBH", 0x80, 7, 16) + bytes(16))
        address = socket.inet_pton(self.socket.family, self.host)
        answer = struct.pack("!HH", self.port, self.local[1])
        for kind in (6, 9) if self.v6 else (5, 8):
            answer += struct.pack("!BBH", 0, kind, 16) + address.ljust(16, b"\0")
        self.expect(location == answer, f"Location {location.hex()}, not {answer.hex()}")
        sync_in, method_in, sync_out, method_out = self.one(TIMESTAMPS, bytes(4))
        self.expect(all(1 <= sync <= 6 for sync in (sync_in, sync_out)), "synchronisation source")
        self.expect(all(1 <= method <= 3 for method in (method_in, method_out)), "timestamp method")
        value = struct.unpack("!I", self.one(CLASS, struct.pack("!I", REPLY_DSCP << 26)))[0]
        self.expect(value >> 26 == REPLY_DSCP and value >> 20 & 63 == DSCP and value >> 18 & 3 == ECN
                    and value & 0x3FFFF == 0, f"Class of Service {value:08x}")
        self.expect(self.tos >> 2 == REPLY_DSCP, f"TOS {self.tos:02x} of a reply in the class asked for")
        sent, received, returned = struct.unpack("!III", self.one(DIRECT, struct.pack("!III", 4711, 0, 0)))
        self.expect(sent == 4711, "the sender's count")
        if not self.stateless:
            self.expect(received == returned == self.replies, f"counts {received} and {returned}")
        self.one(FOLLOW_UP, bytes(16))  # from now on the session's transmit stamps are kept
        seq, stamp, mode = struct.unpack("!I8sB3x", self.one(FOLLOW_UP, bytes(16)))
        if self.stateless:
            self.expect((seq, seconds(stamp), mode) == (0, -NTP_EPOCH, 0), "a stateless follow-up is not zero")
        else:
            self.expect(seq == self.before[0], f"a follow-up of {seq}")
            self.expect(0 <= seconds(stamp) - self.before[1] < 1 and 1 <= mode <= 3, "its stamp")
        found = self.ask([(DIRECT, bytes(12)), (PADDING, padding), (99, b"")])
        self.expect([f[:2] for f in found[:3]] == [(0, DIRECT), (0, PADDING), (FLAG_UNKNOWN, 99)],
                    f"three TLVs come back as {found}")
        if self.key:
            found = self.ask([(DIRECT, bytes(12)), (PADDING, padding)], forge=True)
            self.expect(all(flags == FLAG_FORGED for flags, _, _ in found) and len(found) == 3,
                        f"forged TLVs come back as {found}")


def main():
    host, port, rest = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    stateless = rest[:1] == ["stateless"]
    key = bytes.fromhex(rest[-1]) if len(rest) > stateless else None
    sender = Sender(host, port, stateless, key)
    sender.plain()
    sender.with_tlvs()
    print(f"{sender.replies} replies, {sender.wrong} wrong")
    return sender.wrong > 0


sys.exit(main())
