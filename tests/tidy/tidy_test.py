#!/usr/bin/env python3
"""Every house rule finds what was planted for it, and nothing in a clean tree."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import tidy  # noqa: E402

CLEAN = {
    "base/CMakeLists.txt": "idem_room(base LEVEL 0)\n",
    "mpi/CMakeLists.txt": "idem_room(mpi LEVEL 3 USES base)\n",
    "terminology/CMakeLists.txt": "idem_room(terminology LEVEL 3 USES base)\n",
    "engine/CMakeLists.txt": "idem_room(engine LEVEL 4 USES mpi)\n",
    "base/include/base/str.h": "/* Bytes. */\n#pragma once\n\n/* Length. */\nint str_len(int a);\n",
    "mpi/include/mpi/mpi.h": '/* People. */\n#pragma once\n#include "base/str.h"\n\nint mpi_a(void);\nint mpi_b(void); /* second */\n',
    "terminology/include/terminology/codes.h": "/* Codes. */\n",
    "mpi/a.c": '#include "mpi/mpi.h"\n/* sprintf( is only a word here */ const char *s = "system(";\n'
               'const struct reason r = {"mpi.one", STATUS_NOT_FOUND, 1, "x"};\n',
    "engine/b.c": '#include "base/str.h"\n#include "mpi/mpi.h"\n',
    "mpi/disk_internal.h": '#include "base/str.h"\nstruct disk_name {\n    int a;\n};\n',
    "engine/rows.h": "struct message_row {\n    int a;\n};\n",
    "terminology/codes_rows.h": "#include <stdint.h>\n",
    "tests/mpi/a_test.c": "#include <cmocka.h>\n",
}
PLANTED = [  # rule, file, text, a word of the finding
    ("includes-stay-in-the-tree", "mpi/x.c", '#include "../base/str.c"\n', "climbs"),
    ("third-party-headers-stay-in-their-room", "mpi/x.c", "#include <db.h>\n", "data"),
    ("third-party-headers-stay-in-their-room", "engine/x.c", "#include <unicode/ustring.h>\n", "base/text"),
    ("public-headers-keep-third-parties-out", "data/include/data/x.h", "/* x */\n#include <db.h>\n", "public"),
    ("use-goes-downward", "mpi/x.c", '#include "terminology/codes.h"\n', "terminology"),
    ("use-goes-downward", "base/x.c", '#include "mpi/mpi.h"\n', "mpi"),
    ("public-prototypes-have-a-comment", "mpi/include/mpi/x.h", "/* x */\n\nint mpi_silent(\n    int a);\n", "mpi_silent"),
    ("public-prototypes-have-a-comment", "mpi/include/mpi/x.h", "#pragma once\n", "begins"),
    ("nothing-is-left-to-do", "mpi/x.c", "/* TO" + "DO later */\n", "finish"),
    ("rows-have-types-of-their-own", "engine/rows.h", '#include "mpi/mpi.h"\n', "base/ only"),
    ("names-have-one-meaning", "engine/x.c", "struct message_row {\n    int b;\n};\n", "engine/rows.h"),
    ("invariants-stay-in-every-build", "mpi/x.c", "void f(int a) { assert(a > 0); }\n", "NDEBUG"),
    ("banned-calls-are-not-made", "mpi/x.c", "void f(char *a) { strcpy (a, a); }\n", "strcpy"),
    ("tests-mirror-the-folders", "tests/nowhere/x_test.c", "\n", "nowhere"),
    ("tests-mirror-the-folders", "mpi/x_test.c", "\n", "below tests"),
    ("no-secret-and-no-big-file-is-committed", "x.txt", "-----BEGIN PRIVATE " + "KEY-----\n", "private key"),
    ("no-secret-and-no-big-file-is-committed", "server.pem", "\n", "never committed"),
    ("no-secret-and-no-big-file-is-committed", "x.bin", "x" * (tidy.BYTES_MAX + 1), "bytes"),
    ("reason-names-are-unique", "rpc/x.c", 'const struct reason r = {"mpi.one", STATUS_OK, 1, "x"};\n', "mpi.one"),
    ("every-file-is-in-a-target", "mpi/x.c", "\n", "no target"),
]


def write(root, files):
    for name, text in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path) or root, exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def find(files, rule):
    with tempfile.TemporaryDirectory() as root:
        write(root, files)
        subprocess.run(["git", "-C", root, "init", "-q"], check=False)
        build = os.path.join(root, ".git", "build")
        os.makedirs(build)
        with open(os.path.join(build, "compile_commands.json"), "w", encoding="utf-8") as file:
            json.dump([{"directory": root, "file": name} for name in CLEAN if name.endswith(".c")], file)
        return list(tidy.RULES[rule](tidy.Tree(root), build))


class Tidy(unittest.TestCase):
    def test_a_clean_tree_has_no_findings(self):
        for rule in tidy.RULES:
            self.assertEqual(find(CLEAN, rule), [], rule)

    def test_every_planted_breach_is_found(self):
        for rule, name, text, word in PLANTED:
            findings = find({**CLEAN, name: text}, rule)
            self.assertEqual([f[0] for f in findings], [name], (rule, name, findings))
            self.assertIn(word, findings[0][2])

    def test_every_rule_has_a_planted_breach(self):
        self.assertEqual(set(tidy.RULES), {rule for rule, *_ in PLANTED})


if __name__ == "__main__":
    unittest.main()
