#!/usr/bin/python3
"""1,000 messages to two destinations of which one is away, or silent: the other gets everything, the rest waits in order.

No time is asserted here; tests/bench/dead_destination.py measures it.
"""
import signal
import socket
import sys
import time

import world as w

MESSAGES = 1000
ROUTES = """
destinations:
  - name: live
    mllp: {{ connect: "127.0.0.1:{live}" }}
  - name: dead
    mllp: {{ connect: "127.0.0.1:{dead}" }}
    retry: {{ first: 50ms, most: 200ms }}
    answer_timeout: 1s
routes:
  - name: both
    when: {{ source: [north] }}
    to: [live, dead]
"""


def closed_port():
    """A port of ours where nobody listens: connections are refused until a receiver takes it."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port = holder.getsockname()[1]
    holder.close()
    return port


class Silent:
    """Accepts connections and reads; never answers."""

    def __init__(self, port=0):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.lines = []
        w.in_thread(self.serve)

    def serve(self):
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            self.lines.append(line)
            w.in_thread(self.read, line)

    def read(self, line):
        try:
            while line.recv(65536):
                pass
        except OSError:
            pass

    def close(self):
        """The port is free again: a listener that somebody waits on in accept() must be woken first."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for line in self.lines:
            line.close()


class Test(w.Checks):
    def __init__(self, world):
        super().__init__()
        self.world = world

    def send_all(self, prefix):
        line = w.Line(self.world.ports["north"])
        order = [f"{prefix}{n:04}" for n in range(MESSAGES)]
        began = time.monotonic()
        for n, control_id in enumerate(order):
            code, _answered, _ack, why = w.ack_of(line.ask(w.admission(control_id, n % 200)))
            if code != "AA":
                self.check("accepted", False, why)
        line.close()
        return order, began

    def one_round(self, prefix, live, dead_port):
        """All arrive at the live one while the dead one's wait."""
        self.world.apply_routes(ROUTES.format(live=live.port, dead=dead_port))
        before = len(live.rows())
        order, began = self.send_all(prefix)
        w.wait_for("the live destination has everything", lambda: len(live.rows()) - before >= MESSAGES, 120)
        print(f"{prefix}: {MESSAGES / (time.monotonic() - began):.0f} messages/s to the live destination")
        self.equal(f"{prefix}: all at the live one, once, in order", [row[0] for row in live.rows()[before:]], order)
        w.wait_for("the live one's outcomes are known", lambda: self.world.lane("live")["queued"] == 0, 30)
        lane = self.world.lane("dead")
        self.equal(f"{prefix}: all wait for the dead one", lane["queued"], MESSAGES)
        self.equal(f"{prefix}: none becomes a dead letter", lane["dead"], 0)
        self.equal(f"{prefix}: unaccounted", self.world.status().get("unaccounted", 0), 0)
        return order

    def comes_back(self, prefix, order, port):
        back = w.Receiver(self.world, "back-" + prefix, port=port)
        self.world.settle(120)
        firsts = [row[0] for row in back.rows() if row[1] == "new"]
        self.equal(f"{prefix}: once it is back everything arrives in order", firsts, order)
        repeats = [row[0] for row in back.rows() if row[1] == "repeat"]
        self.equal(f"{prefix}: nothing twice", repeats, [])
        back.end()

    def run(self):
        self.world.configure(["north"])
        live = w.Receiver(self.world, "live")
        self.world.start()
        port = closed_port()
        order = self.one_round("REFUSED", live, port)
        self.comes_back("REFUSED", order, port)
        silent = Silent()
        order = self.one_round("SILENT", live, silent.port)
        first = self.world.ask("trace", "--control-id", order[0])
        doubt = next(row for row in first["deliveries"] if row["destination"] == "dead")
        self.check("silence at the head of the lane is tried again", doubt["state"] == "queued", doubt)
        silent.close()
        self.comes_back("SILENT", order, silent.port)
        first = self.world.ask("trace", "--control-id", order[0])
        doubt = next(row for row in first["deliveries"] if row["destination"] == "dead")
        self.check("and its doubt is told", doubt["in_doubt"] >= 1, doubt)
        now = self.world.status()
        self.equal("owed is done", now["deliveries_done"], now["deliveries_owed"])
        self.equal("a clean stop", self.world.end(signal.SIGTERM), 0)
        return self.end()


def main():
    asked = w.arguments(__doc__)
    with w.World(asked) as world:
        return Test(world).run()


if __name__ == "__main__":
    sys.exit(main())
