#include "cert/acme_parse.h"

#include "base/alloc.h"
#include "cert/jdoc.h"
#include "cert/x509.h"

static const char *const challenge_names[ACME_CHALLENGE_TYPES] = {
    [ACME_TLS_ALPN_01] = "tls-alpn-01",
    [ACME_HTTP_01] = "http-01",
};

const char *acme_challenge_name(enum acme_challenge_type type)
{
    return challenge_names[type];
}

/* ---- texts ---- */

static bool is_base64url(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_lower(s.p[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return s.len > 0;
}

bool acme_nonce_ok(struct str nonce)
{
    return nonce.len <= ACME_NONCE_MAX && is_base64url(nonce);
}

/* The characters of RFC 3986, less the ones that no ACME server needs and that would have to be
 * escaped somewhere. */
static bool is_url_text(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("\"<>\\^`{|}", s.p[i]) != NULL)
            return false;
    return true;
}

const char *acme_check_url(const struct acme_reader *r, struct str url)
{
    struct str rest = url, authority;

    if (url.len == 0 || url.len > ACME_URL_MAX || !is_url_text(url))
        return NULL;
    if (str_starts(url, STR_LIT("https://")))
        rest = str_from(url, sizeof "https://" - 1);
    else if (r->allow_http && str_starts(url, STR_LIT("http://")))
        rest = str_from(url, sizeof "http://" - 1);
    else
        return NULL;
    authority = str_cut(&rest, '/');
    if (authority.len == 0 || str_chr(authority, '@') < authority.len)
        return NULL;
    return arena_str(r->arena, url).p;
}

/* Puts the URL of a member into *out; an absent one is fine only if it may be. */
static int take_url(const struct acme_reader *r, struct json_object *o, const char *name,
                    const char **out, struct err *e)
{
    *out = acme_check_url(r, jdoc_str(o, name));
    if (*out == NULL)
        return err_set(e, ERR_PROTOCOL, "\"%s\" is not a URL that may be asked", name);
    return 0;
}

const char *acme_identifier_type(struct str name)
{
    uint8_t ip[16];

    return x509_ip(name, ip) > 0 ? "ip" : "dns";
}

/* ---- objects ---- */

static const struct {
    const char *text;
    enum acme_status status;
} statuses[] = {
    {"pending", ACME_PENDING}, {"ready", ACME_READY},     {"processing", ACME_PROCESSING},
    {"valid", ACME_VALID},     {"invalid", ACME_INVALID}, {"deactivated", ACME_INVALID},
    {"expired", ACME_INVALID}, {"revoked", ACME_INVALID},
};

static int take_status(struct json_object *o, enum acme_status *out, struct err *e)
{
    struct str text = jdoc_str(o, "status");

    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (str_is(text, statuses[i].text)) {
            *out = statuses[i].status;
            return 0;
        }
    return err_set(e, ERR_PROTOCOL, "\"status\" is none that RFC 8555 knows");
}

int acme_parse_directory(const struct acme_reader *r, struct str body, struct acme_directory *out,
                         struct err *e)
{
    struct json_object *o = jdoc_parse(body, e);
    int rc = -1;

    memset(out, 0, sizeof *out);
    if (o == NULL)
        return -1;
    if (take_url(r, o, "newNonce", &out->new_nonce, e) == 0 &&
        take_url(r, o, "newAccount", &out->new_account, e) == 0 &&
        take_url(r, o, "newOrder", &out->new_order, e) == 0)
        rc = 0;
    out->needs_binding = jdoc_bool(jdoc_object(o, "meta"), "externalAccountRequired");
    json_object_put(o);
    return rc;
}

static int take_authorizations(const struct acme_reader *r, struct json_object *o,
                               struct acme_order *out, struct err *e)
{
    struct json_object *list = jdoc_array(o, "authorizations");
    size_t n = list == NULL ? 0 : json_object_array_length(list);

    if (n == 0 || n > ACME_AUTHORIZATIONS_MAX)
        return err_set(e, ERR_PROTOCOL, "an order with %zu authorizations", n);
    for (size_t i = 0; i < n; i++) {
        out->authorizations[i] = acme_check_url(r, jdoc_str_at(list, i));
        if (out->authorizations[i] == NULL)
            return err_set(e, ERR_PROTOCOL, "authorization %zu is not a URL that may be asked", i);
    }
    out->n_authorizations = n;
    return 0;
}

static void take_problem(struct json_object *o, struct acme_problem *out)
{
    struct json_object *error = jdoc_object(o, "error");

    if (error != NULL)
        acme_read_problem(error, out);
}

static int read_order(const struct acme_reader *r, struct json_object *o, struct acme_order *out,
                      struct err *e)
{
    struct str certificate = jdoc_str(o, "certificate");

    if (take_status(o, &out->status, e) != 0 ||
        take_url(r, o, "finalize", &out->finalize, e) != 0 ||
        take_authorizations(r, o, out, e) != 0)
        return -1;
    if (certificate.p != NULL && take_url(r, o, "certificate", &out->certificate, e) != 0)
        return -1;
    if (out->status == ACME_VALID && out->certificate == NULL)
        return err_set(e, ERR_PROTOCOL, "a valid order without a certificate");
    take_problem(o, &out->problem);
    return 0;
}

int acme_parse_order(const struct acme_reader *r, struct str body, struct acme_order *out,
                     struct err *e)
{
    struct json_object *o = jdoc_parse(body, e);
    int rc;

    memset(out, 0, sizeof *out);
    if (o == NULL)
        return -1;
    rc = read_order(r, o, out, e);
    json_object_put(o);
    return rc;
}

/* ---- authorizations ---- */

static int read_challenge(const struct acme_reader *r, struct json_object *o,
                          struct acme_authorization *out, struct err *e)
{
    struct str type = jdoc_str(o, "type"), token = jdoc_str(o, "token");
    struct acme_challenge *c = NULL;

    for (size_t i = 0; i < ACME_CHALLENGE_TYPES; i++)
        if (str_is(type, challenge_names[i]))
            c = &out->challenges[i];
    if (c == NULL || c->url != NULL)
        return 0; /* a type that we cannot answer, or the second of its kind */
    if (token.len > ACME_TOKEN_MAX || !is_base64url(token))
        return err_set(e, ERR_PROTOCOL, "a challenge without a proper token");
    if (take_status(o, &c->status, e) != 0 || take_url(r, o, "url", &c->url, e) != 0)
        return -1;
    c->token = arena_str(r->arena, token).p;
    take_problem(o, &c->problem);
    return 0;
}

/* A CA that could make us answer for another name could use us against that name's owner. */
static bool is_for(struct json_object *authorization, struct str name)
{
    struct json_object *id = jdoc_object(authorization, "identifier");

    if (str_starts(name, STR_LIT("*.")))
        name = str_from(name, 2);
    return str_is(jdoc_str(id, "type"), acme_identifier_type(name)) &&
           str_eq_nocase(jdoc_str(id, "value"), name);
}

static int read_authorization(const struct acme_reader *r, struct json_object *o, struct str name,
                              struct acme_authorization *out, struct err *e)
{
    struct json_object *list = jdoc_array(o, "challenges");
    size_t n = list == NULL ? 0 : json_object_array_length(list);

    if (!is_for(o, name))
        return err_set(e, ERR_PROTOCOL, "an authorization for another name");
    if (take_status(o, &out->status, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (read_challenge(r, json_object_array_get_idx(list, i), out, e) != 0)
            return -1;
    return 0;
}

int acme_parse_authorization(const struct acme_reader *r, struct str body, struct str name,
                             struct acme_authorization *out, struct err *e)
{
    struct json_object *o = jdoc_parse(body, e);
    int rc;

    memset(out, 0, sizeof *out);
    if (o == NULL)
        return -1;
    rc = read_authorization(r, o, name, out, e);
    json_object_put(o);
    return rc;
}
