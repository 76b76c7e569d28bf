"""What ends a build."""

from __future__ import annotations

from lambent.errors import ConfigurationError


class BuildError(ConfigurationError):
    """The artefact cannot be built as things are; the message says why, and what to do."""
