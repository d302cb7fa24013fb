"""The page in a real browser: it computes what Keras computes, and every part of it answers.

Runs where node, Chromium and playwright-core are installed; ``EXPLORER_TOOLS`` names the folder
that holds ``node_modules``. Screenshots are left in ``EXPLORER_SHOTS``, by default a temporary
folder.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from Code.explorer import page
from Code.parts.images import to_unit
from tests.extras import CHROMIUM, NODE, explorer_tools

SCRIPT = Path(__file__).with_name("browser.mjs")
N_COMPARED = 20
HANGS_SECONDS = 1200
CHECKS = (
    "opens on the plain autoencoder beside the variational one",
    "the story has five steps",
    "every number of the story is filled in",
    "each step shows something else on the maps",
    "no digit lies in the hole",
    "the cursor stands in the hole",
    "draws of the prior are decoded",
    "a mark can be taken off the maps",
    "en planes: nothing below the fold of 800",
    "en planes: nothing below the fold of 650",
    "en units: nothing below the fold of 800",
    "en units: nothing below the fold of 650",
    "zh planes: nothing below the fold of 800",
    "zh planes: nothing below the fold of 650",
    "zh units: nothing below the fold of 800",
    "zh units: nothing below the fold of 650",
    "nothing stays in English",
    "nothing is Chinese before",
    "links lead to pages of the language",
    "the language is remembered",
    "the address decides",
    "mouse moves the cursor and decodes",
    "arrow keys move the cursor and decode",
    "enter picks the nearest digit",
    "click picks another",
    "a neighbour can be picked",
    "zoom redraws and goes back",
    "cursor stays on the map",
    "legend shows one digit only",
    "legend shows all again",
    "drawing changes the reconstruction",
    "drawing changes the denoised image",
    "the drawing is the digit",
    "the drawn digit is centred by mass",
    "clear goes back to the test digit",
    "keys draw on the pad",
    "a test digit takes the drawing's place",
    "noise is seen from the start",
    "other noise can be had",
    "the slider changes the noise",
    "without noise the image is as it was",
    "noise moves the codes on the map",
    "start at a digit",
    "a finger moves the cursor",
    "a phone shows the story and both maps at once",
    "a phone can widen a map",
    "switching the variant redraws",
    "a model links to its page",
    "units are ordered by their effect",
    "the story does not speak of planes beside sliders",
    "the story goes on where it was",
    "sliders start at the picked digit",
    "a slider moves by key",
    "from this digit goes back",
    "a thumbnail moves the unit to its end",
    "random draw only with a prior",
    "random draw changes all units",
    "everything has a name",
    "tab reaches every part",
    "focus is seen",
    "desktop light: nothing clipped",
    "desktop dark: nothing clipped",
    "phone light: nothing clipped",
    "phone dark: nothing clipped",
    "phone light: no sideways scroll",
    "dark differs from light",
    "only window.explorer is global",
)


pytestmark = [pytest.mark.slow, pytest.mark.needs("browser")]


@pytest.fixture(scope="module")
def wanted(trained, mnist):
    """What Keras computes, a model each: codes and images, pictured indices and their codes."""
    order = page.pictured_first(mnist.y_test, page.N_PICTURED)
    indices = np.linspace(0, page.N_PICTURED - 1, N_COMPARED).astype(int)
    images = to_unit(mnist.x_test[order[indices]])
    found = {}
    for name, model in trained[1].items():
        encoded = model.encode(images)
        low, high = encoded.min(axis=0), encoded.max(axis=0)
        points = np.random.default_rng(0).uniform(low, high, (N_COMPARED, len(low)))
        points = points.astype(np.float32)
        found[name] = {
            "points": points.tolist(),
            "decoded": model.decode(points).reshape(N_COMPARED, -1),
            "indices": indices.tolist(),
            "encoded": encoded,
            "largest": np.abs(model.encode(to_unit(mnist.x_test[:500]))).max(),
        }
    return found


@pytest.fixture(scope="module")
def walk(trained, wanted, tmp_path_factory):
    """What `browser.mjs` saw on its walk through the page, by name."""
    folder = tmp_path_factory.mktemp("page")
    shots = Path(os.environ.get("EXPLORER_SHOTS") or folder / "shots")
    shots.mkdir(parents=True, exist_ok=True)
    (folder / "explorer.html").write_text(page.build(trained[0], say=lambda line: None), "utf-8")
    given = {
        "page": str(folder / "explorer.html"),
        "shots": str(shots),
        "chromium": CHROMIUM,
        "tools": str(explorer_tools()),
        "models": {n: {k: w[k] for k in ("points", "indices")} for n, w in wanted.items()},
    }
    (folder / "given.json").write_text(json.dumps(given))
    done = subprocess.run(
        [NODE, str(SCRIPT), str(folder / "given.json")],
        capture_output=True,
        text=True,
        timeout=HANGS_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    print(f"screenshots: {shots}")
    return json.loads(done.stdout)


def test_no_error_and_no_request(walk):
    assert walk["errors"] == []
    assert walk["requests"] == []


def test_decodes_as_keras_does(walk, wanted):
    for name, ours in walk["decoded"].items():
        assert np.abs(np.array(ours) - wanted[name]["decoded"]).max() < 1e-3, name


def test_encodes_as_keras_does(walk, wanted):
    for name, ours in walk["encoded"].items():
        error = np.abs(np.array(ours) - wanted[name]["encoded"]).max()
        assert error < 1e-3 * max(1, wanted[name]["largest"]), name


def test_says_how_long_a_decode_takes(walk, capsys):
    with capsys.disabled():
        print(f"\nmedian decode in the browser: {walk['decodeMs']:.3f} ms")
    assert walk["lastDecodeMs"] > 0


@pytest.mark.parametrize("what", CHECKS)
def test_the_page(walk, what):
    assert walk["checks"].get(what) is True, walk["checks"].get(what, "not checked")


def test_every_check_is_asked_for(walk):
    assert set(walk["checks"]) == set(CHECKS)
