"""Measure, and print one table: each figure, and how many times better nbfunc's is."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable

from bench import files, kernels
from bench.products import PRODUCTS, VENVS, Product
from bench.rows import MEASUREMENTS, ROWS, Row

# A machine that is busy with something else gives figures that say little.
QUIET_LOAD = 0.7

# These print tables of their own.
OTHERS: dict[str, Callable[[], list[str]]] = {"files": files.lines, "kernels": kernels.lines}

Results = dict[str, dict[str, float]]


def main() -> None:
    """Run the bench."""
    known = [*(measurement.measure.__name__ for measurement in MEASUREMENTS), *OTHERS]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=known, help="measure this; may be repeated")
    only = parser.parse_args().only
    load = os.getloadavg()[0]
    if load > QUIET_LOAD:
        print(f"note: the load is {load:.2f} before the start, so the figures are disturbed")
    products = [product for product in PRODUCTS if sys.version_info >= product.python]
    if not only or set(only) - set(OTHERS):
        for product in products:
            product.interpreter()
    results: Results = defaultdict(dict)
    for measurement in MEASUREMENTS:
        if only and measurement.measure.__name__ not in only:
            continue
        rounds: dict[tuple[str, str], list[float]] = defaultdict(list)
        # In turn, so that what disturbs the machine for a while disturbs all of them.
        for _ in range(measurement.rounds):
            for product in products:
                print(f"{measurement.measure.__name__}: {product.name}", file=sys.stderr)
                for title, value in measurement.measure(product).items():
                    rounds[title, product.name].append(value)
        for (title, name), values in rounds.items():
            results[title][name] = statistics.median(values)
    shutil.rmtree(VENVS / "work", ignore_errors=True)
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}"
    print(f"Python {platform.python_version()}, {machine}, load {load:.2f} before")
    if results:
        print("\n".join(table(results, products)))
    for name, lines in OTHERS.items():
        if not only or name in only:
            print("\n".join(lines()), flush=True)


def table(results: Results, products: list[Product]) -> list[str]:
    """Return the lines of a table; the ratio after a figure says how many times better nbfunc's is."""
    ours, *others = products
    width = max(len(row.title) + len(row.unit) + 2 for row in ROWS)
    lines = [f"{'':{width}} {ours.name:>10}" + "".join(f" {other.name:>26}" for other in others)]
    for row in ROWS:
        figures = results.get(row.title)
        if not figures:
            continue
        line = f"{row.title + ', ' + row.unit:{width}} {_number(figures[ours.name]):>10}"
        for other in others:
            value = figures.get(other.name)
            said = (
                "not offered"
                if value is None
                else f"{_number(value)} {_ratio(row, figures[ours.name], value)}"
            )
            line += f" {said:>26}"
        lines.append(line)
    return lines


def _ratio(row: Row, ours: float, theirs: float) -> str:
    better, worse = (ours, theirs) if row.more_is_better else (theirs, ours)
    return f"({better / worse:7.2f}x)" if worse > 0 else "(      -)"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


if __name__ == "__main__":
    main()
