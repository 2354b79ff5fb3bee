"""Updates of containers as an ApplicationMaster sends them, and what it is told."""

from __future__ import annotations


async def told(master, answers):
    """The updates and errors that heartbeats bring, from the one that brings any."""

    async def beat():
        answers.append(await master.beat())
        return any(a["updatedContainers"] or a["updateErrors"] for a in answers)

    await master.cluster.until(beat)
    return (
        [u for a in answers for u in a["updatedContainers"]],
        [e for a in answers for e in a["updateErrors"]],
    )


async def updated(master, *updates):
    """What comes of updates, in the heartbeats until one has something."""
    return await told(master, [await master.beat(updates=list(updates))])
