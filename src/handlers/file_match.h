/* Which of several files there is: the "file" matcher, and what try_files goes by. Files are looked
 * for below the root and nowhere else, as file_server does (handlers/beneath.h). */
#ifndef LINTEL_HANDLERS_FILE_MATCH_H
#define LINTEL_HANDLERS_FILE_MATCH_H

#include "handlers/root.h"

enum file_policy {
    FILE_FIRST,          /* the first that is there */
    FILE_FIRST_FALLBACK, /* the same, and the last is not even looked for */
    FILE_SMALLEST,
    FILE_LARGEST,
    FILE_NEWEST
};

/* One name to try. */
struct file_try {
    struct text text;
    bool folder; /* it ends with "/": only a folder will do, else only a file */
    bool glob;   /* it is a pattern: base/glob.h for each name of the path */
    int status;  /* "=404": not a file, but the end with that error; 0: a file */
};

struct file_match {
    bool has_root;
    struct root_path root; /* else that of the site */
    struct str here;       /* the working directory, for sites without any */
    struct file_try *files;
    size_t n_files, cap_files;
    enum file_policy policy;
    struct str *splits; /* the name ends behind the first of these, without regard to case */
    size_t n_splits;
};

/* Makes a zeroed one ready. Then: a name to try; the policy by its name. Each -1 after
 * directive_error(). */
void file_match_init(const struct directive_args *d, struct file_match *m);
MUST_CHECK int file_match_add(const struct directive_args *d, const struct token *t,
                              struct file_match *m);
MUST_CHECK int file_match_set_policy(const struct directive_args *d, const struct token *t,
                                     struct file_match *m);

/* Looks for the files; without any name, for that of the path. If there is one: true, and the
 * variables file_match.relative (begins with "/"), .absolute, .type ("file" or "directory") and
 * .remainder (what was split off) are set. "=404" leaves its status in ex->match_error, and
 * so does what cannot be looked for without descriptors: 503. Blocks as
 * file systems do. */
bool file_match_find(const struct file_match *m, struct exchange *ex);

/* The table of the one matcher, NULL at the end: for struct language. */
extern const struct matcher_type *const file_match_matchers[];

#endif
