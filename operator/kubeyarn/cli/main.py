"""The `kubeyarn` command: every process and tool of the project behind one name.

Commands are imported when they are called, so that each starts as fast as it can.
"""

from __future__ import annotations

import importlib

import click

import kubeyarn

_COMMANDS = {
    "resourcemanager": ("kubeyarn.cli.processes", "resourcemanager"),
    "scheduler": ("kubeyarn.cli.processes", "scheduler"),
    "standby": ("kubeyarn.cli.processes", "standby"),
    "retire": ("kubeyarn.cli.processes", "retire"),
    "cluster": ("kubeyarn.local.command", "cluster"),
    "crds": ("kubeyarn.crd.schema.command", "crds"),
    "states": ("kubeyarn.cli.states", "states"),
    "simulate": ("kubeyarn.cli.simulate", "simulate"),
    "convert": ("kubeyarn.cli.convert", "convert"),
    "bench": ("kubeyarn.cli.bench", "bench"),
    "demo": ("kubeyarn.cli.demo", "demo"),
}

_HELP = {
    "resourcemanager": "Run the ResourceManager: applications, the AM service, containers' pods.",
    "scheduler": "Run the scheduler: queues, grants, and kube-scheduler's extender.",
    "standby": "Have a pod's kube-scheduler wait until the scheduler beside it leads.",
    "retire": "Let go of all queues, before KubeYARN is uninstalled.",
    "cluster": "Run a real Kubernetes cluster on this machine.",
    "crds": "Print or write the custom resource definitions.",
    "states": "Print or write the state tables of applications, attempts and containers.",
    "simulate": "Run scheduling scenarios without a cluster.",
    "convert": "Write Hadoop's configuration files as YarnQueue manifests.",
    "bench": "Measure the schedulers.",
    "demo": "Show a word count going through YARN's ten steps on a real cluster.",
}


class _LazyGroup(click.Group):
    """Imports a command when it is called; its help line is known without."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        # click asks for any word that is typed; None has it say which commands there are.
        if name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _HELP[name]) for name in sorted(_COMMANDS)])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(kubeyarn.__version__, prog_name="kubeyarn")
def main() -> None:
    """Hadoop YARN on Kubernetes: processes of the operator, and tools."""
