/* The store in a folder: names, atomicity, permissions, locks and their take-over. */
#include "base/alloc.h"
#include "base/date.h"
#include "base/file.h"
#include "cert/store.h"
#include "cert/store_layout.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char root[64];
    struct store *store;
};

static struct store *open_store(const char *root)
{
    struct err e;
    struct store *s = store_fs_new(root, &e);

    if (s == NULL)
        fail_msg("%s", e.msg);
    return s;
}

static int setup(void **state)
{
    struct fixture *f = xalloc(sizeof *f);

    snprintf(f->root, sizeof f->root, "/tmp/lintel-store-XXXXXX");
    if (mkdtemp(f->root) == NULL)
        return -1;
    f->store = open_store(f->root);
    *state = f;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    store_free(f->store);
    nftw(f->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

/* A path below the root of the fixture; one at a time. */
static const char *at(const struct fixture *f, const char *below)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", f->root, below);
    return path;
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd != -1);
    assert_int_equal(fd_write_all(fd, str_of(text), NULL), 0);
    close(fd);
}

static void set_age(const char *path, int age_s)
{
    struct timespec times[2] = {{.tv_sec = time(NULL) - age_s}, {.tv_sec = time(NULL) - age_s}};

    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool join(void *arg, const char *name)
{
    assert_int_equal(buf_printf(arg, "%s ", name), 0);
    return true;
}

/* All names under folder, each followed by a space. */
static char *names(struct store *s, const char *folder)
{
    struct buf text = BUF_INIT(4096);

    assert_int_equal(store_list(s, folder, join, &text, NULL), 0);
    return buf_take(&text);
}

/* ---- names ---- */

/* As certmagic's KeyBuilder.Safe gives them. */
static void names_are_made_safe(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"example.com", "example.com"},
        {"*.Example.COM", "wildcard_.example.com"},
        {"  a b\t", "a_b"},
        {"::1", "--1"},
        {"2001:db8::1", "2001-db8--1"},
        {"me+tag@example.com", "me_plus_tag@example.com"},
        {"../../etc/passwd", "etcpasswd"},
        {"a..b", "ab"},
        {"a...b", "a.b"},
        {"a./.b", "a.b"},
        {"....", ""},
        {".", ""},
        {"./", ""},
        {"a/b\\c", "abc"},
        {"x\xc3\xbcy", "xy"},
        {"a\nb%c$d", "abcd"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[64];

        store_safe(str_of(rows[i].in), out, sizeof out);
        assert_string_equal(out, rows[i].out);
        store_safe(str_of(rows[i].out), out, sizeof out); /* idempotent */
        assert_string_equal(out, rows[i].out);
    }
}

#define LE "https://acme-v02.api.letsencrypt.org/directory"
#define LE_KEY "acme-v02.api.letsencrypt.org-directory"

static void layout_is_certmagics(void **state)
{
    const struct {
        struct store_key key;
        const char *want;
    } rows[] = {
        {store_cert_key(LE, "example.com", STORE_CERT_CHAIN),
         "certificates/" LE_KEY "/example.com/example.com.crt"},
        {store_cert_key(LE, "*.example.com", STORE_CERT_KEY),
         "certificates/" LE_KEY "/wildcard_.example.com/wildcard_.example.com.key"},
        {store_cert_key("https://localhost:14000/dir", "a.test", STORE_CERT_META),
         "certificates/localhost-14000-dir/a.test/a.test.json"},
        {store_cert_folder("https://ca.test/", "a.test"), "certificates/ca.test/a.test"},
        {store_cert_folder("https://ca.test/a/b?c=d#e", "a.test"),
         "certificates/ca.test-a-b/a.test"},
        {store_cert_key(STORE_LOCAL_CA, "::1", STORE_CERT_CHAIN), "certificates/local/--1/--1.crt"},
        {store_account_key(LE, "", STORE_ACCOUNT_JSON),
         "acme/" LE_KEY "/users/default/default.json"},
        {store_account_key(LE, "Me@Example.com", STORE_ACCOUNT_KEY),
         "acme/" LE_KEY "/users/me@example.com/me.key"},
        {store_account_key(LE, "@x", STORE_ACCOUNT_KEY), "acme/" LE_KEY "/users/@x/x.key"},
        {store_account_key(LE, "@", STORE_ACCOUNT_KEY), "acme/" LE_KEY "/users/@/private.key"},
        {store_retry_key(LE, "a.test"), "retry/" LE_KEY "/a.test.json"},
        {store_lock_issue("*.a.test"), "issue_cert_wildcard_.a.test"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(rows[i].key.text, rows[i].want);
}

/* A name as long as a peer or a user could make it still gives a key that a file system takes. */
static void long_names_are_cut(void **state)
{
    struct fixture *f = *state;
    char name[1200];
    struct err e;

    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    if (store_put(f->store, store_cert_key(name, name, STORE_CERT_META).text, STR_LIT("x"), &e) !=
        0)
        fail_msg("%s", e.msg);
    assert_int_equal(store_put(f->store, store_account_key(name, name, STORE_ACCOUNT_KEY).text,
                               STR_LIT("x"), &e),
                     0);
}

static void malformed_keys_are_refused(void **state)
{
    static const char *const keys[] = {"",     "/etc/x", "a/../b", "..",   "a/..",
                                       "a//b", "a/",     "./a",    "a/./b"};
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct buf out = BUF_INIT(100);
        struct err e = {0};

        assert_int_equal(store_put(f->store, keys[i], STR_LIT("x"), &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_int_equal(store_get(f->store, keys[i], &out, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_int_equal(store_delete(f->store, keys[i], &e), -1);
        buf_fini(&out);
    }
}

/* ---- values ---- */

static void values_come_back(void **state)
{
    struct fixture *f = *state;
    struct buf out = BUF_INIT(STORE_VALUE_MAX);
    struct err e = {0};
    char *list;

    assert_int_equal(store_get(f->store, "a/b/c.crt", &out, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_int_equal(store_put(f->store, "a/b/c.crt", STR_LIT("one"), NULL), 0);
    assert_int_equal(store_put(f->store, "a/b/c.crt", STR_LIT("two"), NULL), 0);
    assert_int_equal(store_put(f->store, "a/b/a.crt", STR_LIT(""), NULL), 0);
    assert_int_equal(store_put(f->store, "a/d", STR_LIT("four"), NULL), 0);
    assert_int_equal(store_get(f->store, "a/b/c.crt", &out, NULL), 0);
    assert_string_equal(out.p, "two");
    list = names(f->store, "a/b");
    assert_string_equal(list, "a.crt c.crt ");
    free(list);
    list = names(f->store, "a");
    assert_string_equal(list, "b d ");
    free(list);
    list = names(f->store, "nothing/here");
    assert_string_equal(list, "");
    free(list);
    assert_int_equal(store_delete(f->store, "a/b/c.crt", NULL), 0);
    assert_int_equal(store_delete(f->store, "a/b/c.crt", NULL), 0);
    assert_int_equal(store_delete(f->store, "a/b/a.crt", NULL), 0);
    assert_int_equal(access(at(f, "a/b"), F_OK), -1);
    assert_int_equal(access(at(f, "a"), F_OK), 0);
    assert_string_equal(store_where(f->store), f->root);
    buf_fini(&out);
}

static void permissions_are_tight(void **state)
{
    struct fixture *f = *state;
    mode_t before = umask(0);
    struct stat st;

    assert_int_equal(store_put(f->store, "x/y/z.key", STR_LIT("secret"), NULL), 0);
    umask(before);
    assert_int_equal(stat(at(f, "x/y/z.key"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(at(f, "x/y"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(at(f, "x"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void ceilings_hold(void **state)
{
    struct fixture *f = *state;
    struct buf small = BUF_INIT(4), medium = BUF_INIT(20000);
    char *big = xalloc(STORE_VALUE_MAX + 1);
    struct err e = {0};

    assert_int_equal(store_put(f->store, "big", (struct str){big, STORE_VALUE_MAX + 1}, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_int_equal(store_put(f->store, "big", STR_LIT("12345"), NULL), 0);
    assert_int_equal(store_get(f->store, "big", &small, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_int_equal(small.len, 0);
    assert_int_equal(store_put(f->store, "big", (struct str){big, 30000}, NULL), 0);
    assert_int_equal(buf_puts(&medium, "head"), 0);
    assert_int_equal(store_get(f->store, "big", &medium, &e), -1);
    assert_int_equal(medium.len, 4); /* nothing half read stays */
    buf_fini(&small);
    buf_fini(&medium);
    free(big);
}

/* A limit on the file size fails a write in its middle, as a full disk does. */
static void full_disk_leaves_the_old_value(void **state)
{
    struct fixture *f = *state;
    struct buf out = BUF_INIT(100);
    int status;

    assert_int_equal(store_put(f->store, "c/v", STR_LIT("old value"), NULL), 0);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit four = {4, 4};
        struct err e = {0};

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &four);
        if (store_put(f->store, "c/v", STR_LIT("a new one"), &e) != -1)
            _exit(1);
        _exit(e.code == ERR_IO && e.retry_ms > 0 && strstr(e.msg, f->root) != NULL ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(store_get(f->store, "c/v", &out, NULL), 0);
    assert_string_equal(out.p, "old value");
    char *list = names(f->store, "c");
    assert_string_equal(list, "v ");
    free(list);
    buf_fini(&out);
}

static void unwritable_folder_says_so(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    struct store_lock *lock;

    /* A file where a folder should be stops root, too, which permissions do not. */
    write_file(at(f, "locks"), "");
    write_file(at(f, "certificates"), "");
    assert_int_equal(store_put(f->store, "certificates/x", STR_LIT("v"), &e), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_non_null(strstr(e.msg, f->root));
    assert_int_equal(store_lock(f->store, "l", &lock, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_true(e.retry_ms > 0);
    assert_null(store_fs_new(at(f, "locks/below"), &e));
    assert_non_null(strstr(e.msg, "Not a directory"));
}

/* Without the right to write (root gives it up first): what is there stays, and the message says
 * where and why. */
static void forbidden_folder_says_so(void **state)
{
    struct fixture *f = *state;
    int status;

    assert_int_equal(store_put(f->store, "locks/keep", STR_LIT("v"), NULL), 0);
    assert_int_equal(chmod(f->root, 0555), 0);
    assert_int_equal(chmod(at(f, "locks"), 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *s;
        struct store_lock *lock;
        struct err e = {0};

        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(1);
        s = store_fs_new(f->root, &e);
        if (s == NULL || store_put(s, "a/b", STR_LIT("v"), &e) != -1)
            _exit(2);
        if (e.code != ERR_IO || strstr(e.msg, "Permission denied") == NULL ||
            strstr(e.msg, f->root) == NULL)
            _exit(3);
        _exit(store_lock(s, "l", &lock, &e) == -1 && e.code == ERR_IO ? 0 : 4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(chmod(f->root, 0700), 0);
    assert_int_equal(chmod(at(f, "locks"), 0700), 0);
}

/* Two values taking turns, written by a process that is killed at any instant: a reader finds one
 * of them whole, always. */
static void kill_never_tears_a_value(void **state)
{
    enum { LEN = 20000, ROUNDS = 12 };
    struct fixture *f = *state;
    char *text = xalloc(LEN + 1);

    memset(text, 'a', LEN);
    assert_int_equal(store_put(f->store, "k/v", (struct str){text, LEN}, NULL), 0);
    for (int round = 0; round < ROUNDS; round++) {
        pid_t child = fork();
        if (child == 0)
            for (char c = 'a';; c = c == 'a' ? 'b' : 'a') {
                memset(text, c, LEN);
                if (store_put(f->store, "k/v", (struct str){text, LEN}, NULL) != 0)
                    _exit(1);
            }
        for (int reads = 0; reads < 20 + round * 7; reads++) {
            struct buf out = BUF_INIT(STORE_VALUE_MAX);

            assert_int_equal(store_get(f->store, "k/v", &out, NULL), 0);
            assert_int_equal(out.len, LEN);
            assert_int_equal(strspn(out.p, out.p[0] == 'a' ? "a" : "b"), LEN);
            buf_fini(&out);
        }
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    char *list = names(f->store, "k");
    assert_string_equal(list, "v "); /* what is half written does not show */
    free(list);
    free(text);
}

static void old_leftovers_are_swept(void **state)
{
    static const struct {
        const char *name;
        int age_s;
        bool stays;
    } rows[] = {
        {"c/x/x.crt.4711.0.tmp", 3600, false},
        {"c/x/x.key.4711.12.tmp", 10, true},
        {"c/x/x.crt", 3600, true},
        {"c/x/mine.tmp", 3600, true},
        {"c/x/a.5.tmp", 3600, true},
        {"c/x/.5.6.tmp", 3600, true},
        {"top.json.1.2.tmp", 3600, false},
    };
    struct fixture *f = *state;

    assert_int_equal(file_mkdirs(AT_FDCWD, at(f, "c/x"), 0700, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        write_file(at(f, rows[i].name), "x");
        set_age(at(f, rows[i].name), rows[i].age_s);
    }
    store_free(open_store(f->root));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if ((access(at(f, rows[i].name), F_OK) == 0) != rows[i].stays)
            fail_msg("%s: %s", rows[i].name, rows[i].stays ? "removed" : "still there");
}

/* ---- locks ---- */

static void take_lock(struct store *s, struct store_lock **lock)
{
    struct err e;

    if (store_lock(s, "issue_cert_a.test", lock, &e) != 0)
        fail_msg("%s", e.msg);
}

static void expect_busy(struct store *s)
{
    struct store_lock *lock;
    struct err e = {0};

    assert_int_equal(store_lock(s, "issue_cert_a.test", &lock, &e), -1);
    assert_int_equal(e.code, ERR_BUSY);
    assert_int_equal(e.retry_ms, STORE_LOCK_RETRY_MS);
}

#define LOCK_FILE "locks/issue_cert_a.test.lock"

static void locks_exclude(void **state)
{
    struct fixture *f = *state;
    struct store *other = open_store(f->root);
    struct store_lock *lock, *second;

    take_lock(f->store, &lock);
    expect_busy(f->store);
    expect_busy(other);
    assert_int_equal(store_lock(other, "another", &second, NULL), 0);
    store_unlock(second);
    store_unlock(lock);
    assert_int_equal(access(at(f, LOCK_FILE), F_OK), -1);
    take_lock(other, &lock);
    store_unlock(lock);
    store_unlock(NULL);
    assert_int_equal(store_lock(other, "a/b", &lock, NULL), -1);
    store_free(other);
}

/* Writing a lease through a link would destroy whatever it points to. */
static void a_link_is_no_lock(void **state)
{
    struct fixture *f = *state;
    struct store_lock *lock;
    static const struct timespec long_ago[2];
    struct buf kept = BUF_INIT(1000);

    take_lock(f->store, &lock);
    store_unlock(lock);
    assert_int_equal(store_put(f->store, "locks/other", STR_LIT("precious"), NULL), 0);
    assert_int_equal(utimensat(AT_FDCWD, at(f, "locks/other"), long_ago, 0), 0);
    assert_int_equal(symlink("other", at(f, LOCK_FILE)), 0);
    assert_int_equal(store_lock(f->store, "issue_cert_a.test", &lock, NULL), -1);
    assert_int_equal(store_get(f->store, "locks/other", &kept, NULL), 0);
    assert_true(str_is(buf_str(&kept), "precious"));
    buf_fini(&kept);
}

/* The file as certmagic wants to find it, and renewed. */
static void lease_is_readable(void **state)
{
    struct fixture *f = *state;
    struct store_lock *lock;
    struct buf before = BUF_INIT(1000), after = BUF_INIT(1000);

    take_lock(f->store, &lock);
    assert_int_equal(file_read(AT_FDCWD, at(f, LOCK_FILE), &before, NULL), 0);
    assert_true(str_starts(buf_str(&before), STR_LIT("{\"created\":\"20")));
    assert_non_null(strstr(before.p, "Z\",\"updated\":\"20"));
    write_file(at(f, LOCK_FILE), "garbage");
    store_refresh(f->store);
    assert_false(lock->lost);
    assert_int_equal(file_read(AT_FDCWD, at(f, LOCK_FILE), &after, NULL), 0);
    assert_int_equal(before.len, after.len);
    assert_true(str_starts(buf_str(&after), STR_LIT("{\"created\":\"20")));
    store_unlock(lock);
    buf_fini(&before);
    buf_fini(&after);
}

static void killed_holder_loses_at_once(void **state)
{
    struct fixture *f = *state;
    struct store_lock *lock;
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *s = store_fs_new(f->root, NULL);

        if (s == NULL || store_lock(s, "issue_cert_a.test", &lock, NULL) != 0)
            _exit(1);
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    expect_busy(f->store);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(access(at(f, LOCK_FILE), F_OK), 0);
    take_lock(f->store, &lock);
    store_unlock(lock);
    close(ready[0]);
    close(ready[1]);
}

/* A lock file of certmagic, which takes no OFD lock: its lease decides. */
static void foreign_lease_counts_while_fresh(void **state)
{
    static const struct {
        const char *text; /* %s: the time age_s ago */
        int age_s;
        bool busy;
    } rows[] = {
        {"{\"created\":\"2020-01-01T00:00:00Z\",\"updated\":\"%s\"}\n", 3, true},
        {"{\"created\":\"2020-01-01T00:00:00.123456789+02:00\",\"updated\":\"%s\"}\n", 14, false},
        {"{\"created\":\"%s\"}\n", 3, true},
        {"{\"created\":\"%s\",\"updated\":5}\n", 14, false},
        {"{\"updated\":\"%s\"}\n", -3, true},
        {"{\"updated\":\"%s\"}\n", -3600, false},
        {"", 0, true},
        {"", 4, false},
        {"[1,", 0, true},
        {"[1,", 4, false},
        {"{\"created\":\"%s\",\"updated\":\"%s\",\"holder\":\"lintel\"}", 1, false},
    };
    struct fixture *f = *state;

    assert_int_equal(mkdir(at(f, "locks"), 0700), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char stamp[DATE_RFC3339_LEN + 1], text[256];
        struct store_lock *lock;
        struct err e = {0};

        date_format_rfc3339(time(NULL) - rows[i].age_s, stamp);
        snprintf(text, sizeof text, rows[i].text, stamp, stamp);
        write_file(at(f, LOCK_FILE), text);
        set_age(at(f, LOCK_FILE), rows[i].age_s);
        if (store_lock(f->store, "issue_cert_a.test", &lock, &e) == 0) {
            if (rows[i].busy)
                fail_msg("row %zu: taken", i);
            store_unlock(lock);
        } else if (!rows[i].busy)
            fail_msg("row %zu: %s", i, e.msg);
    }
}

static void removed_lock_is_lost(void **state)
{
    struct fixture *f = *state;
    struct store_lock *mine, *theirs;
    struct store *other = open_store(f->root);

    take_lock(f->store, &mine);
    assert_int_equal(unlink(at(f, LOCK_FILE)), 0);
    take_lock(other, &theirs);
    store_refresh(f->store);
    assert_true(mine->lost);
    store_unlock(mine); /* does not remove the other's file */
    assert_int_equal(access(at(f, LOCK_FILE), F_OK), 0);
    store_refresh(other);
    assert_false(theirs->lost);
    store_unlock(theirs);
    store_free(other);
}

/* Adds one to a counter that is not atomic, under the lock. */
static void add_one(struct store *s)
{
    struct buf text = BUF_INIT(20);
    struct store_lock *lock;
    uint64_t n = 0;

    while (store_lock(s, "counter", &lock, NULL) != 0)
        sched_yield();
    if (store_get(s, "counter", &text, NULL) == 0)
        str_to_uint(buf_str(&text), 1000, &n);
    buf_clear(&text);
    if (buf_printf(&text, "%u", (unsigned)n + 1) != 0 ||
        store_put(s, "counter", buf_str(&text), NULL) != 0)
        _exit(1);
    store_unlock(lock);
    buf_fini(&text);
}

static void processes_take_turns(void **state)
{
    enum { CHILDREN = 3, TURNS = 25 };
    struct fixture *f = *state;
    struct buf text = BUF_INIT(20);

    for (int i = 0; i < CHILDREN; i++)
        if (fork() == 0) {
            struct store *s = open_store(f->root);

            for (int turn = 0; turn < TURNS; turn++)
                add_one(s);
            _exit(0);
        }
    for (int i = 0, status; i < CHILDREN; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(store_get(f->store, "counter", &text, NULL), 0);
    assert_string_equal(text.p, "75");
    buf_fini(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_made_safe),
        cmocka_unit_test(layout_is_certmagics),
        TEST(long_names_are_cut),
        TEST(malformed_keys_are_refused),
        TEST(values_come_back),
        TEST(permissions_are_tight),
        TEST(ceilings_hold),
        TEST(full_disk_leaves_the_old_value),
        TEST(unwritable_folder_says_so),
        TEST(forbidden_folder_says_so),
        TEST(kill_never_tears_a_value),
        TEST(old_leftovers_are_swept),
        TEST(locks_exclude),
        TEST(a_link_is_no_lock),
        TEST(lease_is_readable),
        TEST(killed_holder_loses_at_once),
        TEST(foreign_lease_counts_while_fresh),
        TEST(removed_lock_is_lost),
        TEST(processes_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
