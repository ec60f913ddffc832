"""tobo reaper: rules against what is forgotten: put, listed, planned without doing anything, undone."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tobo.cli.client import every_page, fail, speaking
from tobo.cli.output import show, show_json, time_of, without_metadata
from tobo.operations.reaper_words import calls, sentence

app = typer.Typer(help="Rules against what is forgotten; nothing happens until one is on.", no_args_is_help=True)

State = Annotated[Path | None, typer.Option(help="The server's state folder.")]
Names = Annotated[list[str] | None, typer.Argument(help="Of these rules alone.")]


@app.command()
def put(
    file: Annotated[Path, typer.Argument(help="Rules as .yaml or .json: one, or a list of them.")], state: State = None
) -> None:
    """Makes rules, or replaces those of the same names. They do nothing until they are on."""
    rules = read_rules(file)
    with speaking(state) as server:
        for rule in rules:
            server.client("tobo-reaper").put_rule(Rule=rule)
            print(rule["RuleName"])


@app.command("rules")
def list_rules(state: State = None) -> None:
    """Lists the rules, and whether they are on."""
    with speaking(state) as server:
        rules = every_page(server.client("tobo-reaper").list_rules, "Rules")
    rows = [
        [
            rule["RuleName"],
            "on" if rule.get("Enabled") else "off",
            rule["Action"],
            ", ".join(rule["Kinds"]),
            json.dumps(rule["Conditions"]),
        ]
        for rule in rules
    ]
    show(Console(), ("Rule", "", "Action", "About", "Conditions"), rows)


@app.command()
def plan(
    names: Names = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with the calls.")] = False,
    state: State = None,
) -> None:
    """Says what the rules would do, by which calls and when; does nothing. Rules that are off are planned, too."""
    with speaking(state) as server:
        found = server.client("tobo-reaper").plan_reaping(**({"RuleNames": names} if names else {}))["Reapings"]
    if as_json:
        show_json(found)
        return
    print_plan(Console(), found)


@app.command()
def on(name: str, state: State = None) -> None:
    """Turns a rule on: from now on it does what `tobo reaper plan` says."""
    _turn(name, True, state)


@app.command()
def off(name: str, state: State = None) -> None:
    """Turns a rule off."""
    _turn(name, False, state)


@app.command()
def delete(name: str, state: State = None) -> None:
    """Deletes a rule."""
    with speaking(state) as server:
        server.client("tobo-reaper").delete_rule(RuleName=name)


@app.command()
def cases(state: State = None) -> None:
    """Lists what was noticed and what was done about it."""
    with speaking(state) as server:
        found = every_page(server.client("tobo-reaper").list_cases, "Cases")
    rows = [
        [
            case["CaseId"],
            case["Status"],
            time_of(case.get("ActedAt") or case["NoticedAt"]),
            case["Action"],
            case["Reason"],
        ]
        for case in found
    ]
    show(Console(), ("Case", "Status", "Since", "Action", "Reason"), rows)


@app.command()
def undo(case: Annotated[str, typer.Argument(help="As `tobo reaper cases` names it.")], state: State = None) -> None:
    """Starts again what was paused or stopped; the rule lets it be for a day."""
    with speaking(state) as server:
        for made in server.client("tobo-reaper").undo_reaping(CaseId=case)["Calls"]:
            print(f"{made['Operation']} {made['Request']}")


def print_plan(console: Console, reapings: list[dict[str, Any]]) -> None:
    """One line a resource, and below it the calls."""
    if not reapings:
        console.print("The rules are about nothing that there is.")
    for each in reapings:
        console.print(sentence(each, time_of(each["At"])), soft_wrap=True, markup=False)
        for made in calls(each):
            console.print(f"    {made}", soft_wrap=True, markup=False)


def read_rules(file: Path) -> list[dict[str, Any]]:
    """Ends the command where there is none to be read."""
    try:
        text = file.read_text()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.")
    try:
        if file.suffix == ".json":
            found = json.loads(text)
        else:
            import yaml

            found = yaml.safe_load(text)
    except Exception as error:  # both libraries' own
        fail(f"{file} is not well formed: {error}")
    rules = found if isinstance(found, list) else [found]
    for number, rule in enumerate(rules, 1):
        if not isinstance(rule, dict) or "RuleName" not in rule:
            fail(f"Rule {number} of {file} is no mapping with a RuleName.")
    return rules


def _turn(name: str, enabled: bool, state: Path | None) -> None:
    with speaking(state) as server:
        reaper = server.client("tobo-reaper")
        rule = without_metadata(reaper.describe_rule(RuleName=name))["Rule"]
        reaper.put_rule(Rule={**rule, "Enabled": enabled})
