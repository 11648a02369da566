liblintel_a_SOURCES += \
	src/server/client_hello.c \
	src/server/client_hello.h \
	src/server/worker.h
