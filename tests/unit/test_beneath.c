/* Opening below a folder: what links may and may not do, with openat2(2) and without. */
#include "handlers/beneath.h"

#include "base/alloc.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[64]; /* base/root is the folder, base/out lies beside it */
static char root[80];

static void make_link(const char *name, const char *target)
{
    int dir = open(root, O_PATH | O_CLOEXEC);

    assert_int_equal(symlinkat(target, dir, name), 0);
    close(dir);
}

static void make_file(const char *name, mode_t mode)
{
    struct err e;
    int dir = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_int_equal(file_replace(dir, name, STR_LIT("content"), mode, &e), 0);
    close(dir);
}

static const struct {
    const char *name;
    const char *target; /* "@" at its beginning stands for base */
} links[] = {
    {"in", "a/file"},
    {"in-folder", "a"},
    {"in-deep", "in-folder/file"},
    {"in-up", "a/b/../file"},
    {"a/up", "../top"},
    {"a/b/up-up", "../../top"},
    {"in-absolute", "@/root/a/file"},
    {"in-absolute-folder", "@/root/a"},
    {"in-root", "@/root"},
    {"in-real", "@/alias/a/file"},
    {"out", "../out"},
    {"out-absolute", "@/out"},
    {"out-deep", "a/../../out"},
    {"out-folder", ".."},
    {"out-and-back", "../root/top"},
    {"out-prefix", "@/root-beside/file"},
    {"out-etc", "/etc/passwd"},
    {"out-proc", "/proc/self/fd/0"},
    {"out-cwd", "/proc/self/cwd/top"},
    {"out-dev", "/dev/zero"},
    {"out-fifo", "@/root/fifo"},
    {"loop", "loop"},
    {"loop-a", "loop-b"},
    {"loop-b", "loop-a"},
    {"dangling", "nothing"},
};

/* found: 'f' a file, 'd' a folder, 0 neither, with the errno (-1: any). */
struct row {
    const char *path;
    char found;
    int code;
};

static const struct row rows[] = {
    {"top", 'f', 0},
    {".", 'd', 0},
    {"a", 'd', 0},
    {"a/file", 'f', 0},
    {"a/b", 'd', 0},
    {"nothing", 0, ENOENT},
    {"a/nothing", 0, ENOENT},
    {"top/x", 0, ENOTDIR},
    /* links that stay inside */
    {"in", 'f', 0},
    {"in-folder", 'd', 0},
    {"in-folder/file", 'f', 0},
    {"in-deep", 'f', 0},
    {"in-up", 'f', 0},
    {"a/up", 'f', 0},
    {"in-folder/up", 'f', 0},
    {"a/b/up-up", 'f', 0},
    {"in-absolute", 'f', 0},
    {"in-absolute-folder/file", 'f', 0},
    {"in-root", 'd', 0},
    {"in-root/top", 'f', 0},
    {"in-root/in-root/in", 'f', 0},
    /* and those that do not */
    {"out", 0, EXDEV},
    {"out-absolute", 0, EXDEV},
    {"out-deep", 0, EXDEV},
    {"out-folder", 0, EXDEV},
    {"out-folder/out", 0, EXDEV},
    {"out-folder/root/top", 0, EXDEV},
    {"out-and-back", 0, EXDEV},
    {"out-prefix", 0, EXDEV},
    {"out-etc", 0, EXDEV},
    {"out-proc", 0, EXDEV},
    {"in-folder/../../out", 0, EXDEV},
    {"loop", 0, ELOOP},
    {"loop-a", 0, ELOOP},
    {"dangling", 0, ENOENT},
    /* what is neither file nor folder */
    {"fifo", 0, ENOENT},
    {"socket", 0, ENOENT},
};

/* Where links may lead out: what is different then, and what is not. */
static const struct row followed[] = {
    {"top", 'f', 0},
    {".", 'd', 0},
    {"a/b", 'd', 0},
    {"nothing", 0, ENOENT},
    {"in", 'f', 0},
    {"in-up", 'f', 0},
    {"in-absolute-folder/file", 'f', 0},
    {"in-root/in-root/in", 'f', 0},
    {"out", 'f', 0},
    {"out-absolute", 'f', 0},
    {"out-deep", 'f', 0},
    {"out-folder", 'd', 0},
    {"out-folder/out", 'f', 0},
    {"out-folder/root/top", 'f', 0},
    {"out-and-back", 'f', 0},
    {"out-prefix", 'f', 0},
    {"out-etc", 'f', 0},
    {"loop", 0, ELOOP},
    {"loop-a", 0, ELOOP},
    {"dangling", 0, ENOENT},
    /* never: what only the kernel knows the way to, and what is neither file nor folder */
    {"out-proc", 0, -1},
    {"out-cwd", 0, -1},
    {"out-dev", 0, ENOENT},
    {"out-fifo", 0, ENOENT},
    {"fifo", 0, ENOENT},
    {"socket", 0, ENOENT},
};

/* How many rows were wrong. */
static int run_rows(const char *folder, bool follow)
{
    const struct row *table = follow ? followed : rows;
    size_t n = follow ? ARRAY_LEN(followed) : ARRAY_LEN(rows);
    struct beneath b;
    int wrong = 0;

    if (beneath_init(&b, folder, follow) != 0)
        return 1;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        int fd = beneath_open(&b, table[i].path, &st);
        char found = fd == -1 ? 0 : S_ISREG(st.st_mode) ? 'f' : S_ISDIR(st.st_mode) ? 'd' : '?';
        char byte;

        if (found != table[i].found ||
            (found == 0 && table[i].code != -1 && errno != table[i].code)) {
            fprintf(stderr, "%s: '%c', errno %d\n", table[i].path, found, errno);
            wrong++;
        }
        if (found == 'f' && read(fd, &byte, 1) != 1)
            wrong++;
        if (fd != -1)
            close(fd);
    }
    beneath_fini(&b);
    return wrong;
}

static void forbid_openat2(int code)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)code),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = {ARRAY_LEN(filter), filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) != 0)
        _exit(77);
}

/* In a process of its own, since the kernel is asked but once. code: what openat2 says; 0: itself.
 */
static void in_child(int code, const char *folder, bool follow)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (code != 0)
            forbid_openat2(code);
        _exit(run_rows(folder, follow) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void with_openat2(void **state)
{
    (void)state;
    in_child(0, root, false);
    in_child(0, root, true);
}

static void on_old_kernels(void **state)
{
    (void)state;
    in_child(ENOSYS, root, false);
    in_child(ENOSYS, root, true);
}

static void in_sandboxes(void **state)
{
    (void)state;
    in_child(EPERM, root, false);
    in_child(EPERM, root, true);
}

/* The folder's name is a link itself; absolute links name where it leads. */
static void by_another_name(void **state)
{
    char alias[80];

    (void)state;
    snprintf(alias, sizeof alias, "%s/alias", base);
    in_child(0, alias, false);
    in_child(ENOSYS, alias, false);
    in_child(0, alias, true);
    in_child(ENOSYS, alias, true);
}

static void refuses_what_cannot_be_read(void **state)
{
    struct beneath b;
    struct stat st;

    (void)state;
    if (geteuid() == 0)
        skip(); /* root reads everything */
    assert_int_equal(beneath_init(&b, root, false), 0);
    assert_int_equal(beneath_open(&b, "secret", &st), -1);
    assert_int_equal(errno, EACCES);
    beneath_fini(&b);
}

static void needs_a_folder(void **state)
{
    struct beneath b;
    char path[96];

    (void)state;
    snprintf(path, sizeof path, "%s/top", root);
    assert_int_equal(beneath_init(&b, path, false), -1);
    assert_int_equal(errno, ENOTDIR);
    snprintf(path, sizeof path, "%s/none", root);
    assert_int_equal(beneath_init(&b, path, false), -1);
    assert_int_equal(errno, ENOENT);
    beneath_fini(&b);
}

/* ---- the folders ---- */

static void make_links(void)
{
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        char target[160];

        snprintf(target, sizeof target, "%s%s", links[i].target[0] == '@' ? base : "",
                 links[i].target + (links[i].target[0] == '@'));
        make_link(links[i].name, target);
    }
}

static void make_odd_files(void)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    char path[96];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(path, sizeof path, "%s/fifo", root);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(sa.sun_path, sizeof sa.sun_path, "%s/socket", root);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    close(fd);
}

static int set_up(void **state)
{
    struct err e;
    char path[96];

    (void)state;
    snprintf(base, sizeof base, "/tmp/lintel-beneath.XXXXXX");
    assert_non_null(mkdtemp(base));
    snprintf(root, sizeof root, "%s/root", base);
    snprintf(path, sizeof path, "%s/a/b", root);
    assert_int_equal(file_mkdirs(AT_FDCWD, path, 0700, &e), 0);
    snprintf(path, sizeof path, "%s/root-beside", base);
    assert_int_equal(file_mkdirs(AT_FDCWD, path, 0700, &e), 0);
    snprintf(path, sizeof path, "%s/alias", base);
    assert_int_equal(symlink("root", path), 0);
    make_file("root/top", 0600);
    make_file("root/a/file", 0600);
    make_file("root/secret", 0);
    make_file("out", 0600);
    make_file("root-beside/file", 0600);
    make_links();
    make_odd_files();
    return 0;
}

static int tear_down(void **state)
{
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        execlp("rm", "rm", "-rf", base, (char *)NULL);
        _exit(1);
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_openat2),   cmocka_unit_test(on_old_kernels),
        cmocka_unit_test(in_sandboxes),   cmocka_unit_test(by_another_name),
        cmocka_unit_test(needs_a_folder), cmocka_unit_test(refuses_what_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
