"""The check of the layers, on a source of a few files."""

from pathlib import Path
import tempfile
import unittest

from check_layers import violations


class Layers(unittest.TestCase):
    def found(self, **files: str) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            for path in ("src/core/work.hpp", "src/cpu/rows.hpp", "src/cuda/runtime.hpp", "src/plan.hpp"):
                self.write(Path(folder), path, "")
            for path, text in files.items():
                self.write(Path(folder), path.replace("__", "/") + ".cpp", text)
            return violations(Path(folder))

    @staticmethod
    def write(root: Path, path: str, text: str) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)

    def test_what_a_layer_may_include(self):
        self.assertEqual(self.found(kernels__a='#include "core/work.hpp"\n#include <vector>',
                                    src__cpu__a='#include "rows.hpp"\n#include "../plan.hpp"',
                                    src__cuda__a='#include "../plan.hpp"'), [])

    def test_planted_violations(self):
        for path, name in (("kernels__a", "../src/plan.hpp"), ("src__core__a", "../plan.hpp"),
                           ("src__cuda__a", "../cpu/rows.hpp"), ("src__cpu__a", "../cuda/runtime.hpp"),
                           ("include__gpuconv__a", "../../src/core/work.hpp")):
            with self.subTest(path):
                self.assertEqual(len(self.found(**{path: f'#include "{name}"'})), 1)


if __name__ == "__main__":
    unittest.main()
