#!/usr/bin/python3
"""An independent HL7 reader (python3-hl7) reads everything that idem delivered: the same segments and fields as were sent, but for
those that the trace lists as changed. In and out over TLS. Skipped (exit 77) without python3-hl7."""
import os
import re
import sys

try:
    import hl7
except ImportError:
    hl7 = None

import world as w
from every_kind import EveryKind


def read(message):
    """[(segment name, which of that name, [text of each field])]; bytes as Latin-1 characters: nothing is lost, delimiters stay."""
    text = message.decode("latin-1").replace("\r\n", "\r").replace("\n", "\r").strip("\r") + "\r"
    counts, rows = {}, []
    for segment in hl7.parse(text):
        fields = [str(field) for field in segment]
        counts[fields[0]] = counts.get(fields[0], 0) + 1
        rows.append((fields[0], counts[fields[0]], fields))
    return rows


def place_of(path):
    """"OBX(2)-3.4" is field 3 of the second OBX."""
    name, which, field = re.match(r"([A-Z0-9]{3})(?:\((\d+)\))?-(\d+)", path).groups()
    return name, int(which or 1), int(field)


def differences(sent, delivered):
    """Places (segment, which, field) at which the two differ, or None when the segments are not the same ones."""
    left, right = read(sent), read(delivered)
    if [row[:2] for row in left] != [row[:2] for row in right]:
        return None
    found = set()
    for (name, which, before), (_name, _which, after) in zip(left, right):
        for field in range(max(len(before), len(after))):
            if (before[field] if field < len(before) else "") != (after[field] if field < len(after) else ""):
                found.add((name, which, field))
    return found


class Test(w.Checks):
    def __init__(self, world):
        super().__init__()
        self.world = world
        self.changed = 0

    def compare(self, where, sent, delivered):
        control_id = w.control_id_of(delivered)
        if not self.check(f"{where}: {control_id} was sent", control_id in sent):
            return
        trace = self.world.ask("trace", "--control-id", control_id)
        listed = {place_of(row["path"]) for row in trace.get("changes", [])}
        found = differences(sent[control_id], delivered)
        self.check(f"{where}: {control_id} has the same segments", found is not None)
        self.equal(f"{where}: {control_id} differs where the trace says, only there", found, listed)
        self.changed += bool(found)

    def run(self):
        kinds = EveryKind(self.world)
        kinds.start()
        kinds.load()
        kinds.send()
        self.world.settle()
        sent = kinds.sent_messages()
        delivered = kinds.lab.messages()
        for message in delivered:
            self.compare("lab", sent, message)
        archive = self.world.path("archive")
        files = [name for name in sorted(os.listdir(archive)) if name.endswith(".hl7")]
        by_id = {w.control_id_of(message): message for message in delivered}
        for name in files:
            with open(os.path.join(archive, name), "rb") as file:
                message = file.read()
            other = by_id.get(w.control_id_of(message))
            if other is None: # refused by the lab
                self.compare("folder", sent, message)
            else:
                self.equal(f"folder: {name} is what the lab got", message, other)
        self.check("messages were delivered", len(delivered) > 200 and len(files) > 50, (len(delivered), len(files)))
        self.check("and some were changed on their way", self.changed > 50, self.changed)
        print(f"{len(delivered)} messages to the lab, {len(files)} files; {self.changed} changed where the trace says")
        return self.end()


def main():
    asked = w.arguments(__doc__)
    if hl7 is None:
        w.skip("python3-hl7 is not installed")
    with w.World(asked) as world:
        return Test(world).run()


if __name__ == "__main__":
    sys.exit(main())
