"""Where Lintel serves a file otherwise than Caddy 2.6.2 or nginx do, on purpose: who does it otherwise,
what, which requests, and why, with the section of the RFC. A row that no longer comes up is an error.

Where the status is another one, the rest of the answer follows from it and is not compared: the other
peer, who has the same status as a rule, has all fields of it compared.
"""

import re

import compare
from differences import NONE, PAGE, TEXT, TIME, Row

ERRORS = set(range(400, 600))
UNSAFE = "(POST|PUT|DELETE|PATCH|TRACE|PROPFIND|BREW|get) /(a|with)"


def everybody(item, theirs, lintel, why, request="", status=None):
    return Row("*", item, theirs, lintel, why, request, status)


def caddy(item, theirs, lintel, why, request="", status=None):
    return Row("Caddy", item, theirs, lintel, why, request, status)


def nginx(item, theirs, lintel, why, request="", status=None):
    return Row("nginx", item, theirs, lintel, why, request, status)


ROWS = [
    # What differs always.
    caddy("server", "Caddy", "Lintel", "RFC 9110 10.2.4: the name of the program"),
    nginx("server", "nginx/.*", "Lintel", "the same"),
    caddy("server", NONE, "Lintel", "what Go's server refuses by itself has no Server"),
    nginx("server", "nginx/.*", NONE, "libmicrohttpd refuses a version by itself", "HTTP/2.0"),
    everybody("body", "<html>.*|505 HTTP Version.*", "<html>.*", "with its own page", "HTTP/2.0"),
    everybody("content-type", ".*", NONE, "that has no type", "HTTP/2.0"),
    nginx("body", "<html>.*", PAGE, "RFC 9110 15: each has error pages of its own", status=ERRORS),
    nginx("content-type", "text/html; charset=utf-8", TEXT, "the same", status=ERRORS),
    nginx("content-length", r"\d+", r"\d+", "the same, for HEAD", "HEAD", ERRORS),
    caddy("body", "|400 Bad Request.*|invalid range.*", PAGE, "the same", status=ERRORS),
    caddy("content-type", NONE, TEXT, "the same", status=ERRORS),
    everybody("vary", NONE, "Accept", "RFC 9110 12.5.5: a browser gets a page", status=ERRORS),
    caddy("connection", NONE, "close", "RFC 9112 9.3: said although HTTP/1.0 ends without it",
          "HTTP/1.0"),
    everybody("connection", "keep-alive", "Keep-Alive",
              "RFC 9110 7.6.1: the case of an option says nothing", "HTTP/1.0"),
    nginx("connection", "keep-alive", NONE, "RFC 9112 9.3: goes without saying in HTTP/1.1"),

    # Types.
    everybody("x-content-type-options", NONE, "nosniff",
              "WHATWG Fetch 3.6: files and pages of errors are what their type says"),
    caddy("content-type", NONE, TEXT,
          "WHATWG MIME Sniffing 7.2: what is text may be read, and is never taken for a page",
          "GET /(unknown.qqqq|none|\\.\\.\\.|.git/config)", 200),
    nginx("content-type", "application/octet-stream", TEXT, "the same",
          "GET /(unknown.qqqq|none|\\.\\.\\.|.git/config)"),
    caddy("content-type", NONE, "application/octet-stream", "and what is not, is named so", "sparse"),
    caddy("body", ".*Content-Type: \n.*", ".*Content-Type: application/octet-stream\n.*", "the same",
          "/sparse.*\nRange"),
    everybody("body", ".*Content-Type: (application/octet-stream|)\n.*", ".*Content-Type: text/plain.*",
              "the same", "/none.*\nRange"),
    nginx("content-type", "application/javascript; charset=utf-8", "text/javascript; charset=utf-8",
          "RFC 9239 6: the one type of scripts"),
    nginx("content-type", "application/octet-stream", "text/javascript; charset=utf-8",
          "RFC 9239 6: modules are scripts", r"\.mjs"),
    nginx("content-type", "application/octet-stream", "application/gzip",
          "RFC 6713: nginx has no type for it", r"\.gz"),

    # Methods.
    caddy("status", "200|206|304|412", "405",
          "RFC 9110 9.3.3, 13.2.1: a file takes no POST, and conditions are not looked at then; so newer "
          "Caddy", UNSAFE),
    nginx("allow", NONE, "GET, HEAD, OPTIONS", "RFC 9110 15.5.6: a 405 has to have it", UNSAFE),
    caddy("status", "308", "405", "RFC 9110 9.3.3: nobody is sent where it will be refused",
          "POST /with$"),
    nginx("status", "301", "405", "the same", "POST /with$"),
    everybody("status", "200|206|308|405", "204", "RFC 9110 9.3.7: OPTIONS asks what is allowed",
              "OPTIONS /(a|with)"),
    everybody("status", "200|400", "204", "RFC 9110 9.3.7: and so it may of all", r"OPTIONS \*"),
    nginx("status", "405", "404", "RFC 9110 15.5.5: there is nothing that could refuse a method",
          "(OPTIONS|DELETE|PUT) /(missing|new)"),
    nginx("status", "400", "405", "RFC 9110 9.1: a method may be any word", "^get"),
    caddy("status", "308", "501", "RFC 9110 9.3.6, 15.6.2: no proxy is here", "CONNECT"),
    nginx("status", "400", "501", "the same", "CONNECT"),

    # Conditions.
    nginx("last-modified", TIME, NONE, "RFC 9110 15.4.5: a 304 with a tag needs no date", status=304),
    caddy("status", "304", "200", "RFC 9110 13.1.2: a star in a list is no tag", r'"other", \*'),
    nginx("status", "200", "304", "RFC 9110 8.8.3: two tags without a comma; the first is one",
          r"\$ETAG\$ETAG"),
    caddy("status", "200", "304", "RFC 9110 5.3: the fields of one name are one list",
          '"other"\nIf-None-Match'),
    nginx("status", "400", "304", "the same", '"other"\nIf-None-Match'),
    caddy("etag|last-modified", ".*", NONE,
          "RFC 9110 15.5.13: an error tells nothing of the file it is not about", status=412),
    nginx("status", "304", "200", "RFC 9110 5.6.7: a date ends with GMT", r"UTC|\+0200"),
    nginx("status", "412", "200", "RFC 9110 13.1.4: a field that is no date is overlooked",
          "If-Unmodified-Since: yesterday"),
    nginx("status", "200", "304", "RFC 9110 13.2.2: with If-None-Match, If-Modified-Since is not looked "
          "at", "If-None-Match: \\$ETAG\nIf-Modified-Since: Sat"),
    nginx("status", "412", "200", "RFC 9110 13.2.2: nor If-Unmodified-Since with If-Match",
          "If-Match: \\$ETAG\nIf-Unmodified-Since: Sat"),

    # Ranges.
    nginx("accept-ranges", NONE, "bytes", "RFC 9110 14.3: it is as true of a part as of the whole",
          status=206),
    caddy("status", "206", "200", "RFC 9110 14.2: Range is for GET only", "HEAD .*\nRange"),
    nginx("status", "206|416", "200", "the same", "HEAD .*\nRange"),
    caddy("status", "416", "200", "the same", "HEAD .*\nRange"),
    caddy("etag|last-modified", ".*", NONE, "as with 412", status=416),
    caddy("status", "206", "416", "RFC 9110 14.1.2: a suffix of no bytes is never there", "=-0$"),
    caddy("status", "416", "200", "RFC 9110 14.2: what is no range is overlooked",
          r"Range: bytes=(5-4|-|--|a-b|1|0-4x|0x1-4|1-1-1|0-1,x|0-1,5-4)$"),
    nginx("status", "416", "200", "the same",
          r"Range: bytes=(5-4|-|--|a-b|1|0-4x|0x1-4|\+1-4|1-1-1|0-1,x)$"),
    caddy("status", "206", "200", "RFC 9110 14.1.1: nor is a number with a sign", r"=\+1-4"),
    nginx("status", "206", "200", "RFC 9110 14.1.1: one that ends before it begins makes all invalid",
          "=0-1,5-4$"),
    everybody("status", "416", "206", "RFC 9110 14.1.2: a number may be as large as it likes",
              "18446744073709551616$"),
    caddy("content-range", NONE, r"bytes \*/10", "RFC 9110 15.5.17: which says how long it is",
          "18446744073709551616"),
    everybody("status", "206", "200", "RFC 9110 14.1.1: there are no blanks in a range", "= 1 - 4"),
    caddy("status", "416", "206", "RFC 9110 14.1, 5.6.3: blanks before the equals sign do no harm",
          "bytes =1"),
    nginx("status", "200", "206", "the same", "bytes =1"),
    caddy("status", "416", "206", "RFC 9110 14.1: units are compared without regard to case", "Bytes="),
    caddy("status", "416", "200", "RFC 9110 14.2: a unit one does not know is overlooked",
          "Range: (bytes[: ]1-4|bytes|=1-4|lines.*|items.*|seconds.*|none.*)$"),
    everybody("status", "206", "200", "RFC 9110 5.3: two Range fields are no list", "0-1\nRange"),
    nginx("status", "200", "416", "RFC 9110 14.1.2: of an empty file there is no first byte",
          "empty.*\nRange: bytes=0-"),
    caddy("status", "206", "200", "RFC 9110 14.1.2: the last byte of nothing is all of it",
          "empty.*\nRange: bytes=-1"),
    nginx("status", "416", "206", "RFC 9110 5.6.1.2: empty elements of a list count for nothing",
          "=,0-1"),
    everybody("status", "206", "200", "RFC 9110 14.2: ranges that overlap are not worth the traffic",
              "0-4,2-6|0-1,0-1"),
    caddy("status", "206", "200", "RFC 9110 14.2: nor are very many", "40 ranges"),
    nginx("status", "206", "200", "the same", "40 ranges"),
    caddy("body|content-type|content-range", ".*", ".*",
          "RFC 9110 14.1.2, 15.3.7.2: one range is left, and Caddy's 10-9 is none", "=-0,0-1"),
    caddy("status", "206", "200", "RFC 9110 13.1.5: If-Range has one tag or a date",
          'If-Range:( \\$ETAG, "other"|)$'),

    # Times.
    nginx("etag", '"TAG"', NONE, "RFC 9110 8.8.1: the times 0 and 1 are set by those who set them for "
          "each version", "mtime-[01]"),
    caddy("etag", '"TAG"', NONE, "the same; so newer Caddy", "mtime-[01]"),
    everybody("last-modified", "Thu, 01 Jan 1970 00:00:0[01] GMT", NONE, "the same", "mtime-[01]"),
    everybody("status", "304", "200", "the same", "mtime-[01].*\nIf-(Modified|None-Match: .ETAG)"),
    everybody("status", "206|412", "200", "the same", "(?s)mtime-[01].*1970"),
    everybody("last-modified", TIME, NONE,
              "RFC 9110 8.8.2.1: none is later than the answer", "future"),
    everybody("status", "304", "200", "the same", "future.*\nIf-Modified"),

    # Paths.
    everybody("status", "200|404", "400", "RFC 9112 3.2: what is in a target, and what has to be escaped",
              "/ha#sh|/<b>"),
    caddy("content-type", "application/msword-template", "text/plain; charset=utf-8",
          "a name that only begins with a dot has no extension, as in nginx", r"\.dot"),
    nginx("content-type", "application/octet-stream", "text/plain; charset=utf-8",
          "where the name tells nothing, the first bytes do", r"\.dot"),
    caddy("status", "500", "400", "RFC 9110 15.5.1: NUL is in no name: the client's fault", "%00"),
    caddy("status", "308", "200", "RFC 3986 5.2.4: dots at the end leave the slash",
          r"GET /(|with/|with/deep/|a\.txt/)\.\.?$"),
    caddy("status", "200|308|404", "400",
          "RFC 3986 5.2.4: a path that leads above the root is no path; so nginx",
          r"GET /(with/\.\./|with/%2e%2e/)?(\.\.|%2e%2e)|steep path"),
    caddy("status", "404|200", "308", "a file has no slash at its end; so newer Caddy",
          r"GET /(a|with/b)\.txt/|GET /\.\.\./"),
    nginx("status", "404", "308", "the same", r"GET /(a|with/b)\.txt/|GET /\.\.\./"),
    caddy("status", "308", "200", "RFC 9112 3.2.2, RFC 3986 6.2.3: an empty path is the root",
          r"http://localhost(\?x)? HTTP"),
    caddy("status", "404", "400", "RFC 9112 3.2.4: the asterisk is for OPTIONS", r"GET \* HTTP"),
    everybody("status", "200", "400", "RFC 9110 4.2: only http and https are spoken here", "ftp:"),
    nginx("status", "200", "400", "RFC 9112 3: one blank between the words", "GET  /a"),

    # Folders and what is no file.
    nginx("status", "301", "308", "RFC 9110 15.4.9: whatever the method; so Caddy"),
    caddy("body|content-type", "<a href=.*|text/html; charset=utf-8", NONE + "|",
          "RFC 9110 10.2.2: the Location is all there is to say", status=308),
    caddy("location", r"/with/|/sp ace/", r"/with/\?x=y|/sp%20ace/(\?q=%20)?",
          "RFC 9110 10.2.2: a URI, with its query; so newer Caddy"),
    nginx("status", "301|403", "404", "whether there is a folder without an index is nobody's business",
          "GET /(with/deep|without|folder|outside)/?$"),
    caddy("status", "500", "404", "RFC 9110 15.5.5: a link that leads nowhere is no file", "GET /loop"),
    nginx("status", "403", "404", "the same", "GET /loop"),
    everybody("status", "200", "404", "links that lead out of the root are not followed",
              "(GET|HEAD) /outside"),
    caddy("status", "404", "403", "RFC 9110 15.5.4: may not be read; so nginx", "GET /closed"),
    caddy("status", "500", "404", "RFC 9110 15.5.5: no file has such a long name", "too long"),

    # Codings.
    caddy("etag", '"TAG"', 'W/"TAG"', "RFC 9110 8.8.1: an encoder promises no bytes; so nginx",
          "/encoded/"),
    everybody("vary", NONE, "Accept-Encoding",
              "RFC 9110 12.5.5, 15.4.5: caches have to know also of a 304 and what was not encoded",
              "/encoded/"),
    everybody("content-encoding|accept-ranges|content-length|etag", ".*", 'gzip|.{1,3}|W/"TAG"|' + NONE,
              "RFC 9110 12.5.3, 8.4.1.3: * is any coding, and x-gzip is gzip", r": (\*|x-gzip)$"),
    caddy("content-encoding|accept-ranges|content-length", ".*", "4200|bytes|" + NONE,
          "RFC 9110 12.4.2: a weight is at most 1; RFC 9111 5.2.1.6: no-transform", "q=2|no-transform"),
    nginx("content-encoding|accept-ranges|etag", ".*", '"TAG"|bytes|' + NONE,
          "RFC 9111 5.2.1.6: who asks for no transformation gets none", "no-transform"),
    nginx("status", "200", "206", "RFC 9110 14.2: a range is of the file as it is",
          "(?s)/encoded/.*gzip\nRange"),
    nginx("content-encoding|vary", ".*", "Accept|" + NONE, "errors are small enough", "/encoded/missing"),
]

# What a peer is not asked.
UNASKED = [
    ("Caddy", "/fifo", "Caddy 2.6.2 waits for somebody who writes"),
]
# Where a peer gives another number of answers.
COUNTS = [
    ("Caddy", "Expect: 100-continue", "RFC 9110 10.1.1: Go says 100 only when a body is read"),
]


class Table(compare.Table):
    def __init__(self):
        super().__init__(ROWS)
        self.lists_seen = set()

    def _is_in(self, rows, peer, text):
        for row in rows:
            if row[0] == peer and re.search(row[1], text):
                self.lists_seen.add(row)
                return True
        return False

    def is_unasked(self, peer, text):
        return self._is_in(UNASKED, peer, text)

    def allows_count(self, peer, text):
        return self._is_in(COUNTS, peer, text)

    def unseen(self):
        return super().unseen() + [row for row in UNASKED + COUNTS if row not in self.lists_seen]
