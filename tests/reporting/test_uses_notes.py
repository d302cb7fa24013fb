"""What one has to know of a metric stands beside it; what a width does not have is left out."""

import json

from pages import rendered

from Code.reporting.uses import FILE


def use(name, values, main=True):
    metric = {"name": name, "unit": "", "higher_is_better": True, "main": main}
    return {"metrics": [metric], "values": {name: values}, "seconds": 1.0}


RAW = {
    "models": ["ae-16", "vae-16", "ae-2", "vae-2"],
    "seeds": [0],
    "uses": {
        "reduce": use("knn_accuracy", {"ae-2": [0.7531], "vae-2": [0.6]}),
        "disentangle": use("dci", {"ae-16": [0.2], "vae-16": [0.19], "ae-2": [0.1]}),
    },
}


def reports(write_output, tmp_path, raw):
    output = write_output()
    (output / FILE).write_text(json.dumps(raw), encoding="utf-8")
    return rendered(output, tmp_path / "report").both("uses")


def test_a_map_is_no_column_of_wider_codes(write_output, tmp_path):
    for text in reports(write_output, tmp_path, RAW):
        wide, narrow = (
            next(line for line in reversed(text.splitlines()) if line.startswith(f"| `{name}` |"))
            for name in ("ae-16", "ae-2")
        )
        assert narrow.count("|") == wide.count("|") + 1
        assert "0.753" in narrow


def test_metrics_are_explained_where_they_are_measured(write_output, tmp_path):
    for text in reports(write_output, tmp_path, RAW):
        assert "`dci_rotated`" in text and "`_pca2`" in text
        assert "`frechet_prior`" not in text
    for text in reports(write_output, tmp_path, {**RAW, "uses": {"cluster": use("nmi_own", {})}}):
        assert "dci" not in text
