"""How an axis is cut: outputs that are computed together, and the samples that each of them needs. Integers alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

Span = tuple[int, int]  # first, and one behind the last
Lags = range | list[int]

# Boundaries that repeat the signal, forwards or back and forth.
PERIODIC = ("wrap", "reflect", "mirror")


@dataclass(frozen=True)
class Cut:
    """Outputs along one axis: a correlation of a window with all taps."""

    spans: tuple[Span, ...]  # of the signal, which follow each other in the window
    lags: Lags  # of the outputs, counted from the window's first sample
    beyond: bool  # whether there are samples among them that are beyond the ends of the signal


def merged(chunks: Sequence[int], least: int) -> tuple[int, ...]:
    """The chunks, each joined with those behind it until it has `least` samples; the last ones with those before them."""
    joined = [0]
    for chunk in chunks:
        if joined[-1] >= least:
            joined.append(0)
        joined[-1] += chunk
    if len(joined) > 1 and joined[-1] < least:
        last = joined.pop()
        joined[-1] += last
    return tuple(joined)


def fitted(chunks: Sequence[int], count: int) -> tuple[int, ...]:
    """Chunks of `count` outputs: these from the first one on, and what is left as one more."""
    ends = [end for end in accumulate(chunks) if end < count]
    return tuple(end - begin for begin, end in zip([0, *ends], [*ends, count])) if count else (0,)


def window(first: int, last: int, samples: int, taps: int, boundary: str) -> tuple[tuple[Span, ...], int, bool]:
    """Spans that hold all samples which lags from `first` to `last` see, the lag of their first one, and whether what is
    beyond their ends is seen too; there the extension of the window is that of the signal.
    """
    begin, end = first, last + taps
    if 0 <= begin and end <= samples:
        return ((begin, end),), begin, False
    if boundary not in PERIODIC:
        begin = min(max(begin, 0), samples - 1)
        return ((begin, max(min(end, samples), begin + 1)),), begin, True
    if end - begin >= samples:
        return ((0, samples),), 0, True
    period = {"wrap": samples, "reflect": 2 * samples, "mirror": 2 * samples - 2}[boundary]
    origin = begin // period * period
    begin, end = begin - origin, end - origin
    if end <= samples:
        return ((begin, end),), origin + begin, False
    if boundary == "wrap":
        return ((begin, samples), (0, end - samples)), origin + begin, False
    once = 1 if boundary == "mirror" else 0  # the samples at the ends stand once where the signal turns back
    if begin < samples:
        begin = min(begin, 2 * samples - once - end)
        return ((begin, samples),), origin + begin, True
    begin, end = begin - period, end - period
    return ((0, max(end, once - begin)),), origin + period, True


def cut_lags(lags: Lags, most: int) -> Iterator[Lags]:
    """Lags that follow each other, as far apart as `most` at most, and no more of them."""
    if isinstance(lags, range):
        count = max(1, most // max(abs(lags.step), 1))
        yield from (lags[at : at + count] for at in range(0, len(lags), count))
        return
    begin, low, high = 0, 0, 0
    for at, lag in enumerate(lags):
        low, high = (min(low, lag), max(high, lag)) if at > begin else (lag, lag)
        if high - low >= most or at - begin >= most:
            yield lags[begin:at]
            begin, low, high = at, lag, lag
    if begin < len(lags):
        yield lags[begin:]


def cut_of(lags: Lags, samples: int, taps: int, boundary: str) -> Cut:
    """What these outputs, at least one, need."""
    ends = (lags[0], lags[-1]) if isinstance(lags, range) else lags
    spans, origin, beyond = window(min(ends), max(ends), samples, taps, boundary)
    if isinstance(lags, range):
        return Cut(spans, range(lags.start - origin, lags.stop - origin, lags.step), beyond)
    return Cut(spans, [lag - origin for lag in lags], beyond)


def pieces(lags: range, chunks: Sequence[int]) -> Iterator[range]:
    """The lags in chunks of these sizes."""
    ends = list(accumulate(chunks))
    return (lags[begin:end] for begin, end in zip([0, *ends], ends))
