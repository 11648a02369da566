liblintel_a_SOURCES += \
	src/handlers/auth_cache.c \
	src/handlers/auth_cache.h \
	src/handlers/basic_auth.c \
	src/handlers/basic_auth.h \
	src/handlers/basic_auth_conf.c \
	src/handlers/basic_auth_conf.h \
	src/handlers/beneath.c \
	src/handlers/beneath.h \
	src/handlers/copy_response.c \
	src/handlers/copy_response.h \
	src/handlers/credentials.c \
	src/handlers/credentials.h \
	src/handlers/encode.c \
	src/handlers/encode.h \
	src/handlers/encode_body.c \
	src/handlers/encode_body.h \
	src/handlers/encode_br.c \
	src/handlers/encode_coder.h \
	src/handlers/encode_etag.c \
	src/handlers/encode_etag.h \
	src/handlers/encode_form.c \
	src/handlers/encode_form.h \
	src/handlers/encode_gzip.c \
	src/handlers/encode_pool.c \
	src/handlers/encode_pool.h \
	src/handlers/encode_zstd.c \
	src/handlers/error.c \
	src/handlers/error.h \
	src/handlers/field_edit.c \
	src/handlers/field_edit.h \
	src/handlers/file_cache.c \
	src/handlers/file_cache.h \
	src/handlers/file_glob.c \
	src/handlers/file_glob.h \
	src/handlers/file_lookup.c \
	src/handlers/file_lookup.h \
	src/handlers/file_match.c \
	src/handlers/file_match.h \
	src/handlers/file_multipart.c \
	src/handlers/file_multipart.h \
	src/handlers/file_rep.c \
	src/handlers/file_rep.h \
	src/handlers/file_respond.c \
	src/handlers/file_respond.h \
	src/handlers/file_server.c \
	src/handlers/file_server.h \
	src/handlers/file_server_conf.c \
	src/handlers/file_server_conf.h \
	src/handlers/forward_auth.c \
	src/handlers/forward_auth.h \
	src/handlers/handle.c \
	src/handlers/handle.h \
	src/handlers/header.c \
	src/handlers/header.h \
	src/handlers/limit_table.c \
	src/handlers/limit_table.h \
	src/handlers/log.c \
	src/handlers/log.h \
	src/handlers/map.c \
	src/handlers/map.h \
	src/handlers/metrics.c \
	src/handlers/metrics.h \
	src/handlers/mime.c \
	src/handlers/mime.h \
	src/handlers/mime_table.h \
	src/handlers/network.c \
	src/handlers/network.h \
	src/handlers/proxied.h \
	src/handlers/proxied_attempt.c \
	src/handlers/proxied_relay.c \
	src/handlers/proxied_respond.c \
	src/handlers/proxy_answer.c \
	src/handlers/proxy_answer.h \
	src/handlers/rate_limit.c \
	src/handlers/rate_limit.h \
	src/handlers/redir.c \
	src/handlers/redir.h \
	src/handlers/relay_buffer.c \
	src/handlers/relay_buffer.h \
	src/handlers/request_body.c \
	src/handlers/request_body.h \
	src/handlers/respond.c \
	src/handlers/respond.h \
	src/handlers/response_match.c \
	src/handlers/response_match.h \
	src/handlers/reverse_proxy.c \
	src/handlers/reverse_proxy.h \
	src/handlers/reverse_proxy_conf.c \
	src/handlers/reverse_proxy_conf.h \
	src/handlers/reverse_proxy_fields.c \
	src/handlers/reverse_proxy_fields.h \
	src/handlers/reverse_proxy_transport.c \
	src/handlers/rewrite.c \
	src/handlers/rewrite.h \
	src/handlers/root.c \
	src/handlers/root.h \
	src/handlers/sniff.c \
	src/handlers/sniff.h \
	src/handlers/try_files.c \
	src/handlers/try_files.h \
	src/handlers/upstream.c \
	src/handlers/upstream.h \
	src/handlers/uri.c \
	src/handlers/uri.h \
	src/handlers/uri_query.c \
	src/handlers/uri_query.h \
	src/handlers/vars.c \
	src/handlers/vars.h

# The table of media types: of Debian's list, or that of the build's system, and of what we know better.
mime_maker = $(srcdir)/src/handlers/mime_table.sh
nodist_liblintel_a_SOURCES += mime_table.c
mime_table.c: $(mime_maker) $(srcdir)/src/handlers/mime.ours $(MIME_TYPES)
	$(AM_V_GEN)$(SHELL) $(mime_maker) $(MIME_TYPES) $(srcdir)/src/handlers/mime.ours >$@.new && \
		mv $@.new $@
CLEANFILES += mime_table.c mime_table.c.new
EXTRA_DIST += $(mime_maker) src/handlers/mime.ours src/handlers/mime.types
