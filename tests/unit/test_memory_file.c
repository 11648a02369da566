#include "base/memory_file.h"

#include "base/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void a_path_stands_for_one_content(void **state)
{
    const char *one, *two;
    struct err e;

    (void)state;
    one = memory_file(STR_LIT("content"), &e);
    two = memory_file(STR_LIT("contend"), &e);
    assert_non_null(one);
    assert_non_null(two);
    assert_string_not_equal(one, two);
    assert_string_equal(memory_file(STR_LIT("content"), &e), one);
    assert_string_equal(memory_file(STR_LIT("contend"), &e), two);
}

static void is_read_and_not_written(void **state)
{
    struct buf content = BUF_INIT(100);
    struct err e;
    const char *path = memory_file(STR_LIT("content"), &e);
    int fd;

    (void)state;
    assert_int_equal(file_read(AT_FDCWD, path, &content, &e), 0);
    assert_true(str_is(buf_str(&content), "content"));
    buf_fini(&content);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd == -1 || write(fd, "x", 1) == -1);
    if (fd != -1)
        close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_stands_for_one_content),
        cmocka_unit_test(is_read_and_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
