#include "engines/h1_gate.h"
#include "engines/h1_internal.h"
#include "http/service.h"

#include <time.h>

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- the request line ---- */

static void describe_tls(struct h1_conn *c)
{
    gnutls_datum_t proto;

    c->tls_version = gnutls_protocol_get_name(gnutls_protocol_get_version(c->session));
    c->tls_cipher = gnutls_ciphersuite_get(c->session);
    c->tls_resumed = gnutls_session_is_resumed(c->session) != 0;
    if (gnutls_alpn_get_selected_protocol(c->session, &proto) == 0)
        c->tls_proto = (struct str){(const char *)proto.data, proto.size}; /* the session's */
}

static const char no_cookie[] = "Cookie"; /* known again by its address */

/* MHD would make a record of each argument of the query and of each cookie, in the memory that
 * holds the header; it wastes time, and a few hundred of them end the connection. Nobody asks for
 * them. It takes the arguments from the buffer after this callback, and cookies from the first
 * field of that name. */
static void spare_mhd_work(struct MHD_Connection *mhd, const char *uri)
{
    char *query = strchr(uri, '?');

    if (query != NULL && query[1] != '\0')
        query[1] = '\0';
    MHD_set_connection_value_n(mhd, MHD_HEADER_KIND, no_cookie, sizeof no_cookie - 1, "", 0);
}

void *h1_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct h1_conn *c = info->socket_context;
    struct h1_stream *st = h1_stream_take(c);
    struct exchange *ex = &st->ex;

    (void)cls;
    if (!c->surplus)
        h1_conn_enter(c, PHASE_HEADER);
    h1_conn_refresh(c);
    if (c->session != NULL && c->tls_version == NULL)
        describe_tls(c);
    exchange_init(ex, &h1_exchange_engine, c->en->loop, st->arena, c->service);
    st->raw_target = uri;
    ex->target = arena_str(st->arena, str_of(uri));
    spare_mhd_work(mhd, uri);
    ex->listener = c->listener;
    ex->secure = c->session != NULL;
    ex->peer = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    ex->remote_host = str_of(c->remote_host);
    ex->remote_port = c->remote_port;
    ex->local_port = c->listener->port;
    ex->tls_version = c->tls_version;
    ex->tls_cipher = c->tls_cipher;
    ex->tls_resumed = c->tls_resumed;
    ex->tls_proto = c->tls_proto;
    ex->sni = str_of(c->sni);
    ex->started_us = now_us();
    return st;
}

/* ---- the header ---- */

/* MHD hands over C strings and lengths made by strlen(): what stood behind a NUL is hidden, as are
 * folded lines, which it glues together (before 1.0). But it parses in place, so in a well-formed
 * header the parts lie end to end with nothing but the separators (now NULs) between them. That is
 * checked: `at` follows the parts through the buffer. */
struct walk {
    struct h1_stream *st;
    const char *at; /* the end of the part before */
    bool torn;
};

/* Whether part begins one line end (CRLF or LF: RFC 9112 2.2) behind at. */
static bool next_line(const char *at, const char *part)
{
    return part == at + 1 ? at[0] == '\0' : part == at + 2 && at[0] == '\0' && at[1] == '\0';
}

/* The colon has become a NUL; blanks may follow it. */
static bool colon_between(const char *name_end, const char *value)
{
    const char *p = name_end + 1;

    while (p < value && (*p == ' ' || *p == '\t'))
        p++;
    return p == value;
}

static enum MHD_Result on_field(void *cls, enum MHD_ValueKind kind, const char *name,
                                size_t name_len, const char *value, size_t value_len)
{
    struct walk *w = cls;

    (void)kind;
    if (name == no_cookie)
        return MHD_YES;
    if (value == NULL || !next_line(w->at, name))
        w->torn = true;
    else
        w->torn |= !colon_between(name + name_len, value);
    w->at = value + value_len;
    fields_add(&w->st->ex.request, w->st->arena, (struct str){name, name_len},
               str_trim((struct str){value, value_len}));
    return MHD_YES;
}

/* What is left after the last field: its line end and the empty line's, two to four NULs. */
static bool ends_well(const char *at, const char *end)
{
    if (end - at < 2 || end - at > 4)
        return false;
    while (at < end)
        if (*at++ != '\0')
            return false;
    return true;
}

static const struct gate_refusal torn_header = {
    400, "NUL, folded line or stray space in the header (RFC 9112 2.2, 3, 5.2)"};
static const struct gate_refusal large_header = {431, "the header is too large (RFC 6585 5)"};
static const struct gate_refusal veiled_coding = {
    400, "chunked among blanks or empty list elements (RFC 9112 6.1)"};
static const struct gate_refusal no_place = {503, "as many connections as may be: max_connections"};
static const struct gate_refusal bad_path = {
    400, "the path of the target cannot be decoded (RFC 3986 2.1)"};

/* Fills in method, version and fields, and checks that the header is what MHD makes it seem. */
static const struct gate_refusal *read_header(struct h1_stream *st, const char *method,
                                              const char *version)
{
    struct exchange *ex = &st->ex;
    struct walk w = {st, version + strlen(version), false};
    struct MHD_Connection *mhd = st->conn->mhd;
    const union MHD_ConnectionInfo *info;

    ex->method = str_of(method);
    ex->http_minor = str_is(str_of(version), "HTTP/1.0") ? 0 : 1;
    w.torn = st->raw_target != method + ex->method.len + 1 ||
             version != st->raw_target + ex->target.len + 1;
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    st->header_size = info->header_size;
    if (info->header_size > service_conf(ex->service)->options.max_header_size)
        return &large_header;
    MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, on_field, &w);
    if (st->conn->en->mhd_is_strict)
        return NULL;
    return !w.torn && ends_well(w.at, method + info->header_size) ? NULL : &torn_header;
}

/* ---- the access handler ---- */

/* MHD decodes chunks only if the first Transfer-Encoding line says "chunked" and not a blank more.
 * Else it takes all that follows on the connection for the body: other requests as well. */
static bool is_decoded(const struct h1_stream *st)
{
    const char *coding = MHD_lookup_connection_value(st->conn->mhd, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_TRANSFER_ENCODING);

    return coding != NULL && str_eq_nocase(str_of(coding), STR_LIT("chunked"));
}

static const struct gate_refusal *check(struct h1_stream *st, const char *method,
                                        const char *version)
{
    const struct gate_refusal *refusal = read_header(st, method, version);

    if (refusal == NULL)
        refusal = h1_gate(&st->ex);
    if (refusal == NULL && st->conn->surplus)
        refusal = &no_place;
    if (refusal != NULL)
        return refusal;
    if (st->ex.request_body_len == -1 && !is_decoded(st))
        return &veiled_coding;
    return exchange_set_target(&st->ex) ? NULL : &bad_path;
}

/* Answered in the first call of the access handler, so that MHD closes the connection: what comes
 * after a request that was not understood is no request (RFC 9112 9.3, 11.2). */
static void refuse(struct h1_stream *st, const struct gate_refusal *refusal)
{
    struct exchange *ex = &st->ex;

    log_debug("http", "%s: refused: %s", st->conn->remote_host, refusal->why);
    st->refused = true;
    ex->close = true;
    fields_add(&ex->response, ex->arena, STR_LIT("Server"), STR_LIT("Lintel"));
    if (refusal == &no_place)
        fields_add(&ex->response, ex->arena, STR_LIT("Retry-After"), STR_LIT("1"));
    exchange_respond_error(ex, refusal->status);
}

static void begin_body(struct h1_stream *st, enum h1_stage stage)
{
    st->stage = stage;
    st->conn->upload_ms = loop_now_ms(st->conn->en->loop);
    h1_conn_enter(st->conn, PHASE_BODY);
}

/* MHD says 100 (Continue) when the first call is over, and calls once more as long as it has been
 * suspended in it. So whether the client should send its body at all is found out before: it should
 * not if the answer comes without somebody asking for it. */
static void await_verdict(struct h1_stream *st)
{
    st->stage = STAGE_EXPECT;
    if (st->ex.responded)
        h1_queue(st);
    else if (st->body_wanted)
        begin_body(st, STAGE_BODY);
    else
        h1_park(st);
}

/* The first call: the header is complete. A request without a body is handled in the second call,
 * as an answer in the first would close the connection. */
static void begin(struct h1_stream *st, const char *method, const char *version)
{
    const struct gate_refusal *refusal = check(st, method, version);

    if (refusal != NULL)
        refuse(st, refusal);
    else if (st->ex.request_body_len != 0)
        service_handle(st->ex.service, &st->ex);
    if (st->queued)
        return;
    if (st->ex.request_body_len == 0)
        begin_body(st, STAGE_FULL);
    else if (h1_body_is_awaited(st))
        await_verdict(st);
    else
        begin_body(st, STAGE_BODY);
}

/* The last call, and each one after a resume. False: close the connection. */
static bool finish(struct h1_stream *st)
{
    if (st->answered) {
        st->stage = STAGE_FULL;
        return false;
    }
    if (st->stage == STAGE_BODY)
        h1_body_end(st);
    else if (st->ex.request_body_len == 0 && !st->body_ended) {
        st->body_ended = true; /* now it has been handled */
        service_handle(st->ex.service, &st->ex);
    }
    if (st->ex.responded && !st->queued && !st->conn->dead)
        h1_queue(st);
    if (!st->queued && !st->conn->dead && (st->stage != STAGE_FULL || !h1_hold(st)))
        h1_park(st);
    return true;
}

enum MHD_Result h1_on_access(void *cls, struct MHD_Connection *mhd, const char *url,
                             const char *method, const char *version, const char *data,
                             size_t *size, void **context)
{
    struct h1_stream *st = *context;
    bool alive = true;

    (void)cls;
    (void)mhd;
    (void)url;
    if (st->conn->dead)
        return MHD_NO;
    if (st->stage == STAGE_HEADER)
        begin(st, method, version);
    else if (st->stage == STAGE_EXPECT)
        await_verdict(st);
    else if (data == NULL)
        alive = finish(st);
    else if (*size > 0) /* none of them: after a 100 (Continue), before a request that follows */
        alive = h1_body_take(st, data, size);
    return alive && !st->conn->dead ? MHD_YES : MHD_NO;
}

/* ---- the end ---- */

static int64_t bytes_sent(const struct h1_stream *st, bool complete)
{
    const struct exchange *ex = &st->ex;

    if (ex->bytes_sent > 0 || !complete || ex->is_head || !ex->responded)
        return ex->bytes_sent; /* counted by a reader, or none */
    return ex->body.kind == BODY_NONE || ex->body.len < 0 ? 0 : ex->body.len;
}

void h1_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                     enum MHD_RequestTerminationCode code)
{
    struct h1_stream *st = *context;
    struct h1_conn *c;

    (void)cls;
    (void)mhd;
    if (st == NULL)
        return;
    *context = NULL;
    c = st->conn;
    c->unread = st->stage != STAGE_FULL;
    st->ex.bytes_sent = bytes_sent(st, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    service_log(st->ex.service, &st->ex);
    exchange_fini(&st->ex);
    h1_stream_give_back(st);
    h1_conn_enter(c, PHASE_IDLE);
    if (c->en->draining && code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        h1_conn_kill(c); /* its header, without "close", was out before the draining began */
}
