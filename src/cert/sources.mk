liblintel_a_SOURCES += \
	src/cert/acme.c \
	src/cert/acme.h \
	src/cert/acme_ca.c \
	src/cert/acme_exchange.c \
	src/cert/acme_parse.c \
	src/cert/acme_parse.h \
	src/cert/acme_priv.h \
	src/cert/acme_problem.c \
	src/cert/acme_states.c \
	src/cert/cert_set.h \
	src/cert/jdoc.c \
	src/cert/jdoc.h \
	src/cert/jws.c \
	src/cert/jws.h \
	src/cert/keys.c \
	src/cert/keys.h \
	src/cert/local_ca.h \
	src/cert/manager.h \
	src/cert/schedule.c \
	src/cert/schedule.h \
	src/cert/store.h \
	src/cert/store_fs.c \
	src/cert/store_fs.h \
	src/cert/store_fs_lock.c \
	src/cert/store_layout.c \
	src/cert/store_layout.h \
	src/cert/x509.h
