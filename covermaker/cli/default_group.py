"""A command that does something by itself and has commands of its own beside."""

from __future__ import annotations

from typing import Any

import click


class DefaultGroup(click.Group):
    """A group one of whose commands is meant where no other is named.

    Parameters
    ----------
    default : str
        The name of that command; the group's help is its help, and lists the others.
    """

    def __init__(self, *args: Any, default: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default's name in front where no command is named."""
        if not args:
            args = ["--help"]
        if args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that is meant; what is wrong with a line names the help of the group."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if error.ctx is not None and error.ctx.info_name == self.default and error.ctx.parent is ctx:
                error.ctx = ctx
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the others."""
        return [name for name in self.commands if name != self.default]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the default's help, and the list of the others."""
        meant = self.commands[self.default]
        pieces = meant.collect_usage_pieces(ctx)
        formatter.write_usage(ctx.command_path, " ".join(pieces))
        meant.format_help_text(ctx, formatter)
        click.Command.format_options(meant, ctx, formatter)
        self.format_commands(ctx, formatter)
        self.format_epilog(ctx, formatter)
