liblintel_a_SOURCES += \
	src/engines/acme_alpn.h \
	src/engines/h1_mhd.h \
	src/engines/tls_session.h
