"""The few AWS calls that the core needs, on the standard library alone."""
