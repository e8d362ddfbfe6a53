import pytest

from tta_demo.evaluation.failures import Failures


@pytest.mark.parametrize("error", [ValueError("a is no picture"), OSError("a is gone")])
def test_what_is_wrong_with_a_picture_is_noted_and_the_next_one_has_its_turn(error):
    failures, done = Failures(), []
    for name in ("a", "b"):
        with failures.of(name):
            if name == "a":
                raise error
            done.append(name)
    assert failures == {"a": str(error)}
    assert done == ["b"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError, TypeError])
def test_any_other_error_is_no_picture_s_fault(error):
    failures = Failures()
    with pytest.raises(error), failures.of("a"):
        raise error
    assert failures == {}


@pytest.mark.parametrize(
    ("failed", "asked", "told"),
    [
        ("", "", "none of 0 pictures could be read$"),
        ("a", "a", "none of 1 picture could be read; why a$"),
        ("abcd", "dcba", "none of 4 pictures could be read; why d; why c; why b$"),
        ("a", "ab", None),
        ("", "a", None),
    ],
)
def test_only_if_nothing_was_read_that_is_an_error_with_the_first_reasons(failed, asked, told):
    failures = Failures({name: f"why {name}" for name in failed})
    if told is None:
        failures.refuse_if_nothing_read(asked)
    else:
        with pytest.raises(ValueError, match=told):
            failures.refuse_if_nothing_read(asked)


def test_a_missing_file_is_told_without_the_systems_number(tmp_path):
    failures = Failures()
    for path in (tmp_path / "gone.png", tmp_path):
        with failures.of(path.name):
            path.read_bytes()
    assert list(failures.values()) == [
        f"{tmp_path / 'gone.png'} is not there",
        f"{tmp_path} is a folder, not a file",
    ]
