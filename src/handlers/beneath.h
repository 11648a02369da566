/* Opens files below a folder, and nowhere else. Symbolic links are followed as long as they stay
 * inside, absolute ones too if they name the folder's own path; one that leaves it leads nowhere.
 * The kernel sees to that where it has openat2(2); elsewhere the path is walked name by name. */
#ifndef LINTEL_HANDLERS_BENEATH_H
#define LINTEL_HANDLERS_BENEATH_H

#include <sys/stat.h>

struct beneath {
    int fd;           /* of the folder; -1: not open */
    const char *path; /* of the folder, absolute */
};

/* Opens the folder. -1 with errno. */
int beneath_init(struct beneath *b, const char *path);
void beneath_fini(struct beneath *b);

/* A regular file, open for reading, or a folder, open only to be looked at; st says which. Anything
 * else (a FIFO, a socket, a device) is ENOENT and has not been opened, since that alone can do
 * something. path is relative. -1 with errno: EXDEV if it leads out of the folder. */
int beneath_open(const struct beneath *b, const char *path, struct stat *st);

/* What is there, of whatever kind, without opening it. -1 with errno. */
int beneath_stat(const struct beneath *b, const char *path, struct stat *st);

#endif
