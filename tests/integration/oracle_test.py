#!/usr/bin/env python3
"""The oracle must be able to say no: every kind of damage, planted by hand."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

ORACLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "oracle.py")
SENT = [("north.hl7", 1, "N1", "AA"), ("north.hl7", 2, "N2", "AA"), ("north.hl7", 3, "N3", "no answer"), ("lake.hl7", 1, "L1", "AA")]


def judge(received, sent=SENT, in_doubt=None):
    with tempfile.TemporaryDirectory() as folder:
        def put(name, text):
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return path
        rows = [{"file": "/x/" + name, "number": number, "control_id": cid, "answer": answer} for name, number, cid, answer in sent]
        command = [sys.executable, ORACLE, "--json", "--sent", put("sent", json.dumps({"messages": rows})),
                   "--received", put("received", "".join(f"2026-11-21T13:00:00Z {c} new AA\n" for c in received))]
        if in_doubt is not None:
            trace = put("trace", json.dumps({"deliveries": [{"destination": "lab", "in_doubt": in_doubt}]}))
            command += ["--trace", f"cat {trace}"]
        run = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        return run.returncode, json.loads(run.stdout)


class Oracle(unittest.TestCase):
    def test_all_there_once_and_in_order_is_good(self):
        self.assertEqual(judge(["N1", "L1", "N2"])[0], 0)

    def test_what_got_no_answer_may_have_arrived(self):
        self.assertEqual(judge(["N1", "N2", "N3", "L1"])[0], 0)

    def test_a_lost_promise_is_found(self):
        code, result = judge(["N1", "L1"])
        self.assertEqual((code, result["lost"]), (1, ["N2"]))

    def test_two_in_the_wrong_order_are_found(self):
        code, result = judge(["N2", "N1", "L1"])
        self.assertEqual((code, result["out_of_order"]), (1, ["N2"]))

    def test_a_silent_duplicate_is_found(self):
        code, result = judge(["N1", "N2", "N2", "L1"])
        self.assertEqual((code, result["repeated_silently"]), (1, ["N2"]))

    def test_a_repeat_that_the_trace_admits_is_good(self):
        self.assertEqual(judge(["N1", "N2", "N2", "L1"], in_doubt=1)[0], 0)
        self.assertEqual(judge(["N1", "N2", "N2", "N2", "L1"], in_doubt=1)[0], 1)

    def test_a_message_nobody_sent_is_found(self):
        code, result = judge(["N1", "N2", "L1", "X9"])
        self.assertEqual((code, result["never_sent"]), (1, ["X9"]))

    def test_no_promise_at_all_proves_nothing(self):
        self.assertEqual(judge([], sent=[("north.hl7", 1, "N1", "AE")])[0], 1)


if __name__ == "__main__":
    unittest.main()
