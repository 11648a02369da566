# The welcome page.
wwwdir = $(pkgdatadir)/www
dist_www_DATA = \
	www/favicon.svg \
	www/index.html \
	www/style.css
