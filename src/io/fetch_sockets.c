/* libcurl's sockets and its timer on our loop. */
#include "io/fetch_priv.h"

#include "base/alloc.h"
#include "base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* One socket of curl's. Those we opened stay in the epoll set while curl keeps the connection idle
 * (wanted == 0): that saves two system calls a request. */
struct watch {
    struct event_source src;
    struct fetcher *fr;
    uint32_t registered; /* events the loop watches; 0: not in the loop */
    uint32_t wanted;     /* events curl wants */
    bool ours;           /* opened by on_open_socket */
    bool connected;      /* and in use by a connection: on_close_socket will come */
    bool idle;           /* no request is under way: whatever comes is no answer */
};

static struct watch *watch_at(struct fetcher *fr, curl_socket_t fd)
{
    return (size_t)fd < fr->n_watches ? fr->watches[fd] : NULL;
}

static void watch_unregister(struct watch *w)
{
    if (w->registered != 0)
        loop_del(w->fr->loop, &w->src);
    w->registered = 0;
}

static void watch_free(struct watch *w)
{
    watch_unregister(w);
    w->fr->watches[w->src.fd] = NULL;
    free(w);
}

void fetch_socket_action(struct fetcher *fr, curl_socket_t fd, int mask)
{
    int running;

    fr->in_curl++;
    if (curl_multi_socket_action(fr->multi, fd, mask, &running) != CURLM_OK)
        log_error("fetch", "curl_multi_socket_action failed");
    fr->in_curl--;
    loop_post(fr->loop, &fr->work);
}

/* What comes without a request would pass for the answer to the next one (RFC 9112 9.3), since
 * libcurl looks only for the end of a connection before it uses it again: so it finds that. */
static void spoil(struct watch *w)
{
    char waste[16 * 1024];

    shutdown(w->src.fd, SHUT_RDWR); /* nothing is received any more */
    while (recv(w->src.fd, waste, sizeof waste, MSG_DONTWAIT) > 0)
        ;
}

static void on_watch_event(struct event_source *src, uint32_t events)
{
    struct watch *w = container_of(src, struct watch, src);
    int mask = 0;

    if (w->wanted == 0) { /* the transfer pauses, or is over */
        if (w->idle)
            spoil(w);
        watch_unregister(w);
        return;
    }
    /* As poll() has it: an error or hang-up makes the socket ready for whatever is wanted. */
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && (w->wanted & EPOLLIN) != 0)
        mask |= CURL_CSELECT_IN;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 && (w->wanted & EPOLLOUT) != 0)
        mask |= CURL_CSELECT_OUT;
    if (mask != 0)
        fetch_socket_action(w->fr, w->src.fd, mask);
}

static struct watch *watch_new(struct fetcher *fr, curl_socket_t fd)
{
    struct watch *w = xalloc(sizeof *w);

    if ((size_t)fd >= fr->n_watches) {
        size_t n = (size_t)fd + 64;

        fr->watches = xrealloc_array(fr->watches, n, sizeof *fr->watches);
        memset(fr->watches + fr->n_watches, 0, (n - fr->n_watches) * sizeof *fr->watches);
        fr->n_watches = n;
    }
    assert(fr->watches[fd] == NULL);
    *w = (struct watch){.src = {.fd = fd, .on_event = on_watch_event}, .fr = fr};
    fr->watches[fd] = w;
    return w;
}

static void watch_register(struct watch *w, uint32_t events)
{
    struct err e;
    int rc = w->registered == 0 ? loop_add(w->fr->loop, &w->src, events, &e)
                                : loop_mod(w->fr->loop, &w->src, events, &e);

    /* curl has no way to be told: the transfer ends by its time limit. */
    if (rc != 0)
        log_error("fetch", "cannot watch a socket: %s", e.msg);
    else
        w->registered = events;
}

/* A socket that no connection uses yet is closed by curl without a word, when its fetch is
 * cancelled or over or another address answered first: its number may be anybody's then. */
static bool is_connected(struct watch *w, CURL *easy)
{
    curl_socket_t active;

    if (w->ours && !w->connected)
        w->connected = curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &active) == CURLE_OK &&
                       active == w->src.fd;
    return w->connected;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *unused)
{
    static const uint32_t events[] = {[CURL_POLL_NONE] = 0,
                                      [CURL_POLL_IN] = EPOLLIN,
                                      [CURL_POLL_OUT] = EPOLLOUT,
                                      [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT,
                                      [CURL_POLL_REMOVE] = 0};
    struct fetcher *fr = user;
    struct watch *w = watch_at(fr, fd);

    (void)unused;
    if (w == NULL && events[what] != 0) /* a socket curl made for itself: the resolver's */
        w = watch_new(fr, fd);
    if (w == NULL)
        return 0;
    w->wanted = events[what];
    w->idle = false;
    if (w->wanted != 0 && w->wanted != w->registered)
        watch_register(w, w->wanted);
    else if (w->wanted == 0 && !is_connected(w, easy))
        watch_free(w);
    return 0;
}

/* Over HTTP/2 a peer has something to say at any time. */
static bool takes_turns(CURL *easy)
{
    long version = 0;

    return curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version) == CURLE_OK &&
           (version == CURL_HTTP_VERSION_1_0 || version == CURL_HTTP_VERSION_1_1);
}

void fetch_watch_idle(struct fetch *f)
{
    curl_socket_t fd;
    struct watch *w;

    if (curl_easy_getinfo(f->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
        fd == CURL_SOCKET_BAD || !takes_turns(f->easy))
        return; /* it was not kept */
    w = watch_at(f->fr, fd);
    if (w == NULL || !w->connected || w->wanted != 0)
        return;
    w->idle = true;
    if ((w->registered & EPOLLIN) == 0)
        watch_register(w, EPOLLIN);
}

curl_socket_t fetch_on_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct fetch *f = user;
    int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);

    (void)purpose;
    f->lacks = fd == -1 && transfer_lacks(errno) ? errno : 0;
    if (fd == -1)
        return CURL_SOCKET_BAD;
    if (watch_at(f->fr, fd) != NULL)
        watch_free(watch_at(f->fr, fd)); /* of a socket that is gone */
    watch_new(f->fr, fd)->ours = true;
    return fd;
}

int fetch_on_close_socket(void *user, curl_socket_t fd)
{
    struct watch *w = watch_at(user, fd);

    if (w != NULL)
        watch_free(w);
    return close(fd);
}

/* ---- curl's timer ---- */

static int on_multi_timer(CURLM *multi, long timeout_ms, void *user)
{
    struct fetcher *fr = user;

    (void)multi;
    timer_cancel(fr->loop, &fr->timer);
    fr->timer_due = timeout_ms == 0;
    if (timeout_ms == 0)
        loop_post(fr->loop, &fr->work);
    else if (timeout_ms > 0)
        timer_set(fr->loop, &fr->timer, (uint64_t)timeout_ms);
    return 0;
}

static void on_timer(struct timer *t)
{
    struct fetcher *fr = container_of(t, struct fetcher, timer);

    fr->timer_due = true;
    loop_post(fr->loop, &fr->work);
}

void fetch_sockets_init(struct fetcher *fr)
{
    fr->timer.on_timer = on_timer;
    curl_multi_setopt(fr->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(fr->multi, CURLMOPT_SOCKETDATA, fr);
    curl_multi_setopt(fr->multi, CURLMOPT_TIMERFUNCTION, on_multi_timer);
    curl_multi_setopt(fr->multi, CURLMOPT_TIMERDATA, fr);
}

void fetch_sockets_fini(struct fetcher *fr)
{
    for (size_t i = 0; i < fr->n_watches; i++)
        if (fr->watches[i] != NULL)
            watch_free(fr->watches[i]);
    free(fr->watches);
    timer_cancel(fr->loop, &fr->timer);
}
