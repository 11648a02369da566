"""Certificates for upstreams of the tests, made by openssl."""

import ssl
import subprocess

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Pki:
    """A root, a certificate for up.test and 127.0.0.1, one for a client, and another root."""

    def __init__(self, t):
        self.t = t
        self.root = self.make_root("root")
        self.other = self.make_root("other")
        self.server = self.issue("server", "DNS:up.test,IP:127.0.0.1")
        self.client = self.issue("client", "DNS:client.test")

    def run(self, *args):
        subprocess.run(["openssl", *args], check=True, stderr=subprocess.DEVNULL)

    def make_root(self, name):
        key, cert = self.t.path(name + ".key"), self.t.path(name + ".crt")
        self.run("req", "-x509", *EC, "-keyout", key, "-out", cert, "-days", "2", "-subj",
                 "/CN=" + name)
        return cert

    def issue(self, name, names):
        key, cert, csr = (self.t.path(name + end) for end in (".key", ".crt", ".csr"))
        self.run("req", *EC, "-keyout", key, "-out", csr, "-subj", "/CN=" + name)
        ext = self.t.write(name + ".ext", "subjectAltName=%s\n" % names)
        self.run("x509", "-req", "-in", csr, "-CA", self.root, "-CAkey", self.t.path("root.key"),
                 "-days", "2", "-out", cert, "-extfile", ext, "-CAcreateserial")
        return cert, key

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.server)
        return context
