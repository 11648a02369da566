/* For tests of matchers: a matcher from its text, an exchange from a line. */
#ifndef LINTEL_TESTS_UNIT_MATCHER_RIG_H
#define LINTEL_TESTS_UNIT_MATCHER_RIG_H

#include "conf/directive.h"
#include "http/match.h"

/* A site whose only row has the named matcher @m, which is defined as `definition` says: what
 * stands behind "@m". */
struct matcher_rig {
    struct conf *conf;
    const struct matcher *matcher;
};

/* Fails the test if the text is no configuration. */
struct matcher_rig matcher_rig_new(const char *definition, const struct language *language);
void matcher_rig_free(struct matcher_rig *rig);

/* "GET http://host/path?query|Field: value|..."; "@peer: ADDRESS", "@version: MINOR",
 * "@error: STATUS", "@root: FOLDER" and "@var: NAME=VALUE" say other things. The text and the arena
 * outlive the exchange. */
void matcher_rig_exchange(struct exchange *ex, struct arena *a, const char *request);

/* The verdict of a row, with what it left in *error (ex->match_error). */
bool matcher_rig_run(const char *definition, const struct language *language, const char *request,
                     int *error);

#endif
