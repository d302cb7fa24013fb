"""Learning rates of further optimisers, which fall as that of the model's own does."""

import keras


class InProportion(keras.optimizers.schedules.LearningRateSchedule):
    """``rate · s(t) / s(0)``, with s another schedule: two rates whose ratio stays as it is.

    Parameters
    ----------
    rate : the rate at the first step, above 0; the variable ``rate`` may be changed at any time.
    schedule : a schedule that does not start at 0.
    """

    def __init__(self, rate, schedule):
        self.schedule = schedule
        self.start = float(schedule(0))
        self.rate = keras.Variable(rate, dtype="float32", trainable=False, name="rate")

    def __call__(self, step):
        return self.rate * self.schedule(step) / self.start

    def get_config(self):
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"rate": float(self.rate), "schedule": schedule}

    @classmethod
    def from_config(cls, config):
        return cls(config["rate"], keras.saving.deserialize_keras_object(config["schedule"]))


def in_proportion(rate, optimizer):
    """The learning rate for a further optimiser: ``rate``, falling as that of ``optimizer`` does.

    In a game the ratio of the players' rates decides who wins; were the rate of one alone to fall,
    the other would win in the end. A schedule that starts at 0, to warm up, gives no ratio: the
    rate then stays as it is.
    """
    given = getattr(optimizer, "inner_optimizer", optimizer).get_config()["learning_rate"]
    if not isinstance(given, dict):
        return rate
    schedule = keras.optimizers.schedules.deserialize(given)
    return InProportion(rate, schedule) if float(schedule(0)) > 0 else rate
