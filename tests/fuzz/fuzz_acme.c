/* The ACME reply parsers: any bytes as each kind of reply. The first byte picks the kind. What is
 * taken must be fit to be used without another look. */
#include "cert/acme_parse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
    if (!ok)
        abort();
}

static void check_url(const char *url)
{
    check(url != NULL && strlen(url) <= ACME_URL_MAX);
    check(strncmp(url, "https://", 8) == 0);
    for (; *url != '\0'; url++)
        check(*url > ' ' && *url < 0x7f && *url != '"' && *url != '\\');
}

static void check_problem(const struct acme_problem *p)
{
    check(memchr(p->text, '\0', sizeof p->text) != NULL && p->text[0] != '\0');
    for (const char *c = p->text; *c != '\0'; c++)
        check((unsigned char)*c >= ' ' && *c != 0x7f);
}

static void directory(const struct acme_reader *r, struct str body)
{
    struct acme_directory d;
    struct err e;

    if (acme_parse_directory(r, body, &d, &e) != 0)
        return;
    check_url(d.new_nonce);
    check_url(d.new_account);
    check_url(d.new_order);
}

static void order(const struct acme_reader *r, struct str body)
{
    struct acme_order o;
    struct err e;

    if (acme_parse_order(r, body, &o, &e) != 0)
        return;
    check_url(o.finalize);
    check(o.n_authorizations >= 1 && o.n_authorizations <= ACME_AUTHORIZATIONS_MAX);
    for (size_t i = 0; i < o.n_authorizations; i++)
        check_url(o.authorizations[i]);
    if (o.status == ACME_VALID)
        check_url(o.certificate);
    if (o.problem.kind != ACME_PROBLEM_NONE)
        check_problem(&o.problem);
}

static void authorization(const struct acme_reader *r, struct str body)
{
    struct acme_authorization a;
    struct err e;

    if (acme_parse_authorization(r, body, STR_LIT("a.example.com"), &a, &e) != 0)
        return;
    for (size_t i = 0; i < ACME_CHALLENGE_TYPES; i++) {
        const struct acme_challenge *c = &a.challenges[i];

        if (c->url == NULL)
            continue;
        check_url(c->url);
        check(strlen(c->token) >= 1 && strlen(c->token) <= ACME_TOKEN_MAX);
        check(strpbrk(c->token, "/.%\\\" ") == NULL);
        if (c->problem.kind != ACME_PROBLEM_NONE)
            check_problem(&c->problem);
    }
}

static void problem(const struct acme_reader *r, struct str body)
{
    struct acme_problem p;

    (void)r;
    acme_parse_problem(body.len % 2 == 0 ? 400 : 503, body, &p);
    check_problem(&p);
    acme_retry_time(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(const struct acme_reader *, struct str) = {directory, order,
                                                                            authorization, problem};
    struct acme_reader reader = {arena_new(), false};

    if (size > 0 && size <= ACME_BODY_MAX)
        kinds[data[0] % 4](&reader, (struct str){(const char *)data + 1, size - 1});
    arena_free(reader.arena);
    return 0;
}
