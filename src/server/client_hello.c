#include "server/client_hello.h"

#include <string.h>

enum {
    RECORD_HEADER = 5,         /* type, version, length (RFC 8446 5.1) */
    RECORD_MAX = 16384,        /* bytes of plaintext in one record */
    MESSAGE_HEADER = 4,        /* type, length (RFC 8446 4) */
    CONTENT_HANDSHAKE = 22,    /* record type */
    HANDSHAKE_CLIENT_HELLO = 1 /* message type */
};

/* Bytes not read yet. Every take_* answers false, and reads nothing sensible, beyond their end. */
struct span {
    const uint8_t *p;
    size_t len;
};

static bool take(struct span *s, size_t n, struct span *out)
{
    if (s->len < n)
        return false;
    *out = (struct span){s->p, n};
    s->p += n;
    s->len -= n;
    return true;
}

static bool take_uint(struct span *s, size_t n_bytes, size_t *value)
{
    struct span bytes;

    if (!take(s, n_bytes, &bytes))
        return false;
    *value = 0;
    for (size_t i = 0; i < n_bytes; i++)
        *value = *value << 8 | bytes.p[i];
    return true;
}

/* A vector: its length in n_bytes, then its bytes. */
static bool take_vector(struct span *s, size_t n_bytes, struct span *out)
{
    size_t len;

    return take_uint(s, n_bytes, &len) && take(s, len, out);
}

/* ---- extensions: each reader gets the whole extension_data; false means malformed ---- */

static bool is_host_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* RFC 6066 3. A final dot is not allowed there, but harmless and sent. */
static bool read_host_name(struct span name, struct client_hello *hello)
{
    if (name.len > 0 && name.p[name.len - 1] == '.')
        name.len--;
    if (name.len == 0 || name.len >= sizeof hello->sni)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        hello->sni[i] = ascii_lower((char)name.p[i]);
        if (!is_host_char((uint8_t)hello->sni[i]))
            return false;
    }
    hello->sni[name.len] = '\0';
    hello->sni_len = name.len;
    return true;
}

static bool read_server_name(struct span data, struct client_hello *hello)
{
    struct span list, name;
    size_t type;

    if (!take_vector(&data, 2, &list) || data.len > 0)
        return false;
    while (list.len > 0) {
        if (!take_uint(&list, 1, &type) || !take_vector(&list, 2, &name))
            return false;
        if (type != 0) /* host_name is the only type that was ever defined */
            continue;
        if (hello->sni_len > 0 || !read_host_name(name, hello))
            return false;
    }
    return true;
}

static bool read_alpn(struct span data, struct client_hello *hello)
{
    struct span list, protocol;

    if (!take_vector(&data, 2, &list) || data.len > 0)
        return false;
    hello->alpn = true;
    while (list.len > 0) {
        struct str name;

        if (!take_vector(&list, 1, &protocol) || protocol.len == 0)
            return false;
        name = (struct str){(const char *)protocol.p, protocol.len};
        if (str_is(name, "http/1.1") || str_is(name, "http/1.0"))
            hello->alpn_http1 = true;
        else if (str_is(name, "h2"))
            hello->alpn_h2 = true;
        else if (str_is(name, "acme-tls/1"))
            hello->alpn_acme = true;
    }
    return true;
}

/* RFC 8446 4.2.1: where this extension stands, it alone says what is offered. GREASE (RFC 8701) and
 * drafts are passed over. */
static bool read_supported_versions(struct span data, struct client_hello *hello)
{
    struct span list;
    size_t version;

    if (!take_vector(&data, 1, &list) || data.len > 0)
        return false;
    hello->max_version = 0;
    hello->min_version = 0;
    while (list.len > 0) {
        if (!take_uint(&list, 2, &version))
            return false;
        if (version < 0x0300 || version > 0x0304)
            continue;
        if (version > hello->max_version)
            hello->max_version = (uint16_t)version;
        if (hello->min_version == 0 || version < hello->min_version)
            hello->min_version = (uint16_t)version;
    }
    return true;
}

static void read_ticket_name(struct span ticket, struct client_hello *hello)
{
    if (ticket.len < sizeof hello->ticket_name)
        return;
    memcpy(hello->ticket_name, ticket.p, sizeof hello->ticket_name);
    hello->has_ticket = true;
}

static bool read_session_ticket(struct span data, struct client_hello *hello)
{
    read_ticket_name(data, hello); /* RFC 5077 3.2: the ticket is the whole extension */
    return true;
}

/* RFC 8446 4.2.11: the first identity. It comes last of all extensions, so it wins over a ticket of
 * TLS 1.2. */
static bool read_pre_shared_key(struct span data, struct client_hello *hello)
{
    struct span identities, identity;

    if (!take_vector(&data, 2, &identities) || !take_vector(&identities, 2, &identity))
        return false;
    read_ticket_name(identity, hello);
    return true;
}

static const struct {
    size_t type;
    bool (*read)(struct span data, struct client_hello *hello);
} extensions[] = {
    {0, read_server_name},         {16, read_alpn},
    {35, read_session_ticket},     {41, read_pre_shared_key},
    {43, read_supported_versions},
};

static bool read_extensions(struct span list, struct client_hello *hello)
{
    unsigned seen = 0;

    while (list.len > 0) {
        struct span data;
        size_t type;

        if (!take_uint(&list, 2, &type) || !take_vector(&list, 2, &data))
            return false;
        for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++) {
            if (extensions[i].type != type)
                continue;
            /* RFC 8446 4.2: none may come twice. Two names would be two answers. */
            if ((seen & 1u << i) != 0 || !extensions[i].read(data, hello))
                return false;
            seen |= 1u << i;
        }
    }
    return true;
}

/* The body of the message (RFC 8446 4.1.2). */
static bool read_hello(struct span body, struct client_hello *hello)
{
    struct span skipped, list;
    size_t version;

    if (!take_uint(&body, 2, &version) || !take(&body, 32, &skipped) || /* random */
        !take_vector(&body, 1, &skipped) ||                             /* session id */
        !take_vector(&body, 2, &skipped) ||                             /* cipher suites */
        !take_vector(&body, 1, &skipped))                               /* compression methods */
        return false;
    /* Without supported_versions nothing above TLS 1.2 is spoken (RFC 8446 4.2.1). */
    hello->max_version = version > 0x0303 ? 0x0303 : (uint16_t)version;
    hello->min_version = 0x0300;
    if (body.len == 0)
        return true; /* TLS 1.2 and before may have no extensions at all */
    return take_vector(&body, 2, &list) && body.len == 0 && read_extensions(list, hello);
}

/* ---- records ---- */

/* Takes the next record's content. Of one that is not whole yet, what there is: then *rest is
 * empty. HELLO_MORE if not even the header is there. */
static enum hello_verdict take_record(struct span *rest, bool first, struct span *content)
{
    static const uint8_t start[] = {CONTENT_HANDSHAKE, 3};
    struct span header;
    size_t len;

    for (size_t i = 0; i < sizeof start && i < rest->len; i++)
        if (rest->p[i] != start[i])
            return first ? HELLO_NOT_TLS : HELLO_BAD;
    if (!take(rest, RECORD_HEADER, &header))
        return HELLO_MORE;
    len = (size_t)header.p[3] << 8 | header.p[4];
    if (len == 0 || len > RECORD_MAX) /* RFC 8446 5.1: no empty fragments of handshake messages */
        return HELLO_BAD;
    take(rest, len < rest->len ? len : rest->len, content);
    return HELLO_OK;
}

/* Looks at the start of the message: how long the whole is, with its header. */
static enum hello_verdict message_len(struct span message, size_t *len)
{
    if (message.len > 0 && message.p[0] != HANDSHAKE_CLIENT_HELLO)
        return HELLO_BAD;
    if (message.len < MESSAGE_HEADER)
        return HELLO_MORE;
    *len = MESSAGE_HEADER +
           ((size_t)message.p[1] << 16 | (size_t)message.p[2] << 8 | (size_t)message.p[3]);
    if (*len > CLIENT_HELLO_MAX - RECORD_HEADER)
        return HELLO_BAD;
    return message.len < *len ? HELLO_MORE : HELLO_OK;
}

/* Finds the message in its records. One that lies in a single record, as nearly all do, is used
 * where it is; a fragmented one is put together in copy. */
static enum hello_verdict find_message(struct span bytes, uint8_t copy[CLIENT_HELLO_MAX],
                                       struct span *message)
{
    enum hello_verdict verdict;
    struct span content = {NULL, 0};
    size_t len = 0, copied = 0;

    for (bool first = true;; first = false) {
        verdict = take_record(&bytes, first, &content);
        if (verdict != HELLO_OK)
            return verdict;
        if (first) {
            *message = content;
        } else {
            if (copied == 0)
                memcpy(copy, message->p, copied = message->len);
            memcpy(copy + copied, content.p, content.len);
            copied += content.len;
            *message = (struct span){copy, copied};
        }
        verdict = message_len(*message, &len);
        if (verdict != HELLO_MORE || bytes.len == 0)
            break;
    }
    message->len = len;
    return verdict;
}

enum hello_verdict client_hello_parse(const uint8_t *p, size_t len, struct client_hello *hello)
{
    uint8_t copy[CLIENT_HELLO_MAX];
    struct span message = {NULL, 0}, header;
    enum hello_verdict verdict;

    memset(hello, 0, sizeof *hello);
    if (len > CLIENT_HELLO_MAX)
        len = CLIENT_HELLO_MAX;
    verdict = find_message((struct span){p, len}, copy, &message);
    if (verdict == HELLO_MORE && len == CLIENT_HELLO_MAX)
        return HELLO_BAD;
    if (verdict != HELLO_OK)
        return verdict;
    take(&message, MESSAGE_HEADER, &header);
    if (read_hello(message, hello))
        return HELLO_OK;
    memset(hello, 0, sizeof *hello);
    return HELLO_BAD;
}
