/* Whose request it is, by the options about trusted proxies. */
#include "http/client_ip.h"

#include "conf_fixture.h"
#include "matcher_rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TRUSTED "trusted_proxies static 192.0.2.0/24 2001:db8::/32\n"
#define STRICT TRUSTED "trusted_proxies_strict\n"

static const struct {
    const char *options; /* of servers */
    const char *request;
    const char *client;
    bool trusted;
} rows[] = {
    {"", "GET /|X-Forwarded-For: 203.0.113.1", "192.0.2.1", false},
    {TRUSTED, "GET /", "192.0.2.1", true},
    {TRUSTED, "GET /|@peer: 198.51.100.1|X-Forwarded-For: 203.0.113.1", "198.51.100.1", false},
    {TRUSTED, "GET /|X-Forwarded-For: 203.0.113.1", "203.0.113.1", true},
    {TRUSTED, "GET /|@peer: 2001:db8::5|X-Forwarded-For: 203.0.113.1", "203.0.113.1", true},
    {TRUSTED, "GET /|X-Forwarded-For: 203.0.113.1, 203.0.113.2", "203.0.113.1", true},
    {TRUSTED, "GET /|X-Forwarded-For: 203.0.113.1|X-Forwarded-For: 203.0.113.2", "203.0.113.1",
     true},
    {TRUSTED, "GET /|X-Forwarded-For: unknown, 203.0.113.2", "203.0.113.2", true},
    {TRUSTED, "GET /|X-Forwarded-For: unknown", "192.0.2.1", true},
    {TRUSTED, "GET /|X-Forwarded-For: , ,", "192.0.2.1", true},
    {TRUSTED, "GET /|X-Forwarded-For: 203.0.113.1:1234", "203.0.113.1", true},
    {TRUSTED, "GET /|X-Forwarded-For: [2001:DB8:1::1]:1234", "2001:db8:1::1", true},
    {TRUSTED, "GET /|X-Forwarded-For: fe80::1%eth0", "fe80::1", true},
    {TRUSTED, "GET /|X-Forwarded-For: ::ffff:203.0.113.1", "203.0.113.1", true},
    {TRUSTED, "GET /|X-Real-Ip: 203.0.113.1", "192.0.2.1", true},
    {TRUSTED "client_ip_headers X-Real-IP X-Forwarded-For\n",
     "GET /|X-Forwarded-For: 203.0.113.1|X-Real-Ip: 203.0.113.2", "203.0.113.2", true},
    {TRUSTED "client_ip_headers X-Real-IP X-Forwarded-For\n", "GET /|X-Forwarded-For: 203.0.113.1",
     "203.0.113.1", true},
    {STRICT, "GET /|X-Forwarded-For: 203.0.113.1, 203.0.113.2", "203.0.113.2", true},
    {STRICT, "GET /|X-Forwarded-For: 203.0.113.1, 203.0.113.2, 192.0.2.7", "203.0.113.2", true},
    {STRICT, "GET /|X-Forwarded-For: 203.0.113.1|X-Forwarded-For: 192.0.2.7", "203.0.113.1", true},
    {STRICT, "GET /|X-Forwarded-For: 203.0.113.1, x, 192.0.2.7", "203.0.113.1", true},
    {STRICT, "GET /|X-Forwarded-For: 192.0.2.7", "192.0.2.1", true},
    {STRICT, "GET /|@peer: 198.51.100.1|X-Forwarded-For: 203.0.113.1", "198.51.100.1", false},
};

static struct conf *load(const char *options)
{
    struct buf text = BUF_INIT(4096), errors = BUF_INIT(4096);
    struct conf *c;

    assert_int_equal(buf_printf(&text,
                                "{\nservers {\n%s}\n}\nhttp://a.test {\n@m client_ip "
                                "203.0.113.0/24\nrespond @m\n}\n",
                                options),
                     0);
    c = conf_parse("f", buf_str(&text), &fake_language, &errors, NULL);
    if (c == NULL)
        fail_msg("%s", errors.p);
    buf_fini(&text);
    buf_fini(&errors);
    return c;
}

static void finds_the_client(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct conf *c = load(rows[i].options);
        struct arena *a = arena_new();
        struct exchange ex;

        matcher_rig_exchange(&ex, a, rows[i].request);
        client_ip_find(&ex, &c->options);
        if (!str_is(ex.client_ip, rows[i].client) || ex.trusted_peer != rows[i].trusted)
            fail_msg("%s%s: " STR_FMT, rows[i].options, rows[i].request, STR_ARG(ex.client_ip));
        assert_int_equal(matcher_matches(&c->sites[0]->route.rows[0].matcher, &ex),
                         strncmp(rows[i].client, "203.0.113.", 10) == 0);
        arena_free(a);
        conf_unref(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
