"""A DNS server for tests, which answers what the test says, over UDP and TCP.

    dns = Dns()
    dns.records["a.test", A] = ["127.0.0.1"]
    dns.records["_x._tcp.a.test", SRV] = [(0, 5, 8080, "a.test")]
    dns.port, dns.asked (names and types, in order), dns.silent, dns.truncate
"""

import socket
import struct
import threading

A, CNAME, AAAA, SRV = 1, 5, 28, 33


def wire(name):
    return b"".join(bytes([len(p)]) + p.encode() for p in name.split(".") if p) + b"\0"


class Dns:
    def __init__(self):
        self.records = {}
        self.asked = []
        self.silent = False    # no answer at all
        self.refuse = False    # SERVFAIL
        self.truncate = False  # over UDP
        self.forge = False     # wrong answers come first
        while True:
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.1", 0))
            self.port = self.udp.getsockname()[1]
            self.tcp = socket.socket()
            try:
                self.tcp.bind(("127.0.0.1", self.port))
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
        self.tcp.listen(16)
        for run in (self._run_udp, self._run_tcp):
            threading.Thread(target=run, daemon=True).start()

    @staticmethod
    def _data(kind, value):
        if kind == A:
            return socket.inet_aton(value)
        if kind == AAAA:
            return socket.inet_pton(socket.AF_INET6, value)
        if kind == CNAME:
            return wire(value)
        return struct.pack(">HHH", *value[:3]) + wire(value[3])

    def answer(self, message, truncate=False, wrong_id=False, address=None):
        number, flags = struct.unpack(">HH", message[:4])
        end = message.index(b"\0", 12)
        labels, at = [], 12
        while at < end:
            labels.append(message[at + 1:at + 1 + message[at]].decode())
            at += 1 + message[at]
        name, kind = ".".join(labels).lower(), struct.unpack(">H", message[end + 1:end + 3])[0]
        chain, owner = [], name
        while (owner, CNAME) in self.records:
            target = self.records[owner, CNAME][0]
            chain.append((owner, CNAME, target))
            owner = target
        chain += [(owner, kind, v) for v in ([address] if address else
                                             self.records.get((owner, kind), []))]
        known = any(n == owner for n, _ in self.records)
        code = 2 if self.refuse else 0 if known else 3
        flags = 0x8180 | code | (0x0200 if truncate else 0)
        if truncate or self.refuse:
            chain = []
        out = struct.pack(">HHHHHH", number ^ (1 if wrong_id else 0), flags, 1, len(chain), 0, 0)
        out += message[12:end + 5]
        for who, what, value in chain:
            data = self._data(what, value)
            whose = b"\xc0\x0c" if who == name else wire(who)
            out += whose + struct.pack(">HHIH", what, 1, 60, len(data)) + data
        return out, (name, kind)

    def _run_udp(self):
        while True:
            message, peer = self.udp.recvfrom(512)
            out, asked = self.answer(message, self.truncate)
            self.asked.append(asked)
            if self.silent:
                continue
            if self.forge:
                forged = "127.0.0.9" if asked[1] == A else "::9"
                for bad in (b"", b"\0" * 12, message, out[:-3],
                            self.answer(message, wrong_id=True, address=forged)[0]):
                    self.udp.sendto(bad, peer)
            self.udp.sendto(out, peer)

    def _run_tcp(self):
        while True:
            sock, _ = self.tcp.accept()
            with sock:
                head = sock.recv(2, socket.MSG_WAITALL)
                message = sock.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL)
                out = self.answer(message)[0]
                sock.sendall(struct.pack(">H", len(out)) + out)
