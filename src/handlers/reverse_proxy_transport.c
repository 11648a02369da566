/* "transport": how to speak with upstreams. */
#include "handlers/reverse_proxy_conf.h"

static struct reverse_proxy_conf *conf_of(const struct directive_args *d)
{
    return d->target;
}

/* ---- timeouts ---- */

int reverse_proxy_set_timeout(const struct directive_args *d, unsigned *value)
{
    uint64_t ms;

    if (directive_duration(d, &d->args[0], &ms) != 0)
        return -1;
    if (ms > INT32_MAX)
        return directive_error(d, &d->args[0], "at most 24 days");
    *value = (unsigned)ms;
    return 0;
}

static int set_dial_timeout(const struct directive_args *d)
{
    return reverse_proxy_set_timeout(d, &conf_of(d)->dial_timeout_ms);
}

static int set_expect_timeout(const struct directive_args *d)
{
    return reverse_proxy_set_timeout(d, &conf_of(d)->expect_timeout_ms);
}

static int set_response_header_timeout(const struct directive_args *d)
{
    return reverse_proxy_set_timeout(d, &conf_of(d)->response_header_timeout_ms);
}

static int set_read_timeout(const struct directive_args *d)
{
    return reverse_proxy_set_timeout(d, &conf_of(d)->read_timeout_ms);
}

static int set_write_timeout(const struct directive_args *d)
{
    return reverse_proxy_set_timeout(d, &conf_of(d)->write_timeout_ms);
}

/* As in Caddy, 0 is the default, and a negative one means never. */
static int set_dial_fallback_delay(const struct directive_args *d)
{
    unsigned *ms = &conf_of(d)->how.fallback_ms;
    struct token t = d->args[0];

    if (!str_starts(t.text, STR_LIT("-")))
        return reverse_proxy_set_timeout(d, ms);
    t.text = str_from(t.text, 1);
    *ms = TRANSFER_NEVER;
    return str_is(t.text, "1") ? 0 : directive_duration(d, &t, &(uint64_t){0});
}

/* ---- who speaks ---- */

static int set_client(const struct directive_args *d)
{
    static const char *const names[] = {[CLIENT_DIRECT] = "direct", [CLIENT_CURL] = "curl", NULL};

    for (size_t i = 0; names[i] != NULL; i++)
        if (str_is(d->args[0].text, names[i])) {
            conf_of(d)->client = (enum proxy_client)i;
            return 0;
        }
    return directive_unknown(d, &d->args[0], "client", names);
}

/* ---- what is so in any case ---- */

static int expect(const struct directive_args *d, const char *word, const char *why)
{
    const struct token *t = &d->args[0];

    if (str_is(t->text, word))
        return 0;
    return directive_error(d, t, "'" STR_FMT "' can only be %s: %s",
                           STR_ARG(d->node->words[0].text), word, why);
}

static int set_compression(const struct directive_args *d)
{
    return expect(d, "off", "an upstream is told what the client accepts, and nothing else");
}

static int set_network_proxy(const struct directive_args *d)
{
    return expect(d, "none", "upstreams are connected to without another proxy between");
}

static int set_buffer(const struct directive_args *d)
{
    uint64_t bytes;

    if (directive_size(d, &d->args[0], &bytes) != 0)
        return -1;
    directive_warn(d, &d->node->words[0], "'" STR_FMT "' changes nothing: buffers have one size",
                   STR_ARG(d->node->words[0].text));
    return 0;
}

/* ---- the block ---- */

static const struct directive options[] = {
    {.name = "compression",
     .min_args = 1,
     .max_args = 1,
     .set = set_compression,
     .help = "compression off: which is so in any case"},
    {.name = "dial_fallback_delay",
     .min_args = 1,
     .max_args = 1,
     .set = set_dial_fallback_delay,
     .help = "dial_fallback_delay <duration>: until another address is tried beside the first"},
    {.name = "dial_timeout",
     .min_args = 1,
     .max_args = 1,
     .set = set_dial_timeout,
     .help = "dial_timeout <duration>: until there is a connection"},
    {.name = "expect_continue_timeout",
     .min_args = 1,
     .max_args = 1,
     .set = set_expect_timeout,
     .help = "expect_continue_timeout <duration>: until an upstream wants a body that is expected"},
    {.name = "http_client",
     .min_args = 1,
     .max_args = 1,
     .set = set_client,
     .help = "http_client direct|curl: what speaks with upstreams that are not https://"},
    {.name = "network_proxy",
     .min_args = 1,
     .max_args = 1,
     .set = set_network_proxy,
     .help = "network_proxy none: which is so in any case"},
    {.name = "read_buffer",
     .min_args = 1,
     .max_args = 1,
     .set = set_buffer,
     .help = "read_buffer <size>: changes nothing"},
    {.name = "read_timeout",
     .min_args = 1,
     .max_args = 1,
     .set = set_read_timeout,
     .help = "read_timeout <duration>: while more of the answer is awaited, and none comes"},
    {.name = "response_header_timeout",
     .min_args = 1,
     .max_args = 1,
     .set = set_response_header_timeout,
     .help = "response_header_timeout <duration>: until the answer begins"},
    {.name = "write_buffer",
     .min_args = 1,
     .max_args = 1,
     .set = set_buffer,
     .help = "write_buffer <size>: changes nothing"},
    {.name = "write_timeout",
     .min_args = 1,
     .max_args = 1,
     .set = set_write_timeout,
     .help = "write_timeout <duration>: while the upstream takes nothing of what it is sent"},
    {0},
};

static const struct refused refused[] = {
    {"forward_proxy_url", "upstreams are connected to without another proxy between"},
    {"tls_curves", "the TLS library chooses"},
    {"tls_renegotiation", "leave it out: TLS is never negotiated again"},
    {NULL, NULL},
};

int reverse_proxy_set_transport(const struct directive_args *d)
{
    static const struct directive *const tables[] = {options, upstream_how_options, NULL};
    static const char *const names[] = {"fastcgi", "http", NULL};

    if (str_is(d->args[0].text, "fastcgi"))
        return fastcgi_set(d);
    if (!str_is(d->args[0].text, "http"))
        return directive_unknown(d, &d->args[0], "transport", names);
    return directive_blocks(d, tables, refused, d->target);
}
