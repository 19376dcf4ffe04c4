"""How well hand-worked answers are marked: a generated corpus, and a report on it."""
