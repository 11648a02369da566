/* An encoded exchange:
 *  1. the request says which coding it wants; conditions on our own ETags are put back into the
 *     terms of those who made them.
 *  2. when the response is there, its fields, status and length say whether it may be encoded.
 *  3. its fields are changed, and its body is replaced: handlers/encode_body.h.
 */
#include "handlers/encode.h"

#include "base/alloc.h"
#include "handlers/encode_body.h"
#include "handlers/encode_etag.h"
#include "handlers/encode_form.h"
#include "handlers/response_match.h"
#include "http/accept_encoding.h"
#include "http/handler.h"
#include "http/prepared.h"
#include "http/vary.h"

#include <assert.h>

struct format {
    const struct coder_type *type;
    struct coder_settings settings;
};

struct encode_conf {
    struct format formats[CODER_TYPES]; /* as written */
    struct str names[CODER_TYPES];      /* theirs */
    size_t n;
    uint64_t minimum_length;
    bool has_match;
    struct response_match match;
};

enum { MINIMUM_LENGTH = 512 }; /* bytes; as in Caddy */

/* Without "match": the types of content that get smaller, as in Caddy. Beginnings, without regard
 * to case. */
static const struct str types[] = {
    STR_LIT("application/atom+xml"),
    STR_LIT("application/eot"),
    STR_LIT("application/font"),
    STR_LIT("application/geo+json"),
    STR_LIT("application/graphql+json"),
    STR_LIT("application/graphql-response+json"),
    STR_LIT("application/javascript"),
    STR_LIT("application/json"),
    STR_LIT("application/ld+json"),
    STR_LIT("application/manifest+json"),
    STR_LIT("application/opentype"),
    STR_LIT("application/otf"),
    STR_LIT("application/rss+xml"),
    STR_LIT("application/truetype"),
    STR_LIT("application/ttf"),
    STR_LIT("application/vnd.api+json"),
    STR_LIT("application/vnd.ms-fontobject"),
    STR_LIT("application/wasm"),
    STR_LIT("application/x-httpd-cgi"),
    STR_LIT("application/x-javascript"),
    STR_LIT("application/x-opentype"),
    STR_LIT("application/x-otf"),
    STR_LIT("application/x-perl"),
    STR_LIT("application/x-protobuf"),
    STR_LIT("application/x-ttf"),
    STR_LIT("application/xhtml+xml"),
    STR_LIT("application/xml"),
    STR_LIT("font/ttf"),
    STR_LIT("font/otf"),
    STR_LIT("image/svg+xml"),
    STR_LIT("image/vnd.microsoft.icon"),
    STR_LIT("image/x-icon"),
    STR_LIT("multipart/bag"),
    STR_LIT("multipart/mixed"),
    STR_LIT("text/"),
};

/* ---- configuration ---- */

static const struct coder_type *find_type(const struct directive_args *d, const struct token *t)
{
    const char *names[CODER_TYPES + 1] = {NULL};
    uint64_t level;

    for (size_t i = 0; coder_types[i] != NULL; i++) {
        if (str_eq(t->text, coder_types[i]->name))
            return coder_types[i];
        names[i] = coder_types[i]->name.p;
    }
    if (str_to_uint(t->text, UINT64_MAX, &level))
        directive_error(d, t, "a level stands in the block: 'encode {' with 'gzip " STR_FMT "'",
                        STR_ARG(t->text));
    else
        directive_unknown(d, t, "format", names);
    return NULL;
}

static struct format *add_format(const struct directive_args *d, struct encode_conf *conf,
                                 const struct token *t)
{
    const struct coder_type *type = find_type(d, t);
    struct format *f = &conf->formats[conf->n];

    if (type == NULL)
        return NULL;
    if (type->make == NULL) {
        directive_error(d, t, "'" STR_FMT "' was not compiled in (./configure %s)",
                        STR_ARG(t->text), type->option);
        return NULL;
    }
    for (size_t i = 0; i < conf->n; i++) {
        if (conf->formats[i].type == type) {
            directive_error(d, t, "'" STR_FMT "' stands here twice", STR_ARG(t->text));
            return NULL;
        }
    }
    *f = (struct format){type, {.level = type->level_default, .checksum = true}};
    conf->names[conf->n++] = type->name;
    return f;
}

static int set_level_of(const struct directive_args *d, const struct token *t, struct format *f)
{
    const struct coder_type *type = f->type;
    const struct coder_word *w = type->words;
    uint64_t n;

    for (; w != NULL && w->word != NULL; w++) {
        if (str_is(t->text, w->word)) {
            f->settings.level = w->level;
            return 0;
        }
    }
    if (str_to_uint(t->text, (uint64_t)type->level_max, &n) && n >= (uint64_t)type->level_min) {
        f->settings.level = (int)n;
        return 0;
    }
    return directive_error(d, t, "'" STR_FMT "' is no level: there are %d to %d%s",
                           STR_ARG(t->text), type->level_min, type->level_max,
                           w == NULL ? "" : ", fastest, default, better and best");
}

static int set_zstd_level(const struct directive_args *d)
{
    return set_level_of(d, &d->args[0], d->target);
}

static int set_disable_checksum(const struct directive_args *d)
{
    ((struct format *)d->target)->settings.checksum = false;
    return 0;
}

static const struct directive zstd_options[] = {
    {.name = "level", .min_args = 1, .max_args = 1, .set = set_zstd_level, .help = "level LEVEL"},
    {.name = "disable_checksum", .set = set_disable_checksum, .help = "disable_checksum"},
    {0},
};

/* gzip, zstd or br, perhaps with a level. */
static int set_format(const struct directive_args *d)
{
    struct format *f = add_format(d, d->target, &d->node->words[0]);

    if (f == NULL || (d->n_args > 0 && set_level_of(d, &d->args[0], f) != 0))
        return -1;
    return d->node->has_block ? directive_block(d, zstd_options, NULL, f) : 0;
}

static int set_minimum_length(const struct directive_args *d)
{
    return directive_uint(d, &d->args[0], INT64_MAX,
                          &((struct encode_conf *)d->target)->minimum_length);
}

static int set_match(const struct directive_args *d)
{
    struct encode_conf *conf = d->target;

    conf->has_match = true;
    return response_match_set(d, &conf->match);
}

static const struct directive options[] = {
    {.name = "br", .max_args = 1, .set = set_format, .help = "br [<level>]"},
    {.name = "gzip", .max_args = 1, .set = set_format, .help = "gzip [<level>]"},
    {.name = "match",
     .max_args = -1,
     .block = true,
     .set = set_match,
     .help = "match status <codes...>|header <field> <value>"},
    {.name = "minimum_length",
     .min_args = 1,
     .max_args = 1,
     .set = set_minimum_length,
     .help = "minimum_length <bytes>"},
    {.name = "zstd",
     .max_args = 1,
     .block = true,
     .set = set_format,
     .help = "zstd [<level>] [{ level, disable_checksum }]"},
    {0},
};

static int add_defaults(const struct directive_args *d, struct encode_conf *conf)
{
    for (size_t i = 0; coder_types[i] != NULL; i++) {
        const struct token t = {.text = coder_types[i]->name};

        if (coder_types[i]->make != NULL)
            add_format(d, conf, &t);
    }
    if (conf->n > 0)
        return 0;
    return directive_error(d, &d->node->words[0], "no format of 'encode' was compiled in");
}

static int encode_set(const struct directive_args *d)
{
    struct encode_conf *conf = d->target;
    int rc = 0;

    conf->minimum_length = MINIMUM_LENGTH;
    for (size_t i = 0; i < d->n_args; i++)
        if (add_format(d, conf, &d->args[i]) == NULL)
            rc = -1;
    if (directive_block(d, options, NULL, conf) != 0 || rc != 0)
        return -1;
    return conf->n > 0 ? 0 : add_defaults(d, conf);
}

static int encode_start(const void *conf, const struct worker_env *env, void **state, struct err *e)
{
    (void)conf;
    (void)e;
    assert(env->coders != NULL);
    *state = env->coders;
    return 0;
}

/* ---- one exchange ---- */

/* One directive at one exchange. */
struct run {
    const struct encode_conf *conf;
    struct coder_pool *pool;
    const struct format *wanted; /* NULL: none */
    struct str if_none_match;    /* as it came, if something was taken off of it */
};

static bool is_kept_as_it_is(const struct fields *f)
{
    return fields_has_token(f, STR_LIT("Cache-Control"), STR_LIT("no-transform"));
}

/* Fields that speak of the bytes as they are: encoded already, a part (RFC 9110 14.4), or digests
 * of them (RFC 9530). */
static bool speaks_of_bytes(const struct fields *f)
{
    static const struct str names[] = {
        STR_LIT("Content-Encoding"), STR_LIT("Content-Range"), STR_LIT("Content-Digest"),
        STR_LIT("Repr-Digest"),      STR_LIT("Digest"),        STR_LIT("Content-MD5"),
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (fields_get(f, names[i]).p != NULL)
            return true;
    return false;
}

static bool begins(struct str s, struct str with)
{
    return s.len >= with.len && str_eq_nocase((struct str){s.p, with.len}, with);
}

static bool has_type(const struct fields *f)
{
    struct str type = fields_get(f, STR_LIT("Content-Type"));

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (begins(type, types[i]))
            return true;
    return false;
}

/* Whether the type, or "match", is for what is encoded. */
static bool is_meant(const struct encode_conf *conf, int status, const struct fields *f)
{
    return conf->has_match ? response_match(&conf->match, status, f) : has_type(f);
}

static bool may_encode(const struct encode_conf *conf, const struct exchange *ex,
                       const struct fields *f)
{
    const struct body *b = &ex->body;

    if (b->kind == BODY_NONE || b->len == 0 || ex->status < 200 || ex->status == 204 ||
        ex->status == 205 || ex->status == 206 || ex->status == 304)
        return false;
    if (b->len > 0 && (uint64_t)b->len < conf->minimum_length)
        return false;
    return is_meant(conf, ex->status, f) && !speaks_of_bytes(f) && !is_kept_as_it_is(f);
}

/* The coding depends on the request, also where none was chosen. */
static void add_vary(struct exchange *ex, const struct fields *f)
{
    vary_add(ex, f, STR_LIT("Accept-Encoding"));
}

/* Of what is encoded on the way there are no ranges, and the bytes are another representation. */
static void change_fields(struct exchange *ex, struct str coding)
{
    struct str etag = fields_get(&ex->response, STR_LIT("ETag"));

    fields_remove(&ex->response, STR_LIT("Accept-Ranges"));
    if (etag.len > 0)
        fields_set(&ex->response, ex->arena, STR_LIT("ETag"),
                   encode_etag_add(ex->arena, etag, coding));
}

/* A prepared response that stays one: the form of it that is encoded already. False: there is
 * none. */
static bool take_form(struct exchange *ex, const struct encode_how *how)
{
    struct prepared *p = ex->body.prepared;
    struct prepared *form = encode_form(p, how);

    if (form == NULL)
        return false;
    ex->body.prepared = prepared_ref(form);
    ex->body.len = (int64_t)form->body.len;
    prepared_unref(p);
    change_fields(ex, how->type->name); /* of those that go before it */
    return true;
}

static void encode_here(struct exchange *ex, const struct encode_how *how)
{
    if (ex->body.kind == BODY_PREPARED && take_form(ex, how))
        return;
    exchange_unprepare(ex);
    if (!encode_body(ex, how))
        return;
    fields_set(&ex->response, ex->arena, STR_LIT("Content-Encoding"), how->type->name);
    change_fields(ex, how->type->name);
}

/* What comes while the client waits for more must reach it: events, where nobody has said how much
 * there will be, and where the configuration says so. */
static bool is_prompt(const struct exchange *ex, const struct fields *f)
{
    struct str type = fields_get(f, STR_LIT("Content-Type"));

    return ex->prompt || ex->body.len < 0 || begins(type, STR_LIT("text/event-stream"));
}

/* RFC 9110 15.4.5: Vary and ETag as a 200 would have had them. */
static void not_modified(const struct run *run, struct exchange *ex, const struct fields *f)
{
    struct str tag;

    add_vary(ex, f);
    if (run->if_none_match.p == NULL)
        return;
    tag = encode_etag_add(ex->arena, fields_get(f, STR_LIT("ETag")), run->wanted->type->name);
    if (encode_etag_listed(run->if_none_match, tag))
        fields_set(&ex->response, ex->arena, STR_LIT("ETag"), tag);
}

/* RFC 9110 15.3.7: a part has the Vary that the whole would have had, of which the type is not told
 * where there are several. */
static void partial(const struct encode_conf *conf, struct exchange *ex, const struct fields *f)
{
    struct str type = fields_get(f, STR_LIT("Content-Type"));

    if ((begins(type, STR_LIT("multipart/byteranges")) || is_meant(conf, 200, f)) &&
        fields_get(f, STR_LIT("Content-Encoding")).p == NULL && !is_kept_as_it_is(f))
        add_vary(ex, f);
}

static void on_respond(struct exchange *ex, const void *arg)
{
    const struct run *run = arg;
    struct fields all = ex->response;
    struct encode_how how;

    if (ex->body.kind == BODY_PREPARED)
        all = prepared_fields(ex->body.prepared, &ex->response, ex->arena);
    if (ex->status == 304)
        not_modified(run, ex, &all);
    if (ex->status == 206)
        partial(run->conf, ex, &all);
    if (!may_encode(run->conf, ex, &all))
        return;
    add_vary(ex, &all);
    if (run->wanted == NULL)
        return;
    how = (struct encode_how){run->pool, run->wanted->type, run->wanted->settings,
                              is_prompt(ex, &all)};
    encode_here(ex, &how);
}

/* The hook itself says what becomes of a prepared response. */
static bool needs_nothing(const struct prepared *p, const void *arg)
{
    (void)p;
    (void)arg;
    return false;
}

static const struct format *choose(const struct encode_conf *conf, const struct exchange *ex)
{
    struct str accept = fields_joined(&ex->request, ex->arena, STR_LIT("Accept-Encoding"));
    size_t i = accept_encoding_choose(accept, conf->names, conf->n);

    if (i == conf->n || str_is(ex->method, "CONNECT") || is_kept_as_it_is(&ex->request))
        return NULL;
    return &conf->formats[i];
}

/* What the client has of us goes on to those who made it as they made it. Returns the field as it
 * was, p == NULL if it is unchanged. */
static struct str strip(struct exchange *ex, struct str name, struct str coding)
{
    struct str was = fields_joined(&ex->request, ex->arena, name);
    struct str now = was.len == 0 ? was : encode_etag_strip(ex->arena, was, coding);

    if (now.len == was.len)
        return (struct str){NULL, 0};
    exchange_own_fields(ex);
    fields_set(&ex->request, ex->arena, name, now);
    return was;
}

/* Who reads with If-Match wants the same bytes (RFC 9110 13.1.1), and a weak tag promises none. Who
 * writes with it has read the content that the original tag stands for. */
static bool is_read(const struct exchange *ex)
{
    return ex->is_head || str_is(ex->method, "GET");
}

static enum verdict encode_handle(const void *conf_, struct exchange *ex)
{
    const struct encode_conf *conf = conf_;
    struct run *run = arena_alloc(ex->arena, sizeof *run);

    run->conf = conf;
    run->pool = ex->handler_state;
    run->wanted = choose(conf, ex);
    if (run->wanted != NULL) {
        run->if_none_match = strip(ex, STR_LIT("If-None-Match"), run->wanted->type->name);
        if (!is_read(ex))
            strip(ex, STR_LIT("If-Match"), run->wanted->type->name);
    }
    exchange_on_respond(ex, on_respond, needs_nothing, run);
    return NEXT;
}

static const struct handler_type encode_handler = {
    .name = "encode", .start = encode_start, .handle = encode_handle};

const struct directive encode_directives[] = {
    {.name = "encode",
     .places = IN_HANDLERS,
     .min_args = 0,
     .max_args = -1,
     .block = true,
     .type = &encode_handler,
     .conf_size = sizeof(struct encode_conf),
     .set = encode_set,
     .help = "encode [matcher] [zstd|br|gzip...] [{ ... }]: compress responses"},
    {0},
};
