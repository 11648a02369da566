"""The folder that files.py has served: a file of each kind that a web server may meet."""

import os
import time

MTIME = 1000000000  # Sun, 09 Sep 2001 01:46:40 GMT
DAY = 86400
SPARSE = 20 << 20

FILES = {
    "index.html": "<p>root</p>\n",
    "a.txt": "0123456789",
    "large.txt": "0123456789abcde\n" * 20000,
    "empty.txt": "",
    "style.css": "a { color: red }\n",
    "page.html": "<p>page</p>\n",
    "old.htm": "<p>old</p>\n",
    "code.js": "let a = 1;\n",
    "module.mjs": "export let a = 1;\n",
    "image.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>\n",
    "data.json": "{}\n",
    "feed.xml": "<a/>\n",
    "picture.png": "\x89PNG\r\n",
    "font.woff2": "wOF2",
    "program.wasm": "\0asm",
    "archive.tar.gz": "\x1f\x8b",
    "paper.pdf": "%PDF-1.4\n",
    "unknown.qqqq": "unknown",
    "none": "no extension",
    "UPPER.TXT": "upper",
    "sp ace.txt": "space",
    "per%cent.txt": "percent",
    "per%41.txt": "an escape in a name",
    "plus+plus.txt": "plus",
    "semi;colon.txt": "semicolon",
    "com,ma&and=is.txt": "comma",
    "question?mark.txt": "question",
    "ha#sh.txt": "hash",
    "back\\slash.txt": "backslash",
    "quote\"s'.txt": "quotes",
    "<b>.txt": "brackets",
    "colon:.txt": "colon",
    "\u00e4\u20ac.txt": "letters",
    "dots..txt": "dots",
    "...": "three dots",
    ".dot": "a dot-file",
    ".well-known/security.txt": "Contact: mailto:a@example.com\n",
    ".git/config": "[core]\n",
    "with/index.html": "<p>with</p>\n",
    "with/b.txt": "b",
    "with/deep/er/index.html": "<p>deep</p>\n",
    "text/index.txt": "index as text",
    "without/c.txt": "c",
    "folder/index.html/is-a-folder": "x",
    "sp ace/index.html": "<p>space</p>\n",
    "encoded/long.txt": "all work and no play\n" * 200,
    "encoded/long.css": "a { color: red }\n" * 200,
    "encoded/picture.png": "\x89PNG\r\n" * 500,
    "encoded/short.txt": "short",
}
LINKS = {
    "inside.txt": "a.txt",
    "inside": "with",
    "with/up.txt": "../a.txt",
    "dangling.txt": "nowhere",
    "loop": "loop",
    "outside.txt": "../outside/secret.txt",
    "outside": "../outside",
}
TIMES = {"mtime-0.txt": 0, "mtime-1.txt": 1, "mtime-2.txt": 2, "future.txt": None}


def _write(path, content, mtime=MTIME):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content.encode("latin-1"))
    os.utime(path, (mtime, mtime))


def make(root):
    """Makes the folder root, and the folder "outside" beside it."""
    for name, content in FILES.items():
        _write(os.path.join(root, name), content)
    for name, mtime in TIMES.items():
        _write(os.path.join(root, name), name, time.time() + DAY if mtime is None else mtime)
    _write(os.path.join(root, "unreadable.txt"), "unreadable")
    os.chmod(os.path.join(root, "unreadable.txt"), 0)
    os.makedirs(os.path.join(root, "closed"))
    _write(os.path.join(root, "closed/index.html"), "closed")
    os.chmod(os.path.join(root, "closed"), 0)
    _write(os.path.join(os.path.dirname(root), "outside/secret.txt"), "secret")
    for name, target in LINKS.items():
        os.symlink(target, os.path.join(root, name))
    os.mkfifo(os.path.join(root, "fifo"))
    with open(os.path.join(root, "sparse.bin"), "wb") as f:
        f.truncate(SPARSE)
    os.utime(os.path.join(root, "sparse.bin"), (MTIME, MTIME))


def open_again(root):
    """So that it can be removed."""
    os.chmod(os.path.join(root, "closed"), 0o700)
