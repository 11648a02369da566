"""Headless Chromium for the tests, driven through chromedriver (Debian: chromium-driver).

    import chromium
    import lib

    with lib.Test() as t, chromium.Browser(t) as browser:
        browser.open("http://localhost:%d/" % port)
        browser.find("input[type=search]").type("name")
        lib.check_eq("It works", browser.find("h1").text())
        lib.check_eq([], browser.console())

WebDriver (https://www.w3.org/TR/webdriver2/) on the standard library. The test is skipped where the
programs are missing. The profile is in the test's folder; no name but localhost is resolved, and any
certificate is accepted. At the end the browser is gone, however the test ended.
"""

import base64
import http.client
import json
import os
import shutil
import signal

import lib

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver's name for a reference to one

ARGUMENTS = [
    "--headless",
    "--no-sandbox",  # which root must not, and few containers can use
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]


class Element:
    def __init__(self, browser, reference):
        self.browser = browser
        self.reference = reference

    def _call(self, method, what, body=None):
        return self.browser.call(method, "/element/%s/%s" % (self.reference[ELEMENT], what), body)

    def text(self):
        """As rendered: what is hidden is not in it."""
        return self._call("GET", "text")

    def attribute(self, name):
        return self._call("GET", "attribute/" + name)

    def css(self, name):
        """The computed value."""
        return self._call("GET", "css/" + name)

    def click(self):
        self._call("POST", "click", {})

    def clear(self):
        self._call("POST", "clear", {})

    def type(self, text):
        self._call("POST", "value", {"text": text})

    def is_shown(self):
        return self._call("GET", "displayed")


class Browser:
    def __init__(self, test, width=1280, height=900):
        self.test = test
        self.size = (width, height)
        self.profile = test.path("chromium")
        self.session = self.port = None

    # ---- the page ----

    def open(self, url):
        """Returns when the page and what it needs are loaded."""
        self.requests()
        self.console()
        self.call("POST", "/url", {"url": url})

    def leads_to(self, element, url):
        """Clicks; returns when that page is there: a click may return before its navigation begins,
        as that of a form's button does."""
        self.run("window.wasHere = true")
        element.click()
        lib.wait_for(60, lambda: self.url() == url and self.run(
            "return !window.wasHere && document.readyState == 'complete'"), url)

    def title(self):
        return self.call("GET", "/title")

    def url(self):
        return self.call("GET", "/url")

    def find(self, selector):
        """The first element of a CSS selector; a Failure if there is none."""
        found = self.find_all(selector)
        lib.check(found, "no element is", selector)
        return found[0]

    def find_all(self, selector):
        found = self.call("POST", "/elements", {"using": "css selector", "value": selector})
        return [Element(self, reference) for reference in found]

    def run(self, script, *args):
        """The body of a function: "return document.title". Also where scripts are disabled."""
        args = [a.reference if isinstance(a, Element) else a for a in args]
        return self.call("POST", "/execute/sync", {"script": script, "args": args})

    def screenshot(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("GET", "/screenshot")))

    # ---- what it told ----

    def console(self):
        """The warnings and errors since the last call or open(): refused by the page's policy, not
        found, thrown."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})
                if entry["level"] in ("WARNING", "SEVERE")]

    def requests(self):
        """The URLs that were asked for since the last call or open()."""
        log = self.call("POST", "/se/log", {"type": "performance"})
        events = [json.loads(entry["message"])["message"] for entry in log]
        return [e["params"]["request"]["url"] for e in events
                if e["method"] == "Network.requestWillBeSent"]

    # ---- what it is like ----

    def cdp(self, command, **parameters):
        """A command of the Chrome DevTools protocol."""
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def resize(self, width, height):
        """The viewport, also below the least width of a window."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)

    def color_scheme(self, scheme):
        """"light" or "dark"."""
        self.cdp("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": scheme}])

    def scripts(self, enabled):
        """Of the pages opened from now on."""
        self.cdp("Emulation.setScriptExecutionDisabled", value=not enabled)

    # ---- its life ----

    def __enter__(self):
        lib.need("chromium", "chromedriver")
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *what):
        self.close()

    def _start(self):
        self.port = self.test.free_port()
        self.driver = self.test.spawn("chromedriver", ["chromedriver", "--port=%d" % self.port])
        self.driver.wait_log(rb"started successfully", 60)
        options = {
            "binary": shutil.which("chromium"),
            "args": ARGUMENTS + ["--user-data-dir=" + self.profile, "--window-size=%d,%d" % self.size],
        }
        wanted = {
            "acceptInsecureCerts": True,
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "timeouts": {"pageLoad": 60000, "script": 60000},
        }
        self.session = self._http("POST", "/session", {
            "capabilities": {"alwaysMatch": wanted}})["sessionId"]
        self.resize(*self.size)

    def close(self):
        """May be called more than once."""
        try:
            if self.session:
                self._http("DELETE", "/session/" + self.session)
        except (OSError, http.client.HTTPException, lib.Failure):
            pass  # it will be gone in a moment
        self.session = None
        lib.wait_for(30, lambda: not self._kill_rest(), "the end of the browser")

    def _kill_rest(self):
        """What chromedriver left running: each process of the browser names our profile. The number
        of those there were."""
        mark = self.profile.encode()
        count = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    if mark in f.read():
                        count += 1
                        os.kill(int(pid), signal.SIGKILL)
            except OSError:
                pass  # it has ended meanwhile
        return count

    def call(self, method, path, body=None):
        return self._http(method, "/session/" + self.session + path, body)

    def _http(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(answer, dict) and "error" in answer:
            raise lib.Failure("chromedriver: %s %s: %s" % (method, path, answer["message"]))
        return answer
