from tools.readme_help import refreshed, stale_commands, undocumented

README = """# Title

<!-- help: counterfoil serve -->
```console
$ counterfoil serve --help
usage: counterfoil serve
```
<!-- /help -->

Text.

<!-- help: counterfoil -->
<!-- /help -->
"""


def help_text(command: str) -> str:
    return f"usage: {command}   \n"


def test_a_block_that_says_something_else_is_stale() -> None:
    assert stale_commands(README, help_text) == ["counterfoil"]


def test_what_was_refreshed_is_fresh_and_the_rest_untouched() -> None:
    fresh = refreshed(README, help_text)

    assert stale_commands(fresh, help_text) == []
    assert fresh.startswith(README.partition("<!-- help: counterfoil -->")[0])
    assert fresh.endswith("usage: counterfoil\n```\n<!-- /help -->\n")


def test_a_command_that_lists_another_makes_it_due() -> None:
    def listing(command: str) -> str:
        if command == "counterfoil":
            return "usage: …\n\npositional arguments:\n  {serve,init}\n    serve  run\n"
        return "usage: …\n"

    shown = ["counterfoil", "counterfoil serve"]

    assert undocumented(shown, listing) == {"counterfoil init"}
    assert undocumented([*shown, "counterfoil init"], listing) == set()
