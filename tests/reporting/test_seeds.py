"""What the committed run concludes stays concluded whichever of its seeds had been run."""

from collections import defaultdict
from dataclasses import replace
from statistics import fmean, stdev

import pytest

from Code.reporting import published_figures, reference
from Code.reporting.claims import verdicts
from Code.reporting.failures import without_failed
from Code.reporting.results import load_results


def of_seeds(result, seeds):
    """A result as if only these of its seeds had been run; None if it has none of them."""
    at = [i for i, seed in enumerate(result.seeds) if seed in seeds]
    if not at:
        return None

    def fewer(measure):
        if len(measure.values) != len(result.seeds):
            return measure
        values = tuple(measure.values[i] for i in at)
        std = stdev(values) if len(values) > 1 else None
        return replace(measure, values=values, mean=fmean(values), std=std)

    kept = tuple(seed for seed in result.seeds if seed in seeds)
    return replace(result, seeds=kept, measures=tuple(map(fewer, result.measures)))


@pytest.fixture(scope="module")
def subsets(root):
    """The results of every single seed, of each three in a row, and of all."""
    results = load_results(root / "output")
    seeds = sorted({seed for result in results.values() for seed in result.seeds})
    chosen = [(seed,) for seed in seeds]
    chosen += [tuple(seeds[i : i + 3]) for i in range(0, len(seeds), 3)] + [tuple(seeds)]
    spreads = reference.spreads(root / "output/reference/results.csv", reference.MEASURE)
    found = {}
    for some in dict.fromkeys(chosen):
        fewer = {name: of_seeds(result, some) for name, result in results.items()}
        there = {name: result for name, result in fewer.items() if result is not None}
        found[some] = reference.with_spreads(without_failed(there), spreads)
    return found


def test_no_part_of_a_claim_is_decided_both_ways(subsets):
    said = defaultdict(dict)
    for seeds, results in subsets.items():
        for verdict in verdicts(results):
            for part in verdict.parts:
                said[verdict.claim, part.key][seeds] = part.holds
    assert any(True in of.values() for of in said.values())
    both = {part: of for part, of in said.items() if {True, False} <= set(of.values())}
    assert not both


def test_no_published_figure_is_both_reproduced_and_not(subsets):
    said = defaultdict(dict)
    for seeds, results in subsets.items():
        for found in published_figures.comparisons(results):
            said[found.experiment, found.stage, found.metric][seeds] = found.verdict
    assert any("reproduced" in of.values() for of in said.values())
    both = {f: of for f, of in said.items() if {"reproduced", "not_reproduced"} <= set(of.values())}
    assert not both
