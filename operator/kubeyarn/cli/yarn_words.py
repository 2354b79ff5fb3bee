"""How a command line of `kubectl yarn` is read: commands, their verbs and options, as tables.

YARN spells options with one dash (`-appStates`), kubectl with two (`--namespace`); both are taken
for every option, and the case of its first letter-by-letter spelling counts, as in YARN. Verbs are
options too (`-list`), which is why argparse is not used: it would read `-namespace` as `-n`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kubeyarn.cli.yarn_kubectl import Kubectl


class UsageError(Exception):
    """The command line is wrong; exit status 2."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option: *name* without dashes; *value* is what stands behind it, empty for a switch."""

    name: str
    help: str
    value: str = ""
    short: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What the user wants: operands of the verb and options by name."""

    operands: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether the option was given."""
        return name in self.options

    def get(self, name: str, default: str = "") -> str:
        """The option's value, or *default*."""
        return self.options.get(name, default)

    def names(self, name: str) -> tuple[str, ...]:
        """The option's value as a list: commas part it."""
        parts = (part.strip() for part in self.options.get(name, "").split(","))
        return tuple(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of a command: *operands* is what stands behind it in the help.

    *least* and *most* bound how many operands it takes (None: any number).
    """

    name: str
    help: str
    run: Callable[[Kubectl, Request], int]
    operands: str = ""
    least: int = 0
    most: int | None = 0
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its verbs. One without a verb word (`logs`) has a single verb named ""."""

    name: str
    help: str
    verbs: tuple[Verb, ...]


EVERYWHERE = (
    Option("namespace", "look in this namespace", "NAME", "n"),
    Option("all-namespaces", "look in all namespaces", "", "A"),
    Option("output", "json, yaml or wide", "FORMAT", "o"),
    Option("context", "the kubeconfig's context to use", "NAME"),
    Option("cluster", "the kubeconfig's cluster to use", "NAME"),
    Option("kubeconfig", "the kubeconfig file", "FILE"),
    Option("as", "act as this user", "USER"),
    Option("request-timeout", "for one request, for example 10s", "TIME"),
    Option("help", "say what there is", "", "h"),
)
OUTPUTS = ("json", "yaml", "wide")


def read(command: Command, words: Sequence[str]) -> tuple[Verb, Request]:
    """Read what stands behind the command's name.

    Raises:
        UsageError: no verb, two verbs, an unknown option, a missing or surplus operand.
    """
    verbs = {verb.name: verb for verb in command.verbs if verb.name}
    verb = command.verbs[0] if not verbs else None
    # Options may stand before the verb, as in YARN, so those of all verbs are known from the start,
    # and which of them the verb has is checked last.
    named = _options(command)
    operands: list[str] = []
    options: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or word == "-":
            operands.append(word)
        elif name in verbs and not equals:
            if verb is not None and verb is not verbs[name]:
                raise UsageError(f"-{verb.name} and -{name} cannot stand together")
            verb = verbs[name]
        elif (option := named.get(name)) is not None:
            options[option.name] = _value(option, value, bool(equals), rest)
        elif word[1] in ("o", "n") and not word.startswith("--") and _glued(word):
            options[named[word[1]].name] = word[2:]
        else:
            raise UsageError(f"unknown option {word}{_hint(name, [*verbs, *named])}")
    return _checked(command, verb, operands, options)


def usage(command: Command) -> str:
    """What the command can do."""
    lines = [f"kubectl yarn {command.name}: {command.help}", ""]
    for verb in command.verbs:
        word = f" -{verb.name}" if verb.name else ""
        lines.append(f"  kubectl yarn {command.name}{word} {verb.operands}".rstrip())
        lines.append(f"      {verb.help}")
        lines += [_line(option) for option in verb.options]
    lines += ["", "  with each of them:", *map(_line, EVERYWHERE)]
    return "\n".join(lines)


def _options(command: Command) -> dict[str, Option]:
    named = {}
    for option in (*EVERYWHERE, *(o for verb in command.verbs for o in verb.options)):
        named[option.name] = option
        if option.short:
            named[option.short] = option
    return named


def _value(option: Option, value: str, given: bool, rest: list[str]) -> str:
    if not option.value:
        if given:
            raise UsageError(f"-{option.name} takes no value, found {value!r}")
        return ""
    if given:
        return value
    if not rest:
        raise UsageError(f"-{option.name} needs {option.value}")
    return rest.pop(0)


def _glued(word: str) -> bool:
    """Whether it is kubectl's `-ojson`; `-nfoo` is taken only if no option could be meant."""
    return word[1] == "o" and word[2:] in OUTPUTS


def _checked(
    command: Command, verb: Verb | None, operands: list[str], options: dict[str, str]
) -> tuple[Verb, Request]:
    if "help" in options:
        return verb or command.verbs[0], Request(tuple(operands), options)
    if verb is None:
        known = ", ".join(f"-{v.name}" for v in command.verbs)
        raise UsageError(f"{command.name}: say what to do: {known}")
    what = f"{command.name} -{verb.name}" if verb.name else command.name
    if len(operands) < verb.least:
        raise UsageError(f"{what} needs {verb.operands}")
    if verb.most is not None and len(operands) > verb.most:
        raise UsageError(f"{what}: {operands[verb.most]!r} is one word too many")
    allowed = {o.name for o in (*EVERYWHERE, *verb.options)}
    if surplus := sorted(set(options) - allowed):
        raise UsageError(f"{what} has no option -{surplus[0]}")
    if options.get("output", "json") not in OUTPUTS:
        raise UsageError(f"-output is {options['output']!r}, must be one of {', '.join(OUTPUTS)}")
    return verb, Request(tuple(operands), options)


def _line(option: Option) -> str:
    short = f"-{option.short}, " if option.short else ""
    dashes = "--" if option in EVERYWHERE else "-"
    return f"      {short + dashes + option.name + ' ' + option.value:<32} {option.help}"


def _hint(name: str, known: Sequence[str]) -> str:
    # Only a mistyped option needs it, and the plugin starts for every command.
    import difflib

    close = difflib.get_close_matches(name, [k for k in known if len(k) > 1], n=1)
    return f"; did you mean -{close[0]}?" if close else "; see -help"
