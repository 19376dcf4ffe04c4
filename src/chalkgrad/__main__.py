"""`python -m chalkgrad`"""

from chalkgrad.cli import main

if __name__ == "__main__":
    main()
