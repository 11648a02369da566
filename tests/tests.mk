# Unit tests link the real objects: the test of src/x/y.c is tests/unit/test_y.c.
unit_ldadd = liblintel.a $(CMOCKA_LIBS) $(libraries)
unit_tests = \
	tests/unit/test_acme_parse \
	tests/unit/test_address \
	tests/unit/test_base64 \
	tests/unit/test_cert_set \
	tests/unit/test_client_hello \
	tests/unit/test_conf \
	tests/unit/test_conf_errors \
	tests/unit/test_date \
	tests/unit/test_fetch \
	tests/unit/test_hsts \
	tests/unit/test_jws \
	tests/unit/test_keys \
	tests/unit/test_lexer \
	tests/unit/test_local_ca \
	tests/unit/test_parser \
	tests/unit/test_reverse_proxy \
	tests/unit/test_schedule \
	tests/unit/test_store_fs \
	tests/unit/test_text \
	tests/unit/test_x509

tests_unit_test_acme_parse_SOURCES = tests/unit/test_acme_parse.c
tests_unit_test_acme_parse_LDADD = $(unit_ldadd)
tests_unit_test_address_SOURCES = tests/unit/test_address.c
tests_unit_test_address_LDADD = $(unit_ldadd)
tests_unit_test_base64_SOURCES = tests/unit/test_base64.c
tests_unit_test_base64_LDADD = $(unit_ldadd)
tests_unit_test_cert_set_SOURCES = tests/unit/test_cert_set.c
tests_unit_test_cert_set_LDADD = $(unit_ldadd)
tests_unit_test_client_hello_SOURCES = tests/unit/test_client_hello.c
tests_unit_test_client_hello_LDADD = $(unit_ldadd)
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c tests/unit/conf_fixture.h
tests_unit_test_conf_LDADD = $(unit_ldadd)
tests_unit_test_conf_errors_SOURCES = tests/unit/test_conf_errors.c tests/unit/conf_fixture.h
tests_unit_test_conf_errors_LDADD = $(unit_ldadd)
tests_unit_test_date_SOURCES = tests/unit/test_date.c
tests_unit_test_date_LDADD = $(unit_ldadd)
tests_unit_test_fetch_SOURCES = tests/unit/peer.c tests/unit/peer.h tests/unit/test_fetch.c
tests_unit_test_fetch_LDADD = $(unit_ldadd)
tests_unit_test_hsts_SOURCES = tests/unit/test_hsts.c
tests_unit_test_hsts_LDADD = $(unit_ldadd)
tests_unit_test_jws_SOURCES = tests/unit/test_jws.c
tests_unit_test_jws_LDADD = $(unit_ldadd)
tests_unit_test_keys_SOURCES = tests/unit/test_keys.c
tests_unit_test_keys_LDADD = $(unit_ldadd)
tests_unit_test_lexer_SOURCES = tests/unit/test_lexer.c
tests_unit_test_lexer_LDADD = $(unit_ldadd)
tests_unit_test_local_ca_SOURCES = tests/unit/test_local_ca.c
tests_unit_test_local_ca_LDADD = $(unit_ldadd)
tests_unit_test_parser_SOURCES = tests/unit/test_parser.c
tests_unit_test_parser_LDADD = $(unit_ldadd)
tests_unit_test_reverse_proxy_SOURCES = tests/unit/peer.c tests/unit/peer.h \
	tests/unit/test_reverse_proxy.c
tests_unit_test_reverse_proxy_LDADD = $(unit_ldadd)
tests_unit_test_schedule_SOURCES = tests/unit/test_schedule.c
tests_unit_test_schedule_LDADD = $(unit_ldadd)
tests_unit_test_store_fs_SOURCES = tests/unit/test_store_fs.c
tests_unit_test_store_fs_LDADD = $(unit_ldadd)
tests_unit_test_text_SOURCES = tests/unit/test_text.c
tests_unit_test_text_LDADD = $(unit_ldadd)
tests_unit_test_x509_SOURCES = tests/unit/test_x509.c
tests_unit_test_x509_LDADD = $(unit_ldadd)

if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

# Integration tests drive the real binary: tests/it/<area>-<what>.sh or .py, on tests/it/lib.sh or
# lib.py. They skip themselves (77) when a peer program they need is not installed.
it_tests =

# Checks of the sources themselves.
lint_tests =

TESTS += $(it_tests) $(lint_tests)
EXTRA_DIST += $(it_tests) $(lint_tests) \
	tests/fuzz/corpus/client_hello \
	tests/it/free_port.py \
	tests/it/lib.py \
	tests/it/lib.sh \
	tests/it/pebble.py

TEST_EXTENSIONS = .sh .py
SH_LOG_COMPILER = $(SHELL)
PY_LOG_COMPILER = python3
AM_TESTS_ENVIRONMENT = \
	LINTEL='$(abs_top_builddir)/lintel'; export LINTEL; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE;
