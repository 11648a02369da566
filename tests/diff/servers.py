"""Starts Caddy (one for all cases that can share it), Lintel (one for each case) and nginx."""

import os
import re
import signal

import lib

CADDY_OPTIONS = "    admin off\n    auto_https off\n"
LINTEL_OPTIONS = "    admin off\n    auto_https off\n    workers 1\n"
OWN_OPTIONS = re.compile(r"\A((?:[ \t]*#.*\n|\s*\n)*)\{[ \t]*\n")


def has_options(config):
    return bool(OWN_OPTIONS.match(config))


def with_options(config, options):
    """The configuration with these global options, added to those it has."""
    if has_options(config):
        return OWN_OPTIONS.sub(lambda m: m.group(1) + "{\n" + options, config, count=1)
    return "{\n" + options + "}\n" + config


def _write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


class Servers:
    def __init__(self, test, env, prefix=()):
        """prefix are words to put before each command."""
        self.test = test
        self.prefix = list(prefix)
        self.env = dict(test.env, XDG_CONFIG_HOME=test.path("config"), **env)

    def _start(self, name, command, ready):
        server = self.test.spawn(name, self.prefix + command, self.env)
        try:
            server.wait_log(ready, 60)
        except lib.Failure:
            server.stop(signal.SIGKILL)
            log = server.log().decode(errors="replace").splitlines()
            raise lib.Failure("%s does not start:\n%s" % (name, "\n".join(log[-20:]))) from None
        return server

    def caddy(self, name, folder, config):
        """A running Caddy, which listens at all ports of its configuration."""
        path = _write(os.path.join(folder, "Caddyfile.caddy"), with_options(config, CADDY_OPTIONS))
        return self._start("caddy-" + name,
                           ["caddy", "run", "--adapter", "caddyfile", "--config", path],
                           rb"serving initial configuration")

    def lintel(self, name, folder, config):
        config = lib.Lintel.edit_conf(with_options(config, LINTEL_OPTIONS))
        path = _write(os.path.join(folder, "Caddyfile"), config)
        return self._start("lintel-" + name, [lib.LINTEL, "run", "--config", path],
                           rb" server: ready$")

    def nginx(self, name, folder, config):
        path = _write(os.path.join(folder, "nginx.conf"), config)
        return self._start("nginx-" + name, ["nginx", "-c", path],
                           rb"using the \"epoll\" event method")

    @staticmethod
    def end(server):
        """Lintel has to end well; its log is looked at and forgotten."""
        lib.check_eq(0, server.stop(), "exit status of " + server.name)
        lib.check(not lib.SANITIZER.search(server.log()), "a sanitizer or an assertion spoke in",
                  server.log_path)
        os.unlink(server.log_path)
