"""The four ways in which a WebSocket's events are served."""

import pytest

from tests.websocket.play import KINDS, Kind


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind.websockets}-{'prompt' if kind.prompt else 'late'}")
def kind(request: pytest.FixtureRequest) -> Kind:
    made: Kind = request.param
    return made


@pytest.fixture(params=[True, False], ids=["prompt", "late"])
def replay(request: pytest.FixtureRequest) -> Kind:
    return Kind(request.param, "replay")


@pytest.fixture(params=[True, False], ids=["prompt", "late"])
def resident(request: pytest.FixtureRequest) -> Kind:
    return Kind(request.param, "resident")
