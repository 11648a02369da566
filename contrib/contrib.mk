EXTRA_DIST += \
	contrib/bench \
	contrib/bench-sites \
	contrib/bench_machine.py \
	contrib/bench_servers.py \
	contrib/echo_load.c \
	contrib/echo_server.c \
	contrib/handshakes.c \
	contrib/lintel.conf.in \
	contrib/quickstart

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = contrib/completion/lintel.bash
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = contrib/completion/_lintel

exampledir = $(docdir)/examples
example_DATA = contrib/lintel.conf

contrib/lintel.conf: $(srcdir)/contrib/lintel.conf.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib && \
		sed 's|[@]wwwdir[@]|$(wwwdir)|' $(srcdir)/contrib/lintel.conf.in >$@.new && mv $@.new $@
CLEANFILES += contrib/lintel.conf
