/* Regular expressions, by PCRE2: the only place that knows it. The syntax of Go (RE2), which people
 * write in a Caddyfile, means the same here; what PCRE2 has beyond it (look-around, references
 * back) works as well. A compiled one is immutable: any thread may use it. No match can run away:
 * one that would take too many steps, too much time or too much memory counts as none, and leaves a
 * line in the log. Nor can many: those of one arena, which stands for a request, have a time that
 * they share, and once it is used up they count as none. */
#ifndef LINTEL_BASE_REGEX_H
#define LINTEL_BASE_REGEX_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
    REGEX_GROUPS_MAX = 63,
    REGEX_SUBJECT_MAX = 64 * 1024, /* what is longer does not match */
    REGEX_REPLACED_MAX = 64 * 1024 /* result of a replacement; the rest is cut off */
};

struct regex;

struct regex_match {
    struct str groups[REGEX_GROUPS_MAX + 1]; /* of the subject; [0]: all; p == NULL: took no part */
    size_t n;                                /* how many the expression has, with [0] */
};

/* Lives in a. NULL with *e set (ERR_SYNTAX, ERR_LIMIT). */
struct regex *regex_new(struct arena *a, struct str pattern, struct err *e);

/* How many groups there are, the whole included, and what they are called: len 0: by number only.
 */
size_t regex_groups(const struct regex *re);
struct str regex_group_name(const struct regex *re, size_t group);

/* Whether the subject holds a match, the leftmost. m may be NULL. Bytes that are no UTF-8 are each
 * one character, U+FFFD. scratch: for a copy of a subject that holds such bytes. */
bool regex_matches(const struct regex *re, struct arena *scratch, struct str subject,
                   struct regex_match *m);

/* Whether this thread's last regex_matches() or regex_replace() ended for its costs, before all of
 * the subject had been looked at. */
bool regex_gave_up(void);

/* What `with` stands for, with the groups of one match put in as regex_replace() does; in a. */
struct str regex_expand(const struct regex *re, struct arena *a, struct str with,
                        const struct regex_match *m);

/* value with every match replaced, in a; value itself if nothing matched. In `with`, "$1", "$name",
 * "${1}" and "${name}" stand for what the groups matched ("" if there is no such group, or it took
 * no part), "$0" for the whole and "$$" for a dollar; a name is as long as it can be. The time that
 * there is counts for all matches together: what is behind the last one stays as it is. */
struct str regex_replace(const struct regex *re, struct arena *a, struct str value,
                         struct str with);

/* The library's, as "10.42". Main thread. */
const char *regex_version(void);

#endif
