/* What a file_server directive says. Built by file_server_conf.c, read by the handler. */
#ifndef LINTEL_HANDLERS_FILE_SERVER_CONF_H
#define LINTEL_HANDLERS_FILE_SERVER_CONF_H

#include "handlers/browse_conf.h"
#include "handlers/file_lookup.h"
#include "handlers/root.h"

struct file_server_conf {
    bool has_root;
    struct root_path root; /* the directive's own */
    struct str here;       /* the working directory, for sites without any root */
    struct file_rules rules;
    struct file_codings precompressed;
    struct browse_conf *browse; /* NULL: folders are not listed */
    struct text status;         /* of all answers with a file; no parts: as usual */
    bool pass_thru;             /* what is not found is left to the next directives */
    bool any_uri;               /* no redirects to canonical names */
};

/* The directive's set function, what it describes, and the rows of its block. */
int file_server_set(const struct directive_args *d);
void file_server_describe(const void *conf, struct describer *out);
extern const struct directive file_server_options[];

/* The status that a text stands for; 0: none from 200 to 599. */
int file_server_status(struct str s);

#endif
