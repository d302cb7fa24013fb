"""The table of faults: every arrow there, and all of them judged as one table."""

from invented import U

from Code.reporting.differences import of_one_table
from Code.reporting.faults import PAIRS, of_table
from Code.reporting.results import load_results


def test_its_arrows_are_corrected_together(write_output):
    changes = of_table(load_results(write_output()))
    judged = [c.difference for c in changes.values() if c.difference and c.difference.known]
    assert len(judged) > 4 and all(d.corrected is not None for d in judged)
    assert [d.corrected for d in judged] == [d.corrected for d in of_one_table(judged)]


def test_an_arrow_goes_from_before_to_after(write_output):
    results = load_results(write_output({"dae": {"metrics": {(U, "psnr_0.5", "test"): 14.0}}}))
    change = of_table(results)["noisy_target"]
    before, after = change.before.mean, change.after.mean
    assert after == 14.0 and change.difference.value == after - before


def test_what_was_not_run_has_no_difference(write_output):
    results = load_results(write_output())
    del results["dae-published"]
    changes = of_table(results)
    assert changes.keys() == PAIRS.keys()
    assert changes["noisy_target"].before is None and changes["noisy_target"].difference is None
    assert changes["no_noise"].difference is not None
