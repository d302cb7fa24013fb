"""Models that several files of tests use: trained once a run, by whichever process is first."""

import keras
from filelock import FileLock

from Code.training.trained import load_model


def once(tmp_path_factory, name, make, **fit):
    """The model of that name: trained here, or loaded where another process has trained it.

    ``make`` gives the untrained model, compiled; ``fit`` are the arguments of its `fit`.
    """
    folder = tmp_path_factory.getbasetemp()
    # Every process of a run has its own folder in one of the run
    folder = folder.parent if folder.name.startswith("popen-") else folder
    path = folder / f"{name}.keras"
    with FileLock(f"{path}.lock"):
        if not path.exists():
            keras.utils.set_random_seed(0)
            model = make()
            model.fit(**fit, verbose=0)
            model.save(path)
    return load_model(path)
