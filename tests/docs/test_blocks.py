"""The checks of the documentation are checked: what differs is refused, what is wrapped keeps its line numbers."""

from pathlib import Path
import tempfile
import unittest

from blocks import blocks, commands, expected_output, matches, program
import run

MARKDOWN = """Title
```cpp
#include <cmath>
std::cout << std::sqrt(4.0);
```

```text
2
```
words
```cpp
int main() {}
```
words
```text
not its output
```
"""


class Blocks(unittest.TestCase):
    def test_finds_each_with_its_line(self):
        self.assertEqual([(b.language, b.line) for b in blocks(MARKDOWN)],
                         [("cpp", 3), ("text", 8), ("cpp", 12), ("text", 16)])

    def test_refuses_an_open_fence(self):
        self.assertRaises(ValueError, blocks, "```cpp\nint x;\n")

    def test_output_belongs_to_the_block_right_before_it(self):
        found = blocks(MARKDOWN)
        self.assertEqual(expected_output(MARKDOWN, found[0], found), "2\n")
        self.assertIsNone(expected_output(MARKDOWN, found[2], found))

    def test_body_of_main_keeps_its_line_numbers(self):
        text = program(blocks(MARKDOWN)[0], Path("x.md"))
        head, body = text.split('#line 3 "x.md"\n')
        self.assertIn("#include <cmath>\nint main() {", head)
        self.assertEqual(body, "\nstd::cout << std::sqrt(4.0);\n}\n")

    def test_a_block_that_needs_a_gpu_is_told_from_others(self):
        found = blocks("```cpp gpu\nint x;\n```\n```text\n1\n```\n")
        self.assertEqual([b.language for b in found], ["cpp gpu", "text"])

    def test_a_program_is_left_alone(self):
        self.assertEqual(program(blocks(MARKDOWN)[2], Path("x.md")), '#line 12 "x.md"\nint main() {}\n')

    def test_commands_and_what_they_print(self):
        block = blocks("```console\n$ a \\\n  b\n1\n2\n$ c\n```\n")[0]
        self.assertEqual(commands(block), [("a \\\n  b", "1\n2\n"), ("c", "")])


class Comparison(unittest.TestCase):
    def test_is_exact(self):
        self.assertTrue(matches("a.b\n", "a.b\n"))
        for other in ("a.b", "axb\n", "a.b\n\n", "", " a.b\n"):
            self.assertFalse(matches("a.b\n", other))

    def test_dots_stand_for_anything(self):
        self.assertTrue(matches("took ... ms\n...", "took 3.5 ms\nmore\nlines\n"))
        self.assertFalse(matches("took ... ms\n", "took 3.5 s\n"))

    def test_a_program_that_fails_or_prints_something_else_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "ended with 1"):
            run.run_program("false")
        with self.assertRaisesRegex(SystemExit, "the documentation says"):
            run.run_program("pwd", __file__)
        run.run_program("true")

    def test_a_command_that_fails_or_prints_something_else_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.md"
            page.write_text("```console\n$ echo one; ls\none\ndata\n```\n")
            run.run_console(str(page), "2", folder, folder)
            page.write_text("```console\n$ echo one\ntwo\n```\n")
            with self.assertRaisesRegex(SystemExit, "the documentation says:\ntwo"):
                run.run_console(str(page), "2", folder, folder)
            page.write_text("```console\n$ exit 3\n```\n")
            with self.assertRaisesRegex(SystemExit, "ended with 3"):
                run.run_console(str(page), "2", folder, folder)


if __name__ == "__main__":
    unittest.main()
