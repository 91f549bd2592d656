"""`python -m ad_core`: the command line."""

from ad_core.cli import main

if __name__ == "__main__":
    main()
