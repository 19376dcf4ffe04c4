"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import settings

# Examples are new at every run here, and the same at every run in CI, where a red run should mean a
# changed program. No deadlines: how long an example takes depends on the machine.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
