/* Any bytes as a configuration: lexer, parser, rows, compilation. What is not refused must hold
 * together. */
#include "../unit/conf_fixture.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rows(const struct conf *c)
{
    for (size_t i = 0; i < c->n_sites; i++) {
        const struct site *site = c->sites[i];

        assert(site->index == i);
        for (size_t r = 0; r < site->n_rows; r++) {
            const struct matcher *m = &site->rows[r].matcher;

            assert(site->rows[r].slot < c->n_slots);
            assert(m->path == PATH_ANY || m->pattern.p != NULL);
        }
    }
}

/* Every host is found where it was put, and nowhere else. */
static void check_hosts(const struct conf *c)
{
    for (size_t i = 0; i < c->n_listeners; i++) {
        const struct listener_conf *l = &c->listeners[i];

        for (size_t b = 0; b < l->n_buckets; b++)
            if (l->buckets[b] != NULL)
                assert(listener_find(l, l->buckets[b]->host) == l->buckets[b]);
        assert(listener_find(l, STR_LIT("no.such.host.invalid")) == l->any || l->n_buckets > 0);
    }
}

static void check_certs(const struct conf *c)
{
    for (size_t i = 0; i < c->n_certs; i++) {
        assert(c->certs[i].tls->source != CERT_NONE);
        assert(i == 0 || strcmp(c->certs[i - 1].name, c->certs[i].name) < 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf errors = BUF_INIT(1 << 20);
    struct conf *c =
        conf_parse("fuzz.conf", (struct str){(const char *)data, size}, fake_tables, &errors, NULL);

    assert((c == NULL) == (errors.len > 0));
    if (c != NULL) {
        check_rows(c);
        check_hosts(c);
        check_certs(c);
    }
    conf_unref(c);
    buf_fini(&errors);
    return 0;
}
