/* The path matcher. */
#ifndef LINTEL_HTTP_MATCH_PATH_H
#define LINTEL_HTTP_MATCH_PATH_H

#include "conf/directive.h"

enum path_match {
    PATH_ANY,       /* "*" */
    PATH_EXACT,     /* "/a" */
    PATH_PREFIX,    /* "/a*" */
    PATH_SUFFIX,    /* "*.css" */
    PATH_SUBSTRING, /* "*a*" */
    PATH_GLOB,      /* anything else that base/glob.h has a meaning for */
    PATH_ESCAPED,   /* with a "%": compared with the path as it was sent; http/path_escapes.h */
    PATH_TEXT       /* with placeholders: one of the others when they are known */
};

struct path_pattern {
    enum path_match kind;
    bool keep_slashes;        /* "//" stands in it: the path's own are kept as they are */
    struct str text;          /* without the stars of PREFIX, SUFFIX and SUBSTRING */
    const struct text *parts; /* PATH_TEXT */
};

/* The conf of a condition: any of the patterns has to match. */
struct path_condition {
    struct path_pattern *list;
    size_t n, cap;
};

extern const struct matcher_type path_matcher;

/* What a pattern without placeholders means. text must outlive it. */
struct path_pattern path_pattern_of(struct str text);

/* Compared without regard to case, as in Caddy. */
bool path_pattern_matches(const struct path_pattern *p, struct exchange *ex);

#endif
