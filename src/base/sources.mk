liblintel_a_SOURCES += \
	src/base/alloc.c \
	src/base/alloc.h \
	src/base/arena.c \
	src/base/arena.h \
	src/base/base64.c \
	src/base/base64.h \
	src/base/buf.c \
	src/base/buf.h \
	src/base/date.c \
	src/base/date.h \
	src/base/err.c \
	src/base/err.h \
	src/base/file.c \
	src/base/file.h \
	src/base/list.h \
	src/base/log.c \
	src/base/log.h \
	src/base/log_limit.h \
	src/base/password.c \
	src/base/password.h \
	src/base/random.c \
	src/base/random.h \
	src/base/siphash.c \
	src/base/siphash.h \
	src/base/str.c \
	src/base/str.h
