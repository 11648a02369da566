/* What becomes of an answer: "handle_response" and "replace_status" in the block of a reverse_proxy
 * or an intercept, with response matchers that are defined there. */
#ifndef LINTEL_HANDLERS_PROXY_ANSWER_H
#define LINTEL_HANDLERS_PROXY_ANSWER_H

#include "handlers/response_match.h"
#include "http/exchange.h"

struct proxy_auth; /* handlers/forward_auth.h */

struct named_response_match {
    struct str name; /* with its "@" */
    struct response_match match;
};

struct answer_rule {
    const char *name;                   /* as written: "handle_response @error" */
    const struct response_match *match; /* NULL: any answer */
    struct text status;                 /* replace_status; no parts: the route is run */
    struct route route;
    const struct proxy_auth *auth; /* fields that the request gets before; NULL: none */
};

/* That of forward_auth, then those with a matcher; of these first, as in Caddy, replace_status. */
struct answer_rules {
    struct named_response_match *matches;
    size_t n_matches, cap_matches;
    struct answer_rule *list;
    size_t n, cap;
};

/* Takes the lines that define response matchers out of the block of the directive: *rest has the
 * others. Each -1 after directive_error(). */
MUST_CHECK int proxy_answer_take_matches(const struct directive_args *d, struct answer_rules *rules,
                                         struct node *rest);
MUST_CHECK int proxy_answer_add_handle(const struct directive_args *d, struct answer_rules *rules);
MUST_CHECK int proxy_answer_add_status(const struct directive_args *d, struct answer_rules *rules);

/* Adds the rule of forward_auth: with success, the request gets its fields and goes on. */
void proxy_answer_add_auth(struct arena *a, struct answer_rules *rules,
                           const struct proxy_auth *auth);

/* The first rule that is for such an answer, or NULL. */
const struct answer_rule *proxy_answer_find(const struct answer_rules *rules,
                                            const struct upstream_answer *answer);

void proxy_answer_describe(const struct answer_rules *rules, struct describer *out);

/* The status that a text stands for; 0: none from 200 to 599. */
int proxy_answer_status(const struct text *t, struct exchange *ex);

/* The text of a status: a number from 200 to 599, or placeholders. -1 after directive_error(). */
MUST_CHECK int proxy_answer_status_set(const struct directive_args *d, const struct token *t,
                                       struct text *out);

#endif
