"""Every public name has a caller outside of tests, and every optional parameter is passed."""

from __future__ import annotations

from collections.abc import Mapping

from house.uses import never_passed, unused

SDK = ("am.master.ApplicationMaster.", "am.task.Task.", "am.taskserver.TaskServer.")
"""Classes whose callers are the authors of ApplicationMasters, who are not in this tree."""

FRAMEWORK = "called by the library whose class it overrides"
HARNESS = "the local cluster's own face, which end-to-end tests hold on to"
SEAM = "a test's own clock, pause, environment or limit takes its place"
SUMS = "property tests compare the sums with those counted anew"

NOBODY_CALLS = {
    "cli.main._LazyGroup.format_commands": FRAMEWORK,
    "cli.main._LazyGroup.get_command": FRAMEWORK,
    "cli.main._LazyGroup.list_commands": FRAMEWORK,
    "crd.schema.definitions._PlainDumper.ignore_aliases": FRAMEWORK,
    "hadoop.elements._Elements.characters": FRAMEWORK,
    "hadoop.elements._Elements.endElement": FRAMEWORK,
    "hadoop.elements._Elements.startDTD": FRAMEWORK,
    "hadoop.elements._Elements.startElement": FRAMEWORK,
    "local.cluster.LocalCluster.component_names": HARNESS,
    "local.command._Reporting.invoke": FRAMEWORK,
    "resourcemanager.pods.localizer._Redirects.redirect_request": FRAMEWORK,
    "scheduler.extender.bound_usage.BoundUsage.by_queue": SUMS,
}

NOBODY_PASSES = {
    "am.transport.HttpTransport.__init__(containers_timeout_s)": SEAM,
    "am.transport.HttpTransport.__init__(timeout_s)": SEAM,
    "examples.wordcount.words.summarize(top)": SEAM,
    "local.cluster.LocalCluster.start(wait)": HARNESS,
    "local.download.Downloads.__init__(mirror)": SEAM,
    "local.installing.install(settings)": HARNESS,
    "resourcemanager.applications.manager.ApplicationsManager.__init__(clock_ms)": SEAM,
    "resourcemanager.pods.localizer.localize(pause)": SEAM,
    "scheduler.allocation_loop.AllocationLoop.__init__(now_ms)": SEAM,
}


def test_every_public_name_has_a_caller() -> None:
    found = {one.full_name.removeprefix("kubeyarn."): one.place for one in unused()}

    dead = [f"{place}: {name}" for name, place in found.items() if _is_dead(name, NOBODY_CALLS)]
    assert not dead, "nothing but tests uses these; delete them: " + ", ".join(dead)
    stale = sorted(NOBODY_CALLS.keys() - found.keys())
    assert stale == [], "these have callers now or are gone; shorten the list"


def test_every_parameter_with_a_default_is_passed_somewhere() -> None:
    found = {one.full_name.removeprefix("kubeyarn."): one.function.place for one in never_passed()}

    dead = [f"{place}: {name}" for name, place in found.items() if _is_dead(name, NOBODY_PASSES)]
    assert not dead, "no call passes these; delete them: " + ", ".join(dead)
    stale = sorted(NOBODY_PASSES.keys() - found.keys())
    assert stale == [], "these are passed now or are gone; shorten the list"


def _is_dead(name: str, allowed: Mapping[str, str]) -> bool:
    return name not in allowed and not name.startswith(SDK)
