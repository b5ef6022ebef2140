"""Reading and writing at the doors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netdsl import files
from netdsl.limits import ImportRefused, Limits


def write(path: Path, text: str = "net A") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# -- reading -------------------------------------------------------------------


def test_reads_one_byte_more_than_the_limit(tmp_path: Path) -> None:
    path = write(tmp_path / "a.net", "x" * 100)
    assert files.read_source(str(path)) == b"x" * 100
    assert len(files.read_source(str(path), Limits(source_bytes=10))) == 11


def test_refuses_what_is_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.net"
    os.mkfifo(pipe)
    for path, reason in (
        (tmp_path, "is a folder"),
        (pipe, "is a pipe"),
        (Path("/dev/zero"), "is a device"),
        (tmp_path / "none.net", "there is no file"),
        (tmp_path / "a\0b.net", "null"),
        (tmp_path / ("a" * 300), "name too long"),
    ):
        with pytest.raises(files.Unreadable, match=reason) as caught:
            files.read_source(str(path))
        assert "\n" not in caught.value.text


def test_a_missing_file_has_near_matches(tmp_path: Path) -> None:
    write(tmp_path / "resnet.net")
    with pytest.raises(files.Unreadable) as caught:
        files.read_source(str(tmp_path / "resnt.net"))
    assert caught.value.help == f"did you mean `{tmp_path}/resnet.net`?"


# -- imports -------------------------------------------------------------------


def test_names_are_seen_from_where_the_root_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("models/parts/a.net"), "A")
    write(Path("models/parts/b.net"), "B")
    write(Path("models/c.net"), "C")
    read = files.directory_reader("models")
    assert read("models/top.net", "parts/a.net") == ("models/parts/a.net", b"A")
    assert read("models/parts/a.net", "b.net") == ("models/parts/b.net", b"B")
    assert read("models/parts/a.net", "../c.net") == ("models/c.net", b"C")
    assert read("models/parts/a.net", "./b.net") == ("models/parts/b.net", b"B")
    here = files.directory_reader("")
    assert here("<stdin>", "models/c.net") == ("models/c.net", b"C")


def test_names_do_not_depend_on_the_name_of_the_top_file(tmp_path: Path) -> None:
    write(tmp_path / "a.net", "A")
    read = files.directory_reader(tmp_path)
    for importer in ("top.net", "<string>", "/elsewhere/top.net", f"{tmp_path}/b.net"):
        assert read(importer, "a.net") == (f"{tmp_path}/a.net", b"A")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../secret.net", "import-outside"),
        ("sub/../../secret.net", "import-outside"),
        ("sub/../../root/a.net", "import-outside"),
        ("..", "missing-import"),
        ("/etc/passwd.net", "import-outside"),
        ("//host/share.net", "import-outside"),
        ("C:/a.net", "import-outside"),
        ("c:a.net", "import-outside"),
        ("C:\\a.net", "import-outside"),
        ("sub\\a.net", "missing-import"),
        ("\\\\host\\a.net", "missing-import"),
        ("a.net\0.net", "missing-import"),
        ("a.net:stream.net", "missing-import"),
        ("sub//a.net", "missing-import"),
        ("a\n.net", "missing-import"),
        ("", "missing-import"),
        ("a.txt", "missing-import"),
        ("sub", "missing-import"),
        ("none.net", "missing-import"),
        ("none/none.net", "missing-import"),
        ("a.net/b.net", "missing-import"),
        ("folder.net", "missing-import"),
        ("link.net", "import-outside"),
        ("linked/secret.net", "import-outside"),
        ("loop.net", "missing-import"),
        ("A.NET", "missing-import"),
    ],
)
def test_refused_imports(tmp_path: Path, path: str, code: str) -> None:
    root = tmp_path / "root"
    write(root / "a.net")
    write(root / "sub/a.net")
    write(tmp_path / "secret.net", "secret")
    (root / "folder.net").mkdir()
    (root / "link.net").symlink_to(tmp_path / "secret.net")
    (root / "linked").symlink_to(tmp_path)
    (root / "loop.net").symlink_to("loop.net")
    with pytest.raises(ImportRefused) as caught:
        files.directory_reader(root)(f"{root}/top.net", path)
    assert caught.value.code == code
    assert str(tmp_path) not in caught.value.text + caught.value.help


def test_links_inside_the_root_are_followed(tmp_path: Path) -> None:
    write(tmp_path / "real/a.net", "A")
    (tmp_path / "b.net").symlink_to("real/a.net")
    read = files.directory_reader(tmp_path)
    assert read("top.net", "b.net") == (f"{tmp_path}/b.net", b"A")


def test_a_root_that_is_a_link(tmp_path: Path) -> None:
    write(tmp_path / "real/a.net", "A")
    (tmp_path / "link").symlink_to("real")
    read = files.directory_reader(tmp_path / "link")
    assert read("top.net", "a.net")[1] == b"A"


def test_missing_imports_have_near_matches(tmp_path: Path) -> None:
    write(tmp_path / "parts/blocks.net")
    with pytest.raises(ImportRefused) as caught:
        files.directory_reader(tmp_path)("top.net", "parts/bloks.net")
    assert caught.value.text == 'there is no file "parts/bloks.net"'
    assert caught.value.help == 'did you mean "parts/blocks.net"?'


# -- writing -------------------------------------------------------------------


def test_writes_line_feeds_and_utf8(tmp_path: Path) -> None:
    target = tmp_path / "a.py"
    files.write_atomic(str(target), "é\n")
    assert target.read_bytes() == "é\n".encode()
    assert [p.name for p in tmp_path.iterdir()] == ["a.py"]


def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    usual = write(tmp_path / "usual").stat().st_mode
    files.write_atomic(str(tmp_path / "a.py"), "")
    assert (tmp_path / "a.py").stat().st_mode == usual


def test_the_mode_and_the_link_are_kept(tmp_path: Path) -> None:
    real = write(tmp_path / "real.py")
    real.chmod(0o754)
    link = tmp_path / "link.py"
    link.symlink_to("real.py")
    files.write_atomic(str(link), "new")
    assert link.is_symlink() and real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o754


def test_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = write(tmp_path / "a.py", "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        files.write_atomic(str(target), "new")
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.py"]


def test_unwritable_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for target in (tmp_path, tmp_path / "none/a.py", tmp_path / "a.py/b.py"):
        write(tmp_path / "a.py")
        with pytest.raises(OSError):
            files.write_atomic(str(target), "new")
    # Root may write anything, so the question itself is answered here.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError):
        files.write_atomic(str(tmp_path / "a.py"), "new")


def test_devices_are_written_to_and_not_replaced() -> None:
    files.write_atomic("/dev/null", "new")
    assert not Path("/dev/null").is_file()


# -- whose file ----------------------------------------------------------------


def test_our_files_are_known_by_their_last_line() -> None:
    text = files.with_footer("class A:\n    pass\n", "models/a.net")
    assert text == "class A:\n    pass\n\n\n# netdsl: made from a.net\n"
    assert files.is_ours(text) and files.is_ours(text.replace("\n", "\r\n"))
    assert files.with_footer(text, "b.net") == text
    for other in ("", "class A: ...\n", text + "x = 1\n", "'# netdsl: made from a'"):
        assert not files.is_ours(other)


@pytest.mark.parametrize(
    "name", ["a\nimport os.net", "coding: utf-7.net", "é\x1b.net", "C:\\x\\a b.net"]
)
def test_a_footer_is_one_harmless_comment(name: str) -> None:
    import re

    line = files.footer(name)
    assert line.isascii() and line.isprintable() and line.startswith("# ")
    assert not re.search(r"coding[:=]", line)


def test_black_has_nothing_to_say_about_the_footer() -> None:
    import black

    text = files.with_footer("class A:\n    x = 1\n", "a.net")
    assert black.format_str(text, mode=black.Mode()) == text
