"""The common procedure, followed by the linear probe or test accuracy that papers report."""

from Code.training import procedure
from Code.training.probe import chosen_penalty, probe_accuracy


def run(experiment, data, seed, tell, verbose=0):
    """Train and measure as ``procedure.run`` does, and add an accuracy on the test images.

    Without a supervised stage it is ``probe_accuracy``, see `frozen_probe`. With a supervised stage
    it is ``test_accuracy`` of the fine-tuned network. Data without labels have neither.
    """
    outcome = procedure.run(experiment, data, seed, tell, verbose)
    stage, model = experiment.stages[-1].name, outcome.model
    if not data.labelled:
        return outcome
    if model.classifier is None:
        outcome.add(stage, "test", probe_accuracy=frozen_probe(model, data))
    else:
        accuracy = next(
            row["value"]
            for row in outcome.metrics
            if (row["stage"], row["metric"], row["split"]) == (stage, "accuracy", "test")
        )
        outcome.add(stage, "test", test_accuracy=accuracy)
    return outcome


def frozen_probe(model, data):
    """Test accuracy of a logistic regression on the frozen code.

    It is fitted to all training images, with a penalty chosen on held-out ones.
    """
    codes = model.encode(data.x_train), model.encode(data.x_test)
    penalty = chosen_penalty(codes[0], data.y_train, scale="code", max_train=10_000)
    return probe_accuracy(
        codes[0], data.y_train, codes[1], data.y_test, None, penalty=penalty, scale="code"
    )
