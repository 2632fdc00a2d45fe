"""Text that scrolls: nothing of it is lost beside its scrollbar."""

import pytest
from studio_stage import lines, on_stage, until
from textual.app import App

from covermaker.tui.listing import Reader

WORDS = "aaaa bbbb cccc dddd eeee ffff"  # 29 cells


class Page(App):
    CSS = "Reader { border: round white; padding: 0 1; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; }"

    def __init__(self, text):
        super().__init__()
        self.text = text

    def compose(self):
        yield Reader()

    def on_mount(self):
        self.query_one(Reader).write(self.text)


def shown(app):
    """Return the words in sight, without border and scrollbar."""
    return " ".join(row[2:31].strip() for row in lines(app)[1:-1]).split()


@pytest.mark.parametrize(("columns", "count"), [(33, 3), (33, 4), (33, 9), (34, 9)])
def test_no_letter_is_lost_beside_the_scrollbar(columns, count):
    @on_stage
    async def run():
        app = Page("\n".join([WORDS] * count))
        async with app.run_test(size=(columns, 6)) as pilot:
            reader = app.query_one(Reader)
            await until(pilot, lambda: reader.show_vertical_scrollbar is (count > 4))
            found = shown(app)
            assert set(found) <= set(WORDS.split())
            await pilot.resize_terminal(columns + 1, 6)
            await pilot.resize_terminal(columns, 6)
            await until(pilot, lambda: set(shown(app)) <= set(WORDS.split()))
            reader.action_go_last()
            await until(pilot, lambda: shown(app)[-1] == "ffff")

    run()


@on_stage
async def test_another_text_gets_its_scrollbar_and_loses_it():
    app = Page("short")
    async with app.run_test(size=(33, 6)) as pilot:
        reader = app.query_one(Reader)
        reader.write("\n".join([WORDS] * 9))
        await until(pilot, lambda: reader.show_vertical_scrollbar)
        assert set(shown(app)) <= set(WORDS.split())
        reader.write(WORDS)
        await until(pilot, lambda: not reader.show_vertical_scrollbar)
        assert shown(app) == WORDS.split()


@on_stage
async def test_a_text_about_the_same_thing_stays_where_it_was_scrolled_to():
    app = Page("")
    async with app.run_test(size=(33, 6)) as pilot:
        reader = app.query_one(Reader)

        async def told(text, about=""):
            reader.write(text, about=about)
            await pilot.pause()
            await pilot.pause()
            return round(reader.scroll_y)

        long = "\n".join([WORDS] * 9)
        await told(long, "blue")
        reader.scroll_to(y=3, animate=False)
        assert await told(long, "blue") == 3
        assert await told(long.replace("aaaa", "bbbb"), "blue") == 3
        assert "bbbb bbbb" in " ".join(shown(app))
        assert await told(long, "night") == 0
        reader.scroll_to(y=3, animate=False)
        assert await told(long, "night") == 3
        assert await told(WORDS, "night") == 0  # there is no further to go
        await told(long)
        reader.scroll_to(y=3, animate=False)
        assert await told(long.replace("aaaa", "cccc")) == 0  # about nothing in particular


@on_stage
async def test_whoever_lays_a_text_out_hears_of_another_width():
    class Laid(Page):
        widths = ()

        def on_reader_reshaped(self):
            self.widths += (self.query_one(Reader).text_width,)

    app = Laid("short")
    async with app.run_test(size=(33, 6)) as pilot:
        await until(pilot, lambda: app.widths == (29,))
        app.query_one(Reader).write("\n".join([WORDS] * 9))
        await until(pilot, lambda: app.widths == (29, 28))  # its scrollbar came
        await pilot.resize_terminal(40, 6)
        await until(pilot, lambda: app.widths[-1] == 35)
        await pilot.resize_terminal(40, 7)  # as wide as before
        await pilot.pause()
        assert app.widths[-2:] == (28, 35)
