"""`python -m lambent`."""

from __future__ import annotations

from lambent.cli import main

if __name__ == "__main__":
    main()
