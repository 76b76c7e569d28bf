"""What holds for all tests."""

import signal

from hypothesis import settings

# A property is to hold, not to be fast: a machine that is busy must not fail it.
settings.register_profile("lambent", deadline=None)
settings.load_profile("lambent")

# A shell without job control has what it starts in the background ignore these, and all that is started from there.
for name, handler in {"SIGINT": signal.default_int_handler, "SIGQUIT": signal.SIG_DFL}.items():
    if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
        signal.signal(getattr(signal, name), handler)
