/* The file cache: its bounds, and who is driven out by whom. */
#include "handlers/file_cache.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const struct str root = {"/srv", 4};
static struct loop *loop;
static struct file_cache *cache;
static unsigned owner;
static struct file_cache_stats stats;

enum {
    FILE_CACHE_BYTES = 16 * 1024 * 1024,
    FILE_CACHE_FILES = 1024,
    FILE_CACHE_FDS = 128,
    FILE_CACHE_OTHERS = 512
};

static const struct file_cache_limits defaults = {.bytes = FILE_CACHE_BYTES,
                                                  .files = FILE_CACHE_FILES,
                                                  .descriptors = FILE_CACHE_FDS,
                                                  .absent = FILE_CACHE_OTHERS,
                                                  .fresh_ms = 1000};

/* A representation of `size` zero bytes, changed at mtime, as seen at now_s. */
static struct file_rep *new_rep_at(off_t size, struct timespec mtime, int64_t now_s)
{
    const struct timespec times[2] = {mtime, mtime};
    char path[] = "/tmp/lintel-cache.XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    struct stat st;
    struct file_rep *r;

    assert_true(fd != -1);
    unlink(path);
    assert_int_equal(ftruncate(fd, size), 0);
    assert_int_equal(futimens(fd, times), 0);
    assert_int_equal(fstat(fd, &st), 0);
    r = file_rep_new(fd, &st, STR_LIT("a.txt"), &(struct file_kind){0}, now_s);
    assert_non_null(r);
    return r;
}

static struct file_rep *new_rep(off_t size)
{
    return new_rep_at(size, (struct timespec){1700000000, 0}, time(NULL) + 100);
}

static struct str name_of(char *buf, size_t cap, size_t i)
{
    return (struct str){buf, (size_t)snprintf(buf, cap, "/%zu", i)};
}

static void put_file(size_t i, off_t size)
{
    char name[24];
    const struct file_entry e = {
        .outcome = FILE_SERVE, .rep = new_rep(size), .file = xstrdup("/x")};

    file_cache_put(cache, owner, root, name_of(name, sizeof name, i), &e);
}

static void put_error(size_t i)
{
    char name[24];
    const struct file_entry e = {.outcome = FILE_STATUS, .status = 404};

    file_cache_put(cache, owner, root, name_of(name, sizeof name, i), &e);
}

static struct file_entry *get(size_t i)
{
    char name[24];

    return file_cache_get(cache, owner, root, name_of(name, sizeof name, i));
}

static size_t count(size_t below, size_t offset)
{
    size_t n = 0;

    for (size_t i = 0; i < below; i++)
        n += get(offset + i) != NULL;
    return n;
}

static void finds_what_was_put(void **state)
{
    (void)state;
    assert_null(get(1));
    put_file(1, 10);
    assert_int_equal(get(1)->outcome, FILE_SERVE);
    assert_int_equal(get(1)->rep->size, 10);
    put_file(1, 20);
    assert_int_equal(get(1)->rep->size, 20);
    put_error(1);
    assert_int_equal(get(1)->status, 404);
    assert_null(get(1)->rep);
    put_file(1, 30);
    assert_int_equal(get(1)->rep->size, 30);
}

static void keeps_keys_apart(void **state)
{
    struct str other = STR_LIT("/srw");
    unsigned second = file_cache_add_owner(cache);

    (void)state;
    put_file(1, 10);
    assert_null(file_cache_get(cache, owner, other, STR_LIT("/1")));
    assert_null(file_cache_get(cache, second, root, STR_LIT("/1")));
    assert_null(file_cache_get(cache, owner, root, STR_LIT("/1/")));
    file_cache_drop_owner(cache, second);
    assert_non_null(get(1));
    file_cache_drop_owner(cache, owner);
    assert_null(get(1));
}

static void bounds_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILE_CACHE_FILES; i++)
        put_file(i, 0);
    assert_int_equal(count(FILE_CACHE_FILES, 0), FILE_CACHE_FILES);
    assert_non_null(get(0)); /* used: number 1 is the oldest now */
    put_file(FILE_CACHE_FILES, 0);
    assert_non_null(get(0));
    assert_null(get(1));
    assert_non_null(get(2));
}

static void errors_drive_no_file_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < 10; i++)
        put_file(i, 100);
    for (size_t i = 0; i < 10 * FILE_CACHE_OTHERS; i++)
        put_error(1000 + i);
    assert_int_equal(count(10, 0), 10);
    assert_int_equal(count(10 * FILE_CACHE_OTHERS, 1000), FILE_CACHE_OTHERS);
}

static void bounds_bytes(void **state)
{
    const size_t n = FILE_CACHE_BYTES / FILE_REP_SMALL + 50;
    size_t kept;

    (void)state;
    for (size_t i = 0; i < n; i++)
        put_file(i, FILE_REP_SMALL);
    kept = count(n, 0);
    assert_true(kept * FILE_REP_SMALL <= FILE_CACHE_BYTES);
    assert_true(kept > n / 2);
    assert_non_null(get(n - 1));
}

/* What is made of a file is counted with it, and given back with it. */
static void bounds_bytes_of_forms(void **state)
{
    static char body[FILE_REP_SMALL];
    const size_t n = FILE_CACHE_BYTES / FILE_REP_SMALL / 2;
    const struct str whole = {body, sizeof body};
    size_t kept;

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < n; i++) {
            put_file(i, 1000);
            prepared_add_form(get(i)->rep->full, body, 0, prepared_new(200, whole));
            prepared_add_form(get(i)->rep->full, body, 1, prepared_new(200, whole));
            prepared_add_form(get(i)->rep->full, body, 2, prepared_new(200, whole));
        }
        kept = count(n, 0);
        assert_true(kept * 3 * FILE_REP_SMALL <= FILE_CACHE_BYTES);
        assert_true(kept > n / 2);
        assert_non_null(get(n - 1));
    }
    file_cache_drop_owner(cache, owner);
    for (size_t i = 0; i < n; i++)
        put_file(i, FILE_REP_SMALL);
    assert_int_equal(count(n, 0), n);
}

static void bounds_descriptors(void **state)
{
    struct file_rep *used;

    (void)state;
    for (size_t i = 0; i < FILE_CACHE_FDS + 10; i++)
        put_file(i, FILE_REP_SMALL + 1);
    put_file(5000, 1);
    assert_int_equal(count(FILE_CACHE_FDS + 10, 0), FILE_CACHE_FDS);
    used = file_rep_ref(get(FILE_CACHE_FDS)->rep);
    file_cache_drop_fds(cache);
    assert_int_equal(count(FILE_CACHE_FDS + 10, 0), 0);
    assert_non_null(get(5000));
    assert_true(fcntl(used->fd, F_GETFD) != -1); /* an exchange still sends it */
    file_rep_unref(used);
}

static void makes_validators(void **state)
{
    const struct timespec mtime = {1700000000, 123456789};
    int64_t now_s = time(NULL) + 100;
    struct file_rep *r = new_rep_at(0, mtime, now_s);

    (void)state;
    assert_string_equal(r->etag, "\"cwyvpeni7w9h-0\"");
    assert_string_equal(r->last_modified, "Tue, 14 Nov 2023 22:13:20 GMT");
    assert_int_equal(r->validators.mtime_s, 1700000000);
    assert_true(r->settled);
    file_rep_unref(r);

    r = new_rep_at(37, mtime, time(NULL)); /* its inode has just been changed */
    assert_string_equal(r->etag, "\"cwyvpeni7w9h-11\"");
    assert_false(r->settled);
    file_rep_unref(r);
}

/* A time of 0 or 1 is nobody's, and one of the future would be later than Date. */
static void makes_no_validators_of_odd_times(void **state)
{
    int64_t now_s = time(NULL) + 100;
    struct file_rep *r = new_rep_at(0, (struct timespec){1, 999}, now_s);

    (void)state;
    assert_string_equal(r->etag, "");
    assert_string_equal(r->last_modified, "");
    assert_int_equal(r->validators.mtime_s, NO_MTIME);
    file_rep_unref(r);

    r = new_rep_at(0, (struct timespec){now_s + 1, 0}, now_s);
    assert_true(r->etag[0] != '\0');
    assert_string_equal(r->last_modified, "");
    assert_int_equal(r->validators.mtime_s, NO_MTIME);
    assert_false(r->settled);
    file_rep_unref(r);
}

static void takes_other_limits(void **state)
{
    struct file_cache_limits limits = defaults;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        put_file(i, 10);
    limits.files = 10;
    file_cache_set_limits(cache, &limits);
    assert_int_equal(count(90, 0), 0);
    assert_int_equal(count(10, 90), 10);
    limits.bytes *= 4;
    limits.files = limits.absent = 5000; /* more than there were buckets for */
    file_cache_set_limits(cache, &limits);
    assert_int_equal(count(10, 90), 10);
    for (size_t i = 0; i < 5000; i++) {
        put_file(i, 10);
        put_error(10000 + i);
    }
    assert_int_equal(count(5000, 0), 5000);
    assert_int_equal(count(5000, 10000), 5000);
    limits.descriptors = 1;
    file_cache_set_limits(cache, &limits);
    put_file(1, 100000);
    put_file(2, 100000);
    assert_null(get(1));
    assert_true(get(2)->rep->fd != -1);
}

/* What was put is there for who put it, and for nobody else. */
static void can_be_off(void **state)
{
    const struct file_cache_limits off = {.off = true};
    const struct file_entry e = {.outcome = FILE_SERVE, .rep = new_rep(100000)};

    (void)state;
    put_file(1, 10);
    file_cache_set_limits(cache, &off);
    assert_null(get(1));
    assert_int_equal(file_cache_put(cache, owner, root, STR_LIT("/1"), &e)->rep->size, 100000);
    assert_null(get(1));
    put_error(1);
    put_error(2);
    assert_null(get(2));
    assert_int_equal(stats.files + stats.absent + stats.bytes + stats.descriptors, 0);
}

static void keeps_statistics(void **state)
{
    struct file_cache_limits limits = defaults;

    (void)state;
    limits.files = 2;
    file_cache_set_limits(cache, &limits);
    put_file(1, 10);
    put_file(2, 100000);
    put_error(3);
    assert_int_equal(stats.misses, 3);
    assert_int_equal(stats.hits, 0);
    assert_int_equal(stats.files, 2);
    assert_int_equal(stats.absent, 1);
    assert_int_equal(stats.descriptors, 1);
    assert_true(stats.bytes > 10 && stats.bytes < 20000);
    file_cache_hit(cache, get(1), false);
    file_cache_hit(cache, get(1), true);
    assert_true(file_cache_is_fresh(cache, get(1)->checked_ms));
    assert_int_equal(stats.hits, 2);
    assert_int_equal(stats.revalidations, 1);
    put_file(1, 20); /* in the place of the other */
    assert_int_equal(stats.evictions, 0);
    put_file(4, 10);
    assert_int_equal(stats.evictions, 1);
    assert_int_equal(stats.descriptors, 0);
    file_cache_drop_owner(cache, owner);
    assert_int_equal(stats.evictions, 1);
    assert_int_equal(stats.files + stats.absent + stats.bytes, 0);
    limits.fresh_ms = 0;
    file_cache_set_limits(cache, &limits);
    put_file(1, 10);
    assert_false(file_cache_is_fresh(cache, get(1)->checked_ms));
}

static int set_up(void **state)
{
    struct err e;

    (void)state;
    loop = loop_new(&e);
    stats = (struct file_cache_stats){0};
    cache = file_cache_new(loop, &stats);
    file_cache_set_limits(cache, &defaults);
    owner = file_cache_add_owner(cache);
    return loop == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    file_cache_free(cache);
    loop_free(loop);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_what_was_put), TEST(keeps_keys_apart),
        TEST(bounds_files),       TEST(errors_drive_no_file_out),
        TEST(bounds_bytes),       TEST(bounds_bytes_of_forms),
        TEST(bounds_descriptors), TEST(takes_other_limits),
        TEST(can_be_off),         TEST(keeps_statistics),
        TEST(makes_validators),   TEST(makes_no_validators_of_odd_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
