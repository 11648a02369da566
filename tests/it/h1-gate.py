#!/usr/bin/env python3
"""The gate of the HTTP/1.1 engine: raw requests, malformed, ambiguous and just allowed ones, over
plain TCP and over TLS. Each row names the section that decides it.

A verdict is OK (answered with 200, and the request behind it is answered as well), or a status: then
that is the only response, nothing behind the request is read as a request, and the connection is
closed. DROP: closed without any response. A tuple lists verdicts that are all right.

Two verdicts often mean two versions of libmicrohttpd: 1.0 is stricter than 0.9.75.
What libmicrohttpd decides by itself, before the gate is asked, is listed under known limits in the
manual: a Content-Length that is no number is refused by it with its head sent twice."""

import sys

import lib

OK, DROP, MISDIRECTED = "OK", "DROP", "421, then OK"
H = b"Host: localhost\r\n"
PROBE = b"GET /probe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def get(*lines, target=b"/", version=b"HTTP/1.1", host=True):
    """A GET with further header lines, each without its line end."""
    text = b"GET " + target + b" " + version + b"\r\n" + (H if host else b"")
    return text + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def post(body, *lines, version=b"HTTP/1.1"):
    text = b"POST / " + version + b"\r\n" + H
    return text + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def target_rows():
    """Every byte that may not stand in a target (RFC 9112 3.2, RFC 3986 2), and some that may."""
    for byte in list(range(1, 10)) + [11, 12] + list(range(14, 32)) + [0x20, 0x22, 0x23, 0x3c, 0x3e, 0x7f]:
        yield ("target with byte 0x%02x" % byte, get(target=b"/a" + bytes([byte]) + b"b"),
               (400, DROP) if byte in b"\x0b\x0c" else 400, "9112 3.2")
    for byte in b"!$&'()*+,;=:@-._~|^`{}\\[]":
        yield "target with %r" % chr(byte), get(target=b"/a" + bytes([byte]) + b"b"), OK, "3986 2"


def name_rows():
    """Every byte that may not stand in a field name (RFC 9110 5.1), and all that may."""
    for byte in b"\"(),/;<=>?@[\\]{}\x01\x1f\x7f\x80\xff":
        yield ("name with byte 0x%02x" % byte, get(b"X" + bytes([byte]) + b"Y: 1"), 400,
               "9110 5.1")
    yield "name with all tokens", get(b"!#$%&'*+-.^_`|~09azAZ: 1"), OK, "9110 5.6.2"


def value_rows():
    """Every control byte in a field value (RFC 9110 5.5)."""
    for byte in list(range(0, 9)) + [11, 12] + list(range(14, 32)) + [127]:
        yield ("value with byte 0x%02x" % byte, get(b"X-A: a" + bytes([byte]) + b"b"), 400,
               "9110 5.5")
    yield "value with a tab", get(b"X-A: a\tb"), OK, "9110 5.5"
    yield "value with obs-text", get(b"X-A: \x80\xff"), OK, "9110 5.5"


ROWS = [
    # ---- request line ----
    ("plain GET", get(), OK, "9112 3"),
    ("HTTP/1.0", get(version=b"HTTP/1.0"), 200, "9112 2.3"),
    ("HTTP/1.0 without Host", get(version=b"HTTP/1.0", host=False), (200, 421), "9112 3.2"),
    ("HTTP/1.2 is read as 1.1", get(version=b"HTTP/1.2"), OK, "9110 2.5"),
    ("HTTP/2.0", get(version=b"HTTP/2.0"), 505, "9110 15.6.6"),
    ("HTTP/3.0", get(version=b"HTTP/3.0"), 505, "9110 15.6.6"),
    ("HTTP/0.9", get(version=b"HTTP/0.9"), 505, "9110 15.6.6"),
    ("HTTP/0.9 simple request", b"GET /\r\n\r\n", 400, "9112 3"),
    ("no version", b"GET / \r\n" + H + b"\r\n", 400, "9112 3"),
    ("version in lower case", get(version=b"http/1.1"), 400, "9112 2.3"),
    ("version without digits", get(version=b"HTTP/x.y"), 400, "9112 2.3"),
    ("version with two digits", get(version=b"HTTP/1.10"), 400, "9112 2.3"),
    ("version with a comma", get(version=b"HTTP/1,1"), 400, "9112 2.3"),
    ("version with a sign", get(version=b"HTTP/+1.1"), 400, "9112 2.3"),
    ("version with a blank behind", get(version=b"HTTP/1.1 "), 400, "9112 3"),
    ("other protocol", get(version=b"ICY/1.1"), 400, "9112 2.3"),
    ("two blanks before the target", b"GET  / HTTP/1.1\r\n" + H + b"\r\n", 400, "9112 3"),
    ("two blanks before the version", b"GET /  HTTP/1.1\r\n" + H + b"\r\n", 400, "9112 3"),
    ("tabs as separators", b"GET\t/\tHTTP/1.1\r\n" + H + b"\r\n", (400, DROP), "9112 3"),
    ("blank before the method", b" GET / HTTP/1.1\r\n" + H + b"\r\n", (400, DROP), "9112 3"),
    ("only a method", b"GET\r\n" + H + b"\r\n", (400, DROP), "9112 3"),
    ("only a blank", b" \r\n" + H + b"\r\n", (400, DROP), "9112 3"),
    ("one empty line before", b"\r\n" + get(), OK, "9112 2.2"),
    ("two empty lines before", b"\r\n\r\n" + get(), (OK, DROP), "9112 2.2"),
    ("NUL before the method", b"\0" + get(), (400, DROP), "9112 3"),
    ("NUL in the method", b"G\0ET / HTTP/1.1\r\n" + H + b"\r\n", (400, DROP), "9110 9.1"),
    ("NUL in the target", get(target=b"/a\0b"), (400, DROP), "9112 3.2"),
    ("NUL in the query", get(target=b"/a?b\0c"), (400, DROP), "9112 3.2"),
    ("NUL in the version", get(version=b"HTTP/1.1\0"), (400, DROP), "9112 2.3"),
    ("CR in the target", get(target=b"/a\rb"), 400, "9112 2.2"),
    ("CR before the line end", get(version=b"HTTP/1.1\r"), 400, "9112 2.2"),
    ("lines that end in LF", b"GET / HTTP/1.1\nHost: localhost\n\n", (OK, 400), "9112 2.2"),
    ("one line that ends in LF", b"GET / HTTP/1.1\r\nHost: localhost\n\r\n", (OK, 400), "9112 2.2"),
    ("method that is a token", b"M-SEARCH / HTTP/1.1\r\n" + H + b"\r\n", OK, "9110 9.1"),
    ("method in lower case", b"get / HTTP/1.1\r\n" + H + b"\r\n", OK, "9110 9.1"),
    ("method with a colon", b"GE:T / HTTP/1.1\r\n" + H + b"\r\n", 400, "9110 9.1"),
    ("method with a slash", b"GE/T / HTTP/1.1\r\n" + H + b"\r\n", 400, "9110 9.1"),
    ("method in brackets", b"(GET) / HTTP/1.1\r\n" + H + b"\r\n", 400, "9110 9.1"),
    ("method with a tab", b"GE\tT / HTTP/1.1\r\n" + H + b"\r\n", 400, "9110 9.1"),
    ("method with a high byte", b"G\xc3\x89T / HTTP/1.1\r\n" + H + b"\r\n", 400, "9110 9.1"),
    ("TLS on a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
     (400, DROP), "9112 3"),
    ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "9113 3.4"),
    ("target of 20 KiB", get(target=b"/" + b"a" * 20480), (414, 431), "9110 15.5.15"),

    # ---- request target ----
    ("no slash in front", get(target=b"index.html"), 400, "9112 3.2"),
    ("asterisk for GET", get(target=b"*"), 400, "9112 3.2.4"),
    ("asterisk and more", b"OPTIONS *a HTTP/1.1\r\n" + H + b"\r\n", 400, "9112 3.2.4"),
    ("fragment", get(target=b"/a#b"), 400, "9112 3.2"),
    ("bad escape", get(target=b"/a%zzb"), 400, "3986 2.1"),
    ("cut escape", get(target=b"/a%2"), 400, "3986 2.1"),
    ("escaped NUL", get(target=b"/a%00b"), 400, "9110 17.3"),
    ("path above the root", get(target=b"/../etc/passwd"), (400, OK), "3986 5.2.4"),
    ("escaped path above the root", get(target=b"/%2e%2e/%2e%2e/etc/passwd"), (400, OK),
     "3986 5.2.4"),
    ("authority-form for GET", get(target=b"localhost:80"), 400, "9112 3.2.3"),
    ("CONNECT", b"CONNECT localhost:80 HTTP/1.1\r\n" + H + b"\r\n", 501, "9110 9.3.6"),
    ("CONNECT with a path", b"CONNECT / HTTP/1.1\r\n" + H + b"\r\n", 501, "9110 9.3.6"),
    ("absolute-form without authority", get(target=b"SCHEME:///"), 400, "9110 4.2.1"),
    ("absolute-form with empty host", get(target=b"SCHEME://:80/"), 400, "9110 4.2.1"),
    ("absolute-form with userinfo", get(target=b"SCHEME://u@localhost/"), 400, "9110 4.2.4"),
    ("absolute-form with bad port", get(target=b"SCHEME://localhost:x/"), 400, "9110 4.2"),
    ("absolute-form of ftp", get(target=b"ftp://localhost/"), 400, "9112 3.2.2"),
    ("absolute-form with one slash", get(target=b"SCHEME:/localhost/"), 400, "9112 3.2.2"),
    ("absolute-form", get(target=b"SCHEME://localhost/"), OK, "9112 3.2.2"),
    ("absolute-form in upper case", get(target=b"SCHEMEUP://LOCALHOST/"), OK, "9112 3.2.2"),
    ("absolute-form without a path", get(target=b"SCHEME://localhost"), OK, "9112 3.2.2"),
    ("absolute-form with a query only", get(target=b"SCHEME://localhost?a"), OK, "9112 3.2.2"),
    ("absolute-form beats Host", b"GET SCHEME://localhost/ HTTP/1.1\r\nHost: other.test\r\n\r\n",
     OK, "9112 3.2.2"),
    ("absolute-form of the other scheme", get(target=b"OTHER://localhost/"), 421, "9110 7.4"),
    ("absolute-form without Host", get(target=b"SCHEME://localhost/", host=False), 400,
     "9112 3.2"),

    # ---- Host ----
    ("no Host", get(host=False), 400, "9112 3.2"),
    ("two Host", get(b"Host: localhost"), 400, "9112 3.2"),
    ("two different Host", get(b"Host: other.test"), 400, "9112 3.2"),
    ("two Host, HTTP/1.0", get(b"Host: localhost", version=b"HTTP/1.0"), 400, "9112 3.2"),
    ("empty Host", get(b"Host:", host=False), 400, "9110 4.2.1"),
    ("blank Host", get(b"Host:   ", host=False), 400, "9110 4.2.1"),
    ("Host with a blank", get(b"Host: local host", host=False), 400, "9112 3.2"),
    ("Host with a comma and a blank", get(b"Host: localhost, a.test", host=False), 400,
     "9112 3.2"),
    ("Host with a path", get(b"Host: localhost/", host=False), 400, "9112 3.2"),
    ("Host with a scheme", get(b"Host: http://localhost", host=False), 400, "9112 3.2"),
    ("Host with userinfo", get(b"Host: u@localhost", host=False), 400, "9112 3.2"),
    ("Host with a query", get(b"Host: localhost?a", host=False), 400, "9112 3.2"),
    ("Host with a fragment", get(b"Host: localhost#a", host=False), 400, "9112 3.2"),
    ("Host with a backslash", get(b"Host: localhost\\a", host=False), 400, "9112 3.2"),
    ("Host with quotes", get(b'Host: "localhost"', host=False), 400, "9112 3.2"),
    ("Host with a high byte", get(b"Host: localh\xf6st", host=False), 400, "9112 3.2"),
    ("Host with a bad escape", get(b"Host: local%zzhost", host=False), 400, "3986 3.2.2"),
    ("Host with letters as port", get(b"Host: localhost:http", host=False), 400, "3986 3.2.3"),
    ("Host with port 65536", get(b"Host: localhost:65536", host=False), 400, "9110 4.2"),
    ("Host with a signed port", get(b"Host: localhost:+80", host=False), 400, "3986 3.2.3"),
    ("Host with two ports", get(b"Host: localhost:80:80", host=False), 400, "3986 3.2.2"),
    ("Host with a port", get(b"Host: localhost:80", host=False), OK, "9110 7.2"),
    ("Host with an empty port", get(b"Host: localhost:", host=False), OK, "3986 3.2.3"),
    ("Host in upper case", get(b"HOST: LOCALHOST", host=False), OK, "9110 4.2.3"),
    ("Host with a dot behind", get(b"Host: localhost.", host=False), OK, "3986 3.2.2"),
    ("Host with blanks around", get(b"Host: \t localhost \t ", host=False), OK, "9110 5.5"),
    ("Host of another site", get(b"Host: other.test", host=False), MISDIRECTED, "9110 7.4"),
    ("Host with open bracket", get(b"Host: [::1", host=False), 400, "3986 3.2.2"),
    ("Host with bad IPv6", get(b"Host: [::1::2]", host=False), 400, "3986 3.2.2"),
    ("Host with text behind IPv6", get(b"Host: [::1]a", host=False), 400, "3986 3.2.2"),
    ("Host with a zone", get(b"Host: [fe80::1%25eth0]", host=False), 400, "3986 3.2.2"),

    # ---- field syntax ----
    ("no colon", get(b"X-A"), 400, "9112 5"),
    ("no name", get(b": a"), 400, "9112 5"),
    ("no name and no value", get(b":"), 400, "9112 5"),
    ("blank before the colon", get(b"X-A : a"), 400, "9112 5.1"),
    ("tab before the colon", get(b"X-A\t: a"), 400, "9112 5.1"),
    ("blank in the name", get(b"X A: a"), 400, "9112 5.1"),
    ("blank before Content-Length's colon", post(b"abc", b"Content-Length : 3"), 400,
     "9112 5.1"),
    ("blank before Transfer-Encoding's colon",
     post(b"0\r\n\r\n", b"Transfer-Encoding : chunked"), 400, "9112 5.1"),
    ("blank before the first name", b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n", 400,
     "9112 2.2"),
    ("folded line", get(b"X-A: a", b" b"), 400, "9112 5.2"),
    ("line folded by a tab", get(b"X-A: a", b"\tb"), 400, "9112 5.2"),
    ("folded Transfer-Encoding", post(b"0\r\n\r\n", b"Transfer-Encoding:", b" chunked"), 400,
     "9112 5.2"),
    ("folded Host", b"GET / HTTP/1.1\r\nHost:\r\n localhost\r\n\r\n", 400, "9112 5.2"),
    ("folded line of blanks", get(b"X-A: a", b"  "), 400, "9112 5.2"),
    ("NUL in a name", get(b"X\0A: a"), 400, "9110 5.1"),
    ("NUL at the end of a value", get(b"X-A: a\0"), 400, "9110 5.5"),
    ("NUL in the last value", get(b"X-A: a\0b"), 400, "9110 5.5"),
    ("NUL in a value before others", get(b"X-A: a\0b", b"X-B: c"), 400, "9110 5.5"),
    ("field hidden behind a NUL", get(b"X-A: a\0Content-Length: 5"), 400, "9110 5.5"),
    ("CR in a value", get(b"X-A: a\rb"), 400, "9112 2.2"),
    ("field hidden behind a CR", get(b"X-A: a\rContent-Length: 5"), 400, "9112 2.2"),
    ("CR before a name", get(b"\rX-A: a"), 400, "9112 2.2"),
    ("empty value", get(b"X-A:"), OK, "9110 5.5"),
    ("no blank after the colon", get(b"X-A:a"), OK, "9112 5"),
    ("many blanks around a value", get(b"X-A: \t  a \t "), OK, "9110 5.6.3"),
    ("underscore in a name", get(b"X_A: a"), OK, "9110 5.6.2"),
    ("colon in a value", get(b"X-A: a:b"), OK, "9110 5.5"),
    ("header of 20 KiB", get(b"X-A: " + b"a" * 20480), 431, "6585 5"),
    ("header of 5,000 fields", get(*[b"a:b"] * 5000), 431, "6585 5"),

    # ---- Content-Length ----
    ("Content-Length", post(b"abc", b"Content-Length: 3"), OK, "9112 6.2"),
    ("Content-Length 0", post(b"", b"Content-Length: 0"), OK, "9112 6.2"),
    ("Content-Length with zeros", post(b"abc", b"Content-Length: 003"), OK, "9110 8.6"),
    ("GET with a body", b"GET / HTTP/1.1\r\n" + H + b"Content-Length: 3\r\n\r\nabc", OK,
     "9110 9.3.1"),
    ("two Content-Length", post(b"abc", b"Content-Length: 3", b"Content-Length: 3"), 400,
     "9112 6.3"),
    ("two different Content-Length", post(b"abc", b"Content-Length: 3", b"Content-Length: 0"), 400,
     "9112 6.3"),
    ("list of Content-Length", post(b"abc", b"Content-Length: 3, 3"), 400, "9112 6.3"),
    ("list of different lengths", post(b"abc", b"Content-Length: 3,0"), 400, "9112 6.3"),
    ("Content-Length +3", post(b"abc", b"Content-Length: +3"), 400, "9112 6.3"),
    ("Content-Length -3", post(b"abc", b"Content-Length: -3"), 400, "9112 6.3"),
    ("Content-Length 0x3", post(b"abc", b"Content-Length: 0x3"), 400, "9112 6.3"),
    ("Content-Length 3.0", post(b"abc", b"Content-Length: 3.0"), 400, "9112 6.3"),
    ("Content-Length abc", post(b"abc", b"Content-Length: abc"), 400, "9112 6.3"),
    ("Content-Length with a blank", post(b"abc", b"Content-Length: 3 3"), 400, "9112 6.3"),
    ("Content-Length with a blank behind", post(b"abc", b"Content-Length: 3 "), (OK, 400),
     "9110 5.5"),
    ("empty Content-Length", post(b"abc", b"Content-Length:"), 400, "9112 6.3"),
    ("quoted Content-Length", post(b"abc", b'Content-Length: "3"'), 400, "9112 6.3"),
    ("Content-Length above 64 bits", post(b"abc", b"Content-Length: 18446744073709551619"),
     (400, 413), "9110 8.6"),
    ("Content-Length above 63 bits", post(b"abc", b"Content-Length: 9223372036854775808"),
     (400, 413), "9110 8.6"),
    ("Content-Length with a NUL", post(b"abc", b"Content-Length: 3\0"), 400, "9110 5.5"),
    ("Content-Length after a folded line", post(b"abc", b"X: a", b" Content-Length: 3"), 400,
     "9112 5.2"),

    # ---- Transfer-Encoding ----
    ("chunked", post(b"3\r\nabc\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"), (OK, 200),
     "9112 7.1"),
    ("Chunked in capitals", post(b"0\r\n\r\n", b"Transfer-Encoding: CHUNKED"), (OK, 200),
     "9112 7"),
    ("chunked beside Content-Length",
     post(b"0\r\n\r\n", b"Content-Length: 5", b"Transfer-Encoding: chunked"), 400, "9112 6.1"),
    ("chunked before Content-Length",
     post(b"0\r\n\r\n", b"Transfer-Encoding: chunked", b"Content-Length: 5"), 400, "9112 6.1"),
    ("chunked in HTTP/1.0",
     post(b"0\r\n\r\n", b"Transfer-Encoding: chunked", version=b"HTTP/1.0"), 400, "9112 6.1"),
    ("chunked twice", post(b"0\r\n\r\n", b"Transfer-Encoding: chunked, chunked"), 400,
     "9112 6.1"),
    ("chunked on two lines",
     post(b"0\r\n\r\n", b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 400,
     "9112 6.1"),
    ("chunked, identity", post(b"0\r\n\r\n", b"Transfer-Encoding: chunked, identity"), 400,
     "9112 6.3"),
    ("identity, chunked", post(b"0\r\n\r\n", b"Transfer-Encoding: identity, chunked"), (400, 501),
     "9112 6.1"),
    ("gzip, chunked", post(b"0\r\n\r\n", b"Transfer-Encoding: gzip, chunked"), (400, 501), "9112 6.1"),
    ("chunked, gzip", post(b"0\r\n\r\n", b"Transfer-Encoding: chunked, gzip"), 400, "9112 6.3"),
    ("gzip alone", post(b"abc", b"Transfer-Encoding: gzip"), (400, 501), "9112 6.1"),
    ("identity alone", post(b"abc", b"Transfer-Encoding: identity"), (400, 501), "9112 6.1"),
    ("unknown coding", post(b"abc", b"Transfer-Encoding: xchunked"), (400, 501), "9112 6.1"),
    ("chunked with a parameter", post(b"0\r\n\r\n", b"Transfer-Encoding: chunked;a=b"),
     (400, 501), "9112 7"),
    ("quoted chunked", post(b"0\r\n\r\n", b'Transfer-Encoding: "chunked"'), (400, 501),
     "9112 7"),
    ("chunked behind a VT", post(b"0\r\n\r\n", b"Transfer-Encoding: \x0bchunked"), 400,
     "9110 5.5"),
    ("chunked before a NUL", post(b"0\r\n\r\n", b"Transfer-Encoding: chunked\0"), 400,
     "9110 5.5"),
    ("empty Transfer-Encoding", post(b"", b"Transfer-Encoding:"), 400, "9112 6.1"),
    ("comma as Transfer-Encoding", post(b"", b"Transfer-Encoding: ,"), 400, "9112 6.1"),
    # Allowed by 9110 5.6, but libmicrohttpd would not decode the body: see hostile-peers.
    ("blank behind chunked", post(b"0\r\n\r\n", b"Transfer-Encoding: chunked "), (OK, 200, 400),
     "9112 6.1"),
    ("empty list element before chunked", post(b"0\r\n\r\n", b"Transfer-Encoding: , chunked"),
     (OK, 200, 400), "9112 6.1"),
    ("chunked on the second line",
     post(b"0\r\n\r\n", b"Transfer-Encoding: x", b"Transfer-Encoding: chunked"), (400, 501), "9112 6.1"),
    ("name with a blank hides chunked",
     post(b"0\r\n\r\n", b"Content-Length: 5", b"Transfer-Encoding : chunked"), 400, "9112 5.1"),

    # ---- chunks: after the header, so the handler may have answered (200) before the error ----
    ("chunk size that is no number", post(b"xyz\r\nabc\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"),
     (400, 200), "9112 7.1"),
    ("chunk size with 0x", post(b"0x3\r\nabc\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"),
     (400, 200), "9112 7.1"),
    ("negative chunk size", post(b"-3\r\nabc\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"),
     (400, 200), "9112 7.1"),
    ("chunk size above 64 bits",
     post(b"10000000000000003\r\nabc\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"),
     (400, 413, 200), "9112 7.1"),
    ("chunk longer than its size", post(b"3\r\nabcde\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"),
     (400, 200), "9112 7.1"),

    # ---- Expect, Upgrade, Connection ----
    ("unknown expectation", get(b"Expect: 200-ok"), 417, "9110 10.1.1"),
    ("two expectations", get(b"Expect: 100-continue", b"Expect: 100-continue"), 417,
     "9110 10.1.1"),
    ("expectation in HTTP/1.0", get(b"Expect: 200-ok", version=b"HTTP/1.0"), 200, "9110 10.1.1"),
    ("Upgrade is ignored", get(b"Connection: upgrade", b"Upgrade: h2c"), OK, "9110 7.8"),
    ("Upgrade to websocket is ignored", get(b"Connection: upgrade", b"Upgrade: websocket"), OK,
     "9110 7.8"),
    ("Connection: close", get(b"Connection: close"), 200, "9112 9.6"),
    ("keep-alive in HTTP/1.0", get(b"Connection: keep-alive", version=b"HTTP/1.0"), OK,
     "9112 9.3"),
]


def verdict(answer):
    """What the engine made of a request and the probe behind it."""
    statuses = []
    rest = answer
    while rest:
        lib.check(rest.startswith(b"HTTP/1.1 "), "no response", rest[:200], "in", answer[:1000])
        head, _, rest = rest.partition(b"\r\n\r\n")
        if rest.startswith(head):  # see above
            _, _, rest = rest.partition(b"\r\n\r\n")
        statuses.append(int(head[9:12]))
        length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        lib.check(len(length) <= 1, "two Content-Length in", head)
        size = int(length[0].split(b":")[1]) if length else 0
        lib.check(len(rest) >= size, "short body in", answer[:1000])
        body, rest = rest[:size], rest[size:]
    if not statuses:
        return DROP
    if statuses[1:] == [200] and body == b"probe":
        return {200: OK, 421: MISDIRECTED}.get(statuses[0], statuses)
    lib.check(len(statuses) == 1, "more than one response:", answer[:2000])
    return statuses[0]


def run(rows, open_connection, scheme):
    other = {b"http": b"https", b"https": b"http"}[scheme]
    bad = 0
    for name, request, wanted, section in rows:
        request = (request.replace(b"SCHEMEUP", scheme.upper()).replace(b"SCHEME", scheme)
                   .replace(b"OTHER", other))
        with open_connection() as sock:
            try:
                sock.sendall(request + PROBE)
            except OSError:
                pass  # closed already: the answer tells
            answer = lib.read_all(sock)
        try:
            got = verdict(answer)
        except lib.Failure as e:
            got = str(e)
        if got not in (wanted if isinstance(wanted, tuple) else (wanted,)):
            bad += 1
            print("%s: %s: wanted %s (RFC %s), got %s"
                  % (scheme.decode(), name, wanted, section, got), file=sys.stderr)
    return bad


def main():
    rows = ROWS + list(target_rows()) + list(name_rows()) + list(value_rows())
    with lib.Test() as t:
        plain, tls = t.free_ports(2)
        server = t.lintel("{\n http_port %d\n https_port %d\n auto_https disable_redirects\n}\n"
                          "http://localhost:%d, https://localhost:%d {\n"
                          " respond /probe probe\n respond ok\n}\n" % (plain, tls, plain, tls))
        context = lib.tls_context()
        bad = run(rows, lambda: lib.connect(plain), b"http")
        server.wait_log(rb"localhost: certificate obtained")
        bad += run(rows, lambda: lib.connect_tls(tls, "localhost", context), b"https")
        print("%d rows, over plain and TLS" % len(rows))
        lib.check(bad == 0, bad, "wrong verdicts")


main()
