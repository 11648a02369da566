"""Where Lintel answers otherwise than Caddy, on purpose. A row that no longer comes up is an error, so
that this table stays true."""

import fnmatch
import re

ABSENT = "(absent)"


class Row:
    """case is a pattern of case names; item ("status", "body" or the name of a field), theirs and
    lintel (the values) are regular expressions for the whole, request for a part of its first line
    and fields."""

    def __init__(self, case, item, theirs, lintel, why, request="", status=None):
        self.case = case
        self.item = re.compile(item)
        self.theirs = re.compile(theirs, re.S)
        self.lintel = re.compile(lintel, re.S)
        self.why = why
        self.request = re.compile(request)
        self.status = {status} if isinstance(status, int) else status  # those of the peer's answer

    def matches(self, case, request, status, difference):
        return (self.item.fullmatch(difference.item) and fnmatch.fnmatch(case, self.case)
                and self.request.search(request) and (self.status is None or status in self.status)
                and self.theirs.fullmatch(difference.theirs)
                and self.lintel.fullmatch(difference.lintel))

    def __str__(self):
        return "%s, %s: %s" % (self.case, self.item.pattern, self.why)


NONE = re.escape(ABSENT)
PAGE = r"\d{3} [A-Z][A-Za-z' -]+\n"
TEXT = "text/plain; charset=utf-8"
TIME = r"[A-Z][a-z]{2}, .* GMT"

ROWS = [
    Row("*", "server", "Caddy", "Lintel", "the name of the program"),
    Row("*", "body", "|400 Bad Request.*", PAGE,
        "an error without handle_errors gets a line of text, so that a person sees what it was"),
    Row("files-*", "content-type", NONE, TEXT,
        "a file of no known type has one all the same: browsers need not guess", status=200),
    Row("*", "content-type", NONE, TEXT, "the type of that line"),
    Row("*", "x-content-type-options", NONE, "nosniff",
        "files and pages of errors are what their type says (WHATWG Fetch 3.6)"),
    Row("*", "vary", NONE, "Accept", "RFC 9110 12.5.5: browsers get a page, programs what they ask for"),
    Row("*", "etag", '"[0-9a-z]+"', '"[0-9a-z]+-[0-9a-z]+"',
        "the newer form of Caddy's, from nanoseconds: 2.6.2 overlooks two changes in one second"),
    Row("*", "connection", NONE, "close", "HTTP/1.0: said although it goes without saying", "RAW"),

    # The wire.
    Row("sites-*", "status", "200", "421",
        "RFC 9110 15.5.20: a host that is none of ours is misdirected, not an empty page"),
    Row("http-wire", "server", NONE, "Lintel", "errors have the field like all other responses"),
    Row("http-wire", "body", "505 HTTP Version.*", "<html>.*", "libmicrohttpd's own error page"),
    Row("http-wire", "content-type", TEXT, NONE, "the same", status=505),
    Row("http-wire", "status", "200", "204", "RFC 9110 9.3.7: OPTIONS * asks what is allowed"),
    Row("http-wire", "allow", NONE, "GET, HEAD, OPTIONS", "the same"),
    Row("*", "status", "404|200", "400", "a path that leads above the root is no path",
        r"GET /.*(\.|%2e)(\.|%2e)"),
    Row("combos-*", "body|content-type|etag|last-modified|accept-ranges", ".*",
        PAGE + "|" + TEXT + "|" + NONE, "the same", r"GET /(\.\.|%2e%2e)"),
    Row("sites-hosts", "body", "one ONE.EXAMPLE", "one one.example",
        "{host} is what the name was compared as: in lower case"),

    Row("match-path", "body", r"/.*(//|/\.).*|//.*|/\./.*", r"(/[^/.]+)+",
        "{path} is what was matched: dots resolved, slashes merged; {uri} is as sent"),
    Row("match-host", "body", r"other one\.example\.", "one", "the dot at the end of an absolute name"),

    # respond, redir, header
    Row("redir-html", "content-type", TEXT, "text/html; charset=utf-8",
        "Caddy 2.6.2 forgets the type of its page"),
    Row("redir-html", "body", "<!DOCTYPE html>.*", "<!doctype html>.*", "a page without a script"),
    Row("redir-html", "content-length", "314", "258", "the same"),
    Row("*", "x-(empty|query)", "", NONE, "libmicrohttpd sends no field without a value"),

    # Placeholders
    Row("match-path-regexp", "body", r"none \[\{http\..*\}\]", r"none \[\]",
        "a placeholder without a value is empty; Caddy leaves its name"),
    Row("holders-parts", "body", r"1\|.*\|\{http\..*\}", r"1\|.*\|", "the same"),
    Row("auth-user", "x-user", r"\{http\..*\}", NONE, "the same"),

    Row("*", "referrer-policy|x-.*|vary", NONE, ".*",
        "what header changes late is changed in errors, too", status=404),
    Row("*", "server", "Caddy", NONE, "the same", status=404),

    Row("request-header-host", "body", "other.example ", "other.example other.example",
        "{header.Host} is a field like others, which Go keeps elsewhere"),

    # Lists of folders.
    Row("files-browse", "etag", NONE, '"[0-9a-f]+-[0-9a-f]+"', "RFC 9110 8.8.3: for conditional requests"),
    Row("files-browse", "last-modified", NONE, ".*GMT", "the same, as in newer Caddy"),
    Row("files-browse", "cache-control", NONE, "no-cache",
        "RFC 9111 4.2.2: browsers would guess how long a list with a date is fresh"),
    Row("files-browse", "set-cookie", "(sort=.*|order=.*)+", NONE,
        "RFC 6265 8: the order of a list is in its address, and no cookie is needed"),

    # Files.
    Row("files-serve", "status", "200", "405", "RFC 9110 9.3.3: a file takes no POST or DELETE",
        "POST|DELETE"),
    Row("files-serve", "body", "0123456789", PAGE, "the same", "POST|DELETE"),
    Row("files-serve", "allow", NONE, "GET, HEAD, OPTIONS", "the same", "POST|DELETE|OPTIONS"),
    Row("files-serve", "accept-ranges", "bytes", NONE, "the same", "POST|DELETE|OPTIONS"),
    Row("files-serve", "etag|last-modified", ".*", NONE, "the same", "POST|DELETE|OPTIONS"),
    Row("files-serve", "status", "200", "204", "RFC 9110 9.3.7: OPTIONS asks what is allowed",
        "OPTIONS"),
    Row("files-serve", "body", "0123456789", "", "the same", "OPTIONS"),
    Row("files-serve", "content-type", TEXT, NONE, "the same", "OPTIONS"),
    Row("files-*", "etag|last-modified", '"gj.*"|' + TIME, NONE,
        "an error tells nothing of the file it is not about", status={412, 416}),
    Row("files-serve", "status", "416", "200", "RFC 9110 14.2: a unit of ranges one does not know is "
        "overlooked"),
    Row("files-serve", "body", "invalid range.*", "0123456789|" + PAGE, "the same"),
    Row("files-serve", "accept-ranges", NONE, "bytes", "the same", status=416),

    Row("files-status", "accept-ranges", "bytes", NONE, "there are no ranges of a page for a status",
        "/gone/a"),
    Row("files-status", "body", "", "it was here",
        "a status that is not 200 has no conditions (RFC 9110 13.2.1)", "/gone/a"),
    Row("files-status", "etag|last-modified", '"gj.*"|' + TIME, NONE, "nor validators", "/gone/a"),


    Row("combos-roots-placeholder", "status", "404", "200", "{host} is in lower case", "TWO"),
    Row("combos-roots-placeholder", "status", "200", "404",
        "a placeholder that is dots leads to no folder", r"Host: \.$"),
    Row("combos-roots-placeholder", "(?!status).*", ".*", ".*", "both of these", r"TWO|Host: \.$"),

    # Changes of the request.
    Row("handle-path", "body", "apis x x|exact  /.a", "apis /x /x|exact / /.a",
        "a path always begins with a slash"),
    Row("uri-parts", "body", "  /", "/  /", "the same"),
    Row("rewrite-set", "body", "GET (/v1/api/..|/escaped) .*", r"GET (/v1/api/..|/escaped)\?x .*",
        "a question mark in a path is no query; newer Caddy escapes it in {path}", "%3Fx"),

    Row("*", "etag|last-modified|accept-ranges", '"gj.*"|bytes|' + TIME, NONE,
        "the page of an error has no validators and no ranges: they are about what would have been "
        "there", status={401, 404, 418, 503}),
    Row("*", "body|content-range|content-type", ".*", ".+",
        "the same: the page is whole (RFC 9110 13.2.1, 14.2)", r"\n(If-|Range)", {404, 503}),

    Row("*", "body|content-type", "<a href=.*|text/html; charset=utf-8", NONE + "|",
        "Go's redirect has a page; ours is the Location alone, as that of redir in both", status=308),
    Row("*", "location", "/.*/", r"/.*/\?.*", "the query is kept", r"\?", 308),
    Row("*", "status", "404", "308", "as documented, a file is named without a slash at its end",
        r"(txt|health)/"),
    Row("*", "location", NONE, r"/.*(\.txt|health)(\?a=b)?", "the same", r"(txt|health)/"),

    Row("files-precompressed", "etag", '"[0-9a-z]+"', r'"[0-9a-z]+-[0-9a-z]+\.(gz|zst|br)"',
        "RFC 9110 8.8.3: another one than the original's, also with the same time and size"),
    Row("files-precompressed", "last-modified", TIME, TIME,
        "RFC 9110 8.8.2: of what is sent, not of its original"),
    Row("files-precompressed", "vary", NONE, "Accept-Encoding",
        "RFC 9110 12.5.5: also what is sent as it is depends on it; so newer Caddy"),

    # encode
    Row("*", "etag", '"[0-9a-z]+"', 'W/"[0-9a-z]+-[0-9a-z]+-(gzip|zstd)"',
        "RFC 9110 8.8.3.3: what is encoded is another representation, and so newer Caddy says; 8.8.1: "
        "of which other bytes may be made, so the tag is weak"),
    Row("*", "vary", NONE, "Accept-Encoding",
        "RFC 9110 12.5.5: caches have to know also of a response that was not encoded"),
    Row("encode-gzip", "content-encoding", NONE, "gzip", "newer Caddy encodes wasm", "wasm"),
    Row("encode-gzip", "content-encoding", NONE, "gzip", "RFC 9110 12.5.3: * is any coding",
        r"long\.txt"),
    Row("encode-gzip", "accept-ranges", "bytes", NONE, "what is encoded on the way has no ranges"),
    Row("encode-gzip", "content-length", "1[35]00", r"\d+", "both of these"),

    # The proxy.
    Row("*", "content-type", TEXT, NONE, "an upstream that says no type is not guessed for"),
    Row("*", "up-accept-encoding", "gzip", NONE,
        "Go's client asks for compression by itself; ours sends on what the client said"),
    Row("*", "via", NONE, "1.1 Lintel", "RFC 9110 7.6.3; so does newer Caddy"),
    Row("*", "up-via", NONE, "1.[01] Lintel", "RFC 9110 7.6.3"),
    Row("proxy-fields", "up-via", "1.0 other", "1.0 other\n1.1 Lintel", "the same"),
    Row("proxy-fields", "up-accept-encoding", "\ngzip", NONE,
        "an upstream is asked for no coding that the client has not asked for"),
    Row("proxy-fields", "up-x-empty", "", NONE, "libmicrohttpd sends no empty field back"),
    Row("proxy-fields", "up-cache-control", "no-cache", NONE,
        "RFC 9111 5.4: Pragma is handed on, and nothing made of it"),
    Row("proxy-every-status", "content-type", NONE, "text/x-echo",
        "RFC 9110 15.4.5: what an upstream says in a 304 is handed on", status=304),
    Row("proxy-unreachable", "status|body|content-.*|up-.*", ".*", ".*",
        "another upstream is asked, not the same one again", "/first"),
    Row("forward-auth", "body", r"in: jo \{http\..*\}", "in: jo ",
        "a field that the gateway does not send is not copied; Caddy 2.6.2 copies its name"),
    Row("proxy-hop", "up-connection", NONE, "TE", "RFC 9110 10.1.4: TE is of one connection"),
    Row("proxy-basic", "body|up-.*", ".*", ".*", "a path that leads above the root is no path",
        r"GET /\.\./up"),
    Row("proxy-basic", "content-type", "text/x-echo", TEXT, "the same", r"GET /\.\./up"),
    Row("proxy-basic", "content-type", NONE, "text/x-echo",
        "a 304 is passed on with all fields the upstream gave it", status=304),

    # FastCGI.
    Row("proxy-fastcgi*", "status", r"\d{3}", NONE,
        "RFC 3875 6.3.3: this field is for the server, which makes the status of it"),
    Row("proxy-fastcgi*", "env-content_length", "0", NONE,
        "RFC 3875 4.1.2: not set without a body; so does newer Caddy"),
    Row("proxy-fastcgi*", "env-content_type", "application/x-www-form-urlencoded", NONE,
        "RFC 9110 8.3: the type of a body is not made up", "^(PUT|DELETE)"),
    Row("proxy-fastcgi*", "env-http_cookie", "a=b, c=d", "a=b; c=d",
        "RFC 9113 8.2.3: lines of cookies are joined by semicolons"),
    Row("proxy-fastcgi*", "env-http_proxy", "http://evil.test/", NONE, "httpoxy; so does newer Caddy"),
    Row("proxy-fastcgi*", "env-http_via", NONE, "1.1 Lintel", "RFC 9110 7.6.3"),
    Row("proxy-fastcgi*", "env-remote_port", r"\d+", r"\d+", "each connection has its own"),
    Row("proxy-fastcgi*", "env-server_addr", NONE, "127.0.0.1", "newer Caddy tells it too"),
    Row("proxy-fastcgi*", "env-server_software", "Caddy/.*", "Lintel/.*", "the name of the program"),
    Row("proxy-fastcgi", "content-type", NONE, "text/x-echo",
        "a 304 is passed on with all fields the upstream gave it", status=304),
]
