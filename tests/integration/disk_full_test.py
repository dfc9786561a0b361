#!/usr/bin/python3
"""A disk that runs full under the daemon, three times: senders are refused clearly, no promise is broken, service comes back alone.

The data directory is a small tmpfs of its own; where that cannot be mounted the test is skipped (exit 77). A second one shows that
a folder destination on a full disk only waits, while the other destination goes on.
"""
import os
import signal
import subprocess
import sys
import time

import world as w

ROUTES = """
destinations:
  - name: lab
    mllp: {{ connect: "127.0.0.1:{lab}" }}
    retry: {{ first: 50ms, most: 300ms }}
  - name: archive
    file: {{ folder: {archive} }}
    retry: {{ first: 50ms, most: 300ms, give_up_after: 3 }}
routes:
  - name: everything
    when: {{ source: [north, feed] }}
    to: [lab, archive]
"""
PAST_A_CHECKPOINT = 12 # seconds: the store writes its pages every 10


class SmallDisk:
    """A tmpfs, and a file that takes all of it."""

    def __init__(self, folder, size):
        self.folder = folder
        os.mkdir(folder)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], stderr=subprocess.PIPE, check=False)
        if mounted.returncode != 0:
            os.rmdir(folder)
            w.skip("no small disk can be mounted here: " + mounted.stderr.decode().strip())

    def fill(self, leave=0):
        """Takes everything but `leave` bytes; what others free meanwhile is taken as well."""
        with open(self.folder + "/ballast", "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                try:
                    while self.free() > leave + size or leave == 0:
                        file.write(b"x" * size)
                except OSError:
                    pass

    def free(self):
        at = os.statvfs(self.folder)
        return at.f_bavail * at.f_bsize

    def clear(self):
        os.unlink(self.folder + "/ballast")

    def unmount(self):
        subprocess.run(["umount", "-l", self.folder], check=False)


class Test(w.Checks):
    def __init__(self, world, disk, small):
        super().__init__()
        self.world, self.disk, self.small = world, disk, small
        self.number = 0
        self.promised, self.refused = [], []

    def begin(self):
        self.world.data = self.disk.folder + "/data"
        self.world.configure(["north"])
        self.lab = w.Receiver(self.world, "lab")
        self.world.start()
        self.archive = self.small.folder + "/archive"
        self.world.apply_routes(ROUTES.format(lab=self.lab.port, archive=self.archive))

    def send(self, line, mode="", again=None):
        if again is None:
            self.number += 1
            again = (f"D{self.number:06}", self.number)
        control_id, patient = again
        code, answered, _ack, why = w.ack_of(line.ask(w.admission(control_id, patient % 500, mode=mode)))
        self.equal("the answer is for this message", answered, control_id)
        if code in ("AA", "CA"):
            self.promised.append(control_id)
        else:
            self.refused.append(again)
        return code, why

    def send_over_grpc(self):
        self.number += 1
        path = self.world.path("one.hl7")
        with open(path, "wb") as file:
            file.write(w.admission(f"D{self.number:06}", 7))
        got = self.world.run("send", path, "--source", "feed", "--json")
        return got.returncode, (got.stdout + got.stderr).decode()

    def fill_and_refuse(self, leave):
        self.disk.fill(leave)
        line = w.Line(self.world.ports["north"])
        def is_refused():
            return self.send(line)[0] == "AR" # what was begun before the disk was full may still be taken
        w.wait_for("a refusal", is_refused, 20)
        code, why = self.send(line)
        self.equal("a full disk is answered AR", code, "AR")
        self.check("and the refusal says why", "data.journal-full" in why, why)
        code, why = self.send(line, mode="AL|NE")
        self.equal("in enhanced mode CR", code, "CR")
        exit_code, shown = self.send_over_grpc()
        self.check("over gRPC as well", exit_code != 0 and "data.journal-full" in shown, f"{exit_code} {shown}")
        self.check("the status says so", self.world.status().get("journal_full") is True)
        line.close()

    def resume(self):
        """Space returns; the same process takes messages again, also those it refused."""
        self.disk.clear()
        line = w.Line(self.world.ports["north"])
        began = time.monotonic()
        w.wait_for("service is back", lambda: self.send(line)[0] == "AA", 30, 0.2)
        print(f"service is back {time.monotonic() - began:.2f} s after space returned")
        again, self.refused = self.refused, []
        for one in again:
            self.equal("a refused message is taken now", self.send(line, again=one)[0], "AA")
        line.close()
        now = self.world.settle()
        self.equal("unaccounted", now.get("unaccounted", 0), 0)
        self.check("the status says so", not now.get("journal_full"))

    def judge(self):
        rows = self.lab.rows()
        arrived = [control_id for control_id, new, answer in rows if answer == "AA" and new == "new"]
        self.equal("nothing promised is lost", sorted(set(self.promised) - set(arrived)), [])
        self.equal("nothing is sent twice", sum(new == "repeat" for _c, new, _a in rows), 0)
        in_folder = sorted(name for name in os.listdir(self.archive) if name.endswith(".hl7"))
        self.equal("each is one file", len(in_folder), len(set(self.promised)))
        in_order = []
        for name in in_folder:
            with open(os.path.join(self.archive, name), "rb") as file:
                in_order.append(w.control_id_of(file.read()))
        self.equal("and in order", arrived, in_order)

    def burst(self, count):
        line = w.Line(self.world.ports["north"])
        for _ in range(count):
            self.equal("taken", self.send(line)[0], "AA")
        line.close()

    def test_full_while_messages_come(self):
        for leave, seconds in ((10 << 20, 0), (0, 0), (0, PAST_A_CHECKPOINT)):
            self.burst(60)
            self.fill_and_refuse(leave)
            time.sleep(seconds)
            self.resume()
        self.judge()

    def test_killed_while_full(self):
        """A start on a full disk waits for space, says so, and then serves: what was promised is there."""
        self.burst(30)
        self.disk.fill()
        self.world.end(signal.SIGKILL)
        self.world.spawn()
        w.wait_for("the start says that it waits", lambda: "waits-for-space" in self.world.log_text(), 30)
        time.sleep(PAST_A_CHECKPOINT)
        self.check("it does not give up", self.world.daemon.is_running(), self.world.log_text()[-500:])
        self.disk.clear()
        self.world.wait_ready()
        self.burst(10)
        now = self.world.settle()
        self.equal("unaccounted", now.get("unaccounted", 0), 0)
        arrived = {control_id for control_id, _new, answer in self.lab.rows() if answer == "AA"}
        self.equal("nothing promised is lost", sorted(set(self.promised) - arrived), [])

    def test_full_folder_only_waits(self):
        self.small.fill()
        before = self.world.lane("archive")
        self.burst(20)
        w.wait_for("the other destination goes on", lambda: self.world.lane("lab")["queued"] == 0, 60, 0.2)
        w.wait_for("the full one retries", lambda: self.world.lane("archive")["state"] == "retrying", 20, 0.2)
        time.sleep(1.5) # more than give_up_after tries
        lane = self.world.lane("archive")
        self.equal("nothing becomes a dead letter", lane["dead"], before["dead"])
        self.equal("everything waits", lane["queued"], 20)
        self.check("and says why", "disk full" in lane["last_error"], lane["last_error"])
        self.small.clear()
        now = self.world.settle()
        self.equal("unaccounted", now.get("unaccounted", 0), 0)

    def run(self):
        self.begin()
        pid = self.world.daemon.child.pid
        self.test_full_while_messages_come()
        self.test_full_folder_only_waits()
        self.judge()
        self.equal("it was the same process all the time", (self.world.daemon.child.pid, self.world.starts), (pid, 1))
        self.test_killed_while_full()
        self.equal("journal verify", self.world.run("journal", "verify").returncode, 0)
        self.equal("a clean stop", self.world.end(signal.SIGTERM), 0)
        print(f"{len(set(self.promised))} messages promised and delivered")
        return self.end()


def main():
    asked = w.arguments(__doc__)
    with w.World(asked) as world:
        # Berkeley DB 5.3 forgets a handle of 296 bytes when a checkpoint finds the disk full: not ours to free
        w.ENVIRONMENT["LSAN_OPTIONS"] = "suppressions=" + world.write("lsan.supp", "leak:libdb-5.3.so\n")
        disks = []
        try:
            for name, size in (("disk", "160m"), ("small", "8m")):
                disks.append(SmallDisk(world.path(name), size))
            return Test(world, *disks).run()
        finally:
            for process in reversed(world.processes):
                process.end()
            for disk in disks:
                disk.unmount()


if __name__ == "__main__":
    sys.exit(main())
