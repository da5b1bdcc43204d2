"""python -m gpuconv: programs see what they see without it, and end as they end without it."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

import gpuconv

SEES = """
import sys
print(__name__, globals().get("__file__"), sys.argv, sys.path[0], __spec__ and __spec__.name, __package__, __doc__)
print(sorted(n for n in globals() if n.startswith("__")), __builtins__.__name__, sys.modules["__main__"].__dict__ is globals())
"""
PROGRAMS = {
    "sees": f'"""A program."""\n{SEES}',
    "raises": "def f():\n    1 / 0\n\nf()\n",
    "fails in a function of NumPy's": "import numpy as np\nnp.convolve([], [1])\n",
    "fails in a large call": "import numpy as np\nnp.convolve(np.ones((2000, 2)), np.ones(2000))\n",
    "does not compile": "x = (\n",
    "exits with a number": "raise SystemExit(7)\n",
    "exits with a text": "import sys\nsys.exit('no more')\n",
    "exits": "import atexit\natexit.register(print, 'bye')\nexit()\n",
    "prints errors itself": "import sys\nsys.excepthook = lambda *e: print('hook', e[0], e[2].tb_frame.f_code.co_name)\nraise ValueError(3)\n",
    "is interrupted": "raise KeyboardInterrupt\n",
    "is chained": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('x') from e\n",
    "warns": "import warnings, numpy as np\nwarnings.warn('careful')\nnp.convolve([1], [2], 'valid')\n",
    "pickles": "import pickle\nclass C: pass\nprint(type(pickle.loads(pickle.dumps(C()))) is C)\n",
    "has a child": "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True, text=True).stdout)\n",
    "starts processes": """
import multiprocessing
def f(x): return x + 1
if __name__ == '__main__':
    for how in ('spawn', 'fork'):
        with multiprocessing.get_context(how).Pool(1) as pool:
            print(pool.map(f, [1, 2]))
""",
}


def ends(*command, cwd):
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(gpuconv.__file__))}
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=cwd, env=environment)
    return done.returncode, done.stdout, done.stderr


def without_lines_of_numpys(text: str) -> str:
    """Lines of NumPy's statements have moved a little."""
    return "\n".join(line for line in text.splitlines() if "numpy" not in line)


def assert_same_end(*command, cwd):
    plain, ours = ends(*command, cwd=cwd), ends("-m", "gpuconv", *command, cwd=cwd)
    assert ours[:2] == plain[:2]
    assert without_lines_of_numpys(ours[2]) == without_lines_of_numpys(plain[2])
    return ours


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_file(tmp_path, name):
    (tmp_path / "app.py").write_text(PROGRAMS[name])
    assert_same_end("app.py", "--report", "-x", cwd=tmp_path)


@pytest.mark.parametrize("path", ["folder/app.py", "./folder/app.py", "folder/../folder/app.py", "link.py"])
def test_a_file_elsewhere(tmp_path, path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "app.py").write_text(SEES + "import neighbour")
    (tmp_path / "folder" / "neighbour.py").write_text("print(__name__)")
    (tmp_path / "link.py").symlink_to(tmp_path / "folder" / "app.py")
    assert "neighbour" in assert_same_end(path, cwd=tmp_path)[1]


@pytest.mark.parametrize("name", ["sees", "raises", "exits with a number"])
def test_a_module_a_folder_and_code(tmp_path, name):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    for module in ("__main__", "other"):
        (tmp_path / "package" / f"{module}.py").write_text(PROGRAMS[name])
    assert_same_end("-m", "package", "a", cwd=tmp_path)
    assert_same_end("-m", "package.other", "a", "--help", cwd=tmp_path)
    assert_same_end("package", "b", cwd=tmp_path)
    assert_same_end("-c", PROGRAMS[name], "-m", cwd=tmp_path)


@pytest.mark.parametrize("command", [("nowhere.py",), ("-m", "nowhere"), ("-m", "json.nowhere")])
def test_what_is_not_there(tmp_path, command):
    assert assert_same_end(*command, cwd=tmp_path)[0] != 0


def test_an_interrupt_is_one(tmp_path):
    assert ends("-m", "gpuconv", "-c", "raise KeyboardInterrupt", cwd=tmp_path)[0] == -signal.SIGINT


def test_the_report(tmp_path):
    code = textwrap.dedent("""
        import numpy as np
        for n in (1, 3000, 4000):
            np.convolve(np.ones(n), np.ones(64))
        np.convolve(np.ones(3000, object), np.ones(64))
        raise SystemExit(3)
    """)
    status, printed, report = ends("-m", "gpuconv", "--report", "-c", code, cwd=tmp_path)
    assert (status, printed) == (3, "")
    lines = report.splitlines()
    assert lines[0].startswith("gpuconv: numpy.convolve: 2 calls taken, 0.00")
    assert lines[1] == "gpuconv:   1 left: the type object"
    assert "not counted" in lines[2] and len(lines) == 3


@pytest.mark.parametrize("arguments", [(), ("--report",), ("--unknown", "app.py"), ("-m",), ("-c",)])
def test_usage(tmp_path, arguments):
    status, printed, error = ends("-m", "gpuconv", *arguments, cwd=tmp_path)
    assert (status, printed) == (2, "") and "python -m gpuconv" in error


def test_help(tmp_path):
    status, printed, error = ends("-m", "gpuconv", "--help", cwd=tmp_path)
    assert (status, error) == (0, "") and "--fft" in printed
