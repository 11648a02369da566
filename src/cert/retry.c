#include "cert/retry.h"

#include "base/date.h"
#include "cert/jdoc.h"
#include "cert/store_layout.h"

#include <stdio.h>

enum { VALUE_MAX = 4096, HURRY_S = 60, ATTEMPTS_MAX = 1000000 };

/* The longest wait that can have been stored, with room for the tenth that spreads. */
static const int64_t wait_most_s = RETRY_AFTER_MOST_S + 86400;

static unsigned read_count(struct json_object *o, const char *name)
{
    int64_t count = jdoc_int(o, name, 0);

    return count < 0 || count > ATTEMPTS_MAX ? 0 : (unsigned)count;
}

static void read_members(struct json_object *o, struct retry *r)
{
    struct str error = jdoc_str(o, "error");

    r->judged = read_count(o, "judged");
    r->unheard = read_count(o, "unheard");
    r->last_s = jdoc_int(o, "last", 0);
    r->next_s = jdoc_int(o, "next", 0);
    r->asked_s = jdoc_int(o, "asked", 0);
    if (jdoc_int(o, "conf", 0) != r->conf)
        r->next_s = r->asked_s = 0;
    snprintf(r->error, sizeof r->error, STR_FMT, STR_ARG(error));
}

void retry_load(struct store *st, const char *ca, const char *name, uint32_t conf, struct retry *r)
{
    struct store_key at = store_retry_key(ca, name);
    struct buf text = BUF_INIT(VALUE_MAX);
    struct json_object *o = NULL;
    struct err e;

    *r = (struct retry){.conf = conf};
    if (store_get(st, at.text, &text, &e) == 0)
        o = jdoc_parse(buf_str(&text), &e);
    if (o != NULL)
        read_members(o, r);
    json_object_put(o);
    buf_fini(&text);
}

int retry_save(struct store *st, const char *ca, const char *name, const struct retry *r,
               struct err *e)
{
    struct store_key at = store_retry_key(ca, name);
    struct buf text = BUF_INIT(VALUE_MAX);
    struct json_object *o = json_object_new_object();
    int rc;

    json_object_object_add(o, "judged", json_object_new_int64(r->judged));
    json_object_object_add(o, "unheard", json_object_new_int64(r->unheard));
    json_object_object_add(o, "conf", json_object_new_int64(r->conf));
    json_object_object_add(o, "last", json_object_new_int64(r->last_s));
    json_object_object_add(o, "next", json_object_new_int64(r->next_s));
    json_object_object_add(o, "asked", json_object_new_int64(r->asked_s));
    jdoc_add_str(o, "error", str_of(r->error));
    rc = jdoc_write(o, &text, e);
    if (rc == 0)
        rc = store_put(st, at.text, buf_str(&text), e);
    buf_fini(&text);
    return rc;
}

int retry_clear(struct store *st, const char *ca, const char *name, struct err *e)
{
    struct store_key at = store_retry_key(ca, name);

    return store_delete(st, at.text, e);
}

/* What the CA has judged costs its rate limits; what never reached it costs nobody anything. */
static enum schedule_kind kind_of(const struct err *why)
{
    switch (why->code) {
    case ERR_IO:
    case ERR_BUSY:
    case ERR_TIMEOUT:
    case ERR_NETWORK:
    case ERR_CANCELLED:
        return SCHEDULE_NETWORK;
    case ERR_NONE:
    case ERR_LIMIT:
    case ERR_SYNTAX:
    case ERR_INVALID:
    case ERR_NOT_FOUND:
    case ERR_PROTOCOL:
    case ERR_REFUSED:
    case ERR_TLS:
        break;
    }
    return SCHEDULE_CA;
}

void retry_fail(struct retry *r, const struct err *why, int64_t now_s, int64_t not_after_s,
                int64_t lifetime_s, uint32_t spread)
{
    struct schedule_failure f = {
        .kind = kind_of(why),
        .retry_after_s = why->code == ERR_IO ? 0 : why->retry_ms / 1000, /* the store's word */
        .not_after_s = not_after_s,
        .lifetime_s = lifetime_s,
        .spread = spread,
    };

    if (f.kind == SCHEDULE_CA) {
        r->judged += r->judged < ATTEMPTS_MAX;
        r->unheard = 0;
    } else {
        r->unheard += r->unheard < ATTEMPTS_MAX;
    }
    f.attempts = f.kind == SCHEDULE_CA ? r->judged : r->unheard;
    r->last_s = now_s;
    r->next_s = schedule_retry_at(&f, now_s);
    r->asked_s = f.retry_after_s > 0 ? now_s + f.retry_after_s : 0;
    snprintf(r->error, sizeof r->error, "%s", why->msg);
}

bool retry_due(const struct retry *r, int64_t now_s)
{
    return r->next_s <= now_s || r->next_s > now_s + wait_most_s;
}

void retry_hurry(struct retry *r, int64_t now_s)
{
    int64_t soonest = r->last_s + HURRY_S;

    if (r->last_s == 0 || r->last_s > now_s)
        return;
    soonest = soonest < r->asked_s ? r->asked_s : soonest;
    if (soonest < r->next_s)
        r->next_s = soonest;
}
