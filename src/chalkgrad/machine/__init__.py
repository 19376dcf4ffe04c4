"""The machine: from text in LLVM's language to code that runs on this processor's threads."""
