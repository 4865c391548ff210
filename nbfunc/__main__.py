"""``python -m nbfunc`` is ``nbfunc``."""

from __future__ import annotations

import sys

from nbfunc.cli import main

if __name__ == "__main__":
    sys.exit(main())
