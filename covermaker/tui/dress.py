"""How the studio looks: themes, the colours of states, the character set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.app import App

from covermaker.errors import CovermakerError
from covermaker.tui import words
from covermaker.tui.settings import change_setting, charset_of
from covermaker.tui.theme import DARK, LIGHT, NAME, TONES, draw_scrollbars, state_variables

if TYPE_CHECKING:
    from covermaker.tui.settings import Settings
    from covermaker.tui.words import Charset


class Dressed(App[int], inherit_bindings=False):
    """See the module.

    Attributes
    ----------
    settings : Settings
        The user's.
    charset : Charset
        What is drawn with.
    """

    settings: Settings
    charset: Charset

    def say(self, text: str, tone: str = "quiet") -> None:
        """Say what happened."""
        raise NotImplementedError

    def dress(self, settings: Settings) -> None:
        """Take the settings, before anything is drawn."""
        self.settings, self.charset = settings, charset_of(settings)

    def put_on(self) -> list[str]:
        """Set theme and character set; returns what is wrong with the settings."""
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        known = self.settings.theme in self.available_themes
        self.theme = self.settings.theme if known else NAME
        self.watch(self, "theme", self._theme_chosen, init=False)
        self.set_class(self.charset == "ascii", "-ascii")
        draw_scrollbars(self.charset)
        return [] if known else [f"no theme is called '{self.settings.theme}'"]

    def _theme_chosen(self, name: str) -> None:
        self._keep_theme(name)

    @work(thread=True, group="settings", exit_on_error=False)
    def _keep_theme(self, name: str) -> None:
        """Write the theme that was chosen into the settings."""
        try:
            change_setting("theme", name)
        except CovermakerError as error:
            self.call_from_thread(self.say, f"the theme is not kept: {error}", "failed")
            return
        self.settings = self.settings.model_copy(update={"theme": name})

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give every theme the colours of states."""
        return {**super().get_theme_variable_defaults(), **state_variables(dark=True)}

    def get_css_variables(self) -> dict[str, str]:
        """Choose the colours of states by the theme's ground."""
        return {**super().get_css_variables(), **state_variables(self.current_theme.dark)}

    def spelt(self, text: str) -> str:
        """Return a text with its glyphs in the character set in use."""
        return words.spelt(text, self.charset)

    def state_styles(self) -> dict[str, str]:
        """Return the colours of states by their tones."""
        return {tone: self.theme_variables[f"state-{tone}"] for tone in TONES}
