liblintel_a_SOURCES += \
	src/handlers/reverse_proxy.c \
	src/handlers/reverse_proxy.h \
	src/handlers/reverse_proxy_conf.c \
	src/handlers/reverse_proxy_conf.h \
	src/handlers/reverse_proxy_fields.c \
	src/handlers/reverse_proxy_fields.h
