dist_man_MANS += \
	doc/lintel.1 \
	doc/lintel.conf.5

EXTRA_DIST += \
	doc/HACKING.md \
	doc/architecture.md \
	doc/performance.md \
	doc/recipes.md
