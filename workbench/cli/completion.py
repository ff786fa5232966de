"""``workbench completion``: let the shell complete commands, flags and names."""

import click
from click.shell_completion import get_completion_class

from workbench.cli.printing import echo

EXAMPLES = """\b
Examples:
  source <(workbench completion bash)          # in ~/.bashrc, to keep it
  workbench completion zsh > ~/.zfunc/_workbench
  workbench completion fish > ~/.config/fish/completions/workbench.fish
"""
ASKED_BY = "_WORKBENCH_COMPLETE"


@click.command(no_args_is_help=True, epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that completes commands, flags, models and tables in SHELL."""
    root = ctx.find_root()
    made = get_completion_class(shell)
    if made is not None:
        echo(made(root.command, {}, str(root.info_name), ASKED_BY).source())
