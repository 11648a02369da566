/* Load for contrib/bench: handshakes HOST PORT PATH THREADS SECONDS
 * Each thread makes one connection after the other: a full TLS handshake as browsers make it
 * (X25519, AES-128-GCM first, no resumption), one request, the answer, the end. Prints how many
 * there were. */
#include <gnutls/gnutls.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char priorities[] = "NORMAL:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
                                 "-GROUP-ALL:+GROUP-X25519";
static const char *host;
static char request[1024];
static struct addrinfo *address;
static gnutls_certificate_credentials_t anybody;
static gnutls_priority_t priority;
static atomic_ulong done, failed;
static atomic_int over;

static int exchange(gnutls_session_t session)
{
    char answer[16384];
    ssize_t n, total = 0;
    int rc;

    do {
        rc = gnutls_handshake(session);
    } while (rc < 0 && !gnutls_error_is_fatal(rc));
    if (rc < 0 || gnutls_record_send(session, request, strlen(request)) < 0)
        return -1;
    do {
        n = gnutls_record_recv(session, answer, sizeof answer);
        if (n > 0 && total == 0 && strncmp(answer, "HTTP/1.1 200", 12) != 0)
            return -1;
        total += n > 0 ? n : 0;
    } while (n > 0 || n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED);
    return total > 1024 ? 0 : -1;
}

static int connect_once(void)
{
    gnutls_session_t session;
    int fd = socket(address->ai_family, SOCK_STREAM, 0), one = 1, rc = -1;

    if (fd == -1)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
        gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NO_TICKETS);
        gnutls_priority_set(session, priority);
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, anybody);
        gnutls_server_name_set(session, GNUTLS_NAME_DNS, host, strlen(host));
        gnutls_transport_set_int(session, fd);
        rc = exchange(session);
        gnutls_deinit(session);
    }
    close(fd);
    return rc;
}

static void *run(void *unused)
{
    while (!atomic_load(&over))
        atomic_fetch_add(connect_once() == 0 ? &done : &failed, 1);
    return unused;
}

int main(int argc, char **argv)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    pthread_t threads[64];
    int n;

    if (argc != 6 || (n = (int)strtol(argv[4], NULL, 10)) < 1 || n > 64)
        return 1;
    host = argv[1];
    if (getaddrinfo("127.0.0.1", argv[2], &hints, &address) != 0)
        return 1;
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n",
             argv[3], host, argv[2]);
    gnutls_certificate_allocate_credentials(&anybody);
    if (gnutls_priority_init(&priority, priorities, NULL) != 0)
        return 1;
    for (int i = 0; i < n; i++)
        pthread_create(&threads[i], NULL, run, NULL);
    nanosleep(&(struct timespec){.tv_sec = strtol(argv[5], NULL, 10)}, NULL);
    atomic_store(&over, 1);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    printf("%lu done, %lu failed\n", done, failed);
    return failed > done / 100;
}
