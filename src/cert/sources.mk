liblintel_a_SOURCES += \
	src/cert/cert_set.h \
	src/cert/manager.h
