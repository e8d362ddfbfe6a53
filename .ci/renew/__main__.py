"""Renews what the READMEs show: `python .ci/renew [texts|pictures]`, both if left out.

Only when asked for, `python .ci/renew photos` renews the masks of the example photographs,
`python .ci/renew u2net_reference u2netp.onnx` the run that a network's tests compare with, and
`python .ci/renew nanodet nanodet.json` the file of the detector that others made.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path += [str(ROOT), str(ROOT / "tests")]


def main(words: list[str]) -> None:
    """Renews what the words name; what the READMEs show if there are none."""
    match words:
        case ["photos"]:
            from photos import renew_photos

            renew_photos()
        case ["u2net_reference", source]:
            from u2net_reference import renew_reference

            renew_reference(Path(source))
        case ["nanodet", source]:
            from nanodet import renew_nanodet

            renew_nanodet(Path(source))
        case _:
            renew_readmes(words or ["texts", "pictures"])


def renew_readmes(kinds: list[str]) -> None:
    """Renews texts (tables from registries and stored results), pictures, or both."""
    if unknown := set(kinds) - {"texts", "pictures"}:
        sys.exit(
            f"{', '.join(sorted(unknown))}: choose texts or pictures, photos alone, "
            "u2net_reference with the path of u2netp.onnx, or nanodet with that of nanodet.json"
        )
    if "texts" in kinds:
        from texts import renew_texts

        renew_texts()
    if "pictures" in kinds:
        from pictures import renew_pictures

        renew_pictures()


if __name__ == "__main__":
    main(sys.argv[1:])
