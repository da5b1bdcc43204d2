"""Streams under the names that shells and systems give them: what others write there is never lost."""

import os
import pty
import select
import shlex
import socket
import subprocess
import threading
import time
import unittest

import tool


class Descriptors(tool.ToolTest):
    def setUp(self):
        super().setUp()
        self.x, self.h = self.integers("int16", 300, 900), self.integers("int16", 9)
        self.save("x.npy", self.x)
        self.save("h.npy", self.h)
        self.succeed("convolve", "x.npy", "h.npy", "-o", "expected.npy")
        self.expected = self.contents("expected.npy")

    def shell(self, script):
        done = subprocess.run(["sh", "-c", script], cwd=self.folder, capture_output=True, timeout=tool.TIMEOUT,
                              env={**os.environ, "GPUCONV": tool.GPUCONV})  # fmt: skip
        self.assertEqual((done.returncode, done.stderr), (0, b""), script)
        return done.stdout

    def test_what_a_shell_writes_before_and_after_stays(self):
        os.symlink("/dev/stdout", self.path("to_stdout"))
        os.symlink("/dev/fd/1", self.path("to_fd"))
        os.symlink("to_fd", self.path("to_link"))
        os.symlink("/proc/self/fd", self.path("descriptors"))
        for out, to in (
            ("-", ""), ("/dev/stdout", ""), ("/dev/fd/1", ""), ("/dev/../dev/fd/1", ""), ("/proc/self/fd/1", ""),
            ("/proc/thread-self/fd/1", ""), ("to_stdout", ""), ("to_fd", ""), ("to_link", ""), ("descriptors/1", ""),
            ("/dev/fd/3", "3>&1 >/dev/null"), ("/proc/self/fd/9", "9>&1 >/dev/null"), ("/dev/stderr", "2>&1 >/dev/null"),
        ):  # fmt: skip
            for redirect, old in ((">", b""), (">>", b"old\n"), ("| cat >", b"")):
                with self.subTest(out=out, redirect=redirect):
                    with open(self.path("log"), "wb") as file:
                        file.write(b"old\n")
                    self.shell(f'(echo before; "$GPUCONV" convolve x.npy h.npy -o {out} {to}; echo after) {redirect} log')
                    self.assertEqual(self.contents("log"), old + b"before\n" + self.expected + b"after\n")

    def test_two_results_one_after_the_other(self):
        self.shell('for i in 1 2; do "$GPUCONV" convolve x.npy h.npy -o /dev/fd/1; done > both')
        self.assertEqual(self.contents("both"), 2 * self.expected)

    def test_a_file_that_has_no_name_any_more(self):
        with open(self.path("gone"), "w+b") as file:
            os.unlink(self.path("gone"))
            for out in ("/dev/stdout", "/dev/fd/1"):
                self.succeed("convolve", "x.npy", "h.npy", "-o", out, stdout=file)
            file.seek(0)
            self.assertEqual(file.read(), 2 * self.expected)
        self.assertEqual(sorted(os.listdir(self.folder)), ["expected.npy", "h.npy", "x.npy"])

    def test_sockets(self):
        for out in ("-", "/dev/stdout", "/dev/fd/1"):
            ours, theirs = socket.socketpair()
            got = []

            def collect(connection=ours, parts=got):
                while part := connection.recv(1 << 16):
                    parts.append(part)

            thread = threading.Thread(target=collect)
            thread.start()
            with theirs:
                self.succeed("convolve", "x.npy", "h.npy", "-o", out, stdout=theirs)
            thread.join()
            ours.close()
            self.assertEqual(b"".join(got), self.expected)

    def test_a_pipe_that_does_not_block(self):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        arguments = [tool.GPUCONV, "convolve", "x.npy", "h.npy", "-o", "-"]
        with subprocess.Popen(arguments, cwd=self.folder, stdout=writing, stderr=subprocess.PIPE) as started:
            os.close(writing)
            time.sleep(0.3)  # the pipe is full by now
            with open(reading, "rb") as pipe:
                self.assertEqual(pipe.read(), self.expected)
            self.assertEqual(started.stderr.read(), b"")
        self.assertEqual(started.returncode, 0)

    def test_an_input_that_does_not_block(self):
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        arguments = [tool.GPUCONV, "convolve", "-", "h.npy", "-o", "out.npy"]
        with subprocess.Popen(arguments, cwd=self.folder, stdin=reading, stderr=subprocess.PIPE) as started:
            os.close(reading)
            time.sleep(0.3)  # it has found nothing to read by now
            with open(writing, "wb") as pipe:
                pipe.write(self.contents("x.npy"))
            self.assertEqual(started.stderr.read(), b"")
        self.assertEqual(started.returncode, 0)
        self.assertEqual(self.contents("out.npy"), self.expected)

    def test_an_input_is_read_from_where_it_stands(self):
        one = self.contents("x.npy")
        with open(self.path("two.npy"), "wb") as file:
            file.write(b"something before" + one + one)
        for signal in ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
            with open(self.path("two.npy"), "rb") as file:
                os.lseek(file.fileno(), 16, os.SEEK_SET)
                for _ in range(2):
                    self.assertEqual(self.succeed("convolve", signal, "h.npy", "-o", "-", stdin=file).stdout, self.expected)

    def test_an_output_that_is_an_input(self):
        kept = self.contents("x.npy")
        for redirect in (">>", "1<>"):
            for out in ("-", "/dev/stdout", "/dev/fd/1"):
                for signal, source in (("x.npy", ""), ("-", "< x.npy"), ("/dev/fd/7", "7< x.npy")):
                    convolve = f'"$GPUCONV" convolve {signal} h.npy -o {out} {source} {redirect} x.npy'
                    done = self.shell(f"exec 3>&1; {convolve} 2>&3 3>&- || echo no >&3")
                    self.assertIn(b"it is an input as well", done)
                    self.assertTrue(done.endswith(b"no\n"), done)
                    self.assertEqual(self.contents("x.npy"), kept)

    def test_descriptors_that_cannot_be_written(self):
        kept = self.contents("x.npy")
        with open(self.path("x.npy"), "rb") as file:
            for out in ("/dev/stdin", "/dev/fd/0"):
                self.fails("convolve", "expected.npy", "h.npy", "-o", out, says="open for reading", names=[out], stdin=file)
        self.fails("convolve", "x.npy", "h.npy", "-o", "/dev/fd/63", says="/dev/fd/63: Bad file descriptor")
        self.fails("convolve", "x.npy", "h.npy", "-o", "/dev/fd/x", says="No such file")
        self.assertEqual(self.contents("x.npy"), kept)

    def test_descriptors_that_the_tool_has_opened_itself_are_none(self):
        kept = self.contents("x.npy"), self.contents("h.npy")
        for number in (3, 4, 5):
            self.fails("convolve", "x.npy", "h.npy", "-o", f"/dev/fd/{number}", says="Bad file descriptor")
            self.assertEqual((self.contents("x.npy"), self.contents("h.npy")), kept)

    def test_a_descriptor_of_another_process(self):
        with open(self.path("log"), "w+b") as file:
            file.write(b"before\n")
            file.flush()
            self.fails("convolve", "x.npy", "h.npy", "-o", f"/proc/{os.getpid()}/fd/{file.fileno()}", says="another process has open")
            self.assertEqual(self.contents("log"), b"before\n")

    def test_one_stream_is_not_two_inputs(self):
        for signal, filter in (("-", "/dev/stdin"), ("/dev/fd/0", "-"), ("/dev/stdin", "/proc/self/fd/0")):
            done = self.tool("convolve", signal, filter, "-o", "out.npy", input=self.contents("x.npy"))
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"only one of them can be standard input", done.stderr)
        with open(self.path("x.npy"), "rb") as x, open(self.path("h.npy"), "rb") as h:
            numbers = x.fileno(), h.fileno()
            self.succeed("convolve", *(f"/dev/fd/{n}" for n in numbers), "-o", "out.npy", pass_fds=numbers)
        self.assertEqual(self.contents("out.npy"), self.expected)

    def test_binary_is_not_written_to_a_terminal_by_any_name(self):
        reading, writing = pty.openpty()
        for out in ("-", "/dev/stdout", "/dev/fd/1"):
            self.assertEqual(self.tool("convolve", "x.npy", "h.npy", "-o", out, stdout=writing).returncode, 2)
        self.assertEqual(select.select([reading], [], [], 0)[0], [])
        os.close(writing)
        os.close(reading)

    @unittest.skipUnless(os.path.exists("/bin/bash"), "there is no bash")
    def test_process_substitution(self):
        script = f"{shlex.quote(tool.GPUCONV)} convolve <(cat x.npy) <(cat h.npy) -o >(cat > out.npy; touch done)"
        subprocess.run(["/bin/bash", "-c", script], cwd=self.folder, check=True, timeout=tool.TIMEOUT)
        deadline = time.monotonic() + 30
        while not os.path.exists(self.path("done")) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(self.contents("out.npy"), self.expected)


if __name__ == "__main__":
    tool.main()
