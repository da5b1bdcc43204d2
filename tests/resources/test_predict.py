"""The scripts of kernels/prediction on a kernel of a few instructions."""

from collections import Counter
import contextlib
import io
import json
from pathlib import Path
import struct
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "kernels" / "prediction"))
import predict
from executed import Mismatch, executed
from loops import Code
from sass import Instruction, decoded, kernels
from workloads import Loop


def assemble(text: str) -> list[Instruction]:
    """Lines such as "loop:", "LDS.128", "BRA loop" and, of an instruction that may not be executed, "BRA? loop"."""
    lines = [line.strip() for line in text.strip().splitlines()]
    labels, count = {}, 0
    for line in lines:
        if line.endswith(":"):
            labels[line[:-1]] = count
        else:
            count += 1
    found = []
    for line in lines:
        if not line.endswith(":"):
            name, _, target = line.partition(" ")
            name, _, bits = name.replace("?", "").partition(".")
            found.append(Instruction(name, int(bits or 0) // 8, "?" in line, labels.get(target)))
    return found


# Tiles of 4 outputs a thread. What is stored goes one of two ways, the long one for integers; a loop that converts and one
# for taps that are not finite are never run by these workloads.
KERNEL = """
    S2R
  tile:
    IMAD
    BRA? convert
  load:
    LDG.32
    STS.32
    BRA? load
    BRA multiply
  convert:
    LDG.32
    I2FP
    STS.32
    BRA? convert
  multiply:
    BAR
  taps:
    LDS.128
    FFMA
    FFMA
    FFMA
    FFMA
    BRA? taps
    BRA? integers
    STG.128
    BRA next
  integers:
    IMAD
    IMAD
    IMAD
    STG.64
    STG.64
  next:
    BRA? tile
    EXIT
"""
LOOPS = [Loop("tile", "", "FFMA", runs="STG.128"), Loop("load", "tile", "LDG.32", runs="LDG.32", without=("I2FP",)),
         Loop("taps", "tile", "FFMA", runs="LDS.128")]
EIGHT_TAPS = {"LDG.32": 1.5, "STS.32": 1.5, "LDS.128": 2.0, "STG.128": 0.25}  # an output


class Decoding(unittest.TestCase):
    def test_names_widths_guards_and_targets(self):
        for low, high, index, expected in (
                (0x0000000C18100223, 0x042FE20000000010, 0, Instruction("FFMA", 0, True)),
                (0x0000000826267981, 0x000EA2000C1E1B00, 0, Instruction("LDG", 8)),
                (0x00000000FFFFF984, 0x000FE20000000800, 0, Instruction("NOP")),  # @!PT LDS: never executed
                (0xFFFFFFFC00CC8947, 0x000FEA000383FFFF, 0xe3, Instruction("BRA", 0, True, 215)),
                (0x00000000004C7947, 0x000FEC0003800000, 0x16, Instruction("BRA", 0, False, 42))):
            self.assertEqual(decoded(low, high, index), expected)

    def test_finds_the_functions_of_one_architecture(self):
        def cubin(sm: int) -> bytes:
            names = b"\0.text.f\0.names\0"
            code = struct.pack("<QQ", 0x0000000826267981, 0x000EA2000C1E1B00)
            sections = [(1, 64, len(code)), (9, 80, len(names))]
            header = struct.pack("<4s14xH20xQI6H", b"\x7fELF", 190, 80 + len(names), sm << 8, 64, 0, 0, 64, 2, 1)
            table = b"".join(struct.pack("<IIQQQQIIQQ", n, 1, 0, 0, at, size, 0, 0, 0, 0) for n, at, size in sections)
            return header + code + names + table

        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "f.cu.o"
            file.write_bytes(b"host code" + cubin(80) + cubin(90))
            self.assertEqual(list(kernels(file, 90)), [("f", [Instruction("LDG", 8)])])
            self.assertEqual(list(kernels(file, 75)), [])


class Ways(unittest.TestCase):
    def kinds(self, lanes=EIGHT_TAPS, loops=LOOPS, kernel=KERNEL) -> Counter:
        return executed("kernel", Code(assemble(kernel)), loops, Counter(lanes))

    def test_loops_run_as_often_as_the_emulated_accesses_ask(self):
        kinds = self.kinds()
        self.assertAlmostEqual(kinds["fp32"], 8)
        self.assertAlmostEqual(kinds["global"], 1.5 + 0.25)
        self.assertAlmostEqual(kinds["shared"], 1.5 + 2)
        self.assertAlmostEqual(kinds["integer"], 0.25)  # a tile's only
        # A tile's barrier and five branches, and the branch of each turn of the loops within.
        self.assertAlmostEqual(kinds["control"], 0.25 * 6 + 1.5 + 2)

    def test_twice_the_taps_are_twice_the_multiplications(self):
        self.assertAlmostEqual(self.kinds(EIGHT_TAPS | {"LDS.128": 4.0})["fp32"], 16)

    def test_accesses_that_the_way_does_not_make_are_a_mismatch(self):
        for wrong in {"STS.32": 3.0}, {"STS.32": 0.5}, {"LDG.64": 1.0}, {"STG.32": 0.1}:
            with self.assertRaises(Mismatch, msg=wrong):
                self.kinds(EIGHT_TAPS | wrong)

    def test_an_access_that_may_not_happen_may_be_missing(self):
        kernel = KERNEL.replace("    BAR\n", "    BAR\n    STS?.64\n")
        for count in 0.0, 0.25:
            self.assertAlmostEqual(self.kinds(EIGHT_TAPS | {"STS.64": count}, kernel=kernel)["shared"], 3.75)
        with self.assertRaises(Mismatch):
            self.kinds(EIGHT_TAPS | {"STS.64": 0.5}, kernel=kernel)

    def test_the_compiler_may_read_less_than_the_source(self):
        kernel = KERNEL.replace("LDS.128", "LDS.64")
        loops = [*LOOPS[:2], LOOPS[2]._replace(runs="LDS")]
        self.assertAlmostEqual(self.kinds(EIGHT_TAPS | {"LDS.64": 0.0}, loops, kernel)["fp32"], 8)

    def test_the_way_around_a_rare_loop_does_not_lead_through_it(self):
        aside = "    BRA? multiply\n    DADD\n  rare:\n    DFMA\n    LDG.64\n    BRA? rare\n  multiply:\n"
        kernel = KERNEL.replace("  multiply:\n", aside)
        rare = Loop("rare", "tile", "DFMA", runs="LDG.64", rare=True)
        lanes = EIGHT_TAPS | {"LDG.64": 0.005}
        self.assertAlmostEqual(self.kinds(lanes, [*LOOPS, rare], kernel)["fp64"], 0.005)
        with self.assertRaises(Mismatch):  # instead of that of "convert": no way leads through "load" and there
            self.kinds(lanes, [*LOOPS, rare._replace(rare=False)], kernel)

    def test_a_kernel_without_a_loop_runs_once_for_what_it_does_and_may_end_early(self):
        kernel = """
            LDG.32
            BRA? short
            FADD
            FADD
            STG.32
            EXIT?
            CALL
            EXIT
          short:
            STG.32
            EXIT
        """
        once = [Loop("all", "", "", runs="LDG")]
        self.assertAlmostEqual(self.kinds({"LDG.32": 0.5, "STG.32": 0.5}, once, kernel)["fp32"], 1)
        with self.assertRaises(Mismatch):
            self.kinds({"LDG.32": 0.5, "STG.32": 1.0}, once, kernel)

    def test_a_loop_that_is_not_there_or_not_alone_is_a_mismatch(self):
        gone = [*LOOPS, Loop("double", "tile", "DFMA", runs="tile")]
        two = [LOOPS[0], Loop("load", "tile", "LDG.32", runs="LDG.32"), LOOPS[2]]
        for loops in gone, two, []:
            with self.assertRaises(Mismatch):
                self.kinds(loops=loops)

    def test_loops_on_different_ways_are_a_mismatch(self):
        with self.assertRaises(Mismatch):
            self.kinds(loops=[*LOOPS, Loop("convert", "tile", "I2FP", runs="tile")])


class Model(unittest.TestCase):
    def test_resident_blocks(self):
        for registers, shared, threads, blocks in (
                (80, 20480, 256, 3), (40, 20480, 256, 6), (32, 0, 256, 8), (32, 0, 32, 32), (32, 100 * 1024, 256, 2),
                (32, 227 * 1024, 256, 1), (128, 0, 512, 1), (33, 0, 1024, 1)):
            self.assertEqual(predict.resident(registers, shared, threads), blocks, (registers, shared, threads))

    def limits(self, kinds=None, **more) -> dict:
        done = dict(distinct=0.25, read=0.125, written=0.125, wavefronts=0.0, common=0.0, common_bytes=0,
                    shared_bytes=40 << 10)
        times = predict.seconds(kinds or Counter(), done | more, blocks=4)
        return {"by": max(times, key=times.get), "copies": predict.combined(times) * predict.COPY / 8}

    def test_nothing_but_a_copy_takes_a_copys_time(self):
        self.assertEqual(self.limits()["by"], "memory")
        self.assertAlmostEqual(self.limits()["copies"], 1)

    def test_each_resource_can_be_the_limit(self):
        for limit, more in (("issue", {"kinds": Counter(fp32=125)}), ("fp64", {"kinds": Counter(fp64=62)}),
                            ("shared", {"wavefronts": 1.0}), ("L2", {"read": 0.6}), ("memory", {"distinct": 0.5})):
            found = self.limits(**more)
            self.assertEqual(found["by"], limit)
            self.assertGreater(found["copies"], 1.5)

    def test_what_blocks_have_in_common_comes_from_l1_where_it_fits_beside_shared_memory(self):
        self.assertEqual(self.limits(read=0.6, common=0.5, common_bytes=90 << 10)["by"], "memory")
        self.assertEqual(self.limits(read=0.6, common=0.5, common_bytes=95 << 10)["by"], "L2")

    def test_a_row_is_what_the_longer_run_does_more(self):
        def run(lanes, requests):
            return {"threads": 64, "shared_bytes": 0, "sectors_read": requests, "sectors_written": 0,
                    "sectors_common": 2, "common_requests": 0, "counts": [
                {"space": "global", "write": False, "async": True, "bytes": 16, "lanes": lanes, "requests": requests,
                 "wavefronts": 0, "ideal_wavefronts": 0, "sectors": 16 * requests}]}
        found = predict.difference(run(100, 4), run(200, 8), 400)
        self.assertEqual((found["lanes"]["LDGSTS.128"], found["read"], found["distinct"]), (0.25, 0.16, 0.01))


class Table(unittest.TestCase):
    ROWS = [{"slots": 10.0, "problem": "direct, float32, 16 taps", "kernel": "direct<float>"},
            {"bound": 0.5, "problem": "overlap-save, float32, 256 taps", "kernel": "store<float>"},
            {"bound": 0.25, "problem": "overlap-save, float32, 256 taps", "kernel": "all of them"}]

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.table = Path(folder.name) / "predictions.txt"
        self.result = Path(folder.name) / "result.json"
        measurement = {"suite": "bench", "memory": "device", "batch": 1, "dtype": "float32", "library": "gpuconv"}
        self.result.write_text(json.dumps({"machine": {"gpu": "NVIDIA H200"}, "measurements": [measurement | m for m in (
            {"contestant": "cuda direct", "taps": 16, "signal": 1 << 20, "of_copy": 0.7},
            {"contestant": "cuda direct", "taps": 16, "signal": 1 << 26, "of_copy": 0.9},
            {"contestant": "cuda direct", "taps": 16, "signal": 1 << 27, "skipped": "too long"},
            {"contestant": "cuda overlap-save", "taps": 16, "signal": 1 << 26, "of_copy": 0.2},
            {"contestant": "cuda overlap-save", "taps": 256, "signal": 1 << 26, "of_copy": 0.4})]}))

    def run_main(self, action: str, rows: list = (), *options, compiler: str = "13.0.88") -> tuple[int, str]:
        arguments = ["predict.py", action, "--compiler", compiler, "--program", "none", "--table", self.table, *options]
        with mock.patch.object(predict, "predicted", lambda *_: rows), contextlib.redirect_stdout(io.StringIO()) as said, \
                mock.patch.object(sys, "argv", list(map(str, arguments))):
            return predict.main(), said.getvalue()

    def changed(self) -> list[dict]:
        return [self.ROWS[0] | {"slots": 11.0}, *self.ROWS[1:]]

    def test_agrees_with_what_was_just_written_and_fails_where_a_number_changes(self):
        self.run_main("update", self.ROWS, "x.cu.o")
        self.assertEqual(self.run_main("check", self.ROWS, "x.cu.o")[0], 0)
        status, said = self.run_main("check", self.changed(), "--hint", "the hint", "x.cu.o")
        self.assertEqual(status, 1)
        for text in "10.00", "11.00", "the hint":
            self.assertIn(text, said)
        self.assertEqual(self.run_main("check", self.ROWS[:2], "x.cu.o")[0], 1)

    def test_an_unknown_compiler_and_a_build_without_code_are_skipped(self):
        self.run_main("update", self.ROWS, "x.cu.o")
        self.assertEqual(self.run_main("check", self.ROWS, "x.cu.o", compiler="13.1.1")[0], 77)
        self.assertEqual(self.run_main("check", [], "x.cu.o")[0], 77)

    def test_measurements_come_from_a_result_file_and_stay(self):
        self.run_main("update", self.ROWS, "x.cu.o")
        self.run_main("measure", [], self.result)
        expected = {"direct, float32, 16 taps": "0.90", "overlap-save, float32, 256 taps": "0.40"}
        self.assertEqual(predict.kept(predict.read(self.table)["13.0.88"]), expected)
        self.assertEqual(predict.read(self.table)["13.0.88"][1][-2], "-")  # one kernel of two
        self.assertEqual(self.run_main("check", self.ROWS, "x.cu.o")[0], 0)
        self.run_main("update", self.changed(), "x.cu.o")
        self.assertEqual(predict.kept(predict.read(self.table)["13.0.88"]), expected)

    def test_a_result_of_another_device_is_refused(self):
        self.run_main("update", self.ROWS, "x.cu.o")
        ours = self.result.read_text()
        for gpu in ('"NVIDIA H100"', "null"):  # or a CPU
            self.result.write_text(ours.replace('"NVIDIA H200"', gpu))
            with contextlib.redirect_stderr(io.StringIO()) as said:
                self.assertEqual(self.run_main("measure", [], self.result)[0], 1)
            self.assertIn("a table is of one device", said.getvalue())
        self.assertEqual(predict.kept(predict.read(self.table)["13.0.88"]), {})


if __name__ == "__main__":
    unittest.main()
