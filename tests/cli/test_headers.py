"""Headers of .npy files written by hand: the tool takes what numpy.load takes, and refuses what it refuses."""

import io
import os
import warnings

import numpy as np
import tool
from numpy.lib import format as npy_format

DATA = np.arange(64, dtype="<i8").tobytes()
GOOD = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"

ORDERS = ["", "<", ">", "=", "|"]
CODES = list("bhilqpBHILQPfd") + ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"]
OTHERS = ["?", "b1", "e", "F", "D", "c8", "c16", "f2"]
NOT_CONVOLVED = ["g", "G", "f16", "c32", "S3", "a3", "U3", "O", "M8[s]", "m8[s]", "V4"]
NO_TYPES = ["", " f8", "f8 ", "f8\\n", "i3", "i16", "b8", "l8", "d8", "h2", "u", "T", "!f8", "<<f8", "f-8", "f8[", "i8[s]", "float64[ns]",
            "Float64", "FLOAT64", "numpy.float64", "<float64", "=float64", "<double", "|int"]  # fmt: skip
NOT_SINGLE_TYPES = ["2f8", "f8,f8", "(2,)f8"]

DICTIONARIES = [
    GOOD, GOOD + "\n", " \t" + GOOD, "\n" + GOOD, "\n\n" + GOOD, "\n " + GOOD, "\n\t" + GOOD, "\f" + GOOD, "\v" + GOOD, GOOD + " \t\n  ",
    GOOD + "\n\n \n", GOOD + "\f", GOOD + "\v", GOOD + "\r", GOOD + "\0", GOOD + "\xa0", "\xef\xbb\xbf" + GOOD, GOOD + "x", GOOD + ";", GOOD + ",",
    GOOD + GOOD, "[" + GOOD + "]", "(" + GOOD + ",)", "42", "", "{}", "{,}", "{" + GOOD, GOOD[1:], GOOD[:-1], GOOD[:20],
    GOOD.replace(" ", ""), GOOD.replace(" ", "\t"), GOOD.replace(" ", "\n"), GOOD.replace(" ", "\r"), GOOD.replace(" ", "\f"),
    GOOD.replace(" ", "\v"), GOOD.replace(" ", "\xa0"), GOOD.replace(":", " : "), GOOD.replace("'", '"'), GOOD.replace("'d", '"d', 1),
    GOOD.replace(", }", "}"), GOOD.replace(", }", ",}"), GOOD.replace(", }", ",, }"), "{," + GOOD[1:], GOOD.replace(", 'f", ",, 'f"),
    GOOD.replace(", 'f", " 'f"), GOOD.replace(":", "", 1), GOOD.replace(":", "::", 1), GOOD.replace(":", ",", 1),
    "{'shape': (3,), 'fortran_order': False, 'descr': '<f8'}", "{'fortran_order': False, 'descr': '<f8', 'shape': (3,)}",
    "{u'descr': u'<f8', u'fortran_order': False, u'shape': (3L,), }", "{U'descr': U'<f8', r'fortran_order': False, R\"shape\": (3,)}",
    GOOD.replace("'descr'", "b'descr'"), GOOD.replace("'descr'", "ur'descr'"), GOOD.replace("'descr'", "u 'descr'"), GOOD.replace("'descr'", "f'descr'"),
    GOOD.replace("'descr'", "descr"), GOOD.replace("'descr'", "'Descr'"), GOOD.replace("'descr'", "' descr'"), GOOD.replace("'descr'", "0"),
    GOOD.replace("'descr'", "('descr', 1)"), GOOD.replace("'descr': '<f8', ", ""), GOOD.replace("'fortran_order': False, ", ""),
    GOOD.replace("'shape': (3,), ", ""), GOOD.replace("}", "'comment': 'more'}"), GOOD.replace("}", "'x': [1, {2: None}]}"), GOOD.replace("}", "0: 1}"),
    GOOD.replace("}", "'': ()}"),
]  # fmt: skip
SHAPES = [
    "()", "( )", "(3,)", "( 3 , )", "(3,1)", "(1, 3, )", "(3,\n4)", "(2,3)", "(2, 3, 4)", "(0,)", "(0, 3)", "(3L,)", "(3L, 4L)", "(3 L,)", "(3\nL,)", "(0L,)",
    "(3l,)", "(3LL,)", "(3Lx,)", "(L,)", "(+3,)", "(-0,)", "(-3,)", "(-1,)", "(-1, 2)", "(2, -1)", "(-3L,)", "(03,)", "(00,)", "(003L,)", "(3.0,)", "(3.,)",
    "(3e0,)", "(3j,)", "('3',)", "(None,)", "(True,)", "([3],)", "((3,),)", "(,)", "(3,,)", "(,3)", "(3 4,)", "(3;)", "(3:)", "(3", "3)", "(3}", "(3)", "(3L)",
    "3", "3L", "[3]", "[3,]", "{3}", "'(3,)'", "None", "", "(9223372036854775807,)", "(9223372036854775808,)", "(18446744073709551619,)",
    "(4294967296, 4294967296)", "(0, 4611686018427387904, 4)", "(1000,)", "(" + "9" * 400 + ",)", "(" + "1," * 100 + ")",
]  # fmt: skip
FORTRAN_ORDERS = ["True", "False", "0", "1", "None", "'False'", "true", "TRUE", "TrueL", "Truex", "True L", "[True]", "-1", "False False", ""]
DESCRS = ["8", "None", "True", "b'<f8'", "u'<f8'", "[]", "['<f8']", "[('a', '<f8')]", "('<f8',)", "{'a': 1}", "<f8", "'<f8", "f8'", "'<f8\"", "'<f8\n'", ""]

# What NumPy takes and nobody writes: a file that says two things, and Python's rarer notations.
STRICTER = [
    GOOD.replace("}", "'shape': (4,)}"), GOOD.replace("}", "'shape': (3,)}"), GOOD.replace("'<f8'", "'<' 'f8'"), GOOD.replace("'<f8'", "'''<f8'''"),
    GOOD.replace("'<f8'", r"'\x3cf8'"), GOOD.replace("'<f8'", "('<f8')"), GOOD.replace("'<f8'", "'f08'"), GOOD.replace("False", "(False)"),
    GOOD.replace("(3,)", "((3,))"), GOOD.replace("(3,)", "(0x3,)"), GOOD.replace("(3,)", "(1_0,)"), GOOD.replace("(3,)", "(3,  # three\n)"),
    GOOD.replace("'<f8'", "('<f8', (1,))"),
]  # fmt: skip


def header(descr="'<f8'", order="False", shape="(3,)"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


def npy(dictionary, version=(1, 0)):
    text = dictionary.encode("latin1")
    return b"\x93NUMPY" + bytes(version) + len(text).to_bytes(2 if version[0] == 1 else 4, "little") + text + DATA


def numpy_load(data):
    """The array, or None where NumPy refuses the file, by whatever exception."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.load(io.BytesIO(data))
    except Exception:
        return None


class Headers(tool.ToolTest):
    def setUp(self):
        super().setUp()
        for dtype in tool.ALL_TYPES:
            self.save(f"one_{dtype}.npy", np.ones(1, dtype))

    def write(self, data):
        with open(self.path("x.npy"), "wb") as file:
            file.write(data)

    def read(self, data, dtype):
        """What the tool reads: convolved with a single 1."""
        self.write(data)
        named = [] if dtype == "bool" else ["--dtype", dtype]
        self.succeed("convolve", "x.npy", f"one_{dtype}.npy", "-o", "out.npy", *named)
        read = np.load(self.path("out.npy"))
        os.unlink(self.path("out.npy"))
        return read

    def refuse(self, data):
        self.write(data)
        return self.fails("convolve", "x.npy", "one_float64.npy", "-o", "out.npy", names=["x.npy"]).stderr.decode()

    def check(self, dictionary, version=(1, 0)):
        """The tool does as NumPy does; returns whether they take the file."""
        data = npy(dictionary, version)
        with self.subTest(dictionary=dictionary[:200], version=version):
            array = numpy_load(data)
            if array is None or array.dtype.name not in tool.ALL_TYPES or array.size == 0:
                self.refuse(data)
                return False
            np.testing.assert_array_equal(self.read(data, array.dtype.name), np.atleast_1d(array))
            return True

    def both_ways(self, dictionaries, version=(1, 0)):
        """A table in which everything is taken, or everything refused, tests little."""
        taken = [self.check(dictionary, version) for dictionary in dictionaries]
        self.assertTrue(any(taken))
        self.assertFalse(all(taken))

    def test_type_codes_in_every_byte_order(self):
        codes = CODES + OTHERS + NOT_CONVOLVED + ["", "x", "i3"]
        self.both_ways(tool.thinned(header(descr=repr(order + code)) for order in ORDERS for code in codes))

    def test_type_names(self):
        names = [name for name in getattr(np, "sctypeDict", {}) if isinstance(name, str)]
        self.assertIn("float64", names)
        self.both_ways(tool.thinned(header(descr=repr(name)) for name in names))

    def test_strings_that_are_no_types(self):
        for name in NO_TYPES + NOT_SINGLE_TYPES:
            self.assertFalse(self.check(header(descr=f"'{name}'")), name)

    def test_dictionaries(self):
        self.both_ways(tool.thinned(DICTIONARIES))

    def test_shapes(self):
        self.both_ways(tool.thinned(header(shape=shape) for shape in SHAPES))

    def test_shapes_of_version_3_which_python_2_never_wrote(self):
        self.both_ways(tool.thinned(header(shape=shape) for shape in SHAPES), (3, 0))

    def test_shapes_in_fortran_order(self):
        self.both_ways([header(order="True", shape=shape) for shape in ("()", "(3,)", "(2, 3)", "(3, 1)", "(2L, 3L)", "(-2, 3)")])

    def test_memory_orders(self):
        self.both_ways([header(order=order, shape="(2, 3)") for order in FORTRAN_ORDERS])

    def test_element_types_that_are_no_strings(self):
        self.both_ways([header(descr=descr) for descr in DESCRS])

    def test_versions(self):
        for version in [(major, minor) for major in range(6) for minor in range(3)] + [(255, 255), (1, 255)]:
            self.assertEqual(self.check(GOOD, version), version in ((1, 0), (2, 0), (3, 0)), version)

    def test_the_longest_header(self):
        if not hasattr(npy_format, "_MAX_HEADER_SIZE"):
            self.skipTest("this NumPy knows no longest header")
        for length in (9999, 10000, 10001):
            self.assertEqual(self.check(GOOD.ljust(length)), length <= 10000)

    def test_every_header_cut_short(self):
        for length in tool.thinned(range(len(GOOD))):
            self.assertFalse(self.check(GOOD[:length]))

    def test_what_numpy_takes_and_the_tool_refuses(self):
        for dictionary in STRICTER:
            with self.subTest(dictionary=dictionary):
                self.assertIsNotNone(numpy_load(npy(dictionary)))
                self.refuse(npy(dictionary))

    def test_errors_say_what_was_given_and_what_was_expected(self):
        for dictionary, given, expected in (
            (GOOD.replace("}", "'comment': 1}"), "'comment'", "'descr', 'fortran_order' and 'shape' are expected, and no others"),
            (GOOD.replace("'shape': (3,), ", ""), "'shape'", "'descr', 'fortran_order' and 'shape' are expected, and no others"),
            (GOOD.replace("}", "'shape': (4,)}"), "'shape' twice", ""),
            (header(order="0"), "'0'", "True or False is expected"),
            (header(shape="[3]"), "'[3'", "a tuple such as (), (3,) or (3, 4) is expected"),
            (header(shape="(3)"), "in parentheses", "a tuple such as (), (3,) or (3, 4) is expected"),
            (header(shape="(3.5,)"), "'3.5'", "a decimal number is expected"),
            (header(shape="(-3L,)"), "negative: '-3L'", ""),
            (header(descr="8"), "'8'", "a string is expected"),
            (header(descr="'<c32'"), "'<c32' (complex of this size)", "complex64, complex128, or bool is expected"),
            (header(descr="'<f16'"), "'<f16' (floating point of this size)", "int8, int16, "),
            (GOOD.ljust(10001), "10001 bytes", "at most 10000 are expected"),
        ):  # fmt: skip
            text = self.refuse(npy(dictionary))
            self.assertIn(given, text)
            self.assertIn(expected, text)

    def test_a_filter_without_dimensions(self):
        self.save("signal.npy", np.arange(5.0))
        self.save("filter.npy", np.array(3.0))
        self.succeed("convolve", "signal.npy", "filter.npy", "-o", "out.npy")
        np.testing.assert_array_equal(np.load(self.path("out.npy")), 3 * np.arange(5.0))
        self.succeed("convolve", "filter.npy", "signal.npy", "-o", "out.npy")
        np.testing.assert_array_equal(np.load(self.path("out.npy")), 3 * np.arange(5.0))


if __name__ == "__main__":
    tool.main()
