import pytest

from tta_demo.samples.imagenet import labelled_photos

SYNSETS = tuple(f"n{i:08d}" for i in range(20))
NAMES = (
    "tench, Tinca tinca",
    "great white shark",
    "crane",
    "crane",
    *map("class {}".format, range(4, 20)),
)


def touch(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def found(folder, **options):
    photos = labelled_photos(folder, SYNSETS, NAMES, **options)
    return {path.relative_to(folder).as_posix(): label for path, label in photos.items()}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("n00000001", 1),
        ("N00000001", 1),
        ("17", 17),
        ("0", 0),
        ("0007", 7),
        ("great white shark", 1),
        ("Great_White_Shark", 1),
        ("tench, Tinca tinca", 0),
        ("TENCH", 0),
        ("tinca_tinca", 0),
        ("class 12", 12),
    ],
)
def test_a_folder_may_be_called_like_a_class_in_any_way(tmp_path, name, label):
    touch(tmp_path, f"{name}/a.JPEG", f"{name}/images/b.png", "5/c.jpg", f"{name}/boxes.txt")
    expected = {f"{name}/a.JPEG": label, f"{name}/images/b.png": label, "5/c.jpg": 5}
    assert found(tmp_path) == expected


def test_pictures_come_sorted_and_hidden_files_stay_out(tmp_path):
    touch(tmp_path, "3/b.jpg", "3/a.jpg", "1/z.jpg", ".cache/x.jpg", "3/._a.jpg", "__MACOSX/a.jpg")
    assert list(found(tmp_path)) == ["1/z.jpg", "3/a.jpg", "3/b.jpg"]


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("n99999999", "folder 'n99999999' is no class .* n00000000, .* 'tench.* 0..19"),
        ("20", "folder '20' is no class"),
        ("dragon", "folder 'dragon' is no class"),
        ("Crane", "folder 'Crane' could be class 2 and 3: use synset or index"),
    ],
)
def test_an_unknown_or_ambiguous_folder_is_refused_by_name(tmp_path, folder, told):
    touch(tmp_path, "1/a.jpg", f"{folder}/b.jpg")
    with pytest.raises(ValueError, match=told):
        found(tmp_path)


@pytest.mark.parametrize(
    "header", ["file", "filename", "File_Name", "image", "path", "name", "id"]
)
@pytest.mark.parametrize("ending", [".jpg", ""])
def test_a_table_names_the_files_in_many_ways(tmp_path, header, ending):
    touch(tmp_path, "a.jpg", "b.1.jpg")
    text = f"{header},label\nb.1{ending},3\na{ending},n00000007\n"
    (tmp_path / "labels.csv").write_text(text)
    assert found(tmp_path) == {"a.jpg": 7, "b.1.jpg": 3}


@pytest.mark.parametrize("header", ["label", "Class", "synset", "wnid", "index"])
@pytest.mark.parametrize(("label", "id_"), [("n00000004", 4), ("4", 4), ("Class_4", 4)])
def test_a_table_names_the_classes_in_many_ways(tmp_path, header, label, id_):
    touch(tmp_path, "a.jpg")
    (tmp_path / "labels.csv").write_text(f"{header},file\n{label},a.jpg\n")
    assert found(tmp_path) == {"a.jpg": id_}


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_of_spreadsheets_are_read(tmp_path, mark, end):
    touch(tmp_path, "a.jpg", "b.jpg")
    rows = [("size", "file", "label"), ("9", "b.jpg", '"tench, Tinca tinca"'), ("8", "A", "5")]
    text = "\ufeff" + end.join(mark.join(row) for row in rows) + end * 2
    (tmp_path / "labels.csv").write_bytes(text.encode())
    assert found(tmp_path) == {"a.jpg": 5, "b.jpg": 0}


def test_a_table_may_lie_elsewhere_and_know_more_pictures_and_their_folders(tmp_path):
    touch(tmp_path, "val/x/a.jpg", "val/y/a.jpg", "val/c.jpg", "val/other.csv")
    other = tmp_path / "labels.csv"
    other.write_text("path,label\nx/a.jpg,1\ny/a.jpg,2\nval/c.jpg,3\ngone.jpg,dragon\n")
    assert found(tmp_path / "val", labels=other) == {"c.jpg": 3, "x/a.jpg": 1, "y/a.jpg": 2}


def test_the_table_of_kaggle_is_read(tmp_path):
    touch(tmp_path, "ILSVRC2012_val_1.JPEG")
    rows = "ImageId,PredictionString\nILSVRC2012_val_1,n00000006 85 1 499 272 n00000006 1 2 3 4 \n"
    (tmp_path / "LOC_val_solution.csv").write_text(rows)
    assert found(tmp_path) == {"ILSVRC2012_val_1.JPEG": 6}


def test_folders_named_by_class_win_over_a_table_beside_them_and_others_do_not(tmp_path):
    touch(tmp_path, "3/a.jpg")
    (tmp_path / "labels.csv").write_text("file,label\na.jpg,7\n")
    assert found(tmp_path) == {"3/a.jpg": 3}
    (tmp_path / "3").rename(tmp_path / "images")
    assert found(tmp_path) == {"images/a.jpg": 7}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("file,label\na.jpg,1\nb.jpg,dragon\n", "labels.csv, line 3: label 'dragon' is no class"),
        ("file,label\na.jpg,1\nb.jpg,crane\n", "line 3: label 'crane' could be class 2 and 3"),
        ("file,label\na.jpg,1\n", "1 of 2 pictures have no label in labels.csv, .* b.jpg"),
        ("file,label\na.jpg,1\na,2\nb,1\n", "line 3: 'a' had another label before"),
        ("file,label\na.jpg\n", "line 2: 1 cells are too few"),
        ("file,kind\na.jpg,1\n", "labels.csv starts with 'file,kind': .*label, class, synset"),
        ("a.jpg,1\nb.jpg,2\n", "labels.csv starts with 'a.jpg,1'"),
        ("", "labels.csv starts with ''"),
        ("\0\ud800", "labels.csv cannot be read"),
    ],
)
def test_a_wrong_table_is_refused_with_the_place(tmp_path, text, told):
    touch(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "labels.csv").write_bytes(text.encode("utf-16", "surrogatepass"))
    if "cannot" not in told:
        (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(ValueError, match=told):
        found(tmp_path)


def test_a_name_that_fits_two_pictures_is_refused(tmp_path):
    touch(tmp_path, "x/a.jpg", "y/a.jpg")
    (tmp_path / "labels.csv").write_text("file,label\na.jpg,1\n")
    with pytest.raises(ValueError, match=r"line 2: 'a.jpg' could be x/a.jpg or y/a.jpg"):
        found(tmp_path)


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        ([], "holds no pictures"),
        (["3/readme.txt"], "holds no pictures"),
        (["a.jpg"], "nothing tells the classes .* n00000000.* CSV"),
        (["a.jpg", "3/b.jpg"], "nothing tells the classes"),
        (["a.jpg", "one.csv", "two.csv"], "several tables .one.csv, two.csv."),
    ],
)
def test_a_folder_that_does_not_tell_is_refused(tmp_path, paths, told):
    touch(tmp_path, *paths)
    with pytest.raises(ValueError, match=told):
        found(tmp_path)


def test_a_folder_that_is_missing_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match="nowhere is no folder"):
        found(tmp_path / "nowhere")


def test_a_limit_draws_over_all_classes_by_the_seed(tmp_path):
    touch(tmp_path, *(f"{label}/{i}.jpg" for label in range(20) for i in range(10)))
    everything = found(tmp_path)
    drawn = found(tmp_path, limit=40)
    assert len(drawn) == 40
    assert drawn.items() <= everything.items()
    assert list(drawn) == [name for name in everything if name in drawn]
    assert len(set(drawn.values())) > 10
    assert found(tmp_path, limit=40) == drawn
    assert found(tmp_path, limit=40, seed=1) != drawn
    assert found(tmp_path, limit=200) == found(tmp_path, limit=999) == everything
