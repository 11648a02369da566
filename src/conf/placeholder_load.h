/* Placeholders whose values are put in at load: nothing changes them while the process runs, but
 * for files, which are read again at a reload. Main thread. */
#ifndef LINTEL_CONF_PLACEHOLDER_LOAD_H
#define LINTEL_CONF_PLACEHOLDER_LOAD_H

#include "conf/diag.h"

enum { PLACEHOLDER_FILE_MAX = 1024 * 1024 }; /* bytes, as in Caddy */

/* {env.NAME}, {file.PATH}, {system.hostname} and others. */
bool placeholder_load_knows(struct str name);

/* The value of one that is known, in a. May read a file: -1 if it cannot be read. */
MUST_CHECK int placeholder_load(struct arena *a, struct str name, struct str *value, struct err *e);

/* Offers the names, for "did you mean". */
void placeholder_load_offer(struct nearest *n);

#endif
