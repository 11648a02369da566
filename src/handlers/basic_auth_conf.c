#include "handlers/basic_auth_conf.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/password.h"

#include <stdlib.h>

/* ---- accounts ---- */

struct account_draft {
    struct account account;
    const struct token *at; /* the user */
};

static int compare_users(const void *a, const void *b)
{
    return str_cmp(((const struct account_draft *)a)->account.user,
                   ((const struct account_draft *)b)->account.user);
}

const struct account *account_find(const struct basic_auth_conf *c, struct str user)
{
    size_t low = 0, high = c->n_accounts;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(user, c->accounts[middle].user);

        if (order == 0)
            return &c->accounts[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* The hash that a token stands for: itself, or in base64, as Caddy once wanted it. False if it is
 * something else: most likely a password. */
static bool hash_of(const struct token *t, char buf[PASSWORD_HASH_MAX], struct str *hash)
{
    size_t len;

    *hash = t->text;
    if (str_starts(t->text, STR_LIT("$")))
        return true;
    if (!base64_decode(t->text, (uint8_t *)buf, PASSWORD_HASH_MAX, &len))
        return false;
    *hash = (struct str){buf, len};
    return str_starts(*hash, STR_LIT("$"));
}

static int take_hash(const struct directive_args *d, const struct token *t,
                     enum password_algorithm a, const char **out)
{
    enum password_algorithm other = a == PASSWORD_BCRYPT ? PASSWORD_ARGON2ID : PASSWORD_BCRYPT;
    char buf[PASSWORD_HASH_MAX];
    struct str hash;
    struct err e, ignored;

    if (!hash_of(t, buf, &hash))
        return directive_error(d, t,
                               "the hash of a password is wanted here, not a password: make "
                               "one with 'lintel hash-password'");
    if (password_check(a, hash, &e) != 0) {
        if (e.code == ERR_SYNTAX && password_check(other, hash, &ignored) == 0)
            return directive_error(d, t, "this is %s hash: write 'basic_auth %s'",
                                   other == PASSWORD_BCRYPT ? "a bcrypt" : "an argon2id",
                                   other == PASSWORD_BCRYPT ? "bcrypt" : "argon2id");
        return directive_error(d, t, "%s", e.msg);
    }
    *out = arena_str(d->arena, hash).p;
    return 0;
}

static int take_account(const struct directive_args *d, const struct node *n,
                        enum password_algorithm a, struct account_draft *out)
{
    const struct token *user = &n->words[0];

    directive_secret(d, user);
    if (n->n_words > 1)
        directive_secret(d, &n->words[1]);
    if (n->n_words != 2 || n->has_block)
        return directive_error(d, user, "an account is a user and the hash of a password");
    if (user->text.len == 0)
        return directive_error(d, user, "the name of a user is empty");
    if (str_chr(user->text, ':') < user->text.len)
        return directive_error(d, user, "no client can send the name of a user with a colon in it");
    *out = (struct account_draft){{.user = directive_str(d, user)}, user};
    return take_hash(d, &n->words[1], a, &out->account.hash);
}

/* Copies them, sorted, to the configuration. */
static int set_accounts(const struct directive_args *d, struct account_draft *drafts, size_t n)
{
    struct basic_auth_conf *c = d->target;
    struct account *list = arena_alloc(d->arena, n * sizeof *list);
    int rc = 0;

    qsort(drafts, n, sizeof *drafts, compare_users);
    for (size_t i = 0; i < n; i++) {
        list[i] = drafts[i].account;
        if (i > 0 && str_eq(list[i].user, list[i - 1].user))
            rc = directive_error(d, drafts[i].at, "user '" STR_FMT "' is there twice",
                                 STR_ARG(list[i].user));
    }
    c->accounts = list;
    c->n_accounts = n;
    return rc;
}

static int take_accounts(const struct directive_args *d, enum password_algorithm a)
{
    size_t n = d->node->n_children;
    struct account_draft *drafts;
    int rc = 0;

    if (n == 0)
        return directive_error(d, &d->node->words[0],
                               "'" STR_FMT "' needs a block of users and hashes of their passwords",
                               STR_ARG(d->node->words[0].text));
    drafts = xalloc(n * sizeof *drafts);
    for (size_t i = 0; i < n; i++)
        if (take_account(d, &d->node->children[i], a, &drafts[i]) != 0)
            rc = -1;
    if (rc == 0)
        rc = set_accounts(d, drafts, n);
    free(drafts);
    return rc;
}

/* ---- the directive ---- */

/* A quoted-string: RFC 9110 5.6.4. */
static int set_realm(const struct directive_args *d, const struct token *t)
{
    struct basic_auth_conf *c = d->target;
    struct str realm = t == NULL ? STR_LIT("restricted") : t->text;
    char *out = arena_bytes(d->arena, realm.len * 2 + sizeof "Basic realm=\"\""), *at;

    at = mempcpy(out, "Basic realm=\"", sizeof "Basic realm=\"" - 1);
    for (size_t i = 0; i < realm.len; i++) {
        unsigned char byte = (unsigned char)realm.p[i];

        if (byte < 0x20 || byte == 0x7f)
            return directive_error(d, t, "a realm holds no control characters");
        if (byte == '"' || byte == '\\')
            *at++ = '\\';
        *at++ = (char)byte;
    }
    *at++ = '"';
    c->challenge = (struct str){out, (size_t)(at - out)};
    return 0;
}

int basic_auth_set(const struct directive_args *d)
{
    static const char *const algorithms[] = {"bcrypt", "argon2id", NULL};
    enum password_algorithm a = PASSWORD_BCRYPT;

    if (str_is(d->node->words[0].text, "basicauth"))
        directive_warn(d, &d->node->words[0], "'basicauth' is the old name of 'basic_auth'");
    if (d->n_args > 0 && !password_algorithm_of(d->args[0].text, &a) && !d->node->has_block) {
        directive_secret(d, &d->args[0]);
        return directive_error(d, &d->args[0],
                               "users stand in the block, a line each: a user and the hash of a "
                               "password");
    }
    if (d->n_args > 0 && !password_algorithm_of(d->args[0].text, &a))
        return directive_unknown(d, &d->args[0], "hash algorithm", algorithms);
    if (set_realm(d, d->n_args > 1 ? &d->args[1] : NULL) != 0)
        return -1;
    return take_accounts(d, a);
}
