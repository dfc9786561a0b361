#!/usr/bin/python3
"""The projections are a function of the journal: after a run with every kind of entry, a store made again from the journal alone
equals, row by row, the one that grew with it; and so does one rebuilt twice, the one of a daemon that was killed, and one that was
damaged."""
import os
import random
import re
import shutil
import signal
import subprocess
import sys

import world as w
from every_kind import EveryKind


PAGE_BYTES = 16384


def without_seq(line):
    """Every start is an entry of its own."""
    return re.sub(r" seq \d+", "", line.strip())


class Test(w.Checks):
    def __init__(self, world):
        super().__init__()
        self.world = world

    def digest(self, name, with_store):
        """Of a copy: what it holds, once opened with or without its store."""
        copy = self.world.path(name)
        shutil.copytree(self.world.data, copy)
        if not with_store:
            shutil.rmtree(copy + "/store")
        got = subprocess.run([self.world.asked.digest, copy], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        self.check(f"{name} opens", got.returncode == 0, got.stderr[-500:])
        shutil.rmtree(copy)
        return got.stdout.strip()

    def compare(self, when):
        grown = self.digest("grown", with_store=True)
        print(f"{when}: {grown}")
        self.check(f"{when}: something was hashed", len(grown) > 64)
        for name in ("rebuilt", "rebuilt-again"):
            self.equal(f"{when}: {name} from the journal alone", self.digest(name, with_store=False), grown)

    def opened(self, copy):
        return subprocess.run([self.world.asked.digest, copy], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)

    def damage(self):
        """A zeroed page in any table file: what is read is right, or refused by its name; the next start has all of it again."""
        want = self.digest("whole", with_store=True)
        files = sorted(name for name in os.listdir(self.world.data + "/store") if name.endswith(".db"))
        self.check("there are table files", len(files) >= 20, files)
        refused = 0
        for name in files:
            copy = self.world.path("damaged")
            shutil.copytree(self.world.data, copy)
            path = f"{copy}/store/{name}"
            page = random.Random(name).randrange(1, os.path.getsize(path) // PAGE_BYTES)
            with open(path, "r+b") as file:
                file.seek(page * PAGE_BYTES)
                file.write(bytes(PAGE_BYTES))
            got = self.opened(copy)
            if got.returncode != 0:
                refused += 1
                self.check(f"{name} page {page} is named", f"{name} page {page}" in got.stderr, got.stderr[-500:])
                got = self.opened(copy)
            self.equal(f"{name} page {page}: all is there again", without_seq(got.stdout), without_seq(want))
            shutil.rmtree(copy)
        print(f"{len(files)} files with a zeroed page: {refused} refused, then made again; the others made again at once")

    def run(self):
        kinds = EveryKind(self.world)
        kinds.start()
        kinds.load()
        kinds.send()
        self.world.settle()
        self.equal("the version of a model made here", kinds.change_model(), 100)
        reviews, letters = kinds.decide()
        self.check("reviews were decided", reviews > 0, reviews)
        self.check("dead letters were replayed", letters > 0, letters)
        self.world.settle()
        now = self.world.status()
        self.equal("unaccounted", now.get("unaccounted", 0), 0)
        self.equal("a clean stop", self.world.end(signal.SIGTERM), 0)
        self.compare("after a clean stop")
        self.damage()
        self.world.start()
        self.world.settle()
        self.world.end(signal.SIGKILL)
        self.compare("after a kill")
        return self.end()


def main():
    asked = w.arguments(__doc__, digest="")
    with w.World(asked) as world:
        return Test(world).run()


if __name__ == "__main__":
    sys.exit(main())
