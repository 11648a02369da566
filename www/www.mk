# The welcome page.
wwwdir = $(pkgdatadir)/www
dist_www_DATA = \
	www/favicon.svg \
	www/index.html \
	www/style.css

# The pages in the binary: each has its line in src/http/www_pages.h.
www_pages = \
	$(srcdir)/www/browse.html \
	$(srcdir)/www/error.html
# What they include.
www_parts = \
	$(srcdir)/www/browse.css \
	$(srcdir)/www/browse.js \
	$(srcdir)/www/error.css
www_embed = $(srcdir)/www/embed.awk

nodist_liblintel_a_SOURCES += www/www_pages.c
www/www_pages.c: $(www_pages) $(www_parts) $(www_embed)
	$(AM_V_GEN)$(MKDIR_P) www && \
		LC_ALL=C $(AWK) -f $(www_embed) $(www_pages) >$@.new && mv $@.new $@
CLEANFILES += www/www_pages.c
EXTRA_DIST += $(www_pages) $(www_parts) $(www_embed)
