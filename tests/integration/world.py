"""What the integration tests share: a scratch folder, a daemon in it, receiving systems, senders, and a sure end for all of them.

Everything here speaks to idem from outside: sockets, files, the `idem` program. Python's own library only.
Every process is started through setpriv(1), so that it ends with us even when we are killed, and is ended by its own pid.
"""
import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

SKIPPED = 77
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("IDEM_")}


def arguments(what, **more):
    """The command line all of these tests share; `more` are further options with their defaults."""
    parser = argparse.ArgumentParser(description=what.strip().split("\n")[0])
    parser.add_argument("--idemd", required=True)
    parser.add_argument("--idem", required=True)
    parser.add_argument("--receiver", required=True)
    parser.add_argument("--keep", action="store_true", help="leave the scratch folder")
    for name, default in more.items():
        option = "--" + name.replace("_", "-")
        if isinstance(default, bool):
            parser.add_argument(option, action="store_true")
        else:
            parser.add_argument(option, type=type(default), default=default)
    return parser.parse_args()


def skip(why):
    print("skipped: " + why)
    sys.exit(SKIPPED)


def wait_for(what, is_so, seconds=60, every=0.05):
    """Waits until is_so() answers something true, and returns that; fails loudly when it does not come."""
    end = time.monotonic() + seconds
    while True:
        answer = is_so()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(every)


class Checks:
    """Counts what held and what did not; a test may look on after a failure."""

    def __init__(self):
        self.failed = 0
        self.passed = 0

    def check(self, what, is_right, detail=""):
        if is_right:
            self.passed += 1
            return True
        self.failed += 1
        print(f"FAILED {what}  {detail}", flush=True)
        return False

    def equal(self, what, got, want):
        return self.check(what, got == want, f"got {got!r}, want {want!r}")

    def end(self):
        print(f"{self.passed} checks held, {self.failed} failed")
        return 1 if self.failed else 0


class Process:
    """A child with its own log file."""

    def __init__(self, words, log):
        self.log = open(log, "ab", buffering=0)
        leash = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        self.child = subprocess.Popen(leash + words, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=ENVIRONMENT)

    def is_running(self):
        return self.child.poll() is None

    def end(self, how=signal.SIGKILL, seconds=60):
        """Its exit code: negative for a signal."""
        if self.is_running():
            self.child.send_signal(how)
        try:
            code = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            code = None
        self.log.close()
        return code


class Receiver:
    """idem-receiver: keeps a list of what came (time, control id, new or repeat, answer) and the bytes of what was new."""

    def __init__(self, world, name, *more, port=0, keep_bytes=True):
        self.world, self.name = world, name
        self.list_path, self.bytes_path = world.path(name + ".list"), world.path(name + ".mllp")
        log = world.path(f"{name}-{len(world.processes)}.log")
        self.process = Process([world.asked.receiver, "--listen", f"127.0.0.1:{port}", "--list", self.list_path,
                                *(["--bytes", self.bytes_path] if keep_bytes else []), *more], log)
        world.processes.append(self.process)
        self.port = int(wait_for(f"receiver {name} listens", lambda: re.search(r"listening on (\d+)", read_text(log))).group(1))

    def rows(self):
        """[(control id, "new" or "repeat", answer)] in the order of arrival."""
        return [tuple(line.split("\t")[1:4]) for line in read_text(self.list_path).split("\n")[:-1]]

    def messages(self):
        with open(self.bytes_path, "rb") as file:
            return [frame.split(b"\x0b", 1)[1] for frame in file.read().split(b"\x1c\r")[:-1]]

    def end(self):
        self.process.end(signal.SIGTERM, 10)


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


class World:
    """A scratch folder with a daemon. Use as `with World(asked) as world:`."""

    def __init__(self, asked, base=None):
        self.asked = asked
        self.folder = tempfile.mkdtemp(prefix="idem-integration-", dir=base)
        self.data = self.path("data")
        self.processes = []
        self.daemon = None
        self.starts = 0
        self.ports = {}
        self.identity = ["--plain"] # or --ca, --cert, --key: who we are to the daemon

    def __enter__(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda number, frame: sys.exit(128 + number))
        return self

    def __exit__(self, kind, *more):
        for process in reversed(self.processes):
            process.end()
        if kind not in (None, SystemExit):
            sys.stdout.write("last lines of the daemon's log:\n" + self.log_text()[-3000:])
        if not self.asked.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    # ---- the daemon ----

    def configure(self, sources, more=""):
        """Plain listeners on loopback with ports of the system's choice, anew at every start."""
        listeners = "".join(f"  - {{ source: {name}, listen: 127.0.0.1:0 }}\n" for name in sources)
        self.write("idemd.yaml", f"data: {self.data}\ngrpc: {{ listen_plain: 127.0.0.1:0 }}\nmllp:\n{listeners}"
                                 f"plain_roles: [operator, steward, terminologist, sender, reader]\n{more}")

    def log_text(self):
        return read_text(self.path(f"idemd-{self.starts}.log"))

    def spawn(self):
        """Starts the daemon without waiting for it."""
        self.starts += 1
        self.daemon = Process([self.asked.idemd, "--config", self.path("idemd.yaml")], self.path(f"idemd-{self.starts}.log"))
        self.processes.append(self.daemon)

    def wait_ready(self, seconds=60):
        def ready():
            if not self.daemon.is_running():
                raise AssertionError(f"idemd did not start: exit {self.daemon.child.returncode}\n{self.log_text()[-2000:]}")
            return "idemd.ready" in self.log_text()
        wait_for("idemd is ready", ready, seconds, 0.01)
        text = self.log_text()
        ports = {name: int(port) for name, port in re.findall(r"mllp\.listening source=(\S+) .*?port=(\d+)", text)}
        ports["grpc"] = int(re.search(r"grpc\.listening .*?port=(\d+)", text).group(1))
        self.ports = ports

    def start(self, seconds=60):
        self.spawn()
        self.wait_ready(seconds)

    def end(self, how=signal.SIGKILL):
        code = self.daemon.end(how)
        self.processes.remove(self.daemon)
        if how == signal.SIGTERM and code not in (0, -signal.SIGKILL):
            print(f"idemd ended with {code}; its last words:\n{self.log_text()[-3000:]}")
        return code

    # ---- asking it ----

    def run(self, *words, stdin=None, timeout=120):
        address = f"127.0.0.1:{self.ports['grpc']}"
        return subprocess.run([self.asked.idem, *map(str, words), "--address", address, *self.identity], input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**ENVIRONMENT, "HOME": self.folder},
                              timeout=timeout, check=False)

    def ask(self, *words, timeout=120):
        got = self.run(*words, "--json", "--timeout", timeout, timeout=timeout + 30)
        if got.returncode != 0:
            raise AssertionError(f"idem {' '.join(map(str, words))}: exit {got.returncode}: {got.stdout[-500:]} {got.stderr[-500:]}")
        return json.loads(got.stdout)

    def status(self):
        return self.ask("status")

    def lane(self, name):
        return next((lane for lane in self.status()["lanes"] if lane["destination"] == name), None)

    def apply_routes(self, text):
        self.ask("route", "apply", self.write("routes.yaml", text))

    def settle(self, seconds=120, queued=0):
        """Until nothing (or just `queued`) waits for delivery; the last status."""
        def done():
            now = self.status()
            return now if now["deliveries_queued"] <= queued else None
        return wait_for("all deliveries are done", done, seconds, 0.25)


# ---- sending ----

class Line:
    """One MLLP connection."""

    def __init__(self, port, timeout=30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def put(self, *messages):
        self.socket.sendall(b"".join(b"\x0b" + message + b"\x1c\r" for message in messages))

    def get(self):
        while b"\x1c\r" not in self.rest:
            part = self.socket.recv(65536)
            if not part:
                raise ConnectionError("closed")
            self.rest += part
        frame, self.rest = self.rest.split(b"\x1c\r", 1)
        return frame.split(b"\x0b", 1)[1]

    def ask(self, message):
        self.put(message)
        return self.get()

    def close(self):
        self.socket.close()


def ack_of(answer):
    """(MSA-1, MSA-2, MSH-10, ERR-5.1 or text) of an acknowledgement."""
    rows = {row[:3]: row.split(b"|") for row in answer.split(b"\r")}
    msa, err = rows[b"MSA"], rows.get(b"ERR", [])
    return msa[1].decode(), msa[2].decode(), rows[b"MSH"][9].decode(), b"|".join(err).decode(errors="replace")


def control_id_of(message):
    return re.split(rb"[\r\n]", message[:2000], maxsplit=1)[0].split(message[3:4])[9].decode()


FAMILIES = ["Bergbeeg", "Quimby", "Ferdal", "Ostrow", "Marlin", "Tanaka", "Vasquez", "Nwosu", "Lindqvist", "Abaroa"]
GIVENS = ["Ada", "Bo", "Cleo", "Dara", "Edo", "Fay", "Gil", "Hana", "Ivo", "Jun"]


def admission(control_id, patient, event="A08", mode="", pad=0):
    """A made-up ADT message; `mode` is MSH-15 and 16 ("AL|NE"), `pad` so many more bytes in a note."""
    family, given = FAMILIES[patient % 10], GIVENS[patient // 10 % 10]
    born = f"19{patient * 7 % 90 + 10}{patient % 12 + 1:02}{patient % 28 + 1:02}"
    note = f"NTE|1||{'made up and long ' * (pad // 17)}\r" if pad else ""
    return (f"MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ADT^{event}|{control_id}|P|2.5.1|||{mode}\r"
            f"EVN|{event}|20261121120000\r"
            f"PID|1||{100000 + patient}^^^NORTH^MR||{family}{patient}^{given}||{born}|{'FM'[patient % 2]}|||"
            f"{patient} Mill Road^^Millbrook^ZZ^{30000 + patient}\r"
            f"PV1|1|I\r{note}").encode()


def result(control_id, patient, mode=""):
    return (f"MSH|^~\\&|LAB|NORTH|IDEM|HUB|20261121120000||ORU^R01|{control_id}|P|2.5.1|||{mode}\r"
            f"PID|1||{100000 + patient}^^^NORTH^MR||{FAMILIES[patient % 10]}{patient}^{GIVENS[patient // 10 % 10]}\r"
            f"OBR|1|||GLU^Glucose^L\rOBX|1|NM|GLU^Glucose^L||{patient % 9}.{patient % 7}|mmol/L|||||F\r").encode()


def in_thread(work, *args):
    thread = threading.Thread(target=work, args=args, daemon=True)
    thread.start()
    return thread
