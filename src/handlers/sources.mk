liblintel_a_SOURCES += \
	src/handlers/header.c \
	src/handlers/header.h \
	src/handlers/header_replace.c \
	src/handlers/header_replace.h \
	src/handlers/redir.c \
	src/handlers/redir.h \
	src/handlers/respond.c \
	src/handlers/respond.h \
	src/handlers/reverse_proxy.c \
	src/handlers/reverse_proxy.h \
	src/handlers/reverse_proxy_conf.c \
	src/handlers/reverse_proxy_conf.h \
	src/handlers/reverse_proxy_fields.c \
	src/handlers/reverse_proxy_fields.h \
	src/handlers/root.c \
	src/handlers/root.h
