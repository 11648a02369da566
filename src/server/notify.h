/* Tells a service manager how we are, over the socket it names in $NOTIFY_SOCKET (sd_notify(3)).
 * Without one nothing happens. */
#ifndef LINTEL_SERVER_NOTIFY_H
#define LINTEL_SERVER_NOTIFY_H

void notify_ready(void);
void notify_reloading(void); /* notify_ready() ends it */
void notify_stopping(void);

#endif
