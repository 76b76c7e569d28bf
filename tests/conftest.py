"""What holds for all tests."""

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from lambent.ahead import AHEAD

# A property is to hold, not to be fast: a machine that is busy must not fail it. LAMBENT_EXAMPLES=1000 looks longer.
settings.register_profile("lambent", deadline=None, max_examples=int(os.environ.get("LAMBENT_EXAMPLES", "100")))
settings.load_profile("lambent")

# A shell without job control has what it starts in the background ignore these, and all that is started from there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGQUIT") and signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def nothing_ahead() -> Iterator[None]:
    """What a test has done as at import is over with it: another does not find its loop."""
    yield
    AHEAD.forget()
