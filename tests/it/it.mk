# Integration tests drive the real binary: tests/it/<area>-<what>.sh or .py, on tests/it/lib.sh or
# lib.py. They skip themselves (77) when a peer program they need is not installed.
it_tests = \
	tests/it/acme-away.sh \
	tests/it/acme-beside.sh \
	tests/it/acme-eab.sh \
	tests/it/acme-expired.sh \
	tests/it/acme-fifty.sh \
	tests/it/acme-hostile.py \
	tests/it/acme-http.sh \
	tests/it/acme-kill.sh \
	tests/it/acme-renew.py \
	tests/it/acme-storage.sh \
	tests/it/acme-takeover.sh \
	tests/it/acme-tls-alpn.sh \
	tests/it/acme-two.sh \
	tests/it/auth-basic.py \
	tests/it/auth-hash.py \
	tests/it/bug-room-expect.py \
	tests/it/bug-tls12-request.py \
	tests/it/certs-local.sh \
	tests/it/conf-errors.py \
	tests/it/conf-patterns.py \
	tests/it/encode-files.py \
	tests/it/encode-stream.py \
	tests/it/files-beneath.py \
	tests/it/files-cache.py \
	tests/it/files-change.py \
	tests/it/files-conditional.py \
	tests/it/files-descriptors.py \
	tests/it/files-directives.py \
	tests/it/files-ranges.py \
	tests/it/files-churn.py \
	tests/it/files-descriptors.py \
	tests/it/files-directives.py \
	tests/it/files-hostile.py \
	tests/it/files-precompressed.py \
	tests/it/files-serve.py \
	tests/it/files-types.py \
	tests/it/fmt-caddy.py \
	tests/it/fmt-files.sh \
	tests/it/h1-gate.py \
	tests/it/h1-hostile.py \
	tests/it/hostile-peers.py \
	tests/it/hsts.py \
	tests/it/local-ca.py \
	tests/it/local-clock.py \
	tests/it/log-access.py \
	tests/it/log-directive.py \
	tests/it/pages-chromium.py \
	tests/it/pages-embed.sh \
	tests/it/pages-errors.py \
	tests/it/proxy-answers.py \
	tests/it/proxy-auth.py \
	tests/it/proxy-balance.py \
	tests/it/proxy-basic.py \
	tests/it/proxy-health.py \
	tests/it/proxy-protocol.py \
	tests/it/proxy-stream.py \
	tests/it/rate-limit.py \
	tests/it/reload-changes.py \
	tests/it/reload-load.py \
	tests/it/request-change.py \
	tests/it/request-placeholders.py \
	tests/it/run-completion.sh \
	tests/it/run-adapt.py \
	tests/it/run-directives.py \
	tests/it/run-first.py \
	tests/it/run-life.py \
	tests/it/run-logs.py \
	tests/it/run-oneliners.py \
	tests/it/run-usage.sh \
	tests/it/tls-hello.py \
	tests/it/tls-names.py \
	tests/it/tls-segments.py

TESTS += $(it_tests)
EXTRA_DIST += $(it_tests) \
	tests/it/chromium.py \
	tests/it/codings.py \
	tests/it/folder.py \
	tests/it/conf-errors \
	tests/it/free_port.py \
	tests/it/lib.py \
	tests/it/lib.sh \
	tests/it/pebble.py \
	tests/it/upstream.py
