"""kernels/resources.py on what ptxas of CUDA 13.0 said of four kernels, one of which spills, for sm_75 and sm_90."""

from pathlib import Path
import re
import subprocess
import sys
import tempfile
import unittest

HERE = Path(__file__).parent
SCRIPT = HERE.parents[1] / "kernels" / "resources.py"
SAMPLE = (HERE / "ptxas.txt").read_text()

sys.dont_write_bytecode = True
sys.path.insert(0, str(SCRIPT.parent))
from resources import MOST_BYTES, MOST_KERNELS, Usage, parse


class Parser(unittest.TestCase):
    def test_finds_every_kernel_for_every_architecture(self):
        usages = {(u.sm, u.function): u for u in parse(SAMPLE)}
        self.assertEqual(len(usages), 8)
        self.assertEqual(usages["75", "_ZN5probe5callsEPdi"],
                         Usage("75", "_ZN5probe5callsEPdi", 10, 0, 0, 0, shared=0, constant=364 + 8))
        self.assertEqual(usages["90", "_ZN5probe4sumsIfLi96EEEvPKT_PS1_i"],
                         Usage("90", "_ZN5probe4sumsIfLi96EEEvPKT_PS1_i", 64, 904, 1020, 1020, shared=1024, constant=None))

    def test_lists_a_function_that_was_not_inlined_only_where_it_uses_memory(self):
        slow = "Function properties for _ZN5probe4slowEdi\n    "
        self.assertIn(slow + "0 bytes stack", SAMPLE)
        text = SAMPLE.replace(slow + "0 bytes stack", slow + "16 bytes stack", 1)
        self.assertEqual([u for u in parse(text) if u.registers is None],
                         [Usage("75", "_ZN5probe4slowEdi", None, 16, 0, 0, 0, None)])

    def test_refuses_output_that_ends_within_a_kernel(self):
        with self.assertRaises(ValueError):
            parse(SAMPLE[:SAMPLE.rindex("ptxas info    : Used")])

    def test_refuses_registers_of_no_kernel(self):
        with self.assertRaises(ValueError):
            parse("ptxas info    : Used 30 registers, used 0 barriers\n")


class Table(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.table = self.folder / "resources.txt"
        self.object = self.folder / "sums.cu.o"
        self.object.touch()
        self.said(SAMPLE)

    def said(self, text):
        self.object.with_name("sums.cu.o.ptxas").write_text(text)

    def resources(self, action, compiler="13.0.88"):
        return subprocess.run([sys.executable, "-B", SCRIPT, action, "--compiler", compiler, "--table", self.table,
                               "--hint", "the hint", self.object, self.folder / "host.cpp.o"], capture_output=True, text=True)

    def expect(self, status, *texts, compiler="13.0.88"):
        run = self.resources("check", compiler)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        for text in texts:
            self.assertIn(text, run.stdout + run.stderr)

    def test_agrees_with_what_was_just_written(self):
        self.assertEqual(self.resources("update").returncode, 0)
        self.expect(0, "8 lines agree")
        self.assertIn("  probe::sums<float, 96>\n", self.table.read_text())

    def test_a_change_fails_with_both_lines_and_what_updates_the_table(self):
        self.resources("update")
        self.said(SAMPLE.replace("Used 36 registers", "Used 37 registers"))
        self.expect(1, "-       75        36", "+       75        37", "probe::scratch", "the hint")

    def test_a_kernel_that_is_new_or_gone_fails(self):
        self.resources("update")
        self.said(SAMPLE.replace("_ZN5probe5callsEPdi", "_ZN5probe5otherEPdi"))
        self.expect(1, "probe::calls", "probe::other")

    def test_a_build_for_fewer_architectures_is_compared_with_those(self):
        self.resources("update")
        self.said(SAMPLE[:SAMPLE.index("ptxas warning", 10)])
        self.expect(0, "4 lines agree")

    def test_an_unknown_architecture_is_skipped(self):
        self.resources("update")
        self.said(SAMPLE.replace("'sm_90'", "'sm_86'"))
        self.expect(77, "does not have sm_86")

    def test_an_unknown_architecture_hides_no_change(self):
        self.resources("update")
        self.said(SAMPLE.replace("'sm_90'", "'sm_86'").replace("Used 36 registers", "Used 37 registers"))
        self.expect(1, "probe::scratch")

    def test_an_update_for_one_architecture_keeps_the_others(self):
        self.resources("update")
        self.said(SAMPLE[:SAMPLE.index("ptxas warning", 10)].replace("Used 36 registers", "Used 37 registers"))
        self.resources("update")
        self.said(SAMPLE.replace("Used 36 registers", "Used 37 registers"))
        self.expect(0, "8 lines agree")

    def test_an_unknown_compiler_is_skipped(self):
        self.resources("update")
        self.expect(77, "SKIPPED", compiler="13.1.1")

    def test_a_spill_that_the_table_lacks_fails_with_any_compiler(self):
        none = "0 bytes spill stores, 0 bytes spill loads"
        self.said(re.sub(r"\d+ bytes spill stores, \d+ bytes spill loads", none, SAMPLE))
        self.resources("update")
        self.said(SAMPLE)
        for compiler in "13.0.88", "13.1.1":
            self.expect(1, "spills that the table does not have", "probe::sums<float, 96>", compiler=compiler)

    def test_sections_of_other_compilers_stay(self):
        self.resources("update")
        self.said(SAMPLE.replace("Used 36 registers", "Used 37 registers"))
        self.resources("update", "13.1.1")
        self.expect(0, compiler="13.1.1")
        self.said(SAMPLE)
        self.expect(0)

    def test_too_many_kernels_and_too_large_objects_fail(self):
        self.resources("update")
        self.object.write_bytes(bytes(2 * MOST_BYTES + 2))  # for two architectures
        self.expect(1, f"the objects take {MOST_BYTES + 1} bytes per architecture")
        self.object.write_bytes(bytes(2 * MOST_BYTES))
        self.expect(0)
        one = SAMPLE[SAMPLE.index("ptxas info    : Compiling"):SAMPLE.index("ptxas warning", 10)]
        self.said(SAMPLE + "".join(one.replace("5probe", f"{4 + len(str(i))}prob{i}") for i in range(MOST_KERNELS)))
        self.resources("update")
        self.expect(1, f"{MOST_KERNELS} at most are wanted")

    def test_no_kernels_and_no_record_fail(self):
        self.said("")
        self.expect(1, "no kernel")
        self.object.with_name("sums.cu.o.ptxas").unlink()
        self.expect(1, "build again")


class Launcher(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.compiler = self.folder / "nvcc"
        self.object = self.folder / "sums.cu.o"

    def compile(self, script):
        self.compiler.write_text("#!/bin/sh\n" + script)
        self.compiler.chmod(0o755)
        return subprocess.run([sys.executable, "-B", SCRIPT, "record", self.compiler, "-c", "sums.cu", "-o", self.object],
                              capture_output=True, text=True)

    def record(self):
        return self.object.with_name("sums.cu.o.ptxas")

    def test_keeps_what_ptxas_says_and_passes_on_the_rest(self):
        run = self.compile(f"cat '{HERE / 'ptxas.txt'}' >&2; echo out\n")
        self.assertEqual((run.returncode, run.stdout), (0, "out\n"))
        self.assertEqual(run.stderr.count("Registers are spilled"), 2)
        self.assertNotIn("ptxas info", run.stderr)
        self.assertEqual(parse(self.record().read_text()), parse(SAMPLE))

    def test_a_failed_compilation_fails_and_records_nothing(self):
        run = self.compile("echo 'error: no' >&2; exit 3\n")
        self.assertEqual((run.returncode, run.stderr), (3, "error: no\n"))
        self.assertFalse(self.record().exists())


if __name__ == "__main__":
    unittest.main()
