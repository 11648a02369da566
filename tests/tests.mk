# Unit tests link the real objects: the test of src/x/y.c is tests/unit/test_y.c.
unit_ldadd = liblintel.a $(CMOCKA_LIBS) $(libraries)
unit_tests = \
	tests/unit/test_date \
	tests/unit/test_hsts

tests_unit_test_date_SOURCES = tests/unit/test_date.c
tests_unit_test_date_LDADD = $(unit_ldadd)
tests_unit_test_hsts_SOURCES = tests/unit/test_hsts.c
tests_unit_test_hsts_LDADD = $(unit_ldadd)

if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
