"""Groups of commands that are named for a noun: alone it lists, and with an id it shows."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from typer.core import TyperGroup


class NounGroup(TyperGroup):
    """`cardwatch alerts` is `cardwatch alerts list`, and `alerts 3f2a` is `alerts show 3f2a`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  typer does not publish its type
        """Put in the verb that is left out, where this group has it.

        A word like a verb's is not taken for an id: typer says that it is no command.
        """
        is_misspelt = bool(args) and args[0].isalpha() and get_close_matches(args[0], self.commands)
        if not args or (args[0] not in {*self.commands, "--help"} and not is_misspelt):
            verb = "show" if args and not args[0].startswith("-") else "list"
            args = [verb, *args] if verb in self.commands else args
        return super().parse_args(ctx, args)
