liblintel_a_SOURCES += \
	src/http/exchange.h \
	src/http/fields.h \
	src/http/handler.h \
	src/http/match.h \
	src/http/path.h \
	src/http/placeholder.h \
	src/http/prepared.h \
	src/http/service.h
