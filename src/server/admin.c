#include "server/admin.h"

#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS_MAX = 16, LINE_MAX_LEN = 64, ASK_TIMEOUT_S = 60 };

struct client {
    struct list item;
    struct event_source src;
    struct admin *admin;
    uint64_t waits_for; /* 0: the line is not whole yet */
    size_t len;
    char line[LINE_MAX_LEN];
};

struct admin {
    struct loop *loop;
    const struct admin_commands *commands;
    void *arg;
    struct event_source src; /* fd -1: not listening */
    char *path;
    dev_t dev; /* of the socket's file, so that only our own is removed */
    ino_t ino;
    struct list clients;
    unsigned n_clients;
};

/* ---- clients ---- */

static void client_close(struct client *c)
{
    loop_del(c->admin->loop, &c->src);
    close(c->src.fd);
    list_del(&c->item);
    c->admin->n_clients--;
    free(c);
}

/* The answer fits into the socket's buffer, or the client is no friend. */
static void client_answer(struct client *c, const char *text)
{
    (void)send(c->src.fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    client_close(c);
}

static void client_obey(struct client *c)
{
    struct str line = str_trim((struct str){c->line, c->len});

    if (str_is(line, "reload")) {
        c->waits_for = c->admin->commands->reload(c->admin->arg);
    } else if (str_is(line, "status")) {
        char *text = c->admin->commands->status(c->admin->arg);

        client_answer(c, text);
        free(text);
    } else {
        client_answer(c, "there is no such command; there are: reload, status\n");
    }
}

static void on_client(struct event_source *src, uint32_t events)
{
    struct client *c = container_of(src, struct client, src);
    ssize_t n = recv(src->fd, c->line + c->len, sizeof c->line - c->len, MSG_DONTWAIT);
    char *end;

    (void)events;
    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || c->waits_for != 0) { /* gone; or talks on, which nobody does */
        client_close(c);
        return;
    }
    c->len += (size_t)n;
    end = memchr(c->line, '\n', c->len);
    if (end != NULL) {
        c->len = (size_t)(end - c->line);
        client_obey(c);
    } else if (c->len == sizeof c->line) {
        client_close(c);
    }
}

static bool is_friend(int fd)
{
    struct ucred cred;
    socklen_t len = sizeof cred;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
           (cred.uid == 0 || cred.uid == geteuid());
}

static void on_connect(struct event_source *src, uint32_t events)
{
    struct admin *a = container_of(src, struct admin, src);
    int fd = accept4(src->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct client *c;

    (void)events;
    if (fd == -1)
        return;
    if (a->n_clients == CLIENTS_MAX || !is_friend(fd)) {
        close(fd);
        return;
    }
    c = xalloc(sizeof *c);
    *c = (struct client){.src = {fd, on_client}, .admin = a};
    list_add_tail(&a->clients, &c->item);
    a->n_clients++;
    if (loop_add(a->loop, &c->src, EPOLLIN, NULL) != 0)
        client_close(c);
}

/* ---- the socket ---- */

static int set_path(struct sockaddr_un *addr, const char *path, struct err *e)
{
    *addr = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof addr->sun_path)
        return err_set(e, ERR_LIMIT, "admin socket %s: the path is longer than %zu bytes", path,
                       sizeof addr->sun_path - 1);
    memcpy(addr->sun_path, path, strlen(path));
    return 0;
}

static int connect_to(const struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), saved;

    if (fd == -1 || connect(fd, (const void *)addr, sizeof *addr) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* Removes what a dead server left. To connect to a file that is no socket is refused all the same:
 * a slip of the pen must not cost anybody that file. */
static int make_way(const struct sockaddr_un *addr, struct err *e)
{
    int fd = connect_to(addr);
    struct stat st;

    if (fd != -1) {
        close(fd);
        return err_set(e, ERR_BUSY, "admin socket %s: another server listens there",
                       addr->sun_path);
    }
    if (errno == ECONNREFUSED && lstat(addr->sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(addr->sun_path);
    return 0;
}

static int open_socket(const struct sockaddr_un *addr, struct err *e)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd == -1)
        return err_sys(e, "socket");
    /* On Linux the file gets the mode that the socket has when it is bound: at no instant can
     * others open it, and the umask, which all threads share, is left alone. */
    if (fchmod(fd, 0600) == 0 && bind(fd, (const void *)addr, sizeof *addr) == 0 &&
        listen(fd, CLIENTS_MAX) == 0)
        return fd;
    err_sys(e, "admin socket %s", addr->sun_path);
    close(fd);
    return -1;
}

static void stop_listening(struct admin *a)
{
    struct stat st;

    if (a->src.fd == -1)
        return;
    loop_del(a->loop, &a->src);
    close(a->src.fd);
    a->src.fd = -1;
    if (stat(a->path, &st) == 0 && st.st_dev == a->dev && st.st_ino == a->ino)
        unlink(a->path);
}

static void start_listening(struct admin *a, int fd, const char *path)
{
    struct stat st = {0};

    stop_listening(a);
    if (stat(path, &st) == -1)
        st.st_ino = 0;
    a->dev = st.st_dev;
    a->ino = st.st_ino;
    a->src.fd = fd;
    free(a->path);
    a->path = xstrdup(path);
}

int admin_listen(struct admin *a, const char *path, struct err *e)
{
    struct sockaddr_un addr;
    int fd;

    if (strcmp(path, a->path) == 0 && a->src.fd != -1)
        return 0;
    if (path[0] == '\0') {
        stop_listening(a);
        return 0;
    }
    if (set_path(&addr, path, e) != 0 || make_way(&addr, e) != 0 ||
        (fd = open_socket(&addr, e)) == -1)
        return -1;
    start_listening(a, fd, path);
    if (loop_add(a->loop, &a->src, EPOLLIN, e) == 0)
        return 0;
    stop_listening(a);
    return -1;
}

struct admin *admin_new(struct loop *l, const struct admin_commands *commands, void *arg)
{
    struct admin *a = xalloc(sizeof *a);

    *a = (struct admin){.loop = l, .commands = commands, .arg = arg, .src = {-1, on_connect}};
    a->path = xstrdup("");
    list_init(&a->clients);
    return a;
}

void admin_free(struct admin *a)
{
    if (a == NULL)
        return;
    while (!list_empty(&a->clients))
        client_close(container_of(a->clients.next, struct client, item));
    stop_listening(a);
    free(a->path);
    free(a);
}

void admin_answer(struct admin *a, uint64_t number, const char *error)
{
    for (struct list *i = a->clients.next, *next; i != &a->clients; i = next) {
        struct client *c = container_of(i, struct client, item);

        next = i->next;
        if (c->waits_for != 0 && c->waits_for <= number)
            client_answer(c, error == NULL ? "ok\n" : error);
    }
}

/* ---- the other side ---- */

static int talk(int fd, const char *line, struct buf *answer, struct err *e)
{
    const struct timeval timeout = {.tv_sec = ASK_TIMEOUT_S};
    char bytes[4096];
    ssize_t n;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == -1 ||
        send(fd, line, strlen(line), MSG_NOSIGNAL) == -1)
        return err_sys(e, "admin socket");
    while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
        if (buf_append(answer, bytes, (size_t)n) != 0)
            return err_set(e, ERR_LIMIT, "the server's answer is too long");
    if (n == -1)
        return err_sys(e, "admin socket");
    if (answer->len == 0)
        return err_set(e, ERR_REFUSED, "the server gave no answer");
    return 0;
}

int admin_ask(const char *path, const char *line, struct buf *answer, struct err *e)
{
    struct sockaddr_un addr;
    int fd, rc;

    if (set_path(&addr, path, e) != 0)
        return -1;
    fd = connect_to(&addr);
    if (fd == -1) {
        err_sys(e, "admin socket %s", path);
        if (errno == ENOENT || errno == ECONNREFUSED)
            e->code = ERR_NOT_FOUND;
        return -1;
    }
    rc = talk(fd, line, answer, e);
    close(fd);
    return rc;
}
