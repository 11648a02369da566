/* Placeholders of the connection that a request came by. */
#include "http/client_ip.h"
#include "http/placeholder_values.h"

/* "192.0.2.1:80", "[2001:db8::1]:80" */
static struct str with_port(struct exchange *ex, struct str host, uint16_t port)
{
    bool brackets = str_chr(host, ':') < host.len;

    if (host.len == 0)
        return host;
    return arena_printf(ex->arena, "%s" STR_FMT "%s:%u", brackets ? "[" : "", STR_ARG(host),
                        brackets ? "]" : "", port);
}

struct str placeholder_remote(struct exchange *ex)
{
    return with_port(ex, ex->remote_host, ex->remote_port);
}

struct str placeholder_remote_host(struct exchange *ex)
{
    return ex->remote_host;
}

struct str placeholder_remote_port(struct exchange *ex)
{
    return arena_printf(ex->arena, "%u", ex->remote_port);
}

struct str placeholder_client_ip(struct exchange *ex)
{
    return client_ip(ex);
}

struct str placeholder_local(struct exchange *ex)
{
    return with_port(ex, placeholder_local_host(ex), ex->local_port);
}

struct str placeholder_local_host(struct exchange *ex)
{
    return ex->engine->local_host == NULL ? STR_LIT("") : ex->engine->local_host(ex);
}

struct str placeholder_local_port(struct exchange *ex)
{
    return arena_printf(ex->arena, "%u", ex->local_port);
}

/* ---- TLS: empty on a plain connection ---- */

/* Caddy writes "tls1.3". */
struct str placeholder_tls_version(struct exchange *ex)
{
    struct str version = str_of(ex->tls_version);
    char *out = arena_bytes(ex->arena, version.len);

    for (size_t i = 0; i < version.len; i++)
        out[i] = ascii_lower(version.p[i]);
    return (struct str){out, version.len};
}

struct str placeholder_tls_cipher(struct exchange *ex)
{
    return str_of(ex->tls_cipher);
}

static struct str truth(const struct exchange *ex, bool value)
{
    if (!ex->secure)
        return STR_LIT("");
    return value ? STR_LIT("true") : STR_LIT("false");
}

struct str placeholder_tls_resumed(struct exchange *ex)
{
    return truth(ex, ex->tls_resumed);
}

struct str placeholder_tls_proto(struct exchange *ex)
{
    return ex->tls_proto;
}

struct str placeholder_tls_proto_mutual(struct exchange *ex)
{
    return truth(ex, true);
}

struct str placeholder_tls_server_name(struct exchange *ex)
{
    return ex->sni;
}

/* Encrypted client hellos are not spoken. */
struct str placeholder_tls_ech(struct exchange *ex)
{
    return truth(ex, false);
}
