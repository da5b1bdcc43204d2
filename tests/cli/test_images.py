"""gpuconv convolve2d and correlate2d: arrays and pictures against sums of shifted images, and what is refused."""

import os
import struct
import unittest
import zlib

import numpy as np
import tool

PAD = {"zero": "constant", "constant": "constant", "nearest": "edge", "reflect": "symmetric", "mirror": "reflect", "wrap": "wrap"}
HAS_PNG = os.environ["GPUCONV_HAS_PNG"] == "1"
needs_png = unittest.skipUnless(HAS_PNG, "the tool is built without PNG")


def first_and_length(samples, taps, mode, same):
    if mode == "full":
        return 0, samples + taps - 1
    if mode == "valid":
        return taps - 1, samples - taps + 1
    return (taps - 1) // 2 if same == "scipy" else taps // 2, samples


def oracle(x, h, mode="full", same="scipy", boundary="zero", value=0, correlate=False):
    """The sum over taps of the image, shifted: out[l, k] = sum of h[i, j] * x[l - i, k - j]."""
    if correlate:
        h = h[::-1, ::-1].conj()
    beyond = {"constant_values": value} if PAD[boundary] == "constant" else {}
    padded = np.pad(x, [(h.shape[0],) * 2, (h.shape[1],) * 2], PAD[boundary], **beyond)
    (line, lines), (column, columns) = (first_and_length(n, m, mode, same) for n, m in zip(x.shape, h.shape))
    out = 0
    for (i, j), tap in np.ndenumerate(h):
        first, left = line - i + h.shape[0], column - j + h.shape[1]
        out = out + tap * padded[first : first + lines, left : left + columns]
    return out


def saturated(values, dtype):
    info = np.iinfo(dtype)
    return np.clip(np.rint(values), info.min, info.max).astype(dtype)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def png_of(samples, depth, colour, extra=b"", shape=None, interlaced=False):
    """A PNG of `samples`, [lines][columns][channels], `depth` bits each, whatever `colour` it says it has."""
    lines, columns = shape or samples.shape[:2]
    passes = [samples[first::lines_apart, left::apart] for first, left, lines_apart, apart in ADAM7] if interlaced else [samples]
    rows = [row.ravel() for part in passes if part.size for row in part]
    if depth == 16:
        packed = [row.astype(">u2").tobytes() for row in rows]
    else:
        bits = [np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - depth :] for row in rows]
        packed = [np.packbits(row).tobytes() for row in bits]
    header = struct.pack(">IIBBBBB", columns, lines, depth, colour, 0, 0, interlaced)
    data = zlib.compress(b"".join(b"\0" + row for row in packed))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def pixels_of(png):
    """The samples of a PNG that is not interlaced, of 8 or 16 bits, by the formulas of its specification."""
    at, data, header = 8, b"", None
    while at < len(png):
        (length,), name = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + length]
        header = struct.unpack(">IIBBBBB", body) if name == b"IHDR" else header
        data += body if name == b"IDAT" else b""
        at += 12 + length
    columns, lines, depth, colour = header[:4]
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    step, width = channels * depth // 8, columns * channels * depth // 8
    raw = np.frombuffer(zlib.decompress(data), np.uint8).reshape(lines, width + 1)
    out = np.zeros((lines + 1, width + step), int)
    for line, row in enumerate(raw, 1):
        for k in range(step, width + step):
            left, up, corner = out[line, k - step], out[line - 1, k], out[line - 1, k - step]
            nearest = min((left, up, corner), key=lambda v, p=left + up - corner: abs(p - v))
            predicted = [0, left, up, (left + up) // 2, nearest][row[0]]
            out[line, k] = (row[1 + k - step] + predicted) % 256
    pixels = out[1:, step:].astype(np.uint8)
    pixels = pixels if depth == 8 else pixels.view(">u2").astype(np.uint16)
    return pixels.reshape(lines, columns, channels) if channels > 1 else pixels.reshape(lines, columns)


def pnm_of(pixels, largest=None, comment=""):
    header = f"{'P6' if pixels.ndim == 3 else 'P5'}\n{comment}{pixels.shape[1]} {pixels.shape[0]}\n{largest or np.iinfo(pixels.dtype).max}\n"
    return header.encode() + pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()


class ImageTest(tool.ToolTest):
    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return name

    def run2d(self, x, *options, h=None, correlate=False):
        """The array `x`, or the file of that name, with the array `h` or the filter that `options` name."""
        signal = x if isinstance(x, str) else os.path.basename(self.save("x.npy", x))
        filter = [] if h is None else [os.path.basename(self.save("h.npy", h))]
        command = "correlate2d" if correlate else "convolve2d"
        done = self.succeed(command, signal, *filter, "-o", "out.npy", *options)
        self.assertEqual(done.stdout + done.stderr, b"")
        return np.load(self.path("out.npy"))

    def assert_same(self, got, expected):
        self.assertEqual((got.dtype, got.shape), (expected.dtype, expected.shape))
        np.testing.assert_array_equal(got, expected)


class Arrays(ImageTest):
    def test_modes_boundaries_and_conventions_are_exact_in_integers(self):
        x, h = self.integers("int16", 13, 17), self.integers("int8", 4, 3)
        for correlate in (False, True):
            for mode in ("full", "valid"):
                self.assert_same(self.run2d(x, "--mode", mode, h=h, correlate=correlate), oracle(x.astype(np.int64), h, mode, correlate=correlate))
            for boundary in PAD:
                for same in ("scipy", "matlab"):
                    with self.subTest(correlate=correlate, boundary=boundary, same=same):
                        value = 7 if boundary == "constant" else 0
                        name = f"{boundary}={value}" if value else boundary
                        got = self.run2d(x, "--mode", "same", "--same", same, "--boundary", name, h=h, correlate=correlate)
                        self.assert_same(got, oracle(x.astype(np.int64), h, "same", same, boundary, value, correlate))

    def test_same_is_by_default_that_of_the_function_of_the_same_name(self):
        x, h = self.integers("int16", 9, 8), self.integers("int8", 4, 2)
        self.assert_same(self.run2d(x, "--mode", "same", h=h), oracle(x.astype(np.int64), h, "same", "scipy"))
        self.assert_same(self.run2d(x, "--mode", "same", h=h, correlate=True), oracle(x.astype(np.int64), h, "same", "matlab", correlate=True))

    def test_every_element_type(self):
        for dtype in tool.ALL_TYPES:
            x, h = self.values(dtype, 11, 12), self.values(dtype, 3, 2)
            got = self.run2d(x, "--mode", "valid", h=h)
            if dtype == "bool":
                self.assert_same(got, oracle(x.astype(int), h.astype(int), "valid") > 0)
            elif x.dtype.kind in "iu":
                wide = np.int64 if x.dtype.kind == "i" else np.uint64
                self.assert_same(got, oracle(x.astype(wide), h.astype(wide), "valid"))
            else:
                self.assertEqual(got.dtype, x.dtype)
                exact = oracle(x.astype(complex), h.astype(complex), "valid")
                np.testing.assert_allclose(got, exact, rtol=0, atol=40 * np.finfo(dtype).eps)

    def test_stacks_and_channels(self):
        h = self.integers("int8", 3, 4)
        stack = self.integers("int16", 2, 3, 9, 10)
        expected = [[oracle(image.astype(np.int64), h, "valid") for image in images] for images in stack]
        self.assert_same(self.run2d(stack, "--mode", "valid", h=h), np.array(expected))
        self.assert_same(self.run2d(np.asfortranarray(stack), "--mode", "valid", h=h), np.array(expected))
        coloured = self.integers("int16", 9, 10, 3)
        expected = [oracle(coloured[..., c].astype(np.int64), h) for c in range(3)]
        self.assert_same(self.run2d(coloured, "--channels", h=h), np.stack(expected, -1))

    def test_methods_agree_and_stats_name_them(self):
        x, h = self.values("float32", 60, 70), self.values("float32", 9, 11)
        exact = oracle(x.astype(float), h.astype(float))
        for method in ("auto", "direct", "overlap-save"):
            np.testing.assert_allclose(self.run2d(x, "--method", method, h=h), exact, rtol=0, atol=1e-4)
            done = self.succeed("convolve2d", "x.npy", "h.npy", "-o", "out.npy", "--method", method, "--stats")
            self.assertIn(b"problem     1 x 60 x 70 float32 * 9 x 11 float32 -> full 68 x 80 float32\n", done.stderr)
            self.assertIn(b"method      cpu " + (b"" if method == "auto" else method.encode()), done.stderr)

    def test_pipes(self):
        x, h = self.integers("int16", 6, 5), self.integers("int8", 2, 2)
        self.save("x.npy", x)
        with open(self.path("x.npy"), "rb") as file:
            done = self.succeed("convolve2d", "-", self.save("h.npy", h), "-o", "-", stdin=file)
        self.write("out.npy", done.stdout)
        self.assert_same(np.load(self.path("out.npy")), oracle(x.astype(np.int64), h))


class Filters(ImageTest):
    def test_taps(self):
        x = self.integers("uint8", 9, 8)
        for text, h in (("1,2,1;2,4,2;1,2,1", [[1, 2, 1], [2, 4, 2], [1, 2, 1]]), ("-1, 0 ,1", [[-1, 0, 1]]), ("3;-2", [[3], [-2]])):
            self.assert_same(self.run2d(x, "--taps", text), oracle(x.astype(np.int64), np.array(h)))
        halves = self.run2d(x, "--taps", "0.5,0.25")
        self.assert_same(halves, oracle(x.astype(np.float32), np.array([[0.5, 0.25]], np.float32)))
        self.assertEqual(self.run2d(x.astype(np.int32), "--taps", "0.5").dtype, np.float64)
        self.assertEqual(self.run2d(x.astype(np.float32), "--taps", "2").dtype, np.float32)
        self.assertEqual(self.run2d(x.astype(np.complex64), "--taps", "2").dtype, np.complex64)
        self.assert_same(self.run2d(x, "--taps", "1,2", correlate=True), oracle(x.astype(np.int64), np.array([[1, 2]]), correlate=True))

    def test_named_filters(self):
        x = self.integers("uint8", 20, 21)
        wide, same = x.astype(np.int64), ["--mode", "same", "--boundary", "reflect"]
        slope, smooth = np.array([1, 0, -1]), np.array([1, 2, 1])
        down, across = (oracle(wide, np.outer(*pair), "same", boundary="reflect") for pair in ((slope, smooth), (smooth, slope)))
        self.assert_same(self.run2d(x, "--named", "sobel:0", *same), down)
        self.assert_same(self.run2d(x, "--named", "sobel:1", *same), across)
        self.assertGreater(self.run2d(np.tile(np.arange(9), (9, 1)), "--named", "sobel:1", "--mode", "valid").min(), 0)
        self.assert_same(self.run2d(x, "--named", "sobel", *same), np.hypot(down, across).astype(np.float32))
        self.assert_same(self.run2d(x, "--named", "sobel", *same, "--saturate"), saturated(np.hypot(down, across), "uint8"))
        laplacian = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
        self.assert_same(self.run2d(x, "--named", "laplacian", *same), oracle(wide, laplacian, "same", boundary="reflect"))
        bell = np.exp(-np.arange(-6, 7) ** 2 / (2 * 1.5**2))
        bell /= bell.sum()
        for named, taps in (("gaussian:1.5", bell), ("box:5", np.full(5, 0.2))):
            got, exact = self.run2d(x, "--named", named, *same, "--separable"), oracle(x.astype(float), np.outer(taps, taps), "same", boundary="reflect")
            self.assertEqual(got.dtype, np.float32)
            np.testing.assert_allclose(got, exact, rtol=0, atol=1e-4)

    def test_separable(self):
        self.save("x.npy", self.values("float32", 8, 9))
        self.succeed("convolve2d", "x.npy", "--taps", "1,2,1;2,4,2", "--separable", "-o", "out.npy")
        for taps in ("1,2;3,4", "0,1,0;1,-4,1;0,1,0"):
            self.fails("convolve2d", "x.npy", "--taps", taps, "--separable", "-o", "new.npy", code=3, names=["x.npy"], says="not the product")

    def test_saturated_results(self):
        x = self.integers("uint8", 9, 10)
        h = np.array([[-1.5, 0.5], [2.25, 1]])
        text = "-1.5,0.5;2.25,1"
        exact = oracle(x.astype(float), h)
        self.assert_same(self.run2d(x, "--taps", text, "--saturate"), saturated(exact, "uint8"))
        self.assert_same(self.run2d(x.astype(np.float32), "--taps", text, "--saturate", "--dtype", "int8"), saturated(exact, "int8"))
        self.assert_same(self.run2d(np.array([[1, 3, 5, 7]], np.uint8), "--taps", "0.5", "--saturate"), np.array([[0, 2, 2, 4]], np.uint8))
        self.assert_same(self.run2d(x, "--taps", "3", "--dtype", "uint8"), x * np.uint8(3))  # wraps


class Pictures(ImageTest):
    def pixels(self, name):
        return self.run2d(name, "--taps", "1", "--saturate")

    def test_pgm_and_ppm(self):
        for dtype in ("uint8", "uint16"):
            for name, shape in (("p.pgm", (6, 5)), ("p.ppm", (6, 5, 3)), ("p.PNM", (6, 5, 3))):
                pixels = self.integers(dtype, *shape)
                self.write(name, pnm_of(pixels, comment="# 7 wide\n"))
                self.assert_same(self.pixels(name), pixels)
                self.succeed("convolve2d", name, "--taps", "1", "-o", "copy" + name[1:])
                self.assertEqual(self.contents("copy" + name[1:]), pnm_of(pixels))
        self.write("p.pgm", pnm_of(np.array([[0, 100]], np.uint8), 100))
        self.assert_same(self.pixels("p.pgm"), np.array([[0, 100]], np.uint8))
        self.write("p.pgm", pnm_of(np.array([[0, 1023]], np.uint16), 1023))
        self.assert_same(self.pixels("p.pgm"), np.array([[0, 1023]], np.uint16))

    @needs_png
    def test_png_of_every_colour_and_depth(self):
        for colour, channels in ((0, 1), (2, 3), (4, 2), (6, 4)):
            for dtype in ("uint8", "uint16"):
                with self.subTest(colour=colour, dtype=dtype):
                    pixels = self.integers(dtype, 7, 6, channels)
                    self.write("p.png", png_of(pixels, 8 * pixels.itemsize, colour))
                    expected = pixels if channels > 1 else pixels[..., 0]
                    self.assert_same(self.pixels("p.png"), expected)
                    self.succeed("convolve2d", "p.png", "--taps", "1", "-o", "copy.png")
                    self.assert_same(pixels_of(self.contents("copy.png")), expected)

    @needs_png
    def test_png_of_few_bits_and_palettes(self):
        for depth in (1, 2, 4):
            samples = self.random.integers(0, 2**depth, (5, 9, 1))
            self.write("p.png", png_of(samples, depth, 0))
            self.assert_same(self.pixels("p.png"), (samples[..., 0] * (255 // (2**depth - 1))).astype(np.uint8))
            colours = self.integers("uint8", 2**depth, 3)
            self.write("p.png", png_of(samples, depth, 3, chunk(b"PLTE", colours.tobytes())))
            self.assert_same(self.pixels("p.png"), colours[samples[..., 0]])

    @needs_png
    def test_interlaced_png(self):
        for depth, colour, channels in ((8, 2, 3), (16, 0, 1), (2, 0, 1)):
            pixels = self.random.integers(0, 2**depth, (11, 13, channels))
            self.write("p.png", png_of(pixels, depth, colour, interlaced=True))
            stored = (pixels * (85 if depth == 2 else 1)).astype(np.uint16 if depth == 16 else np.uint8)
            self.assert_same(self.pixels("p.png"), stored if channels > 1 else stored[..., 0])

    @needs_png
    def test_a_declared_gamma_changes_no_pixel(self):
        pixels = self.integers("uint8", 5, 4, 3)
        self.write("p.png", png_of(pixels, 8, 2, chunk(b"gAMA", struct.pack(">I", 100000))))
        self.assert_same(self.pixels("p.png"), pixels)

    def test_a_picture_is_filtered_by_channel_and_saturated(self):
        pixels = self.integers("uint8", 30, 40, 3)
        self.write("p.ppm", pnm_of(pixels))
        h = np.array([[0, -1, 0], [-1, 5.5, -1], [0, -1, 0]])
        expected = np.stack([saturated(oracle(pixels[..., c].astype(float), h, "same", boundary="mirror"), "uint8") for c in range(3)], -1)
        options = ["--taps", "0,-1,0;-1,5.5,-1;0,-1,0", "--mode", "same", "--boundary", "mirror"]
        self.succeed("convolve2d", "p.ppm", *options, "-o", "out.ppm")
        self.assertEqual(self.contents("out.ppm"), pnm_of(expected))
        if HAS_PNG:
            self.succeed("convolve2d", "p.ppm", *options, "-o", "out.png")
            self.assert_same(pixels_of(self.contents("out.png")), expected)
        self.succeed("convolve2d", "p.ppm", "--taps", "200", "--dtype", "uint16", "-o", "wide.ppm")
        self.assertEqual(self.contents("wide.ppm"), pnm_of(pixels.astype(np.uint16) * 200))

    def test_a_picture_as_filter(self):
        x, h = self.integers("uint8", 12, 13), self.integers("uint8", 4, 5)
        self.write("h.pgm", pnm_of(h))
        self.save("x.npy", x)
        self.succeed("correlate2d", "x.npy", "h.pgm", "-o", "out.npy", "--mode", "valid")
        self.assert_same(np.load(self.path("out.npy")), oracle(x.astype(np.uint64), h.astype(np.uint64), "valid", correlate=True))

    def test_a_grey_picture_has_one_channel(self):
        pixels = self.integers("uint8", 6, 5)
        self.write("p.pgm", pnm_of(pixels))
        self.assert_same(self.run2d("p.pgm", "--channels", "--taps", "1", "--saturate"), pixels[..., None])

    def test_an_array_becomes_a_picture(self):
        self.save("x.npy", np.array([[-5.5, 0.5, 1.5], [254.6, 300, np.nan]]))
        self.succeed("convolve2d", "x.npy", "--taps", "1", "-o", "out.pgm")
        self.assertEqual(self.contents("out.pgm"), pnm_of(np.array([[0, 0, 2], [255, 255, 0]], np.uint8)))


class Refusals(ImageTest):
    def refused(self, name, data, says, code=1):
        self.write(name, data)
        self.save("good.npy", np.ones((4, 4)))
        self.fails("convolve2d", name, "--taps", "1", "-o", "out.npy", names=[name], says=says, code=code)
        self.fails("correlate2d", "good.npy", name, "-o", "out.npy", names=[name], says=says, code=code)

    @needs_png
    def test_damaged_png(self):
        pixels = self.integers("uint8", 6, 5, 1)
        whole = png_of(pixels, 8, 0)
        self.refused("bad.png", b"", "empty")
        self.refused("bad.png", pnm_of(pixels[..., 0]), "not a PNG file")
        self.refused("bad.png", whole[:3] + b"\0" + whole[4:], "not a PNG file")
        for length in range(1, len(whole), 3):
            self.write("bad.png", whole[:length])
            self.fails("convolve2d", "bad.png", "--taps", "1", "-o", "out.npy", names=["bad.png"], says="PNG")
        self.refused("bad.png", whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:], "sound PNG")
        self.refused("bad.png", png_of(pixels, 8, 0, shape=(0, 5)), "sound PNG")
        self.refused("bad.png", png_of(pixels, 8, 0, shape=(6, 0)), "sound PNG")
        self.refused("bad.png", png_of(pixels, 8, 0, shape=(60, 5)), "sound PNG")  # fewer pixels than it says
        self.refused("bad.png", png_of(pixels, 8, 7), "sound PNG")
        self.refused("bad.png", png_of(pixels, 16, 3), "sound PNG")
        self.refused("bad.png", png_of(pixels, 8, 3), "sound PNG")  # no palette
        self.refused("bad.png", png_of(pixels, 8, 0, shape=(0x7FFFFFFF, 0x7FFFFFFF)), "bytes that this process may use")

    def test_damaged_pgm_and_ppm(self):
        pixels = self.integers("uint8", 6, 5)
        whole = pnm_of(pixels)
        for length in range(0, len(whole), 2):
            self.write("bad.pgm", whole[:length])
            self.fails("convolve2d", "bad.pgm", "--taps", "1", "-o", "out.npy", names=["bad.pgm"])
        self.refused("bad.pgm", whole[:-1], "truncated: it ends after 29 of 30 bytes of pixels")
        self.refused("bad.ppm", pnm_of(self.integers("uint16", 6, 5, 3))[:-1], "after 179 of 180 bytes")
        self.refused("bad.pgm", b"\x93NUMPY", "neither a binary PGM")
        self.refused("bad.pgm", b"P2\n1 1\n255\n7", "a netpbm file of kind P2")
        for header, says in (
            ("P5\n0 6\n255\n", "the width is 0"), ("P5\n5 0\n255\n", "the height is 0"), ("P5\n5 6\n0\n", "the largest value is 0"),
            ("P5\n5 6\n65536\n", "the largest value is 65536"), ("P5\n-5 6\n255\n", "no width"), ("P5\n5.5 6\n255\n", "no height"),
            ("P5x5 6\n255\n", "no width"), ("P5\n5 6\n255x", "white space"), ("P5\n99999999999999999999999 6\n255\n", "the width is 9999"),
            ("P5\n2147483647 2147483647\n255\n", "bytes that this process may use"), ("P5\n5 6\n#255\nx", "no largest value"),
        ):  # fmt: skip
            with self.subTest(header=header):
                self.refused("bad.pgm", header.encode() + bytes(30), says)
        self.refused("bad.pgm", pnm_of(np.array([[0, 101]], np.uint8), 100), "a pixel is 101")
        self.refused("bad.pgm", pnm_of(np.array([[0, 1024]], np.uint16), 1023), "a pixel is 1024")

    @unittest.skipIf(HAS_PNG, "the tool is built with PNG")
    def test_png_without_libpng(self):
        self.refused("x.png", png_of(self.integers("uint8", 6, 5, 1), 8, 0), "no PNG")
        self.fails("convolve2d", "good.npy", "--taps", "1", "-o", "new.png", names=["new.png"], says="no PNG")

    def test_results_that_a_picture_cannot_hold(self):
        self.save("stack.npy", np.ones((2, 5, 5)))
        self.save("grey.npy", np.ones((5, 5)))
        self.save("five.npy", np.ones((5, 5, 5)))
        self.save("complex.npy", np.ones((5, 5), complex))
        for signal, out, says in (("stack.npy", "new.pgm", "one image"), ("grey.npy", "new.ppm", "has 3 channels"),
                                  ("complex.npy", "new.pgm", "saturate")):  # fmt: skip
            self.fails("convolve2d", signal, "--taps", "1", "-o", out, says=says)
        for out in ("new.pgm", "new.ppm", "new.pnm", "new.png"):
            self.fails("convolve2d", "five.npy", "--channels", "--taps", "1", "-o", out, names=[out], says="channel")

    def test_shapes(self):
        for shape in ((), (5,), (0, 5), (5, 0), (2, 0, 5)):
            self.save("bad.npy", np.ones(shape))
            self.save("good.npy", np.ones((4, 4)))
            self.fails("convolve2d", "bad.npy", "--taps", "1", "-o", "new.npy", names=["bad.npy"], says="the signal has the shape")
            self.fails("convolve2d", "good.npy", "bad.npy", "-o", "new.npy", names=["bad.npy"], says="the filter has the shape")
        self.fails("convolve2d", "good.npy", "--channels", "--taps", "1", "-o", "new.npy", names=["good.npy"], says="channels are expected")
        self.save("stack.npy", np.ones((2, 4, 4)))
        self.fails("convolve2d", "good.npy", "stack.npy", "-o", "new.npy", names=["stack.npy"], says="of one channel")

    def test_valid_needs_one_within_the_other(self):
        self.save("x.npy", np.ones((3, 5)))
        self.fails("convolve2d", "x.npy", "--taps", "1;1;1;1", "--mode", "valid", "-o", "new.npy", names=["x.npy", "the taps"])

    def test_sobel_of_what_has_no_magnitude(self):
        self.save("x.npy", np.ones((4, 4), complex))
        self.fails("convolve2d", "x.npy", "--named", "sobel", "-o", "new.npy", names=["x.npy"], says="real numbers")
        self.save("x.npy", np.ones((4, 4)))
        self.fails("convolve2d", "x.npy", "--named", "sobel", "--dtype", "int32", "-o", "new.npy", names=["x.npy"], says="magnitude")

    def test_wrong_usage(self):
        self.save("x.npy", np.ones((5, 5)))
        good = ["convolve2d", "x.npy", "-o", "new.npy"]
        for arguments in (
            good, ["convolve2d", "--taps", "1", "-o", "new.npy"], ["convolve2d", "x.npy", "--taps", "1"],
            [*good, "x.npy", "--taps", "1"], [*good, "x.npy", "--named", "sobel"], [*good, "--taps", "1", "--named", "sobel"],
            *([*good, "--taps", text] for text in ("", "1,2;3", "1,,2", "1;", "a", "nan", "inf", "1e999", "0x1")),
            *([*good, "--named", text] for text in ("", "sharp", "sobel:2", "gaussian", "gaussian:", "gaussian:0", "gaussian:-1",
                                                   "gaussian:nan", "box:2", "box:0", "box:1.5", "laplacian:1", "gaussian:1,2")),
            ["correlate2d", "x.npy", "--named", "sobel", "-o", "new.npy"], [*good, "--taps", "1", "--boundary", "wrap"],
            [*good, "--taps", "1", "--same", "numpy"], [*good, "--taps", "1", "--lags", "0:1"],
            [*good, "--taps", "1", "--saturate"], [*good, "--taps", "1", "--saturate", "--dtype", "float32"],
            ["convolve2d", "x.npy", "--taps", "1", "-o", "new.pgm", "--dtype", "int16"], ["convolve2d", "-", "-", "-o", "new.npy"],
        ):  # fmt: skip
            with self.subTest(arguments=arguments):
                self.is_wrong_usage(*arguments)

    def test_a_filter_beyond_memory(self):
        self.save("x.npy", np.ones((5, 5)))
        self.fails("convolve2d", "x.npy", "--named", "gaussian:200000000", "-o", "new.npy", says="memory")
        self.fails("convolve2d", "x.npy", "--named", "box:1000000001", "-o", "new.npy", says="memory")


if __name__ == "__main__":
    tool.main()
