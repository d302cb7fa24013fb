"""What the committed run concludes stays concluded whichever of its seeds had been run."""

import json
from collections import defaultdict
from dataclasses import replace
from itertools import combinations
from statistics import fmean, stdev

import pytest

from Code.reporting import published_figures, reference
from Code.reporting.claims import verdicts
from Code.reporting.failures import without_failed
from Code.reporting.results import load_results
from Code.reporting.uses import FILE, uses_of


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


def test_no_two_models_are_ordered_both_ways_in_a_use(root):
    """Nor is a lead by mean rank claimed by two seeds that all of them give to another."""
    raw = json.loads((root / "output" / FILE).read_text("utf-8"))
    seeds = raw["seeds"]

    def only(some):
        def fewer(values):
            return [value for seed, value in zip(seeds, values, strict=False) if seed in some]

        of_uses = {}
        for use, found in raw["uses"].items():
            values = {
                metric: {name: fewer(values) for name, values in of.items()}
                for metric, of in found["values"].items()
            }
            of_uses[use] = found | {"values": values}
        return uses_of(raw | {"seeds": list(some), "uses": of_uses})

    subsets = [uses_of(raw), *map(only, combinations(seeds, 2))]
    assert len(subsets) > 3
    said = defaultdict(set)
    for uses in subsets:
        for metric in uses.columns:
            for a, b in combinations(
                sorted(s.name for s in metric.contenders(uses.of_width(16))), 2
            ):
                said[metric.name, a, b].add(metric.relation(metric.score(a), metric.score(b)))
    assert len(said) > 2000
    assert [pair for pair, relations in said.items() if {"better", "worse"} <= relations] == []
    leads = [set(uses.sharing_the_lead(16)) for uses in subsets]
    assert set.intersection(*leads)
