"""What may stand behind an option, and what is called after what."""

from sharks.cli import values


def test_what_is_made_of_a_folder_keeps_its_dots(tmp_path):
    (tmp_path / "Mr. Bungle").mkdir()
    (tmp_path / "take.2.wav").touch()
    assert values.named_after(tmp_path / "Mr. Bungle") == "Mr. Bungle"
    assert values.named_after(tmp_path / "take.2.wav") == "take.2"
    assert values.named_after(tmp_path / "not there yet. Vol. 1") == "not there yet. Vol. 1"
