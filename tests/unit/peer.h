/* A little HTTP server in a thread of its own, for tests of what speaks to servers: one connection
 * at a time, each handed to a function that says what the test wants said. */
#ifndef LINTEL_TESTS_UNIT_PEER_H
#define LINTEL_TESTS_UNIT_PEER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct peer {
    int fd;
    uint16_t port;
    pthread_t thread;
    atomic_int accepts;
    atomic_size_t sent; /* for serve's own use */
    void (*serve)(struct peer *s, int fd);
    const char *text; /* what peer_serve() says */
};

void peer_start(struct peer *s, void (*serve)(struct peer *s, int fd), const char *text);
void peer_start_at(struct peer *s, const struct sockaddr *at, socklen_t len,
                   void (*serve)(struct peer *s, int fd), const char *text);
void peer_stop(struct peer *s);

/* The text to every request of a connection, until the client goes; or to the first only. */
void peer_serve(struct peer *s, int fd);
void peer_serve_once(struct peer *s, int fd);

/* Each false once the client has gone. */
bool peer_send(int fd, const char *p, size_t len);
bool peer_say(int fd, const char *text);

/* Reads a request's header, byte by byte so that the body stays in the socket. */
bool peer_read_head(int fd, char *head, size_t cap);

#endif
