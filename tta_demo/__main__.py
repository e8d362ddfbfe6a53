"""Runs the command line: `python -m tta_demo --help`."""

from tta_demo.cli import main

if __name__ == "__main__":
    main()
