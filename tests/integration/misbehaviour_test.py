#!/usr/bin/python3
"""Receiving systems that misbehave, each in its own way, all at once: nobody disturbs another, and every message has its one end.

The same messages go to every destination; each destination has its own promise to keep (see CASES).
"""
import signal
import socket
import sys
import threading

import world as w

MESSAGES = 12
# name, options of idem-receiver, give_up_after, what must come of it: dead letters, messages in doubt
CASES = [
    ("good", [], 0, 0, 0),
    ("refusing", ["--refuse-every", "3"], 0, 4, 0),          # AE: a dead letter at once
    ("rejecting", ["--reject-first", "5"], 0, 0, 0),         # AR: tried again
    ("givenup", ["--reject-first", "3"], 3, 1, 0),           # AR three times: a dead letter
    ("silent", ["--no-answer-every", "4"], 0, 0, None),      # no answer: in doubt, sent again, counted
    ("confusing", ["--wrong-id-every", "4"], 0, 0, None),    # another MSA-2 never confirms
    ("closing", ["--close-every", "4"], 0, 0, None),         # the line is closed without a word
]


class Odd:
    """A receiver of our own. `answer` makes what is sent for the n-th reception; None closes the line after `half`."""

    def __init__(self, answer):
        self.answer, self.received, self.confirmed = answer, [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        w.in_thread(self.serve)

    def serve(self):
        while True:
            line, _ = self.listener.accept()
            threading.Thread(target=self.talk, args=(line,), daemon=True).start()

    def talk(self, line):
        rest = b""
        with line:
            while True:
                while b"\x1c\r" not in rest:
                    part = line.recv(65536)
                    if not part:
                        return
                    rest += part
                frame, rest = rest.split(b"\x1c\r", 1)
                control_id = w.control_id_of(frame.split(b"\x0b", 1)[1])
                self.received.append(control_id)
                good = (f"\x0bMSH|^~\\&|ODD|ODD|IDEM|HUB|20261121||ACK|O{len(self.received)}|P|2.5.1\r"
                        f"MSA|AA|{control_id}\r\x1c\r").encode()
                sent, goes_on = self.answer(len(self.received), good)
                line.sendall(sent)
                if not goes_on:
                    return
                if good in sent:
                    self.confirmed.append(control_id)


def halfway(number, good):
    """Every third answer stops in its middle, and the line is gone."""
    return (good[:len(good) // 2], False) if number % 3 == 0 else (good, True)


def babbling(number, good):
    """Noise before, between and after frames never hurts; every fourth answer is no HL7 at all."""
    if number % 4 == 0:
        return b"\x0bthis is no acknowledgement\x1c\r", True
    return b"noise\r\n" + good if number % 2 else good, True


class Test(w.Checks):
    def __init__(self, world):
        super().__init__()
        self.world = world

    def routes(self, ports):
        give_up = {name: times for name, _options, times, _dead, _doubt in CASES}
        destinations = "".join(
            f"  - name: {name}\n    mllp: {{ connect: \"127.0.0.1:{port}\" }}\n"
            f"    retry: {{ first: 20ms, most: 100ms, give_up_after: {give_up.get(name, 0)} }}\n    answer_timeout: 700ms\n"
            for name, port in ports.items())
        return (f"destinations:\n{destinations}routes:\n  - name: everything\n    when: {{ source: [north] }}\n"
                f"    to: [{', '.join(ports)}]\n")

    def begin(self):
        self.world.configure(["north"])
        self.receivers = {name: w.Receiver(self.world, name, *options) for name, options, *_ in CASES}
        self.odd = {"halfway": Odd(halfway), "babbling": Odd(babbling)}
        self.world.start()
        ports = {name: one.port for name, one in [*self.receivers.items(), *self.odd.items()]}
        names = list(ports) # a route goes to at most as many destinations as there are; all in one
        self.world.apply_routes(self.routes({name: ports[name] for name in names}))

    def send_all(self):
        line = w.Line(self.world.ports["north"])
        self.order = [f"M{n:03}" for n in range(MESSAGES)]
        self.seqs = {}
        for n, control_id in enumerate(self.order):
            code, _answered, ack_id, _why = w.ack_of(line.ask(w.admission(control_id, n)))
            self.equal("accepted", code, "AA")
            self.seqs[control_id] = int(ack_id[1:])
        line.close()

    def deliveries(self, name):
        """{control id: delivery} as the traces tell it."""
        if not hasattr(self, "traces"):
            self.traces = {c: self.world.ask("trace", seq)["deliveries"] for c, seq in self.seqs.items()}
        return {c: next(row for row in rows if row["destination"] == name) for c, rows in self.traces.items()}

    def check_case(self, name, dead, in_doubt):
        receiver, told = self.receivers[name], self.deliveries(name)
        firsts = [c for c, new, answer in receiver.rows() if new == "new" and answer in ("AA", "-")]
        lost = {c for c, row in told.items() if row["state"] in ("dead", "refused")}
        self.equal(f"{name}: dead letters", len(lost), dead)
        self.equal(f"{name}: what arrived, and its order", firsts, [c for c in self.order if c not in lost])
        self.equal(f"{name}: everything has an end", {row["state"] for c, row in told.items() if c not in lost}, {"delivered"})
        doubted = {c for c, row in told.items() if row["in_doubt"] > 0}
        if in_doubt is None:
            self.check(f"{name}: some are in doubt", len(doubted) > 0, doubted)
        else:
            self.equal(f"{name}: nothing is in doubt", doubted, set())
        repeats = {c for c, new, _answer in receiver.rows() if new == "repeat"}
        self.check(f"{name}: whatever came twice is admitted", repeats <= doubted, repeats - doubted)

    def check_silent(self):
        silent = {c for c, _new, answer in self.receivers["silent"].rows() if answer == "-"}
        doubted = {c: row["in_doubt"] for c, row in self.deliveries("silent").items() if row["in_doubt"]}
        self.equal("silent: just what was not answered is in doubt", set(doubted), silent)
        self.check("silent: each silence is counted", all(row["attempts"] == 1 + row["in_doubt"]
                                                          for row in self.deliveries("silent").values()))

    def check_retries(self):
        attempts = self.deliveries("rejecting")
        self.equal("rejecting: the first message was tried until it was taken", attempts["M000"]["attempts"], 6)
        self.equal("givenup: the first message was tried three times", self.deliveries("givenup")["M000"]["attempts"], 3)

    def check_odd(self, name):
        odd, told = self.odd[name], self.deliveries(name)
        self.equal(f"{name}: confirmed each once, in order", odd.confirmed, self.order)
        self.equal(f"{name}: all delivered", {row["state"] for row in told.values()}, {"delivered"})
        twice = {c for c in odd.received if odd.received.count(c) > 1}
        self.equal(f"{name}: just what was sent again is in doubt", {c for c, row in told.items() if row["in_doubt"]}, twice)

    def check_dead_letters(self):
        """Listed with their reason; replay sends them again and they arrive."""
        refused = [row["control_id"] for row in self.world.ask("dlq", "list", "--destination", "refusing")["letters"]]
        self.equal("dlq list names them", sorted(refused), sorted(c for c, row in self.deliveries("refusing").items()
                                                                   if row["state"] in ("dead", "refused")))
        for _ in range(5): # the receiver goes on refusing every third
            waiting = self.world.ask("dlq", "list")["letters"]
            if not waiting:
                break
            for name in sorted({row["destination"] for row in waiting}):
                self.world.ask("dlq", "replay", "--destination", name)
            self.world.settle(30)
        self.equal("after replay no dead letter is left", self.world.ask("dlq", "list")["letters"], [])
        for name in ("refusing", "givenup"):
            arrived = [c for c, new, answer in self.receivers[name].rows() if new == "new" and answer == "AA"]
            self.equal(f"{name}: after replay all are there, once", sorted(arrived), self.order)

    def run(self):
        self.begin()
        self.send_all()
        now = self.world.settle(60)
        self.equal("unaccounted", now.get("unaccounted", 0), 0)
        for name, _options, _give_up, dead, in_doubt in CASES:
            self.check_case(name, dead, in_doubt)
        self.check_silent()
        self.check_retries()
        for name in self.odd:
            self.check_odd(name)
        self.check_dead_letters()
        now = self.world.status()
        self.equal("unaccounted at the end", now.get("unaccounted", 0), 0)
        self.equal("owed is done", now["deliveries_done"], now["deliveries_owed"])
        self.equal("a clean stop", self.world.end(signal.SIGTERM), 0)
        return self.end()


def main():
    asked = w.arguments(__doc__)
    with w.World(asked) as world:
        return Test(world).run()


if __name__ == "__main__":
    sys.exit(main())
