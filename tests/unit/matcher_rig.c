#include "matcher_rig.h"

#include "conf/load.h"
#include "http/vars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

struct matcher_rig matcher_rig_new(const char *definition, const struct language *language)
{
    struct buf text = BUF_INIT(1 << 20), errors = BUF_INIT(1 << 20);
    struct matcher_rig rig;

    assert_int_equal(buf_printf(&text, "http://a.test {\n@m %s\nrespond @m\n}\n", definition), 0);
    rig.conf = conf_parse("f", buf_str(&text), language, &errors, NULL);
    if (rig.conf == NULL)
        fail_msg("%s", errors.p);
    rig.matcher = &rig.conf->sites[0]->route.rows[0].matcher;
    buf_fini(&text);
    buf_fini(&errors);
    return rig;
}

void matcher_rig_free(struct matcher_rig *rig)
{
    conf_unref(rig->conf);
}

static void set_peer(struct exchange *ex, struct str address)
{
    struct sockaddr_storage *peer = arena_alloc(ex->arena, sizeof *peer);
    const char *text = arena_str(ex->arena, address).p;

    if (inet_pton(AF_INET, text, &((struct sockaddr_in *)peer)->sin_addr) == 1) {
        peer->ss_family = AF_INET;
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)peer)->sin6_addr), 1);
        peer->ss_family = AF_INET6;
    }
    ex->peer = (struct sockaddr *)peer;
    ex->remote_host = address;
}

static void set_other(struct exchange *ex, struct str name, struct str value)
{
    uint64_t number = 0;

    if (str_is(name, "@peer")) {
        set_peer(ex, value);
    } else if (str_is(name, "@var")) {
        struct str variable = str_cut(&value, '=');

        vars_set(ex, variable, value);
    } else if (str_is(name, "@root")) {
        ex->root.path = arena_str(ex->arena, value);
    } else {
        assert_true(str_to_uint(value, 1000, &number));
        if (str_is(name, "@error"))
            ex->error.status = (int)number;
        else
            ex->http_minor = (unsigned)number;
    }
}

void matcher_rig_exchange(struct exchange *ex, struct arena *a, const char *request)
{
    struct str rest = str_of(request), line = str_cut(&rest, '|');

    *ex = (struct exchange){.arena = a, .http_minor = 1, .authority = STR_LIT("a.test")};
    ex->method = str_cut(&line, ' ');
    ex->target = line;
    ex->secure = str_starts(line, STR_LIT("https:"));
    set_peer(ex, STR_LIT("192.0.2.1"));
    if (!exchange_set_target(ex))
        fail_msg("%s: no good target", request);
    while (rest.p != NULL) {
        struct str value = str_cut(&rest, '|'), name = str_cut(&value, ':');

        value = str_trim(value);
        if (str_starts(name, STR_LIT("@")))
            set_other(ex, name, value);
        else
            fields_add(&ex->request, a, name, value);
    }
}

bool matcher_rig_run(const char *definition, const struct language *language, const char *request,
                     int *error)
{
    struct matcher_rig rig = matcher_rig_new(definition, language);
    struct arena *a = arena_new();
    struct exchange ex;
    bool verdict;

    matcher_rig_exchange(&ex, a, request);
    verdict = matcher_matches(rig.matcher, &ex);
    *error = ex.match_error;
    arena_free(a);
    matcher_rig_free(&rig);
    return verdict;
}
