/* file_server: answers with the files of a folder. */
#ifndef LINTEL_HANDLERS_FILE_SERVER_H
#define LINTEL_HANDLERS_FILE_SERVER_H

#include "conf/directive.h"

extern const struct directive file_server_directives[]; /* ended by a zeroed row */

#endif
