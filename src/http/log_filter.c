#include "http/log_filter.h"

#include "base/regex.h"
#include "cert/keys.h"
#include "http/query.h"

#include <arpa/inet.h>

/* ---- hash ---- */

/* The first four bytes of the SHA-256: enough to tell values apart, too little to find them again.
 */
static struct str hash(struct arena *a, struct str value)
{
    uint8_t digest[SHA256_LEN];

    sha256(value, digest);
    return arena_printf(a, "%02x%02x%02x%02x", digest[0], digest[1], digest[2], digest[3]);
}

/* ---- addresses ---- */

static void clear_bits(uint8_t *p, size_t len, unsigned keep)
{
    for (size_t i = 0; i < len; i++, keep -= keep < 8 ? keep : 8)
        if (keep < 8)
            p[i] &= (uint8_t)(0xff00 >> keep);
}

static struct str mask_one(const struct log_rule *rule, struct arena *a, struct str text)
{
    struct in_addr v4;
    struct in6_addr v6;
    char out[INET6_ADDRSTRLEN];
    const char *name = arena_str(a, text).p;

    if (inet_pton(AF_INET, name, &v4) == 1) {
        clear_bits((uint8_t *)&v4, sizeof v4, rule->ipv4_bits);
        inet_ntop(AF_INET, &v4, out, sizeof out);
    } else if (inet_pton(AF_INET6, name, &v6) == 1) {
        clear_bits((uint8_t *)&v6, sizeof v6, rule->ipv6_bits);
        inet_ntop(AF_INET6, &v6, out, sizeof out);
    } else {
        return text;
    }
    return arena_str(a, str_of(out));
}

/* A list of addresses, such as X-Forwarded-For has. */
static struct str mask(const struct log_rule *rule, struct arena *a, struct str value)
{
    struct buf out = BUF_INIT(value.len * 2 + INET6_ADDRSTRLEN);
    struct str result = value;
    bool fits = true;

    while (value.p != NULL && fits) {
        struct str one = mask_one(rule, a, str_trim(str_cut(&value, ',')));

        fits = buf_append_str(&out, one) == 0 && (value.p == NULL || buf_puts(&out, ", ") == 0);
    }
    if (fits && out.len > 0)
        result = arena_str(a, buf_str(&out));
    else if (!fits)
        result = STR_LIT("");
    buf_fini(&out);
    return result;
}

/* ---- queries ---- */

static void change_key(struct query *q, const struct log_query_rule *rule, struct arena *a)
{
    if (rule->kind == LOG_RULE_DELETE) {
        query_remove(q, rule->key);
        return;
    }
    for (size_t i = 0; i < q->n; i++)
        if (str_eq(q->list[i].key, rule->key))
            q->list[i].value =
                rule->kind == LOG_RULE_HASH ? hash(a, q->list[i].value) : rule->value;
}

static struct str change_query(const struct log_rule *rule, struct arena *a, struct str uri)
{
    size_t mark = str_chr(uri, '?');
    struct str path = {uri.p, mark}, encoded;
    struct query q;

    if (mark == uri.len)
        return uri;
    q = query_parse(a, str_from(uri, mark + 1));
    for (size_t i = 0; i < rule->n_keys; i++)
        change_key(&q, &rule->keys[i], a);
    encoded = query_encode(a, &q);
    return arena_printf(a, STR_FMT "%s" STR_FMT, STR_ARG(path), encoded.len > 0 ? "?" : "",
                        STR_ARG(encoded));
}

/* ---- all ---- */

struct str log_rule_apply(const struct log_rule *rule, struct arena *a, struct str value)
{
    switch (rule->kind) {
    case LOG_RULE_REPLACE:
        return rule->text;
    case LOG_RULE_IP_MASK:
        return mask(rule, a, value);
    case LOG_RULE_QUERY:
        return change_query(rule, a, value);
    case LOG_RULE_REGEXP:
        value = regex_replace(rule->find, a, value, rule->text);
        /* Rather too little in a log than what was meant to be taken out. */
        return regex_gave_up() ? STR_LIT("REDACTED") : value;
    case LOG_RULE_HASH:
        return hash(a, value);
    case LOG_RULE_DELETE:
    case LOG_RULE_RENAME:
    case LOG_RULE_COOKIE:
        break;
    }
    return value;
}
