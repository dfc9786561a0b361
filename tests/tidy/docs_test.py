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


def rule_every_method_is_described(tree):
    yield from named(tree, ["rpc/methods.c"], r"\{(?:IDENTITY|TERMINOLOGY|ROUTING|ADMIN)\((\"\w+\")", "docs/grpc.md")


RULES = [rule for name, rule in sorted(globals().items()) if name.startswith("rule_")]

CLEAN = {
    "README.md": "# A page\n[b](docs/b.md#two-words) `mpi/a.c` `tests/mpi/` `test_one__is_one` [x](https://x.example)\n",
    "docs/b.md": "# Two `words`\n[up](../README.md)\n```\n[no](link)\n```\n",
    "docs/adr/0001-one.md": "# One\n",
    "docs/routes.md": "`name`", "docs/configuration.md": "`data: DIR`", "docs/grpc.md": "`Find`",
    "mpi/a.c": "/* docs/b.md, docs/adr/0001. */\n",
    "engine/route.c": 'KEYS(...)\n TRY(f(KEYS("name")));', "idemd/config.c": ' KEYS("data"));',
    "rpc/methods.c": '{IDENTITY("Find", a)}', "tests/mpi/a_test.c": "void test_one__is_one(void)\n",
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
