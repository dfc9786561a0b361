#!/usr/bin/python3
"""What a dead destination costs a live one: rounds of 1,000 messages, alternating, medians, one JSON text on standard output.

    tests/bench/dead_destination.py --idemd build/release/idemd/idemd --idem build/release/cli/idem \
        --receiver build/release/tests/support/idem-receiver [--rounds 7] [--messages 1000]

Rounds: "alone" (the live destination is the only one), "healthy" (a second one that answers), "refused" (the second refuses
connections), "silent" (the second accepts and never answers). The rate is that of arrivals at the live destination, from the
first send to the last arrival, with 64 messages under way. ratio = with the dead one / with a healthy one in its place (what
"the rate it has without" means for messages that go to two destinations); ratio_alone = with the dead one / alone.
"""
import json
import os
import platform
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import world as w
from dead_destination_test import Silent, closed_port

WINDOW = 64
HEAD = "destinations:\n  - name: live\n    mllp: {{ connect: \"127.0.0.1:{live}\" }}\n"
SECOND = ("  - name: {name}\n    mllp: {{ connect: \"127.0.0.1:{port}\" }}\n    retry: {{ first: 50ms, most: 1s }}\n"
          "    answer_timeout: 2s\n")
TAIL = "routes:\n  - name: all\n    when: {{ source: [north] }}\n    to: [{to}]\n"


class Bench:
    def __init__(self, asked, world):
        self.asked, self.world, self.round = asked, world, 0
        world.configure(["north"])
        self.live = w.Receiver(world, "live", keep_bytes=False)
        self.well = w.Receiver(world, "well", keep_bytes=False)
        self.silent = Silent()
        world.start()
        self.seconds = {"healthy": self.well.port, "refused": closed_port(), "silent": self.silent.port}

    def routes(self, kind):
        # all stay defined, so that what waits for them does not change the rounds
        seconds = "".join(SECOND.format(name=name, port=port) for name, port in self.seconds.items())
        to = "live" if kind == "alone" else "live, " + kind
        return HEAD.format(live=self.live.port) + seconds + TAIL.format(to=to)

    def arrived(self):
        with open(self.live.list_path, "rb") as file:
            return file.read().count(b"\n")

    def messages(self):
        self.round += 1
        return [w.admission(f"B{self.round:04}{n:06}", n % 200, mode="AL|NE") for n in range(self.asked.messages)]

    def rate(self, kind):
        self.world.apply_routes(self.routes(kind))
        messages, before = self.messages(), self.arrived()
        line = w.Line(self.world.ports["north"])
        began = time.monotonic()
        for at in range(0, len(messages), WINDOW):
            part = messages[at:at + WINDOW]
            line.put(*part)
            for _ in part:
                line.get()
        while self.arrived() - before < len(messages):
            time.sleep(0.001)
        took = time.monotonic() - began
        line.close()
        time.sleep(0.3) # outcomes become durable, the healthy second one finishes
        return len(messages) / took

    def run(self):
        kinds = ["alone", "healthy", "refused", "silent"]
        rates = {kind: [] for kind in kinds}
        self.rate("alone") # warm
        for number in range(self.asked.rounds):
            for kind in kinds[number % 4:] + kinds[:number % 4]: # nobody is always first
                rates[kind].append(self.rate(kind))
        medians = {kind: statistics.median(values) for kind, values in rates.items()}
        waiting = {lane["destination"]: lane["queued"] for lane in self.world.status()["lanes"]}
        return {"bench": "dead_destination", "machine": f"{platform.machine()}, {os.cpu_count()} cores",
                "load_average": os.getloadavg()[0],
                "rounds": self.asked.rounds, "messages": self.asked.messages,
                **{f"{kind}_per_s": round(value) for kind, value in medians.items()},
                **{f"{kind}_all": [round(value) for value in values] for kind, values in rates.items()},
                "ratio_refused": round(medians["refused"] / medians["healthy"], 3),
                "ratio_silent": round(medians["silent"] / medians["healthy"], 3),
                "ratio_alone_refused": round(medians["refused"] / medians["alone"], 3),
                "ratio_alone_silent": round(medians["silent"] / medians["alone"], 3), "waiting": waiting}


def main():
    asked = w.arguments(__doc__, rounds=7, messages=1000)
    with w.World(asked) as world:
        print(json.dumps(Bench(asked, world).run()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
