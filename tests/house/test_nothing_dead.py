"""Every public name has a caller outside of tests, and every optional parameter is passed."""

from __future__ import annotations

from house.uses import never_passed, unused

SDK = "for the authors of ApplicationMasters, who are not in this tree"
FRAMEWORK = "called by the library whose class it overrides"
HARNESS = "the local cluster's own face, which end-to-end tests hold on to"
SEAM = "a test's own clock, pause, environment or limit takes its place"
IN_FORCE = "the caller keeps the configuration in force itself"

NOBODY_CALLS = {
    "am.master.ApplicationMaster.demote": SDK,
    "am.master.ApplicationMaster.events": SDK,
    "am.master.ApplicationMaster.set_tracking_url": SDK,
    "am.taskserver.TaskServer.port": SDK,
    "cli.main._LazyGroup.format_commands": FRAMEWORK,
    "cli.main._LazyGroup.get_command": FRAMEWORK,
    "cli.main._LazyGroup.list_commands": FRAMEWORK,
    "crd.schema.definitions._PlainDumper.ignore_aliases": FRAMEWORK,
    "local.cluster.LocalCluster.component_names": HARNESS,
    "local.command._Reporting.invoke": FRAMEWORK,
    "resourcemanager.pods.localizer._Redirects.redirect_request": FRAMEWORK,
}

NOBODY_PASSES = {
    "am.master.ApplicationMaster.__init__(host)": SDK,
    "am.master.ApplicationMaster.__init__(on_event)": SDK,
    "am.master.ApplicationMaster.__init__(rpc_port)": SDK,
    "am.master.ApplicationMaster.__init__(settings)": SDK,
    "am.master.ApplicationMaster.__init__(tracking_url)": SDK,
    "am.master.ApplicationMaster.ask(constraint)": SDK,
    "am.master.ApplicationMaster.ask(opportunistic)": SDK,
    "am.master.ApplicationMaster.ask(tags)": SDK,
    "am.master.ApplicationMaster.from_env(environ)": SDK,
    "am.master.ApplicationMaster.from_env(on_event)": SDK,
    "am.master.ApplicationMaster.from_env(rpc_port)": SDK,
    "am.master.ApplicationMaster.from_env(settings)": SDK,
    "am.master.ApplicationMaster.launch(args)": SDK,
    "am.master.ApplicationMaster.launch(command)": SDK,
    "am.master.ApplicationMaster.launch(env)": SDK,
    "am.master.ApplicationMaster.launch(files)": SDK,
    "am.master.ApplicationMaster.launch(image)": SDK,
    "am.master.ApplicationMaster.launch(template)": SDK,
    "am.master.ApplicationMaster.unregister(tracking_url)": SDK,
    "am.task.Task.__init__(patience_s)": SDK,
    "am.task.Task.from_env(environ)": SDK,
    "am.taskserver.TaskServer.__init__(bind)": SDK,
    "am.taskserver.TaskServer.__init__(bounds)": SDK,
    "am.taskserver.TaskServer.__init__(port)": SDK,
    "am.transport.HttpTransport.__init__(containers_timeout_s)": SEAM,
    "am.transport.HttpTransport.__init__(timeout_s)": SEAM,
    "cluster.workqueue.WorkQueue.__init__(at_once)": SEAM,
    "crd.queues.tree(last)": IN_FORCE,
    "examples.wordcount.words.summarize(top)": SEAM,
    "local.cluster.LocalCluster.start(wait)": HARNESS,
    "local.download.Downloads.__init__(mirror)": SEAM,
    "local.installing.install(settings)": HARNESS,
    "resourcemanager.applications.manager.ApplicationsManager.__init__(clock_ms)": SEAM,
    "resourcemanager.pods.localizer.localize(pause)": SEAM,
}


def test_every_public_name_has_a_caller() -> None:
    found = {one.full_name.removeprefix("kubeyarn."): one.place for one in unused()}

    dead = [f"{place}: {name}" for name, place in found.items() if name not in NOBODY_CALLS]
    assert not dead, "nothing but tests uses these; delete them: " + ", ".join(dead)
    stale = sorted(NOBODY_CALLS.keys() - found.keys())
    assert stale == [], "these have callers now or are gone; shorten the list"


def test_every_parameter_with_a_default_is_passed_somewhere() -> None:
    found = {one.full_name.removeprefix("kubeyarn."): one.function.place for one in never_passed()}

    dead = [f"{place}: {name}" for name, place in found.items() if name not in NOBODY_PASSES]
    assert not dead, "no call passes these; delete them: " + ", ".join(dead)
    stale = sorted(NOBODY_PASSES.keys() - found.keys())
    assert stale == [], "these are passed now or are gone; shorten the list"
