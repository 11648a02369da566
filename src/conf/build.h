/* From the tree to drafts of sites and global options, by the rows of directives. The next step,
 * conf/compile.h, makes a struct conf of them. All of it lives only during a load; main thread. */
#ifndef LINTEL_CONF_BUILD_H
#define LINTEL_CONF_BUILD_H

#include "conf/address.h"
#include "conf/defined.h"
#include "conf/diag.h"
#include "conf/matcher.h"
#include "conf/parser.h"
#include "conf/rows.h"

enum auto_https {
    AUTO_HTTPS_ON,
    AUTO_HTTPS_OFF,               /* neither certificates nor redirects */
    AUTO_HTTPS_DISABLE_REDIRECTS, /* certificates only */
    AUTO_HTTPS_DISABLE_CERTS,     /* redirects only */
    AUTO_HTTPS_IGNORE_LOADED      /* also for names that a wildcard from files covers */
};

/* An address to listen at; its port is left 0. */
struct binding {
    struct sockaddr_storage addr;
    socklen_t addr_len;
};

struct bindings {
    struct binding *list; /* in the builder's scratch arena */
    size_t n;             /* 0: nothing was said */
};

/* The target of IN_GLOBAL rows. */
struct global {
    struct options options;
    struct tls_conf tls; /* what sites inherit */
    enum auto_https auto_https;
    bool local_certs;
    struct bindings bind;     /* default_bind */
    struct token default_sni; /* line 0: none */
    struct token fallback_sni;
};

struct site_address {
    struct address address;
    struct token token; /* as written */
};

/* A site while it is being built. */
struct site_draft {
    struct site *site; /* the target of IN_SITE rows; in the configuration's arena */
    struct site_address *addresses;
    size_t n_addresses;
    struct bindings bind;
    struct token tls_token;         /* of its tls directive; line 0: none */
    enum cert_source tls_directive; /* what that says: internal, files, or nothing */
    bool tls_acme;                  /* it names a CA */
    struct tls_conf *other_tls;     /* conf/certs.c: for names with another source */
    struct token hsts_token;        /* of its hsts directive; line 0: none */
    struct site_log_draft *logs;    /* conf/log_directive.h */
    size_t n_logs, cap_logs;
    struct rows rows, errors;
};

/* What a block may hold. */
struct vocabulary {
    const struct directive *const *tables; /* ended by NULL */
    unsigned place;                        /* 0: every row is meant */
    const struct refused *refused;         /* may be NULL */
    const char *what;                      /* "directive" */
};

struct conf_builder {
    struct diag *diag;
    struct str file;       /* the main file's path, in arena */
    struct arena *arena;   /* of the configuration */
    struct arena *scratch; /* of the load */
    const struct directive *const *tables;
    const struct matcher_type *const *const *matchers;
    struct str matcher_name; /* of the named matcher at hand, without its "@"; len 0: none */
    unsigned matcher_depth;  /* of matchers in matchers */
    bool keep_source;
    bool semicolon_seen;        /* at the end of a line */
    struct map shared_matchers; /* "/path", or "@name" and what it says -> struct matcher */
    struct order order;
    struct global global;
    struct site_draft *current;         /* the site being built, or NULL */
    struct rows *rows;                  /* where rows of handlers go */
    const struct named_matchers *named; /* those that can be seen from here: conf/matcher.h */
    struct defined defined;             /* placeholders */
    struct named_routes routes;
    struct site_draft **sites;
    size_t n_sites, cap_sites;
    struct log_draft *logs; /* conf/log_directive.h */
    size_t n_logs, cap_logs;
    size_t n_unnamed_logs;
    struct log_use *log_uses;
    size_t n_log_uses, cap_log_uses;
    struct handlers handlers;
    unsigned n_identities; /* directive_identity(): given in the site being built */
};

/* The rows of conf's own directives. */
extern const struct directive global_directives[]; /* conf/options.c */
extern const struct directive site_directives[];   /* conf/site.c */

/* conf/refused.c */
extern const struct refused refused_directives[];
extern const struct refused refused_options[];
extern const struct refused refused_servers[];
extern const struct refused refused_timeouts[];
extern const struct refused refused_tls[];
extern const struct refused refused_issuer[];
extern const struct refused refused_log[];
extern const struct refused refused_global_log[];
extern const struct refused refused_log_file[];
extern const struct refused refused_log_format[];

/* Builds everything; what is wrong goes to b->diag. */
void build_run(struct conf_builder *b, const struct nodes *top);

/* ---- for conf's own files ---- */

/* Runs the rows of a vocabulary over the children of a node. Handlers go to b->rows. */
void build_block(struct conf_builder *b, const struct vocabulary *v, const struct node *parent,
                 void *target);

/* The arguments of a node: its words from index first + 1 on; words[first] is its name. */
struct directive_args build_args(struct conf_builder *b, const struct node *node, void *target);

/* Whether the counts of arguments and the block are what the row wants. */
int build_check(struct conf_builder *b, const struct directive *row,
                const struct directive_args *d);

/* Whether a directive has a place in the order: one that makes handlers. */
int build_check_ordered(struct conf_builder *b, const struct token *name);

/* The directives that may stand where only handlers may. */
struct vocabulary build_handlers_vocabulary(const struct conf_builder *b);

/* "bind" and "default_bind". */
int build_bindings(const struct directive_args *d, struct bindings *out);

#endif
