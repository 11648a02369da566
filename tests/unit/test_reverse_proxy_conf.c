/* What is wrong with the directives of proxies. */
#include "proxy_rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *directive;
    const char *error; /* part of the message */
} directives[] = {
    {"reverse_proxy", "needs an upstream"},
    {"reverse_proxy {\n dynamic b\n}", "3:10: unknown source 'b'"},
    {"reverse_proxy {\n dynamic a\n}", "3:10: a name to look up is missing"},
    {"reverse_proxy {\n dynamic a b\n}", "3:10: a port is missing"},
    {"reverse_proxy {\n dynamic a b 0\n}", "3:14: a port is 1 to 65535"},
    {"reverse_proxy {\n dynamic a b 80 c\n}", "3:17: nothing more stands here"},
    {"reverse_proxy {\n dynamic a {host} 80\n}", "is no name to look up"},
    {"reverse_proxy {\n dynamic a b 80 {\n refresh 1ms\n}\n}", "10ms at least"},
    {"reverse_proxy {\n dynamic a b 80 {\n resolvers dns.test\n}\n}", "no address of a DNS server"},
    {"reverse_proxy {\n dynamic a b 80 {\n versions ipv5\n}\n}", "unknown version 'ipv5'"},
    {"reverse_proxy {\n dynamic a b 80 {\n service x\n}\n}", "unknown option of a source"},
    {"reverse_proxy {\n dynamic srv {\n service x\n name y\n}\n}", "stand together"},
    {"reverse_proxy {\n dynamic multi\n}", "a block of sources"},
    {"reverse_proxy {\n dynamic multi {\n c d\n}\n}", "unknown source 'c'"},
    {"reverse_proxy {nonsense}:80", "nonsense"},
    {"reverse_proxy unix//run/{host}.sock", "what a client sends must not choose it"},
    {"reverse_proxy unix+h2c/{path}", "what a client sends must not choose it"},
    {"reverse_proxy {host}:80/a", "no path"},
    {"reverse_proxy {host}:80 {\n health_uri /\n}", "'{host}:80' is another for each request"},
    {"reverse_proxy a:3-1", "goes up"},
    {"reverse_proxy a:1-257", "at most 256"},
    {"reverse_proxy a:0-3", "is no port (1 to 65535)"},
    {"reverse_proxy http://a/b", "no path"},
    {"reverse_proxy a:1 {\n lb_policy best\n}", "unknown policy 'best'"},
    {"reverse_proxy a:1 {\n lb_policy leastconn\n}", "did you mean 'least_conn'?"},
    {"reverse_proxy a:1 {\n lb_policy header\n}", "'header' needs a name after it"},
    {"reverse_proxy a:1 {\n lb_policy header A B\n}", "nothing follows 'header ...'"},
    {"reverse_proxy a:1 {\n lb_policy weighted_round_robin\n}", "a weight for each upstream"},
    {"reverse_proxy a:1 {\n lb_policy weighted_round_robin 0 0\n}", "a weight above 0"},
    {"reverse_proxy a:1 {\n lb_policy weighted_round_robin 1 -2\n}", "3:35"},
    {"reverse_proxy a:1 {\n lb_policy random_choose 1\n}", "fewer than 2"},
    {"reverse_proxy a:1 {\n lb_policy cookie a;b\n}", "no name of a cookie"},
    {"reverse_proxy a:1 {\n lb_policy first {\n}\n}", "'first' has no block"},
    {"reverse_proxy a:1 {\n lb_policy query k {\n fallback worst\n}\n}", "unknown policy 'worst'"},
    {"reverse_proxy a:1 {\n lb_policy query k {\n max_age 1h\n}\n}", "for the policy cookie"},
    {"reverse_proxy a:1 {\n lb_policy cookie {\n max_age 10ms\n}\n}", "a second at least"},
    {"reverse_proxy a:1 {\n lb_retries many\n}", "many"},
    {"reverse_proxy a:1 {\n lb_retry_match {\n pathh /a\n}\n}", "pathh"},
    {"reverse_proxy a:1 {\n max_fails 0\n}", "one at least"},
    {"reverse_proxy a:1 {\n unhealthy_status 7xx\n}", "no status"},
    {"reverse_proxy a:1 {\n request_buffers 65MiB\n}", "at most 64MiB"},
    {"reverse_proxy a:1 {\n lb_policy first last\n}", "3:18: nothing follows 'first'"},
    {"reverse_proxy a:1 {\n health_uri ok\n}", "begins with '/'"},
    {"reverse_proxy a:1 {\n health_uri \"/a b\"\n}", "no spaces"},
    {"reverse_proxy a:1 {\n health_port 0\n}", "no port"},
    {"reverse_proxy unix//s {\n health_port 80\n}", "unix//s has no ports"},
    {"reverse_proxy a:1 {\n health_upstream x/y\n}", "'health_upstream': an upstream has no path"},
    {"reverse_proxy a:1 {\n health_interval 0\n}", "from 10 ms"},
    {"reverse_proxy a:1 {\n health_fails 0\n}", "once at least"},
    {"reverse_proxy a:1 {\n health_method CONNECT\n}", "no method for a check"},
    {"reverse_proxy a:1 {\n health_status 99\n}", "no status"},
    {"reverse_proxy a:1 {\n health_body (\n}", "3:15"},
    {"reverse_proxy a:1 {\n health_headers {\n A\n}\n}", "a field and its values"},
    {"reverse_proxy a:1 {\n health_headers {\n Content-Length 3\n}\n}", "cannot be set here"},
    {"reverse_proxy a:1 {\n response_buffers 1MBB\n}", "1MBB"},
    {"reverse_proxy a:1 {\n buffer_requests\n}", "called 'request_buffers' now"},
    {"reverse_proxy a:1 {\n flush_interval often\n}", "often"},
    {"reverse_proxy a:1 {\n heeder_up A b\n}", "header_up"},
    {"reverse_proxy a:1 {\n transport carrier\n}", "fastcgi, http"},
    {"reverse_proxy a:1 {\n transport fastcgi {\n split a/b\n}\n}", "without '/'"},
    {"reverse_proxy a:1 {\n transport fastcgi {\n split .ph\xc3\xb6\n}\n}", "ASCII"},
    {"reverse_proxy a:1 {\n transport fastcgi {\n tls\n}\n}", "transport option"},
    {"reverse_proxy https://a {\n transport fastcgi\n}", "goes over no TLS"},
    {"reverse_proxy a:1 {\n transport http {\n dial_timeout soon\n}\n}", "soon"},
    {"reverse_proxy a:1 {\n transport http {\n compression on\n}\n}", "can only be off"},
    {"reverse_proxy a:1 {\n transport http {\n http_client wget\n}\n}", "direct, curl"},
    {"reverse_proxy a:1 {\n transport http {\n read_timeout soon\n}\n}", "soon"},
    {"reverse_proxy http://a:1 {\n transport http {\n tls\n}\n}", "'http://a:1' is without TLS"},
    {"reverse_proxy h2c://a:1 {\n transport http {\n tls\n}\n}", "h2c is HTTP/2 without TLS"},
    {"reverse_proxy a:1 {\n transport http {\n tls_trust_pool disk\n}\n}",
     "4:17: unknown trust pool 'disk'"},
    {"reverse_proxy a:1 {\n transport http {\n tls_trust_pool inline\n}\n}",
     "write the certificates to a file"},
    {"reverse_proxy a:1 {\n transport http {\n tls_trust_pool file\n}\n}", "1 to 64 files"},
    {"reverse_proxy a:1 {\n transport http {\n tls_trust_pool file /none/a.pem\n}\n}",
     "4:22: open /none/a.pem: No such file"},
    {"reverse_proxy a:1 {\n transport http {\n tls_trust_pool file /etc/hostname\n}\n}",
     "4:22: no certificates in PEM form"},
    {"reverse_proxy a:1 {\n transport http {\n tls_trust_pool file {\n pem /a\n}\n}\n}",
     "has 'pem_file <file>...'"},
    {"reverse_proxy a:1 {\n transport http {\n tls_trusted_ca_certs /none\n}\n}",
     "4:23: open /none"},
    {"reverse_proxy a:1 {\n transport http {\n tls_client_auth example.com\n}\n}",
     "give two files"},
    {"reverse_proxy a:1 {\n transport http {\n tls_client_auth /none/c /none/k\n}\n}",
     "4:26: open /none/k: No such file"},
    {"reverse_proxy a:1 {\n transport http {\n tls_server_name a/b\n}\n}", "'a/b' is no host name"},
    {"reverse_proxy a:1 {\n transport http {\n tls_except_ports http\n}\n}", "http"},
    {"reverse_proxy a:1 {\n transport http {\n max_conns_per_host 0\n}\n}", "one at least"},
    {"reverse_proxy a:1 {\n transport http {\n max_response_header 9\n}\n}", "256 bytes"},
    {"reverse_proxy a:1 {\n transport http {\n keepalive 0\n}\n}", "more than 0, or 'off'"},
    {"reverse_proxy a:1 {\n transport http {\n versions 3\n}\n}", "HTTP/3 is not spoken"},
    {"reverse_proxy https://a {\n transport http {\n versions h2c\n}\n}", "without TLS"},
    {"reverse_proxy a:1 {\n transport http {\n versions 1.0\n}\n}", "version"},
    {"reverse_proxy a:1 {\n header_up\n}", "at least 1"},
    {"reverse_proxy a:1 {\n header_up A\n}", "value"},
    {"reverse_proxy a:1 {\n header_up -A b\n}", "nothing more"},
    {"reverse_proxy a:1 {\n header_up ?A b\n}", "'?' is for 'header'"},
    {"reverse_proxy a:1 {\n header_up A ( b\n}", "3:15"},
    {"reverse_proxy a:1 {\n header_up A {nonsense}\n}", "nonsense"},
    {"reverse_proxy a:1 {\n header_up Content-Length 3\n}", "belongs to the protocol"},
    {"reverse_proxy a:1 {\n header_up +Transfer-Encoding chunked\n}", "belongs to the protocol"},
    {"reverse_proxy a:1 {\n header_down A:b c\n}", "no field name"},
    {"reverse_proxy a:1 {\n method G/T\n}", "no method"},
    {"reverse_proxy a:1 {\n method CONNECT\n}", "a gateway, no tunnel"},
    {"reverse_proxy a:1 {\n rewrite /a/../b\n}", "'..'"},
    {"reverse_proxy a:1 {\n rewrite /a\n rewrite /b\n}", "already given in line 3"},
    {"reverse_proxy a:1 {\n handle_response {\n respondd\n}\n}", "respond"},
    {"reverse_proxy a:1 {\n handle_response\n}", "needs a block"},
    {"reverse_proxy a:1 {\n handle_response bad {\n}\n}", "stands here: '@name'"},
    {"reverse_proxy a:1 {\n @bad status 5xx\n handle_response @bat {\n}\n}", "mean '@bad'?"},
    {"reverse_proxy a:1 {\n @bad status 6xx\n}", "no status"},
    {"reverse_proxy a:1 {\n @bad\n}", "needs 'status' or 'header'"},
    {"reverse_proxy a:1 {\n @ status 5xx\n}", "has a name"},
    {"reverse_proxy a:1 {\n @bad status 500\n @bad status 501\n}", "4:2: '@bad' was already"},
    {"reverse_proxy a:1 {\n @bad path /a\n}", "unknown response matcher 'path'"},
    {"reverse_proxy a:1 {\n replace_status 199\n}", "no status from 200 to 599"},
    {"reverse_proxy a:1 {\n replace_status bad 404\n}", "stands here: '@name'"},
    {"reverse_proxy a:1 {\n replace_status @bad 404\n}", "unknown response matcher '@bad'"},
    {"copy_response 99", "no status from 200 to 599"},
    {"copy_response_headers {\n include A\n exclude B\n}", "only one can stand"},
    {"reverse_proxy a:1 {\n trusted_proxies\n}", "at least 1"},
    {"reverse_proxy a:1 {\n trusted_proxies 10.0.0.0/33\n}", "10.0.0.0/33"},
    {"forward_auth a:1", "needs a 'uri'"},
    {"forward_auth {\n uri /\n}", "needs an upstream"},
    {"forward_auth a:1 {\n uri x\n}", "does not begin with '/'"},
    {"forward_auth a:1 {\n uri /\n uri /\n}", "already given"},
    {"forward_auth a:1 {\n uri /\n rewrite /\n}", "4:2: the URI was already given"},
    {"forward_auth a:1 {\n rewrite /\n uri /\n}", "4:2: the URI was already given"},
    {"forward_auth a:1 {\n uri /\n copy_headers\n}", "at least one field"},
    {"forward_auth a:1 {\n uri /\n copy_headers A>B>C\n}", "from>to"},
    {"forward_auth a:1 {\n urii /\n}", "uri"},
};

static void tells_what_is_wrong_with_a_directive(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
        struct buf errors = BUF_INIT(8192);

        if (rig_parse(directives[i].directive, &errors) != NULL)
            fail_msg("%s: no error", directives[i].directive);
        if (strstr(errors.p, directives[i].error) == NULL)
            fail_msg("%s: %s", directives[i].directive, errors.p);
        buf_fini(&errors);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_is_wrong_with_a_directive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
