"""The report: its table, its JSON, its page."""

import json
import math
from html.parser import HTMLParser

import models
import numpy as np
import pytest

from isograd.equivalence import Report, compare
from isograd.equivalence.chart import Line, divergence_chart, loss_chart
from isograd.equivalence.report import write
from isograd.equivalence.table import ratio
from isograd.ir import ops

VOID = {"meta", "line", "br"}


def half_products(node, rule):
    if node.op is not ops.matmul:
        return None
    return lambda x, y: (x.astype(np.float16) @ y.astype(np.float16)).astype(np.float32)


def raises(node, rule):
    raise RuntimeError("no kernel for <this> & that")


@pytest.fixture(scope="module")
def reports(digits, faulty):
    backends = ["numpy", faulty(half_products, "<half>"), faulty(raises, "broken")]
    bad = compare(models.model(models.PERCEPTRON), data=digits, backends=backends, steps=4)
    good = compare(models.model(models.PERCEPTRON), data=digits, backends="numpy", steps=4)
    return {"good": good, "bad": bad}


class Page(HTMLParser):
    """Checks that tags are balanced, and collects what the page has."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text, self.links = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text.append(data)


def parsed(report, tmp_path):
    place = tmp_path / "report.html"
    report.to_html(place)
    source = place.read_text(encoding="utf-8")
    page = Page()
    page.feed(source)
    page.close()
    assert page.open == []
    return source, page


def test_the_page_stands_alone(reports, tmp_path):
    source, page = parsed(reports["bad"], tmp_path)
    assert page.links == []
    assert "script" not in page.tags
    assert "http" not in source.replace("http-equiv", "")
    assert "prefers-color-scheme: dark" in source


def test_the_page_has_what_it_should(reports, tmp_path):
    _, page = parsed(reports["bad"], tmp_path)
    text = " ".join(page.text)
    assert page.tags.count("svg") == 2
    assert "Not the same everywhere: of 3 backends that ran, 1 same, 1 different, 1 failed to run." in text
    for part in ("<half>", "no kernel for <this> & that", "First divergence", "matmul", "gradient dense.kernel"):
        assert part in text
    for part in ("seed", "model hash", "blas", "How it is judged", "allowed", "float64", "confirmed"):
        assert part in text


def test_the_page_of_a_good_report_says_so(reports, tmp_path):
    _, page = parsed(reports["good"], tmp_path)
    text = " ".join(page.text)
    assert "The one backend that ran computes the same." in text
    assert "First divergence" not in text


def test_names_are_escaped(reports, tmp_path):
    source, _ = parsed(reports["bad"], tmp_path)
    assert "<half>" not in source
    assert "<this>" not in source


def test_the_table(reports):
    lines = reports["bad"].table.splitlines()
    assert lines[0].split()[:3] == ["backend", "version", "device"]
    assert lines[0].endswith("verdict")
    assert [line.split()[0] for line in lines[2:5]] == ["numpy", "<half>", "broken"]
    assert [line.split()[-1] for line in lines[2:5]] == ["same", "differs", "error"]
    assert len({line.index(w) for line, w in zip(lines[2:5], ("same", "differs", "error"), strict=True)}) == 1
    assert "and so gradients, loss curve, parameters" in lines[-2]
    assert lines[-1] == "broken: RuntimeError: no kernel for <this> & that"
    assert "First divergence in <half>" in str(reports["bad"])


@pytest.mark.parametrize("which", ["good", "bad"])
def test_json_round_trip(reports, which, tmp_path):
    place = tmp_path / "report.json"
    reports[which].to_json(place)
    data = json.loads(place.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert data["ok"] is (which == "good")
    assert data == reports[which].to_dict()
    again = Report.from_json(place)
    assert again.to_dict() == reports[which].to_dict()
    assert str(again) == str(reports[which])
    assert again.rows[0].losses == reports[which].rows[0].losses
    if which == "bad":
        assert math.isnan(again.rows[2].seconds)
        assert again.first_divergence == reports[which].first_divergence


def test_a_file_is_written_whole_or_not_at_all(tmp_path, reports, monkeypatch):
    place = tmp_path / "report.json"
    write(place, "before")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        reports["good"].to_json(place)
    assert place.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_charts_survive_odd_numbers():
    odd = [Line("a", [1.0, math.nan, math.inf, 2.0], 1), Line("b", [], 2)]
    assert "<svg" in loss_chart(odd)
    assert "<svg" in divergence_chart(odd, [1e-7, 1e-7, math.inf, 1e300])
    assert loss_chart([Line("a", [math.nan], 1)]) == ""
    assert divergence_chart([], []) == ""
    assert "nan" not in loss_chart(odd) + divergence_chart(odd, [1e-7] * 4)
    assert loss_chart([Line("flat", [0.0, 0.0], 1)])
    assert loss_chart([Line("one", [3.0], 1)])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (0.004, "<0.01"),
        (0.26, "0.26"),
        (1.004, "1.01"),
        (12.3, "12"),
        (4321.0, "4,321"),
        (3e7, "3e+07"),
        (math.inf, "inf"),
    ],
)
def test_ratios_are_short(value, text):
    """A ratio above 1 never reads as 1.00."""
    assert ratio(value) == text
