/* Problem documents (RFC 7807 with the types of RFC 8555 6.7) in words that whoever runs a site can
 * act on. */
#include "cert/acme_parse.h"

#include "base/alloc.h"
#include "base/date.h"
#include "cert/jdoc.h"

#include <stdio.h>

enum { MINUTE = 60, HOUR = 3600, DETAIL_MAX = 160 };

static const struct {
    const char *type; /* behind urn:ietf:params:acme:error: */
    enum acme_problem_kind kind;
    unsigned wait_s;
    const char *words;
} kinds[] = {
    {"accountDoesNotExist", ACME_PROBLEM_NO_ACCOUNT, 0, "the CA does not know our account"},
    {"badCSR", ACME_PROBLEM_OTHER, 0, "the CA does not accept our certificate request"},
    {"badNonce", ACME_PROBLEM_BAD_NONCE, 0, "the CA wants another nonce"},
    {"badPublicKey", ACME_PROBLEM_OTHER, HOUR, "the CA does not accept this kind of key"},
    {"badSignatureAlgorithm", ACME_PROBLEM_OTHER, HOUR, "the CA does not accept our signatures"},
    {"caa", ACME_PROBLEM_OTHER, 10 * MINUTE, "a CAA record in DNS forbids this CA"},
    {"connection", ACME_PROBLEM_OTHER, 0, "the CA could not connect to this server"},
    {"dns", ACME_PROBLEM_OTHER, 0, "the CA could not look the name up in DNS"},
    {"externalAccountRequired", ACME_PROBLEM_OTHER, HOUR,
     "the CA wants an external account binding (acme_eab)"},
    {"incorrectResponse", ACME_PROBLEM_OTHER, 0, "the CA got a wrong answer to its challenge"},
    {"invalidContact", ACME_PROBLEM_OTHER, HOUR, "the CA does not accept the e-mail address"},
    {"malformed", ACME_PROBLEM_OTHER, 0, "the CA did not understand our request"},
    {"orderNotReady", ACME_PROBLEM_NOT_READY, 0, "the order was not ready"},
    {"rateLimited", ACME_PROBLEM_RATE_LIMITED, 15 * MINUTE, "a rate limit of the CA is reached"},
    {"rejectedIdentifier", ACME_PROBLEM_OTHER, HOUR, "the CA does not issue for this name"},
    {"serverInternal", ACME_PROBLEM_SERVER, 0, "the CA has trouble of its own"},
    {"tls", ACME_PROBLEM_OTHER, 0, "the CA got no TLS connection to this server"},
    {"unauthorized", ACME_PROBLEM_OTHER, 0, "the CA was not given the right answer"},
    {"unsupportedContact", ACME_PROBLEM_OTHER, HOUR, "the CA does not accept the e-mail address"},
    {"unsupportedIdentifier", ACME_PROBLEM_OTHER, HOUR, "the CA does not issue for such names"},
    {"userActionRequired", ACME_PROBLEM_OTHER, HOUR,
     "the CA wants its terms to be agreed to on its web site"},
};

/* Appends at most DETAIL_MAX bytes of a peer's text, on one line. */
static void append_words(struct acme_problem *out, const char *before, struct str text)
{
    size_t len = strlen(out->text), most = text.len < DETAIL_MAX ? text.len : DETAIL_MAX;

    len += (size_t)snprintf(out->text + len, sizeof out->text - len, "%s", before);
    for (size_t i = 0; i < most && len < sizeof out->text - 1; i++)
        out->text[len++] = (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f ? ' ' : text.p[i];
    if (len < sizeof out->text)
        out->text[len] = '\0';
}

/* The row of a type URN, or -1. */
static int find_kind(struct str type)
{
    const struct str prefix = STR_LIT("urn:ietf:params:acme:error:");

    if (!str_starts(type, prefix))
        return -1;
    type = str_from(type, prefix.len);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_is(type, kinds[i].type))
            return (int)i;
    return -1;
}

/* "compound" problems say little themselves: the first subproblem (RFC 8555 6.7.1) tells more. */
static void append_subproblem(struct json_object *o, struct acme_problem *out)
{
    struct json_object *list = jdoc_array(o, "subproblems");
    struct json_object *sub = list == NULL ? NULL : json_object_array_get_idx(list, 0);
    struct str name = jdoc_str(jdoc_object(sub, "identifier"), "value");
    int kind = find_kind(jdoc_str(sub, "type"));

    if (sub == NULL)
        return;
    if (name.len > 0)
        append_words(out, "; ", name);
    append_words(out, ": ", kind == -1 ? STR_LIT("refused") : str_of(kinds[kind].words));
    if (jdoc_str(sub, "detail").len > 0)
        append_words(out, ": ", jdoc_str(sub, "detail"));
}

void acme_read_problem(struct json_object *o, struct acme_problem *out)
{
    struct str type = jdoc_str(o, "type"), detail = jdoc_str(o, "detail");
    int kind = find_kind(type);

    memset(out, 0, sizeof *out);
    out->kind = kind == -1 ? ACME_PROBLEM_OTHER : kinds[kind].kind;
    out->wait_s = kind == -1 ? 0 : kinds[kind].wait_s;
    append_words(out, "", kind == -1 ? STR_LIT("the CA refused") : str_of(kinds[kind].words));
    if (detail.len > 0)
        append_words(out, ": ", detail);
    else if (kind == -1 && type.len > 0)
        append_words(out, ": ", type);
    append_subproblem(o, out);
    out->retry_at_s = out->kind == ACME_PROBLEM_RATE_LIMITED ? acme_retry_time(detail) : 0;
}

void acme_parse_problem(int http_status, struct str body, struct acme_problem *out)
{
    struct json_object *o = jdoc_parse(body, NULL);

    memset(out, 0, sizeof *out);
    if (o != NULL && jdoc_str(o, "type").len > 0) {
        acme_read_problem(o, out);
    } else {
        out->kind = ACME_PROBLEM_OTHER;
        snprintf(out->text, sizeof out->text, "the CA answered with status %d", http_status);
    }
    json_object_put(o);
    if (out->kind == ACME_PROBLEM_OTHER && http_status == 429) {
        out->kind = ACME_PROBLEM_RATE_LIMITED;
        out->wait_s = 15 * MINUTE;
    }
    if (out->kind == ACME_PROBLEM_OTHER && http_status >= 500)
        out->kind = ACME_PROBLEM_SERVER;
}

int64_t acme_retry_time(struct str detail)
{
    const struct str words = STR_LIT("retry after ");
    char text[DATE_RFC3339_LEN + 1];
    int64_t at_s;

    for (; detail.len >= words.len + DATE_RFC3339_LEN - 1; detail = str_from(detail, 1)) {
        if (!str_starts(detail, words))
            continue;
        memcpy(text, detail.p + words.len, DATE_RFC3339_LEN - 1);
        text[10] = 'T'; /* Let's Encrypt writes a space there and " UTC" behind */
        text[DATE_RFC3339_LEN - 1] = 'Z';
        text[DATE_RFC3339_LEN] = '\0';
        if (date_parse_rfc3339(str_of(text), &at_s))
            return at_s;
    }
    return 0;
}
