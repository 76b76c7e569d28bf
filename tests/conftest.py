"""What holds for all tests."""

from hypothesis import settings

# A property is to hold, not to be fast: a machine that is busy must not fail it.
settings.register_profile("lambent", deadline=None)
settings.load_profile("lambent")
