"""What was measured, line by line, and the tables made of it."""

import math
import statistics
import sys


class Line:
    """One line of the table: what was measured, ours and each peer's figures round by round: seconds on the wall and of
    all processors together. `goal`: what is to be reached beside each peer that has one."""

    def __init__(self, name, goal=None, bound="", rows=0):
        self.name, self.goal, self.bound, self.rows = name, goal, bound, rows
        self.figures, self.cpu, self.peaks = {}, {}, {}

    def add(self, who, figure, result):
        """`figure` maps a list of times to the one that counts; or names the result's member that does."""
        if callable(figure):
            self.figures.setdefault(who, []).append(figure(result["times_s"]))
            self.cpu.setdefault(who, []).append(figure(result["cpu_s"]))
        else:
            self.figures.setdefault(who, []).append(result[figure])
        peak, before = self.peaks.get(who, (0, 0))
        self.peaks[who] = max(peak, result["peak_bytes"]), max(before, result.get("ready_bytes", 0))

    def ratios(self, peer):
        return [theirs / ours for ours, theirs in zip(self.figures["marigram"], self.figures[peer])]

    def cpu_ratio(self, peer):
        """Of median seconds of all processors together; empty where a process does not tell them apart."""
        if not self.cpu:
            return ""
        return f"{statistics.median(self.cpu[peer]) / statistics.median(self.cpu['marigram']):.2f}x"


def compare(name, who, wanted, got):
    """Both sides read the same: integers exactly, floats up to the order in which they were added."""
    same = wanted.keys() == got.keys() and all(
        math.isclose(wanted[key], got[key], rel_tol=1e-9) if isinstance(wanted[key], float) else wanted[key] == got[key]
        for key in wanted)
    if not same:
        sys.exit(f"bench: {name}: {who} answers otherwise: got {got}, want {wanted}")


def count(number):
    for size, letter in ((10**6, " M"), (10**3, ",000")):
        if number >= size and number % size == 0:
            return f"{number // size}{letter}"
    return f"{number:,}"


def duration(seconds):
    for size, unit in ((1, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def megabytes(peaks):
    peak, before = peaks
    return f"{peak / 1e6:,.0f} ({before / 1e6:,.0f})"


def table(lines):
    """Markdown: a line for each peer."""
    rows = [["what", "ours", "peer", "its figure", "ratio", "of rounds", "CPU ratio", "goal", "bound",
             "peak MB (before)", "peer's"]]
    for line in lines:
        ours = statistics.median(line.figures["marigram"])
        shown = duration(ours) + (f" = {line.rows / ours / 1e6:.2f} M rows/s" if line.rows else "")
        for peer in list(line.figures)[1:]:
            ratios = line.ratios(peer)
            rows.append([line.name, shown, peer, duration(statistics.median(line.figures[peer])),
                         f"{statistics.median(ratios):.2f}x", f"{min(ratios):.2f}–{max(ratios):.2f}",
                         line.cpu_ratio(peer),
                         (line.goal or {}).get(peer, ""), line.bound,
                         megabytes(line.peaks["marigram"]), megabytes(line.peaks[peer])])
    return markdown(rows)


def markdown(rows):
    """The first row is the head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    texts = (" | ".join(cell.ljust(width) for cell, width in zip(row, widths)) for row in rows)
    return "\n".join(f"| {text} |" for text in texts)
