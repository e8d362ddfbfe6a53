"""Renews what the READMEs show: `python .ci/renew [texts|pictures]`, both if left out."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path += [str(ROOT), str(ROOT / "tests")]


def main(kinds: list[str]) -> None:
    """Renews texts (tables from registries and stored results), pictures, or both."""
    if unknown := set(kinds) - {"texts", "pictures"}:
        sys.exit(f"{', '.join(sorted(unknown))}: choose texts or pictures")
    if not kinds or "texts" in kinds:
        from texts import renew_texts

        renew_texts()
    if not kinds or "pictures" in kinds:
        from pictures import renew_pictures

        renew_pictures()


if __name__ == "__main__":
    main(sys.argv[1:])
