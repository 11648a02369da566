/* One exchange that a proxy handles, shared by its files; nothing else includes this.
 *
 *   reverse_proxy.c    the directives, the state of a worker, the beginning of an exchange
 *   proxied_attempt.c  which upstream is asked, and what follows when it fails
 *   proxied_fastcgi.c  what is else with FastCGI
 *   proxied_interim.c  what comes before the answer
 *   proxied_relay.c    bytes between the transfer and the exchange, both ways
 *   proxied_respond.c  what becomes of the answer
 *   proxied_trailer.c  what follows its body
 */
#ifndef LINTEL_HANDLERS_PROXIED_H
#define LINTEL_HANDLERS_PROXIED_H

#include "base/buf.h"
#include "base/list.h"
#include "handlers/dynamic.h"
#include "handlers/fastcgi_script.h"
#include "handlers/kept_body.h"
#include "handlers/relay_buffer.h"
#include "handlers/reverse_proxy_conf.h"
#include "handlers/reverse_proxy_fields.h"

/* What the log has said of an upstream. */
struct complaints {
    uint64_t window_ms; /* when the time at hand began */
    unsigned failures;  /* since then */
};

struct proxy_state {
    const struct reverse_proxy_conf *conf;
    struct loop *loop;
    struct transport *secure; /* for https:// and HTTP/2 */
    struct transport *plain;  /* for http:// and unix sockets */
    struct transport *tunnel; /* for what asks for another protocol */
    struct shared *shared;
    struct transfer_idle idle; /* the worker's share */
    struct relay_pool buffers;
    struct budget *budget; /* of all proxies: what they hold of bodies... */
    size_t budget_max;     /* ...at most */
    struct balance_state *balance;
    struct upstream_states *upstreams;
    struct upstream_list *list; /* of what the configuration names */
    struct dynamic *dynamic;    /* NULL: there is nothing else */
    struct list streams;        /* tunnels, by proxied.streams */
    bool retired;               /* another configuration is in use */
    struct health *health;      /* NULL: another worker checks, or nobody */
};

struct proxied {
    struct source source;
    struct exchange *ex;
    struct proxy_state *st;
    struct proxy_request request;
    struct fastcgi_script script; /* FastCGI: what runs */
    struct buf notes;             /* and what it says beside its answer */

    /* The attempt at work. */
    struct transfer *transfer;  /* NULL: over */
    struct upstream_list *list; /* what is chosen from; NULL: not known yet */
    struct dynamic_wait wait;   /* for it */
    size_t upstream;            /* index */
    struct upstream resolved;   /* the same, its address made for this request */
    bool counted;               /* among the requests in flight */
    uint64_t since_ms;          /* when it got the last of the request so far */
    bool starved;               /* the client was asked for more of it, and has not sent that yet */
    int64_t body_left;          /* of the request; -1: not known, 0: all of it is gone */
    bool body_broken;           /* less of it came than the upstream was told */
    struct str cookie;          /* to be set, for balancing; p == NULL: none */

    /* All attempts. */
    struct candidate *candidates;
    bool *tried; /* in this round */
    unsigned attempts;
    unsigned round_began; /* with so many of them */
    uint64_t due_ms;      /* no attempt after that */
    struct timer again;
    struct kept_body kept;
    bool buffering; /* the body is read before the first */
    int failure;    /* the status to answer with, of the last one */
    struct str why; /* of it, in plain words */

    struct fields interim;          /* of the interim response at hand */
    struct upstream_answer answer;  /* names and values in the exchange's arena; status 0: none */
    const struct answer_rule *rule; /* for the answer; NULL: it is sent on */
    int64_t content_length;
    struct fields trailer; /* of it, as far as it has come and is for the client */
    struct relay_buffer *buffer;
    size_t budgeted;     /* of it: 0, or all that response_buffers asks for */
    struct task respond; /* at the end of the batch */
    bool turn_passed;    /* of the two the task takes */
    bool held;           /* it waits for more of one of the bodies */
    bool begun;          /* the answer was sent on, or its rule carried out */
    bool copied;         /* it was sent on */
    bool tunnel;         /* it made a tunnel of the connection */
    struct list streams; /* in the proxy's, if it is one */
    struct timer close_delay;
    bool unwanted;      /* it will not be */
    size_t thrown_away; /* bytes of an unwanted body */
    bool paused;        /* on_body answered false */
    bool waiting;       /* pull answered AGAIN */
    enum pull at_end;   /* once transfer is NULL: END or FAIL */
};

static inline size_t proxied_buffered(const struct proxied *p)
{
    return p->buffer == NULL ? 0 : p->buffer->end - p->buffer->start;
}

/* ---- proxied_attempt.c ---- */

/* Asks an upstream, once as much of the request's body is there as is to be buffered. */
void proxied_begin(struct proxied *p);

/* There is more of the body to buffer. */
void proxied_buffer(struct proxied *p);

/* The upstream has answered: is it well? */
void proxied_answered(struct proxied *p);

/* The transfer is over. */
void proxied_ended(struct proxied *p);

/* The transfer has failed: the exchange is answered with an error, or another upstream is asked. */
void proxied_fail(struct proxied *p, enum transfer_result result, const char *why);

/* The answer is one for which the configuration has another upstream asked, and that can be done:
 * it is, and this answer is forgotten. */
bool proxied_asks_again(struct proxied *p);

/* ---- proxied_fastcgi.c ---- */

/* Looks for the script. Returns 0, or the status to answer with. */
MUST_CHECK int proxied_find_script(struct proxied *p);

/* Whether the body must be read before a server is asked: it is told its length, which is not
 * known. */
bool proxied_needs_length(const struct proxied *p);

/* Fills in what FastCGI is asked. */
void proxied_ask_fastcgi(struct proxied *p, struct transfer_spec *spec);

/* Bytes of stderr; what has come is logged when the attempt is over. */
void proxied_on_stderr(void *arg, struct str bytes);
void proxied_log_notes(struct proxied *p);

/* ---- proxied_interim.c ---- */

void proxied_on_interim_field(void *arg, struct str name, struct str value);
void proxied_on_interim(void *arg, int status);

/* ---- proxied_relay.c ---- */

extern const struct transfer_events proxied_events;

void proxied_relay_init(struct proxied *p);
void proxied_fini(struct proxied *p); /* at the exchange's end */

/* Adds a copy of a field that an upstream has sent. */
void proxied_keep_field(struct proxied *p, struct fields *f, struct str name, struct str value);

/* The body of the request, for as long as the proxy reads it. */
void proxied_on_request_body(struct exchange *ex);

/* The client may have more. */
void proxied_wake(struct proxied *p);

/* Nothing of the attempt at work is left, for the next one. */
void proxied_forget(struct proxied *p);

/* Ends the transfer: what the client has of the answer breaks off. */
void proxied_cut(struct proxied *p);

/* Nobody wants the answer: what is left of it is read and thrown away, so that the connection can
 * be used again; but not for long, and not while the request's body would have to be sent. */
void proxied_disclaim(struct proxied *p);

/* ---- proxied_respond.c ---- */

void proxied_respond_init(struct proxied *p);

/* The answer's head is there: what becomes of it is decided at the end of the loop's batch. */
void proxied_on_head(struct proxied *p);

/* The configuration that a stream began with is no longer in use. */
void proxied_retire(struct proxied *p);

/* A response that waits may have what it waits for. */
void proxied_release(struct proxied *p);

/* ---- proxied_trailer.c ---- */

void proxied_on_trailer(void *arg, struct str name, struct str value);

/* Whether there is a trailer, and can be one: the answer must then be sent in chunks. */
bool proxied_has_trailer(const struct proxied *p);

/* Adds the Trailer field, if the upstream has sent one. */
void proxied_announce_trailer(struct proxied *p);

#endif
