#include "server/decide.h"

#include <stdarg.h>
#include <stdio.h>

static void refuse(struct tls_decision *out, enum tls_alert alert, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static void refuse(struct tls_decision *out, enum tls_alert alert, const char *fmt, ...)
{
    va_list ap;

    out->way = TLS_REFUSED;
    out->alert = alert;
    va_start(ap, fmt);
    vsnprintf(out->why, sizeof out->why, fmt, ap);
    va_end(ap);
}

/* ---- the name ---- */

struct str decide_default_host(const struct listener_conf *listener)
{
    const struct host_entry *best = NULL;

    for (size_t i = 0; i < listener->n_buckets; i++) {
        const struct host_entry *h = listener->buckets[i];

        if (h == NULL || h->site == NULL)
            continue;
        if (best == NULL || h->site->index < best->site->index ||
            (h->site->index == best->site->index && str_cmp(h->host, best->host) < 0))
            best = h;
    }
    return best == NULL ? STR_LIT("") : best->host;
}

static struct str name_asked_for(const struct client_hello *hello, const struct tls_place *place)
{
    if (hello->sni_len > 0)
        return (struct str){hello->sni, hello->sni_len};
    if (listener_find(place->listener, place->address) != NULL)
        return place->address;
    return place->default_host;
}

static void refuse_unknown(struct str name, const struct cert_set *certs, struct tls_decision *out)
{
    struct str nearest = certs == NULL ? STR_LIT("") : cert_set_nearest(certs, name);

    if (nearest.len > 0)
        refuse(out, ALERT_UNRECOGNIZED_NAME,
               "there is no site of that name here (nearest: " STR_FMT ")", STR_ARG(nearest));
    else
        refuse(out, ALERT_UNRECOGNIZED_NAME, "there is no site of that name here");
}

/* ---- versions, protocols, certificate ---- */

static const char *version_name(unsigned version)
{
    static const char *const names[] = {"SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};

    return version >= 0x0300 && version <= 0x0304 ? names[version - 0x0300] : "none known";
}

static bool has_version(const struct client_hello *hello, const struct tls_conf *tls,
                        struct tls_decision *out)
{
    unsigned min = tls->min_version, max = tls->max_version;

    if (hello->max_version >= min && hello->min_version <= max)
        return true;
    refuse(out, ALERT_PROTOCOL_VERSION, "no common version, the site speaks %s%s%s",
           version_name(min), min == max ? "" : " and ", min == max ? "" : version_name(max));
    return false;
}

/* A set that does not know the name is older than the configuration: the set to come has it, with
 * a certificate or with the reason why there is none. So has the one that follows the end of what
 * is under way. */
static bool has_certificate(struct str name, const struct cert_set *certs, struct tls_decision *out)
{
    const struct cert_entry *entry = certs == NULL ? NULL : cert_set_find(certs, name);

    if (entry == NULL || entry->coming) {
        out->way = TLS_TO_WAIT;
        return false;
    }
    if (entry->cred != NULL) {
        out->choice.cred = entry->cred;
        return true;
    }
    out->ours = true;
    refuse(out, ALERT_INTERNAL_ERROR, "there is no certificate for " STR_FMT " yet%s%s",
           STR_ARG(name), entry->reason[0] == '\0' ? "" : ": ", entry->reason);
    return false;
}

/* RFC 8737 3. False if the client can speak something else and there is no challenge. */
static bool is_challenge(const struct client_hello *hello, const struct cert_set *certs,
                         struct tls_decision *out)
{
    struct str name = {hello->sni, hello->sni_len};

    if (!hello->alpn_acme)
        return false;
    out->choice.cred = certs == NULL ? NULL : cert_set_alpn(certs, name);
    if (out->choice.cred == NULL) {
        if (hello->alpn_http1)
            return false;
        refuse(out, ALERT_UNRECOGNIZED_NAME, "no tls-alpn-01 challenge is open for that name");
        return true;
    }
    out->way = TLS_TO_ACME;
    out->choice.sni = name;
    out->choice.min_version = TLS_1_2;
    out->choice.max_version = TLS_1_3;
    return true;
}

void decide(const struct client_hello *hello, const struct tls_place *place,
            const struct cert_set *certs, struct tls_decision *out)
{
    struct str name = name_asked_for(hello, place);
    const struct host_entry *entry;
    const struct tls_conf *tls;

    *out = (struct tls_decision){.way = TLS_TO_HTTP1};
    if (is_challenge(hello, certs, out))
        return;
    entry = listener_find(place->listener, name);
    if ((entry == NULL || entry->site == NULL) && place->fallback_host.len > 0) {
        name = place->fallback_host;
        entry = listener_find(place->listener, name);
    }
    if (entry == NULL || entry->site == NULL) {
        refuse_unknown(name, certs, out);
        return;
    }
    tls = &entry->site->tls;
    if (!has_version(hello, tls, out))
        return;
    if (hello->alpn && !hello->alpn_http1) { /* RFC 7301 3.2 */
        refuse(out, ALERT_NO_APPLICATION_PROTOCOL, "no common protocol, the site speaks http/1.1");
        return;
    }
    if (!has_certificate(name, certs, out))
        return;
    out->choice.sni = (struct str){hello->sni, hello->sni_len};
    out->choice.min_version = tls->min_version;
    out->choice.max_version = tls->max_version;
    out->choice.has_ticket = hello->has_ticket;
    memcpy(out->choice.ticket_name, hello->ticket_name, sizeof out->choice.ticket_name);
}

void decide_offer(const struct client_hello *hello, char *out, size_t cap)
{
    bool range = hello->min_version >= 0x0301 && hello->min_version < hello->max_version;

    snprintf(
        out, cap, "%s%s%s%s%s%s%s%s", range ? version_name(hello->min_version) : "",
        range ? " to " : "", version_name(hello->max_version) + (range ? sizeof "TLS " - 1 : 0),
        hello->alpn ? ", ALPN" : "", hello->alpn_h2 ? " h2" : "",
        hello->alpn_http1 ? " http/1.1" : "", hello->alpn_acme ? " acme-tls/1" : "",
        hello->alpn && !hello->alpn_h2 && !hello->alpn_http1 && !hello->alpn_acme ? " other" : "");
}
