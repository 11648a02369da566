liblintel_a_SOURCES += \
	src/engines/acme_alpn.c \
	src/engines/acme_alpn.h \
	src/engines/h1_body.c \
	src/engines/h1_conn.c \
	src/engines/h1_deadline.c \
	src/engines/h1_gate.c \
	src/engines/h1_gate.h \
	src/engines/h1_hold.c \
	src/engines/h1_interim.c \
	src/engines/h1_internal.h \
	src/engines/h1_linger.c \
	src/engines/h1_mhd.c \
	src/engines/h1_mhd.h \
	src/engines/h1_push.c \
	src/engines/h1_request.c \
	src/engines/h1_respond.c \
	src/engines/h1_tunnel.c \
	src/engines/h1_variant.c \
	src/engines/tls_session.c \
	src/engines/tls_session.h \
	src/engines/tls_tickets.c
