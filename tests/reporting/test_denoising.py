from invented import U

from Code.reporting.denoising import beats_rivals
from Code.reporting.results import load_results


def test_beating_the_rivals_means_at_every_level(write_output):
    assert beats_rivals(load_results(write_output()), "dae") is True
    change = {"dae": {"metrics": {(U, "psnr_0.75", "test"): 9.0}}}
    assert beats_rivals(load_results(write_output(change)), "dae") is False
    assert beats_rivals({}, "dae") is None
