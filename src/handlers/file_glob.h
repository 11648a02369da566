/* The files below a folder whose names match a pattern. */
#ifndef LINTEL_HANDLERS_FILE_GLOB_H
#define LINTEL_HANDLERS_FILE_GLOB_H

#include "base/arena.h"
#include "handlers/beneath.h"

enum {
    FILE_GLOB_NAMES_MAX = 10 * 1000, /* looked at in one folder */
    FILE_GLOB_FOUND_MAX = 1000
};

struct paths {
    struct str *list; /* each NUL-terminated */
    size_t n, cap;
};

/* Appends what there is, in order: of each folder its names sorted. pattern is relative, without
 * empty names, "." and "..": each name of it is one for base/glob.h. What is beyond the limits is
 * left out. Everything lives in a. */
void file_glob(const struct beneath *root, struct arena *a, struct str pattern, struct paths *out);

#endif
