/* Any bytes as a configuration: lexer, imports, parser, rows, compilation. What is not refused must
 * hold together. What follows a NUL is another file, which any import of a file gets: the disk is
 * never looked at. */
#include "conf/import_disk.h"
#include "conf/load.h"
#include "server/directives.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { READS_MAX = 8 };

static struct str other_file;
static unsigned reads;

/* These two are linked in the place of those in conf/import_disk.c. */
int import_disk_glob(struct arena *a, const char *pattern, struct disk_paths *out, struct err *e)
{
    (void)pattern;
    (void)e;
    out->list = arena_alloc(a, 2 * sizeof *out->list);
    out->list[0] = arena_str(a, STR_LIT("found/a"));
    out->list[1] = arena_str(a, STR_LIT("found/b"));
    out->n = 2;
    return 0;
}

int import_disk_read(const char *path, struct buf *out, struct err *e)
{
    if (++reads > READS_MAX || strstr(path, "none") != NULL)
        return err_set(e, ERR_NOT_FOUND, "open %s", path);
    if (buf_append_str(out, other_file) != 0)
        return err_set(e, ERR_LIMIT, "%s: too large", path);
    return 0;
}

static void check_route(const struct conf *c, const struct route *route)
{
    for (size_t i = 0; i < route->n_rows; i++) {
        const struct handler_row *row = &route->rows[i];

        assert(row->slot < c->n_handlers);
        assert(row->type == c->handlers[row->slot].type);
        assert(row->conf == c->handlers[row->slot].conf);
        for (size_t j = 0; j < row->matcher.n; j++)
            assert(row->matcher.all[j].type != NULL);
    }
}

static void check_sites(const struct conf *c)
{
    for (size_t i = 0; i < c->n_sites; i++) {
        assert(c->sites[i]->index == i);
        check_route(c, &c->sites[i]->route);
        check_route(c, &c->sites[i]->errors);
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
    struct str other = {(const char *)data, size}, text = str_cut(&other, '\0');
    struct conf *c;

    reads = 0;
    other_file = other.p == NULL ? STR_LIT("") : other;
    c = conf_parse("fuzz.conf", text, &server_language, &errors, NULL);

    assert((c == NULL) == (errors.len > 0));
    if (c != NULL) {
        check_sites(c);
        check_hosts(c);
        check_certs(c);
    }
    conf_unref(c);
    buf_fini(&errors);
    return 0;
}
