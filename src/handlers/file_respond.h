/* Answers a GET or HEAD with a file: conditions, ranges, or the whole. In handle_errors the file is
 * the page of the error, whatever was asked for. */
#ifndef LINTEL_HANDLERS_FILE_RESPOND_H
#define LINTEL_HANDLERS_FILE_RESPOND_H

#include "handlers/file_rep.h"
#include "http/exchange.h"

/* Takes its own reference of rep, if it needs one. status 0: as the request's conditions and ranges
 * want it; another one is sent in any case, with the whole file. */
void file_respond(struct exchange *ex, struct file_rep *rep, int status);

#endif
