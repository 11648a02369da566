/* Interim responses of an upstream (RFC 9110 15.2), such as 103 (Early Hints), to the client: with
 * their own fields, to which header_down does nothing. 100 (Continue) is said by the engine, when
 * the body is wanted. */
#include "handlers/proxied.h"

void proxied_on_interim_field(void *arg, struct str name, struct str value)
{
    struct proxied *p = arg;

    proxied_keep_field(p, &p->interim, name, value);
}

/* What forward_auth asks is no business of the client's. */
void proxied_on_interim(void *arg, int status)
{
    struct proxied *p = arg;
    const struct fields fields = proxy_end_to_end(p->ex, &p->interim, 0);

    p->interim.n = 0;
    if (status != 100 && p->st->conf->auth == NULL)
        exchange_interim(p->ex, status, &fields);
}
