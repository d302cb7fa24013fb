"""The rules by which this report concludes: its protocol.

They were written down before the reference was trained. What was changed when figures of it had
been seen is told in the report's methods, with what it changed.

Every level, threshold and margin that turns a measurement into a sentence stands here, and the
report prints them in its methods.

1. **Spread.** The spread of a figure is its sample standard deviation over the seeds of this run,
   or that of the same row in the committed reference where the reference has more seeds. A
   baseline without chance has no spread. Where neither is known, no difference is claimed.
2. **Difference.** Two figures differ if Welch's interval of their difference, with Student's
   quantile, excludes 0 at `LEVEL`; within one table the levels are corrected by Holm's method. On
   the page of uses that is for all models that compete in the use, shown or not, and for the
   baselines shown by themselves.
3. **Same.** Two figures are the same if the interval of their difference at `SAME_LEVEL` lies
   within the margin of the metric (`margin_of`), by two one-sided tests, even where it excludes 0:
   a difference beyond chance that is of no account is none. Figures that are neither the same nor
   different are undecided. One figure is not above another if the upper end of that interval lies
   below the margin, one of the two tests; not below, likewise.
4. **Failed.** A training has failed if its test MSE is at or above that of the mean training image
   (`FAILED_SHARE`), or its code is constant. A model that learns to guess hidden pixels is judged
   by its MSE on these. A failed training is named, and left out of means, ranks, winners and
   conclusions. Quick runs are not judged. A row that repeats the published experiment is judged
   as it is, even where it ends above the mean image itself; so is a trial whose target is the
   noisy image, as that of the published DAE.
5. **Rank.** A mean rank has an interval: `RANK_DRAWS` draws of every mean, from the standard
   deviation pooled over the models of the table, with Student's quantiles. It is widened towards
   the measured rank by what that differs from the mean of the drawn ones. Where a use has fewer
   models, its ranks are stretched to 1 … all. The lead is shared by all whose interval overlaps
   that of the first.
6. **Reproduced.** Where the protocol is the same, a published figure is reproduced if it lies in
   the interval in which one more run of ours would lie at `LEVEL`, widened by the reading error,
   and is not reproduced if it lies outside that at `OUTSIDE_LEVEL`. Between the two, where a single
   one of our seeds may say otherwise than all, it is undecided; so it is by an interval that
   reaches further than `WIDEST` of the figure, or a spread from fewer than three seeds. Where the
   protocol is another, what differs is named and there is no verdict.
7. **Claim.** A part of a claim holds if its criterion is met by these rules, does not hold if the
   contrary is shown, and is undecided otherwise. All parts must hold for the claim to hold.
8. **Agreement.** A figure of a run agrees with the committed reference if Welch's interval of their
   difference at `LEVEL` holds 0; of a figure without chance, if both differ by no more than
   `SAME_ROUNDING` of it. By chance alone one figure in twenty lies outside.
9. **Weights.** The weights that are committed are rounded to the fewest bits on trial (half
   precision is one of the trials) that move no figure that they decide by more than
   `HALF_PRECISION` of its spread over the seeds (without a known spread, of `SAME_ROUNDING` of
   it); without such a trial they stay as they are. A figure that is computed again from them agrees
   if it lies within `SAME_ROUNDING` of the committed one, or within that share of the spread; where
   it is drawn at random, within what one more draw allows beyond that.
10. **Other data.** The order of the variants in a use, of one width, on MNIST and on another data
    set is compared by Spearman's rank correlation, over the variants that compete on both. Its
    interval at `LEVEL` is that of `ORDER_DRAWS` draws of as many variants with replacement; fewer
    than `LEAST_VARIANTS` different figures have none. Advice holds there if MNIST's best is the
    best there too, or behind it by no more than the metric's margin; of the mean rank, if it is
    first. A lead that several share is no advice.
11. **Prior.** A training's codes meet their prior if a classifier with as much to learn from tells
    them from draws of the prior in at most `PRIOR_MET` of the cases (0.5 is chance).
12. **Capable.** A model competes in disentangling if the factors can be read from its code, with an
    R² of at least `INFORMATIVE` on average, and if its DCI lies above that of the same code after a
    random rotation: Student's interval at `LEVEL` of the difference, seed by seed, lies above 0.
"""

LEVEL = 0.95
"""Confidence level of a difference, two-sided, before Holm's correction."""

OUTSIDE_LEVEL = 0.98
"""Confidence level of the range outside which a figure is not reproduced. One of three seeds lies
at most 1.2 standard deviations from their mean: at this level, with their spread, it cannot call a
figure reproduced that all three call not reproduced, or the reverse."""

SAME_LEVEL = 0.90
"""Confidence level of the interval that must lie within the margin: two one-sided tests at 5 %."""

FAILED_SHARE = 0.99
"""Share of the mean image's error from which a training has failed; a dead network ends at 1."""

CONSTANT_CODE = 1e-6
"""A code whose units vary by less, relative to their size, is constant."""

RANK_DRAWS = 2_000
"""Draws of the simulation that gives a mean rank its interval."""

ORDER_DRAWS = 2_000
"""Draws of the bootstrap that gives the correlation of two orders its interval."""

LEAST_VARIANTS = 8
"""Figures that differ from which that interval holds the truth as often as it says."""

INFORMATIVE = 0.5
"""R² of the factors, on average, from which a code can be said to tell them (`Code.tasks`)."""

PRIOR_MET = 0.65
"""Accuracy of the two-sample test up to which codes meet their prior; `Code.parts.two_sample`."""

CHANGES_NAMED = 3
"""So many of the largest changes of place are named."""

# Margins within which two figures count as the same, in the metric's unit: the first of these
# beginnings that a metric's name has decides. What no reader would act on is within its margin.
MARGINS = {
    "psnr": 0.5,  # dB
    "knn_accuracy": 0.05,
    "nn_error": 0.05,
    "accuracy_kmeans": 0.02,
    "accuracy_mixture": 0.02,
    "accuracy_own": 0.02,
    # Of an encoder with its head; what papers claim is often less than one error in 100 images
    "accuracy": 0.002,
    "test_accuracy": 0.002,
    "probe": 0.02,
    "svm_error": 0.02,
    "auroc": 0.02,
    "axis_fraction": 0.05,
    "dead_pixels": 0.05,
    "prior_accuracy": 0.05,
}
RELATIVE_MARGIN = 0.03
"""Margin of all other metrics, as a share of the larger of both means."""

LEAST_DEGREES = 2
"""Degrees of freedom of a spread that can decide whether a figure is reproduced: three seeds."""

WIDEST = 0.1
"""Share of a published figure up to which the interval around it may reach and still decide."""

SAME_ROUNDING = 0.001
"""Share of a figure without chance by which another processor's rounding may change it."""

HALF_PRECISION = 0.2
"""Share of a figure's spread over the seeds by which rounding of the weights may move it: a
mean of three seeds moves by a fifteenth of the spread, if one of them moves so far."""

SAME_PICTURE = 0.99
"""Correlation from which two pictures of reconstructions show the same model."""

SAME_LOSS = 0.01
"""Share by which a loss may differ from the mean image's and still be called that."""

# Criteria of single claims
AXIS_SHARE = 0.05
"""Claim 1: "part of the codes" is at least one image in twenty."""

DEAD_SHARE = 0.01
"""Claim 1: "speckles" is at least one ink-carrying pixel in a hundred."""

ABOUT_THREE = (2.0, 4.0)
"""Claim 4: "about three times"."""

KL_SHARE = 0.01
"""Claim 7: a KL term below a hundredth of the loss would not matter."""

CONVERGED = 0.02
"""Claim 9: a loss that falls by less than this share in five times the epochs had converged."""

POOR_START = 0.05
"""Claim 10: a start is poor if the first epoch's accuracy lies so far below the last one's."""

NEARLY_ORTHOGONAL = 0.1
"""Claim 13: mean |cosine| between units up to which a kernel is nearly orthogonal."""

PASSED_THROUGH = 0.05
"""Claim 15: error on inputs that are no digits, relative to their variance, up to which a network
passes its input through."""


def margin_of(metric: str, a: float, b: float) -> float:
    """The margin within which the means ``a`` and ``b`` of a metric count as the same."""
    for beginning, margin in MARGINS.items():
        if metric.startswith(beginning):
            return margin
    return RELATIVE_MARGIN * max(abs(a), abs(b))
