"""The clock that every contender runs by: one call before an epoch, one after."""

import time


class Clock:
    """Collects the seconds and the mean loss of each epoch.

    Parameters
    ----------
    wait : called before each epoch, outside the time taken; it may wait for the contender's turn.
    """

    def __init__(self, wait=lambda: None):
        self._wait = wait
        self.seconds = []
        self.losses = []

    def start(self):
        self._wait()
        self._began = time.perf_counter()

    def stop(self, loss=None):
        """End an epoch; ``loss`` must be a number by now, so that nothing is still computing."""
        self.seconds.append(time.perf_counter() - self._began)
        self.losses.append(loss)


def keras_clock(clock):
    """The callback by which Keras's ``fit`` keeps time."""
    import keras

    class Ticks(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            clock.start()

        def on_epoch_end(self, epoch, logs=None):
            clock.stop(float(logs["loss"]))

    return Ticks()
