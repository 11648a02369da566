/* The built-in pages for error statuses: HTML, JSON (RFC 9457) or text, by the request's Accept.
 * Nothing of the request is in them. */
#ifndef LINTEL_HTTP_ERROR_PAGE_H
#define LINTEL_HTTP_ERROR_PAGE_H

#include "http/exchange.h"

/* Those that a service has sent, kept ready. */
struct error_pages;

struct error_pages *error_pages_new(void);
void error_pages_free(struct error_pages *pages); /* NULL is fine */

/* Answers with the page of a status from 400 to 599. Fields of the response stay, but for its
 * Content-Type. */
void error_page_respond(struct exchange *ex, int status);

#endif
