"""Runs the command line: `python -m tta_demo --help`."""

from tta_demo.commands.app import main

if __name__ == "__main__":
    main()
