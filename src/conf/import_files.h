/* The files that a configuration imports: found by path or pattern, each read and made into tokens
 * once, however often it is imported. Belongs to one load; blocks; main thread. */
#ifndef LINTEL_CONF_IMPORT_FILES_H
#define LINTEL_CONF_IMPORT_FILES_H

#include "conf/lexer.h"

enum {
    IMPORT_FILES_MAX = 100000,            /* of one load */
    IMPORT_BYTES_MAX = 4 * LEXER_TEXT_MAX /* of all of them together */
};

struct import_files;

struct import_file {
    struct str path;
    struct lexemes lexemes;
    bool failed;  /* it could not be read, or has errors that leave it without meaning */
    struct err e; /* why, if it could not be read */
};

/* In the order in which they are to be read. */
struct import_match {
    struct import_file **list;
    size_t n;
    bool missing; /* a path without wildcards that is not there */
};

/* Everything lives in a. */
struct import_files *import_files_new(struct arena *a, struct diag *d);

/* Makes the main file known, so that a file that imports it is found out. */
struct import_file *import_files_main(struct import_files *im, struct str path,
                                      struct lexemes lexemes);

/* The files that word stands for: a relative path begins at the folder of the file base. NULL after
 * an error at the token. */
const struct import_match *import_files_find(struct import_files *im, const struct token *at,
                                             struct str base, struct str word);

/* The path that word stands for, in the arena. */
struct str import_files_path(struct import_files *im, struct str base, struct str word);

/* The words written in all files read so far, the main one included: each counts once. */
size_t import_files_words(const struct import_files *im);

/* All files in the order in which they were read, the main one first: their number. */
size_t import_files_count(const struct import_files *im);
const struct import_file *import_files_at(const struct import_files *im, size_t i);

#endif
