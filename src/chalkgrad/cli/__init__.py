"""The command line. stdout is data, stderr is messages.

Exit codes: 0 done, 1 the answer is "no", 2 bad usage or bad input, 130 interrupted with the
checkpoint saved. Commands are imported only when they run, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import sys
from tomllib import TOMLDecodeError

import cyclopts

from chalkgrad.core.errors import ChalkgradError
from chalkgrad.version import __version__

app = cyclopts.App(
    name="chalkgrad",
    help="Back-propagation that shows its work: train networks on tables, and see how they learn.",
    version=__version__,
    config=cyclopts.config.Toml("chalkgrad.toml", search_parents=False),
    help_format="plaintext",
)
for name, place, text in (
    ("train", "train:train", "Train a network on a table (CSV or Parquet)."),
    ("predict", "predict:predict", "Predict each row of a table with a saved run."),
    ("evaluate", "predict:evaluate", "Score a saved run on a table that has the target."),
    ("explain", "explain:explain", "Derive every gradient of a worksheet, with every number."),
    ("check", "check:check", "Mark a hand-worked answer line by line, and name the mistakes."),
    ("diagnose", "diagnose:diagnose", "Say why a gradient is zero, tiny, huge or missing."),
    ("compile", "compile:compile_", "Show a training step as the loops of its machine code."),
    ("demo", "demo:demo", "Learn real handwritten digits, then run the systems of five lectures."),
    ("studio", "studio:studio", "Step through a network in a page: why, what if, and training."),
    ("doctor", "doctor:doctor", "Say what is installed and which executors run here."),
):
    app.command(f"chalkgrad.cli.{place}", name=name, help=text)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    try:
        result = app(
            arguments, exit_on_error=False, print_error=False, result_action="return_value"
        )
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except cyclopts.CycloptsError as error:
        place = "chalkgrad.toml: " if isinstance(error.__cause__, TOMLDecodeError) else ""
        print(f"chalkgrad: {place}{' '.join(str(error).split())}", file=sys.stderr)
        code = 2
    except ChalkgradError as error:
        print(f"chalkgrad: {error}", file=sys.stderr)
        code = 2
    except ImportError as error:  # a command's module, one of whose extras is not installed
        if not isinstance(error.__cause__, ChalkgradError):
            raise
        print(f"chalkgrad: {error.__cause__}", file=sys.stderr)
        code = 2
    except BrokenPipeError:  # the reader of our output went away: `chalkgrad … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:
        print(f"chalkgrad: {error}", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        print("chalkgrad: interrupted", file=sys.stderr)
        code = 130
    sys.exit(code)
