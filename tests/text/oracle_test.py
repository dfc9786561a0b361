#!/usr/bin/python3
"""Distances and sounds against those of others: jellyfish, rapidfuzz and PostgreSQL's fuzzystrmatch.

oracle_test.py --print build/dev/tests/text/distance_print --idem build/dev/cli/idem [--pairs N] [--seed N] [--packages DIR]

Pairs are random strings of few letters, of many scripts, and made names with slips. The Python packages are fetched once into
--packages; PostgreSQL is started in a scratch folder. What is not there is said; without jellyfish and rapidfuzz the test is skipped.
Where the words mean something else than ours, the difference is what must hold: jellyfish's Damerau–Levenshtein may edit what it has
swapped, PostgreSQL's Levenshtein cannot swap.
"""
import argparse
import csv
import os
import random
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
PACKAGES = ["jellyfish==1.1.3", "rapidfuzz==3.9.7"]
PG_BIN = "/usr/lib/postgresql/15/bin"
LONGEST = 64  # letters that are compared: TEXT_DISTANCE_MAX
SCRIPTS = ["abcdefghijklmnopqrstuvwxyz", "àéîõüßñçøåæ", "αβγδεζηθικλμνξοπρστυφχψω", "абвгдежзиклмнопрстуфхцчшщъыьэюя", "あいうえおかきくけこ",
           "王李张刘陈杨黄赵吴周", "אבגדהוזחטי", "ابتثجحخدذر"]


def fetch_packages(folder):
    """True when they can be imported."""
    sys.path.insert(0, folder)
    try:
        import jellyfish, rapidfuzz  # noqa: F401
        return True
    except ImportError:
        pass
    got = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target",
                          folder, *PACKAGES], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if got.returncode != 0:
        return False
    import importlib
    importlib.invalidate_caches()
    import jellyfish, rapidfuzz  # noqa: F401, F811
    return True


# ---- pairs ----

def slip(text, letters, rand):
    at, kind = rand.randrange(len(text) + 1), rand.randrange(4)
    if kind == 0 or not text:
        return text[:at] + rand.choice(letters) + text[at:]
    at = min(at, len(text) - 1)
    if kind == 1:
        return text[:at] + text[at + 1:]
    if kind == 2:
        return text[:at] + rand.choice(letters) + text[at + 1:]
    return text[:at] + text[at + 1:at + 2] + text[at] + text[at + 2:]


def random_pair(letters, longest, rand):
    left = "".join(rand.choice(letters) for _ in range(rand.randrange(longest + 1)))
    if rand.random() < 0.5:
        return left, "".join(rand.choice(letters) for _ in range(rand.randrange(longest + 1)))
    right = left
    for _ in range(rand.randrange(5)):
        right = slip(right, letters, rand)
    return left, right


def made_names(idem, seed):
    names = set()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([idem, "gen", "people", "--seed", str(seed), "--people", "3000", "--out", folder], check=True,
                       stdout=subprocess.DEVNULL)
        for source in ("north", "lake", "lab", "insurer"):
            with open(f"{folder}/{source}.csv", encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    names.update(part for field in ("family", "given") for part in row[field].lower().split())
    return sorted(name for name in names if name.isascii() and name.isalpha())


def make_pairs(count, names, rand):
    pairs = []
    for i in range(count):
        kind = i % 5
        if kind == 0:
            pairs.append(random_pair("ab", 9, rand))
        elif kind == 1:
            pairs.append(random_pair("abcdef", 40, rand))
        elif kind == 2:
            pairs.append(random_pair(rand.choice(SCRIPTS), 20, rand))
        elif kind == 3:
            pairs.append((rand.choice(names), rand.choice(names)))
        else:
            left = right = rand.choice(names)
            for _ in range(1 + rand.randrange(3)):
                right = slip(right, SCRIPTS[0], rand)
            pairs.append((left, right))
    return [(left[:LONGEST], right[:LONGEST]) for left, right in pairs]


# ---- others ----

class Postgres:
    """A server of its own on a socket in a scratch folder; None from ask() when there is none."""

    def __init__(self):
        self.folder = None
        if os.geteuid() != 0 or not os.path.exists(PG_BIN + "/initdb") or not shutil.which("runuser"):
            return
        self.folder = tempfile.mkdtemp(prefix="idem-oracle-")
        shutil.chown(self.folder, "postgres")
        if self.as_postgres(PG_BIN + "/initdb", "-D", self.folder + "/data", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8") \
                or self.as_postgres(PG_BIN + "/pg_ctl", "-D", self.folder + "/data", "-w", "-l", self.folder + "/log", "-o",
                                    f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off", "start"):
            self.end()

    def as_postgres(self, *words):
        return subprocess.run(["runuser", "-u", "postgres", "--", *words], cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False).returncode

    def ask(self, pairs):
        """[(levenshtein, soundex, soundex, dmetaphone, dmetaphone)]"""
        if self.folder is None:
            return None
        script = ("CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;\nCREATE TEMP TABLE pair (n serial, a text, b text);\n"
                  "COPY pair (a, b) FROM STDIN;\n" + "".join(f"{a}\t{b}\n" for a, b in pairs) + "\\.\n"
                  "SELECT levenshtein(a, b), soundex(a), soundex(b), dmetaphone(a), dmetaphone(b) FROM pair ORDER BY n;\n")
        got = subprocess.run(["psql", "-h", self.folder, "-U", "postgres", "-d", "postgres", "-q", "-A", "-t", "-F", "\t", "-v",
                              "ON_ERROR_STOP=1"], input=script.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if got.returncode != 0:
            raise AssertionError(got.stderr.decode()[-500:])
        return [(int(row[0]), *row[1:]) for row in (line.split("\t") for line in got.stdout.decode().rstrip("\n").split("\n"))]

    def end(self):
        if self.folder:
            self.as_postgres(PG_BIN + "/pg_ctl", "-D", self.folder + "/data", "-m", "immediate", "stop")
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder = None


def ours(program, pairs):
    text = "".join(f"{left}\t{right}\n" for left, right in pairs)
    got = subprocess.run([program], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")[:-1]
    rows = [line.split() for line in got]
    return [(int(jw), int(edits), int(a, 16), int(b, 16)) for jw, edits, a, b in rows]


class Differences:
    def __init__(self):
        self.found = 0

    def add(self, what, pair, got, want):
        self.found += 1
        if self.found <= 20:
            print(f"FAILED {what}: {pair[0]!r} / {pair[1]!r}: got {got}, want {want}")


def check_distances(pairs, rows, differences):
    import jellyfish
    from rapidfuzz.distance import OSA
    swaps_edited = ties = at_edge = 0
    for pair, (jw, edits, _, _) in zip(pairs, rows):
        left, right = pair
        osa, damerau = OSA.distance(left, right), jellyfish.damerau_levenshtein_distance(left, right)
        if edits != osa:
            differences.add("edits", pair, edits, osa)
        if not damerau <= edits:
            differences.add("edits below Damerau–Levenshtein", pair, edits, damerau)
        swaps_edited += damerau < edits
        # greedy matching depends on who goes first; ours has a fixed order, so one of the two it is. Equal words alone are 1000.
        both = [jellyfish.jaro_winkler_similarity(left, right), jellyfish.jaro_winkler_similarity(right, left)]
        ties += abs(both[0] - both[1]) > 1e-9
        want = [1000 if left == right and left else min(999, round(1000 * one)) for one in both]
        if abs(jellyfish.jaro_similarity(left, right) - 0.7) < 2e-6: # the prefix counts above 0.7: exact here, there a binary fraction
            want.append(700)
            at_edge += 1
        if all(abs(jw - one) > 1 for one in want):
            differences.add("Jaro–Winkler", pair, jw, want)
    print(f"{len(pairs)} pairs: in {swaps_edited} Damerau–Levenshtein edits what it swapped, in {ties} Jaro–Winkler depends on the order, "
          f"{at_edge} are 0.7 alike, where the prefix begins to count")


def check_postgres(pairs, rows, told, differences):
    from rapidfuzz.distance import Levenshtein, OSA
    swapped = 0
    for pair, row, (levenshtein, *_) in zip(pairs, rows, told):
        swaps = OSA.distance(*pair) != Levenshtein.distance(*pair)
        swapped += swaps
        if not (levenshtein == row[1] if not swaps else row[1] < levenshtein <= 2 * row[1]):
            differences.add("PostgreSQL's Levenshtein", pair, row[1], levenshtein)
    print(f"PostgreSQL: {len(pairs)} pairs, {swapped} with swaps, which are one edit here and two there")


def check_sounds(pairs, rows, codes, name, least_found, most_strangers, differences):
    """Ours is a code of its own. Of pairs that sound alike to the other, ours joins most; of strangers' names hardly any."""
    alike = joined = strangers = wrongly = 0
    for (left, right), row, (a, b) in zip(pairs, rows, codes):
        if left == right or not (row[2] and row[3]):
            continue
        if a == b and a:
            alike += 1
            joined += row[2] == row[3]
        else:
            strangers += 1
            wrongly += row[2] == row[3]
    print(f"{name}: of {alike} pairs that sound alike there {joined} do here; of {strangers} that do not {wrongly}")
    if joined < least_found * alike or wrongly > most_strangers * strangers or alike < 100:
        differences.add("sounds like " + name, ("", ""), (joined, wrongly), (alike, strangers))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--print", required=True)
    parser.add_argument("--idem", required=True)
    parser.add_argument("--packages", default=os.path.join(tempfile.gettempdir(), "idem-oracle-packages"))
    parser.add_argument("--pairs", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=20261129)
    asked = parser.parse_args()
    if not fetch_packages(asked.packages):
        print("skipped: jellyfish and rapidfuzz are not here and cannot be fetched")
        return SKIPPED
    import jellyfish
    rand = random.Random(asked.seed)
    names = made_names(asked.idem, 7)
    pairs = make_pairs(asked.pairs, names, rand)
    rows = ours(getattr(asked, "print"), pairs)
    differences = Differences()
    check_distances(pairs, rows, differences)
    heard = [(p, r) for i, (p, r) in enumerate(zip(pairs, rows)) if i % 5 >= 3]
    spoken, sounds = [p for p, _ in heard], [r for _, r in heard]
    check_sounds(spoken, sounds, [(jellyfish.metaphone(a), jellyfish.metaphone(b)) for a, b in spoken], "metaphone", 0.9, 0.06, differences)
    postgres = Postgres()
    try:
        told = postgres.ask(pairs)
    finally:
        postgres.end()
    if told is None:
        print("no PostgreSQL 15, or not root: that oracle was not asked")
    else:
        check_postgres(pairs, rows, told, differences)
        of_names = [t for i, t in enumerate(told) if i % 5 >= 3]
        check_sounds(spoken, sounds, [(t[1], t[2]) for t in of_names], "soundex", 0.55, 0.03, differences)
        check_sounds(spoken, sounds, [(t[3], t[4]) for t in of_names], "double metaphone", 0.6, 0.03, differences)
    print(f"{len(names)} names, {differences.found} differences")
    return 1 if differences.found else 0


if __name__ == "__main__":
    sys.exit(main())
