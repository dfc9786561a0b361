#!/usr/bin/python3
"""64 submissions of one new person at once through the real gRPC server: one person. From one source and from 64, as messages and as
loads, and killed in the middle and sent again.

--kills N: how often the daemon is killed, each time with another 64 in flight.
"""
import importlib.util
import os
import subprocess
import sys
import tempfile
import threading

import world as w

try:
    import grpc
except ImportError:
    w.skip("python3-grpcio is not installed")

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AT_ONCE = 64


def load_protos(folder):
    names = ["idem/identity/v1/identity", "idem/routing/v1/routing"]
    subprocess.run(["protoc", f"-I{ROOT}/rpc/proto", "--python_out=" + folder, *[name + ".proto" for name in names]], check=True)
    loaded = []
    for name in names:
        spec = importlib.util.spec_from_file_location(name.replace("/", "_"), f"{folder}/{name}_pb2.py")
        loaded.append(importlib.util.module_from_spec(spec))
        spec.loader.exec_module(loaded[-1])
    return loaded


class Human:
    """Says the same of itself wherever it goes."""

    def __init__(self, number):
        self.family = ["Thornbury", "Lindqvist", "Okonkwo", "Nakamura", "Moreau", "Petrov", "Haddad", "Garcia"][number % 8]
        self.given = ["Helga", "Robert", "Chidi", "Kenta", "Claire"][number % 5]
        self.birth = f"19{20 + number * 37 % 80}{number * 5 % 12 + 1:02}{number * 11 % 28 + 1:02}"
        self.phone, self.number = f"2{number * 7919 % 1000:03}555{number * 104729 % 10000:04}", number

    def adt(self, control_id, authority, value):
        return (f"MSH|^~\\&|ADT|{authority}|IDEM|IDEM|20260101120000||ADT^A04^ADT_A01|{control_id}|P|2.5.1\r"
                f"EVN|A04|20260101120000\rPID|1||{value}^^^{authority}^MR||{self.family}^{self.given}||{self.birth}|F|||"
                f"{self.number * 31} Elm St^^Seattle^WA^98101||{self.phone}\rPV1|1|O\r").encode()


class Crowd:
    """64 threads, each with a connection of its own, that all begin at once."""

    def __init__(self, world, identity, routing):
        self.world, self.identity, self.routing = world, identity, routing
        self.answers = [None] * AT_ONCE
        self.answered = threading.Semaphore(0)

    def unary(self, path, request, reply):
        with grpc.insecure_channel(f"127.0.0.1:{self.world.ports['grpc']}", [("grpc.use_local_subchannel_pool", 1)]) as channel:
            return channel.unary_unary(path, lambda m: m.SerializeToString(), reply.FromString)(request, timeout=60)

    def submit(self, human, source, control_id, authority, value):
        reply = self.unary("/idem.routing.v1.Routing/Submit", self.routing.SubmitRequest(
            source=source, message=human.adt(control_id, authority, value)), self.routing.SubmitReply)
        return reply.person if reply.code == "AA" else f"{reply.code} {reply.reason}"

    def load(self, human, source, authority, value):
        m = self.identity
        record = m.PersonRecord(identifiers=[m.Identifier(authority=authority, value=value, type="MR")], demographics=m.Demographics(
            names=[m.Name(family=human.family, given=human.given)], birth_date=f"{human.birth[:4]}-{human.birth[4:6]}-{human.birth[6:]}", sex="F",
            phones=[human.phone], addresses=[m.Address(line=f"{human.number * 31} Elm St", city="Seattle", state="WA", postcode="98101")]))
        self.unary("/idem.identity.v1.Identity/LoadPeople", m.LoadPeopleRequest(source=source, records=[record]), m.LoadPeopleReply)
        return "loaded"

    def run(self, calls, kill_after=None):
        """Answers of all calls; None for those that got none."""
        ready = threading.Barrier(AT_ONCE)

        def one(place):
            ready.wait()
            try:
                self.answers[place] = calls[place]()
            except grpc.RpcError as error:
                self.answers[place] = None if kill_after is not None else f"{error.code()} {error.details()}"
            self.answered.release()

        threads = [w.in_thread(one, place) for place in range(AT_ONCE)]
        if kill_after is not None:
            for _ in range(kill_after):
                self.answered.acquire()
            self.world.end()
        for thread in threads:
            thread.join()
        return self.answers


class Test:
    def __init__(self, world, checks, folder):
        self.world, self.checks = world, checks
        self.identity, self.routing = load_protos(folder)
        self.persons = self.records = self.humans = 0

    def crowd(self):
        return Crowd(self.world, self.identity, self.routing)

    def new_human(self):
        self.humans += 1
        return Human(self.humans)

    def count(self, what, persons, records):
        self.persons, self.records = self.persons + persons, self.records + records
        now = self.world.status()
        self.checks.equal(what + ": persons", int(now["persons"]), self.persons)
        self.checks.equal(what + ": records", int(now["records"]), self.records)

    def person_of(self, authority, value):
        reply = self.crowd().unary("/idem.identity.v1.Identity/FindPerson", self.identity.FindPersonRequest(
            identifier=self.identity.Identifier(authority=authority, value=value)), self.identity.Person)
        return reply.id

    def one_source(self):
        human, crowd = self.new_human(), self.crowd()
        answers = crowd.run([lambda i=i: crowd.submit(human, "north", f"one-{i}", "NORTH", "1") for i in range(AT_ONCE)])
        self.checks.equal("one source: answers", set(answers), {self.person_of("NORTH", "1")})
        self.count("one source", 1, 1)

    def one_control_id(self):
        """The same message 64 times: it is applied once."""
        human, crowd = self.new_human(), self.crowd()
        answers = crowd.run([lambda: crowd.submit(human, "north", "twice", "NORTH", "2")] * AT_ONCE)
        self.checks.equal("one message: answers", set(answers), {self.person_of("NORTH", "2")})
        self.count("one message", 1, 1)

    def many_sources(self):
        human, crowd = self.new_human(), self.crowd()
        calls = [lambda i=i: crowd.submit(human, f"s{i}", f"many-{i}", f"S{i}", "7") if i % 2 else
                 crowd.load(human, f"s{i}", f"S{i}", "7") for i in range(AT_ONCE)]
        answers = crowd.run(calls)
        self.checks.equal("64 sources: loads", answers[::2], ["loaded"] * (AT_ONCE // 2))
        self.checks.equal("64 sources: persons", {self.person_of(f"S{i}", "7") for i in range(AT_ONCE)}, {self.person_of("S0", "7")})
        self.checks.check("64 sources: every answer names a person", all(isinstance(a, int) and a for a in answers[1::2]), answers)
        self.count("64 sources", 1, AT_ONCE)

    def killed(self, kill):
        """Whoever has no answer sends again, as a sender does: same control id."""
        human, crowd, value = self.new_human(), self.crowd(), f"k{kill}"
        calls = [lambda i=i: crowd.submit(human, f"s{i}", f"{value}-{i}", f"S{i}", value) for i in range(AT_ONCE)]
        before = list(crowd.run(calls, kill_after=kill * 7 % AT_ONCE))
        self.world.start()
        for i in range(AT_ONCE):
            if before[i] is not None: # it is there although nobody sent it again
                self.checks.check(f"kill {kill}: what was answered is kept", self.person_of(f"S{i}", value) > 0)
        again = self.crowd()
        calls = [lambda i=i: again.submit(human, f"s{i}", f"{value}-{i}", f"S{i}", value) if before[i] is None else before[i]
                 for i in range(AT_ONCE)]
        answers = again.run(calls)
        self.checks.check(f"kill {kill}: all are answered", all(isinstance(a, int) and a for a in answers), answers)
        self.checks.equal(f"kill {kill}: persons", len({self.person_of(f"S{i}", value) for i in range(AT_ONCE)}), 1)
        self.count(f"kill {kill}", 1, AT_ONCE)
        return sum(a is None for a in before)


def main():
    asked = w.arguments(__doc__, kills=3)
    checks = w.Checks()
    with w.World(asked) as world, tempfile.TemporaryDirectory() as folder:
        world.configure(["north"])
        world.start()
        test = Test(world, checks, folder)
        test.one_source()
        test.one_control_id()
        test.many_sources()
        for kill in range(1, asked.kills + 1):
            lost = test.killed(kill)
            print(f"kill {kill}: {lost} of {AT_ONCE} had no answer and were sent again")
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
