/* The built-in pages for error statuses. */
#ifndef LINTEL_HTTP_ERROR_PAGE_H
#define LINTEL_HTTP_ERROR_PAGE_H

#include "http/exchange.h"

/* Answers with the small page of a status: HTML, JSON or text, by the request's Accept. */
void error_page_respond(struct exchange *ex, int status);

#endif
