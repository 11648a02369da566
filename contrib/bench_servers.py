"""The servers of contrib/bench and their configurations: each as its manual would have it for speed, but
with its own sizes of buffers."""

import http.client
import os
import ssl
import subprocess
import time

from bench_machine import output, program

# What is loaded: a port and a site for each.
PLACES = ("plain", "tls", "encode", "browse", "proxy", "tlsproxy", "echo", "tlsecho")


class Server:
    """One server under test. It has a port for each place, and a site for those that are loaded."""

    encoding = {}  # what it does not have: "br": "gzip"
    first = "tls"  # the place that is asked whether it has started

    def __init__(self, bench, name):
        self.name = name
        self.bench = bench
        self.folder = os.path.join(bench.folder, name)
        os.mkdir(self.folder)
        self.port = dict(zip(PLACES, bench.ports(len(PLACES))))
        self.workers = bench.workers
        self.cpus = bench.server_cpus
        self.process = None

    def site_texts(self):
        sites = self.sites()
        return "".join(text for place, text in sites.items()
                       if place in self.bench.places or place == self.first)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def start(self, command, env=None):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                preexec_fn=lambda: os.sched_setaffinity(0, self.cpus),
                env=dict(os.environ, HOME=self.folder, XDG_DATA_HOME=self.folder,
                         XDG_CONFIG_HOME=self.folder, **(env or {})))

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def log_tail(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as f:
            return f.read()[-2000:]

    def get(self, place, path, fields):
        """A response, with its body read."""
        port = self.port[place]
        if place.startswith("tls"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            c = http.client.HTTPSConnection("localhost", port, timeout=30, context=context)
        else:
            c = http.client.HTTPConnection("localhost", port, timeout=30)
        try:
            c.request("GET", path, headers=fields)
            response = c.getresponse()
            response.body = response.read()
            return response
        finally:
            c.close()

    def wait_answer(self, seconds=60):
        """Polls until its first place answers a request; the time of that."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self.get(self.first, "/1k", {}).status == 200:
                    return time.monotonic()
            except OSError:
                time.sleep(0.001)
            if self.process.poll() is not None:
                break
        raise SystemExit("%s did not start:\n%s" % (self.name, self.log_tail()))


class WithCaddyfile(Server):
    transport = ""

    def sites(self):
        b, port = self.bench, self.port
        files = f"root * {b.files}\n    file_server"
        tls = f"tls {b.cert} {b.key}"
        proxy = f"reverse_proxy 127.0.0.1:{b.upstream_port}{self.transport}"
        echo = f"reverse_proxy 127.0.0.1:{b.echo_port}"
        return {
            "plain": f"http://:{port['plain']} {{\n    {files}\n}}\n",
            "tls": f"https://localhost:{port['tls']} {{\n    {tls}\n    {files}\n}}\n",
            "encode": f"http://:{port['encode']} {{\n    encode {self.formats}\n    {files}\n}}\n",
            "browse": f"http://:{port['browse']} {{\n    {files} browse\n}}\n",
            "proxy": f"http://:{port['proxy']} {{\n    {proxy}\n}}\n",
            "tlsproxy": f"https://localhost:{port['tlsproxy']} {{\n    {tls}\n    {proxy}\n}}\n",
            "echo": f"http://:{port['echo']} {{\n    {echo}\n}}\n",
            "tlsecho": f"https://localhost:{port['tlsecho']} {{\n    {tls}\n    {echo}\n}}\n",
        }

    def write_caddyfile(self, options):
        return self.write("Caddyfile", f"""{{
    admin off
    auto_https off
    default_bind 127.0.0.1
    {options}
}}
{self.site_texts()}""")


class Lintel(WithCaddyfile):
    formats = "br gzip"

    def run(self):
        conf = self.write_caddyfile(f"""workers {self.workers}
    storage file_system {self.folder}/data""")
        self.start([self.bench.lintel, "run", "--config", conf])

    def version(self):
        return output(self.bench.lintel, "version").split()[-1]

    def binary(self):
        return self.bench.lintel


class Caddy(WithCaddyfile):
    formats = "zstd gzip"
    encoding = {"br": "gzip"}
    transport = """ {
        transport http {
            keepalive_idle_conns_per_host 64
        }
    }"""

    def run(self):
        self.start([self.binary(), "run", "--adapter", "caddyfile", "--config",
                    self.write_caddyfile("")], {"GOMAXPROCS": str(self.workers)})

    def version(self):
        return output(self.binary(), "version").split()[0]

    def binary(self):
        return program("caddy")


class Nginx(Server):
    extra = ""
    encoding = {"br": "gzip"}

    def sites(self):
        b = self.bench
        listen = {place: f"listen 127.0.0.1:{port}" for place, port in self.port.items()}
        files = f"root {b.files};"
        tls = f"""ssl_certificate {b.cert}; ssl_certificate_key {b.key};
        ssl_protocols TLSv1.2 TLSv1.3;"""
        proxy = ('location / { proxy_pass http://up; proxy_http_version 1.1; '
                 'proxy_set_header Connection ""; }')
        echo = (f'location / {{ proxy_pass http://127.0.0.1:{b.echo_port}; proxy_http_version 1.1; '
                'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; }')
        return {
            "plain": f"server {{ {listen['plain']}; {files} }}\n",
            "tls": f"server {{ {listen['tls']} ssl; {files} {tls} }}\n",
            "encode": f"""server {{
        {listen['encode']}; {files}
        types {{ text/css css; }}
        gzip on; gzip_types text/css;
    }}
""",
            "browse": f"server {{ {listen['browse']}; {files} autoindex on; }}\n",
            "proxy": f"server {{ {listen['proxy']}; {proxy} }}\n",
            "tlsproxy": f"server {{ {listen['tlsproxy']} ssl; {tls} {proxy} }}\n",
            "echo": f"server {{ {listen['echo']}; {echo} }}\n",
            "tlsecho": f"server {{ {listen['tlsecho']} ssl; {tls} {echo} }}\n",
        }

    def run(self):
        b = self.bench
        conf = self.write("nginx.conf", f"""
daemon off;
worker_processes {self.workers};
pid {self.folder}/pid;
error_log {self.folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    client_body_temp_path {self.folder}/b; proxy_temp_path {self.folder}/p;
    fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
    {self.extra}
    upstream up {{ server 127.0.0.1:{b.upstream_port}; keepalive 64; keepalive_requests 1000000; }}
    {self.site_texts()}
}}
""")
        self.start([self.binary(), "-c", conf, "-e", os.path.join(self.folder, "error.log")])

    def version(self):
        return output(self.binary(), "-v").split("/")[-1].strip()

    def binary(self):
        return program("nginx")


class NginxCache(Nginx):
    extra = "open_file_cache max=2000 inactive=60s; open_file_cache_valid 1s; open_file_cache_errors on;"


class Haproxy(Server):
    """It serves no files. Splicing makes large bodies without TLS cheaper (10 MB cost it 40% of the CPU
    time) and small WebSocket messages dearer."""

    first = "tlsproxy"

    def sites(self):
        b = self.bench

        def site(place, backend, tls=""):
            return f"""frontend {place}
    bind 127.0.0.1:{self.port[place]} {tls}
    default_backend {backend}
"""

        tls = f"ssl crt {self.folder}/both.pem"
        return {
            "proxy": site("proxy", "up"),
            "tlsproxy": site("tlsproxy", "up", tls),
            "echo": site("echo", "sockets"),
            "tlsecho": site("tlsecho", "sockets", tls),
        }

    def run(self):
        b = self.bench
        with open(b.cert) as cert, open(b.key) as key:
            os.chmod(self.write("both.pem", cert.read() + key.read()), 0o600)
        conf = self.write("haproxy.conf", f"""global
    nbthread {self.workers}
    maxconn 4096
defaults
    mode http
    option http-keep-alive
    http-reuse always
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
backend up
    option splice-response
    server up 127.0.0.1:{b.upstream_port}
backend sockets
    server sockets 127.0.0.1:{b.echo_port}
{self.site_texts()}""")
        self.start([self.binary(), "-db", "-f", conf])

    def version(self):
        return output(self.binary(), "-v").split()[2].split("-")[0]

    def binary(self):
        return program("haproxy")


class H2o(Server):
    def sites(self):
        b = self.bench
        files = f'paths: {{ "/": {{ file.dir: {b.files} }} }}'
        proxy = f'paths: {{ "/": {{ proxy.reverse.url: "http://127.0.0.1:{b.upstream_port}/" }} }}'
        echo = (f'paths: {{ "/": {{ proxy.reverse.url: "http://127.0.0.1:{b.echo_port}/", '
                'proxy.websocket: ON } }')
        tls = f", ssl: {{ certificate-file: {b.cert}, key-file: {b.key} }}"

        def site(place, what, tls=""):
            return f"""  "{place}":
    listen: {{ host: 127.0.0.1, port: {self.port[place]}{tls} }}
    {what}
"""

        return {
            "plain": site("plain", files),
            "tls": site("tls", files, tls),
            "encode": site("encode", "compress: [br, gzip]\n    " + files),
            "browse": site("browse", "file.dirlisting: ON\n    " + files),
            "proxy": site("proxy", proxy),
            "tlsproxy": site("tlsproxy", proxy, tls),
            "echo": site("echo", echo),
            "tlsecho": site("tlsecho", echo, tls),
        }

    def run(self):
        conf = self.write("h2o.conf", f"num-threads: {self.workers}\nhosts:\n"
                          + self.site_texts() + ("user: root\n" if os.getuid() == 0 else ""))
        self.start([self.binary(), "-c", conf])

    def version(self):
        return output(self.binary(), "--version").split()[2]

    def binary(self):
        return program("h2o")


SERVERS = {"lintel": Lintel, "nginx": Nginx, "nginx-cache": NginxCache, "haproxy": Haproxy,
           "caddy": Caddy, "h2o": H2o}


# ---- upstreams ----


class Files(NginxCache):
    """The upstream of what is proxied: nginx, with the files open already."""

    first = "plain"

    def __init__(self, bench):
        super().__init__(bench, "upstream")
        self.workers = bench.other_workers
        self.cpus = bench.other_cpus

    def site_texts(self):
        return self.sites()["plain"]


class Echo(Server):
    """The upstream of the WebSocket rows."""

    def __init__(self, bench):
        super().__init__(bench, "echo_server")
        self.cpus = bench.other_cpus

    def run(self):
        self.start([self.bench.tool("echo_server"), str(self.port["echo"]),
                    str(self.bench.other_workers)])
