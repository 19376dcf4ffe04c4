"""The door where the packages of the extra `tables` come in. No other module here imports one.

Help, completion and every other room must start without them: `import sklearn` alone costs
seconds. So each is imported at its first use, by a function that needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from chalkgrad.core.errors import MissingExtra

PACKAGES = {"pyarrow": "pyarrow", "sklearn": "scikit-learn", "skops": "skops"}


def extra(module: str) -> Any:
    """Import `module`, or say in one sentence how to install the package that it is from.

    >>> extra("pyarrow.compute").count([1, 2, None]).as_py()
    2
    """
    try:
        return import_module(module)
    except ImportError as cause:
        package = PACKAGES[module.partition(".")[0]]
        raise MissingExtra(
            f"tables need the package {package}, which cannot be imported ({cause}); "
            'install it with: pip install "chalkgrad[tables]"'
        ) from cause
