/* lintel hash-password: a password from the terminal, standard input or --plaintext; its hash on
 * standard output. */
#include "base/alloc.h"
#include "base/password.h"
#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_INPUT_MAX = 1024 };

const struct cli_flag cli_hash_password_flags[] = {
    {.name = "plaintext",
     .letter = 'p',
     .value = "PASSWORD",
     .help = "the password; other users of the machine can see it"},
    {.name = "algorithm", .letter = 'a', .value = "NAME", .help = "bcrypt (default) or argon2id"},
    {.name = "bcrypt-cost", .value = "NUMBER", .help = "4 to 16 (default: 14)"},
    {0},
};

/* ---- reading ---- */

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
}

/* The next byte of standard input: 1, 0 at the end, or -1. The signals that mask does not hold come
 * in while it waits, and at no other time. */
static ssize_t read_byte(const sigset_t *mask, char *c)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

    return ppoll(&p, 1, NULL, mask) == -1 ? -1 : read(STDIN_FILENO, c, 1);
}

/* One line, without its end, or what there is before the end of the input. False with *e set if a
 * signal or an error came first. */
static bool read_line(const sigset_t *mask, struct buf *line, struct err *e)
{
    char c;
    ssize_t n;

    while ((n = read_byte(mask, &c)) == 1 && c != '\n')
        if (buf_putc(line, c) != 0) {
            err_set(e, ERR_LIMIT, "the password is longer than %d bytes", PASSWORD_INPUT_MAX);
            return false;
        }
    if (n != -1)
        return true;
    if (errno == EINTR)
        err_set(e, ERR_CANCELLED, "interrupted");
    else
        err_sys(e, "standard input");
    return false;
}

/* Asks at the terminal, without echo. Signals that would end us wait until the echo is back. */
static bool ask(const char *prompt, struct buf *line, struct err *e)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    const struct sigaction note = {.sa_handler = on_signal};
    struct sigaction old[ARRAY_LEN(signals)];
    sigset_t held, mask;
    struct termios before, silent;
    bool ok;

    if (tcgetattr(STDIN_FILENO, &before) == -1) {
        err_sys(e, "terminal");
        return false;
    }
    silent = before;
    silent.c_lflag &= (tcflag_t) ~(ECHO);
    sigemptyset(&held);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaddset(&held, signals[i]);
    sigprocmask(SIG_BLOCK, &held, &mask);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaction(signals[i], &note, &old[i]);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    fprintf(stderr, "%s: ", prompt);
    ok = read_line(&mask, line, e);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaction(signals[i], &old[i], NULL);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (caught != 0)
        raise(caught);
    return ok;
}

static bool ask_twice(struct buf *password, struct err *e)
{
    struct buf again = BUF_INIT(PASSWORD_INPUT_MAX);
    bool ok = ask("Enter password", password, e) && ask("Confirm password", &again, e);

    if (ok && !str_eq(buf_str(password), buf_str(&again))) {
        err_set(e, ERR_INVALID, "the two passwords differ");
        ok = false;
    }
    buf_fini(&again);
    return ok;
}

static bool take_password(const struct cli_options *o, struct buf *password, struct err *e)
{
    const char *given = cli_value(o, "plaintext");

    if (given != NULL && buf_puts(password, given) != 0) {
        err_set(e, ERR_LIMIT, "the password is longer than %d bytes", PASSWORD_INPUT_MAX);
        return false;
    }
    if (given != NULL)
        return true;
    return isatty(STDIN_FILENO) ? ask_twice(password, e) : read_line(NULL, password, e);
}

/* ---- the command ---- */

/* Returns EXIT_OK, or EXIT_USAGE after saying what is wrong. */
static int take_options(const struct cli_options *o, enum password_algorithm *a, uint64_t *cost)
{
    const char *name = cli_value(o, "algorithm"), *number = cli_value(o, "bcrypt-cost");

    *a = PASSWORD_BCRYPT;
    *cost = PASSWORD_BCRYPT_COST_DEFAULT;
    if (name != NULL && !password_algorithm_of(str_of(name), a))
        return cli_usage_error(
            "hash-password: unknown algorithm '%s': there are bcrypt and argon2id", name);
    if (number != NULL && (!str_to_uint(str_of(number), PASSWORD_BCRYPT_COST_MAX, cost) ||
                           *cost < PASSWORD_BCRYPT_COST_MIN))
        return cli_usage_error("hash-password: --bcrypt-cost is a number from %d to %d",
                               PASSWORD_BCRYPT_COST_MIN, PASSWORD_BCRYPT_COST_MAX);
    if (number != NULL && *a != PASSWORD_BCRYPT)
        return cli_usage_error("hash-password: --bcrypt-cost is for bcrypt only");
    return EXIT_OK;
}

int cli_hash_password(const struct cli_options *o)
{
    struct buf password = BUF_INIT(PASSWORD_INPUT_MAX);
    char hash[PASSWORD_HASH_MAX];
    enum password_algorithm a;
    int status = EXIT_USAGE;
    uint64_t cost;
    struct err e;

    if (take_options(o, &a, &cost) != EXIT_OK)
        return EXIT_USAGE;
    if (take_password(o, &password, &e) &&
        password_hash(a, buf_str(&password), (unsigned)cost, hash, &e) == 0) {
        puts(hash);
        status = EXIT_OK;
    } else {
        cli_usage_error("hash-password: %s", e.msg);
    }
    buf_fini(&password);
    return status;
}
