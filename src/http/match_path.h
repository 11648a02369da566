/* The path matcher. */
#ifndef LINTEL_HTTP_MATCH_PATH_H
#define LINTEL_HTTP_MATCH_PATH_H

#include "conf/directive.h"

enum path_match {
    PATH_ANY,    /* "*" */
    PATH_EXACT,  /* "/a" */
    PATH_PREFIX, /* "/a*" */
    PATH_SUFFIX, /* "*.css" */
    PATH_GLOB    /* anything else with "*" in it */
};

struct path_pattern {
    enum path_match kind;
    struct str text; /* without the stars of PREFIX and SUFFIX */
};

/* The conf of a condition: any of the patterns has to match. */
struct path_condition {
    struct path_pattern *list;
    size_t n, cap;
};

extern const struct matcher_type path_matcher;

/* Compared without regard to case, as in Caddy. */
bool path_pattern_matches(const struct path_pattern *p, struct str path);

#endif
