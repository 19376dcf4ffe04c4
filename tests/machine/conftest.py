"""The machine's tests keep what they compile where the compiler's do."""

from tests.compiler.conftest import cache_of_the_session

__all__ = ["cache_of_the_session"]
