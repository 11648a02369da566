#!/usr/bin/env python3
"""The welcome page and a page for an error in headless Chromium: they render, in light and dark, on wide
and narrow screens and without script; nothing is refused by their policy or asked of anybody else."""

import os
import re
import subprocess

import chromium
import lib
from lib import check, check_eq

CONF = """{
    http_port %d
    https_port %d
}
"""

# Each text that is shown, with the ratio of contrast of WCAG 2.1 between it and what is behind it.
CONTRASTS = """
const rgba = text => text.match(/[\\d.]+/g).map(Number);
const light = colour => colour.slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const behind = element => {
    for (; element; element = element.parentElement) {
        const colour = rgba(getComputedStyle(element).backgroundColor);
        if (colour.length == 3 || colour[3] == 1)
            return colour;
    }
    return [255, 255, 255];
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const found = [];
while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility())
        continue;
    const pair = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    found.push([texts.currentNode.data.trim(), ratio]);
}
return found;
"""

# What a person with an assistive device needs.
LACKS = """
const lacks = [];
const all = selector => [...document.querySelectorAll(selector)];
if (!document.documentElement.lang) lacks.push("lang");
if (all("h1").length != 1) lacks.push("one h1");
if (all("main").length != 1) lacks.push("one main");
if (!all("meta[name=viewport]").length) lacks.push("viewport");
all("img").forEach(i => i.hasAttribute("alt") && i.naturalWidth || lacks.push("img " + i.src));
all("svg").forEach(i => i.getAttribute("aria-hidden") == "true" || lacks.push("svg"));
all("pre").forEach(p => p.tabIndex == 0 || lacks.push("pre: scrolls, but not by keys"));
all("h2,h3,h4").reduce((last, h) => {
    const level = +h.tagName[1];
    if (level > last + 1) lacks.push(h.tagName + " after H" + last);
    return level;
}, 1);
return lacks;
"""


def look(browser, url, title, heading, errors=()):
    """One page, in all the ways there are to look at it. errors: of its console, as regular
    expressions."""
    origin = re.match(r"https?://[^/]*/", url).group()
    colours = {}
    for scheme in ("light", "dark"):
        browser.color_scheme(scheme)
        for width in (1280, 320):
            what = "%s, %s, %d px" % (url, scheme, width)
            browser.resize(width, 800)
            browser.open(url)
            check_eq(title, browser.title(), what)
            check_eq(heading, browser.find("h1").text(), what)
            foreign = [u for u in browser.requests() if not u.startswith(origin)]
            check_eq([], foreign, "requests to others: " + what)
            check_eq([], [m for m in browser.console()
                          if not any(re.search(e, m) for e in errors)], "console: " + what)
            wide = browser.run("return document.documentElement.scrollWidth > innerWidth")
            check(not wide, "scrolls to the side:", what)
            check_eq([], browser.run(LACKS), what)
            texts = browser.run(CONTRASTS)
            check(len(texts) > 2, "no text in", what)
            check_eq([], [t for t in texts if t[1] < 4.5], "contrast: " + what)
        colours[scheme] = [browser.find("body").css("background-color"),
                           browser.find("h1").css("color")]
    check(all(a != b for a, b in zip(colours["light"], colours["dark"])), url, colours)
    without_script(browser, url, heading)


def without_script(browser, url, heading):
    browser.scripts(False)
    browser.open(url)
    check(browser.find("h1").is_shown() and browser.find("h1").text() == heading, "no script", url)
    browser.scripts(True)


def welcome_tells_of_the_configuration(browser, url):
    """The place where the program looks."""
    told = subprocess.run([lib.LINTEL, "help"], check=True, stdout=subprocess.PIPE).stdout.decode()
    browser.open(url)
    check(re.search(r"/\S+/lintel\.conf", told).group() in browser.find("main").text(), told)


def error_is_of_one_piece(browser, site, url):
    """Its style has passed its policy, and the way it names leads somewhere."""
    browser.open(url)
    check(float(browser.find("h1 b").css("font-size")[:-2]) > 40, "the style is not in force")
    check_eq({url}, {u for u in browser.requests() if not u.endswith("/favicon.ico")}, "requests")
    browser.leads_to(browser.find("main a"), site)
    check_eq("It works.", browser.find("h1").text(), "the front page")


def main():
    with lib.Test() as t, chromium.Browser(t) as browser:
        ports = t.free_ports(2)
        with open(os.path.join(lib.TOP_SRCDIR, "contrib/lintel.conf.in")) as f:
            packaged = f.read()
        t.lintel(CONF % tuple(ports) +
                 packaged.replace("@wwwdir@", os.path.join(lib.TOP_SRCDIR, "www")))
        site = "https://localhost:%d/" % ports[1]
        look(browser, site, "It works: Lintel", "It works.")
        welcome_tells_of_the_configuration(browser, site)
        look(browser, site + "nope", "404 Not Found", "404\nNot Found",
             [r" - Failed to load resource: the server responded with a status of 404 "])
        error_is_of_one_piece(browser, site, site + "nope")


main()
