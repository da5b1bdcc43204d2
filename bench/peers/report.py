"""A result file as text: one block a problem, everyone's time and error, and gpuconv's lead at equal accuracy."""

from . import analysis
from .timing import relative_spread


def time_text(value: float) -> str:
    for scale, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "us")):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def rate_text(value: float) -> str:
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value:.3g} "


def lines(result: dict):
    yield from _header(result)
    for suite in ("small", "large"):
        for (signal, taps, dtype), by_contestant in analysis.problems(result, suite).items():
            yield ""
            yield from _problem(f"{signal:,} samples x {taps:,} taps, {dtype}, CPU", by_contestant)
    yield from _summary(result)
    yield from _crossovers(result)


def _header(result: dict):
    machine, build, libraries = result["machine"], result["build"], result["libraries"]
    yield f"gpuconv {build['version']} ({result['commit'][:10]}{', modified' if result['modified'] else ''}) {result['date']}"
    yield (f"{machine['cpu']}, {machine['threads']} threads, {build['simd_target']}, {build['compiler']}; "
           f"NumPy {libraries['numpy']}, SciPy {libraries['scipy']}")
    spread = result["noise"]
    yield (f"noise: quartiles {spread['median_relative_spread']:.1%} of the median apart (worst "
           f"{spread['worst_relative_spread']:.0%}); load {spread['load_before']:.1f} before, {spread['load_after']:.1f} after")
    overhead = result["call_overhead_seconds"]
    yield (f"contained in gpuconv's times called from Python: {time_text(overhead['plan']['median'])} around a plan's call, "
           f"{time_text(overhead['one_shot']['median'])} around a one-shot call (ctypes, the new output array)")


def _problem(title: str, by_contestant: dict):
    yield title
    yield (f"  {'':<32} {'call':>6} {'threads':>7} {'median':>9} {'least':>9} {'spread':>6} {'samples/s':>10}"
           f" {'max error':>9} {'rel. L2':>8}")
    for (name, call), m in sorted(by_contestant.items(), key=lambda item: analysis.seconds(item[1])):
        errors = f"{m['max_error']:9.1e} {m['relative_l2']:8.1e}" if "relative_l2" in m else f"{'-':>9} {'-':>8}"
        yield (f"  {name:<32} {call:>6} {m['threads']:>7} {time_text(analysis.seconds(m)):>9} "
               f"{time_text(m['seconds']['least']):>9} {relative_spread(m['seconds']):>6.1%} "
               f"{rate_text(m['samples_per_second']):>10} {errors}")


def _summary(result: dict):
    yield ""
    yield "gpuconv (CPU, called from Python) against the fastest of NumPy and SciPy, same element type"
    yield (f"  {'signal':>12} {'taps':>10} {'dtype':>8} {'plan':>8} {'one-shot':>8} {'vs workers':>10} {'of copy':>8}"
           "  against")
    unequal = False
    for suite in ("small", "large"):
        for (signal, taps, dtype), entry in analysis.problems(result, suite).items():
            plan, one_shot = entry["gpuconv plan", "python"], entry.get(("gpuconv one-shot", "python"))
            peer, worker = analysis.best(analysis.peers(entry)), analysis.best(analysis.peers(entry, workers=True))
            copy = entry.get(("streaming copy", "python"))
            if peer is None:
                continue
            mark = "" if analysis.equal_accuracy(plan, peer) else " *"
            unequal |= bool(mark)
            lead = lambda ours, theirs: f"{analysis.seconds(theirs) / analysis.seconds(ours):.1f}x" if ours and theirs else "-"
            share = f"{analysis.seconds(copy) / analysis.seconds(plan):.0%}" if copy else "-"
            yield (f"  {signal:>12,} {taps:>10,} {dtype:>8} {lead(plan, peer):>8} {lead(one_shot, peer):>8} "
                   f"{lead(plan, worker):>10} {share:>8}  {peer['contestant']}{mark}")
    if unequal:
        yield f"  * its error differs from gpuconv's by more than {analysis.EQUAL_ACCURACY}x: not the same work; see the table above"
    yield "gpuconv is slower than NumPy or SciPy at: " + (", ".join(analysis.slower_than_a_peer(result)) or "no problem measured")


def _crossovers(result: dict):
    if not result["crossovers"]:
        return
    yield ""
    yield "taps from which a transform overtakes the direct sum (float32, CPU)"
    by_signal = {}
    for c in result["crossovers"]:
        by_signal.setdefault(c["signal"], {})[c["who"]] = c["taps"]
    for signal, taps in by_signal.items():
        text = lambda who: f"{taps[who]:.0f}" if taps.get(who) else "never"
        yield f"  signal {signal:>10,}:  gpuconv {text('gpuconv'):>6}   NumPy and SciPy {text('numpy and scipy'):>6}"
