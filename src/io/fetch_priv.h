/* Shared by the files of the fetcher, which are all that knows libcurl:
 *  fetch.c          the life of a fetch, the pool, time limits, the interface
 *  fetch_options.c  what is asked of libcurl
 *  fetch_response.c the callbacks that carry head and bodies
 *  fetch_sockets.c  libcurl's sockets and timer on our loop */
#ifndef LINTEL_IO_FETCH_PRIV_H
#define LINTEL_IO_FETCH_PRIV_H

#include "base/list.h"
#include "io/fetch.h"

#include <curl/curl.h>

enum op { OP_START = 1, OP_RESUME_RECV = 2, OP_RESUME_SEND = 4, OP_CANCEL = 8, OP_LOOK = 16 };

enum verb { VERB_GET, VERB_HEAD, VERB_OTHER, VERB_UPLOAD };

/* Where the response is. */
enum at { AT_STATUS, AT_FIELDS, AT_INTERIM, AT_BODY };

struct watch; /* fetch_sockets.c */

struct fetcher {
    struct transport transport;
    struct loop *loop;
    CURLM *multi;
    CURLSH *share;      /* of TLS sessions: they outlive the handles */
    struct list active; /* by fetch.item */
    struct list pool;   /* by fetch.item; the last used is the first */
    struct list ops;    /* by fetch.op_item */
    unsigned pooled;
    unsigned in_curl; /* depth of calls into curl that may call back */
    bool timer_due;   /* curl wants its timeout action at once */
    struct timer timer;
    struct task work;
    struct watch **watches; /* by file descriptor */
    size_t n_watches;
};

/* Options of an easy handle that stay set from one use to the next. The strings are the fetch's. */
struct sticky {
    char *url;
    char *unix_socket;
    char *connect_to;
    char *ca_file;
    char *cert_file;
    char *key_file;
    bool insecure;
    enum transfer_http http;
    unsigned idle_ms;
    unsigned probe_ms;
    char *local_address;
    unsigned fallback_ms;
    struct curl_slist connect_list;
    long connect_timeout_ms;
    enum verb verb;
};

struct fetch {
    struct transfer transfer;
    struct list item;
    struct list op_item;
    unsigned ops;
    struct fetcher *fr;
    CURL *easy;
    struct sticky sticky;

    const struct transfer_events *events;
    void *arg;
    int64_t body_left; /* of the request body; -1: not known */
    unsigned head_timeout_ms;
    uint64_t head_due_ms;  /* 0: none */
    uint64_t total_due_ms; /* 0: none */
    unsigned read_timeout_ms;
    unsigned write_timeout_ms;
    int lacks;         /* the errno of a socket that there was not; 0: none */
    uint64_t moved_ms; /* when something was last received, or pulled to be sent */
    struct timer timer;
    bool added; /* to the multi handle */
    bool ended; /* on_done is being called, or was cancelled: no further callback */
    bool recv_paused;
    bool send_paused;
    bool idempotent;
    unsigned sends;

    enum at at;
    int status;
    unsigned n_interim;
    bool chunked;
    bool old;    /* HTTP/1.0 */
    bool framed; /* HTTP/2: curl may hold more than it has handed on */
    int64_t content_length;
    size_t head_bytes;
    unsigned head_lines;
    size_t max_head;
    enum transfer_result
        verdict; /* why a callback of ours stopped the transfer; TRANSFER_OK: it did not */
    const char *verdict_why;

    char *text; /* the request's field list and target */
    size_t text_cap;
    char why[CURL_ERROR_SIZE];
};

/* Queues f for the task at the end of the batch, to have op done. */
void fetch_queue(struct fetch *f, unsigned op);

/* ---- fetch_sockets.c ---- */

void fetch_sockets_init(struct fetcher *fr);
void fetch_sockets_fini(struct fetcher *fr); /* after curl_multi_cleanup() */

/* Lets curl work: on a socket that is ready, or CURL_SOCKET_TIMEOUT for what is due. */
void fetch_socket_action(struct fetcher *fr, curl_socket_t fd, int mask);

/* The transfer is over: what still comes over its connection is no answer. */
void fetch_watch_idle(struct fetch *f);

curl_socket_t fetch_on_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *to);
int fetch_on_close_socket(void *user, curl_socket_t fd);

/* ---- fetch_response.c: curl's callbacks; user is the fetch ---- */

size_t fetch_on_header_line(char *p, size_t size, size_t n, void *user);
size_t fetch_on_write(char *p, size_t size, size_t n, void *user);
size_t fetch_on_read(char *p, size_t size, size_t n, void *user);
int fetch_on_before_send(void *user, char *ip, char *local_ip, int port, int local_port);

/* ---- fetch_options.c ---- */

/* Sets what is the same for every fetch, on a handle that is new. */
void fetch_options_init(struct fetch *f);
void fetch_options_fini(struct fetch *f);

/* Sets what spec asks for and the handle's last use did not. False: curl does not take it. */
bool fetch_options_set(struct fetch *f, const struct transfer_spec *spec);

#endif
