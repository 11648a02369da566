/* From a file to a compiled configuration. Blocks (reads files): main thread only. */
#ifndef LINTEL_CONF_LOAD_H
#define LINTEL_CONF_LOAD_H

#include "base/buf.h"
#include "conf/conf.h"
#include "conf/directive.h"

/* Returns the configuration (one reference, the caller's), or NULL: errors then
 * holds all errors of the file, each as "file:line:column: what is wrong", the line, a line with a
 * caret. Warnings are added to warnings the same way (may be NULL). */
struct conf *conf_load(const char *path, const struct language *language, struct buf *errors,
                       struct buf *warnings);

/* The same from text in memory; path is only named in messages. */
struct conf *conf_parse(const char *path, struct str text, const struct language *language,
                        struct buf *errors, struct buf *warnings);

#endif
