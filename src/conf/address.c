#include "conf/address.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { LABEL_LEN_MAX = 63 };

static int take_scheme(struct str *text, struct address *out, struct err *e)
{
    for (size_t i = 0; i + 2 < text->len; i++) {
        struct str scheme = {text->p, i};

        if (!str_starts(str_from(*text, i), STR_LIT("://")))
            continue;
        if (str_eq_nocase(scheme, STR_LIT("http")))
            out->scheme = SCHEME_HTTP;
        else if (str_eq_nocase(scheme, STR_LIT("https")))
            out->scheme = SCHEME_HTTPS;
        else
            return err_set(e, ERR_INVALID, "unknown scheme '" STR_FMT "': use http or https",
                           STR_ARG(scheme));
        *text = str_from(*text, i + 3);
        return 0;
    }
    return 0;
}

/* Cuts ":port" off. In "[::1]:80" the colons within the brackets are the host's. */
static int take_port(struct str *text, struct address *out, struct err *e)
{
    size_t from = 0, colon;
    struct str port;
    uint64_t value;

    if (text->len > 0 && text->p[0] == '[')
        from = str_chr(*text, ']');
    colon = from + str_chr(str_from(*text, from), ':');
    if (colon == text->len)
        return 0;
    port = str_from(*text, colon + 1);
    if (from == 0 && str_chr(port, ':') < port.len)
        return err_set(e, ERR_INVALID, "an IPv6 address must stand in brackets: '[" STR_FMT "]'",
                       STR_ARG(*text));
    if (!str_to_uint(port, 65535, &value) || value == 0)
        return err_set(e, ERR_INVALID, "'" STR_FMT "' is no port (1 to 65535)", STR_ARG(port));
    out->port = (uint16_t)value;
    text->len = colon;
    return 0;
}

/* ---- hosts ---- */

static int set_ip(int family, struct str text, struct address *out)
{
    unsigned char ip[sizeof(struct in6_addr)];
    char copy[INET6_ADDRSTRLEN];

    if (text.len >= sizeof copy)
        return -1;
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    if (inet_pton(family, copy, ip) != 1)
        return -1;
    inet_ntop(family, ip, out->host, sizeof out->host);
    out->kind = HOST_IP;
    out->local = true;
    return 0;
}

static bool is_label_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static int check_label(struct str label, struct err *e)
{
    if (label.len == 0)
        return err_set(e, ERR_INVALID, "a host name has no empty part between its dots");
    if (label.len > LABEL_LEN_MAX)
        return err_set(e, ERR_INVALID, "a part of a host name is longer than %d", LABEL_LEN_MAX);
    if (label.p[0] == '-' || label.p[label.len - 1] == '-')
        return err_set(e, ERR_INVALID, "a part of a host name neither begins nor ends with '-'");
    for (size_t i = 0; i < label.len; i++) {
        if (label.p[i] == '*')
            return err_set(e, ERR_INVALID, "'*' can only be the whole first part of a host name");
        if (!is_label_byte(label.p[i]))
            return err_set(e, ERR_INVALID, "'%c' cannot be part of a host name", label.p[i]);
    }
    return 0;
}

static bool is_digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.len > 0;
}

/* Every label of a name, and that the last one is no number (RFC 1123 2.1: "1.2.3.400" was meant
 * to be an IP address). */
static int check_name(struct str name, struct err *e)
{
    struct str rest = name, label = name;

    while (rest.p != NULL) {
        label = str_cut(&rest, '.');
        if (check_label(label, e) != 0)
            return -1;
    }
    if (is_digits(label))
        return err_set(e, ERR_INVALID, "'" STR_FMT "' is neither a host name nor an IP address",
                       STR_ARG(name));
    return 0;
}

/* Names that exist only on this machine or its network: no public CA can certify them. */
static bool is_local(struct str name)
{
    static const char *const suffixes[] = {".localhost", ".local", ".internal", ".home.arpa", NULL};

    if (str_is(name, "localhost"))
        return true;
    for (size_t i = 0; suffixes[i] != NULL; i++)
        if (str_ends(name, str_of(suffixes[i])))
            return true;
    return false;
}

/* The star of a wildcard is no label of IDNA. */
static int set_international(struct str text, struct address *out, struct err *e)
{
    const size_t star = str_starts(text, STR_LIT("*.")) ? 2 : 0;
    char ascii[IDNA_NAME_MAX + 1];

    if (idna_to_ascii(str_from(text, star), ascii, e) != 0)
        return -1;
    if (star + strlen(ascii) > HOST_LEN_MAX)
        return err_set(e, ERR_INVALID, "a host name is longer than %d bytes", HOST_LEN_MAX);
    memcpy(out->host, "*.", star);
    memcpy(out->host + star, ascii, strlen(ascii) + 1);
    return 0;
}

static int set_lower(struct str text, struct address *out, struct err *e)
{
    if (idna_is_international(text))
        return set_international(text, out, e);
    if (text.len > HOST_LEN_MAX)
        return err_set(e, ERR_INVALID, "a host name is longer than %d bytes", HOST_LEN_MAX);
    for (size_t i = 0; i < text.len; i++)
        out->host[i] = ascii_lower(text.p[i]);
    out->host[text.len] = '\0';
    return 0;
}

static int set_name(struct str text, struct address *out, struct err *e)
{
    struct str name;
    bool wildcard;

    if (set_lower(text, out, e) != 0)
        return -1;
    name = str_of(out->host);
    if (str_is(name, "*"))
        return err_set(e, ERR_INVALID,
                       "'*' needs a domain after it ('*.example.com'); "
                       "leave the host out for any host (':443')");
    if (str_ends(name, STR_LIT(".")))
        return err_set(e, ERR_INVALID, "write the host name without the dot at its end");
    wildcard = str_starts(name, STR_LIT("*."));
    if (check_name(wildcard ? str_from(name, 2) : name, e) != 0)
        return -1;
    out->kind = wildcard ? HOST_WILDCARD : HOST_NAME;
    out->local = is_local(name);
    return 0;
}

static int set_host(struct str text, struct address *out, struct err *e)
{
    if (text.len == 0)
        return 0;
    if (text.p[0] == '[') {
        if (text.len < 2 || text.p[text.len - 1] != ']' ||
            set_ip(AF_INET6, (struct str){text.p + 1, text.len - 2}, out) != 0)
            return err_set(e, ERR_INVALID, "'" STR_FMT "' is no IPv6 address", STR_ARG(text));
        return 0;
    }
    return set_ip(AF_INET, text, out) == 0 ? 0 : set_name(text, out, e);
}

/* Slips that would be reported as something else. */
static int check_slips(struct str text, struct err *e)
{
    if (str_starts(text, STR_LIT("@")))
        return err_set(e, ERR_INVALID, "a named matcher belongs in the block of a site");
    if (str_starts(text, STR_LIT("(")))
        return err_set(e, ERR_INVALID, "a snippet is written '(name) {'");
    if (str_starts(text, STR_LIT("&")))
        return err_set(e, ERR_INVALID, "a named route is written '&(name) {'");
    if (str_ends(text, STR_LIT("{")))
        return err_set(e, ERR_INVALID, "a blank is missing before the '{'");
    if (str_chr(text, ',') < text.len)
        return err_set(e, ERR_INVALID, "a blank is missing after the comma between two addresses");
    return 0;
}

int address_parse(struct str text, struct address *out, struct err *e)
{
    size_t slash;

    memset(out, 0, sizeof *out);
    if (check_slips(text, e) != 0 || take_scheme(&text, out, e) != 0)
        return -1;
    slash = str_chr(text, '/');
    if (slash + 1 == text.len && slash > 0)
        text.len = slash; /* "example.com/" is the site itself */
    else if (slash < text.len)
        return err_set(e, ERR_INVALID,
                       "a site address has no path: in the block of the site, 'handle_path " STR_FMT
                       "' or a matcher does what is meant",
                       STR_ARG(str_from(text, slash)));
    if (take_port(&text, out, e) != 0 || set_host(text, out, e) != 0)
        return -1;
    if (out->kind == HOST_ANY && out->scheme == SCHEME_NONE && out->port == 0)
        return err_set(e, ERR_INVALID, "an empty address");
    return 0;
}
