liblintel_a_SOURCES += \
	src/cert/cert_set.h \
	src/cert/keys.h \
	src/cert/local_ca.h \
	src/cert/manager.h \
	src/cert/store.h \
	src/cert/store_layout.h \
	src/cert/x509.h
