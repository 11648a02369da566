# Unit tests link the real objects: the test of src/x/y.c is tests/unit/test_y.c. Automake takes that
# one source, and LDADD, where nothing else is said.
LDADD = liblintel.a $(CMOCKA_LIBS) $(libraries)
unit_tests = \
	tests/unit/test_accept \
	tests/unit/test_accept_encoding \
	tests/unit/test_acme_alpn \
	tests/unit/test_acme_ca \
	tests/unit/test_acme_parse \
	tests/unit/test_address \
	tests/unit/test_arena \
	tests/unit/test_balance \
	tests/unit/test_base64 \
	tests/unit/test_basic_auth \
	tests/unit/test_beneath \
	tests/unit/test_browse_list \
	tests/unit/test_browse_template \
	tests/unit/test_browse_text \
	tests/unit/test_cel \
	tests/unit/test_cert_set \
	tests/unit/test_client_hello \
	tests/unit/test_client_ip \
	tests/unit/test_conditional \
	tests/unit/test_conf \
	tests/unit/test_conf_errors \
	tests/unit/test_date \
	tests/unit/test_diff \
	tests/unit/test_direct \
	tests/unit/test_dns \
	tests/unit/test_encode \
	tests/unit/test_encode_body \
	tests/unit/test_error_page \
	tests/unit/test_exchange \
	tests/unit/test_fastcgi_script \
	tests/unit/test_fcgi \
	tests/unit/test_fields \
	tests/unit/test_file_cache \
	tests/unit/test_file_etag \
	tests/unit/test_file_match \
	tests/unit/test_glob \
	tests/unit/test_format \
	tests/unit/test_h1 \
	tests/unit/test_h1_gate \
	tests/unit/test_hsts \
	tests/unit/test_import \
	tests/unit/test_is_json \
	tests/unit/test_jws \
	tests/unit/test_keys \
	tests/unit/test_lexer \
	tests/unit/test_limit_table \
	tests/unit/test_limits \
	tests/unit/test_local_ca \
	tests/unit/test_loop \
	tests/unit/test_match \
	tests/unit/test_merge \
	tests/unit/test_memory_file \
	tests/unit/test_mime \
	tests/unit/test_offload \
	tests/unit/test_parser \
	tests/unit/test_password \
	tests/unit/test_path \
	tests/unit/test_placeholder \
	tests/unit/test_proxy_answer \
	tests/unit/test_proxy_header \
	tests/unit/test_quote \
	tests/unit/test_ranges \
	tests/unit/test_regex \
	tests/unit/test_rate_limit \
	tests/unit/test_resolve \
	tests/unit/test_response_parser \
	tests/unit/test_retry \
	tests/unit/test_reverse_proxy \
	tests/unit/test_reverse_proxy_conf \
	tests/unit/test_reverse_proxy_fields \
	tests/unit/test_rewrite \
	tests/unit/test_schedule \
	tests/unit/test_siphash \
	tests/unit/test_store_fs \
	tests/unit/test_text \
	tests/unit/test_tls_session \
	tests/unit/test_transfer \
	tests/unit/test_upstream \
	tests/unit/test_vault \
	tests/unit/test_x509

tests_unit_test_conf_SOURCES = tests/unit/test_conf.c tests/unit/conf_fixture.h
tests_unit_test_conf_errors_SOURCES = tests/unit/test_conf_errors.c tests/unit/conf_fixture.h
tests_unit_test_import_SOURCES = tests/unit/test_import.c tests/unit/conf_fixture.h
tests_unit_test_encode_SOURCES = tests/unit/decoder.c tests/unit/decoder.h \
	tests/unit/test_encode.c
tests_unit_test_encode_body_SOURCES = tests/unit/decoder.c tests/unit/decoder.h \
	tests/unit/test_encode_body.c
tests_unit_test_client_ip_SOURCES = tests/unit/conf_fixture.h tests/unit/matcher_rig.c \
	tests/unit/matcher_rig.h tests/unit/test_client_ip.c
tests_unit_test_cel_SOURCES = tests/unit/conf_fixture.h tests/unit/matcher_rig.c \
	tests/unit/matcher_rig.h tests/unit/test_cel.c
tests_unit_test_file_match_SOURCES = tests/unit/conf_fixture.h tests/unit/matcher_rig.c \
	tests/unit/matcher_rig.h tests/unit/test_file_match.c
tests_unit_test_match_SOURCES = tests/unit/conf_fixture.h tests/unit/matcher_rig.c \
	tests/unit/matcher_rig.h tests/unit/test_match.c
tests_unit_test_fastcgi_script_SOURCES = tests/unit/conf_fixture.h tests/unit/matcher_rig.c \
	tests/unit/matcher_rig.h tests/unit/test_fastcgi_script.c
tests_unit_test_fcgi_SOURCES = tests/unit/fcgi_transcript.c \
	tests/unit/fcgi_transcript.h tests/unit/test_fcgi.c
transfer_rig = tests/unit/peer.c tests/unit/peer.h tests/unit/transfer_rig.c \
	tests/unit/transfer_rig.h
tests_unit_test_direct_SOURCES = $(transfer_rig) tests/unit/test_direct.c
tests_unit_test_transfer_SOURCES = $(transfer_rig) tests/unit/test_transfer.c
tests_unit_test_acme_alpn_SOURCES = tests/unit/h1_rig.c tests/unit/h1_rig.h \
	tests/unit/test_acme_alpn.c
tests_unit_test_h1_SOURCES = tests/unit/h1_rig.c tests/unit/h1_rig.h tests/unit/test_h1.c
tests_unit_test_response_parser_SOURCES = tests/unit/test_response_parser.c \
	tests/unit/transcript.c tests/unit/transcript.h
tests_unit_test_tls_session_SOURCES = tests/unit/h1_rig.c tests/unit/h1_rig.h \
	tests/unit/test_tls_session.c
proxy_rig = tests/unit/peer.c tests/unit/peer.h tests/unit/proxy_rig.c tests/unit/proxy_rig.h
tests_unit_test_proxy_answer_SOURCES = $(proxy_rig) tests/unit/test_proxy_answer.c
tests_unit_test_reverse_proxy_SOURCES = $(proxy_rig) tests/unit/test_reverse_proxy.c
tests_unit_test_reverse_proxy_conf_SOURCES = $(proxy_rig) tests/unit/test_reverse_proxy_conf.c
tests_unit_test_reverse_proxy_fields_SOURCES = $(proxy_rig) tests/unit/test_reverse_proxy_fields.c

if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

# Fuzz targets: in "make check" they run once over their corpus, by "make fuzz" for a while.
fuzz_programs = \
	tests/fuzz/fuzz_accept \
	tests/fuzz/fuzz_acme \
	tests/fuzz/fuzz_cel \
	tests/fuzz/fuzz_adapt \
	tests/fuzz/fuzz_client_hello \
	tests/fuzz/fuzz_conf \
	tests/fuzz/fuzz_dns \
	tests/fuzz/fuzz_encoding \
	tests/fuzz/fuzz_fastcgi \
	tests/fuzz/fuzz_format \
	tests/fuzz/fuzz_path \
	tests/fuzz/fuzz_ranges \
	tests/fuzz/fuzz_response \
	tests/fuzz/fuzz_text

tests_fuzz_fuzz_accept_SOURCES = tests/fuzz/fuzz_accept.c tests/fuzz/replay.c
tests_fuzz_fuzz_acme_SOURCES = tests/fuzz/fuzz_acme.c tests/fuzz/replay.c
tests_fuzz_fuzz_cel_SOURCES = tests/fuzz/fuzz_cel.c tests/fuzz/replay.c tests/unit/conf_fixture.h
tests_fuzz_fuzz_adapt_SOURCES = tests/fuzz/fuzz_adapt.c tests/fuzz/replay.c
tests_fuzz_fuzz_client_hello_SOURCES = tests/fuzz/fuzz_client_hello.c tests/fuzz/replay.c
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c tests/fuzz/replay.c
tests_fuzz_fuzz_encoding_SOURCES = tests/fuzz/fuzz_encoding.c tests/fuzz/replay.c \
	tests/unit/decoder.c tests/unit/decoder.h
tests_fuzz_fuzz_fastcgi_SOURCES = tests/fuzz/fuzz_fastcgi.c tests/fuzz/replay.c \
	tests/unit/fcgi_transcript.c tests/unit/fcgi_transcript.h
tests_fuzz_fuzz_format_SOURCES = tests/fuzz/fuzz_format.c tests/fuzz/replay.c
tests_fuzz_fuzz_dns_SOURCES = tests/fuzz/fuzz_dns.c tests/fuzz/replay.c
tests_fuzz_fuzz_path_SOURCES = tests/fuzz/fuzz_path.c tests/fuzz/replay.c
tests_fuzz_fuzz_ranges_SOURCES = tests/fuzz/fuzz_ranges.c tests/fuzz/replay.c
tests_fuzz_fuzz_response_SOURCES = tests/fuzz/fuzz_response.c tests/fuzz/replay.c \
	tests/unit/transcript.c tests/unit/transcript.h
tests_fuzz_fuzz_text_SOURCES = tests/fuzz/fuzz_text.c tests/fuzz/replay.c

check_PROGRAMS += $(fuzz_programs)
TESTS += tests/fuzz/corpus.sh
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/corpus.sh tests/fuzz/fuzz.mk

fuzz fuzz-merge: www/www_pages.c mime_table.c
	+@$(MAKE) --no-print-directory -f $(srcdir)/tests/fuzz/fuzz.mk SRC=$(srcdir) LIBS='$(LIBS)' \
		`echo $@ | sed 's/fuzz-//;s/fuzz/run/'`
.PHONY: fuzz fuzz-merge
clean-local:
	-rm -rf fuzz-build

include tests/it/it.mk

# The differential tests: the same Caddyfiles and requests for Caddy and for Lintel; the same files for
# Caddy, nginx and Lintel.
TESTS += tests/diff/files.py tests/diff/proxy-curl.py tests/diff/run.py
EXTRA_DIST += tests/diff/cases \
	tests/diff/casefile.py \
	tests/diff/compare.py \
	tests/diff/differences.py \
	tests/diff/echo.py \
	tests/diff/files.py \
	tests/diff/files.requests \
	tests/diff/files_differences.py \
	tests/diff/files_folder.py \
	tests/diff/proxy-curl.py \
	tests/diff/run.py \
	tests/diff/servers.py \
	tests/diff/wire.py

# Checks of the sources themselves.
lint_tests = \
	tests/lint/arrows.sh \
	tests/lint/bans.sh \
	tests/lint/directives.py \
	tests/lint/format.sh \
	tests/lint/libraries.sh \
	tests/lint/lists.sh \
	tests/lint/manual.sh \
	tests/lint/shell.sh \
	tests/lint/sizes.sh

TESTS += $(lint_tests)
EXTRA_DIST += $(lint_tests)

TEST_EXTENSIONS = .sh .py
SH_LOG_COMPILER = $(SHELL)
PY_LOG_COMPILER = python3
AM_TESTS_ENVIRONMENT = \
	LINTEL='$(abs_top_builddir)/lintel'; export LINTEL; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE;
