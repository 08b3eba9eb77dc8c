"""tunnel.py - SSH of podform against the machine's own ssh, in one run.

A real sshd on a loopback port; between it and the clients a relay that delays
(relay.c); behind it a server of streams (stream.c).  On our side is link.c,
which is pkg/ssh and its worker and nothing else.
"""
import getpass
import os
import shutil
import statistics
import subprocess
import time

MB = 1000 * 1000
RTTS = (0, 20, 100)
# What is moved, by both: long enough for windows to open, short enough to
# wait for at 2 MB per round trip.
BYTES = {0: 400 * MB, 20: 300 * MB, 100: 120 * MB}
RUNS = 5
QUIET_S = 3     # after which an idle tunnel is as small as it gets


class NoTunnel(Exception):
    """A worker that cannot forward: there is nothing to measure."""


class Child:
    """A program that prints one line and ends with its standard input."""

    def __init__(self, command, env=None):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=env)
        self.line = self.process.stdout.readline().strip()
        if not self.line:
            raise NoTunnel(f"{os.path.basename(command[0])} has ended")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Server:
    """sshd as the calling user, with keys of its own."""

    def __init__(self, work):
        self.work = os.path.join(work, "sshd")
        os.makedirs(self.work, mode=0o700)
        self.user = getpass.getuser()
        self.key = self.path("key")
        for name in ("key", "host"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "",
                            "-f", self.path(name)], check=True)
        shutil.copy(self.path("key.pub"), self.path("authorized"))
        self.port = free_port()
        with open(self.path("config"), "w") as out:
            out.write(f"""
ListenAddress 127.0.0.1:{self.port}
HostKey {self.path('host')}
AuthorizedKeysFile {self.path('authorized')}
PidFile none
UsePAM no
StrictModes no
MaxStartups 200
MaxSessions 64
PasswordAuthentication no
SetEnv HOME={self.work}
""")
        os.makedirs("/run/sshd", exist_ok=True) if os.getuid() == 0 else None
        self.process = subprocess.Popen(
            [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f",
             self.path("config")],
            stderr=open(self.path("log"), "w"))
        self.options = [
            "-F", "none", "-i", self.key, "-o", "IdentitiesOnly=yes",
            "-o", f"UserKnownHostsFile={self.path('known')}",
            "-o", "StrictHostKeyChecking=accept-new", "-o", "BatchMode=yes",
            "-o", "LogLevel=ERROR"]
        for _ in range(100):
            if self.ssh(self.port, "true").returncode == 0:
                return
            time.sleep(0.05)
        raise SystemExit("bench: sshd does not answer: "
                         + open(self.path("log")).read()[-500:])

    def path(self, name):
        return os.path.join(self.work, name)

    def ssh(self, port, *command):
        return subprocess.run(
            ["ssh", *self.options, "-p", str(port),
             f"{self.user}@127.0.0.1", *command], capture_output=True)

    def logins(self):
        return open(self.path("log")).read().count("Accepted publickey")

    def close(self):
        self.process.terminate()
        self.process.wait()


class Forward:
    """A tunnel by ssh -L."""

    def __init__(self, server, port, target):
        self.local = free_port()
        self.process = subprocess.Popen(
            ["ssh", *server.options, "-N", "-o", "ExitOnForwardFailure=yes",
             "-L", f"127.0.0.1:{self.local}:127.0.0.1:{target}", "-p",
             str(port), f"{server.user}@127.0.0.1"])
        self.pids = [self.process.pid]
        wait_for_port(self.local)

    def close(self):
        self.process.terminate()
        self.process.wait()


class Link(Child):
    """The same by podform's worker."""

    def __init__(self, build, server, port, target):
        super().__init__(
            [f"{build}/bench/link", "hold", f"{build}/podform-ssh",
             server.key, str(port), str(target)],
            env=dict(os.environ, USER=server.user))
        self.local = int(self.line)
        # Below link: the server of workers, and below that the worker.
        self.pids = descendants(self.process.pid)[-1:]

    def close(self):
        self.__exit__()


def free_port():
    import socket
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for_port(port):
    import socket
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.025)
    raise SystemExit("bench: ssh -L does not listen")


def descendants(pid):
    found = []
    for child in open(f"/proc/{pid}/task/{pid}/children").read().split():
        found.append(int(child))
        found += descendants(int(child))
    return found


def memory(pids):
    """Private memory now and the most that was resident, in MB."""
    private = peak = 0
    for pid in pids:
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith("Private_"):
                private += int(line.split()[1])
        for line in open(f"/proc/{pid}/status"):
            if line.startswith("VmHWM"):
                peak += int(line.split()[1])
    return private / 1024, peak / 1024


def cpu(pids):
    ticks = 0
    for pid in pids:
        words = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def number(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: {' '.join(command)}: {done.stderr[-500:]}")
    return float(done.stdout)


def ratio(took):
    """Both medians, and the median of the ratios of each round."""
    ours, stock = took["ours"], took["stock"]
    return (statistics.median(ours), statistics.median(stock),
            statistics.median(a / b for a, b in zip(ours, stock)))


class TunnelBench:
    def __init__(self, build, work, keep):
        self.build, self.work, self.keep = build, work, keep
        self.stream = f"{build}/bench/stream"
        self.link = f"{build}/bench/link"
        self.worker = f"{build}/podform-ssh"

    def run(self):
        server = Server(self.work)
        try:
            self.fifty(server)
            self.second(server)
            with Child([self.stream, "serve"]) as streams:
                for rtt in RTTS:
                    self.tunnels(server, int(streams.line), rtt)
        except NoTunnel as why:
            print(f"\ntunnels were not measured: {why}")
        finally:
            server.close()

    def through(self, server, rtt):
        return Child([f"{self.build}/bench/relay", str(server.port),
                      str(rtt)])

    def tunnels(self, server, target, rtt):
        print(f"\ntunnel, round trip {rtt} ms: podform-ssh against ssh -L")
        with self.through(server, rtt) as relay:
            port = int(relay.line) if rtt else server.port
            logins, began = server.logins(), time.monotonic()
            ours = Link(self.build, server, port, target)
            up_ms = (time.monotonic() - began) * 1000
            logins = server.logins() - logins
            stock = Forward(server, port, target)
            try:
                fresh = memory(ours.pids)[0], memory(stock.pids)[0]
                seen = self.measure(rtt, ours, stock)
                time.sleep(QUIET_S)
                idle = memory(ours.pids)[0], memory(stock.pids)[0]
                peak = memory(ours.pids)[1], memory(stock.pids)[1]
            finally:
                ours.close()
                stock.close()
        print(f"  private memory, fresh {fresh[0]:.2f} / {fresh[1]:.2f} MB: "
              f"{fresh[0] / fresh[1]:.2f}x; idle after all that "
              f"{idle[0]:.2f} / {idle[1]:.2f} MB: {idle[0] / idle[1]:.2f}x "
              "(goal <= 0.6)")
        print(f"  peak {peak[0]:.0f} / {peak[1]:.0f} MB (goal <= 48); up in "
              f"{up_ms:.0f} ms with {logins} login (goal 1)")
        seen.update(fresh_mb=fresh, idle_mb=idle, peak_mb=peak, up_ms=up_ms,
                    logins=logins)
        self.keep("tunnel", f"rtt {rtt}", seen)

    def measure(self, rtt, ours, stock):
        goals = {
            0: {"down 1": .62, "up 1": .62, "down 4": .62, "up 4": .62},
            20: {"down 1": 2.0, "up 1": .85, "down 4": .85, "up 4": .85},
            100: {"down 1": 3.0, "up 1": 1.0, "down 4": 1.0, "up 4": 1.0},
        }[rtt]
        ends = {"ours": ours, "stock": stock}
        took = {what: {name: [] for name in ends} for what in goals}
        spent = {what: dict.fromkeys(ends, 0) for what in goals}
        trips = {name: [] for name in ends}
        # All that is compared is in one round, as the neighbours change.
        for turn in range(RUNS):
            for what in goals:
                verb, n = what.split()
                for name in sorted(ends, reverse=turn % 2):
                    before = cpu(ends[name].pids)
                    took[what][name].append(number(
                        [self.stream, verb, str(ends[name].local),
                         str(BYTES[rtt]), n]))
                    spent[what][name] += cpu(ends[name].pids) - before
            for name, one in ends.items():
                trips[name].append(number(
                    [self.stream, "ping", str(one.local),
                     "100" if rtt < 50 else "20"]))
        seen = {}
        for what, goal in goals.items():
            verb, n = what.split()
            per = {k: v / (BYTES[rtt] * RUNS) * 2 ** 30
                   for k, v in spent[what].items()}
            a, b, x = ratio(took[what])
            print(f"  {verb:>4} x{n}: {a:7.1f} / {b:7.1f} MB/s: "
                  f"{x:5.2f}x (goal >= {goal}); CPU "
                  f"{per['ours']:.2f} / {per['stock']:.2f} s/GiB")
            seen[what] = {"ours": a, "stock": b, "ratio": x,
                          "cpu_s_per_gib": per}
        a, b, x = ratio(trips)
        print(f"  round trip: {a:.0f} / {b:.0f} us: {x:.2f}x (goal <= 1.1)")
        seen["ping_us"] = {"ours": a, "stock": b, "ratio": x}
        return seen

    def fifty(self, server):
        print("\n50 pods, one exec each, wall time")
        command = ["ssh", *server.options, "-p", str(server.port),
                   f"{server.user}@127.0.0.1"]
        curve = [*command, "-o", "KexAlgorithms=curve25519-sha256", "true"]
        took = {"ours": [], "curve25519": [], "stock": []}
        for _ in range(RUNS):
            took["ours"].append(number(
                [self.link, "fan", self.worker, server.key,
                 str(server.port), "50"]))
            for name, one in (("curve25519", curve),
                              ("stock", [*command, "true"])):
                began = time.monotonic()
                many = [subprocess.Popen(one) for _ in range(50)]
                if any([p.wait() for p in many]):
                    raise SystemExit("bench: ssh failed")
                took[name].append((time.monotonic() - began) * 1000)
        mid = {k: statistics.median(v) for k, v in took.items()}
        curve, stock = (statistics.median(
            a / b for a, b in zip(took["ours"], took[k]))
            for k in ("curve25519", "stock"))
        print(f"  {mid['ours']:.0f} ms; ssh with curve25519 "
              f"{mid['curve25519']:.0f} ms: "
              f"{curve:.2f}x (goal <= 0.6); stock "
              f"{mid['stock']:.0f} ms: {stock:.2f}x "
              "(goal <= 0.25)")
        self.keep("tunnel", "fifty", mid)

    def second(self, server):
        print("\na second exec on a live session")
        control = server.path("control")
        command = ["ssh", *server.options, "-o", f"ControlPath={control}",
                   "-p", str(server.port), f"{server.user}@127.0.0.1"]
        master = subprocess.Popen([*command, "-N", "-M"])
        while not os.path.exists(control):
            time.sleep(0.02)
        took = {"ours": [], "stock": []}
        for _ in range(RUNS):
            took["ours"].append(number(
                [self.link, "again", self.worker, server.key,
                 str(server.port), "30"]))
            some = []
            for _ in range(30):
                began = time.monotonic()
                subprocess.run([*command, "true"], check=True)
                some.append((time.monotonic() - began) * 1e6)
            took["stock"].append(statistics.median(some))
        ours, stock, x = ratio(took)
        master.terminate()
        master.wait()
        print(f"  {ours:.0f} us; ControlMaster {stock:.0f} us: "
              f"{x:.2f}x (goal <= 0.5)")
        self.keep("tunnel", "second", {"ours": ours, "stock": stock})
