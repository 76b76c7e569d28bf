"""What holds for all tests."""

import signal

from hypothesis import settings

# A property is to hold, not to be fast: a machine that is busy must not fail it.
settings.register_profile("lambent", deadline=None)
settings.load_profile("lambent")

# A shell without job control has what it starts in the background ignore these, and all that is started from there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGQUIT") and signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
