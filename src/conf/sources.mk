liblintel_a_SOURCES += \
	src/conf/conf.h \
	src/conf/directive.h \
	src/conf/load.h
