"""The command line. Expected failures are one sentence on stderr and exit code 2."""

import logging
import sys

import typer

from tta_demo.commands.advise import advise
from tta_demo.commands.benchmark.damage import measure_damage
from tta_demo.commands.benchmark.detect import measure_detection
from tta_demo.commands.benchmark.ensemble import measure_ensembles
from tta_demo.commands.benchmark.evidence import measure_evidence
from tta_demo.commands.benchmark.examples import choose_examples
from tta_demo.commands.benchmark.harm import measure_harm
from tta_demo.commands.benchmark.imagenet import measure_imagenet
from tta_demo.commands.benchmark.learn import measure_learning
from tta_demo.commands.benchmark.load import measure_load
from tta_demo.commands.benchmark.methods import measure_methods
from tta_demo.commands.benchmark.photos import measure_photos
from tta_demo.commands.benchmark.quality import measure_quality
from tta_demo.commands.benchmark.sizing import measure_sizing
from tta_demo.commands.benchmark.speed import measure_speed
from tta_demo.commands.benchmark.sure import measure_sure
from tta_demo.commands.classify import classify
from tta_demo.commands.convert import convert
from tta_demo.commands.detect import detect
from tta_demo.commands.evaluate import evaluate
from tta_demo.commands.evaluate_boxes import evaluate_boxes
from tta_demo.commands.examples import examples
from tta_demo.commands.learn import learn
from tta_demo.commands.palette import palette
from tta_demo.commands.predict import predict
from tta_demo.commands.sample import sample
from tta_demo.commands.sure import sure
from tta_demo.commands.train import train
from tta_demo.evaluation.failures import sentence

__all__ = ["app", "main"]

VERBS = (predict, learn, evaluate, advise, sure, evaluate_boxes, classify, detect)
VERBS += (train, convert, sample, examples, palette)
MEASUREMENTS = {
    "load": measure_load,
    "speed": measure_speed,
    "sizing": measure_sizing,
    "quality": measure_quality,
    "examples": choose_examples,
    "learn": measure_learning,
    "methods": measure_methods,
    "harm": measure_harm,
    "detect": measure_detection,
    "ensemble": measure_ensembles,
    "imagenet": measure_imagenet,
    "photos": measure_photos,
    "damage": measure_damage,
    "evidence": measure_evidence,
    "sure": measure_sure,
}


def main() -> None:
    """Runs the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        app()
    except (ValueError, OSError) as error:
        typer.echo(sentence(error), err=True)
        sys.exit(2)


def _empty(summary: str) -> typer.Typer:
    plain = {"pretty_exceptions_enable": False, "add_completion": False}
    return typer.Typer(help=summary, no_args_is_help=True, **plain)


app = _empty("Test-time augmentation: look at a picture several times, undo each change, combine.")
for verb in VERBS:
    app.command()(verb)  # typer writes evaluate_boxes as evaluate-boxes
benchmark = _empty("Measure speed and quality on this machine.")
for name, measure in MEASUREMENTS.items():
    benchmark.command(name)(measure)
app.add_typer(benchmark, name="benchmark")
