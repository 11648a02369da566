#!/usr/bin/env python3
"""The page of file_server browse in a browser: it renders, sorts by its links, searches with and without
a script, is light and dark, wide and narrow, and keeps to its own policy."""

import os

import chromium
import lib
from lib import check, check_eq

CONF = """http://localhost:%d {
	root * %s
	file_server browse
}
"""


def names(browser):
    return [e.text() for e in browser.find_all("#list tr") if e.is_shown()]


def first_words(browser):
    return [row.split()[0] for row in names(browser)]


def complaints(browser):
    """But for the icon that sites may have."""
    return [line for line in browser.console() if "/favicon.ico " not in line]


def renders(browser, url):
    browser.open(url)
    check_eq("/", browser.title())
    check_eq(["sub", '"><img', "big.bin", "javascript:x", "small.txt"], first_words(browser))
    check_eq("1 folder, 4 files, 4.9 KiB", browser.find(".tools p").text())
    box = browser.run("return document.querySelector('#list svg').getBoundingClientRect().width")
    check(box > 10, "the icon is", box)
    check(not browser.find(".none").is_shown(), "the folder is not empty")
    check_eq([], complaints(browser))
    check_eq([], [u for u in browser.requests() if u not in (url, url + "favicon.ico")])


def sorts(browser, url):
    browser.leads_to(browser.find("th:nth-child(2) a"), url + "?sort=size&order=asc")
    check_eq("ascending", browser.find("th:nth-child(2)").attribute("aria-sort"))
    check_eq("none", browser.find("th:nth-child(3)").attribute("aria-sort"))
    check_eq("big.bin", first_words(browser)[-1])
    browser.leads_to(browser.find("th:nth-child(2) a"), url + "?sort=size&order=desc")
    check_eq("big.bin", first_words(browser)[0])
    browser.leads_to(browser.find("th:nth-child(3) a"), url + "?sort=time&order=asc")
    check_eq("small.txt", first_words(browser)[0])
    browser.leads_to(browser.find("th:nth-child(1) a"), url + "?sort=namedirfirst&order=asc")
    check_eq("sub", first_words(browser)[0])
    browser.leads_to(browser.find(".first"), url + "?sort=name&order=asc")
    check_eq("sub", first_words(browser)[-1])


def searches(browser, url):
    browser.open(url)
    field = browser.find("#filter")
    field.type("SMALL")
    check_eq(["small.txt"], first_words(browser))
    field.type("x")
    check_eq([], first_words(browser))
    check(browser.find(".none").is_shown(), "that nothing is found is not said")
    browser.scripts(False)
    browser.open(url + "?sort=size&order=desc")
    browser.find("#filter").type("b")
    check_eq(5, len(names(browser)))
    browser.leads_to(browser.find("button"), url + "?sort=size&order=desc&filter=b")
    check_eq(["big.bin", "sub"], first_words(browser))
    check("; 2 found. Show all" in browser.find(".tools p").text(), browser.find(".tools p").text())
    browser.leads_to(browser.find("th:nth-child(2) a"),
                     url + "?sort=size&order=asc&filter=b")
    check_eq(["sub", "big.bin"], first_words(browser))
    browser.leads_to(browser.find(".tools p a"), url + "?sort=size&order=asc")
    check_eq(5, len(names(browser)))
    browser.scripts(True)


def leads_on(browser, url):
    browser.open(url)
    browser.leads_to(browser.find("#list a"), url + "sub/")
    check_eq(["deep"], first_words(browser))
    check_eq(["/", "sub"], [e.text() for e in browser.find_all("h1 a")])
    browser.leads_to(browser.find("#list a"), url + "sub/deep/")
    check(browser.find(".none").is_shown(), "an empty folder says so")
    browser.leads_to(browser.find("h1 a:nth-of-type(2)"), url + "sub/")
    browser.leads_to(browser.find("tbody:first-of-type a"), url)


def adapts(browser, url):
    paper = {}
    for scheme in ("light", "dark"):
        browser.color_scheme(scheme)
        browser.open(url + "sub/")
        paper[scheme] = [browser.find("body").css(name) for name in ("background-color", "color")]
    check_eq("rgba(251, 249, 246, 1)", paper["light"][0])
    check_eq("rgba(23, 25, 28, 1)", paper["dark"][0])
    check(paper["light"][1] != paper["dark"][1], paper)
    for width in (320, 600, 1600):
        browser.resize(width, 700)
        browser.open(url)
        check_eq(width, browser.run("return document.documentElement.scrollWidth"), "no scrolling sideways")


def main():
    with lib.Test() as t:
        port = t.free_port()
        for i, (name, size) in enumerate((("small.txt", 1), ("big.bin", 5000), ("javascript:x", 2),
                                          ('"><img src=x onerror=alert(1)>', 3))):
            path = t.write("www/" + name, "x" * size)
            os.utime(path, (1000000000 + i, 1000000000 + i))
        os.makedirs(t.path("www/sub/deep"))
        with chromium.Browser(t) as browser:
            server = t.lintel(CONF % (port, t.path("www")))
            url = "http://localhost:%d/" % port
            renders(browser, url)
            sorts(browser, url)
            searches(browser, url)
            leads_on(browser, url)
            adapts(browser, url)
            check_eq([], complaints(browser))
            check_eq(0, server.stop())


main()
