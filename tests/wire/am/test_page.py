"""The ApplicationMaster of docs/application-master.md runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

from wire.am.test_wordcount import run_python

PAGE = (Path(__file__).parents[3] / "docs" / "application-master.md").read_text()


async def test_the_whole_applicationmaster_of_the_page_runs(rm, tmp_path):
    (program,) = [
        block
        for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
        if "asyncio.run" in block
    ]
    (tmp_path / "page_example.py").write_text(program)

    code, output = await run_python("page_example", env={**rm.env(), "PYTHONPATH": str(tmp_path)})
    assert code == 0, output
    assert rm.finished["diagnostics"] == "all three have run"
    assert [c.exit_status for c in rm.containers.values()] == [0, 0, 0]
    assert {c.log.strip() for c in rm.containers.values()} == set(rm.containers)
