#include "handlers/file_etag.h"

#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* Any visible byte but the quotation mark, and those above ASCII. */
static bool is_etagc(char c)
{
    unsigned char u = (unsigned char)c;

    return u == 0x21 || (u >= 0x23 && u != 0x7f);
}

bool file_etag_is_valid(struct str s)
{
    if (str_starts(s, STR_LIT("W/")))
        s = str_from(s, 2);
    if (s.len < 2 || s.p[0] != '"' || s.p[s.len - 1] != '"')
        return false;
    for (size_t i = 1; i < s.len - 1; i++)
        if (!is_etagc(s.p[i]))
            return false;
    return true;
}

/* What there is of a file, up to cap bytes, without the ends of lines and blanks at its end. */
static struct str read_some(int fd, char *buf, size_t cap)
{
    size_t len = 0;
    ssize_t n;

    while ((n = read(fd, buf + len, cap - len)) != 0) {
        if (n == -1 && errno != EINTR)
            break;
        if (n > 0)
            len += (size_t)n;
    }
    while (len > 0 && memchr(" \t\r\n", buf[len - 1], 4) != NULL)
        len--;
    return (struct str){buf, len};
}

/* Opens path with the extension; -1 if there is no such file. */
static int open_beside(const struct beneath *root, const char *path, const char *extension,
                       char name[PATH_MAX])
{
    struct stat st;
    int fd;

    if ((size_t)snprintf(name, PATH_MAX, "%s%s", path, extension) >= PATH_MAX)
        return -1;
    fd = beneath_open(root, name, &st);
    if (fd == -1 || S_ISREG(st.st_mode))
        return fd;
    close(fd);
    return -1;
}

struct str file_etag_read(const struct file_etags *etags, const struct beneath *root,
                          const char *path, bool tell, char buf[FILE_ETAG_MAX + 1])
{
    char name[PATH_MAX];

    for (size_t i = 0; i < etags->n; i++) {
        int fd = open_beside(root, path, etags->extensions[i], name);
        struct str tag;

        if (fd == -1)
            continue;
        tag = read_some(fd, buf, FILE_ETAG_MAX + 1);
        close(fd);
        if (tag.len <= FILE_ETAG_MAX && file_etag_is_valid(tag))
            return tag;
        if (tell)
            log_warn(
                "http",
                "%s/%s: holds no ETag, which is a text in quotes of at most %d bytes; not used",
                root->path, name, FILE_ETAG_MAX);
    }
    return STR_LIT("");
}
