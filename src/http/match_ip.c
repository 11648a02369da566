#include "base/ip_set.h"
#include "http/exchange.h"
#include "http/matchers.h"

static bool remote_ip_matches(const void *conf, struct exchange *ex)
{
    struct ip ip;

    return ip_of_sockaddr(ex->peer, &ip) && ip_set_has(conf, &ip);
}

static bool client_ip_matches(const void *conf, struct exchange *ex)
{
    struct ip ip;

    if (!ex->trusted_peer)
        return remote_ip_matches(conf, ex);
    return ip_parse(ex->client_ip, &ip) && ip_set_has(conf, &ip);
}

static int ip_set(const struct directive_args *d)
{
    struct ip_set *set = d->target;
    int rc = 0;

    for (size_t i = 0; i < d->n_args; i++) {
        struct err e;

        if (str_is(d->args[i].text, "forwarded"))
            rc = directive_error(d, &d->args[i],
                                 "'forwarded' is no more: write 'client_ip', with "
                                 "'trusted_proxies' in the global options");
        else if (ip_set_add(set, d->arena, d->args[i].text, &e) != 0)
            rc = directive_error(d, &d->args[i], "%s", e.msg);
    }
    ip_set_finish(set);
    return rc;
}

const struct matcher_type remote_ip_matcher = {.row = {.name = "remote_ip",
                                                       .min_args = 1,
                                                       .max_args = -1,
                                                       .conf_size = sizeof(struct ip_set),
                                                       .set = ip_set,
                                                       .help = "remote_ip <ranges>..."},
                                               .match = remote_ip_matches};

const struct matcher_type client_ip_matcher = {.row = {.name = "client_ip",
                                                       .min_args = 1,
                                                       .max_args = -1,
                                                       .conf_size = sizeof(struct ip_set),
                                                       .set = ip_set,
                                                       .help = "client_ip <ranges>..."},
                                               .match = client_ip_matches};
