"""The report's section on speed, from invented figures."""

import copy
import json
import re
from collections import Counter

import numpy as np
import pytest
from invented import tiny_png
from pages import rendered

from Code.reporting.benchmark import (
    BARS,
    FILE,
    GROWTH,
    Ratio,
    benchmark_of,
    faster_ways,
    load_benchmark,
    median_interval,
)
from Code.reporting.results import ResultError

NUMBER = re.compile(r"\d+\.\d+")


def row(contender, seconds, **fields):
    return {
        "contender": contender,
        "seconds": seconds,
        "all_seconds": [seconds] * 9,
        "peak_memory_mb": 812.3,
        "loss": 0.0431,
        **fields,
    }


def network(title, gflop, ours, plain, fastest, gbytes=None):
    rows = [row("ours", ours), row("keras_fit", plain), row("jax_epoch", fastest)]
    rows.append({"contender": "torch_eager", "skipped": "torch not installed"})
    return {"title": title, "gflop": gflop, "gbytes": gbytes, "rows": rows}


def codes(contender, seconds, batch_size):
    made = row(contender, seconds, batch_size=batch_size)
    del made["loss"]
    return made


def point(axis, value, seconds):
    return {"axis": axis, "network": "784-2-784", "value": value, "seconds": seconds}


REACHED = {
    "images": 60000,
    "batch_size": 64,
    "repeats": 9,
    "threads": 2,
    "finished": "2026-01-01T00:00:00Z",
    "versions": {"python": "3.11.9", "keras": "3.0"},
    "machine": {"cpu": "fixture | cpu", "cores": 2, "memory_gb": 8, "system": "Linux"},
    "limit": {"gflops": 130.0, "copy_gb_per_second": 40.0, "matrix": 4096},
    "networks": {
        "ae": network("AE", 0.94, 0.08, 1.9, 0.26, gbytes=1.9),
        "dae": network("DAE", 66.6, 0.7, 4.5, 1.2),
        "cae": network("CAE", 240.0, 6.0, 40.0, 15.0),
        "vae": network("VAE", 242.0, 2.3, 9.5, 3.4),
    },
    "inference": {"ae": [codes("ours", 0.5, 1000), codes("torch_eager", 0.6, 1000)]},
    "calls": {"ae": [codes("ours", 0.0004, 1), codes("ours", 0.0005, 10)]},
    "ways": {
        "ae": [row("ours", 0.08), row("one_thread", 0.07)],
        "cae": [row("ours", 6.0), {"contender": "with_xla", "skipped": "given up"}],
    },
    "growth": [point("images", 1000, 0.002), point("images", 60000, 0.12)],
    "jobs": {
        "experiments": ["ae", "ae-tanh"],
        "quick": False,
        "jobs": 2,
        "seconds_one_job": 60.0,
        "seconds": 35.0,
        "equal": True,
    },
}


def changed(**paths):
    """A copy of the invented benchmark with ``{"networks__ae__gflop": 1.0}`` replaced."""
    raw = copy.deepcopy(REACHED)
    for path, value in paths.items():
        *place, last = path.split("__")
        part = raw
        for key in place:
            part = part[int(key)] if isinstance(part, list) else part[key]
        part[int(last) if isinstance(part, list) else last] = value
    return raw


MISSED = changed(
    networks__ae__rows__0=row("ours", 0.3),
    networks__dae__rows__0=row("ours", 2.0),
    networks__cae__rows__0=row("ours", 20.0),
    networks__vae__rows__0=row("ours", 8.0),
    inference__ae__0=codes("ours", 0.7, 1000),
    calls__ae__0=codes("ours", 0.004, 1),
    calls__ae__1=codes("ours", 0.004, 10),
    limit__copy_gb_per_second=1e5,
    jobs__seconds=55.0,
    jobs__equal=False,
)


def body(text):
    """A page without its title and its links to other pages."""
    _, *parts = re.split(r"\n\n", text.rpartition("\n---\n")[0])
    return "\n\n".join(p for p in parts if ".md)" not in p and "](#" not in p)


@pytest.fixture
def sections(write_output, tmp_path):
    """``sections(raw)`` → the section in English and in Chinese; None writes no file."""

    def of(raw, figures=True):
        output = write_output()
        if raw is not None:
            (output / FILE).write_text(json.dumps(raw), encoding="utf-8")
            for name in (BARS, GROWTH) if figures else ():
                (output / name).write_bytes(tiny_png())
        return list(map(body, rendered(output, tmp_path / "report").both("speed")))

    return of


def test_without_a_benchmark_one_line_says_how_to_make_it(sections):
    for text in sections(None):
        assert len(text.strip().splitlines()) == 1
        assert "`python -m tests.benchmarks.speed`" in text


@pytest.mark.parametrize("raw", [REACHED, MISSED], ids=["reached", "missed"])
def test_both_languages_say_the_same(sections, raw):
    english, chinese = sections(raw)
    assert Counter(NUMBER.findall(english)) == Counter(NUMBER.findall(chinese))
    assert shape(english) == shape(chinese)
    assert not re.search(r"[一-鿿]", english)
    for text in (english, chinese):
        assert "None" not in text and "nan" not in text
        for block in text.split("\n\n"):
            lines = block.splitlines()
            if any(line.startswith("|") for line in lines):
                assert all(line.startswith("|") for line in lines), block
                assert len({line.replace(r"\|", "").count("|") for line in lines}) == 1, block
            if block.startswith("#"):
                assert len(lines) == 1, block


def shape(text):
    return [
        (line.count("|"), NUMBER.findall(line)) if line.startswith("|") else line.count("#")
        for line in text.splitlines()
        if line.startswith(("#", "|"))
    ]


def test_targets_turn_round_with_the_figures(sections):
    english, chinese = sections(REACHED)
    missed_en, missed_zh = sections(MISSED)
    assert "7 of 7 targets are reached." in english
    assert "0 of 7 targets are reached." in missed_en and "达到 0 项" in missed_zh
    # What was asked for earlier stays in a table of its own
    for text, yes, no in ((english, 19, 0), (missed_en, 0, 19)):
        ends = [line.split("|")[-2].strip() for line in text.splitlines() if "|" in line]
        assert (ends.count("yes"), ends.count("no")) == (yes, no)
    for yes, no, before, after in [
        ("is the fastest:", "is not the fastest:", english, missed_en),
        ("moving the numbers is what binds", "the arithmetic is what binds", english, missed_en),
        ("1.4: reached", "1.4: not reached", english, missed_en),
        ("the same results.csv", "different results.csv", english, missed_en),
        ("本项目最快", "本项目不是最快", chinese, missed_zh),
        ("瓶颈在内存读写", "瓶颈在运算", chinese, missed_zh),
        ("1.4：达到", "1.4：未达到", chinese, missed_zh),
        ("results.csv 相同", "results.csv 不同", chinese, missed_zh),
    ]:
        assert yes in before and no not in before, yes
        assert no in after and yes not in after, no


def test_a_target_that_cannot_be_measured_is_not_called_missed(sections):
    skipped = {"contender": "torch_eager", "batch_size": 1000, "skipped": "ran out"}
    raw = changed(inference__ae__1=skipped)
    raw["networks"]["ae"]["rows"][1] = {"contender": "keras_fit", "skipped": "ran out"}
    english, chinese = sections(raw)
    assert "6 of 7 targets are reached; 1 could not be measured." in english
    assert "not measured" in english and "未测量" in chinese
    assert "`keras_fit` (ran out)" in english


def test_figures_are_linked_where_they_are(sections):
    for text in sections(REACHED):
        assert re.findall(r"\]\((\S+)\)", text) == [
            f"../../output/{BARS}",
            f"../../output/{GROWTH}",
        ]
    for text in sections(REACHED, figures=False):
        assert "](" not in text


@pytest.mark.parametrize("part", ["networks", "inference", "calls", "growth", "jobs"])
def test_a_part_that_was_not_run_is_left_out(sections, part):
    raw = {key: value for key, value in REACHED.items() if key != part}
    full, partial = sections(REACHED), sections(raw)
    for whole, rest in zip(full, partial, strict=True):
        assert rest.count("\n## ") < whole.count("\n## ")


def test_a_ratio_is_taken_round_by_round():
    """A slow minute slows both: neither the ratio nor its interval sees it."""
    slow = [1, 1, 5, 1, 1, 2, 1, 1, 1]
    ours = row("ours", 1.0, all_seconds=[1.0 * s for s in slow])
    other = row("jax_epoch", 1.1, all_seconds=[1.1 * s for s in slow])
    raw = changed(networks__ae__rows=[ours, other])
    ae = benchmark_of(raw).networks[0]
    found = ae.paired(ae.row("jax_epoch"))
    assert (found.value, found.low, found.high) == pytest.approx((1.1, 1.1, 1.1))
    assert found.level


@pytest.mark.parametrize(("n", "k"), [(5, None), (6, 1), (8, 1), (9, 2), (12, 3), (15, 4), (20, 6)])
def test_the_interval_of_a_median_by_a_printed_table(n, k):
    """The ranks of Conover's table for 95 %."""
    values = list(range(1, n + 1))
    assert median_interval(values) == (None if k is None else (k, n + 1 - k))


def test_the_interval_holds_the_median_in_95_percent_of_draws():
    draws = np.random.default_rng(0).lognormal(0.3, 0.5, (4000, 9))
    inside = [low <= np.exp(0.3) <= high for low, high in map(median_interval, draws.tolist())]
    # 96.1 %, as ranks are whole numbers; a standard error of 0.3 %
    assert np.mean(inside) == pytest.approx(0.961, abs=0.01)


def test_level_is_what_the_interval_cannot_tell_from_slower():
    rounds = [0.9, 0.95, 1.05, 0.97, 1.02, 0.94, 0.96, 0.93, 1.01]
    ours, other = row("ours", 1.0), row("jax_epoch", 0.96, all_seconds=rounds)
    for raw, reached in ((other, True), (row("jax_epoch", 0.9), False)):
        ae = benchmark_of(changed(networks__ae__rows=[ours, raw])).networks[0]
        (level,) = ae.targets()
        assert level.kind == "level" and level.value < 1 and level.reached is reached


def test_the_page_says_level_where_the_interval_holds_one(sections):
    rounds = [0.079, 0.081, 0.082, 0.083, 0.081, 0.082, 0.078, 0.083, 0.081]
    close = [row("ours", 0.08), row("jax_epoch", 0.081, all_seconds=rounds)]
    english, chinese = sections(changed(networks__ae__rows=close))
    line = next(line for line in english.splitlines() if line.startswith("**AE"))
    assert "is level" in line and "fastest:" not in line and "not the fastest" not in line
    assert "最快的 `jax_epoch` 相当" in chinese and "区间包含 1" in chinese


@pytest.mark.parametrize(
    "value, low, high, verdict",
    [
        (1.02, 1.01, 1.05, "ahead"),
        (1.02, 0.99, 1.05, "level"),
        (1.02, None, None, "ahead"),
        (0.8, 0.7, 0.9, "behind"),
    ],
)
def test_ahead_level_behind(value, low, high, verdict):
    assert Ratio(value, low, high).verdict == verdict


def test_a_way_is_adopted_that_is_faster_wherever_it_was_tried(sections):
    ways = {
        "ae": [row("ours", 0.08), row("one_thread", 0.07), row("wide_vectors", 0.07)],
        "vae": [row("ours", 2.0), row("one_thread", 2.1), row("wide_vectors", 1.9)],
        "cae": [row("ours", 6.0), {"contender": "wide_vectors", "skipped": "given up"}],
    }
    assert faster_ways(benchmark_of(changed(ways=ways)).ways) == ["wide_vectors"]
    told = "it was tried on: XLA may use vectors of 512 bits."
    assert told in sections(changed(ways=ways))[0]
    del ways["ae"][2]
    ways["vae"][2] = row("wide_vectors", 2.0)
    assert "it was tried on: none of these." in sections(changed(ways=ways))[0]


def test_ratios_limits_and_powers():
    benchmark = benchmark_of(REACHED)
    ae, dae, *_ = benchmark.networks
    assert ae.ratio(ae.row("keras_fit")) == pytest.approx(23.75)
    assert ae.limit_seconds == pytest.approx(1.9 / 40) == ae.traffic_seconds
    assert ae.share(ae.row("ours")) == pytest.approx(0.59375)
    assert dae.limit_seconds == pytest.approx(66.6 / 130) == dae.arithmetic_seconds
    assert dae.fastest_other.contender == "jax_epoch"
    assert ae.share_of_products is None
    products = benchmark_of(changed(networks__dae__products_seconds=0.35)).networks[1]
    assert products.share_of_products == pytest.approx(0.5)
    assert [t.kind for t in products.targets()] == ["level", "products"]
    assert products.targets()[1].reached
    assert benchmark.exponent("images", "784-2-784") == pytest.approx(1.0)
    turning = [point("images", n, s) for n, s in ((1000, 0.02), (5000, 0.01), (60000, 0.02))]
    assert benchmark_of(changed(growth=turning)).exponent("images", "784-2-784") is None
    assert benchmark.jobs.ratio == pytest.approx(60 / 35)


@pytest.mark.parametrize(
    "raw",
    [
        [],
        {},
        changed(images=0),
        changed(repeats=True),
        changed(limit={"gflops": -1.0, "copy_gb_per_second": 1.0}),
        changed(networks__ae__rows__0__seconds="fast"),
        changed(networks__ae__rows__0=row("keras_fit", 1.0)),
        changed(networks__ae__rows__0__peak_memory_mb=None),
        changed(growth__0__value=60000),
        changed(jobs__equal="yes"),
        {key: value for key, value in REACHED.items() if key != "limit"},
    ],
)
def test_a_malformed_file_is_named_in_one_line(tmp_path, raw):
    (tmp_path / FILE).write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(ResultError, match=r"benchmark\.json: .*tests\.benchmarks\.speed") as caught:
        load_benchmark(tmp_path)
    assert "\n" not in str(caught.value)


def test_half_a_file_is_named_too(tmp_path):
    (tmp_path / FILE).write_text(json.dumps(REACHED)[:100], encoding="utf-8")
    with pytest.raises(ResultError, match=r"benchmark\.json"):
        load_benchmark(tmp_path)


def test_what_was_tried_stands_beside_what_is(sections):
    for text in sections(REACHED):
        cells = next(line for line in text.splitlines() if "0.070" in line).split("|")
        assert cells[4].strip() == "0.88"
        assert "given up" in text


def test_the_products_alone_stand_beside_the_epoch(sections):
    for text in sections(REACHED):
        assert "0.350" not in text
    for text in sections(changed(networks__dae__products_seconds=0.35)):
        line = next(line for line in text.splitlines() if line.startswith("**DAE"))
        # 66.6 GFLOP at 130 GFLOP/s in 0.35 s would be 146 % of the limit; 0.7 s is twice as long
        assert "0.350" in line and "146 %" in line and "2.00" in line
