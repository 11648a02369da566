#!/usr/bin/env python3
"""The differential test: Caddy and Lintel get the same Caddyfiles and the same bytes, and have to
answer the same but for what differences.py lists with a reason.

    tests/diff/run.py [-v] [PATTERN...]       only the cases that match; -v shows all answers
    tests/diff/run.py --oracle [PATTERN...]   what Caddy answers, for writing a case

A case is a file of cases/; casefile.py tells its form. Caddy 2.6.2 (Debian's) is the oracle.
"""

import concurrent.futures
import os
import shutil
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "it"))

import casefile  # noqa: E402
import compare  # noqa: E402
import differences  # noqa: E402
import echo  # noqa: E402
import lib  # noqa: E402
import servers  # noqa: E402
import upstream  # noqa: E402
import wire  # noqa: E402

VERBOSE = "-v" in sys.argv
ORACLE = "--oracle" in sys.argv
PARALLEL = 1 if ORACLE or VERBOSE else 4
LIMIT_S = 600


class Job:
    """A case with its ports, its folder and what is wrong with it."""

    def __init__(self, case, test, up, fastcgi, closed):
        self.case = case
        self.folder = test.path("cases", case.name)
        self.caddy_port, self.lintel_port = test.free_ports(2)
        self.values = {"ROOT": os.path.join(self.folder, "root"), "UPSTREAM": up, "FASTCGI": fastcgi,
                       "CLOSED": closed}
        self.alone = ORACLE or case.alone or servers.has_options(case.caddyfile)
        self.problems = []
        self.skipped = False
        case.make_files(self.values["ROOT"])

    def config(self, port):
        return self.case.config(PORT=port, **self.values)

    def show(self):
        for request in self.case.requests:
            print("== %s:%d %s" % (self.case.name, request.number, request.line))
            print("\n".join(map(str, wire.ask(self.caddy_port, request.bytes()))))

    def compare(self, table):
        for request in self.case.requests:
            data = request.bytes()
            ours = wire.ask(self.lintel_port, data)
            theirs = wire.ask(self.caddy_port, data) if not self.case.newer else ours
            for text in self._problems(request, table, theirs, ours):
                self.problems.append("%s:%d: %s\n    %s" % (self.case.name, request.number,
                                                           request.line, text))
            if VERBOSE:
                print("== %s:%d %s\nCaddy  %s\nLintel %s" % (
                    self.case.name, request.number, request.line,
                    "\n".join(map(str, theirs)), "\n".join(map(str, ours))))

    def _problems(self, request, table, theirs, ours):
        if len(theirs) != len(ours):
            yield "Caddy gave %d answers, Lintel %d" % (len(theirs), len(ours))
        for caddy, lintel in zip(theirs, ours):
            self._hide_port(caddy, self.caddy_port)
            self._hide_port(lintel, self.lintel_port)
            if request.expected:
                for d in compare.expected(request.expected, caddy):
                    yield "%s: expected %r, got %r" % (d.item, d.theirs, d.lintel)
            for d in compare.answers(caddy, lintel, self.case.masks):
                if not table.allows(self.case.name, request.text(), caddy, d):
                    yield str(d)

    @staticmethod
    def _hide_port(answer, port):
        """Both have a port of their own: in the answers it is $PORT."""
        answer.body = answer.body.replace(b"%d" % port, b"$PORT")
        for values in answer.fields.values():
            values[:] = [v.replace(str(port), "$PORT") for v in values]


def shared_caddy(start, jobs, folder):
    """One Caddy for all cases without global options."""
    configs = [job.config(job.caddy_port) for job in jobs if not (job.alone or job.case.newer)]
    if configs:
        start.caddy("shared", folder, "\n".join(configs))


def run(job, start, table):
    try:
        if job.alone and not job.case.newer:
            start.caddy(job.case.name, job.folder, job.config(job.caddy_port))
        if ORACLE:
            job.show()
            return
        server = start.lintel(job.case.name, job.folder, job.config(job.lintel_port))
        job.compare(table)
        start.end(server)
    except Exception as e:  # one case never hides what the others say
        job.skipped = "was not compiled in" in str(e)
        if job.skipped:
            return
        what = str(e) if isinstance(e, lib.Failure) else repr(e)
        job.problems.append("%s: %s" % (job.case.name, what))


def report(jobs, table, everything):
    """Prints what is wrong; the rows of the table have to come up when all cases were run."""
    problems = [text for job in jobs for text in job.problems]
    failed = [job for job in jobs if job.problems]
    skipped = [job for job in jobs if job.skipped]
    if everything and not failed and not skipped:
        problems += ["differences.py: no longer so: %s" % row for row in table.unseen()]
    print("\n".join(problems), end="\n" if problems else "")
    print("%d cases, %d requests; %d cases skipped, for what was not compiled in; %d failed%s" % (
        len(jobs), sum(len(job.case.requests) for job in jobs), len(skipped), len(failed),
        "".join("\n    " + job.case.name for job in failed)))
    lib.check(not problems, "the answers differ")


def run_all(test, jobs, start, table):
    """Runs the cases side by side. Whatever ends that early ends the servers, and so all that waits."""
    pool = concurrent.futures.ThreadPoolExecutor(PARALLEL)
    try:
        list(pool.map(lambda job: run(job, start, table), jobs))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in test.processes:
            process.popen.kill()
        raise


def out_of_time(*_):
    raise lib.Failure("not done after %d s" % LIMIT_S)


def main(test):
    lib.need("caddy")
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(LIMIT_S)
    patterns = [a for a in sys.argv[1:] if not a.startswith("-")]
    cases = casefile.load(patterns)
    lib.check(cases, "no such case")
    env = {}
    for case in cases:
        env.update(case.env)
    start, table = servers.Servers(test, env), compare.Table(differences.ROWS)
    up, fastcgi, closed = echo.start(), echo.start_fastcgi(), upstream.refusing_port()
    jobs = [Job(case, test, up.port, fastcgi.port, closed) for case in cases]
    shared_caddy(start, jobs, test.work)
    run_all(test, jobs, start, table)
    shutil.rmtree(test.path("cases"))
    for name in os.listdir(test.logs):
        if name.startswith("caddy-"):
            os.unlink(os.path.join(test.logs, name))  # what matters of them has been said
    report(jobs, table, not patterns)


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
