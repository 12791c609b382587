"""Weights beside a model: they are part of it, wherever it is hashed, copied or compared."""

import hashlib

import pytest

from sightline import models
from sightline.errors import Corrupt, Misconfigured
from sightline.models.facts import facts_of
from tests.unit.model_files import FIXED, external, field, onnx_file, openvino_file


def model_with_data(folder, *locations, **metadata):
    """A model that keeps a tensor in each of these files; each holds its own name."""
    for location in locations:
        (folder / location).parent.mkdir(parents=True, exist_ok=True)
        (folder / location).write_bytes(location.encode())
    tensors = [external(f"w{number}", location, 0, 4) for number, location in enumerate(locations)]
    return onnx_file(folder / "street.onnx", FIXED, (1, 84, 8400), weights=tensors, **metadata)


class TestHash:
    def test_a_model_in_one_file_keeps_its_hash(self, tmp_path):
        """That of the file, as every tool computes it."""
        path = onnx_file(tmp_path / "m.onnx", FIXED, (1, 84, 8400))

        assert models.sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_external_weights_are_hashed_after_their_model(self, tmp_path):
        """All of them, in order of name, whatever the order of the tensors."""
        path = model_with_data(tmp_path, "b.data", "a.data")

        expected = hashlib.sha256(path.read_bytes() + b"a.data" + b"b.data").hexdigest()
        assert models.sha256_of(path) == models.resolve(path).sha256 == expected

    def test_other_weights_are_another_model(self, tmp_path):
        """A retrained network often has the same graph, byte for byte."""
        path = model_with_data(tmp_path, "street.onnx.data")
        before = models.resolve(path).profile.sha256

        (tmp_path / "street.onnx.data").write_bytes(b"retrained")

        assert models.resolve(path).profile.sha256 != before

    def test_weights_of_subgraphs_constants_and_functions_count(self, tmp_path):
        """Every place where the format may hold a tensor."""
        constant = field(1, field(5, field(5, external("c", "constant.data"))))
        branch = field(1, field(5, field(6, field(5, external("b", "branch.data")))))
        function = field(25, field(7, field(5, field(10, external("f", "function.data")))))
        path = onnx_file(tmp_path / "m.onnx", FIXED, (1, 84, 8400), extra=constant + branch)

        path.write_bytes(path.read_bytes() + function)

        assert list(facts_of(path).data) == ["branch.data", "constant.data", "function.data"]


class TestMissing:
    def test_weights_that_are_not_there_are_named(self, tmp_path):
        """Not an engine's error about an inode."""
        path = model_with_data(tmp_path, "street.onnx.data")
        (tmp_path / "street.onnx.data").unlink()

        with pytest.raises(
            Misconfigured, match=r"street\.onnx\.data, which holds its weights, is not beside"
        ):
            models.resolve(path)

    def test_weights_that_were_cut_are_named(self, tmp_path):
        """With their size and the size that the tensors need."""
        path = model_with_data(tmp_path, "street.onnx.data")
        (tmp_path / "street.onnx.data").write_bytes(b"abc")

        with pytest.raises(Misconfigured, match="has 3 bytes, its weights need 4"):
            models.resolve(path)

    @pytest.mark.parametrize(
        "location", ["../up.data", "a/../../up.data", "/etc/passwd", "..\\up", "C:\\w", ""]
    )
    def test_weights_outside_the_folder_are_refused(self, tmp_path, location):
        """A model from elsewhere reads no file of its choice, and a copy of it would miss them."""
        weights = [external("w", location)]
        path = onnx_file(tmp_path / "m.onnx", FIXED, (1, 84, 8400), weights=weights)

        with pytest.raises(Misconfigured, match="outside its folder"):
            models.resolve(path)

    def test_an_openvino_model_without_its_bin(self, tmp_path):
        """Two files, one model."""
        path = openvino_file(tmp_path)
        path.with_suffix(".bin").unlink()

        with pytest.raises(Misconfigured, match=r"m\.bin, which holds its weights, is not beside it"):
            models.resolve(path)


class TestAdding:
    def test_an_added_model_brings_its_weights(self, tmp_path):
        """Under the names that the model knows them by, in a folder of their own."""
        path = model_with_data(tmp_path, "street.onnx.data", "more/b.data")
        kept = tmp_path / "kept"

        added = models.add(path, "mine", kept)

        assert added == models.resolve("mine", kept) == models.verify("mine", kept)
        assert {p.relative_to(kept).as_posix() for p in kept.rglob("*") if p.is_file()} == {
            "mine/mine.onnx",
            "mine/mine.card.toml",
            "mine/street.onnx.data",
            "mine/more/b.data",
        }
        assert "mine" in [row.name for row in models.list_models(kept)]

    def test_two_models_with_data_of_one_name_do_not_meet(self, tmp_path):
        """`model.onnx.data` is what every export calls it."""
        kept = tmp_path / "kept"
        first = models.add(model_with_data(tmp_path / "a", "model.onnx.data"), "one", kept)
        path = model_with_data(tmp_path / "b", "model.onnx.data")
        (tmp_path / "b" / "model.onnx.data").write_bytes(b"other")

        second = models.add(path, "two", kept)

        assert models.verify("one", kept) == first
        assert models.verify("two", kept) == second

    def test_weights_that_changed_are_found_out(self, tmp_path):
        """By `models verify`, and by every run."""
        kept = tmp_path / "kept"
        models.add(model_with_data(tmp_path, "street.onnx.data"), "mine", kept)

        (kept / "mine" / "street.onnx.data").write_bytes(b"damaged, not short")

        with pytest.raises(Corrupt, match="bring it again"):
            models.verify("mine", kept)
        with pytest.raises(Misconfigured, match="not the file that"):
            models.resolve("mine", kept)

    def test_another_model_does_not_take_the_name(self, tmp_path):
        """Whether its weights lie inside or outside."""
        kept = tmp_path / "kept"
        models.add(model_with_data(tmp_path, "street.onnx.data"), "mine", kept)

        with pytest.raises(Misconfigured, match="another model already"):
            models.add(onnx_file(tmp_path / "m.onnx", FIXED, (1, 84, 8400)), "mine", kept)


class TestCapitals:
    def test_a_suffix_in_capitals_is_the_same_suffix(self, tmp_path):
        """As files from Windows and from cameras have it."""
        path = onnx_file(tmp_path / "M.ONNX", FIXED, (1, 84, 8400))

        added = models.add(path, "mine", tmp_path / "kept")

        assert added.path.name == "mine.onnx"
        assert added.sha256 == models.resolve(path).sha256

    def test_an_openvino_pair_in_capitals(self, tmp_path):
        """Its weights are found and hashed."""
        path = openvino_file(tmp_path)
        path.with_suffix(".bin").rename(tmp_path / "M.BIN")
        path.rename(tmp_path / "M.XML")

        model = models.resolve(tmp_path)

        assert model.path.name == "M.XML"
        assert models.add(tmp_path, "mine", tmp_path / "kept").path.name == "mine.xml"
        assert models.verify("mine", tmp_path / "kept").sha256 == model.sha256
