dist_man_MANS += \
	doc/lintel.conf.5
