"""What is printed."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lambent.doctor import report
from lambent.doctor.model import Facts, Finding, FunctionFacts, Measured, Package, Place

PACKAGES = (
    Package("boto3", 100.0, "installed", "app", 170.0),
    Package("the standard library", 50.0, "Python"),
    Package("h11", 0.25, "installed", "uvicorn"),
    Package("app", 0.125, "yours"),
)
SHOP = FunctionFacts("shop", runtime="python3.13", memory=512, timeout=29.0)
MEASURED = replace(SHOP, measured=Measured(kind="lambent", seconds=0.2, peak=60.4, python="3.13", packages=PACKAGES))
FINDINGS = [
    Finding("timeout-door", "warning", "shop", "expected less.", Place("template.yaml", 5)),
    Finding("handler-import", "error", "shop", "no module.", Place()),
    Finding("template", "error", "", "cannot be read.", Place()),
]


def test_the_worst_comes_first_and_all_is_counted() -> None:
    assert report.text(Facts((SHOP,), notes=("x: no folder.",)), FINDINGS).splitlines() == [
        "  error    cannot be read. [template]",
        "",
        "shop (app.handler, python3.13, x86_64, 512 MB, 29 s)",
        "  error    no module. [handler-import]",
        "  warning  template.yaml:5: expected less. [timeout-door]",
        "",
        "Left out: x: no folder.",
        "",
        "2 errors, 1 warning",
    ]


def test_imports_are_a_picture() -> None:
    lines = report.text(Facts((MEASURED,)), [], bars=False).splitlines()
    assert lines == [
        "shop (app.handler, python3.13, x86_64, 512 MB, 29 s)",
        "  nothing found",
        "",
        "  Loaded in 200 ms by Python 3.13, with bytecode; 60 MB of 512. Its imports, 150 ms when traced:",
        "",
        f"    boto3                   100 ms  {'#' * 30}  installed, by app",
        f"    the standard library     50 ms  {'#' * 15 + ' ' * 15}  Python",
        f"    app                       0 ms  {' ' * 30}  yours",
        "    1 more                    0 ms",
        "",
        "Nothing found.",
    ]


def test_a_json_document_has_it_all() -> None:
    made = json.loads(json.dumps(report.document(Facts((MEASURED, SHOP)), FINDINGS)))
    assert made["findings"][0] == {
        "check": "timeout-door",
        "severity": "warning",
        "function": "shop",
        "message": "expected less.",
        "file": "template.yaml",
        "line": 5,
    }
    assert made["findings"][2]["function"] is None
    first, second = made["functions"]
    assert first["measured"]["imports"][0] == {
        "name": "boto3",
        "milliseconds": 100.0,
        "origin": "installed",
        "by": "app",
    }
    assert second["measured"] is None


@given(st.floats(0, 1), st.booleans())
def test_a_bar_is_as_wide_as_all_are(share: float, fine: bool) -> None:
    assert len(report.bar(share, fine)) == report.WIDTH
