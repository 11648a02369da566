/* try_files: rewrites to the first file that is there. */
#ifndef LINTEL_HANDLERS_TRY_FILES_H
#define LINTEL_HANDLERS_TRY_FILES_H

#include "conf/directive.h"

extern const struct directive try_files_directives[]; /* ended by a zeroed row */

#endif
