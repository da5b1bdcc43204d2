"""Every .npy file that NumPy writes, through the tool and back: a filter of a single 1 copies the signal."""

import os
from itertools import product

import numpy as np
import tool
from numpy.lib import format as npy_format
from tool import TYPES


class Files(tool.ToolTest):
    def copy(self, path, dtype):
        """Reads `path` as the signal, and as the filter; wants the same from both."""
        self.save("one.npy", np.ones(1, dtype))
        self.succeed("convolve", path, "one.npy", "-o", "as_signal.npy", "--dtype", dtype, "--method", "direct")
        return np.load(self.path("as_signal.npy"))

    def test_every_type_byte_order_memory_order_and_version(self):
        parts = (np.s_[:], np.s_[0], np.s_[:1], np.s_[:, :1])
        for dtype, part, byte_order, order, version in tool.thinned(product(TYPES, parts, "<>", "CF", ((1, 0), (2, 0), (3, 0)))):
            array = self.values(dtype, 5, 7)[part]
            stored = np.asarray(array, dtype=np.dtype(dtype).newbyteorder(byte_order), order=order)
            with open(self.path("x.npy"), "wb") as file:
                npy_format.write_array(file, stored, version)
            with self.subTest(dtype=dtype, byte_order=byte_order, order=order, version=version):
                np.testing.assert_array_equal(self.copy("x.npy", dtype), array)

    def test_the_filter_is_read_as_the_signal_is(self):
        values = self.values("int32", 5, 7)
        self.save("ones.npy", np.ones((5, 1), "int32"))
        for byte_order in "<>":
            for order in "CF":
                stored = np.asarray(values, dtype=byte_order + "i4", order=order)
                self.save("x.npy", stored)
                self.succeed("convolve", "ones.npy", "x.npy", "-o", "out.npy")
                np.testing.assert_array_equal(np.load(self.path("out.npy")), values)

    def test_the_output_is_the_file_that_numpy_writes(self):
        for dtype in TYPES:
            for shape in ((5,), (5, 7), (1, 7)):
                values = self.values(dtype, *shape)
                path = self.save("x.npy", values)
                self.copy(path, dtype)
                with open(path, "rb") as expected, open(self.path("as_signal.npy"), "rb") as got:
                    self.assertEqual(got.read(), expected.read())

    def test_more_arrays_in_one_file_are_left_alone(self):
        with open(self.path("x.npy"), "wb") as file:
            np.save(file, np.arange(5))
            np.save(file, np.arange(9))
        np.testing.assert_array_equal(self.copy("x.npy", "int64"), np.arange(5))


class Outputs(tool.ToolTest):
    def setUp(self):
        super().setUp()
        self.x, self.h = self.integers("int16", 500), self.integers("int16", 9)
        self.save("x.npy", self.x)
        self.save("h.npy", self.h)
        self.expected = np.convolve(self.x.astype(int), self.h.astype(int))

    def check(self, name):
        np.testing.assert_array_equal(np.load(self.path(name)), self.expected)

    def test_the_output_may_be_the_signal_or_the_filter(self):
        self.succeed("convolve", "x.npy", "h.npy", "-o", "x.npy")
        self.check("x.npy")
        self.save("x.npy", self.x)
        self.succeed("convolve", "x.npy", "h.npy", "-o", "h.npy")
        self.check("h.npy")

    def test_a_batch_longer_than_what_is_read_at_once_may_be_replaced(self):
        batch = self.integers("int16", 30000, 200)
        self.save("x.npy", batch)
        self.succeed("convolve", "x.npy", "h.npy", "-o", "x.npy", "--mode", "valid", "--dtype", "int16")
        got = np.load(self.path("x.npy"))
        np.testing.assert_array_equal(got[-1], np.convolve(batch[-1], self.h, "valid"))

    def test_links_are_followed_and_permissions_kept(self):
        self.save("real.npy", self.x)
        os.chmod(self.path("real.npy"), 0o640)
        os.symlink("real.npy", self.path("link.npy"))
        self.succeed("convolve", "x.npy", "h.npy", "-o", "link.npy")
        self.assertTrue(os.path.islink(self.path("link.npy")))
        self.assertEqual(os.stat(self.path("real.npy")).st_mode & 0o777, 0o640)
        self.check("real.npy")

    def test_a_new_file_has_the_permissions_that_the_umask_leaves(self):
        self.succeed("convolve", "x.npy", "h.npy", "-o", "out.npy", umask=0o027)
        self.assertEqual(os.stat(self.path("out.npy")).st_mode & 0o777, 0o640)

    def test_names_that_need_care(self):
        for name in ("with space.npy", "-dash.npy", "new\nline.npy", "ünï.npy", "info"):
            os.link(self.path("x.npy"), self.path(name))
            self.succeed("convolve", "-o", "out.npy", "--", name, "h.npy")
            self.check("out.npy")


if __name__ == "__main__":
    tool.main()
