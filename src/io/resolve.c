#include "io/resolve.h"

#include "base/alloc.h"
#include "io/dns_ask.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>

enum { FRESH_MS = 10 * 1000, SERVES_MS = 300 * 1000, FAILURE_MS = 1000, NAME_MAX_LEN = 253 };

/* One question, on its way to a helper thread and back; it owns what that thread touches. */
struct question {
    struct offload_job job;
    struct name *of;      /* NULL: nobody wants to know any more... */
    atomic_bool given_up; /* ...which the helper thread sees */
    struct addresses found;
    const char *why;            /* it failed; lives for ever */
    struct dns_servers servers; /* n 0: the system's way */
    char name[];
};

/* What is known of one name. */
struct name {
    struct list item; /* in resolver.names, the last used first */
    struct resolver *resolver;
    struct question *question; /* NULL: it is not being asked for */
    struct list waiting;       /* lookups */
    struct addresses known;
    uint64_t known_ms;  /* since when */
    uint64_t failed_ms; /* when it failed last; 0: it did not since */
    const char *why;
    struct dns_servers servers; /* n 0: the system's way */
    char text[];
};

struct resolver {
    struct loop *loop;
    struct offload *offload;
    struct mailbox *home;
    struct list names;
    unsigned n;
};

void lookup_init(struct lookup *lk,
                 void (*on_resolved)(struct lookup *lk, const struct addresses *a, const char *why))
{
    list_init(&lk->item);
    lk->on_resolved = on_resolved;
}

void lookup_cancel(struct lookup *lk)
{
    list_del(&lk->item);
}

/* ---- what needs no asking ---- */

static void add(struct addresses *a, int family, const void *bytes)
{
    struct address *to = &a->list[a->n];

    if (a->n == ADDRESSES_MAX)
        return;
    *to = (struct address){.family = (sa_family_t)family};
    memcpy(to->bytes, bytes, family == AF_INET ? 4 : 16);
    a->n++;
}

static bool is_localhost(struct str name)
{
    const struct str localhost = STR_LIT("localhost");

    if (name.len > 0 && name.p[name.len - 1] == '.')
        name.len--;
    if (name.len < localhost.len ||
        !str_eq_nocase(str_from(name, name.len - localhost.len), localhost))
        return false;
    return name.len == localhost.len || name.p[name.len - localhost.len - 1] == '.';
}

static bool is_plain(struct str name, struct addresses *a)
{
    const struct in_addr loopback4 = {htonl(INADDR_LOOPBACK)};
    unsigned char bytes[16];
    char text[INET6_ADDRSTRLEN];

    *a = (struct addresses){.n = 0};
    if (is_localhost(name)) {
        add(a, AF_INET6, &in6addr_loopback);
        add(a, AF_INET, &loopback4);
        return true;
    }
    if (name.len >= 2 && name.p[0] == '[' && name.p[name.len - 1] == ']')
        name = (struct str){name.p + 1, name.len - 2};
    if (name.len >= sizeof text)
        return false;
    memcpy(text, name.p, name.len);
    text[name.len] = '\0';
    if (inet_pton(AF_INET, text, bytes) == 1)
        add(a, AF_INET, bytes);
    else if (inet_pton(AF_INET6, text, bytes) == 1)
        add(a, AF_INET6, bytes);
    return a->n > 0;
}

/* ---- asking ---- */

static void ask_servers(struct question *q)
{
    static const enum dns_type types[] = {DNS_AAAA, DNS_A};
    struct dns_records *records = xalloc(sizeof *records);
    struct addresses each;
    struct err e;

    q->why = "the name has no address";
    if (!dns_is_name(str_of(q->name))) {
        q->why = "it is no host name";
        free(records);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (dns_ask(&q->servers, str_of(q->name), types[i], &q->given_up, records, &e) != 0)
            q->why = e.code == ERR_NOT_FOUND ? "there is no such name" : "no DNS server answered";
    for (unsigned i = 0; i < records->n; i++)
        if (is_plain(str_of(records->list[i].target), &each))
            add(&q->found, each.list[0].family, each.list[0].bytes);
    free(records);
}

static void ask_system(struct question *q)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    int rc = getaddrinfo(q->name, NULL, &hints, &all);

    q->why = rc == 0 ? "the name has no address" : gai_strerror(rc);
    for (const struct addrinfo *ai = all; ai != NULL; ai = ai->ai_next) {
        if (ai->ai_family == AF_INET)
            add(&q->found, AF_INET, &((const struct sockaddr_in *)(void *)ai->ai_addr)->sin_addr);
        if (ai->ai_family == AF_INET6)
            add(&q->found, AF_INET6,
                &((const struct sockaddr_in6 *)(void *)ai->ai_addr)->sin6_addr);
    }
    if (all != NULL)
        freeaddrinfo(all);
}

/* In a helper thread. */
static void ask(struct offload_job *j)
{
    struct question *q = container_of(j, struct question, job);

    if (q->servers.n > 0)
        ask_servers(q);
    else
        ask_system(q);
}

static void learn(struct name *nm, const struct addresses *found, const char *why)
{
    uint64_t now = loop_now_ms(nm->resolver->loop);

    nm->failed_ms = found->n == 0 ? now : 0;
    nm->why = why;
    if (found->n == 0)
        return;
    nm->known = *found;
    nm->known_ms = now;
}

/* Those that wait are told what was found now, and not what may still serve others. */
static void tell(struct name *nm, const struct addresses *found, const char *why)
{
    struct list told;

    list_init(&told);
    while (!list_empty(&nm->waiting)) { /* a callback may begin to wait anew */
        struct list *item = nm->waiting.next;

        list_del(item);
        list_add_tail(&told, item);
    }
    while (!list_empty(&told)) {
        struct lookup *lk = container_of(told.next, struct lookup, item);

        list_del(&lk->item);
        lk->on_resolved(lk, found->n > 0 ? found : NULL, why);
    }
}

static void on_answer(struct offload_job *j)
{
    struct question *q = container_of(j, struct question, job);
    struct name *nm = q->of;

    if (nm != NULL) {
        nm->question = NULL;
        learn(nm, &q->found, q->why);
        tell(nm, &q->found, q->why);
    }
    free(q);
}

/* False: there are too many questions already. */
static bool begin(struct name *nm)
{
    struct resolver *r = nm->resolver;
    size_t len = strlen(nm->text);
    struct question *q;

    if (nm->question != NULL)
        return true;
    q = xalloc(sizeof *q + len + 1);
    memcpy(q->name, nm->text, len);
    q->servers = nm->servers;
    q->of = nm;
    q->job.run = ask;
    q->job.done = on_answer;
    if (!offload_start(r->offload, r->home, &q->job)) {
        free(q);
        return false;
    }
    nm->question = q;
    return true;
}

/* ---- what is kept ---- */

static void forget(struct name *nm)
{
    if (nm->question != NULL) {
        nm->question->of = NULL;
        atomic_store_explicit(&nm->question->given_up, true, memory_order_relaxed);
        if (offload_cancel(nm->resolver->offload, &nm->question->job))
            free(nm->question);
    }
    nm->resolver->n--;
    list_del(&nm->item);
    free(nm);
}

/* The one unused for the longest time goes, unless somebody waits for it. */
static bool make_room(struct resolver *r)
{
    struct list *at = r->names.prev;

    if (r->n < RESOLVE_NAMES_MAX)
        return true;
    while (at != &r->names && !list_empty(&container_of(at, struct name, item)->waiting))
        at = at->prev;
    if (at == &r->names)
        return false;
    forget(container_of(at, struct name, item));
    return true;
}

static bool is_it(const struct name *nm, const struct dns_servers *servers, struct str text)
{
    return str_eq_nocase(str_of(nm->text), text) &&
           (servers == NULL ? nm->servers.n == 0 : dns_servers_same(&nm->servers, servers));
}

/* NULL if there is no room. */
static struct name *find(struct resolver *r, const struct dns_servers *servers, struct str text)
{
    struct name *nm = NULL;

    for (struct list *at = r->names.next; at != &r->names && nm == NULL; at = at->next)
        if (is_it(container_of(at, struct name, item), servers, text))
            nm = container_of(at, struct name, item);
    if (nm == NULL) {
        if (!make_room(r))
            return NULL;
        nm = xalloc(sizeof *nm + text.len + 1);
        memcpy(nm->text, text.p, text.len);
        nm->resolver = r;
        if (servers != NULL)
            nm->servers = *servers;
        list_init(&nm->item);
        list_init(&nm->waiting);
        r->n++;
    }
    list_del(&nm->item);
    list_add_tail(r->names.next, &nm->item); /* before the first */
    return nm;
}

/* ---- the interface ---- */

static bool answer_failure(struct addresses *a, const char **why, const char *text)
{
    *a = (struct addresses){.n = 0};
    *why = text;
    return true;
}

bool resolver_get(struct resolver *r, const struct dns_servers *servers, struct str name,
                  bool fresh, struct addresses *a, const char **why, struct lookup *lk)
{
    const uint64_t now = loop_now_ms(r->loop);
    struct name *nm;
    uint64_t age;
    bool failed;

    if (is_plain(name, a))
        return true;
    if (name.len == 0 || name.len > NAME_MAX_LEN || memchr(name.p, '\0', name.len) != NULL)
        return answer_failure(a, why, "it is no host name");
    nm = find(r, servers, name);
    if (nm == NULL)
        return answer_failure(a, why, "too many names are being resolved");
    age = now - nm->known_ms;
    failed = nm->failed_ms != 0 && now - nm->failed_ms < FAILURE_MS;
    *a = nm->known;
    a->stale = age >= FRESH_MS;
    if (a->n > 0 && !a->stale)
        return true;
    if (a->n > 0 && age < SERVES_MS && !fresh) {
        if (!failed)
            (void)begin(nm); /* or else with the next question */
        return true;
    }
    if (failed)
        return answer_failure(a, why, nm->why);
    if (!begin(nm))
        return answer_failure(a, why, "too many names are being resolved");
    list_add_tail(&nm->waiting, &lk->item);
    return false;
}

struct resolver *resolver_new(struct loop *l, struct offload *o, struct mailbox *home)
{
    struct resolver *r = xalloc(sizeof *r);

    r->loop = l;
    r->offload = o;
    r->home = home;
    list_init(&r->names);
    return r;
}

void resolver_free(struct resolver *r)
{
    if (r == NULL)
        return;
    while (!list_empty(&r->names))
        forget(container_of(r->names.next, struct name, item));
    free(r);
}
