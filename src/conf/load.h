/* From a file to a compiled configuration. Blocks (reads files): main thread only. */
#ifndef LINTEL_CONF_LOAD_H
#define LINTEL_CONF_LOAD_H

#include "base/buf.h"
#include "conf/conf.h"
#include "conf/directive.h"

/* tables: the rows of directives besides conf's own, NULL at the end; each table ends with a zero
 * row. May be NULL. Returns the configuration (one reference, the caller's), or NULL: errors then
 * holds all errors of the file, each as "file:line:column: what is wrong", the line, a line with a
 * caret. Warnings are added to warnings the same way (may be NULL). */
struct conf *conf_load(const char *path, const struct directive *const *tables, struct buf *errors,
                       struct buf *warnings);

/* The same from text in memory; path is only named in messages. */
struct conf *conf_parse(const char *path, struct str text, const struct directive *const *tables,
                        struct buf *errors, struct buf *warnings);

#endif
