/* Answers a GET or HEAD with a file: conditions, ranges, or the whole. In handle_errors the file is
 * the page of the error, whatever was asked for. */
#ifndef LINTEL_HANDLERS_FILE_RESPOND_H
#define LINTEL_HANDLERS_FILE_RESPOND_H

#include "handlers/file_rep.h"
#include "http/exchange.h"

/* Takes its own reference of rep, if it needs one. */
void file_respond(struct exchange *ex, struct file_rep *rep);

#endif
