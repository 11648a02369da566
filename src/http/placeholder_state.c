/* Placeholders of what was found out about an exchange on its way. */
#include "http/placeholder_values.h"

#include "base/random.h"
#include "http/vars.h"

struct str placeholder_root(struct exchange *ex)
{
    return ex->root.path;
}

struct str placeholder_variable(struct exchange *ex, const struct text_part *part)
{
    return vars_get(ex, part->text);
}

/* A random UUID (RFC 9562 5.4), the same in the whole exchange. */
struct str placeholder_uuid(struct exchange *ex)
{
    struct str uuid = vars_get(ex, STR_LIT("uuid"));
    uint8_t b[16];

    if (uuid.p != NULL)
        return uuid;
    random_bytes(b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    uuid = arena_printf(ex->arena,
                        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
                        b[12], b[13], b[14], b[15]);
    vars_set(ex, STR_LIT("uuid"), uuid);
    return uuid;
}

/* ---- the upstream at work ---- */

struct str placeholder_upstream_hostport(struct exchange *ex)
{
    return ex->upstream == NULL ? STR_LIT("") : ex->upstream->hostport;
}

struct str placeholder_upstream_host(struct exchange *ex)
{
    return ex->upstream == NULL ? STR_LIT("") : ex->upstream->host;
}

struct str placeholder_upstream_port(struct exchange *ex)
{
    return ex->upstream == NULL ? STR_LIT("") : ex->upstream->port;
}

struct str placeholder_upstream_address(struct exchange *ex)
{
    return ex->upstream == NULL ? STR_LIT("") : ex->upstream->address;
}

/* ---- its answer ---- */

static struct str status_of(struct exchange *ex, const struct upstream_answer *answer)
{
    return answer == NULL ? STR_LIT("") : arena_printf(ex->arena, "%d", answer->status);
}

static struct str header_of(struct exchange *ex, const struct upstream_answer *answer,
                            const struct text_part *part)
{
    if (answer == NULL)
        return STR_LIT("");
    return fields_joined_by(&answer->fields, ex->arena, part->text, STR_LIT(","));
}

struct str placeholder_answer_status(struct exchange *ex)
{
    return status_of(ex, ex->answer);
}

/* With the number, as Caddy has it. */
struct str placeholder_answer_status_text(struct exchange *ex)
{
    if (ex->answer == NULL)
        return STR_LIT("");
    return arena_printf(ex->arena, "%d %s", ex->answer->status, status_phrase(ex->answer->status));
}

struct str placeholder_answer_header(struct exchange *ex, const struct text_part *part)
{
    return header_of(ex, ex->answer, part);
}

/* ---- that of a handler below intercept ---- */

struct str placeholder_intercepted_status(struct exchange *ex)
{
    return status_of(ex, ex->intercepted);
}

struct str placeholder_intercepted_header(struct exchange *ex, const struct text_part *part)
{
    return header_of(ex, ex->intercepted, part);
}

/* ---- the error that is handled ---- */

struct str placeholder_error_status(struct exchange *ex)
{
    if (ex->error.status == 0)
        return STR_LIT("");
    return arena_printf(ex->arena, "%d", ex->error.status);
}

struct str placeholder_error_status_text(struct exchange *ex)
{
    return ex->error.status == 0 ? STR_LIT("") : str_of(status_phrase(ex->error.status));
}

/* An error without a message of its own has that of its status. */
struct str placeholder_error_message(struct exchange *ex)
{
    return ex->error.message.p != NULL ? ex->error.message : placeholder_error_status_text(ex);
}

/* Nine letters and digits, for the page and the log. */
struct str placeholder_error_id(struct exchange *ex)
{
    static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz0123456789";
    struct str id = vars_get(ex, STR_LIT("err.id"));
    uint8_t bytes[9];
    char *text;

    if (id.p != NULL || ex->error.status == 0)
        return id;
    random_bytes(bytes, sizeof bytes);
    text = arena_bytes(ex->arena, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        text[i] = alphabet[bytes[i] % (sizeof alphabet - 1)];
    id = (struct str){text, sizeof bytes};
    vars_set(ex, STR_LIT("err.id"), id);
    return id;
}

/* Where in its source an error arose: Caddy's own, ours would tell nobody anything. */
struct str placeholder_error_trace(struct exchange *ex)
{
    (void)ex;
    return STR_LIT("");
}
