"""The report's section on speed, from invented figures."""

import copy
import json
import re
from collections import Counter

import pytest
from invented import tiny_png

from Code.reporting.benchmark import BARS, FILE, GROWTH, benchmark_of, load_benchmark
from Code.reporting.render import render_reports
from Code.reporting.results import ResultError

SECTION = re.compile(r"^## (?:\d+\. )?(?:Speed|速度)$(.*?)(?=^## )", re.M | re.S)
NUMBER = re.compile(r"\d+\.\d+")


def row(contender, seconds, **fields):
    return {
        "contender": contender,
        "seconds": seconds,
        "all_seconds": [seconds] * 3,
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
    "repeats": 3,
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
    "inference": {"ae": [codes("ours", 0.5, 1000), codes("keras_fit", 2.0, 32)]},
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
    networks__ae__rows__0__seconds=0.3,
    networks__dae__rows__0__seconds=2.0,
    networks__cae__rows__0__seconds=20.0,
    networks__vae__rows__0__seconds=8.0,
    limit__copy_gb_per_second=1e5,
    jobs__seconds=55.0,
    jobs__equal=False,
)


@pytest.fixture
def sections(write_output, tmp_path):
    """``sections(raw)`` → the section in English and in Chinese; None writes no file."""

    def of(raw, figures=True):
        output = write_output()
        if raw is not None:
            (output / FILE).write_text(json.dumps(raw), encoding="utf-8")
            for name in (BARS, GROWTH) if figures else ():
                (output / name).write_bytes(tiny_png())
        paths = render_reports(output, tmp_path / "report")
        texts = [path.read_text(encoding="utf-8") for path in paths]
        return [SECTION.search(text)[1] for text in texts]

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
    assert "12 of 12 targets are reached." in english and "Not reached" not in english
    assert "0 of 12 targets are reached." in missed_en and "达到 0 项" in missed_zh
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
    raw = changed(networks__ae__rows__1={"contender": "keras_fit", "skipped": "ran out"})
    english, chinese = sections(raw)
    assert "11 of 12 targets are reached; 1 could not be measured." in english
    assert "not measured" in english and "未测量" in chinese
    assert "`keras_fit` (ran out)" in english


def test_figures_are_linked_where_they_are(sections):
    for text in sections(REACHED):
        assert re.findall(r"\]\((\S+)\)", text) == [f"../output/{BARS}", f"../output/{GROWTH}"]
    for text in sections(REACHED, figures=False):
        assert "](" not in text


@pytest.mark.parametrize("part", ["networks", "inference", "growth", "jobs"])
def test_a_part_that_was_not_run_is_left_out(sections, part):
    raw = {key: value for key, value in REACHED.items() if key != part}
    full, partial = sections(REACHED), sections(raw)
    for whole, rest in zip(full, partial, strict=True):
        assert rest.count("###") < whole.count("###")


def test_ratios_limits_and_powers():
    benchmark = benchmark_of(REACHED)
    ae, dae, *_ = benchmark.networks
    assert ae.ratio(ae.row("keras_fit")) == pytest.approx(23.75)
    assert ae.limit_seconds == pytest.approx(1.9 / 40) == ae.traffic_seconds
    assert ae.share(ae.row("ours")) == pytest.approx(0.59375)
    assert dae.limit_seconds == pytest.approx(66.6 / 130) == dae.arithmetic_seconds
    assert dae.fastest_other.contender == "jax_epoch"
    assert benchmark.exponent("images", "784-2-784") == pytest.approx(1.0)
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
