"""The questions of the live view. Escape always leaves without doing anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

T = TypeVar("T")


class _Dialog(ModalScreen[T]):
    DEFAULT_CSS = """
    _Dialog { align: center middle; }
    _Dialog > .box { width: 90%; max-width: 100; height: auto; max-height: 90%; border: round $primary; padding: 0 1; }
    _Dialog OptionList, _Dialog OptionList:focus { height: auto; max-height: 14; border: none; padding: 0; }
    """
    AUTO_FOCUS = "*"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "leave")]

    def action_leave(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


class Choice(_Dialog[str]):
    """One of several. The answer is its key, None for none."""

    def __init__(
        self, title: str, options: Sequence[tuple[str, str]], hint: str = "Enter takes it, Esc leaves"
    ) -> None:
        super().__init__()
        self._title, self._options, self._hint = title, options, hint

    def compose(self) -> ComposeResult:
        """Make the list."""
        with Vertical(classes="box"):
            yield Static(Text(self._title, style="bold"))
            yield OptionList(*(Option(Text(text, no_wrap=True), id=f"o{place}")
                               for place, (_, text) in enumerate(self._options)))  # fmt: skip
            yield Static(Text(self._hint, style="dim"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with what was chosen."""
        self.dismiss(self._options[event.option_index][0])


class Confirm(_Dialog[bool]):
    """A question with what would be done; only y does it."""

    BINDINGS: ClassVar[list[BindingType]] = [("y", "yes", "yes"), ("n", "leave", "no")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """Show the question."""
        with VerticalScroll(classes="box"):
            yield Static(Text(self._title, style="bold"))
            yield Static(Text(self._text))
            yield Static(Text("\ny does it, n or Esc leaves", style="dim"))

    def action_yes(self) -> None:
        """Answer yes."""
        self.dismiss(True)


class Page(_Dialog[None]):
    """Text to read; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [("q", "leave", "close"), ("question_mark", "leave", "close")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """Show the text."""
        with VerticalScroll(classes="box"):
            yield Static(Text(self._title, style="bold"))
            yield Static(Text.from_ansi(self._text))
            yield Static(Text("\nEsc closes it", style="dim"))
