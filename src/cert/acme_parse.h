/* What an ACME server answers (RFC 8555 7.1), read with suspicion: every member's type, every URL
 * and every token is checked here, so that the client proper can take them as they are. Pure. */
#ifndef LINTEL_CERT_ACME_PARSE_H
#define LINTEL_CERT_ACME_PARSE_H

#include "base/arena.h"

enum {
    ACME_BODY_MAX = 64 * 1024, /* bytes of any reply's body */
    ACME_URL_MAX = 2048,
    ACME_TOKEN_MAX = 256,
    ACME_NONCE_MAX = 256,
    ACME_AUTHORIZATIONS_MAX = 8 /* we ask for one name at a time */
};

/* The challenges that we can answer, in the order of preference. */
enum acme_challenge_type { ACME_TLS_ALPN_01, ACME_HTTP_01, ACME_CHALLENGE_TYPES };

const char *acme_challenge_name(enum acme_challenge_type type); /* "tls-alpn-01" */

/* RFC 8555 7.1.6: the union of what orders, authorizations and challenges may be in. */
enum acme_status {
    ACME_PENDING,
    ACME_READY,
    ACME_PROCESSING,
    ACME_VALID,
    ACME_INVALID, /* also deactivated, expired, revoked: it will not become valid any more */
};

/* What a problem document (RFC 7807, RFC 8555 6.7) means to us. */
enum acme_problem_kind {
    ACME_PROBLEM_NONE,
    ACME_PROBLEM_BAD_NONCE,
    ACME_PROBLEM_NO_ACCOUNT,
    ACME_PROBLEM_NOT_READY,
    ACME_PROBLEM_RATE_LIMITED,
    ACME_PROBLEM_SERVER, /* the CA's own trouble: its 5xx */
    ACME_PROBLEM_OTHER
};

struct acme_problem {
    enum acme_problem_kind kind;
    unsigned wait_s;    /* trying again sooner is of no use, judging by the type */
    int64_t retry_at_s; /* the time a rateLimited text names; 0: none */
    char text[224];     /* one line in plain words, the CA's own detail included */
};

struct acme_directory {
    const char *new_nonce;
    const char *new_account;
    const char *new_order;
    bool needs_binding; /* externalAccountRequired */
};

struct acme_order {
    enum acme_status status;
    const char *finalize;
    const char *certificate; /* NULL until it is valid */
    const char *authorizations[ACME_AUTHORIZATIONS_MAX];
    size_t n_authorizations;
    struct acme_problem problem; /* kind NONE: none */
};

struct acme_challenge {
    const char *url; /* NULL: the CA does not offer this type */
    const char *token;
    enum acme_status status;
    struct acme_problem problem;
};

struct acme_authorization {
    enum acme_status status;
    struct acme_challenge challenges[ACME_CHALLENGE_TYPES];
};

/* How to read: texts are copied to arena. Unencrypted URLs are taken only from a directory that
 * is unencrypted itself (a test CA). */
struct acme_reader {
    struct arena *arena;
    bool allow_http;
};

/* Each returns 0, or -1 with *e set if the CA answered what RFC 8555 does not allow. */
MUST_CHECK int acme_parse_directory(const struct acme_reader *r, struct str body,
                                    struct acme_directory *out, struct err *e);
MUST_CHECK int acme_parse_order(const struct acme_reader *r, struct str body,
                                struct acme_order *out, struct err *e);
/* name is the identifier that the authorization must be for. */
MUST_CHECK int acme_parse_authorization(const struct acme_reader *r, struct str body,
                                        struct str name, struct acme_authorization *out,
                                        struct err *e);

/* Reads an error reply; what cannot be understood becomes "the CA answered 503". Never fails. */
void acme_parse_problem(int http_status, struct str body, struct acme_problem *out);

/* The same for a problem inside another object. */
struct json_object;
void acme_read_problem(struct json_object *o, struct acme_problem *out);

/* A copy of url in the arena if it is an absolute URL that we may ask; else NULL. */
const char *acme_check_url(const struct acme_reader *r, struct str url);

/* Whether a Replay-Nonce field value is base64url (RFC 8555 6.5.1) of a sane length. */
bool acme_nonce_ok(struct str nonce);

/* The time in "... retry after 2026-11-21 10:00:00 UTC: ..." of a rateLimited problem's detail;
 * 0 if there is none. */
int64_t acme_retry_time(struct str detail);

/* How a name is asked for: "ip" for an address, else "dns" (RFC 8555 9.7.7, RFC 8738). */
const char *acme_identifier_type(struct str name);

#endif
