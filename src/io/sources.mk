liblintel_a_SOURCES += \
	src/io/cgi_response.c \
	src/io/cgi_response.h \
	src/io/fcgi.c \
	src/io/fcgi.h \
	src/io/fcgi_response.c \
	src/io/fcgi_response.h \
	src/io/fetch.c \
	src/io/fetch.h \
	src/io/fetch_options.c \
	src/io/fetch_priv.h \
	src/io/fetch_response.c \
	src/io/fetch_sockets.c \
	src/io/loop.c \
	src/io/loop.h \
	src/io/mailbox.c \
	src/io/mailbox.h \
	src/io/offload.c \
	src/io/offload.h \
	src/io/response_parser.c \
	src/io/response_parser.h \
	src/io/proxy_header.c \
	src/io/proxy_header.h \
	src/io/transfer.h
