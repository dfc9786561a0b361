#!/usr/bin/python3
"""kill -9 again and again under load, judged from outside: 0 lost, 0 out of order, 0 silent duplicates.

Senders keep what they were promised (AA, CA), an MLLP receiver and a folder keep what arrived; idemd is asked only whether it
admits a doubt about what arrived twice. --kills N (or IDEM_KILLS), --seed N; --plant lets idemd acknowledge before it writes:
then the run is good when the loss is found.

Senders: connections that wait for each answer (original mode), connections with many messages under way (enhanced mode, answer
CA), and `idem send` over gRPC (SubmitStream). Whoever loses the connection sends what has no answer again, same control ids.
"""
import json
import os
import random
import signal
import sys
import threading
import time

import world as w

ROUTES = """
destinations:
  - name: lab
    mllp: {{ connect: "127.0.0.1:{lab}" }}
    retry: {{ first: 50ms, most: 500ms }}
    answer_timeout: 10s
  - name: archive
    file: {{ folder: {archive} }}
    retry: {{ first: 50ms, most: 500ms }}
routes:
  - name: everything
    when: {{ source: [north, lake, feed], type: [ADT] }}
    person_id: {{ authority: IDEM, type: PI }}
    to: {to}
  - name: results
    when: {{ source: [north, lake, feed], type: ["ORU^R01"] }}
    to: {to}
"""
PER_KILL_MAX = 400  # so that a fast machine does not fill its disk
BACKLOG_MAX = 3000  # the folder syncs every file: senders wait for it here, so that the end comes in bounded time


class Sender:
    """Made-up messages in order; `promised` are those with an AA or CA."""

    def __init__(self, harness, name, source, mode, window):
        self.harness, self.name, self.source, self.mode, self.window = harness, name, source, mode, window
        self.order, self.promised, self.seqs, self.bad = [], set(), {}, []
        self.unanswered = []
        self.random = random.Random(f"{harness.seed} {name}")

    def make(self):
        number = len(self.order) + 1
        control_id = f"{self.name}-{number:07}"
        self.order.append(control_id)
        patient = self.random.randrange(300)
        if self.harness.asked.plant: # large: writing them takes a while, and that while is what the plant gives away
            return w.admission(control_id, patient, "A08", self.mode, pad=400000)
        if number % 4 == 0:
            return w.result(control_id, patient, self.mode)
        return w.admission(control_id, patient, "A08" if number % 3 else "A01", self.mode, pad=20000 if number % 50 == 0 else 0)

    def heard(self, control_id, code, seq, why):
        if code in ("AA", "CA"):
            self.promised.add(control_id)
            if code == "AA" and seq: # a CA, and a repeat over gRPC, carries the number of its own journal entry
                self.seqs[control_id] = seq
        elif "engine.closing" not in why:
            self.bad.append((control_id, code, why))

    def fill(self):
        while len(self.unanswered) < self.window and self.harness.may_send():
            self.unanswered.append(self.make())

    def run(self):
        while not self.harness.over:
            try:
                self.work()
            except (OSError, ConnectionError, KeyError, IndexError):
                time.sleep(0.02)

    def work(self):
        line = w.Line(self.harness.world.ports[self.source], 20)
        try:
            if self.unanswered:
                line.put(*self.unanswered)
            waiting = len(self.unanswered)
            while not self.harness.over:
                if waiting == 0:
                    self.fill()
                    waiting = len(self.unanswered)
                    if waiting == 0:
                        time.sleep(0.01)
                        continue
                    line.put(*self.unanswered)
                answer = line.get()
                self.harness.strike()
                code, control_id, ack_id, why = w.ack_of(answer)
                if control_id != w.control_id_of(self.unanswered[0]):
                    self.bad.append((control_id, code, "answer out of turn"))
                if "engine.closing" in why:
                    raise ConnectionError("closing")
                self.unanswered.pop(0)
                waiting -= 1
                self.heard(control_id, code, int(ack_id[1:]) if ack_id[1:].isdigit() else 0, why)
        finally:
            line.close()


class StreamSender(Sender):
    """The same over gRPC, by `idem send`: what it was told of comes from its --json."""

    def work(self):
        self.fill()
        if not self.unanswered:
            time.sleep(0.05)
            return
        path = self.harness.world.path(self.name + ".hl7")
        with open(path, "wb") as file:
            file.write(b"".join(b"\x0b" + message + b"\x1c\r" for message in self.unanswered)) # the same bytes every time
        got = self.harness.world.run("send", path, "--source", self.source, "--json", "--timeout", "20")
        try:
            rows = json.loads(got.stdout)["messages"]
        except (ValueError, KeyError):
            raise ConnectionError("no answer") from None
        for row in rows:
            if row["answer"] not in ("AA", "AE", "AR") or row.get("reason") == "engine.closing":
                break # no answer yet: from here on they are sent again
            self.unanswered.pop(0)
            self.heard(row["control_id"], row["answer"], 0 if row["duplicate"] else row["seq"], str(row))
        else:
            return
        time.sleep(0.05)


class Harness:
    def __init__(self, asked, world):
        self.asked, self.world = asked, world
        self.seed = asked.seed or random.SystemRandom().randrange(1 << 32)
        self.kills = asked.kills if asked.plant else int(os.environ.get("IDEM_KILLS", asked.kills))
        self.random = random.Random(self.seed)
        self.over = self.paused = self.armed = False
        self.struck = threading.Event()
        self.archive = world.path("archive")
        self.delivered = 0
        self.restarts_us = []
        self.senders = []

    def may_send(self):
        promised = sum(len(s.promised) for s in self.senders)
        return not self.paused and promised - self.delivered < BACKLOG_MAX and promised < PER_KILL_MAX * (self.world.starts + 1)

    # ---- the world ----

    def begin(self):
        plant = "test_plant: ack-before-sync\n" if self.asked.plant else ""
        self.world.configure(["north", "lake"], plant)
        self.lab = w.Receiver(self.world, "lab", keep_bytes=False)
        self.world.start()
        to = "[lab]" if self.asked.plant else "[lab, archive]"
        self.world.apply_routes(ROUTES.format(lab=self.lab.port, archive=self.archive, to=to))
        if self.asked.plant:
            self.senders = [Sender(self, f"LAKE{n}", "lake", "AL|NE", 1) for n in range(2)]
        else:
            self.senders = [Sender(self, f"NORTH{n}", "north", "", 1) for n in range(4)]
            self.senders += [Sender(self, f"LAKE{n}", "lake", "AL|NE", 20) for n in range(2)]
            self.senders += [StreamSender(self, "FEED", "feed", "", 60)]
        self.threads = [w.in_thread(sender.run) for sender in self.senders]

    def count_delivered(self):
        if self.asked.plant:
            self.delivered = self.lab_lines()
        else:
            self.delivered = min(len(os.listdir(self.archive)) if os.path.exists(self.archive) else 0, self.lab_lines())

    def lab_lines(self):
        with open(self.lab.list_path, "rb") as file:
            return file.read().count(b"\n")

    def strike(self):
        """On a sender's thread, as an answer arrives: the moment at which a promise must already be kept."""
        if self.armed:
            self.armed = False
            os.kill(self.world.daemon.child.pid, signal.SIGKILL)
            self.struck.set()

    def wait_for_the_moment(self):
        """A quarter right after the start, where recovery is fresh; some at any time; some as a sender hears its answer."""
        chosen = 1 if self.asked.plant else self.random.random()
        if chosen < 0.25:
            time.sleep(self.random.uniform(0, 0.1))
            return
        time.sleep(self.random.uniform(0.1, 1.2) if chosen < 0.6 else self.random.uniform(0, 0.6))
        if chosen >= 0.6:
            self.struck.clear()
            self.armed = True
            self.struck.wait(2)
            self.armed = False

    def kill_and_restart(self, number):
        self.wait_for_the_moment()
        if number % 20 == 19: # now and then a clean stop: the start after it must not trust too much
            self.world.end(signal.SIGTERM)
            self.restart(in_between=False)
            time.sleep(self.random.uniform(0, 0.05))
        self.world.end(signal.SIGKILL)
        self.restart(in_between=self.random.random() < 0.1)
        self.count_delivered()

    def restart(self, in_between):
        began = time.monotonic()
        self.world.spawn()
        if in_between: # and killed while it starts
            time.sleep(self.random.uniform(0, 0.2))
            self.world.end(signal.SIGKILL)
            self.world.spawn()
        self.world.wait_ready()
        self.restarts_us.append((time.monotonic() - began) * 1e6)

    # ---- the oracle ----

    def drain(self, seconds=240):
        self.paused = True
        w.wait_for("senders have all their answers", lambda: not any(s.unanswered for s in self.senders), 120)
        return self.world.settle(seconds)

    def arrived_in_folder(self):
        """{control id: [journal numbers]}, and the file times in the order of journal numbers."""
        found, times = {}, []
        for name in sorted(os.listdir(self.archive)) if os.path.exists(self.archive) else []:
            path = os.path.join(self.archive, name)
            if not name.endswith(".hl7") or name.startswith("."):
                continue
            with open(path, "rb") as file:
                control_id = w.control_id_of(file.read())
            found.setdefault(control_id, []).append(int(name.split("-")[0]))
            times.append(os.stat(path).st_mtime_ns)
        return found, times

    def judge(self):
        folder, times = self.arrived_in_folder()
        rows = self.lab.rows()
        firsts, copies = {}, {}
        for place, (control_id, _new, answer) in enumerate(rows):
            if answer in ("AA", "CA"):
                firsts.setdefault(control_id, place)
                copies[control_id] = copies.get(control_id, 0) + 1
        promised = set().union(*(s.promised for s in self.senders))
        sent = {control_id for s in self.senders for control_id in s.order}
        found = {"promised": len(promised), "arrived_lab": len(firsts), "receptions_lab": len(rows), "arrived_folder": len(folder)}
        found["lost_lab"] = sorted(promised - firsts.keys())
        if self.asked.plant:
            return found
        found["lost_folder"] = sorted(promised - folder.keys())
        found["never_sent"] = sorted((firsts.keys() | folder.keys()) - sent)
        found["twice_in_folder"] = sorted(c for c, seqs in folder.items() if len(seqs) != 1)
        found["differ"] = sorted(firsts.keys() ^ folder.keys())
        seqs = {c: numbers[0] for c, numbers in folder.items()}
        by_arrival = [(c, seqs.get(c, 0)) for c in sorted(firsts, key=firsts.get)]
        found["reordered_lab"] = [c for (c, seq), (_d, before) in zip(by_arrival[1:], by_arrival) if seq <= before]
        found["reordered_folder"] = sum(late < early for early, late in zip(times, times[1:]))
        found["reordered_sender"] = self.order_of_senders(seqs)
        found["answered_with_another_number"] = [c for s in self.senders for c, seq in s.seqs.items() if seqs.get(c) != seq]
        found["refused"] = [bad for s in self.senders for bad in s.bad]
        repeats = {c: n - 1 for c, n in copies.items() if n > 1}
        found["repeated"] = sum(repeats.values())
        found["silent_duplicates"] = sorted(c for c in repeats if not self.admits_doubt(seqs.get(c, 0)))
        return found

    def order_of_senders(self, seqs):
        bad = []
        for sender in self.senders:
            last = 0
            for control_id in sender.order:
                if control_id in seqs and seqs[control_id] <= last:
                    bad.append(control_id)
                last = seqs.get(control_id, last)
        return bad

    def admits_doubt(self, seq):
        trace = self.world.ask("trace", seq)
        return any(row["destination"] == "lab" and row["in_doubt"] >= 1 for row in trace["deliveries"])

    # ---- runs ----

    def report(self, found):
        for key, value in found.items():
            shown = len(value) if isinstance(value, list) else value
            print(f"  {key.replace('_', ' ')}: {shown}" + (f"  {value[:5]}" if isinstance(value, list) and value else ""))
        restarts = sorted(self.restarts_us)
        print(f"  restart: median {restarts[len(restarts) // 2] / 1e3:.0f} ms, longest {restarts[-1] / 1e3:.0f} ms", flush=True)

    def run(self):
        checks = w.Checks()
        began = time.monotonic()
        for number in range(self.kills):
            self.kill_and_restart(number)
            if number % 20 == 19:
                print(f"{number + 1} kills, {sum(len(s.promised) for s in self.senders)} promised, "
                      f"{time.monotonic() - began:.0f} s", flush=True)
        status = self.drain()
        self.over = True
        found = self.judge()
        print(f"{self.kills} kills in {time.monotonic() - began:.0f} s, seed {self.seed}:")
        self.report(found)
        checks.check("something was promised", found["promised"] > self.kills, found["promised"])
        for sender in self.senders:
            checks.check(f"{sender.name} was heard", len(sender.promised) > 0)
        for key, value in found.items():
            if isinstance(value, list) or key == "reordered_folder":
                checks.check(key.replace("_", " "), not value, f"{value if isinstance(value, int) else value[:10]}")
        checks.equal("status.unaccounted", status.get("unaccounted", 0), 0)
        verify = self.world.run("journal", "verify", "--json", "--timeout", "120")
        checks.check("journal verify", verify.returncode == 0, verify.stdout[-500:])
        checks.equal("a clean stop", self.world.end(signal.SIGTERM), 0)
        return checks.end()

    def run_planted(self):
        for number in range(self.kills):
            self.kill_and_restart(number)
            if number % 5 != 4:
                continue
            self.drain()
            found = self.judge()
            print(f"{number + 1} kills: {found['promised']} promised, {len(found['lost_lab'])} lost", flush=True)
            if found["lost_lab"]:
                print(f"the planted loss was found after {number + 1} kills, seed {self.seed}: {found['lost_lab'][:5]}")
                return 0
            self.paused = False
        print(f"FAILED the planted bug (acknowledge before write) was not found in {self.kills} kills, seed {self.seed}")
        return 1


def main():
    asked = w.arguments(__doc__, kills=200, seed=0, plant=False, base="")
    with w.World(asked, asked.base or None) as world:
        harness = Harness(asked, world)
        print(f"seed {harness.seed}, {harness.kills} kills", flush=True)
        harness.begin()
        return harness.run_planted() if asked.plant else harness.run()


if __name__ == "__main__":
    sys.exit(main())
