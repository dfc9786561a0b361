#!/usr/bin/python3
"""The projections are a function of the journal: after a run with every kind of entry, a store made again from the journal alone
equals, row by row, the one that grew with it; and so does one rebuilt twice, and the one of a daemon that was killed."""
import shutil
import signal
import subprocess
import sys

import world as w
from every_kind import EveryKind


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
