/* The media types that are built in. mime_table.c is made by mime_table.sh, of the build's
 * mime.types and of mime.ours: texts in pools, ended by a NUL each, and rows of offsets in them. */
#ifndef LINTEL_HANDLERS_MIME_TABLE_H
#define LINTEL_HANDLERS_MIME_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* By extension, lower-case, in strictly ascending order of bytes. */
struct mime_row {
    uint16_t extension; /* in mime_extensions */
    uint16_t type;      /* in mime_types; with its charset */
};

/* Another type that a list of the system may have for the extension of a row, to be passed over:
 * it is out of date. Ascending by row. */
struct mime_old_row {
    uint16_t row;
    uint16_t type; /* in mime_old_types */
};

extern const char mime_extensions[];
extern const char mime_types[];
extern const char mime_old_types[];
extern const struct mime_row mime_rows[];
extern const size_t mime_n_rows;
extern const struct mime_old_row mime_old_rows[];
extern const size_t mime_n_old_rows;

#endif
