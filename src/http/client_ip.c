#include "http/client_ip.h"

/* The address in an element of the list: "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80",
 * "fe80::1%eth0". */
static bool parse(struct str element, struct ip *ip)
{
    struct str host = str_trim(element);
    size_t colon = str_chr(host, ':');

    if (str_starts(host, STR_LIT("["))) {
        host = str_from(host, 1);
        host.len = str_chr(host, ']');
    } else if (colon < host.len &&
               str_chr(str_from(host, colon + 1), ':') == host.len - colon - 1) {
        host.len = colon;
    }
    host.len = str_chr(host, '%');
    return ip_parse(host, ip);
}

/* The first address from the left: the client's, if each proxy has added to what it got. */
static bool find_first(struct exchange *ex, const struct options *o, struct ip *ip)
{
    for (size_t i = 0; i < o->n_client_ip_headers; i++) {
        struct str list = fields_joined(&ex->request, ex->arena, o->client_ip_headers[i]);

        while (list.p != NULL)
            if (parse(str_cut(&list, ','), ip))
                return true;
    }
    return false;
}

/* Takes the last element off a list. */
static struct str cut_last(struct str *list)
{
    struct str last = *list;
    size_t at = list->len;

    while (at > 0 && list->p[at - 1] != ',')
        at--;
    last = str_from(*list, at);
    *list = at == 0 ? (struct str){NULL, 0} : (struct str){list->p, at - 1};
    return last;
}

/* The first one from the right that is no trusted proxy: nobody can make that up. */
static bool find_untrusted(struct exchange *ex, const struct options *o, struct ip *ip)
{
    for (size_t i = 0; i < o->n_client_ip_headers; i++) {
        struct str list = fields_joined(&ex->request, ex->arena, o->client_ip_headers[i]);

        while (list.p != NULL)
            if (parse(cut_last(&list), ip) && !ip_set_has(&o->trusted_proxies, ip))
                return true;
    }
    return false;
}

void client_ip_find(struct exchange *ex, const struct options *o)
{
    struct ip ip;

    ex->client_ip = ex->remote_host;
    if (o->trusted_proxies.n == 0 || !ip_of_sockaddr(ex->peer, &ip) ||
        !ip_set_has(&o->trusted_proxies, &ip))
        return;
    ex->trusted_peer = true;
    if (o->trusted_strict ? find_untrusted(ex, o, &ip) : find_first(ex, o, &ip))
        ex->client_ip = ip_format(ex->arena, &ip);
}
