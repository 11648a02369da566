EXTRA_DIST += \
	contrib/bench \
	contrib/handshakes.c \
	contrib/lintel.conf.in \
	contrib/quickstart

exampledir = $(docdir)/examples
example_DATA = contrib/lintel.conf

contrib/lintel.conf: $(srcdir)/contrib/lintel.conf.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib && \
		sed 's|[@]wwwdir[@]|$(wwwdir)|' $(srcdir)/contrib/lintel.conf.in >$@.new && mv $@.new $@
CLEANFILES += contrib/lintel.conf
