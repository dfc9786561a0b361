#!/usr/bin/env python3
"""The house rules that a compiler does not know. One function per rule; each yields (file, line, what is wrong).

    tests/tidy/tidy.py [ROOT] [--build BUILD_DIR] [--rule NAME]

Exit code 0: clean; 1: findings on stdout. Only the standard library is used.
"""
import argparse
import json
import os
import re
import subprocess
import sys

BYTES_MAX = 1024 * 1024

# Third-party headers and the only folders that may include them.
THIRD_PARTY = {
    r"unicode/": ("base/text",),
    r"openssl/": ("base/crypto",),
    r"yaml\.h$": ("base/yaml",),
    r"db\.h$": ("data",),
    r"grpc/": ("rpc",),
    r"grpcpp/": (),
    r"google/protobuf": (),
    r"protobuf-c/": ("rpc", "cli"),
    r"cmocka\.h$": ("tests",),
}
# What these do, something in base/ does with a bound or a status.
BANNED = ("strcpy stpcpy strcat sprintf vsprintf gets strtok atoi atol atoll atof system popen alloca rand srand "
          "tmpnam mktemp setjmp longjmp").split()
# Words that say "not finished"; put together so that this file does not contain them.
LEFTOVERS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")
SECRET = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE " + rb"KEY-----")
SECRET_NAMES = (".key", ".pem", ".p12", ".pfx", ".jks")
# Folders below tests/ that mirror no room.
OTHER_TESTS = {"support", "golden", "fuzz", "property", "integration", "bench", "tidy", "real", "scripts"}


class Tree:
    """The files of the repository: tracked ones and new ones, never ignored ones."""

    def __init__(self, root):
        self.root = root
        try:
            out = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                 check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            names = [n for n in out.decode().split("\0") if n]
        except (OSError, subprocess.CalledProcessError):
            names = [os.path.relpath(os.path.join(folder, name), root)
                     for folder, folders, files in os.walk(root)
                     if not (folders.__setitem__(slice(None), [f for f in folders if f not in (".git", "build")]))
                     for name in files]
        self.names = sorted(n for n in set(names) if os.path.isfile(os.path.join(root, n)))
        self.kept = {}

    def bytes(self, name):
        with open(os.path.join(self.root, name), "rb") as file:
            return file.read()

    def text(self, name):
        if name not in self.kept:
            self.kept[name] = self.bytes(name).decode("utf-8", "replace")
        return self.kept[name]

    def c_files(self, *endings):
        return [n for n in self.names if n.endswith(endings or (".c", ".h"))]


def without_comments(text, keep_strings=False):
    """The code with comments (and texts) blanked; line numbers stay."""
    def blank(match):
        found = match.group(0)
        if keep_strings and found[0] in "\"'":
            return found
        return re.sub(r"[^\n]", " ", found)
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def includes(tree, name):
    """(line, header, is quoted) of every include."""
    text = without_comments(tree.text(name), keep_strings=True)
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"\n]+)[>"]', text, flags=re.M):
        yield line_of(text, match.start()), match.group(2), match.group(1) == '"'


class Rooms:
    """Every idem_room() of the CMake files: folder, name, level, what it uses."""

    def __init__(self, tree):
        self.by_name, self.by_folder = {}, {}
        for name in tree.names:
            if os.path.basename(name) != "CMakeLists.txt":
                continue
            for match in re.finditer(r"^\s*idem_room\((\w+)([^)]*)\)", tree.text(name), flags=re.M):
                words = match.group(2).split()
                room = {"name": match.group(1), "folder": os.path.dirname(name), "uses": [], "level": 0}
                key = None
                for word in words:
                    if word in ("LEVEL", "USES", "LINK", "DIR"):
                        key = word
                    elif key == "LEVEL":
                        room["level"] = int(word)
                    elif key == "USES":
                        room["uses"].append(word)
                self.by_name[room["name"]] = self.by_folder[room["folder"]] = room

    def of_file(self, name):
        folder = os.path.dirname(name)
        while folder:
            if folder in self.by_folder:
                return self.by_folder[folder]
            folder = os.path.dirname(folder)
        return None

    def reach(self, room):
        """Names of the room and of everything it uses, however far down."""
        seen, waiting = set(), [room["name"]]
        while waiting:
            one = waiting.pop()
            if one not in seen and one in self.by_name:
                seen.add(one)
                waiting += self.by_name[one]["uses"]
        return seen

    def of_header(self, tree, header):
        """The room whose include/ folder has this header."""
        for folder, room in self.by_folder.items():
            if os.path.isfile(os.path.join(tree.root, folder, "include", header)):
                return room
        return None


def rule_includes_stay_in_the_tree(tree, _):
    for name in tree.c_files():
        for line, header, _quoted in includes(tree, name):
            if ".." in header.split("/"):
                yield name, line, f'#include "{header}" climbs out of its folder: include by the room\'s name'


def rule_third_party_headers_stay_in_their_room(tree, _):
    for name in tree.c_files():
        for line, header, _quoted in includes(tree, name):
            for pattern, folders in THIRD_PARTY.items():
                if not re.match(pattern, header):
                    continue
                allowed = folders + (("tests",) if "tests" not in folders and name.startswith("tests/") else ())
                if not any(name.startswith(folder + "/") for folder in allowed):
                    yield name, line, f"{header} belongs in {' or '.join(folders) or 'no folder'} only"


def rule_public_headers_keep_third_parties_out(tree, _):
    for name in tree.c_files(".h"):
        if "/include/" not in name:
            continue
        for line, header, _quoted in includes(tree, name):
            if any(re.match(pattern, header) for pattern in THIRD_PARTY):
                yield name, line, f"a public header must not show {header} to its users"


def rule_use_goes_downward(tree, _):
    rooms = Rooms(tree)
    for name in tree.c_files():
        room = rooms.of_file(name)
        if room is None or name.startswith("tests/"):
            continue
        reach = rooms.reach(room)
        for line, header, quoted in includes(tree, name):
            target = rooms.of_header(tree, header) if quoted else None
            if target and target["name"] not in reach:
                yield name, line, f"{room['name']} does not use {target['name']}, so {header} is out of reach"
            elif target and target is not room and target["level"] >= room["level"]:
                yield name, line, f"{header} is of level {target['level']}, not below {room['level']}"


PROTOTYPE = re.compile(r"^(?!\s|#|typedef|static|struct \w+ ?\{|enum|union|extern|\}|_Static_assert|/)"
                       r"[A-Za-z_][\w \t\*]*?[ \*](\w+)\((?:[^;{}]|\n)*\)[^;{}]*;", flags=re.M)


def rule_public_prototypes_have_a_comment(tree, _):
    """Each paragraph (lines up to an empty one) that declares functions says something about them."""
    for name in tree.c_files(".h"):
        if "/include/" not in name:
            continue
        text = tree.text(name)
        if not text.lstrip().startswith("/*"):
            yield name, 1, "a public header begins with a comment that explains it"
        at = 0
        for paragraph in re.split(r"\n[ \t]*\n", text):
            code = without_comments(paragraph)
            found = PROTOTYPE.search(code)
            if found and "/*" not in paragraph and "//" not in paragraph:
                yield name, line_of(text, at) + line_of(paragraph, found.start()) - 1, f"{found.group(1)}() has no comment"
            at = min(len(text), at + len(paragraph) + 2)


def rule_every_file_is_in_a_target(tree, build):
    commands = os.path.join(build or "", "compile_commands.json")
    if not build or not os.path.isfile(commands):
        return
    with open(commands, encoding="utf-8") as file:
        compiled = {os.path.realpath(os.path.join(row["directory"], row["file"])) for row in json.load(file)}
    for name in tree.c_files(".c"):
        if os.path.realpath(os.path.join(tree.root, name)) not in compiled:
            yield name, 1, "no target compiles this file"


def rule_nothing_is_left_to_do(tree, _):
    for name in tree.names:
        if not name.endswith((".c", ".h", ".txt", ".cmake", ".py", ".sh", ".proto", ".md", ".yaml", ".json")) and "." in name:
            continue
        if name.startswith(("examples/codes/", "tests/fuzz/corpus/")):
            continue
        text = tree.text(name)
        for match in LEFTOVERS.finditer(text):
            yield name, line_of(text, match.start()), f"{match.group(0)}: finish it, or write it down in docs/ as not done"


def rule_banned_calls_are_not_made(tree, _):
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
    for name in tree.c_files():
        code = without_comments(tree.text(name))
        for match in pattern.finditer(code):
            yield name, line_of(code, match.start()), f"{match.group(1)}() is banned: base/ has a bounded way"


def rule_invariants_stay_in_every_build(tree, _):
    for name in tree.c_files():
        if name.startswith("tests/"):
            continue
        code = without_comments(tree.text(name))
        for match in re.finditer(r"(?<![\w.>])assert\s*\(|#\s*include\s*<assert\.h>", code):
            yield name, line_of(code, match.start()), "NDEBUG takes assert() away: INVARIANT() of base/invariant.h stays"


# Headers of what stands in the store: the API, and the journal's entries, may change without these.
ROW_HEADERS = ("engine/rows.h", "mpi/disk_internal.h", "terminology/codes_rows.h")


def rule_rows_have_types_of_their_own(tree, _):
    for name in set(ROW_HEADERS) & set(tree.names):
        for line, header, quoted in includes(tree, name):
            if quoted and not header.startswith("base/"):
                yield name, line, f"{header} could change what stands on the disk: rows include base/ only"
    for name in ROW_HEADERS:
        if name not in tree.names and f"{os.path.dirname(name)}/CMakeLists.txt" in tree.names:
            yield name, 1, "the rows have moved: name their header in tidy.py"


TAG = re.compile(r"^(?:struct|enum|union) (\w+) \{", flags=re.M)


def rule_names_have_one_meaning(tree, _):
    """What a header calls by a name is called so by nothing else: of a public one anywhere, else in its room."""
    rooms, seen = Rooms(tree), {}
    names = [n for n in tree.c_files() if rooms.of_file(n) and not n.startswith("tests/")]
    for name in sorted(names, key=lambda n: (not n.endswith(".h"), n)):
        code = without_comments(tree.text(name))
        for match in TAG.finditer(code):
            for key in (match.group(1), (match.group(1), rooms.of_file(name)["name"])):
                if key in seen and seen[key] != name:
                    yield name, line_of(code, match.start()), f"{match.group(1)} is already something in {seen[key]}"
                    break
            else:
                if name.endswith(".h"):
                    public = "/include/" in name
                    seen[match.group(1) if public else (match.group(1), rooms.of_file(name)["name"])] = name


def rule_tests_mirror_the_folders(tree, _):
    rooms = Rooms(tree)
    places = {room["folder"] for room in rooms.by_name.values()} | {room["name"] for room in rooms.by_name.values()}
    places |= {"idemd"} | {os.path.dirname(room["folder"]) for room in rooms.by_name.values()} - {""}
    for name in tree.c_files("_test.c"):
        folder = os.path.relpath(os.path.dirname(name), "tests") if name.startswith("tests/") else None
        if folder is None:
            yield name, 1, "tests live below tests/"
        elif folder.split("/")[0] not in OTHER_TESTS and folder not in places and os.path.basename(folder) not in places:
            yield name, 1, f"there is no room {folder} that this could be a test of"


def rule_no_secret_and_no_big_file_is_committed(tree, _):
    for name in tree.names:
        if name.endswith(SECRET_NAMES):
            yield name, 1, "keys and certificates are made where they are used, never committed"
        data = tree.bytes(name)
        if SECRET.search(data):
            yield name, 1, "holds a private key"
        if len(data) > BYTES_MAX:
            yield name, 1, f"{len(data)} bytes: at most {BYTES_MAX} are kept in the repository"


def rule_reason_names_are_unique(tree, _):
    seen = {}
    pattern = re.compile(r'\{\s*(?:\.name\s*=\s*)?"([a-z0-9]+\.[a-z0-9.-]+)"\s*,\s*(?:\.status\s*=\s*)?STATUS_')
    for name in tree.c_files(".c"):
        if name.startswith("tests/"):
            continue
        text = tree.text(name)
        for match in pattern.finditer(text):
            where = (name, line_of(text, match.start()))
            if match.group(1) in seen:
                yield where[0], where[1], f"the reason {match.group(1)} is already in {seen[match.group(1)][0]}"
            seen.setdefault(match.group(1), where)


RULES = {name[len("rule_"):].replace("_", "-"): rule for name, rule in sorted(globals().items()) if name.startswith("rule_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("root", nargs="?", default=".")
    parser.add_argument("--build", help="build folder with compile_commands.json")
    parser.add_argument("--rule", action="append", choices=sorted(RULES))
    asked = parser.parse_args()
    tree = Tree(asked.root)
    findings = [(rule, *finding) for rule in asked.rule or sorted(RULES) for finding in RULES[rule](tree, asked.build)]
    for rule, name, line, what in findings:
        print(f"{name}:{line}: {what} [{rule}]")
    print(f"{len(findings)} findings in {len(tree.names)} files")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
