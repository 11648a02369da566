#!/usr/bin/env python3
"""The cases of reverse_proxy once more, with libcurl in the place of our own HTTP/1.1 client."""

import os
import sys

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run.py")
os.execve(sys.executable, [sys.executable, RUN, "proxy-*"], dict(os.environ, HTTP_CLIENT="curl"))
