liblintel_a_SOURCES += \
	src/http/access_log.c \
	src/http/access_log.h \
	src/http/conditional.c \
	src/http/conditional.h \
	src/http/error_page.c \
	src/http/exchange.c \
	src/http/exchange.h \
	src/http/fields.c \
	src/http/fields.h \
	src/http/handler.h \
	src/http/hsts.c \
	src/http/hsts.h \
	src/http/match.c \
	src/http/match.h \
	src/http/path.c \
	src/http/path.h \
	src/http/placeholder.c \
	src/http/placeholder.h \
	src/http/prepared.c \
	src/http/prepared.h \
	src/http/ranges.c \
	src/http/ranges.h \
	src/http/service.c \
	src/http/service.h \
	src/http/status.c
