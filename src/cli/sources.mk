bin_PROGRAMS += lintel
lintel_LDADD = liblintel.a $(libraries)
lintel_SOURCES = \
	src/cli/adapt.c \
	src/cli/certs.c \
	src/cli/cli.h \
	src/cli/directives.c \
	src/cli/file_server.c \
	src/cli/fmt.c \
	src/cli/foreign.c \
	src/cli/hash_password.c \
	src/cli/help.c \
	src/cli/listen.c \
	src/cli/main.c \
	src/cli/oneliner.c \
	src/cli/oneliner.h \
	src/cli/options.c \
	src/cli/reload.c \
	src/cli/respond.c \
	src/cli/reverse_proxy.c \
	src/cli/run.c \
	src/cli/status.c \
	src/cli/validate.c \
	src/cli/version.c
