liblintel_a_SOURCES += \
	src/io/fetch.h \
	src/io/loop.c \
	src/io/loop.h \
	src/io/mailbox.c \
	src/io/mailbox.h
