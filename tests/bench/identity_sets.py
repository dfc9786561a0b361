#!/usr/bin/env python3
"""Every set of people with a truth, through `idem eval people`: one table, or one JSON text with --json.

    tests/bench/identity_sets.py --idem build/release/cli/idem [--data ../shared/data] [--only WORD …] [--people 20000]
                                 [--json] [--against FILE] [--floors] [-- OPTIONS OF EVAL …]

Sets that are not there are skipped and named. What has a layout of its own (MIIS, RecordLinker) is rewritten into a scratch
folder. Made-up people come from `idem gen people`. Nothing of the data stays behind.

--against: a text that --json wrote before; a line that says something else now is followed by what it said then.
--floors: with a model made from each set, exit code 1 when a figure is below its floor, 77 without data.
"""
import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile

import noise

HERE = os.path.dirname(os.path.abspath(__file__))
MAPS = os.path.join(HERE, "..", "mpi", "maps")


def write_csv(path, columns, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def make_miis(asked, scratch):
    """TEST, EXPECT, PATIENT A, PATIENT B of `name=value,` each. The same patient in two tests is one record."""
    sides, labels, columns, pair = {"A": {}, "B": {}}, [], ["id"], {}
    with open(f"{asked.data}/mpi/iis-miis/MIIS-E3_half_of_conditions.txt", encoding="utf-8", errors="replace") as file:
        for line in file:
            key, _, rest = line.rstrip("\r\n").partition(": ")
            if key == "EXPECT":
                pair = {"label": rest}
            if not key.startswith("PATIENT"):
                continue
            side = key[-1]
            values = dict(re.findall(r"(\w+)=(.*?),(?=\w+=|$)", rest))
            columns += [name for name in values if name not in columns]
            known = sides[side].setdefault(rest, {"id": f"{side}{len(sides[side])}", **values})
            pair["left" if side == "A" else "right"] = known["id"]
            if side == "B":
                labels.append(pair)
    files = [write_csv(f"{scratch}/miis-{side}.csv", columns, people.values()) for side, people in sides.items()]
    return files, ["--pairs", write_csv(f"{scratch}/miis-labels.csv", ["left", "right", "label"], labels)]


def make_nbs(asked, scratch):
    """A case is judged against the seed row with its Match Id. The seeds' numbers play no part."""
    tables = {}
    for name in ("nbs_seed", "nbs_test"):
        with open(f"{asked.data}/mpi/recordlinker/{name}.csv", newline="", encoding="utf-8") as file:
            tables[name] = [row for row in csv.DictReader(file) if None not in row.values()]
    columns = ["id", "FIRST", "LAST", "SUFFIX", "ADDRESS", "CITY", "STATE", "ZIP", "BIRTHDATE", "GENDER", "SSN"]
    seeds = [{**row, "id": f"S{row['Match Id']}"} for row in tables["nbs_seed"]]
    cases = [{**row, "id": f"T{row['Test Case #']}"} for row in tables["nbs_test"]]
    labels = [{"left": f"S{row['Match Id']}", "right": row["id"], "label": row["Expected Result"]} for row in cases]
    files = [write_csv(f"{scratch}/nbs-seed.csv", columns, seeds), write_csv(f"{scratch}/nbs-test.csv", columns, cases)]
    return files, ["--pairs", write_csv(f"{scratch}/nbs-labels.csv", ["left", "right", "label"], labels)]


def make_noisy(asked, scratch):
    """Everybody of two clean surveys, once in each of two sources that err on their own."""
    people = {}
    for name in ("current_population_survey", "women_infants_and_children"):
        with open(f"{asked.data}/mpi/pseudopeople/{name}.csv", newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                people.setdefault(row["simulant_id"], row)
    tables, rows = noise.read_tables(f"{asked.data}/mpi/corruption"), list(people.values())
    columns = ["simulant_id", "household_id", "first_name", "middle_initial", "last_name", "date_of_birth", "sex", "street_number",
               "street_name", "unit_number", "city", "state", "zipcode"]
    return [write_csv(f"{scratch}/noisy-{seed}.csv", columns, noise.noisy(rows, seed, tables)) for seed in (1, 2)], []


def make_people(asked, scratch):
    with open(f"{scratch}/made.json", "wb") as file:
        subprocess.run([asked.idem, "gen", "people", "--people", str(asked.people), "--seed", "7", "--ceiling", "--json",
                        "--out", f"{scratch}/made"], check=True, stdout=file)
    return ([f"{scratch}/made/{source}.csv" for source in ("north", "lake", "lab", "insurer")],
            ["--truth-file", f"{scratch}/made/truth.csv"])


# name, map, files below the data folder or what makes them, options
SETS = (
    ("FEBRL1", "febrl", ["mpi/febrl/dataset1.csv"], []),
    ("FEBRL2", "febrl", ["mpi/febrl/dataset2.csv"], []),
    ("FEBRL3", "febrl", ["mpi/febrl/dataset3.csv"], []),
    ("FEBRL4", "febrl", ["mpi/febrl/dataset4a.csv", "mpi/febrl/dataset4b.csv"], ["--link-only"]),
    ("RLdata500", "rldata", ["mpi/rldata/RLdata500.csv"], []),
    ("RLdata10000 half", "rldata", ["mpi/rldata/RLdata10000_half.csv"], []),
    ("Uganda without ids", "uganda", ["mpi/opencr/uganda_data_v21_20201501.csv"], []),
    ("historical 50k half", "historical", ["mpi/splink/historical_50k_half.csv"], []),
    ("fake_1000", "fake1000", ["mpi/splink/fake_1000.csv"], ["--pairs", "mpi/splink/fake_1000_labels.csv"]),
    ("pseudopeople CPS", "pseudopeople", ["mpi/pseudopeople/current_population_survey.csv"], []),
    ("pseudopeople WIC", "pseudopeople", ["mpi/pseudopeople/women_infants_and_children.csv"], []),
    ("pseudopeople noisy", "pseudopeople", make_noisy, []),
    ("MIIS E3 half", "miis", make_miis, []),
    ("RecordLinker nbs", "nbs", make_nbs, []),
    ("made people", None, make_people, []),
)


# What a change must not fall below. Wrong links: at most. F1 of pairs as it is, and at even odds. Of labelled pairs: the
# share judged rightly, and so many "no" linked at most.
FLOORS = {
    "FEBRL1": {"wrong": 0, "f1": 0.97, "even": 0.998},
    "FEBRL2": {"wrong": 0, "f1": 0.97, "even": 0.9985},
    "FEBRL3": {"wrong": 0, "f1": 0.96, "even": 0.9985},
    "FEBRL4": {"wrong": 0, "f1": 0.97, "even": 0.999},
    "RLdata500": {"wrong": 0, "f1": 0.80, "even": 0.97},
    "RLdata10000 half": {"wrong": 2, "f1": 0.78, "even": 0.98},
    "Uganda without ids": {"wrong": 0, "f1": 0.97, "even": 0.998},
    "historical 50k half": {"wrong": 250, "f1": 0.72, "even": 0.91},
    "fake_1000": {"wrong": 0, "f1": 0.80, "even": 0.93, "right": 0.72, "no_linked": 0},
    "pseudopeople CPS": {"wrong": 0, "f1": 1, "even": 1},
    "pseudopeople WIC": {"wrong": 0, "f1": 0.996, "even": 0.996},
    "pseudopeople noisy": {"wrong": 1, "f1": 0.97, "even": 0.99},
    "MIIS E3 half": {"right": 0.50, "no_linked": 15},
    "RecordLinker nbs": {"right": 0.60, "no_linked": 14},
}


def below_floor(name, said):
    """What is below its floor, one line each."""
    labels = said.get("labels")
    found = {"wrong": said["wrong"]["pairs"], "f1": said["automatic"]["pairs"]["f1"], "even": said["even_odds"]["pairs"]["f1"],
             "right": labels and labels["accuracy"], "no_linked": labels and labels["no"]["linked"]}
    for figure, floor in FLOORS.get(name, {}).items():
        fell = found[figure] > floor if figure in ("wrong", "no_linked") else found[figure] < floor
        if fell:
            yield f"{name}: {figure} {found[figure]}, floor {floor}"


def below_data(asked, word):
    return f"{asked.data}/{word}" if word.startswith("mpi/") else word


def evaluate(asked, scratch, row):
    """What eval says; None when the set is not there."""
    _, map_name, files, options = row
    try:
        if callable(files):
            files, options = files(asked, scratch)
    except FileNotFoundError:
        return None
    files, options = [below_data(asked, f) for f in files], [below_data(asked, o) for o in options]
    if not all(os.path.isfile(f) for f in files):
        return None
    chosen = ["--map", f"{MAPS}/{map_name}.yaml"] if map_name else []
    got = subprocess.run([asked.idem, "eval", "people", *files, *chosen, *options, *asked.options, "--json"],
                         stdout=subprocess.PIPE, check=True)
    said = json.loads(got.stdout)
    if os.path.isfile(f"{scratch}/made.json"):
        with open(f"{scratch}/made.json", encoding="utf-8") as file:
            said["share_undecidable"] = json.load(file)["share_undecidable"]
    return said


HEAD = ("set", "records", "pairs", "P", "R", "F1", "even F1", "exact F1", "B3 F1", "wrong", "asked %", "no key", "answered", "ECE", "labels",
        "records/s", "MB")


def cells(name, said):
    labels = said.get("labels")
    has_truth = said["humans"] > 0
    made, even, answered = said["automatic"], said.get("even_odds"), said["answered"]
    figures = [f"{made['pairs']['true']}", f"{made['pairs']['precision']:.4f}", f"{made['pairs']['recall']:.4f}",
               f"{made['pairs']['f1']:.4f}", f"{even['pairs']['f1']:.4f}" if even else "-", f"{made['persons']['f1']:.4f}",
               f"{made['records']['f1']:.4f}", f"{said['wrong']['pairs']}", f"{100 * said['question_share']:.2f}",
               f"{said['missed']['no_key']}", f"{answered['pairs']['recall']:.4f}", f"{said['calibration_error']:.4f}"]
    return [name, str(said["records"]), *(figures if has_truth else ["-"] * len(figures)),
            f"{labels['accuracy']:.4f}" if labels else "-", f"{said['records_per_second']:.0f}",
            f"{said['peak_bytes'] / 1e6:.0f}"]


def label_lines(said):
    for said_label in ("match", "possible", "no"):
        row = said["labels"][said_label]
        yield f"{said_label:>30}: linked {row['linked']:5}  asked {row['review']:5}  apart {row['apart']:5}"


def judged(said):
    """What is said about people, without how long it took."""
    return {key: value for key, value in said.items() if not key.endswith(("seconds", "per_second", "bytes"))}


def print_lines(name, said, widths):
    print("  ".join(c.ljust(w) if i == 0 else c.rjust(max(w, 7)) for i, (c, w) in enumerate(zip(cells(name, said), widths))))
    if said.get("labels"):
        print("\n".join(label_lines(said)))
    if "share_undecidable" in said:
        print(f"  of the true pairs nobody could decide {said['share_undecidable']:.4%}")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--idem", required=True)
    parser.add_argument("--data", default=os.environ.get("IDEM_DATA", os.path.join(HERE, "..", "..", "..", "shared", "data")))
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--people", type=int, default=20000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--against")
    parser.add_argument("--floors", action="store_true")
    parser.add_argument("options", nargs="*")
    asked = parser.parse_args()
    if asked.floors:
        asked.options.append("--train")
    before = {}
    if asked.against:
        with open(asked.against, encoding="utf-8") as file:
            before = json.load(file)
    results, widths = {}, [len(h) for h in HEAD]
    widths[0] = max(len(row[0]) for row in SETS)
    if not asked.json:
        print("  ".join(h.ljust(w) if i == 0 else h.rjust(max(w, 7)) for i, (h, w) in enumerate(zip(HEAD, widths))))
    for row in SETS:
        if asked.only and not any(word.lower() in row[0].lower() for word in asked.only):
            continue
        if asked.floors and row[0] not in FLOORS:
            continue
        with tempfile.TemporaryDirectory(prefix="idem-sets-") as scratch:
            said = evaluate(asked, scratch, row)
        if said is None:
            print(f"skipped: no data ({row[0]})", file=sys.stderr)
            continue
        results[row[0]] = said
        if asked.json:
            continue
        print_lines(row[0], said, widths)
        if row[0] in before and judged(before[row[0]]) != judged(said):
            print_lines("  was", before[row[0]], widths)
    if asked.json:
        json.dump(results, sys.stdout, indent=1)
        print()
    if not asked.floors:
        return 0
    fallen = [line for name, said in results.items() for line in below_floor(name, said)]
    print("\n".join(fallen), file=sys.stderr)
    return 77 if not results else 1 if fallen else 0


sys.exit(main())
