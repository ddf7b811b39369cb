"""``python -m kourse.cli``: the same as ``kourse``."""

from __future__ import annotations

from kourse.cli.main import main

if __name__ == "__main__":
    main()
