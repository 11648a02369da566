# Builds the fuzz targets with clang (libFuzzer, ASan, UBSan) and runs each for $(FUZZ_SECONDS), as
# many at a time as make has jobs. "make fuzz" calls it in the build folder, after ./configure:
#
#   make fuzz                                    all targets, 30 s each
#   make fuzz FUZZ_SECONDS=600 FUZZ_TARGETS=conf one, for ten minutes
#   make fuzz-merge                              brings what was found into the corpus of the sources
#
# Everything is made below fuzz-build/: what reaches new code goes to fuzz-build/corpus/TARGET, where
# the next run goes on from. An input that breaks a target is kept in fuzz-build/crashes/TARGET-*.

SRC ?= .
FUZZ_SECONDS ?= 30
FUZZ_CC ?= clang
FUZZ_TARGETS ?= $(patsubst $(SRC)/tests/fuzz/fuzz_%.c,%,$(wildcard $(SRC)/tests/fuzz/fuzz_*.c))

out := fuzz-build
sanitizers := -fsanitize=address,undefined -fno-sanitize-recover=all
packages := libmicrohttpd gnutls libcurl json-c libpcre2-8 \
	$(shell grep -q '^.define HAVE_ARGON2' config.h && echo libargon2) \
	$(shell grep -q '^.define HAVE_IDN2' config.h && echo libidn2) \
	$(shell grep -q '^.define HAVE_ZLIB' config.h && echo zlib) \
	$(shell grep -q '^.define HAVE_ZSTD' config.h && echo libzstd) \
	$(shell grep -q '^.define HAVE_BROTLI' config.h && echo libbrotlienc libbrotlidec)
cflags := -std=gnu11 -g -O1 -fno-omit-frame-pointer -fno-strict-aliasing -pthread $(sanitizers) \
	-D_GNU_SOURCE -DARENA_MALLOC -DDATADIR='"/nonexistent"' -w -include config.h -I. -I$(SRC)/src \
	$(shell pkg-config --cflags $(packages)) -MMD -MP
libs := $(shell pkg-config --libs $(packages)) $(LIBS)

sources := $(filter-out $(SRC)/src/cli/%,$(wildcard $(SRC)/src/*/*.c))
objects := $(sources:$(SRC)/src/%.c=$(out)/%.o) $(out)/www_pages.o $(out)/mime_table.o
programs := $(FUZZ_TARGETS:%=$(out)/fuzz_%)

run: $(FUZZ_TARGETS:%=run-%)
build: $(programs)

run-%: $(out)/fuzz_%
	@mkdir -p $(out)/corpus/$* $(out)/crashes
	@echo "fuzz_$*: $(FUZZ_SECONDS) s"
	@ASAN_OPTIONS=detect_leaks=1 $< -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 \
		-max_len=65536 -print_final_stats=1 -artifact_prefix=$(out)/crashes/$*- \
		$(out)/corpus/$* $(SRC)/tests/fuzz/corpus/$* >$(out)/$*.log 2>&1 || \
		{ tail -n 60 $(out)/$*.log; echo "FAIL: fuzz_$*, see $(out)/crashes"; exit 1; }
	@sed -n 's/^stat::number_of_executed_units: */fuzz_$*: executions /p' $(out)/$*.log

merge: $(FUZZ_TARGETS:%=merge-%)
merge-%: $(out)/fuzz_%
	$< -merge=1 $(SRC)/tests/fuzz/corpus/$* $(out)/corpus/$*

$(out)/fuzz_%: $(SRC)/tests/fuzz/fuzz_%.c $(out)/liblintel.a
	@echo "  FUZZLD   $@"
	@$(FUZZ_CC) $(cflags) -fsanitize=fuzzer -o $@ $^ $(libs)

$(out)/fuzz_encoding: $(SRC)/tests/unit/decoder.c
$(out)/fuzz_fastcgi: $(SRC)/tests/unit/fcgi_transcript.c
$(out)/fuzz_response: $(SRC)/tests/unit/transcript.c

$(out)/liblintel.a: $(objects)
	@rm -f $@
	@ar cr $@ $^

$(out)/%.o: $(SRC)/src/%.c config.h
	@mkdir -p $(@D)
	@echo "  FUZZCC   $@"
	@$(FUZZ_CC) $(cflags) -fsanitize=fuzzer-no-link -c -o $@ $<

$(out)/www_pages.o: www/www_pages.c
$(out)/mime_table.o: mime_table.c
$(out)/www_pages.o $(out)/mime_table.o:
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(cflags) -c -o $@ $<

-include $(objects:.o=.d)
.PHONY: run build merge
.SECONDARY:
