from invented import U

from Code.reporting.denoising import beats_rivals, of_table, psnr_rows
from Code.reporting.differences import of_one_table
from Code.reporting.results import load_results


def test_beating_the_rivals_means_at_every_level(write_output):
    assert beats_rivals(load_results(write_output()), "dae") is True
    change = {"dae": {"metrics": {(U, "psnr_0.75", "test"): 9.0}}}
    assert beats_rivals(load_results(write_output(change)), "dae") is False
    assert beats_rivals({}, "dae") is None


def test_the_filter_is_the_better_of_the_two_at_every_level(write_output):
    rows = psnr_rows(load_results(write_output()), "dae")
    rival = {row.level: row.best_filter.metric.rsplit("_", 1)[0] for row in rows}
    assert rival == {
        "0.25": "psnr_median_filter",
        "0.5": "psnr_median_filter",
        "0.75": "psnr_mean_filter",
    }
    # Above the noisy input and the mean filter, below the median filter
    change = {"dae": {"metrics": {(U, "psnr_0.25", "test"): 15.2}}}
    assert beats_rivals(load_results(write_output(change)), "dae") is False


def test_the_gains_of_a_table_are_corrected_together(write_output):
    results = load_results(write_output())
    names = [name for name in ("dae", "cae-denoising") if name in results]
    lines = of_table(results, names, U)
    gains = [d for _, *both in lines for d in both if d.known]
    assert len(lines) == len([r for n in names for r in psnr_rows(results, n) if r.stage == U])
    assert gains and all(d.corrected is not None for d in gains)
    alone = of_one_table([d for row, *_ in lines for d in (row.gain, row.gain_over_filter)])
    assert [d.corrected for _, *both in lines for d in both] == [d.corrected for d in alone]
