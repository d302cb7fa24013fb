"""The one table of experiments: what is trained, how, and what was published about it.

Nothing here imports a training library, so that listing the table takes no time.
"""

from Code.experiments.bakeoff import BAKEOFF_GROUP
from Code.experiments.common import COMMON_GROUP
from Code.experiments.papers_adversarial import ADVERSARIAL_GROUP
from Code.experiments.papers_deep import DEEP_GROUP
from Code.experiments.papers_features import FEATURES_GROUP
from Code.experiments.papers_variational import VARIATIONAL_GROUP
from Code.experiments.published import CAUSES_GROUP, PUBLISHED_GROUP
from Code.experiments.tuning import tuned

TABLE = (
    *PUBLISHED_GROUP,
    *CAUSES_GROUP,
    *FEATURES_GROUP,
    *DEEP_GROUP,
    *VARIATIONAL_GROUP,
    *ADVERSARIAL_GROUP,
    *BAKEOFF_GROUP,
    *COMMON_GROUP,
)
UNTUNED = {experiment.name: experiment for experiment in TABLE}
"""The experiments with the rates that they had before trials chose any."""
EXPERIMENTS = {name: tuned(experiment) for name, experiment in UNTUNED.items()}
GROUPS = tuple(dict.fromkeys(experiment.group for experiment in EXPERIMENTS.values()))
QUICK = {"n_train": 2000, "n_test": 500, "epochs": 2}


def of_group(group):
    """The experiments of one group, in the table's order."""
    return [experiment for experiment in EXPERIMENTS.values() if experiment.group == group]
