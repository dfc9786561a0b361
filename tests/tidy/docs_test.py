#!/usr/bin/env python3
"""The documents say what is there: links, cited files and tests exist; tables of keys, methods and reasons are whole.

    tests/tidy/docs_test.py [ROOT]

Only the standard library is used. Every rule is a function that yields (file, what is wrong) for a tree of texts.
"""
import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CODE = (".c", ".h", ".py", ".cmake", ".txt", ".proto", ".yaml")
FOLDERS = "base|formats|data|terminology|mpi|loaders|engine|rpc|examples|idemd|cli|tests|tools|cmake|docs"
NO_CODE = ("tests/golden/", "tests/fuzz/corpus/", "examples/codes/", "tests/tidy/docs_test.py")


class Tree(dict):
    """Name to text, of tracked and new files; `paths` also holds what is not text, and folders."""

    def __init__(self, texts, paths=()):
        super().__init__(texts)
        self.paths = set(texts) | set(paths)
        for name in list(self.paths):
            while os.path.dirname(name):
                name = os.path.dirname(name)
                self.paths.add(name)

    def pages(self):
        return [(n, t) for n, t in sorted(self.items()) if n.endswith(".md")]

    def code(self):
        return [(n, t) for n, t in sorted(self.items())
                if (n.endswith(CODE) or "." not in os.path.basename(n)) and not n.startswith(NO_CODE)]


def read_tree(root):
    out = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         check=True, stdout=subprocess.PIPE).stdout.decode()
    names = [n for n in out.split("\0") if n and os.path.isfile(os.path.join(root, n))]
    texts = {}
    for name in names:
        if name.endswith(CODE + (".md",)) or "." not in os.path.basename(name):
            with open(os.path.join(root, name), encoding="utf-8", errors="replace") as file:
                texts[name] = file.read()
    return Tree(texts, names)


def without_fences(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)


def anchors(text):
    """The anchors of a page's headings, as the usual renderers make them."""
    for heading in re.findall(r"^#+ +(.+?) *$", without_fences(text), flags=re.M):
        plain = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading.lower()))
        yield plain.replace(" ", "-")


def rule_links_resolve(tree):
    for name, text in tree.pages():
        for link in re.findall(r"\]\(([^)\s]+)\)", without_fences(text)):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
            if target not in tree.paths:
                yield name, f"{link} leads nowhere"
            elif anchor and anchor not in anchors(tree.get(target, "")):
                yield name, f"{link}: {target} has no such heading"


def rule_cited_documents_exist(tree):
    for name, text in tree.code() + tree.pages():
        if "docs/" not in text:
            continue
        for cited in re.findall(r"(?<![\w./-])docs/[\w./-]*\w", text):
            whole = cited in tree.paths
            number = re.fullmatch(r"docs/adr/\d{4}", cited)
            short = number and sum(p.startswith(cited + "-") and p.endswith(".md") for p in tree.paths) == 1
            if not whole and not short:
                yield name, f"{cited} does not exist"


def rule_named_files_and_tests_exist(tree):
    tests = {word for n, t in tree.items() if n.startswith("tests/") and not n.endswith(".md")
             for word in re.findall(r"\btest_\w+", t)}
    for name, text in tree.pages():
        for span in re.findall(r"`([^`\n]+)`", without_fences(text)):
            if re.fullmatch(rf"(?:{FOLDERS})/[\w./-]+", span) and span.rstrip("/") not in tree.paths:
                yield name, f"there is no {span}"
            if re.fullmatch(r"test_\w+", span) and span not in tests:
                yield name, f"there is no test {span}"


def rule_lines_are_short(tree):
    for name, text in tree.pages():
        if name.startswith(("docs/loaders/", "docs/conformance/")) or name in ("docs/cli.md", "docs/reasons.md"):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > 140 and not line.startswith("|"):
                yield name, f"line {number} has {len(line)} characters, at most 140"


def named(tree, sources, pattern, page):
    for source in sources:
        for names in re.findall(pattern, tree.get(source, ""), flags=re.S):
            for word in re.findall(r'"([^"]+)"', names):
                if not re.search(rf"`[^`\n]*\b{re.escape(word)}\b[^`\n]*`", tree.get(page, "")):
                    yield page, f"{source} has {word}, the page has not"


def rule_every_key_is_described(tree):
    yield from named(tree, ["engine/route.c"], r"[^_]KEYS\(((?:\"\w+\"(?:, )?)+)\)", "docs/routes.md")
    yield from named(tree, ["idemd/config.c"], r"[^_]KEYS\(((?:\"\w+\"(?:, )?)+)\)", "docs/configuration.md")


# ---- bounds ----

LIMITS_PAGE = "docs/limits.md"
ROOMS = ("base/", "data/", "mpi/", "terminology/", "formats/", "engine/", "rpc/", "loaders/", "cli/", "idemd/")
ASSIGNED = re.compile(r"\b([A-Z][A-Z0-9_]+)\s*=\s*([^,;}]+)")
BOUND = re.compile(r"LIMIT_[A-Z_]+|[A-Z][A-Z0-9_]*(?:_MAX(?:_[A-Z]+)?|_CAP(?:_[A-Z]+)?|PER_ENTRY)")
UNITS = {"KiB": 1024, "MiB": 1024 ** 2, "GiB": 1024 ** 3}
# Bounds that nothing from outside reaches by itself: room for our own tables, buffers that are reused, derived sizes,
# scratch of one function, options of the command line's own parser.
NO_OUTSIDE_BOUND = {(file, name) for row in """
base/arena.c:BLOCK_BYTES_MAX base/text/fold.c:UNITS_MAX base/text/include/base/text/distance.h:TEXT_DISTANCE_MAX
base/text/include/base/text/nickname.h:TEXT_NICKNAME_GROUPS_MAX base/text/nickname.c:ENTRIES_MAX
base/text/phonetic.c:LETTERS_MAX base/yaml/yaml_get.c:SHOWN_MAX cli/cmd_messages.c:PAGE_MAX cli/cmd_send.c:ROWS_MAX
cli/include/cli/command.h:CLI_ARGUMENTS_MAX,CLI_NAME_MAX,CLI_OPTIONS_MAX cli/include/cli/show.h:CLI_COLUMNS_MAX
cli/json_reply.c:DEPTH_MAX cli/parse.c:CHOICE_WORDS_MAX,WORDS_MAX cli/people_lanes.c:QUEUE_MAX
cli/people_lanes.h:PEOPLE_CHUNK_MAX,PEOPLE_LANES_MAX,PEOPLE_SOURCES_MAX cli/run.c:WIDTH_MAX cli/safe.c:MARKS_MAX
data/journal_internal.h:ENTRY_BYTES_MAX data/journal_write.c:PREPARE_BYTES_MAX
data/store_internal.h:STORE_TABLES_MAX engine/connector_file.c:NAME_BYTES_MAX
engine/include/engine/send.h:SEND_ANSWERS_MAX engine/lane.c:LOAD_MAX engine/mllp_connection.c:FREE_CHUNKS_MAX
engine/mllp_source.c:SWEEP_MAX_US engine/outbox.c:FEED_BYTES_MAX engine/rows.h:ROW_EVIDENCE_MAX engine/send.c:ENDPOINTS_MAX
engine/send_flood.c:CONNECTIONS_MAX,WINDOW_MAX formats/hl7v2/include/hl7v2/path.h:HL7_PATH_TEXT_MAX
formats/hl7v2/text.c:SPACES_MAX loaders/load.h:TABLE_COLUMNS_MAX mpi/include/mpi/mpi.h:MPI_EVIDENCE_MAX
mpi/disk_internal.h:DISK_LINES_MAX mpi/model_internal.h:LEVELS_MAX mpi/normalise.c:SAID_MAX mpi/open.c:ROOM_MAX
mpi/row_internal.h:ROW_KEYS_MAX,ROW_TEXT_MAX,ROW_TRAITS_MAX rpc/health.c:SERVICES_MAX rpc/include/rpc/client.h:RPC_STREAM_AHEAD_MAX
rpc/reflection.c:FILES_MAX rpc/wire_call.c:SPARE_CALLS_MAX terminology/pack_builder.c:POOLED_MAX
""".split() for file, _, names in [row.partition(":")] for name in names.split(",")}


def number_of(text, known):
    """The value of a constant expression of the code, None where it is none."""
    text = re.sub(r"\b(\d\w*?)[uUlL]+\b", r"\1", re.sub(r"\((?:size_t|u?int\d+_t)\)", "", text)).strip()
    words = set(re.findall(r"[A-Za-z_]\w*", re.sub(r"\b0x[0-9a-fA-F]+", "", text)))
    if not text or not re.fullmatch(r"[\w\s+*()<-]+", text) or not words <= set(known):
        return None
    for word in sorted(words, key=len, reverse=True):
        text = re.sub(rf"\b{word}\b", str(known[word]), text)
    try:
        return eval(text, {"__builtins__": {}})  # numbers and operators only: checked above
    except (SyntaxError, TypeError, ArithmeticError):
        return None


def constants(tree):
    """(file, name, value) of what the rooms give a number to; benches aside."""
    known, found = {}, []
    for name, text in sorted(tree.items(), key=lambda item: ("/base/limits.h" not in item[0], item[0])):
        if not name.startswith(ROOMS) or not name.endswith((".c", ".h")) or "bench" in os.path.basename(name):
            continue
        for word, expression in ASSIGNED.findall(re.sub(r"/\*.*?\*/", "", text, flags=re.S)):
            value = number_of(expression, known)
            known[word] = value if value is not None else known.get(word, 0)
            found.append((name, word, value))
    return found


def page_rows(tree):
    """(name, value, whole row) of the page's bounds; value None where it cannot be read."""
    for line in tree.get(LIMITS_PAGE, "").split("\n"):
        cells = [cell.strip() for cell in line.split("|")]
        name = re.match(r"`([A-Z][A-Z0-9_]+)`", cells[1]) if len(cells) > 3 else None
        if name:
            value = re.match(r"([\d,]+)(?: (KiB|MiB|GiB))?\b", cells[2])
            number = int(value.group(1).replace(",", "")) * UNITS.get(value.group(2), 1) if value else None
            yield name.group(1), number, cells


def rule_every_bound_is_listed(tree):
    found, rows = constants(tree), list(page_rows(tree))
    listed = {(name, value) for name, value, _ in rows}
    for file, name, value in found:
        aside = (file, name) in NO_OUTSIDE_BOUND
        if BOUND.fullmatch(name) and not aside and (name, value) not in listed:
            yield file, f"{name} = {value} is not in {LIMITS_PAGE}"
    there = {(name, value) for _, name, value in found}
    for name, value, cells in rows:
        if (name, value) not in there:
            yield LIMITS_PAGE, f"no {name} is {cells[2]}"
        if len(cells) != 8 or not all(cells[1:7]):
            yield LIMITS_PAGE, f"{name} wants six cells: name, value, why, what happens, how it is seen, test"
        elif not re.search(r"`\w*test_\w+`|^none: ", cells[6]):
            yield LIMITS_PAGE, f"{name} names no test, nor why there is none"


def rule_bounds_are_tested_where_they_are(tree):
    """A test of a bound names it, or has its value; a room's own header may have it for the test."""
    values = {}
    for _, name, value in constants(tree):
        values.setdefault(name, set()).add(value)
    known = {name: next(iter(of)) for name, of in values.items() if len(of) == 1 and None not in of}
    files = [(name, text) for name, text in tree.items() if name.startswith("tests/")]
    for name, value, cells in page_rows(tree):
        cited = set(re.findall(r"`(test_\w+)`", cells[6])) if len(cells) == 8 else ()
        if not cited or cells[6].startswith("none: ") or cells[6].endswith("with a smaller one"):
            continue
        texts = [text for _, text in files if any(f"{test}(void" in text for test in cited)]
        if not any(re.search(rf"\b{name}\b", text) or value in numbers_in(text, known) for text in texts):
            yield LIMITS_PAGE, f"no test of {name} goes to {cells[2]}"


def numbers_in(text, known):
    """What a test file gives a name to, and every number it has."""
    found, known = {int(number) for number in re.findall(r"\b\d+\b", text)}, dict(known)
    found |= {int(number) << int(by) for number, by in re.findall(r"\b(\d+)[uUlL]* << (\d+)\b", text)}
    for word, expression in ASSIGNED.findall(re.sub(r"/\*.*?\*/", "", text, flags=re.S)):
        value = number_of(expression, known)
        if value is not None:
            known[word] = value
            found.add(value)
    return found


COUNTED = "base/include/base/bounds.h"
# The process ends, the client's own, or one of the configuration: the refusal names the line.
NOT_COUNTED = {"LIMIT_REQUEST_ARENA_BYTES", "LIMIT_BATCH_MESSAGES", "LIMIT_ROUTES", "LIMIT_DESTINATIONS", "LIMIT_NAME_BYTES"}


def rule_bounds_are_counted(tree):
    counted = set(re.findall(r"ROW\(([A-Z]\w+)\)", tree.get(COUNTED, "")))
    code = "\n".join(text for name, text in tree.items() if name.startswith(ROOMS) and name.endswith(".c"))
    met = set(re.findall(r"\b(?:BEYOND\(|BOUND_)([A-Z]\w+)", code))
    limits = set(re.findall(r"\b(LIMIT_[A-Z_]+) *=", tree.get("base/include/base/limits.h", "")))
    for name in sorted(counted - {name for name, *_ in page_rows(tree)}):
        yield COUNTED, f"{name} is not in {LIMITS_PAGE}"
    for name in sorted(counted - met):
        yield COUNTED, f"{name} is counted nowhere"
    for name in sorted(limits - counted - NOT_COUNTED):
        yield COUNTED, f"{name} has no counter"


def rule_every_method_is_described(tree):
    yield from named(tree, ["rpc/methods.c"], r"\{(?:IDENTITY|TERMINOLOGY|ROUTING|ADMIN)\((\"\w+\")", "docs/grpc.md")


RULES = [rule for name, rule in sorted(globals().items()) if name.startswith("rule_")]

BOUNDS = "| `LIMIT_A` | 2 KiB | a | b | c | `test_one__is_one` |\n| `LIMIT_B` | 2,050 | a | b | c | none: d |\n"
CLEAN = {
    "README.md": "# A page\n[b](docs/b.md#two-words) `mpi/a.c` `tests/base/` `test_one__is_one` [x](https://x.example)\n",
    "docs/b.md": "# Two `words`\n[up](../README.md)\n```\n[no](link)\n```\n",
    "docs/adr/0001-one.md": "# One\n",
    "docs/routes.md": "`name`", "docs/configuration.md": "`data: DIR`", "docs/grpc.md": "`Find`",
    "mpi/a.c": "/* docs/b.md, docs/adr/0001. */\n",
    "engine/route.c": 'KEYS(...)\n TRY(f(KEYS("name")));', "idemd/config.c": ' KEYS("data"));',
    "rpc/methods.c": '{IDENTITY("Find", a)}',     "base/include/base/limits.h": "enum { LIMIT_A = 2 * 1024, /* a, b */ LIMIT_B = LIMIT_A + 2 };",
    "docs/limits.md": BOUNDS, "tests/base/a_test.c": "void test_one__is_one(void) { LIMIT_A; }\n",
    COUNTED: "ROW(LIMIT_A) ROW(LIMIT_B)", "base/a.c": "BEYOND(LIMIT_A, n) bound_met(BOUND_LIMIT_B)",
}
PLANTED = [
    (rule_links_resolve, "README.md", "[a](docs/nothing.md)"),
    (rule_links_resolve, "README.md", "[a](docs/b.md#three-words)"),
    (rule_cited_documents_exist, "mpi/a.c", "/* docs/adr/0002 */"),
    (rule_cited_documents_exist, "mpi/a.c", "/* see docs/c.md. */"),
    (rule_named_files_and_tests_exist, "README.md", "`mpi/b.c`"),
    (rule_named_files_and_tests_exist, "README.md", "`test_two__is_two`"),
    (rule_lines_are_short, "README.md", "x" * 141),
    (rule_every_key_is_described, "docs/routes.md", "named"),
    (rule_every_key_is_described, "docs/configuration.md", "`database`"),
    (rule_every_method_is_described, "docs/grpc.md", "`Finder`"),
    (rule_every_bound_is_listed, "mpi/b.c", "enum { NAMES_MAX = 3 };"),
    (rule_every_bound_is_listed, "mpi/b.c", "static const size_t BYTES_MAX = (size_t)1 << 20;"),
    (rule_every_bound_is_listed, "mpi/b.c", "enum { LIMIT_A = 7 };"),
    (rule_every_bound_is_listed, "docs/limits.md", BOUNDS + "| `LIMIT_B` | 2,051 | a | b | c | none: d |\n"),
    (rule_every_bound_is_listed, "docs/limits.md", BOUNDS + "| `GONE_MAX` | 3 | a | b | c | none: d |\n"),
    (rule_every_bound_is_listed, "docs/limits.md", BOUNDS.replace("none: d", "some day")),
    (rule_every_bound_is_listed, "docs/limits.md", BOUNDS.replace("| a | b", "|  | b", 1)),
    (rule_every_bound_is_listed, "docs/limits.md", BOUNDS.split("\n")[0]),
    (rule_bounds_are_tested_where_they_are, "tests/base/a_test.c", "void test_one__is_one(void) { 7; }\n"),
    (rule_bounds_are_tested_where_they_are, "tests/base/a_test.c", "void test_one__is_one(void) { enum { MOST = 2 * 512 }; }\n"),
    (rule_bounds_are_counted, COUNTED, "ROW(LIMIT_A)"),
    (rule_bounds_are_counted, "base/a.c", "BEYOND(LIMIT_A, n)"),
    (rule_bounds_are_counted, "docs/limits.md", BOUNDS.split("\n")[0]),
]


class Docs(unittest.TestCase):
    def test_the_documents_say_what_is_there(self):
        tree = read_tree(ROOT)
        findings = [f"{name}: {what}" for rule in RULES for name, what in rule(tree)]
        self.assertEqual(findings, [], "\n" + "\n".join(findings))

    def test_the_reasons_are_those_of_the_code(self):
        self.assertEqual(subprocess.run([os.path.join(ROOT, "tools/reasons"), "--check"], check=False).returncode, 0)

    def test_a_clean_tree_has_no_findings(self):
        for rule in RULES:
            self.assertEqual(list(rule(Tree(CLEAN))), [], rule.__name__)

    def test_every_planted_breach_is_found(self):
        for rule, name, text in PLANTED:
            self.assertEqual(len(list(rule(Tree({**CLEAN, name: text})))), 1, (rule.__name__, text))
        self.assertEqual({rule for rule, *_ in PLANTED}, set(RULES))


if __name__ == "__main__":
    if len(sys.argv) > 1 and os.path.isdir(sys.argv[1]):
        ROOT = os.path.abspath(sys.argv.pop(1))
    unittest.main()
