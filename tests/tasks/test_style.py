"""Style transfer: class means are exact where style is a shift, and the judges cannot be fooled."""

import keras
import numpy as np
import pytest

from Code.cae import CAE
from Code.commands.uses import style as command
from Code.cvae import CVAE
from Code.parts.images import to_unit
from Code.tasks import generate, style
from Code.tasks.style import (
    ClassMeans,
    judged,
    kept,
    mean_digit,
    measure,
    nearest_digit,
    pairs,
    reader,
    transfer_of,
)
from tests.support import run_use


@pytest.fixture(scope="module")
def data(mnist):
    return mnist.subset(6000, 1000)


@pytest.fixture(scope="module")
def ae(ae_16):
    return ae_16


def test_a_shift_of_the_code_is_transferred_exactly():
    rng = np.random.default_rng(0)
    centres = rng.uniform(0.4, 0.6, (3, 2, 2))
    labels = np.repeat([0, 1, 2], 2)
    styles = rng.uniform(-0.2, 0.2, (6, 2, 2))
    styles[1::2] = -styles[::2]
    transfer = ClassMeans(np.asarray, np.asarray, centres[labels] + styles, labels)
    source = np.full((1, 2, 2), 0.1) + centres[[0]]
    wanted = transfer(source, np.array([0]), np.array([2]))
    assert wanted == pytest.approx(centres[[2]] + 0.1)


def test_pairs_are_all_labels_but_the_own():
    index, wanted = pairs(np.array([0, 2]), np.array([0, 1, 2]))
    assert np.array_equal(index, [0, 0, 1, 1])
    assert np.array_equal(wanted, [1, 2, 0, 1])


def test_style_is_what_is_kept_within_a_pair_of_digits():
    rng = np.random.default_rng(0)
    own, wanted = np.repeat([0, 1], 500), np.repeat([1, 0], 500)
    style_of = rng.standard_normal(1000)
    assert kept(style_of, 3 * style_of + own, own, wanted) == pytest.approx(1)
    assert kept(style_of, -style_of, own, wanted) == pytest.approx(-1)
    # What differs only by the class counts for nothing, though it correlates over all
    assert kept(own + 0.1 * style_of, own + 0.0, own, wanted) == 0
    noise = rng.standard_normal((2, 1000))
    assert abs(kept(own + 0.1 * noise[0], own + 0.1 * noise[1], own, wanted)) < 0.1


@pytest.mark.slow
def test_the_reader_reads_digits(data):
    read = reader(data)
    assert np.mean(read(data.x_test) == data.y_test) > 0.95
    assert np.array_equal(read(data.x_test[:50]), read(to_unit(data.x_test[:50])))


@pytest.mark.slow
def test_the_mean_digit_is_read_rightly_and_has_no_style(data):
    found = judged(mean_digit(to_unit(data.x_train), data.y_train), reader(data), data).values
    assert found["read_as_wanted"] > 0.89
    assert found["slant_kept"] == found["thickness_kept"] == found["transferred"] == 0


@pytest.mark.slow
def test_the_source_itself_has_its_style_and_is_not_what_was_wanted(data, brief_reader):
    found = judged(lambda x, own, wanted: x, reader(data), data).values
    assert found["slant_kept"] == found["thickness_kept"] == pytest.approx(1)
    assert found["read_as_wanted"] < 0.02
    assert found["transferred"] < 0.15


def test_the_nearest_digit_is_of_the_wanted_class(mnist):
    images, labels = to_unit(mnist.x_train[:500]), mnist.y_train[:500]
    transfer = nearest_digit(images, labels)
    assert np.array_equal(transfer(images[:20], None, labels[:20]), images[:20])
    other = transfer(images[:20], None, np.full(20, 4))
    for image, found in zip(images[:20], other, strict=True):
        fours = images[labels == 4]
        distance = np.square(fours - image).sum(axis=(1, 2))
        assert np.array_equal(found, fours[distance.argmin()])


@pytest.mark.slow
def test_trained_models_write_what_is_read(ae, cvae, data):
    rivals = style.baselines(data)
    measured = {"ae": measure(ae, data), "cvae": measure(cvae, data)}
    assert measured["ae"].values == measure(ae, data).values
    read, slant = (
        {name: one.values[metric] for name, one in (measured | rivals).items()}
        for metric in ("read_as_wanted", "slant_kept")
    )
    for one in measured.values():
        assert set(one.values) == {metric.name for metric in style.METRICS}
    # Two digits on top of each other keep every style and are read as either
    assert read["cvae"] > read["ae"] > read["pixels"]
    assert min(slant["ae"], slant["cvae"]) > 0.7
    assert style.figure({**measured, **rivals}).axes


def test_a_conditional_model_exchanges_the_label(data, seeded):
    cvae = CVAE(code_dim=2, hidden=(16,))
    transfer = transfer_of(cvae, None, None)
    x, own = data.x_test[:5], data.y_test[:5]
    wanted = (own + 1) % 10
    assert np.array_equal(transfer(x, own, wanted), cvae.transfer(x, wanted, from_labels=own))


@pytest.mark.slow
def test_convolutional_codes(data, brief_reader):
    assert "transferred" in measure(CAE(filters=(2,)), data).values


@pytest.mark.slow
def test_command_line(ae, data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generate, "READER_STEPS", 30)
    model, mine, out = (str(tmp_path / name) for name in ("model.keras", "mine.npz", "out.npz"))
    ae.save(model)
    np.savez(mine, images=data.x_test[:2])
    call = ["--model", model, "--input", mine, "--output", out, "--quick"]
    command.main(call)
    with np.load(out) as found:
        rows = found["images"].reshape(2, 11, 28, 28)
    assert rows[:, 0] == pytest.approx(to_unit(data.x_test[:2]))
    # In its own class a digit is only given back
    own = data.y_test[0]
    assert rows[0, 1 + own] == pytest.approx(ae.reconstruct(data.x_test[:1])[0], abs=1e-5)
    assert "read_as_wanted" in capsys.readouterr().out
    command.main([*call, "--digit", "7", "--output", str(tmp_path / "out.png")])
    assert (tmp_path / "out.png").is_file()

    with pytest.raises(SystemExit) as stop:
        run_use("style", [*call, "--digit", "11"])
    assert stop.value.code == 2
    assert "--digit 11: the labels of --data are 0, 1" in capsys.readouterr().err


@pytest.fixture(scope="module")
def cvae(mnist):
    keras.utils.set_random_seed(0)
    # In few steps a wide code says all, and the label goes unheard
    model = CVAE(hidden=(256, 64), code_dim=2, reconstruction="binary cross-entropy")
    model.compile()
    model.fit(mnist.x_train[:19_200], mnist.y_train[:19_200], batch_size=128, epochs=3, verbose=0)
    return model
