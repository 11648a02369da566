#include "http/trailer.h"

#include "base/alloc.h"

/* RFC 9110 6.5.1, in the order in which it speaks of them. */
static const struct str only_before[] = {
    /* Framing, and what is of one connection. */
    STR_LIT("Transfer-Encoding"),
    STR_LIT("Content-Length"),
    STR_LIT("Connection"),
    STR_LIT("Keep-Alive"),
    STR_LIT("Proxy-Connection"),
    STR_LIT("TE"),
    STR_LIT("Trailer"),
    STR_LIT("Upgrade"),
    /* Routing. */
    STR_LIT("Host"),
    STR_LIT("Max-Forwards"),
    STR_LIT("Via"),
    STR_LIT("Forwarded"),
    STR_LIT("X-Forwarded-For"),
    STR_LIT("X-Forwarded-Host"),
    STR_LIT("X-Forwarded-Proto"),
    /* Authentication, and what is kept as one (RFC 6265). */
    STR_LIT("Authorization"),
    STR_LIT("Proxy-Authorization"),
    STR_LIT("WWW-Authenticate"),
    STR_LIT("Proxy-Authenticate"),
    STR_LIT("Cookie"),
    STR_LIT("Set-Cookie"),
    /* Modifiers of requests; all that begin with "If-" besides. */
    STR_LIT("Expect"),
    STR_LIT("Range"),
    /* Controls of responses. */
    STR_LIT("Age"),
    STR_LIT("Cache-Control"),
    STR_LIT("Date"),
    STR_LIT("Expires"),
    STR_LIT("Location"),
    STR_LIT("Pragma"),
    STR_LIT("Retry-After"),
    STR_LIT("Vary"),
    STR_LIT("Warning"),
    /* The format of the content. */
    STR_LIT("Content-Encoding"),
    STR_LIT("Content-Type"),
    STR_LIT("Content-Range"),
};

static const struct str of_bytes[] = {
    STR_LIT("Content-Digest"), STR_LIT("Repr-Digest"), STR_LIT("Digest"),
    STR_LIT("Content-MD5"),    STR_LIT("ETag"),
};

bool trailer_allows(struct str name)
{
    if (name.len > 3 && str_eq_nocase((struct str){name.p, 3}, STR_LIT("If-")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(only_before); i++)
        if (name.len == only_before[i].len && str_eq_nocase(name, only_before[i]))
            return false;
    return true;
}

void trailer_recode(struct fields *trailer)
{
    for (size_t i = 0; i < ARRAY_LEN(of_bytes); i++)
        fields_remove(trailer, of_bytes[i]);
}
