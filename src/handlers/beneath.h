/* Opens files below a folder, and nowhere else. Symbolic links are followed as long as they stay
 * inside, absolute ones too if they name the folder's own path; one that leaves it leads nowhere,
 * unless the folder was opened so that links may lead out of it: then they lead where they say, but
 * never where only the kernel knows the way (proc(5), "magic links"). The kernel sees to all that
 * where it has openat2(2); elsewhere the path is walked name by name. */
#ifndef LINTEL_HANDLERS_BENEATH_H
#define LINTEL_HANDLERS_BENEATH_H

#include <stdbool.h>
#include <sys/stat.h>

struct beneath {
    int fd;            /* of the folder; -1: not open */
    const char *path;  /* of the folder, absolute */
    bool follow_links; /* links may lead out of it */
};

/* Opens the folder; path must live as long as b. -1 with errno. */
int beneath_init(struct beneath *b, const char *path, bool follow_links);
void beneath_fini(struct beneath *b);

/* A regular file, open for reading, or a folder, open only to be looked at; st says which. Anything
 * else (a FIFO, a socket, a device) is ENOENT and has not been opened, since that alone can do
 * something. path is relative. -1 with errno: EXDEV if it leads out of the folder. */
int beneath_open(const struct beneath *b, const char *path, struct stat *st);

/* What is there, of whatever kind, without opening it. -1 with errno. */
int beneath_stat(const struct beneath *b, const char *path, struct stat *st);

#endif
