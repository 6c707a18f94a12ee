"""What commands print: any name that a file can have, as it is."""

import io

import pytest
from rich.console import Console

from pipelines.benching.watching import warn
from pipelines.telling import counting_bar, printable, say


@pytest.mark.parametrize("tell", [say, warn])
@pytest.mark.parametrize(
    ("name", "expected"),
    [("caf\udce9.png", r"caf\udce9.png"), ("[bold]x[/].png", "[bold]x[/].png"), ("a" * 300, "a" * 300)],
)
def test_every_name_can_be_said_in_one_line(tell, name, expected, capfd):
    """A name that is no text cannot be printed as it is: standard output refuses it."""
    tell(f"{name} cannot be read")
    assert "".join(capfd.readouterr()).splitlines() == [f"{expected} cannot be read"]


def test_a_bar_counts_and_shows_its_description_as_it_is():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with counting_bar(console) as shown:
        bar = shown.add_task(printable("caf\udce9 [red]"), total=12)
        shown.update(bar, completed=7)
        shown.refresh()
    assert r"caf\udce9 [red]" in console.file.getvalue()
    assert "7/12" in console.file.getvalue()
    with pytest.raises(UnicodeEncodeError):
        "caf\udce9".encode()
