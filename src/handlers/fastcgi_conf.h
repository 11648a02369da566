/* What "transport fastcgi" says. Built by fastcgi_conf.c, for fastcgi_script.h and
 * fastcgi_params.h.
 */
#ifndef LINTEL_HANDLERS_FASTCGI_CONF_H
#define LINTEL_HANDLERS_FASTCGI_CONF_H

#include "handlers/root.h"

struct fastcgi_variable {
    struct str name;
    struct text value;
};

struct fastcgi_conf {
    bool has_root;
    struct root_path root; /* else that of the site */
    struct str here;       /* the working directory, for sites without any */
    struct str *splits;    /* a script's name ends behind one; none: there are no scripts */
    size_t n_splits;
    struct fastcgi_variable *env;
    size_t n_env, cap_env;
    bool resolve_root_symlink;
    bool capture_stderr;
    bool keepalive; /* connections are used again */
};

/* The block of "transport fastcgi", whose target is the struct reverse_proxy_conf; sets its
 * `fastcgi`. -1 after directive_error(). */
MUST_CHECK int fastcgi_set(const struct directive_args *d);

/* The rows of that block. */
extern const struct directive fastcgi_options[];

#endif
