"""Processes of both programs that commit to one table: in turn, at the same time, and killed at random moments.

Would fail if a commit of either were overwritten, hidden or doubled, or if a killed writer stopped the others for ever.
Each hour of the tables below is appended by exactly one writer as one row of one commit, so that what is in the
table, and how often, can be counted.
"""

import os
import random
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import pyarrow as pa

from peers import Ours, Theirs, V1, commit, commit_path, current, log_versions, lost_race, marigram, set_current
from rows import HOUR, YEAR_2024, simple
from shared_table import BOTH, SharedTable

COMMITTER = Path(__file__).resolve().parent / "committer.py"


def hours_table(wanted):
    return simple([YEAR_2024 + hour * HOUR for hour in wanted], 0).set_column(1, "v", pa.array(wanted, pa.int64()))


class Committers(SharedTable):
    def start(self, who, root, first, count, writers=1, *tag):
        """A writer that waits to be let go."""
        arguments = [who, root, first, count, writers, *tag]
        process = subprocess.Popen([sys.executable, str(COMMITTER), *map(str, arguments)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.addCleanup(self.kill, process)
        return process

    @staticmethod
    def let_go(*processes):
        """The first begins when all are ready."""
        for process in processes:
            process.stdout.readline()
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()

    @staticmethod
    def kill(process):
        """The writer and what it started."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.communicate()

    def finish(self, process, count):
        said, complaint = process.communicate(timeout=200)  # without "ready", which is read already
        self.assertEqual(0, process.returncode, complaint)
        self.assertEqual(count, len(said.split()))

    def assert_each_hour_once(self, root, count):
        self.assert_sound(root)
        self.assert_rows(root, hours_table(list(range(count))))
        self.assertEqual(count, len(Ours.segments(root)))
        self.assertEqual(count + 1, current(root), "one commit for each hour, after that which made the table")
        added = [action["AddSegment"]["path"] for version in log_versions(root)
                 for action in commit(root, version)["actions"] if "AddSegment" in action]
        self.assertEqual(count, len(set(added)))
        self.assert_covered(root, hours_table(list(range(count))))

    def assert_taken_turns(self, root):
        """The commits of ours and theirs are mixed: the two did write at the same time."""
        whose = ["marigram" in commit_path(root, version).read_text(encoding="utf-8").lower()
                 for version in log_versions(root)[1:]]
        self.assertGreater(sum(left != right for left, right in zip(whose, whose[1:])), 3)

    def test_in_turn(self):
        for maker in BOTH:
            with self.subTest(made_by=maker.name):
                root = self.root()
                maker.create(root)
                for hour in range(40):
                    BOTH[hour % 2].append(root, hours_table([hour]))
                self.assert_each_hour_once(root, 40)

    def test_at_the_same_time(self):
        each = 40
        root = self.root()
        Theirs.create(root)
        whom = ("ours", "theirs", "ours", "theirs")
        writers = [self.start(who, root, i * each, each, len(whom)) for i, who in enumerate(whom)]
        self.let_go(*writers)
        for writer in writers:
            self.finish(writer, each)
        self.assert_taken_turns(root)
        self.assert_each_hour_once(root, 4 * each)
        for hour in range(0, 4 * each, 7):
            self.assert_refuses_overlap(root, hours_table([hour]))

    def test_first_appends_at_the_same_time(self):
        """Which of them gives the table its columns is chance; the other's rows must fit."""
        for i in range(10):
            with self.subTest(i=i):
                root = self.root()
                BOTH[i % 2].create(root)
                writers = [self.start(who, root, 2 * j, 2) for j, who in enumerate(("ours", "theirs"))]
                self.let_go(*writers)
                for writer in writers:
                    self.finish(writer, 2)
                self.assert_each_hour_once(root, 4)

    @unittest.skipIf(V1, "v1 holds one entity")
    def test_entities_at_the_same_time(self):
        """The same hours of other entities: what each covers must not be lost in what another adds."""
        each = 25
        root = self.root()
        Ours.create(root, tags=["host"])
        writers = {f"{who}-{i}": self.start(who, root, 0, each, 4, f"{who}-{i}")
                   for i in range(2) for who in ("ours", "theirs")}
        self.let_go(*writers.values())
        for writer in writers.values():
            self.finish(writer, each)
        self.assert_taken_turns(root)
        self.assert_sound(root)
        hosts = pa.array([host for host in writers for _ in range(each)])
        self.assert_rows(root, hours_table(list(range(each)) * len(writers)).add_column(0, "host", hosts))
        for series in Ours.coverage(root, "--by", "series")["series"]:
            self.assertEqual((each, 1.0), (series["covered_buckets"], series["ratio"]), series)
        for host in writers:
            self.assert_refuses_overlap(root, hours_table([each - 1]).add_column(0, "host", pa.array([host])))

    def test_at_the_same_time_with_checkpoints(self):
        each = 25
        root = self.root()
        Ours.create(root)
        writers = [self.start(who, root, i * each, each, 2) for i, who in enumerate(("theirs", "ours"))]
        self.let_go(*writers)
        while any(writer.poll() is None for writer in writers):
            marigram("checkpoint", root)
        for writer in writers:
            self.finish(writer, each)
        self.assert_each_hour_once(root, 2 * each)

    def test_killed_at_random_moments(self):
        """Each writer is killed again and again and replaced by one that goes on; a killed one of theirs may leave a
        table in which theirs cannot commit any more: the next commit of ours mends that."""
        seed = int(os.environ.get("INTEROP_SEED", random.randrange(10**9)))
        rng = random.Random(seed)
        each, kills = 40, 24
        root = self.root()
        Theirs.create(root)
        whom = ["ours", "theirs", "ours", "theirs"]
        writers, spares = ([self.start(who, root, i * each, each) for i, who in enumerate(whom)] for _ in range(2))
        self.let_go(*writers)
        deadline = time.monotonic() + 120
        killed, due = 0, 1
        while any(writer.poll() is None for writer in writers):
            self.assertLess(time.monotonic(), deadline, f"seed {seed}: stuck at version {current(root)}")
            running = [i for i, writer in enumerate(writers) if writer.poll() is None]
            if running and killed < kills and current(root) >= due:
                i = rng.choice(running)
                time.sleep(rng.uniform(0, 0.02))  # anywhere in a commit
                self.kill(writers[i])
                killed += 1
                due = current(root) + rng.randrange(1, 6)
                writers[i] = spares[i]
                self.let_go(writers[i])
                spares[i] = self.start(whom[i], root, i * each, each)
            elif not any(whom[i] == "ours" for i in running):
                marigram("verify", root, "--repair")  # no writer of ours is left to mend the log for theirs
            time.sleep(0.002)
        for i, writer in enumerate(writers):
            with self.subTest(seed=seed, writer=whom[i]):
                self.finish(writer, each)
        marigram("verify", root, "--repair")
        with self.subTest(seed=seed, killed=killed):
            self.assertGreater(killed, 10, "too few were killed to say anything")
            self.assert_each_hour_once(root, 4 * each)

    def leave_unpublished(self, root, damage):
        """As a writer of theirs killed between its two steps leaves the table."""
        version = Theirs.append(root, hours_table([0]))
        set_current(root, version - 1)
        path = commit_path(root, version)
        damage(path, path.read_bytes())
        return version

    def test_a_commit_that_was_never_published_is_finished_by_ours(self):
        root = self.root()
        Theirs.create(root)
        version = self.leave_unpublished(root, lambda path, content: None)
        with self.assertRaises(Exception) as caught:
            Theirs.append(root, hours_table([1]))
        self.assertTrue(lost_race(caught.exception), caught.exception)
        self.assertEqual(version + 1, Ours.append(root, hours_table([2])))
        Theirs.append(root, hours_table([1]))
        self.assert_each_hour_once(root, 3)

    def test_a_torn_commit_is_replaced_by_ours(self):
        for name, left in (("empty", 0), ("half", 0.5), ("all but a byte", -1)):
            with self.subTest(left=name):
                root = self.root()
                Theirs.create(root)

                def tear(path, content):
                    path.write_bytes(content[:left if isinstance(left, int) else int(len(content) * left)])

                version = self.leave_unpublished(root, tear)
                self.assertEqual(version, Ours.append(root, hours_table([1])))
                Theirs.append(root, hours_table([0]))
                self.assert_rows(root, hours_table([0, 1]))
                self.assert_sound(root)

    def test_a_pointer_set_back_by_a_stalled_writer_hides_nothing_of_ours(self):
        """Theirs stalled between its steps; ours finished its commit and added two; then theirs goes on."""
        root = self.root()
        Theirs.create(root)
        theirs = Theirs.append(root, hours_table([0]))
        for hour in (1, 2):
            Ours.append(root, hours_table([hour]))
        set_current(root, theirs)
        self.assertEqual(3, Ours.rows(root).num_rows)
        Ours.append(root, hours_table([3]))
        Theirs.append(root, hours_table([4]))
        self.assert_each_hour_once(root, 5)

    def test_a_pointer_behind_is_mended_by_repair(self):
        root = self.root()
        Ours.create(root)
        Ours.append(root, hours_table([0]))
        Theirs.append(root, hours_table([1]))
        Ours.append(root, hours_table([2]))
        set_current(root, current(root) - 1)
        marigram("verify", root, "--repair")
        Theirs.append(root, hours_table([3]))
        self.assert_each_hour_once(root, 4)
