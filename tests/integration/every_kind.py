"""A daemon as in the demo, over TLS, that has seen an entry of every kind: people, codes, routes, messages of every type over
MLLP (TLS and plain) and gRPC, deliveries, dead letters and their replay, a steward's decision and its undoing, another model."""
import os
import re
import subprocess

import world as w

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEOPLE, MESSAGES, SEED = 400, 300, 11


class EveryKind:
    def __init__(self, world):
        self.world = world

    def local(self, *words):
        """A command of idem that asks no daemon."""
        subprocess.run([self.world.asked.idem, *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                       env={**w.ENVIRONMENT, "HOME": self.world.folder})

    def pki(self, name):
        return ["--ca", self.world.path("pki/ca.pem"), "--cert", self.world.path(f"pki/{name}.pem"),
                "--key", self.world.path(f"pki/{name}.key")]

    def start(self):
        pki = self.world.path("pki")
        self.local("pki", "init", "--dir", pki, "--name", "idem test authority")
        for name in ("idemd", "lab-system"):
            self.local("pki", "issue", name, "--server", "--dir", pki)
        for name in ("idemd-delivery", "operator", "steward-anna", "north-his", "lab-feed"):
            self.local("pki", "issue", name, "--dir", pki)
        with open(ROOT + "/examples/idemd.yaml", encoding="utf-8") as file:
            self.world.write("idemd.yaml", re.sub(r"[A-Z]+_ADDRESS", "127.0.0.1:0", file.read()))
        self.world.identity = self.pki("operator")
        # every 25th message is refused: dead letters
        self.lab = w.Receiver(self.world, "lab", "--refuse-every", "25", *self.pki("lab-system"))
        self.world.start()

    def load(self):
        people = self.world.path("people")
        self.local("gen", "people", "--seed", SEED, "--people", PEOPLE, "--out", people)
        for source in ("north", "lake", "lab", "insurer"):
            self.world.ask("people", "load", f"{people}/{source}.csv")
        for system in (["icd10cm"], ["loinc", "--version", "2.90"], ["rxnorm"], ["snomed"]):
            self.world.ask("codes", "load", f"{ROOT}/examples/codes/{system[0]}", *system[1:], "--activate")
        for name in ("north-lab", "lake-lab"):
            self.world.ask("codes", "load", f"{ROOT}/examples/maps/{name}.csv", "--activate")
        with open(ROOT + "/examples/routes.yaml", encoding="utf-8") as file:
            text = file.read().replace("DIR/", self.world.folder + "/").replace("LAB_ADDRESS", f"127.0.0.1:{self.lab.port}")
        self.world.apply_routes(text)

    def send_file(self, name, *words):
        got = self.world.run("send", f"{self.world.path('messages')}/{name}.hl7", *words, "--quiet")
        return got.returncode

    def send(self):
        self.local("gen", "messages", "--seed", SEED, "--people", PEOPLE, "--count", MESSAGES, "--out", self.world.path("messages"))
        self.world.identity = self.pki("north-his")
        codes = [self.send_file("north", "--to", f"mllps://127.0.0.1:{self.world.ports['north']}")]
        self.world.identity = self.pki("lab-feed")
        codes.append(self.send_file("lab-feed", "--source", "lab-feed"))
        self.world.identity = self.pki("operator")
        codes.append(self.send_file("lake", "--to", f"mllp://127.0.0.1:{self.world.ports['lake']}"))
        codes.append(self.send_file("lake", "--to", f"mllp://127.0.0.1:{self.world.ports['lake']}")) # all once more: duplicates
        return codes

    def sent_messages(self):
        """{control id: bytes} of what was generated."""
        found = {}
        for name in ("north", "lake", "lab-feed"):
            with open(f"{self.world.path('messages')}/{name}.hl7", "rb") as file:
                text = file.read()
            for part in re.split(rb"(?:^|[\r\n]+)(?=MSH[^A-Za-z0-9])", text):
                if part.startswith(b"MSH"):
                    found[w.control_id_of(part)] = part.strip(b"\r\n")
        return found

    def change_model(self):
        """People are linked by a model made from them, from here on."""
        model = self.world.path("model.yaml")
        self.world.run("model", "train", "--out", model)
        return self.world.ask("model", "activate", model, "--why", "test")["version"]

    def decide(self):
        """One review decided, undone, and another decided; a dead letter replayed."""
        reviews = self.world.ask("review", "list")["reviews"]
        if reviews:
            decision = self.world.ask("review", "same", reviews[0]["id"], "--note", "test")["decision"]
            self.world.ask("review", "undo", decision, "--note", "test")
            self.world.ask("review", "different", reviews[-1]["id"], "--note", "test")
        letters = self.world.ask("dlq", "list")["letters"]
        if letters:
            self.world.ask("dlq", "replay", letters[0]["id"])
        return len(reviews), len(letters)
