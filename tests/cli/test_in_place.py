"""Outputs whose folder lets no file be replaced: they are written in place, and never where that would lose an input."""

import os
import resource
import shutil
import subprocess

import numpy as np
import tool


class InPlaceTest(tool.ToolTest):
    def setUp(self):
        super().setUp()
        self.x, self.h = self.integers("int16", 200, 900), self.integers("int16", 9)
        self.save("x.npy", self.x)
        self.save("h.npy", self.h)
        self.succeed("convolve", "x.npy", "h.npy", "-o", "expected.npy")
        self.expected = self.contents("expected.npy")
        os.mkdir(self.path("folder"))

    def put(self, name, array=None):
        """A file that everybody may write, longer than the result unless it is given."""
        self.save(name, np.zeros((1000, 1000)) if array is None else array)
        os.chmod(self.path(name), 0o666)
        return name


class InPlace(InPlaceTest):
    def lock(self):
        """From now on nobody but root may create or rename anything in the folder."""
        os.chmod(self.path("folder"), 0o555)
        self.addCleanup(os.chmod, self.path("folder"), 0o755)
        return self.without_privileges()

    def sticky(self):
        """From now on everybody may create files in the folder, and rename his own alone."""
        if os.geteuid() != 0:
            self.skipTest("only root can make files of another user's")
        os.chmod(self.path("folder"), 0o1777)
        return self.without_privileges()

    def written_in_place(self, out, target, **keywords):
        before, names = os.stat(self.path(target)), sorted(os.listdir(self.path("folder")))
        self.succeed("convolve", "x.npy", "h.npy", "-o", out, **keywords)
        after = os.stat(self.path(target))
        self.assertEqual(self.contents(target), self.expected)
        self.assertEqual((after.st_ino, after.st_mode, after.st_uid), (before.st_ino, before.st_mode, before.st_uid))
        self.assertEqual(sorted(os.listdir(self.path("folder"))), names)

    def never_in_place(self, arguments, input_name, **keywords):
        kept = self.contents(input_name)
        self.fails("convolve", *arguments, says="it is an input as well", **keywords)
        self.assertEqual(self.contents(input_name), kept)

    def test_a_folder_that_may_not_be_written(self):
        self.put("folder/old.npy")
        self.written_in_place("folder/old.npy", "folder/old.npy", **self.lock())

    def test_through_a_link_from_a_folder_that_may_be_written(self):
        self.put("folder/old.npy")
        os.symlink("folder/old.npy", self.path("link.npy"))
        self.written_in_place("link.npy", "folder/old.npy", **self.lock())
        self.assertTrue(os.path.islink(self.path("link.npy")))

    def test_an_input_under_any_of_its_names(self):
        self.put("folder/x.npy", self.x)
        self.put("folder/h.npy", self.h)
        os.link(self.path("folder/x.npy"), self.path("folder/hard.npy"))
        os.symlink("folder/x.npy", self.path("link.npy"))
        keywords = self.lock()
        for signal in ("folder/x.npy", "folder/hard.npy", "link.npy"):
            for out in ("folder/x.npy", "folder/hard.npy", "link.npy", self.path("folder/../folder/x.npy")):
                with self.subTest(signal=signal, out=out):
                    self.never_in_place([signal, "h.npy", "-o", out], "folder/x.npy", **keywords)
        self.never_in_place(["x.npy", "folder/h.npy", "-o", "folder/h.npy"], "folder/h.npy", **keywords)
        with open(self.path("folder/x.npy"), "rb") as file:
            self.never_in_place(["-", "h.npy", "-o", "folder/x.npy"], "folder/x.npy", stdin=file, **keywords)

    def test_an_input_that_can_be_replaced_still_is(self):
        os.link(self.path("x.npy"), self.path("hard.npy"))
        self.succeed("convolve", "x.npy", "h.npy", "-o", "hard.npy")
        self.assertEqual(self.contents("hard.npy"), self.expected)
        np.testing.assert_array_equal(np.load(self.path("x.npy")), self.x)

    def test_the_help_says_what_writing_in_place_cannot_promise(self):
        text = b" ".join(self.succeed("convolve", "--help").stdout.split())
        self.assertIn(b"written in place: a run that is interrupted or fails leaves a part of the result", text)

    def test_a_read_only_file_is_not_written(self):
        self.put("folder/old.npy")
        os.chmod(self.path("folder/old.npy"), 0o444)
        kept = self.contents("folder/old.npy")
        self.fails("convolve", "x.npy", "h.npy", "-o", "folder/old.npy", says="Permission denied", **self.lock())
        self.assertEqual(self.contents("folder/old.npy"), kept)

    def test_a_failure_says_that_the_file_is_incomplete(self):
        self.put("folder/old.npy")
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19))
        self.fails("convolve", "x.npy", "h.npy", "-o", "folder/old.npy", says="in place and is incomplete", preexec_fn=limit, **self.lock())
        self.assertLess(os.path.getsize(self.path("folder/old.npy")), len(self.expected))

    def test_somebody_elses_file_in_a_sticky_folder(self):
        self.put("folder/old.npy")
        self.written_in_place("folder/old.npy", "folder/old.npy", **self.sticky())

    def test_an_input_of_somebody_elses_in_a_sticky_folder(self):
        self.put("folder/x.npy", self.x)
        self.never_in_place(["folder/x.npy", "h.npy", "-o", "folder/x.npy"], "folder/x.npy", **self.sticky())

    def test_a_new_file_whose_name_is_the_longest_possible(self):
        """No temporary file beside it can have a name."""
        depth = (4070 - len(self.path(""))) // 201
        folder = self.path("/".join(["d" * 200] * depth))
        os.makedirs(folder)
        self.addCleanup(shutil.rmtree, self.path("d" * 200))
        name = folder + "/" + "n" * min(255, 4094 - len(folder))
        if len(name) < 4080:
            self.skipTest("the test's folder has a name of the wrong length")
        self.succeed("convolve", "x.npy", "h.npy", "-o", name)
        self.assertEqual(self.contents(name), self.expected)
        self.fails("convolve", "x.npy", "h.npy", "-o", name[:-1], says="File too large",
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19)))  # fmt: skip
        self.assertEqual(os.listdir(folder), [os.path.basename(name)])


class InPlaceAsRoot(InPlaceTest):
    """What takes a mount, or root without one of its capabilities: only root can arrange for it."""

    def run_under(self, launcher, *arguments):
        """Runs the tool under another program, which gets its command line."""
        if os.geteuid() != 0:
            self.skipTest("only root can arrange for this")
        if subprocess.run([*launcher, "true"], cwd=self.folder, capture_output=True).returncode != 0:
            self.skipTest(f"{launcher[0]} may not do this here")
        return subprocess.run([*launcher, tool.GPUCONV, "convolve", *arguments], cwd=self.folder, capture_output=True, timeout=tool.TIMEOUT)

    def mounted(self, real, place):
        return ["unshare", "-m", "sh", "-c", f'mount --bind {real} {place} && exec "$@"', "sh"]

    def without_fowner(self):
        return ["setpriv", "--bounding-set=-fowner", "--inh-caps=-fowner"]

    def test_a_mount_point(self):
        self.put("real.npy")
        self.put("folder/place.npy", self.h)
        place = self.contents("folder/place.npy")
        done = self.run_under(self.mounted("real.npy", "folder/place.npy"), "x.npy", "h.npy", "-o", "folder/place.npy")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(self.contents("real.npy"), self.expected)
        self.assertEqual(self.contents("folder/place.npy"), place)
        self.assertEqual(os.listdir(self.path("folder")), ["place.npy"])

    def test_a_mount_point_that_is_an_input(self):
        self.put("folder/place.npy", self.h)
        kept = self.contents("x.npy")
        for signal in ("x.npy", "folder/place.npy"):
            done = self.run_under(self.mounted("x.npy", "folder/place.npy"), signal, "h.npy", "-o", "folder/place.npy")
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"it is an input as well", done.stderr)
            self.assertEqual(self.contents("x.npy"), kept)

    def sticky_for_root(self, array=None):
        self.put("folder/old.npy", array)
        if os.geteuid() == 0:
            os.chown(self.path("folder/old.npy"), tool.NOBODY, tool.NOBODY)
            os.chown(self.path("folder"), 1, 1)
            os.chmod(self.path("folder"), 0o1777)

    def test_a_rename_that_is_refused_when_all_is_done(self):
        self.sticky_for_root()
        before = os.stat(self.path("folder/old.npy"))
        done = self.run_under(self.without_fowner(), "x.npy", "h.npy", "-o", "folder/old.npy")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(self.contents("folder/old.npy"), self.expected)
        self.assertEqual(os.stat(self.path("folder/old.npy")).st_ino, before.st_ino)
        self.assertEqual(os.listdir(self.path("folder")), ["old.npy"])

    def test_a_rename_that_is_refused_when_all_is_done_over_an_input(self):
        self.sticky_for_root(self.x)
        kept = self.contents("folder/old.npy")
        done = self.run_under(self.without_fowner(), "folder/old.npy", "h.npy", "-o", "folder/old.npy")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"it is an input as well", done.stderr)
        self.assertEqual(self.contents("folder/old.npy"), kept)
        self.assertEqual(os.listdir(self.path("folder")), ["old.npy"])


if __name__ == "__main__":
    tool.main()
