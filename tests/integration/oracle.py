#!/usr/bin/env python3
"""The outside oracle: what senders were promised against what the receiver got. It asks idem nothing.

    oracle.py --sent SEND.json... --received RECEIVED.list [--destination NAME --trace 'COMMAND {}'] [--json]

SEND.json is the output of `idem send --json`, one file per sending (the same messages may have been sent again after a crash);
RECEIVED.list is what `idem-receiver --list` writes: a line per message that arrived: time, control id, "new" or "repeat", answer.
Only messages that were answered well (AA, CA) count as received; an order is that of first arrivals.

Checked: every message answered AA arrived; nothing else arrived; each once; in the order of its sender. A repeat is allowed only
when the trace of that message says in doubt for the destination (--trace: a command that prints `idem trace --json`).
With --folder DIR the files of a folder destination are looked at too: each message there was sent, and is there once.
Exit code 0: all of it holds; 1: it does not; 2: usage.
"""
import argparse
import collections
import json
import os
import shlex
import subprocess
import sys


BAD = ("lost", "never_sent", "repeated_silently", "out_of_order", "filed_wrongly")


def read_sent(paths):
    """Control ids in the order of their first sending, and those with a promise (AA or CA)."""
    order, promised = {}, set()
    for path in paths:
        with open(path, encoding="utf-8") as file:
            text = file.read().strip()
        if not text:
            continue
        for row in json.loads(text)["messages"]:
            order.setdefault((row["file"].rsplit("/", 1)[-1], row["number"]), row["control_id"])
            if row["answer"] in ("AA", "CA"):
                promised.add(row["control_id"])
    lanes = {}
    for (name, _number), control_id in sorted(order.items()):
        lanes.setdefault(name, []).append(control_id)
    return lanes, promised


def read_received(path):
    with open(path, encoding="utf-8") as file:
        rows = [line.split() for line in file]
    return [row[1] for row in rows if len(row) >= 4 and row[3] in ("AA", "CA")]


def read_folder(path):
    """The control ids of the messages in a folder, one per file."""
    found = []
    for name in sorted(os.listdir(path)):
        if name.endswith(".hl7"):
            with open(os.path.join(path, name), "rb") as file:
                header = file.read(4096).split(b"\r", 1)[0]
            found.append(header.split(header[3:4])[9].decode())
    return found


def count_in_doubt(command, control_id, destination):
    shown = subprocess.run([part.replace("{}", control_id) for part in shlex.split(command)], stdout=subprocess.PIPE, check=False)
    if shown.returncode != 0:
        return 0
    return sum(row.get("in_doubt", 0) for row in json.loads(shown.stdout).get("deliveries", [])
               if row["destination"] == destination)


def first_out_of_order(lane, firsts):
    """The first message that arrived before one that its sender sent earlier."""
    last = -1
    for control_id in lane:
        if control_id not in firsts:
            continue
        if firsts[control_id] < last:
            return control_id
        last = firsts[control_id]
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sent", nargs="+", required=True)
    parser.add_argument("--received", required=True)
    parser.add_argument("--destination", default="lab")
    parser.add_argument("--trace")
    parser.add_argument("--folder")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    lanes, promised = read_sent(asked.sent)
    received = read_received(asked.received)
    firsts, copies = {}, {}
    for place, control_id in enumerate(received):
        firsts.setdefault(control_id, place)
        copies[control_id] = copies.get(control_id, 0) + 1
    known = {control_id for lane in lanes.values() for control_id in lane}
    repeats = {control_id: count - 1 for control_id, count in copies.items() if count > 1}
    unexplained = [c for c, more in repeats.items()
                   if not asked.trace or count_in_doubt(asked.trace, c, asked.destination) < more]
    result = {
        "promised": len(promised),
        "received": len(received),
        "lost": sorted(promised - firsts.keys()),
        "never_sent": sorted(firsts.keys() - known),
        "repeated_in_doubt": len(repeats) - len(unexplained),
        "repeated_silently": sorted(unexplained),
        "out_of_order": [c for c in (first_out_of_order(lane, firsts) for lane in lanes.values()) if c],
    }
    if asked.folder:
        filed = collections.Counter(read_folder(asked.folder))
        result["filed"] = sum(filed.values())
        result["filed_wrongly"] = sorted(c for c, count in filed.items() if c not in known or count > 1)
    good = promised and not any(result.get(key) for key in BAD)
    if asked.json:
        print(json.dumps(result))
    else:
        print(f"{result['promised']} acknowledged, {result['received']} received: {len(result['lost'])} lost, "
              f"{len(result['out_of_order'])} senders out of order, {len(unexplained)} silent duplicates, "
              f"{result['repeated_in_doubt']} repeated and said so")
        if asked.folder:
            print(f"{result['filed']} files in the folder: {len(result['filed_wrongly'])} that should not be there or are there twice")
        for key in BAD:
            for control_id in result.get(key, [])[:10]:
                print(f"  {key.replace('_', ' ')}: {control_id}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
