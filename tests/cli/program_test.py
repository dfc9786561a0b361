#!/usr/bin/env python3
"""The program as its users meet it: help of every command, did-you-mean, completion, exit codes, JSON; then against a live daemon.

Usage: program_test.py IDEM BUILD_DIR      UPDATE_GOLDEN=1 rewrites tests/golden/cli/*.txt and docs/cli.md.
The daemon is BUILD_DIR/idemd/idemd; without it the live part is skipped, loudly.
"""
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

IDEM, BUILD = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"
GOLDEN = "tests/golden/cli"
failures = []
SCRATCH = tempfile.mkdtemp(prefix="idem-cli-test-")
ENV = {k: v for k, v in os.environ.items() if not k.startswith("IDEM_")}
ENV["HOME"] = SCRATCH  # nobody's own ~/.config/idem/cli.yaml


def run(*words, stdin=None, env=None, cwd=None):
    return subprocess.run([IDEM, *map(str, words)], input=stdin, capture_output=True, env={**ENV, **(env or {})}, cwd=cwd,
                          timeout=120)


def check(what, is_right, detail=""):
    if not is_right:
        failures.append(what)
        print(f"FAILED {what}\n  {detail}")


def check_exit(what, got, want):
    check(what, got.returncode == want, f"exit {got.returncode}, want {want}\n  {got.stdout[-800:]}\n  {got.stderr[-800:]}")


# No byte a terminal obeys, but line ends.
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def check_harmless(what, got):
    for stream in (got.stdout, got.stderr):
        try:
            text = stream.decode("utf-8")
        except UnicodeDecodeError as bad:
            check(what, False, f"not UTF-8: {bad}")
            continue
        found = STEERING.search(text)
        check(what, not found, f"steering character {found.group()!r} in {text[max(0, found.start() - 40):found.end() + 40]!r}"
              if found else "")


def check_json(what, got):
    try:
        return json.loads(got.stdout.decode("utf-8"))
    except ValueError as bad:
        check(what, False, f"{bad}: {got.stdout[:400]}")
        return {}


def check_golden(path, got):
    if UPDATE:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(got)
        return
    want = open(path, "rb").read() if os.path.exists(path) else b""
    check(f"{path} is up to date", got == want, "UPDATE_GOLDEN=1 ctest -R cli/program rewrites it; look at the difference")


def commands():
    """Names of all commands, from the help."""
    text = run("help").stdout.decode()
    body = text[text.index("Usage"):text.index("Options of every command")]
    return [m.group(1).split() for m in re.finditer(r"^  ((?:[a-z]+ )?[a-z]+) {2,}\S", body, re.M)]


# ---- without a daemon ----

def test_help():
    names = commands()
    check("the help lists commands", len(names) > 30, str(names))
    everything = run("help").stdout
    for name in names:
        got = run("help", *name)
        check_exit(f"help {name}", got, 0)
        check(f"help {name} names it", got.stdout.startswith(b"idem " + " ".join(name).encode() + b": "))
        same = run(*name, "--help")
        check(f"{name} --help is the same", same.stdout == got.stdout and same.returncode == 0)
        everything += b"\n---\n" + got.stdout
    if not any(n[0] == "bench" for n in names):
        print("bench is not built in: the golden help leaves it out")
    check_golden(f"{GOLDEN}/help.txt", everything)
    markdown = run("help", "--markdown")
    check_exit("help --markdown", markdown, 0)
    check_golden("docs/cli.md", markdown.stdout)
    for line in everything.decode().splitlines():
        check("help fits 132 columns", len(line) <= 132, line)


def test_mistakes():
    for words, said in [
        (["trcae", "7"], b'did you mean "trace"?'),
        (["review", "lst"], b'did you mean "review list"?'),
        (["status", "--jsno"], b"did you mean --json?"),
        (["help", "reviw"], b'did you mean "review"?'),
        ([], b"idem help"),
    ]:
        got = run(*words)
        check_exit(f"{words}", got, 2)
        check(f"{words} says {said}", said in got.stderr, got.stderr)
        check(f"{words} writes no data", got.stdout == b"")
    got = run("stauts", "--json")
    check("a mistake with --json is JSON", check_json("stauts --json", got).get("error", {}).get("reason") == "cli.usage")
    got = run("\x1b[2Jboo\u202e")
    check_harmless("a hostile command name", got)


def test_completion():
    for shell in ("bash", "zsh"):
        got = run("completion", shell)
        check_exit(f"completion {shell}", got, 0)
        path = f"{SCRATCH}/completion.{shell}"
        open(path, "wb").write(got.stdout)
        if shutil.which(shell):
            parsed = subprocess.run([shell, "-n", path], capture_output=True)
            check(f"{shell} takes the script", parsed.returncode == 0, parsed.stderr)
    script = f"source {SCRATCH}/completion.bash; COMP_WORDS=({{words}}); COMP_CWORD=$((${{{{#COMP_WORDS[@]}}}}-1)); " \
             "_idem; echo ${{COMPREPLY[@]}}"
    for words, want in [("idem tra", "trace"), ("idem review sa", "same"), ("idem trace --di", "--diff"),
                        ("idem completion z", "zsh"), ("idem review list --js", "--json")]:
        got = subprocess.run(["bash", "-c", script.format(words=words)], capture_output=True)
        check(f"bash completes {words}", want in got.stdout.decode().split(), f"{got.stdout} {got.stderr}")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def test_unreachable():
    port = free_ports(1)[0]
    got = run("status", "--plain", "--address", f"127.0.0.1:{port}", "--timeout", 3)
    check_exit("nothing listens", got, 3)
    check("it says what to do", b"next:" in got.stderr and b"--address" in got.stderr, got.stderr)
    got = run("status", "--plain", "--address", f"127.0.0.1:{port}", "--timeout", 3, "--json")
    check("and as JSON", "error" in check_json("unreachable --json", got))
    got = run("status", "--home", f"{SCRATCH}/nowhere")
    check("a missing --home is named", b"nowhere/client.yaml" in got.stderr, got.stderr)
    os.makedirs(f"{SCRATCH}/bad", exist_ok=True)
    open(f"{SCRATCH}/bad/client.yaml", "w").write("adress: 127.0.0.1:1\n")
    got = run("status", "--home", f"{SCRATCH}/bad")
    check("a wrong key is named with its line", b"line 1" in got.stderr and b"address" in got.stderr, got.stderr)
    message = f"{SCRATCH}/one.hl7"
    open(message, "wb").write(b"MSH|^~\\&|A|B|C|D|20260101||ADT^A08|X1|P|2.5\rPID|||1^^^N\r")
    got = run("send", message, "--to", f"mllp://127.0.0.1:{port}", "--timeout", 3)
    check_exit("no receiving system", got, 3)
    check("the message is said to be not sent", b"not sent" in got.stdout, got.stdout)
    for words in (["send", message, "--to", "nonsense"], ["send", f"{SCRATCH}/none.hl7"], ["trace"], ["review", "same"],
                  ["status", "--every", 1], ["identify"], ["identify", "--born", "2026-02-30"]):
        check_exit(f"{words}", run(*words, "--plain", "--address", f"127.0.0.1:{port}"), 2)


def test_alone():
    check_exit("version", run("version"), 0)
    check_json("version --json", run("version", "--json"))
    pki = f"{SCRATCH}/pki"
    check_exit("pki init", run("pki", "init", "--dir", pki), 0)
    check_exit("a second authority is refused", run("pki", "init", "--dir", pki), 2)
    check_json("pki issue --json", run("pki", "issue", "one", "--dir", pki, "--json"))
    check_exit("a certificate is not replaced by accident", run("pki", "issue", "one", "--dir", pki), 2)
    check_exit("a name cannot leave the folder", run("pki", "issue", "../one", "--dir", pki), 2)
    check("keys are secret", all(os.stat(f"{pki}/{f}").st_mode & 0o077 == 0 for f in ("ca.key", "one.key")))
    for what in ("people", "messages", "codes"):
        check_exit(f"gen {what}", run("gen", what, "--out", f"{SCRATCH}/gen", *(["--people", 200] if what != "codes" else [])), 0)


def test_bench():
    """That every figure of the index is there, for people of the generator; none is judged."""
    if not os.path.exists("cli/cmd_bench.c"):
        print("bench is not built in: not run")
        return
    said = check_json("bench identity --json", run("bench", "identity", "--people", 200, "--dir", SCRATCH, "--json"))
    rows = {row["name"]: row["value"] for row in said["results"]}
    names = ["link", "link.pairs", "train", "load", *(f"load.tenth-{i + 1}" for i in range(10)), "load.last-to-first", "records", "persons",
             "index", "disk", "compare", "identify-p50", "identify-p99", "apply", "apply-p99", "candidates", "publish-max",
             "served-load", "stop", "start-from-rows", "start", "grpc-p50", "grpc-p99", "registrations", "grpc-beside-p50", "grpc-beside-p99"]
    missing = [name for name in names if not rows.get(f"identity.{name}", 0) > 0]
    check("bench identity measures everything", not missing, f"{missing} of {rows}")
    check("there are more records than persons", rows.get("identity.records", 0) > rows.get("identity.persons", 0), str(rows))
    check("nothing of it stays", not any(name.startswith("idem-bench") for name in os.listdir(SCRATCH)), str(os.listdir(SCRATCH)))


def test_eval():
    """Ten rows of three files: figures worked out by hand. The daemon is not asked."""
    one, two, three, side = (f"{SCRATCH}/{name}.csv" for name in ("one", "two", "three", "side"))
    head = "id,family,given,dob,sex,phone,who\n"
    # 1, 2 and 3 are one human; O1 and O2 are two whom nothing but the truth tells apart; F and 9 are one of whom nothing
    # but the truth says so; Z says no truth. Persons: {1 2 3} {O1 O2} {F} {9} {Z}
    open(one, "w").write(head + "1,Lindqvist,Anna,1980-02-29,F,5551234,x\nO1,Okonkwo,Chidiebere,1975-05-17,M,5559876,y\n"
                         "F,Ferreira,Tomás,1990-11-03,M,,z\nF,Twice,Number,1990-11-03,M,,z\n5,Short\n")
    open(two, "w").write(head + "2,Lindqvist,Anna,1980-02-29,F,5551234,x\nO2,Okonkwo,Chidiebere,1975-05-17,M,5559876,v\n"
                         "Z,Hashimoto,Ren,1966-01-09,,,\n")
    open(three, "w").write(head + "3,Lindqvist,Anna,1980-02-29,F,5551234,x\n9,Lund,Bo,1951-07-30,M,,z\n")
    ask = ("eval", "people", one, two, three)
    got = run(*ask, "--truth", "who", "--json")
    check_exit("eval people", got, 0)
    said = check_json("eval people --json", got)
    want = {"records": 8, "humans": 4, "left_out": 2, "truth_missing": 1,
            "wrong": {"pairs": 1, "by_themselves": 1, "in_household": 0, "persons": 1},
            "missed": {"pairs": 1, "no_key": 0, "too_little": 1, "asked": 0, "rest": 0}}
    check("eval counts", all(said.get(k) == v for k, v in want.items()), str(said))
    made = said["automatic"]
    check("eval pairs", (made["pairs"]["right"], made["pairs"]["found"], made["pairs"]["true"]) == (3, 4, 4) and
          made["pairs"]["precision"] == .75, str(made))
    check("eval persons", (made["persons"]["right"], made["persons"]["found"], made["persons"]["true"]) == (1, 4, 4), str(said))
    check("eval B-cubed", abs(made["records"]["precision"] - 6 / 7) < 1e-5 and abs(made["records"]["recall"] - 6 / 7) < 1e-5,
          str(made))
    open(side, "w").write("authority,id,person,household\none,1,x,\none,O1,y,h\none,F,z,h\ntwo,2,x,\ntwo,O2,v,h\nthree,3,x,\n"
                          "three,9,z,\n")
    other = check_json("eval --truth-file", run(*ask, "--truth-file", side, "--json"))
    check("the truth may be elsewhere", other["automatic"] == made, str(other))
    check("and who lives together", other["wrong"]["in_household"] == 1, str(other["wrong"]))
    open(two, "a").write("2b,Lindqvist,Anna,1980-02-29,F,5551234,x\n")
    across = check_json("eval --link-only", run(*ask, "--truth", "who", "--link-only", "--json"))
    check("pairs of one file do not count", across["automatic"]["pairs"]["true"] == 6, str(across))
    open(side, "w").write("left,right,label\n1,2,match\nO1,O2,no\n1,O1,no\nF,Z,possible\nF,nobody,no\n")
    judged = check_json("eval --pairs", run(*ask, "--pairs", side, "--json"))["labels"]
    check("labelled pairs", judged == {"accuracy": .5, "left_out": 1, "misses": [], "match": {"linked": 1, "review": 0, "apart": 0},
                                       "possible": {"linked": 0, "review": 0, "apart": 1},
                                       "no": {"linked": 1, "review": 0, "apart": 1}}, str(judged))
    judged = check_json("eval --pairs --misses", run(*ask, "--pairs", side, "--misses", 5, "--json"))["labels"]["misses"]
    check("judged pairs that went wrong", [(p["what"], p["left"], p["why"]) for p in judged] ==
          [("possible", "F", "apart"), ("no", "O1", "linked")], str(judged))
    missed = run(*ask, "--truth", "who", "--misses", 5)
    check_exit("eval --misses", missed, 0)
    check_harmless("eval --misses", missed)
    check("so are missed ones", b"missed" in missed.stdout and b"too little evidence" in missed.stdout, missed.stdout)
    check("wrong pairs are shown without values", b"wrong" in missed.stdout and b"O2" in missed.stdout and
          b"family name" in missed.stdout and b"Okonkwo" not in missed.stdout and b"5559876" not in missed.stdout, missed.stdout)
    levels = check_json("eval --levels", run(*ask, "--truth", "who", "--levels", "--json"))["levels"]
    exact = next((level for level in levels if (level["field"], level["level"]) == ("family name", "exact")), {})
    # of 1-2 1-2b 1-3 2-2b 2-3 2b-3 F-9 six agree; blindly 7 pairs of 36, or about that many of a million picked
    check("evidence is counted", exact.get("of_true") == 6 and 150000 < exact.get("of_blind", 0) < 250000 and
          1.5 < exact.get("bits", 0) < 3, str(exact))
    open(side, "w").write("id: number\n")
    for words, says in ((["--map", side], b"number"), (["--truth", "whom"], b"whom"), (["--truth-file", one], b"authority")):
        got = run("eval", "people", one, *words)
        check_exit(f"eval {words[0]}", got, 2)
        check(f"eval {words[0]} says what", says in got.stderr, got.stderr)


def test_model():
    """Models made, tried and measured in this process."""
    files = [f"{SCRATCH}/gen/{source}.csv" for source in ("north", "lake")]
    made, bold = f"{SCRATCH}/made.yaml", f"{SCRATCH}/bold.yaml"
    got = run("model", "train", *files, "--out", made, "--name", "here")
    check_exit("model train", got, 0)
    text = open(made).read()
    check("the model says what it was made from", re.search(r"^name: here$", text, re.M) and re.search(r"^records: [1-9]", text, re.M),
          text[:600])
    check("and is for its owner only", os.stat(made).st_mode & 0o77 == 0)
    names = {row.split(",")[3] for row in open(files[0]).read().splitlines()[1:]}
    check("no name is in it", not any(len(name) > 3 and re.search(rf"\b{re.escape(name)}\b", text) for name in names))
    got = run("model", "train", *files, "--out", "-", "--name", "here")
    check("to standard output too", got.stdout.decode().split("made_at")[0] == text.split("made_at")[0], got.stdout[:300])
    same = check_json("model whatif --json", run("model", "whatif", made, *files, "--against", made, "--json"))
    check("against itself it changes nothing", same["records"] > 100 and same["persons_before"] == same["persons_after"] and
          same.get("records_changed", 0) == 0 and not same.get("changed"), str(same)[:600])
    open(bold, "w").write(re.sub(r"^(auto|review): .*$", r"\1: -6.000", text, flags=re.M))
    got = run("model", "whatif", bold, *files, "--list", 4)
    check_exit("model whatif", got, 0)
    check_harmless("model whatif", got)
    told = check_json("model whatif --json", run("model", "whatif", bold, *files, "--list", 4, "--json"))
    check("a bold one links more", told["persons_after"] < told["persons_before"] and len(told["changed"]) == 4, str(told)[:600])
    measured = run("eval", "people", *files, "--truth-file", f"{SCRATCH}/gen/truth.csv", "--model", made, "--quick", "--json")
    check_exit("eval people --model", measured, 0)
    truth = ["--truth-file", f"{SCRATCH}/gen/truth.csv"]
    blocking = check_json("model blocking --json", run("model", "blocking", *files, "--json"))
    measured = check_json("eval people --blocking", run("eval", "people", *files, *truth, "--quick", "--blocking", "--json"))
    check("blocking is told alike by both", measured["blocking"] == blocking and blocking["linked"] > 50 and
          len(blocking["rules"]) == 17 and 0.5 < blocking["recall_ppm"] / 1e6 <= 1, str(blocking)[:600])
    side = measured["side_by_side"]
    check("and by truth", 0 < side["found"] <= side["true"] and side["true"] == measured["automatic"]["pairs"]["true"], str(side))
    calibration = check_json("model calibrate --json", run("model", "calibrate", *files, *truth, "--model", made, "--json"))
    measured = check_json("eval", run("eval", "people", *files, *truth, "--quick", "--model", made, "--json"))
    check("calibration is that of eval people", calibration["pairs"] == measured["alike"] and
          abs(calibration["error_ppm"] / 1e6 - measured["calibration_error"]) < 1e-5 and
          [band.get("right", 0) for band in calibration["bands"]] == [band["right"] for band in measured["bands"]],
          str(calibration)[:600])
    for words in (["model", "blocking", *files], ["model", "calibrate", *files, *truth], ["eval", "people", *files, *truth, "--blocking"]):
        got = run(*words)
        check_exit(f"{words[:2]}", got, 0)
        check_harmless(f"{words[:2]}", got)
    open(bold, "w").write(text.replace("records:", "recods:"))
    for words, says in ((["model", "whatif", bold, *files], b"line 12"), (["model", "whatif", files[0], *files], b"line 1:"),
                        (["model", "train", *files], b"--out"), (["model", "train", *files, "--out", made, "--name", "a b"], b"letters"),
                        (["eval", "people", *files, "--model", made, "--train"], b"exclude"),
                        (["model", "activate", made], b"--why")):
        got = run(*words)
        check_exit(f"{words[:2]} is refused", got, 2)
        check(f"{words[:2]} says what", says in got.stderr, got.stderr)


# ---- with a daemon ----

HOSTILE_NAME = "Lind\x1b]0;owned\x07\u202eevil\u009b31m".encode()


class Grumbler(threading.Thread):
    """A receiving system that refuses everything (AE): what it is sent becomes dead letters."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.grumble, args=(line,), daemon=True).start()

    @staticmethod
    def grumble(line):
        held = b""
        while True:
            try:
                got = line.recv(65536)
            except OSError:
                return
            if not got:
                return
            held += got
            while b"\x1c\r" in held:
                frame, held = held.split(b"\x1c\r", 1)
                control_id = frame.lstrip(b"\x0b").split(b"\r")[0].split(b"|")[9]
                line.sendall(b"\x0bMSH|^~\\&|L|L|I|I|20260101||ACK|1|P|2.5.1\rMSA|AE|" + control_id +
                             b"|no \x1b[2Jthanks\r\x1c\r")


class Daemon:
    def __init__(self, program):
        self.home = f"{SCRATCH}/home"
        os.makedirs(self.home)
        for words in (["init"], ["issue", "idemd", "--server"], ["issue", "admin"], ["issue", "reader"], ["issue", "nobody"]):
            check_exit(f"pki {words}", run("pki", *words, "--dir", f"{self.home}/pki"), 0)
        self.grpc, self.plain, self.mllp = free_ports(3)
        self.grumbler = Grumbler()
        self.grumbler.start()
        self.write("idemd.yaml", f"""\
data: ./data
tls: {{ certificate: pki/idemd.pem, key: pki/idemd.key, clients_ca: pki/ca.pem }}
grpc: {{ listen: 127.0.0.1:{self.grpc}, listen_plain: 127.0.0.1:{self.plain} }}
mllp:
  - {{ source: north, listen: 127.0.0.1:{self.mllp}, allow_plain: true }}
  - {{ source: lake, listen: 127.0.0.1:0, tls: true, peers: [admin] }}
roles:
  - {{ principal: admin, roles: [reader, sender, steward, terminologist, operator] }}
  - {{ principal: reader, roles: [reader] }}
plain_roles: [reader]
""")
        self.write("client.yaml", f"address: 127.0.0.1:{self.grpc}\nca: pki/ca.pem\ncert: pki/admin.pem\nkey: pki/admin.key\n")
        self.write("routes.yaml", f"""\
destinations:
  - name: archive
    file: {{ folder: {self.home}/archive }}
  - name: grumbler
    mllp: {{ connect: "127.0.0.1:{self.grumbler.port}" }}
routes:
  - name: all
    when: {{ source: [north] }}
    person_id: {{ authority: IDEM, type: PI }}
    local_system: {{ L: north-lab }}
    codes:
      - {{ path: "DG1(*)-3", to: [I10C] }}
      - {{ path: "OBX(*)-3", to: [LN] }}
    to: [archive, grumbler]
""")
        self.log = open(f"{self.home}/idemd.log", "wb")
        self.process = subprocess.Popen([program, "--config", f"{self.home}/idemd.yaml"], stdout=self.log, stderr=self.log)
        self.lake = None

    def write(self, name, text):
        open(f"{self.home}/{name}", "w").write(text)

    def wait(self):
        for _ in range(100):
            if self.process.poll() is not None:
                return False
            text = open(f"{self.home}/idemd.log").read()
            if "idemd.ready" in text:
                found = re.search(r"source=lake \S+ port=(\d+)", text)
                self.lake = found and found.group(1)
                return True
            time.sleep(0.1)
        return False

    def idem(self, *words, **more):
        return run("--home", self.home, *words, **more)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()
        self.grumbler.listener.close()


def message(control_id, name, ids="1001^^^NORTH^MR", extra=b"", kind=b"ADT^A01"):
    return (b"MSH|^~\\&|HIS|NORTH|IDEM|X|20260101120000||" + kind + b"|" + control_id + b"|P|2.5.1||||||UNICODE UTF-8\r"
            b"EVN||20260101120000\rPID|1||" + ids.encode() + b"||" + name + b"^Ada^^^||19800229|F\rPV1|1|I\r" + extra)


def both(daemon, *words, want=0):
    """Readable and JSON: same exit code, harmless, valid. Answers the JSON."""
    got = daemon.idem(*words)
    check_exit(f"{words}", got, want)
    check_harmless(f"{words} is harmless", got)
    for line in got.stdout.decode("utf-8", "replace").splitlines():
        check(f"{words} fits 140 columns", len(line) <= 140 or words[0] in ("codes", "people") or "--diff" in words, line)
    as_json = daemon.idem(*words, "--json")
    check_exit(f"{words} --json", as_json, want)
    return check_json(f"{words} --json", as_json)


def test_messages(daemon):
    hostile = f"{SCRATCH}/hostile.hl7"
    open(hostile, "wb").write(message(b"H1", HOSTILE_NAME, extra=b"DG1|1||E11.9^\x1b[2JDiabetes^I10C\r"))
    good = f"{SCRATCH}/good.hl7"
    open(good, "wb").write(message(b"G1", b"Lind") + message(b"G2", b"Berg", "1002^^^NORTH^MR"))
    bad = f"{SCRATCH}/bad.hl7"
    open(bad, "wb").write(message(b"G3", b"Moe", "1003^^^NORTH^MR") + message(b"", b"Nix"))

    got = daemon.idem("send", good, "--source", "north", "--json")
    check_exit("send over gRPC", got, 0)
    sent = check_json("send --json", got)
    check("two accepted", sent.get("summary", {}).get("accepted") == 2, str(sent))
    seq = sent["messages"][0]["seq"] if sent.get("messages") else 0
    got = daemon.idem("send", good, "--source", "north")
    check_exit("send again", got, 0)
    check("a repeat is answered, and said to be one", b"2 repeated" in got.stdout, got.stdout)
    got = daemon.idem("send", bad, "--source", "north")
    check_exit("a refused message is exit 1", got, 1)
    check("its answer is shown", b"1 AA" in got.stdout and (b"AE" in got.stdout or b"AR" in got.stdout), got.stdout)
    got = daemon.idem("send", hostile, "--source", "north")
    check_exit("a hostile but legal message is taken", got, 0)
    check_harmless("send of a hostile message", got)
    worse = f"{SCRATCH}/worse.hl7"
    open(worse, "wb").write(message(b"H2\x1b[2J", HOSTILE_NAME + b"\xff\x9b2J"))
    got = daemon.idem("send", worse, "--source", "north")
    check_exit("bytes that are no text are refused", got, 1)
    check_harmless("send of bytes that are no text", got)
    got = daemon.idem("send", good, "--to", f"mllp://127.0.0.1:{daemon.mllp}")
    check_exit("send over MLLP", got, 0)
    if daemon.lake:
        got = daemon.idem("send", good, "--to", f"mllps://127.0.0.1:{daemon.lake}", "--quiet")
        check_exit("send over MLLP with TLS", got, 0)
    got = daemon.idem("send", "-", "--source", "north", "--quiet", stdin=message(b"S1", b"Stdin", "1009^^^NORTH^MR"))
    check_exit("send from standard input", got, 0)
    got = daemon.idem("send", good, bad, "--source", "north", "--connections", 3, "--quiet")
    check_exit("send over several connections", got, 1)

    trace = both(daemon, "trace", seq)
    total = sum(e["weight_mbit"] for e in trace.get("evidence", []))
    check("evidence adds up", not trace.get("evidence") or total == trace["score_mbit"], str(trace.get("evidence")))
    both(daemon, "trace", seq, "--diff")
    both(daemon, "trace", "--control-id", "H1", "--diff")
    both(daemon, "trace", 999999999, want=1)
    listed = both(daemon, "messages", "--max", 20000).get("messages", [])
    seqs = [line["seq"] for line in listed]
    check("messages lists each once, newest first", len(seqs) > 10 and seqs == sorted(set(seqs), reverse=True), seqs)
    some = both(daemon, "messages", "--max", 3)
    check("and says where to go on", some["next_before"] == seqs[2] and len(some["messages"]) == 3, str(some))
    both(daemon, "messages")
    both(daemon, "messages", "--refused", "--max", 5)
    both(daemon, "status")
    both(daemon, "status", "--line")
    got = daemon.idem("status", "--watch", "--line", "--every", 50, "--times", 3)
    check("watch looks three times", got.stdout.count(b"\n") == 3 and got.returncode == 0, got.stdout)
    got = daemon.idem("status", "--watch", "--json", "--every", 50, "--times", 2)
    check("watch --json is one text a line", all(json.loads(line) for line in got.stdout.splitlines()))


def test_people(daemon):
    for source in ("north", "lake", "lab", "insurer"):
        both(daemon, "people", "load", f"{SCRATCH}/gen/{source}.csv")
    scored = check_json("score --json", daemon.idem("score", f"{SCRATCH}/gen/truth.csv", "--json"))
    said = check_json("eval of the same people", run("eval", "people", *(f"{SCRATCH}/gen/{s}.csv" for s in ("north", "lake", "lab", "insurer")),
                      "--truth-file", f"{SCRATCH}/gen/truth.csv", "--json"))
    pairs, missed = said["automatic"]["pairs"], said["missed"]
    check("the index links as eval says", (scored["unknown"], scored["pairs_true"], scored["pairs_found"], scored["pairs_right"]) ==
          (0, pairs["true"], pairs["found"], pairs["right"]), f"{scored} {pairs}")
    check("every missed pair has one cause", missed["pairs"] == pairs["true"] - pairs["right"] > 0 and
          missed["pairs"] == sum(missed[cause] for cause in ("no_key", "too_little", "asked", "rest")), str(said))
    check("every pair that is alike has one band", said["alike"] == sum(band["pairs"] for band in said["bands"]) and
          said["alike_right"] == sum(band["right"] for band in said["bands"]), str(said))
    check("answers bring pairs together", said["answered"]["pairs"]["recall"] >= pairs["right"] / pairs["true"] and
          said["questions"] > 0, str(said))
    broken = f"{SCRATCH}/broken.csv"
    open(broken, "w").write("source,authority,id,famly\nnorth,NORTH,1,Lind\n")
    got = daemon.idem("people", "load", broken)
    check_exit("a misspelt column is refused", got, 2)
    check("and the right one named", b"family" in got.stderr, got.stderr)
    columns = f"{SCRATCH}/columns.csv"
    open(columns, "w").write("source,authority,id,family,given,email,birth_place\n"
                             "north,COLUMNS,1,Quillfeather,Ursa,ursa@example.org,Ghent\n")
    both(daemon, "people", "load", columns)
    said = both(daemon, "person", "find", "COLUMNS", "1")["golden"]
    check("e-mail address and birth place of a CSV are kept",
          (said.get("emails"), said.get("birth_place")) == (["ursa@example.org"], "Ghent"), str(said))
    got = daemon.idem("person", "find", "COLUMNS", "1")
    check("and shown", b"ursa@example.org" in got.stdout and b"Ghent" in got.stdout, got.stdout)
    both(daemon, "identify", "--family", "Quillfeather", "--email", "ursa@example.org", "--birth-place", "Ghent",
         "--given", "Ursa")
    both(daemon, "identify", "--family", "Lind", "--given", "Ada", "--born", "1980-02-29")
    both(daemon, "identify", "--family", "Nobodyatall", "--born", "1901-01-01", want=1)
    both(daemon, "identify", f"{SCRATCH}/good.hl7")
    asked = f"{SCRATCH}/asked.json"
    open(asked, "w").write('{"identifiers": [{"authority": "NORTH", "value": "1001"}], "family": "Lind", "born": "1980-02-29"}')
    found = both(daemon, "identify", asked)
    person = found["matches"][0]["person"] if found.get("matches") else 0
    both(daemon, "person", "show", person)
    both(daemon, "person", "find", "NORTH", "1001")
    both(daemon, "person", "find", "NORTH", "nobody", want=1)
    both(daemon, "person", "history", person)
    both(daemon, "person", "show", 999999999, want=1)

    reviews = both(daemon, "review", "list").get("reviews", [])
    check("there is something to review", len(reviews) > 0)
    both(daemon, "review", "show", 999999999, want=1)
    if not reviews:
        return
    review = reviews[0]
    shown = both(daemon, "review", "show", review["id"])
    total = sum(e["weight_mbit"] for e in shown["comparison"]["evidence"])
    check("evidence of a review adds up", total == shown["comparison"]["score_mbit"], str(shown["comparison"]))
    both(daemon, "why", review["left_record"], review["right_record"], want=1)
    got = daemon.idem("review", "same", review["id"], "--note", "asked the ward", "--json")
    decided = check_json("review same", got)
    check_exit("review same", got, 0)
    both(daemon, "why", review["left_record"], review["right_record"], want=0)
    got = daemon.idem("review", "undo", decided.get("decision", 0))
    check_exit("review undo", got, 0)
    both(daemon, "why", review["left_record"], review["right_record"], want=1)
    got = daemon.idem("review", "different", "--left", review["left_record"], "--right", review["right_record"])
    check_exit("review different by records", got, 0)


def test_live_model(daemon):
    shown = both(daemon, "model", "show")
    check("the general model is active", shown.get("version") == 2 and shown.get("name") == "general", str(shown)[:300])
    check("nothing was activated", not both(daemon, "model", "list").get("activations"))
    general, here = f"{SCRATCH}/general.yaml", f"{SCRATCH}/here.yaml"
    check_exit("model export", daemon.idem("model", "export", general), 0)
    check_exit("model train, of the index", daemon.idem("model", "train", "--out", here, "--name", "here"), 0)
    told = both(daemon, "model", "whatif", here, "--list", 5)
    status = both(daemon, "status")
    check("whatif changes nothing", told.get("persons_before") == status.get("persons"), f"{told} {status}"[:600])
    done = check_json("model activate", daemon.idem("model", "activate", here, "--why", "our own people", "--json"))
    check("whatif told what happens", done.get("persons_after") == told.get("persons_after"), f"{done} {told}"[:600])
    got = daemon.idem("model", "activate", general, "--why", "as it was")
    check_exit("model activate", got, 0)
    check_harmless("model activate", got)
    rows = both(daemon, "model", "list").get("activations", [])
    check("the list says who and why", [(r["version"], r["name"], r["why"], r["by"]) for r in rows] ==
          [(2, "general", "as it was", "admin"), (100, "here", "our own people", "admin")], str(rows))
    check("the persons are those of before", both(daemon, "status").get("persons") == status.get("persons"))
    check_exit("an earlier one is still there", daemon.idem("model", "export", here + ".again", "--version", 100), 0)
    check("and the same", open(here).read() == open(here + ".again").read())
    both(daemon, "model", "show", 77, want=1)


def test_codes(daemon):
    both(daemon, "codes", "list")
    for name in ("codes/icd10cm", "codes/loinc", "maps/north-lab.csv"):
        both(daemon, "codes", "load", f"{SCRATCH}/gen/{name}", "--dry-run", "--version", "2026-01")
        got = daemon.idem("codes", "load", f"{SCRATCH}/gen/{name}", "--activate", "--version", "2026-01")
        check_exit(f"codes load {name}", got, 0)
        got = daemon.idem("codes", "load", f"{SCRATCH}/gen/{name}", "--version", "2026-01")
        check_exit(f"the same release again {name}", got, 1)
        check("is said to be there already", b"codes list" in got.stderr, got.stderr)
    junk = f"{SCRATCH}/junk.csv"
    open(junk, "w").write("a,b\n1,2\n")
    both(daemon, "codes", "load", junk, want=1)
    releases = both(daemon, "codes", "list").get("releases", [])
    check("releases are listed", len(releases) >= 3, str(releases))
    both(daemon, "codes", "lookup", "I10C", "E11.9")
    both(daemon, "codes", "lookup", "I10C", "nonsense", want=1)
    both(daemon, "codes", "validate", "I10C", "E11.9")
    both(daemon, "codes", "validate", "I10C", "nonsense", want=1)
    both(daemon, "codes", "translate", "I10C", "nonsense", want=1)
    became = both(daemon, "codes", "translate", "north-lab", "GLU").get("translations", [])
    check("a local code has its map row", len(became) == 1 and became[0]["code"] == "990001-0" and became[0]["map_row"] == 2,
          str(became))
    both(daemon, "codes", "subsumes", "I10C", "E11", "E11.9")
    work_page = 3000 # what the daemon answers at once
    many = f"{SCRATCH}/many-codes.hl7"
    open(many, "wb").write(message(b"W1", b"Lind", kind=b"ORU^R01", extra=b"OBR|1\r" + b"".join(
        b"OBX|%d|NM|W%d^^L||1\r" % (n, n) for n in range(work_page + 1))))
    check_exit("send of many codes", daemon.idem("send", many, "--source", "north"), 0)
    both(daemon, "codes", "work")
    for wanted, got_back, more in ((work_page, work_page, True), (work_page + 1, work_page + 1, None), (0, None, False)):
        reply = both(daemon, "codes", "work", "--max", wanted)
        codes = [(i["source"], i["path"], i["system"], i["code"]) for i in reply.get("items", [])]
        check(f"codes work --max {wanted}: each once", len(set(codes)) == len(codes) and len(codes) == (got_back or len(codes)))
        check(f"codes work --max {wanted}: more or not", more is None or bool(reply.get("next_after")) == more)
    check("all of them", sum(code[3].startswith("W") for code in codes) == work_page + 1, str(len(codes)))
    both(daemon, "codes", "activate", 999999, want=1)
    if releases:
        check_exit("codes activate", daemon.idem("codes", "activate", releases[0]["id"]), 0)
    before = f"{SCRATCH}/gen/codes/before/icd10cm"
    check_exit("the release before", daemon.idem("codes", "load", before, "--activate", "--version", "2025"), 0)
    active = lambda: [r["version"] for r in both(daemon, "codes", "list")["releases"] if r.get("active") and r["kind"] == "icd10cm"]
    check("is active", active() == ["2025"], str(active()))
    check_exit("codes rollback", daemon.idem("codes", "rollback", "I10C"), 0)
    check("and rolled back", active() == ["2026-01"], str(active()))


def test_operation(daemon):
    routes = both(daemon, "route", "list")
    check("the routes are there", "all" in routes.get("routes", []), str(routes))
    check("their text comes back", b"destinations" in daemon.idem("route", "list", "--text").stdout)
    got = daemon.idem("route", "test", "--source", "north", stdin=message(b"T1", HOSTILE_NAME))
    check_exit("route test", got, 0)
    check_harmless("route test", got)
    check_exit("route test nowhere", daemon.idem("route", "test", "--source", "other", stdin=message(b"T2", b"Lind")), 1)
    wrong = f"{SCRATCH}/wrong.yaml"
    open(wrong, "w").write("destinatons: []\nroutes: []\n")
    got = daemon.idem("route", "apply", wrong)
    check_exit("wrong routes are refused", got, 1)
    check("with line and suggestion", b"line 1" in got.stderr and b"destinations" in got.stderr, got.stderr)
    for _ in range(100):
        letters = both(daemon, "dlq", "list").get("letters", [])
        if letters:
            break
        time.sleep(0.1)
    check("there are dead letters", bool(letters))
    if letters:
        both(daemon, "dlq", "show", letters[0]["id"])
        both(daemon, "dlq", "replay", letters[0]["id"], "--dry-run")
        check_exit("dlq replay", daemon.idem("dlq", "replay", letters[0]["id"]), 0)
    both(daemon, "dlq", "show", 999999999, want=1)
    both(daemon, "journal", "verify")
    both(daemon, "journal", "stats")
    doctor = daemon.idem("doctor")
    check("doctor finds a sound daemon well", doctor.returncode == 0 and b"journal" in doctor.stdout, doctor.stdout)
    check_json("doctor --json", daemon.idem("doctor", "--json"))


def test_rights(daemon):
    pki = f"{daemon.home}/pki"
    address = f"127.0.0.1:{daemon.grpc}"
    good = f"{SCRATCH}/good.hl7"
    for name, words, want in [("reader", ["status"], 0), ("reader", ["review", "same", 1], 4), ("nobody", ["status"], 4),
                              ("reader", ["route", "apply", f"{daemon.home}/routes.yaml"], 4), ("reader", ["send", good], 4),
                              ("reader", ["model", "activate", f"{SCRATCH}/general.yaml", "--why", "w"], 4)]:
        got = run(*words, "--address", address, "--ca", f"{pki}/ca.pem", "--cert", f"{pki}/{name}.pem", "--key",
                  f"{pki}/{name}.key")
        check_exit(f"{name} {words}", got, want)
    got = run("status", env={"IDEM_ADDRESS": address, "IDEM_CA": f"{pki}/ca.pem", "IDEM_CERT": f"{pki}/admin.pem",
                             "IDEM_KEY": f"{pki}/admin.key"})
    check_exit("from the environment", got, 0)
    shutil.copy(f"{daemon.home}/client.yaml", f"{daemon.home}/.idem.yaml")
    check_exit("from ./.idem.yaml", run("status", cwd=daemon.home), 0)
    os.makedirs(f"{SCRATCH}/.config/idem", exist_ok=True)
    open(f"{SCRATCH}/.config/idem/cli.yaml", "w").write(open(f"{daemon.home}/client.yaml").read().replace("pki/", f"{pki}/"))
    check_exit("from ~/.config/idem/cli.yaml", run("status"), 0)
    os.remove(f"{SCRATCH}/.config/idem/cli.yaml")
    check_exit("plain on loopback", run("status", "--plain", "--address", f"127.0.0.1:{daemon.plain}"), 0)
    other = f"{SCRATCH}/otherpki"
    run("pki", "init", "--dir", other)
    run("pki", "issue", "admin", "--dir", other)
    got = run("status", "--address", address, "--ca", f"{pki}/ca.pem", "--cert", f"{other}/admin.pem", "--key",
              f"{other}/admin.key", "--timeout", 5)
    check("a foreign certificate gets nowhere", got.returncode in (3, 4), f"{got.returncode} {got.stderr}")


def test_live():
    program = f"{BUILD}/idemd/idemd"
    if not os.access(program, os.X_OK):
        print("skipped: no daemon built; the live part was not run")
        return
    daemon = Daemon(program)
    try:
        if not daemon.wait():
            check("the daemon starts", False, open(f"{daemon.home}/idemd.log").read()[-2000:])
            return
        check_exit("route apply", daemon.idem("route", "apply", f"{daemon.home}/routes.yaml"), 0)
        for test in (test_messages, test_people, test_live_model, test_codes, test_operation, test_rights):
            test(daemon)
            if daemon.process.poll() is not None: # everything after would only say "unreachable"
                check(f"the daemon lives through {test.__name__}", False,
                      f"exit {daemon.process.returncode}\n" + open(f"{daemon.home}/idemd.log").read()[-4000:])
                return
    finally:
        daemon.end()
    check_exit("a daemon that has ended", daemon.idem("status", "--timeout", 3), 3)


def main():
    try:
        for test in (test_help, test_mistakes, test_completion, test_unreachable, test_alone, test_bench, test_eval, test_model, test_live):
            test()
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
    print(f"{len(failures)} failures")
    sys.exit(1 if failures else 0)


main()
