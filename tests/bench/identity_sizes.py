#!/usr/bin/env python3
"""Made people of several sizes through `idem eval people`, with the general model and with one made from them: one table.

    tests/bench/identity_sizes.py --idem build/release/cli/idem [--people 5000,20000,100000,300000] [--models general,trained]
                                  [--splink FOLDER [--splink-most 20000]] [--json]

--splink: runs Splink (https://pypi.org/project/splink) beside it on the same files in the same run, up to so many people. FOLDER is
its Python environment; it is made there when it is not. Needs the package index then, and nothing else from outside.
"""
import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import venv

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = ("north", "lake", "lab", "insurer")
MODELS = {"general": [], "trained": ["--train"]}
SPLINK = "splink==5.0.0"


def ask(words):
    return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)


def make_people(asked, people, folder):
    """What the generator says about them, the ceiling with it."""
    return ask([asked.idem, "gen", "people", "--people", str(people), "--seed", str(asked.seed), "--ceiling", "--json", "--out", folder])


def run_idem(asked, folder, model):
    files = [f"{folder}/{source}.csv" for source in SOURCES]
    said = ask([asked.idem, "eval", "people", *files, "--truth-file", f"{folder}/truth.csv", *MODELS[model], "--json"])
    return {"who": f"idem, {model}", "precision": said["automatic"]["pairs"]["precision"], "recall": said["automatic"]["pairs"]["recall"],
            "f1": said["automatic"]["pairs"]["f1"], "wrong": said["wrong"]["pairs"], "answered": said["answered"]["pairs"]["recall"],
            "asked": said["question_share"], "even": said["even_odds"]["pairs"]["f1"], "per_second": said["records_per_second"],
            "seconds": said["read_seconds"] + said["train_seconds"] + said["link_seconds"], "bytes": said["peak_bytes"]}


def find_splink(folder):
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", SPLINK], check=True, stdout=sys.stderr)
    return python


def run_splink(asked, folder):
    return ask([find_splink(asked.splink), os.path.join(HERE, "splink_people.py"), folder])


COLUMNS = (  # head, what is printed of a line
    ("people", lambda line: f"{line['people']:,}"),
    ("records", lambda line: f"{line['records']:,}"),
    ("who", lambda line: line["who"]),
    ("precision", lambda line: f"{line['precision']:.5f}"),
    ("recall", lambda line: f"{line['recall']:.4f}"),
    ("wrong", lambda line: f"{line['wrong']:,}"),
    ("F1", lambda line: f"{line['f1']:.4f}"),
    ("even F1", lambda line: f"{line['even']:.4f}" if "even" in line else ""),
    ("answered", lambda line: f"{line['answered']:.4f}" if "answered" in line else ""),
    ("asked %", lambda line: f"{100 * line['asked']:.2f}" if "asked" in line else ""),
    ("ceiling", lambda line: f"{1 - line['undecidable']:.4f}"),
    ("records/s", lambda line: f"{line['per_second']:,.0f}"),
    ("seconds", lambda line: f"{line['seconds']:.1f}"),
    ("MB", lambda line: f"{line['bytes'] / 1e6:,.0f}"))


def print_line(cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def lines_of(asked, people):
    """One of each model, then those of the peer."""
    with tempfile.TemporaryDirectory(prefix="idem-sizes-", dir=asked.dir) as folder:
        made = make_people(asked, people, folder)
        facts = {"people": people, "records": made["records"], "undecidable": made["share_undecidable"]}
        for model in asked.models.split(","):
            yield {**facts, **run_idem(asked, folder, model)}
        if asked.splink and people <= asked.splink_most:
            for line in run_splink(asked, folder):
                yield {**facts, **line}


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return {"at": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC", "cpu": names[0] if names else "unknown",
            "cores": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--idem", required=True)
    parser.add_argument("--people", default="5000,20000,100000,300000", help="sizes, with commas between")
    parser.add_argument("--models", default=",".join(MODELS), help="general, trained")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--splink", metavar="FOLDER")
    parser.add_argument("--splink-most", type=int, default=20000, metavar="PEOPLE")
    parser.add_argument("--dir", help="where the scratch folder goes")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    here, lines = machine(), []
    if not asked.json:
        print(f"{here['at']}, {here['cpu']}, {here['cores']} cores, kernel {here['kernel']}, load {here['load']:.1f}\n")
        print_line([head for head, _ in COLUMNS])
        print_line(["---"] * len(COLUMNS))
    for people in asked.people.split(","):
        for line in lines_of(asked, int(people)):
            lines.append(line)
            if not asked.json:
                print_line([text(line) for _, text in COLUMNS])
    if asked.json:
        json.dump({"machine": here, "lines": lines}, sys.stdout, indent=1)
        print()


main()
